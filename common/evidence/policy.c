#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "evidence/proof.h"

#define ITEMS_MAX 130 /* of one line: group, its name, threshold, members */
#define NAME_CAP  NOTE_NAME_MAX

/* A witness or a group. Members always stand before the group that names them. */
struct node {
	char name[NAME_CAP + 1];
	bool is_witness;
	bool used; /* member of a group: each only once in the whole file */
	size_t key; /* witness: index among the witnesses */
	size_t threshold, n_members;
	unsigned char member[POLICY_NODES_MAX];
};

struct policy {
	struct vkey keys[POLICY_LOGS_MAX + POLICY_NODES_MAX]; /* logs first, then witnesses */
	size_t n_logs, n_witnesses, n_nodes;
	struct node nodes[POLICY_NODES_MAX];
	bool has_quorum;
	int quorum; /* node, or -1: none wanted */
};

void policy_free(struct policy *p)
{
	free(p);
}

void policy_freep(struct policy **p)
{
	policy_free(*p);
	*p = NULL;
}

struct item {
	char text[VKEY_TEXT_CAP + 1];
};

/* Where a line is, for messages. */
struct at {
	const char *name;
	unsigned line;
	const struct item *item;
	size_t n;
};

static int bad(const struct at *at, struct err *e, const char *what, const char *seen)
{
	return err_set(e, ERR_FORMAT, "%s: line %u: %s%s%s%s", at->name, at->line, what,
		*seen ? " \"" : "", *seen ? ESC(seen) : "", *seen ? "\"" : "");
}

static int find_node(const struct policy *p, const char *name)
{
	for (size_t i = 0; i < p->n_nodes; i++)
		if (strcmp(p->nodes[i].name, name) == 0)
			return (int)i;
	return -1;
}

static bool key_known(const struct vkey *keys, size_t n, const uint8_t key[32])
{
	for (size_t i = 0; i < n; i++)
		if (memcmp(keys[i].key, key, 32) == 0)
			return true;
	return false;
}

/* Logs stand first in keys[]; witnesses are collected behind room for all logs and moved up at
 * the end. */
#define WITNESS_AT POLICY_LOGS_MAX

static int add_log(struct policy *p, const struct at *at, struct err *e)
{
	struct vkey v;

	if (at->n < 2 || at->n > 3)
		return bad(at, e, "\"log VKEY [URL]\" wanted", "");
	if (vkey_parse(&v, "log", at->item[1].text, e) != 0)
		return err_wrap(e, "%s: line %u", at->name, at->line);
	if (v.type != VKEY_ED25519)
		return bad(at, e, "key of a log is not of type 01:", at->item[1].text);
	if (p->n_logs == POLICY_LOGS_MAX)
		return bad(at, e, "more than 64 logs", "");
	if (key_known(p->keys, p->n_logs, v.key))
		return bad(at, e, "the same key twice:", at->item[1].text);
	p->keys[p->n_logs++] = v;
	return 0;
}

static int new_node(struct policy *p, const struct at *at, struct node **out, struct err *e)
{
	const char *name = at->item[1].text;

	if (strcmp(name, "none") == 0 || strlen(name) > NAME_CAP)
		return bad(at, e, "not a name for a witness or group:", name);
	if (find_node(p, name) >= 0)
		return bad(at, e, "name defined twice:", name);
	if (p->n_nodes == POLICY_NODES_MAX)
		return bad(at, e, "more than 128 witnesses and groups", "");
	*out = &p->nodes[p->n_nodes];
	memset(*out, 0, sizeof **out);
	strcpy((*out)->name, name);
	return 0;
}

static int add_witness(struct policy *p, const struct at *at, struct err *e)
{
	struct vkey v;
	struct node *n;

	if (at->n < 3 || at->n > 4)
		return bad(at, e, "\"witness NAME VKEY [URL]\" wanted", "");
	if (vkey_parse(&v, "witness", at->item[2].text, e) != 0)
		return err_wrap(e, "%s: line %u", at->name, at->line);
	if (v.type != VKEY_COSIGN)
		return bad(at, e, "key of a witness is not of type 04:", at->item[2].text);
	if (new_node(p, at, &n, e) != 0)
		return -1;
	if (key_known(p->keys + WITNESS_AT, p->n_witnesses, v.key))
		return bad(at, e, "the same key twice:", at->item[2].text);
	n->is_witness = true;
	n->key = p->n_witnesses;
	p->keys[WITNESS_AT + p->n_witnesses++] = v;
	p->n_nodes++;
	return 0;
}

int policy_threshold(const char *text, size_t n, size_t *k)
{
	uint64_t v;

	if (strcmp(text, "all") == 0)
		*k = n;
	else if (strcmp(text, "any") == 0)
		*k = 1;
	else if (decimal_parse(text, strlen(text), n, &v) != 0 || v < 1)
		return -1;
	else
		*k = (size_t)v;
	return 0;
}

static int add_group(struct policy *p, const struct at *at, struct err *e)
{
	struct node *n;

	if (at->n < 4)
		return bad(at, e, "\"group NAME all|any|K MEMBER...\" wanted", "");
	if (new_node(p, at, &n, e) != 0)
		return -1;
	n->n_members = at->n - 3;
	const char *t = at->item[2].text;
	if (policy_threshold(t, n->n_members, &n->threshold) != 0)
		return bad(at, e, "all, any or 1 to the number of members wanted:", t);
	for (size_t i = 0; i < n->n_members; i++) {
		int m = find_node(p, at->item[3 + i].text);
		if (m < 0)
			return bad(at, e, "name not defined above:", at->item[3 + i].text);
		if (p->nodes[m].used)
			return bad(at, e, "member for the second time:", at->item[3 + i].text);
		p->nodes[m].used = true;
		n->member[i] = (unsigned char)m;
	}
	p->n_nodes++;
	return 0;
}

static int set_quorum(struct policy *p, const struct at *at, struct err *e)
{
	if (at->n != 2)
		return bad(at, e, "\"quorum NAME|none\" wanted", "");
	if (p->has_quorum)
		return bad(at, e, "second quorum line", "");
	p->has_quorum = true;
	p->quorum = -1;
	if (strcmp(at->item[1].text, "none") == 0)
		return 0;
	p->quorum = find_node(p, at->item[1].text);
	if (p->quorum < 0)
		return bad(at, e, "name not defined above:", at->item[1].text);
	return 0;
}

static int parse_line(struct policy *p, const struct at *at, struct err *e)
{
	const char *word = at->item[0].text;

	if (strcmp(word, "log") == 0)
		return add_log(p, at, e);
	if (strcmp(word, "witness") == 0)
		return add_witness(p, at, e);
	if (strcmp(word, "group") == 0)
		return add_group(p, at, e);
	if (strcmp(word, "quorum") == 0)
		return set_quorum(p, at, e);
	return bad(at, e, "unknown keyword", word);
}

static int parse_lines(struct policy *p, const char *name, const char *s, size_t len,
	struct item *items, struct err *e)
{
	struct at at = { .name = name, .item = items };
	const char *end = s + len;

	while (s < end) {
		const char *lf = memchr(s, '\n', (size_t)(end - s));
		at.line++;
		at.n = 0;
		while (s < lf) {
			while (s < lf && (*s == ' ' || *s == '\t'))
				s++;
			const char *start = s;
			while (s < lf && *s != ' ' && *s != '\t')
				s++;
			size_t n = (size_t)(s - start);
			if (n == 0 || (at.n == 0 && *start == '#')) {
				s = lf;
				break;
			}
			if (at.n == ITEMS_MAX || n > VKEY_TEXT_CAP)
				return bad(&at, e, "too many items, or one too long", "");
			memcpy(items[at.n].text, start, n);
			items[at.n++].text[n] = '\0';
		}
		if (at.n && parse_line(p, &at, e) != 0)
			return -1;
		s = lf + 1;
	}
	if (!p->has_quorum)
		return err_set(e, ERR_FORMAT, "%s: no quorum line", name);
	return 0;
}

int policy_parse(struct policy **out, const char *name, const void *data, size_t len, struct err *e)
{
	const char *s = data;

	if (len > POLICY_MAX)
		return err_set(
			e, ERR_LIMIT, "%s: %zu bytes, at most %zu wanted", name, len, POLICY_MAX);
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];
		if ((c < 0x20 && c != '\t' && c != '\n') || c == 0x7F)
			return err_set(e, ERR_FORMAT, "%s: control character %02x at byte %zu",
				name, c, i);
	}
	if (len == 0 || s[len - 1] != '\n')
		return err_set(e, ERR_FORMAT, "%s: last line does not end in LF", name);

	AUTO(policy_freep) struct policy *p = calloc(1, sizeof *p);
	struct item *items = calloc(ITEMS_MAX, sizeof *items);
	int rc = -1;
	if (!p || !items)
		err_set(e, ERR_ENV, "%s: out of memory", name);
	else
		rc = parse_lines(p, name, s, len, items, e);
	free(items);
	if (rc != 0)
		return -1;
	memmove(p->keys + p->n_logs, p->keys + WITNESS_AT, p->n_witnesses * sizeof p->keys[0]);
	*out = p;
	p = NULL;
	return 0;
}

const struct vkey *policy_keys(const struct policy *p, size_t *n_log, size_t *n)
{
	*n_log = p->n_logs;
	*n = p->n_logs + p->n_witnesses;
	return p->keys;
}

int policy_check(const struct policy *p, const char *name, const void *data, size_t len,
	const char *origin, struct checkpoint *out, struct err *e)
{
	bool held[POLICY_NODES_MAX] = { false }, signed_by[POLICY_NODES_MAX] = { false };
	struct checkpoint c;
	struct note *note = malloc(sizeof *note);

	if (!note)
		return err_set(e, ERR_ENV, "%s: out of memory", name);
	int rc = checkpoint_open(&c, note, name, data, len, origin, p->keys, p->n_logs,
		p->n_logs + p->n_witnesses, e);
	for (size_t i = 0; rc == 0 && i < note->n_lines; i++)
		if (note->lines[i].key >= (int)p->n_logs)
			signed_by[(size_t)note->lines[i].key - p->n_logs] = true;
	free(note);
	if (rc != 0)
		return -1;
	/* Members stand before their group, so one pass settles all. */
	for (size_t i = 0; i < p->n_nodes; i++) {
		const struct node *n = &p->nodes[i];
		size_t k = 0;
		for (size_t m = 0; m < n->n_members; m++)
			k += held[n->member[m]];
		held[i] = n->is_witness ? signed_by[n->key] : k >= n->threshold;
	}
	if (p->quorum >= 0 && !held[p->quorum])
		return err_set(e, ERR_REJECTED,
			"%s: the witnesses that signed do not make the quorum \"%s\"", name,
			p->nodes[p->quorum].name);
	*out = c;
	return 0;
}

#include <ctype.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/fsio.h"
#include "base/text.h"
#include "mfgpkg/config_node.h"

struct config_anchor {
	char *name;
	struct config_node *node;
};

char *config_place(char out[32], const struct config *c, unsigned line, unsigned column)
{
	out[0] = 0;
	if (!c->rewritten)
		snprintf(out, 32, ":%u:%u", line, column);
	return out;
}

static int error_at(const struct config *c, unsigned line, unsigned column, struct err *e,
	const char *fmt, ...) PRINTF_LIKE(5);

static int error_at(
	const struct config *c, unsigned line, unsigned column, struct err *e, const char *fmt, ...)
{
	char msg[400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(msg, sizeof msg, fmt, ap);
	va_end(ap);
	char place[32];
	return err_set(
		e, ERR_CONFIG, "%s%s: %s", c->name, config_place(place, c, line, column), msg);
}

static int out_of_memory(struct err *e)
{
	return err_set(e, ERR_ENV, "out of memory");
}

/* --- nodes ---------------------------------------------------------------------------------- */

static struct config_node *node_new(
	struct config *c, enum config_kind kind, const yaml_mark_t *at, struct err *e)
{
	if (c->n_nodes >= CONFIG_MAX_NODES) {
		error_at(c, (unsigned)at->line + 1, (unsigned)at->column + 1, e,
			"more than %d values (every use of an alias counts)", CONFIG_MAX_NODES);
		return NULL;
	}
	struct config_node *n = calloc(1, sizeof *n);
	if (!n) {
		out_of_memory(e);
		return NULL;
	}
	n->doc = c;
	n->kind = kind;
	n->line = (unsigned)at->line + 1;
	n->column = (unsigned)at->column + 1;
	n->next = c->nodes;
	c->nodes = n;
	c->n_nodes++;
	return n;
}

/* Room for one more item or pair. */
static int node_reserve(struct config_node *n, struct err *e)
{
	if (n->n < n->cap)
		return 0;
	size_t cap = n->cap ? 2 * n->cap : 8;
	if (n->kind == CONFIG_LIST) {
		struct config_node **p = realloc(n->items, cap * sizeof *p);
		if (!p)
			return out_of_memory(e);
		n->items = p;
	} else {
		struct config_pair_entry *p = realloc(n->pairs, cap * sizeof *p);
		if (!p)
			return out_of_memory(e);
		n->pairs = p;
	}
	n->cap = cap;
	return 0;
}

static int list_add(struct config_node *list, struct config_node *item, struct err *e)
{
	if (node_reserve(list, e) != 0)
		return -1;
	item->parent = list;
	item->index = list->n;
	list->items[list->n++] = item;
	return 0;
}

struct config_pair_entry *config_map_find(const struct config_node *map, const char *key)
{
	for (size_t i = 0; i < map->n; i++)
		if (strcmp(map->pairs[i].key, key) == 0)
			return &map->pairs[i];
	return NULL;
}

static int map_add(struct config_node *map, const char *key, unsigned line, unsigned column,
	struct config_node *value, struct err *e)
{
	if (node_reserve(map, e) != 0)
		return -1;
	char *copy = strdup(key);
	if (!copy)
		return out_of_memory(e);
	map->pairs[map->n++] = (struct config_pair_entry){
		.key = copy, .value = value, .line = line, .column = column
	};
	value->parent = map;
	value->key = copy;
	return 0;
}

/* --- YAML 1.1 plain scalars ----------------------------------------------------------------- */

static bool one_of(const char *text, const char *const list[])
{
	for (; *list; list++)
		if (strcmp(text, *list) == 0)
			return true;
	return false;
}

/* The integer forms of YAML 1.1 but base 60: [-+]? (0b[01_]+ | 0[0-7_]+ | 0 | [1-9][0-9_]* |
 * 0x[hex_]+). Anything else is text, 08 and 0o17 included. */
static bool resolve_int(struct config_node *n, const char *s)
{
	bool negative = *s == '-';
	unsigned base = 10;
	uint64_t v = 0;
	bool digits = false, too_wide = false;

	if (*s == '-' || *s == '+')
		s++;
	if (s[0] == '0' && s[1] == 'x') {
		base = 16;
		s += 2;
	} else if (s[0] == '0' && s[1] == 'b') {
		base = 2;
		s += 2;
	} else if (s[0] == '0' && s[1]) {
		base = 8;
		s++;
	}
	if (base == 10 && *s == '_')
		return false;
	for (; *s; s++) {
		if (*s == '_')
			continue;
		unsigned d = isdigit((unsigned char)*s) ? (unsigned)(*s - '0')
			     : (*s >= 'a' && *s <= 'f') ? (unsigned)(*s - 'a') + 10
			     : (*s >= 'A' && *s <= 'F') ? (unsigned)(*s - 'A') + 10
							: 99;
		if (d >= base)
			return false;
		digits = true;
		if (v > (UINT64_MAX - d) / base)
			too_wide = true;
		else
			v = v * base + d;
	}
	if (!digits)
		return false;
	n->kind = CONFIG_INT;
	n->number = v;
	n->negative = negative && (v != 0 || too_wide);
	n->too_wide = too_wide;
	return true;
}

static void resolve_plain(struct config_node *n)
{
	static const char *const nulls[] = { "", "~", "null", "Null", "NULL", NULL };
	static const char *const yes[] = { "true", "True", "TRUE", "yes", "Yes", "YES", "on", "On",
		"ON", NULL };
	static const char *const no[] = { "false", "False", "FALSE", "no", "No", "NO", "off", "Off",
		"OFF", NULL };

	if (one_of(n->text, nulls)) {
		n->kind = CONFIG_NULL;
	} else if (one_of(n->text, yes) || one_of(n->text, no)) {
		n->kind = CONFIG_BOOL;
		n->truth = one_of(n->text, yes);
	} else {
		resolve_int(n, n->text);
	}
}

/* --- reading -------------------------------------------------------------------------------- */

struct reader {
	struct config *c;
	yaml_parser_t *yaml;
};

static int next_event(struct reader *r, yaml_event_t *ev, struct err *e)
{
	if (yaml_parser_parse(r->yaml, ev))
		return 0;
	const yaml_parser_t *y = r->yaml;
	if (y->error == YAML_MEMORY_ERROR)
		return out_of_memory(e);
	if (y->error == YAML_READER_ERROR)
		return err_set(e, ERR_CONFIG, "%s: byte %zu: %s", r->c->name, y->problem_offset,
			y->problem ? y->problem : "not text");
	return error_at(r->c, (unsigned)y->problem_mark.line + 1,
		(unsigned)y->problem_mark.column + 1, e, "not valid YAML: %s%s%s",
		y->problem ? y->problem : "syntax error", y->context ? ", " : "",
		y->context ? y->context : "");
}

/* A scalar event as a node. */
static struct config_node *read_scalar(struct reader *r, const yaml_event_t *ev, struct err *e)
{
	const char *tag = (const char *)ev->data.scalar.tag;
	struct config_node *n = node_new(r->c, CONFIG_TEXT, &ev->start_mark, e);

	if (!n)
		return NULL;
	size_t len = ev->data.scalar.length;
	if (memchr(ev->data.scalar.value, 0, len)) {
		error_at(r->c, n->line, n->column, e, "text with a NUL character");
		return NULL;
	}
	n->text = strndup((const char *)ev->data.scalar.value, len);
	if (!n->text) {
		out_of_memory(e);
		return NULL;
	}
	n->quoted = ev->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
	if (tag && strcmp(tag, YAML_STR_TAG) == 0)
		n->quoted = true;
	else if (tag && strcmp(tag, "!") != 0) {
		error_at(r->c, n->line, n->column, e, "tag %s is not supported", ESC(tag));
		return NULL;
	}
	if (!n->quoted)
		resolve_plain(n);
	return n;
}

static int anchor_set(
	struct reader *r, const yaml_char_t *name, struct config_node *n, struct err *e)
{
	struct config *c = r->c;

	if (!name)
		return 0;
	for (size_t i = 0; i < c->n_anchors; i++)
		if (strcmp(c->anchors[i].name, (const char *)name) == 0) {
			c->anchors[i].node = n;
			return 0;
		}
	struct config_anchor *p = realloc(c->anchors, (c->n_anchors + 1) * sizeof *p);
	if (!p)
		return out_of_memory(e);
	c->anchors = p;
	p[c->n_anchors].node = n;
	p[c->n_anchors].name = strdup((const char *)name);
	if (!p[c->n_anchors].name)
		return out_of_memory(e);
	c->n_anchors++;
	return 0;
}

/* A deep copy, so that each use of an alias has a key path of its own and the number of nodes
 * limits what aliases of aliases can blow up to. Positions stay those of the anchored text. */
static struct config_node *copy_tree(
	struct config *c, const struct config_node *n, unsigned depth, struct err *e)
{
	yaml_mark_t at = { .line = n->line - 1, .column = n->column - 1 };
	struct config_node *d = node_new(c, n->kind, &at, e);

	if (!d)
		return NULL;
	if (depth > CONFIG_MAX_DEPTH) {
		error_at(
			c, n->line, n->column, e, "nested deeper than %d levels", CONFIG_MAX_DEPTH);
		return NULL;
	}
	d->quoted = n->quoted;
	d->number = n->number;
	d->negative = n->negative;
	d->too_wide = n->too_wide;
	d->truth = n->truth;
	if (n->text && !(d->text = strdup(n->text))) {
		out_of_memory(e);
		return NULL;
	}
	for (size_t i = 0; i < n->n; i++) {
		const struct config_pair_entry *p = n->kind == CONFIG_MAP ? &n->pairs[i] : NULL;
		struct config_node *v = copy_tree(c, p ? p->value : n->items[i], depth + 1, e);
		if (!v || (p ? map_add(d, p->key, p->line, p->column, v, e) : list_add(d, v, e)))
			return NULL;
	}
	return d;
}

/* "<<: *base" adds the keys of base that the map does not have itself. */
static int merge(
	struct config_node *map, const struct config_node *from, unsigned depth, struct err *e)
{
	if (from->kind == CONFIG_LIST) {
		for (size_t i = 0; i < from->n; i++) {
			if (from->items[i]->kind != CONFIG_MAP)
				return config_error(from, e, "`<<` takes a map or a list of maps");
			if (merge(map, from->items[i], depth, e) != 0)
				return -1;
		}
		return 0;
	}
	if (from->kind != CONFIG_MAP)
		return config_error(from, e, "`<<` takes a map or a list of maps");
	for (size_t i = 0; i < from->n; i++) {
		const struct config_pair_entry *p = &from->pairs[i];
		if (config_map_find(map, p->key))
			continue;
		struct config_node *v = copy_tree(map->doc, p->value, depth, e);
		if (!v || map_add(map, p->key, p->line, p->column, v, e) != 0)
			return -1;
	}
	return 0;
}

static struct config_node *read_node(
	struct reader *r, const yaml_event_t *ev, unsigned depth, struct err *e);

static int read_list(struct reader *r, struct config_node *list, unsigned depth, struct err *e)
{
	for (;;) {
		yaml_event_t ev;
		if (next_event(r, &ev, e) != 0)
			return -1;
		if (ev.type == YAML_SEQUENCE_END_EVENT) {
			yaml_event_delete(&ev);
			return 0;
		}
		struct config_node *item = read_node(r, &ev, depth + 1, e);
		yaml_event_delete(&ev);
		if (!item || list_add(list, item, e) != 0)
			return -1;
	}
}

/* One "key: value"; 1 at the end of the map. `merges` collects the values of "<<". */
static int read_pair(struct reader *r, struct config_node *map, struct config_node *merges,
	unsigned depth, struct err *e)
{
	yaml_event_t ev;

	if (next_event(r, &ev, e) != 0)
		return -1;
	if (ev.type == YAML_MAPPING_END_EVENT) {
		yaml_event_delete(&ev);
		return 1;
	}
	struct config_node *key = ev.type == YAML_SCALAR_EVENT ? read_scalar(r, &ev, e) : NULL;
	if (ev.type != YAML_SCALAR_EVENT)
		error_at(r->c, (unsigned)ev.start_mark.line + 1, (unsigned)ev.start_mark.column + 1,
			e, "a key must be a plain name");
	yaml_event_delete(&ev);
	if (!key)
		return -1;
	const struct config_pair_entry *twin = config_map_find(map, key->text);
	if (twin)
		return error_at(r->c, key->line, key->column, e,
			"key `%s` given twice (first in line %u)", ESC(key->text), twin->line);

	if (next_event(r, &ev, e) != 0)
		return -1;
	struct config_node *value = read_node(r, &ev, depth + 1, e);
	yaml_event_delete(&ev);
	if (!value)
		return -1;
	if (!key->quoted && strcmp(key->text, "<<") == 0)
		return list_add(merges, value, e);
	return map_add(map, key->text, key->line, key->column, value, e);
}

static int read_map(struct reader *r, struct config_node *map, unsigned depth, struct err *e)
{
	yaml_mark_t at = { .line = map->line - 1, .column = map->column - 1 };
	struct config_node *merges = node_new(r->c, CONFIG_LIST, &at, e);
	int rc;

	if (!merges)
		return -1;
	do
		rc = read_pair(r, map, merges, depth, e);
	while (rc == 0);
	if (rc < 0)
		return -1;
	for (size_t i = 0; i < merges->n; i++)
		if (merge(map, merges->items[i], depth + 1, e) != 0)
			return -1;
	return 0;
}

static struct config_node *read_alias(
	struct reader *r, const yaml_event_t *ev, unsigned depth, struct err *e)
{
	struct config *c = r->c;
	const char *name = (const char *)ev->data.alias.anchor;

	for (size_t i = 0; i < c->n_anchors; i++)
		if (strcmp(c->anchors[i].name, name) == 0)
			return copy_tree(c, c->anchors[i].node, depth, e);
	error_at(c, (unsigned)ev->start_mark.line + 1, (unsigned)ev->start_mark.column + 1, e,
		"alias *%s has no anchor before it", ESC(name));
	return NULL;
}

static struct config_node *read_node(
	struct reader *r, const yaml_event_t *ev, unsigned depth, struct err *e)
{
	const yaml_mark_t *at = &ev->start_mark;

	if (depth > CONFIG_MAX_DEPTH) {
		error_at(r->c, (unsigned)at->line + 1, (unsigned)at->column + 1, e,
			"nested deeper than %d levels", CONFIG_MAX_DEPTH);
		return NULL;
	}
	if (ev->type == YAML_ALIAS_EVENT)
		return read_alias(r, ev, depth, e);
	if (ev->type == YAML_SCALAR_EVENT) {
		struct config_node *n = read_scalar(r, ev, e);
		return n && anchor_set(r, ev->data.scalar.anchor, n, e) == 0 ? n : NULL;
	}
	bool list = ev->type == YAML_SEQUENCE_START_EVENT;
	const char *tag =
		(const char *)(list ? ev->data.sequence_start.tag : ev->data.mapping_start.tag);
	if (tag) {
		error_at(r->c, (unsigned)at->line + 1, (unsigned)at->column + 1, e,
			"tag %s is not supported", ESC(tag));
		return NULL;
	}
	struct config_node *n = node_new(r->c, list ? CONFIG_LIST : CONFIG_MAP, at, e);
	if (!n)
		return NULL;
	if ((list ? read_list(r, n, depth, e) : read_map(r, n, depth, e)) != 0)
		return NULL;
	/* Set after reading: an alias inside its own anchor stays unknown. */
	const yaml_char_t *anchor =
		list ? ev->data.sequence_start.anchor : ev->data.mapping_start.anchor;
	return anchor_set(r, anchor, n, e) == 0 ? n : NULL;
}

/* The whole stream: exactly one document whose root is a map. */
static int read_stream(struct reader *r, struct err *e)
{
	struct config *c = r->c;

	for (;;) {
		yaml_event_t ev;
		if (next_event(r, &ev, e) != 0)
			return -1;
		yaml_event_type_t type = ev.type;
		unsigned line = (unsigned)ev.start_mark.line + 1;
		unsigned column = (unsigned)ev.start_mark.column + 1;
		bool content = type != YAML_STREAM_START_EVENT && type != YAML_STREAM_END_EVENT &&
			       type != YAML_DOCUMENT_START_EVENT && type != YAML_DOCUMENT_END_EVENT;
		int rc = 0;
		if (content) {
			c->root = read_node(r, &ev, 0, e);
			rc = c->root ? 0 : -1;
		} else if (type == YAML_DOCUMENT_START_EVENT && c->root) {
			rc = error_at(c, line, column, e, "a second document in the file");
		}
		yaml_event_delete(&ev);
		if (rc != 0)
			return -1;
		if (type == YAML_STREAM_END_EVENT)
			break;
	}
	if (!c->root || c->root->kind == CONFIG_NULL)
		return err_set(e, ERR_CONFIG, "%s: empty, a map of keys is wanted", c->name);
	if (c->root->kind != CONFIG_MAP)
		return config_error(c->root, e, "a map of keys is wanted, this is %s",
			config_kind_name(c->root));
	return 0;
}

static void anchors_clear(struct config *c)
{
	for (size_t i = 0; i < c->n_anchors; i++)
		free(c->anchors[i].name);
	free(c->anchors);
	c->anchors = NULL;
	c->n_anchors = 0;
}

static int parse(struct config **out, const char *name, const void *data, size_t len,
	bool rewritten, struct err *e)
{
	AUTO(config_freep) struct config *c = calloc(1, sizeof *c);
	if (!c || !(c->name = strdup(name)) || !(c->dir = path_dirname(name)))
		return out_of_memory(e);
	c->rewritten = rewritten;
	yaml_parser_t yaml;
	if (!yaml_parser_initialize(&yaml))
		return out_of_memory(e);
	yaml_parser_set_input_string(&yaml, data ? data : (const void *)"", len);
	struct reader r = { .c = c, .yaml = &yaml };
	int rc = read_stream(&r, e);
	yaml_parser_delete(&yaml);
	anchors_clear(c);
	if (rc != 0)
		return -1;
	*out = c;
	c = NULL;
	return 0;
}

/* What JSON can have and YAML cannot (a colon on the next line, characters in two escapes): the
 * same document written in a way that is both. NULL: not JSON either. */
static char *json_as_yaml(const void *data, size_t len)
{
	json_t *j = json_loadb(data, len, JSON_REJECT_DUPLICATES, NULL);
	char *text = j ? json_dumps(j, JSON_INDENT(1)) : NULL;

	json_decref(j);
	return text;
}

int config_load_bytes(
	struct config **out, const char *name, const void *data, size_t len, struct err *e)
{
	if (len > CONFIG_MAX_SIZE)
		return err_set(e, ERR_LIMIT, "%s: %zu bytes, a configuration has at most %zu", name,
			len, CONFIG_MAX_SIZE);
	if (parse(out, name, data, len, false, e) == 0)
		return 0;
	char *text = data ? json_as_yaml(data, len) : NULL;
	if (!text)
		return -1;
	int rc = parse(out, name, text, strlen(text), true, e);
	free(text);
	return rc;
}

int config_load(struct config **out, const char *path, struct err *e)
{
	AUTO(buf_clear) struct buf data = { 0 };

	if (fsio_read(path, CONFIG_MAX_SIZE, &data, e) != 0)
		return -1;
	return config_load_bytes(out, path, data.p, data.len, e);
}

int config_load_from(struct config **out, const struct config_node *path_node, struct err *e)
{
	AUTO(str_freep) char *path = NULL;

	if (config_path(path_node, &path, e) != 0 || config_load(out, path, e) != 0)
		return -1;
	(*out)->parent = path_node->doc;
	return 0;
}

void config_set_parent(struct config *c, const struct config *parent)
{
	c->parent = parent;
}

void config_free(struct config *c)
{
	if (!c)
		return;
	for (struct config_node *n = c->nodes, *next; n; n = next) {
		next = n->next;
		if (n->kind == CONFIG_MAP)
			for (size_t i = 0; i < n->n; i++)
				free(n->pairs[i].key);
		free(n->pairs);
		free(n->items);
		free(n->text);
		free(n);
	}
	anchors_clear(c);
	free(c->name);
	free(c->dir);
	free(c);
}

void config_freep(struct config **c)
{
	config_free(*c);
}

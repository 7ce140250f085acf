#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "pkg/trust.h"

#define BARE_KEY_LEN 56 /* base64 of "Ed", key number, key */

static unsigned threshold_of(const struct trust *t)
{
	return t->threshold ? t->threshold : 1;
}

int trust_add(struct trust *t, const struct minisign_pub *key, struct err *e)
{
	for (size_t i = 0; i < t->n; i++)
		if (memcmp(t->keys[i].key, key->key, sizeof key->key) == 0)
			return 0;
	if (t->n == TRUST_MAX_KEYS)
		return err_set(e, ERR_LIMIT, "more than %d trusted keys", TRUST_MAX_KEYS);
	t->keys[t->n++] = *key;
	return 0;
}

int trust_load(struct trust *t, const char *const *paths_or_keys, size_t n, unsigned threshold,
	struct err *e)
{
	struct trust fresh = { .threshold = threshold ? threshold : 1 };

	for (size_t i = 0; i < n; i++) {
		struct minisign_pub key;
		if (minisign_pub_load(&key, paths_or_keys[i], e) != 0 ||
			trust_add(&fresh, &key, e) != 0)
			return -1;
	}
	if (fresh.threshold > fresh.n)
		return err_set(e, ERR_USAGE,
			"threshold %u needs at least %u different keys, got %zu", fresh.threshold,
			fresh.threshold, fresh.n);
	*t = fresh;
	return 0;
}

/* --- signatures ------------------------------------------------------------------------------- */

/* Several trusted keys may carry the number; one of them must verify. Returns its index, -2 when
 * none carries it, -1 when the signature does not hold (*e set). */
static int find_verifier(const struct trust *t, const struct minisign_sig *sig, const void *msg,
	size_t len, struct err *e)
{
	int result = -2;

	for (size_t i = 0; t && i < t->n; i++) {
		if (memcmp(t->keys[i].id, sig->id, sizeof sig->id) != 0)
			continue;
		if (minisign_verify(&t->keys[i], sig, msg, len, e) == 0)
			return (int)i;
		result = -1;
	}
	return result;
}

static int add_signer(const struct trust *t, const struct sig_file *file, const void *msg,
	size_t len, struct signers *out, struct err *e)
{
	struct minisign_sig sig;
	struct signer s = { .trusted = false };

	if (minisign_sig_parse(&sig, file->name, file->data, file->len, e) != 0)
		return -1;
	int at = find_verifier(t, &sig, msg, len, e);
	if (at == -1)
		return err_wrap(e, "%s", file->name);
	minisign_id_hex(s.id, sig.id);
	text_escape(s.comment, sizeof s.comment, sig.comment, strlen(sig.comment));
	if (at >= 0) {
		s.trusted = s.counts = true;
		memcpy(s.key, t->keys[at].key, sizeof s.key);
		for (size_t i = 0; i < out->n; i++)
			if (out->list[i].counts &&
				memcmp(out->list[i].key, s.key, sizeof s.key) == 0)
				s.counts = false;
	}
	out->approvals += s.counts;
	out->list[out->n++] = s;
	return 0;
}

int trust_signers(const struct trust *t, const char *what, const void *msg, size_t len,
	const struct sig_file *sigs, size_t n, struct signers *out, struct err *e)
{
	memset(out, 0, sizeof *out);
	if (n > TRUST_MAX_SIGNATURES)
		return err_set(e, ERR_LIMIT, "%s: %zu signatures, at most %d wanted", what, n,
			TRUST_MAX_SIGNATURES);
	for (size_t i = 0; i < n; i++)
		if (add_signer(t, &sigs[i], msg, len, out, e) != 0)
			return -1;
	return 0;
}

int trust_need(const struct trust *t, const char *what, unsigned wanted, const struct signers *s,
	struct err *e)
{
	unsigned need = threshold_of(t) > wanted ? threshold_of(t) : wanted;
	const char *who = threshold_of(t) >= wanted ? "the trusted keys'" : "the manifest's";

	if (s->approvals >= need)
		return 0;
	if (s->n == 0)
		return err_set(e, ERR_REJECTED, "%s: not signed", what);
	if (s->approvals == 0 && s->n == 1)
		return err_set(e, ERR_REJECTED, "%s: signed by the unknown key %s only", what,
			s->list[0].id);
	if (s->approvals == 0)
		return err_set(e, ERR_REJECTED,
			"%s: none of the %zu signatures is by a trusted key", what, s->n);
	return err_set(e, ERR_REJECTED, "%s: %u of %u approvals (%s threshold)", what, s->approvals,
		need, who);
}

/* --- documents -------------------------------------------------------------------------------- */

static void bare_key(char out[BARE_KEY_LEN + 1], const struct minisign_pub *key)
{
	uint8_t raw[42] = { 'E', 'd' };

	memcpy(raw + 2, key->id, sizeof key->id);
	memcpy(raw + 10, key->key, sizeof key->key);
	base64_encode(out, raw, sizeof raw);
}

static json_t *key_list(const struct trust *t)
{
	json_t *list = json_array();

	for (size_t i = 0; i < t->n; i++) {
		char text[BARE_KEY_LEN + 1];
		bare_key(text, &t->keys[i]);
		json_array_append_new(list, json_string(text));
	}
	return list;
}

json_t *trust_to_json(const struct trust *t)
{
	return json_pack("{ss si sI si so}", "type", "mfgpkg-trust", "format", 1, "version",
		(json_int_t)t->version, "threshold", (int)threshold_of(t), "keys", key_list(t));
}

json_t *trust_update_to_json(const struct trust *next, int64_t created)
{
	char time[TIME_S_LEN + 1];

	return json_pack("{ss si sI ss si so}", "type", "mfgpkg-trust-update", "format", 1,
		"version", (json_int_t)next->version, "created",
		time_format_s(time, (time_t)created), "threshold", (int)threshold_of(next), "keys",
		key_list(next));
}

static int keys_member(const struct json_at *root, size_t min, struct trust *t, struct err *e)
{
	struct json_at list = json_member(root, "keys");
	size_t n;

	if (json_want_array(&list, min, TRUST_MAX_KEYS, &n, e) != 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		struct json_at item = json_item(&list, i);
		struct minisign_pub key;
		const char *s;
		if (json_want_string(&item, 200, &s, e) != 0)
			return -1;
		if (strlen(s) != BARE_KEY_LEN)
			return err_set(e, ERR_FORMAT,
				"%s: %zu characters, a public key of %d characters wanted",
				item.where, strlen(s), BARE_KEY_LEN);
		/* Never minisign_pub_load(): a document must not make us open a file. */
		char file[100];
		int n_file = snprintf(file, sizeof file, "untrusted comment: key\n%s\n", s);
		if (minisign_pub_parse(&key, item.where, file, (size_t)n_file, e) != 0)
			return -1;
		size_t before = t->n;
		if (trust_add(t, &key, e) != 0)
			return -1;
		if (t->n == before)
			return err_set(e, ERR_FORMAT, "%s: this key is there twice", item.where);
	}
	return 0;
}

/* The members both documents have. min_keys: an update never leaves a station without keys. */
static int common_members(const struct json_at *root, const char *type, int64_t min_version,
	size_t min_keys, struct trust *t, struct err *e)
{
	struct json_at j = json_member(root, "type"), format = json_member(root, "format");
	struct json_at version = json_member(root, "version");
	struct json_at threshold = json_member(root, "threshold");
	const char *s;
	int64_t v;

	if (json_want_string(&j, 64, &s, e) != 0)
		return -1;
	if (strcmp(s, type) != 0)
		return err_set(e, ERR_FORMAT, "%s: \"%s\", \"%s\" wanted", j.where, ESC(s), type);
	if (json_want_int(&format, 1, 1, &v, e) != 0 ||
		json_want_int(&version, min_version, JSON_INT_MAX, &t->version, e) != 0 ||
		json_want_int(&threshold, 1, TRUST_MAX_KEYS, &v, e) != 0 ||
		keys_member(root, min_keys, t, e) != 0)
		return -1;
	t->threshold = (unsigned)v;
	if (t->n >= min_keys && min_keys > 0 && t->threshold > t->n)
		return err_set(e, ERR_FORMAT, "%s: %u, but there are only %zu keys",
			threshold.where, t->threshold, t->n);
	return 0;
}

int trust_parse(struct trust *out, const char *name, const void *text, size_t len, struct err *e)
{
	static const char *const names[] = { "type", "format", "version", "threshold", "keys",
		NULL };
	struct trust t = { 0 };

	if (len > TRUST_MAX_SIZE)
		return err_set(e, ERR_LIMIT, "%s: %zu bytes, at most %zu wanted", name, len,
			TRUST_MAX_SIZE);
	AUTO(json_freep) json_t *j = json_read(name, text, len, e);
	if (!j)
		return -1;
	struct json_at root = json_root(name, j);
	if (json_only(&root, names, e) != 0 ||
		common_members(&root, "mfgpkg-trust", 0, 0, &t, e) != 0)
		return -1;
	*out = t;
	return 0;
}

int trust_update_parse(struct trust *next, int64_t *created, const char *name, const void *text,
	size_t len, struct err *e)
{
	static const char *const names[] = { "type", "format", "version", "created", "threshold",
		"keys", NULL };
	struct trust t = { 0 };
	int64_t made;

	if (len > TRUST_MAX_SIZE)
		return err_set(e, ERR_LIMIT, "%s: %zu bytes, at most %zu wanted", name, len,
			TRUST_MAX_SIZE);
	AUTO(json_freep) json_t *j = json_read(name, text, len, e);
	if (!j)
		return -1;
	struct json_at root = json_root(name, j), time = json_member(&root, "created");
	if (json_only(&root, names, e) != 0 ||
		common_members(&root, "mfgpkg-trust-update", 1, 1, &t, e) != 0 ||
		json_want_time(&time, &made, e) != 0)
		return -1;
	*next = t;
	if (created)
		*created = made;
	return 0;
}

int trust_update_apply(const struct trust *now, const char *name, const void *text, size_t len,
	const struct sig_file *sigs, size_t n, struct trust *next, struct err *e)
{
	struct trust t;
	struct signers by_old, by_new;
	char what[300];

	/* Nothing of the document is read before somebody trusted has signed it. */
	snprintf(what, sizeof what, "%s: keys trusted now", name);
	if (trust_signers(now, name, text, len, sigs, n, &by_old, e) != 0 ||
		trust_need(now, what, 0, &by_old, e) != 0)
		return -1;
	if (trust_update_parse(&t, NULL, name, text, len, e) != 0)
		return -1;
	if (t.version <= now->version)
		return err_set(e, ERR_REJECTED,
			"%s: version %lld, but %lld was taken already: replayed or out of order",
			name, (long long)t.version, (long long)now->version);
	snprintf(what, sizeof what, "%s: keys of the update", name);
	if (trust_signers(&t, name, text, len, sigs, n, &by_new, e) != 0 ||
		trust_need(&t, what, 0, &by_new, e) != 0)
		return -1;
	*next = t;
	return 0;
}

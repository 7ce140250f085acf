#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "evidence/proof.h"
#include "pkg/provenance.h"

/* The leaf must say: package, this digest. */
static int check_leaf(
	const char *name, const struct buf *leaf, const uint8_t digest[32], struct err *e)
{
	AUTO(json_freep) json_t *j = json_read(name, leaf->p, leaf->len, e);

	if (!j)
		return -1;
	struct json_at root = json_root(name, j), kind = json_member(&root, "kind");
	struct json_at package = json_member(&root, "package");
	uint8_t seen[32];
	char hex[65];
	const char *s;
	if (json_want_object(&root, e) != 0 || json_want_string(&kind, 64, &s, e) != 0)
		return -1;
	if (strcmp(s, "package") != 0)
		return err_set(e, ERR_REJECTED, "%s: a leaf of kind \"%s\", \"package\" wanted",
			name, ESC(s));
	if (json_want_hex(&package, seen, sizeof seen, e) != 0)
		return -1;
	if (memcmp(seen, digest, sizeof seen) != 0)
		return err_set(e, ERR_REJECTED, "%s: about another package (%s)", name,
			hex_encode(hex, seen, sizeof seen));
	return 0;
}

/* Included in the checkpoint that stands in the proof, whoever signed that. */
static int check_inclusion(const char *name, const struct proof *p, struct err *e)
{
	struct note note;
	struct checkpoint c;
	uint8_t leaf[MERKLE_HASH];

	if (note_parse(&note, name, p->note, p->note_len, e) != 0 ||
		checkpoint_parse(&c, name, note.text, note.text_len, e) != 0)
		return -1;
	merkle_leaf_hash(p->extra.p, p->extra.len, leaf);
	if (merkle_check_inclusion(p->index, c.size, leaf, p->path[0], p->n_path, c.root, e) != 0)
		return err_wrap(e, "%s", name);
	return 0;
}

/* Logs sign under their origin; the key may be given under another name (a station's own). */
static int key_of_log(const struct proof *p, const char *name, const char *log_vkey,
	struct vkey *out, struct err *e)
{
	struct vkey given;
	struct note note;
	struct checkpoint c;

	if (vkey_parse(&given, "log key", log_vkey, e) != 0) {
		if (e)
			e->code = ERR_USAGE;
		return -1;
	}
	if (note_parse(&note, name, p->note, p->note_len, e) != 0 ||
		checkpoint_parse(&c, name, note.text, note.text_len, e) != 0)
		return -1;
	return vkey_make(out, c.origin, VKEY_ED25519, given.key, e);
}

static int check_signed(
	const char *name, const struct proof *p, const char *log_vkey, struct err *e)
{
	AUTO(policy_freep) struct policy *policy = NULL;
	char key_text[VKEY_TEXT_CAP], text[VKEY_TEXT_CAP + 40];
	struct checkpoint c;
	struct vkey key;

	if (key_of_log(p, name, log_vkey, &key, e) != 0)
		return -1;
	int n = snprintf(text, sizeof text, "log %s\nquorum none\n", vkey_text(&key, key_text));
	if (policy_parse(&policy, "log key", text, (size_t)n, e) != 0)
		return -1;
	return proof_check(p, name, policy, key.name, NULL, 0, &c, e);
}

int provenance_check(const char *name, const void *data, size_t len, const uint8_t digest[32],
	const char *log_vkey, struct err *e)
{
	AUTO(proof_clear) struct proof p = { .index = 0 };

	if (proof_parse(&p, name, data, len, e) != 0)
		return -1;
	if (!p.has_extra)
		return err_set(e, ERR_FORMAT, "%s: no leaf in it (extra)", name);
	if (check_leaf(name, &p.extra, digest, e) != 0 || check_inclusion(name, &p, e) != 0)
		return -1;
	return log_vkey ? check_signed(name, &p, log_vkey, e) : 0;
}

/* Checking a device proof: everything from the OEM's key downwards, nothing believed that the file
 * says about itself. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "evidence/dice.h"
#include "evidence/proof.h"
#include "mfgpkg/audit/prove.h"
#include "pkg/container.h"
#include "pkg/order.h"

struct checking {
	const char *name;
	const struct audit_expect *x;
	struct container container;
	struct order order;
	struct policy *policy; /* the station's key as the order names it, and known witnesses */
	struct oem_device_proof *out;
	uint8_t uuid[16], root[32], package_id[16];
	bool has_root;
	/* of the device's last begin */
	int64_t begin, intent;
	uint8_t intent_root[32];
	struct buf leaf;
};

static void checking_clear(struct checking *c)
{
	order_clear(&c->order);
	policy_free(c->policy);
	buf_clear(&c->leaf);
}

static int need(const struct checking *c, const char *name, const struct container_entry **out,
	struct err *e)
{
	*out = container_find(&c->container, name);
	return *out ? 0 : err_set(e, ERR_FORMAT, "%s: %s is missing", c->name, name);
}

/* --- order ------------------------------------------------------------------------------------ */

static int check_order(struct checking *c, struct err *e)
{
	const struct container_entry *doc, *sig_file;
	struct minisign_sig *sig;
	const char *p;
	char hex[33];
	size_t n = 0;

	if (need(c, "order.json", &doc, e) != 0 || need(c, "order.json.minisig", &sig_file, e) != 0)
		return -1;
	if (!(sig = malloc(sizeof *sig)))
		return err_set(e, ERR_ENV, "out of memory");
	int rc = minisign_sig_parse(sig, "order.json.minisig", sig_file->data, sig_file->len, e);
	if (rc == 0) {
		const struct minisign_pub *key = minisign_find(c->x->oem, c->x->n_oem, sig->id);
		minisign_id_hex(c->out->oem_key, sig->id);
		rc = key ? minisign_verify(key, sig, doc->data, doc->len, e)
			 : err_set(e, ERR_REJECTED,
				   "the order is signed by %s, not by an OEM key that was given",
				   c->out->oem_key);
	}
	free(sig);
	if (rc != 0 || order_parse(&c->order, "order.json", doc->data, doc->len, e) != 0)
		return err_wrap(e, "%s", c->name);
	for (p = c->order.package_id; *p && n < 32; p++)
		if (*p != '-')
			hex[n++] = *p;
	hex[n] = '\0';
	if (hex_decode(c->package_id, 16, hex) != 0)
		return err_set(e, ERR_FORMAT, "%s: the order's package_id is malformed", c->name);
	snprintf(c->out->order, sizeof c->out->order, "%s", c->order.id);
	snprintf(c->out->origin, sizeof c->out->origin, "%s", c->order.origin);
	snprintf(c->out->station, sizeof c->out->station, "%s", c->order.station_name);
	return 0;
}

static int make_policy(struct checking *c, struct err *e)
{
	AUTO(buf_clear) struct buf text = { 0 };
	struct vkey station, log_key;
	char vkey[VKEY_TEXT_CAP];

	if (vkey_parse(&station, "order.json: station.key", c->order.station_key, e) != 0 ||
		vkey_make(&log_key, c->order.origin, VKEY_ED25519, station.key, e) != 0)
		return -1;
	wr_printf(&text, "log %s\n", vkey_text(&log_key, vkey));
	for (size_t i = 0; i < c->x->n_witnesses; i++)
		wr_printf(&text, "witness w%zu %s\n", i, vkey_text(&c->x->witnesses[i], vkey));
	wr_str(&text, "quorum none\n");
	if (buf_check(&text, "policy", e) != 0)
		return -1;
	return policy_parse(&c->policy, "policy", text.p, text.len, e);
}

/* --- leaves ----------------------------------------------------------------------------------- */

/* The root of the first index + 1 leaves: a path's left siblings are its perfect subtrees. */
static void root_up_to(
	const struct proof *p, uint64_t size, const uint8_t leaf[32], uint8_t root[32])
{
	uint64_t f = p->index, s = size - 1;

	memcpy(root, leaf, 32);
	for (size_t k = 0; k < p->n_path; k++) {
		if ((f & 1) || f == s) {
			merkle_node_hash(p->path[k], root, root);
			while (!(f & 1) && f != 0) {
				f >>= 1;
				s >>= 1;
			}
		}
		f >>= 1;
		s >>= 1;
	}
}

static int check_genesis(struct checking *c, const struct leaf *l, struct err *e)
{
	const struct container_entry *doc = container_find(&c->container, "order.json");
	const struct leaf_value *v = leaf_value(l, LM_ORDER);
	char *text = malloc(LEAF_MAX + 1);
	bool same = text && v && leaf_has(l, LM_ORDER) &&
		    leaf_text(l, LM_ORDER, text, LEAF_MAX + 1) == 0 && strlen(text) == doc->len &&
		    memcmp(text, doc->data, doc->len) == 0;

	free(text);
	return same && l->seq == 0
		       ? 0
		       : err_set(e, ERR_REJECTED, "%s: genesis does not hold this order", c->name);
}

static int check_receipt(struct checking *c, const struct leaf *l, struct err *e)
{
	uint8_t response[DICE_RESPONSE_LEN], challenge[32];
	struct dice_response d;

	c->out->receipt = c->out->receipt_by_ca = false;
	if (!leaf_is(l, LM_RESULT, "ok"))
		return 0;
	if (c->intent < 0 || leaf_int(l, LM_INTENT, -1) != c->intent)
		return err_set(e, ERR_REJECTED, "%s: the receipt names an intent that is not there",
			c->name);
	dice_challenge(
		c->out->origin, (uint64_t)c->intent + 1, c->intent_root, c->package_id, challenge);
	if (leaf_base64(l, LM_RESPONSE, response, sizeof response) != 0 ||
		dice_parse(&d, response, sizeof response, e) != 0 || dice_check_die(&d, e) != 0 ||
		(c->x->dice_ca && dice_check_ca(&d, c->x->dice_ca, e) != 0))
		return err_wrap(e, "%s: receipt", c->name);
	if (memcmp(d.uuid, c->uuid, 16) != 0 || memcmp(d.challenge, challenge, 32) != 0)
		return err_set(e, ERR_REJECTED,
			"%s: the receipt is of another device or another place in the log",
			c->name);
	c->out->receipt = true;
	c->out->receipt_by_ca = c->x->dice_ca != NULL;
	return 0;
}

static int check_leaf(struct checking *c, const struct leaf *l, const struct proof *p,
	uint64_t size, struct err *e)
{
	uint8_t uuid[16], hash[32];

	if (l->kind == LEAF_GENESIS)
		return check_genesis(c, l, e);
	if (leaf_hex(l, LM_UUID, uuid, 16) != 0 || memcmp(uuid, c->uuid, 16) != 0)
		return err_set(e, ERR_REJECTED, "%s: leaf %llu is not about this device", c->name,
			(unsigned long long)l->seq);
	c->out->leaves++;
	if (l->kind == LEAF_DEVICE_BEGIN) {
		c->out->attempts++;
		c->begin = (int64_t)l->seq;
		c->intent = -1;
		strcpy(c->out->result, "unknown");
		return 0;
	}
	if (leaf_int(l, LM_BEGIN, -1) != c->begin)
		return err_set(e, ERR_REJECTED,
			"%s: leaf %llu belongs to a begin that is not there", c->name,
			(unsigned long long)l->seq);
	if (l->kind == LEAF_INTENT) {
		c->intent = (int64_t)l->seq;
		merkle_leaf_hash(l->bytes, l->len, hash);
		root_up_to(p, size, hash, c->intent_root);
	} else if (l->kind == LEAF_ATTESTATION) {
		return check_receipt(c, l, e);
	} else if (l->kind == LEAF_DEVICE_END) {
		if (leaf_text(l, LM_RESULT, c->out->result, sizeof c->out->result) != 0)
			return err_set(e, ERR_REJECTED, "%s: no result", c->name);
		c->out->ended_ms = l->time_ms;
	}
	return 0;
}

static unsigned count_witnesses(const struct checking *c, const struct proof *p)
{
	size_t n_log, n;
	const struct vkey *keys = policy_keys(c->policy, &n_log, &n);
	struct note *note = malloc(sizeof *note);
	unsigned count = 0;

	if (note && note_open(note, c->name, p->note, p->note_len, keys, n, NULL) == 0)
		for (size_t i = 0; i < note->n_lines; i++)
			count += note->lines[i].key >= (int)n_log;
	free(note);
	return count;
}

static int check_entry(
	struct checking *c, const struct container_entry *f, uint64_t seq, struct err *e)
{
	AUTO(proof_clear) struct proof p = { 0 };
	struct checkpoint cp;
	struct leaf *l;

	if (proof_parse(&p, f->name, f->data, f->len, e) != 0 ||
		proof_check(&p, f->name, c->policy, c->out->origin, NULL, 0, &cp, e) != 0)
		return err_wrap(e, "%s", c->name);
	if (c->has_root && (cp.size != c->out->size || memcmp(cp.root, c->root, 32) != 0))
		return err_set(
			e, ERR_REJECTED, "%s: %s is against another checkpoint", c->name, f->name);
	if (!c->has_root)
		c->out->witnesses = count_witnesses(c, &p);
	c->has_root = true;
	c->out->size = cp.size;
	memcpy(c->root, cp.root, 32);
	if (!(l = malloc(sizeof *l)))
		return err_set(e, ERR_ENV, "out of memory");
	int rc = leaf_check(l, f->name, p.extra.p, p.extra.len, ROLE_ORDER, e);
	if (rc == 0 && (l->seq != seq || p.index != seq))
		rc = err_set(e, ERR_REJECTED, "%s: %s does not hold leaf %llu", c->name, f->name,
			(unsigned long long)seq);
	if (rc == 0)
		rc = check_leaf(c, l, &p, cp.size, e);
	free(l);
	return rc;
}

/* --- manifest --------------------------------------------------------------------------------- */

static int check_manifest(struct checking *c, struct err *e)
{
	static const char *const names[] = { "type", "format", "origin", "uuid", "leaves", NULL };
	const struct container_entry *f = container_find(&c->container, CONTAINER_FIRST);
	AUTO(json_freep) json_t *j = json_read(CONTAINER_FIRST, f->data, f->len, e);
	const char *type, *origin;
	int64_t format, seq, last = -1;
	size_t n;

	if (!j)
		return -1;
	struct json_at root = json_root(CONTAINER_FIRST, j), at = json_member(&root, "type");
	if (json_only(&root, names, e) != 0 || json_want_string(&at, 64, &type, e) != 0)
		return -1;
	if (strcmp(type, "mfgpkg-device-proof") != 0)
		return err_set(e, ERR_FORMAT, "type \"%s\", mfgpkg-device-proof wanted", ESC(type));
	at = json_member(&root, "format");
	if (json_want_int(&at, 1, 1, &format, e) != 0)
		return -1;
	at = json_member(&root, "origin");
	if (json_want_string(&at, NOTE_NAME_MAX, &origin, e) != 0)
		return -1;
	if (strcmp(origin, c->out->origin) != 0)
		return err_set(e, ERR_REJECTED, "origin %s, the order names %s", ESC(origin),
			c->out->origin);
	at = json_member(&root, "uuid");
	if (json_want_hex(&at, c->uuid, 16, e) != 0)
		return -1;
	hex_encode(c->out->uuid, c->uuid, 16);
	at = json_member(&root, "leaves");
	if (json_want_array(&at, 2, CONTAINER_MAX_ENTRIES, &n, e) != 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		struct json_at item = json_item(&at, i), m = json_member(&item, "seq");
		const struct container_entry *proof;
		const char *path;
		if (json_want_int(&m, 0, JSON_INT_MAX, &seq, e) != 0)
			return -1;
		m = json_member(&item, "path");
		if (json_want_string(&m, CONTAINER_NAME_MAX, &path, e) != 0 ||
			need(c, path, &proof, e) != 0)
			return -1;
		if (seq <= last || (i == 0 && seq != 0))
			return err_set(
				e, ERR_REJECTED, "leaves are not in order, beginning with genesis");
		last = seq;
		if (check_entry(c, proof, (uint64_t)seq, e) != 0)
			return -1;
	}
	return 0;
}

int oem_check_device(const char *name, const void *data, size_t len, const struct audit_expect *x,
	struct oem_device_proof *out, struct err *e)
{
	AUTO(checking_clear)
	struct checking c = { .name = name, .x = x, .begin = -1, .intent = -1 };
	struct oem_device_proof proof = { .result = "unknown" };

	c.out = &proof;
	if (container_parse(&c.container, data, len, e) != 0)
		return err_wrap(e, "%s", name);
	if (check_order(&c, e) != 0 || make_policy(&c, e) != 0 || check_manifest(&c, e) != 0)
		return -1;
	if (proof.attempts == 0)
		return err_set(e, ERR_REJECTED, "%s: holds no device-begin", name);
	*out = proof;
	return 0;
}

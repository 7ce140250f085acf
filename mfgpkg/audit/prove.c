#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "evidence/log_file.h"
#include "evidence/proof.h"
#include "mfgpkg/audit/prove.h"
#include "pkg/container.h"

#define LEAVES_MAX                                                                                 \
	(CONTAINER_MAX_ENTRIES - 5) /* beside manifest, order, two signatures, policy              \
				     */

/* --- reading the log -------------------------------------------------------------------------- */

struct wanted {
	const struct audit_result *r;
	const uint8_t *uuid; /* NULL: none */
	uint64_t seq[LEAVES_MAX];
	enum leaf_kind kind[LEAVES_MAX];
	size_t n;
	bool too_many;
	struct buf order, order_sig;
};

static void wanted_clear(struct wanted *w)
{
	buf_clear(&w->order);
	buf_clear(&w->order_sig);
}

static void take(struct wanted *w, const struct leaf *l)
{
	if (w->n == LEAVES_MAX) {
		w->too_many = true;
		return;
	}
	w->seq[w->n] = l->seq;
	w->kind[w->n++] = l->kind;
}

static int take_order(struct wanted *w, const struct leaf *l, struct err *e)
{
	const struct leaf_value *v = leaf_value(l, LM_ORDER);
	size_t pos = 0;
	char *text = malloc(LEAF_MAX + 1);

	if (!text)
		return err_set(e, ERR_ENV, "out of memory");
	if (leaf_has(l, LM_ORDER) && leaf_text(l, LM_ORDER, text, v->len + 1) == 0)
		wr_str(&w->order, text);
	/* Of several signatures the one by the auditor's OEM key, else the first. */
	while (leaf_array_next(leaf_value(l, LM_ORDER_SIGS), &pos, text, LEAF_MAX + 1) == 1) {
		struct minisign_sig *sig = malloc(sizeof *sig);
		char id[17] = "";
		if (sig && minisign_sig_parse(sig, "", text, strlen(text), NULL) == 0)
			minisign_id_hex(id, sig->id);
		free(sig);
		if (w->order_sig.len && strcmp(id, w->r->oem_key) != 0)
			continue;
		w->order_sig.len = 0;
		wr_str(&w->order_sig, text);
	}
	free(text);
	return buf_check(&w->order, "order", e);
}

static int pick(void *ctx, const struct leaf *l, struct err *e)
{
	struct wanted *w = ctx;
	uint8_t uuid[16];

	if (l->kind == LEAF_GENESIS) {
		take(w, l);
		return take_order(w, l, e);
	}
	if (w->uuid && leaf_hex(l, LM_UUID, uuid, sizeof uuid) == 0 &&
		memcmp(uuid, w->uuid, sizeof uuid) == 0)
		take(w, l);
	return 0;
}

static int verified(const char *log, const struct audit_expect *x, struct wanted *w,
	struct audit_result *r, struct err *e)
{
	struct audit_expect mine = *x;

	mine.observe = pick;
	mine.observe_ctx = w;
	w->r = r;
	if (audit_verify(log, &mine, r, e) != 0)
		return -1;
	for (size_t i = 0; r->n_faults && i < r->n_findings; i++)
		if (r->findings[i].severity == AUDIT_FAULT)
			return err_set(e, ERR_AUDIT, "%s: does not verify: %s: %s", log,
				r->findings[i].attack, r->findings[i].text);
	return 0;
}

static int prove_one(struct log_file *f, uint64_t seq, uint64_t size, const struct buf *note,
	struct buf *out, struct err *e)
{
	AUTO(buf_clear) struct buf leaf = { 0 };
	struct merkle_proof path;

	if (log_file_leaf(f, seq, &leaf, e) != 0 ||
		merkle_prove_inclusion(seq, size, log_file_node, f, &path, e) != 0)
		return -1;
	return proof_write(seq, leaf.p, leaf.len, &path, (const char *)note->p, note->len, out, e);
}

int oem_prove_leaf(
	const char *log, const struct audit_expect *x, uint64_t seq, struct buf *out, struct err *e)
{
	AUTO(wanted_clear) struct wanted w = { 0 };
	AUTO(log_file_close) struct log_file f = { 0 };
	AUTO(buf_clear) struct buf note = { 0 };
	struct audit_result *r = calloc(1, sizeof *r);
	int rc = r ? verified(log, x, &w, r, e) : err_set(e, ERR_ENV, "out of memory");
	uint64_t size = r ? r->leaves : 0;

	free(r);
	if (rc != 0)
		return -1;
	if (seq >= size)
		return err_set(e, ERR_USAGE, "%s: has leaves 0 to %llu, not %llu", log,
			(unsigned long long)size - 1, (unsigned long long)seq);
	if (log_file_open(&f, log, e) != 0 || log_file_checkpoint(&f, size, &note, e) != 0)
		return -1;
	return prove_one(&f, seq, size, &note, out, e);
}

/* --- the container ---------------------------------------------------------------------------- */

struct parts {
	struct container_entry entry[CONTAINER_MAX_ENTRIES];
	struct buf data[CONTAINER_MAX_ENTRIES];
	size_t n;
};

static void parts_clear(struct parts *p)
{
	for (size_t i = 0; i < p->n; i++)
		buf_clear(&p->data[i]);
}

static struct buf *part(struct parts *p, const char *name)
{
	snprintf(p->entry[p->n].name, sizeof p->entry[p->n].name, "%s", name);
	return &p->data[p->n++];
}

static int device_parts(struct log_file *f, const struct audit_result *r, const struct wanted *w,
	const struct audit_expect *x, const char *uuid, struct parts *p, struct err *e)
{
	AUTO(buf_clear) struct buf note = { 0 };
	AUTO(json_freep) json_t *leaves = json_array();
	char vkey[VKEY_TEXT_CAP];
	struct vkey log_key;

	if (log_file_checkpoint(f, r->leaves, &note, e) != 0 ||
		vkey_make(&log_key, r->origin, VKEY_ED25519, r->station.key, e) != 0)
		return -1;
	struct buf *manifest = part(p, CONTAINER_FIRST);
	if (w->order.len)
		wr_bytes(part(p, "order.json"), w->order.p, w->order.len);
	if (w->order_sig.len)
		wr_bytes(part(p, "order.json.minisig"), w->order_sig.p, w->order_sig.len);
	struct buf *policy = part(p, "log.policy");
	wr_printf(policy, "log %s\n", vkey_text(&log_key, vkey));
	for (size_t i = 0; i < x->n_witnesses; i++)
		wr_printf(policy, "witness w%zu %s\n", i, vkey_text(&x->witnesses[i], vkey));
	wr_str(policy, "quorum none\n");
	for (size_t i = 0; i < w->n; i++) {
		char name[CONTAINER_NAME_MAX + 1];
		snprintf(name, sizeof name, "proofs/%llu-%s.tlog-proof",
			(unsigned long long)w->seq[i], leaf_kind_name(w->kind[i]));
		if (prove_one(f, w->seq[i], r->leaves, &note, part(p, name), e) != 0)
			return -1;
		json_array_append_new(
			leaves, json_pack("{s:I, s:s, s:s}", "seq", (json_int_t)w->seq[i], "kind",
					leaf_kind_name(w->kind[i]), "path", name));
	}
	AUTO(json_freep)
	json_t *j = json_pack("{s:s, s:i, s:s, s:s, s:O}", "type", "mfgpkg-device-proof", "format",
		1, "origin", r->origin, "uuid", uuid, "leaves", leaves);
	if (!j)
		return err_set(e, ERR_ENV, "out of memory");
	return json_line(j, manifest, e);
}

static int pack(struct parts *p, struct buf *out, struct err *e)
{
	for (size_t i = 0; i < p->n; i++) {
		if (buf_check(&p->data[i], p->entry[i].name, e) != 0)
			return -1;
		p->entry[i].data = p->data[i].p;
		p->entry[i].len = p->data[i].len;
	}
	return container_write(p->entry, p->n, out, e);
}

int oem_prove_device(const char *log, const struct audit_expect *x, const uint8_t uuid[16],
	struct buf *container, struct err *e)
{
	AUTO(wanted_clear) struct wanted w = { .uuid = uuid };
	AUTO(log_file_close) struct log_file f = { 0 };
	AUTO(parts_clear) struct parts p = { 0 };
	struct audit_result *r = calloc(1, sizeof *r);
	char hex[33];
	int rc = r ? verified(log, x, &w, r, e) : err_set(e, ERR_ENV, "out of memory");

	hex_encode(hex, uuid, 16);
	if (rc == 0 && w.n < 2)
		rc = err_set(e, ERR_USAGE, "%s: holds nothing about device %s", log, hex);
	if (rc == 0 && w.too_many)
		rc = err_set(e, ERR_LIMIT, "%s: more than %d leaves about device %s", log,
			LEAVES_MAX - 1, hex);
	if (rc == 0)
		rc = log_file_open(&f, log, e);
	if (rc == 0)
		rc = device_parts(&f, r, &w, x, hex, &p, e);
	free(r);
	return rc != 0 ? -1 : pack(&p, container, e);
}

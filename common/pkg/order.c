#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "crypt/digest.h"
#include "evidence/note.h"
#include "evidence/proof.h"
#include "pkg/order.h"

#define ALNUM "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

void order_clear(struct order *o)
{
	free(o->slots);
	free(o->witnesses);
	free(o->quorum);
	*o = (struct order){ .quantity = 0 };
}

/* --- members ---------------------------------------------------------------------------------- */

/* Text of at most cap-1 bytes; `chars` NULL: any text without controls. */
static int text_member(
	const struct json_at *at, const char *chars, char *out, size_t cap, struct err *e)
{
	const char *s;

	if (json_want_string(at, cap - 1, &s, e) != 0)
		return -1;
	if (!*s)
		return err_set(e, ERR_FORMAT, "%s: empty", at->where);
	if (chars && strspn(s, chars) != strlen(s))
		return err_set(
			e, ERR_FORMAT, "%s: \"%s\": unexpected character", at->where, ESC(s));
	for (const char *c = s; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7F)
			return err_set(e, ERR_FORMAT, "%s: control character", at->where);
	memcpy(out, s, strlen(s) + 1);
	return 0;
}

static int id_member(const struct json_at *root, char out[65], struct err *e)
{
	struct json_at at = json_member(root, "order");

	if (text_member(&at, ALNUM "._-", out, 65, e) != 0)
		return -1;
	/* The id is also a folder name at the station. */
	if (strchr("._-", out[0]))
		return err_set(
			e, ERR_FORMAT, "%s: \"%s\": a letter or digit first wanted", at.where, out);
	return 0;
}

/* A verifier key under a given name. */
static int vkey_member(const struct json_at *at, const char *name, uint8_t type, char *out,
	size_t cap, struct err *e)
{
	struct vkey v;
	const char *s;

	if (json_want_string(at, cap - 1, &s, e) != 0 || vkey_parse(&v, at->where, s, e) != 0)
		return -1;
	if (v.type != type)
		return err_set(
			e, ERR_FORMAT, "%s: key type %u, %u wanted", at->where, v.type, type);
	if (name && strcmp(v.name, name) != 0)
		return err_set(e, ERR_FORMAT, "%s: key of \"%s\", \"%s\" wanted", at->where,
			ESC(v.name), name);
	memcpy(out, s, strlen(s) + 1);
	return 0;
}

static int station_member(const struct json_at *root, struct order *o, struct err *e)
{
	static const char *const names[] = { "name", "key", NULL };
	struct json_at at = json_member(root, "station");

	if (json_want_object(&at, e) != 0 || json_only(&at, names, e) != 0)
		return -1;
	struct json_at name = json_member(&at, "name"), key = json_member(&at, "key");
	if (text_member(&name, ALNUM "._/-", o->station_name, sizeof o->station_name, e) != 0)
		return -1;
	return vkey_member(
		&key, o->station_name, VKEY_ED25519, o->station_key, sizeof o->station_key, e);
}

static int slots_member(const struct json_at *root, struct order *o, struct err *e)
{
	struct json_at at = json_member(root, "slots");

	if (!at.j)
		return 0;
	if (json_want_array(&at, 1, ORDER_MAX_SLOTS, &o->n_slots, e) != 0)
		return -1;
	o->slots = calloc(o->n_slots, sizeof *o->slots);
	if (!o->slots)
		return err_set(e, ERR_ENV, "%s: out of memory", at.where);
	for (size_t i = 0; i < o->n_slots; i++) {
		struct json_at item = json_item(&at, i);
		if (text_member(&item, ALNUM "._-", o->slots[i], sizeof *o->slots, e) != 0)
			return -1;
		for (size_t j = 0; j < i; j++)
			if (strcmp(o->slots[i], o->slots[j]) == 0)
				return err_set(e, ERR_FORMAT, "%s: \"%s\" is there twice",
					item.where, o->slots[i]);
	}
	return 0;
}

static int witnesses_member(const struct json_at *root, struct order *o, struct err *e)
{
	struct json_at at = json_member(root, "witnesses"), quorum = json_member(root, "quorum");
	const char *s;

	if (quorum.j) {
		if (!at.j)
			return err_set(e, ERR_FORMAT, "%s: without witnesses", quorum.where);
		if (json_want_string(&quorum, 4096, &s, e) != 0)
			return -1;
		o->quorum = strdup(s);
		if (!o->quorum)
			return err_set(e, ERR_ENV, "%s: out of memory", quorum.where);
	}
	if (!at.j)
		return 0;
	if (json_want_array(&at, 1, ORDER_MAX_WITNESSES, &o->n_witnesses, e) != 0)
		return -1;
	o->witnesses = calloc(o->n_witnesses, sizeof *o->witnesses);
	if (!o->witnesses)
		return err_set(e, ERR_ENV, "%s: out of memory", at.where);
	for (size_t i = 0; i < o->n_witnesses; i++) {
		struct json_at item = json_item(&at, i);
		if (vkey_member(&item, NULL, VKEY_COSIGN, o->witnesses[i], sizeof *o->witnesses,
			    e) != 0)
			return -1;
		for (size_t j = 0; j < i; j++)
			if (strcmp(o->witnesses[i], o->witnesses[j]) == 0)
				return err_set(
					e, ERR_FORMAT, "%s: this key is there twice", item.where);
	}
	size_t k;
	if (o->quorum && policy_threshold(o->quorum, o->n_witnesses, &k) != 0)
		return err_set(e, ERR_FORMAT, "%s: \"%s\", all, any or 1 to %zu wanted",
			quorum.where, ESC(o->quorum), o->n_witnesses);
	return 0;
}

static int window_members(const struct json_at *root, struct order *o, struct err *e)
{
	struct json_at from = json_member(root, "not_before"), to = json_member(root, "not_after");

	if (json_want_time(&from, &o->not_before, e) != 0 ||
		json_want_time(&to, &o->not_after, e) != 0)
		return -1;
	if (o->not_after < o->not_before)
		return err_set(e, ERR_FORMAT, "%s: before not_before: never valid", to.where);
	return 0;
}

static int origin_member(const struct json_at *root, struct order *o, struct err *e)
{
	struct json_at at = json_member(root, "origin");
	const char *s;

	if (json_want_string(&at, sizeof o->origin - 1, &s, e) != 0)
		return -1;
	if (!origin_valid(s))
		return err_set(e, ERR_FORMAT, "%s: \"%s\" is not an origin", at.where, ESC(s));
	memcpy(o->origin, s, strlen(s) + 1);
	/* OEM/mfgpkg/order/ORDER_ID: the log is that of this order and of no other. */
	char end[96];
	snprintf(end, sizeof end, "/mfgpkg/order/%s", o->id);
	size_t len = strlen(s), n = strlen(end);
	if (len <= n || strcmp(s + len - n, end) != 0)
		return err_set(e, ERR_FORMAT, "%s: \"%s\", OEM%s wanted", at.where, s, end);
	return 0;
}

static int epoch0_member(const struct json_at *root, struct order *o, struct err *e)
{
	struct json_at at = json_member(root, "epoch0");

	return at.j ? vkey_member(&at, o->origin, VKEY_ED25519, o->epoch0, sizeof o->epoch0, e) : 0;
}

static int package_members(const struct json_at *root, struct order *o, struct err *e)
{
	struct json_at digest = json_member(root, "package"), id = json_member(root, "package_id");
	struct json_at product = json_member(root, "product");
	struct json_at sequence = json_member(root, "sequence");

	if (json_want_hex(&digest, o->package, sizeof o->package, e) != 0 ||
		text_member(&id, "0123456789abcdef-", o->package_id, sizeof o->package_id, e) !=
			0 ||
		text_member(&product, "abcdefghijklmnopqrstuvwxyz0123456789._-", o->product,
			sizeof o->product, e) != 0)
		return -1;
	return json_want_int(&sequence, 1, JSON_INT_MAX, &o->sequence, e);
}

static int read_members(const struct json_at *root, struct order *o, struct err *e)
{
	static const char *const names[] = { "type", "format", "order", "customer", "origin",
		"package", "package_id", "product", "sequence", "quantity", "not_before",
		"not_after", "station", "epoch0", "slots", "witnesses", "quorum", NULL };
	struct json_at type = json_member(root, "type"), format = json_member(root, "format");
	struct json_at quantity = json_member(root, "quantity");
	struct json_at customer = json_member(root, "customer");
	const char *s;
	int64_t v;

	if (json_want_object(root, e) != 0 || json_want_string(&type, 64, &s, e) != 0)
		return -1;
	if (strcmp(s, "mfgpkg-order") != 0)
		return err_set(
			e, ERR_FORMAT, "%s: \"%s\", \"mfgpkg-order\" wanted", type.where, ESC(s));
	if (json_want_int(&format, 0, JSON_INT_MAX, &v, e) != 0)
		return -1;
	if (v != 1)
		return err_set(e, ERR_FORMAT, "%s: %lld, this program knows format 1", format.where,
			(long long)v);
	if (json_only(root, names, e) != 0 || id_member(root, o->id, e) != 0 ||
		text_member(&customer, NULL, o->customer, sizeof o->customer, e) != 0 ||
		origin_member(root, o, e) != 0 || package_members(root, o, e) != 0 ||
		json_want_int(&quantity, 1, ORDER_MAX_QUANTITY, &o->quantity, e) != 0 ||
		window_members(root, o, e) != 0 || station_member(root, o, e) != 0 ||
		epoch0_member(root, o, e) != 0 || slots_member(root, o, e) != 0)
		return -1;
	return witnesses_member(root, o, e);
}

/* --- the document ----------------------------------------------------------------------------- */

int order_parse(struct order *out, const char *name, const void *text, size_t len, struct err *e)
{
	const char *t = text;

	if (len > ORDER_MAX_SIZE)
		return err_set(e, ERR_LIMIT, "%s: %zu bytes, at most %zu wanted", name, len,
			ORDER_MAX_SIZE);
	if (len == 0 || t[len - 1] != '\n')
		return err_set(e, ERR_FORMAT, "%s: one line ended by LF wanted", name);
	AUTO(json_freep) json_t *j = json_read(name, t, len - 1, e);
	if (!j)
		return -1;
	/* One byte form only: the text goes into the log as it is. */
	AUTO(buf_clear) struct buf again = { 0 };
	if (json_line(j, &again, e) != 0)
		return -1;
	if (again.len != len - 1 || memcmp(again.p, t, again.len) != 0)
		return err_set(e, ERR_FORMAT,
			"%s: not in one-line form (blanks, line breaks or escapes too many)", name);

	struct order o = { .quantity = 0 };
	struct json_at root = json_root(name, j);
	if (read_members(&root, &o, e) != 0) {
		order_clear(&o);
		return -1;
	}
	*out = o;
	return 0;
}

static json_t *string_list(const void *items, size_t size, size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, json_string((const char *)items + i * size));
	return list;
}

json_t *order_to_json(const struct order *o)
{
	char digest[65], from[TIME_S_LEN + 1], to[TIME_S_LEN + 1];
	json_t *j = json_pack("{ss si ss ss ss ss ss ss sI sI ss ss s{ss ss}}", "type",
		"mfgpkg-order", "format", 1, "order", o->id, "customer", o->customer, "origin",
		o->origin, "package", hex_encode(digest, o->package, sizeof o->package),
		"package_id", o->package_id, "product", o->product, "sequence",
		(json_int_t)o->sequence, "quantity", (json_int_t)o->quantity, "not_before",
		time_format_s(from, (time_t)o->not_before), "not_after",
		time_format_s(to, (time_t)o->not_after), "station", "name", o->station_name, "key",
		o->station_key);

	if (o->epoch0[0])
		json_object_set_new(j, "epoch0", json_string(o->epoch0));
	if (o->n_slots)
		json_object_set_new(
			j, "slots", string_list(o->slots, sizeof *o->slots, o->n_slots));
	if (o->n_witnesses)
		json_object_set_new(j, "witnesses",
			string_list(o->witnesses, sizeof *o->witnesses, o->n_witnesses));
	if (o->quorum)
		json_object_set_new(j, "quorum", json_string(o->quorum));
	return j;
}

/* --- signed orders ---------------------------------------------------------------------------- */

struct signed_order {
	struct signed_file file;
	struct order order;
	struct signers signers;
	uint8_t digest[32];
};

void order_free(struct signed_order *o)
{
	if (!o)
		return;
	order_clear(&o->order);
	signed_file_clear(&o->file);
	free(o);
}

void order_freep(struct signed_order **o)
{
	order_free(*o);
	*o = NULL;
}

int order_open(struct signed_order **out, const char *path, const struct trust *t,
	struct signers *signers, struct err *e)
{
	AUTO(order_freep) struct signed_order *o = calloc(1, sizeof *o);

	if (!o)
		return err_set(e, ERR_ENV, "%s: out of memory", path);
	if (signers)
		memset(signers, 0, sizeof *signers);
	if (signed_file_read(&o->file, path, ORDER_MAX_SIZE, e) != 0)
		return -1;
	int r = trust_signers(
		t, path, o->file.text.p, o->file.text.len, o->file.sigs, o->file.n, &o->signers, e);
	if (signers)
		*signers = o->signers;
	if (r != 0 || trust_need(t, path, 0, &o->signers, e) != 0 ||
		order_parse(&o->order, path, o->file.text.p, o->file.text.len, e) != 0)
		return -1;
	sha256_of(o->file.text.p, o->file.text.len, o->digest);
	*out = o;
	o = NULL;
	return 0;
}

const struct order *order_of(const struct signed_order *o)
{
	return &o->order;
}

const char *order_text(const struct signed_order *o, size_t *len)
{
	*len = o->file.text.len;
	return (const char *)o->file.text.p;
}

size_t order_n_sigs(const struct signed_order *o)
{
	return o->file.n;
}

const char *order_sig_text(const struct signed_order *o, size_t i)
{
	return (const char *)o->file.sig_text[i].p;
}

const struct signers *order_signers(const struct signed_order *o)
{
	return &o->signers;
}

const uint8_t *order_digest(const struct signed_order *o)
{
	return o->digest;
}

/* --- checks ----------------------------------------------------------------------------------- */

static int check_package(const struct order *o, const struct pkg *p, struct err *e)
{
	const struct manifest *m = pkg_manifest(p);
	char wanted[65], seen[65];

	if (memcmp(o->package, pkg_digest(p), sizeof o->package) != 0)
		return err_set(e, ERR_REJECTED,
			"order %s is for package %s (%s), this one is %s (%s)", o->id,
			hex_encode(wanted, o->package, sizeof o->package), o->product,
			hex_encode(seen, pkg_digest(p), 32), m->product);
	if (strcmp(o->package_id, m->package_id) != 0)
		return err_set(e, ERR_REJECTED, "order %s names package id %s, the package %s",
			o->id, o->package_id, m->package_id);
	if (strcmp(o->product, m->product) != 0)
		return err_set(e, ERR_REJECTED, "order %s names product %s, the package %s", o->id,
			o->product, m->product);
	if (m->sequence < o->sequence)
		return err_set(e, ERR_REJECTED,
			"order %s wants sequence %lld or higher, the package has %lld", o->id,
			(long long)o->sequence, (long long)m->sequence);
	return 0;
}

int order_check(const struct signed_order *so, const struct order_expect *x, struct err *e)
{
	const struct order *o = &so->order;
	char now[TIME_S_LEN + 1], limit[TIME_S_LEN + 1];

	if (x->pkg && check_package(o, x->pkg, e) != 0)
		return -1;
	if (x->station_key && strcmp(o->station_key, x->station_key) != 0)
		return err_set(e, ERR_REJECTED,
			"order %s is for station %s (%s), this station's key is %s", o->id,
			o->station_name, o->station_key, x->station_key);
	if (x->now == 0)
		return 0;
	time_format_s(now, (time_t)x->now);
	if (x->now < o->not_before)
		return err_set(e, ERR_REJECTED, "order %s begins at %s, now is %s", o->id,
			time_format_s(limit, (time_t)o->not_before), now);
	if (x->now > o->not_after)
		return err_set(e, ERR_REJECTED, "order %s ended at %s, now is %s", o->id,
			time_format_s(limit, (time_t)o->not_after), now);
	return 0;
}

int order_need(const struct pkg *p, const struct signed_order *o, struct err *e)
{
	if (o || !pkg_manifest(p)->requires_order)
		return 0;
	return err_set(e, ERR_REJECTED,
		"%s %s may be run under a production order only (policy requires_order)",
		pkg_manifest(p)->product, pkg_manifest(p)->release);
}

/* Rule 3: whose log this is. The order inside genesis, its signature, and what follows from it:
 * station key, first epoch key, witnesses; then the checkpoints the auditor brought. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "evidence/audit_impl.h"
#include "evidence/proof.h"

static int member_text(
	const struct json_at *root, const char *name, const char **out, struct err *e)
{
	struct json_at at = json_member(root, name);

	return json_want_string(&at, 4096, out, e);
}

static int member_time(const struct json_at *root, const char *name, int64_t *out, struct err *e)
{
	struct json_at at = json_member(root, name);

	return json_want_time(&at, out, e);
}

static int uuid_bytes(const char *text, uint8_t out[16])
{
	char hex[33];
	size_t n = 0;

	for (const char *p = text; *p && n < 32; p++)
		if (*p != '-')
			hex[n++] = *p;
	hex[n] = '\0';
	return strlen(text) == 36 ? hex_decode(out, 16, hex) : -1;
}

/* Its place among the witnesses, or -1: there are too many. */
static int add_witness(struct audit *a, const struct vkey *key)
{
	for (size_t i = 0; i < a->n_witnesses; i++)
		if (vkey_equal(&a->witnesses[i].key, key))
			return (int)i;
	if (a->n_witnesses == AUDIT_WITNESSES_MAX)
		return -1;
	a->witnesses[a->n_witnesses].key = *key;
	return (int)a->n_witnesses++;
}

static int order_witnesses(struct audit *a, const struct json_at *root, struct err *e)
{
	struct json_at list = json_member(root, "witnesses"), quorum = json_member(root, "quorum");
	const char *wanted;
	size_t n;

	if (!list.j)
		return quorum.j ? err_set(e, ERR_FORMAT, "%s: without witnesses", quorum.where) : 0;
	if (json_want_array(&list, 0, AUDIT_WITNESSES_MAX, &n, e) != 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		struct json_at at = json_item(&list, i);
		const char *text;
		struct vkey key;
		if (json_want_string(&at, VKEY_TEXT_CAP, &text, e) != 0 ||
			vkey_parse(&key, at.where, text, e) != 0)
			return -1;
		if (key.type != VKEY_COSIGN)
			return err_set(
				e, ERR_FORMAT, "%s: not the key of a witness (type 04)", at.where);
		for (size_t k = 0; k < a->n_ordered; k++)
			if (memcmp(a->witnesses[a->ordered[k]].key.key, key.key, 32) == 0)
				return err_set(
					e, ERR_FORMAT, "%s: this key is there twice", at.where);
		int place = add_witness(a, &key);
		if (place < 0)
			return err_set(e, ERR_LIMIT, "order: too many witnesses");
		a->ordered[a->n_ordered++] = (size_t)place;
	}
	if (!quorum.j)
		return 0;
	if (json_want_string(&quorum, 32, &wanted, e) != 0)
		return -1;
	if (policy_threshold(wanted, n, &a->r->quorum) != 0)
		return err_set(e, ERR_FORMAT, "%s: \"%s\", all, any or 1 to %zu wanted",
			quorum.where, ESC(wanted), n);
	return 0;
}

static int parse_order(struct audit *a, const char *text, size_t len, struct err *e)
{
	struct audit_order *o = &a->order;
	AUTO(json_freep) json_t *j = json_read("order", text, len, e);
	const char *type, *id, *origin, *package_id, *key, *epoch0;

	if (!j)
		return -1;
	struct json_at root = json_root("order", j);
	struct json_at at = json_member(&root, "package");
	if (member_text(&root, "type", &type, e) != 0 || member_text(&root, "order", &id, e) != 0 ||
		member_text(&root, "origin", &origin, e) != 0 ||
		member_text(&root, "package_id", &package_id, e) != 0 ||
		json_want_hex(&at, o->package, 32, e) != 0)
		return -1;
	at = json_member(&root, "quantity");
	if (json_want_int(&at, 0, JSON_INT_MAX, &o->quantity, e) != 0 ||
		member_time(&root, "not_before", &o->not_before, e) != 0 ||
		member_time(&root, "not_after", &o->not_after, e) != 0)
		return -1;
	if (strcmp(type, "mfgpkg-order") != 0)
		return err_set(e, ERR_FORMAT, "order: type \"%s\", mfgpkg-order wanted", ESC(type));
	if (strlen(origin) > NOTE_NAME_MAX || uuid_bytes(package_id, o->package_id) != 0)
		return err_set(e, ERR_FORMAT, "order: origin or package_id has no valid form");
	strcpy(o->origin, origin);
	snprintf(a->r->order_id, sizeof a->r->order_id, "%s", id);

	at = json_member(&root, "station");
	if (json_want_object(&at, e) != 0 || member_text(&at, "key", &key, e) != 0 ||
		vkey_parse(&o->station, "order: station.key", key, e) != 0)
		return -1;
	at = json_member(&root, "epoch0");
	o->has_epoch0 = json_is_string(at.j);
	if (o->has_epoch0 && (json_want_string(&at, VKEY_TEXT_CAP, &epoch0, e) != 0 ||
				     vkey_parse(&o->epoch0, "order: epoch0", epoch0, e) != 0))
		return -1;
	return order_witnesses(a, &root, e);
}

/* Who signed the order: an OEM key the auditor trusts, or nobody known. */
static void check_order_signatures(
	struct audit *a, const struct leaf *l, const char *text, size_t len)
{
	const struct leaf_value *sigs = leaf_value(l, LM_ORDER_SIGS);
	struct minisign_sig *sig = malloc(sizeof *sig);
	char *file = malloc(LEAF_MAX + 1), id[17] = "";
	size_t pos = 0;
	unsigned n = 0;

	while (sig && file && leaf_array_next(sigs, &pos, file, LEAF_MAX + 1) == 1) {
		struct err e = { 0 };
		n++;
		if (minisign_sig_parse(sig, "signature of the order", file, strlen(file), &e) !=
			0) {
			FAULT(a, "order forged", 0, "%s", e.msg);
			continue;
		}
		minisign_id_hex(id, sig->id);
		bool known = false, good = false;
		for (size_t i = 0; i < a->expect->n_oem; i++) {
			if (memcmp(a->expect->oem[i].id, sig->id, 8) != 0)
				continue;
			known = true;
			good |= minisign_verify(&a->expect->oem[i], sig, text, len, &e) == 0;
		}
		if (known && !good)
			FAULT(a, "order forged", 0, "the order's %s", e.msg);
		if (good && !a->order.owned) {
			a->order.owned = true;
			memcpy(a->r->oem_key, id, sizeof id);
		}
	}
	free(file);
	free(sig);
	if (a->order.owned)
		return;
	if (a->expect->n_oem == 0)
		audit_find(a, AUDIT_NOTE, "no OEM key", 0,
			"no OEM key was given (-P): the order%s%s was not checked",
			*id ? " signed by " : "", id);
	else
		FAULT(a, "order forged", 0,
			n ? "the order is signed by %s, not by an OEM key that was given"
			  : "the order carries no signature%s",
			id);
}

static int check_order(struct audit *a, const struct leaf *l, struct err *e)
{
	const struct leaf_value *v = leaf_value(l, LM_ORDER);
	struct audit_order *o = &a->order;
	char *text;
	struct err pe = { 0 };

	if (!leaf_has(l, LM_ORDER)) {
		if (a->role == ROLE_ORDER)
			WARN(a, "order missing", 0, "the log says it has an order, and holds none");
		return 0;
	}
	if (a->role != ROLE_ORDER)
		FAULT(a, "order forged", 0, "a log of role %s holds an order",
			leaf_role_name(a->role));
	if (!(text = malloc(v->len + 1)))
		return err_set(e, ERR_ENV, "out of memory");
	if (leaf_text(l, LM_ORDER, text, v->len + 1) != 0 ||
		parse_order(a, text, strlen(text), &pe) != 0) {
		FAULT(a, "order forged", 0, "the order cannot be read: %s", pe.msg);
	} else {
		o->present = true;
		a->r->quantity = o->quantity;
		check_order_signatures(a, l, text, strlen(text));
	}
	free(text);
	if (!o->present)
		return 0;
	if (strcmp(o->origin, a->r->origin) != 0)
		FAULT(a, "order of another log", 0, "the order is for %s, the log is %s",
			ESC(o->origin), ESC(a->r->origin));
	if (memcmp(o->station.key, a->station.key, 32) != 0)
		FAULT(a, "foreign station key", 0,
			"the order names the key of %s, the log was signed with another one",
			ESC(o->station.name));
	if (o->has_epoch0 && memcmp(o->epoch0.key, a->epoch_key.key, 32) != 0)
		FAULT(a, "foreign epoch key", 0,
			"the order names another first epoch key than the log");
	if (!o->has_epoch0)
		WARN(a, "first epoch key not ordered", 0,
			"the order names no first epoch key: a holder of the station key could "
			"have "
			"written the log anew from its start");
	return 0;
}

/* A checkpoint the auditor got by another way: the log's own signature, and witnesses. */
static void open_mark(struct audit *a, const struct audit_known *k)
{
	struct vkey keys[AUDIT_WITNESSES_MAX + 1];
	struct audit_mark *m = &a->marks[a->n_marks];
	struct note *note = malloc(sizeof *note);
	struct err e = { 0 };

	if (!note)
		return;
	keys[0] = a->station;
	for (size_t i = 0; i < a->n_witnesses; i++)
		keys[1 + i] = a->witnesses[i].key;
	if (a->n_marks == AUDIT_KNOWN_MAX) {
		WARN(a, "checkpoint not used", -1, "%s: more than %d checkpoints", k->name,
			AUDIT_KNOWN_MAX);
	} else if (checkpoint_open(&m->c, note, k->name, k->note, k->len, a->r->origin, keys, 1,
			   1 + a->n_witnesses, &e) != 0) {
		FAULT(a, "checkpoint of another log", -1, "%s", e.msg);
	} else {
		m->name = k->name;
		m->cosigned = 0;
		memset(m->by, 0, sizeof m->by);
		for (size_t i = 0; i < note->n_lines; i++) {
			if (note->lines[i].key < 1)
				continue;
			m->by[note->lines[i].key - 1] = true;
			if (note->lines[i].time > m->cosigned)
				m->cosigned = note->lines[i].time;
		}
		a->n_marks++;
	}
	free(note);
}

int audit_genesis(struct audit *a, const struct leaf *l, struct err *e)
{
	char text[VKEY_TEXT_CAP], name[256];
	struct vkey station;
	struct audit_result *r = a->r;
	int64_t before;

	if (leaf_text(l, LM_ORIGIN, r->origin, sizeof r->origin) != 0 ||
		leaf_text(l, LM_STATION_KEY, text, sizeof text) != 0 ||
		leaf_text(l, LM_STATION_NAME, name, sizeof name) != 0)
		return err_set(e, ERR_INTERNAL, "genesis: checked values cannot be read");
	if (!origin_valid(r->origin))
		FAULT(a, "malformed leaf", 0, "origin \"%s\" has no valid form", ESC(r->origin));
	struct err pe = { 0 };
	if (vkey_parse(&station, "station", text, &pe) != 0 || strcmp(station.name, name) != 0) {
		FAULT(a, "foreign station key", 0, "the station's key is not under its name: %s",
			*pe.msg ? pe.msg : ESC(station.name));
		return 0;
	}
	r->station = station;
	if (leaf_text(l, LM_EPOCH0, text, sizeof text) != 0 ||
		vkey_parse(&a->epoch_key, "epoch0", text, &pe) != 0 ||
		strcmp(a->epoch_key.name, r->origin) != 0 ||
		vkey_make(&a->station, r->origin, VKEY_ED25519, station.key, &pe) != 0) {
		FAULT(a, "foreign epoch key", 0, "the first epoch key is not under the origin");
		return 0;
	}
	a->has_genesis = a->has_epoch_key = true;
	a->epoch_start_ms = l->boot_ms;
	memcpy(a->epoch_boot, l->boot_id, sizeof a->epoch_boot);
	if (audit_index_see(&a->index, SEEN_EPOCH_KEY, a->epoch_key.key, 32, 0, &before, e) != 0)
		return -1;
	r->station_known =
		a->expect->log_key && memcmp(a->expect->log_key->key, a->station.key, 32) == 0;
	if (a->expect->log_key && !r->station_known)
		FAULT(a, "foreign station key", 0, "the log is not signed with the key of %s",
			a->expect->log_key->name);
	for (size_t i = 0; i < a->expect->n_witnesses; i++)
		if (add_witness(a, &a->expect->witnesses[i]) < 0)
			return err_set(e, ERR_LIMIT, "more than %d witnesses", AUDIT_WITNESSES_MAX);
	if (check_order(a, l, e) != 0)
		return -1;
	for (size_t i = 0; i < a->expect->n_known; i++)
		open_mark(a, &a->expect->known[i]);
	return 0;
}

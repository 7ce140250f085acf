#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/fsio.h"
#include "base/json.h"
#include "base/text.h"
#include "evidence/note.h"
#include "mfgpkg/config.h"
#include "mfgpkg/order_config.h"

enum { SECONDS_PER_DAY = 86400, MAX_DAYS = 36500 };

/* Text of a key that must be there; `out` NULL-terminated, at most cap-1 bytes. */
static int need_text(
	const struct config_node *map, const char *key, char *out, size_t cap, struct err *e)
{
	const struct config_node *n;
	const char *s;

	if (config_need(map, key, &n, e) != 0 || config_str(n, &s, e) != 0)
		return -1;
	if (!*s || strlen(s) >= cap)
		return config_error(n, e, "%zu bytes, 1 to %zu wanted", strlen(s), cap - 1);
	memcpy(out, s, strlen(s) + 1);
	return 0;
}

static int origin(const struct config_node *root, struct order *o, struct err *e)
{
	const struct config_node *n = config_get(root, "origin");
	char oem[100];

	if (n) {
		if (need_text(root, "origin", o->origin, sizeof o->origin, e) != 0)
			return -1;
	} else {
		n = config_get(root, "oem");
		if (need_text(root, "oem", oem, sizeof oem, e) != 0)
			return -1;
		if (snprintf(o->origin, sizeof o->origin, "%s/mfgpkg/order/%s", oem, o->id) >=
			(int)sizeof o->origin)
			return config_error(n, e, "too long for an origin");
	}
	return origin_valid(o->origin)
		       ? 0
		       : config_error(n, e, "\"%s\" is not an origin", ESC(o->origin));
}

/* Digest and names come from the package itself; it must be one that could be run. */
static int package(const struct config_node *root, struct order *o, struct err *e)
{
	AUTO(str_freep) char *path = NULL;
	AUTO(json_freep) json_t *report = NULL;
	const struct config_node *n;
	json_t *p;
	size_t i;

	if (config_need(root, "package", &n, e) != 0 || config_path(n, &path, e) != 0 ||
		pkg_examine(&report, path, NULL, NULL, e) != 0)
		return -1;
	/* Whose approvals are on it is the station's business: none is trusted here. */
	json_array_foreach(json_object_get(report, "problems"), i, p)
	{
		const char *check = json_string_value(json_object_get(p, "check"));
		if (strcmp(check, "trust") != 0 && strcmp(check, "approvals") != 0)
			return err_set(e, ERR_REJECTED, "%s: %s", path,
				json_string_value(json_object_get(p, "message")));
	}
	const char *digest = json_string_value(json_object_get(report, "package"));
	const json_t *m = json_object_get(report, "manifest");
	if (hex_decode(o->package, sizeof o->package, digest) != 0)
		return err_set(e, ERR_INTERNAL, "%s: no digest", path);
	snprintf(o->package_id, sizeof o->package_id, "%s",
		json_string_value(json_object_get(m, "package_id")));
	snprintf(o->product, sizeof o->product, "%s",
		json_string_value(json_object_get(m, "product")));
	o->sequence = json_integer_value(json_object_get(m, "sequence"));
	return 0;
}

/* --- window ------------------------------------------------------------------------------------
 */

static int64_t build_time(void)
{
	const char *epoch = getenv("SOURCE_DATE_EPOCH");
	uint64_t v;

	if (epoch && decimal_parse(epoch, strlen(epoch), INT32_MAX * 4ull, &v) == 0)
		return (int64_t)v;
	return time(NULL);
}

static int time_of(const struct config_node *n, int64_t *out, struct err *e)
{
	const char *s;
	time_t t;

	if (config_str(n, &s, e) != 0)
		return -1;
	if (time_parse_s(s, &t) != 0)
		return config_error(
			n, e, "\"%s\", a time like 2026-12-24T00:00:00Z wanted", ESC(s));
	*out = t;
	return 0;
}

static int window(const struct config_node *root, struct order *o, struct err *e)
{
	const struct config_node *from = config_get(root, "not_before");
	const struct config_node *to = config_get(root, "not_after");
	const struct config_node *days = config_get(root, "valid_days");
	uint64_t n;

	o->not_before = build_time();
	if (from && time_of(from, &o->not_before, e) != 0)
		return -1;
	if (to && days)
		return config_error(days, e, "not_after is given too: one of the two wanted");
	if (to)
		return time_of(to, &o->not_after, e);
	if (!days)
		return config_error(root, e, "not_after or valid_days is missing");
	if (config_number(days, MAX_DAYS, &n, e) != 0)
		return -1;
	if (n == 0)
		return config_error(days, e, "0 days: never valid");
	o->not_after = o->not_before + (int64_t)n * SECONDS_PER_DAY;
	return 0;
}

/* --- station -----------------------------------------------------------------------------------
 */

/* The same public key under the order's origin: epoch keys sign under the name of the log. */
static int epoch_key(const struct config_node *n, struct order *o, struct err *e)
{
	struct vkey v, own;
	char text[VKEY_TEXT_CAP];
	const char *s;

	if (config_str(n, &s, e) != 0)
		return -1;
	if (vkey_parse(&v, "epoch key", s, e) != 0)
		return config_error(n, e, "not a verifier key (NAME+ID+BASE64)");
	if (vkey_make(&own, o->origin, VKEY_ED25519, v.key, e) != 0)
		return -1;
	vkey_text(&own, text);
	if (strlen(text) >= sizeof o->epoch0)
		return config_error(n, e, "too long");
	memcpy(o->epoch0, text, strlen(text) + 1);
	return 0;
}

static int station_members(const struct config_node *root, const struct config_node *map,
	struct order *o, struct err *e)
{
	const struct config_node *epoch0 = config_get(root, "epoch0");

	if (!epoch0)
		epoch0 = config_get(map, "order_key");
	if (need_text(map, "name", o->station_name, sizeof o->station_name, e) != 0 ||
		need_text(map, "key", o->station_key, sizeof o->station_key, e) != 0)
		return -1;
	return epoch0 ? epoch_key(epoch0, o, e) : 0;
}

static int station(const struct config_node *root, struct order *o, struct err *e)
{
	AUTO(config_freep) struct config *file = NULL;
	const struct config_node *n;

	if (config_need(root, "station", &n, e) != 0)
		return -1;
	if (config_kind(n) == CONFIG_MAP)
		return station_members(root, n, o, e);
	if (config_load_from(&file, n, e) != 0)
		return -1;
	return station_members(root, config_root(file), o, e);
}

/* --- lists -------------------------------------------------------------------------------------
 */

static int list_of(const struct config_node *n, size_t max, size_t item_cap, size_t *count,
	void **items, struct err *e)
{
	if (config_kind(n) != CONFIG_LIST || config_len(n) == 0 || config_len(n) > max)
		return config_error(n, e, "a list of 1 to %zu items wanted", max);
	char *list = calloc(config_len(n), item_cap);
	if (!list)
		return err_set(e, ERR_ENV, "out of memory");
	for (size_t i = 0; i < config_len(n); i++) {
		const char *s;
		if (config_str(config_at(n, i), &s, e) != 0) {
			free(list);
			return -1;
		}
		if (strlen(s) >= item_cap) {
			free(list);
			return config_error(config_at(n, i), e, "too long");
		}
		memcpy(list + i * item_cap, s, strlen(s) + 1);
	}
	*items = list;
	*count = config_len(n);
	return 0;
}

static int lists(const struct config_node *root, struct order *o, struct err *e)
{
	const struct config_node *slots = config_get(root, "slots");
	const struct config_node *witnesses = config_get(root, "witnesses");
	const struct config_node *quorum = config_get(root, "quorum");
	void *items;
	const char *s;

	if (slots) {
		if (list_of(slots, ORDER_MAX_SLOTS, sizeof *o->slots, &o->n_slots, &items, e) != 0)
			return -1;
		o->slots = items;
	}
	if (witnesses) {
		if (list_of(witnesses, ORDER_MAX_WITNESSES, sizeof *o->witnesses, &o->n_witnesses,
			    &items, e) != 0)
			return -1;
		o->witnesses = items;
	}
	if (quorum) {
		if (config_str(quorum, &s, e) != 0)
			return -1;
		o->quorum = strdup(s);
		if (!o->quorum)
			return err_set(e, ERR_ENV, "out of memory");
	}
	return 0;
}

/* --- all ---------------------------------------------------------------------------------------
 */

static int read_config(const struct config_node *root, struct order *o, struct err *e)
{
	const struct config_node *quantity;
	uint64_t n;

	if (need_text(root, "order", o->id, sizeof o->id, e) != 0 ||
		need_text(root, "customer", o->customer, sizeof o->customer, e) != 0 ||
		origin(root, o, e) != 0 || package(root, o, e) != 0 ||
		config_need(root, "quantity", &quantity, e) != 0 ||
		config_number(quantity, ORDER_MAX_QUANTITY, &n, e) != 0)
		return -1;
	o->quantity = (int64_t)n;
	return window(root, o, e) != 0 || station(root, o, e) != 0 ? -1 : lists(root, o, e);
}

int oem_order_from_config(
	struct order *out, struct buf *text, const char *path, const struct cli *c, struct err *e)
{
	static const char *const known[] = { "order", "customer", "oem", "origin", "package",
		"quantity", "not_before", "not_after", "valid_days", "station", "epoch0", "slots",
		"witnesses", "quorum", NULL };
	AUTO(config_freep) struct config *config = NULL;
	AUTO(order_clear) struct order o = { 0 }, again = { 0 };
	struct cli warn_to;

	if (config_load(&config, path, e) != 0 || read_config(config_root(config), &o, e) != 0)
		return -1;
	if (c) {
		warn_to = *c;
		config_warn_unused(config, known, config_warn_cli, &warn_to);
	}
	AUTO(json_freep) json_t *j = order_to_json(&o);
	if (!j)
		return err_set(e, ERR_CONFIG, "%s: a text is not valid UTF-8", path);
	size_t start = text->len;
	if (json_line(j, text, e) != 0)
		return -1;
	wr_u8(text, '\n');
	if (buf_check(text, path, e) != 0)
		return -1;
	/* The station's rules are ours: what it would refuse is a fault of the configuration. */
	if (order_parse(&again, path, text->p + start, text->len - start, e) != 0) {
		if (e)
			e->code = ERR_CONFIG;
		return -1;
	}
	*out = again;
	again = (struct order){ .quantity = 0 };
	return 0;
}

/* Orders: parsing, signatures, what a station checks; the configuration they are made from. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/exit_status.h"
#include "base/json.h"
#include "base/text.h"
#include "evidence/note.h"
#include "evidence_support.h"
#include "mfgpkg/order_config.h"
#include "mfgpkg/signed_write.h"
#include "pkg/order.h"
#include "pkg_support.h"

static void example(void **state)
{
	(void)state;
	AUTO(order_freep) struct signed_order *o = NULL;
	struct trust t = pk_trust(1, "alice", NULL);
	struct signers s;
	struct err e = { 0 };
	size_t len;

	if (order_open(&o, "tests/vectors/evidence/example-log/order.json", &t, &s, &e) != 0)
		fail_msg("%s", e.msg);
	assert_string_equal(order_of(o)->id, "2026-0042");
	assert_string_equal(order_of(o)->customer, "PO 4711 / Beispiel GmbH");
	assert_int_equal(order_of(o)->quantity, 2);
	assert_int_equal(order_of(o)->sequence, 7);
	assert_int_equal(s.approvals, 1);
	assert_int_equal(order_n_sigs(o), 1);
	assert_non_null(strstr(order_sig_text(o, 0), "trusted comment: mfgpkg order 2026-0042\n"));

	/* Written again it gives the same bytes. */
	AUTO(json_freep) json_t *j = order_to_json(order_of(o));
	AUTO(buf_clear) struct buf again = { 0 };
	assert_int_equal(json_line(j, &again, &e), 0);
	wr_u8(&again, '\n');
	const char *text = order_text(o, &len);
	assert_int_equal(again.len, len);
	assert_memory_equal(again.p, text, len);
}

/* --- documents
 * ------------------------------------------------------------------------------------ */

static json_t *good_json(void)
{
	AUTO(buf_clear) struct buf b = ev_file("example-log/order.json");
	json_t *j = json_read("order", b.p, b.len, NULL);

	assert_non_null(j);
	return j;
}

static int parse_json(const json_t *j, struct err *e)
{
	AUTO(buf_clear) struct buf text = { 0 };
	struct order o = { 0 };

	assert_int_equal(json_line(j, &text, NULL), 0);
	wr_u8(&text, '\n');
	int r = order_parse(&o, "o", text.p, text.len, e);
	order_clear(&o);
	return r;
}

static void broken_members(void **state)
{
	static const struct {
		const char *member, *value, *message; /* value NULL: removed */
	} cases[] = {
		{ "type", "\"mfgpkg-manifest\"",
			"o: type: \"mfgpkg-manifest\", \"mfgpkg-order\" wanted" },
		{ "format", "2", "o: format: 2, this program knows format 1" },
		{ "order", "\"../x\"", "o: order: \"../x\": unexpected character" },
		{ "order", "\".x\"", "o: order: \".x\": a letter or digit first wanted" },
		{ "order", "\"2026-0043\"",
			"o: origin: \"acme.example/mfgpkg/order/2026-0042\", "
			"OEM/mfgpkg/order/2026-0043 wanted" },
		{ "customer", "\"\"", "o: customer: empty" },
		{ "customer", "\"a\\u0007b\"", "o: customer: control character" },
		{ "origin", "\"x\"", "o: origin: \"x\", OEM/mfgpkg/order/2026-0042 wanted" },
		{ "origin", "\"a b\"", "o: origin: \"a b\" is not an origin" },
		{ "package", "\"abc\"", "o: package: \"abc\", 64 lower-case hex digits wanted" },
		{ "product", "\"ACME\"", "o: product: \"ACME\": unexpected character" },
		{ "sequence", "0", "o: sequence: 0, 1 to 9007199254740991 wanted" },
		{ "quantity", "0", "o: quantity: 0, 1 to 10000000 wanted" },
		{ "quantity", "10000001", "o: quantity: 10000001, 1 to 10000000 wanted" },
		{ "quantity", "\"2\"", "o: quantity: text, a whole number wanted" },
		{ "quantity", NULL, "o: quantity: missing, a whole number wanted" },
		{ "not_after", "\"2026-11-20T00:00:00Z\"",
			"o: not_after: before not_before: never valid" },
		{ "not_before", "\"2026-13-01T00:00:00Z\"",
			"o: not_before: \"2026-13-01T00:00:00Z\", a time like 2026-11-20T15:00:00Z "
			"wanted" },
		{ "station", "{\"name\":\"line4\",\"key\":\"x\"}", "@" },
		{ "station", "[]", "o: station: an array, an object wanted" },
		{ "slots", "[]", "o: slots: 0 items, 1 to 256 wanted" },
		{ "slots", "[\"A1\",\"A1\"]", "o: slots[1]: \"A1\" is there twice" },
		{ "quorum", "\"all\"", "o: quorum: without witnesses" },
		{ "priority", "1", "o: unknown member \"priority\"" },
	};
	(void)state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		AUTO(json_freep) json_t *j = good_json();
		struct err e = { 0 };
		if (cases[i].value)
			json_object_set_new(j, cases[i].member,
				json_loads(cases[i].value, JSON_DECODE_ANY, NULL));
		else
			json_object_del(j, cases[i].member);
		if (parse_json(j, &e) == 0)
			fail_msg("%s = %s: accepted", cases[i].member, cases[i].value);
		if (strcmp(cases[i].message, "@") != 0 && strcmp(e.msg, cases[i].message) != 0)
			fail_msg("%s = %s:\n  \"%s\", wanted\n  \"%s\"", cases[i].member,
				cases[i].value, e.msg, cases[i].message);
	}
}

static void foreign_keys(void **state)
{
	(void)state;
	struct err e = { 0 };
	AUTO(json_freep) json_t *j = good_json();
	const char *key = ev_str(json_object_get(j, "station"), "key");

	/* The station's key under another name than the station's. */
	AUTO(json_freep) json_t *named = json_deep_copy(j);
	json_object_set_new(json_object_get(named, "station"), "name", json_string("line4"));
	assert_int_equal(parse_json(named, &e), -1);
	assert_string_equal(
		e.msg, "o: station.key: key of \"line3.plant4.example\", \"line4\" wanted");

	/* An epoch key that is not under the origin. */
	AUTO(json_freep) json_t *epoch = json_deep_copy(j);
	json_object_set_new(epoch, "epoch0", json_string(key));
	assert_int_equal(parse_json(epoch, &e), -1);
	assert_string_equal(e.msg, "o: epoch0: key of \"line3.plant4.example\", "
				   "\"acme.example/mfgpkg/order/2026-0042\" wanted");

	/* Without one an order is permitted. */
	AUTO(json_freep) json_t *none = json_deep_copy(j);
	json_object_del(none, "epoch0");
	assert_int_equal(parse_json(none, &e), 0);

	/* A witness key is of another type than a log key. */
	AUTO(json_freep) json_t *witness = json_deep_copy(j);
	json_object_set_new(witness, "witnesses", json_pack("[s]", key));
	assert_int_equal(parse_json(witness, &e), -1);
	assert_string_equal(e.msg, "o: witnesses[0]: key type 1, 4 wanted");

	/* A quorum is a number of the witnesses there are. */
	static const char *const quorums[] = { "2", "0", "01", "most", "" };
	json_object_set_new(witness, "witnesses",
		json_pack("[s]", "acme.example/witness/qa+647934f0+BHp4v0+/"
				 "kuj0PwsXE07UCiz9EIA3PdwO4BPv5POWbdyE"));
	for (size_t i = 0; i < sizeof quorums / sizeof *quorums; i++) {
		char message[64];
		json_object_set_new(witness, "quorum", json_string(quorums[i]));
		assert_int_equal(parse_json(witness, &e), -1);
		snprintf(message, sizeof message, "o: quorum: \"%s\", all, any or 1 to 1 wanted",
			quorums[i]);
		assert_string_equal(e.msg, message);
	}
	json_object_set_new(witness, "quorum", json_string("all"));
	assert_int_equal(parse_json(witness, &e), 0);
}

static void one_byte_form(void **state)
{
	static const struct {
		const char *from, *to, *message;
	} edits[] = {
		{ "\"format\":1", "\"format\": 1",
			"o: not in one-line form (blanks, line breaks or "
			"escapes too many)" },
		{ "PO 4711 / B", "PO 4711 \\/ B",
			"o: not in one-line form (blanks, line breaks or escapes too many)" },
		{ "\"quantity\":2", "\"quantity\":2,\"quantity\":3",
			"o: line 1 column 331: duplicate object key near '\\x22quantity\\x22'" },
		{ "\"quantity\":2", "\"quantity\":2.0",
			"o: a number with fraction or exponent, whole numbers wanted" },
		{ "}\n", "}", "o: one line ended by LF wanted" },
		{ "}\n", "}\n\n",
			"o: not in one-line form (blanks, line breaks or escapes too many)" },
	};
	(void)state;
	AUTO(buf_clear) struct buf b = ev_file("example-log/order.json");

	for (size_t i = 0; i < sizeof edits / sizeof *edits; i++) {
		AUTO(buf_clear) struct buf out = { 0 };
		struct order o;
		struct err e = { 0 };
		const char *at = strstr((char *)b.p, edits[i].from);
		assert_non_null(at);
		size_t head = (size_t)(at - (char *)b.p);
		/* "}\n" stands in the middle too, without LF behind: the last one is meant. */
		if (edits[i].from[0] == '}')
			head = b.len - 2;
		wr_bytes(&out, b.p, head);
		wr_str(&out, edits[i].to);
		wr_str(&out, (char *)b.p + head + strlen(edits[i].from));
		if (order_parse(&o, "o", out.p, out.len, &e) == 0)
			fail_msg("%s: accepted", edits[i].to);
		assert_string_equal(e.msg, edits[i].message);
	}
	struct order o;
	struct err e = { 0 };
	assert_int_equal(order_parse(&o, "o", b.p, ORDER_MAX_SIZE + 1, &e), -1);
	assert_string_equal(e.msg, "o: 65537 bytes, at most 65536 wanted");
	for (size_t n = 0; n < b.len; n++)
		assert_int_equal(order_parse(&o, "o", b.p, n, NULL), -1);
}

/* --- signatures
 * ------------------------------------------------------------------------------------ */

static void open_fails(const char *path, const struct trust *t, const char *message)
{
	struct signed_order *o = NULL;
	struct err e = { 0 };

	if (order_open(&o, path, t, NULL, &e) == 0)
		fail_msg("%s: accepted", path);
	assert_null(o);
	assert_int_equal(exit_status_of(e.code), EXIT_REJECTED);
	if (!strstr(e.msg, message))
		fail_msg("\"%s\" does not hold \"%s\"", e.msg, message);
}

static void signatures(void **state)
{
	(void)state;
	AUTO(buf_clear) struct buf text = ev_file("example-log/order.json");
	AUTO(minisign_key_freep) struct minisign_key *alice = pk_key("alice"), *bob = pk_key("bob");
	struct trust one = pk_trust(1, "alice", "bob", NULL),
		     two = pk_trust(2, "alice", "bob", NULL);
	struct trust carol = pk_trust(1, "carol", NULL);
	const char *path = ev_path("order");
	struct signed_order *o = NULL;
	struct err e = { 0 };

	ev_write(path, text.p, text.len);
	open_fails(path, &one, ": not signed");
	assert_int_equal(
		oem_signed_write(path, text.p, text.len, &alice, 1, "mfgpkg order", &e), 0);
	assert_int_equal(order_open(&o, path, &one, NULL, &e), 0);
	order_freep(&o);
	open_fails(path, &carol, ": signed by the unknown key 23962033fae784cc only");
	open_fails(path, &two, ": 1 of 2 approvals (the trusted keys' threshold)");
	assert_int_equal(oem_sign_beside(path, text.p, text.len, bob, "mfgpkg order", &e), 0);
	assert_int_equal(order_open(&o, path, &two, NULL, &e), 0);
	assert_int_equal(order_n_sigs(o), 2);
	order_freep(&o);

	/* Other files beside it are none of its business; a bad signature is. */
	ev_write(ev_path("order2.minisig"), "x\n", 2);
	ev_write(ev_path("order.backup.minisig"), "x\n", 2);
	assert_int_equal(order_open(&o, path, &two, NULL, &e), 0);
	order_freep(&o);
	ev_write(ev_path("order.0123456789abcdef.minisig"), "x\n", 2);
	open_fails(path, &two, "1 lines that end in LF, 4 wanted");
	assert_int_equal(unlink(ev_path("order.0123456789abcdef.minisig")), 0);

	/* The document changes under its signatures. */
	char *at = strstr((char *)text.p, "\"quantity\":2");
	assert_non_null(at);
	at[11] = '9';
	ev_write(path, text.p, text.len);
	open_fails(path, &one, "does not verify");
	/* Signing the new text with alice alone leaves bob's old signature: said, not overlooked.
	 */
	assert_int_equal(
		oem_signed_write(path, text.p, text.len, &alice, 1, "mfgpkg order", &e), -1);
	assert_non_null(strstr(e.msg, "a signature of an older order; remove it first"));
}

/* --- what a station checks
 * ------------------------------------------------------------------------- */

static struct signed_order *order_for(struct pk *p, json_t *edits)
{
	AUTO(json_freep) json_t *j = good_json();
	AUTO(buf_clear) struct buf text = { 0 };
	AUTO(minisign_key_freep) struct minisign_key *alice = pk_key("alice");
	struct trust t = pk_trust(1, "alice", NULL);
	struct signed_order *o = NULL;
	struct pkg *opened = NULL;
	const char *path = ev_path("order-for");
	char hex[65];
	struct err e = { 0 };

	assert_int_equal(pkg_open_bytes(&opened, "p", p->out.p, p->out.len, &t, NULL, NULL, &e), 0);
	json_object_set_new(j, "package", json_string(hex_encode(hex, pkg_digest(opened), 32)));
	pkg_free(opened);
	json_object_update(j, edits);
	json_decref(edits);
	assert_int_equal(json_line(j, &text, NULL), 0);
	wr_u8(&text, '\n');
	assert_int_equal(oem_signed_write(path, text.p, text.len, &alice, 1, "x", &e), 0);
	if (order_open(&o, path, &t, NULL, &e) != 0)
		fail_msg("%s", e.msg);
	return o;
}

static void check_fails(
	const struct signed_order *o, const struct order_expect *x, const char *message)
{
	struct err e = { 0 };

	if (order_check(o, x, &e) == 0)
		fail_msg("accepted, \"%s\" wanted", message);
	assert_int_equal(exit_status_of(e.code), EXIT_REJECTED);
	if (!strstr(e.msg, message))
		fail_msg("\"%s\" does not hold \"%s\"", e.msg, message);
}

static void station_checks(void **state)
{
	(void)state;
	AUTO(pk_clear) struct pk p;
	AUTO(pkg_freep) struct pkg *opened = NULL;
	struct trust t = pk_trust(1, "alice", NULL);
	struct err e = { 0 };

	pk_default(&p);
	pk_build(&p, "alice");
	assert_int_equal(pkg_open_bytes(&opened, "p", p.out.p, p.out.len, &t, NULL, NULL, &e), 0);
	AUTO(order_freep) struct signed_order *o = order_for(&p, json_object());
	struct order_expect x = { .pkg = opened,
		.station_key = order_of(o)->station_key,
		.now = order_of(o)->not_before };
	assert_int_equal(order_check(o, &x, &e), 0);
	x.now = order_of(o)->not_after;
	assert_int_equal(order_check(o, &x, &e), 0);
	x.now++;
	check_fails(o, &x,
		"order 2026-0042 ended at 2026-12-31T23:59:59Z, now is 2027-01-01T00:00:00Z");
	x.now = order_of(o)->not_before - 1;
	check_fails(o, &x, "order 2026-0042 begins at 2026-11-21T00:00:00Z");
	x.now = 0;
	x.station_key = "line4+00000000+AA==";
	check_fails(o, &x, "order 2026-0042 is for station line3.plant4.example");
	x.station_key = NULL;
	assert_int_equal(order_need(opened, o, &e), 0);

	order_freep(&o);
	o = order_for(&p, json_pack("{si}", "sequence", 18));
	check_fails(o, &x, "wants sequence 18 or higher, the package has 17");
	order_freep(&o);
	o = order_for(&p, json_pack("{ss}", "product", "acme-kettle"));
	check_fails(o, &x, "names product acme-kettle, the package acme-thermostat");
	order_freep(&o);
	o = order_for(&p, json_pack("{ss}", "package_id", "5a0f3a52-6c1e-4e0e-9d0c-2b7f5d1c9a12"));
	check_fails(o, &x, "names package id 5a0f3a52-6c1e-4e0e-9d0c-2b7f5d1c9a12");
	order_freep(&o);
	o = order_for(
		&p, json_pack("{ss}", "package",
			    "0000000000000000000000000000000000000000000000000000000000000000"));
	check_fails(o, &x,
		"is for package 0000000000000000000000000000000000000000000000000000000000"
		"000000 (acme-thermostat), this one is ");
}

/* --- configuration
 * --------------------------------------------------------------------------------- */

static void from_config(void **state)
{
	(void)state;
	AUTO(pk_clear) struct pk p;
	AUTO(buf_clear) struct buf text = { 0 }, example_text = ev_file("example-log/order.json");
	AUTO(order_clear) struct order o = { 0 }, ex = { 0 };
	struct err e = { 0 };
	char yaml[2000];

	pk_default(&p);
	pk_build(&p, "alice");
	ev_write(ev_path("p.mfgpkg"), p.out.p, p.out.len);
	assert_int_equal(order_parse(&ex, "x", example_text.p, example_text.len, &e), 0);
	snprintf(yaml, sizeof yaml, "{\"name\": \"%s\", \"key\": \"%s\", \"order_key\": \"%s\"}\n",
		ex.station_name, ex.station_key, ex.station_key);
	ev_write(ev_path("station.json"), yaml, strlen(yaml));
	snprintf(yaml, sizeof yaml,
		"order: 2026-0042\ncustomer: PO 4711\noem: acme.example\npackage: p.mfgpkg\n"
		"quantity: 2\nnot_before: 2026-11-21T00:00:00Z\nvalid_days: 2\n"
		"station: station.json\nslots: [A1, A2]\n");
	ev_write(ev_path("order.yaml"), yaml, strlen(yaml));
	if (oem_order_from_config(&o, &text, ev_path("order.yaml"), NULL, &e) != 0)
		fail_msg("%s", e.msg);
	assert_string_equal(o.origin, "acme.example/mfgpkg/order/2026-0042");
	assert_string_equal(o.product, "acme-thermostat");
	assert_int_equal(o.sequence, 17);
	assert_int_equal(o.not_after - o.not_before, 2 * 86400);
	assert_int_equal(o.n_slots, 2);
	/* The station's key, now under the name of the log. */
	struct vkey station, epoch;
	assert_int_equal(vkey_parse(&station, "s", ex.station_key, &e), 0);
	assert_int_equal(vkey_parse(&epoch, "e", o.epoch0, &e), 0);
	assert_string_equal(epoch.name, o.origin);
	assert_memory_equal(epoch.key, station.key, 32);

	static const struct {
		const char *line, *message;
	} cases[] = {
		{ "quantity: 0", "quantity: 0, 1 to 10000000 wanted" },
		{ "quantity: many", "quantity" },
		{ "package: none.mfgpkg", "none.mfgpkg" },
		{ "station: {name: line4}", "key" },
		{ "valid_days: 0", "0 days: never valid" },
		{ "oem: \"A B\"", "is not an origin" },
		{ "slots: []", "a list of 1 to 256 items wanted" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char key[32], out[3000];
		AUTO(order_clear) struct order bad = { 0 };
		AUTO(buf_clear) struct buf none = { 0 };
		snprintf(key, sizeof key, "%.*s:", (int)strcspn(cases[i].line, ":"), cases[i].line);
		char *at = strstr(yaml, key);
		assert_non_null(at);
		const char *rest = strchr(at, '\n');
		snprintf(out, sizeof out, "%.*s%s%s", (int)(at - yaml), yaml, cases[i].line, rest);
		ev_write(ev_path("bad.yaml"), out, strlen(out));
		if (oem_order_from_config(&bad, &none, ev_path("bad.yaml"), NULL, &e) == 0)
			fail_msg("%s: accepted", cases[i].line);
		if (!strstr(e.msg, cases[i].message))
			fail_msg("%s: \"%s\" does not hold \"%s\"", cases[i].line, e.msg,
				cases[i].message);
		assert_int_equal(exit_status_of(e.code), EXIT_USAGE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(example),
		cmocka_unit_test(broken_members),
		cmocka_unit_test(foreign_keys),
		cmocka_unit_test(one_byte_form),
		cmocka_unit_test(signatures),
		cmocka_unit_test(station_checks),
		cmocka_unit_test(from_config),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

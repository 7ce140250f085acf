/* Leaves: the grammar, what each kind may hold, values, writing; and that the schemas for others
 * say what our tables say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/text.h"
#include "evidence/dice.h"
#include "evidence/leaf_table.h"
#include "evidence/log_impl.h"
#include "evidence_support.h"

#define COMMON                                                                                     \
	"\"seq\":6,\"prev\":\"8857f86d37dca51647c4fe9402875bbac86a3f016af52f97c2b55300fd99b07b\"," \
	"\"time\":\"2026-11-21T07:58:03.899Z\",\"boot_ms\":8127230,\"boot_id\":"                   \
	"\"0f0e6d2c-5a5b-4b8f-9d7e-3c1f2a4b5c6d\""
#define STEP                                                                                       \
	",\"begin\":3,\"uuid\":\"00112233445566778899aabbccddeeff\",\"step\":1,\"stage\":"         \
	"\"provision\",\"command\":\"reset\",\"intent\":null,\"result\":\"ok\",\"status\":0,"      \
	"\"tries\":1,\"ms\":204,\"bytes\":0}"
#define GOOD "{\"kind\":\"step\"," COMMON STEP

static void example_leaves(void **state)
{
	(void)state;
	AUTO(buf_clear) struct buf file = ev_file("example-log/leaves.jsonl");
	struct leaf l;
	unsigned n = 0;
	char *p = (char *)file.p, *lf;

	for (; (lf = strchr(p, '\n')); p = lf + 1, n++) {
		struct err e = { 0 };
		if (leaf_check(&l, "leaf", p, (size_t)(lf - p), ROLE_ORDER, &e) != 0)
			fail_msg("%u: %s", n, e.msg);
		assert_int_equal(l.seq, n);
		assert_int_equal(leaf_check(&l, "leaf", p, (size_t)(lf - p), ROLE_WORKSPACE, &e),
			l.kind == LEAF_GENESIS || l.kind == LEAF_OPERATOR || l.kind == LEAF_CLOCK ||
					l.kind == LEAF_EPOCH_SEAL || l.kind == LEAF_CLOSE
				? 0
				: -1);
	}
	assert_int_equal(n, 18);
}

static void values(void **state)
{
	(void)state;
	static const char text[] =
		"{\"kind\":\"operator\"," COMMON ",\"action\":\"note\",\"operator\":null,\"text\":"
		"\"a\\\"b\\\\c\\/\\n\\u00e4\\ud83d\\ude00 \xC3\xA9\"}";
	struct leaf l;
	char out[64], small[8];
	struct err e = { 0 };

	assert_int_equal(leaf_check(&l, "x", text, sizeof text - 1, ROLE_ORDER, &e), 0);
	assert_int_equal(l.kind, LEAF_OPERATOR);
	assert_int_equal(l.seq, 6);
	assert_int_equal(l.time_ms, 1795247883899);
	assert_int_equal(l.boot_ms, 8127230);
	assert_string_equal(l.boot_id, "0f0e6d2c-5a5b-4b8f-9d7e-3c1f2a4b5c6d");
	assert_int_equal(l.prev[0], 0x88);
	assert_int_equal(leaf_text(&l, LM_TEXT, out, sizeof out), 0);
	assert_string_equal(out, "a\"b\\c/\n\xC3\xA4\xF0\x9F\x98\x80 \xC3\xA9");
	assert_int_equal(leaf_text(&l, LM_TEXT, small, sizeof small), -1);
	assert_int_equal(leaf_text(&l, LM_OPERATOR, out, sizeof out), -1);
	assert_false(leaf_has(&l, LM_OPERATOR));
	assert_non_null(leaf_value(&l, LM_OPERATOR));
	assert_null(leaf_value(&l, LM_UUID));
	assert_true(leaf_is(&l, LM_ACTION, "note"));
	assert_int_equal(leaf_int(&l, LM_STATUS, -7), -7);
}

static void bad(const char *text, size_t len, const char *want)
{
	struct leaf l;
	struct err e = { 0 };

	assert_int_equal(leaf_check(&l, "leaf 6", text, len, ROLE_ORDER, &e), -1);
	if (strcmp(e.msg, want) != 0)
		fail_msg("%.*s\n  \"%s\", wanted\n  \"%s\"", (int)len, text, e.msg, want);
}

static void broken_leaves(void **state)
{
	(void)state;
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "", "leaf 6: 0 bytes, 2 to 65536 wanted" },
		{ "{}", "leaf 6: member \"kind\": it as the first one wanted, {} seen" },
		{ " " GOOD, "leaf 6: member \"kind\": it as the first one wanted,  "
			    "{\"kind\":\"step\",\"seq\":6,\"prev\":\"8857f86d... seen" },
		{ "{\"kind\":\"stop\"," COMMON STEP,
			"leaf 6: no kind \"stop\" in a log of role order" },
		{ "{\"kind\":\"approval\"," COMMON STEP,
			"leaf 6: no kind \"approval\" in a log of role order" },
		{ GOOD " ", "leaf 6: 1 bytes after the object" },
		{ GOOD GOOD, "leaf 6: 365 bytes after the object" },
		{ "{\"kind\":\"step\"," COMMON ",\"begin\":03",
			"leaf 6: member \"begin\": a whole number within 2^53-1 wanted, 03 seen" },
		{ "{\"kind\":\"step\"," COMMON ",\"begin\":1.5",
			"leaf 6: member \"begin\": a whole number within 2^53-1 wanted, 1.5 seen" },
		{ "{\"kind\":\"step\"," COMMON ",\"begin\":1e3",
			"leaf 6: member \"begin\": a whole number within 2^53-1 wanted, 1e3 seen" },
		{ "{\"kind\":\"step\"," COMMON ",\"begin\":-0",
			"leaf 6: member \"begin\": a whole number within 2^53-1 wanted, -0 seen" },
		{ "{\"kind\":\"step\"," COMMON ",\"begin\":-1",
			"leaf 6: member \"begin\": 0 to 9007199254740991 wanted, -1 seen" },
		{ "{\"kind\":\"step\"," COMMON ",\"begin\":9007199254740992",
			"leaf 6: member \"begin\": a whole number within 2^53-1 wanted, "
			"9007199254740992 seen" },
		{ "{\"kind\":\"step\"," COMMON ",\"begin\":null",
			"leaf 6: member \"begin\": a whole number within 2^53-1 wanted, null "
			"seen" },
		{ "{\"kind\":\"step\"," COMMON ",\"begin\":3,\"begin\":3",
			"leaf 6: member \"uuid\": it here wanted, ,\"begin\":3 seen" },
		{ "{\"kind\":\"step\"," COMMON ",\"begin\":3,\"uuid\":\"0011\"",
			"leaf 6: member \"uuid\": 32 lower-case hex digits wanted, \"0011\" seen" },
		{ "{\"kind\":\"step\"," COMMON
		  ",\"begin\":3,\"uuid\":\"00112233445566778899AABBCCDDEEFF\"",
			"leaf 6: member \"uuid\": 32 lower-case hex digits wanted, "
			"\"00112233445566778899AABBCCDDEEFF\" seen" },
		{ "{\"kind\":\"step\"," COMMON
		  ",\"begin\":3,\"uuid\":\"\\u0030\\u0031112233445566778899aabbccddeeff\"",
			"leaf 6: member \"uuid\": 32 lower-case hex digits wanted, "
			"\"\\u0030\\u0031112233445566778899aabbccdde... seen" },
		{ "{\"kind\":\"operator\"," COMMON ",\"action\":\"jump\"",
			"leaf 6: member \"action\": start/pause/stop/skip/retry/confirm/note "
			"wanted, \"jump\" seen" },
		{ "{\"kind\":\"operator\"," COMMON
		  ",\"action\":\"note\",\"operator\":\"a\\u0000b\"",
			"leaf 6: member \"operator\": a JSON escape (not of NUL or half a "
			"surrogate pair) wanted, \\u0000b\" seen" },
		{ "{\"kind\":\"operator\"," COMMON ",\"action\":\"note\",\"operator\":\"\\ud83d\"",
			"leaf 6: member \"operator\": a JSON escape (not of NUL or half a "
			"surrogate pair) wanted, \\ud83d\" seen" },
		{ "{\"kind\":\"operator\"," COMMON ",\"action\":\"note\",\"operator\":\"\\ude00\"",
			"leaf 6: member \"operator\": a JSON escape (not of NUL or half a "
			"surrogate pair) wanted, \\ude00\" seen" },
		{ "{\"kind\":\"operator\"," COMMON ",\"action\":\"note\",\"operator\":\"\\x41\"",
			"leaf 6: member \"operator\": a JSON escape (not of NUL or half a "
			"surrogate pair) wanted, \\x41\" seen" },
		{ "{\"kind\":\"operator\"," COMMON ",\"action\":\"note\",\"operator\":\"a\tb\"",
			"leaf 6: member \"operator\": text without control characters wanted, "
			"\\x09b\" seen" },
		{ "{\"kind\":\"operator\"," COMMON ",\"action\":\"note\",\"operator\":\"a",
			"leaf 6: member \"operator\": text that ends wanted, \"a seen" },
		{ "{\"kind\":\"operator\"," COMMON ",\"action\":\"note\"",
			"leaf 6: member \"operator\": it here wanted, the end seen" },
		{ "{\"kind\":\"operator\"," COMMON
		  ",\"action\":\"note\",\"operator\":null,\"text\":null,\"x\":1}",
			"leaf 6: member \"text\": \"}\" after it wanted, ,\"x\":1} seen" },
		{ "{\"kind\":\"operator\"," COMMON ",\"action\":\"note\",\"operator\":true",
			"leaf 6: member \"operator\": text wanted, true seen" },
		{ "{\"seq\":6,\"kind\":\"step\"}", "leaf 6: member \"kind\": it as the first one "
						   "wanted, {\"seq\":6,\"kind\":\"step\"} seen" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		bad(cases[i].text, strlen(cases[i].text), cases[i].want);
	bad("{\"kind\":\"\xFF\"", 11, "leaf 6: not UTF-8");
	char *huge = malloc(LEAF_MAX + 1);
	memset(huge, 'x', LEAF_MAX + 1);
	bad(huge, LEAF_MAX + 1, "leaf 6: 65537 bytes, 2 to 65536 wanted");
	free(huge);
	struct leaf l;
	struct err e = { 0 };
	assert_int_equal(leaf_check(&l, "x", GOOD, strlen(GOOD), ROLE_ORDER, &e), 0);
	/* Every prefix of a good leaf is refused. */
	for (size_t n = 0; n < strlen(GOOD); n++)
		assert_int_equal(leaf_check(&l, "x", GOOD, n, ROLE_ORDER, &e), -1);
}

/* Members in any order, those that may be null left out: the leaf has them in the table's order. */
static void writing(void **state)
{
	(void)state;
	struct leaf_clock clock = { 1795247883899, 8127230,
		"0f0e6d2c-5a5b-4b8f-9d7e-3c1f2a4b5c6d" };
	AUTO(buf_clear) struct buf out = { 0 };
	uint8_t prev[32];
	struct err e = { 0 };

	assert_int_equal(
		hex_decode(prev, 32,
			"8857f86d37dca51647c4fe9402875bbac86a3f016af52f97c2b55300fd99b07b"),
		0);
	AUTO(json_freep)
	json_t *m = json_pack("{s:i, s:i, s:s, s:s, s:i, s:s, s:i, s:i, s:s, s:i}", "bytes", 0,
		"ms", 204, "command", "reset", "stage", "provision", "step", 1, "uuid",
		"00112233445566778899aabbccddeeff", "begin", 3, "tries", 1, "result", "ok",
		"status", 0);
	assert_int_equal(leaf_write("step", ROLE_ORDER, 6, prev, &clock, m, &out, &e), 0);
	assert_string_equal(buf_text(&out), GOOD);
	json_object_del(m, "tries");
	assert_int_equal(leaf_write("step", ROLE_ORDER, 6, prev, &clock, m, &out, &e), -1);
	assert_int_equal(e.code, ERR_INTERNAL);
	assert_string_equal(e.msg, "leaf step: member \"tries\" is missing");
	assert_string_equal(buf_text(&out), GOOD); /* nothing was added */
}

/* The JSON schema for other readers names the same members in the same order: `kind` first where
 * the table of common members begins, then these tables one after the other. */
static void same_members(const char *what, const json_t *schema, bool kind_first,
	const struct field *first, const struct field *second)
{
	json_t *required = json_object_get(schema, "required");
	const struct field *f = first;
	const char *name;
	json_t *v;
	size_t n = 0;

	assert_true(json_is_false(json_object_get(schema, "additionalProperties")));
	json_object_foreach(json_object_get(schema, "properties"), name, v)
	{
		assert_string_equal(json_string_value(json_array_get(required, n)), name);
		if (n++ == 0 && kind_first)
			continue;
		if (!f->name && second) {
			f = second;
			second = NULL;
		}
		if (!f->name || strcmp(f->name, name) != 0)
			fail_msg("%s: %s, %s wanted", what, name, f->name ? f->name : "no more");
		if (f->type == F_OBJECT)
			same_members(name, v, false, f->sub, NULL);
		f++;
	}
	assert_null(f->name);
	assert_int_equal(json_array_size(required), n);
}

static void schema_of_leaves(void **state)
{
	(void)state;
	AUTO(buf_clear) struct buf file = { 0 };
	struct err e = { 0 };

	assert_int_equal(ev_run("cp schemas/leaf.schema.json %s", ev_path("schema")), 0);
	file = ev_file(ev_path("schema"));
	AUTO(json_freep) json_t *j = json_read("schema", file.p, file.len, &e);
	if (!j)
		fail_msg("%s", e.msg);
	json_t *defs = json_object_get(j, "$defs");
	assert_int_equal(json_object_size(defs), LEAF_KINDS);
	for (unsigned k = 0; k < LEAF_KINDS; k++) {
		const char *name = k == LEAF_WS_PACKAGE ? "workspace-package" : leaf_kinds[k].name;
		json_t *d = json_object_get(defs, name);
		assert_non_null(d);
		same_members(name, d, true, leaf_common_fields, leaf_kinds[k].fields);
	}
}

/* schemas/log.sql is the schema that the writer makes. */
static void schema_of_the_database(void **state)
{
	(void)state;
	AUTO(buf_clear) struct buf file = { 0 };

	assert_int_equal(ev_run("cp schemas/log.sql %s", ev_path("sql")), 0);
	file = ev_file(ev_path("sql"));
	const char *p = (char *)file.p;
	unsigned lines = 0;
	for (size_t i = 0; i < LOG_OBJECTS; i++) {
		char want[2048];
		snprintf(want, sizeof want, "\n%s;\n", log_schema[i].sql);
		if (!strstr(p, want))
			fail_msg("schemas/log.sql lacks: %s", want);
	}
	for (; (p = strstr(p, "\nCREATE ")); p++)
		lines++;
	assert_int_equal(lines, LOG_OBJECTS);
	assert_non_null(strstr((char *)file.p, "application_id=1296451404"));
	assert_non_null(strstr((char *)file.p, "user_version=1"));
}

/* The challenge of the example log: position, origin, root and package id are all in it. */
static void challenge(void **state)
{
	(void)state;
	uint8_t root[32], id[16], c[32], other[32];
	char hex[65];
	static const char origin[] = "acme.example/mfgpkg/order/2026-0042";

	ev_b64("pINpN8oSBxFnFoRPoLIKs1yPp2tFSsvWkDLoTc0AnxA=", root, 32);
	assert_int_equal(hex_decode(id, 16, "5a0f3a526c1e4e0e9d0c2b7f5d1c9a11"), 0);
	dice_challenge(origin, 9, root, id, c);
	assert_string_equal(hex_encode(hex, c, 32),
		"54bfc8c367898e3326f801955bf0c9e21b994570853e4f7dcf80c3053b612cf5");
	dice_challenge(origin, 10, root, id, other);
	assert_memory_not_equal(c, other, 32);
	id[0] ^= 1;
	dice_challenge(origin, 9, root, id, other);
	assert_memory_not_equal(c, other, 32);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(example_leaves),
		cmocka_unit_test(values),
		cmocka_unit_test(broken_leaves),
		cmocka_unit_test(writing),
		cmocka_unit_test(schema_of_leaves),
		cmocka_unit_test(schema_of_the_database),
		cmocka_unit_test(challenge),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

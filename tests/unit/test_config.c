/* Configuration documents: scalar rules, limits, messages with positions, paths. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/stat.h>
#include <cmocka.h>

#include "base/fsio.h"
#include "base/text.h"
#include "mfgpkg/config.h"

static struct config *load(const char *text)
{
	struct config *c = NULL;
	struct err e = { 0 };

	if (config_load_bytes(&c, "t.yaml", text, strlen(text), &e) != 0)
		fail_msg("%s", e.msg);
	return c;
}

static const struct config_node *get(const struct config *c, const char *key)
{
	const struct config_node *n = config_get(config_root(c), key);
	if (!n)
		fail_msg("no key %s", key);
	return n;
}

static void assert_number(const struct config *c, const char *key, uint64_t want)
{
	struct err e = { 0 };
	uint64_t v = ~want;

	if (config_number(get(c, key), UINT64_MAX, &v, &e) != 0)
		fail_msg("%s: %s", key, e.msg);
	if (v != want)
		fail_msg(
			"%s: %llu, not %llu", key, (unsigned long long)v, (unsigned long long)want);
}

static void test_numbers(void **state)
{
	(void)state;
	AUTO(config_freep)
	struct config *c = load("a: 010\nb: '010'\nc: 0x1F\nd: '0x1F'\ne: 1_000\nf: 0b101\n"
				"g: 08\nh: 0o17\ni: ' 7ul '\nj: 0xFFu\nk: +5\nl: 0\nm: '0b11'\n"
				"n: 18446744073709551615\no: !!str 010\n");
	assert_number(c, "a", 8);
	assert_number(c, "b", 10);
	assert_number(c, "c", 31);
	assert_number(c, "d", 31);
	assert_number(c, "e", 1000);
	assert_number(c, "f", 5);
	assert_number(c, "g", 8);
	assert_number(c, "h", 15);
	assert_number(c, "i", 7);
	assert_number(c, "j", 255);
	assert_number(c, "k", 5);
	assert_number(c, "l", 0);
	assert_number(c, "m", 3);
	assert_number(c, "n", UINT64_MAX);
	assert_number(c, "o", 10);
	assert_int_equal(config_kind(get(c, "a")), CONFIG_INT);
	assert_int_equal(config_kind(get(c, "g")), CONFIG_TEXT);
}

static void test_booleans_and_null(void **state)
{
	(void)state;
	AUTO(config_freep)
	struct config *c = load("a: no\nb: 'no'\nc: On\nd: ~\ne:\nf: y\ng: TRUE\n");
	struct err e = { 0 };
	bool v = true;

	assert_int_equal(config_bool(get(c, "a"), &v, &e), 0);
	assert_false(v);
	assert_int_equal(config_kind(get(c, "b")), CONFIG_TEXT);
	assert_int_equal(config_bool(get(c, "c"), &v, &e), 0);
	assert_true(v);
	assert_int_equal(config_kind(get(c, "d")), CONFIG_NULL);
	assert_int_equal(config_kind(get(c, "e")), CONFIG_NULL);
	assert_int_equal(config_kind(get(c, "f")), CONFIG_TEXT);
	assert_int_equal(config_kind(get(c, "g")), CONFIG_BOOL);
	assert_int_equal(config_bool(get(c, "b"), &v, &e), -1);
	assert_string_equal(e.msg, "t.yaml:2:4: key `b`: this is text, true or false is wanted");
}

static void test_json(void **state)
{
	(void)state;
	AUTO(config_freep)
	struct config *c = load("{\n\t\"a\":10,\"b\":\"0x20\",\n\t\"list\":[1,[2],{\"x\":true}],"
				"\"p\":\"dir\\/f\\u00e4\",\"n\":null}\n");
	const struct config_node *list = get(c, "list");
	bool v = false;
	struct err e = { 0 };
	const char *s = NULL;

	assert_number(c, "a", 10);
	assert_number(c, "b", 32);
	assert_int_equal(config_len(list), 3);
	assert_int_equal(config_bool(config_get(config_at(list, 2), "x"), &v, &e), 0);
	assert_true(v);
	assert_int_equal(config_str(get(c, "p"), &s, &e), 0);
	assert_string_equal(s, "dir/f\xC3\xA4");
	config_error(config_get(config_at(list, 2), "x"), &e, "bad");
	assert_string_equal(e.msg, "t.yaml:3:21: key `list[2].x`: bad");
}

/* JSON that is no YAML is read too; only positions are lost. */
static void test_json_beyond_yaml(void **state)
{
	(void)state;
	AUTO(config_freep)
	struct config *c = load("{\n\"a\"\n: 10,\n\"smile\":\"\\ud83d\\ude00\",\"b\":\"x\"}");
	struct err e = { 0 };
	const char *s = NULL;
	uint64_t v;

	assert_number(c, "a", 10);
	assert_int_equal(config_str(get(c, "smile"), &s, &e), 0);
	assert_string_equal(s, "\xF0\x9F\x98\x80");
	assert_int_equal(config_number(get(c, "b"), 5, &v, &e), -1);
	assert_string_equal(
		e.msg, "t.yaml: key `b`: \"x\" is not a number (0x.., 0b.., 0o.. or decimal)");
}

static void test_alias_and_merge(void **state)
{
	(void)state;
	AUTO(config_freep)
	struct config *c = load("base: &b {x: 1, y: 2}\nuse:\n  <<: *b\n  y: 3\nn: &n 5\nm: *n\n");
	struct err e = { 0 };

	assert_number(c, "m", 5);
	assert_int_equal(config_len(get(c, "use")), 2);
	uint64_t x = 0, y = 0;
	assert_int_equal(config_number_of(get(c, "use"), "x", 9, 0, &x, &e), 0);
	assert_int_equal(config_number_of(get(c, "use"), "y", 9, 0, &y, &e), 0);
	assert_int_equal(x, 1);
	assert_int_equal(y, 3);
}

/* Named broken documents with their exact messages. */
static void test_broken_documents(void **state)
{
	(void)state;
	static const struct {
		const char *name, *text, *message;
	} cases[] = {
		{ "empty", "", "t.yaml: empty, a map of keys is wanted" },
		{ "comment only", "# nothing\n", "t.yaml: empty, a map of keys is wanted" },
		{ "root list", "- a\n", "t.yaml:1:1: a map of keys is wanted, this is a list" },
		{ "root text", "hello\n", "t.yaml:1:1: a map of keys is wanted, this is text" },
		{ "duplicate", "a: 1\nb:\n  c: 1\n  c: 2\n",
			"t.yaml:4:3: key `c` given twice (first in line 3)" },
		{ "duplicate json", "{\"a\":1,\n\"a\":2}",
			"t.yaml:2:1: key `a` given twice (first in line 1)" },
		{ "two documents", "a: 1\n---\nb: 1\n",
			"t.yaml:2:1: a second document in the file" },
		{ "tag", "a: !!python/object x\n",
			"t.yaml:1:4: tag tag:yaml.org,2002:python/object is not supported" },
		{ "key list", "[a]: 1\n", "t.yaml:1:1: a key must be a plain name" },
		{ "alias", "a: *nowhere\n", "t.yaml:1:4: alias *nowhere has no anchor before it" },
		{ "own alias", "a: &x [*x]\n", "t.yaml:1:8: alias *x has no anchor before it" },
		{ "nul", "a: \"x\\0y\"\n", "t.yaml:1:4: text with a NUL character" },
		{ "tab", "a:\n\t- b\n",
			"t.yaml:2:1: not valid YAML: found character that cannot start any token, "
			"while scanning for the next token" },
		{ "open bracket", "a: [1\n",
			"t.yaml:2:1: not valid YAML: did not find expected ',' or ']', while "
			"parsing "
			"a flow sequence" },
		{ "utf-8", "a: \xFF\n", "t.yaml: byte 3: invalid leading UTF-8 octet" },
		{ "control", "a: \x01\n", "t.yaml: byte 3: control characters are not allowed" },
		{ "merge scalar", "a:\n  <<: 5\n",
			"t.yaml:2:7: key `[0]`: `<<` takes a map or a list of maps" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct config *c = NULL;
		struct err e = { 0 };
		int rc = config_load_bytes(&c, "t.yaml", cases[i].text, strlen(cases[i].text), &e);
		if (rc == 0)
			fail_msg("%s: accepted", cases[i].name);
		assert_null(c);
		if (strcmp(e.msg, cases[i].message) != 0)
			fail_msg("%s: \"%s\", wanted \"%s\"", cases[i].name, e.msg,
				cases[i].message);
		assert_int_equal(e.code, ERR_CONFIG);
	}
}

static void test_broken_values(void **state)
{
	(void)state;
	static const struct {
		const char *text, *message;
	} cases[] = {
		{ "a: -1", "t.yaml:1:4: key `a`: \"-1\": negative numbers are not allowed" },
		{ "a: '-1'", "t.yaml:1:4: key `a`: \"-1\": negative numbers are not allowed" },
		{ "a: 0x100000000",
			"t.yaml:1:4: key `a`: 0x100000000 is too large, at most 0xFFFFFFFF" },
		{ "a: 99999999999999999999999", "t.yaml:1:4: key `a`: 99999999999999999999999 is "
						"too large, at most 0xFFFFFFFF" },
		{ "a: FF", "t.yaml:1:4: key `a`: \"FF\" is not a number (0x.., 0b.., 0o.. or "
			   "decimal)" },
		{ "a: 1.5", "t.yaml:1:4: key `a`: \"1.5\" is not a number (0x.., 0b.., 0o.. or "
			    "decimal)" },
		{ "a: 1:30", "t.yaml:1:4: key `a`: \"1:30\" is not a number (0x.., 0b.., 0o.. or "
			     "decimal)" },
		{ "a: off",
			"t.yaml:1:4: key `a`: off is a boolean in YAML 1.1, a number is wanted" },
		{ "a: [1]", "t.yaml:1:4: key `a`: this is a list, a number is wanted" },
		{ "a:", "t.yaml:1:3: key `a`: this is nothing (null), a number is wanted" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		AUTO(config_freep) struct config *c = load(cases[i].text);
		struct err e = { 0 };
		uint64_t v = 77;
		assert_int_equal(config_number(get(c, "a"), UINT32_MAX, &v, &e), -1);
		assert_string_equal(e.msg, cases[i].message);
		assert_int_equal(v, 77);
	}
}

static void test_limits(void **state)
{
	(void)state;
	struct err e = { 0 };
	struct config *c = NULL;
	char deep[200] = "a: ";

	for (int i = 0; i < 40; i++)
		strcat(deep, "[");
	assert_int_equal(config_load_bytes(&c, "t.yaml", deep, strlen(deep), &e), -1);
	assert_string_equal(e.msg, "t.yaml:1:36: nested deeper than 32 levels");

	/* Ten lists of ten aliases each: 10^10 values. */
	AUTO(buf_clear) struct buf bomb = { 0 };
	wr_str(&bomb, "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
	for (int i = 1; i < 10; i++) {
		wr_printf(&bomb, "a%d: &a%d [", i, i);
		for (int j = 0; j < 10; j++)
			wr_printf(&bomb, "*a%d,", i - 1);
		wr_str(&bomb, "]\n");
	}
	assert_int_equal(config_load_bytes(&c, "t.yaml", bomb.p, bomb.len, &e), -1);
	assert_non_null(strstr(e.msg, "more than 200000 values"));

	char *big = calloc(1, CONFIG_MAX_SIZE + 1);
	assert_int_equal(config_load_bytes(&c, "t.yaml", big, CONFIG_MAX_SIZE + 1, &e), -1);
	assert_int_equal(e.code, ERR_LIMIT);
	free(big);
}

static void collect(void *ctx, const char *text)
{
	wr_str(ctx, text);
	wr_str(ctx, "\n");
}

static void test_unknown_keys(void **state)
{
	(void)state;
	AUTO(config_freep)
	struct config *c = load("family: x\nfirmwareVerson: 1\nzzz: 1\nknown: 2\nused: 3\n");
	static const char *const known[] = { "family", "firmwareVersion", "known", NULL };
	AUTO(buf_clear) struct buf out = { 0 };

	get(c, "used");
	config_warn_unused(c, known, collect, &out);
	assert_string_equal(buf_text(&out),
		"t.yaml:2:1: unknown key `firmwareVerson`, did you mean `firmwareVersion`?\n"
		"t.yaml:3:1: unknown key `zzz` is ignored\n");
}

static void write_text(const char *path, const char *text)
{
	struct err e = { 0 };
	if (fsio_write(path, text, strlen(text), 0600, &e) != 0)
		fail_msg("%s", e.msg);
}

static void test_paths(void **state)
{
	(void)state;
	char dir[] = "/tmp/mfgpkg-config-XXXXXX", path[300], cwd[1024];
	struct err e = { 0 };

	assert_non_null(mkdtemp(dir));
	assert_non_null(getcwd(cwd, sizeof cwd));
	assert_int_equal(chdir(dir), 0);
	mkdir("sub", 0700);
	write_text("parent.yaml", "cert: sub\\child.yaml\nout: x/y.bin\n");
	write_text("sub/child.yaml", "a: own.bin\nb: above.bin\nc: sub/own.bin\nd: none.bin\n");
	write_text("sub/own.bin", "1");
	write_text("above.bin", "2");

	AUTO(config_freep) struct config *parent = NULL;
	AUTO(config_freep) struct config *child = NULL;
	snprintf(path, sizeof path, "%s/parent.yaml", dir);
	assert_int_equal(config_load(&parent, path, &e), 0);
	assert_int_equal(config_load_from(&child, get(parent, "cert"), &e), 0);

	static const char *const found[][2] = { { "a", "sub/own.bin" }, { "b", "above.bin" },
		{ "c", "sub/own.bin" } };
	for (size_t i = 0; i < 3; i++) {
		AUTO(str_freep) char *got = NULL;
		snprintf(path, sizeof path, "%s/%s", dir, found[i][1]);
		assert_int_equal(config_path(get(child, found[i][0]), &got, &e), 0);
		assert_string_equal(got, path);
	}
	AUTO(str_freep) char *none = NULL;
	assert_int_equal(config_path(get(child, "d"), &none, &e), -1);
	snprintf(path, sizeof path,
		"%s/sub/child.yaml:4:4: key `d`: file \"none.bin\" not found (looked in %s/sub, "
		"beside the parent configuration and in the current directory)",
		dir, dir);
	assert_string_equal(e.msg, path);

	AUTO(str_freep) char *made = NULL;
	snprintf(path, sizeof path, "%s/x/y.bin", dir);
	assert_int_equal(config_out_path(get(parent, "out"), &made, &e), 0);
	assert_string_equal(made, path);
	assert_int_equal(chdir(cwd), 0);
	static const char *const files[] = { "sub/own.bin", "sub/child.yaml", "above.bin",
		"parent.yaml" };
	for (size_t i = 0; i < 4; i++) {
		snprintf(path, sizeof path, "%s/%s", dir, files[i]);
		unlink(path);
	}
	snprintf(path, sizeof path, "%s/sub", dir);
	rmdir(path);
	rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_booleans_and_null),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_json_beyond_yaml),
		cmocka_unit_test(test_alias_and_merge),
		cmocka_unit_test(test_broken_documents),
		cmocka_unit_test(test_broken_values),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_unknown_keys),
		cmocka_unit_test(test_paths),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

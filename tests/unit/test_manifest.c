/* manifest.json: a good one, and for every member values that are refused with their messages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "evidence_support.h"
#include "pkg/manifest.h"
#include "pkg/sums.h"
#include "pkg_support.h"

static json_t *good_json(void)
{
	struct pk p;

	pk_default(&p);
	pk_list(&p);
	json_t *j = json_incref(p.manifest);
	pk_clear(&p);
	return j;
}

static int parse(const json_t *j, struct manifest *m, struct err *e)
{
	AUTO(buf_clear) struct buf text = { 0 };

	assert_int_equal(json_line(j, &text, NULL), 0);
	return manifest_parse(m, text.p, text.len, e);
}

static void round_trip(void **state)
{
	(void)state;
	AUTO(json_freep) json_t *j = good_json();
	struct manifest m, again;
	struct err e = { 0 };

	assert_int_equal(parse(j, &m, &e), 0);
	AUTO(json_freep) json_t *written = manifest_to_json(&m);
	assert_true(json_equal(j, written));
	assert_int_equal(parse(written, &again, &e), 0);
	/* P-384 keys have a longer RKTH. */
	char rkth[97];
	memset(rkth, 'c', 96);
	rkth[96] = 0;
	json_object_set_new(j, "rkth", json_string(rkth));
	assert_int_equal(parse(j, &m, &e), 0);
	assert_int_equal(m.rkth_len, 48);
}

/* PATH is "a.b[0].c". */
static json_t *holder(json_t *root, const char *path, const char **key, size_t *index)
{
	static char copy[100];
	json_t *at = root;
	char *save = NULL;

	snprintf(copy, sizeof copy, "%s", path);
	for (char *w = strtok_r(copy, ".", &save); w; w = strtok_r(NULL, ".", &save)) {
		char *open = strchr(w, '[');
		char *next = save && *save ? save : NULL;
		if (open)
			*open = 0;
		if (!next && !open) {
			*key = w;
			return at;
		}
		at = json_object_get(at, w);
		if (open) {
			*index = strtoul(open + 1, NULL, 10);
			if (!next) {
				*key = NULL;
				return at;
			}
			at = json_array_get(at, *index);
		}
	}
	return NULL;
}

static void broken(void **state)
{
	static const struct {
		const char *path, *value, *message;
	} cases[] = {
		{ "type", "\"mfgpkg-order\"",
			"manifest.json: type: \"mfgpkg-order\", \"mfgpkg-manifest\" wanted" },
		{ "format", "0", "manifest.json: format: 0, this program knows format 1" },
		{ "package_id", "\"5A0F3A52-6C1E-4E0E-9D0C-2B7F5D1C9A11\"",
			"manifest.json: package_id: \"5A0F3A52-6C1E-4E0E-9D0C-2B7F5D1C9A11\", a "
			"UUID in lower case wanted" },
		{ "product", "\"\"", "manifest.json: product: \"\", a-z 0-9 . _ - wanted" },
		{ "product", "\"../etc\"",
			"manifest.json: product: \"../etc\", a-z 0-9 . _ - wanted" },
		{ "product", "\"..\"",
			"manifest.json: product: \"..\", a letter or digit first wanted" },
		{ "release", "\"1 4\"",
			"manifest.json: release: \"1 4\", letters, digits, . _ + - wanted" },
		{ "sequence", "0", "manifest.json: sequence: 0, 1 to 9007199254740991 wanted" },
		{ "sequence", "-1", "manifest.json: sequence: -1, 1 to 9007199254740991 wanted" },
		{ "created", "\"2026-11-20\"",
			"manifest.json: created: \"2026-11-20\", a time like 2026-11-20T15:00:00Z "
			"wanted" },
		{ "not_before", "\"2026-02-30T00:00:00Z\"",
			"manifest.json: not_before: \"2026-02-30T00:00:00Z\", a time like "
			"2026-11-20T15:00:00Z wanted" },
		{ "expires", "\"2026-11-20T00:00:00Z\"",
			"manifest.json: expires: not later than not_before: never valid" },
		{ "family", "\"MCXN947\"",
			"manifest.json: family: \"MCXN947\", a family like \"mcxn947\" wanted" },
		{ "revisions", "[]", "manifest.json: revisions: 0 items, 1 to 8 wanted" },
		{ "revisions", "[\"a1\",\"a1\"]",
			"manifest.json: revisions[1]: \"a1\" is there twice" },
		{ "revisions[0]", "\"A1\"",
			"manifest.json: revisions[0]: \"A1\", a revision like \"a1\" wanted" },
		{ "lifecycle", "\"develop\"", "manifest.json: lifecycle: text, an object wanted" },
		{ "lifecycle.during", "1", "manifest.json: lifecycle: unknown member \"during\"" },
		{ "lifecycle.before", "[]",
			"manifest.json: lifecycle.before: 0 items, 1 to 8 wanted" },
		{ "lifecycle.before[0]", "\"open\"",
			"manifest.json: lifecycle.before[0]: \"open\", a life cycle like "
			"\"in-field\" wanted" },
		{ "lifecycle.before[0]", "\"develop\"",
			"manifest.json: lifecycle.before[1]: \"develop\" is there twice" },
		{ "lifecycle.after", "\"unknown\"",
			"manifest.json: lifecycle.after: \"unknown\", a life cycle like "
			"\"in-field\" wanted" },
		{ "rkth", "\"abcd\"",
			"manifest.json: rkth: \"abcd\", 64 lower-case hex digits wanted" },
		{ "interface.usb", "true", "manifest.json: interface: unknown member \"usb\"" },
		{ "interface.baud", "115200",
			"manifest.json: interface.baud: a number, an array wanted" },
		{ "interface.baud[1]", "300",
			"manifest.json: interface.baud[1]: 300, 1200 to 12000000 wanted" },
		{ "script", "\"docs/readme.txt\"",
			"manifest.json: script: \"docs/readme.txt\" is not among the files" },
		{ "script", "\"sb/image.sb3\"",
			"manifest.json: script: \"sb/image.sb3\" has role \"image-sb\", \"script\" "
			"wanted" },
		{ "min_runner", "\"1.0\"",
			"manifest.json: min_runner: \"1.0\", a version like \"1.0.0\" wanted" },
		{ "min_runner", "\"1.00.0\"",
			"manifest.json: min_runner: \"1.00.0\", a version like \"1.0.0\" wanted" },
		{ "min_runner", "\"latest\"",
			"manifest.json: min_runner: \"latest\", a version like \"1.0.0\" wanted" },
		{ "policy.approvals", "0", "manifest.json: policy.approvals: 0, 1 to 16 wanted" },
		{ "policy.approvals", "17", "manifest.json: policy.approvals: 17, 1 to 16 wanted" },
		{ "policy.requires_order", "\"no\"",
			"manifest.json: policy.requires_order: text, true or false wanted" },
		{ "policy.skip_checks", "true",
			"manifest.json: policy: unknown member \"skip_checks\"" },
		{ "files", "[]", "manifest.json: files: 0 items, 1 to 62 wanted" },
		{ "files[0].path", "\"/x\"",
			"manifest.json: files[0].path: name \"/x\": absolute path" },
		{ "files[0].path", "\"manifest.json\"",
			"manifest.json: files[0].role: role \"image-sb\" does not fit the path "
			"\"manifest.json\"" },
		{ "files[0].path", "\"signatures/x\"",
			"manifest.json: files[0].role: role \"image-sb\" does not fit the path "
			"\"signatures/x\"" },
		{ "files[0].path", "\"sb/provisioning.sb3\"",
			"manifest.json: files[1]: \"sb/provisioning.sb3\" is listed twice" },
		{ "files[0].role", "\"firmware\"",
			"manifest.json: files[0].role: \"firmware\" is not a role" },
		{ "files[0].role", "\"provisioning-sb\"",
			"manifest.json: files: 2 files with role \"provisioning-sb\", at most one "
			"wanted" },
		{ "files[1].role", "\"image-sb\"", NULL }, /* the form is good; its SB3.1 is not */
		{ "files[0].size", "-1", "manifest.json: files[0].size: -1, 0 to 67108864 wanted" },
		{ "files[0].size", "67108865",
			"manifest.json: files[0].size: 67108865, 0 to 67108864 wanted" },
		{ "files[0].sha256", "\"00\"",
			"manifest.json: files[0].sha256: \"00\", 64 lower-case hex digits wanted" },
		{ "files[0].mode", "420", "manifest.json: files[0]: unknown member \"mode\"" },
		{ "files[0]", "null", "manifest.json: files[0]: null, an object wanted" },
	};
	(void)state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		AUTO(json_freep) json_t *j = good_json();
		struct manifest *m = calloc(1, sizeof *m);
		struct err e = { 0 };
		const char *key = NULL;
		size_t index = 0;
		json_t *value = json_loads(cases[i].value, JSON_DECODE_ANY, NULL);
		json_t *at = holder(j, cases[i].path, &key, &index);
		assert_non_null(at);
		assert_non_null(m);
		assert_int_equal(key ? json_object_set_new(at, key, value)
				     : json_array_set_new(at, index, value),
			0);
		int r = parse(j, m, &e);
		if ((r == 0) != (cases[i].message == NULL))
			fail_msg("%s = %s: %s", cases[i].path, cases[i].value,
				r ? e.msg : "accepted");
		if (cases[i].message && strcmp(e.msg, cases[i].message) != 0)
			fail_msg("%s = %s:\n  \"%s\", wanted\n  \"%s\"", cases[i].path,
				cases[i].value, e.msg, cases[i].message);
		assert_true(r == 0 || m->n_files == 0); /* unchanged on failure */
		free(m);
	}
}

static void every_member_is_required(void **state)
{
	(void)state;
	AUTO(json_freep) json_t *names = good_json();
	const char *key;
	json_t *v;

	json_object_foreach(names, key, v)
	{
		AUTO(json_freep) json_t *j = good_json();
		struct manifest m;
		struct err e = { 0 };
		char want[100];
		json_object_del(j, key);
		if (parse(j, &m, &e) == 0)
			fail_msg("without %s: accepted", key);
		snprintf(want, sizeof want, "manifest.json: %s: missing, ", key);
		if (strncmp(e.msg, want, strlen(want)) != 0)
			fail_msg("\"%s\", wanted \"%s...\"", e.msg, want);
	}
}

static void size_limit(void **state)
{
	(void)state;
	AUTO(buf_clear) struct buf b = { 0 };
	struct manifest m;
	struct err e = { 0 };

	wr_zero(&b, MANIFEST_MAX_SIZE + 1);
	assert_int_equal(manifest_parse(&m, b.p, b.len, &e), -1);
	assert_string_equal(e.msg, "manifest.json: 262145 bytes, at most 262144 wanted");
	assert_int_equal(e.code, ERR_LIMIT);
}

static void versions(void **state)
{
	(void)state;
	static const char *const order[] = { "0.0.1", "0.1.0", "0.9.0", "0.10.0", "1.0.0", "1.0.10",
		"1.10.0", "2.0.0", "10.0.0", "999999.0.0" };

	for (size_t i = 0; i < sizeof order / sizeof *order; i++)
		for (size_t k = 0; k < sizeof order / sizeof *order; k++) {
			int want = i < k ? -1 : i > k;
			assert_int_equal(version_compare(order[i], order[k]), want);
		}
	assert_true(version_valid("1.2.3"));
	static const char *const bad[] = { "", "1", "1.2", "1.2.3.4", "1.2.3-rc", "v1.2.3", "1..3",
		"01.2.3", "1.2.3 ", "1000000.0.0" };
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_false(version_valid(bad[i]));
}

static void checksums(void **state)
{
	(void)state;
	AUTO(json_freep) json_t *j = good_json();
	AUTO(buf_clear) struct buf sums = { 0 };
	struct manifest m;
	struct err e = { 0 };

	assert_int_equal(parse(j, &m, &e), 0);
	sums_write(&m, &sums);
	assert_int_equal(sums_check(&m, sums.p, sums.len, &e), 0);
	assert_null(strstr(buf_text(&sums), "SHA256SUMS"));
	assert_int_equal(sums_check(&m, sums.p, sums.len - 1, &e), -1);
	assert_string_equal(e.msg, "SHA256SUMS: line 3 does not agree with the manifest");
	sums.p[70] ^= 1; /* line 1 is longer than 70 bytes */
	assert_int_equal(sums_check(&m, sums.p, sums.len, &e), -1);
	assert_string_equal(e.msg, "SHA256SUMS: line 1 does not agree with the manifest");
	assert_int_equal(sums_check(&m, "", 0, &e), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip),
		cmocka_unit_test(broken),
		cmocka_unit_test(every_member_is_required),
		cmocka_unit_test(size_limit),
		cmocka_unit_test(versions),
		cmocka_unit_test(checksums),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

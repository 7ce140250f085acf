/* CMPA, CFPA and fuse scripts: all recorded vectors, the refusals where the reference tool has a
 * defect, lint rules, and named broken configurations with their exact messages. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <jansson.h>

#include "base/fsio.h"
#include "base/json.h"
#include "base/text.h"
#include "crypt/digest.h"
#include "image/pfr.h"
#include "mfgpkg/build/pfr_build.h"

#define DIR "tests/vectors/pfr"

static void collect(void *ctx, const char *text)
{
	wr_str(ctx, text);
	wr_str(ctx, "\n");
}

static char *vector_path(char out[200], const char *file)
{
	snprintf(out, 200, DIR "/%s", file);
	return out;
}
#define VECTOR(file) vector_path((char[200]){ 0 }, (file))

static void read_file(const char *path, struct buf *out)
{
	struct err e = { 0 };
	if (fsio_read(path, 1 << 20, out, &e) != 0)
		fail_msg("%s", e.msg);
}

static json_t *read_index(void)
{
	struct err e = { 0 };
	AUTO(buf_clear) struct buf text = { 0 };

	read_file(VECTOR("index.json"), &text);
	json_t *j = json_read("index.json", text.p, text.len, &e);
	if (!j)
		fail_msg("%s", e.msg);
	return j;
}

static const char *str(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

/* What `pfr export` does with the options of a vector. */
static int export_case(const json_t *c, struct pfr_page *page, struct err *e)
{
	AUTO(keystore_freep) struct keystore *ks = NULL;
	AUTO(config_freep) struct config *doc = NULL;
	const json_t *keys = json_object_get(c, "rot_keys");
	const char *rot_config = str(c, "rot_config");
	char paths[8][200];
	const char *list[8];
	uint8_t rkth[48];
	size_t len = 0, n = json_array_size(keys);

	if (keystore_new(&ks, NULL, e) != 0 || config_load(&doc, VECTOR(str(c, "config")), e) != 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		list[i] = vector_path(paths[i], json_string_value(json_array_get(keys, i)));
	if (n && pfr_rkth_of_keys(ks, list, n, rkth, &len, e) != 0)
		return -1;
	if (rot_config && pfr_rkth_of_config(ks, VECTOR(rot_config), rkth, &len, e) != 0)
		return -1;
	struct pfr_build b = {
		.rkth = len ? rkth : NULL,
		.rkth_len = len,
		.seal = json_is_true(json_object_get(c, "seal")),
	};
	return pfr_build(doc, &b, page, e);
}

/* Where a correct tool differs from the recorded one, on purpose. */
static const struct {
	const char *name, *message; /* NULL: accepted with other bytes */
} known_differences[] = {
	{ "cmpa_wrap_exact_2pow", DIR
		"/cmpa_wrap_exact_2pow.yaml:6:23: key `settings.FLASH_CFG.FLASH_REMAP_SIZE`: 32 "
		"is too large for 5 bits, at most 0x1F" },
	{ "cmpa_header_changed",
		DIR "/cmpa_header_changed.yaml:6:13: key `settings.BOOT_CFG.HEADER`: the marker "
		    "HEADER must stay 0x5963, this makes it 0x1234" },
	{ "cmpa_uid_no_inverse", NULL },
};

static bool is_known_difference(const char *name, const char **message)
{
	for (size_t i = 0; i < sizeof known_differences / sizeof *known_differences; i++)
		if (strcmp(known_differences[i].name, name) == 0) {
			*message = known_differences[i].message;
			return true;
		}
	return false;
}

static void test_export_vectors(void **state)
{
	(void)state;
	AUTO(json_freep) json_t *index = read_index();
	json_t *c;
	size_t i, n_ok = 0, n_error = 0, n_different = 0;

	json_array_foreach(json_object_get(index, "cases"), i, c)
	{
		const char *name = str(c, "name"), *message = NULL;
		struct pfr_page page;
		struct err e = { 0 };
		if (strcmp(str(c, "kind"), "export") != 0)
			continue;
		int rc = export_case(c, &page, &e);
		if (strcmp(str(c, "expect"), "error") == 0) {
			if (rc == 0)
				fail_msg("%s: accepted", name);
			assert_int_equal(e.code, ERR_CONFIG);
			n_error++;
			continue;
		}
		bool different = is_known_difference(name, &message);
		if (message) {
			assert_int_equal(rc, -1);
			assert_string_equal(e.msg, message);
			n_different++;
			continue;
		}
		if (rc != 0)
			fail_msg("%s: %s", name, e.msg);
		AUTO(buf_clear) struct buf want = { 0 };
		read_file(VECTOR(str(c, "binary")), &want);
		uint8_t hash[32];
		char hex[65];
		sha256_of(want.p, want.len, hash);
		assert_string_equal(hex_encode(hex, hash, 32), str(c, "sha256"));
		if (different) {
			assert_memory_not_equal(page.data, want.p, 512);
			n_different++;
			continue;
		}
		for (size_t k = 0; k < 512; k++)
			if (page.data[k] != want.p[k])
				fail_msg("%s: byte 0x%03zX is %02X, wanted %02X", name, k,
					page.data[k], want.p[k]);
		assert_string_equal(page.id == FAMILY_CMPA ? "cmpa" : "cfpa", str(c, "page"));
		n_ok++;
	}
	printf("export vectors: %zu identical, %zu refused as recorded, %zu known differences\n",
		n_ok, n_error, n_different);
	assert_int_equal(n_ok, 57);
	assert_int_equal(n_error, 15);
	assert_int_equal(n_different, 3);
}

/* The uid form computes the inverse half like the name form does, and says so. */
static void test_uid_computes_inverse(void **state)
{
	(void)state;
	AUTO(config_freep) struct config *doc = NULL;
	AUTO(buf_clear) struct buf warnings = { 0 };
	struct pfr_build b = { .warn = collect, .warn_ctx = &warnings };
	struct pfr_page page;
	struct err e = { 0 };

	assert_int_equal(config_load(&doc, VECTOR("cmpa_uid_no_inverse.yaml"), &e), 0);
	assert_int_equal(pfr_build(doc, &b, &page, &e), 0);
	assert_int_equal(get_le32(page.data + CMPA_CC_SOCU_PIN_OFF), 0xFFFD0002);
	assert_string_equal(buf_text(&warnings), DIR
		"/cmpa_uid_no_inverse.yaml:6:5: key `settings.field040`: the inverse half of "
		"CC_SOCU_PIN is computed (other tools leave it out when the register is given by "
		"uid)\n" DIR "/cmpa_uid_no_inverse.yaml: CC_SOCU_PIN is 0xFFFD0002 and "
		"CC_SOCU_DFLT is 0x00000000: either both are set or none\n");
}

/* Text of a configuration scalar as the index compares it. */
static json_t *node_json(const struct config_node *n)
{
	if (config_kind(n) != CONFIG_MAP)
		return json_string(config_text(n));
	json_t *o = json_object();
	for (size_t i = 0; i < config_len(n); i++) {
		const char *key;
		const struct config_node *v = config_pair(n, i, &key);
		json_object_set_new(o, key, node_json(v));
	}
	return o;
}

/* Inverse halves are always printed here; the recorded tool leaves out those that are zero. */
static void drop_extra_inverses(json_t *ours, const json_t *theirs)
{
	const char *reg, *key;
	json_t *fields, *v;
	void *tmp, *tmp2;

	json_object_foreach_safe(ours, tmp, reg, fields)
	{
		const json_t *other = json_object_get(theirs, reg);
		if (!json_is_object(fields))
			continue;
		json_object_foreach_safe(fields, tmp2, key, v)
		{
			bool inverse = strncasecmp(key, "inv", 3) == 0 ||
				       strncasecmp(key, "reserved_", 9) == 0;
			if (inverse && !json_object_get(other, key))
				json_object_del(fields, key);
		}
	}
}

static void check_parse(const json_t *c, const char *which, bool diff)
{
	AUTO(buf_clear) struct buf bin = { 0 };
	AUTO(config_freep) struct config *want = NULL;
	enum family_page_id id = strcmp(str(c, "page"), "cmpa") == 0 ? FAMILY_CMPA : FAMILY_CFPA;
	const struct family *f = family_find("mcxn947");
	struct err e = { 0 };

	read_file(VECTOR(str(c, "binary")), &bin);
	assert_int_equal(pfr_check(&f->tables->pages[id], bin.p, bin.len, &e), 0);
	AUTO(json_freep) json_t *doc = pfr_json(f, FAMILY_REV_A1, id, bin.p, diff);
	assert_int_equal(config_load(&want, VECTOR(str(c, which)), &e), 0);
	AUTO(json_freep)
	json_t *theirs = node_json(config_get(config_root(want), "settings"));
	AUTO(json_freep) json_t *ours = json_deep_copy(json_object_get(doc, "settings"));
	drop_extra_inverses(ours, theirs);
	if (!json_equal(ours, theirs)) {
		const char *key;
		json_t *v;
		json_object_foreach(theirs, key, v) if (!json_equal(v, json_object_get(ours, key)))
			fail_msg("%s %s: %s: ours %s, theirs %s", str(c, "name"), which, key,
				json_dumps(json_object_get(ours, key), JSON_ENCODE_ANY),
				json_dumps(v, JSON_ENCODE_ANY));
		json_object_foreach(ours, key, v) if (!json_object_get(theirs, key))
			fail_msg("%s %s: %s is not in theirs", str(c, "name"), which, key);
	}

	/* Our own output makes the same page again, in full and as differences. */
	AUTO(buf_clear) struct buf yaml = { 0 };
	AUTO(config_freep) struct config *again = NULL;
	struct pfr_build b = { 0 };
	struct pfr_page page;
	assert_int_equal(pfr_yaml(doc, &yaml, &e), 0);
	assert_int_equal(config_load_bytes(&again, "again.yaml", yaml.p, yaml.len, &e), 0);
	if (pfr_build(again, &b, &page, &e) != 0)
		fail_msg("%s %s: %s", str(c, "name"), which, e.msg);
	assert_memory_equal(page.data, bin.p, 512);
}

static void test_parse_vectors(void **state)
{
	(void)state;
	AUTO(json_freep) json_t *index = read_index();
	json_t *c;
	size_t i, n = 0;

	json_array_foreach(
		json_object_get(index, "cases"), i, c) if (strcmp(str(c, "kind"), "parse") == 0)
	{
		check_parse(c, "full", false);
		check_parse(c, "diff", true);
		n++;
	}
	assert_int_equal(n, 11);
}

/* Every page of the vectors, a1, survives parse and export, full and diff, reserved words too. */
static void test_round_trip_of_everything(void **state)
{
	(void)state;
	const struct family *f = family_find("mcxn947");
	struct err e = { 0 };
	uint32_t seed = 1;

	for (unsigned round = 0; round < 400; round++) {
		enum family_page_id id = round & 1 ? FAMILY_CFPA : FAMILY_CMPA;
		enum family_revision rev = round & 2 ? FAMILY_REV_A0 : FAMILY_REV_A1;
		const struct family_page *page = &f->tables->pages[id];
		uint8_t data[512];
		for (size_t i = 0; i < 512; i++) {
			seed = seed * 1664525 + 1013904223;
			data[i] = round & 4 ? 0 : (uint8_t)(seed >> 24);
		}
		put_le32(data, (uint32_t)page->marker << 16 | (get_le32(data) & 0xFFFF));
		if (round & 8) /* a P-256 ROTKH */
			memset(data + 0x80, 0, 16);
		for (int diff = 0; diff < 2; diff++) {
			AUTO(json_freep) json_t *doc = pfr_json(f, rev, id, data, diff);
			AUTO(buf_clear) struct buf yaml = { 0 };
			AUTO(config_freep) struct config *again = NULL;
			struct pfr_build b = { 0 };
			struct pfr_page out;
			assert_int_equal(pfr_yaml(doc, &yaml, &e), 0);
			assert_int_equal(
				config_load_bytes(&again, "a.yaml", yaml.p, yaml.len, &e), 0);
			if (pfr_build(again, &b, &out, &e) != 0)
				fail_msg("round %u: %s", round, e.msg);
			assert_memory_equal(out.data, data, 512);
		}
	}
}

static void test_fuse_vectors(void **state)
{
	(void)state;
	AUTO(json_freep) json_t *index = read_index();
	json_t *c;
	size_t i, n = 0;

	json_array_foreach(json_object_get(index, "cases"), i, c)
	{
		AUTO(config_freep) struct config *doc = NULL;
		AUTO(buf_clear) struct buf want = { 0 };
		AUTO(buf_clear) struct buf script = { 0 };
		AUTO(buf_clear) struct buf commands = { 0 };
		struct err e = { 0 };
		if (strcmp(str(c, "kind"), "fuses") != 0)
			continue;
		assert_int_equal(config_load(&doc, VECTOR(str(c, "config")), &e), 0);
		if (fuses_build(doc, &script, NULL, NULL, &e) != 0)
			fail_msg("%s: %s", str(c, "name"), e.msg);
		char *save, *copy = strdup(buf_text(&script));
		for (char *line = strtok_r(copy, "\n", &save); line;
			line = strtok_r(NULL, "\n", &save))
			if (line[0] != '#')
				wr_printf(&commands, "%s\n", line);
		free(copy);
		read_file(VECTOR(str(c, "commands")), &want);
		assert_string_equal(buf_text(&commands), buf_text(&want));
		n++;
	}
	assert_int_equal(n, 5);
}

/* --- broken configurations -------------------------------------------------------------------- */

#define HEAD "family: mcxn947\ntype: CMPA\nsettings:\n"

static void test_broken_configurations(void **state)
{
	(void)state;
	static const struct {
		const char *text, *message;
	} cases[] = {
		{ "type: CMPA\nsettings: {}", "t:1:1: missing key `family`" },
		{ "family: mcxn947\nsettings: {}", "t:1:1: missing key `type`" },
		{ "family: mcxn947\ntype: CMPA", "t:1:1: missing key `settings`" },
		{ "family: mcxn947\ntype: CMPA\nsettings:",
			"t:3:10: key `settings`: this is nothing (null), a map of registers is "
			"wanted" },
		{ "family: [x]\ntype: CMPA\nsettings: {}",
			"t:1:9: key `family`: this is a list, text is wanted" },
		{ "family: lpc55\ntype: CMPA\nsettings: {}",
			"t:1:9: key `family`: unknown family \"lpc55\" (known: mcxn947, mcxn946, "
			"mcxn547, mcxn546)" },
		{ "family: mcxn947\nrevision: b0\ntype: CMPA\nsettings: {}",
			"t:2:11: key `revision`: unknown revision \"b0\" (a0, a1 or latest)" },
		{ "family: mcxn947\ntype: Cmpa\nsettings: {}",
			"t:2:7: key `type`: \"Cmpa\" is neither CMPA nor CFPA" },
		{ HEAD "  BOOT_CFGG: 1",
			"t:4:14: key `settings.BOOT_CFGG`: unknown CMPA register, did you mean "
			"`BOOT_CFG`?" },
		{ HEAD "  CFPA_PAGE_VERSION: 1",
			"t:4:22: key `settings.CFPA_PAGE_VERSION`: unknown CMPA register" },
		{ HEAD "  BOOT_CFG: {BOOT_SRCE: 1}", "t:4:25: key `settings.BOOT_CFG.BOOT_SRCE`: "
						     "BOOT_CFG has no such field, did "
						     "you mean `BOOT_SRC`?" },
		{ HEAD "  BOOT_CFG: {field000-bits0-1: 1}",
			"t:4:32: key `settings.BOOT_CFG.field000-bits0-1`: BOOT_CFG has no such "
			"field" },
		{ HEAD "  NPX_CTX0_WD0: {X: 1}", "t:4:21: key `settings.NPX_CTX0_WD0.X`: "
						 "NPX_CTX0_WD0 has no fields, a number "
						 "is wanted" },
		{ HEAD "  BOOT_CFG: {BOOT_SRC: MOON}",
			"t:4:24: key `settings.BOOT_CFG.BOOT_SRC`: \"MOON\" is not one of "
			"INTERNAL_FLASH_0B00, FLEXSPI_FLASH_XIP, SECONDARY_BOOTLOADER, "
			"INTERNAL_FLASH_0B11, nor a number" },
		{ HEAD "  BOOT_CFG: {BOOT_SRC: 4}",
			"t:4:24: key `settings.BOOT_CFG.BOOT_SRC`: 4 is too large for 2 bits, at "
			"most 0x3" },
		{ HEAD "  BOOT_CFG: {BOOT_SRC: -1}", "t:4:24: key `settings.BOOT_CFG.BOOT_SRC`: "
						     "\"-1\": negative numbers are not "
						     "allowed" },
		{ HEAD "  BOOT_CFG: {BOOT_SRC: off}",
			"t:4:24: key `settings.BOOT_CFG.BOOT_SRC`: off is a boolean in YAML 1.1, a "
			"number is wanted" },
		{ HEAD "  BOOT_CFG: {BOOT_SRC: 'RAW:x'}",
			"t:4:24: key `settings.BOOT_CFG.BOOT_SRC`: \"RAW:x\" is not RAW: and a "
			"number" },
		{ HEAD "  BOOT_CFG: {BOOT_SRC: 1, boot_src: 1}",
			"t:4:37: key `settings.BOOT_CFG.boot_src`: the same field of BOOT_CFG is "
			"given twice" },
		{ HEAD "  BOOT_CFG: [1]",
			"t:4:13: key `settings.BOOT_CFG`: this is a list, a number or a map of "
			"fields is wanted" },
		{ HEAD "  VENDOR_USAGE: 0x1_0000_0000",
			"t:4:17: key `settings.VENDOR_USAGE`: 0x1_0000_0000 is too large, at most "
			"0xFFFFFFFF" },
		{ HEAD "  CC_SOCU_PIN: 0\n  DCFG_CC_SOCU_PIN: 0",
			"t:5:21: key `settings.DCFG_CC_SOCU_PIN`: the same word as in line 4 "
			"(CC_SOCU_PIN)" },
		{ HEAD "  CC_SOCU_PIN: 0\n  field040: 0", "t:5:13: key `settings.field040`: the "
							  "same word as in line 4 (CC_SOCU_PIN)" },
		{ HEAD "  ROTKH3: 0\n  ROTKH: '0000000000000000000000000000000000000000000000000000"
		       "000000000000'",
			"t:5:10: key `settings.ROTKH`: the same word as in line 4 (ROTKH3)" },
		{ HEAD "  CC_SOCU_PIN: {value: 0, bitfields: {}}",
			"t:4:16: key `settings.CC_SOCU_PIN`: `value` or `bitfields` must be the "
			"only "
			"key of CC_SOCU_PIN" },
		{ HEAD "  CC_SOCU_PIN: {bitfields: 1}",
			"t:4:28: key `settings.CC_SOCU_PIN.bitfields`: this is a number, a map of "
			"fields is wanted" },
		{ HEAD "  ROTKH: A1B2C3",
			"t:4:10: key `settings.ROTKH`: 6 hex digits, ROTKH has 64 (SHA-256) or 96 "
			"(SHA-384)" },
		{ HEAD "  ROTKH: 'A1B2C3X'",
			"t:4:10: key `settings.ROTKH`: 'X' at digit 7 is not a hex digit" },
		{ HEAD "  ROTKH: 010203", "t:4:10: key `settings.ROTKH`: unquoted digits are a "
					  "decimal number in YAML: "
					  "put the hex string in quotes" },
		{ HEAD "  ROTKH: ''",
			"t:4:10: key `settings.ROTKH`: empty, hex digits are wanted" },
		{ HEAD "  IPED0_START: {IPED_CTX0_START_ADDR: 0x100000000}",
			"t:4:39: key `settings.IPED0_START.IPED_CTX0_START_ADDR`: 0x100000000 is "
			"too "
			"large for 24 bits after the shift right by 8" },
		{ "family: mcxn947\nrevision: a0\ntype: CMPA\nsettings:\n"
		  "  CUST_MK_SK_KEY_BLOB: '000102030405060708090a0b0c0d0e0f'",
			"t:5:24: key `settings.CUST_MK_SK_KEY_BLOB`: "
			"\"000102030405060708090a0b0c0d0e0f\" is not a number (0x.., 0b.., 0o.. or "
			"decimal)" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		AUTO(config_freep) struct config *doc = NULL;
		struct pfr_build b = { 0 };
		struct pfr_page page;
		struct err e = { 0 };
		assert_int_equal(
			config_load_bytes(&doc, "t", cases[i].text, strlen(cases[i].text), &e), 0);
		if (pfr_build(doc, &b, &page, &e) == 0)
			fail_msg("accepted: %s", cases[i].text);
		if (strcmp(e.msg, cases[i].message) != 0)
			fail_msg("\"%s\", wanted \"%s\"", e.msg, cases[i].message);
		assert_int_equal(e.code, ERR_CONFIG);
	}
}

static void test_broken_pages(void **state)
{
	(void)state;
	const struct family_page *cmpa = &family_find("mcxn947")->tables->pages[FAMILY_CMPA];
	uint8_t page[513] = { 0, 0, 0x63, 0x59 };
	struct err e = { 0 };

	assert_int_equal(pfr_check(cmpa, page, 512, &e), 0);
	assert_int_equal(pfr_check(cmpa, page, 511, &e), -1);
	assert_string_equal(e.msg, "511 bytes, a cmpa page has 512");
	assert_int_equal(pfr_check(cmpa, page, 513, &e), -1);
	assert_string_equal(e.msg, "513 bytes, a cmpa page has 512");
	page[2] = 0;
	assert_int_equal(pfr_check(cmpa, page, 512, &e), -1);
	assert_string_equal(e.msg, "marker 0x5900 in the first word, a cmpa page has 0x5963");
	page[2] = 0x35;
	page[3] = 0x96;
	assert_int_equal(pfr_check(cmpa, page, 512, &e), -1);
	assert_string_equal(e.msg,
		"marker 0x9635 in the first word, a cmpa page has 0x5963 (this is a cfpa page)");
}

/* --- lint ---------------------------------------------------------------------------------------
 */

static void lint_line(void *ctx, bool dangerous, const char *text)
{
	wr_printf(ctx, "%s%s\n", dangerous ? "! " : "", text);
}

static void test_lint(void **state)
{
	(void)state;
	const struct family *f = family_find("mcxn947");
	static const struct {
		uint32_t pin, dflt, boot; /* CMPA */
		uint32_t header, version, ns_pin, ns_dflt, revoke; /* CFPA */
		unsigned n;
		const char *text;
	} cases[] = {
		{ .n = 0, .text = "" },
		{ .pin = 0xF81007EF, .dflt = 0xFFFF0000, .text = "" },
		{ .pin = 0xFFFF0000, .dflt = 0xFFFF0000, .text = "" },
		{ .pin = 0x00000003,
			.dflt = 0xFFFF0000,
			.n = 1,
			.text = "CC_SOCU_PIN (0x040) is 0x00000003: its inverse half is wrong, "
				"0xFFFC0003 would be right\n" },
		{ .pin = 0xFFFF0000,
			.dflt = 0xFFFD0002,
			.n = 1,
			.text = "DBGEN is enabled in CC_SOCU_DFLT but not fixed in CC_SOCU_PIN: "
				"enabled by default and decided by authentication do not go "
				"together\n" },
		{ .pin = 0xFFFF0000,
			.n = 1,
			.text = "CC_SOCU_PIN is 0xFFFF0000 and CC_SOCU_DFLT is 0x00000000: either "
				"both are set or none\n" },
		{ .boot = 3,
			.n = 1,
			.text = "SEC_BOOT_EN asks for signed images but ROTKH is empty: no image "
				"can "
				"boot\n" },
		{ .header = 0x1234F00F,
			.n = 1,
			.text = "the marker in the first word is 0x1234 instead of 0x9635: no "
				"device "
				"takes this page\n" },
		{ .header = 0x9635000F,
			.n = 1,
			.text = "Header (0x000) is 0x9635000F: its inverse half is wrong, "
				"0x9635F00F "
				"would be right\n" },
		{ .header = 0x9635E01F,
			.n = 1,
			.text = "CFPA_LC_STATE 0x1F (FIELD_RETURN_OEM) is not a state for CFPA and "
				"can make the part unusable\n" },
		{ .version = 5u << 27 | 0xFFFFFF,
			.n = 0,
			.text = "! CMPA_UPD moves the fuse life cycle to IN_FIELD: it cannot be "
				"undone\n" },
		{ .version = 4u << 27 | 0xFFFFFF,
			.n = 1,
			.text = "CMPA_UPD 4 has no meaning (0, 2, 3, 5 or 6)\n" },
		{ .ns_pin = 0xFFFE0001,
			.ns_dflt = 0xFFFF0000,
			.n = 1,
			.text = "NIDEN is set in CFPA DCFG_CC_SOCU_NS_PIN but not in CMPA "
				"CC_SOCU_PIN, so it has no effect\n" },
		{ .revoke = 5,
			.n = 1,
			.text = "Image_key_revocation_ID 0x000005 is not unary (0, 1, 3, 7, 0xF, "
				"...)\n" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		uint8_t cmpa[512] = { 0 }, cfpa[512] = { 0 };
		AUTO(buf_clear) struct buf text = { 0 };
		put_le32(cmpa, 0x59630000);
		put_le32(cmpa + CMPA_CC_SOCU_PIN_OFF, cases[i].pin);
		put_le32(cmpa + CMPA_CC_SOCU_DFLT_OFF, cases[i].dflt);
		put_le32(cmpa + CMPA_SECURE_BOOT_CFG_OFF, cases[i].boot);
		put_le32(cfpa, cases[i].header ? cases[i].header : 0x96350000);
		put_le32(cfpa + CFPA_VERSION_OFF,
			cases[i].version ? cases[i].version : CFPA_VERSION_INCREMENT);
		put_le32(cfpa + CFPA_SOCU_NS_PIN_OFF, cases[i].ns_pin);
		put_le32(cfpa + CFPA_SOCU_NS_DFLT_OFF, cases[i].ns_dflt);
		put_le32(cfpa + CFPA_IMAGE_KEY_REVOKE_OFF, cases[i].revoke);
		unsigned n = pfr_lint(f, FAMILY_REV_A1, cmpa, cfpa, lint_line, &text);
		assert_string_equal(text.len ? buf_text(&text) : "", cases[i].text);
		assert_int_equal(n, cases[i].n);
	}
}

static void test_fuse_warnings_and_errors(void **state)
{
	(void)state;
	static const struct {
		const char *text, *warnings, *message;
	} cases[] = {
		{ "registers: {LIFE_CYCLE: {LIFECYCLE: IN_FIELD, LIFECYCLE_DP: IN_FIELD}}",
			"t:2:25: key `registers.LIFE_CYCLE`: burns the life cycle IN_FIELD: it "
			"cannot "
			"be undone\n",
			NULL },
		{ "registers: {fuse1: 0x03}",
			"t:2:20: key `registers.fuse1`: the two copies of the life cycle differ: "
			"0x03 "
			"and 0x00\n",
			NULL },
		{ "registers: {fuse8: 1}", NULL, "t:2:20: key `registers.fuse8`: unknown fuse" },
		{ "registers: {ROTKH: 1}", NULL,
			"t:2:20: key `registers.ROTKH`: unknown fuse, did you mean `ROTKH0`?" },
		{ "settings: {}", NULL, "t:1:1: missing key `registers`" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		AUTO(config_freep) struct config *doc = NULL;
		AUTO(buf_clear) struct buf warnings = { 0 };
		AUTO(buf_clear) struct buf script = { 0 };
		struct err e = { 0 };
		char text[300];
		snprintf(text, sizeof text, "family: mcxn947\n%s", cases[i].text);
		assert_int_equal(config_load_bytes(&doc, "t", text, strlen(text), &e), 0);
		int rc = fuses_build(doc, &script, collect, &warnings, &e);
		assert_int_equal(rc, cases[i].message ? -1 : 0);
		if (cases[i].message)
			assert_string_equal(e.msg, cases[i].message);
		else
			assert_string_equal(buf_text(&warnings), cases[i].warnings);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_export_vectors),
		cmocka_unit_test(test_uid_computes_inverse),
		cmocka_unit_test(test_parse_vectors),
		cmocka_unit_test(test_round_trip_of_everything),
		cmocka_unit_test(test_fuse_vectors),
		cmocka_unit_test(test_broken_configurations),
		cmocka_unit_test(test_broken_pages),
		cmocka_unit_test(test_lint),
		cmocka_unit_test(test_fuse_warnings_and_errors),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

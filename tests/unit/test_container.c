/* The canonical container: every vector good and bad, writing equals reading, fields at their
 * edges.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>

#include "base/json.h"
#include "base/text.h"
#include "crypt/digest.h"
#include "evidence_support.h"
#include "pkg/container.h"

static struct buf zip_file(const char *file)
{
	char name[256];

	snprintf(name, sizeof name, "zip/%s", file);
	return ev_file(name);
}

/* The encoding written down once more, straight from its table: what container_parse() accepts must
 * be exactly what this gives. */
static void reference_encoding(const struct container *c, struct buf *out)
{
	uint32_t at[CONTAINER_MAX_ENTRIES];

	for (size_t i = 0; i < c->n; i++) {
		const struct container_entry *x = &c->entries[i];
		at[i] = (uint32_t)out->len;
		wr_le32(out, 0x04034b50);
		wr_le16(out, 10);
		wr_le16(out, 0);
		wr_le16(out, 0);
		wr_le16(out, 0);
		wr_le16(out, 0x21);
		wr_le32(out, (uint32_t)crc32(0, x->data, (uInt)x->len));
		wr_le32(out, (uint32_t)x->len);
		wr_le32(out, (uint32_t)x->len);
		wr_le16(out, (uint16_t)strlen(x->name));
		wr_le16(out, 0);
		wr_str(out, x->name);
		wr_bytes(out, x->data, x->len);
	}
	uint32_t dir = (uint32_t)out->len;
	for (size_t i = 0; i < c->n; i++) {
		const struct container_entry *x = &c->entries[i];
		wr_le32(out, 0x02014b50);
		wr_le16(out, 0x033F);
		wr_le16(out, 10);
		wr_le16(out, 0);
		wr_le16(out, 0);
		wr_le16(out, 0);
		wr_le16(out, 0x21);
		wr_le32(out, (uint32_t)crc32(0, x->data, (uInt)x->len));
		wr_le32(out, (uint32_t)x->len);
		wr_le32(out, (uint32_t)x->len);
		wr_le16(out, (uint16_t)strlen(x->name));
		wr_zero(out, 8);
		wr_le32(out, 0x81A40000);
		wr_le32(out, at[i]);
		wr_str(out, x->name);
	}
	uint32_t size = (uint32_t)out->len - dir;
	wr_le32(out, 0x06054b50);
	wr_le32(out, 0);
	wr_le16(out, (uint16_t)c->n);
	wr_le16(out, (uint16_t)c->n);
	wr_le32(out, size);
	wr_le32(out, dir);
	wr_le16(out, 0);
}

static void check_entries(const struct container *c, const json_t *want)
{
	json_t *v;
	size_t i;

	json_array_foreach(want, i, v)
	{
		if (!json_is_object(v)) /* the index shortens long lists */
			continue;
		uint8_t digest[32];
		char hex[65];
		assert_string_equal(c->entries[i].name, ev_str(v, "name"));
		assert_int_equal(c->entries[i].len, ev_int(v, "size"));
		sha256_of(c->entries[i].data, c->entries[i].len, digest);
		assert_string_equal(hex_encode(hex, digest, 32), ev_str(v, "sha256"));
	}
}

static void canonical_files(void **state)
{
	(void)state;
	AUTO(json_freep) json_t *index = ev_json("zip/index.json");
	size_t i, n = 0;
	json_t *v;

	json_array_foreach(json_object_get(index, "canonical"), i, v)
	{
		AUTO(buf_clear) struct buf b = zip_file(ev_str(v, "file"));
		AUTO(buf_clear) struct buf again = { 0 }, reference = { 0 };
		struct container c;
		struct err e = { 0 };
		if (container_parse(&c, b.p, b.len, &e) != 0)
			fail_msg("%s: %s", ev_str(v, "file"), e.msg);
		check_entries(&c, json_object_get(v, "entries"));
		reference_encoding(&c, &reference);
		assert_int_equal(reference.len, b.len);
		assert_memory_equal(reference.p, b.p, b.len);

		/* Written in any order, libzip gives the same bytes. */
		struct container_entry turned[CONTAINER_MAX_ENTRIES];
		for (size_t k = 0; k < c.n; k++)
			turned[k] = c.entries[c.n - 1 - k];
		if (container_write(turned, c.n, &again, &e) != 0)
			fail_msg("%s: %s", ev_str(v, "file"), e.msg);
		assert_int_equal(again.len, b.len);
		assert_memory_equal(again.p, b.p, b.len);
		n++;
	}
	assert_int_equal(n, 7);
}

static const struct {
	const char *file, *message;
} variant_messages[] = {
	{ "data-before.zip",
		"\"manifest.json\": local header at 10, 0 wanted (gap, overlap or hidden data)" },
	{ "gap-between-entries.zip",
		"\"docs/a.txt\": local header at 193, 192 wanted (gap, overlap or hidden data)" },
	{ "gap-before-directory.zip", "2 bytes between the last entry and the directory at 432" },
	{ "gap-before-end.zip", "end record: directory of 310 bytes at 430 does not end at 744" },
	{ "data-after.zip", "no end record at 741: cut off, a comment, or data behind it" },
	{ "archive-comment.zip", "no end record at 749: cut off, a comment, or data behind it" },
	{ "entry-comment.zip", "directory record at 545: comment length 0x1, 0x0 wanted" },
	{ "extra-local.zip", "local header at 192: extra field length 0x4, 0x0 wanted" },
	{ "extra-central-ut.zip", "directory record at 545: extra field length 0x9, 0x0 wanted" },
	{ "data-descriptor.zip", "directory record at 561: flags 0x8, 0x0 wanted" },
	{ "deflated.zip", "directory record at 547: version needed 0x14, 0xa wanted" },
	{ "utf8-flag.zip", "directory record at 545: flags 0x800, 0x0 wanted" },
	{ "version-needed-20.zip", "directory record at 545: version needed 0x14, 0xa wanted" },
	{ "made-by-3.0.zip", "directory record at 545: made-by 0x31e, 0x33f wanted" },
	{ "time-set.zip", "directory record at 545: time 0x6000, 0x0 wanted" },
	{ "time-local-only.zip", "local header at 192: date 0x5d74, 0x21 wanted" },
	{ "mode-0666.zip",
		"directory record at 545: external attributes 0x81b60000, 0x81a40000 wanted" },
	{ "mode-0755.zip",
		"directory record at 545: external attributes 0x81ed0000, 0x81a40000 wanted" },
	{ "symlink.zip",
		"directory record at 545: external attributes 0xa1ff0000, 0x81a40000 wanted" },
	{ "internal-text.zip", "directory record at 545: internal attributes 0x1, 0x0 wanted" },
	{ "directory-entry.zip",
		"directory record at 580: external attributes 0x41ed0010, 0x81a40000 wanted" },
	{ "order-swapped.zip", "\"SHA256SUMS\" after \"docs/a.txt\": wrong order" },
	{ "manifest-second.zip", "first entry is \"SHA256SUMS\", manifest.json wanted" },
	{ "central-order.zip",
		"\"sb/image.sb3\": local header at 238, 192 wanted (gap, overlap or hidden data)" },
	{ "duplicate.zip", "\"docs/a.txt\": there twice" },
	{ "hidden-local.zip",
		"\"sb/image.sb3\": local header at 284, 238 wanted (gap, overlap or hidden data)" },
	{ "name-mismatch.zip", "local header at 192: another name than \"docs/a.txt\"" },
	{ "crc-wrong.zip", "\"docs/a.txt\": CRC-32 363a3020, 00000001 wanted" },
	{ "crc-local-zero.zip", "local header at 192: CRC-32 0x0, 0x363a3020 wanted" },
	{ "zip64-unneeded.zip", "end record: directory of 310 bytes at 430 does not end at 816" },
	{ "count-low.zip", "86 bytes between the last entry and the directory at 430" },
	{ "disk-1.zip", "end record at 740: disk 0x1, 0x0 wanted" },
	{ "name-dotdot.zip", "name \"docs/../x\": path component begins with a dot" },
	{ "name-absolute.zip", "name \"/x\": absolute path" },
	{ "name-upper.zip", "name \"docs/B.txt\": character 0x42 at 5, a-z 0-9 . _ - / wanted" },
	{ "name-101.zip", "name "
			  "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
			  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\": 101 bytes, at most 100 wanted" },
	{ "sixty-five.zip", "end record: 65 entries, at most 64 wanted" },
	{ "no-manifest.zip", "first entry is \"SHA256SUMS\", manifest.json wanted" },
	{ "truncated.zip", "no end record at 739: cut off, a comment, or data behind it" },
};

static void variants(void **state)
{
	(void)state;
	AUTO(json_freep) json_t *index = ev_json("zip/index.json");
	size_t i, n = 0;
	json_t *v;

	json_array_foreach(json_object_get(index, "variants"), i, v)
	{
		const char *file = ev_str(v, "file"), *want = NULL;
		AUTO(buf_clear) struct buf b = zip_file(file);
		struct container c;
		struct err e = { 0 };
		if (container_parse(&c, b.p, b.len, &e) == 0)
			fail_msg("%s (%s): accepted", file, ev_str(v, "wrong"));
		for (size_t k = 0; k < sizeof variant_messages / sizeof *variant_messages; k++)
			if (strcmp(variant_messages[k].file, file + strlen("variants/")) == 0)
				want = variant_messages[k].message;
		if (!want || strcmp(want, e.msg) != 0)
			fail_msg("%s: \"%s\", wanted \"%s\"", file, e.msg, want ? want : "?");
		n++;
	}
	assert_int_equal(n, 39);
}

/* --- one field at a time -----------------------------------------------------------------------
 */

/* base.zip: manifest.json at 0, its directory record at 430. */
enum { BASE_CENTRAL = 430, BASE_END = 740 };

static void refused(
	const char *what, const uint8_t *data, size_t len, enum err_code code, const char *message)
{
	struct container c = { .n = 99 };
	struct err e = { 0 };

	if (container_parse(&c, data, len, &e) == 0)
		fail_msg("%s: accepted", what);
	if (strcmp(e.msg, message) != 0 || e.code != code)
		fail_msg("%s: \"%s\" (%d), wanted \"%s\" (%d)", what, e.msg, e.code, message, code);
	assert_int_equal(c.n, 99); /* outputs unchanged on failure */
}

static void local_header_fields(void **state)
{
	static const struct {
		size_t off;
		const char *message;
	} fields[] = {
		{ 0, "local header at 0: signature 0x4034b51, 0x4034b50 wanted" },
		{ 4, "local header at 0: version needed 0xb, 0xa wanted" },
		{ 6, "local header at 0: flags 0x1, 0x0 wanted" },
		{ 8, "local header at 0: compression method 0x1, 0x0 wanted" },
		{ 10, "local header at 0: time 0x1, 0x0 wanted" },
		{ 12, "local header at 0: date 0x20, 0x21 wanted" },
		{ 14, "local header at 0: CRC-32 0x103307c7, 0x103307c6 wanted" },
		{ 18, "local header at 0: compressed size 0x1f, 0x1e wanted" },
		{ 22, "local header at 0: size 0x1f, 0x1e wanted" },
		{ 26, "local header at 0: name length 0xc, 0xd wanted" },
		{ 28, "local header at 0: extra field length 0x1, 0x0 wanted" },
		{ 30, "local header at 0: another name than \"manifest.json\"" },
	};
	(void)state;
	AUTO(buf_clear) struct buf b = zip_file("canonical/base.zip");

	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
		b.p[fields[i].off] ^= 1;
		refused(fields[i].message, b.p, b.len, ERR_FORMAT, fields[i].message);
		b.p[fields[i].off] ^= 1;
	}
}

static void directory_fields(void **state)
{
	static const struct {
		size_t off;
		const char *message;
	} fields[] = {
		{ 0, "directory record at 430: signature 0x2014b51, 0x2014b50 wanted" },
		{ 4, "directory record at 430: made-by 0x33e, 0x33f wanted" },
		{ 6, "directory record at 430: version needed 0xb, 0xa wanted" },
		{ 8, "directory record at 430: flags 0x1, 0x0 wanted" }, /* encrypted */
		{ 10, "directory record at 430: compression method 0x1, 0x0 wanted" },
		{ 12, "directory record at 430: time 0x1, 0x0 wanted" },
		{ 14, "directory record at 430: date 0x20, 0x21 wanted" },
		{ 16, "local header at 0: CRC-32 0x103307c6, 0x103307c7 wanted" },
		{ 20, "\"manifest.json\": compressed size 31, size 30: the same wanted" },
		{ 24, "\"manifest.json\": compressed size 30, size 31: the same wanted" },
		{ 28, "first entry is \"manifest.jso\", manifest.json wanted" },
		{ 30, "directory record at 430: extra field length 0x1, 0x0 wanted" },
		{ 32, "directory record at 430: comment length 0x1, 0x0 wanted" },
		{ 34, "directory record at 430: disk 0x1, 0x0 wanted" },
		{ 36, "directory record at 430: internal attributes 0x1, 0x0 wanted" },
		{ 38, "directory record at 430: external attributes 0x81a40001, 0x81a40000 "
		      "wanted" },
		{ 42, "\"manifest.json\": local header at 1, 0 wanted (gap, overlap or hidden "
		      "data)" },
		{ 46, "first entry is \"lanifest.json\", manifest.json wanted" },
	};
	(void)state;
	AUTO(buf_clear) struct buf b = zip_file("canonical/base.zip");

	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
		b.p[BASE_CENTRAL + fields[i].off] ^= 1;
		refused(fields[i].message, b.p, b.len, ERR_FORMAT, fields[i].message);
		b.p[BASE_CENTRAL + fields[i].off] ^= 1;
	}
}

/* Numbers at the edge of 32 bits must not wrap into something that fits. */
static void wide_numbers(void **state)
{
	(void)state;
	AUTO(buf_clear) struct buf b = zip_file("canonical/base.zip");
	uint8_t *end = b.p + BASE_END, *rec = b.p + BASE_CENTRAL;

	put_le32(end + 12, 0xFFFFFFFF);
	refused("directory size", b.p, b.len, ERR_FORMAT,
		"end record: directory of 4294967295 bytes at 430 does not end at 740");
	put_le32(end + 12, 310 + 1);
	put_le32(end + 16, 0xFFFFFFFF & (430u - 1 - 0)); /* the sum fits, the offset is wrong */
	refused("offset", b.p, b.len, ERR_FORMAT,
		"directory record at 429: signature 0x14b500a, 0x2014b50 wanted");
	put_le32(end + 12, 741); /* 741 + (2^32 - 1) = 740 in 32 bits */
	put_le32(end + 16, 0xFFFFFFFF);
	refused("sum wraps", b.p, b.len, ERR_FORMAT,
		"end record: directory of 741 bytes at 4294967295 does not end at 740");
	put_le32(end + 12, 310);
	put_le32(end + 16, 430);

	/* The zip64 lie: all ones, "see the extra field". */
	put_le32(rec + 20, 0xFFFFFFFF);
	put_le32(rec + 24, 0xFFFFFFFF);
	put_le32(b.p + 18, 0xFFFFFFFF);
	put_le32(b.p + 22, 0xFFFFFFFF);
	refused("size", b.p, b.len, ERR_FORMAT,
		"\"manifest.json\": 4294967295 bytes reach into the directory at 430");
	put_le32(rec + 20, 0xFFFFFFD5); /* 30 + 13 + size = 0 in 32 bits */
	put_le32(rec + 24, 0xFFFFFFD5);
	refused("size wraps", b.p, b.len, ERR_FORMAT,
		"\"manifest.json\": 4294967253 bytes reach into the directory at 430");
	put_le32(rec + 20, 30);
	put_le32(rec + 24, 30);
	put_le32(b.p + 18, 30);
	put_le32(b.p + 22, 30);
	put_le32(rec + 42, 0xFFFFFFFF);
	refused("local offset", b.p, b.len, ERR_FORMAT,
		"\"manifest.json\": local header at 4294967295, 0 wanted (gap, overlap or hidden "
		"data)");
	put_le32(rec + 42, 0);

	put_le16(end + 8, 0);
	put_le16(end + 10, 0);
	refused("no entries", b.p, b.len, ERR_FORMAT, "end record: no entries");
	put_le16(end + 8, 0xFFFF);
	put_le16(end + 10, 0xFFFF);
	refused("huge count", b.p, b.len, ERR_LIMIT,
		"end record: 65535 entries, at most 64 wanted");
	put_le16(end + 8, 5);
	refused("counts differ", b.p, b.len, ERR_FORMAT,
		"end record: 5 entries here and 65535 in all");
	put_le16(end + 10, 6);
	put_le16(end + 8, 6);
	refused("one too many", b.p, b.len, ERR_FORMAT,
		"directory record 6 of 6: cut off by the end record");

	refused("too large", b.p, CONTAINER_MAX_SIZE + 1, ERR_LIMIT,
		"container of 67108865 bytes, at most 67108864 wanted");
	refused("empty", b.p, 0, ERR_FORMAT, "0 bytes: too short for a container");
	refused("21 bytes", b.p, 21, ERR_FORMAT, "21 bytes: too short for a container");
}

static void cut_anywhere(void **state)
{
	(void)state;
	AUTO(buf_clear) struct buf b = zip_file("canonical/package.mfgpkg");

	for (size_t n = 0; n < b.len; n++) {
		struct container c;
		/* An allocation of exactly n bytes: the sanitizer sees a read behind it. */
		uint8_t *copy = malloc(n ? n : 1);
		assert_non_null(copy);
		memcpy(copy, b.p, n);
		assert_int_equal(container_parse(&c, copy, n, NULL), -1);
		free(copy);
	}
}

static void names(void **state)
{
	static const struct {
		const char *name;
		size_t len;
		const char *message; /* NULL: good */
	} cases[] = {
#define NAME(s) s, sizeof s - 1
		{ NAME("a"), NULL },
		{ NAME("SHA256SUMS"), NULL },
		{ NAME("sb/image.sb3"), NULL },
		{ NAME("a/b-c_d.e/0"), NULL },
		{ NAME(""), "entry with an empty name" },
		{ NAME("../x"), "name \"../x\": path component begins with a dot" },
		{ NAME("sb/../../x"), "name \"sb/../../x\": path component begins with a dot" },
		{ NAME("./x"), "name \"./x\": path component begins with a dot" },
		{ NAME("sb/.hidden"), "name \"sb/.hidden\": path component begins with a dot" },
		{ NAME("/etc/passwd"), "name \"/etc/passwd\": absolute path" },
		{ NAME("sb//x"), "name \"sb//x\": empty path component" },
		{ NAME("sb/"), "name \"sb/\": a folder, only files wanted" },
		{ NAME("-x"), "name \"-x\": path component begins with '-'" },
		{ NAME("sb/_x"), "name \"sb/_x\": path component begins with '_'" },
		{ NAME("sb\\x"), "name \"sb\\x5cx\": character 0x5c at 2, a-z 0-9 . _ - / wanted" },
		{ NAME("sb/a\0.sb3"),
			"name \"sb/a\\x00.sb3\": character 0x00 at 4, a-z 0-9 . _ - / wanted" },
		{ NAME("sb/a\n"),
			"name \"sb/a\\x0a\": character 0x0a at 4, a-z 0-9 . _ - / wanted" },
		{ NAME("sb/a\x1b[2J"),
			"name \"sb/a\\x1b[2J\": character 0x1b at 4, a-z 0-9 . _ - / wanted" },
		{ NAME("C:x"), "name \"C:x\": character 0x43 at 0, a-z 0-9 . _ - / wanted" },
		{ NAME("sb/Image.sb3"),
			"name \"sb/Image.sb3\": character 0x49 at 3, a-z 0-9 . _ - / wanted" },
		{ NAME("docs/\xc3\xa4"),
			"name \"docs/\xc3\xa4\": character 0xc3 at 5, a-z 0-9 . _ - / wanted" },
		{ NAME("sha256sums/SHA256SUMS"),
			"name \"sha256sums/SHA256SUMS\": character 0x53 at 11, a-z 0-9 . _ - / "
			"wanted" },
#undef NAME
	};
	(void)state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct err e = { 0 };
		int r = container_name_check(cases[i].name, cases[i].len, &e);
		if ((r == 0) != (cases[i].message == NULL))
			fail_msg("\"%s\": %s", cases[i].name, r ? e.msg : "accepted");
		if (cases[i].message)
			assert_string_equal(e.msg, cases[i].message);
	}
}

static struct container_entry entry(const char *name, const char *text)
{
	struct container_entry x = { .data = (const uint8_t *)text, .len = strlen(text) };

	snprintf(x.name, sizeof x.name, "%s", name);
	return x;
}

static void not_writable(const struct container_entry *entries, size_t n, const char *message)
{
	AUTO(buf_clear) struct buf out = { 0 };
	struct err e = { 0 };

	assert_int_equal(container_write(entries, n, &out, &e), -1);
	assert_string_equal(e.msg, message);
	assert_int_equal(e.code, ERR_CONFIG);
	assert_int_equal(out.len, 0);
}

static void writing_refuses(void **state)
{
	(void)state;
	struct container_entry x[CONTAINER_MAX_ENTRIES + 1];

	x[0] = entry("manifest.json", "{}");
	x[1] = entry("a", "1");
	x[2] = entry("a", "2");
	not_writable(x, 0, "0 entries, 1 to 64 can be in a container");
	not_writable(x + 1, 1, "manifest.json is missing");
	not_writable(x, 3, "\"a\": there twice");
	x[2] = entry("a/b", "2");
	not_writable(x, 3, "\"a\" is a file and the folder of \"a/b\"");
	x[2] = entry("a-b", "between a and a/b in the order");
	x[3] = entry("a/b", "2");
	not_writable(x, 4, "\"a\" is a file and the folder of \"a/b\"");
	x[1] = entry("../a", "1");
	not_writable(x, 2, "name \"../a\": path component begins with a dot");
	x[1] = entry("big", "");
	x[1].len = CONTAINER_MAX_SIZE;
	not_writable(x, 2, "container of 67109072 bytes, at most 67108864 wanted");
	for (size_t i = 0; i <= CONTAINER_MAX_ENTRIES; i++)
		x[i] = entry("manifest.json", "{}");
	not_writable(x, 65, "65 entries, 1 to 64 can be in a container");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(canonical_files),
		cmocka_unit_test(variants),
		cmocka_unit_test(local_header_fields),
		cmocka_unit_test(directory_fields),
		cmocka_unit_test(wide_numbers),
		cmocka_unit_test(cut_anywhere),
		cmocka_unit_test(names),
		cmocka_unit_test(writing_refuses),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

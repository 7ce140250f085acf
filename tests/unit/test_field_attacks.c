/* Attacks one field at a time, made by machine: every field of a local header, of its directory
 * record and of the end record is changed so that the two disagree or say something else; and sizes
 * at the edges of 32 and 64 bits. Each by name, on the path that the programs take, with the exact
 * message and exit code 3. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/exit_status.h"
#include "base/json.h"
#include "evidence_support.h"
#include "pkg/pkg.h"
#include "pkg_support.h"

/* base.zip: the two headers of docs/a.txt, and the end record. */
enum { LOCAL = 192, CENTRAL = 545, END = 740 };

static const struct field {
	const char *name;
	size_t at, len;
	const char *message; /* after the lowest bit of the field was flipped */
} fields[] = {
	{ .name = "local signature",
		LOCAL,
		4,
		.message = "local header at 192: signature 0x4034b51, 0x4034b50 wanted" },
	{ .name = "local version needed",
		LOCAL + 4,
		2,
		.message = "local header at 192: version needed 0xb, 0xa wanted" },
	{ .name = "local flags",
		LOCAL + 6,
		2,
		.message = "local header at 192: flags 0x1, 0x0 wanted" },
	{ .name = "local compression method",
		LOCAL + 8,
		2,
		.message = "local header at 192: compression method 0x1, 0x0 wanted" },
	{ .name = "local time",
		LOCAL + 10,
		2,
		.message = "local header at 192: time 0x1, 0x0 wanted" },
	{ .name = "local date",
		LOCAL + 12,
		2,
		.message = "local header at 192: date 0x20, 0x21 wanted" },
	{ .name = "local crc",
		LOCAL + 14,
		4,
		.message = "local header at 192: CRC-32 0x363a3021, 0x363a3020 wanted" },
	{ .name = "local compressed size",
		LOCAL + 18,
		4,
		.message = "local header at 192: compressed size 0x7, 0x6 wanted" },
	{ .name = "local size",
		LOCAL + 22,
		4,
		.message = "local header at 192: size 0x7, 0x6 wanted" },
	{ .name = "local name length",
		LOCAL + 26,
		2,
		.message = "local header at 192: name length 0xb, 0xa wanted" },
	{ .name = "local extra length",
		LOCAL + 28,
		2,
		.message = "local header at 192: extra field length 0x1, 0x0 wanted" },
	{ .name = "local name",
		LOCAL + 30,
		10,
		.message = "local header at 192: another name than \"docs/a.txt\"" },
	{ .name = "central signature",
		CENTRAL,
		4,
		.message = "directory record at 545: signature 0x2014b51, 0x2014b50 wanted" },
	{ .name = "central made-by",
		CENTRAL + 4,
		2,
		.message = "directory record at 545: made-by 0x33e, 0x33f wanted" },
	{ .name = "central version needed",
		CENTRAL + 6,
		2,
		.message = "directory record at 545: version needed 0xb, 0xa wanted" },
	{ .name = "central flags",
		CENTRAL + 8,
		2,
		.message = "directory record at 545: flags 0x1, 0x0 wanted" },
	{ .name = "central compression method",
		CENTRAL + 10,
		2,
		.message = "directory record at 545: compression method 0x1, 0x0 wanted" },
	{ .name = "central time",
		CENTRAL + 12,
		2,
		.message = "directory record at 545: time 0x1, 0x0 wanted" },
	{ .name = "central date",
		CENTRAL + 14,
		2,
		.message = "directory record at 545: date 0x20, 0x21 wanted" },
	{ .name = "central crc",
		CENTRAL + 16,
		4,
		.message = "local header at 192: CRC-32 0x363a3020, 0x363a3021 wanted" },
	{ .name = "central compressed size",
		CENTRAL + 20,
		4,
		.message = "\"docs/a.txt\": compressed size 7, size 6: the same wanted" },
	{ .name = "central size",
		CENTRAL + 24,
		4,
		.message = "\"docs/a.txt\": compressed size 6, size 7: the same wanted" },
	{ .name = "central name length",
		CENTRAL + 28,
		2,
		.message = "name \"docs/a.txtP\": character 0x50 at 10, a-z 0-9 . _ - / wanted" },
	{ .name = "central extra length",
		CENTRAL + 30,
		2,
		.message = "directory record at 545: extra field length 0x1, 0x0 wanted" },
	{ .name = "central comment length",
		CENTRAL + 32,
		2,
		.message = "directory record at 545: comment length 0x1, 0x0 wanted" },
	{ .name = "central disk",
		CENTRAL + 34,
		2,
		.message = "directory record at 545: disk 0x1, 0x0 wanted" },
	{ .name = "central internal attributes",
		CENTRAL + 36,
		2,
		.message = "directory record at 545: internal attributes 0x1, 0x0 wanted" },
	{ .name = "central external attributes",
		CENTRAL + 38,
		4,
		.message = "directory record at 545: external attributes 0x81a40001, 0x81a40000 "
			   "wanted" },
	{ .name = "central local offset",
		CENTRAL + 42,
		4,
		.message = "\"docs/a.txt\": local header at 193, 192 wanted (gap, overlap or "
			   "hidden data)" },
	{ .name = "central name",
		CENTRAL + 46,
		10,
		.message = "local header at 192: another name than \"eocs/a.txt\"" },
	{ .name = "end signature",
		END,
		4,
		.message = "no end record at 740: cut off, a comment, or data behind it" },
	{ .name = "end disk", END + 4, 2, .message = "end record at 740: disk 0x1, 0x0 wanted" },
	{ .name = "end directory disk",
		END + 6,
		2,
		.message = "end record at 740: directory disk 0x1, 0x0 wanted" },
	{ .name = "end entries here",
		END + 8,
		2,
		.message = "end record: 4 entries here and 5 in all" },
	{ .name = "end entries in all",
		END + 10,
		2,
		.message = "end record: 5 entries here and 4 in all" },
	{ .name = "end directory size",
		END + 12,
		4,
		.message = "end record: directory of 311 bytes at 430 does not end at 740" },
	{ .name = "end directory offset",
		END + 16,
		4,
		.message = "end record: directory of 310 bytes at 431 does not end at 740" },
	{ .name = "end comment length",
		END + 20,
		2,
		.message = "end record at 740: comment length 0x1, 0x0 wanted" },
};
enum { N_FIELDS = sizeof fields / sizeof *fields };

/* The size of the image's entry in the manifest, which is 5472 in truth. */
static const struct size {
	const char *name, *text, *message;
} sizes[] = {
	{ .name = "size zero", "0", .message = "sb/image.sb3: 5472 bytes, manifest.json says 0" },
	{ .name = "size negative",
		"-1",
		.message = "manifest.json: files[0].size: -1, 0 to 67108864 wanted" },
	{ .name = "size one more",
		"5473",
		.message = "sb/image.sb3: 5472 bytes, manifest.json says 5473" },
	{ .name = "size and 2^31",
		"2147489120",
		.message = "manifest.json: files[0].size: 2147489120, 0 to 67108864 wanted" },
	{ .name = "size and 2^32",
		"4294972768",
		.message = "manifest.json: files[0].size: 4294972768, 0 to 67108864 wanted" },
	{ .name = "size and 2^33",
		"8589940064",
		.message = "manifest.json: files[0].size: 8589940064, 0 to 67108864 wanted" },
	{ .name = "size 2^53-1",
		"9007199254740991",
		.message = "manifest.json: files[0].size: 9007199254740991, 0 to 67108864 wanted" },
	{ .name = "size 2^53",
		"9007199254740992",
		.message = "manifest.json: number 9007199254740992 is beyond 2^53-1" },
	{ .name = "size 2^63-1",
		"9223372036854775807",
		.message = "manifest.json: number 9223372036854775807 is beyond 2^53-1" },
	{ .name = "size 2^63",
		"9223372036854775808",
		.message = "manifest.json: line 1 column 686: too big integer near "
			   "'9223372036854775808'" },
	{ .name = "size and 2^64",
		"18446744073709557088",
		.message = "manifest.json: line 1 column 687: too big integer near "
			   "'18446744073709557088'" },
	{ .name = "size as fraction",
		"5472.0",
		.message =
			"manifest.json: a number with fraction or exponent, whole numbers wanted" },
	{ .name = "size as exponent",
		"5472e0",
		.message =
			"manifest.json: a number with fraction or exponent, whole numbers wanted" },
	{ .name = "size as text",
		"\"5472\"",
		.message = "manifest.json: files[0].size: text, a whole number wanted" },
};
enum { N_SIZES = sizeof sizes / sizeof *sizes };

/* Files that are no larger than their name says: holes, except for what is written. */
static const struct file {
	const char *name;
	off_t size;
	const char *message;
} files[] = {
	{ .name = "file of 64 MiB of nothing",
		(off_t)CONTAINER_MAX_SIZE,
		.message = "no end record at 67108842: cut off, a comment, or data behind it" },
	{ .name = "file of 64 MiB and a byte",
		(off_t)CONTAINER_MAX_SIZE + 1,
		.message = "67108865 bytes, at most 67108864 wanted" },
	{ .name = "file of 4 GiB and a package",
		((off_t)1 << 32) + END + 22,
		.message = "4294968058 bytes, at most 67108864 wanted" },
	{ .name = "file of 8 TiB",
		(off_t)1 << 43,
		.message = "8796093022208 bytes, at most 67108864 wanted" },
};
enum { N_FILES = sizeof files / sizeof *files };

static void refused(const char *path, const char *message)
{
	const struct trust t = pk_trust(1, "alice", NULL);
	const struct pkg_expect x = { .now = PK_NOW };
	struct pkg *opened = NULL;
	struct err e = { 0 };
	char want[700];

	if (pkg_open(&opened, path, &t, &x, NULL, &e) == 0)
		fail_msg("accepted, \"%s\" wanted", message);
	assert_null(opened);
	assert_int_equal(exit_status_of(e.code), EXIT_REJECTED);
	if (!message)
		return;
	snprintf(want, sizeof want, "%s: %s", path, message);
	if (strcmp(e.msg, want) != 0)
		fail_msg("\"%s\", wanted \"%s\"", e.msg, want);
}

static void field(void **state)
{
	const struct field *f = *state;
	AUTO(buf_clear) struct buf b = ev_file("zip/canonical/base.zip");
	const char *path = ev_path("field.mfgpkg");

	b.p[f->at] ^= 1;
	ev_write(path, b.p, b.len);
	refused(path, f->message);
	b.p[f->at] ^= 1;
	/* Every other bit, and all of them: another message, perhaps; refused in any case. */
	for (size_t bit = 1; bit < 8 * f->len; bit++) {
		b.p[f->at + bit / 8] ^= (uint8_t)(1 << bit % 8);
		ev_write(path, b.p, b.len);
		refused(path, NULL);
		b.p[f->at + bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	memset(b.p + f->at, 0xFF, f->len);
	ev_write(path, b.p, b.len);
	refused(path, NULL);
}

static void size_in_manifest(void **state)
{
	const struct size *s = *state;
	AUTO(buf_clear) struct buf text = { 0 }, edited = { 0 };
	AUTO(pk_clear) struct pk p;
	const char *path = ev_path("size.mfgpkg");

	pk_default(&p);
	pk_list(&p);
	assert_int_equal(json_line(p.manifest, &text, NULL), 0);
	const char *at = strstr(buf_text(&text), "\"size\":5472");
	assert_non_null(at);
	wr_printf(&edited, "%.*s\"size\":%s%s\n", (int)(at - buf_text(&text)), buf_text(&text),
		s->text, at + strlen("\"size\":5472"));
	pk_seal_text(&p, buf_text(&edited));
	pk_sign(&p, "alice");
	pk_pack(&p);
	ev_write(path, p.out.p, p.out.len);
	refused(path, s->message);
}

static void file_size(void **state)
{
	const struct file *f = *state;
	const char *path = ev_path("large.mfgpkg");
	AUTO(buf_clear) struct buf b = ev_file("zip/canonical/base.zip");

	ev_write(path, b.p, b.len);
	if (truncate(path, f->size) != 0)
		skip(); /* a file system that has no files of this size */
	refused(path, f->message);
	assert_int_equal(unlink(path), 0);
}

int main(void)
{
	static struct CMUnitTest tests[N_FIELDS + N_SIZES + N_FILES];
	size_t n = 0;

	for (size_t i = 0; i < N_FIELDS; i++)
		tests[n++] = (struct CMUnitTest){ .name = fields[i].name,
			.test_func = field,
			.initial_state = (void *)(uintptr_t)&fields[i] };
	for (size_t i = 0; i < N_SIZES; i++)
		tests[n++] = (struct CMUnitTest){ .name = sizes[i].name,
			.test_func = size_in_manifest,
			.initial_state = (void *)(uintptr_t)&sizes[i] };
	for (size_t i = 0; i < N_FILES; i++)
		tests[n++] = (struct CMUnitTest){ .name = files[i].name,
			.test_func = file_size,
			.initial_state = (void *)(uintptr_t)&files[i] };
	return _cmocka_run_group_tests("fields", tests, n, NULL, NULL);
}

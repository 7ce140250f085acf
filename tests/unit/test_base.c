/* The foundation: bounded bytes, exact text codecs, strict JSON, atomic files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <fcntl.h>
#include <errno.h>
#include <sys/stat.h>
#include <sodium.h>
#include <cmocka.h>

#include "base/bytes.h"
#include "base/exit_status.h"
#include "base/fsio.h"
#include "base/json.h"
#include "base/text.h"

static void rd_failure_sticks(void **state)
{
	(void)state;
	const uint8_t in[] = { 1, 2, 3, 4, 5 };
	struct rd r = rd_of(in, sizeof in);

	assert_int_equal(rd_le32(&r), 0x04030201);
	assert_int_equal(rd_le32(&r), 0);
	assert_true(r.bad);
	assert_int_equal(rd_u8(&r), 0); /* the fifth byte is there, but the record is not */
	assert_false(rd_done(&r));

	r = rd_of(in, sizeof in);
	assert_null(rd_bytes(&r, SIZE_MAX)); /* p + n would wrap */
	r = rd_of(in, sizeof in);
	rd_skip(&r, 5);
	assert_true(rd_done(&r));
}

static void buf_has_a_hard_maximum(void **state)
{
	(void)state;
	AUTO(buf_clear) struct buf b = { .max = 8 };
	struct err e = { 0 };

	wr_le64(&b, 0x1122334455667788);
	assert_int_equal(buf_check(&b, "x", &e), 0);
	wr_u8(&b, 1);
	assert_int_equal(buf_check(&b, "lot.bin", &e), -1);
	assert_int_equal(e.code, ERR_LIMIT);
	assert_string_equal(e.msg, "lot.bin: larger than 8 bytes, or out of memory");
	assert_int_equal(b.len, 8);
}

static void buf_round_trip(void **state)
{
	(void)state;
	AUTO(buf_clear) struct buf b = { 0 };

	wr_le16(&b, 0x0102);
	wr_le32(&b, 0x03040506);
	wr_be32(&b, 0x0708090a);
	wr_be64(&b, 0x1112131415161718);
	wr_le64(&b, 0x2122232425262728);
	wr_pad(&b, 16, 0xFF);
	wr_patch32(&b, 2, 0xCAFEF00D);
	struct rd r = rd_of(b.p, b.len);
	assert_int_equal(rd_le16(&r), 0x0102);
	assert_int_equal(rd_le32(&r), 0xCAFEF00D);
	assert_int_equal(rd_be32(&r), 0x0708090a);
	assert_true(get_be64(rd_bytes(&r, 8)) == 0x1112131415161718);
	assert_true(rd_le64(&r) == 0x2122232425262728);
	assert_int_equal(b.len, 32);
	assert_int_equal(b.p[31], 0xFF);
	wr_patch32(&b, 29, 0); /* would end behind the content */
	assert_true(b.bad);
}

static void numbers_as_spsdk_reads_them(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		uint64_t value;
	} good[] = { { "0", 0 }, { "017", 17 }, { "0x1F", 31 }, { "0b101", 5 }, { "0o17", 15 },
		{ " 42 ", 42 }, { "1_000", 1000 }, { "0xFFul", 255 }, { "7ULL", 7 },
		{ "18446744073709551615", UINT64_MAX }, { "0xFFFFFFFFFFFFFFFF", UINT64_MAX } };
	static const char *const bad[] = { "", " ", "-1", "+1", "0x", "1__0", "_1", "1_", "12ab",
		"0b2", "1.0", "18446744073709551616", "1uuuu", "0x1 2", "0xg", "0X_1" };
	uint64_t v = 99;

	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		assert_int_equal(number_parse(good[i].text, &v), 0);
		assert_true(v == good[i].value);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		v = 99;
		if (number_parse(bad[i], &v) == 0)
			fail_msg("\"%s\" was read as %llu", bad[i], (unsigned long long)v);
		assert_true(v == 99);
	}
}

static void base64_is_exact(void **state)
{
	(void)state;
	uint8_t out[8];
	size_t n;

	assert_int_equal(base64_decode(out, 8, &n, "TQ==", 4), 0);
	assert_int_equal(n, 1);
	assert_int_equal(base64_decode(out, 8, &n, "TR==", 4), -1); /* unused bits set */
	assert_int_equal(base64_decode(out, 8, &n, "TQ", 2), -1); /* no padding */
	assert_int_equal(base64_decode(out, 8, &n, "TQ==\n", 5), -1);
	assert_int_equal(base64_decode(out, 2, &n, "TWFu", 4), -1); /* more than fits */
	assert_int_equal(base64_decode(out, 8, &n, "TW+u", 4), 0);
	assert_int_equal(base64_decode(out, 8, &n,
				 "TW\xAB"
				 "u",
				 4),
		-1); /* '+' with bit 7 set */
}

static void escape_makes_text_harmless(void **state)
{
	(void)state;
	char out[64];

	text_escape(out, sizeof out, "a\x1b[31mb\n\"\\", 9);
	assert_string_equal(out, "a\\x1b[31mb\\x0a\\x22");
	text_escape(out, sizeof out, "\xff\xc3\xa4\xc2\x9b", 5);
	assert_string_equal(out, "\\xff\xc3\xa4\\xc2\\x9b"); /* C1 control: CSI in one character */
	text_escape(out, 12, "0123456789abcdef", 16);
	assert_string_equal(out, "01234567...");
}

static void times_have_one_form(void **state)
{
	(void)state;
	static const char *const bad[] = { "2026-11-20T15:00:00", "2026-02-30T00:00:00Z",
		"2026-1-20T15:00:00Z", "2026-11-20 15:00:00Z", "2026-11-20T24:00:00Z",
		"2026-11-20T15:00:60Z", "+026-11-20T15:00:00Z", "2026-00-20T15:00:00Z",
		"2026-13-20T15:00:00Z", "2026-11-00T15:00:00Z", "2026-11-31T15:00:00Z",
		"1900-02-29T00:00:00Z", "0999-11-20T15:00:00Z", "2026-11-20T15:60:00Z" };
	char s[TIME_MS_LEN + 1];
	time_t t;
	int64_t ms;

	assert_int_equal(time_parse_s("2026-11-20T15:00:00Z", &t), 0);
	assert_int_equal(t, 1795186800);
	assert_int_equal(time_parse_ms("2026-11-20T15:00:00.042Z", &ms), 0);
	assert_true(ms == 1795186800042);
	assert_string_equal(time_format_ms(s, ms), "2026-11-20T15:00:00.042Z");
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(time_parse_s(bad[i], &t), -1);
	/* Every day that has such a text, at some time of it. */
	for (int64_t day = -354285; day < 2932897; day += 13) {
		time_t want = (time_t)(day * 86400 + (day & 0xffff));
		assert_int_equal(time_parse_s(time_format_s(s, want), &t), 0);
		assert_true(t == want);
	}
}

static void json_is_read_strictly(void **state)
{
	(void)state;
	static const struct {
		const char *text, *message;
	} bad[] = {
		{ "{\"a\":1,\"a\":2}", "duplicate object key" },
		{ "{\"a\":1.5}", "m: a number with fraction or exponent, whole numbers wanted" },
		{ "{\"a\":9007199254740992}", "m: number 9007199254740992 is beyond 2^53-1" },
		{ "{} x", "end of file expected" },
		{ "[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]", "m: nested deeper than 16" },
		{ "{\"a\":\"\\u0000\"}", "\\x5cu0000 is not allowed" },
		{ "{\"a\":\"\xff\"}", "unable to decode byte 0xff" },
	};

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct err e = { 0 };
		json_t *j = json_read("m", bad[i].text, strlen(bad[i].text), &e);
		assert_null(j);
		assert_int_equal(e.code, ERR_FORMAT);
		if (!strstr(e.msg, bad[i].message))
			fail_msg("%s: got \"%s\"", bad[i].text, e.msg);
	}
}

static void json_getters_name_the_place(void **state)
{
	(void)state;
	static const char text[] = "{\"files\":[{\"size\":\"x\"}],\"h\":\"AB\"}";
	struct err e = { 0 };
	AUTO(json_freep) json_t *j = json_read("manifest.json", text, strlen(text), &e);
	assert_non_null(j);
	struct json_at root = json_root("manifest.json", j), files = json_member(&root, "files");
	struct json_at item = json_item(&files, 0), size = json_member(&item, "size");
	struct json_at h = json_member(&root, "h"), none = json_member(&root, "none");
	int64_t v = 7;
	uint8_t b[1];

	assert_int_equal(json_want_int(&size, 0, 10, &v, &e), -1);
	assert_string_equal(e.msg, "manifest.json: files[0].size: text, a whole number wanted");
	assert_true(v == 7);
	assert_int_equal(json_want_hex(&h, b, 1, &e), -1);
	assert_string_equal(e.msg, "manifest.json: h: \"AB\", 2 lower-case hex digits wanted");
	assert_int_equal(json_want_int(&none, 0, 1, &v, &e), -1);
	assert_string_equal(e.msg, "manifest.json: none: missing, a whole number wanted");
	assert_int_equal(json_only(&root, (const char *const[]){ "files", NULL }, &e), -1);
	assert_string_equal(e.msg, "manifest.json: unknown member \"h\"");
}

static void files_appear_whole_or_not_at_all(void **state)
{
	(void)state;
	char dir[] = "/tmp/mfgpkg-base-XXXXXX";
	struct err e = { 0 };
	AUTO(buf_clear) struct buf b = { 0 };
	struct stat st;

	assert_non_null(mkdtemp(dir));
	AUTO(str_freep) char *f = path_join(dir, "a");
	assert_int_equal(fsio_write(f, "one", 3, 0600, &e), 0);
	assert_int_equal(fsio_write(f, "two2", 4, 0600, &e), 0);
	assert_int_equal(fsio_read(f, 100, &b, &e), 0);
	assert_memory_equal(b.p, "two2", 4);
	assert_int_equal(stat(f, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);

	assert_int_equal(fsio_write_new(f, "three", 5, 0600, &e), -1);
	assert_int_equal(e.code, ERR_ENV);
	assert_int_equal(fsio_read(f, 3, &b, &e), -1);
	assert_int_equal(e.code, ERR_LIMIT);
	assert_int_equal(fsio_read(dir, 3, &b, &e), -1);
	assert_non_null(strstr(e.msg, "not a regular file"));

	/* A FIFO in place of a file must not hang. */
	AUTO(str_freep) char *fifo = path_join(dir, "fifo");
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_int_equal(fsio_read(fifo, 3, &b, &e), -1);

	int fd = fsio_copy_memfd(f, 100, &e);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, "x", 1, 0), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(ftruncate(fd, 0), -1);
	close(fd);
	unlink(fifo);
	unlink(f);
	assert_int_equal(rmdir(dir), 0); /* no temporary file was left */
}

static void errors_chain(void **state)
{
	(void)state;
	struct err e = { 0 };

	assert_int_equal(err_device(&e, 10101, "10101 RomLdrSignature"), -1);
	assert_int_equal(err_wrap(&e, "step %d", 3), -1);
	assert_string_equal(e.msg, "step 3: 10101 RomLdrSignature");
	assert_int_equal(e.device, 10101);
	assert_int_equal(exit_status_of(e.code), EXIT_DEVICE);
	assert_int_equal(exit_status_of(ERR_REJECTED), 3);
	assert_int_equal(exit_status_of(ERR_CANCELLED), 130);
}

/* Replacing /dev/null by a file would be a bad surprise for everybody on the machine. */
static void writing_does_not_replace_pipes(void **state)
{
	(void)state;
	char dir[] = "/tmp/fsio_XXXXXX", path[64], got[8];
	struct stat st;
	struct err e = { 0 };

	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/pipe", dir);
	assert_int_equal(mkfifo(path, 0600), 0);
	int fd = open(path, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(fsio_write(path, "hello", 5, 0644, &e), 0);
	assert_int_equal(read(fd, got, sizeof got), 5);
	assert_memory_equal(got, "hello", 5);
	assert_int_equal(stat(path, &st), 0);
	assert_true(S_ISFIFO(st.st_mode));
	close(fd);
	unlink(path);
	rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rd_failure_sticks),
		cmocka_unit_test(buf_has_a_hard_maximum),
		cmocka_unit_test(buf_round_trip),
		cmocka_unit_test(numbers_as_spsdk_reads_them),
		cmocka_unit_test(base64_is_exact),
		cmocka_unit_test(escape_makes_text_harmless),
		cmocka_unit_test(times_have_one_form),
		cmocka_unit_test(json_is_read_strictly),
		cmocka_unit_test(json_getters_name_the_place),
		cmocka_unit_test(files_appear_whole_or_not_at_all),
		cmocka_unit_test(errors_chain),
		cmocka_unit_test(writing_does_not_replace_pipes),
	};

	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}

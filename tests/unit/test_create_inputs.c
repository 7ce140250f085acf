/* What a build step reads, and whether it has to run again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fsio.h"
#include "base/text.h"
#include "crypt/digest.h"
#include "mfgpkg/create/inputs.h"
#include "mfgpkg/create/stamp.h"

static char *old_dir;
static char dir[] = "/tmp/test-inputs.XXXXXX";

static void put(const char *path, const char *text, mode_t mode)
{
	struct err e;

	if (fsio_write(path, text, strlen(text), mode, &e) != 0)
		fail_msg("%s", e.msg);
}

/* A step with everything: a configuration that names another, keys in both, an output that exists,
 * a number that could be a name, a folder. */
static void put_all(void)
{
	struct err e;

	assert_int_equal(fsio_mkdirs("keys", 0700, &e), 0);
	put("step.yaml",
		"family: mcxn947\n"
		"certBlock: cert.yaml\n"
		"signer: type=file;file_path=keys/rot.pem\n"
		"containerKeyBlobEncryptionKey: keys/mk.bin\n"
		"containerOutputFile: out.bin\n"
		"folder: keys\n"
		"isEncrypted: true\n"
		"commands:\n"
		"  - load: {address: 0x0, file: app.bin}\n"
		"  - load: {address: 0x10, file: 1234}\n",
		0600);
	put("cert.yaml", "rootCertificate0File: keys/rot.pub\nsigner: keys/rot.pem\n", 0600);
	put("keys/rot.pem", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", 0600);
	put("keys/rot.pub", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", 0644);
	put("keys/mk.bin", "0123456789abcdef0123456789abcdef", 0600);
	put("app.bin", "firmware", 0644);
	put("out.bin", "made", 0600);
	put("1234", "not an input: the value is a number", 0644);
}

static int enter(void **state)
{
	(void)state;
	old_dir = getcwd(NULL, 0);
	if (!mkdtemp(dir) || chdir(dir) != 0)
		return -1;
	put_all();
	return 0;
}

static int leave(void **state)
{
	char command[64];

	(void)state;
	if (chdir(old_dir) != 0)
		return -1;
	free(old_dir);
	snprintf(command, sizeof command, "rm -rf %s", dir);
	return system(command);
}

static const struct input *find(const struct inputs *in, const char *name)
{
	for (size_t i = 0; i < in->n; i++)
		if (strcmp(path_basename(in->v[i].path), name) == 0)
			return &in->v[i];
	return NULL;
}

static void collect(struct inputs *in)
{
	struct err e;

	memset(in, 0, sizeof *in);
	if (inputs_collect(in, "step.yaml", &e) != 0)
		fail_msg("%s", e.msg);
}

static void test_collect(void **state)
{
	static const struct {
		const char *name;
		bool secret;
	} wanted[] = { { "step.yaml", false }, { "cert.yaml", false }, { "rot.pem", true },
		{ "rot.pub", false }, { "mk.bin", true }, { "app.bin", false } };
	struct inputs in;
	uint8_t sha256[32];

	(void)state;
	collect(&in);
	for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
		const struct input *v = find(&in, wanted[i].name);

		if (!v)
			fail_msg("%s is missing", wanted[i].name);
		if (v->secret != wanted[i].secret)
			fail_msg("%s: secret %d", wanted[i].name, v->secret);
	}
	assert_int_equal(in.n, sizeof wanted / sizeof wanted[0]);
	sha256_of("firmware", 8, sha256);
	assert_memory_equal(find(&in, "app.bin")->sha256, sha256, 32);
	inputs_clear(&in);
}

static void test_private(void **state)
{
	static const mode_t modes[] = { 0640, 0604, 0644 };
	struct inputs in;
	struct err e;

	(void)state;
	collect(&in);
	assert_int_equal(inputs_check_private(&in, &e), 0);
	inputs_clear(&in);
	for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
		assert_int_equal(chmod("keys/mk.bin", modes[i]), 0);
		collect(&in);
		assert_int_equal(inputs_check_private(&in, &e), -1);
		assert_int_equal(e.code, ERR_CONFIG);
		assert_string_equal(e.msg, "keys/mk.bin: a secret that others can read: chmod 600 "
					   "keys/mk.bin (or give --allow-readable-keys)");
		inputs_clear(&in);
	}
	assert_int_equal(chmod("keys/mk.bin", 0600), 0);
}

/* made - the step ran with the inputs as they are now. */
static void made(const char *also)
{
	AUTO(stamps_freep) struct stamps *s = NULL;
	struct inputs in;
	uint8_t sha256[32];
	struct err e;

	collect(&in);
	sha256_of("made", 4, sha256);
	assert_int_equal(stamps_open(&s, ".", &e), 0);
	assert_int_equal(stamps_set(s, "sb31", &in, also, "out.bin", sha256, &e), 0);
	assert_int_equal(stamps_save(s, &e), 0);
	inputs_clear(&in);
}

static bool current(const char *step, const char *also, const char *output)
{
	AUTO(stamps_freep) struct stamps *s = NULL;
	struct inputs in;
	struct err e;

	collect(&in);
	assert_int_equal(stamps_open(&s, ".", &e), 0);
	bool is = stamps_current(s, step, &in, also, output);
	inputs_clear(&in);
	return is;
}

static void test_stamps(void **state)
{
	static const char *const files[] = { "step.yaml", "cert.yaml", "keys/rot.pem",
		"keys/rot.pub", "keys/mk.bin", "app.bin", "out.bin" };
	struct stat st;

	(void)state;
	unlink("create.json");
	assert_false(current("sb31", "", "out.bin"));
	made("");
	assert_true(current("sb31", "", "out.bin"));
	assert_false(current("mbi", "", "out.bin"));
	assert_false(current("sb31", "time 1", "out.bin"));
	assert_false(current("sb31", "", "app.bin"));
	assert_int_equal(stat("create.json", &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);

	/* One more byte in any of the files means another run. */
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		AUTO(buf_clear) struct buf old = { 0 }, new = { 0 };
		struct err e;

		assert_int_equal(fsio_read(files[i], 4096, &old, &e), 0);
		wr_bytes(&new, old.p, old.len);
		wr_u8(&new, '\n');
		assert_int_equal(fsio_write(files[i], new.p, new.len, 0600, &e), 0);
		if (current("sb31", "", "out.bin"))
			fail_msg("%s changed, and nothing is to be done", files[i]);
		assert_int_equal(fsio_write(files[i], old.p, old.len, 0600, &e), 0);
		assert_true(current("sb31", "", "out.bin"));
	}
}

static void test_damaged_stamps(void **state)
{
	static const char *const bad[] = { "", "{", "[]", "{}",
		"{\"type\":\"other\",\"format\":1,\"salt\":\"00\",\"steps\":{}}",
		"{\"type\":\"mfgpkg-create-state\",\"format\":1,\"salt\":\"00\",\"steps\":{}}",
		"{\"type\":\"mfgpkg-create-state\",\"format\":1,\"salt\":"
		"\"0000000000000000000000000000000000000000000000000000000000000000\","
		"\"steps\":{\"sb31\":7}}" };

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		put("create.json", bad[i], 0600);
		assert_false(current("sb31", "", "out.bin"));
		made("");
		assert_true(current("sb31", "", "out.bin"));
	}
}

/* The stamp of the same files in another folder is another one: the digest of a secret cannot be
 * looked up in a table. */
static void test_stamps_are_keyed(void **state)
{
	AUTO(buf_clear) struct buf a = { 0 }, b = { 0 };
	struct inputs in;
	char hex[65];
	struct err e;

	(void)state;
	unlink("create.json");
	made("");
	assert_int_equal(fsio_read("create.json", 65536, &a, &e), 0);
	unlink("create.json");
	made("");
	assert_int_equal(fsio_read("create.json", 65536, &b, &e), 0);
	const char *x = strstr(buf_text(&a), "\"inputs\":\""),
		   *y = strstr(buf_text(&b), "\"inputs\":\"");
	assert_non_null(x);
	assert_non_null(y);
	assert_memory_not_equal(x, y, 10 + 64);
	collect(&in);
	for (size_t i = 0; i < in.n; i++)
		assert_null(strstr(buf_text(&b), hex_encode(hex, in.v[i].sha256, 32)));
	inputs_clear(&in);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_collect),
		cmocka_unit_test(test_private),
		cmocka_unit_test(test_stamps),
		cmocka_unit_test(test_damaged_stamps),
		cmocka_unit_test(test_stamps_are_keyed),
	};

	return cmocka_run_group_tests(tests, enter, leave);
}

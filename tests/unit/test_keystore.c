/* keystore and keygen: every way a secret may be given, sealed files, PKCS#11 tokens. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fsio.h"
#include "base/text.h"
#include "mfgpkg/build/sb31_build.h"
#include "mfgpkg/config.h"
#include "mfgpkg/keygen.h"
#include "mfgpkg/keystore.h"

static char dir[] = "/tmp/test_keystore.XXXXXX";

static int setup(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
	char cmd[100];
	(void)state;
	snprintf(cmd, sizeof cmd, "rm -rf %s", dir);
	return system(cmd);
}

static const char *in_dir(const char *name)
{
	static char path[4][200];
	static unsigned i;

	i = (i + 1) % 4;
	snprintf(path[i], sizeof path[i], "%s/%s", dir, name);
	return path[i];
}

static void put_file(const char *name, const void *data, size_t len)
{
	struct err e = { 0 };
	if (fsio_write(in_dir(name), data, len, 0600, &e) != 0)
		fail_msg("%s", e.msg);
}

/* What `value` in a configuration gives as a secret of this kind: hex, or the message. */
static const char *secret_at(enum keystore_kind kind, const char *value)
{
	static char text[600];
	AUTO(config_freep) struct config *c = NULL;
	AUTO(keystore_freep) struct keystore *ks = NULL;
	const struct secret *s;
	struct err e = { 0 };
	char doc[300], name[200];

	snprintf(doc, sizeof doc, "key: %s\n", value);
	snprintf(name, sizeof name, "%s/t.yaml", dir);
	if (keystore_new(&ks, NULL, &e) != 0 ||
		config_load_bytes(&c, name, doc, strlen(doc), &e) != 0)
		fail_msg("%s", e.msg);
	if (keystore_symmetric_at(ks, kind, config_get(config_root(c), "key"), &s, &e) == 0)
		return hex_encode(text, s->p, s->len);
	assert_int_equal(e.code, ERR_CONFIG);
	/* Without the folder's random name. */
	const char *p = strstr(e.msg, "/t.yaml") ? strstr(e.msg, "/t.yaml") + 1 : e.msg;
	if (strncmp(p, dir, strlen(dir)) == 0)
		p += strlen(dir) + 1;
	snprintf(text, sizeof text, "%s", p);
	return text;
}

#define HEX64 "101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f"
#define ZEROS "00000000000000000000000000000000"

static void test_symmetric_forms(void **state)
{
	(void)state;
	uint8_t raw[64];

	for (size_t i = 0; i < sizeof raw; i++)
		raw[i] = (uint8_t)(0x80 + i);
	put_file("hex64", HEX64 "\n", 65);
	put_file("hex64x", "  0x" HEX64 " \r\n", 71);
	put_file("hex32", "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf", 32);
	put_file("hex3", "abc\n", 4);
	put_file("hex66", HEX64 "00", 66);
	put_file("raw32", raw, 32);
	put_file("raw16", raw, 16);
	put_file("raw17", raw, 17);
	put_file("raw64", raw, 64);
	put_file("empty", "", 0);

	static const struct {
		enum keystore_kind kind;
		const char *value, *want;
	} rows[] = {
		{ KEYSTORE_CUST_MK_SK, "hex64", HEX64 },
		{ KEYSTORE_CUST_MK_SK, "hex64x", HEX64 },
		{ KEYSTORE_CUST_MK_SK, "hex32", ZEROS "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf" },
		{ KEYSTORE_CUST_MK_SK, "hex3", ZEROS "00000000000000000000000000000abc" },
		{ KEYSTORE_CUST_MK_SK, "hex66", "hex66: CUST_MK_SK of 66 hex digits, wanted 64" },
		{ KEYSTORE_CUST_MK_SK, "raw32",
			"808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f" },
		{ KEYSTORE_CUST_MK_SK, "raw16", "808182838485868788898a8b8c8d8e8f" },
		{ KEYSTORE_CUST_MK_SK, "raw17",
			"raw17: 17 bytes, wanted CUST_MK_SK: hex digits, 16 or 32 bytes, or a "
			"sealed file" },
		{ KEYSTORE_CUST_MK_SK, "empty",
			"empty: 0 bytes, wanted CUST_MK_SK: hex digits, 16 or 32 bytes, or a "
			"sealed file" },
		{ KEYSTORE_CUST_MK_SK, HEX64, HEX64 },
		{ KEYSTORE_CUST_MK_SK, "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf",
			"a0a1a2a3a4a5a6a7a8a9aaabacadaeaf" },
		{ KEYSTORE_CUST_MK_SK, "a0a1a2a3a4a5a6a7a8a9aaabacadaeag",
			"t.yaml:1:6: key `key`: neither the name of an existing file nor the hex "
			"digits of 16 or 32 bytes" },
		{ KEYSTORE_CUST_MK_SK, "'0x" HEX64 "'",
			"t.yaml:1:6: key `key`: neither the name of an existing file nor the hex "
			"digits of 16 or 32 bytes" },
		{ KEYSTORE_OEM_SEED, "raw16", "808182838485868788898a8b8c8d8e8f" },
		{ KEYSTORE_OEM_SEED, "hex32", "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf" },
		{ KEYSTORE_OEM_SEED, "hex64", "hex64: OEM seed of 64 hex digits, wanted 32" },
		{ KEYSTORE_OEM_SEED, "raw32",
			"raw32: 32 bytes, wanted OEM seed: hex digits, 16 bytes, or a sealed "
			"file" },
		{ KEYSTORE_OEM_SEED, HEX64,
			"t.yaml:1:6: key `key`: neither the name of an existing file nor the hex "
			"digits of 16 bytes" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		assert_string_equal(secret_at(rows[i].kind, rows[i].value), rows[i].want);
}

static void test_sealed(void **state)
{
	(void)state;
	AUTO(secret_freep) struct secret *pass = secret_copy("correct horse", 13);
	AUTO(secret_freep) struct secret *wrong = secret_copy("correct Horse", 13);
	AUTO(secret_freep) struct secret *key = secret_random(32), *back = NULL;
	AUTO(buf_clear) struct buf file = { 0 };
	struct err e = { 0 };

	assert_int_equal(keystore_seal(KEYSTORE_CUST_MK_SK, key, pass, &file, &e), 0);
	assert_true(keystore_is_sealed(file.p, file.len));
	assert_null(memmem(file.p, file.len, key->p, 16));
	assert_int_equal(
		keystore_unseal(KEYSTORE_CUST_MK_SK, "f", file.p, file.len, pass, &back, &e), 0);
	assert_int_equal(back->len, 32);
	assert_memory_equal(back->p, key->p, 32);
	secret_freep(&back);

	assert_int_equal(
		keystore_unseal(KEYSTORE_CUST_MK_SK, "f", file.p, file.len, wrong, &back, &e), -1);
	assert_string_equal(e.msg, "f: wrong passphrase, or the sealed secret is damaged");
	assert_int_equal(
		keystore_unseal(KEYSTORE_OEM_SEED, "f", file.p, file.len, pass, &back, &e), -1);
	assert_string_equal(e.msg, "f: sealed secret is a cust-mk-sk, wanted oem-seed");
	assert_int_equal(
		keystore_unseal(KEYSTORE_CUST_MK_SK, "f", file.p, file.len - 4, pass, &back, &e),
		-1);
	assert_string_equal(e.msg, "f: sealed secret: second line is no base64 of 69 to 132 bytes");

	/* One bit anywhere: header, salt, nonce, box, tag. Costs beyond ours are not even tried. */
	uint8_t raw[200];
	size_t n = 0, head = strlen(KEYSTORE_SEALED_COMMENT) + strlen("cust-mk-sk") + 1;
	assert_int_equal(
		base64_decode(raw, sizeof raw, &n, (char *)file.p + head, file.len - head - 1), 0);
	assert_int_equal(n, 12 + 16 + 24 + 32 + 16);
	static const struct {
		size_t at;
		uint8_t xor ;
		const char *message;
	} flips[] = {
		{ 0, 1, "f: sealed secret: unknown format" },
		{ 2, 3, "f: sealed secret: unknown format" },
		{ 3, 8, "f: sealed secret is of unknown kind, wanted cust-mk-sk" },
		{ 4, 3,
			"f: sealed secret asks for 0 passes over 262144 KiB, at most 10 over "
			"1048576 wanted" },
		{ 5, 1,
			"f: sealed secret asks for 259 passes over 262144 KiB, at most 10 over "
			"1048576 wanted" },
		{ 11, 1,
			"f: sealed secret asks for 3 passes over 17039360 KiB, at most 10 over "
			"1048576 wanted" },
		{ 12, 1, "f: wrong passphrase, or the sealed secret is damaged" },
		{ 30, 1, "f: wrong passphrase, or the sealed secret is damaged" },
		{ 60, 1, "f: wrong passphrase, or the sealed secret is damaged" },
		{ 99, 1, "f: wrong passphrase, or the sealed secret is damaged" },
	};
	for (size_t i = 0; i < sizeof flips / sizeof *flips; i++) {
		AUTO(buf_clear) struct buf bad = { 0 };
		char text[300];
		raw[flips[i].at] ^= flips[i].xor ;
		wr_printf(&bad, "%scust-mk-sk\n%s\n", KEYSTORE_SEALED_COMMENT,
			base64_encode(text, raw, n));
		raw[flips[i].at] ^= flips[i].xor ;
		assert_int_equal(
			keystore_unseal(KEYSTORE_CUST_MK_SK, "f", bad.p, bad.len, pass, &back, &e),
			-1);
		assert_string_equal(e.msg, flips[i].message);
		assert_int_equal(e.code, ERR_CONFIG);
	}

	put_file("sealed", file.p, file.len);
	assert_string_equal(secret_at(KEYSTORE_CUST_MK_SK, "sealed"),
		"sealed: sealed secret; give --passphrase-file or --passphrase-fd, or run on a "
		"terminal");
}

static int count_secret(void *ctx, const char *name, const struct secret *s, struct err *e)
{
	size_t *sum = ctx;
	(void)e;
	assert_true(*name != 0);
	*sum += s->len;
	return 0;
}

/* The same file is opened once, and everything opened is handed to the scan. */
static void test_memory(void **state)
{
	(void)state;
	AUTO(keystore_freep) struct keystore *ks = NULL;
	const struct ecc_key *a, *b;
	const struct secret *s, *t;
	struct err e = { 0 };
	size_t sum = 0;

	put_file("hex64", HEX64, 64);
	assert_int_equal(keystore_new(&ks, NULL, &e), 0);
	assert_int_equal(keystore_key(ks, "tests/vectors/keys/rot_p256_0.pem", &a, &e), 0);
	assert_int_equal(keystore_key(ks, "tests/vectors/keys/rot_p256_0.pem", &b, &e), 0);
	assert_ptr_equal(a, b);
	assert_int_equal(keystore_key(ks, "tests/vectors/keys/rot_p384_0.pem", &b, &e), 0);
	assert_int_equal(keystore_symmetric(ks, KEYSTORE_CUST_MK_SK, in_dir("hex64"), &s, &e), 0);
	assert_int_equal(keystore_symmetric(ks, KEYSTORE_CUST_MK_SK, in_dir("hex64"), &t, &e), 0);
	assert_ptr_equal(s, t);
	assert_int_equal(keystore_each(ks, count_secret, &sum, &e), 0);
	assert_int_equal(sum, 32 + 48 + 32);
}

static mode_t mode_of(const char *name)
{
	struct stat st;
	assert_int_equal(stat(in_dir(name), &st), 0);
	return st.st_mode & 0777;
}

static void test_keygen(void **state)
{
	(void)state;
	AUTO(secret_freep) struct secret *pass = secret_copy("pw", 2);
	AUTO(keystore_freep) struct keystore *ks = NULL;
	struct passphrase_source source = { .fixed = pass };
	AUTO(ecc_key_freep) struct ecc_key *key = NULL;
	struct err e = { 0 };
	struct ecc_pub pub;
	const struct secret *s;
	char want[300];

	assert_int_equal(keygen_pairs(in_dir("k"), "rot", ECC_P384, 2, pass, NULL, &e), 0);
	assert_int_equal(mode_of("k"), 0700);
	assert_int_equal(mode_of("k/rot_p384_1.pem"), 0600);
	assert_int_equal(mode_of("k/rot_p384_1.pub"), 0644);
	assert_int_equal(ecc_key_load(&key, in_dir("k/rot_p384_1.pem"), &source, &e), 0);
	assert_int_equal(ecc_pub_load_any(&pub, in_dir("k/rot_p384_1.pub"), NULL, &e), 0);
	assert_true(ecc_pub_equal(&pub, ecc_key_pub(key)));
	assert_int_equal(ecc_pub_load_any(&pub, in_dir("k/rot_p384_0.pub"), NULL, &e), 0);
	assert_false(ecc_pub_equal(&pub, ecc_key_pub(key)));

	/* Nothing is replaced, and nothing is added to a set that is there in part. */
	assert_int_equal(unlink(in_dir("k/rot_p384_0.pem")), 0);
	assert_int_equal(keygen_pairs(in_dir("k"), "rot", ECC_P384, 3, NULL, NULL, &e), -1);
	snprintf(want, sizeof want, "%s/k/rot_p384_0.pub exists already; keys are never replaced",
		dir);
	assert_string_equal(e.msg, want);
	assert_false(fsio_exists(in_dir("k/rot_p384_2.pem")));

	assert_int_equal(
		keygen_symmetric(in_dir("mk"), KEYSTORE_CUST_MK_SK, 32, NULL, NULL, &e), 0);
	assert_int_equal(mode_of("mk"), 0600);
	assert_int_equal(keystore_new(&ks, NULL, &e), 0);
	assert_int_equal(keystore_symmetric(ks, KEYSTORE_CUST_MK_SK, in_dir("mk"), &s, &e), 0);
	assert_int_equal(s->len, 32);
	assert_int_equal(
		keygen_symmetric(in_dir("seed"), KEYSTORE_OEM_SEED, 16, NULL, NULL, &e), 0);
	assert_int_equal(keystore_symmetric(ks, KEYSTORE_OEM_SEED, in_dir("seed"), &s, &e), 0);
	assert_int_equal(s->len, 16);
	assert_int_equal(
		keygen_symmetric(in_dir("mk"), KEYSTORE_CUST_MK_SK, 32, NULL, NULL, &e), -1);
	assert_int_equal(e.code, ERR_ENV);

	assert_int_equal(
		keygen_symmetric(in_dir("mk16"), KEYSTORE_CUST_MK_SK, 16, NULL, NULL, &e), 0);
	assert_int_equal(keystore_symmetric(ks, KEYSTORE_CUST_MK_SK, in_dir("mk16"), &s, &e), 0);
	assert_int_equal(s->len, 16);

	assert_int_equal(keygen_package(in_dir("package.key"), NULL, NULL, &e), 0);
	assert_int_equal(mode_of("package.key"), 0600);
	assert_int_equal(mode_of("package.pub"), 0644);
}

/* --- PKCS#11, with SoftHSM
 * ------------------------------------------------------------------------- */

#define MODULE "/usr/lib/softhsm/libsofthsm2.so"

static int run(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static int run(const char *fmt, ...)
{
	char cmd[1500];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(cmd, sizeof cmd, fmt, ap);
	va_end(ap);
	int rc = system(cmd);
	return WIFEXITED(rc) ? WEXITSTATUS(rc) : -1;
}

/* Each in a process of its own: a token stays logged in as long as its library is loaded. */
static void refuse_pkcs11(const char *uri, const struct passphrase_source *pw, const char *message)
{
	int fd[2], status;
	struct err e = { 0 };

	assert_int_equal(pipe(fd), 0);
	pid_t pid = fork();
	if (pid == 0) {
		struct ecc_key *key;
		int rc = ecc_key_load(&key, uri, pw, &e);
		if (write(fd[1], rc ? e.msg : "good", sizeof e.msg) < 0)
			_exit(1);
		_exit(0);
	}
	close(fd[1]);
	assert_true(read(fd[0], e.msg, sizeof e.msg) > 0);
	close(fd[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	/* The system's reason follows some of the messages. */
	size_t len = strlen(message);
	bool open_end = len > 1 && message[len - 1] == ' ';
	if (open_end ? strncmp(e.msg, message, len) != 0 : strcmp(e.msg, message) != 0)
		fail_msg("%s\n  seen   %s\n  wanted %s", uri, e.msg, message);
	assert_null(strstr(e.msg, "471"));
}

static void test_pkcs11(void **state)
{
	(void)state;
	AUTO(buf_clear) struct buf conf = { 0 };
	AUTO(secret_freep) struct secret *pin = secret_copy("4711", 4);
	AUTO(secret_freep) struct secret *bad = secret_copy("4712", 4);
	struct passphrase_source with_pin = { .fixed = pin }, bad_pin = { .fixed = bad };
	struct passphrase_source none = { .none = true };
	struct err e = { 0 };
	uint8_t sig[96];
	char uri[400];

	if (access(MODULE, R_OK) != 0 || run("command -v softhsm2-util >/dev/null") != 0 ||
		access("/usr/lib/x86_64-linux-gnu/engines-3/pkcs11.so", R_OK) != 0) {
		print_message("SoftHSM or the pkcs11 engine is not installed here\n");
		skip();
	}
	assert_int_equal(mkdir(in_dir("tokens"), 0700), 0);
	wr_printf(&conf, "directories.tokendir = %s/tokens\nlog.level = ERROR\n", dir);
	put_file("softhsm.conf", conf.p, conf.len);
	assert_int_equal(setenv("SOFTHSM2_CONF", in_dir("softhsm.conf"), 1), 0);
	assert_int_equal(
		run("softhsm2-util --init-token --free --label oem --pin 4711 --so-pin 1234 "
		    ">/dev/null"),
		0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(run("softhsm2-util --import tests/vectors/keys/%s.pem --token oem "
				     "--label %s --id 0%d --pin 4711 >/dev/null",
					 i ? "isk_p384" : "rot_p256_0", i ? "isk" : "rot", i + 1),
			0);
	static const char rot[] = "pkcs11:token=oem;object=rot?module-path=" MODULE;
	static const char wants_pin[] =
		"pkcs11:token=oem;object=rot: the token wants a PIN; give "
		"--passphrase-file or --passphrase-fd, or run on a terminal";
	/* What a person has to mend is named: the PIN, the name of the key, the token. */
	refuse_pkcs11(rot, &bad_pin, "pkcs11:token=oem;object=rot: wrong PIN");
	refuse_pkcs11(rot, &none, wants_pin);
	refuse_pkcs11("pkcs11:object=none?module-path=" MODULE, &with_pin,
		"pkcs11:object=none: the token has no such private key: object not found");
	refuse_pkcs11("pkcs11:token=oem;object=none?module-path=" MODULE, &with_pin,
		"pkcs11:token=oem;object=none: the token has no such private key: object not "
		"found");
	refuse_pkcs11("pkcs11:token=oem;id=%77?module-path=" MODULE, &with_pin,
		"pkcs11:token=oem;id=%77: the token has no such private key: object not found");
	refuse_pkcs11("pkcs11:token=taken-away;object=rot?module-path=" MODULE, &with_pin,
		"pkcs11:token=taken-away;object=rot: this token is not there (removed?); there is "
		"\"oem\"");
	refuse_pkcs11("pkcs11:token=oem;serial=0000;object=rot?module-path=" MODULE, &with_pin,
		"pkcs11:token=oem;serial=0000;object=rot: this token is not there (removed?); "
		"there is \"oem\"");
	refuse_pkcs11("pkcs11:token=oem;object=rot?pin-value=4711", &with_pin,
		"pkcs11:token=oem;object=rot: pin-value is refused; use pin-source=file:PATH or "
		"--passphrase-file");
	refuse_pkcs11("pkcs11:object=rot?module-path=/nothing/there.so", &with_pin,
		"pkcs11:object=rot: cannot open the token library /nothing/there.so: ");
	refuse_pkcs11("pkcs11:object=rot?pin-source=file:/nothing/there", &with_pin,
		"pkcs11:object=rot: pin-source: /nothing/there: cannot open: ");
	refuse_pkcs11("pkcs11:object=rot?module-path=%zz", &with_pin,
		"pkcs11: bad percent code in attribute module-path");
	AUTO(buf_clear) struct buf empty = { 0 };
	assert_int_equal(mkdir(in_dir("no-tokens"), 0700), 0);
	wr_printf(&empty, "directories.tokendir = %s/no-tokens\nlog.level = ERROR\n", dir);
	put_file("empty.conf", empty.p, empty.len);
	assert_int_equal(setenv("SOFTHSM2_CONF", in_dir("empty.conf"), 1), 0);
	refuse_pkcs11(rot, &with_pin, "pkcs11:token=oem;object=rot: no token is there (removed?)");
	assert_int_equal(setenv("SOFTHSM2_CONF", in_dir("softhsm.conf"), 1), 0);
	snprintf(uri, sizeof uri, "%s", rot);

	for (int i = 0; i < 2; i++) {
		AUTO(ecc_key_freep) struct ecc_key *key = NULL;
		AUTO(secret_freep) struct secret *d = NULL;
		struct ecc_pub pub, same;
		if (i)
			snprintf(uri, sizeof uri, "pkcs11:token=oem;object=isk?module-path=%s",
				MODULE);
		if (ecc_key_load(&key, uri, &with_pin, &e) != 0)
			fail_msg("%s", e.msg);
		assert_int_equal(ecc_pub_load_any(&pub,
					 i ? "tests/vectors/keys/isk_p384.pub.pem"
					   : "tests/vectors/keys/rot_p256_0.pub.pem",
					 NULL, &e),
			0);
		assert_true(ecc_pub_equal(&pub, ecc_key_pub(key)));
		assert_int_equal(ecc_key_sign(key, "message", 7, sig, &e), 0);
		assert_int_equal(ecc_verify(&pub, "message", 7, sig, &e), 0);
		assert_int_equal(ecc_key_scalar(key, &d, &e), 0);
		assert_null(d);
		assert_int_equal(ecc_pub_load_any(&same, uri, &with_pin, &e), 0);
		assert_true(ecc_pub_equal(&pub, &same));
	}

	AUTO(ecc_key_freep) struct ecc_key *key = NULL;
	snprintf(uri, sizeof uri,
		"pkcs11:token=oem;object=rot?module-path=" MODULE "&pin-source=file:%s",
		in_dir("pin"));
	put_file("pin", "4711\n", 5);
	if (ecc_key_load(&key, uri, &none, &e) != 0)
		fail_msg("%s", e.msg);
	ecc_key_freep(&key);

	/* A container signed in the token. */
	AUTO(config_freep) struct config *c = NULL;
	AUTO(keystore_freep) struct keystore *ks = NULL;
	AUTO(buf_clear) struct buf text = { 0 }, out = { 0 };
	struct sb31 sb;
	wr_printf(&text,
		"family: mcxn947\ncertBlock: tests/vectors/sb31/no-commands/cert_block.bin\n"
		"signer: %s\ntimestamp: 5\ncommands: []\n"
		"containerKeyBlobEncryptionKey: tests/vectors/sb31/no-commands/cust_mk_sk.txt\n",
		uri);
	assert_int_equal(keystore_new(&ks, NULL, &e), 0);
	assert_int_equal(config_load_bytes(&c, "t.yaml", text.p, text.len, &e), 0);
	if (sb31_export(c, ks, &out, &e) != 0 || sb31_parse(&sb, out.p, out.len, &e) != 0 ||
		sb31_verify(&sb, &e) != 0)
		fail_msg("%s", e.msg);

	/* The token is taken away between finding the key and signing. */
	if (ecc_key_load(&key, uri, &none, &e) != 0)
		fail_msg("%s", e.msg);
	assert_int_equal(run("rm -rf %s/tokens", dir), 0);
	assert_int_equal(ecc_key_sign(key, "message", 7, sig, &e), -1);
	assert_int_equal(e.code, ERR_ENV);
	if (strncmp(e.msg, "the token does not sign (removed?): ", 36) != 0)
		fail_msg("%s", e.msg);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_symmetric_forms),
		cmocka_unit_test(test_sealed),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_keygen),
		cmocka_unit_test(test_pkcs11),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}

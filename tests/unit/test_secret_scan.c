/* The secret scan: each way a secret can get into a package, found; packages without, let through.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <sodium.h>

#include "base/fsio.h"
#include "base/text.h"
#include "evidence_support.h"
#include "keyed/ecc_key.h"
#include "mfgpkg/keystore.h"
#include "mfgpkg/secret_scan.h"
#include "pkg_support.h"

static uint8_t secret[32];

static struct container container_of(struct pk *p)
{
	struct container c;
	struct err e = { 0 };

	if (container_parse(&c, p->out.p, p->out.len, &e) != 0)
		fail_msg("%s", e.msg);
	return c;
}

/* A package with this as one more document. */
static void with_doc(struct pk *p, const void *data, size_t len)
{
	pk_default(p);
	pk_add_file(p, "docs/x.txt", "document", "");
	pk_set(pk_file(p, "docs/x.txt"), data, len);
	pk_build(p, "alice");
}

static void check(const struct oem_scan *s, const void *data, size_t len, const char *message)
{
	AUTO(pk_clear) struct pk p;
	struct err e = { 0 };

	with_doc(&p, data, len);
	struct container c = container_of(&p);
	int r = oem_scan_package(s, &c, &e);
	if (!message && r != 0)
		fail_msg("refused: %s", e.msg);
	if (message && r == 0)
		fail_msg("accepted, wanted \"%s\"", message);
	if (message && strcmp(e.msg, message) != 0)
		fail_msg("\"%s\", wanted \"%s\"", e.msg, message);
	if (message)
		assert_int_equal(e.code, ERR_REJECTED);
}

static struct oem_scan *scan_for_secret(void)
{
	struct oem_scan *s = NULL;
	struct err e = { 0 };

	assert_int_equal(oem_scan_new(&s, &e), 0);
	for (size_t i = 0; i < sizeof secret; i++)
		secret[i] = (uint8_t)(0x93 * i + 0xF1);
	assert_int_equal(oem_scan_add_secret(s, "CUST_MK_SK", secret, sizeof secret, &e), 0);
	return s;
}

static void forms(void **state)
{
	(void)state;
	AUTO(oem_scan_freep) struct oem_scan *s = scan_for_secret();
	AUTO(buf_clear) struct buf b = { 0 };
	char hex[65], b64[BASE64_LEN(40) + 1];
	uint8_t turned[32], shifted[40];

	check(s, "nothing to see", 14, NULL);
	wr_str(&b, "text before ");
	wr_bytes(&b, secret, 32);
	check(s, b.p, b.len, "docs/x.txt: holds the secret CUST_MK_SK, at offset 12");

	for (size_t i = 0; i < 32; i++)
		turned[i] = secret[31 - i];
	check(s, turned, 32, "docs/x.txt: holds the secret CUST_MK_SK, reversed, at offset 0");

	hex_encode(hex, secret, 32);
	buf_clear(&b);
	wr_printf(&b, "key = %s;", hex);
	check(s, b.p, b.len, "docs/x.txt: holds the secret CUST_MK_SK, in hex");
	for (char *c = hex; *c; c++)
		*c = (char)(*c >= 'a' ? *c - 32 : *c);
	check(s, hex, 64, "docs/x.txt: holds the secret CUST_MK_SK, in hex");
	buf_clear(&b);
	wr_str(&b, "a"); /* one digit before: the other alignment */
	wr_str(&b, hex);
	check(s, b.p, b.len, "docs/x.txt: holds the secret CUST_MK_SK, in hex");
	buf_clear(&b);
	wr_str(&b, "{ ");
	for (size_t i = 0; i < 32; i++)
		wr_printf(&b, "0x%02x,%s", secret[i], i % 8 == 7 ? "\n\t" : " ");
	wr_str(&b, "}");
	check(s, b.p, b.len, "docs/x.txt: holds the secret CUST_MK_SK, in hex");
	buf_clear(&b);
	for (size_t i = 0; i < 32; i++)
		wr_printf(&b, "%02x:", turned[i]);
	check(s, b.p, b.len, "docs/x.txt: holds the secret CUST_MK_SK, reversed, in hex");

	/* base64 from each of the three positions a byte can have in a group. */
	for (size_t skip = 0; skip < 3; skip++) {
		memset(shifted, 'x', sizeof shifted);
		memcpy(shifted + skip, secret, 32);
		base64_encode(b64, shifted, 40);
		check(s, b64, strlen(b64), "docs/x.txt: holds the secret CUST_MK_SK, in base64");
		for (char *c = b64; *c; c++)
			*c = *c == '+' ? '-' : *c == '/' ? '_' : *c;
		check(s, b64, strlen(b64), "docs/x.txt: holds the secret CUST_MK_SK, in base64");
	}
	base64_encode(b64, secret, 32);
	buf_clear(&b);
	wr_printf(&b, "%.20s\n%.20s\r\n%s\n", b64, b64 + 20, b64 + 40);
	check(s, b.p, b.len, "docs/x.txt: holds the secret CUST_MK_SK, in base64");

	/* Half of it is no find. */
	check(s, secret, 16, NULL);
}

static void in_every_entry(void **state)
{
	(void)state;
	AUTO(oem_scan_freep) struct oem_scan *s = scan_for_secret();
	AUTO(pk_clear) struct pk p;
	struct err e = { 0 };
	char hex[65], script[200];

	/* In the script, as a write to the device. */
	pk_default(&p);
	snprintf(script, sizeof script,
		"flash-erase-all\nwrite-memory 0x20000000 {{%s}}\ndice-attest\n",
		hex_encode(hex, secret, 32));
	pk_text(pk_file(&p, "scripts/program.blhost"), script);
	pk_build(&p, "alice");
	struct container c = container_of(&p);
	assert_int_equal(oem_scan_package(s, &c, &e), -1);
	assert_string_equal(e.msg, "scripts/program.blhost: holds the secret CUST_MK_SK, in hex");

	/* In the manifest. */
	pk_clear(&p);
	pk_default(&p);
	pk_list(&p);
	json_object_set_new(p.manifest, "release", json_string(hex_encode(hex, secret, 32)));
	pk_seal(&p);
	pk_sign(&p, "alice");
	pk_pack(&p);
	c = container_of(&p);
	assert_int_equal(oem_scan_package(s, &c, &e), -1);
	assert_string_equal(e.msg, "manifest.json: holds the secret CUST_MK_SK, in hex");
}

static void plaintext(void **state)
{
	(void)state;
	AUTO(oem_scan_freep) struct oem_scan *s = NULL;
	AUTO(buf_clear) struct buf firmware = pk_vector("firmware/frdm_mcxn947_led_blinky.bin");
	AUTO(buf_clear) struct buf doc = { 0 };
	struct err e = { 0 };

	assert_int_equal(oem_scan_new(&s, &e), 0);
	assert_int_equal(oem_scan_add_plaintext(s, "blinky.bin", firmware.p, firmware.len, &e), 0);
	check(s, firmware.p, firmware.len,
		"docs/x.txt: holds plain text of blinky.bin, at offset 0");
	/* 40 bytes from the middle, at any place of the document. */
	size_t at = 1000;
	for (size_t shift = 0; shift < 17; shift++) {
		buf_clear(&doc);
		for (size_t i = 0; i < shift + 3; i++)
			wr_u8(&doc, 'z');
		wr_bytes(&doc, firmware.p + at + shift, 48);
		AUTO(pk_clear) struct pk p;
		with_doc(&p, doc.p, doc.len);
		struct container c = container_of(&p);
		if (oem_scan_package(s, &c, &e) == 0)
			fail_msg("48 bytes from %zu: accepted", at + shift);
		assert_non_null(strstr(e.msg, "docs/x.txt: holds plain text of blinky.bin"));
	}
	/* Less than a run, and padding, are no finds. */
	check(s, firmware.p + at, 24, NULL);
	buf_clear(&doc);
	wr_zero(&doc, 4096);
	check(s, doc.p, doc.len, NULL);
}

static void structures(void **state)
{
	(void)state;
	AUTO(oem_scan_freep) struct oem_scan *s = NULL;
	struct err e = { 0 };

	assert_int_equal(oem_scan_new(&s, &e), 0);
	static const struct {
		const char *path, *message;
	} files[] = {
		{ "keys/rot_p256_1.pem", "docs/x.txt: holds a private key (PEM), at offset 11" },
		{ "keys/rot_p384_0.pem", "docs/x.txt: holds a private key (PEM), at offset 11" },
		{ "evidence/minisign/keys/alice.key",
			"docs/x.txt: holds a minisign secret key without password, at offset 53" },
		{ "evidence/minisign/keys/locked.key",
			"docs/x.txt: holds a minisign secret key, at offset 53" },
		{ "keys/rot_p256_0.pub.pem", NULL },
		{ "keys/rot_p256_0.crt.pem", NULL },
		{ "evidence/minisign/keys/alice.pub", NULL },
	};
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		AUTO(buf_clear) struct buf b = pk_vector(files[i].path);
		AUTO(pk_clear) struct pk p;
		with_doc(&p, b.p, b.len);
		struct container c = container_of(&p);
		int r = oem_scan_package(s, &c, &e);
		if ((r == 0) != (files[i].message == NULL))
			fail_msg("%s: %s", files[i].path, r ? e.msg : "accepted");
		if (files[i].message && strstr(e.msg, "at offset") == NULL)
			fail_msg("%s", e.msg);
		/* up to the offset, which depends on the comment line */
		if (files[i].message)
			assert_int_equal(strncmp(e.msg, files[i].message,
						 (size_t)(strstr(files[i].message, ", at") -
							  files[i].message)),
				0);
	}

	/* DER, PKCS#8 and SEC1, out of the PEM; and hex of it. */
	assert_int_equal(
		ev_run("openssl pkcs8 -topk8 -nocrypt -in tests/vectors/keys/rot_p256_1.pem"
		       " -outform DER -out %s 2>/dev/null",
			ev_path("k.der")),
		0);
	assert_int_equal(ev_run("openssl ec -in tests/vectors/keys/rot_p384_1.pem -outform DER"
				" -out %s 2>/dev/null",
				 ev_path("k384.der")),
		0);
	static const char *const der[] = { "k.der", "k384.der" };
	for (size_t i = 0; i < 2; i++) {
		AUTO(buf_clear) struct buf b = { 0 };
		assert_int_equal(fsio_read(ev_path("%s", der[i]), 10000, &b, &e), 0);
		for (int form = 0; form < 2; form++) {
			AUTO(pk_clear) struct pk p;
			char *hex = malloc(2 * b.len + 1);
			assert_non_null(hex);
			hex_encode(hex, b.p, b.len);
			with_doc(&p, form ? (void *)hex : b.p, form ? 2 * b.len : b.len);
			free(hex);
			struct container c = container_of(&p);
			assert_int_equal(oem_scan_package(s, &c, &e), -1);
			assert_non_null(strstr(e.msg, "private key (DER)"));
		}
	}
}

static void raw_scalar(void **state)
{
	(void)state;
	AUTO(oem_scan_freep) struct oem_scan *s = NULL;
	AUTO(ecc_key_freep) struct ecc_key *key = NULL, *other = NULL;
	AUTO(secret_freep) struct secret *d = NULL, *d_other = NULL;
	AUTO(buf_clear) struct buf doc = { 0 };
	struct passphrase_source none = { .none = true };
	struct err e = { 0 };
	uint8_t turned[32];

	/* The image of pk_default() is signed by isk_p256, certified by rot_p256_0 .. 3. */
	assert_int_equal(oem_scan_new(&s, &e), 0);
	assert_int_equal(ecc_key_load(&key, "tests/vectors/keys/isk_p256.pem", &none, &e), 0);
	assert_int_equal(ecc_key_scalar(key, &d, &e), 0);
	wr_str(&doc, "some text ");
	wr_bytes(&doc, d->p, d->len);
	check(s, doc.p, doc.len,
		"docs/x.txt: holds the private number of a public key in the package, at offset "
		"10");
	for (size_t i = 0; i < 32; i++)
		turned[i] = d->p[31 - i];
	check(s, turned, 32,
		"docs/x.txt: holds the private number of a public key in the package, at offset 0");
	/* A key that is not in the package is just random bytes. */
	assert_int_equal(ecc_key_generate(&other, ECC_P256, &e), 0);
	assert_int_equal(ecc_key_scalar(other, &d_other, &e), 0);
	check(s, d_other->p, d_other->len, NULL);
}

static void unencrypted_sb(void **state)
{
	(void)state;
	AUTO(oem_scan_freep) struct oem_scan *s = NULL;
	AUTO(buf_clear) struct buf plain = pk_vector("sb31/p256-unencrypted-all/expected.sb3");
	struct err e = { 0 };

	assert_int_equal(oem_scan_new(&s, &e), 0);
	check(s, plain.p, plain.len,
		"docs/x.txt: not encrypted: block 1 is a plain section header");
}

static void folder(void **state)
{
	(void)state;
	AUTO(oem_scan_freep) struct oem_scan *s = NULL;
	AUTO(ecc_key_freep) struct ecc_key *key = NULL;
	AUTO(secret_freep) struct secret *d = NULL;
	AUTO(buf_clear) struct buf alice = pk_vector("evidence/minisign/keys/alice.key");
	AUTO(buf_clear) struct buf sealed = { 0 };
	struct passphrase_source none = { .none = true };
	struct err e = { 0 };
	uint8_t seed[16], mk[32], raw[158];
	char hex[65];
	size_t len;

	/* A workspace of all kinds of secrets, some folders deep. */
	assert_int_equal(mkdir(ev_path("ws"), 0700), 0);
	assert_int_equal(mkdir(ev_path("ws/keys"), 0700), 0);
	for (size_t i = 0; i < 32; i++)
		mk[i] = (uint8_t)(i * 37 + 5);
	for (size_t i = 0; i < 16; i++)
		seed[i] = (uint8_t)(i * 91 + 7);
	ev_write(ev_path("ws/keys/mk.txt"), hex_encode(hex, mk, 32), 64);
	ev_write(ev_path("ws/keys/seed.bin"), seed, 16);
	ev_write(ev_path("ws/keys/package.key"), alice.p, alice.len);
	assert_int_equal(
		ev_run("cp tests/vectors/keys/rot_p384_2.pem tests/vectors/keys/rot_p256_3.pub.pem "
		       "tests/vectors/firmware/frdm_mcxn947_led_blinky.bin %s && chmod 600 %s/*",
			ev_path("ws/keys"), ev_path("ws/keys")),
		0);
	ev_write(ev_path("ws/rkth.txt"), PK_RKTH, 64); /* a hash, in every manifest */
	assert_int_equal(oem_scan_new(&s, &e), 0);
	if (oem_scan_add_folder(s, ev_path("ws"), NULL, &e) != 0)
		fail_msg("%s", e.msg);
	check(s, "nothing", 7, NULL);

	char want[400];
	snprintf(want, sizeof want, "docs/x.txt: holds the secret %.120s, at offset 0",
		ev_path("ws/keys/mk.txt"));
	check(s, mk, 32, want);
	snprintf(want, sizeof want, "docs/x.txt: holds the secret %.120s, at offset 0",
		ev_path("ws/keys/seed.bin"));
	check(s, seed, 16, want);
	/* Raw numbers of keys that are in PEM or base64 in the workspace. */
	assert_int_equal(ecc_key_load(&key, "tests/vectors/keys/rot_p384_2.pem", &none, &e), 0);
	assert_int_equal(ecc_key_scalar(key, &d, &e), 0);
	snprintf(want, sizeof want, "docs/x.txt: holds the secret %.120s, at offset 0",
		ev_path("ws/keys/rot_p384_2.pem"));
	check(s, d->p, d->len, want);
	char *line = memchr(alice.p, '\n', alice.len);
	assert_int_equal(base64_decode(raw, sizeof raw, &len, line + 1, 212), 0);
	snprintf(want, sizeof want, "docs/x.txt: holds the secret %.120s, at offset 0",
		ev_path("ws/keys/package.key"));
	check(s, raw + 62, 32, want);
	AUTO(buf_clear) struct buf firmware = pk_vector("firmware/frdm_mcxn947_led_blinky.bin");
	AUTO(pk_clear) struct pk p;
	with_doc(&p, firmware.p + 512, 256);
	struct container c = container_of(&p);
	assert_int_equal(oem_scan_package(s, &c, &e), -1);
	assert_non_null(strstr(e.msg, "holds plain text of "));

	/* A sealed secret: opened when the passphrase is there. */
	AUTO(secret_freep)
	struct secret *plain = secret_copy(secret, 32), *pass = secret_copy("pw", 2);
	assert_int_equal(keystore_seal(KEYSTORE_CUST_MK_SK, plain, pass, &sealed, &e), 0);
	assert_int_equal(mkdir(ev_path("ws2"), 0700), 0);
	ev_write(ev_path("ws2/mk.key"), sealed.p, sealed.len);
	AUTO(oem_scan_freep) struct oem_scan *with = NULL;
	struct passphrase_source source = { .fixed = pass };
	assert_int_equal(oem_scan_new(&with, &e), 0);
	assert_int_equal(oem_scan_add_folder(with, ev_path("ws2"), &source, &e), 0);
	snprintf(want, sizeof want, "docs/x.txt: holds the secret %.120s, at offset 0",
		ev_path("ws2/mk.key"));
	check(with, secret, 32, want);

	assert_int_equal(oem_scan_add_folder(s, ev_path("nothing"), NULL, &e), -1);
	assert_int_equal(e.code, ERR_ENV);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forms),
		cmocka_unit_test(in_every_entry),
		cmocka_unit_test(plaintext),
		cmocka_unit_test(structures),
		cmocka_unit_test(raw_scalar),
		cmocka_unit_test(unencrypted_sb),
		cmocka_unit_test(folder),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* crypt and keyed against published test vectors and OpenSSL's own readers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fsio.h"
#include "base/text.h"
#include "crypt/crc.h"
#include "crypt/digest.h"
#include "crypt/ecc.h"
#include "keyed/aes.h"
#include "keyed/ecc_key.h"
#include "keyed/sb31_cipher.h"
#include "keyed/sb31_kdf.h"

#define KEYS "tests/vectors/keys/"

static void bytes(uint8_t *out, const char *hex)
{
	assert_int_equal(hex_decode(out, strlen(hex) / 2, hex), 0);
}

static void test_digest(void **state)
{
	(void)state;
	uint8_t out[48], again[48], want[48];

	/* FIPS 180-4 examples for "abc". */
	bytes(want, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	sha256_of("abc", 3, out);
	assert_memory_equal(out, want, 32);
	bytes(want, "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
		    "8086072ba1e7cc2358baeca134c825a7");
	digest_of(DIGEST_SHA384, "abc", 3, out);
	assert_memory_equal(out, want, 48);

	/* One object, two messages in pieces. */
	struct digest *d = digest_new(DIGEST_SHA384);
	for (int i = 0; i < 2; i++) {
		digest_update(d, "a", 1);
		digest_update(d, "bc", 2);
		digest_final(d, again);
		assert_memory_equal(again, want, 48);
	}
	digest_free(d);
	digest_free(NULL);
}

static void test_crc(void **state)
{
	(void)state;
	/* The catalogue's check values for "123456789". */
	assert_int_equal(crc16_xmodem(0, "123456789", 9), 0x31C3);
	assert_int_equal(crc32_mpeg2(0xFFFFFFFFu, "123456789", 9), 0x0376E6E7);
	assert_int_equal(crc16_xmodem(crc16_xmodem(0, "1234", 4), "56789", 5), 0x31C3);
	assert_int_equal(crc32_mpeg2(crc32_mpeg2(0xFFFFFFFFu, "1", 1), "23456789", 8), 0x0376E6E7);
}

static void test_aes(void **state)
{
	(void)state;
	uint8_t key[32], in[64], out[72], want[72];
	struct err e;

	/* SP 800-38B, D.1 and D.3: AES-128 and AES-256, 40 bytes. */
	bytes(key, "2b7e151628aed2a6abf7158809cf4f3c");
	bytes(in,
		"6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411");
	bytes(want, "dfa66747de9ae63030ca32611497c827");
	assert_int_equal(aes_cmac(key, 16, in, 40, out, &e), 0);
	assert_memory_equal(out, want, 16);
	bytes(key, "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4");
	bytes(want, "aaf3d8f1de5640c232f5b169b9c911e6");
	assert_int_equal(aes_cmac(key, 32, in, 40, out, &e), 0);
	assert_memory_equal(out, want, 16);
	assert_int_equal(aes_cmac(key, 24, in, 40, out, &e), -1);
	assert_string_equal(e.msg, "AES key of 24 bytes, wanted 16 or 32");

	/* SP 800-38A, F.2.1: CBC-AES128, first two blocks. */
	uint8_t iv[16];
	bytes(key, "2b7e151628aed2a6abf7158809cf4f3c");
	bytes(iv, "000102030405060708090a0b0c0d0e0f");
	bytes(want, "7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2");
	assert_int_equal(aes_cbc_encrypt(key, 16, iv, in, out, 32, &e), 0);
	assert_memory_equal(out, want, 32);
	assert_int_equal(aes_cbc_decrypt(key, 16, iv, out, out, 32, &e), 0);
	assert_memory_equal(out, in, 32);
	assert_int_equal(aes_cbc_encrypt(key, 16, iv, in, out, 31, &e), -1);

	/* RFC 3394, 4.6: 256 bits of key data with a 256-bit KEK. */
	bytes(key, "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
	bytes(in, "00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f");
	bytes(want, "28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43b"
		    "fb988b9b7a02dd21");
	assert_int_equal(aes_kw_wrap(key, 32, in, 32, out, &e), 0);
	assert_memory_equal(out, want, 40);
	assert_int_equal(aes_kw_unwrap(key, 32, want, 40, out, &e), 0);
	assert_memory_equal(out, in, 32);
	want[7] ^= 1;
	assert_int_equal(aes_kw_unwrap(key, 32, want, 40, out, &e), -1);
	assert_int_equal(e.code, ERR_REJECTED);
	assert_string_equal(e.msg, "RFC 3394 key wrap: check value wrong");
}

/* The worked example of the format, and the batch cipher against one-by-one derivation. */
static void test_sb31_keys(void **state)
{
	(void)state;
	uint8_t mk[32], want[32], kdk[32], bk[32], d[32];
	struct err e;

	bytes(mk, "101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f");
	sb31_kdf_input(d, 0x123456789abcdef, 1, false, 256, 2);
	bytes(want, "efcdab8967452301000000000000000000000000400100210000010000000002");
	assert_memory_equal(d, want, 32);
	assert_int_equal(sb31_kdf_kdk(mk, 32, 0x123456789abcdef, 1, 256, kdk, &e), 0);
	bytes(want, "8ca407993581793949c8fabaac3d6b749aa763ac76b03afffcf860aa8ac70340");
	assert_memory_equal(kdk, want, 32);
	assert_int_equal(sb31_kdf_block_key(kdk, 1, 1, 256, bk, &e), 0);
	bytes(want, "cc4f510a9a4d1a9231e533e546c626d19f3856105bb55b8609f4538a1f596d6a");
	assert_memory_equal(bk, want, 32);
	assert_int_equal(sb31_kdf_kdk(mk, 32, 1, 4, 256, kdk, &e), -1);

	enum { BLOCKS = 130, STRIDE = 292 }; /* two whole batches and a rest */
	uint8_t *p = calloc(BLOCKS, STRIDE), one[256];
	for (unsigned bits = 128; bits <= 256; bits += 128) {
		struct sb31_cipher *c;
		for (size_t i = 0; i < (size_t)BLOCKS * STRIDE; i++)
			p[i] = (uint8_t)(i * 7 + i / 251);
		assert_int_equal(sb31_kdf_kdk(mk, 16, 99, 3, bits, kdk, &e), 0);
		assert_int_equal(sb31_cipher_new(&c, mk, 16, 99, 3, bits, &e), 0);
		assert_int_equal(sb31_cipher_encrypt(c, 1, p, STRIDE, BLOCKS, &e), 0);
		for (uint32_t n = 1; n <= BLOCKS; n++) {
			assert_int_equal(sb31_kdf_block_key(kdk, n, 3, bits, bk, &e), 0);
			assert_int_equal(aes_cbc_decrypt(bk, bits / 8, NULL, p + (n - 1) * STRIDE,
						 one, 256, &e),
				0);
			for (size_t i = 0; i < 256; i++) {
				size_t at = (n - 1) * STRIDE + i;
				assert_int_equal(one[i], (uint8_t)(at * 7 + at / 251));
			}
		}
		assert_int_equal(sb31_cipher_decrypt(c, 101, p + 100 * STRIDE, STRIDE, 30, &e), 0);
		assert_int_equal(p[100 * STRIDE + 5],
			(uint8_t)((100 * STRIDE + 5) * 7 + (100 * STRIDE + 5) / 251));
		sb31_cipher_free(c);
	}
	free(p);
}

static void load_pub(struct ecc_pub *pub, const char *path)
{
	struct err e = { 0 };
	if (ecc_pub_load_any(pub, path, NULL, &e) != 0)
		fail_msg("%s", e.msg);
}

/* The same key from every kind of file. */
static void test_public_keys(void **state)
{
	(void)state;
	struct ecc_pub a, b;
	struct err e;
	AUTO(buf_clear) struct buf der = { 0 }, pem = { 0 };

	for (int p384 = 0; p384 < 2; p384++) {
		load_pub(&a, p384 ? KEYS "rot_p384_0.pub.pem" : KEYS "rot_p256_0.pub.pem");
		assert_int_equal(a.curve, p384 ? ECC_P384 : ECC_P256);
		load_pub(&b, p384 ? KEYS "rot_p384_0.crt.pem" : KEYS "rot_p256_0.crt.pem");
		assert_true(ecc_pub_equal(&a, &b));
		load_pub(&b, p384 ? KEYS "rot_p384_0.pem" : KEYS "rot_p256_0.pem");
		assert_true(ecc_pub_equal(&a, &b));
		buf_clear(&der);
		assert_int_equal(ecc_pub_spki(&a, &der, &e), 0);
		assert_int_equal(ecc_pub_from_bytes(&b, "der", der.p, der.len, &e), 0);
		assert_true(ecc_pub_equal(&a, &b));
		buf_clear(&pem);
		assert_int_equal(ecc_pub_pem(&a, &pem, &e), 0);
		assert_int_equal(ecc_pub_from_bytes(&b, "pem", pem.p, pem.len, &e), 0);
		assert_true(ecc_pub_equal(&a, &b));
		assert_int_equal(ecc_pub_from_bytes(&b, "raw", a.xy, 2 * ecc_len(a.curve), &e), 0);
		assert_true(ecc_pub_equal(&a, &b));
	}
}

static void refuse_pub(const void *data, size_t len, const char *message)
{
	struct ecc_pub pub;
	struct err e = { 0 };

	assert_int_equal(ecc_pub_from_bytes(&pub, "k", data, len, &e), -1);
	assert_int_equal(e.code, ERR_FORMAT);
	assert_string_equal(e.msg, message);
}

static void test_public_keys_refused(void **state)
{
	(void)state;
	struct ecc_pub a;
	struct err e;
	AUTO(buf_clear) struct buf file = { 0 };
	static const char p521[] =
		"-----BEGIN PUBLIC KEY-----\n"
		"MIGbMBAGByqGSM49AgEGBSuBBAAjA4GGAAQBHOxGGkGjgE25kXzGCNGmjlcMGkTm\n"
		"-----END PUBLIC KEY-----\n";

	refuse_pub("", 0, "k: empty, wanted a public key");
	refuse_pub("hello", 5,
		"k: 5 bytes, neither a PEM or DER certificate or public key nor 64 or 96 bytes "
		"X || Y of a point on P-256 or P-384");
	refuse_pub(
		p521, sizeof p521 - 1, "k: damaged PUBLIC KEY, wanted CERTIFICATE or PUBLIC KEY");
	refuse_pub("-----BEGIN CERTIFICATE-----\nAAAA\n", 33,
		"k: no complete PEM block, wanted CERTIFICATE or PUBLIC KEY");
	assert_int_equal(fsio_read(KEYS "rot_p256_0.pem", 4096, &file, &e), 0);
	refuse_pub(file.p, file.len, "k: PRIVATE KEY, wanted CERTIFICATE or PUBLIC KEY");

	/* One bit off the curve. */
	load_pub(&a, KEYS "rot_p256_0.pub.pem");
	a.xy[40] ^= 1;
	struct ecc_pub out;
	assert_int_equal(ecc_pub_from_xy(&out, ECC_P256, a.xy, &e), -1);
	assert_string_equal(e.msg, "not a point on P-256");
	uint8_t zero[96] = { 0 };
	assert_int_equal(ecc_pub_from_xy(&out, ECC_P384, zero, &e), -1);
	assert_string_equal(e.msg, "not a point on P-384");
}

static void test_sign_and_verify(void **state)
{
	(void)state;
	struct err e;
	uint8_t sig[96];

	for (enum ecc_curve curve = ECC_P256; curve <= ECC_P384; curve++) {
		size_t len = ecc_len(curve);
		AUTO(ecc_key_freep) struct ecc_key *key = NULL, *again = NULL;
		AUTO(secret_freep) struct secret *d = NULL;

		assert_int_equal(ecc_key_generate(&key, curve, &e), 0);
		assert_int_equal(ecc_key_sign(key, "message", 7, sig, &e), 0);
		assert_int_equal(ecc_verify(ecc_key_pub(key), "message", 7, sig, &e), 0);
		assert_int_equal(ecc_verify(ecc_key_pub(key), "messagf", 7, sig, &e), -1);
		assert_int_equal(e.code, ERR_REJECTED);
		assert_string_equal(e.msg,
			curve == ECC_P256 ? "signature does not verify (ECDSA P-256, SHA-256)"
					  : "signature does not verify (ECDSA P-384, SHA-384)");
		sig[len] ^= 1;
		assert_int_equal(ecc_verify(ecc_key_pub(key), "message", 7, sig, &e), -1);
		memset(sig, 0, sizeof sig);
		assert_int_equal(ecc_verify(ecc_key_pub(key), "message", 7, sig, &e), -1);

		assert_int_equal(ecc_key_scalar(key, &d, &e), 0);
		assert_int_equal(ecc_key_from_scalar(&again, curve, d->p, &e), 0);
		assert_true(ecc_pub_equal(ecc_key_pub(key), ecc_key_pub(again)));
		memset(d->p, 0, d->len);
		struct ecc_key *none;
		assert_int_equal(ecc_key_from_scalar(&none, curve, d->p, &e), -1);
		memset(d->p, 0xFF, d->len);
		assert_int_equal(ecc_key_from_scalar(&none, curve, d->p, &e), -1);
		assert_string_equal(e.msg,
			curve == ECC_P256 ? "private number is not in 1 .. order - 1 of P-256"
					  : "private number is not in 1 .. order - 1 of P-384");
	}
}

static int run(const char *command)
{
	int rc = system(command);
	return WIFEXITED(rc) ? WEXITSTATUS(rc) : -1;
}

/* Every encoding OpenSSL's own tool makes of one private key, and our encrypted PEM in that tool.
 */
static void test_private_key_files(void **state)
{
	(void)state;
	char dir[] = "/tmp/test_crypt.XXXXXX", cmd[1200];
	struct err e = { 0 };
	struct ecc_pub want;
	struct passphrase_source none = { .none = true };
	struct passphrase_source right = { .fixed = secret_copy("pass word", 9) };
	struct passphrase_source wrong = { .fixed = secret_copy("Pass word", 9) };

	assert_non_null(mkdtemp(dir));
	load_pub(&want, KEYS "rot_p384_1.pub.pem");
	snprintf(cmd, sizeof cmd,
		"cd %s && k=$OLDPWD/" KEYS "rot_p384_1.pem && "
		"openssl ec -in $k -out sec1.pem 2>/dev/null && "
		"openssl ecparam -name secp384r1 -out p && cat p sec1.pem > params.pem && "
		"openssl ec -in $k -outform DER -out sec1.der 2>/dev/null && "
		"openssl pkcs8 -topk8 -nocrypt -in $k -outform DER -out pkcs8.der && "
		"openssl pkcs8 -topk8 -in $k -passout 'pass:pass word' -out enc.pem && "
		"openssl pkcs8 -topk8 -in $k -passout 'pass:pass word' -outform DER -out enc.der "
		"&& openssl ec -in $k -aes128 -passout 'pass:pass word' -out old.pem 2>/dev/null",
		dir);
	assert_int_equal(run(cmd), 0);
	static const struct {
		const char *name;
		bool encrypted;
	} files[] = { { "sec1.pem", false }, { "params.pem", false }, { "sec1.der", false },
		{ "pkcs8.der", false }, { "enc.pem", true }, { "enc.der", true },
		{ "old.pem", true } };
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		AUTO(ecc_key_freep) struct ecc_key *key = NULL;
		char spec[200], message[300];
		struct ecc_pub pub;

		snprintf(spec, sizeof spec, "%s/%s", dir, files[i].name);
		if (ecc_key_load(&key, spec, &right, &e) != 0)
			fail_msg("%s", e.msg);
		assert_true(ecc_pub_equal(ecc_key_pub(key), &want));
		assert_int_equal(ecc_pub_load_any(&pub, spec, &right, &e), 0);
		ecc_key_freep(&key);
		if (!files[i].encrypted)
			continue;
		assert_int_equal(ecc_key_load(&key, spec, &none, &e), -1);
		assert_int_equal(e.code, ERR_CONFIG);
		snprintf(message, sizeof message,
			"%s: encrypted private key; give --passphrase-file or --passphrase-fd, or "
			"run on a terminal",
			spec);
		assert_string_equal(e.msg, message);
		assert_int_equal(ecc_key_load(&key, spec, &wrong, &e), -1);
		snprintf(message, sizeof message,
			"%s: wrong passphrase, or the key file is damaged", spec);
		assert_string_equal(e.msg, message);
	}

	AUTO(ecc_key_freep) struct ecc_key *key = NULL;
	AUTO(buf_wipe) struct buf pem = { 0 };
	char path[200];
	assert_int_equal(
		ecc_key_load(&key, "type=file;file_path=" KEYS "rot_p384_1.pem", &none, &e), 0);
	assert_int_equal(ecc_key_pem(key, right.fixed, &pem, &e), 0);
	snprintf(path, sizeof path, "%s/ours.pem", dir);
	assert_int_equal(fsio_write(path, pem.p, pem.len, 0600, &e), 0);
	snprintf(cmd, sizeof cmd,
		"cd %s && openssl ec -in ours.pem -passin 'pass:pass word' -pubout 2>/dev/null | "
		"cmp - $OLDPWD/" KEYS "rot_p384_1.pub.pem",
		dir);
	assert_int_equal(run(cmd), 0);

	ecc_key_freep(&key);
	assert_int_equal(ecc_key_load(&key, KEYS "rot_p384_1.crt.pem", &none, &e), -1);
	assert_int_equal(ecc_key_load(&key, KEYS "rot_p384_0.crt.pem", &none, &e), -1);
	assert_string_equal(e.msg,
		KEYS "rot_p384_0.crt.pem: no private key in it, wanted PKCS#8 or SEC1, PEM or DER");
	snprintf(cmd, sizeof cmd, "rm -r %s", dir);
	assert_int_equal(run(cmd), 0);
	passphrase_source_clear(&right);
	passphrase_source_clear(&wrong);
}

/* RFC 6979, A.2.5 and A.2.6: message "sample". */
static void test_repeatable_signatures(void **state)
{
	(void)state;
	static const struct {
		enum ecc_curve curve;
		const char *scalar, *signature;
	} v[] = {
		{ ECC_P256, "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721",
			"efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
			"f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8" },
		{ ECC_P384,
			"6b9d3dad2e1b8c1c05b19875b6659f4de23c3b667bf297ba9aa47740787137d8"
			"96d5724e4c70a825f872c9ea60d2edf5",
			"94edbb92a5ecb8aad4736e56c691916b3f88140666ce9fa73d64c4ea95ad133c"
			"81a648152e44acf96e36dd1e80fabe46"
			"99ef4aeb15f178cea1fe40db2603138f130e740a19624526203b6351d0a3a94f"
			"a329c145786e679e7b82c71a38628ac8" },
	};

	for (size_t i = 0; i < 2; i++) {
		size_t len = ecc_len(v[i].curve);
		uint8_t d[48], sig[96], want[96];
		struct err e = { 0 };
		AUTO(ecc_key_freep) struct ecc_key *key = NULL;
		assert_int_equal(hex_decode(d, len, v[i].scalar), 0);
		assert_int_equal(hex_decode(want, 2 * len, v[i].signature), 0);
		assert_int_equal(ecc_key_from_scalar(&key, v[i].curve, d, &e), 0);
		assert_int_equal(ecc_key_sign(key, "sample", 6, sig, &e), 0);
		assert_memory_not_equal(sig, want, 2 * len);
		ecc_key_set_repeatable(key);
		assert_int_equal(ecc_key_sign(key, "sample", 6, sig, &e), 0);
		assert_memory_equal(sig, want, 2 * len);
		assert_int_equal(ecc_verify(ecc_key_pub(key), "sample", 6, sig, &e), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_digest),
		cmocka_unit_test(test_crc),
		cmocka_unit_test(test_aes),
		cmocka_unit_test(test_sb31_keys),
		cmocka_unit_test(test_public_keys),
		cmocka_unit_test(test_public_keys_refused),
		cmocka_unit_test(test_sign_and_verify),
		cmocka_unit_test(test_private_key_files),
		cmocka_unit_test(test_repeatable_signatures),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

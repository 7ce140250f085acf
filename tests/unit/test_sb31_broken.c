/* Broken SB3.1 containers and certificate blocks: a named family of each, with exact messages.
 *
 * The good file is the case p256-4roots-isk-p256:
 *     0 header   60 hash of block 1   92 certificate block   444 signature   508 blocks 1..17
 * certificate block: 92 header, 104 key record, 108 table, 236 root key, 300 ISK certificate,
 *     312 ISK, 376 user data, 380 ISK signature
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/fsio.h"
#include "base/text.h"
#include "image/sb31.h"
#include "keyed/ecc_key.h"
#include "mfgpkg/build/cert_block_build.h"
#include "mfgpkg/build/sb31_build.h"
#include "mfgpkg/build/sb31_decrypt.h"

#define DIR    "tests/vectors/sb31/p256-4roots-isk-p256/"
#define KEYS   "tests/vectors/keys/"
#define CERT   92
#define BLOCKS 508

static struct buf good;

static int setup(void **state)
{
	(void)state;
	struct err e = { 0 };
	if (fsio_read(DIR "expected.sb3", 1 << 20, &good, &e) != 0)
		fail_msg("%s", e.msg);
	assert_int_equal(good.len, 5472);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	buf_clear(&good);
	return 0;
}

/* What the given bytes are refused with; "good" when they are not. */
static const char *verdict(const uint8_t *data, size_t len, struct err *e)
{
	struct sb31 sb;

	*e = (struct err){ 0 };
	if (sb31_parse(&sb, data, len, e) == 0 && sb31_verify(&sb, e) == 0)
		return "good";
	return e->msg;
}

static void check(
	const char *name, const uint8_t *data, size_t len, enum err_code code, const char *message)
{
	struct err e;
	const char *seen = verdict(data, len, &e);

	if (strcmp(seen, message) != 0)
		fail_msg("%s:\n  seen   %s\n  wanted %s", name, seen, message);
	if (e.code != code)
		fail_msg("%s: code %d, wanted %d", name, e.code, code);
}

/* One field changed. */
struct patch {
	const char *name;
	size_t off;
	unsigned width; /* bytes, little-endian */
	uint32_t value;
	enum err_code code;
	const char *message;
};

static void run_patches(const struct patch *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		AUTO(buf_clear) struct buf b = { 0 };
		wr_bytes(&b, good.p, good.len);
		for (unsigned k = 0; k < p[i].width; k++)
			b.p[p[i].off + k] = (uint8_t)(p[i].value >> 8 * k);
		check(p[i].name, b.p, b.len, p[i].code, p[i].message);
	}
}

#define F	   ERR_FORMAT
#define R	   ERR_REJECTED
#define SIG_BLOCK0 "SB3.1: block 0: signature does not verify (ECDSA P-256, SHA-256)"
#define SIG_ISK                                                                                    \
	"SB3.1: cert block: ISK certificate, root key 1: signature does not verify (ECDSA P-256, " \
	"SHA-256)"

static void test_good(void **state)
{
	(void)state;
	check("good", good.p, good.len, ERR_NONE, "good");
}

static void test_header(void **state)
{
	(void)state;
	static const struct patch p[] = {
		{ "magic", 0, 4, 0x32766273, F, "SB3.1: magic is 73627632, wanted \"sbv3\"" },
		{ "minor version", 4, 2, 0, F, "SB3.1: version 3.0, wanted 3.1" },
		{ "major version", 6, 2, 4, F, "SB3.1: version 4.1, wanted 3.1" },
		{ "flags", 8, 4, 1, R, SIG_BLOCK0 },
		{ "block count 0", 12, 4, 0, F, "SB3.1: block count is 0, wanted at least 1" },
		{ "block count one less", 12, 4, 16, F,
			"SB3.1: 5472 bytes, wanted 5180 (block 0 of 508, 16 blocks of 292)" },
		{ "block count one more", 12, 4, 18, F,
			"SB3.1: 5472 bytes, wanted 5764 (block 0 of 508, 18 blocks of 292)" },
		{ "block count beyond the limit", 12, 4, 524289, ERR_LIMIT,
			"SB3.1: block count is 524289, at most 524288 supported" },
		{ "block count largest", 12, 4, UINT32_MAX, ERR_LIMIT,
			"SB3.1: block count is 4294967295, at most 524288 supported" },
		{ "block size 0", 16, 4, 0, F, "SB3.1: block size is 0, wanted 292 or 308" },
		{ "block size one less", 16, 4, 291, F,
			"SB3.1: block size is 291, wanted 292 or 308" },
		{ "block size one more", 16, 4, 293, F,
			"SB3.1: block size is 293, wanted 292 or 308" },
		{ "block size largest", 16, 4, UINT32_MAX, F,
			"SB3.1: block size is 4294967295, wanted 292 or 308" },
		{ "block size of the other hash", 16, 4, 308, F,
			"SB3.1: certificate block offset is 92, wanted 108" },
		{ "timestamp", 20, 4, 1, R, SIG_BLOCK0 },
		{ "firmware version", 28, 4, 2, R, SIG_BLOCK0 },
		{ "block 0 length 0", 32, 4, 0, F,
			"SB3.1: block 0 length is 0, wanted 172 to 808" },
		{ "block 0 length one less", 32, 4, 507, F,
			"SB3.1: cert block: truncated in the block: needs 352 bytes, 351 there" },
		{ "block 0 length one more", 32, 4, 509, F,
			"SB3.1: block 0 length 509 leaves 353 bytes for a certificate block of "
			"352" },
		{ "block 0 length largest", 32, 4, UINT32_MAX, F,
			"SB3.1: block 0 length is 4294967295, wanted 172 to 808" },
		{ "image type 5", 36, 4, 5, F, "SB3.1: image type is 5, wanted 6 or 7" },
		{ "image type 7", 36, 4, 7, R, SIG_BLOCK0 },
		{ "certificate offset 0", 40, 4, 0, F,
			"SB3.1: certificate block offset is 0, wanted 92" },
		{ "certificate offset one more", 40, 4, 93, F,
			"SB3.1: certificate block offset is 93, wanted 92" },
		{ "certificate offset largest", 40, 4, UINT32_MAX, F,
			"SB3.1: certificate block offset is 4294967295, wanted 92" },
		{ "description", 44, 1, 'X', R, SIG_BLOCK0 },
		{ "hash of block 1", 60, 1, 0, R, SIG_BLOCK0 },
		{ "signature", 444, 1, 0, R, SIG_BLOCK0 },
	};
	run_patches(p, sizeof p / sizeof *p);
}

static void test_cert_block(void **state)
{
	(void)state;
	static const struct patch p[] = {
		{ "magic", CERT, 1, 'C', F,
			"SB3.1: cert block: magic is 43686472, wanted \"chdr\"" },
		{ "minor version", CERT + 4, 2, 2, F,
			"SB3.1: cert block: version 2.2, wanted 2.1" },
		{ "major version", CERT + 6, 2, 1, F,
			"SB3.1: cert block: version 1.1, wanted 2.1" },
		{ "size 0", CERT + 8, 4, 0, F,
			"SB3.1: cert block: size field is 0, less than header and flags" },
		{ "size one less", CERT + 8, 4, 351, F,
			"SB3.1: cert block: truncated in the ISK signature: needs 352 bytes, 351 "
			"there" },
		{ "size one more", CERT + 8, 4, 353, F,
			"SB3.1: cert block: truncated in the block: needs 353 bytes, 352 there" },
		{ "size largest", CERT + 8, 4, UINT32_MAX, F,
			"SB3.1: cert block: size field is 4294967295, at most 604 wanted" },
		{ "reserved bit of the key record", CERT + 12, 4, 0x00001141, F,
			"SB3.1: cert block: key record word 0x00001141 has reserved bits set" },
		{ "curve 0", CERT + 12, 4, 0x40, F,
			"SB3.1: cert block: root key curve is 0, wanted 1 (P-256) or 2 (P-384)" },
		{ "curve 3", CERT + 12, 4, 0x43, F,
			"SB3.1: cert block: root key curve is 3, wanted 1 (P-256) or 2 (P-384)" },
		{ "other curve", CERT + 12, 4, 0x42, F,
			"SB3.1: cert block: root key: not a point on P-384" },
		{ "no keys", CERT + 12, 4, 0x01, F,
			"SB3.1: cert block: 0 root keys, wanted 1 to 4" },
		{ "one key less", CERT + 12, 4, 0x31, F,
			"SB3.1: cert block: root key: not a point on P-256" },
		{ "five keys", CERT + 12, 4, 0x51, F,
			"SB3.1: cert block: 5 root keys, wanted 1 to 4" },
		{ "used key beyond", CERT + 12, 4, 0x441, F,
			"SB3.1: cert block: used root key 4 of 4 (counted from 0)" },
		{ "another used key", CERT + 12, 4, 0x041, F,
			"SB3.1: cert block: the root key is not the one of table entry 0 (its hash "
			"differs)" },
		{ "CA flag with an ISK behind", CERT + 12, 4, 0x80000141, F,
			"SB3.1: cert block: size field is 352, but the content ends after 208 "
			"bytes" },
		{ "table entry of the used key", 140, 1, 0, F,
			"SB3.1: cert block: the root key is not the one of table entry 1 (its hash "
			"differs)" },
		{ "table entry of another key", 108, 1, 0, R, SIG_ISK },
		{ "root key off the curve", 236, 1, 0, F,
			"SB3.1: cert block: root key: not a point on P-256" },
		{ "ISK signature offset 0", 300, 4, 0, F,
			"SB3.1: cert block: ISK signature offset is 0, wanted 76 to 172" },
		{ "ISK signature offset below", 300, 4, 75, F,
			"SB3.1: cert block: ISK signature offset is 75, wanted 76 to 172" },
		{ "ISK signature offset one less", 300, 4, 79, F,
			"SB3.1: cert block: 3 bytes of user data, wanted a multiple of 4" },
		{ "ISK signature offset four less", 300, 4, 76, F,
			"SB3.1: cert block: ISK flags 0x80000001 contradict 0 bytes of user data" },
		{ "ISK signature offset four more", 300, 4, 84, F,
			"SB3.1: cert block: truncated in the ISK signature: needs 356 bytes, 352 "
			"there" },
		{ "ISK signature offset beyond", 300, 4, 176, F,
			"SB3.1: cert block: ISK signature offset is 176, wanted 76 to 172" },
		{ "ISK signature offset largest", 300, 4, UINT32_MAX, F,
			"SB3.1: cert block: ISK signature offset is 4294967295, wanted 76 to 172" },
		{ "ISK constraint", 304, 4, 77, R, SIG_ISK },
		{ "ISK flags reserved", 308, 4, 0x80000011, F,
			"SB3.1: cert block: ISK flags 0x80000011 have reserved bits set" },
		{ "ISK flags without user data", 308, 4, 1, F,
			"SB3.1: cert block: ISK flags 0x00000001 contradict 4 bytes of user data" },
		{ "ISK curve 0", 308, 4, 0x80000000, F,
			"SB3.1: cert block: ISK curve is 0, wanted 1 (P-256) or 2 (P-384)" },
		{ "P-384 ISK under P-256", 308, 4, 0x80000002, F,
			"SB3.1: cert block: P-384 ISK under a P-256 root key is not supported" },
		{ "ISK off the curve", 312, 1, 0, F,
			"SB3.1: cert block: ISK: not a point on P-256" },
		{ "user data", 376, 1, 0, R, SIG_ISK },
		{ "ISK signature", 380, 1, 0, R, SIG_ISK },
	};
	run_patches(p, sizeof p / sizeof *p);
}

/* Every length but the right one is refused, and no read goes beyond it (V=san shows that). */
static void test_every_truncation(void **state)
{
	(void)state;
	for (size_t len = 0; len < good.len; len += len < BLOCKS + 300 ? 1 : 37) {
		uint8_t *exact = malloc(len ? len : 1);
		struct sb31 sb;
		struct err e = { 0 };

		memcpy(exact, good.p, len);
		assert_int_equal(sb31_parse(&sb, exact, len, &e), -1);
		assert_int_equal(e.code, ERR_FORMAT);
		free(exact);
	}
	static const struct {
		const char *name;
		size_t len;
		const char *message;
	} cuts[] = {
		{ "nothing", 0, "SB3.1: truncated in the header: 0 of 60 bytes" },
		{ "in the header", 59, "SB3.1: truncated in the header: 59 of 60 bytes" },
		{ "behind the header", 60, "SB3.1: truncated in block 0: 60 of 508 bytes" },
		{ "in the certificate block", 300,
			"SB3.1: truncated in block 0: 300 of 508 bytes" },
		{ "in the signature", 507, "SB3.1: truncated in block 0: 507 of 508 bytes" },
		{ "behind block 0", 508,
			"SB3.1: 508 bytes, wanted 5472 (block 0 of 508, 17 blocks of 292)" },
		{ "last byte gone", 5471,
			"SB3.1: 5471 bytes, wanted 5472 (block 0 of 508, 17 blocks of 292)" },
	};
	for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++)
		check(cuts[i].name, good.p, cuts[i].len, F, cuts[i].message);
}

static void test_trailing(void **state)
{
	(void)state;
	AUTO(buf_clear) struct buf b = { 0 };
	wr_bytes(&b, good.p, good.len);
	wr_u8(&b, 0);
	check("one byte more", b.p, b.len, F,
		"SB3.1: 5473 bytes, wanted 5472 (block 0 of 508, 17 blocks of 292)");
}

/* The certificate block alone, cut at every byte. */
static void test_cert_block_truncation(void **state)
{
	(void)state;
	struct cert_block b;
	struct err e = { 0 };

	assert_int_equal(cert_block_parse(&b, good.p + CERT, 352, &e), 0);
	assert_int_equal(
		cert_block_parse(&b, good.p + CERT, 1000, &e), 0); /* more behind is fine */
	for (size_t len = 0; len < 352; len++) {
		uint8_t *exact = malloc(len ? len : 1);
		memcpy(exact, good.p + CERT, len);
		assert_int_equal(cert_block_parse(&b, exact, len, &e), -1);
		/* The same with a size field that fits: the part that is cut is named. */
		if (len >= 16) {
			put_le32(exact + 8, (uint32_t)len);
			assert_int_equal(cert_block_parse(&b, exact, len, &e), -1);
			const char *part = len < 208   ? "the root key record"
					   : len < 220 ? "the ISK certificate"
					   : len < 284 ? "the ISK"
						       : "the ISK signature";
			char want[120];
			unsigned need = len < 208 ? 208 : len < 220 ? 220 : len < 284 ? 284 : 352;
			snprintf(want, sizeof want,
				"cert block: truncated in %s: needs %u bytes, %zu there", part,
				need, len);
			assert_string_equal(e.msg, want);
		}
		free(exact);
	}
}

static void resign(uint8_t *file, const char *key_path, size_t from, size_t to, size_t at)
{
	AUTO(ecc_key_freep) struct ecc_key *key = NULL;
	struct err e = { 0 };

	if (ecc_key_load(&key, key_path, NULL, &e) != 0 ||
		ecc_key_sign(key, file + from, to - from, file + at, &e) != 0)
		fail_msg("%s", e.msg);
}

/* Good signatures of the right keys, but over other bytes, or by other keys over the right bytes.
 */
static void test_wrong_signatures(void **state)
{
	(void)state;
	static const struct {
		const char *name, *key;
		size_t from, to, at;
		const char *message;
	} p[] = {
		{ "block 0 by the root key", KEYS "rot_p256_1.pem", 0, 444, 444, SIG_BLOCK0 },
		{ "block 0 without the header", KEYS "isk_p256.pem", 60, 444, 444, SIG_BLOCK0 },
		{ "block 0 without the ISK signature", KEYS "isk_p256.pem", 0, 380, 444,
			SIG_BLOCK0 },
		{ "block 0 right again", KEYS "isk_p256.pem", 0, 444, 444, "good" },
		{ "ISK with the block header", KEYS "rot_p256_1.pem", 92, 380, 380, SIG_ISK },
		{ "ISK without the key record", KEYS "rot_p256_1.pem", 300, 380, 380, SIG_ISK },
		{ "ISK by another root key", KEYS "rot_p256_0.pem", 104, 380, 380, SIG_ISK },
		{ "ISK by itself", KEYS "isk_p256.pem", 104, 380, 380, SIG_ISK },
	};
	for (size_t i = 0; i < sizeof p / sizeof *p; i++) {
		AUTO(buf_clear) struct buf b = { 0 };
		wr_bytes(&b, good.p, good.len);
		resign(b.p, p[i].key, p[i].from, p[i].to, p[i].at);
		if (p[i].at == 380) /* so that only the ISK signature is wrong */
			resign(b.p, KEYS "isk_p256.pem", 0, 444, 444);
		check(p[i].name, b.p, b.len, strcmp(p[i].message, "good") == 0 ? ERR_NONE : R,
			p[i].message);
	}
	/* A signature of zeros, and s replaced by zero. */
	AUTO(buf_clear) struct buf b = { 0 };
	wr_bytes(&b, good.p, good.len);
	memset(b.p + 476, 0, 32);
	check("s = 0", b.p, b.len, R, SIG_BLOCK0);
	memset(b.p + 444, 0, 64);
	check("r = s = 0", b.p, b.len, R, SIG_BLOCK0);
	memset(b.p + 444, 0xFF, 64);
	check("r, s above the order", b.p, b.len, R, SIG_BLOCK0);
}

static void test_chain(void **state)
{
	(void)state;
	char want[120];

	for (uint32_t k = 1; k <= 17; k++) {
		static const struct {
			const char *what;
			size_t off;
		} where[] = { { "next hash", 4 }, { "payload", 36 }, { "end of payload", 291 } };
		for (size_t i = 0; i < 3; i++) {
			AUTO(buf_clear) struct buf b = { 0 };
			wr_bytes(&b, good.p, good.len);
			b.p[BLOCKS + (k - 1) * 292 + where[i].off] ^= 0x80;
			snprintf(want, sizeof want,
				"SB3.1: block %u of 17: SHA-256 differs from the one before it "
				"says",
				k);
			check(where[i].what, b.p, b.len, R, want);
		}
		AUTO(buf_clear) struct buf b = { 0 };
		wr_bytes(&b, good.p, good.len);
		put_le32(b.p + BLOCKS + (k - 1) * 292, k + 1);
		snprintf(want, sizeof want, "SB3.1: block %u of 17 has number %u", k, k + 1);
		check("number", b.p, b.len, R, want);
	}

	/* Two blocks exchanged, and a chain that is right but does not end. */
	AUTO(buf_clear) struct buf b = { 0 };
	uint8_t tmp[292], hash[32];
	wr_bytes(&b, good.p, good.len);
	memcpy(tmp, b.p + BLOCKS, 292);
	memmove(b.p + BLOCKS, b.p + BLOCKS + 292, 292);
	memcpy(b.p + BLOCKS + 292, tmp, 292);
	check("exchanged", b.p, b.len, R, "SB3.1: block 1 of 17 has number 2");

	b.len = 0;
	wr_bytes(&b, good.p, good.len);
	b.p[BLOCKS + 16 * 292 + 4] = 1;
	for (uint32_t k = 17; k >= 1; k--) {
		sha256_of(b.p + BLOCKS + (k - 1) * 292, 292, hash);
		memcpy(k == 1 ? b.p + 60 : b.p + BLOCKS + (k - 2) * 292 + 4, hash, 32);
	}
	resign(b.p, KEYS "isk_p256.pem", 0, 444, 444);
	check("no end", b.p, b.len, R,
		"SB3.1: block 17 of 17 is the last, but names a next block's hash");
}

/* --- device-HSM containers
 * --------------------------------------------------------------------------- */

static void test_devhsm(void **state)
{
	(void)state;
	AUTO(buf_clear) struct buf hsm = { 0 };
	struct err e = { 0 };
	static const struct patch p[] = {
		{ "magic", 92, 1, 'C', F, "SB3.1: cert block: magic is 43686472, wanted \"chdr\"" },
		{ "version", 96, 2, 0, F, "SB3.1: cert block: version 2.0, wanted 2.1" },
		{ "size", 100, 4, 127, F,
			"SB3.1: cert block: size field is 127, but the content ends after 80 "
			"bytes" },
		{ "flags", 8, 4, 0, F,
			"SB3.1: device-HSM container with flags 0x00000000, wanted 1" },
		{ "image type", 36, 4, 7, F,
			"SB3.1: device-HSM container with image type 7, wanted 6" },
		{ "key word", 104, 4, 0x80000012, F,
			"SB3.1: cert block: root key: not a point on P-384" },
		{ "key", 108, 1, 0, F,
			"SB3.1: cert block: CUST_FW_AUTH key: not a point on P-256" },
		{ "share", 172, 1, 0, R, SIG_BLOCK0 },
		{ "block 0 length", 32, 4, 283, F,
			"SB3.1: cert block: truncated in the block: needs 128 bytes, 127 there" },
	};

	assert_int_equal(
		fsio_read("tests/vectors/sb31/devhsm-mock/expected.sb3", 1 << 20, &hsm, &e), 0);
	check("good", hsm.p, hsm.len, ERR_NONE, "good");
	for (size_t i = 0; i < sizeof p / sizeof *p; i++) {
		AUTO(buf_clear) struct buf b = { 0 };
		wr_bytes(&b, hsm.p, hsm.len);
		for (unsigned k = 0; k < p[i].width; k++)
			b.p[p[i].off + k] = (uint8_t)(p[i].value >> 8 * k);
		check(p[i].name, b.p, b.len, p[i].code, p[i].message);
	}
}

/* --- the plain stream
 * ---------------------------------------------------------------------------------- */

/* An unencrypted container over this stream, rightly signed and chained. */
static void wrap_stream(struct buf *out, const uint8_t *stream, size_t len)
{
	size_t n = (len + 255) / 256;
	uint8_t *file = buf_grow(out, 236 + n * 292);
	AUTO(buf_clear) struct buf cert = { 0 };
	struct err e = { 0 };

	assert_int_equal(
		fsio_read("tests/vectors/sb31/no-commands/cert_block.bin", 4096, &cert, &e), 0);
	assert_int_equal(cert.len, 80);
	for (size_t i = 0; i < len; i++)
		file[236 + i / 256 * 292 + 36 + i % 256] = stream[i];
	sb31_header_write(&(struct sb31_header){ .n_blocks = (uint32_t)n,
				  .block_size = 292,
				  .block0_len = 236,
				  .image_type = 6,
				  .cert_off = 92,
				  .timestamp = 1 },
		file);
	sb31_chain(DIGEST_SHA256, file + 236, (uint32_t)n, file + 60);
	memcpy(file + 92, cert.p, 80);
	resign(file, KEYS "rot_p256_0.pem", 0, 172, 172);
}

static void check_stream(const char *name, const uint8_t *stream, size_t len, const char *message)
{
	AUTO(buf_clear) struct buf file = { 0 };
	AUTO(sb31_stream_clear) struct sb31_stream s = { 0 };
	struct err e = { 0 };
	struct sb31 sb;

	wrap_stream(&file, stream, len);
	if (sb31_parse(&sb, file.p, file.len, &e) != 0 || sb31_verify(&sb, &e) != 0)
		fail_msg("%s: %s", name, e.msg);
	const char *seen = sb31_decrypt(&s, &sb, NULL, SB31_RIGHTS_FIND, &e) == 0 ? "good" : e.msg;
	if (strcmp(seen, message) != 0)
		fail_msg("%s:\n  seen   %s\n  wanted %s", name, seen, message);
}

static void test_stream(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		uint32_t w[12]; /* section header and two command rows */
		const char *message;
	} p[] = {
		{ "empty", { 1, 1, 0, 0 }, "good" },
		{ "execute", { 1, 1, 16, 0, 0x55AAAA55, 5, 0, 3 }, "good" },
		{ "section too long", { 1, 1, 257, 0 },
			"SB3.1: section of 257 bytes in 240 bytes of payload" },
		{ "section largest", { 1, 1, UINT32_MAX, 0 },
			"SB3.1: section of 4294967295 bytes in 240 bytes of payload" },
		{ "section UID", { 2, 1, 0, 0 },
			"SB3.1: payloads are encrypted; give CUST_MK_SK (--key)" },
		{ "section cut in a command", { 1, 1, 15, 0, 0x55AAAA55, 5, 0, 3 },
			"command 1: SB3.1: 15 bytes left, too few for a command header of 16" },
		{ "command magic", { 1, 1, 16, 0, 0x55AAAA54, 5, 0, 3 },
			"command 1: SB3.1: command magic is 0x55aaaa54, wanted 0x55aaaa55" },
		{ "unknown command", { 1, 1, 16, 0, 0x55AAAA55, 0, 0, 0x11 },
			"command 1: SB3.1: unknown command code 0x11" },
		{ "command of other parts", { 1, 1, 16, 0, 0x55AAAA55, 0, 0, 0x0E },
			"command 1: SB3.1: command code 0x0e (reset) is not one of MCX N" },
		{ "erase cut", { 1, 1, 16, 0, 0x55AAAA55, 0, 16, 1 },
			"command 1: SB3.1: erase of 32 bytes, but 16 left in the section" },
		{ "load beyond the section", { 1, 1, 32, 0, 0x55AAAA55, 0, 1, 2 },
			"command 1: SB3.1: load of 48 bytes, but 32 left in the section" },
		{ "load largest", { 1, 1, 32, 0, 0x55AAAA55, 0, UINT32_MAX, 2 },
			"command 1: SB3.1: load with 4294967295 bytes of data, at most 134217728" },
		{ "fuses largest", { 1, 1, 32, 0, 0x55AAAA55, 0, UINT32_MAX, 5 },
			"command 1: SB3.1: programFuses with 17179869180 bytes of data, at most "
			"134217728" },
		{ "second command bad",
			{ 1, 1, 32, 0, 0x55AAAA55, 0, 0, 3, 0x55AAAA55, 0, 0, 0x10 },
			"command 2: SB3.1: command code 0x10 (writeIFR) is not one of MCX N" },
		{ "fill not zero", { 1, 1, 16, 0, 0x55AAAA55, 0, 0, 3, 0, 0x100 },
			"SB3.1: byte 5 behind the last command is 0x01, wanted 0" },
	};
	for (size_t i = 0; i < sizeof p / sizeof *p; i++) {
		uint8_t stream[256] = { 0 };
		for (size_t k = 0; k < 12; k++)
			put_le32(stream + 4 * k, p[i].w[k]);
		check_stream(p[i].name, stream, sizeof stream, p[i].message);
	}
	uint8_t two[512] = { 1, 0, 0, 0, 1 };
	check_stream("one block too many", two, 512,
		"SB3.1: section of 0 bytes in 496 bytes of payload");
}

static void test_wrong_key(void **state)
{
	(void)state;
	AUTO(sb31_stream_clear) struct sb31_stream s = { 0 };
	AUTO(secret_freep) struct secret *key = secret_new(32);
	struct err e = { 0 };
	struct sb31 sb;

	assert_int_equal(sb31_parse(&sb, good.p, good.len, &e), 0);
	assert_int_equal(sb31_decrypt(&s, &sb, key, SB31_RIGHTS_FIND, &e), -1);
	assert_int_equal(e.code, ERR_REJECTED);
	assert_string_equal(
		e.msg, "SB3.1: this key (with any kdkAccessRights) does not decrypt it");
	assert_int_equal(sb31_decrypt(&s, &sb, NULL, SB31_RIGHTS_FIND, &e), -1);
	assert_string_equal(e.msg, "SB3.1: payloads are encrypted; give CUST_MK_SK (--key)");
	assert_int_equal(
		hex_decode(key->p, 32,
			"101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f"),
		0);
	assert_int_equal(sb31_decrypt(&s, &sb, key, SB31_RIGHTS_FIND, &e), 0);
	int right = s.rights;
	sb31_stream_clear(&s);
	assert_int_equal(sb31_decrypt(&s, &sb, key, (right + 1) % 4, &e), -1);
	assert_string_equal(
		e.msg, "SB3.1: this key with these kdkAccessRights does not decrypt it");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_header),
		cmocka_unit_test(test_cert_block),
		cmocka_unit_test(test_every_truncation),
		cmocka_unit_test(test_trailing),
		cmocka_unit_test(test_cert_block_truncation),
		cmocka_unit_test(test_wrong_signatures),
		cmocka_unit_test(test_chain),
		cmocka_unit_test(test_devhsm),
		cmocka_unit_test(test_stream),
		cmocka_unit_test(test_wrong_key),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}

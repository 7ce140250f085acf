/* Master boot images: all recorded cases rebuilt byte for byte outside signatures, and named broken
 * images and configurations with their exact messages. */
#include <dirent.h>
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
#include "crypt/crc.h"
#include "crypt/digest.h"
#include "image/mbi.h"
#include "mfgpkg/build/mbi_build.h"
#include "mfgpkg/build/trustzone.h"

#define VECTORS "tests/vectors/mbi"
#define GOLDEN	"tests/vectors/spsdk-golden"

static void collect(void *ctx, const char *text)
{
	wr_str(ctx, text);
	wr_str(ctx, "\n");
}

static void read_file(const char *path, struct buf *out)
{
	struct err e = { 0 };
	if (fsio_read(path, 1 << 24, out, &e) != 0)
		fail_msg("%s", e.msg);
}

static const json_t *at(const json_t *j, const char *path)
{
	char copy[100], *save;

	snprintf(copy, sizeof copy, "%s", path);
	for (char *key = strtok_r(copy, "/", &save); key; key = strtok_r(NULL, "/", &save))
		j = json_object_get(j, key);
	return j;
}

static uint64_t number(const json_t *j, const char *path)
{
	const json_t *v = at(j, path);
	if (json_is_string(v))
		return strtoull(json_string_value(v), NULL, 0);
	return (uint64_t)json_integer_value(v);
}

static void zero_variable(const json_t *c, uint8_t *image, size_t len)
{
	size_t i;
	json_t *range;

	json_array_foreach(json_object_get(c, "variable_ranges"), i, range)
	{
		size_t off = (size_t)json_integer_value(json_array_get(range, 0));
		size_t n = (size_t)json_integer_value(json_array_get(range, 1));
		assert_true(off + n <= len);
		memset(image + off, 0, n);
	}
}

/* The parsed image has the facts that case.json lists. */
static void check_facts(const json_t *c, const struct mbi *m)
{
	assert_int_equal(m->len, number(c, "size"));
	assert_int_equal(m->length_word, number(c, "ivt/0x20_total_length"));
	assert_int_equal(m->type_word, number(c, "ivt/0x24_image_type_word"));
	assert_int_equal(m->word_28, number(c, "ivt/0x28_crc_or_cert_offset"));
	assert_int_equal(m->load_address, number(c, "ivt/0x34_load_address"));
	assert_int_equal(m->type, number(c, "image_type"));
	assert_int_equal(m->tz != NULL, number(c, "tz_type"));
	assert_int_equal(m->image_version, number(c, "image_version"));
	if (m->type != MBI_SIGNED_XIP)
		return;
	char hex[97];
	assert_int_equal(m->subtype, number(c, "image_subtype"));
	assert_int_equal(m->app_len, number(c, "cert_block/offset"));
	assert_int_equal(m->cert.size, number(c, "cert_block/size"));
	assert_int_equal(m->manifest - m->data, number(c, "manifest/offset"));
	assert_int_equal(m->manifest_len, number(c, "manifest/total_length"));
	assert_int_equal(m->firmware_version, number(c, "manifest/firmware_version"));
	assert_int_equal(m->manifest_crc, number(c, "manifest/crc"));
	assert_int_equal(m->tz_len, number(c, "manifest/trustzone_length"));
	assert_string_equal(
		hex_encode(hex, m->cert.rkth, m->cert.rkth_len), json_string_value(at(c, "rkth")));
}

static void check_case(const char *dir, unsigned *rebuilt)
{
	char path[300];
	struct err e = { 0 };
	AUTO(buf_clear) struct buf text = { 0 };
	AUTO(buf_clear) struct buf want = { 0 };
	AUTO(buf_clear) struct buf got = { 0 };
	AUTO(config_freep) struct config *doc = NULL;
	AUTO(keystore_freep) struct keystore *ks = NULL;
	struct mbi m;

	snprintf(path, sizeof path, "%s/case.json", dir);
	read_file(path, &text);
	AUTO(json_freep) json_t *c = json_loadb((const char *)text.p, text.len, 0, NULL);
	assert_non_null(c);
	snprintf(path, sizeof path, "%s/expected.bin", dir);
	read_file(path, &want);
	if (mbi_parse(&m, want.p, want.len, &e) != 0 || mbi_verify(&m, NULL, 0, &e) != 0)
		fail_msg("%s: %s", dir, e.msg);
	check_facts(c, &m);

	snprintf(path, sizeof path, "%s/config.yaml", dir);
	assert_int_equal(keystore_new(&ks, NULL, &e), 0);
	if (config_load(&doc, path, &e) != 0 || mbi_export(doc, ks, NULL, NULL, &got, &e) != 0)
		fail_msg("%s: %s", dir, e.msg);
	if (mbi_parse(&m, got.p, got.len, &e) != 0)
		fail_msg("%s: %s", dir, e.msg);
	bool is_signed = m.type == MBI_SIGNED_XIP;
	if (mbi_verify(&m, is_signed ? m.cert.rkth : NULL, m.cert.rkth_len, &e) != 0)
		fail_msg("%s: %s", dir, e.msg);
	if (json_is_false(at(c, "regenerates_from_config")))
		return; /* the stored file came from an older generator */
	assert_int_equal(got.len, want.len);
	zero_variable(c, want.p, want.len);
	zero_variable(c, got.p, got.len);
	for (size_t i = 0; i < got.len; i++)
		if (got.p[i] != want.p[i])
			fail_msg(
				"%s: byte 0x%zX is %02X, wanted %02X", dir, i, got.p[i], want.p[i]);
	const char *sha = json_string_value(at(c, "sha256_variable_ranges_zeroed"));
	if (sha) {
		uint8_t hash[32];
		char hex[65];
		sha256_of(got.p, got.len, hash);
		assert_string_equal(hex_encode(hex, hash, 32), sha);
	}
	(*rebuilt)++;
}

static unsigned check_all(const char *folder, const char *prefix, unsigned *rebuilt)
{
	unsigned n = 0;
	DIR *d = opendir(folder);

	assert_non_null(d);
	for (struct dirent *entry; (entry = readdir(d)) != NULL;) {
		char path[600];
		snprintf(path, sizeof path, "%s/%s/case.json", folder, entry->d_name);
		if (strncmp(entry->d_name, prefix, strlen(prefix)) != 0 || !fsio_exists(path))
			continue;
		path[strlen(path) - strlen("/case.json")] = 0;
		check_case(path, rebuilt);
		n++;
	}
	closedir(d);
	return n;
}

static void test_vectors(void **state)
{
	(void)state;
	unsigned rebuilt = 0;

	assert_int_equal(check_all(VECTORS, "", &rebuilt), 22);
	assert_int_equal(rebuilt, 22);
}

static void test_golden(void **state)
{
	(void)state;
	unsigned rebuilt = 0;

	assert_int_equal(check_all(GOLDEN, "mb_", &rebuilt), 6);
	assert_int_equal(rebuilt, 5);
}

/* --- broken images ------------------------------------------------------------------------------
 */

struct image {
	struct buf b;
	size_t cert, manifest, signature;
};

static void image_load(struct image *im, const char *dir)
{
	char path[200];
	struct mbi m;
	struct err e = { 0 };

	snprintf(path, sizeof path, VECTORS "/%s/expected.bin", dir);
	im->b = (struct buf){ 0 };
	read_file(path, &im->b);
	assert_int_equal(mbi_parse(&m, im->b.p, im->b.len, &e), 0);
	im->cert = m.app_len;
	im->manifest = m.manifest ? (size_t)(m.manifest - m.data) : 0;
	im->signature = m.signed_len;
}

enum part { FROM_START, FROM_CERT, FROM_MANIFEST, FROM_SIGNATURE, CUT, GROW };

static const struct broken {
	const char *name, *dir;
	enum part part;
	size_t off;
	uint32_t word; /* written there; CUT: bytes that stay; GROW: bytes that are added */
	const char *message;
	enum err_code code;
} broken_images[] = {
	{ "empty", "plain-xip", CUT, 0, 0, "0 bytes, an image has at least 56", ERR_FORMAT },
	{ "vector table cut", "plain-xip", CUT, 0, 55, "55 bytes, an image has at least 56",
		ERR_FORMAT },
	{ "type 1", "plain-xip", FROM_START, 0x24, 1,
		"image type word 0x00000001 at 0x24: unknown image type 1 (wanted 0, 2, 4 or 5)",
		ERR_FORMAT },
	{ "type 63", "plain-xip", FROM_START, 0x24, 0x3F,
		"image type word 0x0000003F at 0x24: unknown image type 63 (wanted 0, 2, 4 or 5)",
		ERR_FORMAT },
	{ "reserved bit 8", "plain-xip", FROM_START, 0x24, 0x100,
		"image type word 0x00000100 at 0x24: reserved bits 0x0100 are set", ERR_FORMAT },
	{ "relocation table", "plain-xip", FROM_START, 0x24, 0x800,
		"image type word 0x00000800 at 0x24: reserved bits 0x0800 are set", ERR_FORMAT },
	{ "user key", "plain-xip", FROM_START, 0x24, 0x1000,
		"image type word 0x00001000 at 0x24: reserved bits 0x1000 are set", ERR_FORMAT },
	{ "key store", "plain-xip", FROM_START, 0x24, 0x8000,
		"image type word 0x00008000 at 0x24: reserved bits 0x8000 are set", ERR_FORMAT },
	{ "TrustZone off", "plain-xip", FROM_START, 0x24, 0x4000,
		"image type word 0x00004000 at 0x24: TrustZone setting 2 (wanted 0 default or 1 "
		"preset block)",
		ERR_FORMAT },
	{ "plain recovery", "plain-xip", FROM_START, 0x24, 0x40,
		"image type word 0x00000040 at 0x24: image subtype 1 not possible", ERR_FORMAT },
	{ "signed subtype 3", "signed-p256-1root", FROM_START, 0x24, 0xC4,
		"image type word 0x000000C4 at 0x24: image subtype 3 not possible", ERR_FORMAT },
	{ "version not valid", "plain-xip", FROM_START, 0x24, 0x10000,
		"image type word 0x00010000 at 0x24: an image version without bit 10 that makes it "
		"valid",
		ERR_FORMAT },
	{ "no TrustZone block", "plain-xip", FROM_START, 0x24, 0x2000,
		"the type word announces a TrustZone block, but no \"TZ-M\" stands 980 or 756 "
		"bytes "
		"before the end",
		ERR_FORMAT },
	{ "length short", "crc-xip", FROM_START, 0x20, 13955,
		"total length at 0x20 is 13955, the file has 13956 bytes", ERR_FORMAT },
	{ "length long", "crc-xip", FROM_START, 0x20, 13957,
		"total length at 0x20 is 13957, the file has 13956 bytes", ERR_FORMAT },
	{ "length zero", "crc-xip", FROM_START, 0x20, 0,
		"total length at 0x20 is 0, the file has 13956 bytes", ERR_FORMAT },
	{ "length maximum", "crc-xip", FROM_START, 0x20, 0xFFFFFFFF,
		"total length at 0x20 is 4294967295, the file has 13956 bytes", ERR_FORMAT },
	{ "trailing byte", "crc-xip", GROW, 0, 1,
		"total length at 0x20 is 13956, the file has 13957 bytes", ERR_FORMAT },
	{ "crc wrong", "crc-xip", FROM_START, 0x28, 0x12345678,
		"CRC at 0x28 is 0x12345678, computed 0xCC57B467", ERR_REJECTED },
	{ "crc of other code", "crc-xip", FROM_START, 0x100, 0,
		"CRC at 0x28 is 0xCC57B467, computed 0xAC86F35E", ERR_REJECTED },
	{ "crc of other address", "crc-xip", FROM_START, 0x34, 4,
		"CRC at 0x28 is 0xCC57B467, computed 0xE4549C93", ERR_REJECTED },

	{ "cut in signature", "signed-p256-1root", CUT, 0, 14123,
		"total length at 0x20 is 14124, the file has 14123 bytes", ERR_FORMAT },
	{ "cert offset zero", "signed-p256-1root", FROM_START, 0x28, 0,
		"certificate block offset at 0x28 is 0x0, wanted a multiple of 4 from 0x38 to the "
		"total length 0x372C",
		ERR_FORMAT },
	{ "cert offset odd", "signed-p256-1root", FROM_START, 0x28, 0x3685,
		"certificate block offset at 0x28 is 0x3685, wanted a multiple of 4 from 0x38 to "
		"the "
		"total length 0x372C",
		ERR_FORMAT },
	{ "cert offset at end", "signed-p256-1root", FROM_START, 0x28, 0x372C,
		"certificate block offset at 0x28 is 0x372C, wanted a multiple of 4 from 0x38 to "
		"the "
		"total length 0x372C",
		ERR_FORMAT },
	{ "cert offset maximum", "signed-p256-1root", FROM_START, 0x28, 0xFFFFFFFC,
		"certificate block offset at 0x28 is 0xFFFFFFFC, wanted a multiple of 4 from 0x38 "
		"to "
		"the total length 0x372C",
		ERR_FORMAT },
	{ "manifest magic", "signed-p256-1root", FROM_MANIFEST, 0, 0x6D676D69,
		"manifest at 0x36D4: magic \"imgm\", wanted \"imgm\"", ERR_NONE },
	{ "manifest other magic", "signed-p256-1root", FROM_MANIFEST, 0, 0x6D676D6A,
		"manifest at 0x36D4: magic \"jmgm\", wanted \"imgm\"", ERR_FORMAT },
	{ "manifest version", "signed-p256-1root", FROM_MANIFEST, 4, 0x00020000,
		"manifest at 0x36D4: version 0x00020000, wanted 0x00010000", ERR_FORMAT },
	{ "manifest length 23", "signed-p256-1root", FROM_MANIFEST, 12, 23,
		"manifest at 0x36D4: length 23, wanted 24, or 780 or 1004 with a TrustZone block",
		ERR_FORMAT },
	{ "manifest length 0", "signed-p256-1root", FROM_MANIFEST, 12, 0,
		"manifest at 0x36D4: length 0, wanted 24, or 780 or 1004 with a TrustZone block",
		ERR_FORMAT },
	{ "manifest length 25", "signed-p256-1root", FROM_MANIFEST, 12, 25,
		"manifest at 0x36D4: length 25, wanted 24, or 780 or 1004 with a TrustZone block",
		ERR_FORMAT },
	{ "manifest length maximum", "signed-p256-1root", FROM_MANIFEST, 12, 0xFFFFFFFF,
		"manifest at 0x36D4: length 4294967295, wanted 24, or 780 or 1004 with a TrustZone "
		"block",
		ERR_FORMAT },
	{ "manifest with TrustZone", "signed-p256-1root", FROM_MANIFEST, 12, 1004,
		"manifest at 0x36D4: has a TrustZone block, but the type word 0x00000004 says no",
		ERR_FORMAT },
	{ "TrustZone not in manifest", "signed-p256-1root", FROM_START, 0x24, 0x2004,
		"manifest at 0x36D4: has not a TrustZone block, but the type word 0x00002004 says "
		"yes",
		ERR_FORMAT },
	{ "manifest digest flag", "signed-p256-1root", FROM_MANIFEST, 16, 0x80000000,
		"manifest at 0x36D4: flags 0x80000000, wanted 0", ERR_FORMAT },
	{ "firmware version changed", "signed-p256-1root", FROM_MANIFEST, 8, 0x77,
		"manifest CRC at 0x36E8 is 0xE7E1583C, computed 0x88EA7DB9", ERR_REJECTED },
	{ "manifest CRC changed", "signed-p256-1root", FROM_MANIFEST, 20, 0,
		"manifest CRC at 0x36E8 is 0x00000000, computed 0xE7E1583C", ERR_REJECTED },
	{ "application changed", "signed-p256-1root", FROM_START, 0x200, 0xAAAAAAAA,
		"manifest CRC at 0x36E8 is 0xE7E1583C, computed 0x283E8145", ERR_REJECTED },
	{ "signature changed", "signed-p256-1root", FROM_SIGNATURE, 32, 0x01020304, NULL,
		ERR_REJECTED },
};

static void damage(struct image *im, const struct broken *b)
{
	switch (b->part) {
	case FROM_START:
		put_le32(im->b.p + b->off, b->word);
		break;
	case FROM_CERT:
		put_le32(im->b.p + im->cert + b->off, b->word);
		break;
	case FROM_MANIFEST:
		put_le32(im->b.p + im->manifest + b->off, b->word);
		break;
	case FROM_SIGNATURE:
		put_le32(im->b.p + im->signature + b->off, b->word);
		break;
	case CUT:
		im->b.len = b->word;
		break;
	case GROW:
		wr_zero(&im->b, b->word);
		break;
	}
}

static void test_broken_images(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof broken_images / sizeof *broken_images; i++) {
		const struct broken *b = &broken_images[i];
		struct image im;
		struct mbi m;
		struct err e = { 0 };
		image_load(&im, b->dir);
		damage(&im, b);
		int rc = mbi_parse(&m, im.b.p, im.b.len, &e);
		if (rc == 0)
			rc = mbi_verify(&m, NULL, 0, &e);
		if (b->code == ERR_NONE) { /* the unchanged image, so that the table can fail */
			assert_int_equal(rc, 0);
			buf_clear(&im.b);
			continue;
		}
		if (rc == 0)
			fail_msg("%s: accepted", b->name);
		assert_int_equal(e.code, b->code);
		if (b->message && strcmp(e.msg, b->message) != 0)
			fail_msg("%s: \"%s\", wanted \"%s\"", b->name, e.msg, b->message);
		buf_clear(&im.b);
	}
}

/* Every truncation is refused, by a file reader and by a boot loader that sees flash behind it. */
static void test_truncated_anywhere(void **state)
{
	(void)state;
	struct image im;

	image_load(&im, "signed-p256-tz");
	for (size_t len = 0; len < im.b.len; len = len < im.cert && len > 64 ? im.cert : len + 1) {
		uint8_t *copy = malloc(len ? len : 1);
		struct mbi m;
		struct err e = { 0 };
		memcpy(copy, im.b.p, len);
		if (mbi_parse(&m, copy, len, &e) == 0 || mbi_parse_at(&m, copy, len, &e) == 0)
			fail_msg("%zu of %zu bytes accepted", len, im.b.len);
		free(copy);
	}
	/* With erased flash behind it, only mbi_parse_at takes it. */
	struct mbi m;
	struct err e = { 0 };
	uint8_t *flash = malloc(65536);
	memset(flash, 0xFF, 65536);
	memcpy(flash, im.b.p, im.b.len);
	assert_int_equal(mbi_parse(&m, flash, 65536, &e), -1);
	assert_int_equal(mbi_parse_at(&m, flash, 65536, &e), 0);
	assert_int_equal(m.len, im.b.len);
	assert_int_equal(mbi_verify(&m, m.cert.rkth, m.cert.rkth_len, &e), 0);
	uint8_t other[48] = { 1 };
	assert_int_equal(mbi_verify(&m, other, m.cert.rkth_len, &e), -1);
	assert_int_equal(e.code, ERR_REJECTED);
	free(flash);
	buf_clear(&im.b);
}

/* Each bit of certificate block, manifest and signature counts. */
static void test_every_bit_counts(void **state)
{
	(void)state;
	struct image im;

	image_load(&im, "signed-p256-1root");
	for (size_t bit = 8 * im.cert; bit < 8 * im.b.len; bit += 5) {
		struct mbi m;
		struct err e = { 0 };
		im.b.p[bit / 8] ^= (uint8_t)(1 << bit % 8);
		if (mbi_parse(&m, im.b.p, im.b.len, &e) == 0 && mbi_verify(&m, NULL, 0, &e) == 0)
			fail_msg("bit %zu of byte 0x%zX changed: accepted", bit % 8, bit / 8);
		im.b.p[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	buf_clear(&im.b);
}

/* --- configurations ------------------------------------------------------------------------------
 */

#define APP "inputImageFile: ../firmware/frdm_mcxn947_led_blinky.bin\n"
#define CRC "family: mcxn947\noutputImageExecutionTarget: xip\noutputImageAuthenticationType: crc\n"
#define SIGNED                                                                                     \
	"family: mcxn947\noutputImageExecutionTarget: xip\noutputImageAuthenticationType: "        \
	"signed\n"

static int export_text(const char *text, struct buf *warnings, struct buf *out, struct err *e)
{
	AUTO(config_freep) struct config *doc = NULL;
	AUTO(keystore_freep) struct keystore *ks = NULL;

	if (keystore_new(&ks, NULL, e) != 0 ||
		config_load_bytes(&doc, VECTORS "/t", text, strlen(text), e) != 0)
		return -1;
	return mbi_export(doc, ks, warnings ? collect : NULL, warnings, out, e);
}

static void test_broken_configurations(void **state)
{
	(void)state;
	static const struct {
		const char *text, *message; /* without the folder */
	} cases[] = {
		{ "a: 1", "t:1:1: missing key `family`" },
		{ "family: x",
			"t:1:9: key `family`: unknown family \"x\" (known: mcxn947, mcxn946, "
			"mcxn547, mcxn546)" },
		{ "family: mcxn947\nrevision: c",
			"t:2:11: key `revision`: unknown revision \"c\" (a0, a1 or latest)" },
		{ "family: mcxn947", "t:1:1: missing key `outputImageExecutionTarget`" },
		{ "family: mcxn947\noutputImageExecutionTarget: moon",
			"t:2:29: key `outputImageExecutionTarget`: \"moon\" is neither xip nor "
			"load-to-ram" },
		{ "family: mcxn947\noutputImageExecutionTarget: "
		  "xip\noutputImageAuthenticationType: "
		  "x",
			"t:3:32: key `outputImageAuthenticationType`: \"x\" is none of plain, crc, "
			"signed" },
		{ "family: mcxn947\noutputImageExecutionTarget: "
		  "RAM\noutputImageAuthenticationType: "
		  "signed",
			"t:2:29: key `outputImageExecutionTarget`: MCX N has no signed images that "
			"are loaded to RAM: use xip" },
		{ CRC, "t:1:1: missing key `inputImageFile`" },
		{ CRC "outputImageExecutionAddress: 2\n" APP,
			"t:4:30: key `outputImageExecutionAddress`: 0x00000002 is not a multiple "
			"of "
			"4" },
		{ CRC "outputImageExecutionAddress: 0x100000000\n" APP,
			"t:4:30: key `outputImageExecutionAddress`: 0x100000000 is too large, at "
			"most 0xFFFFFFFF" },
		{ CRC "imageVersion: 65536\n" APP,
			"t:4:15: key `imageVersion`: 65536 is too large, at most 0xFFFF" },
		{ CRC "imageVersion: -1\n" APP,
			"t:4:15: key `imageVersion`: \"-1\": negative numbers are not allowed" },
		{ SIGNED APP, "t:1:1: missing key `certBlock`" },
		{ SIGNED "rootCertificate0File: a.pem\n" APP,
			"t:4:23: key `rootCertificate0File`: root keys belong into a certificate "
			"block configuration, named by `certBlock`" },
		{ SIGNED "certBlock: signed-p256-1root/cert_block.yaml\n" APP,
			"t:1:1: missing key `signer`" },
		{ SIGNED "firmwareVersion: 0x10000\n" APP,
			"t:4:18: key `firmwareVersion`: 0x10000 is too large, at most 0xFFFF" },
		{ SIGNED "output_format: elf\n" APP,
			"t:4:16: key `output_format`: \"elf\": an image is written as raw bytes, "
			"wanted bin" },
		{ SIGNED "outputImageSubtype: Recovery\n" APP,
			"t:4:21: key `outputImageSubtype`: \"Recovery\" is none of main, nbu, "
			"recovery" },
		{ SIGNED "certBlock: signed-p256-1root/cert_block.yaml\n"
			 "signer: ../keys/rot_p256_1.pem\n" APP,
			"t:5:9: key `signer`: this key is not the used root key of the certificate "
			"block, which must sign the image" },
		{ SIGNED "certBlock: signed-p256-isk-p256/cert_block.yaml\n"
			 "signer: ../keys/rot_p256_3.pem\n" APP,
			"t:5:9: key `signer`: this key is not the ISK key of the certificate "
			"block, "
			"which must sign the image" },
		{ CRC "inputImageFile: none.bin",
			"t:4:17: key `inputImageFile`: file \"none.bin\" not found (looked in "
			"tests/vectors/mbi, beside the parent configuration and in the current "
			"directory)" },
		{ CRC "trustZonePresetFile: none.yaml\n" APP,
			"t:4:22: key `trustZonePresetFile`: file \"none.yaml\" not found (looked "
			"in "
			"tests/vectors/mbi, beside the parent configuration and in the current "
			"directory)" },
		{ CRC "inputImageFile: signed-p256-isk-p256/user8.bin",
			"t: the application has 8 bytes, its vector table alone needs 56" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		AUTO(buf_clear) struct buf out = { 0 };
		struct err e = { 0 };
		char want[600];
		snprintf(want, sizeof want, VECTORS "/%s", cases[i].message);
		if (export_text(cases[i].text, NULL, &out, &e) == 0)
			fail_msg("accepted: %s", cases[i].text);
		if (strcmp(e.msg, want) != 0)
			fail_msg("\"%s\", wanted \"%s\"", e.msg, want);
		assert_int_equal(e.code, ERR_CONFIG);
		assert_int_equal(out.len, 0);
	}
}

static void test_warnings(void **state)
{
	(void)state;
	AUTO(buf_clear) struct buf warnings = { 0 };
	AUTO(buf_clear) struct buf out = { 0 };
	struct err e = { 0 };

	assert_int_equal(export_text(CRC "inputImageFile: "
					 "../firmware/"
					 "mcxn946_ext_xip_hello_world_green_led_blinky_loop.s19\n"
					 "outputImageExecutionAddress: 0x1ff000\nimageVerson: 3\n"
					 "enableTrustZone: true\n",
				 &warnings, &out, &e),
		0);
	assert_string_equal(buf_text(&warnings), VECTORS
		"/t:4:17: key `inputImageFile`: the S-record file is linked for 0x80001000, "
		"outputImageExecutionAddress is 0x001FF000\n" VECTORS
		"/t:5:30: key `outputImageExecutionAddress`: 13956 bytes at 0x001FF000 do "
		"not fit into the flash of mcxn947\n" VECTORS
		"/t:6:1: unknown key `imageVerson`, did you mean `imageVersion`?\n");
}

/* --- builder
 * --------------------------------------------------------------------------------------- */

static void test_builder_refuses(void **state)
{
	(void)state;
	AUTO(buf_clear) struct buf out = { 0 };
	struct err e = { 0 };
	uint8_t app[64] = { 0 };
	struct mbi_build b = { .type = MBI_PLAIN };

	assert_int_equal(mbi_build(&b, app, 64, &out, &e), -1);
	assert_string_equal(e.msg, "the application does not begin with a vector table: its first "
				   "three words are all 0x00000000");
	app[0] = 1;
	b.load_address = 3;
	assert_int_equal(mbi_build(&b, app, 64, &out, &e), -1);
	assert_string_equal(e.msg, "load address 0x00000003 is not a multiple of 4");
	b.load_address = 0;
	assert_int_equal(mbi_build(&b, app, 55, &out, &e), -1);
	assert_string_equal(e.msg, "the application has 55 bytes, its vector table alone needs 56");
	b.tz = app;
	b.tz_len = 64;
	assert_int_equal(mbi_build(&b, app, 64, &out, &e), -1);
	assert_string_equal(e.msg, "TrustZone block of 64 bytes (756 or 980 possible)");
	assert_int_equal(out.len, 0);
}

/* --- TrustZone presets
 * ------------------------------------------------------------------------------ */

static int load_preset(const char *file, enum family_revision rev, struct buf *warnings,
	struct buf *out, struct err *e)
{
	AUTO(config_freep) struct config *doc = NULL;
	char text[200];

	snprintf(text, sizeof text, "tz: %s\n", file);
	if (config_load_bytes(&doc, "t", text, strlen(text), e) != 0)
		return -1;
	return trustzone_load(config_get(config_root(doc), "tz"), rev, collect, warnings, out, e);
}

static void test_trustzone(void **state)
{
	(void)state;
	char dir[] = "/tmp/mfgpkg-tz-XXXXXX", path[64];
	static const struct {
		const char *text, *result, *message;
	} cases[] = {
		{ "trustZonePreset: {field00C: 5}",
			"{\"Interrupt target non-secure register 0 (cm33_nvic_itns0)\": "
			"\"0x00000005\"}",
			NULL },
		{ "trustZonePreset:\n  Secure vector table address (cm33_vtor_addr): {value: "
		  "'0x10000000'}\n",
			"{\"Secure vector table address (cm33_vtor_addr)\": \"0x10000000\"}",
			NULL },
		{ "trustZonePreset: {field004: 0}", "", NULL },
		{ "trustZonePreset: {}", "", NULL },
		{ "{\"trustZonePreset\": {\"field00C\": \"0x6\"}}",
			"{\"Interrupt target non-secure register 0 (cm33_nvic_itns0)\": "
			"\"0x00000006\"}",
			NULL },
		{ "trustZonePreset: {cm33_vtor_addr: 1}", NULL,
			":1:35: key `trustZonePreset.cm33_vtor_addr`: unknown TrustZone register, "
			"its "
			"full name is `Secure vector table address (cm33_vtor_addr)`" },
		{ "trustZonePreset: {nonsense: 1}", NULL,
			":1:29: key `trustZonePreset.nonsense`: unknown TrustZone register" },
		{ "trustZonePreset: {field00C: 1, 'Interrupt target non-secure register 0 "
		  "(cm33_nvic_itns0)': 2}",
			NULL,
			":1:92: key `trustZonePreset.Interrupt target non-secure register 0 "
			"(cm33_nvic_itns0)`: the same register is given twice" },
		{ "trustZonePreset: {field00C: 0x100000000}", NULL,
			":1:29: key `trustZonePreset.field00C`: 0x100000000 is too large, at most "
			"0xFFFFFFFF" },
		{ "trustZonePreset: {field00C: {}}", NULL,
			":1:29: key `trustZonePreset.field00C`: missing key `value`" },
		{ "trustZonePreset: [1]", NULL,
			":1:18: key `trustZonePreset`: this is a list, a map of registers is "
			"wanted" },
		{ "family: mcxn947", NULL, ":1:1: missing key `trustZonePreset`" },
	};

	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/tz.yaml", dir);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		AUTO(buf_clear) struct buf out = { 0 };
		AUTO(buf_clear) struct buf warnings = { 0 };
		struct err e = { 0 };
		assert_int_equal(
			fsio_write(path, cases[i].text, strlen(cases[i].text), 0600, &e), 0);
		int rc = load_preset(path, FAMILY_REV_A1, &warnings, &out, &e);
		if (cases[i].message) {
			assert_int_equal(rc, -1);
			assert_string_equal(e.msg + strlen(path), cases[i].message);
			continue;
		}
		if (rc != 0)
			fail_msg("%s", e.msg);
		assert_int_equal(out.len, *cases[i].result ? 980 : 0);
		if (!out.len)
			continue;
		AUTO(json_freep) json_t *words = trustzone_json(FAMILY_REV_A1, out.p, out.len);
		char *dump = json_dumps(words, 0);
		assert_string_equal(dump, cases[i].result);
		free(dump);
	}
	/* Binary: words, shorter and longer than the block. */
	uint8_t words[1000] = { 'T', 'Z', '-', 'M', 0, 0, 0, 0x10 };
	for (size_t len = 8; len <= 1000; len += 992) {
		AUTO(buf_clear) struct buf out = { 0 };
		AUTO(buf_clear) struct buf warnings = { 0 };
		struct err e = { 0 };
		assert_int_equal(fsio_write(path, words, len, 0600, &e), 0);
		assert_int_equal(load_preset(path, FAMILY_REV_A0, &warnings, &out, &e), 0);
		assert_int_equal(out.len, 756);
		assert_int_equal(get_le32(out.p + 4), 0x10000000);
		assert_non_null(strstr(buf_text(&warnings),
			len == 8 ? "8 bytes, revision a0 has 756: the rest keeps its reset values"
				 : "1000 bytes, revision a0 has 756: the rest is left out"));
	}
	remove(path);
	remove(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_golden),
		cmocka_unit_test(test_broken_images),
		cmocka_unit_test(test_truncated_anywhere),
		cmocka_unit_test(test_every_bit_counts),
		cmocka_unit_test(test_broken_configurations),
		cmocka_unit_test(test_warnings),
		cmocka_unit_test(test_builder_refuses),
		cmocka_unit_test(test_trustzone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

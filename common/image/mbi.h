/* mbi - master boot images: parse, check.
 *
 *   plain, crc:  application | TrustZone block
 *   signed:      application | certificate block v2.1 | manifest (TrustZone block, CRC) | signature
 *
 * Four words of the application's vector table describe the rest: 0x20 total length, 0x24 type,
 * 0x28 CRC or offset of the certificate block, 0x34 load address. Integers little-endian.
 * Source: formats "mbi". No keys, no locks, any thread; results borrow from the input.
 */
#ifndef COMMON_IMAGE_MBI_H
#define COMMON_IMAGE_MBI_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "image/cert_block.h"

#define MBI_LENGTH_OFF	     0x20
#define MBI_TYPE_OFF	     0x24
#define MBI_CRC_OFF	     0x28 /* crc images */
#define MBI_CERT_OFF	     0x28 /* signed images: offset of the certificate block */
#define MBI_LOAD_OFF	     0x34
#define MBI_MIN_APP	     56
#define MBI_MAX_SIZE	     ((size_t)128 << 20) /* the FlexSPI window */
#define MBI_MANIFEST_MAGIC   "imgm"
#define MBI_MANIFEST_VERSION 0x00010000u
#define MBI_MANIFEST_HEADER  20
#define MBI_TZ_SIZE_A0	     756
#define MBI_TZ_SIZE_A1	     980

#define MBI_TYPE_MASK	       0x0000003Fu
#define MBI_SUBTYPE_MASK       0x000000C0u
#define MBI_SUBTYPE_SHIFT      6
#define MBI_HAS_VERSION	       0x00000400u
#define MBI_TZ_MASK	       0x00006000u
#define MBI_TZ_SHIFT	       13
#define MBI_TYPE_WORD_RESERVED 0x00009B00u /* bits 8, 9, 11, 12, 15 */

/* Image types as stored in bits 5:0 of the type word. */
enum mbi_type {
	MBI_PLAIN = 0,
	MBI_CRC_RAM = 2,
	MBI_SIGNED_XIP = 4,
	MBI_CRC_XIP = 5,
};

enum mbi_subtype { MBI_MAIN = 0, MBI_RECOVERY = 1 };

struct mbi {
	const uint8_t *data;
	size_t len; /* of the image; smaller than the input if more bytes follow it */
	enum mbi_type type;
	enum mbi_subtype subtype; /* signed only */
	uint32_t type_word, length_word, word_28, load_address;
	bool has_version; /* the image version (dual boot) below is valid */
	uint16_t image_version;
	size_t app_len; /* application, padding included */
	const uint8_t *tz; /* TrustZone block or NULL */
	size_t tz_len;
	uint32_t crc; /* crc images: as stored */

	/* signed images */
	struct cert_block cert;
	const uint8_t *manifest;
	size_t manifest_len;
	uint32_t firmware_version;
	uint32_t manifest_crc; /* as stored */
	size_t signed_len; /* the signature covers data[0 .. signed_len) */
	const uint8_t *signature;
	size_t signature_len;
};

/* mbi_parse - an image that fills data[len] exactly. ERR_FORMAT, ERR_LIMIT.
 * mbi_parse_at - an image at the start of memory: more bytes may follow it. A plain XIP image does
 *   not say how long it is, so it is taken to fill all of data[len]. */
int mbi_parse(struct mbi *out, const uint8_t *data, size_t len, struct err *e) CHECKED;
int mbi_parse_at(struct mbi *out, const uint8_t *data, size_t len, struct err *e) CHECKED;

/* mbi_verify - all that can be checked without a device: CRC of crc images; of signed images the
 * ISK certificate, the RKTH (when rkth is not NULL), the manifest's CRC, the image signature.
 * A plain image has nothing to check. ERR_REJECTED. */
int mbi_verify(const struct mbi *m, const uint8_t *rkth, size_t rkth_len, struct err *e) CHECKED;

/* mbi_crc - what a crc image must have at 0x28: CRC-32/MPEG-2 over all bytes but those four. */
uint32_t mbi_crc(const uint8_t *data, size_t len);

const char *mbi_type_name(enum mbi_type type); /* "plain", "crc (load to RAM)", ... */

/* mbi_json - facts for --json; new reference, NULL when memory is out. */
json_t *mbi_json(const struct mbi *m);

#endif

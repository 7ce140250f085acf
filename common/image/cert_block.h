/* cert_block - certificate block v2.1 of SB3.1 containers and signed images: parse, check.
 *
 * Integers little-endian; keys, hashes, signatures big-endian byte strings. The signature of an ISK
 * certificate covers everything from offset 12 up to itself. Source: certificate block v2.1,
 * sections 2..4. No keys, no locks, any thread.
 */
#ifndef COMMON_IMAGE_CERT_BLOCK_H
#define COMMON_IMAGE_CERT_BLOCK_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "crypt/ecc.h"

#define CERT_BLOCK_HEADER    12
#define CERT_BLOCK_MAX_ROOTS 4
#define CERT_BLOCK_MAX_USER  96
#define CERT_BLOCK_MAX_SIZE  604 /* four P-384 roots, P-384 ISK, 96 bytes of user data */
#define CERT_BLOCK_FLAG_CA   0x80000000u /* no ISK: the root key signs */
#define ISK_FLAG_USER_DATA   0x80000000u

struct cert_block {
	size_t size; /* of the whole block */
	uint32_t flags; /* key record word */
	enum ecc_curve root_curve;
	unsigned n_roots, used_root;
	const uint8_t *ctrk_table; /* n_roots hashes; NULL with one root */
	struct ecc_pub root; /* the used root key */
	uint8_t rkth[48];
	size_t rkth_len; /* 32 or 48, by the root curve */

	bool has_isk;
	struct ecc_pub isk;
	uint32_t isk_constraint;
	const uint8_t *user_data; /* NULL when there is none */
	size_t user_data_len;
	const uint8_t *signed_data; /* what the ISK signature covers; NULL without ISK */
	size_t signed_len;
	const uint8_t *isk_signature; /* 2 * ecc_len(root_curve) bytes; NULL without ISK */
};

/* cert_block_parse - data[len] untrusted, may go on behind the block (see ->size); pointers of *out
 * borrow from it. Checks layout, points on curve, and that the used root key is the one its table
 * entry names. ERR_FORMAT. */
int cert_block_parse(
	struct cert_block *out, const uint8_t *data, size_t len, struct err *e) CHECKED;

/* cert_block_verify - the ISK signature by the root key (nothing to do without ISK). ERR_REJECTED.
 */
int cert_block_verify(const struct cert_block *b, struct err *e) CHECKED;

/* cert_block_signer - the key that signs the container or image: ISK, else the used root key. */
const struct ecc_pub *cert_block_signer(const struct cert_block *b);

/* cert_block_check_rkth - the block belongs to this RKTH. ERR_REJECTED naming both. */
int cert_block_check_rkth(
	const struct cert_block *b, const uint8_t *rkth, size_t len, struct err *e) CHECKED;

/* rkth_of_keys - the RKTH of 1..4 root keys of one curve; rkth[48], *len 32 or 48. ERR_CONFIG. */
int rkth_of_keys(
	const struct ecc_pub *keys, size_t n, uint8_t rkth[48], size_t *len, struct err *e) CHECKED;

/* cert_block_json - facts for --json; new reference, NULL when memory is out. */
json_t *cert_block_json(const struct cert_block *b);

#endif

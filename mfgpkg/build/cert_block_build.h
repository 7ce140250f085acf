/* cert_block_build - make certificate blocks v2.1 and root key table hashes. */
#ifndef MFGPKG_BUILD_CERT_BLOCK_BUILD_H
#define MFGPKG_BUILD_CERT_BLOCK_BUILD_H

#include "base/bytes.h"
#include "base/err.h"
#include "image/cert_block.h"
#include "mfgpkg/keystore.h"

struct config;
struct config_node;

struct cert_block_build {
	struct ecc_pub roots[CERT_BLOCK_MAX_ROOTS];
	size_t n_roots;
	unsigned used_root;
	const struct ecc_key *isk_signer; /* the used root's private key; NULL: no ISK */
	struct ecc_pub isk;
	uint32_t isk_constraint;
	const uint8_t *user_data;
	size_t user_data_len; /* multiple of 4, at most 96 */
};

/* cert_block_build - append the block to *out. ERR_CONFIG when the keys do not fit together: mixed
 * curves, an ISK signer that is not the used root key, a P-384 ISK under P-256 roots. */
int cert_block_build(const struct cert_block_build *b, struct buf *out, struct err *e) CHECKED;

/* cert_block_export - the block a configuration file describes (keys: format, section 5). */
int cert_block_export(
	const struct config *c, struct keystore *ks, struct buf *out, struct err *e) CHECKED;

/* cert_block_load - the value of a `certBlock:` key: a binary block used as it is (its ISK
 * signature is verified), or a configuration file. */
int cert_block_load(const struct config_node *node, struct keystore *ks, struct buf *out,
	struct err *e) CHECKED;

/* cert_block_rkth - the RKTH of a certificate block configuration or binary, by path; for rkth
 * and pfr. Needs public keys only. */
int cert_block_rkth(const char *path, struct keystore *ks, uint8_t rkth[48], size_t *len,
	struct err *e) CHECKED;

#endif

/* sb31_build - make SB3.1 containers: command lists, plain streams, blocks, whole files.
 *
 * The command list is the only copy of the plaintext besides the output buffer, where blocks are
 * encrypted in place: peak memory is input + output. Plaintext is wiped on every path.
 * Source: SB3.1 format, sections 2..5.
 */
#ifndef MFGPKG_BUILD_SB31_BUILD_H
#define MFGPKG_BUILD_SB31_BUILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/bytes.h"
#include "base/err.h"
#include "image/sb31.h"
#include "mfgpkg/keystore.h"

struct config;
struct config_node;

/* --- commands ----------------------------------------------------------------------------------
 */

enum sb31_plain_input {
	SB31_BLOB_AS_IS, /* data goes into the stream unchanged */
	SB31_BLOB_PLAIN, /* plainInput bin or hex: a device HSM wraps data before it is used */
};

struct sb31_item {
	enum sb31_tag tag;
	uint32_t w1, w2; /* words at offsets 4 and 8; w2 of commands with data is set when the
			  * stream is written */
	uint32_t ext[4];
	struct buf data; /* owned, wiped */
	enum sb31_plain_input plain_input; /* loadKeyBlob only */
};

struct sb31_items {
	struct sb31_item *v;
	size_t n, cap;
};

void sb31_items_clear(struct sb31_items *items); /* wipes all data; no-op on a zeroed struct */

/* sb31_items_add - append a command without data; fill in the returned item. NULL: no memory. */
struct sb31_item *sb31_items_add(struct sb31_items *items, enum sb31_tag tag);

/* sb31_items_from_config - append the commands of a `commands:` list (NULL: none). ERR_CONFIG with
 * file, line and key. */
int sb31_items_from_config(struct sb31_items *items, struct keystore *ks,
	const struct config_node *list, struct err *e) CHECKED;

/* loadKeyBlob: word 1 holds the offset (low half) and the key wrap id (high half). */
static inline uint32_t sb31_key_blob_word(uint16_t offset, uint16_t wrap_id)
{
	return (uint32_t)offset | (uint32_t)wrap_id << 16;
}
static inline uint16_t sb31_key_blob_offset(const struct sb31_item *item)
{
	return (uint16_t)item->w1;
}

/* sb31_items_blocks - how many data blocks the commands fill (at least 1). ERR_LIMIT. */
int sb31_items_blocks(const struct sb31_items *items, uint32_t *n_blocks, struct err *e) CHECKED;

/* sb31_items_write - the plain stream (section header, commands, zero fill) in pieces of 256 bytes:
 * piece i goes to out + i * stride. Give stride 256 for a contiguous stream, or the block size and
 * out = first payload to fill blocks in place. out has room for sb31_items_blocks() pieces. */
void sb31_items_write(const struct sb31_items *items, uint8_t *out, size_t stride);

/* --- parts of a container ------------------------------------------------------------------------
 */

struct sb31_header {
	uint32_t flags, n_blocks, block_size, firmware_version, block0_len, image_type, cert_off;
	uint64_t timestamp;
	uint8_t description[16];
};

void sb31_header_write(const struct sb31_header *h, uint8_t out[SB31_HEADER]);

/* sb31_chain - number the blocks and store in each the hash of the next, last to first. Payloads
 * are in place already. block1_hash[digest_len(alg)] goes into block 0. */
void sb31_chain(enum digest_alg alg, uint8_t *blocks, uint32_t n_blocks, uint8_t *block1_hash);

/* sb31_devhsm_block0 - the 220 bytes a device HSM signs: header with flags 1, hash of block 1,
 * CUST_FW_AUTH key X || Y, ENC_OEM_SHARE. The template is the header the part gets for encryption:
 * block count 0, length 60, same timestamp. */
#define SB31_DEVHSM_SIGNED 220
void sb31_devhsm_template(uint64_t timestamp, uint8_t out[SB31_HEADER]);
void sb31_devhsm_block0(uint64_t timestamp, uint32_t n_blocks, const uint8_t block1_hash[32],
	const uint8_t cust_fw_auth[64], const uint8_t enc_oem_share[SB31_OEM_SHARE],
	uint8_t out[SB31_DEVHSM_SIGNED]);

/* sb31_timestamp - seconds since 2000-01-01 00:00:00 in local time of `now`, as other tools write;
 * from SOURCE_DATE_EPOCH (UTC) when that is set. ERR_USAGE when that variable is no number. */
int sb31_timestamp(uint64_t *out, struct err *e) CHECKED;

/* --- whole containers
 * ----------------------------------------------------------------------------- */

struct sb31_build {
	uint32_t flags, firmware_version;
	bool nxp_container;
	uint64_t timestamp; /* not 0 */
	uint8_t description[16];
	const uint8_t *cert_block; /* complete; its signer must be `signer` */
	size_t cert_block_len;
	const struct ecc_key *signer;
	const struct secret *cust_mk_sk; /* NULL: payloads stay plain (tests only) */
	unsigned kdk_access_rights; /* 0..3 */
};

/* sb31_build - append the container to *out. `items` are left empty once their data stands in the
 * output, where it is encrypted in place. ERR_CONFIG, ERR_LIMIT, ERR_FORMAT (certificate block). */
int sb31_build(const struct sb31_build *b, struct sb31_items *items, struct buf *out,
	struct err *e) CHECKED;

/* sb31_export - the container a configuration file describes. */
int sb31_export(
	const struct config *c, struct keystore *ks, struct buf *out, struct err *e) CHECKED;

#endif

/* sb31 - SB3.1 containers of MCX Nx4x: parse, verify, walk the commands of a decrypted stream.
 *
 *   header (60) | hash of block 1 | certificate block | block 0 signature | data blocks 1..N
 *   data block: number (4) | hash of the next block, zero in the last | payload (256)
 *
 * Integers little-endian. Hash and block size follow the key that signs block 0: P-256 SHA-256 and
 * 292 bytes, P-384 SHA-384 and 308 bytes. A container made by a device HSM has a 128-byte
 * certificate block of its own kind. Nothing here decrypts. Source: SB3.1 format, sections 1..3, 5,
 * 6. No locks, any thread; results borrow from the input.
 */
#ifndef COMMON_IMAGE_SB31_H
#define COMMON_IMAGE_SB31_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"
#include "image/cert_block.h"

#define SB31_HEADER	     60
#define SB31_PAYLOAD	     256
#define SB31_MAX_BLOCK0	     (60 + 48 + CERT_BLOCK_MAX_SIZE + 96)
#define SB31_MAX_BLOCKS	     (1u << 19) /* 128 MiB of payload */
#define SB31_MAX_DATA	     ((size_t)128 << 20) /* of one command */
#define SB31_MAX_BLOCK_SIZE  (4 + 48 + SB31_PAYLOAD)
#define SB31_MAX_SIZE	     (SB31_MAX_BLOCK0 + (size_t)SB31_MAX_BLOCKS * SB31_MAX_BLOCK_SIZE)
#define SB31_IMAGE_OEM	     6
#define SB31_IMAGE_NXP	     7
#define SB31_DEVHSM_CERT     128 /* certificate block of a device-HSM container */
#define SB31_DEVHSM_BLOCK0   284
#define SB31_DEVHSM_FLAGS    1
#define SB31_DEVHSM_KEY_WORD 0x80000011u
#define SB31_OEM_SHARE	     48

struct sb31 {
	uint32_t flags, n_blocks, block_size, firmware_version, block0_len, image_type, cert_off;
	uint64_t timestamp;
	uint8_t description[16]; /* zero-filled, may have no NUL */
	enum digest_alg hash; /* of the chain and of the signature */
	unsigned key_bits; /* of the block keys: 128, 256 */
	const uint8_t *block0; /* block0_len bytes */
	const uint8_t *block1_hash; /* digest_len(hash) */
	bool devhsm;
	struct cert_block cert; /* devhsm: only .size and .root, the CUST_FW_AUTH key */
	const uint8_t *enc_oem_share; /* devhsm: SB31_OEM_SHARE bytes, else NULL */
	const uint8_t *signature; /* over everything before it in block 0 */
	size_t signature_len;
	const uint8_t *blocks; /* n_blocks * block_size bytes; NULL after sb31_parse_block0() */
};

/* For a receiver that streams: the length of block 0 from the first 60 bytes (all header fields are
 * checked), then block 0 complete, then block after block with sb31_check_block(). ERR_FORMAT,
 * ERR_LIMIT. */
int sb31_block0_len(const uint8_t hdr[SB31_HEADER], size_t *len, struct err *e) CHECKED;
int sb31_parse_block0(struct sb31 *out, const uint8_t *data, size_t len, struct err *e) CHECKED;

/* sb31_parse - a whole file: block 0, and exactly n_blocks blocks behind it. */
int sb31_parse(struct sb31 *out, const uint8_t *data, size_t len, struct err *e) CHECKED;

/* Signatures: of the ISK certificate and of block 0; sb31_verify() also walks all blocks (after
 * sb31_parse() only). ERR_REJECTED. A device-HSM container is signed by the key it carries: that
 * proves integrity, not origin. */
int sb31_verify_block0(const struct sb31 *sb, struct err *e) CHECKED;
int sb31_verify(const struct sb31 *sb, struct err *e) CHECKED;

/* sb31_check_block - block n = 1.. (block_size bytes) has number n and hash expected_hash
 * (->block1_hash for n = 1); *next_hash is what block n + 1 must have (the last block's must be
 * zero). The number is checked first. ERR_REJECTED. */
int sb31_check_block(const struct sb31 *sb, uint32_t n, const uint8_t *block,
	const uint8_t *expected_hash, const uint8_t **next_hash, struct err *e) CHECKED;

const struct ecc_pub *sb31_signer(const struct sb31 *sb);

/* The payload of block n of a parsed file. */
const uint8_t *sb31_payload(const struct sb31 *sb, uint32_t n);

/* --- the plain stream: section header, commands, zero fill ------------------------------------ */

#define SB31_SECTION_HEADER 16
#define SB31_CMD_MAGIC	    0x55AAAA55u
#define SB31_KEK_INT	    18 /* NXP_CUST_KEK_INT_SK */
#define SB31_KEK_EXT	    19 /* NXP_CUST_KEK_EXT_SK */

enum sb31_tag {
	SB31_ERASE = 0x01,
	SB31_LOAD = 0x02,
	SB31_EXECUTE = 0x03,
	SB31_PROGRAM_FUSES = 0x05,
	SB31_PROGRAM_IFR = 0x06,
	SB31_LOAD_CMAC = 0x07,
	SB31_COPY = 0x08,
	SB31_LOAD_HASH_LOCKING = 0x09,
	SB31_LOAD_KEY_BLOB = 0x0A,
	SB31_CONFIGURE_MEMORY = 0x0B,
	SB31_FILL_MEMORY = 0x0C,
	SB31_CHECK_FW_VERSION = 0x0D,
};

/* Words as stored at offsets 4 and 8 and, for commands with an extension, 16..28 (else zero):
 * what they mean per command is in the format, section 3. */
struct sb31_cmd {
	uint32_t tag; /* enum sb31_tag: unknown ones are refused */
	uint32_t w1, w2;
	uint32_t ext[4];
	const uint8_t *data; /* NULL when the command has none */
	size_t data_len; /* without padding */
	size_t size; /* in the stream, padding included */
};

/* The name a configuration uses ("programFuses"); "call", "reset" ... for known codes of other
 * parts; NULL for unknown ones. */
const char *sb31_cmd_name(uint32_t tag);

/* sb31_section - the section header: UID 1, type 1, *length bytes of commands follow. ERR_FORMAT.
 */
int sb31_section(const uint8_t head[SB31_SECTION_HEADER], uint32_t *length, struct err *e) CHECKED;

/* sb31_cmd_size - the size of a command, and where in it its data begins (= the bytes to have
 * before sb31_cmd_next() can make sense of it, without the data), from its first 16 bytes.
 * *data_len without padding. Any of the pointers may be NULL. ERR_FORMAT (magic, unknown or foreign
 * command), ERR_LIMIT (data above 128 MiB). */
int sb31_cmd_size(const uint8_t head[16], size_t *total, size_t *data_off, size_t *data_len,
	struct err *e) CHECKED;

/* sb31_cmd_next - take the next command off `stream`, which holds exactly the bytes of the commands
 * (section header and fill removed). 1: got one, 0: at the end, -1: ERR_FORMAT. */
int sb31_cmd_next(struct rd *stream, struct sb31_cmd *out, struct err *e) CHECKED;

/* sb31_cmd_text - "load 0x00010000, 17 bytes, memory 0", for people. Returns out. */
char *sb31_cmd_text(char out[160], const struct sb31_cmd *cmd);

/* Facts for --json; new reference, NULL when memory is out. */
json_t *sb31_json(const struct sb31 *sb);
json_t *sb31_cmd_json(const struct sb31_cmd *cmd);

#endif

#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "image/sb31.h"

#define MINOR 1
#define MAJOR 3

static bool all_zero(const uint8_t *p, size_t len)
{
	uint8_t any = 0;

	while (len--)
		any |= *p++;
	return any == 0;
}

/* Header fields, each against what the block size says: 292 means SHA-256, 308 SHA-384. */
static int parse_header(struct sb31 *sb, const uint8_t hdr[SB31_HEADER], struct err *e)
{
	struct rd r = rd_of(hdr, SB31_HEADER);
	const uint8_t *magic = rd_bytes(&r, 4);

	if (memcmp(magic, "sbv3", 4) != 0)
		return err_set(e, ERR_FORMAT, "SB3.1: magic is %02x%02x%02x%02x, wanted \"sbv3\"",
			magic[0], magic[1], magic[2], magic[3]);
	unsigned minor = rd_le16(&r), major = rd_le16(&r);
	if (major != MAJOR || minor != MINOR)
		return err_set(e, ERR_FORMAT, "SB3.1: version %u.%u, wanted 3.1", major, minor);
	sb->flags = rd_le32(&r);
	sb->n_blocks = rd_le32(&r);
	sb->block_size = rd_le32(&r);
	sb->timestamp = rd_le64(&r);
	sb->firmware_version = rd_le32(&r);
	sb->block0_len = rd_le32(&r);
	sb->image_type = rd_le32(&r);
	sb->cert_off = rd_le32(&r);
	rd_copy(&r, sb->description, sizeof sb->description);

	if (sb->block_size == 4 + 32 + SB31_PAYLOAD) {
		sb->hash = DIGEST_SHA256;
		sb->key_bits = 128;
		sb->signature_len = 64;
	} else if (sb->block_size == 4 + 48 + SB31_PAYLOAD) {
		sb->hash = DIGEST_SHA384;
		sb->key_bits = 256;
		sb->signature_len = 96;
	} else {
		return err_set(e, ERR_FORMAT, "SB3.1: block size is %u, wanted 292 or 308",
			sb->block_size);
	}
	if (sb->n_blocks == 0)
		return err_set(e, ERR_FORMAT, "SB3.1: block count is 0, wanted at least 1");
	if (sb->n_blocks > SB31_MAX_BLOCKS)
		return err_set(e, ERR_LIMIT, "SB3.1: block count is %u, at most %u supported",
			sb->n_blocks, SB31_MAX_BLOCKS);
	if (sb->image_type != SB31_IMAGE_OEM && sb->image_type != SB31_IMAGE_NXP)
		return err_set(
			e, ERR_FORMAT, "SB3.1: image type is %u, wanted 6 or 7", sb->image_type);
	if (sb->cert_off != SB31_HEADER + digest_len(sb->hash))
		return err_set(e, ERR_FORMAT, "SB3.1: certificate block offset is %u, wanted %zu",
			sb->cert_off, SB31_HEADER + digest_len(sb->hash));
	size_t least = sb->cert_off + CERT_BLOCK_HEADER + 4 + sb->signature_len;
	if (sb->block0_len < least || sb->block0_len > SB31_MAX_BLOCK0)
		return err_set(e, ERR_FORMAT, "SB3.1: block 0 length is %u, wanted %zu to %d",
			sb->block0_len, least, SB31_MAX_BLOCK0);
	return 0;
}

int sb31_block0_len(const uint8_t hdr[SB31_HEADER], size_t *len, struct err *e)
{
	struct sb31 sb = { 0 };

	if (parse_header(&sb, hdr, e) != 0)
		return -1;
	*len = sb.block0_len;
	return 0;
}

/* The certificate block a device HSM makes: one P-256 key, and the OEM share where an ISK
 * certificate would stand. No ordinary block of 128 bytes has this key record word. */
static bool is_devhsm_cert(const uint8_t *cert, size_t len)
{
	return len == SB31_DEVHSM_CERT && memcmp(cert, "chdr", 4) == 0 &&
	       get_le32(cert + 8) == SB31_DEVHSM_CERT &&
	       get_le32(cert + 12) == SB31_DEVHSM_KEY_WORD;
}

static int parse_devhsm_cert(struct sb31 *sb, const uint8_t *cert, struct err *e)
{
	unsigned minor = get_le16(cert + 4), major = get_le16(cert + 6);

	if (major != 2 || minor != 1)
		return err_set(e, ERR_FORMAT, "SB3.1: cert block: version %u.%u, wanted 2.1", major,
			minor);
	if (sb->hash != DIGEST_SHA256)
		return err_set(e, ERR_FORMAT,
			"SB3.1: device-HSM container with block size %u, wanted 292",
			sb->block_size);
	if (sb->flags != SB31_DEVHSM_FLAGS)
		return err_set(e, ERR_FORMAT,
			"SB3.1: device-HSM container with flags 0x%08x, wanted 1", sb->flags);
	if (sb->image_type != SB31_IMAGE_OEM)
		return err_set(e, ERR_FORMAT,
			"SB3.1: device-HSM container with image type %u, wanted 6", sb->image_type);
	if (ecc_pub_from_xy(&sb->cert.root, ECC_P256, cert + 16, e) != 0)
		return err_wrap(e, "SB3.1: cert block: CUST_FW_AUTH key");
	sb->devhsm = true;
	sb->cert.size = SB31_DEVHSM_CERT;
	sb->cert.root_curve = ECC_P256;
	sb->cert.n_roots = 1;
	sb->cert.flags = SB31_DEVHSM_KEY_WORD;
	sb->enc_oem_share = cert + 80;
	return 0;
}

int sb31_parse_block0(struct sb31 *out, const uint8_t *data, size_t len, struct err *e)
{
	struct sb31 sb = { 0 };

	if (len < SB31_HEADER)
		return err_set(e, ERR_FORMAT, "SB3.1: truncated in the header: %zu of %d bytes",
			len, SB31_HEADER);
	if (parse_header(&sb, data, e) != 0)
		return -1;
	if (len < sb.block0_len)
		return err_set(e, ERR_FORMAT, "SB3.1: truncated in block 0: %zu of %u bytes", len,
			sb.block0_len);

	size_t cert_len = sb.block0_len - sb.signature_len - sb.cert_off;
	const uint8_t *cert = data + sb.cert_off;
	sb.block0 = data;
	sb.block1_hash = data + SB31_HEADER;
	sb.signature = data + sb.block0_len - sb.signature_len;
	if (is_devhsm_cert(cert, cert_len)) {
		if (parse_devhsm_cert(&sb, cert, e) != 0)
			return -1;
		*out = sb;
		return 0;
	}
	if (cert_block_parse(&sb.cert, cert, cert_len, e) != 0)
		return err_wrap(e, "SB3.1");
	if (sb.cert.size != cert_len)
		return err_set(e, ERR_FORMAT,
			"SB3.1: block 0 length %u leaves %zu bytes for a certificate block of %zu",
			sb.block0_len, cert_len, sb.cert.size);
	enum ecc_curve curve = cert_block_signer(&sb.cert)->curve;
	if (ecc_digest(curve) != sb.hash)
		return err_set(e, ERR_FORMAT, "SB3.1: block size %u for a signing key on %s",
			sb.block_size, ecc_curve_name(curve));
	*out = sb;
	return 0;
}

int sb31_parse(struct sb31 *out, const uint8_t *data, size_t len, struct err *e)
{
	struct sb31 sb;

	if (sb31_parse_block0(&sb, data, len, e) != 0)
		return -1;
	uint64_t want = (uint64_t)sb.block0_len + (uint64_t)sb.n_blocks * sb.block_size;
	if (len != want)
		return err_set(e, ERR_FORMAT,
			"SB3.1: %zu bytes, wanted %" PRIu64 " (block 0 of %u, %u blocks of %u)",
			len, want, sb.block0_len, sb.n_blocks, sb.block_size);
	sb.blocks = data + sb.block0_len;
	*out = sb;
	return 0;
}

const struct ecc_pub *sb31_signer(const struct sb31 *sb)
{
	return sb->devhsm ? &sb->cert.root : cert_block_signer(&sb->cert);
}

int sb31_verify_block0(const struct sb31 *sb, struct err *e)
{
	if (!sb->devhsm && cert_block_verify(&sb->cert, e) != 0)
		return err_wrap(e, "SB3.1");
	if (ecc_verify(sb31_signer(sb), sb->block0, sb->block0_len - sb->signature_len,
		    sb->signature, e) != 0)
		return err_wrap(e, "SB3.1: block 0");
	return 0;
}

int sb31_check_block(const struct sb31 *sb, uint32_t n, const uint8_t *block,
	const uint8_t *expected_hash, const uint8_t **next_hash, struct err *e)
{
	size_t h = digest_len(sb->hash);
	uint8_t seen[DIGEST_MAX];

	if (get_le32(block) != n)
		return err_set(e, ERR_REJECTED, "SB3.1: block %u of %u has number %u", n,
			sb->n_blocks, get_le32(block));
	digest_of(sb->hash, block, sb->block_size, seen);
	if (memcmp(seen, expected_hash, h) != 0)
		return err_set(e, ERR_REJECTED,
			"SB3.1: block %u of %u: %s differs from the one before it says", n,
			sb->n_blocks, digest_name(sb->hash));
	if (n == sb->n_blocks && !all_zero(block + 4, h))
		return err_set(e, ERR_REJECTED,
			"SB3.1: block %u of %u is the last, but names a next block's hash", n,
			sb->n_blocks);
	*next_hash = block + 4;
	return 0;
}

int sb31_verify(const struct sb31 *sb, struct err *e)
{
	const uint8_t *hash = sb->block1_hash, *block = sb->blocks;

	if (!block)
		return err_set(
			e, ERR_INTERNAL, "SB3.1: blocks of a container that is not complete");
	if (sb31_verify_block0(sb, e) != 0)
		return -1;
	for (uint32_t n = 1; n <= sb->n_blocks; n++, block += sb->block_size)
		if (sb31_check_block(sb, n, block, hash, &hash, e) != 0)
			return -1;
	return 0;
}

const uint8_t *sb31_payload(const struct sb31 *sb, uint32_t n)
{
	return sb->blocks + (size_t)(n - 1) * sb->block_size + 4 + digest_len(sb->hash);
}

json_t *sb31_json(const struct sb31 *sb)
{
	char hash[2 * DIGEST_MAX + 1], text[64];
	size_t n = 0;

	while (n < sizeof sb->description && sb->description[n])
		n++;
	text_escape(text, sizeof text, sb->description, n);
	json_t *j = json_pack("{s:s, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:s, s:s, s:s, s:s}",
		"format", "sb3.1", "device_hsm", sb->devhsm, "flags", (json_int_t)sb->flags,
		"blocks", (json_int_t)sb->n_blocks, "block_size", (json_int_t)sb->block_size,
		"firmware_version", (json_int_t)sb->firmware_version, "block0_length",
		(json_int_t)sb->block0_len, "image_type", (json_int_t)sb->image_type, "hash",
		digest_name(sb->hash), "description", text, "block1_hash",
		hex_encode(hash, sb->block1_hash, digest_len(sb->hash)), "signer_curve",
		ecc_curve_name(sb31_signer(sb)->curve));
	if (!j)
		return NULL;
	/* 64 bits do not fit in every JSON reader's numbers. */
	snprintf(text, sizeof text, "0x%" PRIx64, sb->timestamp);
	json_object_set_new(j, "timestamp", json_string(text));
	if (!sb->devhsm) {
		json_object_set_new(j, "cert_block", cert_block_json(&sb->cert));
		return j;
	}
	char xy[129], share[2 * SB31_OEM_SHARE + 1];
	json_object_set_new(j, "cust_fw_auth", json_string(hex_encode(xy, sb->cert.root.xy, 64)));
	json_object_set_new(j, "enc_oem_share",
		json_string(hex_encode(share, sb->enc_oem_share, SB31_OEM_SHARE)));
	return j;
}

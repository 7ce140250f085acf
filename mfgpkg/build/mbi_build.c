#include <inttypes.h>
#include <string.h>

#include "crypt/crc.h"
#include "mfgpkg/build/mbi_build.h"

static size_t padded(size_t len)
{
	return (len + 3) & ~(size_t)3;
}

static int check_app(const struct mbi_build *b, const uint8_t *app, size_t len, struct err *e)
{
	if (len < MBI_MIN_APP)
		return err_set(e, ERR_CONFIG,
			"the application has %zu bytes, its vector table alone needs %d", len,
			MBI_MIN_APP);
	if (len > MBI_MAX_SIZE)
		return err_set(e, ERR_LIMIT, "the application has %zu bytes, at most %zu", len,
			MBI_MAX_SIZE);
	if (memcmp(app, app + 4, 4) == 0 && memcmp(app, app + 8, 4) == 0)
		return err_set(e, ERR_CONFIG,
			"the application does not begin with a vector table: its first three words "
			"are all 0x%08" PRIX32,
			get_le32(app));
	if (b->load_address % 4)
		return err_set(e, ERR_CONFIG, "load address 0x%08" PRIX32 " is not a multiple of 4",
			b->load_address);
	if (b->tz_len && b->tz_len != MBI_TZ_SIZE_A0 && b->tz_len != MBI_TZ_SIZE_A1)
		return err_set(e, ERR_CONFIG, "TrustZone block of %zu bytes (756 or 980 possible)",
			b->tz_len);
	return 0;
}

static uint32_t type_word(const struct mbi_build *b)
{
	uint32_t w = (uint32_t)b->type;

	if (b->type == MBI_SIGNED_XIP)
		w |= (uint32_t)b->subtype << MBI_SUBTYPE_SHIFT;
	if (b->tz_len)
		w |= 1u << MBI_TZ_SHIFT;
	if (b->image_version)
		w |= MBI_HAS_VERSION | (uint32_t)b->image_version << 16;
	return w;
}

/* Copies the application, padded, and overwrites the four words of its vector table. */
static void put_app(const struct mbi_build *b, const uint8_t *app, size_t len, uint32_t total,
	uint32_t word_28, uint8_t *image)
{
	memcpy(image, app, len);
	put_le32(image + MBI_LENGTH_OFF, total);
	put_le32(image + MBI_TYPE_OFF, type_word(b));
	put_le32(image + MBI_CRC_OFF, word_28);
	put_le32(image + MBI_LOAD_OFF, b->load_address);
}

static int build_unsigned(
	const struct mbi_build *b, const uint8_t *app, size_t len, struct buf *out, struct err *e)
{
	size_t app_len = padded(len), total = app_len + b->tz_len;
	bool crc = b->type == MBI_CRC_XIP || b->type == MBI_CRC_RAM;
	uint8_t *image = buf_grow(out, total);

	if (!image)
		return buf_check(out, "image", e);
	put_app(b, app, len, crc || b->load_to_ram ? (uint32_t)total : 0, 0, image);
	if (b->tz_len)
		memcpy(image + app_len, b->tz, b->tz_len);
	if (crc)
		put_le32(image + MBI_CRC_OFF, mbi_crc(image, total));
	return 0;
}

/* The signer is the key the certificate block names, else no device would boot the image. */
static int check_signer(const struct mbi_build *b, struct cert_block *cert, struct err *e)
{
	if (cert_block_parse(cert, b->cert_block, b->cert_block_len, e) != 0)
		return err_wrap(e, "certificate block");
	if (cert->size != b->cert_block_len)
		return err_set(e, ERR_CONFIG, "certificate block: %zu bytes follow it",
			b->cert_block_len - cert->size);
	if (!ecc_pub_equal(ecc_key_pub(b->signer), cert_block_signer(cert)))
		return err_set(e, ERR_CONFIG,
			"the signer is not the %s key of the certificate block",
			cert->has_isk ? "ISK" : "used root");
	return 0;
}

static int build_signed(
	const struct mbi_build *b, const uint8_t *app, size_t len, struct buf *out, struct err *e)
{
	struct cert_block cert;

	if (check_signer(b, &cert, e) != 0)
		return -1;
	size_t app_len = padded(len), cert_len = b->cert_block_len;
	size_t manifest_len = MBI_MANIFEST_HEADER + b->tz_len + 4;
	size_t signature_len = 2 * ecc_len(cert_block_signer(&cert)->curve);
	size_t signed_len = app_len + cert_len + manifest_len, total = signed_len + signature_len;
	size_t start = out->len;
	uint8_t *image = buf_grow(out, total);
	if (!image)
		return buf_check(out, "image", e);

	put_app(b, app, len, (uint32_t)total, (uint32_t)app_len, image);
	memcpy(image + app_len, b->cert_block, cert_len);
	uint8_t *manifest = image + app_len + cert_len;
	memcpy(manifest, MBI_MANIFEST_MAGIC, 4);
	put_le32(manifest + 4, MBI_MANIFEST_VERSION);
	put_le32(manifest + 8, b->firmware_version);
	put_le32(manifest + 12, (uint32_t)manifest_len);
	put_le32(manifest + 16, 0); /* flags */
	if (b->tz_len)
		memcpy(manifest + MBI_MANIFEST_HEADER, b->tz, b->tz_len);
	/* The CRC covers everything before it, the signature everything with it. */
	put_le32(image + signed_len - 4, crc32_mpeg2(UINT32_MAX, image, signed_len - 4));
	if (ecc_key_sign(b->signer, image, signed_len, image + signed_len, e) != 0) {
		out->len = start;
		return err_wrap(e, "image signature");
	}
	return 0;
}

int mbi_build(
	const struct mbi_build *b, const uint8_t *app, size_t len, struct buf *out, struct err *e)
{
	if (check_app(b, app, len, e) != 0)
		return -1;
	if (b->type == MBI_SIGNED_XIP)
		return build_signed(b, app, len, out, e);
	return build_unsigned(b, app, len, out, e);
}

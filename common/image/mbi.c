#include <inttypes.h>
#include <string.h>

#include "base/bytes.h"
#include "base/text.h"
#include "crypt/crc.h"
#include "image/mbi.h"

static const struct {
	enum mbi_type type;
	const char *name;
} type_names[] = {
	{ MBI_PLAIN, "plain" },
	{ MBI_CRC_RAM, "crc (load to RAM)" },
	{ MBI_CRC_XIP, "crc (XIP)" },
	{ MBI_SIGNED_XIP, "signed (XIP)" },
};

const char *mbi_type_name(enum mbi_type type)
{
	for (size_t i = 0; i < sizeof type_names / sizeof *type_names; i++)
		if (type_names[i].type == type)
			return type_names[i].name;
	return NULL;
}

uint32_t mbi_crc(const uint8_t *data, size_t len)
{
	uint32_t crc = crc32_mpeg2(UINT32_MAX, data, MBI_CRC_OFF);
	return crc32_mpeg2(crc, data + MBI_CRC_OFF + 4, len - MBI_CRC_OFF - 4);
}

/* The type word: only what the format defines, so that a wrong word is found here and not by a
 * device that refuses to boot. */
static int parse_type_word(struct mbi *m, struct err *e)
{
	uint32_t w = m->type_word;
	unsigned tz = (w & MBI_TZ_MASK) >> MBI_TZ_SHIFT;

	m->type = (enum mbi_type)(w & MBI_TYPE_MASK);
	if (!mbi_type_name(m->type))
		return err_set(e, ERR_FORMAT,
			"image type word 0x%08" PRIX32
			" at 0x24: unknown image type %u (wanted 0, 2, 4 or 5)",
			w, (unsigned)(w & MBI_TYPE_MASK));
	if (w & MBI_TYPE_WORD_RESERVED)
		return err_set(e, ERR_FORMAT,
			"image type word 0x%08" PRIX32 " at 0x24: reserved bits 0x%04" PRIX32
			" are set",
			w, w & MBI_TYPE_WORD_RESERVED);
	if (tz > 1)
		return err_set(e, ERR_FORMAT,
			"image type word 0x%08" PRIX32
			" at 0x24: TrustZone setting %u (wanted 0 default or 1 preset block)",
			w, tz);
	unsigned subtype = (w & MBI_SUBTYPE_MASK) >> MBI_SUBTYPE_SHIFT;
	if (subtype > (m->type == MBI_SIGNED_XIP ? 1u : 0u))
		return err_set(e, ERR_FORMAT,
			"image type word 0x%08" PRIX32 " at 0x24: image subtype %u not possible", w,
			subtype);
	m->subtype = (enum mbi_subtype)subtype;
	m->has_version = w & MBI_HAS_VERSION;
	m->image_version = (uint16_t)(w >> 16);
	if (!m->has_version && m->image_version)
		return err_set(e, ERR_FORMAT,
			"image type word 0x%08" PRIX32
			" at 0x24: an image version without bit 10 that makes it valid",
			w);
	return 0;
}

/* Word 0x20: how long the image is. */
static int parse_length(struct mbi *m, size_t available, bool exact, struct err *e)
{
	if (m->type == MBI_PLAIN && m->length_word == 0) { /* plain XIP does not say */
		m->len = available;
		return 0;
	}
	if (m->length_word > available || (exact && m->length_word != available))
		return err_set(e, ERR_FORMAT,
			"total length at 0x20 is %" PRIu32 ", the file has %zu bytes",
			m->length_word, available);
	if (m->length_word < MBI_MIN_APP)
		return err_set(e, ERR_FORMAT,
			"total length at 0x20 is %" PRIu32 ", an image has at least %d bytes",
			m->length_word, MBI_MIN_APP);
	m->len = m->length_word;
	return 0;
}

/* Plain and crc images: a TrustZone block, if flagged, is the end of the file. Which revision's
 * block it is shows only by where the magic stands; the newer one wins. */
static int parse_trailing_tz(struct mbi *m, struct err *e)
{
	static const size_t sizes[] = { MBI_TZ_SIZE_A1, MBI_TZ_SIZE_A0 };

	m->app_len = m->len;
	if (!(m->type_word & MBI_TZ_MASK))
		return 0;
	for (size_t i = 0; i < 2; i++) {
		if (m->len < MBI_MIN_APP + sizes[i])
			continue;
		const uint8_t *tz = m->data + m->len - sizes[i];
		if (memcmp(tz, "TZ-M", 4) != 0)
			continue;
		m->tz = tz;
		m->tz_len = sizes[i];
		m->app_len = m->len - sizes[i];
		return 0;
	}
	return err_set(e, ERR_FORMAT,
		"the type word announces a TrustZone block, but no \"TZ-M\" stands 980 or 756 "
		"bytes before the end");
}

static int parse_manifest(struct mbi *m, struct rd *r, struct err *e)
{
	size_t off = (size_t)(r->p - m->data);

	m->manifest = r->p;
	const uint8_t *magic = rd_bytes(r, 4);
	uint32_t version = rd_le32(r);
	m->firmware_version = rd_le32(r);
	uint32_t len = rd_le32(r);
	uint32_t flags = rd_le32(r);
	if (r->bad)
		return err_set(e, ERR_FORMAT, "manifest at 0x%zX: truncated", off);
	if (memcmp(magic, MBI_MANIFEST_MAGIC, 4) != 0)
		return err_set(e, ERR_FORMAT, "manifest at 0x%zX: magic \"%s\", wanted \"imgm\"",
			off, text_escape((char[24]){ 0 }, 24, magic, 4));
	if (version != MBI_MANIFEST_VERSION)
		return err_set(e, ERR_FORMAT,
			"manifest at 0x%zX: version 0x%08" PRIX32 ", wanted 0x00010000", off,
			version);
	if (flags != 0)
		return err_set(e, ERR_FORMAT, "manifest at 0x%zX: flags 0x%08" PRIX32 ", wanted 0",
			off, flags);
	size_t tz_len = len - MBI_MANIFEST_HEADER - 4;
	if (len < MBI_MANIFEST_HEADER + 4 ||
		(tz_len != 0 && tz_len != MBI_TZ_SIZE_A0 && tz_len != MBI_TZ_SIZE_A1))
		return err_set(e, ERR_FORMAT,
			"manifest at 0x%zX: length %" PRIu32
			", wanted 24, or 780 or 1004 with a TrustZone block",
			off, len);
	if ((tz_len != 0) != ((m->type_word & MBI_TZ_MASK) != 0))
		return err_set(e, ERR_FORMAT,
			"manifest at 0x%zX: %s a TrustZone block, but the type word 0x%08" PRIX32
			" says %s",
			off, tz_len ? "has" : "has not", m->type_word, tz_len ? "no" : "yes");
	m->tz_len = tz_len;
	m->tz = tz_len ? rd_bytes(r, tz_len) : NULL;
	m->manifest_crc = rd_le32(r);
	m->manifest_len = len;
	if (r->bad)
		return err_set(e, ERR_FORMAT, "manifest at 0x%zX: truncated", off);
	return 0;
}

static int parse_signed(struct mbi *m, struct err *e)
{
	uint32_t off = m->word_28;

	if (off < MBI_MIN_APP || off % 4 != 0 || off >= m->len)
		return err_set(e, ERR_FORMAT,
			"certificate block offset at 0x28 is 0x%" PRIX32
			", wanted a multiple of 4 from 0x38 to the total length 0x%zX",
			off, m->len);
	m->app_len = off;
	if (cert_block_parse(&m->cert, m->data + off, m->len - off, e) != 0)
		return err_wrap(e, "certificate block at 0x%" PRIX32, off);

	struct rd r = rd_of(m->data + off + m->cert.size, m->len - off - m->cert.size);
	if (parse_manifest(m, &r, e) != 0)
		return -1;
	m->signed_len = (size_t)(r.p - m->data);
	m->signature_len = 2 * ecc_len(cert_block_signer(&m->cert)->curve);
	m->signature = rd_bytes(&r, m->signature_len);
	if (!rd_done(&r))
		return err_set(e, ERR_FORMAT,
			"signature at 0x%zX: %zu bytes to the end of the image, wanted %zu",
			m->signed_len, m->len - m->signed_len, m->signature_len);
	return 0;
}

static int parse(struct mbi *out, const uint8_t *data, size_t len, bool exact, struct err *e)
{
	struct mbi m = { .data = data };

	if (len > MBI_MAX_SIZE)
		return err_set(
			e, ERR_LIMIT, "%zu bytes, an image has at most %zu", len, MBI_MAX_SIZE);
	if (len < MBI_MIN_APP)
		return err_set(
			e, ERR_FORMAT, "%zu bytes, an image has at least %d", len, MBI_MIN_APP);
	m.length_word = get_le32(data + MBI_LENGTH_OFF);
	m.type_word = get_le32(data + MBI_TYPE_OFF);
	m.word_28 = get_le32(data + MBI_CRC_OFF);
	m.load_address = get_le32(data + MBI_LOAD_OFF);
	if (parse_type_word(&m, e) != 0 || parse_length(&m, len, exact, e) != 0)
		return -1;
	if (m.type == MBI_SIGNED_XIP ? parse_signed(&m, e) : parse_trailing_tz(&m, e))
		return -1;
	if (m.type == MBI_CRC_RAM || m.type == MBI_CRC_XIP)
		m.crc = m.word_28;
	*out = m;
	return 0;
}

int mbi_parse(struct mbi *out, const uint8_t *data, size_t len, struct err *e)
{
	return parse(out, data, len, true, e);
}

int mbi_parse_at(struct mbi *out, const uint8_t *data, size_t len, struct err *e)
{
	return parse(out, data, len, false, e);
}

static int verify_signed(const struct mbi *m, const uint8_t *rkth, size_t rkth_len, struct err *e)
{
	size_t crc_off = m->signed_len - 4;
	uint32_t crc = crc32_mpeg2(UINT32_MAX, m->data, crc_off);

	if (rkth && cert_block_check_rkth(&m->cert, rkth, rkth_len, e) != 0)
		return -1;
	if (cert_block_verify(&m->cert, e) != 0)
		return -1;
	if (crc != m->manifest_crc)
		return err_set(e, ERR_REJECTED,
			"manifest CRC at 0x%zX is 0x%08" PRIX32 ", computed 0x%08" PRIX32, crc_off,
			m->manifest_crc, crc);
	if (ecc_verify(cert_block_signer(&m->cert), m->data, m->signed_len, m->signature, e) != 0)
		return err_wrap(
			e, "image signature by the %s key", m->cert.has_isk ? "ISK" : "root");
	return 0;
}

int mbi_verify(const struct mbi *m, const uint8_t *rkth, size_t rkth_len, struct err *e)
{
	switch (m->type) {
	case MBI_PLAIN:
		return 0;
	case MBI_CRC_RAM:
	case MBI_CRC_XIP: {
		uint32_t crc = mbi_crc(m->data, m->len);
		if (crc != m->crc)
			return err_set(e, ERR_REJECTED,
				"CRC at 0x28 is 0x%08" PRIX32 ", computed 0x%08" PRIX32, m->crc,
				crc);
		return 0;
	}
	case MBI_SIGNED_XIP:
		return verify_signed(m, rkth, rkth_len, e);
	}
	return err_set(e, ERR_INTERNAL, "image type %d", (int)m->type);
}

static void set_hex(json_t *o, const char *key, uint32_t v)
{
	json_object_set_new(o, key, json_sprintf("0x%08" PRIX32, v));
}

json_t *mbi_json(const struct mbi *m)
{
	json_t *o = json_object();

	json_object_set_new(o, "type", json_string(mbi_type_name(m->type)));
	json_object_set_new(o, "size", json_integer((json_int_t)m->len));
	json_object_set_new(o, "application_size", json_integer((json_int_t)m->app_len));
	set_hex(o, "image_type_word", m->type_word);
	set_hex(o, "load_address", m->load_address);
	json_object_set_new(
		o, "image_version", m->has_version ? json_integer(m->image_version) : json_null());
	json_object_set_new(o, "trustzone_size", json_integer((json_int_t)m->tz_len));
	if (m->type == MBI_CRC_RAM || m->type == MBI_CRC_XIP)
		set_hex(o, "crc", m->crc);
	if (m->type != MBI_SIGNED_XIP)
		return o;

	json_object_set_new(
		o, "subtype", json_string(m->subtype == MBI_RECOVERY ? "recovery" : "main"));
	json_object_set_new(o, "firmware_version", json_integer((json_int_t)m->firmware_version));
	json_object_set_new(o, "cert_block_offset", json_integer((json_int_t)m->app_len));
	json_object_set_new(o, "cert_block", cert_block_json(&m->cert));
	json_object_set_new(
		o, "manifest_offset", json_integer((json_int_t)(m->manifest - m->data)));
	json_object_set_new(o, "manifest_size", json_integer((json_int_t)m->manifest_len));
	set_hex(o, "manifest_crc", m->manifest_crc);
	json_object_set_new(
		o, "signature_offset", json_integer((json_int_t)(m->signature - m->data)));
	json_object_set_new(o, "signature_size", json_integer((json_int_t)m->signature_len));
	return o;
}

#include <string.h>

#include "base/bytes.h"
#include "base/text.h"
#include "image/cert_block.h"

#define MINOR		1
#define MAJOR		2
#define FLAGS_KNOWN	0x80000FFFu
#define ISK_FLAGS_KNOWN 0x8000000Fu

static int truncated(struct err *e, const char *what, size_t need, size_t have)
{
	return err_set(e, ERR_FORMAT, "cert block: truncated in %s: needs %zu bytes, %zu there",
		what, need, have);
}

static int parse_curve(enum ecc_curve *out, uint32_t word, const char *what, struct err *e)
{
	uint32_t curve = word & 0xF;

	if (curve != ECC_P256 && curve != ECC_P384)
		return err_set(e, ERR_FORMAT,
			"cert block: %s curve is %u, wanted 1 (P-256) or 2 (P-384)", what, curve);
	*out = curve == ECC_P256 ? ECC_P256 : ECC_P384;
	return 0;
}

static int parse_header(struct cert_block *b, struct rd *r, size_t len, struct err *e)
{
	if (len < CERT_BLOCK_HEADER + 4)
		return truncated(e, "the header", CERT_BLOCK_HEADER + 4, len);
	const uint8_t *magic = rd_bytes(r, 4);
	if (memcmp(magic, "chdr", 4) != 0)
		return err_set(e, ERR_FORMAT,
			"cert block: magic is %02x%02x%02x%02x, wanted "
			"\"chdr\"",
			magic[0], magic[1], magic[2], magic[3]);
	unsigned minor = rd_le16(r), major = rd_le16(r);
	if (major != MAJOR || minor != MINOR)
		return err_set(
			e, ERR_FORMAT, "cert block: version %u.%u, wanted 2.1", major, minor);
	uint32_t size = rd_le32(r);
	if (size > CERT_BLOCK_MAX_SIZE)
		return err_set(e, ERR_FORMAT, "cert block: size field is %u, at most %u wanted",
			size, CERT_BLOCK_MAX_SIZE);
	if (size > len)
		return truncated(e, "the block", size, len);
	b->size = size;
	return 0;
}

/* Flags, table of root key hashes, used root key: everything the RKTH depends on. */
static int parse_root(struct cert_block *b, struct rd *r, struct err *e)
{
	uint32_t flags = rd_le32(r);

	if (flags & ~FLAGS_KNOWN)
		return err_set(e, ERR_FORMAT,
			"cert block: key record word 0x%08x has reserved bits set", flags);
	b->flags = flags;
	if (parse_curve(&b->root_curve, flags, "root key", e) != 0)
		return -1;
	b->n_roots = flags >> 4 & 0xF;
	b->used_root = flags >> 8 & 0xF;
	b->has_isk = !(flags & CERT_BLOCK_FLAG_CA);
	if (b->n_roots < 1 || b->n_roots > CERT_BLOCK_MAX_ROOTS)
		return err_set(
			e, ERR_FORMAT, "cert block: %u root keys, wanted 1 to 4", b->n_roots);
	if (b->used_root >= b->n_roots)
		return err_set(e, ERR_FORMAT, "cert block: used root key %u of %u (counted from 0)",
			b->used_root, b->n_roots);

	size_t n = ecc_len(b->root_curve), table = b->n_roots > 1 ? b->n_roots * n : 0;
	enum digest_alg alg = ecc_digest(b->root_curve);
	if (r->left < table + 2 * n)
		return truncated(
			e, "the root key record", CERT_BLOCK_HEADER + 4 + table + 2 * n, b->size);
	b->ctrk_table = table ? rd_bytes(r, table) : NULL;
	const uint8_t *xy = rd_bytes(r, 2 * n);
	if (ecc_pub_from_xy(&b->root, b->root_curve, xy, e) != 0)
		return err_wrap(e, "cert block: root key");

	uint8_t rkh[DIGEST_MAX];
	digest_of(alg, xy, 2 * n, rkh);
	b->rkth_len = n;
	if (!table) {
		memcpy(b->rkth, rkh, n);
		return 0;
	}
	if (memcmp(b->ctrk_table + b->used_root * n, rkh, n) != 0)
		return err_set(e, ERR_FORMAT,
			"cert block: the root key is not the one of table entry %u (its hash "
			"differs)",
			b->used_root);
	digest_of(alg, b->ctrk_table, table, b->rkth);
	return 0;
}

static int parse_isk(struct cert_block *b, struct rd *r, const uint8_t *start, struct err *e)
{
	const uint8_t *isk = r->p;
	size_t base = (size_t)(isk - start), sig_len = 2 * ecc_len(b->root_curve);
	enum ecc_curve curve = ECC_P256;

	if (r->left < 12)
		return truncated(e, "the ISK certificate", base + 12, b->size);
	uint32_t sig_off = rd_le32(r);
	b->isk_constraint = rd_le32(r);
	uint32_t flags = rd_le32(r);
	if (flags & ~ISK_FLAGS_KNOWN)
		return err_set(e, ERR_FORMAT, "cert block: ISK flags 0x%08x have reserved bits set",
			flags);
	if (parse_curve(&curve, flags, "ISK", e) != 0)
		return -1;
	if (b->root_curve == ECC_P256 && curve == ECC_P384)
		return err_set(e, ERR_FORMAT,
			"cert block: P-384 ISK under a P-256 root key is not supported");

	size_t n = ecc_len(curve), fixed = 12 + 2 * n;
	if (r->left < 2 * n)
		return truncated(e, "the ISK", base + fixed, b->size);
	if (ecc_pub_from_xy(&b->isk, curve, rd_bytes(r, 2 * n), e) != 0)
		return err_wrap(e, "cert block: ISK");
	if (sig_off < fixed || sig_off > fixed + CERT_BLOCK_MAX_USER)
		return err_set(e, ERR_FORMAT,
			"cert block: ISK signature offset is %u, wanted %zu to %zu", sig_off, fixed,
			fixed + CERT_BLOCK_MAX_USER);
	b->user_data_len = sig_off - fixed;
	if (b->user_data_len % 4)
		return err_set(e, ERR_FORMAT,
			"cert block: %zu bytes of user data, wanted a multiple of 4",
			b->user_data_len);
	if ((b->user_data_len > 0) != ((flags & ISK_FLAG_USER_DATA) != 0))
		return err_set(e, ERR_FORMAT,
			"cert block: ISK flags 0x%08x contradict %zu bytes of user data", flags,
			b->user_data_len);
	if (r->left < b->user_data_len + sig_len)
		return truncated(e, "the ISK signature", base + sig_off + sig_len, b->size);
	b->user_data = b->user_data_len ? rd_bytes(r, b->user_data_len) : NULL;
	b->signed_data = start + CERT_BLOCK_HEADER;
	b->signed_len = base + sig_off - CERT_BLOCK_HEADER;
	b->isk_signature = rd_bytes(r, sig_len);
	return 0;
}

int cert_block_parse(struct cert_block *out, const uint8_t *data, size_t len, struct err *e)
{
	struct cert_block b = { 0 };
	struct rd r = rd_of(data, len);

	if (parse_header(&b, &r, len, e) != 0)
		return -1;
	/* From here on only the bytes the size field claims. */
	if (b.size < CERT_BLOCK_HEADER + 4)
		return err_set(e, ERR_FORMAT,
			"cert block: size field is %zu, less than header and flags", b.size);
	r = rd_of(data + CERT_BLOCK_HEADER, b.size - CERT_BLOCK_HEADER);
	if (parse_root(&b, &r, e) != 0 || (b.has_isk && parse_isk(&b, &r, data, e) != 0))
		return -1;
	if (!rd_done(&r))
		return err_set(e, ERR_FORMAT,
			"cert block: size field is %zu, but the content ends after %zu bytes",
			b.size, b.size - r.left);
	*out = b;
	return 0;
}

int cert_block_verify(const struct cert_block *b, struct err *e)
{
	if (b->has_isk &&
		ecc_verify(&b->root, b->signed_data, b->signed_len, b->isk_signature, e) != 0)
		return err_wrap(e, "cert block: ISK certificate, root key %u", b->used_root);
	return 0;
}

const struct ecc_pub *cert_block_signer(const struct cert_block *b)
{
	return b->has_isk ? &b->isk : &b->root;
}

int cert_block_check_rkth(
	const struct cert_block *b, const uint8_t *rkth, size_t len, struct err *e)
{
	char seen[97], wanted[97] = "";

	if (len == b->rkth_len && memcmp(rkth, b->rkth, len) == 0)
		return 0;
	return err_set(e, ERR_REJECTED, "cert block: RKTH is %s, wanted %s",
		hex_encode(seen, b->rkth, b->rkth_len),
		len <= 48 ? hex_encode(wanted, rkth, len) : wanted);
}

int rkth_of_keys(const struct ecc_pub *keys, size_t n, uint8_t rkth[48], size_t *len, struct err *e)
{
	uint8_t table[CERT_BLOCK_MAX_ROOTS * DIGEST_MAX];

	if (n < 1 || n > CERT_BLOCK_MAX_ROOTS)
		return err_set(e, ERR_CONFIG, "%zu root keys, wanted 1 to 4", n);
	enum digest_alg alg = ecc_digest(keys[0].curve);
	size_t h = ecc_len(keys[0].curve);
	for (size_t i = 0; i < n; i++) {
		if (keys[i].curve != keys[0].curve)
			return err_set(e, ERR_CONFIG,
				"root key %zu is on %s, root key 0 on %s: all must be on one curve",
				i, ecc_curve_name(keys[i].curve), ecc_curve_name(keys[0].curve));
		digest_of(alg, keys[i].xy, 2 * h, table + i * h);
	}
	/* A single key's hash is not hashed again. */
	if (n == 1)
		memcpy(rkth, table, h);
	else
		digest_of(alg, table, n * h, rkth);
	*len = h;
	return 0;
}

static json_t *hex_json(const uint8_t *data, size_t len)
{
	char text[2 * 96 + 1];
	return json_string(hex_encode(text, data, len));
}

json_t *cert_block_json(const struct cert_block *b)
{
	json_t *j = json_pack("{s:s, s:i, s:s, s:i, s:i, s:o}", "version", "2.1", "size",
		(int)b->size, "root_curve", ecc_curve_name(b->root_curve), "roots", (int)b->n_roots,
		"used_root", (int)b->used_root, "rkth", hex_json(b->rkth, b->rkth_len));

	if (!j)
		return NULL;
	json_object_set_new(j, "root_key", hex_json(b->root.xy, 2 * ecc_len(b->root_curve)));
	if (!b->has_isk) {
		json_t *isk = json_pack("{s:s, s:o, s:I}", "curve", ecc_curve_name(b->isk.curve),
			"key", hex_json(b->isk.xy, 2 * ecc_len(b->isk.curve)), "constraint",
			(json_int_t)b->isk_constraint);
		json_object_set_new(isk, "user_data",
			b->user_data ? hex_json(b->user_data, b->user_data_len) : json_string(""));
		json_object_set_new(j, "isk", isk);
		return j;
	}
	json_t *isk = json_pack("{s:s, s:o, s:I}", "curve", ecc_curve_name(b->isk.curve), "key",
		hex_json(b->isk.xy, 2 * ecc_len(b->isk.curve)), "constraint",
		(json_int_t)b->isk_constraint);
	json_object_set_new(isk, "user_data",
		b->user_data ? hex_json(b->user_data, b->user_data_len) : json_string(""));
	json_object_set_new(j, "isk", isk);
	return j;
}

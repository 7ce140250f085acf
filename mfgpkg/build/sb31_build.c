#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "keyed/sb31_cipher.h"
#include "mfgpkg/build/sb31_build.h"

/* Blocks that are encrypted and hashed in one go, last batch first: small enough for the cache. */
#define BATCH 64

/* 2000-01-01 00:00:00 UTC, the zero of SB3.1 timestamps. */
#define EPOCH_2000 946684800

/* --- commands -----------------------------------------------------------------------------------
 */

void sb31_items_clear(struct sb31_items *items)
{
	for (size_t i = 0; i < items->n; i++)
		buf_wipe(&items->v[i].data);
	free(items->v);
	*items = (struct sb31_items){ 0 };
}

struct sb31_item *sb31_items_add(struct sb31_items *items, enum sb31_tag tag)
{
	if (items->n == items->cap) {
		size_t cap = items->cap ? 2 * items->cap : 16;
		struct sb31_item *v = reallocarray(items->v, cap, sizeof *v);
		if (!v)
			return NULL;
		items->v = v;
		items->cap = cap;
	}
	struct sb31_item *item = &items->v[items->n++];
	*item = (struct sb31_item){ .tag = tag, .data.max = SB31_MAX_DATA };
	return item;
}

/* The first 16 bytes of a command, and its sizes from the one table that knows them. */
static int item_head(const struct sb31_item *item, uint8_t head[16], size_t *total,
	size_t *data_off, struct err *e)
{
	size_t data_len;
	uint32_t w2 = item->w2;

	if (item->data.len) {
		bool words = item->tag == SB31_PROGRAM_FUSES;
		if (item->data.len > SB31_MAX_DATA || (words && item->data.len % 4))
			return err_set(e, ERR_LIMIT, "%s with %zu bytes of data",
				sb31_cmd_name(item->tag), item->data.len);
		w2 = (uint32_t)(words ? item->data.len / 4 : item->data.len);
	}
	put_le32(head, SB31_CMD_MAGIC);
	put_le32(head + 4, item->w1);
	put_le32(head + 8, w2);
	put_le32(head + 12, item->tag);
	if (sb31_cmd_size(head, total, data_off, &data_len, e) != 0)
		return -1;
	if (data_len != item->data.len)
		return err_set(e, ERR_INTERNAL, "%s: %zu bytes of data for a command that has %zu",
			sb31_cmd_name(item->tag), item->data.len, data_len);
	return 0;
}

/* Bytes of all commands, without the section header. */
static int commands_len(const struct sb31_items *items, uint64_t *len, struct err *e)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < items->n; i++) {
		uint8_t head[16];
		size_t total, off;
		if (item_head(&items->v[i], head, &total, &off, e) != 0)
			return err_wrap(e, "command %zu", i + 1);
		sum += total;
		if (sum > (uint64_t)SB31_MAX_BLOCKS * SB31_PAYLOAD - SB31_SECTION_HEADER)
			return err_set(e, ERR_LIMIT,
				"the commands need more than %u blocks (at command %zu)",
				SB31_MAX_BLOCKS, i + 1);
	}
	*len = sum;
	return 0;
}

int sb31_items_blocks(const struct sb31_items *items, uint32_t *n_blocks, struct err *e)
{
	uint64_t len;

	if (commands_len(items, &len, e) != 0)
		return -1;
	*n_blocks = (uint32_t)((len + SB31_SECTION_HEADER + SB31_PAYLOAD - 1) / SB31_PAYLOAD);
	return 0;
}

/* A stream cut into pieces of 256 bytes that lie `stride` apart. */
struct pieces {
	uint8_t *out;
	size_t stride, pos;
};

static void put(struct pieces *p, const void *data, size_t len)
{
	const uint8_t *from = data;

	while (len) {
		size_t in = p->pos % SB31_PAYLOAD, n = SB31_PAYLOAD - in;
		uint8_t *to = p->out + p->pos / SB31_PAYLOAD * p->stride + in;
		n = n < len ? n : len;
		if (from) {
			memcpy(to, from, n);
			from += n;
		} else {
			memset(to, 0, n);
		}
		p->pos += n;
		len -= n;
	}
}

static void put_zero(struct pieces *p, size_t len)
{
	put(p, NULL, len);
}

void sb31_items_write(const struct sb31_items *items, uint8_t *out, size_t stride)
{
	struct pieces p = { .out = out, .stride = stride };
	uint8_t head[32] = { 0 };
	struct err e;
	uint64_t len;

	/* sb31_items_blocks() has found the list good, or there would be no room to write to. */
	if (commands_len(items, &len, &e) != 0)
		abort();
	put_le32(head, 1);
	put_le32(head + 4, 1);
	put_le32(head + 8, (uint32_t)len);
	put(&p, head, SB31_SECTION_HEADER);
	for (size_t i = 0; i < items->n; i++) {
		const struct sb31_item *item = &items->v[i];
		size_t total = 0, off = 0;
		if (item_head(item, head, &total, &off, &e) != 0)
			abort();
		for (size_t k = 0; k < 4; k++)
			put_le32(head + 16 + 4 * k, item->ext[k]);
		put(&p, head, off);
		put(&p, item->data.p, item->data.len);
		put_zero(&p, total - off - item->data.len);
	}
	put_zero(&p, (SB31_PAYLOAD - p.pos % SB31_PAYLOAD) % SB31_PAYLOAD);
}

/* --- parts --------------------------------------------------------------------------------------
 */

void sb31_header_write(const struct sb31_header *h, uint8_t out[SB31_HEADER])
{
	memcpy(out, "sbv3", 4);
	put_le16(out + 4, 1);
	put_le16(out + 6, 3);
	put_le32(out + 8, h->flags);
	put_le32(out + 12, h->n_blocks);
	put_le32(out + 16, h->block_size);
	put_le64(out + 20, h->timestamp);
	put_le32(out + 28, h->firmware_version);
	put_le32(out + 32, h->block0_len);
	put_le32(out + 36, h->image_type);
	put_le32(out + 40, h->cert_off);
	memcpy(out + 44, h->description, sizeof h->description);
}

/* Blocks first .. first + count - 1 at p; *hash goes from "of the block behind" to "of block
 * first". */
static void chain(
	struct digest *d, size_t h, uint8_t *p, uint32_t first, size_t count, uint8_t *hash)
{
	size_t block_size = 4 + h + SB31_PAYLOAD;

	for (size_t i = count; i-- > 0;) {
		uint8_t *block = p + i * block_size;
		put_le32(block, first + (uint32_t)i);
		memcpy(block + 4, hash, h);
		digest_update(d, block, block_size);
		digest_final(d, hash);
	}
}

void sb31_chain(enum digest_alg alg, uint8_t *blocks, uint32_t n_blocks, uint8_t *block1_hash)
{
	AUTO(digest_freep) struct digest *d = digest_new(alg);

	memset(block1_hash, 0, digest_len(alg));
	chain(d, digest_len(alg), blocks, 1, n_blocks, block1_hash);
}

static struct sb31_header devhsm_header(uint64_t timestamp)
{
	return (struct sb31_header){
		.flags = SB31_DEVHSM_FLAGS,
		.block_size = 4 + 32 + SB31_PAYLOAD,
		.timestamp = timestamp,
		.block0_len = SB31_HEADER,
		.image_type = SB31_IMAGE_OEM,
		.cert_off = SB31_HEADER + 32,
		.description = "SB 3.1",
	};
}

void sb31_devhsm_template(uint64_t timestamp, uint8_t out[SB31_HEADER])
{
	struct sb31_header h = devhsm_header(timestamp);
	sb31_header_write(&h, out);
}

void sb31_devhsm_block0(uint64_t timestamp, uint32_t n_blocks, const uint8_t block1_hash[32],
	const uint8_t cust_fw_auth[64], const uint8_t enc_oem_share[SB31_OEM_SHARE],
	uint8_t out[SB31_DEVHSM_SIGNED])
{
	struct sb31_header h = devhsm_header(timestamp);
	uint8_t *cert = out + SB31_HEADER + 32;

	h.n_blocks = n_blocks;
	h.block0_len = SB31_DEVHSM_BLOCK0;
	sb31_header_write(&h, out);
	memcpy(out + SB31_HEADER, block1_hash, 32);
	memcpy(cert, "chdr", 4);
	put_le16(cert + 4, 1);
	put_le16(cert + 6, 2);
	put_le32(cert + 8, SB31_DEVHSM_CERT);
	put_le32(cert + 12, SB31_DEVHSM_KEY_WORD);
	memcpy(cert + 16, cust_fw_auth, 64);
	memcpy(cert + 80, enc_oem_share, SB31_OEM_SHARE);
}

int sb31_timestamp(uint64_t *out, struct err *e)
{
	const char *fixed = getenv("SOURCE_DATE_EPOCH");
	int64_t t;

	if (fixed) {
		uint64_t v;
		if (decimal_parse(fixed, strlen(fixed), INT32_MAX * (uint64_t)64, &v) != 0)
			return err_set(e, ERR_USAGE,
				"SOURCE_DATE_EPOCH is \"%s\", wanted seconds since 1970",
				ESC(fixed));
		t = (int64_t)v;
	} else {
		time_t now = time(NULL);
		struct tm tm;
		if (!localtime_r(&now, &tm))
			return err_errno(e, "local time");
		t = (int64_t)now + tm.tm_gmtoff;
	}
	if (t <= EPOCH_2000)
		return err_set(e, ERR_USAGE,
			"the time is before 2000-01-01, where SB3.1 timestamps begin");
	*out = (uint64_t)(t - EPOCH_2000);
	return 0;
}

/* --- whole containers
 * ----------------------------------------------------------------------------- */

/* Payloads hold the plain stream; encrypt them in place, number and chain, last batch first. */
static int seal_blocks(const struct sb31_build *b, enum digest_alg alg, unsigned key_bits,
	uint8_t *blocks, uint32_t n_blocks, uint8_t *hash, struct err *e)
{
	size_t h = digest_len(alg), block_size = 4 + h + SB31_PAYLOAD;
	AUTO(sb31_cipher_freep) struct sb31_cipher *cipher = NULL;
	AUTO(digest_freep) struct digest *d = digest_new(alg);

	if (b->cust_mk_sk && sb31_cipher_new(&cipher, b->cust_mk_sk->p, b->cust_mk_sk->len,
				     b->timestamp, b->kdk_access_rights, key_bits, e) != 0)
		return -1;
	memset(hash, 0, h);
	for (uint32_t done = 0; done < n_blocks;) {
		uint32_t count = (n_blocks - done) % BATCH ? (n_blocks - done) % BATCH : BATCH;
		uint32_t first = n_blocks - done - count + 1;
		uint8_t *p = blocks + (size_t)(first - 1) * block_size;
		if (cipher &&
			sb31_cipher_encrypt(cipher, first, p + 4 + h, block_size, count, e) != 0)
			return -1;
		chain(d, h, p, first, count, hash);
		done += count;
	}
	return 0;
}

int sb31_build(const struct sb31_build *b, struct sb31_items *items, struct buf *out, struct err *e)
{
	struct cert_block cert;
	uint32_t n_blocks;

	if (cert_block_parse(&cert, b->cert_block, b->cert_block_len, e) != 0)
		return -1;
	const struct ecc_pub *signer = cert_block_signer(&cert);
	if (!ecc_pub_equal(signer, ecc_key_pub(b->signer)))
		return err_set(e, ERR_CONFIG,
			"the signing key (%s) is not the %s of the certificate block (%s)",
			ecc_curve_name(ecc_key_pub(b->signer)->curve),
			cert.has_isk ? "ISK" : "root key", ecc_curve_name(signer->curve));
	if (b->timestamp == 0)
		return err_set(e, ERR_CONFIG,
			"timestamp 0 is refused: other tools make "
			"undecryptable files of it");
	if (sb31_items_blocks(items, &n_blocks, e) != 0)
		return -1;

	enum digest_alg alg = ecc_digest(signer->curve);
	size_t h = digest_len(alg), block_size = 4 + h + SB31_PAYLOAD;
	size_t sig_len = 2 * ecc_len(signer->curve), start = out->len;
	struct sb31_header header = {
		.flags = b->flags,
		.n_blocks = n_blocks,
		.block_size = (uint32_t)block_size,
		.firmware_version = b->firmware_version,
		.block0_len = (uint32_t)(SB31_HEADER + h + cert.size + sig_len),
		.image_type = b->nxp_container ? SB31_IMAGE_NXP : SB31_IMAGE_OEM,
		.cert_off = (uint32_t)(SB31_HEADER + h),
		.timestamp = b->timestamp,
	};
	memcpy(header.description, b->description, sizeof header.description);

	uint8_t *block0 = buf_grow(out, header.block0_len + n_blocks * block_size);
	if (!block0)
		return buf_check(out, "SB3.1 container", e);
	uint8_t *blocks = block0 + header.block0_len;
	sb31_items_write(items, blocks + 4 + h, block_size);
	sb31_items_clear(items);

	sb31_header_write(&header, block0);
	memcpy(block0 + header.cert_off, b->cert_block, cert.size);
	if (seal_blocks(b, alg, signer->curve == ECC_P256 ? 128 : 256, blocks, n_blocks,
		    block0 + SB31_HEADER, e) != 0 ||
		ecc_key_sign(b->signer, block0, header.block0_len - sig_len,
			block0 + header.block0_len - sig_len, e) != 0) {
		explicit_bzero(block0, out->len - start); /* may hold plain text */
		out->len = start;
		return err_wrap(e, "SB3.1 container");
	}
	return 0;
}

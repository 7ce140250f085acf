#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "mfgpkg/build/cert_block_build.h"
#include "tests/unit/sim_sb_kit.h"

const uint8_t kit_cust_mk_sk[32] = { 0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x19,
	0x1a, 0x1b, 0x1c, 0x1d, 0x1e, 0x1f, 0x20, 0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27, 0x28,
	0x29, 0x2a, 0x2b, 0x2c, 0x2d, 0x2e, 0x2f };

static void root_pub(unsigned i, struct ecc_pub *out)
{
	char path[128];
	struct err e = { 0 };

	snprintf(path, sizeof path, KIT_KEYS "rot_p256_%u.pub.pem", i);
	if (ecc_pub_load_any(out, path, NULL, &e) != 0)
		fail_msg("%s", e.msg);
}

void kit_rkth(unsigned n_roots, uint8_t rkth[32])
{
	struct ecc_pub roots[4];
	uint8_t out[48];
	size_t len;

	for (unsigned i = 0; i < n_roots; i++)
		root_pub(i, &roots[i]);
	assert_int_equal(rkth_of_keys(roots, n_roots, out, &len, NULL), 0);
	assert_int_equal(len, 32);
	memcpy(rkth, out, 32);
}

void kit_add(struct sb31_items *items, enum sb31_tag tag, uint32_t w1, uint32_t w2)
{
	struct sb31_item *i = sb31_items_add(items, tag);

	assert_non_null(i);
	i->w1 = w1;
	i->w2 = w2;
}

void kit_erase(struct sb31_items *items, uint32_t addr, uint32_t len)
{
	kit_add(items, SB31_ERASE, addr, len);
}

void kit_load(struct sb31_items *items, uint32_t addr, const void *data, size_t len)
{
	struct sb31_item *i = sb31_items_add(items, SB31_LOAD);

	assert_non_null(i);
	i->w1 = addr;
	wr_bytes(&i->data, data, len);
}

void kit_build(const struct kit *k, struct sb31_items *items, struct buf *out)
{
	struct cert_block_build c = { .n_roots = k->n_roots,
		.used_root = k->used_root,
		.isk_constraint = k->isk_constraint };
	AUTO(ecc_key_freep) struct ecc_key *root = NULL;
	AUTO(ecc_key_freep) struct ecc_key *isk = NULL;
	AUTO(buf_clear) struct buf cert = { 0 };
	AUTO(secret_freep)
	struct secret *key = secret_copy(k->key ? k->key : kit_cust_mk_sk, sizeof kit_cust_mk_sk);
	char path[128];
	struct err e = { 0 };

	for (unsigned i = 0; i < k->n_roots; i++)
		root_pub(i, &c.roots[i]);
	snprintf(path, sizeof path, KIT_KEYS "rot_p256_%u.pem", k->used_root);
	if (ecc_key_load(&root, path, NULL, &e) != 0 ||
		ecc_key_load(&isk, KIT_KEYS "isk_p256.pem", NULL, &e) != 0)
		fail_msg("%s", e.msg);
	if (k->isk) {
		c.isk_signer = root;
		c.isk = *ecc_key_pub(isk);
	}
	if (cert_block_build(&c, &cert, &e) != 0)
		fail_msg("%s", e.msg);
	const struct sb31_build b = { .firmware_version = k->firmware_version,
		.timestamp = 0x2E5A0000,
		.cert_block = cert.p,
		.cert_block_len = cert.len,
		.signer = k->isk ? isk : root,
		.cust_mk_sk = k->plain ? NULL : key };
	if (sb31_build(&b, items, out, &e) != 0)
		fail_msg("%s", e.msg);
	sb31_items_clear(items);
}

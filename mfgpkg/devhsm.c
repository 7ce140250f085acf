/* The steps are those of the device-HSM format, section 2, in their order; each checks every size
 * the device reports, because a blob of another size would be read short or padded with leftovers
 * of the slot. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fsio.h"
#include "base/text.h"
#include "crypt/ecc.h"
#include "family/family.h"
#include "image/pfr.h"
#include "image/sb31.h"
#include "mboot/command.h"
#include "mboot/identify.h"
#include "mfgpkg/build/sb31_build.h"
#include "mfgpkg/devhsm.h"

enum {
	SLOT = 256, /* announced size of each of the buffers in device RAM */
	N_SLOTS = 10,
	SIGNATURE_LEN = 64,
	KEY_PROPERTY = 1, /* of hsm_store_key: wrapped under NXP_CUST_KEK_EXT_SK */
	RESET_WAIT_MS = 500,
	RESET_LIMIT_MS = 5000,
	ANY_SIZE = -1,
};
#define BLOCK_SIZE (4 + 32 + SB31_PAYLOAD)

static const char *const known_keys[] = { "family", "revision", "containerOutputFile",
	"oemRandomShare", "oemEncMasterShare", "containerKeyBlobEncryptionKey", "initialReset",
	"finalReset", "bufferAddress", "workspace", "commands", "timestamp", NULL };

/* What the configuration asks for. */
struct plan {
	const struct secret *seed; /* in the keystore, or own_seed */
	struct secret *own_seed; /* made here */
	const struct secret *cust_mk_sk; /* NULL: none */
	bool restore;
	uint8_t master_share[DEVHSM_MASTER_SHARE_LEN]; /* restore */
	bool initial_reset, final_reset;
	uint32_t buffer;
	char *workspace; /* folder, or NULL */
	uint64_t timestamp;
	struct sb31_items items;
};

struct run {
	struct mboot *m;
	const struct config *config;
	const struct devhsm_options *o;
	struct plan *plan;
	struct devhsm_result *out;
	uint8_t fw_auth_blob[DEVHSM_BLOB_LEN], fw_enc_blob[DEVHSM_BLOB_LEN];
};

static void plan_clear(struct plan *p)
{
	secret_free(p->own_seed);
	sb31_items_clear(&p->items);
	free(p->workspace);
	*p = (struct plan){ 0 };
}

void devhsm_result_clear(struct devhsm_result *r)
{
	buf_clear(&r->container);
	*r = (struct devhsm_result){ 0 };
}

static void tell(const struct devhsm_options *o, const char *step, uint32_t done, uint32_t total)
{
	if (o->progress)
		o->progress(o->ctx, step, done, total);
}

/* --- configuration -------------------------------------------------------------------------- */

/* 64 bytes: hex digits in the configuration, a file of hex digits, or a binary file. */
static int read_master_share(const struct config_node *node, uint8_t *out, struct err *e)
{
	const char *text;
	char digits[2 * DEVHSM_MASTER_SHARE_LEN + 1];
	AUTO(str_freep) char *path = NULL;
	AUTO(buf_clear) struct buf file = { 0 };

	if (config_str(node, &text, e) != 0)
		return -1;
	if (strlen(text) == 2 * DEVHSM_MASTER_SHARE_LEN &&
		hex_decode(out, DEVHSM_MASTER_SHARE_LEN, text) == 0)
		return 0;
	if (config_path(node, &path, e) != 0 || fsio_read(path, 1024, &file, e) != 0)
		return -1;
	if (file.len == DEVHSM_MASTER_SHARE_LEN) {
		memcpy(out, file.p, DEVHSM_MASTER_SHARE_LEN);
		return 0;
	}
	if (sscanf(buf_text(&file) ? buf_text(&file) : "", " %128[0-9a-fA-F]", digits) == 1 &&
		hex_decode(out, DEVHSM_MASTER_SHARE_LEN, digits) == 0)
		return 0;
	return config_error(node, e, "%s has %zu bytes, want %d bytes or %d hex digits", ESC(path),
		file.len, DEVHSM_MASTER_SHARE_LEN, 2 * DEVHSM_MASTER_SHARE_LEN);
}

static int read_shares(
	struct plan *p, const struct config_node *root, struct keystore *ks, struct err *e)
{
	const struct config_node *seed = config_get(root, "oemRandomShare");
	const struct config_node *master = config_get(root, "oemEncMasterShare");

	if (seed && keystore_symmetric_at(ks, KEYSTORE_OEM_SEED, seed, &p->seed, e) != 0)
		return -1;
	if (seed && p->seed->len != DEVHSM_SEED_LEN)
		return config_error(
			seed, e, "OEM seed of %zu bytes, want %d", p->seed->len, DEVHSM_SEED_LEN);
	if (master && !seed)
		return config_error(master, e,
			"restoring a share also needs the seed it was made with: give "
			"`oemRandomShare`");
	if (master) {
		p->restore = true;
		return read_master_share(master, p->master_share, e);
	}
	if (!seed) {
		p->own_seed = secret_random(DEVHSM_SEED_LEN);
		if (!p->own_seed)
			return err_set(e, ERR_ENV, "out of guarded memory for the OEM seed");
		p->seed = p->own_seed;
	}
	return 0;
}

/* The list of commands with the key blob in it: CUST_MK_SK goes last unless the list sets it. */
static int read_commands(struct plan *p, const struct config_node *root, struct keystore *ks,
	const struct devhsm_options *o, struct err *e)
{
	const struct config_node *list = config_get(root, "commands");
	const struct config_node *key = config_get(root, "containerKeyBlobEncryptionKey");
	bool listed = false;

	if (sb31_items_from_config(&p->items, ks, list, e) != 0)
		return -1;
	for (size_t i = 0; i < p->items.n; i++) {
		const struct sb31_item *item = &p->items.v[i];
		if (item->tag != SB31_LOAD_KEY_BLOB)
			continue;
		listed = listed || sb31_key_blob_offset(item) == 0;
		if (item->plain_input != SB31_BLOB_PLAIN) {
			if (!p->restore)
				config_warn(list, o->warn ? o->warn : config_warn_none, o->ctx,
					"command %zu: this key blob was wrapped under the share of "
					"an earlier session; devices take it only with that share "
					"(give `oemEncMasterShare`)",
					i + 1);
			continue;
		}
		if (item->data.len != DEVHSM_CUST_MK_SK_LEN)
			return config_error(list, e,
				"command %zu: loadKeyBlob with plainInput has a key of %zu bytes, "
				"want %d",
				i + 1, item->data.len, DEVHSM_CUST_MK_SK_LEN);
		if (item->w1 >> 16 != SB31_KEK_EXT)
			return config_error(list, e,
				"command %zu: loadKeyBlob with plainInput: the device wraps under "
				"NXP_CUST_KEK_EXT_SK, not under key %u",
				i + 1, item->w1 >> 16);
	}
	if (!key)
		return 0;
	if (keystore_symmetric_at(ks, KEYSTORE_CUST_MK_SK, key, &p->cust_mk_sk, e) != 0)
		return -1;
	if (p->cust_mk_sk->len != DEVHSM_CUST_MK_SK_LEN)
		return config_error(key, e, "CUST_MK_SK of %zu bytes, a device HSM wraps %d",
			p->cust_mk_sk->len, DEVHSM_CUST_MK_SK_LEN);
	if (listed) {
		config_warn(key, o->warn ? o->warn : config_warn_none, o->ctx,
			"key is not used: `commands` has a loadKeyBlob for offset 0");
		p->cust_mk_sk = NULL;
		return 0;
	}
	struct sb31_item *item = sb31_items_add(&p->items, SB31_LOAD_KEY_BLOB);
	if (!item)
		return err_set(e, ERR_ENV, "out of memory for the command list");
	item->w1 = sb31_key_blob_word(0, SB31_KEK_EXT);
	item->plain_input = SB31_BLOB_PLAIN;
	wr_bytes(&item->data, p->cust_mk_sk->p, p->cust_mk_sk->len);
	return buf_check(&item->data, "loadKeyBlob", e);
}

static int read_numbers(struct plan *p, const struct config_node *root, const struct family *family,
	const struct devhsm_options *o, struct err *e)
{
	const struct config_node *timestamp = config_get(root, "timestamp");
	uint64_t buffer;

	if (config_bool_of(root, "initialReset", false, &p->initial_reset, e) != 0 ||
		config_bool_of(root, "finalReset", true, &p->final_reset, e) != 0 ||
		config_number_of(root, "bufferAddress", UINT32_MAX - N_SLOTS * SLOT,
			family->tables->comm_buffer_address, &buffer, e) != 0)
		return -1;
	p->buffer = (uint32_t)buffer;
	if (o->timestamp) {
		p->timestamp = o->timestamp;
		return 0;
	}
	if (!timestamp)
		return sb31_timestamp(&p->timestamp, e);
	if (config_number(timestamp, UINT64_MAX, &p->timestamp, e) != 0)
		return -1;
	if (p->timestamp == 0)
		return config_error(timestamp, e, "0 is not a time stamp");
	return 0;
}

static int read_plan(struct plan *p, const struct config *c, struct keystore *ks,
	const struct devhsm_options *o, struct err *e)
{
	const struct config_node *root = config_root(c), *node;
	const char *name;

	if (config_need(root, "family", &node, e) != 0 || config_str(node, &name, e) != 0)
		return -1;
	const struct family *family = family_find(name);
	if (!family)
		return config_error(node, e, "unknown family %s, want one of %s", ESC(name),
			family_names_list());
	if (read_shares(p, root, ks, e) != 0 || read_commands(p, root, ks, o, e) != 0 ||
		read_numbers(p, root, family, o, e) != 0)
		return -1;
	node = config_get(root, "workspace");
	if (node && config_kind(node) != CONFIG_NULL &&
		(config_out_path(node, &p->workspace, e) != 0 ||
			fsio_mkdirs(p->workspace, 0700, e) != 0))
		return -1;
	if (p->own_seed && !p->workspace)
		config_warn(root, o->warn ? o->warn : config_warn_none, o->ctx,
			"the OEM seed is made at random and not kept: this share cannot be "
			"restored "
			"later (give `oemRandomShare`, or `workspace` to keep it)");
	config_warn_unused(c, known_keys, o->warn ? o->warn : config_warn_none, o->ctx);
	return 0;
}

/* --- talking to the device -------------------------------------------------------------------- */

static uint32_t slot(const struct run *r, unsigned i)
{
	return r->plan->buffer + i * SLOT;
}

static int put(struct run *r, unsigned i, const void *data, size_t len, struct err *e)
{
	return mboot_write_memory(r->m, slot(r, i), data, len, MBOOT_MEM_INTERNAL, e);
}

static int get(struct run *r, unsigned i, void *out, size_t len, struct err *e)
{
	AUTO(buf_clear) struct buf data = { .max = SLOT };

	if (mboot_read_memory(r->m, slot(r, i), (uint32_t)len, MBOOT_MEM_INTERNAL, &data, e) != 0)
		return -1;
	memcpy(out, data.p, len);
	return 0;
}

/* A trust-provisioning operation and the sizes it must report, one by one. */
static int operation(struct run *r, const uint32_t *params, size_t n_params, const int *want,
	size_t n_want, struct err *e)
{
	uint32_t words[8] = { 0 };
	size_t n;

	if (mboot_trust_provisioning(r->m, params, n_params, words, 8, &n, e) != 0)
		return -1;
	bool same = n == n_want || n_want == 0;
	for (size_t i = 0; same && i < n_want; i++)
		same = want[i] == ANY_SIZE || words[i] == (uint32_t)want[i];
	if (same)
		return 0;

	char seen[100] = "none", wanted[100] = "";
	for (size_t i = 0, used = 0; i < n && i < 8; i++)
		used += (size_t)snprintf(
			seen + used, sizeof seen - used, "%s%u", i ? ", " : "", words[i]);
	for (size_t i = 0, used = 0; i < n_want; i++)
		used += (size_t)snprintf(wanted + used, sizeof wanted - used,
			want[i] == ANY_SIZE ? "%sany" : "%s%d", i ? ", " : "", want[i]);
	return err_set(e, ERR_DEVICE, "trust-provisioning %s: the device reports %s, want %s",
		mboot_tp_name(params[0]), seen, wanted);
}

#define OPERATION(r, params, e, ...)                                                               \
	operation(r, params, sizeof(params) / sizeof((params)[0]), (const int[]){ __VA_ARGS__ },   \
		sizeof((const int[]){ __VA_ARGS__ }) / sizeof(int), e)

/* What a run leaves for the OEM to keep, when the configuration names a folder for it. */
static int keep(
	struct run *r, const char *name, const void *data, size_t len, mode_t mode, struct err *e)
{
	if (!r->plan->workspace)
		return 0;
	AUTO(str_freep) char *path = path_join(r->plan->workspace, name);
	if (!path)
		return err_set(e, ERR_ENV, "out of memory for a path");
	return fsio_write(path, data, len, mode, e);
}

/* Steps 1 and 2: a fresh boot session, and in it a share, made or restored. */
static int open_session(struct run *r, struct err *e)
{
	struct plan *p = r->plan;
	struct devhsm_result *out = r->out;

	if (p->initial_reset) {
		tell(r->o, "resetting the device", 0, 0);
		int wait = r->o->reset_wait_ms ? r->o->reset_wait_ms : RESET_WAIT_MS;
		if (mboot_reset(r->m, e) != 0 ||
			mboot_wait_ready(r->m, wait, wait + RESET_LIMIT_MS, NULL, e) != 0)
			return err_wrap(e, "initial reset");
	}
	tell(r->o, p->restore ? "restoring the OEM share" : "making an OEM share", 0, 0);
	if (put(r, 0, p->seed->p, DEVHSM_SEED_LEN, e) != 0)
		return -1;
	if (p->restore) {
		const uint32_t params[] = { MBOOT_TP_OEM_SET_MASTER_SHARE, slot(r, 0),
			DEVHSM_SEED_LEN, slot(r, 1), DEVHSM_MASTER_SHARE_LEN };
		if (put(r, 1, p->master_share, DEVHSM_MASTER_SHARE_LEN, e) != 0 ||
			operation(r, params, 5, NULL, 0, e) != 0)
			return -1;
		out->restored = true;
		memcpy(out->enc_oem_master_share, p->master_share, DEVHSM_MASTER_SHARE_LEN);
		memcpy(out->enc_oem_share, p->master_share, DEVHSM_SHARE_LEN);
		return 0;
	}
	const uint32_t params[] = { MBOOT_TP_OEM_GEN_MASTER_SHARE, slot(r, 0), DEVHSM_SEED_LEN,
		slot(r, 1), SLOT, slot(r, 2), SLOT, slot(r, 3), SLOT };
	if (OPERATION(r, params, e, DEVHSM_SHARE_LEN, DEVHSM_MASTER_SHARE_LEN, DEVHSM_PUK_LEN) !=
			0 ||
		get(r, 1, out->enc_oem_share, DEVHSM_SHARE_LEN, e) != 0 ||
		get(r, 2, out->enc_oem_master_share, DEVHSM_MASTER_SHARE_LEN, e) != 0 ||
		get(r, 3, out->cust_ca_puk, DEVHSM_PUK_LEN, e) != 0)
		return -1;
	out->has_cust_ca = true;
	/* The seed and the master share restore this session later: the seed is a secret. */
	if (keep(r, "OEM_SEED.bin", p->seed->p, DEVHSM_SEED_LEN, 0600, e) != 0 ||
		keep(r, "ENC_OEM_SHARE.bin", out->enc_oem_share, DEVHSM_SHARE_LEN, 0644, e) != 0 ||
		keep(r, "ENC_OEM_MASTER_SHARE.bin", out->enc_oem_master_share,
			DEVHSM_MASTER_SHARE_LEN, 0644, e) != 0)
		return -1;
	return keep(r, "NXP_CUST_CA_PUK.bin", out->cust_ca_puk, DEVHSM_PUK_LEN, 0644, e);
}

/* Steps 3 and 4: the keys that sign and encrypt provisioning files. */
static int make_keys(struct run *r, struct err *e)
{
	struct devhsm_result *out = r->out;
	uint8_t unused[DEVHSM_PUK_LEN];
	struct ecc_pub auth;
	uint32_t params[] = { MBOOT_TP_HSM_GEN_KEY, MBOOT_TP_KEY_MFWISK, 0, slot(r, 0), SLOT,
		slot(r, 1), SLOT };

	tell(r->o, "deriving keys", 0, 0);
	if (OPERATION(r, params, e, DEVHSM_BLOB_LEN, DEVHSM_PUK_LEN) != 0 ||
		get(r, 0, r->fw_auth_blob, DEVHSM_BLOB_LEN, e) != 0 ||
		get(r, 1, out->cust_fw_auth_puk, DEVHSM_PUK_LEN, e) != 0)
		return -1;
	if (ecc_pub_from_xy(&auth, ECC_P256, out->cust_fw_auth_puk, e) != 0)
		return err_wrap(e, "CUST_FW_AUTH key of the device");

	/* The encryption key has no public half; the slot is read all the same, as the documented
	 * sequence does. */
	params[1] = MBOOT_TP_KEY_MFWENCK;
	if (OPERATION(r, params, e, DEVHSM_BLOB_LEN, ANY_SIZE) != 0 ||
		get(r, 0, r->fw_enc_blob, DEVHSM_BLOB_LEN, e) != 0 ||
		get(r, 1, unused, sizeof unused, e) != 0)
		return -1;
	if (keep(r, "CUST_FW_AUTH_PUK.bin", out->cust_fw_auth_puk, DEVHSM_PUK_LEN, 0644, e) != 0 ||
		keep(r, "CUST_FW_AUTH_BLOB.bin", r->fw_auth_blob, DEVHSM_BLOB_LEN, 0600, e) != 0)
		return -1;
	return keep(r, "CUST_FW_ENC_BLOB.bin", r->fw_enc_blob, DEVHSM_BLOB_LEN, 0600, e);
}

/* Step 5: every plain key in the list becomes a blob. */
static int wrap_keys(struct run *r, struct err *e)
{
	const uint32_t params[] = { MBOOT_TP_HSM_STORE_KEY, MBOOT_TP_KEY_CKDFK, KEY_PROPERTY,
		slot(r, 0), DEVHSM_CUST_MK_SK_LEN, slot(r, 1), SLOT };

	for (size_t i = 0; i < r->plan->items.n; i++) {
		struct sb31_item *item = &r->plan->items.v[i];
		uint8_t blob[DEVHSM_BLOB_LEN];

		if (item->tag != SB31_LOAD_KEY_BLOB)
			continue;
		if (sb31_key_blob_offset(item) == 0)
			r->out->has_key_blob = true;
		if (item->plain_input != SB31_BLOB_PLAIN)
			continue;
		tell(r->o, "wrapping CUST_MK_SK", 0, 0);
		if (put(r, 0, item->data.p, item->data.len, e) != 0 ||
			OPERATION(r, params, e, ANY_SIZE, DEVHSM_BLOB_LEN) != 0 ||
			get(r, 1, blob, sizeof blob, e) != 0)
			return -1;
		buf_wipe(&item->data);
		wr_bytes(&item->data, blob, sizeof blob);
		item->plain_input = SB31_BLOB_AS_IS;
		if (buf_check(&item->data, "loadKeyBlob", e) != 0 ||
			keep(r, "CUST_MK_SK_BLOB.bin", blob, sizeof blob, 0600, e) != 0)
			return -1;
	}
	return 0;
}

/* Step 6: the plain pieces lie in the container's blocks and are replaced one by one. */
static int encrypt_blocks(struct run *r, uint8_t *blocks, uint32_t n_blocks, struct err *e)
{
	uint8_t header[SB31_HEADER], cipher[SB31_PAYLOAD];

	sb31_devhsm_template(r->plan->timestamp, header);
	if (put(r, 0, r->fw_enc_blob, DEVHSM_BLOB_LEN, e) != 0 ||
		put(r, 1, header, sizeof header, e) != 0)
		return -1;
	for (uint32_t k = 1; k <= n_blocks; k++) {
		uint8_t *payload =
			blocks + (size_t)(k - 1) * BLOCK_SIZE + (BLOCK_SIZE - SB31_PAYLOAD);
		const uint32_t params[] = { MBOOT_TP_HSM_ENC_BLK, slot(r, 0), DEVHSM_BLOB_LEN,
			MBOOT_KEK_INT_SK, slot(r, 1), SB31_HEADER, k, slot(r, 2), SB31_PAYLOAD };

		tell(r->o, "encrypting", k - 1, n_blocks);
		if (put(r, 2, payload, SB31_PAYLOAD, e) != 0 ||
			operation(r, params, 9, NULL, 0, e) != 0 ||
			get(r, 2, cipher, sizeof cipher, e) != 0)
			return err_wrap(e, "block %u of %u", k, n_blocks);
		/* A device that says yes and does nothing must not make us ship plaintext. */
		if (sodium_memcmp(payload, cipher, SB31_PAYLOAD) == 0)
			return err_set(e, ERR_DEVICE,
				"block %u of %u: the device gave it back without encrypting it", k,
				n_blocks);
		memcpy(payload, cipher, SB31_PAYLOAD);
	}
	tell(r->o, "encrypting", n_blocks, n_blocks);
	return 0;
}

/* Step 7 and the proof that the result is what a receiver accepts. */
static int sign(struct run *r, uint8_t *container, size_t len, struct err *e)
{
	const uint32_t params[] = { MBOOT_TP_HSM_ENC_SIGN, slot(r, 0), DEVHSM_BLOB_LEN, slot(r, 1),
		SB31_DEVHSM_SIGNED, slot(r, 2), SIGNATURE_LEN };
	struct sb31 sb;

	tell(r->o, "signing", 0, 0);
	if (put(r, 0, r->fw_auth_blob, DEVHSM_BLOB_LEN, e) != 0 ||
		put(r, 1, container, SB31_DEVHSM_SIGNED, e) != 0 ||
		OPERATION(r, params, e, SIGNATURE_LEN) != 0 ||
		get(r, 2, container + SB31_DEVHSM_SIGNED, SIGNATURE_LEN, e) != 0)
		return -1;
	if (sb31_parse(&sb, container, len, e) != 0 || sb31_verify(&sb, e) != 0) {
		e->code = ERR_DEVICE; /* not a file that was rejected: one the device made badly */
		return err_wrap(e, "the container the device signed does not verify");
	}
	return 0;
}

/* Does this command write the CFPA that closes the part at its next power-on? */
static bool closes_part(const struct sb31_item *item)
{
	if (item->tag != SB31_LOAD || item->w1 != CFPA_ADDRESS || item->data.len < PFR_PAGE_SIZE)
		return false;
	unsigned update = cfpa_cmpa_upd(get_le32(item->data.p + CFPA_VERSION_OFF));
	return update == CMPA_UPD_TO_OEM_CLOSED || update == CMPA_UPD_TO_OEM_LOCKED;
}

/* A device executes what a block completes. Power that goes away after the block that completes
 * the CFPA and before the one that completes the key leaves a closed part without its key, and no
 * file can be sent to it any more. Both in one block, or the key first, and this cannot be. */
static int check_power_loss(struct run *r, struct err *e)
{
	struct sb31_items head = r->plan->items;
	uint32_t closed_in = 0, key_in;

	for (size_t i = 0; i < r->plan->items.n; i++) {
		const struct sb31_item *item = &r->plan->items.v[i];
		head.n = i + 1;
		if (closes_part(item) && sb31_items_blocks(&head, &closed_in, e) != 0)
			return -1;
		if (item->tag != SB31_LOAD_KEY_BLOB || sb31_key_blob_offset(item) != 0 ||
			!closed_in)
			continue;
		if (sb31_items_blocks(&head, &key_in, e) != 0)
			return -1;
		if (key_in != closed_in)
			config_warn(config_root(r->config),
				r->o->warn ? r->o->warn : config_warn_none, r->o->ctx,
				"the CFPA that closes the part is complete with block %u, its key "
				"only with block %u: power lost between them leaves a closed part "
				"without its key; put a loadKeyBlob (offset 0, plainInput) before "
				"the load of the CFPA",
				closed_in, key_in);
		return 0;
	}
	return 0;
}

static int build(struct run *r, struct err *e)
{
	struct devhsm_result *out = r->out;
	uint32_t n_blocks;
	uint8_t block1_hash[32];

	if (open_session(r, e) != 0 || make_keys(r, e) != 0 || wrap_keys(r, e) != 0 ||
		check_power_loss(r, e) != 0 ||
		sb31_items_blocks(&r->plan->items, &n_blocks, e) != 0)
		return -1;
	size_t len = SB31_DEVHSM_BLOCK0 + (size_t)n_blocks * BLOCK_SIZE;
	uint8_t *container = buf_grow(&out->container, len);
	if (!container)
		return buf_check(&out->container, "container", e);
	uint8_t *blocks = container + SB31_DEVHSM_BLOCK0;
	sb31_items_write(&r->plan->items, blocks + (BLOCK_SIZE - SB31_PAYLOAD), BLOCK_SIZE);
	sb31_items_clear(&r->plan->items);

	if (encrypt_blocks(r, blocks, n_blocks, e) != 0)
		return -1;
	sb31_chain(DIGEST_SHA256, blocks, n_blocks, block1_hash);
	sb31_devhsm_block0(r->plan->timestamp, n_blocks, block1_hash, out->cust_fw_auth_puk,
		out->enc_oem_share, container);
	if (sign(r, container, len, e) != 0)
		return -1;
	out->n_blocks = n_blocks;
	out->timestamp = r->plan->timestamp;
	return 0;
}

int devhsm_generate(struct mboot *m, const struct config *c, struct keystore *ks,
	const struct devhsm_options *options, struct devhsm_result *out, struct err *e)
{
	static const struct devhsm_options none;
	AUTO(plan_clear) struct plan plan = { 0 };
	struct devhsm_result made = { 0 };
	struct run r = {
		.m = m, .config = c, .o = options ? options : &none, .plan = &plan, .out = &made
	};

	if (read_plan(&plan, c, ks, r.o, e) != 0)
		return -1;
	int result = build(&r, e);
	if (plan.final_reset) {
		/* The reset ends the key session, after a failure too; an interruption must not
		 * stop it. */
		struct err reset = { 0 };
		tell(r.o, "resetting the device", 0, 0);
		if (result != 0)
			mboot_set_cancel(m, NULL);
		if (mboot_reset(m, &reset) != 0 && result == 0)
			config_warn(config_root(c), r.o->warn ? r.o->warn : config_warn_none,
				r.o->ctx,
				"the container is complete, but the final reset failed: %s",
				reset.msg);
	}
	sodium_memzero(r.fw_auth_blob, sizeof r.fw_auth_blob);
	sodium_memzero(r.fw_enc_blob, sizeof r.fw_enc_blob);
	if (result != 0) {
		buf_wipe(&made.container); /* pieces that were still plain */
		return -1;
	}
	*out = made;
	return 0;
}

int devhsm_generate_on(const char *port, uint32_t baud, const struct config *c, struct keystore *ks,
	const struct devhsm_options *options, struct devhsm_result *out, struct err *e)
{
	AUTO(mboot_freep) struct mboot *m = NULL;
	struct mboot_options o = { .cancel = options ? options->cancel : NULL };
	struct mboot_identity id;

	if (mboot_open(&m, port, baud, &o, e) != 0)
		return -1;
	if (mboot_identify(m, &id, e) != 0 || devhsm_generate(m, c, ks, options, out, e) != 0)
		return err_wrap(e, "%s", port);
	out->has_device = true;
	out->has_uuid = id.has_uuid;
	memcpy(out->uuid, id.uuid, sizeof out->uuid);
	out->lifecycle = id.lifecycle;
	return 0;
}

json_t *devhsm_json(const struct devhsm_result *r)
{
	char hex[2 * DEVHSM_PUK_LEN + 1];
	json_t *j = json_object();

#define ADD(name, value)    json_object_set_new(j, name, value)
#define ADD_HEX(name, data) ADD(name, json_string(hex_encode(hex, data, sizeof(data))))
	ADD("size", json_integer((json_int_t)r->container.len));
	ADD("blocks", json_integer(r->n_blocks));
	ADD("timestamp", json_integer((json_int_t)r->timestamp));
	ADD("restored", json_boolean(r->restored));
	ADD("key_blob", json_boolean(r->has_key_blob));
	ADD_HEX("enc_oem_share", r->enc_oem_share);
	ADD_HEX("enc_oem_master_share", r->enc_oem_master_share);
	if (r->has_cust_ca)
		ADD_HEX("nxp_cust_ca_puk", r->cust_ca_puk);
	ADD_HEX("cust_fw_auth_puk", r->cust_fw_auth_puk);
	if (r->has_uuid)
		ADD_HEX("uuid", r->uuid);
	if (r->has_device)
		ADD("lifecycle", json_string(mboot_lifecycle_name(r->lifecycle)));
	return j;
}

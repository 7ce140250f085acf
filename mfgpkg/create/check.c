#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fsio.h"
#include "base/text.h"
#include "family/family.h"
#include "image/mbi.h"
#include "image/pfr.h"
#include "image/sb31.h"
#include "keyed/sb31_cipher.h"
#include "mfgpkg/build/sb31_build.h"
#include "mfgpkg/create/build.h"

#define FUSE_LIFECYCLE 1 /* fuse word with the state in bits 7:0 and again in bits 31:24 */
#define PLAINTEXT_MIN  64 /* shorter loads are settings, not firmware */

/* --- the firmware SB3.1 and the image in it --------------------------------------------------- */

static int check_same_rkth(
	const struct build *b, const char *what, const uint8_t *rkth, size_t len, struct err *e)
{
	char seen[97], wanted[97];

	if (len == b->rkth_len && memcmp(rkth, b->rkth, len) == 0)
		return 0;
	return err_set(e, ERR_REJECTED,
		"%s has RKTH %s, but the certificate block of the SB3.1 has %s: devices would "
		"refuse "
		"one of them",
		what, hex_encode(seen, rkth, len), hex_encode(wanted, b->rkth, b->rkth_len));
}

static int check_mbi(struct build *b, struct mbi *mbi, struct err *e)
{
	const struct artifact *a = &b->a[STEP_MBI];

	if (mbi_parse(mbi, a->data.p, a->data.len, e) != 0)
		return err_wrap(e, "%s", a->path);
	if (mbi->type != MBI_SIGNED_XIP)
		return err_set(e, ERR_REJECTED,
			"%s: is an image of kind %s: wanted outputImageAuthenticationType: signed",
			a->path, mbi_type_name(mbi->type));
	if (check_same_rkth(b, a->path, mbi->cert.rkth, mbi->cert.rkth_len, e) != 0)
		return -1;
	if (mbi_verify(mbi, b->rkth, b->rkth_len, e) != 0)
		return err_wrap(e, "%s", a->path);
	return 0;
}

/* symmetric - CUST_MK_SK as a configuration names it; NULL when it names none. */
static int cust_mk_sk(
	struct build *b, const struct config *doc, const struct secret **out, struct err *e)
{
	const struct config_node *n = config_get(config_root(doc), "containerKeyBlobEncryptionKey");

	*out = NULL;
	return n ? keystore_symmetric_at(b->ks, KEYSTORE_CUST_MK_SK, n, out, e) : 0;
}

/* decrypt - the plain stream of the SB3.1, in *plain. That it decrypts to one proves that it was
 * encrypted under this CUST_MK_SK. */
static int decrypt(struct build *b, const struct sb31 *sb, const struct config *doc,
	struct buf *plain, uint32_t *length, struct err *e)
{
	AUTO(sb31_cipher_freep) struct sb31_cipher *cipher = NULL;
	const struct secret *key;
	uint64_t rights;

	if (sb31_section(sb31_payload(sb, 1), length, NULL) == 0)
		return err_set(e, ERR_REJECTED,
			"is not encrypted (isEncrypted: false?): a package "
			"carries only encrypted firmware");
	if (cust_mk_sk(b, doc, &key, e) != 0 ||
		config_number_of(config_root(doc), "kdkAccessRights", 3, 0, &rights, e) != 0)
		return -1;
	if (!key)
		return err_set(e, ERR_CONFIG,
			"%s: has no containerKeyBlobEncryptionKey: the SB3.1 cannot be checked",
			config_name(doc));
	for (uint32_t i = 1; i <= sb->n_blocks; i++)
		wr_bytes(plain, sb31_payload(sb, i), SB31_PAYLOAD);
	if (buf_check(plain, "SB3.1 stream", e) != 0 ||
		sb31_cipher_new(&cipher, key->p, key->len, sb->timestamp, (unsigned)rights,
			sb->key_bits, e) != 0 ||
		sb31_cipher_decrypt(cipher, 1, plain->p, SB31_PAYLOAD, sb->n_blocks, e) != 0)
		return -1;
	if (sb31_section(plain->p, length, e) != 0 || *length > plain->len - SB31_SECTION_HEADER)
		return err_set(e, ERR_REJECTED,
			"does not decrypt with the CUST_MK_SK of %s: was it built with another "
			"key?",
			config_name(doc));
	return 0;
}

/* note_plaintext - firmware whose plain text must not be in the package. Of a signed image only the
 * application: the certificate block in it is public and stands in the SB3.1 as well. */
static int note_plaintext(struct build *b, const struct sb31_cmd *cmd, struct err *e)
{
	struct err none = { 0 };
	struct mbi mbi;
	size_t len = cmd->data_len;

	if (mbi_parse(&mbi, cmd->data, cmd->data_len, &none) == 0)
		len = mbi.app_len;
	return oem_scan_add_plaintext(b->scan, "plaintext firmware", cmd->data, len, e);
}

/* walk_image - every command is known, and one of them loads the image made from mbi. */
static int walk_image(struct build *b, const struct buf *plain, uint32_t length, struct err *e)
{
	const struct artifact *image = &b->a[STEP_MBI];
	struct rd rd = rd_of(plain->p + SB31_SECTION_HEADER, length);
	struct sb31_cmd cmd;
	bool loaded = !image->present;
	int rc;

	while ((rc = sb31_cmd_next(&rd, &cmd, e)) == 1) {
		if (cmd.tag != SB31_LOAD)
			continue;
		if (cmd.data_len == image->data.len && image->present &&
			memcmp(cmd.data, image->data.p, cmd.data_len) == 0)
			loaded = true;
		if (cmd.data_len >= PLAINTEXT_MIN && note_plaintext(b, &cmd, e) != 0)
			return -1;
	}
	if (rc != 0)
		return -1;
	if (!loaded)
		return err_set(e, ERR_REJECTED,
			"loads nothing that is %s, the image of this release: see `commands` in %s",
			image->path, b->a[STEP_SB31].config);
	return 0;
}

static int check_sb31(struct build *b, unsigned *used_root, struct err *e)
{
	const struct artifact *a = &b->a[STEP_SB31];
	AUTO(config_freep) struct config *doc = NULL;
	AUTO(buf_wipe) struct buf plain = { 0 };
	struct sb31 sb;
	uint32_t length;

	if (sb31_parse(&sb, a->data.p, a->data.len, e) != 0 || sb31_verify(&sb, e) != 0)
		return err_wrap(e, "%s", a->path);
	if (sb.devhsm)
		return err_set(e, ERR_REJECTED,
			"%s: was made by a device HSM: it belongs into `provisioning_sb`", a->path);
	memcpy(b->rkth, sb.cert.rkth, sizeof b->rkth);
	b->rkth_len = sb.cert.rkth_len;
	*used_root = sb.cert.used_root;

	if (config_load(&doc, a->config, e) != 0)
		return -1;
	if (decrypt(b, &sb, doc, &plain, &length, e) != 0 || walk_image(b, &plain, length, e) != 0)
		return err_wrap(e, "%s", a->path);
	return 0;
}

/* --- pages and provisioning ------------------------------------------------------------------- */

static int lifecycle_of_fuse(uint32_t fuse, enum mboot_lifecycle *out)
{
	static const struct {
		uint8_t state;
		enum mboot_lifecycle lifecycle;
	} states[] = { { 0x00, MBOOT_LC_BLANK }, { 0x03, MBOOT_LC_DEVELOP },
		{ 0x07, MBOOT_LC_DEVELOP2 }, { 0x0F, MBOOT_LC_IN_FIELD },
		{ 0xCF, MBOOT_LC_IN_FIELD_LOCKED } };

	for (size_t i = 0; i < sizeof states / sizeof states[0]; i++)
		if (states[i].state == (fuse & 0xFF) && states[i].state == fuse >> 24) {
			*out = states[i].lifecycle;
			return 0;
		}
	return -1;
}

/* What the provisioning SB3.1 does, as its configuration says (the file itself only devices can
 * read). */
struct provisioning {
	bool has_fuse, has_cmpa, has_cfpa, has_key_blob;
	uint32_t fuse;
};

static int look_at_load(
	const struct build *b, const struct sb31_item *item, struct provisioning *p, struct err *e)
{
	const struct family *f = family_find(b->release.manifest.family);
	const struct artifact *page;
	bool *seen;

	if (family_same_place(f, item->w1, CMPA_ADDRESS)) {
		page = &b->a[STEP_CMPA];
		seen = &p->has_cmpa;
	} else if (family_same_place(f, item->w1, CFPA_ADDRESS)) {
		page = &b->a[STEP_CFPA];
		seen = &p->has_cfpa;
	} else {
		return 0;
	}
	if (item->data.len != page->data.len ||
		memcmp(item->data.p, page->data.p, page->data.len) != 0)
		return err_set(e, ERR_REJECTED, "loads other bytes at 0x%08x than %s holds",
			(unsigned)item->w1, page->path);
	*seen = true;
	return 0;
}

static int look_at(const struct build *b, const struct sb31_items *items, struct provisioning *p,
	struct err *e)
{
	for (size_t i = 0; i < items->n; i++) {
		const struct sb31_item *item = &items->v[i];

		if (item->tag == SB31_LOAD && look_at_load(b, item, p, e) != 0)
			return -1;
		if (item->tag == SB31_LOAD_KEY_BLOB && sb31_key_blob_offset(item) == 0)
			p->has_key_blob = true;
		if (item->tag == SB31_PROGRAM_FUSES && item->w1 <= FUSE_LIFECYCLE &&
			item->data.len / 4 > FUSE_LIFECYCLE - item->w1) {
			p->has_fuse = true;
			p->fuse |= get_le32(item->data.p + 4 * (FUSE_LIFECYCLE - item->w1));
		}
	}
	return 0;
}

/* check_lifecycle - fuse and CFPA lead where the manifest says devices end. */
static int check_lifecycle(const struct build *b, const struct provisioning *p, struct err *e)
{
	const struct artifact *cfpa = &b->a[STEP_CFPA];
	enum mboot_lifecycle end = MBOOT_LC_BLANK, wanted = b->release.manifest.after;
	unsigned update = 0;

	if (p->has_fuse && lifecycle_of_fuse(p->fuse, &end) != 0)
		return err_set(e, ERR_REJECTED,
			"programs 0x%08x into the life cycle fuse: no life cycle in both its "
			"copies",
			(unsigned)p->fuse);
	if (p->has_cfpa)
		update = cfpa_cmpa_upd(get_le32(cfpa->data.p + CFPA_VERSION_OFF));
	if (end == MBOOT_LC_DEVELOP) { /* the only state in which the ROM looks at CMPA_UPD */
		if (update == CMPA_UPD_TO_OEM_SECURE)
			end = MBOOT_LC_DEVELOP2;
		else if (update == CMPA_UPD_TO_OEM_CLOSED)
			end = MBOOT_LC_IN_FIELD;
		else if (update == CMPA_UPD_TO_OEM_LOCKED)
			end = MBOOT_LC_IN_FIELD_LOCKED;
	}
	if (end == wanted)
		return 0;
	return err_set(e, ERR_REJECTED,
		"leaves devices %s (life cycle fuse 0x%08x, CMPA_UPD %u of %s), but "
		"lifecycle.after "
		"is %s",
		mboot_lifecycle_name(end), (unsigned)p->fuse, update,
		p->has_cfpa ? cfpa->path : "no CFPA", mboot_lifecycle_name(wanted));
}

/* check_keys - what the provisioning file wraps is what the firmware file is encrypted under. */
static int check_keys(
	struct build *b, const struct config *doc, const struct provisioning *p, struct err *e)
{
	AUTO(config_freep) struct config *sb31 = NULL;
	const struct secret *wrapped, *used;

	if (config_load(&sb31, b->a[STEP_SB31].config, e) != 0 ||
		cust_mk_sk(b, doc, &wrapped, e) != 0 || cust_mk_sk(b, sb31, &used, e) != 0)
		return -1;
	if (p->has_key_blob)
		return 0; /* a key of its own, perhaps already wrapped: cannot be compared */
	if (!wrapped)
		return err_set(e, ERR_REJECTED,
			"gives devices no CUST_MK_SK (containerKeyBlobEncryptionKey): they could "
			"not "
			"decrypt the firmware");
	if (!used || wrapped->len != used->len ||
		sodium_memcmp(wrapped->p, used->p, used->len) != 0)
		return err_set(e, ERR_REJECTED,
			"wraps another CUST_MK_SK than %s encrypts with: devices could not decrypt "
			"the "
			"firmware",
			b->a[STEP_SB31].config);
	return 0;
}

static int check_pages(
	const struct build *b, const struct mbi *mbi, unsigned used_root, struct err *e)
{
	const uint8_t *cmpa = b->a[STEP_CMPA].data.p, *cfpa = b->a[STEP_CFPA].data.p;
	static const uint8_t zero[CMPA_ROTKH_LEN];
	char text[200];

	if (memcmp(cmpa + CMPA_ROTKH_OFF + b->rkth_len, zero, CMPA_ROTKH_LEN - b->rkth_len) != 0)
		return check_same_rkth(
			b, b->a[STEP_CMPA].path, cmpa + CMPA_ROTKH_OFF, CMPA_ROTKH_LEN, e);
	if (check_same_rkth(b, b->a[STEP_CMPA].path, cmpa + CMPA_ROTKH_OFF, b->rkth_len, e) != 0)
		return -1;
	if (get_le32(cfpa + CFPA_SECBOOT_FLAGS_OFF) >> 2 * used_root & 2)
		return err_set(e, ERR_REJECTED,
			"%s revokes root key %u, which signs the firmware SB3.1",
			b->a[STEP_CFPA].path, used_root);
	if (mbi && mbi->firmware_version < get_le16(cfpa + CFPA_SECURE_FW_VERSION_OFF))
		return err_set(e, ERR_REJECTED,
			"%s has firmwareVersion %u, but %s demands %u: devices would not boot it",
			b->a[STEP_MBI].path, (unsigned)mbi->firmware_version, b->a[STEP_CFPA].path,
			(unsigned)get_le16(cfpa + CFPA_SECURE_FW_VERSION_OFF));
	if (cmpa_sec_boot_en(get_le32(cmpa + CMPA_SECURE_BOOT_CFG_OFF)) < SEC_BOOT_SIGNED) {
		snprintf(text, sizeof text,
			"%s: SEC_BOOT_EN lets devices boot images that nobody signed",
			b->a[STEP_CMPA].path);
		b->o->warn(b->o->ctx, text);
	}
	return 0;
}

/* check_plan - what the provisioning SB3.1 is going to do, before a device is asked to make it. */
static int check_plan(struct build *b, const struct mbi *mbi, unsigned used_root, struct err *e)
{
	const char *config = b->a[STEP_PROVISION].config;
	AUTO(config_freep) struct config *doc = NULL;
	AUTO(sb31_items_clear) struct sb31_items items = { 0 };
	struct provisioning p = { 0 };

	if (config_load(&doc, config, e) != 0 ||
		sb31_items_from_config(
			&items, b->ks, config_get(config_root(doc), "commands"), e) != 0)
		return -1;
	if (look_at(b, &items, &p, e) != 0 || check_lifecycle(b, &p, e) != 0 ||
		check_keys(b, doc, &p, e) != 0)
		return err_wrap(e, "%s", config);
	if (!p.has_cmpa || !p.has_cfpa)
		return err_set(e, ERR_REJECTED, "%s loads no %s (0x%08x): `commands` must load %s",
			config, p.has_cmpa ? "CFPA" : "CMPA",
			(unsigned)(p.has_cmpa ? CFPA_ADDRESS : CMPA_ADDRESS),
			b->a[p.has_cmpa ? STEP_CFPA : STEP_CMPA].path);
	return check_pages(b, mbi, used_root, e);
}

int build_check(struct build *b, struct err *e)
{
	struct mbi mbi;
	unsigned used_root = 0;

	if (check_sb31(b, &used_root, e) != 0)
		return -1;
	if (b->a[STEP_MBI].present && check_mbi(b, &mbi, e) != 0)
		return -1;
	if (b->a[STEP_PROVISION].config)
		return check_plan(b, b->a[STEP_MBI].present ? &mbi : NULL, used_root, e);
	return 0;
}

int build_check_provisioning(const struct build *b, struct err *e)
{
	const struct artifact *a = &b->a[STEP_PROVISION];
	struct sb31 sb;

	if (!a->present)
		return 0;
	if (sb31_parse(&sb, a->data.p, a->data.len, e) != 0 || sb31_verify(&sb, e) != 0)
		return err_wrap(e, "%s", a->path);
	if (!sb.devhsm)
		return err_set(e, ERR_REJECTED, "%s: is not a provisioning SB3.1 of a device HSM",
			a->path);
	return 0;
}

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "image/sb31.h"
#include "keyed/sb31_cipher.h"
#include "keyed/sb31_kdf.h"
#include "tests/sim/boot.h"
#include "tests/sim/device.h"
#include "tests/sim/sb_command.h"
#include "tests/sim/sb_receive.h"
#include "tests/sim/status.h"

struct sim_sb {
	struct sim_device *d;
	struct sim_sb_record record;
	crypto_hash_sha256_state seen;
	uint32_t total;
	uint32_t status; /* what ended it */

	uint8_t block0[SB31_MAX_BLOCK0];
	size_t block0_len, n_block0;
	struct sb31 head; /* borrows from block0 */

	uint8_t block[SB31_MAX_BLOCK_SIZE];
	size_t n_block;
	uint32_t number; /* of the next data block, from 1 */
	uint8_t expected[DIGEST_MAX];

	struct sim_session share; /* device-HSM files: keys of the OEM share inside */
	uint8_t master[SIM_KEY_LEN]; /* key of the file: MFWENCK or CUST_MK_SK */
	struct sb31_cipher *cipher;
	struct sim_sb_stream stream;

	void (*tap)(void *ctx, const uint8_t piece[256]);
	void *tap_ctx;
};

struct sim_sb *sim_sb_start(struct sim_device *d, uint32_t total)
{
	struct sim_sb *sb = calloc(1, sizeof *sb);

	if (!sb)
		return NULL;
	sb->d = d;
	sb->total = total;
	sb->number = 1;
	crypto_hash_sha256_init(&sb->seen);
	return sb;
}

void sim_sb_tap(struct sim_sb *sb, void (*tap)(void *ctx, const uint8_t piece[256]), void *ctx)
{
	sb->tap = tap;
	sb->tap_ctx = ctx;
}

void sim_sb_free(struct sim_sb *sb, uint32_t status)
{
	sb->record.status = sb->status != OK_STATUS ? sb->status : status;
	crypto_hash_sha256_final(&sb->seen, sb->record.sha256);
	sim_device_record_sb(sb->d, &sb->record);
	sim_sb_stream_clear(&sb->stream);
	sb31_cipher_free(sb->cipher);
	sodium_memzero(sb, sizeof *sb);
	free(sb);
}

/* --- block 0 ---------------------------------------------------------------------------------- */

/* A file made by a device HSM: everything follows from the OEM share it carries. Device-hsm 5.6. */
static uint32_t accept_devhsm(struct sim_sb *sb)
{
	struct sim_device *d = sb->d;
	uint8_t share[SIM_KEY_LEN];
	AUTO(ecc_key_freep) struct ecc_key *signer = NULL;

	if (!sim_share_open(&d->roots, sb->head.enc_oem_share, share))
		return MBOOT_STATUS_ROMLDR_KEY_NOT_FOUND;
	sim_session_derive(&sb->share, &d->roots, share);
	sodium_memzero(share, sizeof share);
	if (sim_signing_key(&signer, sb->share.prk, "MFWISK", NULL) != 0)
		return MBOOT_STATUS_FAIL;
	if (!ecc_pub_equal(ecc_key_pub(signer), &sb->head.cert.root) ||
		sb31_verify_block0(&sb->head, NULL) != 0)
		return MBOOT_STATUS_ROMLDR_SIGNATURE;
	sim_session_key(&sb->share, "MFWENCK", sb->master);
	return OK_STATUS;
}

/* A file of the OEM: root keys and key come from CMPA. */
static uint32_t accept_oem(struct sim_sb *sb)
{
	struct sim_device *d = sb->d;
	const uint8_t *blob;

	if (sb->head.image_type != SB31_IMAGE_OEM ||
		sim_cert_allowed(d, &sb->head.cert, SIM_SIGNS_UPDATE, NULL) != 0 ||
		sb31_verify_block0(&sb->head, NULL) != 0)
		return MBOOT_STATUS_ROMLDR_SIGNATURE;
	if (sb->head.firmware_version < sim_cfpa_secure_version(&d->mem.pfr.cfpa))
		return MBOOT_STATUS_ROMLDR_ROLLBACK_BLOCKED;
	if (!sim_cmpa_key_blob(&d->mem.pfr.cmpa, &blob) ||
		!sim_blob_unwrap(d->roots.k_die, SIM_PROPS_DIE, blob, sb->master))
		return MBOOT_STATUS_ROMLDR_KEY_NOT_FOUND;
	return OK_STATUS;
}

/* 60 bytes are there: is this a file at all, and may it come now? */
static uint32_t judge_header(struct sim_sb *sb)
{
	struct sim_device *d = sb->d;
	bool devhsm = get_le32(sb->block0 + 8) == SB31_DEVHSM_FLAGS;
	int lc = sim_fuse_lifecycle(&d->fuses);

	sb->record.devhsm = devhsm;
	if (devhsm && (lc < 0 || lc > SIM_LC_DEVELOP2))
		return MBOOT_STATUS_SECURITY_VIOLATION;
	if (sb31_block0_len(sb->block0, &sb->block0_len, NULL) != 0 ||
		sb->block0_len > sizeof sb->block0)
		return MBOOT_STATUS_ROMLDR_SIGNATURE;
	return OK_STATUS;
}

static uint32_t judge_block0(struct sim_sb *sb)
{
	struct sb31 *h = &sb->head;
	uint32_t status;

	if (sb31_parse_block0(h, sb->block0, sb->block0_len, NULL) != 0)
		return MBOOT_STATUS_ROMLDR_SIGNATURE;
	status = h->devhsm ? accept_devhsm(sb) : accept_oem(sb);
	if (status != OK_STATUS)
		return status;
	if (sb->total != (uint64_t)h->block0_len + (uint64_t)h->n_blocks * h->block_size)
		return MBOOT_STATUS_ROMLDR_SECTION_LENGTH;
	memcpy(sb->expected, h->block1_hash, digest_len(h->hash));
	sim_sb_stream_init(&sb->stream, sb->d, h->devhsm ? &sb->share : NULL,
		(uint64_t)h->n_blocks * SB31_PAYLOAD);
	return OK_STATUS;
}

/* --- data blocks ------------------------------------------------------------------------------ */

/* The key derivation's access rights are not in the file: the ones that give a section header. */
static uint32_t make_cipher(struct sim_sb *sb)
{
	const uint8_t *cipher_text = sb->block + sb->head.block_size - SB31_PAYLOAD;
	uint8_t piece[SB31_PAYLOAD];
	uint32_t length;

	for (unsigned rights = 0; rights <= SB31_RIGHTS_MAX; rights++) {
		sb31_cipher_free(sb->cipher);
		sb->cipher = NULL;
		memcpy(piece, cipher_text, sizeof piece);
		if (sb31_cipher_new(&sb->cipher, sb->master, sizeof sb->master, sb->head.timestamp,
			    rights, sb->head.key_bits, NULL) != 0 ||
			sb31_cipher_decrypt(sb->cipher, 1, piece, sizeof piece, 1, NULL) != 0)
			return MBOOT_STATUS_FAIL;
		if (sb31_section(piece, &length, NULL) == 0)
			return OK_STATUS;
		if (sb->head.devhsm)
			break; /* rights are 0 here */
	}
	return MBOOT_STATUS_ROMLDR_SECTION_LENGTH;
}

static uint32_t take_block(struct sim_sb *sb)
{
	const uint8_t *next;
	uint8_t *payload = sb->block + sb->head.block_size - SB31_PAYLOAD;
	uint32_t status;

	if (sb31_check_block(&sb->head, sb->number, sb->block, sb->expected, &next, NULL) != 0)
		return MBOOT_STATUS_ROMLDR_CHECKSUM;
	memcpy(sb->expected, next, digest_len(sb->head.hash));
	if (sb->number == 1) {
		status = make_cipher(sb);
		if (status != OK_STATUS)
			return status;
	}
	if (sb31_cipher_decrypt(sb->cipher, sb->number, payload, SB31_PAYLOAD, 1, NULL) != 0)
		return MBOOT_STATUS_FAIL;
	if (sb->tap)
		sb->tap(sb->tap_ctx, payload);
	status = sim_sb_stream_push(&sb->stream, payload, SB31_PAYLOAD);
	sodium_memzero(payload, SB31_PAYLOAD);
	if (status == OK_STATUS) {
		sb->number++;
		sb->record.blocks++;
	}
	return status;
}

/* A fault placed at this block. True when the device is gone (sb is freed) or the file ends. */
static bool block_fault(struct sim_sb *sb, uint32_t number, uint32_t *status)
{
	struct sim_device *d = sb->d;
	const struct sim_fault *f =
		sim_fault_at_sb_block(d, number, SIM_FAULTS_AWAY | SIM_KIND(SIM_FAULT_ABORT));

	if (!f)
		return false;
	if (f->kind == SIM_FAULT_ABORT) {
		*status = sb->status = (uint32_t)f->value;
		return true;
	}
	*status = MBOOT_STATUS_ABORT_DATA_PHASE;
	sim_fault_go_away(d, f);
	return true;
}

uint32_t sim_sb_push(struct sim_sb *sb, const uint8_t *data, size_t len)
{
	uint32_t status = OK_STATUS;

	crypto_hash_sha256_update(&sb->seen, data, len);
	sb->record.size += (uint32_t)len;
	while (len && status == OK_STATUS) {
		bool in_header = sb->n_block0 < SB31_HEADER;
		bool in_block0 = in_header || sb->n_block0 < sb->block0_len;
		uint8_t *to = in_block0 ? sb->block0 : sb->block;
		size_t *have = in_block0 ? &sb->n_block0 : &sb->n_block;
		size_t want = in_header	  ? SB31_HEADER
			      : in_block0 ? sb->block0_len
					  : sb->head.block_size;
		size_t n = want - *have < len ? want - *have : len;

		memcpy(to + *have, data, n);
		*have += n;
		data += n;
		len -= n;
		if (*have < want)
			break;
		uint32_t number = in_block0 ? 0 : sb->number;
		if (!in_header && block_fault(sb, number, &status))
			return status; /* sb may be gone */
		if (in_header)
			status = judge_header(sb);
		else if (in_block0)
			status = judge_block0(sb);
		else {
			sb->n_block = 0;
			status = take_block(sb);
		}
	}
	sb->status = status;
	return status;
}

uint32_t sim_sb_finish(struct sim_sb *sb)
{
	uint32_t status;

	if (sb->status != OK_STATUS)
		return sb->status;
	if (sb->block0_len == 0 || sb->n_block0 < sb->block0_len)
		status = MBOOT_STATUS_ROMLDR_DATA_UNDERRUN;
	else
		status = sim_sb_stream_finish(&sb->stream);
	if (status != MBOOT_STATUS_ROMLDR_PENDING_JUMP)
		sb->status = status;
	return status;
}

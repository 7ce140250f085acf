/* The operations of trust-provisioning: parameters in RAM, results in RAM, sizes in the response.
 * Source: mboot section 6; device-hsm 2, 5.4; dice. */
#include <sodium.h>
#include <string.h>

#include "base/bytes.h"
#include "keyed/sb31_cipher.h"
#include "tests/sim/device.h"
#include "tests/sim/dice.h"
#include "tests/sim/status.h"

enum {
	SB_HEADER_LEN = 60,
	SB_HEADER_TIMESTAMP = 20,
	SB_BLOCK_LEN = 256,
	SIGN_MAX = 4096, /* longest message of hsm_enc_sign: the communication area */
	MFW_KEY_BITS = 128,
};

/* A result that goes to RAM: where, how much room, how much it is. */
struct output {
	uint32_t addr, room, len;
};

/* Sizes of all outputs as result words; 4 with the required sizes when one does not fit. */
static uint32_t fits(struct sim_reply *a, const struct output *o, unsigned n)
{
	uint32_t status = OK_STATUS;

	a->specific = true;
	a->n = n;
	for (unsigned i = 0; i < n; i++) {
		a->w[i] = o[i].len;
		if (o[i].len > o[i].room)
			status = MBOOT_STATUS_INVALID_ARGUMENT;
	}
	return status;
}

static uint32_t generic(struct sim_reply *a, uint32_t status)
{
	a->specific = false;
	a->n = 0;
	return status;
}

static uint32_t gen_master_share(
	struct sim_device *d, const struct sim_request *q, struct sim_reply *a)
{
	const struct output out[3] = { { q->p[3], q->p[4], SIM_ENC_SHARE_LEN },
		{ q->p[5], q->p[6], SIM_MASTER_SHARE_LEN }, { q->p[7], q->p[8], SIM_PUK_LEN } };
	uint8_t seed[SIM_SEED_LEN], random[32], share[32];
	uint8_t enc[SIM_ENC_SHARE_LEN], master[SIM_MASTER_SHARE_LEN];
	AUTO(ecc_key_freep) struct ecc_key *ca = NULL;
	uint32_t status = fits(a, out, 3);

	if (status != OK_STATUS)
		return status;
	if (q->p[2] != SIM_SEED_LEN || !sim_memory_ram_get(&d->mem, q->p[1], seed, sizeof seed))
		return generic(a, MBOOT_STATUS_INVALID_ARGUMENT);
	if (d->session.open)
		return generic(a, MBOOT_STATUS_FAIL);
	sim_rng_bytes(&d->rng, random, sizeof random);
	if (sim_share_make(&d->roots, seed, random, share, enc, master, NULL) != 0)
		return generic(a, MBOOT_STATUS_FAIL);
	sim_session_derive(&d->session, &d->roots, share);
	sodium_memzero(share, sizeof share);
	sodium_memzero(random, sizeof random);
	if (sim_signing_key(&ca, d->session.prk, "NXP_CUST_CA", NULL) != 0 ||
		!sim_memory_ram_put(&d->mem, out[0].addr, enc, sizeof enc) ||
		!sim_memory_ram_put(&d->mem, out[1].addr, master, sizeof master) ||
		!sim_memory_ram_put(&d->mem, out[2].addr, ecc_key_pub(ca)->xy, SIM_PUK_LEN)) {
		sim_session_clear(&d->session);
		return generic(a, MBOOT_STATUS_INVALID_ARGUMENT);
	}
	return OK_STATUS;
}

static uint32_t set_master_share(
	struct sim_device *d, const struct sim_request *q, struct sim_reply *a)
{
	uint8_t seed[SIM_SEED_LEN], master[SIM_MASTER_SHARE_LEN], share[32];

	(void)a;
	if (q->p[2] != SIM_SEED_LEN || q->p[4] != SIM_MASTER_SHARE_LEN ||
		!sim_memory_ram_get(&d->mem, q->p[1], seed, sizeof seed) ||
		!sim_memory_ram_get(&d->mem, q->p[3], master, sizeof master))
		return MBOOT_STATUS_INVALID_ARGUMENT;
	if (d->session.open || !sim_master_share_open(&d->roots, seed, master, share))
		return MBOOT_STATUS_FAIL;
	sim_session_derive(&d->session, &d->roots, share);
	sodium_memzero(share, sizeof share);
	return OK_STATUS;
}

static uint32_t dice_ca_puk(struct sim_device *d, const struct sim_request *q, struct sim_reply *a)
{
	const struct output out[1] = { { q->p[3], q->p[4], SIM_PUK_LEN } };
	uint8_t rkth[32], puk[SIM_PUK_LEN];
	uint32_t status = fits(a, out, 1);

	if (status != OK_STATUS)
		return status;
	if (q->p[2] != sizeof rkth || !sim_memory_ram_get(&d->mem, q->p[1], rkth, sizeof rkth))
		return generic(a, MBOOT_STATUS_INVALID_ARGUMENT);
	if (sim_dice_ca_puk(d, rkth, puk, NULL) != 0)
		return generic(a, MBOOT_STATUS_FAIL);
	if (!sim_memory_ram_put(&d->mem, out[0].addr, puk, sizeof puk))
		return generic(a, MBOOT_STATUS_INVALID_ARGUMENT);
	return OK_STATUS;
}

static uint32_t dice_response(
	struct sim_device *d, const struct sim_request *q, struct sim_reply *a)
{
	const struct output out[1] = { { q->p[3], q->p[4], SIM_DICE_RESPONSE_LEN } };
	uint8_t challenge[SIM_DICE_CHALLENGE_LEN], response[SIM_DICE_RESPONSE_LEN];
	uint32_t status = fits(a, out, 1);

	if (status != OK_STATUS)
		return status;
	if (q->p[2] != sizeof challenge ||
		!sim_memory_ram_get(&d->mem, q->p[1], challenge, sizeof challenge))
		return generic(a, MBOOT_STATUS_INVALID_ARGUMENT);
	if (sim_dice_response(d, challenge, response, NULL) != 0)
		return generic(a, MBOOT_STATUS_FAIL);
	if (!sim_memory_ram_put(&d->mem, out[0].addr, response, sizeof response))
		return generic(a, MBOOT_STATUS_INVALID_ARGUMENT);
	return OK_STATUS;
}

static const struct key_type {
	uint32_t type;
	const char *name;
	bool signs, external; /* external: wrapped by the EXT key, for loadKeyBlob */
	uint32_t props;
} key_types[] = {
	{ MBOOT_TP_KEY_MFWISK, "MFWISK", true, false, SIM_PROPS_SIGN },
	{ MBOOT_TP_KEY_MFWENCK, "MFWENCK", false, false, SIM_PROPS_ENCRYPT },
	{ MBOOT_TP_KEY_GENSIGNK, "GENSIGNK", true, false, SIM_PROPS_SIGN },
	{ MBOOT_TP_KEY_ENCKEY, "ENCKEY", false, false, SIM_PROPS_ENCRYPT },
	{ MBOOT_TP_KEY_GETCUSTMKSK, "GETCUSTMKSK", false, true, SIM_PROPS_STORED },
};

static uint32_t gen_key(struct sim_device *d, const struct sim_request *q, struct sim_reply *a)
{
	const struct key_type *t = NULL;
	AUTO(ecc_key_freep) struct ecc_key *pair = NULL;
	uint8_t key[SIM_KEY_LEN], blob[SIM_BLOB_LEN];
	int made;

	if (!d->session.open)
		return MBOOT_STATUS_FAIL;
	for (size_t i = 0; i < sizeof key_types / sizeof key_types[0]; i++)
		if (key_types[i].type == q->p[1])
			t = &key_types[i];
	if (!t)
		return MBOOT_STATUS_INVALID_ARGUMENT;
	const struct output out[2] = { { q->p[3], q->p[4], SIM_BLOB_LEN },
		{ q->p[5], q->p[6], t->signs ? SIM_PUK_LEN : 0 } };
	uint32_t status = fits(a, out, 2);
	if (status != OK_STATUS)
		return status;
	if (t->signs)
		made = sim_scalar(d->session.prk, t->name, key, NULL) == 0
			       ? sim_signing_key(&pair, d->session.prk, t->name, NULL)
			       : -1;
	else {
		sim_session_key(&d->session, t->name, key);
		made = 0;
	}
	if (made == 0)
		made = sim_blob_wrap(t->external ? d->session.k_ext : d->session.k_int, t->props,
			key, blob, NULL);
	sodium_memzero(key, sizeof key);
	if (made != 0)
		return generic(a, MBOOT_STATUS_FAIL);
	if (!sim_memory_ram_put(&d->mem, out[0].addr, blob, sizeof blob) ||
		(pair && !sim_memory_ram_put(
				 &d->mem, out[1].addr, ecc_key_pub(pair)->xy, SIM_PUK_LEN)))
		return generic(a, MBOOT_STATUS_INVALID_ARGUMENT);
	return OK_STATUS;
}

static uint32_t store_key(struct sim_device *d, const struct sim_request *q, struct sim_reply *a)
{
	uint8_t key[SIM_KEY_LEN], blob[SIM_BLOB_LEN];

	if (!d->session.open)
		return MBOOT_STATUS_FAIL;
	if (q->p[1] < MBOOT_TP_KEY_CKDFK || q->p[1] > MBOOT_TP_KEY_KUOK || q->p[4] != SIM_KEY_LEN)
		return MBOOT_STATUS_INVALID_ARGUMENT;
	a->specific = true;
	a->n = 2;
	a->w[0] = SIM_PROPS_STORED;
	a->w[1] = SIM_BLOB_LEN;
	if (q->p[6] < SIM_BLOB_LEN)
		return MBOOT_STATUS_INVALID_ARGUMENT;
	if (!sim_memory_ram_get(&d->mem, q->p[3], key, sizeof key))
		return generic(a, MBOOT_STATUS_INVALID_ARGUMENT);
	int made = sim_blob_wrap(q->p[2] & 1 ? d->session.k_ext : d->session.k_int,
		SIM_PROPS_STORED, key, blob, NULL);
	sodium_memzero(key, sizeof key);
	if (made != 0)
		return generic(a, MBOOT_STATUS_FAIL);
	if (!sim_memory_ram_put(&d->mem, q->p[5], blob, sizeof blob))
		return generic(a, MBOOT_STATUS_INVALID_ARGUMENT);
	return OK_STATUS;
}

static uint32_t enc_blk(struct sim_device *d, const struct sim_request *q, struct sim_reply *a)
{
	uint8_t blob[SIM_BLOB_LEN], key[SIM_KEY_LEN], header[SB_HEADER_LEN], block[SB_BLOCK_LEN];
	AUTO(sb31_cipher_freep) struct sb31_cipher *cipher = NULL;

	(void)a;
	if (!d->session.open)
		return MBOOT_STATUS_FAIL;
	if (q->p[2] != SIM_BLOB_LEN || q->p[3] != SIM_KEK_INT || q->p[5] != SB_HEADER_LEN ||
		q->p[8] != SB_BLOCK_LEN ||
		!sim_memory_ram_get(&d->mem, q->p[1], blob, sizeof blob) ||
		!sim_memory_ram_get(&d->mem, q->p[4], header, sizeof header) ||
		!sim_memory_ram_get(&d->mem, q->p[7], block, sizeof block))
		return MBOOT_STATUS_INVALID_ARGUMENT;
	if (!sim_blob_unwrap(d->session.k_int, SIM_PROPS_ENCRYPT, blob, key))
		return MBOOT_STATUS_FAIL;
	int made = sb31_cipher_new(&cipher, key, sizeof key, get_le64(header + SB_HEADER_TIMESTAMP),
		0, MFW_KEY_BITS, NULL);
	sodium_memzero(key, sizeof key);
	if (made != 0 || sb31_cipher_encrypt(cipher, q->p[6], block, sizeof block, 1, NULL) != 0 ||
		!sim_memory_ram_put(&d->mem, q->p[7], block, sizeof block))
		return MBOOT_STATUS_FAIL;
	return OK_STATUS;
}

static uint32_t enc_sign(struct sim_device *d, const struct sim_request *q, struct sim_reply *a)
{
	const struct output out[1] = { { q->p[5], q->p[6], 64 } };
	uint8_t blob[SIM_BLOB_LEN], key[SIM_KEY_LEN], message[SIGN_MAX], signature[64];
	AUTO(ecc_key_freep) struct ecc_key *signer = NULL;

	if (!d->session.open)
		return MBOOT_STATUS_FAIL;
	uint32_t status = fits(a, out, 1);
	if (status != OK_STATUS)
		return status;
	if (q->p[2] != SIM_BLOB_LEN || q->p[4] > SIGN_MAX ||
		!sim_memory_ram_get(&d->mem, q->p[1], blob, sizeof blob) ||
		!sim_memory_ram_get(&d->mem, q->p[3], message, q->p[4]))
		return generic(a, MBOOT_STATUS_INVALID_ARGUMENT);
	if (!sim_blob_unwrap(d->session.k_int, SIM_PROPS_SIGN, blob, key))
		return generic(a, MBOOT_STATUS_FAIL);
	int made = ecc_key_from_scalar(&signer, ECC_P256, key, NULL);
	if (made == 0)
		ecc_key_set_repeatable(signer);
	sodium_memzero(key, sizeof key);
	if (made != 0 || ecc_key_sign(signer, message, q->p[4], signature, NULL) != 0)
		return generic(a, MBOOT_STATUS_FAIL);
	if (!sim_memory_ram_put(&d->mem, out[0].addr, signature, sizeof signature))
		return generic(a, MBOOT_STATUS_INVALID_ARGUMENT);
	return OK_STATUS;
}

static const struct operation {
	uint32_t op;
	unsigned params; /* with the operation itself */
	bool in_field;
	uint32_t (*run)(struct sim_device *d, const struct sim_request *q, struct sim_reply *a);
} operations[] = {
	{ MBOOT_TP_OEM_GEN_MASTER_SHARE, 9, false, gen_master_share },
	{ MBOOT_TP_OEM_SET_MASTER_SHARE, 5, false, set_master_share },
	{ MBOOT_TP_OEM_GET_CUST_CERT_DICE_PUK, 5, true, dice_ca_puk },
	{ MBOOT_TP_HSM_GEN_KEY, 7, false, gen_key },
	{ MBOOT_TP_HSM_STORE_KEY, 7, false, store_key },
	{ MBOOT_TP_HSM_ENC_BLK, 9, false, enc_blk },
	{ MBOOT_TP_HSM_ENC_SIGN, 7, false, enc_sign },
	{ MBOOT_TP_OEM_GET_CUST_DICE_RESPONSE, 5, true, dice_response },
};

uint32_t sim_trust_prov(struct sim_device *d, const struct sim_request *q, struct sim_reply *a)
{
	for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++) {
		const struct operation *o = &operations[i];
		if (q->n == 0 || o->op != q->p[0])
			continue;
		if (sim_device_in_field(d) && !o->in_field)
			return MBOOT_STATUS_SECURITY_VIOLATION;
		if (q->n < o->params)
			return MBOOT_STATUS_INVALID_ARGUMENT;
		return o->run(d, q, a);
	}
	return MBOOT_STATUS_COMMAND_UNSUPPORTED;
}

#include <string.h>

#include "base/bytes.h"
#include "crypt/digest.h"
#include "tests/sim/dice.h"

static int ca_key(
	struct ecc_key **out, const struct sim_device *d, const uint8_t rkth32[32], struct err *e)
{
	uint8_t prk[32];

	sim_extract(d->roots.fam, sizeof d->roots.fam, rkth32, 32, prk);
	return sim_signing_key(out, prk, "DICE-CA", e);
}

int sim_dice_ca_puk(
	const struct sim_device *d, const uint8_t rkth32[32], uint8_t puk[64], struct err *e)
{
	AUTO(ecc_key_freep) struct ecc_key *ca = NULL;

	if (ca_key(&ca, d, rkth32, e) != 0)
		return -1;
	memcpy(puk, ecc_key_pub(ca)->xy, 64);
	return 0;
}

int sim_dice_response(const struct sim_device *d, const uint8_t challenge[SIM_DICE_CHALLENGE_LEN],
	uint8_t out[SIM_DICE_RESPONSE_LEN], struct err *e)
{
	static const uint8_t prefix[5] = { 0x03, 0x00, 0x17, 0x41, 0x04 };
	AUTO(ecc_key_freep) struct ecc_key *ca = NULL;
	AUTO(ecc_key_freep) struct ecc_key *die = NULL;
	struct sim_pfr_page cmpa = d->active.cmpa;
	uint8_t r[SIM_DICE_RESPONSE_LEN], had[1 + 32], signed_puk[sizeof prefix + 64];
	const uint8_t *rotkh;
	size_t rotkh_len;

	if (!sim_cmpa_rotkh(&d->active.cmpa, &rotkh, &rotkh_len))
		return err_set(e, ERR_REJECTED, "no RKTH in CMPA at the last reset");
	if (ca_key(&ca, d, rotkh, e) != 0 ||
		sim_signing_key(&die, d->roots.die, "DICE-DIE", e) != 0)
		return -1;
	memset(cmpa.data + SIM_CMPA_KEY_BLOB, 0, SIM_KEY_BLOB_LEN);
	sha256_of(cmpa.data, sizeof cmpa.data, r); /* RTF */
	had[0] = (uint8_t)d->lifecycle;
	memcpy(had + 1, r, 32);
	digest_of(DIGEST_SHA384, had, sizeof had, r + 32); /* HAD */
	memcpy(r + 80, ecc_key_pub(die)->xy, 64); /* DIE_PUK */
	memcpy(signed_puk, prefix, sizeof prefix);
	memcpy(signed_puk + sizeof prefix, r + 80, 64);
	if (ecc_key_sign(ca, signed_puk, sizeof signed_puk, r + 144, e) != 0)
		return -1;
	memcpy(r + 208, d->uuid, SIM_UUID_LEN);
	put_be32(r + 224, sim_cfpa_secure_version(&d->active.cfpa));
	memcpy(r + 228, challenge, SIM_DICE_CHALLENGE_LEN);
	if (ecc_key_sign(die, r, 260, r + 260, e) != 0)
		return -1;
	memcpy(out, r, sizeof r);
	return 0;
}

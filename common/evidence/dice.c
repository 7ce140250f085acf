#include <sodium.h>
#include <string.h>

#include "base/bytes.h"
#include "crypt/ecc.h"
#include "evidence/dice.h"

#define CHALLENGE_LABEL "mfgpkg-dice-v1"
#define SIGNED_LEN	260 /* what DIE_SIGN covers */

void dice_challenge(const char *origin, uint64_t size, const uint8_t root[32],
	const uint8_t package_id[16], uint8_t out[32])
{
	crypto_hash_sha256_state s;
	uint8_t be[8];

	put_be64(be, size);
	crypto_hash_sha256_init(&s);
	crypto_hash_sha256_update(&s, (const uint8_t *)CHALLENGE_LABEL, sizeof CHALLENGE_LABEL);
	crypto_hash_sha256_update(&s, (const uint8_t *)origin, strlen(origin) + 1);
	crypto_hash_sha256_update(&s, be, sizeof be);
	crypto_hash_sha256_update(&s, root, 32);
	crypto_hash_sha256_update(&s, package_id, 16);
	crypto_hash_sha256_final(&s, out);
}

int dice_parse(struct dice_response *out, const void *data, size_t len, struct err *e)
{
	struct rd r = rd_of(data, len);
	struct dice_response d;

	d.rtf = rd_bytes(&r, 32);
	d.had = rd_bytes(&r, 48);
	d.die_puk = rd_bytes(&r, 64);
	d.ca_sign = rd_bytes(&r, 64);
	d.uuid = rd_bytes(&r, 16);
	d.version = rd_be32(&r);
	d.challenge = rd_bytes(&r, 32);
	d.die_sign = rd_bytes(&r, 64);
	if (!rd_done(&r))
		return err_set(e, ERR_FORMAT, "DICE response of %zu bytes, %d wanted", len,
			DICE_RESPONSE_LEN);
	*out = d;
	return 0;
}

int dice_check_die(const struct dice_response *r, struct err *e)
{
	struct ecc_pub die;

	if (ecc_pub_from_xy(&die, ECC_P256, r->die_puk, e) != 0 ||
		ecc_verify(&die, r->rtf, SIGNED_LEN, r->die_sign, e) != 0)
		return err_wrap(e, "signature by the die's own key");
	return 0;
}

int dice_check_ca(const struct dice_response *r, const uint8_t ca_xy[DICE_CA_LEN], struct err *e)
{
	/* The die's key as the CA certifies it: a P-256 point in uncompressed form. */
	uint8_t msg[5 + 64] = { 0x03, 0x00, 0x17, 0x41, 0x04 };
	struct ecc_pub ca;

	memcpy(msg + 5, r->die_puk, 64);
	if (ecc_pub_from_xy(&ca, ECC_P256, ca_xy, e) != 0)
		return err_wrap(e, "DICE CA key");
	if (ecc_verify(&ca, msg, sizeof msg, r->ca_sign, e) != 0)
		return err_wrap(e, "signature of the DICE CA over the die's key");
	return 0;
}

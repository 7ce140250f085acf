#include <string.h>

#include "crypt/ecc.h"
#include "runner/attest.h"

/* Offsets of the response; integers are big-endian. */
#define DICE_DIE_PUK   80
#define DICE_UUID      208
#define DICE_CHALLENGE 228
#define DICE_DIE_SIGN  260 /* over everything before it */

int attest_check(const uint8_t response[MBOOT_DICE_RESPONSE_LEN],
	const uint8_t challenge[MBOOT_DICE_CHALLENGE_LEN], const uint8_t uuid[MBOOT_UUID_LEN],
	struct err *e)
{
	struct ecc_pub die;

	if (memcmp(response + DICE_CHALLENGE, challenge, MBOOT_DICE_CHALLENGE_LEN) != 0)
		return err_set(e, ERR_REJECTED, "the receipt answers another challenge");
	if (memcmp(response + DICE_UUID, uuid, MBOOT_UUID_LEN) != 0)
		return err_set(e, ERR_REJECTED, "the receipt is of a device with another UUID");
	if (ecc_pub_from_xy(&die, ECC_P256, response + DICE_DIE_PUK, e) != 0)
		return err_wrap(e, "the receipt's die key");
	if (ecc_verify(&die, response, DICE_DIE_SIGN, response + DICE_DIE_SIGN, e) != 0)
		return err_wrap(e, "the receipt's die signature");
	return 0;
}

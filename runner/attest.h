/* attest - what a host can check of a DICE response without the OEM's CA key: that it is this
 * device's answer to this challenge. The auditor checks the CA signature too.
 * Pure function, any thread. Source: format "dice".
 */
#ifndef RUNNER_ATTEST_H
#define RUNNER_ATTEST_H

#include <stdint.h>

#include "base/err.h"
#include "mboot/mboot.h"

/* attest_check - layout, challenge, UUID and DIE_SIGN. ERR_REJECTED names what is wrong. */
int attest_check(const uint8_t response[MBOOT_DICE_RESPONSE_LEN],
	const uint8_t challenge[MBOOT_DICE_CHALLENGE_LEN], const uint8_t uuid[MBOOT_UUID_LEN],
	struct err *e) CHECKED;

#endif

/* dice - the two DICE operations of trust-provisioning with the simulator's keys.
 * Source: dice, "Simulator-only key model". */
#ifndef TESTS_SIM_DICE_H
#define TESTS_SIM_DICE_H

#include "tests/sim/device.h"

#define SIM_DICE_CHALLENGE_LEN 32
#define SIM_DICE_RESPONSE_LEN  324

/* The DICE CA's public key of this family for an RKTH (its first 32 bytes). */
int sim_dice_ca_puk(const struct sim_device *d, const uint8_t rkth32[32], uint8_t puk[64],
	struct err *e) CHECKED;

/* ERR_REJECTED when no RKTH took effect at the last reset. */
int sim_dice_response(const struct sim_device *d, const uint8_t challenge[SIM_DICE_CHALLENGE_LEN],
	uint8_t out[SIM_DICE_RESPONSE_LEN], struct err *e) CHECKED;

#endif

/* dice - receipts of devices: the 324 bytes a provisioned device answers to a challenge, and the
 * challenge that binds an answer to one position of one log.
 * Pure functions, any thread. Source: format "dice".
 */
#ifndef COMMON_EVIDENCE_DICE_H
#define COMMON_EVIDENCE_DICE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define DICE_RESPONSE_LEN 324
#define DICE_CA_LEN	  64 /* P-256 x || y */

/* dice_challenge - for the position `size` (the attestation's own intent + 1) of a log. */
void dice_challenge(const char *origin, uint64_t size, const uint8_t root[32],
	const uint8_t package_id[16], uint8_t out[32]);

/* Borrowed from the response. Big-endian. */
struct dice_response {
	const uint8_t *rtf; /* 32 */
	const uint8_t *had; /* 48 */
	const uint8_t *die_puk; /* 64 */
	const uint8_t *ca_sign; /* 64 */
	const uint8_t *uuid; /* 16 */
	uint32_t version;
	const uint8_t *challenge; /* 32 */
	const uint8_t *die_sign; /* 64 */
};
int dice_parse(struct dice_response *out, const void *data, size_t len, struct err *e) CHECKED;

/* dice_check_die - the die's own signature. dice_check_ca - the OEM's DICE CA over the die's key;
 * ca: 64 bytes x || y. ERR_REJECTED. */
int dice_check_die(const struct dice_response *r, struct err *e) CHECKED;
int dice_check_ca(
	const struct dice_response *r, const uint8_t ca[DICE_CA_LEN], struct err *e) CHECKED;

#endif

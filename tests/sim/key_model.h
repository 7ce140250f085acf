/* key_model - MCXN-SIM-KEY-MODEL-1: the secrets of simulated devices and what is made from them.
 *
 * The constants are the simulator's own and say nothing about silicon: nothing made with them works
 * on a real part, and the other way round. Any device of a family can open what another one made
 * (shares, provisioning files); blobs are opaque to a host. Source: device-hsm section 5.
 *
 * Functions that only hash cannot fail; those that use libcrypto return 0 or -1.
 */
#ifndef TESTS_SIM_KEY_MODEL_H
#define TESTS_SIM_KEY_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "keyed/ecc_key.h"

#define SIM_KEY_LEN	     32
#define SIM_BLOB_LEN	     48
#define SIM_PUK_LEN	     64
#define SIM_SEED_LEN	     16
#define SIM_ENC_SHARE_LEN    48
#define SIM_MASTER_SHARE_LEN 64
#define SIM_KEK_INT	     18 /* NXP_CUST_KEK_INT_SK */
#define SIM_KEK_EXT	     19 /* NXP_CUST_KEK_EXT_SK */

enum sim_blob_props {
	SIM_PROPS_SHARE = 0x53494D00,
	SIM_PROPS_SIGN = 0x53494D01,
	SIM_PROPS_ENCRYPT = 0x53494D02,
	SIM_PROPS_STORED = 0x53494D03,
	SIM_PROPS_DIE = 0x53494D04,
};

/* What a part is born with. */
struct sim_roots {
	uint8_t fam[SIM_KEY_LEN], die[SIM_KEY_LEN];
	uint8_t k_share[SIM_KEY_LEN], k_mshare[SIM_KEY_LEN], k_die[SIM_KEY_LEN];
};

void sim_roots_derive(struct sim_roots *r, const char *family, const uint8_t uuid[16]);

/* What follows from an OEM share. */
struct sim_session {
	bool open;
	uint8_t prk[SIM_KEY_LEN], k_int[SIM_KEY_LEN], k_ext[SIM_KEY_LEN];
};

void sim_session_derive(
	struct sim_session *s, const struct sim_roots *r, const uint8_t share[SIM_KEY_LEN]);
void sim_session_clear(struct sim_session *s);
/* A symmetric key by name: MFWENCK, ENCKEY, GETCUSTMKSK. */
void sim_session_key(const struct sim_session *s, const char *name, uint8_t out[SIM_KEY_LEN]);

/* Primitives. */
void sim_extract(
	const void *salt, size_t salt_len, const void *ikm, size_t ikm_len, uint8_t prk[32]);
void sim_expand(const uint8_t prk[32], const char *info, uint8_t *out, size_t len); /* len <= 96 */
int sim_scalar(const uint8_t prk[32], const char *label, uint8_t d[32], struct err *e) CHECKED;
int sim_signing_key(
	struct ecc_key **out, const uint8_t prk[32], const char *label, struct err *e) CHECKED;

int sim_blob_wrap(const uint8_t kek[32], uint32_t props, const uint8_t key[32],
	uint8_t blob[SIM_BLOB_LEN], struct err *e) CHECKED;
/* false: damaged, of another key, or made for another use */
bool sim_blob_unwrap(
	const uint8_t kek[32], uint32_t props, const uint8_t blob[SIM_BLOB_LEN], uint8_t key[32]);

/* Shares. share_make: OEM share from the host's seed and the device's randomness, with both of its
 * encrypted forms. */
int sim_share_make(const struct sim_roots *r, const uint8_t seed[SIM_SEED_LEN],
	const uint8_t random[32], uint8_t share[32], uint8_t enc_share[SIM_ENC_SHARE_LEN],
	uint8_t master[SIM_MASTER_SHARE_LEN], struct err *e) CHECKED;
bool sim_share_open(
	const struct sim_roots *r, const uint8_t enc_share[SIM_ENC_SHARE_LEN], uint8_t share[32]);
bool sim_master_share_open(const struct sim_roots *r, const uint8_t seed[SIM_SEED_LEN],
	const uint8_t master[SIM_MASTER_SHARE_LEN], uint8_t share[32]);

#endif

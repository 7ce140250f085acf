/* fuses - the one-time words of a device. Bits go from 0 to 1 and never back.
 *
 * Words with ECC can be written once only (again with the same value is fine). A lock is what the
 * family data says: a bit in word 0 that closes a group of words; words without such a bit are
 * locked one by one. Status words as results. Source: family data `fuses`, mboot 5.1.
 */
#ifndef TESTS_SIM_FUSES_H
#define TESTS_SIM_FUSES_H

#include <stdbool.h>
#include <stdint.h>

#define SIM_FUSE_WORDS	      82
#define SIM_FUSE_LOCKS	      0
#define SIM_FUSE_LIFE_CYCLE   1
#define SIM_FUSE_KEY_REVOKE   2
#define SIM_FUSE_LOCK_REQUEST 0x01000000u /* bit 24 of the index of efuse-program-once */

struct sim_fuses {
	uint32_t word[SIM_FUSE_WORDS];
	bool locked[SIM_FUSE_WORDS]; /* words without a bit in word 0 */
};

/* index with or without SIM_FUSE_LOCK_REQUEST */
uint32_t sim_fuse_program(struct sim_fuses *f, uint32_t index, uint32_t value);
uint32_t sim_fuse_read(const struct sim_fuses *f, uint32_t index, uint32_t *value);

/* The life-cycle byte when both copies agree, else -1. */
int sim_fuse_lifecycle(const struct sim_fuses *f);
void sim_fuse_set_lifecycle(struct sim_fuses *f, uint8_t state); /* what the ROM itself does */
bool sim_fuse_key_revoked(const struct sim_fuses *f, unsigned key); /* RoTKn_dis */

#endif

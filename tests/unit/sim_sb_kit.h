/* sim_sb_kit - SB3.1 files for tests of the simulator, made with the project's own builder and the
 * test keys. */
#ifndef TESTS_UNIT_SIM_SB_KIT_H
#define TESTS_UNIT_SIM_SB_KIT_H

#include "base/bytes.h"
#include "mfgpkg/build/sb31_build.h"

#define KIT_KEYS "tests/vectors/keys/"

extern const uint8_t kit_cust_mk_sk[32]; /* of the vectors in tests/vectors/sb31 */

struct kit {
	unsigned n_roots, used_root; /* P-256 roots */
	bool isk;
	uint32_t isk_constraint;
	uint32_t firmware_version;
	const uint8_t *key; /* NULL: kit_cust_mk_sk */
	bool plain; /* not encrypted */
};

/* The RKTH of the first n_roots P-256 test keys, 32 bytes. */
void kit_rkth(unsigned n_roots, uint8_t rkth[32]);

/* kit_load, kit_erase - append commands. */
void kit_erase(struct sb31_items *items, uint32_t addr, uint32_t len);
void kit_load(struct sb31_items *items, uint32_t addr, const void *data, size_t len);
void kit_add(struct sb31_items *items, enum sb31_tag tag, uint32_t w1, uint32_t w2);

/* kit_build - the container; items are used up. */
void kit_build(const struct kit *k, struct sb31_items *items, struct buf *out);

#endif

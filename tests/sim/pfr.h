/* pfr - the two protected pages, CMPA and CFPA: what may be written, and what they say.
 *
 * Rules: pages are written whole; a sealed page takes no more writes; the CMPA is closed once the
 * part is in the field; the CFPA version must grow (0xFFFFFF asks the ROM to increment) and so must
 * the firmware versions and the key revocation word. Writes can be read at once; the ROM works with
 * the copies it took at the last reset. Source: pfr sections 1, 2, 7; mboot 5.1.
 *
 * A page whose marker (5963, 9635) is missing can be written and read, but the ROM ignores it at
 * reset. CRC and CMAC words stay as written: the simulator computes none. (Both are choices of the
 * simulator.)
 */
#ifndef TESTS_SIM_PFR_H
#define TESTS_SIM_PFR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/sim/chip.h"

#define SIM_CMPA_ROTKH	       0x060
#define SIM_CMPA_ROTKH_LEN     48
#define SIM_CMPA_KEY_BLOB      0x160
#define SIM_KEY_BLOB_LEN       48
#define SIM_CFPA_VERSION_LIMIT 0xFFFFFFu

struct sim_pfr_page {
	uint8_t data[SIM_PFR_SIZE];
};

struct sim_pfr {
	struct sim_pfr_page cmpa, cfpa;
	bool cmpa_closed; /* set at boot: life cycle in field or later */
};

enum sim_cmpa_update { /* CFPA word 4, bits 29:27 */
	SIM_CMPA_UPD_NONE = 0,
	SIM_CMPA_UPD_IN_CMPA = 2,
	SIM_CMPA_UPD_TO_SECURE = 3,
	SIM_CMPA_UPD_TO_CLOSED = 5,
	SIM_CMPA_UPD_TO_LOCKED = 6,
};

void sim_pfr_init(struct sim_pfr *p); /* pages as delivered: markers, zeros, version 0 */

/* sim_pfr_write - one whole page; returns a status word. `page` is &p->cmpa or &p->cfpa. */
uint32_t sim_pfr_write(
	struct sim_pfr *p, struct sim_pfr_page *page, const uint8_t data[SIM_PFR_SIZE]);

uint32_t sim_page_word(const struct sim_pfr_page *page, size_t off);
bool sim_cmpa_valid(const struct sim_pfr_page *cmpa); /* marker present */
bool sim_cfpa_valid(const struct sim_pfr_page *cfpa);

/* What the pages say; of an invalid page the answers are those of a page as delivered. */
bool sim_cmpa_rotkh(const struct sim_pfr_page *cmpa, const uint8_t **rotkh, size_t *len); /* set? */
unsigned sim_cmpa_secure_boot(const struct sim_pfr_page *cmpa); /* SEC_BOOT_EN */
unsigned sim_cmpa_key_usage(const struct sim_pfr_page *cmpa, unsigned key); /* RoTKn_Usage */
bool sim_cmpa_key_blob(const struct sim_pfr_page *cmpa, const uint8_t **blob); /* present? */
uint8_t sim_cfpa_lifecycle(const struct sim_pfr_page *cfpa); /* 0: as the fuse says */
unsigned sim_cfpa_update(const struct sim_pfr_page *cfpa); /* CMPA_UPD */
bool sim_cfpa_key_revoked(const struct sim_pfr_page *cfpa, unsigned key);
uint32_t sim_cfpa_secure_version(const struct sim_pfr_page *cfpa);
uint32_t sim_cfpa_ns_version(const struct sim_pfr_page *cfpa);
uint32_t sim_cfpa_image_key_revoke(const struct sim_pfr_page *cfpa);

#endif

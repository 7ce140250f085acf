#include <string.h>

#include "base/bytes.h"
#include "tests/sim/pfr.h"
#include "tests/sim/status.h"

enum {
	CMPA_SECURE_BOOT_CFG = 0x050,
	CMPA_ROTK_USAGE = 0x054,
	CMPA_SEAL = 0x1F0,
	CMPA_SEAL_WORDS = 4,
	CFPA_VERSION = 0x004,
	CFPA_SECURE_FW_VERSION = 0x008,
	CFPA_NS_FW_VERSION = 0x00C,
	CFPA_SECBOOT_FLAGS = 0x014,
	CFPA_IMAGE_KEY_REVOKE = 0x018,
	CFPA_SEAL = 0x1EC,
	CMPA_MARKER = 0x5963,
	CFPA_MARKER = 0x9635,
};

#define SEAL_WORD 0x4C414553u /* "SEAL" */

uint32_t sim_page_word(const struct sim_pfr_page *page, size_t off)
{
	return get_le32(page->data + off);
}

void sim_pfr_init(struct sim_pfr *p)
{
	memset(p, 0, sizeof *p);
	put_le32(p->cmpa.data, (uint32_t)CMPA_MARKER << 16);
	put_le32(p->cfpa.data, (uint32_t)CFPA_MARKER << 16);
}

bool sim_cmpa_valid(const struct sim_pfr_page *cmpa)
{
	return sim_page_word(cmpa, 0) >> 16 == CMPA_MARKER;
}

bool sim_cfpa_valid(const struct sim_pfr_page *cfpa)
{
	return sim_page_word(cfpa, 0) >> 16 == CFPA_MARKER;
}

static bool cmpa_sealed(const struct sim_pfr_page *cmpa)
{
	for (size_t i = 0; i < CMPA_SEAL_WORDS; i++)
		if (sim_page_word(cmpa, CMPA_SEAL + 4 * i) != SEAL_WORD)
			return false;
	return true;
}

static uint32_t cfpa_version(const struct sim_pfr_page *cfpa)
{
	return sim_page_word(cfpa, CFPA_VERSION) & SIM_CFPA_VERSION_LIMIT;
}

/* The counters that may only grow, compared with a valid page that is there now. */
static bool counters_go_back(const struct sim_pfr_page *now, const struct sim_pfr_page *next)
{
	return sim_cfpa_secure_version(next) < sim_cfpa_secure_version(now) ||
	       sim_cfpa_ns_version(next) < sim_cfpa_ns_version(now) ||
	       sim_cfpa_image_key_revoke(next) < sim_cfpa_image_key_revoke(now);
}

static uint32_t cfpa_write(struct sim_pfr_page *page, const uint8_t data[SIM_PFR_SIZE])
{
	struct sim_pfr_page next;
	uint32_t now = cfpa_version(page);

	if (sim_page_word(page, CFPA_SEAL) == SEAL_WORD)
		return MBOOT_STATUS_FLASH_SEALED_PFR;
	memcpy(next.data, data, sizeof next.data);
	uint32_t version = cfpa_version(&next);
	if (version == SIM_CFPA_VERSION_LIMIT)
		version = now + 1;
	if (version <= now || version >= SIM_CFPA_VERSION_LIMIT)
		return MBOOT_STATUS_FLASH_CFPA_ROLLBACK;
	if (sim_cfpa_valid(page) && sim_cfpa_valid(&next) && counters_go_back(page, &next))
		return MBOOT_STATUS_FLASH_CFPA_ROLLBACK;
	put_le32(next.data + CFPA_VERSION,
		(sim_page_word(&next, CFPA_VERSION) & ~SIM_CFPA_VERSION_LIMIT) | version);
	*page = next;
	return OK_STATUS;
}

uint32_t sim_pfr_write(
	struct sim_pfr *p, struct sim_pfr_page *page, const uint8_t data[SIM_PFR_SIZE])
{
	if (page == &p->cfpa)
		return cfpa_write(page, data);
	if (p->cmpa_closed)
		return MBOOT_STATUS_FLASH_PROTECTION;
	if (cmpa_sealed(page))
		return MBOOT_STATUS_FLASH_SEALED_PFR;
	memcpy(page->data, data, sizeof page->data);
	return OK_STATUS;
}

bool sim_cmpa_rotkh(const struct sim_pfr_page *cmpa, const uint8_t **rotkh, size_t *len)
{
	static const uint8_t zero[SIM_CMPA_ROTKH_LEN];
	const uint8_t *p = cmpa->data + SIM_CMPA_ROTKH;

	if (!sim_cmpa_valid(cmpa) || memcmp(p, zero, sizeof zero) == 0)
		return false;
	/* SHA-256 leaves the last 16 bytes zero. */
	*rotkh = p;
	*len = memcmp(p + 32, zero, 16) == 0 ? 32 : 48;
	return true;
}

unsigned sim_cmpa_secure_boot(const struct sim_pfr_page *cmpa)
{
	return sim_cmpa_valid(cmpa) ? sim_page_word(cmpa, CMPA_SECURE_BOOT_CFG) & 3 : 0;
}

unsigned sim_cmpa_key_usage(const struct sim_pfr_page *cmpa, unsigned key)
{
	if (!sim_cmpa_valid(cmpa) || key > 3)
		return 0;
	return sim_page_word(cmpa, CMPA_ROTK_USAGE) >> 3 * key & 7;
}

bool sim_cmpa_key_blob(const struct sim_pfr_page *cmpa, const uint8_t **blob)
{
	static const uint8_t zero[SIM_KEY_BLOB_LEN];

	*blob = cmpa->data + SIM_CMPA_KEY_BLOB;
	return memcmp(*blob, zero, sizeof zero) != 0;
}

uint8_t sim_cfpa_lifecycle(const struct sim_pfr_page *cfpa)
{
	uint32_t w = sim_page_word(cfpa, 0);

	/* State and its inverse; a header without an inverse is the one of a delivered part. */
	if (!sim_cfpa_valid(cfpa) || (w & 0xFF) != (~w >> 8 & 0xFF))
		return 0;
	return (uint8_t)w;
}

unsigned sim_cfpa_update(const struct sim_pfr_page *cfpa)
{
	return sim_cfpa_valid(cfpa) ? sim_page_word(cfpa, CFPA_VERSION) >> 27 & 7 : 0;
}

bool sim_cfpa_key_revoked(const struct sim_pfr_page *cfpa, unsigned key)
{
	if (!sim_cfpa_valid(cfpa) || key > 3)
		return false;
	return (sim_page_word(cfpa, CFPA_SECBOOT_FLAGS) >> 2 * key & 3) >= 2;
}

uint32_t sim_cfpa_secure_version(const struct sim_pfr_page *cfpa)
{
	return sim_cfpa_valid(cfpa) ? sim_page_word(cfpa, CFPA_SECURE_FW_VERSION) & 0xFFFF : 0;
}

uint32_t sim_cfpa_ns_version(const struct sim_pfr_page *cfpa)
{
	return sim_cfpa_valid(cfpa) ? sim_page_word(cfpa, CFPA_NS_FW_VERSION) : 0;
}

uint32_t sim_cfpa_image_key_revoke(const struct sim_pfr_page *cfpa)
{
	return sim_cfpa_valid(cfpa) ? sim_page_word(cfpa, CFPA_IMAGE_KEY_REVOKE) & 0xFFFFFF : 0;
}

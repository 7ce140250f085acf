/* pfr - the protected flash pages CMPA and CFPA: constants, check, explain, lint.
 *
 * A page is 512 bytes, 128 little-endian words; what they mean is in the family tables. Making a
 * page from a configuration is mfgpkg's (build/pfr_build.h). Source: formats "pfr".
 * No state, any thread.
 */
#ifndef COMMON_IMAGE_PFR_H
#define COMMON_IMAGE_PFR_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "family/family.h"

#define PFR_PAGE_SIZE 512
#define CMPA_ADDRESS  0x01004000u
#define CFPA_ADDRESS  0x01000000u
#define CMPA_MARKER   0x5963u /* bits 31:16 of word 0 */
#define CFPA_MARKER   0x9635u
#define PFR_CRC_OFF   0x1EC
#define PFR_CMAC_OFF  0x1F0
#define PFR_CMAC_LEN  16
#define PFR_SEAL      "SEAL"

#define CMPA_CC_SOCU_PIN_OFF	 0x040
#define CMPA_CC_SOCU_DFLT_OFF	 0x044
#define CMPA_SECURE_BOOT_CFG_OFF 0x050
#define CMPA_SEC_BOOT_EN_MASK	 0x3u
#define CMPA_ENF_CNSA_SHIFT	 8
#define CMPA_ROTK_USAGE_OFF	 0x054
#define CMPA_SKIP_DICE_MASK	 0x1000u
#define CMPA_ROTKH_OFF		 0x060
#define CMPA_ROTKH_LEN		 48
#define CMPA_KEY_BLOB_OFF	 0x160
#define CMPA_KEY_BLOB_LEN	 48

#define CFPA_LC_STATE_OFF	   0x000 /* bits 7:0 state, 15:8 its inverse */
#define CFPA_VERSION_OFF	   0x004
#define CFPA_VERSION_MASK	   0x00FFFFFFu
#define CFPA_VERSION_INCREMENT	   0x00FFFFFFu /* asks the ROM to count up by itself */
#define CFPA_IMG_UPD_SHIFT	   24 /* 2 bits */
#define CFPA_CMPA_UPD_SHIFT	   27 /* 3 bits */
#define CFPA_DICE_UPD		   0x80000000u
#define CFPA_SECURE_FW_VERSION_OFF 0x008 /* 16 bits */
#define CFPA_NS_FW_VERSION_OFF	   0x00C
#define CFPA_SECBOOT_FLAGS_OFF	   0x014 /* RoTKn_EN: bits 2n+1:2n, 2 and 3 revoke */
#define CFPA_IMAGE_KEY_REVOKE_OFF  0x018
#define CFPA_DBG_REVOKE_VU_OFF	   0x020
#define CFPA_SOCU_NS_PIN_OFF	   0x024
#define CFPA_SOCU_NS_DFLT_OFF	   0x028
#define CFPA_DICE_CERT_OFF	   0x100
#define CFPA_DICE_CERT_LEN	   144

enum sec_boot_en { SEC_BOOT_ALL = 0, SEC_BOOT_CRC = 1, SEC_BOOT_SIGNED = 2, SEC_BOOT_ECDSA = 3 };

/* CMPA_UPD: what the ROM does with CMPA (and the fuse life cycle) at the next boot. */
enum cmpa_upd {
	CMPA_UPD_NONE = 0,
	CMPA_UPD_UPDATE = 2,
	CMPA_UPD_TO_OEM_SECURE = 3, /* fuse life cycle DEVELOP2 */
	CMPA_UPD_TO_OEM_CLOSED = 5, /* IN_FIELD */
	CMPA_UPD_TO_OEM_LOCKED = 6, /* IN_FIELD_LOCKED */
};

static inline enum sec_boot_en cmpa_sec_boot_en(uint32_t secure_boot_cfg)
{
	return (enum sec_boot_en)(secure_boot_cfg & CMPA_SEC_BOOT_EN_MASK);
}

static inline unsigned cfpa_cmpa_upd(uint32_t version_word)
{
	return version_word >> CFPA_CMPA_UPD_SHIFT & 7;
}

/* pfr_check - data[len] is such a page: 512 bytes with its marker. ERR_FORMAT. */
int pfr_check(
	const struct family_page *page, const uint8_t *data, size_t len, struct err *e) CHECKED;

/* pfr_compute_inverse - the word with its inverse half (if the register has one) computed from the
 * other half; pfr_inverse_ok - whether it is right already. */
uint32_t pfr_compute_inverse(const struct family_register *reg, uint32_t word);
bool pfr_inverse_ok(const struct family_register *reg, uint32_t word);

/* pfr_json - the page as the configuration that makes it: {family, revision, type, settings}, in
 * table order, values as text ("0x00000000", enum names). Reserved words appear when they are not
 * zero, inverse halves always (so that an export gives the same bytes again); `diff` leaves out
 * what has its reset value. data is PFR_PAGE_SIZE bytes. New reference, NULL without memory. */
json_t *pfr_json(const struct family *f, enum family_revision rev, enum family_page_id page,
	const uint8_t *data, bool diff);

/* pfr_lint - settings that a device would not accept, or that cannot be undone. Either page may be
 * NULL; rules that need both run only with both. `report` gets one sentence per finding;
 * `dangerous` marks settings that are right but final (life cycle, CMPA_UPD). Returns the number
 * of findings that are not merely dangerous. */
typedef void (*pfr_report_fn)(void *ctx, bool dangerous, const char *text);
unsigned pfr_lint(const struct family *f, enum family_revision rev, const uint8_t *cmpa,
	const uint8_t *cfpa, pfr_report_fn report, void *ctx);

#endif

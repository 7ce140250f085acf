/* pfr_build - CMPA and CFPA pages and fuse scripts from configurations.
 *
 * Keys and values: formats "pfr", sections 3 to 7 and 11. Errors are ERR_CONFIG with file, line
 * and key. Where the tool that OEMs know has a defect that the format names (a value of exactly
 * 2^width taken as 0, markers overwritten, inverse halves left out for registers given by uid),
 * the value is refused or computed instead.
 */
#ifndef MFGPKG_BUILD_PFR_BUILD_H
#define MFGPKG_BUILD_PFR_BUILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"
#include "family/family.h"
#include "image/pfr.h"
#include "mfgpkg/config.h"
#include "mfgpkg/keystore.h"

struct pfr_build {
	const uint8_t *rkth; /* overrides a ROTKH in the configuration; NULL: none. CMPA only */
	size_t rkth_len; /* 32 or 48 */
	bool seal;
	config_warn_fn warn; /* lint findings, dangerous settings, unknown keys; may be NULL */
	void *warn_ctx;
};

struct pfr_page {
	const struct family *family;
	enum family_revision revision;
	enum family_page_id id;
	uint8_t data[PFR_PAGE_SIZE];
};

/* pfr_build - the page that a configuration describes. */
int pfr_build(const struct config *c, const struct pfr_build *b, struct pfr_page *out,
	struct err *e) CHECKED;

/* pfr_rkth_of_keys - the RKTH of -k options: 1..4 root keys of one curve. */
int pfr_rkth_of_keys(struct keystore *ks, const char *const *keys, size_t n, uint8_t rkth[48],
	size_t *len, struct err *e) CHECKED;

/* pfr_rkth_of_config - the RKTH of --rot-config: an image configuration (follows `certBlock`), a
 * certificate block configuration or a binary certificate block. */
int pfr_rkth_of_config(struct keystore *ks, const char *path, uint8_t rkth[48], size_t *len,
	struct err *e) CHECKED;

/* fuses_build - append the script: one `efuse-program-once INDEX 0xVALUE --no-verify` per fuse of
 * `registers`, by index. */
int fuses_build(const struct config *c, struct buf *script, config_warn_fn warn, void *ctx,
	struct err *e) CHECKED;

/* pfr_yaml - what pfr_json() gave, as YAML that pfr_build() reads back. */
int pfr_yaml(json_t *doc, struct buf *out, struct err *e) CHECKED;

#endif

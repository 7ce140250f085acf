/* mbi_build - make master boot images. Source: formats "mbi", sections 2 to 6. */
#ifndef MFGPKG_BUILD_MBI_BUILD_H
#define MFGPKG_BUILD_MBI_BUILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"
#include "family/family.h"
#include "image/mbi.h"
#include "mfgpkg/config.h"
#include "mfgpkg/keystore.h"

struct mbi_build {
	enum mbi_type type;
	bool load_to_ram; /* plain images only: the length word is set */
	enum mbi_subtype subtype; /* signed only */
	uint32_t load_address; /* multiple of 4 */
	uint16_t image_version; /* 0: none */
	uint16_t firmware_version; /* signed only */
	const uint8_t *tz; /* TrustZone block to embed, or NULL */
	size_t tz_len;
	const uint8_t *cert_block; /* signed only: complete; its signer must be `signer` */
	size_t cert_block_len;
	const struct ecc_key *signer;
};

/* mbi_build - append the image to *out. The application is app[len], at least 56 bytes.
 * ERR_CONFIG when parts do not fit together. */
int mbi_build(const struct mbi_build *b, const uint8_t *app, size_t len, struct buf *out,
	struct err *e) CHECKED;

/* mbi_export - the image a configuration file describes, appended to *out. The output file it
 * names is left to the caller. */
int mbi_export(const struct config *c, struct keystore *ks, config_warn_fn warn, void *ctx,
	struct buf *out, struct err *e) CHECKED;

#endif

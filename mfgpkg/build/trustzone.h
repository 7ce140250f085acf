/* trustzone - the TrustZone preset block that an image may carry. Source: formats "mbi",
 * section 5. No state, any thread. */
#ifndef MFGPKG_BUILD_TRUSTZONE_H
#define MFGPKG_BUILD_TRUSTZONE_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"
#include "family/family.h"
#include "mfgpkg/config.h"

struct trustzone_register {
	uint32_t reset;
	const char *name;
};

/* trustzone_registers - the words of the block, by offset / 4. */
const struct trustzone_register *trustzone_registers(enum family_revision rev, size_t *n);

/* trustzone_load - the block that a preset file (configuration, or binary words) asks for, appended
 * to *out. Nothing is appended when all words have their reset values: such a block is not
 * embedded. ERR_CONFIG. */
int trustzone_load(const struct config_node *path, enum family_revision rev, config_warn_fn warn,
	void *ctx, struct buf *out, struct err *e) CHECKED;

/* trustzone_json - the words that differ from their reset values, by name. New reference. */
json_t *trustzone_json(enum family_revision rev, const uint8_t *block, size_t len);

#endif

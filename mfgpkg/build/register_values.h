/* register_values - the `settings:` (pages) and `registers:` (fuses) maps of configurations,
 * turned into words. Source: formats "pfr", sections 3 to 6 and 11. One thread per object. */
#ifndef MFGPKG_BUILD_REGISTER_VALUES_H
#define MFGPKG_BUILD_REGISTER_VALUES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "family/family.h"
#include "mfgpkg/config.h"

#define REGISTER_VALUES_MAX 128

struct register_values {
	const char *what; /* "cmpa register", "fuse": for messages */
	const struct family_register *regs;
	size_t n;
	const struct family_group *groups; /* may be NULL */
	size_t n_groups;
	config_warn_fn warn;
	void *warn_ctx;

	uint32_t words[REGISTER_VALUES_MAX];
	const struct config_node *given[REGISTER_VALUES_MAX]; /* what set the word; NULL: reset */
	bool inverse_due[REGISTER_VALUES_MAX]; /* the inverse half is to be computed */
};

/* register_values_read - all words at reset, then the settings of the map, then the inverse
 * halves. Fill the members above `words` before. ERR_CONFIG. */
int register_values_read(
	struct register_values *v, const struct config_node *settings, struct err *e) CHECKED;

#endif

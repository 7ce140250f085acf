/* steps - one step of a script as calls of the mboot host.
 * Called by the thread that owns the session. Errors as mboot.h says.
 */
#ifndef RUNNER_STEPS_H
#define RUNNER_STEPS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "mboot/mboot.h"
#include "pkg/pkg.h"
#include "pkg/script.h"

struct step_effect {
	uint64_t bytes; /* payload moved */
	bool resets; /* the device resets now (reset, or a file that ends in one) */
};

/* step_perform - everything but reset's waiting, dice-attest, @check and @prompt, which concern the
 * run as a whole and belong to the engine (ERR_INTERNAL here). */
int step_perform(struct mboot *m, const struct pkg *pkg, const struct script_step *s,
	struct step_effect *out, struct err *e) CHECKED;

/* step_condition - ask the device: *holds. `seen` (may be NULL, 64 bytes) is what it said. */
#define STEP_SEEN_CAP 64
int step_condition(struct mboot *m, const struct script_cond *c, bool *holds,
	char seen[STEP_SEEN_CAP], struct err *e) CHECKED;

#endif

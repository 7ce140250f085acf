/* admission - what must be true before a package or order may be used at this station: signed by
 * trusted keys, not rolled back, in its window, for this station, for one another.
 * Opened objects are constant and may be read by all threads of a run.
 */
#ifndef RUNNER_ADMISSION_H
#define RUNNER_ADMISSION_H

#include "base/err.h"
#include "pkg/order.h"
#include "pkg/pkg.h"
#include "runner/depot.h"
#include "runner/station.h"
#include "runner/trust_store.h"

struct admission {
	const struct station *station;
	struct trust trust;
	struct depot depot;
	struct pkg_facts facts; /* of the package, also when it was refused */
	struct pkg *pkg; /* NULL until admission_package() */
	struct signed_order *order; /* NULL until admission_order() */
};

/* admission_init - trust and depot of a station. ERR_REJECTED when no key is trusted yet. */
int admission_init(struct admission *a, const struct station *s, struct err *e) CHECKED;
void admission_clear(struct admission *a);

/* admission_order - `name` is a path or the id of a kept order; `now`: its window must be open.
 * Before the package.
 * admission_package - `name` is a path, a kept product, or NULL: the package of the order. Checked
 * against the order when there is one. */
int admission_order(struct admission *a, const char *name, bool now, struct err *e) CHECKED;
int admission_package(struct admission *a, const char *name, struct err *e) CHECKED;

#endif

/* candidates - the ports a run may use: USB serial ports, and every path that --ports or the slot
 * map names, less those that are denied, not mapped, or not in the order's list of slots.
 * Enumerates without opening anything. Any thread.
 */
#ifndef RUNNER_CANDIDATES_H
#define RUNNER_CANDIDATES_H

#include <stdbool.h>

#include "base/cli.h"
#include "base/err.h"
#include "pkg/order.h"
#include "runner/ports.h"
#include "runner/slots.h"

struct candidates {
	const struct slots *slots;
	struct cli_list globs; /* --ports */
	const struct order *order; /* NULL: none */
	bool names_only; /* leave the USB ports out: nothing can have changed there */
};

/* candidates_each - *n (may be NULL): how many; fn (may be NULL) is called for each and returns 0,
 * or -1 to stop. A port may come twice, under two names: compare rdev. Who holds a port was not
 * looked for: port_find_holder(). */
int candidates_each(const struct candidates *c,
	int (*fn)(void *ctx, struct port *p, const char *slot, struct err *e), void *ctx, size_t *n,
	struct err *e) CHECKED;

#endif

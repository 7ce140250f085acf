/* session - one run of `runner start`: from verified package and open log to the summary.
 *
 * The calling thread owns the screen, the signals and the list of ports; every port has a worker
 * thread, the log has its keeper.
 */
#ifndef RUNNER_SESSION_H
#define RUNNER_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cli.h"
#include "base/err.h"
#include "mboot/serial.h"
#include "pkg/order.h"
#include "pkg/pkg.h"
#include "runner/run_log.h"
#include "runner/slots.h"
#include "runner/station.h"
#include "runner/ui.h"

struct session_options {
	const struct station *station;
	const struct slots *slots;
	const struct pkg *pkg;
	const struct signed_order *order; /* NULL: none */
	struct cli_list globs; /* --ports */
	uint32_t baud; /* --baud, 0: as the package says */
	uint64_t count; /* --count, 0: no limit */
	bool loop, again;
	unsigned jobs; /* --jobs, 0: as many as there are ports */
	struct serial_lines lines; /* --reset-line, --isp-line, --invert */
	int reset_ms; /* --reset-wait, 0: by what the port is */
	enum ui_kind ui;
	bool quiet;
	const char *operator; /* who runs it */
};

/* session_no_port - the error for a run that has no port. */
int session_no_port(const struct session_options *o, struct err *e);

/* session_run - takes log (also on failure; its path stays). *status is the exit status when 0 is
 * returned; -1 with *e (and its own exit status) when the run could not be done or the log failed.
 */
int session_run(
	const struct session_options *o, struct run_log *log, int *status, struct err *e) CHECKED;

#endif

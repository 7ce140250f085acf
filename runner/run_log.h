/* run_log - which log a run writes into, and the state of logs in the station's folder.
 *
 *   DIR/orders/ID/log.db, keys/epoch-N.key      one order, one log
 *   DIR/unordered/HEX/run.json, log.db, keys/   a run without an order: HEX names its origin; an
 *                                               interrupted one is continued by the next run of the
 *                                               same package
 */
#ifndef RUNNER_RUN_LOG_H
#define RUNNER_RUN_LOG_H

#include <stdbool.h>

#include "base/err.h"
#include "evidence/log.h"
#include "pkg/order.h"
#include "pkg/pkg.h"
#include "runner/station.h"

struct run_log {
	struct log *log;
	char *path; /* of log.db */
	bool resumed;
};

/* run_log_open - create or continue the log of this order (kept in the depot already) or, without
 * one, of an unordered run of this package. ERR_REJECTED: the order's log is closed, or is gone. */
int run_log_open(struct run_log *out, const struct station *s, const struct pkg *p,
	const struct signed_order *o, struct err *e) CHECKED;
void run_log_clear(struct run_log *l); /* frees the log too, unless it was taken (set NULL) */

/* run_log_package - the package leaf and its blobs, committed. */
int run_log_package(struct log *log, const struct pkg *p, struct err *e) CHECKED;

/* run_log_refused - a package leaf that says it was refused and why, committed. */
int run_log_refused(
	struct log *log, const struct pkg_facts *f, const char *reason, struct err *e) CHECKED;

/* run_log_resume - the open log of a kept order, to close it. */
int run_log_resume(struct run_log *out, const struct station *s, const struct signed_order *o,
	struct err *e) CHECKED;

/* run_log_path - where the log of an order (or of an unordered run, by its hex name) is; malloc'ed.
 * ERR_USAGE when there is none. */
char *run_log_path(const struct station *s, const char *id, struct err *e) CHECKED;

/* run_log_closed - look into the file: has it been closed? 1, 0, or -1 (ERR_ENV). */
int run_log_closed(const char *path, struct err *e) CHECKED;

#endif

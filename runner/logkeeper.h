/* logkeeper - the one thread that owns the log of a run.
 *
 * Workers hand it leaves through a bounded queue; it appends what has come in, signs and commits
 * once for all of them (group commit across the ports), and only then answers those who wait and
 * tells the screen. It decides what needs the whole picture: whether a device may be begun, its
 * attempt and running number, the quantity of the order. When the log cannot be written, every
 * waiting and later call fails with ERR_ENV and nothing irreversible can begin any more.
 */
#ifndef RUNNER_LOGKEEPER_H
#define RUNNER_LOGKEEPER_H

#include <stdint.h>

#include "base/err.h"
#include "evidence/log.h"
#include "runner/event.h"
#include "runner/history.h"
#include "runner/journal.h"

#define LOGKEEPER_QUEUE 1024
#define LOGKEEPER_BATCH 256 /* leaves in one transaction, at most */

struct logkeeper;

struct logkeeper_options {
	uint64_t quantity; /* of the order, 0: none */
	uint64_t count; /* devices to pass in this run, 0: no limit */
	int64_t not_after; /* seconds since 1970: no device is begun later; 0: no limit */
	bool again; /* devices that passed before may be done again */
	uint8_t package_id[16]; /* goes into the challenges of receipts */
	const char *operator; /* who, for operator leaves */
	struct event_sink *screen;
	/* stable name of a place for the screen's records; borrowed */
	const char *(*port_name)(void *ctx, size_t place);
	void *ctx;
};

/* logkeeper_recover - before the thread starts: read the whole log into *history and end, as
 * interrupted, every device that a crash left open. Committed on return. *n_open: how many. */
int logkeeper_recover(
	struct log *log, struct history **history, size_t *n_open, struct err *e) CHECKED;

/* logkeeper_start - takes log and history (also on failure). Options are copied, strings borrowed.
 */
int logkeeper_start(struct logkeeper **out, struct log *log, struct history *history,
	const struct logkeeper_options *options, struct err *e) CHECKED;

/* logkeeper_journal - the calls of the engine. Valid until logkeeper_stop(). */
struct journal logkeeper_journal(struct logkeeper *lk);

/* logkeeper_operator - an operator leaf: action of the format, text may be NULL. Does not wait. */
int logkeeper_operator(
	struct logkeeper *lk, const char *action, const char *text, struct err *e) CHECKED;

/* logkeeper_stop - write what has come in, end the thread; then close the log for good (reason:
 * complete, operator, expired), or seal its epoch and leave it open (reason NULL). `auto_close`:
 * reason complete when every device of the quantity has passed or is scrap.
 * *counts (may be NULL) and *closed are set in any case. Frees lk. */
int logkeeper_stop(struct logkeeper *lk, const char *reason, bool auto_close,
	struct history_counts *counts, bool *closed, struct err *e) CHECKED;

#endif

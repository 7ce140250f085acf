/* log - the writer of one audit log: an SQLite file of leaves, stored tree nodes and signed
 * checkpoints.
 *
 * A transaction holds one or more leaves and ends with one checkpoint, signed by the epoch key and
 * the station key; log_commit() returns after it is durable (WAL, synchronous=FULL), and only then
 * may the caller act on what it has written. One thread owns a struct log. Every fault of SQLite is
 * ERR_ENV; a failed transaction is rolled back as a whole, and the log can go on when the disk can.
 *
 * Epoch keys live in `epoch_dir` as epoch-N.key (0600). An epoch is sealed when a new process opens
 * the log, after 15 minutes of boot time, and at close; then its key is wiped.
 * Source: format "evidence", sections 4.2 to 4.5.
 */
#ifndef COMMON_EVIDENCE_LOG_H
#define COMMON_EVIDENCE_LOG_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "evidence/leaf.h"
#include "evidence/merkle.h"
#include "evidence/note.h"

#define LOG_APPLICATION_ID 1296451404 /* "MFGL" */
#define LOG_USER_VERSION   1
#define LOG_EPOCH_MS	   ((int64_t)15 * 60 * 1000)
#define LOG_BLOB_MAX	   ((size_t)1 << 20)

struct log;

/* All pointers borrowed for the call, but `station` for the life of the log. */
struct log_open {
	const char *path; /* log.db */
	const char *epoch_dir; /* where the epoch keys are; "epoch-0.key" there is used when it
				* exists (an order's first key), else it is made */
	enum leaf_role role;
	const char *origin;
	const struct log_key *station; /* signs under the origin too */
	const char *station_name;
	/* genesis only (log_create) */
	const void *order; /* exact text of the order document, NULL without */
	size_t order_len;
	const char *const *order_sigs; /* exact .minisig texts */
	size_t n_order_sigs;
	const char *version; /* of the program */
	/* tests: 0/NULL for the real thing */
	int64_t epoch_ms; /* longest epoch, 0: LOG_EPOCH_MS */
	int (*clock)(void *ctx, struct leaf_clock *out, struct err *e);
	void *clock_ctx;
	const char *vfs; /* SQLite VFS */
	int wait_ms; /* how long to wait for another process that has the log open, 0: not at all */
};

/* log_create - a new log with its genesis leaf, committed. The file must not exist.
 * log_resume - open an existing one that is not closed: checks that file, keys and genesis belong
 * together and that the tree agrees with the last checkpoint, then seals the epoch found open. */
int log_create(struct log **out, const struct log_open *open, struct err *e) CHECKED;
int log_resume(struct log **out, const struct log_open *open, struct err *e) CHECKED;

/* log_append - add a leaf to the open transaction (begun when none is). `members` is taken, also on
 * failure: the members of the kind in the order of the format, without the common six. A clock leaf
 * is put before it when the clocks do not fit the leaf before. *seq (may be NULL): its number. */
int log_append(
	struct log *log, const char *kind, json_t *members, uint64_t *seq, struct err *e) CHECKED;

/* log_commit - checkpoint, signatures, COMMIT. No-op without an open transaction. On failure all
 * leaves since the last commit are gone from log and file. Seals the epoch when it is due. */
int log_commit(struct log *log, struct err *e) CHECKED;
void log_rollback(struct log *log);

/* log_tick - seal the epoch when it is due, though nothing was written; call at least once a minute
 * between transactions. */
int log_tick(struct log *log, struct err *e) CHECKED;
int log_seal_epoch(struct log *log, struct err *e) CHECKED; /* now, reason "interval" */

/* log_blob - keep manifest.json or a signature of a package that a leaf names, in the open
 * transaction (begun when none is). */
int log_blob(struct log *log, const void *data, size_t len, struct err *e) CHECKED;

uint64_t log_size(const struct log *log); /* leaves, those not yet committed included */
int log_root_at(struct log *log, uint64_t size, uint8_t root[32], struct err *e) CHECKED;
const char *log_origin(const struct log *log);

/* log_dice_challenge - the challenge of a device receipt: position `size` = the attestation's own
 * intent + 1, package_id as 16 bytes. Source: format "dice". */
int log_dice_challenge(struct log *log, uint64_t size, const uint8_t package_id[16],
	uint8_t out[32], struct err *e) CHECKED;

/* log_prove - append the proof file (tlog-proof) of a committed leaf against the newest checkpoint,
 * with the leaf in `extra`. Not inside a transaction. */
int log_prove(struct log *log, uint64_t seq, struct buf *out, struct err *e) CHECKED;

/* log_each - every leaf in order; the callback returns 0 to go on, 1 to stop, -1 with *e. */
int log_each(struct log *log, int (*fn)(void *ctx, const struct leaf *leaf, struct err *e),
	void *ctx, struct err *e) CHECKED;

/* log_close - close leaf with totals, final seal, checkpoint; then the file is one file again
 * (journal_mode=DELETE) and no key exists that could continue it. `reason`: complete, operator or
 * expired. The struct must still be freed. */
int log_close(struct log *log, const char *reason, struct err *e) CHECKED;

/* log_is_closed - the log has its final seal. */
bool log_is_closed(const struct log *log);
void log_free(struct log *log); /* rolls back what is not committed; leaves the epoch open */
void log_freep(struct log **log);

/* Reading without writing: newest checkpoint note, with all cosignatures, of a foreign file. */
int log_checkpoint(const char *path, struct buf *note, struct err *e) CHECKED;

#endif

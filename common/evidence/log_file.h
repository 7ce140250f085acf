/* log_file - a log file from elsewhere, opened for reading only, with every defence SQLite has.
 *
 * A file that a writer holds (a -wal beside it) is read from a private copy of both; nothing is
 * ever written beside the original. Only leaf, checkpoint, cosignature and blob are read, by plain
 * columns. One thread per object. Source: format "evidence", section 4.5.
 */
#ifndef COMMON_EVIDENCE_LOG_FILE_H
#define COMMON_EVIDENCE_LOG_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"
#include "evidence/db.h"

struct log_file {
	struct db db;
	char *copy_dir; /* private copy, removed when closed; NULL: read in place */
	bool had_wal;
};

/* log_file_open - ERR_ENV (cannot be read), ERR_FORMAT (no SQLite database, not a log of ours). */
int log_file_open(struct log_file *out, const char *path, struct err *e) CHECKED;
void log_file_close(struct log_file *f);

/* log_file_leaf - append the bytes of one leaf. ERR_REJECTED when it is not there. */
int log_file_leaf(struct log_file *f, uint64_t seq, struct buf *out, struct err *e) CHECKED;

/* log_file_checkpoint - append the newest checkpoint of at most `size` leaves, with all its
 * cosignature lines. ERR_REJECTED when there is none. */
int log_file_checkpoint(struct log_file *f, uint64_t size, struct buf *note, struct err *e) CHECKED;

/* log_file_node - for merkle_prove_*: stored node `id`; ctx is the struct log_file. Rows are
 * believed here: verify the log first, or the proof made from them. */
int log_file_node(void *ctx, uint64_t id, uint8_t out[32], struct err *e) CHECKED;

#endif

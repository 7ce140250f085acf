/* log_impl - what the files of the log writer share. Internal to the evidence folder. */
#ifndef COMMON_EVIDENCE_LOG_IMPL_H
#define COMMON_EVIDENCE_LOG_IMPL_H

#include <stdbool.h>

#include "evidence/db.h"
#include "evidence/log.h"

#define LOG_OBJECTS 11 /* tables, triggers, views */

struct log_object {
	const char *type, *name, *sql;
};
extern const struct log_object log_schema[LOG_OBJECTS];

/* What a transaction changes in memory, kept so that a rollback can restore it. */
struct log_state {
	struct merkle tree;
	uint8_t last_hash[32]; /* leaf hash of the last leaf, zeros before the first */
	struct leaf_clock clock; /* of the last leaf */
};

struct log {
	struct db db;
	char *path, *epoch_dir;
	enum leaf_role role;
	char origin[NOTE_NAME_MAX + 1];
	const struct log_key *station;
	sqlite3_stmt *put_leaf, *put_node, *put_checkpoint, *put_blob, *get_node;
	struct log_state now, before; /* before: at the start of the open transaction */
	bool in_tx, sealing, closed;
	struct log_key *epoch_key;
	uint64_t epoch;
	struct leaf_clock epoch_start; /* of genesis or of the seal before it */
	int64_t epoch_ms;
	int (*clock_fn)(void *ctx, struct leaf_clock *out, struct err *e);
	void *clock_ctx;
};

/* log.c */
int log_begin(struct log *log, struct err *e) CHECKED; /* no-op inside a transaction */
int log_clock_leaf(struct log *log, struct leaf_clock *clock, struct err *e) CHECKED;
int log_put(struct log *log, const char *kind, const json_t *members,
	const struct leaf_clock *clock, uint64_t *seq, struct err *e) CHECKED;
int log_finish(struct log *log, struct err *e) CHECKED; /* checkpoint and COMMIT */
int log_prepare_all(struct log *log, struct err *e) CHECKED;
void log_finalize_all(struct log *log);
int log_read_node(void *log, uint64_t id, uint8_t out[MERKLE_HASH], struct err *e) CHECKED;

/* log_epoch.c */
char *log_epoch_path(const char *dir, uint64_t epoch); /* malloc'ed, NULL: no memory */
int log_epoch_wipe(const char *path, struct err *e) CHECKED; /* overwrite, remove, sync folder */
int log_epoch_seal(struct log *log, const char *reason, bool last, struct err *e) CHECKED;
bool log_epoch_due(const struct log *log, const struct leaf_clock *now);

#endif

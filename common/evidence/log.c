/* The open log: transactions, leaves, checkpoints, blobs. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "evidence/dice.h"
#include "evidence/log_impl.h"
#include "evidence/proof.h"

#define CLOCK_TOLERANCE_MS 2000

/* --- statements ----------------------------------------------------------------------------- */

int log_prepare_all(struct log *log, struct err *e)
{
	if (db_prepare(&log->db, &log->put_leaf, "INSERT INTO leaf(seq,data) VALUES(?1,?2)", e) !=
			0 ||
		db_prepare(&log->db, &log->put_node, "INSERT INTO node(id,hash) VALUES(?1,?2)",
			e) != 0 ||
		db_prepare(&log->db, &log->put_checkpoint,
			"INSERT INTO checkpoint(size,note) VALUES(?1,?2)", e) != 0 ||
		db_prepare(&log->db, &log->put_blob,
			"INSERT INTO blob(sha256,data) VALUES(?1,?2) ON CONFLICT DO NOTHING",
			e) != 0 ||
		db_prepare(&log->db, &log->get_node, "SELECT hash FROM node WHERE id=?1", e) != 0)
		return -1;
	return 0;
}

void log_finalize_all(struct log *log)
{
	db_stmt_freep(&log->put_leaf);
	db_stmt_freep(&log->put_node);
	db_stmt_freep(&log->put_checkpoint);
	db_stmt_freep(&log->put_blob);
	db_stmt_freep(&log->get_node);
}

int log_read_node(void *ctx, uint64_t id, uint8_t out[MERKLE_HASH], struct err *e)
{
	struct log *log = ctx;

	sqlite3_bind_int64(log->get_node, 1, (int64_t)id);
	int rc = db_step(&log->db, log->get_node, "read a tree node", e);
	if (rc == 1 && sqlite3_column_bytes(log->get_node, 0) == MERKLE_HASH)
		memcpy(out, sqlite3_column_blob(log->get_node, 0), MERKLE_HASH);
	else if (rc >= 0)
		rc = err_set(e, ERR_ENV, "%s: tree node %llu is missing or damaged", log->path,
			(unsigned long long)id);
	sqlite3_reset(log->get_node);
	return rc < 0 ? -1 : 0;
}

/* --- transactions --------------------------------------------------------------------------- */

void log_rollback(struct log *log)
{
	if (!log->in_tx)
		return;
	/* After a full disk SQLite may have rolled back by itself. */
	if (!sqlite3_get_autocommit(log->db.h))
		sqlite3_exec(log->db.h, "ROLLBACK", NULL, NULL, NULL);
	log->now = log->before;
	log->in_tx = false;
}

int log_begin(struct log *log, struct err *e)
{
	struct leaf_clock now;

	if (log->in_tx)
		return 0;
	if (log->closed)
		return err_set(e, ERR_REJECTED, "%s: the log is closed", log->path);
	/* An epoch that is due ends before something new begins, in a transaction of its own. */
	if (!log->sealing) {
		if (log->clock_fn(log->clock_ctx, &now, e) != 0)
			return -1;
		if (log_epoch_due(log, &now) && log_epoch_seal(log, "interval", false, e) != 0)
			return -1;
	}
	if (db_exec(&log->db, "BEGIN IMMEDIATE", "begin a transaction", e) != 0)
		return -1;
	log->before = log->now;
	log->in_tx = true;
	return 0;
}

/* Two signatures under the origin: the epoch key, then the station key. */
static int checkpoint_note(struct log *log, struct buf *note, struct err *e)
{
	struct checkpoint c = { .size = log->now.tree.n };

	memcpy(c.origin, log->origin, sizeof c.origin);
	merkle_root(&log->now.tree, c.root);
	checkpoint_text(&c, note);
	if (buf_check(note, "checkpoint", e) != 0)
		return -1;
	size_t len = note->len;
	AUTO(buf_clear) struct buf text = { 0 };
	wr_bytes(&text, note->p, len);
	if (buf_check(&text, "checkpoint", e) != 0)
		return -1;
	wr_u8(note, '\n');
	if (log_key_sign(log->epoch_key, log->origin, (char *)text.p, len, note, e) != 0 ||
		log_key_sign(log->station, log->origin, (char *)text.p, len, note, e) != 0)
		return -1;
	return 0;
}

int log_finish(struct log *log, struct err *e)
{
	AUTO(buf_clear) struct buf note = { 0 };

	if (log->now.tree.n > log->before.tree.n) {
		if (checkpoint_note(log, &note, e) != 0)
			goto failed;
		sqlite3_bind_int64(log->put_checkpoint, 1, (int64_t)log->now.tree.n);
		sqlite3_bind_text(
			log->put_checkpoint, 2, (char *)note.p, (int)note.len, SQLITE_STATIC);
		if (db_run(&log->db, log->put_checkpoint, "write a checkpoint", e) != 0)
			goto failed;
	}
	if (db_exec(&log->db, "COMMIT", "commit", e) != 0)
		goto failed;
	log->in_tx = false;
	return 0;
failed:
	log_rollback(log);
	return -1;
}

int log_commit(struct log *log, struct err *e)
{
	return log->in_tx ? log_finish(log, e) : 0;
}

/* --- leaves --------------------------------------------------------------------------------- */

static int put_nodes(
	struct log *log, uint8_t stored[64][MERKLE_HASH], size_t n, uint64_t seq, struct err *e)
{
	uint64_t id = merkle_node_id(0, seq);

	for (size_t i = 0; i < n; i++) {
		sqlite3_bind_int64(log->put_node, 1, (int64_t)(id + i));
		sqlite3_bind_blob(log->put_node, 2, stored[i], MERKLE_HASH, SQLITE_STATIC);
		if (db_run(&log->db, log->put_node, "write a tree node", e) != 0)
			return -1;
	}
	return 0;
}

int log_put(struct log *log, const char *kind, const json_t *members,
	const struct leaf_clock *clock, uint64_t *seq, struct err *e)
{
	AUTO(buf_clear) struct buf leaf = { 0 };
	uint64_t n = log->now.tree.n;
	uint8_t stored[64][MERKLE_HASH];

	/* Members that do not fit the kind are the caller's fault and leave all as it was. */
	if (leaf_write(kind, log->role, n, log->now.last_hash, clock, members, &leaf, e) != 0)
		return -1;
	sqlite3_bind_int64(log->put_leaf, 1, (int64_t)n);
	sqlite3_bind_text(log->put_leaf, 2, (char *)leaf.p, (int)leaf.len, SQLITE_STATIC);
	if (db_run(&log->db, log->put_leaf, "write a leaf", e) != 0)
		goto failed;
	size_t n_stored = merkle_append(&log->now.tree, leaf.p, leaf.len, stored);
	if (put_nodes(log, stored, n_stored, n, e) != 0)
		goto failed;
	memcpy(log->now.last_hash, stored[0], MERKLE_HASH);
	log->now.clock = *clock;
	if (seq)
		*seq = n;
	return 0;
failed:
	log_rollback(log);
	return -1;
}

/* Whether the clocks of a new leaf fit the leaf before it: a cause, or NULL. */
static const char *clock_anomaly(
	const struct leaf_clock *was, const struct leaf_clock *is, int64_t *delta_ms)
{
	int64_t wall = is->wall_ms - was->wall_ms, boot = is->boot_ms - was->boot_ms;

	if (strcmp(was->boot_id, is->boot_id) != 0) {
		*delta_ms = wall;
		return "boot-changed";
	}
	*delta_ms = wall - boot;
	if (wall < 0)
		return "wall-backward";
	return *delta_ms > CLOCK_TOLERANCE_MS || *delta_ms < -CLOCK_TOLERANCE_MS ? "wall-jump"
										 : NULL;
}

int log_clock_leaf(struct log *log, struct leaf_clock *clock, struct err *e)
{
	char before[TIME_MS_LEN + 1], after[TIME_MS_LEN + 1];
	const struct leaf_clock *was = &log->now.clock;
	int64_t delta;

	if (log->clock_fn(log->clock_ctx, clock, e) != 0)
		return -1;
	if (log->now.tree.n == 0)
		return 0;
	if (strcmp(was->boot_id, clock->boot_id) == 0 && clock->boot_ms < was->boot_ms)
		return err_set(e, ERR_ENV,
			"the boot-time clock went back from %lld to %lld ms without a restart",
			(long long)was->boot_ms, (long long)clock->boot_ms);
	const char *cause = clock_anomaly(was, clock, &delta);
	if (!cause)
		return 0;
	AUTO(json_freep)
	json_t *members = json_pack("{s:s, s:s, s:s, s:I, s:I, s:I}", "cause", cause, "wall_before",
		time_format_ms(before, was->wall_ms), "wall_after",
		time_format_ms(after, clock->wall_ms), "boot_ms_before", (json_int_t)was->boot_ms,
		"boot_ms_after", (json_int_t)clock->boot_ms, "delta_ms", (json_int_t)delta);
	if (!members)
		return err_set(e, ERR_ENV, "out of memory for a leaf");
	return log_put(log, "clock", members, clock, NULL, e);
}

int log_append(struct log *log, const char *kind, json_t *taken, uint64_t *seq, struct err *e)
{
	AUTO(json_freep) json_t *members = taken;
	struct leaf_clock clock;

	if (!members)
		return err_set(e, ERR_ENV, "out of memory for a leaf");
	if (log_begin(log, e) != 0 || log_clock_leaf(log, &clock, e) != 0)
		return -1;
	return log_put(log, kind, members, &clock, seq, e);
}

int log_blob(struct log *log, const void *data, size_t len, struct err *e)
{
	uint8_t hash[32];

	if (len > LOG_BLOB_MAX)
		return err_set(e, ERR_LIMIT, "%s: blob of %zu bytes, at most %zu wanted", log->path,
			len, LOG_BLOB_MAX);
	if (log_begin(log, e) != 0)
		return -1;
	crypto_hash_sha256(hash, data, len);
	sqlite3_bind_blob(log->put_blob, 1, hash, sizeof hash, SQLITE_STATIC);
	sqlite3_bind_blob(log->put_blob, 2, data, (int)len, SQLITE_STATIC);
	if (db_run(&log->db, log->put_blob, "write a blob", e) != 0) {
		log_rollback(log);
		return -1;
	}
	return 0;
}

/* --- reading back --------------------------------------------------------------------------- */

uint64_t log_size(const struct log *log)
{
	return log->now.tree.n;
}

const char *log_origin(const struct log *log)
{
	return log->origin;
}

bool log_is_closed(const struct log *log)
{
	return log->closed;
}

int log_root_at(struct log *log, uint64_t size, uint8_t root[32], struct err *e)
{
	if (size > log->now.tree.n)
		return err_set(e, ERR_INTERNAL, "%s: no tree of %llu leaves yet", log->path,
			(unsigned long long)size);
	if (size == log->now.tree.n) {
		merkle_root(&log->now.tree, root);
		return 0;
	}
	return merkle_root_at(size, log_read_node, log, root, e);
}

int log_dice_challenge(struct log *log, uint64_t size, const uint8_t package_id[16],
	uint8_t out[32], struct err *e)
{
	uint8_t root[32];

	if (log_root_at(log, size, root, e) != 0)
		return -1;
	dice_challenge(log->origin, size, root, package_id, out);
	return 0;
}

int log_each(struct log *log, int (*fn)(void *ctx, const struct leaf *leaf, struct err *e),
	void *ctx, struct err *e)
{
	AUTO(db_stmt_freep) sqlite3_stmt *s = NULL;
	struct leaf *leaf = malloc(sizeof *leaf);
	int rc = leaf ? 0 : err_set(e, ERR_ENV, "out of memory");

	if (rc == 0)
		rc = db_prepare(&log->db, &s, "SELECT data FROM leaf ORDER BY seq", e);
	while (rc == 0 && (rc = db_step(&log->db, s, "read a leaf", e)) == 1) {
		const void *text = sqlite3_column_text(s, 0);
		rc = leaf_check(leaf, log->path, text ? text : "",
			(size_t)sqlite3_column_bytes(s, 0), log->role, e);
		if (rc == 0)
			rc = fn(ctx, leaf, e);
		if (rc == 1) { /* enough */
			rc = 0;
			break;
		}
	}
	free(leaf);
	return rc < 0 ? -1 : 0;
}

int log_prove(struct log *log, uint64_t seq, struct buf *out, struct err *e)
{
	AUTO(db_stmt_freep) sqlite3_stmt *s = NULL;
	struct merkle_proof path;
	uint64_t size;

	if (log->in_tx)
		return err_set(e, ERR_INTERNAL, "%s: proof inside a transaction", log->path);
	size = log->now.tree.n;
	if (merkle_prove_inclusion(seq, size, log_read_node, log, &path, e) != 0)
		return err_wrap(e, "%s", log->path);
	if (db_prepare(&log->db, &s,
		    "SELECT data, note, (SELECT group_concat(line, '') FROM "
		    "cosignature "
		    "WHERE cosignature.size=checkpoint.size) FROM leaf, checkpoint WHERE seq=?1 "
		    "AND "
		    "size=?2",
		    e) != 0)
		return -1;
	sqlite3_bind_int64(s, 1, (int64_t)seq);
	sqlite3_bind_int64(s, 2, (int64_t)size);
	int rc = db_step(&log->db, s, "read a leaf and its checkpoint", e);
	if (rc == 0)
		return err_set(e, ERR_ENV, "%s: leaf %llu or the checkpoint is missing", log->path,
			(unsigned long long)seq);
	if (rc < 0)
		return -1;
	AUTO(buf_clear) struct buf note = { 0 };
	wr_str(&note, (const char *)sqlite3_column_text(s, 1));
	if (sqlite3_column_bytes(s, 2))
		wr_str(&note, (const char *)sqlite3_column_text(s, 2));
	if (buf_check(&note, "checkpoint", e) != 0)
		return -1;
	return proof_write(seq, sqlite3_column_text(s, 0), (size_t)sqlite3_column_bytes(s, 0),
		&path, (char *)note.p, note.len, out, e);
}

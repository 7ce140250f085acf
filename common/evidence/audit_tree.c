/* Rules 4 and 6: the tree over all leaves, every checkpoint and its two signatures, stored nodes,
 * cosignatures, and the checkpoints the auditor brought. Tables are walked beside the leaves, in
 * the order of their numbers. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "evidence/audit_impl.h"

#define TAG_EPOCH   0
#define TAG_STATION 1

int audit_tree_start(struct audit *a, struct err *e)
{
	if (db_prepare(&a->file.db, &a->checkpoints,
		    "SELECT size, note FROM checkpoint ORDER BY size", e) != 0 ||
		db_prepare(&a->file.db, &a->cosignatures,
			"SELECT size, line FROM cosignature ORDER BY size, line", e) != 0)
		return -1;
	/* The stored nodes are a convenience: the table may be missing or odd. */
	if (db_prepare(&a->file.db, &a->nodes, "SELECT id, hash FROM node ORDER BY id", NULL) != 0)
		a->nodes = NULL;
	int c = db_step(&a->file.db, a->checkpoints, "read the checkpoints of", e);
	int w = c < 0 ? -1 : db_step(&a->file.db, a->cosignatures, "read the cosignatures of", e);
	a->more_checkpoints = c == 1;
	a->more_cosignatures = w == 1;
	a->more_nodes = a->nodes && db_step(&a->file.db, a->nodes, "read", NULL) == 1;
	return w < 0 ? -1 : 0;
}

void audit_tree_clear(struct audit *a)
{
	db_stmt_freep(&a->checkpoints);
	db_stmt_freep(&a->cosignatures);
	db_stmt_freep(&a->nodes);
}

/* --- stored nodes ----------------------------------------------------------------------------- */

static void check_nodes(struct audit *a, uint64_t seq, uint8_t stored[64][MERKLE_HASH], size_t n)
{
	uint64_t id = merkle_node_id(0, seq);

	if (!a->nodes || a->nodes_differ)
		return;
	for (size_t i = 0; i < n; i++) {
		bool same = a->more_nodes &&
			    sqlite3_column_int64(a->nodes, 0) == (int64_t)(id + i) &&
			    sqlite3_column_bytes(a->nodes, 1) == MERKLE_HASH &&
			    memcmp(sqlite3_column_blob(a->nodes, 1), stored[i], MERKLE_HASH) == 0;
		if (!same) {
			a->nodes_differ = true;
			FAULT(a, "edited tree node", seq,
				"stored node %llu is not the hash of its leaves",
				(unsigned long long)(id + i));
			return;
		}
		a->more_nodes = db_step(&a->file.db, a->nodes, "read", NULL) == 1;
	}
}

/* --- checkpoints ------------------------------------------------------------------------------ */

static void wrong_text(struct audit *a, uint64_t n, const char *note, size_t len)
{
	struct note *parsed = malloc(sizeof *parsed);
	struct checkpoint c;
	struct err e = { 0 };

	if (!parsed)
		return;
	if (note_parse(parsed, "checkpoint", note, len, &e) != 0 ||
		checkpoint_parse(&c, "checkpoint", parsed->text, parsed->text_len, &e) != 0) {
		FAULT(a, "false checkpoint", n - 1, "the checkpoint of size %llu: %s",
			(unsigned long long)n, e.msg);
	} else if (strcmp(c.origin, a->r->origin) != 0) {
		FAULT(a, "false checkpoint", n - 1, "the checkpoint of size %llu is of the log %s",
			(unsigned long long)n, ESC(c.origin));
	} else if (c.size != n) {
		FAULT(a, "false checkpoint", n - 1,
			"the row of size %llu holds a checkpoint of size %llu",
			(unsigned long long)n, (unsigned long long)c.size);
	} else if (!a->tree_broken) {
		a->tree_broken = a->edited = true;
		FAULT(a, "edited leaf", n - 1,
			"the %llu leaves do not have the root that was signed: one since the "
			"checkpoint of size %llu was changed",
			(unsigned long long)n, (unsigned long long)a->last_checkpoint);
	}
	free(parsed);
}

static bool line_by(const struct note_line *l, const struct vkey *k)
{
	return memcmp(l->id, k->id, 4) == 0 && strlen(k->name) == l->name_len &&
	       memcmp(l->name, k->name, l->name_len) == 0;
}

/* One of the two signature lines: by this key and no other. The signature itself goes to the
 * pool. */
static void check_line(struct audit *a, uint64_t n, unsigned which, const struct vkey *key,
	const struct note_line *l, const char *text, size_t text_len)
{
	static const char *const who[] = { "epoch key in force", "station key" };

	if (line_by(l, key) && l->sig_len == 64) {
		sigpool_ed25519(a->pool, n << 1 | which, key->key, text, text_len, l->sig);
		return;
	}
	if (which == TAG_EPOCH && a->has_previous_key && line_by(l, &a->previous_key))
		FAULT(a, "epoch key out of force", n - 1,
			"the checkpoint of size %llu in epoch %llu is signed by the key of the "
			"epoch "
			"before",
			(unsigned long long)n, (unsigned long long)a->epoch);
	else
		FAULT(a, which == TAG_EPOCH ? "not signed by the epoch key" : "foreign station key",
			n - 1, "signature line %u of the checkpoint of size %llu is not by the %s",
			which + 1, (unsigned long long)n, who[which]);
}

/* The note of a checkpoint at the size just reached. */
static void check_checkpoint(struct audit *a, uint64_t n, const char *note, size_t len)
{
	AUTO(buf_clear) struct buf want = { 0 };
	struct checkpoint c = { .size = n };
	struct note_line line;
	struct err e = { 0 };

	memcpy(c.origin, a->r->origin, sizeof c.origin);
	merkle_root(&a->tree, c.root);
	checkpoint_text(&c, &want);
	size_t text_len = want.len;
	wr_u8(&want, '\n');
	if (want.bad)
		return;
	if (len < want.len || memcmp(note, want.p, want.len) != 0) {
		wrong_text(a, n, note, len);
		return;
	}
	const char *p = note + want.len, *end = note + len;
	for (unsigned which = TAG_EPOCH; which <= TAG_STATION; which++) {
		const char *lf = memchr(p, '\n', (size_t)(end - p));
		if (!lf || note_line_parse(&line, "line", p, (size_t)(lf - p), &e) != 0) {
			FAULT(a,
				which == TAG_EPOCH ? "not signed by the epoch key"
						   : "foreign station key",
				n - 1, "the checkpoint of size %llu lacks signature line %u",
				(unsigned long long)n, which + 1);
			return;
		}
		check_line(a, n, which, which == TAG_EPOCH ? &a->epoch_key : &a->station, &line,
			(char *)want.p, text_len);
		p = lf + 1;
	}
	if (p != end)
		FAULT(a, "false checkpoint", n - 1,
			"the checkpoint of size %llu has more than its two signatures",
			(unsigned long long)n);
}

/* --- witnesses -------------------------------------------------------------------------------- */

/* A known witness has seen the first n leaves at this time. */
static void witnessed(struct audit *a, uint64_t n, uint64_t time)
{
	int64_t ms = time > (uint64_t)(INT64_MAX / 1000) ? INT64_MAX : (int64_t)time * 1000;

	if (n > a->last_witnessed) {
		if (n - a->last_witnessed > a->r->longest_unwitnessed)
			a->r->longest_unwitnessed = n - a->last_witnessed;
		a->last_witnessed = n;
	}
	if (ms < a->time_ms - AUDIT_DAY_S * (int64_t)1000)
		WARN(a, "witness before leaf", n - 1,
			"a witness signed size %llu more than a day before the time leaf %llu "
			"claims",
			(unsigned long long)n, (unsigned long long)n - 1);
	if (ms > a->witness_floor)
		a->witness_floor = ms;
}

static void check_cosignature(struct audit *a, uint64_t n, const char *line, size_t len,
	const char *text, size_t text_len)
{
	struct note_line l;
	struct err e = { 0 };

	if (len == 0 || line[len - 1] != '\n') {
		FAULT(a, "false cosignature", n - 1, "size %llu: the line does not end in LF",
			(unsigned long long)n);
		return;
	}
	if (note_line_parse(&l, "cosignature", line, len - 1, &e) != 0) {
		FAULT(a, "false cosignature", n - 1, "size %llu: %s", (unsigned long long)n, e.msg);
		return;
	}
	for (size_t i = 0; i < a->n_witnesses; i++) {
		struct audit_witness *w = &a->witnesses[i];
		if (!line_by(&l, &w->key))
			continue;
		if (note_check_line(&w->key, text, text_len, &l, &e) != 0) {
			FAULT(a, "false cosignature", n - 1, "size %llu: %s", (unsigned long long)n,
				e.msg);
			return;
		}
		if (l.time < w->last_time)
			FAULT(a, "witness time going back", n - 1,
				"witness %s signed size %llu at an earlier time than a smaller "
				"size",
				w->key.name, (unsigned long long)n);
		w->last_time = l.time;
		w->last_size = n;
		witnessed(a, n, l.time);
		return;
	}
}

static int walk_cosignatures(struct audit *a, uint64_t n, bool has_checkpoint, struct err *e)
{
	AUTO(buf_clear) struct buf text = { 0 };
	int rc = a->more_cosignatures;

	while (rc == 1 && sqlite3_column_int64(a->cosignatures, 0) <= (int64_t)n) {
		const char *line = (const char *)sqlite3_column_text(a->cosignatures, 1);
		if (!has_checkpoint || sqlite3_column_int64(a->cosignatures, 0) != (int64_t)n) {
			WARN(a, "stray cosignature", -1,
				"a cosignature stands at size %lld, where no "
				"checkpoint is",
				(long long)sqlite3_column_int64(a->cosignatures, 0));
		} else if (line) {
			if (!text.len) {
				struct checkpoint c = { .size = n };
				memcpy(c.origin, a->r->origin, sizeof c.origin);
				merkle_root(&a->tree, c.root);
				checkpoint_text(&c, &text);
			}
			check_cosignature(a, n, line,
				(size_t)sqlite3_column_bytes(a->cosignatures, 1), (char *)text.p,
				text.len);
		}
		rc = db_step(&a->file.db, a->cosignatures, "read a cosignature of", e);
	}
	a->more_cosignatures = rc == 1;
	return rc < 0 ? -1 : 0;
}

static void mark_witnessed(struct audit *a, uint64_t n, const struct audit_mark *m)
{
	for (size_t i = 0; i < a->n_witnesses; i++)
		if (m->by[i])
			a->witnesses[i].last_size = n;
	witnessed(a, n, m->cosigned);
}

/* Do enough of the witnesses whom the order names stand behind all leaves? */
static void check_quorum(struct audit *a)
{
	AUTO(buf_clear) struct buf missing = { 0 };

	for (size_t i = 0; i < a->n_ordered; i++) {
		const struct audit_witness *w = &a->witnesses[a->ordered[i]];
		if (w->last_size == a->tree.n)
			a->r->cosigners++;
		else
			wr_printf(&missing, "%s %s (%llu leaves)", missing.len ? "," : "",
				w->key.name, (unsigned long long)w->last_size);
	}
	if (a->r->cosigners < a->r->quorum)
		WARN(a, "quorum missing", -1,
			"the order wants %zu of %zu witnesses behind all leaves, %zu signed; "
			"missing:%s",
			a->r->quorum, a->n_ordered, a->r->cosigners,
			missing.bad ? "" : buf_text(&missing));
}

/* Checkpoints the auditor brought: same size, same root. */
static void check_marks(struct audit *a, uint64_t n)
{
	uint8_t root[MERKLE_HASH];

	for (size_t i = 0; i < a->n_marks; i++) {
		const struct audit_mark *m = &a->marks[i];
		if (m->c.size != n)
			continue;
		merkle_root(&a->tree, root);
		if (memcmp(root, m->c.root, MERKLE_HASH) != 0)
			FAULT(a, "two heads", n - 1,
				"%s was signed for size %llu with another root: the log was forked "
				"or "
				"rewritten",
				m->name, (unsigned long long)n);
		else if (m->cosigned)
			mark_witnessed(a, n, m);
	}
}

/* --- one leaf --------------------------------------------------------------------------------- */

static int walk_checkpoints(struct audit *a, uint64_t n, bool *found, struct err *e)
{
	int rc = a->more_checkpoints;

	*found = false;
	while (rc == 1 && sqlite3_column_int64(a->checkpoints, 0) <= (int64_t)n) {
		int64_t size = sqlite3_column_int64(a->checkpoints, 0);
		const char *note = (const char *)sqlite3_column_text(a->checkpoints, 1);
		size_t len = (size_t)sqlite3_column_bytes(a->checkpoints, 1);
		if (size != (int64_t)n) {
			FAULT(a, "false checkpoint", -1, "a checkpoint stands at size %lld",
				(long long)size);
		} else {
			*found = true;
			a->r->checkpoints++;
			if (a->has_epoch_key)
				check_checkpoint(a, n, note ? note : "", note ? len : 0);
			a->last_checkpoint = n;
		}
		rc = db_step(&a->file.db, a->checkpoints, "read a checkpoint of", e);
	}
	a->more_checkpoints = rc == 1;
	return rc < 0 ? -1 : 0;
}

int audit_tree_leaf(struct audit *a, const void *bytes, size_t len, struct err *e)
{
	uint8_t stored[64][MERKLE_HASH];
	uint64_t seq = a->tree.n, n = seq + 1;
	bool found;

	size_t k = merkle_append(&a->tree, bytes, len, stored);
	memcpy(a->last_hash, stored[0], MERKLE_HASH);
	if (walk_checkpoints(a, n, &found, e) != 0 || walk_cosignatures(a, n, found, e) != 0)
		return -1;
	if (!a->edited) /* else they differ as well, and that says nothing new */
		check_nodes(a, seq, stored, k);
	if (a->need_checkpoint == n && !found)
		FAULT(a, "seal without checkpoint", seq,
			"the end of epoch %llu is not signed: no checkpoint of size %llu",
			(unsigned long long)a->epoch, (unsigned long long)n);
	if (a->n_marks)
		check_marks(a, n);
	return 0;
}

/* --- end -------------------------------------------------------------------------------------- */

static void report_failed(struct audit *a)
{
	struct sigpool_failed *failed = calloc(SIGPOOL_FAILED_MAX, sizeof *failed);
	size_t n = 0;

	uint64_t all = failed ? sigpool_finish(a->pool, failed, &n) : 1;
	for (size_t i = 0; i < n; i++) {
		uint64_t tag = failed[i].tag;
		if (tag >> 63)
			FAULT(a, "receipt not from this die", tag & ~((uint64_t)1 << 63), "%s",
				failed[i].msg);
		else
			FAULT(a,
				tag & TAG_STATION ? "false station signature"
						  : "false epoch signature",
				(tag >> 1) - 1,
				"the checkpoint of size %llu: the signature of the %s does not "
				"verify",
				(unsigned long long)(tag >> 1),
				tag & TAG_STATION ? "station key" : "epoch key in force");
	}
	for (size_t i = 0; i < n; i++)
		a->bad_receipts += failed[i].tag >> 63;
	if (all > n)
		FAULT(a, "false signatures", -1, "%llu more signatures do not verify",
			(unsigned long long)(all - n));
	free(failed);
}

int audit_tree_end(struct audit *a, struct err *e)
{
	uint64_t n = a->tree.n;

	report_failed(a);
	if (a->chain_broken)
		return 0;
	if (n && a->last_checkpoint != n)
		FAULT(a, "unsigned leaves", a->last_checkpoint,
			"leaves %llu to %llu are under no checkpoint",
			(unsigned long long)a->last_checkpoint, (unsigned long long)n - 1);
	if (a->more_checkpoints) {
		FAULT(a, "tail cut", n ? (int64_t)n - 1 : -1,
			"the file holds a checkpoint of size %lld, and only %llu leaves: the tail "
			"was "
			"cut after leaf %lld",
			(long long)sqlite3_column_int64(a->checkpoints, 0), (unsigned long long)n,
			(long long)n - 1);
		int rc = 1;
		while (rc == 1)
			rc = db_step(&a->file.db, a->checkpoints, "read a checkpoint of", e);
		if (rc < 0)
			return -1;
	}
	if (a->more_nodes && !a->nodes_differ && !a->edited)
		FAULT(a, "edited tree node", -1,
			"there are more stored nodes than the leaves make");
	for (size_t i = 0; i < a->n_marks; i++)
		if (a->marks[i].c.size > n)
			FAULT(a, "tail cut", n ? (int64_t)n - 1 : -1,
				"%s was signed for size %llu, the log ends after leaf %lld: its "
				"tail "
				"was cut",
				a->marks[i].name, (unsigned long long)a->marks[i].c.size,
				(long long)n - 1);
	if (n - a->last_witnessed > a->r->longest_unwitnessed)
		a->r->longest_unwitnessed = n - a->last_witnessed;
	a->r->witnessed = a->last_witnessed;
	check_quorum(a);
	return 0;
}

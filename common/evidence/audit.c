/* The examination: one pass over the leaves in their order, everything else beside it. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "evidence/audit_impl.h"
#include "evidence/log.h"

#define CLOCK_TOLERANCE_MS 2000
#define EPOCH_SLACK_MS	   60000 /* a transaction may be open when an epoch is due */

const char *audit_verdict_name(enum audit_verdict v)
{
	switch (v) {
	case AUDIT_PASS:
		return "PASS";
	case AUDIT_INCOMPLETE:
		return "INCOMPLETE";
	case AUDIT_UNOWNED:
		return "UNOWNED";
	case AUDIT_FAIL:
		return "FAIL";
	}
	return "?";
}

/* --- findings --------------------------------------------------------------------------------- */

void audit_find(struct audit *a, enum audit_severity severity, const char *attack, int64_t leaf,
	const char *fmt, ...)
{
	struct audit_result *r = a->r;
	struct audit_finding *f = NULL;
	va_list ap;

	r->n_faults += severity == AUDIT_FAULT;
	r->n_warnings += severity == AUDIT_WARNING;
	if (r->n_findings < AUDIT_FINDINGS_MAX)
		f = &r->findings[r->n_findings++];
	/* A fault is never lost for warnings: it takes the place of one. */
	for (size_t i = 0; !f && severity == AUDIT_FAULT && i < AUDIT_FINDINGS_MAX; i++)
		if (r->findings[i].severity != AUDIT_FAULT)
			f = &r->findings[i];
	if (!f)
		return;
	f->severity = severity;
	f->leaf = leaf;
	snprintf(f->attack, sizeof f->attack, "%s", attack);
	va_start(ap, fmt);
	vsnprintf(f->text, sizeof f->text, fmt, ap);
	va_end(ap);
}

static int by_leaf(const void *x, const void *y)
{
	const struct audit_finding *a = x, *b = y;

	if (a->severity != b->severity)
		return a->severity > b->severity ? -1 : 1;
	if (a->leaf != b->leaf)
		return a->leaf < b->leaf ? -1 : 1;
	return strcmp(a->attack, b->attack);
}

/* --- rows that are not where they belong ------------------------------------------------------ */

/* Whether a leaf that calls itself `seq` stands in any later row. */
static bool stands_elsewhere(struct audit *a, int64_t row, uint64_t seq)
{
	AUTO(db_stmt_freep) sqlite3_stmt *s = NULL;
	char want[48];
	bool found = false;

	snprintf(want, sizeof want, "\"seq\":%llu,\"prev\":", (unsigned long long)seq);
	if (db_prepare(&a->file.db, &s,
		    "SELECT 1 FROM leaf WHERE seq>?1 AND instr(data,?2)>0 LIMIT 1", NULL) != 0)
		return false;
	sqlite3_bind_int64(s, 1, row);
	sqlite3_bind_text(s, 2, want, -1, SQLITE_STATIC);
	found = sqlite3_step(s) == SQLITE_ROW;
	sqlite3_reset(s);
	return found;
}

/* The seq a leaf's bytes claim, without believing anything else in them. */
static bool claimed_seq(const char *p, size_t len, uint64_t *out)
{
	static const char mark[] = "\"seq\":";
	const char *q = memmem(p, len < 120 ? len : 120, mark, sizeof mark - 1);

	if (!q)
		return false;
	q += sizeof mark - 1;
	size_t n = strspn(q, "0123456789"), left = (size_t)(p + len - q);
	return decimal_parse(q, n < left ? n : left, INT64_MAX, out) == 0;
}

/* Row number or claimed number differ from what must come now: which attack that is. */
static void out_of_place(struct audit *a, int64_t row, bool claims, uint64_t claimed)
{
	uint64_t want = a->tree.n;

	a->chain_broken = true;
	if (want == 0 && (!claims || claimed > 0))
		FAULT(a, "head cut", 0, "the log begins with row %lld, leaf %lld: its head was cut",
			(long long)row, claims ? (long long)claimed : -1);
	else if (claims && claimed < want)
		FAULT(a, "inserted leaf", want, "row %lld holds a leaf that calls itself %llu",
			(long long)row, (unsigned long long)claimed);
	else if (claims && claimed == want)
		FAULT(a, "renumbered row", want, "leaf %llu stands in row %lld",
			(unsigned long long)want, (long long)row);
	else if (stands_elsewhere(a, row, want))
		FAULT(a, "reordered leaves", want,
			"row %lld holds leaf %lld, and leaf %llu comes later", (long long)row,
			claims ? (long long)claimed : -1, (unsigned long long)want);
	else
		FAULT(a, "deleted leaf", want, "leaf %llu is missing: row %lld holds leaf %lld",
			(unsigned long long)want, (long long)row, claims ? (long long)claimed : -1);
}

/* --- rule 9: clocks --------------------------------------------------------------------------- */

static void clock_leaf(struct audit *a, const struct leaf *l)
{
	char before[32], after[32];
	int64_t w0, w1, b0 = leaf_int(l, LM_BOOT_MS_BEFORE, -1);
	int64_t b1 = leaf_int(l, LM_BOOT_MS_AFTER, -1), delta = leaf_int(l, LM_DELTA_MS, 0);
	bool other_boot = strcmp(a->boot_id, l->boot_id) != 0;

	if (leaf_text(l, LM_WALL_BEFORE, before, sizeof before) != 0 ||
		leaf_text(l, LM_WALL_AFTER, after, sizeof after) != 0 ||
		time_parse_ms(before, &w0) != 0 || time_parse_ms(after, &w1) != 0)
		return;
	int64_t want = w1 - w0 - (other_boot ? 0 : b1 - b0);
	if (w0 != a->time_ms || w1 != l->time_ms || b0 != a->boot_ms || b1 != l->boot_ms ||
		delta != want || leaf_is(l, LM_CAUSE, "boot-changed") != other_boot)
		FAULT(a, "false clock leaf", l->seq,
			"it does not say what the clocks of the leaves beside it say");
	else if (other_boot)
		WARN(a, "restart", l->seq, "the station was restarted");
	else
		WARN(a, w1 < w0 ? "clock going back" : "clock jump", l->seq,
			"the station's wall clock was moved by %lld s, and the log says so",
			(long long)(delta / 1000));
}

static int check_clock(struct audit *a, const struct leaf *l, struct err *e)
{
	int64_t before;

	if (a->has_clock) {
		bool same_boot = strcmp(a->boot_id, l->boot_id) == 0;
		int64_t wall = l->time_ms - a->time_ms, boot = l->boot_ms - a->boot_ms;
		if (same_boot && boot < 0)
			FAULT(a, "clock going back", l->seq,
				"the boot-time clock goes back by %lld ms within one boot",
				(long long)-boot);
		if (l->kind == LEAF_CLOCK)
			clock_leaf(a, l);
		else if (!same_boot)
			FAULT(a, "hidden restart", l->seq,
				"another boot id, and no clock leaf before it");
		else if (wall < 0)
			FAULT(a, "clock going back", l->seq,
				"the wall clock goes back by %lld ms, and no clock leaf says so",
				(long long)-wall);
		else if (wall - boot > CLOCK_TOLERANCE_MS || boot - wall > CLOCK_TOLERANCE_MS)
			FAULT(a, "clock jump", l->seq,
				"wall clock and boot-time clock differ by %lld ms, and no clock "
				"leaf "
				"says so",
				(long long)(wall - boot));
	}
	if (!a->has_clock || strcmp(a->boot_id, l->boot_id) != 0) {
		if (audit_index_see(&a->index, SEEN_BOOT_ID, l->boot_id, 36, (int64_t)l->seq,
			    &before, e) != 0)
			return -1;
		if (before >= 0)
			FAULT(a, "backdated entries", l->seq,
				"a boot that ended comes back (first seen at leaf %lld)",
				(long long)before);
	}
	if (a->witness_floor && !a->backdated &&
		l->time_ms < a->witness_floor - AUDIT_DAY_S * (int64_t)1000) {
		a->backdated = true;
		WARN(a, "backdated entries", l->seq,
			"the leaf claims a time more than a day before a witness signed the leaves "
			"before it");
	}
	a->has_clock = true;
	a->time_ms = l->time_ms;
	a->boot_ms = l->boot_ms;
	memcpy(a->boot_id, l->boot_id, sizeof a->boot_id);
	return 0;
}

/* --- rule 5: epochs --------------------------------------------------------------------------- */

/* Before the seal goes into the tree: number, position, root. */
static void check_seal(struct audit *a, const struct leaf *l)
{
	uint8_t root[32], have[32];

	if (leaf_int(l, LM_EPOCH, -1) != (int64_t)a->epoch)
		FAULT(a,
			leaf_int(l, LM_EPOCH, -1) > (int64_t)a->epoch ? "epoch skipped"
								      : "epoch resealed",
			l->seq, "seal of epoch %lld, epoch %llu is open",
			(long long)leaf_int(l, LM_EPOCH, -1), (unsigned long long)a->epoch);
	merkle_root(&a->tree, root);
	if (leaf_int(l, LM_SIZE, -1) != (int64_t)l->seq ||
		leaf_base64(l, LM_ROOT, have, sizeof have) != 0 ||
		(memcmp(root, have, 32) != 0 && !a->tree_broken))
		FAULT(a, "false seal", l->seq,
			"size or root of the seal are not those of the leaves before it");
	if (!leaf_has(l, LM_NEXT) && (!a->close_seen || a->close_leaf != (int64_t)l->seq - 1))
		FAULT(a, "false seal", l->seq, "the last seal does not follow a close leaf");
	if (leaf_has(l, LM_NEXT) && a->close_seen)
		FAULT(a, "closed log continued", l->seq, "a seal after close names another key");
	if (strcmp(a->epoch_boot, l->boot_id) == 0 &&
		l->boot_ms - a->epoch_start_ms > LOG_EPOCH_MS + EPOCH_SLACK_MS)
		WARN(a, "epoch not sealed in time", l->seq,
			"epoch %llu lasted %lld s: history could be rewritten that long",
			(unsigned long long)a->epoch,
			(long long)(l->boot_ms - a->epoch_start_ms) / 1000);
	a->need_checkpoint = l->seq + 1;
}

/* After its checkpoint, signed by the old key, was checked: the new key is in force. */
static int next_epoch(struct audit *a, const struct leaf *l, struct err *e)
{
	char text[VKEY_TEXT_CAP];
	struct err pe = { 0 };
	int64_t before;

	a->r->epochs++;
	a->epoch++;
	a->epoch_start_ms = l->boot_ms;
	memcpy(a->epoch_boot, l->boot_id, sizeof a->epoch_boot);
	if (!leaf_has(l, LM_NEXT)) {
		a->final_seal = true;
		return 0;
	}
	a->previous_key = a->epoch_key;
	a->has_previous_key = a->has_epoch_key;
	a->has_epoch_key = leaf_text(l, LM_NEXT, text, sizeof text) == 0 &&
			   vkey_parse(&a->epoch_key, "next", text, &pe) == 0 &&
			   strcmp(a->epoch_key.name, a->r->origin) == 0;
	if (!a->has_epoch_key) {
		FAULT(a, "false seal", l->seq, "the next epoch key is not under the origin");
		return 0;
	}
	if (audit_index_see(&a->index, SEEN_EPOCH_KEY, a->epoch_key.key, 32, (int64_t)l->seq,
		    &before, e) != 0)
		return -1;
	if (before >= 0)
		FAULT(a, "epoch resealed", l->seq,
			"the next epoch key is one that was used before (leaf %lld)",
			(long long)before);
	return 0;
}

/* --- rule 10 ---------------------------------------------------------------------------------- */

static void check_totals(struct audit *a, const struct leaf *l)
{
	const struct audit_totals *t = &a->r->totals;
	const uint64_t want[] = { l->seq, t->begun, t->irreversible, t->passed, t->failed,
		t->interrupted, t->attested };
	static const char *const names[] = { "leaves", "begun", "irreversible", "passed", "failed",
		"interrupted", "attested" };

	for (unsigned i = 0; i < 7; i++) {
		int64_t have = leaf_int(l, (enum leaf_member)(LM_TOTAL_LEAVES + i), -1);
		if (have != (int64_t)want[i])
			FAULT(a, "false totals", l->seq, "close says %lld %s, the leaves make %llu",
				(long long)have, names[i], (unsigned long long)want[i]);
	}
	a->close_seen = true;
	a->close_leaf = (int64_t)l->seq;
}

/* --- one row ---------------------------------------------------------------------------------- */

static int judge(struct audit *a, const struct leaf *l, struct err *e)
{
	if (a->final_seal)
		FAULT(a, "closed log continued", l->seq, "a leaf stands after the last seal");
	else if (a->close_seen && l->kind != LEAF_EPOCH_SEAL)
		FAULT(a, "closed log continued", l->seq, "a leaf stands after close");
	if (l->kind == LEAF_GENESIS && l->seq > 0)
		FAULT(a, "second genesis", l->seq, "genesis stands only at the start");
	if (check_clock(a, l, e) != 0)
		return -1;
	if (l->kind == LEAF_GENESIS && l->seq == 0 && audit_genesis(a, l, e) != 0)
		return -1;
	if (l->kind == LEAF_EPOCH_SEAL)
		check_seal(a, l);
	if (l->kind == LEAF_CLOSE)
		check_totals(a, l);
	return 0;
}

/* The leaf is in its place and well-formed: rules before it enters the tree, the tree, rules that
 * need the tree with it. */
static int good_leaf(struct audit *a, const struct leaf *l, struct err *e)
{
	struct audit_result *r = a->r;

	if (memcmp(l->prev, a->last_hash, 32) != 0 && !a->edited) {
		a->edited = true;
		a->tree_broken = true; /* the roots say the same: once is enough */
		FAULT(a, "edited leaf", l->seq ? (int64_t)l->seq - 1 : 0,
			l->seq ? "its hash is not the one that leaf %llu names: one of the two was "
				 "changed"
			       : "leaf %llu names a leaf before it",
			(unsigned long long)l->seq);
	}
	if (judge(a, l, e) != 0 || audit_tree_leaf(a, l->bytes, l->len, e) != 0)
		return -1;
	if (l->kind == LEAF_EPOCH_SEAL && next_epoch(a, l, e) != 0)
		return -1;
	if (audit_device_leaf(a, l, e) != 0)
		return -1;
	if (l->seq == 0)
		r->first_ms = l->time_ms;
	r->last_ms = l->time_ms;
	return a->expect->observe ? a->expect->observe(a->expect->observe_ctx, l, e) : 0;
}

static int one_row(struct audit *a, sqlite3_stmt *s, struct leaf *l, struct err *e)
{
	int64_t row = sqlite3_column_int64(s, 0);
	int type = sqlite3_column_type(s, 1);
	const char *data = type == SQLITE_BLOB ? sqlite3_column_blob(s, 1)
					       : (const char *)sqlite3_column_text(s, 1);
	size_t len = (size_t)sqlite3_column_bytes(s, 1);
	uint64_t want = a->tree.n, claimed = 0;
	char name[32];
	struct err pe = { 0 };

	if (!data)
		data = "";
	bool claims = claimed_seq(data, len, &claimed);
	if (row != (int64_t)want || (claims && claimed != want)) {
		out_of_place(a, row, claims, claimed);
		return 0;
	}
	a->r->bytes += len;
	if (want == 0 && type == SQLITE_TEXT && leaf_genesis_role(data, len, &a->role, &pe) == 0)
		a->r->role = a->role;
	if (type != SQLITE_TEXT) {
		FAULT(a, "wrong type", want, "the leaf is stored as %s, TEXT wanted",
			type == SQLITE_BLOB ? "BLOB" : "a number or NULL");
	} else if (leaf_check(l, "leaf", data, len, a->role, &pe) == 0) {
		return good_leaf(a, l, e);
	} else {
		/* Once more for the message: names are not made a million times for nothing. */
		snprintf(name, sizeof name, "leaf %llu", (unsigned long long)want);
		if (leaf_check(l, name, data, len, a->role, &pe) == 0)
			return err_set(e, ERR_INTERNAL, "%s: two verdicts", name);
		FAULT(a, "malformed leaf", want, "%s", pe.msg);
	}
	/* Not a leaf, and yet a part of the tree: the signatures over it are still judged. */
	a->edited = true;
	a->tree_broken = true;
	return audit_tree_leaf(a, data, len, e);
}

static int all_rows(struct audit *a, struct err *e)
{
	AUTO(db_stmt_freep) sqlite3_stmt *s = NULL;
	struct leaf *l = calloc(1, sizeof *l);
	int rc = 0;

	if (!l)
		return err_set(e, ERR_ENV, "out of memory");
	if (db_prepare(&a->file.db, &s, "SELECT seq, data FROM leaf ORDER BY seq", e) != 0)
		rc = -1;
	while (rc == 0 && !a->chain_broken &&
		(rc = db_step(&a->file.db, s, "read the leaves of", e)) == 1)
		rc = one_row(a, s, l, e);
	free(l);
	return rc;
}

/* --- the whole -------------------------------------------------------------------------------- */

static void settle(struct audit *a)
{
	struct audit_result *r = a->r;

	r->leaves = a->tree.n;
	merkle_root(&a->tree, r->root);
	r->closed = a->final_seal;
	r->receipts -= a->bad_receipts < r->receipts ? a->bad_receipts : r->receipts;
	r->no_receipt += a->bad_receipts;
	r->receipts_by_ca = a->expect->dice_ca != NULL;
	if (r->leaves == 0 && r->n_faults == 0)
		FAULT(a, "head cut", -1, "the log holds no leaf");
	qsort(r->findings, r->n_findings, sizeof r->findings[0], by_leaf);
	if (r->n_faults)
		r->verdict = AUDIT_FAIL;
	else if (a->role != ROLE_WORKSPACE && !a->order.owned)
		r->verdict = AUDIT_UNOWNED;
	else if (a->role != ROLE_WORKSPACE && (!a->final_seal || r->cosigners < r->quorum))
		r->verdict = AUDIT_INCOMPLETE;
	else
		r->verdict = AUDIT_PASS;
}

/* The rest cannot be read: a finding about the file when SQLite blames the file. */
static int damaged(struct audit *a, struct err *e)
{
	if (e->code != ERR_ENV || !audit_is_damage(a))
		return -1;
	a->chain_broken = true;
	FAULT(a, "corrupt pages", a->tree.n ? (int64_t)a->tree.n - 1 : -1,
		"the database is damaged after %llu leaves: %s", (unsigned long long)a->tree.n,
		sqlite3_errstr(a->file.db.fault));
	err_clear(e);
	return 0;
}

static int examine(struct audit *a, struct err *e)
{
	int rc = audit_check_file(a, e);

	if (rc != 0)
		return rc < 0 ? -1 : 0;
	if (audit_index_open(&a->index, e) != 0 || sigpool_new(&a->pool, 0, e) != 0)
		return -1;
	if (audit_tree_start(a, e) != 0 || all_rows(a, e) != 0 || audit_tree_end(a, e) != 0)
		return damaged(a, e);
	if (a->chain_broken)
		return 0;
	audit_device_end(a);
	return audit_check_blobs(a, e) != 0 ? damaged(a, e) : 0;
}

int audit_verify(const char *path, const struct audit_expect *expect, struct audit_result *out,
	struct err *e)
{
	struct audit *a = calloc(1, sizeof *a);

	if (!a)
		return err_set(e, ERR_ENV, "out of memory");
	memset(out, 0, sizeof *out);
	out->quantity = -1;
	a->r = out;
	a->expect = expect;
	int rc = log_file_open(&a->file, path, e);
	if (rc == 0) {
		rc = examine(a, e);
		if (rc == 0)
			settle(a);
	}
	sigpool_free(a->pool);
	audit_tree_clear(a);
	audit_index_close(&a->index);
	log_file_close(&a->file);
	free(a);
	return rc;
}

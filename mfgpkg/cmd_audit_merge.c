/* mfgpkg audit merge, audit diff: several logs as one list of devices; what lies between two
 * states of one log. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/exit_status.h"
#include "base/fsio.h"
#include "base/json.h"
#include "base/text.h"
#include "evidence/db.h"
#include "evidence/log_file.h"
#include "evidence/merkle.h"
#include "mfgpkg/audit/expect.h"
#include "mfgpkg/audit/logs.h"
#include "mfgpkg/audit/rows.h"
#include "mfgpkg/commands.h"

/* --- audit merge ------------------------------------------------------------------------------ */

static const struct cli_option merge_options[] = {
	AUDIT_EXPECT_OPTIONS,
	{ "csv", 0, CLI_STRING, "FILE", "write one line a device of all logs", false },
	{ "allow-open", 0, CLI_FLAG, NULL, "exit 0 also for sound logs that are not closed yet",
		false },
	{ 0 },
};

/* Devices of all logs, the newest attempt of each in its log; a temporary database keeps memory
 * small. */
struct merge {
	struct db db;
	sqlite3_stmt *begin, *end;
	const struct cli_list *logs;
	struct audit_result *results; /* one a log */
	size_t log; /* being read */
};

static void merge_clear(struct merge *m)
{
	db_stmt_freep(&m->begin);
	db_stmt_freep(&m->end);
	db_close(&m->db);
	free(m->results);
}

static int merge_open(struct merge *m, struct err *e)
{
	if (db_open(&m->db, "", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL, e) != 0 ||
		db_exec(&m->db,
			"PRAGMA journal_mode=OFF; PRAGMA cache_size=-4096; CREATE TABLE device(log "
			"INT, seq INT, uuid TEXT, attempt INT, slot TEXT, begun TEXT, ended TEXT, "
			"result TEXT, reason TEXT, ms INT, PRIMARY KEY(log, seq)) WITHOUT ROWID; "
			"BEGIN",
			"make an index", e) != 0 ||
		db_prepare(&m->db, &m->begin,
			"INSERT INTO device(log,seq,uuid,attempt,slot,begun,result) "
			"VALUES(?1,?2,?3,?4,?5,?6,'unknown')",
			e) != 0 ||
		db_prepare(&m->db, &m->end,
			"UPDATE device SET ended=?3, result=?4, reason=?5, ms=?6 WHERE log=?1 AND "
			"seq=?2",
			e) != 0)
		return -1;
	return 0;
}

static void bind_text(sqlite3_stmt *s, int at, const struct leaf *l, enum leaf_member m)
{
	char text[1024];

	if (leaf_text(l, m, text, sizeof text) == 0)
		sqlite3_bind_text(s, at, text, -1, SQLITE_TRANSIENT);
	else
		sqlite3_bind_null(s, at);
}

static int merge_leaf(void *ctx, const struct leaf *l, struct err *e)
{
	struct merge *m = ctx;
	sqlite3_stmt *s = l->kind == LEAF_DEVICE_BEGIN ? m->begin : m->end;

	if (l->kind != LEAF_DEVICE_BEGIN && l->kind != LEAF_DEVICE_END)
		return 0;
	sqlite3_bind_int(s, 1, (int)m->log);
	if (l->kind == LEAF_DEVICE_BEGIN) {
		sqlite3_bind_int64(s, 2, (int64_t)l->seq);
		bind_text(s, 3, l, LM_UUID);
		sqlite3_bind_int64(s, 4, leaf_int(l, LM_ATTEMPT, 0));
		bind_text(s, 5, l, LM_SLOT);
		bind_text(s, 6, l, LM_TIME);
	} else {
		sqlite3_bind_int64(s, 2, leaf_int(l, LM_BEGIN, -1));
		bind_text(s, 3, l, LM_TIME);
		bind_text(s, 4, l, LM_RESULT);
		bind_text(s, 5, l, LM_REASON);
		sqlite3_bind_int64(s, 6, leaf_int(l, LM_MS, 0));
	}
	return db_run(&m->db, s, "remember a device", e);
}

static int write_csv(struct merge *m, const char *path, const struct audit_result *results,
	const struct cli_list *logs, struct err *e)
{
	static const char *const names[] = { "attempt", "slot", "begun", "ended", "result",
		"reason", "ms" };
	AUTO(db_stmt_freep) sqlite3_stmt *s = NULL;
	struct oem_rows rows;
	int rc;

	if (oem_rows_open(&rows, path, e) != 0 ||
		db_prepare(&m->db, &s,
			"SELECT log,uuid,attempt,slot,begun,ended,result,reason,ms FROM device "
			"ORDER BY "
			"begun, log, seq",
			e) != 0) {
		oem_rows_drop(&rows);
		return -1;
	}
	fputs("log,origin,order,station,verdict,uuid", rows.f);
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		oem_csv_cell(rows.f, names[i], true);
	fputs("\r\n", rows.f);
	while ((rc = db_step(&m->db, s, "list devices", e)) == 1) {
		const struct audit_result *r = &results[sqlite3_column_int(s, 0)];
		oem_csv_cell(rows.f, logs->v[sqlite3_column_int(s, 0)], false);
		oem_csv_cell(rows.f, r->origin, true);
		oem_csv_cell(rows.f, r->order_id, true);
		oem_csv_cell(rows.f, r->station.name, true);
		oem_csv_cell(rows.f, audit_verdict_name(r->verdict), true);
		for (int i = 1; i < 9; i++) {
			const char *text = (const char *)sqlite3_column_text(s, i);
			oem_csv_cell(rows.f, text ? text : "", true);
		}
		fputs("\r\n", rows.f);
	}
	if (rc == 0)
		rc = oem_rows_close(&rows, e);
	oem_rows_drop(&rows);
	return rc;
}

static void add_totals(struct audit_totals *sum, const struct audit_totals *t)
{
	sum->begun += t->begun;
	sum->irreversible += t->irreversible;
	sum->passed += t->passed;
	sum->failed += t->failed;
	sum->interrupted += t->interrupted;
	sum->attested += t->attested;
}

static int print_merge(const struct cli *c, const struct cli_list *logs,
	const struct audit_result *results, struct err *e)
{
	struct audit_totals sum = { 0 };
	AUTO(json_freep) json_t *list = json_array();
	typedef unsigned long long ull;

	if (!c->json)
		printf("%-11s %8s %8s %8s %8s %8s  %s\n", "verdict", "ordered", "begun", "passed",
			"failed", "interr.", "log");
	for (size_t i = 0; i < logs->n; i++) {
		const struct audit_result *r = &results[i];
		add_totals(&sum, &r->totals);
		if (c->json) {
			json_t *j = audit_result_json(r);
			json_object_set_new(j, "file", json_string(logs->v[i]));
			json_array_append_new(list, j);
			continue;
		}
		char ordered[24] = "-";
		if (r->quantity >= 0)
			snprintf(ordered, sizeof ordered, "%lld", (long long)r->quantity);
		printf("%-11s %8s %8llu %8llu %8llu %8llu  %s (%s)\n",
			audit_verdict_name(r->verdict), ordered, (ull)r->totals.begun,
			(ull)r->totals.passed, (ull)r->totals.failed, (ull)r->totals.interrupted,
			logs->v[i], *r->station.name ? r->station.name : "?");
		for (size_t k = 0; k < r->n_findings; k++)
			if (r->findings[k].severity == AUDIT_FAULT)
				printf("  fault: %s %lld: %s\n", r->findings[k].attack,
					(long long)r->findings[k].leaf, r->findings[k].text);
	}
	if (c->json) {
		AUTO(json_freep)
		json_t *j = json_pack("{s:s, s:{s:I, s:I, s:I, s:I, s:I, s:I}, s:O}", "type",
			"mfgpkg-audit-merge", "totals", "begun", (json_int_t)sum.begun,
			"irreversible", (json_int_t)sum.irreversible, "passed",
			(json_int_t)sum.passed, "failed", (json_int_t)sum.failed, "interrupted",
			(json_int_t)sum.interrupted, "attested", (json_int_t)sum.attested, "logs",
			list);
		return json_print(j, e);
	}
	printf("%-11s %8s %8llu %8llu %8llu %8llu  %zu logs\n", "together", "", (ull)sum.begun,
		(ull)sum.passed, (ull)sum.failed, (ull)sum.interrupted, logs->n);
	return 0;
}

static int merge_start(void *ctx, size_t i, const char *path, struct err *e)
{
	struct merge *m = ctx;

	(void)path;
	(void)e;
	m->log = i;
	return 0;
}

static int merge_done(void *ctx, const char *path, const struct audit_result *r,
	const struct audit_expect *x, struct err *e)
{
	struct merge *m = ctx;

	(void)x;
	m->results[m->log] = *r;
	for (size_t k = 0; k < m->log; k++)
		if (strcmp(m->results[k].origin, r->origin) == 0)
			return err_set(e, ERR_USAGE, "%s and %s are the same log: %s",
				m->logs->v[k], path, r->origin);
	return 0;
}

static int run_merge(const struct cli *c, struct err *e)
{
	AUTO(oem_audit_expect_clear) struct oem_audit_expect x = { 0 };
	AUTO(merge_clear) struct merge m = { .logs = &x.logs };
	struct oem_audit_visitor v = {
		.start = merge_start, .leaf = merge_leaf, .done = merge_done, .ctx = &m
	};
	const char *csv = cli_string(c, "csv", NULL);
	bool good;

	if (oem_audit_expect_read(&x, c, e) != 0 || merge_open(&m, e) != 0)
		return -1;
	m.results = calloc(x.logs.n, sizeof *m.results);
	if (!m.results)
		return err_set(e, ERR_ENV, "out of memory");
	if (oem_audit_logs(&x, &v, cli_flag(c, "allow-open"), &good, e) != 0 ||
		print_merge(c, &x.logs, m.results, e) != 0 ||
		(csv && write_csv(&m, csv, m.results, &x.logs, e) != 0))
		return -1;
	return good ? EXIT_OK : EXIT_AUDIT;
}

const struct cli_command oem_cmd_audit_merge = {
	.name = "audit merge",
	.operands = "LOG...",
	.min_operands = 0,
	.max_operands = SIZE_MAX,
	.summary = "logs of several stations and orders as one view",
	.options = merge_options,
	.run = run_merge,
};

/* --- audit diff ------------------------------------------------------------------------------- */

static const struct cli_option diff_options[] = {
	AUDIT_EXPECT_OPTIONS,
	{ "proof", 0, CLI_STRING, "FILE", "write the consistency proof, one base64 hash a line",
		false },
	{ 0 },
};

struct counts {
	uint64_t from, to, of[LEAF_KINDS];
};

static int count_leaf(void *ctx, const struct leaf *l, struct err *e)
{
	struct counts *n = ctx;

	(void)e;
	if (l->seq >= n->from && l->seq < n->to)
		n->of[l->kind]++;
	return 0;
}

/* A state of the log: a size, or a checkpoint file. */
static int read_state(const char *value, uint64_t *size, struct buf *note, struct err *e)
{
	struct note *parsed;
	struct checkpoint c;

	if (decimal_parse(value, strlen(value), INT64_MAX, size) == 0)
		return 0;
	if (fsio_read(value, NOTE_MAX, note, e) != 0)
		return -1;
	if (!(parsed = malloc(sizeof *parsed)))
		return err_set(e, ERR_ENV, "out of memory");
	int rc = note_parse(parsed, value, note->p, note->len, e);
	if (rc == 0)
		rc = checkpoint_parse(&c, value, parsed->text, parsed->text_len, e);
	free(parsed);
	if (rc == 0)
		*size = c.size;
	return rc;
}

static int write_proof(const char *log, const struct counts *n, const char *path, struct err *e)
{
	AUTO(log_file_close) struct log_file f = { 0 };
	AUTO(buf_clear) struct buf out = { 0 };
	struct merkle_proof p = { 0 };
	char text[BASE64_LEN(MERKLE_HASH) + 1];

	if (log_file_open(&f, log, e) != 0 || (n->from && merkle_prove_consistency(n->from, n->to,
								  log_file_node, &f, &p, e) != 0))
		return -1;
	for (size_t i = 0; i < p.n; i++)
		wr_printf(&out, "%s\n", base64_encode(text, p.hash[i], MERKLE_HASH));
	if (buf_check(&out, "proof", e) != 0)
		return -1;
	return fsio_write(path, out.p, out.len, 0644, e);
}

static int report_diff(const struct cli *c, const char *log, const struct counts *n,
	const struct audit_result *r, struct err *e)
{
	const char *proof = cli_string(c, "proof", NULL);

	for (size_t i = 0; r->n_faults && i < r->n_findings; i++)
		if (r->findings[i].severity == AUDIT_FAULT)
			return err_set(e, ERR_AUDIT, "%s: %s: %s", log, r->findings[i].attack,
				r->findings[i].text);
	if (n->to > r->leaves)
		return err_set(e, ERR_USAGE, "%s: has %llu leaves, not %llu", log,
			(unsigned long long)r->leaves, (unsigned long long)n->to);
	if (proof && write_proof(log, n, proof, e) != 0)
		return -1;
	if (c->json) {
		AUTO(json_freep) json_t *kinds = json_object();
		for (int k = 0; k < LEAF_KINDS; k++)
			if (n->of[k])
				json_object_set_new(kinds, leaf_kind_name((enum leaf_kind)k),
					json_integer((json_int_t)n->of[k]));
		AUTO(json_freep)
		json_t *j = json_pack("{s:s, s:s, s:I, s:I, s:O}", "type", "mfgpkg-audit-diff",
			"origin", r->origin, "from", (json_int_t)n->from, "to", (json_int_t)n->to,
			"added", kinds);
		return json_print(j, e);
	}
	printf("%s: size %llu extends size %llu: %llu leaves were added\n", r->origin,
		(unsigned long long)n->to, (unsigned long long)n->from,
		(unsigned long long)(n->to - n->from));
	for (int k = 0; k < LEAF_KINDS; k++)
		if (n->of[k])
			printf("  %8llu %s\n", (unsigned long long)n->of[k],
				leaf_kind_name((enum leaf_kind)k));
	return 0;
}

static int run_diff(const struct cli *c, struct err *e)
{
	AUTO(oem_audit_expect_clear) struct oem_audit_expect x = { 0 };
	AUTO(buf_clear) struct buf a = { 0 };
	AUTO(buf_clear) struct buf b = { 0 };
	struct counts n = { 0 };
	struct audit_known known[2];
	const char *const *v = c->operands.v;

	if (oem_audit_expect_read(&x, c, e) != 0 || read_state(v[1], &n.from, &a, e) != 0 ||
		read_state(v[2], &n.to, &b, e) != 0)
		return -1;
	if (n.from > n.to)
		return cli_usage(e, c,
			"the first state (size %llu) must not be the larger one (%llu)",
			(unsigned long long)n.from, (unsigned long long)n.to);
	/* That one extends the other shows when both are found in the log itself. */
	x.x.known = known;
	x.x.n_known = 0;
	if (a.len)
		known[x.x.n_known++] = (struct audit_known){ v[1], (const char *)a.p, a.len };
	if (b.len)
		known[x.x.n_known++] = (struct audit_known){ v[2], (const char *)b.p, b.len };
	x.x.observe = count_leaf;
	x.x.observe_ctx = &n;
	struct audit_result *r = calloc(1, sizeof *r);
	int rc = r ? audit_verify(v[0], &x.x, r, e) : err_set(e, ERR_ENV, "out of memory");
	if (rc == 0)
		rc = report_diff(c, v[0], &n, r, e);
	free(r);
	return rc != 0 ? -1 : EXIT_OK;
}

const struct cli_command oem_cmd_audit_diff = {
	.name = "audit diff",
	.operands = "LOG FROM TO",
	.min_operands = 3,
	.max_operands = 3,
	.summary = "what was added between two sizes or checkpoints, and that nothing else changed",
	.options = diff_options,
	.run = run_diff,
};

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/exit_status.h"
#include "base/fsio.h"
#include "base/json.h"
#include "base/text.h"
#include "evidence/audit.h"
#include "runner/admission.h"
#include "runner/commands.h"
#include "runner/logkeeper.h"
#include "runner/marks.h"
#include "runner/run_log.h"

static char *log_of(const struct cli *c, struct station *s, enum station_use use, struct err *e)
{
	AUTO(str_freep) char *dir = station_folder(c, e);

	if (!dir || station_open(s, dir, use, e) != 0)
		return NULL;
	return run_log_path(s, c->operands.v[0], e);
}

/* --- log verify -------------------------------------------------------------------------- */
#define NOTES_MAX     8
#define NOTE_FILE_MAX ((size_t)64 << 10)

/* Checkpoints that were kept elsewhere: the log must contain them. */
struct kept {
	struct buf text[NOTES_MAX];
	struct audit_known known[NOTES_MAX];
};

static void kept_clear(struct kept *k)
{
	for (size_t i = 0; i < NOTES_MAX; i++)
		buf_clear(&k->text[i]);
}

static int kept_read(struct kept *k, const struct cli *c, struct audit_expect *x, struct err *e)
{
	struct cli_list list = cli_list(c, "checkpoint");

	if (list.n > NOTES_MAX)
		return cli_usage(e, c, "--checkpoint: at most %d", NOTES_MAX);
	x->known = k->known;
	for (size_t i = 0; i < list.n; i++) {
		if (fsio_read(list.v[i], NOTE_FILE_MAX, &k->text[i], e) != 0)
			return -1;
		k->known[x->n_known++] = (struct audit_known){
			.name = list.v[i], .note = (const char *)k->text[i].p, .len = k->text[i].len
		};
	}
	return 0;
}

static int run_verify(const struct cli *c, struct err *e)
{
	AUTO(station_close) struct station s = { .lock = -1 };
	AUTO(str_freep) char *path = log_of(c, &s, STATION_LOOK, e);
	AUTO(buf_clear) struct buf text = { 0 };
	AUTO(kept_clear) struct kept kept = { 0 };
	static struct audit_result result;
	struct trust trust;

	if (!path || trust_store_load(&trust, &s, e) != 0)
		return -1;
	struct audit_expect expect = { .oem = trust.keys, .n_oem = trust.n, .log_key = &s.key };
	if (kept_read(&kept, c, &expect, e) != 0 || audit_verify(path, &expect, &result, e) != 0)
		return -1;
	if (c->json) {
		AUTO(json_freep) json_t *j = audit_result_json(&result);
		if (json_print(j, e) != 0)
			return -1;
	} else {
		audit_summary(&result, &text);
		if (buf_check(&text, path, e) != 0)
			return -1;
		fwrite(text.p, 1, text.len, stdout);
	}
	switch (result.verdict) {
	case AUDIT_PASS:
	case AUDIT_INCOMPLETE: /* the order is not closed yet: normal at the station */
	case AUDIT_UNOWNED:
		return EXIT_OK;
	case AUDIT_FAIL:
		break;
	}
	return EXIT_AUDIT;
}

static const struct cli_option verify_options[] = {
	STATE_OPTION,
	{ "checkpoint", 0, CLI_LIST, "NOTE", "the log must contain these checkpoints", false },
	{ 0 },
};

const struct cli_command run_cmd_log_verify = {
	"log verify",
	"ORDER_ID",
	1,
	1,
	"verify the log of an order as an auditor would",
	verify_options,
	run_verify,
};

/* --- log checkpoint ---------------------------------------------------------------------- */
static int run_checkpoint(const struct cli *c, struct err *e)
{
	AUTO(station_close) struct station s = { .lock = -1 };
	AUTO(str_freep) char *path = log_of(c, &s, STATION_LOOK, e);
	AUTO(buf_clear) struct buf note = { 0 };

	if (!path || log_checkpoint(path, &note, e) != 0)
		return -1;
	const char *out = cli_string(c, "output", NULL);
	if (out)
		return fsio_write(out, note.p, note.len, 0644, e);
	fwrite(note.p, 1, note.len, stdout);
	return 0;
}

static const struct cli_option output_options[] = {
	STATE_OPTION,
	{ "output", 'o', CLI_STRING, "FILE", "write here instead of standard output", false },
	{ 0 },
};

const struct cli_command run_cmd_log_checkpoint = {
	"log checkpoint",
	"ORDER_ID",
	1,
	1,
	"print the newest signed checkpoint: send it to the OEM now and then",
	output_options,
	run_checkpoint,
};

/* --- log export -------------------------------------------------------------------------- */
static int sql_error(sqlite3 *db, const char *what, struct err *e)
{
	return err_set(e, ERR_ENV, "%s: %s", what, db ? sqlite3_errmsg(db) : "out of memory");
}

/* A consistent copy in one file that travels alone, also while a run goes on. */
static int copy_log(const char *from, const char *to, struct err *e)
{
	AUTO(str_freep) char *tmp = NULL;
	sqlite3 *in = NULL, *out = NULL;
	int rc = -1;

	if (asprintf(&tmp, "%s.part", to) < 0) {
		tmp = NULL;
		return err_set(e, ERR_ENV, "out of memory");
	}
	unlink(tmp);
	if (sqlite3_open_v2(from, &in, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOFOLLOW, NULL) !=
		SQLITE_OK) {
		sql_error(in, from, e);
		goto out;
	}
	if (sqlite3_open_v2(tmp, &out, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL) !=
		SQLITE_OK) {
		sql_error(out, to, e);
		goto out;
	}
	sqlite3_backup *b = sqlite3_backup_init(out, "main", in, "main");
	if (!b || sqlite3_backup_step(b, -1) != SQLITE_DONE) {
		sqlite3_backup_finish(b);
		sql_error(out, to, e);
		goto out;
	}
	if (sqlite3_backup_finish(b) != SQLITE_OK ||
		sqlite3_exec(out, "PRAGMA journal_mode=DELETE", NULL, NULL, NULL) != SQLITE_OK) {
		sql_error(out, to, e);
		goto out;
	}
	rc = 0;
out:
	sqlite3_close(in);
	sqlite3_close(out);
	if (rc == 0 && rename(tmp, to) != 0)
		rc = err_errno(e, "%s: cannot write", to);
	if (rc != 0)
		unlink(tmp);
	return rc;
}

static int print_leaves(const char *path, struct err *e)
{
	sqlite3 *db = NULL;
	sqlite3_stmt *st = NULL;
	int rc = -1, step = SQLITE_ERROR;

	if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOFOLLOW, NULL) ==
			SQLITE_OK &&
		sqlite3_prepare_v2(db, "SELECT data FROM leaf ORDER BY seq", -1, &st, NULL) ==
			SQLITE_OK) {
		while ((step = sqlite3_step(st)) == SQLITE_ROW) {
			fwrite(sqlite3_column_text(st, 0), 1, (size_t)sqlite3_column_bytes(st, 0),
				stdout);
			putchar('\n');
		}
	}
	if (step == SQLITE_DONE)
		rc = 0;
	else
		sql_error(db, path, e);
	sqlite3_finalize(st);
	sqlite3_close(db);
	return rc;
}

static int run_export(const struct cli *c, struct err *e)
{
	AUTO(station_close) struct station s = { .lock = -1 };
	AUTO(str_freep) char *path = log_of(c, &s, STATION_LOOK, e);
	const char *out = cli_string(c, "output", NULL);

	if (!path)
		return -1;
	return out ? copy_log(path, out, e) : print_leaves(path, e);
}

static const struct cli_option export_options[] = {
	STATE_OPTION,
	{ "output", 'o', CLI_STRING, "FILE",
		"copy the whole log into one file for the OEM (default: leaves as JSON Lines)",
		false },
	{ 0 },
};

const struct cli_command run_cmd_log_export = {
	"log export",
	"ORDER_ID",
	1,
	1,
	"copy the log of an order, for the OEM or the auditor",
	export_options,
	run_export,
};

/* --- log close
 * ------------------------------------------------------------------------------------------------
 */
static int run_close(const struct cli *c, struct err *e)
{
	AUTO(str_freep) char *dir = station_folder(c, e);
	AUTO(station_close) struct station s = { .lock = -1 };
	AUTO(admission_clear) struct admission a = { 0 };
	AUTO(run_log_clear) struct run_log log = { 0 };
	const char *reason = cli_string(c, "reason", "operator");
	struct history *history = NULL;
	size_t open = 0;

	if (!dir)
		return -1;
	if (strcmp(reason, "operator") != 0 && strcmp(reason, "expired") != 0)
		return cli_usage(e, c, "--reason %s: operator or expired", reason);
	if (station_open(&s, dir, STATION_WORK, e) != 0 || admission_init(&a, &s, e) != 0)
		return -1;
	/* Its window may be over: only the signature counts here. */
	AUTO(str_freep) char *path = depot_order_path(&s, c->operands.v[0], e);
	if (!path || order_open(&a.order, path, &a.trust, NULL, e) != 0 ||
		run_log_resume(&log, &s, a.order, e) != 0)
		return -1;
	if (logkeeper_recover(log.log, &history, &open, e) != 0)
		return -1;
	history_free(history);
	if (log_close(log.log, reason, e) != 0)
		return -1;
	log_free(log.log);
	log.log = NULL;
	if (marks_log_of_file(&s, order_of(a.order)->id, log.path, e) != 0)
		return -1;
	if (c->verbosity >= 0)
		printf("order %s: log closed (%s)%s\n", order_of(a.order)->id, reason,
			open ? ", unfinished devices recorded as interrupted" : "");
	return 0;
}

static const struct cli_option close_options[] = {
	STATE_OPTION,
	{ "reason", 0, CLI_STRING, "WHY", "operator (default) or expired", false },
	{ 0 },
};

const struct cli_command run_cmd_log_close = {
	"log close",
	"ORDER_ID",
	1,
	1,
	"end an order for good: its log takes no more devices",
	close_options,
	run_close,
};

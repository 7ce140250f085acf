/* mfgpkg audit cosign - an OEM's witness: signs the newest checkpoint of a log, after it has seen
 * that the log extends what it signed before, and after it has written that down.
 * Source: format "evidence", section 3.3. */
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "base/exit_status.h"
#include "base/fsio.h"
#include "base/json.h"
#include "base/text.h"
#include "evidence/log_file.h"
#include "mfgpkg/audit/expect.h"
#include "mfgpkg/commands.h"
#include "mfgpkg/output.h"

static const struct cli_option options[] = {
	AUDIT_EXPECT_OPTIONS,
	{ "witness-key", 'k', CLI_STRING, "FILE",
		"secret key of the witness; made when it is not there", false },
	{ "name", 'n', CLI_STRING, "NAME", "name of the witness, e.g. acme.example/witness/qa",
		false },
	{ "state", 0, CLI_STRING, "DIR", "folder with what this witness signed before", false },
	{ "output", 'o', CLI_STRING, "FILE",
		"where the cosigned checkpoint goes (default: standard output)", false },
	{ "store", 0, CLI_FLAG, NULL, "also write the cosignature into the log file", false },
	{ 0 },
};

/* --- what the witness remembers --------------------------------------------------------------- */

static char *state_path(const char *dir, const char *origin)
{
	uint8_t hash[32];
	char name[80], hex[33];

	crypto_hash_sha256(hash, (const uint8_t *)origin, strlen(origin));
	snprintf(name, sizeof name, "%s.note", hex_encode(hex, hash, 16));
	return path_join(dir, name);
}

/* The origin of a log from its newest checkpoint, before anything is believed. */
static int read_origin(const char *log, char origin[NOTE_NAME_MAX + 1], struct err *e)
{
	AUTO(log_file_close) struct log_file f = { 0 };
	AUTO(buf_clear) struct buf note = { 0 };

	if (log_file_open(&f, log, e) != 0 || log_file_checkpoint(&f, UINT64_MAX, &note, e) != 0)
		return -1;
	const uint8_t *lf = note.len ? memchr(note.p, '\n', note.len) : NULL;
	size_t n = lf ? (size_t)(lf - note.p) : 0;
	if (n == 0 || n > NOTE_NAME_MAX)
		return err_set(e, ERR_REJECTED, "%s: its checkpoint has no origin", log);
	memcpy(origin, note.p, n);
	origin[n] = '\0';
	return origin_valid(origin)
		       ? 0
		       : err_set(e, ERR_REJECTED, "%s: origin \"%s\"", log, ESC(origin));
}

/* --- signing ---------------------------------------------------------------------------------- */

struct witness {
	struct log_key *key;
	struct vkey vkey;
	const char *name;
};

static void witness_clear(struct witness *w)
{
	log_key_free(w->key);
}

static int load_witness(struct witness *w, const struct cli *c, struct err *e)
{
	const char *path = cli_string(c, "witness-key", NULL);

	w->name = cli_string(c, "name", NULL);
	if (!path || !w->name)
		return cli_usage(e, c, "--witness-key FILE and --name NAME are needed");
	if (!origin_valid(w->name))
		return cli_usage(
			e, c, "--name \"%s\": letters, digits and . _ / - wanted", ESC(w->name));
	if (fsio_exists(path)) {
		if (log_key_load(&w->key, path, e) != 0)
			return -1;
	} else if (log_key_generate(&w->key, e) != 0 || log_key_save(w->key, path, e) != 0) {
		return -1;
	} else {
		cli_warn(c, "%s: made a new witness key", path);
	}
	return vkey_make(&w->vkey, w->name, VKEY_COSIGN, log_key_pub(w->key), e);
}

/* Verify the log with what was signed before as one more checkpoint that it must contain. */
static int verify(const char *log, const struct oem_audit_expect *x, const struct witness *w,
	const char *state, struct buf *before, struct audit_result *r, struct err *e)
{
	struct audit_expect mine = x->x;
	struct audit_known *known = calloc(x->x.n_known + 1, sizeof *known);
	struct vkey *witnesses = calloc(x->x.n_witnesses + 1, sizeof *witnesses);
	int rc = known && witnesses ? 0 : err_set(e, ERR_ENV, "out of memory");

	for (size_t i = 0; rc == 0 && i < x->x.n_known; i++)
		known[i] = x->x.known[i];
	for (size_t i = 0; rc == 0 && i < x->x.n_witnesses; i++)
		witnesses[i] = x->x.witnesses[i];
	if (rc == 0 && fsio_exists(state)) {
		rc = fsio_read(state, NOTE_MAX, before, e);
		known[mine.n_known++] =
			(struct audit_known){ state, (char *)before->p, before->len };
	}
	if (rc == 0) {
		witnesses[mine.n_witnesses++] = w->vkey;
		mine.known = known;
		mine.witnesses = witnesses;
		rc = audit_verify(log, &mine, r, e);
	}
	free(known);
	free(witnesses);
	if (rc != 0)
		return -1;
	for (size_t i = 0; r->n_faults && i < r->n_findings; i++)
		if (r->findings[i].severity == AUDIT_FAULT)
			return err_set(e, ERR_AUDIT, "%s: not cosigned: %s: %s", log,
				r->findings[i].attack, r->findings[i].text);
	return 0;
}

/* The checkpoint of exactly the verified size, its text and the two signatures of the log. */
static int checkpoint_of(const char *log, const struct audit_result *r, struct buf *note,
	size_t *text_len, struct err *e)
{
	AUTO(log_file_close) struct log_file f = { 0 };
	struct note *parsed = malloc(sizeof *parsed);
	struct checkpoint c;
	int rc = parsed ? log_file_open(&f, log, e) : err_set(e, ERR_ENV, "out of memory");

	if (rc == 0)
		rc = log_file_checkpoint(&f, r->leaves, note, e);
	if (rc == 0)
		rc = note_parse(parsed, log, note->p, note->len, e);
	if (rc == 0)
		rc = checkpoint_parse(&c, log, parsed->text, parsed->text_len, e);
	if (rc == 0)
		*text_len = parsed->text_len;
	free(parsed);
	if (rc != 0)
		return -1;
	if (c.size != r->leaves || memcmp(c.root, r->root, 32) != 0)
		return err_set(e, ERR_AUDIT, "%s: changed while it was examined", log);
	return 0;
}

static int store_line(const char *log, uint64_t size, const char *line, size_t len, struct err *e)
{
	struct db db = { 0 };
	sqlite3_stmt *s = NULL;
	int rc = db_open(&db, log, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW, NULL, e);

	if (rc == 0)
		rc = db_exec(&db, "PRAGMA synchronous=FULL", "open", e);
	if (rc == 0)
		rc = db_prepare(&db, &s,
			"INSERT INTO cosignature(size,line) VALUES(?1,?2) ON CONFLICT DO NOTHING",
			e);
	if (rc == 0) {
		sqlite3_bind_int64(s, 1, (int64_t)size);
		sqlite3_bind_text(s, 2, line, (int)len, SQLITE_STATIC);
		rc = db_run(&db, s, "write the cosignature", e);
	}
	db_stmt_freep(&s);
	db_close(&db);
	return rc;
}

static bool holds_line_of(const struct buf *note, const struct vkey *key, size_t text_len)
{
	char start[NOTE_NAME_MAX + 8];

	snprintf(start, sizeof start, "\xE2\x80\x94 %s ", key->name);
	return note->len > text_len &&
	       memmem(note->p + text_len, note->len - text_len, start, strlen(start)) != NULL;
}

/* The line this witness gave before for the very same checkpoint: it says when it was seen first,
 * and is given again. */
static bool take_earlier_line(
	const struct buf *before, const struct witness *w, size_t text_len, struct buf *note)
{
	struct err ignored; /* another state, or another key: a new line then */
	struct note *n = malloc(sizeof *n);
	bool found = false;

	if (n && before->len > text_len && memcmp(before->p, note->p, text_len) == 0 &&
		before->p[text_len] == '\n' &&
		note_open(n, "state", before->p, before->len, &w->vkey, 1, &ignored) == 0)
		for (size_t i = 0; i < n->n_lines && !found; i++)
			if (n->lines[i].key == 0) {
				wr_bytes(note, n->lines[i].line, n->lines[i].line_len);
				wr_str(note, "\n");
				found = true;
			}
	free(n);
	return found;
}

static int cosign(const struct cli *c, const char *log, const struct witness *w, const char *state,
	const struct buf *earlier, const struct audit_result *r, struct err *e)
{
	const char *to = cli_string(c, "output", NULL);
	AUTO(buf_clear) struct buf note = { 0 };
	size_t text_len;

	if (checkpoint_of(log, r, &note, &text_len, e) != 0)
		return -1;
	size_t before = note.len;
	if (!holds_line_of(&note, &w->vkey, text_len) &&
		!take_earlier_line(earlier, w, text_len, &note)) {
		/* Two states at one second still get the order of their sizes: times may be equal.
		 */
		AUTO(buf_clear) struct buf line = { 0 };
		if (log_key_cosign(w->key, w->name, (uint64_t)time(NULL), (char *)note.p, text_len,
			    &line, e) != 0)
			return -1;
		wr_bytes(&note, line.p, line.len);
	}
	if (buf_check(&note, "checkpoint", e) != 0)
		return -1;
	/* Remembered durably before anybody sees the line. */
	if (fsio_write(state, note.p, note.len, 0600, e) != 0)
		return -1;
	if (cli_flag(c, "store") && note.len > before &&
		store_line(log, r->leaves, (char *)note.p + before, note.len - before, e) != 0)
		return -1;
	if (!to) {
		if (fwrite(note.p, 1, note.len, stdout) != note.len)
			return err_set(e, ERR_ENV, "cannot write to standard output");
		return EXIT_OK;
	}
	if (output_write(to, note.p, note.len, 0644, e) != 0)
		return -1;
	if (c->verbosity >= 0) {
		char vkey[VKEY_TEXT_CAP];
		printf("%s: size %llu of %s, cosigned by %s\n", to, (unsigned long long)r->leaves,
			r->origin, vkey_text(&w->vkey, vkey));
	}
	return EXIT_OK;
}

static int lock_state(const char *dir, struct err *e)
{
	AUTO(str_freep) char *path = path_join(dir, "lock");
	int fd = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600) : -1;

	if (fd < 0)
		return err_errno(e, "%s: cannot lock the witness's folder", dir);
	while (flock(fd, LOCK_EX) != 0)
		if (errno != EINTR) {
			close(fd);
			return err_errno(e, "%s: cannot lock the witness's folder", dir);
		}
	return fd;
}

static int run_cosign(const struct cli *c, struct err *e)
{
	AUTO(oem_audit_expect_clear) struct oem_audit_expect x = { 0 };
	AUTO(witness_clear) struct witness w = { 0 };
	AUTO(buf_clear) struct buf before = { 0 };
	const char *dir = cli_string(c, "state", NULL), *log = c->operands.v[0];
	char origin[NOTE_NAME_MAX + 1];

	if (!dir)
		return cli_usage(
			e, c, "--state DIR: where does this witness remember what it signed?");
	if (oem_audit_expect_read(&x, c, e) != 0 || load_witness(&w, c, e) != 0 ||
		fsio_mkdirs(dir, 0700, e) != 0)
		return -1;
	AUTO(fd_closep) int lock = lock_state(dir, e);
	if (lock < 0 || read_origin(log, origin, e) != 0)
		return -1;
	AUTO(str_freep) char *state = state_path(dir, origin);
	struct audit_result *r = calloc(1, sizeof *r);
	int rc = state && r ? verify(log, &x, &w, state, &before, r, e)
			    : err_set(e, ERR_ENV, "out of memory");
	if (rc == 0 && strcmp(r->origin, origin) != 0)
		rc = err_set(e, ERR_AUDIT, "%s: its checkpoint is of another log", log);
	if (rc == 0)
		rc = cosign(c, log, &w, state, &before, r, e);
	free(r);
	return rc;
}

const struct cli_command oem_cmd_audit_cosign = {
	.name = "audit cosign",
	.operands = "LOG",
	.min_operands = 1,
	.max_operands = 1,
	.summary = "sign a log's newest checkpoint as a witness who remembers the last one",
	.options = options,
	.run = run_cosign,
};

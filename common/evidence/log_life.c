/* Making, resuming and closing a log. */
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/fsio.h"
#include "base/json.h"
#include "base/text.h"
#include "evidence/log_file.h"
#include "evidence/log_impl.h"

#define OS_RELEASE_MAX ((size_t)64 << 10)

/* --- the struct ------------------------------------------------------------------------------- */

static int real_clock(void *ctx, struct leaf_clock *out, struct err *e)
{
	(void)ctx;
	return leaf_clock_now(out, e);
}

static struct log *log_new(const struct log_open *o, struct err *e)
{
	struct log *log = calloc(1, sizeof *log);

	if (!log || !(log->path = strdup(o->path)) || !(log->epoch_dir = strdup(o->epoch_dir))) {
		log_free(log);
		err_set(e, ERR_ENV, "out of memory");
		return NULL;
	}
	snprintf(log->origin, sizeof log->origin, "%s", o->origin);
	log->role = o->role;
	log->station = o->station;
	log->epoch_ms = o->epoch_ms ? o->epoch_ms : LOG_EPOCH_MS;
	log->clock_fn = o->clock ? o->clock : real_clock;
	log->clock_ctx = o->clock_ctx;
	return log;
}

void log_free(struct log *log)
{
	if (!log)
		return;
	log_rollback(log);
	log_finalize_all(log);
	/* One file again while nobody writes; a failure leaves a -wal, which is as good. */
	if (log->db.h)
		sqlite3_exec(log->db.h, "PRAGMA journal_mode=DELETE", NULL, NULL, NULL);
	db_close(&log->db);
	log_key_free(log->epoch_key);
	free(log->path);
	free(log->epoch_dir);
	free(log);
}

void log_freep(struct log **log)
{
	log_free(*log);
	*log = NULL;
}

/* Exclusive locking: one writer, and no shared memory file that a copy would have to take along. */
static int open_db(struct log *log, const struct log_open *o, struct err *e)
{
	char mode[16] = "";
	AUTO(db_stmt_freep) sqlite3_stmt *s = NULL;

	if (db_open(&log->db, o->path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW, o->vfs, e) !=
		0)
		return -1;
	sqlite3_busy_timeout(log->db.h, o->wait_ms);
	if (db_exec(&log->db, "PRAGMA locking_mode=EXCLUSIVE", "lock", e) != 0 ||
		db_prepare(&log->db, &s, "PRAGMA journal_mode=WAL", e) != 0 ||
		db_step(&log->db, s, "open", e) < 0)
		return -1;
	snprintf(mode, sizeof mode, "%s", (const char *)sqlite3_column_text(s, 0));
	sqlite3_reset(s);
	if (strcmp(mode, "wal") != 0)
		return err_set(e, ERR_ENV, "%s: journal mode %s, wal wanted", o->path, mode);
	return db_exec(&log->db, "PRAGMA synchronous=FULL; PRAGMA temp_store=MEMORY", "open", e);
}

static int check_open(const struct log_open *o, struct err *e)
{
	if (!origin_valid(o->origin))
		return err_set(e, ERR_CONFIG,
			"log origin \"%s\": 1 to 128 of A-Z a-z 0-9 . _ / -, starting with a "
			"letter "
			"or digit, wanted",
			ESC(o->origin));
	if ((o->role == ROLE_ORDER) != (o->order != NULL))
		return err_set(e, ERR_INTERNAL, "role %s %s an order document",
			leaf_role_name(o->role), o->order ? "with" : "without");
	return 0;
}

/* --- genesis ---------------------------------------------------------------------------------- */

/* Digest of the running program's file, so that an auditor can tell which runner wrote a log. */
static int program_digest(char hex[65], struct err *e)
{
	AUTO(fd_closep) int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	uint8_t buf[65536], hash[32];
	ssize_t n = -1;
	int ok = fd >= 0 && md && EVP_DigestInit_ex(md, EVP_sha256(), NULL);

	while (ok && (n = read(fd, buf, sizeof buf)) > 0)
		ok = EVP_DigestUpdate(md, buf, (size_t)n);
	ok = ok && n == 0 && EVP_DigestFinal_ex(md, hash, NULL);
	EVP_MD_CTX_free(md);
	if (!ok)
		return err_set(e, ERR_ENV, "/proc/self/exe: cannot be read");
	hex_encode(hex, hash, sizeof hash);
	return 0;
}

/* PRETTY_NAME of os-release, or the kernel's name where there is none. */
static void os_name(char out[128], const struct utsname *u)
{
	AUTO(buf_clear) struct buf b = { 0 };
	const char *text, *p;

	snprintf(out, 128, "%s", u->sysname);
	if (fsio_read("/etc/os-release", OS_RELEASE_MAX, &b, NULL) != 0 || !(text = buf_text(&b)) ||
		!utf8_valid(b.p, b.len) || !(p = strstr(text, "PRETTY_NAME=\"")))
		return;
	p += strlen("PRETTY_NAME=\"");
	snprintf(out, 128, "%.*s", (int)strcspn(p, "\"\n"), p);
}

static json_t *genesis_members(
	const struct log_open *o, const char *epoch0, const char *station, struct err *e)
{
	char digest[65], os[128];
	struct utsname u;
	json_t *sigs = json_array();

	if (uname(&u) != 0 || program_digest(digest, e) != 0) {
		json_decref(sigs);
		return NULL;
	}
	os_name(os, &u);
	for (size_t i = 0; i < o->n_order_sigs; i++)
		json_array_append_new(sigs, json_string(o->order_sigs[i]));
	json_t *order = o->order ? json_stringn(o->order, o->order_len) : json_null();
	json_t *j = json_pack("{s:i, s:s, s:s, s:o, s:o, s:{s:s, s:s}, s:s, s:{s:s, s:s}, s:{s:s, "
			      "s:s, s:s}}",
		"format", 1, "role", leaf_role_name(o->role), "origin", o->origin, "order", order,
		"order_sigs", sigs, "station", "name", o->station_name, "key", station, "epoch0",
		epoch0, "runner", "version", o->version, "sha256", digest, "host", "os", os,
		"kernel", u.release, "machine", u.machine);
	if (!j)
		err_set(e, ERR_ENV, "cannot make the first leaf: out of memory or invalid text");
	return j;
}

static int create_schema(struct log *log, struct err *e)
{
	if (db_exec(&log->db,
		    "PRAGMA page_size=4096; PRAGMA encoding='UTF-8'; "
		    "PRAGMA application_id=1296451404; PRAGMA user_version=1; "
		    "PRAGMA synchronous=FULL",
		    "create the log", e) != 0)
		return -1;
	for (size_t i = 0; i < LOG_OBJECTS; i++)
		if (db_exec(&log->db, log_schema[i].sql, "create the log", e) != 0)
			return -1;
	return 0;
}

static int put_genesis(struct log *log, const struct log_open *o, struct err *e)
{
	AUTO(buf_clear) struct buf epoch0 = { 0 };
	AUTO(buf_clear) struct buf station = { 0 };
	struct leaf_clock clock;

	if (log_key_vkey(log->epoch_key, o->origin, &epoch0, e) != 0 ||
		log_key_vkey(o->station, o->station_name, &station, e) != 0)
		return -1;
	const char *epoch0_text = buf_text(&epoch0), *station_text = buf_text(&station);
	if (!epoch0_text || !station_text)
		return err_set(e, ERR_ENV, "out of memory");
	AUTO(json_freep) json_t *members = genesis_members(o, epoch0_text, station_text, e);
	if (!members || log->clock_fn(log->clock_ctx, &clock, e) != 0)
		return -1;
	log->sealing = true; /* no epoch to seal before genesis */
	int rc = log_begin(log, e);
	log->sealing = false;
	if (rc != 0 || log_put(log, "genesis", members, &clock, NULL, e) != 0)
		return -1;
	log->epoch_start = clock;
	return log_finish(log, e);
}

/* The first epoch key: the one prepared for the order when it is there, else a new one. */
static int first_epoch_key(struct log *log, struct err *e)
{
	AUTO(str_freep) char *path = log_epoch_path(log->epoch_dir, 0);

	if (!path)
		return err_set(e, ERR_ENV, "out of memory");
	if (fsio_exists(path))
		return log_key_load(&log->epoch_key, path, e);
	if (log_key_generate(&log->epoch_key, e) != 0)
		return -1;
	return log_key_save(log->epoch_key, path, e);
}

/* The whole beginning is written under another name: a log file never lacks its genesis. */
static int write_new(struct log *log, const struct log_open *o, const char *tmp, struct err *e)
{
	if (db_open(&log->db, tmp,
		    SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOFOLLOW, o->vfs,
		    e) != 0)
		return -1;
	if (create_schema(log, e) != 0 || log_prepare_all(log, e) != 0 ||
		put_genesis(log, o, e) != 0)
		return -1;
	log_finalize_all(log);
	db_close(&log->db);
	return 0;
}

int log_create(struct log **out, const struct log_open *o, struct err *e)
{
	AUTO(str_freep) char *tmp = NULL;
	AUTO(str_freep) char *dir = path_dirname(o->path);

	if (check_open(o, e) != 0)
		return -1;
	if (fsio_exists(o->path))
		return err_set(e, ERR_ENV, "%s: exists already, not replaced", o->path);
	if (!dir || asprintf(&tmp, "%s.new", o->path) < 0) {
		tmp = NULL;
		return err_set(e, ERR_ENV, "out of memory");
	}
	unlink(tmp); /* of an attempt that was interrupted */
	AUTO(log_freep) struct log *log = log_new(o, e);
	if (!log || first_epoch_key(log, e) != 0)
		return -1;
	if (write_new(log, o, tmp, e) != 0) {
		log_finalize_all(log);
		db_close(&log->db);
		unlink(tmp);
		return -1;
	}
	if (link(tmp, o->path) != 0) {
		err_errno(e, "%s: cannot create", o->path);
		unlink(tmp);
		return -1;
	}
	unlink(tmp);
	if (fsio_sync_dir(dir, e) != 0 || open_db(log, o, e) != 0 || log_prepare_all(log, e) != 0)
		return -1;
	*out = log;
	log = NULL;
	return 0;
}

/* --- resuming --------------------------------------------------------------------------------- */

struct found {
	uint64_t n;
	struct leaf first, last, seal;
	struct buf first_bytes, last_bytes, seal_bytes;
	bool has_seal;
};

static void found_clear(struct found *f)
{
	buf_clear(&f->first_bytes);
	buf_clear(&f->last_bytes);
	buf_clear(&f->seal_bytes);
}

static int read_one(
	struct log *log, const char *sql, struct buf *bytes, struct leaf *leaf, struct err *e)
{
	AUTO(db_stmt_freep) sqlite3_stmt *s = NULL;

	if (db_prepare(&log->db, &s, sql, e) != 0)
		return -1;
	int rc = db_step(&log->db, s, "read a leaf", e);
	if (rc != 1)
		return rc;
	wr_bytes(bytes, sqlite3_column_text(s, 0), (size_t)sqlite3_column_bytes(s, 0));
	if (buf_check(bytes, "leaf", e) != 0 ||
		leaf_check(leaf, log->path, bytes->p, bytes->len, log->role, e) != 0)
		return -1;
	return 1;
}

static int read_state(struct log *log, struct found *f, struct err *e)
{
	int64_t id, version, n, max;

	if (db_int(&log->db, "PRAGMA application_id", &id, e) != 0 ||
		db_int(&log->db, "PRAGMA user_version", &version, e) != 0)
		return -1;
	if (id != LOG_APPLICATION_ID || version != LOG_USER_VERSION)
		return err_set(e, ERR_FORMAT,
			"%s: not a log of this program (id %lld, version %lld)", log->path,
			(long long)id, (long long)version);
	if (db_int(&log->db, "SELECT count(*) FROM leaf", &n, e) != 0 ||
		db_int(&log->db, "SELECT max(seq) FROM leaf", &max, e) != 0)
		return -1;
	if (n < 1 || max != n - 1)
		return err_set(e, ERR_REJECTED, "%s: %lld leaves, the last one is number %lld",
			log->path, (long long)n, (long long)max);
	f->n = (uint64_t)n;
	if (read_one(log, "SELECT data FROM leaf WHERE seq=0", &f->first_bytes, &f->first, e) !=
			1 ||
		read_one(log, "SELECT data FROM leaf ORDER BY seq DESC LIMIT 1", &f->last_bytes,
			&f->last, e) != 1)
		return -1;
	int rc = read_one(log,
		"SELECT data FROM leaf WHERE data->>'$.kind'='epoch-seal' ORDER BY seq DESC LIMIT "
		"1",
		&f->seal_bytes, &f->seal, e);
	f->has_seal = rc == 1;
	return rc < 0 ? -1 : 0;
}

/* The tree must be what the last checkpoint says, and that one must be ours. */
static int check_tree(struct log *log, const struct found *f, struct err *e)
{
	AUTO(db_stmt_freep) sqlite3_stmt *s = NULL;
	uint8_t root[32], leaf[32];
	struct checkpoint c;
	struct vkey key;
	struct note *note = malloc(sizeof *note);
	int rc = -1;

	if (!note) {
		err_set(e, ERR_ENV, "out of memory");
	} else if (vkey_make(&key, log->origin, VKEY_ED25519, log_key_pub(log->station), e) == 0 &&
		   merkle_resume(&log->now.tree, f->n, log_read_node, log, e) == 0 &&
		   db_prepare(&log->db, &s,
			   "SELECT note FROM checkpoint ORDER BY size DESC LIMIT 1", e) == 0) {
		rc = db_step(&log->db, s, "read the last checkpoint", e);
		if (rc == 0)
			rc = err_set(e, ERR_REJECTED, "%s: no checkpoint", log->path);
		else if (rc == 1)
			rc = checkpoint_open(&c, note, log->path, sqlite3_column_text(s, 0),
				(size_t)sqlite3_column_bytes(s, 0), log->origin, &key, 1, 1, e);
	}
	free(note);
	if (rc != 0)
		return -1;
	merkle_root(&log->now.tree, root);
	if (c.size != f->n || memcmp(root, c.root, 32) != 0)
		return err_set(e, ERR_REJECTED,
			"%s: the last checkpoint (size %llu) does not fit the %llu leaves",
			log->path, (unsigned long long)c.size, (unsigned long long)f->n);
	merkle_leaf_hash(f->last.bytes, f->last.len, leaf);
	if (log_read_node(log, merkle_node_id(0, f->n - 1), log->now.last_hash, e) != 0)
		return -1;
	if (memcmp(leaf, log->now.last_hash, 32) != 0)
		return err_set(e, ERR_REJECTED, "%s: leaf %llu is not what was signed", log->path,
			(unsigned long long)f->n - 1);
	log->now.clock = (struct leaf_clock){ f->last.time_ms, f->last.boot_ms, "" };
	memcpy(log->now.clock.boot_id, f->last.boot_id, sizeof f->last.boot_id);
	return 0;
}

static int check_genesis(
	const struct log *log, const struct log_open *o, const struct found *f, struct err *e)
{
	char origin[NOTE_NAME_MAX + 1], key_text[VKEY_TEXT_CAP];
	struct vkey key;

	if (f->first.kind != LEAF_GENESIS ||
		leaf_text(&f->first, LM_ORIGIN, origin, sizeof origin) != 0 ||
		leaf_text(&f->first, LM_STATION_KEY, key_text, sizeof key_text) != 0 ||
		vkey_parse(&key, log->path, key_text, e) != 0)
		return err_set(e, ERR_REJECTED, "%s: leaf 0 is no genesis", log->path);
	if (!leaf_is(&f->first, LM_ROLE, leaf_role_name(o->role)) || strcmp(origin, o->origin) != 0)
		return err_set(e, ERR_REJECTED, "%s: is the log of %s, %s wanted", log->path,
			ESC(origin), o->origin);
	if (memcmp(key.key, log_key_pub(o->station), 32) != 0)
		return err_set(e, ERR_REJECTED, "%s: was begun with another station key (%s)",
			log->path, ESC(key.name));
	return 0;
}

/* Which epoch is open, and its key. Keys of others are left over from a crash. */
static int resume_epoch(struct log *log, const struct found *f, struct err *e)
{
	char text[VKEY_TEXT_CAP];
	struct vkey want;

	if (f->has_seal && !leaf_has(&f->seal, LM_NEXT)) {
		log->closed = true;
		return err_set(e, ERR_REJECTED, "%s: the log is closed", log->path);
	}
	log->epoch = f->has_seal ? (uint64_t)leaf_int(&f->seal, LM_EPOCH, 0) + 1 : 0;
	const struct leaf *names = f->has_seal ? &f->seal : &f->first;
	if (leaf_text(names, f->has_seal ? LM_NEXT : LM_EPOCH0, text, sizeof text) != 0 ||
		vkey_parse(&want, log->path, text, e) != 0)
		return err_set(e, ERR_REJECTED, "%s: no key of the open epoch", log->path);

	AUTO(str_freep) char *path = log_epoch_path(log->epoch_dir, log->epoch);
	AUTO(str_freep) char *next = log_epoch_path(log->epoch_dir, log->epoch + 1);
	AUTO(str_freep)
	char *old = log->epoch ? log_epoch_path(log->epoch_dir, log->epoch - 1) : strdup("");
	if (!path || !next || !old)
		return err_set(e, ERR_ENV, "out of memory");
	if (log_key_load(&log->epoch_key, path, e) != 0)
		return err_wrap(e, "%s: cannot be continued without the key of epoch %llu",
			log->path, (unsigned long long)log->epoch);
	if (memcmp(log_key_pub(log->epoch_key), want.key, 32) != 0)
		return err_set(e, ERR_REJECTED, "%s: is not the key of epoch %llu", path,
			(unsigned long long)log->epoch);
	if (log_epoch_wipe(next, e) != 0 || (*old && log_epoch_wipe(old, e) != 0))
		return -1;
	return log_epoch_seal(log, "start", false, e);
}

int log_resume(struct log **out, const struct log_open *o, struct err *e)
{
	AUTO(found_clear) struct found f = { 0 };

	if (check_open(&(struct log_open){ .origin = o->origin, .role = ROLE_WORKSPACE }, e) != 0)
		return -1;
	AUTO(log_freep) struct log *log = log_new(o, e);
	if (!log)
		return -1;
	if (open_db(log, o, e) != 0 || log_prepare_all(log, e) != 0 ||
		read_state(log, &f, e) != 0 || check_genesis(log, o, &f, e) != 0 ||
		check_tree(log, &f, e) != 0 || resume_epoch(log, &f, e) != 0)
		return -1;
	*out = log;
	log = NULL;
	return 0;
}

/* --- closing ---------------------------------------------------------------------------------- */

static const struct {
	const char *name, *sql;
} totals[] = {
#define COUNT(what) "SELECT count(" what ") FROM leaf WHERE data->>'$.kind'="
	{ "begun", COUNT("*") "'device-begin'" },
	{ "irreversible",
		COUNT("DISTINCT data->>'$.uuid'") "'device-end' AND data->>'$.irreversible'=1" },
	{ "passed", COUNT("*") "'device-end' AND data->>'$.result'='pass'" },
	{ "failed", COUNT("*") "'device-end' AND data->>'$.result'='fail'" },
	{ "interrupted", COUNT("*") "'device-end' AND data->>'$.result'='interrupted'" },
	{ "attested", COUNT("*") "'attestation' AND data->>'$.result'='ok'" },
#undef COUNT
};

static int put_close(struct log *log, const char *reason, struct err *e)
{
	struct leaf_clock clock;

	if (log_begin(log, e) != 0 || log_clock_leaf(log, &clock, e) != 0)
		return -1;
	json_t *t = json_object();
	json_object_set_new(t, "leaves", json_integer((json_int_t)log->now.tree.n));
	for (size_t i = 0; i < sizeof totals / sizeof totals[0]; i++) {
		int64_t n;
		if (db_int(&log->db, totals[i].sql, &n, e) != 0) {
			json_decref(t);
			return -1;
		}
		json_object_set_new(t, totals[i].name, json_integer(n));
	}
	AUTO(json_freep) json_t *members = json_pack("{s:s, s:o}", "reason", reason, "totals", t);
	if (!members)
		return err_set(e, ERR_ENV, "out of memory for a leaf");
	return log_put(log, "close", members, &clock, NULL, e);
}

int log_close(struct log *log, const char *reason, struct err *e)
{
	if (log_commit(log, e) != 0)
		return -1;
	/* The close leaf and the last seal are one transaction. */
	if (put_close(log, reason, e) != 0) {
		log_rollback(log);
		return -1;
	}
	if (log_epoch_seal(log, "close", true, e) != 0)
		return -1;
	log_finalize_all(log);
	if (db_exec(&log->db,
		    "PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode=DELETE; "
		    /* the lock ends with the next read, and the journal with it */
		    "PRAGMA locking_mode=NORMAL; SELECT count(*) FROM sqlite_schema",
		    "make one file of it", e) != 0)
		return -1;
	return 0;
}

int log_checkpoint(const char *path, struct buf *note, struct err *e)
{
	struct log_file f;

	if (log_file_open(&f, path, e) != 0)
		return -1;
	int rc = log_file_checkpoint(&f, UINT64_MAX, note, e);
	log_file_close(&f);
	return rc;
}

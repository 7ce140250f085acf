#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fsio.h"
#include "evidence/leaf.h"
#include "evidence/log_file.h"
#include "evidence/merkle.h"

#define COPY_TRIES 5 /* a writer may move pages from the -wal while we copy */

/* --- private copy --------------------------------------------------------------------------- */

static int copy_file(const char *from, const char *to, struct stat *st, struct err *e)
{
	AUTO(fd_closep) int in = open(from, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	AUTO(fd_closep) int out = -1;
	char buf[65536];
	ssize_t n;

	if (in < 0)
		return err_errno(e, "%s: cannot open", from);
	if (fstat(in, st) != 0 || !S_ISREG(st->st_mode))
		return err_set(e, ERR_ENV, "%s: not a regular file", from);
	out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (out < 0)
		return err_errno(e, "%s: cannot create", to);
	while ((n = read(in, buf, sizeof buf)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(e, "%s: cannot read", from);
		for (ssize_t done = 0, k; done < n; done += k)
			if ((k = write(out, buf + done, (size_t)(n - done))) < 0)
				return err_errno(e, "%s: cannot write the copy", to);
	}
	return 0;
}

static bool unchanged(const char *path, const struct stat *then)
{
	struct stat now;

	return stat(path, &now) == 0 && now.st_size == then->st_size &&
	       now.st_mtim.tv_sec == then->st_mtim.tv_sec &&
	       now.st_mtim.tv_nsec == then->st_mtim.tv_nsec;
}

static void remove_copy(char *dir)
{
	static const char *const names[] = { "log.db", "log.db-wal", "log.db-shm",
		"log.db-journal" };

	if (!dir)
		return;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		AUTO(str_freep) char *p = path_join(dir, names[i]);
		if (p)
			unlink(p);
	}
	rmdir(dir);
	free(dir);
}

/* Database and -wal as they were at one moment: neither changed while both were copied. */
static int make_copy(struct log_file *f, const char *path, const char *wal, struct err *e)
{
	const char *tmp = getenv("TMPDIR");
	struct stat db_st, wal_st;

	if (asprintf(&f->copy_dir, "%s/mfgpkg-audit.XXXXXX", tmp && *tmp ? tmp : "/tmp") < 0)
		f->copy_dir = NULL;
	if (!f->copy_dir || !mkdtemp(f->copy_dir)) {
		free(f->copy_dir);
		f->copy_dir = NULL;
		return err_errno(e, "cannot make a temporary folder");
	}
	AUTO(str_freep) char *db_copy = path_join(f->copy_dir, "log.db");
	AUTO(str_freep) char *wal_copy = path_join(f->copy_dir, "log.db-wal");
	if (!db_copy || !wal_copy)
		return err_set(e, ERR_ENV, "out of memory");
	for (int i = 0; i < COPY_TRIES; i++) {
		if (copy_file(path, db_copy, &db_st, e) != 0)
			return -1;
		if (!fsio_exists(wal)) { /* the writer closed the log meanwhile */
			unlink(wal_copy);
			if (unchanged(path, &db_st))
				return 0;
			continue;
		}
		if (copy_file(wal, wal_copy, &wal_st, e) != 0)
			return -1;
		if (unchanged(path, &db_st) && unchanged(wal, &wal_st))
			return 0;
	}
	return err_set(e, ERR_ENV, "%s: is being written too fast to be copied", path);
}

/* --- opening -------------------------------------------------------------------------------- */

static int harden(struct log_file *f, struct err *e)
{
	sqlite3 *h = f->db.h;

	sqlite3_limit(h, SQLITE_LIMIT_LENGTH, 4 << 20);
	sqlite3_limit(h, SQLITE_LIMIT_SQL_LENGTH, 65536);
	sqlite3_limit(h, SQLITE_LIMIT_ATTACHED, 0);
	sqlite3_limit(h, SQLITE_LIMIT_TRIGGER_DEPTH, 1);
	sqlite3_limit(h, SQLITE_LIMIT_COLUMN, 64);
	sqlite3_limit(h, SQLITE_LIMIT_VDBE_OP, 100000);
	if (db_exec(&f->db,
		    "PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON; PRAGMA mmap_size=0; "
		    "PRAGMA query_only=ON; PRAGMA temp_store=FILE",
		    "prepare for reading", e) != 0)
		return -1;
	return 0;
}

/* "file:" name of a path: what URIs treat specially is escaped. */
static char *immutable_uri(const char *path)
{
	AUTO(buf_clear) struct buf b = { 0 };
	char abs[PATH_MAX];

	if (path[0] != '/') {
		if (!getcwd(abs, sizeof abs))
			return NULL;
	} else {
		abs[0] = '\0';
	}
	wr_str(&b, "file://");
	for (int part = 0; part < 2; part++) {
		for (const char *p = part ? path : abs; *p; p++)
			if (strchr("%?# ", *p))
				wr_printf(&b, "%%%02X", (unsigned char)*p);
			else
				wr_u8(&b, (uint8_t)*p);
		if (!part && *abs)
			wr_u8(&b, '/');
	}
	wr_str(&b, "?immutable=1");
	const char *text = buf_text(&b);
	return text ? strdup(text) : NULL;
}

static int open_file(struct log_file *f, const char *path, struct err *e)
{
	AUTO(str_freep) char *wal = NULL;
	AUTO(str_freep) char *name = NULL;
	struct stat st;
	int flags = SQLITE_OPEN_NOFOLLOW;

	if (asprintf(&wal, "%s-wal", path) < 0) {
		wal = NULL;
		return err_set(e, ERR_ENV, "out of memory");
	}
	if (lstat(path, &st) != 0)
		return err_errno(e, "%s: cannot open", path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_ENV, "%s: not a regular file", path);
	f->had_wal = lstat(wal, &st) == 0 && st.st_size > 0;
	if (f->had_wal) {
		if (make_copy(f, path, wal, e) != 0)
			return -1;
		name = path_join(f->copy_dir, "log.db");
		flags |= SQLITE_OPEN_READWRITE; /* of the copy: SQLite takes the -wal in */
	} else {
		name = immutable_uri(path);
		flags |= SQLITE_OPEN_READONLY | SQLITE_OPEN_URI;
	}
	if (!name)
		return err_set(e, ERR_ENV, "out of memory");
	if (db_open(&f->db, name, flags, NULL, e) != 0)
		return -1;
	snprintf(f->db.path, sizeof f->db.path, "%s", path);
	return harden(f, e);
}

int log_file_open(struct log_file *out, const char *path, struct err *e)
{
	struct log_file f = { 0 };

	if (open_file(&f, path, e) != 0) {
		log_file_close(&f);
		return -1;
	}
	*out = f;
	return 0;
}

void log_file_close(struct log_file *f)
{
	db_close(&f->db);
	remove_copy(f->copy_dir);
	f->copy_dir = NULL;
}

/* --- reading -------------------------------------------------------------------------------- */

int log_file_leaf(struct log_file *f, uint64_t seq, struct buf *out, struct err *e)
{
	AUTO(db_stmt_freep) sqlite3_stmt *s = NULL;

	if (seq > INT64_MAX || db_prepare(&f->db, &s, "SELECT data FROM leaf WHERE seq=?1", e) != 0)
		return seq > INT64_MAX ? err_set(e, ERR_REJECTED, "%s: no leaf %llu", f->db.path,
						 (unsigned long long)seq)
				       : -1;
	sqlite3_bind_int64(s, 1, (int64_t)seq);
	int rc = db_step(&f->db, s, "read a leaf", e);
	if (rc < 0)
		return -1;
	if (rc == 0 || sqlite3_column_type(s, 0) != SQLITE_TEXT ||
		sqlite3_column_bytes(s, 0) > LEAF_MAX)
		return err_set(
			e, ERR_REJECTED, "%s: no leaf %llu", f->db.path, (unsigned long long)seq);
	wr_bytes(out, sqlite3_column_text(s, 0), (size_t)sqlite3_column_bytes(s, 0));
	return buf_check(out, "leaf", e);
}

int log_file_checkpoint(struct log_file *f, uint64_t size, struct buf *note, struct err *e)
{
	AUTO(db_stmt_freep) sqlite3_stmt *s = NULL, *c = NULL;

	if (db_prepare(&f->db, &s,
		    "SELECT size, note FROM checkpoint WHERE size<=?1 ORDER BY size DESC LIMIT 1",
		    e) != 0 ||
		db_prepare(&f->db, &c, "SELECT line FROM cosignature WHERE size=?1 ORDER BY line",
			e) != 0)
		return -1;
	sqlite3_bind_int64(s, 1, size > INT64_MAX ? INT64_MAX : (int64_t)size);
	int rc = db_step(&f->db, s, "read a checkpoint", e);
	if (rc < 0)
		return -1;
	if (rc == 0 || sqlite3_column_type(s, 1) != SQLITE_TEXT)
		return err_set(e, ERR_REJECTED, "%s: no checkpoint", f->db.path);
	wr_bytes(note, sqlite3_column_text(s, 1), (size_t)sqlite3_column_bytes(s, 1));
	sqlite3_bind_int64(c, 1, sqlite3_column_int64(s, 0));
	while ((rc = db_step(&f->db, c, "read a cosignature", e)) == 1) {
		/* kept with its LF */
		wr_bytes(note, sqlite3_column_text(c, 0), (size_t)sqlite3_column_bytes(c, 0));
	}
	return rc < 0 ? -1 : buf_check(note, "checkpoint", e);
}

int log_file_node(void *ctx, uint64_t id, uint8_t out[32], struct err *e)
{
	struct log_file *f = ctx;
	AUTO(db_stmt_freep) sqlite3_stmt *s = NULL;

	if (db_prepare(&f->db, &s, "SELECT hash FROM node WHERE id=?1", e) != 0)
		return -1;
	sqlite3_bind_int64(s, 1, (int64_t)id);
	int rc = db_step(&f->db, s, "read a tree node", e);
	if (rc < 0)
		return -1;
	if (rc == 0 || sqlite3_column_bytes(s, 0) != MERKLE_HASH)
		return err_set(e, ERR_REJECTED, "%s: tree node %llu is missing", f->db.path,
			(unsigned long long)id);
	memcpy(out, sqlite3_column_blob(s, 0), MERKLE_HASH);
	return 0;
}

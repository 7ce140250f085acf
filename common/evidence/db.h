/* db - the few SQLite calls the log needs, each fault an ERR_ENV that names file and action.
 * Internal to the evidence folder. */
#ifndef COMMON_EVIDENCE_DB_H
#define COMMON_EVIDENCE_DB_H

#include <sqlite3.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct db {
	sqlite3 *h;
	char path[512]; /* for messages */
	int fault; /* extended result code of the last fault, 0: none */
};

/* flags: SQLITE_OPEN_*. vfs may be NULL. The database is closed by db_close, also after failure. */
int db_open(struct db *db, const char *path, int flags, const char *vfs, struct err *e) CHECKED;
void db_close(struct db *db);

/* db_fault - record what SQLite says about the last call. Always -1. */
int db_fault(struct db *db, struct err *e, const char *action);

int db_exec(struct db *db, const char *sql, const char *action, struct err *e) CHECKED;
int db_prepare(struct db *db, sqlite3_stmt **out, const char *sql, struct err *e) CHECKED;

/* db_step - 1: a row, 0: done, -1. A statement that is done is reset. */
int db_step(struct db *db, sqlite3_stmt *s, const char *action, struct err *e) CHECKED;

/* db_run - run a prepared statement that gives no row, and reset it. */
int db_run(struct db *db, sqlite3_stmt *s, const char *action, struct err *e) CHECKED;

/* db_int - the single number a statement gives. */
int db_int(struct db *db, const char *sql, int64_t *out, struct err *e) CHECKED;

void db_stmt_freep(sqlite3_stmt **s); /* for AUTO() */

#endif

#include <stdio.h>
#include <string.h>

#include "evidence/db.h"

int db_fault(struct db *db, struct err *e, const char *action)
{
	int rc = sqlite3_extended_errcode(db->h);

	db->fault = rc;
	if ((rc & 0xFF) == SQLITE_BUSY)
		return err_set(e, ERR_ENV, "%s: cannot %s: another process is writing this log",
			db->path, action);
	return err_set(e, ERR_ENV, "%s: cannot %s: %s (SQLite %d)", db->path, action,
		db->h ? sqlite3_errmsg(db->h) : "out of memory", rc);
}

int db_open(struct db *db, const char *path, int flags, const char *vfs, struct err *e)
{
	snprintf(db->path, sizeof db->path, "%s", path);
	if (strlen(path) >= sizeof db->path)
		return err_set(e, ERR_ENV, "%s...: path too long", db->path);
	if (sqlite3_open_v2(path, &db->h, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
		    vfs) != SQLITE_OK)
		return db_fault(db, e, "open");
	sqlite3_db_config(db->h, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(db->h, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	return 0;
}

void db_close(struct db *db)
{
	sqlite3_close_v2(db->h);
	db->h = NULL;
}

int db_exec(struct db *db, const char *sql, const char *action, struct err *e)
{
	return sqlite3_exec(db->h, sql, NULL, NULL, NULL) == SQLITE_OK ? 0
								       : db_fault(db, e, action);
}

int db_prepare(struct db *db, sqlite3_stmt **out, const char *sql, struct err *e)
{
	return sqlite3_prepare_v3(db->h, sql, -1, SQLITE_PREPARE_PERSISTENT, out, NULL) == SQLITE_OK
		       ? 0
		       : db_fault(db, e, "prepare a statement");
}

int db_step(struct db *db, sqlite3_stmt *s, const char *action, struct err *e)
{
	int rc = sqlite3_step(s);

	if (rc == SQLITE_ROW)
		return 1;
	int fault = rc == SQLITE_DONE ? 0 : db_fault(db, e, action);
	sqlite3_reset(s);
	return fault;
}

int db_run(struct db *db, sqlite3_stmt *s, const char *action, struct err *e)
{
	int rc = db_step(db, s, action, e);

	sqlite3_reset(s);
	sqlite3_clear_bindings(s);
	return rc < 0 ? -1 : 0;
}

void db_stmt_freep(sqlite3_stmt **s)
{
	sqlite3_finalize(*s);
	*s = NULL;
}

int db_int(struct db *db, const char *sql, int64_t *out, struct err *e)
{
	AUTO(db_stmt_freep) sqlite3_stmt *s = NULL;

	if (db_prepare(db, &s, sql, e) != 0)
		return -1;
	int rc = db_step(db, s, sql, e);
	if (rc < 0)
		return -1;
	*out = rc ? sqlite3_column_int64(s, 0) : 0;
	return 0;
}

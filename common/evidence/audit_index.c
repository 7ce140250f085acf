/* What must be remembered about every device and every value that may appear once: a temporary
 * database without a name, kept in a small cache and spilled to disk by SQLite itself. */
#include <sodium.h>
#include <string.h>

#include "evidence/audit_impl.h"

int audit_index_open(struct audit_index *x, struct err *e)
{
	if (db_open(&x->db, "", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL, e) != 0)
		return -1;
	strcpy(x->db.path, "temporary index");
	if (db_exec(&x->db,
		    "PRAGMA cache_size=-4096; PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;"
		    "PRAGMA locking_mode=EXCLUSIVE;"
		    "CREATE TABLE device(uuid BLOB PRIMARY KEY, attempts INT, passes INT, "
		    "irreversible INT, last_begin INT, puk BLOB) WITHOUT ROWID;"
		    "CREATE TABLE seen(what INT, value BLOB, leaf INT, PRIMARY KEY(what, value)) "
		    "WITHOUT ROWID; BEGIN",
		    "make", e) != 0)
		return -1;
	if (db_prepare(&x->db, &x->get_device,
		    "SELECT attempts,passes,irreversible,last_begin,puk FROM device WHERE uuid=?1",
		    e) != 0 ||
		db_prepare(&x->db, &x->put_device, "REPLACE INTO device VALUES(?1,?2,?3,?4,?5,?6)",
			e) != 0 ||
		db_prepare(&x->db, &x->get_seen, "SELECT leaf FROM seen WHERE what=?1 AND value=?2",
			e) != 0 ||
		db_prepare(&x->db, &x->put_seen, "INSERT INTO seen VALUES(?1,?2,?3)", e) != 0)
		return -1;
	return 0;
}

void audit_index_close(struct audit_index *x)
{
	db_stmt_freep(&x->get_device);
	db_stmt_freep(&x->put_device);
	db_stmt_freep(&x->get_seen);
	db_stmt_freep(&x->put_seen);
	db_close(&x->db);
}

int audit_index_device(
	struct audit_index *x, const uint8_t uuid[16], struct audit_device *out, struct err *e)
{
	sqlite3_stmt *s = x->get_device;

	memset(out, 0, sizeof *out);
	sqlite3_bind_blob(s, 1, uuid, 16, SQLITE_STATIC);
	int rc = db_step(&x->db, s, "look a device up", e);
	if (rc == 1) {
		out->known = true;
		out->attempts = sqlite3_column_int64(s, 0);
		out->passes = sqlite3_column_int64(s, 1);
		out->irreversible = sqlite3_column_int64(s, 2) & 1;
		out->ended_irreversible = sqlite3_column_int64(s, 2) >> 1;
		out->last_begin = sqlite3_column_int64(s, 3);
		out->has_puk = sqlite3_column_bytes(s, 4) == 32;
		if (out->has_puk)
			memcpy(out->puk, sqlite3_column_blob(s, 4), 32);
	}
	sqlite3_reset(s);
	return rc < 0 ? -1 : 0;
}

int audit_index_save(
	struct audit_index *x, const uint8_t uuid[16], const struct audit_device *d, struct err *e)
{
	sqlite3_stmt *s = x->put_device;

	sqlite3_bind_blob(s, 1, uuid, 16, SQLITE_STATIC);
	sqlite3_bind_int64(s, 2, d->attempts);
	sqlite3_bind_int64(s, 3, d->passes);
	sqlite3_bind_int64(s, 4, d->irreversible | d->ended_irreversible << 1);
	sqlite3_bind_int64(s, 5, d->last_begin);
	if (d->has_puk)
		sqlite3_bind_blob(s, 6, d->puk, 32, SQLITE_STATIC);
	return db_run(&x->db, s, "remember a device", e);
}

static void digest(const void *value, size_t len, uint8_t out[32])
{
	crypto_generichash(out, 32, value, len, NULL, 0);
}

int audit_index_see(struct audit_index *x, enum audit_seen what, const void *value, size_t len,
	int64_t here, int64_t *leaf, struct err *e)
{
	uint8_t h[32];

	digest(value, len, h);
	sqlite3_bind_int(x->get_seen, 1, (int)what);
	sqlite3_bind_blob(x->get_seen, 2, h, sizeof h, SQLITE_STATIC);
	int rc = db_step(&x->db, x->get_seen, "look a value up", e);
	*leaf = rc == 1 ? sqlite3_column_int64(x->get_seen, 0) : -1;
	sqlite3_reset(x->get_seen);
	if (rc != 0)
		return rc < 0 ? -1 : 0;
	sqlite3_bind_int(x->put_seen, 1, (int)what);
	sqlite3_bind_blob(x->put_seen, 2, h, sizeof h, SQLITE_STATIC);
	sqlite3_bind_int64(x->put_seen, 3, here);
	return db_run(&x->db, x->put_seen, "remember a value", e);
}

int audit_index_seen(struct audit_index *x, enum audit_seen what, const void *value, size_t len,
	bool *out, struct err *e)
{
	uint8_t h[32];

	digest(value, len, h);
	sqlite3_bind_int(x->get_seen, 1, (int)what);
	sqlite3_bind_blob(x->get_seen, 2, h, sizeof h, SQLITE_STATIC);
	int rc = db_step(&x->db, x->get_seen, "look a value up", e);
	sqlite3_reset(x->get_seen);
	*out = rc == 1;
	return rc < 0 ? -1 : 0;
}

/* Rule 1: the file is a log database and holds nothing else; and the blobs it carries. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "evidence/audit_impl.h"
#include "evidence/log_impl.h"

#define OBJECTS_MAX 200
#define DAMAGE_MAX  5 /* lines of integrity_check that are shown */

/* Faults of SQLite that say something about the file, not about this machine. */
bool audit_is_damage(const struct audit *a)
{
	int rc = a->file.db.fault & 0xFF;

	return rc == SQLITE_CORRUPT || rc == SQLITE_NOTADB || rc == SQLITE_ERROR ||
	       rc == SQLITE_FORMAT || rc == SQLITE_TOOBIG || rc == SQLITE_CANTOPEN;
}

static int check_number(
	struct audit *a, const char *pragma, int64_t want, bool *same, struct err *e)
{
	int64_t v;
	char sql[64];

	snprintf(sql, sizeof sql, "PRAGMA %s", pragma);
	if (db_int(&a->file.db, sql, &v, e) != 0)
		return -1;
	*same = v == want;
	if (!*same)
		FAULT(a, "not a log of ours", -1, "%s is %lld, %lld wanted", pragma, (long long)v,
			(long long)want);
	return 0;
}

static int check_integrity(struct audit *a, struct err *e)
{
	AUTO(db_stmt_freep) sqlite3_stmt *s = NULL;
	int rc, lines = 0;

	if (db_prepare(&a->file.db, &s, "PRAGMA integrity_check(20)", e) != 0)
		return -1;
	while ((rc = db_step(&a->file.db, s, "check the pages of", e)) == 1) {
		const char *text = (const char *)sqlite3_column_text(s, 0);
		if (text && strcmp(text, "ok") == 0)
			continue;
		if (lines++ < DAMAGE_MAX)
			FAULT(a, "corrupt pages", -1, "the database is damaged: %s",
				text ? ESC(text) : "?");
	}
	return rc;
}

static const struct log_object *find_object(const char *name)
{
	for (size_t i = 0; i < LOG_OBJECTS; i++)
		if (strcmp(log_schema[i].name, name) == 0)
			return &log_schema[i];
	return NULL;
}

static bool carries_evidence(const char *name)
{
	return strcmp(name, "leaf") == 0 || strcmp(name, "checkpoint") == 0 ||
	       strcmp(name, "cosignature") == 0 || strcmp(name, "blob") == 0;
}

/* Every object of the schema must be one of ours, word for word. 1: an evidence table is not. */
static int check_schema(struct audit *a, struct err *e)
{
	AUTO(db_stmt_freep) sqlite3_stmt *s = NULL;
	bool found[LOG_OBJECTS] = { false }, stop = false;
	int rc;

	if (db_prepare(&a->file.db, &s, "SELECT type, name, sql FROM sqlite_schema LIMIT 200", e) !=
		0)
		return -1;
	while ((rc = db_step(&a->file.db, s, "read the schema of", e)) == 1) {
		const char *type = (const char *)sqlite3_column_text(s, 0);
		const char *name = (const char *)sqlite3_column_text(s, 1);
		const char *sql = (const char *)sqlite3_column_text(s, 2);
		if (!type || !name)
			continue;
		const struct log_object *o = find_object(name);
		if (!o) {
			FAULT(a, "foreign schema object", -1,
				"%s \"%s\" does not belong into a log", ESC(type), ESC(name));
			continue;
		}
		found[o - log_schema] = true;
		if (strcmp(type, o->type) != 0 || !sql || strcmp(sql, o->sql) != 0) {
			FAULT(a, "foreign schema object", -1,
				"%s \"%s\" is not defined as in a log", ESC(type), ESC(name));
			stop |= carries_evidence(name);
		}
	}
	if (rc < 0)
		return -1;
	for (size_t i = 0; i < LOG_OBJECTS; i++) {
		if (found[i])
			continue;
		if (carries_evidence(log_schema[i].name)) {
			FAULT(a, "not a log of ours", -1, "table \"%s\" is missing",
				log_schema[i].name);
			stop = true;
		} else {
			WARN(a, "missing schema object", -1, "%s \"%s\" is missing (a convenience)",
				log_schema[i].type, log_schema[i].name);
		}
	}
	return stop;
}

static int check(struct audit *a, struct err *e)
{
	bool ours, version, page;

	if (a->file.had_wal)
		WARN(a, "unfinished WAL", -1,
			"a -wal stands beside the file: its writer did not end, or still runs; "
			"read "
			"from a copy of both");
	if (check_number(a, "application_id", LOG_APPLICATION_ID, &ours, e) != 0 ||
		check_number(a, "user_version", LOG_USER_VERSION, &version, e) != 0 ||
		check_number(a, "page_size", 4096, &page, e) != 0)
		return -1;
	if (!ours || !version)
		return 1;
	int rc = check_schema(a, e);
	if (rc != 0)
		return rc;
	return check_integrity(a, e);
}

int audit_check_file(struct audit *a, struct err *e)
{
	int rc = check(a, e);

	if (rc >= 0)
		return rc;
	if (!audit_is_damage(a))
		return -1;
	FAULT(a,
		sqlite3_errcode(a->file.db.h) == SQLITE_NOTADB ? "not a log of ours"
							       : "corrupt pages",
		-1, "%s", sqlite3_errstr(a->file.db.fault));
	return 1;
}

/* A blob is named by a leaf as manifest of a package, or is a signature by one of its signers. */
static int is_named(struct audit *a, const uint8_t hash[32], const void *data, size_t len,
	bool *named, struct err *e)
{
	char hex[65];
	struct minisign_sig *sig;

	hex_encode(hex, hash, 32);
	if (audit_index_seen(&a->index, SEEN_MANIFEST, hex, 64, named, e) != 0 || *named)
		return *named ? 0 : -1;
	if (!(sig = malloc(sizeof *sig)))
		return err_set(e, ERR_ENV, "out of memory");
	int rc = 0;
	if (minisign_sig_parse(sig, "blob", data, len, NULL) == 0)
		rc = audit_index_seen(
			&a->index, SEEN_SIGNER, minisign_id_hex(hex, sig->id), 16, named, e);
	free(sig);
	return rc;
}

int audit_check_blobs(struct audit *a, struct err *e)
{
	AUTO(db_stmt_freep) sqlite3_stmt *s = NULL;
	uint8_t hash[32];
	int rc;

	if (db_prepare(&a->file.db, &s, "SELECT sha256, data FROM blob", e) != 0)
		return -1;
	while ((rc = db_step(&a->file.db, s, "read a blob", e)) == 1) {
		const void *key = sqlite3_column_blob(s, 0), *data = sqlite3_column_blob(s, 1);
		size_t key_len = (size_t)sqlite3_column_bytes(s, 0);
		size_t len = (size_t)sqlite3_column_bytes(s, 1);
		char hex[65];
		bool named = false;
		crypto_hash_sha256(hash, data ? data : "", len);
		hex_encode(hex, hash, 32);
		if (key_len != 32 || memcmp(key, hash, 32) != 0) {
			FAULT(a, "false blob", -1,
				"a blob does not have the digest it is kept under");
			continue;
		}
		if (is_named(a, hash, data ? data : "", len, &named, e) != 0)
			return -1;
		if (!named)
			FAULT(a, "unnamed blob", -1, "no leaf names the blob %s", hex);
	}
	return rc;
}

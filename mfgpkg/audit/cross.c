#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "evidence/db.h"
#include "mfgpkg/audit/cross.h"

#define LOGS_MAX 1024

struct oem_cross {
	struct db db;
	sqlite3_stmt *put, *twice;
	const char *names[LOGS_MAX];
	char (*origins)[NOTE_NAME_MAX + 1]; /* LOGS_MAX */
	int n; /* current log is n - 1 */
};

int oem_cross_new(struct oem_cross **out, struct err *e)
{
	AUTO(oem_cross_freep) struct oem_cross *x = calloc(1, sizeof *x);

	if (!x || !(x->origins = calloc(LOGS_MAX, sizeof *x->origins)))
		return err_set(e, ERR_ENV, "out of memory");
	if (db_open(&x->db, "", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL, e) != 0 ||
		db_exec(&x->db,
			"PRAGMA journal_mode=OFF; PRAGMA cache_size=-4096;"
			"CREATE TABLE made(uuid BLOB, log INT, passed INT, leaf INT, "
			"PRIMARY KEY(uuid, log)) WITHOUT ROWID; BEGIN",
			"make an index", e) != 0 ||
		db_prepare(&x->db, &x->put,
			"INSERT INTO made VALUES(?1,?2,?3,?4) ON CONFLICT DO UPDATE SET "
			"passed=max(passed, excluded.passed)",
			e) != 0 ||
		db_prepare(&x->db, &x->twice,
			"SELECT b.uuid, a.log, a.passed AND b.passed, b.leaf, a.leaf FROM made b "
			"JOIN "
			"made a ON a.uuid=b.uuid AND a.log<b.log WHERE b.log=?1 ORDER BY b.leaf",
			e) != 0)
		return -1;
	*out = x;
	x = NULL;
	return 0;
}

void oem_cross_free(struct oem_cross *x)
{
	if (!x)
		return;
	db_stmt_freep(&x->put);
	db_stmt_freep(&x->twice);
	db_close(&x->db);
	free(x->origins);
	free(x);
}

void oem_cross_freep(struct oem_cross **x)
{
	oem_cross_free(*x);
	*x = NULL;
}

void oem_cross_log(struct oem_cross *x, const char *name)
{
	if (x->n < LOGS_MAX)
		x->names[x->n] = name;
	x->n++;
}

int oem_cross_leaf(void *ctx, const struct leaf *l, struct err *e)
{
	struct oem_cross *x = ctx;
	uint8_t uuid[16];

	if (l->kind != LEAF_DEVICE_END || leaf_hex(l, LM_UUID, uuid, sizeof uuid) != 0)
		return 0;
	sqlite3_bind_blob(x->put, 1, uuid, sizeof uuid, SQLITE_STATIC);
	sqlite3_bind_int(x->put, 2, x->n - 1);
	sqlite3_bind_int(x->put, 3, leaf_is(l, LM_RESULT, "pass"));
	sqlite3_bind_int64(x->put, 4, (int64_t)l->seq);
	return db_run(&x->db, x->put, "remember a device", e);
}

static void add(struct audit_result *r, bool fault, int64_t leaf, const char *text)
{
	struct audit_finding *f;

	r->n_faults += fault;
	r->n_warnings += !fault;
	if (fault)
		r->verdict = AUDIT_FAIL;
	if (r->n_findings == AUDIT_FINDINGS_MAX)
		return;
	f = &r->findings[r->n_findings++];
	f->severity = fault ? AUDIT_FAULT : AUDIT_WARNING;
	f->leaf = leaf;
	strcpy(f->attack, "UUID in two logs");
	snprintf(f->text, sizeof f->text, "%s", text);
}

int oem_cross_settle(struct oem_cross *x, struct audit_result *r, struct err *e)
{
	int rc;

	if (x->n > LOGS_MAX)
		return err_set(e, ERR_LIMIT, "more than %d logs", LOGS_MAX);
	memcpy(x->origins[x->n - 1], r->origin, sizeof r->origin);
	sqlite3_bind_int(x->twice, 1, x->n - 1);
	while ((rc = db_step(&x->db, x->twice, "compare logs", e)) == 1) {
		int other = sqlite3_column_int(x->twice, 1);
		bool both = sqlite3_column_int(x->twice, 2) != 0;
		char uuid[33], text[300];
		/* A copy of the same log holds the same devices. */
		if (sqlite3_column_bytes(x->twice, 0) != 16 ||
			strcmp(x->origins[other], r->origin) == 0)
			continue;
		snprintf(text, sizeof text, "%s %s (leaf %lld of %.150s)",
			hex_encode(uuid, sqlite3_column_blob(x->twice, 0), 16),
			both ? "passed in two logs" : "was worked on in two logs",
			(long long)sqlite3_column_int64(x->twice, 4), x->names[other]);
		add(r, both, sqlite3_column_int64(x->twice, 3), text);
	}
	return rc;
}

#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fsio.h"
#include "base/json.h"
#include "base/text.h"
#include "evidence/log_impl.h"
#include "evidence/merkle.h"
#include "evidence_forge.h"
#include "evidence_support.h"
#include "keyed/ecc_key.h"

/* --- leaves ----------------------------------------------------------------------------------- */

static int read_row(void *ctx, int n, char **v, char **names)
{
	struct forge *f = ctx;
	struct err e = { 0 };

	(void)n;
	(void)names;
	assert_true(f->n < FORGE_MAX);
	f->leaf[f->n] = json_read("leaf", v[0], strlen(v[0]), &e);
	if (!f->leaf[f->n])
		fail_msg("%s", e.msg);
	f->n++;
	return 0;
}

void forge_read(struct forge *f, const struct ev_log *t)
{
	sqlite3 *db;

	memset(f, 0, sizeof *f);
	f->role = t->open.role;
	snprintf(f->origin, sizeof f->origin, "%s", t->open.origin);
	f->station = t->station;
	f->fallback = t->station;
	assert_int_equal(sqlite3_open(t->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "SELECT data FROM leaf ORDER BY seq", read_row, f, NULL),
		SQLITE_OK);
	sqlite3_close(db);
	for (unsigned i = 0; i < FORGE_EPOCHS; i++) {
		char path[400];
		struct err e;
		snprintf(path, sizeof path, "%s/kept/epoch-%u.key", t->dir, i);
		if (fsio_exists(path))
			assert_int_equal(log_key_load(&f->epoch[i], path, &e), 0);
	}
}

void forge_clear(struct forge *f)
{
	for (size_t i = 0; i < f->n; i++)
		json_decref(f->leaf[i]);
	for (size_t i = 0; i < FORGE_EPOCHS; i++)
		log_key_free(f->epoch[i]);
}

void forge_keep_keys(const struct ev_log *t)
{
	assert_int_equal(
		ev_run("mkdir -p %s/kept && cp -p %s/epoch-*.key %s/kept/", t->dir, t->dir, t->dir),
		0);
}

size_t forge_find(const struct forge *f, const char *kind, size_t nth)
{
	for (size_t i = 0; i < f->n; i++)
		if (strcmp(ev_str(f->leaf[i], "kind"), kind) == 0 && nth-- == 0)
			return i;
	fail_msg("no %s", kind);
	return 0;
}

void forge_delete(struct forge *f, size_t i)
{
	json_decref(f->leaf[i]);
	f->n--;
	memmove(f->leaf + i, f->leaf + i + 1, (f->n - i) * sizeof f->leaf[0]);
}

void forge_insert(struct forge *f, size_t i, json_t *leaf)
{
	memmove(f->leaf + i + 1, f->leaf + i, (f->n - i) * sizeof f->leaf[0]);
	f->leaf[i] = leaf;
	f->n++;
}

void forge_set(struct forge *f, size_t i, const char *member, json_t *value)
{
	assert_non_null(json_object_get(f->leaf[i], member));
	json_object_set_new(f->leaf[i], member, value);
}

json_t *forge_at(struct forge *f, size_t i, const char *member)
{
	return json_object_get(f->leaf[i], member);
}

/* --- writing ---------------------------------------------------------------------------------- */

static void exec(sqlite3 *db, const char *sql)
{
	char *msg = NULL;

	if (sqlite3_exec(db, sql, NULL, NULL, &msg) != SQLITE_OK)
		fail_msg("%s: %s", sql, msg);
}

static void insert(
	sqlite3 *db, const char *sql, int64_t key, const void *data, size_t len, bool text)
{
	sqlite3_stmt *s;

	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &s, NULL), SQLITE_OK);
	sqlite3_bind_int64(s, 1, key);
	if (text)
		sqlite3_bind_text(s, 2, data, (int)len, SQLITE_STATIC);
	else
		sqlite3_bind_blob(s, 2, data, (int)len, SQLITE_STATIC);
	assert_int_equal(sqlite3_step(s), SQLITE_DONE);
	sqlite3_finalize(s);
}

static void checkpoint(sqlite3 *db, const struct forge *f, const struct merkle *m, unsigned epoch)
{
	AUTO(buf_clear) struct buf text = { 0 };
	AUTO(buf_clear) struct buf note = { 0 };
	struct checkpoint c = { .size = m->n };
	struct err e;
	const struct log_key *k =
		epoch < FORGE_EPOCHS && f->epoch[epoch] ? f->epoch[epoch] : f->fallback;

	snprintf(c.origin, sizeof c.origin, "%s", f->origin);
	merkle_root(m, c.root);
	checkpoint_text(&c, &text);
	wr_bytes(&note, text.p, text.len);
	wr_u8(&note, '\n');
	assert_int_equal(log_key_sign(k, f->origin, (char *)text.p, text.len, &note, &e), 0);
	assert_int_equal(
		log_key_sign(f->station, f->origin, (char *)text.p, text.len, &note, &e), 0);
	insert(db, "INSERT INTO checkpoint VALUES(?1,?2)", (int64_t)m->n, note.p, note.len, true);
}

/* One leaf again: number, chain, and what a seal says of the tree before it. */
static void write_leaf(
	sqlite3 *db, const struct forge *f, size_t i, struct merkle *m, uint8_t last[32])
{
	static const char *const common[] = { "kind", "seq", "prev", "time", "boot_ms", "boot_id" };
	AUTO(json_freep) json_t *j = json_deep_copy(f->leaf[i]);
	AUTO(buf_clear) struct buf out = { 0 };
	struct leaf_clock clock = { .boot_ms = ev_int(j, "boot_ms") };
	uint8_t stored[64][32], root[32];
	char kind[32], root_text[64];
	struct err e = { 0 };

	snprintf(kind, sizeof kind, "%s", ev_str(j, "kind"));
	assert_int_equal(time_parse_ms(ev_str(j, "time"), &clock.wall_ms), 0);
	strcpy(clock.boot_id, ev_str(j, "boot_id"));
	for (size_t k = 0; k < 6; k++)
		json_object_del(j, common[k]);
	if (strcmp(kind, "epoch-seal") == 0 && !f->keep_roots) {
		merkle_root(m, root);
		json_object_set_new(j, "size", json_integer((json_int_t)i));
		json_object_set_new(j, "root", json_string(base64_encode(root_text, root, 32)));
	}
	if (strcmp(kind, "close") == 0 && !f->keep_totals)
		json_object_set_new(
			json_object_get(j, "totals"), "leaves", json_integer((json_int_t)i));
	if (leaf_write(kind, f->role, i, last, &clock, j, &out, &e) != 0)
		fail_msg("leaf %zu: %s", i, e.msg);
	insert(db, "INSERT INTO leaf VALUES(?1,?2)", (int64_t)i, out.p, out.len, true);
	size_t n = merkle_append(m, out.p, out.len, stored);
	for (size_t k = 0; k < n; k++)
		insert(db, "INSERT INTO node VALUES(?1,?2)", (int64_t)(merkle_node_id(0, i) + k),
			stored[k], 32, false);
	memcpy(last, stored[0], 32);
}

void forge_write(const struct forge *f, const char *path)
{
	struct merkle m = { 0 };
	uint8_t last[32] = { 0 };
	unsigned epoch = 0;
	sqlite3 *db;

	unlink(path);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	exec(db, "PRAGMA page_size=4096; PRAGMA application_id=1296451404; PRAGMA user_version=1; "
		 "PRAGMA synchronous=OFF; BEGIN");
	for (size_t i = 0; i < LOG_OBJECTS; i++)
		exec(db, log_schema[i].sql);
	for (size_t i = 0; i < f->n; i++) {
		write_leaf(db, f, i, &m, last);
		if (m.n != f->no_checkpoint)
			checkpoint(db, f, &m, epoch);
		epoch += strcmp(ev_str(f->leaf[i], "kind"), "epoch-seal") == 0;
	}
	exec(db, "COMMIT");
	sqlite3_close(db);
}

char *forge_sql(const struct ev_log *t, const char *name, const char *sql)
{
	char *path = ev_path("%s.db", name);
	sqlite3 *db;

	assert_int_equal(ev_run("cp %s %s", t->path, path), 0);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	exec(db, "PRAGMA synchronous=OFF; DROP TRIGGER leaf_keep_u; DROP TRIGGER leaf_keep_d; DROP "
		 "TRIGGER checkpoint_keep_u; DROP TRIGGER checkpoint_keep_d");
	int before = sqlite3_total_changes(db), after;
	exec(db, sql);
	after = sqlite3_total_changes(db);
	/* An attack that changed nothing tests nothing (schema changes count too). */
	if (after == before && !strstr(sql, "CREATE") && !strstr(sql, "ALTER") &&
		!strstr(sql, "DROP") && !strstr(sql, "PRAGMA"))
		fail_msg("%s: changed nothing: %s", name, sql);
	for (size_t i = 0; i < LOG_OBJECTS; i++)
		if (strcmp(log_schema[i].type, "trigger") == 0)
			sqlite3_exec(db, log_schema[i].sql, NULL, NULL, NULL);
	sqlite3_close(db);
	return path;
}

/* --- receipts --------------------------------------------------------------------------------- */

static struct ecc_key *key_of(unsigned n)
{
	struct ecc_key *k = NULL;
	uint8_t d[32] = { 0 };
	struct err e;

	put_be32(d + 28, n + 1);
	assert_int_equal(ecc_key_from_scalar(&k, ECC_P256, d, &e), 0);
	return k;
}

void forge_dice_ca(uint8_t xy[64], unsigned ca)
{
	struct ecc_key *k = key_of(ca);

	memcpy(xy, ecc_key_pub(k)->xy, 64);
	ecc_key_free(k);
}

void forge_response(char text[440], const uint8_t uuid[16], const uint8_t challenge[32],
	unsigned die, unsigned ca)
{
	uint8_t r[324] = { 0 }, msg[69] = { 0x03, 0x00, 0x17, 0x41, 0x04 };
	struct ecc_key *d = key_of(die), *c = key_of(ca);
	struct err e;

	memset(r, 0xA5, 80); /* RTF, HAD */
	memcpy(r + 80, ecc_key_pub(d)->xy, 64);
	memcpy(msg + 5, r + 80, 64);
	assert_int_equal(ecc_key_sign(c, msg, sizeof msg, r + 144, &e), 0);
	memcpy(r + 208, uuid, 16);
	put_be32(r + 224, 1);
	memcpy(r + 228, challenge, 32);
	assert_int_equal(ecc_key_sign(d, r, 260, r + 260, &e), 0);
	base64_encode(text, r, sizeof r);
	ecc_key_free(d);
	ecc_key_free(c);
}

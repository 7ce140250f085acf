#include <dirent.h>
#include <errno.h>
#include <sodium.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fsio.h"
#include "base/json.h"
#include "base/text.h"
#include "base/version.h"
#include "runner/marks.h"
#include "runner/run_log.h"

#define RUN_ID_LEN   16 /* bytes; the folder's name is their hex */
#define RUN_FILE_MAX 4096

static int no_memory(struct err *e)
{
	return err_set(e, ERR_ENV, "out of memory");
}

void run_log_clear(struct run_log *l)
{
	log_free(l->log);
	free(l->path);
	*l = (struct run_log){ 0 };
}

/* --- looking into a log ------------------------------------------------------------------ */
/* The last leaf of a closed log is the final seal, with `next` null. Reading it does not disturb a
 * writer (WAL). */
int run_log_closed(const char *path, struct err *e)
{
	sqlite3 *db = NULL;
	sqlite3_stmt *st = NULL;
	int closed = -1;

	if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOFOLLOW, NULL) ==
			SQLITE_OK &&
		sqlite3_prepare_v2(db,
			"SELECT data->>'$.kind' = 'epoch-seal' AND data->'$.next' = 'null' "
			"FROM leaf ORDER BY seq DESC LIMIT 1",
			-1, &st, NULL) == SQLITE_OK) {
		int rc = sqlite3_step(st);
		if (rc == SQLITE_ROW)
			closed = sqlite3_column_int(st, 0);
		else if (rc == SQLITE_DONE)
			closed = 0;
	}
	if (closed < 0)
		err_set(e, ERR_ENV, "%s: %s", path, sqlite3_errmsg(db));
	sqlite3_finalize(st);
	sqlite3_close(db);
	return closed;
}

char *run_log_path(const struct station *s, const char *id, struct err *e)
{
	static const char *const folders[] = { "orders", "unordered" };

	for (size_t i = 0; i < 2 && !strchr(id, '/') && id[0] != '.'; i++) {
		char *path = station_path(s, "%s/%s/log.db", folders[i], id);
		if (path && fsio_exists(path))
			return path;
		free(path);
	}
	err_set(e, ERR_USAGE, "%s: no log of this name here ('runner list')", ESC(id));
	return NULL;
}

/* --- orders ------------------------------------------------------------------------------ */
/* The epoch key that the order names must still be here, or the log was begun and has vanished:
 * a second log of one order would be a second head. */
static int check_unused(const char *dir, const struct order *o, struct err *e)
{
	AUTO(str_freep) char *path = path_join(dir, "keys/epoch-0.key");
	AUTO(log_key_freep) struct log_key *key = NULL;
	struct vkey named;

	if (!path)
		return no_memory(e);
	if (!*o->epoch0)
		return 0;
	if (vkey_parse(&named, "the order's epoch0", o->epoch0, e) != 0)
		return -1;
	if (!fsio_exists(path))
		return err_set(e, ERR_REJECTED,
			"the log of order %s was begun and is not here any more; an order has one "
			"log",
			o->id);
	if (log_key_load(&key, path, e) != 0)
		return -1;
	if (memcmp(log_key_pub(key), named.key, 32) != 0)
		return err_set(
			e, ERR_REJECTED, "%s is not the key that order %s names", path, o->id);
	return 0;
}

/* Is the log at `path` the one of this origin? 1, 0; a file that is no log of ours is not. */
static int has_origin(const char *path, const char *origin)
{
	sqlite3 *db = NULL;
	sqlite3_stmt *st = NULL;
	int same = 0;

	if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOFOLLOW, NULL) ==
			SQLITE_OK &&
		sqlite3_prepare_v2(db, "SELECT data->>'$.origin' = ?1 FROM leaf WHERE seq = 0", -1,
			&st, NULL) == SQLITE_OK &&
		sqlite3_bind_text(st, 1, origin, -1, SQLITE_STATIC) == SQLITE_OK &&
		sqlite3_step(st) == SQLITE_ROW)
		same = sqlite3_column_int(st, 0);
	sqlite3_finalize(st);
	sqlite3_close(db);
	return same;
}

/* Before an order's log is made: no folder of the state may hold one of its origin already, under
 * whatever name. */
static int check_elsewhere(const struct station *s, const struct order *o, struct err *e)
{
	static const char *const folders[] = { "orders", "unordered" };

	for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
		AUTO(str_freep) char *path = station_path(s, "%s", folders[i]);
		if (!path)
			return no_memory(e);
		DIR *d = opendir(path);
		if (!d)
			return err_errno(e, "%s: cannot open", path);
		int rc = 0;
		for (struct dirent *x; rc == 0 && (x = readdir(d));) {
			AUTO(str_freep)
			char *log = station_path(s, "%s/%s/log.db", folders[i], x->d_name);
			if (!log)
				rc = no_memory(e);
			else if (x->d_name[0] != '.' && fsio_exists(log) &&
				 has_origin(log, o->origin))
				rc = err_set(e, ERR_REJECTED,
					"the log of order %s (%s) is at %s/%s/log.db already; an "
					"order has one log",
					o->id, o->origin, folders[i], ESC(x->d_name));
		}
		closedir(d);
		if (rc != 0)
			return -1;
	}
	return 0;
}

static int open_order_log(struct run_log *out, const struct station *s,
	const struct signed_order *so, bool create, struct err *e)
{
	const struct order *o = order_of(so);
	AUTO(run_log_clear) struct run_log l = { 0 };
	AUTO(str_freep) char *dir = station_path(s, "orders/%s", o->id);
	AUTO(str_freep) char *keys = station_path(s, "orders/%s/keys", o->id);
	const char *sigs[TRUST_MAX_SIGNATURES];
	uint8_t root[32];
	struct log_open open = { .epoch_dir = keys,
		.role = ROLE_ORDER,
		.origin = o->origin,
		.station = s->secret,
		.station_name = s->name,
		.version = MFGPKG_VERSION,
		.order_sigs = sigs,
		.n_order_sigs = order_n_sigs(so) };

	l.path = station_path(s, "orders/%s/log.db", o->id);
	if (!dir || !keys || !l.path)
		return no_memory(e);
	open.path = l.path;
	open.order = order_text(so, &open.order_len);
	for (size_t i = 0; i < open.n_order_sigs && i < TRUST_MAX_SIGNATURES; i++)
		sigs[i] = order_sig_text(so, i);

	bool exists = fsio_exists(l.path);
	/* A log that was moved is named before one that is missed. */
	if ((!exists && check_elsewhere(s, o, e) != 0) || marks_check_log(s, o->id, l.path, e) != 0)
		return -1;
	if (exists) {
		int closed = run_log_closed(l.path, e);
		if (closed < 0)
			return -1;
		if (closed)
			return err_set(e, ERR_REJECTED,
				"order %s is closed: its log takes no more devices", o->id);
		l.resumed = true;
		if (log_resume(&l.log, &open, e) != 0)
			return -1;
	} else if (!create) {
		return err_set(e, ERR_USAGE, "order %s was never started", o->id);
	} else if (check_unused(dir, o, e) != 0 || log_create(&l.log, &open, e) != 0) {
		return -1;
	}
	if (log_root_at(l.log, log_size(l.log), root, e) != 0 ||
		marks_raise_log(s, o->id, log_size(l.log), root, e) != 0)
		return -1;
	*out = l;
	l = (struct run_log){ 0 };
	return 0;
}

int run_log_resume(
	struct run_log *out, const struct station *s, const struct signed_order *o, struct err *e)
{
	return open_order_log(out, s, o, false, e);
}

/* --- unordered runs ---------------------------------------------------------------------- */
static bool run_matches(const char *path, const char *digest)
{
	AUTO(buf_clear) struct buf text = { 0 };
	struct err e;

	if (fsio_read(path, RUN_FILE_MAX, &text, &e) != 0)
		return false;
	AUTO(json_freep) json_t *doc = json_read(path, text.p, text.len, &e);
	const char *seen = doc ? json_string_value(json_object_get(doc, "package")) : NULL;
	return seen && strcmp(seen, digest) == 0;
}

/* The folder of an interrupted run of this package, or "". */
static int find_open_run(
	const struct station *s, const char *digest, char id[2 * RUN_ID_LEN + 1], struct err *e)
{
	AUTO(str_freep) char *path = station_path(s, "unordered");
	uint8_t bytes[RUN_ID_LEN];
	int rc = 0;

	id[0] = 0;
	if (!path)
		return no_memory(e);
	DIR *d = opendir(path);
	if (!d)
		return err_errno(e, "%s: cannot open", path);
	for (struct dirent *x; rc == 0 && !id[0] && (x = readdir(d));) {
		if (hex_decode(bytes, sizeof bytes, x->d_name) != 0)
			continue;
		AUTO(str_freep) char *run = station_path(s, "unordered/%s/run.json", x->d_name);
		AUTO(str_freep) char *log = station_path(s, "unordered/%s/log.db", x->d_name);
		if (!run || !log)
			rc = no_memory(e);
		else if (fsio_exists(log) && run_matches(run, digest)) {
			int closed = run_log_closed(log, e);
			if (closed == 0)
				snprintf(id, 2 * RUN_ID_LEN + 1, "%s", x->d_name);
		}
	}
	closedir(d);
	return rc;
}

static int describe_run(const struct station *s, const char *id, const char *digest,
	const char *product, struct err *e)
{
	AUTO(str_freep) char *dir = station_path(s, "unordered/%s", id);
	AUTO(str_freep) char *keys = station_path(s, "unordered/%s/keys", id);
	AUTO(str_freep) char *path = station_path(s, "unordered/%s/run.json", id);
	AUTO(buf_clear) struct buf text = { 0 };
	AUTO(json_freep)
	json_t *doc = json_pack("{s:s,s:i,s:s,s:s}", "type", "mfgpkg-run", "format", 1, "package",
		digest, "product", product);

	if (!dir || !keys || !path || !doc)
		return no_memory(e);
	if (fsio_mkdirs(dir, 0700, e) != 0 || fsio_mkdirs(keys, 0700, e) != 0 ||
		json_line(doc, &text, e) != 0)
		return -1;
	wr_u8(&text, '\n');
	return fsio_write(path, text.p, text.len, 0600, e);
}

static int open_unordered(
	struct run_log *out, const struct station *s, const struct pkg *p, struct err *e)
{
	AUTO(run_log_clear) struct run_log l = { 0 };
	AUTO(str_freep) char *keys = NULL;
	AUTO(str_freep) char *origin = NULL;
	char digest[65], id[2 * RUN_ID_LEN + 1];
	uint8_t random[RUN_ID_LEN];

	hex_encode(digest, pkg_digest(p), 32);
	if (find_open_run(s, digest, id, e) != 0)
		return -1;
	l.resumed = id[0];
	if (!l.resumed) {
		randombytes_buf(random, sizeof random);
		hex_encode(id, random, sizeof random);
		if (describe_run(s, id, digest, pkg_manifest(p)->product, e) != 0)
			return -1;
	}
	keys = station_path(s, "unordered/%s/keys", id);
	l.path = station_path(s, "unordered/%s/log.db", id);
	if (!keys || !l.path || asprintf(&origin, "unordered.invalid/%s/%s", s->name, id) < 0) {
		origin = NULL;
		return no_memory(e);
	}
	struct log_open open = { .path = l.path,
		.epoch_dir = keys,
		.role = ROLE_UNORDERED,
		.origin = origin,
		.station = s->secret,
		.station_name = s->name,
		.version = MFGPKG_VERSION };
	if ((l.resumed ? log_resume(&l.log, &open, e) : log_create(&l.log, &open, e)) != 0)
		return -1;
	*out = l;
	l = (struct run_log){ 0 };
	return 0;
}

int run_log_open(struct run_log *out, const struct station *s, const struct pkg *p,
	const struct signed_order *o, struct err *e)
{
	return o ? open_order_log(out, s, o, true, e) : open_unordered(out, s, p, e);
}

/* --- package leaf ------------------------------------------------------------------------ */
static int keep_blobs(struct log *log, const struct pkg *p, struct err *e)
{
	const struct container *c = pkg_container(p);

	for (size_t i = 0; i < c->n; i++) {
		const struct container_entry *x = &c->entries[i];
		if (strcmp(x->name, "manifest.json") != 0 &&
			strncmp(x->name, PKG_SIGNATURES, strlen(PKG_SIGNATURES)) != 0)
			continue;
		if (log_blob(log, x->data, x->len, e) != 0)
			return -1;
	}
	return 0;
}

int run_log_package(struct log *log, const struct pkg *p, struct err *e)
{
	const struct manifest *m = pkg_manifest(p);
	const struct pkg_facts *f = pkg_facts(p);
	const struct signers *signers = pkg_signers(p);
	char container[65], digest[65];
	json_t *ids = json_array();

	for (size_t i = 0; i < signers->n; i++)
		if (signers->list[i].counts)
			json_array_append_new(ids, json_string(signers->list[i].id));
	json_t *members =
		json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:I,s:o,s:n}", "result", "accepted", "file",
			f->file, "container", hex_encode(container, pkg_container_digest(p), 32),
			"package", hex_encode(digest, pkg_digest(p), 32), "package_id",
			m->package_id, "product", m->product, "release", m->release, "sequence",
			(json_int_t)m->sequence, "signers", ids, "reason");
	if (!members)
		return no_memory(e);
	if (log_append(log, "package", members, NULL, e) != 0 || keep_blobs(log, p, e) != 0)
		return -1;
	return log_commit(log, e);
}

static json_t *hex_or_null(bool have, const uint8_t digest[32])
{
	char hex[65];

	return have ? json_string(hex_encode(hex, digest, 32)) : json_null();
}

int run_log_refused(struct log *log, const struct pkg_facts *f, const char *reason, struct err *e)
{
	char text[400];
	bool m = f->have_manifest; /* unsigned claims do not get into a log */
	json_t *ids = json_array();

	for (size_t i = 0; i < f->signers.n; i++)
		if (f->signers.list[i].counts)
			json_array_append_new(ids, json_string(f->signers.list[i].id));
	json_t *members =
		json_pack("{s:s,s:s,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:s}", "result", "refused", "file",
			f->file, "container", hex_or_null(f->have_container, f->container),
			"package", hex_or_null(f->have_digest, f->digest), "package_id",
			m ? json_string(f->package_id) : json_null(), "product",
			m ? json_string(f->product) : json_null(), "release",
			m ? json_string(f->release) : json_null(), "sequence",
			m ? json_integer((json_int_t)f->sequence) : json_null(), "signers", ids,
			"reason", text_escape(text, sizeof text, reason, strlen(reason)));
	if (!members)
		return no_memory(e);
	if (log_append(log, "package", members, NULL, e) != 0)
		return -1;
	return log_commit(log, e);
}

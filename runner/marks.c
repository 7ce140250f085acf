#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fsio.h"
#include "base/json.h"
#include "base/text.h"
#include "pkg/manifest.h"
#include "runner/marks.h"

#define NOTE_FILE_MAX  ((size_t)64 << 10)
#define PUT_BACK       "an older copy of the state was put back"
#define ORDER_NAME_MAX 64

struct mark_floor {
	char product[MANIFEST_TEXT_MAX + 1];
	int64_t sequence;
};

struct mark_log {
	char order[ORDER_NAME_MAX + 1];
	uint64_t size;
	uint8_t root[32];
};

struct marks {
	int64_t clock; /* seconds since 1970 */
	int64_t trust;
	struct mark_floor *floors;
	struct mark_log *logs;
	size_t n_floors, n_logs;
};

static int no_memory(struct err *e)
{
	return err_set(e, ERR_ENV, "out of memory");
}

static void marks_clear(struct marks *m)
{
	free(m->floors);
	free(m->logs);
	*m = (struct marks){ 0 };
}

/* --- marks.json ---------------------------------------------------------------------------------
 */
static int read_floor(struct mark_floor *out, const struct json_at *at, struct err *e)
{
	struct json_at product = json_member(at, "product"), seq = json_member(at, "sequence");
	const char *p;

	if (json_want_string(&product, MANIFEST_TEXT_MAX, &p, e) != 0 ||
		json_want_int(&seq, 0, JSON_INT_MAX, &out->sequence, e) != 0)
		return -1;
	snprintf(out->product, sizeof out->product, "%s", p);
	return 0;
}

static int read_log(struct mark_log *out, const struct json_at *at, struct err *e)
{
	struct json_at order = json_member(at, "order"), size = json_member(at, "size");
	struct json_at root = json_member(at, "root");
	const char *name;
	int64_t n;

	if (json_want_string(&order, ORDER_NAME_MAX, &name, e) != 0 ||
		json_want_int(&size, 1, JSON_INT_MAX, &n, e) != 0 ||
		json_want_hex(&root, out->root, sizeof out->root, e) != 0)
		return -1;
	snprintf(out->order, sizeof out->order, "%s", name);
	out->size = (uint64_t)n;
	return 0;
}

static int read_marks(struct marks *m, const char *path, const json_t *doc, struct err *e)
{
	static const char *const members[] = { "type", "format", "clock", "trust", "floors", "logs",
		NULL };
	struct json_at root = json_root(path, doc);
	struct json_at type = json_member(&root, "type"), format = json_member(&root, "format");
	struct json_at clock = json_member(&root, "clock"), trust = json_member(&root, "trust");
	struct json_at floors = json_member(&root, "floors"), logs = json_member(&root, "logs");
	size_t n_floors, n_logs;
	const char *name;
	int64_t one;

	if (json_want_object(&root, e) != 0 || json_only(&root, members, e) != 0 ||
		json_want_string(&type, 32, &name, e) != 0 ||
		json_want_int(&format, 1, 1, &one, e) != 0 ||
		json_want_time(&clock, &m->clock, e) != 0 ||
		json_want_int(&trust, 0, JSON_INT_MAX, &m->trust, e) != 0 ||
		json_want_array(&floors, 0, MARKS_PRODUCTS_MAX, &n_floors, e) != 0 ||
		json_want_array(&logs, 0, MARKS_ORDERS_MAX, &n_logs, e) != 0)
		return -1;
	if (strcmp(name, "mfgpkg-marks") != 0)
		return err_set(e, ERR_ENV, "%s: not the marks of a station", path);
	/* one more: the caller may add */
	m->floors = calloc(n_floors + 1, sizeof *m->floors);
	m->logs = calloc(n_logs + 1, sizeof *m->logs);
	if (!m->floors || !m->logs)
		return no_memory(e);
	for (; m->n_floors < n_floors; m->n_floors++) {
		struct json_at at = json_item(&floors, m->n_floors);
		if (read_floor(&m->floors[m->n_floors], &at, e) != 0)
			return -1;
	}
	for (; m->n_logs < n_logs; m->n_logs++) {
		struct json_at at = json_item(&logs, m->n_logs);
		if (read_log(&m->logs[m->n_logs], &at, e) != 0)
			return -1;
	}
	return 0;
}

static int load(struct marks *out, const struct station *s, struct err *e)
{
	AUTO(str_freep) char *path = station_path(s, "marks.json");
	AUTO(buf_clear) struct buf text = { 0 };
	AUTO(json_freep) json_t *doc = NULL;
	AUTO(marks_clear) struct marks m = { 0 };

	if (!path)
		return no_memory(e);
	if (fsio_read(path, MARKS_FILE_MAX, &text, e) != 0)
		return -1;
	doc = json_read(path, text.p, text.len, e);
	if (!doc || read_marks(&m, path, doc, e) != 0) {
		e->code = ERR_ENV; /* our own file is damaged */
		return -1;
	}
	*out = m;
	m = (struct marks){ 0 };
	return 0;
}

static int save(const struct marks *m, const struct station *s, struct err *e)
{
	AUTO(str_freep) char *path = station_path(s, "marks.json");
	AUTO(buf_clear) struct buf text = { 0 };
	char time[TIME_S_LEN + 1];
	json_t *floors = json_array(), *logs = json_array();
	AUTO(json_freep)
	json_t *doc = json_pack("{s:s,s:i,s:s,s:I,s:o,s:o}", "type", "mfgpkg-marks", "format", 1,
		"clock", time_format_s(time, (time_t)m->clock), "trust", (json_int_t)m->trust,
		"floors", floors, "logs", logs);
	char hex[65];

	if (!path || !doc)
		return no_memory(e);
	for (size_t i = 0; i < m->n_floors; i++)
		json_array_append_new(
			floors, json_pack("{s:s,s:I}", "product", m->floors[i].product, "sequence",
					(json_int_t)m->floors[i].sequence));
	for (size_t i = 0; i < m->n_logs; i++)
		json_array_append_new(
			logs, json_pack("{s:s,s:I,s:s}", "order", m->logs[i].order, "size",
				      (json_int_t)m->logs[i].size, "root",
				      hex_encode(hex, m->logs[i].root, sizeof m->logs[i].root)));
	if (json_array_size(floors) != m->n_floors || json_array_size(logs) != m->n_logs)
		return no_memory(e);
	if (json_line(doc, &text, e) != 0)
		return -1;
	wr_u8(&text, '\n');
	if (buf_check(&text, path, e) != 0)
		return -1;
	return fsio_write(path, text.p, text.len, 0600, e);
}

int marks_init(const struct station *s, struct err *e)
{
	AUTO(str_freep) char *path = station_path(s, "marks.json");
	const struct marks none = { 0 };

	if (!path)
		return no_memory(e);
	return fsio_exists(path) ? 0 : save(&none, s, e);
}

/* --- clock --------------------------------------------------------------------------------------
 */
int marks_check_clock(const struct station *s, int64_t now, struct err *e)
{
	AUTO(marks_clear) struct marks m = { 0 };
	char seen[TIME_S_LEN + 1], last[TIME_S_LEN + 1];

	if (load(&m, s, e) != 0)
		return -1;
	if (now >= m.clock - MARKS_CLOCK_SLACK)
		return 0;
	return err_set(e, ERR_REJECTED,
		"the clock says %s, but this station was at work at %s: the clock was set back",
		time_format_s(seen, (time_t)now), time_format_s(last, (time_t)m.clock));
}

int marks_raise_clock(const struct station *s, int64_t now, struct err *e)
{
	AUTO(marks_clear) struct marks m = { 0 };

	if (load(&m, s, e) != 0)
		return -1;
	if (now <= m.clock)
		return 0;
	m.clock = now;
	return save(&m, s, e);
}

/* --- trust --------------------------------------------------------------------------------------
 */
int marks_check_trust(const struct station *s, int64_t version, struct err *e)
{
	AUTO(marks_clear) struct marks m = { 0 };

	if (load(&m, s, e) != 0)
		return -1;
	if (version >= m.trust)
		return 0;
	return err_set(e, ERR_REJECTED,
		"trust/trust.json is of trust update %lld, this station has taken update "
		"%lld: " PUT_BACK,
		(long long)version, (long long)m.trust);
}

int marks_raise_trust(const struct station *s, int64_t version, struct err *e)
{
	AUTO(marks_clear) struct marks m = { 0 };

	if (load(&m, s, e) != 0)
		return -1;
	if (version <= m.trust)
		return 0;
	m.trust = version;
	return save(&m, s, e);
}

/* --- floors -------------------------------------------------------------------------------------
 */
int marks_check_floors(const struct station *s,
	int (*floor_of)(void *ctx, const char *product, int64_t *floor, struct err *e), void *ctx,
	struct err *e)
{
	AUTO(marks_clear) struct marks m = { 0 };

	if (load(&m, s, e) != 0)
		return -1;
	for (size_t i = 0; i < m.n_floors; i++) {
		int64_t floor = 0;
		if (floor_of(ctx, m.floors[i].product, &floor, e) != 0)
			return -1;
		if (floor < m.floors[i].sequence)
			return err_set(e, ERR_REJECTED,
				"packages/index.json has sequence %lld for product \"%s\", this "
				"station has accepted %lld: " PUT_BACK,
				(long long)floor, ESC(m.floors[i].product),
				(long long)m.floors[i].sequence);
	}
	return 0;
}

int marks_raise_floor(const struct station *s, const char *product, int64_t sequence, struct err *e)
{
	AUTO(marks_clear) struct marks m = { 0 };
	size_t i = 0;

	if (load(&m, s, e) != 0)
		return -1;
	while (i < m.n_floors && strcmp(m.floors[i].product, product) != 0)
		i++;
	if (i == m.n_floors) {
		if (i == MARKS_PRODUCTS_MAX)
			return err_set(e, ERR_LIMIT, "at most %d products at one station",
				MARKS_PRODUCTS_MAX);
		snprintf(m.floors[i].product, sizeof m.floors[i].product, "%s", product);
		m.n_floors++;
	}
	if (sequence <= m.floors[i].sequence)
		return 0;
	m.floors[i].sequence = sequence;
	return save(&m, s, e);
}

/* --- logs ---------------------------------------------------------------------------------------
 */
/* The checkpoint of a log at `size`, or its newest one (size 0). 1, 0 (none there) or -1. Every
 * checkpoint a log ever had stays in its file. Not for a log that this process has open. */
static int checkpoint_at(const char *log, uint64_t size, struct checkpoint *out, struct err *e)
{
	sqlite3 *db = NULL;
	sqlite3_stmt *st = NULL;
	struct note note;
	int rc = -1;

	/* Not read-only: such a reader cannot remove the WAL that it made. */
	if (sqlite3_open_v2(log, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW, NULL) !=
			SQLITE_OK ||
		sqlite3_prepare_v2(db,
			"SELECT note FROM checkpoint WHERE ?1 = 0 OR size = ?1 ORDER BY size DESC "
			"LIMIT 1",
			-1, &st, NULL) != SQLITE_OK) {
		err_set(e, ERR_ENV, "%s: %s", log, sqlite3_errmsg(db));
		goto out;
	}
	sqlite3_bind_int64(st, 1, (int64_t)size);
	switch (sqlite3_step(st)) {
	case SQLITE_ROW:
		if (note_parse(&note, log, sqlite3_column_text(st, 0),
			    (size_t)sqlite3_column_bytes(st, 0), e) == 0 &&
			checkpoint_parse(out, log, note.text, note.text_len, e) == 0)
			rc = 1;
		break;
	case SQLITE_DONE:
		rc = 0;
		break;
	default:
		err_set(e, ERR_ENV, "%s: %s", log, sqlite3_errmsg(db));
		break;
	}
out:
	sqlite3_finalize(st);
	sqlite3_close(db);
	return rc;
}

/* `whose`: who says that the log was at this size with this root once. */
static int contains(const char *order, const char *log, uint64_t size, const uint8_t root[32],
	const char *whose, struct err *e)
{
	struct checkpoint c, last;

	if (!fsio_exists(log)) {
		if (errno != ENOENT)
			return err_errno(e, "%s: cannot read", log);
		return err_set(e, ERR_REJECTED,
			"the log of order %s was begun and is not here any more (%s: %llu leaves); "
			"it was removed, or " PUT_BACK,
			order, whose, (unsigned long long)size);
	}
	int found = checkpoint_at(log, size, &c, e);
	if (found < 0)
		return -1;
	if (found && c.size == size && memcmp(c.root, root, sizeof c.root) == 0)
		return 0;
	if (found)
		return err_set(e, ERR_REJECTED,
			"the log of order %s has other leaves before %llu than %s: " PUT_BACK
			" and continued",
			order, (unsigned long long)size, whose);
	if ((found = checkpoint_at(log, 0, &last, e)) < 0)
		return -1;
	return err_set(e, ERR_REJECTED, "the log of order %s ends at %llu leaves, %s: %llu: %s",
		order, found ? (unsigned long long)last.size : 0, whose, (unsigned long long)size,
		found && last.size > size ? PUT_BACK " and continued" : PUT_BACK);
}

static struct mark_log *log_mark(const struct marks *m, const char *order)
{
	for (size_t i = 0; i < m->n_logs; i++)
		if (strcmp(m->logs[i].order, order) == 0)
			return &m->logs[i];
	return NULL;
}

int marks_check_log(const struct station *s, const char *order, const char *log, struct err *e)
{
	AUTO(marks_clear) struct marks m = { 0 };

	if (load(&m, s, e) != 0)
		return -1;
	const struct mark_log *mark = log_mark(&m, order);
	return mark ? contains(order, log, mark->size, mark->root, "this station signed", e) : 0;
}

int marks_raise_log(const struct station *s, const char *order, uint64_t size,
	const uint8_t root[32], struct err *e)
{
	AUTO(marks_clear) struct marks m = { 0 };

	if (load(&m, s, e) != 0)
		return -1;
	struct mark_log *mark = log_mark(&m, order);
	if (!mark) {
		if (m.n_logs == MARKS_ORDERS_MAX)
			return err_set(
				e, ERR_LIMIT, "at most %d orders at one station", MARKS_ORDERS_MAX);
		mark = &m.logs[m.n_logs++];
		snprintf(mark->order, sizeof mark->order, "%s", order);
	}
	if (size <= mark->size)
		return 0;
	mark->size = size;
	memcpy(mark->root, root, sizeof mark->root);
	return save(&m, s, e);
}

int marks_log_of_file(const struct station *s, const char *order, const char *log, struct err *e)
{
	struct checkpoint c;
	int found = checkpoint_at(log, 0, &c, e);

	return found == 1 ? marks_raise_log(s, order, c.size, c.root, e) : found;
}

int marks_check_note(const struct station *s, const char *order, const char *origin,
	const char *log, const char *path, struct err *e)
{
	AUTO(buf_clear) struct buf text = { 0 };
	struct checkpoint c;
	struct note note;
	struct vkey key;

	if (fsio_read(path, NOTE_FILE_MAX, &text, e) != 0)
		return -1;
	if (vkey_make(&key, origin, VKEY_ED25519, s->key.key, e) != 0 ||
		checkpoint_open(&c, &note, path, text.p, text.len, origin, &key, 1, 1, e) != 0) {
		if (e && e->code == ERR_FORMAT)
			e->code = ERR_REJECTED;
		return -1;
	}
	return contains(order, log, c.size, c.root, "the checkpoint given says", e);
}

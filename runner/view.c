#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "runner/view.h"

#define MIN_TITLE  12 /* columns of the script's title that are worth showing */
#define HEAD_LINES 3 /* title, totals, a blank or the heads of the columns */
#define MIN_FAULTS 2 /* lines */
#define CELL_MIN   19 /* a cell of the grid */
#define WIDE_CELL  56 /* ... with UUID, stage and rate */
#define MAX_CELL   78

/* --- a line ------------------------------------------------------------------------------ */
struct pen {
	char *p;
	size_t bytes; /* written */
	int col, width;
};

static struct pen new_line(struct view *v)
{
	int width = v->width < VIEW_WIDTH ? v->width : VIEW_WIDTH;

	if (v->n == VIEW_LINES)
		v->n--;
	struct pen pen = { .p = v->line[v->n++], .width = width };
	pen.p[0] = 0;
	return pen;
}

static void put_byte(struct pen *pen, char c)
{
	if (pen->bytes + 1 < VIEW_BYTES) {
		pen->p[pen->bytes++] = c;
		pen->p[pen->bytes] = 0;
	}
}

/* Text, cut at the right edge; a character that could move the cursor becomes '?'. */
static void put_text(struct pen *pen, enum tone tone, const char *text)
{
	put_byte(pen, (char)tone);
	for (const char *s = text; *s; s++) {
		bool continues = ((unsigned char)*s & 0xC0) == 0x80;
		if (!continues && pen->col >= pen->width)
			break;
		pen->col += !continues;
		put_byte(pen, (unsigned char)*s < 0x20 || *s == 0x7f ? '?' : *s);
	}
	put_byte(pen, TONE_PLAIN);
}

static void put(struct pen *pen, enum tone tone, const char *fmt, ...) PRINTF_LIKE(3);
static void put(struct pen *pen, enum tone tone, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	put_text(pen, tone, text);
}

static void fill_to(struct pen *pen, int col, enum tone tone)
{
	put_byte(pen, (char)tone);
	for (; pen->col < col && pen->col < pen->width; pen->col++)
		put_byte(pen, ' ');
	put_byte(pen, TONE_PLAIN);
}

static int text_columns(const char *text)
{
	int n = 0;

	for (const char *s = text; *s; s++)
		n += ((unsigned char)*s & 0xC0) != 0x80;
	return n;
}

/* Text of which the end matters little: cut off visibly, `keep` columns before the end of the line.
 */
static void put_cut(
	const struct view *v, struct pen *pen, enum tone tone, int keep, const char *text)
{
	struct pen inner = *pen;

	inner.width = pen->width - keep;
	bool fits = inner.col + text_columns(text) <= inner.width;
	if (!fits)
		inner.width -= v->utf8 ? 1 : 3;
	put_text(&inner, tone, text);
	pen->bytes = inner.bytes;
	pen->col = inner.col;
	if (!fits)
		put_text(pen, tone, v->utf8 ? "\u2026" : "...");
}

/* A field: text in exactly `width` columns. */
static void field(struct pen *pen, enum tone tone, int width, const char *text)
{
	int end = pen->col + width;
	struct pen inner = *pen;

	inner.width = end < pen->width ? end : pen->width;
	put_text(&inner, tone, text);
	fill_to(&inner, end, tone);
	pen->bytes = inner.bytes;
	pen->col = inner.col;
}

/* A name that does not fit loses its beginning: the end tells places apart. */
static void field_tail(struct pen *pen, enum tone tone, int width, const char *text)
{
	int len = (int)strlen(text);

	field(pen, tone, width, len > width ? text + len - width : text);
}

static void field_right(struct pen *pen, enum tone tone, int width, const char *text)
{
	int pad = width - (int)strlen(text);

	if (pad > 0)
		field(pen, tone, pad, "");
	field(pen, tone, pad > 0 ? width - pad : width, text);
}

static void bar(struct pen *pen, const struct view *v, int width, double share, enum tone tone)
{
	/* eighths of a character: ▏▎▍▌▋▊▉█ are U+258F down to U+2588 */
	static const char *const part[] = { "", "\u258f", "\u258e", "\u258d", "\u258c", "\u258b",
		"\u258a", "\u2589" };
	int eighths = (int)(share * width * 8 + 0.5);
	char text[4 * VIEW_WIDTH];
	size_t n = 0;

	for (int i = 0; i < width; i++, eighths -= 8) {
		const char *c = v->utf8 ? "\u2588" : "#";
		if (eighths <= 0)
			c = v->utf8 ? "\u2591" : ".";
		else if (eighths < 8)
			c = v->utf8 ? part[eighths] : (eighths >= 4 ? "#" : ".");
		n += (size_t)snprintf(text + n, sizeof text - n, "%s", c);
	}
	put_text(pen, tone, text);
}

/* --- pieces
 * ------------------------------------------------------------------------------------------------
 */
static void clock_text(char out[24], int64_t ms)
{
	long long s = ms / 1000;

	if (s >= 3600)
		snprintf(out, 24, "%lld:%02lld:%02lld", s / 3600, s / 60 % 60, s % 60);
	else
		snprintf(out, 24, "%lld:%02lld", s / 60, s % 60);
}

static void draw_title(struct view *v, const struct panel *p)
{
	const struct manifest *m = pkg_manifest(p->pkg);
	struct pen pen = new_line(v);
	char time[24];

	clock_text(time, clock_mono_ms() - p->start_ms);
	put(&pen, TONE_HEAD, "%s %s", m->product, m->release);
	if (p->order)
		put(&pen, TONE_PLAIN, "  order %s", p->order);
	else
		put(&pen, TONE_WARN, "  no order");
	int clock = (int)strlen(time) + 2;
	if (*p->title && pen.col + clock + MIN_TITLE < pen.width) {
		put(&pen, TONE_DIM, "  ");
		put_cut(v, &pen, TONE_DIM, clock, p->title);
	}
	if (pen.col + clock <= pen.width) {
		fill_to(&pen, pen.width - (int)strlen(time), TONE_PLAIN);
		put_text(&pen, TONE_PLAIN, time);
	}
}

static void draw_totals(struct view *v, const struct panel *p)
{
	struct pen pen = new_line(v);
	int yield = panel_yield(p);

	put(&pen, p->passed ? TONE_PASS : TONE_DIM, " PASS %u ", p->passed);
	put(&pen, TONE_PLAIN, " ");
	put(&pen, p->failed ? TONE_FAIL : TONE_DIM, " FAIL %u ", p->failed);
	put(&pen, TONE_PLAIN, "  running %u", panel_running(p));
	if (yield >= 0)
		put(&pen, TONE_PLAIN, "  yield %d %%", yield);
	if (panel_per_hour(p) > 0)
		put(&pen, TONE_PLAIN, "  %.0f/h", panel_per_hour(p));
	if (p->order)
		put(&pen, TONE_PLAIN, "  order %llu/%llu, %llu left",
			(unsigned long long)p->counted, (unsigned long long)p->quantity,
			(unsigned long long)(p->quantity > p->counted ? p->quantity - p->counted
								      : 0));
	if (p->interrupted)
		put(&pen, TONE_WARN, "  interrupted %u", p->interrupted);
	if (p->skipped)
		put(&pen, TONE_DIM, "  skipped %u", p->skipped);
	if (p->log_failed)
		put(&pen, TONE_FAIL, "  LOG FAILED ");
	else if (p->stopping)
		put(&pen, TONE_WARN, "  %s", p->stopping == 1 ? "FINISHING" : "STOPPING");
	else if (p->held)
		put(&pen, TONE_WARN, "  HELD");
}

static enum tone tone_of(const struct panel_row *r)
{
	switch (r->state) {
	case ROW_PASS:
		return TONE_PASS;
	case ROW_FAIL:
		return r->seen ? TONE_WARN : TONE_FAIL;
	case ROW_STOPPED:
	case ROW_UNUSABLE:
		return TONE_WARN;
	case ROW_RUNNING:
		return TONE_PLAIN;
	case ROW_EMPTY:
	case ROW_SILENT:
	case ROW_SKIPPED:
	case ROW_GONE:
		break;
	}
	return TONE_DIM;
}

static void result_text(const struct panel_row *r, char out[16])
{
	if (r->asks)
		snprintf(out, 16, "ASKS");
	else if (r->state == ROW_FAIL)
		snprintf(out, 16, "FAIL %s", fault_id(r->fault));
	else if (r->state == ROW_RUNNING)
		out[0] = 0;
	else
		snprintf(out, 16, "%s", row_state_name(r->state));
}

static bool has_device(const struct panel_row *r)
{
	switch (r->state) {
	case ROW_RUNNING:
	case ROW_PASS:
	case ROW_FAIL:
	case ROW_STOPPED:
	case ROW_SKIPPED:
		return true;
	case ROW_EMPTY:
	case ROW_SILENT:
	case ROW_UNUSABLE:
	case ROW_GONE:
		break;
	}
	return false;
}

/* --- table
 * ---------------------------------------------------------------------------------------------------
 */
struct columns {
	int name, uuid, stage, bar, attempt, text;
};

static struct columns fit_columns(const struct view *v, const struct panel *p)
{
	struct columns c = { .name = 4 };

	for (size_t i = 0; i < v->n_order; i++) {
		int len = (int)strlen(p->rows[v->order[i]].name);
		if (len > c.name)
			c.name = len;
	}
	if (c.name > 20)
		c.name = 20;
	/* result 9, rate 9, time 7, percent 5 and gaps are always there */
	int left = v->width - c.name - 1 - 10 - 9 - 7 - 5;
	c.uuid = left >= 80 ? 32 : 8;
	left -= c.uuid + 1;
	c.stage = left >= 30 ? 12 : 9;
	left -= c.stage + 1;
	c.bar = left > 30 ? 30 : left;
	if (c.bar < 6)
		c.bar = 0;
	left -= c.bar;
	c.text = left > 20 ? left - 1 : 0;
	return c;
}

static void draw_heads(struct view *v, const struct columns *c)
{
	struct pen pen = new_line(v);

	field(&pen, TONE_HEAD, c->name + 1, "SLOT");
	field(&pen, TONE_HEAD, c->uuid + 1, "UUID");
	field(&pen, TONE_HEAD, c->stage + 1, "STAGE");
	field(&pen, TONE_HEAD, c->bar, "");
	field_right(&pen, TONE_HEAD, 5, "%");
	field_right(&pen, TONE_HEAD, 9, "KiB/s");
	field_right(&pen, TONE_HEAD, 7, "TIME");
	field(&pen, TONE_HEAD, 10, " RESULT");
	if (c->text)
		field(&pen, TONE_HEAD, c->text + 1, " ");
}

static void draw_row(struct view *v, const struct panel *p, const struct panel_row *r,
	const struct columns *c, bool selected)
{
	struct pen pen = new_line(v);
	enum tone plain = selected ? TONE_SELECTED : has_device(r) ? TONE_PLAIN : TONE_DIM;
	char text[24] = "", result[16];
	const char *uuid = r->uuid;

	if (c->uuid < UUID_TEXT_LEN && strlen(uuid) == UUID_TEXT_LEN)
		uuid += UUID_TEXT_LEN - 8; /* the last digits tell boards apart best */
	field_tail(&pen, plain, c->name, r->name);
	put_text(&pen, plain, " ");
	field(&pen, plain, c->uuid + 1, has_device(r) ? uuid : "");
	field(&pen, plain, c->stage + 1, r->state == ROW_RUNNING ? r->stage : "");
	double share = panel_share(p, r);
	if (has_device(r) && r->state != ROW_SKIPPED) {
		bar(&pen, v, c->bar, share, r->state == ROW_FAIL ? TONE_WARN : TONE_BAR);
		snprintf(text, sizeof text, "%d", (int)(share * 100));
		field_right(&pen, plain, 5, text);
	} else {
		field(&pen, plain, c->bar + 5, "");
	}
	text[0] = 0;
	if (r->state == ROW_RUNNING && r->total)
		snprintf(text, sizeof text, "%.1f", panel_rate(r) / 1024);
	field_right(&pen, plain, 9, text);
	text[0] = 0;
	if (r->start_ms && has_device(r))
		clock_text(text, (r->end_ms ? r->end_ms : clock_mono_ms()) - r->start_ms);
	field_right(&pen, plain, 7, text);
	result_text(r, result);
	put_text(&pen, plain, " ");
	enum tone tone = r->asks ? TONE_WARN : tone_of(r);
	if (tone == TONE_PASS || tone == TONE_FAIL) {
		char big[20];
		snprintf(big, sizeof big, " %s ", result);
		field(&pen, tone, (int)strlen(big) < 9 ? (int)strlen(big) : 10, big);
		fill_to(&pen, c->name + c->uuid + c->stage + c->bar + 3 + 5 + 9 + 7 + 10,
			TONE_PLAIN);
	} else {
		field(&pen, tone, 9, result);
	}
	if (c->text && (r->asks || r->state != ROW_PASS)) {
		put_text(&pen, TONE_PLAIN, " ");
		const char *why = r->state == ROW_FAIL ? fault_instruction(r->fault) : r->text;
		field(&pen, r->state == ROW_FAIL ? TONE_PLAIN : TONE_DIM, c->text,
			r->state == ROW_RUNNING && !r->asks ? "" : why);
	}
}

/* --- grid
 * ------------------------------------------------------------------------------------------------------
 */
/* A wide cell has room for what the table shows; a narrow one for name, bar and verdict. */
static void draw_cell(struct pen *pen, const struct view *v, const struct panel *p,
	const struct panel_row *r, int width, bool selected)
{
	int end = pen->col + width, name = width >= 26 ? 10 : 7;
	enum tone plain = selected ? TONE_SELECTED : has_device(r) ? TONE_PLAIN : TONE_DIM;
	const char *uuid = r->uuid + (strlen(r->uuid) == UUID_TEXT_LEN ? UUID_TEXT_LEN - 8 : 0);
	char result[16], text[24] = "";

	field_tail(pen, plain, name, r->name);
	put_text(pen, TONE_PLAIN, " ");
	if (width >= WIDE_CELL) {
		field(pen, plain, 9, has_device(r) ? uuid : "");
		field(pen, plain, 11, r->state == ROW_RUNNING ? r->stage : "");
	}
	result_text(r, result);
	if (r->state == ROW_RUNNING && !r->asks) {
		int rate = width >= WIDE_CELL ? 8 : 0, room = end - pen->col - 6 - rate;
		double share = panel_share(p, r);
		bar(pen, v, room > 3 ? room : 3, share, TONE_BAR);
		snprintf(text, sizeof text, "%d%%", (int)(share * 100));
		field_right(pen, TONE_PLAIN, 5, text);
		text[0] = 0;
		if (r->total)
			snprintf(text, sizeof text, "%.1f", panel_rate(r) / 1024);
		field_right(pen, TONE_PLAIN, rate, text);
	} else {
		put(pen, r->asks ? TONE_WARN : tone_of(r), " %s ", result);
	}
	fill_to(pen, end, TONE_PLAIN);
}

/* When not all fit, those that want somebody's eye come first. */
static int attention(const struct panel_row *r)
{
	if (r->asks || (r->state == ROW_FAIL && !r->seen))
		return 0;
	return r->state == ROW_RUNNING ? 1 : 2;
}

static void sort_by_attention(struct view *v, const struct panel *p)
{
	size_t sorted[VIEW_PLACES], n = 0;

	for (int level = 0; level <= 2; level++)
		for (size_t i = 0; i < v->n_order; i++)
			if (attention(&p->rows[v->order[i]]) == level)
				sorted[n++] = v->order[i];
	memcpy(v->order, sorted, n * sizeof sorted[0]);
}

static void draw_grid(struct view *v, const struct panel *p, int lines)
{
	int columns = v->width / CELL_MIN;
	int n = (int)v->n_order;

	if (columns < 1)
		columns = 1;
	if (lines < 1)
		lines = 1;
	/* No wider than needed: fewer columns leave room for longer bars. */
	int needed = (n + lines - 1) / lines;
	if (needed < columns)
		columns = needed;
	int width = v->width / columns;
	if (width > MAX_CELL)
		width = MAX_CELL;
	int rows = (n + columns - 1) / columns;
	if (rows > lines) {
		rows = lines - 1 > 0 ? lines - 1 : 1;
		sort_by_attention(v, p);
	}
	for (int y = 0; y < rows; y++) {
		struct pen pen = new_line(v);
		for (int x = 0; x < columns; x++) {
			int i = x * rows + y;
			if (i < n)
				draw_cell(
					&pen, v, p, &p->rows[v->order[i]], width, v->selected == i);
		}
	}
	if (rows * columns < n) {
		struct pen pen = new_line(v);
		put(&pen, TONE_DIM, "%d more do not fit", n - rows * columns);
	}
}

/* --- faults
 * ------------------------------------------------------------------------------------------------------
 */
static int fault_lines(const struct view *v, const struct panel_fault *f)
{
	size_t len = 18 + strlen(f->name) + strlen(fault_sentence(f->fault)) +
		     strlen(fault_instruction(f->fault));

	return len <= (size_t)v->width ? 1 : 2;
}

static void draw_fault(struct view *v, const struct panel_fault *f)
{
	struct pen pen = new_line(v);
	char time[TIME_MS_LEN + 1];

	time_format_ms(time, f->wall_ms);
	put(&pen, TONE_DIM, "%.8s ", time + 11);
	put(&pen, TONE_WARN, "%s %s", f->name, fault_id(f->fault));
	put(&pen, TONE_PLAIN, " %s", fault_sentence(f->fault));
	/* What to do must not be cut off. */
	if (fault_lines(v, f) == 2) {
		pen = new_line(v);
		put(&pen, TONE_HEAD, "         -> %s", fault_instruction(f->fault));
	} else {
		put(&pen, TONE_HEAD, " -> %s", fault_instruction(f->fault));
	}
}

/* The newest faults, as many as fit into so many lines. Returns the lines used. */
static int draw_faults(struct view *v, const struct panel *p, int lines, bool count_only)
{
	int used = 0;

	for (size_t i = 0; i < p->n_faults; i++) {
		int n = fault_lines(v, &p->faults[i]);
		if (used + n > lines)
			break;
		if (!count_only)
			draw_fault(v, &p->faults[i]);
		used += n;
	}
	return used;
}

/* --- picture
 * -----------------------------------------------------------------------------------------------------
 */
static const struct panel *sorting;

/* Slots sort as people count: A2 before A10. */
static int natural(const void *a, const void *b)
{
	const struct panel_row *x = &sorting->rows[*(const size_t *)a];
	const struct panel_row *y = &sorting->rows[*(const size_t *)b];

	return strverscmp(x->name, y->name);
}

static void sort_rows(struct view *v, const struct panel *p)
{
	v->n_order = 0;
	for (size_t i = 0; i < p->n_rows && v->n_order < VIEW_PLACES; i++)
		if (p->rows[i].used)
			v->order[v->n_order++] = i;
	sorting = p;
	qsort(v->order, v->n_order, sizeof v->order[0], natural);
}

static void draw_question(struct view *v, const struct panel *p)
{
	for (size_t i = 0; i < v->n_order; i++) {
		const struct panel_row *r = &p->rows[v->order[i]];
		if (!r->asks)
			continue;
		struct pen pen = new_line(v);
		put(&pen, TONE_WARN, " %s asks: ", r->name);
		put(&pen, TONE_HEAD, "%s", r->text);
		return;
	}
}

static bool question_open(const struct view *v, const struct panel *p)
{
	for (size_t i = 0; i < v->n_order; i++)
		if (p->rows[v->order[i]].asks)
			return true;
	return false;
}

static void draw_table(struct view *v, const struct panel *p)
{
	struct columns c = fit_columns(v, p);

	draw_heads(v, &c);
	for (size_t i = 0; i < v->n_order; i++)
		draw_row(v, p, &p->rows[v->order[i]], &c, v->selected == (long)i);
}

/* Lines for faults below a table of all rows: as many as leave room for it, at least MIN_FAULTS (of
 * those there are); -1: the table does not fit. */
static int faults_below_table(struct view *v, const struct panel *p, int room)
{
	int all = draw_faults(v, p, 2 * PANEL_FAULTS, true);
	int least = all < MIN_FAULTS ? all : MIN_FAULTS;
	int left = room - (int)v->n_order - (all ? 1 : 0);

	if (left < least)
		return -1;
	return draw_faults(v, p, left < all ? left : all, true);
}

void view_draw(struct view *v, const struct panel *p)
{
	v->n = 0;
	sort_rows(v, p);
	int below = (question_open(v, p) ? 1 : 0) + (v->keys ? 1 : 0) + (*p->message ? 1 : 0);
	int room = v->height - HEAD_LINES - below;
	int faults = faults_below_table(v, p, room);

	draw_title(v, p);
	draw_totals(v, p);
	if (faults >= 0) {
		draw_table(v, p);
	} else {
		faults = room > 2 * MIN_FAULTS ? draw_faults(v, p, MIN_FAULTS, true) : 0;
		draw_grid(v, p, room + 1 - faults - (faults ? 1 : 0));
		int left = v->height - below - (int)v->n - 1;
		if (left > faults)
			faults = draw_faults(v, p, left, true);
	}
	if (faults)
		new_line(v);
	draw_faults(v, p, faults, false);
	draw_question(v, p);
	if (*p->message) {
		struct pen pen = new_line(v);
		put_cut(v, &pen, TONE_DIM, 0, p->message);
	}
	if (v->keys) {
		while ((int)v->n < v->height - 1)
			new_line(v);
		struct pen pen = new_line(v);
		put_text(&pen, TONE_HEAD, v->keys);
	}
	if ((int)v->n > v->height)
		v->n = v->height > 0 ? (size_t)v->height : 1;
}

void view_end(struct view *v, const struct panel *p)
{
	v->n = 0;
	v->selected = -1;
	sort_rows(v, p);
	draw_title(v, p);
	draw_totals(v, p);
	draw_table(v, p);
	if (p->n_faults)
		new_line(v);
	draw_faults(v, p, 2 * PANEL_FAULTS, false);
}

/* --- detail
 * ------------------------------------------------------------------------------------------------------
 */
static void pair(struct view *v, const char *name, enum tone tone, const char *fmt, ...)
	PRINTF_LIKE(4);
static void pair(struct view *v, const char *name, enum tone tone, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	/* long texts go on in further lines, indented */
	const char *rest = text;
	int room = v->width - 16;
	if (room < 20)
		room = 20;
	do {
		struct pen pen = new_line(v);
		field(&pen, TONE_DIM, 14, rest == text ? name : "");
		int len = (int)strlen(rest);
		if (len > room) {
			len = room;
			while (len > room / 2 && rest[len] != ' ')
				len--;
		}
		put(&pen, tone, "%.*s", len, rest);
		rest += len;
		while (*rest == ' ')
			rest++;
	} while (*rest);
}

void view_detail(struct view *v, const struct panel *p, size_t place)
{
	const struct panel_row *r = &p->rows[place];
	char time[24];

	v->n = 0;
	draw_title(v, p);
	draw_totals(v, p);
	new_line(v);
	pair(v, "slot", TONE_HEAD, "%s", r->name);
	pair(v, "port", TONE_PLAIN, "%s", r->port);
	pair(v, "device", TONE_PLAIN, "%s", *r->uuid ? r->uuid : "none yet");
	pair(v, "state", tone_of(r), " %s ", row_state_name(r->state));
	if (has_device(r)) {
		clock_text(time, (r->end_ms ? r->end_ms : clock_mono_ms()) - r->start_ms);
		pair(v, "attempt", TONE_PLAIN, "%u", r->attempt);
		pair(v, "stage", TONE_PLAIN, "%s, step %zu of %zu", *r->stage ? r->stage : "-",
			r->step < r->n_steps ? r->step + 1 : r->n_steps, r->n_steps);
		if (r->step < pkg_script(p->pkg)->n)
			pair(v, "command", TONE_PLAIN, "%s",
				pkg_script(p->pkg)->steps[r->step].text);
		pair(v, "transfer", TONE_PLAIN, "%llu of %llu bytes, %.1f KiB/s",
			(unsigned long long)r->done, (unsigned long long)r->total,
			panel_rate(r) / 1024);
		pair(v, "time", TONE_PLAIN, "%s", time);
	}
	pair(v, "this slot", TONE_PLAIN, "%u passed, %u failed in this run", r->passed, r->failed);
	if (r->fault != FAULT_NONE) {
		new_line(v);
		pair(v, "fault", TONE_WARN, "%s %s", fault_id(r->fault), fault_sentence(r->fault));
		pair(v, "what to do", TONE_HEAD, "%s", fault_instruction(r->fault));
	}
	if (*r->text)
		pair(v, "in full", TONE_PLAIN, "%s", r->text);
	if (v->keys) {
		while ((int)v->n < v->height - 1)
			new_line(v);
		struct pen pen = new_line(v);
		put_text(&pen, TONE_HEAD, v->keys);
	}
	if ((int)v->n > v->height)
		v->n = v->height > 0 ? (size_t)v->height : 1;
}

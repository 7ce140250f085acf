#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/cli.h"
#include "runner/ui.h"
#include "runner/view.h"

#define TICK_MS 150

/* The table, redrawn in place: the cursor goes up to its first line, every line is rewritten and
 * the rest of it cleared, all in one write, so that nothing flickers. What was on the terminal
 * before stays above it. */
struct live {
	struct ui ui;
	struct view view;
	bool colour;
	bool dirty;
	size_t drawn; /* lines on the screen */
	int drawn_width;
};

static const char *const ansi[TONES + 1] = {
	[TONE_PLAIN] = "\033[0m",
	[TONE_HEAD] = "\033[1m",
	[TONE_DIM] = "\033[2m",
	[TONE_BAR] = "\033[36m",
	[TONE_PASS] = "\033[1;30;42m",
	[TONE_FAIL] = "\033[1;37;41m",
	[TONE_WARN] = "\033[1;33m",
	[TONE_SELECTED] = "\033[7m",
};

static void paint_line(const char *line, bool colour, struct buf *out)
{
	char tone = TONE_PLAIN;

	for (const char *p = line; *p; p++) {
		if (*p > TONES || *p < 0) {
			wr_u8(out, (uint8_t)*p);
			continue;
		}
		if (*p != tone && colour) {
			if (*p != TONE_PLAIN && tone != TONE_PLAIN)
				wr_str(out, ansi[TONE_PLAIN]);
			wr_str(out, ansi[(int)*p]);
		}
		tone = *p;
	}
	if (tone != TONE_PLAIN && colour)
		wr_str(out, ansi[TONE_PLAIN]);
	wr_str(out, "\033[K");
}

static void terminal_size(struct live *l)
{
	struct winsize w;

	l->view.width = 80;
	l->view.height = 24;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col && w.ws_row) {
		l->view.width = w.ws_col;
		l->view.height = w.ws_row - 1; /* the cursor's line stays free: no scrolling */
	}
}

static void flush(struct buf *out)
{
	fwrite(out->p, 1, out->len, stdout);
	fflush(stdout);
	buf_clear(out);
}

static void go_to_top(struct live *l, struct buf *out)
{
	/* A narrower terminal has wrapped the old lines: its height tells how many there are. */
	if (l->drawn && l->view.width < l->drawn_width) {
		wr_str(out, "\033[H\033[J");
		l->drawn = 0;
	}
	if (l->drawn)
		wr_printf(out, "\033[%zuA", l->drawn);
	wr_str(out, "\r");
}

static void draw(struct live *l)
{
	struct buf out = { 0 };

	terminal_size(l);
	view_draw(&l->view, l->ui.panel);
	wr_str(&out, "\033[?2026h"); /* terminals that can, show the frame at once */
	go_to_top(l, &out);
	for (size_t i = 0; i < l->view.n; i++) {
		paint_line(l->view.line[i], l->colour, &out);
		wr_str(&out, "\r\n");
	}
	wr_str(&out, "\033[J\033[?2026l");
	l->drawn = l->view.n;
	l->drawn_width = l->view.width;
	l->dirty = false;
	flush(&out);
}

static void live_event(struct ui *ui, const struct event *ev)
{
	(void)ev;
	((struct live *)ui)->dirty = true;
}

static void live_tick(struct ui *ui)
{
	draw((struct live *)ui); /* the clock moves even when nothing else does */
}

static void live_question(struct ui *ui, size_t place, const char *text)
{
	(void)place;
	(void)text;
	draw((struct live *)ui);
}

static void live_resize(struct ui *ui)
{
	draw((struct live *)ui);
}

void ui_print_end(const struct panel *panel, struct view *v, bool colour)
{
	struct buf out = { 0 };

	view_end(v, panel);
	for (size_t i = 0; i < v->n; i++) {
		paint_line(v->line[i], colour, &out);
		wr_str(&out, "\r\n");
	}
	flush(&out);
}

static void show_cursor(void)
{
	fputs("\033[?25h", stdout);
	fflush(stdout);
}

static void live_summary(struct ui *ui, const struct ui_summary *s)
{
	struct live *l = (struct live *)ui;
	struct buf out = { 0 };

	terminal_size(l);
	go_to_top(l, &out);
	wr_str(&out, "\033[J");
	flush(&out);
	ui_print_end(ui->panel, &l->view, l->colour);
	l->drawn = 0;
	show_cursor();
	ui_print_summary(s, l->colour);
}

static void live_free(struct ui *ui)
{
	show_cursor();
	free(ui);
}

int ui_live_new(struct ui **out, struct panel *panel, struct err *e)
{
	struct live *l = calloc(1, sizeof *l);

	if (!l)
		return err_set(e, ERR_ENV, "out of memory");
	l->ui = (struct ui){ .event = live_event,
		.tick = live_tick,
		.question = live_question,
		.resize = live_resize,
		.summary = live_summary,
		.free = live_free,
		.tick_ms = TICK_MS,
		.panel = panel };
	l->colour = cli_colour(STDOUT_FILENO);
	setlocale(LC_CTYPE, "");
	l->view.utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	l->view.selected = -1;
	fputs("\033[?25l", stdout);
	*out = &l->ui;
	return 0;
}

#include <curses.h>
#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/cli.h"
#include "runner/ui.h"
#include "runner/view.h"

#define TICK_MS 150

/* The full-screen operator view: the picture of ui_live, and keys. */
enum full_screen { SCREEN_TABLE, SCREEN_DETAIL, SCREEN_HELP, SCREEN_ASK_STOP };

struct full {
	struct ui ui;
	struct view view;
	enum full_screen screen;
	size_t place; /* shown in detail */
	bool asking;
	char answer[PROMPT_ANSWER_MAX + 1];
	size_t answer_len;
	bool closed; /* the terminal is the shell's again */
};

static const char keys_table[] = " arrows select  Enter details  r retry slot  a acknowledge  s "
				 "start/hold  q finish  Q stop now"
				 "  ? help";
static const char keys_narrow[] =
	" Enter details  r retry  a ack  s hold  q finish  Q stop  ? help";
static const char keys_detail[] = " Enter or Esc back  r retry slot  a acknowledge";

static const char *const help[] = {
	"Keys",
	"",
	"  arrows     select a slot",
	"  Enter      details of the slot: what happened, what to do; again: back",
	"  r          start the slot again with the board that is in it",
	"  a          acknowledge a failure: it stops glaring, the log says who",
	"  s          hold the run: no board is begun; again: go on",
	"  q          finish: running boards are finished, then the run ends",
	"  Q          stop at the next safe point (asks first)",
	"  Ctrl-C     as q; a second time as Q",
	"",
	"An irreversible stage is always finished, however the run is stopped.",
	"What the operator does here is written into the log.",
	"",
	"Any key goes back.",
};

/* --- painting ---------------------------------------------------------------------------- */
static attr_t attr_of(enum tone tone, short *pair)
{
	*pair = 0;
	switch (tone) {
	case TONE_PLAIN:
		return A_NORMAL;
	case TONE_HEAD:
		return A_BOLD;
	case TONE_DIM:
		return A_DIM;
	case TONE_BAR:
		*pair = 1;
		return A_NORMAL;
	case TONE_PASS:
		*pair = 2;
		return has_colors() ? A_BOLD : A_REVERSE;
	case TONE_FAIL:
		*pair = 3;
		return has_colors() ? A_BOLD : A_REVERSE | A_BOLD;
	case TONE_WARN:
		*pair = 4;
		return A_BOLD;
	case TONE_SELECTED:
		return A_REVERSE;
	}
	return A_NORMAL;
}

static void paint(const struct view *v)
{
	erase();
	for (size_t y = 0; y < v->n && (int)y < LINES; y++) {
		const char *p = v->line[y];
		move((int)y, 0);
		while (*p) {
			if (*p > 0 && *p <= TONES) {
				short pair;
				attr_t a = attr_of((enum tone) * p, &pair);
				attr_set(a, pair, NULL);
				p++;
			}
			size_t n = 0;
			while (p[n] && !(p[n] > 0 && p[n] <= TONES))
				n++;
			addnstr(p, (int)n);
			p += n;
		}
	}
	attr_set(A_NORMAL, 0, NULL);
}

static void paint_help(void)
{
	erase();
	for (size_t i = 0; i < sizeof help / sizeof *help; i++)
		mvaddnstr((int)i + 1, 2, help[i], COLS - 3);
}

static void paint_bottom(const struct full *f)
{
	if (f->screen == SCREEN_ASK_STOP) {
		attr_set(A_BOLD, 4, NULL);
		mvprintw(
			LINES - 1, 0, " Stop all slots at the next safe point? y: yes, other: no ");
		attr_set(A_NORMAL, 0, NULL);
		clrtoeol();
	} else if (f->asking) {
		attr_set(A_BOLD, 0, NULL);
		mvprintw(LINES - 1, 0, " answer: %s_", f->answer);
		attr_set(A_NORMAL, 0, NULL);
		clrtoeol();
	}
}

static void draw(struct full *f)
{
	if (f->closed)
		return;
	f->view.width = COLS;
	f->view.height = LINES;
	switch (f->screen) {
	case SCREEN_TABLE:
	case SCREEN_ASK_STOP:
		f->view.keys = COLS >= (int)sizeof keys_table ? keys_table : keys_narrow;
		view_draw(&f->view, f->ui.panel);
		if (f->view.selected >= (long)f->view.n_order)
			f->view.selected = (long)f->view.n_order - 1;
		paint(&f->view);
		break;
	case SCREEN_DETAIL:
		f->view.keys = keys_detail;
		view_detail(&f->view, f->ui.panel, f->place);
		paint(&f->view);
		break;
	case SCREEN_HELP:
		paint_help();
		break;
	}
	paint_bottom(f);
	refresh(); /* curses sends only what has changed: no flicker */
}

/* --- keys
 * -------------------------------------------------------------------------------------------------
 */
static bool selected_place(const struct full *f, size_t *place)
{
	if (f->screen == SCREEN_DETAIL) {
		*place = f->place;
		return true;
	}
	if (f->view.selected < 0 || f->view.selected >= (long)f->view.n_order)
		return false;
	*place = f->view.order[f->view.selected];
	return true;
}

static bool answer_key(struct full *f, int key, struct ui_request *out)
{
	if (key == '\n' || key == '\r' || key == KEY_ENTER) {
		out->wish = UI_WISH_ANSWER;
		memcpy(out->text, f->answer, sizeof out->text);
		f->answer_len = 0;
		f->answer[0] = 0;
		return true;
	}
	if ((key == KEY_BACKSPACE || key == 127 || key == '\b') && f->answer_len)
		f->answer[--f->answer_len] = 0;
	else if (key >= 0x20 && key < 0x7f && f->answer_len < PROMPT_ANSWER_MAX) {
		f->answer[f->answer_len++] = (char)key;
		f->answer[f->answer_len] = 0;
	}
	return false;
}

static bool acknowledge(struct full *f, struct ui_request *out)
{
	size_t place;

	if (!selected_place(f, &place))
		return false;
	struct panel_row *r = &f->ui.panel->rows[place];
	if (r->state != ROW_FAIL || r->seen)
		return false;
	r->seen = true;
	out->wish = UI_WISH_CONFIRM;
	snprintf(out->text, sizeof out->text, "fault %s of slot %s, device %s seen",
		fault_id(r->fault), r->name, r->uuid);
	return true;
}

static void move_selection(struct full *f, long by)
{
	long n = (long)f->view.n_order;

	f->view.selected += by;
	if (f->view.selected < 0)
		f->view.selected = n ? 0 : -1;
	if (f->view.selected >= n)
		f->view.selected = n - 1;
}

static bool plain_key(struct full *f, int key, struct ui_request *out)
{
	size_t place;

	if (f->screen == SCREEN_HELP) {
		f->screen = SCREEN_TABLE;
		return false;
	}
	if (f->screen == SCREEN_ASK_STOP) {
		f->screen = SCREEN_TABLE;
		out->wish = UI_WISH_STOP;
		return key == 'y' || key == 'Y';
	}
	switch (key) {
	case KEY_UP:
	case 'k':
		move_selection(f, -1);
		return false;
	case KEY_DOWN:
	case 'j':
		move_selection(f, 1);
		return false;
	case KEY_PPAGE:
	case KEY_LEFT:
		move_selection(f, -10);
		return false;
	case KEY_NPAGE:
	case KEY_RIGHT:
		move_selection(f, 10);
		return false;
	case '\n':
	case '\r':
	case KEY_ENTER:
		if (f->screen == SCREEN_DETAIL)
			f->screen = SCREEN_TABLE;
		else if (selected_place(f, &f->place))
			f->screen = SCREEN_DETAIL;
		return false;
	case 27:
		f->screen = SCREEN_TABLE;
		return false;
	case '?':
	case 'h':
		f->screen = SCREEN_HELP;
		return false;
	case 'r':
		if (!selected_place(f, &place))
			return false;
		out->wish = UI_WISH_RETRY;
		out->place = place;
		return true;
	case 'a':
		return acknowledge(f, out);
	case 's':
		out->wish = UI_WISH_HOLD;
		return true;
	case 'q':
		out->wish = UI_WISH_FINISH;
		return true;
	case 'Q':
		f->screen = SCREEN_ASK_STOP;
		return false;
	default:
		return false;
	}
}

static bool full_key(struct ui *ui, struct ui_request *out)
{
	struct full *f = (struct full *)ui;
	int key;

	while ((key = getch()) != ERR) {
		*out = (struct ui_request){ 0 };
		if (key == KEY_RESIZE)
			continue;
		bool wish = f->asking && f->screen != SCREEN_ASK_STOP ? answer_key(f, key, out)
								      : plain_key(f, key, out);
		draw(f);
		if (wish)
			return true;
	}
	return false;
}

/* --- ui
 * ------------------------------------------------------------------------------------------------------
 */
static void full_event(struct ui *ui, const struct event *ev)
{
	(void)ui;
	(void)ev; /* the next tick draws */
}

static void full_tick(struct ui *ui)
{
	draw((struct full *)ui);
}

static void full_question(struct ui *ui, size_t place, const char *text)
{
	struct full *f = (struct full *)ui;

	(void)place;
	f->asking = text != NULL;
	f->answer_len = 0;
	f->answer[0] = 0;
	draw(f);
}

static void full_resize(struct ui *ui)
{
	struct winsize w;

	/* SIGWINCH comes to us, not to curses: tell it. */
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_row && w.ws_col)
		resizeterm(w.ws_row, w.ws_col);
	draw((struct full *)ui);
}

static void close_screen(struct full *f)
{
	if (!f->closed)
		endwin();
	f->closed = true;
}

static void full_summary(struct ui *ui, const struct ui_summary *s)
{
	struct full *f = (struct full *)ui;

	close_screen(f);
	ui_print_end(ui->panel, &f->view, cli_colour(STDOUT_FILENO));
	ui_print_summary(s, cli_colour(STDOUT_FILENO));
}

static void full_free(struct ui *ui)
{
	close_screen((struct full *)ui);
	free(ui);
}

int ui_full_new(struct ui **out, struct panel *panel, struct err *e)
{
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return err_set(e, ERR_USAGE, "--ui full needs a terminal for input and output");
	struct full *f = calloc(1, sizeof *f);
	if (!f)
		return err_set(e, ERR_ENV, "out of memory");
	f->ui = (struct ui){ .event = full_event,
		.tick = full_tick,
		.key = full_key,
		.question = full_question,
		.resize = full_resize,
		.summary = full_summary,
		.free = full_free,
		.tick_ms = TICK_MS,
		.keys = true,
		.panel = panel };
	setlocale(LC_CTYPE, "");
	f->view.utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	f->view.selected = 0;
	if (!newterm(NULL, stdout, stdin)) { /* initscr would end the program */
		free(f);
		return err_set(e, ERR_ENV, "the terminal (TERM) cannot show --ui full");
	}
	cbreak();
	noecho();
	nodelay(stdscr, TRUE);
	keypad(stdscr, TRUE);
	set_escdelay(50);
	curs_set(0);
	if (has_colors()) {
		start_color();
		use_default_colors();
		init_pair(1, COLOR_CYAN, -1);
		init_pair(2, COLOR_BLACK, COLOR_GREEN);
		init_pair(3, COLOR_WHITE, COLOR_RED);
		init_pair(4, COLOR_YELLOW, -1);
	}
	*out = &f->ui;
	return 0;
}

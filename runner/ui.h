/* ui - how a run is shown: one line an event (plain), JSON Lines (json), a table redrawn in place
 * (live), a full-screen view with keys (full).
 *
 * All calls come from the thread that owns the run. Writing to a closed or full output is not an
 * error of the run: devices go on.
 */
#ifndef RUNNER_UI_H
#define RUNNER_UI_H

#include <stdbool.h>

#include "base/err.h"
#include "runner/event.h"
#include "runner/panel.h"
#include "runner/prompt.h"
#include "runner/view.h"

enum ui_kind { UI_AUTO, UI_PLAIN, UI_JSON, UI_LIVE, UI_FULL };

/* What the operator asks for by a key (full view). */
enum ui_wish {
	UI_WISH_NONE,
	UI_WISH_FINISH, /* begin no more devices, finish the running ones */
	UI_WISH_STOP, /* stop at the next safe point */
	UI_WISH_HOLD, /* hold the run, or go on: no device is begun while held */
	UI_WISH_CONFIRM, /* the operator has seen a fault: `text` for the log */
	UI_WISH_RETRY, /* start the slot `place` again */
	UI_WISH_ANSWER, /* `text` answers the open question of `place` */
};

struct ui_request {
	enum ui_wish wish;
	size_t place;
	char text[PROMPT_ANSWER_MAX + 1];
};

struct ui_summary {
	unsigned passed, failed, interrupted, skipped, silent, unusable, recovered;
	int64_t ms;
	bool log_closed;
	const char *log; /* path */
	const char *order; /* NULL without */
	uint64_t quantity, counted;
	uint64_t events_lost;
	int exit_status;
	const char *message; /* why the run ended badly, or NULL */
};

struct ui {
	void (*event)(struct ui *ui, const struct event *ev); /* after the panel has taken it */
	void (*tick)(struct ui *ui); /* every tick_ms, and after a burst of events */
	/* keyboard readable: false when there is no wish */
	bool (*key)(struct ui *ui, struct ui_request *out);
	void (*question)(struct ui *ui, size_t place, const char *text); /* NULL: none open */
	void (*resize)(struct ui *ui);
	void (*summary)(
		struct ui *ui, const struct ui_summary *s); /* last; restores the terminal */
	void (*free)(struct ui *ui);
	int tick_ms; /* 0: no ticks */
	bool keys; /* wants the keyboard */
	struct panel *panel;
};

int ui_new(
	struct ui **out, enum ui_kind kind, struct panel *panel, bool quiet, struct err *e) CHECKED;
int ui_kind_parse(const char *name, enum ui_kind *out); /* 0 or -1 */

int ui_plain_new(struct ui **out, struct panel *panel, bool quiet, struct err *e) CHECKED;
int ui_json_new(struct ui **out, struct panel *panel, struct err *e) CHECKED;
int ui_live_new(struct ui **out, struct panel *panel, struct err *e) CHECKED;
int ui_full_new(struct ui **out, struct panel *panel, struct err *e) CHECKED;

/* The last picture on the plain screen, below what was there. */
void ui_print_end(const struct panel *panel, struct view *v, bool colour);

/* The last line of plain and live, and what is said about it. */
void ui_print_summary(const struct ui_summary *s, bool colour);

#endif

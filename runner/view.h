/* view - the operator's picture as lines of toned text, for any terminal size.
 *
 * A table with one row a place while the terminal is high enough, a grid of small cells when it is
 * not; columns come and go with the width. Pure: panel in, lines out; ui_live and ui_full paint
 * them. In a line, a byte 1..TONES changes the tone of what follows; everything else is printable
 * UTF-8, one column a character.
 */
#ifndef RUNNER_VIEW_H
#define RUNNER_VIEW_H

#include <stdbool.h>
#include <stddef.h>

#include "runner/panel.h"

#define VIEW_PLACES 256 /* as many as there can be ports */
#define VIEW_LINES  320
#define VIEW_BYTES  1536 /* of one line */
#define VIEW_WIDTH  300 /* columns drawn at most */

enum tone {
	TONE_PLAIN = 1,
	TONE_HEAD,
	TONE_DIM,
	TONE_BAR,
	TONE_PASS, /* big: on green */
	TONE_FAIL, /* big: on red */
	TONE_WARN,
	TONE_SELECTED,
	TONES = TONE_SELECTED
};

struct view {
	int width, height; /* of the terminal */
	bool utf8; /* blocks for bars */
	long selected; /* index into the shown order, -1: none */
	const char *keys; /* last line, NULL: none */
	/* out */
	size_t n;
	char line[VIEW_LINES][VIEW_BYTES];
	size_t order[VIEW_PLACES]; /* places in the order shown */
	size_t n_order;
	size_t first; /* scrolled: first row of the table that is shown */
};

/* view_draw - the whole picture, at most height lines of at most width columns. */
void view_draw(struct view *v, const struct panel *p);

/* view_detail - everything about one place, in place of the table. */
void view_detail(struct view *v, const struct panel *p, size_t place);

/* view_end - the last picture of a run: head, all rows, no keys; may be higher than the terminal.
 */
void view_end(struct view *v, const struct panel *p);

#endif

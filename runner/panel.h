/* panel - what an operator sees, as data: one row per place, totals, the last faults.
 *
 * Fed with events, drawn by the screens (ui_live, ui_full) and summed up at the end. Owned by the
 * thread of the screen. Rows keep their order: by slot name, then by port.
 */
#ifndef RUNNER_PANEL_H
#define RUNNER_PANEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pkg/pkg.h"
#include "runner/event.h"

#define PANEL_FAULTS 8 /* last faults kept */

enum row_state {
	ROW_EMPTY, /* looking for a device */
	ROW_SILENT, /* nothing answers */
	ROW_RUNNING,
	ROW_PASS,
	ROW_FAIL,
	ROW_STOPPED,
	ROW_SKIPPED,
	ROW_UNUSABLE,
	ROW_GONE,
};

struct panel_row {
	bool used;
	char name[64]; /* slot, else the short name of the port */
	char port[160];
	char uuid[UUID_TEXT_LEN + 1];
	char stage[SCRIPT_STAGE_MAX + 1];
	enum row_state state;
	enum fault_code fault;
	char text[FAULT_REASON_CAP]; /* why, or what */
	bool seen; /* the operator has acknowledged the fault */
	bool asks; /* a question waits for an answer */
	size_t step, n_steps;
	uint64_t done, total; /* of the present transfer */
	double rate; /* bytes a second, over the last second or so */
	int64_t rate_ms, seen_ms; /* last measured, last progress */
	uint64_t rate_done;
	int64_t start_ms, end_ms; /* monotonic; end 0 while running */
	unsigned attempt;
	unsigned passed, failed; /* devices at this place in this run */
	uint64_t bytes; /* moved by steps of the device */
};

struct panel_fault {
	int64_t wall_ms;
	char name[64], uuid[UUID_TEXT_LEN + 1];
	enum fault_code fault;
	char text[FAULT_REASON_CAP];
};

struct panel {
	const struct pkg *pkg;
	const char *title; /* of the script */
	const char *order; /* id, NULL without */
	uint64_t quantity, counted; /* of the order; devices that count against it */
	struct panel_row *rows;
	size_t n_rows;
	struct panel_fault faults[PANEL_FAULTS]; /* newest first */
	size_t n_faults;
	unsigned passed, failed, interrupted, skipped, silent, unusable, recovered;
	int64_t start_ms;
	bool held; /* the operator holds the run */
	int stopping; /* 0 running, 1 finishing, 2 stopping now */
	char message[FAULT_REASON_CAP]; /* last note */
	bool log_failed;
};

int panel_new(struct panel **out, size_t places, const struct pkg *pkg, struct err *e) CHECKED;
void panel_free(struct panel *p);
void panel_place(struct panel *p, size_t place, const char *slot, const char *port);
void panel_event(struct panel *p, const struct event *ev);

const char *row_state_name(enum row_state s); /* "PASS" ... */
/* panel_share - how much of its script a row has done, 0..1. */
double panel_share(const struct panel *p, const struct panel_row *r);
unsigned panel_running(const struct panel *p);
double panel_rate(const struct panel_row *r); /* bytes a second, 0 once nothing moves */
double panel_per_hour(const struct panel *p);
int panel_yield(const struct panel *p); /* per cent of ended devices, -1: none ended */

#endif

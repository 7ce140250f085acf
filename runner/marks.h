/* marks - how far this station had come: what an older copy of the state folder cannot know.
 *
 *   DIR/marks.json     latest time at which a run was admitted, version of the last trust update
 *                      taken, highest sequence accepted per product, and per order the newest
 * checkpoint of its log that was signed when a command began or ended with it (schema
 * marks.schema.json)
 *
 * Each part of the state is compared with its mark before it is used, so that putting back an older
 * log, trust file or package index alone is noticed. Somebody who puts back the whole folder puts
 * back the marks too: that shows only against a checkpoint kept elsewhere (marks_check_note, and
 * the OEM's `audit verify --checkpoint`), because a log must contain every checkpoint it ever had.
 * Changing needs a station opened with STATION_WORK. One thread.
 */
#ifndef RUNNER_MARKS_H
#define RUNNER_MARKS_H

#include <stdint.h>

#include "base/err.h"
#include "runner/station.h"

#define MARKS_ORDERS_MAX   65536
#define MARKS_PRODUCTS_MAX 1024
#define MARKS_CLOCK_SLACK  ((int64_t)24 * 60 * 60) /* seconds: a clock that was corrected */
#define MARKS_FILE_MAX	   ((size_t)16 << 20)

/* marks_init - the marks of a new station: nothing yet. Existing ones are left alone. */
int marks_init(const struct station *s, struct err *e) CHECKED;

/* Clock: `now` must not be more than MARKS_CLOCK_SLACK before the mark; ERR_REJECTED. It is raised
 * only after a package in its window was admitted, so that a clock that was wrong once cannot lock
 * the station for longer than the OEM's own window. */
int marks_check_clock(const struct station *s, int64_t now, struct err *e) CHECKED;
int marks_raise_clock(const struct station *s, int64_t now, struct err *e) CHECKED;

/* Trust: the version of trust.json must not be below the mark. ERR_REJECTED. */
int marks_check_trust(const struct station *s, int64_t version, struct err *e) CHECKED;
int marks_raise_trust(const struct station *s, int64_t version, struct err *e) CHECKED;

/* Sequence floors: `floor_of` gives the floor that the package index knows for a product; none may
 * be below its mark. ERR_REJECTED. */
int marks_check_floors(const struct station *s,
	int (*floor_of)(void *ctx, const char *product, int64_t *floor, struct err *e), void *ctx,
	struct err *e) CHECKED;
int marks_raise_floor(
	const struct station *s, const char *product, int64_t sequence, struct err *e) CHECKED;

/* Logs of orders. marks_check_log: the file must hold a checkpoint of the marked size with the
 * marked root; ERR_REJECTED otherwise, also when the file is gone. marks_raise_log remembers a
 * size; marks_log_of_file the newest checkpoint of a file no process has open. */
int marks_check_log(
	const struct station *s, const char *order, const char *log, struct err *e) CHECKED;
int marks_raise_log(const struct station *s, const char *order, uint64_t size,
	const uint8_t root[32], struct err *e) CHECKED;
int marks_log_of_file(
	const struct station *s, const char *order, const char *log, struct err *e) CHECKED;

/* marks_check_note - the same against a checkpoint that was kept elsewhere (`note` is a file):
 * signed by this station under `origin`, and contained in the log. ERR_REJECTED. */
int marks_check_note(const struct station *s, const char *order, const char *origin,
	const char *log, const char *note, struct err *e) CHECKED;

#endif

/* rows - lines of an export, to standard output or to a file that appears only when it is whole. */
#ifndef MFGPKG_AUDIT_ROWS_H
#define MFGPKG_AUDIT_ROWS_H

#include <stdio.h>

#include "base/err.h"
#include "evidence/leaf.h"

struct oem_rows {
	FILE *f;
	char *path, *tmp; /* NULL: standard output */
};

int oem_rows_open(struct oem_rows *r, const char *path, struct err *e) CHECKED;
int oem_rows_close(struct oem_rows *r, struct err *e) CHECKED; /* synced and in place */
void oem_rows_drop(struct oem_rows *r); /* forget what was not closed */

int oem_rows_bytes(struct oem_rows *r, const void *line, size_t len, struct err *e) CHECKED;
int oem_rows_csv_head(struct oem_rows *r, struct err *e) CHECKED;
int oem_rows_csv_leaf(struct oem_rows *r, const struct leaf *l, struct err *e) CHECKED;

/* oem_csv_cell - one cell after `comma`; text that a spreadsheet would run as a formula is
 * disarmed with an apostrophe. */
void oem_csv_cell(FILE *f, const char *text, bool comma);

#endif

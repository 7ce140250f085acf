/* report - what an auditor hands on: one log, or several, as one HTML file that needs nothing else,
 * or as JSON with the same content.
 *
 * A report watches the leaves while the verifier walks them (oem_report_leaf as
 * audit_expect.observe), so every number is recomputed in the same pass; tables of the file are
 * never read. Memory is fixed: lists are cut at a named maximum and the rest is counted. One
 * thread. Sources: format "evidence", sections 4.2 and 4.6; schemas/audit-report.schema.json.
 */
#ifndef MFGPKG_AUDIT_REPORT_H
#define MFGPKG_AUDIT_REPORT_H

#include <jansson.h>
#include <stdio.h>

#include "evidence/audit.h"

struct oem_report;

/* oem_report_new - the report of one log; `name` as shown in it (last path component). */
int oem_report_new(struct oem_report **out, const char *name, struct err *e) CHECKED;
void oem_report_free(struct oem_report *r);

/* oem_report_leaf - as audit_expect.observe. */
int oem_report_leaf(void *report, const struct leaf *leaf, struct err *e) CHECKED;

/* oem_report_settle - after the verifier: its result (copied), and what it was told to expect. */
int oem_report_settle(struct oem_report *r, const struct audit_result *result,
	const struct audit_expect *expect, struct err *e) CHECKED;

/* Both take reports that are settled. oem_report_html writes to `out`; check ferror() there.
 * oem_report_json: new reference, NULL when memory is out. */
void oem_report_html(struct oem_report *const *reports, size_t n, FILE *out);
json_t *oem_report_json(struct oem_report *const *reports, size_t n);

#endif

/* report_svg - the plots of a report, inline SVG. Fills differ in pattern as well as in colour:
 * solid passed, hatched failed, dotted interrupted, empty unknown. Colours are variables of the
 * page. */
#ifndef MFGPKG_AUDIT_REPORT_SVG_H
#define MFGPKG_AUDIT_REPORT_SVG_H

#include "mfgpkg/audit/report_data.h"

void report_svg_patterns(FILE *f); /* once a page, before the others */
void report_svg_yield(FILE *f, const struct oem_report *r);
void report_svg_durations(FILE *f, const struct oem_report *r);

/* One bar of parts, as wide as `whole` is; the rest stays empty. `label` is ours, not of a log. */
struct report_part {
	uint64_t n;
	const char *fill; /* class: "pass", "fail", "interrupted", "unknown" */
};
void report_svg_bar(FILE *f, const struct report_part *parts, size_t n, uint64_t whole,
	const char *label, bool wide);

#endif

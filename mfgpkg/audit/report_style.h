/* report_style - the style sheet of a report: light and dark screens, A4 paper. */
#ifndef MFGPKG_AUDIT_REPORT_STYLE_H
#define MFGPKG_AUDIT_REPORT_STYLE_H

extern const char *const report_style[]; /* pieces, ended by NULL */

#endif

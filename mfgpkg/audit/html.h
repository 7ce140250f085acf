/* html - text into a page. Everything that came out of a log goes through html_text: markup is
 * escaped, and characters that do not show, or that turn the line around, are shown as U+XXXX. */
#ifndef MFGPKG_AUDIT_HTML_H
#define MFGPKG_AUDIT_HTML_H

#include <stdint.h>
#include <stdio.h>

#include "base/err.h"

void html_text(FILE *f, const char *utf8);
void html_count(FILE *f, uint64_t n); /* 1 234 567, with spaces that do not break */
void html_time(FILE *f, int64_t unix_ms); /* 2026-11-20 15:00:00 */
void html_duration(FILE *f, uint64_t ms); /* "840 ms", "4.1 s", "12 min 5 s" */

#endif

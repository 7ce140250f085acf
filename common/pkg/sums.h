/* sums - SHA256SUMS: the listed files but itself, sorted by name, "<64 hex>  <name>" LF, as
 * sha256sum writes and checks it. Source: format "evidence", section 4.8. */
#ifndef COMMON_PKG_SUMS_H
#define COMMON_PKG_SUMS_H

#include "base/bytes.h"
#include "base/err.h"
#include "pkg/manifest.h"

#define SUMS_NAME "SHA256SUMS"

/* sums_write - append the text for the manifest's files (SHA256SUMS itself is left out). */
void sums_write(const struct manifest *m, struct buf *out);

/* sums_check - text[len] must be exactly what sums_write() gives. ERR_REJECTED with the line. */
int sums_check(const struct manifest *m, const void *text, size_t len, struct err *e) CHECKED;

#endif

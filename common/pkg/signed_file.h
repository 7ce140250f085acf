/* signed_file - a document with its detached signatures beside it: PATH, PATH.minisig and
 * PATH.<16 hex>.minisig. Orders and trust updates are such files.
 * One thread per object; signed_file_clear() frees, also a zeroed one. */
#ifndef COMMON_PKG_SIGNED_FILE_H
#define COMMON_PKG_SIGNED_FILE_H

#include "base/bytes.h"
#include "base/err.h"
#include "pkg/trust.h"

struct signed_file {
	struct buf text; /* exact bytes */
	struct buf sig_text[TRUST_MAX_SIGNATURES];
	char *sig_name[TRUST_MAX_SIGNATURES];
	struct sig_file sigs[TRUST_MAX_SIGNATURES]; /* point into the two above */
	size_t n;
};

/* signed_file_read - the document (at most `max` bytes) and every signature beside it, each read
 * once. No signature at all is not an error here: trust_need() says it. ERR_ENV, ERR_LIMIT. */
int signed_file_read(struct signed_file *out, const char *path, size_t max, struct err *e) CHECKED;
void signed_file_clear(struct signed_file *f);

#endif

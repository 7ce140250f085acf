/* provenance - the entry of the OEM's own log about a package, with its inclusion proof: that the
 * OEM logged what it shipped. Nobody signs this entry of a package, so it is believed only as far
 * as its proof goes: with the log's key it shows that the log holds the leaf; without it, only that
 * it speaks of this package. Source: format "evidence", sections 3.4 and 4.8. */
#ifndef COMMON_PKG_PROVENANCE_H
#define COMMON_PKG_PROVENANCE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* provenance_check - data[len] is a tlog-proof whose leaf is a `package` leaf with this digest of
 * manifest.json, included in the checkpoint it carries. log_vkey NULL: the checkpoint's signature
 * is not judged. ERR_FORMAT, ERR_LIMIT, ERR_REJECTED, ERR_USAGE (log_vkey is no verifier key). */
int provenance_check(const char *name, const void *data, size_t len, const uint8_t digest[32],
	const char *log_vkey, struct err *e) CHECKED;

#endif

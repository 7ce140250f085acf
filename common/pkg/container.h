/* container - the canonical ZIP container of packages and device proofs.
 *
 * A file is accepted only when it equals, byte for byte, the one encoding of its own list of
 * (name, data): entries stored, fixed times and modes, manifest.json first and the rest by
 * ascending name, nothing between, before, behind or beside. So there is one reading of it, for
 * us and for any other zip program. Pure functions, any thread.
 * Source: format "evidence", section 5.
 */
#ifndef COMMON_PKG_CONTAINER_H
#define COMMON_PKG_CONTAINER_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"

#define CONTAINER_MAX_SIZE    ((size_t)64 << 20)
#define CONTAINER_MAX_ENTRIES 64
#define CONTAINER_NAME_MAX    100
#define CONTAINER_FIRST	      "manifest.json"

struct container_entry {
	char name[CONTAINER_NAME_MAX + 1];
	const uint8_t *data; /* borrowed; may be NULL when len is 0 */
	size_t len;
};

struct container {
	size_t n;
	struct container_entry entries[CONTAINER_MAX_ENTRIES]; /* in the order of the file */
};

/* container_parse - recognise data[len] in one pass; entries point into it.
 * ERR_FORMAT (what, where, seen, wanted) or ERR_LIMIT (size, count). */
int container_parse(struct container *out, const uint8_t *data, size_t len, struct err *e) CHECKED;

/* container_find - the entry with this name, or NULL. */
const struct container_entry *container_find(const struct container *c, const char *name);

/* container_write - append the canonical container of entries[n], given in any order, to out.
 * Written by libzip and then read back by container_parse(), so that another libzip cannot change
 * the format unnoticed. ERR_CONFIG names an entry that cannot be in a container. */
int container_write(
	const struct container_entry *entries, size_t n, struct buf *out, struct err *e) CHECKED;

/* container_name_check - the rules for names: 1..100 bytes; "SHA256SUMS", or components
 * [a-z0-9][a-z0-9._-]* joined by single slashes. name[len] is not NUL-terminated. ERR_FORMAT. */
int container_name_check(const char *name, size_t len, struct err *e) CHECKED;

#endif

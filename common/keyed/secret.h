/* secret - bytes nobody else may see: guarded, locked, left out of core dumps, wiped when freed.
 *
 * For keys and passphrases, not for images: each secret costs several pages. The memory is not
 * aligned, so it holds bytes only. Any thread may own one; no sharing without a lock.
 */
#ifndef COMMON_KEYED_SECRET_H
#define COMMON_KEYED_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

struct secret {
	uint8_t *p;
	size_t len;
};

/* NULL only when memory is out. secret_new() gives zero bytes. */
struct secret *secret_new(size_t len);
struct secret *secret_copy(const void *data, size_t len);
struct secret *secret_random(size_t len);

void secret_free(struct secret *s); /* wipes; NULL is a no-op */
void secret_freep(struct secret **s); /* for AUTO() */

/* secret_openssl_wipes - OpenSSL's memory is wiped whenever it is freed: so in every program that
 * links this file, unless something used OpenSSL before main(). */
bool secret_openssl_wipes(void);

#endif

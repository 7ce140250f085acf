/* digest - SHA-256 and SHA-384 by OpenSSL.
 *
 * A digest cannot fail but for missing memory or a broken libcrypto; then the process aborts: a
 * hash that silently is wrong would be worse. One struct digest per thread; no other state.
 */
#ifndef COMMON_CRYPT_DIGEST_H
#define COMMON_CRYPT_DIGEST_H

#include <stddef.h>
#include <stdint.h>

/* The numbers are those of enum ecc_curve: a curve's signatures hash with the same number. */
enum digest_alg {
	DIGEST_SHA256 = 1,
	DIGEST_SHA384 = 2,
};

#define DIGEST_MAX 48

size_t digest_len(enum digest_alg alg); /* 32, 48 */
const char *digest_name(enum digest_alg alg); /* "SHA-256", "SHA-384" */

/* One message in one call; out[digest_len(alg)]. */
void digest_of(enum digest_alg alg, const void *data, size_t len, uint8_t *out);
void sha256_of(const void *data, size_t len, uint8_t out[32]);

/* A message in pieces. digest_final() writes out[digest_len(alg)] and starts over, so one object
 * serves any number of messages. digest_free(NULL) is a no-op. */
struct digest;
struct digest *digest_new(enum digest_alg alg);
void digest_update(struct digest *d, const void *data, size_t len);
void digest_final(struct digest *d, uint8_t *out);
void digest_free(struct digest *d);
void digest_freep(struct digest **d);

#endif

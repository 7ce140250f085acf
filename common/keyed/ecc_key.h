/* ecc_key - private keys on P-256 and P-384: load, make, sign.
 *
 * A key lives in OpenSSL (wiped by it when freed) or in a PKCS#11 token. Signing is thread-safe as
 * long as one thread uses a key at a time. ecc_key_free(NULL) is a no-op.
 */
#ifndef COMMON_KEYED_ECC_KEY_H
#define COMMON_KEYED_ECC_KEY_H

#include "base/err.h"
#include "crypt/ecc.h"
#include "keyed/passphrase.h"
#include "keyed/secret.h"

#define ECC_KEY_FILE_MAX 65536 /* a key, certificate or public-key file */

struct ecc_key;

/* ecc_key_load - `spec` is the path of a PEM or DER file (PKCS#8, also encrypted, or SEC1),
 * `type=file;file_path=PATH`, or an RFC 7512 `pkcs11:` URI. `pw` gives the passphrase or PIN; NULL:
 * prompt only. ERR_ENV (file), ERR_CONFIG (not such a key, wrong passphrase, no token). */
int ecc_key_load(struct ecc_key **out, const char *spec, const struct passphrase_source *pw,
	struct err *e) CHECKED;

/* ecc_key_path - the file inside a spec (points into it), or NULL when it is a pkcs11: URI. */
const char *ecc_key_path(const char *spec);

int ecc_key_generate(struct ecc_key **out, enum ecc_curve curve, struct err *e) CHECKED;
int ecc_key_from_scalar(struct ecc_key **out, enum ecc_curve curve, const uint8_t *d_be,
	struct err *e) CHECKED; /* d_be[ecc_len(curve)], 1 .. order - 1 */

const struct ecc_pub *ecc_key_pub(const struct ecc_key *key);

/* ecc_key_sign - sig[2 * ecc_len(curve)] over the curve's hash of data[len]. */
int ecc_key_sign(const struct ecc_key *key, const void *data, size_t len, uint8_t *sig,
	struct err *e) CHECKED;

/* ecc_key_set_repeatable - from now on the same message gives the same signature (RFC 6979), for
 * reproducible builds. A key in a token stays as its token signs. */
void ecc_key_set_repeatable(struct ecc_key *key);

/* ecc_key_scalar - the private number, big-endian; *out NULL when a token keeps it. */
int ecc_key_scalar(const struct ecc_key *key, struct secret **out, struct err *e) CHECKED;

/* ecc_key_pem - append PKCS#8 PEM; encrypted (PBES2, AES-256, PBKDF2) when passphrase is not NULL.
 * buf_wipe() the result. */
int ecc_key_pem(const struct ecc_key *key, const struct secret *passphrase, struct buf *pem,
	struct err *e) CHECKED;

void ecc_key_free(struct ecc_key *key);
void ecc_key_freep(struct ecc_key **key);

/* ecc_pub_load_any - everything a public key may be given as: what ecc_pub_from_bytes() reads, a
 * private key file (its public part), or a pkcs11: URI. */
int ecc_pub_load_any(struct ecc_pub *out, const char *path, const struct passphrase_source *pw,
	struct err *e) CHECKED;

#endif

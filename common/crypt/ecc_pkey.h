/* ecc_pkey - between our key and signature bytes and OpenSSL's objects; for crypt/ and keyed/ only.
 */
#ifndef COMMON_CRYPT_ECC_PKEY_H
#define COMMON_CRYPT_ECC_PKEY_H

#include <openssl/evp.h>

#include "crypt/ecc.h"

/* OpenSSL's names of the curve. */
const char *ecc_group(enum ecc_curve curve);

/* ecc_pkey - the key as an EVP_PKEY (caller frees), NULL with ERR_FORMAT when it is no point of the
 * curve. */
EVP_PKEY *ecc_pkey(const struct ecc_pub *pub, struct err *e);

/* ecc_pub_from_pkey - the public part of any EVP_PKEY. ERR_FORMAT: not EC, other curve. */
int ecc_pub_from_pkey(
	struct ecc_pub *out, const char *name, const EVP_PKEY *k, struct err *e) CHECKED;

/* r || s of len bytes each to and from DER. to: returns a new DER of *der_len (OPENSSL_free), or
 * NULL. from: 0 or -1. */
unsigned char *ecc_sig_to_der(const uint8_t *sig, size_t len, int *der_len);
int ecc_sig_from_der(uint8_t *sig, size_t len, const unsigned char *der, size_t der_len) CHECKED;

/* ecc_openssl_error - take the error queue: its last reason in *buf, "unknown" when empty. */
const char *ecc_openssl_error(char buf[120]);

void ecc_pkey_freep(EVP_PKEY **k);

#endif

/* ecdsa_repeatable - ECDSA with the nonce of RFC 6979: the same key and message give the same
 * signature, so that a build whose signatures lie inside ciphertext can be repeated bit by bit.
 *
 * OpenSSL 3.0 makes random nonces only. The nonce is derived here (HMAC), what is done with it
 * (scalar multiplication, the signature itself) is OpenSSL's.
 * Source: RFC 6979 section 3.2; curve and hash of the same length only, so one HMAC gives a nonce.
 * No locks, any thread.
 */
#ifndef COMMON_KEYED_ECDSA_REPEATABLE_H
#define COMMON_KEYED_ECDSA_REPEATABLE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "crypt/ecc.h"
#include "keyed/secret.h"

/* ecdsa_sign_repeatable - sig[2 * ecc_len(curve)] over the curve's hash of data[len].
 *   scalar  the private number, big-endian, ecc_len(curve) bytes, 1 .. order - 1 */
int ecdsa_sign_repeatable(enum ecc_curve curve, const struct secret *scalar, const void *data,
	size_t len, uint8_t *sig, struct err *e) CHECKED;

#endif

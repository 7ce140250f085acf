/* ecc - public keys on P-256 and P-384 and verification of ECDSA signatures. No private keys.
 *
 * Keys are X || Y, signatures r || s, each number big-endian and zero-filled to ecc_len(). The hash
 * follows the curve of the key: P-256 SHA-256, P-384 SHA-384. Source: certificate block v2.1,
 * section 1. No locks, any thread.
 */
#ifndef COMMON_CRYPT_ECC_H
#define COMMON_CRYPT_ECC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"
#include "crypt/digest.h"

/* The numbers are those of the certificate block. */
enum ecc_curve {
	ECC_P256 = 1,
	ECC_P384 = 2,
};

#define ECC_MAX_LEN 48

struct ecc_pub {
	enum ecc_curve curve;
	uint8_t xy[2 * ECC_MAX_LEN]; /* X || Y, 2 * ecc_len(curve) bytes used, the rest zero */
};

size_t ecc_len(enum ecc_curve curve); /* 32, 48: a coordinate, and the curve's hash */
const char *ecc_curve_name(enum ecc_curve curve); /* "P-256", "P-384" */
enum digest_alg ecc_digest(enum ecc_curve curve);
bool ecc_pub_equal(const struct ecc_pub *a, const struct ecc_pub *b);

/* ecc_pub_from_xy - xy[2 * ecc_len(curve)]. ERR_FORMAT when it is no point of the curve. */
int ecc_pub_from_xy(
	struct ecc_pub *out, enum ecc_curve curve, const uint8_t *xy, struct err *e) CHECKED;

/* ecc_pub_from_bytes - a public key as files hold it: X.509 certificate or SubjectPublicKeyInfo,
 * PEM or DER, or the raw 64 or 96 bytes X || Y. `name` is for messages. ERR_FORMAT for anything
 * else; a private key is refused by name (keyed/ecc_key.h reads those). */
int ecc_pub_from_bytes(
	struct ecc_pub *out, const char *name, const void *data, size_t len, struct err *e) CHECKED;

/* ecc_verify - sig[2 * ecc_len(curve)] over the hash of data[len]. ERR_REJECTED when it does not
 * verify. */
int ecc_verify(const struct ecc_pub *pub, const void *data, size_t len, const uint8_t *sig,
	struct err *e) CHECKED;

/* Append the SubjectPublicKeyInfo of a key, DER or PEM. */
int ecc_pub_spki(const struct ecc_pub *pub, struct buf *der, struct err *e) CHECKED;
int ecc_pub_pem(const struct ecc_pub *pub, struct buf *pem, struct err *e) CHECKED;

#endif

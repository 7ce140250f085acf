/* sb31_cipher - encrypts and decrypts the payloads of the data blocks of one SB3.1 container.
 *
 * Payload n is AES-CBC under block key n with a zero IV. Contexts are made once and nothing is
 * allocated per block. One object per thread.
 */
#ifndef COMMON_KEYED_SB31_CIPHER_H
#define COMMON_KEYED_SB31_CIPHER_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct sb31_cipher;

/* Arguments as for sb31_kdf_kdk(). */
int sb31_cipher_new(struct sb31_cipher **out, const uint8_t *cust_mk_sk, size_t cust_mk_sk_len,
	uint64_t timestamp, unsigned rights, unsigned key_bits, struct err *e) CHECKED;

/* `count` payloads of 256 bytes in place: payload n = first.. at p, p + stride, ... */
int sb31_cipher_encrypt(struct sb31_cipher *c, uint32_t first, uint8_t *p, size_t stride,
	size_t count, struct err *e) CHECKED;
int sb31_cipher_decrypt(struct sb31_cipher *c, uint32_t first, uint8_t *p, size_t stride,
	size_t count, struct err *e) CHECKED;

void sb31_cipher_free(struct sb31_cipher *c); /* wipes the keys */
void sb31_cipher_freep(struct sb31_cipher **c);

#endif

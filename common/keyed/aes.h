/* aes - AES modes by OpenSSL, one call per message: CBC without padding, CMAC, RFC 3394 key wrap.
 *
 * Keys are 16 or 32 bytes (others: ERR_INTERNAL). in and out may be the same buffer. Failures other
 * than those named are ERR_ENV (no memory). No state, any thread. For SB3.1 payloads see
 * keyed/sb31_cipher.h, which keeps its contexts.
 */
#ifndef COMMON_KEYED_AES_H
#define COMMON_KEYED_AES_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* len is a multiple of 16; iv NULL means zero. */
int aes_cbc_encrypt(const uint8_t *key, size_t key_len, const uint8_t iv[16], const void *in,
	void *out, size_t len, struct err *e) CHECKED;
int aes_cbc_decrypt(const uint8_t *key, size_t key_len, const uint8_t iv[16], const void *in,
	void *out, size_t len, struct err *e) CHECKED;

int aes_cmac(const uint8_t *key, size_t key_len, const void *msg, size_t len, uint8_t out[16],
	struct err *e) CHECKED;

/* Key wrap with the default IV. wrap: in[len] -> out[len + 8]; len a multiple of 8, at least 16.
 * unwrap: in[len] -> out[len - 8]; ERR_REJECTED when the check value is wrong. */
int aes_kw_wrap(const uint8_t *kek, size_t kek_len, const uint8_t *in, size_t len, uint8_t *out,
	struct err *e) CHECKED;
int aes_kw_unwrap(const uint8_t *kek, size_t kek_len, const uint8_t *in, size_t len, uint8_t *out,
	struct err *e) CHECKED;

#endif

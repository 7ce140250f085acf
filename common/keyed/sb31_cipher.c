#include <openssl/err.h>
#include <openssl/evp.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "keyed/sb31_cipher.h"
#include "keyed/sb31_kdf.h"

#define PAYLOAD 256
/* Block keys are derived this many at a time: one AES call for the first halves of all inputs, one
 * (or two) for the second halves. A CMAC object per key would cost more than the payload. */
#define BATCH 64

struct sb31_cipher {
	EVP_CIPHER_CTX *kdk; /* AES-ECB under the KDK */
	EVP_CIPHER_CTX *block; /* AES-CBC, rekeyed for every block */
	unsigned rights, key_bits;
	uint8_t subkey[16]; /* CMAC subkey K1 of the KDK */
	uint8_t first[BATCH * 16];
	uint8_t keys[2][BATCH * 16]; /* low and high halves of the block keys */
};

static int failed(struct err *e)
{
	ERR_clear_error();
	return err_set(e, ERR_ENV, "AES failed: out of memory");
}

static bool ecb(struct sb31_cipher *c, uint8_t *data, size_t len)
{
	int n = 0;
	return EVP_EncryptUpdate(c->kdk, data, &n, data, (int)len) == 1 && (size_t)n == len;
}

int sb31_cipher_new(struct sb31_cipher **out, const uint8_t *cust_mk_sk, size_t cust_mk_sk_len,
	uint64_t timestamp, unsigned rights, unsigned key_bits, struct err *e)
{
	static const uint8_t zero[16];
	uint8_t kdk[SB31_KEY_MAX];
	AUTO(sb31_cipher_freep) struct sb31_cipher *c = calloc(1, sizeof *c);

	if (!c)
		return failed(e);
	if (sb31_kdf_kdk(cust_mk_sk, cust_mk_sk_len, timestamp, rights, key_bits, kdk, e) != 0)
		return -1;
	c->rights = rights;
	c->key_bits = key_bits;
	c->kdk = EVP_CIPHER_CTX_new();
	c->block = EVP_CIPHER_CTX_new();
	bool wide = key_bits == 256;
	bool ok = c->kdk && c->block &&
		  EVP_EncryptInit_ex(c->kdk, wide ? EVP_aes_256_ecb() : EVP_aes_128_ecb(), NULL,
			  kdk, NULL) == 1 &&
		  EVP_CIPHER_CTX_set_padding(c->kdk, 0) == 1 &&
		  EVP_CipherInit_ex(c->block, wide ? EVP_aes_256_cbc() : EVP_aes_128_cbc(), NULL,
			  NULL, zero, 1) == 1 &&
		  ecb(c, c->subkey, sizeof c->subkey);
	sodium_memzero(kdk, sizeof kdk);
	if (!ok)
		return failed(e);

	/* NIST SP 800-38B: K1 = E(K, 0) * x in GF(2^128). */
	unsigned carry = c->subkey[0] >> 7;
	for (int i = 0; i < 15; i++)
		c->subkey[i] = (uint8_t)(c->subkey[i] << 1 | c->subkey[i + 1] >> 7);
	c->subkey[15] = (uint8_t)(c->subkey[15] << 1 ^ (carry ? 0x87 : 0));
	*out = c;
	c = NULL;
	return 0;
}

/* Block keys n .. n + count - 1 into c->keys. The input of a key is two AES blocks, M1 || M2, so
 * its CMAC is E(E(M1) ^ M2 ^ K1); M1 holds the number, M2 is the same for all blocks. */
static bool derive_batch(struct sb31_cipher *c, uint32_t n, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		memset(c->first + 16 * i, 0, 16);
		put_le32(c->first + 16 * i, n + (uint32_t)i);
	}
	if (!ecb(c, c->first, 16 * count))
		return false;
	for (unsigned half = 0; half < c->key_bits / 128; half++) {
		uint8_t input[32], *m2 = input + 16;

		sb31_kdf_input(input, 0, c->rights, true, c->key_bits, half + 1);
		for (int k = 0; k < 16; k++)
			m2[k] ^= c->subkey[k];
		for (size_t i = 0; i < 16 * count; i++)
			c->keys[half][i] = c->first[i] ^ m2[i % 16];
		sodium_memzero(input, sizeof input);
		if (!ecb(c, c->keys[half], 16 * count))
			return false;
	}
	return true;
}

static int run(struct sb31_cipher *c, int enc, uint32_t first, uint8_t *p, size_t stride,
	size_t count, struct err *e)
{
	uint8_t key[SB31_KEY_MAX];
	bool ok = true;

	for (size_t done = 0; done < count && ok; done += BATCH) {
		size_t m = count - done < BATCH ? count - done : BATCH;
		ok = derive_batch(c, first + (uint32_t)done, m);
		for (size_t i = 0; i < m && ok; i++, p += stride) {
			int n = 0;
			memcpy(key, c->keys[0] + 16 * i, 16);
			memcpy(key + 16, c->keys[1] + 16 * i, 16);
			/* The IV is the zeros of sb31_cipher_new(): a new key without an IV goes
			 * back to it, and asking OpenSSL for its length costs a look-up.
			 * Padding only acts in a final call, which there is none of; when
			 * decrypting it would hold the last 16 bytes back. Switching it off for
			 * both costs as much as encrypting a payload. */
			ok = EVP_CipherInit_ex(c->block, NULL, NULL, key, NULL, enc) == 1 &&
			     (enc || EVP_CIPHER_CTX_set_padding(c->block, 0) == 1) &&
			     EVP_CipherUpdate(c->block, p, &n, p, PAYLOAD) == 1 && n == PAYLOAD;
		}
	}
	sodium_memzero(key, sizeof key);
	return ok ? 0 : failed(e);
}

int sb31_cipher_encrypt(struct sb31_cipher *c, uint32_t first, uint8_t *p, size_t stride,
	size_t count, struct err *e)
{
	return run(c, 1, first, p, stride, count, e);
}

int sb31_cipher_decrypt(struct sb31_cipher *c, uint32_t first, uint8_t *p, size_t stride,
	size_t count, struct err *e)
{
	return run(c, 0, first, p, stride, count, e);
}

void sb31_cipher_free(struct sb31_cipher *c)
{
	if (!c)
		return;
	EVP_CIPHER_CTX_free(c->kdk); /* OpenSSL cleanses key schedules */
	EVP_CIPHER_CTX_free(c->block);
	sodium_memzero(c, sizeof *c);
	free(c);
}

void sb31_cipher_freep(struct sb31_cipher **c)
{
	sb31_cipher_free(*c);
	*c = NULL;
}

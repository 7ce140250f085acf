#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <string.h>

#include "keyed/aes.h"

static int bad_key(size_t key_len, struct err *e)
{
	return err_set(e, ERR_INTERNAL, "AES key of %zu bytes, wanted 16 or 32", key_len);
}

static int cbc(bool enc, const uint8_t *key, size_t key_len, const uint8_t *iv, const void *in,
	void *out, size_t len, struct err *e)
{
	static const uint8_t zero[16];

	if (key_len != 16 && key_len != 32)
		return bad_key(key_len, e);
	if (len % 16 || len > INT32_MAX)
		return err_set(e, ERR_INTERNAL, "AES-CBC over %zu bytes, wanted whole blocks", len);
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n = 0;
	bool ok = ctx &&
		  EVP_CipherInit_ex(ctx, key_len == 16 ? EVP_aes_128_cbc() : EVP_aes_256_cbc(),
			  NULL, key, iv ? iv : zero, enc) == 1 &&
		  EVP_CIPHER_CTX_set_padding(ctx, 0) == 1 &&
		  EVP_CipherUpdate(ctx, out, &n, in, (int)len) == 1 && n == (int)len;
	EVP_CIPHER_CTX_free(ctx);
	ERR_clear_error();
	return ok ? 0 : err_set(e, ERR_ENV, "AES-CBC failed: out of memory");
}

int aes_cbc_encrypt(const uint8_t *key, size_t key_len, const uint8_t iv[16], const void *in,
	void *out, size_t len, struct err *e)
{
	return cbc(true, key, key_len, iv, in, out, len, e);
}

int aes_cbc_decrypt(const uint8_t *key, size_t key_len, const uint8_t iv[16], const void *in,
	void *out, size_t len, struct err *e)
{
	return cbc(false, key, key_len, iv, in, out, len, e);
}

int aes_cmac(const uint8_t *key, size_t key_len, const void *msg, size_t len, uint8_t out[16],
	struct err *e)
{
	char cipher[] = "AES-128-CBC";
	size_t n = 0;

	if (key_len != 16 && key_len != 32)
		return bad_key(key_len, e);
	if (key_len == 32)
		memcpy(cipher + 4, "256", 3);
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_CIPHER, cipher, 0),
		OSSL_PARAM_construct_end(),
	};
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "CMAC", NULL);
	EVP_MAC_CTX *ctx = mac ? EVP_MAC_CTX_new(mac) : NULL;
	bool ok = ctx && EVP_MAC_init(ctx, key, key_len, params) == 1 &&
		  EVP_MAC_update(ctx, msg, len) == 1 && EVP_MAC_final(ctx, out, &n, 16) == 1 &&
		  n == 16;
	EVP_MAC_CTX_free(ctx);
	EVP_MAC_free(mac);
	ERR_clear_error();
	return ok ? 0 : err_set(e, ERR_ENV, "AES-CMAC failed: out of memory");
}

static int kw(bool wrap, const uint8_t *kek, size_t kek_len, const uint8_t *in, size_t len,
	uint8_t *out, struct err *e)
{
	if (kek_len != 16 && kek_len != 32)
		return bad_key(kek_len, e);
	if (len % 8 || len < (wrap ? 16 : 24) || len > 4096)
		return err_set(e, ERR_INTERNAL, "RFC 3394 key %s of %zu bytes",
			wrap ? "wrap" : "unwrap", len);
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	if (!ctx)
		return err_set(e, ERR_ENV, "RFC 3394 key wrap failed: out of memory");
	EVP_CIPHER_CTX_set_flags(ctx, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
	int n = 0;
	bool ready = EVP_CipherInit_ex(ctx, kek_len == 16 ? EVP_aes_128_wrap() : EVP_aes_256_wrap(),
			     NULL, kek, NULL, wrap) == 1;
	bool ok = ready && EVP_CipherUpdate(ctx, out, &n, in, (int)len) == 1 &&
		  (size_t)n == (wrap ? len + 8 : len - 8);
	EVP_CIPHER_CTX_free(ctx);
	ERR_clear_error();
	if (ok)
		return 0;
	if (ready && !wrap)
		return err_set(e, ERR_REJECTED, "RFC 3394 key wrap: check value wrong");
	return err_set(e, ERR_ENV, "RFC 3394 key wrap failed: out of memory");
}

int aes_kw_wrap(const uint8_t *kek, size_t kek_len, const uint8_t *in, size_t len, uint8_t *out,
	struct err *e)
{
	return kw(true, kek, kek_len, in, len, out, e);
}

int aes_kw_unwrap(const uint8_t *kek, size_t kek_len, const uint8_t *in, size_t len, uint8_t *out,
	struct err *e)
{
	return kw(false, kek, kek_len, in, len, out, e);
}

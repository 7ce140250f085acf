/* ECDSA_do_sign_ex() is the only door of OpenSSL 3.0 for a nonce of one's own. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/hmac.h>
#include <sodium.h>
#include <string.h>

#include "crypt/digest.h"
#include "keyed/ecdsa_repeatable.h"

enum { MAX_LEN = 48 };

/* The HMAC generator of RFC 6979: V and K. */
struct generator {
	enum ecc_curve curve;
	size_t len;
	uint8_t k[MAX_LEN], v[MAX_LEN];
};

/* out = HMAC_K(V || tail), tail is [marker || scalar || digest] or empty. */
static bool hmac(const struct generator *g, const uint8_t *tail, size_t tail_len, uint8_t *out)
{
	uint8_t in[MAX_LEN + 1 + 2 * MAX_LEN];
	unsigned got = 0;
	const EVP_MD *md = g->curve == ECC_P256 ? EVP_sha256() : EVP_sha384();

	memcpy(in, g->v, g->len);
	if (tail_len)
		memcpy(in + g->len, tail, tail_len);
	bool ok = HMAC(md, g->k, (int)g->len, in, g->len + tail_len, out, &got) && got == g->len;
	sodium_memzero(in, sizeof in);
	return ok;
}

static bool seed(struct generator *g, const uint8_t *scalar, const uint8_t *digest)
{
	uint8_t tail[1 + 2 * MAX_LEN];

	memset(g->k, 0, sizeof g->k);
	memset(g->v, 1, sizeof g->v);
	memcpy(tail + 1, scalar, g->len);
	memcpy(tail + 1 + g->len, digest, g->len);
	bool ok = true;
	for (uint8_t marker = 0; ok && marker < 2; marker++) {
		tail[0] = marker;
		ok = hmac(g, tail, 1 + 2 * g->len, g->k) && hmac(g, NULL, 0, g->v);
	}
	sodium_memzero(tail, sizeof tail);
	return ok;
}

/* The next candidate; the caller takes the first one in 1 .. order - 1. */
static bool next(struct generator *g, BIGNUM *k)
{
	return hmac(g, NULL, 0, g->v) && BN_bin2bn(g->v, (int)g->len, k);
}

static bool refill(struct generator *g)
{
	static const uint8_t zero = 0;

	return hmac(g, &zero, 1, g->k) && hmac(g, NULL, 0, g->v);
}

static bool nonce(struct generator *g, const BIGNUM *order, BIGNUM *k)
{
	if (!next(g, k))
		return false;
	while (BN_is_zero(k) || BN_cmp(k, order) >= 0)
		if (!refill(g) || !next(g, k))
			return false;
	BN_set_flags(k, BN_FLG_CONSTTIME);
	return true;
}

/* r = x(k G) mod n and 1/k = k^(n-2) mod n, both without branching on k. */
static bool r_and_inverse(
	const EC_GROUP *group, const BIGNUM *k, BIGNUM *r, BIGNUM *inverse, BN_CTX *ctx)
{
	const BIGNUM *order = EC_GROUP_get0_order(group);
	EC_POINT *point = EC_POINT_new(group);
	BIGNUM *exponent = BN_dup(order);

	bool ok = point && exponent && EC_POINT_mul(group, point, k, NULL, NULL, ctx) == 1 &&
		  EC_POINT_get_affine_coordinates(group, point, r, NULL, ctx) == 1 &&
		  BN_nnmod(r, r, order, ctx) == 1 && !BN_is_zero(r) &&
		  BN_sub_word(exponent, 2) == 1 &&
		  BN_mod_exp_mont_consttime(inverse, k, exponent, order, ctx, NULL) == 1;
	EC_POINT_clear_free(point);
	BN_free(exponent);
	return ok;
}

static bool sign(const struct generator *seeded, EC_KEY *key, const uint8_t *digest, uint8_t *sig)
{
	struct generator g = *seeded;
	const EC_GROUP *group = EC_KEY_get0_group(key);
	BN_CTX *ctx = BN_CTX_secure_new();
	BIGNUM *k = BN_secure_new(), *r = BN_secure_new(), *inverse = BN_secure_new();
	ECDSA_SIG *s = NULL;

	if (ctx && k && r && inverse && nonce(&g, EC_GROUP_get0_order(group), k) &&
		r_and_inverse(group, k, r, inverse, ctx))
		s = ECDSA_do_sign_ex(digest, (int)g.len, inverse, r, key);
	bool ok = s && BN_bn2binpad(ECDSA_SIG_get0_r(s), sig, (int)g.len) == (int)g.len &&
		  BN_bn2binpad(ECDSA_SIG_get0_s(s), sig + g.len, (int)g.len) == (int)g.len;
	ECDSA_SIG_free(s);
	BN_clear_free(k);
	BN_clear_free(r);
	BN_clear_free(inverse);
	BN_CTX_free(ctx);
	sodium_memzero(&g, sizeof g);
	return ok;
}

int ecdsa_sign_repeatable(enum ecc_curve curve, const struct secret *scalar, const void *data,
	size_t len, uint8_t *sig, struct err *e)
{
	struct generator g = { .curve = curve, .len = ecc_len(curve) };
	uint8_t digest[MAX_LEN];
	EC_KEY *key =
		EC_KEY_new_by_curve_name(curve == ECC_P256 ? NID_X9_62_prime256v1 : NID_secp384r1);

	digest_of((enum digest_alg)curve, data, len, digest);

	/* bits2octets(): the digest as a number below the order, as many bytes as before. */
	BIGNUM *d = BN_secure_new(), *h = BN_bin2bn(digest, (int)g.len, NULL);
	uint8_t reduced[MAX_LEN];
	bool ok = key && d && h && scalar->len == g.len && BN_bin2bn(scalar->p, (int)g.len, d) &&
		  EC_KEY_set_private_key(key, d) == 1;
	if (ok && BN_cmp(h, EC_GROUP_get0_order(EC_KEY_get0_group(key))) >= 0)
		ok = BN_sub(h, h, EC_GROUP_get0_order(EC_KEY_get0_group(key))) == 1;
	ok = ok && BN_bn2binpad(h, reduced, (int)g.len) == (int)g.len &&
	     seed(&g, scalar->p, reduced) && sign(&g, key, digest, sig);
	BN_clear_free(d);
	BN_free(h);
	EC_KEY_free(key);
	sodium_memzero(&g, sizeof g);
	ERR_clear_error();
	if (!ok)
		return err_set(e, ERR_ENV, "cannot sign: out of memory or a wrong private number");
	return 0;
}

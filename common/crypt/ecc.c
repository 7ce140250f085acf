#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/x509.h>
#include <string.h>

#include "crypt/ecc.h"
#include "crypt/ecc_pkey.h"

size_t ecc_len(enum ecc_curve curve)
{
	return curve == ECC_P256 ? 32 : 48;
}

const char *ecc_curve_name(enum ecc_curve curve)
{
	return curve == ECC_P256 ? "P-256" : "P-384";
}

const char *ecc_group(enum ecc_curve curve)
{
	return curve == ECC_P256 ? "prime256v1" : "secp384r1";
}

enum digest_alg ecc_digest(enum ecc_curve curve)
{
	return curve == ECC_P256 ? DIGEST_SHA256 : DIGEST_SHA384;
}

bool ecc_pub_equal(const struct ecc_pub *a, const struct ecc_pub *b)
{
	return a->curve == b->curve && memcmp(a->xy, b->xy, 2 * ecc_len(a->curve)) == 0;
}

const char *ecc_openssl_error(char buf[120])
{
	unsigned long code = ERR_peek_last_error();
	const char *reason = code ? ERR_reason_error_string(code) : NULL;

	snprintf(buf, 120, "%s", reason ? reason : "unknown");
	ERR_clear_error();
	return buf;
}

void ecc_pkey_freep(EVP_PKEY **k)
{
	EVP_PKEY_free(*k);
	*k = NULL;
}

EVP_PKEY *ecc_pkey(const struct ecc_pub *pub, struct err *e)
{
	uint8_t point[1 + 2 * ECC_MAX_LEN] = { 0x04 }; /* uncompressed */
	char group[16];
	size_t n = 2 * ecc_len(pub->curve);
	EVP_PKEY *k = NULL;

	memcpy(point + 1, pub->xy, n);
	snprintf(group, sizeof group, "%s", ecc_group(pub->curve));
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
		OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, n + 1),
		OSSL_PARAM_construct_end(),
	};
	/* Decoding the point checks that it is on the curve; X || Y cannot say infinity. */
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	if (!ctx || EVP_PKEY_fromdata_init(ctx) != 1 ||
		EVP_PKEY_fromdata(ctx, &k, EVP_PKEY_PUBLIC_KEY, params) != 1) {
		k = NULL;
		err_set(e, ERR_FORMAT, "not a point on %s", ecc_curve_name(pub->curve));
	}
	EVP_PKEY_CTX_free(ctx);
	ERR_clear_error();
	return k;
}

int ecc_pub_from_xy(struct ecc_pub *out, enum ecc_curve curve, const uint8_t *xy, struct err *e)
{
	struct ecc_pub pub = { .curve = curve };

	memcpy(pub.xy, xy, 2 * ecc_len(curve));
	AUTO(ecc_pkey_freep) EVP_PKEY *k = ecc_pkey(&pub, e);
	if (!k)
		return -1;
	*out = pub;
	return 0;
}

int ecc_pub_from_pkey(struct ecc_pub *out, const char *name, const EVP_PKEY *k, struct err *e)
{
	char group[64] = "";
	struct ecc_pub pub = { 0 };
	BIGNUM *x = NULL, *y = NULL;
	int len, rc = -1;

	if (EVP_PKEY_get_base_id(k) != EVP_PKEY_EC)
		return err_set(e, ERR_FORMAT, "%s: %s key, wanted one on P-256 or P-384", name,
			EVP_PKEY_get0_type_name(k) ? EVP_PKEY_get0_type_name(k) : "unknown");
	if (EVP_PKEY_get_group_name(k, group, sizeof group, NULL) == 1 &&
		strcmp(group, ecc_group(ECC_P256)) == 0)
		pub.curve = ECC_P256;
	else if (strcmp(group, ecc_group(ECC_P384)) == 0)
		pub.curve = ECC_P384;
	else
		return err_set(e, ERR_FORMAT, "%s: key on curve %s, wanted P-256 or P-384", name,
			*group ? group : "(explicit parameters)");
	len = (int)ecc_len(pub.curve);
	if (EVP_PKEY_get_bn_param(k, OSSL_PKEY_PARAM_EC_PUB_X, &x) != 1 ||
		EVP_PKEY_get_bn_param(k, OSSL_PKEY_PARAM_EC_PUB_Y, &y) != 1 ||
		BN_bn2binpad(x, pub.xy, len) != len || BN_bn2binpad(y, pub.xy + len, len) != len) {
		err_set(e, ERR_FORMAT, "%s: key without a public part", name);
	} else {
		*out = pub;
		rc = 0;
	}
	BN_free(x);
	BN_free(y);
	ERR_clear_error();
	return rc;
}

unsigned char *ecc_sig_to_der(const uint8_t *sig, size_t len, int *der_len)
{
	unsigned char *der = NULL;
	ECDSA_SIG *s = ECDSA_SIG_new();
	BIGNUM *r = BN_bin2bn(sig, (int)len, NULL), *t = BN_bin2bn(sig + len, (int)len, NULL);

	if (s && r && t && ECDSA_SIG_set0(s, r, t) == 1) {
		r = t = NULL; /* now the signature's */
		*der_len = i2d_ECDSA_SIG(s, &der);
		if (*der_len <= 0)
			der = NULL;
	}
	BN_free(r);
	BN_free(t);
	ECDSA_SIG_free(s);
	return der;
}

int ecc_sig_from_der(uint8_t *sig, size_t len, const unsigned char *der, size_t der_len)
{
	const unsigned char *p = der;
	ECDSA_SIG *s = d2i_ECDSA_SIG(NULL, &p, (long)der_len);
	int rc = -1;

	if (s && BN_bn2binpad(ECDSA_SIG_get0_r(s), sig, (int)len) == (int)len &&
		BN_bn2binpad(ECDSA_SIG_get0_s(s), sig + len, (int)len) == (int)len)
		rc = 0;
	ECDSA_SIG_free(s);
	return rc;
}

int ecc_verify(
	const struct ecc_pub *pub, const void *data, size_t len, const uint8_t *sig, struct err *e)
{
	AUTO(ecc_pkey_freep) EVP_PKEY *k = ecc_pkey(pub, e);
	const EVP_MD *md = pub->curve == ECC_P256 ? EVP_sha256() : EVP_sha384();
	int der_len = 0, ok = 0;

	if (!k)
		return -1;
	unsigned char *der = ecc_sig_to_der(sig, ecc_len(pub->curve), &der_len);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	if (der && ctx && EVP_DigestVerifyInit(ctx, NULL, md, NULL, k) == 1)
		ok = EVP_DigestVerify(ctx, der, (size_t)der_len, data, len);
	EVP_MD_CTX_free(ctx);
	OPENSSL_free(der);
	ERR_clear_error();
	if (ok != 1)
		return err_set(e, ERR_REJECTED, "signature does not verify (ECDSA %s, %s)",
			ecc_curve_name(pub->curve), digest_name(ecc_digest(pub->curve)));
	return 0;
}

int ecc_pub_spki(const struct ecc_pub *pub, struct buf *der, struct err *e)
{
	AUTO(ecc_pkey_freep) EVP_PKEY *k = ecc_pkey(pub, e);
	unsigned char *p = NULL;

	if (!k)
		return -1;
	int n = i2d_PUBKEY(k, &p);
	if (n > 0)
		wr_bytes(der, p, (size_t)n);
	OPENSSL_free(p);
	if (n <= 0)
		return err_set(e, ERR_ENV, "cannot encode a public key: out of memory");
	return buf_check(der, "public key", e);
}

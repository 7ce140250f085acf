#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/fsio.h"
#include "base/text.h"
#include "crypt/ecc_pkey.h"
#include "keyed/ecc_key.h"
#include "keyed/ecdsa_repeatable.h"
#include "keyed/pkcs11_key.h"

/* PBKDF2 rounds for key files we write: OWASP's figure for HMAC-SHA-256. */
#define PBKDF2_ROUNDS 600000

struct ecc_key {
	EVP_PKEY *pkey;
	struct ecc_pub pub;
	struct pkcs11_token *token; /* NULL for keys in memory */
	bool repeatable; /* nonces of RFC 6979 */
};

static int take(struct ecc_key **out, EVP_PKEY *k, struct pkcs11_token *token, const char *name,
	struct err *e)
{
	struct ecc_key *key = calloc(1, sizeof *key);

	if (!key) {
		EVP_PKEY_free(k);
		pkcs11_token_free(token);
		return err_set(e, ERR_ENV, "%s: out of memory", name);
	}
	key->pkey = k;
	key->token = token;

	/* A token's key is an old-style object that does not know the getters: go through DER. */
	unsigned char *der = NULL;
	int n = i2d_PUBKEY(k, &der);
	const unsigned char *p = der;
	EVP_PKEY *pub = n > 0 ? d2i_PUBKEY(NULL, &p, n) : NULL;
	int rc = pub ? ecc_pub_from_pkey(&key->pub, name, pub, e)
		     : err_set(e, ERR_CONFIG, "%s: key without a usable public part", name);
	EVP_PKEY_free(pub);
	OPENSSL_free(der);
	ERR_clear_error();
	if (rc != 0) {
		if (e)
			e->code = ERR_CONFIG; /* an input of the OEM, not a file from outside */
		ecc_key_free(key);
		return -1;
	}
	*out = key;
	return 0;
}

void ecc_key_free(struct ecc_key *key)
{
	if (!key)
		return;
	EVP_PKEY_free(key->pkey); /* OpenSSL clears private numbers */
	pkcs11_token_free(key->token);
	free(key);
}

void ecc_key_freep(struct ecc_key **key)
{
	ecc_key_free(*key);
	*key = NULL;
}

/* --- loading ---------------------------------------------------------------------------------- */

const char *ecc_key_path(const char *spec)
{
	if (strncmp(spec, "pkcs11:", 7) == 0)
		return NULL;
	if (strncmp(spec, "type=file;", 10) == 0) {
		const char *p = strstr(spec, ";file_path=");
		return p ? p + strlen(";file_path=") : spec;
	}
	return spec;
}

struct ask {
	const struct passphrase_source *pw;
	const char *name;
	bool asked, got;
	struct err err;
};

static int password_cb(char *buf, int size, int rwflag, void *arg)
{
	struct ask *a = arg;
	AUTO(secret_freep) struct secret *s = NULL;

	(void)rwflag;
	a->asked = true;
	if (passphrase_get(a->pw, a->name, false, &s, &a->err) != 0 || !s || size < 0 ||
		s->len > (size_t)size)
		return -1;
	memcpy(buf, s->p, s->len);
	a->got = true;
	return (int)s->len;
}

static EVP_PKEY *decode(const struct buf *file, struct ask *ask)
{
	BIO *bio = BIO_new_mem_buf(file->p, (int)file->len);
	EVP_PKEY *k = NULL;

	if (!bio)
		return NULL;
	if (memmem(file->p, file->len, "-----BEGIN ", 11)) {
		k = PEM_read_bio_PrivateKey(bio, NULL, password_cb, ask);
	} else {
		const unsigned char *p = file->p;
		k = d2i_AutoPrivateKey(NULL, &p, (long)file->len);
		if (!k)
			k = d2i_PKCS8PrivateKey_bio(bio, NULL, password_cb, ask);
	}
	BIO_free(bio);
	return k;
}

static int load_file(
	struct ecc_key **out, const char *path, const struct passphrase_source *pw, struct err *e)
{
	AUTO(buf_wipe) struct buf file = { 0 };
	struct ask ask = { .pw = pw, .name = path };
	char reason[120];

	if (fsio_read(path, ECC_KEY_FILE_MAX, &file, e) != 0)
		return -1;
	if (file.len == 0)
		return err_set(e, ERR_CONFIG, "%s: empty, wanted a private key", path);
	EVP_PKEY *k = decode(&file, &ask);
	ecc_openssl_error(reason);
	if (!k && ask.err.code != ERR_NONE) {
		if (e)
			*e = ask.err;
		return -1;
	}
	if (!k && ask.asked && !ask.got)
		return err_set(e, ERR_CONFIG,
			"%s: encrypted private key; give --passphrase-file or --passphrase-fd, or "
			"run on a terminal",
			path);
	if (!k && ask.got)
		return err_set(
			e, ERR_CONFIG, "%s: wrong passphrase, or the key file is damaged", path);
	if (!k)
		return err_set(e, ERR_CONFIG,
			"%s: no private key in it, wanted PKCS#8 or SEC1, PEM or DER", path);

	/* A file whose public part is not that of its private number would make signatures that
	 * nobody can verify. */
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(k, NULL);
	bool pair = EVP_PKEY_get_base_id(k) != EVP_PKEY_EC ||
		    (ctx && EVP_PKEY_pairwise_check(ctx) == 1);
	EVP_PKEY_CTX_free(ctx);
	ERR_clear_error();
	if (!pair) {
		EVP_PKEY_free(k);
		return err_set(
			e, ERR_CONFIG, "%s: private and public part do not belong together", path);
	}
	return take(out, k, NULL, path, e);
}

int ecc_key_load(
	struct ecc_key **out, const char *spec, const struct passphrase_source *pw, struct err *e)
{
	const char *path = ecc_key_path(spec);

	if (path)
		return load_file(out, path, pw, e);
	struct pkcs11_token *token;
	EVP_PKEY *k;
	if (pkcs11_key_open(&token, &k, spec, pw, e) != 0)
		return -1;
	return take(out, k, token, "pkcs11 key", e);
}

int ecc_pub_load_any(
	struct ecc_pub *out, const char *spec, const struct passphrase_source *pw, struct err *e)
{
	const char *path = ecc_key_path(spec);
	AUTO(buf_wipe) struct buf file = { 0 };
	AUTO(ecc_key_freep) struct ecc_key *key = NULL;
	struct err pub_err = { 0 }, key_err = { 0 };

	if (path) {
		if (fsio_read(path, ECC_KEY_FILE_MAX, &file, e) != 0)
			return -1;
		if (ecc_pub_from_bytes(out, path, file.p, file.len, &pub_err) == 0)
			return 0;
		/* Anything that is not even a damaged private key is described as what a public
		 * key may be. */
		bool pem = file.len && memmem(file.p, file.len, "-----BEGIN ", 11);
		bool private = pem && memmem(file.p, file.len, "PRIVATE KEY-----", 16);
		if (ecc_key_load(&key, spec, pw, &key_err) != 0) {
			if (e) {
				*e = private ? key_err : pub_err;
				e->code =
					key_err.code == ERR_CANCELLED ? ERR_CANCELLED : ERR_CONFIG;
			}
			return -1;
		}
	} else if (ecc_key_load(&key, spec, pw, e) != 0) {
		return -1;
	}
	*out = key->pub;
	return 0;
}

/* --- making ----------------------------------------------------------------------------------- */

int ecc_key_generate(struct ecc_key **out, enum ecc_curve curve, struct err *e)
{
	char reason[120];
	EVP_PKEY *k = EVP_EC_gen(ecc_group(curve));

	if (!k)
		return err_set(e, ERR_ENV, "cannot generate a %s key: %s", ecc_curve_name(curve),
			ecc_openssl_error(reason));
	return take(out, k, NULL, "new key", e);
}

/* The EVP_PKEY of a private number; NULL when something is missing. */
static EVP_PKEY *pkey_of_scalar(enum ecc_curve curve, const BIGNUM *d, const EC_GROUP *group)
{
	uint8_t point[1 + 2 * ECC_MAX_LEN];
	size_t n = 1 + 2 * ecc_len(curve);
	EC_POINT *q = EC_POINT_new(group);
	OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	OSSL_PARAM *params = NULL;
	EVP_PKEY *k = NULL;

	if (q && bld && ctx && EC_POINT_mul(group, q, d, NULL, NULL, NULL) == 1 &&
		EC_POINT_point2oct(group, q, POINT_CONVERSION_UNCOMPRESSED, point, n, NULL) == n &&
		OSSL_PARAM_BLD_push_utf8_string(
			bld, OSSL_PKEY_PARAM_GROUP_NAME, ecc_group(curve), 0) == 1 &&
		OSSL_PARAM_BLD_push_octet_string(bld, OSSL_PKEY_PARAM_PUB_KEY, point, n) == 1 &&
		OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_PRIV_KEY, d) == 1 &&
		(params = OSSL_PARAM_BLD_to_param(bld)) && EVP_PKEY_fromdata_init(ctx) == 1 &&
		EVP_PKEY_fromdata(ctx, &k, EVP_PKEY_KEYPAIR, params) != 1)
		k = NULL;
	for (OSSL_PARAM *p = params; p && p->key; p++)
		OPENSSL_cleanse(p->data, p->data_size);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(bld);
	EVP_PKEY_CTX_free(ctx);
	EC_POINT_free(q);
	ERR_clear_error();
	return k;
}

int ecc_key_from_scalar(
	struct ecc_key **out, enum ecc_curve curve, const uint8_t *d_be, struct err *e)
{
	EC_GROUP *group = EC_GROUP_new_by_curve_name(
		curve == ECC_P256 ? NID_X9_62_prime256v1 : NID_secp384r1);
	BIGNUM *d = BN_secure_new();
	EVP_PKEY *k = NULL;
	int rc;

	if (!group || !d || !BN_bin2bn(d_be, (int)ecc_len(curve), d))
		rc = err_set(e, ERR_ENV, "private key: out of memory");
	else if (BN_is_zero(d) || BN_cmp(d, EC_GROUP_get0_order(group)) >= 0)
		rc = err_set(e, ERR_CONFIG, "private number is not in 1 .. order - 1 of %s",
			ecc_curve_name(curve));
	else if (!(k = pkey_of_scalar(curve, d, group)))
		rc = err_set(e, ERR_ENV, "private key: out of memory");
	else
		rc = take(out, k, NULL, "private key", e);
	BN_clear_free(d);
	EC_GROUP_free(group);
	return rc;
}

/* --- using -------------------------------------------------------------------------------------
 */

const struct ecc_pub *ecc_key_pub(const struct ecc_key *key)
{
	return &key->pub;
}

void ecc_key_set_repeatable(struct ecc_key *key)
{
	key->repeatable = !key->token;
}

static int sign_repeatable(
	const struct ecc_key *key, const void *data, size_t len, uint8_t *sig, struct err *e)
{
	AUTO(secret_freep) struct secret *scalar = NULL;

	if (ecc_key_scalar(key, &scalar, e) != 0)
		return -1;
	return ecdsa_sign_repeatable(key->pub.curve, scalar, data, len, sig, e);
}

int ecc_key_sign(
	const struct ecc_key *key, const void *data, size_t len, uint8_t *sig, struct err *e)
{
	if (key->repeatable)
		return sign_repeatable(key, data, len, sig, e);
	const EVP_MD *md = key->pub.curve == ECC_P256 ? EVP_sha256() : EVP_sha384();
	unsigned char der[160];
	size_t der_len = sizeof der;
	char reason[120];

	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok = ctx && EVP_DigestSignInit(ctx, NULL, md, NULL, key->pkey) == 1 &&
		  EVP_DigestSign(ctx, der, &der_len, data, len) == 1 &&
		  ecc_sig_from_der(sig, ecc_len(key->pub.curve), der, der_len) == 0;
	EVP_MD_CTX_free(ctx);
	if (!ok)
		return err_set(e, ERR_ENV, "%s: %s",
			key->token ? "the token does not sign (removed?)" : "cannot sign",
			ecc_openssl_error(reason));
	ERR_clear_error();
	return 0;
}

int ecc_key_scalar(const struct ecc_key *key, struct secret **out, struct err *e)
{
	BIGNUM *d = NULL;
	int len = (int)ecc_len(key->pub.curve);

	if (key->token) {
		*out = NULL;
		return 0;
	}
	AUTO(secret_freep) struct secret *s = secret_new((size_t)len);
	bool ok = s && EVP_PKEY_get_bn_param(key->pkey, OSSL_PKEY_PARAM_PRIV_KEY, &d) == 1 &&
		  BN_bn2binpad(d, s->p, len) == len;
	BN_clear_free(d);
	ERR_clear_error();
	if (!ok)
		return err_set(e, ERR_ENV, "cannot read a private key: out of memory");
	*out = s;
	s = NULL;
	return 0;
}

/* PKCS#8 with PBES2: AES-256-CBC, PBKDF2 with HMAC-SHA-256, which every tool reads. */
static bool write_encrypted(BIO *bio, EVP_PKEY *k, const struct secret *passphrase)
{
	PKCS8_PRIV_KEY_INFO *p8 = EVP_PKEY2PKCS8(k);
	X509_ALGOR *pbe = PKCS5_pbe2_set_iv(
		EVP_aes_256_cbc(), PBKDF2_ROUNDS, NULL, 16, NULL, NID_hmacWithSHA256);
	X509_SIG *sealed = NULL;
	bool ok = false;

	if (p8 && pbe)
		sealed = PKCS8_set0_pbe((const char *)passphrase->p, (int)passphrase->len, p8, pbe);
	if (sealed) {
		pbe = NULL; /* now part of sealed */
		ok = PEM_write_bio_PKCS8(bio, sealed) == 1;
	}
	X509_SIG_free(sealed);
	X509_ALGOR_free(pbe);
	PKCS8_PRIV_KEY_INFO_free(p8);
	return ok;
}

int ecc_key_pem(
	const struct ecc_key *key, const struct secret *passphrase, struct buf *pem, struct err *e)
{
	char reason[120], *p = NULL;

	if (key->token)
		return err_set(e, ERR_CONFIG, "the private key stays in its token");
	BIO *bio = BIO_new(BIO_s_mem()); /* cleared when freed */
	bool ok = bio && (passphrase ? write_encrypted(bio, key->pkey, passphrase)
				     : PEM_write_bio_PKCS8PrivateKey(
					       bio, key->pkey, NULL, NULL, 0, NULL, NULL) == 1);
	long n = ok ? BIO_get_mem_data(bio, &p) : 0;
	if (n > 0)
		wr_bytes(pem, p, (size_t)n);
	BIO_free(bio);
	if (n <= 0)
		return err_set(
			e, ERR_ENV, "cannot write a private key: %s", ecc_openssl_error(reason));
	return buf_check(pem, "private key", e);
}

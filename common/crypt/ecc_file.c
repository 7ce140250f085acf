/* Public keys as files hold them. Apart from ecc.c, so that programs which only verify do not link
 * the PEM and X.509 readers. */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <string.h>

#include "base/text.h"
#include "crypt/ecc.h"
#include "crypt/ecc_pkey.h"

/* What a DER blob is, tried as certificate and as SubjectPublicKeyInfo; NULL when neither. */
static EVP_PKEY *key_of_der(const unsigned char *der, long len, bool cert, bool spki)
{
	const unsigned char *p = der;
	EVP_PKEY *k = NULL;

	if (cert) {
		X509 *x = d2i_X509(NULL, &p, len);
		if (x && p == der + len)
			k = X509_get_pubkey(x);
		X509_free(x);
	}
	if (!k && spki) {
		p = der;
		k = d2i_PUBKEY(NULL, &p, len);
		if (k && p != der + len) {
			EVP_PKEY_free(k);
			k = NULL;
		}
	}
	return k;
}

/* The first certificate or public key among the PEM blocks of a file. */
static EVP_PKEY *key_of_pem(const char *name, const void *data, size_t len, struct err *e)
{
	BIO *bio = BIO_new_mem_buf(data, (int)len);
	EVP_PKEY *k = NULL;
	char seen[80] = "no complete PEM block";
	bool done = false;

	while (bio && !done) {
		char *label = NULL, *header = NULL;
		unsigned char *der = NULL;
		long der_len = 0;

		if (PEM_read_bio(bio, &label, &header, &der, &der_len) != 1)
			break;
		bool cert = strcmp(label, PEM_STRING_X509) == 0 ||
			    strcmp(label, PEM_STRING_X509_OLD) == 0;
		bool spki = strcmp(label, PEM_STRING_PUBLIC) == 0;
		bool private = strstr(label, "PRIVATE KEY") != NULL;
		if (cert || spki)
			k = key_of_der(der, der_len, cert, spki);
		if (private)
			OPENSSL_cleanse(der, (size_t)der_len);
		if (strcmp(label, "EC PARAMETERS") != 0)
			snprintf(seen, sizeof seen, "%s%s", cert || spki ? "damaged " : "",
				text_escape((char[60]){ 0 }, 60, label, strlen(label)));
		done = cert || spki || private;
		OPENSSL_free(label);
		OPENSSL_free(header);
		OPENSSL_free(der);
	}
	BIO_free(bio);
	if (!k)
		err_set(e, ERR_FORMAT, "%s: %s, wanted CERTIFICATE or PUBLIC KEY", name, seen);
	return k;
}

int ecc_pub_from_bytes(
	struct ecc_pub *out, const char *name, const void *data, size_t len, struct err *e)
{
	struct err drop;
	AUTO(ecc_pkey_freep) EVP_PKEY *k = NULL;

	if (len == 64 && ecc_pub_from_xy(out, ECC_P256, data, &drop) == 0)
		return 0;
	if (len == 96 && ecc_pub_from_xy(out, ECC_P384, data, &drop) == 0)
		return 0;
	if (len > INT32_MAX)
		return err_set(e, ERR_LIMIT, "%s: %zu bytes are no public key", name, len);
	if (len && memmem(data, len, "-----BEGIN ", 11)) {
		k = key_of_pem(name, data, len, e);
	} else if (len) {
		k = key_of_der(data, (long)len, true, true);
		if (!k)
			err_set(e, ERR_FORMAT,
				"%s: %zu bytes, neither a PEM or DER certificate or public key nor "
				"64 or 96 bytes X || Y of a point on P-256 or P-384",
				name, len);
	} else {
		err_set(e, ERR_FORMAT, "%s: empty, wanted a public key", name);
	}
	ERR_clear_error();
	return k ? ecc_pub_from_pkey(out, name, k, e) : -1;
}

int ecc_pub_pem(const struct ecc_pub *pub, struct buf *pem, struct err *e)
{
	AUTO(ecc_pkey_freep) EVP_PKEY *k = ecc_pkey(pub, e);
	BIO *bio = BIO_new(BIO_s_mem());
	char *p = NULL;
	long n = -1;

	if (!k) {
		BIO_free(bio);
		return -1;
	}
	if (bio && PEM_write_bio_PUBKEY(bio, k) == 1)
		n = BIO_get_mem_data(bio, &p);
	if (n > 0)
		wr_bytes(pem, p, (size_t)n);
	BIO_free(bio);
	if (n <= 0)
		return err_set(e, ERR_ENV, "cannot encode a public key: out of memory");
	return buf_check(pem, "public key", e);
}

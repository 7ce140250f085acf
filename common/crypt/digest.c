#include <openssl/evp.h>
#include <stdlib.h>

#include "crypt/digest.h"

struct digest {
	EVP_MD_CTX *ctx;
	const EVP_MD *md;
};

size_t digest_len(enum digest_alg alg)
{
	return alg == DIGEST_SHA256 ? 32 : 48;
}

const char *digest_name(enum digest_alg alg)
{
	return alg == DIGEST_SHA256 ? "SHA-256" : "SHA-384";
}

static void must(int ok)
{
	if (ok != 1)
		abort();
}

void digest_of(enum digest_alg alg, const void *data, size_t len, uint8_t *out)
{
	const EVP_MD *md = alg == DIGEST_SHA256 ? EVP_sha256() : EVP_sha384();
	must(EVP_Digest(data, len, out, NULL, md, NULL));
}

void sha256_of(const void *data, size_t len, uint8_t out[32])
{
	digest_of(DIGEST_SHA256, data, len, out);
}

struct digest *digest_new(enum digest_alg alg)
{
	struct digest *d = malloc(sizeof *d);

	must(d != NULL);
	d->md = alg == DIGEST_SHA256 ? EVP_sha256() : EVP_sha384();
	d->ctx = EVP_MD_CTX_new();
	must(d->ctx != NULL);
	must(EVP_DigestInit_ex(d->ctx, d->md, NULL));
	return d;
}

void digest_update(struct digest *d, const void *data, size_t len)
{
	must(EVP_DigestUpdate(d->ctx, data, len));
}

void digest_final(struct digest *d, uint8_t *out)
{
	must(EVP_DigestFinal_ex(d->ctx, out, NULL));
	must(EVP_DigestInit_ex(d->ctx, NULL, NULL)); /* NULL: the same algorithm, no lookup */
}

void digest_free(struct digest *d)
{
	if (!d)
		return;
	EVP_MD_CTX_free(d->ctx);
	free(d);
}

void digest_freep(struct digest **d)
{
	digest_free(*d);
	*d = NULL;
}

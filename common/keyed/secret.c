#include <malloc.h>
#include <openssl/crypto.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "keyed/secret.h"

/* --- OpenSSL's memory --------------------------------------------------------------------------
 *
 * OpenSSL wipes keys, but not every copy its readers make on the way (a decrypted PKCS#8 stays in
 * freed memory). So programs that handle secrets give it an allocator that wipes what it frees. It
 * must be set before OpenSSL's first allocation, hence the constructor. */

static bool wiping;

static void *wiping_malloc(size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	return malloc(n);
}

static void wiping_free(void *p, const char *file, int line)
{
	(void)file;
	(void)line;
	if (p)
		explicit_bzero(p, malloc_usable_size(p));
	free(p);
}

static void *wiping_realloc(void *p, size_t n, const char *file, int line)
{
	size_t old = p ? malloc_usable_size(p) : 0;
	void *q = n ? malloc(n) : NULL;

	if (n && !q)
		return NULL; /* p stays as it is */
	if (q && old)
		memcpy(q, p, old < n ? old : n);
	wiping_free(p, file, line);
	return q;
}

__attribute__((constructor)) static void wipe_openssl(void)
{
	wiping = CRYPTO_set_mem_functions(wiping_malloc, wiping_realloc, wiping_free) == 1;
}

bool secret_openssl_wipes(void)
{
	return wiping;
}

/* --- guarded memory ------------------------------------------------------------------------------
 */

struct secret *secret_new(size_t len)
{
	if (sodium_init() < 0)
		return NULL;
	struct secret *s = malloc(sizeof *s);
	if (!s)
		return NULL;
	s->len = len;
	s->p = sodium_malloc(len ? len : 1);
	if (!s->p) {
		free(s);
		return NULL;
	}
	sodium_memzero(s->p, len ? len : 1);
	return s;
}

struct secret *secret_copy(const void *data, size_t len)
{
	struct secret *s = secret_new(len);

	if (s && len)
		memcpy(s->p, data, len);
	return s;
}

struct secret *secret_random(size_t len)
{
	struct secret *s = secret_new(len);

	if (s)
		randombytes_buf(s->p, len);
	return s;
}

void secret_free(struct secret *s)
{
	if (!s)
		return;
	sodium_free(s->p); /* wipes */
	free(s);
}

void secret_freep(struct secret **s)
{
	secret_free(*s);
	*s = NULL;
}

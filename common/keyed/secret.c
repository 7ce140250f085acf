#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "keyed/secret.h"

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

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "image/sb31.h"
#include "mfgpkg/secret_scan_internal.h"
#include "pkg/sb_check.h"

enum { MAX_NEEDLES = 4096, MAX_PLAINS = 256, MIN_SECRET = 16, MIN_DISTINCT = 6, MAX_SAME = 8 };

int oem_scan_new(struct oem_scan **out, struct err *e)
{
	struct oem_scan *s = calloc(1, sizeof *s);

	if (!s)
		return err_set(e, ERR_ENV, "out of memory");
	*out = s;
	return 0;
}

void oem_scan_free(struct oem_scan *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->n_needles; i++) {
		secret_free(s->needles[i].forward);
		secret_free(s->needles[i].backward);
	}
	for (size_t i = 0; i < s->n_plains; i++) {
		explicit_bzero(s->plains[i].data, s->plains[i].len);
		free(s->plains[i].data);
		free(s->plains[i].table);
	}
	free(s->needles);
	free(s->plains);
	free(s);
}

void oem_scan_freep(struct oem_scan **s)
{
	oem_scan_free(*s);
	*s = NULL;
}

/* --- what is looked for ------------------------------------------------------------------------
 */

int oem_scan_add_secret(
	struct oem_scan *s, const char *name, const void *secret, size_t len, struct err *e)
{
	const uint8_t *p = secret;

	if (len < MIN_SECRET)
		return err_set(e, ERR_INTERNAL, "%s: a secret of %zu bytes cannot be searched for",
			name, len);
	for (size_t i = 0; i < s->n_needles; i++)
		if (s->needles[i].forward->len == len &&
			sodium_memcmp(s->needles[i].forward->p, secret, len) == 0)
			return 0;
	/* All zero is no secret, but it is everywhere. */
	if (sodium_is_zero(secret, len))
		return 0;
	if (s->n_needles == MAX_NEEDLES)
		return err_set(e, ERR_LIMIT, "%s: more than %d secrets", name, MAX_NEEDLES);
	struct oem_needle *grown = realloc(s->needles, (s->n_needles + 1) * sizeof *grown);
	if (!grown)
		return err_set(e, ERR_ENV, "out of memory");
	s->needles = grown;
	struct oem_needle *n = &grown[s->n_needles];
	*n = (struct oem_needle){ .forward = secret_copy(secret, len),
		.backward = secret_new(len) };
	if (!n->forward || !n->backward) {
		secret_free(n->forward);
		secret_free(n->backward);
		return err_set(e, ERR_ENV, "out of memory");
	}
	for (size_t i = 0; i < len; i++)
		n->backward->p[i] = p[len - 1 - i];
	snprintf(n->name, sizeof n->name, "%s", name);
	s->n_needles++;
	return 0;
}

/* Padding, tables of equal words and the like are in many files: not what makes firmware secret. */
static bool is_pattern(const uint8_t *w)
{
	bool seen[256] = { false };
	int distinct = 0;

	for (size_t i = 0; i < SCAN_WINDOW; i++)
		if (!seen[w[i]]) {
			seen[w[i]] = true;
			distinct++;
		}
	return distinct < MIN_DISTINCT;
}

static uint32_t window_hash(const uint8_t *w)
{
	uint64_t a, b;

	memcpy(&a, w, 8);
	memcpy(&b, w + 8, 8);
	a = (a ^ (b << 29 | b >> 35)) * 0x9E3779B97F4A7C15ull;
	return (uint32_t)(a >> 32);
}

static int index_plain(struct oem_plain *p, struct err *e)
{
	size_t windows = p->len / SCAN_WINDOW, cap = 64;

	while (cap < 2 * windows)
		cap *= 2;
	p->table = calloc(cap, sizeof *p->table);
	if (!p->table)
		return err_set(e, ERR_ENV, "out of memory");
	p->mask = cap - 1;
	for (size_t i = 0; i < windows; i++) {
		const uint8_t *w = p->data + i * SCAN_WINDOW;
		if (is_pattern(w))
			continue;
		size_t at = window_hash(w) & p->mask, same = 0;
		for (; p->table[at] && same < MAX_SAME; at = (at + 1) & p->mask)
			same += memcmp(p->data + (size_t)(p->table[at] - 1) * SCAN_WINDOW, w,
					SCAN_WINDOW) == 0;
		/* Tables repeat a window thousands of times; a few places are enough to tell. */
		if (same == MAX_SAME)
			continue;
		p->table[at] = (uint32_t)i + 1;
	}
	return 0;
}

int oem_scan_add_plaintext(
	struct oem_scan *s, const char *name, const void *data, size_t len, struct err *e)
{
	if (len < SCAN_RUN)
		return 0;
	if (s->n_plains == MAX_PLAINS)
		return err_set(e, ERR_LIMIT, "%s: more than %d plaintexts", name, MAX_PLAINS);
	struct oem_plain *grown = realloc(s->plains, (s->n_plains + 1) * sizeof *grown);
	if (!grown)
		return err_set(e, ERR_ENV, "out of memory");
	s->plains = grown;
	struct oem_plain *p = &grown[s->n_plains];
	*p = (struct oem_plain){ .data = malloc(len), .len = len };
	if (!p->data)
		return err_set(e, ERR_ENV, "out of memory");
	memcpy(p->data, data, len);
	snprintf(p->name, sizeof p->name, "%s", name);
	if (index_plain(p, e) != 0) {
		free(p->data);
		return -1;
	}
	s->n_plains++;
	return 0;
}

/* --- looking -----------------------------------------------------------------------------------
 */

int oem_scan_found(const struct oem_view *v, size_t at, const char *what, struct err *e)
{
	if (*v->form)
		return err_set(e, ERR_REJECTED, "%s: holds %s, %s", v->entry, what, v->form);
	return err_set(e, ERR_REJECTED, "%s: holds %s, at offset %zu", v->entry, what, at);
}

int oem_scan_needles(const struct oem_scan *s, const struct oem_view *v, struct err *e)
{
	char what[SCAN_NAME_MAX + 32];

	for (size_t i = 0; i < s->n_needles; i++) {
		const struct oem_needle *n = &s->needles[i];
		const uint8_t *at = memmem(v->data, v->len, n->forward->p, n->forward->len);
		snprintf(what, sizeof what, "the secret %s", n->name);
		if (!at) {
			at = memmem(v->data, v->len, n->backward->p, n->backward->len);
			snprintf(what, sizeof what, "the secret %s, reversed", n->name);
		}
		if (at)
			return oem_scan_found(v, (size_t)(at - v->data), what, e);
	}
	return 0;
}

/* How many bytes around a matching window agree. */
static size_t match_len(const struct oem_plain *p, size_t at, const struct oem_view *v, size_t i)
{
	size_t n = SCAN_WINDOW, back = 0;

	while (at + n < p->len && i + n < v->len && p->data[at + n] == v->data[i + n])
		n++;
	while (back < at && back < i && p->data[at - back - 1] == v->data[i - back - 1])
		back++;
	return n + back;
}

int oem_scan_plains(const struct oem_scan *s, const struct oem_view *v, struct err *e)
{
	char what[SCAN_NAME_MAX + 32];

	for (size_t k = 0; k < s->n_plains; k++) {
		const struct oem_plain *p = &s->plains[k];
		for (size_t i = 0; i + SCAN_WINDOW <= v->len; i++) {
			size_t slot = window_hash(v->data + i) & p->mask;
			for (; p->table[slot]; slot = (slot + 1) & p->mask) {
				size_t at = (size_t)(p->table[slot] - 1) * SCAN_WINDOW;
				if (memcmp(p->data + at, v->data + i, SCAN_WINDOW) != 0 ||
					match_len(p, at, v, i) < SCAN_RUN)
					continue;
				snprintf(what, sizeof what, "plain text of %s", p->name);
				return oem_scan_found(v, i, what, e);
			}
		}
	}
	return 0;
}

struct looking {
	const struct oem_scan *scan;
	bool plain_allowed; /* data/...: plain by its role */
};

static int look(void *ctx, const struct oem_view *v, struct err *e)
{
	const struct looking *l = ctx;

	if (oem_scan_needles(l->scan, v, e) != 0 || oem_scan_structures(v, e) != 0)
		return -1;
	return l->plain_allowed ? 0 : oem_scan_plains(l->scan, v, e);
}

static int check_sb(const struct container_entry *x, struct err *e)
{
	struct sb31 sb;

	if (x->len < SB31_HEADER || memcmp(x->data, "sbv3", 4) != 0)
		return 0;
	return sb31_parse(&sb, x->data, x->len, NULL) == 0 ? sb_check_encrypted(x->name, &sb, e)
							   : 0;
}

int oem_scan_package(const struct oem_scan *s, const struct container *c, struct err *e)
{
	for (size_t i = 0; i < c->n; i++) {
		const struct container_entry *x = &c->entries[i];
		struct looking l = { s, strncmp(x->name, "data/", 5) == 0 };
		if (check_sb(x, e) != 0 ||
			oem_scan_views(x->name, x->data, x->len, look, &l, e) != 0)
			return -1;
	}
	return oem_scan_scalars(c, e);
}

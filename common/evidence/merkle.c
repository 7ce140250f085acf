/* OpenSSL's low-level SHA-256: one leaf costs one hash, and the generic interface would cost as
 * much again in set-up. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>
#include <string.h>

#include "evidence/merkle.h"

void merkle_leaf_hash(const void *data, size_t len, uint8_t out[MERKLE_HASH])
{
	SHA256_CTX c;

	SHA256_Init(&c);
	SHA256_Update(&c, "\0", 1);
	SHA256_Update(&c, data, len);
	SHA256_Final(out, &c);
}

void merkle_node_hash(
	const uint8_t left[MERKLE_HASH], const uint8_t right[MERKLE_HASH], uint8_t out[MERKLE_HASH])
{
	SHA256_CTX c;

	SHA256_Init(&c);
	SHA256_Update(&c, "\1", 1);
	SHA256_Update(&c, left, MERKLE_HASH);
	SHA256_Update(&c, right, MERKLE_HASH);
	SHA256_Final(out, &c);
}

/* --- growing -------------------------------------------------------------------------------- */

size_t merkle_append_hash(
	struct merkle *m, const uint8_t leaf[MERKLE_HASH], uint8_t stored[64][MERKLE_HASH])
{
	uint8_t h[MERKLE_HASH];
	size_t top = (size_t)__builtin_popcountll(m->n), n = 0;

	memcpy(h, leaf, MERKLE_HASH);
	if (stored)
		memcpy(stored[n], h, MERKLE_HASH);
	n++;
	for (uint64_t k = m->n; k & 1; k >>= 1) {
		merkle_node_hash(m->stack[--top], h, h);
		if (stored)
			memcpy(stored[n], h, MERKLE_HASH);
		n++;
	}
	memcpy(m->stack[top], h, MERKLE_HASH);
	m->n++;
	return n;
}

size_t merkle_append(
	struct merkle *m, const void *data, size_t len, uint8_t stored[64][MERKLE_HASH])
{
	uint8_t h[MERKLE_HASH];

	merkle_leaf_hash(data, len, h);
	return merkle_append_hash(m, h, stored);
}

/* The root of n perfect subtrees, largest first. */
static void fold(const uint8_t *subtree, size_t n, uint8_t out[MERKLE_HASH])
{
	uint8_t r[MERKLE_HASH];

	memcpy(r, subtree + (n - 1) * MERKLE_HASH, MERKLE_HASH);
	for (size_t i = n - 1; i-- > 0;)
		merkle_node_hash(subtree + i * MERKLE_HASH, r, r);
	memcpy(out, r, MERKLE_HASH);
}

void merkle_root(const struct merkle *m, uint8_t out[MERKLE_HASH])
{
	if (m->n == 0)
		SHA256((const uint8_t *)"", 0, out);
	else
		fold(m->stack[0], (size_t)__builtin_popcountll(m->n), out);
}

/* --- stored nodes --------------------------------------------------------------------------- */

uint64_t merkle_node_id(unsigned level, uint64_t index)
{
	uint64_t m = ((index + 1) << level) - 1; /* the leaf that completes the subtree */

	return level + 2 * m - (uint64_t)__builtin_popcountll(m);
}

uint64_t merkle_node_count(uint64_t n_leaves)
{
	return 2 * n_leaves - (uint64_t)__builtin_popcountll(n_leaves);
}

static unsigned log2_floor(uint64_t v) /* v > 0 */
{
	return 63u - (unsigned)__builtin_clzll(v);
}

/* Perfect subtrees of the leaves lo..hi-1, largest first. lo is a multiple of the largest power
 * of two used, as the recursion of RFC 6962 has it. */
static int read_perfect(uint64_t lo, uint64_t hi, merkle_read read, void *ctx,
	uint8_t out[64][MERKLE_HASH], size_t *n, struct err *e)
{
	for (*n = 0; lo < hi; ++*n) {
		unsigned level = log2_floor(hi - lo);
		if (read(ctx, merkle_node_id(level, lo >> level), out[*n], e) != 0)
			return err_wrap(e, "tree node level %u index %llu", level,
				(unsigned long long)(lo >> level));
		lo += (uint64_t)1 << level;
	}
	return 0;
}

static int read_subtree(uint64_t lo, uint64_t hi, merkle_read read, void *ctx,
	uint8_t out[MERKLE_HASH], struct err *e)
{
	uint8_t part[64][MERKLE_HASH];
	size_t n;

	if (read_perfect(lo, hi, read, ctx, part, &n, e) != 0)
		return -1;
	fold(part[0], n, out);
	return 0;
}

int merkle_root_at(uint64_t n, merkle_read read, void *ctx, uint8_t out[MERKLE_HASH], struct err *e)
{
	if (n == 0) {
		SHA256((const uint8_t *)"", 0, out);
		return 0;
	}
	return read_subtree(0, n, read, ctx, out, e);
}

int merkle_resume(struct merkle *m, uint64_t n, merkle_read read, void *ctx, struct err *e)
{
	struct merkle r = { .n = n };
	size_t k;

	if (read_perfect(0, n, read, ctx, r.stack, &k, e) != 0)
		return -1;
	*m = r;
	return 0;
}

/* --- making proofs -------------------------------------------------------------------------- */

static void reverse(struct merkle_proof *p)
{
	for (size_t i = 0; i < p->n / 2; i++) {
		uint8_t t[MERKLE_HASH];
		memcpy(t, p->hash[i], MERKLE_HASH);
		memcpy(p->hash[i], p->hash[p->n - 1 - i], MERKLE_HASH);
		memcpy(p->hash[p->n - 1 - i], t, MERKLE_HASH);
	}
}

/* The largest power of two below n, for n > 1. */
static uint64_t split(uint64_t n)
{
	return (uint64_t)1 << log2_floor(n - 1);
}

int merkle_prove_inclusion(uint64_t i, uint64_t n, merkle_read read, void *ctx,
	struct merkle_proof *out, struct err *e)
{
	struct merkle_proof p = { 0 };
	uint64_t lo = 0, hi = n;

	if (i >= n || n > MERKLE_SIZE_MAX)
		return err_set(e, ERR_USAGE, "leaf %llu is not in a tree of %llu leaves",
			(unsigned long long)i, (unsigned long long)n);
	while (hi - lo > 1) {
		uint64_t k = split(hi - lo);
		bool left = i < lo + k;
		if (read_subtree(left ? lo + k : lo, left ? hi : lo + k, read, ctx, p.hash[p.n++],
			    e) != 0)
			return -1;
		if (left)
			hi = lo + k;
		else
			lo += k;
	}
	reverse(&p);
	*out = p;
	return 0;
}

int merkle_prove_consistency(uint64_t m, uint64_t n, merkle_read read, void *ctx,
	struct merkle_proof *out, struct err *e)
{
	struct merkle_proof p = { 0 };
	uint64_t lo = 0, hi = n;
	bool whole = true; /* lo..hi is a subtree that the old root has as it is */

	if (m == 0 || m > n || n > MERKLE_SIZE_MAX)
		return err_set(e, ERR_USAGE, "no consistency proof from size %llu to size %llu",
			(unsigned long long)m, (unsigned long long)n);
	while (m != hi) {
		uint64_t k = split(hi - lo);
		bool left = m <= lo + k;
		if (read_subtree(left ? lo + k : lo, left ? hi : lo + k, read, ctx, p.hash[p.n++],
			    e) != 0)
			return -1;
		if (left) {
			hi = lo + k;
		} else {
			lo += k;
			whole = false;
		}
	}
	if (!whole && read_subtree(lo, hi, read, ctx, p.hash[p.n++], e) != 0)
		return -1;
	reverse(&p);
	*out = p;
	return 0;
}

/* --- checking proofs ------------------------------------------------------------------------ */

int merkle_check_inclusion(uint64_t i, uint64_t n, const uint8_t leaf[MERKLE_HASH],
	const uint8_t *path, size_t n_path, const uint8_t root[MERKLE_HASH], struct err *e)
{
	uint8_t r[MERKLE_HASH];

	if (i >= n)
		return err_set(e, ERR_REJECTED, "index %llu is not below the tree's size %llu",
			(unsigned long long)i, (unsigned long long)n);
	if (n_path > MERKLE_PATH_MAX)
		return err_set(e, ERR_REJECTED, "path of %zu hashes, at most %d wanted", n_path,
			MERKLE_PATH_MAX);
	memcpy(r, leaf, MERKLE_HASH);
	uint64_t f = i, s = n - 1;
	for (size_t k = 0; k < n_path; k++) {
		if (s == 0)
			return err_set(e, ERR_REJECTED,
				"path of %zu hashes is too long for leaf "
				"%llu of %llu",
				n_path, (unsigned long long)i, (unsigned long long)n);
		if ((f & 1) || f == s) {
			merkle_node_hash(path + k * MERKLE_HASH, r, r);
			while (!(f & 1) && f != 0) {
				f >>= 1;
				s >>= 1;
			}
		} else {
			merkle_node_hash(r, path + k * MERKLE_HASH, r);
		}
		f >>= 1;
		s >>= 1;
	}
	if (s != 0)
		return err_set(e, ERR_REJECTED,
			"path of %zu hashes is too short for leaf %llu of "
			"%llu",
			n_path, (unsigned long long)i, (unsigned long long)n);
	if (memcmp(r, root, MERKLE_HASH) != 0)
		return err_set(e, ERR_REJECTED,
			"leaf %llu is not in the tree of %llu leaves with "
			"this root",
			(unsigned long long)i, (unsigned long long)n);
	return 0;
}

int merkle_check_consistency(uint64_t m, uint64_t n, const uint8_t old_root[MERKLE_HASH],
	const uint8_t new_root[MERKLE_HASH], const uint8_t *path, size_t n_path, struct err *e)
{
	unsigned long long um = m, un = n;

	if (m > n)
		return err_set(e, ERR_REJECTED, "old size %llu is above the new size %llu", um, un);
	if (n_path > MERKLE_PATH_MAX + 1)
		return err_set(e, ERR_REJECTED, "path of %zu hashes, at most %d wanted", n_path,
			MERKLE_PATH_MAX + 1);
	if (m == 0 || m == n) {
		if (n_path)
			return err_set(e, ERR_REJECTED,
				"path of %zu hashes from size %llu to "
				"%llu, none wanted",
				n_path, um, un);
		if (m == n && memcmp(old_root, new_root, MERKLE_HASH) != 0)
			return err_set(e, ERR_REJECTED, "two roots of size %llu", un);
		return 0;
	}

	/* A power of two is itself a subtree of the new tree: its root opens the path. */
	bool power = (m & (m - 1)) == 0;
	if (!power && n_path == 0)
		return err_set(e, ERR_REJECTED, "empty path from size %llu to %llu", um, un);
	const uint8_t *first = power ? old_root : path;
	uint8_t a[MERKLE_HASH], b[MERKLE_HASH];
	memcpy(a, first, MERKLE_HASH);
	memcpy(b, first, MERKLE_HASH);
	uint64_t f = m - 1, s = n - 1;
	while (f & 1) {
		f >>= 1;
		s >>= 1;
	}
	for (size_t k = power ? 0 : 1; k < n_path; k++) {
		if (s == 0)
			return err_set(e, ERR_REJECTED,
				"path of %zu hashes is too long from size "
				"%llu to %llu",
				n_path, um, un);
		if ((f & 1) || f == s) {
			merkle_node_hash(path + k * MERKLE_HASH, a, a);
			merkle_node_hash(path + k * MERKLE_HASH, b, b);
			while (!(f & 1) && f != 0) {
				f >>= 1;
				s >>= 1;
			}
		} else {
			merkle_node_hash(b, path + k * MERKLE_HASH, b);
		}
		f >>= 1;
		s >>= 1;
	}
	if (s != 0)
		return err_set(e, ERR_REJECTED,
			"path of %zu hashes is too short from size %llu to "
			"%llu",
			n_path, um, un);
	if (memcmp(a, old_root, MERKLE_HASH) != 0)
		return err_set(
			e, ERR_REJECTED, "the tree of %llu leaves does not have the old root", um);
	if (memcmp(b, new_root, MERKLE_HASH) != 0)
		return err_set(
			e, ERR_REJECTED, "the tree of %llu leaves does not extend the old one", un);
	return 0;
}

/* merkle - the tree of RFC 6962 section 2.1 (RFC 9162 2.1) over leaves that only grow.
 *
 * Appending needs one hash per set bit of the size; proofs need the stored hashes of perfect
 * subtrees, numbered densely as Go's tlog does. Leaf hashes are always computed from leaf bytes.
 * Pure functions, any thread. Source: format "evidence", section 2.
 */
#ifndef COMMON_EVIDENCE_MERKLE_H
#define COMMON_EVIDENCE_MERKLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define MERKLE_HASH	 32
#define MERKLE_PATH_MAX	 63 /* longest proof that is read */
#define MERKLE_PROOF_CAP 128 /* longest proof that can be made */
#define MERKLE_SIZE_MAX	 ((uint64_t)INT64_MAX)

void merkle_leaf_hash(const void *data, size_t len, uint8_t out[MERKLE_HASH]);
void merkle_node_hash(const uint8_t left[MERKLE_HASH], const uint8_t right[MERKLE_HASH],
	uint8_t out[MERKLE_HASH]);

/* State of a growing tree: roots of its perfect subtrees, the largest first. {0} is empty. */
struct merkle {
	uint64_t n;
	uint8_t stack[64][MERKLE_HASH];
};

/* merkle_append - add a leaf; `stored`, when not NULL, gets the hashes that became complete (the
 * leaf's own first), which are the rows merkle_node_id(0, n) and on. Returns how many (1..64). */
size_t merkle_append(
	struct merkle *m, const void *data, size_t len, uint8_t stored[64][MERKLE_HASH]);
size_t merkle_append_hash(
	struct merkle *m, const uint8_t leaf[MERKLE_HASH], uint8_t stored[64][MERKLE_HASH]);
void merkle_root(const struct merkle *m, uint8_t out[MERKLE_HASH]);

/* Stored nodes: dense numbers. */
uint64_t merkle_node_id(unsigned level, uint64_t index);
uint64_t merkle_node_count(uint64_t n_leaves); /* rows that n leaves have */

/* Where stored nodes come from: 0, or -1 with *e. */
typedef int (*merkle_read)(void *ctx, uint64_t id, uint8_t out[MERKLE_HASH], struct err *e);

struct merkle_proof {
	size_t n;
	uint8_t hash[MERKLE_PROOF_CAP][MERKLE_HASH];
};

/* merkle_root_at - root of the first n leaves. merkle_resume - the state after n leaves. */
int merkle_root_at(
	uint64_t n, merkle_read read, void *ctx, uint8_t out[MERKLE_HASH], struct err *e) CHECKED;
int merkle_resume(struct merkle *m, uint64_t n, merkle_read read, void *ctx, struct err *e) CHECKED;

/* Making proofs. ERR_USAGE when i >= n, m = 0 or m > n. */
int merkle_prove_inclusion(uint64_t i, uint64_t n, merkle_read read, void *ctx,
	struct merkle_proof *out, struct err *e) CHECKED;
int merkle_prove_consistency(uint64_t m, uint64_t n, merkle_read read, void *ctx,
	struct merkle_proof *out, struct err *e) CHECKED;

/* Checking proofs (path: n_path hashes of 32 bytes): ERR_REJECTED. Size and index come from signed
 * text and from the caller, never from the proof. */
int merkle_check_inclusion(uint64_t i, uint64_t n, const uint8_t leaf[MERKLE_HASH],
	const uint8_t *path, size_t n_path, const uint8_t root[MERKLE_HASH], struct err *e) CHECKED;
int merkle_check_consistency(uint64_t m, uint64_t n, const uint8_t old_root[MERKLE_HASH],
	const uint8_t new_root[MERKLE_HASH], const uint8_t *path, size_t n_path,
	struct err *e) CHECKED;

#endif

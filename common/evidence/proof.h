/* proof - one leaf with its inclusion proof and a signed checkpoint, in one text file
 * (C2SP tlog-proof); and the policy that says whose signatures make a checkpoint good.
 *
 * Our proofs carry the leaf's exact bytes in `extra`, so that a file is complete by itself.
 * Pure functions, any thread. Source: format "evidence", sections 3.4 and 3.5.
 */
#ifndef COMMON_EVIDENCE_PROOF_H
#define COMMON_EVIDENCE_PROOF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"
#include "evidence/merkle.h"
#include "evidence/note.h"

#define PROOF_MAX	((size_t)2 << 20)
#define PROOF_LINE_MAX	65535 /* one public reader stops there */
#define PROOF_EXTRA_MAX (PROOF_LINE_MAX / 4 * 3)

/* A parsed proof file; owns `extra`, borrows the note from the input. */
struct proof {
	uint64_t index;
	bool has_extra;
	struct buf extra; /* not authenticated by itself: hash it as the leaf */
	uint8_t path[MERKLE_PATH_MAX][MERKLE_HASH];
	size_t n_path;
	const char *note;
	size_t note_len;
};

/* proof_parse - the form only. ERR_FORMAT, ERR_LIMIT. proof_clear() afterwards. */
int proof_parse(
	struct proof *out, const char *name, const void *data, size_t len, struct err *e) CHECKED;
void proof_clear(struct proof *p);

/* proof_write - append a proof file. extra may be NULL (then extra_len is 0); a leaf too long for
 * one line is left out, and the file then needs the leaf beside it. */
int proof_write(uint64_t index, const void *extra, size_t extra_len,
	const struct merkle_proof *path, const char *note, size_t note_len, struct buf *out,
	struct err *e) CHECKED;

/* --- policies --------------------------------------------------------------------------------- */
#define POLICY_MAX	 ((size_t)64 << 10)
#define POLICY_LOGS_MAX	 64
#define POLICY_NODES_MAX 128 /* witnesses and groups */

struct policy;
int policy_parse(
	struct policy **out, const char *name, const void *data, size_t len, struct err *e) CHECKED;
void policy_free(struct policy *p);
void policy_freep(struct policy **p);

/* policy_threshold - how many of n witnesses "all", "any" or a decimal number from 1 to n wants.
 * 0, or -1: it is none of these. */
int policy_threshold(const char *text, size_t n, size_t *k) CHECKED;

/* policy_keys - the keys of all logs, then of all witnesses; *n_log of *n are logs'. Borrowed. */
const struct vkey *policy_keys(const struct policy *p, size_t *n_log, size_t *n);

/* policy_check - open a checkpoint under the policy: signed by one of its logs, quorum held. */
int policy_check(const struct policy *p, const char *name, const void *note, size_t len,
	const char *origin, struct checkpoint *out, struct err *e) CHECKED;

/* proof_check - all of it: note, origin, inclusion of leaf[leaf_len] (NULL: the proof's extra), and
 * the policy's quorum. */
int proof_check(const struct proof *p, const char *name, const struct policy *policy,
	const char *origin, const void *leaf, size_t leaf_len, struct checkpoint *out,
	struct err *e) CHECKED;

#endif

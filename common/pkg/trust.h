/* trust - whose signatures count, and how many are needed.
 *
 * A set of OEM public keys with a threshold. Signatures on packages, orders and trust updates are
 * judged here, all by the same rules: one malformed signature file, or one that names a trusted
 * key and does not verify, refuses the whole; a signature by an unknown key is shown and does not
 * count; approvals are counted per public key, never per file or key number.
 * Plain data, no locks. Source: format "evidence", section 1.4; DESIGN section 5.
 */
#ifndef COMMON_PKG_TRUST_H
#define COMMON_PKG_TRUST_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "evidence/minisign.h"

#define TRUST_MAX_KEYS	     32
#define TRUST_MAX_SIGNATURES 32
#define TRUST_MAX_SIZE	     ((size_t)64 << 10) /* trust.json, trust update */

struct trust {
	struct minisign_pub keys[TRUST_MAX_KEYS]; /* no public key twice */
	size_t n;
	unsigned threshold; /* 1..n; 0 is read as 1 */
	int64_t version; /* of the last trust update taken, 0: none */
};

/* trust_add - a key; one that is there already is left alone. ERR_LIMIT. */
int trust_add(struct trust *t, const struct minisign_pub *key, struct err *e) CHECKED;

/* trust_load - the keys of paths_or_keys[n] (files or bare keys) with this threshold.
 * ERR_USAGE when the threshold is above the number of different keys. */
int trust_load(struct trust *t, const char *const *paths_or_keys, size_t n, unsigned threshold,
	struct err *e) CHECKED;

/* One detached signature file. */
struct sig_file {
	const char *name; /* for messages: "signatures/23962033fae784cc.minisig" */
	const void *data;
	size_t len;
};

struct signer {
	char id[17]; /* 16 lower-case hex digits */
	uint8_t key[32]; /* public key; zero when not trusted (then unknown) */
	bool trusted; /* verified under a trusted key */
	bool counts; /* trusted and the first signature by this public key */
	char comment[200]; /* trusted comment, escaped; what an unknown signer wrote proves nothing
			    */
};

struct signers {
	size_t n;
	struct signer list[TRUST_MAX_SIGNATURES];
	unsigned approvals; /* how many count */
};

/* trust_signers - verify the signatures of msg[len]. 0 when none is bad (approvals may be 0);
 * ERR_FORMAT / ERR_REJECTED / ERR_LIMIT otherwise. `what` names the signed thing. `t` may be NULL:
 * then nobody is trusted. *out is set as far as known also on failure. */
int trust_signers(const struct trust *t, const char *what, const void *msg, size_t len,
	const struct sig_file *sigs, size_t n, struct signers *out, struct err *e) CHECKED;

/* trust_need - enough approvals? The stricter of the trust's threshold and `wanted` (0: only the
 * threshold). ERR_REJECTED. */
int trust_need(const struct trust *t, const char *what, unsigned wanted, const struct signers *s,
	struct err *e) CHECKED;

/* trust.json of a station: {"type":"mfgpkg-trust","format":1,"version":N,"threshold":K,
 * "keys":["RW..."]}. Schema schemas/trust.schema.json. */
json_t *trust_to_json(const struct trust *t); /* new reference, NULL when memory is out */
int trust_parse(
	struct trust *out, const char *name, const void *text, size_t len, struct err *e) CHECKED;

/* Trust update: {"type":"mfgpkg-trust-update","format":1,"version":N,"created":"...Z",
 * "threshold":K,"keys":["RW..."]}, one line and LF, with detached signatures. It holds the whole
 * new set, so a station that missed one in between ends in the same state. */
json_t *trust_update_to_json(const struct trust *next, int64_t created);
int trust_update_parse(struct trust *next, int64_t *created, const char *name, const void *text,
	size_t len, struct err *e) CHECKED;

/* trust_update_apply - check text[len] and its signatures against what is trusted now: version
 * above now->version, enough approvals by the old keys for the old threshold, and by the new keys
 * for the new one. *next is the new trust; now is not changed. ERR_FORMAT, ERR_REJECTED. */
int trust_update_apply(const struct trust *now, const char *name, const void *text, size_t len,
	const struct sig_file *sigs, size_t n, struct trust *next, struct err *e) CHECKED;

#endif

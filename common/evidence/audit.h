/* audit - verification of a log by someone who trusts neither the station nor us.
 *
 * Everything is recomputed from the leaves; tables, views and triggers of the file are believed in
 * nothing. Leaves are streamed: memory does not grow with the log. What is wrong becomes findings
 * that name the attack and the leaf, and a verdict. Source: format "evidence", section 4.6.
 */
#ifndef COMMON_EVIDENCE_AUDIT_H
#define COMMON_EVIDENCE_AUDIT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "evidence/leaf.h"
#include "evidence/minisign.h"
#include "evidence/note.h"

enum audit_verdict {
	AUDIT_PASS,
	AUDIT_INCOMPLETE, /* sound so far, but not closed, or not cosigned as the order wants */
	AUDIT_UNOWNED, /* sound, but no order of the OEM stands behind it */
	AUDIT_FAIL,
};
const char *audit_verdict_name(enum audit_verdict v); /* "PASS", ... */

enum audit_severity { AUDIT_NOTE, AUDIT_WARNING, AUDIT_FAULT };

#define AUDIT_FINDINGS_MAX 200 /* kept; more are counted */

struct audit_finding {
	enum audit_severity severity;
	char attack[40]; /* stable short name: "edited leaf", "tail cut", "two heads" ... */
	int64_t leaf; /* -1: none */
	char text[320];
};

/* A checkpoint the auditor got by another way. */
struct audit_known {
	const char *name; /* for messages */
	const char *note;
	size_t len;
};

struct audit_expect {
	const struct minisign_pub *oem; /* keys whose orders count */
	size_t n_oem;
	const struct audit_known *known;
	size_t n_known;
	const struct vkey *witnesses; /* beside those the order names */
	size_t n_witnesses;
	const uint8_t *dice_ca; /* 64 bytes x||y, NULL: receipts are checked without their CA */
	const uint8_t *rtf; /* 32 bytes, NULL: not compared */
	const struct vkey *log_key; /* station key the auditor knows, NULL: none */
	/* Every leaf that passed its own checks, in order; NULL: none. */
	int (*observe)(void *ctx, const struct leaf *leaf, struct err *e);
	void *observe_ctx;
};

struct audit_totals {
	uint64_t begun, irreversible, passed, failed, interrupted, attested;
};

struct audit_result {
	enum audit_verdict verdict;
	enum leaf_role role;
	char origin[NOTE_NAME_MAX + 1];
	char order_id[128]; /* "" without an order */
	char oem_key[17]; /* id that signed the order, "" when none */
	struct vkey station;
	bool station_known; /* it is the key the auditor brought (log_key) */
	uint64_t leaves, bytes, checkpoints, epochs, devices;
	bool closed;
	uint8_t root[32]; /* of all leaves */
	int64_t first_ms, last_ms; /* wall clock */
	int64_t quantity; /* -1: no order */
	struct audit_totals totals; /* recounted */
	uint64_t unknown; /* begun, and no end */
	uint64_t no_receipt; /* passed without a receipt that holds */
	uint64_t receipts; /* receipts that hold */
	bool receipts_by_ca; /* checked under the OEM's DICE CA key */
	uint64_t witnessed; /* largest size a known witness signed, 0: none */
	uint64_t longest_unwitnessed; /* leaves */
	size_t quorum, cosigners; /* witnesses the order wants, and who of them signed all leaves */
	struct audit_finding findings[AUDIT_FINDINGS_MAX];
	size_t n_findings;
	uint64_t n_faults, n_warnings; /* all, also those not kept */
};

/* audit_verify - 0 when the log could be examined (the verdict is in *out, FAIL included); -1 only
 * when it could not be (ERR_ENV). */
int audit_verify(const char *path, const struct audit_expect *expect, struct audit_result *out,
	struct err *e) CHECKED;

/* audit_statements - what the evidence shows and what it does not, one sentence each. */
#define AUDIT_STATEMENTS 16
struct audit_statement {
	bool proven;
	char text[240];
};
size_t audit_statements(const struct audit_result *r, struct audit_statement out[AUDIT_STATEMENTS]);

/* audit_summary - what is proven and what is not, lines of text ended by LF; the first line begins
 * with the verdict. */
void audit_summary(const struct audit_result *r, struct buf *out);

/* audit_result_json - the same as an object (schemas/audit-result.schema.json). New reference. */
json_t *audit_result_json(const struct audit_result *r);

#endif

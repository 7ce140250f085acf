/* leaf - one entry of a log: the exact bytes of a one-line JSON object.
 *
 * The grammar is closed: members per kind, in a fixed order, nothing else. One table describes all
 * kinds; the scanner walks it over the bytes without allocating, so a million leaves stream
 * through. Pure functions, any thread. Source: format "evidence", section 4.2.
 */
#ifndef COMMON_EVIDENCE_LEAF_H
#define COMMON_EVIDENCE_LEAF_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"

#define LEAF_MIN       2
#define LEAF_MAX       65536
#define LEAF_DEPTH_MAX 8

enum leaf_role { ROLE_ORDER, ROLE_UNORDERED, ROLE_WORKSPACE };
const char *leaf_role_name(enum leaf_role role); /* "order", "unordered", "workspace" */

/* Kinds. A role permits some: the workspace has its own `package` and `order`. */
enum leaf_kind {
	LEAF_GENESIS,
	LEAF_PACKAGE, /* order logs: accepted or refused */
	LEAF_DEVICE_BEGIN,
	LEAF_INTENT,
	LEAF_STEP,
	LEAF_ATTESTATION,
	LEAF_DEVICE_END,
	LEAF_OPERATOR,
	LEAF_CLOCK,
	LEAF_EPOCH_SEAL,
	LEAF_CLOSE,
	LEAF_KEY, /* workspace from here on */
	LEAF_ARTIFACT,
	LEAF_WS_PACKAGE, /* "package": as built */
	LEAF_APPROVAL,
	LEAF_ORDER,
	LEAF_KINDS
};
const char *leaf_kind_name(enum leaf_kind kind);

/* Members of all kinds; a member that two kinds share has one number. */
enum leaf_member {
	LM_KIND,
	LM_SEQ,
	LM_PREV,
	LM_TIME,
	LM_BOOT_MS,
	LM_BOOT_ID, /* common, in this order */
	LM_FORMAT,
	LM_ROLE,
	LM_ORIGIN,
	LM_ORDER,
	LM_ORDER_SIGS,
	LM_STATION,
	LM_EPOCH0,
	LM_RUNNER,
	LM_HOST, /* genesis */
	LM_RESULT,
	LM_FILE,
	LM_CONTAINER,
	LM_PACKAGE,
	LM_PACKAGE_ID,
	LM_PRODUCT,
	LM_RELEASE,
	LM_SEQUENCE,
	LM_SIGNERS,
	LM_REASON, /* package */
	LM_DEVICE,
	LM_UUID,
	LM_ATTEMPT,
	LM_SLOT,
	LM_PORT,
	LM_FAMILY,
	LM_REVISION,
	LM_LIFECYCLE,
	LM_RESUMES, /* device-begin */
	LM_BEGIN,
	LM_STEP,
	LM_STAGE,
	LM_COMMAND,
	LM_WHY, /* intent */
	LM_INTENT,
	LM_STATUS,
	LM_TRIES,
	LM_MS,
	LM_BYTES, /* step */
	LM_SIZE,
	LM_CHALLENGE,
	LM_RESPONSE, /* attestation */
	LM_IRREVERSIBLE,
	LM_ATTESTATION, /* device-end */
	LM_ACTION,
	LM_OPERATOR,
	LM_TEXT, /* operator */
	LM_CAUSE,
	LM_WALL_BEFORE,
	LM_WALL_AFTER,
	LM_BOOT_MS_BEFORE,
	LM_BOOT_MS_AFTER,
	LM_DELTA_MS,
	LM_EPOCH,
	LM_ROOT,
	LM_NEXT, /* epoch-seal */
	LM_TOTALS, /* close */
	LM_TYPE,
	LM_PUBLIC, /* key */
	LM_SHA256,
	LM_INPUTS,
	LM_KEYS, /* artifact */
	LM_SIGNER, /* approval */
	LM_DOCUMENT,
	LM_QUANTITY, /* order */
	/* inside objects */
	LM_STATION_NAME,
	LM_STATION_KEY,
	LM_RUNNER_VERSION,
	LM_RUNNER_SHA256,
	LM_HOST_OS,
	LM_HOST_KERNEL,
	LM_HOST_MACHINE,
	LM_TOTAL_LEAVES,
	LM_TOTAL_BEGUN,
	LM_TOTAL_IRREVERSIBLE,
	LM_TOTAL_PASSED,
	LM_TOTAL_FAILED,
	LM_TOTAL_INTERRUPTED,
	LM_TOTAL_ATTESTED,
	LM_COUNT
};

enum leaf_type { LT_NULL, LT_BOOL, LT_INT, LT_TEXT, LT_OBJECT, LT_ARRAY };

struct leaf_value {
	enum leaf_type type;
	bool escaped; /* text holds backslash escapes */
	int64_t i; /* LT_INT, LT_BOOL */
	const char *p; /* borrowed: text between the quotes, or the whole object or array */
	size_t len;
};

struct leaf {
	enum leaf_kind kind;
	uint64_t seq;
	uint8_t prev[32];
	int64_t time_ms, boot_ms;
	char boot_id[37];
	const uint8_t *bytes; /* borrowed */
	size_t len;
	uint64_t have[2]; /* which of v[] are set: read them with leaf_value() */
	struct leaf_value v[LM_COUNT];
};

/* leaf_check - grammar and members of one leaf. `name` is for messages ("leaf 812"); values in
 * *out borrow from bytes[len]. ERR_FORMAT, ERR_LIMIT. */
int leaf_check(struct leaf *out, const char *name, const void *bytes, size_t len,
	enum leaf_role role, struct err *e) CHECKED;

/* leaf_genesis_role - the role that a genesis leaf names, before it can be checked. */
int leaf_genesis_role(const void *bytes, size_t len, enum leaf_role *out, struct err *e) CHECKED;

/* Values of a checked leaf. leaf_value() is NULL when the kind has no such member. Text is decoded
 * into out[cap] and NUL-terminated; -1 when the member is null or absent, or longer than fits. */
const struct leaf_value *leaf_value(const struct leaf *l, enum leaf_member m);
bool leaf_has(const struct leaf *l, enum leaf_member m); /* present and not null */
int64_t leaf_int(const struct leaf *l, enum leaf_member m, int64_t when_null);
bool leaf_is(const struct leaf *l, enum leaf_member m, const char *text);
int leaf_text(const struct leaf *l, enum leaf_member m, char *out, size_t cap) CHECKED;
int leaf_hex(const struct leaf *l, enum leaf_member m, uint8_t *out, size_t len) CHECKED;
int leaf_base64(const struct leaf *l, enum leaf_member m, uint8_t *out, size_t len) CHECKED;

/* leaf_array_next - walk an array of texts: 1 with the next one decoded, 0 at the end. Start with
 * *pos = 0. */
int leaf_array_next(const struct leaf_value *array, size_t *pos, char *out, size_t cap);

/* The three clocks every leaf carries. */
struct leaf_clock {
	int64_t wall_ms, boot_ms;
	char boot_id[37];
};
int leaf_clock_now(struct leaf_clock *out, struct err *e) CHECKED;

/* leaf_write - append one leaf made from its members (an object without the common ones, borrowed;
 * in any order, what may be null may be missing), checked as a reader would. ERR_INTERNAL when the
 * caller's members do not fit the kind. */
int leaf_write(const char *kind, enum leaf_role role, uint64_t seq, const uint8_t prev[32],
	const struct leaf_clock *clock, const json_t *members, struct buf *out,
	struct err *e) CHECKED;

#endif

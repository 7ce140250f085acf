/* journal - what the engine tells the log about one device, and what it may learn from it.
 *
 * Five calls. begin() and intent() return only when their leaf is durable; end() too, so that a
 * device the log calls done is done. The log thread is behind it (logkeeper.h); a dry run puts a
 * printer there. Any thread may call; each call is about one device of the calling thread.
 */
#ifndef RUNNER_JOURNAL_H
#define RUNNER_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "pkg/script.h"
#include "runner/faults.h"

#define UUID_LEN      16
#define UUID_TEXT_LEN 32

/* A device as it stands before anything is changed. */
struct device_facts {
	uint8_t uuid[UUID_LEN];
	char uuid_text[UUID_TEXT_LEN + 1];
	const char *slot, *port; /* slot name or "", stable name of the port */
	const char *family, *revision, *lifecycle; /* as found */
	size_t place; /* index of the port in this run */
};

/* A set of steps of a script, a bit each. */
#define STEP_SET_LEN ((SCRIPT_MAX_STEPS + 7) / 8)

static inline bool step_set_has(const uint8_t set[STEP_SET_LEN], size_t step)
{
	return step < SCRIPT_MAX_STEPS && (set[step / 8] & 1u << step % 8);
}

static inline void step_set_add(uint8_t set[STEP_SET_LEN], size_t step)
{
	if (step < SCRIPT_MAX_STEPS)
		set[step / 8] |= (uint8_t)(1u << step % 8);
}

enum begin_verdict {
	BEGIN_GO,
	BEGIN_DONE, /* this UUID passed before */
	BEGIN_ELSEWHERE, /* this UUID runs on another port just now */
	BEGIN_QUANTITY, /* the order's quantity is used up */
	BEGIN_COUNT, /* --count is reached */
	BEGIN_EXPIRED, /* the window of order or package is over */
};

struct begin_answer {
	enum begin_verdict verdict;
	uint64_t begin; /* seq of the device-begin leaf */
	unsigned attempt; /* from 1 */
	bool resumes; /* an earlier attempt was interrupted */
	bool irreversible; /* an irreversible step was begun in an earlier attempt */
	/* irreversible steps of the script in earlier attempts: announced, and known to be done */
	uint8_t intended[STEP_SET_LEN], done[STEP_SET_LEN];
};

struct intent_facts {
	size_t place;
	uint64_t begin;
	const char *uuid, *stage, *command;
	size_t step;
	bool attestation; /* else irreversible */
};

struct intent_answer {
	uint64_t seq;
	uint8_t challenge[32]; /* attestation: bound to the leaf's position in the log */
};

enum step_outcome { STEP_OK, STEP_FAILED, STEP_SKIPPED };

struct step_facts {
	size_t place;
	uint64_t begin;
	const char *uuid, *stage, *command;
	size_t step;
	int64_t intent; /* seq, -1: none */
	enum step_outcome outcome;
	uint32_t status;
	unsigned tries;
	int64_t ms;
	uint64_t bytes;
};

enum receipt_outcome { RECEIPT_OK, RECEIPT_REFUSED, RECEIPT_INVALID };

struct attestation_facts {
	size_t place;
	uint64_t begin, intent;
	const char *uuid;
	uint8_t challenge[32];
	enum receipt_outcome outcome;
	uint32_t status;
	const uint8_t *response; /* 324 bytes, NULL when there is none */
};

enum device_result { DEVICE_PASS, DEVICE_FAIL, DEVICE_INTERRUPTED };
const char *device_result_name(enum device_result r); /* "pass" ... */

struct end_facts {
	size_t place;
	uint64_t begin;
	const char *uuid;
	enum device_result result;
	const char *reason; /* NULL: none */
	enum fault_code fault;
	bool irreversible; /* an irreversible step was begun in this attempt */
	const char *lifecycle; /* at the end, NULL: not known */
	int64_t attestation; /* seq, -1: none */
	int64_t ms;
};

struct journal {
	int (*begin)(
		void *ctx, const struct device_facts *f, struct begin_answer *out, struct err *e);
	int (*intent)(
		void *ctx, const struct intent_facts *f, struct intent_answer *out, struct err *e);
	int (*step)(void *ctx, const struct step_facts *f, struct err *e);
	int (*attestation)(
		void *ctx, const struct attestation_facts *f, uint64_t *seq, struct err *e);
	int (*end)(void *ctx, const struct end_facts *f, struct err *e);
	/* what an operator said or did: action of the format ("confirm", "retry" ...) */
	int (*operator)(void *ctx, const char *action, const char *text, struct err *e);
	void *ctx;
};

#endif

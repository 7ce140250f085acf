/* device_internal - what the parts of one device's run share: device.c (stages, verdict),
 * device_link.c (connecting, coming back after a reset), device_step.c (one step). Not for others.
 */
#ifndef RUNNER_DEVICE_INTERNAL_H
#define RUNNER_DEVICE_INTERNAL_H

#include "runner/device.h"

struct run {
	struct device_link *l;
	const struct script *script;
	const struct manifest *manifest;
	struct device_facts facts;
	struct begin_answer begin;
	int64_t started_ms;
	size_t last_work; /* index of the last required step that is no reset */
	bool irreversible; /* an irreversible step was begun */
	bool committed; /* inside an irreversible stage, which is finished before any stop */
	bool end_read; /* the end state was read back ... */
	bool end_good; /* ... and is what the package promises */
	bool resetting; /* the device resets by itself after a file */
	enum mboot_lifecycle lifecycle; /* last one read */
	bool lifecycle_known; /* read since the last step that could change it */
	int64_t attestation; /* seq of the leaf with a receipt that holds, -1 */
	bool attested; /* with a receipt that holds */
	int64_t progress_ms;
	size_t step; /* index of the present step */
	struct fault fault;
};

/* --- device_link.c ----------------------------------------------------------------------- */
int device_ready_ms(const struct device_link *l);

/* Telling the screen. run_progress is mboot's callback, ctx a struct run. */
struct event run_event(const struct run *r, enum event_kind kind);
void run_progress(void *ctx, uint64_t done, uint64_t total);
void run_note(const struct run *r, const char *fmt, ...) PRINTF_LIKE(2);

/* Faults: set r->fault, return -1. run_fail_step - an error of the mboot host during a step. */
int run_fail(struct run *r, enum fault_code code, uint32_t status, const char *fmt, ...)
	PRINTF_LIKE(4);
int run_fail_step(struct run *r, const struct script_step *s, const struct err *e);
int run_fail_log(struct run *r, const struct err *e);

/* run_must_stop - the brake is pulled, and this is a place to obey it. */
bool run_must_stop(const struct run *r);
int run_read_lifecycle(struct run *r, struct err *e) CHECKED;
/* run_come_back - after a reset: wait until the device answers, opening the port anew if need be.
 */
int run_come_back(struct run *r, int limit_ms, struct err *e) CHECKED;
/* run_same_device - the device that answers is the one that was begun. run_after_reset - it came
 * back, is the same, and its life cycle was read. run_read_end - the end state. These set r->fault.
 */
int run_same_device(struct run *r, struct err *e) CHECKED;
int run_after_reset(struct run *r, const struct script_step *s, struct err *e) CHECKED;
int run_read_end(struct run *r, struct err *e) CHECKED;

/* --- device_step.c ----------------------------------------------------------------------- */
bool run_receipt_needed(const struct run *r);
/* run_record - the step leaf. run_step - one step with its intent, leaf and waiting. */
int run_record(struct run *r, const struct script_step *s, int64_t intent,
	enum step_outcome outcome, uint32_t status, unsigned tries, int64_t ms, uint64_t bytes);
int run_step(struct run *r, const struct script_step *s, unsigned tries);

#endif

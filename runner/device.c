#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "mboot/status.h"
#include "runner/attest.h"
#include "runner/device.h"
#include "runner/ports.h"
#include "runner/steps.h"

#define PROGRESS_MS    100 /* between two progress events of one port */
#define CONNECT_PINGS  3
#define REOPEN_MS      200
#define BACKOFF_MS     100 /* before the first repetition of a stage; doubles */
#define BACKOFF_MAX_MS 2000
#define STILL_THERE_MS 300

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

/* --- connecting ----------------------------------------------------------------------------------
 */
static int ready_ms(const struct device_link *l)
{
	return l->job->ready_ms ? l->job->ready_ms : DEVICE_READY_MS;
}

static int reset_ms(const struct device_link *l)
{
	if (l->job->reset_ms)
		return l->job->reset_ms;
	return l->place->pty ? DEVICE_RESET_PTY_MS : DEVICE_RESET_MS;
}

void device_disconnect(struct device_link *l)
{
	mboot_free(l->m);
	l->m = NULL;
}

static int open_session(struct device_link *l, uint32_t baud, unsigned pings, struct err *e)
{
	struct mboot_io io;
	struct mboot_options options = {
		.cancel = &l->brake->cancel, .baud = baud, .pings = pings
	};

	device_disconnect(l);
	if (l->place->open(l->place->ctx, baud, &io, e) != 0)
		return -1;
	if (mboot_new(&l->m, &io, &options, e) != 0)
		return -1;
	l->baud = baud;
	return 0;
}

int device_connect(struct device_link *l, struct err *e)
{
	for (size_t i = 0; i < l->job->n_bauds; i++) {
		bool last = i + 1 == l->job->n_bauds;
		if (open_session(l, l->job->bauds[i], CONNECT_PINGS, e) != 0)
			return -1;
		/* mboot_identify pings first: only a device that answers is asked anything. */
		if (mboot_identify(l->m, &l->who, e) == 0)
			return 0;
		if (last || (e->code != ERR_TIMEOUT && e->code != ERR_DEVICE) ||
			fault_code_of_err(e) == FAULT_PORT_CLOSED)
			break;
	}
	device_disconnect(l);
	return -1;
}

int device_same(struct device_link *l, const uint8_t uuid[MBOOT_UUID_LEN], struct err *e)
{
	uint8_t now[MBOOT_UUID_LEN];

	if (mboot_wait_ready(l->m, 0, STILL_THERE_MS, NULL, e) != 0)
		return fault_code_of_err(e) == FAULT_PORT_CLOSED || e->code == ERR_ENV ? -1 : 0;
	if (mboot_uuid(l->m, now, e) != 0)
		return fault_code_of_err(e) == FAULT_PORT_CLOSED ? -1 : 0;
	return memcmp(now, uuid, sizeof now) == 0;
}

/* --- telling the screen
 * ---------------------------------------------------------------------------- */
static struct event event_of(const struct run *r, enum event_kind kind)
{
	struct event ev = {
		.kind = kind, .place = r->l->place->index, .step = r->step, .n_steps = r->script->n
	};

	memcpy(ev.uuid, r->facts.uuid_text, sizeof ev.uuid);
	return ev;
}

static void progress(void *ctx, uint64_t done, uint64_t total)
{
	struct run *r = ctx;
	int64_t now = clock_mono_ms();

	if (done && done != total && now - r->progress_ms < PROGRESS_MS)
		return;
	r->progress_ms = now;
	struct event ev = event_of(r, EVENT_PROGRESS);
	ev.done = done;
	ev.total = total;
	event_send(r->l->screen, &ev);
}

static void note(const struct run *r, const char *fmt, ...) PRINTF_LIKE(2);
static void note(const struct run *r, const char *fmt, ...)
{
	struct event ev = event_of(r, EVENT_NOTE);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(ev.text, sizeof ev.text, fmt, ap);
	va_end(ap);
	event_send(r->l->screen, &ev);
}

/* --- faults
 * ---------------------------------------------------------------------------------------- */
static int fail(struct run *r, enum fault_code code, uint32_t status, const char *fmt, ...)
	PRINTF_LIKE(4);
static int fail(struct run *r, enum fault_code code, uint32_t status, const char *fmt, ...)
{
	char detail[sizeof r->fault.detail];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(detail, sizeof detail, fmt, ap);
	va_end(ap);
	fault_set(&r->fault, code, status, "%s", detail);
	return -1;
}

/* An error of the mboot host during a step: stage, script line and the device's own words. */
static int fail_step(struct run *r, const struct script_step *s, const struct err *e)
{
	const char *stage = r->script->stages[s->stage].name;
	uint32_t status = e->code == ERR_TIMEOUT ? (uint32_t)MBOOT_STATUS_NO_RESPONSE : e->device;

	return fail(r, fault_code_of_err(e), status, "stage %s, %s: %s", stage, s->text, e->msg);
}

static int fail_log(struct run *r, const struct err *e)
{
	return fail(r, FAULT_LOG, 0, "%s", e->msg);
}

static void fail_skip(struct run *r, const char *why)
{
	struct event ev = event_of(r, EVENT_SKIPPED);

	ev.run_over = r->begin.verdict == BEGIN_EXPIRED;
	snprintf(ev.text, sizeof ev.text, "%s", why);
	event_send(r->l->screen, &ev);
}

/* --- reading back
 * ------------------------------------------------------------------------------------ */
static int read_lifecycle(struct run *r, struct err *e)
{
	if (mboot_lifecycle(r->l->m, &r->lifecycle, e) != 0)
		return -1;
	r->lifecycle_known = true;
	return 0;
}

static bool must_stop(const struct run *r)
{
	return !r->committed && brake_pulled(r->l->brake);
}

static bool nap(const struct run *r, int ms)
{
	if (!r->committed)
		return brake_sleep(r->l->brake, ms);
	nanosleep(&(struct timespec){ .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L }, NULL);
	return true;
}

/* After a reset the port may vanish and come back, perhaps under another name. */
static int reopen(struct run *r, int64_t deadline, struct err *e)
{
	while (nap(r, REOPEN_MS)) {
		if (open_session(r->l, r->l->baud, 0, e) == 0)
			return 0;
		if (clock_mono_ms() >= deadline)
			return err_wrap(e, "the port did not come back");
	}
	return err_set(e, ERR_CANCELLED, "stopped");
}

static int come_back(struct run *r, int limit_ms, struct err *e)
{
	int64_t deadline = clock_mono_ms() + limit_ms;
	int first = reset_ms(r->l);

	for (;;) {
		int64_t left = deadline - clock_mono_ms();
		if (left < 100)
			left = 100;
		if (r->l->m && mboot_wait_ready(r->l->m, first, (int)left, NULL, e) == 0)
			return 0;
		if (r->l->m && fault_code_of_err(e) != FAULT_PORT_CLOSED)
			return -1;
		if (reopen(r, deadline, e) != 0)
			return -1;
		first = 0;
	}
}

/* The device that answers must be the one that was begun. */
static int same_device(struct run *r, struct err *e)
{
	uint8_t uuid[MBOOT_UUID_LEN];
	char seen[UUID_TEXT_LEN + 1];

	if (mboot_uuid(r->l->m, uuid, e) != 0)
		return -1;
	if (memcmp(uuid, r->facts.uuid, sizeof uuid) != 0)
		return fail(r, FAULT_OTHER_DEVICE, 0, "UUID %s answers, %s was begun",
			hex_encode(seen, uuid, sizeof uuid), r->facts.uuid_text);
	return 0;
}

static int after_reset(struct run *r, const struct script_step *s, struct err *e)
{
	r->resetting = false;
	r->lifecycle_known = false;
	if (come_back(r, ready_ms(r->l), e) != 0) {
		if (e->code == ERR_CANCELLED)
			return fail_step(r, s, e);
		return fail(r,
			fault_code_of_err(e) == FAULT_PORT_CLOSED ? FAULT_PORT_CLOSED
								  : FAULT_AFTER_RESET,
			MBOOT_STATUS_NO_RESPONSE, "stage %s, %s: %s",
			r->script->stages[s->stage].name, s->text, e->msg);
	}
	mboot_set_progress(r->l->m, progress, r);
	if (same_device(r, e) != 0 || read_lifecycle(r, e) != 0)
		return r->fault.code ? -1 : fail_step(r, s, e);
	return 0;
}

static bool end_state(const struct run *r)
{
	return r->lifecycle_known && r->lifecycle == r->manifest->after;
}

/* Before the last reset (after it the device runs its application and is silent): who it is and
 * which state it is in. A state that only the last reset brings about is read after it. */
static int read_end(struct run *r, struct err *e)
{
	r->end_read = true;
	if (same_device(r, e) != 0 || read_lifecycle(r, e) != 0) {
		if (r->fault.code)
			return -1;
		return fail(r, fault_code_of_err(e), e->device, "reading back the end state: %s",
			e->msg);
	}
	r->end_good = end_state(r);
	return 0;
}

/* --- steps
 * --------------------------------------------------------------------------------------------- */
static int record(struct run *r, const struct script_step *s, int64_t intent,
	enum step_outcome outcome, uint32_t status, unsigned tries, int64_t ms, uint64_t bytes)
{
	struct err e = { 0 };
	struct step_facts f = { .place = r->l->place->index,
		.begin = r->begin.begin,
		.uuid = r->facts.uuid_text,
		.stage = r->script->stages[s->stage].name,
		.command = s->text,
		.step = s->index,
		.intent = intent,
		.outcome = outcome,
		.status = status,
		.tries = tries,
		.ms = ms,
		.bytes = bytes };

	return r->l->journal->step(r->l->journal->ctx, &f, &e) == 0 ? 0 : fail_log(r, &e);
}

static int intend(struct run *r, const struct script_step *s, bool attestation,
	struct intent_answer *out, struct err *e)
{
	struct intent_facts f = { .place = r->l->place->index,
		.begin = r->begin.begin,
		.uuid = r->facts.uuid_text,
		.stage = r->script->stages[s->stage].name,
		.command = s->text,
		.step = s->index,
		.attestation = attestation };

	return r->l->journal->intent(r->l->journal->ctx, &f, out, e) == 0 ? 0 : fail_log(r, e);
}

/* May an irreversible step run that an earlier attempt had announced, with an unknown or a bad end?
 * Only when the stage can tell by the device itself that it has not happened; its skip-if was false
 * a moment ago. */
static int not_blindly(struct run *r, const struct script_step *s)
{
	if (!step_set_has(r->begin.intended, s->index) ||
		r->script->stages[s->stage].skip_if.kind != SCRIPT_COND_NONE)
		return 0;
	return fail(r, FAULT_MAY_BE_DONE, 0,
		"stage %s, %s: announced in an earlier attempt, and the stage has no skip-if",
		r->script->stages[s->stage].name, s->text);
}

static bool receipt_needed(const struct run *r)
{
	return r->manifest->require_attestation && !r->l->job->dry;
}

static int attest(struct run *r, const struct script_step *s, struct err *e)
{
	struct intent_answer intent;
	uint8_t response[MBOOT_DICE_RESPONSE_LEN];
	uint64_t seq;

	if (intend(r, s, true, &intent, e) != 0)
		return -1;
	struct attestation_facts f = { .place = r->l->place->index,
		.begin = r->begin.begin,
		.intent = intent.seq,
		.uuid = r->facts.uuid_text,
		.outcome = RECEIPT_OK };
	memcpy(f.challenge, intent.challenge, sizeof f.challenge);

	struct err device = { 0 }, receipt = { 0 };
	if (mboot_dice_response(r->l->m, intent.challenge, response, &device) != 0) {
		f.outcome = RECEIPT_REFUSED;
		f.status = device.device ? device.device : (uint32_t)MBOOT_STATUS_NO_RESPONSE;
	} else {
		f.response = response;
		if (attest_check(response, intent.challenge, r->facts.uuid, &receipt) != 0)
			f.outcome = RECEIPT_INVALID;
	}
	if (r->l->journal->attestation(r->l->journal->ctx, &f, &seq, e) != 0)
		return fail_log(r, e);
	/* The end names a receipt that holds, or none. */
	r->attested = f.outcome == RECEIPT_OK;
	if (r->attested)
		r->attestation = (int64_t)seq;

	if (f.outcome == RECEIPT_INVALID)
		return fail(r, FAULT_BAD_RECEIPT, 0, "stage %s, %s: %s",
			r->script->stages[s->stage].name, s->text, receipt.msg);
	if (f.outcome == RECEIPT_REFUSED && device.code == ERR_DEVICE && device.device) {
		if (receipt_needed(r))
			return fail(r, FAULT_NOT_ATTESTED, device.device, "stage %s, %s: %s",
				r->script->stages[s->stage].name, s->text, device.msg);
		note(r, "not attested: %s", device.msg);
		return 0;
	}
	return f.outcome == RECEIPT_REFUSED ? fail_step(r, s, &device) : 0;
}

static int check(struct run *r, const struct script_step *s, struct err *e)
{
	bool holds;
	char seen[STEP_SEEN_CAP], wanted[80];

	if (step_condition(r->l->m, &s->cond, &holds, seen, e) != 0)
		return fail_step(r, s, e);
	if (!holds)
		return fail(r, FAULT_CHECK, MBOOT_STATUS_FAIL, "stage %s, %s: %s, wanted %s",
			r->script->stages[s->stage].name, s->text, seen,
			script_cond_text(&s->cond, wanted));
	return 0;
}

static int prompt(struct run *r, const struct script_step *s, struct err *e)
{
	char answer[PROMPT_ANSWER_MAX + 1], text[SCRIPT_TEXT_MAX + PROMPT_ANSWER_MAX + 64];

	if (prompts_ask(r->l->prompts, r->l->screen, r->l->place->index, r->facts.uuid_text,
		    s->prompt, s->timeout_ms, r->l->brake, answer, e) != 0) {
		if (e->code == ERR_CANCELLED)
			return fail_step(r, s, e);
		return fail(r, FAULT_PROMPT, 0, "stage %s: %s", r->script->stages[s->stage].name,
			e->msg);
	}
	snprintf(text, sizeof text, "%s: %s: %s", r->facts.uuid_text, s->prompt, answer);
	if (r->l->journal->operator(r->l->journal->ctx, "confirm", text, e) != 0)
		return fail_log(r, e);
	return 0;
}

/* A reset that the last file has begun by itself needs no command. */
static int perform_reset(struct run *r, const struct script_step *s, struct err *e)
{
	bool trailing = s->index > r->last_work;

	if (r->resetting) {
		r->resetting = false;
		if (come_back(r, ready_ms(r->l), e) != 0)
			return trailing ? 0 : fail_step(r, s, e);
		mboot_set_progress(r->l->m, progress, r);
	}
	return mboot_reset(r->l->m, e) == 0 ? 0 : fail_step(r, s, e);
}

static int perform(struct run *r, const struct script_step *s, uint64_t *bytes, struct err *e)
{
	struct step_effect effect = { 0 };

	switch (s->verb) {
	case SCRIPT_CHECK:
		return check(r, s, e);
	case SCRIPT_PROMPT:
		return prompt(r, s, e);
	case SCRIPT_RESET:
		return perform_reset(r, s, e);
	case SCRIPT_DICE_ATTEST: /* recorded by attest() */
	case SCRIPT_GET_PROPERTY:
	case SCRIPT_SET_PROPERTY:
	case SCRIPT_FLASH_ERASE_ALL:
	case SCRIPT_FLASH_ERASE_REGION:
	case SCRIPT_READ_MEMORY:
	case SCRIPT_WRITE_MEMORY:
	case SCRIPT_FILL_MEMORY:
	case SCRIPT_RECEIVE_SB_FILE:
	case SCRIPT_EXECUTE:
	case SCRIPT_CALL:
	case SCRIPT_CONFIGURE_MEMORY:
	case SCRIPT_EFUSE_PROGRAM_ONCE:
	case SCRIPT_EFUSE_READ_ONCE:
	case SCRIPT_FLASH_PROGRAM_ONCE:
	case SCRIPT_FLASH_READ_ONCE:
	case SCRIPT_TRUST_PROVISIONING:
		break;
	}
	if (step_perform(r->l->m, r->l->job->pkg, s, &effect, e) != 0)
		return fail_step(r, s, e);
	*bytes = effect.bytes;
	r->resetting = effect.resets;
	return 0;
}

static int run_step(struct run *r, const struct script_step *s, unsigned tries)
{
	struct err e = { 0 };
	struct intent_answer intent;
	bool irreversible = script_step_irreversible(r->script, s);
	int64_t intent_seq = -1, start = clock_mono_ms();
	uint64_t bytes = 0;

	r->step = s->index;
	progress(r, 0, 0);
	if (must_stop(r))
		return fail(r, FAULT_STOPPED, 0, "before %s", s->text);
	if (r->resetting && s->verb != SCRIPT_RESET && after_reset(r, s, &e) != 0)
		return -1;
	if (s->index > r->last_work && !r->end_read && !r->resetting && read_end(r, &e) != 0)
		return -1;
	mboot_set_timeout(r->l->m, s->timeout_ms);
	if (s->verb == SCRIPT_DICE_ATTEST) {
		int rc = attest(r, s, &e);
		mboot_set_timeout(r->l->m, 0);
		return rc;
	}

	if (irreversible && step_set_has(r->begin.done, s->index))
		return record(r, s, -1, STEP_SKIPPED, 0, 0, 0, 0); /* what is done is done */
	if (irreversible) {
		if (not_blindly(r, s) != 0)
			return -1;
		r->committed = brake_enter(r->l->brake);
		if (!r->committed)
			return fail(r, FAULT_STOPPED, 0, "before %s", s->text);
		if (intend(r, s, false, &intent, &e) != 0)
			return -1;
		intent_seq = (int64_t)intent.seq;
		r->irreversible = true;
	}
	if (script_step_changes(s))
		r->lifecycle_known = false;
	int rc = perform(r, s, &bytes, &e);
	if (r->l->m)
		mboot_set_timeout(r->l->m, 0);

	/* What the log is told first is what the device said; a fault while waiting for it to come
	 * back is another one. */
	struct fault first = r->fault;
	uint32_t status = rc == 0 ? 0 : first.status ? first.status : (uint32_t)MBOOT_STATUS_FAIL;
	if (record(r, s, intent_seq, rc == 0 ? STEP_OK : STEP_FAILED, status, tries,
		    clock_mono_ms() - start, bytes) != 0)
		return -1;
	if (rc != 0) {
		r->fault = first;
		return -1;
	}
	if (s->verb == SCRIPT_RESET && s->index < r->last_work)
		return after_reset(r, s, &e);
	return 0;
}

/* --- stages
 * -------------------------------------------------------------------------------------------- */
static int skip_stage(struct run *r, const struct script_stage *g)
{
	for (size_t i = 0; i < g->n; i++)
		if (record(r, &r->script->steps[g->first + i], -1, STEP_SKIPPED, 0, 0, 0, 0) != 0)
			return -1;
	return 0;
}

static int try_stage(struct run *r, const struct script_stage *g, unsigned tries)
{
	int rc = 0;

	for (size_t i = 0; i < g->n && rc == 0; i++)
		rc = run_step(r, &r->script->steps[g->first + i], tries);
	if (r->committed)
		brake_leave(r->l->brake);
	r->committed = false;
	return rc;
}

/* An earlier attempt announced an irreversible step, and nobody knows how it ended: the device may
 * hold changes that take effect with the next reset. Reset it, so that it can tell. */
static int settle(struct run *r, const struct script_stage *g, bool *skip, struct err *e)
{
	const struct script_step *unknown = NULL;

	for (size_t i = g->first; g->irreversible && i < g->first + g->n && !unknown; i++)
		if (step_set_has(r->begin.intended, i) && !step_set_has(r->begin.done, i))
			unknown = &r->script->steps[i];
	if (!unknown || g->skip_if.kind == SCRIPT_COND_NONE)
		return 0;
	note(r, "resuming: a reset tells whether \"%s\" has happened", unknown->text);
	if (mboot_reset(r->l->m, e) != 0)
		return fail_step(r, unknown, e);
	if (after_reset(r, unknown, e) != 0)
		return -1;
	if (step_condition(r->l->m, &g->skip_if, skip, NULL, e) != 0)
		return fail_step(r, unknown, e);
	return 0;
}

/* Worth another try: the board, the port and the log are there, and the operator wants it. */
static bool may_retry(const struct fault *f)
{
	switch (f->code) {
	case FAULT_STATUS:
	case FAULT_TIMEOUT:
	case FAULT_DIALOGUE:
	case FAULT_SIGNATURE: /* a bit error behind the frame CRC looks like this */
	case FAULT_SB_CONTENT:
	case FAULT_FLASH:
	case FAULT_CHECK:
	case FAULT_PROMPT:
		return true;
	case FAULT_NONE:
	case FAULT_NO_ANSWER:
	case FAULT_PORT_CLOSED:
	case FAULT_PORT_BUSY:
	case FAULT_PORT_PERMISSION:
	case FAULT_PORT_OPEN:
	case FAULT_FAMILY:
	case FAULT_LIFECYCLE:
	case FAULT_OTHER_DEVICE:
	case FAULT_NO_UUID:
	case FAULT_MAY_BE_DONE:
	case FAULT_ROLLBACK:
	case FAULT_DENIED:
	case FAULT_FUSE:
	case FAULT_AFTER_RESET:
	case FAULT_END_STATE:
	case FAULT_NOT_ATTESTED:
	case FAULT_BAD_RECEIPT:
	case FAULT_STOPPED:
	case FAULT_LOG:
	case FAULT_ENVIRONMENT:
	case FAULT_CODES:
		break;
	}
	return false;
}

static int back_off(struct run *r, unsigned tries)
{
	int ms = BACKOFF_MS << (tries < 5 ? tries - 1 : 4);

	if (!brake_sleep(r->l->brake, ms < BACKOFF_MAX_MS ? ms : BACKOFF_MAX_MS))
		return fail(r, FAULT_STOPPED, 0, "before another try");
	/* A ping brings device and host back in step; whoever answers must be the same. */
	struct err e = { 0 };
	struct fault before = r->fault;
	if (mboot_ping(r->l->m, NULL, &e) != 0)
		return -1; /* the first fault says more */
	r->fault = (struct fault){ 0 };
	if (same_device(r, &e) != 0) {
		if (!r->fault.code)
			r->fault = before;
		return -1;
	}
	return 0;
}

static int run_stage(struct run *r, const struct script_stage *g)
{
	struct err e = { 0 };
	const struct script_step *first = &r->script->steps[g->first];
	bool skip = false;

	struct event ev = event_of(r, EVENT_STAGE);
	snprintf(ev.stage, sizeof ev.stage, "%s", g->name);
	ev.step = g->first;
	event_send(r->l->screen, &ev);

	if (r->resetting && first->verb != SCRIPT_RESET && after_reset(r, first, &e) != 0)
		return -1;
	if (g->skip_if.kind != SCRIPT_COND_NONE &&
		step_condition(r->l->m, &g->skip_if, &skip, NULL, &e) != 0)
		return fail(r, fault_code_of_err(&e), e.device, "stage %s, skip-if: %s", g->name,
			e.msg);
	if (!skip && settle(r, g, &skip, &e) != 0)
		return -1;
	if (skip)
		return skip_stage(r, g);

	for (unsigned tries = 1;; tries++) {
		if (try_stage(r, g, tries) == 0)
			return 0;
		if (tries > g->retry || !may_retry(&r->fault))
			return -1;
		note(r, "stage %s failed, try %u of %u: %s", g->name, tries + 1, g->retry + 1,
			r->fault.detail);
		if (back_off(r, tries) != 0)
			return -1;
		r->fault = (struct fault){ 0 };
	}
}

/* Stages for after a failure: they may tidy up, and change neither verdict nor reason. */
static void run_on_fail(struct run *r)
{
	struct fault first = r->fault;

	for (size_t i = 0; i < r->script->n_stages; i++) {
		const struct script_stage *g = &r->script->stages[i];
		if (!g->on_fail || !r->l->m || r->fault.code == FAULT_LOG)
			continue;
		r->fault = (struct fault){ 0 };
		if (run_stage(r, g) != 0)
			note(r, "on-fail stage %s failed too: %s", g->name, r->fault.detail);
	}
	if (r->fault.code != FAULT_LOG)
		r->fault = first;
}

static int run_script(struct run *r)
{
	struct err e = { 0 };

	for (size_t i = 0; i < r->script->n_stages; i++)
		if (!r->script->stages[i].on_fail && run_stage(r, &r->script->stages[i]) != 0)
			return -1;

	if (!r->end_read && r->resetting) {
		/* The last file reset the device; read back what answers, if anything does. */
		if (come_back(r, ready_ms(r->l), &e) == 0 && read_end(r, &e) != 0)
			return -1;
	} else if (!r->end_read && read_end(r, &e) != 0) {
		return -1;
	}
	if (!r->end_good) {
		/* Perhaps only the last reset has brought the state about. */
		if (come_back(r, ready_ms(r->l), &e) == 0 && read_end(r, &e) != 0)
			return -1;
	}
	if (!r->end_good)
		return fail(r, FAULT_END_STATE, 0, "life cycle is %s, wanted %s",
			r->lifecycle_known ? mboot_lifecycle_name(r->lifecycle) : "not readable",
			mboot_lifecycle_name(r->manifest->after));
	if (receipt_needed(r) && !r->attested)
		return fail(r, FAULT_NOT_ATTESTED, 0, "the script took no receipt");
	return 0;
}

/* --- device
 * -------------------------------------------------------------------------------------------- */
static void find_last_work(struct run *r)
{
	r->last_work = 0;
	for (size_t i = 0; i < r->script->n; i++)
		if (r->script->steps[i].verb != SCRIPT_RESET &&
			!r->script->stages[r->script->steps[i].stage].on_fail)
			r->last_work = i;
}

static bool fits_family(const struct device_link *l, const char *family)
{
	struct port p = { .probe = PORT_ANSWERED, .identity = l->who };

	return port_may_be(&p, family);
}

/* May this device be begun in the state it is in? One that an interrupted attempt has taken past
 * the package's first states may be finished. */
static int check_start(struct run *r)
{
	const struct manifest *m = r->manifest;
	enum mboot_lifecycle seen = r->l->who.lifecycle;

	if (!fits_family(r->l, m->family))
		return fail(r, FAULT_FAMILY, 0, "%u KiB flash, %u KiB RAM; the package is for %s",
			r->l->who.flash_size / 1024, r->l->who.ram_size / 1024, m->family);
	for (size_t i = 0; i < m->n_before; i++)
		if (seen == m->before[i])
			return 0;
	if (seen != MBOOT_LC_UNKNOWN && seen <= m->after &&
		(r->begin.irreversible || r->l->job->again))
		return 0;
	char wanted[120] = "";
	for (size_t i = 0; i < m->n_before; i++)
		snprintf(wanted + strlen(wanted), sizeof wanted - strlen(wanted), "%s%s",
			i ? " or " : "", mboot_lifecycle_name(m->before[i]));
	return fail(r, FAULT_LIFECYCLE, 0, "life cycle is %s, wanted %s%s",
		mboot_lifecycle_name(seen), wanted,
		seen != MBOOT_LC_UNKNOWN && seen == m->after ? "; this log does not know the device"
							     : "");
}

static const char *skip_reason(enum begin_verdict v)
{
	switch (v) {
	case BEGIN_GO:
		return "";
	case BEGIN_DONE:
		return "done before: it passed already";
	case BEGIN_ELSEWHERE:
		return "the same device runs on another port";
	case BEGIN_QUANTITY:
		return "the quantity of the order is used up";
	case BEGIN_COUNT:
		return "as many devices as --count says";
	case BEGIN_EXPIRED:
		return "the time of the order or the package is over";
	}
	return "";
}

static int end(struct run *r, enum device_result result)
{
	char reason[FAULT_REASON_CAP];
	struct err e = { 0 };
	struct end_facts f = { .place = r->l->place->index,
		.begin = r->begin.begin,
		.uuid = r->facts.uuid_text,
		.result = result,
		.irreversible = r->irreversible,
		.lifecycle = r->lifecycle_known && r->lifecycle != MBOOT_LC_UNKNOWN
				     ? mboot_lifecycle_name(r->lifecycle)
				     : NULL,
		.attestation = r->attestation,
		.ms = clock_mono_ms() - r->started_ms };

	if (result != DEVICE_PASS) {
		fault_reason(&r->fault, reason);
		f.reason = reason;
		f.fault = r->fault.code;
	}
	return r->l->journal->end(r->l->journal->ctx, &f, &e) == 0 ? 0 : fail_log(r, &e);
}

enum device_outcome device_run(
	struct device_link *l, struct fault *fault, enum begin_verdict *verdict)
{
	struct err e = { 0 };
	struct run r = { .l = l,
		.script = pkg_script(l->job->pkg),
		.manifest = pkg_manifest(l->job->pkg),
		.attestation = -1,
		.started_ms = clock_mono_ms(),
		.lifecycle = l->who.lifecycle,
		.lifecycle_known = true };

	find_last_work(&r);
	if (!l->who.has_uuid) {
		fail(&r, FAULT_NO_UUID, 0, "property 18 is not answered");
		*fault = r.fault;
		return DEVICE_OUTCOME_UNKNOWN;
	}
	memcpy(r.facts.uuid, l->who.uuid, sizeof r.facts.uuid);
	hex_encode(r.facts.uuid_text, r.facts.uuid, sizeof r.facts.uuid);
	r.facts.slot = l->place->slot;
	r.facts.port = l->place->port;
	r.facts.family = fits_family(l, r.manifest->family) ? r.manifest->family : "unknown";
	r.facts.revision = r.manifest->n_revisions ? r.manifest->revisions[0] : "unknown";
	r.facts.lifecycle = mboot_lifecycle_name(l->who.lifecycle);
	r.facts.place = l->place->index;

	if (l->journal->begin(l->journal->ctx, &r.facts, &r.begin, &e) != 0) {
		fail_log(&r, &e);
		*fault = r.fault;
		return DEVICE_OUTCOME_LOG;
	}
	if (r.begin.verdict != BEGIN_GO) {
		*verdict = r.begin.verdict;
		fail_skip(&r, skip_reason(r.begin.verdict));
		return DEVICE_OUTCOME_SKIPPED;
	}
	mboot_set_progress(l->m, progress, &r);
	int rc = check_start(&r);
	if (rc == 0) {
		rc = run_script(&r);
		if (rc != 0 && r.fault.code != FAULT_STOPPED && r.fault.code != FAULT_LOG)
			run_on_fail(&r);
	}
	enum device_result result = rc == 0			    ? DEVICE_PASS
				    : r.fault.code == FAULT_STOPPED ? DEVICE_INTERRUPTED
								    : DEVICE_FAIL;
	if (r.fault.code != FAULT_LOG && end(&r, result) != 0)
		result = DEVICE_FAIL; /* a pass that is not in the log is none */
	if (l->m)
		mboot_set_progress(l->m, NULL, NULL);
	*fault = r.fault;
	if (r.fault.code == FAULT_LOG)
		return DEVICE_OUTCOME_LOG;
	return result == DEVICE_PASS	      ? DEVICE_OUTCOME_PASS
	       : result == DEVICE_INTERRUPTED ? DEVICE_OUTCOME_STOPPED
					      : DEVICE_OUTCOME_FAIL;
}

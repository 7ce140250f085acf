#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "mboot/status.h"
#include "runner/attest.h"
#include "runner/device_internal.h"
#include "runner/steps.h"

/* --- steps ------------------------------------------------------------------------------- */
int run_record(struct run *r, const struct script_step *s, int64_t intent,
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

	return r->l->journal->step(r->l->journal->ctx, &f, &e) == 0 ? 0 : run_fail_log(r, &e);
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

	return r->l->journal->intent(r->l->journal->ctx, &f, out, e) == 0 ? 0 : run_fail_log(r, e);
}

/* May an irreversible step run that an earlier attempt had announced, with an unknown or a bad end?
 * Only when the stage can tell by the device itself that it has not happened; its skip-if was false
 * a moment ago. */
static int not_blindly(struct run *r, const struct script_step *s)
{
	if (!step_set_has(r->begin.intended, s->index) ||
		r->script->stages[s->stage].skip_if.kind != SCRIPT_COND_NONE)
		return 0;
	return run_fail(r, FAULT_MAY_BE_DONE, 0,
		"stage %s, %s: announced in an earlier attempt, and the stage has no skip-if",
		r->script->stages[s->stage].name, s->text);
}

bool run_receipt_needed(const struct run *r)
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
		return run_fail_log(r, e);
	/* The end names a receipt that holds, or none. */
	r->attested = f.outcome == RECEIPT_OK;
	if (r->attested)
		r->attestation = (int64_t)seq;

	if (f.outcome == RECEIPT_INVALID)
		return run_fail(r, FAULT_BAD_RECEIPT, 0, "stage %s, %s: %s",
			r->script->stages[s->stage].name, s->text, receipt.msg);
	if (f.outcome == RECEIPT_REFUSED && device.code == ERR_DEVICE && device.device) {
		if (run_receipt_needed(r))
			return run_fail(r, FAULT_NOT_ATTESTED, device.device, "stage %s, %s: %s",
				r->script->stages[s->stage].name, s->text, device.msg);
		run_note(r, "not attested: %s", device.msg);
		return 0;
	}
	return f.outcome == RECEIPT_REFUSED ? run_fail_step(r, s, &device) : 0;
}

static int check(struct run *r, const struct script_step *s, struct err *e)
{
	bool holds;
	char seen[STEP_SEEN_CAP], wanted[80];

	if (step_condition(r->l->m, &s->cond, &holds, seen, e) != 0)
		return run_fail_step(r, s, e);
	if (!holds)
		return run_fail(r, FAULT_CHECK, MBOOT_STATUS_FAIL, "stage %s, %s: %s, wanted %s",
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
			return run_fail_step(r, s, e);
		return run_fail(r, FAULT_PROMPT, 0, "stage %s: %s",
			r->script->stages[s->stage].name, e->msg);
	}
	snprintf(text, sizeof text, "%s: %s: %s", r->facts.uuid_text, s->prompt, answer);
	if (r->l->journal->operator(r->l->journal->ctx, "confirm", text, e) != 0)
		return run_fail_log(r, e);
	return 0;
}

/* A reset that the last file has begun by itself needs no command. */
static int perform_reset(struct run *r, const struct script_step *s, struct err *e)
{
	bool trailing = s->index > r->last_work;

	if (r->resetting) {
		r->resetting = false;
		if (run_come_back(r, device_ready_ms(r->l), e) != 0)
			return trailing ? 0 : run_fail_step(r, s, e);
		mboot_set_progress(r->l->m, run_progress, r);
	}
	return mboot_reset(r->l->m, e) == 0 ? 0 : run_fail_step(r, s, e);
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
		return run_fail_step(r, s, e);
	*bytes = effect.bytes;
	r->resetting = effect.resets;
	return 0;
}

int run_step(struct run *r, const struct script_step *s, unsigned tries)
{
	struct err e = { 0 };
	struct intent_answer intent;
	bool irreversible = script_step_irreversible(r->script, s);
	int64_t intent_seq = -1, start = clock_mono_ms();
	uint64_t bytes = 0;

	r->step = s->index;
	run_progress(r, 0, 0);
	if (run_must_stop(r))
		return run_fail(r, FAULT_STOPPED, 0, "before %s", s->text);
	if (r->resetting && s->verb != SCRIPT_RESET && run_after_reset(r, s, &e) != 0)
		return -1;
	if (s->index > r->last_work && !r->end_read && !r->resetting && run_read_end(r, &e) != 0)
		return -1;
	mboot_set_timeout(r->l->m, s->timeout_ms);
	if (s->verb == SCRIPT_DICE_ATTEST) {
		int rc = attest(r, s, &e);
		mboot_set_timeout(r->l->m, 0);
		return rc;
	}

	if (irreversible && step_set_has(r->begin.done, s->index))
		return run_record(r, s, -1, STEP_SKIPPED, 0, 0, 0, 0); /* what is done is done */
	if (irreversible) {
		if (not_blindly(r, s) != 0)
			return -1;
		r->committed = brake_enter(r->l->brake);
		if (!r->committed)
			return run_fail(r, FAULT_STOPPED, 0, "before %s", s->text);
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
	if (run_record(r, s, intent_seq, rc == 0 ? STEP_OK : STEP_FAILED, status, tries,
		    clock_mono_ms() - start, bytes) != 0)
		return -1;
	if (rc != 0) {
		r->fault = first;
		return -1;
	}
	if (s->verb == SCRIPT_RESET && s->index < r->last_work)
		return run_after_reset(r, s, &e);
	return 0;
}

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "runner/device_internal.h"
#include "runner/ports.h"
#include "runner/steps.h"

#define BACKOFF_MS     100 /* before the first repetition of a stage; doubles */
#define BACKOFF_MAX_MS 2000

/* --- stages ------------------------------------------------------------------------------ */
static int skip_stage(struct run *r, const struct script_stage *g)
{
	for (size_t i = 0; i < g->n; i++)
		if (run_record(r, &r->script->steps[g->first + i], -1, STEP_SKIPPED, 0, 0, 0, 0) !=
			0)
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
	run_note(r, "resuming: a reset tells whether \"%s\" has happened", unknown->text);
	if (mboot_reset(r->l->m, e) != 0)
		return run_fail_step(r, unknown, e);
	if (run_after_reset(r, unknown, e) != 0)
		return -1;
	if (step_condition(r->l->m, &g->skip_if, skip, NULL, e) != 0)
		return run_fail_step(r, unknown, e);
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
		return run_fail(r, FAULT_STOPPED, 0, "before another try");
	/* A ping brings device and host back in step; whoever answers must be the same. */
	struct err e = { 0 };
	struct fault before = r->fault;
	if (mboot_ping(r->l->m, NULL, &e) != 0)
		return -1; /* the first fault says more */
	r->fault = (struct fault){ 0 };
	if (run_same_device(r, &e) != 0) {
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

	struct event ev = run_event(r, EVENT_STAGE);
	snprintf(ev.stage, sizeof ev.stage, "%s", g->name);
	ev.step = g->first;
	event_send(r->l->screen, &ev);

	if (r->resetting && first->verb != SCRIPT_RESET && run_after_reset(r, first, &e) != 0)
		return -1;
	if (g->skip_if.kind != SCRIPT_COND_NONE &&
		step_condition(r->l->m, &g->skip_if, &skip, NULL, &e) != 0)
		return run_fail(r, fault_code_of_err(&e), e.device, "stage %s, skip-if: %s",
			g->name, e.msg);
	if (!skip && settle(r, g, &skip, &e) != 0)
		return -1;
	if (skip)
		return skip_stage(r, g);

	for (unsigned tries = 1;; tries++) {
		if (try_stage(r, g, tries) == 0)
			return 0;
		if (tries > g->retry || !may_retry(&r->fault))
			return -1;
		run_note(r, "try %u of %u after: %s", tries + 1, g->retry + 1, r->fault.detail);
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
			run_note(r, "on-fail stage %s failed too: %s", g->name, r->fault.detail);
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
		if (run_come_back(r, device_ready_ms(r->l), &e) == 0 && run_read_end(r, &e) != 0)
			return -1;
	} else if (!r->end_read && run_read_end(r, &e) != 0) {
		return -1;
	}
	if (!r->end_good) {
		/* Perhaps only the last reset has brought the state about. */
		if (run_come_back(r, device_ready_ms(r->l), &e) == 0 && run_read_end(r, &e) != 0)
			return -1;
	}
	if (!r->end_good)
		return run_fail(r, FAULT_END_STATE, 0, "life cycle is %s, wanted %s",
			r->lifecycle_known ? mboot_lifecycle_name(r->lifecycle) : "not readable",
			mboot_lifecycle_name(r->manifest->after));
	if (run_receipt_needed(r) && !r->attested)
		return run_fail(r, FAULT_NOT_ATTESTED, 0, "the script took no receipt");
	return 0;
}

/* --- device ------------------------------------------------------------------------------ */
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
		return run_fail(r, FAULT_FAMILY, 0,
			"%u KiB flash, %u KiB RAM; the package is for %s",
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
	return run_fail(r, FAULT_LIFECYCLE, 0, "life cycle is %s, wanted %s%s",
		mboot_lifecycle_name(seen), wanted,
		seen != MBOOT_LC_UNKNOWN && seen == m->after ? "; this log does not know the device"
							     : "");
}

static void fail_skip(struct run *r, const char *why)
{
	struct event ev = run_event(r, EVENT_SKIPPED);

	ev.run_over = r->begin.verdict == BEGIN_EXPIRED;
	snprintf(ev.text, sizeof ev.text, "%s", why);
	event_send(r->l->screen, &ev);
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
	return r->l->journal->end(r->l->journal->ctx, &f, &e) == 0 ? 0 : run_fail_log(r, &e);
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
		run_fail(&r, FAULT_NO_UUID, 0, "property 18 is not answered");
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
		run_fail_log(&r, &e);
		*fault = r.fault;
		return DEVICE_OUTCOME_LOG;
	}
	if (r.begin.verdict != BEGIN_GO) {
		*verdict = r.begin.verdict;
		fail_skip(&r, skip_reason(r.begin.verdict));
		return DEVICE_OUTCOME_SKIPPED;
	}
	mboot_set_progress(l->m, run_progress, &r);
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

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "mboot/status.h"
#include "runner/device_internal.h"
#include "runner/fixture.h"

#define PROGRESS_MS    100 /* between two progress events of one port */
#define CONNECT_PINGS  3
#define REOPEN_MS      200
#define STILL_THERE_MS 300

/* --- connecting -------------------------------------------------------------------------- */
int device_ready_ms(const struct device_link *l)
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

static int open_at(struct device_link *l, uint32_t baud, struct err *e)
{
	if (!l->m)
		return open_session(l, baud, CONNECT_PINGS, e);
	if (l->baud == baud)
		return 0;
	l->baud = 0; /* after a refusal nobody knows which rate the port has */
	if (mboot_set_baud(l->m, baud, e) != 0)
		return -1;
	l->baud = baud;
	return 0;
}

/* Bring the board into ISP mode by the lines of the fixture. The ROM is not up yet afterwards. */
static int pulse(struct device_link *l, struct err *e)
{
	return serial_reset_to_isp(mboot_transport(l->m), &l->job->lines, e);
}

static int connect_at(struct device_link *l, uint32_t baud, struct err *e)
{
	if (open_at(l, baud, e) != 0)
		return -1;
	if (fixture_has(&l->job->lines)) {
		if (pulse(l, e) != 0)
			return -1;
		if (!brake_sleep(l->brake, reset_ms(l)))
			return err_set(e, ERR_CANCELLED, "stopped");
	}
	/* mboot_identify pings first: only a device that answers is asked anything. */
	return mboot_identify(l->m, &l->who, e);
}

/* May a slower rate do better? ERR_USAGE: the port cannot do this one. */
static bool blame_rate(const struct err *e)
{
	return e->code == ERR_USAGE || e->code == ERR_TIMEOUT ||
	       (e->code == ERR_DEVICE && fault_code_of_err(e) != FAULT_PORT_CLOSED);
}

int device_connect(struct device_link *l, struct err *e)
{
	struct err best = { 0 };

	l->slower[0] = 0;
	for (size_t i = 0; i < l->job->n_bauds; i++) {
		if (connect_at(l, l->job->bauds[i], e) == 0)
			return 0;
		if (!blame_rate(e)) {
			device_disconnect(l);
			return -1;
		}
		if (!l->slower[0])
			snprintf(l->slower, sizeof l->slower, "%u baud did not work: %s",
				l->job->bauds[i], e->msg);
		/* Silence tells more about the slot than a rate that its port does not have. */
		if (!best.code || best.code == ERR_USAGE)
			best = *e;
	}
	*e = best;
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

/* --- telling the screen ------------------------------------------------------------------ */
struct event run_event(const struct run *r, enum event_kind kind)
{
	struct event ev = {
		.kind = kind, .place = r->l->place->index, .step = r->step, .n_steps = r->script->n
	};

	memcpy(ev.uuid, r->facts.uuid_text, sizeof ev.uuid);
	return ev;
}

void run_progress(void *ctx, uint64_t done, uint64_t total)
{
	struct run *r = ctx;
	int64_t now = clock_mono_ms();

	if (done && done != total && now - r->progress_ms < PROGRESS_MS)
		return;
	r->progress_ms = now;
	struct event ev = run_event(r, EVENT_PROGRESS);
	ev.done = done;
	ev.total = total;
	event_send(r->l->screen, &ev);
}

void run_note(const struct run *r, const char *fmt, ...)
{
	struct event ev = run_event(r, EVENT_NOTE);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(ev.text, sizeof ev.text, fmt, ap);
	va_end(ap);
	event_send(r->l->screen, &ev);
}

/* --- faults ------------------------------------------------------------------------------ */
int run_fail(struct run *r, enum fault_code code, uint32_t status, const char *fmt, ...)
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
int run_fail_step(struct run *r, const struct script_step *s, const struct err *e)
{
	const char *stage = r->script->stages[s->stage].name;
	uint32_t status = e->code == ERR_TIMEOUT ? (uint32_t)MBOOT_STATUS_NO_RESPONSE : e->device;

	return run_fail(
		r, fault_code_of_err(e), status, "stage %s, %s: %s", stage, s->text, e->msg);
}

int run_fail_log(struct run *r, const struct err *e)
{
	return run_fail(r, FAULT_LOG, 0, "%s", e->msg);
}

/* --- reading back ------------------------------------------------------------------------ */
int run_read_lifecycle(struct run *r, struct err *e)
{
	if (mboot_lifecycle(r->l->m, &r->lifecycle, e) != 0)
		return -1;
	r->lifecycle_known = true;
	return 0;
}

bool run_must_stop(const struct run *r)
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

int run_come_back(struct run *r, int limit_ms, struct err *e)
{
	int64_t deadline = clock_mono_ms() + limit_ms;
	int first = reset_ms(r->l);
	bool may_pulse = fixture_has(&r->l->job->lines);
	/* A board that is at work after a reset is left alone for a while. */
	int let_it_be = first + device_ready_ms(r->l) / 4;

	for (;;) {
		int64_t left = deadline - clock_mono_ms();
		if (may_pulse && left > let_it_be)
			left = let_it_be;
		if (left < 100)
			left = 100;
		if (r->l->m && mboot_wait_ready(r->l->m, first, (int)left, NULL, e) == 0)
			return 0;
		if (r->l->m && may_pulse && e->code == ERR_TIMEOUT) {
			/* It runs its application by now; once is enough. */
			may_pulse = false;
			run_note(r, "silent after a reset: brought back by the reset line");
			if (pulse(r->l, e) != 0)
				return -1;
			first = reset_ms(r->l);
			continue;
		}
		if (r->l->m && fault_code_of_err(e) != FAULT_PORT_CLOSED)
			return -1;
		if (reopen(r, deadline, e) != 0)
			return -1;
		first = 0;
	}
}

/* The device that answers must be the one that was begun. */
int run_same_device(struct run *r, struct err *e)
{
	uint8_t uuid[MBOOT_UUID_LEN];
	char seen[UUID_TEXT_LEN + 1];

	if (mboot_uuid(r->l->m, uuid, e) != 0)
		return -1;
	if (memcmp(uuid, r->facts.uuid, sizeof uuid) != 0)
		return run_fail(r, FAULT_OTHER_DEVICE, 0, "UUID %s answers, %s was begun",
			hex_encode(seen, uuid, sizeof uuid), r->facts.uuid_text);
	return 0;
}

int run_after_reset(struct run *r, const struct script_step *s, struct err *e)
{
	r->resetting = false;
	r->lifecycle_known = false;
	if (run_come_back(r, device_ready_ms(r->l), e) != 0) {
		if (e->code == ERR_CANCELLED)
			return run_fail_step(r, s, e);
		return run_fail(r,
			fault_code_of_err(e) == FAULT_PORT_CLOSED ? FAULT_PORT_CLOSED
								  : FAULT_AFTER_RESET,
			MBOOT_STATUS_NO_RESPONSE, "stage %s, %s: %s",
			r->script->stages[s->stage].name, s->text, e->msg);
	}
	mboot_set_progress(r->l->m, run_progress, r);
	if (run_same_device(r, e) != 0 || run_read_lifecycle(r, e) != 0)
		return r->fault.code ? -1 : run_fail_step(r, s, e);
	return 0;
}

static bool end_state(const struct run *r)
{
	return r->lifecycle_known && r->lifecycle == r->manifest->after;
}

/* Before the last reset (after it the device runs its application and is silent): who it is and
 * which state it is in. A state that only the last reset brings about is read after it. */
int run_read_end(struct run *r, struct err *e)
{
	r->end_read = true;
	if (run_same_device(r, e) != 0 || run_read_lifecycle(r, e) != 0) {
		if (r->fault.code)
			return -1;
		return run_fail(r, fault_code_of_err(e), e->device,
			"reading back the end state: %s", e->msg);
	}
	r->end_good = end_state(r);
	return 0;
}

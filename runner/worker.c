#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "mboot/serial.h"
#include "runner/fixture.h"
#include "runner/worker.h"

#define LOOK_MS	    200 /* how soon a waiting worker notices that it should end */
#define NEXT_MS	    1000 /* --loop: between two looks for a board */
#define AGAIN_TRIES 5 /* --loop: looks between two tries to begin a device that had to wait */

void crew_init(struct crew *c, unsigned jobs)
{
	pthread_condattr_t attr;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->freed, &attr);
	pthread_condattr_destroy(&attr);
	c->jobs_free = jobs;
	atomic_init(&c->finish, false);
	atomic_init(&c->hold, false);
}

void crew_clear(struct crew *c)
{
	pthread_cond_destroy(&c->freed);
	pthread_mutex_destroy(&c->lock);
}

static bool ending(struct worker *w)
{
	return atomic_load(&w->crew->finish) || brake_pulled(&w->brake);
}

/* Wait, unless the run ends; in short pieces, for `finish` has no bell. */
static bool pause_ms(struct worker *w, int ms)
{
	for (; ms > 0; ms -= LOOK_MS)
		if (ending(w) || !brake_sleep(&w->brake, ms < LOOK_MS ? ms : LOOK_MS))
			return false;
	return !ending(w);
}

static bool take_job(struct worker *w)
{
	struct crew *c = w->crew;
	bool got = false;

	pthread_mutex_lock(&c->lock);
	while (!(got = c->jobs_free > 0 && !atomic_load(&c->hold)) && !ending(w)) {
		struct timespec until;
		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_nsec += LOOK_MS * 1000000L;
		if (until.tv_nsec >= 1000000000L) {
			until.tv_sec++;
			until.tv_nsec -= 1000000000L;
		}
		pthread_cond_timedwait(&c->freed, &c->lock, &until);
	}
	got = got && !ending(w);
	if (got)
		c->jobs_free--;
	pthread_mutex_unlock(&c->lock);
	return got;
}

static void free_job(struct worker *w)
{
	pthread_mutex_lock(&w->crew->lock);
	w->crew->jobs_free++;
	pthread_cond_signal(&w->crew->freed);
	pthread_mutex_unlock(&w->crew->lock);
}

/* --- telling the screen ------------------------------------------------------------------ */
static void tell(struct worker *w, enum event_port state, enum fault_code fault, const char *fmt,
	...) PRINTF_LIKE(4);
static void tell(
	struct worker *w, enum event_port state, enum fault_code fault, const char *fmt, ...)
{
	struct event ev = {
		.kind = EVENT_PORT, .port_state = state, .place = w->place.index, .fault = fault
	};
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(ev.text, sizeof ev.text, fmt, ap);
	va_end(ap);
	event_send(w->crew->screen, &ev);
}

static void tell_device(struct worker *w, const struct device_link *l)
{
	char uuid[2 * MBOOT_UUID_LEN + 1] = "no UUID";

	if (l->who.has_uuid)
		hex_encode(uuid, l->who.uuid, MBOOT_UUID_LEN);
	tell(w, EVENT_PORT_ANSWERS, FAULT_NONE, "%s, %s, %u baud%s", uuid,
		mboot_lifecycle_name(l->who.lifecycle), l->baud,
		l->baud != l->job->bauds[0] ? " (a higher rate did not work)" : "");
	if (!l->slower[0])
		return;
	struct event ev = { .kind = EVENT_NOTE, .place = w->place.index };
	snprintf(ev.text, sizeof ev.text, "%u baud instead: %.*s", l->baud,
		(int)sizeof ev.text - 40, l->slower);
	event_send(w->crew->screen, &ev);
}

/* --- thread ------------------------------------------------------------------------------ */
static int open_port(void *ctx, uint32_t baud, struct mboot_io *out, struct err *e)
{
	return serial_open(out, ((struct worker *)ctx)->path, baud, e);
}

/* The port could not be used: say why. False: there may be a board later (--loop). */
static bool port_lost(struct worker *w, const struct err *e, bool told)
{
	enum fault_code code = fault_code_of_err(e);

	if (e->code == ERR_TIMEOUT || (code == FAULT_DIALOGUE && e->code == ERR_DEVICE)) {
		if (!told)
			tell(w, EVENT_PORT_SILENT, FAULT_NO_ANSWER, "%s", e->msg);
		return !w->crew->loop;
	}
	if (e->code == ERR_CANCELLED)
		return true;
	/* Its name goes first: an unplugged port cannot be opened any more. */
	if (code == FAULT_PORT_CLOSED || access(w->path, F_OK) != 0)
		tell(w, EVENT_PORT_GONE, FAULT_NONE, "%s", e->msg);
	else
		tell(w, EVENT_PORT_UNUSABLE, FAULT_PORT_OPEN, "%s", e->msg);
	return true;
}

/* The board that was served a moment ago, in ISP mode again because the fixture reset it. */
static bool still_the_last(const struct worker *w, const struct device_link *l)
{
	return w->has_last && l->who.has_uuid && memcmp(w->last, l->who.uuid, sizeof w->last) == 0;
}

/* Until the board is taken away, or the operator wants it again. -1: the port is gone. */
static int wait_for_swap(struct worker *w, struct device_link *l, bool may_wait)
{
	struct err e = { 0 };
	uint8_t uuid[MBOOT_UUID_LEN];
	unsigned looks = 0;

	memcpy(uuid, l->who.uuid, sizeof uuid);
	while (pause_ms(w, NEXT_MS)) {
		if (atomic_exchange(&w->retry, false)) {
			w->has_last = false;
			return 0;
		}
		int same = device_same(l, uuid, &e);
		if (same < 0) {
			tell(w, EVENT_PORT_GONE, FAULT_NONE, "%s", e.msg);
			return -1;
		}
		if (!same || (may_wait && ++looks >= AGAIN_TRIES))
			return 0;
	}
	return -1;
}

/* One device. True: go on with the next one. */
static bool serve(struct worker *w, struct device_link *l)
{
	struct fault fault = { 0 };
	enum begin_verdict verdict = BEGIN_GO;

	tell_device(w, l);
	if (!take_job(w))
		return false;
	enum device_outcome outcome = device_run(l, &fault, &verdict);
	free_job(w);
	switch (outcome) {
	case DEVICE_OUTCOME_UNKNOWN: {
		struct event ev = { .kind = EVENT_SKIPPED,
			.place = w->place.index,
			.fault = fault.code,
			.counts_as_failed = true };
		memcpy(ev.text, fault.detail, sizeof fault.detail);
		event_send(w->crew->screen, &ev);
		break;
	}
	case DEVICE_OUTCOME_LOG:
	case DEVICE_OUTCOME_STOPPED:
		return false;
	case DEVICE_OUTCOME_PASS:
	case DEVICE_OUTCOME_FAIL:
	case DEVICE_OUTCOME_SKIPPED:
		break;
	}
	if (!w->crew->loop || ending(w))
		return false;
	if (fault.code == FAULT_PORT_CLOSED || !l->m) {
		tell(w, EVENT_PORT_GONE, FAULT_NONE, "%s", "");
		return false;
	}
	tell(w, EVENT_PORT_WAITING, FAULT_NONE, "for the next board");
	bool may_wait =
		verdict == BEGIN_QUANTITY || verdict == BEGIN_COUNT || verdict == BEGIN_ELSEWHERE;
	w->has_last = l->who.has_uuid && !may_wait;
	memcpy(w->last, l->who.uuid, sizeof w->last);
	return wait_for_swap(w, l, may_wait) == 0;
}

static void *worker_thread(void *arg)
{
	struct worker *w = arg;
	struct device_link link = { .job = w->crew->job,
		.place = &w->place,
		.journal = w->crew->journal,
		.screen = w->crew->screen,
		.prompts = w->crew->prompts,
		.brake = &w->brake };
	bool told = false;

	for (bool more = true; more && !ending(w);) {
		struct err e = { 0 };
		if (device_connect(&link, &e) == 0) {
			/* Without a reset line it came into ISP mode by a hand: it is wanted. */
			if (fixture_has(&link.job->lines) && still_the_last(w, &link))
				more = wait_for_swap(w, &link, false) == 0;
			else
				more = serve(w, &link);
			told = true; /* an empty slot after a board is nothing to report */
		} else {
			w->has_last = false;
			more = !port_lost(w, &e, told) && pause_ms(w, NEXT_MS);
			told = true;
		}
	}
	device_disconnect(&link);

	struct event ev = { .kind = EVENT_WORKER_END, .place = w->place.index };
	event_send_sure(w->crew->screen, &ev);
	return NULL;
}

void worker_set(
	struct worker *w, struct crew *crew, size_t index, const char *slot, const struct port *p)
{
	*w = (struct worker){ .crew = crew, .rdev = p->rdev };
	snprintf(w->slot, sizeof w->slot, "%s", slot);
	snprintf(w->port, sizeof w->port, "%s", *p->by_path ? p->by_path : p->path);
	/* By its place, not by its number: the number changes when a board comes back. */
	if (*p->by_path)
		snprintf(w->path, sizeof w->path, "/dev/serial/by-path/%s", p->by_path);
	else
		snprintf(w->path, sizeof w->path, "%s", p->path);
	w->place = (struct device_place){ .index = index,
		.slot = w->slot,
		.port = w->port,
		.pty = p->pty,
		.open = open_port,
		.ctx = w };
}

int worker_start(struct worker *w, struct err *e)
{
	atomic_store(&w->retry, false);
	w->has_last = false;
	brake_init(&w->brake);
	if (pthread_create(&w->thread, NULL, worker_thread, w) != 0) {
		brake_clear(&w->brake);
		return err_set(e, ERR_ENV, "%s: cannot start a thread", w->port);
	}
	w->running = true;
	return 0;
}

void worker_join(struct worker *w)
{
	if (!w->running)
		return;
	pthread_join(w->thread, NULL);
	brake_clear(&w->brake);
	w->running = false;
}

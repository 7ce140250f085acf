/* Asking all ports at once who is there. A thread per port runs the ordinary blocking session
 * against its deadlines; the caller waits for all of them at most a fixed time. A thread that
 * hangs in a driver is left behind: what it writes to belongs to the threads, not to the caller. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "mboot/serial.h"
#include "runner/fixture.h"
#include "runner/ports.h"

enum {
	DETAILS_MS = 1500, /* for UUID and the rest, once a ping was answered */
	STUCK_MS = 500, /* for a thread to notice that it shall stop */
	POLL_MS = 20,
	RESET_MS = FIXTURE_BOOT_MS + 200, /* pulse and start of the ROM, before the ping */
	STACK_BYTES = 256 * 1024,
};

/* One port's thread. Fields below `lock` of the round are guarded by it. */
struct job {
	struct round *round;
	char path[256];
	uint32_t baud;
	struct serial_lines lines;
	atomic_bool stop;
	bool answered, done; /* guarded */
	enum port_probe probe; /* set before done */
	struct mboot_identity identity;
	struct err e;
};

struct round {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	unsigned users; /* the caller and every running thread; the last one frees */
	unsigned open; /* jobs not done */
	size_t n;
	struct job job[];
};

static void leave(struct round *r)
{
	pthread_mutex_lock(&r->lock);
	bool last = --r->users == 0;
	pthread_mutex_unlock(&r->lock);
	if (!last)
		return;
	pthread_cond_destroy(&r->changed);
	pthread_mutex_destroy(&r->lock);
	free(r);
}

static void probe(struct job *j)
{
	struct mboot *m = NULL;
	const struct mboot_options o = { .cancel = &j->stop };

	if (mboot_open(&m, j->path, j->baud, &o, &j->e) != 0) {
		j->probe = PORT_PROBE_FAILED;
		return;
	}
	if (fixture_has(&j->lines)) {
		if (serial_reset_to_isp(mboot_transport(m), &j->lines, &j->e) != 0) {
			j->probe = PORT_PROBE_FAILED;
			mboot_free(m);
			return;
		}
		nanosleep(&(struct timespec){ .tv_nsec = FIXTURE_BOOT_MS * 1000000L }, NULL);
	}
	/* First the ping alone, so that the caller knows which ports are worth more time. */
	if (mboot_ping(m, NULL, &j->e) == 0) {
		pthread_mutex_lock(&j->round->lock);
		j->answered = true;
		pthread_mutex_unlock(&j->round->lock);
		j->probe = mboot_identify(m, &j->identity, &j->e) == 0 ? PORT_ANSWERED
								       : PORT_PROBE_FAILED;
	} else {
		j->probe = j->e.code == ERR_TIMEOUT || j->e.code == ERR_CANCELLED
				   ? PORT_NO_ANSWER
				   : PORT_PROBE_FAILED;
	}
	mboot_free(m);
}

static void *run(void *arg)
{
	struct job *j = arg;
	struct round *r = j->round;

	probe(j);
	pthread_mutex_lock(&r->lock);
	j->done = true;
	r->open--;
	pthread_cond_signal(&r->changed);
	pthread_mutex_unlock(&r->lock);
	leave(r);
	return NULL;
}

static int start(struct round *r, struct job *j)
{
	pthread_attr_t attr;
	pthread_t thread;

	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	pthread_mutex_lock(&r->lock);
	r->users++;
	r->open++;
	pthread_mutex_unlock(&r->lock);
	int error = pthread_create(&thread, &attr, run, j);
	pthread_attr_destroy(&attr);
	if (error) {
		pthread_mutex_lock(&r->lock);
		r->users--;
		r->open--;
		j->done = true;
		pthread_mutex_unlock(&r->lock);
	}
	return error;
}

/* Waits until all threads are done, `until` at the latest. Called and left with the lock held. */
static void wait_all(struct round *r, int64_t until, const atomic_bool *cancel, bool quick)
{
	while (r->open && clock_mono_ms() < until && !(cancel && atomic_load(cancel))) {
		struct timespec ts;
		int64_t ms = clock_mono_ms() + POLL_MS;
		bool waiting = !quick;
		for (size_t i = 0; i < r->n && !waiting; i++)
			waiting = !r->job[i].done && r->job[i].answered;
		if (!waiting)
			return;
		ts = (struct timespec){ ms / 1000, ms % 1000 * 1000000 };
		pthread_cond_timedwait(&r->changed, &r->lock, &ts);
	}
}

static void stop_all(struct round *r)
{
	for (size_t i = 0; i < r->n; i++)
		atomic_store(&r->job[i].stop, true);
}

static struct round *new_round(
	const struct port_list *l, uint32_t baud, const struct serial_lines *lines)
{
	struct round *r = calloc(1, sizeof *r + l->n * sizeof r->job[0]);
	pthread_condattr_t attr;

	if (!r)
		return NULL;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->changed, &attr);
	pthread_condattr_destroy(&attr);
	r->users = 1;
	r->n = l->n;
	for (size_t i = 0; i < l->n; i++) {
		r->job[i].round = r;
		r->job[i].baud = baud;
		if (lines)
			r->job[i].lines = *lines;
		r->job[i].done = l->v[i].state != PORT_USABLE;
		snprintf(r->job[i].path, sizeof r->job[i].path, "%s", l->v[i].path);
	}
	return r;
}

static void take_result(struct port *p, const struct job *j)
{
	if (p->state != PORT_USABLE)
		return;
	p->probe = j->done ? j->probe : PORT_NO_ANSWER;
	switch (p->probe) {
	case PORT_ANSWERED:
		p->identity = j->identity;
		port_families(p);
		break;
	case PORT_NO_ANSWER:
		snprintf(p->reason, sizeof p->reason,
			"no answer (board off, not in ISP mode, or another device)");
		break;
	case PORT_PROBE_FAILED:
		snprintf(p->reason, sizeof p->reason, "%.190s", j->e.msg);
		break;
	case PORT_NOT_PROBED:
		break;
	}
}

int ports_probe(struct port_list *l, uint32_t baud, const struct serial_lines *lines,
	const atomic_bool *cancel, struct err *e)
{
	struct round *r = new_round(l, baud, lines);
	int error = 0;

	if (!r)
		return err_set(e, ERR_ENV, "out of memory for probing %zu ports", l->n);
	int64_t since = clock_mono_ms();
	if (lines && fixture_has(lines))
		since += RESET_MS;
	for (size_t i = 0; i < l->n && !error; i++)
		if (l->v[i].state == PORT_USABLE)
			error = start(r, &r->job[i]);

	pthread_mutex_lock(&r->lock);
	if (!error)
		wait_all(r, since + PORTS_PROBE_MS, cancel, false);
	/* Who has not answered by now does not answer; the others may finish. */
	for (size_t i = 0; i < l->n; i++)
		if (!r->job[i].answered)
			atomic_store(&r->job[i].stop, true);
	if (!error)
		wait_all(r, since + PORTS_PROBE_MS + DETAILS_MS, cancel, true);
	stop_all(r);
	wait_all(r, clock_mono_ms() + STUCK_MS, NULL, false);
	bool stopped = cancel && atomic_load(cancel);
	for (size_t i = 0; i < l->n && !error; i++)
		take_result(&l->v[i], &r->job[i]);
	pthread_mutex_unlock(&r->lock);
	leave(r);
	if (error) {
		errno = error;
		return err_errno(e, "cannot start a thread to probe ports");
	}
	return stopped ? err_set(e, ERR_CANCELLED, "interrupted while probing ports") : 0;
}

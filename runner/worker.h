/* worker - the thread of one port: find a device, run it, in --loop wait for the next one.
 *
 * Workers share nothing that changes but the crew: the log's queue, the screen's queue, the number
 * of devices that may run at once, and the wish to stop.
 */
#ifndef RUNNER_WORKER_H
#define RUNNER_WORKER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "base/err.h"
#include "runner/device.h"
#include "runner/ports.h"
#include "runner/slots.h"

/* What all workers of a run share. */
struct crew {
	const struct device_job *job;
	struct journal *journal;
	struct event_sink *screen;
	struct prompts *prompts;
	bool loop;
	atomic_bool finish; /* begin no more devices */
	atomic_bool hold; /* begin none for now: the operator holds the run */
	/* --jobs: devices that may run at the same time */
	pthread_mutex_t lock;
	pthread_cond_t freed;
	unsigned jobs_free;
};

void crew_init(struct crew *c, unsigned jobs);
void crew_clear(struct crew *c);

struct worker {
	struct crew *crew;
	struct device_place place;
	struct brake brake;
	char slot[SLOT_NAME_MAX + 1];
	char port[256]; /* stable name: by-path link, else the path */
	char path[320]; /* what is opened */
	dev_t rdev; /* of the device behind it when it was found */
	pthread_t thread;
	/* the board that was served last and not seen to leave: a fixture that resets it would find
	 * it again and again */
	bool has_last;
	uint8_t last[MBOOT_UUID_LEN];
	bool running; /* the thread was started and not joined */
	atomic_bool retry; /* the operator wants this slot started again */
};

/* worker_set - fill place, slot and names from a port. */
void worker_set(
	struct worker *w, struct crew *crew, size_t index, const char *slot, const struct port *p);
int worker_start(struct worker *w, struct err *e) CHECKED;
void worker_join(struct worker *w); /* waits for the end of the thread; no-op when none */

#endif

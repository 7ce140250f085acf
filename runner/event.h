/* event - what the threads of a run tell the one thread that shows it.
 *
 * Sent through a bounded queue. A screen that does not keep up must not delay a device: progress is
 * dropped when the queue is full, anything else is dropped and counted (the log has it anyway).
 */
#ifndef RUNNER_EVENT_H
#define RUNNER_EVENT_H

#include <jansson.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runner/faults.h"
#include "runner/journal.h"
#include "runner/queue.h"

enum event_kind {
	EVENT_RECORD, /* a leaf is durable; `json` is it, with `event` for `kind` */
	EVENT_PORT, /* a port changed: `port_state`, text */
	EVENT_STAGE, /* the device entered a stage */
	EVENT_PROGRESS, /* done of total bytes of the step */
	EVENT_SKIPPED, /* the device was not begun: text says why */
	EVENT_NOTE, /* text for the operator */
	EVENT_PROMPT, /* the worker waits for an answer to text (see prompt.h) */
	EVENT_WORKER_END, /* the thread of this place is about to end */
	EVENT_LOG_FAILED, /* text; no device can be begun any more */
};

enum event_port {
	EVENT_PORT_FOUND, /* permitted, a worker was started */
	EVENT_PORT_ANSWERS, /* a device was found */
	EVENT_PORT_SILENT, /* nothing answers */
	EVENT_PORT_UNUSABLE, /* busy, no permission: text */
	EVENT_PORT_WAITING, /* --loop: for the next board */
	EVENT_PORT_GONE,
};
const char *event_port_name(enum event_port p); /* "found" ... */

enum event_record { /* which leaf, for those who show it */
	RECORD_OTHER,
	RECORD_BEGIN,
	RECORD_STEP,
	RECORD_END,
};

struct event {
	enum event_kind kind;
	enum event_port port_state;
	enum event_record record;
	size_t place; /* EVENT_NO_PLACE: none */
	size_t step, n_steps;
	char uuid[UUID_TEXT_LEN + 1];
	char stage[SCRIPT_STAGE_MAX + 1];
	char text[FAULT_REASON_CAP];
	uint64_t done, total;
	enum device_result result; /* RECORD_END */
	enum step_outcome outcome; /* RECORD_STEP */
	enum fault_code fault; /* RECORD_END, EVENT_PORT */
	uint32_t attempt; /* RECORD_BEGIN */
	int64_t ms; /* RECORD_END, RECORD_STEP */
	uint64_t counted; /* devices that count against the quantity */
	bool complete; /* EVENT_RECORD: every device of the quantity is done */
	bool run_over; /* EVENT_SKIPPED: no later device can be begun either */
	bool counts_as_failed; /* EVENT_SKIPPED, EVENT_PORT: not begun, and that is a failure */
	json_t *json; /* EVENT_RECORD: whoever takes the event frees it; NULL elsewhere */
};

#define EVENT_NO_PLACE	     SIZE_MAX
#define EVENT_QUEUE_CAPACITY 2048

struct event_sink {
	struct queue *queue;
	atomic_uint_fast64_t lost;
};

/* event_send - hand over a copy; e->json is taken. Never waits. */
void event_send(struct event_sink *sink, struct event *e);
/* event_send_sure - waits for room: for what the receiver must get. */
void event_send_sure(struct event_sink *sink, struct event *e);

#endif

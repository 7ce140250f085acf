/* device - one device, from the first ping to its verdict.
 *
 * Straight-line blocking code against deadlines, in the thread of its port. The script decides what
 * is done; this code decides what is believed: a step passes only by the status the device gave,
 * the device passes only when every required step passed and what is read back (UUID, life cycle)
 * is what the package promises. An irreversible step runs only after its intent is durable in the
 * log, and is not repeated unless the script's own condition says it has not happened.
 *
 * A struct device_link belongs to one thread.
 */
#ifndef RUNNER_DEVICE_H
#define RUNNER_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "mboot/identify.h"
#include "mboot/mboot.h"
#include "mboot/serial.h"
#include "pkg/pkg.h"
#include "runner/brake.h"
#include "runner/event.h"
#include "runner/journal.h"
#include "runner/prompt.h"

#define DEVICE_RESET_MS	    500 /* a real ROM: before the first ping after reset */
#define DEVICE_RESET_PTY_MS 20
#define DEVICE_READY_MS	    8000 /* after reset it must answer within */
#define DEVICE_MAX_BAUDS    16

/* The same for all devices of a run; constant. */
struct device_job {
	const struct pkg *pkg;
	uint32_t bauds[DEVICE_MAX_BAUDS]; /* tried in this order */
	size_t n_bauds;
	bool again; /* finished devices may be done again */
	bool dry; /* a device in memory: it cannot give receipts, and none is demanded */
	struct serial_lines lines; /* of the fixture; without reset: boards come in ISP mode */
	int reset_ms; /* 0: by what the port is */
	int ready_ms; /* 0: DEVICE_READY_MS */
};

/* A place where devices are put: a port with its name. */
struct device_place {
	size_t index; /* in this run */
	const char *slot; /* "" when it has no name */
	const char *port; /* stable name: by-path link, else the device path */
	bool pty;
	/* opens the port anew (after a reset it may come back under another name) */
	int (*open)(void *ctx, uint32_t baud, struct mboot_io *out, struct err *e);
	void *ctx;
};

struct device_link {
	const struct device_job *job;
	const struct device_place *place;
	struct journal *journal;
	struct event_sink *screen;
	struct prompts *prompts; /* NULL: nobody can be asked */
	struct brake *brake;
	struct mboot *m; /* open session, NULL before connect */
	uint32_t baud;
	struct mboot_identity who; /* after device_connect */
	char slower[FAULT_REASON_CAP]; /* why not the first rate, "" when it is */
};

enum device_outcome {
	DEVICE_OUTCOME_PASS,
	DEVICE_OUTCOME_FAIL,
	DEVICE_OUTCOME_STOPPED, /* the brake was pulled */
	DEVICE_OUTCOME_SKIPPED, /* not begun: done before, quantity ... (*verdict) */
	DEVICE_OUTCOME_UNKNOWN, /* it does not tell who it is: nothing was done or logged */
	DEVICE_OUTCOME_LOG, /* the log failed: nothing irreversible was done after that */
};

/* device_connect - find a device on the port at the first line rate that works, then ask who it
 * is. A rate that the port refuses, or at which nothing answers, is passed over. A fixture resets
 * the board into ISP mode before each. ERR_TIMEOUT: nothing answers; ERR_ENV: the port cannot be
 * used; ERR_CANCELLED. An open port is used as it is, and stays open when nothing answers: it must
 * not go to another program, nor its control lines change, while a slot waits for a board. */
int device_connect(struct device_link *l, struct err *e) CHECKED;
void device_disconnect(struct device_link *l);

/* device_same - still there? Ping once or twice within about 300 ms, without touching anything:
 * 1 yes and it is this UUID, 0 nothing or another device answers, -1 the port is gone (*e). */
int device_same(struct device_link *l, const uint8_t uuid[MBOOT_UUID_LEN], struct err *e) CHECKED;

/* device_run - the whole script on the device that device_connect found. *fault is set when the
 * outcome is not PASS; *verdict when it is SKIPPED. */
enum device_outcome device_run(
	struct device_link *l, struct fault *fault, enum begin_verdict *verdict);

#endif

/* history - what a log says about its devices: who was begun, how far, and how it ended.
 *
 * Fed with every leaf, from the file at the start and as they are written later, so there is one
 * reading of the log. It answers who may be begun, which devices a crash left open, and how many
 * count against the order. About 150 bytes a device. Owned by the log thread.
 */
#ifndef RUNNER_HISTORY_H
#define RUNNER_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "evidence/leaf.h"
#include "runner/faults.h"
#include "runner/journal.h"

struct history;

struct history_device {
	char uuid[UUID_TEXT_LEN + 1];
	unsigned attempts;
	uint64_t begin; /* of the newest attempt */
	int64_t begin_boot_ms, last_boot_ms; /* of its first and newest leaf */
	bool open; /* begun and not ended */
	bool running; /* open, and a worker of this process has it */
	bool passed; /* in some attempt */
	bool scrap; /* the newest attempt failed for good */
	enum device_result last; /* of the newest ended attempt */
	bool irreversible; /* an irreversible step was begun, in any attempt */
	bool irreversible_now; /* ... in the newest one */
	char doing[96]; /* last intent or step of the newest attempt, for messages */
	uint8_t intended[STEP_SET_LEN], done[STEP_SET_LEN]; /* irreversible steps, any attempt */
};

struct history_counts {
	uint64_t begun; /* device-begin leaves */
	uint64_t devices, irreversible, passed, scrap; /* UUIDs */
	uint64_t open; /* begun and not ended */
	uint64_t running; /* by this process */
	uint64_t reserved; /* running, and not counted as irreversible yet */
};

int history_new(struct history **out, struct err *e) CHECKED;
void history_free(struct history *h);

/* history_leaf - one leaf of the log, in order. */
int history_leaf(struct history *h, const struct leaf *leaf, struct err *e) CHECKED;

/* The same for what this process writes. Pointers stay valid as long as the history. */
struct history_device *history_find(const struct history *h, const char *uuid);
int history_begin(struct history *h, const char *uuid, uint64_t seq, unsigned attempt,
	int64_t boot_ms, bool running, struct err *e) CHECKED;
void history_intent(
	struct history *h, const char *uuid, size_t step, bool irreversible, const char *command);
/* history_step - `done`: an irreversible step that was announced has ended well. */
void history_step(struct history *h, const char *uuid, size_t step, bool done, const char *command,
	int64_t boot_ms);
void history_end(
	struct history *h, const char *uuid, enum device_result result, enum fault_code fault);

struct history_counts history_counts(const struct history *h);
bool history_closed(const struct history *h); /* a close leaf was seen */

/* history_each_open - devices begun and not ended, in no order. */
void history_each_open(
	const struct history *h, void (*fn)(void *ctx, const struct history_device *d), void *ctx);

#endif

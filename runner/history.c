#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runner/history.h"

struct history {
	void *root; /* tsearch tree of struct history_device */
	struct history_counts counts;
	bool closed;
};

static int by_uuid(const void *a, const void *b)
{
	return strcmp(
		((const struct history_device *)a)->uuid, ((const struct history_device *)b)->uuid);
}

int history_new(struct history **out, struct err *e)
{
	struct history *h = calloc(1, sizeof *h);

	if (!h)
		return err_set(e, ERR_ENV, "out of memory");
	*out = h;
	return 0;
}

void history_free(struct history *h)
{
	if (!h)
		return;
	tdestroy(h->root, free);
	free(h);
}

struct history_device *history_find(const struct history *h, const char *uuid)
{
	struct history_device key = { 0 };

	snprintf(key.uuid, sizeof key.uuid, "%s", uuid);
	void *node = tfind(&key, &h->root, by_uuid);
	return node ? *(struct history_device **)node : NULL;
}

static struct history_device *find_or_add(struct history *h, const char *uuid)
{
	struct history_device *d = history_find(h, uuid);

	if (d)
		return d;
	d = calloc(1, sizeof *d);
	if (!d)
		return NULL;
	snprintf(d->uuid, sizeof d->uuid, "%s", uuid);
	if (!tsearch(d, &h->root, by_uuid)) {
		free(d);
		return NULL;
	}
	h->counts.devices++;
	return d;
}

int history_begin(struct history *h, const char *uuid, uint64_t seq, unsigned attempt,
	int64_t boot_ms, bool running, struct err *e)
{
	struct history_device *d = find_or_add(h, uuid);

	if (!d)
		return err_set(e, ERR_ENV, "out of memory");
	h->counts.begun++;
	if (d->scrap)
		h->counts.scrap--;
	d->scrap = false;
	d->attempts = attempt;
	d->begin = seq;
	d->begin_boot_ms = d->last_boot_ms = boot_ms;
	if (!d->open)
		h->counts.open++;
	d->open = true;
	d->running = running;
	d->irreversible_now = false;
	d->doing[0] = 0;
	if (running) {
		h->counts.running++;
		if (!d->irreversible)
			h->counts.reserved++;
	}
	return 0;
}

void history_intent(
	struct history *h, const char *uuid, size_t step, bool irreversible, const char *command)
{
	struct history_device *d = history_find(h, uuid);

	if (!d)
		return;
	snprintf(d->doing, sizeof d->doing, "%s", command);
	if (!irreversible)
		return;
	if (!d->irreversible) {
		h->counts.irreversible++;
		if (d->running)
			h->counts.reserved--;
	}
	d->irreversible = d->irreversible_now = true;
	step_set_add(d->intended, step);
}

void history_step(struct history *h, const char *uuid, size_t step, bool done, const char *command,
	int64_t boot_ms)
{
	struct history_device *d = history_find(h, uuid);

	if (!d)
		return;
	snprintf(d->doing, sizeof d->doing, "%s", command);
	d->last_boot_ms = boot_ms;
	if (done)
		step_set_add(d->done, step);
}

void history_end(
	struct history *h, const char *uuid, enum device_result result, enum fault_code fault)
{
	struct history_device *d = history_find(h, uuid);

	if (!d || !d->open)
		return;
	d->open = false;
	h->counts.open--;
	if (d->running) {
		h->counts.running--;
		if (!d->irreversible)
			h->counts.reserved--;
	}
	d->running = false;
	d->last = result;
	if (result == DEVICE_PASS && !d->passed) {
		d->passed = true;
		h->counts.passed++;
	}
	/* Only a device that counts against the order can be the order's scrap. */
	if (result == DEVICE_FAIL && fault_permanent(fault) && d->irreversible && !d->passed) {
		d->scrap = true;
		h->counts.scrap++;
	}
}

static int too_long(const struct leaf *leaf, struct err *e)
{
	return err_set(e, ERR_ENV, "leaf %llu of the log cannot be read back",
		(unsigned long long)leaf->seq);
}

static int device_leaf(struct history *h, const struct leaf *leaf, struct err *e)
{
	char uuid[UUID_TEXT_LEN + 1], command[2048] = "", reason[2048] = "";

	if (leaf_text(leaf, LM_UUID, uuid, sizeof uuid) != 0)
		return too_long(leaf, e);
	switch (leaf->kind) {
	case LEAF_DEVICE_BEGIN:
		return history_begin(h, uuid, leaf->seq, (unsigned)leaf_int(leaf, LM_ATTEMPT, 1),
			leaf->boot_ms, false, e);
	case LEAF_INTENT:
		if (leaf_text(leaf, LM_COMMAND, command, sizeof command) != 0)
			return too_long(leaf, e);
		history_intent(h, uuid, (size_t)leaf_int(leaf, LM_STEP, 0),
			leaf_is(leaf, LM_WHY, "irreversible"), command);
		break;
	case LEAF_STEP:
		if (leaf_text(leaf, LM_COMMAND, command, sizeof command) != 0)
			return too_long(leaf, e);
		history_step(h, uuid, (size_t)leaf_int(leaf, LM_STEP, 0),
			leaf_has(leaf, LM_INTENT) && leaf_is(leaf, LM_RESULT, "ok"), command,
			leaf->boot_ms);
		return 0;
	case LEAF_ATTESTATION:
		break;
	case LEAF_DEVICE_END: {
		if (leaf_has(leaf, LM_REASON) &&
			leaf_text(leaf, LM_REASON, reason, sizeof reason) != 0)
			return too_long(leaf, e);
		enum device_result r = leaf_is(leaf, LM_RESULT, "pass")	  ? DEVICE_PASS
				       : leaf_is(leaf, LM_RESULT, "fail") ? DEVICE_FAIL
									  : DEVICE_INTERRUPTED;
		history_end(h, uuid, r, fault_code_of_reason(reason));
		return 0;
	}
	case LEAF_GENESIS:
	case LEAF_PACKAGE:
	case LEAF_OPERATOR:
	case LEAF_CLOCK:
	case LEAF_EPOCH_SEAL:
	case LEAF_CLOSE:
	case LEAF_KEY:
	case LEAF_ARTIFACT:
	case LEAF_WS_PACKAGE:
	case LEAF_APPROVAL:
	case LEAF_ORDER:
	case LEAF_KINDS:
		return 0;
	}
	struct history_device *d = history_find(h, uuid);
	if (d)
		d->last_boot_ms = leaf->boot_ms;
	return 0;
}

int history_leaf(struct history *h, const struct leaf *leaf, struct err *e)
{
	switch (leaf->kind) {
	case LEAF_DEVICE_BEGIN:
	case LEAF_INTENT:
	case LEAF_STEP:
	case LEAF_ATTESTATION:
	case LEAF_DEVICE_END:
		return device_leaf(h, leaf, e);
	case LEAF_CLOSE:
		h->closed = true;
		return 0;
	case LEAF_GENESIS:
	case LEAF_PACKAGE:
	case LEAF_OPERATOR:
	case LEAF_CLOCK:
	case LEAF_EPOCH_SEAL:
	case LEAF_KEY:
	case LEAF_ARTIFACT:
	case LEAF_WS_PACKAGE:
	case LEAF_APPROVAL:
	case LEAF_ORDER:
	case LEAF_KINDS:
		break;
	}
	return 0;
}

struct history_counts history_counts(const struct history *h)
{
	return h->counts;
}

bool history_closed(const struct history *h)
{
	return h->closed;
}

struct walk {
	void (*fn)(void *ctx, const struct history_device *d);
	void *ctx;
};

static void visit(const void *node, VISIT which, void *closure)
{
	const struct history_device *d = *(struct history_device *const *)node;
	const struct walk *w = closure;

	if ((which == postorder || which == leaf) && d->open)
		w->fn(w->ctx, d);
}

void history_each_open(
	const struct history *h, void (*fn)(void *ctx, const struct history_device *d), void *ctx)
{
	struct walk w = { fn, ctx };

	twalk_r(h->root, visit, &w);
}

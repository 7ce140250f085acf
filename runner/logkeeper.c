#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "runner/logkeeper.h"
#include "runner/record.h"

#define TICK_MS 1000 /* how often an idle log looks whether its epoch is over */

enum request_kind {
	REQUEST_BEGIN,
	REQUEST_INTENT,
	REQUEST_STEP,
	REQUEST_RECEIPT,
	REQUEST_END,
	REQUEST_OPERATOR
};

/* Where a worker waits for its answer; lives on its stack. */
struct waiter {
	pthread_mutex_t lock;
	pthread_cond_t done_cond;
	bool done;
	int rc;
	struct err err;
	struct begin_answer begin;
	uint64_t seq;
	uint8_t challenge[32];
};

/* One leaf to write. Copied through the queue; `members` and the strings of `event` travel. */
struct request {
	enum request_kind kind;
	json_t *members;
	struct waiter *waiter; /* NULL: nobody waits */
	struct event event; /* what the screen is told afterwards */
	bool irreversible; /* REQUEST_INTENT; REQUEST_STEP: announced, and done */
	const struct device_facts *facts; /* REQUEST_BEGIN: the waiter's */
	char command[96]; /* REQUEST_INTENT, REQUEST_STEP: start of the script line */
	/* set by the log thread */
	uint64_t seq;
	bool written; /* false: nothing to commit for this one (a refusal) */
};

struct logkeeper {
	struct log *log;
	struct history *history;
	struct logkeeper_options options;
	struct queue *queue;
	pthread_t thread;
	bool started;
	/* of the thread */
	bool failed;
	struct err fault;
	uint64_t passed_now; /* devices passed in this run */
	struct request batch[LOGKEEPER_BATCH];
};

/* --- answering --------------------------------------------------------------------------- */
static void waiter_init(struct waiter *w)
{
	memset(w, 0, sizeof *w);
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->done_cond, NULL);
}

static void answer(struct waiter *w, int rc, const struct err *e)
{
	if (!w)
		return;
	pthread_mutex_lock(&w->lock);
	w->rc = rc;
	if (rc != 0 && e)
		w->err = *e;
	w->done = true;
	pthread_cond_signal(&w->done_cond);
	pthread_mutex_unlock(&w->lock);
}

static int wait_answer(struct waiter *w, struct err *e)
{
	pthread_mutex_lock(&w->lock);
	while (!w->done)
		pthread_cond_wait(&w->done_cond, &w->lock);
	pthread_mutex_unlock(&w->lock);
	pthread_cond_destroy(&w->done_cond);
	pthread_mutex_destroy(&w->lock);
	if (w->rc != 0 && e)
		*e = w->err;
	return w->rc;
}

static void tell_screen(struct logkeeper *lk, struct request *r, const char *kind)
{
	struct event *ev = &r->event;

	ev->kind = EVENT_RECORD;
	struct history_counts n = history_counts(lk->history);
	ev->counted = n.irreversible;
	ev->complete = ev->record == RECORD_END && lk->options.quantity &&
		       n.passed + n.scrap >= lk->options.quantity;
	ev->json = record_event(kind, r->seq, r->members,
		lk->options.port_name && ev->place != EVENT_NO_PLACE
			? lk->options.port_name(lk->options.ctx, ev->place)
			: NULL,
		ev->fault);
	event_send(lk->options.screen, ev);
}

/* --- leaves ------------------------------------------------------------------------------ */
static enum begin_verdict may_begin(const struct logkeeper *lk, const struct history_device *d)
{
	struct history_counts n = history_counts(lk->history);
	const struct logkeeper_options *o = &lk->options;

	if (d && d->running)
		return BEGIN_ELSEWHERE;
	if (d && d->passed && !o->again)
		return BEGIN_DONE;
	if (o->not_after && (int64_t)time(NULL) > o->not_after)
		return BEGIN_EXPIRED;
	if (o->count && lk->passed_now + n.running >= o->count)
		return BEGIN_COUNT;
	/* A device counts from its first irreversible step on; one that runs towards it holds a
	 * place, so that ports in parallel cannot exceed the quantity together. */
	if (o->quantity && !(d && d->irreversible) && n.irreversible + n.reserved >= o->quantity)
		return BEGIN_QUANTITY;
	return BEGIN_GO;
}

static int append(struct logkeeper *lk, struct request *r, const char *kind, struct err *e)
{
	/* log_append takes one reference; the screen still needs the members. */
	if (log_append(lk->log, kind, json_incref(r->members), &r->seq, e) != 0)
		return -1;
	r->written = true;
	return 0;
}

static int write_begin(struct logkeeper *lk, struct request *r, struct err *e)
{
	const char *uuid = r->facts->uuid_text;
	struct history_device *d = history_find(lk->history, uuid);
	struct begin_answer *out = &r->waiter->begin;

	out->verdict = may_begin(lk, d);
	if (out->verdict != BEGIN_GO)
		return 0;
	out->attempt = d ? d->attempts + 1 : 1;
	out->resumes = d && d->last == DEVICE_INTERRUPTED;
	out->irreversible = d && d->irreversible;
	if (d) {
		memcpy(out->intended, d->intended, sizeof out->intended);
		memcpy(out->done, d->done, sizeof out->done);
	}
	r->event.attempt = out->attempt;
	r->members = record_begin(r->facts, history_counts(lk->history).begun, out->attempt,
		out->resumes ? (int64_t)d->begin : -1);
	if (!r->members)
		return err_set(e, ERR_ENV, "out of memory");
	if (append(lk, r, "device-begin", e) != 0)
		return -1;
	out->begin = r->seq;
	return history_begin(lk->history, uuid, r->seq, out->attempt, clock_boot_ms(), true, e);
}

static int write_request(struct logkeeper *lk, struct request *r, struct err *e)
{
	const char *uuid = r->event.uuid;

	switch (r->kind) {
	case REQUEST_BEGIN:
		return write_begin(lk, r, e);
	case REQUEST_INTENT:
		if (append(lk, r, "intent", e) != 0)
			return -1;
		history_intent(lk->history, uuid, r->event.step, r->irreversible, r->command);
		return 0;
	case REQUEST_STEP:
		if (append(lk, r, "step", e) != 0)
			return -1;
		history_step(lk->history, uuid, r->event.step, r->irreversible, r->command,
			clock_boot_ms());
		return 0;
	case REQUEST_RECEIPT:
		return append(lk, r, "attestation", e);
	case REQUEST_END:
		if (append(lk, r, "device-end", e) != 0)
			return -1;
		history_end(lk->history, uuid, r->event.result, r->event.fault);
		if (r->event.result == DEVICE_PASS)
			lk->passed_now++;
		return 0;
	case REQUEST_OPERATOR:
		return append(lk, r, "operator", e);
	}
	return err_set(e, ERR_INTERNAL, "unknown request");
}

static const char *leaf_of(enum request_kind kind)
{
	switch (kind) {
	case REQUEST_BEGIN:
		return "device-begin";
	case REQUEST_INTENT:
		return "intent";
	case REQUEST_STEP:
		return "step";
	case REQUEST_RECEIPT:
		return "attestation";
	case REQUEST_END:
		return "device-end";
	case REQUEST_OPERATOR:
		return "operator";
	}
	return "";
}

/* A log that failed once stays failed: what was refused must not be followed by something later. */
static void give_up(struct logkeeper *lk, const struct err *e)
{
	struct event ev = { .kind = EVENT_LOG_FAILED, .place = EVENT_NO_PLACE };

	lk->failed = true;
	lk->fault = *e;
	log_rollback(lk->log);
	snprintf(ev.text, sizeof ev.text, "%s", e->msg);
	event_send_sure(lk->options.screen, &ev);
}

static void finish_batch(struct logkeeper *lk, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct request *r = &lk->batch[i];
		struct err e = lk->fault;
		int rc = lk->failed ? -1 : 0;

		if (r->waiter) {
			r->waiter->seq = r->seq;
			if (rc == 0 && r->kind == REQUEST_INTENT && !r->irreversible)
				rc = log_dice_challenge(lk->log, r->seq + 1, lk->options.package_id,
					r->waiter->challenge, &e);
		}
		if (rc == 0 && r->written)
			tell_screen(lk, r, leaf_of(r->kind));
		json_decref(r->members);
		answer(r->waiter, rc, &e); /* the waiter is gone after this */
	}
}

static void *log_thread(void *arg)
{
	struct logkeeper *lk = arg;
	struct err e = { 0 };

	for (;;) {
		size_t n = 0;
		if (!queue_pop(lk->queue, &lk->batch[0], TICK_MS)) {
			if (queue_is_drained(lk->queue))
				break;
			if (!lk->failed && log_tick(lk->log, &e) != 0)
				give_up(lk, &e);
			continue;
		}
		do {
			struct request *r = &lk->batch[n++];
			if (!lk->failed && write_request(lk, r, &e) != 0)
				give_up(lk, &e);
		} while (n < LOGKEEPER_BATCH && queue_pop(lk->queue, &lk->batch[n], 0));
		if (!lk->failed && log_commit(lk->log, &e) != 0)
			give_up(lk, &e);
		finish_batch(lk, n);
	}
	return NULL;
}

/* --- calls of the workers ---------------------------------------------------------------- */
static int submit(struct logkeeper *lk, struct request *r, struct waiter *w, struct err *e)
{
	if (w) {
		waiter_init(w);
		r->waiter = w;
	}
	if (r->kind != REQUEST_BEGIN && !r->members)
		return err_set(e, ERR_ENV, "out of memory");
	if (!queue_push(lk->queue, r)) {
		json_decref(r->members);
		return err_set(e, ERR_INTERNAL, "the log is closed already");
	}
	return w ? wait_answer(w, e) : 0;
}

static struct request request_of(enum request_kind kind, const char *uuid, enum event_record record)
{
	struct request r = { .kind = kind, .event = { .place = EVENT_NO_PLACE, .record = record } };

	if (uuid)
		snprintf(r.event.uuid, sizeof r.event.uuid, "%s", uuid);
	return r;
}

static int call_begin(
	void *ctx, const struct device_facts *f, struct begin_answer *out, struct err *e)
{
	struct waiter w;
	struct request r = request_of(REQUEST_BEGIN, f->uuid_text, RECORD_BEGIN);

	r.facts = f;
	r.event.place = f->place;
	if (submit(ctx, &r, &w, e) != 0)
		return -1;
	*out = w.begin;
	return 0;
}

static int call_intent(
	void *ctx, const struct intent_facts *f, struct intent_answer *out, struct err *e)
{
	struct waiter w;
	struct request r = request_of(REQUEST_INTENT, f->uuid, RECORD_OTHER);

	r.event.place = f->place;
	r.event.step = f->step;
	r.irreversible = !f->attestation;
	r.members = record_intent(f);
	snprintf(r.command, sizeof r.command, "%s", f->command);
	if (submit(ctx, &r, &w, e) != 0)
		return -1;
	out->seq = w.seq;
	memcpy(out->challenge, w.challenge, sizeof out->challenge);
	return 0;
}

static int call_step(void *ctx, const struct step_facts *f, struct err *e)
{
	struct request r = request_of(REQUEST_STEP, f->uuid, RECORD_STEP);

	r.event.place = f->place;
	r.event.step = f->step;
	r.event.outcome = f->outcome;
	r.irreversible = f->intent >= 0 && f->outcome == STEP_OK;
	r.event.ms = f->ms;
	r.event.done = f->bytes;
	snprintf(r.event.stage, sizeof r.event.stage, "%s", f->stage);
	snprintf(r.event.text, sizeof r.event.text, "%s", f->command);
	r.members = record_step(f);
	snprintf(r.command, sizeof r.command, "%s", f->command);
	return submit(ctx, &r, NULL, e);
}

static int call_attestation(
	void *ctx, const struct attestation_facts *f, uint64_t *seq, struct err *e)
{
	struct waiter w;
	struct request r = request_of(REQUEST_RECEIPT, f->uuid, RECORD_OTHER);

	r.event.place = f->place;
	r.members = record_attestation(f);
	if (submit(ctx, &r, &w, e) != 0)
		return -1;
	*seq = w.seq;
	return 0;
}

static int call_end(void *ctx, const struct end_facts *f, struct err *e)
{
	struct waiter w;
	struct request r = request_of(REQUEST_END, f->uuid, RECORD_END);

	r.event.place = f->place;
	r.event.result = f->result;
	r.event.fault = f->fault;
	r.event.ms = f->ms;
	snprintf(r.event.text, sizeof r.event.text, "%s", f->reason ? f->reason : "");
	r.members = record_end(f);
	return submit(ctx, &r, &w, e);
}

static int call_operator(void *ctx, const char *action, const char *text, struct err *e)
{
	return logkeeper_operator(ctx, action, text, e);
}

int logkeeper_operator(struct logkeeper *lk, const char *action, const char *text, struct err *e)
{
	struct request r = request_of(REQUEST_OPERATOR, NULL, RECORD_OTHER);

	r.members = record_operator(action, lk->options.operator, text);
	return submit(lk, &r, NULL, e);
}

struct journal logkeeper_journal(struct logkeeper *lk)
{
	return (struct journal){ call_begin, call_intent, call_step, call_attestation, call_end,
		call_operator, lk };
}

/* --- recovery ---------------------------------------------------------------------------- */
static int read_leaf(void *ctx, const struct leaf *leaf, struct err *e)
{
	return history_leaf(ctx, leaf, e);
}

struct open_list {
	struct log *log;
	struct history_device **v;
	size_t n, cap;
	bool no_memory;
};

static void collect(void *ctx, const struct history_device *d)
{
	struct open_list *list = ctx;

	if (list->n == list->cap) {
		size_t cap = list->cap ? 2 * list->cap : 16;
		struct history_device **grown = realloc(list->v, cap * sizeof(*grown));
		if (!grown) {
			list->no_memory = true;
			return;
		}
		list->v = grown;
		list->cap = cap;
	}
	list->v[list->n] = malloc(sizeof **list->v);
	if (!list->v[list->n])
		list->no_memory = true;
	else
		*list->v[list->n++] = *d;
}

static int by_begin(const void *a, const void *b)
{
	const struct history_device *x = *(struct history_device *const *)a;
	const struct history_device *y = *(struct history_device *const *)b;

	return x->begin < y->begin ? -1 : x->begin > y->begin;
}

static int end_interrupted(
	struct log *log, struct history *h, const struct history_device *d, struct err *e)
{
	char reason[FAULT_REASON_CAP];
	int64_t ms = d->last_boot_ms - d->begin_boot_ms;
	struct end_facts f = { .begin = d->begin,
		.uuid = d->uuid,
		.result = DEVICE_INTERRUPTED,
		.reason = reason,
		.irreversible = d->irreversible_now,
		.attestation = -1,
		.ms = ms > 0 ? ms : 0 };

	snprintf(reason, sizeof reason,
		"the station stopped without ending it (crash or power loss)%s%s",
		d->doing[0] ? "; last known: " : "", d->doing);
	json_t *members = record_end(&f);
	if (!members)
		return err_set(e, ERR_ENV, "out of memory");
	if (log_append(log, "device-end", members, NULL, e) != 0)
		return -1;
	history_end(h, d->uuid, DEVICE_INTERRUPTED, FAULT_NONE);
	return 0;
}

int logkeeper_recover(struct log *log, struct history **history, size_t *n_open, struct err *e)
{
	struct history *h = NULL;
	struct open_list open = { .log = log };
	int rc = -1;

	if (history_new(&h, e) != 0)
		return -1;
	if (log_each(log, read_leaf, h, e) != 0)
		goto out;
	history_each_open(h, collect, &open);
	if (open.no_memory) {
		err_set(e, ERR_ENV, "out of memory");
		goto out;
	}
	if (open.n)
		qsort(open.v, open.n, sizeof(*open.v), by_begin);
	for (size_t i = 0; i < open.n; i++)
		if (end_interrupted(log, h, open.v[i], e) != 0)
			goto out;
	if (log_commit(log, e) != 0)
		goto out;
	*history = h;
	*n_open = open.n;
	h = NULL;
	rc = 0;
out:
	for (size_t i = 0; i < open.n; i++)
		free(open.v[i]);
	free(open.v);
	history_free(h);
	return rc;
}

/* --- life -------------------------------------------------------------------------------- */
static void free_keeper(struct logkeeper *lk)
{
	queue_free(lk->queue);
	history_free(lk->history);
	log_free(lk->log);
	free(lk);
}

int logkeeper_start(struct logkeeper **out, struct log *log, struct history *history,
	const struct logkeeper_options *options, struct err *e)
{
	struct logkeeper *lk = calloc(1, sizeof *lk);

	if (!lk) {
		history_free(history);
		log_free(log);
		return err_set(e, ERR_ENV, "out of memory");
	}
	lk->log = log;
	lk->history = history;
	lk->options = *options;
	if (queue_new(&lk->queue, LOGKEEPER_QUEUE, sizeof(struct request), e) != 0) {
		free_keeper(lk);
		return -1;
	}
	if (pthread_create(&lk->thread, NULL, log_thread, lk) != 0) {
		free_keeper(lk);
		return err_set(e, ERR_ENV, "cannot start the log's thread");
	}
	*out = lk;
	return 0;
}

int logkeeper_stop(struct logkeeper *lk, const char *reason, bool auto_close,
	struct history_counts *counts, bool *closed, struct err *e)
{
	queue_close(lk->queue);
	pthread_join(lk->thread, NULL);

	struct history_counts n = history_counts(lk->history);
	int rc = 0;
	if (counts)
		*counts = n;
	*closed = false;
	if (auto_close && lk->options.quantity && n.passed + n.scrap >= lk->options.quantity)
		reason = "complete";
	if (lk->failed) {
		*e = lk->fault;
		rc = -1;
	} else if (reason) {
		rc = log_close(lk->log, reason, e);
		*closed = rc == 0;
	} else {
		rc = log_seal_epoch(lk->log, e);
	}
	free_keeper(lk);
	return rc;
}

/* The log thread: who may be begun, group commit, what a crash leaves and how it is ended, a log
 * that cannot be written. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>

#include "base/text.h"
#include "evidence/audit.h"
#include "evidence_log.h"
#include "runner/logkeeper.h"

struct bench {
	struct ev_log ev;
	struct event_sink screen;
	struct logkeeper *keeper;
	struct journal journal;
};

static const char *port(void *ctx, size_t place)
{
	static char name[16];

	(void)ctx;
	snprintf(name, sizeof name, "p%zu", place);
	return name;
}

static void open_bench(struct bench *b, const char *name, uint64_t quantity, uint64_t count)
{
	struct history *h = NULL;
	size_t open;
	struct err e = { 0 };

	memset(b, 0, sizeof *b);
	ev_log_start(&b->ev, name, ROLE_ORDER);
	ev_log_package(&b->ev);
	assert_int_equal(queue_new(&b->screen.queue, 4096, sizeof(struct event), NULL), 0);
	assert_int_equal(logkeeper_recover(b->ev.log, &h, &open, &e), 0);
	struct logkeeper_options o = { .quantity = quantity,
		.count = count,
		.operator= "test",
		.screen = &b->screen,
		.port_name = port };
	assert_int_equal(logkeeper_start(&b->keeper, b->ev.log, h, &o, &e), 0);
	b->ev.log = NULL;
	b->journal = logkeeper_journal(b->keeper);
}

static void close_bench(struct bench *b)
{
	struct event ev;

	while (queue_pop(b->screen.queue, &ev, 0))
		json_decref(ev.json);
	queue_free(b->screen.queue);
	ev_log_end(&b->ev);
}

static void facts(struct device_facts *f, unsigned n)
{
	*f = (struct device_facts){ .slot = "A1",
		.port = "p",
		.family = "mcxn947",
		.revision = "a1",
		.lifecycle = "blank",
		.place = n };
	ev_uuid(n, f->uuid_text);
}

static struct begin_answer begin(struct bench *b, unsigned n)
{
	struct device_facts f;
	struct begin_answer a;
	struct err e = { 0 };

	facts(&f, n);
	if (b->journal.begin(b->journal.ctx, &f, &a, &e) != 0)
		fail_msg("%s", e.msg);
	return a;
}

static uint64_t intend(struct bench *b, unsigned n, uint64_t seq)
{
	char uuid[33];
	struct intent_facts f = { .begin = seq,
		.uuid = ev_uuid(n, uuid),
		.stage = "provision",
		.command = "receive-sb-file sb/provisioning.sb3",
		.step = 1 };
	struct intent_answer a;
	struct err e = { 0 };

	if (b->journal.intent(b->journal.ctx, &f, &a, &e) != 0)
		fail_msg("%s", e.msg);
	return a.seq;
}

static void step(struct bench *b, unsigned n, uint64_t seq, int64_t intent)
{
	char uuid[33];
	struct step_facts f = { .begin = seq,
		.uuid = ev_uuid(n, uuid),
		.stage = "provision",
		.command = "receive-sb-file sb/provisioning.sb3",
		.step = 1,
		.intent = intent,
		.outcome = STEP_OK,
		.tries = 1 };
	struct err e = { 0 };

	assert_int_equal(b->journal.step(b->journal.ctx, &f, &e), 0);
}

static void finish(
	struct bench *b, unsigned n, uint64_t seq, enum device_result result, enum fault_code fault)
{
	char uuid[33], reason[FAULT_REASON_CAP] = "";
	struct fault x = { .code = fault };
	struct end_facts f = { .begin = seq,
		.uuid = ev_uuid(n, uuid),
		.result = result,
		.irreversible = true,
		.attestation = -1,
		.fault = fault };
	struct err e = { 0 };

	if (fault != FAULT_NONE) {
		fault_reason(&x, reason);
		f.reason = reason;
	}
	if (b->journal.end(b->journal.ctx, &f, &e) != 0)
		fail_msg("%s", e.msg);
}

static void device(struct bench *b, unsigned n, enum device_result result, enum fault_code fault)
{
	struct begin_answer a = begin(b, n);

	assert_int_equal(a.verdict, BEGIN_GO);
	step(b, n, a.begin, (int64_t)intend(b, n, a.begin));
	finish(b, n, a.begin, result, fault);
}

static enum audit_verdict audit(struct bench *b)
{
	static struct audit_result r;
	struct audit_expect x = { .oem = &b->ev.oem, .n_oem = 1 };
	struct err e = { 0 };

	if (audit_verify(b->ev.path, &x, &r, &e) != 0)
		fail_msg("%s", e.msg);
	for (size_t i = 0; i < r.n_findings; i++)
		if (r.findings[i].severity == AUDIT_FAULT)
			print_error("%s: %s\n", r.findings[i].attack, r.findings[i].text);
	return r.verdict;
}

/* --- who may be begun -------------------------------------------------------------------- */
static void quantity_and_uuid(void **state)
{
	(void)state;
	struct bench b = { 0 };
	struct err e = { 0 };
	struct history_counts n;
	bool closed;
	open_bench(&b, "quantity", 2, 0);
	device(&b, 1, DEVICE_PASS, FAULT_NONE);
	assert_int_equal(begin(&b, 1).verdict, BEGIN_DONE);
	struct begin_answer a = begin(&b, 2);
	assert_int_equal(a.verdict, BEGIN_GO);
	assert_int_equal(begin(&b, 2).verdict, BEGIN_ELSEWHERE);
	/* 2 holds the last place although nothing irreversible was done to it yet */
	assert_int_equal(begin(&b, 3).verdict, BEGIN_QUANTITY);
	finish(&b, 2, a.begin, DEVICE_FAIL, FAULT_TIMEOUT);
	/* it failed before: the place is free again */
	a = begin(&b, 3);
	assert_int_equal(a.verdict, BEGIN_GO);
	uint64_t intent = intend(&b, 3, a.begin);
	assert_int_equal(begin(&b, 2).verdict, BEGIN_QUANTITY);
	step(&b, 3, a.begin, (int64_t)intent);
	finish(&b, 3, a.begin, DEVICE_FAIL, FAULT_TIMEOUT);
	/* rework of a device that counts already is always possible */
	a = begin(&b, 3);
	assert_int_equal(a.verdict, BEGIN_GO);
	assert_int_equal(a.attempt, 2);
	assert_true(a.irreversible);
	assert_true(step_set_has(a.intended, 1) && step_set_has(a.done, 1));
	assert_false(step_set_has(a.intended, 0));
	finish(&b, 3, a.begin, DEVICE_PASS, FAULT_NONE);
	assert_int_equal(logkeeper_stop(b.keeper, NULL, true, &n, &closed, &e), 0);
	assert_true(closed); /* both of the quantity have passed */
	assert_int_equal(n.passed, 2);
	assert_int_equal(n.irreversible, 2);
	close_bench(&b);
}

static void scrap_completes_an_order(void **state)
{
	(void)state;
	struct bench b = { 0 };
	struct err e = { 0 };
	bool closed;
	open_bench(&b, "scrap", 2, 0);
	device(&b, 1, DEVICE_PASS, FAULT_NONE);
	device(&b, 2, DEVICE_FAIL, FAULT_SIGNATURE);
	assert_int_equal(logkeeper_stop(b.keeper, NULL, true, NULL, &closed, &e), 0);
	assert_true(closed);
	close_bench(&b);

	open_bench(&b, "rework", 2, 0); /* a transient fault does not: the board can be finished */
	device(&b, 1, DEVICE_PASS, FAULT_NONE);
	device(&b, 2, DEVICE_FAIL, FAULT_PORT_CLOSED);
	assert_int_equal(logkeeper_stop(b.keeper, NULL, true, NULL, &closed, &e), 0);
	assert_false(closed);
	close_bench(&b);
}

static void count_of_a_run(void **state)
{
	(void)state;
	struct bench b = { 0 };
	struct err e = { 0 };
	bool closed;
	open_bench(&b, "count", 100, 1);
	struct begin_answer a = begin(&b, 1);
	assert_int_equal(a.verdict, BEGIN_GO);
	assert_int_equal(begin(&b, 2).verdict, BEGIN_COUNT);
	finish(&b, 1, a.begin, DEVICE_FAIL, FAULT_TIMEOUT);
	device(&b, 2, DEVICE_PASS, FAULT_NONE);
	assert_int_equal(begin(&b, 3).verdict, BEGIN_COUNT);
	assert_int_equal(logkeeper_stop(b.keeper, NULL, true, NULL, &closed, &e), 0);
	close_bench(&b);
}

/* --- many ports at once ------------------------------------------------------------------ */
enum { PORTS = 24, QUANTITY = 10 };

struct port_arg {
	struct bench *b;
	unsigned n;
	enum begin_verdict verdict;
};

static void *port_thread(void *arg)
{
	struct port_arg *p = arg;
	struct begin_answer a = begin(p->b, p->n);

	p->verdict = a.verdict;
	if (a.verdict != BEGIN_GO)
		return NULL;
	step(p->b, p->n, a.begin, (int64_t)intend(p->b, p->n, a.begin));
	finish(p->b, p->n, a.begin, DEVICE_PASS, FAULT_NONE);
	return NULL;
}

static int count_rows(const char *path, const char *sql)
{
	sqlite3 *db = NULL;
	sqlite3_stmt *st = NULL;

	assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &st, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(st), SQLITE_ROW);
	int n = sqlite3_column_int(st, 0);
	sqlite3_finalize(st);
	sqlite3_close(db);
	return n;
}

static void ports_in_parallel(void **state)
{
	(void)state;
	struct bench b = { 0 };
	struct err e = { 0 };
	struct port_arg args[PORTS];
	pthread_t t[PORTS];
	bool closed;
	unsigned begun = 0;
	open_bench(&b, "parallel", QUANTITY, 0);
	for (unsigned i = 0; i < PORTS; i++) {
		args[i] = (struct port_arg){ .b = &b, .n = i };
		assert_int_equal(pthread_create(&t[i], NULL, port_thread, &args[i]), 0);
	}
	for (unsigned i = 0; i < PORTS; i++) {
		pthread_join(t[i], NULL);
		begun += args[i].verdict == BEGIN_GO;
	}
	assert_int_equal(begun, QUANTITY); /* not one more, however they raced */
	assert_int_equal(logkeeper_stop(b.keeper, NULL, true, NULL, &closed, &e), 0);
	assert_true(closed);
	assert_int_equal(audit(&b), AUDIT_PASS);
	/* group commit: fewer checkpoints than leaves would need one by one */
	int leaves = count_rows(b.ev.path, "select count(*) from leaf");
	int checkpoints = count_rows(b.ev.path, "select count(*) from checkpoint");
	assert_true(checkpoints < leaves);
	close_bench(&b);
}

/* --- a crash ----------------------------------------------------------------------------- */
static void crash_leaves_devices_open(void **state)
{
	(void)state;
	struct ev_log ev = { 0 };
	struct history *h = NULL;
	size_t open = 0;
	struct err e = { 0 };
	char uuid[33];
	ev_log_start(&ev, "crash", ROLE_ORDER);
	ev_log_package(&ev);
	ev_log_device(&ev, 1, true);
	uint64_t begun = ev_log_begin(&ev, 2, 1);
	uint64_t intent = ev_log_add(&ev, "intent",
		json_pack("{s:I,s:s,s:i,s:s,s:s,s:s}", "begin", (json_int_t)begun, "uuid",
			ev_uuid(2, uuid), "step", 1, "stage", "provision", "command",
			"receive-sb-file sb/provisioning.sb3", "why", "irreversible"));
	assert_int_equal(log_commit(ev.log, &e), 0);
	ev_log_begin(&ev, 3, 1);
	assert_int_equal(log_commit(ev.log, &e), 0);
	log_free(ev.log); /* the process is gone */
	ev.log = NULL;

	assert_int_equal(log_resume(&ev.log, &ev.open, &e), 0);
	assert_int_equal(logkeeper_recover(ev.log, &h, &open, &e), 0);
	assert_int_equal(open, 2);
	struct history_counts n = history_counts(h);
	assert_int_equal(n.open, 0);
	assert_int_equal(n.begun, 3);
	assert_int_equal(n.passed, 1);
	assert_int_equal(n.irreversible, 2);
	const struct history_device *d = history_find(h, ev_uuid(2, uuid));
	assert_non_null(d);
	assert_int_equal(d->last, DEVICE_INTERRUPTED);
	assert_true(d->irreversible);
	assert_true(step_set_has(d->intended, 1));
	assert_false(step_set_has(d->done, 1)); /* nobody knows how it ended */
	assert_int_equal(d->begin, begun);
	assert_true(intent > begun);
	assert_false(history_find(h, ev_uuid(3, uuid))->irreversible);
	assert_null(history_find(h, ev_uuid(4, uuid)));

	/* A second look finds nothing open any more. */
	history_free(h);
	h = NULL;
	assert_int_equal(logkeeper_recover(ev.log, &h, &open, &e), 0);
	assert_int_equal(open, 0);

	/* The device comes again: it is known, and the leaf says what it continues. */
	struct event_sink screen = { 0 };
	struct logkeeper *keeper = NULL;
	struct bench b = { .ev = ev };
	assert_int_equal(queue_new(&screen.queue, 256, sizeof(struct event), NULL), 0);
	struct logkeeper_options o = { .quantity = 100, .operator= "test", .screen = &screen };
	assert_int_equal(logkeeper_start(&keeper, ev.log, h, &o, &e), 0);
	ev.log = b.ev.log = NULL;
	b.journal = logkeeper_journal(keeper);
	struct begin_answer a = begin(&b, 2);
	assert_int_equal(a.verdict, BEGIN_GO);
	assert_int_equal(a.attempt, 2);
	assert_true(a.resumes && a.irreversible);
	finish(&b, 2, a.begin, DEVICE_PASS, FAULT_NONE);
	bool closed;
	assert_int_equal(logkeeper_stop(keeper, "operator", false, NULL, &closed, &e), 0);
	assert_true(closed);
	char sql[200];
	snprintf(sql, sizeof sql, "select data->>'$.resumes' from leaf where seq=%llu",
		(unsigned long long)a.begin);
	assert_int_equal(count_rows(ev.path, sql), begun);
	struct event x;
	while (queue_pop(screen.queue, &x, 0))
		json_decref(x.json);
	queue_free(screen.queue);
	ev_log_end(&ev);
}

/* --- a disk that fails ------------------------------------------------------------------- */
static void log_that_cannot_be_written(void **state)
{
	(void)state;
	struct bench b = { 0 };
	struct err e = { 0 };
	bool closed, told = false;
	char uuid[33];
	open_bench(&b, "full", 100, 0);
	struct begin_answer a = begin(&b, 1);
	/* A full disk, or as good as one: no file may grow any more. */
	struct rlimit before, none = { 0 };
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	none.rlim_max = before.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
	struct intent_facts f = {
		.begin = a.begin, .uuid = ev_uuid(1, uuid), .stage = "s", .command = "c", .step = 1
	};
	struct intent_answer answer;
	int rc = b.journal.intent(b.journal.ctx, &f, &answer, &e);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(rc, -1);
	assert_int_equal(e.code, ERR_ENV);
	/* The disk is well again, but this run is over: what was refused is not followed by more.
	 */
	assert_int_equal(b.journal.intent(b.journal.ctx, &f, &answer, &e), -1);
	struct event ev;
	while (queue_pop(b.screen.queue, &ev, 0)) {
		told |= ev.kind == EVENT_LOG_FAILED;
		json_decref(ev.json);
	}
	assert_true(told);
	assert_int_equal(logkeeper_stop(b.keeper, NULL, true, NULL, &closed, &e), -1);
	assert_int_equal(e.code, ERR_ENV);
	assert_false(closed);
	assert_int_equal(audit(&b), AUDIT_INCOMPLETE); /* what was acknowledged is all there */
	close_bench(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quantity_and_uuid),
		cmocka_unit_test(scrap_completes_an_order),
		cmocka_unit_test(count_of_a_run),
		cmocka_unit_test(ports_in_parallel),
		cmocka_unit_test(crash_leaves_devices_open),
		cmocka_unit_test(log_that_cannot_be_written),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

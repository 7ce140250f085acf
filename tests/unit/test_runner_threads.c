/* What threads of a run share: queue, brake, questions. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <poll.h>

#include "base/text.h"
#include "runner/brake.h"
#include "runner/prompt.h"
#include "runner/queue.h"

static bool readable(const struct queue *q)
{
	struct pollfd p = { .fd = queue_fd(q), .events = POLLIN };

	return poll(&p, 1, 0) == 1;
}

static void queue_in_order(void **state)
{
	(void)state;
	struct queue *q = NULL;
	int v;
	assert_int_equal(queue_new(&q, 3, sizeof v, NULL), 0);
	assert_false(readable(q));
	assert_false(queue_pop(q, &v, 0));
	for (v = 1; v <= 3; v++)
		assert_true(queue_try_push(q, &v));
	assert_false(queue_try_push(q, &v)); /* full: memory never grows */
	assert_true(readable(q));
	for (int i = 1; i <= 3; i++) {
		assert_true(queue_pop(q, &v, 0));
		assert_int_equal(v, i);
	}
	assert_false(readable(q));
	int64_t start = clock_mono_ms();
	assert_false(queue_pop(q, &v, 50));
	assert_in_range(clock_mono_ms() - start, 45, 2000);

	v = 9;
	assert_true(queue_try_push(q, &v));
	queue_close(q);
	assert_false(queue_push(q, &v));
	assert_false(queue_is_drained(q));
	assert_true(queue_pop(q, &v, -1)); /* what is inside still comes out */
	assert_int_equal(v, 9);
	assert_false(queue_pop(q, &v, -1));
	assert_true(queue_is_drained(q));
	assert_true(readable(q)); /* poll() notices the end */
	queue_free(q);
}

enum { SENDERS = 8, EACH = 2000 };

static void *sender(void *arg)
{
	struct queue *q = ((void **)arg)[0];
	long base = (long)((void **)arg)[1];

	for (long i = 0; i < EACH; i++) {
		long v = base * EACH + i;
		assert_true(queue_push(q, &v));
	}
	return NULL;
}

static void queue_many_senders(void **state)
{
	(void)state;
	struct queue *q = NULL;
	pthread_t t[SENDERS];
	void *args[SENDERS][2];
	long last[SENDERS], v;
	assert_int_equal(queue_new(&q, 16, sizeof v, NULL), 0);
	for (long i = 0; i < SENDERS; i++) {
		args[i][0] = q;
		args[i][1] = (void *)i;
		last[i] = -1;
		assert_int_equal(pthread_create(&t[i], NULL, sender, args[i]), 0);
	}
	for (long n = 0; n < (long)SENDERS * EACH; n++) {
		assert_true(queue_pop(q, &v, 5000));
		assert_true(v % EACH > last[v / EACH]); /* each sender's own order is kept */
		last[v / EACH] = v % EACH;
	}
	assert_false(queue_pop(q, &v, 0));
	for (int i = 0; i < SENDERS; i++)
		pthread_join(t[i], NULL);
	queue_free(q);
}

static void brake_lets_the_irreversible_finish(void **state)
{
	(void)state;
	struct brake b;
	brake_init(&b);
	assert_true(brake_enter(&b));
	brake_pull(&b);
	assert_true(brake_pulled(&b));
	assert_false(atomic_load(&b.cancel)); /* inside: not cancelled */
	assert_true(brake_enter(&b)); /* the next step of the same stage */
	brake_leave(&b);
	assert_true(atomic_load(&b.cancel));
	assert_false(brake_enter(&b)); /* nothing new */
	assert_false(brake_sleep(&b, 10000)); /* does not sleep */
	brake_clear(&b);

	brake_init(&b);
	int64_t start = clock_mono_ms();
	assert_true(brake_sleep(&b, 30));
	assert_true(clock_mono_ms() - start >= 29);
	brake_pull(&b);
	assert_true(atomic_load(&b.cancel));
	brake_clear(&b);
}

struct asker {
	struct prompts *prompts;
	struct event_sink *screen;
	struct brake *brake;
	size_t place;
	int timeout_ms, rc;
	char answer[PROMPT_ANSWER_MAX + 1];
	struct err e;
};

static void *ask(void *arg)
{
	struct asker *a = arg;

	a->rc = prompts_ask(a->prompts, a->screen, a->place, "uuid", "scan serial", a->timeout_ms,
		a->brake, a->answer, &a->e);
	return NULL;
}

static void await(struct prompts *p, size_t *place)
{
	char text[SCRIPT_TEXT_MAX + 1];

	while (!prompts_next(p, place, text))
		;
	assert_string_equal(text, "scan serial");
}

static void questions(void **state)
{
	(void)state;
	struct event_sink screen = { 0 };
	struct brake brake;
	struct prompts *p = NULL;
	pthread_t t;
	size_t place;
	brake_init(&brake);
	assert_int_equal(queue_new(&screen.queue, 8, sizeof(struct event), NULL), 0);
	assert_int_equal(prompts_new(&p, 2, NULL), 0);
	struct asker a = {
		.prompts = p, .screen = &screen, .brake = &brake, .place = 1, .timeout_ms = 10000
	};

	pthread_create(&t, NULL, ask, &a);
	await(p, &place);
	assert_int_equal(place, 1);
	prompts_answer(p, 1, "SN-42\x1b[31m\n"); /* a scanner may send anything */
	pthread_join(t, NULL);
	assert_int_equal(a.rc, 0);
	assert_string_equal(a.answer, "SN-42\\x1b[31m");

	pthread_create(&t, NULL, ask, &a);
	await(p, &place);
	prompts_answer(p, 1, NULL);
	pthread_join(t, NULL);
	assert_int_equal(a.rc, -1);
	assert_int_equal(a.e.code, ERR_REJECTED);
	assert_string_equal(a.e.msg, "nobody answered \"scan serial\"");

	a.timeout_ms = 100;
	pthread_create(&t, NULL, ask, &a);
	pthread_join(t, NULL);
	assert_int_equal(a.e.code, ERR_TIMEOUT);

	a.timeout_ms = 60000;
	pthread_create(&t, NULL, ask, &a);
	await(p, &place);
	brake_pull(&brake);
	pthread_join(t, NULL);
	assert_int_equal(a.e.code, ERR_CANCELLED);

	struct err e = { 0 };
	assert_int_equal(prompts_ask(NULL, &screen, 0, "u", "q", 1, &brake, a.answer, &e), -1);
	assert_string_equal(e.msg, "no operator to ask");
	prompts_free(p);
	queue_free(screen.queue);
	brake_clear(&brake);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(queue_in_order),
		cmocka_unit_test(queue_many_senders),
		cmocka_unit_test(brake_lets_the_irreversible_finish),
		cmocka_unit_test(questions),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "runner/prompt.h"

#define LOOK_MS 200 /* how soon a waiting worker notices the brake */

enum state { IDLE, ASKED, ANSWERED, REFUSED };

struct question {
	enum state state;
	uint64_t order; /* who asked first */
	char text[SCRIPT_TEXT_MAX + 1];
	char answer[PROMPT_ANSWER_MAX + 1];
};

struct prompts {
	pthread_mutex_t lock;
	pthread_cond_t answered;
	uint64_t asked;
	size_t n;
	struct question q[];
};

int prompts_new(struct prompts **out, size_t places, struct err *e)
{
	struct prompts *p = calloc(1, sizeof *p + places * sizeof(struct question));

	if (!p)
		return err_set(e, ERR_ENV, "out of memory");
	pthread_condattr_t attr;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->answered, &attr);
	pthread_condattr_destroy(&attr);
	p->n = places;
	*out = p;
	return 0;
}

void prompts_free(struct prompts *p)
{
	if (!p)
		return;
	pthread_cond_destroy(&p->answered);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

static struct timespec in_ms(int64_t ms)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += ms / 1000;
	t.tv_nsec += ms % 1000 * 1000000L;
	if (t.tv_nsec >= 1000000000L) {
		t.tv_sec++;
		t.tv_nsec -= 1000000000L;
	}
	return t;
}

int prompts_ask(struct prompts *p, struct event_sink *screen, size_t place, const char *uuid,
	const char *question, int timeout_ms, struct brake *brake,
	char answer[PROMPT_ANSWER_MAX + 1], struct err *e)
{
	if (!p || place >= p->n)
		return err_set(e, ERR_REJECTED, "no operator to ask");
	struct question *q = &p->q[place];
	int64_t deadline = clock_mono_ms() + timeout_ms;

	pthread_mutex_lock(&p->lock);
	q->state = ASKED;
	q->order = p->asked++;
	snprintf(q->text, sizeof q->text, "%s", question);
	pthread_mutex_unlock(&p->lock);

	struct event ev = { .kind = EVENT_PROMPT, .place = place };
	snprintf(ev.uuid, sizeof ev.uuid, "%s", uuid);
	snprintf(ev.text, sizeof ev.text, "%s", question);
	event_send_sure(screen, &ev);

	pthread_mutex_lock(&p->lock);
	while (q->state == ASKED && clock_mono_ms() < deadline && !brake_pulled(brake)) {
		struct timespec until = in_ms(LOOK_MS);
		pthread_cond_timedwait(&p->answered, &p->lock, &until);
	}
	enum state state = q->state;
	q->state = IDLE;
	if (state == ANSWERED)
		memcpy(answer, q->answer, sizeof q->answer);
	pthread_mutex_unlock(&p->lock);

	if (state == ANSWERED)
		return 0;
	if (state == REFUSED)
		return err_set(e, ERR_REJECTED, "nobody answered \"%s\"", question);
	if (brake_pulled(brake))
		return err_set(e, ERR_CANCELLED, "stopped while asking \"%s\"", question);
	return err_set(
		e, ERR_TIMEOUT, "no answer to \"%s\" within %d s", question, timeout_ms / 1000);
}

bool prompts_next(struct prompts *p, size_t *place, char question[SCRIPT_TEXT_MAX + 1])
{
	const struct question *oldest = NULL;

	pthread_mutex_lock(&p->lock);
	for (size_t i = 0; i < p->n; i++)
		if (p->q[i].state == ASKED && (!oldest || p->q[i].order < oldest->order))
			oldest = &p->q[i];
	if (oldest) {
		*place = (size_t)(oldest - p->q);
		snprintf(question, SCRIPT_TEXT_MAX + 1, "%s", oldest->text);
	}
	pthread_mutex_unlock(&p->lock);
	return oldest != NULL;
}

bool prompts_open(struct prompts *p, size_t place)
{
	pthread_mutex_lock(&p->lock);
	bool open = p->q[place].state == ASKED;
	pthread_mutex_unlock(&p->lock);
	return open;
}

void prompts_answer(struct prompts *p, size_t place, const char *line)
{
	pthread_mutex_lock(&p->lock);
	struct question *q = &p->q[place];
	if (q->state == ASKED && !line) {
		q->state = REFUSED;
	} else if (q->state == ASKED) {
		text_escape(q->answer, sizeof q->answer, line, strcspn(line, "\r\n"));
		q->state = ANSWERED;
	}
	pthread_cond_broadcast(&p->answered);
	pthread_mutex_unlock(&p->lock);
}

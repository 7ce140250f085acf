/* prompt - questions of a script to the operator.
 *
 * A worker asks and waits; the thread that owns the screen shows one question at a time and answers
 * it from the keyboard or a barcode scanner. A script's answers are text for the log, nothing else:
 * they choose no step and reach no device.
 */
#ifndef RUNNER_PROMPT_H
#define RUNNER_PROMPT_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "runner/brake.h"
#include "runner/event.h"

#define PROMPT_ANSWER_MAX 120

struct prompts;

int prompts_new(struct prompts **out, size_t places, struct err *e) CHECKED;
void prompts_free(struct prompts *p);

/* prompts_ask - the worker of `place`: ERR_TIMEOUT, ERR_CANCELLED (brake), ERR_REJECTED (nobody is
 * there to answer). The answer is printable text. */
int prompts_ask(struct prompts *p, struct event_sink *screen, size_t place, const char *uuid,
	const char *question, int timeout_ms, struct brake *brake,
	char answer[PROMPT_ANSWER_MAX + 1], struct err *e) CHECKED;

/* The screen's side. prompts_next - the place of the oldest open question, false when there is
 * none; prompts_answer - a line for it (NULL: nobody will answer). */
bool prompts_next(struct prompts *p, size_t *place, char question[SCRIPT_TEXT_MAX + 1]);
bool prompts_open(struct prompts *p, size_t place); /* still waiting for its answer */
void prompts_answer(struct prompts *p, size_t place, const char *line);

#endif

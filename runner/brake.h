/* brake - stopping one worker at a safe point.
 *
 * The operator's second Ctrl-C pulls all brakes. A worker in a reversible step is cancelled at once
 * (mboot ends the data phase as the protocol provides); one in an irreversible stage finishes that
 * stage first, for a device half-way through it would be the worst of all outcomes.
 * Pulled by any thread, obeyed by the worker that owns it.
 */
#ifndef RUNNER_BRAKE_H
#define RUNNER_BRAKE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

struct brake {
	pthread_mutex_t lock;
	pthread_cond_t pulled_cond;
	bool pulled, irreversible;
	atomic_bool cancel; /* what mboot looks at */
};

void brake_init(struct brake *b);
void brake_clear(struct brake *b);
void brake_pull(struct brake *b);
bool brake_pulled(struct brake *b);

/* brake_enter - about to begin something irreversible: false when the brake is pulled (do not),
 * else it will be finished, until brake_leave(). Again inside: still true. */
bool brake_enter(struct brake *b);
void brake_leave(struct brake *b);

/* brake_sleep - wait, but not longer than until the brake is pulled: false when it is. */
bool brake_sleep(struct brake *b, int ms);

#endif

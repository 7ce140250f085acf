/* queue - a bounded queue between threads.
 *
 * Fixed-size items, copied in and out; many senders, many receivers. Full means wait (queue_push)
 * or refuse (queue_try_push): memory never grows. queue_fd() becomes readable when there is
 * something to take, so that one thread can poll() it beside signals, keys and ports.
 * Any thread; freed by the owner after all users have ended.
 */
#ifndef RUNNER_QUEUE_H
#define RUNNER_QUEUE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct queue;

/* queue_new - `capacity` items of `item_size` bytes. ERR_ENV. */
int queue_new(struct queue **out, size_t capacity, size_t item_size, struct err *e) CHECKED;
void queue_free(struct queue *q);

bool queue_try_push(struct queue *q, const void *item); /* false: full or closed */
bool queue_push(struct queue *q, const void *item); /* waits while full; false: closed */

/* queue_pop - the oldest item: true; false after timeout_ms (-1: wait for ever, 0: look) or when
 * the queue is closed and empty. */
bool queue_pop(struct queue *q, void *item, int timeout_ms);

/* queue_close - no more pushes; what is inside can still be popped. */
void queue_close(struct queue *q);
bool queue_is_drained(struct queue *q); /* closed, and nothing is left */
int queue_fd(const struct queue *q);

#endif

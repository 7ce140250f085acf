#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "runner/queue.h"

struct queue {
	pthread_mutex_t lock;
	pthread_cond_t not_empty, not_full;
	size_t capacity, item_size;
	size_t first, n; /* ring */
	bool closed;
	int fd; /* eventfd: readable while n > 0 or closed */
	uint8_t items[];
};

int queue_new(struct queue **out, size_t capacity, size_t item_size, struct err *e)
{
	if (!capacity || !item_size || capacity > SIZE_MAX / 2 / item_size)
		return err_set(e, ERR_INTERNAL, "queue of %zu items", capacity);
	struct queue *q = calloc(1, sizeof *q + capacity * item_size);
	if (!q)
		return err_set(e, ERR_ENV, "out of memory");
	q->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (q->fd < 0) {
		err_errno(e, "cannot create an eventfd");
		free(q);
		return -1;
	}
	pthread_condattr_t attr;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC); /* a clock step must not end a wait */
	pthread_mutex_init(&q->lock, NULL);
	pthread_cond_init(&q->not_empty, &attr);
	pthread_cond_init(&q->not_full, &attr);
	pthread_condattr_destroy(&attr);
	q->capacity = capacity;
	q->item_size = item_size;
	*out = q;
	return 0;
}

void queue_free(struct queue *q)
{
	if (!q)
		return;
	pthread_cond_destroy(&q->not_empty);
	pthread_cond_destroy(&q->not_full);
	pthread_mutex_destroy(&q->lock);
	close(q->fd);
	free(q);
}

/* Under the lock: make the eventfd say whether a pop would return at once. */
static void signal_fd(struct queue *q)
{
	uint64_t v = 1;
	ssize_t done;

	if (q->n || q->closed)
		done = write(q->fd, &v, sizeof v);
	else
		done = read(q->fd, &v, sizeof v);
	(void)done; /* EAGAIN: it says so already */
}

static void put(struct queue *q, const void *item)
{
	memcpy(q->items + (q->first + q->n) % q->capacity * q->item_size, item, q->item_size);
	if (q->n++ == 0)
		signal_fd(q);
	pthread_cond_signal(&q->not_empty);
}

bool queue_try_push(struct queue *q, const void *item)
{
	pthread_mutex_lock(&q->lock);
	bool fits = !q->closed && q->n < q->capacity;
	if (fits)
		put(q, item);
	pthread_mutex_unlock(&q->lock);
	return fits;
}

bool queue_push(struct queue *q, const void *item)
{
	pthread_mutex_lock(&q->lock);
	while (!q->closed && q->n == q->capacity)
		pthread_cond_wait(&q->not_full, &q->lock);
	bool open = !q->closed;
	if (open)
		put(q, item);
	pthread_mutex_unlock(&q->lock);
	return open;
}

bool queue_pop(struct queue *q, void *item, int timeout_ms)
{
	struct timespec until;
	clock_gettime(CLOCK_MONOTONIC, &until);
	if (timeout_ms > 0) {
		until.tv_sec += timeout_ms / 1000;
		until.tv_nsec += timeout_ms % 1000 * 1000000L;
		if (until.tv_nsec >= 1000000000L) {
			until.tv_sec++;
			until.tv_nsec -= 1000000000L;
		}
	}

	pthread_mutex_lock(&q->lock);
	int rc = 0;
	while (q->n == 0 && !q->closed && rc != ETIMEDOUT) {
		if (timeout_ms < 0)
			pthread_cond_wait(&q->not_empty, &q->lock);
		else
			rc = pthread_cond_timedwait(&q->not_empty, &q->lock, &until);
	}
	bool got = q->n > 0;
	if (got) {
		memcpy(item, q->items + q->first * q->item_size, q->item_size);
		q->first = (q->first + 1) % q->capacity;
		if (--q->n == 0)
			signal_fd(q);
		pthread_cond_signal(&q->not_full);
	}
	pthread_mutex_unlock(&q->lock);
	return got;
}

void queue_close(struct queue *q)
{
	pthread_mutex_lock(&q->lock);
	q->closed = true;
	signal_fd(q);
	pthread_cond_broadcast(&q->not_empty);
	pthread_cond_broadcast(&q->not_full);
	pthread_mutex_unlock(&q->lock);
}

bool queue_is_drained(struct queue *q)
{
	pthread_mutex_lock(&q->lock);
	bool drained = q->closed && q->n == 0;
	pthread_mutex_unlock(&q->lock);
	return drained;
}

int queue_fd(const struct queue *q)
{
	return q->fd;
}

#include <time.h>

#include "runner/brake.h"

void brake_init(struct brake *b)
{
	pthread_condattr_t attr;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_mutex_init(&b->lock, NULL);
	pthread_cond_init(&b->pulled_cond, &attr);
	pthread_condattr_destroy(&attr);
	b->pulled = b->irreversible = false;
	atomic_init(&b->cancel, false);
}

void brake_clear(struct brake *b)
{
	pthread_cond_destroy(&b->pulled_cond);
	pthread_mutex_destroy(&b->lock);
}

void brake_pull(struct brake *b)
{
	pthread_mutex_lock(&b->lock);
	b->pulled = true;
	if (!b->irreversible)
		atomic_store(&b->cancel, true);
	pthread_cond_broadcast(&b->pulled_cond);
	pthread_mutex_unlock(&b->lock);
}

bool brake_pulled(struct brake *b)
{
	pthread_mutex_lock(&b->lock);
	bool pulled = b->pulled;
	pthread_mutex_unlock(&b->lock);
	return pulled;
}

bool brake_enter(struct brake *b)
{
	pthread_mutex_lock(&b->lock);
	if (!b->pulled)
		b->irreversible = true;
	bool go = b->irreversible;
	pthread_mutex_unlock(&b->lock);
	return go;
}

void brake_leave(struct brake *b)
{
	pthread_mutex_lock(&b->lock);
	b->irreversible = false;
	if (b->pulled)
		atomic_store(&b->cancel, true);
	pthread_mutex_unlock(&b->lock);
}

bool brake_sleep(struct brake *b, int ms)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += ms / 1000;
	until.tv_nsec += ms % 1000 * 1000000L;
	if (until.tv_nsec >= 1000000000L) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000L;
	}
	pthread_mutex_lock(&b->lock);
	int rc = 0;
	while (!b->pulled && rc == 0)
		rc = pthread_cond_timedwait(&b->pulled_cond, &b->lock, &until);
	bool go = !b->pulled;
	pthread_mutex_unlock(&b->lock);
	return go;
}

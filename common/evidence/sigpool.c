#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "evidence/sigpool.h"

#define WORKERS_MAX 16
#define BATCH	    64 /* jobs handed over at once */
#define BATCHES	    (2 * WORKERS_MAX)

struct job {
	uint64_t tag;
	bool dice, has_ca;
	uint8_t key[DICE_CA_LEN]; /* Ed25519 key, or the DICE CA's */
	uint8_t sig[64];
	size_t len;
	uint8_t msg[SIGPOOL_MSG_MAX]; /* or the DICE response */
};

struct batch {
	size_t n;
	struct job jobs[BATCH];
};

struct sigpool {
	pthread_mutex_t lock;
	pthread_cond_t more, room;
	pthread_t workers[WORKERS_MAX];
	unsigned n_workers;
	struct batch *batches; /* BATCHES */
	unsigned free_list[BATCHES], n_free, full[BATCHES], n_full, busy;
	int filling; /* batch the caller fills, -1: none */
	bool stop;
	uint64_t n_failed;
	struct sigpool_failed failed[SIGPOOL_FAILED_MAX];
	size_t n_kept;
};

static int check(const struct job *j, struct err *e)
{
	struct dice_response r;

	if (!j->dice)
		return crypto_sign_verify_detached(j->sig, j->msg, j->len, j->key) == 0
			       ? 0
			       : err_set(e, ERR_REJECTED, "signature does not verify");
	if (dice_parse(&r, j->msg, j->len, e) != 0 || dice_check_die(&r, e) != 0)
		return -1;
	return j->has_ca ? dice_check_ca(&r, j->key, e) : 0;
}

/* Keep the failures with the smallest tags, in order. Lock held. */
static void keep(struct sigpool *p, uint64_t tag, const char *msg)
{
	size_t i = p->n_kept;

	p->n_failed++;
	if (i == SIGPOOL_FAILED_MAX && p->failed[i - 1].tag < tag)
		return;
	if (i == SIGPOOL_FAILED_MAX)
		i--;
	else
		p->n_kept++;
	for (; i > 0 && p->failed[i - 1].tag > tag; i--)
		p->failed[i] = p->failed[i - 1];
	p->failed[i].tag = tag;
	snprintf(p->failed[i].msg, sizeof p->failed[i].msg, "%s", msg);
}

static void *worker(void *arg)
{
	struct sigpool *p = arg;

	pthread_mutex_lock(&p->lock);
	for (;;) {
		while (p->n_full == 0 && !p->stop)
			pthread_cond_wait(&p->more, &p->lock);
		if (p->n_full == 0)
			break;
		unsigned b = p->full[--p->n_full];
		p->busy++;
		pthread_mutex_unlock(&p->lock);
		struct batch *batch = &p->batches[b];
		for (size_t i = 0; i < batch->n; i++) {
			struct err e = { 0 };
			if (check(&batch->jobs[i], &e) == 0)
				continue;
			pthread_mutex_lock(&p->lock);
			keep(p, batch->jobs[i].tag, e.msg);
			pthread_mutex_unlock(&p->lock);
		}
		pthread_mutex_lock(&p->lock);
		p->busy--;
		p->free_list[p->n_free++] = b;
		pthread_cond_broadcast(&p->room);
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

int sigpool_new(struct sigpool **out, unsigned workers, struct err *e)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	struct sigpool *p = sodium_init() < 0 ? NULL : calloc(1, sizeof *p);

	if (!p || !(p->batches = calloc(BATCHES, sizeof *p->batches))) {
		free(p);
		return err_set(e, ERR_ENV, "out of memory");
	}
	if (workers == 0)
		workers = cpus < 1 ? 1 : (unsigned)cpus;
	if (workers > WORKERS_MAX)
		workers = WORKERS_MAX;
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->more, NULL);
	pthread_cond_init(&p->room, NULL);
	p->filling = -1;
	for (unsigned i = 0; i < BATCHES; i++)
		p->free_list[p->n_free++] = i;
	while (p->n_workers < workers &&
		pthread_create(&p->workers[p->n_workers], NULL, worker, p) == 0)
		p->n_workers++;
	if (p->n_workers == 0) {
		sigpool_free(p);
		return err_set(e, ERR_ENV, "cannot start a thread for signature checks");
	}
	*out = p;
	return 0;
}

static void hand_over(struct sigpool *p)
{
	if (p->filling < 0)
		return;
	pthread_mutex_lock(&p->lock);
	p->full[p->n_full++] = (unsigned)p->filling;
	pthread_cond_signal(&p->more);
	pthread_mutex_unlock(&p->lock);
	p->filling = -1;
}

static struct job *next_job(struct sigpool *p)
{
	if (p->filling >= 0 && p->batches[p->filling].n == BATCH)
		hand_over(p);
	if (p->filling < 0) {
		pthread_mutex_lock(&p->lock);
		while (p->n_free == 0)
			pthread_cond_wait(&p->room, &p->lock);
		p->filling = (int)p->free_list[--p->n_free];
		pthread_mutex_unlock(&p->lock);
		p->batches[p->filling].n = 0;
	}
	struct batch *b = &p->batches[p->filling];
	return &b->jobs[b->n++];
}

void sigpool_ed25519(struct sigpool *p, uint64_t tag, const uint8_t key[32], const void *msg,
	size_t len, const uint8_t sig[64])
{
	struct job *j = next_job(p);

	j->tag = tag;
	j->dice = false;
	memcpy(j->key, key, 32);
	memcpy(j->sig, sig, 64);
	j->len = len <= SIGPOOL_MSG_MAX ? len : 0; /* too long: does not verify */
	memcpy(j->msg, msg, j->len);
}

void sigpool_dice(struct sigpool *p, uint64_t tag, const uint8_t response[DICE_RESPONSE_LEN],
	const uint8_t ca[DICE_CA_LEN])
{
	struct job *j = next_job(p);

	j->tag = tag;
	j->dice = true;
	j->has_ca = ca != NULL;
	if (ca)
		memcpy(j->key, ca, DICE_CA_LEN);
	j->len = DICE_RESPONSE_LEN;
	memcpy(j->msg, response, DICE_RESPONSE_LEN);
}

uint64_t sigpool_finish(
	struct sigpool *p, struct sigpool_failed failed[SIGPOOL_FAILED_MAX], size_t *n_kept)
{
	hand_over(p);
	pthread_mutex_lock(&p->lock);
	while (p->n_full || p->busy)
		pthread_cond_wait(&p->room, &p->lock);
	memcpy(failed, p->failed, sizeof p->failed);
	*n_kept = p->n_kept;
	uint64_t n = p->n_failed;
	pthread_mutex_unlock(&p->lock);
	return n;
}

void sigpool_free(struct sigpool *p)
{
	if (!p)
		return;
	pthread_mutex_lock(&p->lock);
	p->stop = true;
	p->n_full = 0;
	pthread_cond_broadcast(&p->more);
	pthread_mutex_unlock(&p->lock);
	for (unsigned i = 0; i < p->n_workers; i++)
		pthread_join(p->workers[i], NULL);
	pthread_cond_destroy(&p->room);
	pthread_cond_destroy(&p->more);
	pthread_mutex_destroy(&p->lock);
	free(p->batches);
	free(p);
}

/* sigpool - signature checks done by other processors while the caller reads on.
 *
 * Jobs are copied in; what fails is kept by tag. Memory is fixed: a caller that is faster than the
 * checks waits. The object belongs to one thread; its workers are its own.
 */
#ifndef COMMON_EVIDENCE_SIGPOOL_H
#define COMMON_EVIDENCE_SIGPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "evidence/dice.h"

#define SIGPOOL_MSG_MAX	   512
#define SIGPOOL_FAILED_MAX 64 /* kept; the smallest tags win */

struct sigpool;

/* workers 0: as many as there are processors, at most 16. */
int sigpool_new(struct sigpool **out, unsigned workers, struct err *e) CHECKED;

/* sigpool_ed25519 - plain Ed25519 over msg[len], len <= SIGPOOL_MSG_MAX. */
void sigpool_ed25519(struct sigpool *p, uint64_t tag, const uint8_t key[32], const void *msg,
	size_t len, const uint8_t sig[64]);

/* sigpool_dice - both signatures of a device receipt; ca may be NULL. */
void sigpool_dice(struct sigpool *p, uint64_t tag, const uint8_t response[DICE_RESPONSE_LEN],
	const uint8_t ca[DICE_CA_LEN]);

struct sigpool_failed {
	uint64_t tag;
	char msg[160];
};

/* sigpool_finish - wait for all; failed[] sorted by tag. Returns how many failed in all. */
uint64_t sigpool_finish(
	struct sigpool *p, struct sigpool_failed failed[SIGPOOL_FAILED_MAX], size_t *n_kept);
void sigpool_free(struct sigpool *p);

#endif

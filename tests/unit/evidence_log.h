/* Logs for tests: a station, an order signed by the OEM, a clock that goes as the test wants, and
 * short ways to the leaves of a device. */
#ifndef TESTS_UNIT_EVIDENCE_LOG_H
#define TESTS_UNIT_EVIDENCE_LOG_H

#include "base/bytes.h"
#include "evidence/log.h"
#include "evidence/minisign.h"

struct ev_log {
	struct log_open open;
	struct log *log;
	struct log_key *station;
	struct minisign_pub oem;
	struct buf order;
	char *order_sig;
	const char *sigs[1];
	char dir[256], path[300];
	struct leaf_clock now; /* every look at the clock adds 10 ms */
	uint64_t begin; /* of the last device */
	unsigned device;
	int quantity; /* of the order; set before ev_log_start, 0: 100 */
	const char *more; /* members at the end of the order, each after a comma; set before too */
};

/* ev_log_prepare - keys, order, options; no log yet. ev_log_start - and a log with its genesis. */
void ev_log_prepare(struct ev_log *t, const char *name, enum leaf_role role);
void ev_log_start(struct ev_log *t, const char *name, enum leaf_role role);
void ev_log_package(struct ev_log *t); /* the package leaf and its blob */
uint64_t ev_log_add(struct ev_log *t, const char *kind, json_t *members);
uint64_t ev_log_begin(struct ev_log *t, unsigned uuid, int attempt);
/* ev_log_device - begin, intent, step, attestation refused, end; committed as a runner would. */
void ev_log_device(struct ev_log *t, unsigned uuid, bool pass);
/* ev_log_attest - intent and a receipt of the open device: die `die` under DICE CA `ca`. */
void ev_log_attest(struct ev_log *t, unsigned uuid, unsigned die, unsigned ca);
/* ev_log_attested - a device as above that passes with a receipt. */
void ev_log_attested(struct ev_log *t, unsigned uuid, unsigned die);
void ev_log_end(struct ev_log *t);
char *ev_uuid(unsigned n, char out[33]);

#define EV_PACKAGE    "e58f2ab8b7255fa6a1f533c7feb68a84767dc7da03c16bfda53f05c9d873f3b9"
#define EV_PACKAGE_ID "5a0f3a52-6c1e-4e0e-9d0c-2b7f5d1c9a11"

#endif

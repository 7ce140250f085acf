/* report_factory - a factory that writes a whole production log without devices: several ports in
 * parallel, failures with causes, devices tried again, receipts by dies of its own, a clock that is
 * corrected, a restart. For looking at reports and for measuring; no test framework in it.
 * Deterministic but for keys. */
#ifndef TESTS_UNIT_REPORT_FACTORY_H
#define TESTS_UNIT_REPORT_FACTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "evidence/minisign.h"
#include "evidence/note.h"

struct factory_plan {
	const char *dir; /* made; gets log.db, oem.pub, dice-ca.hex, witness.vkey */
	unsigned devices, ports;
	unsigned fail_percent, interrupt_percent; /* of attempts */
	bool receipts; /* else attestation is refused */
	bool events; /* clock step, restart, notes of the operator, refused package */
	bool hostile; /* texts that are markup, controls, formulas */
	bool witness; /* cosigns twice on the way */
	bool open; /* not closed */
};

struct factory {
	char log[300];
	struct minisign_pub oem;
	struct vkey witness;
	uint8_t dice_ca[64];
	uint64_t leaves, begun, passed, failed, interrupted, reworked;
};

int factory_run(const struct factory_plan *plan, struct factory *out, struct err *e) CHECKED;

#endif

/* prove - evidence about one leaf or one device, complete without its log.
 *
 * A leaf: one tlog-proof with the leaf in `extra`. A device: a container with the order, a policy
 * and a tlog-proof for genesis and for each leaf of the device, all against one checkpoint.
 * Source: format "evidence", section 4.7. One thread.
 */
#ifndef MFGPKG_AUDIT_PROVE_H
#define MFGPKG_AUDIT_PROVE_H

#include <jansson.h>

#include "base/bytes.h"
#include "evidence/audit.h"

/* Both verify the log first and refuse one with faults (ERR_AUDIT). */
int oem_prove_leaf(const char *log, const struct audit_expect *x, uint64_t seq, struct buf *out,
	struct err *e) CHECKED;
int oem_prove_device(const char *log, const struct audit_expect *x, const uint8_t uuid[16],
	struct buf *container, struct err *e) CHECKED;

/* What a device proof shows once it was checked. */
struct oem_device_proof {
	char origin[NOTE_NAME_MAX + 1], uuid[33], order[128], oem_key[17], station[256];
	uint64_t size; /* of the checkpoint */
	unsigned leaves, attempts;
	char result[16]; /* of the last end, "unknown" without one */
	int64_t ended_ms;
	bool receipt, receipt_by_ca;
	unsigned witnesses; /* known ones that signed the checkpoint */
};

/* oem_check_device - a device proof, with the OEM's keys only. ERR_REJECTED names what is false. */
int oem_check_device(const char *name, const void *data, size_t len, const struct audit_expect *x,
	struct oem_device_proof *out, struct err *e) CHECKED;

#endif

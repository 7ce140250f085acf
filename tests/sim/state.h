/* state - devices that survive the process: everything non-volatile, in one file.
 *
 * Layout, integers little-endian: "MCXSIM1\0", u32 number of devices, then per device its identity,
 * counters, fuses, pages, records and the written sectors of its memories; SHA-256 of all that at
 * the end. The file appears whole or not at all. Restored devices power on when served.
 */
#ifndef TESTS_SIM_STATE_H
#define TESTS_SIM_STATE_H

#include "base/err.h"
#include "tests/sim/device.h"

int sim_state_save(
	const char *path, struct sim_device *const *devices, size_t n, struct err *e) CHECKED;

/* sim_state_load - into devices just made (same number, same chip). A file that is not there is
 * fine: *found is false. ERR_CONFIG when it does not fit or is damaged. */
int sim_state_load(const char *path, struct sim_device *const *devices, size_t n, bool *found,
	struct err *e) CHECKED;

#endif

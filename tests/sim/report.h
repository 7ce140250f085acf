/* report - what the devices are in the end, seen from inside: proof that does not come from the
 * programs under test. JSON array, schema schemas/mcxsim-report.schema.json. */
#ifndef TESTS_SIM_REPORT_H
#define TESTS_SIM_REPORT_H

#include <jansson.h>

#include "base/err.h"
#include "tests/sim/device.h"

/* sim_report_device - one element; `port` as a host opens it. New reference. */
json_t *sim_report_device(const struct sim_device *d, const char *port, struct err *e) CHECKED;

#endif

/* status - the status words of the simulated ROM: mboot/status.h and the few only a device gives.
 */
#ifndef TESTS_SIM_STATUS_H
#define TESTS_SIM_STATUS_H

#include "mboot/status.h"

#define OK_STATUS MBOOT_STATUS_SUCCESS

enum sim_status {
	SIM_STATUS_PFR_WRITE_BROKEN = 138,
	SIM_STATUS_SECTION_OVERRUN = 10100,
	SIM_STATUS_FLEXSPI_NOT_FOUND = 20109,
};

#endif

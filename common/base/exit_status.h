/* exit_status - the exit codes of all programs. They are API: listed in the man pages, never
 * renumbered. Source: DESIGN section 4. */
#ifndef COMMON_BASE_EXIT_STATUS_H
#define COMMON_BASE_EXIT_STATUS_H

#include "base/err.h"

enum exit_status {
	EXIT_OK = 0,
	EXIT_SOME_FAILED = 1, /* at least one device (or log entry) failed */
	EXIT_USAGE = 2, /* usage or configuration */
	EXIT_REJECTED = 3, /* package, order or signature rejected */
	EXIT_ENVIRONMENT = 4, /* port, disk, database, permission */
	EXIT_DEVICE = 5, /* device or protocol error before any device ran */
	EXIT_AUDIT = 6, /* audit verification failed */
	EXIT_INTERRUPTED = 130, /* devices brought to a safe stop, log closed properly */
};

/* exit_status_of - the exit code for a fault that ends a program. */
enum exit_status exit_status_of(enum err_code code);

#endif

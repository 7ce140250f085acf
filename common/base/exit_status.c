#include "base/exit_status.h"

enum exit_status exit_status_of(enum err_code code)
{
	switch (code) {
	case ERR_NONE:
		return EXIT_OK;
	case ERR_USAGE:
	case ERR_CONFIG:
		return EXIT_USAGE;
	case ERR_FORMAT:
	case ERR_LIMIT:
	case ERR_REJECTED:
		return EXIT_REJECTED;
	case ERR_ENV:
	case ERR_INTERNAL:
		return EXIT_ENVIRONMENT;
	case ERR_DEVICE:
	case ERR_TIMEOUT:
		return EXIT_DEVICE;
	case ERR_AUDIT:
		return EXIT_AUDIT;
	case ERR_CANCELLED:
		return EXIT_INTERRUPTED;
	}
	return EXIT_ENVIRONMENT;
}

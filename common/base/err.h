/* err - what went wrong, in words an operator can act on.
 *
 * Every function that can fail returns 0 or -1 and takes `struct err *e` last. Whoever detects the
 * fault sets code and facts (what, where, seen, wanted) with err_set(); each caller may put one
 * phrase of context in front with err_wrap(). Library code never prints and never exits: main()
 * prints the message once and maps the code to an exit status (exit_status_of()).
 *
 * Fixed size, so reporting never allocates. No locks; one struct err per thread.
 */
#ifndef COMMON_BASE_ERR_H
#define COMMON_BASE_ERR_H

#include <stdint.h>

#define CHECKED	       __attribute__((warn_unused_result))
#define PRINTF_LIKE(f) __attribute__((format(printf, f, (f) + 1)))

/* AUTO(f) - scope cleanup: `AUTO(buf_clear) struct buf b = {0};` calls buf_clear(&b) on every exit.
 */
#define AUTO(f) __attribute__((cleanup(f)))

/* Few codes, each one a decision for the caller. The text carries the rest. */
enum err_code {
	ERR_NONE = 0,
	ERR_USAGE, /* command line wrong: exit 2 */
	ERR_CONFIG, /* configuration or OEM input file wrong: exit 2 */
	ERR_FORMAT, /* bytes do not have the layout they claim: exit 3 */
	ERR_LIMIT, /* a size or count above its named maximum: exit 3 */
	ERR_REJECTED, /* signature, hash, policy, window, order: exit 3 */
	ERR_ENV, /* file system, permission, database, port, memory: exit 4 */
	ERR_DEVICE, /* the device answered with an error status: exit 5 (1 once devices run) */
	ERR_TIMEOUT, /* the device did not answer in time: exit 5 (1 once devices run) */
	ERR_AUDIT, /* audit verification failed: exit 6 */
	ERR_CANCELLED, /* interrupted by the operator: exit 130 */
	ERR_INTERNAL, /* a broken invariant of ours: exit 4 */
};

struct err {
	enum err_code code; /* set once, by whoever detected the fault; wrapping keeps it */
	uint32_t device; /* mboot status word, 0 if none */
	char msg[512]; /* "outer: inner" */
};

/* err_set - record a fault. Always returns -1, so `return err_set(...)` reads well.
 * A fault that is already recorded in *e is replaced. e may be NULL (the fault is dropped). */
int err_set(struct err *e, enum err_code code, const char *fmt, ...) PRINTF_LIKE(3);

/* err_errno - as err_set, with ": strerror(errno)" appended; ENOSPC, EACCES ... are ERR_ENV. */
int err_errno(struct err *e, const char *fmt, ...) PRINTF_LIKE(2);

/* err_device - as err_set(ERR_DEVICE) and keeps the mboot status word. */
int err_device(struct err *e, uint32_t status, const char *fmt, ...) PRINTF_LIKE(3);

/* err_wrap - put "phrase: " before the recorded message. Returns -1. */
int err_wrap(struct err *e, const char *fmt, ...) PRINTF_LIKE(2);

void err_clear(struct err *e);

#endif

/* logs - examine all logs of a command line together: each by itself, as copies of one another, and
 * for devices that two of them have. One thread. */
#ifndef MFGPKG_AUDIT_LOGS_H
#define MFGPKG_AUDIT_LOGS_H

#include "base/cli.h"
#include "mfgpkg/audit/expect.h"

/* What the caller does with each log. `leaf` (may be NULL) as audit_expect.observe; `done` gets the
 * result, and what it was examined with. */
struct oem_audit_visitor {
	int (*start)(void *ctx, size_t i, const char *path, struct err *e); /* may be NULL */
	int (*leaf)(void *ctx, const struct leaf *leaf, struct err *e);
	int (*done)(void *ctx, const char *path, const struct audit_result *r,
		const struct audit_expect *x, struct err *e);
	void *ctx;
};

/* oem_audit_logs - all logs of `x` in their order. *all_good: every verdict is PASS, or with
 * `allow_open` INCOMPLETE of a log that is not closed yet. -1 when a log could not be examined, or
 * from the visitor. */
int oem_audit_logs(const struct oem_audit_expect *x, const struct oem_audit_visitor *v,
	bool allow_open, bool *all_good, struct err *e) CHECKED;

#define AUDIT_OPEN_OPTION                                                                          \
	{                                                                                          \
		"allow-open", 0, CLI_FLAG, NULL,                                                   \
			"exit 0 also for a sound log that is not closed yet", false                \
	}

#endif

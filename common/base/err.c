#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"

__attribute__((format(printf, 4, 0))) static void vset(
	struct err *e, enum err_code code, uint32_t device, const char *fmt, va_list ap)
{
	char msg[sizeof e->msg];

	/* Format into a copy first: an argument may point into e->msg itself. */
	vsnprintf(msg, sizeof msg, fmt, ap);
	e->code = code;
	e->device = device;
	memcpy(e->msg, msg, sizeof msg);
}

int err_set(struct err *e, enum err_code code, const char *fmt, ...)
{
	if (e) {
		va_list ap;
		va_start(ap, fmt);
		vset(e, code, 0, fmt, ap);
		va_end(ap);
	}
	return -1;
}

int err_errno(struct err *e, const char *fmt, ...)
{
	int saved = errno;

	if (e) {
		va_list ap;
		va_start(ap, fmt);
		vset(e, ERR_ENV, 0, fmt, ap);
		va_end(ap);
		size_t used = strlen(e->msg);
		char reason[128] = "";
		/* GNU strerror_r may return a static string instead of filling the buffer. */
		const char *s = strerror_r(saved, reason, sizeof reason);
		snprintf(e->msg + used, sizeof e->msg - used, ": %s", s);
	}
	errno = saved;
	return -1;
}

int err_device(struct err *e, uint32_t status, const char *fmt, ...)
{
	if (e) {
		va_list ap;
		va_start(ap, fmt);
		vset(e, ERR_DEVICE, status, fmt, ap);
		va_end(ap);
	}
	return -1;
}

int err_wrap(struct err *e, const char *fmt, ...)
{
	if (!e)
		return -1;

	char msg[sizeof e->msg];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(msg, sizeof msg, fmt, ap);
	va_end(ap);

	size_t used = strlen(msg);
	snprintf(msg + used, sizeof msg - used, ": %s", e->msg);
	memcpy(e->msg, msg, sizeof msg);
	return -1;
}

void err_clear(struct err *e)
{
	if (e)
		memset(e, 0, sizeof *e);
}

/* transport - the seam where the wire is: a few functions between the mboot host and whatever
 * carries its bytes (a serial port, a pseudo-terminal, a socket, a replayed capture, a fuzzer).
 *
 * All calls of one transport come from one thread. Timeouts are monotonic milliseconds; a
 * transport waits in poll(), never spins, and returns early when it has something to say.
 */
#ifndef COMMON_MBOOT_TRANSPORT_H
#define COMMON_MBOOT_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* Control lines of a serial port. */
enum mboot_line {
	MBOOT_LINE_NONE,
	MBOOT_LINE_DTR,
	MBOOT_LINE_RTS,
};

struct mboot_io {
	/* read - wait up to timeout_ms for bytes, take what is there (at most cap).
	 *   *got = 0 on a timeout, which is not an error (returns 0).
	 *   -1: ERR_DEVICE with device 0 when the far end is gone ("port closed"), ERR_ENV else. */
	int (*read)(
		void *ctx, uint8_t *buf, size_t cap, int timeout_ms, size_t *got, struct err *e);
	/* write - hand over all of data[len]; -1 with ERR_TIMEOUT when the line takes no more, or
	 * as for read. */
	int (*write)(void *ctx, const uint8_t *data, size_t len, int timeout_ms, struct err *e);
	/* set_baud - change the line rate. NULL or success where there is none. */
	int (*set_baud)(void *ctx, uint32_t baud, struct err *e);
	/* set_line - switch a control line on or off. NULL where there are none. */
	int (*set_line)(void *ctx, enum mboot_line line, bool on, struct err *e);
	/* close - releases ctx. Called once. */
	void (*close)(void *ctx);
	void *ctx;
};

/* mboot_io_close - close, once; a no-op on a zeroed or closed transport. */
void mboot_io_close(struct mboot_io *io);

/* mboot_io_fd - a transport over an open non-blocking or blocking descriptor (socket, pipe pair's
 * end, pseudo-terminal). Takes fd: close() closes it. Also when it fails. */
int mboot_io_fd(struct mboot_io *out, int fd, const char *name, struct err *e) CHECKED;

#endif

/* fdio - reading and writing a descriptor with poll, shared by transport and serial.
 * Not for other modules. */
#ifndef COMMON_MBOOT_FDIO_H
#define COMMON_MBOOT_FDIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

struct fdio {
	int fd; /* non-blocking */
	char *name; /* for messages */
	bool socket;
	bool exclusive; /* serial: TIOCEXCL is set, to be undone at close */
	struct sp_port *port; /* serial: the libserialport handle, NULL for a pseudo-terminal */
};

/* fdio_new - fd is not taken when this fails (NULL). */
struct fdio *fdio_new(int fd, const char *name, struct err *e) CHECKED;
int fdio_read(void *ctx, uint8_t *buf, size_t cap, int timeout_ms, size_t *got, struct err *e);
int fdio_write(void *ctx, const uint8_t *data, size_t len, int timeout_ms, struct err *e);

/* is_pty_dev - the device number of a pseudo-terminal's slave (holder.c). */
bool is_pty_dev(dev_t dev);

#endif

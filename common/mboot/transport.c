#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "mboot/fdio.h"
#include "mboot/transport.h"

void mboot_io_close(struct mboot_io *io)
{
	if (io->close)
		io->close(io->ctx);
	*io = (struct mboot_io){ 0 };
}

static int closed(const struct fdio *f, struct err *e)
{
	return err_set(
		e, ERR_DEVICE, "%s: port closed (adapter unplugged or simulator ended)", f->name);
}

/* The faults a descriptor has when the other end or the adapter is gone. */
static bool is_gone(int number)
{
	return number == EIO || number == ENXIO || number == ENODEV || number == EPIPE ||
	       number == ECONNRESET || number == EBADF;
}

/* Waits until the descriptor is ready: 1, 0 on a timeout, -1. EINTR shortens nothing. */
static int wait_for(const struct fdio *f, short events, int timeout_ms, struct err *e)
{
	struct pollfd p = { .fd = f->fd, .events = events };
	int64_t end = clock_mono_ms() + timeout_ms;

	for (;;) {
		int64_t left = end - clock_mono_ms();
		int n = poll(&p, 1, left > 0 ? (int)left : 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(e, "%s: poll", f->name);
		if (n == 0)
			return 0;
		if (p.revents & events)
			return 1;
		/* Hang-up with nothing left to read, or an error: an unplugged adapter. Without
		 * this test the loop of the caller would spin, since poll returns at once. */
		return closed(f, e);
	}
}

int fdio_read(void *ctx, uint8_t *buf, size_t cap, int timeout_ms, size_t *got, struct err *e)
{
	struct fdio *f = ctx;

	*got = 0;
	int ready = wait_for(f, POLLIN, timeout_ms, e);
	if (ready <= 0)
		return ready;
	ssize_t n = read(f->fd, buf, cap);
	if (n > 0) {
		*got = (size_t)n;
		return 0;
	}
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return 0;
	if (n == 0 || is_gone(errno))
		return closed(f, e);
	return err_errno(e, "%s: read", f->name);
}

int fdio_write(void *ctx, const uint8_t *data, size_t len, int timeout_ms, struct err *e)
{
	struct fdio *f = ctx;
	int64_t end = clock_mono_ms() + timeout_ms;

	/* A frame is one write() unless the driver's buffer is smaller. */
	while (len) {
		/* A vanished socket peer must not raise SIGPIPE. */
		ssize_t n =
			f->socket ? send(f->fd, data, len, MSG_NOSIGNAL) : write(f->fd, data, len);
		if (n > 0) {
			data += n;
			len -= (size_t)n;
			continue;
		}
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && is_gone(errno))
			return closed(f, e);
		if (n < 0 && errno != EAGAIN)
			return err_errno(e, "%s: write", f->name);
		int64_t left = end - clock_mono_ms();
		int ready = wait_for(f, POLLOUT, left > 0 ? (int)left : 0, e);
		if (ready < 0)
			return -1;
		if (ready == 0)
			return err_set(e, ERR_TIMEOUT,
				"%s: the line took no bytes for %d ms, %zu still to send", f->name,
				timeout_ms, len);
	}
	return 0;
}

static void fdio_close(void *ctx)
{
	struct fdio *f = ctx;

	close(f->fd);
	free(f->name);
	free(f);
}

struct fdio *fdio_new(int fd, const char *name, struct err *e)
{
	struct fdio *f = calloc(1, sizeof *f);
	char *copy = strdup(name);
	int flags = fcntl(fd, F_GETFL);
	struct stat st;

	if (f && copy && flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0) {
		*f = (struct fdio){ .fd = fd, .name = copy };
		f->socket = fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode);
		return f;
	}
	if (!f || !copy)
		err_set(e, ERR_ENV, "%s: out of memory", name);
	else
		err_errno(e, "%s: cannot set non-blocking mode", name);
	free(f);
	free(copy);
	return NULL;
}

int mboot_io_fd(struct mboot_io *out, int fd, const char *name, struct err *e)
{
	struct fdio *f = fdio_new(fd, name, e);

	if (!f) {
		close(fd);
		return -1;
	}
	*out = (struct mboot_io){
		.read = fdio_read, .write = fdio_write, .close = fdio_close, .ctx = f
	};
	return 0;
}

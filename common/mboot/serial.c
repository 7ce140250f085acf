#include <errno.h>
#include <fcntl.h>
#include <libserialport.h>
#include <linux/serial.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "base/fsio.h"
#include "base/text.h"
#include "mboot/fdio.h"
#include "mboot/serial.h"

bool serial_is_pty(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISCHR(st.st_mode) && is_pty_dev(st.st_rdev);
}

/* --- opening ------------------------------------------------------------------------------ */

static const struct {
	uint32_t baud;
	speed_t speed;
} pty_speeds[] = {
	{ 9600, B9600 },
	{ 19200, B19200 },
	{ 38400, B38400 },
	{ 57600, B57600 },
	{ 115200, B115200 },
	{ 230400, B230400 },
	{ 460800, B460800 },
	{ 500000, B500000 },
	{ 576000, B576000 },
	{ 921600, B921600 },
	{ 1000000, B1000000 },
	{ 1152000, B1152000 },
	{ 1500000, B1500000 },
	{ 2000000, B2000000 },
	{ 2500000, B2500000 },
	{ 3000000, B3000000 },
	{ 3500000, B3500000 },
	{ 4000000, B4000000 },
};

static int pty_set_baud(struct fdio *f, uint32_t baud, struct err *e)
{
	struct termios t;

	if (tcgetattr(f->fd, &t) != 0)
		return err_errno(e, "%s: tcgetattr", f->name);
	cfmakeraw(&t);
	t.c_cflag |= CLOCAL | CREAD;
	t.c_cflag &= ~(tcflag_t)(CSTOPB | CRTSCTS);
	t.c_cc[VMIN] = 0;
	t.c_cc[VTIME] = 0;
	for (size_t i = 0; i < sizeof pty_speeds / sizeof pty_speeds[0]; i++)
		if (pty_speeds[i].baud == baud) {
			/* The rate means nothing here but to a simulator that paces itself. */
			cfsetispeed(&t, pty_speeds[i].speed);
			cfsetospeed(&t, pty_speeds[i].speed);
			if (tcsetattr(f->fd, TCSANOW, &t) != 0)
				return err_errno(e, "%s: tcsetattr", f->name);
			return 0;
		}
	return err_set(e, ERR_USAGE, "%s: %u baud is not a rate a pseudo-terminal can carry",
		f->name, baud);
}

static int closed(const char *path, struct err *e)
{
	return err_set(e, ERR_DEVICE, "%s: port closed (adapter unplugged)", path);
}

/* The faults of a port that was there a moment ago and is pulled out. */
static bool is_gone(int number)
{
	return number == ENOENT || number == ENODEV || number == ENXIO || number == EIO;
}

static int port_fault(struct err *e, const char *path, const char *what, enum sp_return r)
{
	if (r == SP_ERR_FAIL && is_gone(sp_last_error_code()))
		return closed(path, e);
	if (r == SP_ERR_FAIL) {
		char *why = sp_last_error_message();
		err_set(e, ERR_ENV, "%s: cannot %s: %s", path, what, why ? why : "failed");
		sp_free_error_message(why);
		return -1;
	}
	return err_set(e, r == SP_ERR_ARG ? ERR_USAGE : ERR_ENV, "%s: cannot %s: %s", path, what,
		r == SP_ERR_MEM	   ? "out of memory"
		: r == SP_ERR_SUPP ? "not supported by the driver"
				   : "refused");
}

/* A driver that cannot make a rate refuses it, or takes another one and says so when asked. */
static int real_rate(struct sp_port *port, const char *path, uint32_t baud, struct err *e)
{
	struct sp_port_config *config = NULL;
	int now = 0;
	enum sp_return r = baud > INT32_MAX ? SP_ERR_ARG : sp_set_baudrate(port, (int)baud);

	if (r == SP_ERR_FAIL && sp_last_error_code() != EINVAL)
		return port_fault(e, path, "set the baud rate", r);
	if (r != SP_OK)
		return err_set(e, ERR_USAGE, "%s: the adapter refuses %u baud", path, baud);
	if (sp_new_config(&config) == SP_OK) {
		if (sp_get_config(port, config) != SP_OK ||
			sp_get_config_baudrate(config, &now) != SP_OK)
			now = 0;
		sp_free_config(config);
	}
	if (now > 0 && ((uint64_t)now * 100 < (uint64_t)baud * 95 ||
			       (uint64_t)now * 100 > (uint64_t)baud * 105))
		return err_set(e, ERR_USAGE, "%s: the adapter refuses %u baud, it takes %d instead",
			path, baud, now);
	return 0;
}

static int real_set_baud(const struct fdio *f, uint32_t baud, struct err *e)
{
	return real_rate(f->port, f->name, baud, e);
}

static int serial_set_baud(void *ctx, uint32_t baud, struct err *e)
{
	struct fdio *f = ctx;

	return f->port ? real_set_baud(f, baud, e) : pty_set_baud(f, baud, e);
}

static void serial_close(void *ctx)
{
	struct fdio *f = ctx;

	if (f->exclusive)
		ioctl(f->fd, TIOCNXCL);
	flock(f->fd, LOCK_UN);
	/* Closing waits for bytes to leave (up to 30 s on a stuck line); nobody wants them now. */
	tcflush(f->fd, TCOFLUSH);
	if (f->port) {
		sp_close(f->port);
		sp_free_port(f->port);
	} else {
		close(f->fd);
	}
	free(f->name);
	free(f);
}

static int serial_set_line(void *ctx, enum mboot_line line, bool on, struct err *e)
{
	const struct fdio *f = ctx;
	int bit = line == MBOOT_LINE_DTR ? TIOCM_DTR : TIOCM_RTS;
	struct termios t;

	if (!f->port)
		return err_set(e, ERR_ENV,
			"%s: a pseudo-terminal has no control lines: RESET and ISP cannot be "
			"driven",
			f->name);
	/* Else closing the port would drop both lines, and with them perhaps reset the board. */
	if (tcgetattr(f->fd, &t) == 0 && (t.c_cflag & HUPCL)) {
		t.c_cflag &= ~(tcflag_t)HUPCL;
		(void)tcsetattr(f->fd, TCSANOW, &t);
	}
	if (ioctl(f->fd, on ? TIOCMBIS : TIOCMBIC, &bit) == 0)
		return 0;
	return err_errno(
		e, "%s: cannot drive line %s", f->name, line == MBOOT_LINE_DTR ? "DTR" : "RTS");
}

static int drive(
	const struct mboot_io *io, enum mboot_line line, bool active, bool invert, struct err *e)
{
	return line == MBOOT_LINE_NONE ? 0 : io->set_line(io->ctx, line, active != invert, e);
}

int serial_reset_to_isp(const struct mboot_io *io, const struct serial_lines *l, struct err *e)
{
	int hold_ms = l->hold_ms ? l->hold_ms : 50;
	const struct timespec hold = { hold_ms / 1000, hold_ms % 1000 * 1000000L };

	if (l->reset == MBOOT_LINE_NONE || l->reset == l->isp)
		return err_set(e, ERR_USAGE, "reset and ISP need a control line each");
	if (!io->set_line)
		return err_set(e, ERR_ENV, "this port has no control lines");
	int rc = drive(io, l->isp, true, l->invert, e);
	if (rc == 0)
		rc = drive(io, l->reset, true, l->invert, e);
	if (rc == 0) {
		nanosleep(&hold, NULL);
		rc = drive(io, l->reset, false, l->invert, e);
	}
	if (rc == 0) {
		nanosleep(&hold, NULL); /* the ROM looks at the ISP pin as it starts */
		return drive(io, l->isp, false, l->invert, e);
	}
	struct err ignored; /* the first fault is the one to report */
	if (drive(io, l->reset, false, l->invert, &ignored) != 0 ||
		drive(io, l->isp, false, l->invert, &ignored) != 0)
		return -1;
	return -1;
}

/* USB adapters hold bytes back for up to 16 ms; strict request and response wants them at once.
 * Drivers without the setting are as fast as they are. */
static void ask_low_latency(int fd)
{
	struct serial_struct s;

	if (ioctl(fd, TIOCGSERIAL, &s) != 0 || ((unsigned)s.flags & ASYNC_LOW_LATENCY))
		return;
	s.flags = (int)((unsigned)s.flags | ASYNC_LOW_LATENCY);
	(void)ioctl(fd, TIOCSSERIAL, &s);
}

static int busy(const char *path, struct err *e)
{
	char program[64];
	int pid = serial_holder(path, program, sizeof program);

	if (pid)
		return err_set(e, ERR_ENV, "%s: port is in use by %s (process %d)", path,
			ESC(program), pid);
	return err_set(e, ERR_ENV, "%s: port is in use by another program", path);
}

static int cannot_open(const char *path, int number, struct err *e)
{
	if (number == EBUSY)
		return busy(path, e);
	if (number == EACCES || number == EPERM)
		return err_set(e, ERR_ENV,
			"%s: no permission to open the port (is this user in the group that owns "
			"it, "
			"usually dialout?)",
			path);
	if (is_gone(number))
		return closed(path, e);
	errno = number;
	return err_errno(e, "%s: cannot open the port", path);
}

static int real_configure(struct sp_port *port, const char *path, uint32_t baud, struct err *e)
{
	const char *what = "set 8 data bits";
	enum sp_return r = sp_set_bits(port, 8);

	if (r == SP_OK) {
		what = "switch parity off";
		r = sp_set_parity(port, SP_PARITY_NONE);
	}
	if (r == SP_OK) {
		what = "set 1 stop bit";
		r = sp_set_stopbits(port, 1);
	}
	if (r == SP_OK) {
		what = "switch flow control off";
		r = sp_set_flowcontrol(port, SP_FLOWCONTROL_NONE);
	}
	return r == SP_OK ? real_rate(port, path, baud, e) : port_fault(e, path, what, r);
}

/* Opens a real port: *fd and *port, both to be released with sp_close and sp_free_port. */
static int real_open(const char *path, uint32_t baud, struct sp_port **port, int *fd, struct err *e)
{
	enum sp_return r = sp_get_port_by_name(path, port);

	if (r == SP_ERR_ARG)
		return err_set(e, ERR_ENV, "%s: not a serial port", path);
	if (r != SP_OK)
		return port_fault(e, path, "use this as a serial port", r);
	/* Other programs take no lock, and a second opening succeeds: two hosts on one line. */
	char program[64];
	if (serial_holder(path, program, sizeof program)) {
		sp_free_port(*port);
		return busy(path, e);
	}
	r = sp_open(*port, SP_MODE_READ_WRITE);
	if (r != SP_OK) {
		int number = r == SP_ERR_FAIL ? sp_last_error_code() : 0;
		sp_free_port(*port);
		return number ? cannot_open(path, number, e)
			      : port_fault(e, path, "open the port", r);
	}
	if ((r = sp_get_port_handle(*port, fd)) == SP_OK && flock(*fd, LOCK_EX | LOCK_NB) != 0) {
		busy(path, e);
	} else if (r != SP_OK) {
		port_fault(e, path, "get the port's handle", r);
	} else if (real_configure(*port, path, baud, e) == 0) {
		ask_low_latency(*fd);
		return 0;
	}
	sp_close(*port);
	sp_free_port(*port);
	return -1;
}

static int pty_open(const char *path, int *fd, struct err *e)
{
	*fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (*fd < 0)
		return cannot_open(path, errno, e);
	if (flock(*fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	close(*fd);
	return busy(path, e);
}

int serial_open(struct mboot_io *out, const char *path, uint32_t baud, struct err *e)
{
	struct stat st;
	struct sp_port *port = NULL;
	int fd = -1;

	if (stat(path, &st) != 0)
		return err_errno(e, "%s: no such port", path);
	if (!S_ISCHR(st.st_mode))
		return err_set(e, ERR_ENV, "%s: not a serial port (not a character device)", path);
	/* libserialport keeps to names in /dev; what a link names is what counts. */
	AUTO(str_freep) char *device = realpath(path, NULL);
	if (!device && is_gone(errno))
		return closed(path, e);
	if (!device)
		return err_errno(e, "%s: cannot resolve", path);
	if (is_pty_dev(st.st_rdev) ? pty_open(device, &fd, e)
				   : real_open(device, baud, &port, &fd, e))
		return -1;

	struct fdio *f = fdio_new(fd, path, e);
	if (!f) {
		if (port) {
			sp_close(port);
			sp_free_port(port);
		} else {
			close(fd);
		}
		return -1;
	}
	f->port = port;
	if (port)
		f->exclusive = ioctl(fd, TIOCEXCL) == 0;
	else if (pty_set_baud(f, baud, e) != 0) {
		serial_close(f);
		return -1;
	}
	*out = (struct mboot_io){ .read = fdio_read,
		.write = fdio_write,
		.set_baud = serial_set_baud,
		.set_line = serial_set_line,
		.close = serial_close,
		.ctx = f };
	return 0;
}

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#include "tests/sim/port.h"

void sim_port_init(struct sim_port *p)
{
	*p = (struct sim_port){ .fd = -1, .slave = -1 };
}

int sim_port_open_pty(struct sim_port *p, const char *link, struct err *e)
{
	char *pts = p->pts;
	struct termios t;
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK), slave = -1;

	if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0 ||
		ptsname_r(master, pts, sizeof p->pts) != 0) {
		err_errno(e, "no pseudo-terminal for %s", link);
		goto fail;
	}
	slave = open(pts, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0 || tcgetattr(slave, &t) != 0) {
		err_errno(e, "%s", pts);
		goto fail;
	}
	cfmakeraw(&t);
	cfsetspeed(&t, B115200);
	if (tcsetattr(slave, TCSANOW, &t) != 0) {
		err_errno(e, "%s: raw mode", pts);
		goto fail;
	}
	if (strlen(link) >= sizeof p->name) {
		err_set(e, ERR_USAGE, "the path %s is too long", link);
		goto fail;
	}
	if ((unlink(link) != 0 && errno != ENOENT) || symlink(pts, link) != 0) {
		err_errno(e, "%s: cannot link to %s", link, pts);
		goto fail;
	}
	snprintf(p->name, sizeof p->name, "%s", link);
	p->fd = master;
	p->slave = slave;
	p->socket = false;
	return 0;
fail:
	if (master >= 0)
		close(master);
	if (slave >= 0)
		close(slave);
	return -1;
}

int sim_port_connect(struct sim_port *p, const char *path, struct err *e)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(path) >= sizeof a.sun_path)
		return err_set(e, ERR_USAGE, "%s: a socket path has at most %zu characters", path,
			sizeof a.sun_path - 1);
	memcpy(a.sun_path, path, strlen(path) + 1);
	snprintf(p->name, sizeof p->name, "%s", path);
	p->socket = true;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof a) != 0 ||
		fcntl(fd, F_SETFL, O_NONBLOCK) != 0) {
		err_errno(e, "%s", path);
		if (fd >= 0)
			close(fd);
		return -1;
	}
	p->fd = fd;
	return 0;
}

void sim_port_close(struct sim_port *p)
{
	if (p->fd >= 0)
		close(p->fd);
	if (p->slave >= 0) {
		close(p->slave);
		if (*p->name)
			unlink(p->name);
	}
	p->fd = p->slave = -1;
}

void sim_port_forget_host(const struct sim_port *p)
{
	if (p->slave >= 0)
		(void)ioctl(p->slave, TIOCNXCL);
}

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "tests/sim/serve.h"

enum {
	REPLUG_US = 300000, /* a renamed or hung-up port stays away so long */
	SAVE_US = 1000000, /* states are written at most so often while running */
	DEFAULT_BAUD = 115200,
	BITS_PER_BYTE = 10,
	TURNS_MAX = 200, /* frames of one line before the others get their turn */
	/* epoll data below SIM_DEVICES_MAX: that line */
	EV_SIGNAL = SIM_DEVICES_MAX,
	EV_TIMER,
	EV_CONTROL,
	EV_OPENS,
	EV_CLIENT, /* + index */
};

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int watch(struct sim_serve *s, int fd, uint32_t id, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.u32 = id };

	return epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &ev);
}

/* --- plugging --------------------------------------------------------------------------------- */

static void line_clear(struct sim_line *l)
{
	l->in_len = l->in_done = 0;
	l->out_busy = false;
	l->rx_free_ns = l->tx_free_ns = l->due_ns = 0;
}

static int plug(struct sim_serve *s, size_t i, struct err *e)
{
	struct sim_line *l = &s->lines[i];
	char name[SIM_PORT_PATH_MAX];
	int status;

	if (s->dir) {
		if (l->renames)
			snprintf(name, sizeof name, "%s/ttyMCX%zu_%u", s->dir, i, l->renames);
		else
			snprintf(name, sizeof name, "%s/ttyMCX%zu", s->dir, i);
		status = sim_port_open_pty(&l->port, name, e);
	} else {
		/* The format was checked: one %d or %u. */
		const char *percent = strchr(s->connect, '%');
		snprintf(name, sizeof name, "%.*s%zu%s", (int)(percent - s->connect), s->connect, i,
			percent + 2);
		status = sim_port_connect(&l->port, name, e);
	}
	if (status != 0)
		return -1;
	line_clear(l);
	l->retry_us = UINT64_MAX;
	l->hosts = 0;
	l->watch =
		l->port.socket ? -1 : inotify_add_watch(s->opens, l->port.pts, IN_OPEN | IN_CLOSE);
	/* Edge-triggered: bytes that wait for their time on the line must not wake us. */
	if (watch(s, l->port.fd, (uint32_t)i, EPOLLIN | EPOLLOUT | EPOLLET) != 0)
		return err_errno(e, "epoll");
	return 0;
}

static void unplug(struct sim_line *l, uint64_t back_us)
{
	sim_port_close(&l->port); /* leaves the epoll set by itself */
	line_clear(l);
	l->retry_us = back_us;
}

/* --- one line --------------------------------------------------------------------------------- */

static uint64_t byte_time(const struct sim_serve *s, const struct sim_line *l)
{
	if (!s->pacing)
		return 0;
	uint32_t baud = s->baud ? s->baud : sim_port_baud(&l->port);
	return (uint64_t)BITS_PER_BYTE * 1000000000u / (baud ? baud : DEFAULT_BAUD);
}

/* Write what is due. True when the line is free for the next frame. */
static bool send_out(struct sim_line *l, uint64_t now_us)
{

	if (!l->out_busy)
		return true;
	if (now_us < l->out_at_us) {
		l->next_us = l->out_at_us;
		return false;
	}
	while (l->out_done < l->out.len) {
		ssize_t n = write(l->port.fd, l->out.bytes + l->out_done, l->out.len - l->out_done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return false; /* an event comes when there is room again */
		if (n < 0)
			break; /* nobody there: the bytes are lost, as on a line */
		l->out_done += (size_t)n;
	}
	l->out_busy = false;
	return true;
}

static void take_frame(struct sim_serve *s, struct sim_line *l, uint64_t now)
{
	uint64_t t = byte_time(s, l), from = now;

	/* A wire does not oversleep: the answer begins when its cause was complete. */
	if (t && l->due_ns && l->due_ns < now)
		from = l->due_ns;
	from += (uint64_t)l->out.delay_us * 1000;
	if (t && from < l->tx_free_ns)
		from = l->tx_free_ns;
	l->tx_free_ns = from + t * l->out.len;
	l->out_at_us = l->tx_free_ns / 1000;
	l->out_done = 0;
	l->out_busy = true;
}

/* How many bytes of `in` the line has delivered by now; *next_us when the device can go on. */
static size_t delivered(struct sim_line *l, uint64_t now)
{
	size_t wants, n;

	if (!l->byte_ns)
		return l->in_len;
	n = now > l->in_from_ns ? (size_t)((now - l->in_from_ns) / l->byte_ns) : 0;
	if (n >= l->in_len) {
		l->due_ns = l->in_from_ns + l->in_len * l->byte_ns;
		return l->in_len;
	}
	wants = l->in_done + sim_device_wants(l->d);
	if (wants > l->in_len)
		wants = l->in_len;
	if (n < wants) {
		l->next_us = (l->in_from_ns + wants * l->byte_ns) / 1000 + 1;
		return l->in_done; /* nothing could happen with fewer */
	}
	l->due_ns = l->in_from_ns + n * l->byte_ns;
	return n;
}

static bool read_in(struct sim_serve *s, struct sim_line *l, uint64_t now)
{
	ssize_t n = read(l->port.fd, l->in, sizeof l->in);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n <= 0) { /* the other end closed the socket, or the terminal hung up */
		unplug(l, now / 1000 + REPLUG_US);
		return false;
	}
	l->in_len = (size_t)n;
	l->in_done = 0;
	l->byte_ns = byte_time(s, l);
	l->in_from_ns = now > l->rx_free_ns ? now : l->rx_free_ns;
	l->rx_free_ns = l->in_from_ns + l->byte_ns * l->in_len;
	return true;
}

static void service(struct sim_serve *s, size_t i)
{
	struct sim_line *l = &s->lines[i];
	struct sim_device *d = l->d;

	for (unsigned turn = 0;; turn++) {
		uint64_t now = now_ns();
		d->now_us = now / 1000;
		l->next_us = UINT64_MAX;
		if (turn == TURNS_MAX) { /* the other devices want to live too */
			l->next_us = d->now_us;
			break;
		}
		if (d->now_us >= sim_device_deadline(d)) {
			l->due_ns = 0;
			sim_device_tick(d);
		}
		if (d->renamed) {
			d->renamed = false;
			l->renames++;
			unplug(l, d->now_us + REPLUG_US);
		}
		if (l->port.fd < 0) {
			if (l->unplugged)
				break;
			if (d->now_us < l->retry_us) {
				l->next_us = l->retry_us;
				break;
			}
			if (plug(s, i, NULL) != 0) {
				l->next_us = l->retry_us = d->now_us + REPLUG_US;
				break;
			}
			continue;
		}
		if (!send_out(l, d->now_us))
			break;
		if (sim_device_transmit(d, &l->out)) {
			take_frame(s, l, now);
			continue;
		}
		if (l->in_done < l->in_len) {
			size_t can = delivered(l, now);
			if (can == l->in_done)
				break;
			l->in_done += sim_device_receive(d, l->in + l->in_done, can - l->in_done);
			continue;
		}
		if (!read_in(s, l, now))
			break;
	}
	if (l->port.fd < 0 && !l->unplugged && l->retry_us < l->next_us)
		l->next_us = l->retry_us; /* it just went away */
	uint64_t deadline = sim_device_deadline(d);
	if (deadline < l->next_us)
		l->next_us = deadline;
}

/* Hosts opened or closed terminals: count, and tidy up behind the last one. */
static void count_hosts(struct sim_serve *s)
{
	_Alignas(struct inotify_event) char events[4096];
	ssize_t n = read(s->opens, events, sizeof events);

	for (char *p = events; n > 0 && p < events + n;) {
		const struct inotify_event *ev = (const struct inotify_event *)(const void *)p;
		p += sizeof *ev + ev->len;
		for (size_t i = 0; i < s->n; i++) {
			struct sim_line *l = &s->lines[i];
			if (l->watch != ev->wd || l->port.fd < 0)
				continue;
			l->hosts += ev->mask & IN_OPEN ? 1 : ev->mask & IN_CLOSE ? -1 : 0;
			if (l->hosts <= 0) {
				l->hosts = 0;
				sim_port_forget_host(&l->port);
			}
		}
	}
}

/* --- control ---------------------------------------------------------------------------------- */

void sim_control(struct sim_serve *s, const char *line, char answer[256])
{
	char verb[16];
	unsigned i;
	int end = 0;
	struct err e = { 0 };

	snprintf(answer, 256, "ok");
	if (sscanf(line, "%15s %u %n", verb, &i, &end) != 2 || line[end] || i >= s->n) {
		snprintf(answer, 256,
			"error: wanted unplug|plug|swap|isp|power and a device 0..%zu", s->n - 1);
		return;
	}
	struct sim_line *l = &s->lines[i];
	struct sim_device *d = l->d;
	d->now_us = now_ns() / 1000;
	if (strcmp(verb, "unplug") == 0) {
		l->unplugged = true;
		sim_device_lose_power(d, 0);
		unplug(l, UINT64_MAX);
	} else if (strcmp(verb, "plug") == 0) {
		l->unplugged = false;
		l->retry_us = 0;
		sim_device_tick(d);
	} else if (strcmp(verb, "swap") == 0) {
		struct sim_device *fresh;
		unsigned number = (unsigned)s->n + s->swapped;
		if (sim_device_new(&fresh, &s->opt, number, &e) != 0) {
			snprintf(answer, 256, "error: %s", e.msg);
			return;
		}
		s->swapped++;
		unplug(l, d->now_us + REPLUG_US);
		sim_device_free(d);
		l->d = fresh;
		l->unplugged = false;
		fresh->now_us = now_ns() / 1000;
		sim_device_power_on(fresh);
	} else if (strcmp(verb, "isp") == 0) {
		bool pin = d->opt.isp_pin;
		d->opt.isp_pin = true;
		sim_device_reset(d);
		d->opt.isp_pin = pin;
	} else if (strcmp(verb, "power") == 0)
		sim_device_lose_power(d, 0);
	else
		snprintf(answer, 256, "error: unknown command %s", ESC(verb));
	service(s, i);
}

static int open_control(struct sim_serve *s, struct err *e)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	if (strlen(s->control_path) >= sizeof a.sun_path)
		return err_set(e, ERR_USAGE, "--control %s: too long", s->control_path);
	memcpy(a.sun_path, s->control_path, strlen(s->control_path) + 1);
	unlink(s->control_path);
	s->control = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s->control < 0 || bind(s->control, (struct sockaddr *)&a, sizeof a) != 0 ||
		listen(s->control, 8) != 0 || watch(s, s->control, EV_CONTROL, EPOLLIN) != 0)
		return err_errno(e, "%s", s->control_path);
	return 0;
}

static void accept_client(struct sim_serve *s)
{
	int fd = accept4(s->control, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	for (size_t i = 0; fd >= 0 && i < sizeof s->clients / sizeof s->clients[0]; i++)
		if (s->clients[i] < 0 && watch(s, fd, EV_CLIENT + (uint32_t)i, EPOLLIN) == 0) {
			s->clients[i] = fd;
			return;
		}
	if (fd >= 0)
		close(fd);
}

/* A client sends whole lines; a line that comes in pieces is not worth a buffer here. */
static void serve_client(struct sim_serve *s, size_t i)
{
	char text[1024], answer[256], *save = NULL;
	ssize_t n = read(s->clients[i], text, sizeof text - 1);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		close(s->clients[i]);
		s->clients[i] = -1;
		return;
	}
	text[n] = 0;
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		sim_control(s, line, answer);
		strcat(answer, "\n");
		if (send(s->clients[i], answer, strlen(answer), MSG_NOSIGNAL) < 0)
			break;
	}
}

/* --- all lines -------------------------------------------------------------------------------- */

int sim_serve_open(struct sim_serve *s, struct err *e)
{
	sigset_t set;

	for (size_t i = 0; i < sizeof s->clients / sizeof s->clients[0]; i++)
		s->clients[i] = -1;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	s->epoll = epoll_create1(EPOLL_CLOEXEC);
	s->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	s->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	s->opens = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	s->control = -1;
	if (s->epoll < 0 || s->timer < 0 || s->signals < 0 ||
		watch(s, s->signals, EV_SIGNAL, EPOLLIN) != 0 ||
		watch(s, s->timer, EV_TIMER, EPOLLIN) != 0)
		return err_errno(e, "event loop");
	if (s->opens >= 0) /* a convenience: without it nothing is tidied up behind hosts */
		(void)watch(s, s->opens, EV_OPENS, EPOLLIN);
	if (s->control_path && open_control(s, e) != 0)
		return -1;
	for (size_t i = 0; i < s->n; i++) {
		sim_port_init(&s->lines[i].port);
		if (plug(s, i, e) != 0) {
			if (s->dir)
				return -1;
			s->lines[i].retry_us = 0; /* the socket may come later */
		}
		s->lines[i].d->now_us = now_ns() / 1000;
		if (s->lines[i].d->mode == SIM_MODE_OFF)
			sim_device_power_on(s->lines[i].d);
		sim_fault_start(s->lines[i].d);
	}
	return 0;
}

size_t sim_serve_joined(const struct sim_serve *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n; i++)
		n += s->lines[i].port.fd >= 0;
	return n;
}

static void arm(struct sim_serve *s, uint64_t at_us)
{
	struct itimerspec t = { 0 };

	if (at_us != UINT64_MAX) {
		t.it_value.tv_sec = (time_t)(at_us / 1000000);
		t.it_value.tv_nsec = (long)(at_us % 1000000) * 1000;
		if (!t.it_value.tv_sec && !t.it_value.tv_nsec)
			t.it_value.tv_nsec = 1; /* 0 would disarm */
	}
	(void)timerfd_settime(s->timer, TFD_TIMER_ABSTIME, &t, NULL);
}

static bool any_changed(const struct sim_serve *s)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->lines[i].d->changed)
			return true;
	return false;
}

/* 1: go on, 0: the end, -1 */
static int on_signal(struct sim_serve *s, struct err *e)
{
	struct signalfd_siginfo info;

	while (read(s->signals, &info, sizeof info) == sizeof info) {
		if (info.ssi_signo != SIGUSR1)
			return 0;
		if (s->report && s->report(s, e) != 0)
			return -1;
	}
	return 1;
}

int sim_serve_run(struct sim_serve *s, struct err *e)
{
	uint64_t save_at = UINT64_MAX;

	for (size_t i = 0; i < s->n; i++)
		service(s, i);
	for (;;) {
		struct epoll_event ev[64];
		uint64_t next = save_at, now;

		for (size_t i = 0; i < s->n; i++)
			if (s->lines[i].next_us < next)
				next = s->lines[i].next_us;
		arm(s, next);
		int n = epoll_wait(s->epoll, ev, 64, -1);
		if (n < 0 && errno != EINTR)
			return err_errno(e, "epoll_wait");
		for (int k = 0; k < n; k++) {
			uint32_t id = ev[k].data.u32;
			if (id < s->n)
				service(s, id);
			else if (id == EV_SIGNAL) {
				int more = on_signal(s, e);
				if (more <= 0)
					return more;
			} else if (id == EV_TIMER) {
				uint64_t count;
				if (read(s->timer, &count, sizeof count) < 0)
					continue;
			} else if (id == EV_OPENS)
				count_hosts(s);
			else if (id == EV_CONTROL)
				accept_client(s);
			else if (id >= EV_CLIENT)
				serve_client(s, id - EV_CLIENT);
		}
		now = now_ns() / 1000;
		for (size_t i = 0; i < s->n; i++)
			if (s->lines[i].next_us <= now)
				service(s, i);
		if (s->save && save_at == UINT64_MAX && any_changed(s))
			save_at = now + SAVE_US;
		if (now >= save_at) {
			save_at = UINT64_MAX;
			if (s->save(s, e) != 0)
				return -1;
		}
	}
}

void sim_serve_close(struct sim_serve *s)
{
	for (size_t i = 0; s->lines && i < s->n; i++)
		sim_port_close(&s->lines[i].port);
	for (size_t i = 0; i < sizeof s->clients / sizeof s->clients[0]; i++)
		if (s->clients[i] > 0)
			close(s->clients[i]);
	if (s->control > 0) {
		close(s->control);
		unlink(s->control_path);
	}
	if (s->epoll > 0)
		close(s->epoll);
	if (s->timer > 0)
		close(s->timer);
	if (s->signals > 0)
		close(s->signals);
	if (s->opens > 0)
		close(s->opens);
}

/* Real descriptors: opening, locking, rates, unplugging, cancelling, and that waiting costs no
 * processor time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "mboot/identify.h"
#include "mboot/serial.h"
#include "mboot_board.h"

static void identify_over_a_pty(void **state)
{
	(void)state;
	struct board b;
	struct mboot *m;
	struct mboot_identity id;
	struct err e = { 0 };

	board_init(&b);
	memcpy(b.uuid, "0123456789abcdef", 16);
	b.fuse = 0x03000003;
	board_start_pty(&b);
	assert_true(serial_is_pty(b.path));
	if (mboot_open(&m, b.path, 115200, NULL, &e) != 0 || mboot_identify(m, &id, &e) != 0)
		fail_msg("%s", e.msg);
	assert_true(id.has_uuid);
	assert_memory_equal(id.uuid, "0123456789abcdef", 16);
	assert_int_equal(id.lifecycle, MBOOT_LC_DEVELOP);
	assert_true(id.has_sizes);
	assert_int_equal(id.flash_size, 0x200000);
	assert_int_equal(id.protocol.minor, 3);
	mboot_free(m);
	/* open again at once: nothing of the first opening stays behind */
	if (mboot_open(&m, b.path, 921600, NULL, &e) != 0)
		fail_msg("%s", e.msg);
	assert_int_equal(mboot_ping(m, NULL, &e), 0);
	assert_int_equal(mboot_set_baud(m, 460800, &e), 0);
	assert_int_equal(mboot_set_baud(m, 1, &e), -1);
	mboot_free(m);
	board_stop(&b);
}

static void rate_is_set_and_raw(void **state)
{
	(void)state;
	struct board b;
	struct mboot_io io;
	struct termios t;
	struct err e = { 0 };

	board_init(&b);
	b.kind = BOARD_SILENT;
	board_start_pty(&b);
	assert_int_equal(serial_open(&io, b.path, 57600, &e), 0);
	assert_int_equal(tcgetattr(b.fd, &t), 0);
	assert_int_equal(cfgetospeed(&t), B57600);
	assert_int_equal(t.c_lflag & (ICANON | ECHO | ISIG), 0);
	assert_int_equal(io.set_baud(io.ctx, 921600, &e), 0);
	assert_int_equal(tcgetattr(b.fd, &t), 0);
	assert_int_equal(cfgetospeed(&t), B921600);
	assert_int_equal(io.set_baud(io.ctx, 12345, &e), -1);
	char want[200];
	snprintf(want, sizeof want, "%s: 12345 baud is not a rate a pseudo-terminal can carry",
		b.path);
	assert_string_equal(e.msg, want);
	/* A pseudo-terminal has no control lines. */
	struct serial_lines lines = { .reset = MBOOT_LINE_RTS, .isp = MBOOT_LINE_DTR };
	assert_int_equal(serial_reset_to_isp(&io, &lines, &e), -1);
	assert_int_equal(e.code, ERR_ENV);
	snprintf(want, sizeof want,
		"%s: a pseudo-terminal has no control lines: RESET and ISP cannot be driven",
		b.path);
	assert_string_equal(e.msg, want);
	lines.isp = MBOOT_LINE_RTS;
	assert_int_equal(serial_reset_to_isp(&io, &lines, &e), -1);
	snprintf(want, sizeof want, "reset and ISP need a control line each");
	assert_string_equal(e.msg, want);
	mboot_io_close(&io);
	mboot_io_close(&io); /* a closed one may be closed again */
	board_stop(&b);
}

/* --- control lines ----------------------------------------------------------------------- */
struct lines_seen {
	char text[200];
	int64_t ms[8];
	size_t n, fail_at; /* from 1; 0: never */
};

static int see_line(void *ctx, enum mboot_line line, bool on, struct err *e)
{
	struct lines_seen *s = ctx;

	if (s->n + 1 == s->fail_at) {
		s->n++;
		return err_set(e, ERR_ENV, "line %zu", s->n);
	}
	assert_true(s->n < 8);
	s->ms[s->n++] = clock_mono_ms();
	snprintf(s->text + strlen(s->text), sizeof s->text - strlen(s->text), "%s%s ",
		line == MBOOT_LINE_DTR ? "DTR" : "RTS", on ? "+" : "-");
	return 0;
}

static void reset_pulse(void **state)
{
	(void)state;
	static const struct {
		struct serial_lines lines;
		size_t fail_at;
		const char *seen;
		const char *message;
	} cases[] = {
		{ { MBOOT_LINE_RTS, MBOOT_LINE_DTR, false, 20 }, 0, "DTR+ RTS+ RTS- DTR- ", NULL },
		{ { MBOOT_LINE_DTR, MBOOT_LINE_RTS, false, 20 }, 0, "RTS+ DTR+ DTR- RTS- ", NULL },
		{ { MBOOT_LINE_RTS, MBOOT_LINE_DTR, true, 20 }, 0, "DTR- RTS- RTS+ DTR+ ", NULL },
		{ { MBOOT_LINE_DTR, MBOOT_LINE_NONE, true, 20 }, 0, "DTR- DTR+ ", NULL },
		/* what fails half-way leaves the board running, not in reset */
		{ { MBOOT_LINE_RTS, MBOOT_LINE_DTR, false, 1 }, 2, "DTR+ RTS- DTR- ", "line 2" },
		{ { MBOOT_LINE_RTS, MBOOT_LINE_DTR, false, 1 }, 3, "DTR+ RTS+ RTS- DTR- ",
			"line 3" },
		{ { MBOOT_LINE_NONE, MBOOT_LINE_DTR, false, 1 }, 0, "",
			"reset and ISP need a control line each" },
		{ { MBOOT_LINE_DTR, MBOOT_LINE_DTR, false, 1 }, 0, "",
			"reset and ISP need a control line each" },
	};
	struct err e = { 0 };

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct lines_seen s = { .fail_at = cases[i].fail_at };
		struct mboot_io io = { .set_line = see_line, .ctx = &s };
		int rc = serial_reset_to_isp(&io, &cases[i].lines, &e);
		assert_int_equal(rc, cases[i].message ? -1 : 0);
		assert_string_equal(s.text, cases[i].seen);
		if (cases[i].message)
			assert_string_equal(e.msg, cases[i].message);
		if (!cases[i].message && s.n == 4) {
			/* RESET is held, and ISP as long after it */
			assert_true(s.ms[2] - s.ms[1] >= 19);
			assert_true(s.ms[3] - s.ms[2] >= 19);
		}
	}
	struct mboot_io none = { 0 };
	assert_int_equal(serial_reset_to_isp(&none, &cases[0].lines, &e), -1);
	assert_string_equal(e.msg, "this port has no control lines");
	assert_int_equal(e.code, ERR_ENV);
}

static void what_cannot_be_opened(void **state)
{
	(void)state;
	static const struct {
		const char *path, *message;
	} cases[] = {
		{ "/nowhere/tty", "/nowhere/tty: no such port: No such file or directory" },
		{ "/tmp", "/tmp: not a serial port (not a character device)" },
		{ "/dev/null", "/dev/null: not a serial port" },
		{ "Makefile", "Makefile: not a serial port (not a character device)" },
	};
	struct mboot_io io;
	struct err e = { 0 };

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		assert_int_equal(serial_open(&io, cases[i].path, 115200, &e), -1);
		assert_string_equal(e.msg, cases[i].message);
		assert_int_equal(e.code, ERR_ENV);
	}
}

static void busy_port_names_its_holder(void **state)
{
	(void)state;
	struct board b;
	struct mboot_io io;
	struct err e = { 0 };
	char program[64], want[200];
	int ready[2];

	board_init(&b);
	board_start_pty(&b);
	/* The simulator's own descriptors do not make a port busy. */
	assert_int_equal(serial_holder(b.path, program, sizeof program), 0);

	assert_int_equal(pipe(ready), 0);
	pid_t child = fork();
	if (child == 0) {
		close(b.fd); /* the master is the board's, not this program's */
		int fd = open(b.path, O_RDWR | O_NOCTTY);
		if (fd < 0 || flock(fd, LOCK_EX) != 0 || write(ready[1], "x", 1) != 1)
			_exit(1);
		pause();
		_exit(0);
	}
	char c;
	assert_int_equal(read(ready[0], &c, 1), 1);
	assert_int_equal(serial_holder(b.path, program, sizeof program), child);
	assert_string_equal(program, "test_mboot_seri"); /* the kernel keeps 15 characters */
	assert_int_equal(serial_open(&io, b.path, 115200, &e), -1);
	snprintf(want, sizeof want, "%s: port is in use by test_mboot_seri (process %d)", b.path,
		(int)child);
	assert_string_equal(e.msg, want);
	assert_int_equal(e.code, ERR_ENV);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	close(ready[0]);
	close(ready[1]);
	/* And free again after its death. */
	if (serial_open(&io, b.path, 115200, &e) != 0)
		fail_msg("%s", e.msg);
	mboot_io_close(&io);
	board_stop(&b);
}

static double cpu_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void waiting_costs_nothing(void **state)
{
	(void)state;
	struct board b;
	struct mboot *m;
	struct err e = { 0 };
	uint32_t word;
	size_t n;

	board_init(&b);
	b.kind = BOARD_SILENT;
	board_start_pty(&b);
	assert_int_equal(mboot_open(&m, b.path, 115200, NULL, &e), 0);
	double cpu = cpu_s();
	int64_t since = clock_mono_ms();
	assert_int_equal(mboot_get_property(m, 1, 0, &word, 1, &n, &e), -1);
	int64_t took = clock_mono_ms() - since;
	assert_int_equal(e.code, ERR_TIMEOUT);
	assert_in_range(took, 1250, 2500); /* 1 s for the ACK, 0.3 s for the ping */
	assert_true(cpu_s() - cpu < 0.05);
	mboot_free(m);
	board_stop(&b);
}

struct later {
	struct board *board;
	atomic_bool *flag;
	int ms;
};

static void *act_later(void *arg)
{
	struct later *l = arg;
	struct timespec t = { 0, l->ms * 1000000L };

	nanosleep(&t, NULL);
	if (l->flag)
		atomic_store(l->flag, true);
	if (l->board)
		board_unplug(l->board);
	return NULL;
}

/* The adapter is pulled while the host waits for a response: noticed at once, without spinning. */
static void unplugged_while_waiting(void **state)
{
	(void)state;
	struct board b;
	struct mboot *m;
	struct err e = { 0 };
	pthread_t thread;
	char want[200];

	board_init(&b);
	b.kind = BOARD_SILENT;
	board_start_pty(&b);
	assert_int_equal(mboot_open(&m, b.path, 115200, NULL, &e), 0);
	struct later l = { .board = &b, .ms = 200 };
	pthread_create(&thread, NULL, act_later, &l);
	double cpu = cpu_s();
	int64_t since = clock_mono_ms();
	assert_int_equal(mboot_flash_erase_all(m, 0, &e), -1);
	assert_true(clock_mono_ms() - since < 900);
	assert_true(cpu_s() - cpu < 0.05);
	assert_int_equal(e.code, ERR_DEVICE);
	assert_int_equal(e.device, 0);
	snprintf(want, sizeof want,
		"flash-erase-all: %s: port closed (adapter unplugged or simulator ended)", b.path);
	assert_string_equal(e.msg, want);
	/* Everything after that says the same. */
	assert_int_equal(mboot_reset(m, &e), -1);
	assert_int_equal(e.code, ERR_DEVICE);
	pthread_join(thread, NULL);
	mboot_free(m);
	board_stop(&b);
}

static void cancelled_while_waiting(void **state)
{
	(void)state;
	struct board b;
	struct mboot *m;
	struct err e = { 0 };
	pthread_t thread;
	atomic_bool cancel = false;
	const struct mboot_options o = { .cancel = &cancel };

	board_init(&b);
	b.kind = BOARD_SILENT;
	board_start_pty(&b);
	assert_int_equal(mboot_open(&m, b.path, 115200, &o, &e), 0);
	struct later l = { .flag = &cancel, .ms = 200 };
	pthread_create(&thread, NULL, act_later, &l);
	int64_t since = clock_mono_ms();
	assert_int_equal(mboot_wait_ready(m, 10000, 60000, NULL, &e), -1);
	assert_true(clock_mono_ms() - since < 600);
	assert_int_equal(e.code, ERR_CANCELLED);
	pthread_join(thread, NULL);
	mboot_free(m);
	board_stop(&b);
}

/* A megabyte through a socket: what the line can carry is the limit, not the host. */
static void large_file_over_a_socket(void **state)
{
	(void)state;
	struct board b;
	struct mboot_io io;
	struct mboot *m;
	struct err e = { 0 };
	size_t len = 1 << 20;
	uint8_t *file = malloc(len);

	for (size_t i = 0; i < len; i++)
		file[i] = (uint8_t)(i * 31);
	board_init(&b);
	int fd = board_start_socket(&b);
	assert_int_equal(mboot_io_fd(&io, fd, "socket", &e), 0);
	assert_int_equal(mboot_new(&m, &io, NULL, &e), 0);
	if (mboot_receive_sb_file(m, file, len, &e) != 0)
		fail_msg("%s", e.msg);
	const struct mboot_stats *s = mboot_stats(m);
	assert_int_equal(s->naks + s->damaged + s->stray, 0);
	assert_true(s->bytes_out > len && s->bytes_out < len + len / 50);
	mboot_free(m);
	board_stop(&b);
	free(file);
}

static void peer_of_a_socket_vanishes(void **state)
{
	(void)state;
	struct mboot_io io;
	struct err e = { 0 };
	int pair[2];
	uint8_t byte = 0;
	size_t got;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_int_equal(mboot_io_fd(&io, pair[0], "socket", &e), 0);
	close(pair[1]);
	assert_int_equal(io.read(io.ctx, &byte, 1, 100, &got, &e), -1);
	assert_string_equal(e.msg, "socket: port closed (adapter unplugged or simulator ended)");
	assert_int_equal(io.write(io.ctx, &byte, 1, 100, &e), -1); /* and no SIGPIPE */
	assert_int_equal(e.code, ERR_DEVICE);
	mboot_io_close(&io);
}

/* A line that takes nothing: the write ends with a timeout, it does not hang. */
static void stuck_line(void **state)
{
	(void)state;
	struct mboot_io io;
	struct err e = { 0 };
	int pair[2];
	size_t len = 4 << 20;
	uint8_t *much = calloc(1, len);

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_int_equal(mboot_io_fd(&io, pair[0], "socket", &e), 0);
	int64_t since = clock_mono_ms();
	assert_int_equal(io.write(io.ctx, much, len, 200, &e), -1);
	assert_int_equal(e.code, ERR_TIMEOUT);
	assert_in_range(clock_mono_ms() - since, 190, 1500);
	mboot_io_close(&io);
	close(pair[1]);
	free(much);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(identify_over_a_pty),
		cmocka_unit_test(rate_is_set_and_raw),
		cmocka_unit_test(reset_pulse),
		cmocka_unit_test(what_cannot_be_opened),
		cmocka_unit_test(busy_port_names_its_holder),
		cmocka_unit_test(waiting_costs_nothing),
		cmocka_unit_test(unplugged_while_waiting),
		cmocka_unit_test(cancelled_while_waiting),
		cmocka_unit_test(large_file_over_a_socket),
		cmocka_unit_test(peer_of_a_socket_vanishes),
		cmocka_unit_test(stuck_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

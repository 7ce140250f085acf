/* runner's view of ports: enumeration, states, order, parallel probing with a fixed end. */
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
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"
#include "mboot_board.h"
#include "runner/ports.h"

enum { N = 12 };

static char folder[] = "/tmp/ports.XXXXXX";
static struct board boards[N];

static void link_name(char out[100], int i)
{
	snprintf(out, 100, "%s/ttyMCX%d", folder, i);
}

static int start_boards(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	for (int i = 0; i < N; i++) {
		char name[100];
		board_init(&boards[i]);
		memset(boards[i].uuid, i, sizeof boards[i].uuid);
		link_name(name, i);
		if (i == 3)
			boards[i].kind = BOARD_SILENT;
		if (i == 5)
			boards[i].kind = BOARD_PINGS_ONLY;
		if (i == 7)
			boards[i].kind = BOARD_NOISE;
		if (i == 8) { /* an N946 in the field, its fuses say so */
			boards[i].flash_size = 0x100000;
			boards[i].ram_size = 0x40000;
			boards[i].security = MBOOT_SECURITY_SECURED;
			boards[i].fuse = 0x0F00000F;
		}
		if (i == 9)
			boards[i].flash_size = 0x12345;
		board_start_pty(&boards[i]);
		if (symlink(boards[i].path, name) != 0)
			return -1;
	}
	return 0;
}

static int stop_boards(void **state)
{
	char command[100];

	(void)state;
	for (int i = 0; i < N; i++)
		board_stop(&boards[i]);
	snprintf(command, sizeof command, "rm -rf %s", folder);
	return system(command) == 0 ? 0 : -1;
}

static void list(struct port_list *l, const char *pattern)
{
	char glob[200];
	const char *globs[] = { glob };
	struct err e = { 0 };

	snprintf(glob, sizeof glob, "%s/%s", folder, pattern);
	if (ports_list(l, globs, 1, &e) != 0)
		fail_msg("%s", e.msg);
}

static void natural_order_without_opening(void **state)
{
	(void)state;
	AUTO(ports_clear) struct port_list l = { 0 };

	list(&l, "ttyMCX*");
	assert_int_equal(l.n, N);
	for (int i = 0; i < N; i++) {
		char name[100];
		link_name(name, i); /* 2 before 10 */
		assert_string_equal(l.v[i].path, name);
		assert_string_equal(l.v[i].device, boards[i].path);
		assert_true(l.v[i].pty);
		assert_int_equal(l.v[i].state, PORT_USABLE);
		assert_int_equal(l.v[i].probe, PORT_NOT_PROBED);
		assert_int_equal(atomic_load(&boards[i].bytes), 0);
	}
}

static void probing_in_parallel(void **state)
{
	(void)state;
	AUTO(ports_clear) struct port_list l = { 0 };
	struct err e = { 0 };

	list(&l, "ttyMCX*");
	int64_t since = clock_mono_ms();
	if (ports_probe(&l, 115200, NULL, NULL, &e) != 0)
		fail_msg("%s", e.msg);
	/* One silent port takes as long as all of them. */
	assert_true(clock_mono_ms() - since < 4500);
	for (int i = 0; i < N; i++) {
		const struct port *p = &l.v[i];
		if (i == 3 || i == 7) {
			assert_int_equal(p->probe, PORT_NO_ANSWER);
			assert_string_equal(p->reason,
				"no answer (board off, not in ISP mode, or another device)");
			continue;
		}
		if (i == 5) {
			assert_int_equal(p->probe, PORT_PROBE_FAILED);
			assert_non_null(strstr(p->reason, "get-property: no ACK within"));
			continue;
		}
		assert_int_equal(p->probe, PORT_ANSWERED);
		assert_true(p->identity.has_uuid);
		assert_int_equal(p->identity.uuid[0], i);
		assert_int_equal(
			p->identity.lifecycle, i == 8 ? MBOOT_LC_IN_FIELD : MBOOT_LC_BLANK);
		if (i == 9) {
			assert_int_equal(p->n_families, 0);
			assert_false(port_may_be(p, "mcxn947"));
			continue;
		}
		/* Two parts have these sizes. */
		assert_int_equal(p->n_families, 2);
		assert_string_equal(p->families[0], i == 8 ? "mcxn946" : "mcxn947");
		assert_string_equal(p->families[1], i == 8 ? "mcxn546" : "mcxn547");
		assert_true(port_may_be(p, i == 8 ? "mcxn946" : "mcxn947"));
		assert_false(port_may_be(p, i == 8 ? "mcxn947" : "mcxn946"));
		assert_false(port_may_be(p, "lpc55s69"));
	}
	/* Gently: a silent port gets its five pings and nothing else. */
	assert_int_equal(atomic_load(&boards[3].bytes), 10);
}

static void silent_ports_cost_two_seconds(void **state)
{
	(void)state;
	AUTO(ports_clear) struct port_list l = { 0 };
	struct err e = { 0 };

	list(&l, "ttyMCX3");
	int64_t since = clock_mono_ms();
	assert_int_equal(ports_probe(&l, 115200, NULL, NULL, &e), 0);
	assert_in_range(clock_mono_ms() - since, 1800, 2300);
	assert_int_equal(l.v[0].probe, PORT_NO_ANSWER);
}

static atomic_bool cancel;

static void *cancel_soon(void *arg)
{
	(void)arg;
	usleep(150000);
	atomic_store(&cancel, true);
	return NULL;
}

static void cancelled(void **state)
{
	(void)state;
	AUTO(ports_clear) struct port_list l = { 0 };
	struct err e = { 0 };
	pthread_t t;

	list(&l, "ttyMCX3");
	pthread_create(&t, NULL, cancel_soon, NULL);
	int64_t since = clock_mono_ms();
	assert_int_equal(ports_probe(&l, 115200, NULL, &cancel, &e), -1);
	assert_int_equal(e.code, ERR_CANCELLED);
	assert_true(clock_mono_ms() - since < 900);
	pthread_join(t, NULL);
	atomic_store(&cancel, false);
}

/* Busy, no permission and not there are three things. */
static void busy_port(void **state)
{
	(void)state;
	AUTO(ports_clear) struct port_list l = { 0 };
	struct err e = { 0 };
	char name[100], want[200];
	int ready[2];
	char c;

	link_name(name, 1);
	assert_int_equal(pipe(ready), 0);
	pid_t child = fork();
	if (child == 0) {
		for (int i = 0; i < N; i++)
			close(boards[i].fd);
		int fd = open(name, O_RDWR | O_NOCTTY);
		if (fd < 0 || flock(fd, LOCK_EX) != 0 || write(ready[1], "x", 1) != 1)
			_exit(1);
		pause();
		_exit(0);
	}
	assert_int_equal(read(ready[0], &c, 1), 1);
	unsigned long before = atomic_load(&boards[1].bytes);
	list(&l, "ttyMCX1");
	assert_int_equal(l.v[0].state, PORT_BUSY);
	assert_int_equal(l.v[0].busy_pid, child);
	assert_string_equal(l.v[0].busy_program, "test_ports");
	snprintf(want, sizeof want, "in use by test_ports (process %d)", (int)child);
	assert_string_equal(l.v[0].reason, want);
	/* Not probed, not touched. */
	assert_int_equal(ports_probe(&l, 115200, NULL, NULL, &e), 0);
	assert_int_equal(l.v[0].probe, PORT_NOT_PROBED);
	assert_int_equal(atomic_load(&boards[1].bytes), before);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	close(ready[0]);
	close(ready[1]);
}

static void no_permission(void **state)
{
	(void)state;
	if (geteuid() == 0) {
		/* The tests run as root here: look from a child that gave root up. */
		pid_t child = fork();
		if (child == 0) {
			struct port p;
			if (chmod(folder, 0755) != 0 || chmod(boards[2].path, 0600) != 0 ||
				setegid(65534) != 0 || seteuid(65534) != 0)
				_exit(2);
			port_describe(&p, boards[2].path);
			if (p.state != PORT_NO_PERMISSION)
				_exit(3);
			_exit(strstr(p.reason, "mode 600") ? 0 : 4);
		}
		int status = 0;
		waitpid(child, &status, 0);
		assert_int_equal(status, 0);
		return;
	}
	struct port p;
	assert_int_equal(chmod(boards[2].path, 0), 0);
	port_describe(&p, boards[2].path);
	assert_int_equal(p.state, PORT_NO_PERMISSION);
	assert_non_null(strstr(p.reason, "no permission to open (group"));
	assert_int_equal(chmod(boards[2].path, 0600), 0);
}

static void not_there(void **state)
{
	(void)state;
	AUTO(ports_clear) struct port_list l = { 0 };
	AUTO(ports_clear) struct port_list none = { 0 };
	char path[120];
	struct err e = { 0 };

	list(&l, "ttyMCX99"); /* a full name is reported */
	assert_int_equal(l.n, 1);
	assert_int_equal(l.v[0].state, PORT_GONE);
	assert_string_equal(l.v[0].reason, "No such file or directory");
	list(&none, "nothing*"); /* a pattern may match nothing */
	assert_int_equal(none.n, 0);
	/* a file that a pattern catches is no port */
	snprintf(path, sizeof path, "%s/ttyMCX-notes.txt", folder);
	int fd = open(path, O_CREAT | O_WRONLY, 0600);
	close(fd);
	ports_clear(&l);
	list(&l, "ttyMCX*");
	assert_int_equal(l.n, N);
	assert_int_equal(unlink(path), 0);
	/* two names of one device are one port */
	char a[100], b[100];
	link_name(a, 0);
	snprintf(b, sizeof b, "%s/other", folder);
	assert_int_equal(symlink(boards[0].path, b), 0);
	const char *globs[] = { a, b };
	ports_clear(&l);
	assert_int_equal(ports_list(&l, globs, 2, &e), 0);
	assert_int_equal(l.n, 1);
	assert_int_equal(unlink(b), 0);
}

static void all_usb_ports(void **state)
{
	(void)state;
	AUTO(ports_clear) struct port_list l = { 0 };
	struct err e = { 0 };

	assert_int_equal(ports_list(&l, NULL, 0, &e), 0);
	for (size_t i = 0; i < l.n; i++)
		assert_true(l.v[i].usb);
}

static void json_document(void **state)
{
	(void)state;
	AUTO(ports_clear) struct port_list l = { 0 };
	struct err e = { 0 };

	list(&l, "ttyMCX[13]");
	assert_int_equal(l.n, 2);
	assert_int_equal(ports_probe(&l, 115200, NULL, NULL, &e), 0);
	AUTO(json_freep) json_t *j = ports_json(&l);
	AUTO(buf_clear) struct buf text = { 0 };
	assert_int_equal(json_line(j, &text, &e), 0);
	char want[1500];
	snprintf(want, sizeof want,
		"{\"type\":\"runner-ports\",\"format\":1,\"ports\":[{\"path\":\"%s/ttyMCX1\","
		"\"device\":\"%s\",\"by_path\":null,\"description\":\"pseudo-terminal\","
		"\"driver\":null,\"state\":\"usable\",\"probe\":\"answered\","
		"\"protocol\":\"P1.3.0\",\"families\":[\"mcxn947\",\"mcxn547\"],"
		"\"uuid\":\"01010101010101010101010101010101\",\"lifecycle\":\"blank\","
		"\"flash_size\":2097152,\"ram_size\":425984},{\"path\":\"%s/ttyMCX3\","
		"\"device\":\"%s\",\"by_path\":null,\"description\":\"pseudo-terminal\","
		"\"driver\":null,\"state\":\"usable\",\"probe\":\"no-answer\",\"reason\":\"no "
		"answer (board off, not in ISP mode, or another device)\"}]}",
		folder, boards[1].path, folder, boards[3].path);
	assert_string_equal(buf_text(&text), want);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(natural_order_without_opening),
		cmocka_unit_test(probing_in_parallel),
		cmocka_unit_test(silent_ports_cost_two_seconds),
		cmocka_unit_test(cancelled),
		cmocka_unit_test(busy_port),
		cmocka_unit_test(no_permission),
		cmocka_unit_test(not_there),
		cmocka_unit_test(all_usb_ports),
		cmocka_unit_test(json_document),
	};

	return cmocka_run_group_tests(tests, start_boards, stop_boards);
}

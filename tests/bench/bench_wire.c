/* bench_wire - how much of the line the mboot host uses, and what that costs.
 *
 * Unpaced: receive-sb-file to a board in the same process, over a socket pair and over a
 * pseudo-terminal: MiB of payload a second and processor time of the host a MiB (median of n).
 * The bound beside it: a plain write of the same frames followed by a read of two bytes, to and
 * from a peer that only counts.
 *
 * Paced: write-memory into the RAM of simulated devices whose lines carry no more than their baud
 * rate, one to many ports at once, a thread a port; and what the simulator needs of a processor,
 * for above 100 % it is the simulator that is measured. Figure: time the bytes of both directions
 * need on the line (10 bits each) over the time it took. The protocol allows no overlap, so 100 %
 * is the limit; payload is 512 of 520 bytes (98.5 %) of it. */
#include <libgen.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "mboot/mboot.h"
#include "tests/unit/mboot_board.h"

#define MIB ((size_t)1 << 20)
enum { N_RUNS = 5, MAX_PORTS = 64, RAM = 0x20010000, PACED_SECONDS = 2, PACED_MAX = 320 << 10 };

static double now(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void die(const char *what, const struct err *e)
{
	fprintf(stderr, "bench_wire: %s: %s\n", what, e->msg);
	exit(1);
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return x < y ? -1 : x > y;
}

static double median(double *v)
{
	qsort(v, N_RUNS, sizeof *v, ascending);
	return v[N_RUNS / 2];
}

/* --- unpaced ---------------------------------------------------------------------------------- */

static void print_unpaced(const char *what, size_t len, double *wall, double *cpu)
{
	double s = median(wall);

	printf("%-34s %8.1f MiB/s  %7.2f ms CPU/MiB  (%zu MiB, n = %d)\n", what,
		(double)len / (double)MIB / s, median(cpu) * 1e3 / ((double)len / (double)MIB),
		len / MIB, N_RUNS);
}

static void unpaced(
	const char *what, bool pty, uint32_t max_packet, const uint8_t *file, size_t len)
{
	double wall[N_RUNS], cpu[N_RUNS];
	struct board b;
	struct mboot_io io;
	struct mboot *m;
	struct err e = { 0 };

	board_init(&b);
	b.max_packet = max_packet;
	if (pty) {
		board_start_pty(&b);
		if (mboot_open(&m, b.path, 4000000, NULL, &e) != 0)
			die(what, &e);
	} else if (mboot_io_fd(&io, board_start_socket(&b), "socket", &e) != 0 ||
		   mboot_new(&m, &io, NULL, &e) != 0) {
		die(what, &e);
	}
	for (int i = 0; i < N_RUNS; i++) {
		double w = now(CLOCK_MONOTONIC), c = now(CLOCK_THREAD_CPUTIME_ID);
		if (mboot_receive_sb_file(m, file, len, &e) != 0)
			die(what, &e);
		wall[i] = now(CLOCK_MONOTONIC) - w;
		cpu[i] = now(CLOCK_THREAD_CPUTIME_ID) - c;
	}
	print_unpaced(what, len, wall, cpu);
	mboot_free(m);
	board_stop(&b);
}

/* The bound: the same sizes there and back, no protocol. */
static void *count_and_ack(void *arg)
{
	int fd = *(int *)arg;
	uint8_t buf[8192];
	size_t have = 0;

	for (;;) {
		ssize_t n = read(fd, buf, sizeof buf);
		if (n <= 0)
			return NULL;
		for (have += (size_t)n; have >= 518; have -= 518)
			if (write(fd, buf, 2) != 2)
				return NULL;
	}
}

static void bound(const uint8_t *file, size_t len)
{
	double wall[N_RUNS], cpu[N_RUNS];
	pthread_t thread;
	int pair[2];
	uint8_t ack[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0 ||
		pthread_create(&thread, NULL, count_and_ack, &pair[1]) != 0)
		exit(1);
	for (int i = 0; i < N_RUNS; i++) {
		double w = now(CLOCK_MONOTONIC), c = now(CLOCK_THREAD_CPUTIME_ID);
		for (size_t at = 0; at + 518 <= len; at += 512)
			if (write(pair[0], file + at, 518) != 518 || read(pair[0], ack, 2) != 2)
				exit(1);
		wall[i] = now(CLOCK_MONOTONIC) - w;
		cpu[i] = now(CLOCK_THREAD_CPUTIME_ID) - c;
	}
	print_unpaced("bound: write 518, read 2, socket", len, wall, cpu);
	shutdown(pair[0], SHUT_RDWR);
	pthread_join(thread, NULL);
	close(pair[0]);
	close(pair[1]);
}

/* --- paced ---------------------------------------------------------------------------------------
 */

struct line {
	char path[200];
	uint32_t baud;
	const uint8_t *data;
	size_t len;
	double used, cpu; /* share of the line, seconds */
};

static void *drive(void *arg)
{
	struct line *l = arg;
	struct mboot *m;
	struct err e = { 0 };
	size_t packet;

	if (mboot_open(&m, l->path, l->baud, NULL, &e) != 0 || mboot_ping(m, NULL, &e) != 0 ||
		mboot_max_packet(m, &packet, &e) != 0)
		die(l->path, &e);
	struct mboot_stats before = *mboot_stats(m);
	double w = now(CLOCK_MONOTONIC), c = now(CLOCK_THREAD_CPUTIME_ID);
	if (mboot_write_memory(m, RAM, l->data, l->len, 0, &e) != 0)
		die(l->path, &e);
	w = now(CLOCK_MONOTONIC) - w;
	l->cpu = now(CLOCK_THREAD_CPUTIME_ID) - c;
	const struct mboot_stats *s = mboot_stats(m);
	double bits =
		10.0 * (double)(s->bytes_out - before.bytes_out + s->bytes_in - before.bytes_in);
	l->used = bits / l->baud / w;
	mboot_free(m);
	return NULL;
}

/* Processor time of a process so far, in seconds. */
static double cpu_of(pid_t pid)
{
	char name[40];
	unsigned long user = 0, kernel = 0;

	snprintf(name, sizeof name, "/proc/%d/stat", (int)pid);
	FILE *f = fopen(name, "r");
	if (!f || fscanf(f, "%*d (%*[^)]) %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
			  &user, &kernel) != 2)
		user = kernel = 0;
	if (f)
		fclose(f);
	return (double)(user + kernel) / (double)sysconf(_SC_CLK_TCK);
}

static void paced(const char *dir, pid_t sim, unsigned ports, uint32_t baud, const uint8_t *data)
{
	static struct line lines[MAX_PORTS];
	pthread_t threads[MAX_PORTS];
	double least = 1e9, sum = 0, cpu = 0;
	size_t len = (size_t)baud / 10 * PACED_SECONDS / 512 * 512;

	if (len > PACED_MAX)
		len = PACED_MAX;
	double w = now(CLOCK_MONOTONIC), far = cpu_of(sim);
	for (unsigned i = 0; i < ports; i++) {
		lines[i] = (struct line){ .baud = baud, .data = data, .len = len };
		snprintf(lines[i].path, sizeof lines[i].path, "%s/ttyMCX%u", dir, i);
		if (pthread_create(&threads[i], NULL, drive, &lines[i]) != 0)
			exit(1);
	}
	for (unsigned i = 0; i < ports; i++) {
		pthread_join(threads[i], NULL);
		least = lines[i].used < least ? lines[i].used : least;
		sum += lines[i].used;
		cpu += lines[i].cpu;
	}
	w = now(CLOCK_MONOTONIC) - w;
	far = cpu_of(sim) - far;
	printf("%3u ports at %7u baud: line used %5.1f %% mean, %5.1f %% worst of 100 %%; "
	       "n = %u x %zu KiB; host %6.2f ms CPU/MiB, %5.1f %% of a processor, "
	       "simulator %5.1f %%\n",
		ports, baud, 100 * sum / ports, 100 * least, ports, len >> 10,
		cpu * 1e3 / ((double)(ports * len) / (double)MIB), 100 * cpu / w, 100 * far / w);
}

/* The simulator of the same build, as a process of its own. */
static pid_t start_simulator(const char *self, const char *dir)
{
	char program[400], count[8];
	char *copy = strdup(self);
	int out[2];
	char line[64];

	snprintf(program, sizeof program, "%s/../bin/mcxsim", dirname(copy));
	free(copy);
	snprintf(count, sizeof count, "%d", MAX_PORTS);
	if (access(program, X_OK) != 0 || pipe(out) != 0)
		return -1;
	pid_t pid = fork();
	if (pid == 0) {
		dup2(out[1], 1);
		execl(program, program, "--family", "mcxn947", "--count", count, "--dir", dir,
			"--seed", "1", "--baud-pacing", (char *)NULL);
		_exit(1);
	}
	close(out[1]);
	if (read(out[0], line, sizeof line) <= 0) /* "ready 64" */
		exit(1);
	return pid;
}

int main(int argc, char **argv)
{
	(void)argc;
	size_t len = 4 * MIB;
	uint8_t *data = malloc(len + 4096);
	char dir[] = "/tmp/bench_wire.XXXXXX", command[60];

	for (size_t i = 0; i < len; i++)
		data[i] = (uint8_t)(i * 31 >> 3);
	unpaced("receive-sb-file, socket, 512", false, 512, data, len);
	bound(data, len);
	unpaced("receive-sb-file, socket, 4096", false, 4096, data, len);
	unpaced("receive-sb-file, pty, 512", true, 512, data, len);

	if (!mkdtemp(dir))
		return 1;
	pid_t sim = start_simulator(argv[0], dir);
	if (sim < 0) {
		printf("paced lines: not measured, there is no mcxsim beside this program\n");
	} else {
		static const uint32_t bauds[] = { 115200, 921600, 3000000 };
		for (size_t b = 0; b < sizeof bauds / sizeof bauds[0]; b++)
			for (unsigned ports = 1; ports <= MAX_PORTS;
				ports = ports == 1 ? 16 : ports * 4)
				paced(dir, sim, ports, bauds[b], data);
		kill(sim, SIGTERM);
		waitpid(sim, NULL, 0);
	}
	snprintf(command, sizeof command, "rm -rf %s", dir);
	free(data);
	return system(command) == 0 ? 0 : 1;
}

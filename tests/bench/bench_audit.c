/* bench_audit - verifying a log beside its bound: SHA-256 over the same bytes and as many Ed25519
 * verifications as the log has signatures, by the same libraries in the same run, on one processor.
 * Prints seconds and peak memory for a log of about 100,000 and one of about 1,000,000 leaves, and
 * what a report adds. The logs are made once, in build/bench/audit-*. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/fsio.h"
#include "crypt/digest.h"
#include "evidence/audit.h"
#include "mfgpkg/audit/report.h"
#include "tests/unit/report_factory.h"

#define PIECE 380 /* bytes of a typical leaf */

static double seconds(clockid_t clock)
{
	struct timespec t;
	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}
#define NOW  seconds(CLOCK_MONOTONIC)
#define USED seconds(CLOCK_PROCESS_CPUTIME_ID) /* processor time: the machine may be busy */

static void die(const struct err *e)
{
	fprintf(stderr, "bench_audit: %s\n", e->msg);
	exit(1);
}

/* --- logs ------------------------------------------------------------------------------------- */

static void make_log(const char *dir, unsigned devices)
{
	struct factory_plan plan = {
		.dir = dir, .devices = devices, .ports = 16, .fail_percent = 2, .events = true
	};
	char path[300], made[300];
	struct factory f;
	struct err e = { 0 };

	snprintf(made, sizeof made, "%s/made", dir);
	if (fsio_exists(made))
		return;
	snprintf(path, sizeof path, "rm -rf '%s'", dir);
	if (system(path) != 0)
		exit(1);
	fprintf(stderr, "bench_audit: writing the log of %u devices ...\n", devices);
	if (factory_run(&plan, &f, &e) != 0 || fsio_write(made, "", 0, 0644, &e) != 0)
		die(&e);
}

/* --- measuring -------------------------------------------------------------------------------- */

struct run {
	double wall, cpu;
	long peak_kib;
	uint64_t leaves, bytes, signatures;
	char verdict[16];
};

struct job {
	const char *dir;
	const char *html; /* NULL: only verify */
};

static void work(const struct job *j, struct run *out)
{
	static struct audit_result r;
	struct minisign_pub oem;
	struct oem_report *report = NULL;
	struct audit_expect x = { .oem = &oem, .n_oem = 1 };
	struct err e = { 0 };
	char path[300];

	snprintf(path, sizeof path, "%s/oem.pub", j->dir);
	if (minisign_pub_load(&oem, path, &e) != 0)
		die(&e);
	if (j->html && oem_report_new(&report, "log.db", &e) != 0)
		die(&e);
	if (report) {
		x.observe = oem_report_leaf;
		x.observe_ctx = report;
	}
	snprintf(path, sizeof path, "%s/log.db", j->dir);
	double t = NOW;
	if (audit_verify(path, &x, &r, &e) != 0)
		die(&e);
	if (report) {
		FILE *f = fopen(j->html, "w");
		if (!f || oem_report_settle(report, &r, &x, &e) != 0)
			die(&e);
		oem_report_html(&report, 1, f);
		fclose(f);
		oem_report_free(report);
	}
	out->wall = NOW - t;
	out->leaves = r.leaves;
	out->bytes = r.bytes;
	out->signatures = 2 * r.checkpoints;
	snprintf(out->verdict, sizeof out->verdict, "%s", audit_verdict_name(r.verdict));
}

/* In a process of its own, so that its memory can be told. */
static struct run measure(const struct job *j)
{
	struct run r = { 0 };
	struct rusage u;
	int fds[2], status;

	if (pipe(fds) != 0)
		exit(1);
	pid_t pid = fork();
	if (pid == 0) {
		work(j, &r);
		_exit(write(fds[1], &r, sizeof r) == sizeof r ? 0 : 1);
	}
	if (pid < 0 || wait4(pid, &status, 0, &u) != pid || status != 0 ||
		read(fds[0], &r, sizeof r) != sizeof r)
		exit(1);
	close(fds[0]);
	close(fds[1]);
	r.cpu = (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
		(double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
	r.peak_kib = u.ru_maxrss;
	return r;
}

static double bound_hash(uint64_t bytes)
{
	static uint8_t piece[PIECE + 1], out[32];
	double t = USED;

	for (uint64_t done = 0; done < bytes; done += PIECE)
		sha256_of(piece, sizeof piece, out);
	return USED - t;
}

static double bound_signatures(uint64_t n)
{
	uint8_t pk[32], sk[64], sig[64], message[140] = { 1 };

	crypto_sign_keypair(pk, sk);
	crypto_sign_detached(sig, NULL, message, sizeof message, sk);
	double t = USED;
	for (uint64_t i = 0; i < n; i++)
		if (crypto_sign_verify_detached(sig, message, sizeof message, pk) != 0)
			exit(1);
	return USED - t;
}

static void table(const char *dir, unsigned devices)
{
	char html[300];

	make_log(dir, devices);
	snprintf(html, sizeof html, "%s/report.html", dir);
	struct run v = measure(&(struct job){ dir, NULL });
	struct run r = measure(&(struct job){ dir, html });
	double hash = bound_hash(v.bytes), sigs = bound_signatures(v.signatures);

	printf("%8llu leaves, %.0f MB, %u devices, %llu signatures, verdict %s\n",
		(unsigned long long)v.leaves, (double)v.bytes / 1e6, devices,
		(unsigned long long)v.signatures, v.verdict);
	printf("  bound: SHA-256 %.2f s + Ed25519 %.2f s            %7.2f s\n", hash, sigs,
		hash + sigs);
	printf("  verify, wall                                      %7.2f s  %.2f x bound\n",
		v.wall, v.wall / (hash + sigs));
	printf("  verify, processor time of all threads             %7.2f s  %.2f x bound, limit "
	       "2\n",
		v.cpu, v.cpu / (hash + sigs));
	printf("  verify, peak memory                               %7.1f MiB, limit 64\n",
		(double)v.peak_kib / 1024);
	printf("  report beyond verifying, processor time           %7.2f s, limit 5\n",
		r.cpu > v.cpu ? r.cpu - v.cpu : 0);
	printf("  report, peak memory                               %7.1f MiB, limit 64\n",
		(double)r.peak_kib / 1024);
	if (strcmp(v.verdict, "PASS") != 0)
		exit(1);
}

int main(void)
{
	if (sodium_init() < 0)
		return 1;
	const char *b = getenv("BENCH_DIR");
	char small[200], large[200];
	snprintf(small, sizeof small, "%s/audit-100k", b ? b : "build/bench");
	snprintf(large, sizeof large, "%s/audit-1M", b ? b : "build/bench");
	table(small, 11000);
	table(large, 110500);
	return 0;
}

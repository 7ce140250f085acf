/* bench_mbi - signed MBI export beside its bound: CRC-32 and SHA-256 over the same bytes, one call
 * each, by the same library in the same run. Prints MiB of application per second (median of n) of
 * the builder alone and of an export from file to image, and the peak memory of one export as a
 * multiple of the application. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/fsio.h"
#include "crypt/crc.h"
#include "crypt/digest.h"
#include "mfgpkg/build/cert_block_build.h"
#include "mfgpkg/build/mbi_build.h"

#define MIB	 ((size_t)1 << 20)
#define MAX_RUNS 21

static double now(void)
{
	struct timespec t;
	/* of processor: other programs on the machine do not count; it has one thread */
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void die(const struct err *e)
{
	fprintf(stderr, "bench_mbi: %s\n", e->msg);
	exit(1);
}

struct setup {
	char dir[40], config[80];
	struct ecc_key *key;
	struct buf cert;
	uint8_t *app;
	size_t len;
};

static void setup_init(struct setup *s, size_t len)
{
	struct cert_block_build b = { .n_roots = 1 };
	struct err e = { 0 };
	AUTO(buf_wipe) struct buf pem = { 0 };
	char path[80];
	static const char text[] = "family: mcxn947\noutputImageExecutionTarget: xip\n"
				   "outputImageAuthenticationType: signed\n"
				   "inputImageFile: app.bin\n"
				   "outputImageExecutionAddress: 0x80001000\n"
				   "certBlock: cert.bin\nsigner: key.pem\n";

	*s = (struct setup){ .dir = "/tmp/bench_mbi.XXXXXX", .len = len, .app = malloc(len) };
	if (!s->app || !mkdtemp(s->dir) || ecc_key_generate(&s->key, ECC_P256, &e) != 0)
		die(&e);
	for (size_t i = 0; i < len; i++)
		s->app[i] = (uint8_t)(i * 2654435761u >> 13);
	b.roots[0] = *ecc_key_pub(s->key);
	if (cert_block_build(&b, &s->cert, &e) != 0 || ecc_key_pem(s->key, NULL, &pem, &e) != 0)
		die(&e);
	snprintf(path, sizeof path, "%s/app.bin", s->dir);
	if (fsio_write(path, s->app, len, 0600, &e) != 0)
		die(&e);
	snprintf(path, sizeof path, "%s/cert.bin", s->dir);
	if (fsio_write(path, s->cert.p, s->cert.len, 0600, &e) != 0)
		die(&e);
	snprintf(path, sizeof path, "%s/key.pem", s->dir);
	if (fsio_write(path, pem.p, pem.len, 0600, &e) != 0)
		die(&e);
	snprintf(s->config, sizeof s->config, "%s/mbi.yaml", s->dir);
	if (fsio_write(s->config, text, sizeof text - 1, 0600, &e) != 0)
		die(&e);
}

static void setup_clear(struct setup *s)
{
	static const char *const names[] = { "app.bin", "cert.bin", "key.pem", "mbi.yaml" };
	char path[80];

	for (size_t i = 0; i < 4; i++) {
		snprintf(path, sizeof path, "%s/%s", s->dir, names[i]);
		unlink(path);
	}
	rmdir(s->dir);
	ecc_key_free(s->key);
	buf_clear(&s->cert);
	free(s->app);
}

static double bound_once(const struct setup *s)
{
	uint8_t hash[32];
	double t = now();
	volatile uint32_t crc = crc32_mpeg2(UINT32_MAX, s->app, s->len);

	(void)crc;
	sha256_of(s->app, s->len, hash);
	return now() - t;
}

static double build_once(const struct setup *s)
{
	AUTO(buf_clear) struct buf out = { 0 };
	struct mbi_build b = { .type = MBI_SIGNED_XIP,
		.cert_block = s->cert.p,
		.cert_block_len = s->cert.len,
		.signer = s->key };
	struct err e = { 0 };
	double t = now();

	if (mbi_build(&b, s->app, s->len, &out, &e) != 0)
		die(&e);
	return now() - t;
}

static void export_file(const struct setup *s)
{
	AUTO(config_freep) struct config *c = NULL;
	AUTO(keystore_freep) struct keystore *ks = NULL;
	AUTO(buf_clear) struct buf out = { 0 };
	struct err e = { 0 };

	if (keystore_new(&ks, NULL, &e) != 0 || config_load(&c, s->config, &e) != 0 ||
		mbi_export(c, ks, NULL, NULL, &out, &e) != 0)
		die(&e);
}

static double export_once(const struct setup *s)
{
	double t = now();

	export_file(s);
	return now() - t;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return x < y ? -1 : x > y;
}

static double median(double (*once)(const struct setup *), const struct setup *s, int n)
{
	double t[MAX_RUNS];

	for (int i = 0; i < n; i++)
		t[i] = once(s);
	qsort(t, (size_t)n, sizeof *t, by_value);
	return t[n / 2];
}

static long high_water_kib(void)
{
	long kib = 0;
	char line[200];
	FILE *f = fopen("/proc/self/status", "r");

	while (f && fgets(line, sizeof line, f))
		sscanf(line, "VmHWM: %ld", &kib);
	if (f)
		fclose(f);
	return kib;
}

/* Peak memory in bytes of one export, in a process of its own, which inherits the application that
 * the other measurements hold: only what comes on top counts. */
static double peak_bytes(const struct setup *s)
{
	int fd[2];
	long kib = 0;

	if (pipe(fd) != 0)
		return 0;
	pid_t pid = fork();
	if (pid == 0) {
		FILE *f = fopen("/proc/self/clear_refs", "w"); /* forget the parent's peak */
		if (f) {
			fputs("5", f);
			fclose(f);
		}
		long before = high_water_kib();
		export_file(s);
		kib = high_water_kib() - before;
		_exit(write(fd[1], &kib, sizeof kib) == sizeof kib ? 0 : 1);
	}
	close(fd[1]);
	if (read(fd[0], &kib, sizeof kib) != sizeof kib)
		kib = 0;
	close(fd[0]);
	waitpid(pid, NULL, 0);
	return (double)kib * 1024;
}

int main(void)
{
	static const size_t sizes[] = { 1, 16, 64 };
	struct setup tiny;

	/* What any export needs: libraries, tables of the family. */
	setup_init(&tiny, 4096);
	export_file(&tiny);
	double base = peak_bytes(&tiny);
	setup_clear(&tiny);

	printf("signed MBI, P-256, one root key; MiB of application per second of processor, "
	       "median of n\n");
	printf("%8s %4s %10s %10s %10s %12s %12s\n", "size", "n", "bound", "build", "export",
		"export/bound", "peak/input");
	for (size_t i = 0; i < 3; i++) {
		struct setup s;
		int n = sizes[i] < 16 ? MAX_RUNS : sizes[i] < 64 ? 9 : 5;
		setup_init(&s, sizes[i] * MIB);
		double mib = (double)sizes[i];
		double bound = median(bound_once, &s, n), build = median(build_once, &s, n),
		       whole = median(export_once, &s, n),
		       peak = (peak_bytes(&s) - base) / (double)s.len;
		printf("%4zu MiB %4d %10.0f %10.0f %10.0f %11.0f%% %12.2f\n", sizes[i], n,
			mib / bound, mib / build, mib / whole, 100 * bound / whole, peak);
		setup_clear(&s);
	}
	printf("bound: CRC-32/MPEG-2 and SHA-256 of the same bytes, one call each; build: from "
	       "memory; export: from file to image; peak:\n"
	       "beyond that of a tiny export\n");
	return 0;
}

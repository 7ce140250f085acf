/* bench_sb31 - SB3.1 export beside its bound: AES-CBC and SHA over the same bytes, one call each,
 * by the same library in the same run. Prints MiB of input per second (median of n), and the peak
 * memory of mfgpkg sb31 export beyond that of a tiny export, as a multiple of the input. */
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/fsio.h"
#include "crypt/digest.h"
#include "keyed/ecc_key.h"
#include "mfgpkg/build/cert_block_build.h"
#include "mfgpkg/build/sb31_build.h"

#define MIB ((size_t)1 << 20)

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* For export and bounds, which have one thread: seconds of processor, so that other programs on the
 * machine do not count. */
static double cpu(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void die(const struct err *e)
{
	fprintf(stderr, "bench_sb31: %s\n", e->msg);
	exit(1);
}

struct setup {
	enum ecc_curve curve;
	struct ecc_key *key;
	struct buf cert;
	struct secret *mk;
};

static void setup_init(struct setup *s, enum ecc_curve curve)
{
	struct cert_block_build b = { .n_roots = 1 };
	struct err e = { 0 };

	*s = (struct setup){ .curve = curve, .mk = secret_random(32) };
	if (!s->mk || ecc_key_generate(&s->key, curve, &e) != 0)
		die(&e);
	b.roots[0] = *ecc_key_pub(s->key);
	if (cert_block_build(&b, &s->cert, &e) != 0)
		die(&e);
}

static void setup_clear(struct setup *s)
{
	ecc_key_free(s->key);
	buf_clear(&s->cert);
	secret_free(s->mk);
}

/* One export, from data in memory to the finished container. */
static double export_once(const struct setup *s, const uint8_t *data, size_t len)
{
	AUTO(sb31_items_clear) struct sb31_items items = { 0 };
	AUTO(buf_clear) struct buf out = { 0 };
	struct sb31_item *item = sb31_items_add(&items, SB31_LOAD);
	struct sb31_build b = { .timestamp = 1,
		.cert_block = s->cert.p,
		.cert_block_len = s->cert.len,
		.signer = s->key,
		.cust_mk_sk = s->mk };
	struct err e = { 0 };

	wr_bytes(&item->data, data, len);
	double t = cpu();
	if (sb31_build(&b, &items, &out, &e) != 0)
		die(&e);
	return cpu() - t;
}

/* What no builder can beat: the bytes of the payload through AES-CBC, those of the blocks through
 * the hash, each in one call. */
static double bound_once(const struct setup *s, uint8_t *buf, size_t len)
{
	uint8_t hash[DIGEST_MAX];
	size_t h = ecc_len(s->curve), blocks = len / SB31_PAYLOAD;
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n = 0;

	double t = cpu();
	EVP_EncryptInit_ex(ctx, s->curve == ECC_P256 ? EVP_aes_128_cbc() : EVP_aes_256_cbc(), NULL,
		s->mk->p, s->mk->p);
	EVP_EncryptUpdate(ctx, buf, &n, buf, (int)len);
	digest_of(ecc_digest(s->curve), buf, len + blocks * (4 + h), hash);
	t = cpu() - t;
	EVP_CIPHER_CTX_free(ctx);
	return t;
}

/* What the format leaves possible: a new key for every 256 bytes, a hash for every block. */
static double block_bound_once(const struct setup *s, uint8_t *buf, size_t len)
{
	static const uint8_t zero[16];
	uint8_t hash[DIGEST_MAX];
	size_t size = 4 + ecc_len(s->curve) + SB31_PAYLOAD;
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	struct digest *d = digest_new(ecc_digest(s->curve));
	int n = 0;

	EVP_EncryptInit_ex(ctx, s->curve == ECC_P256 ? EVP_aes_128_cbc() : EVP_aes_256_cbc(), NULL,
		s->mk->p, zero);
	double t = cpu();
	for (size_t i = 0; i < len / SB31_PAYLOAD; i++) {
		uint8_t *block = buf + i * size;
		EVP_EncryptInit_ex(ctx, NULL, NULL, s->mk->p, zero);
		EVP_EncryptUpdate(ctx, block, &n, block, SB31_PAYLOAD);
		digest_update(d, block, size);
		digest_final(d, hash);
	}
	t = cpu() - t;
	EVP_CIPHER_CTX_free(ctx);
	digest_free(d);
	return t;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return x < y ? -1 : x > y;
}

/* A program from start to end: seconds, and its peak memory in bytes. */
static double run(char *const argv[], double *peak)
{
	struct rusage u;
	int status;
	double t = now();

	fflush(stdout);
	pid_t pid = fork();

	if (pid == 0) {
		if (!freopen("/dev/null", "w", stdout) || !freopen("/dev/null", "w", stderr))
			_exit(1);
		execv(argv[0], argv);
		_exit(127);
	}
	if (pid < 0 || wait4(pid, &status, 0, &u) < 0 || status != 0)
		return -1;
	*peak = (double)u.ru_maxrss * 1024;
	return now() - t;
}

struct files {
	char dir[32], config[100], data[100], out[100];
	char mfgpkg[300]; /* the program beside this one */
};

static void files_init(struct files *f, const char *self)
{
	char cwd[300], text[1200];
	const char *slash = strrchr(self, '/');
	struct err e = { 0 };

	snprintf(f->dir, sizeof f->dir, "/tmp/bench_sb31.XXXXXX");
	snprintf(f->mfgpkg, sizeof f->mfgpkg, "%.*s/../bin/mfgpkg", slash ? (int)(slash - self) : 1,
		slash ? self : ".");
	if (!mkdtemp(f->dir) || !getcwd(cwd, sizeof cwd))
		exit(1);
	snprintf(f->config, sizeof f->config, "%s/config.yaml", f->dir);
	snprintf(f->data, sizeof f->data, "%s/data.bin", f->dir);
	snprintf(f->out, sizeof f->out, "%s/out.sb3", f->dir);
	snprintf(text, sizeof text,
		"family: mcxn947\ncontainerOutputFile: out.sb3\n"
		"certBlock: %s/tests/vectors/sb31/no-commands/cert_block.bin\n"
		"signer: %s/tests/vectors/keys/rot_p256_0.pem\n"
		"containerKeyBlobEncryptionKey: %s/tests/vectors/sb31/no-commands/cust_mk_sk.txt\n"
		"commands: [{load: {address: 0, file: data.bin}}]\n",
		cwd, cwd, cwd);
	if (fsio_write(f->config, text, strlen(text), 0600, &e) != 0)
		die(&e);
}

static void files_clear(const struct files *f)
{
	unlink(f->config);
	unlink(f->data);
	unlink(f->out);
	rmdir(f->dir);
}

/* mfgpkg sb31 export of len bytes. Its peak memory counts from that of the process it was forked
 * from, so this runs before the bench itself holds anything large. */
static double program_once(const struct files *f, size_t len, double *peak)
{
	char *argv[] = { (char *)(uintptr_t)f->mfgpkg, (char[]){ "sb31" }, (char[]){ "export" },
		(char[]){ "-c" }, (char *)(uintptr_t)f->config, NULL };
	FILE *file = fopen(f->data, "w");

	for (size_t i = 0; file && i < len; i++)
		putc((int)(i * 2654435761u >> 13 & 0xFF), file);
	if (!file || fclose(file) != 0)
		return -1;
	return run(argv, peak);
}

/* The same case by NXP's tool, when make interop has installed it. */
static void compare_spsdk(const struct files *f)
{
	char nxpimage[] = "build/venv/bin/nxpimage";
	char *argv[] = { nxpimage, (char[]){ "sb31" }, (char[]){ "export" }, (char[]){ "-c" },
		(char *)(uintptr_t)f->config, NULL };
	double peak, ours = program_once(f, MIB, &peak);

	printf("whole program, 1 MiB, n = 1: mfgpkg %.0f ms", ours * 1000);
	if (access(nxpimage, X_OK) == 0)
		printf(", SPSDK nxpimage %.0f ms", run(argv, &peak) * 1000);
	printf("\n\n");
}

int main(int argc, char **argv)
{
	struct files files;
	double base = 0, peak[3] = { 0 };

	static const struct {
		size_t mib;
		int n;
	} sizes[] = { { 1, 31 }, { 16, 9 }, { 64, 5 } };
	(void)argc;
	files_init(&files, argv[0]);
	if (program_once(&files, 16, &base) < 0)
		fprintf(stderr, "bench_sb31: %s does not run: no memory figures\n", files.mfgpkg);
	for (size_t k = 0; k < 3; k++)
		if (program_once(&files, sizes[k].mib * MIB, &peak[k]) >= 0)
			peak[k] -= base;
	compare_spsdk(&files);
	files_clear(&files);

	uint8_t *data = malloc(64 * MIB), *buf = malloc(80 * MIB);

	if (!data || !buf)
		return 1;
	for (size_t i = 0; i < 64 * MIB; i++)
		data[i] = (uint8_t)(i * 2654435761u >> 13);
	memset(buf, 1, 80 * MIB);
	printf("SB3.1 export: MiB of input per second of processor, median of n.\n"
	       "bound      AES-CBC over the payload and SHA over the blocks, one library call "
	       "each\n"
	       "per block  the same library rekeyed for every 256 bytes and hashing block by "
	       "block, "
	       "as the format demands\n");
	printf("%-6s %4s %3s %8s %8s %10s %16s %14s\n", "curve", "MiB", "n", "export", "bound",
		"per block", "of the bounds", "peak memory");
	for (enum ecc_curve curve = ECC_P256; curve <= ECC_P384; curve++) {
		struct setup s;
		setup_init(&s, curve);
		for (size_t k = 0; k < 3; k++) {
			size_t len = sizes[k].mib * MIB;
			double a[64], b[64], p[64], mib = (double)sizes[k].mib;
			int n = sizes[k].n;

			for (int i = 0; i < n; i++) { /* interleaved: all see the same machine */
				a[i] = export_once(&s, data, len);
				b[i] = bound_once(&s, buf, len);
				p[i] = block_bound_once(&s, buf, len);
			}
			qsort(a, (size_t)n, sizeof *a, by_value);
			qsort(b, (size_t)n, sizeof *b, by_value);
			qsort(p, (size_t)n, sizeof *p, by_value);
			int m = n / 2;
			printf("%-6s %4zu %3d %8.1f %8.1f %10.1f %9.0f%% %4.0f%%",
				ecc_curve_name(curve), sizes[k].mib, n, mib / a[m], mib / b[m],
				mib / p[m], 100 * b[m] / a[m], 100 * p[m] / a[m]);
			if (curve == ECC_P256)
				printf(" %7.2f x input", peak[k] / (double)len);
			printf("\n");
		}
		setup_clear(&s);
	}
	free(data);
	free(buf);
	return 0;
}

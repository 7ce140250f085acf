/* bench_sb31 - SB3.1 export beside its bound: AES-CBC and SHA over the same bytes, one call each,
 * by the same library in the same run. Prints MiB of input per second (median of n), and the peak
 * memory of one export, file to container, as a multiple of the input. */
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
#include "mfgpkg/config.h"

#define MIB ((size_t)1 << 20)

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
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
	double t = now();
	if (sb31_build(&b, &items, &out, &e) != 0)
		die(&e);
	return now() - t;
}

/* What no builder can beat: the bytes of the payload through AES-CBC, those of the blocks through
 * the hash, each in one call. */
static double bound_once(const struct setup *s, uint8_t *buf, size_t len)
{
	uint8_t hash[DIGEST_MAX];
	size_t h = ecc_len(s->curve), blocks = len / SB31_PAYLOAD;
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n = 0;

	double t = now();
	EVP_EncryptInit_ex(ctx, s->curve == ECC_P256 ? EVP_aes_128_cbc() : EVP_aes_256_cbc(), NULL,
		s->mk->p, s->mk->p);
	EVP_EncryptUpdate(ctx, buf, &n, buf, (int)len);
	digest_of(ecc_digest(s->curve), buf, len + blocks * (4 + h), hash);
	t = now() - t;
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
	double t = now();
	for (size_t i = 0; i < len / SB31_PAYLOAD; i++) {
		uint8_t *block = buf + i * size;
		EVP_EncryptInit_ex(ctx, NULL, NULL, s->mk->p, zero);
		EVP_EncryptUpdate(ctx, block, &n, block, SB31_PAYLOAD);
		digest_update(d, block, size);
		digest_final(d, hash);
	}
	t = now() - t;
	EVP_CIPHER_CTX_free(ctx);
	digest_free(d);
	return t;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return x < y ? -1 : x > y;
}

/* Peak memory of one export, in a process of its own: file on disk to container in memory. */
static double peak_factor(const char *config, size_t input)
{
	int fd[2];
	long base, peak[2] = { 0 };

	if (pipe(fd) != 0)
		return 0;
	pid_t pid = fork();
	if (pid == 0) {
		AUTO(config_freep) struct config *c = NULL;
		AUTO(keystore_freep) struct keystore *ks = NULL;
		AUTO(buf_clear) struct buf out = { 0 };
		struct rusage u;
		struct err e = { 0 };

		FILE *f = fopen("/proc/self/clear_refs", "w"); /* forget the parent's peak */
		if (f) {
			fputs("5", f);
			fclose(f);
		}
		(void)u;
		if (keystore_new(&ks, NULL, &e) != 0 || config_load(&c, config, &e) != 0)
			die(&e);
		char line[200];
		for (int i = 0; i < 2; i++) {
			if (i == 1 && sb31_export(c, ks, &out, &e) != 0)
				die(&e);
			f = fopen("/proc/self/status", "r");
			while (f && fgets(line, sizeof line, f))
				sscanf(line, "VmHWM: %ld", &peak[i]);
			if (f)
				fclose(f);
		}
		base = peak[1] - peak[0];
		if (write(fd[1], &base, sizeof base) < 0)
			_exit(1);
		_exit(0);
	}
	base = 0;
	if (read(fd[0], &base, sizeof base) < 0)
		base = 0;
	close(fd[0]);
	close(fd[1]);
	waitpid(pid, NULL, 0);
	return (double)base * 1024 / (double)input;
}

static double peak_of(const uint8_t *data, size_t len)
{
	char dir[] = "/tmp/bench_sb31.XXXXXX", path[200], text[600];
	struct err e = { 0 };
	char cwd[300];

	if (!mkdtemp(dir) || !getcwd(cwd, sizeof cwd))
		return 0;
	snprintf(path, sizeof path, "%s/data.bin", dir);
	if (fsio_write(path, data, len, 0600, &e) != 0)
		die(&e);
	snprintf(text, sizeof text,
		"family: mcxn947\ncertBlock: %s/tests/vectors/sb31/no-commands/cert_block.bin\n"
		"signer: %s/tests/vectors/keys/rot_p256_0.pem\n"
		"containerKeyBlobEncryptionKey: %s/tests/vectors/sb31/no-commands/cust_mk_sk.txt\n"
		"commands: [{load: {address: 0, file: data.bin}}]\n",
		cwd, cwd, cwd);
	snprintf(path, sizeof path, "%s/config.yaml", dir);
	if (fsio_write(path, text, strlen(text), 0600, &e) != 0)
		die(&e);
	double f = peak_factor(path, len);
	unlink(path);
	snprintf(path, sizeof path, "%s/data.bin", dir);
	unlink(path);
	rmdir(dir);
	return f;
}

int main(void)
{
	static const struct {
		size_t mib;
		int n;
	} sizes[] = { { 1, 31 }, { 16, 9 }, { 64, 5 } };
	uint8_t *data = malloc(64 * MIB), *buf = malloc(80 * MIB);

	if (!data || !buf)
		return 1;
	for (size_t i = 0; i < 64 * MIB; i++)
		data[i] = (uint8_t)(i * 2654435761u >> 13);
	memset(buf, 1, 80 * MIB);
	printf("SB3.1 export: MiB of input per second, median of n.\n"
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
				printf(" %6.2f x input", peak_of(data, len));
			printf("\n");
		}
		setup_clear(&s);
	}
	free(data);
	free(buf);
	return 0;
}

/* After an export nothing secret is left in the memory of the process: private key (as its file,
 * text and its number), CUST_MK_SK, passphrases, plaintext. All writable memory is
 * searched, freed or not. The patterns are kept masked, so the search does not find itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fsio.h"
#include "base/text.h"
#include "keyed/sb31_kdf.h"
#include "mfgpkg/build/cert_block_build.h"
#include "mfgpkg/build/sb31_build.h"
#include "mfgpkg/build/sb31_decrypt.h"
#include "mfgpkg/config.h"

#define MASK 0xA5

/* Of the container: what its derived keys depend on besides CUST_MK_SK. */
enum { TIMESTAMP = 77, RIGHTS = 2, KEY_BITS = 128, N_BLOCKS = 20 };

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif

struct pattern {
	char name[40];
	uint32_t len; /* 16 or more */
	uint8_t masked[24];
};

static struct pattern patterns[32];
static size_t n_patterns;
static char dir[] = "/tmp/test_secrets.XXXXXX";

static void add(int fd, const char *name, const void *data, size_t len)
{
	struct pattern p = { 0 };
	const uint8_t *b = data;

	assert_true(len >= 16);
	p.len = (uint32_t)(len < sizeof p.masked ? len : sizeof p.masked);
	snprintf(p.name, sizeof p.name, "%s", name);
	for (size_t i = 0; i < p.len; i++)
		p.masked[i] = b[i] ^ MASK;
	assert_int_equal(write(fd, &p, sizeof p), sizeof p);
}

static void add_file(int fd, const char *name, const char *path, size_t skip_bytes)
{
	AUTO(buf_clear) struct buf b = { 0 };
	struct err e = { 0 };
	if (fsio_read(path, 1 << 20, &b, &e) != 0)
		fail_msg("%s", e.msg);
	add(fd, name, b.p + skip_bytes, b.len - skip_bytes);
}

static void save(const char *name, const void *data, size_t len)
{
	char path[200];
	struct err e = { 0 };
	snprintf(path, sizeof path, "%s/%s", dir, name);
	if (fsio_write(path, data, len, 0600, &e) != 0)
		fail_msg("%s", e.msg);
}

/* The keys of the container that export_to() makes: KDK, and those of its first, middle and last
 * block. */
static void add_derived(int fd, const struct secret *mk)
{
	static const uint32_t blocks[] = { 1, 10, 20 };
	uint8_t kdk[SB31_KEY_MAX], block_key[SB31_KEY_MAX];
	struct err e = { 0 };

	assert_int_equal(sb31_kdf_kdk(mk->p, mk->len, TIMESTAMP, RIGHTS, KEY_BITS, kdk, &e), 0);
	add(fd, "KDK", kdk, KEY_BITS / 8);
	for (size_t i = 0; i < 3; i++) {
		char name[32];
		assert_int_equal(
			sb31_kdf_block_key(kdk, blocks[i], RIGHTS, KEY_BITS, block_key, &e), 0);
		snprintf(name, sizeof name, "key of block %u", blocks[i]);
		add(fd, name, block_key, KEY_BITS / 8);
	}
}

/* The child makes secrets, writes the files, and tells the parent the masked patterns: so the
 * parent has them in memory only if the code under test leaves them there. */
static void make_secrets(int fd)
{
	struct ecc_key *key;
	struct secret *d, *mk = secret_random(32),
			  *pass = secret_copy("long passphrase of the test", 27);
	struct buf pem = { 0 }, sealed = { 0 }, cert = { 0 };
	struct cert_block_build cb = { .n_roots = 1 };
	uint8_t reversed[32], plain[5000];
	char hex[65];
	struct err e = { 0 };

	assert_int_equal(ecc_key_generate(&key, ECC_P256, &e), 0);
	assert_int_equal(ecc_key_scalar(key, &d, &e), 0);
	for (size_t i = 0; i < 32; i++)
		reversed[i] = d->p[31 - i];
	add(fd, "private number", d->p, 32);
	add(fd, "private number, reversed", reversed, 32);
	assert_int_equal(ecc_key_pem(key, NULL, &pem, &e), 0);
	save("key.pem", pem.p, pem.len);
	/* Behind the algorithm identifiers, which are the same in every key. */
	add_file(fd, "PEM text", (snprintf(hex, sizeof hex, "%s/key.pem", dir), hex), 95);
	buf_clear(&pem);
	assert_int_equal(ecc_key_pem(key, pass, &pem, &e), 0);
	save("encrypted.pem", pem.p, pem.len);
	cb.roots[0] = *ecc_key_pub(key);
	assert_int_equal(cert_block_build(&cb, &cert, &e), 0);
	save("cert.bin", cert.p, cert.len);

	add(fd, "CUST_MK_SK", mk->p, 32);
	hex_encode(hex, mk->p, 32);
	add(fd, "CUST_MK_SK in hex", hex, 64);
	save("mk.txt", hex, 64);
	add_derived(fd, mk);
	assert_int_equal(keystore_seal(KEYSTORE_CUST_MK_SK, mk, pass, &sealed, &e), 0);
	save("mk.sealed", sealed.p, sealed.len);
	add(fd, "passphrase", pass->p, pass->len);
	save("pass", pass->p, pass->len);
	for (size_t i = 0; i < sizeof plain; i += 8)
		put_le64(plain + i, (i + 1) * 0x9E3779B97F4A7C15ull);
	add(fd, "plaintext", plain + 2000, 64);
	save("plain.bin", plain, sizeof plain);
}

static void get_secrets(void)
{
	int fd[2], status;

	assert_int_equal(pipe(fd), 0);
	pid_t pid = fork();
	if (pid == 0) {
		make_secrets(fd[1]);
		_exit(0);
	}
	close(fd[1]);
	while (n_patterns < 32 &&
		read(fd[0], &patterns[n_patterns], sizeof *patterns) == sizeof *patterns)
		n_patterns++;
	close(fd[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(n_patterns, 11);
}

static bool here(const volatile uint8_t *p, const struct pattern *pat)
{
	for (size_t i = 0; i < pat->len; i++)
		if ((p[i] ^ MASK) != pat->masked[i])
			return false;
	return true;
}

/* Every writable mapping of this process; number of patterns seen, named in `found`. */
static unsigned search(char *found, size_t cap)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	char line[400];
	unsigned n = 0;

	*found = 0;
	while (maps && fgets(line, sizeof line, maps)) {
		unsigned long from, to;
		char mode[8], what[200] = "";
		if (sscanf(line, "%lx-%lx %7s %*s %*s %*s %199[^\n]", &from, &to, mode, what) < 3 ||
			mode[0] != 'r' || mode[1] != 'w' || strstr(what, "[vv"))
			continue;
		const uint8_t *p = (const uint8_t *)from;
		for (size_t i = 0; i + sizeof patterns->masked <= to - from; i++)
			for (size_t k = 0; k < n_patterns; k++)
				if ((p[i] ^ MASK) == patterns[k].masked[0] &&
					here(p + i, &patterns[k])) {
					size_t at = strlen(found);
					snprintf(found + at, cap - at, "%s at %p (%s); ",
						patterns[k].name, (const void *)(p + i), what);
					n++;
				}
	}
	if (maps)
		fclose(maps);
	return n;
}

static int export_to(struct buf *out, const char *key, const char *mk, struct err *e)
{
	AUTO(config_freep) struct config *c = NULL;
	AUTO(keystore_freep) struct keystore *ks = NULL;
	char text[500], name[100];

	snprintf(name, sizeof name, "%s/t.yaml", dir);
	snprintf(text, sizeof text,
		"family: mcxn947\ncertBlock: cert.bin\nsigner: %s\n"
		"containerKeyBlobEncryptionKey: %s\ntimestamp: %d\nkdkAccessRights: %d\n"
		"commands: [{load: {address: 0, file: plain.bin}}]\n",
		key, mk, TIMESTAMP, RIGHTS);
	if (keystore_new(&ks, NULL, e) != 0 ||
		config_load_bytes(&c, name, text, strlen(text), e) != 0)
		return -1;
	return sb31_export(c, ks, out, e);
}

static int decrypt(const struct buf *file, struct err *e)
{
	AUTO(keystore_freep) struct keystore *ks = NULL;
	AUTO(sb31_stream_clear) struct sb31_stream s = { 0 };
	const struct secret *key;
	struct sb31 sb;
	char path[100];

	snprintf(path, sizeof path, "%s/mk.txt", dir);
	if (keystore_new(&ks, NULL, e) != 0 ||
		keystore_symmetric(ks, KEYSTORE_CUST_MK_SK, path, &key, e) != 0 ||
		sb31_parse(&sb, file->p, file->len, e) != 0)
		return -1;
	return sb31_decrypt(&s, &sb, key, SB31_RIGHTS_FIND, e);
}

/* The patterns are those of keys in use: derived again here, the search finds all four. */
static void test_finds_derived(void)
{
	AUTO(keystore_freep) struct keystore *ks = NULL;
	const struct secret *mk;
	uint8_t keys[4][SB31_KEY_MAX];
	static char found[2000];
	char path[100];
	struct err e = { 0 };

	snprintf(path, sizeof path, "%s/mk.txt", dir);
	assert_int_equal(keystore_new(&ks, NULL, &e), 0);
	assert_int_equal(keystore_symmetric(ks, KEYSTORE_CUST_MK_SK, path, &mk, &e), 0);
	assert_int_equal(sb31_kdf_kdk(mk->p, mk->len, TIMESTAMP, RIGHTS, KEY_BITS, keys[0], &e), 0);
	for (uint32_t i = 1; i < 4; i++)
		assert_int_equal(sb31_kdf_block_key(keys[0], i == 1 ? 1 : 10 * (i - 1), RIGHTS,
					 KEY_BITS, keys[i], &e),
			0);
	(void)search(found, sizeof found);
	assert_non_null(strstr(found, "KDK at "));
	assert_non_null(strstr(found, "key of block 1 at "));
	assert_non_null(strstr(found, "key of block 10 at "));
	assert_non_null(strstr(found, "key of block 20 at "));
	explicit_bzero(keys, sizeof keys);
}

static int unlock(struct err *e)
{
	AUTO(buf_clear) struct buf pass = { 0 }, sealed = { 0 };
	AUTO(ecc_key_freep) struct ecc_key *key = NULL;
	AUTO(secret_freep) struct secret *mk = NULL;
	char path[100];

	snprintf(path, sizeof path, "%s/pass", dir);
	if (fsio_read(path, 100, &pass, e) != 0)
		return -1;
	struct passphrase_source source = { .fixed = secret_copy(pass.p, pass.len) };
	buf_wipe(&pass);
	snprintf(path, sizeof path, "%s/encrypted.pem", dir);
	int rc = ecc_key_load(&key, path, &source, e);
	snprintf(path, sizeof path, "%s/mk.sealed", dir);
	if (rc == 0)
		rc = fsio_read(path, 1000, &sealed, e);
	if (rc == 0)
		rc = keystore_unseal(KEYSTORE_CUST_MK_SK, "mk.sealed", sealed.p, sealed.len,
			source.fixed, &mk, e);
	passphrase_source_clear(&source);
	return rc;
}

static void assert_clean(const char *after)
{
	static char found[2000];
	if (search(found, sizeof found) != 0)
		fail_msg("after %s: %s", after, found);
}

static void test_memory(void **state)
{
	(void)state;
	AUTO(buf_clear) struct buf out = { 0 };
	struct err e = { 0 };
	static char found[2000];

#ifdef SANITIZED
	print_message("freed memory is kept by the sanitizer: not searched\n");
	skip();
#endif
	assert_non_null(mkdtemp(dir));
	get_secrets();
	assert_clean("nothing");

	/* The search can find: something not wiped is seen. */
	AUTO(buf_clear) struct buf plain = { 0 };
	char path[100];
	snprintf(path, sizeof path, "%s/plain.bin", dir);
	assert_int_equal(fsio_read(path, 10000, &plain, &e), 0);
	assert_true(search(found, sizeof found) >= 1);
	assert_non_null(strstr(found, "plaintext at "));
	buf_wipe(&plain);
	assert_clean("wiping the plaintext");
	test_finds_derived();
	assert_clean("wiping derived keys");

	if (export_to(&out, "key.pem", "mk.txt", &e) != 0)
		fail_msg("%s", e.msg);
	assert_int_equal(get_le32(out.p + 12), N_BLOCKS); /* the last block key looked for */
	assert_clean("an export");
	if (decrypt(&out, &e) != 0)
		fail_msg("%s", e.msg);
	assert_clean("reading it back");
	if (unlock(&e) != 0)
		fail_msg("%s", e.msg);
	assert_clean("opening encrypted keys");

	/* And when things go wrong half-way. */
	out.len = 0;
	assert_int_equal(export_to(&out, "key.pem", "plain.bin", &e), -1);
	assert_clean("a failed export");
	out.len = 0;
	assert_int_equal(export_to(&out, "mk.txt", "mk.txt", &e), -1);
	assert_clean("an export with a wrong key file");
}

static void test_openssl_wipes(void **state)
{
	(void)state;
	assert_true(secret_openssl_wipes());
}

static int teardown(void **state)
{
	char cmd[100];
	(void)state;
	snprintf(cmd, sizeof cmd, "rm -rf %s", dir);
	return system(cmd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_openssl_wipes),
		cmocka_unit_test(test_memory),
	};
	return cmocka_run_group_tests(tests, NULL, teardown);
}

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fsio.h"
#include "base/text.h"
#include "keyed/minisign_key.h"
#include "keyed/passphrase.h"
#include "keyed/secret.h"

#define COMMENT	   "untrusted comment: "
#define FILE_LEN   158
#define TEXT_LEN   212
#define STREAM_AT  54 /* from here on the file is XORed with the scrypt output */
#define STREAM_LEN (FILE_LEN - STREAM_AT)
#define SECRET_LEN 64 /* seed and public key, as libsodium keeps it */
#define SUM_LEN	   32

struct minisign_key {
	struct secret *sk; /* SECRET_LEN */
	struct minisign_pub pub;
};

void minisign_key_free(struct minisign_key *key)
{
	if (!key)
		return;
	secret_free(key->sk);
	free(key);
}

void minisign_key_freep(struct minisign_key **key)
{
	minisign_key_free(*key);
	*key = NULL;
}

const struct minisign_pub *minisign_key_pub(const struct minisign_key *key)
{
	return &key->pub;
}

static struct minisign_key *key_new(void)
{
	struct minisign_key *k = calloc(1, sizeof *k);

	if (k)
		k->sk = secret_new(SECRET_LEN);
	if (k && k->sk)
		return k;
	minisign_key_free(k);
	return NULL;
}

int minisign_key_generate(struct minisign_key **out, struct err *e)
{
	AUTO(minisign_key_freep) struct minisign_key *k = key_new();

	if (!k)
		return err_set(e, ERR_ENV, "out of memory for a key");
	crypto_sign_keypair(k->pub.key, k->sk->p);
	randombytes_buf(k->pub.id, sizeof k->pub.id);
	*out = k;
	k = NULL;
	return 0;
}

/* --- the file ------------------------------------------------------------------------------- */

/* What the two lines say. `raw` is still encrypted when `scrypt` is set. */
struct key_file {
	struct secret *raw; /* FILE_LEN */
	bool scrypt;
	uint64_t opslimit, memlimit;
};

static void key_file_clear(struct key_file *f)
{
	secret_free(f->raw);
	f->raw = NULL;
}

static int read_key_file(
	struct key_file *f, const char *name, const char *p, size_t len, struct err *e)
{
	const char *end = p + len;
	size_t n;

	if (len > MINISIGN_FILE_MAX)
		return err_set(e, ERR_LIMIT, "%s: %zu bytes, at most %d wanted", name, len,
			MINISIGN_FILE_MAX);
	const char *lf = len ? memchr(p, '\n', len) : NULL;
	if (!lf || (size_t)(lf - p) < strlen(COMMENT) || memcmp(p, COMMENT, strlen(COMMENT)) != 0 ||
		lf - p > MINISIGN_LINE_MAX)
		return err_set(e, ERR_FORMAT,
			"%s: line 1 does not start with \"" COMMENT "\": no minisign secret key",
			name);
	p = lf + 1;
	lf = memchr(p, '\n', (size_t)(end - p));
	const char *stop = lf ? lf : end;
	if (lf && lf + 1 != end)
		return err_set(
			e, ERR_FORMAT, "%s: %zu bytes after line 2", name, (size_t)(end - lf - 1));
	if (stop > p && stop[-1] == '\r')
		stop--;

	f->raw = secret_new(FILE_LEN);
	if (!f->raw)
		return err_set(e, ERR_ENV, "%s: out of memory", name);
	if (stop - p != TEXT_LEN ||
		base64_decode(f->raw->p, FILE_LEN, &n, p, (size_t)(stop - p)) != 0 || n != FILE_LEN)
		return err_set(e, ERR_FORMAT,
			"%s: line 2 is not exact base64 of %d bytes (%td characters seen)", name,
			FILE_LEN, stop - p);

	const uint8_t *r = f->raw->p;
	if (r[0] != 'E' || r[1] != 'd')
		return err_set(e, ERR_FORMAT,
			"%s: secret key algorithm %02x %02x, 45 64 (Ed) wanted", name, r[0], r[1]);
	f->scrypt = r[2] == 'S' && r[3] == 'c';
	if (!f->scrypt && (r[2] || r[3]))
		return err_set(e, ERR_FORMAT,
			"%s: key derivation %02x %02x, 53 63 (scrypt) or 00 00 (none) wanted", name,
			r[2], r[3]);
	if (r[4] != 'B' || r[5] != '2')
		return err_set(e, ERR_FORMAT,
			"%s: checksum algorithm %02x %02x, 42 32 (BLAKE2b) wanted", name, r[4],
			r[5]);
	f->opslimit = get_le64(r + 38);
	f->memlimit = get_le64(r + 46);
	return 0;
}

int minisign_key_encrypted(const char *name, const void *data, size_t len, struct err *e)
{
	AUTO(key_file_clear) struct key_file f = { 0 };

	return read_key_file(&f, name, data, len, e) != 0 ? -1 : f.scrypt;
}

static void checksum(const uint8_t raw[FILE_LEN], uint8_t out[SUM_LEN])
{
	crypto_generichash_state s;

	crypto_generichash_init(&s, NULL, 0, SUM_LEN);
	crypto_generichash_update(&s, raw, 2);
	crypto_generichash_update(&s, raw + STREAM_AT, 8 + SECRET_LEN);
	crypto_generichash_final(&s, out, SUM_LEN);
	sodium_memzero(&s, sizeof s);
}

/* XOR the secret part with the scrypt output; the limits come from a file, so they are bounded
 * before any memory is taken. */
static int apply_scrypt(
	const char *name, uint8_t raw[FILE_LEN], const void *pass, size_t pass_len, struct err *e)
{
	uint64_t ops = get_le64(raw + 38), mem = get_le64(raw + 46);

	if (pass_len > MINISIGN_PASS_MAX)
		return err_set(e, ERR_LIMIT, "%s: passphrase of %zu bytes, at most %d wanted", name,
			pass_len, MINISIGN_PASS_MAX);
	if (ops > MINISIGN_OPSLIMIT_MAX || ops < crypto_pwhash_scryptsalsa208sha256_OPSLIMIT_MIN)
		return err_set(e, ERR_LIMIT, "%s: scrypt opslimit %llu, %u to %llu accepted", name,
			(unsigned long long)ops, crypto_pwhash_scryptsalsa208sha256_OPSLIMIT_MIN,
			MINISIGN_OPSLIMIT_MAX);
	if (mem > MINISIGN_MEMLIMIT_MAX || mem < crypto_pwhash_scryptsalsa208sha256_MEMLIMIT_MIN)
		return err_set(e, ERR_LIMIT, "%s: scrypt memlimit %llu, %u to %llu accepted", name,
			(unsigned long long)mem, crypto_pwhash_scryptsalsa208sha256_MEMLIMIT_MIN,
			MINISIGN_MEMLIMIT_MAX);
	AUTO(secret_freep) struct secret *stream = secret_new(STREAM_LEN);
	if (!stream || crypto_pwhash_scryptsalsa208sha256(stream->p, STREAM_LEN, pass ? pass : "",
			       pass_len, raw + 6, ops, (size_t)mem) != 0)
		return err_set(e, ERR_ENV, "%s: not enough memory for scrypt (%llu MiB)", name,
			(unsigned long long)(mem >> 20));
	for (size_t i = 0; i < STREAM_LEN; i++)
		raw[STREAM_AT + i] ^= stream->p[i];
	return 0;
}

int minisign_key_parse(struct minisign_key **out, const char *name, const void *data, size_t len,
	const void *pass, size_t pass_len, struct err *e)
{
	AUTO(key_file_clear) struct key_file f = { 0 };
	uint8_t sum[SUM_LEN], pub[32];

	if (read_key_file(&f, name, data, len, e) != 0)
		return -1;
	uint8_t *raw = f.raw->p;
	if (f.scrypt && !pass)
		return err_set(e, ERR_REJECTED, "%s: encrypted, a passphrase is needed", name);
	if (f.scrypt && apply_scrypt(name, raw, pass, pass_len, e) != 0)
		return -1;

	/* minisign leaves the checksum of a plain key zero; a right one is fine too. */
	const uint8_t *have = raw + FILE_LEN - SUM_LEN;
	checksum(raw, sum);
	bool ok = sodium_memcmp(have, sum, SUM_LEN) == 0 ||
		  (!f.scrypt && sodium_is_zero(have, SUM_LEN));
	sodium_memzero(sum, sizeof sum);
	if (!ok)
		return err_set(e, ERR_REJECTED, "%s: %s", name,
			f.scrypt ? "wrong passphrase, or the file is damaged"
				 : "checksum does not match: the file is damaged");

	AUTO(minisign_key_freep) struct minisign_key *k = key_new();
	if (!k)
		return err_set(e, ERR_ENV, "%s: out of memory", name);
	memcpy(k->pub.id, raw + STREAM_AT, sizeof k->pub.id);
	/* An encrypted key relabelled as plain is caught only here. */
	crypto_sign_seed_keypair(pub, k->sk->p, raw + STREAM_AT + 8);
	if (memcmp(pub, raw + STREAM_AT + 8 + 32, sizeof pub) != 0)
		return err_set(e, ERR_REJECTED,
			"%s: public half does not belong to the secret half", name);
	memcpy(k->pub.key, pub, sizeof pub);
	*out = k;
	k = NULL;
	return 0;
}

int minisign_key_load(struct minisign_key **out, const char *path,
	const struct passphrase_source *source, struct err *e)
{
	AUTO(buf_wipe) struct buf file = { 0 };
	AUTO(secret_freep) struct secret *pass = NULL;
	struct stat st;

	if (fsio_read(path, MINISIGN_FILE_MAX, &file, e) != 0)
		return -1;
	if (stat(path, &st) != 0)
		return err_errno(e, "%s: cannot read its permissions", path);
	if (st.st_mode & 077)
		return err_set(e, ERR_ENV,
			"%s: mode %03o lets others read this secret key, 600 wanted (chmod 600)",
			path, st.st_mode & 0777);
	int encrypted = minisign_key_encrypted(path, file.p, file.len, e);
	if (encrypted < 0)
		return -1;
	if (encrypted && passphrase_get(source, path, false, &pass, e) != 0)
		return -1;
	return minisign_key_parse(
		out, path, file.p, file.len, pass ? pass->p : NULL, pass ? pass->len : 0, e);
}

int minisign_key_write(const struct minisign_key *key, const void *pass, size_t pass_len,
	uint64_t opslimit, uint64_t memlimit, struct buf *out, struct err *e)
{
	AUTO(secret_freep) struct secret *raw = secret_new(FILE_LEN);
	AUTO(secret_freep) struct secret *text = secret_new(TEXT_LEN + 1);

	if (!raw || !text)
		return err_set(e, ERR_ENV, "out of memory for a key file");
	memcpy(raw->p, "Ed\0\0B2", 6);
	memcpy(raw->p + STREAM_AT, key->pub.id, sizeof key->pub.id);
	memcpy(raw->p + STREAM_AT + 8, key->sk->p, SECRET_LEN);
	if (pass) {
		checksum(raw->p, raw->p + FILE_LEN - SUM_LEN);
		memcpy(raw->p + 2, "Sc", 2);
		randombytes_buf(raw->p + 6, 32);
		put_le64(raw->p + 38, opslimit ? opslimit : MINISIGN_OPSLIMIT);
		put_le64(raw->p + 46, memlimit ? memlimit : MINISIGN_MEMLIMIT);
		if (apply_scrypt("new key", raw->p, pass, pass_len, e) != 0)
			return -1;
	}
	wr_str(out, COMMENT);
	wr_str(out, pass ? "minisign encrypted secret key\n" : "minisign secret key\n");
	wr_str(out, base64_encode((char *)text->p, raw->p, FILE_LEN));
	wr_u8(out, '\n');
	return buf_check(out, "secret key file", e);
}

char *minisign_pub_path(const char *path)
{
	size_t n = strlen(path);
	char *out = NULL;

	if (n > 4 && strcmp(path + n - 4, ".key") == 0)
		n -= 4;
	return asprintf(&out, "%.*s.pub", (int)n, path) < 0 ? NULL : out;
}

int minisign_key_save(const struct minisign_key *key, const char *path, const char *pub_path,
	const void *pass, size_t pass_len, struct err *e)
{
	AUTO(buf_wipe) struct buf file = { 0 };
	char pub[MINISIGN_PUB_FILE_CAP];

	/* Both are checked first: a secret key without its public one helps nobody. */
	if (fsio_exists(pub_path))
		return err_set(e, ERR_ENV, "%s: exists already, not replaced", pub_path);
	if (minisign_key_write(key, pass, pass_len, 0, 0, &file, e) != 0 ||
		fsio_write_new(path, file.p, file.len, 0600, e) != 0)
		return -1;
	minisign_pub_write(&key->pub, pub);
	if (fsio_write_new(pub_path, pub, strlen(pub), 0644, e) != 0) {
		unlink(path);
		return -1;
	}
	return 0;
}

/* --- signing -------------------------------------------------------------------------------- */

static int64_t signing_time(void)
{
	const char *epoch = getenv("SOURCE_DATE_EPOCH");
	uint64_t t;

	if (epoch && decimal_parse(epoch, strlen(epoch), INT64_MAX, &t) == 0)
		return (int64_t)t;
	return clock_wall_ms() / 1000;
}

static bool comment_ok(const char *c)
{
	size_t n = strlen(c);

	for (const char *p = c; *p; p++)
		if (((unsigned char)*p < 0x20 && *p != '\t') || *p == 0x7F)
			return false;
	return n >= 1 && n <= MINISIGN_COMMENT_MAX && utf8_valid(c, n);
}

int minisign_key_sign(const struct minisign_key *key, const void *msg, size_t len,
	const char *trusted_comment, struct buf *sig_file, struct err *e)
{
	uint8_t hash[64], raw[74] = { 'E', 'D' }, global[64];
	char comment[64], text[BASE64_LEN(sizeof raw) + 1];
	uint8_t signed_comment[64 + MINISIGN_COMMENT_MAX];

	snprintf(comment, sizeof comment, "timestamp:%lld\thashed", (long long)signing_time());
	if (!trusted_comment)
		trusted_comment = comment;
	if (!comment_ok(trusted_comment))
		return err_set(e, ERR_USAGE,
			"trusted comment: 1 to %d bytes of UTF-8 without control characters wanted",
			MINISIGN_COMMENT_MAX);

	crypto_generichash(hash, sizeof hash, msg, len, NULL, 0);
	memcpy(raw + 2, key->pub.id, sizeof key->pub.id);
	crypto_sign_detached(raw + 10, NULL, hash, sizeof hash, key->sk->p);
	size_t n = strlen(trusted_comment);
	memcpy(signed_comment, raw + 10, 64);
	memcpy(signed_comment + 64, trusted_comment, n);
	crypto_sign_detached(global, NULL, signed_comment, 64 + n, key->sk->p);

	wr_str(sig_file, COMMENT "signature from minisign secret key\n");
	wr_str(sig_file, base64_encode(text, raw, sizeof raw));
	wr_printf(sig_file, "\ntrusted comment: %s\n", trusted_comment);
	wr_str(sig_file, base64_encode(text, global, sizeof global));
	wr_u8(sig_file, '\n');
	return buf_check(sig_file, "signature", e);
}

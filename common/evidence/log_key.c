#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fsio.h"
#include "base/text.h"
#include "evidence/note.h"

#define MAGIC	 "mfgpkg log key 1 "
#define SEED_LEN 32
#define FILE_LEN (sizeof MAGIC - 1 + BASE64_LEN(SEED_LEN) + 1)

struct log_key {
	uint8_t *sk; /* guarded: seed and public key, as libsodium keeps it */
	uint8_t pub[32];
};

void log_key_free(struct log_key *key)
{
	if (!key)
		return;
	sodium_free(key->sk); /* wipes */
	free(key);
}

void log_key_freep(struct log_key **key)
{
	log_key_free(*key);
	*key = NULL;
}

const uint8_t *log_key_pub(const struct log_key *key)
{
	return key->pub;
}

static struct log_key *key_new(struct err *e)
{
	struct log_key *k = sodium_init() < 0 ? NULL : calloc(1, sizeof *k);

	if (k)
		k->sk = sodium_malloc(crypto_sign_SECRETKEYBYTES);
	if (k && k->sk)
		return k;
	log_key_free(k);
	err_set(e, ERR_ENV, "out of memory for a log key");
	return NULL;
}

int log_key_generate(struct log_key **out, struct err *e)
{
	struct log_key *k = key_new(e);

	if (!k)
		return -1;
	crypto_sign_keypair(k->pub, k->sk);
	*out = k;
	return 0;
}

int log_key_from_seed(struct log_key **out, const uint8_t seed[SEED_LEN], struct err *e)
{
	struct log_key *k = key_new(e);

	if (!k)
		return -1;
	crypto_sign_seed_keypair(k->pub, k->sk, seed);
	*out = k;
	return 0;
}

int log_key_load(struct log_key **out, const char *path, struct err *e)
{
	AUTO(buf_wipe) struct buf file = { 0 };
	uint8_t seed[SEED_LEN];
	struct stat st;
	size_t n;

	if (fsio_read(path, FILE_LEN, &file, e) != 0)
		return -1;
	if (stat(path, &st) != 0)
		return err_errno(e, "%s: cannot read its permissions", path);
	if (st.st_mode & 077)
		return err_set(e, ERR_ENV,
			"%s: mode %03o lets others read this secret key, 600 wanted (chmod 600)",
			path, st.st_mode & 0777);
	size_t head = sizeof MAGIC - 1;
	if (file.len != FILE_LEN || memcmp(file.p, MAGIC, head) != 0 ||
		file.p[FILE_LEN - 1] != '\n' ||
		base64_decode(seed, sizeof seed, &n, (const char *)file.p + head,
			FILE_LEN - 1 - head) != 0 ||
		n != sizeof seed) {
		sodium_memzero(seed, sizeof seed);
		return err_set(e, ERR_FORMAT, "%s: no secret key of a log", path);
	}
	int rc = log_key_from_seed(out, seed, e);
	sodium_memzero(seed, sizeof seed);
	return rc;
}

int log_key_save(const struct log_key *key, const char *path, struct err *e)
{
	char text[FILE_LEN + 1] = MAGIC;

	base64_encode(text + sizeof MAGIC - 1, key->sk, SEED_LEN);
	text[FILE_LEN - 1] = '\n';
	int rc = fsio_write_new(path, text, FILE_LEN, 0600, e);
	sodium_memzero(text, sizeof text);
	return rc;
}

int log_key_vkey(const struct log_key *key, const char *name, struct buf *out, struct err *e)
{
	struct vkey v;
	char text[VKEY_TEXT_CAP];

	if (vkey_make(&v, name, VKEY_ED25519, key->pub, e) != 0)
		return -1;
	wr_str(out, vkey_text(&v, text));
	return buf_check(out, "verifier key", e);
}

static int write_line(const struct log_key *key, const char *name, uint8_t type, const uint8_t *sig,
	size_t len, struct buf *out, struct err *e)
{
	uint8_t raw[4 + NOTE_SIG_KEEP];
	char text[BASE64_LEN(sizeof raw) + 1];
	struct vkey v;

	if (vkey_make(&v, name, type, key->pub, e) != 0)
		return -1;
	memcpy(raw, v.id, 4);
	memcpy(raw + 4, sig, len);
	wr_printf(out, "\xE2\x80\x94 %s %s\n", name, base64_encode(text, raw, 4 + len));
	return buf_check(out, "signature line", e);
}

int log_key_sign(const struct log_key *key, const char *name, const char *text, size_t len,
	struct buf *out, struct err *e)
{
	uint8_t sig[64];

	crypto_sign_detached(sig, NULL, (const uint8_t *)text, len, key->sk);
	return write_line(key, name, VKEY_ED25519, sig, sizeof sig, out, e);
}

int log_key_cosign(const struct log_key *key, const char *name, uint64_t time, const char *text,
	size_t len, struct buf *out, struct err *e)
{
	AUTO(buf_clear) struct buf msg = { 0 };
	uint8_t sig[72];

	if (time == 0 || time > INT64_MAX)
		return err_set(e, ERR_USAGE, "cosignature time %llu, 1 to 2^63-1 wanted",
			(unsigned long long)time);
	wr_printf(&msg, "cosignature/v1\ntime %llu\n", (unsigned long long)time);
	wr_bytes(&msg, text, len);
	if (buf_check(&msg, "cosigned message", e) != 0)
		return -1;
	put_be64(sig, time);
	crypto_sign_detached(sig + 8, NULL, msg.p, msg.len, key->sk);
	return write_line(key, name, VKEY_COSIGN, sig, sizeof sig, out, e);
}

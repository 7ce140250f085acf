#include <sodium.h>
#include <string.h>

#include "base/text.h"
#include "mfgpkg/keystore.h"

#define SALT  crypto_pwhash_SALTBYTES /* 16 */
#define NONCE crypto_aead_xchacha20poly1305_ietf_NPUBBYTES /* 24 */
#define TAG   crypto_aead_xchacha20poly1305_ietf_ABYTES /* 16 */
#define HEAD  (12 + SALT + NONCE)

/* What new files cost to open: 256 MiB, three passes; and the most a file may ask for. */
#define PASSES	   3u
#define MEM_KIB	   (256u << 10)
#define MAX_PASSES 10u
#define MAX_KIB	   (1u << 20)
#define MAX_SECRET 64

const char *keystore_kind_name(enum keystore_kind kind)
{
	switch (kind) {
	case KEYSTORE_CUST_MK_SK:
		return "cust-mk-sk";
	case KEYSTORE_OEM_SEED:
		return "oem-seed";
	}
	return "?";
}

bool keystore_is_sealed(const void *data, size_t len)
{
	size_t n = strlen(KEYSTORE_SEALED_COMMENT);
	return len >= n && memcmp(data, KEYSTORE_SEALED_COMMENT, n) == 0;
}

static struct secret *box_key(
	const struct secret *passphrase, const uint8_t *salt, uint32_t passes, uint32_t kib)
{
	struct secret *key = secret_new(crypto_aead_xchacha20poly1305_ietf_KEYBYTES);

	if (key && crypto_pwhash(key->p, key->len, (const char *)passphrase->p, passphrase->len,
			   salt, passes, (size_t)kib << 10, crypto_pwhash_ALG_ARGON2ID13) != 0)
		secret_freep(&key);
	return key;
}

int keystore_seal(enum keystore_kind kind, const struct secret *s, const struct secret *passphrase,
	struct buf *file, struct err *e)
{
	uint8_t raw[HEAD + MAX_SECRET + TAG] = { 'M', 'S', 1, (uint8_t)kind };
	char text[BASE64_LEN(sizeof raw) + 1];

	if (s->len > MAX_SECRET)
		return err_set(e, ERR_INTERNAL, "sealed secret of %zu bytes", s->len);
	put_le32(raw + 4, PASSES);
	put_le32(raw + 8, MEM_KIB);
	randombytes_buf(raw + 12, SALT + NONCE);
	AUTO(secret_freep) struct secret *key = box_key(passphrase, raw + 12, PASSES, MEM_KIB);
	if (!key)
		return err_set(
			e, ERR_ENV, "sealing a secret: %u MiB of memory needed", MEM_KIB >> 10);
	crypto_aead_xchacha20poly1305_ietf_encrypt(
		raw + HEAD, NULL, s->p, s->len, raw, HEAD, NULL, raw + 12 + SALT, key->p);
	wr_printf(file, "%s%s\n%s\n", KEYSTORE_SEALED_COMMENT, keystore_kind_name(kind),
		base64_encode(text, raw, HEAD + s->len + TAG));
	return buf_check(file, "sealed secret", e);
}

int keystore_unseal(enum keystore_kind kind, const char *name, const void *data, size_t len,
	const struct secret *passphrase, struct secret **out, struct err *e)
{
	uint8_t raw[HEAD + MAX_SECRET + TAG];
	size_t n = 0;
	const char *line = memchr(data, '\n', len);
	const char *end = (const char *)data + len;

	if (line && end > line + 1 && end[-1] == '\n')
		end--;
	if (!line || base64_decode(raw, sizeof raw, &n, line + 1, (size_t)(end - line - 1)) != 0 ||
		n < HEAD + TAG + 1)
		return err_set(e, ERR_CONFIG,
			"%s: sealed secret: second line is no base64 of %d to %d bytes", name,
			(int)(HEAD + TAG + 1), (int)sizeof raw);
	if (memcmp(raw, "MS", 2) != 0 || raw[2] != 1)
		return err_set(e, ERR_CONFIG, "%s: sealed secret: unknown format", name);
	if (raw[3] != kind)
		return err_set(e, ERR_CONFIG, "%s: sealed secret is %s, wanted %s", name,
			raw[3] == KEYSTORE_CUST_MK_SK ? "a cust-mk-sk"
			: raw[3] == KEYSTORE_OEM_SEED ? "an oem-seed"
						      : "of unknown kind",
			keystore_kind_name(kind));
	uint32_t passes = get_le32(raw + 4), kib = get_le32(raw + 8);
	if (passes < 1 || passes > MAX_PASSES || kib < 8 || kib > MAX_KIB)
		return err_set(e, ERR_CONFIG,
			"%s: sealed secret asks for %u passes over %u KiB, at most %u over %u "
			"wanted",
			name, passes, kib, MAX_PASSES, MAX_KIB);

	AUTO(secret_freep) struct secret *key = box_key(passphrase, raw + 12, passes, kib);
	AUTO(secret_freep) struct secret *s = secret_new(n - HEAD - TAG);
	if (!key || !s)
		return err_set(
			e, ERR_ENV, "%s: opening it needs %u MiB of memory", name, kib >> 10);
	if (crypto_aead_xchacha20poly1305_ietf_decrypt(s->p, NULL, NULL, raw + HEAD, n - HEAD, raw,
		    HEAD, raw + 12 + SALT, key->p) != 0)
		return err_set(e, ERR_CONFIG,
			"%s: wrong passphrase, or the sealed secret is damaged", name);
	*out = s;
	s = NULL;
	return 0;
}

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fsio.h"
#include "base/text.h"
#include "mfgpkg/config.h"
#include "mfgpkg/keystore.h"

#define SECRET_FILE_MAX 4096

struct private_key {
	char *spec;
	struct ecc_key *key;
	struct private_key *next;
};

struct symmetric {
	char *spec; /* NULL: given inline */
	enum keystore_kind kind;
	struct secret *secret;
	struct symmetric *next;
};

struct keystore {
	const struct cli *cli; /* may be NULL */
	struct passphrase_source passphrases;
	struct private_key *keys;
	struct symmetric *symmetric;
};

int keystore_new(struct keystore **out, const struct cli *c, struct err *e)
{
	struct keystore *ks = calloc(1, sizeof *ks);

	if (!ks)
		return err_set(e, ERR_ENV, "keystore: out of memory");
	ks->cli = c;
	ks->passphrases.none = !c;
	if (c && passphrase_source_from_cli(&ks->passphrases, c, e) != 0) {
		free(ks);
		return -1;
	}
	*out = ks;
	return 0;
}

void keystore_free(struct keystore *ks)
{
	if (!ks)
		return;
	while (ks->keys) {
		struct private_key *k = ks->keys;
		ks->keys = k->next;
		ecc_key_free(k->key);
		free(k->spec);
		free(k);
	}
	while (ks->symmetric) {
		struct symmetric *s = ks->symmetric;
		ks->symmetric = s->next;
		secret_free(s->secret);
		free(s->spec);
		free(s);
	}
	passphrase_source_clear(&ks->passphrases);
	free(ks);
}

void keystore_freep(struct keystore **ks)
{
	keystore_free(*ks);
	*ks = NULL;
}

const struct passphrase_source *keystore_passphrases(const struct keystore *ks)
{
	return &ks->passphrases;
}

void keystore_warn(const struct keystore *ks, const char *fmt, ...)
{
	char text[600];
	va_list ap;

	if (!ks->cli)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	cli_warn(ks->cli, "%s", text);
}

void keystore_warn_text(void *ks, const char *text)
{
	keystore_warn(ks, "%s", text);
}

static int no_memory(struct err *e)
{
	return err_set(e, ERR_ENV, "keystore: out of memory");
}

static void warn_if_readable(const struct keystore *ks, const char *path)
{
	struct stat st;

	if (stat(path, &st) == 0 && (st.st_mode & (S_IRWXG | S_IRWXO)))
		keystore_warn(ks, "%s: others can read this secret; run: chmod 600 %s", path, path);
}

/* --- private and public keys -------------------------------------------------------------------
 */

int keystore_key(struct keystore *ks, const char *spec, const struct ecc_key **out, struct err *e)
{
	for (struct private_key *k = ks->keys; k; k = k->next)
		if (strcmp(k->spec, spec) == 0) {
			*out = k->key;
			return 0;
		}
	struct private_key *k = calloc(1, sizeof *k);
	if (!k || !(k->spec = strdup(spec))) {
		free(k);
		return no_memory(e);
	}
	if (ecc_key_load(&k->key, spec, &ks->passphrases, e) != 0) {
		free(k->spec);
		free(k);
		return -1;
	}
	/* A signature may lie inside ciphertext (the MBI's in an SB3.1): only then does a build
	 * with a fixed time give the same bytes again. */
	if (getenv("SOURCE_DATE_EPOCH"))
		ecc_key_set_repeatable(k->key);
	if (ecc_key_path(spec))
		warn_if_readable(ks, ecc_key_path(spec));
	k->next = ks->keys;
	ks->keys = k;
	*out = k->key;
	return 0;
}

/* The spec of a key as a configuration gives it, with its file found. */
static int key_spec(const struct config_node *node, char **out, struct err *e)
{
	const char *text;

	if (config_str(node, &text, e) != 0)
		return -1;
	if (strncmp(text, "type=", 5) == 0 && strncmp(text, "type=file;", 10) != 0)
		return config_error(node, e,
			"signature provider \"%s\" is not supported; wanted a path, "
			"type=file;file_path=PATH or a pkcs11: URI",
			ESC(text));
	const char *path = ecc_key_path(text);
	if (path)
		return config_path_of_text(node, path, out, e);
	*out = strdup(text);
	return *out ? 0 : no_memory(e);
}

int keystore_key_at(struct keystore *ks, const struct config_node *node, const struct ecc_key **out,
	struct err *e)
{
	AUTO(str_freep) char *spec = NULL;

	return key_spec(node, &spec, e) != 0 ? -1 : keystore_key(ks, spec, out, e);
}

int keystore_pub(struct keystore *ks, const char *spec, struct ecc_pub *out, struct err *e)
{
	return ecc_pub_load_any(out, spec, &ks->passphrases, e);
}

int keystore_pub_at(
	struct keystore *ks, const struct config_node *node, struct ecc_pub *out, struct err *e)
{
	AUTO(str_freep) char *spec = NULL;

	return key_spec(node, &spec, e) != 0 ? -1 : keystore_pub(ks, spec, out, e);
}

/* --- symmetric secrets ---------------------------------------------------------------------------
 */

static const char *title(enum keystore_kind kind)
{
	return kind == KEYSTORE_CUST_MK_SK ? "CUST_MK_SK" : "OEM seed";
}

static bool good_len(enum keystore_kind kind, size_t len)
{
	return len == 16 || (kind == KEYSTORE_CUST_MK_SK && len == 32);
}

static const char *wanted_len(enum keystore_kind kind)
{
	return kind == KEYSTORE_CUST_MK_SK ? "16 or 32" : "16";
}

/* Hex text: digits, an optional 0x, white space around. Points at the digits, or NULL. */
static const char *hex_text(const struct buf *b, size_t *n_digits)
{
	const char *p = (const char *)b->p, *end = p + b->len;

	while (p < end && isspace((unsigned char)*p))
		p++;
	while (end > p && isspace((unsigned char)end[-1]))
		end--;
	if (end - p > 2 && p[0] == '0' && (p[1] | 0x20) == 'x')
		p += 2;
	for (const char *q = p; q < end; q++)
		if (!isxdigit((unsigned char)*q))
			return NULL;
	*n_digits = (size_t)(end - p);
	return p < end ? p : NULL;
}

/* A hex file is a number, written big-endian into the full size: fewer digits mean leading zero
 * bytes, so that files made for other tools give the same key. */
static int from_hex_file(struct keystore *ks, enum keystore_kind kind, const char *path,
	const char *digits, size_t n, struct secret **out, struct err *e)
{
	size_t len = kind == KEYSTORE_CUST_MK_SK ? 32 : 16;
	AUTO(secret_freep) struct secret *s = secret_new(len);
	AUTO(secret_freep) struct secret *text = secret_new(2 * len);

	if (!s || !text)
		return no_memory(e);
	if (n > 2 * len)
		return err_set(e, ERR_CONFIG, "%s: %s of %zu hex digits, wanted %zu", path,
			title(kind), n, 2 * len);
	if (n < 2 * len)
		keystore_warn(ks,
			"%s: %zu hex digits make a %s of %zu bytes with leading zeros, as with "
			"other tools; use a binary file for a shorter key",
			path, n, title(kind), len);
	memset(text->p, '0', 2 * len - n);
	memcpy(text->p + 2 * len - n, digits, n);
	if (hex_decode_n(s->p, len, (const char *)text->p, 2 * len) != 0)
		return err_set(e, ERR_INTERNAL, "%s: hex digits", path);
	*out = s;
	s = NULL;
	return 0;
}

static int from_file(struct keystore *ks, enum keystore_kind kind, const char *path,
	struct secret **out, struct err *e)
{
	AUTO(buf_wipe) struct buf b = { 0 };
	size_t n_digits = 0;

	if (fsio_read(path, SECRET_FILE_MAX, &b, e) != 0)
		return -1;
	warn_if_readable(ks, path);
	if (keystore_is_sealed(b.p, b.len)) {
		AUTO(secret_freep) struct secret *pass = NULL;
		AUTO(secret_freep) struct secret *s = NULL;
		if (passphrase_get(&ks->passphrases, path, false, &pass, e) != 0)
			return -1;
		if (!pass)
			return err_set(e, ERR_CONFIG,
				"%s: sealed secret; give --passphrase-file or --passphrase-fd, or "
				"run on a terminal",
				path);
		if (keystore_unseal(kind, path, b.p, b.len, pass, &s, e) != 0)
			return -1;
		if (!good_len(kind, s->len))
			return err_set(e, ERR_CONFIG, "%s: %s of %zu bytes, wanted %s", path,
				title(kind), s->len, wanted_len(kind));
		*out = s;
		s = NULL;
		return 0;
	}
	if (!ks->passphrases.none)
		keystore_warn(ks,
			"%s: this %s is not sealed; `mfgpkg keys seal` puts it under a passphrase",
			path, title(kind));
	const char *digits = b.len ? hex_text(&b, &n_digits) : NULL;
	if (digits)
		return from_hex_file(ks, kind, path, digits, n_digits, out, e);
	if (!good_len(kind, b.len))
		return err_set(e, ERR_CONFIG,
			"%s: %zu bytes, wanted %s: hex digits, %s bytes, or a sealed file", path,
			b.len, title(kind), wanted_len(kind));
	*out = secret_copy(b.p, b.len);
	return *out ? 0 : no_memory(e);
}

/* The hex digits themselves; 1 when text is not that. */
static int from_inline(struct keystore *ks, enum keystore_kind kind, const char *text,
	struct secret **out, struct err *e)
{
	size_t n = strlen(text);

	for (size_t i = 0; i < n; i++)
		if (!isxdigit((unsigned char)text[i]))
			return 1;
	if (n % 2 || !good_len(kind, n / 2))
		return 1;
	AUTO(secret_freep) struct secret *s = secret_new(n / 2);
	if (!s || hex_decode(s->p, n / 2, text) != 0)
		return no_memory(e);
	keystore_warn(
		ks, "the %s stands in a configuration; put it into a file of its own", title(kind));
	*out = s;
	s = NULL;
	return 0;
}

/* Takes the secret. */
static int keep(struct keystore *ks, enum keystore_kind kind, const char *path, struct secret *s,
	const struct secret **out, struct err *e)
{
	struct symmetric *entry = calloc(1, sizeof *entry);

	if (!entry || (path && !(entry->spec = strdup(path)))) {
		free(entry);
		secret_free(s);
		return no_memory(e);
	}
	entry->kind = kind;
	entry->secret = s;
	entry->next = ks->symmetric;
	ks->symmetric = entry;
	*out = s;
	return 0;
}

int keystore_symmetric(struct keystore *ks, enum keystore_kind kind, const char *path,
	const struct secret **out, struct err *e)
{
	struct secret *s = NULL;

	for (struct symmetric *k = ks->symmetric; k; k = k->next)
		if (k->kind == kind && k->spec && strcmp(k->spec, path) == 0) {
			*out = k->secret;
			return 0;
		}
	return from_file(ks, kind, path, &s, e) != 0 ? -1 : keep(ks, kind, path, s, out, e);
}

int keystore_symmetric_at(struct keystore *ks, enum keystore_kind kind,
	const struct config_node *node, const struct secret **out, struct err *e)
{
	AUTO(str_freep) char *path = NULL;
	struct secret *s = NULL;
	struct err no_file;
	const char *text;

	if (config_str(node, &text, e) != 0)
		return -1;
	if (*text && config_path_of_text(node, text, &path, &no_file) == 0)
		return keystore_symmetric(ks, kind, path, out, e);
	int rc = from_inline(ks, kind, text, &s, e);
	if (rc < 0)
		return -1;
	/* The value is not shown: it may be a secret with a typing error. */
	if (rc > 0)
		return config_error(node, e,
			"neither the name of an existing file nor the hex digits of %s bytes",
			wanted_len(kind));
	return keep(ks, kind, NULL, s, out, e);
}

int keystore_each(const struct keystore *ks,
	int (*fn)(void *ctx, const char *name, const struct secret *s, struct err *e), void *ctx,
	struct err *e)
{
	for (const struct private_key *k = ks->keys; k; k = k->next) {
		AUTO(secret_freep) struct secret *d = NULL;
		if (ecc_key_scalar(k->key, &d, e) != 0 || (d && fn(ctx, k->spec, d, e) != 0))
			return -1;
	}
	for (const struct symmetric *k = ks->symmetric; k; k = k->next)
		if (fn(ctx, k->spec ? k->spec : title(k->kind), k->secret, e) != 0)
			return -1;
	return 0;
}

#include <dirent.h>
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/fsio.h"
#include "base/text.h"
#include "image/mbi.h"
#include "image/sb31.h"
#include "keyed/ecc_key.h"
#include "keyed/minisign_key.h"
#include "mfgpkg/firmware/firmware.h"
#include "mfgpkg/keystore.h"
#include "mfgpkg/secret_scan_internal.h"

enum { MAX_DEPTH = 8, MAX_FILES = 4096, KEY_FILE_MAX = 65536, MIN_FIRMWARE = 1024 };

struct walk {
	struct oem_scan *scan;
	const struct passphrase_source
		*pass; /* with a fixed passphrase, or NULL: nobody is asked */
	size_t files;
};

/* --- one file ----------------------------------------------------------------------------------
 */

static bool contains(const struct buf *b, const char *text)
{
	return memmem(b->p, b->len, text, strlen(text)) != NULL;
}

/* What cannot be opened is looked for as it stands in its file. */
static int add_as_it_is(struct walk *w, const char *name, const struct buf *b, struct err *e)
{
	return b->len < 16 ? 0 : oem_scan_add_secret(w->scan, name, b->p, b->len, e);
}

static int add_ec_key(struct walk *w, const char *path, const struct buf *b, struct err *e)
{
	AUTO(ecc_key_freep) struct ecc_key *key = NULL;
	AUTO(secret_freep) struct secret *d = NULL;
	struct passphrase_source none = { .none = true };
	struct err why = { 0 };

	if (ecc_key_load(&key, path, w->pass ? w->pass : &none, &why) != 0 ||
		ecc_key_scalar(key, &d, &why) != 0 || !d)
		return add_as_it_is(w, path, b, e);
	return oem_scan_add_secret(w->scan, path, d->p, d->len, e);
}

/* Bytes 62..93 of a plain secret key file are the seed. */
static int add_minisign_seed(
	struct walk *w, const char *path, const struct buf *plain, struct err *e)
{
	uint8_t raw[158];
	size_t len;
	const char *line = memchr(plain->p, '\n', plain->len);
	size_t left = line ? plain->len - (size_t)(line + 1 - (const char *)plain->p) : 0;
	int r = 0;

	if (left >= 212 && base64_decode(raw, sizeof raw, &len, line + 1, 212) == 0 && len == 158)
		r = oem_scan_add_secret(w->scan, path, raw + 62, 32, e);
	sodium_memzero(raw, sizeof raw);
	return r;
}

static int add_minisign_key(
	struct walk *w, const char *path, const struct buf *b, bool encrypted, struct err *e)
{
	AUTO(minisign_key_freep) struct minisign_key *key = NULL;
	AUTO(buf_wipe) struct buf plain = { 0 };
	struct err why = { 0 };

	if (!encrypted)
		return add_minisign_seed(w, path, b, e);
	if (!w->pass || minisign_key_parse(&key, path, b->p, b->len, w->pass->fixed->p,
				w->pass->fixed->len, &why) != 0)
		return add_as_it_is(w, path, b, e);
	if (minisign_key_write(key, NULL, 0, 0, 0, &plain, e) != 0)
		return -1;
	return add_minisign_seed(w, path, &plain, e);
}

static int add_sealed(struct walk *w, const char *path, const struct buf *b, struct err *e)
{
	static const enum keystore_kind kinds[] = { KEYSTORE_CUST_MK_SK, KEYSTORE_OEM_SEED };
	struct err why = { 0 };

	for (size_t i = 0; w->pass && i < sizeof kinds / sizeof *kinds; i++) {
		AUTO(secret_freep) struct secret *s = NULL;
		if (keystore_unseal(kinds[i], path, b->p, b->len, w->pass->fixed, &s, &why) == 0)
			return oem_scan_add_secret(w->scan, path, s->p, s->len, e);
	}
	return add_as_it_is(w, path, b, e);
}

/* Text of 32, 64 or 96 hex digits: a symmetric key or a seed. */
static int add_hex_key(
	struct walk *w, const char *path, const struct buf *b, bool *was, struct err *e)
{
	uint8_t raw[48];
	const char *s = (const char *)b->p;
	size_t n = b->len;

	while (n > 0 && strchr(" \t\r\n", s[n - 1]) && s[n - 1])
		n--;
	if (n > 2 && s[0] == '0' && (s[1] | 0x20) == 'x') {
		s += 2;
		n -= 2;
	}
	*was = (n == 32 || n == 64 || n == 96) && hex_decode_n(raw, n / 2, s, n) == 0;
	int r = *was ? oem_scan_add_secret(w->scan, path, raw, n / 2, e) : 0;
	sodium_memzero(raw, sizeof raw);
	return r;
}

/* Firmware by its name: other files of a workspace are public by nature (configurations, SB3.1). Of
 * a signed image only the application: its certificate block stands in the SB3.1 as well. */
static int add_firmware(struct walk *w, const char *path, struct err *e)
{
	static const char *const suffixes[] = { ".bin", ".s19", ".srec", ".s28", ".s37", ".hex",
		".elf", ".axf", ".out" };
	const char *dot = strrchr(path, '.');
	AUTO(buf_clear) struct buf flat = { 0 };
	struct err why = { 0 };
	bool firmware = false;
	struct mbi mbi;

	for (size_t i = 0; dot && i < sizeof suffixes / sizeof *suffixes; i++)
		firmware = firmware || strcasecmp(dot, suffixes[i]) == 0;
	if (!firmware ||
		firmware_load_flat(path, FIRMWARE_FILLER, FIRMWARE_MAX_FLAT, &flat, NULL, NULL,
			NULL, &why) != 0 ||
		flat.len < MIN_FIRMWARE)
		return 0;
	size_t len = flat.len;
	if (mbi_parse(&mbi, flat.p, flat.len, &why) == 0)
		len = mbi.app_len;
	return oem_scan_add_plaintext(w->scan, path, flat.p, len, e);
}

static int add_file(struct walk *w, const char *path, off_t size, struct err *e)
{
	AUTO(buf_wipe) struct buf b = { 0 };
	struct err why = { 0 };
	bool was_hex;

	if (++w->files > MAX_FILES)
		return err_set(
			e, ERR_LIMIT, "%s: more than %d files below the folder", path, MAX_FILES);
	/* Hashes look like keys; this one is in every manifest. */
	if (strcasestr(path_basename(path), "rkth"))
		return 0;
	/* What `workspace` of a device-HSM configuration keeps: the wrapped share is in every
	 * provisioning SB3.1, readable, for the device that takes it. */
	if (strcasestr(path_basename(path), "ENC_OEM_SHARE") && size == SB31_OEM_SHARE)
		return 0;
	if (size > KEY_FILE_MAX || size < 16)
		return add_firmware(w, path, e);
	if (fsio_read(path, KEY_FILE_MAX, &b, e) != 0)
		return -1;
	int minisign = minisign_key_encrypted(path, b.p, b.len, &why);
	if (minisign >= 0)
		return add_minisign_key(w, path, &b, minisign == 1, e);
	if (keystore_is_sealed(b.p, b.len))
		return add_sealed(w, path, &b, e);
	if (contains(&b, "PRIVATE KEY-----"))
		return add_ec_key(w, path, &b, e);
	if (oem_scan_structures(&(struct oem_view){ path, "", b.p, b.len }, &why) != 0)
		return add_ec_key(w, path, &b, e); /* DER */
	if (add_hex_key(w, path, &b, &was_hex, e) != 0)
		return -1;
	if (was_hex)
		return 0;
	if (b.len == 16 || b.len == 32 || b.len == 48)
		return add_as_it_is(w, path, &b, e);
	return add_firmware(w, path, e);
}

/* --- the tree ----------------------------------------------------------------------------------
 */

static int add_tree(struct walk *w, const char *dir, int depth, struct err *e)
{
	if (depth > MAX_DEPTH)
		return err_set(e, ERR_LIMIT, "%s: more than %d folders deep", dir, MAX_DEPTH);
	DIR *d = opendir(dir);
	if (!d)
		return err_errno(e, "%s: cannot open folder", dir);
	int r = 0;
	for (struct dirent *entry; r == 0 && (entry = readdir(d)) != NULL;) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		AUTO(str_freep) char *path = path_join(dir, entry->d_name);
		struct stat st;
		if (!path)
			r = err_set(e, ERR_ENV, "%s: out of memory", dir);
		else if (lstat(path, &st) != 0)
			r = err_errno(e, "%s: cannot look at it", path);
		else if (S_ISDIR(st.st_mode))
			r = add_tree(w, path, depth + 1, e);
		else if (S_ISREG(st.st_mode))
			r = add_file(w, path, st.st_size, e);
	}
	closedir(d);
	return r;
}

int oem_scan_add_folder(
	struct oem_scan *s, const char *path, const struct passphrase_source *pass, struct err *e)
{
	struct walk w = { .scan = s, .pass = pass && pass->fixed ? pass : NULL };
	/* path_join() leaves "." out, which opendir() needs. */
	return add_tree(&w, *path ? path : ".", 0, e);
}

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fsio.h"
#include "base/text.h"
#include "mfgpkg/signed_write.h"
#include "pkg/signed_file.h"

enum { DOCUMENT_MAX = 1 << 20 };

/* first: PATH.minisig, else PATH.<id>.minisig */
static char *sig_path(const char *path, const struct minisign_key *key, bool first)
{
	char *out = NULL, id[17];

	minisign_id_hex(id, minisign_key_pub(key)->id);
	int n = first ? asprintf(&out, "%s.minisig", path)
		      : asprintf(&out, "%s.%s.minisig", path, id);
	return n < 0 ? NULL : out;
}

static int write_signature(const char *path, const void *text, size_t len,
	const struct minisign_key *key, const char *comment, bool first, struct err *e)
{
	AUTO(buf_clear) struct buf sig = { 0 };
	AUTO(str_freep) char *to = sig_path(path, key, first);

	if (!to)
		return err_set(e, ERR_ENV, "%s: out of memory", path);
	if (minisign_key_sign(key, text, len, comment, &sig, e) != 0)
		return -1;
	return fsio_write(to, sig.p, sig.len, 0644, e);
}

/* Signatures that are there now and that this call does not replace belong to another text. */
static int check_left_over(
	const char *path, struct minisign_key *const keys[], size_t n_keys, struct err *e)
{
	AUTO(signed_file_clear) struct signed_file old = { .n = 0 };

	if (!fsio_exists(path))
		return 0;
	if (signed_file_read(&old, path, DOCUMENT_MAX, e) != 0)
		return -1;
	for (size_t i = 0; i < old.n; i++) {
		bool replaced = false;
		for (size_t k = 0; k < n_keys; k++) {
			AUTO(str_freep) char *mine = sig_path(path, keys[k], k == 0);
			replaced =
				replaced || (mine && strcmp(path_basename(mine),
							     path_basename(old.sig_name[i])) == 0);
		}
		if (!replaced)
			return err_set(e, ERR_CONFIG,
				"%s: a signature of an older %s; remove it first", old.sig_name[i],
				path_basename(path));
	}
	return 0;
}

int oem_signed_write(const char *path, const void *text, size_t len,
	struct minisign_key *const keys[], size_t n_keys, const char *comment, struct err *e)
{
	if (check_left_over(path, keys, n_keys, e) != 0 ||
		fsio_write(path, text, len, 0644, e) != 0)
		return -1;
	for (size_t i = 0; i < n_keys; i++)
		if (write_signature(path, text, len, keys[i], comment, i == 0, e) != 0)
			return -1;
	return 0;
}

int oem_sign_beside(const char *path, const void *text, size_t len, const struct minisign_key *key,
	const char *comment, struct err *e)
{
	AUTO(str_freep) char *first = sig_path(path, key, true);

	if (!first)
		return err_set(e, ERR_ENV, "%s: out of memory", path);
	return write_signature(path, text, len, key, comment, !fsio_exists(first), e);
}

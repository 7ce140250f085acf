#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fsio.h"
#include "base/text.h"
#include "keyed/minisign_key.h"
#include "mfgpkg/keygen.h"

/* Public files are for others to read, whatever the umask of this program. */
static int write_public(const char *path, const struct buf *b, struct err *e)
{
	if (fsio_write_new(path, b->p, b->len, 0644, e) != 0)
		return -1;
	return chmod(path, 0644) == 0 ? 0 : err_errno(e, "%s: cannot make it readable", path);
}

int keygen_pair_paths(char pem[KEYGEN_PATH_CAP], char pub[KEYGEN_PATH_CAP], const char *dir,
	const char *type, enum ecc_curve curve, unsigned i, struct err *e)
{
	const char *name = curve == ECC_P256 ? "p256" : "p384";

	if (snprintf(pem, KEYGEN_PATH_CAP, "%s/%s_%s_%u.pem", dir, type, name, i) >=
			KEYGEN_PATH_CAP ||
		snprintf(pub, KEYGEN_PATH_CAP, "%s/%s_%s_%u.pub", dir, type, name, i) >=
			KEYGEN_PATH_CAP)
		return err_set(e, ERR_ENV, "%s: path too long", dir);
	return 0;
}

static int make_pair(const char *pem_path, const char *pub_path, const char *type,
	enum ecc_curve curve, const struct secret *passphrase, struct workspace *ws, struct err *e)
{
	AUTO(ecc_key_freep) struct ecc_key *key = NULL;
	AUTO(buf_wipe) struct buf pem = { 0 };
	AUTO(buf_clear) struct buf pub = { 0 };
	uint8_t digest[32];

	if (ecc_key_generate(&key, curve, e) != 0 || ecc_key_pem(key, passphrase, &pem, e) != 0 ||
		ecc_pub_pem(ecc_key_pub(key), &pub, e) != 0 ||
		fsio_write_new(pem_path, pem.p, pem.len, 0600, e) != 0 ||
		write_public(pub_path, &pub, e) != 0)
		return -1;
	sha256_of(ecc_key_pub(key)->xy, 2 * ecc_len(curve), digest);
	return workspace_key(ws,
		&(struct workspace_key){ .action = "made",
			.type = type,
			.file = path_basename(pem_path),
			.public_digest = digest },
		e);
}

int keygen_pairs(const char *dir, const char *type, enum ecc_curve curve, unsigned count,
	const struct secret *passphrase, struct workspace *ws, struct err *e)
{
	char pem[KEYGEN_PATH_CAP], pub[KEYGEN_PATH_CAP];

	if (fsio_mkdirs(dir, 0700, e) != 0)
		return -1;
	/* All or none: a second run must not leave a mixture of old and new keys. */
	for (unsigned i = 0; i < count; i++) {
		if (keygen_pair_paths(pem, pub, dir, type, curve, i, e) != 0)
			return -1;
		if (fsio_exists(pem) || fsio_exists(pub))
			return err_set(e, ERR_ENV, "%s exists already; keys are never replaced",
				fsio_exists(pem) ? pem : pub);
	}
	for (unsigned i = 0; i < count; i++)
		if (keygen_pair_paths(pem, pub, dir, type, curve, i, e) != 0 ||
			make_pair(pem, pub, type, curve, passphrase, ws, e) != 0)
			return -1;
	return workspace_commit(ws, e);
}

int keygen_symmetric(const char *path, enum keystore_kind kind, size_t len,
	const struct secret *passphrase, struct workspace *ws, struct err *e)
{
	AUTO(secret_freep) struct secret *s = secret_random(len);
	AUTO(buf_wipe) struct buf file = { 0 };

	if (!s)
		return err_set(e, ERR_ENV, "%s: out of memory", path);
	if (passphrase) {
		if (keystore_seal(kind, s, passphrase, &file, e) != 0)
			return -1;
	} else if (kind == KEYSTORE_CUST_MK_SK && len == 16) {
		wr_bytes(&file, s->p, s->len);
	} else {
		char *hex = (char *)buf_grow(&file, 2 * s->len + 1);
		if (!hex)
			return buf_check(&file, path, e);
		hex_encode(hex, s->p, s->len);
		hex[2 * s->len] = '\n';
	}
	if (fsio_write_new(path, file.p, file.len, 0600, e) != 0 ||
		workspace_key(ws,
			&(struct workspace_key){ .action = "made",
				.type = keystore_kind_name(kind),
				.file = path_basename(path) },
			e) != 0)
		return -1;
	return workspace_commit(ws, e);
}

int keygen_package(
	const char *path, const struct secret *passphrase, struct workspace *ws, struct err *e)
{
	AUTO(minisign_key_freep) struct minisign_key *key = NULL;
	AUTO(str_freep) char *pub_path = minisign_pub_path(path);
	uint8_t digest[32];

	if (!pub_path)
		return err_set(e, ERR_ENV, "%s: out of memory", path);
	if (minisign_key_generate(&key, e) != 0 ||
		minisign_key_save(key, path, pub_path, passphrase ? passphrase->p : NULL,
			passphrase ? passphrase->len : 0, e) != 0)
		return -1;
	if (chmod(pub_path, 0644) != 0)
		return err_errno(e, "%s: cannot make it readable", pub_path);
	sha256_of(minisign_key_pub(key)->key, 32, digest);
	if (workspace_key(ws,
		    &(struct workspace_key){ .action = "made",
			    .type = "package",
			    .file = path_basename(path),
			    .public_digest = digest },
		    e) != 0)
		return -1;
	return workspace_commit(ws, e);
}

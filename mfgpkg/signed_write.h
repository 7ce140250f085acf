/* signed_write - putting detached signatures beside a document: PATH.minisig first, further ones as
 * PATH.<16 hex>.minisig, where common/pkg/signed_file finds them. OEM side. */
#ifndef MFGPKG_SIGNED_WRITE_H
#define MFGPKG_SIGNED_WRITE_H

#include <stddef.h>

#include "base/err.h"
#include "keyed/minisign_key.h"

/* oem_signed_write - write text[len] to path and its signature by the first key to PATH.minisig, by
 * the others to PATH.<id>.minisig. Signatures of an older text left beside it would make the
 * document unreadable: they are an error (ERR_CONFIG) unless this call replaces them. */
int oem_signed_write(const char *path, const void *text, size_t len,
	struct minisign_key *const keys[], size_t n_keys, const char *comment,
	struct err *e) CHECKED;

/* oem_sign_beside - add one more signature to a document that stays as it is. */
int oem_sign_beside(const char *path, const void *text, size_t len, const struct minisign_key *key,
	const char *comment, struct err *e) CHECKED;

#endif

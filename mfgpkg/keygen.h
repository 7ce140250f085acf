/* keygen - make the key files of an OEM workspace. Files are written mode 0600 (public keys 0644)
 * and never replaced. Each new key is recorded in the workspace log that the caller opened. */
#ifndef MFGPKG_KEYGEN_H
#define MFGPKG_KEYGEN_H

#include "base/err.h"
#include "crypt/ecc.h"
#include "keyed/secret.h"
#include "mfgpkg/keystore.h"
#include "mfgpkg/workspace.h"

#define KEYGEN_MAX_ROT	4
#define KEYGEN_MAX_ISK	16
#define KEYGEN_PATH_CAP 4096

/* keygen_pairs - TYPE_CURVE_0.pem and .pub, ... in folder `dir` (made when missing). type "rot" or
 * "isk". passphrase NULL: unencrypted. ws may be NULL. ERR_ENV when one of the files exists: then
 * none is written. */
int keygen_pairs(const char *dir, const char *type, enum ecc_curve curve, unsigned count,
	const struct secret *passphrase, struct workspace *ws, struct err *e) CHECKED;

/* keygen_pair_paths - the names of the files of pair number i. ERR_ENV: too long. */
int keygen_pair_paths(char pem[KEYGEN_PATH_CAP], char pub[KEYGEN_PATH_CAP], const char *dir,
	const char *type, enum ecc_curve curve, unsigned i, struct err *e) CHECKED;

/* keygen_symmetric - `len` random bytes in a new file: 32 or 16 for CUST_MK_SK, 16 for the OEM
 * seed. Sealed; without passphrase hex digits, but a CUST_MK_SK of 16 bytes raw: its digits would
 * be read as 32 bytes with leading zeros, here and by other tools. */
int keygen_symmetric(const char *path, enum keystore_kind kind, size_t len,
	const struct secret *passphrase, struct workspace *ws, struct err *e) CHECKED;

/* keygen_package - a minisign key pair: the secret key at `path`, the public key beside it. */
int keygen_package(const char *path, const struct secret *passphrase, struct workspace *ws,
	struct err *e) CHECKED;

#endif

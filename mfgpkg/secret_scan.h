/* secret_scan - is a secret in these bytes? Looked for raw, reversed, as hex (any case) and as
 * base64 (any of the three alignments), inside every entry of a package and over its raw bytes. OEM
 * side. Secrets are borrowed, never copied to plain memory; messages name them, not their bytes.
 */
#ifndef MFGPKG_SECRET_SCAN_H
#define MFGPKG_SECRET_SCAN_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "keyed/passphrase.h"
#include "pkg/container.h"

struct oem_scan;

int oem_scan_new(struct oem_scan **out, struct err *e) CHECKED;
void oem_scan_free(struct oem_scan *s);
void oem_scan_freep(struct oem_scan **s);

/* oem_scan_add_secret - a key, seed or scalar of at least 16 bytes; `name` for messages (copied).
 */
int oem_scan_add_secret(struct oem_scan *s, const char *name, const void *secret, size_t len,
	struct err *e) CHECKED;

/* oem_scan_add_plaintext - firmware whose plain text must not be in the package: any 32 consecutive
 * bytes of it that are not just a repeated pattern count as a find. */
int oem_scan_add_plaintext(
	struct oem_scan *s, const char *name, const void *data, size_t len, struct err *e) CHECKED;

/* oem_scan_add_folder - every secret file below a folder (an OEM workspace): private keys in PEM
 * and DER, minisign secret keys, raw and hex symmetric keys; encrypted ones are opened with `pass`
 * or, when that is NULL, looked for as the file is. */
int oem_scan_add_folder(struct oem_scan *s, const char *path, const struct passphrase_source *pass,
	struct err *e) CHECKED;

/* oem_scan_package - ERR_REJECTED names entry, offset and secret. Finds also what no secret needs
 * to be known for: private-key structures (PEM, DER, minisign), raw scalars of the public keys in
 * the package's SB3.1 files, SB3.1 files that are not encrypted. */
int oem_scan_package(const struct oem_scan *s, const struct container *c, struct err *e) CHECKED;

#endif

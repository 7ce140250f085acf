/* pkg_write - making packages: manifest, SHA256SUMS, signature, canonical container.
 * OEM side. Names begin with oem_ so that a look at the runner's symbols shows it is not there. */
#ifndef MFGPKG_PKG_WRITE_H
#define MFGPKG_PKG_WRITE_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"
#include "keyed/minisign_key.h"
#include "pkg/manifest.h"

struct oem_pkg_file {
	const char *path; /* name in the package, e.g. "sb/image.sb3" */
	enum manifest_role role;
	const void *data;
	size_t len;
};

struct oem_pkg_input {
	/* n_files and files are filled in by oem_pkg_write(); package_id "" makes a random one,
	 * script "" is taken from the file with ROLE_SCRIPT. */
	struct manifest manifest;
	const struct oem_pkg_file *files; /* without SHA256SUMS, which is made here */
	size_t n_files;
	const struct minisign_key *signer;
	const char *comment; /* trusted comment; NULL: "mfgpkg PRODUCT RELEASE" */
};

/* oem_pkg_write - append the package to *out and put the digest of its manifest into digest.
 * Reproducible: the same input gives the same bytes (package_id given). The result is checked as a
 * runner would (all but the number of approvals, which may be more than this one). ERR_CONFIG names
 * what cannot be packed; ERR_REJECTED: the finished package would be refused, and why. */
int oem_pkg_write(
	const struct oem_pkg_input *in, struct buf *out, uint8_t digest[32], struct err *e) CHECKED;

/* oem_pkg_add - the same package with one more entry outside the manifest: a signature or the
 * provenance; an entry of that name is replaced. Nothing else changes. */
int oem_pkg_add(const void *pkg, size_t len, const char *name, const void *data, size_t data_len,
	struct buf *out, struct err *e) CHECKED;

/* oem_pkg_approve - the same package with a signature of its manifest by this key added. Everything
 * but the approvals must be in order: nobody is to sign what a runner would refuse. */
int oem_pkg_approve(const char *name, const void *pkg, size_t len,
	const struct minisign_key *signer, const char *comment, struct buf *out,
	struct err *e) CHECKED;

#endif

/* output - where an export puts its file, and its entry in the log of the OEM's workspace. */
#ifndef MFGPKG_OUTPUT_H
#define MFGPKG_OUTPUT_H

#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"
#include "crypt/ecc.h"
#include "mfgpkg/workspace.h"

/* output_write - fsio_write(), after making the folder of `path`, as other tools for these
 * configurations do. */
int output_write(
	const char *path, const void *data, size_t len, mode_t mode, struct err *e) CHECKED;

/* output_record - the file as an artifact in the workspace's log, with the digests of the files
 * that `config` names (secrets left out). type: "mbi", "cmpa", "cfpa", "sb31". signer: whose key
 * signed it, or NULL. ws NULL: nothing to do. */
int output_record(struct workspace *ws, const char *type, const char *config, const char *path,
	const void *data, size_t len, const struct ecc_pub *signer, struct err *e) CHECKED;

#endif

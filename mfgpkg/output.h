/* output - where an export puts its file: folders on the way are made, as other tools for these
 * configurations do. */
#ifndef MFGPKG_OUTPUT_H
#define MFGPKG_OUTPUT_H

#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"

/* output_write - fsio_write(), after making the folder of `path`. */
int output_write(
	const char *path, const void *data, size_t len, mode_t mode, struct err *e) CHECKED;

#endif

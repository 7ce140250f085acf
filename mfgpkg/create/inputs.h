/* inputs - the files a build step reads: its configuration and every file that is named in it, or
 * in a configuration or certificate block that it names.
 *
 * Any text of a configuration that is the name of an existing file counts, whatever its key: a
 * file too many costs a rebuild, a file too few would keep a stale artifact. Secret files are told
 * by their key and their content; their digests never leave memory but keyed (see stamp.h).
 * One thread.
 */
#ifndef MFGPKG_CREATE_INPUTS_H
#define MFGPKG_CREATE_INPUTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define INPUTS_MAX	 64
#define INPUTS_MAX_DEPTH 4
#define INPUTS_MAX_FILE	 ((size_t)128 << 20)

struct input {
	char *path;
	uint8_t sha256[32];
	bool secret; /* holds a private or symmetric key */
	bool readable; /* group or others can read it */
};

struct inputs {
	struct input v[INPUTS_MAX];
	size_t n;
};

/* inputs_collect - add `path` and, when it is a YAML or JSON configuration, all files it names.
 * ERR_ENV (unreadable), ERR_CONFIG (syntax), ERR_LIMIT. */
int inputs_collect(struct inputs *in, const char *path, struct err *e) CHECKED;

/* inputs_add_secret - one more file that is a secret whatever it looks like. */
int inputs_add_secret(struct inputs *in, const char *path, struct err *e) CHECKED;

/* inputs_check_private - ERR_CONFIG naming the first secret file that others can read, and the
 * chmod that helps. */
int inputs_check_private(const struct inputs *in, struct err *e) CHECKED;

void inputs_clear(struct inputs *in); /* also a zeroed one */

#endif

/* fsio - whole files in, whole files out. A file appears complete or not at all.
 * No global state; any thread. */
#ifndef COMMON_BASE_FSIO_H
#define COMMON_BASE_FSIO_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/bytes.h"
#include "base/err.h"

/* fsio_read - append the content of a regular file to *out, at most `max` bytes.
 * ERR_ENV (cannot open/read, not a regular file), ERR_LIMIT (larger). */
int fsio_read(const char *path, size_t max, struct buf *out, struct err *e) CHECKED;
int fsio_read_fd(int fd, const char *name, size_t max, struct buf *out, struct err *e) CHECKED;

/* fsio_write - temp file in the same folder (O_EXCL, `mode`), write, fsync, rename, fsync folder. A
 * path that is a device or pipe is written to instead.
 * fsio_write_new - the same, but never replaces: an existing file is an error. */
int fsio_write(const char *path, const void *data, size_t len, mode_t mode, struct err *e) CHECKED;
int fsio_write_new(
	const char *path, const void *data, size_t len, mode_t mode, struct err *e) CHECKED;

int fsio_mkdirs(const char *path, mode_t mode, struct err *e) CHECKED; /* existing ones are fine */
int fsio_sync_dir(const char *path, struct err *e) CHECKED;
bool fsio_exists(const char *path);

/* fsio_copy_memfd - copy a file (at most `max` bytes) into a sealed memfd: nobody can change it
 * any more, whatever happens to the file. Returns the fd (caller closes) or -1. */
int fsio_copy_memfd(const char *path, size_t max, struct err *e) CHECKED;

/* Paths. Results are malloc'ed (caller frees); NULL only when memory is out. */
char *path_join(const char *dir, const char *name); /* name absolute: a copy of name */
char *path_dirname(const char *path); /* "." when there is no slash */
const char *path_basename(const char *path); /* points into path */

/* Cleanup helpers for AUTO(). */
void fd_closep(int *fd); /* closes unless -1 */
void str_freep(char **s);

#endif

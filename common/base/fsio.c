#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fsio.h"

void fd_closep(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void str_freep(char **s)
{
	free(*s);
	*s = NULL;
}

char *path_join(const char *dir, const char *name)
{
	char *out = NULL;

	if (name[0] == '/' || strcmp(dir, ".") == 0 || !*dir)
		return strdup(name);
	return asprintf(&out, "%s%s%s", dir, dir[strlen(dir) - 1] == '/' ? "" : "/", name) < 0
		       ? NULL
		       : out;
}

char *path_dirname(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return strdup(".");
	return slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
}

const char *path_basename(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

bool fsio_exists(const char *path)
{
	return access(path, F_OK) == 0;
}

int fsio_read_fd(int fd, const char *name, size_t max, struct buf *out, struct err *e)
{
	size_t start = out->len;

	for (;;) {
		uint8_t chunk[65536];
		ssize_t n = read(fd, chunk, sizeof chunk);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(e, "%s: cannot read", name);
		if (n > 0 && (size_t)n > max - (out->len - start)) {
			explicit_bzero(chunk, (size_t)n);
			return err_set(e, ERR_LIMIT, "%s: larger than %zu bytes", name, max);
		}
		wr_bytes(out, chunk, (size_t)n);
		explicit_bzero(chunk, (size_t)n);
		if (n == 0)
			return buf_check(out, name, e);
	}
}

static int open_regular(const char *path, struct stat *st, struct err *e)
{
	/* O_NONBLOCK: a FIFO in place of a file must not hang the program. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return err_errno(e, "%s: cannot open", path);
	if (fstat(fd, st) != 0 || !S_ISREG(st->st_mode)) {
		close(fd);
		return err_set(e, ERR_ENV, "%s: not a regular file", path);
	}
	return fd;
}

int fsio_read(const char *path, size_t max, struct buf *out, struct err *e)
{
	struct stat st;
	AUTO(fd_closep) int fd = open_regular(path, &st, e);

	if (fd < 0)
		return -1;
	if (st.st_size > 0 && (uintmax_t)st.st_size > max)
		return err_set(e, ERR_LIMIT, "%s: %jd bytes, at most %zu wanted", path,
			(intmax_t)st.st_size, max);
	if (st.st_size > 0)
		buf_reserve(out, (size_t)st.st_size);
	return fsio_read_fd(fd, path, max, out, e);
}

int fsio_sync_dir(const char *path, struct err *e)
{
	AUTO(fd_closep) int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || fsync(fd) != 0)
		return err_errno(e, "%s: cannot sync folder", path);
	return 0;
}

static int write_all(int fd, const uint8_t *p, size_t len)
{
	while (len) {
		ssize_t n = write(fd, p, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

static int write_file(
	const char *path, const void *data, size_t len, mode_t mode, bool replace, struct err *e)
{
	AUTO(str_freep) char *dir = path_dirname(path);
	AUTO(str_freep) char *tmp = NULL;
	AUTO(fd_closep) int fd = -1;

	if (!dir ||
		asprintf(&tmp, "%s/.%s.%ld.tmp", dir, path_basename(path), (long)getpid()) < 0) {
		tmp = NULL;
		return err_set(e, ERR_ENV, "%s: out of memory", path);
	}
	fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
	if (fd < 0)
		return err_errno(e, "%s: cannot create", path);
	if (write_all(fd, data, len) != 0 || fsync(fd) != 0) {
		err_errno(e, "%s: cannot write", path);
		unlink(tmp);
		return -1;
	}
	/* link() fails when the target exists, rename() replaces it: both are atomic. */
	if ((replace ? rename(tmp, path) : link(tmp, path)) != 0) {
		err_errno(e, "%s: cannot %s", path, replace ? "replace" : "create");
		unlink(tmp);
		return -1;
	}
	if (!replace)
		unlink(tmp);
	return fsio_sync_dir(dir, e);
}

/* A device, pipe or terminal (`-o /dev/null`) is written to, never replaced by a file. */
static int write_special(const char *path, const void *data, size_t len, struct err *e)
{
	AUTO(fd_closep) int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0 || write_all(fd, data, len) != 0)
		return err_errno(e, "%s: cannot write", path);
	return 0;
}

int fsio_write(const char *path, const void *data, size_t len, mode_t mode, struct err *e)
{
	struct stat st;

	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return write_special(path, data, len, e);
	return write_file(path, data, len, mode, true, e);
}

int fsio_write_new(const char *path, const void *data, size_t len, mode_t mode, struct err *e)
{
	return write_file(path, data, len, mode, false, e);
}

int fsio_mkdirs(const char *path, mode_t mode, struct err *e)
{
	AUTO(str_freep) char *p = strdup(path);

	if (!p)
		return err_set(e, ERR_ENV, "%s: out of memory", path);
	for (char *s = p + 1; *s; s++) {
		if (*s != '/')
			continue;
		*s = 0;
		if (mkdir(p, mode) != 0 && errno != EEXIST)
			return err_errno(e, "%s: cannot create folder", p);
		*s = '/';
	}
	if (mkdir(p, mode) != 0 && errno != EEXIST)
		return err_errno(e, "%s: cannot create folder", p);
	struct stat st;
	if (stat(p, &st) != 0 || !S_ISDIR(st.st_mode))
		return err_set(e, ERR_ENV, "%s: not a folder", p);
	return 0;
}

int fsio_copy_memfd(const char *path, size_t max, struct err *e)
{
	AUTO(buf_clear) struct buf b = { .max = max };

	if (fsio_read(path, max, &b, e) != 0)
		return -1;
	int fd = memfd_create("package", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return err_errno(e, "%s: cannot create a memory file", path);
	if (write_all(fd, b.p, b.len) != 0 ||
		fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) !=
			0) {
		err_errno(e, "%s: cannot fill a memory file", path);
		close(fd);
		return -1;
	}
	return fd;
}

#include "base/fsio.h"
#include "mfgpkg/output.h"

int output_write(const char *path, const void *data, size_t len, mode_t mode, struct err *e)
{
	AUTO(str_freep) char *dir = path_dirname(path);

	if (!dir)
		return err_set(e, ERR_ENV, "out of memory");
	if (fsio_mkdirs(dir, 0777, e) != 0)
		return -1;
	return fsio_write(path, data, len, mode, e);
}

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "evidence_vfs.h"

struct file {
	sqlite3_file base;
	sqlite3_file *real;
};

static sqlite3_vfs vfs, *real;
static unsigned calls, fail_at;
static int fail_rc;
static bool fail_for_good, failed;

unsigned ev_vfs_calls(void)
{
	return calls;
}

bool ev_vfs_failed(void)
{
	return failed;
}

static int fails(void)
{
	calls++;
	if (!fail_at || (calls != fail_at && !(fail_for_good && calls > fail_at)))
		return 0;
	failed = true;
	return fail_rc;
}

#define REAL(f) (((struct file *)(f))->real)

static int f_close(sqlite3_file *f)
{
	int rc = REAL(f)->pMethods ? REAL(f)->pMethods->xClose(REAL(f)) : SQLITE_OK;

	free(REAL(f));
	return rc;
}

static int f_read(sqlite3_file *f, void *p, int n, sqlite3_int64 at)
{
	return REAL(f)->pMethods->xRead(REAL(f), p, n, at);
}

static int f_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 at)
{
	int rc = fails();

	if (rc && n > 1) /* half of it reaches the disk: a torn write */
		(void)REAL(f)->pMethods->xWrite(REAL(f), p, n / 2, at);
	return rc ? rc : REAL(f)->pMethods->xWrite(REAL(f), p, n, at);
}

static int f_truncate(sqlite3_file *f, sqlite3_int64 n)
{
	int rc = fails();

	return rc ? SQLITE_IOERR_TRUNCATE : REAL(f)->pMethods->xTruncate(REAL(f), n);
}

static int f_sync(sqlite3_file *f, int flags)
{
	int rc = fails();

	return rc ? SQLITE_IOERR_FSYNC : REAL(f)->pMethods->xSync(REAL(f), flags);
}

static int f_size(sqlite3_file *f, sqlite3_int64 *n)
{
	return REAL(f)->pMethods->xFileSize(REAL(f), n);
}

static int f_lock(sqlite3_file *f, int level)
{
	return REAL(f)->pMethods->xLock(REAL(f), level);
}

static int f_unlock(sqlite3_file *f, int level)
{
	return REAL(f)->pMethods->xUnlock(REAL(f), level);
}

static int f_reserved(sqlite3_file *f, int *out)
{
	return REAL(f)->pMethods->xCheckReservedLock(REAL(f), out);
}

static int f_control(sqlite3_file *f, int op, void *arg)
{
	return REAL(f)->pMethods->xFileControl(REAL(f), op, arg);
}

static int f_sector(sqlite3_file *f)
{
	return REAL(f)->pMethods->xSectorSize(REAL(f));
}

static int f_device(sqlite3_file *f)
{
	return REAL(f)->pMethods->xDeviceCharacteristics(REAL(f));
}

/* Version 1: no shared memory, which a log does not need (exclusive locking). */
static const sqlite3_io_methods methods = { 1, f_close, f_read, f_write, f_truncate, f_sync, f_size,
	f_lock, f_unlock, f_reserved, f_control, f_sector, f_device, NULL, NULL, NULL, NULL, NULL,
	NULL };

static int v_open(sqlite3_vfs *v, const char *name, sqlite3_file *f, int flags, int *out)
{
	struct file *mine = (struct file *)f;
	int rc = fails();

	(void)v;
	mine->base.pMethods = NULL;
	if (rc)
		return SQLITE_CANTOPEN;
	mine->real = calloc(1, (size_t)real->szOsFile);
	if (!mine->real)
		return SQLITE_NOMEM;
	rc = real->xOpen(real, name, mine->real, flags, out);
	if (rc != SQLITE_OK)
		free(mine->real);
	else
		mine->base.pMethods = &methods;
	return rc;
}

static int v_delete(sqlite3_vfs *v, const char *name, int sync)
{
	(void)v;
	return fails() ? SQLITE_IOERR_DELETE : real->xDelete(real, name, sync);
}

static void register_vfs(void)
{
	real = sqlite3_vfs_find(NULL);
	vfs = *real;
	vfs.zName = EV_VFS;
	vfs.pNext = NULL;
	vfs.szOsFile = (int)sizeof(struct file);
	vfs.xOpen = v_open;
	vfs.xDelete = v_delete;
	sqlite3_vfs_register(&vfs, 0);
}

void ev_vfs_arm(unsigned n, int rc, bool for_good)
{
	if (!real)
		register_vfs();
	calls = 0;
	fail_at = n;
	fail_rc = rc;
	fail_for_good = for_good;
	failed = false;
}

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fsio.h"
#include "mfgpkg/workspace.h"

#define WORKSPACE_FILE "workspace.yaml"

struct workspace {
	char *dir;
	char *origin;
	char *vkey;
};

/* holds_workspace_file - true when dir/workspace.yaml is a file; dir is not changed. */
static bool holds_workspace_file(const char *dir)
{
	AUTO(str_freep) char *file = path_join(dir, WORKSPACE_FILE);

	return file && fsio_exists(file);
}

/* nearest_workspace - malloc'ed folder at or above `path` that is a workspace, NULL when none. */
static char *nearest_workspace(const char *path)
{
	/* The file need not exist yet (it may be an output): resolve the part that does. */
	AUTO(str_freep) char *start = strdup(path);
	char *dir = NULL;

	while (start && !(dir = realpath(start, NULL))) {
		char *up = path_dirname(start);
		bool at_end = !up || strcmp(up, start) == 0;

		free(start);
		start = up;
		if (at_end)
			break;
	}
	while (dir) {
		if (holds_workspace_file(dir))
			return dir;
		char *up = strcmp(dir, "/") == 0 ? NULL : path_dirname(dir);

		free(dir);
		dir = up;
	}
	return NULL;
}

int workspace_open(
	struct workspace **out, const char *dir, const char *oem, const char *name, struct err *e)
{
	(void)out;
	(void)oem;
	(void)name;
	return err_set(e, ERR_INTERNAL, "%s: the workspace log cannot be opened yet", dir);
}

int workspace_open_near(
	struct workspace **out, const struct cli *c, const char *path, struct err *e)
{
	const char *given = cli_string(c, "workspace", NULL);

	if (given)
		return workspace_open(out, given, NULL, NULL, e);

	AUTO(str_freep) char *dir = nearest_workspace(path);
	if (!dir) {
		*out = NULL;
		return 0;
	}
	return workspace_open(out, dir, NULL, NULL, e);
}

void workspace_free(struct workspace *w)
{
	if (!w)
		return;
	free(w->dir);
	free(w->origin);
	free(w->vkey);
	free(w);
}

void workspace_freep(struct workspace **w)
{
	workspace_free(*w);
	*w = NULL;
}

const char *workspace_dir(const struct workspace *w)
{
	return w->dir;
}

const char *workspace_origin(const struct workspace *w)
{
	return w->origin;
}

const char *workspace_vkey(const struct workspace *w)
{
	return w->vkey;
}

static int unwritten(const struct workspace *w, struct err *e)
{
	return w ? err_set(e, ERR_INTERNAL, "workspace log is not written yet") : 0;
}

int workspace_key(struct workspace *w, const struct workspace_key *k, struct err *e)
{
	(void)k;
	return unwritten(w, e);
}

int workspace_artifact(struct workspace *w, const struct workspace_artifact *a, struct err *e)
{
	(void)a;
	return unwritten(w, e);
}

int workspace_package(
	struct workspace *w, const struct workspace_package *p, uint64_t *seq, struct err *e)
{
	(void)p;
	(void)seq;
	return unwritten(w, e);
}

int workspace_approval(struct workspace *w, const uint8_t package[32], const char *package_id,
	const uint8_t signer[8], struct err *e)
{
	(void)package;
	(void)package_id;
	(void)signer;
	return unwritten(w, e);
}

int workspace_order(struct workspace *w, const struct workspace_order *o, struct err *e)
{
	(void)o;
	return unwritten(w, e);
}

int workspace_commit(struct workspace *w, struct err *e)
{
	return unwritten(w, e);
}

int workspace_prove(struct workspace *w, uint64_t seq, struct buf *out, struct err *e)
{
	(void)seq;
	(void)out;
	return unwritten(w, e);
}

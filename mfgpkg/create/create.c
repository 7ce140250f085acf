#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fsio.h"
#include "mfgpkg/create/build.h"

#define BUILD_FOLDER "build"

/* open_workspace - the workspace of the release: as the release names it, else the nearest one. */
static int open_workspace(struct build *b, const struct cli *c, struct err *e)
{
	const struct release *r = &b->release;

	if (r->oem)
		return workspace_open(&b->ws, r->dir, r->oem, r->workspace, e);
	if (workspace_open_near(&b->ws, c, b->o->release, e) != 0)
		return -1;
	if (!b->ws)
		return err_set(e, ERR_CONFIG,
			"%s: no workspace.yaml at or above it: write one with `oem: your.domain` "
			"and "
			"`name: ...`, so that this release can be recorded",
			b->o->release);
	return 0;
}

static int run(struct build *b, const struct cli *c, json_t **summary, struct err *e)
{
	if (release_load(&b->release, b->o->release, b->o->warn, b->o->ctx, e) != 0)
		return -1;
	b->folder = path_join(b->release.dir, BUILD_FOLDER);
	if (!b->folder)
		return err_set(e, ERR_ENV, "out of memory");
	if (b->o->fixed_time)
		snprintf(b->also, sizeof b->also, "time %lld", (long long)b->o->now);
	if (open_workspace(b, c, e) != 0 || fsio_mkdirs(b->folder, 0700, e) != 0 ||
		stamps_open(&b->stamps, b->folder, e) != 0 || oem_scan_new(&b->scan, e) != 0)
		return -1;
	if (build_begin(b, e) != 0 || build_steps(b, STEP_MBI, STEP_SB31, e) != 0 ||
		build_check(b, e) != 0 || build_steps(b, STEP_PROVISION, STEP_PROVISION, e) != 0 ||
		build_check_provisioning(b, e) != 0)
		return -1;
	return build_pack(b, summary, e) != 0 ? err_wrap(e, "package") : 0;
}

int create_package(const struct create_options *o, const struct cli *c, struct keystore *ks,
	json_t **summary, struct err *e)
{
	struct build *b = calloc(1, sizeof *b);
	int rc;

	if (!b)
		return err_set(e, ERR_ENV, "out of memory");
	b->o = o;
	b->ks = ks;
	rc = run(b, c, summary, e);
	for (size_t s = 0; s < STEP_COUNT; s++) {
		free(b->a[s].path);
		buf_wipe(&b->a[s].data);
		inputs_clear(&b->a[s].inputs);
	}
	oem_scan_free(b->scan);
	workspace_free(b->ws);
	stamps_free(b->stamps);
	free(b->folder);
	release_clear(&b->release);
	free(b);
	return rc;
}

/* release - RELEASE.yaml: what goes into a package, and under which conditions it may be used.
 *
 * Our own format (samples/mcxn947-blinky/release.yaml explains the keys). Read completely and
 * checked before anything is built; every fault is ERR_CONFIG with file, line, key, value and what
 * was expected; unknown keys are warnings that name the nearest known one.
 * Text is borrowed from the document, which the struct owns; paths are its own. One thread.
 */
#ifndef MFGPKG_CREATE_RELEASE_H
#define MFGPKG_CREATE_RELEASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "mfgpkg/config.h"
#include "pkg/manifest.h"

#define RELEASE_MAX_FILES      32 /* docs and data together */
#define RELEASE_MAX_DAYS       7300
#define RELEASE_DEFAULT_DAYS   365
#define RELEASE_SCRIPT_PATH    "scripts/program.blhost"
#define RELEASE_PROVISION_PATH "sb/provisioning.sb3"
#define RELEASE_IMAGE_PATH     "sb/image.sb3"
#define RELEASE_MIN_RUNNER     "0.1.0" /* the first runner that reads this format */

struct release_file {
	char *path; /* on disk */
	char name[CONTAINER_NAME_MAX + 1]; /* in the package: docs/..., data/... */
	enum manifest_role role;
};

struct release {
	struct config *doc;
	char *dir; /* folder of the document */

	/* All members of the manifest but package_id, times, rkth and files. */
	struct manifest manifest;
	bool has_not_before, has_expires; /* else from the time of the build and `days` */
	unsigned days;

	/* Configurations of the steps; mbi, devhsm and provisioning_sb may be NULL. */
	char *mbi, *cmpa, *cfpa, *sb31, *devhsm, *provisioning_sb;
	char *script;
	char *package_key;
	struct release_file files[RELEASE_MAX_FILES];
	size_t n_files;

	const char *oem, *workspace; /* of `workspace: {oem, name}`; NULL: see workspace.yaml */
};

/* release_load - *out is freed with release_clear(), also after a failure. */
int release_load(struct release *out, const char *path, config_warn_fn warn, void *ctx,
	struct err *e) CHECKED;
void release_clear(struct release *r); /* also a zeroed one */

#endif

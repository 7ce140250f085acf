/* create - from a release to a signed package, in one step.
 *
 * Steps in order: mbi, cmpa, cfpa, sb31, devhsm, package. A step whose inputs did not change since
 * its last run is not run again (stamp.h). What was built is checked as a whole before it is
 * packed: one RKTH in image, SB3.1 and CMPA; the SB3.1 encrypted and holding the image; fuses and
 * CFPA leading to the life cycle the manifest promises. Every act is recorded in the workspace log,
 * and the package carries the proof of its own entry. Nothing appears under the package's name
 * unless all of it succeeded.
 */
#ifndef MFGPKG_CREATE_CREATE_H
#define MFGPKG_CREATE_CREATE_H

#include <jansson.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "mfgpkg/config.h"
#include "mfgpkg/keystore.h"
#include "mfgpkg/workspace.h"

#define CREATE_STEPS 6

enum create_result { CREATE_BEGIN, CREATE_BUILT, CREATE_UNCHANGED };

/* A step begins or has ended; `done`/`total` while a device works on blocks (result BEGIN). */
struct create_progress {
	const char *step; /* "mbi", "cmpa", "cfpa", "sb31", "devhsm", "package" */
	unsigned number; /* from 1 */
	enum create_result result;
	const char *file; /* what it made; NULL at the beginning */
	uint64_t size;
	int64_t ms;
	uint64_t done, total;
};

struct create_options {
	const char *release; /* RELEASE.yaml */
	const char *output; /* PKG */
	const char *port; /* device HSM; NULL: none, fine while nothing has to be made on it */
	uint32_t baud;
	const atomic_bool *cancel; /* may be NULL */
	bool allow_readable_keys;
	bool fixed_time; /* SOURCE_DATE_EPOCH or --timestamp: reproducible */
	int64_t now; /* seconds since 1970 */
	void (*progress)(void *ctx, const struct create_progress *p);
	config_warn_fn warn; /* text without the word warning */
	void *ctx; /* of both */
};

/* create_package - returns a description of what went in (schemas/create.schema.json) in *summary,
 * a new reference. `ks` gives all secrets; `c` the --workspace option, if any. */
int create_package(const struct create_options *o, const struct cli *c, struct keystore *ks,
	json_t **summary, struct err *e) CHECKED;

#endif

/* build - the state of one run of create, shared by its parts: steps, checks, packing. */
#ifndef MFGPKG_CREATE_BUILD_H
#define MFGPKG_CREATE_BUILD_H

#include "base/bytes.h"
#include "mboot/mboot.h"
#include "mfgpkg/create/create.h"
#include "mfgpkg/create/inputs.h"
#include "mfgpkg/create/release.h"
#include "mfgpkg/create/stamp.h"
#include "mfgpkg/secret_scan.h"

/* What a step made. */
struct artifact {
	bool present; /* the release has this step */
	bool unchanged; /* taken from the last run */
	const char *config; /* borrowed from the release */
	char *path; /* of the output */
	struct buf data;
	uint8_t sha256[32];
	struct inputs inputs;
	int64_t ms;
};

enum step { STEP_MBI, STEP_CMPA, STEP_CFPA, STEP_SB31, STEP_PROVISION, STEP_COUNT };

struct build {
	const struct create_options *o;
	struct keystore *ks;
	struct release release;
	struct stamps *stamps;
	struct workspace *ws;
	char *folder; /* build/ beside the release */
	char also[32]; /* what every result depends on besides its inputs: the fixed time */
	struct artifact a[STEP_COUNT];
	uint8_t rkth[48];
	size_t rkth_len;
	bool has_device; /* a device made the provisioning SB3.1 in this run */
	uint8_t device[MBOOT_UUID_LEN];
	struct oem_scan *scan; /* what must not be in the package */
};

const char *step_name(enum step s); /* also the type of the artifact's leaf */

/* build_steps - run the steps of the release from..to, or take over what they made last time.
 * build_check - before a device is asked for anything: image, SB3.1, pages and the plan of the
 *   provisioning SB3.1 fit together and to the manifest. Sets b->rkth, and tells b->scan the
 *   plaintext it saw.
 * build_check_provisioning - what the device made, or was given, is what it should be.
 * ERR_REJECTED or ERR_CONFIG. */
int build_begin(
	struct build *b, struct err *e) CHECKED; /* names the steps; key files are private */
int build_steps(struct build *b, enum step from, enum step to, struct err *e) CHECKED;
int build_check(struct build *b, struct err *e) CHECKED;
int build_check_provisioning(const struct build *b, struct err *e) CHECKED;

/* build_pack - manifest, signature, provenance, scan for secrets, file. */
int build_pack(struct build *b, json_t **summary, struct err *e) CHECKED;

/* build_key_digest - SHA-256 of a public key X || Y, how leaves name keys. */
void build_key_digest(const struct ecc_pub *pub, uint8_t out[32]);

/* build_cancelled - true, with ERR_CANCELLED, when the operator has interrupted. */
bool build_cancelled(const struct build *b, struct err *e);

void build_progress(const struct build *b, unsigned number, enum create_result result,
	const struct artifact *a);

#endif

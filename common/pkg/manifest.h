/* manifest - manifest.json: what a package claims to be. Strict: every member is required, an
 * unknown one is refused, so there is nothing a later reader could understand differently.
 * Pure functions, any thread. Source: DESIGN section 5; schemas/manifest.schema.json.
 */
#ifndef COMMON_PKG_MANIFEST_H
#define COMMON_PKG_MANIFEST_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "mboot/mboot.h"
#include "pkg/container.h"

#define MANIFEST_MAX_SIZE      ((size_t)256 << 10)
#define MANIFEST_TEXT_MAX      64 /* product, release */
#define MANIFEST_MAX_REVISIONS 8
#define MANIFEST_MAX_BAUDS     16
#define MANIFEST_MAX_APPROVALS 16
#define MANIFEST_BAUD_MIN      1200
#define MANIFEST_BAUD_MAX      12000000

enum manifest_role {
	ROLE_PROVISIONING_SB, /* "provisioning-sb": device-HSM SB3.1, at most one */
	ROLE_IMAGE_SB, /* "image-sb": encrypted SB3.1 signed under the manifest's RKTH */
	ROLE_SCRIPT, /* "script": exactly one, named by `script` */
	ROLE_CHECKSUMS, /* "checksums": SHA256SUMS, exactly one */
	ROLE_DOCUMENT, /* "document": docs/..., for people; never sent to a device */
	ROLE_DATA, /* "data": data/..., bytes the script's write-memory sends as they are */
};

struct manifest_file {
	char path[CONTAINER_NAME_MAX + 1];
	enum manifest_role role;
	uint64_t size;
	uint8_t sha256[32];
};

struct manifest {
	char package_id[37]; /* UUID, lower case */
	char product[MANIFEST_TEXT_MAX + 1];
	char release[MANIFEST_TEXT_MAX + 1];
	int64_t sequence; /* >= 1, monotonic per product */
	int64_t created, not_before, expires; /* seconds since 1970 */
	char family[33]; /* "mcxn947" */
	size_t n_revisions;
	char revisions[MANIFEST_MAX_REVISIONS][9]; /* "a1" */
	size_t n_before;
	enum mboot_lifecycle before[MBOOT_LC_UNKNOWN]; /* states a device may come in */
	enum mboot_lifecycle after; /* state a finished device is in */
	uint8_t rkth[48];
	size_t rkth_len; /* 32 or 48 */
	size_t n_bauds;
	uint32_t bauds[MANIFEST_MAX_BAUDS]; /* in order of preference */
	char script[CONTAINER_NAME_MAX + 1];
	char min_runner[24]; /* "1.0.0" */
	unsigned approvals; /* k of k-of-n, >= 1 */
	bool requires_order, erase_first, require_attestation;
	size_t n_files;
	struct manifest_file files[CONTAINER_MAX_ENTRIES];
};

/* manifest_parse - read and check text[len]. ERR_FORMAT / ERR_LIMIT with the member's path. */
int manifest_parse(struct manifest *out, const void *text, size_t len, struct err *e) CHECKED;

/* manifest_to_json - the document, members in the order of DESIGN section 5. New reference; NULL
 * only when memory is out. */
json_t *manifest_to_json(const struct manifest *m);

/* manifest_file - the listed file with this path, or NULL. */
const struct manifest_file *manifest_file(const struct manifest *m, const char *path);

const char *manifest_role_name(enum manifest_role role);
int manifest_role_parse(enum manifest_role *out, const char *name); /* 0 or -1 */

/* version_compare - "1.10.0" against "1.9.2": <0, 0, >0. Both are MAJOR.MINOR.PATCH
 * (version_valid). */
bool version_valid(const char *v);
int version_compare(const char *a, const char *b);

#endif

/* pkg_internal - what pkg.c, pkg_sb.c and pkg_examine.c share; nobody else includes it, so nobody
 * else can make a struct pkg. */
#ifndef COMMON_PKG_PKG_INTERNAL_H
#define COMMON_PKG_PKG_INTERNAL_H

#include "pkg/pkg.h"

struct pkg {
	char name[256]; /* for messages: the path as given, escaped */
	uint8_t *map; /* sealed memory, read-only */
	size_t len;
	struct container c;
	struct manifest m;
	struct script script;
	struct pkg_facts facts;
};

/* Which results a check needs, so that an examination can go on behind a failure. */
enum {
	PKG_HAS_MANIFEST = 1,
	PKG_HAS_FILES = 2, /* listed files are there with the right size and digest */
	PKG_HAS_SCRIPT = 4,
};

struct pkg_check {
	const char *name;
	unsigned needs, gives;
	int (*run)(struct pkg *p, const struct trust *t, const struct pkg_expect *x, struct err *e);
};

/* All checks behind the canonical form, in the order of DESIGN section 5, ended by name NULL. */
extern const struct pkg_check pkg_checks[];

/* pkg_load - memory, digests and container: what all checks need. On failure facts are kept. */
int pkg_load_file(
	struct pkg **out, const char *path, struct pkg_facts *facts, struct err *e) CHECKED;
int pkg_load_bytes(struct pkg **out, const char *name, const void *data, size_t len,
	struct pkg_facts *facts, struct err *e) CHECKED;

/* pkg_check_sb - structure, encryption; an image's RKTH, a provisioning file's device-HSM shape;
 * with `verify` signatures and hash chain too. `path` for messages. */
int pkg_check_sb(const char *path, enum manifest_role role, const uint8_t *data, size_t len,
	const uint8_t *rkth, size_t rkth_len, bool verify, struct err *e) CHECKED;

#endif

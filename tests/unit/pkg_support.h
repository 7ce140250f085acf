/* What the tests of packages share: building one from the vectors, right or wrong in any layer. */
#ifndef TESTS_UNIT_PKG_SUPPORT_H
#define TESTS_UNIT_PKG_SUPPORT_H

#include <jansson.h>

#include "base/bytes.h"
#include "base/err.h"
#include "keyed/minisign_key.h"
#include "pkg/container.h"
#include "pkg/trust.h"

enum { PK_MAX = 70 };

struct pk_file {
	char path[CONTAINER_NAME_MAX + 1];
	char role[24];
	struct buf data;
};

/* Steps: pk_default (files), change files; pk_list (manifest and SHA256SUMS), change p->manifest;
 * pk_seal (manifest text); pk_sign; change entries; pk_pack. pk_build does all of it. */
struct pk {
	struct pk_file files[PK_MAX];
	size_t n_files;
	json_t *manifest;
	struct pk_file entries[PK_MAX];
	size_t n;
	struct buf out;
};

void pk_default(struct pk *p);
void pk_clear(struct pk *p);
void pk_list(struct pk *p);
void pk_seal(struct pk *p);
void pk_seal_text(struct pk *p, const char *manifest); /* with another text as manifest */
void pk_sign(struct pk *p, const char *key); /* "alice", "bob", "carol" of the vectors */
void pk_pack(struct pk *p);
void pk_build(struct pk *p, const char *key);

struct pk_file *pk_file(struct pk *p, const char *path); /* among files */
struct pk_file *pk_entry(struct pk *p, const char *path); /* among entries */
void pk_set(struct pk_file *f, const void *data, size_t len);
void pk_text(struct pk_file *f, const char *text);
void pk_add_file(struct pk *p, const char *path, const char *role, const char *text);
void pk_add_entry(struct pk *p, const char *path, const void *data, size_t len);
void pk_remove_entry(struct pk *p, const char *path);

struct minisign_key *pk_key(const char *name);
/* The same secret key under another key number (8 bytes as stored, in hex). */
struct minisign_key *pk_key_renumbered(const char *name, const char *id_hex);
struct trust pk_trust(unsigned threshold, ...) __attribute__((sentinel)); /* key names, NULL */

/* A vector file; the RKTH of the image in pk_default(). */
struct buf pk_vector(const char *path); /* below tests/vectors */
#define PK_RKTH "db06c72b7260998cef233d26a1560d41f9437b583bca315ff6d905153cafb33f"
#define PK_NOW	1800000000 /* 2027-01-15, inside the window of pk_default() */

/* A well-formed device-HSM container of n blocks, signed by the key it carries. */
struct buf pk_devhsm(uint32_t n_blocks);

#endif

/* pkg - a verified package. Only pkg_open() makes one; a runner takes nothing else.
 *
 * pkg_open() copies the file into a sealed memory file and never reads it again, then checks in
 * this order: canonical form and limits; signatures against the trusted keys and their threshold;
 * the manifest, and its own number of approvals; the exact set of files; sizes and digests; the
 * provenance, if there is one; window, sequence, family, runner version; the SB3.1 files
 * (structure, signatures, RKTH, encrypted); the script, whole, and that it uses the files as what
 * they are. Constant once open: may be read by any number of threads. Source: DESIGN section 5.
 */
#ifndef COMMON_PKG_PKG_H
#define COMMON_PKG_PKG_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "pkg/container.h"
#include "pkg/manifest.h"
#include "pkg/script.h"
#include "pkg/trust.h"

#define PKG_PROVENANCE "provenance/workspace.tlog-proof"
#define PKG_SIGNATURES "signatures/"

struct pkg;

/* What the caller knows; 0 / NULL leaves a check out. */
struct pkg_expect {
	int64_t now; /* seconds since 1970: not_before <= now < expires */
	const char *family; /* of the devices */
	int64_t sequence_floor; /* lowest sequence accepted */
	/* The floor of a product, which is known only once the manifest is verified; *floor stays 0
	 * when the station never saw the product. The higher of the two floors holds. */
	int (*product_floor)(void *ctx, const char *product, int64_t *floor, struct err *e);
	void *ctx;
	const char *log_vkey; /* of the OEM's workspace log: the package must have a provenance, and
			       * its checkpoint must be signed by this key */
	/* Also verify the SB3.1 files' signatures and hash chains. The OEM's tools do; a station
	 * need not, because the OEM signed these bytes, and the device's ROM is the judge that
	 * counts. */
	bool verify_sb;
	const char *runner_version; /* must not be below the manifest's min_runner */
};

/* What is known of a package for the log, also when it is refused. Members of the manifest are set
 * only after its signatures were verified: unsigned claims do not get into a log. */
struct pkg_facts {
	char file[256]; /* last path component, escaped */
	bool have_container, have_digest, have_manifest;
	uint8_t container[32]; /* SHA-256 of the file */
	uint8_t digest[32]; /* SHA-256 of manifest.json */
	char package_id[37], product[MANIFEST_TEXT_MAX + 1], release[MANIFEST_TEXT_MAX + 1];
	int64_t sequence;
	struct signers signers;
};

/* pkg_open - *facts (may be NULL) is set in any case. ERR_FORMAT, ERR_LIMIT, ERR_REJECTED: refused
 * (exit 3); ERR_ENV: cannot be read. The message begins with the path. */
int pkg_open(struct pkg **out, const char *path, const struct trust *t, const struct pkg_expect *x,
	struct pkg_facts *facts, struct err *e) CHECKED;

/* pkg_open_bytes - the same for bytes in memory (copied). `name` is for messages. */
int pkg_open_bytes(struct pkg **out, const char *name, const void *data, size_t len,
	const struct trust *t, const struct pkg_expect *x, struct pkg_facts *facts,
	struct err *e) CHECKED;
void pkg_free(struct pkg *p);
void pkg_freep(struct pkg **p);

const struct manifest *pkg_manifest(const struct pkg *p);
const struct script *pkg_script(const struct pkg *p);
const struct pkg_facts *pkg_facts(const struct pkg *p);
const uint8_t *pkg_digest(const struct pkg *p); /* 32: SHA-256 of manifest.json */
const uint8_t *pkg_container_digest(const struct pkg *p); /* 32: SHA-256 of the file */
const struct signers *pkg_signers(const struct pkg *p);

/* Entries (manifest, signatures and provenance too), borrowed until pkg_free(). pkg_file:
 * ERR_REJECTED when there is none of this name. */
const struct container *pkg_container(const struct pkg *p);
int pkg_file(const struct pkg *p, const char *path, const uint8_t **data, size_t *len,
	struct err *e) CHECKED;

/* pkg_raw - the whole file as it was verified (for keeping a copy). */
const uint8_t *pkg_raw(const struct pkg *p, size_t *len);

/* pkg_step_file - the bytes a step sends (FILE or FILE,BYTES); NULL when it has no file. */
const uint8_t *pkg_step_file(const struct pkg *p, const struct script_step *s, size_t *len);

/* pkg_examine - everything that can be said about a package without believing it, for people and
 * for tools: a JSON document (schemas/inspect.schema.json) whose "problems" lists every check that
 * does not pass, in the order of pkg_open(). `t` may be NULL (nobody is trusted). Fails only when
 * the container itself cannot be read. New reference in *report. */
int pkg_examine(json_t **report, const char *path, const struct trust *t,
	const struct pkg_expect *x, struct err *e) CHECKED;
int pkg_examine_bytes(json_t **report, const char *name, const void *data, size_t len,
	const struct trust *t, const struct pkg_expect *x, struct err *e) CHECKED;

#endif

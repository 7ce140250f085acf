/* workspace - the folder in which an OEM keeps one product, and its audit log.
 *
 * A folder is a workspace when it holds `workspace.yaml` with `oem` (a domain-like name) and
 * `name`. Its log is `workspace/log.db` below that folder: role `workspace`, origin
 * OEM/mfgpkg/workspace/NAME, made by the first act that is recorded. Every command that makes a
 * key, an artifact, a package, an approval or an order records it here, after the act and before
 * it reports success, so that an OEM can show later what its signing keys were used for.
 *
 * The pattern for a command (a command outside any workspace gets NULL, and every function below
 * takes NULL and does nothing):
 *
 *	AUTO(workspace_freep) struct workspace *ws = NULL;
 *	if (workspace_open_near(&ws, c, output_path, e) != 0)
 *		return -1;
 *	... make the key, write it ...
 *	if (workspace_key(ws, &(struct workspace_key){ ... }, e) != 0 || workspace_commit(ws, e) !=
 *0) return -1;
 *
 * Opening fails early when the log cannot be written, before anything was made. One process
 * writes a log at a time: opening waits up to 10 s for another one. One thread.
 * Source: evidence format sections 4.1 to 4.3, 4.8.
 */
#ifndef MFGPKG_WORKSPACE_H
#define MFGPKG_WORKSPACE_H

#include <stdint.h>

#include "base/bytes.h"
#include "base/cli.h"
#include "base/err.h"

struct workspace;

/* The option of commands that record something; a row for their option table. */
#define WORKSPACE_OPTION                                                                           \
	{                                                                                          \
		"workspace", 0, CLI_STRING, "DIR",                                                 \
			"OEM workspace that records this act (default: the nearest folder at or "  \
			"above the file that holds a workspace.yaml)",                             \
			false                                                                      \
	}

/* workspace_open - open the log of the workspace in `dir`, making it when there is none.
 *   oem, name  as a release says; NULL: as dir/workspace.yaml says, which must exist then. When
 *              both say it they must agree.
 *   ERR_CONFIG (no name, malformed, different), ERR_ENV (log unwritable, held by another). */
int workspace_open(struct workspace **out, const char *dir, const char *oem, const char *name,
	struct err *e) CHECKED;

/* workspace_open_near - the workspace a command works in: --workspace DIR when given, else the
 * nearest folder at or above the file or folder `path`. None: *out is NULL, and that is success. */
int workspace_open_near(
	struct workspace **out, const struct cli *c, const char *path, struct err *e) CHECKED;

/* Closes; what was not committed is not recorded. */
void workspace_free(struct workspace *w);
void workspace_freep(struct workspace **w);

const char *workspace_dir(const struct workspace *w);
const char *workspace_origin(const struct workspace *w);
const char *workspace_vkey(const struct workspace *w); /* verifier key of the log */

/* A key made, imported or retired. No secret, no digest of a symmetric secret. */
struct workspace_key {
	const char *action; /* "made", "imported", "retired" */
	const char *type; /* "rot", "isk", "package", "cust-mk-sk", "oem-seed" */
	const char *file; /* last component of the file's name */
	const uint8_t *public_digest; /* SHA-256 of the public key (rot, isk: X||Y; package: the 32
				       * key bytes), NULL for symmetric secrets */
};
int workspace_key(struct workspace *w, const struct workspace_key *k, struct err *e) CHECKED;

/* A file that was built, and from what. */
struct workspace_input {
	const char *file; /* last path component */
	uint8_t sha256[32];
};
struct workspace_artifact {
	const char *type; /* "mbi", "cmpa", "cfpa", "sb31", "provisioning-sb" */
	const char *file;
	uint8_t sha256[32];
	uint64_t size;
	const struct workspace_input *inputs; /* none of them secret */
	size_t n_inputs;
	const uint8_t (*keys)[32]; /* public key digests of the keys that signed */
	size_t n_keys;
};
int workspace_artifact(
	struct workspace *w, const struct workspace_artifact *a, struct err *e) CHECKED;

/* A package as built, an approval of one, an order for one. `signer` is a minisign key number. */
struct workspace_package {
	const char *file, *package_id, *product, *release;
	int64_t sequence;
	uint8_t package[32]; /* SHA-256 of manifest.json */
	uint8_t signer[8];
};
int workspace_package(struct workspace *w, const struct workspace_package *p, uint64_t *seq,
	struct err *e) CHECKED;
int workspace_approval(struct workspace *w, const uint8_t package[32], const char *package_id,
	const uint8_t signer[8], struct err *e) CHECKED;

struct workspace_order {
	const char *order; /* order id */
	uint8_t document[32]; /* SHA-256 of the order document */
	uint8_t package[32]; /* package it is for */
	int64_t quantity;
	uint8_t signer[8];
};
int workspace_order(struct workspace *w, const struct workspace_order *o, struct err *e) CHECKED;

/* workspace_commit - make what was recorded durable, with a signed checkpoint. */
int workspace_commit(struct workspace *w, struct err *e) CHECKED;

/* workspace_prove - tlog-proof of a committed leaf, with the leaf in `extra`; appended to out. */
int workspace_prove(struct workspace *w, uint64_t seq, struct buf *out, struct err *e) CHECKED;

#endif

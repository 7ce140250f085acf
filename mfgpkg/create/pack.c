#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fsio.h"
#include "base/json.h"
#include "base/text.h"
#include "crypt/digest.h"
#include "image/mbi.h"
#include "keyed/minisign_key.h"
#include "mfgpkg/create/build.h"
#include "mfgpkg/pkg_write.h"
#include "pkg/pkg.h"

#define DAY 86400

/* --- manifest --------------------------------------------------------------------------------- */

/* is_artifact - made by another step: an image with a signature, never twice the same. */
static bool is_artifact(const struct build *b, const struct input *in)
{
	for (size_t s = 0; s < STEP_COUNT; s++)
		if (b->a[s].present && memcmp(b->a[s].sha256, in->sha256, 32) == 0)
			return true;
	return false;
}

/* package_id - a UUID that follows from release, time and all inputs that are neither secret nor
 * made here, so that a reproduced build has the same one (version 8 of RFC 9562: "made as its
 * maker likes"). */
static void package_id(const struct build *b, char out[37])
{
	const struct manifest *m = &b->release.manifest;
	struct digest *d = digest_new(DIGEST_SHA256);
	uint8_t hash[32], number[16];

	put_le64(number, (uint64_t)m->sequence);
	put_le64(number + 8, (uint64_t)b->o->now);
	digest_update(d, "mfgpkg-package-id", sizeof "mfgpkg-package-id");
	digest_update(d, m->product, strlen(m->product) + 1);
	digest_update(d, m->release, strlen(m->release) + 1);
	digest_update(d, number, sizeof number);
	digest_update(d, b->rkth, b->rkth_len);
	for (size_t s = 0; s < STEP_COUNT; s++)
		for (size_t i = 0; i < b->a[s].inputs.n; i++)
			if (!b->a[s].inputs.v[i].secret && !is_artifact(b, &b->a[s].inputs.v[i]))
				digest_update(d, b->a[s].inputs.v[i].sha256, 32);
	digest_final(d, hash);
	digest_free(d);

	hash[6] = (uint8_t)(0x80 | (hash[6] & 0x0F));
	hash[8] = (uint8_t)(0x80 | (hash[8] & 0x3F));
	char hex[33];
	hex_encode(hex, hash, 16);
	snprintf(out, 37, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
}

static int manifest_facts(const struct build *b, struct manifest *m, struct err *e)
{
	const struct release *r = &b->release;

	*m = r->manifest;
	if (b->o->fixed_time)
		package_id(b, m->package_id);
	m->created = b->o->now;
	if (!r->has_not_before)
		m->not_before = b->o->now / DAY * DAY; /* a factory's clock may be a little slow */
	if (!r->has_expires)
		m->expires = m->not_before + (int64_t)r->days * DAY;
	if (m->expires <= b->o->now)
		return err_set(e, ERR_CONFIG, "%s: `validity` has ended before the package is made",
			b->o->release);
	memcpy(m->rkth, b->rkth, sizeof m->rkth);
	m->rkth_len = b->rkth_len;
	return 0;
}

/* --- files ------------------------------------------------------------------------------------ */

struct files {
	struct oem_pkg_file v[CONTAINER_MAX_ENTRIES];
	struct buf data[RELEASE_MAX_FILES + 1]; /* script, docs, data */
	size_t n, n_data;
};

static void files_clear(struct files *f)
{
	for (size_t i = 0; i < f->n_data; i++)
		buf_clear(&f->data[i]);
}

static void add_bytes(
	struct files *f, const char *path, enum manifest_role role, const struct buf *data)
{
	f->v[f->n++] = (struct oem_pkg_file){
		.path = path, .role = role, .data = data->p, .len = data->len
	};
}

static int add_file(
	struct files *f, const char *path, enum manifest_role role, const char *from, struct err *e)
{
	struct buf *data = &f->data[f->n_data];

	if (fsio_read(from, CONTAINER_MAX_SIZE, data, e) != 0)
		return -1;
	f->n_data++;
	add_bytes(f, path, role, data);
	return 0;
}

static int gather(const struct build *b, struct files *f, struct err *e)
{
	const struct release *r = &b->release;

	if (b->a[STEP_PROVISION].present)
		add_bytes(f, RELEASE_PROVISION_PATH, ROLE_PROVISIONING_SB,
			&b->a[STEP_PROVISION].data);
	add_bytes(f, RELEASE_IMAGE_PATH, ROLE_IMAGE_SB, &b->a[STEP_SB31].data);
	if (add_file(f, RELEASE_SCRIPT_PATH, ROLE_SCRIPT, r->script, e) != 0)
		return -1;
	for (size_t i = 0; i < r->n_files; i++)
		if (add_file(f, r->files[i].name, r->files[i].role, r->files[i].path, e) != 0)
			return -1;
	return 0;
}

/* --- no secret leaves ------------------------------------------------------------------------- */

/* add_folders - all secret files beside those this release uses, also the ones it did not open. */
static int add_folders(const struct build *b, struct err *e)
{
	char *dirs[STEP_COUNT * INPUTS_MAX + 1];
	size_t n = 0;
	int rc = 0;

	dirs[n++] = path_dirname(b->release.package_key);
	for (size_t s = 0; s < STEP_COUNT; s++)
		for (size_t i = 0; i < b->a[s].inputs.n; i++)
			if (b->a[s].inputs.v[i].secret)
				dirs[n++] = path_dirname(b->a[s].inputs.v[i].path);
	for (size_t i = 0; i < n; i++) {
		bool seen = !dirs[i];

		for (size_t k = 0; k < i && !seen; k++)
			seen = strcmp(dirs[k], dirs[i]) == 0;
		if (!seen && rc == 0)
			rc = oem_scan_add_folder(b->scan, dirs[i], keystore_passphrases(b->ks), e);
	}
	for (size_t i = 0; i < n; i++)
		free(dirs[i]);
	return rc;
}

static int add_secret(void *ctx, const char *name, const struct secret *s, struct err *e)
{
	return oem_scan_add_secret(ctx, name, s->p, s->len, e);
}

static int scan(const struct build *b, const struct buf *pkg, struct err *e)
{
	struct container *c = calloc(1, sizeof *c);
	int rc;

	if (!c)
		return err_set(e, ERR_ENV, "out of memory");
	rc = keystore_each(b->ks, add_secret, b->scan, e);
	if (rc == 0)
		rc = container_parse(c, pkg->p, pkg->len, e);
	if (rc == 0)
		rc = oem_scan_package(b->scan, c, e);
	free(c);
	return rc;
}

/* --- what went in ----------------------------------------------------------------------------- */

static json_t *hex_json(const void *data, size_t len)
{
	char hex[129];

	return json_string(hex_encode(hex, data, len));
}

static json_t *steps_json(const struct build *b)
{
	json_t *list = json_array();

	for (enum step s = STEP_MBI; s < STEP_COUNT; s++) {
		const struct artifact *a = &b->a[s];

		if (!a->present)
			continue;
		json_t *o =
			json_pack("{s:s, s:s, s:s, s:I, s:o, s:I}", "step", step_name(s), "result",
				!a->config     ? "given"
				: a->unchanged ? "unchanged"
					       : "built",
				"file", a->path, "size", (json_int_t)a->data.len, "sha256",
				hex_json(a->sha256, 32), "ms", (json_int_t)a->ms);
		if (s == STEP_PROVISION && b->has_device)
			json_object_set_new(o, "device", hex_json(b->device, sizeof b->device));
		json_array_append_new(list, o);
	}
	return list;
}

static json_t *summary_json(const struct build *b, const struct manifest *m, const struct buf *pkg,
	const uint8_t digest[32], const char *signer, uint64_t leaf)
{
	struct err none = { 0 };
	struct mbi mbi;
	uint8_t container[32];
	json_t *o = json_object();

	sha256_of(pkg->p, pkg->len, container);
	json_object_set_new(o, "package", json_string(b->o->output));
	json_object_set_new(o, "size", json_integer((json_int_t)pkg->len));
	json_object_set_new(o, "container", hex_json(container, 32));
	json_object_set_new(o, "digest", hex_json(digest, 32));
	json_object_set_new(o, "signer", json_string(signer));
	json_object_set_new(o, "manifest", manifest_to_json(m));
	if (b->a[STEP_MBI].present &&
		mbi_parse(&mbi, b->a[STEP_MBI].data.p, b->a[STEP_MBI].data.len, &none) == 0)
		json_object_set_new(o, "firmware_version", json_integer(mbi.firmware_version));
	json_object_set_new(o, "steps", steps_json(b));
	json_object_set_new(o, "workspace",
		json_pack("{s:s, s:I, s:s}", "origin", workspace_origin(b->ws), "leaf",
			(json_int_t)leaf, "key", workspace_vkey(b->ws)));
	return o;
}

/* --- all of it -------------------------------------------------------------------------------- */

/* prove - the package's entry in the workspace log, and its proof inside the package. */
static int prove(const struct build *b, const struct manifest *m, const uint8_t digest[32],
	const struct minisign_pub *pub, const struct buf *pkg, struct buf *out, uint64_t *leaf,
	struct err *e)
{
	AUTO(buf_clear) struct buf proof = { 0 };
	struct workspace_package p = {
		.file = path_basename(b->o->output),
		.package_id = m->package_id,
		.product = m->product,
		.release = m->release,
		.sequence = m->sequence,
	};

	memcpy(p.package, digest, sizeof p.package);
	memcpy(p.signer, pub->id, sizeof p.signer);
	if (workspace_package(b->ws, &p, leaf, e) != 0 || workspace_commit(b->ws, e) != 0 ||
		workspace_prove(b->ws, *leaf, &proof, e) != 0)
		return -1;
	return oem_pkg_add(pkg->p, pkg->len, PKG_PROVENANCE, proof.p, proof.len, out, e);
}

static int pack(
	struct build *b, struct files *f, struct artifact *result, json_t **summary, struct err *e)
{
	AUTO(minisign_key_freep) struct minisign_key *key = NULL;
	AUTO(buf_clear) struct buf plain = { 0 };
	struct oem_pkg_input *in = calloc(1, sizeof *in);
	struct container *c = calloc(1, sizeof *c);
	struct manifest *made = calloc(1, sizeof *made);
	uint8_t digest[32];
	char id[17];
	uint64_t leaf = 0;
	int rc = -1;

	if (!in || !c || !made) {
		err_set(e, ERR_ENV, "out of memory");
		goto out;
	}
	if (minisign_key_load(&key, b->release.package_key, keystore_passphrases(b->ks), e) != 0 ||
		manifest_facts(b, &in->manifest, e) != 0 || gather(b, f, e) != 0)
		goto out;
	in->files = f->v;
	in->n_files = f->n;
	in->signer = key;
	if (oem_pkg_write(in, &plain, digest, e) != 0)
		goto out;

	/* The manifest as it is in the package: with its files and package id. */
	if (container_parse(c, plain.p, plain.len, e) != 0 ||
		manifest_parse(made, c->entries[0].data, c->entries[0].len, e) != 0)
		goto out;
	const struct minisign_pub *pub = minisign_key_pub(key);
	if (add_folders(b, e) != 0 || scan(b, &plain, e) != 0 ||
		prove(b, made, digest, pub, &plain, &result->data, &leaf, e) != 0 ||
		fsio_write(b->o->output, result->data.p, result->data.len, 0644, e) != 0)
		goto out;
	*summary = summary_json(b, made, &result->data, digest, minisign_id_hex(id, pub->id), leaf);
	rc = *summary ? 0 : err_set(e, ERR_ENV, "out of memory");
out:
	free(in);
	free(c);
	free(made);
	return rc;
}

int build_pack(struct build *b, json_t **summary, struct err *e)
{
	struct files *f = calloc(1, sizeof *f);
	struct artifact result = { .path = strdup(b->o->output) };
	int64_t begin = clock_mono_ms();
	int rc;

	if (build_cancelled(b, e)) {
		free(f);
		free(result.path);
		return -1;
	}
	build_progress(b, STEP_COUNT + 1, CREATE_BEGIN, NULL);
	if (f && result.path)
		rc = pack(b, f, &result, summary, e);
	else
		rc = err_set(e, ERR_ENV, "out of memory");
	if (rc == 0) {
		result.ms = clock_mono_ms() - begin;
		build_progress(b, STEP_COUNT + 1, CREATE_BUILT, &result);
	}
	if (f)
		files_clear(f);
	free(f);
	buf_clear(&result.data);
	free(result.path);
	return rc;
}

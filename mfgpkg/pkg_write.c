#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "crypt/digest.h"
#include "mfgpkg/pkg_write.h"
#include "pkg/pkg.h"
#include "pkg/sums.h"

#define COMMENT_MAX 200

static void random_uuid(char out[37])
{
	uint8_t r[16];
	char h[33];

	randombytes_buf(r, sizeof r);
	r[6] = (uint8_t)((r[6] & 0x0F) | 0x40); /* version 4, variant 1 (RFC 4122) */
	r[8] = (uint8_t)((r[8] & 0x3F) | 0x80);
	hex_encode(h, r, sizeof r);
	snprintf(out, 37, "%.8s-%.4s-%.4s-%.4s-%.12s", h, h + 8, h + 12, h + 16, h + 20);
}

static int list_file(struct manifest *m, const struct oem_pkg_file *in, struct err *e)
{
	if (m->n_files == CONTAINER_MAX_ENTRIES - 3) /* SHA256SUMS, manifest, a signature */
		return err_set(e, ERR_CONFIG, "more than %d files for one package",
			CONTAINER_MAX_ENTRIES - 3);
	struct manifest_file *f = &m->files[m->n_files++];
	if (container_name_check(in->path, strlen(in->path), e) != 0) {
		e->code = ERR_CONFIG;
		return -1;
	}
	if (in->len > CONTAINER_MAX_SIZE)
		return err_set(e, ERR_CONFIG, "%s: %zu bytes, at most %zu fit into a package",
			in->path, in->len, CONTAINER_MAX_SIZE);
	*f = (struct manifest_file){ .role = in->role, .size = in->len };
	memcpy(f->path, in->path, strlen(in->path) + 1);
	sha256_of(in->data, in->len, f->sha256);
	if (in->role == ROLE_SCRIPT && !m->script[0])
		memcpy(m->script, f->path, sizeof m->script);
	return 0;
}

/* The manifest with all files listed, as text; *sums is the content of SHA256SUMS. */
static int make_manifest(
	const struct oem_pkg_input *in, struct buf *text, struct buf *sums, struct err *e)
{
	struct manifest *m = malloc(sizeof *m);
	struct manifest *again = malloc(sizeof *again);
	json_t *j = NULL;
	int r = -1;

	if (!m || !again) {
		err_set(e, ERR_ENV, "out of memory");
		goto out;
	}
	*m = in->manifest;
	m->n_files = 0;
	if (!m->package_id[0])
		random_uuid(m->package_id);
	for (size_t i = 0; i < in->n_files; i++)
		if (list_file(m, &in->files[i], e) != 0)
			goto out;
	sums_write(m, sums);
	if (buf_check(sums, SUMS_NAME, e) != 0 ||
		list_file(m,
			&(struct oem_pkg_file){ SUMS_NAME, ROLE_CHECKSUMS, sums->p, sums->len },
			e) != 0)
		goto out;

	j = manifest_to_json(m);
	if (!j) {
		err_set(e, ERR_CONFIG, CONTAINER_FIRST ": a text is not valid UTF-8");
		goto out;
	}
	if (json_line(j, text, e) != 0)
		goto out;
	wr_u8(text, '\n');
	if (buf_check(text, CONTAINER_FIRST, e) != 0)
		goto out;
	/* The reader's rules are the writer's: what it would refuse is a fault of the input. */
	if (manifest_parse(again, text->p, text->len, e) != 0) {
		e->code = ERR_CONFIG;
		goto out;
	}
	r = 0;
out:
	json_decref(j);
	free(m);
	free(again);
	return r;
}

static struct container_entry entry_of(const char *name, const void *data, size_t len)
{
	struct container_entry x = { .data = data, .len = len };

	snprintf(x.name, sizeof x.name, "%s", name);
	return x;
}

static int sign_manifest(const struct minisign_key *signer, const void *manifest, size_t len,
	const char *comment, struct container_entry *out, struct buf *sig, struct err *e)
{
	char name[64], id[17];

	if (minisign_key_sign(signer, manifest, len, comment, sig, e) != 0)
		return -1;
	snprintf(name, sizeof name, PKG_SIGNATURES "%s.minisig",
		minisign_id_hex(id, minisign_key_pub(signer)->id));
	*out = entry_of(name, sig->p, sig->len);
	return 0;
}

/* Would a runner take it? Problems of the checks named in `but` (NULL-ended) are left aside. */
static int examine(const char *name, const void *pkg, size_t len, const struct trust *t,
	const char *const but[], struct err *e)
{
	AUTO(json_freep) json_t *report = NULL;
	json_t *problem;
	size_t i;

	if (pkg_examine_bytes(&report, name, pkg, len, t, NULL, e) != 0)
		return -1;
	json_array_foreach(json_object_get(report, "problems"), i, problem)
	{
		const char *check = json_string_value(json_object_get(problem, "check"));
		bool aside = false;
		for (size_t k = 0; but[k]; k++)
			aside = aside || strcmp(but[k], check) == 0;
		if (!aside)
			return err_set(e, ERR_REJECTED, "%s: %s", name,
				json_string_value(json_object_get(problem, "message")));
	}
	return 0;
}

int oem_pkg_write(
	const struct oem_pkg_input *in, struct buf *out, uint8_t digest[32], struct err *e)
{
	static const char *const more_approvals[] = { "approvals", NULL };
	AUTO(buf_clear) struct buf text = { 0 }, sums = { 0 }, sig = { 0 }, pkg = { 0 };
	struct container_entry entries[CONTAINER_MAX_ENTRIES];
	struct trust signer = { .threshold = 1 };
	char comment[COMMENT_MAX];
	struct err own = { 0 };
	size_t n = 0;

	if (!e)
		e = &own;
	if (make_manifest(in, &text, &sums, e) != 0)
		return -1;
	snprintf(comment, sizeof comment, "mfgpkg %s %s", in->manifest.product,
		in->manifest.release);
	entries[n++] = entry_of(CONTAINER_FIRST, text.p, text.len);
	entries[n++] = entry_of(SUMS_NAME, sums.p, sums.len);
	for (size_t i = 0; i < in->n_files; i++)
		entries[n++] = entry_of(in->files[i].path, in->files[i].data, in->files[i].len);
	if (sign_manifest(in->signer, text.p, text.len, in->comment ? in->comment : comment,
		    &entries[n++], &sig, e) != 0 ||
		container_write(entries, n, &pkg, e) != 0 ||
		trust_add(&signer, minisign_key_pub(in->signer), e) != 0 ||
		examine("finished package", pkg.p, pkg.len, &signer, more_approvals, e) != 0)
		return -1;
	wr_bytes(out, pkg.p, pkg.len);
	if (buf_check(out, "package", e) != 0)
		return -1;
	sha256_of(text.p, text.len, digest);
	return 0;
}

int oem_pkg_add(const void *pkg, size_t len, const char *name, const void *data, size_t data_len,
	struct buf *out, struct err *e)
{
	struct container c;
	struct container_entry entries[CONTAINER_MAX_ENTRIES + 1];
	size_t n = 0;

	if (strncmp(name, PKG_SIGNATURES, strlen(PKG_SIGNATURES)) != 0 &&
		strcmp(name, PKG_PROVENANCE) != 0)
		return err_set(e, ERR_CONFIG,
			"%s: only signatures and provenance can be added to a package", name);
	if (container_parse(&c, pkg, len, e) != 0)
		return -1;
	for (size_t i = 0; i < c.n; i++)
		if (strcmp(c.entries[i].name, name) != 0)
			entries[n++] = c.entries[i];
	entries[n++] = entry_of(name, data, data_len);
	return container_write(entries, n, out, e);
}

/* A file of our name that is not our signature would be lost: somebody else's key has our number.
 */
static int check_present(
	const struct container *c, const char *name, const struct minisign_pub *pub, struct err *e)
{
	const struct container_entry *x = container_find(c, name);
	struct minisign_sig sig;

	if (!x)
		return 0;
	if (minisign_sig_parse(&sig, name, x->data, x->len, e) != 0)
		return -1;
	if (minisign_verify(pub, &sig, c->entries[0].data, c->entries[0].len, e) != 0)
		return err_set(e, ERR_REJECTED,
			"%s: already there, and not made by this key: two keys with the same "
			"number",
			name);
	return 0;
}

int oem_pkg_approve(const char *name, const void *pkg, size_t len,
	const struct minisign_key *signer, const char *comment, struct buf *out, struct err *e)
{
	static const char *const approvals[] = { "trust", "approvals", NULL };
	AUTO(buf_clear) struct buf sig = { 0 };
	struct container c;
	struct container_entry x;
	char own[COMMENT_MAX];
	struct manifest m;

	if (examine(name, pkg, len, NULL, approvals, e) != 0)
		return -1;
	if (container_parse(&c, pkg, len, e) != 0 ||
		manifest_parse(&m, c.entries[0].data, c.entries[0].len, e) != 0)
		return err_wrap(e, "%s", name);
	snprintf(own, sizeof own, "mfgpkg approval of %s %s", m.product, m.release);
	if (sign_manifest(signer, c.entries[0].data, c.entries[0].len, comment ? comment : own, &x,
		    &sig, e) != 0 ||
		check_present(&c, x.name, minisign_key_pub(signer), e) != 0)
		return -1;
	return oem_pkg_add(pkg, len, x.name, x.data, x.len, out, e);
}

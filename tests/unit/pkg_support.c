#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "base/fsio.h"
#include "base/json.h"
#include "base/text.h"
#include "crypt/digest.h"
#include "keyed/ecc_key.h"
#include "pkg_support.h"

static const char script[] = "@title \"Provision and program ACME thermostat\"\n"
			     "@stage erase skip-if=lifecycle>=in-field\n"
			     "flash-erase-all\n"
			     "@stage provision irreversible skip-if=lifecycle>=in-field\n"
			     "receive-sb-file sb/provisioning.sb3\n"
			     "reset\n"
			     "@stage program timeout=60s retry=2\n"
			     "receive-sb-file sb/image.sb3\n"
			     "@stage attest\n"
			     "dice-attest\n"
			     "@check lifecycle == in-field\n"
			     "reset\n";

struct buf pk_vector(const char *path)
{
	struct buf b = { 0 };
	struct err e = { 0 };
	char full[300];

	snprintf(full, sizeof full, "tests/vectors/%s", path);
	if (fsio_read(full, CONTAINER_MAX_SIZE, &b, &e) != 0)
		fail_msg("%s", e.msg);
	return b;
}

struct buf pk_devhsm(uint32_t n_blocks)
{
	enum { BLOCK0 = 284, BLOCK = 292 };
	static const uint8_t seed[randombytes_SEEDBYTES] = { 'p', 'k' };
	struct buf mock = pk_vector("sb31/devhsm-mock/expected.sb3");
	struct buf out = { 0 };
	AUTO(ecc_key_freep) struct ecc_key *key = NULL;
	struct passphrase_source none = { .none = true };
	struct err e = { 0 };
	uint8_t next[32] = { 0 };

	wr_bytes(&out, mock.p, BLOCK0);
	uint8_t *blocks = buf_grow(&out, n_blocks * (size_t)BLOCK);
	buf_clear(&mock);
	assert_non_null(blocks);
	randombytes_buf_deterministic(blocks, n_blocks * (size_t)BLOCK, seed);
	for (uint32_t n = n_blocks; n > 0; n--) {
		uint8_t *b = out.p + BLOCK0 + (n - 1) * (size_t)BLOCK;
		put_le32(b, n);
		memcpy(b + 4, next, sizeof next);
		sha256_of(b, BLOCK, next);
	}
	put_le32(out.p + 12, n_blocks);
	memcpy(out.p + 60, next, sizeof next);
	if (ecc_key_load(&key, "tests/vectors/keys/isk_p256.pem", &none, &e) != 0 ||
		ecc_key_sign(key, out.p, 220, out.p + 220, &e) != 0)
		fail_msg("%s", e.msg);
	return out;
}

/* --- keys --------------------------------------------------------------------------------------
 */

static struct minisign_key *parse_key(const char *name, const struct buf *b)
{
	struct minisign_key *key = NULL;
	struct err e = { 0 };

	if (minisign_key_parse(&key, name, b->p, b->len, NULL, 0, &e) != 0)
		fail_msg("%s", e.msg);
	return key;
}

struct minisign_key *pk_key(const char *name)
{
	char path[200];

	snprintf(path, sizeof path, "evidence/minisign/keys/%s.key", name);
	AUTO(buf_clear) struct buf b = pk_vector(path);
	return parse_key(name, &b);
}

struct minisign_key *pk_key_renumbered(const char *name, const char *id_hex)
{
	char path[200], line[BASE64_LEN(158) + 1];
	uint8_t raw[158];
	size_t len;

	snprintf(path, sizeof path, "evidence/minisign/keys/%s.key", name);
	AUTO(buf_clear) struct buf b = pk_vector(path), again = { 0 };
	char *lf = memchr(b.p, '\n', b.len);
	assert_non_null(lf);
	assert_int_equal(base64_decode(raw, sizeof raw, &len, lf + 1, 212), 0);
	assert_int_equal(hex_decode(raw + 54, 8, id_hex), 0);
	memset(raw + 126, 0, 32); /* the checksum of a plain key may be zero */
	wr_printf(&again, "untrusted comment: x\n%s\n", base64_encode(line, raw, sizeof raw));
	return parse_key(name, &again);
}

struct trust pk_trust(unsigned threshold, ...)
{
	struct trust t = { .threshold = threshold };
	va_list ap;

	va_start(ap, threshold);
	for (const char *name; (name = va_arg(ap, const char *)) != NULL;) {
		struct minisign_key *key = pk_key(name);
		assert_int_equal(trust_add(&t, minisign_key_pub(key), NULL), 0);
		minisign_key_free(key);
	}
	va_end(ap);
	return t;
}

/* --- files -------------------------------------------------------------------------------------
 */

void pk_set(struct pk_file *f, const void *data, size_t len)
{
	struct buf fresh = { 0 };

	wr_bytes(&fresh, data, len);
	buf_clear(&f->data);
	f->data = fresh;
}

void pk_text(struct pk_file *f, const char *text)
{
	pk_set(f, text, strlen(text));
}

static struct pk_file *find(struct pk_file *list, size_t n, const char *path)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i].path, path) == 0)
			return &list[i];
	fail_msg("no %s in this package", path);
	return NULL;
}

struct pk_file *pk_file(struct pk *p, const char *path)
{
	return find(p->files, p->n_files, path);
}

struct pk_file *pk_entry(struct pk *p, const char *path)
{
	return find(p->entries, p->n, path);
}

void pk_add_file(struct pk *p, const char *path, const char *role, const char *text)
{
	struct pk_file *f = &p->files[p->n_files++];

	snprintf(f->path, sizeof f->path, "%s", path);
	snprintf(f->role, sizeof f->role, "%s", role);
	pk_text(f, text);
}

void pk_add_entry(struct pk *p, const char *path, const void *data, size_t len)
{
	struct pk_file *f = &p->entries[p->n++];

	snprintf(f->path, sizeof f->path, "%s", path);
	pk_set(f, data, len);
}

void pk_remove_entry(struct pk *p, const char *path)
{
	struct pk_file *f = pk_entry(p, path);

	buf_clear(&f->data);
	memmove(f, f + 1, (size_t)(&p->entries[p->n] - (f + 1)) * sizeof *f);
	p->n--;
	memset(&p->entries[p->n], 0, sizeof p->entries[p->n]);
}

void pk_default(struct pk *p)
{
	struct buf image = pk_vector("sb31/p256-4roots-isk-p256/expected.sb3");
	struct buf provisioning = pk_devhsm(2);

	memset(p, 0, sizeof *p);
	pk_add_file(p, "sb/provisioning.sb3", "provisioning-sb", "");
	pk_add_file(p, "sb/image.sb3", "image-sb", "");
	pk_add_file(p, "scripts/program.blhost", "script", script);
	pk_set(&p->files[0], provisioning.p, provisioning.len);
	pk_set(&p->files[1], image.p, image.len);
	buf_clear(&provisioning);
	buf_clear(&image);
}

void pk_clear(struct pk *p)
{
	for (size_t i = 0; i < p->n_files; i++)
		buf_clear(&p->files[i].data);
	for (size_t i = 0; i < p->n; i++)
		buf_clear(&p->entries[i].data);
	json_decref(p->manifest);
	buf_clear(&p->out);
	memset(p, 0, sizeof *p);
}

/* --- manifest, signatures, container ------------------------------------------------------------
 */

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct pk_file *)a)->path, ((const struct pk_file *)b)->path);
}

static json_t *file_json(const struct pk_file *f)
{
	uint8_t digest[32];
	char hex[65];

	sha256_of(f->data.p, f->data.len, digest);
	return json_pack("{ss ss sI ss}", "path", f->path, "role", f->role, "size",
		(json_int_t)f->data.len, "sha256", hex_encode(hex, digest, 32));
}

void pk_list(struct pk *p)
{
	AUTO(buf_clear) struct buf sums = { 0 };
	json_t *list = json_array();

	qsort(p->files, p->n_files, sizeof *p->files, by_path);
	for (size_t i = 0; i < p->n_files; i++) {
		json_t *j = file_json(&p->files[i]);
		wr_printf(&sums, "%s  %s\n", json_string_value(json_object_get(j, "sha256")),
			p->files[i].path);
		json_array_append_new(list, j);
	}
	pk_add_file(p, "SHA256SUMS", "checksums", "");
	pk_set(&p->files[p->n_files - 1], sums.p, sums.len);
	json_array_append_new(list, file_json(&p->files[p->n_files - 1]));
	p->manifest = json_pack("{ss si ss ss ss si ss ss ss ss s[s] s{s[ss] ss} ss s{s[ii]} ss ss"
				" s{si sb sb sb} so}",
		"type", "mfgpkg-manifest", "format", 1, "package_id",
		"5a0f3a52-6c1e-4e0e-9d0c-2b7f5d1c9a11", "product", "acme-thermostat", "release",
		"1.4.2", "sequence", 17, "created", "2026-11-20T15:00:00Z", "not_before",
		"2026-11-20T00:00:00Z", "expires", "2030-01-01T00:00:00Z", "family", "mcxn947",
		"revisions", "a1", "lifecycle", "before", "blank", "develop", "after", "in-field",
		"rkth", PK_RKTH, "interface", "baud", 921600, 115200, "script",
		"scripts/program.blhost", "min_runner", "0.1.0", "policy", "approvals", 1,
		"requires_order", 1, "erase_first", 1, "require_attestation", 1, "files", list);
	assert_non_null(p->manifest);
}

void pk_seal_text(struct pk *p, const char *manifest)
{
	pk_add_entry(p, CONTAINER_FIRST, manifest, strlen(manifest));
	for (size_t i = 0; i < p->n_files; i++)
		pk_add_entry(p, p->files[i].path, p->files[i].data.p, p->files[i].data.len);
}

void pk_seal(struct pk *p)
{
	AUTO(buf_clear) struct buf text = { 0 };

	assert_int_equal(json_line(p->manifest, &text, NULL), 0);
	wr_u8(&text, '\n');
	pk_seal_text(p, buf_text(&text));
}

static void sign_with(struct pk *p, const struct minisign_key *key)
{
	AUTO(buf_clear) struct buf sig = { 0 };
	const struct pk_file *m = pk_entry(p, CONTAINER_FIRST);
	char name[64], id[17];

	assert_int_equal(
		minisign_key_sign(key, m->data.p, m->data.len, "approved by a test", &sig, NULL),
		0);
	snprintf(name, sizeof name, "signatures/%s.minisig",
		minisign_id_hex(id, minisign_key_pub(key)->id));
	pk_add_entry(p, name, sig.p, sig.len);
}

void pk_sign(struct pk *p, const char *name)
{
	struct minisign_key *key = pk_key(name);

	sign_with(p, key);
	minisign_key_free(key);
}

void pk_pack(struct pk *p)
{
	struct container_entry x[PK_MAX];
	struct err e = { 0 };

	for (size_t i = 0; i < p->n; i++) {
		x[i] = (struct container_entry){ .data = p->entries[i].data.p,
			.len = p->entries[i].data.len };
		memcpy(x[i].name, p->entries[i].path, sizeof x[i].name);
	}
	buf_clear(&p->out);
	if (container_write(x, p->n, &p->out, &e) != 0)
		fail_msg("%s", e.msg);
}

void pk_build(struct pk *p, const char *key)
{
	pk_list(p);
	pk_seal(p);
	pk_sign(p, key);
	pk_pack(p);
}

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "pkg/manifest.h"

static const char *const role_names[] = {
	[ROLE_PROVISIONING_SB] = "provisioning-sb",
	[ROLE_IMAGE_SB] = "image-sb",
	[ROLE_SCRIPT] = "script",
	[ROLE_CHECKSUMS] = "checksums",
	[ROLE_DOCUMENT] = "document",
	[ROLE_DATA] = "data",
};
enum { N_ROLES = sizeof role_names / sizeof *role_names };

/* Where the files of a role live. A reader of a listing then sees what a file is for. */
static const char *const role_folders[] = {
	[ROLE_PROVISIONING_SB] = "sb/",
	[ROLE_IMAGE_SB] = "sb/",
	[ROLE_SCRIPT] = "scripts/",
	[ROLE_CHECKSUMS] = "",
	[ROLE_DOCUMENT] = "docs/",
	[ROLE_DATA] = "data/",
};

const char *manifest_role_name(enum manifest_role role)
{
	return role_names[role];
}

int manifest_role_parse(enum manifest_role *out, const char *name)
{
	for (int i = 0; i < N_ROLES; i++)
		if (strcmp(role_names[i], name) == 0) {
			*out = (enum manifest_role)i;
			return 0;
		}
	return -1;
}

/* --- versions --------------------------------------------------------------------------------- */

static int version_parse(const char *v, uint64_t part[3])
{
	for (int i = 0; i < 3; i++) {
		size_t len = strspn(v, "0123456789");
		if (decimal_parse(v, len, 999999, &part[i]) != 0 || v[len] != (i < 2 ? '.' : 0))
			return -1;
		v += len + 1;
	}
	return 0;
}

bool version_valid(const char *v)
{
	uint64_t part[3];

	return version_parse(v, part) == 0;
}

int version_compare(const char *a, const char *b)
{
	uint64_t x[3] = { 0 }, y[3] = { 0 };

	if (version_parse(a, x) != 0 || version_parse(b, y) != 0)
		return strcmp(a, b);
	for (int i = 0; i < 3; i++)
		if (x[i] != y[i])
			return x[i] < y[i] ? -1 : 1;
	return 0;
}

/* --- texts ------------------------------------------------------------------------------------ */

#define LOWER_DIGITS "abcdefghijklmnopqrstuvwxyz0123456789"

/* Text of 1..cap-1 of the given characters. `rule` says in messages what is wanted. */
static int text_member(const struct json_at *at, const char *key, const char *chars,
	const char *rule, char *out, size_t cap, struct err *e)
{
	struct json_at m = json_member(at, key);
	const char *s;

	if (json_want_string(&m, cap - 1, &s, e) != 0)
		return -1;
	if (!*s || strspn(s, chars) != strlen(s))
		return err_set(e, ERR_FORMAT, "%s: \"%s\", %s wanted", m.where, ESC(s), rule);
	memcpy(out, s, strlen(s) + 1);
	return 0;
}

static int release_member(const struct json_at *at, char *out, struct err *e)
{
	return text_member(at, "release", LOWER_DIGITS "ABCDEFGHIJKLMNOPQRSTUVWXYZ._+-",
		"letters, digits, . _ + -", out, MANIFEST_TEXT_MAX + 1, e);
}

static int product_member(const struct json_at *at, char *out, struct err *e)
{
	if (text_member(at, "product", LOWER_DIGITS "._-", "a-z 0-9 . _ -", out,
		    MANIFEST_TEXT_MAX + 1, e) != 0)
		return -1;
	/* The product is also a folder name at the station. */
	if (strchr("._-", out[0]))
		return err_set(e, ERR_FORMAT, "%s: product: \"%s\", a letter or digit first wanted",
			at->where, out);
	return 0;
}

static int uuid_member(const struct json_at *at, char out[37], struct err *e)
{
	struct json_at m = json_member(at, "package_id");
	const char *s;

	if (json_want_string(&m, 64, &s, e) != 0)
		return -1;
	bool good = strlen(s) == 36;
	for (size_t i = 0; good && i < 36; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;
		good = dash ? s[i] == '-' : strchr("0123456789abcdef", s[i]) != NULL;
	}
	if (!good)
		return err_set(
			e, ERR_FORMAT, "%s: \"%s\", a UUID in lower case wanted", m.where, ESC(s));
	memcpy(out, s, 37);
	return 0;
}

static int rkth_member(const struct json_at *at, struct manifest *m, struct err *e)
{
	struct json_at j = json_member(at, "rkth");
	const char *s;

	if (json_want_string(&j, 256, &s, e) != 0)
		return -1;
	m->rkth_len = strlen(s) / 2 > 32 ? 48 : 32;
	return json_want_hex(&j, m->rkth, m->rkth_len, e);
}

/* --- nested members --------------------------------------------------------------------------- */

static int revisions_member(const struct json_at *at, struct manifest *m, struct err *e)
{
	struct json_at list = json_member(at, "revisions");

	if (json_want_array(&list, 1, MANIFEST_MAX_REVISIONS, &m->n_revisions, e) != 0)
		return -1;
	for (size_t i = 0; i < m->n_revisions; i++) {
		struct json_at item = json_item(&list, i);
		const char *s;
		if (json_want_string(&item, sizeof m->revisions[0] - 1, &s, e) != 0)
			return -1;
		if (!*s || strspn(s, LOWER_DIGITS) != strlen(s))
			return err_set(e, ERR_FORMAT, "%s: \"%s\", a revision like \"a1\" wanted",
				item.where, ESC(s));
		memcpy(m->revisions[i], s, strlen(s) + 1);
		for (size_t j = 0; j < i; j++)
			if (strcmp(m->revisions[j], s) == 0)
				return err_set(
					e, ERR_FORMAT, "%s: \"%s\" is there twice", item.where, s);
	}
	return 0;
}

static int lifecycle_value(const struct json_at *at, enum mboot_lifecycle *out, struct err *e)
{
	const char *s;

	if (json_want_string(at, 32, &s, e) != 0)
		return -1;
	if (mboot_lifecycle_parse(s, out) != 0 || *out == MBOOT_LC_UNKNOWN)
		return err_set(e, ERR_FORMAT, "%s: \"%s\", a life cycle like \"in-field\" wanted",
			at->where, ESC(s));
	return 0;
}

static int lifecycle_member(const struct json_at *at, struct manifest *m, struct err *e)
{
	static const char *const names[] = { "before", "after", NULL };
	struct json_at lc = json_member(at, "lifecycle");

	if (json_want_object(&lc, e) != 0 || json_only(&lc, names, e) != 0)
		return -1;
	struct json_at list = json_member(&lc, "before"), after = json_member(&lc, "after");
	if (json_want_array(&list, 1, MBOOT_LC_UNKNOWN, &m->n_before, e) != 0)
		return -1;
	for (size_t i = 0; i < m->n_before; i++) {
		struct json_at item = json_item(&list, i);
		if (lifecycle_value(&item, &m->before[i], e) != 0)
			return -1;
		for (size_t j = 0; j < i; j++)
			if (m->before[j] == m->before[i])
				return err_set(e, ERR_FORMAT, "%s: \"%s\" is there twice",
					item.where, mboot_lifecycle_name(m->before[i]));
	}
	return lifecycle_value(&after, &m->after, e);
}

static int interface_member(const struct json_at *at, struct manifest *m, struct err *e)
{
	static const char *const names[] = { "baud", NULL };
	struct json_at face = json_member(at, "interface");

	if (json_want_object(&face, e) != 0 || json_only(&face, names, e) != 0)
		return -1;
	struct json_at list = json_member(&face, "baud");
	if (json_want_array(&list, 1, MANIFEST_MAX_BAUDS, &m->n_bauds, e) != 0)
		return -1;
	for (size_t i = 0; i < m->n_bauds; i++) {
		struct json_at item = json_item(&list, i);
		int64_t v;
		if (json_want_int(&item, MANIFEST_BAUD_MIN, MANIFEST_BAUD_MAX, &v, e) != 0)
			return -1;
		m->bauds[i] = (uint32_t)v;
	}
	return 0;
}

static int policy_member(const struct json_at *at, struct manifest *m, struct err *e)
{
	static const char *const names[] = { "approvals", "requires_order", "erase_first",
		"require_attestation", NULL };
	struct json_at p = json_member(at, "policy");

	if (json_want_object(&p, e) != 0 || json_only(&p, names, e) != 0)
		return -1;
	struct json_at approvals = json_member(&p, "approvals");
	struct json_at order = json_member(&p, "requires_order");
	struct json_at erase = json_member(&p, "erase_first");
	struct json_at attest = json_member(&p, "require_attestation");
	int64_t k;
	if (json_want_int(&approvals, 1, MANIFEST_MAX_APPROVALS, &k, e) != 0 ||
		json_want_bool(&order, &m->requires_order, e) != 0 ||
		json_want_bool(&erase, &m->erase_first, e) != 0 ||
		json_want_bool(&attest, &m->require_attestation, e) != 0)
		return -1;
	m->approvals = (unsigned)k;
	return 0;
}

/* --- files ------------------------------------------------------------------------------------ */

static int file_item(const struct json_at *at, struct manifest_file *f, struct err *e)
{
	static const char *const names[] = { "path", "role", "size", "sha256", NULL };
	const char *path, *role;
	int64_t size;

	if (json_want_object(at, e) != 0 || json_only(at, names, e) != 0)
		return -1;
	struct json_at p = json_member(at, "path"), r = json_member(at, "role");
	struct json_at s = json_member(at, "size"), h = json_member(at, "sha256");
	if (json_want_string(&p, CONTAINER_NAME_MAX, &path, e) != 0)
		return -1;
	if (container_name_check(path, strlen(path), e) != 0)
		return err_wrap(e, "%s", p.where);
	if (json_want_string(&r, 32, &role, e) != 0)
		return -1;
	if (manifest_role_parse(&f->role, role) != 0)
		return err_set(e, ERR_FORMAT, "%s: \"%s\" is not a role", r.where, ESC(role));
	const char *folder = role_folders[f->role];
	if (f->role == ROLE_CHECKSUMS ? strcmp(path, "SHA256SUMS") != 0
				      : strncmp(path, folder, strlen(folder)) != 0)
		return err_set(e, ERR_FORMAT, "%s: role \"%s\" does not fit the path \"%s\"",
			r.where, role, path);
	if (json_want_int(&s, 0, (int64_t)CONTAINER_MAX_SIZE, &size, e) != 0 ||
		json_want_hex(&h, f->sha256, sizeof f->sha256, e) != 0)
		return -1;
	memcpy(f->path, path, strlen(path) + 1);
	f->size = (uint64_t)size;
	return 0;
}

static int files_member(const struct json_at *at, struct manifest *m, struct err *e)
{
	struct json_at list = json_member(at, "files");
	size_t count[N_ROLES] = { 0 };

	/* manifest.json itself and at least one signature are entries too. */
	if (json_want_array(&list, 1, CONTAINER_MAX_ENTRIES - 2, &m->n_files, e) != 0)
		return -1;
	for (size_t i = 0; i < m->n_files; i++) {
		struct json_at item = json_item(&list, i);
		if (file_item(&item, &m->files[i], e) != 0)
			return -1;
		count[m->files[i].role]++;
		for (size_t j = 0; j < i; j++)
			if (strcmp(m->files[j].path, m->files[i].path) == 0)
				return err_set(e, ERR_FORMAT, "%s: \"%s\" is listed twice",
					item.where, m->files[i].path);
	}
	static const struct {
		enum manifest_role role;
		size_t min, max;
		const char *wanted;
	} rules[] = {
		{ ROLE_PROVISIONING_SB, 0, 1, "at most one" },
		{ ROLE_IMAGE_SB, 1, CONTAINER_MAX_ENTRIES, "at least one" },
		{ ROLE_SCRIPT, 1, 1, "exactly one" },
		{ ROLE_CHECKSUMS, 1, 1, "exactly one" },
	};
	for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
		size_t n = count[rules[i].role];
		if (n < rules[i].min || n > rules[i].max)
			return err_set(e, ERR_FORMAT, "%s: %zu files with role \"%s\", %s wanted",
				list.where, n, role_names[rules[i].role], rules[i].wanted);
	}
	return 0;
}

static int script_member(const struct json_at *at, struct manifest *m, struct err *e)
{
	struct json_at s = json_member(at, "script");
	const char *path;

	if (json_want_string(&s, CONTAINER_NAME_MAX, &path, e) != 0)
		return -1;
	const struct manifest_file *f = manifest_file(m, path);
	if (!f)
		return err_set(
			e, ERR_FORMAT, "%s: \"%s\" is not among the files", s.where, ESC(path));
	if (f->role != ROLE_SCRIPT)
		return err_set(e, ERR_FORMAT, "%s: \"%s\" has role \"%s\", \"script\" wanted",
			s.where, path, role_names[f->role]);
	memcpy(m->script, f->path, sizeof m->script);
	return 0;
}

const struct manifest_file *manifest_file(const struct manifest *m, const char *path)
{
	for (size_t i = 0; i < m->n_files; i++)
		if (strcmp(m->files[i].path, path) == 0)
			return &m->files[i];
	return NULL;
}

/* --- the document ----------------------------------------------------------------------------- */

static int times_members(const struct json_at *at, struct manifest *m, struct err *e)
{
	struct json_at created = json_member(at, "created");
	struct json_at from = json_member(at, "not_before"), to = json_member(at, "expires");

	if (json_want_time(&created, &m->created, e) != 0 ||
		json_want_time(&from, &m->not_before, e) != 0 ||
		json_want_time(&to, &m->expires, e) != 0)
		return -1;
	if (m->expires <= m->not_before)
		return err_set(
			e, ERR_FORMAT, "%s: not later than not_before: never valid", to.where);
	return 0;
}

static int read_members(const struct json_at *at, struct manifest *m, struct err *e)
{
	static const char *const names[] = { "type", "format", "package_id", "product", "release",
		"sequence", "created", "not_before", "expires", "family", "revisions", "lifecycle",
		"rkth", "interface", "script", "min_runner", "policy", "files", NULL };
	struct json_at type = json_member(at, "type"), format = json_member(at, "format");
	struct json_at sequence = json_member(at, "sequence");
	const char *s;
	int64_t v;

	/* Type and format come first: what another format means cannot be judged here. */
	if (json_want_object(at, e) != 0 || json_want_string(&type, 64, &s, e) != 0)
		return -1;
	if (strcmp(s, "mfgpkg-manifest") != 0)
		return err_set(e, ERR_FORMAT, "%s: \"%s\", \"mfgpkg-manifest\" wanted", type.where,
			ESC(s));
	if (json_want_int(&format, 0, JSON_INT_MAX, &v, e) != 0)
		return -1;
	if (v != 1)
		return err_set(e, ERR_FORMAT, "%s: %lld, this program knows format 1", format.where,
			(long long)v);
	if (json_only(at, names, e) != 0 || uuid_member(at, m->package_id, e) != 0 ||
		product_member(at, m->product, e) != 0 || release_member(at, m->release, e) != 0 ||
		json_want_int(&sequence, 1, JSON_INT_MAX, &m->sequence, e) != 0 ||
		times_members(at, m, e) != 0 ||
		text_member(at, "family", LOWER_DIGITS, "a family like \"mcxn947\"", m->family,
			sizeof m->family, e) != 0 ||
		revisions_member(at, m, e) != 0 || lifecycle_member(at, m, e) != 0 ||
		rkth_member(at, m, e) != 0 || interface_member(at, m, e) != 0 ||
		policy_member(at, m, e) != 0 || files_member(at, m, e) != 0 ||
		script_member(at, m, e) != 0)
		return -1;
	if (text_member(at, "min_runner", "0123456789.", "a version like \"1.0.0\"", m->min_runner,
		    sizeof m->min_runner, e) != 0)
		return -1;
	if (!version_valid(m->min_runner))
		return err_set(e, ERR_FORMAT,
			"%s: min_runner: \"%s\", a version like \"1.0.0\" wanted", at->where,
			m->min_runner);
	return 0;
}

int manifest_parse(struct manifest *out, const void *text, size_t len, struct err *e)
{
	if (len > MANIFEST_MAX_SIZE)
		return err_set(e, ERR_LIMIT, CONTAINER_FIRST ": %zu bytes, at most %zu wanted", len,
			MANIFEST_MAX_SIZE);

	AUTO(json_freep) json_t *j = json_read(CONTAINER_FIRST, text, len, e);
	if (!j)
		return -1;
	struct manifest *m = calloc(1, sizeof *m);
	if (!m)
		return err_set(e, ERR_ENV, CONTAINER_FIRST ": out of memory");
	struct json_at root = json_root(CONTAINER_FIRST, j);
	int r = read_members(&root, m, e);
	if (r == 0)
		*out = *m;
	free(m);
	return r;
}

static json_t *string_list(const char *items, size_t size, size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, json_string(items + i * size));
	return list;
}

json_t *manifest_to_json(const struct manifest *m)
{
	char created[TIME_S_LEN + 1], from[TIME_S_LEN + 1], to[TIME_S_LEN + 1];
	char hex[2 * sizeof m->rkth + 1];
	json_t *before = json_array(), *bauds = json_array(), *files = json_array();

	for (size_t i = 0; i < m->n_before; i++)
		json_array_append_new(before, json_string(mboot_lifecycle_name(m->before[i])));
	for (size_t i = 0; i < m->n_bauds; i++)
		json_array_append_new(bauds, json_integer(m->bauds[i]));
	for (size_t i = 0; i < m->n_files; i++) {
		const struct manifest_file *f = &m->files[i];
		char digest[65];
		json_array_append_new(
			files, json_pack("{ss ss sI ss}", "path", f->path, "role",
				       role_names[f->role], "size", (json_int_t)f->size, "sha256",
				       hex_encode(digest, f->sha256, sizeof f->sha256)));
	}
	return json_pack("{ss si ss ss ss sI ss ss ss ss so s{so ss} ss s{so} ss ss"
			 " s{si sb sb sb} so}",
		"type", "mfgpkg-manifest", "format", 1, "package_id", m->package_id, "product",
		m->product, "release", m->release, "sequence", (json_int_t)m->sequence, "created",
		time_format_s(created, (time_t)m->created), "not_before",
		time_format_s(from, (time_t)m->not_before), "expires",
		time_format_s(to, (time_t)m->expires), "family", m->family, "revisions",
		string_list(m->revisions[0], sizeof m->revisions[0], m->n_revisions), "lifecycle",
		"before", before, "after", mboot_lifecycle_name(m->after), "rkth",
		hex_encode(hex, m->rkth, m->rkth_len), "interface", "baud", bauds, "script",
		m->script, "min_runner", m->min_runner, "policy", "approvals", (int)m->approvals,
		"requires_order", m->requires_order, "erase_first", m->erase_first,
		"require_attestation", m->require_attestation, "files", files);
}

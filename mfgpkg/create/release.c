#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fsio.h"
#include "base/json.h"
#include "base/text.h"
#include "family/family.h"
#include "mfgpkg/create/release.h"

static const char *const release_keys[] = { "product", "release", "sequence", "family", "revisions",
	"lifecycle", "validity", "interface", "policy", "min_runner", "mbi", "cmpa", "cfpa", "sb31",
	"devhsm", "provisioning_sb", "script", "docs", "data", "package_key", "workspace", NULL };

/* --- single values ---------------------------------------------------------------------------- */

/* copy_text - a required text of limited length and alphabet into a field of the manifest. */
static int copy_text(const struct config_node *map, const char *key, const char *alphabet,
	const char *wanted, char *out, size_t cap, struct err *e)
{
	const struct config_node *n;
	const char *s;

	if (config_need(map, key, &n, e) != 0 || config_str(n, &s, e) != 0)
		return -1;
	if (strlen(s) == 0 || strlen(s) >= cap || (alphabet && strspn(s, alphabet) != strlen(s)) ||
		!utf8_valid(s, strlen(s)))
		return config_error(
			n, e, "is '%s': wanted 1..%zu characters %s", ESC(s), cap - 1, wanted);
	snprintf(out, cap, "%s", s);
	return 0;
}

static int need_map(const struct config_node *root, const char *key, const struct config_node **out,
	struct err *e)
{
	if (config_need(root, key, out, e) != 0)
		return -1;
	if (config_kind(*out) != CONFIG_MAP)
		return config_error(*out, e, "is %s: wanted a map", config_kind_name(*out));
	return 0;
}

/* need_list - a key that holds a list of min..max items; a single value counts as one item. */
static int list_len(const struct config_node *n, size_t min, size_t max, const char *what,
	size_t *len, struct err *e)
{
	size_t count = config_kind(n) == CONFIG_LIST ? config_len(n) : 1;

	if (config_kind(n) == CONFIG_NULL)
		count = 0;
	if (config_kind(n) == CONFIG_MAP)
		return config_error(n, e, "is a map: wanted a list of %s", what);
	if (count < min || count > max)
		return config_error(
			n, e, "has %zu items: wanted %zu..%zu %s", count, min, max, what);
	*len = count;
	return 0;
}

static const struct config_node *list_at(const struct config_node *n, size_t i)
{
	return config_kind(n) == CONFIG_LIST ? config_at(n, i) : n;
}

/* read_number - a number in a range, with the range in the message. */
static int read_number(
	const struct config_node *n, uint64_t min, uint64_t max, uint64_t *out, struct err *e)
{
	uint64_t v;

	if (config_number(n, UINT64_MAX, &v, e) != 0)
		return -1;
	if (v < min || v > max)
		return config_error(n, e, "is %llu: wanted %llu..%llu", (unsigned long long)v,
			(unsigned long long)min, (unsigned long long)max);
	*out = v;
	return 0;
}

static int read_time(const struct config_node *n, int64_t *out, struct err *e)
{
	const char *s;
	time_t t;

	if (config_str(n, &s, e) != 0)
		return -1;
	if (time_parse_s(s, &t) != 0)
		return config_error(n, e,
			"is '%s': wanted a time in UTC, such as 2026-11-20T15:00:00Z", ESC(s));
	*out = t;
	return 0;
}

static int read_lifecycle(const struct config_node *n, enum mboot_lifecycle *out, struct err *e)
{
	const char *s;
	char known[160] = "";

	if (config_str(n, &s, e) != 0)
		return -1;
	if (mboot_lifecycle_parse(s, out) == 0 && *out != MBOOT_LC_UNKNOWN)
		return 0;
	for (int i = 0; i < MBOOT_LC_UNKNOWN; i++) {
		size_t at = strlen(known);
		snprintf(known + at, sizeof known - at, "%s%s", i ? ", " : "",
			mboot_lifecycle_name((enum mboot_lifecycle)i));
	}
	return config_error(n, e, "is '%s': wanted one of %s", ESC(s), known);
}

/* --- groups of keys --------------------------------------------------------------------------- */

static int read_identity(struct release *r, const struct config_node *root, struct err *e)
{
	struct manifest *m = &r->manifest;
	const struct config_node *n;
	uint64_t v;
	size_t count;

	if (copy_text(root, "product", "abcdefghijklmnopqrstuvwxyz0123456789._-", "a-z 0-9 . _ -",
		    m->product, sizeof m->product, e) != 0 ||
		copy_text(root, "release", NULL, "of text", m->release, sizeof m->release, e) != 0)
		return -1;

	if (config_need(root, "sequence", &n, e) != 0 || config_number(n, JSON_INT_MAX, &v, e) != 0)
		return -1;
	if (v == 0)
		return config_error(n, e, "is 0: wanted 1 or more, higher with every release");
	m->sequence = (int64_t)v;

	if (config_need(root, "family", &n, e) != 0)
		return -1;
	const char *name;
	if (config_str(n, &name, e) != 0)
		return -1;
	const struct family *f = family_find(name);
	if (!f)
		return config_error(
			n, e, "is '%s': wanted one of %s", ESC(name), family_names_list());
	snprintf(m->family, sizeof m->family, "%s", f->name);

	if (config_need(root, "revisions", &n, e) != 0 ||
		list_len(n, 1, MANIFEST_MAX_REVISIONS, "revisions", &count, e) != 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		const struct config_node *item = list_at(n, i);
		enum family_revision rev;
		const char *text;

		if (config_str(item, &text, e) != 0)
			return -1;
		if (family_revision_parse(f, text, &rev) != 0)
			return config_error(item, e, "is '%s': not a silicon revision of %s",
				ESC(text), m->family);
		for (size_t k = 0; k < i; k++)
			if (strcmp(m->revisions[k], family_revision_name(rev)) == 0)
				return config_error(item, e, "'%s' is listed twice", ESC(text));
		snprintf(m->revisions[i], sizeof m->revisions[i], "%s", family_revision_name(rev));
	}
	m->n_revisions = count;
	return 0;
}

static int read_lifecycles(struct release *r, const struct config_node *root, struct err *e)
{
	struct manifest *m = &r->manifest;
	const struct config_node *map, *n;
	size_t count;

	if (need_map(root, "lifecycle", &map, e) != 0 || config_need(map, "before", &n, e) != 0 ||
		list_len(n, 1, MBOOT_LC_UNKNOWN, "life cycles", &count, e) != 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		if (read_lifecycle(list_at(n, i), &m->before[i], e) != 0)
			return -1;
		for (size_t k = 0; k < i; k++)
			if (m->before[k] == m->before[i])
				return config_error(list_at(n, i), e, "'%s' is listed twice",
					mboot_lifecycle_name(m->before[i]));
	}
	m->n_before = count;
	if (config_need(map, "after", &n, e) != 0 || read_lifecycle(n, &m->after, e) != 0)
		return -1;
	for (size_t i = 0; i < count; i++)
		if (m->before[i] > m->after)
			return config_error(n, e,
				"is '%s', but devices may come in as '%s': there is "
				"no way back",
				mboot_lifecycle_name(m->after), mboot_lifecycle_name(m->before[i]));
	return 0;
}

static int read_validity(struct release *r, const struct config_node *root, struct err *e)
{
	const struct config_node *map = config_get(root, "validity"), *n;
	uint64_t days = RELEASE_DEFAULT_DAYS;

	r->days = RELEASE_DEFAULT_DAYS;
	if (!map)
		return 0;
	if (config_kind(map) != CONFIG_MAP)
		return config_error(map, e, "is %s: wanted a map with days, not_before, expires",
			config_kind_name(map));
	if ((n = config_get(map, "not_before"))) {
		if (read_time(n, &r->manifest.not_before, e) != 0)
			return -1;
		r->has_not_before = true;
	}
	if ((n = config_get(map, "expires"))) {
		if (config_get(map, "days"))
			return config_error(n, e, "and `days` are both given: wanted one of them");
		if (read_time(n, &r->manifest.expires, e) != 0)
			return -1;
		r->has_expires = true;
		if (r->has_not_before && r->manifest.expires <= r->manifest.not_before)
			return config_error(n, e, "is not after not_before");
	}
	if ((n = config_get(map, "days"))) {
		if (read_number(n, 1, RELEASE_MAX_DAYS, &days, e) != 0)
			return -1;
		r->days = (unsigned)days;
	}
	return 0;
}

static int read_interface(struct release *r, const struct config_node *root, struct err *e)
{
	static const uint32_t usual[] = { 921600, 115200 };
	struct manifest *m = &r->manifest;
	const struct config_node *map = config_get(root, "interface"), *n;
	size_t count;

	m->n_bauds = 2;
	memcpy(m->bauds, usual, sizeof usual);
	if (!map)
		return 0;
	if (config_kind(map) != CONFIG_MAP)
		return config_error(map, e, "is %s: wanted a map with baud", config_kind_name(map));
	if (!(n = config_get(map, "baud")))
		return 0;
	if (list_len(n, 1, MANIFEST_MAX_BAUDS, "line rates", &count, e) != 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		uint64_t v;

		if (read_number(list_at(n, i), MANIFEST_BAUD_MIN, MANIFEST_BAUD_MAX, &v, e) != 0)
			return -1;
		for (size_t k = 0; k < i; k++)
			if (m->bauds[k] == v)
				return config_error(list_at(n, i), e, "%llu is listed twice",
					(unsigned long long)v);
		m->bauds[i] = (uint32_t)v;
	}
	m->n_bauds = count;
	return 0;
}

static int read_policy(struct release *r, const struct config_node *root, struct err *e)
{
	struct manifest *m = &r->manifest;
	const struct config_node *map = config_get(root, "policy");
	uint64_t approvals = 1;

	if (map && config_kind(map) != CONFIG_MAP)
		return config_error(map, e,
			"is %s: wanted a map with approvals, requires_order, erase_first, "
			"require_attestation",
			config_kind_name(map));
	const struct config_node *n = config_get(map, "approvals");
	if ((n && read_number(n, 1, MANIFEST_MAX_APPROVALS, &approvals, e) != 0) ||
		config_bool_of(map, "requires_order", true, &m->requires_order, e) != 0 ||
		config_bool_of(map, "erase_first", true, &m->erase_first, e) != 0 ||
		config_bool_of(map, "require_attestation", false, &m->require_attestation, e) != 0)
		return -1;
	m->approvals = (unsigned)approvals;

	n = config_get(root, "min_runner");
	snprintf(m->min_runner, sizeof m->min_runner, "%s", RELEASE_MIN_RUNNER);
	if (n) {
		const char *v;

		if (config_str(n, &v, e) != 0)
			return -1;
		if (!version_valid(v) || strlen(v) >= sizeof m->min_runner)
			return config_error(
				n, e, "is '%s': wanted a version such as 1.0.0", ESC(v));
		snprintf(m->min_runner, sizeof m->min_runner, "%s", v);
	}
	return 0;
}

/* --- files ------------------------------------------------------------------------------------ */

static int optional_path(const struct config_node *root, const char *key, char **out, struct err *e)
{
	const struct config_node *n = config_get(root, key);

	return n ? config_path(n, out, e) : 0;
}

static int read_steps(struct release *r, const struct config_node *root, struct err *e)
{
	const struct config_node *n, *made = config_get(root, "devhsm"),
				     *ready = config_get(root, "provisioning_sb");
	const char *key;

	if (optional_path(root, "mbi", &r->mbi, e) != 0 || config_need(root, "sb31", &n, e) != 0 ||
		config_path(n, &r->sb31, e) != 0)
		return -1;
	if (made && ready)
		return config_error(ready, e,
			"and `devhsm` are both given: the provisioning SB3.1 is either made on a "
			"device or ready");
	if (optional_path(root, "devhsm", &r->devhsm, e) != 0 ||
		optional_path(root, "provisioning_sb", &r->provisioning_sb, e) != 0)
		return -1;

	/* The pages go into devices through the provisioning SB3.1. */
	if (made) {
		if (config_need(root, "cmpa", &n, e) != 0 || config_path(n, &r->cmpa, e) != 0 ||
			config_need(root, "cfpa", &n, e) != 0 || config_path(n, &r->cfpa, e) != 0)
			return -1;
	} else {
		for (int i = 0; i < 2; i++)
			if ((n = config_get(root, i ? "cfpa" : "cmpa")))
				return config_error(n, e,
					"without `devhsm`: a page gets into devices only through "
					"the "
					"provisioning SB3.1 that is made here");
	}
	if (config_need(root, "script", &n, e) != 0 || config_path(n, &r->script, e) != 0)
		return -1;
	snprintf(r->manifest.script, sizeof r->manifest.script, "%s", RELEASE_SCRIPT_PATH);

	/* A key may also be in a token: not a path then. */
	if (config_need(root, "package_key", &n, e) != 0 || config_str(n, &key, e) != 0)
		return -1;
	if (strncmp(key, "pkcs11:", 7) == 0)
		return config_error(
			n, e, "is a token: package keys are minisign secret key files (Ed25519)");
	return config_path(n, &r->package_key, e);
}

/* read_files - files that go along as they are, under FOLDER/NAME. */
static int read_files(struct release *r, const struct config_node *root, const char *key,
	enum manifest_role role, struct err *e)
{
	const struct config_node *n = config_get(root, key);
	size_t count;

	if (!n)
		return 0;
	if (list_len(n, 0, RELEASE_MAX_FILES - r->n_files, "files", &count, e) != 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		const struct config_node *item = list_at(n, i);
		struct release_file *f = &r->files[r->n_files];
		struct err why = { 0 };

		if (config_path(item, &f->path, e) != 0)
			return -1;
		r->n_files++; /* from here on release_clear() frees the path */
		int len = snprintf(f->name, sizeof f->name, "%s/%s", key, path_basename(f->path));
		if (len < 0 || (size_t)len >= sizeof f->name ||
			container_name_check(f->name, (size_t)len, &why) != 0)
			return config_error(item, e,
				"'%s' cannot be a name in a package: wanted a-z 0-9 . _ - (rename "
				"the "
				"file)",
				ESC(path_basename(f->path)));
		for (size_t k = 0; k + 1 < r->n_files; k++)
			if (strcmp(r->files[k].name, f->name) == 0)
				return config_error(item, e, "'%s' is listed twice", f->name);
		f->role = role;
	}
	return 0;
}

static int read_workspace(struct release *r, const struct config_node *root, struct err *e)
{
	const struct config_node *map = config_get(root, "workspace"), *n;

	if (!map)
		return 0;
	if (config_kind(map) != CONFIG_MAP)
		return config_error(
			map, e, "is %s: wanted a map with oem and name", config_kind_name(map));
	if (config_need(map, "oem", &n, e) != 0 || config_str(n, &r->oem, e) != 0 ||
		config_need(map, "name", &n, e) != 0 || config_str(n, &r->workspace, e) != 0)
		return -1;
	return 0;
}

/* warn_unknown - keys nobody reads, of the document and of its maps. */
static void warn_unknown(const struct config *doc, config_warn_fn warn, void *ctx)
{
	static const struct {
		const char *key;
		const char *known[8];
	} maps[] = {
		{ "lifecycle", { "before", "after", NULL } },
		{ "validity", { "not_before", "expires", "days", NULL } },
		{ "interface", { "baud", NULL } },
		{ "policy", { "approvals", "requires_order", "erase_first", "require_attestation",
				    NULL } },
		{ "workspace", { "oem", "name", NULL } },
	};

	config_warn_unused(doc, release_keys, warn, ctx);
	for (size_t i = 0; i < sizeof maps / sizeof maps[0]; i++) {
		const struct config_node *map = config_get(config_root(doc), maps[i].key);

		if (map)
			config_warn_unused_in(map, maps[i].known, warn, ctx);
	}
}

int release_load(
	struct release *out, const char *path, config_warn_fn warn, void *ctx, struct err *e)
{
	memset(out, 0, sizeof *out);
	if (config_load(&out->doc, path, e) != 0)
		return -1;
	out->dir = path_dirname(path);
	if (!out->dir)
		return err_set(e, ERR_ENV, "out of memory");

	const struct config_node *root = config_root(out->doc);
	if (read_identity(out, root, e) != 0 || read_lifecycles(out, root, e) != 0 ||
		read_validity(out, root, e) != 0 || read_interface(out, root, e) != 0 ||
		read_policy(out, root, e) != 0 || read_steps(out, root, e) != 0 ||
		read_files(out, root, "docs", ROLE_DOCUMENT, e) != 0 ||
		read_files(out, root, "data", ROLE_DATA, e) != 0 ||
		read_workspace(out, root, e) != 0)
		return -1;
	warn_unknown(out->doc, warn, ctx);
	return 0;
}

void release_clear(struct release *r)
{
	char **paths[] = { &r->dir, &r->mbi, &r->cmpa, &r->cfpa, &r->sb31, &r->devhsm,
		&r->provisioning_sb, &r->script, &r->package_key };

	for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
		free(*paths[i]);
	for (size_t i = 0; i < r->n_files; i++)
		free(r->files[i].path);
	config_free(r->doc);
	memset(r, 0, sizeof *r);
}

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/fsio.h"
#include "base/text.h"
#include "image/cert_block.h"
#include "mfgpkg/build/cert_block_build.h"
#include "mfgpkg/build/pfr_build.h"
#include "mfgpkg/build/register_values.h"

/* --- what every configuration of this kind begins with ---------------------------------------- */

static int read_family(const struct config_node *root, const struct family **f,
	enum family_revision *rev, struct err *e)
{
	const struct config_node *n;
	const char *text;

	if (config_need(root, "family", &n, e) != 0 || config_str(n, &text, e) != 0)
		return -1;
	const struct family *found = family_find(text);
	if (!found)
		return config_error(
			n, e, "unknown family \"%s\" (known: %s)", ESC(text), family_names_list());
	*f = found;
	if (config_str_of(root, "revision", "latest", &text, e) != 0)
		return -1;
	if (family_revision_parse(found, text, rev) != 0)
		return config_error(config_get(root, "revision"), e,
			"unknown revision \"%s\" (a0, a1 or latest)", ESC(text));
	return 0;
}

static int read_type(const struct config_node *root, enum family_page_id *id, struct err *e)
{
	const struct config_node *n;
	const char *text;

	if (config_need(root, "type", &n, e) != 0 || config_str(n, &text, e) != 0)
		return -1;
	if (strcmp(text, "CMPA") == 0 || strcmp(text, "cmpa") == 0)
		*id = FAMILY_CMPA;
	else if (strcmp(text, "CFPA") == 0 || strcmp(text, "cfpa") == 0)
		*id = FAMILY_CFPA;
	else
		return config_error(n, e, "\"%s\" is neither CMPA nor CFPA", ESC(text));
	return 0;
}

/* --- pages ---------------------------------------------------------------------------------- */

struct lint_target {
	const struct config *c;
	const struct pfr_build *b;
};

static void lint_line(void *ctx, bool dangerous, const char *text)
{
	const struct lint_target *t = ctx;
	char line[600];

	(void)dangerous;
	snprintf(line, sizeof line, "%s: %s", config_name(t->c), text);
	t->b->warn(t->b->warn_ctx, line);
}

static void put_seal(const struct family_page *page, uint8_t *data)
{
	for (unsigned i = 0; i < page->seal_words; i++)
		memcpy(data + page->seal_offset + 4 * i, PFR_SEAL, 4);
}

int pfr_build(
	const struct config *c, const struct pfr_build *b, struct pfr_page *out, struct err *e)
{
	static const char *const known[] = { "family", "revision", "type", "settings", NULL };
	const struct config_node *root = config_root(c), *settings;
	struct pfr_page page = { 0 };

	if (read_family(root, &page.family, &page.revision, e) != 0 ||
		read_type(root, &page.id, e) != 0 ||
		config_need(root, "settings", &settings, e) != 0)
		return -1;
	const struct family_page *table = &page.family->tables->pages[page.id];
	struct register_values v = {
		.what = page.id == FAMILY_CMPA ? "CMPA register" : "CFPA register",
		.regs = table->rev[page.revision].registers,
		.n = FAMILY_PAGE_WORDS,
		.groups = table->rev[page.revision].groups,
		.n_groups = table->rev[page.revision].n_groups,
		.warn = b->warn,
		.warn_ctx = b->warn_ctx,
	};
	if (register_values_read(&v, settings, e) != 0)
		return -1;
	for (size_t i = 0; i < FAMILY_PAGE_WORDS; i++)
		put_le32(page.data + 4 * i, v.words[i]);

	/* Keys win over a ROTKH in the configuration; after a 32-byte hash the rest is zero. */
	if (b->rkth && page.id == FAMILY_CMPA) {
		memset(page.data + CMPA_ROTKH_OFF, 0, CMPA_ROTKH_LEN);
		memcpy(page.data + CMPA_ROTKH_OFF, b->rkth, b->rkth_len);
	}
	if (b->seal)
		put_seal(table, page.data);

	if (b->warn) {
		struct lint_target t = { c, b };
		config_warn_unused(c, known, b->warn, b->warn_ctx);
		pfr_lint(page.family, page.revision, page.id == FAMILY_CMPA ? page.data : NULL,
			page.id == FAMILY_CFPA ? page.data : NULL, lint_line, &t);
	}
	*out = page;
	return 0;
}

/* --- ROTKH ---------------------------------------------------------------------------------- */

int pfr_rkth_of_keys(struct keystore *ks, const char *const *keys, size_t n, uint8_t rkth[48],
	size_t *len, struct err *e)
{
	struct ecc_pub pubs[CERT_BLOCK_MAX_ROOTS];

	if (n == 0 || n > CERT_BLOCK_MAX_ROOTS)
		return err_set(e, ERR_CONFIG, "%zu root keys given, a device has 1 to %d", n,
			CERT_BLOCK_MAX_ROOTS);
	for (size_t i = 0; i < n; i++)
		if (keystore_pub(ks, keys[i], &pubs[i], e) != 0)
			return -1;
	return rkth_of_keys(pubs, n, rkth, len, e);
}

int pfr_rkth_of_config(
	struct keystore *ks, const char *path, uint8_t rkth[48], size_t *len, struct err *e)
{
	AUTO(buf_clear) struct buf data = { 0 };
	AUTO(config_freep) struct config *c = NULL;

	if (fsio_read(path, CONFIG_MAX_SIZE, &data, e) != 0)
		return -1;
	/* An image configuration names its certificate block, everything else is one. */
	bool binary = data.len >= 4 && memcmp(data.p, "chdr", 4) == 0;
	if (!binary && config_load_bytes(&c, path, data.p, data.len, e) != 0)
		return -1;
	const struct config_node *cert = c ? config_get(config_root(c), "certBlock") : NULL;
	if (!cert)
		return cert_block_rkth(path, ks, rkth, len, e);
	AUTO(str_freep) char *cert_path = NULL;
	if (config_path(cert, &cert_path, e) != 0)
		return -1;
	if (cert_block_rkth(cert_path, ks, rkth, len, e) != 0)
		return err_wrap(e, "%s: certBlock", path);
	return 0;
}

/* --- fuses ---------------------------------------------------------------------------------- */

static void warn_fuse(const struct register_values *v, const struct family *f, size_t i)
{
	const struct family_register *r = &v->regs[i];
	uint32_t word = v->words[i];

	if (!v->warn || r->offset != 1)
		return;
	uint32_t state = word & 0xFF, copy = word >> 24;
	const char *name = family_enum_name(&f->tables->lifecycle, state);
	if (state != copy)
		config_warn(v->given[i], v->warn, v->warn_ctx,
			"the two copies of the life cycle differ: 0x%02" PRIX32 " and 0x%02" PRIX32,
			state, copy);
	if (!name)
		config_warn(v->given[i], v->warn, v->warn_ctx,
			"0x%02" PRIX32 " is not a life cycle state", state);
	else if (state != 0 && state != 0x03)
		config_warn(v->given[i], v->warn, v->warn_ctx,
			"burns the life cycle %s: it cannot be undone", name);
}

int fuses_build(
	const struct config *c, struct buf *script, config_warn_fn warn, void *ctx, struct err *e)
{
	static const char *const known[] = { "family", "revision", "registers", NULL };
	const struct config_node *root = config_root(c), *registers;
	const struct family *f;
	enum family_revision rev;

	if (read_family(root, &f, &rev, e) != 0 ||
		config_need(root, "registers", &registers, e) != 0)
		return -1;
	struct register_values v = {
		.what = "fuse",
		.regs = f->tables->fuses,
		.n = f->tables->n_fuses,
		.warn = warn,
		.warn_ctx = ctx,
	};
	if (register_values_read(&v, registers, e) != 0)
		return -1;
	wr_printf(script, "# Fuses of %s, revision %s. Fuses are burnt for ever.\n", f->name,
		family_revision_name(rev));
	for (size_t i = 0; i < v.n; i++) {
		const struct family_register *r = &v.regs[i];
		if (!v.given[i])
			continue;
		warn_fuse(&v, f, i);
		wr_printf(script, "# %s%s\n", r->name,
			r->ecc ? " (can be written only once, as a whole word)" : "");
		wr_printf(script, "efuse-program-once %" PRIu32 " 0x%" PRIX32 " --no-verify\n",
			r->offset, v.words[i]);
	}
	if (warn)
		config_warn_unused(c, known, warn, ctx);
	return buf_check(script, "fuse script", e);
}

/* --- YAML output ---------------------------------------------------------------------------- */

/* Words that YAML 1.1 reads as text without quotes; everything else gets quotes. */
static bool plain_safe(const char *s)
{
	static const char *const words[] = { "true", "false", "yes", "no", "on", "off", "null", "y",
		"n", "x", NULL };

	if (!((*s >= 'A' && *s <= 'Z') || (*s >= 'a' && *s <= 'z') || *s == '_'))
		return false;
	for (size_t i = 0; words[i]; i++)
		if (strcasecmp(s, words[i]) == 0)
			return false;
	return s[strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")] ==
	       0;
}

static void yaml_scalar(struct buf *out, const char *s)
{
	if (plain_safe(s)) {
		wr_str(out, s);
		return;
	}
	wr_str(out, "'");
	for (; *s; s++)
		wr_bytes(out, *s == '\'' ? "''" : s, *s == '\'' ? 2 : 1);
	wr_str(out, "'");
}

static void yaml_map(struct buf *out, json_t *map, unsigned depth)
{
	const char *key;
	json_t *value;

	json_object_foreach(map, key, value)
	{
		wr_printf(out, "%*s", (int)(2 * depth), "");
		yaml_scalar(out, key);
		wr_str(out, ":");
		if (!json_is_object(value)) {
			wr_str(out, " ");
			yaml_scalar(out, json_string_value(value));
			wr_str(out, "\n");
		} else if (json_object_size(value) == 0) {
			wr_str(out, " {}\n");
		} else {
			wr_str(out, "\n");
			yaml_map(out, value, depth + 1);
		}
	}
}

int pfr_yaml(json_t *doc, struct buf *out, struct err *e)
{
	yaml_map(out, doc, 0);
	return buf_check(out, "configuration", e);
}

/* mfgpkg pfr export|parse|verify and fuses export: configuration pages and fuse scripts. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fsio.h"
#include "base/json.h"
#include "base/text.h"
#include "keyed/passphrase.h"
#include "mfgpkg/build/pfr_build.h"
#include "mfgpkg/commands.h"
#include "mfgpkg/output.h"

#define OPT_FAMILY                                                                                 \
	{                                                                                          \
		"family", 0, CLI_STRING, "NAME", "part (default mcxn947)", false                   \
	}
#define OPT_REVISION                                                                               \
	{                                                                                          \
		"revision", 0, CLI_STRING, "REV", "silicon: a0, a1 or latest (default)", false     \
	}

/* --- pfr export ------------------------------------------------------------------------------- */

static int export_rkth(const struct cli *c, uint8_t rkth[48], size_t *len, struct err *e)
{
	struct cli_list keys = cli_list(c, "rot-key");
	const char *rot_config = cli_string(c, "rot-config", NULL);
	AUTO(keystore_freep) struct keystore *ks = NULL;

	*len = 0;
	if (!keys.n && !rot_config)
		return 0;
	if (keys.n && rot_config)
		return cli_usage(e, c, "give either -k or --rot-config");
	if (keystore_new(&ks, c, e) != 0)
		return -1;
	return keys.n ? pfr_rkth_of_keys(ks, keys.v, keys.n, rkth, len, e)
		      : pfr_rkth_of_config(ks, rot_config, rkth, len, e);
}

static int pfr_export(const struct cli *c, struct err *e)
{
	const char *config = cli_string(c, "config", NULL), *out = cli_string(c, "output", NULL);
	AUTO(config_freep) struct config *doc = NULL;
	AUTO(workspace_freep) struct workspace *ws = NULL;
	struct pfr_page page;
	uint8_t rkth[48];
	size_t rkth_len;

	if (!config || !out)
		return cli_usage(e, c, "-c and -o are required");
	if (config_load(&doc, config, e) != 0 || export_rkth(c, rkth, &rkth_len, e) != 0)
		return -1;
	struct pfr_build b = {
		.rkth = rkth_len ? rkth : NULL,
		.rkth_len = rkth_len,
		.seal = cli_flag(c, "seal"),
		.warn = config_warn_cli,
		.warn_ctx = (void *)(uintptr_t)c,
	};
	if (workspace_open_near(&ws, c, out, e) != 0 || pfr_build(doc, &b, &page, e) != 0)
		return -1;
	if (rkth_len && page.id == FAMILY_CFPA)
		cli_warn(c, "root keys have no meaning for CFPA and are not used");
	if (output_write(out, page.data, PFR_PAGE_SIZE, 0644, e) != 0)
		return -1;
	return output_record(ws, page.id == FAMILY_CMPA ? "cmpa" : "cfpa", config, out, page.data,
		PFR_PAGE_SIZE, NULL, e);
}

const struct cli_command oem_cmd_pfr_export = {
	.name = "pfr export",
	.operands = "",
	.summary = "make a CMPA or CFPA page from its configuration",
	.options =
		(const struct cli_option[]){
			{ "config", 'c', CLI_STRING, "FILE", "configuration (YAML or JSON)",
				false },
			{ "output", 'o', CLI_STRING, "FILE", "where to write the 512 bytes",
				false },
			{ "rot-key", 'k', CLI_LIST, "FILE",
				"root key whose hash goes into ROTKH; up to four, in order",
				false },
			{ "rot-config", 0, CLI_STRING, "FILE",
				"take the root keys from an image or certificate block "
				"configuration, or a binary certificate block",
				false },
			{ "seal", 0, CLI_FLAG, NULL, "put the SEAL mark where CRC or CMAC stand",
				false },
			WORKSPACE_OPTION,
			PASSPHRASE_OPTIONS,
			{ 0 },
		},
	.run = pfr_export,
};

/* --- reading pages back ----------------------------------------------------------------------- */

static int family_options(
	const struct cli *c, const struct family **f, enum family_revision *rev, struct err *e)
{
	const char *name = cli_string(c, "family", "mcxn947");
	const char *revision = cli_string(c, "revision", "latest");

	*f = family_find(name);
	if (!*f)
		return cli_usage(
			e, c, "unknown family \"%s\" (known: %s)", ESC(name), family_names_list());
	if (family_revision_parse(*f, revision, rev) != 0)
		return cli_usage(e, c, "unknown revision \"%s\" (a0, a1 or latest)", ESC(revision));
	return 0;
}

/* A page file; `type` NULL: which page it is shows by its marker. */
static int read_page(const struct family *f, const char *path, const char *type,
	uint8_t data[PFR_PAGE_SIZE], enum family_page_id *id, struct err *e)
{
	AUTO(buf_clear) struct buf file = { 0 };

	if (fsio_read(path, 1 << 20, &file, e) != 0)
		return -1;
	*id = FAMILY_CMPA;
	if (type ? strcasecmp(type, "cfpa") == 0
		 : file.len >= 4 && get_le32(file.p) >> 16 == CFPA_MARKER)
		*id = FAMILY_CFPA;
	if (pfr_check(&f->tables->pages[*id], file.p, file.len, e) != 0)
		return err_wrap(e, "%s", path);
	memcpy(data, file.p, PFR_PAGE_SIZE);
	return 0;
}

static int pfr_parse(const struct cli *c, struct err *e)
{
	const char *type = cli_string(c, "type", NULL), *out = cli_string(c, "output", NULL);
	const struct family *f;
	enum family_revision rev;
	enum family_page_id id;
	uint8_t data[PFR_PAGE_SIZE];

	if (type && strcasecmp(type, "cmpa") != 0 && strcasecmp(type, "cfpa") != 0)
		return cli_usage(e, c, "--type is cmpa or cfpa, not \"%s\"", ESC(type));
	if (family_options(c, &f, &rev, e) != 0 ||
		read_page(f, c->operands.v[0], type, data, &id, e) != 0)
		return -1;
	AUTO(json_freep) json_t *doc = pfr_json(f, rev, id, data, cli_flag(c, "diff"));
	AUTO(buf_clear) struct buf text = { 0 };
	if (!doc)
		return err_set(e, ERR_ENV, "out of memory");
	if (c->json && !out)
		return json_print(doc, e);
	if ((c->json ? json_line(doc, &text, e) : pfr_yaml(doc, &text, e)) != 0)
		return -1;
	if (out)
		return output_write(out, text.p, text.len, 0644, e);
	fwrite(text.p, 1, text.len, stdout);
	return 0;
}

const struct cli_command oem_cmd_pfr_parse = {
	.name = "pfr parse",
	.operands = "FILE",
	.min_operands = 1,
	.max_operands = 1,
	.summary = "explain a CMPA or CFPA page: the configuration that makes it",
	.options =
		(const struct cli_option[]){
			{ "type", 0, CLI_STRING, "PAGE",
				"cmpa or cfpa (default: what its marker says)", false },
			OPT_FAMILY,
			OPT_REVISION,
			{ "diff", 0, CLI_FLAG, NULL, "only what differs from an unwritten page",
				false },
			{ "output", 'o', CLI_STRING, "FILE", "write to FILE instead of stdout",
				false },
			{ 0 },
		},
	.run = pfr_parse,
};

/* --- pfr verify ------------------------------------------------------------------------------- */

struct findings {
	json_t *wrong, *final; /* arrays of sentences */
};

static void collect(void *ctx, bool dangerous, const char *text)
{
	struct findings *f = ctx;
	json_array_append_new(dangerous ? f->final : f->wrong, json_string(text));
}

static int check_rkth(
	const struct cli *c, const uint8_t *cmpa, struct findings *found, struct err *e)
{
	const char *hex = cli_string(c, "rkth", NULL);
	uint8_t want[CMPA_ROTKH_LEN] = { 0 };

	if (!hex)
		return 0;
	size_t len = strlen(hex) / 2;
	if ((len != 32 && len != 48) || hex_decode(want, len, hex) != 0)
		return cli_usage(e, c, "--rkth: 64 or 96 hex digits are wanted");
	if (!cmpa)
		return cli_usage(e, c, "--rkth needs a CMPA page");
	if (memcmp(cmpa + CMPA_ROTKH_OFF, want, CMPA_ROTKH_LEN) != 0)
		collect(found, false, "ROTKH is not the RKTH given with --rkth");
	return 0;
}

static int pfr_verify(const struct cli *c, struct err *e)
{
	uint8_t data[FAMILY_N_PAGES][PFR_PAGE_SIZE];
	bool have[FAMILY_N_PAGES] = { false };
	const struct family *f;
	enum family_revision rev;

	if (family_options(c, &f, &rev, e) != 0)
		return -1;
	for (size_t i = 0; i < c->operands.n; i++) {
		uint8_t page[PFR_PAGE_SIZE];
		enum family_page_id id;
		if (read_page(f, c->operands.v[i], NULL, page, &id, e) != 0)
			return -1;
		if (have[id])
			return cli_usage(e, c, "%s: a second %s page", c->operands.v[i],
				f->tables->pages[id].name);
		have[id] = true;
		memcpy(data[id], page, PFR_PAGE_SIZE);
	}
	const uint8_t *cmpa = have[FAMILY_CMPA] ? data[FAMILY_CMPA] : NULL;
	const uint8_t *cfpa = have[FAMILY_CFPA] ? data[FAMILY_CFPA] : NULL;
	AUTO(json_freep) json_t *report = json_object();
	struct findings found = { json_array(), json_array() };
	json_object_set_new(report, "findings", found.wrong);
	json_object_set_new(report, "irreversible", found.final);
	pfr_lint(f, rev, cmpa, cfpa, collect, &found);
	if (check_rkth(c, cmpa, &found, e) != 0)
		return -1;

	size_t i;
	json_t *line;
	if (c->json && json_print(report, e) != 0)
		return -1;
	if (!c->json) {
		json_array_foreach(found.wrong, i, line)
			printf("wrong: %s\n", json_string_value(line));
		json_array_foreach(found.final, i, line)
			printf("irreversible: %s\n", json_string_value(line));
	}
	size_t n = json_array_size(found.wrong);
	if (n)
		return err_set(e, ERR_REJECTED, "%zu thing%s wrong in the page%s", n,
			n == 1 ? "" : "s", c->operands.n == 1 ? "" : "s");
	if (!c->json && c->verbosity >= 0)
		printf("ok: markers, inverse halves, debug rights, secure boot%s\n",
			cmpa && cfpa ? ", both pages together" : "");
	return 0;
}

const struct cli_command oem_cmd_pfr_verify = {
	.name = "pfr verify",
	.operands = "FILE [FILE]",
	.min_operands = 1,
	.max_operands = 2,
	.summary = "check a CMPA and/or CFPA page for settings no device should get",
	.options =
		(const struct cli_option[]){
			OPT_FAMILY,
			OPT_REVISION,
			{ "rkth", 0, CLI_STRING, "HEX", "ROTKH must be this", false },
			{ 0 },
		},
	.run = pfr_verify,
};

/* --- fuses ------------------------------------------------------------------------------------ */

static int fuses_export(const struct cli *c, struct err *e)
{
	const char *config = cli_string(c, "config", NULL), *out = cli_string(c, "output", NULL);
	AUTO(config_freep) struct config *doc = NULL;
	AUTO(buf_clear) struct buf script = { 0 };

	if (!config)
		return cli_usage(e, c, "-c is required");
	if (config_load(&doc, config, e) != 0 ||
		fuses_build(doc, &script, config_warn_cli, (void *)(uintptr_t)c, e) != 0)
		return -1;
	if (out)
		return output_write(out, script.p, script.len, 0644, e);
	fwrite(script.p, 1, script.len, stdout);
	return 0;
}

const struct cli_command oem_cmd_fuses_export = {
	.name = "fuses export",
	.operands = "",
	.summary = "make a blhost script that burns the fuses of a configuration",
	.options =
		(const struct cli_option[]){
			{ "config", 'c', CLI_STRING, "FILE", "configuration (YAML or JSON)",
				false },
			{ "output", 'o', CLI_STRING, "FILE", "write to FILE instead of stdout",
				false },
			{ 0 },
		},
	.run = fuses_export,
};

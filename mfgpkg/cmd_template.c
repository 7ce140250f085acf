/* mfgpkg template: commented configurations to start from. */
#include <stdio.h>

#include "base/fsio.h"
#include "base/json.h"
#include "base/text.h"
#include "mfgpkg/commands.h"
#include "mfgpkg/config.h"
#include "mfgpkg/template/template.h"

static int list_kinds(const struct cli *c, struct err *e)
{
	AUTO(json_freep) json_t *list = json_array();
	const struct template_kind *k;

	for (size_t i = 0; (k = template_at(i)) != NULL; i++) {
		if (!c->json)
			printf("%-12s %s\n", k->name, k->summary);
		json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "name", k->name, "file",
						    k->file, "summary", k->summary));
	}
	return c->json ? json_print(list, e) : 0;
}

static int unknown_kind(const struct cli *c, const char *name, struct err *e)
{
	const char *names[32] = { 0 };
	char list[300];
	size_t o = 0;

	for (size_t i = 0; template_at(i) && i < 31; i++) {
		names[i] = template_at(i)->name;
		o += (size_t)snprintf(list + o, sizeof list - o, "%s%s", i ? ", " : "", names[i]);
	}
	const char *nearest = config_nearest(name, names);
	if (nearest)
		return cli_usage(
			e, c, "no template \"%s\", did you mean \"%s\"?", ESC(name), nearest);
	return cli_usage(e, c, "no template \"%s\" (there are %s)", ESC(name), list);
}

static int template_cmd(const struct cli *c, struct err *e)
{
	const char *out = cli_string(c, "output", NULL);
	const char *family = cli_string(c, "family", "mcxn947");
	const char *revision = cli_string(c, "revision", "latest");
	AUTO(buf_clear) struct buf text = { 0 };
	enum family_revision rev;

	if (c->operands.n == 0)
		return list_kinds(c, e);
	const struct template_kind *k = template_find(c->operands.v[0]);
	if (!k)
		return unknown_kind(c, c->operands.v[0], e);
	const struct family *f = family_find(family);
	if (!f)
		return cli_usage(e, c, "unknown family \"%s\" (known: %s)", ESC(family),
			family_names_list());
	if (family_revision_parse(f, revision, &rev) != 0)
		return cli_usage(e, c, "unknown revision \"%s\" (a0, a1 or latest)", ESC(revision));
	if (template_write(k, f, rev, &text, e) != 0)
		return -1;
	if (out)
		return fsio_write_new(out, text.p, text.len, 0644, e);
	fwrite(text.p, 1, text.len, stdout);
	return 0;
}

const struct cli_command oem_cmd_template = {
	.name = "template",
	.operands = "[NAME]",
	.min_operands = 0,
	.max_operands = 1,
	.summary = "print a commented configuration; without NAME: which there are",
	.options =
		(const struct cli_option[]){
			{ "family", 0, CLI_STRING, "NAME", "part (default mcxn947)", false },
			{ "revision", 0, CLI_STRING, "REV", "silicon: a0, a1 or latest (default)",
				false },
			{ "output", 'o', CLI_STRING, "FILE", "write a new file instead of stdout",
				false },
			{ 0 },
		},
	.run = template_cmd,
};

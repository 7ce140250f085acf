#include <string.h>

#include "mfgpkg/template/template.h"

static const struct template_kind kinds[] = {
	{ "cert-block", "cert_block.yaml", "root keys, and which of them signs",
		template_text_cert_block, NULL },
	{ "cfpa", "cfpa.yaml", "in-field configuration page", NULL, template_cfpa },
	{ "cmpa", "cmpa.yaml", "factory configuration page: boot, debug, ROTKH", NULL,
		template_cmpa },
	{ "devhsm", "devhsm.yaml", "provisioning SB3.1, made on a connected device",
		template_text_devhsm, NULL },
	{ "fuses", "fuses.yaml", "fuse words", NULL, template_fuses },
	{ "mbi", "mbi.yaml", "master boot image", template_text_mbi, NULL },
	{ "order", "order.yaml", "production order", template_text_order, NULL },
	{ "release", "release.yaml", "what goes into a manufacturing package",
		template_text_release, NULL },
	{ "sb31", "sb31.yaml", "SB3.1 container with the firmware", template_text_sb31, NULL },
	{ "trustzone", "trustzone.yaml", "TrustZone preset of an image", NULL, template_trustzone },
};

const struct template_kind *template_at(size_t i)
{
	return i < sizeof kinds / sizeof *kinds ? &kinds[i] : NULL;
}

const struct template_kind *template_find(const char *name)
{
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (strcmp(kinds[i].name, name) == 0)
			return &kinds[i];
	return NULL;
}

static void write_text(
	const char *text, const struct family *f, enum family_revision rev, struct buf *out)
{
	static const char family[] = "@FAMILY@", revision[] = "@REVISION@";

	while (*text) {
		const char *at = strchr(text, '@');
		size_t n = at ? (size_t)(at - text) : strlen(text);
		wr_bytes(out, text, n);
		text += n;
		if (strncmp(text, family, sizeof family - 1) == 0) {
			wr_str(out, f->name);
			text += sizeof family - 1;
		} else if (strncmp(text, revision, sizeof revision - 1) == 0) {
			wr_str(out, family_revision_name(rev));
			text += sizeof revision - 1;
		} else if (*text) {
			wr_bytes(out, text++, 1);
		}
	}
}

int template_write(const struct template_kind *kind, const struct family *f,
	enum family_revision rev, struct buf *out, struct err *e)
{
	if (kind->text)
		write_text(kind->text, f, rev, out);
	else
		kind->write(f, rev, out);
	return buf_check(out, kind->file, e);
}

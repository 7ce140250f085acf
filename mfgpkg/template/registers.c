/* Templates of pages, fuses and TrustZone presets, from the tables. Everything but a start is
 * commented out: taking the "#" away gives the reset values with the possible ones beside them. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "mfgpkg/build/trustzone.h"
#include "mfgpkg/template/template.h"

/* Fields whose names need quotes in YAML (fuse fields have a bit range). */
static void put_key(struct buf *out, const char *name)
{
	if (strpbrk(name, "[]:#, "))
		wr_printf(out, "'%s'", name);
	else
		wr_str(out, name);
}

static void put_choices(struct buf *out, const struct family_field *f)
{
	if (f->shift_right)
		wr_printf(out, "   # an address; its low %u bits are dropped", f->shift_right);
	if (!f->values || f->values->n == 0)
		return;
	wr_str(out, "   #");
	for (size_t i = 0; i < f->values->n; i++)
		wr_printf(out, "%s %s", i ? " |" : "", f->values->values[i].name);
}

/* Names with blanks or digits first would not be read back as the text they are. */
static bool is_plain_word(const char *s)
{
	return ((*s >= 'A' && *s <= 'Z') || (*s >= 'a' && *s <= 'z')) && !strpbrk(s, ":#,'");
}

static void put_field(
	struct buf *out, const char *lead, const struct family_field *f, uint32_t reset)
{
	uint32_t v = (reset & family_field_mask(f)) >> f->lsb;
	const char *name = f->shift_right ? NULL : family_enum_name(f->values, v);

	wr_printf(out, "%s    ", lead);
	put_key(out, f->name);
	if (name && is_plain_word(name))
		wr_printf(out, ": %s", name);
	else
		wr_printf(out, ": 0x%0*" PRIX32, (int)(f->width / 4), v << f->shift_right);
	put_choices(out, f);
	wr_str(out, "\n");
}

/* One register with its reset values. Markers, computed halves and reserved bits are nobody's to
 * set. */
static void put_register(struct buf *out, const char *lead, const struct family_register *r)
{
	bool any = false;

	for (size_t i = 0; i < r->n_fields; i++)
		any |= r->fields[i].name != NULL;
	wr_printf(out, "%s  ", lead);
	put_key(out, r->name);
	if (!any) {
		wr_printf(out, ": 0x%08" PRIX32 "\n", r->reset);
		return;
	}
	wr_printf(out, ":%s\n", r->ecc ? "   # written once only, as a whole word" : "");
	for (size_t i = 0; i < r->n_fields; i++) {
		const struct family_field *f = &r->fields[i];
		if (f->name && !f->is_const && f->calc == FAMILY_CALC_NONE)
			put_field(out, lead, f, r->reset);
	}
}

static bool in_group(const struct family_page *page, enum family_revision rev, uint32_t offset)
{
	for (size_t i = 0; i < page->rev[rev].n_groups; i++) {
		const struct family_group *g = &page->rev[rev].groups[i];
		if (offset >= g->offset && offset - g->offset < g->len)
			return true;
	}
	return false;
}

static void put_page(struct buf *out, const struct family *f, enum family_revision rev,
	enum family_page_id id, const char *active)
{
	const struct family_page *page = &f->tables->pages[id];

	wr_printf(out, "family: %s\nrevision: %s\ntype: %s\nsettings:\n", f->name,
		family_revision_name(rev), id == FAMILY_CMPA ? "CMPA" : "CFPA");
	wr_str(out, active);
	wr_str(out,
		"\n# All settings with the values of an unwritten page. A register is a number\n"
		"# (the whole word) or a map of fields; a register that is named with fields gets\n"
		"# its inverse half computed. Words the ROM owns are left out.\n");
	for (unsigned i = 0; i < FAMILY_PAGE_WORDS; i++) {
		const struct family_register *r = &page->rev[rev].registers[i];
		if (!r->reserved && !r->read_only && !in_group(page, rev, r->offset))
			put_register(out, "#", r);
	}
}

void template_cmpa(const struct family *f, enum family_revision rev, struct buf *out)
{
	wr_str(out, "# CMPA: what the ROM does at every boot. Written once, in production.\n"
		    "#   mfgpkg pfr export -c cmpa.yaml --rot-config cert_block.yaml -o cmpa.bin\n"
		    "# ROTKH comes from the root keys (--rot-config or -k); create puts it in by "
		    "itself.\n");
	put_page(out, f, rev, FAMILY_CMPA,
		rev == FAMILY_REV_A0
			? "  BOOT_CFG:\n"
			  "    DEFAULT_BOOT_SOURCE: 0         # internal flash\n"
			: "  BOOT_CFG:\n"
			  "    BOOT_SRC: INTERNAL_FLASH_0B00\n"
			  "  SECURE_BOOT_CFG:\n"
			  "    SEC_BOOT_EN: ECDSA_SIGNED      # boot signed images only\n"
			  "# ROTKH: '0123...'                 # 64 or 96 hex digits, in quotes\n");
}

void template_cfpa(const struct family *f, enum family_revision rev, struct buf *out)
{
	wr_str(out, "# CFPA: the page that changes in the field.\n"
		    "#   mfgpkg pfr export -c cfpa.yaml -o cfpa.bin\n");
	put_page(out, f, rev, FAMILY_CFPA,
		rev == FAMILY_REV_A0
			? "  CFPA_PAGE_VERSION:\n"
			  "    CFPA_PAGE_VERSION: 1           # must be above that of the device\n"
			: "  CFPA_PAGE_VERSION:\n"
			  "    CFPA_page_version: 0xFFFFFF    # the ROM counts up by itself\n"
			  "    # At the next reset seal CMPA and move the life cycle for good:\n"
			  "    # TO_OEM_CLOSED is IN_FIELD. UPDATE_IN_CMPA leaves it in DEVELOP.\n"
			  "    CMPA_UPD: UPDATE_IN_CMPA\n");
}

void template_fuses(const struct family *f, enum family_revision rev, struct buf *out)
{
	wr_printf(out,
		"# Fuses, as a blhost script. A burnt fuse never goes back.\n"
		"#   mfgpkg fuses export -c fuses.yaml -o fuses.blhost\n"
		"family: %s\nrevision: %s\nregisters:\n"
		"  LIFE_CYCLE:                        # both copies must be equal\n"
		"    'LIFECYCLE[7:0]': DEVELOP\n"
		"    'LIFECYCLE_DP[7:0]': DEVELOP\n"
		"\n# All fuses. Only those that are listed are burnt, also when they are 0.\n",
		f->name, family_revision_name(rev));
	for (size_t i = 0; i < f->tables->n_fuses; i++)
		put_register(out, "#", &f->tables->fuses[i]);
}

void template_trustzone(const struct family *f, enum family_revision rev, struct buf *out)
{
	size_t n;
	const struct trustzone_register *regs = trustzone_registers(rev, &n);

	wr_printf(out,
		"# TrustZone preset: registers the ROM sets before it starts the image.\n"
		"# Named by trustZonePresetFile in mbi.yaml; registers left out keep their reset\n"
		"# values, and when all do no preset goes into the image.\n"
		"family: %s\nrevision: %s\ntzpOutputFile: build/trustzone.bin   # not used here\n"
		"trustZonePreset:\n",
		f->name, family_revision_name(rev));
	for (size_t i = 0; i < n; i++)
		wr_printf(out, "%s  %s: 0x%08" PRIX32 "\n", i == 1 ? "" : "#", regs[i].name,
			i == 1 ? 0x10000000 : regs[i].reset);
}

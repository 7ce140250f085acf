#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/text.h"
#include "image/pfr.h"

int pfr_check(const struct family_page *page, const uint8_t *data, size_t len, struct err *e)
{
	if (len != PFR_PAGE_SIZE)
		return err_set(e, ERR_FORMAT, "%zu bytes, a %s page has %d", len, page->name,
			PFR_PAGE_SIZE);
	uint32_t marker = get_le32(data) >> 16;
	if (marker != page->marker)
		return err_set(e, ERR_FORMAT,
			"marker 0x%04" PRIX32 " in the first word, a %s page has 0x%04X%s", marker,
			page->name, (unsigned)page->marker,
			marker == CMPA_MARKER	? " (this is a cmpa page)"
			: marker == CFPA_MARKER ? " (this is a cfpa page)"
						: "");
	return 0;
}

/* --- inverse halves ------------------------------------------------------------------------- */

static const struct family_field *inverse_field(const struct family_register *reg)
{
	for (size_t i = 0; i < reg->n_fields; i++)
		if (reg->fields[i].calc != FAMILY_CALC_NONE)
			return &reg->fields[i];
	return NULL;
}

uint32_t pfr_compute_inverse(const struct family_register *reg, uint32_t word)
{
	const struct family_field *f = inverse_field(reg);

	switch (f ? f->calc : FAMILY_CALC_NONE) {
	case FAMILY_CALC_NONE:
		return word;
	case FAMILY_CALC_INVERT_LOW16:
		return (word & 0xFFFF) | (~word & 0xFFFF) << 16;
	case FAMILY_CALC_INVERT_LOW8:
		return (word & 0xFFFF00FF) | (~word & 0xFF) << 8;
	}
	return word;
}

bool pfr_inverse_ok(const struct family_register *reg, uint32_t word)
{
	return pfr_compute_inverse(reg, word) == word;
}

/* --- a page as a configuration -------------------------------------------------------------- */

static uint32_t word_at(const uint8_t *page, uint32_t offset)
{
	return get_le32(page + offset);
}

static bool all_zero(const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (p[i])
			return false;
	return true;
}

/* The value of a group as upper-case hex digits in the order a configuration gives them. */
static json_t *group_text(const struct family_group *g, const uint8_t *page)
{
	const uint8_t *p = page + g->offset;
	char text[2 * PFR_PAGE_SIZE + 1];
	size_t len = g->len;

	if (g->alt_len && all_zero(p + g->alt_len, g->len - g->alt_len))
		len = g->alt_len;
	for (size_t i = 0; i < len; i++)
		snprintf(text + 2 * i, 3, "%02X", p[g->reversed ? len - 1 - i : i]);
	return json_string(text);
}

static json_t *field_text(const struct family_field *f, uint32_t word)
{
	uint32_t v = (word & family_field_mask(f)) >> f->lsb;
	const char *name = f->shift_right ? NULL : family_enum_name(f->values, v);

	if (name)
		return json_string(name);
	unsigned width = f->width + f->shift_right;
	return json_sprintf("0x%0*" PRIX32, (int)(width / 4), v << f->shift_right);
}

static char *field_key(
	char out[96], const struct family_register *reg, const struct family_field *f)
{
	if (f->name)
		snprintf(out, 96, "%s", f->name);
	else if (f->width == 1)
		snprintf(out, 96, "reserved_%s-bit%u", reg->uid, f->lsb);
	else
		snprintf(out, 96, "reserved_%s-bits%u-%u", reg->uid, f->lsb, f->lsb + f->width - 1);
	return out;
}

static json_t *fields_json(const struct family_register *reg, uint32_t word, bool diff)
{
	json_t *o = json_object();
	char key[96];

	for (size_t i = 0; i < reg->n_fields; i++) {
		const struct family_field *f = &reg->fields[i];
		bool changed = (word ^ reg->reset) & family_field_mask(f);
		/* An inverse half that an export would not compute to what it is must be given;
		 * in the full form it always is. */
		bool keep = f->calc != FAMILY_CALC_NONE &&
			    (!diff || (word != reg->reset && !pfr_inverse_ok(reg, word)));
		if (changed || keep || (!diff && f->name))
			json_object_set_new(o, field_key(key, reg, f), field_text(f, word));
	}
	return o;
}

static const struct family_group *group_at(
	const struct family_group *groups, size_t n, uint32_t offset)
{
	for (size_t i = 0; i < n; i++)
		if (offset >= groups[i].offset && offset - groups[i].offset < groups[i].len)
			return &groups[i];
	return NULL;
}

static json_t *settings_json(
	const struct family_page *page, enum family_revision rev, const uint8_t *data, bool diff)
{
	const struct family_register *regs = page->rev[rev].registers;
	const struct family_group *groups = page->rev[rev].groups;
	json_t *settings = json_object();

	for (unsigned i = 0; i < FAMILY_PAGE_WORDS; i++) {
		const struct family_register *reg = &regs[i];
		const struct family_group *g =
			group_at(groups, page->rev[rev].n_groups, reg->offset);
		uint32_t word = word_at(data, reg->offset);
		if (g) {
			if (reg->offset == g->offset &&
				!(diff && all_zero(data + g->offset, g->len)))
				json_object_set_new(settings, g->name, group_text(g, data));
			continue;
		}
		if (word == reg->reset && (diff || reg->reserved))
			continue;
		json_object_set_new(settings, reg->name,
			reg->n_fields && !reg->reserved ? fields_json(reg, word, diff)
							: json_sprintf("0x%08" PRIX32, word));
	}
	return settings;
}

json_t *pfr_json(const struct family *f, enum family_revision rev, enum family_page_id page,
	const uint8_t *data, bool diff)
{
	json_t *o = json_object();

	json_object_set_new(o, "family", json_string(f->name));
	json_object_set_new(o, "revision", json_string(family_revision_name(rev)));
	json_object_set_new(o, "type", json_string(page == FAMILY_CMPA ? "CMPA" : "CFPA"));
	json_object_set_new(o, "settings", settings_json(&f->tables->pages[page], rev, data, diff));
	return o;
}

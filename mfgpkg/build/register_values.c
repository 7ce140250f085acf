#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/bytes.h"
#include "base/text.h"
#include "image/pfr.h"
#include "mfgpkg/build/register_values.h"

/* --- names ---------------------------------------------------------------------------------- */

static const struct family_register *find_register(const struct register_values *v, const char *key)
{
	for (size_t i = 0; i < v->n; i++) {
		const struct family_register *r = &v->regs[i];
		if (family_is_name(key, r->name, &r->old) || strcasecmp(key, r->uid) == 0)
			return r;
	}
	return NULL;
}

static const struct family_group *find_group(const struct register_values *v, const char *key)
{
	for (size_t i = 0; i < v->n_groups; i++)
		if (strcasecmp(key, v->groups[i].name) == 0 ||
			strcasecmp(key, v->groups[i].uid) == 0)
			return &v->groups[i];
	return NULL;
}

static int unknown_register(const struct register_values *v, const struct config_node *value,
	const char *key, struct err *e)
{
	const char *names[REGISTER_VALUES_MAX + 8] = { 0 };
	size_t n = 0;

	for (size_t i = 0; i < v->n; i++)
		if (!v->regs[i].reserved)
			names[n++] = v->regs[i].name;
	for (size_t i = 0; i < v->n_groups && n + 1 < REGISTER_VALUES_MAX + 8; i++)
		names[n++] = v->groups[i].name;
	const char *nearest = config_nearest(key, names);
	return config_error(value, e, "unknown %s%s%s%s", v->what,
		nearest ? ", did you mean `" : "", nearest ? nearest : "", nearest ? "`?" : "");
}

/* Fuse fields are named with their bit range ("LIFECYCLE[7:0]"), which may be left out. */
static bool is_field_name(const char *key, const struct family_field *f)
{
	if (family_is_name(key, f->name, &f->old))
		return true;
	size_t bare = f->name ? strcspn(f->name, "[") : 0;
	return f->name && f->name[bare] && strlen(key) == bare &&
	       strncasecmp(key, f->name, bare) == 0;
}

static bool is_reserved_name(
	const char *key, const struct family_register *r, const struct family_field *f)
{
	char name[96];

	if (f->name)
		return false;
	if (f->width == 1)
		snprintf(name, sizeof name, "reserved_%s-bit%u", r->uid, f->lsb);
	else
		snprintf(name, sizeof name, "reserved_%s-bits%u-%u", r->uid, f->lsb,
			f->lsb + f->width - 1);
	return strcasecmp(key, name) == 0;
}

static const struct family_field *find_field(const struct family_register *r, const char *key)
{
	for (size_t i = 0; i < r->n_fields; i++)
		if (is_field_name(key, &r->fields[i]) || is_reserved_name(key, r, &r->fields[i]))
			return &r->fields[i];
	return NULL;
}

static int unknown_field(const struct family_register *r, const struct config_node *value,
	const char *key, struct err *e)
{
	const char *names[33] = { 0 };
	size_t n = 0;

	if (!r->n_fields)
		return config_error(value, e, "%s has no fields, a number is wanted", r->name);
	for (size_t i = 0; i < r->n_fields && n < 32; i++)
		if (r->fields[i].name)
			names[n++] = r->fields[i].name;
	const char *nearest = config_nearest(key, names);
	return config_error(value, e, "%s has no such field%s%s%s", r->name,
		nearest ? ", did you mean `" : "", nearest ? nearest : "", nearest ? "`?" : "");
}

/* --- values --------------------------------------------------------------------------------- */

static char *enum_list(char out[200], const struct family_enum *en)
{
	size_t o = 0;

	out[0] = 0;
	for (size_t i = 0; i < en->n && o < 200; i++) {
		int w = snprintf(out + o, 200 - o, "%s%s", i ? ", " : "", en->values[i].name);
		o += w > 0 ? (size_t)w : 0;
	}
	return out;
}

/* One field: an enum name, RAW:number (not shifted), or a number. */
static int field_value(
	const struct family_field *f, const struct config_node *n, uint32_t *out, struct err *e)
{
	const uint64_t max = ((uint64_t)1 << f->width) - 1;
	const char *text = config_kind(n) == CONFIG_TEXT ? config_text(n) : NULL;
	uint64_t v;

	if (text && family_enum_find(f->values, text, out) == 0)
		return 0;
	if (text && strncasecmp(text, "RAW:", 4) == 0) {
		if (number_parse(text + 4, &v) != 0)
			return config_error(n, e, "\"%s\" is not RAW: and a number", ESC(text));
	} else {
		if (text && f->values && !config_is_number(n)) {
			char list[200];
			return config_error(n, e, "\"%s\" is not one of %s, nor a number",
				ESC(text), enum_list(list, f->values));
		}
		if (config_number(n, UINT64_MAX, &v, e) != 0)
			return -1;
		v >>= f->shift_right;
	}
	if (v > max) {
		if (f->shift_right)
			return config_error(n, e,
				"%s is too large for %u bits after the shift right by %u",
				ESC(config_text(n)), f->width, f->shift_right);
		return config_error(n, e, "%s is too large for %u bits, at most 0x%" PRIX64,
			ESC(config_text(n)), f->width, max);
	}
	*out = (uint32_t)v;
	return 0;
}

static int check_marker(
	const struct family_register *r, const struct config_node *n, uint32_t word, struct err *e)
{
	for (size_t i = 0; i < r->n_fields; i++) {
		const struct family_field *f = &r->fields[i];
		uint32_t mask = family_field_mask(f);
		if (f->is_const && ((word ^ r->reset) & mask))
			return config_error(n, e,
				"the marker %s must stay 0x%04" PRIX32
				", this makes it 0x%04" PRIX32,
				f->name, (r->reset & mask) >> f->lsb, (word & mask) >> f->lsb);
	}
	return 0;
}

static int read_fields(
	struct register_values *v, size_t i, const struct config_node *map, struct err *e)
{
	const struct family_register *r = &v->regs[i];
	uint32_t word = v->words[i], seen = 0;
	bool inverse_given = false;

	for (size_t k = 0; k < config_len(map); k++) {
		const char *key;
		const struct config_node *n = config_pair(map, k, &key);
		const struct family_field *f = find_field(r, key);
		uint32_t value;
		if (!f)
			return unknown_field(r, n, key, e);
		uint32_t mask = family_field_mask(f);
		if (seen & mask)
			return config_error(n, e, "the same field of %s is given twice", r->name);
		if (field_value(f, n, &value, e) != 0)
			return -1;
		word = (word & ~mask) | value << f->lsb;
		seen |= mask;
		inverse_given |= f->calc != FAMILY_CALC_NONE;
		if (f->is_const && check_marker(r, n, word, e) != 0)
			return -1;
	}
	v->words[i] = word;
	v->inverse_due[i] = !inverse_given;
	return 0;
}

/* A register: number, map of fields, or the older {value: ..} and {bitfields: {..}}. A plain
 * number is the word as it is, a wrong marker included (lint reports that); with {value: ..} the
 * inverse half is computed. */
static int read_register(
	struct register_values *v, size_t i, const struct config_node *n, struct err *e)
{
	const struct family_register *r = &v->regs[i];
	const struct config_node *value = n;
	uint64_t word;

	if (config_kind(n) == CONFIG_MAP) {
		const struct config_node *bits = config_get(n, "bitfields");
		value = config_get(n, "value");
		if ((value || bits) && config_len(n) != 1)
			return config_error(
				n, e, "`value` or `bitfields` must be the only key of %s", r->name);
		if (bits && config_kind(bits) != CONFIG_MAP)
			return config_error(bits, e, "this is %s, a map of fields is wanted",
				config_kind_name(bits));
		if (!value)
			return read_fields(v, i, bits ? bits : n, e);
		v->inverse_due[i] = true;
	}
	if (config_kind(value) == CONFIG_LIST || config_kind(value) == CONFIG_NULL)
		return config_error(value, e, "this is %s, a number%s is wanted",
			config_kind_name(value), r->n_fields ? " or a map of fields" : "");
	if (config_number(value, UINT32_MAX, &word, e) != 0)
		return -1;
	v->words[i] = (uint32_t)word;
	return 0;
}

/* A word that two keys set (a name and an old name, a group and a member) is a mistake: which of
 * them wins would depend on their order. */
static int claim(struct register_values *v, size_t i, const struct config_node *n, struct err *e)
{
	if (v->given[i])
		return config_error(n, e, "the same word as in line %u (%s)",
			config_line(v->given[i]), v->regs[i].name);
	v->given[i] = n;
	return 0;
}

/* The digits of a hex string, without 0x. Unquoted digits without 0x are a decimal (or octal)
 * number to YAML, so nobody can know what was meant. */
static int hex_digits(const struct config_node *n, const char **digits, struct err *e)
{
	const char *text;

	if (config_str(n, &text, e) != 0)
		return -1;
	bool prefix = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	if (config_kind(n) == CONFIG_INT && !prefix)
		return config_error(n, e,
			"unquoted digits are a decimal number in YAML: put the hex string in "
			"quotes");
	text += prefix ? 2 : 0;
	size_t len = strlen(text), bad = strspn(text, "0123456789abcdefABCDEF");
	if (len == 0)
		return config_error(n, e, "empty, hex digits are wanted");
	if (bad < len)
		return config_error(n, e, "'%s' at digit %zu is not a hex digit",
			text_escape((char[16]){ 0 }, 16, text + bad, 1), bad + 1);
	*digits = text;
	return 0;
}

static int read_group(struct register_values *v, const struct family_group *g,
	const struct config_node *n, struct err *e)
{
	uint8_t bytes[FAMILY_PAGE_SIZE] = { 0 }, page[FAMILY_PAGE_SIZE] = { 0 };
	const char *digits = NULL;

	if (hex_digits(n, &digits, e) != 0)
		return -1;
	size_t n_digits = strlen(digits), len = g->len;
	if (g->alt_len && n_digits == 2 * g->alt_len)
		len = g->alt_len;
	if (g->alt_len && n_digits != 2 * len)
		return config_error(n, e, "%zu hex digits, %s has %zu (SHA-256) or %zu (SHA-384)",
			n_digits, g->name, 2 * g->alt_len, 2 * g->len);
	if (n_digits > 2 * len)
		return config_error(
			n, e, "%zu hex digits, %s has at most %zu", n_digits, g->name, 2 * len);

	/* Shorter values are numbers: leading zero bytes. */
	char padded[2 * FAMILY_PAGE_SIZE + 1];
	snprintf(padded, sizeof padded, "%0*d", (int)(2 * len), 0);
	memcpy(padded + 2 * len - n_digits, digits, n_digits);
	if (hex_decode(bytes, len, padded) != 0)
		return config_error(n, e, "not a hex string");
	for (size_t i = 0; i < len; i++)
		page[i] = bytes[g->reversed ? len - 1 - i : i];
	for (size_t i = 0; i < g->len / 4; i++) {
		size_t at = g->offset / 4 + i;
		if (claim(v, at, n, e) != 0)
			return -1;
		v->words[at] = get_le32(page + 4 * i);
	}
	return 0;
}

static void apply_inverses(struct register_values *v)
{
	for (size_t i = 0; i < v->n; i++)
		if (v->inverse_due[i])
			v->words[i] = pfr_compute_inverse(&v->regs[i], v->words[i]);
}

int register_values_read(
	struct register_values *v, const struct config_node *settings, struct err *e)
{
	if (v->n > REGISTER_VALUES_MAX)
		return err_set(e, ERR_INTERNAL, "%zu registers", v->n);
	if (config_kind(settings) != CONFIG_MAP)
		return config_error(settings, e, "this is %s, a map of registers is wanted",
			config_kind_name(settings));
	for (size_t i = 0; i < v->n; i++)
		v->words[i] = v->regs[i].reset;

	for (size_t k = 0; k < config_len(settings); k++) {
		const char *key;
		const struct config_node *n = config_pair(settings, k, &key);
		const struct family_group *g = find_group(v, key);
		if (g) {
			if (read_group(v, g, n, e) != 0)
				return -1;
			continue;
		}
		const struct family_register *r = find_register(v, key);
		if (!r)
			return unknown_register(v, n, key, e);
		size_t i = (size_t)(r - v->regs);
		if (claim(v, i, n, e) != 0 || read_register(v, i, n, e) != 0)
			return -1;
		/* The tool that OEMs know leaves the inverse out when the uid is used. */
		if (v->inverse_due[i] && strcasecmp(key, r->uid) == 0 &&
			!pfr_inverse_ok(r, v->words[i]) && v->warn)
			config_warn(n, v->warn, v->warn_ctx,
				"the inverse half of %s is computed (other tools leave it out when "
				"the register is given by uid)",
				r->name);
	}
	apply_inverses(v);
	return 0;
}

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "family/family.h"

extern const char family_data[];
extern const uint64_t family_data_len;

#define MAX_PARTS 16

/* The parsed tables. Strings belong to the JSON document, which stays. */
static struct {
	json_t *json;
	struct family parts[MAX_PARTS];
	size_t n;
	struct family_tables tables;
	struct family_enum *enums;
	size_t n_enums;
	char names[200];
} all;

/* --- reading the embedded document: our own file, so a fault is a build fault ----------------- */

static const char *text_of(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

/* Numbers are JSON integers or "0x" strings. */
static uint32_t number_of(const json_t *o, const char *key, uint32_t fallback)
{
	const json_t *v = json_object_get(o, key);

	if (json_is_integer(v))
		return (uint32_t)json_integer_value(v);
	return json_is_string(v) ? (uint32_t)strtoul(json_string_value(v), NULL, 0) : fallback;
}

static struct family_names names_of(const json_t *list, size_t from)
{
	struct family_names names = { 0 };
	size_t n = json_array_size(list);

	if (n <= from || !(names.v = calloc(n - from, sizeof *names.v)))
		return names;
	for (size_t i = from; i < n; i++)
		names.v[names.n++] = json_string_value(json_array_get(list, i));
	return names;
}

static void read_enum(struct family_enum *en, const char *name, const json_t *list)
{
	struct family_enum_value *values = calloc(json_array_size(list) + 1, sizeof *values);

	en->name = name;
	en->values = values;
	for (size_t i = 0; values && i < json_array_size(list); i++) {
		const json_t *row = json_array_get(list, i); /* [name, value, old name...] */
		values[i].name = json_string_value(json_array_get(row, 0));
		values[i].value = (uint32_t)json_integer_value(json_array_get(row, 1));
		values[i].old = names_of(row, 2);
		en->n = i + 1;
	}
}

static const struct family_enum *enum_named(const char *name)
{
	for (size_t i = 0; name && i < all.n_enums; i++)
		if (strcmp(all.enums[i].name, name) == 0)
			return &all.enums[i];
	return NULL;
}

static void read_fields(struct family_register *r, const json_t *list)
{
	size_t n = json_array_size(list);
	struct family_field *fields = calloc(n + 1, sizeof *fields);

	r->fields = fields;
	for (size_t i = 0; fields && i < n; i++) {
		const json_t *o = json_array_get(list, i);
		const char *calc = text_of(o, "calc");
		struct family_field *f = &fields[i];
		f->name = text_of(o, "name");
		f->lsb = number_of(o, "lsb", 0);
		f->width = number_of(o, "width", 0);
		f->values = enum_named(text_of(o, "enum"));
		f->is_const = json_is_true(json_object_get(o, "const"));
		f->shift_right = number_of(o, "shift_right", 0);
		f->old = names_of(json_object_get(o, "old"), 0);
		if (calc)
			f->calc = strcmp(calc, "invert_low8") == 0 ? FAMILY_CALC_INVERT_LOW8
								   : FAMILY_CALC_INVERT_LOW16;
		r->n_fields = i + 1;
	}
}

static struct family_register *read_registers(const json_t *list, size_t *n)
{
	struct family_register *regs = calloc(json_array_size(list) + 1, sizeof *regs);

	*n = 0;
	for (size_t i = 0; regs && i < json_array_size(list); i++) {
		const json_t *o = json_array_get(list, i);
		const json_t *lock = json_object_get(o, "lock");
		const char *access = text_of(o, "access");
		struct family_register *r = &regs[i];
		r->name = text_of(o, "name");
		r->uid = text_of(o, "uid");
		r->offset = number_of(o, "offset", number_of(o, "index", 0));
		r->reset = number_of(o, "reset", 0);
		r->reserved = json_is_true(json_object_get(o, "reserved"));
		r->read_only = access && strcmp(access, "RO") == 0;
		r->old = names_of(json_object_get(o, "old"), 0);
		r->ecc = json_is_true(json_object_get(o, "ecc"));
		r->lock_uid = text_of(lock, "uid");
		r->lock_write_mask = number_of(lock, "write_mask", 0);
		r->lock_read_mask = number_of(lock, "read_mask", 0);
		read_fields(r, json_object_get(o, "fields"));
		*n = i + 1;
	}
	return regs;
}

static const struct family_group *read_groups(const json_t *list, size_t *n)
{
	struct family_group *groups = calloc(json_array_size(list) + 1, sizeof *groups);

	*n = 0;
	for (size_t i = 0; groups && i < json_array_size(list); i++) {
		const json_t *o = json_array_get(list, i);
		const char *bytes = text_of(o, "bytes");
		struct family_group *g = &groups[i];
		g->name = text_of(o, "name");
		g->uid = text_of(o, "uid");
		g->offset = number_of(o, "offset", 0);
		g->len = number_of(o, "width", 0) / 8;
		g->alt_len = (size_t)json_integer_value(
				     json_array_get(json_object_get(o, "alt_widths"), 0)) /
			     8;
		g->reversed = bytes && strcmp(bytes, "reversed") == 0;
		*n = i + 1;
	}
	return groups;
}

static void read_page(struct family_page *page, const char *name, const json_t *o)
{
	const json_t *seal = json_object_get(o, "seal");

	page->name = name;
	page->address = number_of(o, "address", 0);
	page->marker = (uint16_t)number_of(o, "header_marker", 0);
	page->seal_offset = number_of(seal, "offset", 0);
	page->seal_words = number_of(seal, "count", 0);
	for (int rev = 0; rev < FAMILY_N_REVS; rev++) {
		const char *rev_name = family_revision_name((enum family_revision)rev);
		size_t n;
		struct family_register *regs = read_registers(
			json_object_get(json_object_get(o, "registers"), rev_name), &n);
		page->rev[rev].registers = n == FAMILY_PAGE_WORDS ? regs : NULL;
		if (n != FAMILY_PAGE_WORDS)
			free(regs);
		page->rev[rev].groups =
			read_groups(json_object_get(json_object_get(o, "groups"), rev_name),
				&page->rev[rev].n_groups);
	}
}

static void read_lifecycle(struct family_enum *en, const json_t *list)
{
	struct family_enum_value *values = calloc(json_array_size(list) + 1, sizeof *values);

	en->name = "lifecycle";
	en->values = values;
	for (size_t i = 0; values && i < json_array_size(list); i++) {
		const json_t *o = json_array_get(list, i);
		values[i].name = text_of(o, "name");
		values[i].value = number_of(o, "value", 0);
		en->n = i + 1;
	}
}

static void read_part(struct family *f, const json_t *o)
{
	const json_t *list = json_object_get(o, "memory");
	struct family_memory *memory = calloc(json_array_size(list) + 1, sizeof *memory);

	f->name = text_of(o, "name");
	f->old = names_of(json_object_get(o, "old_names"), 0);
	f->tables = &all.tables;
	f->memory = memory;
	for (size_t i = 0; memory && i < json_array_size(list); i++) {
		const json_t *m = json_array_get(list, i);
		memory[i].name = text_of(m, "name");
		memory[i].address = number_of(m, "address", 0);
		memory[i].size = number_of(m, "size", 0);
		memory[i].secure_address = number_of(m, "secure_address", memory[i].address);
		memory[i].external = json_is_true(json_object_get(m, "external"));
		f->n_memory = i + 1;
	}
}

static void read_all(void)
{
	struct err e;
	json_t *j = json_read("mcxn947.json", family_data, family_data_len, &e);

	if (!j)
		return;
	all.json = j;
	const json_t *enums = json_object_get(j, "enums"), *value;
	const char *name;
	all.enums = calloc(json_object_size(enums) + 1, sizeof *all.enums);
	/* jansson's iteration macro wants a non-const object; nothing is changed. */
	json_t *mutable_enums = json_object_get(j, "enums");
	if (all.enums)
		json_object_foreach(mutable_enums, name, value)
			read_enum(&all.enums[all.n_enums++], name, value);

	struct family_tables *t = &all.tables;
	const char *latest = text_of(j, "latest_revision");
	t->latest = latest && strcmp(latest, "a0") == 0 ? FAMILY_REV_A0 : FAMILY_REV_A1;
	const json_t *pages = json_object_get(j, "pfr");
	read_page(&t->pages[FAMILY_CMPA], "cmpa", json_object_get(pages, "cmpa"));
	read_page(&t->pages[FAMILY_CFPA], "cfpa", json_object_get(pages, "cfpa"));
	t->fuses = read_registers(json_object_get(j, "fuses"), &t->n_fuses);
	read_lifecycle(&t->lifecycle, json_object_get(json_object_get(j, "lifecycle"), "states"));
	t->comm_buffer_address = number_of(json_object_get(j, "comm_buffer"), "address", 0);
	t->comm_buffer_size = number_of(json_object_get(j, "comm_buffer"), "size", 0);
	t->key_blob_offset = number_of(json_object_get(j, "devhsm"), "key_blob_offset", 0);
	const json_t *socc = json_object_get(json_object_get(j, "debug_auth"), "socc");
	for (int rev = 0; rev < FAMILY_N_REVS; rev++)
		t->socc[rev] = number_of(socc, family_revision_name((enum family_revision)rev), 0);

	const json_t *devices = json_object_get(j, "devices");
	for (size_t i = 0; i < json_array_size(devices) && all.n < MAX_PARTS; i++) {
		read_part(&all.parts[all.n++], json_array_get(devices, i));
		size_t used = strlen(all.names);
		snprintf(all.names + used, sizeof all.names - used, "%s%s", used ? ", " : "",
			all.parts[i].name);
	}
}

static void load(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, read_all);
}

/* --- looking things up ---------------------------------------------------------------------- */

bool family_is_name(const char *text, const char *name, const struct family_names *old)
{
	if (name && strcasecmp(text, name) == 0)
		return true;
	for (size_t i = 0; old && i < old->n; i++)
		if (strcasecmp(text, old->v[i]) == 0)
			return true;
	return false;
}

const struct family *family_at(size_t i)
{
	load();
	return i < all.n ? &all.parts[i] : NULL;
}

const struct family *family_find(const char *name)
{
	load();
	for (size_t i = 0; i < all.n; i++)
		if (family_is_name(name, all.parts[i].name, &all.parts[i].old))
			return &all.parts[i];
	return NULL;
}

const char *family_names_list(void)
{
	load();
	return all.names;
}

int family_revision_parse(const struct family *f, const char *text, enum family_revision *out)
{
	if (strcasecmp(text, "latest") == 0)
		*out = f->tables->latest;
	else if (strcasecmp(text, "a0") == 0)
		*out = FAMILY_REV_A0;
	else if (strcasecmp(text, "a1") == 0)
		*out = FAMILY_REV_A1;
	else
		return -1;
	return 0;
}

const char *family_revision_name(enum family_revision rev)
{
	return rev == FAMILY_REV_A0 ? "a0" : "a1";
}

static bool holds(uint32_t start, uint32_t size, uint32_t address, uint64_t len)
{
	return address >= start && address - start < size && len <= size - (address - start);
}

const struct family_memory *family_memory_at(const struct family *f, uint32_t address, uint64_t len)
{
	for (size_t i = 0; i < f->n_memory; i++) {
		const struct family_memory *m = &f->memory[i];
		if (holds(m->address, m->size, address, len) ||
			holds(m->secure_address, m->size, address, len))
			return m;
	}
	return NULL;
}

const struct family_memory *family_memory_named(const struct family *f, const char *name)
{
	for (size_t i = 0; i < f->n_memory; i++)
		if (strcmp(f->memory[i].name, name) == 0)
			return &f->memory[i];
	return NULL;
}

bool family_same_place(const struct family *f, uint32_t a, uint32_t b)
{
	if (a == b)
		return true;
	const struct family_memory *ma = family_memory_at(f, a, 1), *mb = family_memory_at(f, b, 1);
	if (!ma || ma != mb || ma->address == ma->secure_address)
		return false;
	uint32_t bit = ma->address ^ ma->secure_address; /* aliases differ by one address bit */
	return (a & ~bit) == (b & ~bit);
}

static bool overlaps(uint64_t a, uint64_t a_len, uint64_t b, uint64_t b_len)
{
	return a < b + b_len && b < a + a_len;
}

bool family_hits_pages(const struct family *f, uint32_t address, uint64_t len)
{
	const uint32_t secure_alias = 0x10000000;

	for (int i = 0; i < FAMILY_N_PAGES; i++) {
		uint32_t page = f->tables->pages[i].address;
		if (overlaps(address, len, page, FAMILY_PAGE_SIZE) ||
			overlaps(address, len, page + secure_alias, FAMILY_PAGE_SIZE))
			return true;
	}
	return false;
}

int family_enum_find(const struct family_enum *en, const char *name, uint32_t *out)
{
	for (size_t i = 0; en && i < en->n; i++)
		if (family_is_name(name, en->values[i].name, &en->values[i].old)) {
			*out = en->values[i].value;
			return 0;
		}
	return -1;
}

const char *family_enum_name(const struct family_enum *en, uint32_t value)
{
	for (size_t i = 0; en && i < en->n; i++)
		if (en->values[i].value == value)
			return en->values[i].name;
	return NULL;
}

const struct family_register *family_fuse(const struct family *f, uint32_t index)
{
	for (size_t i = 0; i < f->tables->n_fuses; i++)
		if (f->tables->fuses[i].offset == index)
			return &f->tables->fuses[i];
	return NULL;
}

uint32_t family_field_mask(const struct family_field *f)
{
	uint32_t ones = f->width >= 32 ? UINT32_MAX : ((uint32_t)1 << f->width) - 1;
	return ones << f->lsb;
}

/* family - what a chip looks like: memory, configuration pages, fuses, commands.
 *
 * The tables are data (mcxn947.json, embedded in the programs) and are parsed once, on first use;
 * after that everything is read-only and lives until the program ends, so any thread may keep
 * pointers. Layout of the file and meaning of the members: formats "families".
 */
#ifndef COMMON_FAMILY_FAMILY_H
#define COMMON_FAMILY_FAMILY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum family_revision { FAMILY_REV_A0, FAMILY_REV_A1, FAMILY_N_REVS };

struct family_names { /* old names of something */
	const char **v;
	size_t n;
};

struct family_memory {
	const char *name; /* "flash", "flexspi", "sram", "sramx", "ifr_bank1" */
	uint32_t address, size;
	uint32_t secure_address; /* the same memory at its secure alias; equal to address if none */
	bool external;
};

struct family_enum_value {
	const char *name;
	uint32_t value;
	struct family_names old;
};

struct family_enum {
	const char *name; /* a label: lists are shared by fields */
	const struct family_enum_value *values;
	size_t n;
};

enum family_calc { FAMILY_CALC_NONE, FAMILY_CALC_INVERT_LOW16, FAMILY_CALC_INVERT_LOW8 };

struct family_field {
	const char *name; /* NULL: reserved */
	unsigned lsb, width;
	const struct family_enum *values; /* NULL: plain number */
	bool is_const; /* marker, keeps its reset value */
	enum family_calc calc; /* the field is computed from the rest of the word */
	unsigned shift_right; /* configuration value >> this is stored */
	struct family_names old;
};

struct family_register { /* 32 bits; a page word or a fuse word */
	const char *name, *uid;
	uint32_t offset; /* in the page; fuses: the index */
	uint32_t reset;
	bool reserved, read_only;
	struct family_names old;
	const struct family_field *fields; /* cover all 32 bits from bit 0 up; may be none */
	size_t n_fields;
	/* fuses only */
	bool ecc; /* can be written once only, as a whole word */
	const char *lock_uid; /* fuse that can lock this one; NULL if none */
	uint32_t lock_write_mask, lock_read_mask;
};

struct family_group { /* a wide value made of consecutive words */
	const char *name, *uid;
	uint32_t offset;
	size_t len; /* bytes */
	size_t alt_len; /* a shorter length it may have (goes to the lowest addresses), 0 none */
	bool reversed; /* last byte of the value at the lowest address */
};

#define FAMILY_PAGE_SIZE  512
#define FAMILY_PAGE_WORDS 128

struct family_page {
	const char *name; /* "cmpa", "cfpa" */
	uint32_t address;
	uint16_t marker; /* bits 31:16 of the first word */
	uint32_t seal_offset;
	unsigned seal_words;
	struct {
		const struct family_register *registers; /* FAMILY_PAGE_WORDS, by offset / 4 */
		const struct family_group *groups;
		size_t n_groups;
	} rev[FAMILY_N_REVS];
};

enum family_page_id { FAMILY_CMPA, FAMILY_CFPA, FAMILY_N_PAGES };

struct family_tables { /* shared by the parts of a family */
	enum family_revision latest;
	struct family_page pages[FAMILY_N_PAGES];
	const struct family_register *fuses; /* by index, ascending, with gaps */
	size_t n_fuses;
	struct family_enum lifecycle; /* states by name: BLANK, DEVELOP, ... */
	uint32_t comm_buffer_address, comm_buffer_size;
	uint32_t key_blob_offset;
	unsigned socc[FAMILY_N_REVS];
};

struct family {
	const char *name; /* "mcxn947" */
	struct family_names old;
	const struct family_memory *memory;
	size_t n_memory;
	const struct family_tables *tables;
};

/* family_find - by name or old name, any letter case; NULL when unknown.
 * family_at - the i-th part, NULL at the end. */
const struct family *family_find(const char *name);
const struct family *family_at(size_t i);

/* family_names_list - "mcxn947, mcxn946, ..." for messages. */
const char *family_names_list(void);

/* family_revision_parse - "a0", "a1", "latest" (any case). 0 or -1. */
int family_revision_parse(
	const struct family *f, const char *text, enum family_revision *out) CHECKED;
const char *family_revision_name(enum family_revision rev);

/* family_memory_at - the memory that holds `len` bytes at `address` (either alias), or NULL. */
const struct family_memory *family_memory_at(
	const struct family *f, uint32_t address, uint64_t len);
const struct family_memory *family_memory_named(const struct family *f, const char *name);

/* family_same_place - two addresses that are the same byte but for the secure alias. */
bool family_same_place(const struct family *f, uint32_t a, uint32_t b);

/* family_hits_pages - true when [address, address + len) touches CMPA or CFPA (either alias). */
bool family_hits_pages(const struct family *f, uint32_t address, uint64_t len);

/* Names are compared without letter case, old names included. family_enum_name gives the first
 * match or NULL; family_enum_find 0 or -1. */
bool family_is_name(const char *text, const char *name, const struct family_names *old);
int family_enum_find(const struct family_enum *en, const char *name, uint32_t *out) CHECKED;
const char *family_enum_name(const struct family_enum *en, uint32_t value);
const struct family_register *family_fuse(const struct family *f, uint32_t index);

/* family_field_mask - the bits of a field inside its word. */
uint32_t family_field_mask(const struct family_field *f);

#endif

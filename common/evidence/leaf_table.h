/* leaf_table - what members each kind of leaf has, in their order: the one place that says so. The
 * scanner and the writer of leaf.c walk these tables. Source: format "evidence", section 4.2. */
#ifndef COMMON_EVIDENCE_LEAF_TABLE_H
#define COMMON_EVIDENCE_LEAF_TABLE_H

#include "evidence/leaf.h"

enum field_type {
	F_INT, /* min..max */
	F_BOOL,
	F_TEXT, /* 0..max bytes */
	F_TOKEN, /* 1..max of a-z 0-9 - */
	F_CHOICE, /* one of `choices` */
	F_HEX, /* max bytes as 2 * max lower-case digits */
	F_BASE64, /* max bytes */
	F_TIME, /* YYYY-MM-DDTHH:MM:SS.mmmZ */
	F_UUID, /* 8-4-4-4-12 lower-case digits: boot id, package id */
	F_VKEY,
	F_TEXTS, /* array of texts of at most max bytes */
	F_HEXES, /* array of F_HEX */
	F_OBJECT, /* members in `sub` */
	F_OBJECTS, /* array of F_OBJECT */
};

struct field {
	const char *name; /* NULL ends a table */
	enum leaf_member m;
	enum field_type type;
	bool null_ok;
	int64_t min, max;
	const char *choices; /* separated by / */
	const struct field *sub;
};

struct kind {
	const char *name;
	const struct field *fields; /* after the common ones */
	unsigned roles; /* bit 1 << role */
};

extern const struct field leaf_common_fields[];
extern const struct kind leaf_kinds[LEAF_KINDS];

#endif

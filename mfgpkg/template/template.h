/* template - commented configurations of every kind, to start from.
 *
 * Each one is complete: with the files that the others (and `keys generate`) make beside it, it
 * exports as it stands. Names of files fit together, so all of them written into one folder are an
 * OEM workspace. Page and fuse templates are made from the family tables.
 */
#ifndef MFGPKG_TEMPLATE_TEMPLATE_H
#define MFGPKG_TEMPLATE_TEMPLATE_H

#include <stddef.h>

#include "base/bytes.h"
#include "base/err.h"
#include "family/family.h"

struct template_kind {
	const char *name; /* "sb31", "cert-block", ... */
	const char *file; /* the name the other templates know it by */
	const char *summary;
	/* text with @FAMILY@ and @REVISION@ in it; NULL: made from the family tables */
	const char *text;
	void (*write)(const struct family *f, enum family_revision rev, struct buf *out);
};

/* template_at - the i-th kind, NULL at the end. template_find - by name, NULL when unknown. */
const struct template_kind *template_at(size_t i);
const struct template_kind *template_find(const char *name);

/* template_write - append the configuration to *out. */
int template_write(const struct template_kind *kind, const struct family *f,
	enum family_revision rev, struct buf *out, struct err *e) CHECKED;

/* Makers of the table-driven kinds. */
void template_cmpa(const struct family *f, enum family_revision rev, struct buf *out);
void template_cfpa(const struct family *f, enum family_revision rev, struct buf *out);
void template_fuses(const struct family *f, enum family_revision rev, struct buf *out);
void template_trustzone(const struct family *f, enum family_revision rev, struct buf *out);

extern const char template_text_cert_block[], template_text_devhsm[], template_text_mbi[],
	template_text_order[], template_text_release[], template_text_sb31[];

#endif

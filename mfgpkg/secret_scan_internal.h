/* secret_scan_internal - what the parts of the secret scan share. */
#ifndef MFGPKG_SECRET_SCAN_INTERNAL_H
#define MFGPKG_SECRET_SCAN_INTERNAL_H

#include <stdbool.h>

#include "keyed/secret.h"
#include "mfgpkg/secret_scan.h"

enum { SCAN_NAME_MAX = 128, SCAN_WINDOW = 16, SCAN_RUN = 32 };

struct oem_needle {
	char name[SCAN_NAME_MAX];
	struct secret *forward, *backward;
};

/* Plaintext, and a hash table of its aligned windows that are not just a pattern. */
struct oem_plain {
	char name[SCAN_NAME_MAX];
	uint8_t *data;
	size_t len;
	uint32_t *table; /* offset / SCAN_WINDOW + 1, 0: free */
	size_t mask;
};

struct oem_scan {
	struct oem_needle *needles;
	size_t n_needles;
	struct oem_plain *plains;
	size_t n_plains;
};

/* One way of reading an entry: as it is, or what hex or base64 text in it stands for. */
struct oem_view {
	const char *entry;
	const char *form; /* "", "in hex", "in base64" */
	const uint8_t *data;
	size_t len;
};

/* Each: 0, or ERR_REJECTED naming entry, what and (for plain views) the offset. */
int oem_scan_needles(const struct oem_scan *s, const struct oem_view *v, struct err *e) CHECKED;
int oem_scan_plains(const struct oem_scan *s, const struct oem_view *v, struct err *e) CHECKED;
int oem_scan_structures(const struct oem_view *v, struct err *e) CHECKED;

/* oem_scan_views - call fn with every view of data[len]; stops at the first -1. */
int oem_scan_views(const char *entry, const uint8_t *data, size_t len,
	int (*fn)(void *ctx, const struct oem_view *v, struct err *e), void *ctx,
	struct err *e) CHECKED;

/* oem_scan_scalars - private numbers of the public keys in the package's SB3.1 files, as raw bytes
 * at any place outside of the ciphertext. */
int oem_scan_scalars(const struct container *c, struct err *e) CHECKED;

int oem_scan_found(const struct oem_view *v, size_t at, const char *what, struct err *e);

#endif

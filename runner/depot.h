/* depot - the packages and orders this station has accepted, and how old a package may be.
 *
 *   DIR/packages/DIGEST.mfgpkg        a verified package as it came; DIGEST of its manifest
 *   DIR/packages/index.json           what they are, and the lowest sequence accepted per product
 *                                     (schema packages.schema.json)
 *   DIR/orders/ID/order.json[.minisig, .KEYID.minisig]   the exact signed document
 *   DIR/orders/ID/keys/epoch-N.key, log.db               its log; see run_log.h
 *
 * What is taken out of the depot is verified again each time: a file on this disk proves nothing.
 * Needs a station opened with STATION_WORK to change anything. One thread.
 */
#ifndef RUNNER_DEPOT_H
#define RUNNER_DEPOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/json.h"
#include "pkg/order.h"
#include "pkg/pkg.h"
#include "runner/station.h"

#define DEPOT_PACKAGES_MAX 1024

struct depot_package {
	char digest[65];
	char product[MANIFEST_TEXT_MAX + 1], release[MANIFEST_TEXT_MAX + 1];
	int64_t sequence;
};

struct depot_floor {
	char product[MANIFEST_TEXT_MAX + 1];
	int64_t sequence;
};

struct depot {
	struct depot_package *packages;
	struct depot_floor *floors;
	size_t n_packages, n_floors;
};

int depot_load(struct depot *out, const struct station *s, struct err *e) CHECKED;
void depot_clear(struct depot *d);

/* depot_floor - pkg_expect.product_floor over a struct depot. */
int depot_floor(void *depot, const char *product, int64_t *floor, struct err *e) CHECKED;

/* depot_accept - raise the floor of the package's product to its sequence; `keep`: keep a copy of
 * the file too. Durable on return. */
int depot_accept(struct depot *d, const struct station *s, const struct pkg *p, bool keep,
	struct err *e) CHECKED;

/* depot_package_path - which file does the user mean? A path (it has a slash or exists) is itself;
 * otherwise the kept package of this product with the highest sequence, or the one whose digest
 * begins so. malloc'ed. ERR_USAGE when there is none. */
char *depot_package_path(
	const struct depot *d, const struct station *s, const char *name, struct err *e) CHECKED;
/* depot_package_of - the kept file with this manifest digest; NULL without *e when not kept. */
char *depot_package_of(const struct depot *d, const struct station *s, const uint8_t digest[32]);

/* depot_order_path - a path is itself; otherwise the kept order of this id. */
char *depot_order_path(const struct station *s, const char *name, struct err *e) CHECKED;

/* depot_keep_order - make DIR/orders/ID with the document, its signatures and its first epoch key
 * (taken from the station's unused order keys). The same order again is fine; another document
 * with a known id is ERR_REJECTED, as is an order whose epoch key the station does not have. */
int depot_keep_order(const struct station *s, const struct signed_order *o, struct err *e) CHECKED;

/* depot_orders - ids of the kept orders, sorted. Caller frees each and the array. */
int depot_orders(const struct station *s, char ***ids, size_t *n, struct err *e) CHECKED;

#endif

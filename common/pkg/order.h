/* order - production orders: one station may make so many devices of one package into one log.
 *
 * A one-line JSON document with detached minisign signatures. Its exact bytes are kept: they go
 * into the first leaf of the order's log. Source: format "evidence", section 4.4;
 * schemas/order.schema.json. One thread per object; constant once opened.
 */
#ifndef COMMON_PKG_ORDER_H
#define COMMON_PKG_ORDER_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"
#include "pkg/pkg.h"
#include "pkg/signed_file.h"
#include "pkg/trust.h"

#define ORDER_MAX_SIZE	    ((size_t)64 << 10)
#define ORDER_MAX_SLOTS	    256
#define ORDER_MAX_WITNESSES 32
#define ORDER_MAX_QUANTITY  10000000

struct order {
	char id[65]; /* [A-Za-z0-9][A-Za-z0-9._-]{0,63}: also a folder name at the station */
	char customer[201];
	char origin[129]; /* of the log */
	uint8_t package[32]; /* SHA-256 of manifest.json */
	char package_id[37];
	char product[MANIFEST_TEXT_MAX + 1];
	int64_t sequence; /* floor: the package's sequence must not be below */
	int64_t quantity;
	int64_t not_before, not_after; /* seconds since 1970 */
	char station_name[129];
	char station_key[256]; /* vkey under the station's name */
	char epoch0[384]; /* vkey under the origin; "" when the order names none */
	size_t n_slots;
	char (*slots)[33]; /* NULL when the order does not restrict them */
	size_t n_witnesses;
	char (*witnesses)[384]; /* vkeys, type 04 */
	char *quorum; /* all, any or how many of them must cosign; NULL: none need to */
};

/* order_parse - read and check text[len] (the document only). ERR_FORMAT, ERR_LIMIT.
 * order_clear() frees; also a zeroed one. */
int order_parse(
	struct order *out, const char *name, const void *text, size_t len, struct err *e) CHECKED;
void order_clear(struct order *o);

/* order_to_json - the document, members in the order of the format. New reference or NULL. */
json_t *order_to_json(const struct order *o);

/* An order whose signatures were verified; only order_open() makes one. */
struct signed_order;

/* order_open - read PATH and the signatures beside it, verify them against the trust (its
 * threshold), parse. *signers (may be NULL) is set as far as known also on failure. */
int order_open(struct signed_order **out, const char *path, const struct trust *t,
	struct signers *signers, struct err *e) CHECKED;
const struct order *order_of(const struct signed_order *o);
const char *order_text(const struct signed_order *o, size_t *len); /* exact bytes, NUL-terminated */
size_t order_n_sigs(const struct signed_order *o);
const char *order_sig_text(const struct signed_order *o, size_t i); /* exact .minisig text */
const struct signers *order_signers(const struct signed_order *o);
const uint8_t *order_digest(const struct signed_order *o); /* SHA-256 of the document, 32 bytes */
void order_free(struct signed_order *o);
void order_freep(struct signed_order **o);

/* order_check - may this station run this package under this order now? NULL / 0 leaves a check
 * out. ERR_REJECTED. */
struct order_expect {
	int64_t now; /* seconds since 1970; 0: the window is not checked */
	const char *station_key; /* vkey text of this station */
	const struct pkg *pkg; /* digest, id, product, sequence floor */
};
int order_check(const struct signed_order *o, const struct order_expect *x, struct err *e) CHECKED;

/* order_need - the package's policy: ERR_REJECTED when it requires an order and o is NULL. */
int order_need(const struct pkg *p, const struct signed_order *o, struct err *e) CHECKED;

#endif

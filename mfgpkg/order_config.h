/* order_config - an order from its configuration (ORDER.yaml): order, customer, oem or origin,
 * package (a file, from which digest, id, product and sequence are taken), quantity, not_before /
 * not_after or valid_days, station (a file of `runner station show --json`, or name and key),
 * optional epoch0, slots, witnesses, quorum. */
#ifndef MFGPKG_ORDER_CONFIG_H
#define MFGPKG_ORDER_CONFIG_H

#include "base/bytes.h"
#include "base/cli.h"
#include "pkg/order.h"

/* oem_order_from_config - the order and its text (one line, LF), as order_parse() reads it back.
 * order_clear() afterwards. ERR_CONFIG with the place; ERR_REJECTED: the package is not fit to be
 * ordered. */
int oem_order_from_config(struct order *out, struct buf *text, const char *path,
	const struct cli *c, struct err *e) CHECKED;

#endif

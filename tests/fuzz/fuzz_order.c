/* An order document: one byte form, so what is accepted is what is written again. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "pkg/order.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct order o = { 0 }, again = { 0 };
	struct buf text = { 0 };
	struct err e = { 0 };

	if (order_parse(&o, "fuzz", data, len, &e) != 0) {
		if (e.code != ERR_FORMAT && e.code != ERR_LIMIT)
			abort();
		return 0;
	}
	json_t *j = order_to_json(&o);
	if (!j || json_line(j, &text, &e) != 0)
		abort();
	wr_u8(&text, '\n');
	if (order_parse(&again, "again", text.p, text.len, &e) != 0 ||
		again.quantity != o.quantity || strcmp(again.origin, o.origin) != 0)
		abort();
	json_decref(j);
	buf_clear(&text);
	order_clear(&o);
	order_clear(&again);
	return 0;
}

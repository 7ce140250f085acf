/* A master boot image from outside, as a file and as it stands in flash. */
#include <stdlib.h>

#include "image/mbi.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_inside(const struct mbi *m, size_t len)
{
	if (m->len > len || m->app_len > m->len || m->app_len < MBI_MIN_APP)
		abort();
	if (m->tz && (m->tz < m->data || m->tz + m->tz_len > m->data + m->len))
		abort();
	if (m->type == MBI_SIGNED_XIP && (m->signed_len + m->signature_len != m->len ||
						 m->signature != m->data + m->signed_len))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct mbi file, flash;
	struct err e = { 0 };
	int rc = mbi_parse(&file, data, len, &e);

	if (rc != 0 && e.code != ERR_FORMAT && e.code != ERR_LIMIT)
		abort();
	if (mbi_parse_at(&flash, data, len, &e) == 0) {
		check_inside(&flash, len);
		if (mbi_verify(&flash, NULL, 0, &e) != 0 && e.code != ERR_REJECTED)
			abort();
		json_decref(mbi_json(&flash));
	} else if (rc == 0) {
		abort(); /* a whole file is also an image at the start of memory */
	}
	if (rc == 0 && file.len != len)
		abort();
	return 0;
}

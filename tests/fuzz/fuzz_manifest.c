/* manifest.json and SHA256SUMS: what is accepted reads the same when written again. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "pkg/manifest.h"
#include "pkg/sums.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct manifest m, again;
	struct buf text = { 0 }, sums = { 0 };
	struct err e = { 0 };

	if (manifest_parse(&m, data, len, &e) != 0) {
		if (e.code != ERR_FORMAT && e.code != ERR_LIMIT)
			abort();
		return 0;
	}
	json_t *j = manifest_to_json(&m);
	if (!j || json_line(j, &text, &e) != 0 ||
		manifest_parse(&again, text.p, text.len, &e) != 0 ||
		strcmp(m.product, again.product) != 0 || m.n_files != again.n_files ||
		memcmp(m.files, again.files, sizeof m.files) != 0)
		abort();
	sums_write(&m, &sums);
	if (sums_check(&m, sums.p, sums.len, &e) != 0)
		abort();
	json_decref(j);
	buf_clear(&text);
	buf_clear(&sums);
	return 0;
}

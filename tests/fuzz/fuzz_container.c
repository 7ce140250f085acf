/* A container from outside. What is accepted must be canonical: written again it is the same, byte
 * for byte; and it must be safe to examine as a package. */
#include <stdlib.h>
#include <string.h>

#include "pkg/pkg.h"

static const struct pkg_expect with_key = {
	.now = 1800000000,
	.family = "mcxn947",
	.sequence_floor = 1,
	.verify_sb = true,
	.runner_version = "1.0.0",
	.log_vkey = "acme.example/mfgpkg/workspace/"
		    "mcxn947-blinky+c970651c+ARUd3pZ5rmcopebDjmgi7bGHorVgLVO1/eMM2sgWUZCU",
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct container c;
	struct buf again = { 0 };
	struct err e = { 0 };
	json_t *report = NULL;

	if (container_parse(&c, data, len, &e) != 0) {
		if (e.code != ERR_FORMAT && e.code != ERR_LIMIT)
			abort();
		return 0;
	}
	if (container_write(c.entries, c.n, &again, &e) != 0 || again.len != len ||
		memcmp(again.p, data, len) != 0)
		abort();
	buf_clear(&again);
	if (pkg_examine_bytes(&report, "fuzz", data, len, NULL, NULL, &e) == 0)
		json_decref(report);
	/* Once more as somebody who knows the log's key, that of the seed with a provenance. */
	if (pkg_examine_bytes(&report, "fuzz", data, len, NULL, &with_key, &e) == 0)
		json_decref(report);
	return 0;
}

#include "mfgpkg/trust_options.h"

int oem_trust_from_cli(struct trust *out, const struct cli *c, bool required, struct err *e)
{
	struct cli_list pubs = cli_list(c, "pub");
	uint64_t threshold = cli_number(c, "threshold", 1);

	if (threshold < 1 || threshold > TRUST_MAX_KEYS)
		return cli_usage(e, c, "--threshold: 1 to %d wanted", TRUST_MAX_KEYS);
	if (pubs.n == 0) {
		if (required)
			return cli_usage(e, c, "-P PUB: whose signature is to be believed?");
		*out = (struct trust){ .threshold = (unsigned)threshold };
		return 0;
	}
	return trust_load(out, pubs.v, pubs.n, (unsigned)threshold, e);
}

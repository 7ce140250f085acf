/* trust_options - -P and --threshold: whose signatures a command believes. */
#ifndef MFGPKG_TRUST_OPTIONS_H
#define MFGPKG_TRUST_OPTIONS_H

#include "base/cli.h"
#include "pkg/trust.h"

/* clang-format off */
#define TRUST_OPTIONS \
	{ "pub", 'P', CLI_LIST, "PUB", "trusted public key: minisign file or the key itself", true }, \
	{ "threshold", 0, CLI_NUMBER, "K", "approvals wanted by these keys (default 1)", false }
/* clang-format on */

/* oem_trust_from_cli - the trust the options describe; ERR_USAGE when there is no key and
 * `required`, else an empty trust. */
int oem_trust_from_cli(
	struct trust *out, const struct cli *c, bool required, struct err *e) CHECKED;

#endif

/* passphrase - where passphrases and token PINs come from: a file, a file descriptor or a prompt on
 * the terminal; never the command line, the environment or a configuration.
 *
 * One passphrase serves a whole command. File and descriptor are read when the source is made; the
 * first line counts, without its line end.
 */
#ifndef COMMON_KEYED_PASSPHRASE_H
#define COMMON_KEYED_PASSPHRASE_H

#include <stdbool.h>

#include "base/cli.h"
#include "base/err.h"
#include "keyed/secret.h"

#define PASSPHRASE_MAX 1023

struct passphrase_source {
	struct secret *fixed; /* owned; from --passphrase-file or --passphrase-fd, else NULL */
	bool none; /* --no-passphrase: never ask, write new keys unencrypted without a warning */
};

/* The options, for the option table of a command. */
/* clang-format off */
#define PASSPHRASE_OPTIONS \
	{ "passphrase-file", 0, CLI_STRING, "FILE", "read the passphrase or PIN from FILE", false }, \
	{ "passphrase-fd", 0, CLI_NUMBER, "N", "read the passphrase or PIN from descriptor N", false }, \
	{ "no-passphrase", 0, CLI_FLAG, NULL, "never ask; new keys are written unencrypted", false }
/* clang-format on */

int passphrase_source_from_cli(
	struct passphrase_source *out, const struct cli *c, struct err *e) CHECKED;
void passphrase_source_clear(struct passphrase_source *s);

/* passphrase_get - the passphrase for `what` ("keys/rot_p256_0.pem"). Asks on the terminal when the
 * source has none and stdin is one; `confirm` asks twice (for new keys). *out is NULL when there is
 * no way to get one: the caller decides whether that is an error. `s` may be NULL: prompt only. */
int passphrase_get(const struct passphrase_source *s, const char *what, bool confirm,
	struct secret **out, struct err *e) CHECKED;

#endif

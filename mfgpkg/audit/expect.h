/* expect - what an auditor brings to a log: keys, checkpoints, witnesses; as options of all audit
 * commands. One thread. */
#ifndef MFGPKG_AUDIT_EXPECT_H
#define MFGPKG_AUDIT_EXPECT_H

#include "base/bytes.h"
#include "base/cli.h"
#include "evidence/audit.h"

/* clang-format off */
#define AUDIT_EXPECT_OPTIONS \
	{ "pub", 'P', CLI_LIST, "OEM_PUB", "OEM key whose orders count: minisign file or the key itself", true }, \
	{ "checkpoint", 0, CLI_LIST, "NOTE", "checkpoint of the log known from elsewhere", false }, \
	{ "witness", 0, CLI_LIST, "VKEY", "key of a witness (or a file with it)", false }, \
	{ "dice-ca", 0, CLI_STRING, "KEY", "the OEM's DICE CA key: PEM, DER, raw or 128 hex digits", false }, \
	{ "rtf", 0, CLI_STRING, "HEX", "run-time fingerprint every receipt should show", false }, \
	{ "log-key", 0, CLI_STRING, "VKEY", "key the log must be signed with (or a file with it)", false }
/* clang-format on */

#define AUDIT_OEM_MAX 32

struct oem_audit_expect {
	struct audit_expect x; /* points into the rest */
	struct minisign_pub oem[AUDIT_OEM_MAX];
	struct buf *notes;
	size_t n_notes;
	struct audit_known *known;
	struct vkey *witnesses, log_key;
	uint8_t dice_ca[64], rtf[32];
	struct cli_list logs; /* operands, and -P values that are databases */
	const char **log_v;
};

/* oem_audit_expect_read - from the command line; at least one log. "-P KEY LOG" works too: a value
 * of -P that is an SQLite file is taken as a log. */
int oem_audit_expect_read(struct oem_audit_expect *out, const struct cli *c, struct err *e) CHECKED;
void oem_audit_expect_clear(struct oem_audit_expect *x);

#endif

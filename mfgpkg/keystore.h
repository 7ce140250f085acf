/* keystore - all secrets one run of mfgpkg handles: RoT/ISK private keys, CUST_MK_SK, OEM seed.
 *
 * Everything that needs a secret gets it here, so the rules are in one place: how each kind may be
 * given, warnings about files that others can read, passphrases, and the memory of what was
 * loaded, so that a package can be searched for it before it is written (keystore_each()).
 * Keys and secrets are borrowed from the keystore and live until keystore_free(). One thread.
 */
#ifndef MFGPKG_KEYSTORE_H
#define MFGPKG_KEYSTORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cli.h"
#include "base/err.h"
#include "keyed/ecc_key.h"
#include "keyed/passphrase.h"
#include "keyed/secret.h"

struct config_node;
struct keystore;

/* keystore_new - passphrases as the options of the command say (PASSPHRASE_OPTIONS), warnings to
 * cli_warn(). c NULL: no prompt, no warnings (tests). `c` must outlive the keystore. */
int keystore_new(struct keystore **out, const struct cli *c, struct err *e) CHECKED;
void keystore_free(struct keystore *ks); /* wipes */
void keystore_freep(struct keystore **ks);
const struct passphrase_source *keystore_passphrases(const struct keystore *ks);
void keystore_warn(const struct keystore *ks, const char *fmt, ...) PRINTF_LIKE(2);
void keystore_warn_text(void *ks, const char *text); /* a config_warn_fn and firmware_warn_fn */

/* A private key by its spec (ecc_key_load()); the same spec is loaded once. keystore_key_at() takes
 * the spec from a configuration, paths relative to it. */
int keystore_key(
	struct keystore *ks, const char *spec, const struct ecc_key **out, struct err *e) CHECKED;
int keystore_key_at(struct keystore *ks, const struct config_node *node, const struct ecc_key **out,
	struct err *e) CHECKED;

/* A public key named in a configuration or on the command line: everything ecc_pub_load_any()
 * takes. */
int keystore_pub(struct keystore *ks, const char *spec, struct ecc_pub *out, struct err *e) CHECKED;
int keystore_pub_at(struct keystore *ks, const struct config_node *node, struct ecc_pub *out,
	struct err *e) CHECKED;

enum keystore_kind {
	KEYSTORE_CUST_MK_SK = 1, /* 32 bytes, or 16 by binary file or inline */
	KEYSTORE_OEM_SEED = 2, /* 16 bytes */
};

/* A symmetric secret from a file: sealed (made by keys generate), text with hex digits, or binary.
 * As with other tools a hex file of fewer than 64 digits gives a CUST_MK_SK of 32 bytes with
 * leading zeros (warned about). keystore_symmetric_at() takes the name from a configuration, where
 * the hex digits themselves may stand instead (warned about: a secret does not belong there). The
 * same file is read once. ERR_CONFIG; no message shows a value that may be a secret. */
int keystore_symmetric(struct keystore *ks, enum keystore_kind kind, const char *path,
	const struct secret **out, struct err *e) CHECKED;
int keystore_symmetric_at(struct keystore *ks, enum keystore_kind kind,
	const struct config_node *node, const struct secret **out, struct err *e) CHECKED;

/* keystore_each - call fn for every secret of this run, private numbers included (keys in a token
 * have none): `create` hands them to the secret scan. Stops at the first -1 and returns it. */
int keystore_each(const struct keystore *ks,
	int (*fn)(void *ctx, const char *name, const struct secret *s, struct err *e), void *ctx,
	struct err *e) CHECKED;

/* --- sealed files: Argon2id and XChaCha20-Poly1305 under a passphrase ---------------------------
 *
 * Two lines of text, as minisign's keys:
 *   untrusted comment: mfgpkg sealed secret: KIND
 *   base64 of "MS" | format 1 | kind | Argon2id passes u32 | memory in KiB u32 (little-endian) |
 *   salt 16 | nonce 24 | box: the secret, encrypted, and a tag of 16 that covers everything before
 */
#define KEYSTORE_SEALED_COMMENT "untrusted comment: mfgpkg sealed secret: "

const char *keystore_kind_name(enum keystore_kind kind); /* "cust-mk-sk", "oem-seed" */
bool keystore_is_sealed(const void *data, size_t len);

/* keystore_seal - append a sealed file. keystore_unseal - open one; ERR_CONFIG: not this kind,
 * damaged, wrong passphrase, or cost parameters beyond what we would ever write. */
int keystore_seal(enum keystore_kind kind, const struct secret *s, const struct secret *passphrase,
	struct buf *file, struct err *e) CHECKED;
int keystore_unseal(enum keystore_kind kind, const char *name, const void *data, size_t len,
	const struct secret *passphrase, struct secret **out, struct err *e) CHECKED;

#endif

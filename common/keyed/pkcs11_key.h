/* pkcs11_key - private keys that stay in a PKCS#11 token, through OpenSSL's pkcs11 engine
 * (Debian: libengine-pkcs11-openssl). For keyed/ecc_key only. One token library per process, which
 * stays loaded and logged in until the process ends.
 */
#ifndef COMMON_KEYED_PKCS11_KEY_H
#define COMMON_KEYED_PKCS11_KEY_H

#include <openssl/evp.h>

#include "base/err.h"
#include "keyed/passphrase.h"

struct pkcs11_token; /* the engine; must outlive the key */

/* pkcs11_key_open - `uri` is an RFC 7512 pkcs11: URI of a private key. Query attributes used:
 * module-path (the token's library; default: p11-kit's list of modules) and pin-source (file:PATH).
 * Without pin-source the PIN comes from `pw`. pin-value is refused: a PIN does not belong in a
 * configuration. ERR_CONFIG (URI, wrong PIN, no PIN, no such key), ERR_ENV (no engine, no token).
 */
int pkcs11_key_open(struct pkcs11_token **token, EVP_PKEY **key, const char *uri,
	const struct passphrase_source *pw, struct err *e) CHECKED;
void pkcs11_token_free(struct pkcs11_token *token);

#endif

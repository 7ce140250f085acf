/* pkcs11_tokens - which tokens a PKCS#11 library has, for saying why a key cannot be had. The
 * engine says "not found" to a missing key and to a token that was taken away; a person must know
 * which. Reads names and flags only: no session, no login. For keyed/pkcs11_key only.
 */
#ifndef COMMON_KEYED_PKCS11_TOKENS_H
#define COMMON_KEYED_PKCS11_TOKENS_H

#include <stdbool.h>
#include <stddef.h>

#define PKCS11_SLOTS_MAX 64 /* looked at; a library with more is not searched further */

struct pkcs11_tokens {
	size_t n; /* initialised tokens that are there */
	size_t n_match; /* of these: with token, manufacturer, model and serial of the URI */
	bool login_required, pin_locked, pin_last_try; /* of the first that matches */
	char labels[160]; /* of all, "\"oem\", \"spare\"", escaped and cut */
};

/* pkcs11_tokens_find - false when the library cannot be asked (then *out is empty). `module` NULL:
 * p11-kit's list of modules, as the engine does. `uri` is the path part of an RFC 7512 URI. */
bool pkcs11_tokens_find(struct pkcs11_tokens *out, const char *module, const char *uri);

#endif

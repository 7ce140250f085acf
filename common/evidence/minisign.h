/* minisign - public keys and detached signatures of minisign 0.11, verification only.
 *
 * Stricter than the program: nothing it refuses is accepted, and of what it accepts only the one
 * form it writes itself (prehashed, LF line ends, exact base64, clean comments, nothing behind), so
 * that evidence has one reading. Secret keys: keyed/minisign_key.h.
 * Pure functions, any thread. Source: format "evidence", section 1.
 */
#ifndef COMMON_EVIDENCE_MINISIGN_H
#define COMMON_EVIDENCE_MINISIGN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define MINISIGN_FILE_MAX    16384 /* any key or signature file */
#define MINISIGN_LINE_MAX    1022 /* first line, without its LF */
#define MINISIGN_COMMENT_MAX 4077 /* trusted comment: what the program can write itself */
#define MINISIGN_ID_LEN	     8

struct minisign_pub {
	uint8_t id[MINISIGN_ID_LEN]; /* key number as stored (little-endian); proves nothing */
	uint8_t key[32];
};

struct minisign_sig {
	uint8_t id[MINISIGN_ID_LEN];
	uint8_t sig[64]; /* over BLAKE2b-512 of the message */
	uint8_t global[64]; /* over sig and the trusted comment */
	char comment[MINISIGN_COMMENT_MAX + 1]; /* clean UTF-8 without controls but TAB */
};

/* minisign_pub_parse - a public key file: two lines; CR LF and a missing last LF are fine. `name`
 * is for messages. ERR_FORMAT, ERR_LIMIT. */
int minisign_pub_parse(struct minisign_pub *out, const char *name, const void *data, size_t len,
	struct err *e) CHECKED;

/* minisign_pub_load - from an option value: a file, or the key's 56 characters themselves. */
int minisign_pub_load(struct minisign_pub *out, const char *path_or_key, struct err *e) CHECKED;

/* minisign_id_hex - the key number as 16 lower-case digits with leading zeros (the form of entry
 * names and leaves). minisign itself prints upper case without leading zeros. Returns out. */
char *minisign_id_hex(char out[17], const uint8_t id[MINISIGN_ID_LEN]);

/* minisign_id_parse - either form, 1 to 16 digits of any case, with leading zeros or not. */
int minisign_id_parse(uint8_t id[MINISIGN_ID_LEN], const char *text) CHECKED;

/* minisign_pub_write - the public key file as minisign -R writes it; out is NUL-terminated. */
#define MINISIGN_PUB_FILE_CAP 160
void minisign_pub_write(const struct minisign_pub *pub, char out[MINISIGN_PUB_FILE_CAP]);

/* minisign_sig_parse - a signature file: exactly four LF-ended lines. ERR_FORMAT, ERR_LIMIT. */
int minisign_sig_parse(struct minisign_sig *out, const char *name, const void *data, size_t len,
	struct err *e) CHECKED;

/* minisign_verify - the signature over msg[len] and the global signature, under this key.
 * ERR_REJECTED when the key number differs or a signature does not hold. */
int minisign_verify(const struct minisign_pub *pub, const struct minisign_sig *sig, const void *msg,
	size_t len, struct err *e) CHECKED;

/* minisign_find - the first key with this number among keys[n], or NULL. */
const struct minisign_pub *minisign_find(
	const struct minisign_pub *keys, size_t n, const uint8_t id[MINISIGN_ID_LEN]);

#endif

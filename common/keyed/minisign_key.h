/* minisign_key - secret keys of minisign 0.11: generate, load, sign, save.
 *
 * The key lives in guarded memory and is wiped when freed. Files are exchanged with the minisign
 * program both ways, encrypted with a passphrase (scrypt) or plain.
 * One thread per object. Source: format "evidence", section 1.1.
 */
#ifndef COMMON_KEYED_MINISIGN_KEY_H
#define COMMON_KEYED_MINISIGN_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"
#include "evidence/minisign.h"

struct minisign_key;

#define MINISIGN_OPSLIMIT     33554432ull /* what minisign -G uses: N = 2^20, r = 8, p = 1 */
#define MINISIGN_MEMLIMIT     1073741824ull
#define MINISIGN_OPSLIMIT_MAX 67108864ull /* a key file that asks for more is refused */
#define MINISIGN_MEMLIMIT_MAX 2147483648ull
#define MINISIGN_PASS_MAX     1022

/* minisign_key_generate - a new key with a random key number. */
int minisign_key_generate(struct minisign_key **out, struct err *e) CHECKED;

/* minisign_key_encrypted - 1 when the key file asks for a passphrase, 0 when not, -1 when it is no
 * secret key file. */
int minisign_key_encrypted(const char *name, const void *data, size_t len, struct err *e) CHECKED;

/* minisign_key_parse - a secret key file. pass[pass_len] may be NULL for a plain key. ERR_FORMAT;
 * ERR_LIMIT (scrypt limits outside the accepted range, refused before memory is taken);
 * ERR_REJECTED (wrong passphrase, checksum, public half that is not of this seed). */
int minisign_key_parse(struct minisign_key **out, const char *name, const void *data, size_t len,
	const void *pass, size_t pass_len, struct err *e) CHECKED;

/* minisign_key_load - the same from a file that others cannot read; the passphrase is asked for
 * from `source` only when the file is encrypted (source may be NULL: then that is an error). */
struct passphrase_source;
int minisign_key_load(struct minisign_key **out, const char *path,
	const struct passphrase_source *source, struct err *e) CHECKED;

/* minisign_key_sign - append a signature file for msg[len] to *sig_file. Deterministic.
 * `trusted_comment`: 1..4077 bytes UTF-8 without controls but TAB; NULL: "timestamp:T\thashed" with
 * the time of SOURCE_DATE_EPOCH or now. */
int minisign_key_sign(const struct minisign_key *key, const void *msg, size_t len,
	const char *trusted_comment, struct buf *sig_file, struct err *e) CHECKED;

/* minisign_key_write - append the secret key file; encrypted when pass is not NULL (may be empty),
 * with the given scrypt limits (0, 0: minisign's own). */
int minisign_key_write(const struct minisign_key *key, const void *pass, size_t pass_len,
	uint64_t opslimit, uint64_t memlimit, struct buf *out, struct err *e) CHECKED;

/* minisign_key_save - the secret key file (0600) and the public key file beside it; neither may
 * exist. pass NULL: not encrypted. */
int minisign_key_save(const struct minisign_key *key, const char *path, const char *pub_path,
	const void *pass, size_t pass_len, struct err *e) CHECKED;

/* minisign_pub_path - where the public key of `path` goes: NAME.key -> NAME.pub, else NAME.pub
 * appended. malloc'ed; NULL when memory is out. */
char *minisign_pub_path(const char *path);

const struct minisign_pub *minisign_key_pub(const struct minisign_key *key);
void minisign_key_free(struct minisign_key *key);
void minisign_key_freep(struct minisign_key **key);

#endif

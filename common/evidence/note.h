/* note - C2SP signed notes, checkpoints of logs, cosignatures of witnesses, log keys.
 *
 * A note is text and signature lines; a checkpoint is a note of three lines (origin, size, root).
 * Log keys (station and epoch keys) belong to the factory; they never touch OEM secrets.
 * Reading is pure and for any thread; a log key is used by one thread.
 * Source: format "evidence", section 3; C2SP signed-note, tlog-checkpoint, tlog-cosignature.
 */
#ifndef COMMON_EVIDENCE_NOTE_H
#define COMMON_EVIDENCE_NOTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"

#define NOTE_MAX	    ((size_t)1 << 20)
#define NOTE_LINES_MAX	    100
#define NOTE_NAME_MAX	    255 /* of keys we know; unknown lines may have longer names */
#define NOTE_SIG_KEEP	    72 /* decoded signature bytes kept per line: cosignature */
#define VKEY_ED25519	    0x01
#define VKEY_COSIGN	    0x04
#define VKEY_TEXT_CAP	    (NOTE_NAME_MAX + 1 + 8 + 1 + 44 + 1)
#define CHECKPOINT_SIZE_MAX INT64_MAX

/* --- verifier keys -------------------------------------------------------------------------- */
struct vkey {
	char name[NOTE_NAME_MAX + 1];
	uint8_t type; /* VKEY_ED25519 or VKEY_COSIGN */
	uint8_t id[4];
	uint8_t key[32];
};

/* vkey_parse - "NAME+8hex+base64". `what` says in messages whose key it is. A secret key in Go's
 * form is refused and never echoed. ERR_FORMAT. */
int vkey_parse(struct vkey *out, const char *what, const char *text, struct err *e) CHECKED;

/* vkey_make - the same key under a name and type, with the id that follows from them. */
int vkey_make(struct vkey *out, const char *name, uint8_t type, const uint8_t key[32],
	struct err *e) CHECKED;
char *vkey_text(const struct vkey *v, char out[VKEY_TEXT_CAP]);
bool vkey_equal(const struct vkey *a, const struct vkey *b);

/* note_name_valid - a key name of the format: not empty, UTF-8, no Unicode space, no '+'. */
bool note_name_valid(const char *name, size_t len);
/* origin_valid - the project's narrower rule: [A-Za-z0-9][A-Za-z0-9._/-]{0,127}. */
bool origin_valid(const char *origin);

/* --- notes ----------------------------------------------------------------------------------- */
struct note_line {
	const char *line; /* whole line without LF, borrowed */
	size_t line_len;
	const char *name; /* borrowed */
	size_t name_len;
	uint8_t id[4];
	uint8_t sig[NOTE_SIG_KEEP];
	size_t sig_len; /* as decoded; only the first NOTE_SIG_KEEP bytes are kept */
	int key; /* index of the known key that verified it, -1: unknown key or repeated line */
	uint64_t time; /* cosignatures: when the witness saw it */
};

struct note {
	const char *text; /* with its last LF, borrowed */
	size_t text_len;
	size_t n_lines, n_verified;
	struct note_line lines[NOTE_LINES_MAX];
};

/* note_parse - the form only, no key: every line malformed makes the whole note malformed. */
int note_parse(
	struct note *out, const char *name, const void *data, size_t len, struct err *e) CHECKED;

/* note_open - parse and verify with the keys that are known: unknown lines are ignored, a known key
 * that does not verify refuses the note (ERR_REJECTED), as does a note without any known key. */
int note_open(struct note *out, const char *name, const void *data, size_t len,
	const struct vkey *keys, size_t n_keys, struct err *e) CHECKED;

/* note_check_line - one signature over `text` by this key: 0 or -1. */
int note_check_line(const struct vkey *key, const char *text, size_t text_len,
	struct note_line *line, struct err *e) CHECKED;

/* note_line_parse - a line that stands alone (a cosignature kept in a table), without LF. */
int note_line_parse(struct note_line *out, const char *name, const char *line, size_t len,
	struct err *e) CHECKED;

/* --- checkpoints ------------------------------------------------------------------------------ */
struct checkpoint {
	char origin[NOTE_NAME_MAX + 1];
	uint64_t size;
	uint8_t root[32];
};

/* checkpoint_parse - the text of a note: exactly three lines. ERR_FORMAT. */
int checkpoint_parse(struct checkpoint *out, const char *name, const char *text, size_t len,
	struct err *e) CHECKED;

/* checkpoint_open - note_open with the log's keys (and witnesses'), body, expected origin (NULL:
 * any), and a log signature under the origin's name by one of keys[n_log]; keys[n_log..n) are
 * witnesses. */
int checkpoint_open(struct checkpoint *out, struct note *note, const char *name, const void *data,
	size_t len, const char *origin, const struct vkey *keys, size_t n_log, size_t n_keys,
	struct err *e) CHECKED;

/* checkpoint_text - append the three lines. */
void checkpoint_text(const struct checkpoint *c, struct buf *out);

/* --- log keys: Ed25519 secrets of a station or an epoch, guarded memory, file 0600 -------------
 */
struct log_key;
int log_key_generate(struct log_key **out, struct err *e) CHECKED;
int log_key_from_seed(struct log_key **out, const uint8_t seed[32], struct err *e) CHECKED;
int log_key_load(struct log_key **out, const char *path, struct err *e) CHECKED;
int log_key_save(const struct log_key *key, const char *path, struct err *e) CHECKED; /* new file */
const uint8_t *log_key_pub(const struct log_key *key); /* 32 bytes */

/* log_key_vkey - append the verifier key under this name (type VKEY_ED25519). */
int log_key_vkey(
	const struct log_key *key, const char *name, struct buf *out, struct err *e) CHECKED;

/* log_key_sign - append one signature line over text[len]: "- NAME BASE64" with U+2014, LF. */
int log_key_sign(const struct log_key *key, const char *name, const char *text, size_t len,
	struct buf *out, struct err *e) CHECKED;

/* log_key_cosign - append a witness's cosignature line (type 04) with its time. */
int log_key_cosign(const struct log_key *key, const char *name, uint64_t time, const char *text,
	size_t len, struct buf *out, struct err *e) CHECKED;
void log_key_free(struct log_key *key);
void log_key_freep(struct log_key **key);

#endif

#include <ctype.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/fsio.h"
#include "base/text.h"
#include "evidence/minisign.h"

#define UNTRUSTED "untrusted comment: "
#define TRUSTED	  "trusted comment: "

#define PUB_LEN	     42 /* "Ed", key number, public key */
#define PUB_TEXT_LEN 56
#define SIG_LEN	     74 /* "ED", key number, signature */

/* --- lines ---------------------------------------------------------------------------------- */

struct line {
	const char *p;
	size_t len;
};

/* The next line of a text. `lenient` (key files): CR before LF and a missing last LF are fine.
 * Returns false when there is none, or when a line must end in LF and does not. */
static bool next_line(const char **p, const char *end, bool lenient, struct line *out)
{
	if (*p == end)
		return false;
	const char *lf = memchr(*p, '\n', (size_t)(end - *p));
	if (!lf && !lenient)
		return false;
	const char *stop = lf ? lf : end;
	*out = (struct line){ .p = *p, .len = (size_t)(stop - *p) };
	if (lenient && out->len && stop[-1] == '\r')
		out->len--;
	*p = lf ? lf + 1 : end;
	return true;
}

static bool starts_with(const struct line *l, const char *prefix)
{
	return l->len >= strlen(prefix) && memcmp(l->p, prefix, strlen(prefix)) == 0;
}

/* Comments are shown to people: nothing that moves a cursor, nothing that is not text. */
static bool clean_text(const char *p, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)p[i];
		if ((c < 0x20 && c != '\t') || c == 0x7F)
			return false;
	}
	return utf8_valid(p, len);
}

static int check_comment_line(
	const char *name, unsigned number, const struct line *l, const char *prefix, struct err *e)
{
	if (!clean_text(l->p, l->len))
		return err_set(e, ERR_FORMAT,
			"%s: line %u holds a control character or invalid UTF-8", name, number);
	if (!starts_with(l, prefix))
		return err_set(e, ERR_FORMAT, "%s: line %u does not start with \"%s\"", name,
			number, prefix);
	return 0;
}

static int check_size(const char *name, size_t len, struct err *e)
{
	if (len > MINISIGN_FILE_MAX)
		return err_set(e, ERR_LIMIT, "%s: %zu bytes, at most %d wanted", name, len,
			MINISIGN_FILE_MAX);
	return 0;
}

static int decode(const char *name, const char *what, const struct line *l, uint8_t *out,
	size_t want, struct err *e)
{
	size_t len;

	if (base64_decode(out, want, &len, l->p, l->len) != 0 || len != want)
		return err_set(e, ERR_FORMAT,
			"%s: %s is not exact base64 of %zu bytes (%zu characters seen)", name, what,
			want, l->len);
	return 0;
}

/* --- public keys ---------------------------------------------------------------------------- */

static int pub_from_base64(
	struct minisign_pub *out, const char *name, const struct line *l, struct err *e)
{
	uint8_t raw[PUB_LEN];

	if (decode(name, "the public key", l, raw, sizeof raw, e) != 0)
		return -1;
	if (raw[0] != 'E' || raw[1] != 'd')
		return err_set(e, ERR_FORMAT,
			"%s: public key algorithm %02x %02x, 45 64 (Ed) wanted", name, raw[0],
			raw[1]);
	memcpy(out->id, raw + 2, sizeof out->id);
	memcpy(out->key, raw + 10, sizeof out->key);
	return 0;
}

int minisign_pub_parse(
	struct minisign_pub *out, const char *name, const void *data, size_t len, struct err *e)
{
	const char *p = data, *end = p + len;
	struct line first, second;

	if (check_size(name, len, e) != 0)
		return -1;
	if (len == 0)
		return err_set(e, ERR_FORMAT, "%s: empty, a minisign public key wanted", name);
	const struct line bare = { p, len };
	if (len == PUB_TEXT_LEN && !memchr(p, '\n', len)) /* as documents carry it */
		return pub_from_base64(out, name, &bare, e);
	if (!next_line(&p, end, true, &first))
		return err_set(e, ERR_FORMAT, "%s: not a minisign public key", name);
	if (first.len > MINISIGN_LINE_MAX)
		return err_set(e, ERR_LIMIT, "%s: line 1 of %zu bytes, at most %d wanted", name,
			first.len, MINISIGN_LINE_MAX);
	if (check_comment_line(name, 1, &first, UNTRUSTED, e) != 0)
		return -1;
	if (!next_line(&p, end, true, &second))
		return err_set(e, ERR_FORMAT, "%s: line 2 (the public key) is missing", name);
	if (p != end)
		return err_set(
			e, ERR_FORMAT, "%s: %zu bytes after line 2", name, (size_t)(end - p));
	return pub_from_base64(out, name, &second, e);
}

int minisign_pub_load(struct minisign_pub *out, const char *path_or_key, struct err *e)
{
	AUTO(buf_clear) struct buf file = { 0 };

	const struct line bare = { path_or_key, strlen(path_or_key) };
	if (bare.len == PUB_TEXT_LEN && path_or_key[0] == 'R' && !fsio_exists(path_or_key))
		return pub_from_base64(out, "public key", &bare, e);
	if (fsio_read(path_or_key, MINISIGN_FILE_MAX, &file, e) != 0)
		return -1;
	return minisign_pub_parse(out, path_or_key, file.p, file.len, e);
}

char *minisign_id_hex(char out[17], const uint8_t id[MINISIGN_ID_LEN])
{
	snprintf(out, 17, "%016llx", (unsigned long long)get_le64(id));
	return out;
}

int minisign_id_parse(uint8_t id[MINISIGN_ID_LEN], const char *text)
{
	uint64_t v = 0;
	size_t n = strlen(text);

	if (n == 0 || n > 16)
		return -1;
	for (size_t i = 0; i < n; i++) {
		int c = tolower((unsigned char)text[i]);
		if (!isxdigit(c))
			return -1;
		v = v << 4 | (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);
	}
	put_le64(id, v);
	return 0;
}

void minisign_pub_write(const struct minisign_pub *pub, char out[MINISIGN_PUB_FILE_CAP])
{
	uint8_t raw[PUB_LEN] = { 'E', 'd' };
	char text[BASE64_LEN(PUB_LEN) + 1];

	memcpy(raw + 2, pub->id, sizeof pub->id);
	memcpy(raw + 10, pub->key, sizeof pub->key);
	snprintf(out, MINISIGN_PUB_FILE_CAP, UNTRUSTED "minisign public key %llX\n%s\n",
		(unsigned long long)get_le64(pub->id), base64_encode(text, raw, sizeof raw));
}

/* --- signatures ----------------------------------------------------------------------------- */

int minisign_sig_parse(
	struct minisign_sig *out, const char *name, const void *data, size_t len, struct err *e)
{
	const char *p = data, *end = p + len;
	struct line l[4];
	uint8_t raw[SIG_LEN], global[64];

	if (check_size(name, len, e) != 0)
		return -1;
	for (unsigned i = 0; i < 4; i++)
		if (!next_line(&p, end, false, &l[i]))
			return err_set(
				e, ERR_FORMAT, "%s: %u lines that end in LF, 4 wanted", name, i);
	if (p != end)
		return err_set(
			e, ERR_FORMAT, "%s: %zu bytes after line 4", name, (size_t)(end - p));
	if (l[0].len > MINISIGN_LINE_MAX)
		return err_set(e, ERR_LIMIT, "%s: line 1 of %zu bytes, at most %d wanted", name,
			l[0].len, MINISIGN_LINE_MAX);
	if (check_comment_line(name, 1, &l[0], UNTRUSTED, e) != 0 ||
		check_comment_line(name, 3, &l[2], TRUSTED, e) != 0)
		return -1;

	struct line comment = { l[2].p + strlen(TRUSTED), l[2].len - strlen(TRUSTED) };
	if (comment.len < 1 || comment.len > MINISIGN_COMMENT_MAX)
		return err_set(e, ERR_LIMIT, "%s: trusted comment of %zu bytes, 1 to %d wanted",
			name, comment.len, MINISIGN_COMMENT_MAX);
	if (decode(name, "the signature", &l[1], raw, sizeof raw, e) != 0 ||
		decode(name, "the global signature", &l[3], global, sizeof global, e) != 0)
		return -1;
	if (raw[0] == 'E' && raw[1] == 'd')
		return err_set(e, ERR_FORMAT,
			"%s: legacy signature (Ed), a prehashed one (ED) wanted", name);
	if (raw[0] != 'E' || raw[1] != 'D')
		return err_set(e, ERR_FORMAT,
			"%s: signature algorithm %02x %02x, 45 44 (ED) wanted", name, raw[0],
			raw[1]);

	memcpy(out->id, raw + 2, sizeof out->id);
	memcpy(out->sig, raw + 10, sizeof out->sig);
	memcpy(out->global, global, sizeof out->global);
	memcpy(out->comment, comment.p, comment.len);
	out->comment[comment.len] = '\0';
	return 0;
}

int minisign_verify(const struct minisign_pub *pub, const struct minisign_sig *sig, const void *msg,
	size_t len, struct err *e)
{
	uint8_t hash[64], global[64 + MINISIGN_COMMENT_MAX];
	size_t comment_len = strlen(sig->comment);
	char have[17], want[17];

	if (memcmp(pub->id, sig->id, sizeof pub->id) != 0)
		return err_set(e, ERR_REJECTED, "signature is by key %s, the key given is %s",
			minisign_id_hex(have, sig->id), minisign_id_hex(want, pub->id));
	crypto_generichash(hash, sizeof hash, msg, len, NULL, 0);
	if (crypto_sign_verify_detached(sig->sig, hash, sizeof hash, pub->key) != 0)
		return err_set(e, ERR_REJECTED, "signature by key %s does not verify",
			minisign_id_hex(have, sig->id));
	memcpy(global, sig->sig, sizeof sig->sig);
	memcpy(global + sizeof sig->sig, sig->comment, comment_len);
	if (crypto_sign_verify_detached(
		    sig->global, global, sizeof sig->sig + comment_len, pub->key) != 0)
		return err_set(e, ERR_REJECTED,
			"trusted comment of the signature by key %s does not verify",
			minisign_id_hex(have, sig->id));
	return 0;
}

const struct minisign_pub *minisign_find(
	const struct minisign_pub *keys, size_t n, const uint8_t id[MINISIGN_ID_LEN])
{
	for (size_t i = 0; i < n; i++)
		if (memcmp(keys[i].id, id, MINISIGN_ID_LEN) == 0)
			return &keys[i];
	return NULL;
}

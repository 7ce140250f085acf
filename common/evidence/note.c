#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "evidence/merkle.h"
#include "evidence/note.h"

#define EM_DASH	     "\xE2\x80\x94 "
#define EM_DASH_LEN  4 /* with its space */
#define LINE_SIG_MAX 4096 /* decoded bytes of one line: the largest type has 2432 */

/* --- names ---------------------------------------------------------------------------------- */

/* Go's unicode.IsSpace. `p` is valid UTF-8; returns the length of the space at p, or 0. */
static size_t unicode_space(const uint8_t *p, size_t left)
{
	if ((p[0] >= 0x09 && p[0] <= 0x0D) || p[0] == 0x20)
		return 1;
	if (left >= 2 && p[0] == 0xC2 && (p[1] == 0x85 || p[1] == 0xA0))
		return 2;
	if (left < 3)
		return 0;
	uint32_t c = (uint32_t)(p[0] & 0x0F) << 12 | (uint32_t)(p[1] & 0x3F) << 6 | (p[2] & 0x3F);
	if ((p[0] & 0xF0) == 0xE0 &&
		(c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 ||
			c == 0x202F || c == 0x205F || c == 0x3000))
		return 3;
	return 0;
}

bool note_name_valid(const char *name, size_t len)
{
	const uint8_t *p = (const uint8_t *)name;

	if (len == 0 || !utf8_valid(name, len))
		return false;
	for (size_t i = 0; i < len; i++)
		if (p[i] == '+' || p[i] < 0x20 || unicode_space(p + i, len - i))
			return false;
	return true;
}

bool origin_valid(const char *origin)
{
	static const char first[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
	size_t n = strlen(origin);

	return n >= 1 && n <= 128 && strchr(first, origin[0]) &&
	       strspn(origin,
		       "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._/-") == n;
}

/* --- verifier keys -------------------------------------------------------------------------- */

int vkey_make(
	struct vkey *out, const char *name, uint8_t type, const uint8_t key[32], struct err *e)
{
	crypto_hash_sha256_state s;
	uint8_t hash[32];
	size_t len = strlen(name);
	struct vkey v = { .type = type };

	if (!note_name_valid(name, len) || len > NOTE_NAME_MAX)
		return err_set(e, ERR_FORMAT,
			"key name \"%s\": 1 to %d bytes without space and + wanted", ESC(name),
			NOTE_NAME_MAX);
	if (type != VKEY_ED25519 && type != VKEY_COSIGN)
		return err_set(e, ERR_FORMAT, "key type %02x, 01 or 04 wanted", type);
	memcpy(v.name, name, len + 1);
	memcpy(v.key, key, sizeof v.key);
	crypto_hash_sha256_init(&s);
	crypto_hash_sha256_update(&s, (const uint8_t *)name, len);
	crypto_hash_sha256_update(&s, (const uint8_t *)"\n", 1);
	crypto_hash_sha256_update(&s, &type, 1);
	crypto_hash_sha256_update(&s, key, 32);
	crypto_hash_sha256_final(&s, hash);
	memcpy(v.id, hash, sizeof v.id);
	*out = v;
	return 0;
}

int vkey_parse(struct vkey *out, const char *what, const char *text, struct err *e)
{
	uint8_t raw[33], id[4];
	char name[NOTE_NAME_MAX + 1];
	size_t n;
	struct vkey v;

	if (strncmp(text, "PRIVATE+KEY+", 12) == 0)
		return err_set(e, ERR_FORMAT,
			"%s: this is a secret key, a verifier key (NAME+ID+KEY) wanted", what);
	const char *plus = strchr(text, '+');
	const char *second = plus ? strchr(plus + 1, '+') : NULL;
	if (!second)
		return err_set(e, ERR_FORMAT, "%s: \"%s\" is no verifier key (NAME+ID+KEY)", what,
			ESC(text));
	if ((size_t)(plus - text) > NOTE_NAME_MAX || !note_name_valid(text, (size_t)(plus - text)))
		return err_set(e, ERR_FORMAT, "%s: bad key name in \"%s\"", what, ESC(text));
	if (second - plus != 9 || strspn(plus + 1, "0123456789abcdef") != 8 ||
		hex_decode_n(id, sizeof id, plus + 1, 8) != 0)
		return err_set(e, ERR_FORMAT, "%s: key id in \"%s\" is not 8 lower-case hex digits",
			what, ESC(text));
	if (base64_decode(raw, sizeof raw, &n, second + 1, strlen(second + 1)) != 0 ||
		n != sizeof raw)
		return err_set(e, ERR_FORMAT, "%s: key in \"%s\" is not exact base64 of 33 bytes",
			what, ESC(text));
	memcpy(name, text, (size_t)(plus - text));
	name[plus - text] = '\0';
	if (vkey_make(&v, name, raw[0], raw + 1, e) != 0)
		return err_wrap(e, "%s", what);
	if (memcmp(v.id, id, sizeof id) != 0)
		return err_set(e, ERR_FORMAT,
			"%s: key id %.8s does not belong to this name and key, %02x%02x%02x%02x "
			"wanted",
			what, plus + 1, v.id[0], v.id[1], v.id[2], v.id[3]);
	*out = v;
	return 0;
}

char *vkey_text(const struct vkey *v, char out[VKEY_TEXT_CAP])
{
	uint8_t raw[33];
	char hex[9], b64[BASE64_LEN(sizeof raw) + 1];

	raw[0] = v->type;
	memcpy(raw + 1, v->key, 32);
	snprintf(out, VKEY_TEXT_CAP, "%s+%s+%s", v->name, hex_encode(hex, v->id, 4),
		base64_encode(b64, raw, sizeof raw));
	return out;
}

bool vkey_equal(const struct vkey *a, const struct vkey *b)
{
	return a->type == b->type && strcmp(a->name, b->name) == 0 &&
	       memcmp(a->key, b->key, sizeof a->key) == 0;
}

/* --- notes ---------------------------------------------------------------------------------- */

int note_line_parse(
	struct note_line *out, const char *name, const char *line, size_t len, struct err *e)
{
	struct note_line l = { .line = line, .line_len = len, .key = -1 };
	uint8_t raw[LINE_SIG_MAX];
	size_t n;

	if (len < EM_DASH_LEN || memcmp(line, EM_DASH, EM_DASH_LEN) != 0)
		return err_set(e, ERR_FORMAT,
			"%s: signature line does not start with U+2014 and a space", name);
	l.name = line + EM_DASH_LEN;
	const char *space = memchr(l.name, ' ', len - EM_DASH_LEN);
	if (!space)
		return err_set(e, ERR_FORMAT, "%s: signature line without a signature", name);
	l.name_len = (size_t)(space - l.name);
	if (!note_name_valid(l.name, l.name_len))
		return err_set(e, ERR_FORMAT, "%s: bad key name in a signature line", name);
	if (base64_decode(raw, sizeof raw, &n, space + 1, len - (size_t)(space + 1 - line)) != 0 ||
		n < 5)
		return err_set(e, ERR_FORMAT,
			"%s: signature of %.*s is not exact base64 of 5 to %d bytes", name,
			l.name_len < 200 ? (int)l.name_len : 200, l.name, LINE_SIG_MAX);
	memcpy(l.id, raw, sizeof l.id);
	l.sig_len = n - sizeof l.id;
	memcpy(l.sig, raw + sizeof l.id, l.sig_len < sizeof l.sig ? l.sig_len : sizeof l.sig);
	*out = l;
	return 0;
}

/* Where the signature block starts: behind the last blank line. NULL when there is none. */
static const char *last_blank_line(const char *p, size_t len)
{
	for (size_t i = len; i-- > 1;)
		if (p[i] == '\n' && p[i - 1] == '\n')
			return p + i + 1;
	return NULL;
}

int note_parse(struct note *out, const char *name, const void *data, size_t len, struct err *e)
{
	const char *p = data, *end = p + len;

	if (len > NOTE_MAX)
		return err_set(
			e, ERR_LIMIT, "%s: %zu bytes, at most %zu wanted", name, len, NOTE_MAX);
	for (size_t i = 0; i < len; i++)
		if ((uint8_t)p[i] < 0x20 && p[i] != '\n')
			return err_set(e, ERR_FORMAT, "%s: control character %02x at byte %zu",
				name, (uint8_t)p[i], i);
	if (!utf8_valid(p, len))
		return err_set(e, ERR_FORMAT, "%s: not UTF-8", name);
	if (len == 0 || end[-1] != '\n')
		return err_set(e, ERR_FORMAT, "%s: last line does not end in LF", name);
	const char *sigs = last_blank_line(p, len);
	if (!sigs)
		return err_set(e, ERR_FORMAT, "%s: no blank line before the signatures", name);
	if (sigs == end)
		return err_set(e, ERR_FORMAT, "%s: no signature line", name);

	out->text = p;
	out->text_len = (size_t)(sigs - p) - 1;
	out->n_lines = out->n_verified = 0;
	if (out->text_len < 2 && out->text[0] == '\n')
		return err_set(e, ERR_FORMAT, "%s: no text before the signatures", name);
	while (sigs < end) {
		const char *lf = memchr(sigs, '\n', (size_t)(end - sigs));
		if (out->n_lines == NOTE_LINES_MAX)
			return err_set(e, ERR_LIMIT, "%s: more than %d signature lines", name,
				NOTE_LINES_MAX);
		if (note_line_parse(
			    &out->lines[out->n_lines], name, sigs, (size_t)(lf - sigs), e) != 0)
			return -1;
		out->n_lines++;
		sigs = lf + 1;
	}
	return 0;
}

int note_check_line(const struct vkey *key, const char *text, size_t text_len,
	struct note_line *line, struct err *e)
{
	if (key->type == VKEY_ED25519) {
		if (line->sig_len != 64 || crypto_sign_verify_detached(line->sig,
						   (const uint8_t *)text, text_len, key->key) != 0)
			return err_set(e, ERR_REJECTED,
				"signature of %s (key %02x%02x%02x%02x) does not verify", key->name,
				key->id[0], key->id[1], key->id[2], key->id[3]);
		return 0;
	}

	uint64_t time = get_be64(line->sig);
	AUTO(buf_clear) struct buf msg = { 0 };
	if (line->sig_len != 72 || time == 0 || time > INT64_MAX)
		return err_set(e, ERR_REJECTED,
			"cosignature of %s holds no time and signature (%zu bytes, 72 wanted)",
			key->name, line->sig_len);
	wr_printf(&msg, "cosignature/v1\ntime %llu\n", (unsigned long long)time);
	wr_bytes(&msg, text, text_len);
	if (buf_check(&msg, "cosigned message", e) != 0)
		return -1;
	if (crypto_sign_verify_detached(line->sig + 8, msg.p, msg.len, key->key) != 0)
		return err_set(e, ERR_REJECTED,
			"cosignature of %s (key %02x%02x%02x%02x) does not verify", key->name,
			key->id[0], key->id[1], key->id[2], key->id[3]);
	line->time = time;
	return 0;
}

static bool key_matches(const struct vkey *k, const struct note_line *l)
{
	return memcmp(k->id, l->id, sizeof k->id) == 0 && strlen(k->name) == l->name_len &&
	       memcmp(k->name, l->name, l->name_len) == 0;
}

int note_open(struct note *out, const char *name, const void *data, size_t len,
	const struct vkey *keys, size_t n_keys, struct err *e)
{
	if (note_parse(out, name, data, len, e) != 0)
		return -1;
	for (size_t i = 0; i < out->n_lines; i++) {
		struct note_line *l = &out->lines[i];
		size_t k = 0;
		bool repeated = false;
		while (k < n_keys && !key_matches(&keys[k], l))
			k++;
		if (k == n_keys)
			continue;
		for (size_t j = 0; j < i; j++)
			repeated |= out->lines[j].key == (int)k;
		if (repeated)
			continue;
		if (note_check_line(&keys[k], out->text, out->text_len, l, e) != 0)
			return err_wrap(e, "%s", name);
		l->key = (int)k;
		out->n_verified++;
	}
	if (out->n_verified == 0)
		return err_set(e, ERR_REJECTED, "%s: no signature by a known key", name);
	return 0;
}

/* --- checkpoints ---------------------------------------------------------------------------- */

int checkpoint_parse(
	struct checkpoint *out, const char *name, const char *text, size_t len, struct err *e)
{
	struct checkpoint c;
	const char *p = text, *end = text + len, *lf[3];
	size_t n;

	for (int i = 0; i < 3; i++) {
		lf[i] = p < end ? memchr(p, '\n', (size_t)(end - p)) : NULL;
		if (!lf[i])
			return err_set(e, ERR_FORMAT, "%s: %d lines, 3 (origin, size, root) wanted",
				name, i);
		p = lf[i] + 1;
	}
	if (p != end)
		return err_set(e, ERR_FORMAT, "%s: extension lines after the root", name);
	size_t origin_len = (size_t)(lf[0] - text);
	if (origin_len > NOTE_NAME_MAX || !note_name_valid(text, origin_len))
		return err_set(e, ERR_FORMAT, "%s: origin is empty, too long or no key name", name);
	memcpy(c.origin, text, origin_len);
	c.origin[origin_len] = '\0';
	if (decimal_parse(lf[0] + 1, (size_t)(lf[1] - lf[0] - 1), CHECKPOINT_SIZE_MAX, &c.size) !=
		0)
		return err_set(
			e, ERR_FORMAT, "%s: size is not a plain decimal number up to 2^63-1", name);
	if (base64_decode(c.root, sizeof c.root, &n, lf[1] + 1, (size_t)(lf[2] - lf[1] - 1)) != 0 ||
		n != sizeof c.root)
		return err_set(e, ERR_FORMAT, "%s: root is not exact base64 of 32 bytes", name);
	if (c.size == 0) {
		uint8_t empty[32];
		merkle_root(&(struct merkle){ 0 }, empty);
		if (memcmp(c.root, empty, sizeof empty) != 0)
			return err_set(e, ERR_FORMAT,
				"%s: root of size 0 is not SHA-256 of nothing", name);
	}
	*out = c;
	return 0;
}

int checkpoint_open(struct checkpoint *out, struct note *note, const char *name, const void *data,
	size_t len, const char *origin, const struct vkey *keys, size_t n_log, size_t n_keys,
	struct err *e)
{
	struct checkpoint c;
	bool signed_by_log = false;

	if (note_open(note, name, data, len, keys, n_keys, e) != 0 ||
		checkpoint_parse(&c, name, note->text, note->text_len, e) != 0)
		return -1;
	if (origin && strcmp(c.origin, origin) != 0)
		return err_set(e, ERR_REJECTED, "%s: origin %s, %s wanted", name, c.origin, origin);
	for (size_t i = 0; i < note->n_lines; i++) {
		int k = note->lines[i].key;
		signed_by_log |= k >= 0 && (size_t)k < n_log && strcmp(keys[k].name, c.origin) == 0;
	}
	if (!signed_by_log)
		return err_set(
			e, ERR_REJECTED, "%s: no signature of the log %s itself", name, c.origin);
	*out = c;
	return 0;
}

void checkpoint_text(const struct checkpoint *c, struct buf *out)
{
	char root[BASE64_LEN(32) + 1];

	wr_printf(out, "%s\n%llu\n%s\n", c->origin, (unsigned long long)c->size,
		base64_encode(root, c->root, sizeof c->root));
}

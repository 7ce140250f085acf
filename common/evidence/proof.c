#include <string.h>

#include "base/text.h"
#include "evidence/proof.h"

#define HEADER "c2sp.org/tlog-proof@v1"

struct line {
	const char *p;
	size_t len;
};

static int next_line(
	const char **p, const char *end, struct line *out, const char *name, struct err *e)
{
	const char *lf = *p < end ? memchr(*p, '\n', (size_t)(end - *p)) : NULL;

	if (!lf)
		return err_set(e, ERR_FORMAT, "%s: ends before the checkpoint", name);
	*out = (struct line){ *p, (size_t)(lf - *p) };
	if (out->len > PROOF_LINE_MAX)
		return err_set(e, ERR_LIMIT, "%s: line of %zu bytes, at most %d wanted", name,
			out->len, PROOF_LINE_MAX);
	*p = lf + 1;
	return 0;
}

static bool prefix(const struct line *l, const char *s)
{
	return l->len >= strlen(s) && memcmp(l->p, s, strlen(s)) == 0;
}

void proof_clear(struct proof *p)
{
	buf_clear(&p->extra);
}

static int parse(struct proof *out, const char *name, const char *p, size_t len, struct err *e)
{
	const char *end = p + len;
	struct line l;
	size_t n;

	if (len > PROOF_MAX)
		return err_set(
			e, ERR_LIMIT, "%s: %zu bytes, at most %zu wanted", name, len, PROOF_MAX);
	if (next_line(&p, end, &l, name, e) != 0)
		return -1;
	if (l.len != strlen(HEADER) || !prefix(&l, HEADER))
		return err_set(e, ERR_FORMAT, "%s: first line is not \"" HEADER "\"", name);

	if (next_line(&p, end, &l, name, e) != 0)
		return -1;
	if (prefix(&l, "extra ")) {
		size_t text = l.len - 6, cap = text / 4 * 3;
		if (!buf_grow(&out->extra, cap + 1)) /* never NULL, also when it is empty */
			return err_set(e, ERR_ENV, "%s: out of memory", name);
		if (base64_decode(out->extra.p, cap, &n, l.p + 6, text) != 0)
			return err_set(e, ERR_FORMAT, "%s: extra is not exact base64", name);
		out->extra.len = n;
		out->has_extra = true;
		if (next_line(&p, end, &l, name, e) != 0)
			return -1;
	}
	if (!prefix(&l, "index ") ||
		decimal_parse(l.p + 6, l.len - 6, CHECKPOINT_SIZE_MAX, &out->index) != 0)
		return err_set(e, ERR_FORMAT,
			"%s: \"index\" and a plain decimal number wanted, \"%s\" seen", name,
			text_escape((char[60]){ 0 }, 60, l.p, l.len));
	for (;;) {
		if (next_line(&p, end, &l, name, e) != 0)
			return -1;
		if (l.len == 0)
			break;
		if (out->n_path == MERKLE_PATH_MAX)
			return err_set(
				e, ERR_LIMIT, "%s: more than %d hashes", name, MERKLE_PATH_MAX);
		if (base64_decode(out->path[out->n_path], MERKLE_HASH, &n, l.p, l.len) != 0 ||
			n != MERKLE_HASH)
			return err_set(e, ERR_FORMAT,
				"%s: hash %zu is not exact base64 of 32 bytes", name, out->n_path);
		out->n_path++;
	}
	out->note = p;
	out->note_len = (size_t)(end - p);
	return 0;
}

int proof_parse(struct proof *out, const char *name, const void *data, size_t len, struct err *e)
{
	struct proof p = { .extra = { .max = PROOF_EXTRA_MAX + 4 } };

	if (parse(&p, name, data, len, e) != 0) {
		proof_clear(&p);
		return -1;
	}
	*out = p;
	return 0;
}

int proof_write(uint64_t index, const void *extra, size_t extra_len,
	const struct merkle_proof *path, const char *note, size_t note_len, struct buf *out,
	struct err *e)
{
	wr_str(out, HEADER "\n");
	if (extra && 6 + BASE64_LEN(extra_len) <= PROOF_LINE_MAX) {
		char text[PROOF_LINE_MAX + 1];
		wr_printf(out, "extra %s\n", base64_encode(text, extra, extra_len));
	}
	wr_printf(out, "index %llu\n", (unsigned long long)index);
	for (size_t i = 0; i < path->n; i++) {
		char text[BASE64_LEN(MERKLE_HASH) + 1];
		wr_printf(out, "%s\n", base64_encode(text, path->hash[i], MERKLE_HASH));
	}
	wr_u8(out, '\n');
	wr_bytes(out, note, note_len);
	return buf_check(out, "proof", e);
}

int proof_check(const struct proof *p, const char *name, const struct policy *policy,
	const char *origin, const void *leaf, size_t leaf_len, struct checkpoint *out,
	struct err *e)
{
	struct checkpoint c;
	uint8_t hash[MERKLE_HASH];

	if (policy_check(policy, name, p->note, p->note_len, origin, &c, e) != 0)
		return -1;
	if (!leaf && !p->has_extra)
		return err_set(e, ERR_FORMAT, "%s: holds no leaf, and none was given", name);
	merkle_leaf_hash(leaf ? leaf : p->extra.p, leaf ? leaf_len : p->extra.len, hash);
	if (merkle_check_inclusion(p->index, c.size, hash, p->path[0], p->n_path, c.root, e) != 0)
		return err_wrap(e, "%s", name);
	*out = c;
	return 0;
}

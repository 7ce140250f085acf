#include <stdio.h>
#include <string.h>

#include "base/fsio.h"
#include "base/json.h"
#include "base/text.h"
#include "evidence/leaf_table.h"
#include "evidence/note.h"

const char *leaf_role_name(enum leaf_role role)
{
	switch (role) {
	case ROLE_ORDER:
		return "order";
	case ROLE_UNORDERED:
		return "unordered";
	case ROLE_WORKSPACE:
		return "workspace";
	}
	return "?";
}

const char *leaf_kind_name(enum leaf_kind kind)
{
	return kind < LEAF_KINDS ? leaf_kinds[kind].name : "?";
}

/* --- scanner -------------------------------------------------------------------------------- */

struct scan {
	const char *p, *end;
	const char *name; /* of the leaf, for messages */
	const char *path; /* member being read */
	struct leaf *leaf;
};

/* What stands at the cursor: a line of JSON keeps its quotes, so that it can be read. */
static void show(const struct scan *s, char out[64])
{
	size_t left = (size_t)(s->end - s->p), n = 0;

	if (left == 0)
		strcpy(out, "the end");
	for (size_t i = 0; i < left && n < 40; i++) {
		uint8_t c = (uint8_t)s->p[i];
		n += (size_t)snprintf(out + n, 64 - n, c < 0x20 || c > 0x7E ? "\\x%02X" : "%c", c);
		if (n >= 40 && i + 1 < left)
			strcpy(out + n, "...");
	}
}

static int bad(const struct scan *s, struct err *e, const char *wanted)
{
	char seen[64];

	show(s, seen);
	return err_set(e, ERR_FORMAT, "%s: member \"%s\": %s wanted, %s seen", s->name, s->path,
		wanted, seen);
}

static bool take(struct scan *s, const char *text)
{
	size_t n = strlen(text);

	if ((size_t)(s->end - s->p) < n || memcmp(s->p, text, n) != 0)
		return false;
	s->p += n;
	return true;
}

static int hex4(const char *p, const char *end)
{
	int v = 0;

	if (end - p < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		char c = p[i];
		int d = c >= '0' && c <= '9'   ? c - '0'
			: c >= 'a' && c <= 'f' ? c - 'a' + 10
			: c >= 'A' && c <= 'F' ? c - 'A' + 10
					       : -1;
		if (d < 0)
			return -1;
		v = v << 4 | d;
	}
	return v;
}

/* One escape at p (behind the backslash). Its length, 0 when it is none; *code: the character. */
static size_t escape(const char *p, const char *end, uint32_t *code)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *f = p < end && *p ? strchr(from, *p) : NULL;

	if (f) {
		*code = (uint8_t)to[f - from];
		return 1;
	}
	int c = p < end && *p == 'u' ? hex4(p + 1, end) : -1;
	if (c <= 0 || (c >= 0xDC00 && c <= 0xDFFF))
		return 0; /* not an escape, NUL, or the second half of a pair alone */
	*code = (uint32_t)c;
	if (c < 0xD800 || c > 0xDBFF)
		return 5;
	int low = end - p >= 11 && p[5] == '\\' && p[6] == 'u' ? hex4(p + 7, end) : -1;
	if (low < 0xDC00 || low > 0xDFFF)
		return 0;
	*code = 0x10000 + ((uint32_t)(c - 0xD800) << 10 | (uint32_t)(low - 0xDC00));
	return 11;
}

static int scan_text(struct scan *s, struct leaf_value *v, struct err *e)
{
	const char *q = s->p;
	uint32_t code;

	if (q == s->end || *q != '"')
		return bad(s, e, "text");
	*v = (struct leaf_value){ .type = LT_TEXT, .p = ++q };
	for (;; q++) {
		if (q == s->end)
			return bad(s, e, "text that ends");
		if (*q == '"')
			break;
		if ((uint8_t)*q < 0x20) {
			s->p = q;
			return bad(s, e, "text without control characters");
		}
		if (*q != '\\')
			continue;
		size_t n = escape(q + 1, s->end, &code);
		if (n == 0) {
			s->p = q;
			return bad(s, e, "a JSON escape (not of NUL or half a surrogate pair)");
		}
		v->escaped = true;
		q += n;
	}
	v->len = (size_t)(q - v->p);
	s->p = q + 1;
	return 0;
}

static int scan_int(struct scan *s, struct leaf_value *v, struct err *e)
{
	const char *q = s->p;
	bool minus = q < s->end && *q == '-';
	int64_t n = 0;

	q += minus;
	const char *first = q;
	for (; q < s->end && *q >= '0' && *q <= '9' && q - first < 17; q++)
		n = n * 10 + (*q - '0');
	if (q == first || (*first == '0' && (q - first > 1 || minus)) || n > JSON_INT_MAX ||
		(q < s->end && strchr(".eE0123456789", *q)))
		return bad(s, e, "a whole number within 2^53-1");
	*v = (struct leaf_value){ .type = LT_INT, .i = minus ? -n : n };
	s->p = q;
	return 0;
}

/* Value of a lower-case digit plus one, 0 for anything else. A third of all bytes of a log are hex
 * digits: a table is what makes a million leaves fast. Nothing here is secret. */
static const uint8_t hex_digit[256] = {
	['0'] = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, ['a'] = 11, 12, 13, 14, 15, 16
};

static bool lower_hex(const char *p, size_t n)
{
	unsigned odd = 0;

	for (size_t i = 0; i < n; i++)
		odd |= hex_digit[(uint8_t)p[i]] - 1u;
	return odd <= 15;
}

/* Two digits a byte of what lower_hex() has seen. */
static void take_hex(uint8_t *out, size_t len, const char *p)
{
	for (size_t i = 0; i < len; i++, p += 2)
		out[i] = (uint8_t)((hex_digit[(uint8_t)p[0]] - 1) << 4 |
				   (hex_digit[(uint8_t)p[1]] - 1));
}

static bool is_uuid(const struct leaf_value *v)
{
	const char *p = v->p;

	return v->len == 36 && p[8] == '-' && p[13] == '-' && p[18] == '-' && p[23] == '-' &&
	       lower_hex(p, 8) && lower_hex(p + 9, 4) && lower_hex(p + 14, 4) &&
	       lower_hex(p + 19, 4) && lower_hex(p + 24, 12);
}

static bool is_time(const struct leaf_value *v, int64_t *ms)
{
	char text[TIME_MS_LEN + 1];

	if (v->len != TIME_MS_LEN)
		return false;
	memcpy(text, v->p, v->len);
	text[v->len] = '\0';
	return time_parse_ms(text, ms) == 0;
}

static bool is_base64(const struct leaf_value *v, size_t want)
{
	uint8_t raw[512];
	size_t n;

	return v->len == BASE64_LEN(want) && want <= sizeof raw &&
	       base64_decode(raw, sizeof raw, &n, v->p, v->len) == 0 && n == want;
}

static bool is_vkey(const struct leaf_value *v)
{
	char text[VKEY_TEXT_CAP];
	struct vkey k;

	if (v->len >= sizeof text)
		return false;
	memcpy(text, v->p, v->len);
	text[v->len] = '\0';
	return vkey_parse(&k, "", text, NULL) == 0 && k.type == VKEY_ED25519;
}

static bool is_choice(const struct leaf_value *v, const char *choices)
{
	for (const char *c = choices; *c;) {
		size_t n = strcspn(c, "/");
		if (n == v->len && memcmp(c, v->p, n) == 0)
			return true;
		c += n + (c[n] == '/');
	}
	return false;
}

static bool is_token(const struct leaf_value *v, const struct field *f)
{
	for (size_t i = 0; i < v->len; i++)
		if (!((v->p[i] >= 'a' && v->p[i] <= 'z') || (v->p[i] >= '0' && v->p[i] <= '9') ||
			    v->p[i] == '-'))
			return false;
	return v->len >= (size_t)f->min && v->len <= (size_t)f->max;
}

/* Text with a shape has no escapes: one value, one spelling. */
static bool has_shape(const struct field *f, const struct leaf_value *v)
{
	size_t max = (size_t)f->max;
	int64_t ms;

	switch (f->type) {
	case F_TEXT:
	case F_TEXTS:
		return v->len >= (size_t)f->min && v->len <= max;
	case F_TOKEN:
		return !v->escaped && is_token(v, f);
	case F_CHOICE:
		return !v->escaped && is_choice(v, f->choices);
	case F_HEX:
	case F_HEXES:
		return !v->escaped && v->len == 2 * max && lower_hex(v->p, v->len);
	case F_BASE64:
		return !v->escaped && is_base64(v, max);
	case F_TIME:
		return !v->escaped && is_time(v, &ms);
	case F_UUID:
		return !v->escaped && is_uuid(v);
	case F_VKEY:
		return !v->escaped && is_vkey(v);
	case F_INT:
	case F_BOOL:
	case F_OBJECT:
	case F_OBJECTS:
		break;
	}
	return !v->escaped;
}

/* The shape in words. */
static void name_shape(const struct field *f, char *out, size_t cap)
{
	size_t max = (size_t)f->max;

	switch (f->type) {
	case F_TEXT:
	case F_TEXTS:
		snprintf(out, cap, "text of %lld to %zu bytes", (long long)f->min, max);
		return;
	case F_TOKEN:
		snprintf(out, cap, "1 to %zu of a-z 0-9 -", max);
		return;
	case F_CHOICE:
		snprintf(out, cap, "%s", f->choices);
		return;
	case F_HEX:
	case F_HEXES:
		snprintf(out, cap, "%zu lower-case hex digits", 2 * max);
		return;
	case F_BASE64:
		snprintf(out, cap, "exact base64 of %zu bytes", max);
		return;
	case F_TIME:
		snprintf(out, cap, "a time like 2026-11-20T15:00:00.123Z");
		return;
	case F_UUID:
		snprintf(out, cap, "8-4-4-4-12 lower-case hex digits");
		return;
	case F_VKEY:
		snprintf(out, cap, "a verifier key of type 01");
		return;
	case F_INT:
	case F_BOOL:
	case F_OBJECT:
	case F_OBJECTS:
		break;
	}
	snprintf(out, cap, "text without escapes");
}

static int check_shape(struct scan *s, const struct field *f, const struct leaf_value *v,
	const char *start, struct err *e)
{
	char wanted[96];

	if (has_shape(f, v))
		return 0;
	name_shape(f, wanted, sizeof wanted);
	s->p = start;
	return bad(s, e, wanted);
}

static int scan_fields(struct scan *s, const struct field *fields, bool first, struct err *e);

static int scan_array(struct scan *s, const struct field *f, struct err *e)
{
	if (!take(s, "["))
		return bad(s, e, "an array");
	if (take(s, "]"))
		return 0;
	do {
		const char *start = s->p;
		struct leaf_value item;
		if (f->type == F_OBJECTS) {
			if (!take(s, "{"))
				return bad(s, e, "an object");
			if (scan_fields(s, f->sub, true, e) != 0)
				return -1;
		} else if (scan_text(s, &item, e) != 0 || check_shape(s, f, &item, start, e) != 0) {
			return -1;
		}
	} while (take(s, ","));
	return take(s, "]") ? 0 : bad(s, e, "\",\" or \"]\"");
}

static int scan_value(struct scan *s, const struct field *f, struct err *e)
{
	const char *start = s->p;
	struct leaf_value v = { .type = LT_NULL };

	if (f->null_ok && take(s, "null")) {
		/* stays null */
	} else if (f->type == F_INT) {
		if (scan_int(s, &v, e) != 0)
			return -1;
		if (v.i < f->min || v.i > f->max) {
			char wanted[64];
			s->p = start;
			snprintf(wanted, sizeof wanted, "%lld to %lld", (long long)f->min,
				(long long)f->max);
			return bad(s, e, wanted);
		}
	} else if (f->type == F_BOOL) {
		v.type = LT_BOOL;
		v.i = take(s, "true");
		if (!v.i && !take(s, "false"))
			return bad(s, e, "true or false");
	} else if (f->type == F_OBJECT) {
		if (!take(s, "{"))
			return bad(s, e, "an object");
		if (scan_fields(s, f->sub, true, e) != 0)
			return -1;
		v = (struct leaf_value){ LT_OBJECT, false, 0, start, (size_t)(s->p - start) };
	} else if (f->type == F_TEXTS || f->type == F_HEXES || f->type == F_OBJECTS) {
		if (scan_array(s, f, e) != 0)
			return -1;
		v = (struct leaf_value){ LT_ARRAY, false, 0, start, (size_t)(s->p - start) };
	} else if (scan_text(s, &v, e) != 0 || check_shape(s, f, &v, start, e) != 0) {
		return -1;
	}
	if (f->m < LM_COUNT) {
		s->leaf->v[f->m] = v;
		s->leaf->have[f->m / 64] |= (uint64_t)1 << f->m % 64;
	}
	return 0;
}

/* The members of one object and its closing brace. `first`: no comma before the first one. */
static int scan_fields(struct scan *s, const struct field *fields, bool first, struct err *e)
{
	for (const struct field *f = fields; f->name; f++, first = false) {
		const char *start = s->p;
		s->path = f->name;
		if ((!first && !take(s, ",")) || !take(s, "\"") || !take(s, f->name) ||
			!take(s, "\":")) {
			s->p = start;
			return bad(s, e, first ? "it as the first one" : "it here");
		}
		if (scan_value(s, f, e) != 0)
			return -1;
	}
	if (fields == leaf_common_fields)
		return 0; /* the kind's own members follow */
	return take(s, "}") ? 0 : bad(s, e, "\"}\" after it");
}

static int scan_kind(struct scan *s, enum leaf_role role, struct err *e)
{
	struct leaf_value v;

	s->path = "kind";
	if (!take(s, "{\"kind\":"))
		return bad(s, e, "it as the first one");
	if (scan_text(s, &v, e) != 0)
		return -1;
	for (unsigned k = 0; k < LEAF_KINDS; k++)
		if (leaf_kinds[k].roles & 1u << role && strlen(leaf_kinds[k].name) == v.len &&
			memcmp(leaf_kinds[k].name, v.p, v.len) == 0) {
			s->leaf->kind = (enum leaf_kind)k;
			s->leaf->v[LM_KIND] = v;
			s->leaf->have[0] |= 1;
			return 0;
		}
	return err_set(e, ERR_FORMAT, "%s: no kind \"%s\" in a log of role %s", s->name,
		text_escape((char[48]){ 0 }, 48, v.p, v.len), leaf_role_name(role));
}

int leaf_check(struct leaf *out, const char *name, const void *bytes, size_t len,
	enum leaf_role role, struct err *e)
{
	struct scan s = { .p = bytes, .end = (const char *)bytes + len, .name = name, .leaf = out };

	if (len < LEAF_MIN || len > LEAF_MAX)
		return err_set(e, ERR_LIMIT, "%s: %zu bytes, %d to %d wanted", name, len, LEAF_MIN,
			LEAF_MAX);
	if (!utf8_valid(bytes, len))
		return err_set(e, ERR_FORMAT, "%s: not UTF-8", name);
	out->have[0] = out->have[1] = 0;
	if (scan_kind(&s, role, e) != 0 || scan_fields(&s, leaf_common_fields, false, e) != 0 ||
		scan_fields(&s, leaf_kinds[out->kind].fields, false, e) != 0)
		return -1;
	if (s.p != s.end)
		return err_set(e, ERR_FORMAT, "%s: %zu bytes after the object", name,
			(size_t)(s.end - s.p));

	out->bytes = bytes;
	out->len = len;
	out->seq = (uint64_t)out->v[LM_SEQ].i;
	out->boot_ms = out->v[LM_BOOT_MS].i;
	memcpy(out->boot_id, out->v[LM_BOOT_ID].p, 36);
	out->boot_id[36] = '\0';
	take_hex(out->prev, sizeof out->prev, out->v[LM_PREV].p); /* its shape was checked */
	if (!is_time(&out->v[LM_TIME], &out->time_ms))
		return err_set(e, ERR_INTERNAL, "%s: checked values cannot be read", name);
	return 0;
}

int leaf_genesis_role(const void *bytes, size_t len, enum leaf_role *out, struct err *e)
{
	struct leaf leaf;

	/* The genesis table is the same for all roles. */
	if (leaf_check(&leaf, "leaf 0", bytes, len, ROLE_ORDER, e) != 0)
		return -1;
	if (leaf.kind != LEAF_GENESIS)
		return err_set(e, ERR_FORMAT, "leaf 0: kind %s, genesis wanted",
			leaf_kind_name(leaf.kind));
	*out = leaf_is(&leaf, LM_ROLE, "order")	      ? ROLE_ORDER
	       : leaf_is(&leaf, LM_ROLE, "unordered") ? ROLE_UNORDERED
						      : ROLE_WORKSPACE;
	return 0;
}

/* --- values --------------------------------------------------------------------------------- */

const struct leaf_value *leaf_value(const struct leaf *l, enum leaf_member m)
{
	return m < LM_COUNT && l->have[m / 64] >> m % 64 & 1 ? &l->v[m] : NULL;
}

bool leaf_has(const struct leaf *l, enum leaf_member m)
{
	const struct leaf_value *v = leaf_value(l, m);

	return v && v->type != LT_NULL;
}

int64_t leaf_int(const struct leaf *l, enum leaf_member m, int64_t when_null)
{
	return leaf_has(l, m) ? l->v[m].i : when_null;
}

bool leaf_is(const struct leaf *l, enum leaf_member m, const char *text)
{
	const struct leaf_value *v = leaf_value(l, m);

	return v && v->type == LT_TEXT && v->len == strlen(text) && memcmp(v->p, text, v->len) == 0;
}

static size_t put_utf8(char *out, uint32_t c)
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xC0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3F));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xE0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3F));
		out[2] = (char)(0x80 | (c & 0x3F));
		return 3;
	}
	out[0] = (char)(0xF0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 0x3F));
	out[2] = (char)(0x80 | (c >> 6 & 0x3F));
	out[3] = (char)(0x80 | (c & 0x3F));
	return 4;
}

/* Text that was scanned, without its escapes. */
static int decode_text(const char *p, size_t len, char *out, size_t cap)
{
	const char *end = p + len;
	size_t n = 0;
	uint32_t code;

	while (p < end) {
		char c[4];
		size_t k = 1;
		if (*p == '\\') {
			p += 1 + escape(p + 1, end, &code);
			k = put_utf8(c, code);
		} else {
			c[0] = *p++;
		}
		if (n + k >= cap)
			return -1;
		memcpy(out + n, c, k);
		n += k;
	}
	out[n] = '\0';
	return 0;
}

int leaf_text(const struct leaf *l, enum leaf_member m, char *out, size_t cap)
{
	const struct leaf_value *v = leaf_value(l, m);

	return v && v->type == LT_TEXT && cap ? decode_text(v->p, v->len, out, cap) : -1;
}

int leaf_hex(const struct leaf *l, enum leaf_member m, uint8_t *out, size_t len)
{
	const struct leaf_value *v = leaf_value(l, m);

	return v && v->type == LT_TEXT ? hex_decode_n(out, len, v->p, v->len) : -1;
}

int leaf_base64(const struct leaf *l, enum leaf_member m, uint8_t *out, size_t len)
{
	const struct leaf_value *v = leaf_value(l, m);
	size_t n;

	return v && v->type == LT_TEXT && base64_decode(out, len, &n, v->p, v->len) == 0 && n == len
		       ? 0
		       : -1;
}

int leaf_array_next(const struct leaf_value *array, size_t *pos, char *out, size_t cap)
{
	const char *p = array->p, *end = p + array->len;
	const char *q = p + *pos;

	while (q < end && *q != '"')
		q++;
	if (q == end)
		return 0;
	const char *start = ++q;
	for (; *q != '"'; q++) /* was scanned: the text ends */
		if (*q == '\\')
			q++;
	*pos = (size_t)(q + 1 - p);
	return decode_text(start, (size_t)(q - start), out, cap) == 0 ? 1 : -1;
}

/* --- writing -------------------------------------------------------------------------------- */

int leaf_clock_now(struct leaf_clock *out, struct err *e)
{
	AUTO(buf_clear) struct buf b = { 0 };
	struct leaf_clock c = { .wall_ms = clock_wall_ms(), .boot_ms = clock_boot_ms() };

	if (fsio_read("/proc/sys/kernel/random/boot_id", 64, &b, e) != 0)
		return -1;
	if (b.len < 36)
		return err_set(
			e, ERR_ENV, "/proc/sys/kernel/random/boot_id: %zu bytes, 36 wanted", b.len);
	memcpy(c.boot_id, b.p, 36);
	*out = c;
	return 0;
}

static int write_fields(const char *kind, const struct field *fields, const json_t *members,
	bool first, struct buf *out, struct err *e);

static int write_value(
	const char *kind, const struct field *f, const json_t *v, struct buf *out, struct err *e)
{
	json_t *item;
	size_t i;

	if (!v && f->null_ok) {
		wr_str(out, "null");
		return 0;
	}
	if (!v)
		return err_set(e, ERR_INTERNAL, "leaf %s: member \"%s\" is missing", kind, f->name);
	if (f->type == F_OBJECT && json_is_object(v)) {
		wr_u8(out, '{');
		return write_fields(kind, f->sub, v, true, out, e);
	}
	if (f->type != F_OBJECTS || !json_is_array(v))
		return json_line(v, out, e);
	wr_u8(out, '[');
	json_array_foreach((json_t *)(uintptr_t)v, i, item)
	{
		wr_str(out, i ? ",{" : "{");
		if (write_fields(kind, f->sub, item, true, out, e) != 0)
			return -1;
	}
	wr_u8(out, ']');
	return 0;
}

static int write_fields(const char *kind, const struct field *fields, const json_t *members,
	bool first, struct buf *out, struct err *e)
{
	size_t used = 0;

	for (const struct field *f = fields; f->name; f++, first = false) {
		const json_t *v = json_object_get(members, f->name);
		used += v != NULL;
		wr_printf(out, "%s\"%s\":", first ? "" : ",", f->name);
		if (write_value(kind, f, v, out, e) != 0)
			return -1;
	}
	wr_u8(out, '}');
	if (used != json_object_size(members))
		return err_set(e, ERR_INTERNAL,
			"leaf %s: %zu members given, %zu of them belong there", kind,
			json_object_size(members), used);
	return 0;
}

int leaf_write(const char *kind, enum leaf_role role, uint64_t seq, const uint8_t prev[32],
	const struct leaf_clock *clock, const json_t *members, struct buf *out, struct err *e)
{
	AUTO(buf_clear) struct buf b = { .max = (size_t)4 * LEAF_MAX };
	char hex[65], time[TIME_MS_LEN + 1], name[32];
	const struct kind *k = NULL;
	struct leaf check;

	for (unsigned i = 0; i < LEAF_KINDS && !k; i++)
		if (leaf_kinds[i].roles & 1u << role && strcmp(leaf_kinds[i].name, kind) == 0)
			k = &leaf_kinds[i];
	if (!k)
		return err_set(e, ERR_INTERNAL, "no kind \"%s\" in a log of role %s", kind,
			leaf_role_name(role));
	wr_printf(&b,
		"{\"kind\":\"%s\",\"seq\":%llu,\"prev\":\"%s\",\"time\":\"%s\",\"boot_ms\":%lld,"
		"\"boot_id\":\"%s\"",
		kind, (unsigned long long)seq, hex_encode(hex, prev, 32),
		time_format_ms(time, clock->wall_ms), (long long)clock->boot_ms, clock->boot_id);
	if (write_fields(kind, k->fields, members, false, &b, e) != 0 ||
		buf_check(&b, "leaf", e) != 0)
		return -1;
	/* What a reader would refuse is not written: names too long for a leaf, odd text. */
	snprintf(name, sizeof name, "new leaf %s", kind);
	if (leaf_check(&check, name, b.p, b.len, role, e) != 0)
		return -1;
	wr_bytes(out, b.p, b.len);
	return buf_check(out, "leaf", e);
}

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "mfgpkg/secret_scan_internal.h"

/* Text forms of bytes are decoded rather than searched for in every spelling: separators, line
 * breaks, upper and lower case, 0x and the URL alphabet of base64 then make no difference. */

enum { MIN_BYTES = 16 }; /* shorter runs hold no secret */

typedef int (*view_fn)(void *ctx, const struct oem_view *v, struct err *e);

static int hex_value(uint8_t c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

static int base64_value(uint8_t c)
{
	return c >= 'A' && c <= 'Z'   ? c - 'A'
	       : c >= 'a' && c <= 'z' ? c - 'a' + 26
	       : c >= '0' && c <= '9' ? c - '0' + 52
	       : c == '+' || c == '-' ? 62
	       : c == '/' || c == '_' ? 63
				      : -1;
}

static bool hex_separator(uint8_t c)
{
	return c && strchr(" \t\r\n:,;-_{}[]()\"'\\", c) != NULL;
}

/* Looks at the digits of one run from each alignment: `bits` 4 or 6 each. */
static int look_at_run(const struct oem_view *v, const uint8_t *digits, size_t n, unsigned bits,
	uint8_t *out, view_fn fn, void *ctx, struct err *e)
{
	for (unsigned skip = 0; skip < 8 / (bits == 4 ? 4 : 2); skip++) {
		struct oem_view run = *v;
		uint32_t acc = 0;
		unsigned have = 0;
		size_t len = 0;
		for (size_t i = skip; i < n; i++) {
			acc = acc << bits | digits[i];
			have += bits;
			if (have >= 8) {
				have -= 8;
				out[len++] = (uint8_t)(acc >> have);
			}
		}
		run.data = out;
		run.len = len;
		if (len >= MIN_BYTES && fn(ctx, &run, e) != 0)
			return -1;
	}
	return 0;
}

static int look_at_text(const char *entry, const uint8_t *data, size_t len, bool hex,
	uint8_t *digits, uint8_t *out, view_fn fn, void *ctx, struct err *e)
{
	const struct oem_view v = { .entry = entry, .form = hex ? "in hex" : "in base64" };
	unsigned bits = hex ? 4 : 6;
	size_t n = 0;

	for (size_t i = 0; i <= len; i++) {
		int value = i == len ? -1 : hex ? hex_value(data[i]) : base64_value(data[i]);
		if (value >= 0) {
			digits[n++] = (uint8_t)value;
			continue;
		}
		if (i < len && (hex ? hex_separator(data[i]) : isspace(data[i]) != 0))
			continue;
		/* 0xAA: the 0 just taken belongs to the prefix. */
		if (i < len && hex && (data[i] | 0x20) == 'x' && n > 0 && i > 0 &&
			data[i - 1] == '0') {
			n--;
			continue;
		}
		if (n * bits / 8 >= MIN_BYTES &&
			look_at_run(&v, digits, n, bits, out, fn, ctx, e) != 0)
			return -1;
		n = 0;
	}
	return 0;
}

int oem_scan_views(
	const char *entry, const uint8_t *data, size_t len, view_fn fn, void *ctx, struct err *e)
{
	const struct oem_view raw = { .entry = entry, .form = "", .data = data, .len = len };
	AUTO(buf_wipe) struct buf digits = { 0 }, out = { 0 };

	if (fn(ctx, &raw, e) != 0)
		return -1;
	if (!buf_grow(&digits, len + 1) || !buf_grow(&out, len + 1))
		return err_set(e, ERR_ENV, "%s: out of memory", entry);
	if (look_at_text(entry, data, len, true, digits.p, out.p, fn, ctx, e) != 0)
		return -1;
	return look_at_text(entry, data, len, false, digits.p, out.p, fn, ctx, e);
}

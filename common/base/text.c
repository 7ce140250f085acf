#include <ctype.h>
#include <fnmatch.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

char *hex_encode(char *out, const void *data, size_t len)
{
	return sodium_bin2hex(out, 2 * len + 1, data, len);
}

int hex_decode_n(uint8_t *out, size_t len, const char *text, size_t text_len)
{
	size_t got = 0;

	if (text_len != 2 * len)
		return -1;
	if (sodium_hex2bin(out, len, text, text_len, NULL, &got, NULL) != 0 || got != len)
		return -1;
	return 0;
}

int hex_decode(uint8_t *out, size_t len, const char *text)
{
	return hex_decode_n(out, len, text, strlen(text));
}

char *base64_encode(char *out, const void *data, size_t len)
{
	return sodium_bin2base64(
		out, BASE64_LEN(len) + 1, data, len, sodium_base64_VARIANT_ORIGINAL);
}

int base64_decode(uint8_t *out, size_t cap, size_t *len, const char *text, size_t text_len)
{
	/* b64_end NULL: libsodium then refuses anything behind the last group, and it always
	 * refuses non-zero unused bits. Its length limit is ours: no text longer than cap needs. */
	if (text_len % 4 != 0)
		return -1;
	/* libsodium takes 0xAB for '+' and 0xAF for '/' where char is signed. */
	for (size_t i = 0; i < text_len; i++)
		if ((unsigned char)text[i] >= 0x80)
			return -1;
	return sodium_base642bin(out, cap, text, text_len, NULL, len, NULL,
		       sodium_base64_VARIANT_ORIGINAL) == 0
		       ? 0
		       : -1;
}

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return 99;
}

int number_parse(const char *text, uint64_t *out)
{
	unsigned base = 10;
	uint64_t v = 0;

	while (isspace((unsigned char)*text))
		text++;
	if (text[0] == '0' && text[1]) {
		int c = tolower((unsigned char)text[1]);
		base = c == 'x' ? 16 : c == 'o' ? 8 : c == 'b' ? 2 : 10;
		if (base != 10)
			text += 2;
	}
	if (digit_value(*text) >= (int)base)
		return -1;
	for (bool after_digit = false;; text++) {
		if (*text == '_') {
			if (!after_digit || digit_value(text[1]) >= (int)base)
				return -1;
			after_digit = false;
			continue;
		}
		int d = digit_value(*text);
		if (d >= (int)base)
			break;
		if (v > (UINT64_MAX - (unsigned)d) / base)
			return -1;
		v = v * base + (unsigned)d;
		after_digit = true;
	}
	for (int i = 0; i < 3 && *text && strchr("uUlL", *text); i++)
		text++;
	while (isspace((unsigned char)*text))
		text++;
	if (*text)
		return -1;
	*out = v;
	return 0;
}

int decimal_parse(const char *text, size_t len, uint64_t max, uint64_t *out)
{
	uint64_t v = 0;

	if (len == 0 || len > 20 || (text[0] == '0' && len > 1))
		return -1;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -1;
		unsigned d = (unsigned)(text[i] - '0');
		if (d > max || v > (max - d) / 10)
			return -1;
		v = v * 10 + d;
	}
	*out = v;
	return 0;
}

/* Length of the valid UTF-8 sequence at p, 0 if there is none. No surrogates, no overlong forms,
 * nothing above U+10FFFF. */
static size_t utf8_sequence(const uint8_t *p, size_t left)
{
	if (left == 0)
		return 0;
	if (p[0] < 0x80)
		return 1;
	size_t n = p[0] >= 0xC2 && p[0] <= 0xDF	  ? 2
		   : (p[0] & 0xF0) == 0xE0	  ? 3
		   : p[0] >= 0xF0 && p[0] <= 0xF4 ? 4
						  : 0;
	if (n == 0 || left < n)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((p[i] & 0xC0) != 0x80)
			return 0;
	if ((p[0] == 0xE0 && p[1] < 0xA0) || (p[0] == 0xED && p[1] > 0x9F) ||
		(p[0] == 0xF0 && p[1] < 0x90) || (p[0] == 0xF4 && p[1] > 0x8F))
		return 0;
	return n;
}

bool utf8_valid(const void *data, size_t len)
{
	const uint8_t *p = data;

	while (len) {
		size_t n = utf8_sequence(p, len);
		if (n == 0)
			return false;
		p += n;
		len -= n;
	}
	return true;
}

char *text_escape(char *out, size_t cap, const void *data, size_t len)
{
	const uint8_t *p = data;
	size_t o = 0;

	while (len) {
		size_t n = utf8_sequence(p, len);
		/* C1 controls (U+0080..U+009F) drive terminals too. */
		bool plain = n > 1 ? !(p[0] == 0xC2 && p[1] < 0xA0)
				   : n == 1 && p[0] >= 0x20 && p[0] != 0x7F && p[0] != '"' &&
					     p[0] != '\\';
		size_t need = plain ? n : 4;
		if (o + need + 4 > cap) {
			memcpy(out + o, "...", 3);
			o += 3;
			break;
		}
		if (plain) {
			memcpy(out + o, p, n);
		} else {
			snprintf(out + o, 5, "\\x%02x", p[0]);
			n = 1;
		}
		o += need;
		p += n;
		len -= n;
	}
	out[o] = 0;
	return out;
}

bool glob_match(const char *pattern, const char *text)
{
	return fnmatch(pattern, text, 0) == 0;
}

unsigned text_distance(const char *a, const char *b)
{
	enum { MAX = 64 };
	unsigned row[MAX + 1];
	size_t la = strlen(a), lb = strlen(b);

	if (la > MAX || lb > MAX)
		return 99;
	for (size_t j = 0; j <= lb; j++)
		row[j] = (unsigned)j;
	for (size_t i = 1; i <= la; i++) {
		unsigned diagonal = row[0];
		row[0] = (unsigned)i;
		for (size_t j = 1; j <= lb; j++) {
			unsigned cost = tolower((unsigned char)a[i - 1]) !=
					tolower((unsigned char)b[j - 1]);
			unsigned best = diagonal + cost;
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			diagonal = row[j];
			row[j] = best;
		}
	}
	return row[lb];
}

char *time_format_s(char out[TIME_S_LEN + 1], time_t t)
{
	struct tm tm;

	if (!gmtime_r(&t, &tm) ||
		strftime(out, TIME_S_LEN + 1, "%Y-%m-%dT%H:%M:%SZ", &tm) != TIME_S_LEN)
		memcpy(out, "0000-00-00T00:00:00Z", TIME_S_LEN + 1);
	return out;
}

char *time_format_ms(char out[TIME_MS_LEN + 1], int64_t unix_ms)
{
	char s[TIME_S_LEN + 1];
	unsigned ms = (unsigned)(((unix_ms % 1000) + 1000) % 1000);

	time_format_s(s, (time_t)((unix_ms - ms) / 1000));
	snprintf(out, TIME_MS_LEN + 1, "%.19s.%03uZ", s, ms);
	return out;
}

/* n digits as a number, -1 when one is none. */
static int digits(const char *p, int n)
{
	int v = 0;

	for (; n > 0; n--, p++) {
		if (*p < '0' || *p > '9')
			return -1;
		v = v * 10 + (*p - '0');
	}
	return v;
}

/* Days from 1970-01-01 in the Gregorian calendar; months count from March, so that the leap day is
 * the last of its year. By hand: a million leaves have a million times. */
static int64_t days_of(int year, int month, int day)
{
	int64_t y = month > 2 ? year : year - 1, m = month > 2 ? month - 3 : month + 9;

	return y * 365 + y / 4 - y / 100 + y / 400 + (m * 153 + 2) / 5 + day - 1 - 719468;
}

int time_parse_s(const char *text, time_t *out)
{
	static const int days_in[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	if (strlen(text) != TIME_S_LEN || text[4] != '-' || text[7] != '-' || text[10] != 'T' ||
		text[13] != ':' || text[16] != ':' || text[19] != 'Z')
		return -1;
	int year = digits(text, 4), month = digits(text + 5, 2), day = digits(text + 8, 2);
	int hour = digits(text + 11, 2), minute = digits(text + 14, 2), s = digits(text + 17, 2);
	if (year < 1000 || month < 1 || month > 12 || day < 1 || hour < 0 || hour > 23 ||
		minute < 0 || minute > 59 || s < 0 || s > 59)
		return -1;
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
	if (day > days_in[month - 1] + (leap && month == 2))
		return -1;
	*out = (time_t)(days_of(year, month, day) * 86400 + hour * 3600 + minute * 60 + s);
	return 0;
}

int time_parse_ms(const char *text, int64_t *unix_ms)
{
	char s[TIME_S_LEN + 1];
	time_t t;

	if (strlen(text) != TIME_MS_LEN || text[19] != '.' || text[23] != 'Z')
		return -1;
	for (int i = 20; i < 23; i++)
		if (!isdigit((unsigned char)text[i]))
			return -1;
	memcpy(s, text, 19);
	memcpy(s + 19, "Z", 2);
	if (time_parse_s(s, &t) != 0)
		return -1;
	*unix_ms = (int64_t)t * 1000 + (text[20] - '0') * 100 + (text[21] - '0') * 10 +
		   (text[22] - '0');
	return 0;
}

static int64_t clock_ms(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t clock_wall_ms(void)
{
	return clock_ms(CLOCK_REALTIME);
}

int64_t clock_boot_ms(void)
{
	return clock_ms(CLOCK_BOOTTIME);
}

int64_t clock_mono_ms(void)
{
	return clock_ms(CLOCK_MONOTONIC);
}

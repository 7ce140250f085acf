/* text - hex, base64, numbers, times, and making text from outside safe to show.
 * Pure functions, any thread. */
#ifndef COMMON_BASE_TEXT_H
#define COMMON_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/bytes.h"
#include "base/err.h"

/* hex_encode - lower case, NUL-terminated; out holds 2 * len + 1 chars. Returns out. */
char *hex_encode(char *out, const void *data, size_t len);

/* hex_decode - text of exactly 2 * len hex digits (any case) into out[len]. 0 or -1. */
int hex_decode(uint8_t *out, size_t len, const char *text) CHECKED;

/* hex_decode_n - as above for text that is not NUL-terminated: text[2 * len]. */
int hex_decode_n(uint8_t *out, size_t len, const char *text, size_t text_len) CHECKED;

/* base64: RFC 4648 section 4, padded, one line, exact (re-encoding gives the same text). */
#define BASE64_LEN(n) (((n) + 2) / 3 * 4)
char *base64_encode(char *out, const void *data, size_t len); /* out: BASE64_LEN(len) + 1 */
int base64_decode(uint8_t *out, size_t cap, size_t *len, const char *text, size_t text_len) CHECKED;

/* number_parse - the number syntax of SPSDK configurations: optional 0x/0b/0o prefix in any case,
 * digits with single `_` between them, up to three suffix letters u/l, blanks around; no prefix
 * means decimal, also with leading zeros. Negative numbers are refused. 0 or -1, *out unchanged
 * on failure. Source: formats cert-block section 5, pfr section 3.3. */
int number_parse(const char *text, uint64_t *out) CHECKED;

/* decimal_parse - strict decimal without sign or leading zero, at most max. 0 or -1. */
int decimal_parse(const char *text, size_t len, uint64_t max, uint64_t *out) CHECKED;

bool utf8_valid(const void *data, size_t len);

/* text_escape - printable copy of untrusted bytes: controls, DEL, quotes, backslash and invalid
 * UTF-8 become \xNN, cut to fit with "...". Returns out (cap >= 8). */
char *text_escape(char *out, size_t cap, const void *data, size_t len);

/* ESC("text") - an escaped copy in a temporary of the enclosing block, for messages. */
#define ESC(s) text_escape((char[200]){ 0 }, 200, (s), strlen(s))

bool glob_match(const char *pattern, const char *text); /* * ? [..], as fnmatch without flags */

/* text_distance - edit distance of two short names, for "did you mean"; 99 when far apart. */
unsigned text_distance(const char *a, const char *b);

/* Times. UTC, "2026-11-20T15:00:00Z" (seconds) or "2026-11-20T15:00:00.123Z" (milliseconds). */
#define TIME_S_LEN  20
#define TIME_MS_LEN 24
char *time_format_s(char out[TIME_S_LEN + 1], time_t t);
char *time_format_ms(char out[TIME_MS_LEN + 1], int64_t unix_ms);
int time_parse_s(const char *text, time_t *out) CHECKED; /* exact form only */
int time_parse_ms(const char *text, int64_t *unix_ms) CHECKED; /* exact form only */
int64_t clock_wall_ms(void); /* CLOCK_REALTIME */
int64_t clock_boot_ms(void); /* CLOCK_BOOTTIME */
int64_t clock_mono_ms(void); /* CLOCK_MONOTONIC, for deadlines */

#endif

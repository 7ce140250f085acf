/* script_lex - one line of a script as words, split as a POSIX shell splits them. Internal to the
 * script parser. */
#ifndef COMMON_PKG_SCRIPT_LEX_H
#define COMMON_PKG_SCRIPT_LEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "pkg/script.h"

#define SCRIPT_MAX_WORDS 24

struct script_word {
	char text[SCRIPT_MAX_LINE + 1]; /* unquoted, NUL-terminated */
	unsigned column; /* from 1, in bytes */
};

struct script_line {
	const char *file; /* for messages */
	unsigned number; /* from 1 */
	size_t n;
	struct script_word words[SCRIPT_MAX_WORDS];
	char text[SCRIPT_MAX_LINE + 1]; /* as written, without surrounding blanks and comment */
};

/* script_lex - split text[len], which holds no LF. Empty lines have no words. ERR_FORMAT,
 * ERR_LIMIT.
 */
int script_lex(struct script_line *out, const char *file, unsigned number, const char *text,
	size_t len, struct err *e) CHECKED;

/* script_error - ERR_FORMAT "FILE: line L column C: ...", C that of word `i` (the end of the line
 * when there is no such word). Returns -1. */
int script_error(const struct script_line *l, size_t i, struct err *e, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* script_number - a number as SPSDK's blhost reads it: decimal without leading zeros, 0x, 0o, 0b,
 * single _ between digits. 0 or -1. */
int script_number(const char *text, uint64_t max, uint64_t *out) CHECKED;

/* script_hex_data - the bytes of {{..}} or [[..]]; blanks inside are skipped, an odd last digit is
 * a byte of its own. Returns 1 when it is such data (out[cap], *len), 0 when it is something else
 * (a file name), -1 when it begins like data but is wrong. */
int script_hex_data(const char *text, uint8_t *out, size_t cap, size_t *len) CHECKED;

/* script_time - "500ms", "60s", "5m" as milliseconds, 1..SCRIPT_MAX_TIMEOUT_MS. 0 or -1. */
int script_time(const char *text, int *ms) CHECKED;

/* script_cond_parse - a condition; on failure *wrong says what is wanted. 0 or -1. */
int script_cond_parse(const char *text, struct script_cond *out, const char **wrong) CHECKED;

#endif

/* json - JSON documents from outside, read strictly, and written in one canonical line.
 *
 * Thin layer over jansson: duplicate member names are refused, depth and size are limited, and
 * the getters name the path of what is wrong ("manifest.json: files[2].size: ..."). Objects keep
 * the order of insertion, so json_line() gives the same bytes for the same sequence of calls.
 * jansson objects are reference counted and must not be shared between threads while changing.
 */
#ifndef COMMON_BASE_JSON_H
#define COMMON_BASE_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"

#define JSON_MAX_DEPTH 16
#define JSON_INT_MAX   9007199254740991 /* 2^53 - 1, what every JSON reader keeps exactly */

void json_freep(json_t **j); /* for AUTO(): json_decref */

/* json_read - parse text[len]; `name` is for messages. Refuses duplicate names, trailing bytes,
 * NUL, real numbers, depth above JSON_MAX_DEPTH, integers beyond +-(2^53-1), invalid UTF-8.
 * NULL with ERR_FORMAT. Caller owns the result. */
json_t *json_read(const char *name, const void *text, size_t len, struct err *e) CHECKED;

/* A position in a document, for messages. */
struct json_at {
	const json_t *j; /* borrowed; NULL when the member is missing */
	char where[160]; /* "manifest.json: files[2]" */
};

struct json_at json_root(const char *name, const json_t *j);
struct json_at json_member(const struct json_at *at, const char *key);
struct json_at json_item(const struct json_at *at, size_t i);

/* Required values: 0, or -1 with ERR_FORMAT naming the place, what was seen and what is wanted.
 * Strings are borrowed from the document. */
int json_want_object(const struct json_at *at, struct err *e) CHECKED;
int json_want_array(
	const struct json_at *at, size_t min, size_t max, size_t *n, struct err *e) CHECKED;
int json_want_string(const struct json_at *at, size_t max, const char **out, struct err *e) CHECKED;
int json_want_int(
	const struct json_at *at, int64_t min, int64_t max, int64_t *out, struct err *e) CHECKED;
int json_want_bool(const struct json_at *at, bool *out, struct err *e) CHECKED;
int json_want_hex(
	const struct json_at *at, uint8_t *out, size_t len, struct err *e) CHECKED; /* lower case */
int json_want_time(
	const struct json_at *at, int64_t *unix_s, struct err *e) CHECKED; /* ...Z, seconds */

/* json_only - every member of the object must be in the NULL-ended list. */
int json_only(const struct json_at *at, const char *const names[], struct err *e) CHECKED;

/* json_line - one line, no blanks, members in order of insertion, no LF; UTF-8 unescaped but for
 * what JSON demands. Appends to out. */
int json_line(const json_t *j, struct buf *out, struct err *e) CHECKED;

/* json_print - indented, for people and --json, to stdout with a final LF. */
int json_print(const json_t *j, struct err *e) CHECKED;

#endif

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"

void json_freep(json_t **j)
{
	json_decref(*j);
	*j = NULL;
}

static int check_tree(const char *name, const json_t *j, int depth, struct err *e)
{
	if (depth > JSON_MAX_DEPTH)
		return err_set(e, ERR_FORMAT, "%s: nested deeper than %d", name, JSON_MAX_DEPTH);

	const char *key;
	json_t *v;
	size_t i;
	switch (json_typeof(j)) {
	case JSON_OBJECT:
		json_object_foreach((json_t *)(uintptr_t)j, key,
			v) if (check_tree(name, v, depth + 1, e) != 0) return -1;
		return 0;
	case JSON_ARRAY:
		json_array_foreach(j, i, v) if (check_tree(name, v, depth + 1, e) != 0) return -1;
		return 0;
	case JSON_REAL:
		return err_set(e, ERR_FORMAT,
			"%s: a number with fraction or exponent, whole numbers wanted", name);
	case JSON_INTEGER:
		if (json_integer_value(j) > JSON_INT_MAX || json_integer_value(j) < -JSON_INT_MAX)
			return err_set(e, ERR_FORMAT, "%s: number %lld is beyond 2^53-1", name,
				(long long)json_integer_value(j));
		return 0;
	case JSON_STRING:
	case JSON_TRUE:
	case JSON_FALSE:
	case JSON_NULL:
		return 0;
	}
	return 0;
}

/* jansson recurses for each level (its own limit is 2048): refuse deep text before parsing. */
static bool too_deep(const char *p, size_t len)
{
	int depth = 0;
	bool in_string = false;

	for (size_t i = 0; i < len; i++) {
		if (in_string) {
			if (p[i] == '\\')
				i++;
			else if (p[i] == '"')
				in_string = false;
		} else if (p[i] == '"') {
			in_string = true;
		} else if (p[i] == '{' || p[i] == '[') {
			if (++depth > JSON_MAX_DEPTH)
				return true;
		} else if (p[i] == '}' || p[i] == ']') {
			depth--;
		}
	}
	return false;
}

json_t *json_read(const char *name, const void *text, size_t len, struct err *e)
{
	json_error_t je;

	if (too_deep(text, len)) {
		err_set(e, ERR_FORMAT, "%s: nested deeper than %d", name, JSON_MAX_DEPTH);
		return NULL;
	}
	json_t *j = json_loadb(text, len, JSON_REJECT_DUPLICATES, &je);
	if (!j) {
		err_set(e, ERR_FORMAT, "%s: line %d column %d: %s", name, je.line, je.column,
			ESC(je.text));
		return NULL;
	}
	if (check_tree(name, j, 1, e) != 0) {
		json_decref(j);
		return NULL;
	}
	return j;
}

struct json_at json_root(const char *name, const json_t *j)
{
	struct json_at at = { .j = j };

	snprintf(at.where, sizeof at.where, "%s", name);
	return at;
}

struct json_at json_member(const struct json_at *at, const char *key)
{
	struct json_at m = { .j = json_object_get(at->j, key) };
	bool top = strchr(at->where, ':') == NULL;

	snprintf(m.where, sizeof m.where, "%s%s%s", at->where, top ? ": " : ".", key);
	return m;
}

struct json_at json_item(const struct json_at *at, size_t i)
{
	struct json_at m = { .j = json_array_get(at->j, i) };

	snprintf(m.where, sizeof m.where, "%s[%zu]", at->where, i);
	return m;
}

static const char *type_name(const json_t *j)
{
	if (!j)
		return "nothing";
	switch (json_typeof(j)) {
	case JSON_OBJECT:
		return "an object";
	case JSON_ARRAY:
		return "an array";
	case JSON_STRING:
		return "text";
	case JSON_INTEGER:
	case JSON_REAL:
		return "a number";
	case JSON_TRUE:
	case JSON_FALSE:
		return "true/false";
	case JSON_NULL:
		return "null";
	}
	return "?";
}

static int wrong_type(const struct json_at *at, const char *wanted, struct err *e)
{
	if (!at->j)
		return err_set(e, ERR_FORMAT, "%s: missing, %s wanted", at->where, wanted);
	return err_set(e, ERR_FORMAT, "%s: %s, %s wanted", at->where, type_name(at->j), wanted);
}

int json_want_object(const struct json_at *at, struct err *e)
{
	return json_is_object(at->j) ? 0 : wrong_type(at, "an object", e);
}

int json_want_array(const struct json_at *at, size_t min, size_t max, size_t *n, struct err *e)
{
	if (!json_is_array(at->j))
		return wrong_type(at, "an array", e);
	*n = json_array_size(at->j);
	if (*n < min || *n > max)
		return err_set(
			e, ERR_FORMAT, "%s: %zu items, %zu to %zu wanted", at->where, *n, min, max);
	return 0;
}

int json_want_string(const struct json_at *at, size_t max, const char **out, struct err *e)
{
	if (!json_is_string(at->j))
		return wrong_type(at, "text", e);
	/* No NUL can be inside: json_read() does not pass JSON_ALLOW_NUL. */
	size_t len = json_string_length(at->j);
	if (len > max)
		return err_set(
			e, ERR_FORMAT, "%s: %zu bytes, at most %zu wanted", at->where, len, max);
	*out = json_string_value(at->j);
	return 0;
}

int json_want_int(const struct json_at *at, int64_t min, int64_t max, int64_t *out, struct err *e)
{
	if (!json_is_integer(at->j))
		return wrong_type(at, "a whole number", e);
	int64_t v = json_integer_value(at->j);
	if (v < min || v > max)
		return err_set(e, ERR_FORMAT, "%s: %lld, %lld to %lld wanted", at->where,
			(long long)v, (long long)min, (long long)max);
	*out = v;
	return 0;
}

int json_want_bool(const struct json_at *at, bool *out, struct err *e)
{
	if (!json_is_boolean(at->j))
		return wrong_type(at, "true or false", e);
	*out = json_is_true(at->j);
	return 0;
}

int json_want_hex(const struct json_at *at, uint8_t *out, size_t len, struct err *e)
{
	const char *s;

	if (json_want_string(at, 1 << 20, &s, e) != 0)
		return -1;
	bool lower = strspn(s, "0123456789abcdef") == strlen(s);
	if (!lower || hex_decode(out, len, s) != 0)
		return err_set(e, ERR_FORMAT, "%s: \"%s\", %zu lower-case hex digits wanted",
			at->where, ESC(s), 2 * len);
	return 0;
}

int json_want_time(const struct json_at *at, int64_t *unix_s, struct err *e)
{
	const char *s;
	time_t t;

	if (json_want_string(at, 64, &s, e) != 0)
		return -1;
	if (time_parse_s(s, &t) != 0)
		return err_set(e, ERR_FORMAT, "%s: \"%s\", a time like 2026-11-20T15:00:00Z wanted",
			at->where, ESC(s));
	*unix_s = t;
	return 0;
}

int json_only(const struct json_at *at, const char *const names[], struct err *e)
{
	const char *key;
	json_t *v;

	if (json_want_object(at, e) != 0)
		return -1;
	json_object_foreach((json_t *)(uintptr_t)at->j, key, v)
	{
		bool known = false;
		for (size_t i = 0; names[i] && !known; i++)
			known = strcmp(names[i], key) == 0;
		if (!known)
			return err_set(
				e, ERR_FORMAT, "%s: unknown member \"%s\"", at->where, ESC(key));
	}
	return 0;
}

int json_line(const json_t *j, struct buf *out, struct err *e)
{
	char *s = json_dumps(j, JSON_COMPACT | JSON_ENCODE_ANY);

	if (!s)
		return err_set(e, ERR_INTERNAL, "cannot write JSON: invalid text in a value");
	wr_str(out, s);
	free(s);
	return buf_check(out, "JSON", e);
}

int json_print(const json_t *j, struct err *e)
{
	if (json_dumpf(j, stdout, JSON_INDENT(2)) != 0 || fputc('\n', stdout) == EOF)
		return err_set(e, ERR_ENV, "cannot write to standard output");
	return 0;
}

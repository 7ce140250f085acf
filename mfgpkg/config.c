#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fsio.h"
#include "base/text.h"
#include "mfgpkg/config_node.h"

/* --- positions ------------------------------------------------------------------------------ */

/* Key path of a node: "commands[3].load.address". Keys come from the file, so they are escaped. */
static void path_of(const struct config_node *n, char *out, size_t cap)
{
	const struct config_node *chain[CONFIG_MAX_DEPTH + 2];
	size_t depth = 0, o = 0;

	for (; n && n->parent && depth < CONFIG_MAX_DEPTH + 2; n = n->parent)
		chain[depth++] = n;
	out[0] = 0;
	while (depth-- > 0 && o < cap) {
		const struct config_node *at = chain[depth];
		int w = at->key ? snprintf(out + o, cap - o, "%s%s", o ? "." : "", ESC(at->key))
				: snprintf(out + o, cap - o, "[%zu]", at->index);
		if (w < 0)
			break;
		o += (size_t)w;
	}
}

static int out_of_memory(struct err *e)
{
	return err_set(e, ERR_ENV, "out of memory");
}

int config_error(const struct config_node *n, struct err *e, const char *fmt, ...)
{
	char msg[400], path[200], place[32];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(msg, sizeof msg, fmt, ap);
	va_end(ap);
	path_of(n, path, sizeof path);
	config_place(place, n->doc, n->line, n->column);
	if (!*path)
		return err_set(e, ERR_CONFIG, "%s%s: %s", n->doc->name, place, msg);
	return err_set(e, ERR_CONFIG, "%s%s: key `%s`: %s", n->doc->name, place, path, msg);
}

void config_warn(const struct config_node *n, config_warn_fn warn, void *ctx, const char *fmt, ...)
{
	char msg[400], path[200], text[1024], place[32];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(msg, sizeof msg, fmt, ap);
	va_end(ap);
	path_of(n, path, sizeof path);
	config_place(place, n->doc, n->line, n->column);
	snprintf(text, sizeof text, "%s%s: %s%s%s%s", n->doc->name, place, *path ? "key `" : "",
		path, *path ? "`: " : "", msg);
	warn(ctx, text);
}

void config_warn_cli(void *cli, const char *text)
{
	cli_warn(cli, "%s", text);
}

void config_warn_none(void *ctx, const char *text)
{
	(void)ctx;
	(void)text;
}

/* --- access --------------------------------------------------------------------------------- */

const char *config_name(const struct config *c)
{
	return c->name;
}

const struct config_node *config_root(const struct config *c)
{
	return c->root;
}

enum config_kind config_kind(const struct config_node *n)
{
	return n->kind;
}

const char *config_kind_name(const struct config_node *n)
{
	switch (n->kind) {
	case CONFIG_NULL:
		return "nothing (null)";
	case CONFIG_TEXT:
		return "text";
	case CONFIG_INT:
		return "a number";
	case CONFIG_BOOL:
		return "a boolean";
	case CONFIG_LIST:
		return "a list";
	case CONFIG_MAP:
		return "a map";
	}
	return "?";
}

bool config_is_quoted(const struct config_node *n)
{
	return n->quoted;
}

unsigned config_line(const struct config_node *n)
{
	return n->line;
}

unsigned config_column(const struct config_node *n)
{
	return n->column;
}

const char *config_file(const struct config_node *n)
{
	return n->doc->name;
}

const struct config *config_of(const struct config_node *n)
{
	return n->doc;
}

const struct config_node *config_get(const struct config_node *map, const char *key)
{
	if (!map || map->kind != CONFIG_MAP)
		return NULL;
	struct config_pair_entry *p = config_map_find(map, key);
	if (!p)
		return NULL;
	p->used = true;
	return p->value;
}

const struct config_node *config_get_nocase(const struct config_node *map, const char *key)
{
	if (!map || map->kind != CONFIG_MAP)
		return NULL;
	for (size_t i = 0; i < map->n; i++)
		if (strcasecmp(map->pairs[i].key, key) == 0) {
			map->pairs[i].used = true;
			return map->pairs[i].value;
		}
	return NULL;
}

const struct config_node *config_get_any(const struct config_node *map, ...)
{
	const struct config_node *found = NULL;
	const char *key;
	va_list ap;

	va_start(ap, map);
	while ((key = va_arg(ap, const char *)) != NULL) {
		const struct config_node *n = config_get(map, key);
		if (!found)
			found = n;
	}
	va_end(ap);
	return found;
}

int config_need(const struct config_node *map, const char *key, const struct config_node **out,
	struct err *e)
{
	const struct config_node *n = config_get(map, key);

	if (!n)
		return config_error(map, e, "missing key `%s`", key);
	*out = n;
	return 0;
}

const struct config_node *config_pair(const struct config_node *map, size_t i, const char **key)
{
	if (!map || map->kind != CONFIG_MAP || i >= map->n)
		return NULL;
	map->pairs[i].used = true;
	if (key)
		*key = map->pairs[i].key;
	return map->pairs[i].value;
}

size_t config_len(const struct config_node *n)
{
	return n && (n->kind == CONFIG_LIST || n->kind == CONFIG_MAP) ? n->n : 0;
}

const struct config_node *config_at(const struct config_node *list, size_t i)
{
	return list && list->kind == CONFIG_LIST && i < list->n ? list->items[i] : NULL;
}

const char *config_text(const struct config_node *n)
{
	return n && (n->kind == CONFIG_TEXT || n->kind == CONFIG_INT || n->kind == CONFIG_BOOL)
		       ? n->text
		       : NULL;
}

int config_str(const struct config_node *n, const char **out, struct err *e)
{
	const char *text = config_text(n);

	if (!text)
		return config_error(n, e, "this is %s, text is wanted", config_kind_name(n));
	*out = text;
	return 0;
}

bool config_is_number(const struct config_node *n)
{
	uint64_t v;

	return n->kind == CONFIG_INT || (n->kind == CONFIG_TEXT && number_parse(n->text, &v) == 0);
}

int config_number(const struct config_node *n, uint64_t max, uint64_t *out, struct err *e)
{
	uint64_t v = n->number;

	if (n->kind == CONFIG_BOOL)
		return config_error(
			n, e, "%s is a boolean in YAML 1.1, a number is wanted", n->text);
	if (n->kind != CONFIG_INT && n->kind != CONFIG_TEXT)
		return config_error(n, e, "this is %s, a number is wanted", config_kind_name(n));
	if (n->kind == CONFIG_INT ? n->negative : n->text[strspn(n->text, " \t\r\n")] == '-')
		return config_error(n, e, "\"%s\": negative numbers are not allowed", ESC(n->text));
	if (n->kind == CONFIG_TEXT && number_parse(n->text, &v) != 0)
		return config_error(
			n, e, "\"%s\" is not a number (0x.., 0b.., 0o.. or decimal)", ESC(n->text));
	if (n->too_wide || v > max)
		return config_error(n, e, "%s is too large, at most 0x%llX", ESC(n->text),
			(unsigned long long)max);
	*out = v;
	return 0;
}

int config_bool(const struct config_node *n, bool *out, struct err *e)
{
	if (n->kind != CONFIG_BOOL)
		return config_error(
			n, e, "this is %s, true or false is wanted", config_kind_name(n));
	*out = n->truth;
	return 0;
}

static const struct config_node *present(const struct config_node *map, const char *key)
{
	const struct config_node *n = config_get(map, key);
	return n && n->kind != CONFIG_NULL ? n : NULL;
}

int config_str_of(const struct config_node *map, const char *key, const char *fallback,
	const char **out, struct err *e)
{
	const struct config_node *n = present(map, key);

	if (n)
		return config_str(n, out, e);
	*out = fallback;
	return 0;
}

int config_number_of(const struct config_node *map, const char *key, uint64_t max,
	uint64_t fallback, uint64_t *out, struct err *e)
{
	const struct config_node *n = present(map, key);

	if (n)
		return config_number(n, max, out, e);
	*out = fallback;
	return 0;
}

int config_bool_of(
	const struct config_node *map, const char *key, bool fallback, bool *out, struct err *e)
{
	const struct config_node *n = present(map, key);

	if (n)
		return config_bool(n, out, e);
	*out = fallback;
	return 0;
}

/* --- paths ---------------------------------------------------------------------------------- */

static char *with_slashes(const char *text)
{
	char *copy = strdup(text);

	for (char *p = copy; p && *p; p++)
		if (*p == '\\')
			*p = '/';
	return copy;
}

int config_path_of_text(const struct config_node *n, const char *text, char **out, struct err *e)
{
	AUTO(str_freep) char *name = with_slashes(text);

	if (!name)
		return out_of_memory(e);
	if (!*name)
		return config_error(n, e, "empty, the name of a file is wanted");
	for (const struct config *c = n->doc; c; c = c->parent) {
		char *path = path_join(c->dir, name);
		if (!path)
			return out_of_memory(e);
		if (fsio_exists(path)) {
			*out = path;
			return 0;
		}
		free(path);
	}
	if (!fsio_exists(name))
		return config_error(n, e, "file \"%s\" not found (looked in %s%s)", ESC(name),
			*name == '/' ? "the root directory" : n->doc->dir,
			*name == '/'
				? ""
				: ", beside the parent configuration and in the current directory");
	*out = name;
	name = NULL;
	return 0;
}

int config_path(const struct config_node *n, char **out, struct err *e)
{
	const char *text = NULL;

	if (config_str(n, &text, e) != 0)
		return -1;
	return config_path_of_text(n, text, out, e);
}

int config_out_path(const struct config_node *n, char **out, struct err *e)
{
	const char *text = NULL;

	if (config_str(n, &text, e) != 0)
		return -1;
	AUTO(str_freep) char *name = with_slashes(text);
	if (!name)
		return out_of_memory(e);
	if (!*name)
		return config_error(n, e, "empty, the name of a file is wanted");
	char *path = path_join(n->doc->dir, name);
	if (!path)
		return out_of_memory(e);
	*out = path;
	return 0;
}

/* --- unknown keys --------------------------------------------------------------------------- */

static bool in_list(const char *name, const char *const list[])
{
	for (; *list; list++)
		if (strcmp(name, *list) == 0)
			return true;
	return false;
}

const char *config_nearest(const char *name, const char *const known[])
{
	const char *best = NULL;
	unsigned best_distance = 99;

	for (; known && *known; known++) {
		unsigned d = text_distance(name, *known);
		if (d < best_distance) {
			best_distance = d;
			best = *known;
		}
	}
	/* Up to a third of the letters wrong is a slip; more is another word. */
	return best_distance <= 1 + strlen(name) / 3 ? best : NULL;
}

void config_warn_unused_in(
	const struct config_node *map, const char *const known[], config_warn_fn warn, void *ctx)
{
	if (!map || map->kind != CONFIG_MAP)
		return;
	for (size_t i = 0; i < map->n; i++) {
		const struct config_pair_entry *p = &map->pairs[i];
		if (p->used || (known && in_list(p->key, known)))
			continue;
		const char *nearest = config_nearest(p->key, known);
		char path[200], text[1024], place[32];
		path_of(p->value, path, sizeof path);
		config_place(place, map->doc, p->line, p->column);
		snprintf(text, sizeof text, "%s%s: unknown key `%s`%s%s%s", map->doc->name, place,
			path, nearest ? ", did you mean `" : " is ignored", nearest ? nearest : "",
			nearest ? "`?" : "");
		warn(ctx, text);
	}
}

void config_warn_unused(
	const struct config *c, const char *const known[], config_warn_fn warn, void *ctx)
{
	config_warn_unused_in(c->root, known, warn, ctx);
}

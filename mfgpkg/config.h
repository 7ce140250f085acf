/* config - configuration documents of the OEM side: YAML 1.1 or JSON, with positions.
 *
 * A document is read completely into a tree of nodes; every node knows its file, line, column and
 * key path, so that whoever rejects a value can say exactly where it stands. JSON is read by the
 * same reader, of which it is nearly a subset; the few documents that only JSON allows are read
 * too, but then without line numbers.
 *
 * Scalars follow YAML 1.1, as other tools for these files do: unquoted 010 is octal 8, 0x10 is
 * 16, no/off/yes/on are booleans; quoted scalars are text. A text that is asked for as a number
 * is read by number_parse() ('010' is 10, '0x10' is 16, '1_000', '5ul').
 *
 * Refused: duplicate keys, more than one document, custom tags, real NUL bytes in text, files
 * above CONFIG_MAX_SIZE, nesting above CONFIG_MAX_DEPTH, more than CONFIG_MAX_NODES nodes counting
 * every use of an alias.
 *
 * Ownership: a struct config owns all its nodes and strings; everything handed out is borrowed
 * from it. One thread per document. Source: formats "cert-block-v21" section 5, "pfr" section 3.
 */
#ifndef MFGPKG_CONFIG_H
#define MFGPKG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cli.h"
#include "base/err.h"

#define CONFIG_MAX_SIZE	 ((size_t)8 << 20)
#define CONFIG_MAX_DEPTH 32
#define CONFIG_MAX_NODES 200000

struct config;
struct config_node;

enum config_kind {
	CONFIG_NULL, /* ~, null, or nothing after the colon */
	CONFIG_TEXT,
	CONFIG_INT, /* an unquoted integer */
	CONFIG_BOOL, /* an unquoted true/false/yes/no/on/off */
	CONFIG_LIST,
	CONFIG_MAP,
};

/* config_load - read a file. ERR_ENV (cannot read), ERR_CONFIG (syntax, limits, root not a map).
 * config_load_bytes - the same from memory; `name` stands for the file name in messages, and its
 *   directory is where relative paths start.
 * config_load_from - the file a node names (config_path), with the node's document as parent:
 *   relative paths inside are looked for beside it, then beside the parent. The parent must
 *   outlive the child. */
int config_load(struct config **out, const char *path, struct err *e) CHECKED;
int config_load_bytes(
	struct config **out, const char *name, const void *data, size_t len, struct err *e) CHECKED;
int config_load_from(
	struct config **out, const struct config_node *path_node, struct err *e) CHECKED;
void config_set_parent(struct config *c, const struct config *parent);
void config_free(struct config *c);
void config_freep(struct config **c);

const char *config_name(const struct config *c); /* the path it was loaded from */
const struct config_node *config_root(const struct config *c); /* a map */

enum config_kind config_kind(const struct config_node *n);
const char *config_kind_name(const struct config_node *n); /* "a list", "text", ... */
bool config_is_quoted(const struct config_node *n); /* written with quotes or as a block */
unsigned config_line(const struct config_node *n); /* from 1 */
unsigned config_column(const struct config_node *n); /* from 1 */
const char *config_file(const struct config_node *n);
const struct config *config_of(const struct config_node *n);

/* Maps. config_get is NULL when the key is absent (or `map` is NULL) and marks the key as used;
 * config_get_any looks for several names in order (new name first; the list ends with NULL) and
 * marks all of them. config_need is an error when the key is absent. config_pair enumerates in
 * file order. config_get_nocase ignores letter case. */
const struct config_node *config_get(const struct config_node *map, const char *key);
const struct config_node *config_get_nocase(const struct config_node *map, const char *key);
const struct config_node *config_get_any(const struct config_node *map, ...)
	__attribute__((sentinel));
int config_need(const struct config_node *map, const char *key, const struct config_node **out,
	struct err *e) CHECKED;
const struct config_node *config_pair(
	const struct config_node *map, size_t i, const char **key); /* marks it as used */

/* Lists (and the number of pairs of a map; 0 for anything else and for NULL). */
size_t config_len(const struct config_node *n);
const struct config_node *config_at(const struct config_node *list, size_t i);

/* Scalars. Each returns 0, or -1 with ERR_CONFIG naming place, value seen and value wanted.
 *   config_str     text as written; integers and booleans give their spelling
 *   config_text    the same without error: NULL unless n is a text, integer or boolean
 *   config_number  an integer, or text that number_parse takes; 0..max. No negative numbers.
 *   config_is_number  true when config_number could take it (ignoring the maximum)
 *   config_bool    a boolean */
int config_str(const struct config_node *n, const char **out, struct err *e) CHECKED;
const char *config_text(const struct config_node *n);
int config_number(const struct config_node *n, uint64_t max, uint64_t *out, struct err *e) CHECKED;
bool config_is_number(const struct config_node *n);
int config_bool(const struct config_node *n, bool *out, struct err *e) CHECKED;

/* The same for a key of a map. Absent or null: *out is `fallback`. */
int config_str_of(const struct config_node *map, const char *key, const char *fallback,
	const char **out, struct err *e) CHECKED;
int config_number_of(const struct config_node *map, const char *key, uint64_t max,
	uint64_t fallback, uint64_t *out, struct err *e) CHECKED;
int config_bool_of(const struct config_node *map, const char *key, bool fallback, bool *out,
	struct err *e) CHECKED;

/* Paths. Backslashes count as slashes. The result is malloc'ed (str_freep).
 *   config_path      an existing file: relative ones are looked for beside this document, beside
 *                    its parents, then in the current directory
 *   config_out_path  a file to be written: relative to the directory of this document */
int config_path(const struct config_node *n, char **out, struct err *e) CHECKED;
int config_out_path(const struct config_node *n, char **out, struct err *e) CHECKED;

/* config_path_of_text - as config_path for text that stands inside a larger value, e.g. the path
 * of "type=file;file_path=...". ERR_CONFIG at n. */
int config_path_of_text(
	const struct config_node *n, const char *text, char **out, struct err *e) CHECKED;

/* config_error - ERR_CONFIG "file:line:column: key `a.b`: ...". Returns -1. */
int config_error(const struct config_node *n, struct err *e, const char *fmt, ...) PRINTF_LIKE(3);

/* Warnings: the text is "file:line:column: ..." without the word warning. */
typedef void (*config_warn_fn)(void *ctx, const char *text);
void config_warn(const struct config_node *n, config_warn_fn warn, void *ctx, const char *fmt, ...)
	PRINTF_LIKE(4);
void config_warn_cli(void *cli, const char *text); /* ctx: struct cli *; prints through cli_warn */
void config_warn_none(void *ctx, const char *text); /* drops it */

/* config_warn_unused - a warning for every key of the root that nobody asked for and that is not
 * in `known` (NULL-ended; may be NULL), naming the nearest known key.
 * config_warn_unused_in - the same for one map; the candidates are `known` alone. */
void config_warn_unused(
	const struct config *c, const char *const known[], config_warn_fn warn, void *ctx);
void config_warn_unused_in(
	const struct config_node *map, const char *const known[], config_warn_fn warn, void *ctx);

/* config_nearest - the entry of `known` a misspelt name was meant to be, or NULL. */
const char *config_nearest(const char *name, const char *const known[]);

#endif

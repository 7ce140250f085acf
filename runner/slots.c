#include <stdio.h>
#include <string.h>

#include "base/fsio.h"
#include "base/json.h"
#include "base/text.h"
#include "runner/slots.h"

#define SLOTS_FILE_MAX ((size_t)256 << 10)

static bool name_valid(const char *name)
{
	size_t len = strlen(name);

	return len >= 1 && len <= SLOT_NAME_MAX &&
	       strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") ==
		       len;
}

static int check_glob(const char *glob, struct err *e)
{
	if (!*glob || strlen(glob) > SLOT_GLOB_MAX || strchr(glob, '\n'))
		return err_set(e, ERR_USAGE, "port pattern '%s': 1 to %d characters on one line",
			ESC(glob), SLOT_GLOB_MAX);
	return 0;
}

int slots_map(struct slots *slots, const char *name, const char *glob, struct err *e)
{
	if (!name_valid(name))
		return err_set(e, ERR_USAGE,
			"slot name '%s': 1 to %d letters, digits, '.', '_' or '-'", ESC(name),
			SLOT_NAME_MAX);
	if (check_glob(glob, e) != 0)
		return -1;
	struct slot_rule *r = NULL;
	for (size_t i = 0; i < slots->n_map; i++) {
		if (strcmp(slots->map[i].name, name) == 0)
			r = &slots->map[i];
		else if (strcmp(slots->map[i].port, glob) == 0)
			return err_set(e, ERR_USAGE, "port pattern '%s' is slot %s already",
				ESC(glob), slots->map[i].name);
	}
	if (!r && slots->n_map == SLOTS_MAX)
		return err_set(e, ERR_LIMIT, "at most %d slots", SLOTS_MAX);
	if (!r)
		r = &slots->map[slots->n_map++];
	*r = (struct slot_rule){ 0 };
	snprintf(r->name, sizeof r->name, "%s", name);
	snprintf(r->port, sizeof r->port, "%s", glob);
	return 0;
}

static bool drop_rule(struct slot_rule *rules, size_t *n, const char *text, bool by_name)
{
	for (size_t i = 0; i < *n; i++) {
		if (strcmp(by_name ? rules[i].name : rules[i].port, text) != 0)
			continue;
		memmove(&rules[i], &rules[i + 1], (*n - i - 1) * sizeof *rules);
		--*n;
		return true;
	}
	return false;
}

int slots_unmap(struct slots *slots, const char *name, struct err *e)
{
	if (!drop_rule(slots->map, &slots->n_map, name, true))
		return err_set(e, ERR_USAGE, "no slot '%s'", ESC(name));
	return 0;
}

int slots_deny(struct slots *slots, const char *glob, struct err *e)
{
	if (check_glob(glob, e) != 0)
		return -1;
	for (size_t i = 0; i < slots->n_deny; i++)
		if (strcmp(slots->deny[i].port, glob) == 0)
			return 0;
	if (slots->n_deny == SLOTS_MAX)
		return err_set(e, ERR_LIMIT, "at most %d denied patterns", SLOTS_MAX);
	struct slot_rule *r = &slots->deny[slots->n_deny++];
	*r = (struct slot_rule){ 0 };
	snprintf(r->port, sizeof r->port, "%s", glob);
	return 0;
}

int slots_allow(struct slots *slots, const char *glob, struct err *e)
{
	if (!drop_rule(slots->deny, &slots->n_deny, glob, false))
		return err_set(e, ERR_USAGE, "pattern '%s' is not denied", ESC(glob));
	return 0;
}

/* --- file -------------------------------------------------------------------------------- */
static int read_slots(struct slots *out, const char *path, const json_t *doc, struct err *e)
{
	struct json_at root = json_root(path, doc);
	struct json_at map = json_member(&root, "slots"), deny = json_member(&root, "deny");
	struct json_at type = json_member(&root, "type"), format = json_member(&root, "format");
	const char *text, *name;
	int64_t version;
	size_t n;

	if (json_want_string(&type, 32, &text, e) != 0 ||
		json_want_int(&format, 1, 1, &version, e) != 0)
		return -1;
	if (strcmp(text, "mfgpkg-slots") != 0)
		return err_set(
			e, ERR_FORMAT, "%s: type '%s', wanted 'mfgpkg-slots'", path, ESC(text));
	if (json_want_array(&map, 0, SLOTS_MAX, &n, e) != 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		struct json_at at = json_item(&map, i);
		struct json_at s = json_member(&at, "slot"), p = json_member(&at, "port");
		if (json_want_string(&s, SLOT_NAME_MAX, &name, e) != 0 ||
			json_want_string(&p, SLOT_GLOB_MAX, &text, e) != 0)
			return -1;
		if (slots_map(out, name, text, e) != 0)
			return err_wrap(e, "%s", path);
	}
	if (json_want_array(&deny, 0, SLOTS_MAX, &n, e) != 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		struct json_at at = json_item(&deny, i);
		if (json_want_string(&at, SLOT_GLOB_MAX, &text, e) != 0 ||
			slots_deny(out, text, e) != 0)
			return -1;
	}
	return 0;
}

int slots_load(struct slots *out, const struct station *s, struct err *e)
{
	AUTO(str_freep) char *path = station_path(s, "slots.json");
	AUTO(buf_clear) struct buf text = { 0 };
	AUTO(json_freep) json_t *doc = NULL;

	*out = (struct slots){ 0 };
	if (!path)
		return err_set(e, ERR_ENV, "out of memory");
	if (!fsio_exists(path))
		return 0;
	if (fsio_read(path, SLOTS_FILE_MAX, &text, e) != 0)
		return -1;
	doc = json_read(path, text.p, text.len, e);
	if (!doc || read_slots(out, path, doc, e) != 0) {
		*out = (struct slots){ 0 };
		e->code = ERR_CONFIG; /* people edit this file */
		return -1;
	}
	return 0;
}

int slots_save(const struct slots *slots, const struct station *s, struct err *e)
{
	AUTO(str_freep) char *path = station_path(s, "slots.json");
	AUTO(buf_clear) struct buf text = { 0 };
	json_t *map = json_array(), *deny = json_array();
	AUTO(json_freep)
	json_t *doc = json_pack("{s:s,s:i,s:o,s:o}", "type", "mfgpkg-slots", "format", 1, "slots",
		map, "deny", deny);

	if (!path || !doc)
		return err_set(e, ERR_ENV, "out of memory");
	for (size_t i = 0; i < slots->n_map; i++)
		json_array_append_new(map, json_pack("{s:s,s:s}", "slot", slots->map[i].name,
						   "port", slots->map[i].port));
	for (size_t i = 0; i < slots->n_deny; i++)
		json_array_append_new(deny, json_string(slots->deny[i].port));
	if (json_line(doc, &text, e) != 0)
		return -1;
	wr_u8(&text, '\n');
	return fsio_write(path, text.p, text.len, 0600, e);
}

/* --- decision ---------------------------------------------------------------------------- */
static bool matches(const char *glob, const struct slot_port *port)
{
	const char *const names[] = { port->path, port->by_path, port->topology,
		port->by_path ? path_basename(port->by_path) : NULL };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (names[i] && *names[i] && glob_match(glob, names[i]))
			return true;
	return false;
}

bool slots_permit(const struct slots *slots, const struct slot_port *port,
	const struct cli_list *globs, char name[SLOT_NAME_MAX + 1])
{
	const struct slot_rule *slot = NULL;
	bool named = false;

	for (size_t i = 0; i < slots->n_deny; i++)
		if (matches(slots->deny[i].port, port))
			return false;
	for (size_t i = 0; i < slots->n_map && !slot; i++)
		if (matches(slots->map[i].port, port))
			slot = &slots->map[i];
	for (size_t i = 0; i < globs->n && !named; i++)
		named = matches(globs->v[i], port);

	bool permitted = globs->n ? named : slots->n_map ? slot != NULL : true;
	if (permitted)
		snprintf(name, SLOT_NAME_MAX + 1, "%s", slot ? slot->name : "");
	return permitted;
}

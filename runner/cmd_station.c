#include <stdio.h>
#include <string.h>

#include "base/fsio.h"
#include "base/json.h"
#include "runner/commands.h"
#include "runner/slots.h"
#include "runner/station.h"

/* --- station init ------------------------------------------------------------------------ */
static int run_init(const struct cli *c, struct err *e)
{
	AUTO(str_freep) char *dir = station_folder(c, e);
	const char *name = cli_string(c, "name", NULL);
	struct station s;
	char key[VKEY_TEXT_CAP];

	if (!dir)
		return -1;
	if (!name)
		return cli_usage(e, c, "--name NAME is missing");
	if (station_init(dir, name, e) != 0 || station_open(&s, dir, STATION_LOOK, e) != 0)
		return -1;
	if (c->verbosity >= 0)
		printf("station %s in %s\nkey %s\n'runner station show --json' is what the OEM "
		       "needs for an order\n",
			s.name, dir, vkey_text(&s.key, key));
	station_close(&s);
	return 0;
}

static const struct cli_option init_options[] = {
	STATE_OPTION,
	{ "name", 'n', CLI_STRING, "NAME", "name of the station, e.g. line3.plant4.example",
		false },
	{ 0 },
};

const struct cli_command run_cmd_station_init = {
	"station init",
	"",
	0,
	0,
	"make this station: its folder, its key, its first order key",
	init_options,
	run_init,
};

/* --- station show ------------------------------------------------------------------------ */
static int run_show(const struct cli *c, struct err *e)
{
	AUTO(str_freep) char *dir = station_folder(c, e);
	AUTO(station_close) struct station s = { .lock = -1 };
	bool fresh = cli_flag(c, "new-order-key");
	char key[VKEY_TEXT_CAP], order_key[VKEY_TEXT_CAP];
	struct vkey order;

	if (!dir || station_open(&s, dir, fresh ? STATION_WORK : STATION_LOOK, e) != 0)
		return -1;
	if (fresh && station_order_key_new(&s, e) != 0)
		return -1;
	if (station_order_key(&s, &order, e) != 0)
		return -1;
	vkey_text(&s.key, key);
	vkey_text(&order, order_key);
	if (c->json) {
		AUTO(json_freep)
		json_t *j = json_pack(
			"{s:s,s:s,s:s}", "name", s.name, "key", key, "order_key", order_key);
		return json_print(j, e);
	}
	printf("name       %s\nkey        %s\norder key  %s\nfolder     %s\n", s.name, key,
		order_key, dir);
	return 0;
}

static const struct cli_option show_options[] = {
	STATE_OPTION,
	{ "new-order-key", 0, CLI_FLAG, NULL,
		"make one more order key first (several orders in advance)", false },
	{ 0 },
};

const struct cli_command run_cmd_station_show = {
	"station show",
	"",
	0,
	0,
	"name, key, and the key for the next order",
	show_options,
	run_show,
};

/* --- station slots ----------------------------------------------------------------------- */
static int print_slots(const struct slots *slots, bool json, struct err *e)
{
	if (json) {
		json_t *map = json_array(), *deny = json_array();
		AUTO(json_freep) json_t *j = json_pack("{s:o,s:o}", "slots", map, "deny", deny);
		for (size_t i = 0; i < slots->n_map; i++)
			json_array_append_new(
				map, json_pack("{s:s,s:s}", "slot", slots->map[i].name, "port",
					     slots->map[i].port));
		for (size_t i = 0; i < slots->n_deny; i++)
			json_array_append_new(deny, json_string(slots->deny[i].port));
		return json_print(j, e);
	}
	for (size_t i = 0; i < slots->n_map; i++)
		printf("%-15s %s\n", slots->map[i].name, slots->map[i].port);
	for (size_t i = 0; i < slots->n_deny; i++)
		printf("%-15s %s\n", "(never)", slots->deny[i].port);
	if (!slots->n_map)
		puts("no slots: every USB serial port may be used");
	return 0;
}

static int change_slots(const struct cli *c, struct slots *slots, bool *changed, struct err *e)
{
	struct cli_list remove = cli_list(c, "remove"), deny = cli_list(c, "deny");
	struct cli_list allow = cli_list(c, "allow");

	for (size_t i = 0; i < remove.n; i++)
		if (slots_unmap(slots, remove.v[i], e) != 0)
			return -1;
	for (size_t i = 0; i < deny.n; i++)
		if (slots_deny(slots, deny.v[i], e) != 0)
			return -1;
	for (size_t i = 0; i < allow.n; i++)
		if (slots_allow(slots, allow.v[i], e) != 0)
			return -1;
	for (size_t i = 0; i < c->operands.n; i++) {
		const char *text = c->operands.v[i], *equals = strchr(text, '=');
		char name[SLOT_NAME_MAX + 2];
		if (!equals)
			return cli_usage(e, c, "'%s': wanted NAME=PORT", text);
		snprintf(name, sizeof name, "%.*s", (int)(equals - text), text);
		if (slots_map(slots, name, equals + 1, e) != 0)
			return -1;
	}
	*changed = remove.n || deny.n || allow.n || c->operands.n;
	return 0;
}

static int run_slots(const struct cli *c, struct err *e)
{
	AUTO(str_freep) char *dir = station_folder(c, e);
	AUTO(station_close) struct station s = { .lock = -1 };
	static struct slots slots;
	bool change = c->operands.n || cli_given(c, "remove") || cli_given(c, "deny") ||
		      cli_given(c, "allow");

	if (!dir || station_open(&s, dir, change ? STATION_WORK : STATION_LOOK, e) != 0 ||
		slots_load(&slots, &s, e) != 0 || change_slots(c, &slots, &change, e) != 0 ||
		(change && slots_save(&slots, &s, e) != 0))
		return -1;
	return c->verbosity < 0 ? 0 : print_slots(&slots, c->json, e);
}

static const struct cli_option slots_options[] = {
	STATE_OPTION,
	{ "remove", 0, CLI_LIST, "NAME", "forget a slot", false },
	{ "deny", 0, CLI_LIST, "GLOB", "never touch ports of this name", false },
	{ "allow", 0, CLI_LIST, "GLOB", "take a denial back", false },
	{ 0 },
};

const struct cli_command run_cmd_station_slots = {
	"station slots",
	"[NAME=PORT ...]",
	0,
	SIZE_MAX,
	"name the places where boards are put; PORT is a path, a by-path name or a glob",
	slots_options,
	run_slots,
};

#include <stdio.h>
#include <string.h>

#include "base/fsio.h"
#include "base/json.h"
#include "pkg/signed_file.h"
#include "runner/commands.h"
#include "runner/trust_store.h"

static void print_key(const struct minisign_pub *key)
{
	char id[17], file[MINISIGN_PUB_FILE_CAP];

	minisign_pub_write(key, file);
	char *line = strchr(file, '\n');
	printf("%s %s", minisign_id_hex(id, key->id), line ? line + 1 : "\n");
}

static int print_trust(const struct trust *t, bool json, struct err *e)
{
	if (json) {
		AUTO(json_freep) json_t *j = trust_to_json(t);
		return json_print(j, e);
	}
	for (size_t i = 0; i < t->n; i++)
		print_key(&t->keys[i]);
	printf("%zu key%s, %u of them must have signed\n", t->n, t->n == 1 ? "" : "s",
		t->threshold ? t->threshold : 1);
	return 0;
}

/* Every trust command: open, load, change, save, show. */
static int with_trust(const struct cli *c,
	int (*change)(const struct cli *c, struct trust *t, struct err *e), struct err *e)
{
	AUTO(str_freep) char *dir = station_folder(c, e);
	AUTO(station_close) struct station s = { .lock = -1 };
	struct trust t;

	if (!dir || station_open(&s, dir, change ? STATION_WORK : STATION_LOOK, e) != 0 ||
		trust_store_load(&t, &s, e) != 0)
		return -1;
	if (change && (change(c, &t, e) != 0 || trust_store_save(&t, &s, e) != 0))
		return -1;
	return change && c->verbosity < 0 ? 0 : print_trust(&t, c->json, e);
}

static int set_threshold(const struct cli *c, struct trust *t, struct err *e)
{
	uint64_t k = cli_number(c, "threshold", t->threshold ? t->threshold : 1);

	if (k < 1 || k > t->n)
		return cli_usage(e, c, "--threshold %llu: 1 to %zu, the number of keys",
			(unsigned long long)k, t->n);
	t->threshold = (unsigned)k;
	return 0;
}

static int add(const struct cli *c, struct trust *t, struct err *e)
{
	for (size_t i = 0; i < c->operands.n; i++) {
		struct minisign_pub key;
		if (minisign_pub_load(&key, c->operands.v[i], e) != 0 || trust_add(t, &key, e) != 0)
			return -1;
	}
	return set_threshold(c, t, e);
}

static int run_add(const struct cli *c, struct err *e)
{
	return with_trust(c, add, e);
}

static int remove_key(const struct cli *c, struct trust *t, struct err *e)
{
	uint8_t id[MINISIGN_ID_LEN];
	size_t kept = 0;

	if (minisign_id_parse(id, c->operands.v[0]) != 0)
		return cli_usage(
			e, c, "'%s' is not a key id (up to 16 hex digits)", c->operands.v[0]);
	for (size_t i = 0; i < t->n; i++)
		if (memcmp(t->keys[i].id, id, sizeof id) != 0)
			t->keys[kept++] = t->keys[i];
	if (kept == t->n)
		return err_set(e, ERR_USAGE, "no trusted key has the id %s", c->operands.v[0]);
	if (kept && t->threshold > kept)
		return err_set(e, ERR_USAGE,
			"%u of %zu keys must have signed: without this key that is impossible; "
			"lower "
			"the threshold first ('runner trust add --threshold K PUB')",
			t->threshold, t->n);
	t->n = kept;
	if (!kept)
		t->threshold = 1;
	return 0;
}

static int run_remove(const struct cli *c, struct err *e)
{
	return with_trust(c, remove_key, e);
}

static int import_update(const struct cli *c, struct trust *t, struct err *e)
{
	AUTO(signed_file_clear) struct signed_file f = { 0 };
	const char *path = c->operands.v[0];
	struct trust next;

	if (signed_file_read(&f, path, TRUST_MAX_SIZE, e) != 0 ||
		trust_update_apply(t, path, f.text.p, f.text.len, f.sigs, f.n, &next, e) != 0)
		return -1;
	*t = next;
	return 0;
}

static int run_import(const struct cli *c, struct err *e)
{
	return with_trust(c, import_update, e);
}

static int run_list(const struct cli *c, struct err *e)
{
	return with_trust(c, NULL, e);
}

static const struct cli_option add_options[] = {
	STATE_OPTION,
	{ "threshold", 0, CLI_NUMBER, "K", "so many of the keys must have signed (default 1)",
		false },
	{ 0 },
};
static const struct cli_option state_options[] = { STATE_OPTION, { 0 } };

const struct cli_command run_cmd_trust_add = {
	"trust add",
	"PUB...",
	1,
	TRUST_MAX_KEYS,
	"accept packages and orders of this OEM key",
	add_options,
	run_add,
};
const struct cli_command run_cmd_trust_list = {
	"trust list",
	"",
	0,
	0,
	"the OEM keys this station accepts",
	state_options,
	run_list,
};
const struct cli_command run_cmd_trust_remove = {
	"trust remove",
	"ID",
	1,
	1,
	"accept this key no longer",
	state_options,
	run_remove,
};
const struct cli_command run_cmd_trust_import = {
	"trust import",
	"UPDATE",
	1,
	1,
	"take a trust update signed by the old keys and the new (UPDATE.minisig beside it)",
	state_options,
	run_import,
};

/* mfgpkg trust update, approve, inspect - changing which keys a station trusts, from afar. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/fsio.h"
#include "base/json.h"
#include "base/text.h"
#include "keyed/minisign_key.h"
#include "keyed/passphrase.h"
#include "mfgpkg/commands.h"
#include "mfgpkg/signed_write.h"
#include "mfgpkg/trust_options.h"
#include "pkg/signed_file.h"

static const struct cli_option update_options[] = {
	{ "pub", 'P', CLI_LIST, "PUB", "keys trusted from now on: all of them, no others", true },
	{ "threshold", 0, CLI_NUMBER, "K", "approvals wanted from now on (default 1)", false },
	{ "version", 0, CLI_NUMBER, "N", "of the update: higher than any before", false },
	{ "secret-key", 's', CLI_LIST, "FILE", "minisign secret keys that sign, old and new",
		true },
	{ "output", 'o', CLI_STRING, "FILE", "the update; signatures go beside it", false },
	PASSPHRASE_OPTIONS,
	{ 0 },
};

static void comment_of(char out[100], const struct trust *t)
{
	snprintf(out, 100, "mfgpkg trust update %lld", (long long)t->version);
}

static int load_keys(const struct cli_list *files, const struct passphrase_source *pass,
	struct minisign_key *keys[], struct err *e)
{
	for (size_t i = 0; i < files->n; i++)
		if (minisign_key_load(&keys[i], files->v[i], pass, e) != 0)
			return -1;
	return 0;
}

static int write_update(const char *to, const struct trust *t, struct minisign_key *const keys[],
	size_t n, struct err *e)
{
	const char *epoch = getenv("SOURCE_DATE_EPOCH");
	uint64_t created = (uint64_t)time(NULL);
	AUTO(buf_clear) struct buf text = { 0 };
	struct trust again;
	char comment[100];

	if (epoch)
		(void)!decimal_parse(epoch, strlen(epoch), INT32_MAX * 4ull, &created);
	AUTO(json_freep) json_t *j = trust_update_to_json(t, (int64_t)created);
	if (!j)
		return err_set(e, ERR_ENV, "%s: out of memory", to);
	if (json_line(j, &text, e) != 0)
		return -1;
	wr_u8(&text, '\n');
	if (buf_check(&text, to, e) != 0 ||
		trust_update_parse(&again, NULL, to, text.p, text.len, e) != 0)
		return -1;
	comment_of(comment, t);
	return oem_signed_write(to, text.p, text.len, keys, n, comment, e);
}

static int update(const struct cli *c, struct err *e)
{
	const char *to = cli_string(c, "output", NULL);
	struct cli_list secrets = cli_list(c, "secret-key");
	struct minisign_key *keys[TRUST_MAX_SIGNATURES] = { NULL };
	AUTO(passphrase_source_clear) struct passphrase_source pass = { 0 };
	struct trust t;
	uint64_t version = cli_number(c, "version", 0);
	int r = -1;

	if (!to || secrets.n == 0)
		return cli_usage(
			e, c, "-P PUB..., --version N, -s SECRET_KEY... and -o UPDATE are needed");
	if (version < 1 || version > JSON_INT_MAX)
		return cli_usage(e, c, "--version: a number from 1 wanted");
	if (secrets.n > TRUST_MAX_SIGNATURES)
		return cli_usage(e, c, "-s: at most %d keys", TRUST_MAX_SIGNATURES);
	if (oem_trust_from_cli(&t, c, true, e) != 0 || passphrase_source_from_cli(&pass, c, e) != 0)
		return -1;
	t.version = (int64_t)version;
	if (load_keys(&secrets, &pass, keys, e) == 0)
		r = write_update(to, &t, keys, secrets.n, e);
	for (size_t i = 0; i < secrets.n; i++)
		minisign_key_free(keys[i]);
	if (r == 0 && c->verbosity >= 0)
		printf("%s: version %lld, %zu keys, threshold %u, %zu signature(s)\n", to,
			(long long)t.version, t.n, t.threshold, secrets.n);
	return r;
}

const struct cli_command oem_cmd_trust_update = {
	.name = "trust update",
	.operands = "",
	.summary = "make a signed update of the keys that stations trust",
	.options = update_options,
	.run = update,
};

static const struct cli_option approve_options[] = {
	{ "secret-key", 's', CLI_STRING, "FILE", "minisign secret key that approves", false },
	PASSPHRASE_OPTIONS,
	{ 0 },
};

static int approve(const struct cli *c, struct err *e)
{
	const char *path = c->operands.v[0], *secret = cli_string(c, "secret-key", NULL);
	AUTO(passphrase_source_clear) struct passphrase_source pass = { 0 };
	AUTO(minisign_key_freep) struct minisign_key *key = NULL;
	AUTO(buf_clear) struct buf text = { 0 };
	struct trust t;
	char comment[100];

	if (!secret)
		return cli_usage(e, c, "-s FILE: the secret key is missing");
	if (fsio_read(path, TRUST_MAX_SIZE, &text, e) != 0 ||
		trust_update_parse(&t, NULL, path, text.p, text.len, e) != 0 ||
		passphrase_source_from_cli(&pass, c, e) != 0 ||
		minisign_key_load(&key, secret, &pass, e) != 0)
		return -1;
	comment_of(comment, &t);
	return oem_sign_beside(path, text.p, text.len, key, comment, e);
}

const struct cli_command oem_cmd_trust_approve = {
	.name = "trust approve",
	.operands = "UPDATE",
	.min_operands = 1,
	.max_operands = 1,
	.summary = "add a signature beside a trust update",
	.options = approve_options,
	.run = approve,
};

static int inspect(const struct cli *c, struct err *e)
{
	const char *path = c->operands.v[0];
	AUTO(signed_file_clear) struct signed_file f = { .n = 0 };
	char time_text[TIME_S_LEN + 1], id[17];
	struct trust t;
	struct signers s;
	int64_t created;

	if (signed_file_read(&f, path, TRUST_MAX_SIZE, e) != 0 ||
		trust_update_parse(&t, &created, path, f.text.p, f.text.len, e) != 0 ||
		trust_signers(&t, path, f.text.p, f.text.len, f.sigs, f.n, &s, e) != 0)
		return -1;
	if (c->json) {
		AUTO(json_freep) json_t *j = trust_update_to_json(&t, created);
		return json_print(j, e);
	}
	printf("%s\n  version   %lld, made %s\n  threshold %u\n", path, (long long)t.version,
		time_format_s(time_text, (time_t)created), t.threshold);
	for (size_t i = 0; i < t.n; i++)
		printf("  key       %s\n", minisign_id_hex(id, t.keys[i].id));
	for (size_t i = 0; i < s.n; i++)
		printf("  signed by %s%s\n", s.list[i].id,
			s.list[i].counts ? " (a key of the update)" : "");
	return 0;
}

const struct cli_command oem_cmd_trust_inspect = {
	.name = "trust inspect",
	.operands = "UPDATE",
	.min_operands = 1,
	.max_operands = 1,
	.summary = "show a trust update",
	.run = inspect,
};

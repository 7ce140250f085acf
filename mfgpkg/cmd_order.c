/* mfgpkg order create, approve, verify, inspect - production orders. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/exit_status.h"
#include "base/fsio.h"
#include "base/json.h"
#include "base/text.h"
#include "keyed/minisign_key.h"
#include "keyed/passphrase.h"
#include "mfgpkg/commands.h"
#include "mfgpkg/order_config.h"
#include "mfgpkg/signed_write.h"
#include "mfgpkg/trust_options.h"
#include "mfgpkg/workspace.h"
#include "crypt/digest.h"
#include "pkg/order.h"
#include "pkg/words.h"

/* --- create ------------------------------------------------------------------------------------
 */

static const struct cli_option create_options[] = {
	{ "config", 'c', CLI_STRING, "FILE", "what is ordered (ORDER.yaml)", false },
	{ "secret-key", 's', CLI_STRING, "FILE", "minisign secret key that signs", false },
	{ "output", 'o', CLI_STRING, "FILE", "the order; its signature goes to FILE.minisig",
		false },
	PASSPHRASE_OPTIONS,
	WORKSPACE_OPTION,
	{ 0 },
};

static int record(struct workspace *ws, const struct order *o, const struct buf *text,
	const struct minisign_key *key, struct err *e)
{
	struct workspace_order w = { .order = o->id, .quantity = o->quantity };

	sha256_of(text->p, text->len, w.document);
	memcpy(w.package, o->package, sizeof w.package);
	memcpy(w.signer, minisign_key_pub(key)->id, sizeof w.signer);
	return workspace_order(ws, &w, e) != 0 ? -1 : workspace_commit(ws, e);
}

static int create(const struct cli *c, struct err *e)
{
	const char *config = cli_string(c, "config", NULL);
	const char *secret = cli_string(c, "secret-key", NULL);
	const char *to = cli_string(c, "output", NULL);
	AUTO(passphrase_source_clear) struct passphrase_source pass = { 0 };
	AUTO(minisign_key_freep) struct minisign_key *key = NULL;
	AUTO(workspace_freep) struct workspace *ws = NULL;
	AUTO(order_clear) struct order o = { 0 };
	AUTO(buf_clear) struct buf text = { 0 };
	char comment[100], words[WORDS_CAP];

	if (!config || !secret || !to)
		return cli_usage(e, c, "-c CONFIG, -s SECRET_KEY and -o ORDER are needed");
	if (oem_order_from_config(&o, &text, config, c, e) != 0 ||
		workspace_open_near(&ws, c, config, e) != 0 ||
		passphrase_source_from_cli(&pass, c, e) != 0 ||
		minisign_key_load(&key, secret, &pass, e) != 0)
		return -1;
	snprintf(comment, sizeof comment, "mfgpkg order %s", o.id);
	if (oem_signed_write(to, text.p, text.len, &key, 1, comment, e) != 0 ||
		record(ws, &o, &text, key, e) != 0)
		return -1;
	if (c->verbosity >= 0)
		printf("%s: order %s: %lld devices of %s by station %s\n  words %s\n", to, o.id,
			(long long)o.quantity, o.product, o.station_name,
			words_of(words, o.package));
	return 0;
}

const struct cli_command oem_cmd_order_create = {
	.name = "order create",
	.operands = "",
	.summary = "make and sign a production order for one station",
	.options = create_options,
	.run = create,
};

/* --- approve -----------------------------------------------------------------------------------
 */

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
	AUTO(order_clear) struct order o = { 0 };
	char comment[100];

	if (!secret)
		return cli_usage(e, c, "-s FILE: the secret key is missing");
	if (fsio_read(path, ORDER_MAX_SIZE, &text, e) != 0 ||
		order_parse(&o, path, text.p, text.len, e) != 0 ||
		passphrase_source_from_cli(&pass, c, e) != 0 ||
		minisign_key_load(&key, secret, &pass, e) != 0)
		return -1;
	snprintf(comment, sizeof comment, "mfgpkg order %s", o.id);
	return oem_sign_beside(path, text.p, text.len, key, comment, e);
}

const struct cli_command oem_cmd_order_approve = {
	.name = "order approve",
	.operands = "ORDER",
	.min_operands = 1,
	.max_operands = 1,
	.summary = "add an approval (signature) beside an order",
	.options = approve_options,
	.run = approve,
};

/* --- verify, inspect ---------------------------------------------------------------------------
 */

static const struct cli_option verify_options[] = {
	TRUST_OPTIONS,
	{ "package", 0, CLI_STRING, "PKG", "the order must be for this package", false },
	{ "at", 0, CLI_STRING, "TIME", "judge the window at 2026-11-20T15:00:00Z", false },
	{ 0 },
};

static void print_order(const struct order *o)
{
	char hex[65], words[WORDS_CAP], from[TIME_S_LEN + 1], to[TIME_S_LEN + 1];

	printf("  order     %s for %s\n", o->id, ESC(o->customer));
	printf("  devices   %lld of %s, sequence %lld or higher\n", (long long)o->quantity,
		o->product, (long long)o->sequence);
	printf("  package   %s\n", hex_encode(hex, o->package, 32));
	printf("  words     %s\n", words_of(words, o->package));
	printf("  window    %s to %s\n", time_format_s(from, (time_t)o->not_before),
		time_format_s(to, (time_t)o->not_after));
	printf("  station   %s\n", o->station_key);
	printf("  log       %s\n", o->origin);
	if (o->epoch0[0])
		printf("  epoch key %s\n", o->epoch0);
	for (size_t i = 0; i < o->n_slots; i++)
		printf("  slot      %s\n", o->slots[i]);
	for (size_t i = 0; i < o->n_witnesses; i++)
		printf("  witness   %s\n", o->witnesses[i]);
	if (o->n_witnesses)
		printf("  quorum    %s\n", o->quorum ? o->quorum : "none");
}

static void print_signers(const struct signers *s)
{
	for (size_t i = 0; i < s->n; i++)
		printf("  signed by %s%s\n", s->list[i].id,
			s->list[i].counts ? "" : " (does not count)");
}

static int verify(const struct cli *c, struct err *e)
{
	const char *path = c->operands.v[0], *pkg_path = cli_string(c, "package", NULL);
	const char *at = cli_string(c, "at", NULL);
	AUTO(order_freep) struct signed_order *o = NULL;
	AUTO(pkg_freep) struct pkg *p = NULL;
	time_t now = time(NULL);
	struct trust t;

	if (oem_trust_from_cli(&t, c, true, e) != 0)
		return -1;
	if (at && time_parse_s(at, &now) != 0)
		return cli_usage(
			e, c, "--at: \"%s\", a time like 2026-11-20T15:00:00Z wanted", ESC(at));
	if (order_open(&o, path, &t, NULL, e) != 0)
		return -1;
	if (pkg_path &&
		pkg_open(&p, pkg_path, &t, &(struct pkg_expect){ .now = now }, NULL, e) != 0)
		return -1;
	const struct order_expect x = { .now = now, .pkg = p };
	if (order_check(o, &x, e) != 0)
		return err_wrap(e, "%s", path);
	if (c->json) {
		AUTO(json_freep) json_t *j = order_to_json(order_of(o));
		return json_print(j, e);
	}
	printf("%s: accepted\n", path);
	print_order(order_of(o));
	print_signers(order_signers(o));
	return 0;
}

const struct cli_command oem_cmd_order_verify = {
	.name = "order verify",
	.operands = "ORDER",
	.min_operands = 1,
	.max_operands = 1,
	.summary = "check an order's signatures, form and window",
	.options = verify_options,
	.run = verify,
};

static int inspect(const struct cli *c, struct err *e)
{
	const char *path = c->operands.v[0];
	AUTO(signed_file_clear) struct signed_file f = { .n = 0 };
	AUTO(order_clear) struct order o = { 0 };
	struct signers s;

	if (signed_file_read(&f, path, ORDER_MAX_SIZE, e) != 0 ||
		order_parse(&o, path, f.text.p, f.text.len, e) != 0 ||
		trust_signers(NULL, path, f.text.p, f.text.len, f.sigs, f.n, &s, e) != 0)
		return -1;
	if (c->json) {
		AUTO(json_freep) json_t *j = order_to_json(&o);
		return json_print(j, e);
	}
	printf("%s\n", path);
	print_order(&o);
	for (size_t i = 0; i < s.n; i++)
		printf("  signed by %s (not verified: use order verify -P)\n", s.list[i].id);
	return 0;
}

const struct cli_command oem_cmd_order_inspect = {
	.name = "order inspect",
	.operands = "ORDER",
	.min_operands = 1,
	.max_operands = 1,
	.summary = "show an order without believing it",
	.run = inspect,
};

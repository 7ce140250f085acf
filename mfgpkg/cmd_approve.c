/* mfgpkg approve - add a signature to a package, without touching what is signed. */
#include <stdio.h>
#include <string.h>

#include "base/fsio.h"
#include "base/text.h"
#include "crypt/digest.h"
#include "keyed/minisign_key.h"
#include "keyed/passphrase.h"
#include "mfgpkg/commands.h"
#include "mfgpkg/pkg_write.h"
#include "mfgpkg/workspace.h"
#include "pkg/words.h"

static const struct cli_option options[] = {
	{ "secret-key", 's', CLI_STRING, "FILE", "minisign secret key that approves", false },
	{ "output", 'o', CLI_STRING, "FILE", "write the package here (default: replace it)",
		false },
	{ "comment", 0, CLI_STRING, "TEXT", "trusted comment of the signature", false },
	PASSPHRASE_OPTIONS,
	WORKSPACE_OPTION,
	{ 0 },
};

static int run(const struct cli *c, struct err *e)
{
	const char *path = c->operands.v[0], *secret = cli_string(c, "secret-key", NULL);
	const char *to = cli_string(c, "output", path);
	AUTO(passphrase_source_clear) struct passphrase_source pass = { 0 };
	AUTO(minisign_key_freep) struct minisign_key *key = NULL;
	AUTO(workspace_freep) struct workspace *ws = NULL;
	AUTO(buf_clear) struct buf in = { .max = CONTAINER_MAX_SIZE + 1 }, out = { 0 };
	struct container package;
	struct manifest m;
	uint8_t digest[32];
	char hex[65], words[WORDS_CAP], id[17];

	if (!secret)
		return cli_usage(e, c, "-s FILE: the secret key is missing");
	if (workspace_open_near(&ws, c, path, e) != 0 ||
		fsio_read(path, CONTAINER_MAX_SIZE, &in, e) != 0)
		return -1;
	/* What is approved is said before the key is touched. */
	if (container_parse(&package, in.p, in.len, e) != 0)
		return err_wrap(e, "%s", path);
	const struct container_entry *first = &package.entries[0];
	if (manifest_parse(&m, first->data, first->len, e) != 0)
		return err_wrap(e, "%s", path);
	sha256_of(first->data, first->len, digest);
	if (c->verbosity >= 0)
		fprintf(stderr, "approving %s %s, sequence %lld\n  package %s\n  words   %s\n",
			m.product, m.release, (long long)m.sequence, hex_encode(hex, digest, 32),
			words_of(words, digest));
	if (passphrase_source_from_cli(&pass, c, e) != 0 ||
		minisign_key_load(&key, secret, &pass, e) != 0 ||
		oem_pkg_approve(path, in.p, in.len, key, cli_string(c, "comment", NULL), &out, e) !=
			0 ||
		fsio_write(to, out.p, out.len, 0644, e) != 0 ||
		workspace_approval(ws, digest, m.package_id, minisign_key_pub(key)->id, e) != 0 ||
		workspace_commit(ws, e) != 0)
		return -1;
	if (c->verbosity >= 0)
		printf("%s: approved by %s\n", to, minisign_id_hex(id, minisign_key_pub(key)->id));
	return 0;
}

const struct cli_command oem_cmd_approve = {
	.name = "approve",
	.operands = "PKG",
	.min_operands = 1,
	.max_operands = 1,
	.summary = "add an approval (signature) to a package",
	.options = options,
	.run = run,
};

#include <stdio.h>
#include <string.h>

#include "base/exit_status.h"
#include "base/fsio.h"
#include "base/text.h"
#include "keyed/minisign_key.h"
#include "mfgpkg/commands.h"
#include "mfgpkg/keygen.h"

static const struct cli_option generate_options[] = {
	{ "type", 't', CLI_STRING, "TYPE", "rot, isk, cust-mk-sk, oem-seed or package", false },
	{ "curve", 0, CLI_STRING, "CURVE", "p256 (default) or p384; rot and isk only", false },
	{ "count", 'n', CLI_NUMBER, "N", "how many key pairs; rot: 4, isk: 1 unless given", false },
	{ "bytes", 0, CLI_NUMBER, "N", "cust-mk-sk only: 32 (default) or 16", false },
	{ "output", 'o', CLI_STRING, "DIR|FILE", "folder for rot and isk, else the file", false },
	PASSPHRASE_OPTIONS,
	WORKSPACE_OPTION,
	{ 0 },
};

/* The passphrase for new keys; NULL when they are to be written unencrypted. */
static int new_passphrase(const struct keystore *ks, const struct cli *c, const char *what,
	struct secret **out, struct err *e)
{
	const struct passphrase_source *source = keystore_passphrases(ks);

	if (source->none)
		return 0;
	if (passphrase_get(source, what, true, out, e) != 0)
		return -1;
	/* No terminal to ask on: a script gets its key, and is told what it got. */
	if (!*out)
		cli_warn(c,
			"%s: not encrypted: no terminal to ask for a passphrase (--passphrase-file "
			"or "
			"--passphrase-fd gives one, --no-passphrase silences this)",
			ESC(what));
	return 0;
}

/* --curve and --count, checked before a passphrase is asked for. */
static int read_pairs(
	const struct cli *c, const char *type, enum ecc_curve *curve, unsigned *n, struct err *e)
{
	const char *name = cli_string(c, "curve", "p256");
	bool rot = strcmp(type, "rot") == 0;
	uint64_t max = rot ? KEYGEN_MAX_ROT : KEYGEN_MAX_ISK;
	uint64_t count = cli_number(c, "count", rot ? KEYGEN_MAX_ROT : 1);

	if (strcmp(name, "p256") != 0 && strcmp(name, "p384") != 0)
		return cli_usage(e, c, "--curve %s, wanted p256 or p384", ESC(name));
	if (count < 1 || count > max)
		return cli_usage(e, c, "--count %llu, wanted 1 to %llu for type %s",
			(unsigned long long)count, (unsigned long long)max, type);
	*curve = strcmp(name, "p256") == 0 ? ECC_P256 : ECC_P384;
	*n = (unsigned)count;
	return 0;
}

static int print_pairs(
	const char *dir, const char *type, enum ecc_curve curve, unsigned n, struct err *e)
{
	for (unsigned i = 0; i < n; i++) {
		char pem[KEYGEN_PATH_CAP], pub[KEYGEN_PATH_CAP];
		if (keygen_pair_paths(pem, pub, dir, type, curve, i, e) != 0)
			return -1;
		printf("%s\n%s\n", pem, pub);
	}
	return 0;
}

static int run_generate(const struct cli *c, struct err *e)
{
	static const char *const types[] = { "rot", "isk", "cust-mk-sk", "oem-seed", "package" };
	const char *type = cli_string(c, "type", NULL), *out = cli_string(c, "output", NULL);
	AUTO(keystore_freep) struct keystore *ks = NULL;
	AUTO(secret_freep) struct secret *passphrase = NULL;
	AUTO(workspace_freep) struct workspace *ws = NULL;
	size_t t = 0;

	while (type && t < 5 && strcmp(types[t], type) != 0)
		t++;
	if (!type || t == 5)
		return cli_usage(e, c,
			"--type %s, wanted rot, isk, cust-mk-sk, oem-seed or package",
			type ? ESC(type) : "missing");
	if (!out)
		return cli_usage(e, c, "-o missing");
	if (t >= 2 && (cli_given(c, "curve") || cli_given(c, "count")))
		return cli_usage(e, c, "--curve and --count are for rot and isk only");
	uint64_t bytes = cli_number(c, "bytes", 32);
	if (cli_given(c, "bytes") && (t != 2 || (bytes != 16 && bytes != 32)))
		return cli_usage(e, c, "--bytes 16 or 32 is for cust-mk-sk only");
	enum ecc_curve curve = ECC_P256;
	unsigned count = 0;
	if (t < 2 && read_pairs(c, type, &curve, &count, e) != 0)
		return -1;
	if (keystore_new(&ks, c, e) != 0)
		return -1;
	/* Before a passphrase is asked for. */
	if (t >= 2 && fsio_exists(out))
		return err_set(e, ERR_ENV, "%s exists already; keys are never replaced", out);
	if (new_passphrase(ks, c, out, &passphrase, e) != 0 ||
		workspace_open_near(&ws, c, out, e) != 0)
		return -1;
	int rc;
	if (t < 2)
		rc = keygen_pairs(out, type, curve, count, passphrase, ws, e);
	else if (t < 4)
		rc = keygen_symmetric(out, t == 2 ? KEYSTORE_CUST_MK_SK : KEYSTORE_OEM_SEED,
			t == 2 ? (size_t)bytes : 16, passphrase, ws, e);
	else
		rc = keygen_package(out, passphrase, ws, e);
	if (rc != 0 || c->verbosity < 0)
		return rc == 0 ? EXIT_OK : -1;
	if (t < 2)
		return print_pairs(out, type, curve, count, e) == 0 ? EXIT_OK : -1;
	AUTO(str_freep) char *pub = t == 4 ? minisign_pub_path(out) : NULL;
	printf("%s\n%s%s", out, pub ? pub : "", pub ? "\n" : "");
	return EXIT_OK;
}

const struct cli_command oem_cmd_keys_generate = {
	.name = "keys generate",
	.operands = "",
	.summary = "make RoT, ISK and package keys, CUST_MK_SK, OEM seed",
	.options = generate_options,
	.run = run_generate,
};

static const struct cli_option seal_options[] = {
	{ "type", 't', CLI_STRING, "TYPE", "cust-mk-sk or oem-seed", false },
	{ "output", 'o', CLI_STRING, "FILE", "the sealed file, must not exist", false },
	PASSPHRASE_OPTIONS,
	{ 0 },
};

static int run_seal(const struct cli *c, struct err *e)
{
	const char *type = cli_string(c, "type", ""), *out = cli_string(c, "output", NULL);
	AUTO(keystore_freep) struct keystore *ks = NULL;
	AUTO(secret_freep) struct secret *passphrase = NULL;
	AUTO(buf_wipe) struct buf in = { 0 }, file = { 0 };
	const struct secret *s;
	bool master = strcmp(type, "cust-mk-sk") == 0;

	if (!master && strcmp(type, "oem-seed") != 0)
		return cli_usage(e, c, "--type %s, wanted cust-mk-sk or oem-seed", ESC(type));
	if (!out)
		return cli_usage(e, c, "-o missing");
	if (keystore_new(&ks, c, e) != 0 || fsio_read(c->operands.v[0], 4096, &in, e) != 0)
		return -1;
	if (keystore_is_sealed(in.p, in.len))
		return err_set(e, ERR_CONFIG, "%s: sealed already", c->operands.v[0]);
	enum keystore_kind kind = master ? KEYSTORE_CUST_MK_SK : KEYSTORE_OEM_SEED;
	if (keystore_symmetric(ks, kind, c->operands.v[0], &s, e) != 0 ||
		passphrase_get(keystore_passphrases(ks), out, true, &passphrase, e) != 0)
		return -1;
	if (!passphrase)
		return cli_usage(
			e, c, "sealing needs --passphrase-file, --passphrase-fd or a terminal");
	if (keystore_seal(kind, s, passphrase, &file, e) != 0 ||
		fsio_write_new(out, file.p, file.len, 0600, e) != 0)
		return -1;
	return EXIT_OK;
}

const struct cli_command oem_cmd_keys_seal = {
	.name = "keys seal",
	.operands = "FILE",
	.min_operands = 1,
	.max_operands = 1,
	.summary = "put a plain CUST_MK_SK or OEM seed file under a passphrase",
	.options = seal_options,
	.run = run_seal,
};

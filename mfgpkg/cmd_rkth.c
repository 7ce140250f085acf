#include <stdio.h>

#include "base/exit_status.h"
#include "base/json.h"
#include "base/text.h"
#include "mfgpkg/build/cert_block_build.h"
#include "mfgpkg/commands.h"

static const struct cli_option options[] = {
	{ "key", 'k', CLI_LIST, "PUB...", "root keys, in the order of their index", true },
	{ "config", 'c', CLI_STRING, "FILE", "certificate block: configuration or binary", false },
	PASSPHRASE_OPTIONS,
	{ 0 },
};

static int of_keys(
	struct keystore *ks, struct cli_list files, uint8_t rkth[48], size_t *len, struct err *e)
{
	struct ecc_pub keys[CERT_BLOCK_MAX_ROOTS];

	if (files.n > CERT_BLOCK_MAX_ROOTS)
		return err_set(e, ERR_CONFIG, "%zu root keys, wanted 1 to 4", files.n);
	for (size_t i = 0; i < files.n; i++)
		if (keystore_pub(ks, files.v[i], &keys[i], e) != 0)
			return -1;
	return rkth_of_keys(keys, files.n, rkth, len, e);
}

static int run(const struct cli *c, struct err *e)
{
	AUTO(keystore_freep) struct keystore *ks = NULL;
	struct cli_list files = cli_list(c, "key");
	const char *config = cli_string(c, "config", NULL);
	uint8_t rkth[48];
	char hex[97];
	size_t len;

	if ((files.n > 0) == (config != NULL))
		return cli_usage(e, c, "wanted either -k or -c");
	if (keystore_new(&ks, c, e) != 0)
		return -1;
	if ((config ? cert_block_rkth(config, ks, rkth, &len, e)
		    : of_keys(ks, files, rkth, &len, e)) != 0)
		return -1;
	hex_encode(hex, rkth, len);
	if (!c->json) {
		printf("%s\n", hex);
		return EXIT_OK;
	}
	AUTO(json_freep)
	json_t *j = json_pack("{s:s, s:s, s:i}", "rkth", hex, "hash",
		len == 32 ? "SHA-256" : "SHA-384", "length", (int)len);
	return json_print(j, e) != 0 ? -1 : EXIT_OK;
}

const struct cli_command oem_cmd_rkth = {
	.name = "rkth",
	.operands = "",
	.summary = "root key table hash of 1 to 4 root keys",
	.options = options,
	.run = run,
};

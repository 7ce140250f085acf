#include <stdio.h>
#include <string.h>

#include "base/exit_status.h"
#include "base/fsio.h"
#include "base/json.h"
#include "base/text.h"
#include "mfgpkg/build/cert_block_build.h"
#include "mfgpkg/commands.h"
#include "mfgpkg/config.h"
#include "mfgpkg/output.h"

static const struct cli_option export_options[] = {
	{ "config", 'c', CLI_STRING, "FILE", "configuration, YAML or JSON", false },
	{ "output", 'o', CLI_STRING, "FILE", "instead of containerOutputFile", false },
	PASSPHRASE_OPTIONS,
	{ 0 },
};

static int run_export(const struct cli *c, struct err *e)
{
	const char *path = cli_string(c, "config", NULL), *out = cli_string(c, "output", NULL);
	AUTO(keystore_freep) struct keystore *ks = NULL;
	AUTO(config_freep) struct config *config = NULL;
	AUTO(str_freep) char *named = NULL;
	AUTO(buf_clear) struct buf block = { 0 };

	if (!path)
		return cli_usage(e, c, "-c missing");
	if (keystore_new(&ks, c, e) != 0 || config_load(&config, path, e) != 0)
		return -1;
	if (!out) {
		const struct config_node *n;
		if (config_need(config_root(config), "containerOutputFile", &n, e) != 0 ||
			config_out_path(n, &named, e) != 0)
			return -1;
		out = named;
	}
	if (cert_block_export(config, ks, &block, e) != 0 ||
		output_write(out, block.p, block.len, 0644, e) != 0)
		return -1;
	return EXIT_OK;
}

const struct cli_command oem_cmd_cert_block_export = {
	.name = "cert-block export",
	.operands = "",
	.summary = "build a certificate block v2.1",
	.options = export_options,
	.run = run_export,
};

static int load(struct buf *file, struct cert_block *b, const char *path, struct err *e)
{
	if (fsio_read(path, 65536, file, e) != 0)
		return -1;
	if (cert_block_parse(b, file->p, file->len, e) != 0)
		return err_wrap(e, "%s", path);
	if (b->size != file->len)
		return err_set(e, ERR_FORMAT, "%s: %zu bytes behind the certificate block", path,
			file->len - b->size);
	return 0;
}

static int run_parse(const struct cli *c, struct err *e)
{
	AUTO(buf_clear) struct buf file = { 0 };
	struct cert_block b;
	char hex[2 * 96 + 1];

	if (load(&file, &b, c->operands.v[0], e) != 0)
		return -1;
	if (c->json) {
		AUTO(json_freep) json_t *j = cert_block_json(&b);
		return json_print(j, e) != 0 ? -1 : EXIT_OK;
	}
	printf("certificate block v2.1, %zu bytes\n", b.size);
	printf("root keys      %u, on %s; key %u signs\n", b.n_roots, ecc_curve_name(b.root_curve),
		b.used_root);
	printf("root key       %s\n", hex_encode(hex, b.root.xy, 2 * ecc_len(b.root_curve)));
	printf("RKTH           %s\n", hex_encode(hex, b.rkth, b.rkth_len));
	if (!b.has_isk) {
		printf("ISK            none\n");
		return EXIT_OK;
	}
	printf("ISK            %s %s\n", ecc_curve_name(b.isk.curve),
		hex_encode(hex, b.isk.xy, 2 * ecc_len(b.isk.curve)));
	printf("ISK constraint %u\n", b.isk_constraint);
	if (b.user_data)
		printf("user data      %s\n", hex_encode(hex, b.user_data, b.user_data_len));
	return EXIT_OK;
}

const struct cli_command oem_cmd_cert_block_parse = {
	.name = "cert-block parse",
	.operands = "FILE",
	.min_operands = 1,
	.max_operands = 1,
	.summary = "show what is in a certificate block",
	.run = run_parse,
};

static const struct cli_option verify_options[] = {
	{ "rkth", 0, CLI_STRING, "HEX", "the RKTH it must belong to", false },
	{ 0 },
};

int oem_rkth_option(const struct cli *c, uint8_t rkth[48], size_t *len, struct err *e)
{
	const char *hex = cli_string(c, "rkth", NULL);

	*len = 0;
	if (!hex)
		return 0;
	size_t n = strlen(hex);
	if ((n != 64 && n != 96) || hex_decode(rkth, n / 2, hex) != 0)
		return cli_usage(e, c, "--rkth: wanted 64 or 96 hex digits");
	*len = n / 2;
	return 0;
}

static int run_verify(const struct cli *c, struct err *e)
{
	AUTO(buf_clear) struct buf file = { 0 };
	struct cert_block b;
	uint8_t rkth[48];
	size_t rkth_len;

	if (oem_rkth_option(c, rkth, &rkth_len, e) != 0 ||
		load(&file, &b, c->operands.v[0], e) != 0)
		return -1;
	if (cert_block_verify(&b, e) != 0 ||
		(rkth_len && cert_block_check_rkth(&b, rkth, rkth_len, e) != 0))
		return err_wrap(e, "%s", c->operands.v[0]);
	if (c->json) {
		AUTO(json_freep)
		json_t *j = json_pack("{s:b, s:b, s:o}", "verified", 1, "rkth_checked",
			rkth_len > 0, "cert_block", cert_block_json(&b));
		return json_print(j, e) != 0 ? -1 : EXIT_OK;
	}
	printf("%s: good: %s%s\n", c->operands.v[0],
		b.has_isk ? "ISK certificate signed by the root key" : "no ISK certificate",
		rkth_len ? ", RKTH as wanted" : "");
	return EXIT_OK;
}

const struct cli_command oem_cmd_cert_block_verify = {
	.name = "cert-block verify",
	.operands = "FILE",
	.min_operands = 1,
	.max_operands = 1,
	.summary = "check the ISK signature and the RKTH",
	.options = verify_options,
	.run = run_verify,
};

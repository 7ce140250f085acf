#include <inttypes.h>
#include <stdio.h>

#include "base/exit_status.h"
#include "base/fsio.h"
#include "base/json.h"
#include "base/text.h"
#include "mfgpkg/build/sb31_build.h"
#include "mfgpkg/build/sb31_decrypt.h"
#include "mfgpkg/build/sb31_extract.h"
#include "mfgpkg/commands.h"
#include "mfgpkg/config.h"
#include "mfgpkg/output.h"
#include "mfgpkg/workspace.h"

static const struct cli_option export_options[] = {
	{ "config", 'c', CLI_STRING, "FILE", "configuration, YAML or JSON", false },
	{ "output", 'o', CLI_STRING, "FILE", "instead of containerOutputFile", false },
	WORKSPACE_OPTION,
	PASSPHRASE_OPTIONS,
	{ 0 },
};

static int run_export(const struct cli *c, struct err *e)
{
	const char *path = cli_string(c, "config", NULL), *out = cli_string(c, "output", NULL);
	AUTO(keystore_freep) struct keystore *ks = NULL;
	AUTO(config_freep) struct config *config = NULL;
	AUTO(str_freep) char *named = NULL;
	AUTO(workspace_freep) struct workspace *ws = NULL;
	AUTO(buf_clear) struct buf file = { .max = SB31_MAX_SIZE };
	struct sb31 sb;

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
	if (workspace_open_near(&ws, c, out, e) != 0 || sb31_export(config, ks, &file, e) != 0 ||
		sb31_parse(&sb, file.p, file.len, e) != 0 ||
		output_write(out, file.p, file.len, 0644, e) != 0 ||
		output_record(ws, "sb31", path, out, file.p, file.len, sb31_signer(&sb), e) != 0)
		return -1;
	return EXIT_OK;
}

const struct cli_command oem_cmd_sb31_export = {
	.name = "sb31 export",
	.operands = "",
	.summary = "build a signed, encrypted SB3.1 container",
	.options = export_options,
	.run = run_export,
};

/* --- parse, verify
 * -------------------------------------------------------------------------------- */

/* clang-format off */
#define READ_OPTIONS \
	{ "key", 'k', CLI_STRING, "FILE", "CUST_MK_SK: decrypt and check the commands", false }, \
	{ "kdk-access-rights", 0, CLI_NUMBER, "N", "0 to 3; tried in turn unless given", false }, \
	PASSPHRASE_OPTIONS
/* clang-format on */

static const struct cli_option parse_options[] = {
	{ "output", 'o', CLI_STRING, "DIR", "write the configuration and data that make it again",
		false },
	READ_OPTIONS,
	{ 0 },
};

static const struct cli_option verify_options[] = {
	{ "rkth", 0, CLI_STRING, "HEX", "the RKTH it must belong to", false },
	READ_OPTIONS,
	{ 0 },
};

/* A container as far as the options allow to look into it. */
struct opened {
	struct buf file;
	struct sb31 sb;
	bool readable; /* stream is set */
	struct sb31_stream stream;
	struct keystore *ks;
};

static void opened_clear(struct opened *o)
{
	buf_clear(&o->file);
	sb31_stream_clear(&o->stream);
	keystore_free(o->ks);
}

static int open_file(struct opened *o, const struct cli *c, struct err *e)
{
	o->file.max = SB31_MAX_SIZE;
	if (fsio_read(c->operands.v[0], SB31_MAX_SIZE, &o->file, e) != 0)
		return -1;
	if (sb31_parse(&o->sb, o->file.p, o->file.len, e) != 0)
		return err_wrap(e, "%s", c->operands.v[0]);
	return 0;
}

static int open_stream(struct opened *o, const struct cli *c, struct err *e)
{
	const char *key_path = cli_string(c, "key", NULL);
	uint64_t rights = cli_number(c, "kdk-access-rights", 0);
	const struct secret *key = NULL;

	if (cli_given(c, "kdk-access-rights") && rights > 3)
		return cli_usage(e, c, "--kdk-access-rights %" PRIu64 ", wanted 0 to 3", rights);
	if (!key_path && !sb31_is_plain(&o->sb))
		return 0;
	if (key_path && !sb31_is_plain(&o->sb) &&
		(keystore_new(&o->ks, c, e) != 0 ||
			keystore_symmetric(o->ks, KEYSTORE_CUST_MK_SK, key_path, &key, e) != 0))
		return -1;
	if (sb31_decrypt(&o->stream, &o->sb, key,
		    cli_given(c, "kdk-access-rights") ? (int)rights : SB31_RIGHTS_FIND, e) != 0)
		return err_wrap(e, "%s", c->operands.v[0]);
	o->readable = true;
	return 0;
}

static json_t *commands_json(const struct sb31_stream *s, struct err *e)
{
	json_t *list = json_array();
	struct rd r = rd_of(s->plain.p + SB31_SECTION_HEADER, s->length);
	struct sb31_cmd cmd;

	while (sb31_cmd_next(&r, &cmd, e) == 1)
		json_array_append_new(list, sb31_cmd_json(&cmd));
	return list;
}

static int print_json(const struct opened *o, const char *verified, size_t rkth_len, struct err *e)
{
	AUTO(json_freep) json_t *j = sb31_json(&o->sb);

	if (!j)
		return err_set(e, ERR_ENV, "out of memory");
	json_object_set_new(j, "encrypted", json_boolean(!sb31_is_plain(&o->sb)));
	if (o->readable && o->stream.rights >= 0)
		json_object_set_new(j, "kdk_access_rights", json_integer(o->stream.rights));
	if (o->readable)
		json_object_set_new(j, "commands", commands_json(&o->stream, e));
	if (verified) {
		json_object_set_new(j, "verified", json_true());
		json_object_set_new(j, "rkth_checked", json_boolean(rkth_len > 0));
		json_object_set_new(j, "commands_checked", json_boolean(o->readable));
	}
	return json_print(j, e);
}

static void print_text(const struct opened *o, struct err *e)
{
	const struct sb31 *sb = &o->sb;
	char hex[2 * 96 + 1], text[160];
	size_t n = 0;

	while (n < sizeof sb->description && sb->description[n])
		n++;
	printf("SB3.1 container%s, %zu bytes\n", sb->devhsm ? " made by a device HSM" : "",
		o->file.len);
	printf("description      %s\n", text_escape(text, 80, sb->description, n));
	printf("flags            0x%08x\n", sb->flags);
	printf("image type       %u (%s)\n", sb->image_type,
		sb->image_type == SB31_IMAGE_OEM ? "OEM" : "NXP");
	printf("firmware version %u\n", sb->firmware_version);
	printf("timestamp        0x%" PRIx64 "\n", sb->timestamp);
	printf("blocks           %u of %u bytes, %s\n", sb->n_blocks, sb->block_size,
		digest_name(sb->hash));
	printf("signed by        %s %s\n",
		sb->devhsm	   ? "CUST_FW_AUTH"
		: sb->cert.has_isk ? "ISK"
				   : "root key",
		hex_encode(hex, sb31_signer(sb)->xy, 2 * ecc_len(sb31_signer(sb)->curve)));
	if (!sb->devhsm)
		printf("RKTH             %s (%u root keys on %s, key %u used)\n",
			hex_encode(hex, sb->cert.rkth, sb->cert.rkth_len), sb->cert.n_roots,
			ecc_curve_name(sb->cert.root_curve), sb->cert.used_root);
	if (!o->readable) {
		printf("payload          encrypted%s\n",
			sb->devhsm ? " under a key that only devices have"
				   : "; --key CUST_MK_SK shows the commands");
		return;
	}
	if (o->stream.rights >= 0)
		printf("payload          decrypted, kdkAccessRights %d\n", o->stream.rights);
	else
		printf("payload          not encrypted\n");
	struct rd r = rd_of(o->stream.plain.p + SB31_SECTION_HEADER, o->stream.length);
	struct sb31_cmd cmd;
	for (size_t i = 1; sb31_cmd_next(&r, &cmd, e) == 1; i++)
		printf("%5zu  %s\n", i, sb31_cmd_text(text, &cmd));
}

static int run_parse(const struct cli *c, struct err *e)
{
	AUTO(opened_clear) struct opened o = { 0 };
	const char *dir = cli_string(c, "output", NULL);

	if (open_file(&o, c, e) != 0 || open_stream(&o, c, e) != 0)
		return -1;
	if (dir && !o.readable)
		return err_set(e, ERR_USAGE, "%s: -o needs the commands, which are encrypted%s",
			c->operands.v[0],
			o.sb.devhsm ? " under a key that only devices have" : " (--key)");
	if (dir && sb31_extract(dir, &o.sb, &o.stream, e) != 0)
		return err_wrap(e, "%s", c->operands.v[0]);
	if (c->json)
		return print_json(&o, NULL, 0, e) != 0 ? -1 : EXIT_OK;
	print_text(&o, e);
	return EXIT_OK;
}

const struct cli_command oem_cmd_sb31_parse = {
	.name = "sb31 parse",
	.operands = "FILE",
	.min_operands = 1,
	.max_operands = 1,
	.summary = "show what is in an SB3.1 container",
	.options = parse_options,
	.run = run_parse,
};

static int run_verify(const struct cli *c, struct err *e)
{
	AUTO(opened_clear) struct opened o = { 0 };
	uint8_t rkth[48];
	size_t rkth_len;

	if (oem_rkth_option(c, rkth, &rkth_len, e) != 0 || open_file(&o, c, e) != 0)
		return -1;
	if (rkth_len && o.sb.devhsm)
		return cli_usage(e, c, "--rkth: a device-HSM container has no RKTH");
	if (sb31_verify(&o.sb, e) != 0 ||
		(rkth_len && cert_block_check_rkth(&o.sb.cert, rkth, rkth_len, e) != 0))
		return err_wrap(e, "%s", c->operands.v[0]);
	if (open_stream(&o, c, e) != 0)
		return -1;
	if (c->json)
		return print_json(&o, "yes", rkth_len, e) != 0 ? -1 : EXIT_OK;
	printf("%s: good: signatures and %u blocks", c->operands.v[0], o.sb.n_blocks);
	if (rkth_len)
		printf(", RKTH as wanted");
	if (o.readable)
		printf(", %zu commands", o.stream.n_cmds);
	printf("%s%s\n", rkth_len || o.sb.devhsm ? "" : "; RKTH not compared (--rkth)",
		o.readable    ? ""
		: o.sb.devhsm ? "; commands not checked (only devices can decrypt them)"
			      : "; commands not checked (--key)");
	if (o.sb.devhsm)
		cli_warn(c,
			"%s: signed by the key it carries: shows that it is undamaged, not who "
			"made it",
			c->operands.v[0]);
	if (sb31_is_plain(&o.sb))
		cli_warn(c, "%s: not encrypted: devices refuse it", c->operands.v[0]);
	return EXIT_OK;
}

const struct cli_command oem_cmd_sb31_verify = {
	.name = "sb31 verify",
	.operands = "FILE",
	.min_operands = 1,
	.max_operands = 1,
	.summary = "check signatures, hash chain, RKTH and, with --key, every command",
	.options = verify_options,
	.run = run_verify,
};

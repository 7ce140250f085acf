/* mfgpkg mbi export|parse|verify: master boot images. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/fsio.h"
#include "base/json.h"
#include "base/text.h"
#include "keyed/passphrase.h"
#include "mfgpkg/build/mbi_build.h"
#include "mfgpkg/build/trustzone.h"
#include "mfgpkg/commands.h"
#include "mfgpkg/output.h"

static int mbi_export_cmd(const struct cli *c, struct err *e)
{
	const char *config = cli_string(c, "config", NULL), *given = cli_string(c, "output", NULL);
	AUTO(config_freep) struct config *doc = NULL;
	AUTO(keystore_freep) struct keystore *ks = NULL;
	AUTO(workspace_freep) struct workspace *ws = NULL;
	AUTO(str_freep) char *named = NULL;
	AUTO(buf_wipe) struct buf image = { .max = 2 * MBI_MAX_SIZE };
	struct mbi m;
	const struct config_node *output;

	if (!config)
		return cli_usage(e, c, "-c is required");
	if (config_load(&doc, config, e) != 0 || keystore_new(&ks, c, e) != 0)
		return -1;
	if (!given && (config_need(config_root(doc), "masterBootOutputFile", &output, e) != 0 ||
			      config_out_path(output, &named, e) != 0))
		return -1;
	const char *path = given ? given : named;
	if (workspace_open_near(&ws, c, path, e) != 0 ||
		mbi_export(doc, ks, config_warn_cli, (void *)(uintptr_t)c, &image, e) != 0 ||
		mbi_parse(&m, image.p, image.len, e) != 0 ||
		output_write(path, image.p, image.len, 0644, e) != 0 ||
		output_record(ws, "mbi", config, path, image.p, image.len,
			m.type == MBI_SIGNED_XIP ? cert_block_signer(&m.cert) : NULL, e) != 0)
		return -1;
	if (c->verbosity >= 1)
		printf("%s: %zu bytes\n", path, image.len);
	return 0;
}

const struct cli_command oem_cmd_mbi_export = {
	.name = "mbi export",
	.operands = "",
	.summary = "make a master boot image: plain, with CRC, or signed",
	.options =
		(const struct cli_option[]){
			{ "config", 'c', CLI_STRING, "FILE", "configuration (YAML or JSON)",
				false },
			{ "output", 'o', CLI_STRING, "FILE",
				"write here instead of masterBootOutputFile", false },
			WORKSPACE_OPTION,
			PASSPHRASE_OPTIONS,
			{ 0 },
		},
	.run = mbi_export_cmd,
};

/* --- parse, verify ---------------------------------------------------------------------------- */

static int load_image(const char *path, struct buf *file, struct mbi *m, struct err *e)
{
	if (fsio_read(path, MBI_MAX_SIZE, file, e) != 0)
		return -1;
	if (mbi_parse(m, file->p, file->len, e) != 0)
		return err_wrap(e, "%s", path);
	return 0;
}

static enum family_revision tz_revision(const struct mbi *m)
{
	return m->tz_len == MBI_TZ_SIZE_A0 ? FAMILY_REV_A0 : FAMILY_REV_A1;
}

static void print_tz(const struct mbi *m)
{
	AUTO(json_freep) json_t *words = trustzone_json(tz_revision(m), m->tz, m->tz_len);
	const char *name;
	json_t *value;

	printf("TrustZone        preset block, %zu bytes (revision %s), %zu words changed\n",
		m->tz_len, family_revision_name(tz_revision(m)), json_object_size(words));
	json_object_foreach(words, name, value)
		printf("                 %s %s\n", json_string_value(value), name);
}

static void print_signed(const struct mbi *m)
{
	const struct cert_block *cb = &m->cert;
	char hex[97];

	printf("firmware version %" PRIu32 "\n", m->firmware_version);
	printf("certificate      at 0x%zX, %zu bytes: %u %s root key%s, key %u used%s%s\n",
		m->app_len, cb->size, cb->n_roots, ecc_curve_name(cb->root_curve),
		cb->n_roots == 1 ? "" : "s", cb->used_root, cb->has_isk ? ", ISK " : ", no ISK",
		cb->has_isk ? ecc_curve_name(cb->isk.curve) : "");
	if (cb->has_isk)
		printf("ISK              constraint %" PRIu32 ", %zu bytes of user data\n",
			cb->isk_constraint, cb->user_data_len);
	printf("RKTH             %s\n", hex_encode(hex, cb->rkth, cb->rkth_len));
	printf("manifest         at 0x%zX, %zu bytes, CRC 0x%08" PRIX32 "\n",
		(size_t)(m->manifest - m->data), m->manifest_len, m->manifest_crc);
	printf("signature        at 0x%zX, %zu bytes, ECDSA %s by the %s key\n", m->signed_len,
		m->signature_len, ecc_curve_name(cert_block_signer(cb)->curve),
		cb->has_isk ? "ISK" : "root");
}

static int mbi_parse_cmd(const struct cli *c, struct err *e)
{
	AUTO(buf_wipe) struct buf file = { .max = MBI_MAX_SIZE };
	struct mbi m;

	if (load_image(c->operands.v[0], &file, &m, e) != 0)
		return -1;
	if (c->json) {
		AUTO(json_freep) json_t *o = mbi_json(&m);
		if (m.tz)
			json_object_set_new(
				o, "trustzone", trustzone_json(tz_revision(&m), m.tz, m.tz_len));
		return json_print(o, e);
	}
	printf("master boot image, %zu bytes\n", m.len);
	printf("type             %s%s (word 0x%08" PRIX32 ")\n", mbi_type_name(m.type),
		m.type == MBI_SIGNED_XIP && m.subtype == MBI_RECOVERY ? ", recovery" : "",
		m.type_word);
	printf("application      %zu bytes for 0x%08" PRIX32 "\n", m.app_len, m.load_address);
	if (m.has_version)
		printf("image version    %u\n", m.image_version);
	if (m.type == MBI_CRC_RAM || m.type == MBI_CRC_XIP)
		printf("CRC              0x%08" PRIX32 "\n", m.crc);
	if (m.type == MBI_SIGNED_XIP)
		print_signed(&m);
	if (m.tz)
		print_tz(&m);
	return 0;
}

const struct cli_command oem_cmd_mbi_parse = {
	.name = "mbi parse",
	.operands = "FILE",
	.min_operands = 1,
	.max_operands = 1,
	.summary = "explain a master boot image",
	.run = mbi_parse_cmd,
};

static int mbi_verify_cmd(const struct cli *c, struct err *e)
{
	const char *hex = cli_string(c, "rkth", NULL);
	AUTO(buf_wipe) struct buf file = { .max = MBI_MAX_SIZE };
	uint8_t rkth[48];
	size_t rkth_len = hex ? strlen(hex) / 2 : 0;
	struct mbi m;

	if (hex && ((rkth_len != 32 && rkth_len != 48) || hex_decode(rkth, rkth_len, hex) != 0))
		return cli_usage(e, c, "--rkth: 64 or 96 hex digits are wanted");
	if (load_image(c->operands.v[0], &file, &m, e) != 0)
		return -1;
	if (hex && m.type != MBI_SIGNED_XIP)
		return err_set(e, ERR_REJECTED, "%s: a %s image has no RKTH", c->operands.v[0],
			mbi_type_name(m.type));
	if (mbi_verify(&m, hex ? rkth : NULL, rkth_len, e) != 0)
		return err_wrap(e, "%s", c->operands.v[0]);

	bool is_signed = m.type == MBI_SIGNED_XIP;
	if (c->json) {
		AUTO(json_freep) json_t *o = mbi_json(&m);
		json_object_set_new(o, "verified", json_true());
		json_object_set_new(o, "rkth_checked", json_boolean(hex != NULL));
		return json_print(o, e);
	}
	if (c->verbosity < 0)
		return 0;
	switch (m.type) {
	case MBI_PLAIN:
		printf("ok: layout (a plain image has neither CRC nor signature)\n");
		break;
	case MBI_CRC_RAM:
	case MBI_CRC_XIP:
		printf("ok: layout, CRC (nothing is signed)\n");
		break;
	case MBI_SIGNED_XIP:
		printf("ok: layout, manifest CRC, %simage signature%s\n",
			m.cert.has_isk ? "ISK certificate, " : "", hex ? ", RKTH" : "");
		break;
	}
	if (is_signed && !hex)
		printf("not checked: whose root keys these are (give --rkth)\n");
	return 0;
}

const struct cli_command oem_cmd_mbi_verify = {
	.name = "mbi verify",
	.operands = "FILE",
	.min_operands = 1,
	.max_operands = 1,
	.summary = "check CRC, certificate and signatures of a master boot image",
	.options =
		(const struct cli_option[]){
			{ "rkth", 0, CLI_STRING, "HEX", "the root keys must have this hash",
				false },
			{ 0 },
		},
	.run = mbi_verify_cmd,
};

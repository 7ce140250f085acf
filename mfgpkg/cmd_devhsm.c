/* devhsm generate, dice ca: what the OEM does with a device on the bench. */
#include <signal.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fsio.h"
#include "base/text.h"
#include "crypt/digest.h"
#include "crypt/ecc.h"
#include "mboot/identify.h"
#include "mboot/serial.h"
#include "mfgpkg/commands.h"
#include "mfgpkg/create/inputs.h"
#include "mfgpkg/devhsm.h"
#include "mfgpkg/workspace.h"

enum { CMPA_SIZE = 512, CMPA_ROTKH_OFF = 0x60 };

/* --- port and interruption, shared by both commands --------------------------------------------
 */

static atomic_bool interrupted;

static void on_signal(int number)
{
	(void)number;
	atomic_store(&interrupted, true);
}

static void catch_signals(void)
{
	struct sigaction sa = { .sa_handler = on_signal };

	sigemptyset(&sa.sa_mask);
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
}

/* -p PORT or, as NXP's tools take it, -p PORT,BAUD; -b wins. */
static int port_of(const struct cli *c, char *port, size_t cap, uint32_t *baud, struct err *e)
{
	const char *text = cli_string(c, "port", NULL);
	const char *comma = text ? strrchr(text, ',') : NULL;
	uint64_t rate = SERIAL_DEFAULT_BAUD;

	if (!text)
		return cli_usage(e, c, "no port given: -p PORT");
	if (comma && number_parse(comma + 1, &rate) != 0)
		return cli_usage(e, c, "-p %s: %s is not a baud rate", ESC(text), ESC(comma + 1));
	rate = cli_number(c, "baud", rate);
	if (rate == 0 || rate > 12000000)
		return cli_usage(e, c, "%llu is not a baud rate", (unsigned long long)rate);
	size_t len = comma ? (size_t)(comma - text) : strlen(text);
	if (len >= cap)
		return cli_usage(e, c, "name of the port is too long");
	memcpy(port, text, len);
	port[len] = 0;
	*baud = (uint32_t)rate;
	return 0;
}

/* --- devhsm generate
 * ------------------------------------------------------------------------------ */

struct screen {
	const struct cli *cli;
	bool live; /* a terminal that wants progress */
};

static void show_progress(void *ctx, const char *step, uint32_t done, uint32_t total)
{
	const struct screen *s = ctx;

	if (!s->live)
		return;
	if (total)
		fprintf(stderr, "\r\033[K%s: block %u of %u", step, done, total);
	else
		fprintf(stderr, "\r\033[K%s", step);
}

static void show_warning(void *ctx, const char *text)
{
	const struct screen *s = ctx;

	cli_warn(s->cli, "%s", text);
}

static void print_bytes(const char *name, const uint8_t *data, size_t len)
{
	char hex[2 * DEVHSM_PUK_LEN + 1];

	printf("%-22s %s\n", name, hex_encode(hex, data, len));
}

static int print_result(
	const struct cli *c, const struct devhsm_result *r, const char *path, struct err *e)
{
	if (c->json) {
		AUTO(json_freep) json_t *j = devhsm_json(r);
		json_object_set_new(j, "file", json_string(path));
		return json_print(j, e);
	}
	if (c->verbosity < 0)
		return 0;
	printf("%s: provisioning SB3.1, %zu bytes, %u blocks%s\n", path, r->container.len,
		r->n_blocks, r->has_key_blob ? ", sets CUST_MK_SK" : "");
	if (r->has_uuid)
		print_bytes("made by device", r->uuid, sizeof r->uuid);
	print_bytes("ENC_OEM_SHARE", r->enc_oem_share, sizeof r->enc_oem_share);
	print_bytes(
		"ENC_OEM_MASTER_SHARE", r->enc_oem_master_share, sizeof r->enc_oem_master_share);
	if (r->has_cust_ca)
		print_bytes("NXP_CUST_CA_PUK", r->cust_ca_puk, sizeof r->cust_ca_puk);
	print_bytes("CUST_FW_AUTH_PUK", r->cust_fw_auth_puk, sizeof r->cust_fw_auth_puk);
	return 0;
}

/* The file as an artifact in the workspace's log, with the digests of what it was made from. */
static int record(struct workspace *ws, const char *config, const char *path,
	const struct devhsm_result *r, struct err *e)
{
	struct inputs in = { 0 };
	struct workspace_input inputs[INPUTS_MAX];
	size_t n = 0;

	if (!ws)
		return 0;
	if (inputs_collect(&in, config, e) != 0)
		return -1;
	for (size_t i = 0; i < in.n; i++)
		if (!in.v[i].secret) {
			inputs[n].file = path_basename(in.v[i].path);
			memcpy(inputs[n++].sha256, in.v[i].sha256, sizeof inputs[0].sha256);
		}
	struct workspace_artifact a = { .type = "provisioning-sb",
		.file = path_basename(path),
		.size = r->container.len,
		.inputs = inputs,
		.n_inputs = n };
	sha256_of(r->container.p, r->container.len, a.sha256);
	int result = workspace_artifact(ws, &a, e);
	inputs_clear(&in);
	return result == 0 ? workspace_commit(ws, e) : -1;
}

static int run_generate(const struct cli *c, struct err *e)
{
	AUTO(config_freep) struct config *config = NULL;
	AUTO(keystore_freep) struct keystore *ks = NULL;
	AUTO(workspace_freep) struct workspace *ws = NULL;
	AUTO(devhsm_result_clear) struct devhsm_result result = { 0 };
	AUTO(str_freep) char *from_config = NULL;
	const char *config_path = cli_string(c, "config", NULL);
	const char *out = cli_string(c, "output", NULL);
	struct screen screen = { .cli = c,
		.live = c->verbosity >= 0 && !c->json && isatty(STDERR_FILENO) };
	char port[256];
	uint32_t baud;

	if (!config_path)
		return cli_usage(e, c, "no configuration given: -c FILE");
	if (port_of(c, port, sizeof port, &baud, e) != 0 ||
		config_load(&config, config_path, e) != 0)
		return -1;
	if (!out) {
		const struct config_node *node;
		if (config_need(config_root(config), "containerOutputFile", &node, e) != 0 ||
			config_out_path(node, &from_config, e) != 0)
			return -1;
		out = from_config;
	}
	if (workspace_open_near(&ws, c, out, e) != 0 || keystore_new(&ks, c, e) != 0)
		return -1;

	catch_signals();
	const struct devhsm_options options = { .cancel = &interrupted,
		.progress = show_progress,
		.warn = show_warning,
		.ctx = &screen };
	int made = devhsm_generate_on(port, baud, config, ks, &options, &result, e);
	if (screen.live)
		fprintf(stderr, "\r\033[K");
	if (made != 0)
		return -1;
	if (result.has_device && result.lifecycle >= MBOOT_LC_IN_FIELD)
		cli_warn(c, "the device is %s: keep one that is not for this job",
			mboot_lifecycle_name(result.lifecycle));
	if (fsio_write(out, result.container.p, result.container.len, 0600, e) != 0 ||
		record(ws, config_path, out, &result, e) != 0)
		return -1;
	return print_result(c, &result, out, e);
}

#define PORT_OPTIONS                                                                               \
	{ "port", 'p', CLI_STRING, "PORT", "serial port of the device, also PORT,BAUD", false },   \
	{                                                                                          \
		"baud", 'b', CLI_NUMBER, "BAUD", "line rate (default 115200)", false               \
	}

static const struct cli_option generate_options[] = {
	{ "config", 'c', CLI_STRING, "FILE", "configuration, YAML or JSON", false },
	PORT_OPTIONS,
	{ "output", 'o', CLI_STRING, "FILE", "write here instead of containerOutputFile", false },
	WORKSPACE_OPTION,
	PASSPHRASE_OPTIONS,
	{ 0 },
};

const struct cli_command oem_cmd_devhsm_generate = {
	.name = "devhsm generate",
	.operands = "",
	.summary = "make a provisioning SB3.1 with a connected device as HSM",
	.options = generate_options,
	.run = run_generate,
};

/* --- dice ca
 * ---------------------------------------------------------------------------------------- */

/* --rkth HEX, or the page it stands in. */
static int rkth_of(const struct cli *c, uint8_t rkth[48], size_t *len, struct err *e)
{
	const char *hex = cli_string(c, "rkth", NULL), *cmpa = cli_string(c, "cmpa", NULL);
	AUTO(buf_clear) struct buf page = { 0 };

	if (!hex == !cmpa)
		return cli_usage(e, c, "give either --rkth HEX or --cmpa FILE");
	if (hex) {
		*len = strlen(hex) / 2;
		if ((*len != 32 && *len != 48) || hex_decode(rkth, *len, hex) != 0)
			return cli_usage(e, c,
				"--rkth: want 64 or 96 hex digits, got %zu characters",
				strlen(hex));
		return 0;
	}
	if (fsio_read(cmpa, 1 << 20, &page, e) != 0)
		return -1;
	if (page.len != CMPA_SIZE)
		return err_set(e, ERR_CONFIG, "%s: %zu bytes, a CMPA page has %d", ESC(cmpa),
			page.len, CMPA_SIZE);
	*len = 32;
	memcpy(rkth, page.p + CMPA_ROTKH_OFF, *len);
	if (sodium_is_zero(rkth, *len))
		return err_set(e, ERR_CONFIG, "%s: the page holds no RKTH", ESC(cmpa));
	return 0;
}

static int run_dice_ca(const struct cli *c, struct err *e)
{
	AUTO(mboot_freep) struct mboot *m = NULL;
	AUTO(buf_clear) struct buf pem = { 0 };
	struct mboot_options o = { .cancel = &interrupted };
	const char *out = cli_string(c, "output", NULL);
	uint8_t rkth[48], puk[MBOOT_DICE_PUK_LEN];
	struct ecc_pub key;
	size_t rkth_len = 0;
	char port[256], hex[2 * MBOOT_DICE_PUK_LEN + 1];
	uint32_t baud;

	if (port_of(c, port, sizeof port, &baud, e) != 0 || rkth_of(c, rkth, &rkth_len, e) != 0)
		return -1;
	catch_signals();
	if (mboot_open(&m, port, baud, &o, e) != 0)
		return -1;
	if (mboot_ping(m, NULL, e) != 0 || mboot_dice_ca_puk(m, rkth, rkth_len, puk, e) != 0 ||
		ecc_pub_from_xy(&key, ECC_P256, puk, e) != 0)
		return err_wrap(e, "%s", port);
	if (ecc_pub_pem(&key, &pem, e) != 0)
		return -1;
	if (out && fsio_write(out, pem.p, pem.len, 0644, e) != 0)
		return -1;
	hex_encode(hex, puk, sizeof puk);
	if (c->json) {
		AUTO(json_freep) json_t *j = json_object();
		json_object_set_new(j, "dice_ca", json_string(hex));
		return json_print(j, e);
	}
	if (!out)
		printf("%s", buf_text(&pem));
	else if (c->verbosity >= 0)
		printf("%s: DICE CA key %s\n", out, hex);
	return 0;
}

static const struct cli_option dice_options[] = {
	PORT_OPTIONS,
	{ "rkth", 0, CLI_STRING, "HEX", "root key table hash the key belongs to", false },
	{ "cmpa", 0, CLI_STRING, "FILE", "take the RKTH from this CMPA page", false },
	{ "output", 'o', CLI_STRING, "FILE", "write the key as PEM", false },
	{ 0 },
};

const struct cli_command oem_cmd_dice_ca = {
	.name = "dice ca",
	.operands = "",
	.summary = "DICE CA public key of this family for an RKTH, asked of a device",
	.options = dice_options,
	.run = run_dice_ca,
};

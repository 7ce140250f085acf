/* Master boot images from configuration files. Source: formats "mbi", section 6. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/fsio.h"
#include "base/text.h"
#include "mfgpkg/build/cert_block_build.h"
#include "mfgpkg/build/mbi_build.h"
#include "mfgpkg/build/trustzone.h"
#include "mfgpkg/firmware/firmware.h"

#define FIRMWARE_ALIGN 0x1000u /* of the lowest address of a file that has addresses */

static const char *const known_keys[] = { "family", "revision", "outputImageExecutionTarget",
	"outputImageAuthenticationType", "masterBootOutputFile", "inputImageFile",
	"outputImageExecutionAddress", "imageVersion", "trustZonePresetFile", "firmwareVersion",
	"outputImageSubtype", "certBlock", "signer",
	"output_format", /* of newer tools; only "bin" */
	"enableTrustZone", /* of other families: TrustZone is always on here */
	NULL };

struct mbi_config {
	const struct config *doc;
	const struct config_node *root;
	config_warn_fn warn;
	void *ctx;
	const struct family *family;
	enum family_revision revision;
	bool ram;
	struct mbi_build build;
	struct buf tz, cert_block, app;
};

static void mbi_config_clear(struct mbi_config *m)
{
	buf_clear(&m->tz);
	buf_clear(&m->cert_block);
	buf_wipe(&m->app);
}

static int read_family(struct mbi_config *m, struct err *e)
{
	const struct config_node *n;
	const char *text;

	if (config_need(m->root, "family", &n, e) != 0 || config_str(n, &text, e) != 0)
		return -1;
	m->family = family_find(text);
	if (!m->family)
		return config_error(
			n, e, "unknown family \"%s\" (known: %s)", ESC(text), family_names_list());
	if (config_str_of(m->root, "revision", "latest", &text, e) != 0)
		return -1;
	if (family_revision_parse(m->family, text, &m->revision) != 0)
		return config_error(config_get(m->root, "revision"), e,
			"unknown revision \"%s\" (a0, a1 or latest)", ESC(text));
	return 0;
}

static int read_kind(struct mbi_config *m, struct err *e)
{
	static const char *const xip[] = { "xip", "internal flash (xip)", "external flash (xip)" };
	static const char *const ram[] = { "load-to-ram", "ram" };
	const struct config_node *target, *auth;
	const char *text;
	bool is_xip = false;

	if (config_need(m->root, "outputImageExecutionTarget", &target, e) != 0 ||
		config_str(target, &text, e) != 0)
		return -1;
	for (size_t i = 0; i < sizeof xip / sizeof *xip; i++)
		is_xip |= strcasecmp(text, xip[i]) == 0;
	for (size_t i = 0; i < sizeof ram / sizeof *ram; i++)
		m->ram |= strcasecmp(text, ram[i]) == 0;
	if (!is_xip && !m->ram)
		return config_error(target, e, "\"%s\" is neither xip nor load-to-ram", ESC(text));

	if (config_need(m->root, "outputImageAuthenticationType", &auth, e) != 0 ||
		config_str(auth, &text, e) != 0)
		return -1;
	if (strcasecmp(text, "plain") == 0)
		m->build.type = MBI_PLAIN;
	else if (strcasecmp(text, "crc") == 0)
		m->build.type = m->ram ? MBI_CRC_RAM : MBI_CRC_XIP;
	else if (strcasecmp(text, "signed") == 0)
		m->build.type = MBI_SIGNED_XIP;
	else
		return config_error(auth, e, "\"%s\" is none of plain, crc, signed", ESC(text));
	if (m->build.type == MBI_SIGNED_XIP && m->ram)
		return config_error(
			target, e, "MCX N has no signed images that are loaded to RAM: use xip");
	m->build.load_to_ram = m->ram;
	return 0;
}

static int read_numbers(struct mbi_config *m, struct err *e)
{
	uint64_t address, image_version, firmware_version = 0;

	if (config_number_of(m->root, "outputImageExecutionAddress", UINT32_MAX, 0, &address, e) !=
			0 ||
		config_number_of(m->root, "imageVersion", UINT16_MAX, 0, &image_version, e) != 0)
		return -1;
	if (m->build.type == MBI_SIGNED_XIP && config_number_of(m->root, "firmwareVersion",
						       UINT16_MAX, 0, &firmware_version, e) != 0)
		return -1;
	if (address % 4)
		return config_error(config_get(m->root, "outputImageExecutionAddress"), e,
			"0x%08" PRIX64 " is not a multiple of 4", address);
	m->build.load_address = (uint32_t)address;
	m->build.image_version = (uint16_t)image_version;
	m->build.firmware_version = (uint16_t)firmware_version;
	return 0;
}

static int read_subtype(struct mbi_config *m, struct err *e)
{
	const char *text;

	if (config_str_of(m->root, "output_format", "bin", &text, e) != 0)
		return -1;
	if (strcmp(text, "bin") != 0)
		return config_error(config_get(m->root, "output_format"), e,
			"\"%s\": an image is written as raw bytes, wanted bin", ESC(text));

	if (config_str_of(m->root, "outputImageSubtype", "main", &text, e) != 0)
		return -1;
	if (strcmp(text, "recovery") == 0 || strcmp(text, "nbu") == 0)
		m->build.subtype = MBI_RECOVERY;
	else if (strcmp(text, "main") == 0)
		m->build.subtype = MBI_MAIN;
	else
		return config_error(config_get(m->root, "outputImageSubtype"), e,
			"\"%s\" is none of main, nbu, recovery", ESC(text));
	return 0;
}

static int read_signing(struct mbi_config *m, struct keystore *ks, struct err *e)
{
	const struct config_node *cert, *signer;
	const struct config_node *inlined = config_get(m->root, "rootCertificate0File");

	if (read_subtype(m, e) != 0)
		return -1;
	if (inlined && !config_get(m->root, "certBlock"))
		return config_error(inlined, e,
			"root keys belong into a certificate block configuration, named by "
			"`certBlock`");
	if (config_need(m->root, "certBlock", &cert, e) != 0 ||
		config_need(m->root, "signer", &signer, e) != 0 ||
		cert_block_load(cert, ks, &m->cert_block, e) != 0 ||
		keystore_key_at(ks, signer, &m->build.signer, e) != 0)
		return -1;
	m->build.cert_block = m->cert_block.p;
	m->build.cert_block_len = m->cert_block.len;

	struct cert_block block;
	if (cert_block_parse(&block, m->cert_block.p, m->cert_block.len, e) != 0)
		return err_wrap(e, "%s: certBlock", config_name(m->doc));
	if (!ecc_pub_equal(ecc_key_pub(m->build.signer), cert_block_signer(&block)))
		return config_error(signer, e,
			"this key is not the %s key of the certificate block, which must sign the "
			"image",
			block.has_isk ? "ISK" : "used root");
	return 0;
}

static void firmware_line(void *ctx, const char *text)
{
	const struct mbi_config *m = ctx;
	m->warn(m->ctx, text);
}

static int read_app(struct mbi_config *m, struct err *e)
{
	const struct config_node *n;
	AUTO(str_freep) char *path = NULL;
	struct firmware f = { 0 };

	if (config_need(m->root, "inputImageFile", &n, e) != 0 || config_path(n, &path, e) != 0 ||
		firmware_load(&f, path, m->warn ? firmware_line : NULL, m, e) != 0)
		return -1;
	uint32_t address = firmware_address(&f);
	uint64_t gap = firmware_gap(&f);
	enum firmware_kind kind = f.kind;
	int rc = 0;
	if (kind != FIRMWARE_RAW && address % FIRMWARE_ALIGN)
		rc = config_error(n, e,
			"%s begins at 0x%08" PRIX32 ", which is not a multiple of 0x%X", path,
			address, FIRMWARE_ALIGN);
	else
		rc = firmware_take_flat(&f, path, FIRMWARE_FILLER, FIRMWARE_MAX_FLAT, &m->app, e);
	firmware_clear(&f);
	if (rc != 0 || !m->warn)
		return rc;
	if (gap)
		config_warn(n, m->warn, m->ctx,
			"%" PRIu64 " bytes between segments are filled with "
			"0x%02X",
			gap, FIRMWARE_FILLER);
	if (kind != FIRMWARE_RAW && !family_same_place(m->family, address, m->build.load_address))
		config_warn(n, m->warn, m->ctx,
			"the %s file is linked for 0x%08" PRIX32
			", outputImageExecutionAddress is 0x%08" PRIX32,
			firmware_kind_name(kind), address, m->build.load_address);
	return 0;
}

/* Where the image will be: a note, because a bootloader of the OEM's own may know better. */
static void warn_placement(const struct mbi_config *m, size_t size)
{
	const struct config_node *n = config_get(m->root, "outputImageExecutionAddress");
	const struct family_memory *memory =
		family_memory_at(m->family, m->build.load_address, size);
	bool fits = memory && (m->ram ? strcmp(memory->name, "sram") == 0
				      : strcmp(memory->name, "flash") == 0 ||
						      strcmp(memory->name, "flexspi") == 0);

	if (!fits && m->warn)
		config_warn(n ? n : m->root, m->warn, m->ctx,
			"%zu bytes at 0x%08" PRIX32 " do not fit into the %s of %s", size,
			m->build.load_address, m->ram ? "RAM" : "flash", m->family->name);
}

int mbi_export(const struct config *c, struct keystore *ks, config_warn_fn warn, void *ctx,
	struct buf *out, struct err *e)
{
	AUTO(mbi_config_clear)
	struct mbi_config m = { .doc = c, .root = config_root(c), .warn = warn, .ctx = ctx };
	const struct config_node *tz = config_get(m.root, "trustZonePresetFile");
	size_t start = out->len;

	if (read_family(&m, e) != 0 || read_kind(&m, e) != 0 || read_numbers(&m, e) != 0)
		return -1;
	if (tz && config_kind(tz) != CONFIG_NULL &&
		trustzone_load(tz, m.revision, warn, ctx, &m.tz, e) != 0)
		return -1;
	m.build.tz = m.tz.p;
	m.build.tz_len = m.tz.len;
	if (m.build.type == MBI_SIGNED_XIP && read_signing(&m, ks, e) != 0)
		return -1;
	if (read_app(&m, e) != 0)
		return -1;
	if (mbi_build(&m.build, m.app.p, m.app.len, out, e) != 0)
		return err_wrap(e, "%s", config_name(c));
	warn_placement(&m, out->len - start);
	if (warn)
		config_warn_unused(c, known_keys, warn, ctx);
	return 0;
}

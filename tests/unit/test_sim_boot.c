/* Reset: life cycle, protected pages, which images are started, and what is open afterwards. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sodium.h>
#include <cmocka.h>

#include "base/fsio.h"
#include "base/json.h"
#include "base/text.h"
#include "crypt/digest.h"
#include "tests/sim/boot.h"
#include "tests/sim/report.h"
#include "tests/sim/state.h"
#include "tests/sim/status.h"
#include "tests/unit/sim_host.h"
#include "tests/unit/sim_sb_kit.h"

#define MBI "tests/vectors/mbi/"

static void start(struct sim_host *h)
{
	struct sim_options o = sim_host_options(3);

	sim_host_start(h, &o, NULL);
}

/* Put an image at 0, as a load would; flash is erased first. */
static void put_image(struct sim_host *h, const uint8_t *p, size_t len)
{
	struct sim_writer w;

	assert_int_equal(sim_memory_erase_all(&h->d->mem, 0), 0);
	assert_int_equal(sim_writer_start(&w, &h->d->mem, 0, 0, (uint32_t)len), 0);
	assert_int_equal(sim_writer_push(&w, p, len), 0);
	assert_int_equal(sim_writer_finish(&w), 0);
}

static void put_vector(struct sim_host *h, const char *name, struct buf *image)
{
	char path[128];

	snprintf(path, sizeof path, MBI "%s/expected.bin", name);
	sim_host_read_file(path, image);
	put_image(h, image->p, image->len);
}

static void boots(struct sim_host *h, const char *outcome)
{
	sim_device_reset(h->d);
	if (strncmp(h->d->boot, outcome, strlen(outcome)) != 0)
		fail_msg("boot: %s, wanted %s", h->d->boot, outcome);
}

/* --- life cycle ------------------------------------------------------------------------------- */

static void cfpa_with(struct sim_host *h, uint32_t header, uint32_t version_word)
{
	put_le32(h->d->mem.pfr.cfpa.data, header);
	put_le32(h->d->mem.pfr.cfpa.data + 4, version_word);
}

static void cmpa_update_at_reset(void **state)
{
	static const struct {
		unsigned upd;
		uint32_t fuse_before, fuse_after, property17;
		const char *name;
	} cases[] = {
		{ 0, 0x03000003, 0x03000003, MBOOT_SECURITY_OPEN, "develop" },
		{ 2, 0x03000003, 0x03000003, MBOOT_SECURITY_OPEN, "develop" },
		{ 3, 0x03000003, 0x07000007, MBOOT_SECURITY_OPEN, "develop2" },
		{ 5, 0x03000003, 0x0F00000F, MBOOT_SECURITY_SECURED, "in-field" },
		{ 6, 0x03000003, 0xCF0000CF, MBOOT_SECURITY_SECURED, "in-field-locked" },
		{ 5, 0, 0, MBOOT_SECURITY_OPEN, "blank" }, /* only while the fuse says DEVELOP */
		{ 6, 0x07000007, 0x07000007, MBOOT_SECURITY_OPEN, "develop2" },
		{ 4, 0x03000003, 0x03000003, MBOOT_SECURITY_OPEN, "develop" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct sim_host h;
		struct err e = { 0 };
		uint32_t w[4];
		size_t n;
		enum mboot_lifecycle lc;

		start(&h);
		h.d->fuses.word[1] = cases[i].fuse_before;
		cfpa_with(&h, 0x96350000, cases[i].upd << 27 | 1);
		assert_int_equal(mboot_ping(h.m, NULL, &e), 0);
		assert_int_equal(mboot_get_property(h.m, 17, 0, w, 4, &n, &e), 0);
		assert_int_equal(w[0], MBOOT_SECURITY_OPEN); /* not before the reset */
		assert_true(sim_host_reset(&h));
		assert_int_equal(h.d->fuses.word[1], cases[i].fuse_after);
		assert_int_equal(mboot_get_property(h.m, 17, 0, w, 4, &n, &e), 0);
		assert_int_equal(w[0], cases[i].property17);
		assert_int_equal(mboot_lifecycle(h.m, &lc, &e), 0);
		assert_string_equal(mboot_lifecycle_name(lc), cases[i].name);
		assert_string_equal(sim_lc_name(h.d->lifecycle), cases[i].name);
		sim_host_stop(&h);
	}
}

static void pages_without_marker_say_nothing(void **state)
{
	struct sim_host h;

	(void)state;
	start(&h);
	h.d->fuses.word[1] = 0x03000003;
	cfpa_with(&h, 0x12340000, 5u << 27 | 1);
	sim_device_reset(h.d);
	assert_int_equal(h.d->fuses.word[1], 0x03000003);
	cfpa_with(&h, 0x96350000, 5u << 27 | 1);
	put_le32(h.d->mem.pfr.cmpa.data, 0); /* no CMPA, nothing to close with */
	sim_device_reset(h.d);
	assert_int_equal(h.d->fuses.word[1], 0x03000003);
	sim_host_stop(&h);
}

static void cfpa_stands_in_while_developing(void **state)
{
	struct sim_host h;

	(void)state;
	start(&h);
	h.d->fuses.word[1] = 0x03000003;
	cfpa_with(&h, 0x9635F00F, 1);
	sim_device_reset(h.d);
	assert_true(sim_device_in_field(h.d));
	assert_int_equal(h.d->fuses.word[1], 0x03000003); /* can be taken back */
	cfpa_with(&h, 0x9635F10F, 1); /* the inverse does not fit */
	sim_device_reset(h.d);
	assert_false(sim_device_in_field(h.d));
	h.d->fuses.word[1] = 0;
	cfpa_with(&h, 0x9635F00F, 1);
	sim_device_reset(h.d);
	assert_false(sim_device_in_field(h.d));
	sim_host_stop(&h);
}

static void dead_life_cycles(void **state)
{
	static const struct {
		uint32_t fuse;
		const char *boot;
	} cases[] = {
		{ 0x0F000003, "refused: the life-cycle copies in fuse 1 differ" },
		{ 0xFF0000FF, "refused: no boot in this life cycle" },
		{ 0x7F00007F, "refused: no boot in this life cycle" },
		{ 0x55000055, "refused: no boot in this life cycle" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct sim_host h;
		struct err e = { 0 };
		start(&h);
		h.d->fuses.word[1] = cases[i].fuse;
		sim_device_reset(h.d);
		assert_string_equal(h.d->boot, cases[i].boot);
		assert_int_equal(mboot_ping(h.m, NULL, &e), -1);
		assert_int_equal(e.code, ERR_TIMEOUT);
		sim_host_stop(&h);
	}
}

static void what_is_open_in_the_field(void **state)
{
	struct sim_host h;
	struct err e = { 0 };
	AUTO(buf_clear) struct buf b = { 0 };
	uint8_t rkth[32], puk[64], response[324];
	uint8_t data[32] = { 1, 2, 3 };
	uint32_t w[8], fuse;
	size_t n;

	(void)state;
	start(&h);
	kit_rkth(4, rkth);
	sim_host_provision(&h, rkth, 32, kit_cust_mk_sk, 3, SIM_LC_IN_FIELD);
	assert_int_equal(mboot_ping(h.m, NULL, &e), 0);

	assert_int_equal(mboot_get_property(h.m, 18, 0, w, 8, &n, &e), 0);
	assert_int_equal(mboot_set_property(h.m, 10, 0, &e), 0);
	assert_int_equal(mboot_efuse_read_once(h.m, 1, &fuse, &e), 0);
	assert_int_equal(fuse, 0x0F00000F);
	assert_int_equal(mboot_write_memory(h.m, 0x20020050, data, 32, 0, &e), 0);
	assert_int_equal(mboot_read_memory(h.m, 0x20020050, 32, 0, &b, &e), 0);
	assert_memory_equal(b.p, data, 32);
	assert_int_equal(mboot_dice_ca_puk(h.m, rkth, 32, puk, &e), 0);
	assert_int_equal(mboot_dice_response(h.m, data, response, &e), 0);

#define CLOSED(call)                                                                               \
	do {                                                                                       \
		err_clear(&e);                                                                     \
		assert_int_equal((call), -1);                                                      \
		assert_int_equal(e.device, MBOOT_STATUS_SECURITY_VIOLATION);                       \
	} while (0)
	CLOSED(mboot_read_memory(h.m, 0, 32, 0, &b, &e));
	CLOSED(mboot_read_memory(h.m, SIM_CMPA_ADDRESS, 512, 0, &b, &e));
	CLOSED(mboot_write_memory(h.m, 0, data, 32, 0, &e));
	CLOSED(mboot_flash_erase_all(h.m, 0, &e));
	CLOSED(mboot_flash_erase_region(h.m, 0, 0x2000, 0, &e));
	CLOSED(mboot_fill_memory(h.m, 0x20002000, 16, 0, &e));
	CLOSED(mboot_execute(h.m, 0x20004001, 0, 0x20010000, &e));
	CLOSED(mboot_call(h.m, 0x20004001, 0, &e));
	CLOSED(mboot_configure_memory(h.m, 9, 0x20002000, &e));
	CLOSED(mboot_efuse_program_once(h.m, 43, 1, false, false, &e));
	for (uint32_t op = 0; op < 7; op++) {
		const uint32_t p[9] = { op };
		if (op == MBOOT_TP_OEM_GET_CUST_CERT_DICE_PUK)
			continue;
		CLOSED(mboot_trust_provisioning(h.m, p, 9, w, 8, &n, &e));
	}
	sim_host_stop(&h);
}

/* --- pages ------------------------------------------------------------------------------------ */

static uint32_t write_page(struct sim_host *h, uint32_t addr, const uint8_t page[512])
{
	struct err e = { 0 };

	return mboot_write_memory(h->m, addr, page, 512, 0, &e) == 0 ? 0 : e.device;
}

static void cfpa_only_goes_forward(void **state)
{
	struct sim_host h;
	uint8_t p[512] = { 0 };

	(void)state;
	start(&h);
	put_le32(p, 0x96350000);
	put_le32(p + 4, 0xFFFFFF);
	assert_int_equal(write_page(&h, SIM_CFPA_ADDRESS, p), 0);
	assert_int_equal(get_le32(h.d->mem.pfr.cfpa.data + 4), 1); /* incremented by the ROM */
	assert_int_equal(write_page(&h, SIM_CFPA_ADDRESS, p), 0);
	assert_int_equal(get_le32(h.d->mem.pfr.cfpa.data + 4), 2);
	put_le32(p + 4, 2);
	assert_int_equal(write_page(&h, SIM_CFPA_ADDRESS, p), MBOOT_STATUS_FLASH_CFPA_ROLLBACK);
	put_le32(p + 4, 5u << 27 | 9);
	assert_int_equal(write_page(&h, SIM_CFPA_ADDRESS, p), 0);
	assert_int_equal(get_le32(h.d->mem.pfr.cfpa.data + 4), 5u << 27 | 9);

	/* Versions and key revocation must not go back either. */
	put_le32(p + 4, 0xFFFFFF);
	put_le32(p + 8, 7);
	put_le32(p + 0x0C, 70);
	put_le32(p + 0x18, 3);
	assert_int_equal(write_page(&h, SIM_CFPA_ADDRESS, p), 0);
	for (size_t off = 8; off <= 0x18; off += off == 8 ? 4 : 12) {
		uint32_t w = get_le32(p + off);
		put_le32(p + off, w - 1);
		assert_int_equal(
			write_page(&h, SIM_CFPA_ADDRESS, p), MBOOT_STATUS_FLASH_CFPA_ROLLBACK);
		put_le32(p + off, w);
	}
	put_le32(p + 8, 8);
	memcpy(p + 0x1EC, "SEAL", 4);
	assert_int_equal(write_page(&h, SIM_CFPA_ADDRESS, p), 0);
	assert_int_equal(write_page(&h, SIM_CFPA_ADDRESS, p), MBOOT_STATUS_FLASH_SEALED_PFR);
	sim_host_stop(&h);
}

static void cmpa_rules(void **state)
{
	struct sim_host h;
	struct err e = { 0 };
	uint8_t p[512] = { 0 };

	(void)state;
	start(&h);
	put_le32(p, 0x59630000);
	assert_int_equal(write_page(&h, SIM_CMPA_ADDRESS, p), 0);
	assert_int_equal(write_page(&h, SIM_CMPA_ADDRESS, p), 0); /* the ROM erases */
	for (int i = 0; i < 4; i++)
		memcpy(p + 0x1F0 + 4 * i, "SEAL", 4);
	assert_int_equal(write_page(&h, SIM_CMPA_ADDRESS, p), 0);
	assert_int_equal(write_page(&h, SIM_CMPA_ADDRESS, p), MBOOT_STATUS_FLASH_SEALED_PFR);
	/* Whole pages only; no direct erase; no fill. */
	assert_int_equal(mboot_write_memory(h.m, SIM_CMPA_ADDRESS, p, 256, 0, &e), -1);
	assert_int_equal(e.device, SIM_STATUS_PFR_WRITE_BROKEN);
	assert_int_equal(mboot_write_memory(h.m, SIM_CMPA_ADDRESS + 16, p, 496, 0, &e), -1);
	assert_int_equal(e.device, SIM_STATUS_PFR_WRITE_BROKEN);
	assert_int_equal(mboot_write_memory(h.m, SIM_CMPA_ADDRESS, p, 511, 0, &e), -1);
	assert_int_equal(e.device, SIM_STATUS_PFR_WRITE_BROKEN);
	assert_int_equal(mboot_flash_erase_region(h.m, SIM_CMPA_ADDRESS, 512, 0, &e), -1);
	assert_int_equal(e.device, MBOOT_STATUS_FLASH_CMPA_DIRECT_ERASE);
	sim_host_stop(&h);

	/* In the field the CMPA is closed, also to the OEM's own files; the CFPA is not. */
	struct sb31_items items = { 0 };
	AUTO(buf_clear) struct buf sb = { 0 };
	uint8_t rkth[32];
	start(&h);
	kit_rkth(1, rkth);
	sim_host_provision(&h, rkth, 32, kit_cust_mk_sk, 3, SIM_LC_IN_FIELD);
	memset(p, 0, sizeof p);
	put_le32(p, 0x96350000);
	put_le32(p + 4, 0xFFFFFF);
	kit_load(&items, SIM_CFPA_ADDRESS, p, sizeof p);
	put_le32(p, 0x59630000);
	kit_load(&items, SIM_CMPA_ADDRESS, p, sizeof p);
	kit_build(&(struct kit){ .n_roots = 1, .firmware_version = 1 }, &items, &sb);
	assert_int_equal(sim_host_sb(&h, sb.p, sb.len), MBOOT_STATUS_FLASH_PROTECTION);
	assert_int_equal(get_le32(h.d->mem.pfr.cfpa.data + 4), 1);
	sim_host_stop(&h);
}

/* --- secure boot ------------------------------------------------------------------------------ */

static void images_by_secure_boot_level(void **state)
{
	static const struct {
		const char *image;
		const char *level[3]; /* SEC_BOOT_EN 0, 1, 3 */
		unsigned roots; /* of the device; 0: P-384 root 0 */
	} cases[] = {
		{ "plain-xip", { "application", "refused: ", "refused: " }, 1 },
		{ "crc-xip", { "application", "application", "refused: " }, 1 },
		{ "crc-ram", { "application", "refused: ", "refused: " }, 1 },
		{ "signed-p256-1root", { "application", "application", "application" }, 1 },
		{ "signed-p256-1root", { "application", "refused: ", "refused: " }, 4 },
		{ "signed-p256-4roots-fw", { "application", "application", "application" }, 4 },
		{ "signed-p256-isk-p256", { "application", "application", "application" }, 4 },
		{ "signed-p384-1root", { "application", "application", "application" }, 0 },
		{ "signed-p384-1root", { "application", "refused: ", "refused: " }, 1 },
	};
	static const unsigned levels[] = { 0, 1, 3 };
	uint8_t rkth384[48], rkth[48];

	(void)state;
	assert_int_equal(hex_decode(rkth384, 48,
				 "6a9a7b7021fd8e2642289ccd18283232e3fb604425bcef54dcabdce42eeb7af8"
				 "ff5f755a16bc4d3019225c84bfac09c4"),
		0);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		for (size_t k = 0; k < 3; k++) {
			AUTO(buf_clear) struct buf image = { 0 };
			struct sim_host h;
			struct err e = { 0 };
			size_t len = cases[i].roots ? 32 : 48;
			if (cases[i].roots)
				kit_rkth(cases[i].roots, rkth);
			else
				memcpy(rkth, rkth384, 48);
			start(&h);
			put_vector(&h, cases[i].image, &image);
			sim_host_provision(
				&h, rkth, len, kit_cust_mk_sk, levels[k], SIM_LC_IN_FIELD);
			if (strncmp(h.d->boot, cases[i].level[k], strlen(cases[i].level[k])) != 0)
				fail_msg("%s, level %u: %s", cases[i].image, levels[k], h.d->boot);
			/* An application is silent; a refused image leaves the part in ISP. */
			assert_int_equal(mboot_ping(h.m, NULL, &e),
				h.d->mode == SIM_MODE_APPLICATION ? -1 : 0);
			sim_host_stop(&h);
		}
}

static void any_change_of_a_signed_image_is_refused(void **state)
{
	AUTO(buf_clear) struct buf image = { 0 };
	struct sim_host h;
	uint8_t rkth[32];

	(void)state;
	start(&h);
	kit_rkth(1, rkth);
	put_vector(&h, "signed-p256-1root", &image);
	sim_host_provision(&h, rkth, 32, kit_cust_mk_sk, 3, SIM_LC_IN_FIELD);
	assert_string_equal(h.d->boot, "application");
	for (size_t i = 0; i < image.len; i += i < 64 || i > 13950 ? 1 : 331) {
		image.p[i] ^= 0x04;
		put_image(&h, image.p, image.len);
		boots(&h, "refused: ");
		image.p[i] ^= 0x04;
	}
	put_image(&h, image.p, image.len);
	boots(&h, "application");
	/* Half an image: what a power loss while loading leaves. */
	put_image(&h, image.p, image.len / 2);
	boots(&h, "refused: ");
	assert_int_equal(sim_memory_erase_all(&h.d->mem, 0), 0);
	boots(&h, "isp");
	sim_host_stop(&h);
}

static void versions_and_revocation_stop_images(void **state)
{
	AUTO(buf_clear) struct buf image = { 0 };
	struct sim_host h;
	uint8_t rkth[32];

	(void)state;
	start(&h);
	kit_rkth(4, rkth);
	put_vector(&h, "signed-p256-4roots-fw", &image); /* firmware version 3, root 2 */
	sim_host_provision(&h, rkth, 32, kit_cust_mk_sk, 2, SIM_LC_IN_FIELD);
	assert_string_equal(h.d->boot, "application");
	put_le32(h.d->mem.pfr.cfpa.data + 8, 3);
	boots(&h, "application");
	put_le32(h.d->mem.pfr.cfpa.data + 8, 4);
	boots(&h, "refused: firmware version 3 is below 4 in CFPA");
	put_le32(h.d->mem.pfr.cfpa.data + 8, 0);
	put_le32(h.d->mem.pfr.cfpa.data + 0x14, 2u << 4);
	boots(&h, "refused: root key 2 is revoked");
	put_le32(h.d->mem.pfr.cfpa.data + 0x14, 0);
	put_le32(h.d->mem.pfr.cmpa.data + 0x54, 6u << 6);
	boots(&h, "refused: root key 2 may not sign images (usage 6)");
	put_le32(h.d->mem.pfr.cmpa.data + 0x54, 5u << 6);
	boots(&h, "application");
	/* The ISP pin wins over any image. */
	h.d->opt.isp_pin = true;
	boots(&h, "isp");
	sim_host_stop(&h);
}

static void boot_from_flexspi(void **state)
{
	AUTO(buf_clear) struct buf image = { 0 };
	struct sim_host h;
	struct sim_writer w;
	uint8_t rkth[32];

	(void)state;
	start(&h);
	kit_rkth(1, rkth);
	sim_host_read_file(MBI "signed-p256-1root/expected.bin", &image);
	h.d->mem.flexspi_ready = true;
	assert_int_equal(sim_writer_start(&w, &h.d->mem, 0, 0x80001000, (uint32_t)image.len), 0);
	assert_int_equal(sim_writer_push(&w, image.p, image.len), 0);
	assert_int_equal(sim_writer_finish(&w), 0);
	sim_host_provision(&h, rkth, 32, kit_cust_mk_sk, 3, SIM_LC_IN_FIELD);
	assert_string_equal(h.d->boot, "isp");
	put_le32(h.d->mem.pfr.cmpa.data, 0x59630001); /* BOOT_SRC: FlexSPI */
	boots(&h, "application");
	sim_host_stop(&h);
}

/* --- DICE ------------------------------------------------------------------------------------- */

static void dice_response_verifies(void **state)
{
	static const uint8_t prefix[5] = { 0x03, 0x00, 0x17, 0x41, 0x04 };
	struct sim_host h;
	struct err e = { 0 };
	struct ecc_pub ca, die;
	uint8_t rkth[32], challenge[32], puk[64], r[324], again[324], text[69], rtf[32], had[48];
	struct sim_pfr_page page;

	(void)state;
	start(&h);
	kit_rkth(4, rkth);
	randombytes_buf(challenge, sizeof challenge);
	/* Nothing to attest before an RKTH took effect. */
	assert_int_equal(mboot_dice_response(h.m, challenge, r, &e), -1);
	assert_int_equal(e.device, MBOOT_STATUS_FAIL);
	sim_host_provision(&h, rkth, 32, kit_cust_mk_sk, 3, SIM_LC_IN_FIELD);
	put_le32(h.d->mem.pfr.cfpa.data + 8, 0x1234);
	sim_device_reset(h.d);
	assert_int_equal(mboot_dice_ca_puk(h.m, rkth, 32, puk, &e), 0);
	assert_int_equal(mboot_dice_response(h.m, challenge, r, &e), 0);

	assert_int_equal(ecc_pub_from_xy(&ca, ECC_P256, puk, &e), 0);
	assert_int_equal(ecc_pub_from_xy(&die, ECC_P256, r + 80, &e), 0);
	memcpy(text, prefix, 5);
	memcpy(text + 5, r + 80, 64);
	assert_int_equal(ecc_verify(&ca, text, sizeof text, r + 144, &e), 0);
	assert_int_equal(ecc_verify(&die, r, 260, r + 260, &e), 0);
	assert_memory_equal(r + 208, h.d->uuid, 16);
	assert_int_equal(get_be32(r + 224), 0x1234);
	assert_memory_equal(r + 228, challenge, 32);
	page = h.d->mem.pfr.cmpa;
	memset(page.data + 0x160, 0, 48);
	sha256_of(page.data, 512, rtf);
	assert_memory_equal(r, rtf, 32);
	uint8_t in[33] = { SIM_LC_IN_FIELD };
	memcpy(in + 1, rtf, 32);
	digest_of(DIGEST_SHA384, in, sizeof in, had);
	assert_memory_equal(r + 32, had, 48);

	/* Another die of the same OEM: same CA, other die key. */
	struct sim_host other;
	struct sim_options o = sim_host_options(99);
	sim_host_start(&other, &o, NULL);
	sim_host_provision(&other, rkth, 32, kit_cust_mk_sk, 3, SIM_LC_IN_FIELD);
	assert_int_equal(mboot_dice_response(other.m, challenge, again, &e), 0);
	assert_memory_equal(again, r, 32);
	assert_memory_not_equal(again + 80, r + 80, 64);
	memcpy(text + 5, again + 80, 64);
	assert_int_equal(ecc_verify(&ca, text, sizeof text, again + 144, &e), 0);
	sim_host_stop(&other);
	sim_host_stop(&h);
}

/* --- the whole way, report, state ------------------------------------------------------------- */

static void from_blank_to_application(void **state)
{
	AUTO(buf_clear) struct buf image = { 0 };
	AUTO(buf_clear) struct buf sb = { 0 };
	struct sb31_items items = { 0 };
	struct sim_host h;
	struct err e = { 0 };
	uint8_t rkth[32], digest[32];
	char hex[97];

	(void)state;
	start(&h);
	kit_rkth(4, rkth);
	sim_host_read_file(MBI "signed-p256-4roots-fw/expected.bin", &image);
	/* Develop with the closing request pending, then reset: as a provisioning file leaves it.
	 */
	cfpa_with(&h, 0x96350000, 5u << 27 | 1);
	sim_host_provision(&h, rkth, 32, kit_cust_mk_sk, 3, SIM_LC_DEVELOP);
	assert_int_equal(h.d->lifecycle, SIM_LC_IN_FIELD);
	assert_string_equal(h.d->boot, "isp");
	kit_erase(&items, 0, 0x10000);
	kit_load(&items, 0, image.p, image.len);
	kit_build(
		&(struct kit){ .n_roots = 4, .used_root = 1, .firmware_version = 3 }, &items, &sb);
	assert_int_equal(sim_host_sb(&h, sb.p, sb.len), 0);
	assert_false(sim_host_reset(&h)); /* the application does not answer */

	AUTO(json_freep) json_t *j = sim_report_device(h.d, "/dev/port", &e);
	assert_non_null(j);
#define MEMBER(name) json_string_value(json_object_get(j, name))
	assert_string_equal(MEMBER("lifecycle"), "in-field");
	assert_string_equal(MEMBER("boot"), "application");
	assert_string_equal(MEMBER("port"), "/dev/port");
	assert_string_equal(MEMBER("rkth"), hex_encode(hex, rkth, 32));
	assert_string_equal(MEMBER("uuid"), hex_encode(hex, h.d->uuid, 16));
	sha256_of(image.p, image.len, digest);
	assert_string_equal(MEMBER("image_sha256"), hex_encode(hex, digest, 32));
	assert_int_equal(json_integer_value(json_object_get(j, "image_size")), image.len);
	assert_true(json_is_true(json_object_get(j, "key_blob_present")));
	assert_string_equal(
		json_string_value(json_object_get(json_object_get(j, "fuses"), "1")), "0x0f00000f");
	assert_int_equal(json_array_size(json_object_get(j, "sb_accepted")), 1);
	assert_int_equal(json_array_size(json_object_get(j, "sb_refused")), 0);
	sim_host_stop(&h);
}

static void states_survive(void **state)
{
	char dir[] = "/tmp/sim_state_XXXXXX", path[64];
	AUTO(buf_clear) struct buf file = { 0 };
	struct sim_host h, back;
	struct sim_options o = sim_host_options(3), other = sim_host_options(4);
	struct err e = { 0 };
	uint8_t rkth[32], seen[32], a[32], b[32];
	bool found;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/devices", dir);
	start(&h);
	kit_rkth(1, rkth);
	put_image(&h, (const uint8_t *)"0123456789abcdef0123456789abcdef!", 33);
	sim_host_provision(&h, rkth, 32, kit_cust_mk_sk, 3, SIM_LC_IN_FIELD);
	assert_int_equal(sim_host_sb(&h, "nonsense", 8), MBOOT_STATUS_ROMLDR_DATA_UNDERRUN);
	assert_int_equal(sim_state_save(path, &h.d, 1, &e), 0);
	assert_false(h.d->changed);

	sim_host_start(&back, &other, NULL);
	assert_int_equal(sim_state_load(path, &back.d, 1, &found, &e), 0);
	assert_true(found);
	assert_memory_equal(back.d->uuid, h.d->uuid, 16);
	assert_memory_equal(&back.d->roots, &h.d->roots, sizeof h.d->roots);
	assert_memory_equal(&back.d->mem.pfr.cmpa, &h.d->mem.pfr.cmpa, 512);
	assert_int_equal(back.d->fuses.word[1], 0x0F00000F);
	assert_int_equal(back.d->n_sb_records, 1);
	sim_store_sha256(&h.d->mem.flash, a);
	sim_store_sha256(&back.d->mem.flash, b);
	assert_memory_equal(a, b, 32);
	sim_memory_read(&back.d->mem, 0, 0, seen, 16);
	assert_memory_equal(seen, "0123456789abcdef", 16);
	/* What was programmed still counts as programmed. */
	struct sim_writer w;
	assert_int_equal(sim_writer_start(&w, &back.d->mem, 0, 0, 16), 0);
	assert_int_equal(sim_writer_push(&w, seen, 16), MBOOT_STATUS_MEMORY_CUMULATIVE_WRITE);
	/* Randomness goes on where it was. */
	sim_rng_bytes(&h.d->rng, a, 32);
	sim_rng_bytes(&back.d->rng, b, 32);
	assert_memory_equal(a, b, 32);

	/* Wrong number, wrong part, any damage: refused with a reason. */
	struct sim_device *two[2] = { h.d, back.d };
	assert_int_equal(sim_state_load(path, two, 2, &found, &e), -1);
	assert_non_null(strstr(e.msg, "holds 1 devices, --count says 2"));
	struct sim_host small;
	o.chip = sim_chip_find("mcxn946");
	sim_host_start(&small, &o, NULL);
	assert_int_equal(sim_state_load(path, &small.d, 1, &found, &e), -1);
	assert_non_null(strstr(e.msg, "is a mcxn947, --family says mcxn946"));
	sim_host_stop(&small);
	assert_int_equal(fsio_read(path, 1 << 20, &file, &e), 0);
	for (size_t i = 0; i < file.len; i += 97) {
		file.p[i] ^= 1;
		assert_int_equal(fsio_write(path, file.p, file.len, 0600, &e), 0);
		assert_int_equal(sim_state_load(path, &back.d, 1, &found, &e), -1);
		assert_int_equal(e.code, ERR_CONFIG);
		file.p[i] ^= 1;
	}
	unlink(path);
	assert_int_equal(sim_state_load(path, &back.d, 1, &found, &e), 0);
	assert_false(found);
	rmdir(dir);
	sim_host_stop(&back);
	sim_host_stop(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cmpa_update_at_reset),
		cmocka_unit_test(pages_without_marker_say_nothing),
		cmocka_unit_test(cfpa_stands_in_while_developing),
		cmocka_unit_test(dead_life_cycles),
		cmocka_unit_test(what_is_open_in_the_field),
		cmocka_unit_test(cfpa_only_goes_forward),
		cmocka_unit_test(cmpa_rules),
		cmocka_unit_test(images_by_secure_boot_level),
		cmocka_unit_test(any_change_of_a_signed_image_is_refused),
		cmocka_unit_test(versions_and_revocation_stop_images),
		cmocka_unit_test(boot_from_flexspi),
		cmocka_unit_test(dice_response_verifies),
		cmocka_unit_test(from_blank_to_application),
		cmocka_unit_test(states_survive),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests_name("sim_boot", tests, NULL, NULL);
}

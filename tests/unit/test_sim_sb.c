/* SB3.1 files on the device's side: which are accepted, which refused and how, and what they do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sodium.h>
#include <cmocka.h>

#include "base/text.h"
#include "mfgpkg/devhsm.h"
#include "tests/sim/sb_command.h"
#include "tests/sim/sb_receive.h"
#include "tests/sim/status.h"
#include "tests/unit/sim_host.h"
#include "tests/unit/sim_sb_kit.h"

#define MBOOT "tests/vectors/mboot/"
#define SB31  "tests/vectors/sb31/"

/* --- files of a device HSM -------------------------------------------------------------------- */

static void collect(void *ctx, const uint8_t piece[256])
{
	wr_bytes(ctx, piece, 256);
}

/* The file straight into the receiver, without a line: final status, and the plain stream. */
static uint32_t receive(struct sim_device *d, const void *data, size_t len, struct buf *plain)
{
	struct sim_sb *sb = sim_sb_start(d, (uint32_t)len);

	assert_non_null(sb);
	if (plain)
		sim_sb_tap(sb, collect, plain);
	uint32_t status = sim_sb_push(sb, data, len);
	if (status == OK_STATUS)
		status = sim_sb_finish(sb);
	sim_sb_free(sb, status);
	return status;
}

static void provisioning_files_work_on_any_device(void **state)
{
	static const char *const names[] = { "devhsm_full", "devhsm_no_key",
		"devhsm_set_master_share" };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		char path[128];
		AUTO(buf_clear) struct buf sb = { 0 };
		AUTO(buf_clear) struct buf want = { 0 };
		snprintf(path, sizeof path, MBOOT "%s.sb", names[i]);
		sim_host_read_file(path, &sb);
		snprintf(path, sizeof path, MBOOT "%s.plain_commands.bin", names[i]);
		sim_host_read_file(path, &want);
		for (uint64_t seed = 0; seed < 5; seed++) {
			AUTO(buf_clear) struct buf plain = { 0 };
			struct sim_options o = sim_host_options(seed);
			struct sim_host h;
			o.chip = sim_chip_find(seed == 4 ? "mcxn946" : "mcxn947");
			sim_host_start(&h, &o, NULL);
			assert_int_equal(receive(h.d, sb.p, sb.len, &plain), 0);
			assert_int_equal(plain.len, want.len);
			assert_memory_equal(plain.p, want.p, want.len);
			sim_host_stop(&h);
		}
	}
}

static void provisioning_files_are_bound_to_the_family(void **state)
{
	AUTO(buf_clear) struct buf sb = { 0 };
	struct sim_options o = sim_host_options(1);
	struct sim_host h;

	(void)state;
	o.chip = sim_chip_find("mcxn547");
	sim_host_read_file(MBOOT "devhsm_full.sb", &sb);
	sim_host_start(&h, &o, NULL);
	assert_int_equal(sim_host_sb(&h, sb.p, sb.len), MBOOT_STATUS_ROMLDR_KEY_NOT_FOUND);
	sim_host_stop(&h);
}

/* Every byte of the small file, changed in two ways, and every length that is too short. */
static void any_change_of_a_provisioning_file_is_refused(void **state)
{
	AUTO(buf_clear) struct buf sb = { 0 };
	struct sim_options o = sim_host_options(1);
	struct sim_host h;
	struct sim_pfr before;
	size_t statuses[5] = { 0 };

	(void)state;
	sim_host_read_file(MBOOT "devhsm_set_master_share.sb", &sb);
	sim_host_start(&h, &o, NULL);
	before = h.d->mem.pfr;
	for (size_t i = 0; i < sb.len; i++)
		for (unsigned k = 0; k < 2; k++) {
			uint8_t mask = k ? 0x80 : 0x01;
			sb.p[i] ^= mask;
			uint32_t status = receive(h.d, sb.p, sb.len, NULL);
			sb.p[i] ^= mask;
			switch (status) {
			case MBOOT_STATUS_ROMLDR_SIGNATURE:
				statuses[0]++;
				break;
			case MBOOT_STATUS_ROMLDR_KEY_NOT_FOUND:
				statuses[1]++;
				break;
			case MBOOT_STATUS_ROMLDR_CHECKSUM:
				statuses[2]++;
				break;
			default:
				fail_msg("byte %zu changed: status %u", i, status);
			}
		}
	/* The share does not open; the block does not match its hash; the rest fails by signature.
	 */
	assert_int_equal(statuses[1], 2 * SIM_ENC_SHARE_LEN);
	assert_int_equal(statuses[2], 2 * 292);
	assert_int_equal(statuses[0], 2 * (sb.len - SIM_ENC_SHARE_LEN - 292));
	for (size_t len = 0; len < sb.len; len++)
		assert_int_not_equal(receive(h.d, sb.p, len, NULL), 0);
	assert_memory_equal(&before, &h.d->mem.pfr, sizeof before);
	for (size_t i = 0; i < SIM_FUSE_WORDS; i++)
		assert_int_equal(h.d->fuses.word[i], 0);
	assert_int_equal(receive(h.d, sb.p, sb.len, NULL), 0);
	assert_int_equal(h.d->n_sb_records, SIM_SB_RECORDS_MAX);
	sim_host_stop(&h);
}

static void provisioning_does_what_it_says(void **state)
{
	AUTO(buf_clear) struct buf sb = { 0 };
	AUTO(buf_clear) struct buf plain = { 0 };
	AUTO(buf_clear) struct buf page = { 0 };
	struct sim_options o = sim_host_options(7);
	struct sim_host h;
	uint8_t key[32], want[32];
	uint32_t fuse, words[4];
	size_t n;
	const uint8_t *blob;
	struct err e = { 0 };

	(void)state;
	sim_host_read_file(MBOOT "devhsm_full.sb", &sb);
	sim_host_read_file(MBOOT "devhsm_full.plain_commands.bin", &plain);
	sim_host_start(&h, &o, NULL);
	assert_int_equal(mboot_ping(h.m, NULL, &e), 0);
	assert_int_equal(sim_host_sb(&h, sb.p, sb.len), 0);

	/* Fuse and pages can be read at once; the CFPA keeps its version, the CMPA got the blob. */
	assert_int_equal(mboot_efuse_read_once(h.m, 1, &fuse, &e), 0);
	assert_int_equal(fuse, 0x03000003);
	assert_int_equal(mboot_read_memory(h.m, SIM_CFPA_ADDRESS, 512, 0, &page, &e), 0);
	assert_memory_equal(page.p, plain.p + 0x270, 512);
	page.len = 0;
	assert_int_equal(mboot_read_memory(h.m, SIM_CMPA_ADDRESS, 512, 0, &page, &e), 0);
	assert_memory_equal(page.p, plain.p + 0x50, SIM_CMPA_KEY_BLOB);
	assert_memory_equal(page.p + 0x190, plain.p + 0x50 + 0x190, 512 - 0x190);
	assert_true(sim_cmpa_key_blob(&h.d->mem.pfr.cmpa, &blob));
	assert_true(sim_blob_unwrap(h.d->roots.k_die, SIM_PROPS_DIE, blob, key));
	assert_int_equal(
		hex_decode(want, 32,
			"e415d0468e457c39ad107c920037aa11398e3fad2e19515766b4510e61d2f449"),
		0);
	assert_memory_equal(key, want, 32);
	/* The life cycle is that of the last reset. */
	assert_int_equal(mboot_get_property(h.m, 17, 0, words, 4, &n, &e), 0);
	assert_int_equal(words[0], MBOOT_SECURITY_OPEN);

	/* The same file again: its CFPA version is not higher than the one that is there now. */
	assert_int_equal(sim_host_sb(&h, sb.p, sb.len), MBOOT_STATUS_FLASH_CFPA_ROLLBACK);

	/* In the field no device-HSM file is taken, whatever it holds. */
	sim_fuse_set_lifecycle(&h.d->fuses, SIM_LC_IN_FIELD);
	assert_int_equal(sim_host_sb(&h, sb.p, sb.len), MBOOT_STATUS_SECURITY_VIOLATION);
	assert_int_equal(h.d->n_sb_records, 3);
	assert_int_equal(h.d->sb_records[0].status, 0);
	assert_true(h.d->sb_records[0].devhsm);
	assert_int_equal(h.d->sb_records[0].blocks, 5);
	assert_int_equal(h.d->sb_records[1].status, MBOOT_STATUS_FLASH_CFPA_ROLLBACK);
	assert_int_equal(h.d->sb_records[2].status, MBOOT_STATUS_SECURITY_VIOLATION);
	sim_host_stop(&h);
}

/* Made on device A by the OEM's program, accepted by device B. */
static void made_on_one_device_accepted_by_another(void **state)
{
	static const char yaml[] =
		"family: mcxn947\n"
		"containerOutputFile: x.sb3\n"
		"oemRandomShare: 00112233445566778899aabbccddeeff\n"
		"containerKeyBlobEncryptionKey: "
		"101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f\n"
		"commands:\n"
		"  - programFuses: {address: 1, values: '0x03000003'}\n"
		"  - load: {address: 0x20001000, value: 0x11223344}\n";
	struct sim_options oa = sim_host_options(100), ob = sim_host_options(200);
	struct sim_host a, b;
	AUTO(keystore_freep) struct keystore *ks = NULL;
	struct config *c = NULL;
	struct devhsm_result r = { 0 };
	const struct devhsm_options options = { .timestamp = 0x2E5A1234 };
	struct err e = { 0 };
	uint8_t key[32];
	const uint8_t *blob;

	(void)state;
	sim_host_start(&a, &oa, NULL);
	sim_host_start(&b, &ob, NULL);
	assert_memory_not_equal(a.d->uuid, b.d->uuid, SIM_UUID_LEN);
	if (config_load_bytes(&c, "devhsm.yaml", yaml, sizeof yaml - 1, &e) != 0 ||
		keystore_new(&ks, NULL, &e) != 0 || mboot_ping(a.m, NULL, &e) != 0 ||
		devhsm_generate(a.m, c, ks, &options, &r, &e) != 0)
		fail_msg("%s", e.msg);
	assert_int_equal(sim_host_sb(&b, r.container.p, r.container.len), 0);
	assert_true(sim_cmpa_key_blob(&b.d->mem.pfr.cmpa, &blob));
	assert_true(sim_blob_unwrap(b.d->roots.k_die, SIM_PROPS_DIE, blob, key));
	assert_memory_equal(key, kit_cust_mk_sk, 32);
	assert_false(sim_blob_unwrap(a.d->roots.k_die, SIM_PROPS_DIE, blob, key));
	assert_int_equal(b.d->fuses.word[1], 0x03000003);
	devhsm_result_clear(&r);
	config_free(c);
	sim_host_stop(&a);
	sim_host_stop(&b);
}

/* A page as the value of a `load` command. */
static void page_command(struct buf *yaml, uint32_t addr, const uint8_t page[512])
{
	wr_printf(yaml, "  - load: {address: 0x%08x, values: \"", addr);
	for (size_t i = 0; i < 512; i += 4)
		wr_printf(yaml, "%s0x%08x", i ? "," : "", get_le32(page + i));
	wr_str(yaml, "\"}\n");
}

/* The recommended provisioning: life cycle, CMPA with RKTH, CFPA that closes the part, key. */
static void provisioning_file(struct buf *out)
{
	struct sim_options o = sim_host_options(1000);
	struct sim_host hsm;
	AUTO(keystore_freep) struct keystore *ks = NULL;
	AUTO(buf_clear) struct buf yaml = { 0 };
	struct config *c = NULL;
	struct devhsm_result r = { 0 };
	const struct devhsm_options options = { .timestamp = 0x2E5A1234 };
	struct err e = { 0 };
	uint8_t page[512] = { 0 }, rkth[32];

	wr_str(&yaml, "family: mcxn947\ncontainerOutputFile: x.sb3\n"
		      "oemRandomShare: 00112233445566778899aabbccddeeff\n"
		      "containerKeyBlobEncryptionKey: "
		      "101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f\n"
		      "commands:\n  - programFuses: {address: 1, values: '0x03000003'}\n");
	kit_rkth(4, rkth);
	put_le32(page, 0x59630000);
	put_le32(page + 0x50, 3);
	memcpy(page + SIM_CMPA_ROTKH, rkth, 32);
	page_command(&yaml, SIM_CMPA_ADDRESS, page);
	memset(page, 0, sizeof page);
	put_le32(page, 0x96350000);
	put_le32(page + 4, 5u << 27 | 0xFFFFFF);
	page_command(&yaml, SIM_CFPA_ADDRESS, page);
	sim_host_start(&hsm, &o, NULL);
	if (config_load_bytes(&c, "devhsm.yaml", (const char *)yaml.p, yaml.len, &e) != 0 ||
		keystore_new(&ks, NULL, &e) != 0 || mboot_ping(hsm.m, NULL, &e) != 0 ||
		devhsm_generate(hsm.m, c, ks, &options, &r, &e) != 0)
		fail_msg("%s", e.msg);
	wr_bytes(out, r.container.p, r.container.len);
	devhsm_result_clear(&r);
	config_free(c);
	sim_host_stop(&hsm);
}

/* Wherever the power goes while a part is being provisioned, the file can be sent again, and the
 * part ends in the same state; it is never closed without its key. */
static void provisioning_survives_a_power_loss_anywhere(void **state)
{
	AUTO(buf_clear) struct buf sb = { 0 };

	(void)state;
	provisioning_file(&sb);
	uint32_t n = get_le32(sb.p + 12);
	for (uint32_t block = 0; block <= n; block++) {
		char fault[64];
		const char *faults[] = { fault, NULL };
		struct sim_options o = sim_host_options(block);
		struct sim_host h;
		struct err e = { 0 };
		const uint8_t *blob;

		snprintf(fault, sizeof fault, "*:power-loss=10@sb=%u/1", block);
		sim_host_start(&h, &o, faults);
		assert_int_equal(mboot_receive_sb_file(h.m, sb.p, sb.len, &e), -1);
		h.now_us += 1000000;
		assert_int_equal(mboot_ping(h.m, NULL, &e), 0);
		/* In this file the CFPA, which closes the part at power-on, and the key end in the
		 * same block. Were there a block between them, a power loss there would leave a
		 * part that takes no file any more. */
		assert_false(sim_device_in_field(h.d));
		assert_int_equal(sim_host_sb(&h, sb.p, sb.len), 0);
		assert_true(sim_host_reset(&h));
		assert_int_equal(h.d->lifecycle, SIM_LC_IN_FIELD);
		assert_true(sim_cmpa_key_blob(&h.d->mem.pfr.cmpa, &blob));
		sim_host_stop(&h);
	}
}

/* --- files of the OEM ------------------------------------------------------------------------- */

/* The hex string of a fact, or NULL. (One case has an integer that no C JSON reader takes.) */
static const char *fact(const char *json, const char *name, char out[97])
{
	char format[64];
	const char *at;

	snprintf(format, sizeof format, "\n \"%s\": \"", name);
	at = strstr(json, format);
	return at && sscanf(at + strlen(format), "%96[0-9a-f]", out) == 1 ? out : NULL;
}

static void vectors_on_a_provisioned_device(void **state)
{
	static const struct {
		const char *name;
		uint32_t status;
		uint32_t load; /* one block of data to look at: where, and where in the plain stream
				*/
		size_t load_off, load_len;
	} cases[] = {
		{ "binary-cert-block", 0, 0, 0x50, 0xF00 },
		/* Says that it is a container of NXP (image type 7). */
		{ "header-fields", MBOOT_STATUS_ROMLDR_SIGNATURE, 0, 0, 0 },
		{ "no-commands", 0, 0, 0, 0 },
		{ "odd-loads", 0, 0, 0x30, 1 },
		{ "p256-1root-kdk0", 0, 0, 0x50, 0xF00 },
		{ "p256-1root-x509", 0, 0, 0x50, 0xF00 },
		/* A part keeps 32 bytes: a CUST_MK_SK of 16 is another key. */
		{ "p256-2roots-used1-kdk1", MBOOT_STATUS_ROMLDR_SECTION_LENGTH, 0, 0, 0 },
		{ "p256-4roots-isk-p256", 0, 0, 0x50, 0xF00 },
		{ "p256-4roots-used3-kdk2", 0, 0, 0x50, 0xF00 },
		/* Erases what is no memory of the part in its second command. */
		{ "p256-all-commands", MBOOT_STATUS_FLASH_ADDRESS, 0, 0, 0 },
		{ "p256-pck128-hexfile", 0, 0, 0x50, 0xF00 },
		{ "p256-pck256-inline", 0, 0, 0x50, 0xF00 },
		/* The ROM takes no plain payloads: what it decrypts is no section. */
		{ "p256-unencrypted-all", MBOOT_STATUS_ROMLDR_SECTION_LENGTH, 0, 0, 0 },
		{ "p384-1root-isk-p384", 0, 0, 0x50, 0xF00 },
		{ "p384-1root-kdk3", 0, 0, 0x50, 0xF00 },
		{ "p384-2roots-used1-pck128", MBOOT_STATUS_ROMLDR_SECTION_LENGTH, 0, 0, 0 },
		{ "p384-4roots-isk-p256", 0, 0, 0x50, 0xF00 },
		{ "p384-4roots-isk-p384-userdata", 0, 0, 0x50, 0xF00 },
		{ "p384-4roots-used2", 0, 0, 0x50, 0xF00 },
		{ "p384-all-commands", MBOOT_STATUS_FLASH_ADDRESS, 0, 0, 0 },
		{ "p384-isk-p256-load-1MiB", MBOOT_STATUS_ROMLDR_PENDING_JUMP, 0, 0, 0 },
		{ "p384-unencrypted-isk-p384", MBOOT_STATUS_ROMLDR_SECTION_LENGTH, 0, 0, 0 },
		{ "sparse-hex-load", 0, 0x2000, 0x30, 16 },
		{ "stream-272", 0, 0x1000, 0x30, 209 },
		{ "stream-exactly-256", 0, 0x1000, 0x30, 208 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char path[128];
		AUTO(buf_clear) struct buf sb = { 0 };
		AUTO(buf_clear) struct buf facts = { 0 };
		AUTO(buf_clear) struct buf plain = { 0 };
		struct sim_options o = sim_host_options(i);
		struct sim_host h;
		char rkth_text[97], key_text[97];
		uint8_t rkth[48], key[32], seen[0x2000];

		snprintf(path, sizeof path, SB31 "%s/expected.sb3", cases[i].name);
		sim_host_read_file(path, &sb);
		snprintf(path, sizeof path, SB31 "%s/case.json", cases[i].name);
		sim_host_read_file(path, &facts);
		wr_u8(&facts, 0);
		const char *rkth_hex = fact((char *)facts.p, "rkth", rkth_text);
		const char *key_hex = fact((char *)facts.p, "cust_mk_sk", key_text);
		assert_non_null(rkth_hex);
		assert_int_equal(hex_decode(rkth, strlen(rkth_hex) / 2, rkth_hex), 0);
		memcpy(key, kit_cust_mk_sk, 32);
		if (key_hex && strlen(key_hex) == 64)
			assert_int_equal(hex_decode(key, 32, key_hex), 0);

		/* Without the OEM's RKTH the file is nobody's. */
		sim_host_start(&h, &o, NULL);
		assert_int_equal(sim_host_sb(&h, sb.p, sb.len), MBOOT_STATUS_ROMLDR_SIGNATURE);
		sim_host_provision(&h, rkth, strlen(rkth_hex) / 2, key, 3, SIM_LC_IN_FIELD);
		uint32_t status = sim_host_sb(&h, sb.p, sb.len);
		if (status != cases[i].status)
			fail_msg(
				"%s: status %u, wanted %u", cases[i].name, status, cases[i].status);
		if (cases[i].load_len) {
			snprintf(path, sizeof path, SB31 "%s/plain_stream.bin", cases[i].name);
			sim_host_read_file(path, &plain);
			sim_memory_read(&h.d->mem, 0, cases[i].load, seen, cases[i].load_len);
			assert_memory_equal(seen, plain.p + cases[i].load_off, cases[i].load_len);
		}
		assert_int_equal(h.d->mode, status == MBOOT_STATUS_ROMLDR_PENDING_JUMP
						    ? SIM_MODE_APPLICATION
						    : SIM_MODE_ISP);
		sim_host_stop(&h);
	}
}

/* A provisioned device in the field, trusting the first n test roots. */
static void start_oem(struct sim_host *h, unsigned n_roots, const char *const faults[])
{
	struct sim_options o = sim_host_options(42);
	uint8_t rkth[32];

	kit_rkth(n_roots, rkth);
	sim_host_start(h, &o, faults);
	sim_host_provision(h, rkth, 32, kit_cust_mk_sk, 3, SIM_LC_IN_FIELD);
}

/* A file that erases 64 KiB and loads 20000 bytes of a pattern to flash. */
static void pattern_file(const struct kit *k, struct buf *out)
{
	struct sb31_items items = { 0 };
	uint8_t data[20000];

	for (size_t i = 0; i < sizeof data; i++)
		data[i] = (uint8_t)(i * 7 + (i >> 8));
	kit_erase(&items, 0, 0x10000);
	kit_load(&items, 0, data, sizeof data);
	kit_build(k, &items, out);
}

static void who_may_sign(void **state)
{
	(void)state;
	static const struct {
		const char *what;
		struct kit kit;
		unsigned roots; /* of the device */
		size_t page_off; /* CFPA word to change, 0: none */
		bool cmpa;
		uint32_t word, fuse1;
		uint32_t status;
	} cases[] = {
		{ "fits", { .n_roots = 4, .used_root = 2, .firmware_version = 1 }, 4, 0, 0, 0, 0,
			0 },
		{ "other roots", { .n_roots = 3, .firmware_version = 1 }, 4, 0, 0, 0, 0, 10101 },
		{ "root 2 revoked in CFPA", { .n_roots = 4, .used_root = 2, .firmware_version = 1 },
			4, 0x14, false, 2 << 4, 0, 10101 },
		{ "root 2 revoked, 3", { .n_roots = 4, .used_root = 2, .firmware_version = 1 }, 4,
			0x14, false, 3 << 4, 0, 10101 },
		{ "root 1 revoked, 2 used", { .n_roots = 4, .used_root = 2, .firmware_version = 1 },
			4, 0x14, false, 2 << 2, 0, 0 },
		{ "root 2 revoked by fuse", { .n_roots = 4, .used_root = 2, .firmware_version = 1 },
			4, 0, false, 0, 1u << 22, 10101 },
		{ "root 3 for images only", { .n_roots = 4, .used_root = 3, .firmware_version = 1 },
			4, 0x54, true, 5 << 9, 0, 10101 },
		{ "root 3 for updates", { .n_roots = 4, .used_root = 3, .firmware_version = 1 }, 4,
			0x54, true, 6 << 9, 0, 0 },
		{ "ISK", { .n_roots = 4, .isk = true, .firmware_version = 1 }, 4, 0, 0, 0, 0, 0 },
		{ "ISK revoked",
			{ .n_roots = 4, .isk = true, .isk_constraint = 1, .firmware_version = 1 },
			4, 0x18, false, 3, 0, 10101 },
		{ "ISK new enough",
			{ .n_roots = 4, .isk = true, .isk_constraint = 3, .firmware_version = 1 },
			4, 0x18, false, 3, 0, 0 },
		{ "firmware too old", { .n_roots = 4, .firmware_version = 4 }, 4, 0x08, false, 5, 0,
			10115 },
		{ "firmware as old", { .n_roots = 4, .firmware_version = 5 }, 4, 0x08, false, 5, 0,
			0 },
		{ "plain payloads", { .n_roots = 4, .plain = true, .firmware_version = 1 }, 4, 0, 0,
			0, 0, 10102 },
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		AUTO(buf_clear) struct buf sb = { 0 };
		struct sim_host h;
		start_oem(&h, cases[i].roots, NULL);
		struct sim_pfr *p = &h.d->mem.pfr;
		if (cases[i].page_off)
			put_le32((cases[i].cmpa ? p->cmpa.data : p->cfpa.data) + cases[i].page_off,
				cases[i].word);
		h.d->fuses.word[1] |= cases[i].fuse1;
		sim_device_reset(h.d);
		pattern_file(&cases[i].kit, &sb);
		uint32_t status = sim_host_sb(&h, sb.p, sb.len);
		if (status != cases[i].status)
			fail_msg(
				"%s: status %u, wanted %u", cases[i].what, status, cases[i].status);
		sim_host_stop(&h);
	}
}

static void keys_of_the_file(void **state)
{
	AUTO(buf_clear) struct buf sb = { 0 };
	struct sim_host h;

	(void)state;
	pattern_file(&(struct kit){ .n_roots = 4, .firmware_version = 1 }, &sb);
	start_oem(&h, 4, NULL);
	memset(h.d->mem.pfr.cmpa.data + SIM_CMPA_KEY_BLOB, 0, SIM_KEY_BLOB_LEN);
	assert_int_equal(sim_host_sb(&h, sb.p, sb.len), MBOOT_STATUS_ROMLDR_KEY_NOT_FOUND);
	/* The blob of another die does not open. */
	struct sim_roots other;
	sim_roots_derive(&other, "mcxn9xx", (const uint8_t *)"another device..");
	assert_int_equal(sim_blob_wrap(other.k_die, SIM_PROPS_DIE, kit_cust_mk_sk,
				 h.d->mem.pfr.cmpa.data + SIM_CMPA_KEY_BLOB, NULL),
		0);
	assert_int_equal(sim_host_sb(&h, sb.p, sb.len), MBOOT_STATUS_ROMLDR_KEY_NOT_FOUND);
	sim_host_stop(&h);
}

/* Block 0 by signature, data blocks by hash: every byte of a small file. */
static void any_change_of_an_oem_file_is_refused(void **state)
{
	struct sb31_items items = { 0 };
	AUTO(buf_clear) struct buf sb = { 0 };
	struct sim_host h;
	size_t block0;

	(void)state;
	kit_load(&items, 0x20002000, "0123456789abcdef", 16);
	kit_build(&(struct kit){ .n_roots = 2, .isk = true, .firmware_version = 1 }, &items, &sb);
	start_oem(&h, 2, NULL);
	assert_int_equal(receive(h.d, sb.p, sb.len, NULL), 0);
	block0 = get_le32(sb.p + 32);
	for (size_t i = 0; i < sb.len; i++) {
		sb.p[i] ^= 0x10;
		uint32_t status = receive(h.d, sb.p, sb.len, NULL);
		uint32_t want =
			i < block0 ? MBOOT_STATUS_ROMLDR_SIGNATURE : MBOOT_STATUS_ROMLDR_CHECKSUM;
		if (status != want)
			fail_msg("byte %zu of %zu changed: status %u, wanted %u", i, sb.len, status,
				want);
		sb.p[i] ^= 0x10;
	}
	/* Announced longer or shorter than the header says. */
	wr_zero(&sb, 292);
	assert_int_equal(receive(h.d, sb.p, sb.len, NULL), MBOOT_STATUS_ROMLDR_SECTION_LENGTH);
	for (size_t len = 0; len < sb.len - 292; len++) {
		uint32_t status = receive(h.d, sb.p, len, NULL);
		assert_int_equal(status, len < block0 ? MBOOT_STATUS_ROMLDR_DATA_UNDERRUN
						      : MBOOT_STATUS_ROMLDR_SECTION_LENGTH);
	}
	sim_host_stop(&h);
}

/* --- what the commands do --------------------------------------------------------------------- */

/* A plain stream given piece by piece, as from an OEM file. */
static uint32_t stream(
	struct sim_device *d, const struct buf *commands, uint32_t length, size_t step)
{
	struct sim_sb_stream s;
	AUTO(buf_clear) struct buf b = { 0 };
	uint32_t status = OK_STATUS;

	wr_le32(&b, 1);
	wr_le32(&b, 1);
	wr_le32(&b, length);
	wr_le32(&b, 0);
	wr_bytes(&b, commands->p, commands->len);
	wr_pad(&b, 256, 0);
	sim_sb_stream_init(&s, d, NULL, b.len);
	for (size_t i = 0; i < b.len && status == OK_STATUS; i += step)
		status = sim_sb_stream_push(&s, b.p + i, b.len - i < step ? b.len - i : step);
	if (status == OK_STATUS)
		status = sim_sb_stream_finish(&s);
	sim_sb_stream_clear(&s);
	return status;
}

static void cmd(struct buf *b, uint32_t tag, uint32_t w1, uint32_t w2)
{
	wr_le32(b, SB31_CMD_MAGIC);
	wr_le32(b, w1);
	wr_le32(b, w2);
	wr_le32(b, tag);
}

static void ext(struct buf *b, uint32_t a, uint32_t c, uint32_t d)
{
	wr_le32(b, a);
	wr_le32(b, c);
	wr_le32(b, d);
	wr_le32(b, 0);
}

static void commands_work_in_pieces_of_any_size(void **state)
{
	static const size_t steps[] = { 1, 3, 16, 17, 255, 256, 100000 };

	(void)state;
	for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
		AUTO(buf_clear) struct buf b = { 0 };
		struct sim_options o = sim_host_options(5);
		struct sim_host h;
		uint8_t seen[64];
		uint32_t fuse;

		cmd(&b, SB31_FILL_MEMORY, 0x20002000, 4);
		ext(&b, 0xC0000005, 0, 0);
		cmd(&b, SB31_CONFIGURE_MEMORY, 9, 0x20002000);
		cmd(&b, SB31_ERASE, 0x80000000, 0x1000);
		ext(&b, 9, 0, 0);
		cmd(&b, SB31_LOAD, 0x80000000, 17);
		ext(&b, 9, 0, 0);
		wr_bytes(&b, "abcdefghijklmnopq", 17);
		wr_pad(&b, 16, 0);
		cmd(&b, SB31_COPY, 0x80000000, 32);
		ext(&b, 0x20003000, 9, 0);
		cmd(&b, SB31_PROGRAM_FUSES, 43, 2);
		wr_le32(&b, 0x11111111);
		wr_le32(&b, 0x22222222);
		wr_pad(&b, 16, 0);
		cmd(&b, SB31_PROGRAM_IFR, 0x01008000, 5);
		wr_bytes(&b, "IFR-5", 5);
		wr_pad(&b, 16, 0);
		cmd(&b, SB31_LOAD_HASH_LOCKING, 0x20004000, 3);
		ext(&b, 0, 0, 0);
		wr_bytes(&b, "xyz", 3);
		wr_zero(&b, 13 + 64);
		cmd(&b, SB31_CHECK_FW_VERSION, 0, 2);
		sim_host_start(&h, &o, NULL);
		assert_int_equal(stream(h.d, &b, (uint32_t)b.len, steps[i]), 0);
		sim_memory_read(&h.d->mem, 0, 0x20003000, seen, 32);
		assert_memory_equal(seen, "abcdefghijklmnopq\xff\xff\xff", 20);
		assert_int_equal(sim_fuse_read(&h.d->fuses, 44, &fuse), 0);
		assert_int_equal(fuse, 0x22222222);
		sim_memory_read(&h.d->mem, 0, 0x01008000, seen, 16);
		assert_memory_equal(seen, "IFR-5\xff\xff\xff", 8);
		sim_memory_read(&h.d->mem, 0, 0x20004000, seen, 4);
		assert_memory_equal(seen, "xyz\0", 4);
		sim_host_stop(&h);
	}
}

static void broken_streams(void **state)
{
	(void)state;
	static const struct {
		const char *what;
		uint32_t tag, w1, w2, ext0;
		uint32_t status;
	} cases[] = {
		{ "unknown command", 0x33, 0, 0, 0, 10107 },
		{ "call is not for this part", 0x04, 0, 0, 0, 10107 },
		{ "reset is not for this part", 0x0E, 0, 0, 0, 10107 },
		{ "load beyond the section", SB31_LOAD, 0x20002000, 0x1000, 0, 10100 },
		{ "erase not on a sector", SB31_ERASE, 0x100, 0x2000, 0, 101 },
		{ "erase outside flash", SB31_ERASE, 0x00200000, 0x2000, 0, 102 },
		{ "erase of the CMPA", SB31_ERASE, 0x01004000, 0x200, 0, 140 },
		{ "erase of FlexSPI before it is there", SB31_ERASE, 0x80000000, 0x1000, 9, 10205 },
		{ "load to a hole", SB31_LOAD, 0x30000000, 16, 0, 10200 },
		{ "load to RAMX", SB31_LOAD, 0x04000000, 16, 0, 10200 },
		{ "load of half a CMPA", SB31_LOAD, 0x01004000, 16, 0, 138 },
		{ "load of half a CFPA", SB31_PROGRAM_IFR, 0x01000000, 16, 0, 138 },
		{ "load to an odd flash address", SB31_LOAD, 0x8, 16, 0, 101 },
		{ "unknown fuse", SB31_PROGRAM_FUSES, 9, 1, 0, 52801 },
		{ "key blob without a share", SB31_LOAD_KEY_BLOB, 19u << 16, 16, 0, 10112 },
		{ "memory that cannot be configured", SB31_CONFIGURE_MEMORY, 1, 0x20002000, 0, 4 },
		{ "no option word", SB31_CONFIGURE_MEMORY, 9, 0x20002000, 0, 20109 },
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		AUTO(buf_clear) struct buf b = { 0 };
		struct sim_options o = sim_host_options(5);
		struct sim_host h;
		cmd(&b, cases[i].tag, cases[i].w1, cases[i].w2);
		ext(&b, cases[i].ext0, 0, 0);
		wr_zero(&b, 64);
		sim_host_start(&h, &o, NULL);
		uint32_t status = stream(h.d, &b, (uint32_t)b.len, 256);
		if (status != cases[i].status)
			fail_msg(
				"%s: status %u, wanted %u", cases[i].what, status, cases[i].status);
		sim_host_stop(&h);
	}

	/* Section header: length beyond the file, not of whole commands; magic of a command. */
	AUTO(buf_clear) struct buf b = { 0 };
	struct sim_options o = sim_host_options(5);
	struct sim_host h;
	sim_host_start(&h, &o, NULL);
	cmd(&b, SB31_CHECK_FW_VERSION, 0, 0);
	assert_int_equal(stream(h.d, &b, 16, 256), 0);
	assert_int_equal(stream(h.d, &b, 0, 256), 0);
	assert_int_equal(stream(h.d, &b, 256, 256), MBOOT_STATUS_ROMLDR_SECTION_LENGTH);
	assert_int_equal(stream(h.d, &b, 0xFFFFFFF0, 256), MBOOT_STATUS_ROMLDR_SECTION_LENGTH);
	assert_int_equal(stream(h.d, &b, 8, 256), MBOOT_STATUS_ROMLDR_SECTION_LENGTH);
	assert_int_equal(stream(h.d, &b, 32, 256), MBOOT_STATUS_ROMLDR_UNKNOWN_COMMAND);
	b.p[0] ^= 1;
	assert_int_equal(stream(h.d, &b, 16, 256), MBOOT_STATUS_ROMLDR_UNKNOWN_COMMAND);
	sim_host_stop(&h);
}

/* --- interruptions ---------------------------------------------------------------------------- */

static void power_loss_leaves_flash_half_written(void **state)
{
	static const char *const faults[] = { "0:power-loss=50@sb=30/1", NULL };
	AUTO(buf_clear) struct buf sb = { 0 };
	struct sim_host h;
	uint8_t seen[20000], want[20000];
	struct err e = { 0 };

	(void)state;
	pattern_file(&(struct kit){ .n_roots = 4, .firmware_version = 1 }, &sb);
	start_oem(&h, 4, faults);
	assert_int_equal(mboot_receive_sb_file(h.m, sb.p, sb.len, &e), -1);
	assert_int_equal(e.code, ERR_TIMEOUT);
	assert_int_equal(h.d->power_losses, 1);
	assert_int_equal(mboot_ping(h.m, NULL, &e), 0);
	/* 29 blocks of stream were taken: section header, two commands, then data. */
	const size_t taken = 29 * 256 - 16 - 32 - 32;
	for (size_t i = 0; i < sizeof want; i++)
		want[i] = i < taken / 16 * 16 ? (uint8_t)(i * 7 + (i >> 8)) : 0xFF;
	sim_memory_read(&h.d->mem, 0, 0, seen, sizeof seen);
	assert_memory_equal(seen, want, sizeof seen);
	assert_int_equal(h.d->sb_records[0].status, MBOOT_STATUS_ABORT_DATA_PHASE);
	assert_int_equal(h.d->sb_records[0].blocks, 29);
	/* It erases first, so it can be repeated. */
	assert_int_equal(sim_host_sb(&h, sb.p, sb.len), 0);
	sim_host_stop(&h);
}

static void loads_onto_written_flash_are_refused(void **state)
{
	struct sb31_items items = { 0 };
	AUTO(buf_clear) struct buf sb = { 0 };
	struct sim_host h;

	(void)state;
	kit_load(&items, 0x40, "0123456789abcdef", 16);
	kit_build(&(struct kit){ .n_roots = 1, .firmware_version = 1 }, &items, &sb);
	start_oem(&h, 1, NULL);
	assert_int_equal(sim_host_sb(&h, sb.p, sb.len), 0);
	assert_int_equal(sim_host_sb(&h, sb.p, sb.len), MBOOT_STATUS_MEMORY_CUMULATIVE_WRITE);
	sim_host_stop(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(provisioning_files_work_on_any_device),
		cmocka_unit_test(provisioning_files_are_bound_to_the_family),
		cmocka_unit_test(any_change_of_a_provisioning_file_is_refused),
		cmocka_unit_test(provisioning_does_what_it_says),
		cmocka_unit_test(made_on_one_device_accepted_by_another),
		cmocka_unit_test(provisioning_survives_a_power_loss_anywhere),
		cmocka_unit_test(vectors_on_a_provisioned_device),
		cmocka_unit_test(who_may_sign),
		cmocka_unit_test(keys_of_the_file),
		cmocka_unit_test(any_change_of_an_oem_file_is_refused),
		cmocka_unit_test(commands_work_in_pieces_of_any_size),
		cmocka_unit_test(broken_streams),
		cmocka_unit_test(power_loss_leaves_flash_half_written),
		cmocka_unit_test(loads_onto_written_flash_are_refused),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests_name("sim_sb", tests, NULL, NULL);
}

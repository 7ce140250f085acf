/* The simulator keeps its own few facts about the parts; they must be those of the family data. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "family/family.h"
#include "tests/sim/chip.h"
#include "tests/sim/device.h"
#include "tests/sim/fuses.h"
#include "tests/sim/status.h"

static void memory_of_all_parts(void **state)
{
	static const char *const names[] = { "mcxn947", "mcxn946", "mcxn547", "mcxn546", "mcxn94x",
		"mcxn9xx", "mcxn54x" };

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		const struct sim_chip *c = sim_chip_find(names[i]);
		const struct family *f = family_find(names[i]);
		assert_non_null(c);
		assert_non_null(f);
		const struct family_memory *flash = family_memory_named(f, "flash");
		const struct family_memory *ram = family_memory_named(f, "sram");
		const struct family_memory *ramx = family_memory_named(f, "sramx");
		const struct family_memory *ifr = family_memory_named(f, "ifr_bank1");
		const struct family_memory *ext = family_memory_named(f, "flexspi");
		assert_int_equal(c->flash_size, flash->size);
		assert_int_equal(c->ram_size, ram->size);
		assert_int_equal(SIM_FLASH_BASE, flash->address);
		assert_int_equal(SIM_FLASH_BASE + SIM_SECURE_ALIAS, flash->secure_address);
		assert_int_equal(SIM_RAM_BASE, ram->address);
		assert_int_equal(SIM_RAMX_BASE, ramx->address);
		assert_int_equal(SIM_RAMX_SIZE, ramx->size);
		assert_int_equal(SIM_IFR_BASE, ifr->address);
		assert_int_equal(SIM_IFR_SIZE, ifr->size);
		assert_int_equal(SIM_IFR_BASE + SIM_SECURE_ALIAS, ifr->secure_address);
		assert_int_equal(SIM_FLEXSPI_BASE, ext->address);
		assert_int_equal(SIM_FLEXSPI_SIZE, ext->size);
		assert_int_equal(SIM_FLEXSPI_BASE + SIM_SECURE_ALIAS, ext->secure_address);
	}
	assert_null(sim_chip_find("lpc55s36"));
}

static void fuses_as_described(void **state)
{
	const struct family *f = family_find("mcxn947");

	(void)state;
	for (uint32_t i = 0; i < 256; i++) {
		const struct family_register *r = family_fuse(f, i);
		struct sim_fuses a = { 0 };
		uint32_t v;
		if (!r) {
			assert_int_equal(
				sim_fuse_program(&a, i, 1), MBOOT_STATUS_OTP_INVALID_ADDRESS);
			assert_int_equal(
				sim_fuse_read(&a, i, &v), MBOOT_STATUS_OTP_INVALID_ADDRESS);
			continue;
		}
		assert_int_equal(sim_fuse_program(&a, i, 1), 0);
		assert_int_equal(
			sim_fuse_program(&a, i, 2), r->ecc ? MBOOT_STATUS_OTP_PROGRAM_FAIL : 0);
		if (!r->lock_uid)
			continue;
		assert_string_equal(r->lock_uid, "fuse0");
		memset(&a, 0, sizeof a);
		a.word[0] = r->lock_write_mask;
		assert_int_equal(sim_fuse_program(&a, i, 1), MBOOT_STATUS_OTP_LOCKED);
		assert_int_equal(sim_fuse_read(&a, i, &v), 0);
		a.word[0] = r->lock_read_mask;
		assert_int_equal(sim_fuse_read(&a, i, &v), MBOOT_STATUS_OTP_LOCKED);
		a.word[0] = ~(r->lock_write_mask | r->lock_read_mask);
		assert_int_equal(sim_fuse_program(&a, i, 1), 0);
		assert_int_equal(sim_fuse_read(&a, i, &v), 0);
	}
}

/* Offset of a CMPA or CFPA register by its name. */
static uint32_t offset_of(const struct family *f, unsigned page, const char *name)
{
	const struct family_page *p = &f->tables->pages[page];
	const struct family_register *r = p->rev[FAMILY_REV_A1].registers;

	for (size_t i = 0; i < FAMILY_PAGE_WORDS; i++)
		if (r[i].name && strcmp(r[i].name, name) == 0)
			return r[i].offset;
	fail_msg("no register %s", name);
	return 0;
}

static void words_of_the_pages(void **state)
{
	const struct family *f = family_find("mcxn947");
	struct sim_pfr p;

	(void)state;
	sim_pfr_init(&p);
	put_le32(p.cmpa.data + offset_of(f, FAMILY_CMPA, "SECURE_BOOT_CFG"), 0xFFFFFFFE);
	assert_int_equal(sim_cmpa_secure_boot(&p.cmpa), 2);
	put_le32(p.cmpa.data + offset_of(f, FAMILY_CMPA, "RoTK_USAGE"), 5u << 6);
	assert_int_equal(sim_cmpa_key_usage(&p.cmpa, 2), 5);
	put_le32(p.cfpa.data + offset_of(f, FAMILY_CFPA, "CFPA_PAGE_VERSION"), 3u << 27);
	assert_int_equal(sim_cfpa_update(&p.cfpa), SIM_CMPA_UPD_TO_SECURE);
	put_le32(p.cfpa.data + offset_of(f, FAMILY_CFPA, "Secure_FW_Version"), 0x12345);
	assert_int_equal(sim_cfpa_secure_version(&p.cfpa), 0x2345);
	put_le32(p.cfpa.data + offset_of(f, FAMILY_CFPA, "NS_FW_Version"), 7);
	assert_int_equal(sim_cfpa_ns_version(&p.cfpa), 7);
	put_le32(p.cfpa.data + offset_of(f, FAMILY_CFPA, "SECBOOT_FLAGS"), 2u << 6);
	assert_true(sim_cfpa_key_revoked(&p.cfpa, 3));
	assert_false(sim_cfpa_key_revoked(&p.cfpa, 2));
	put_le32(p.cfpa.data + offset_of(f, FAMILY_CFPA, "IMAGE_KEY_REVOKE"), 0xFF000007);
	assert_int_equal(sim_cfpa_image_key_revoke(&p.cfpa), 7);
	assert_int_equal(offset_of(f, FAMILY_CMPA, "ROTKH0"), SIM_CMPA_ROTKH);
	assert_int_equal(offset_of(f, FAMILY_CMPA, "CUST_MK_SK_KEY_BLOB0"), SIM_CMPA_KEY_BLOB);
	assert_int_equal(f->tables->pages[FAMILY_CMPA].address, SIM_CMPA_ADDRESS);
	assert_int_equal(f->tables->pages[FAMILY_CFPA].address, SIM_CFPA_ADDRESS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_of_all_parts),
		cmocka_unit_test(fuses_as_described),
		cmocka_unit_test(words_of_the_pages),
	};

	return cmocka_run_group_tests_name("sim_chip", tests, NULL, NULL);
}

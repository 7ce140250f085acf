/* The embedded chip tables: complete, consistent, and looked up by every name. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "family/family.h"

static void test_names(void **state)
{
	(void)state;
	assert_string_equal(family_names_list(), "mcxn947, mcxn946, mcxn547, mcxn546");
	assert_string_equal(family_find("MCXN94x")->name, "mcxn947");
	assert_string_equal(family_find("mcxn9xx")->name, "mcxn946");
	assert_string_equal(family_find("mcxn54x")->name, "mcxn547");
	assert_null(family_find("mcxn236"));
	assert_null(family_at(4));

	enum family_revision rev;
	assert_int_equal(family_revision_parse(family_at(0), "latest", &rev), 0);
	assert_int_equal(rev, FAMILY_REV_A1);
	assert_int_equal(family_revision_parse(family_at(0), "a2", &rev), -1);
}

/* Every word once, in order; fields cover 32 bits without holes; reset markers right. */
static void test_tables_are_complete(void **state)
{
	(void)state;
	const struct family_tables *t = family_at(0)->tables;

	for (int p = 0; p < FAMILY_N_PAGES; p++) {
		const struct family_page *page = &t->pages[p];
		for (int rev = 0; rev < FAMILY_N_REVS; rev++) {
			const struct family_register *regs = page->rev[rev].registers;
			assert_non_null(regs);
			assert_int_equal(regs[0].reset >> 16, page->marker);
			for (unsigned i = 0; i < FAMILY_PAGE_WORDS; i++) {
				assert_int_equal(regs[i].offset, 4 * i);
				assert_non_null(regs[i].name);
				unsigned at = 0;
				for (size_t k = 0; k < regs[i].n_fields; k++) {
					assert_int_equal(regs[i].fields[k].lsb, at);
					at += regs[i].fields[k].width;
				}
				assert_true(at == 0 || at == 32);
			}
		}
	}
	assert_int_equal(t->n_fuses, 75);
	assert_int_equal(t->fuses[0].offset, 0);
	assert_string_equal(family_fuse(family_at(0), 11)->name, "ROTKH0");
	assert_null(family_fuse(family_at(0), 8));
	assert_int_equal(t->lifecycle.n, 8);
	assert_string_equal(family_enum_name(&t->lifecycle, 0x0F), "IN_FIELD");
	assert_int_equal(t->pages[FAMILY_CMPA].address, 0x01004000);
	assert_int_equal(t->pages[FAMILY_CFPA].address, 0x01000000);
	assert_int_equal(t->comm_buffer_address, 0x20007000);
	assert_int_equal(t->socc[FAMILY_REV_A1], 7);
}

static void test_memory(void **state)
{
	(void)state;
	const struct family *f = family_find("mcxn947");

	assert_string_equal(family_memory_at(f, 0, 0x200000)->name, "flash");
	assert_null(family_memory_at(f, 0, 0x200001));
	assert_string_equal(family_memory_at(f, 0x10000000, 4)->name, "flash");
	assert_string_equal(family_memory_at(f, 0x90001000, 4)->name, "flexspi");
	assert_null(family_memory_at(f, 0x30000000, 4));
	assert_true(family_same_place(f, 0x1000, 0x10001000));
	assert_false(family_same_place(f, 0x1000, 0x10001004));
	assert_true(family_same_place(f, 0x80001000, 0x90001000));
	assert_true(family_hits_pages(f, 0x01003FFF, 2));
	assert_false(family_hits_pages(f, 0x01003FFF, 1));
	assert_true(family_hits_pages(f, 0x110001FF, 1));
	assert_int_equal(family_memory_named(family_find("mcxn946"), "flash")->size, 0x100000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_tables_are_complete),
		cmocka_unit_test(test_memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

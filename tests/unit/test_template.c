/* Templates: every kind for every part and revision is a valid configuration; the commented-out
 * parts are valid too. That all of them together make a package is tests/e2e/21-templates.sh. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/fsio.h"
#include "mfgpkg/build/pfr_build.h"
#include "mfgpkg/build/trustzone.h"
#include "mfgpkg/config.h"
#include "mfgpkg/template/template.h"

static void collect(void *ctx, const char *text)
{
	wr_str(ctx, text);
	wr_str(ctx, "\n");
}

static void write_kind(const struct template_kind *k, const struct family *f,
	enum family_revision rev, struct buf *out)
{
	struct err e = { 0 };
	if (template_write(k, f, rev, out, &e) != 0)
		fail_msg("%s", e.msg);
}

static struct config *load(const char *name, const struct buf *text)
{
	struct config *c = NULL;
	struct err e = { 0 };
	if (config_load_bytes(&c, name, text->p, text->len, &e) != 0)
		fail_msg("%s", e.msg);
	return c;
}

static void test_every_kind_loads(void **state)
{
	(void)state;
	const struct template_kind *k;
	size_t n = 0;

	for (size_t i = 0; (k = template_at(i)) != NULL; i++, n++) {
		assert_ptr_equal(template_find(k->name), k);
		for (size_t j = 0; family_at(j); j++)
			for (int rev = 0; rev < FAMILY_N_REVS; rev++) {
				AUTO(buf_clear) struct buf text = { 0 };
				write_kind(k, family_at(j), (enum family_revision)rev, &text);
				assert_null(memchr(text.p, '@', text.len));
				assert_null(strchr(buf_text(&text), '\t'));
				AUTO(config_freep) struct config *c = load(k->file, &text);
				if (strcmp(k->name, "order") == 0)
					continue; /* says it by its package */
				assert_string_equal(
					config_text(config_get(config_root(c), "family")),
					family_at(j)->name);
			}
	}
	assert_int_equal(n, 10);
	assert_null(template_find("nonsense"));
}

/* The head of a template, then its commented-out part without the "#": the whole table. */
static void uncomment(const struct buf *text, const char *section, struct buf *out)
{
	char *copy = strndup((const char *)text->p, text->len), *save;
	bool head = true;

	for (char *line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (head)
			wr_printf(out, "%s\n", line);
		else if (strncmp(line, "#  ", 3) == 0)
			wr_printf(out, "%s\n", line + 1);
		if (strcmp(line, section) == 0)
			head = false;
	}
	free(copy);
}

static void check_page(const struct family *f, enum family_revision rev, enum family_page_id id)
{
	const char *name = id == FAMILY_CMPA ? "cmpa" : "cfpa";
	AUTO(buf_clear) struct buf text = { 0 };
	AUTO(buf_clear) struct buf whole = { 0 };
	AUTO(buf_clear) struct buf warnings = { 0 };
	struct pfr_build b = { .warn = collect, .warn_ctx = &warnings };
	struct pfr_page page;
	struct err e = { 0 };

	write_kind(template_find(name), f, rev, &text);
	AUTO(config_freep) struct config *as_is = load("t", &text);
	if (pfr_build(as_is, &b, &page, &e) != 0)
		fail_msg("%s: %s", name, e.msg);
	assert_int_equal(page.id, id);
	assert_int_equal(page.revision, rev);
	/* The CMPA template leaves ROTKH to the command line, and lint says that it is missing. */
	if (id == FAMILY_CMPA && rev == FAMILY_REV_A1)
		assert_string_equal(buf_text(&warnings),
			"t: SEC_BOOT_EN asks for signed images but ROTKH is empty: no image can "
			"boot\n");
	else
		assert_int_equal(warnings.len, 0);

	uncomment(&text, "settings:", &whole);
	AUTO(config_freep) struct config *all = load("t", &whole);
	if (pfr_build(all, &b, &page, &e) != 0)
		fail_msg("%s: %s", name, e.msg);
	if (rev != FAMILY_REV_A1)
		return;
	AUTO(buf_clear) struct buf want = { 0 };
	char path[100];
	snprintf(path, sizeof path, "tests/vectors/pfr/%s_all_registers.bin", name);
	assert_int_equal(fsio_read(path, 512, &want, &e), 0);
	assert_memory_equal(page.data, want.p, 512);
}

static void test_pages(void **state)
{
	(void)state;
	for (size_t i = 0; family_at(i); i++)
		for (int rev = 0; rev < FAMILY_N_REVS; rev++)
			for (int id = 0; id < FAMILY_N_PAGES; id++)
				check_page(family_at(i), (enum family_revision)rev,
					(enum family_page_id)id);
}

static void test_fuses(void **state)
{
	(void)state;
	AUTO(buf_clear) struct buf text = { 0 };
	AUTO(buf_clear) struct buf whole = { 0 };
	AUTO(buf_clear) struct buf script = { 0 };
	AUTO(buf_clear) struct buf all_script = { 0 };
	AUTO(buf_clear) struct buf warnings = { 0 };
	struct err e = { 0 };

	write_kind(template_find("fuses"), family_at(0), FAMILY_REV_A1, &text);
	AUTO(config_freep) struct config *as_is = load("t", &text);
	assert_int_equal(fuses_build(as_is, &script, collect, &warnings, &e), 0);
	assert_string_equal(buf_text(&script),
		"# Fuses of mcxn947, revision a1. Fuses are burnt for ever.\n# LIFE_CYCLE\n"
		"efuse-program-once 1 0x3000003 --no-verify\n");
	assert_int_equal(warnings.len, 0);

	uncomment(&text, "registers:", &whole);
	AUTO(config_freep) struct config *all = load("t", &whole);
	if (fuses_build(all, &all_script, collect, &warnings, &e) != 0)
		fail_msg("%s", e.msg);
	unsigned n = 0;
	for (const char *p = buf_text(&all_script); (p = strstr(p, "efuse-program-once")); p++)
		n++;
	assert_int_equal(n, family_at(0)->tables->n_fuses);
}

static void test_trustzone_template(void **state)
{
	(void)state;
	char path[] = "/tmp/mfgpkg-template-XXXXXX", text_of_path[64];
	struct err e = { 0 };
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	fd_closep(&fd);
	for (int rev = 0; rev < FAMILY_N_REVS; rev++) {
		AUTO(buf_clear) struct buf text = { 0 };
		AUTO(buf_clear) struct buf whole = { 0 };
		AUTO(config_freep) struct config *c = NULL;
		write_kind(
			template_find("trustzone"), family_at(0), (enum family_revision)rev, &text);
		uncomment(&text, "trustZonePreset:", &whole);
		const struct buf *forms[] = { &text, &whole };
		snprintf(text_of_path, sizeof text_of_path, "tz: %s", path);
		assert_int_equal(
			config_load_bytes(&c, "t", text_of_path, strlen(text_of_path), &e), 0);
		for (int i = 0; i < 2; i++) {
			AUTO(buf_clear) struct buf warnings = { 0 };
			AUTO(buf_clear) struct buf block = { 0 };
			assert_int_equal(fsio_write(path, forms[i]->p, forms[i]->len, 0600, &e), 0);
			if (trustzone_load(config_get(config_root(c), "tz"),
				    (enum family_revision)rev, collect, &warnings, &block, &e) != 0)
				fail_msg("%s", e.msg);
			assert_int_equal(warnings.len, 0);
			/* As it stands one register is set; the whole table is the reset. */
			size_t n;
			trustzone_registers((enum family_revision)rev, &n);
			assert_int_equal(block.len, i == 0 ? 4 * n : 0);
		}
	}
	remove(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_kind_loads),
		cmocka_unit_test(test_pages),
		cmocka_unit_test(test_fuses),
		cmocka_unit_test(test_trustzone_template),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

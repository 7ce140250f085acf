/* CMPA/CFPA: 512 bytes are taken as a page and must survive parse and export; anything else is the
 * text of a page or fuse configuration. */
#include <stdlib.h>
#include <string.h>

#include "image/pfr.h"
#include "mfgpkg/build/pfr_build.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void drop(void *ctx, bool dangerous, const char *text)
{
	(void)dangerous;
	*(size_t *)ctx += strlen(text);
}

static void round_trip(const struct family *f, enum family_revision rev, enum family_page_id id,
	const uint8_t *data, bool diff)
{
	AUTO(buf_clear) struct buf yaml = { 0 };
	AUTO(config_freep) struct config *c = NULL;
	struct pfr_build b = { 0 };
	struct pfr_page page;
	struct err e = { 0 };
	size_t total = 0;
	json_t *doc = pfr_json(f, rev, id, data, diff);

	if (pfr_yaml(doc, &yaml, &e) != 0 ||
		config_load_bytes(&c, "page", yaml.p, yaml.len, &e) != 0 ||
		pfr_build(c, &b, &page, &e) != 0 || page.id != id ||
		memcmp(page.data, data, PFR_PAGE_SIZE) != 0)
		abort();
	json_decref(doc);
	pfr_lint(f, rev, id == FAMILY_CMPA ? data : NULL, id == FAMILY_CFPA ? data : NULL, drop,
		&total);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const struct family *f = family_at(0);
	struct err e = { 0 };

	for (int id = 0; id < FAMILY_N_PAGES; id++) {
		if (pfr_check(&f->tables->pages[id], data, len < 4 ? 0 : len, &e) != 0)
			continue;
		for (int rev = 0; rev < FAMILY_N_REVS; rev++)
			for (int diff = 0; diff < 2; diff++)
				round_trip(f, (enum family_revision)rev, (enum family_page_id)id,
					data, diff);
		return 0;
	}
	AUTO(config_freep) struct config *c = NULL;
	AUTO(buf_clear) struct buf script = { 0 };
	struct pfr_build b = { .warn = config_warn_none };
	struct pfr_page page;
	if (config_load_bytes(&c, "c", data, len, &e) != 0)
		return 0;
	if (pfr_build(c, &b, &page, &e) != 0 && e.code != ERR_CONFIG)
		abort();
	if (fuses_build(c, &script, config_warn_none, NULL, &e) != 0 && e.code != ERR_CONFIG)
		abort();
	return 0;
}

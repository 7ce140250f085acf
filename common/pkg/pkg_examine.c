#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "crypt/digest.h"
#include "image/sb31.h"
#include "pkg/pkg_internal.h"
#include "pkg/words.h"

static json_t *hex_json(const uint8_t *data, size_t len)
{
	char hex[2 * 48 + 1];

	return json_string(hex_encode(hex, data, len));
}

static json_t *signers_json(const struct signers *s)
{
	json_t *list = json_array();

	for (size_t i = 0; i < s->n; i++)
		json_array_append_new(
			list, json_pack("{ss sb sb ss}", "id", s->list[i].id, "trusted",
				      s->list[i].trusted, "counts", s->list[i].counts, "comment",
				      s->list[i].comment));
	return list;
}

static json_t *entries_json(const struct pkg *p)
{
	json_t *list = json_array();

	for (size_t i = 0; i < p->c.n; i++) {
		const struct container_entry *x = &p->c.entries[i];
		const struct manifest_file *f =
			p->facts.have_manifest ? manifest_file(&p->m, x->name) : NULL;
		uint8_t digest[32];
		sha256_of(x->data, x->len, digest);
		json_array_append_new(
			list, json_pack("{ss sI so ss?}", "path", x->name, "size",
				      (json_int_t)x->len, "sha256", hex_json(digest, sizeof digest),
				      "role", f ? manifest_role_name(f->role) : NULL));
	}
	return list;
}

/* SB3.1 files are recognised by what they are, not by what the manifest calls them. */
static json_t *sb_json(const struct pkg *p)
{
	json_t *list = json_array();

	for (size_t i = 0; i < p->c.n; i++) {
		const struct container_entry *x = &p->c.entries[i];
		struct sb31 sb;
		if (x->len < SB31_HEADER || memcmp(x->data, "sbv3", 4) != 0 ||
			sb31_parse(&sb, x->data, x->len, NULL) != 0)
			continue;
		json_t *j = json_pack("{ss}", "path", x->name);
		json_t *facts = sb31_json(&sb);
		json_object_update(j, facts);
		json_decref(facts);
		json_array_append_new(list, j);
	}
	return list;
}

/* Runs all checks whose needs are met; what fails goes into the list. */
static json_t *run_checks(
	struct pkg *p, const struct trust *t, const struct pkg_expect *x, unsigned *have)
{
	static const struct trust nobody = { .threshold = 1 };
	json_t *problems = json_array();

	*have = 0;
	for (const struct pkg_check *c = pkg_checks; c->name; c++) {
		struct err e = { 0 };
		if ((c->needs & *have) != c->needs)
			continue;
		if (c->run(p, t ? t : &nobody, x, &e) == 0)
			*have |= c->gives;
		else
			json_array_append_new(
				problems, json_pack("{ss ss}", "check", c->name, "message", e.msg));
	}
	return problems;
}

static int report_of(json_t **report, struct pkg *p, const struct trust *t,
	const struct pkg_expect *x, struct err *e)
{
	char words[WORDS_CAP];
	unsigned have;
	json_t *problems = run_checks(p, t, x, &have);
	const char *verdict = json_array_size(problems) ? "refused" : "accepted";
	json_t *manifest = have & PKG_HAS_MANIFEST ? manifest_to_json(&p->m) : json_null();
	json_t *script = have & PKG_HAS_SCRIPT ? script_to_json(&p->script) : json_null();

	*report = json_pack("{ss sI so so ss so sI sb so so so so so ss}", "file", p->facts.file,
		"size", (json_int_t)p->len, "container", hex_json(p->facts.container, 32),
		"package", hex_json(p->facts.digest, 32), "words", words_of(words, p->facts.digest),
		"signers", signers_json(&p->facts.signers), "approvals",
		(json_int_t)p->facts.signers.approvals, "provenance",
		container_find(&p->c, PKG_PROVENANCE) != NULL, "manifest", manifest, "entries",
		entries_json(p), "sb31", sb_json(p), "script", script, "problems", problems,
		"verdict", verdict);
	return *report ? 0 : err_set(e, ERR_ENV, "%s: out of memory", p->name);
}

int pkg_examine(json_t **report, const char *path, const struct trust *t,
	const struct pkg_expect *x, struct err *e)
{
	struct pkg_facts facts;
	AUTO(pkg_freep) struct pkg *p = NULL;

	memset(&facts, 0, sizeof facts);
	return pkg_load_file(&p, path, &facts, e) != 0 ? -1 : report_of(report, p, t, x, e);
}

int pkg_examine_bytes(json_t **report, const char *name, const void *data, size_t len,
	const struct trust *t, const struct pkg_expect *x, struct err *e)
{
	struct pkg_facts facts;
	AUTO(pkg_freep) struct pkg *p = NULL;

	memset(&facts, 0, sizeof facts);
	return pkg_load_bytes(&p, name, data, len, &facts, e) != 0 ? -1
								   : report_of(report, p, t, x, e);
}

/* mfgpkg audit verify - examine one or more logs; says what is proven, and what is not. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/exit_status.h"
#include "base/json.h"
#include "base/text.h"
#include "evidence/log.h"
#include "mfgpkg/audit/cross.h"
#include "mfgpkg/audit/expect.h"
#include "mfgpkg/commands.h"

static const struct cli_option verify_options[] = {
	AUDIT_EXPECT_OPTIONS,
	{ "allow-open", 0, CLI_FLAG, NULL, "exit 0 also for a sound log that is not closed yet",
		false },
	{ 0 },
};

/* The newest checkpoints of the other logs given: two copies of one log must not contradict each
 * other. Checkpoints of other origins are left out. */
struct others {
	struct buf *notes; /* one per log */
	struct audit_known *known;
	size_t n;
};

static void others_clear(struct others *o)
{
	for (size_t i = 0; i < o->n; i++)
		buf_clear(&o->notes[i]);
	free(o->notes);
	free(o->known);
}

static int others_read(struct others *o, const struct cli_list *logs, struct err *e)
{
	o->notes = calloc(logs->n, sizeof *o->notes);
	if (!o->notes)
		return err_set(e, ERR_ENV, "out of memory");
	o->n = logs->n;
	for (size_t i = 0; logs->n > 1 && i < logs->n; i++) {
		struct err ignored; /* verification will say what is wrong with this one */
		if (log_checkpoint(logs->v[i], &o->notes[i], &ignored) != 0)
			buf_clear(&o->notes[i]);
	}
	return 0;
}

static bool same_first_line(const struct buf *a, const struct buf *b)
{
	const uint8_t *lf = a->len ? memchr(a->p, '\n', a->len) : NULL;
	size_t n = lf ? (size_t)(lf - a->p) + 1 : 0;

	return n && b->len >= n && memcmp(a->p, b->p, n) == 0;
}

/* What the auditor brought, and the other copies of log i. */
static int known_for(struct others *o, const struct cli_list *logs, size_t i,
	struct audit_expect *x, struct err *e)
{
	size_t n = 0;

	free(o->known);
	o->known = calloc(x->n_known + o->n, sizeof *o->known);
	if (!o->known)
		return err_set(e, ERR_ENV, "out of memory");
	for (size_t k = 0; k < x->n_known; k++)
		o->known[n++] = x->known[k];
	for (size_t k = 0; k < o->n; k++)
		if (k != i && same_first_line(&o->notes[i], &o->notes[k]))
			o->known[n++] = (struct audit_known){ logs->v[k],
				(const char *)o->notes[k].p, o->notes[k].len };
	x->known = o->known;
	x->n_known = n;
	return 0;
}

static bool is_good(const struct cli *c, const struct audit_result *r)
{
	return r->verdict == AUDIT_PASS ||
	       (r->verdict == AUDIT_INCOMPLETE && cli_flag(c, "allow-open"));
}

/* Verdict, file, then the rest of the summary. */
static int print_text(const char *path, const struct audit_result *r, struct err *e)
{
	AUTO(buf_clear) struct buf b = { 0 };

	audit_summary(r, &b);
	if (buf_check(&b, "summary", e) != 0)
		return -1;
	const char *text = buf_text(&b), *verdict = audit_verdict_name(r->verdict);
	if (!text)
		return err_set(e, ERR_ENV, "out of memory");
	printf("%s  %s\n       %s", verdict, path, text + strlen(verdict) + 2);
	return 0;
}

static int verify_all(const struct cli *c, const struct oem_audit_expect *x, struct others *o,
	struct oem_cross *cross, struct audit_result *r, json_t *list, struct err *e)
{
	bool all_good = true;

	for (size_t i = 0; i < x->logs.n; i++) {
		struct audit_expect one = x->x;
		one.observe = oem_cross_leaf;
		one.observe_ctx = cross;
		oem_cross_log(cross, x->logs.v[i]);
		if (known_for(o, &x->logs, i, &one, e) != 0 ||
			audit_verify(x->logs.v[i], &one, r, e) != 0 ||
			oem_cross_settle(cross, r, e) != 0)
			return -1;
		all_good &= is_good(c, r);
		if (c->json) {
			json_t *j = audit_result_json(r);
			json_object_set_new(j, "file", json_string(x->logs.v[i]));
			json_array_append_new(list, j);
		} else if (print_text(x->logs.v[i], r, e) != 0) {
			return -1;
		}
	}
	return all_good ? EXIT_OK : EXIT_AUDIT;
}

static int run_verify(const struct cli *c, struct err *e)
{
	AUTO(oem_audit_expect_clear) struct oem_audit_expect x = { 0 };
	AUTO(others_clear) struct others o = { 0 };
	AUTO(oem_cross_freep) struct oem_cross *cross = NULL;
	AUTO(json_freep) json_t *list = json_array();

	if (oem_audit_expect_read(&x, c, e) != 0 || others_read(&o, &x.logs, e) != 0 ||
		oem_cross_new(&cross, e) != 0)
		return -1;
	struct audit_result *r = calloc(1, sizeof *r);
	if (!r)
		return err_set(e, ERR_ENV, "out of memory");
	int rc = verify_all(c, &x, &o, cross, r, list, e);
	free(r);
	if (rc >= 0 && c->json &&
		json_print(json_array_size(list) == 1 ? json_array_get(list, 0) : list, e) != 0)
		return -1;
	return rc;
}

const struct cli_command oem_cmd_audit_verify = {
	.name = "audit verify",
	.operands = "LOG...",
	.min_operands = 0,
	.max_operands = SIZE_MAX,
	.summary = "examine logs: what happened, what is proven, which attack shows",
	.options = verify_options,
	.run = run_verify,
};

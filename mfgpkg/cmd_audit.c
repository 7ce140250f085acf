/* mfgpkg audit verify - examine one or more logs; says what is proven, and what is not. */
#include <stdio.h>
#include <string.h>

#include "base/exit_status.h"
#include "base/json.h"
#include "mfgpkg/audit/logs.h"
#include "mfgpkg/commands.h"

static const struct cli_option verify_options[] = {
	AUDIT_EXPECT_OPTIONS,
	AUDIT_OPEN_OPTION,
	{ 0 },
};

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

/* ctx: the list of results, NULL to print text. */
static int show(void *ctx, const char *path, const struct audit_result *r,
	const struct audit_expect *x, struct err *e)
{
	(void)x;
	if (!ctx)
		return print_text(path, r, e);
	json_t *j = audit_result_json(r);
	json_object_set_new(j, "file", json_string(path));
	json_array_append_new(ctx, j);
	return 0;
}

static int run_verify(const struct cli *c, struct err *e)
{
	AUTO(oem_audit_expect_clear) struct oem_audit_expect x = { 0 };
	AUTO(json_freep) json_t *list = json_array();
	struct oem_audit_visitor v = { .done = show, .ctx = c->json ? list : NULL };
	bool all_good;

	if (oem_audit_expect_read(&x, c, e) != 0 ||
		oem_audit_logs(&x, &v, cli_flag(c, "allow-open"), &all_good, e) != 0)
		return -1;
	if (c->json &&
		json_print(json_array_size(list) == 1 ? json_array_get(list, 0) : list, e) != 0)
		return -1;
	return all_good ? EXIT_OK : EXIT_AUDIT;
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

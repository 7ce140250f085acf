/* mfgpkg audit report - one or more logs as a document to read, print and sign off. */
#include <stdlib.h>

#include "base/exit_status.h"
#include "base/json.h"
#include "mfgpkg/audit/logs.h"
#include "mfgpkg/audit/report.h"
#include "mfgpkg/audit/rows.h"
#include "mfgpkg/commands.h"

#define REPORT_LOGS_MAX 64

static const struct cli_option report_options[] = {
	AUDIT_EXPECT_OPTIONS,
	AUDIT_OPEN_OPTION,
	{ "output", 'o', CLI_STRING, "REPORT.html", "where the report goes", false },
	{ 0 },
};

struct reports {
	struct oem_report *v[REPORT_LOGS_MAX];
	size_t n;
};

static void reports_clear(struct reports *r)
{
	for (size_t i = 0; i < r->n; i++)
		oem_report_free(r->v[i]);
}

static int start(void *ctx, size_t i, const char *path, struct err *e)
{
	struct reports *r = ctx;

	if (oem_report_new(&r->v[i], path, e) != 0)
		return -1;
	r->n = i + 1;
	return 0;
}

static int leaf(void *ctx, const struct leaf *l, struct err *e)
{
	struct reports *r = ctx;

	return oem_report_leaf(r->v[r->n - 1], l, e);
}

static int done(void *ctx, const char *path, const struct audit_result *result,
	const struct audit_expect *x, struct err *e)
{
	struct reports *r = ctx;

	(void)path;
	return oem_report_settle(r->v[r->n - 1], result, x, e);
}

static int write_html(const struct reports *r, const char *path, struct err *e)
{
	struct oem_rows out;
	int rc = oem_rows_open(&out, path, e);

	if (rc == 0) {
		oem_report_html(r->v, r->n, out.f);
		rc = oem_rows_close(&out, e);
	}
	oem_rows_drop(&out);
	return rc;
}

static int run_report(const struct cli *c, struct err *e)
{
	AUTO(oem_audit_expect_clear) struct oem_audit_expect x = { 0 };
	AUTO(reports_clear) struct reports r = { 0 };
	struct oem_audit_visitor v = { start, leaf, done, &r };
	const char *path = cli_string(c, "output", NULL);
	bool all_good;

	if (!path && !c->json)
		return cli_usage(e, c, "where to? -o REPORT.html, or --json");
	if (oem_audit_expect_read(&x, c, e) != 0)
		return -1;
	if (x.logs.n > REPORT_LOGS_MAX)
		return cli_usage(e, c, "more than %d logs", REPORT_LOGS_MAX);
	if (oem_audit_logs(&x, &v, cli_flag(c, "allow-open"), &all_good, e) != 0)
		return -1;
	if (path && write_html(&r, path, e) != 0)
		return -1;
	if (c->json) {
		AUTO(json_freep) json_t *j = oem_report_json(r.v, r.n);
		if (!j)
			return err_set(e, ERR_ENV, "out of memory");
		if (json_print(j, e) != 0)
			return -1;
	}
	return all_good ? EXIT_OK : EXIT_AUDIT;
}

const struct cli_command oem_cmd_audit_report = {
	.name = "audit report",
	.operands = "LOG...",
	.min_operands = 0,
	.max_operands = SIZE_MAX,
	.summary = "logs as one HTML document: verdict, quantities, yield, findings, devices",
	.options = report_options,
	.run = run_report,
};

/* mfgpkg audit report - one or more logs as a document to read, print and sign off. */
#include "mfgpkg/audit/logs.h"
#include "mfgpkg/audit/report.h"
#include "mfgpkg/commands.h"

static const struct cli_option report_options[] = {
	AUDIT_EXPECT_OPTIONS,
	AUDIT_OPEN_OPTION,
	{ "output", 'o', CLI_STRING, "REPORT.html", "where the report goes", false },
	{ 0 },
};

static int run_report(const struct cli *c, struct err *e)
{
	(void)c;
	return err_set(e, ERR_INTERNAL, "the report is being written");
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

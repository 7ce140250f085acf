/* mfgpkg audit export, audit query: the leaves of a verified log, as data. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/exit_status.h"
#include "base/json.h"
#include "base/text.h"
#include "mfgpkg/audit/expect.h"
#include "mfgpkg/audit/rows.h"
#include "mfgpkg/commands.h"
#include "mfgpkg/output.h"

struct filter {
	const char *kind, *result, *stage, *slot;
	uint8_t uuid[16];
	bool has_uuid;
	int64_t since, until; /* ms, INT64_MIN / MAX: open */
	uint64_t from, to; /* leaf numbers */
};

struct writer {
	struct oem_rows rows;
	struct filter filter;
	bool csv, count_only;
	uint64_t n;
};

static bool matches(const struct filter *f, const struct leaf *l)
{
	uint8_t uuid[16];
	char text[256];

	if (l->seq < f->from || l->seq > f->to || l->time_ms < f->since || l->time_ms > f->until)
		return false;
	if (f->kind && strcmp(f->kind, leaf_kind_name(l->kind)) != 0)
		return false;
	if (f->has_uuid && (leaf_hex(l, LM_UUID, uuid, 16) != 0 || memcmp(uuid, f->uuid, 16) != 0))
		return false;
	if (f->result && !leaf_is(l, LM_RESULT, f->result))
		return false;
	if (f->stage &&
		(leaf_text(l, LM_STAGE, text, sizeof text) != 0 || strcmp(text, f->stage) != 0))
		return false;
	return !f->slot ||
	       (leaf_text(l, LM_SLOT, text, sizeof text) == 0 && strcmp(text, f->slot) == 0);
}

static int write_leaf(void *ctx, const struct leaf *l, struct err *e)
{
	struct writer *w = ctx;

	if (!matches(&w->filter, l))
		return 0;
	w->n++;
	if (w->count_only)
		return 0;
	if (w->csv)
		return oem_rows_csv_leaf(&w->rows, l, e);
	return oem_rows_bytes(&w->rows, l->bytes, l->len, e);
}

/* The log is verified while its leaves are written; what the verdict is comes last, on stderr. */
static int run_writer(const struct cli *c, struct writer *w, struct err *e)
{
	AUTO(oem_audit_expect_clear) struct oem_audit_expect x = { 0 };
	struct audit_result *r = calloc(1, sizeof *r);
	int rc = r ? oem_audit_expect_read(&x, c, e) : err_set(e, ERR_ENV, "out of memory");

	if (rc == 0)
		rc = oem_rows_open(&w->rows, cli_string(c, "output", NULL), e);
	if (rc == 0 && w->csv && !w->count_only)
		rc = oem_rows_csv_head(&w->rows, e);
	if (rc == 0) {
		x.x.observe = write_leaf;
		x.x.observe_ctx = w;
		rc = audit_verify(x.logs.v[0], &x.x, r, e);
	}
	if (rc == 0 && w->count_only)
		printf("%llu\n", (unsigned long long)w->n);
	if (rc == 0)
		rc = oem_rows_close(&w->rows, e);
	oem_rows_drop(&w->rows);
	if (rc == 0 && r->n_faults) {
		cli_warn(c, "%s: verdict FAIL (%s): see mfgpkg audit verify", x.logs.v[0],
			r->findings[0].attack);
		rc = EXIT_AUDIT;
	}
	free(r);
	return rc;
}

/* --- audit export ----------------------------------------------------------------------------- */

static const struct cli_option export_options[] = {
	AUDIT_EXPECT_OPTIONS,
	{ "csv", 0, CLI_FLAG, NULL, "one line a leaf, columns for a spreadsheet", false },
	{ "jsonl", 0, CLI_FLAG, NULL, "the leaves as they are, one a line (default)", false },
	{ "output", 'o', CLI_STRING, "FILE", "default: standard output", false },
	{ 0 },
};

static const struct filter everything = {
	.since = INT64_MIN, .until = INT64_MAX, .to = UINT64_MAX
};

static int run_export(const struct cli *c, struct err *e)
{
	struct writer w = { .filter = everything, .csv = cli_flag(c, "csv") };

	if (w.csv && cli_flag(c, "jsonl"))
		return cli_usage(e, c, "either --csv or --jsonl");
	return run_writer(c, &w, e);
}

const struct cli_command oem_cmd_audit_export = {
	.name = "audit export",
	.operands = "LOG",
	.min_operands = 0,
	.max_operands = 1,
	.summary = "all leaves of a log as JSON Lines or CSV",
	.options = export_options,
	.run = run_export,
};

/* --- audit query ------------------------------------------------------------------------------ */

static const struct cli_option query_options[] = {
	AUDIT_EXPECT_OPTIONS,
	{ "kind", 0, CLI_STRING, "KIND", "device-begin, intent, step, device-end, clock ...",
		false },
	{ "uuid", 0, CLI_STRING, "UUID", "leaves about this device", false },
	{ "result", 0, CLI_STRING, "RESULT", "pass, fail, interrupted, ok, failed ...", false },
	{ "stage", 0, CLI_STRING, "NAME", "leaves of this stage", false },
	{ "slot", 0, CLI_STRING, "NAME", "devices begun in this slot", false },
	{ "since", 0, CLI_STRING, "TIME", "2026-11-20T15:00:00Z or later", false },
	{ "until", 0, CLI_STRING, "TIME", "2026-11-20T15:00:00Z or earlier", false },
	{ "from", 0, CLI_NUMBER, "LEAF", "first leaf number", false },
	{ "to", 0, CLI_NUMBER, "LEAF", "last leaf number", false },
	{ "count", 0, CLI_FLAG, NULL, "only how many", false },
	{ "csv", 0, CLI_FLAG, NULL, "CSV in place of JSON Lines", false },
	{ "output", 'o', CLI_STRING, "FILE", "default: standard output", false },
	{ 0 },
};

static int time_option(
	const struct cli *c, const char *name, int64_t *ms, int64_t add, struct err *e)
{
	const char *text = cli_string(c, name, NULL);
	time_t t;

	if (!text)
		return 0;
	if (time_parse_s(text, &t) != 0)
		return cli_usage(e, c, "--%s: \"%s\", a time like 2026-11-20T15:00:00Z wanted",
			name, ESC(text));
	*ms = (int64_t)t * 1000 + add;
	return 0;
}

static int run_query(const struct cli *c, struct err *e)
{
	struct writer w = {
		.filter = everything, .csv = cli_flag(c, "csv"), .count_only = cli_flag(c, "count")
	};
	const char *uuid = cli_string(c, "uuid", NULL);

	w.filter.kind = cli_string(c, "kind", NULL);
	w.filter.result = cli_string(c, "result", NULL);
	w.filter.stage = cli_string(c, "stage", NULL);
	w.filter.slot = cli_string(c, "slot", NULL);
	w.filter.from = cli_number(c, "from", 0);
	w.filter.to = cli_number(c, "to", UINT64_MAX);
	w.filter.has_uuid = uuid != NULL;
	if (uuid && hex_decode(w.filter.uuid, 16, uuid) != 0)
		return cli_usage(e, c, "--uuid: 32 hex digits wanted");
	if (time_option(c, "since", &w.filter.since, 0, e) != 0 ||
		time_option(c, "until", &w.filter.until, 999, e) != 0)
		return -1;
	return run_writer(c, &w, e);
}

const struct cli_command oem_cmd_audit_query = {
	.name = "audit query",
	.operands = "LOG",
	.min_operands = 0,
	.max_operands = 1,
	.summary = "leaves of a log that match",
	.options = query_options,
	.run = run_query,
};

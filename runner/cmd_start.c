#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/fsio.h"
#include "base/text.h"
#include "runner/admission.h"
#include "runner/commands.h"
#include "runner/fixture.h"
#include "runner/candidates.h"
#include "runner/marks.h"
#include "runner/ports.h"
#include "runner/session.h"

#define COUNT_MAX      10000000
#define BAUD_MAX       12000000
#define RESET_WAIT_MAX 60000

/* Who runs it: --operator, else the user of this session. */
static void operator_name(const struct cli *c, char out[80])
{
	const char *name = cli_string(c, "operator", NULL);
	const struct passwd *user = name ? NULL : getpwuid(getuid());
	char text[64];

	snprintf(text, sizeof text, "%s", name ? name : user ? user->pw_name : "unknown");
	text_escape(out, 80, text, strlen(text));
}

static int read_options(const struct cli *c, struct session_options *o, struct err *e)
{
	uint64_t baud = cli_number(c, "baud", 0), jobs = cli_number(c, "jobs", 0);
	uint64_t wait = cli_number(c, "reset-wait", 0);
	const char *ui = cli_string(c, "ui", "auto");

	o->globs = cli_list(c, "ports");
	o->count = cli_number(c, "count", 0);
	o->loop = cli_flag(c, "loop");
	o->again = cli_flag(c, "again");
	o->quiet = c->verbosity < 0;
	if (baud > BAUD_MAX || (cli_given(c, "baud") && baud < 1200))
		return cli_usage(
			e, c, "--baud %llu: 1200 to %d", (unsigned long long)baud, BAUD_MAX);
	if (cli_given(c, "count") && (o->count < 1 || o->count > COUNT_MAX))
		return cli_usage(e, c, "--count: 1 to %d", COUNT_MAX);
	if (cli_given(c, "jobs") && (jobs < 1 || jobs > PORTS_MAX))
		return cli_usage(e, c, "--jobs: 1 to %d", PORTS_MAX);
	if (wait > RESET_WAIT_MAX)
		return cli_usage(e, c, "--reset-wait: at most %d ms", RESET_WAIT_MAX);
	if (c->json && !cli_given(c, "ui"))
		ui = "json";
	if (ui_kind_parse(ui, &o->ui) != 0)
		return cli_usage(e, c, "--ui %s: auto, live, full, plain or json", ui);
	if (o->again && cli_given(c, "order"))
		return cli_usage(e, c,
			"--again works only without an order: an order counts each device once");
	if (fixture_lines(c, &o->lines, e) != 0)
		return -1;
	o->baud = (uint32_t)baud;
	o->jobs = (unsigned)jobs;
	o->reset_ms = (int)wait;
	return 0;
}

/* The log must contain what the OEM (or whoever keeps it) saw of it. */
static int check_kept(
	const struct station *s, const struct order *o, const char *note, struct err *e)
{
	AUTO(str_freep) char *log = station_path(s, "orders/%s/log.db", o->id);

	if (!log)
		return err_set(e, ERR_ENV, "out of memory");
	return marks_check_note(s, o->id, o->origin, log, note, e);
}

/* What the log has become is remembered, so that an older copy of it is noticed. */
static int mark_end(const struct station *s, const struct signed_order *o,
	const struct run_log *log, struct err *e)
{
	return o && !log->log ? marks_log_of_file(s, order_of(o)->id, log->path, e) : 0;
}

/* A run without order and port would only leave an empty log behind; with --loop ports may come. */
static int need_a_port(const struct session_options *o, const struct order *order, struct err *e)
{
	struct candidates c = { .slots = o->slots, .globs = o->globs };
	size_t n = 0;

	if (o->loop || order)
		return 0;
	if (candidates_each(&c, NULL, NULL, &n, e) != 0)
		return -1;
	return n ? 0 : session_no_port(o, e);
}

/* A package that was refused is a fact for the log of its order, if that was begun already. */
static void record_refusal(
	const struct station *s, const struct admission *a, const struct err *why)
{
	AUTO(run_log_clear) struct run_log log = { 0 };
	struct err e;

	if (a->order && run_log_resume(&log, s, a->order, &e) == 0 &&
		run_log_refused(log.log, &a->facts, why->msg, &e) == 0 &&
		log_seal_epoch(log.log, &e) == 0) {
		run_log_clear(&log);
		AUTO(str_freep)
		char *path = station_path(s, "orders/%s/log.db", order_of(a->order)->id);
		if (path && marks_log_of_file(s, order_of(a->order)->id, path, &e) != 0)
			return;
	}
}

/* Everything that can refuse the run comes before the first port is looked at. */
static int run_start(const struct cli *c, struct err *e)
{
	AUTO(str_freep) char *dir = station_folder(c, e);
	AUTO(station_close) struct station s = { .lock = -1 };
	AUTO(admission_clear) struct admission a = { 0 };
	AUTO(run_log_clear) struct run_log log = { 0 };
	static struct slots slots;
	const char *order = cli_string(c, "order", NULL), *kept = cli_string(c, "checkpoint", NULL);
	char operator[80];
	struct session_options o = { .station = &s, .slots = &slots, .operator= operator};
	int status = 0;

	operator_name(c, operator);
	if (!dir || read_options(c, &o, e) != 0)
		return -1;
	if (!order && !c->operands.n)
		return cli_usage(e, c, "which package or product?");
	if (kept && !order)
		return cli_usage(e, c, "--checkpoint needs --order: whose log must contain it?");
	if (station_open(&s, dir, STATION_WORK, e) != 0 || admission_init(&a, &s, e) != 0 ||
		marks_check_clock(&s, (int64_t)time(NULL), e) != 0)
		return -1;
	if (order && admission_order(&a, order, true, e) != 0)
		return -1;
	if (kept && check_kept(&s, order_of(a.order), kept, e) != 0)
		return -1;
	if (admission_package(&a, c->operands.n ? c->operands.v[0] : NULL, e) != 0) {
		if (e->code == ERR_REJECTED || e->code == ERR_FORMAT || e->code == ERR_LIMIT)
			record_refusal(&s, &a, e);
		return -1;
	}
	if (order_need(a.pkg, a.order, e) != 0 || slots_load(&slots, &s, e) != 0 ||
		station_check_writable(&s, e) != 0 ||
		need_a_port(&o, a.order ? order_of(a.order) : NULL, e) != 0 ||
		marks_raise_clock(&s, (int64_t)time(NULL), e) != 0)
		return -1;
	if (depot_accept(&a.depot, &s, a.pkg, order != NULL, e) != 0 ||
		(order && depot_keep_order(&s, a.order, e) != 0))
		return -1;
	if (run_log_open(&log, &s, a.pkg, a.order, e) != 0)
		return -1;
	o.pkg = a.pkg;
	o.order = a.order;
	int rc = session_run(&o, &log, &status, e);
	if (mark_end(&s, a.order, &log, rc == 0 ? e : NULL) != 0)
		return -1;
	return rc == 0 ? status : -1;
}

static const struct cli_option start_options[] = {
	STATE_OPTION,
	{ "order", 'o', CLI_STRING, "ORDER", "production order (file or id)", false },
	{ "checkpoint", 0, CLI_STRING, "NOTE",
		"refuse unless the order's log contains this checkpoint (kept elsewhere)", false },
	{ "ports", 'p', CLI_LIST, "GLOB", "use ports of these names instead of the slot map",
		true },
	{ "baud", 'b', CLI_NUMBER, "N", "line rate (default: what the package says)", false },
	{ "count", 0, CLI_NUMBER, "N", "stop after N devices have passed", false },
	{ "loop", 0, CLI_FLAG, NULL, "go on: swap a board and the slot starts by itself", false },
	{ "jobs", 'j', CLI_NUMBER, "N", "at most N devices at a time", false },
	{ "again", 0, CLI_FLAG, NULL, "do devices again that passed before (no order)", false },
	{ "reset-wait", 0, CLI_NUMBER, "MS",
		"wait after a reset before the first ping (default 500; 20 on a pty)", false },
	FIXTURE_OPTIONS,
	{ "operator", 0, CLI_STRING, "NAME", "who runs it, for the log", false },
	{ "ui", 0, CLI_STRING, "KIND", "auto, live, full, plain or json", false },
	{ 0 },
};

const struct cli_command run_cmd_start = {
	"start",
	"PKG|PRODUCT",
	0,
	1,
	"program all devices on the permitted ports",
	start_options,
	run_start,
};

/* mcxsim - simulated MCX N parts in ISP mode, each on a port of its own. For tests, the demo,
 * training, and for trying out scripts without boards. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/cli.h"
#include "base/exit_status.h"
#include "base/fsio.h"
#include "base/json.h"
#include "tests/sim/report.h"
#include "tests/sim/serve.h"
#include "tests/sim/state.h"

static const struct cli_option options[] = {
	{ "family", 0, CLI_STRING, "NAME", "mcxn947 (default), mcxn946, mcxn547, mcxn546", false },
	{ "count", 0, CLI_NUMBER, "N", "how many devices (default 1)", false },
	{ "dir", 0, CLI_STRING, "DIR", "folder for the links ttyMCX0, ttyMCX1, ...", false },
	{ "connect", 0, CLI_STRING, "FORMAT",
		"instead: join device i to the unix socket FORMAT % i", false },
	{ "seed", 0, CLI_NUMBER, "S", "repeatable UUIDs, randomness and faults", false },
	{ "baud-pacing", 0, CLI_FLAG, NULL, "no faster than the line rate of the port", false },
	{ "baud", 0, CLI_NUMBER, "N", "the rate for --baud-pacing (default: as the host sets it)",
		false },
	{ "flash-timing", 0, CLI_FLAG, NULL, "erasing and programming take their time", false },
	{ "fault", 0, CLI_LIST, "SPEC", "DEVICES:KIND[=VALUE][@PLACE][xTIMES], see `mcxsim faults`",
		true },
	{ "state", 0, CLI_STRING, "FILE", "keep the devices here between runs", false },
	{ "report", 0, CLI_STRING, "FILE", "write the report (at the end, and on SIGUSR1) here",
		false },
	{ "max-packet", 0, CLI_NUMBER, "N", "property 11, 32..4096 (default 512)", false },
	{ "lifecycle", 0, CLI_STRING, "NAME", "life cycle of new devices (default blank)", false },
	{ "isp-pin", 0, CLI_FLAG, NULL, "the ISP pin is held: never start the application", false },
	{ "control", 0, CLI_STRING, "SOCKET", "take commands: unplug|plug|swap|isp|power N",
		false },
	{ 0 },
};

struct run {
	struct sim_serve serve;
	struct sim_device **devices;
	const char *state, *report;
};

static struct run run;

static void release(struct run *r)
{
	sim_serve_close(&r->serve);
	for (size_t i = 0; r->serve.lines && i < r->serve.n; i++)
		sim_device_free(r->serve.lines[i].d);
	free(r->serve.lines);
	free(r->devices);
}

/* Boards may have been swapped since the start. */
static struct sim_device *const *current_devices(struct run *r)
{
	for (size_t i = 0; i < r->serve.n; i++)
		r->devices[i] = r->serve.lines[i].d;
	return r->devices;
}

static int save_state(struct sim_serve *s, struct err *e)
{
	(void)s;
	return sim_state_save(run.state, current_devices(&run), run.serve.n, e);
}

static int parse_options(
	const struct cli *c, struct sim_options *o, struct sim_serve *s, struct err *e)
{
	const char *family = cli_string(c, "family", "mcxn947");
	const char *lifecycle = cli_string(c, "lifecycle", "blank");
	uint64_t count = cli_number(c, "count", 1), seed = cli_number(c, "seed", 0);
	uint64_t packet = cli_number(c, "max-packet", SIM_MAX_PACKET);

	s->dir = cli_string(c, "dir", NULL);
	s->connect = cli_string(c, "connect", NULL);
	if (!s->dir == !s->connect)
		return cli_usage(e, c, "give --dir or --connect");
	if (s->connect) {
		const char *p = strchr(s->connect, '%');
		if (!p || (p[1] != 'd' && p[1] != 'u') || strchr(p + 1, '%'))
			return cli_usage(e, c, "--connect wants one %%d, as in /tmp/rig/port%%d");
	}
	if (count < 1 || count > SIM_DEVICES_MAX)
		return cli_usage(e, c, "--count: 1 to %d", SIM_DEVICES_MAX);
	if (packet < SIM_MAX_PACKET_MIN || packet > SIM_MAX_PACKET_MAX)
		return cli_usage(
			e, c, "--max-packet: %u to %u", SIM_MAX_PACKET_MIN, SIM_MAX_PACKET_MAX);
	o->chip = sim_chip_find(family);
	if (!o->chip)
		return cli_usage(e, c, "--family: one of %s", sim_chip_names());
	o->lifecycle = sim_lc_parse(lifecycle);
	if (o->lifecycle < 0)
		return cli_usage(e, c,
			"--lifecycle: blank, develop, develop2, in-field, in-field-locked, "
			"field-return-oem, failure-analysis or bricked");
	if (cli_given(c, "seed"))
		crypto_generichash(o->master_seed, sizeof o->master_seed, (const uint8_t *)&seed,
			sizeof seed, NULL, 0);
	else
		randombytes_buf(o->master_seed, sizeof o->master_seed);
	o->max_packet = (uint32_t)packet;
	o->flash_timing = cli_flag(c, "flash-timing");
	o->isp_pin = cli_flag(c, "isp-pin");
	s->n = count;
	s->pacing = cli_flag(c, "baud-pacing");
	s->baud = (uint32_t)cli_number(c, "baud", 0);
	s->control_path = cli_string(c, "control", NULL);
	s->opt = *o;
	return 0;
}

static int parse_faults(const struct cli *c, struct sim_fault_spec *specs, size_t *n, struct err *e)
{
	struct cli_list list = cli_list(c, "fault");

	if (list.n > SIM_FAULT_SPECS_MAX)
		return cli_usage(e, c, "more than %d faults", SIM_FAULT_SPECS_MAX);
	for (size_t i = 0; i < list.n; i++)
		if (sim_fault_parse(&specs[i], list.v[i], e) != 0)
			return -1;
	*n = list.n;
	return 0;
}

static int write_report(struct run *r, struct err *e)
{
	AUTO(json_freep) json_t *list = json_array();
	AUTO(buf_clear) struct buf text = { 0 };

	for (size_t i = 0; i < r->serve.n; i++) {
		json_t *j = sim_report_device(r->serve.lines[i].d, r->serve.lines[i].port.name, e);
		if (!j || json_array_append_new(list, j) != 0)
			return j ? err_set(e, ERR_ENV, "out of memory for the report") : -1;
	}
	if (!r->report)
		return json_print(list, e);
	char *s = json_dumps(list, JSON_INDENT(2));
	if (!s)
		return err_set(e, ERR_ENV, "out of memory for the report");
	wr_str(&text, s);
	wr_u8(&text, '\n');
	free(s);
	if (buf_check(&text, "report", e) != 0)
		return -1;
	return fsio_write(r->report, text.p, text.len, 0644, e);
}

static int make_devices(struct run *r, const struct sim_options *o,
	const struct sim_fault_spec *specs, size_t n_specs, struct err *e)
{
	bool found;

	r->serve.lines = calloc(r->serve.n, sizeof *r->serve.lines);
	r->devices = calloc(r->serve.n, sizeof *r->devices);
	if (!r->serve.lines || !r->devices)
		return err_set(e, ERR_ENV, "out of memory for %zu devices", r->serve.n);
	for (size_t i = 0; i < r->serve.n; i++)
		sim_port_init(&r->serve.lines[i].port);
	for (size_t i = 0; i < r->serve.n; i++) {
		struct sim_line *l = &r->serve.lines[i];
		if (sim_device_new(&l->d, o, (unsigned)i, e) != 0 ||
			sim_fault_assign(
				&l->d->faults, specs, n_specs, (unsigned)i, o->master_seed, e) != 0)
			return -1;
	}
	if (!r->state)
		return 0;
	r->serve.save = save_state;
	return sim_state_load(r->state, current_devices(r), r->serve.n, &found, e);
}

static int report_now(struct sim_serve *s, struct err *e)
{
	(void)s;
	return write_report(&run, e);
}

static int run_command(const struct cli *c, struct err *e)
{
	static struct sim_fault_spec specs[SIM_FAULT_SPECS_MAX];
	struct sim_options o = { 0 };
	size_t n_specs = 0;
	int status = -1;

	run.state = cli_string(c, "state", NULL);
	run.report = cli_string(c, "report", NULL);
	run.serve.report = report_now;
	if (parse_options(c, &o, &run.serve, e) != 0 || parse_faults(c, specs, &n_specs, e) != 0)
		return -1;
	if (run.serve.dir && fsio_mkdirs(run.serve.dir, 0777, e) != 0)
		return -1;
	/* Two descriptors a device, and some. */
	struct rlimit files = { 4096, 4096 }, now;
	if (getrlimit(RLIMIT_NOFILE, &now) == 0 && now.rlim_cur < files.rlim_cur) {
		files.rlim_cur = files.rlim_max = now.rlim_max < 4096 ? now.rlim_max : 4096;
		files.rlim_max = now.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
	if (make_devices(&run, &o, specs, n_specs, e) == 0 && sim_serve_open(&run.serve, e) == 0) {
		printf("ready %zu\n", run.serve.n);
		if (fflush(stdout) != 0)
			err_set(e, ERR_ENV, "cannot write to standard output");
		else
			status = sim_serve_run(&run.serve, e);
	}
	if (status == 0 && run.state)
		status = save_state(&run.serve, e);
	if (status == 0)
		status = write_report(&run, e);
	release(&run);
	return status;
}

static int faults_command(const struct cli *c, struct err *e)
{
	(void)c;
	(void)e;
	fputs(sim_fault_help, stdout);
	return EXIT_OK;
}

static const struct cli_command cmd_run = { "run", "", 0, 0,
	"serve simulated devices until SIGTERM, then print what became of them; the word `run` may "
	"be left out",
	options, run_command };

static const struct cli_command cmd_faults = { "faults", "", 0, 0, "explain --fault", NULL,
	faults_command };

static const struct cli_command *const commands[] = { &cmd_run, &cmd_faults, NULL };

int main(int argc, char **argv)
{
	/* `mcxsim --family ...` is `mcxsim run --family ...`. */
	const char *first = argc > 1 ? argv[1] : "";
	bool own = strcmp(first, "run") == 0 || strcmp(first, "faults") == 0 ||
		   strcmp(first, "help") == 0 || strcmp(first, "--version") == 0 ||
		   strcmp(first, "-V") == 0;
	static char word[] = "run";
	char **args = calloc((size_t)argc + 2, sizeof *args);

	if (!args)
		return EXIT_ENVIRONMENT;
	args[0] = argv[0];
	args[1] = word;
	for (int i = 1; i < argc; i++)
		args[own ? i : i + 1] = argv[i];
	int status = cli_main(own ? argc : argc + 1, args, "mcxsim",
		"simulated NXP MCX N parts in ISP mode", commands);
	free(args);
	return status;
}

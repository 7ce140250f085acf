/* runner ports: which serial ports there are, and who answers on them. */
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "mboot/serial.h"
#include "runner/commands.h"
#include "runner/fixture.h"
#include "runner/ports.h"

static atomic_bool interrupted;

static void on_signal(int number)
{
	(void)number;
	atomic_store(&interrupted, true);
}

static void print_port(const struct port *p, bool paths)
{
	const struct mboot_identity *id = &p->identity;
	char uuid[2 * MBOOT_UUID_LEN + 1] = "-", family[80] = "-";

	if (p->probe == PORT_ANSWERED && id->has_uuid)
		hex_encode(uuid, id->uuid, sizeof id->uuid);
	for (size_t i = 0, used = 0; i < p->n_families && used < sizeof family; i++)
		used += (size_t)snprintf(
			family + used, sizeof family - used, "%s%s", i ? "|" : "", p->families[i]);
	printf("%-24s ", p->path);
	if (p->probe == PORT_ANSWERED)
		printf("%-16s %-32s %s", family, uuid, mboot_lifecycle_name(id->lifecycle));
	else
		printf("%s%s%s",
			p->state == PORT_USABLE
				? (p->probe == PORT_PROBE_FAILED ? "failed" : "usable")
				: port_state_name(p->state),
			p->reason[0] ? ": " : "", p->reason);
	printf("\n");
	if (!paths)
		return;
	if (p->by_path[0])
		printf("    slot    %s\n", p->by_path);
	if (p->usb)
		printf("    adapter %04x:%04x serial %s, %s, driver %s\n", p->vid, p->pid,
			p->serial[0] ? p->serial : "-", p->description,
			p->driver[0] ? p->driver : "-");
}

static int run_ports(const struct cli *c, struct err *e)
{
	struct cli_list globs = cli_list(c, "ports");
	AUTO(ports_clear) struct port_list list = { 0 };
	struct serial_lines lines;
	struct sigaction sa = { .sa_handler = on_signal };
	uint64_t baud = cli_number(c, "baud", SERIAL_DEFAULT_BAUD);

	if (baud == 0 || baud > 12000000)
		return cli_usage(e, c, "%llu is not a baud rate", (unsigned long long)baud);
	if (fixture_lines(c, &lines, e) != 0)
		return -1;
	/* A reset is not gentle: only boards that were named get one. */
	if (fixture_has(&lines) && (!globs.n || cli_flag(c, "no-probe")))
		return cli_usage(e, c, "--reset-line %s",
			globs.n ? "and --no-probe exclude each other"
				: "needs --ports: which boards shall be reset?");
	sigemptyset(&sa.sa_mask);
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	if (ports_list(&list, globs.v, globs.n, e) != 0)
		return -1;
	if (!cli_flag(c, "no-probe") &&
		ports_probe(&list, (uint32_t)baud, &lines, &interrupted, e) != 0)
		return -1;
	if (c->json) {
		AUTO(json_freep) json_t *j = ports_json(&list);
		if (!j)
			return err_set(e, ERR_ENV, "out of memory for the list of ports");
		return json_print(j, e);
	}
	for (size_t i = 0; i < list.n; i++)
		print_port(&list.v[i], c->verbosity > 0 || list.v[i].usb);
	if (list.n == 0 && c->verbosity >= 0)
		printf("no ports found%s\n",
			globs.n ? " that match"
				: " (only USB serial ports are looked for; name "
				  "others with --ports)");
	return 0;
}

static const struct cli_option options[] = {
	{ "ports", 0, CLI_LIST, "GLOB", "ports to look at (default: all USB serial ports)", true },
	{ "baud", 0, CLI_NUMBER, "N", "line rate for probing (default 115200)", false },
	{ "no-probe", 0, CLI_FLAG, NULL, "open nothing: only list", false },
	FIXTURE_OPTIONS,
	{ 0 },
};

const struct cli_command run_cmd_ports = {
	.name = "ports",
	.operands = "",
	.summary = "list serial ports and the devices that answer on them",
	.options = options,
	.run = run_ports,
};

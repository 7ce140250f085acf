/* runner - the factory's program: programs devices from a package the OEM signed. Holds no OEM
 * key and links no code that could. */
#include <signal.h>

#include "runner/commands.h"

static const struct cli_command *const commands[] = {
	&run_cmd_station_init,
	&run_cmd_station_show,
	&run_cmd_station_slots,
	&run_cmd_trust_add,
	&run_cmd_trust_list,
	&run_cmd_trust_remove,
	&run_cmd_trust_import,
	&run_cmd_verify,
	&run_cmd_import,
	&run_cmd_list,
	&run_cmd_ports,
	&run_cmd_start,
	&run_cmd_simulate,
	&run_cmd_log_verify,
	&run_cmd_log_export,
	&run_cmd_log_checkpoint,
	&run_cmd_log_close,
	NULL,
};

int main(int argc, char **argv)
{
	signal(SIGXFSZ, SIG_IGN); /* a file size limit is a full disk: an error, not a death */
	return cli_main(argc, argv, "runner",
		"program many MCX N devices in parallel from a signed package", commands);
}

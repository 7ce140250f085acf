/* runner - the factory's program: programs devices from a package the OEM signed. Holds no OEM
 * key and links no code that could. */
#include "runner/commands.h"

static const struct cli_command *const commands[] = {
	&run_cmd_ports,
	NULL,
};

int main(int argc, char **argv)
{
	return cli_main(argc, argv, "runner",
		"program many MCX N devices in parallel from a signed package", commands);
}

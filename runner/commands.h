/* commands - one row per runner command; each cmd_NAME.c defines its own. */
#ifndef RUNNER_COMMANDS_H
#define RUNNER_COMMANDS_H

#include "base/cli.h"

#define STATE_OPTION                                                                               \
	{                                                                                          \
		"state", 0, CLI_STRING, "DIR", "state folder of the station", false                \
	}

extern const struct cli_command run_cmd_import;
extern const struct cli_command run_cmd_list;
extern const struct cli_command run_cmd_log_checkpoint;
extern const struct cli_command run_cmd_log_close;
extern const struct cli_command run_cmd_log_export;
extern const struct cli_command run_cmd_log_verify;
extern const struct cli_command run_cmd_ports;
extern const struct cli_command run_cmd_simulate;
extern const struct cli_command run_cmd_start;
extern const struct cli_command run_cmd_station_init;
extern const struct cli_command run_cmd_station_show;
extern const struct cli_command run_cmd_station_slots;
extern const struct cli_command run_cmd_trust_add;
extern const struct cli_command run_cmd_trust_import;
extern const struct cli_command run_cmd_trust_list;
extern const struct cli_command run_cmd_trust_remove;
extern const struct cli_command run_cmd_verify;

#endif

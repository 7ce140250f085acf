/* commands - one row per runner command; each cmd_NAME.c defines its own. */
#ifndef RUNNER_COMMANDS_H
#define RUNNER_COMMANDS_H

#include "base/cli.h"

extern const struct cli_command run_cmd_ports;

#endif

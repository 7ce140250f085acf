/* commands - one row per mfgpkg command; each cmd_NAME.c defines its own. */
#ifndef MFGPKG_COMMANDS_H
#define MFGPKG_COMMANDS_H

#include "base/cli.h"

extern const struct cli_command oem_cmd_fuses_export;
extern const struct cli_command oem_cmd_pfr_export;
extern const struct cli_command oem_cmd_pfr_parse;
extern const struct cli_command oem_cmd_pfr_verify;

#endif

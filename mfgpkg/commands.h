/* commands - one row per mfgpkg command; each cmd_NAME.c defines its own. */
#ifndef MFGPKG_COMMANDS_H
#define MFGPKG_COMMANDS_H

#include "base/cli.h"

#endif

/* fixture - boards whose RESET and ISP pins hang on the control lines of their serial adapter.
 *
 * The options of the commands that open ports, and the pulse that brings a board into ISP mode.
 */
#ifndef RUNNER_FIXTURE_H
#define RUNNER_FIXTURE_H

#include <stdbool.h>

#include "base/cli.h"
#include "mboot/serial.h"

#define FIXTURE_BOOT_MS 500 /* from the end of the pulse to the first ping */

/* clang-format off */
#define FIXTURE_OPTIONS                                                                            \
	{ "reset-line", 0, CLI_STRING, "LINE",                                                     \
		"dtr or rts: resets the boards of this fixture into ISP mode", false },            \
	{ "isp-line", 0, CLI_STRING, "LINE", "dtr or rts: holds the ISP pin meanwhile", false },   \
	{ "invert", 0, CLI_FLAG, NULL, "the pins are active when their line is off", false }
/* clang-format on */

/* fixture_lines - read the options. out->reset is MBOOT_LINE_NONE when none is given. */
int fixture_lines(const struct cli *c, struct serial_lines *out, struct err *e) CHECKED;

/* fixture_has - there is a reset line to use. */
static inline bool fixture_has(const struct serial_lines *l)
{
	return l->reset != MBOOT_LINE_NONE;
}

#endif

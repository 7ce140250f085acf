#include <string.h>

#include "runner/fixture.h"

static int line_of(const struct cli *c, const char *option, enum mboot_line *out, struct err *e)
{
	const char *name = cli_string(c, option, NULL);

	if (!name)
		return 0;
	if (strcmp(name, "dtr") == 0)
		*out = MBOOT_LINE_DTR;
	else if (strcmp(name, "rts") == 0)
		*out = MBOOT_LINE_RTS;
	else
		return cli_usage(e, c, "--%s %s: dtr or rts", option, name);
	return 0;
}

int fixture_lines(const struct cli *c, struct serial_lines *out, struct err *e)
{
	struct serial_lines l = { .invert = cli_flag(c, "invert") };

	if (line_of(c, "reset-line", &l.reset, e) != 0 || line_of(c, "isp-line", &l.isp, e) != 0)
		return -1;
	if (l.reset == MBOOT_LINE_NONE && (l.isp != MBOOT_LINE_NONE || l.invert))
		return cli_usage(e, c, "--%s needs --reset-line", l.isp ? "isp-line" : "invert");
	if (l.reset != MBOOT_LINE_NONE && l.reset == l.isp)
		return cli_usage(e, c, "--reset-line and --isp-line need a line each");
	*out = l;
	return 0;
}

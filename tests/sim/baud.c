/* The line rate as a number. The kernel's own struct termios2 has it; the C library's header, which
 * cannot be included beside it, has only the old constants. */
#include <asm/ioctls.h>
#include <asm/termbits.h>
#include <sys/ioctl.h>

#include "tests/sim/port.h"

uint32_t sim_port_baud(const struct sim_port *p)
{
	struct termios2 t;

	if (p->slave < 0 || ioctl(p->slave, TCGETS2, &t) != 0)
		return 0;
	return t.c_ospeed;
}

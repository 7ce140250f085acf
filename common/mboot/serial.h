/* serial - opening serial ports: real ones through libserialport, pseudo-terminals (which it
 * refuses: no modem lines) with plain termios, chosen by what the path is.
 *
 * A real port that another program has open is refused, locked or not.
 *
 * 8 data bits, no parity, 1 stop bit, no flow control, raw. The port is ours alone: flock() on
 * the device, and TIOCEXCL on real ports (a pseudo-terminal would keep that flag after our death
 * as long as its simulator lives). Low latency is asked for where the driver has it. An unplugged
 * adapter shows as POLLHUP/POLLERR or EIO and gives ERR_DEVICE "port closed" at once.
 */
#ifndef COMMON_MBOOT_SERIAL_H
#define COMMON_MBOOT_SERIAL_H

#include <stdbool.h>
#include <stdint.h>

#include "mboot/transport.h"

#define SERIAL_DEFAULT_BAUD 115200

/* serial_open - open path (symbolic links are followed) at baud.
 *   ERR_ENV: no such port, no permission, not a terminal, held by another program (says which).
 *   ERR_USAGE: the port cannot do this rate. */
int serial_open(struct mboot_io *out, const char *path, uint32_t baud, struct err *e) CHECKED;

/* Control lines of a fixture that is wired to the board's RESET and ISP pins. */
struct serial_lines {
	enum mboot_line reset; /* MBOOT_LINE_NONE: the fixture has none */
	enum mboot_line isp; /* MBOOT_LINE_NONE: a strap holds the pin */
	bool invert; /* the pin is active when the line is off */
	int hold_ms; /* how long reset is held, and ISP after it; 0: 50 */
};

/* serial_reset_to_isp - hold ISP, pulse RESET, release ISP; then the ROM still has to start. When a
 * line cannot be driven both are released as far as possible.
 * ERR_USAGE without a reset line or with one line for both, ERR_ENV when the port has no such lines
 * (a pseudo-terminal). Takes about 2 * hold_ms. */
int serial_reset_to_isp(
	const struct mboot_io *io, const struct serial_lines *lines, struct err *e) CHECKED;

/* serial_is_pty - the path is the slave of a pseudo-terminal. */
bool serial_is_pty(const char *path);

/* serial_holder - who has the port open or locked: the process id, its name in program[cap], or 0.
 * Looks only into /proc, opens nothing of the port. The owner of a pseudo-terminal's master does
 * not count. Processes of other users may stay unseen unless they hold a lock. */
int serial_holder(const char *path, char *program, size_t cap);

#endif

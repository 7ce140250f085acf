/* ports - serial ports of this machine: enumerated without opening, probed gently on request.
 *
 * Without globs the candidates are USB serial ports (a console or a built-in UART is never
 * written to unasked). With globs every matching path is one, pseudo-terminals included. A slot is
 * named by USB topology (/dev/serial/by-path), which survives unplugging; a tty number does not.
 */
#ifndef RUNNER_PORTS_H
#define RUNNER_PORTS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/json.h"
#include "mboot/identify.h"
#include "mboot/serial.h"

#define PORTS_MAX	   256
#define PORTS_PROBE_MS	   2000 /* a port that did not answer by then does not answer */
#define PORTS_MAX_FAMILIES 4

enum port_state {
	PORT_USABLE,
	PORT_BUSY, /* another program has it: busy_pid, busy_program when they can be seen */
	PORT_NO_PERMISSION,
	PORT_GONE, /* not there, or not a serial port */
};

enum port_probe {
	PORT_NOT_PROBED,
	PORT_ANSWERED,
	PORT_NO_ANSWER, /* nothing came back in time */
	PORT_PROBE_FAILED, /* could not be opened, vanished, or spoke nonsense: see `reason` */
};

struct port {
	char path[256]; /* as found by the glob or as libserialport names it */
	char device[256]; /* links resolved: /dev/ttyUSB3, /dev/pts/7 */
	dev_t rdev; /* identity of the device */
	char by_path[160]; /* name under /dev/serial/by-path, "" when it has none */
	bool usb, pty;
	uint16_t vid, pid; /* USB only */
	char serial[64]; /* serial number of the USB adapter, "" when it has none */
	char description[128]; /* escaped: from the adapter */
	char driver[32]; /* kernel driver, "" when unknown */
	enum port_state state;
	int busy_pid; /* 0: not seen */
	char busy_program[64];
	char reason[200]; /* why it is not usable or the probe failed, for people */
	/* after ports_probe */
	enum port_probe probe;
	struct mboot_identity identity; /* valid when ANSWERED */
	const char *families[PORTS_MAX_FAMILIES]; /* parts this may be, static strings */
	size_t n_families;
};

struct port_list {
	struct port *v;
	size_t n;
};

/* ports_list - enumerate, sorted by by_path (natural order), then path. Opens no port.
 *   globs[n]  shell patterns of paths; n = 0: all USB serial ports.
 *   *out is owned by the caller: ports_clear(). ERR_LIMIT above PORTS_MAX. */
int ports_list(struct port_list *out, const char *const *globs, size_t n, struct err *e) CHECKED;
void ports_clear(struct port_list *l);

/* ports_find - the same for a running session: from udev's database where udev runs, so that no
 * broken adapter can make it wait, and without asking who holds the ports, for which each process
 * of the machine must be looked at.
 * port_find_holder - make it up for one port: it may become PORT_BUSY. */
int ports_find(struct port_list *out, const char *const *globs, size_t n, struct err *e) CHECKED;
void port_find_holder(struct port *p);

/* port_describe - fill *out for one path, without the holder. Never fails: see out->state. A port
 * that udev has not finished with is GONE; an event tells when it has. */
void port_describe(struct port *out, const char *path);

/* ports_probe - ask all usable ports at the same time who is there: a thread per port, each
 * bounded: PORTS_PROBE_MS for a first answer, then 1.5 s for the rest. Results are in the list.
 *   lines  boards are reset into ISP mode first, which takes longer; NULL or without reset: not
 * Returns -1 only when threads cannot be made (ERR_ENV) or *cancel was set (ERR_CANCELLED). */
int ports_probe(struct port_list *l, uint32_t baud, const struct serial_lines *lines,
	const atomic_bool *cancel, struct err *e) CHECKED;

/* port_families - fill `families` from the identity; ports_probe does it. */
void port_families(struct port *p);

/* port_may_be - the device that answered on this port may be of this family: its flash and RAM
 * sizes fit. Devices that hide their sizes may be anything. */
bool port_may_be(const struct port *p, const char *family);

/* ports_json - the document of schemas/ports.schema.json (caller owns). NULL: out of memory. */
json_t *ports_json(const struct port_list *l);

const char *port_state_name(enum port_state s); /* "usable", "busy", "no-permission", "gone" */
const char *port_probe_name(enum port_probe p); /* "not-probed", "answered", ... */

#endif

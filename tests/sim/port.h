/* port - where a device's line ends: a pseudo-terminal with a link to it, or a unix socket.
 *
 * Pseudo-terminal: raw before a host can open it, and our own descriptor of the slave side keeps it
 * alive while hosts come and go. Socket: joined as a client (the far end of a simulated USB
 * adapter); connecting plugs the board in, closing unplugs it. No threads; descriptors are
 * non-blocking.
 */
#ifndef TESTS_SIM_PORT_H
#define TESTS_SIM_PORT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define SIM_PORT_PATH_MAX 512

struct sim_port {
	int fd; /* master or socket, -1: not plugged in */
	int slave; /* own descriptor of the slave side, -1 for a socket */
	char name[SIM_PORT_PATH_MAX]; /* what a host opens: the link; or the socket's path */
	bool socket;
	char pts[64]; /* the slave's own name */
};

void sim_port_init(struct sim_port *p);

/* sim_port_open_pty - a new pseudo-terminal; `link` becomes a link to it (an older link goes). */
int sim_port_open_pty(struct sim_port *p, const char *link, struct err *e) CHECKED;

/* sim_port_connect - join the unix socket. ERR_ENV when nobody listens (try again later). */
int sim_port_connect(struct sim_port *p, const char *path, struct err *e) CHECKED;

void sim_port_close(struct sim_port *p); /* unplug: hang up, remove the link; name stays */

/* sim_port_forget_host - what a real port forgets when its last user closes it: that it was opened
 * for exclusive use. (Our own descriptor keeps a pseudo-terminal from noticing.) */
void sim_port_forget_host(const struct sim_port *p);

/* sim_port_baud - the line rate a host has set, 0 when it cannot be told. */
uint32_t sim_port_baud(const struct sim_port *p);

#endif

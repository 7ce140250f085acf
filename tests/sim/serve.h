/* serve - all devices of one process on their ports: one thread, one epoll loop, no polling.
 *
 * With baud pacing each direction of each port carries no more than its line rate (10 bits a byte):
 * bytes of the host reach the device when the line would have delivered them, and a frame of the
 * device reaches the host when its last byte would have. The rate is what the host set on the
 * terminal, or a fixed one.
 */
#ifndef TESTS_SIM_SERVE_H
#define TESTS_SIM_SERVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "tests/sim/device.h"
#include "tests/sim/port.h"

#define SIM_DEVICES_MAX 1024

struct sim_line {
	struct sim_device *d;
	struct sim_port port;
	int watch, hosts; /* inotify of the terminal: how many have it open */
	unsigned renames; /* the link got a new name so often */
	bool unplugged; /* on purpose: not joined again by itself */
	uint64_t retry_us; /* socket: next attempt to connect; pty: comes back then */

	uint8_t in[4096]; /* from the host, not yet delivered */
	size_t in_len, in_done;
	uint64_t in_from_ns, byte_ns; /* pacing: when in[0] began to arrive; 0: no pacing */
	uint64_t due_ns; /* when what the device does now was due: this process may wake late */
	uint64_t rx_free_ns, tx_free_ns;

	struct sim_chunk out; /* on its way to the host */
	size_t out_done;
	bool out_busy;
	uint64_t out_at_us;

	uint64_t next_us; /* when this line needs attention again */
};

struct sim_serve {
	struct sim_line *lines;
	size_t n;
	bool pacing;
	uint32_t baud; /* 0: as set on the terminal */
	const char *dir; /* of the links; NULL: sockets */
	const char *connect; /* format of the socket paths, one %d or %u */
	int epoll, timer, signals, opens, control;
	const char *control_path; /* NULL: none */
	int clients[8]; /* of the control socket */
	int (*save)(struct sim_serve *s, struct err *e); /* called when something changed */
	int (*report)(struct sim_serve *s, struct err *e); /* on SIGUSR1; may be NULL */
	struct sim_options opt; /* for boards that are swapped in */
	unsigned swapped; /* boards made since the start */
};

/* sim_serve_open - ports for all devices (s->lines[i].d is set). Sockets that are not there yet are
 * joined later. */
int sim_serve_open(struct sim_serve *s, struct err *e) CHECKED;

/* sim_serve_run - until SIGTERM or SIGINT (0), or a failure (-1). */
int sim_serve_run(struct sim_serve *s, struct err *e) CHECKED;

void sim_serve_close(struct sim_serve *s);

/* sim_serve_joined - how many devices have a port. */
size_t sim_serve_joined(const struct sim_serve *s);

/* sim_control - carry out one line of the control socket; answer[256] is "ok" or "error: ...".
 *   unplug N | plug N      the board's port goes away / comes back
 *   swap N                 another blank board on the same port
 *   isp N                  reset with the ISP pin held: back to ISP whatever the flash holds
 *   power N                power off and on
 */
void sim_control(struct sim_serve *s, const char *line, char answer[256]);

#endif

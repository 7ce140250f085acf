/* mboot_board - a board on the far end of a pseudo-terminal or a socket, served by a thread:
 * answers pings, properties and fuse reads, takes any data phase. For tests of ports and for
 * benches; what a device does with its data is the simulator's business. */
#ifndef TESTS_UNIT_MBOOT_BOARD_H
#define TESTS_UNIT_MBOOT_BOARD_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "mboot/mboot.h"

enum board_kind {
	BOARD_GOOD,
	BOARD_SILENT, /* reads, never answers */
	BOARD_PINGS_ONLY, /* answers pings, then nothing */
	BOARD_NOISE, /* answers everything with bytes without sense */
};

struct board {
	enum board_kind kind;
	uint8_t uuid[MBOOT_UUID_LEN];
	uint32_t security, fuse, flash_size, ram_size, max_packet;
	/* set by board_start_*: */
	int fd; /* our end */
	int slave; /* keeps a pseudo-terminal alive, -1 for a socket */
	char path[64]; /* what a host opens */
	pthread_t thread;
	atomic_bool stop;
	atomic_ulong bytes; /* received */
};

/* Defaults of an MCXN947 in life cycle blank. */
void board_init(struct board *b);
/* A pseudo-terminal: b->path. Aborts on failure. */
void board_start_pty(struct board *b);
/* A socket pair: returns the host's end. */
int board_start_socket(struct board *b);
void board_unplug(struct board *b); /* hang up; the thread ends */
void board_stop(struct board *b); /* also after board_unplug */

#endif

/* mboot_replay - a device that plays its part of a recorded session, and a clock that only moves
 * when the host waits. For tests of the mboot host. */
#ifndef TESTS_UNIT_MBOOT_REPLAY_H
#define TESTS_UNIT_MBOOT_REPLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "mboot/mboot.h"
#include "mboot/transport.h"

enum { REPLAY_MAX_LINES = 2000 };

struct replay_line {
	bool to_device; /* h2d */
	uint8_t *bytes;
	size_t len;
};

struct replay {
	struct replay_line line[REPLAY_MAX_LINES];
	size_t n, at;
	size_t sent; /* bytes of line[at] the host has read */
	bool loose_acks; /* C++ blhost: position and presence of the host's ACKs differ */
	uint32_t max_packet; /* answered to property 11 when the session does not have it */
	int64_t now; /* the clock */
	uint8_t extra[256]; /* what is read before the next line: pongs, property 11 */
	size_t extra_len;
	int acks_to_swallow; /* the host's ACKs of answers that are not in the session */
	unsigned pings, naks, acks; /* sent by the host */
	char mismatch[600]; /* first difference, "" when there is none */
};

/* replay_load - read a transcript; pings and (unless keep_property_11) questions for property 11
 * are left out, because how often a host asks is its own affair. Aborts the test on failure. */
void replay_load(struct replay *r, const char *path, bool keep_property_11);
void replay_clear(struct replay *r);

/* replay_append - one more frame at the end. */
void replay_append(struct replay *r, bool to_device, const void *bytes, size_t len);

/* replay_io, replay_options - transport and options of a host that talks to *r. */
struct mboot_io replay_io(struct replay *r);
struct mboot_options replay_options(struct replay *r);

/* replay_done - the whole session was played. */
bool replay_done(const struct replay *r);

/* A device that answers with fixed bytes: chunk i is readable once the host has written i times
 * (chunk 0 at once). For broken frames. Same clock. */
struct canned {
	const struct canned_chunk {
		const char *hex;
		int delay_ms; /* after the write */
	} * chunks;
	size_t n, at;
	size_t sent;
	int64_t now, due;
	struct buf written; /* everything the host wrote */
	bool gone; /* after the last chunk the port is closed */
};
struct mboot_io canned_io(struct canned *c);
struct mboot_options canned_options(struct canned *c);

#endif

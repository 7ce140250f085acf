/* device - one simulated MCX N part: everything that makes it this part, and its life.
 *
 * A device is a plain machine: no I/O, no clock, no threads. The caller tells the time
 * (d->now_us), gives bytes with sim_device_receive(), fetches frames with sim_device_front() and
 * calls sim_device_tick() at sim_device_deadline(). mcxsim does that with pseudo-terminals, tests
 * do it in memory.
 *
 * Fuse, page and flash writes can be read at once. Life cycle, security state, RKTH and the rest
 * of what the ROM keeps from the pages are taken at reset (boot.h).
 */
#ifndef TESTS_SIM_DEVICE_H
#define TESTS_SIM_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "tests/sim/chip.h"
#include "tests/sim/command.h"
#include "tests/sim/fault.h"
#include "tests/sim/fuses.h"
#include "tests/sim/key_model.h"
#include "tests/sim/link.h"
#include "tests/sim/memory.h"
#include "tests/sim/rng.h"

#define SIM_UUID_LEN	    16
#define SIM_SB_RECORDS_MAX  256 /* older ones are dropped from the report */
#define SIM_BOOT_REASON_MAX 160
#define SIM_OFF_MS	    300 /* how long a power loss lasts */

enum sim_mode {
	SIM_MODE_ISP,
	SIM_MODE_APPLICATION, /* runs the image: silent on this port */
	SIM_MODE_DEAD, /* life cycle in which the ROM offers no ISP */
	SIM_MODE_OFF, /* no power */
};

enum sim_lc { /* fuse values */
	SIM_LC_BLANK = 0x00,
	SIM_LC_DEVELOP = 0x03,
	SIM_LC_DEVELOP2 = 0x07,
	SIM_LC_IN_FIELD = 0x0F,
	SIM_LC_IN_FIELD_LOCKED = 0xCF,
	SIM_LC_FIELD_RETURN_OEM = 0x1F,
	SIM_LC_FAILURE_ANALYSIS = 0x7F,
	SIM_LC_BRICKED = 0xFF,
};

/* The names of the life cycles are those of the other programs: "blank", "develop", "develop2",
 * "in-field", "in-field-locked", "field-return-oem", "failure-analysis", "bricked", "unknown". */
const char *sim_lc_name(int lc);
int sim_lc_parse(const char *name); /* -1 when unknown */

/* One receive-sb-file that began its data phase or was refused before it. */
struct sim_sb_record {
	uint32_t size, blocks, status; /* blocks: data blocks executed */
	bool devhsm;
	uint8_t sha256[32]; /* of the bytes that came in */
};

struct sim_options {
	const struct sim_chip *chip;
	uint8_t master_seed[32];
	uint32_t max_packet;
	int lifecycle; /* fuse state to start with, SIM_LC_* */
	bool flash_timing;
	bool isp_pin; /* the ISP pin is held: no boot into the application */
};

struct sim_sb; /* a file being received (sb_receive.h) */

struct sim_device {
	unsigned index;
	struct sim_options opt;
	const struct sim_chip *chip;
	uint64_t now_us;

	/* The part. */
	uint8_t uuid[SIM_UUID_LEN];
	struct sim_roots roots;
	struct sim_rng rng;
	struct sim_memory mem;
	struct sim_fuses fuses;

	/* Taken at the last reset. */
	struct sim_pfr active;
	int lifecycle; /* SIM_LC_*, -1: the two copies in the fuse differ */
	enum sim_mode mode;
	char boot[SIM_BOOT_REASON_MAX]; /* "isp", "application", "refused: reason" */

	/* Since the last reset. */
	struct sim_session session;
	struct sim_link link;
	struct sim_op op;
	struct sim_sb *sb;
	uint32_t prop_verify_writes, prop_irq_pin, prop_key_store, prop_byte_timeout;
	uint32_t last_error;

	/* What happened to it. */
	unsigned resets, power_losses;
	struct sim_sb_record *sb_records;
	size_t n_sb_records;
	bool changed; /* something worth saving happened */

	/* Faults. */
	struct sim_faults faults;
	uint64_t power_on_us; /* SIM_MODE_OFF: until then */
	uint64_t silent_until_us; /* ignores the line until then; UINT64_MAX: until power-cycled */
	bool stuck; /* acknowledges commands, never answers */
	bool renamed; /* the port should come back under another name */
};

int sim_device_new(struct sim_device **out, const struct sim_options *opt, unsigned index,
	struct err *e) CHECKED;
void sim_device_free(struct sim_device *d);

/* sim_device_set_uuid - another identity; the die's keys follow. For tests and restored states. */
void sim_device_set_uuid(struct sim_device *d, const uint8_t uuid[SIM_UUID_LEN]);

/* Power and reset. power_on boots; lose_power drops what is in RAM and half done. */
void sim_device_power_on(struct sim_device *d);
void sim_device_reset(struct sim_device *d);
void sim_device_lose_power(struct sim_device *d, uint32_t off_ms);

/* sim_device_receive - bytes from the host. Returns how many were taken: it stops when there is
 * something to send; give the rest after that was fetched. */
size_t sim_device_receive(struct sim_device *d, const uint8_t *data, size_t len);
size_t sim_device_wants(const struct sim_device *d);

/* The next frame to send (borrowed until the next call on d), or NULL, faults of the line applied;
 * *len may be 0 when a fault swallowed it. Pop it when it is sent. */
struct sim_chunk {
	uint8_t bytes[2 * (MBOOT_FRAME_HEADER + SIM_MAX_PACKET_MAX)];
	size_t len;
	uint32_t delay_us;
};
bool sim_device_transmit(struct sim_device *d, struct sim_chunk *out);

uint64_t sim_device_deadline(const struct sim_device *d); /* UINT64_MAX: none */
void sim_device_tick(struct sim_device *d);

bool sim_device_in_field(const struct sim_device *d); /* life cycle at the last reset */

/* sim_device_record_sb - note the end of a receive-sb-file. */
void sim_device_record_sb(struct sim_device *d, const struct sim_sb_record *r);

#endif

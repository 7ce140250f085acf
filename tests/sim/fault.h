/* fault - what goes wrong, with which device, and when.
 *
 * Specifications are DEVICES:KIND[=VALUE][@PLACE][xTIMES]; sim_fault_help (fault_help.c) is the
 * reference. Everything is decided by the specification and the seed, so a run can be repeated.
 */
#ifndef TESTS_SIM_FAULT_H
#define TESTS_SIM_FAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "tests/sim/rng.h"

extern const char sim_fault_help[]; /* the text of `mcxsim faults` */

#define SIM_FAULTS_MAX	    64 /* per device */
#define SIM_FAULT_SPECS_MAX 256
#define SIM_FAULT_ALWAYS    UINT32_MAX

struct sim_device;

enum sim_fault_kind {
	SIM_FAULT_LOSE,
	SIM_FAULT_CORRUPT,
	SIM_FAULT_DUPLICATE,
	SIM_FAULT_DELAY,
	SIM_FAULT_NAK,
	SIM_FAULT_REFUSE,
	SIM_FAULT_ABORT,
	SIM_FAULT_FINAL,
	SIM_FAULT_BAD_CRC,
	SIM_FAULT_NO_ANSWER,
	SIM_FAULT_IGNORE,
	SIM_FAULT_RESET,
	SIM_FAULT_POWER_LOSS,
	SIM_FAULT_SILENCE,
	SIM_FAULT_STUCK,
	SIM_FAULT_WRONG_FAMILY,
	SIM_FAULT_WRONG_LIFECYCLE,
	SIM_FAULT_RENAME,
};

enum sim_fault_place {
	SIM_AT_START, /* from the beginning */
	SIM_AT_RX,
	SIM_AT_TX,
	SIM_AT_RX_RATE,
	SIM_AT_TX_RATE,
	SIM_AT_COMMAND,
	SIM_AT_DATA,
	SIM_AT_SB_BLOCK,
	SIM_AT_RESET,
};

struct sim_fault {
	enum sim_fault_kind kind;
	enum sim_fault_place place;
	uint64_t value; /* status, mask, count, milliseconds; a chip or life cycle for wrong-* */
	const void *what; /* wrong-family: struct sim_chip */
	uint8_t tag; /* command */
	uint64_t n; /* byte, data bytes, block, reset */
	uint32_t occurrence; /* K, from 1; 0: any */
	uint32_t times; /* left */
	double rate;
};

/* A parsed --fault option. */
struct sim_fault_spec {
	struct sim_fault fault;
	const char *devices; /* into the text */
	size_t devices_len;
};

/* The faults of one device and the counters that place them. */
struct sim_faults {
	struct sim_fault f[SIM_FAULTS_MAX];
	size_t n;
	bool line; /* some concern bytes: look at each */
	bool swallow_sb; /* tests: SB files are taken without looking at them */
	uint64_t rx, tx; /* bytes so far */
	uint32_t commands[256]; /* of each tag */
	uint32_t sb_files, resets;
	struct sim_rng rng;
};

/* sim_fault_parse - text must outlive the spec. ERR_USAGE naming the part that is wrong. */
int sim_fault_parse(struct sim_fault_spec *out, const char *text, struct err *e) CHECKED;

/* sim_fault_assign - give a device the faults that name it. ERR_USAGE when there are too many. */
int sim_fault_assign(struct sim_faults *fs, const struct sim_fault_spec *specs, size_t n_specs,
	unsigned index, const uint8_t master_seed[32], struct err *e) CHECKED;

/* Strikes: the fault that applies now (and is used up by one), or NULL. `kinds` is a set of
 * 1 << enum sim_fault_kind. */
#define SIM_KIND(k) (1u << (k))
struct sim_fault *sim_fault_at_command(struct sim_device *d, uint8_t tag, unsigned kinds);
struct sim_fault *sim_fault_at_data(
	struct sim_device *d, uint8_t tag, uint64_t bytes, unsigned kinds);
struct sim_fault *sim_fault_at_sb_block(struct sim_device *d, uint32_t block, unsigned kinds);

/* sim_fault_line - pass bytes over the faulty line, in[len] -> out[cap]; *delay_us is added to.
 * *taken of the input; stops behind a byte at which the device goes away. */
size_t sim_fault_line(struct sim_device *d, bool rx, const uint8_t *in, size_t len, size_t *taken,
	uint8_t *out, size_t cap, uint32_t *delay_us);

/* sim_fault_start, _reset - faults of the beginning, and of the reset that happens now. */
void sim_fault_start(struct sim_device *d);
void sim_fault_reset(struct sim_device *d);

/* The kinds that make the device go away: carried out by sim_fault_go_away(). */
#define SIM_FAULTS_AWAY                                                                            \
	(SIM_KIND(SIM_FAULT_RESET) | SIM_KIND(SIM_FAULT_POWER_LOSS) |                              \
		SIM_KIND(SIM_FAULT_SILENCE) | SIM_KIND(SIM_FAULT_STUCK))
void sim_fault_go_away(struct sim_device *d, const struct sim_fault *f);

#endif

/* sim_host - a simulated device in memory with a host at its other end, for tests.
 *
 * Time does not pass by itself: waiting moves the clock of both sides, so tests are exact and
 * instant. Two ways in: frames by hand (sim_host_bytes), or the real host engine (->m).
 */
#ifndef TESTS_UNIT_SIM_HOST_H
#define TESTS_UNIT_SIM_HOST_H

#include "base/bytes.h"
#include "mboot/mboot.h"
#include "tests/sim/device.h"

struct sim_host {
	struct sim_device *d;
	struct mboot *m;
	uint64_t now_us;
	struct sim_chunk held; /* sent, not yet arrived */
	bool holding;
	uint64_t held_until_us;
	size_t held_taken;
};

struct sim_options sim_host_options(uint64_t seed); /* a blank mcxn947 */

/* A powered device and a host engine on it. Fails the test when it cannot be made. */
void sim_host_start(struct sim_host *h, const struct sim_options *o, const char *const faults[]);
void sim_host_stop(struct sim_host *h);

/* sim_host_bytes - give bytes to the device, append all it answers. */
void sim_host_bytes(struct sim_host *h, const void *data, size_t len, struct buf *answer);

/* Frames: the response's status to a command, ACKs handled; UINT32_MAX when there was none. */
size_t sim_host_frame(uint8_t *out, uint8_t type, const void *payload, size_t len);
size_t sim_host_command(uint8_t *out, uint8_t tag, unsigned n, const uint32_t *params);

/* sim_host_sb - receive-sb-file by the host engine: the final status. */
uint32_t sim_host_sb(struct sim_host *h, const void *data, size_t len);

/* sim_host_reset - reset command and a new session. False when nothing answers afterwards. */
bool sim_host_reset(struct sim_host *h);

/* A whole file, or the test fails. */
void sim_host_read_file(const char *path, struct buf *out);

/* sim_host_provision - make the device one of the OEM's without the ROM's help: RKTH, key blob,
 * life cycle, as a provisioning file and a reset would have left it. secure: SEC_BOOT_EN. */
void sim_host_provision(struct sim_host *h, const uint8_t *rkth, size_t rkth_len,
	const uint8_t cust_mk_sk[32], unsigned secure, int lifecycle);

#endif

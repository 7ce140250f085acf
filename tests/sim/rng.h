/* rng - randomness of one simulated device, repeatable from a seed.
 *
 * The stream is SHA-256(seed || counter) blocks, so the same --seed gives every device the same
 * UUID, the same OEM shares and the same faults, on any machine. Tests may put values in front of
 * the stream to reproduce a recorded session.
 */
#ifndef TESTS_SIM_RNG_H
#define TESTS_SIM_RNG_H

#include <stddef.h>
#include <stdint.h>

#define SIM_RNG_FED_MAX 8

struct sim_rng {
	uint8_t seed[32];
	uint64_t counter;
	uint8_t fed[SIM_RNG_FED_MAX][32]; /* handed out first, oldest first */
	unsigned n_fed, next_fed;
};

/* sim_rng_init - the stream of device `index` for one purpose ("uuid", "share", "faults"). */
void sim_rng_init(struct sim_rng *r, const uint8_t master[32], const char *purpose, uint32_t index);

void sim_rng_bytes(struct sim_rng *r, void *out, size_t len);
uint64_t sim_rng_below(struct sim_rng *r, uint64_t limit); /* 0 .. limit - 1; limit 0: 0 */
double sim_rng_unit(struct sim_rng *r); /* 0 <= x < 1 */

/* sim_rng_feed - the next request for exactly 32 bytes gets these. Ignored when the queue is full.
 */
void sim_rng_feed(struct sim_rng *r, const uint8_t value[32]);

#endif

#include <sodium.h>
#include <string.h>

#include "base/bytes.h"
#include "tests/sim/rng.h"

void sim_rng_init(struct sim_rng *r, const uint8_t master[32], const char *purpose, uint32_t index)
{
	crypto_hash_sha256_state h;
	uint8_t number[4];

	memset(r, 0, sizeof *r);
	put_le32(number, index);
	crypto_hash_sha256_init(&h);
	crypto_hash_sha256_update(&h, master, 32);
	crypto_hash_sha256_update(&h, number, sizeof number);
	crypto_hash_sha256_update(&h, (const uint8_t *)purpose, strlen(purpose));
	crypto_hash_sha256_final(&h, r->seed);
}

static void next_block(struct sim_rng *r, uint8_t out[32])
{
	uint8_t in[40];

	memcpy(in, r->seed, 32);
	put_le64(in + 32, r->counter++);
	crypto_hash_sha256(out, in, sizeof in);
}

void sim_rng_bytes(struct sim_rng *r, void *out, size_t len)
{
	uint8_t *p = out;

	if (len == 32 && r->next_fed < r->n_fed) {
		memcpy(p, r->fed[r->next_fed++], 32);
		return;
	}
	while (len) {
		uint8_t block[32];
		size_t n = len < sizeof block ? len : sizeof block;
		next_block(r, block);
		memcpy(p, block, n);
		p += n;
		len -= n;
	}
}

uint64_t sim_rng_below(struct sim_rng *r, uint64_t limit)
{
	uint8_t b[8];

	sim_rng_bytes(r, b, sizeof b);
	return limit ? get_le64(b) % limit
		     : 0; /* the bias of 2^-40 and less does not matter here */
}

double sim_rng_unit(struct sim_rng *r)
{
	return (double)sim_rng_below(r, (uint64_t)1 << 53) / (double)((uint64_t)1 << 53);
}

void sim_rng_feed(struct sim_rng *r, const uint8_t value[32])
{
	if (r->n_fed < SIM_RNG_FED_MAX)
		memcpy(r->fed[r->n_fed++], value, 32);
}

#include <stddef.h>

#include "tests/sim/fuses.h"
#include "tests/sim/status.h"

/* Ranges of words with equal properties; gaps are words that are not described publicly. */
static const struct fuse_range {
	unsigned first, last;
	bool ecc;
	uint32_t write_lock, read_lock; /* bits in word 0 */
} ranges[] = {
	{ 0, 2, false, 0, 0 },
	{ 3, 7, true, 0x00000200, 0x00000800 },
	{ 11, 22, true, 0x00000200, 0x00000800 },
	{ 23, 38, true, 0x00001000, 0x00004000 },
	{ 43, 46, true, 0x00040000, 0x00100000 },
	{ 47, 50, true, 0x00200000, 0x00800000 },
	{ 51, 54, true, 0x01000000, 0x04000000 },
	{ 55, 62, true, 0x08000000, 0x20000000 },
	{ 63, 81, false, 0, 0 },
};

static const struct fuse_range *range_of(uint32_t index)
{
	for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++)
		if (index >= ranges[i].first && index <= ranges[i].last)
			return &ranges[i];
	return NULL;
}

uint32_t sim_fuse_program(struct sim_fuses *f, uint32_t index, uint32_t value)
{
	bool lock = index & SIM_FUSE_LOCK_REQUEST;
	uint32_t i = index & ~SIM_FUSE_LOCK_REQUEST;
	const struct fuse_range *r = range_of(i);

	if (!r)
		return MBOOT_STATUS_OTP_INVALID_ADDRESS;
	if (f->locked[i] || f->word[SIM_FUSE_LOCKS] & r->write_lock)
		return MBOOT_STATUS_OTP_LOCKED;
	if (r->ecc && f->word[i] && f->word[i] != value)
		return MBOOT_STATUS_OTP_PROGRAM_FAIL;
	f->word[i] |= value;
	if (lock && r->write_lock)
		f->word[SIM_FUSE_LOCKS] |= r->write_lock;
	else if (lock)
		f->locked[i] = true;
	return OK_STATUS;
}

uint32_t sim_fuse_read(const struct sim_fuses *f, uint32_t index, uint32_t *value)
{
	const struct fuse_range *r = range_of(index);

	if (!r)
		return MBOOT_STATUS_OTP_INVALID_ADDRESS;
	if (f->word[SIM_FUSE_LOCKS] & r->read_lock)
		return MBOOT_STATUS_OTP_LOCKED;
	*value = f->word[index];
	return OK_STATUS;
}

int sim_fuse_lifecycle(const struct sim_fuses *f)
{
	uint32_t w = f->word[SIM_FUSE_LIFE_CYCLE];

	return (w & 0xFF) == w >> 24 ? (int)(w & 0xFF) : -1;
}

void sim_fuse_set_lifecycle(struct sim_fuses *f, uint8_t state)
{
	f->word[SIM_FUSE_LIFE_CYCLE] |= state | (uint32_t)state << 24;
}

bool sim_fuse_key_revoked(const struct sim_fuses *f, unsigned key)
{
	return key <= 3 && f->word[SIM_FUSE_LIFE_CYCLE] >> (20 + key) & 1;
}

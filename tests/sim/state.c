#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/fsio.h"
#include "crypt/digest.h"
#include "tests/sim/state.h"

#define MAGIC	  "MCXSIM1"
#define MAGIC_LEN 8
#define STATE_MAX ((size_t)2 << 30)

#define END_OF_SECTORS 0xFFFFFFFFu

enum { CHIP_NAME_LEN = 16 };

static void stores_of(struct sim_device *d, struct sim_store *out[4])
{
	out[0] = &d->mem.flash;
	out[1] = &d->mem.ifr;
	out[2] = &d->mem.flexspi;
	out[3] = &d->mem.spi_nor;
}

static void write_store(struct buf *b, const struct sim_store *s)
{
	const uint8_t *bits;

	for (size_t i = 0; i < sim_store_blocks(s); i++) {
		const uint8_t *p = sim_store_block(s, i, &bits);
		if (!p)
			continue;
		wr_le32(b, (uint32_t)i);
		wr_bytes(b, p, s->block_size);
		wr_bytes(b, bits, sim_store_programmed_len(s));
	}
	wr_le32(b, END_OF_SECTORS);
}

static void write_device(struct buf *b, struct sim_device *d)
{
	char name[CHIP_NAME_LEN] = { 0 };
	struct sim_store *stores[4];

	strncpy(name, d->opt.chip->name, sizeof name - 1);
	wr_bytes(b, name, sizeof name);
	wr_bytes(b, d->uuid, sizeof d->uuid);
	wr_bytes(b, d->rng.seed, sizeof d->rng.seed);
	wr_le64(b, d->rng.counter);
	wr_le32(b, d->resets);
	wr_le32(b, d->power_losses);
	for (size_t i = 0; i < SIM_FUSE_WORDS; i++) {
		wr_le32(b, d->fuses.word[i]);
		wr_u8(b, d->fuses.locked[i]);
	}
	wr_bytes(b, d->mem.pfr.cmpa.data, SIM_PFR_SIZE);
	wr_bytes(b, d->mem.pfr.cfpa.data, SIM_PFR_SIZE);
	wr_le32(b, (uint32_t)d->n_sb_records);
	for (size_t i = 0; i < d->n_sb_records; i++) {
		const struct sim_sb_record *r = &d->sb_records[i];
		wr_le32(b, r->size);
		wr_le32(b, r->blocks);
		wr_le32(b, r->status);
		wr_u8(b, r->devhsm);
		wr_bytes(b, r->sha256, sizeof r->sha256);
	}
	stores_of(d, stores);
	for (size_t i = 0; i < 4; i++)
		write_store(b, stores[i]);
}

int sim_state_save(const char *path, struct sim_device *const *devices, size_t n, struct err *e)
{
	AUTO(buf_clear) struct buf b = { .max = STATE_MAX };
	uint8_t digest[32];

	wr_bytes(&b, MAGIC, MAGIC_LEN);
	wr_le32(&b, (uint32_t)n);
	for (size_t i = 0; i < n; i++)
		write_device(&b, devices[i]);
	if (buf_check(&b, "state file", e) != 0)
		return err_wrap(e, "%s", path);
	sha256_of(b.p, b.len, digest);
	wr_bytes(&b, digest, sizeof digest);
	if (buf_check(&b, "state file", e) != 0)
		return err_wrap(e, "%s", path);
	if (fsio_write(path, b.p, b.len, 0600, e) != 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		devices[i]->changed = false;
	return 0;
}

static int read_store(struct rd *r, struct sim_store *s, struct err *e)
{
	for (;;) {
		uint32_t i = rd_le32(r);
		if (r->bad || i == END_OF_SECTORS)
			return 0;
		const uint8_t *data = rd_bytes(r, s->block_size);
		const uint8_t *bits = rd_bytes(r, sim_store_programmed_len(s));
		if (!data || !bits || i >= sim_store_blocks(s)) {
			r->bad = true;
			return 0;
		}
		if (sim_store_set_block(s, i, data, bits, e) != 0)
			return -1;
	}
}

static int read_device(struct rd *r, struct sim_device *d, struct err *e)
{
	char name[CHIP_NAME_LEN] = { 0 };
	uint8_t uuid[SIM_UUID_LEN] = { 0 };
	struct sim_store *stores[4];

	rd_copy(r, name, sizeof name);
	name[CHIP_NAME_LEN - 1] = 0;
	if (!r->bad && strcmp(name, d->opt.chip->name) != 0)
		return err_set(e, ERR_CONFIG, "device %u is a %s, --family says %s", d->index, name,
			d->opt.chip->name);
	rd_copy(r, uuid, sizeof uuid);
	sim_device_set_uuid(d, uuid);
	rd_copy(r, d->rng.seed, sizeof d->rng.seed);
	d->rng.counter = rd_le64(r);
	d->resets = rd_le32(r);
	d->power_losses = rd_le32(r);
	for (size_t i = 0; i < SIM_FUSE_WORDS; i++) {
		d->fuses.word[i] = rd_le32(r);
		d->fuses.locked[i] = rd_u8(r) != 0;
	}
	rd_copy(r, d->mem.pfr.cmpa.data, SIM_PFR_SIZE);
	rd_copy(r, d->mem.pfr.cfpa.data, SIM_PFR_SIZE);
	uint32_t records = rd_le32(r);
	for (uint32_t i = 0; i < records && !r->bad; i++) {
		struct sim_sb_record rec = { .size = rd_le32(r) };
		rec.blocks = rd_le32(r);
		rec.status = rd_le32(r);
		rec.devhsm = rd_u8(r) != 0;
		rd_copy(r, rec.sha256, sizeof rec.sha256);
		if (!r->bad)
			sim_device_record_sb(d, &rec);
	}
	stores_of(d, stores);
	for (size_t i = 0; i < 4; i++)
		if (read_store(r, stores[i], e) != 0)
			return -1;
	d->changed = false;
	return 0;
}

int sim_state_load(
	const char *path, struct sim_device *const *devices, size_t n, bool *found, struct err *e)
{
	AUTO(buf_clear) struct buf b = { .max = STATE_MAX };
	uint8_t digest[32];

	*found = fsio_exists(path);
	if (!*found)
		return 0;
	if (fsio_read(path, STATE_MAX, &b, e) != 0)
		return -1;
	if (b.len < MAGIC_LEN + 4 + sizeof digest || memcmp(b.p, MAGIC, MAGIC_LEN) != 0)
		return err_set(e, ERR_CONFIG, "%s: not a state file of mcxsim", path);
	sha256_of(b.p, b.len - sizeof digest, digest);
	if (memcmp(digest, b.p + b.len - sizeof digest, sizeof digest) != 0)
		return err_set(e, ERR_CONFIG, "%s: damaged (checksum)", path);
	struct rd r = rd_of(b.p + MAGIC_LEN, b.len - MAGIC_LEN - sizeof digest);
	uint32_t count = rd_le32(&r);
	if (count != n)
		return err_set(
			e, ERR_CONFIG, "%s: holds %u devices, --count says %zu", path, count, n);
	for (size_t i = 0; i < n; i++)
		if (read_device(&r, devices[i], e) != 0)
			return err_wrap(e, "%s", path);
	if (!rd_done(&r))
		return err_set(e, ERR_CONFIG, "%s: damaged (length)", path);
	return 0;
}

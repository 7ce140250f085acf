#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/boot.h"
#include "tests/sim/device.h"
#include "tests/sim/sb_receive.h"
#include "tests/sim/status.h"

static const struct {
	int lc;
	const char *name;
} lc_names[] = {
	{ SIM_LC_BLANK, "blank" },
	{ SIM_LC_DEVELOP, "develop" },
	{ SIM_LC_DEVELOP2, "develop2" },
	{ SIM_LC_IN_FIELD, "in-field" },
	{ SIM_LC_IN_FIELD_LOCKED, "in-field-locked" },
	{ SIM_LC_FIELD_RETURN_OEM, "field-return-oem" },
	{ SIM_LC_FAILURE_ANALYSIS, "failure-analysis" },
	{ SIM_LC_BRICKED, "bricked" },
};

const char *sim_lc_name(int lc)
{
	for (size_t i = 0; i < sizeof lc_names / sizeof lc_names[0]; i++)
		if (lc_names[i].lc == lc)
			return lc_names[i].name;
	return "unknown";
}

int sim_lc_parse(const char *name)
{
	for (size_t i = 0; i < sizeof lc_names / sizeof lc_names[0]; i++)
		if (strcmp(lc_names[i].name, name) == 0)
			return lc_names[i].lc;
	return -1;
}

bool sim_device_in_field(const struct sim_device *d)
{
	return d->lifecycle != SIM_LC_BLANK && d->lifecycle != SIM_LC_DEVELOP &&
	       d->lifecycle != SIM_LC_DEVELOP2;
}

void sim_device_set_uuid(struct sim_device *d, const uint8_t uuid[SIM_UUID_LEN])
{
	memmove(d->uuid, uuid, SIM_UUID_LEN);
	sim_roots_derive(&d->roots, d->chip->family, d->uuid);
}

int sim_device_new(
	struct sim_device **out, const struct sim_options *opt, unsigned index, struct err *e)
{
	struct sim_rng uuid_rng;
	uint8_t uuid[SIM_UUID_LEN];
	struct sim_device *d = calloc(1, sizeof *d);

	if (!d || sim_memory_init(&d->mem, opt->chip, e) != 0) {
		free(d);
		return err_set(e, ERR_ENV, "out of memory for device %u", index);
	}
	d->index = index;
	d->opt = *opt;
	d->chip = opt->chip;
	d->mem.timed = opt->flash_timing;
	d->mode = SIM_MODE_OFF;
	d->power_on_us = UINT64_MAX;
	sim_rng_init(&uuid_rng, opt->master_seed, "uuid", index);
	sim_rng_bytes(&uuid_rng, uuid, sizeof uuid);
	sim_rng_init(&d->rng, opt->master_seed, "device", index);
	sim_device_set_uuid(d, uuid);
	sim_link_init(&d->link, opt->max_packet);
	if (opt->lifecycle != SIM_LC_BLANK)
		sim_fuse_set_lifecycle(&d->fuses, (uint8_t)opt->lifecycle);
	*out = d;
	return 0;
}

void sim_device_free(struct sim_device *d)
{
	if (!d)
		return;
	sim_command_cancel(d, MBOOT_STATUS_ABORT_DATA_PHASE);
	sim_memory_clear(&d->mem);
	sim_session_clear(&d->session);
	free(d->sb_records);
	free(d);
}

/* What does not survive a reset. */
static void forget(struct sim_device *d)
{
	sim_command_cancel(d, MBOOT_STATUS_ABORT_DATA_PHASE);
	sim_session_clear(&d->session);
	sim_link_reset(&d->link);
	memset(&d->op, 0, sizeof d->op);
	d->mem.flexspi_ready = d->mem.spi_nor_ready = false;
	d->prop_verify_writes = 1;
	d->prop_irq_pin = d->prop_key_store = d->prop_byte_timeout = 0;
	d->last_error = OK_STATUS;
	d->stuck = false;
	d->silent_until_us = 0;
	d->changed = true;
}

void sim_device_power_on(struct sim_device *d)
{
	d->power_on_us = UINT64_MAX;
	forget(d);
	sim_fault_reset(d);
	sim_boot(d);
}

void sim_device_reset(struct sim_device *d)
{
	d->resets++;
	sim_device_power_on(d);
}

void sim_device_lose_power(struct sim_device *d, uint32_t off_ms)
{
	d->power_losses++;
	forget(d);
	sim_memory_power_off(&d->mem);
	d->mode = SIM_MODE_OFF;
	d->power_on_us = d->now_us + (uint64_t)off_ms * 1000;
}

static bool listens(const struct sim_device *d)
{
	return d->mode == SIM_MODE_ISP && d->silent_until_us <= d->now_us;
}

size_t sim_device_receive(struct sim_device *d, const uint8_t *data, size_t len)
{
	uint8_t faulty[512];
	size_t used = 0;

	if (!d->faults.line) {
		if (!listens(d))
			return len;
		d->faults.rx += len;
		used = sim_link_feed(d, data, len);
		d->faults.rx -= len - used;
		return listens(d) ? used : len;
	}
	/* One byte at a time: what a byte sets off happens before the next one is looked at. */
	while (used < len && d->link.n_out == 0) {
		size_t taken;
		uint32_t delay = 0;
		size_t n = sim_fault_line(
			d, true, data + used, 1, &taken, faulty, sizeof faulty, &delay);
		used += taken;
		d->link.delay_us += delay;
		for (size_t i = 0; i < n && listens(d);) {
			size_t got = sim_link_feed(d, faulty + i, n - i);
			if (got == 0)
				break; /* a doubled byte behind a whole frame is noise */
			i += got;
		}
	}
	return used;
}

size_t sim_device_wants(const struct sim_device *d)
{
	return listens(d) ? sim_link_wants(&d->link) : 1;
}

bool sim_device_transmit(struct sim_device *d, struct sim_chunk *out)
{
	const struct sim_out *o = sim_link_front(&d->link);
	size_t taken;

	if (!o)
		return false;
	out->delay_us = o->delay_us;
	if (!d->faults.line) {
		memcpy(out->bytes, o->bytes, o->len);
		out->len = o->len;
		d->faults.tx += o->len;
	} else {
		struct sim_out copy = *o; /* a fault may reset the link while we read it */
		out->len = sim_fault_line(d, false, copy.bytes, copy.len, &taken, out->bytes,
			sizeof out->bytes, &out->delay_us);
	}
	sim_link_pop(&d->link);
	return true;
}

uint64_t sim_device_deadline(const struct sim_device *d)
{
	if (d->mode == SIM_MODE_OFF)
		return d->power_on_us;
	if (d->mode != SIM_MODE_ISP)
		return UINT64_MAX;
	if (d->silent_until_us > d->now_us)
		return d->silent_until_us;
	return sim_link_deadline(&d->link);
}

void sim_device_tick(struct sim_device *d)
{
	if (d->mode == SIM_MODE_OFF && d->now_us >= d->power_on_us)
		sim_device_power_on(d);
	if (listens(d))
		sim_link_tick(d);
}

void sim_device_record_sb(struct sim_device *d, const struct sim_sb_record *r)
{
	if (d->n_sb_records == SIM_SB_RECORDS_MAX) {
		memmove(d->sb_records, d->sb_records + 1,
			(SIM_SB_RECORDS_MAX - 1) * sizeof *d->sb_records);
		d->n_sb_records--;
	}
	struct sim_sb_record *more =
		realloc(d->sb_records, (d->n_sb_records + 1) * sizeof *d->sb_records);
	if (!more)
		return;
	d->sb_records = more;
	d->sb_records[d->n_sb_records++] = *r;
	d->changed = true;
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/fsio.h"
#include "tests/unit/sim_host.h"

struct sim_options sim_host_options(uint64_t seed)
{
	struct sim_options o = { .chip = sim_chip_find("mcxn947"),
		.max_packet = SIM_MAX_PACKET,
		.lifecycle = SIM_LC_BLANK };

	put_le64(o.master_seed, seed);
	return o;
}

/* --- the engine's transport ------------------------------------------------------------------- */

static void tell_time(struct sim_host *h)
{
	h->d->now_us = h->now_us;
	if (h->now_us >= sim_device_deadline(h->d))
		sim_device_tick(h->d);
}

static int io_read(void *ctx, uint8_t *buf, size_t cap, int timeout_ms, size_t *got, struct err *e)
{
	struct sim_host *h = ctx;
	uint64_t until = h->now_us + (uint64_t)(timeout_ms > 0 ? timeout_ms : 0) * 1000;

	(void)e;
	*got = 0;
	for (;;) {
		tell_time(h);
		if (!h->holding && sim_device_transmit(h->d, &h->held)) {
			h->holding = true;
			h->held_taken = 0;
			h->held_until_us = h->now_us + h->held.delay_us;
		}
		if (h->holding && h->now_us >= h->held_until_us) {
			size_t n = h->held.len - h->held_taken;
			n = n < cap ? n : cap;
			memcpy(buf, h->held.bytes + h->held_taken, n);
			h->held_taken += n;
			h->holding = h->held_taken < h->held.len;
			*got = n;
			if (n)
				return 0;
			continue;
		}
		uint64_t next = sim_device_deadline(h->d);
		if (h->holding && h->held_until_us < next)
			next = h->held_until_us;
		if (next >= until) {
			h->now_us = until;
			return 0;
		}
		h->now_us = next > h->now_us ? next : h->now_us + 1;
	}
}

static int io_write(void *ctx, const uint8_t *data, size_t len, int timeout_ms, struct err *e)
{
	struct sim_host *h = ctx;

	(void)timeout_ms;
	(void)e;
	tell_time(h);
	while (len) {
		size_t n = sim_device_receive(h->d, data, len);
		data += n;
		len -= n;
		if (n == 0) /* it talks first: what it says now nobody hears */
			(void)sim_device_transmit(h->d, &h->held);
	}
	return 0;
}

static void io_close(void *ctx)
{
	(void)ctx;
}

static int64_t io_now(void *ctx)
{
	return (int64_t)(((struct sim_host *)ctx)->now_us / 1000);
}

static void open_engine(struct sim_host *h)
{
	const struct mboot_io io = {
		.read = io_read, .write = io_write, .close = io_close, .ctx = h
	};
	const struct mboot_options options = { .now_ms = io_now, .clock_ctx = h, .baud = 115200 };
	struct err e = { 0 };

	mboot_free(h->m);
	h->m = NULL;
	if (mboot_new(&h->m, &io, &options, &e) != 0)
		fail_msg("%s", e.msg);
}

void sim_host_start(struct sim_host *h, const struct sim_options *o, const char *const faults[])
{
	struct sim_fault_spec specs[16];
	size_t n = 0;
	struct err e = { 0 };

	memset(h, 0, sizeof *h);
	h->now_us = 1000;
	if (sim_device_new(&h->d, o, 0, &e) != 0)
		fail_msg("%s", e.msg);
	for (; faults && faults[n]; n++)
		if (sim_fault_parse(&specs[n], faults[n], &e) != 0)
			fail_msg("%s", e.msg);
	if (sim_fault_assign(&h->d->faults, specs, n, 0, o->master_seed, &e) != 0)
		fail_msg("%s", e.msg);
	h->d->now_us = h->now_us;
	sim_device_power_on(h->d);
	sim_fault_start(h->d);
	open_engine(h);
}

void sim_host_stop(struct sim_host *h)
{
	mboot_free(h->m);
	sim_device_free(h->d);
	memset(h, 0, sizeof *h);
}

void sim_host_bytes(struct sim_host *h, const void *data, size_t len, struct buf *answer)
{
	static struct sim_chunk chunk;
	const uint8_t *p = data;

	for (;;) {
		tell_time(h);
		if (sim_device_transmit(h->d, &chunk)) {
			h->now_us += chunk.delay_us;
			if (answer)
				wr_bytes(answer, chunk.bytes, chunk.len);
			continue;
		}
		if (!len)
			return;
		size_t n = sim_device_receive(h->d, p, len);
		p += n;
		len -= n;
	}
}

size_t sim_host_frame(uint8_t *out, uint8_t type, const void *payload, size_t len)
{
	return mboot_frame_encode(out, type, payload, len);
}

size_t sim_host_command(uint8_t *out, uint8_t tag, unsigned n, const uint32_t *params)
{
	uint8_t p[4 + 4 * MBOOT_MAX_PARAMS] = { tag,
		tag == MBOOT_CMD_WRITE_MEMORY || tag == MBOOT_CMD_RECEIVE_SB_FILE, 0, (uint8_t)n };

	for (unsigned i = 0; i < n; i++)
		put_le32(p + 4 + 4 * i, params[i]);
	return mboot_frame_encode(out, MBOOT_FRAME_COMMAND, p, 4 + 4 * n);
}

uint32_t sim_host_sb(struct sim_host *h, const void *data, size_t len)
{
	struct err e = { 0 };

	if (mboot_receive_sb_file(h->m, data, len, &e) == 0)
		return mboot_last_status(h->m);
	if (!e.device)
		fail_msg("receive-sb-file: %s", e.msg);
	return e.device;
}

bool sim_host_reset(struct sim_host *h)
{
	struct err e = { 0 };

	if (mboot_reset(h->m, &e) != 0)
		fail_msg("reset: %s", e.msg);
	h->holding = false;
	open_engine(h);
	return mboot_ping(h->m, NULL, &e) == 0;
}

void sim_host_read_file(const char *path, struct buf *out)
{
	struct err e = { 0 };

	if (fsio_read(path, (size_t)64 << 20, out, &e) != 0)
		fail_msg("%s", e.msg);
}

void sim_host_provision(struct sim_host *h, const uint8_t *rkth, size_t rkth_len,
	const uint8_t cust_mk_sk[32], unsigned secure, int lifecycle)
{
	struct sim_pfr_page *cmpa = &h->d->mem.pfr.cmpa;
	struct err e = { 0 };

	memset(cmpa->data + SIM_CMPA_ROTKH, 0, SIM_CMPA_ROTKH_LEN);
	memcpy(cmpa->data + SIM_CMPA_ROTKH, rkth, rkth_len);
	put_le32(cmpa->data + 0x50, secure);
	if (sim_blob_wrap(h->d->roots.k_die, SIM_PROPS_DIE, cust_mk_sk,
		    cmpa->data + SIM_CMPA_KEY_BLOB, &e) != 0)
		fail_msg("%s", e.msg);
	sim_fuse_set_lifecycle(&h->d->fuses, (uint8_t)lifecycle);
	sim_device_reset(h->d);
}

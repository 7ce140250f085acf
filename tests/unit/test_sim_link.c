/* The device's side of the line: rules of the protocol, broken frames, hosts with bad habits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sodium.h>
#include <cmocka.h>

#include "base/text.h"
#include "tests/sim/status.h"
#include "tests/unit/sim_host.h"

static const uint8_t ack[2] = { 0x5A, 0xA1 }, nak[2] = { 0x5A, 0xA2 }, abort_[2] = { 0x5A, 0xA3 };
static const uint8_t ping[2] = { 0x5A, 0xA6 };
static const uint8_t pong[10] = { 0x5A, 0xA7, 0, 3, 1, 0x50, 0, 0, 0xFB, 0x40 };

struct line {
	struct sim_host h;
	struct buf got;
};

static void start(struct line *l, uint32_t max_packet, const char *const faults[])
{
	struct sim_options o = sim_host_options(3);

	memset(l, 0, sizeof *l);
	o.max_packet = max_packet;
	sim_host_start(&l->h, &o, faults);
}

static void stop(struct line *l)
{
	buf_clear(&l->got);
	sim_host_stop(&l->h);
}

static void send(struct line *l, const void *data, size_t len)
{
	l->got.len = 0;
	sim_host_bytes(&l->h, data, len, &l->got);
}

static void send_command(struct line *l, uint8_t tag, unsigned n, const uint32_t *p)
{
	uint8_t frame[128];

	send(l, frame, sim_host_command(frame, tag, n, p));
}

static void send_data(struct line *l, const void *data, size_t len)
{
	uint8_t frame[6 + 4096];

	send(l, frame, sim_host_frame(frame, MBOOT_FRAME_DATA, data, len));
}

static void expect(struct line *l, const void *want, size_t len)
{
	char seen[201], wanted[201];

	if (l->got.len != len || (len && memcmp(l->got.p, want, len) != 0))
		fail_msg("the device sent %s, wanted %s",
			hex_encode(seen, l->got.p, l->got.len < 100 ? l->got.len : 100),
			hex_encode(wanted, want, len < 100 ? len : 100));
}

/* [short frame] generic(status, tag) */
static void expect_generic(struct line *l, const uint8_t *before, uint32_t status, uint8_t tag)
{
	uint8_t want[64], p[12] = { 0xA0, 0, 0, 2 };
	size_t n = 0;

	if (before) {
		memcpy(want, before, 2);
		n = 2;
	}
	put_le32(p + 4, status);
	put_le32(p + 8, tag);
	n += sim_host_frame(want + n, MBOOT_FRAME_COMMAND, p, 12);
	expect(l, want, n);
}

/* Wait; what the device then says by itself. */
static void wait_us(struct line *l, uint64_t us)
{
	l->h.now_us += us;
	send(l, NULL, 0);
}

static void open_write(struct line *l, uint32_t addr, uint32_t len)
{
	send_command(l, MBOOT_CMD_WRITE_MEMORY, 3, (uint32_t[]){ addr, len, 0 });
	expect_generic(l, ack, 0, MBOOT_CMD_WRITE_MEMORY);
	send(l, ack, 2);
	expect(l, NULL, 0);
}

static void noise_before_a_frame_is_skipped(void **state)
{
	static const uint8_t noise[] = { 0, 0xFF, 0x5A, 0x5A, 0x5A, 0x13, 0xA6, 0x5A, 0xA7, 0x5A };
	struct line l;

	(void)state;
	start(&l, 512, NULL);
	send(&l, noise, sizeof noise);
	expect(&l, NULL, 0);
	send(&l, ping + 1, 1); /* the last 5A of the noise begins a ping */
	expect(&l, pong, 10);
	/* A ping in single bytes, and two at once. */
	send(&l, ping, 1);
	expect(&l, NULL, 0);
	send(&l, ping + 1, 1);
	expect(&l, pong, 10);
	send(&l, "\x5A\xA6\x5A\xA6", 4);
	assert_int_equal(l.got.len, 20);
	stop(&l);
}

static void damaged_frames_are_naked_and_change_nothing(void **state)
{
	uint8_t frame[64], data[32];
	struct line l;

	(void)state;
	start(&l, 512, NULL);
	size_t n = sim_host_command(frame, MBOOT_CMD_GET_PROPERTY, 2, (uint32_t[]){ 1, 0 });
	for (size_t i = 4; i < n; i++) { /* CRC and payload; the length field is another matter */
		frame[i] ^= 0x20;
		send(&l, frame, n);
		expect(&l, nak, 2);
		frame[i] ^= 0x20;
	}
	/* In a data phase too: the repetition is taken, and taken once. */
	for (size_t i = 0; i < sizeof data; i++)
		data[i] = (uint8_t)i;
	open_write(&l, 0x20002000, 64);
	n = sim_host_frame(frame, MBOOT_FRAME_DATA, data, 32);
	frame[10] ^= 1;
	send(&l, frame, n);
	expect(&l, nak, 2);
	frame[10] ^= 1;
	send(&l, frame, n);
	expect(&l, ack, 2);
	send(&l, frame, n);
	expect_generic(&l, ack, 0, MBOOT_CMD_WRITE_MEMORY);
	uint8_t seen[64];
	assert_true(sim_memory_ram_get(&l.h.d->mem, 0x20002000, seen, 64));
	assert_memory_equal(seen, data, 32);
	assert_memory_equal(seen + 32, data, 32);
	stop(&l);
}

static void a_cut_frame_is_naked_after_a_while(void **state)
{
	uint8_t frame[64];
	struct line l;

	(void)state;
	start(&l, 512, NULL);
	size_t n = sim_host_command(frame, MBOOT_CMD_GET_PROPERTY, 2, (uint32_t[]){ 1, 0 });
	for (size_t cut = 1; cut < n; cut++) {
		send(&l, frame, cut);
		expect(&l, NULL, 0);
		wait_us(&l, SIM_FRAME_TIMEOUT_US - 1);
		expect(&l, NULL, 0);
		wait_us(&l, 1);
		if (cut == 1)
			expect(&l, NULL, 0); /* a lone start byte is noise */
		else
			expect(&l, nak, 2);
		send(&l, frame, n);
		assert_true(l.got.len > 2);
	}
	stop(&l);
}

static void frames_that_are_too_long(void **state)
{
	static uint8_t frame[6 + 65535], data[65535];
	struct line l;

	(void)state;
	start(&l, 56, NULL);
	/* Outside a data phase: consumed and NAKed. */
	size_t n = mboot_frame_encode(frame, MBOOT_FRAME_DATA, data, 57);
	send(&l, frame, n);
	expect(&l, nak, 2);
	n = mboot_frame_encode(frame, MBOOT_FRAME_COMMAND, data, 65535);
	send(&l, frame, n);
	expect(&l, nak, 2);
	/* In a data phase: consumed, ABORT, 10002. */
	open_write(&l, 0x20002000, 200);
	n = mboot_frame_encode(frame, MBOOT_FRAME_DATA, data, 57);
	send(&l, frame, n);
	expect_generic(&l, abort_, MBOOT_STATUS_ABORT_DATA_PHASE, MBOOT_CMD_WRITE_MEMORY);
	/* Commands may be longer than small packets: trust-provisioning has nine parameters. */
	send_command(&l, MBOOT_CMD_TRUST_PROVISIONING, 9, (uint32_t[9]){ 99 });
	expect_generic(&l, ack, MBOOT_STATUS_COMMAND_UNSUPPORTED, MBOOT_CMD_TRUST_PROVISIONING);
	stop(&l);
}

static void commands_that_make_no_sense(void **state)
{
	uint8_t frame[64];
	struct line l;

	(void)state;
	start(&l, 512, NULL);
	send_command(&l, 0x99, 0, NULL);
	expect_generic(&l, ack, MBOOT_STATUS_UNKNOWN_COMMAND, 0x99);
	send_command(&l, MBOOT_CMD_FLASH_SECURITY_DISABLE, 2, (uint32_t[]){ 0, 0 });
	expect_generic(&l, ack, MBOOT_STATUS_COMMAND_UNSUPPORTED, MBOOT_CMD_FLASH_SECURITY_DISABLE);
	send_command(&l, MBOOT_CMD_FLASH_ERASE_REGION, 1, (uint32_t[]){ 0 });
	expect_generic(&l, ack, MBOOT_STATUS_INVALID_ARGUMENT, MBOOT_CMD_FLASH_ERASE_REGION);
	/* Fewer bytes than the parameter count says; no packet at all. */
	const uint8_t lies[8] = { MBOOT_CMD_FILL_MEMORY, 0, 0, 3, 1, 2, 3, 4 };
	send(&l, frame, sim_host_frame(frame, MBOOT_FRAME_COMMAND, lies, 8));
	expect_generic(&l, ack, MBOOT_STATUS_INVALID_ARGUMENT, MBOOT_CMD_FILL_MEMORY);
	send(&l, frame, sim_host_frame(frame, MBOOT_FRAME_COMMAND, NULL, 0));
	expect_generic(&l, ack, MBOOT_STATUS_INVALID_ARGUMENT, 0);
	stop(&l);
}

static void nak_repeats_the_last_frame(void **state)
{
	uint8_t first[64];
	struct line l;

	(void)state;
	start(&l, 512, NULL);
	send(&l, nak, 2); /* nothing to repeat */
	expect(&l, NULL, 0);
	send_command(&l, MBOOT_CMD_GET_PROPERTY, 2, (uint32_t[]){ 11, 0 });
	size_t n = l.got.len - 2;
	memcpy(first, l.got.p + 2, n);
	for (int i = 0; i < 5; i++) {
		send(&l, nak, 2);
		expect(&l, first, n); /* without the ACK */
	}
	send(&l, ack, 2);
	send(&l, nak, 2);
	expect(&l, NULL, 0);
	stop(&l);
}

static void a_lost_ack_is_taken_as_given(void **state)
{
	uint8_t data[8] = { 1, 2, 3, 4, 5, 6, 7, 8 }, seen[8];
	struct line l;

	(void)state;
	start(&l, 512, NULL);
	/* Data frame where the ACK of the first response is due. */
	send_command(&l, MBOOT_CMD_WRITE_MEMORY, 3, (uint32_t[]){ 0x20002000, 8, 0 });
	send_data(&l, data, 8);
	expect_generic(&l, ack, 0, MBOOT_CMD_WRITE_MEMORY);
	assert_true(sim_memory_ram_get(&l.h.d->mem, 0x20002000, seen, 8));
	assert_memory_equal(seen, data, 8);
	/* Command where the ACK of the last response is due. */
	send_command(&l, MBOOT_CMD_FLASH_ERASE_ALL, 1, (uint32_t[]){ 0 });
	expect_generic(&l, ack, 0, MBOOT_CMD_FLASH_ERASE_ALL);
	/* Ping there, then a command. */
	send(&l, ping, 2);
	expect(&l, pong, 10);
	/* A reset waits for its ACK a short time only, and does not need it. */
	unsigned resets = l.h.d->resets;
	send_command(&l, MBOOT_CMD_RESET, 0, NULL);
	expect_generic(&l, ack, 0, MBOOT_CMD_RESET);
	assert_int_equal(l.h.d->resets, resets);
	wait_us(&l, SIM_ACK_TIMEOUT_US);
	assert_int_equal(l.h.d->resets, resets + 1);
	send_command(&l, MBOOT_CMD_RESET, 0, NULL);
	send_command(&l, MBOOT_CMD_FLASH_ERASE_ALL, 1, (uint32_t[]){ 0 });
	expect_generic(&l, ack, 0, MBOOT_CMD_FLASH_ERASE_ALL);
	assert_int_equal(l.h.d->resets, resets + 2);
	send_command(&l, MBOOT_CMD_RESET, 0, NULL);
	send(&l, ping, 2);
	expect(&l, pong, 10);
	assert_int_equal(l.h.d->resets, resets + 3);
	stop(&l);
}

static void data_phases_end_early(void **state)
{
	uint8_t data[64] = { 0 };
	struct line l;

	(void)state;
	start(&l, 32, NULL);
	/* The host gives up with an empty data frame. */
	open_write(&l, 0x20002000, 64);
	send_data(&l, data, 32);
	expect(&l, ack, 2);
	send_data(&l, NULL, 0);
	expect_generic(&l, ack, MBOOT_STATUS_ABORT_DATA_PHASE, MBOOT_CMD_WRITE_MEMORY);
	send(&l, ack, 2);
	/* More than announced: nothing of the excess is written. */
	open_write(&l, 0x20003000, 40);
	memset(data, 0xEE, sizeof data);
	send_data(&l, data, 32);
	expect(&l, ack, 2);
	send_data(&l, data, 9);
	expect_generic(&l, abort_, MBOOT_STATUS_ABORT_DATA_PHASE, MBOOT_CMD_WRITE_MEMORY);
	assert_true(sim_memory_ram_get(&l.h.d->mem, 0x20003020, data, 9));
	for (int i = 0; i < 9; i++)
		assert_int_equal(data[i], 0);
	/* A command in an open data phase: no word about the phase, the command is done. */
	open_write(&l, 0x20002000, 64);
	send_command(&l, MBOOT_CMD_FLASH_ERASE_ALL, 1, (uint32_t[]){ 0 });
	expect_generic(&l, ack, 0, MBOOT_CMD_FLASH_ERASE_ALL);
	send(&l, ack, 2);
	send_data(&l, data, 32); /* belongs to nothing */
	expect(&l, NULL, 0);
	/* A ping ends it too. */
	open_write(&l, 0x20002000, 64);
	send(&l, ping, 2);
	expect(&l, pong, 10);
	send_data(&l, data, 32);
	expect(&l, NULL, 0);
	/* The host ends an incoming phase with ABORT in place of the ACK. */
	send_command(&l, MBOOT_CMD_READ_MEMORY, 3, (uint32_t[]){ 0x20002000, 64, 0 });
	send(&l, ack, 2);
	assert_int_equal(l.got.len, 6 + 32);
	send(&l, abort_, 2);
	expect_generic(&l, NULL, MBOOT_STATUS_ABORT_DATA_PHASE, MBOOT_CMD_READ_MEMORY);
	stop(&l);
}

static void nothing_is_sent_before_its_ack(void **state)
{
	struct line l;

	(void)state;
	start(&l, 64, NULL);
	send_command(&l, MBOOT_CMD_READ_MEMORY, 3, (uint32_t[]){ 0, 130, 0 });
	assert_int_equal(l.got.len, 2 + 6 + 12);
	wait_us(&l, 10000000);
	expect(&l, NULL, 0);
	for (unsigned i = 0; i < 3; i++) {
		send(&l, ack, 2);
		assert_int_equal(l.got.len, 6 + (i < 2 ? 64 : 2));
		wait_us(&l, 10000000);
		expect(&l, NULL, 0);
	}
	send(&l, ack, 2);
	expect_generic(&l, NULL, 0, MBOOT_CMD_READ_MEMORY);
	stop(&l);
}

static void memory_rules(void **state)
{
	struct line l;
	struct err e = { 0 };
	AUTO(buf_clear) struct buf b = { 0 };
	uint8_t data[100];

	(void)state;
	start(&l, 512, NULL);
	struct mboot *m = l.h.m;
	memset(data, 0x11, sizeof data);
#define STATUS(call, want)                                                                         \
	do {                                                                                       \
		err_clear(&e);                                                                     \
		uint32_t got_ = (call) == 0 ? 0 : e.device;                                        \
		if (got_ != (want))                                                                \
			fail_msg(#call ": %u, wanted %u (%s)", got_, (want), e.msg);               \
	} while (0)
	/* Phrases: padded with 0xFF, written once, aligned to 16. */
	STATUS(mboot_write_memory(m, 0x4000, data, 20, 0, &e), 0u);
	STATUS(mboot_read_memory(m, 0x4000, 40, 0, &b, &e), 0u);
	assert_memory_equal(b.p, data, 20);
	for (int i = 20; i < 40; i++)
		assert_int_equal(b.p[i], 0xFF);
	STATUS(mboot_write_memory(m, 0x4010, data, 16, 0, &e), 10203u); /* the padding counts */
	STATUS(mboot_write_memory(m, 0x4020, data, 16, 0, &e), 0u);
	STATUS(mboot_write_memory(m, 0x10004020, data, 16, 0, &e), 10203u); /* same cell, alias */
	STATUS(mboot_write_memory(m, 0x4008, data, 16, 0, &e), 101u);
	STATUS(mboot_write_memory(m, 0x1FFFF0, data, 16, 0, &e), 0u); /* the last phrase */
	STATUS(mboot_write_memory(m, 0x1FFFF0, data, 17, 0, &e), 10200u);
	STATUS(mboot_write_memory(m, 0xFFFFFFF0, data, 32, 0, &e), 10200u); /* wraps */
	STATUS(mboot_write_memory(m, 0x40000000, data, 16, 0, &e), 10200u);
	STATUS(mboot_write_memory(m, 0x20001001, data, 99, 0, &e), 0u); /* RAM: any alignment */
	STATUS(mboot_write_memory(m, 0x20067FFF, data, 1, 0, &e), 0u);
	STATUS(mboot_write_memory(m, 0x20067FFF, data, 2, 0, &e), 10200u);
	STATUS(mboot_read_memory(m, 0x30000000, 4, 0, &b, &e), 10200u);
	/* Erase: sectors of 8 KiB. */
	STATUS(mboot_flash_erase_region(m, 0x4000, 0x2000, 0, &e), 0u);
	STATUS(mboot_write_memory(m, 0x4000, data, 100, 0, &e), 0u);
	STATUS(mboot_flash_erase_region(m, 0x4000, 0x1000, 0, &e), 101u);
	STATUS(mboot_flash_erase_region(m, 0x4010, 0x2000, 0, &e), 101u);
	STATUS(mboot_flash_erase_region(m, 0x1FE000, 0x4000, 0, &e), 102u);
	STATUS(mboot_flash_erase_region(m, 0x20000000, 0x2000, 0, &e), 102u);
	STATUS(mboot_flash_erase_all(m, 0, &e), 0u);
	STATUS(mboot_flash_erase_all(m, 9, &e), 10205u);
	STATUS(mboot_flash_erase_all(m, 77, &e), 10200u);
	/* Fill: words. */
	STATUS(mboot_fill_memory(m, 0x4000, 0x2000, 0x12345678, &e), 0u);
	STATUS(mboot_fill_memory(m, 0x4000, 16, 0x12345678, &e), 10203u);
	STATUS(mboot_fill_memory(m, 0x20003000, 6, 0, &e), 4u);
	/* FlexSPI after configuration, gone after a reset. */
	STATUS(mboot_write_memory(m, 0x80000000, data, 16, 0, &e), 10205u);
	STATUS(mboot_fill_memory(m, 0x20003000, 4, 0x20000000, &e), 0u);
	STATUS(mboot_configure_memory(m, 9, 0x20003000, &e), 20109u);
	STATUS(mboot_configure_memory(m, 9, 0x30003000, &e), 4u);
	STATUS(mboot_configure_memory(m, 8, 0x20003000, &e), 4u);
	STATUS(mboot_fill_memory(m, 0x20003000, 4, 0xC0000005, &e), 0u);
	STATUS(mboot_configure_memory(m, 9, 0x20003000, &e), 0u);
	STATUS(mboot_write_memory(m, 0x80000000, data, 16, 9, &e), 0u);
	STATUS(mboot_flash_erase_all(m, 9, &e), 0u);
	assert_true(sim_host_reset(&l.h));
	m = l.h.m;
	STATUS(mboot_read_memory(m, 0x80000000, 16, 0, &b, &e), 10205u);
	stop(&l);
}

static void fuse_rules(void **state)
{
	struct line l;
	struct err e = { 0 };
	uint32_t v, w[2];

	(void)state;
	start(&l, 512, NULL);
	struct mboot *m = l.h.m;
	STATUS(mboot_efuse_program_once(m, 63, 0x0F, false, true, &e), 0u);
	STATUS(mboot_efuse_program_once(m, 63, 0xF0, false, true, &e), 0u);
	STATUS(mboot_efuse_read_once(m, 63, &v, &e), 0u);
	assert_int_equal(v, 0xFF); /* bits are only ever added */
	STATUS(mboot_efuse_program_once(m, 63, 0x100, true, false, &e), 0u);
	STATUS(mboot_efuse_program_once(m, 63, 0x200, false, false, &e), 52806u);
	STATUS(mboot_efuse_program_once(m, 64, 1, false, false, &e), 0u); /* not locked with it */
	/* ECC words: once; again only with the same value. */
	STATUS(mboot_efuse_program_once(m, 43, 0x55, false, false, &e), 0u);
	STATUS(mboot_efuse_program_once(m, 43, 0x55, false, false, &e), 0u);
	STATUS(mboot_efuse_program_once(m, 43, 0xAA, false, false, &e), 52802u);
	/* Their lock is a bit in word 0 that closes the group. */
	STATUS(mboot_efuse_program_once(m, 44, 1, true, false, &e), 0u);
	STATUS(mboot_efuse_program_once(m, 45, 1, false, false, &e), 52806u);
	STATUS(mboot_efuse_read_once(m, 0, &v, &e), 0u);
	assert_int_equal(v, 0x00040000);
	STATUS(mboot_efuse_program_once(m, 47, 1, false, false, &e), 0u);
	/* Read lock; words nobody describes; sizes. */
	STATUS(mboot_efuse_program_once(m, 0, 0x00100000, false, false, &e), 0u);
	STATUS(mboot_efuse_read_once(m, 43, &v, &e), 52806u);
	STATUS(mboot_efuse_program_once(m, 9, 1, false, false, &e), 52801u);
	STATUS(mboot_efuse_read_once(m, 82, &v, &e), 52801u);
	STATUS(mboot_efuse_read_once(m, 0xFFFFFFFF, &v, &e), 52801u);
	STATUS(mboot_flash_read_once(m, 63, 8, w, &e), 0u);
	assert_int_equal(w[0], 0x1FF);
	assert_int_equal(w[1], 1);
	STATUS(mboot_flash_program_once(m, 63, 8, w, &e), 4u);
	stop(&l);
}

static void properties(void **state)
{
	struct line l;
	struct err e = { 0 };
	uint32_t w[8];
	size_t n;

	(void)state;
	start(&l, 256, NULL);
	struct mboot *m = l.h.m;
	static const struct {
		uint32_t id, value;
	} words[] = { { 1, 0x4B030100 }, { 2, 0x1F }, { 3, 0 }, { 4, 0x200000 }, { 5, 0x2000 },
		{ 6, 1 }, { 7, 0x00216FDF }, { 8, 10402 }, { 10, 1 }, { 11, 256 },
		{ 14, 0x20000000 }, { 15, 0x68000 }, { 16, 0 }, { 17, 0x5AA55AA5 },
		{ 24, 0x54010000 }, { 27, 128 }, { 28, 0 }, { 29, 0 }, { 30, 0 }, { 31, 0 },
		{ 32, 0 } };
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		STATUS(mboot_get_property(m, words[i].id, 0, w, 8, &n, &e), 0u);
		assert_int_equal(n, 1);
		if (w[0] != words[i].value)
			fail_msg("property %u is 0x%x", words[i].id, w[0]);
	}
	for (uint32_t id = 0; id < 64; id++) {
		static const uint32_t unknown[] = { 0, 13, 19, 20, 21, 22, 23, 26, 33, 34, 35, 36,
			37, 38, 63 };
		for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++)
			if (unknown[i] == id) {
				STATUS(mboot_get_property(m, id, 0, w, 8, &n, &e), 10300u);
				STATUS(mboot_set_property(m, id, 0, &e), 10300u);
			}
	}
	STATUS(mboot_get_property(m, 9, 0, w, 8, &n, &e), 0u);
	STATUS(mboot_get_property(m, 12, 0, w, 8, &n, &e), 0u);
	assert_int_equal(n, 4);
	assert_int_equal(w[3], 0x20001FFF);
	STATUS(mboot_get_property(m, 25, 9, w, 8, &n, &e), 10205u);
	STATUS(mboot_fill_memory(m, 0x20003000, 4, 0xC0000005, &e), 0u);
	STATUS(mboot_configure_memory(m, 9, 0x20003000, &e), 0u);
	STATUS(mboot_get_property(m, 25, 9, w, 8, &n, &e), 0u);
	assert_int_equal(w[1], 0x80000000);
	STATUS(mboot_set_property(m, 10, 0, &e), 0u);
	STATUS(mboot_get_property(m, 10, 0, w, 8, &n, &e), 0u);
	assert_int_equal(w[0], 0);
	STATUS(mboot_set_property(m, 10, 2, &e), 10302u);
	STATUS(mboot_set_property(m, 28, 0x80000102, &e), 0u);
	STATUS(mboot_set_property(m, 11, 64, &e), 10301u);
	/* Volatile: a reset forgets them. */
	assert_true(sim_host_reset(&l.h));
	STATUS(mboot_get_property(l.h.m, 10, 0, w, 8, &n, &e), 0u);
	assert_int_equal(w[0], 1);
	stop(&l);
}

static void seeds_make_devices_repeatable(void **state)
{
	struct sim_options o = sim_host_options(11), p = sim_host_options(12);
	struct sim_device *a, *b, *c, *d;
	struct err e = { 0 };

	(void)state;
	assert_int_equal(sim_device_new(&a, &o, 0, &e), 0);
	assert_int_equal(sim_device_new(&b, &o, 0, &e), 0);
	assert_int_equal(sim_device_new(&c, &o, 1, &e), 0);
	assert_int_equal(sim_device_new(&d, &p, 0, &e), 0);
	assert_memory_equal(a->uuid, b->uuid, 16);
	assert_memory_not_equal(a->uuid, c->uuid, 16);
	assert_memory_not_equal(a->uuid, d->uuid, 16);
	sim_device_free(a);
	sim_device_free(b);
	sim_device_free(c);
	sim_device_free(d);
}

/* A host that sends anything at all: the device survives and still answers. */
static void random_bytes_do_no_harm(void **state)
{
	struct line l;
	struct sim_rng rng;
	uint8_t master[32] = { 7 };

	(void)state;
	start(&l, 64, NULL);
	sim_rng_init(&rng, master, "noise", 0);
	for (int round = 0; round < 3000; round++) {
		uint8_t bytes[80], frame[128];
		size_t n = sim_rng_below(&rng, sizeof bytes);
		sim_rng_bytes(&rng, bytes, n);
		if (round % 3 == 0) { /* a good frame with a random command */
			if (n)
				bytes[0] &= 0x1F;
			n = sim_host_frame(frame,
				round % 2 ? MBOOT_FRAME_COMMAND : MBOOT_FRAME_DATA, bytes, n);
			send(&l, frame, n);
		} else
			send(&l, bytes, n);
		if (l.h.d->mode != SIM_MODE_ISP) /* it executed something */
			sim_device_reset(l.h.d);
	}
	wait_us(&l, SIM_FRAME_TIMEOUT_US);
	sim_device_reset(l.h.d);
	send(&l, ping, 2);
	expect(&l, pong, 10);
	stop(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(noise_before_a_frame_is_skipped),
		cmocka_unit_test(damaged_frames_are_naked_and_change_nothing),
		cmocka_unit_test(a_cut_frame_is_naked_after_a_while),
		cmocka_unit_test(frames_that_are_too_long),
		cmocka_unit_test(commands_that_make_no_sense),
		cmocka_unit_test(nak_repeats_the_last_frame),
		cmocka_unit_test(a_lost_ack_is_taken_as_given),
		cmocka_unit_test(data_phases_end_early),
		cmocka_unit_test(nothing_is_sent_before_its_ack),
		cmocka_unit_test(memory_rules),
		cmocka_unit_test(fuse_rules),
		cmocka_unit_test(properties),
		cmocka_unit_test(seeds_make_devices_repeatable),
		cmocka_unit_test(random_bytes_do_no_harm),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests_name("sim_link", tests, NULL, NULL);
}

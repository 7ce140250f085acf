/* Faults: the grammar, each kind at each kind of place, and that seeds repeat them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sodium.h>
#include <cmocka.h>

#include "tests/sim/status.h"
#include "tests/unit/sim_host.h"
#include "tests/unit/sim_sb_kit.h"

static void good_specifications(void **state)
{
	static const struct {
		const char *text;
		enum sim_fault_kind kind;
		enum sim_fault_place place;
		uint64_t value, n;
		uint32_t occurrence, times;
		uint8_t tag;
	} cases[] = {
		{ "*:lose@rx=100", SIM_FAULT_LOSE, SIM_AT_RX, 1, 100, 0, 1, 0 },
		{ "3:lose=7@tx=0x10", SIM_FAULT_LOSE, SIM_AT_TX, 7, 16, 0, 1, 0 },
		{ "0-3,9:corrupt=0x55@rx=5x3", SIM_FAULT_CORRUPT, SIM_AT_RX, 0x55, 5, 0, 3, 0 },
		{ "50%:duplicate@tx~0.01x*", SIM_FAULT_DUPLICATE, SIM_AT_TX_RATE, 0, 0, 0,
			SIM_FAULT_ALWAYS, 0 },
		{ "*:nak=3@write-memory+512", SIM_FAULT_NAK, SIM_AT_DATA, 3, 512, 0, 3, 4 },
		{ "*:nak@0x07/2", SIM_FAULT_NAK, SIM_AT_COMMAND, 1, 0, 2, 1, 7 },
		{ "*:refuse=10001@receive-sb-filex*", SIM_FAULT_REFUSE, SIM_AT_COMMAND, 10001, 0, 0,
			SIM_FAULT_ALWAYS, 8 },
		{ "*:abort=10101@sb=4/2", SIM_FAULT_ABORT, SIM_AT_SB_BLOCK, 10101, 4, 2, 1, 0 },
		{ "*:power-loss=50@receive-sb-file/2+0x400x2", SIM_FAULT_POWER_LOSS, SIM_AT_DATA,
			50, 0x400, 2, 2, 8 },
		{ "*:silence", SIM_FAULT_SILENCE, SIM_AT_START, 0, 0, 0, 1, 0 },
		{ "1:stuck@reset=2", SIM_FAULT_STUCK, SIM_AT_RESET, 0, 2, 0, 1, 0 },
		{ "1:wrong-lifecycle=in-field", SIM_FAULT_WRONG_LIFECYCLE, SIM_AT_START, 0x0F, 0, 0,
			1, 0 },
		{ "1:rename@reset=3", SIM_FAULT_RENAME, SIM_AT_RESET, 0, 3, 0, 1, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct sim_fault_spec s;
		struct err e = { 0 };
		if (sim_fault_parse(&s, cases[i].text, &e) != 0)
			fail_msg("%s", e.msg);
		const struct sim_fault *f = &s.fault;
		if (f->kind != cases[i].kind || f->place != cases[i].place ||
			f->value != cases[i].value || f->n != cases[i].n ||
			f->occurrence != cases[i].occurrence || f->times != cases[i].times ||
			f->tag != cases[i].tag)
			fail_msg("%s: kind %d place %d value %llu n %llu /%u x%u tag %u",
				cases[i].text, (int)f->kind, (int)f->place,
				(unsigned long long)f->value, (unsigned long long)f->n,
				f->occurrence, f->times, f->tag);
	}
}

static void bad_specifications(void **state)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{ "lose@rx=1",
			"--fault \"lose@rx=1\": wanted DEVICES:KIND[=VALUE][@PLACE][xTIMES], "
			"seen \"lose@rx=1\"" },
		{ ":lose@rx=1", "devices must be *, a list of numbers, or a share like 10%" },
		{ "a:lose@rx=1", "devices must be *, a list of numbers, or a share like 10%" },
		{ "3-1:lose@rx=1", "devices must be *, a list of numbers, or a share like 10%" },
		{ "1,:lose@rx=1", "devices must be *, a list of numbers, or a share like 10%" },
		{ "101%:lose@rx=1", "devices must be *, a list of numbers, or a share like 10%" },
		{ "*:explode", "unknown kind of fault, seen \"explode\"" },
		{ "*:lose", "this kind cannot happen at this place, seen \"(start)\"" },
		{ "*:lose@receive-sb-file", "this kind cannot happen at this place" },
		{ "*:rename@rx=1", "this kind cannot happen at this place" },
		{ "*:lose@rx=", "the place is not one that is known, seen \"rx=\"" },
		{ "*:lose@rx~2", "the place is not one that is known" },
		{ "*:nak@no-such-command", "the place is not one that is known" },
		{ "*:nak@write-memory/0", "the place is not one that is known" },
		{ "*:refuse@write-memory", "the value must be a number, seen \"\"" },
		{ "*:corrupt=red@rx=1", "the value must be a number, seen \"red\"" },
		{ "*:duplicate=2@rx=1", "this kind takes no value, seen \"2\"" },
		{ "*:wrong-family=lpc55", "the value must be a family, seen \"lpc55\"" },
		{ "*:wrong-lifecycle=old", "the value must be a life cycle, seen \"old\"" },
		{ "*:nak@write-memoryx0", "TIMES must be a count from 1, seen \"0\"" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct sim_fault_spec s;
		struct err e = { 0 };
		assert_int_equal(sim_fault_parse(&s, cases[i].text, &e), -1);
		assert_int_equal(e.code, ERR_USAGE);
		if (!strstr(e.msg, cases[i].message))
			fail_msg("%s: %s", cases[i].text, e.msg);
	}
}

static void shares_and_lists_name_devices(void **state)
{
	struct sim_fault_spec specs[2];
	struct err e = { 0 };
	uint8_t seed[32] = { 1 }, other[32] = { 2 };
	unsigned named = 0, same = 0, differ = 0;

	(void)state;
	assert_int_equal(sim_fault_parse(&specs[0], "0-2,7:silence", &e), 0);
	assert_int_equal(sim_fault_parse(&specs[1], "25%:stuck", &e), 0);
	for (unsigned i = 0; i < 1000; i++) {
		struct sim_faults a, b, c;
		assert_int_equal(sim_fault_assign(&a, specs, 1, i, seed, &e), 0);
		assert_int_equal(a.n, i <= 2 || i == 7);
		assert_int_equal(sim_fault_assign(&a, specs + 1, 1, i, seed, &e), 0);
		assert_int_equal(sim_fault_assign(&b, specs + 1, 1, i, seed, &e), 0);
		assert_int_equal(sim_fault_assign(&c, specs + 1, 1, i, other, &e), 0);
		named += a.n != 0;
		same += a.n == b.n;
		differ += a.n != c.n;
	}
	assert_int_equal(same, 1000);
	assert_true(named > 200 && named < 300);
	assert_true(differ > 200);
}

/* One property query through the host engine under a fault: 0, or the error. */
static int ask(struct sim_host *h, struct err *e)
{
	uint32_t w[4];
	size_t n;

	err_clear(e);
	return mboot_get_property(h->m, 4, 0, w, 4, &n, e);
}

static void start(struct sim_host *h, const char *fault)
{
	struct sim_options o = sim_host_options(3);
	const char *faults[] = { fault, NULL };

	sim_host_start(h, &o, faults);
}

static void faults_of_the_line(void **state)
{
	static const struct {
		const char *fault;
		int result; /* of the first query */
		enum err_code code;
	} cases[] = {
		/* get-property is 18 bytes to the device; back come ACK (2) and 18. */
		{ "*:corrupt@rx=10", 0, ERR_NONE }, /* NAK, repeated */
		{ "*:corrupt@rx=1", -1, ERR_TIMEOUT }, /* no frame at all */
		{ "*:lose@rx=10", 0, ERR_NONE }, /* NAK after the gap, repeated */
		{ "*:duplicate@rx=17", 0, ERR_NONE }, /* behind the frame: noise */
		{ "*:corrupt@tx=10", 0, ERR_NONE }, /* the host asks again */
		{ "*:corrupt@tx=1", 0, ERR_NONE }, /* the ACK is lost, the response speaks for it */
		{ "*:delay=300@tx=2", 0, ERR_NONE },
		{ "*:delay=60000@tx=2", -1, ERR_TIMEOUT },
		{ "*:silence@rx=5", -1, ERR_TIMEOUT },
		{ "*:stuck@rx=5", -1, ERR_TIMEOUT },
		{ "*:reset@rx=12", -1, ERR_TIMEOUT },
		{ "*:power-loss@rx=12", -1, ERR_TIMEOUT },
		{ "*:power-loss@tx=6", -1, ERR_TIMEOUT },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct sim_host h;
		struct err e;
		start(&h, cases[i].fault);
		int result = ask(&h, &e);
		if (result != cases[i].result || e.code != cases[i].code)
			fail_msg("%s: %d code %d (%s)", cases[i].fault, result, (int)e.code, e.msg);
		sim_host_stop(&h);
	}
}

static void faults_of_commands(void **state)
{
	struct sim_host h;
	struct err e;

	(void)state;
	/* The second of three only. */
	start(&h, "*:refuse=10001@get-property/2");
	assert_int_equal(ask(&h, &e), 0);
	assert_int_equal(ask(&h, &e), -1);
	assert_int_equal(e.device, 10001);
	assert_int_equal(ask(&h, &e), 0);
	sim_host_stop(&h);

	start(&h, "*:nak=2@get-property");
	assert_int_equal(ask(&h, &e), 0);
	assert_int_equal(mboot_stats(h.m)->naks, 2);
	sim_host_stop(&h);
	start(&h, "*:nak@get-propertyx*");
	assert_int_equal(ask(&h, &e), -1);
	sim_host_stop(&h);

	start(&h, "*:bad-crc@get-property");
	assert_int_equal(ask(&h, &e), 0);
	assert_int_equal(mboot_stats(h.m)->damaged, 1);
	sim_host_stop(&h);

	start(&h, "*:no-answer@get-property");
	assert_int_equal(ask(&h, &e), -1);
	assert_int_equal(e.code, ERR_TIMEOUT);
	assert_int_equal(ask(&h, &e), 0);
	sim_host_stop(&h);

	start(&h, "*:ignore@get-property");
	assert_int_equal(ask(&h, &e), -1);
	assert_int_equal(e.code, ERR_TIMEOUT);
	sim_host_stop(&h);

	/* Silence for a time, then it is back. */
	start(&h, "*:silence=3000@get-property");
	assert_int_equal(ask(&h, &e), -1);
	h.now_us += 3000000;
	assert_int_equal(mboot_ping(h.m, NULL, &e), 0);
	assert_int_equal(ask(&h, &e), 0);
	sim_host_stop(&h);

	/* Stuck: pings are answered, commands acknowledged, nothing more; a power cycle helps. */
	start(&h, "*:stuck@get-property");
	assert_int_equal(ask(&h, &e), -1);
	assert_int_equal(mboot_ping(h.m, NULL, &e), 0);
	assert_int_equal(ask(&h, &e), -1);
	assert_int_equal(e.code, ERR_TIMEOUT);
	sim_device_lose_power(h.d, 10);
	h.now_us += 10000;
	assert_int_equal(mboot_ping(h.m, NULL, &e), 0);
	assert_int_equal(ask(&h, &e), 0);
	sim_host_stop(&h);
}

static void faults_of_the_start(void **state)
{
	struct sim_host h;
	struct err e;
	uint32_t w[4];
	size_t n;

	(void)state;
	start(&h, "*:wrong-family=mcxn946");
	assert_int_equal(mboot_get_property(h.m, 4, 0, w, 4, &n, &e), 0);
	assert_int_equal(w[0], 0x100000);
	sim_host_stop(&h);
	start(&h, "*:wrong-lifecycle=in-field");
	assert_int_equal(mboot_efuse_read_once(h.m, 1, w, &e), 0);
	assert_int_equal(w[0], 0x0F00000F);
	assert_true(sim_device_in_field(h.d));
	sim_host_stop(&h);
	start(&h, "*:wrong-lifecycle=in-field@reset=2");
	assert_false(sim_device_in_field(h.d));
	assert_true(sim_host_reset(&h));
	assert_true(sim_device_in_field(h.d));
	sim_host_stop(&h);
	start(&h, "*:rename@reset=2");
	assert_false(h.d->renamed);
	assert_true(sim_host_reset(&h));
	assert_true(h.d->renamed);
	sim_host_stop(&h);
}

/* An SB file with a fault at a block: what was done before stays done, the rest is not. */
static void faults_inside_sb_files(void **state)
{
	static const struct {
		const char *fault;
		uint32_t status; /* 0: no status, the device went away */
		unsigned blocks; /* executed */
	} cases[] = {
		{ "*:abort=10115@sb=0", 10115, 0 },
		{ "*:abort=10202@sb=3", 10202, 2 },
		{ "*:abort=10202@receive-sb-file+1500", 10202, 4 },
		{ "*:reset@sb=2", 0, 1 },
		{ "*:power-loss@sb=5", 0, 4 },
		{ "*:silence@sb=5", 0, 4 },
		{ "*:stuck@sb=5", 0, 4 },
		{ "*:power-loss@receive-sb-file+1000", 0, 0 },
		{ "*:final=1@receive-sb-file", 1, 9 },
	};
	uint8_t data[2048], rkth[32];

	(void)state;
	memset(data, 0xA5, sizeof data);
	kit_rkth(1, rkth);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct sb31_items items = { 0 };
		AUTO(buf_clear) struct buf sb = { 0 };
		struct sim_host h;
		struct err e = { 0 };
		start(&h, cases[i].fault);
		sim_host_provision(&h, rkth, 32, kit_cust_mk_sk, 3, SIM_LC_IN_FIELD);
		kit_erase(&items, 0, 0x2000);
		kit_load(&items, 0, data, sizeof data);
		kit_build(&(struct kit){ .n_roots = 1, .firmware_version = 1 }, &items, &sb);
		assert_int_equal(mboot_receive_sb_file(h.m, sb.p, sb.len, &e), -1);
		if (e.device != cases[i].status)
			fail_msg("%s: %s", cases[i].fault, e.msg);
		/* Power-cycled, it takes the file. */
		sim_device_lose_power(h.d, 1);
		h.now_us += 1000000;
		assert_int_equal(mboot_ping(h.m, NULL, &e), 0);
		if (cases[i].blocks && h.d->sb_records[0].blocks != cases[i].blocks)
			fail_msg("%s: %u blocks", cases[i].fault, h.d->sb_records[0].blocks);
		assert_int_equal(sim_host_sb(&h, sb.p, sb.len), 0);
		sim_host_stop(&h);
	}
}

/* Noise on a whole session, twice with the same seed: the same in every detail. */
static void noise_is_repeatable(void **state)
{
	struct mboot_stats seen[2] = { 0 };
	uint64_t rx[2] = { 0 };

	(void)state;
	for (int run = 0; run < 2; run++) {
		struct sim_options o = sim_host_options(77);
		const char *faults[] = { "*:corrupt@rx~0.001x*", "*:lose@tx~0.0005x*",
			"*:duplicate@rx~0.0005x*", NULL };
		struct sim_host h;
		struct err e;
		uint8_t data[8192] = { 0 };

		sim_host_start(&h, &o, faults);
		for (int i = 0; i < 20; i++) {
			err_clear(&e);
			(void)!mboot_ping(h.m, NULL, &e);
			(void)!mboot_write_memory(h.m, 0x20002000, data, sizeof data, 0, &e);
			(void)!ask(&h, &e);
		}
		seen[run] = *mboot_stats(h.m);
		rx[run] = h.d->faults.rx;
		sim_host_stop(&h);
	}
	assert_true(seen[0].naks > 0);
	assert_int_equal(rx[0], rx[1]);
	assert_memory_equal(&seen[0], &seen[1], sizeof seen[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_specifications),
		cmocka_unit_test(bad_specifications),
		cmocka_unit_test(shares_and_lists_name_devices),
		cmocka_unit_test(faults_of_the_line),
		cmocka_unit_test(faults_of_commands),
		cmocka_unit_test(faults_of_the_start),
		cmocka_unit_test(faults_inside_sb_files),
		cmocka_unit_test(noise_is_repeatable),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests_name("sim_fault", tests, NULL, NULL);
}

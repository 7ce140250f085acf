/* The state folder: station and order keys, lock, trust, slots, kept packages and orders. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fsio.h"
#include "base/json.h"
#include "base/text.h"
#include "evidence_support.h"
#include "pkg_support.h"
#include "runner/depot.h"
#include "runner/marks.h"
#include "runner/run_log.h"
#include "runner/slots.h"
#include "runner/station.h"
#include "runner/trust_store.h"

static struct station open_new(const char *name)
{
	struct station s = { 0 };
	struct err e = { 0 };
	const char *dir = ev_path("%s", name);

	if (station_init(dir, "line3.plant4.example", &e) != 0 ||
		station_open(&s, dir, STATION_WORK, &e) != 0)
		fail_msg("%s", e.msg);
	return s;
}

static int mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_mode & 0777;
}

static void init_and_open(void **state)
{
	(void)state;
	struct station s, look;
	struct err e = { 0 };
	const char *dir = ev_path("init");

	assert_int_equal(station_open(&s, dir, STATION_LOOK, &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
	assert_non_null(strstr(e.msg, "no station here yet"));
	assert_int_equal(station_init(dir, "a+b", &e), -1);
	assert_int_equal(station_init(dir, "", &e), -1);

	s = open_new("init");
	assert_string_equal(s.name, "line3.plant4.example");
	assert_int_equal(mode_of(dir), 0700);
	assert_int_equal(mode_of(ev_path("init/station.key")), 0600);
	assert_int_equal(mode_of(ev_path("init/station.json")), 0600);
	assert_memory_equal(log_key_pub(s.secret), s.key.key, 32);

	/* somebody works with it: others may look, not work */
	assert_int_equal(station_open(&look, dir, STATION_LOOK, &e), 0);
	assert_null(look.secret);
	station_close(&look);
	assert_int_equal(station_open(&look, dir, STATION_WORK, &e), -1);
	assert_int_equal(e.code, ERR_ENV);
	char want[40];
	snprintf(want, sizeof want, "in use by process %d", (int)getpid());
	assert_non_null(strstr(e.msg, want));
	station_close(&s);
	assert_int_equal(station_open(&look, dir, STATION_WORK, &e), 0);
	station_close(&look);

	assert_int_equal(station_init(dir, "other", &e), -1);
	assert_non_null(strstr(e.msg, "holds a station already"));
}

static void damaged(void **state)
{
	(void)state;
	static const struct {
		const char *text, *message;
	} cases[] = {
		{ "", "station.json" },
		{ "{}", "station.json: type" },
		{ "{\"type\":\"mfgpkg-station\",\"format\":2,\"name\":\"a\",\"key\":\"b\"}",
			"format" },
		{ "{\"type\":\"mfgpkg-station\",\"format\":1,\"name\":\"a\",\"key\":\"b\"}",
			"station.json" },
	};
	struct station s = open_new("damaged");
	struct err e = { 0 };
	station_close(&s);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		ev_write(ev_path("damaged/station.json"), cases[i].text, strlen(cases[i].text));
		assert_int_equal(station_open(&s, ev_path("damaged"), STATION_LOOK, &e), -1);
		assert_int_equal(e.code, ERR_ENV); /* ours: a disk problem, not an input */
		assert_non_null(strstr(e.msg, cases[i].message));
	}
	/* another station's key */
	struct station t = open_new("damaged2");
	station_close(&t);
	assert_int_equal(ev_run("cp %s/station.json %s/station.json", ev_path("damaged2"),
				 ev_path("damaged")),
		0);
	assert_int_equal(station_open(&s, ev_path("damaged"), STATION_WORK, &e), -1);
	assert_non_null(strstr(e.msg, "is not the key named in station.json"));
}

static void order_keys(void **state)
{
	(void)state;
	struct station s = open_new("keys");
	struct vkey first, second, now;
	struct err e = { 0 };

	assert_int_equal(station_order_key(&s, &first, &e), 0);
	assert_string_equal(first.name, s.name);
	assert_int_equal(station_order_key(&s, &now, &e), 0);
	assert_true(vkey_equal(&first, &now)); /* until it is used */
	usleep(20000); /* the newest one is shown */
	assert_int_equal(station_order_key_new(&s, &e), 0);
	assert_int_equal(station_order_key(&s, &second, &e), 0);
	assert_false(vkey_equal(&first, &second));

	/* an order may take the older one too; it exists in one place at every moment */
	const char *to = ev_path("keys/taken.key");
	assert_int_equal(station_order_key_take(&s, first.key, to, &e), 0);
	assert_int_equal(mode_of(to), 0600);
	assert_int_equal(station_order_key_used(&s, first.key, &e), 0);
	assert_int_equal(station_order_key_take(&s, first.key, ev_path("keys/x"), &e), -1);
	assert_int_equal(e.code, ERR_REJECTED);
	assert_int_equal(station_order_key(&s, &now, &e), 0);
	assert_true(vkey_equal(&second, &now));

	/* the last one used: the next is there at once */
	assert_int_equal(station_order_key_used(&s, second.key, &e), 0);
	assert_int_equal(station_order_key(&s, &now, &e), 0);
	assert_false(vkey_equal(&second, &now));
	station_close(&s);
}

static void room(void **state)
{
	(void)state;
	struct station s = open_new("room");
	struct err e = { 0 };
	assert_int_equal(station_check_writable(&s, &e), 0);
	assert_false(fsio_exists(ev_path("room/.room")));
	assert_int_equal(ev_run("rm -rf %s", s.dir), 0);
	assert_int_equal(station_check_writable(&s, &e), -1);
	assert_int_equal(e.code, ERR_ENV);
	assert_non_null(strstr(e.msg, "the state folder cannot be written"));
	station_close(&s);
}

static void trust_file(void **state)
{
	(void)state;
	struct station s = open_new("trust");
	struct trust t, back;
	struct err e = { 0 };
	assert_int_equal(trust_store_need(&t, &s, &e), -1);
	assert_int_equal(e.code, ERR_REJECTED);
	assert_int_equal(trust_store_load(&t, &s, &e), 0);
	assert_int_equal(t.n, 0);
	t = pk_trust(2, "alice", "bob", "carol", NULL);
	assert_int_equal(trust_store_save(&t, &s, &e), 0);
	assert_int_equal(trust_store_need(&back, &s, &e), 0);
	assert_int_equal(back.n, 3);
	assert_int_equal(back.threshold, 2);
	assert_memory_equal(back.keys, t.keys, 3 * sizeof t.keys[0]);
	ev_write(ev_path("trust/trust/trust.json"), "{", 1);
	assert_int_equal(trust_store_load(&t, &s, &e), -1);
	assert_int_equal(e.code, ERR_ENV);
	station_close(&s);
}

/* --- slots ------------------------------------------------------------------------------- */
static const char *slot_of(
	const struct slots *s, const char *path, const char *by_path, int n, const char **globs)
{
	static char name[SLOT_NAME_MAX + 1];
	struct slot_port p = { .path = path, .by_path = by_path };
	struct cli_list list = { globs, (size_t)n };

	return slots_permit(s, &p, &list, name) ? name : NULL;
}

static void slot_map(void **state)
{
	(void)state;
	static struct slots s, back;
	struct station st = open_new("slots");
	struct err e = { 0 };
	const char *all[] = { "/dev/tty*" }, *mcx[] = { "*MCX*" };

	assert_int_equal(slots_load(&s, &st, &e), 0);
	assert_string_equal(slot_of(&s, "/dev/ttyUSB0", NULL, 0, NULL), ""); /* nothing mapped */
	assert_int_equal(slots_map(&s, "A1", "*-usb-0:1.1:1.0*", &e), 0);
	assert_int_equal(slots_map(&s, "A2", "/tmp/fab/ttyMCX1", &e), 0);
	assert_string_equal(
		slot_of(&s, "/dev/ttyUSB7", "pci-0000:00:10.0-usb-0:1.1:1.0-port0", 0, NULL), "A1");
	assert_string_equal(slot_of(&s, "/tmp/fab/ttyMCX1", "", 0, NULL), "A2");
	assert_null(slot_of(&s, "/dev/ttyUSB0", NULL, 0, NULL)); /* only mapped ones now */
	assert_string_equal(slot_of(&s, "/dev/ttyUSB0", NULL, 1, all), ""); /* --ports overrides */
	assert_string_equal(slot_of(&s, "/tmp/fab/ttyMCX1", "", 1, mcx), "A2");
	assert_null(slot_of(&s, "/tmp/fab/ttyMCX1", "", 1, all));
	assert_int_equal(slots_deny(&s, "/dev/ttyUSB*", &e), 0);
	assert_null(slot_of(&s, "/dev/ttyUSB0", NULL, 1, all)); /* a denied one never */

	assert_int_equal(slots_map(&s, "A1", "/dev/ttyACM0", &e), 0); /* moved */
	assert_int_equal(s.n_map, 2);
	assert_int_equal(slots_map(&s, "A3", "/dev/ttyACM0", &e), -1);
	assert_string_equal(e.msg, "port pattern '/dev/ttyACM0' is slot A1 already");
	assert_int_equal(slots_map(&s, "a b", "x", &e), -1);
	assert_int_equal(slots_map(&s, "sixteencharacter", "x", &e), -1);
	assert_int_equal(slots_map(&s, "B", "", &e), -1);
	assert_int_equal(slots_unmap(&s, "B", &e), -1);
	assert_int_equal(slots_allow(&s, "nothing", &e), -1);

	assert_int_equal(slots_save(&s, &st, &e), 0);
	assert_int_equal(slots_load(&back, &st, &e), 0);
	assert_int_equal(back.n_map, 2);
	assert_int_equal(back.n_deny, 1);
	assert_memory_equal(back.map, s.map, 2 * sizeof s.map[0]);
	static const char *const bad[] = { "[]", "{\"type\":\"x\",\"format\":1}",
		"{\"type\":\"mfgpkg-slots\",\"format\":1,\"slots\":[{\"slot\":\"A\"}],\"deny\":[]}",
		"{\"type\":\"mfgpkg-slots\",\"format\":1,\"slots\":[{\"slot\":\"A\",\"port\":\"x\"}"
		","
		"{\"slot\":\"B\",\"port\":\"x\"}],\"deny\":[]}" };
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		ev_write(ev_path("slots/slots.json"), bad[i], strlen(bad[i]));
		assert_int_equal(slots_load(&back, &st, &e), -1);
		assert_int_equal(e.code, ERR_CONFIG);
		assert_non_null(strstr(e.msg, "slots.json"));
		assert_int_equal(back.n_map, 0);
	}
	station_close(&st);
}

/* --- packages and orders ----------------------------------------------------------------- */
static struct pkg *package(int sequence)
{
	struct pk p = { 0 };
	struct pkg *out = NULL;
	struct err e = { 0 };
	struct trust t = pk_trust(1, "alice", NULL);

	pk_default(&p);
	pk_list(&p);
	json_object_set_new(p.manifest, "sequence", json_integer(sequence));
	pk_seal(&p);
	pk_sign(&p, "alice");
	pk_pack(&p);
	if (pkg_open_bytes(
		    &out, "test", p.out.p, p.out.len, &t, &(struct pkg_expect){ 0 }, NULL, &e) != 0)
		fail_msg("%s", e.msg);
	pk_clear(&p);
	return out;
}

static void packages(void **state)
{
	(void)state;
	struct station s = open_new("depot");
	AUTO(depot_clear) struct depot d = { 0 };
	AUTO(depot_clear) struct depot back = { 0 };
	AUTO(pkg_freep) struct pkg *old = package(7);
	AUTO(pkg_freep) struct pkg *new = package(9);
	struct err e = { 0 };
	int64_t floor = 0;
	const char *product = pkg_manifest(old)->product;

	assert_int_equal(depot_load(&d, &s, &e), 0);
	assert_int_equal(depot_accept(&d, &s, new, true, &e), 0);
	assert_int_equal(depot_accept(&d, &s, new, true, &e), 0); /* again: nothing new */
	assert_int_equal(depot_accept(&d, &s, old, true, &e), 0); /* kept; the floor stays */
	assert_int_equal(depot_load(&back, &s, &e), 0);
	assert_int_equal(back.n_packages, 2);
	assert_int_equal(back.n_floors, 1);
	assert_int_equal(depot_floor(&back, product, &floor, &e), 0);
	assert_int_equal(floor, 9);
	floor = 0;
	assert_int_equal(depot_floor(&back, "other", &floor, &e), 0);
	assert_int_equal(floor, 0);

	/* by product: the newest; by digest; by path */
	char digest[65];
	hex_encode(digest, pkg_digest(new), 32);
	AUTO(str_freep) char *by_product = depot_package_path(&back, &s, product, &e);
	assert_non_null(by_product);
	assert_non_null(strstr(by_product, digest));
	AUTO(str_freep) char *by_digest = depot_package_path(&back, &s, "0123456789", &e);
	assert_null(by_digest);
	assert_int_equal(e.code, ERR_USAGE);
	digest[12] = 0;
	by_digest = depot_package_path(&back, &s, digest, &e);
	assert_string_equal(by_digest, by_product);
	AUTO(str_freep) char *by_path = depot_package_path(&back, &s, "a/b.mfgpkg", &e);
	assert_string_equal(by_path, "a/b.mfgpkg");

	/* the copy is the file as it came, and is verified like any other */
	struct pkg *again = NULL;
	struct trust t = pk_trust(1, "alice", NULL);
	assert_int_equal(pkg_open(&again, by_product, &t, &(struct pkg_expect){ 0 }, NULL, &e), 0);
	assert_memory_equal(pkg_digest(again), pkg_digest(new), 32);
	pkg_free(again);

	ev_write(ev_path("depot/packages/index.json"), "{\"packages\":1}", 14);
	assert_int_equal(depot_load(&back, &s, &e), -1);
	assert_int_equal(e.code, ERR_ENV);
	station_close(&s);
}

/* --- marks ------------------------------------------------------------------------------- */
#define EXAMPLE_LOG "tests/vectors/evidence/example-log/log.db"

static int no_floor(void *ctx, const char *product, int64_t *floor, struct err *e)
{
	(void)product;
	(void)e;
	*floor = *(int64_t *)ctx;
	return 0;
}

static void marks(void **state)
{
	(void)state;
	struct station s = open_new("marks");
	struct err e = { 0 };
	int64_t floor = 7;

	/* trust and floors: raised, never lowered */
	assert_int_equal(marks_raise_trust(&s, 3, &e), 0);
	assert_int_equal(marks_raise_trust(&s, 2, &e), 0);
	assert_int_equal(marks_check_trust(&s, 3, &e), 0);
	assert_int_equal(marks_check_trust(&s, 2, &e), -1);
	assert_string_equal(e.msg,
		"trust/trust.json is of trust update 2, this station has taken update 3: an older "
		"copy of the state was put back");
	assert_int_equal(e.code, ERR_REJECTED);
	assert_int_equal(marks_raise_floor(&s, "acme", 7, &e), 0);
	assert_int_equal(marks_raise_floor(&s, "acme", 6, &e), 0);
	assert_int_equal(marks_raise_floor(&s, "other", JSON_INT_MAX, &e), 0);
	assert_int_equal(marks_check_floors(&s, no_floor, &floor, &e), -1);
	assert_string_equal(e.msg,
		"packages/index.json has sequence 7 for product \"other\", this station has "
		"accepted 9007199254740991: an older copy of the state was put back");
	floor = JSON_INT_MAX;
	assert_int_equal(marks_check_floors(&s, no_floor, &floor, &e), 0);

	/* the clock: a day is a correction, more was set back */
	assert_int_equal(marks_raise_clock(&s, PK_NOW, &e), 0);
	assert_int_equal(marks_raise_clock(&s, PK_NOW - 5, &e), 0);
	assert_int_equal(marks_check_clock(&s, PK_NOW - MARKS_CLOCK_SLACK, &e), 0);
	assert_int_equal(marks_check_clock(&s, PK_NOW - MARKS_CLOCK_SLACK - 1, &e), -1);
	assert_string_equal(e.msg,
		"the clock says 2027-01-14T07:59:59Z, but this station was at work at "
		"2027-01-15T08:00:00Z: the clock was set back");

	/* a log contains what was marked, or was put back */
	uint8_t zero[32] = { 0 };
	assert_int_equal(marks_check_log(&s, "a", ev_path("marks/none.db"), &e), 0);
	assert_int_equal(marks_log_of_file(&s, "a", EXAMPLE_LOG, &e), 0);
	assert_int_equal(marks_check_log(&s, "a", EXAMPLE_LOG, &e), 0);
	assert_int_equal(marks_check_log(&s, "a", ev_path("marks/none.db"), &e), -1);
	assert_non_null(strstr(e.msg, "the log of order a was begun and is not here any more"));
	assert_int_equal(marks_raise_log(&s, "b", 1000000, zero, &e), 0);
	assert_int_equal(marks_check_log(&s, "b", EXAMPLE_LOG, &e), -1);
	assert_non_null(strstr(e.msg, "this station signed: 1000000: an older copy"));
	assert_int_equal(e.code, ERR_REJECTED);
	assert_int_equal(marks_raise_log(&s, "c", 1, zero, &e), 0);
	assert_int_equal(marks_check_log(&s, "c", EXAMPLE_LOG, &e), -1);
	assert_non_null(strstr(e.msg, "has other leaves before 1 than this station signed"));

	/* damaged or gone: the disk's fault, and nothing is believed */
	static const char *const bad[] = { "", "{}", "[]",
		"{\"type\":\"mfgpkg-marks\",\"format\":2,\"clock\":\"1970-01-01T00:00:00Z\","
		"\"trust\":0,\"floors\":[],\"logs\":[]}",
		"{\"type\":\"mfgpkg-trust\",\"format\":1,\"clock\":\"1970-01-01T00:00:00Z\","
		"\"trust\":0,\"floors\":[],\"logs\":[]}",
		"{\"type\":\"mfgpkg-marks\",\"format\":1,\"clock\":\"1970-01-01T00:00:00Z\","
		"\"trust\":-1,\"floors\":[],\"logs\":[]}",
		"{\"type\":\"mfgpkg-marks\",\"format\":1,\"clock\":\"1970-01-01T00:00:00Z\","
		"\"trust\":0,\"floors\":[{}],\"logs\":[]}",
		"{\"type\":\"mfgpkg-marks\",\"format\":1,\"clock\":\"1970-01-01T00:00:00Z\","
		"\"trust\":0,\"floors\":[],\"logs\":[{}]}",
		("{\"type\":\"mfgpkg-marks\",\"format\":1,\"clock\":\"1970-01-01T00:00:00Z\","
		 "\"trust\":0,\"floors\":[],\"logs\":[],"
		 "\"x\":1}") };
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		ev_write(ev_path("marks/marks.json"), bad[i], strlen(bad[i]));
		assert_int_equal(marks_check_trust(&s, 9, &e), -1);
		assert_int_equal(e.code, ERR_ENV);
		assert_non_null(strstr(e.msg, "marks.json"));
	}
	assert_int_equal(unlink(ev_path("marks/marks.json")), 0);
	assert_int_equal(marks_check_trust(&s, 9, &e), -1);
	assert_int_equal(e.code, ERR_ENV);
	station_close(&s);
}

static void logs_of_orders(void **state)
{
	(void)state;
	struct station s = open_new("logs");
	struct err e = { 0 };
	assert_null(run_log_path(&s, "../logs", &e));
	assert_null(run_log_path(&s, ".", &e));
	assert_null(run_log_path(&s, "no-such", &e));
	assert_int_equal(e.code, ERR_USAGE);
	assert_int_equal(run_log_closed("tests/vectors/evidence/example-log/log.db", &e), 1);
	ev_write(ev_path("logs/junk.db"), "not a database, not at all, no", 30);
	assert_int_equal(run_log_closed(ev_path("logs/junk.db"), &e), -1);
	assert_int_equal(e.code, ERR_ENV);
	station_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(init_and_open),
		cmocka_unit_test(damaged),
		cmocka_unit_test(order_keys),
		cmocka_unit_test(room),
		cmocka_unit_test(trust_file),
		cmocka_unit_test(slot_map),
		cmocka_unit_test(packages),
		cmocka_unit_test(marks),
		cmocka_unit_test(logs_of_orders),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The attack table, second half: what a log says of orders, devices, receipts, clocks and
 * witnesses. First half and rules: test_attacks.c. */
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fsio.h"
#include "base/json.h"
#include "base/text.h"
#include "evidence/audit.h"
#include "evidence/log_impl.h"
#include "evidence_attack.h"
#include "evidence_forge.h"
#include "evidence_support.h"
#include "mfgpkg/audit/cross.h"

/* --- order ------------------------------------------------------------------------------------ */

static void order_attacks(void **state)
{
	(void)state;
	struct forge f;
	struct audit_expect none = { 0 }, x = attack_oem();
	struct minisign_pub bob;
	struct err e;

	forge_read(&f, &attack_base);
	char *good = strdup(json_string_value(forge_at(&f, 0, "order")));
	char *more = strdup(good);
	memcpy(strstr(more, "\"quantity\":3"), "\"quantity\":9", 12);
	forge_set(&f, 0, "order", json_string(more));
	forge_write(&f, ev_path("order-forged.db"));
	attack_fails("order-forged", ev_path("order-forged.db"), "order forged", 0);

	forge_set(&f, 0, "order", json_null());
	forge_set(&f, 0, "order_sigs", json_array());
	forge_write(&f, ev_path("order-missing.db"));
	attack_judge("order-missing", ev_path("order-missing.db"), &x, AUDIT_UNOWNED,
		"order missing", 0);
	free(good);
	free(more);
	forge_clear(&f);

	attack_judge("no-oem-key", attack_base.path, &none, AUDIT_UNOWNED, "no OEM key", 0);
	AUTO(buf_clear) struct buf pub = ev_file("minisign/keys/bob.pub");
	assert_int_equal(minisign_pub_parse(&bob, "bob", pub.p, pub.len, &e), 0);
	x.oem = &bob;
	assert_int_equal(audit_verify(attack_base.path, &x, &attack_result, &e), 0);
	assert_int_equal(attack_result.verdict, AUDIT_FAIL);
	assert_true(attack_found("order forged", 0));
}

static void foreign_station_key(void **state)
{
	(void)state;
	struct forge f;
	AUTO(log_key_freep) struct log_key *thief = NULL;
	AUTO(buf_clear) struct buf vkey = { 0 };
	struct err e;

	/* The order is copied to another station, which names itself in genesis. */
	assert_int_equal(log_key_generate(&thief, &e), 0);
	forge_read(&f, &attack_base);
	f.station = thief;
	forge_write(&f, ev_path("foreign-signature.db"));
	attack_fails("foreign-station-signature", ev_path("foreign-signature.db"),
		"foreign station key", 0);
	assert_int_equal(log_key_vkey(thief, "line3.plant4.example", &vkey, &e), 0);
	json_object_set_new(forge_at(&f, 0, "station"), "key", json_string(buf_text(&vkey)));
	forge_write(&f, ev_path("foreign-station.db"));
	attack_fails(
		"foreign-station-key", ev_path("foreign-station.db"), "foreign station key", 0);
	forge_clear(&f);

	/* The right station begins the log with another first epoch key than the order names. */
	AUTO(buf_clear) struct buf epoch0 = { 0 };
	forge_read(&f, &attack_base);
	assert_int_equal(log_key_vkey(thief, f.origin, &epoch0, &e), 0);
	forge_set(&f, 0, "epoch0", json_string(buf_text(&epoch0)));
	log_key_free(f.epoch[0]);
	f.epoch[0] = thief;
	thief = NULL;
	forge_write(&f, ev_path("foreign-epoch0.db"));
	attack_fails("foreign-epoch-key", ev_path("foreign-epoch0.db"), "foreign epoch key", 0);
	forge_clear(&f);

	/* The auditor knows the station's key. */
	struct audit_expect x = attack_oem();
	struct vkey known;
	assert_int_equal(vkey_parse(&known, "key", buf_text(&vkey), &e), 0);
	x.log_key = &known;
	assert_int_equal(audit_verify(attack_base.path, &x, &attack_result, &e), 0);
	assert_true(attack_found("foreign station key", 0));
}

static void unordered_package(void **state)
{
	(void)state;
	struct forge f;

	forge_read(&f, &attack_base);
	forge_set(&f, 1, "package",
		json_string("0000000000000000000000000000000000000000000000000000000000000000"));
	forge_write(&f, ev_path("unordered-package.db"));
	attack_fails("unordered-package", ev_path("unordered-package.db"), "unordered package", 1);
	forge_set(&f, 1, "result", json_string("refused"));
	forge_write(&f, ev_path("no-package.db"));
	attack_fails("no-package", ev_path("no-package.db"), "no package accepted", 3);
	forge_clear(&f);
}

static void quantity_and_window(void **state)
{
	(void)state;
	struct ev_log t = { .quantity = 2 };
	struct audit_expect x = attack_oem();
	struct err e = { 0 };

	ev_log_start(&t, "quantity", ROLE_ORDER);
	ev_log_package(&t);
	for (unsigned i = 1; i <= 3; i++)
		ev_log_device(&t, i, true);
	assert_int_equal(log_close(t.log, "complete", &e), 0);
	x.oem = &t.oem;
	attack_judge("quantity-exceeded", t.path, &x, AUDIT_FAIL, "quantity exceeded", 11);
	ev_log_end(&t);

	t = (struct ev_log){ 0 };
	ev_log_prepare(&t, "window", ROLE_ORDER);
	t.now.wall_ms = 1798761600000 + 1000; /* 2027-01-01: a day after the order ended */
	assert_int_equal(log_create(&t.log, &t.open, &e), 0);
	ev_log_package(&t);
	ev_log_device(&t, 1, true);
	assert_int_equal(log_close(t.log, "complete", &e), 0);
	attack_judge("outside-window", t.path, &x, AUDIT_FAIL, "outside the order's window", 2);
	ev_log_end(&t);
}

/* --- devices ---------------------------------------------------------------------------------- */

static void intents(void **state)
{
	(void)state;
	struct forge f;

	/* The outcome of an irreversible step is left out. */
	forge_read(&f, &attack_base);
	size_t intent = forge_find(&f, "intent", 1);
	forge_delete(&f, forge_find(&f, "step", 1));
	/* later leaves refer to earlier ones by number: only the third device's move by one */
	for (size_t i = intent + 3; i < f.n; i++) {
		if (forge_at(&f, i, "begin"))
			forge_set(&f, i, "begin", json_integer(ev_int(f.leaf[i], "begin") - 1));
		if (json_is_integer(forge_at(&f, i, "intent")))
			forge_set(&f, i, "intent", json_integer(ev_int(f.leaf[i], "intent") - 1));
	}
	forge_write(&f, ev_path("no-outcome.db"));
	attack_fails("intent-without-outcome", ev_path("no-outcome.db"), "intent without outcome",
		(int64_t)intent);
	forge_clear(&f);

	/* The step says nothing of its intent. */
	forge_read(&f, &attack_base);
	size_t step = forge_find(&f, "step", 1);
	forge_set(&f, step, "intent", json_null());
	forge_write(&f, ev_path("no-intent.db"));
	attack_fails("outcome-without-intent", ev_path("no-intent.db"), "outcome without intent",
		(int64_t)step);
	forge_set(&f, step, "intent", json_integer(4));
	forge_write(&f, ev_path("other-intent.db"));
	attack_fails("outcome-of-other-intent", ev_path("other-intent.db"),
		"outcome without intent", (int64_t)step);
	forge_set(&f, step, "intent", json_integer((json_int_t)step - 1));
	forge_set(&f, step, "command", json_string("receive-sb-file sb/image.sb3"));
	forge_write(&f, ev_path("other-step.db"));
	attack_fails("outcome-of-other-step", ev_path("other-step.db"), "outcome of another step",
		(int64_t)step);
	forge_clear(&f);

	/* The end hides what was done. */
	forge_read(&f, &attack_base);
	size_t end = forge_find(&f, "device-end", 1);
	forge_set(&f, end, "irreversible", json_false());
	json_object_set_new(forge_at(&f, forge_find(&f, "close", 0), "totals"), "irreversible",
		json_integer(2));
	forge_write(&f, ev_path("hidden.db"));
	attack_fails("irreversible-hidden", ev_path("hidden.db"), "irreversible step hidden",
		(int64_t)end);
	forge_clear(&f);
}

static void devices(void **state)
{
	(void)state;
	struct forge f;
	char uuid[33];

	/* The same device passes twice. */
	forge_read(&f, &attack_base);
	for (size_t i = forge_find(&f, "device-begin", 2); i < f.n; i++)
		if (forge_at(&f, i, "uuid"))
			forge_set(&f, i, "uuid", json_string(ev_uuid(1, uuid)));
	forge_set(&f, forge_find(&f, "device-begin", 2), "attempt", json_integer(2));
	json_object_set_new(forge_at(&f, forge_find(&f, "close", 0), "totals"), "irreversible",
		json_integer(2));
	forge_write(&f, ev_path("uuid-twice.db"));
	attack_fails("replayed-device", ev_path("uuid-twice.db"), "UUID twice",
		(int64_t)forge_find(&f, "device-end", 2));
	forge_set(&f, forge_find(&f, "device-begin", 2), "attempt", json_integer(1));
	forge_write(&f, ev_path("attempt.db"));
	attack_fails("attempt-not-counted", ev_path("attempt.db"), "attempts not counted up",
		(int64_t)forge_find(&f, "device-begin", 2));
	forge_clear(&f);

	/* The UUID changes between begin and end. */
	forge_read(&f, &attack_base);
	size_t end = forge_find(&f, "device-end", 2);
	forge_set(&f, end, "uuid", json_string(ev_uuid(7, uuid)));
	forge_write(&f, ev_path("uuid-changed.db"));
	attack_fails("uuid-changed", ev_path("uuid-changed.db"), "UUID changed", (int64_t)end);
	forge_clear(&f);

	/* An end is left out; the log is closed all the same. */
	forge_read(&f, &attack_base);
	end = forge_find(&f, "device-end", 2);
	forge_delete(&f, end);
	forge_write(&f, ev_path("no-end.db"));
	attack_fails("device-without-end", ev_path("no-end.db"), "device without end", -1);
	forge_clear(&f);

	/* A leaf of a device that has ended. */
	forge_read(&f, &attack_base);
	forge_insert(&f, end, json_deep_copy(f.leaf[end]));
	forge_write(&f, ev_path("two-ends.db"));
	attack_fails("two-ends", ev_path("two-ends.db"), "leaf without device", (int64_t)end + 1);
	forge_clear(&f);

	/* The numbers of devices have a gap: one was taken out. */
	forge_read(&f, &attack_base);
	forge_set(&f, forge_find(&f, "device-begin", 2), "device", json_integer(5));
	forge_write(&f, ev_path("device-number.db"));
	attack_fails("device-numbers", ev_path("device-number.db"), "device numbers not dense", -1);
	forge_clear(&f);
}

static void uuid_in_two_logs(void **state)
{
	(void)state;
	struct ev_log t = { 0 };
	struct oem_cross *cross = NULL;
	struct audit_expect x = attack_oem();
	struct err e = { 0 };

	/* Another station, another log, the same UUID. */
	ev_log_start(&t, "two-logs", ROLE_UNORDERED);
	ev_log_package(&t);
	ev_log_device(&t, 1, true);
	assert_int_equal(log_close(t.log, "complete", &e), 0);
	assert_int_equal(oem_cross_new(&cross, &e), 0);
	x.observe = oem_cross_leaf;
	x.observe_ctx = cross;
	const char *paths[] = { attack_base.path, t.path };
	for (int i = 0; i < 2; i++) {
		oem_cross_log(cross, paths[i]);
		assert_int_equal(audit_verify(paths[i], &x, &attack_result, &e), 0);
		assert_int_equal(oem_cross_settle(cross, &attack_result, &e), 0);
		assert_int_equal(attack_found("UUID in two logs", -1), i);
	}
	assert_int_equal(attack_result.verdict, AUDIT_FAIL);
	oem_cross_free(cross);
	ev_log_end(&t);
}

/* --- receipts --------------------------------------------------------------------------------- */

static void bad_receipt(
	const char *name, unsigned die, unsigned of_ca, unsigned uuid, const char *attack)
{
	struct forge f;
	struct audit_expect x = attack_oem();
	char text[440];
	uint8_t id[16], challenge[32];
	char path[64];

	forge_read(&f, &attack_receipts);
	size_t at = forge_find(&f, "attestation", 2);
	assert_int_equal(hex_decode(challenge, 32, ev_str(f.leaf[at], "challenge")), 0);
	char uuid_text[33];
	assert_int_equal(hex_decode(id, 16, ev_uuid(uuid, uuid_text)), 0);
	forge_response(text, id, challenge, die, of_ca);
	forge_set(&f, at, "response", json_string(text));
	snprintf(path, sizeof path, "%s.db", name);
	forge_write(&f, ev_path("%s", path));
	x.oem = &attack_receipts.oem;
	x.dice_ca = attack_ca;
	attack_judge(name, ev_path("%s", path), &x, AUDIT_FAIL, attack, (int64_t)at);
	forge_clear(&f);
}

static void receipt_attacks(void **state)
{
	(void)state;
	struct forge f;
	struct audit_expect x = { .oem = &attack_receipts.oem, .n_oem = 1, .dice_ca = attack_ca };

	bad_receipt("receipt-of-other-uuid", 103, 0, 9, "receipt of another device");
	bad_receipt("receipt-of-other-rkth", 103, 5, 3, "receipt not from this die");
	bad_receipt("die-key-of-other-uuid", 101, 0, 3, "receipt of another die");

	forge_read(&f, &attack_receipts);
	size_t second = forge_find(&f, "attestation", 1), third = forge_find(&f, "attestation", 2);
	json_t *first = forge_at(&f, forge_find(&f, "attestation", 0), "response");
	forge_set(&f, third, "response", json_incref(first));
	forge_write(&f, ev_path("replayed-receipt.db"));
	attack_judge("replayed-receipt", ev_path("replayed-receipt.db"), &x, AUDIT_FAIL,
		"replayed receipt", (int64_t)third);

	/* Random bytes. */
	char *text = strdup(json_string_value(first));
	memset(text, 'R', 400);
	forge_set(&f, third, "response", json_string(text));
	forge_write(&f, ev_path("random-receipt.db"));
	attack_judge("random-receipt", ev_path("random-receipt.db"), &x, AUDIT_FAIL,
		"receipt of another device", (int64_t)third);
	free(text);
	forge_clear(&f);

	/* An answer to the challenge of another place, and the leaf says that place. */
	forge_read(&f, &attack_receipts);
	forge_set(&f, third, "challenge", json_incref(forge_at(&f, second, "challenge")));
	forge_write(&f, ev_path("other-position.db"));
	attack_judge("receipt-of-other-position", ev_path("other-position.db"), &x, AUDIT_FAIL,
		"receipt of another position", (int64_t)third);
	forge_clear(&f);

	/* History rewritten with all keys kept: receipts made later no longer fit their place. */
	forge_read(&f, &attack_receipts);
	forge_set(&f, forge_find(&f, "device-begin", 0), "slot", json_string("Z9"));
	forge_write(&f, ev_path("rewritten-before-receipts.db"));
	attack_judge("rewritten-before-receipts", ev_path("rewritten-before-receipts.db"), &x,
		AUDIT_FAIL, "receipt of another position", -1);
	forge_clear(&f);

	/* The end of a device claims the receipt of another. */
	forge_read(&f, &attack_receipts);
	size_t end = forge_find(&f, "device-end", 2);
	forge_set(&f, end, "attestation", json_integer((json_int_t)second));
	forge_write(&f, ev_path("borrowed-receipt.db"));
	attack_judge("borrowed-receipt", ev_path("borrowed-receipt.db"), &x, AUDIT_FAIL,
		"receipt of another device", (int64_t)end);
	forge_clear(&f);
}

/* --- clocks ----------------------------------------------------------------------------------- */

static void clock_attacks(void **state)
{
	(void)state;
	struct forge f;
	struct audit_expect x = attack_oem();

	forge_read(&f, &attack_base);
	forge_set(&f, 6, "time", json_string("2026-11-21T07:00:00.000Z"));
	forge_write(&f, ev_path("wall-back.db"));
	attack_fails("clock-rolled-back", ev_path("wall-back.db"), "clock going back", 6);
	forge_set(&f, 6, "time", json_string("2026-11-22T07:00:00.000Z"));
	forge_write(&f, ev_path("wall-jump.db"));
	attack_fails("clock-jump", ev_path("wall-jump.db"), "clock jump", 6);
	forge_clear(&f);
	forge_read(&f, &attack_base);
	forge_set(&f, 6, "boot_ms", json_integer(8000000));
	forge_write(&f, ev_path("boot-back.db"));
	attack_fails("boot-clock-back", ev_path("boot-back.db"), "clock going back", 6);
	forge_clear(&f);
	forge_read(&f, &attack_base);
	forge_set(&f, 6, "boot_id", json_string("11111111-5a5b-4b8f-9d7e-3c1f2a4b5c6d"));
	forge_write(&f, ev_path("boot-id.db"));
	attack_fails("hidden-restart", ev_path("boot-id.db"), "hidden restart", 6);
	assert_true(attack_found("backdated entries", 7)); /* the old boot comes back */
	forge_clear(&f);

	/* What the station does itself when its clock is moved: said, and only a warning. */
	struct ev_log t = { 0 };
	struct err e = { 0 };
	ev_log_start(&t, "clock", ROLE_ORDER);
	ev_log_package(&t);
	t.now.wall_ms -= 3600000;
	ev_log_device(&t, 1, true);
	t.now.wall_ms += 7200000;
	ev_log_device(&t, 2, true);
	strcpy(t.now.boot_id, "11111111-5a5b-4b8f-9d7e-3c1f2a4b5c6d");
	t.now.boot_ms = 5000;
	ev_log_device(&t, 3, true);
	assert_int_equal(log_close(t.log, "complete", &e), 0);
	x.oem = &t.oem;
	attack_judge("clock-leaves", t.path, &x, AUDIT_PASS, "clock going back", -1);
	assert_true(attack_found("clock jump", -1));
	assert_true(attack_found("restart", -1));
	assert_int_equal(attack_result.n_warnings, 3);
	forge_read(&f, &t);
	size_t clock = forge_find(&f, "clock", 0);
	forge_set(&f, clock, "delta_ms", json_integer(-5));
	f.fallback = t.station;
	forge_write(&f, ev_path("false-clock.db"));
	attack_judge("false-clock-leaf", ev_path("false-clock.db"), &x, AUDIT_FAIL,
		"false clock leaf", (int64_t)clock);
	forge_clear(&f);
	ev_log_end(&t);
}

/* --- witnesses -------------------------------------------------------------------------------- */

static void witnesses(void **state)
{
	(void)state;
	struct ev_log t = { 0 };
	AUTO(log_key_freep) struct log_key *key = NULL;
	AUTO(buf_clear) struct buf line = { 0 };
	AUTO(buf_clear) struct buf note = { 0 };
	struct vkey w;
	struct err e = { 0 };
	sqlite3 *db;
	sqlite3_stmt *s;

	ev_log_start(&t, "witness", ROLE_ORDER);
	ev_log_package(&t);
	ev_log_device(&t, 1, true);
	assert_int_equal(log_close(t.log, "complete", &e), 0);
	log_freep(&t.log);
	assert_int_equal(log_key_generate(&key, &e), 0);
	assert_int_equal(
		vkey_make(&w, "acme.example/witness/qa", VKEY_COSIGN, log_key_pub(key), &e), 0);
	assert_int_equal(log_checkpoint(t.path, &note, &e), 0);
	size_t text_len = (size_t)(strstr(buf_text(&note), "\n\n") + 1 - (char *)note.p);
	/* The witness signed two days after: leaves after it would have to be younger. */
	assert_int_equal(log_key_cosign(key, w.name, (uint64_t)(t.now.wall_ms / 1000) - 2 * 86400,
				 (char *)note.p, text_len, &line, &e),
		0);
	assert_int_equal(sqlite3_open(t.path, &db), SQLITE_OK);
	assert_int_equal(
		sqlite3_prepare_v2(db, "INSERT INTO cosignature VALUES(?1,?2)", -1, &s, NULL), 0);
	sqlite3_bind_int64(s, 1, 8);
	sqlite3_bind_text(s, 2, (char *)line.p, (int)line.len, SQLITE_STATIC);
	assert_int_equal(sqlite3_step(s), SQLITE_DONE);
	sqlite3_finalize(s);
	struct audit_expect x = { .oem = &t.oem, .n_oem = 1, .witnesses = &w, .n_witnesses = 1 };
	assert_int_equal(audit_verify(t.path, &x, &attack_result, &e), 0);
	assert_int_equal(attack_result.verdict, AUDIT_PASS);
	assert_int_equal(attack_result.witnessed, 8);
	assert_true(attack_found("witness before leaf", 7));
	/* A false cosignature of a known witness. */
	assert_int_equal(
		sqlite3_exec(db,
			"UPDATE cosignature SET line=substr(line,1,60)||'AAAA'||substr(line,65)",
			NULL, NULL, NULL),
		SQLITE_OK);
	sqlite3_close(db);
	assert_int_equal(audit_verify(t.path, &x, &attack_result, &e), 0);
	assert_int_equal(attack_result.verdict, AUDIT_FAIL);
	assert_true(attack_found("false cosignature", 7));
	ev_log_end(&t);
}

/* Leaves claim to be older than what a witness saw before them. */
static void backdated(void **state)
{
	(void)state;
	struct ev_log t = { 0 };
	AUTO(log_key_freep) struct log_key *key = NULL;
	AUTO(buf_clear) struct buf note = { 0 };
	struct vkey w;
	struct err e = { 0 };

	ev_log_start(&t, "backdated", ROLE_ORDER);
	ev_log_package(&t);
	assert_int_equal(log_checkpoint(t.path, &note, &e), 0);
	assert_int_equal(log_key_generate(&key, &e), 0);
	assert_int_equal(
		vkey_make(&w, "acme.example/witness/qa", VKEY_COSIGN, log_key_pub(key), &e), 0);
	size_t text_len = (size_t)(strstr(buf_text(&note), "\n\n") + 1 - (char *)note.p);
	assert_int_equal(log_key_cosign(key, w.name, (uint64_t)(t.now.wall_ms / 1000) + 3 * 86400,
				 (char *)note.p, text_len, &note, &e),
		0);
	ev_log_device(&t, 1, true);
	assert_int_equal(log_close(t.log, "complete", &e), 0);
	struct audit_known known = { "witnessed.note", (char *)note.p, note.len };
	struct audit_expect x = { .oem = &t.oem,
		.n_oem = 1,
		.witnesses = &w,
		.n_witnesses = 1,
		.known = &known,
		.n_known = 1 };
	assert_int_equal(audit_verify(t.path, &x, &attack_result, &e), 0);
	assert_int_equal(attack_result.verdict, AUDIT_PASS);
	assert_true(attack_found("backdated entries", 2));
	assert_int_equal(attack_result.witnessed, 2);
	ev_log_end(&t);
}

/* The order wants two of three witnesses: what is missing is named, and no PASS without it. */
static void quorum_missing(void **state)
{
	static const char *const names[] = { "acme.example/witness/qa", "acme.example/witness/hq",
		"other.example/witness" };
	(void)state;
	struct ev_log t = { 0 };
	struct log_key *keys[3] = { 0 };
	AUTO(buf_clear) struct buf more = { 0 };
	AUTO(buf_clear) struct buf early = { 0 };
	AUTO(buf_clear) struct buf note = { 0 };
	char text[VKEY_TEXT_CAP];
	struct vkey w[3];
	struct err e = { 0 };

	wr_str(&more, ",\"witnesses\":[");
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(log_key_generate(&keys[i], &e), 0);
		assert_int_equal(
			vkey_make(&w[i], names[i], VKEY_COSIGN, log_key_pub(keys[i]), &e), 0);
		wr_printf(&more, "%s\"%s\"", i ? "," : "", vkey_text(&w[i], text));
	}
	wr_str(&more, "],\"quorum\":\"2\"");
	t.more = buf_text(&more);
	ev_log_start(&t, "quorum", ROLE_ORDER);
	ev_log_package(&t);
	assert_int_equal(log_checkpoint(t.path, &early, &e), 0);
	size_t early_text = (size_t)(strstr(buf_text(&early), "\n\n") + 1 - (char *)early.p);
	uint64_t now = (uint64_t)(t.now.wall_ms / 1000);
	assert_int_equal(
		log_key_cosign(keys[1], names[1], now, (char *)early.p, early_text, &early, &e), 0);
	ev_log_device(&t, 1, true);
	assert_int_equal(log_close(t.log, "complete", &e), 0);
	log_freep(&t.log);
	assert_int_equal(log_checkpoint(t.path, &note, &e), 0);
	size_t text_len = (size_t)(strstr(buf_text(&note), "\n\n") + 1 - (char *)note.p);
	assert_int_equal(
		log_key_cosign(keys[0], names[0], now + 60, (char *)note.p, text_len, &note, &e),
		0);

	struct audit_known known[] = { { "early.note", (char *)early.p, early.len },
		{ "final.note", (char *)note.p, note.len } };
	struct audit_expect x = { .oem = &t.oem, .n_oem = 1 };
	attack_judge("quorum-none", t.path, &x, AUDIT_INCOMPLETE, "quorum missing", -1);
	x.known = known;
	x.n_known = 2;
	attack_judge("quorum-one", t.path, &x, AUDIT_INCOMPLETE, "quorum missing", -1);
	assert_string_equal(attack_result.findings[0].text,
		"the order wants 2 of 3 witnesses behind all leaves, 1 signed; missing: "
		"acme.example/witness/hq (2 leaves), other.example/witness (0 leaves)");
	assert_int_equal(attack_result.quorum, 2);
	assert_int_equal(attack_result.cosigners, 1);
	assert_int_equal(attack_result.n_faults, 0);
	/* The second one comes, with a line under the same checkpoint. */
	assert_int_equal(
		log_key_cosign(keys[2], names[2], now + 120, (char *)note.p, text_len, &note, &e),
		0);
	known[1] = (struct audit_known){ "final.note", (char *)note.p, note.len };
	attack_judge("quorum-held", t.path, &x, AUDIT_PASS, NULL, -1);
	assert_int_equal(attack_result.cosigners, 2);
	for (size_t i = 0; i < 3; i++)
		log_key_free(keys[i]);
	ev_log_end(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(order_attacks),
		cmocka_unit_test(foreign_station_key),
		cmocka_unit_test(unordered_package),
		cmocka_unit_test(quantity_and_window),
		cmocka_unit_test(intents),
		cmocka_unit_test(devices),
		cmocka_unit_test(uuid_in_two_logs),
		cmocka_unit_test(receipt_attacks),
		cmocka_unit_test(clock_attacks),
		cmocka_unit_test(witnesses),
		cmocka_unit_test(quorum_missing),
		cmocka_unit_test(backdated),
	};
	return cmocka_run_group_tests(tests, attack_make_logs, attack_drop_logs);
}

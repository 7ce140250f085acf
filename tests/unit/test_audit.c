/* The verifier: logs that are good, and what it says of each attack. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/text.h"
#include "evidence/audit.h"
#include "evidence_log.h"
#include "evidence_support.h"

static struct audit_result result;

static void verify(const char *path, const struct audit_expect *x, enum audit_verdict want)
{
	AUTO(buf_clear) struct buf text = { 0 };
	struct err e = { 0 };

	if (audit_verify(path, x, &result, &e) != 0)
		fail_msg("%s", e.msg);
	if (result.verdict == want)
		return;
	audit_summary(&result, &text);
	fail_msg("%s wanted:\n%s", audit_verdict_name(want), buf_text(&text));
}

static void example_log(void **state)
{
	(void)state;
	AUTO(buf_clear) struct buf pub = ev_file("minisign/keys/alice.pub");
	AUTO(buf_clear) struct buf note = ev_file("example-log/final.note");
	struct minisign_pub oem;
	struct vkey witness;
	struct err e;

	assert_int_equal(minisign_pub_parse(&oem, "alice", pub.p, pub.len, &e), 0);
	assert_int_equal(vkey_parse(&witness, "qa",
				 "acme.example/witness/qa+647934f0+BHp4v0+/"
				 "kuj0PwsXE07UCiz9EIA3PdwO4BPv5POWbdyE",
				 &e),
		0);
	struct audit_known known = { "final.note", (char *)note.p, note.len };
	struct audit_expect x = { .oem = &oem,
		.n_oem = 1,
		.witnesses = &witness,
		.n_witnesses = 1,
		.known = &known,
		.n_known = 1 };
	verify("tests/vectors/evidence/example-log/log.db", &x, AUDIT_PASS);
	assert_int_equal(result.leaves, 18);
	assert_int_equal(result.checkpoints, 13);
	assert_int_equal(result.epochs, 2);
	assert_int_equal(result.devices, 2);
	assert_int_equal(result.totals.passed, 1);
	assert_int_equal(result.totals.failed, 1);
	assert_int_equal(result.receipts, 1);
	assert_int_equal(result.witnessed, 18);
	assert_string_equal(result.oem_key, "23962033fae784cc");
	assert_string_equal(result.order_id, "2026-0042");
	assert_int_equal(result.n_faults, 0);
	/* The clock was set back, and the log says so itself. */
	assert_int_equal(result.n_warnings, 1);
	assert_string_equal(result.findings[0].attack, "clock going back");
	assert_int_equal(result.findings[0].leaf, 15);
}

static const char words[] =
	"PASS  acme.example/mfgpkg/order/2026-0042: 17 leaves, closed; devices: 3 begun, 2 passed, "
	"1 "
	"failed, 0 interrupted, 0 unknown\n"
	"  proven:     all 17 leaves are the ones the station signed, in this order, none changed "
	"or "
	"missing in between\n"
	"  proven:     the log was closed: no key exists that could continue it\n"
	"  proven:     the OEM (key 23962033fae784cc) ordered this log from this station: order "
	"2026-0042, 100 devices\n"
	"  not proven: that the station kept no second history: no witness saw this log\n"
	"  not proven: that 2 devices that passed exist: no receipt that holds\n"
	"  not proven: that no other devices were made: the provisioning file works on any blank "
	"part, "
	"and over-production leaves no trace in a log\n";

static void our_own_log(void **state)
{
	(void)state;
	struct ev_log t = { 0 };
	struct err e = { 0 };

	ev_log_start(&t, "own", ROLE_ORDER);
	ev_log_package(&t);
	ev_log_device(&t, 1, true);
	ev_log_device(&t, 2, false);
	struct audit_expect x = { .oem = &t.oem, .n_oem = 1 };
	log_free(t.log);
	verify(t.path, &x, AUDIT_INCOMPLETE);
	assert_int_equal(log_resume(&t.log, &t.open, &e), 0);
	ev_log_device(&t, 3, true);
	/* While it is being written: from a copy. */
	verify(t.path, &x, AUDIT_INCOMPLETE);
	assert_int_equal(log_close(t.log, "complete", &e), 0);
	verify(t.path, &x, AUDIT_PASS);
	AUTO(buf_clear) struct buf text = { 0 };
	audit_summary(&result, &text);
	assert_string_equal(buf_text(&text), words);
	verify(t.path, &(struct audit_expect){ 0 }, AUDIT_UNOWNED);
	ev_log_end(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(example_log),
		cmocka_unit_test(our_own_log),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

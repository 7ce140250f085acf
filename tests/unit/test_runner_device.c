/* One device: what is logged before what, what is believed, what is never repeated. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/text.h"
#include "mboot/status.h"
#include "runner/worker.h"
#include "runner_support.h"

static const char full[] = "@stage erase skip-if=lifecycle>=in-field\n"
			   "flash-erase-all\n"
			   "@stage provision irreversible skip-if=lifecycle>=in-field\n"
			   "receive-sb-file sb/provisioning.sb3\n"
			   "reset\n"
			   "@stage program retry=2\n"
			   "receive-sb-file sb/image.sb3\n"
			   "@stage finish\n"
			   "@check lifecycle == in-field\n"
			   "reset\n";

/* --- the good way ------------------------------------------------------------------------ */
static void passes(void **state)
{
	(void)state;
	struct rs_rig r;
	rs_open(&r, full, false);
	assert_int_equal(rs_run(&r), DEVICE_OUTCOME_PASS);
	assert_string_equal(rs_lines(&r), "begin mcxn947 blank\n"
					  "step 0 ok status 0 try 1\n"
					  "intent 1 irreversible\n"
					  "step 1 ok announced status 0 try 1\n"
					  "step 2 ok status 0 try 1\n"
					  "step 3 ok status 0 try 1\n"
					  "step 4 ok status 0 try 1\n"
					  "step 5 ok status 0 try 1\n"
					  "end pass  irreversible in-field\n");
	rs_close(&r);
}

static void slower_rate_where_the_fast_one_fails(void **state)
{
	(void)state;
	struct rs_rig r;
	rs_open(&r, full, false);
	r.job.bauds[0] = 921600;
	r.job.bauds[1] = 115200;
	r.job.n_bauds = 2;
	r.wire.deaf_above = 115200;
	assert_int_equal(rs_run(&r), DEVICE_OUTCOME_PASS);
	assert_int_equal(r.link.baud, 115200);
	assert_int_equal(r.wire.opens, 1);
	assert_non_null(strstr(r.link.slower, "921600 baud did not work: "));
	rs_close(&r);
}

/* A slot that waits for its next board keeps its port: opened once, whatever the rates tried. */
static void silent_port_stays_open(void **state)
{
	(void)state;
	struct rs_rig r;
	struct err e = { 0 };
	rs_open(&r, full, false);
	r.job.bauds[0] = 921600;
	r.job.bauds[1] = 115200;
	r.job.n_bauds = 2;
	r.wire.deaf_above = 1;
	assert_int_equal(device_connect(&r.link, &e), -1);
	assert_int_equal(e.code, ERR_TIMEOUT);
	assert_non_null(r.link.m);
	r.wire.deaf_above = 0;
	assert_int_equal(device_connect(&r.link, &e), 0);
	assert_int_equal(r.link.baud, 921600);
	assert_int_equal(r.wire.opens, 1);
	rs_close(&r);
}

static void slower_rate_where_the_port_refuses(void **state)
{
	(void)state;
	struct rs_rig r;
	struct err e = { 0 };
	rs_open(&r, full, false);
	r.job.bauds[0] = 3000000;
	r.job.bauds[1] = 921600;
	r.job.bauds[2] = 115200;
	r.job.n_bauds = 3;
	r.wire.refuse_above = 1000000;
	assert_int_equal(rs_run(&r), DEVICE_OUTCOME_PASS);
	assert_int_equal(r.link.baud, 921600);
	assert_string_equal(
		r.link.slower, "3000000 baud did not work: wire: the adapter refuses 3000000 baud");
	/* The rates stand in the package's order: the first one that works is taken. */
	device_disconnect(&r.link);
	r.job.bauds[0] = 115200;
	assert_int_equal(device_connect(&r.link, &e), 0);
	assert_int_equal(r.link.baud, 115200);
	assert_string_equal(r.link.slower, "");
	/* Not one that works: the reason is that of the port, or silence where there was any. */
	device_disconnect(&r.link);
	r.wire.refuse_above = 9600;
	assert_int_equal(device_connect(&r.link, &e), -1);
	assert_string_equal(e.msg, "wire: the adapter refuses 115200 baud");
	r.wire.refuse_above = 1000000;
	r.wire.deaf_above = 9600;
	r.job.bauds[0] = 3000000;
	assert_int_equal(device_connect(&r.link, &e), -1);
	assert_int_equal(e.code, ERR_TIMEOUT);
	rs_close(&r);
}

/* --- a fixture with control lines -------------------------------------------------------- */
static void fixture_resets_into_isp(void **state)
{
	(void)state;
	struct rs_rig r;
	rs_open(&r, full, false);
	r.wire.needs_isp = true;
	r.wire.wired = r.job.lines = (struct serial_lines){
		.reset = MBOOT_LINE_RTS, .isp = MBOOT_LINE_DTR, .hold_ms = 5
	};
	assert_int_equal(rs_run(&r), DEVICE_OUTCOME_PASS);
	/* once to find it, once after the reset in the middle, not after the last one */
	static const char pulse[] = "DTR on\nRTS on\nRTS off\nDTR off\n";
	char twice[2 * sizeof pulse];
	snprintf(twice, sizeof twice, "%s%s", pulse, pulse);
	assert_string_equal(r.wire.lines, twice);
	assert_int_equal(r.wire.opens, 1);
	rs_close(&r);
}

/* --loop: the board starts its application at the end, and the fixture resets it while looking for
 * the next one. It must not be served again for that. */
static void fixture_serves_a_board_once(void **state)
{
	(void)state;
	struct rs_rig r;
	struct err e = { 0 };
	struct crew crew;
	static struct worker w;
	const struct port p = { .path = "/dev/ttyFIXTURE", .state = PORT_USABLE };
	rs_open(&r, full, false);
	r.wire.needs_isp = true;
	r.wire.wired = r.job.lines = (struct serial_lines){
		.reset = MBOOT_LINE_RTS, .isp = MBOOT_LINE_DTR, .hold_ms = 1
	};
	r.job.ready_ms = 2000;
	crew_init(&crew, 1);
	crew.job = &r.job;
	crew.journal = &r.journal;
	crew.screen = &r.screen;
	crew.loop = true;
	worker_set(&w, &crew, 0, "A1", &p);
	w.place.open = r.place.open;
	w.place.ctx = r.place.ctx;
	assert_int_equal(worker_start(&w, &e), 0);
	const struct timespec looks = { .tv_sec = 3, .tv_nsec = 500000000L };
	nanosleep(&looks, NULL);
	atomic_store(&crew.finish, true);
	worker_join(&w);
	size_t begins = 0;
	for (size_t i = 0; i < r.n; i++)
		begins += strncmp(r.line[i], "begin ", 6) == 0;
	assert_int_equal(begins, 1);
	/* it was found again: a third pulse, which nothing else has asked for */
	assert_int_equal(r.wire.n_lines, 12);
	assert_true(r.wire.in_isp);
	crew_clear(&crew);
	rs_close(&r);
}

static void board_without_a_line_stays_silent(void **state)
{
	(void)state;
	struct rs_rig r;
	struct err e = { 0 };
	rs_open(&r, full, false);
	r.wire.needs_isp = true;
	assert_int_equal(device_connect(&r.link, &e), -1);
	assert_int_equal(e.code, ERR_TIMEOUT);
	device_disconnect(&r.link);
	/* the wrong polarity lets the board start its application instead */
	r.wire.wired = r.job.lines = (struct serial_lines){
		.reset = MBOOT_LINE_RTS, .isp = MBOOT_LINE_DTR, .hold_ms = 1, .invert = true
	};
	r.wire.wired.invert = false;
	assert_int_equal(device_connect(&r.link, &e), -1);
	assert_int_equal(e.code, ERR_TIMEOUT);
	r.wire.wired.invert = true;
	assert_int_equal(device_connect(&r.link, &e), 0);
	/* a port without lines says so, and no rate is blamed for it */
	device_disconnect(&r.link);
	r.wire.wired.reset = MBOOT_LINE_NONE;
	r.job.bauds[1] = 9600;
	r.job.n_bauds = 2;
	r.wire.opens = 0;
	assert_int_equal(device_connect(&r.link, &e), -1);
	assert_string_equal(e.msg, "this port has no control lines");
	assert_int_equal(r.wire.opens, 1);
	rs_close(&r);
}

/* --- intents ----------------------------------------------------------------------------- */
static uint64_t bytes_at_intent;

static void look_at_sb(struct rs_wire *w, unsigned tag)
{
	struct rs_rig *r = w->ctx;

	if (tag != MBOOT_CMD_RECEIVE_SB_FILE || w->sent[tag] != 1)
		return;
	bytes_at_intent = 1;
	assert_string_equal(r->line[r->n - 1], "intent 1 irreversible");
}

static void intent_before_the_wire(void **state)
{
	(void)state;
	struct rs_rig r;
	rs_open(&r, full, false);
	r.wire.on_command = look_at_sb;
	r.wire.ctx = &r;
	bytes_at_intent = 0;
	assert_int_equal(rs_run(&r), DEVICE_OUTCOME_PASS);
	assert_int_equal(bytes_at_intent, 1);
	rs_close(&r);
}

static void no_intent_no_step(void **state)
{
	(void)state;
	struct rs_rig r;
	rs_open(&r, full, false);
	r.fail_intent = true;
	assert_int_equal(rs_run(&r), DEVICE_OUTCOME_LOG);
	assert_int_equal(r.fault.code, FAULT_LOG);
	assert_string_equal(r.fault.detail, "disk full");
	assert_int_equal(r.wire.sent[MBOOT_CMD_RECEIVE_SB_FILE], 0);
	assert_string_equal(rs_lines(&r), "begin mcxn947 blank\nstep 0 ok status 0 try 1\n");
	rs_close(&r);
}

/* --- what the device says ---------------------------------------------------------------- */
static void refused_by_the_device(void **state)
{
	(void)state;
	struct rs_rig r;
	char reason[FAULT_REASON_CAP];
	rs_open(&r, full, false);
	r.wire.refuse_tag = MBOOT_CMD_RECEIVE_SB_FILE;
	r.wire.refuse_at = 1;
	r.wire.refuse_status = MBOOT_STATUS_ROMLDR_SIGNATURE;
	assert_int_equal(rs_run(&r), DEVICE_OUTCOME_FAIL);
	assert_string_equal(rs_lines(&r), "begin mcxn947 blank\n"
					  "step 0 ok status 0 try 1\n"
					  "intent 1 irreversible\n"
					  "step 1 failed announced status 10101 try 1\n"
					  "end fail S04 irreversible -\n");
	fault_reason(&r.fault, reason);
	assert_string_equal(reason,
		"S04 stage provision, receive-sb-file sb/provisioning.sb3: receive-sb-file: 10101 "
		"RomLdrSignature (signature, magic or certificate wrong) (the device refuses the "
		"signature of the file)");
	assert_int_equal(r.wire.sent[MBOOT_CMD_RECEIVE_SB_FILE], 1); /* never a second time */
	rs_close(&r);
}

static void retries_where_allowed(void **state)
{
	(void)state;
	struct rs_rig r;
	rs_open(&r, full, false);
	r.wire.refuse_tag = MBOOT_CMD_RECEIVE_SB_FILE;
	r.wire.refuse_at = 2; /* the image */
	r.wire.refuse_status = MBOOT_STATUS_FAIL;
	assert_int_equal(rs_run(&r), DEVICE_OUTCOME_PASS);
	assert_non_null(
		strstr(rs_lines(&r), "step 3 failed status 1 try 1\nstep 3 ok status 0 try 2\n"));
	rs_close(&r);
}

static void port_vanishes(void **state)
{
	(void)state;
	struct rs_rig r;
	rs_open(&r, full, false);
	r.wire.close_tag = MBOOT_CMD_RECEIVE_SB_FILE;
	r.wire.close_at = 2;
	r.wire.closed_opens = 1000;
	int64_t start = clock_mono_ms();
	assert_int_equal(rs_run(&r), DEVICE_OUTCOME_FAIL);
	assert_int_equal(r.fault.code, FAULT_PORT_CLOSED);
	assert_true(clock_mono_ms() - start < 1000); /* noticed at once, and not tried again */
	assert_non_null(strstr(rs_lines(&r), "end fail P02 irreversible -\n"));
	rs_close(&r);
}

static void silent_after_reset(void **state)
{
	(void)state;
	struct rs_rig r;
	rs_open(&r,
		"@stage a irreversible\nreceive-sb-file sb/provisioning.sb3\nreset\n"
		"@stage b\nreceive-sb-file sb/image.sb3\n",
		false);
	r.wire.mute_tag = MBOOT_CMD_RESET;
	r.wire.mute_at = 1;
	assert_int_equal(rs_run(&r), DEVICE_OUTCOME_FAIL);
	/* a reset without a response is one; what counts is that nobody comes back */
	assert_true(r.fault.code == FAULT_AFTER_RESET || r.fault.code == FAULT_TIMEOUT);
	assert_int_equal(r.wire.sent[MBOOT_CMD_RECEIVE_SB_FILE], 1);
	rs_close(&r);
}

static void another_board(void **state)
{
	(void)state;
	struct rs_rig r;
	rs_open(&r, full, false);
	r.wire.swap_at = 2; /* after the first reset */
	assert_int_equal(rs_run(&r), DEVICE_OUTCOME_FAIL);
	assert_int_equal(r.fault.code, FAULT_OTHER_DEVICE);
	assert_int_equal(r.wire.sent[MBOOT_CMD_RECEIVE_SB_FILE], 1);
	rs_close(&r);
}

static void comes_back_under_another_name(void **state)
{
	(void)state;
	struct rs_rig r;
	rs_open(&r, full, false);
	r.wire.close_after_reset = true;
	r.wire.closed_opens = 1; /* gone, and there again at the second look */
	assert_int_equal(rs_run(&r), DEVICE_OUTCOME_PASS);
	assert_int_equal(r.wire.opens, 3);
	rs_close(&r);
}

/* --- verdicts ---------------------------------------------------------------------------- */
static void wrong_end_state(void **state)
{
	(void)state;
	struct rs_rig r;
	rs_open(&r, "@stage program\nreceive-sb-file sb/image.sb3\nreset\n", false);
	assert_int_equal(rs_run(&r), DEVICE_OUTCOME_FAIL);
	assert_int_equal(r.fault.code, FAULT_END_STATE);
	assert_string_equal(r.fault.detail, "life cycle is blank, wanted in-field");
	rs_close(&r);
}

static void check_fails_and_on_fail_runs(void **state)
{
	(void)state;
	struct rs_rig r;
	rs_open(&r,
		"@stage a\n@check property 17 == 0x1\nreceive-sb-file sb/image.sb3\n"
		"@stage tidy on-fail\nget-property 1\n",
		false);
	assert_int_equal(rs_run(&r), DEVICE_OUTCOME_FAIL);
	assert_int_equal(r.fault.code, FAULT_CHECK);
	assert_string_equal(r.fault.detail, "stage a, @check property 17 == 0x1: property 17 is "
					    "0x5aa55aa5, wanted property 17 == 0x1");
	assert_string_equal(rs_lines(&r), "begin mcxn947 blank\n"
					  "step 0 failed status 1 try 1\n"
					  "step 2 ok status 0 try 1\n"
					  "end fail V03 - blank\n");
	rs_close(&r);
}

static void on_fail_is_not_run_after_success(void **state)
{
	(void)state;
	struct rs_rig r;
	char script[600];
	rs_open(&r,
		(snprintf(script, sizeof script, "%s@stage tidy on-fail\nget-property 32\n", full),
			script),
		false);
	assert_int_equal(rs_run(&r), DEVICE_OUTCOME_PASS);
	assert_null(strstr(rs_lines(&r), "step 6"));
	rs_close(&r);
}

static void receipts(void **state)
{
	(void)state;
	struct rs_rig r;
	static const char script[] = "@stage a irreversible\nreceive-sb-file sb/provisioning.sb3\n"
				     "reset\n@stage b\ndice-attest\n";
	rs_open(&r, script, true);
	assert_int_equal(rs_run(&r), DEVICE_OUTCOME_FAIL);
	assert_int_equal(r.fault.code, FAULT_NOT_ATTESTED);
	assert_non_null(strstr(
		rs_lines(&r), "intent 2 attestation\nattestation refused 10006\nend fail V04 "));
	rs_close(&r);

	rs_open(&r, script, false); /* not demanded: noted, and no fault */
	assert_int_equal(rs_run(&r), DEVICE_OUTCOME_PASS);
	assert_non_null(strstr(rs_lines(&r), "attestation refused 10006\nend pass"));
	rs_close(&r);
}

/* --- who may be begun -------------------------------------------------------------------- */
static void other_family(void **state)
{
	(void)state;
	struct rs_rig r;
	struct err e = { 0 };
	rs_open(&r, full, false);
	assert_int_equal(device_connect(&r.link, &e), 0);
	r.link.who.flash_size = 0x100000;
	assert_int_equal(device_run(&r.link, &r.fault, &r.verdict), DEVICE_OUTCOME_FAIL);
	assert_int_equal(r.fault.code, FAULT_FAMILY);
	assert_string_equal(rs_lines(&r), "begin unknown blank\nend fail D01 - blank\n");
	assert_int_equal(r.wire.sent[MBOOT_CMD_FLASH_ERASE_ALL], 0);
	rs_close(&r);
}

static void life_cycle_at_the_start(void **state)
{
	(void)state;
	struct rs_rig r;
	struct err e = { 0 };
	rs_open(&r, full, false);
	assert_int_equal(device_connect(&r.link, &e), 0);
	r.link.who.lifecycle = MBOOT_LC_IN_FIELD; /* and this log does not know it */
	assert_int_equal(device_run(&r.link, &r.fault, &r.verdict), DEVICE_OUTCOME_FAIL);
	assert_int_equal(r.fault.code, FAULT_LIFECYCLE);
	assert_string_equal(r.fault.detail, "life cycle is in-field, wanted blank or develop; this "
					    "log does not know the device");
	assert_int_equal(r.wire.sent[MBOOT_CMD_FLASH_ERASE_ALL], 0);
	rs_close(&r);
}

static void skipped(void **state)
{
	(void)state;
	static const enum begin_verdict verdicts[] = { BEGIN_DONE, BEGIN_ELSEWHERE, BEGIN_QUANTITY,
		BEGIN_COUNT, BEGIN_EXPIRED };
	for (size_t i = 0; i < sizeof verdicts / sizeof *verdicts; i++) {
		struct rs_rig r;
		rs_open(&r, full, false);
		r.begin.verdict = verdicts[i];
		assert_int_equal(rs_run(&r), DEVICE_OUTCOME_SKIPPED);
		assert_int_equal(r.verdict, verdicts[i]);
		assert_int_equal(r.n, 0);
		assert_int_equal(r.wire.sent[MBOOT_CMD_FLASH_ERASE_ALL], 0);
		rs_close(&r);
	}
}

/* --- earlier attempts -------------------------------------------------------------------- */
/* The first run dies after the file, before the reset: known to be done, it is not sent again. */
static void done_is_not_repeated(void **state)
{
	(void)state;
	struct rs_rig r;
	rs_open(&r, full, false);
	r.begin.irreversible = true;
	step_set_add(r.begin.intended, 1);
	step_set_add(r.begin.done, 1);
	assert_int_equal(rs_run(&r), DEVICE_OUTCOME_FAIL); /* the dry device never got the file */
	assert_int_equal(r.fault.code, FAULT_CHECK);
	assert_non_null(strstr(rs_lines(&r), "step 1 skipped status 0 try 0\n"
					     "step 2 ok status 0 try 1\n"));
	assert_null(strstr(rs_lines(&r), "intent"));
	assert_int_equal(r.wire.sent[MBOOT_CMD_RECEIVE_SB_FILE], 1); /* the image only */
	rs_close(&r);
}

/* Announced, end unknown: a reset lets the device tell, then its own state decides. */
static void unknown_is_settled_by_a_reset(void **state)
{
	(void)state;
	struct rs_rig r;
	rs_open(&r, full, false);
	r.begin.irreversible = true;
	step_set_add(r.begin.intended, 1);
	assert_int_equal(rs_run(&r), DEVICE_OUTCOME_PASS);
	assert_int_equal(r.wire.sent[MBOOT_CMD_RESET], 3);
	assert_non_null(strstr(rs_lines(&r), "intent 1 irreversible\nstep 1 ok announced"));
	rs_close(&r);
}

static void unknown_without_skip_if_is_refused(void **state)
{
	(void)state;
	struct rs_rig r;
	rs_open(&r, "@stage provision irreversible\nreceive-sb-file sb/provisioning.sb3\nreset\n",
		false);
	r.begin.irreversible = true;
	step_set_add(r.begin.intended, 0);
	assert_int_equal(rs_run(&r), DEVICE_OUTCOME_FAIL);
	assert_int_equal(r.fault.code, FAULT_MAY_BE_DONE);
	assert_string_equal(rs_lines(&r), "begin mcxn947 blank\nend fail D05 - blank\n");
	assert_int_equal(r.wire.sent[MBOOT_CMD_RECEIVE_SB_FILE], 0);
	rs_close(&r);
}

/* --- stopping ---------------------------------------------------------------------------- */
static void pull_in_stage(struct rs_wire *w, unsigned tag)
{
	struct rs_rig *r = w->ctx;

	if (tag == MBOOT_CMD_RECEIVE_SB_FILE && w->sent[tag] == 1)
		brake_pull(&r->brake);
}

static void stop_waits_for_the_irreversible_stage(void **state)
{
	(void)state;
	struct rs_rig r;
	rs_open(&r, full, false);
	r.wire.on_command = pull_in_stage;
	r.wire.ctx = &r;
	assert_int_equal(rs_run(&r), DEVICE_OUTCOME_STOPPED);
	assert_string_equal(rs_lines(&r), "begin mcxn947 blank\n"
					  "step 0 ok status 0 try 1\n"
					  "intent 1 irreversible\n"
					  "step 1 ok announced status 0 try 1\n"
					  "step 2 ok status 0 try 1\n"
					  "end interrupted U02 irreversible in-field\n");
	rs_close(&r);
}

static void pull_at_erase(struct rs_wire *w, unsigned tag)
{
	struct rs_rig *r = w->ctx;

	if (tag == MBOOT_CMD_FLASH_ERASE_ALL)
		brake_pull(&r->brake);
}

static void stop_before_the_irreversible_stage(void **state)
{
	(void)state;
	struct rs_rig r;
	rs_open(&r, full, false);
	r.wire.on_command = pull_at_erase;
	r.wire.ctx = &r;
	assert_int_equal(rs_run(&r), DEVICE_OUTCOME_STOPPED);
	assert_null(strstr(rs_lines(&r), "intent"));
	assert_non_null(strstr(rs_lines(&r), "end interrupted U02 - "));
	rs_close(&r);
}

/* --- faults as text ---------------------------------------------------------------------- */
static void codes(void **state)
{
	(void)state;
	char reason[FAULT_REASON_CAP];
	for (enum fault_code c = FAULT_NONE + 1; c < FAULT_CODES; c++) {
		struct fault f = { .code = c };
		assert_int_equal(strlen(fault_id(c)), 3);
		assert_true(strlen(fault_sentence(c)) > 10 && strlen(fault_instruction(c)) > 10);
		for (enum fault_code d = c + 1; d < FAULT_CODES; d++)
			assert_string_not_equal(fault_id(c), fault_id(d));
		fault_set(&f, c, 0, "a \x1b[31mred\n word");
		fault_reason(&f, reason);
		assert_null(strchr(reason, 0x1b));
		assert_null(strchr(reason, '\n'));
		assert_int_equal(fault_code_of_reason(reason), c);
	}
	assert_int_equal(fault_code_of_reason("something else"), FAULT_NONE);
	assert_int_equal(fault_code_of_reason(""), FAULT_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(passes),
		cmocka_unit_test(slower_rate_where_the_fast_one_fails),
		cmocka_unit_test(silent_port_stays_open),
		cmocka_unit_test(slower_rate_where_the_port_refuses),
		cmocka_unit_test(fixture_resets_into_isp),
		cmocka_unit_test(fixture_serves_a_board_once),
		cmocka_unit_test(board_without_a_line_stays_silent),
		cmocka_unit_test(intent_before_the_wire),
		cmocka_unit_test(no_intent_no_step),
		cmocka_unit_test(refused_by_the_device),
		cmocka_unit_test(retries_where_allowed),
		cmocka_unit_test(port_vanishes),
		cmocka_unit_test(silent_after_reset),
		cmocka_unit_test(another_board),
		cmocka_unit_test(comes_back_under_another_name),
		cmocka_unit_test(wrong_end_state),
		cmocka_unit_test(check_fails_and_on_fail_runs),
		cmocka_unit_test(on_fail_is_not_run_after_success),
		cmocka_unit_test(receipts),
		cmocka_unit_test(other_family),
		cmocka_unit_test(life_cycle_at_the_start),
		cmocka_unit_test(skipped),
		cmocka_unit_test(done_is_not_repeated),
		cmocka_unit_test(unknown_is_settled_by_a_reset),
		cmocka_unit_test(unknown_without_skip_if_is_refused),
		cmocka_unit_test(stop_waits_for_the_irreversible_stage),
		cmocka_unit_test(stop_before_the_irreversible_stage),
		cmocka_unit_test(codes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

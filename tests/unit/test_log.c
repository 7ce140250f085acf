/* The log writer: transactions, epochs, clocks, crashes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fsio.h"
#include "base/json.h"
#include "base/text.h"
#include "evidence/log.h"
#include "evidence_log.h"
#include "evidence_support.h"

static void life_of_a_log(void **state)
{
	(void)state;
	struct ev_log t;
	struct err e = { 0 };
	uint64_t seq;

	ev_log_start(&t, "life", ROLE_ORDER);
	ev_log_package(&t);
	ev_log_device(&t, 1, true);
	assert_int_equal(log_commit(t.log, &e), 0);
	assert_true(fsio_exists(ev_path("life/epoch-0.key")));
	assert_int_equal(log_seal_epoch(t.log, &e), 0);
	assert_false(fsio_exists(ev_path("life/epoch-0.key")));
	assert_true(fsio_exists(ev_path("life/epoch-1.key")));

	/* What is not committed is gone; the numbers are given again. */
	uint64_t size = log_size(t.log);
	assert_int_equal(
		log_append(t.log, "operator",
			json_pack("{s:s, s:s, s:n}", "action", "pause", "operator", "x", "text"),
			&seq, &e),
		0);
	assert_int_equal(seq, size);
	log_rollback(t.log);
	assert_int_equal(log_size(t.log), size);

	/* Members that do not fit leave the transaction as it was. */
	assert_int_equal(
		log_append(t.log, "operator",
			json_pack("{s:s, s:s}", "action", "explode", "operator", "x"), &seq, &e),
		-1);
	assert_string_equal(e.msg, "new leaf operator: member \"action\": "
				   "start/pause/stop/skip/retry/confirm/note wanted, "
				   "\\x22explode\\x22,\\x22operator\\x22:\\x22x\\x22,... seen");
	assert_int_equal(log_append(t.log, "key", json_object(), &seq, &e), -1);
	assert_string_equal(e.msg, "no kind \"key\" in a log of role order");
	assert_int_equal(log_append(t.log, "operator",
				 json_pack("{s:s, s:i}", "action", "note", "z", 1), &seq, &e),
		-1);
	assert_string_equal(e.msg, "leaf operator: 2 members given, 1 of them belong there");

	/* A new process seals the epoch it finds. */
	log_free(t.log);
	assert_int_equal(log_resume(&t.log, &t.open, &e), 0);
	assert_int_equal(log_size(t.log), size + 1);
	assert_true(fsio_exists(ev_path("life/epoch-2.key")));
	assert_false(fsio_exists(ev_path("life/epoch-1.key")));

	struct log *second = NULL;
	assert_int_equal(log_resume(&second, &t.open, &e), -1);
	assert_non_null(strstr(e.msg, "another process is writing this log"));
	assert_int_equal(e.code, ERR_ENV);

	assert_int_equal(log_close(t.log, "operator", &e), 0);
	assert_true(log_is_closed(t.log));
	assert_int_equal(
		ev_run("ls %s | sort | tr '\\n' ' ' > %s", ev_path("life"), ev_path("ls")), 0);
	AUTO(buf_clear) struct buf ls = ev_file(ev_path("ls"));
	assert_string_equal((char *)ls.p, "log.db ");
	log_freep(&t.log);
	assert_int_equal(log_resume(&t.log, &t.open, &e), -1);
	assert_non_null(strstr(e.msg, "the log is closed"));
	ev_log_end(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(life_of_a_log),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

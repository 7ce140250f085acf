/* The log writer: transactions, epochs, clocks, crashes. */
#include <setjmp.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fsio.h"
#include "base/json.h"
#include "base/text.h"
#include "evidence/audit.h"
#include "evidence/log.h"
#include "evidence/proof.h"
#include "evidence_log.h"
#include "evidence_support.h"
#include "evidence_vfs.h"

static void life_of_a_log(void **state)
{
	(void)state;
	struct ev_log t = { 0 };
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
				   "\"explode\",\"operator\":\"x\",\"text\":null} seen");
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

/* --- when the disk fails ---------------------------------------------------------------------- */

static struct audit_result result;

static void must_verify(
	const struct ev_log *t, const char *when, uint64_t acknowledged, enum audit_verdict worst)
{
	struct audit_expect x = { .oem = &t->oem, .n_oem = 1 };
	AUTO(buf_clear) struct buf text = { 0 };
	struct err e = { 0 };

	if (audit_verify(t->path, &x, &result, &e) != 0)
		fail_msg("%s: %s", when, e.msg);
	audit_summary(&result, &text);
	if (result.verdict > worst)
		fail_msg("%s: %s", when, buf_text(&text));
	if (result.leaves < acknowledged)
		fail_msg("%s: %llu leaves were acknowledged, %llu are there", when,
			(unsigned long long)acknowledged, (unsigned long long)result.leaves);
}

static int note(struct ev_log *t, const char *text, struct err *e)
{
	return log_append(t->log, "operator",
		json_pack("{s:s, s:s, s:s}", "action", "note", "operator", "x", "text", text), NULL,
		e);
}

/* A short life: begin, three transactions, a seal, a new process, one more, close. Stops at the
 * first fault, as a runner does. *acknowledged: leaves that a commit has promised. */
static int live(struct ev_log *t, uint64_t *acknowledged, struct err *e)
{
	*acknowledged = 0;
	if (log_create(&t->log, &t->open, e) != 0)
		return -1;
	*acknowledged = log_size(t->log);
	for (int i = 0; i < 3; i++) {
		if (note(t, "one", e) != 0 || note(t, "two", e) != 0 || log_commit(t->log, e) != 0)
			return -1;
		*acknowledged = log_size(t->log);
		if (i == 1 && log_seal_epoch(t->log, e) != 0)
			return -1;
	}
	*acknowledged = log_size(t->log);
	log_freep(&t->log);
	if (log_resume(&t->log, &t->open, e) != 0 || note(t, "three", e) != 0 ||
		log_commit(t->log, e) != 0)
		return -1;
	*acknowledged = log_size(t->log);
	return log_close(t->log, "operator", e);
}

/* Go on after the fault, as the next start of the station would, and close. */
static void recover(struct ev_log *t, const char *when, uint64_t acknowledged)
{
	struct err e = { 0 };
	uint64_t more;

	log_freep(&t->log);
	t->open.vfs = NULL;
	if (!fsio_exists(t->path)) {
		assert_int_equal(acknowledged, 0);
		if (live(t, &more, &e) != 0)
			fail_msg("%s: a new beginning: %s", when, e.msg);
	} else {
		must_verify(t, when, acknowledged, AUDIT_INCOMPLETE);
		bool closed = result.closed;
		if (log_resume(&t->log, &t->open, &e) != 0) {
			if (!closed || !strstr(e.msg, "the log is closed"))
				fail_msg("%s: cannot be continued: %s", when, e.msg);
		} else if (note(t, "again", &e) != 0 || log_commit(t->log, &e) != 0 ||
			   log_close(t->log, "operator", &e) != 0) {
			fail_msg("%s: cannot be closed: %s", when, e.msg);
		}
	}
	log_freep(&t->log);
	must_verify(t, when, acknowledged, AUDIT_PASS);
}

static void disk_fails(const char *name, int rc, bool for_good)
{
	unsigned n;

	for (n = 1;; n++) {
		struct ev_log t = { 0 };
		struct err e = { 0 };
		uint64_t acknowledged;
		char when[64];
		snprintf(when, sizeof when, "%s at call %u", name, n);
		ev_log_prepare(&t, "fault", ROLE_ORDER);
		t.open.vfs = EV_VFS;
		ev_vfs_arm(n, rc, for_good);
		int done = live(&t, &acknowledged, &e);
		bool failed = ev_vfs_failed();
		ev_vfs_arm(0, 0, false);
		if (done != 0) {
			assert_int_equal(e.code, ERR_ENV);
			assert_true(*e.msg);
		}
		recover(&t, when, acknowledged);
		ev_log_end(&t);
		if (!failed)
			break;
	}
	print_message("%s: %u calls made to fail\n", name, n - 1);
	assert_true(n > 50);
}

static void io_error_once(void **state)
{
	(void)state;
	disk_fails("I/O error once", SQLITE_IOERR_WRITE, false);
}

static void io_error_for_good(void **state)
{
	(void)state;
	disk_fails("I/O error for good", SQLITE_IOERR_WRITE, true);
}

static void disk_full(void **state)
{
	(void)state;
	disk_fails("disk full", SQLITE_FULL, true);
}

/* After a full disk the same process can go on when there is room again. */
static void full_then_room(void **state)
{
	(void)state;
	struct ev_log t = { 0 };
	struct err e = { 0 };

	ev_log_prepare(&t, "room", ROLE_ORDER);
	ev_vfs_arm(0, 0, false);
	t.open.vfs = EV_VFS;
	assert_int_equal(log_create(&t.log, &t.open, &e), 0);
	for (unsigned n = 1; n < 12; n++) {
		uint64_t size = log_size(t.log);
		ev_vfs_arm(n, SQLITE_FULL, true);
		int rc = note(&t, "full", &e) != 0 || log_commit(t.log, &e) != 0;
		bool failed = ev_vfs_failed();
		ev_vfs_arm(0, 0, false);
		assert_true(rc == 0 || failed);
		if (rc != 0)
			assert_int_equal(log_size(t.log), size);
		assert_int_equal(note(&t, "room again", &e), 0);
		if (log_commit(t.log, &e) != 0)
			fail_msg("after call %u: %s", n, e.msg);
	}
	assert_int_equal(log_close(t.log, "operator", &e), 0);
	must_verify(&t, "full, then room", log_size(t.log), AUDIT_PASS);
	ev_log_end(&t);
}

/* The process is killed at any moment; what it has acknowledged is there. */
static void killed(void **state)
{
	(void)state;
	unsigned with_leaves = 0;

	srandom(7);
	for (unsigned i = 0; i < 20; i++) {
		struct ev_log t = { 0 };
		uint64_t acknowledged = 0, n;
		char when[64];
		int fds[2], status;
		snprintf(when, sizeof when, "kill %u", i);
		ev_log_prepare(&t, "kill", ROLE_ORDER);
		assert_int_equal(pipe(fds), 0);
		pid_t pid = fork();
		if (pid == 0) {
			struct err e = { 0 };
			if (log_create(&t.log, &t.open, &e) != 0)
				_exit(1);
			for (unsigned k = 0;; k++) {
				n = log_size(t.log);
				if (write(fds[1], &n, sizeof n) != sizeof n)
					_exit(1);
				if (k % 7 == 6 ? log_seal_epoch(t.log, &e)
					       : note(&t, "x", &e) || log_commit(t.log, &e))
					_exit(1);
			}
		}
		close(fds[1]);
		/* after a number of acknowledgements, and a moment more */
		unsigned after = 1 + i * 3;
		for (unsigned k = 0; k < after && read(fds[0], &n, sizeof n) == sizeof n; k++)
			acknowledged = n;
		usleep((useconds_t)(random() % 3000));
		assert_int_equal(kill(pid, SIGKILL), 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		while (read(fds[0], &n, sizeof n) == sizeof n)
			acknowledged = n;
		close(fds[0]);
		with_leaves += acknowledged > 1;
		/* the clock of the next process is later */
		t.now.wall_ms += 600000;
		t.now.boot_ms += 600000;
		recover(&t, when, acknowledged);
		ev_log_end(&t);
	}
	assert_true(with_leaves > 10);
}

/* An epoch ends after its time even when nothing happens, and before what happens next. */
static void epochs_by_time(void **state)
{
	(void)state;
	struct ev_log t = { 0 };
	struct err e = { 0 };

	ev_log_start(&t, "time", ROLE_ORDER);
	assert_int_equal(log_tick(t.log, &e), 0);
	assert_int_equal(log_size(t.log), 1);
	t.now.wall_ms += LOG_EPOCH_MS;
	t.now.boot_ms += LOG_EPOCH_MS;
	assert_int_equal(log_tick(t.log, &e), 0);
	assert_int_equal(log_size(t.log), 2);
	t.now.wall_ms += LOG_EPOCH_MS;
	t.now.boot_ms += LOG_EPOCH_MS;
	assert_int_equal(note(&t, "late", &e), 0);
	assert_int_equal(log_size(t.log), 4); /* the seal came first */
	assert_int_equal(log_commit(t.log, &e), 0);
	assert_int_equal(log_close(t.log, "expired", &e), 0);
	must_verify(&t, "by time", 6, AUDIT_PASS);
	assert_int_equal(result.epochs, 3);
	assert_int_equal(result.n_warnings, 0);
	ev_log_end(&t);
}

/* Logs that do not belong to the keys or the origin at hand. */
static void wrong_keys(void **state)
{
	(void)state;
	struct ev_log t = { 0 };
	AUTO(log_key_freep) struct log_key *other = NULL;
	struct err e = { 0 };

	ev_log_start(&t, "wrong", ROLE_ORDER);
	assert_int_equal(log_create(&t.log, &t.open, &e), -1);
	assert_non_null(strstr(e.msg, "exists already, not replaced"));
	log_freep(&t.log);
	struct log_open o = t.open;
	assert_int_equal(log_key_generate(&other, &e), 0);
	o.station = other;
	assert_int_equal(log_resume(&t.log, &o, &e), -1);
	assert_non_null(strstr(e.msg, "was begun with another station key"));
	o = t.open;
	o.origin = "acme.example/mfgpkg/order/2026-0043";
	assert_int_equal(log_resume(&t.log, &o, &e), -1);
	assert_non_null(strstr(e.msg, "is the log of acme.example/mfgpkg/order/2026-0042"));
	assert_int_equal(ev_run("mv %s/epoch-0.key %s/x", t.dir, t.dir), 0);
	assert_int_equal(log_resume(&t.log, &t.open, &e), -1);
	assert_non_null(strstr(e.msg, "cannot be continued without the key of epoch 0"));
	assert_int_equal(log_key_save(other, ev_path("wrong/epoch-0.key"), &e), 0);
	assert_int_equal(log_resume(&t.log, &t.open, &e), -1);
	assert_non_null(strstr(e.msg, "is not the key of epoch 0"));
	assert_int_equal(ev_run("mv -f %s/x %s/epoch-0.key", t.dir, t.dir), 0);
	/* A leaf changed behind the writer's back. */
	assert_int_equal(ev_run("sqlite3 %s \"drop trigger leaf_keep_u; update leaf set data="
				"replace(data,'0.1.0','0.1.1')\"",
				 t.path),
		0);
	assert_int_equal(log_resume(&t.log, &t.open, &e), -1);
	assert_non_null(strstr(e.msg, "leaf 0 is not what was signed"));
	ev_log_end(&t);
}

/* A proof made by the writer holds against the checkpoint it signed. */
static void proof_of_a_leaf(void **state)
{
	(void)state;
	struct ev_log t = { 0 };
	AUTO(buf_clear) struct buf proof = { 0 };
	AUTO(buf_clear) struct buf vkey = { 0 };
	AUTO(buf_clear) struct buf text = { 0 };
	AUTO(policy_freep) struct policy *policy = NULL;
	AUTO(proof_clear) struct proof p = { 0 };
	struct checkpoint c;
	struct err e = { 0 };

	ev_log_start(&t, "proof", ROLE_WORKSPACE);
	for (int i = 0; i < 6; i++) {
		uint64_t seq = ev_log_add(&t, "key",
			json_pack("{s:s, s:s, s:s, s:n}", "action", "made", "type", "rot", "file",
				"rot_p256_0.pem", "public"));
		assert_int_equal(seq, i + 1);
	}
	assert_int_equal(log_commit(t.log, &e), 0);
	assert_int_equal(log_prove(t.log, 3, &proof, &e), 0);
	assert_int_equal(log_key_vkey(t.station, t.open.origin, &vkey, &e), 0);
	wr_printf(&text, "log %s\nquorum none\n", buf_text(&vkey));
	assert_int_equal(policy_parse(&policy, "p", text.p, text.len, &e), 0);
	assert_int_equal(proof_parse(&p, "proof", proof.p, proof.len, &e), 0);
	assert_int_equal(proof_check(&p, "proof", policy, t.open.origin, NULL, 0, &c, &e), 0);
	assert_int_equal(c.size, 7);
	assert_int_equal(p.index, 3);
	must_verify(&t, "workspace", 7, AUDIT_PASS); /* open, as a workspace log is */
	ev_log_end(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(life_of_a_log),
		cmocka_unit_test(io_error_once),
		cmocka_unit_test(io_error_for_good),
		cmocka_unit_test(disk_full),
		cmocka_unit_test(full_then_room),
		cmocka_unit_test(killed),
		cmocka_unit_test(epochs_by_time),
		cmocka_unit_test(wrong_keys),
		cmocka_unit_test(proof_of_a_leaf),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

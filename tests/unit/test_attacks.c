/* The attack table, first half: the log as a file and as a tree. Each attack is carried out on a
 * log, with the station's own keys where the attacker would have them, and the verifier must name
 * it; or the test shows that it cannot be seen without a witness. Second half: test_attacks_made.c.
 */
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

static void good_logs_pass(void **state)
{
	(void)state;
	struct audit_expect x = attack_oem();

	attack_judge("good", attack_base.path, &x, AUDIT_PASS, NULL, -1);
	assert_int_equal(attack_result.epochs, 4);
	assert_int_equal(attack_result.totals.passed, 2);
	assert_int_equal(attack_result.no_receipt, 2);
	x.dice_ca = attack_ca;
	attack_judge("good-receipts", attack_receipts.path, &x, AUDIT_PASS, NULL, -1);
	assert_int_equal(attack_result.receipts, 3);
	assert_int_equal(attack_result.no_receipt, 0);

	/* Forging without changing anything gives a good log again: the forger works. */
	struct forge f;
	forge_read(&f, &attack_base);
	forge_write(&f, ev_path("same.db"));
	attack_judge("good-rewritten", ev_path("same.db"), &x, AUDIT_PASS, NULL, -1);
	forge_clear(&f);
}

/* --- edited ----------------------------------------------------------------------------------- */

static void edited_leaf(void **state)
{
	(void)state;
	attack_sql("edited-result",
		"UPDATE leaf SET data=replace(data,'\"result\":\"failed\"','\"result\":\"ok\"') "
		"WHERE seq=10",
		"edited leaf", 10);
	attack_sql("edited-genesis",
		"UPDATE leaf SET data=replace(data,'Debian','Fedora') WHERE seq=0", "edited leaf",
		0);
	attack_sql("edited-last",
		"UPDATE leaf SET data=replace(data,'\"reason\":\"close\"','\"reason\":\"start\"') "
		"WHERE "
		"seq=(SELECT max(seq) FROM leaf)",
		"edited leaf", -1);
	attack_sql("edited-prev",
		"UPDATE leaf SET "
		"data=replace(data,substr(data,instr(data,'\"prev\":')+8,64),'" EV_PACKAGE
		"') WHERE seq=5",
		"edited leaf", -1);
}

static void edited_by_the_station(void **state)
{
	(void)state;
	struct forge f;

	/* With the station key alone: epoch signatures are missing. */
	forge_read(&f, &attack_base);
	size_t end = forge_find(&f, "device-end", 1);
	forge_set(&f, end, "result", json_string("pass"));
	forge_set(&f, end, "reason", json_null());
	size_t close = forge_find(&f, "close", 0);
	json_object_set_new(forge_at(&f, close, "totals"), "passed", json_integer(3));
	json_object_set_new(forge_at(&f, close, "totals"), "failed", json_integer(0));
	struct log_key *kept[4];
	for (int i = 0; i < 4; i++) {
		kept[i] = f.epoch[i];
		f.epoch[i] = NULL;
	}
	forge_write(&f, ev_path("station-key.db"));
	attack_fails("rewritten-with-station-key", ev_path("station-key.db"),
		"not signed by the epoch key", -1);

	/* With the last epoch key too, which is what a thief finds: only its own epoch is right. */
	f.epoch[3] = kept[3];
	forge_write(&f, ev_path("last-epoch.db"));
	attack_fails("rewritten-with-last-epoch-key", ev_path("last-epoch.db"),
		"not signed by the epoch key", -1);

	/* With another key under the right key's id: the signature is false. */
	AUTO(log_key_freep) struct log_key *other = NULL;
	struct err e;
	assert_int_equal(log_key_generate(&other, &e), 0);
	for (int i = 0; i < 4; i++)
		f.epoch[i] = kept[i];
	struct log_key *right = f.epoch[1];
	f.epoch[1] = f.epoch[0];
	forge_write(&f, ev_path("old-epoch-key.db"));
	attack_fails(
		"old-epoch-key-used", ev_path("old-epoch-key.db"), "epoch key out of force", -1);
	f.epoch[1] = right;

	/* NOT DETECTABLE without witness or receipt: a station that kept all its old keys. */
	struct audit_expect x = attack_oem();
	forge_write(&f, ev_path("all-keys.db"));
	attack_judge("all-keys-kept", ev_path("all-keys.db"), &x, AUDIT_PASS, NULL, -1);
	/* With one checkpoint known from before, it shows. */
	AUTO(buf_clear) struct buf note = { 0 };
	assert_int_equal(log_checkpoint(attack_base.path, &note, &e), 0);
	struct audit_known known = { "known.note", (char *)note.p, note.len };
	x.known = &known;
	x.n_known = 1;
	attack_judge(
		"all-keys-kept-known", ev_path("all-keys.db"), &x, AUDIT_FAIL, "two heads", -1);
	forge_clear(&f);
}

static void false_signature(void **state)
{
	(void)state;
	/* A bit of either signature, without its key id. */
	attack_sql("false-epoch-signature",
		"UPDATE checkpoint SET "
		"note=substr(note,1,instr(note,char(10)||'\xE2\x80\x94')+70)||"
		"CASE substr(note,instr(note,char(10)||'\xE2\x80\x94')+71,1) WHEN 'A' THEN 'B' "
		"ELSE 'A' "
		"END||substr(note,instr(note,char(10)||'\xE2\x80\x94')+72) WHERE size=5",
		"false epoch signature", 4);
	attack_sql("no-signatures",
		"UPDATE checkpoint SET note=substr(note,1,instr(note,char(10)||char(10))+1) WHERE "
		"size=7",
		"not signed by the epoch key", 6);
	attack_sql("checkpoint-of-other-size",
		"UPDATE checkpoint SET note=(SELECT note FROM checkpoint WHERE size=5) WHERE "
		"size=7",
		"false checkpoint", 6);
	attack_sql("checkpoint-below-zero", "INSERT INTO checkpoint VALUES(0,'x')",
		"false checkpoint", -1);
}

static void edited_views_and_nodes(void **state)
{
	(void)state;
	attack_sql("edited-node", "UPDATE node SET hash=zeroblob(32) WHERE id=9",
		"edited tree node", -1);
	attack_sql("deleted-node", "DELETE FROM node WHERE id=3", "edited tree node", -1);
	attack_sql("extra-node", "INSERT INTO node SELECT max(id)+1, zeroblob(32) FROM node",
		"edited tree node", -1);
	attack_sql("edited-view",
		"DROP VIEW device; CREATE VIEW device AS SELECT 'all passed' AS result FROM leaf",
		"foreign schema object", -1);
}

/* --- cut, deleted, moved ---------------------------------------------------------------------- */

static void deleted_inside(void **state)
{
	(void)state;
	attack_sql("deleted-leaf", "DELETE FROM leaf WHERE seq=9", "deleted leaf", 9);
	attack_sql("deleted-and-renumbered",
		"DELETE FROM leaf WHERE seq=9; UPDATE leaf SET seq=-seq WHERE seq>9; UPDATE leaf "
		"SET "
		"seq=-seq-1 WHERE seq<0",
		"deleted leaf", 9);
	attack_sql("renumbered-past-count", "UPDATE leaf SET seq=seq+1000 WHERE seq>=9",
		"renumbered row", 9);
	attack_sql("renumbered-below-zero", "UPDATE leaf SET seq=-5 WHERE seq=9", NULL, -1);
	attack_sql("inserted-leaf",
		"UPDATE leaf SET seq=-seq WHERE seq>9; UPDATE leaf SET seq=-seq+1 WHERE seq<0; "
		"INSERT "
		"INTO leaf SELECT 10, data FROM leaf WHERE seq=9",
		"inserted leaf", 10);
}

static void reordered(void **state)
{
	(void)state;
	attack_sql("reordered",
		"UPDATE leaf SET seq=-1 WHERE seq=5; UPDATE leaf SET seq=5 WHERE seq=6; UPDATE "
		"leaf SET "
		"seq=6 WHERE seq=-1",
		"reordered leaves", 5);
}

static void head_cut(void **state)
{
	(void)state;
	attack_sql("head-cut", "DELETE FROM leaf WHERE seq<3", "head cut", -1);
	attack_sql("head-cut-renumbered",
		"DELETE FROM leaf WHERE seq<3; UPDATE leaf SET seq=seq-3; DELETE FROM checkpoint "
		"WHERE "
		"size<=3; UPDATE checkpoint SET size=size-3",
		"head cut", -1);
	attack_sql("empty", "DELETE FROM leaf; DELETE FROM checkpoint; DELETE FROM node",
		"head cut", -1);
}

#define CUT_12                                                                                     \
	"DELETE FROM leaf WHERE seq>=12; DELETE FROM checkpoint WHERE size>12; DELETE FROM node "  \
	"WHERE "                                                                                   \
	"id>=22"

static void tail_cut(void **state)
{
	(void)state;
	struct audit_expect x = attack_oem();
	AUTO(buf_clear) struct buf note = { 0 };
	struct err e;

	attack_sql("tail-cut-checkpoint-left", "DELETE FROM leaf WHERE seq>=12", "tail cut", 11);
	/* Cut cleanly: it is only not closed ... */
	char *path = forge_sql(&attack_base, "tail-cut", CUT_12);
	attack_judge("tail-cut", path, &x, AUDIT_INCOMPLETE, NULL, -1);
	/* ... but with a newer checkpoint known, it shows. */
	assert_int_equal(log_checkpoint(attack_base.path, &note, &e), 0);
	struct audit_known known = { "known.note", (char *)note.p, note.len };
	x.known = &known;
	x.n_known = 1;
	attack_judge("tail-cut-known", path, &x, AUDIT_FAIL, "tail cut", 11);
}

static void unsigned_tail(void **state)
{
	(void)state;
	attack_sql("last-checkpoint-deleted",
		"DELETE FROM checkpoint WHERE size=(SELECT max(size) FROM checkpoint)",
		"unsigned leaves", -1);
	attack_sql("seal-checkpoint-deleted", "DELETE FROM checkpoint WHERE size=8",
		"seal without checkpoint", 7);
}

/* --- forks ------------------------------------------------------------------------------------ */

static void fork_of_the_log(void **state)
{
	(void)state;
	struct ev_log t = { 0 };
	struct audit_expect x = attack_oem();
	struct err e = { 0 };
	AUTO(buf_clear) struct buf note = { 0 };

	/* The station keeps a copy of everything, goes on, then goes back to the copy and goes on
	 * in another way. */
	ev_log_start(&t, "fork", ROLE_ORDER);
	ev_log_package(&t);
	ev_log_device(&t, 1, true);
	log_freep(&t.log);
	assert_int_equal(ev_run("cp -rp %s %s.copy", t.dir, t.dir), 0);
	assert_int_equal(log_resume(&t.log, &t.open, &e), 0);
	ev_log_device(&t, 2, true);
	log_freep(&t.log);
	assert_int_equal(log_checkpoint(t.path, &note, &e), 0);
	assert_int_equal(ev_run("rm -r %s && mv %s.copy %s", t.dir, t.dir, t.dir), 0);
	t.now.wall_ms += 5000;
	t.now.boot_ms += 5000;
	t.device = 1;
	assert_int_equal(log_resume(&t.log, &t.open, &e), 0);
	ev_log_device(&t, 3, true);
	ev_log_device(&t, 4, true);
	assert_int_equal(log_close(t.log, "complete", &e), 0);
	log_freep(&t.log);

	x.oem = &t.oem;
	attack_judge("older-copy-continued", t.path, &x, AUDIT_PASS, NULL, -1);
	struct audit_known known = { "known.note", (char *)note.p, note.len };
	x.known = &known;
	x.n_known = 1;
	attack_judge("older-copy-continued-known", t.path, &x, AUDIT_FAIL, "two heads", -1);
	ev_log_end(&t);
}

static void checkpoint_of_another_log(void **state)
{
	(void)state;
	struct audit_expect x = attack_oem();
	AUTO(buf_clear) struct buf note = ev_file("example-log/final.note");
	struct audit_known known = { "final.note", (char *)note.p, note.len };

	x.known = &known;
	x.n_known = 1;
	attack_judge("known-of-another-station", attack_base.path, &x, AUDIT_FAIL,
		"checkpoint of another log", -1);
}

/* --- epochs ----------------------------------------------------------------------------------- */

static void epoch_attacks(void **state)
{
	(void)state;
	struct forge f;

	forge_read(&f, &attack_base);
	size_t seal1 = forge_find(&f, "epoch-seal", 1), seal2 = forge_find(&f, "epoch-seal", 2);
	forge_set(&f, seal1, "epoch", json_integer(2));
	forge_write(&f, ev_path("epoch-skipped.db"));
	attack_fails("epoch-skipped", ev_path("epoch-skipped.db"), "epoch skipped", (int64_t)seal1);
	forge_set(&f, seal1, "epoch", json_integer(0));
	forge_write(&f, ev_path("epoch-resealed.db"));
	attack_fails(
		"epoch-resealed", ev_path("epoch-resealed.db"), "epoch resealed", (int64_t)seal1);
	forge_set(&f, seal1, "epoch", json_integer(1));

	/* The key of epoch 2 comes back as the key of epoch 3. */
	forge_set(&f, seal2, "next", json_incref(forge_at(&f, seal1, "next")));
	forge_write(&f, ev_path("epoch-key-again.db"));
	attack_fails(
		"epoch-key-again", ev_path("epoch-key-again.db"), "epoch resealed", (int64_t)seal2);
	forge_clear(&f);

	/* The seal of the empty epoch is left out. */
	forge_read(&f, &attack_base);
	forge_delete(&f, seal2);
	for (size_t i = seal2; i < f.n; i++) {
		if (forge_at(&f, i, "begin"))
			forge_set(&f, i, "begin", json_integer(ev_int(f.leaf[i], "begin") - 1));
		if (json_is_integer(forge_at(&f, i, "intent")))
			forge_set(&f, i, "intent", json_integer(ev_int(f.leaf[i], "intent") - 1));
	}
	f.epoch[2] = (log_key_free(f.epoch[2]), f.epoch[3]);
	f.epoch[3] = NULL;
	forge_write(&f, ev_path("empty-epoch.db"));
	attack_fails("empty-epoch-unsealed", ev_path("empty-epoch.db"),
		"not signed by the epoch key", -1);
	forge_clear(&f);

	forge_read(&f, &attack_base);
	f.keep_roots = true;
	forge_set(&f, seal1, "root", json_string("AsETI4ZJ6BcUxJg+HaCW7p/tfuraEIhZoM+/rT8Y4EI="));
	forge_write(&f, ev_path("false-seal.db"));
	attack_fails("false-seal", ev_path("false-seal.db"), "false seal", (int64_t)seal1);
	forge_clear(&f);
}

static void closed_and_not_closed(void **state)
{
	(void)state;
	struct forge f;
	struct audit_expect x = attack_oem();

	forge_read(&f, &attack_base);
	size_t close = forge_find(&f, "close", 0);
	json_t *late = json_deep_copy(f.leaf[2]);
	forge_insert(&f, f.n, late);
	forge_write(&f, ev_path("continued.db"));
	attack_fails("closed-log-continued", ev_path("continued.db"), "closed log continued",
		(int64_t)f.n - 1);
	forge_delete(&f, f.n - 1);
	forge_delete(&f, close);
	forge_write(&f, ev_path("seal-without-close.db"));
	attack_fails("seal-without-close", ev_path("seal-without-close.db"), "false seal", -1);
	forge_delete(&f, close);
	forge_write(&f, ev_path("not-closed.db"));
	attack_judge("not-closed", ev_path("not-closed.db"), &x, AUDIT_INCOMPLETE, NULL, -1);
	forge_clear(&f);

	forge_read(&f, &attack_base);
	f.keep_totals = true;
	json_object_set_new(forge_at(&f, close, "totals"), "failed", json_integer(0));
	forge_write(&f, ev_path("totals.db"));
	attack_fails("false-totals", ev_path("totals.db"), "false totals", (int64_t)close);
	forge_set(&f, close, "kind", json_string("close"));
	forge_clear(&f);

	/* A second genesis. */
	forge_read(&f, &attack_base);
	forge_insert(&f, 3, json_deep_copy(f.leaf[0]));
	forge_write(&f, ev_path("genesis.db"));
	attack_fails("second-genesis", ev_path("genesis.db"), "second genesis", 3);
	forge_clear(&f);
}

/* --- the file --------------------------------------------------------------------------------- */

static void foreign_objects(void **state)
{
	(void)state;
	attack_sql("extra-table", "CREATE TABLE passed(uuid TEXT)", "foreign schema object", -1);
	attack_sql("extra-view", "CREATE VIEW summary AS SELECT 1 AS passed",
		"foreign schema object", -1);
	attack_sql("extra-trigger",
		"CREATE TRIGGER t AFTER INSERT ON cosignature BEGIN DELETE FROM blob; END",
		"foreign schema object", -1);
	attack_sql("extra-index", "CREATE INDEX i ON leaf(data)", "foreign schema object", -1);
	attack_sql("generated-column",
		"ALTER TABLE leaf ADD COLUMN result TEXT AS ('pass') VIRTUAL",
		"foreign schema object", -1);
	attack_sql("leaf-is-a-view",
		"ALTER TABLE leaf RENAME TO leaf2; CREATE VIEW leaf AS SELECT * FROM leaf2",
		"foreign schema object", -1);
	attack_sql("no-leaf-table", "DROP TABLE leaf", "not a log of ours", -1);
	attack_sql("other-application", "PRAGMA application_id=7", "not a log of ours", -1);
	attack_sql("unnamed-blob",
		"INSERT INTO blob VALUES(x'"
		"ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb',x'61')",
		"unnamed blob", -1);
	attack_sql("false-blob", "INSERT INTO blob VALUES(zeroblob(32),x'61')", "false blob", -1);
}

/* What is stored as TEXT must be; a table that is not STRICT lets other types in. */
static void wrong_types(void **state)
{
	(void)state;
	static const char strict[] =
		"CREATE TABLE leaf(seq INTEGER PRIMARY KEY, data TEXT NOT NULL) STRICT";
	char text[1024];

	snprintf(text, sizeof text,
		"ALTER TABLE leaf RENAME TO old; CREATE TABLE leaf(seq INTEGER PRIMARY KEY, data "
		"TEXT NOT "
		"NULL); INSERT INTO leaf SELECT seq, iif(seq=5, CAST(data AS BLOB), data) FROM "
		"old; "
		"DROP TABLE old; PRAGMA writable_schema=ON; UPDATE sqlite_schema SET sql='%s' "
		"WHERE "
		"name='leaf' AND type='table'; PRAGMA writable_schema=OFF",
		strict);
	attack_sql("blob-leaf", text, "wrong type", 5);
	assert_true(attack_found("corrupt pages", -1)); /* integrity_check sees the type too */
}

static void bad_bytes(void **state)
{
	(void)state;
	attack_sql("nul-in-leaf",
		"UPDATE leaf SET data=CAST(CAST(substr(data,1,200) AS BLOB)||x'00'||"
		"CAST(substr(data,202) AS BLOB) AS TEXT) WHERE seq=5",
		"malformed leaf", 5);
	attack_sql("utf8-in-leaf",
		"UPDATE leaf SET data=CAST(CAST(substr(data,1,200) AS BLOB)||x'ff'||"
		"CAST(substr(data,202) AS BLOB) AS TEXT) WHERE seq=5",
		"malformed leaf", 5);
	attack_sql("duplicate-member",
		"UPDATE leaf SET data=replace(data,',\"uuid\"',',\"begin\":3,\"uuid\"') WHERE "
		"seq=5",
		"malformed leaf", 5);
	attack_sql("unknown-member",
		"UPDATE leaf SET data=substr(data,1,length(data)-1)||',\"x\":1}' WHERE seq=5",
		"malformed leaf", 5);
	attack_sql("white-space", "UPDATE leaf SET data=replace(data,',',', ') WHERE seq=5",
		"malformed leaf", 5);
	attack_sql("not-json", "UPDATE leaf SET data='hello' WHERE seq=5", "malformed leaf", 5);
	attack_sql("empty-leaf", "UPDATE leaf SET data='' WHERE seq=5", "malformed leaf", 5);
	attack_sql("real-number",
		"UPDATE leaf SET data=replace(data,'\"step\":0','\"step\":0.0') WHERE seq=5",
		"malformed leaf", 5);
	attack_sql("huge-leaf",
		"UPDATE leaf SET data=replace(data,'receive-sb-file','receive-sb-file'||"
		"hex(zeroblob(100000))) WHERE seq=5",
		"malformed leaf", 5);
	attack_sql("lone-surrogate",
		"UPDATE leaf SET data=replace(data,'sb/provisioning','sb/\\ud800') WHERE seq=5",
		"malformed leaf", 5);
}

static void other_files(void **state)
{
	(void)state;
	struct audit_expect x = attack_oem();
	struct err e = { 0 };
	const char *path = ev_path("other.db");

	ev_write(path, "this is not a database at all, only some text of a certain length", 64);
	attack_judge("not-a-database", path, &x, AUDIT_FAIL, "not a log of ours", -1);
	ev_write(path, "", 0);
	attack_judge("empty-file", path, &x, AUDIT_FAIL, "not a log of ours", -1);
	assert_int_equal(ev_run("rm %s; sqlite3 %s 'create table t(x)'", path, path), 0);
	attack_judge("other-database", path, &x, AUDIT_FAIL, "not a log of ours", -1);
	assert_int_equal(audit_verify(ev_path("missing.db"), &x, &attack_result, &e), -1);
	assert_int_equal(e.code, ERR_ENV);
	assert_int_equal(symlink(attack_base.path, ev_path("link.db")), 0);
	assert_int_equal(audit_verify(ev_path("link.db"), &x, &attack_result, &e), -1);
	assert_non_null(strstr(e.msg, "not a regular file"));
}

/* Every 7th byte of the file damaged, one at a time: never a crash, never another PASS than of the
 * same content. */
static void damaged_pages(void **state)
{
	(void)state;
	struct audit_expect x = attack_oem();
	AUTO(buf_clear) struct buf file = ev_file(attack_base.path);
	const char *path = ev_path("damaged.db");
	unsigned failed = 0, passed = 0, tried = 0;
	uint8_t root[32];
	struct err e = { 0 };

	assert_int_equal(audit_verify(attack_base.path, &x, &attack_result, &e), 0);
	memcpy(root, attack_result.root, 32);
	for (size_t i = 16; i < file.len; i += 97, tried++) {
		file.p[i] ^= (uint8_t)(1 + i % 255);
		ev_write(path, file.p, file.len);
		file.p[i] ^= (uint8_t)(1 + i % 255);
		if (audit_verify(path, &x, &attack_result, &e) != 0) {
			fail_msg("byte %zu: %s", i, e.msg);
		} else if (attack_result.verdict == AUDIT_PASS) {
			passed++; /* unused space, or a header field that changes nothing */
			assert_memory_equal(root, attack_result.root, 32);
		} else {
			failed++;
		}
	}
	print_message("%u bytes damaged: %u named, %u without effect\n", tried, failed, passed);
	assert_true(failed > 100);
	/* A cut file, at every page. */
	for (size_t n = 0; n < file.len; n += 4096) {
		ev_write(path, file.p, n);
		assert_int_equal(audit_verify(path, &x, &attack_result, &e), 0);
		assert_int_equal(attack_result.verdict, AUDIT_FAIL);
	}
}

static void wal_left_behind(void **state)
{
	(void)state;
	struct ev_log t = { 0 };
	struct audit_expect x = attack_oem();
	struct err e = { 0 };

	ev_log_start(&t, "wal", ROLE_ORDER);
	ev_log_package(&t);
	ev_log_device(&t, 1, true);
	assert_int_equal(ev_run("cp %s %s; cp %s-wal %s-wal", t.path, ev_path("wal.db"), t.path,
				 ev_path("wal.db")),
		0);
	assert_int_equal(ev_run("sha256sum %s %s-wal > %s", ev_path("wal.db"), ev_path("wal.db"),
				 ev_path("sums")),
		0);
	x.oem = &t.oem;
	attack_judge(
		"wal-left-behind", ev_path("wal.db"), &x, AUDIT_INCOMPLETE, "unfinished WAL", -1);
	assert_int_equal(attack_result.leaves, 6);
	/* Nothing was written beside the file. */
	assert_int_equal(ev_run("sha256sum --quiet -c %s && test ! -e %s-shm", ev_path("sums"),
				 ev_path("wal.db")),
		0);
	/* A WAL of another log is not taken for one of this. */
	assert_int_equal(ev_run("cp %s %s; cp %s-wal %s-wal", attack_base.path, ev_path("wal2.db"),
				 t.path, ev_path("wal2.db")),
		0);
	assert_int_equal(audit_verify(ev_path("wal2.db"), &x, &attack_result, &e), 0);
	assert_true(attack_result.verdict == AUDIT_PASS || attack_result.verdict == AUDIT_FAIL);
	(void)e;
	ev_log_end(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_logs_pass),
		cmocka_unit_test(edited_leaf),
		cmocka_unit_test(edited_by_the_station),
		cmocka_unit_test(false_signature),
		cmocka_unit_test(edited_views_and_nodes),
		cmocka_unit_test(deleted_inside),
		cmocka_unit_test(reordered),
		cmocka_unit_test(head_cut),
		cmocka_unit_test(tail_cut),
		cmocka_unit_test(unsigned_tail),
		cmocka_unit_test(fork_of_the_log),
		cmocka_unit_test(checkpoint_of_another_log),
		cmocka_unit_test(epoch_attacks),
		cmocka_unit_test(closed_and_not_closed),
		cmocka_unit_test(foreign_objects),
		cmocka_unit_test(wrong_types),
		cmocka_unit_test(bad_bytes),
		cmocka_unit_test(other_files),
		cmocka_unit_test(damaged_pages),
		cmocka_unit_test(wal_left_behind),
	};
	return cmocka_run_group_tests(tests, attack_make_logs, attack_drop_logs);
}

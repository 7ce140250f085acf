/* The attack table: each attack is carried out on a log, with the station's own keys where the
 * attacker would have them, and the verifier must name it; or the test shows that it cannot be
 * seen without a witness.
 *
 * With EV_CORPUS=DIR all logs are left there, with what the verifier must say of each in `index`
 * (name, verdict, attack, extra arguments), for the second verifier. */
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
#include "evidence_forge.h"
#include "evidence_log.h"
#include "evidence_support.h"
#include "mfgpkg/audit/cross.h"

static struct audit_result result;
static struct ev_log base; /* a good, closed log of three devices and four epochs */
static struct ev_log receipts; /* one of three devices with receipts */
static uint8_t ca[64];

/* --- asking the verifier ---------------------------------------------------------------------- */

static void corpus(const char *name, const char *path, const char *verdict, const char *attack,
	const struct audit_expect *x)
{
	const char *dir = getenv("EV_CORPUS");
	char file[512];

	if (!dir)
		return;
	assert_int_equal(ev_run("cp %s '%s/%s.db'; cp %s-wal '%s/%s.db-wal' 2>/dev/null; true",
				 path, dir, name, path, dir, name),
		0);
	snprintf(file, sizeof file, "%s/index", dir);
	FILE *f = fopen(file, "a");
	assert_non_null(f);
	fprintf(f, "%s\t%s\t%s", name, verdict, attack ? attack : "-");
	for (size_t i = 0; i < x->n_known; i++) {
		snprintf(file, sizeof file, "%s/%s-%zu.note", dir, name, i);
		ev_write(file, x->known[i].note, x->known[i].len);
		fprintf(f, "\t--checkpoint\t%s-%zu.note", name, i);
	}
	if (x->n_oem)
		fprintf(f, "\t-P\tRWTMhOf6MyCWI5/yFT2NqWwy1/zQJgJ81g5Hcglt9fQkvPzYW1yaC59G");
	if (x->dice_ca) {
		char hex[129];
		fprintf(f, "\t--dice-ca\t%s", hex_encode(hex, x->dice_ca, 64));
	}
	fputc('\n', f);
	fclose(f);
}

static bool found(const char *attack, int64_t leaf)
{
	for (size_t i = 0; i < result.n_findings; i++)
		if (strcmp(result.findings[i].attack, attack) == 0 &&
			(leaf < 0 || result.findings[i].leaf == leaf))
			return true;
	return false;
}

/* The verdict, and the attack named at that leaf (-1: any). */
static void judge(const char *name, const char *path, const struct audit_expect *x,
	enum audit_verdict verdict, const char *attack, int64_t leaf)
{
	AUTO(buf_clear) struct buf text = { 0 };
	struct err e = { 0 };

	corpus(name, path, audit_verdict_name(verdict), attack, x);
	if (audit_verify(path, x, &result, &e) != 0)
		fail_msg("%s: %s", name, e.msg);
	if (result.verdict == verdict && (!attack || found(attack, leaf)))
		return;
	audit_summary(&result, &text);
	fail_msg("%s: %s with \"%s\" at leaf %lld wanted:\n%s", name, audit_verdict_name(verdict),
		attack ? attack : "-", (long long)leaf, buf_text(&text));
}

static struct audit_expect oem(void)
{
	return (struct audit_expect){ .oem = &base.oem, .n_oem = 1 };
}

static void fails(const char *name, const char *path, const char *attack, int64_t leaf)
{
	struct audit_expect x = oem();

	judge(name, path, &x, AUDIT_FAIL, attack, leaf);
}

/* Run SQL on the good log. */
static void sql(const char *name, const char *text, const char *attack, int64_t leaf)
{
	fails(name, forge_sql(&base, name, text), attack, leaf);
}

/* --- the good logs ---------------------------------------------------------------------------- */

static void operator_note(struct ev_log *t, const char *text)
{
	struct err e = { 0 };

	ev_log_add(t, "operator",
		json_pack("{s:s, s:s, s:s}", "action", "note", "operator", "M. Muster", "text",
			text));
	assert_int_equal(log_commit(t->log, &e), 0);
}

static void seal(struct ev_log *t)
{
	struct err e = { 0 };

	assert_int_equal(log_seal_epoch(t->log, &e), 0);
	forge_keep_keys(t);
}

static int make_logs(void **state)
{
	(void)state;
	struct err e = { 0 };

	forge_dice_ca(ca, 0);
	base.quantity = 3;
	ev_log_start(&base, "base", ROLE_ORDER);
	forge_keep_keys(&base);
	ev_log_package(&base);
	operator_note(&base, "first shift");
	ev_log_device(&base, 1, true);
	seal(&base); /* epoch 0 ends */
	ev_log_device(&base, 2, false);
	seal(&base);
	seal(&base); /* epoch 2 is empty */
	ev_log_device(&base, 3, true);
	assert_int_equal(log_close(base.log, "complete", &e), 0);
	log_freep(&base.log);

	receipts.quantity = 10;
	ev_log_start(&receipts, "receipts", ROLE_ORDER);
	forge_keep_keys(&receipts);
	ev_log_package(&receipts);
	for (unsigned i = 1; i <= 3; i++)
		ev_log_attested(&receipts, i, 100 + i);
	assert_int_equal(log_close(receipts.log, "complete", &e), 0);
	log_freep(&receipts.log);
	return 0;
}

static int drop_logs(void **state)
{
	(void)state;
	ev_log_end(&base);
	ev_log_end(&receipts);
	return 0;
}

static void good_logs_pass(void **state)
{
	(void)state;
	struct audit_expect x = oem();

	judge("good", base.path, &x, AUDIT_PASS, NULL, -1);
	assert_int_equal(result.epochs, 4);
	assert_int_equal(result.totals.passed, 2);
	assert_int_equal(result.no_receipt, 2);
	x.dice_ca = ca;
	judge("good-receipts", receipts.path, &x, AUDIT_PASS, NULL, -1);
	assert_int_equal(result.receipts, 3);
	assert_int_equal(result.no_receipt, 0);

	/* Forging without changing anything gives a good log again: the forger works. */
	struct forge f;
	forge_read(&f, &base);
	forge_write(&f, ev_path("same.db"));
	judge("good-rewritten", ev_path("same.db"), &x, AUDIT_PASS, NULL, -1);
	forge_clear(&f);
}

/* --- edited ----------------------------------------------------------------------------------- */

static void edited_leaf(void **state)
{
	(void)state;
	sql("edited-result",
		"UPDATE leaf SET data=replace(data,'\"result\":\"failed\"','\"result\":\"ok\"') "
		"WHERE seq=10",
		"edited leaf", 10);
	sql("edited-genesis", "UPDATE leaf SET data=replace(data,'Debian','Fedora') WHERE seq=0",
		"edited leaf", 0);
	sql("edited-last",
		"UPDATE leaf SET data=replace(data,'\"reason\":\"close\"','\"reason\":\"start\"') "
		"WHERE "
		"seq=(SELECT max(seq) FROM leaf)",
		"edited leaf", -1);
	sql("edited-prev",
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
	forge_read(&f, &base);
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
	fails("rewritten-with-station-key", ev_path("station-key.db"),
		"not signed by the epoch key", -1);

	/* With the last epoch key too, which is what a thief finds: only its own epoch is right. */
	f.epoch[3] = kept[3];
	forge_write(&f, ev_path("last-epoch.db"));
	fails("rewritten-with-last-epoch-key", ev_path("last-epoch.db"),
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
	fails("old-epoch-key-used", ev_path("old-epoch-key.db"), "epoch key out of force", -1);
	f.epoch[1] = right;

	/* NOT DETECTABLE without witness or receipt: a station that kept all its old keys. */
	struct audit_expect x = oem();
	forge_write(&f, ev_path("all-keys.db"));
	judge("all-keys-kept", ev_path("all-keys.db"), &x, AUDIT_PASS, NULL, -1);
	/* With one checkpoint known from before, it shows. */
	AUTO(buf_clear) struct buf note = { 0 };
	assert_int_equal(log_checkpoint(base.path, &note, &e), 0);
	struct audit_known known = { "known.note", (char *)note.p, note.len };
	x.known = &known;
	x.n_known = 1;
	judge("all-keys-kept-known", ev_path("all-keys.db"), &x, AUDIT_FAIL, "two heads", -1);
	forge_clear(&f);
}

static void false_signature(void **state)
{
	(void)state;
	/* A bit of either signature, without its key id. */
	sql("false-epoch-signature",
		"UPDATE checkpoint SET "
		"note=substr(note,1,instr(note,char(10)||'\xE2\x80\x94')+70)||"
		"CASE substr(note,instr(note,char(10)||'\xE2\x80\x94')+71,1) WHEN 'A' THEN 'B' "
		"ELSE 'A' "
		"END||substr(note,instr(note,char(10)||'\xE2\x80\x94')+72) WHERE size=5",
		"false epoch signature", 4);
	sql("no-signatures",
		"UPDATE checkpoint SET note=substr(note,1,instr(note,char(10)||char(10))+1) WHERE "
		"size=7",
		"not signed by the epoch key", 6);
	sql("checkpoint-of-other-size",
		"UPDATE checkpoint SET note=(SELECT note FROM checkpoint WHERE size=5) WHERE "
		"size=7",
		"false checkpoint", 6);
	sql("checkpoint-below-zero", "INSERT INTO checkpoint VALUES(0,'x')", "false checkpoint",
		-1);
}

static void edited_views_and_nodes(void **state)
{
	(void)state;
	sql("edited-node", "UPDATE node SET hash=zeroblob(32) WHERE id=9", "edited tree node", -1);
	sql("deleted-node", "DELETE FROM node WHERE id=3", "edited tree node", -1);
	sql("extra-node", "INSERT INTO node SELECT max(id)+1, zeroblob(32) FROM node",
		"edited tree node", -1);
	sql("edited-view",
		"DROP VIEW device; CREATE VIEW device AS SELECT 'all passed' AS result FROM leaf",
		"foreign schema object", -1);
}

/* --- cut, deleted, moved ---------------------------------------------------------------------- */

static void deleted_inside(void **state)
{
	(void)state;
	sql("deleted-leaf", "DELETE FROM leaf WHERE seq=9", "deleted leaf", 9);
	sql("deleted-and-renumbered",
		"DELETE FROM leaf WHERE seq=9; UPDATE leaf SET seq=-seq WHERE seq>9; UPDATE leaf "
		"SET "
		"seq=-seq-1 WHERE seq<0",
		"deleted leaf", 9);
	sql("renumbered-past-count", "UPDATE leaf SET seq=seq+1000 WHERE seq>=9", "renumbered row",
		9);
	sql("renumbered-below-zero", "UPDATE leaf SET seq=-5 WHERE seq=9", NULL, -1);
	sql("inserted-leaf",
		"UPDATE leaf SET seq=-seq WHERE seq>9; UPDATE leaf SET seq=-seq+1 WHERE seq<0; "
		"INSERT "
		"INTO leaf SELECT 10, data FROM leaf WHERE seq=9",
		"inserted leaf", 10);
}

static void reordered(void **state)
{
	(void)state;
	sql("reordered",
		"UPDATE leaf SET seq=-1 WHERE seq=5; UPDATE leaf SET seq=5 WHERE seq=6; UPDATE "
		"leaf SET "
		"seq=6 WHERE seq=-1",
		"reordered leaves", 5);
}

static void head_cut(void **state)
{
	(void)state;
	sql("head-cut", "DELETE FROM leaf WHERE seq<3", "head cut", -1);
	sql("head-cut-renumbered",
		"DELETE FROM leaf WHERE seq<3; UPDATE leaf SET seq=seq-3; DELETE FROM checkpoint "
		"WHERE "
		"size<=3; UPDATE checkpoint SET size=size-3",
		"head cut", -1);
	sql("empty", "DELETE FROM leaf; DELETE FROM checkpoint; DELETE FROM node", "head cut", -1);
}

#define CUT_12                                                                                     \
	"DELETE FROM leaf WHERE seq>=12; DELETE FROM checkpoint WHERE size>12; DELETE FROM node "  \
	"WHERE "                                                                                   \
	"id>=22"

static void tail_cut(void **state)
{
	(void)state;
	struct audit_expect x = oem();
	AUTO(buf_clear) struct buf note = { 0 };
	struct err e;

	sql("tail-cut-checkpoint-left", "DELETE FROM leaf WHERE seq>=12", "tail cut", 11);
	/* Cut cleanly: it is only not closed ... */
	char *path = forge_sql(&base, "tail-cut", CUT_12);
	judge("tail-cut", path, &x, AUDIT_INCOMPLETE, NULL, -1);
	/* ... but with a newer checkpoint known, it shows. */
	assert_int_equal(log_checkpoint(base.path, &note, &e), 0);
	struct audit_known known = { "known.note", (char *)note.p, note.len };
	x.known = &known;
	x.n_known = 1;
	judge("tail-cut-known", path, &x, AUDIT_FAIL, "tail cut", 11);
}

static void unsigned_tail(void **state)
{
	(void)state;
	sql("last-checkpoint-deleted",
		"DELETE FROM checkpoint WHERE size=(SELECT max(size) FROM checkpoint)",
		"unsigned leaves", -1);
	sql("seal-checkpoint-deleted", "DELETE FROM checkpoint WHERE size=8",
		"seal without checkpoint", 7);
}

/* --- forks ------------------------------------------------------------------------------------ */

static void fork_of_the_log(void **state)
{
	(void)state;
	struct ev_log t = { 0 };
	struct audit_expect x = oem();
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
	judge("older-copy-continued", t.path, &x, AUDIT_PASS, NULL, -1);
	struct audit_known known = { "known.note", (char *)note.p, note.len };
	x.known = &known;
	x.n_known = 1;
	judge("older-copy-continued-known", t.path, &x, AUDIT_FAIL, "two heads", -1);
	ev_log_end(&t);
}

static void checkpoint_of_another_log(void **state)
{
	(void)state;
	struct audit_expect x = oem();
	AUTO(buf_clear) struct buf note = ev_file("example-log/final.note");
	struct audit_known known = { "final.note", (char *)note.p, note.len };

	x.known = &known;
	x.n_known = 1;
	judge("known-of-another-station", base.path, &x, AUDIT_FAIL, "checkpoint of another log",
		-1);
}

/* --- order ------------------------------------------------------------------------------------ */

static void order_attacks(void **state)
{
	(void)state;
	struct forge f;
	struct audit_expect none = { 0 }, x = oem();
	struct minisign_pub bob;
	struct err e;

	forge_read(&f, &base);
	char *good = strdup(json_string_value(forge_at(&f, 0, "order")));
	char *more = strdup(good);
	memcpy(strstr(more, "\"quantity\":3"), "\"quantity\":9", 12);
	forge_set(&f, 0, "order", json_string(more));
	forge_write(&f, ev_path("order-forged.db"));
	fails("order-forged", ev_path("order-forged.db"), "order forged", 0);

	forge_set(&f, 0, "order", json_null());
	forge_set(&f, 0, "order_sigs", json_array());
	forge_write(&f, ev_path("order-missing.db"));
	judge("order-missing", ev_path("order-missing.db"), &x, AUDIT_UNOWNED, "order missing", 0);
	free(good);
	free(more);
	forge_clear(&f);

	judge("no-oem-key", base.path, &none, AUDIT_UNOWNED, "no OEM key", 0);
	AUTO(buf_clear) struct buf pub = ev_file("minisign/keys/bob.pub");
	assert_int_equal(minisign_pub_parse(&bob, "bob", pub.p, pub.len, &e), 0);
	x.oem = &bob;
	assert_int_equal(audit_verify(base.path, &x, &result, &e), 0);
	assert_int_equal(result.verdict, AUDIT_FAIL);
	assert_true(found("order forged", 0));
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
	forge_read(&f, &base);
	f.station = thief;
	forge_write(&f, ev_path("foreign-signature.db"));
	fails("foreign-station-signature", ev_path("foreign-signature.db"), "foreign station key",
		0);
	assert_int_equal(log_key_vkey(thief, "line3.plant4.example", &vkey, &e), 0);
	json_object_set_new(forge_at(&f, 0, "station"), "key", json_string(buf_text(&vkey)));
	forge_write(&f, ev_path("foreign-station.db"));
	fails("foreign-station-key", ev_path("foreign-station.db"), "foreign station key", 0);
	forge_clear(&f);

	/* The right station begins the log with another first epoch key than the order names. */
	AUTO(buf_clear) struct buf epoch0 = { 0 };
	forge_read(&f, &base);
	assert_int_equal(log_key_vkey(thief, f.origin, &epoch0, &e), 0);
	forge_set(&f, 0, "epoch0", json_string(buf_text(&epoch0)));
	log_key_free(f.epoch[0]);
	f.epoch[0] = thief;
	thief = NULL;
	forge_write(&f, ev_path("foreign-epoch0.db"));
	fails("foreign-epoch-key", ev_path("foreign-epoch0.db"), "foreign epoch key", 0);
	forge_clear(&f);

	/* The auditor knows the station's key. */
	struct audit_expect x = oem();
	struct vkey known;
	assert_int_equal(vkey_parse(&known, "key", buf_text(&vkey), &e), 0);
	x.log_key = &known;
	assert_int_equal(audit_verify(base.path, &x, &result, &e), 0);
	assert_true(found("foreign station key", 0));
}

static void unordered_package(void **state)
{
	(void)state;
	struct forge f;

	forge_read(&f, &base);
	forge_set(&f, 1, "package",
		json_string("0000000000000000000000000000000000000000000000000000000000000000"));
	forge_write(&f, ev_path("unordered-package.db"));
	fails("unordered-package", ev_path("unordered-package.db"), "unordered package", 1);
	forge_set(&f, 1, "result", json_string("refused"));
	forge_write(&f, ev_path("no-package.db"));
	fails("no-package", ev_path("no-package.db"), "no package accepted", 3);
	forge_clear(&f);
}

static void quantity_and_window(void **state)
{
	(void)state;
	struct ev_log t = { .quantity = 2 };
	struct audit_expect x = oem();
	struct err e = { 0 };

	ev_log_start(&t, "quantity", ROLE_ORDER);
	ev_log_package(&t);
	for (unsigned i = 1; i <= 3; i++)
		ev_log_device(&t, i, true);
	assert_int_equal(log_close(t.log, "complete", &e), 0);
	x.oem = &t.oem;
	judge("quantity-exceeded", t.path, &x, AUDIT_FAIL, "quantity exceeded", 11);
	ev_log_end(&t);

	t = (struct ev_log){ 0 };
	ev_log_prepare(&t, "window", ROLE_ORDER);
	t.now.wall_ms = 1798761600000 + 1000; /* 2027-01-01: a day after the order ended */
	assert_int_equal(log_create(&t.log, &t.open, &e), 0);
	ev_log_package(&t);
	ev_log_device(&t, 1, true);
	assert_int_equal(log_close(t.log, "complete", &e), 0);
	judge("outside-window", t.path, &x, AUDIT_FAIL, "outside the order's window", 2);
	ev_log_end(&t);
}

/* --- devices ---------------------------------------------------------------------------------- */

static void intents(void **state)
{
	(void)state;
	struct forge f;

	/* The outcome of an irreversible step is left out. */
	forge_read(&f, &base);
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
	fails("intent-without-outcome", ev_path("no-outcome.db"), "intent without outcome",
		(int64_t)intent);
	forge_clear(&f);

	/* The step says nothing of its intent. */
	forge_read(&f, &base);
	size_t step = forge_find(&f, "step", 1);
	forge_set(&f, step, "intent", json_null());
	forge_write(&f, ev_path("no-intent.db"));
	fails("outcome-without-intent", ev_path("no-intent.db"), "outcome without intent",
		(int64_t)step);
	forge_set(&f, step, "intent", json_integer(4));
	forge_write(&f, ev_path("other-intent.db"));
	fails("outcome-of-other-intent", ev_path("other-intent.db"), "outcome without intent",
		(int64_t)step);
	forge_set(&f, step, "intent", json_integer((json_int_t)step - 1));
	forge_set(&f, step, "command", json_string("receive-sb-file sb/image.sb3"));
	forge_write(&f, ev_path("other-step.db"));
	fails("outcome-of-other-step", ev_path("other-step.db"), "outcome of another step",
		(int64_t)step);
	forge_clear(&f);

	/* The end hides what was done. */
	forge_read(&f, &base);
	size_t end = forge_find(&f, "device-end", 1);
	forge_set(&f, end, "irreversible", json_false());
	json_object_set_new(forge_at(&f, forge_find(&f, "close", 0), "totals"), "irreversible",
		json_integer(2));
	forge_write(&f, ev_path("hidden.db"));
	fails("irreversible-hidden", ev_path("hidden.db"), "irreversible step hidden",
		(int64_t)end);
	forge_clear(&f);
}

static void devices(void **state)
{
	(void)state;
	struct forge f;
	char uuid[33];

	/* The same device passes twice. */
	forge_read(&f, &base);
	for (size_t i = forge_find(&f, "device-begin", 2); i < f.n; i++)
		if (forge_at(&f, i, "uuid"))
			forge_set(&f, i, "uuid", json_string(ev_uuid(1, uuid)));
	forge_set(&f, forge_find(&f, "device-begin", 2), "attempt", json_integer(2));
	json_object_set_new(forge_at(&f, forge_find(&f, "close", 0), "totals"), "irreversible",
		json_integer(2));
	forge_write(&f, ev_path("uuid-twice.db"));
	fails("replayed-device", ev_path("uuid-twice.db"), "UUID twice",
		(int64_t)forge_find(&f, "device-end", 2));
	forge_set(&f, forge_find(&f, "device-begin", 2), "attempt", json_integer(1));
	forge_write(&f, ev_path("attempt.db"));
	fails("attempt-not-counted", ev_path("attempt.db"), "attempts not counted up",
		(int64_t)forge_find(&f, "device-begin", 2));
	forge_clear(&f);

	/* The UUID changes between begin and end. */
	forge_read(&f, &base);
	size_t end = forge_find(&f, "device-end", 2);
	forge_set(&f, end, "uuid", json_string(ev_uuid(7, uuid)));
	forge_write(&f, ev_path("uuid-changed.db"));
	fails("uuid-changed", ev_path("uuid-changed.db"), "UUID changed", (int64_t)end);
	forge_clear(&f);

	/* An end is left out; the log is closed all the same. */
	forge_read(&f, &base);
	end = forge_find(&f, "device-end", 2);
	forge_delete(&f, end);
	forge_write(&f, ev_path("no-end.db"));
	fails("device-without-end", ev_path("no-end.db"), "device without end", -1);
	forge_clear(&f);

	/* A leaf of a device that has ended. */
	forge_read(&f, &base);
	forge_insert(&f, end, json_deep_copy(f.leaf[end]));
	forge_write(&f, ev_path("two-ends.db"));
	fails("two-ends", ev_path("two-ends.db"), "leaf without device", (int64_t)end + 1);
	forge_clear(&f);

	/* The numbers of devices have a gap: one was taken out. */
	forge_read(&f, &base);
	forge_set(&f, forge_find(&f, "device-begin", 2), "device", json_integer(5));
	forge_write(&f, ev_path("device-number.db"));
	fails("device-numbers", ev_path("device-number.db"), "device numbers not dense", -1);
	forge_clear(&f);
}

static void uuid_in_two_logs(void **state)
{
	(void)state;
	struct ev_log t = { 0 };
	struct oem_cross *cross = NULL;
	struct audit_expect x = oem();
	struct err e = { 0 };

	/* Another station, another log, the same UUID. */
	ev_log_start(&t, "two-logs", ROLE_UNORDERED);
	ev_log_package(&t);
	ev_log_device(&t, 1, true);
	assert_int_equal(log_close(t.log, "complete", &e), 0);
	assert_int_equal(oem_cross_new(&cross, &e), 0);
	x.observe = oem_cross_leaf;
	x.observe_ctx = cross;
	const char *paths[] = { base.path, t.path };
	for (int i = 0; i < 2; i++) {
		oem_cross_log(cross, paths[i]);
		assert_int_equal(audit_verify(paths[i], &x, &result, &e), 0);
		assert_int_equal(oem_cross_settle(cross, &result, &e), 0);
		assert_int_equal(found("UUID in two logs", -1), i);
	}
	assert_int_equal(result.verdict, AUDIT_FAIL);
	oem_cross_free(cross);
	ev_log_end(&t);
}

/* --- receipts --------------------------------------------------------------------------------- */

static void bad_receipt(
	const char *name, unsigned die, unsigned of_ca, unsigned uuid, const char *attack)
{
	struct forge f;
	struct audit_expect x = oem();
	char text[440];
	uint8_t id[16], challenge[32];
	char path[64];

	forge_read(&f, &receipts);
	size_t at = forge_find(&f, "attestation", 2);
	assert_int_equal(hex_decode(challenge, 32, ev_str(f.leaf[at], "challenge")), 0);
	char uuid_text[33];
	assert_int_equal(hex_decode(id, 16, ev_uuid(uuid, uuid_text)), 0);
	forge_response(text, id, challenge, die, of_ca);
	forge_set(&f, at, "response", json_string(text));
	snprintf(path, sizeof path, "%s.db", name);
	forge_write(&f, ev_path("%s", path));
	x.oem = &receipts.oem;
	x.dice_ca = ca;
	judge(name, ev_path("%s", path), &x, AUDIT_FAIL, attack, (int64_t)at);
	forge_clear(&f);
}

static void receipt_attacks(void **state)
{
	(void)state;
	struct forge f;
	struct audit_expect x = { .oem = &receipts.oem, .n_oem = 1, .dice_ca = ca };

	bad_receipt("receipt-of-other-uuid", 103, 0, 9, "receipt of another device");
	bad_receipt("receipt-of-other-rkth", 103, 5, 3, "receipt not from this die");
	bad_receipt("die-key-of-other-uuid", 101, 0, 3, "receipt of another die");

	forge_read(&f, &receipts);
	size_t second = forge_find(&f, "attestation", 1), third = forge_find(&f, "attestation", 2);
	json_t *first = forge_at(&f, forge_find(&f, "attestation", 0), "response");
	forge_set(&f, third, "response", json_incref(first));
	forge_write(&f, ev_path("replayed-receipt.db"));
	judge("replayed-receipt", ev_path("replayed-receipt.db"), &x, AUDIT_FAIL,
		"replayed receipt", (int64_t)third);

	/* Random bytes. */
	char *text = strdup(json_string_value(first));
	memset(text, 'R', 400);
	forge_set(&f, third, "response", json_string(text));
	forge_write(&f, ev_path("random-receipt.db"));
	judge("random-receipt", ev_path("random-receipt.db"), &x, AUDIT_FAIL,
		"receipt of another device", (int64_t)third);
	free(text);
	forge_clear(&f);

	/* An answer to the challenge of another place, and the leaf says that place. */
	forge_read(&f, &receipts);
	forge_set(&f, third, "challenge", json_incref(forge_at(&f, second, "challenge")));
	forge_write(&f, ev_path("other-position.db"));
	judge("receipt-of-other-position", ev_path("other-position.db"), &x, AUDIT_FAIL,
		"receipt of another position", (int64_t)third);
	forge_clear(&f);

	/* History rewritten with all keys kept: receipts made later no longer fit their place. */
	forge_read(&f, &receipts);
	forge_set(&f, forge_find(&f, "device-begin", 0), "slot", json_string("Z9"));
	forge_write(&f, ev_path("rewritten-before-receipts.db"));
	judge("rewritten-before-receipts", ev_path("rewritten-before-receipts.db"), &x, AUDIT_FAIL,
		"receipt of another position", -1);
	forge_clear(&f);

	/* The end of a device claims the receipt of another. */
	forge_read(&f, &receipts);
	size_t end = forge_find(&f, "device-end", 2);
	forge_set(&f, end, "attestation", json_integer((json_int_t)second));
	forge_write(&f, ev_path("borrowed-receipt.db"));
	judge("borrowed-receipt", ev_path("borrowed-receipt.db"), &x, AUDIT_FAIL,
		"receipt of another device", (int64_t)end);
	forge_clear(&f);
}

/* --- epochs ----------------------------------------------------------------------------------- */

static void epoch_attacks(void **state)
{
	(void)state;
	struct forge f;

	forge_read(&f, &base);
	size_t seal1 = forge_find(&f, "epoch-seal", 1), seal2 = forge_find(&f, "epoch-seal", 2);
	forge_set(&f, seal1, "epoch", json_integer(2));
	forge_write(&f, ev_path("epoch-skipped.db"));
	fails("epoch-skipped", ev_path("epoch-skipped.db"), "epoch skipped", (int64_t)seal1);
	forge_set(&f, seal1, "epoch", json_integer(0));
	forge_write(&f, ev_path("epoch-resealed.db"));
	fails("epoch-resealed", ev_path("epoch-resealed.db"), "epoch resealed", (int64_t)seal1);
	forge_set(&f, seal1, "epoch", json_integer(1));

	/* The key of epoch 2 comes back as the key of epoch 3. */
	forge_set(&f, seal2, "next", json_incref(forge_at(&f, seal1, "next")));
	forge_write(&f, ev_path("epoch-key-again.db"));
	fails("epoch-key-again", ev_path("epoch-key-again.db"), "epoch resealed", (int64_t)seal2);
	forge_clear(&f);

	/* The seal of the empty epoch is left out. */
	forge_read(&f, &base);
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
	fails("empty-epoch-unsealed", ev_path("empty-epoch.db"), "not signed by the epoch key", -1);
	forge_clear(&f);

	forge_read(&f, &base);
	f.keep_roots = true;
	forge_set(&f, seal1, "root", json_string("AsETI4ZJ6BcUxJg+HaCW7p/tfuraEIhZoM+/rT8Y4EI="));
	forge_write(&f, ev_path("false-seal.db"));
	fails("false-seal", ev_path("false-seal.db"), "false seal", (int64_t)seal1);
	forge_clear(&f);
}

static void closed_and_not_closed(void **state)
{
	(void)state;
	struct forge f;
	struct audit_expect x = oem();

	forge_read(&f, &base);
	size_t close = forge_find(&f, "close", 0);
	json_t *late = json_deep_copy(f.leaf[2]);
	forge_insert(&f, f.n, late);
	forge_write(&f, ev_path("continued.db"));
	fails("closed-log-continued", ev_path("continued.db"), "closed log continued",
		(int64_t)f.n - 1);
	forge_delete(&f, f.n - 1);
	forge_delete(&f, close);
	forge_write(&f, ev_path("seal-without-close.db"));
	fails("seal-without-close", ev_path("seal-without-close.db"), "false seal", -1);
	forge_delete(&f, close);
	forge_write(&f, ev_path("not-closed.db"));
	judge("not-closed", ev_path("not-closed.db"), &x, AUDIT_INCOMPLETE, NULL, -1);
	forge_clear(&f);

	forge_read(&f, &base);
	f.keep_totals = true;
	json_object_set_new(forge_at(&f, close, "totals"), "failed", json_integer(0));
	forge_write(&f, ev_path("totals.db"));
	fails("false-totals", ev_path("totals.db"), "false totals", (int64_t)close);
	forge_set(&f, close, "kind", json_string("close"));
	forge_clear(&f);

	/* A second genesis. */
	forge_read(&f, &base);
	forge_insert(&f, 3, json_deep_copy(f.leaf[0]));
	forge_write(&f, ev_path("genesis.db"));
	fails("second-genesis", ev_path("genesis.db"), "second genesis", 3);
	forge_clear(&f);
}

/* --- clocks ----------------------------------------------------------------------------------- */

static void clock_attacks(void **state)
{
	(void)state;
	struct forge f;
	struct audit_expect x = oem();

	forge_read(&f, &base);
	forge_set(&f, 6, "time", json_string("2026-11-21T07:00:00.000Z"));
	forge_write(&f, ev_path("wall-back.db"));
	fails("clock-rolled-back", ev_path("wall-back.db"), "clock going back", 6);
	forge_set(&f, 6, "time", json_string("2026-11-22T07:00:00.000Z"));
	forge_write(&f, ev_path("wall-jump.db"));
	fails("clock-jump", ev_path("wall-jump.db"), "clock jump", 6);
	forge_clear(&f);
	forge_read(&f, &base);
	forge_set(&f, 6, "boot_ms", json_integer(8000000));
	forge_write(&f, ev_path("boot-back.db"));
	fails("boot-clock-back", ev_path("boot-back.db"), "clock going back", 6);
	forge_clear(&f);
	forge_read(&f, &base);
	forge_set(&f, 6, "boot_id", json_string("11111111-5a5b-4b8f-9d7e-3c1f2a4b5c6d"));
	forge_write(&f, ev_path("boot-id.db"));
	fails("hidden-restart", ev_path("boot-id.db"), "hidden restart", 6);
	assert_true(found("backdated entries", 7)); /* the old boot comes back */
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
	judge("clock-leaves", t.path, &x, AUDIT_PASS, "clock going back", -1);
	assert_true(found("clock jump", -1));
	assert_true(found("restart", -1));
	assert_int_equal(result.n_warnings, 3);
	forge_read(&f, &t);
	size_t clock = forge_find(&f, "clock", 0);
	forge_set(&f, clock, "delta_ms", json_integer(-5));
	f.fallback = t.station;
	forge_write(&f, ev_path("false-clock.db"));
	judge("false-clock-leaf", ev_path("false-clock.db"), &x, AUDIT_FAIL, "false clock leaf",
		(int64_t)clock);
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
	assert_int_equal(audit_verify(t.path, &x, &result, &e), 0);
	assert_int_equal(result.verdict, AUDIT_PASS);
	assert_int_equal(result.witnessed, 8);
	assert_true(found("witness before leaf", 7));
	/* A false cosignature of a known witness. */
	assert_int_equal(
		sqlite3_exec(db,
			"UPDATE cosignature SET line=substr(line,1,60)||'AAAA'||substr(line,65)",
			NULL, NULL, NULL),
		SQLITE_OK);
	sqlite3_close(db);
	assert_int_equal(audit_verify(t.path, &x, &result, &e), 0);
	assert_int_equal(result.verdict, AUDIT_FAIL);
	assert_true(found("false cosignature", 7));
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
	assert_int_equal(audit_verify(t.path, &x, &result, &e), 0);
	assert_int_equal(result.verdict, AUDIT_PASS);
	assert_true(found("backdated entries", 2));
	assert_int_equal(result.witnessed, 2);
	ev_log_end(&t);
}

/* --- the file --------------------------------------------------------------------------------- */

static void foreign_objects(void **state)
{
	(void)state;
	sql("extra-table", "CREATE TABLE passed(uuid TEXT)", "foreign schema object", -1);
	sql("extra-view", "CREATE VIEW summary AS SELECT 1 AS passed", "foreign schema object", -1);
	sql("extra-trigger",
		"CREATE TRIGGER t AFTER INSERT ON cosignature BEGIN DELETE FROM blob; END",
		"foreign schema object", -1);
	sql("extra-index", "CREATE INDEX i ON leaf(data)", "foreign schema object", -1);
	sql("generated-column", "ALTER TABLE leaf ADD COLUMN result TEXT AS ('pass') VIRTUAL",
		"foreign schema object", -1);
	sql("leaf-is-a-view",
		"ALTER TABLE leaf RENAME TO leaf2; CREATE VIEW leaf AS SELECT * FROM leaf2",
		"foreign schema object", -1);
	sql("no-leaf-table", "DROP TABLE leaf", "not a log of ours", -1);
	sql("other-application", "PRAGMA application_id=7", "not a log of ours", -1);
	sql("unnamed-blob",
		"INSERT INTO blob VALUES(x'"
		"ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb',x'61')",
		"unnamed blob", -1);
	sql("false-blob", "INSERT INTO blob VALUES(zeroblob(32),x'61')", "false blob", -1);
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
	sql("blob-leaf", text, "wrong type", 5);
	assert_true(found("corrupt pages", -1)); /* integrity_check sees the type too */
}

static void bad_bytes(void **state)
{
	(void)state;
	sql("nul-in-leaf",
		"UPDATE leaf SET data=CAST(CAST(substr(data,1,200) AS BLOB)||x'00'||"
		"CAST(substr(data,202) AS BLOB) AS TEXT) WHERE seq=5",
		"malformed leaf", 5);
	sql("utf8-in-leaf",
		"UPDATE leaf SET data=CAST(CAST(substr(data,1,200) AS BLOB)||x'ff'||"
		"CAST(substr(data,202) AS BLOB) AS TEXT) WHERE seq=5",
		"malformed leaf", 5);
	sql("duplicate-member",
		"UPDATE leaf SET data=replace(data,',\"uuid\"',',\"begin\":3,\"uuid\"') WHERE "
		"seq=5",
		"malformed leaf", 5);
	sql("unknown-member",
		"UPDATE leaf SET data=substr(data,1,length(data)-1)||',\"x\":1}' WHERE seq=5",
		"malformed leaf", 5);
	sql("white-space", "UPDATE leaf SET data=replace(data,',',', ') WHERE seq=5",
		"malformed leaf", 5);
	sql("not-json", "UPDATE leaf SET data='hello' WHERE seq=5", "malformed leaf", 5);
	sql("empty-leaf", "UPDATE leaf SET data='' WHERE seq=5", "malformed leaf", 5);
	sql("real-number",
		"UPDATE leaf SET data=replace(data,'\"step\":0','\"step\":0.0') WHERE seq=5",
		"malformed leaf", 5);
	sql("huge-leaf",
		"UPDATE leaf SET data=replace(data,'receive-sb-file','receive-sb-file'||"
		"hex(zeroblob(100000))) WHERE seq=5",
		"malformed leaf", 5);
	sql("lone-surrogate",
		"UPDATE leaf SET data=replace(data,'sb/provisioning','sb/\\ud800') WHERE seq=5",
		"malformed leaf", 5);
}

static void other_files(void **state)
{
	(void)state;
	struct audit_expect x = oem();
	struct err e = { 0 };
	const char *path = ev_path("other.db");

	ev_write(path, "this is not a database at all, only some text of a certain length", 64);
	judge("not-a-database", path, &x, AUDIT_FAIL, "not a log of ours", -1);
	ev_write(path, "", 0);
	judge("empty-file", path, &x, AUDIT_FAIL, "not a log of ours", -1);
	assert_int_equal(ev_run("rm %s; sqlite3 %s 'create table t(x)'", path, path), 0);
	judge("other-database", path, &x, AUDIT_FAIL, "not a log of ours", -1);
	assert_int_equal(audit_verify(ev_path("missing.db"), &x, &result, &e), -1);
	assert_int_equal(e.code, ERR_ENV);
	assert_int_equal(symlink(base.path, ev_path("link.db")), 0);
	assert_int_equal(audit_verify(ev_path("link.db"), &x, &result, &e), -1);
	assert_non_null(strstr(e.msg, "not a regular file"));
}

/* Every 7th byte of the file damaged, one at a time: never a crash, never another PASS than of the
 * same content. */
static void damaged_pages(void **state)
{
	(void)state;
	struct audit_expect x = oem();
	AUTO(buf_clear) struct buf file = ev_file(base.path);
	const char *path = ev_path("damaged.db");
	unsigned failed = 0, passed = 0, tried = 0;
	uint8_t root[32];
	struct err e = { 0 };

	assert_int_equal(audit_verify(base.path, &x, &result, &e), 0);
	memcpy(root, result.root, 32);
	for (size_t i = 16; i < file.len; i += 97, tried++) {
		file.p[i] ^= (uint8_t)(1 + i % 255);
		ev_write(path, file.p, file.len);
		file.p[i] ^= (uint8_t)(1 + i % 255);
		if (audit_verify(path, &x, &result, &e) != 0) {
			fail_msg("byte %zu: %s", i, e.msg);
		} else if (result.verdict == AUDIT_PASS) {
			passed++; /* unused space, or a header field that changes nothing */
			assert_memory_equal(root, result.root, 32);
		} else {
			failed++;
		}
	}
	print_message("%u bytes damaged: %u named, %u without effect\n", tried, failed, passed);
	assert_true(failed > 100);
	/* A cut file, at every page. */
	for (size_t n = 0; n < file.len; n += 4096) {
		ev_write(path, file.p, n);
		assert_int_equal(audit_verify(path, &x, &result, &e), 0);
		assert_int_equal(result.verdict, AUDIT_FAIL);
	}
}

static void wal_left_behind(void **state)
{
	(void)state;
	struct ev_log t = { 0 };
	struct audit_expect x = oem();
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
	judge("wal-left-behind", ev_path("wal.db"), &x, AUDIT_INCOMPLETE, "unfinished WAL", -1);
	assert_int_equal(result.leaves, 6);
	/* Nothing was written beside the file. */
	assert_int_equal(ev_run("sha256sum --quiet -c %s && test ! -e %s-shm", ev_path("sums"),
				 ev_path("wal.db")),
		0);
	/* A WAL of another log is not taken for one of this. */
	assert_int_equal(ev_run("cp %s %s; cp %s-wal %s-wal", base.path, ev_path("wal2.db"), t.path,
				 ev_path("wal2.db")),
		0);
	assert_int_equal(audit_verify(ev_path("wal2.db"), &x, &result, &e), 0);
	assert_true(result.verdict == AUDIT_PASS || result.verdict == AUDIT_FAIL);
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
		cmocka_unit_test(order_attacks),
		cmocka_unit_test(foreign_station_key),
		cmocka_unit_test(unordered_package),
		cmocka_unit_test(quantity_and_window),
		cmocka_unit_test(intents),
		cmocka_unit_test(devices),
		cmocka_unit_test(uuid_in_two_logs),
		cmocka_unit_test(receipt_attacks),
		cmocka_unit_test(epoch_attacks),
		cmocka_unit_test(closed_and_not_closed),
		cmocka_unit_test(clock_attacks),
		cmocka_unit_test(witnesses),
		cmocka_unit_test(backdated),
		cmocka_unit_test(foreign_objects),
		cmocka_unit_test(wrong_types),
		cmocka_unit_test(bad_bytes),
		cmocka_unit_test(other_files),
		cmocka_unit_test(damaged_pages),
		cmocka_unit_test(wal_left_behind),
	};
	return cmocka_run_group_tests(tests, make_logs, drop_logs);
}

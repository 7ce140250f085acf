#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/text.h"
#include "evidence_attack.h"
#include "evidence_forge.h"
#include "evidence_support.h"

struct audit_result attack_result;
struct ev_log attack_base, attack_receipts;
uint8_t attack_ca[64];

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

bool attack_found(const char *attack, int64_t leaf)
{
	for (size_t i = 0; i < attack_result.n_findings; i++)
		if (strcmp(attack_result.findings[i].attack, attack) == 0 &&
			(leaf < 0 || attack_result.findings[i].leaf == leaf))
			return true;
	return false;
}

/* The verdict, and the attack named at that leaf (-1: any). */
void attack_judge(const char *name, const char *path, const struct audit_expect *x,
	enum audit_verdict verdict, const char *attack, int64_t leaf)
{
	AUTO(buf_clear) struct buf text = { 0 };
	struct err e = { 0 };

	corpus(name, path, audit_verdict_name(verdict), attack, x);
	if (audit_verify(path, x, &attack_result, &e) != 0)
		fail_msg("%s: %s", name, e.msg);
	if (attack_result.verdict == verdict && (!attack || attack_found(attack, leaf)))
		return;
	audit_summary(&attack_result, &text);
	fail_msg("%s: %s with \"%s\" at leaf %lld wanted:\n%s", name, audit_verdict_name(verdict),
		attack ? attack : "-", (long long)leaf, buf_text(&text));
}

struct audit_expect attack_oem(void)
{
	return (struct audit_expect){ .oem = &attack_base.oem, .n_oem = 1 };
}

void attack_fails(const char *name, const char *path, const char *attack, int64_t leaf)
{
	struct audit_expect x = attack_oem();

	attack_judge(name, path, &x, AUDIT_FAIL, attack, leaf);
}

/* Run SQL on the good log. */
void attack_sql(const char *name, const char *text, const char *attack, int64_t leaf)
{
	attack_fails(name, forge_sql(&attack_base, name, text), attack, leaf);
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

int attack_make_logs(void **state)
{
	(void)state;
	struct err e = { 0 };

	forge_dice_ca(attack_ca, 0);
	attack_base.quantity = 3;
	ev_log_start(&attack_base, "base", ROLE_ORDER);
	forge_keep_keys(&attack_base);
	ev_log_package(&attack_base);
	operator_note(&attack_base, "first shift");
	ev_log_device(&attack_base, 1, true);
	seal(&attack_base); /* epoch 0 ends */
	ev_log_device(&attack_base, 2, false);
	seal(&attack_base);
	seal(&attack_base); /* epoch 2 is empty */
	ev_log_device(&attack_base, 3, true);
	assert_int_equal(log_close(attack_base.log, "complete", &e), 0);
	log_freep(&attack_base.log);

	attack_receipts.quantity = 10;
	ev_log_start(&attack_receipts, "receipts", ROLE_ORDER);
	forge_keep_keys(&attack_receipts);
	ev_log_package(&attack_receipts);
	for (unsigned i = 1; i <= 3; i++)
		ev_log_attested(&attack_receipts, i, 100 + i);
	assert_int_equal(log_close(attack_receipts.log, "complete", &e), 0);
	log_freep(&attack_receipts.log);
	return 0;
}

int attack_drop_logs(void **state)
{
	(void)state;
	ev_log_end(&attack_base);
	ev_log_end(&attack_receipts);
	return 0;
}

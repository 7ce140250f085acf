/* Trust: sets of keys, thresholds, trust.json, and updates that change them from afar. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/exit_status.h"
#include "base/json.h"
#include "pkg/trust.h"
#include "pkg_support.h"

/* An update signed by any of the vectors' keys. */
struct update {
	struct buf text;
	struct buf sig[4];
	struct sig_file sigs[4];
	size_t n;
};

static void update_clear(struct update *u)
{
	buf_clear(&u->text);
	for (size_t i = 0; i < 4; i++)
		buf_clear(&u->sig[i]);
}

static struct update make_text(const char *text, ...)
{
	struct update u = { .n = 0 };
	va_list ap;

	wr_str(&u.text, text);
	va_start(ap, text);
	for (const char *name; (name = va_arg(ap, const char *)) != NULL; u.n++) {
		struct minisign_key *key = pk_key(name);
		assert_int_equal(
			minisign_key_sign(key, u.text.p, u.text.len, "update", &u.sig[u.n], NULL),
			0);
		minisign_key_free(key);
	}
	va_end(ap);
	for (size_t i = 0; i < u.n; i++)
		u.sigs[i] = (struct sig_file){ "u.minisig", u.sig[i].p, u.sig[i].len };
	return u;
}

static char *text_of(const struct trust *next, int64_t version)
{
	struct trust t = *next;
	AUTO(buf_clear) struct buf b = { 0 };

	t.version = version;
	AUTO(json_freep) json_t *j = trust_update_to_json(&t, 1800000000);
	assert_int_equal(json_line(j, &b, NULL), 0);
	wr_u8(&b, '\n');
	return strdup(buf_text(&b));
}

static void fails(const struct trust *now, const struct update *u, const char *message)
{
	struct trust next = { .n = 7 };
	struct err e = { 0 };

	if (trust_update_apply(now, "u", u->text.p, u->text.len, u->sigs, u->n, &next, &e) == 0)
		fail_msg("accepted, \"%s\" wanted", message);
	assert_int_equal(next.n, 7);
	assert_int_equal(exit_status_of(e.code), EXIT_REJECTED);
	if (strcmp(e.msg, message) != 0)
		fail_msg("\"%s\", wanted \"%s\"", e.msg, message);
}

static void sets(void **state)
{
	(void)state;
	static const char *const paths[] = { "tests/vectors/evidence/minisign/keys/alice.pub",
		"tests/vectors/evidence/minisign/keys/bob.pub",
		"tests/vectors/evidence/minisign/keys/alice.pub" };
	struct trust t = { .n = 9 };
	struct err e = { 0 };

	assert_int_equal(trust_load(&t, paths, 3, 3, &e), -1);
	assert_string_equal(e.msg, "threshold 3 needs at least 3 different keys, got 2");
	assert_int_equal(t.n, 9);
	assert_int_equal(trust_load(&t, paths, 3, 2, &e), 0);
	assert_int_equal(t.n, 2);

	AUTO(json_freep) json_t *j = trust_to_json(&t);
	AUTO(buf_clear) struct buf b = { 0 };
	struct trust again;
	assert_int_equal(json_line(j, &b, &e), 0);
	assert_int_equal(trust_parse(&again, "trust.json", b.p, b.len, &e), 0);
	assert_int_equal(again.n, 2);
	assert_int_equal(again.threshold, 2);
	assert_memory_equal(again.keys, t.keys, 2 * sizeof *t.keys);

	/* A key number in common is not a key in common. */
	struct trust same = { .threshold = 1 };
	assert_int_equal(trust_add(&same, &t.keys[0], &e), 0);
	struct minisign_pub other = t.keys[1];
	memcpy(other.id, t.keys[0].id, sizeof other.id);
	assert_int_equal(trust_add(&same, &other, &e), 0);
	assert_int_equal(same.n, 2);
	for (size_t i = 0; same.n < TRUST_MAX_KEYS; i++) {
		other.key[0] ^= (uint8_t)(i + 1);
		other.key[1] = (uint8_t)i;
		assert_int_equal(trust_add(&same, &other, &e), 0);
	}
	other.key[2] ^= 1;
	assert_int_equal(trust_add(&same, &other, &e), -1);
	assert_string_equal(e.msg, "more than 32 trusted keys");
}

/* Two trusted keys with one number: the signature counts for the one that made it. */
static void same_number(void **state)
{
	(void)state;
	AUTO(minisign_key_freep) struct minisign_key *alice = pk_key("alice");
	AUTO(buf_clear) struct buf sig = { 0 };
	struct trust t = { .threshold = 1 }, bob = pk_trust(1, "bob", NULL);
	struct signers s;
	struct err e = { 0 };

	memcpy(bob.keys[0].id, minisign_key_pub(alice)->id, MINISIGN_ID_LEN);
	assert_int_equal(trust_add(&t, &bob.keys[0], &e), 0);
	assert_int_equal(trust_add(&t, minisign_key_pub(alice), &e), 0);
	assert_int_equal(minisign_key_sign(alice, "m", 1, "c", &sig, &e), 0);
	const struct sig_file f = { "s", sig.p, sig.len };
	assert_int_equal(trust_signers(&t, "m", "m", 1, &f, 1, &s, &e), 0);
	assert_int_equal(s.approvals, 1);
	assert_memory_equal(s.list[0].key, minisign_key_pub(alice)->key, 32);
	/* With bob alone the number is known, the signature is not his: refused. */
	assert_int_equal(trust_signers(&bob, "m", "m", 1, &f, 1, &s, &e), -1);
	/* The same signature twice counts once. */
	const struct sig_file two[] = { f, f };
	assert_int_equal(trust_signers(&t, "m", "m", 1, two, 2, &s, &e), 0);
	assert_int_equal(s.n, 2);
	assert_int_equal(s.approvals, 1);
}

static void updates(void **state)
{
	(void)state;
	struct trust now = pk_trust(1, "alice", "bob", NULL),
		     next = pk_trust(2, "bob", "carol", NULL);
	struct trust out;
	struct err e = { 0 };
	char *text = text_of(&next, 5);

	now.version = 4;
	struct update good = make_text(text, "bob", "carol", NULL);
	if (trust_update_apply(
		    &now, "u", good.text.p, good.text.len, good.sigs, good.n, &out, &e) != 0)
		fail_msg("%s", e.msg);
	assert_int_equal(out.version, 5);
	assert_int_equal(out.threshold, 2);
	assert_int_equal(out.n, 2);

	/* Replayed, or older. */
	fails(&out, &good, "u: version 5, but 5 was taken already: replayed or out of order");
	now.version = 9;
	fails(&now, &good, "u: version 5, but 9 was taken already: replayed or out of order");
	now.version = 4;

	/* Too few of the old, too few of the new. */
	struct update u = make_text(text, "carol", NULL);
	fails(&now, &u, "u: keys trusted now: signed by the unknown key 49a127988b50581e only");
	update_clear(&u);
	u = make_text(text, "bob", NULL);
	fails(&now, &u, "u: keys of the update: 1 of 2 approvals (the trusted keys' threshold)");
	update_clear(&u);
	u = make_text(text, "alice", "carol", NULL);
	fails(&now, &u, "u: keys of the update: 1 of 2 approvals (the trusted keys' threshold)");
	update_clear(&u);
	now.threshold = 2;
	u = make_text(text, "bob", "carol", NULL);
	fails(&now, &u, "u: keys trusted now: 1 of 2 approvals (the trusted keys' threshold)");
	update_clear(&u);
	now.threshold = 1;
	u = make_text(text, NULL);
	fails(&now, &u, "u: keys trusted now: not signed");
	update_clear(&u);

	/* Edited after signing. */
	u = make_text(text, "bob", "carol", NULL);
	char *at = strstr((char *)u.text.p, "\"threshold\":2");
	assert_non_null(at);
	at[12] = '1';
	fails(&now, &u, "u.minisig: signature by key a923cb1ea43e7f54 does not verify");
	update_clear(&u);

	/* A station that trusts nobody yet takes no update. */
	struct trust nobody = { .threshold = 1 };
	fails(&nobody, &good, "u: keys trusted now: none of the 2 signatures is by a trusted key");
	update_clear(&good);
	free(text);
}

static void broken_updates(void **state)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{ "{}", "u: type: missing, text wanted" },
		{ "[", "u: line 1 column 1: ']' expected near end of file" },
		{ "{\"type\":\"mfgpkg-trust\",\"format\":1}",
			"u: type: \"mfgpkg-trust\", \"mfgpkg-trust-update\" wanted" },
		{ "{\"type\":\"mfgpkg-trust-update\",\"format\":2}",
			"u: format: 2, 1 to 1 wanted" },
		{ "{\"type\":\"mfgpkg-trust-update\",\"format\":1,\"version\":0}",
			"u: version: 0, 1 to 9007199254740991 wanted" },
		{ "{\"type\":\"mfgpkg-trust-update\",\"format\":1,\"version\":1,\"threshold\":0}",
			"u: threshold: 0, 1 to 32 wanted" },
		{ "{\"type\":\"mfgpkg-trust-update\",\"format\":1,\"version\":1,\"threshold\":1,"
		  "\"keys\":[]}",
			"u: keys: 0 items, 1 to 32 wanted" },
		{ "{\"type\":\"mfgpkg-trust-update\",\"format\":1,\"version\":1,\"threshold\":1,"
		  "\"keys\":[\"/etc/passwd\"]}",
			"u: keys[0]: 11 characters, a public key of 56 characters wanted" },
		{ "{\"type\":\"mfgpkg-trust-update\",\"extra\":1}", "u: unknown member \"extra\"" },
	};
	(void)state;
	struct trust now = pk_trust(1, "alice", NULL);

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct update u = make_text(cases[i].text, "alice", NULL);
		fails(&now, &u, cases[i].message);
		update_clear(&u);
	}

	/* More approvals than keys can never be met: the station would be locked out. */
	struct trust locked = pk_trust(2, "alice", NULL);
	char *text = text_of(&locked, 1);
	struct update u = make_text(text, "alice", NULL);
	fails(&now, &u, "u: threshold: 2, but there are only 1 keys");
	update_clear(&u);
	free(text);
	/* One key twice would count as two. */
	struct trust twice = pk_trust(1, "alice", NULL);
	twice.keys[1] = twice.keys[0];
	twice.n = 2;
	text = text_of(&twice, 1);
	u = make_text(text, "alice", NULL);
	fails(&now, &u, "u: keys[1]: this key is there twice");
	update_clear(&u);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sets),
		cmocka_unit_test(same_number),
		cmocka_unit_test(updates),
		cmocka_unit_test(broken_updates),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

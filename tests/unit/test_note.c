/* Notes, checkpoints, cosignatures, verifier keys, proof files and policies: every vector. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/text.h"
#include "evidence/note.h"
#include "evidence/proof.h"
#include "evidence_support.h"

#define ORIGIN "acme.example/mfgpkg/order/2026-0042"

/* The known keys of a vector, logs first. */
static size_t known_keys(const json_t *v, struct vkey keys[16], size_t *n_log)
{
	json_t *list = json_object_get(v, "known_vkeys"), *k;
	size_t i, n = 0;

	*n_log = 0;
	for (uint8_t type = VKEY_ED25519; type <= VKEY_COSIGN; type += VKEY_COSIGN - VKEY_ED25519)
		json_array_foreach(list, i, k)
		{
			struct err e;
			if (vkey_parse(&keys[n], "key", json_string_value(k), &e) != 0)
				fail_msg("%s", e.msg);
			if (keys[n].type != type)
				continue;
			n++;
			*n_log += type == VKEY_ED25519;
		}
	return n;
}

static void notes(void **state)
{
	(void)state;
	AUTO(json_freep) json_t *index = ev_json("notes/index.json");
	struct note *note = malloc(sizeof *note);
	unsigned good = 0, bad = 0, body = 0;
	json_t *v, *w;
	size_t i, j;

	json_array_foreach(index, i, v)
	{
		const char *file = ev_str(v, "file");
		AUTO(buf_clear) struct buf b = ev_file(file);
		struct vkey keys[16];
		struct checkpoint c;
		struct err e = { 0 };
		size_t n_log, n = known_keys(v, keys, &n_log);
		int rc = note_open(note, file, b.p, b.len, keys, n, &e);
		if (strncmp(file, "notes/bad-", 10) == 0) {
			if (rc == 0)
				fail_msg("%s accepted: %s", file, ev_str(v, "why"));
			assert_true(e.code == ERR_FORMAT || e.code == ERR_REJECTED);
			bad++;
			continue;
		}
		if (rc != 0)
			fail_msg("%s: %s", file, e.msg);
		assert_int_equal(note->n_verified, json_array_size(json_object_get(v, "verified")));
		json_array_foreach(json_object_get(v, "verified"), j, w)
		{
			bool found = false;
			for (size_t k = 0; k < note->n_lines; k++) {
				char hex[9];
				const struct note_line *l = &note->lines[k];
				found |= l->key >= 0 &&
					 strcmp(hex_encode(hex, l->id, 4), ev_str(w, "key_id")) ==
						 0 &&
					 strlen(ev_str(w, "name")) == l->name_len &&
					 memcmp(l->name, ev_str(w, "name"), l->name_len) == 0;
			}
			assert_true(found);
		}
		rc = checkpoint_open(&c, note, file, b.p, b.len, ORIGIN, keys, n_log, n, &e);
		bool is_checkpoint = strcmp(file, "notes/good-text.note") != 0;
		if (strncmp(file, "notes/body-", 11) == 0 || !is_checkpoint) {
			if (rc == 0)
				fail_msg("%s accepted: %s", file, ev_str(v, "why"));
			body++;
			continue;
		}
		if (rc != 0)
			fail_msg("%s: %s", file, e.msg);
		/* The three lines come out again as they were. */
		AUTO(buf_clear) struct buf text = { 0 };
		checkpoint_text(&c, &text);
		assert_int_equal(text.len, note->text_len);
		assert_memory_equal(text.p, note->text, text.len);
		good++;
	}
	assert_int_equal(good, 11);
	assert_int_equal(bad, 21);
	assert_int_equal(body, 9);
	free(note);
}

static void note_messages(void **state)
{
	(void)state;
	static const struct {
		const char *file, *text;
	} cases[] = {
		{ "bad-crlf", "X: control character 0d at byte 35" },
		{ "bad-tab", "X: control character 09 at byte 28" },
		{ "bad-utf8", "X: not UTF-8" },
		{ "bad-no-final-newline", "X: last line does not end in LF" },
		{ "bad-no-blank-line", "X: no blank line before the signatures" },
		{ "bad-blank-after", "X: no signature line" },
		{ "bad-hyphen", "X: signature line does not start with U+2014 and a space" },
		{ "bad-trailing-text", "X: signature line does not start with U+2014 and a space" },
		{ "bad-two-spaces", "X: bad key name in a signature line" },
		{ "bad-name-plus", "X: bad key name in a signature line" },
		{ "bad-b64", "X: signature of x.example is not exact base64 of 5 to 4096 bytes" },
		{ "bad-short-signature",
			"X: signature of x.example is not exact base64 of 5 to 4096 bytes" },
	};
	struct note *note = malloc(sizeof *note);

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char name[128];
		struct err e = { 0 };
		snprintf(name, sizeof name, "notes/%s.note", cases[i].file);
		AUTO(buf_clear) struct buf b = ev_file(name);
		assert_int_equal(note_parse(note, "X", b.p, b.len, &e), -1);
		if (strcmp(e.msg, cases[i].text) != 0)
			fail_msg("%s: \"%s\", wanted \"%s\"", name, e.msg, cases[i].text);
	}
	free(note);
}

static void verifier_keys(void **state)
{
	(void)state;
	AUTO(json_freep) json_t *index = ev_json("notes/vkeys.json");
	unsigned good = 0;
	json_t *v;
	size_t i;

	json_array_foreach(index, i, v)
	{
		const char *text = ev_str(v, "vkey");
		char again[VKEY_TEXT_CAP];
		struct vkey k;
		struct err e = { 0 };
		int rc = vkey_parse(&k, "key", text, &e);
		bool want = strcmp(ev_str(v, "project"), "accept") == 0;
		if ((rc == 0) != want)
			fail_msg("%s (%s): %s", text, ev_str(v, "why"), e.msg);
		if (rc == 0) {
			assert_string_equal(vkey_text(&k, again), text);
			good++;
		} else if (strncmp(text, "PRIVATE", 7) == 0) {
			/* A secret must not come back in a message. */
			assert_null(strstr(e.msg, strrchr(text, '+')));
		}
	}
	assert_int_equal(good, 3);
}

/* Our signatures are the bytes that Go made from the same seeds. */
static void signing(void **state)
{
	(void)state;
	AUTO(json_freep) json_t *keys = ev_json("notes/keys.json");
	struct log_key *key[8] = { 0 };
	json_t *v;
	size_t i;
	struct err e = { 0 };

	json_array_foreach(keys, i, v)
	{
		uint8_t seed[32];
		struct vkey k;
		char text[VKEY_TEXT_CAP];
		if (i == 8)
			break;
		assert_int_equal(hex_decode(seed, 32, ev_str(v, "seed_hex")), 0);
		assert_int_equal(log_key_from_seed(&key[i], seed, &e), 0);
		assert_int_equal(vkey_make(&k, ev_str(v, "name"), (uint8_t)ev_int(v, "type"),
					 log_key_pub(key[i]), &e),
			0);
		assert_string_equal(vkey_text(&k, text), ev_str(v, "vkey"));
	}
	AUTO(buf_clear) struct buf want = ev_file("notes/good-cosigned.note");
	const char *sigs = strstr((const char *)want.p, "\n\n") + 2;
	size_t text_len = (size_t)(sigs - 1 - (const char *)want.p);
	AUTO(buf_clear) struct buf have = { 0 };
	wr_bytes(&have, want.p, text_len + 1);
	struct note *note = malloc(sizeof *note);
	assert_int_equal(note_parse(note, "n", want.p, want.len, &e), 0);
	for (size_t l = 0; l < note->n_lines; l++) {
		const struct note_line *line = &note->lines[l];
		json_array_foreach(keys, i, v)
		{
			char hex[9];
			if (i >= 8 ||
				strcmp(hex_encode(hex, line->id, 4), ev_str(v, "key_id")) != 0)
				continue;
			const char *text = (const char *)want.p;
			if (ev_int(v, "type") == 1)
				assert_int_equal(log_key_sign(key[i], ev_str(v, "name"), text,
							 text_len, &have, &e),
					0);
			else
				assert_int_equal(
					log_key_cosign(key[i], ev_str(v, "name"),
						get_be64(line->sig), text, text_len, &have, &e),
					0);
		}
	}
	assert_int_equal(have.len, want.len);
	assert_memory_equal(have.p, want.p, want.len);
	free(note);
	for (i = 0; i < 8; i++)
		log_key_free(key[i]);
}

static void log_key_files(void **state)
{
	(void)state;
	AUTO(log_key_freep) struct log_key *a = NULL, *b = NULL;
	struct err e = { 0 };
	struct stat st;
	const char *path = ev_path("log.key");

	assert_int_equal(log_key_generate(&a, &e), 0);
	assert_int_equal(log_key_save(a, path, &e), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(log_key_save(a, path, &e), -1);
	assert_int_equal(log_key_load(&b, path, &e), 0);
	assert_memory_equal(log_key_pub(a), log_key_pub(b), 32);
	log_key_freep(&b);
	assert_int_equal(chmod(path, 0640), 0);
	assert_int_equal(log_key_load(&b, path, &e), -1);
	assert_non_null(strstr(e.msg, "mode 640 lets others read this secret key"));
	ev_write(ev_path("bad.key"), "mfgpkg log key 1 AAAA\n", 22);
	assert_int_equal(chmod(ev_path("bad.key"), 0600), 0);
	assert_int_equal(log_key_load(&b, ev_path("bad.key"), &e), -1);
	assert_int_equal(e.code, ERR_FORMAT);
}

/* A policy of the keys a proof vector knows, no witness wanted. */
static struct policy *policy_of(const json_t *v)
{
	AUTO(buf_clear) struct buf b = { 0 };
	struct policy *p = NULL;
	struct err e = { 0 };
	json_t *k;
	size_t i;

	json_array_foreach(json_object_get(v, "known_vkeys"), i, k)
	{
		struct vkey key;
		assert_int_equal(vkey_parse(&key, "key", json_string_value(k), &e), 0);
		if (key.type == VKEY_ED25519)
			wr_printf(&b, "log %s\n", json_string_value(k));
		else
			wr_printf(&b, "witness w%zu %s\n", i, json_string_value(k));
	}
	wr_str(&b, "quorum none\n");
	if (policy_parse(&p, "policy", b.p, b.len, &e) != 0)
		fail_msg("%s", e.msg);
	return p;
}

static void proofs(void **state)
{
	(void)state;
	AUTO(json_freep) json_t *index = ev_json("proofs/index.json");
	unsigned good = 0, bad = 0;
	json_t *v;
	size_t i;

	json_array_foreach(index, i, v)
	{
		const char *file = ev_str(v, "file"), *hex = ev_str(v, "leaf_hex");
		AUTO(policy_freep) struct policy *policy = policy_of(v);
		AUTO(buf_clear) struct buf b = ev_file(file);
		AUTO(proof_clear) struct proof p = { 0 };
		uint8_t leaf[4096];
		struct checkpoint c;
		struct err e = { 0 };
		assert_int_equal(hex_decode(leaf, strlen(hex) / 2, hex), 0);
		int rc = proof_parse(&p, file, b.p, b.len, &e);
		bool parsed = rc == 0;
		if (rc == 0)
			rc = proof_check(&p, file, policy, ORIGIN, leaf, strlen(hex) / 2, &c, &e);
		bool want = strcmp(ev_str(v, "project"), "accept") == 0;
		if ((rc == 0) != want)
			fail_msg("%s (%s): %s", file, ev_str(v, "why"), e.msg);
		if (want && p.has_extra)
			assert_int_equal(proof_check(&p, file, policy, ORIGIN, NULL, 0, &c, &e), 0);
		else if (want)
			assert_int_equal(
				proof_check(&p, file, policy, ORIGIN, NULL, 0, &c, &e), -1);
		if (want)
			assert_int_equal(proof_check(&p, file, policy, "other.example/log", leaf,
						 strlen(hex) / 2, &c, &e),
				-1);
		/* What was parsed is written again as it was. */
		if (parsed) {
			struct merkle_proof path = { .n = p.n_path };
			AUTO(buf_clear) struct buf again = { 0 };
			memcpy(path.hash, p.path, p.n_path * MERKLE_HASH);
			assert_int_equal(
				proof_write(p.index, p.has_extra ? p.extra.p : NULL, p.extra.len,
					&path, p.note, p.note_len, &again, &e),
				0);
			assert_int_equal(again.len, b.len);
			assert_memory_equal(again.p, b.p, b.len);
		}
		*(want ? &good : &bad) += 1;
	}
	assert_int_equal(good, 4);
	assert_int_equal(bad, 10);
}

static void policies(void **state)
{
	(void)state;
	AUTO(json_freep) json_t *index = ev_json("policies/index.json");
	unsigned good = 0, bad = 0, checked = 0;
	json_t *v, *w;
	const char *name;
	size_t i;

	json_array_foreach(index, i, v)
	{
		const char *file = ev_str(v, "file");
		AUTO(policy_freep) struct policy *p = NULL;
		AUTO(buf_clear) struct buf b = ev_file(file);
		struct err e = { 0 };
		int rc = policy_parse(&p, file, b.p, b.len, &e);
		bool want = strcmp(ev_str(v, "project_parse"), "accept") == 0;
		if ((rc == 0) != want)
			fail_msg("%s (%s): %s", file, ev_str(v, "why"), e.msg);
		*(want ? &good : &bad) += 1;
		if (!want) {
			assert_int_equal(e.code, ERR_FORMAT);
			continue;
		}
		json_object_foreach(json_object_get(v, "satisfied_by"), name, w)
		{
			char note[128];
			struct checkpoint c;
			snprintf(note, sizeof note, "policies/checkpoint-%s.note", name);
			AUTO(buf_clear) struct buf n = ev_file(note);
			rc = policy_check(p, note, n.p, n.len, NULL, &c, &e);
			if ((rc == 0) != json_is_true(w))
				fail_msg("%s with %s: %s", file, note, e.msg);
			checked++;
		}
	}
	assert_int_equal(good, 6);
	assert_int_equal(bad, 12);
	assert_int_equal(checked, 36);
}

static void policy_messages(void **state)
{
	(void)state;
	static const struct {
		const char *file, *text;
	} cases[] = {
		{ "bad-no-quorum", "X: no quorum line" },
		{ "bad-two-quorums", "X: line 4: second quorum line" },
		{ "bad-forward", "X: line 2: name not defined above: \"qa\"" },
		{ "bad-k-0", "X: line 3: all, any or 1 to the number of members wanted: \"0\"" },
		{ "bad-k-n", "X: line 3: all, any or 1 to the number of members wanted: \"2\"" },
		{ "bad-crlf", "X: control character 0d at byte 93" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		AUTO(policy_freep) struct policy *p = NULL;
		char name[128];
		struct err e = { 0 };
		snprintf(name, sizeof name, "policies/%s.policy", cases[i].file);
		AUTO(buf_clear) struct buf b = ev_file(name);
		assert_int_equal(policy_parse(&p, "X", b.p, b.len, &e), -1);
		if (strcmp(e.msg, cases[i].text) != 0)
			fail_msg("%s: \"%s\", wanted \"%s\"", name, e.msg, cases[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(notes),
		cmocka_unit_test(note_messages),
		cmocka_unit_test(verifier_keys),
		cmocka_unit_test(signing),
		cmocka_unit_test(log_key_files),
		cmocka_unit_test(proofs),
		cmocka_unit_test(policies),
		cmocka_unit_test(policy_messages),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

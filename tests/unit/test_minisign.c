/* minisign files: every vector, good and bad, and exchange with the minisign program both ways. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fsio.h"
#include "base/json.h"
#include "base/text.h"
#include "evidence/minisign.h"
#include "keyed/minisign_key.h"
#include "evidence_support.h"

static struct buf in_folder(const char *file)
{
	char name[256];

	snprintf(name, sizeof name, "minisign/%s", file);
	return ev_file(name);
}

static struct minisign_pub load_pub(const char *file)
{
	struct minisign_pub pub;
	struct err e = { 0 };
	AUTO(buf_clear) struct buf b = in_folder(file);

	if (minisign_pub_parse(&pub, file, b.p, b.len, &e) != 0)
		fail_msg("%s", e.msg);
	return pub;
}

static void signatures(void **state)
{
	(void)state;
	AUTO(json_freep) json_t *index = ev_json("minisign/index.json");
	unsigned accepted = 0, rejected = 0;
	json_t *v;
	size_t i;

	json_array_foreach(json_object_get(index, "signatures"), i, v)
	{
		struct minisign_pub pub = load_pub(ev_str(v, "pub"));
		AUTO(buf_clear) struct buf msg = in_folder(ev_str(v, "message"));
		AUTO(buf_clear) struct buf file = in_folder(ev_str(v, "file"));
		struct minisign_sig sig;
		struct err e = { 0 };
		int rc = minisign_sig_parse(&sig, ev_str(v, "file"), file.p, file.len, &e);
		if (rc == 0)
			rc = minisign_verify(&pub, &sig, msg.p, msg.len, &e);
		bool want = strcmp(ev_str(v, "project"), "accept") == 0;
		if ((rc == 0) != want)
			fail_msg("%s (%s): %s %s", ev_str(v, "file"), ev_str(v, "why"),
				rc ? "rejected" : "accepted", e.msg);
		if (want)
			assert_string_equal(sig.comment, ev_str(v, "trusted_comment_shown"));
		else
			assert_true(e.code == ERR_FORMAT || e.code == ERR_LIMIT ||
				    e.code == ERR_REJECTED);
		*(want ? &accepted : &rejected) += 1;
	}
	assert_int_equal(accepted + rejected, 46);
	assert_int_equal(accepted, 13);
}

/* What each broken signature file is told, word for word. */
static void messages(void **state)
{
	(void)state;
	static const struct {
		const char *file, *text;
	} cases[] = {
		{ "bad-empty", "X: 0 lines that end in LF, 4 wanted" },
		{ "bad-two-lines", "X: 2 lines that end in LF, 4 wanted" },
		{ "bad-three-lines", "X: 3 lines that end in LF, 4 wanted" },
		{ "strict-no-final-newline", "X: 3 lines that end in LF, 4 wanted" },
		{ "bad-blank-first", "X: 89 bytes after line 4" },
		{ "bad-bom", "X: line 1 does not start with \"untrusted comment: \"" },
		{ "bad-no-untrusted-prefix",
			"X: line 1 does not start with \"untrusted comment: \"" },
		{ "bad-no-trusted-prefix", "X: line 3 does not start with \"trusted comment: \"" },
		{ "bad-untrusted-1024", "X: line 1 of 1024 bytes, at most 1022 wanted" },
		{ "strict-crlf", "X: line 1 holds a control character or invalid UTF-8" },
		{ "strict-cr-hides-comment",
			"X: line 3 holds a control character or invalid UTF-8" },
		{ "bad-nul-in-comment", "X: line 3 holds a control character or invalid UTF-8" },
		{ "bad-b64-char",
			"X: the signature is not exact base64 of 74 bytes (100 characters seen)" },
		{ "bad-b64-nopad",
			"X: the signature is not exact base64 of 74 bytes (99 characters seen)" },
		{ "bad-b64-space",
			"X: the signature is not exact base64 of 74 bytes (101 characters seen)" },
		{ "strict-b64-loose-bits",
			"X: the signature is not exact base64 of 74 bytes (100 characters seen)" },
		{ "strict-global-b64-loose-bits",
			"X: the global signature is not exact base64 of 64 bytes (88 characters "
			"seen)" },
		{ "legacy", "X: legacy signature (Ed), a prehashed one (ED) wanted" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char name[128];
		struct minisign_sig sig;
		struct err e = { 0 };
		snprintf(name, sizeof name, "sigs/%s.minisig", cases[i].file);
		AUTO(buf_clear) struct buf b = in_folder(name);
		assert_int_equal(minisign_sig_parse(&sig, "X", b.p, b.len, &e), -1);
		if (strcmp(e.msg, cases[i].text) != 0)
			fail_msg("%s: \"%s\", wanted \"%s\"", name, e.msg, cases[i].text);
	}
}

static void public_keys(void **state)
{
	(void)state;
	AUTO(json_freep) json_t *index = ev_json("minisign/index.json");
	json_t *v;
	size_t i;

	json_array_foreach(json_object_get(index, "public_keys"), i, v)
	{
		struct minisign_pub pub;
		struct err e = { 0 };
		AUTO(buf_clear) struct buf b = in_folder(ev_str(v, "file"));
		int rc = minisign_pub_parse(&pub, ev_str(v, "file"), b.p, b.len, &e);
		bool want = strcmp(ev_str(v, "project"), "accept") == 0;
		if ((rc == 0) != want)
			fail_msg("%s (%s): %s", ev_str(v, "file"), ev_str(v, "why"), e.msg);
	}
	json_array_foreach(json_object_get(index, "keys"), i, v)
	{
		struct minisign_pub pub = load_pub(ev_str(v, "pub")), bare;
		char hex[65], file[MINISIGN_PUB_FILE_CAP];
		uint8_t id[8];
		struct err e = { 0 };
		assert_string_equal(hex_encode(hex, pub.id, 8), ev_str(v, "keynum_bytes_hex"));
		assert_string_equal(minisign_id_hex(hex, pub.id), ev_str(v, "package_id"));
		assert_string_equal(hex_encode(hex, pub.key, 32), ev_str(v, "public_key_hex"));
		/* Both forms of the id name the same key. */
		assert_int_equal(minisign_id_parse(id, ev_str(v, "printed_id")), 0);
		assert_memory_equal(id, pub.id, 8);
		assert_int_equal(minisign_id_parse(id, ev_str(v, "package_id")), 0);
		assert_memory_equal(id, pub.id, 8);
		/* The file is written as minisign writes it, and its second line is a key too. */
		AUTO(buf_clear) struct buf b = in_folder(ev_str(v, "pub"));
		minisign_pub_write(&pub, file);
		assert_int_equal(strlen(file), b.len);
		assert_memory_equal(file, b.p, b.len);
		char *second = strchr(file, '\n') + 1;
		second[56] = '\0';
		assert_int_equal(minisign_pub_load(&bare, second, &e), 0);
		assert_memory_equal(&bare, &pub, sizeof pub);
	}
	uint8_t id[8];
	assert_int_equal(minisign_id_parse(id, ""), -1);
	assert_int_equal(minisign_id_parse(id, "12345678901234567"), -1);
	assert_int_equal(minisign_id_parse(id, "12g4"), -1);
}

static void secret_keys(void **state)
{
	(void)state;
	AUTO(json_freep) json_t *index = ev_json("minisign/index.json");
	json_t *v;
	size_t i;

	json_array_foreach(json_object_get(index, "keys"), i, v)
	{
		AUTO(minisign_key_freep) struct minisign_key *k = NULL;
		AUTO(buf_clear) struct buf b = in_folder(ev_str(v, "key"));
		const char *pass = ev_str(v, "password");
		struct minisign_pub pub = load_pub(ev_str(v, "pub"));
		struct err e = { 0 };
		assert_int_equal(minisign_key_encrypted("k", b.p, b.len, &e), pass != NULL);
		if (minisign_key_parse(&k, "k", b.p, b.len, pass, pass ? strlen(pass) : 0, &e) != 0)
			fail_msg("%s: %s", ev_str(v, "key"), e.msg);
		assert_memory_equal(minisign_key_pub(k), &pub, sizeof pub);
	}
	json_array_foreach(json_object_get(index, "secret_keys"), i, v)
	{
		AUTO(minisign_key_freep) struct minisign_key *k = NULL;
		AUTO(buf_clear) struct buf b = in_folder(ev_str(v, "file"));
		const char *pass = ev_str(v, "password");
		struct err e = { 0 };
		int rc = minisign_key_parse(&k, "k", b.p, b.len, pass, pass ? strlen(pass) : 0, &e);
		bool want = strcmp(ev_str(v, "project"), "accept") == 0;
		if ((rc == 0) != want)
			fail_msg("%s (%s): %s", ev_str(v, "file"), ev_str(v, "why"), e.msg);
	}
}

/* A reader takes the scrypt limits from the file: absurd ones are refused before memory is. */
static void scrypt_limits(void **state)
{
	(void)state;
	static const struct {
		size_t off;
		uint64_t value;
		const char *text;
	} cases[] = {
		{ 38, UINT64_MAX,
			"k: scrypt opslimit 18446744073709551615, 32768 to 67108864 accepted" },
		{ 38, 67108865, "k: scrypt opslimit 67108865, 32768 to 67108864 accepted" },
		{ 38, 32767, "k: scrypt opslimit 32767, 32768 to 67108864 accepted" },
		{ 46, 2147483649,
			"k: scrypt memlimit 2147483649, 16777216 to 2147483648 accepted" },
		{ 46, (uint64_t)1 << 60,
			"k: scrypt memlimit 1152921504606846976, 16777216 to 2147483648 accepted" },
		{ 46, 16777215, "k: scrypt memlimit 16777215, 16777216 to 2147483648 accepted" },
	};
	AUTO(buf_clear) struct buf good = in_folder("keys/locked-256m.key");
	const char *line = strchr((char *)good.p, '\n') + 1;
	uint8_t raw[158];
	size_t n;

	assert_int_equal(base64_decode(raw, sizeof raw, &n, line, 212), 0);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		AUTO(minisign_key_freep) struct minisign_key *k = NULL;
		AUTO(buf_clear) struct buf b = { 0 };
		uint8_t bad[158];
		char text[213];
		struct err e = { 0 };
		memcpy(bad, raw, sizeof bad);
		put_le64(bad + cases[i].off, cases[i].value);
		wr_printf(&b, "untrusted comment: x\n%s\n", base64_encode(text, bad, sizeof bad));
		assert_int_equal(minisign_key_parse(&k, "k", b.p, b.len, "x", 1, &e), -1);
		assert_int_equal(e.code, ERR_LIMIT);
		assert_string_equal(e.msg, cases[i].text);
	}
}

/* The same key and comment give the same bytes as minisign's own signature. */
static void signing_is_reproducible(void **state)
{
	(void)state;
	static const struct {
		const char *key, *message, *sig;
	} cases[] = {
		{ "keys/alice.key", "messages/manifest.json", "sigs/good-hashed.minisig" },
		{ "keys/alice.key", "messages/manifest.json", "sigs/good-utf8-comment.minisig" },
		{ "keys/alice.key", "messages/manifest.json", "sigs/good-comment-4077.minisig" },
		{ "keys/bob.key", "messages/manifest.json", "sigs/good-second-signer.minisig" },
		{ "keys/alice.key", "messages/empty", "sigs/good-empty.minisig" },
		{ "keys/alice.key", "messages/big70k", "sigs/good-big70k.minisig" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		AUTO(minisign_key_freep) struct minisign_key *k = NULL;
		AUTO(buf_clear) struct buf b = in_folder(cases[i].key);
		AUTO(buf_clear) struct buf msg = in_folder(cases[i].message);
		AUTO(buf_clear) struct buf want = in_folder(cases[i].sig);
		AUTO(buf_clear) struct buf have = { 0 };
		struct minisign_sig sig;
		struct err e = { 0 };
		assert_int_equal(minisign_key_parse(&k, "k", b.p, b.len, NULL, 0, &e), 0);
		assert_int_equal(minisign_sig_parse(&sig, "s", want.p, want.len, &e), 0);
		assert_int_equal(minisign_key_sign(k, msg.p, msg.len, sig.comment, &have, &e), 0);
		assert_int_equal(have.len, want.len);
		assert_memory_equal(have.p, want.p, want.len);
	}
	AUTO(minisign_key_freep) struct minisign_key *k = NULL;
	AUTO(buf_clear) struct buf b = in_folder("keys/alice.key");
	AUTO(buf_clear) struct buf out = { 0 };
	char long_comment[MINISIGN_COMMENT_MAX + 2];
	struct err e;
	assert_int_equal(minisign_key_parse(&k, "k", b.p, b.len, NULL, 0, &e), 0);
	memset(long_comment, 'c', sizeof long_comment - 1);
	long_comment[sizeof long_comment - 1] = '\0';
	assert_int_equal(minisign_key_sign(k, "", 0, long_comment, &out, &e), -1);
	assert_int_equal(minisign_key_sign(k, "", 0, "", &out, &e), -1);
	assert_int_equal(minisign_key_sign(k, "", 0, "two\nlines", &out, &e), -1);
	assert_int_equal(minisign_key_sign(k, "", 0, "bad \xFF", &out, &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
}

static void save(struct minisign_key *k, const char *path, const char *pass)
{
	AUTO(buf_wipe) struct buf b = { 0 };
	struct err e;

	/* The smallest limits libsodium knows: this is a test of the format, not of patience. */
	assert_int_equal(
		minisign_key_write(k, pass, pass ? strlen(pass) : 0, 524288, 16777216, &b, &e), 0);
	ev_write(path, b.p, b.len);
}

static void exchange_with_the_program(void **state)
{
	(void)state;
	const char *dir = ev_tmp();
	const char *pass[] = { NULL, "correct horse", "" };

	if (ev_run("minisign -v >/dev/null 2>&1") != 0) {
		print_message("minisign is not installed: exchange not tested\n");
		skip();
	}
	ev_write(ev_path("msg"), "hello\n", 6);
	for (size_t i = 0; i < 3; i++) {
		AUTO(minisign_key_freep) struct minisign_key *k = NULL;
		AUTO(buf_clear) struct buf sig = { 0 };
		struct err e = { 0 };
		char pub[MINISIGN_PUB_FILE_CAP];

		/* Our key, our signature: minisign verifies. */
		assert_int_equal(minisign_key_generate(&k, &e), 0);
		save(k, ev_path("k%zu.key", i), pass[i]);
		minisign_pub_write(minisign_key_pub(k), pub);
		ev_write(ev_path("k%zu.pub", i), pub, strlen(pub));
		assert_int_equal(minisign_key_sign(k, "hello\n", 6, NULL, &sig, &e), 0);
		ev_write(ev_path("ours"), sig.p, sig.len);
		assert_int_equal(
			ev_run("cd %s && minisign -VHm msg -x ours -p k%zu.pub >/dev/null", dir, i),
			0);

		/* Our key, minisign signs, we verify; and it finds the same public key. */
		assert_int_equal(
			ev_run("cd %s && rm -f theirs r.pub && echo '%s' | minisign -Sm msg "
			       "-x theirs -s k%zu.key >/dev/null 2>&1 && echo '%s' | "
			       "minisign -R -f -s k%zu.key -p r.pub >/dev/null 2>&1 && cmp "
			       "r.pub k%zu.pub",
				dir, pass[i] ? pass[i] : "", i, pass[i] ? pass[i] : "", i, i),
			0);
		AUTO(buf_clear) struct buf theirs = ev_file(ev_path("theirs"));
		struct minisign_sig s;
		assert_int_equal(minisign_sig_parse(&s, "theirs", theirs.p, theirs.len, &e), 0);
		assert_int_equal(minisign_verify(minisign_key_pub(k), &s, "hello\n", 6, &e), 0);
	}

	/* minisign's key: we sign, it verifies. */
	AUTO(minisign_key_freep) struct minisign_key *k = NULL;
	AUTO(buf_clear) struct buf sig = { 0 };
	struct err e = { 0 };
	assert_int_equal(
		ev_run("cd %s && minisign -G -W -p g.pub -s g.key >/dev/null 2>&1", dir), 0);
	assert_int_equal(chmod(ev_path("g.key"), 0644), 0);
	assert_int_equal(minisign_key_load(&k, ev_path("g.key"), NULL, &e), -1);
	assert_non_null(strstr(e.msg, "mode 644 lets others read this secret key"));
	assert_int_equal(chmod(ev_path("g.key"), 0600), 0);
	assert_int_equal(minisign_key_load(&k, ev_path("g.key"), NULL, &e), 0);
	assert_int_equal(minisign_key_sign(k, "hello\n", 6, "a\tcomment", &sig, &e), 0);
	ev_write(ev_path("ours"), sig.p, sig.len);
	assert_int_equal(ev_run("cd %s && minisign -VHm msg -x ours -p g.pub >/dev/null", dir), 0);
}

static void save_makes_a_pair(void **state)
{
	(void)state;
	AUTO(minisign_key_freep) struct minisign_key *k = NULL, *again = NULL;
	struct minisign_pub pub;
	struct err e = { 0 };
	struct stat st;
	AUTO(str_freep) char *a = minisign_pub_path("x/oem.key");
	AUTO(str_freep) char *b = minisign_pub_path("x/oem");

	assert_string_equal(a, "x/oem.pub");
	assert_string_equal(b, "x/oem.pub");
	assert_int_equal(minisign_key_generate(&k, &e), 0);
	const char *key = ev_path("pair.key"), *pubf = ev_path("pair.pub");
	assert_int_equal(minisign_key_save(k, key, pubf, NULL, 0, &e), 0);
	assert_int_equal(stat(key, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(minisign_key_load(&again, key, NULL, &e), 0);
	assert_int_equal(minisign_pub_load(&pub, pubf, &e), 0);
	assert_memory_equal(&pub, minisign_key_pub(again), sizeof pub);
	/* Neither half is ever replaced. */
	assert_int_equal(minisign_key_save(k, key, ev_path("other.pub"), NULL, 0, &e), -1);
	assert_false(fsio_exists(ev_path("other.pub")));
	assert_int_equal(minisign_key_save(k, ev_path("other.key"), pubf, NULL, 0, &e), -1);
	assert_false(fsio_exists(ev_path("other.key")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signatures),
		cmocka_unit_test(messages),
		cmocka_unit_test(public_keys),
		cmocka_unit_test(secret_keys),
		cmocka_unit_test(scrypt_limits),
		cmocka_unit_test(signing_is_reproducible),
		cmocka_unit_test(exchange_with_the_program),
		cmocka_unit_test(save_makes_a_pair),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

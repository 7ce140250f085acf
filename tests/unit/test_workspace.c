/* The workspace log: made by the first act, continued by the next process, proofs anyone can check.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fsio.h"
#include "base/json.h"
#include "evidence/proof.h"
#include "mfgpkg/workspace.h"

static char *old_dir;
static char dir[] = "/tmp/test-workspace.XXXXXX";

static void put(const char *path, const char *text)
{
	struct err e;

	if (fsio_write(path, text, strlen(text), 0600, &e) != 0)
		fail_msg("%s", e.msg);
}

static int enter(void **state)
{
	(void)state;
	old_dir = getcwd(NULL, 0);
	return mkdtemp(dir) && chdir(dir) == 0 ? 0 : -1;
}

static int leave(void **state)
{
	char command[64];

	(void)state;
	if (chdir(old_dir) != 0)
		return -1;
	free(old_dir);
	snprintf(command, sizeof command, "rm -rf %s", dir);
	return system(command);
}

static struct workspace *open_ws(const char *path)
{
	struct workspace *w = NULL;
	struct err e;

	if (workspace_open(&w, path, NULL, NULL, &e) != 0)
		fail_msg("%s", e.msg);
	return w;
}

static void record_package(struct workspace *w, uint64_t *seq)
{
	const struct workspace_package p = { .file = "p.mfgpkg",
		.package_id = "5a0f3a52-6c1e-4e0e-9d0c-2b7f5d1c9a11",
		.product = "acme-thermostat",
		.release = "1.4.2",
		.sequence = 17,
		.package = { 0xAB, 1 },
		.signer = { 0xcc, 0x84, 0xe7, 0xfa, 0x33, 0x20, 0x96, 0x23 } };
	struct err e;

	if (workspace_package(w, &p, seq, &e) != 0 || workspace_commit(w, &e) != 0)
		fail_msg("%s", e.msg);
}

/* check_proof - as somebody does who has the proof and log.policy only. */
static void check_proof(const struct buf *text, const char *origin, uint64_t seq)
{
	AUTO(buf_clear) struct buf policy_text = { 0 };
	AUTO(policy_freep) struct policy *policy = NULL;
	AUTO(proof_clear) struct proof p = { 0 };
	AUTO(json_freep) json_t *leaf = NULL;
	struct checkpoint at;
	struct err e;

	if (fsio_read("ws/workspace/log.policy", POLICY_MAX, &policy_text, &e) != 0 ||
		policy_parse(&policy, "log.policy", policy_text.p, policy_text.len, &e) != 0 ||
		proof_parse(&p, "proof", text->p, text->len, &e) != 0 ||
		proof_check(&p, "proof", policy, origin, NULL, 0, &at, &e) != 0)
		fail_msg("%s", e.msg);
	assert_int_equal(p.index, seq);
	assert_true(at.size > seq);
	leaf = json_read("leaf", p.extra.p, p.extra.len, &e);
	assert_non_null(leaf);
	assert_string_equal(json_string_value(json_object_get(leaf, "kind")), "package");
	assert_string_equal(json_string_value(json_object_get(leaf, "result")), "built");
	assert_int_equal(json_integer_value(json_object_get(leaf, "seq")), seq);
	assert_string_equal(json_string_value(json_array_get(json_object_get(leaf, "signers"), 0)),
		"23962033fae784cc");

	/* One bit of the leaf, and the proof no longer holds. */
	p.extra.p[p.extra.len / 2] ^= 1;
	assert_int_equal(proof_check(&p, "proof", policy, origin, NULL, 0, &at, &e), -1);
}

static void test_record_and_prove(void **state)
{
	static const uint8_t digest[32] = { 7 };
	const char *origin = "acme.example/mfgpkg/workspace/thermostat";
	struct stat st;
	struct err e;
	uint64_t first, second;

	(void)state;
	assert_int_equal(fsio_mkdirs("ws/keys", 0700, &e), 0);
	put("ws/workspace.yaml", "oem: acme.example\nname: thermostat\n");

	struct workspace *w = open_ws("ws");
	assert_string_equal(workspace_origin(w), origin);
	assert_memory_equal(workspace_vkey(w), "acme.example/mfgpkg/workspace/thermostat+", 41);
	const struct workspace_key key = {
		.action = "made", .type = "rot", .file = "rot_p256_0.pem", .public_digest = digest
	};
	const struct workspace_key secret = {
		.action = "made", .type = "cust-mk-sk", .file = "cust_mk_sk.key"
	};
	const struct workspace_input inputs[2] = { { "mbi.yaml", { 1 } }, { "app.bin", { 2 } } };
	const uint8_t signer[1][32] = { { 9 } };
	const struct workspace_artifact artifact = { .type = "mbi",
		.file = "mbi.bin",
		.sha256 = { 3 },
		.size = 4368,
		.inputs = inputs,
		.n_inputs = 2,
		.keys = signer,
		.n_keys = 1 };
	const struct workspace_order order = {
		.order = "2026-0001", .document = { 4 }, .package = { 5 }, .quantity = 4
	};
	if (workspace_key(w, &key, &e) != 0 || workspace_key(w, &secret, &e) != 0 ||
		workspace_artifact(w, &artifact, &e) != 0 ||
		workspace_approval(w, digest, "5a0f3a52-6c1e-4e0e-9d0c-2b7f5d1c9a11",
			(const uint8_t[8]){ 1 }, &e) != 0 ||
		workspace_order(w, &order, &e) != 0)
		fail_msg("%s", e.msg);
	record_package(w, &first);
	assert_int_equal(first, 6); /* genesis, two keys, artifact, approval, order */
	AUTO(buf_clear) struct buf proof = { 0 };
	assert_int_equal(workspace_prove(w, first, &proof, &e), 0);
	check_proof(&proof, origin, first);
	workspace_free(w);

	/* Another process goes on in the same log; the older entry can still be proven. */
	w = open_ws("ws");
	record_package(w, &second);
	assert_true(second > first);
	buf_clear(&proof);
	assert_int_equal(workspace_prove(w, first, &proof, &e), 0);
	check_proof(&proof, origin, first);
	workspace_free(w);
	assert_int_equal(stat("ws/workspace/log.key", &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void test_nearest(void **state)
{
	const struct cli_command command = { .name = "test" };
	const struct cli c = { .program = "test", .command = &command };
	struct workspace *w = NULL;
	struct err e;
	char before[256], *origin = before;

	(void)state;
	/* From a file that is not there yet, in a folder that is not there yet. */
	if (workspace_open_near(&w, &c, "ws/keys/new/rot.pem", &e) != 0)
		fail_msg("%s", e.msg);
	assert_non_null(w);
	snprintf(origin, sizeof before, "%s", workspace_origin(w));
	assert_string_equal(origin, "acme.example/mfgpkg/workspace/thermostat");
	workspace_free(w);

	/* Outside there is none, and that is fine: nothing is recorded. */
	w = (struct workspace *)&e;
	assert_int_equal(workspace_open_near(&w, &c, "elsewhere", &e), 0);
	assert_null(w);
	assert_int_equal(workspace_key(NULL, &(struct workspace_key){ 0 }, &e), 0);
	assert_int_equal(workspace_commit(NULL, &e), 0);
	workspace_free(NULL);
}

static void test_refused(void **state)
{
	static const struct {
		const char *yaml, *oem, *name, *message;
	} cases[] = {
		{ NULL, NULL, NULL,
			"bad: no workspace.yaml here: write one with `oem: your.domain` and `name: "
			"...`" },
		{ "oem: acme.example\n", NULL, NULL, "bad/workspace.yaml:1:1: missing key `name`" },
		{ "oem: ACME\nname: x\n", NULL, NULL,
			"bad/workspace.yaml: `oem` is 'ACME': wanted 1..64 characters a-z 0-9 . -, "
			"such as acme.example" },
		{ "oem: acme.example\nname: ../x\n", NULL, NULL,
			"bad/workspace.yaml: workspace `name` is '../x': wanted 1..40 characters "
			"a-z 0-9 . _ -" },
		{ "oem: acme.example\nname: x\n", "acme.example", "y",
			"bad/workspace.yaml says acme.example, x but the release says "
			"acme.example, y" },
		{ NULL, "acme/example", "x",
			"bad: `oem` is 'acme/example': wanted 1..64 characters a-z 0-9 . -, such "
			"as acme.example" },
	};
	struct err e;

	(void)state;
	assert_int_equal(fsio_mkdirs("bad", 0700, &e), 0);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct workspace *w = NULL;

		unlink("bad/workspace.yaml");
		if (cases[i].yaml)
			put("bad/workspace.yaml", cases[i].yaml);
		assert_int_equal(workspace_open(&w, "bad", cases[i].oem, cases[i].name, &e), -1);
		assert_string_equal(e.msg, cases[i].message);
		assert_int_equal(e.code, ERR_CONFIG);
		assert_null(w);
	}
	assert_false(fsio_exists("bad/workspace"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_record_and_prove),
		cmocka_unit_test(test_nearest),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, enter, leave);
}

/* Packages as a whole: a good one, what the station adds, every bit and every length of a small
 * one, and writing and approving them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <zlib.h>

#include "base/exit_status.h"
#include "base/fsio.h"
#include "base/json.h"
#include "base/text.h"
#include "crypt/digest.h"
#include "evidence_support.h"
#include "mfgpkg/pkg_write.h"
#include "pkg/order.h"
#include "pkg/pkg.h"
#include "pkg/words.h"
#include "pkg_support.h"

static void build(struct pk *p)
{
	pk_default(p);
	pk_build(p, "alice");
}

static void good_package(void **state)
{
	(void)state;
	AUTO(pk_clear) struct pk p;
	AUTO(pkg_freep) struct pkg *opened = NULL;
	struct trust t = pk_trust(1, "alice", NULL);
	const struct pkg_expect x = {
		.now = PK_NOW, .family = "mcxn947", .runner_version = "0.1.0"
	};
	const char *path = ev_path("good.mfgpkg");
	struct pkg_facts facts;
	struct err e = { 0 };
	uint8_t digest[32];
	const uint8_t *data;
	size_t len;

	build(&p);
	ev_write(path, p.out.p, p.out.len);
	if (pkg_open(&opened, path, &t, &x, &facts, &e) != 0)
		fail_msg("%s", e.msg);
	assert_string_equal(pkg_manifest(opened)->product, "acme-thermostat");
	assert_int_equal(pkg_manifest(opened)->sequence, 17);
	assert_int_equal(pkg_manifest(opened)->n_before, 2);
	assert_int_equal(pkg_manifest(opened)->after, MBOOT_LC_IN_FIELD);
	assert_int_equal(pkg_manifest(opened)->bauds[0], 921600);
	assert_int_equal(pkg_signers(opened)->approvals, 1);
	assert_string_equal(pkg_signers(opened)->list[0].comment, "approved by a test");
	assert_int_equal(pkg_script(opened)->n, 7);

	sha256_of(p.out.p, p.out.len, digest);
	assert_memory_equal(pkg_container_digest(opened), digest, 32);
	assert_memory_equal(facts.container, digest, 32);
	assert_int_equal(pkg_file(opened, "manifest.json", &data, &len, &e), 0);
	sha256_of(data, len, digest);
	assert_memory_equal(pkg_digest(opened), digest, 32);
	assert_memory_equal(facts.digest, digest, 32);
	assert_string_equal(facts.file, "good.mfgpkg");
	assert_string_equal(facts.product, "acme-thermostat");

	const struct script_step *send = &pkg_script(opened)->steps[1];
	assert_string_equal(send->text, "receive-sb-file sb/provisioning.sb3");
	data = pkg_step_file(opened, send, &len);
	assert_int_equal(len, 284 + 2 * 292);
	assert_memory_equal(data, "sbv3", 4);
	assert_int_equal(pkg_file(opened, "nothing", &data, &len, &e), -1);
}

/* The file on disk is never read again: whatever happens to it, the package stays what it was. */
static void replaced_on_disk(void **state)
{
	(void)state;
	AUTO(pk_clear) struct pk p;
	AUTO(pkg_freep) struct pkg *opened = NULL;
	struct trust t = pk_trust(1, "alice", NULL);
	const char *path = ev_path("replaced.mfgpkg");
	struct err e = { 0 };
	size_t len;

	build(&p);
	ev_write(path, p.out.p, p.out.len);
	assert_int_equal(pkg_open(&opened, path, &t, NULL, NULL, &e), 0);
	/* In place (same inode), then cut, then gone. */
	FILE *f = fopen(path, "r+");
	assert_non_null(f);
	for (size_t i = 0; i < p.out.len; i++)
		fputc('X', f);
	fclose(f);
	assert_int_equal(memcmp(pkg_raw(opened, &len), p.out.p, p.out.len), 0);
	assert_int_equal(len, p.out.len);
	assert_int_equal(truncate(path, 0), 0);
	assert_int_equal(memcmp(pkg_raw(opened, &len), p.out.p, p.out.len), 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(memcmp(pkg_raw(opened, &len), p.out.p, p.out.len), 0);
}

static void not_readable(void **state)
{
	(void)state;
	struct trust t = pk_trust(1, "alice", NULL);
	struct pkg *opened = NULL;
	struct pkg_facts facts;
	struct err e = { 0 };

	assert_int_equal(pkg_open(&opened, ev_path("none"), &t, NULL, &facts, &e), -1);
	assert_int_equal(exit_status_of(e.code), EXIT_ENVIRONMENT);
	assert_false(facts.have_container);
	assert_string_equal(facts.file, "none");

	/* 64 MiB and one byte, sparse: refused by its length. */
	const char *path = ev_path("large.mfgpkg");
	ev_write(path, "", 0);
	assert_int_equal(truncate(path, (off_t)CONTAINER_MAX_SIZE + 1), 0);
	assert_int_equal(pkg_open(&opened, path, &t, NULL, &facts, &e), -1);
	assert_int_equal(exit_status_of(e.code), EXIT_REJECTED);
	assert_non_null(strstr(e.msg, "67108865 bytes, at most 67108864 wanted"));
}

static int floor_of(void *ctx, const char *product, int64_t *floor, struct err *e)
{
	(void)e;
	assert_string_equal(product, "acme-thermostat");
	*floor = *(int64_t *)ctx;
	return 0;
}

static void station_rules(void **state)
{
	(void)state;
	AUTO(pk_clear) struct pk p;
	struct trust t = pk_trust(1, "alice", NULL);
	struct pkg *opened = NULL;
	struct err e = { 0 };
	int64_t floor = 17;
	struct pkg_expect x = { .product_floor = floor_of, .ctx = &floor };

	build(&p);
	assert_int_equal(pkg_open_bytes(&opened, "p", p.out.p, p.out.len, &t, &x, NULL, &e), 0);
	pkg_freep(&opened);
	floor = 18;
	assert_int_equal(pkg_open_bytes(&opened, "p", p.out.p, p.out.len, &t, &x, NULL, &e), -1);
	assert_string_equal(e.msg,
		"p: sequence 17 of product \"acme-thermostat\": 18 or higher wanted (rolled back)");
	floor = 1;
	x.sequence_floor = 20;
	assert_int_equal(pkg_open_bytes(&opened, "p", p.out.p, p.out.len, &t, &x, NULL, &e), -1);
	x.sequence_floor = 0;
	x.runner_version = "0.0.9";
	assert_int_equal(pkg_open_bytes(&opened, "p", p.out.p, p.out.len, &t, &x, NULL, &e), -1);
	assert_string_equal(e.msg, "p: needs runner 0.1.0 or newer, this is 0.0.9");
	x.runner_version = "0.10.0"; /* not compared as text */
	assert_int_equal(pkg_open_bytes(&opened, "p", p.out.p, p.out.len, &t, &x, NULL, &e), 0);
	assert_int_equal(order_need(opened, NULL, &e), -1);
	assert_string_equal(e.msg, "acme-thermostat 1.4.2 may be run under a production order only "
				   "(policy requires_order)");
	pkg_freep(&opened);

	/* The edges of the window. */
	x = (struct pkg_expect){ .now = 1795132800 };
	assert_int_equal(pkg_open_bytes(&opened, "p", p.out.p, p.out.len, &t, &x, NULL, &e), 0);
	pkg_freep(&opened);
	x.now = 1893455999;
	assert_int_equal(pkg_open_bytes(&opened, "p", p.out.p, p.out.len, &t, &x, NULL, &e), 0);
	pkg_freep(&opened);
}

/* Checks come in one order: of a package in which everything from some check on is wrong, the
 * message is that of the first. Nothing later is looked at, so nothing unsigned is read. */
enum check { CONTAINER, SIGNATURES, FILES, DIGESTS, PROVENANCE, WINDOW, SB31, SCRIPT, CHECKS };

static void wrong_from(struct pk *p, enum check first)
{
	pk_default(p);
	pk_text(pk_file(p, "scripts/program.blhost"), "format-disk\n");
	pk_list(p);
	if (first <= SB31)
		json_object_set_new(p->manifest, "rkth",
			json_string("abababababababababababababababab"
				    "abababababababababababababababab"));
	if (first <= WINDOW)
		json_object_set_new(p->manifest, "expires", json_string("2026-11-21T00:00:00Z"));
	pk_seal(p);
	if (first <= PROVENANCE)
		pk_add_entry(p, PKG_PROVENANCE, "x\n", 2);
	if (first <= DIGESTS)
		pk_entry(p, "scripts/program.blhost")->data.p[0] ^= 1;
	if (first <= FILES)
		pk_add_entry(p, "docs/hidden.txt", "x", 1);
	pk_sign(p, first <= SIGNATURES ? "carol" : "alice");
	pk_pack(p);
	if (first <= CONTAINER)
		wr_u8(&p->out, 0);
}

static void checks_in_order(void **state)
{
	static const char *const messages[CHECKS] = {
		[CONTAINER] = "no end record at ",
		[SIGNATURES] = "manifest.json: signed by the unknown key ",
		[FILES] = "docs/hidden.txt: not listed in manifest.json",
		[DIGESTS] = "scripts/program.blhost: SHA-256 ",
		[PROVENANCE] = "provenance/workspace.tlog-proof: ",
		[WINDOW] = "expired at ",
		[SB31] = "sb/image.sb3: RKTH ",
		[SCRIPT] = "scripts/program.blhost: line 1 column 1: unknown verb",
	};
	(void)state;
	struct trust t = pk_trust(1, "alice", NULL);
	const struct pkg_expect x = { .now = PK_NOW };

	for (enum check first = CONTAINER; first < CHECKS; first++) {
		AUTO(pk_clear) struct pk p;
		struct pkg *opened = NULL;
		struct err e = { 0 };
		wrong_from(&p, first);
		assert_int_equal(
			pkg_open_bytes(&opened, "p", p.out.p, p.out.len, &t, &x, NULL, &e), -1);
		if (strncmp(e.msg + 3, messages[first], strlen(messages[first])) != 0)
			fail_msg("\"%s\", wanted \"p: %s\"", e.msg, messages[first]);
	}
}

/* --- every bit, every length
 * ---------------------------------------------------------------------- */

/* As small as a package with all parts gets. */
static void build_small(struct pk *p)
{
	AUTO(buf_clear) struct buf image = pk_vector("sb31/stream-exactly-256/expected.sb3");
	AUTO(buf_clear) struct buf devhsm = pk_devhsm(1);
	AUTO(json_freep)
	json_t *facts = json_load_file("tests/vectors/sb31/stream-exactly-256/case.json", 0, NULL);

	pk_default(p);
	pk_set(pk_file(p, "sb/image.sb3"), image.p, image.len);
	pk_set(pk_file(p, "sb/provisioning.sb3"), devhsm.p, devhsm.len);
	pk_list(p);
	json_object_set(p->manifest, "rkth", json_object_get(facts, "rkth"));
	pk_seal(p);
	pk_sign(p, "alice");
	pk_pack(p);
}

static bool accepted(const struct buf *b, size_t len, const struct trust *t)
{
	struct pkg *opened = NULL;
	bool r = pkg_open_bytes(&opened, "p", b->p, len, t, NULL, NULL, NULL) == 0;

	pkg_free(opened);
	return r;
}

static void every_bit(void **state)
{
	(void)state;
	AUTO(pk_clear) struct pk p;
	struct trust t = pk_trust(1, "alice", NULL);

	build_small(&p);
	assert_true(accepted(&p.out, p.out.len, &t));
	for (size_t i = 0; i < p.out.len; i++)
		for (int bit = 0; bit < 8; bit++) {
			p.out.p[i] ^= (uint8_t)(1 << bit);
			if (accepted(&p.out, p.out.len, &t))
				fail_msg("bit %d of byte %zu flipped: accepted", bit, i);
			p.out.p[i] ^= (uint8_t)(1 << bit);
		}
	assert_true(accepted(&p.out, p.out.len, &t));
	print_message("%zu bits flipped, each refused\n", 8 * p.out.len);
}

static void every_length(void **state)
{
	(void)state;
	AUTO(pk_clear) struct pk p;
	struct trust t = pk_trust(1, "alice", NULL);

	build_small(&p);
	for (size_t n = 0; n < p.out.len; n++)
		if (accepted(&p.out, n, &t))
			fail_msg("cut to %zu bytes: accepted", n);
	AUTO(buf_clear) struct buf longer = { 0 };
	wr_bytes(&longer, p.out.p, p.out.len);
	wr_u8(&longer, 0);
	assert_false(accepted(&longer, longer.len, &t));
}

/* The CRC stops most flips; an attacker repairs it. So once more with the right CRC in both
 * headers: now signature and digests have to find it. The one text nobody signs is the first line
 * of a signature file, a comment that is called untrusted. */
static void every_bit_with_right_crc(void **state)
{
	(void)state;
	AUTO(pk_clear) struct pk p;
	struct trust t = pk_trust(1, "alice", NULL);
	struct container c;
	size_t flipped = 0, comments = 0;

	build_small(&p);
	assert_int_equal(container_parse(&c, p.out.p, p.out.len, NULL), 0);
	uint8_t *central = p.out.p + get_le32(p.out.p + p.out.len - 6);
	for (size_t k = 0; k < c.n; k++) {
		const struct container_entry *x = &c.entries[k];
		size_t off = (size_t)(x->data - p.out.p), name_len = strlen(x->name);
		uint8_t *local_crc = p.out.p + off - name_len - 30 + 14, *crc = central + 16;
		const uint8_t *lf = memchr(x->data, '\n', x->len);
		size_t comment =
			strncmp(x->name, "signatures/", 11) == 0 ? (size_t)(lf - x->data) : 0;
		for (size_t i = 0; i < x->len * 8; i++) {
			p.out.p[off + i / 8] ^= (uint8_t)(1 << i % 8);
			put_le32(crc, (uint32_t)crc32(0, x->data, (uInt)x->len));
			memcpy(local_crc, crc, 4);
			bool in_comment = i / 8 < comment;
			if (!in_comment && accepted(&p.out, p.out.len, &t))
				fail_msg("%s: bit %zu of byte %zu flipped: accepted", x->name,
					i % 8, i / 8);
			comments += in_comment;
			flipped += !in_comment;
			p.out.p[off + i / 8] ^= (uint8_t)(1 << i % 8);
		}
		put_le32(crc, (uint32_t)crc32(0, x->data, (uInt)x->len));
		memcpy(local_crc, crc, 4);
		central += 46 + name_len;
	}
	assert_true(accepted(&p.out, p.out.len, &t));
	print_message("%zu bits flipped with right CRC, each refused; %zu bits are the untrusted "
		      "comment\n",
		flipped, comments);
}

/* --- examination
 * ---------------------------------------------------------------------------------- */

static void examined(void **state)
{
	(void)state;
	AUTO(pk_clear) struct pk p;
	AUTO(json_freep) json_t *report = NULL;
	struct trust t = pk_trust(1, "alice", NULL);
	struct err e = { 0 };

	build(&p);
	assert_int_equal(pkg_examine_bytes(&report, "p", p.out.p, p.out.len, &t, NULL, &e), 0);
	assert_string_equal(ev_str(report, "verdict"), "accepted");
	assert_int_equal(json_array_size(json_object_get(report, "entries")), 6);
	assert_int_equal(json_array_size(json_object_get(report, "sb31")), 2);
	assert_int_equal(
		json_array_size(json_object_get(json_object_get(report, "script"), "stages")), 4);
	json_freep(&report);

	/* Several faults at once are all named. */
	pk_clear(&p);
	pk_default(&p);
	pk_text(pk_file(&p, "scripts/program.blhost"), "flash-erase-all\nreboot\n");
	pk_list(&p);
	json_object_set_new(p.manifest, "rkth",
		json_string("0000000000000000000000000000000000000000000000000000000000000000"));
	pk_seal(&p);
	pk_sign(&p, "carol");
	pk_add_entry(&p, "docs/extra.txt", "x", 1);
	pk_pack(&p);
	assert_int_equal(pkg_examine_bytes(&report, "p", p.out.p, p.out.len, &t,
				 &(struct pkg_expect){ .now = 1 }, &e),
		0);
	static const char *const want[] = { "trust", "approvals", "files", "window", "sb31",
		"script" };
	const json_t *problems = json_object_get(report, "problems");
	assert_int_equal(json_array_size(problems), 6);
	for (size_t i = 0; i < 6; i++)
		assert_string_equal(ev_str(json_array_get(problems, i), "check"), want[i]);
	assert_string_equal(ev_str(report, "verdict"), "refused");
}

static void six_words(void **state)
{
	(void)state;
	char out[WORDS_CAP];
	uint8_t digest[32];

	memset(digest, 0, sizeof digest);
	assert_string_equal(words_of(out, digest), "acid acid acid acid acid acid");
	memset(digest, 0xFF, sizeof digest);
	assert_string_equal(words_of(out, digest), "zipper zipper zipper zipper zipper zipper");
	/* 10 bits a word, the high ones first. */
	memset(digest, 0, sizeof digest);
	digest[1] = 0x40; /* bit 9 */
	assert_int_equal(strncmp(words_of(out, digest), words_list[1], strlen(words_list[1])), 0);
	for (int i = 1; i < 1024; i++)
		assert_true(strcmp(words_list[i - 1], words_list[i]) < 0);
	/* The list never changes: it is part of the fingerprint. */
	AUTO(buf_clear) struct buf all = { 0 };
	char hex[65];
	for (int i = 0; i < 1024; i++)
		wr_printf(&all, "%s\n", words_list[i]);
	sha256_of(all.p, all.len, digest);
	assert_string_equal(hex_encode(hex, digest, 32),
		"4b0167deaa43701296ad4ab41f7f6e910dcfeb9291a3bc292f10d34893c08265");
}

/* --- writing
 * --------------------------------------------------------------------------------------- */

static void fill(struct oem_pkg_input *in, struct oem_pkg_file files[3], struct pk *p,
	const struct minisign_key *key)
{
	pk_default(p);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(manifest_role_parse(&files[i].role, p->files[i].role), 0);
		files[i].path = p->files[i].path;
		files[i].data = p->files[i].data.p;
		files[i].len = p->files[i].data.len;
	}
	*in = (struct oem_pkg_input){
		.manifest = { .package_id = "5a0f3a52-6c1e-4e0e-9d0c-2b7f5d1c9a11",
			.product = "acme-thermostat",
			.release = "1.4.2",
			.sequence = 17,
			.created = 1795186800,
			.not_before = 1795132800,
			.expires = 1893456000,
			.family = "mcxn947",
			.n_revisions = 1,
			.revisions = { "a1" },
			.n_before = 1,
			.before = { MBOOT_LC_BLANK },
			.after = MBOOT_LC_IN_FIELD,
			.rkth_len = 32,
			.n_bauds = 1,
			.bauds = { 115200 },
			.min_runner = "0.1.0",
			.approvals = 2 },
		.files = files,
		.n_files = 3,
		.signer = key,
	};
	assert_int_equal(hex_decode(in->manifest.rkth, 32, PK_RKTH), 0);
}

static void written_and_approved(void **state)
{
	(void)state;
	AUTO(pk_clear) struct pk p;
	AUTO(minisign_key_freep) struct minisign_key *alice = pk_key("alice"), *bob = pk_key("bob");
	AUTO(buf_clear) struct buf one = { 0 }, again = { 0 }, two = { 0 };
	AUTO(pkg_freep) struct pkg *opened = NULL;
	struct trust t = pk_trust(1, "alice", "bob", NULL);
	struct oem_pkg_file files[3];
	struct oem_pkg_input in;
	struct err e = { 0 };
	uint8_t digest[32], same[32];

	fill(&in, files, &p, alice);
	if (oem_pkg_write(&in, &one, digest, &e) != 0)
		fail_msg("%s", e.msg);
	assert_int_equal(oem_pkg_write(&in, &again, same, &e), 0);
	assert_int_equal(one.len, again.len); /* reproducible */
	assert_memory_equal(one.p, again.p, one.len);
	assert_memory_equal(digest, same, 32);

	/* Two approvals are wanted; one is there. */
	assert_int_equal(pkg_open_bytes(&opened, "p", one.p, one.len, &t, NULL, NULL, &e), -1);
	assert_string_equal(e.msg, "p: manifest.json: 1 of 2 approvals (the manifest's threshold)");
	if (oem_pkg_approve("p", one.p, one.len, bob, NULL, &two, &e) != 0)
		fail_msg("%s", e.msg);
	if (pkg_open_bytes(&opened, "p", two.p, two.len, &t, NULL, NULL, &e) != 0)
		fail_msg("%s", e.msg);
	assert_memory_equal(pkg_digest(opened), digest, 32); /* the manifest is untouched */
	assert_int_equal(pkg_signers(opened)->approvals, 2);

	/* Approving twice by the same key changes nothing. */
	buf_clear(&again);
	assert_int_equal(oem_pkg_approve("p", two.p, two.len, bob, NULL, &again, &e), 0);
	assert_int_equal(again.len, two.len);
	assert_memory_equal(again.p, two.p, two.len);
}

static void not_writable(void **state)
{
	(void)state;
	AUTO(pk_clear) struct pk p;
	AUTO(minisign_key_freep) struct minisign_key *alice = pk_key("alice");
	AUTO(buf_clear) struct buf out = { 0 }, plain = { 0 };
	struct oem_pkg_file files[3];
	struct oem_pkg_input in;
	struct err e = { 0 };
	uint8_t digest[32];

	fill(&in, files, &p, alice);
	in.manifest.sequence = 0;
	assert_int_equal(oem_pkg_write(&in, &out, digest, &e), -1);
	assert_string_equal(e.msg, "manifest.json: sequence: 0, 1 to 9007199254740991 wanted");
	assert_int_equal(e.code, ERR_CONFIG);
	in.manifest.sequence = 1;
	files[0].path = "sb/Image.sb3";
	assert_int_equal(oem_pkg_write(&in, &out, digest, &e), -1);
	assert_int_equal(e.code, ERR_CONFIG);
	files[0].path = "sb/provisioning.sb3";
	in.manifest.erase_first = false;
	in.manifest.rkth[0] ^= 1;
	assert_int_equal(oem_pkg_write(&in, &out, digest, &e), -1);
	assert_int_equal(e.code, ERR_REJECTED);
	assert_int_equal(out.len, 0);

	/* Nothing but signatures and provenance can be added. */
	in.manifest.rkth[0] ^= 1;
	assert_int_equal(oem_pkg_write(&in, &out, digest, &e), 0);
	assert_int_equal(oem_pkg_add(out.p, out.len, "docs/x.txt", "x", 1, &plain, &e), -1);
	assert_string_equal(
		e.msg, "docs/x.txt: only signatures and provenance can be added to a package");

	/* Nobody is to approve what a runner would refuse. */
	struct minisign_key *bob = pk_key("bob");
	pk_clear(&p);
	pk_default(&p);
	pk_text(pk_file(&p, "scripts/program.blhost"), "flash-erase-all\nreboot\n");
	pk_build(&p, "alice");
	assert_int_equal(oem_pkg_approve("p", p.out.p, p.out.len, bob, NULL, &plain, &e), -1);
	assert_string_equal(
		e.msg, "p: scripts/program.blhost: line 2 column 1: unknown verb \"reboot\"");
	minisign_key_free(bob);
}

/* A key that has bob's number does not push bob's signature out. */
static void same_number_approves(void **state)
{
	(void)state;
	AUTO(pk_clear) struct pk p;
	AUTO(minisign_key_freep)
	struct minisign_key *fake = pk_key_renumbered("alice", "547f3ea41ecb23a9");
	AUTO(buf_clear) struct buf out = { 0 };
	struct err e = { 0 };

	pk_default(&p);
	pk_build(&p, "bob");
	assert_int_equal(oem_pkg_approve("p", p.out.p, p.out.len, fake, NULL, &out, &e), -1);
	assert_string_equal(e.msg, "signatures/a923cb1ea43e7f54.minisig: already there, and not "
				   "made by this key: two keys with the same number");
	assert_int_equal(out.len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_package),
		cmocka_unit_test(replaced_on_disk),
		cmocka_unit_test(not_readable),
		cmocka_unit_test(station_rules),
		cmocka_unit_test(checks_in_order),
		cmocka_unit_test(every_length),
		cmocka_unit_test(every_bit),
		cmocka_unit_test(every_bit_with_right_crc),
		cmocka_unit_test(examined),
		cmocka_unit_test(six_words),
		cmocka_unit_test(written_and_approved),
		cmocka_unit_test(not_writable),
		cmocka_unit_test(same_number_approves),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

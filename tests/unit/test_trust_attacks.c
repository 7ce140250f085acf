/* What somebody at the factory can do to a trust update or an order, each by name, on the path that
 * the programs take (a file with its signatures beside it), with the exact message and exit code 3.
 * The station trusts alice and bob, one of them is enough unless said otherwise, and has taken
 * trust update 4. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/exit_status.h"
#include "base/fsio.h"
#include "base/json.h"
#include "base/text.h"
#include "evidence_support.h"
#include "pkg/order.h"
#include "pkg/signed_file.h"
#include "pkg_support.h"

static char *path; /* of the document of this test */

/* --- documents ----------------------------------------------------------------------------------
 */
static void write_text(const char *text)
{
	ev_write(path, text, strlen(text));
}

/* Signatures by these keys of what lies at `path` now; "_" before a name: of another text. */
static void sign(const char *first, ...)
{
	AUTO(buf_clear) struct buf text = { 0 };
	va_list ap;

	assert_int_equal(fsio_read(path, 1 << 20, &text, NULL), 0);
	va_start(ap, first);
	for (const char *name = first; name; name = va_arg(ap, const char *)) {
		AUTO(buf_clear) struct buf sig = { 0 };
		AUTO(minisign_key_freep)
		struct minisign_key *key = pk_key(*name == '_' ? name + 1 : name);
		size_t len = *name == '_' ? text.len - 1 : text.len;
		char id[17];
		assert_int_equal(minisign_key_sign(key, text.p, len, "t", &sig, NULL), 0);
		ev_write(ev_path("%s.%s.minisig", path_basename(path),
				 minisign_id_hex(id, minisign_key_pub(key)->id)),
			sig.p, sig.len);
	}
	va_end(ap);
}

static void edit(const char *from, const char *to)
{
	AUTO(buf_clear) struct buf text = { 0 }, out = { 0 };

	assert_int_equal(fsio_read(path, 1 << 20, &text, NULL), 0);
	const char *at = strstr(buf_text(&text), from);
	assert_non_null(at);
	wr_printf(&out, "%.*s%s%s", (int)(at - buf_text(&text)), buf_text(&text), to,
		at + strlen(from));
	ev_write(path, out.p, out.len);
}

/* The update of the tests: version 5, bob and carol, both needed. */
static void update(void)
{
	struct trust next = pk_trust(2, "bob", "carol", NULL);
	AUTO(buf_clear) struct buf b = { 0 };

	next.version = 5;
	AUTO(json_freep) json_t *j = trust_update_to_json(&next, 1800000000);
	assert_int_equal(json_line(j, &b, NULL), 0);
	wr_u8(&b, '\n');
	ev_write(path, b.p, b.len);
}

/* Inside 2026-11-21 .. 2026-12-31, for two devices at line3. */
static void order(void)
{
	AUTO(buf_clear) struct buf b = ev_file("example-log/order.json");

	ev_write(path, b.p, b.len);
}

/* --- trust updates ------------------------------------------------------------------------------
 */
static void u_unsigned(void)
{
	update();
}

static void u_stranger(void)
{
	update();
	sign("carol", NULL);
}

static void u_few_old(void)
{
	update();
	sign("bob", "carol", NULL);
}

static void u_few_new(void)
{
	update();
	sign("alice", "carol", NULL);
}

static void u_good(void)
{
	update();
	sign("bob", "carol", NULL);
}

static void u_threshold_edited(void)
{
	u_good();
	edit("\"threshold\":2", "\"threshold\":1");
}

static void u_version_edited(void)
{
	u_good();
	edit("\"version\":5", "\"version\":6");
}

static void u_other_signature(void)
{
	update();
	sign("_bob", "carol", NULL);
}

static void u_twice(void)
{
	AUTO(buf_clear) struct buf sig = { 0 };

	update();
	sign("bob", NULL);
	assert_int_equal(fsio_read(ev_path("%s.a923cb1ea43e7f54.minisig", path_basename(path)),
				 4096, &sig, NULL),
		0);
	ev_write(ev_path("%s.minisig", path_basename(path)), sig.p, sig.len);
}

static void u_signed_text(const char *text)
{
	write_text(text);
	sign("bob", "alice", NULL);
}

static void u_edited_before(const char *from, const char *to)
{
	update();
	edit(from, to);
	sign("bob", "carol", NULL);
}

static void u_locked_out(void)
{
	u_edited_before("\"threshold\":2", "\"threshold\":3");
}

static void u_huge_version(void)
{
	u_edited_before("\"version\":5", "\"version\":9007199254740992");
}

static void u_wrapping_version(void)
{
	u_edited_before("\"version\":5", "\"version\":18446744073709551621");
}

static void u_unknown_member(void)
{
	u_edited_before("\"version\":5", "\"critical\":1,\"version\":5");
}

static void u_duplicate_member(void)
{
	u_edited_before("\"version\":5", "\"version\":5,\"version\":6");
}

static void u_no_keys(void)
{
	u_signed_text("{\"type\":\"mfgpkg-trust-update\",\"format\":1,\"version\":5,\"created\":"
		      "\"2027-01-15T08:00:00Z\",\"threshold\":1,\"keys\":[]}\n");
}

static void u_host_path(void)
{
	u_signed_text("{\"type\":\"mfgpkg-trust-update\",\"format\":1,\"version\":5,\"created\":"
		      "\"2027-01-15T08:00:00Z\",\"threshold\":1,\"keys\":[\"/etc/passwd\"]}\n");
}

static void u_is_order(void)
{
	order();
	sign("alice", "bob", NULL);
}

/* --- orders -------------------------------------------------------------------------------------
 */
static void o_unsigned(void)
{
	order();
}

static void o_good(void)
{
	order();
	sign("alice", NULL);
}

static void o_stranger(void)
{
	order();
	sign("carol", NULL);
}

static void o_quantity_edited(void)
{
	o_good();
	edit("\"quantity\":2", "\"quantity\":9");
}

static void o_other_signature(void)
{
	order();
	sign("_alice", NULL);
}

static void o_edited_before(const char *from, const char *to)
{
	order();
	edit(from, to);
	sign("alice", NULL);
}

static void o_none(void)
{
	o_edited_before("\"quantity\":2", "\"quantity\":0");
}

static void o_wraps(void)
{
	o_edited_before("\"quantity\":2", "\"quantity\":4294967298");
}

static void o_path(void)
{
	o_edited_before("\"order\":\"2026-0042\"", "\"order\":\"../../2026\"");
}

static void o_unknown_member(void)
{
	o_edited_before("\"quantity\":2", "\"priority\":1,\"quantity\":2");
}

static void o_duplicate_member(void)
{
	o_edited_before("\"quantity\":2", "\"quantity\":2,\"quantity\":9");
}

static void o_two_lines(void)
{
	o_edited_before("\"quantity\":2", "\n\"quantity\":2");
}

static void o_is_update(void)
{
	u_good();
}

static void o_window_turned(void)
{
	o_edited_before(
		"\"not_after\":\"2026-12-31T23:59:59Z\"", "\"not_after\":\"2026-01-01T00:00:00Z\"");
}

/* --- table --------------------------------------------------------------------------------------
 */
static const struct attack {
	const char *name;
	void (*make)(void);
	const char *message; /* behind "PATH: " or, for one of its signatures, "PATH" */
	unsigned threshold; /* 0: one */
	int64_t version; /* 0: 4 */
	bool order;
	int64_t now; /* orders; 0: in the window */
	const char *station; /* orders; NULL: the one it names */
} attacks[] = {
	{ .name = "trust update not signed",
		.make = u_unsigned,
		.message = "keys trusted now: not signed" },
	{ .name = "trust update by a stranger",
		.make = u_stranger,
		.message = "keys trusted now: signed by the unknown key 49a127988b50581e only" },
	{ .name = "trust update with too few old signatures",
		.make = u_few_old,
		.message = "keys trusted now: 1 of 2 approvals (the trusted keys' threshold)",
		.threshold = 2 },
	{ .name = "trust update with too few new signatures",
		.make = u_few_new,
		.message = "keys of the update: 1 of 2 approvals (the trusted keys' threshold)" },
	{ .name = "trust update signed twice by one key",
		.make = u_twice,
		.message = "keys trusted now: 1 of 2 approvals (the trusted keys' threshold)",
		.threshold = 2 },
	{ .name = "trust update replayed",
		.make = u_good,
		.message = "version 5, but 5 was taken already: replayed or out of order",
		.version = 5 },
	{ .name = "trust update older than the last",
		.make = u_good,
		.message = "version 5, but 9 was taken already: replayed or out of order",
		.version = 9 },
	{ .name = "trust update with lowered threshold",
		.make = u_threshold_edited,
		.message = ".a923cb1ea43e7f54.minisig: signature by key a923cb1ea43e7f54 does not "
			   "verify" },
	{ .name = "trust update with raised version",
		.make = u_version_edited,
		.message = ".a923cb1ea43e7f54.minisig: signature by key a923cb1ea43e7f54 does not "
			   "verify" },
	{ .name = "trust update with signature of another file",
		.make = u_other_signature,
		.message = ".a923cb1ea43e7f54.minisig: signature by key a923cb1ea43e7f54 does not "
			   "verify" },
	{ .name = "trust update that locks out",
		.make = u_locked_out,
		.message = "threshold: 3, but there are only 2 keys" },
	{ .name = "trust update without keys",
		.make = u_no_keys,
		.message = "keys: 0 items, 1 to 32 wanted" },
	{ .name = "trust update with a host path",
		.make = u_host_path,
		.message = "keys[0]: 11 characters, a public key of 56 characters wanted" },
	{ .name = "trust update with version 2^53",
		.make = u_huge_version,
		.message = "number 9007199254740992 is beyond 2^53-1" },
	{ .name = "trust update with version above 2^64",
		.make = u_wrapping_version,
		.message = "line 1 column 71: too big integer near '18446744073709551621'" },
	{ .name = "trust update with unknown member",
		.make = u_unknown_member,
		.message = "unknown member \"critical\"" },
	{ .name = "trust update with a member twice",
		.make = u_duplicate_member,
		.message = "line 1 column 62: duplicate object key near '\\x22version\\x22'" },
	{ .name = "order as trust update",
		.make = u_is_order,
		.message = "unknown member \"order\"" },
	{ .name = "order not signed", .make = o_unsigned, .message = "not signed", .order = true },
	{ .name = "order by a stranger",
		.make = o_stranger,
		.message = "signed by the unknown key 49a127988b50581e only",
		.order = true },
	{ .name = "order with too few approvals",
		.make = o_good,
		.message = "1 of 2 approvals (the trusted keys' threshold)",
		.order = true,
		.threshold = 2 },
	{ .name = "order with raised quantity",
		.make = o_quantity_edited,
		.message = ".23962033fae784cc.minisig: signature by key 23962033fae784cc does not "
			   "verify",
		.order = true },
	{ .name = "order with signature of another file",
		.make = o_other_signature,
		.message = ".23962033fae784cc.minisig: signature by key 23962033fae784cc does not "
			   "verify",
		.order = true },
	{ .name = "order for another station",
		.make = o_good,
		.message = "order 2026-0042 is for station line3.plant4.example "
			   "(line3.plant4.example+cfb98403+AdJY2HgJ3j8sTyNBkbRbqonEha+"
			   "SLknWg7vLRPC02+cZ), this station's key is line4+00000000+AA==",
		.order = true,
		.station = "line4+00000000+AA==" },
	{ .name = "order not begun",
		.make = o_good,
		.message = "order 2026-0042 begins at 2026-11-21T00:00:00Z, now is "
			   "2026-11-20T23:59:59Z",
		.order = true,
		.now = 1795219199 },
	{ .name = "order expired",
		.make = o_good,
		.message = "order 2026-0042 ended at 2026-12-31T23:59:59Z, now is "
			   "2027-01-01T00:00:00Z",
		.order = true,
		.now = 1798761600 },
	{ .name = "order never valid",
		.make = o_window_turned,
		.message = "not_after: before not_before: never valid",
		.order = true },
	{ .name = "order for nothing",
		.make = o_none,
		.message = "quantity: 0, 1 to 10000000 wanted",
		.order = true },
	{ .name = "order for 2^32 and two",
		.make = o_wraps,
		.message = "quantity: 4294967298, 1 to 10000000 wanted",
		.order = true },
	{ .name = "order with a path as id",
		.make = o_path,
		.message = "order: \"../../2026\": unexpected character",
		.order = true },
	{ .name = "order with unknown member",
		.make = o_unknown_member,
		.message = "unknown member \"priority\"",
		.order = true },
	{ .name = "order with a member twice",
		.make = o_duplicate_member,
		.message = "line 1 column 331: duplicate object key near '\\x22quantity\\x22'",
		.order = true },
	{ .name = "order on two lines",
		.make = o_two_lines,
		.message = "not in one-line form (blanks, line breaks or escapes too many)",
		.order = true },
	{ .name = "trust update as order",
		.make = o_is_update,
		.message = "type: \"mfgpkg-trust-update\", \"mfgpkg-order\" wanted",
		.order = true },
};
enum { N_ATTACKS = sizeof attacks / sizeof *attacks };

static int take_update(const struct attack *a, const struct trust *now, struct err *e)
{
	AUTO(signed_file_clear) struct signed_file f = { 0 };
	struct trust next = { .n = 7 };

	(void)a;
	if (signed_file_read(&f, path, TRUST_MAX_SIZE, e) != 0)
		return -1;
	int r = trust_update_apply(now, path, f.text.p, f.text.len, f.sigs, f.n, &next, e);
	if (r != 0)
		assert_int_equal(next.n, 7); /* nothing taken */
	return r;
}

static int take_order(const struct attack *a, const struct trust *now, struct err *e)
{
	AUTO(order_freep) struct signed_order *o = NULL;

	if (order_open(&o, path, now, NULL, e) != 0) {
		assert_null(o);
		return -1;
	}
	struct order_expect x = { .now = a->now ? a->now : order_of(o)->not_before,
		.station_key = a->station ? a->station : order_of(o)->station_key };
	return order_check(o, &x, e);
}

static void attack(void **state)
{
	const struct attack *a = *state;
	static unsigned number;
	struct trust now = pk_trust(a->threshold ? a->threshold : 1, "alice", "bob", NULL);
	struct err e = { 0 };

	path = ev_path("d%u", number++);
	now.version = a->version ? a->version : 4;
	a->make();
	if ((a->order ? take_order : take_update)(a, &now, &e) == 0)
		fail_msg("accepted, \"%s\" wanted", a->message);
	/* A message about the document begins with its path; one about the station does not. */
	const char *seen = e.msg;
	if (strncmp(seen, path, strlen(path)) == 0)
		seen += strlen(path) + (seen[strlen(path)] == ':' ? 2 : 0);
	if (strcmp(seen, a->message) != 0)
		fail_msg("\"%s\", wanted \"%s\"", seen, a->message);
	assert_int_equal(exit_status_of(e.code), EXIT_REJECTED);
}

int main(void)
{
	static struct CMUnitTest tests[N_ATTACKS];

	for (size_t i = 0; i < N_ATTACKS; i++)
		tests[i] = (struct CMUnitTest){ .name = attacks[i].name,
			.test_func = attack,
			.initial_state = (void *)(uintptr_t)&attacks[i] };
	return _cmocka_run_group_tests("trust", tests, N_ATTACKS, NULL, NULL);
}

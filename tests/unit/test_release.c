/* The release reader: a good release, and a family of broken ones with their exact messages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fsio.h"
#include "mfgpkg/create/release.h"

static const char good[] = "product: acme-thermostat\n"
			   "release: 1.4.2\n"
			   "sequence: 17\n"
			   "family: mcxn947\n"
			   "revisions: [a1]\n"
			   "lifecycle:\n"
			   "  before: [blank, develop]\n"
			   "  after: in-field\n"
			   "validity:\n"
			   "  days: 30\n"
			   "interface:\n"
			   "  baud: [921600, 115200]\n"
			   "policy:\n"
			   "  approvals: 2\n"
			   "  requires_order: true\n"
			   "  erase_first: no\n"
			   "mbi: step.yaml\n"
			   "cmpa: step.yaml\n"
			   "cfpa: step.yaml\n"
			   "sb31: step.yaml\n"
			   "devhsm: step.yaml\n"
			   "script: program.blhost\n"
			   "docs: [manual.txt]\n"
			   "package_key: package.key\n"
			   "workspace: {oem: acme.example, name: thermostat}\n";

static char warnings[2048];

static void keep_warning(void *ctx, const char *text)
{
	(void)ctx;
	strncat(warnings, text, sizeof warnings - strlen(warnings) - 2);
	strcat(warnings, "\n");
}

static char *old_dir;
static char dir[] = "/tmp/test-release.XXXXXX";

static int enter(void **state)
{
	static const char *const files[] = { "step.yaml", "program.blhost", "manual.txt",
		"package.key", "Manual.txt" };
	struct err e;

	(void)state;
	old_dir = getcwd(NULL, 0);
	if (!mkdtemp(dir) || chdir(dir) != 0)
		return -1;
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
		if (fsio_write(files[i], "x: 1\n", 5, 0600, &e) != 0)
			return -1;
	return 0;
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

static int load(const char *text, struct release *r, struct err *e)
{
	err_clear(e);
	warnings[0] = '\0';
	assert_int_equal(fsio_write("release.yaml", text, strlen(text), 0600, e), 0);
	return release_load(r, "release.yaml", keep_warning, NULL, e);
}

/* edited - `good` with the first `from` replaced; caller frees. */
static char *edited(const char *from, const char *to)
{
	const char *at = strstr(good, from);
	char *out = malloc(sizeof good + strlen(to) + 1);

	assert_non_null(at);
	assert_non_null(out);
	sprintf(out, "%.*s%s%s", (int)(at - good), good, to, at + strlen(from));
	return out;
}

static void test_good(void **state)
{
	struct release r;
	struct err e;

	(void)state;
	if (load(good, &r, &e) != 0)
		fail_msg("%s", e.msg);
	assert_string_equal(warnings, "");
	assert_string_equal(r.manifest.product, "acme-thermostat");
	assert_string_equal(r.manifest.release, "1.4.2");
	assert_int_equal(r.manifest.sequence, 17);
	assert_string_equal(r.manifest.family, "mcxn947");
	assert_int_equal(r.manifest.n_revisions, 1);
	assert_string_equal(r.manifest.revisions[0], "a1");
	assert_int_equal(r.manifest.n_before, 2);
	assert_int_equal(r.manifest.before[1], MBOOT_LC_DEVELOP);
	assert_int_equal(r.manifest.after, MBOOT_LC_IN_FIELD);
	assert_int_equal(r.manifest.n_bauds, 2);
	assert_int_equal(r.manifest.bauds[0], 921600);
	assert_int_equal(r.manifest.approvals, 2);
	assert_true(r.manifest.requires_order);
	assert_false(r.manifest.erase_first);
	assert_false(r.manifest.require_attestation);
	assert_string_equal(r.manifest.script, "scripts/program.blhost");
	assert_string_equal(r.manifest.min_runner, RELEASE_MIN_RUNNER);
	assert_int_equal(r.days, 30);
	assert_false(r.has_not_before);
	assert_int_equal(r.n_files, 1);
	assert_string_equal(r.files[0].name, "docs/manual.txt");
	assert_int_equal(r.files[0].role, ROLE_DOCUMENT);
	assert_string_equal(r.oem, "acme.example");
	assert_string_equal(r.workspace, "thermostat");
	assert_string_equal(r.dir, ".");
	assert_non_null(r.mbi);
	assert_null(r.provisioning_sb);
	release_clear(&r);
}

/* What may be left out, and what it is then. */
static void test_defaults(void **state)
{
	struct release r;
	struct err e;

	(void)state;
	if (load("product: p\nrelease: \"2\"\nsequence: 0x10\nfamily: MCXN94x\nrevisions: latest\n"
		 "lifecycle: {before: in-field, after: in-field}\n"
		 "sb31: step.yaml\nscript: program.blhost\npackage_key: package.key\n",
		    &r, &e) != 0)
		fail_msg("%s", e.msg);
	assert_int_equal(r.manifest.sequence, 16);
	assert_string_equal(r.manifest.family, "mcxn947");
	assert_string_equal(r.manifest.revisions[0], "a1");
	assert_int_equal(r.manifest.approvals, 1);
	assert_true(r.manifest.requires_order);
	assert_true(r.manifest.erase_first);
	assert_int_equal(r.manifest.n_bauds, 2);
	assert_int_equal(r.days, RELEASE_DEFAULT_DAYS);
	assert_null(r.mbi);
	assert_null(r.devhsm);
	assert_null(r.oem);
	release_clear(&r);
}

static const struct {
	const char *name, *from, *to, *message;
} broken[] = {
	{ "not a map", "product: acme-thermostat\n", "- a\n- b\n#",
		"release.yaml:4:1: not valid YAML: did not find expected '-' indicator, while "
		"parsing a block collection" },
	{ "no product", "product: acme-thermostat\n", "",
		"release.yaml:1:1: missing key `product`" },
	{ "product empty", "acme-thermostat", "\"\"",
		"release.yaml:1:10: key `product`: is '': wanted 1..64 characters a-z 0-9 . _ -" },
	{ "product in capitals", "acme-thermostat", "ACME",
		"release.yaml:1:10: key `product`: is 'ACME': wanted 1..64 characters a-z 0-9 . _ "
		"-" },
	{ "product too long", "acme-thermostat",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		"release.yaml:1:10: key `product`: is "
		"'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa': wanted 1..64 "
		"characters a-z 0-9 . _ -" },
	{ "product a list", "acme-thermostat", "[a, b]",
		"release.yaml:1:10: key `product`: this is a list, text is wanted" },
	{ "release missing", "release: 1.4.2\n", "", "release.yaml:1:1: missing key `release`" },
	{ "sequence missing", "sequence: 17\n", "", "release.yaml:1:1: missing key `sequence`" },
	{ "sequence zero", "sequence: 17", "sequence: 0",
		"release.yaml:3:11: key `sequence`: is 0: wanted 1 or more, higher with every "
		"release" },
	{ "sequence negative", "sequence: 17", "sequence: -1",
		"release.yaml:3:11: key `sequence`: \"-1\": negative numbers are not allowed" },
	{ "sequence text", "sequence: 17", "sequence: next",
		"release.yaml:3:11: key `sequence`: \"next\" is not a number (0x.., 0b.., 0o.. or "
		"decimal)" },
	{ "sequence beyond JSON", "sequence: 17", "sequence: 9007199254740992",
		"release.yaml:3:11: key `sequence`: 9007199254740992 is too large, at most "
		"0x1FFFFFFFFFFFFF" },
	{ "family unknown", "mcxn947", "mcxn948",
		"release.yaml:4:9: key `family`: is 'mcxn948': wanted one of mcxn947, mcxn946, "
		"mcxn547, mcxn546" },
	{ "revisions empty", "[a1]", "[]",
		"release.yaml:5:12: key `revisions`: has 0 items: wanted 1..8 revisions" },
	{ "revision unknown", "[a1]", "[b0]",
		"release.yaml:5:13: key `revisions[0]`: is 'b0': not a silicon revision of "
		"mcxn947" },
	{ "revision twice", "[a1]", "[a1, latest]",
		"release.yaml:5:17: key `revisions[1]`: 'latest' is listed twice" },
	{ "lifecycle missing", "lifecycle:\n  before: [blank, develop]\n  after: in-field\n", "",
		"release.yaml:1:1: missing key `lifecycle`" },
	{ "lifecycle not a map", "lifecycle:\n  before: [blank, develop]\n  after: in-field\n",
		"lifecycle: in-field\n",
		"release.yaml:6:12: key `lifecycle`: is text: wanted a map" },
	{ "life cycle unknown", "[blank, develop]", "[new]",
		"release.yaml:7:12: key `lifecycle.before[0]`: is 'new': wanted one of blank, "
		"develop, develop2, in-field, in-field-locked, field-return-oem, failure-analysis, "
		"bricked" },
	{ "life cycle twice", "[blank, develop]", "[blank, blank]",
		"release.yaml:7:19: key `lifecycle.before[1]`: 'blank' is listed twice" },
	{ "no life cycle before", "[blank, develop]", "[]",
		"release.yaml:7:11: key `lifecycle.before`: has 0 items: wanted 1..8 life cycles" },
	{ "life cycle after missing", "  after: in-field\n", "",
		"release.yaml:7:3: key `lifecycle`: missing key `after`" },
	{ "life cycle going back", "after: in-field", "after: blank",
		"release.yaml:8:10: key `lifecycle.after`: is 'blank', but devices may come in as "
		"'develop': there is no way back" },
	{ "validity of no days", "days: 30", "days: 0",
		"release.yaml:10:9: key `validity.days`: is 0: wanted 1..7300" },
	{ "validity of too many days", "days: 30", "days: 7301",
		"release.yaml:10:9: key `validity.days`: is 7301: wanted 1..7300" },
	{ "validity by two rules", "days: 30", "{expires: \"2027-01-01T00:00:00Z\", days: 3}",
		"release.yaml:10:13: key `validity.expires`: and `days` are both given: wanted one "
		"of them" },
	{ "expires no time", "days: 30", "expires: tomorrow",
		"release.yaml:10:12: key `validity.expires`: is 'tomorrow': wanted a time in UTC, "
		"such as 2026-11-20T15:00:00Z" },
	{ "expires in local time", "days: 30", "expires: 2027-01-01 00:00:00",
		"release.yaml:10:12: key `validity.expires`: is '2027-01-01 00:00:00': wanted a "
		"time in UTC, such as 2026-11-20T15:00:00Z" },
	{ "expires before it begins", "  days: 30",
		"  not_before: 2027-01-01T00:00:00Z\n  expires: 2027-01-01T00:00:00Z",
		"release.yaml:11:12: key `validity.expires`: is not after not_before" },
	{ "baud empty", "[921600, 115200]", "[]",
		"release.yaml:12:9: key `interface.baud`: has 0 items: wanted 1..16 line rates" },
	{ "baud too low", "[921600, 115200]", "[300]",
		"release.yaml:12:10: key `interface.baud[0]`: is 300: wanted 1200..12000000" },
	{ "baud too high", "[921600, 115200]", "[100000000]",
		"release.yaml:12:10: key `interface.baud[0]`: is 100000000: wanted "
		"1200..12000000" },
	{ "baud twice", "[921600, 115200]", "[115200, 115200]",
		"release.yaml:12:18: key `interface.baud[1]`: 115200 is listed twice" },
	{ "approvals zero", "approvals: 2", "approvals: 0",
		"release.yaml:14:14: key `policy.approvals`: is 0: wanted 1..16" },
	{ "approvals too many", "approvals: 2", "approvals: 17",
		"release.yaml:14:14: key `policy.approvals`: is 17: wanted 1..16" },
	{ "policy not boolean", "requires_order: true", "requires_order: maybe",
		"release.yaml:15:19: key `policy.requires_order`: this is text, true or false is "
		"wanted" },
	{ "policy not a map",
		"policy:\n  approvals: 2\n  requires_order: true\n  erase_first: no\n",
		"policy: strict\n",
		"release.yaml:13:9: key `policy`: is text: wanted a map with approvals, "
		"requires_order, erase_first, require_attestation" },
	{ "min_runner no version", "mbi: step.yaml", "min_runner: new",
		"release.yaml:17:13: key `min_runner`: is 'new': wanted a version such as 1.0.0" },
	{ "mbi missing on disk", "mbi: step.yaml", "mbi: none.yaml",
		"release.yaml:17:6: key `mbi`: file \"none.yaml\" not found (looked in ., beside "
		"the parent configuration and in the current directory)" },
	{ "sb31 missing", "sb31: step.yaml\n", "", "release.yaml:1:1: missing key `sb31`" },
	{ "cmpa missing", "cmpa: step.yaml\n", "", "release.yaml:1:1: missing key `cmpa`" },
	{ "cfpa missing", "cfpa: step.yaml\n", "", "release.yaml:1:1: missing key `cfpa`" },
	{ "page without devhsm", "devhsm: step.yaml\n", "",
		"release.yaml:18:7: key `cmpa`: without `devhsm`: a page gets into devices only "
		"through the provisioning SB3.1 that is made here" },
	{ "provisioning twice", "mbi: step.yaml", "provisioning_sb: step.yaml",
		"release.yaml:17:18: key `provisioning_sb`: and `devhsm` are both given: the "
		"provisioning SB3.1 is either made on a device or ready" },
	{ "script missing", "script: program.blhost\n", "",
		"release.yaml:1:1: missing key `script`" },
	{ "doc name", "[manual.txt]", "[Manual.txt]",
		"release.yaml:23:8: key `docs[0]`: 'Manual.txt' cannot be a name in a package: "
		"wanted a-z 0-9 . _ - (rename the file)" },
	{ "doc twice", "[manual.txt]", "[manual.txt, manual.txt]",
		"release.yaml:23:20: key `docs[1]`: 'docs/manual.txt' is listed twice" },
	{ "package key missing", "package_key: package.key\n", "",
		"release.yaml:1:1: missing key `package_key`" },
	{ "package key in a token", "package_key: package.key", "package_key: \"pkcs11:token=x\"",
		"release.yaml:24:14: key `package_key`: is a token: package keys are minisign "
		"secret key files (Ed25519)" },
	{ "workspace without name", "{oem: acme.example, name: thermostat}", "{oem: acme.example}",
		"release.yaml:25:12: key `workspace`: missing key `name`" },
	{ "workspace not a map", "{oem: acme.example, name: thermostat}", "acme",
		"release.yaml:25:12: key `workspace`: is text: wanted a map with oem and name" },
	{ "key twice", "mbi: step.yaml", "sequence: 18",
		"release.yaml:17:1: key `sequence` given twice (first in line 3)" },
};

static void test_broken(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
		char *text = edited(broken[i].from, broken[i].to);
		struct release r;
		struct err e;

		if (load(text, &r, &e) == 0)
			fail_msg("%s: was accepted", broken[i].name);
		if (strcmp(e.msg, broken[i].message) != 0)
			fail_msg("%s:\n  seen   %s\n  wanted %s", broken[i].name, e.msg,
				broken[i].message);
		assert_int_equal(e.code, ERR_CONFIG);
		release_clear(&r);
		free(text);
	}
}

static void test_unknown_keys(void **state)
{
	char *text = edited("approvals: 2", "aprovals: 2");
	struct release r;
	struct err e;

	(void)state;
	if (load(text, &r, &e) != 0)
		fail_msg("%s", e.msg);
	assert_non_null(strstr(warnings, "aprovals"));
	assert_non_null(strstr(warnings, "approvals"));
	release_clear(&r);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_broken),
		cmocka_unit_test(test_unknown_keys),
	};

	return cmocka_run_group_tests(tests, enter, leave);
}

/* mfgpkg verify - all checks of a package that need no device, as the factory's runner does them.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/exit_status.h"
#include "base/json.h"
#include "base/text.h"
#include "keyed/passphrase.h"
#include "mfgpkg/commands.h"
#include "mfgpkg/secret_scan.h"
#include "mfgpkg/trust_options.h"
#include "pkg/pkg.h"
#include "pkg/words.h"

static const struct cli_option options[] = {
	TRUST_OPTIONS,
	{ "secrets", 0, CLI_STRING, "DIR", "refuse a package that holds a secret of this folder",
		false },
	{ "log-key", 0, CLI_STRING, "VKEY",
		"verifier key of the OEM's workspace log: check the provenance", false },
	{ "family", 0, CLI_STRING, "NAME", "the package must be made for this family", false },
	{ "sequence", 0, CLI_NUMBER, "N", "lowest sequence number accepted", false },
	{ "at", 0, CLI_STRING, "TIME", "judge the validity window at 2026-11-20T15:00:00Z", false },
	PASSPHRASE_OPTIONS,
	{ 0 },
};

static int scan(const struct pkg *p, const struct cli *c, struct err *e)
{
	AUTO(oem_scan_freep) struct oem_scan *s = NULL;
	AUTO(passphrase_source_clear) struct passphrase_source pass = { 0 };
	const char *dir = cli_string(c, "secrets", NULL);

	if (oem_scan_new(&s, e) != 0)
		return -1;
	if (dir && (passphrase_source_from_cli(&pass, c, e) != 0 ||
			   oem_scan_add_folder(s, dir, &pass, e) != 0))
		return -1;
	return oem_scan_package(s, pkg_container(p), e);
}

static void print_good(const char *path, const struct pkg *p)
{
	const struct manifest *m = pkg_manifest(p);
	const struct signers *s = pkg_signers(p);
	char hex[65], words[WORDS_CAP], expires[TIME_S_LEN + 1];

	printf("%s: accepted\n", path);
	printf("  product   %s %s, sequence %lld, %s\n", m->product, m->release,
		(long long)m->sequence, m->family);
	printf("  valid     until %s\n", time_format_s(expires, (time_t)m->expires));
	printf("  package   %s\n", hex_encode(hex, pkg_digest(p), 32));
	printf("  words     %s\n", words_of(words, pkg_digest(p)));
	printf("  approvals %u (%u wanted)\n", s->approvals, m->approvals);
	for (size_t i = 0; i < s->n; i++)
		printf("    %s %s\n", s->list[i].id,
			s->list[i].counts    ? s->list[i].comment
			: s->list[i].trusted ? "(the same key again: does not count)"
					     : "(unknown key: does not count)");
}

static int run(const struct cli *c, struct err *e)
{
	const char *path = c->operands.v[0], *at = cli_string(c, "at", NULL);
	AUTO(pkg_freep) struct pkg *p = NULL;
	AUTO(json_freep) json_t *report = NULL;
	struct trust t;
	time_t now = time(NULL);

	if (oem_trust_from_cli(&t, c, true, e) != 0)
		return -1;
	if (at && time_parse_s(at, &now) != 0)
		return cli_usage(
			e, c, "--at: \"%s\", a time like 2026-11-20T15:00:00Z wanted", ESC(at));
	const struct pkg_expect x = {
		.now = now,
		.verify_sb = true,
		.family = cli_string(c, "family", NULL),
		.sequence_floor = (int64_t)cli_number(c, "sequence", 0),
		.log_vkey = cli_string(c, "log-key", NULL),
	};
	int r = pkg_open(&p, path, &t, &x, NULL, e);
	if (r == 0 && scan(p, c, e) != 0)
		r = err_wrap(e, "%s", path);
	if (!c->json) {
		if (r == 0)
			print_good(path, p);
		return r;
	}

	struct err own = { 0 };
	if (pkg_examine(&report, path, &t, &x, &own) != 0)
		report = json_pack("{ss ss s[{ss ss}]}", "file", path, "verdict", "refused",
			"problems", "check", "container", "message", own.msg);
	if (r != 0 && json_array_size(json_object_get(report, "problems")) == 0)
		json_array_append_new(json_object_get(report, "problems"),
			json_pack("{ss ss}", "check", "secrets", "message", e->msg));
	json_object_set_new(report, "verdict", json_string(r == 0 ? "accepted" : "refused"));
	if (json_print(report, &own) != 0 && r == 0) {
		*e = own;
		return -1;
	}
	return r;
}

const struct cli_command oem_cmd_verify = {
	.name = "verify",
	.operands = "PKG",
	.min_operands = 1,
	.max_operands = 1,
	.summary = "check a package as the factory does",
	.options = options,
	.run = run,
};

/* mfgpkg inspect - show everything in a package, believed or not. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/exit_status.h"
#include "base/json.h"
#include "base/text.h"
#include "mfgpkg/commands.h"
#include "mfgpkg/trust_options.h"
#include "pkg/pkg.h"

static const struct cli_option options[] = {
	TRUST_OPTIONS,
	{ 0 },
};

#define RED   "\033[1;31m"
#define GREEN "\033[32m"
#define BOLD  "\033[1m"
#define PLAIN "\033[0m"

static bool colour;

static const char *on(const char *code)
{
	return colour ? code : "";
}

static const char *str(const json_t *j, const char *key)
{
	const char *s = json_string_value(json_object_get(j, key));

	return s ? s : "";
}

static long long num(const json_t *j, const char *key)
{
	return (long long)json_integer_value(json_object_get(j, key));
}

static bool yes(const json_t *j, const char *key)
{
	return json_is_true(json_object_get(j, key));
}

/* "a, b, c" of a list of texts or numbers; list[cap] */
static const char *joined(const json_t *items, char *list, size_t cap)
{
	size_t i, n = 0;
	json_t *v;

	list[0] = 0;
	json_array_foreach(items, i, v)
	{
		const char *comma = i ? ", " : "";
		int k = json_is_string(v)
				? snprintf(list + n, cap - n, "%s%s", comma, json_string_value(v))
				: snprintf(list + n, cap - n, "%s%lld", comma,
					  (long long)json_integer_value(v));
		if (k < 0 || (size_t)k >= cap - n)
			break;
		n += (size_t)k;
	}
	return list;
}

static void print_manifest(const json_t *m)
{
	const json_t *lc = json_object_get(m, "lifecycle"), *policy = json_object_get(m, "policy");
	const json_t *face = json_object_get(m, "interface");
	char list[256];

	printf("%sproduct%s     %s %s, sequence %lld\n", on(BOLD), on(PLAIN), str(m, "product"),
		str(m, "release"), num(m, "sequence"));
	printf("  id        %s, made %s\n", str(m, "package_id"), str(m, "created"));
	printf("  valid     %s until %s\n", str(m, "not_before"), str(m, "expires"));
	printf("  devices   %s, revisions %s\n", str(m, "family"),
		joined(json_object_get(m, "revisions"), list, sizeof list));
	printf("  lifecycle from %s", joined(json_object_get(lc, "before"), list, sizeof list));
	printf(" to %s\n", str(lc, "after"));
	printf("  RKTH      %s\n", str(m, "rkth"));
	printf("  baud      %s\n", joined(json_object_get(face, "baud"), list, sizeof list));
	printf("  policy    %lld approval(s), %s, %s, %s, runner %s or newer\n",
		num(policy, "approvals"),
		yes(policy, "requires_order") ? "only under an order" : "no order needed",
		yes(policy, "erase_first") ? "erase first" : "no erase needed",
		yes(policy, "require_attestation") ? "attestation required"
						   : "attestation not required",
		str(m, "min_runner"));
}

static void print_signers(const json_t *report)
{
	const json_t *list = json_object_get(report, "signers");
	json_t *s;
	size_t i;

	printf("%ssigners%s\n", on(BOLD), on(PLAIN));
	if (json_array_size(list) == 0)
		puts("  none");
	json_array_foreach(list, i, s)
	{
		bool trusted = yes(s, "trusted");
		printf("  %s  %s%s%s  %s\n", str(s, "id"), on(trusted ? GREEN : RED),
			yes(s, "counts") ? "trusted"
			: trusted	 ? "trusted, counted already"
					 : "not trusted",
			on(PLAIN), trusted ? str(s, "comment") : "");
	}
}

static void print_entries(const json_t *report)
{
	json_t *x;
	size_t i;

	printf("%sfiles%s\n", on(BOLD), on(PLAIN));
	json_array_foreach(json_object_get(report, "entries"), i, x)
		printf("  %-36s %9lld  %-15s %.16s...\n", str(x, "path"), num(x, "size"),
			*str(x, "role") ? str(x, "role") : "-", str(x, "sha256"));
}

static void print_sb(const json_t *report)
{
	json_t *sb;
	size_t i;

	json_array_foreach(json_object_get(report, "sb31"), i, sb)
	{
		const char *key;
		json_t *v;
		printf("%sSB3.1 %s%s\n", on(BOLD), str(sb, "path"), on(PLAIN));
		json_object_foreach(sb, key, v)
		{
			char *text = json_dumps(v, JSON_ENCODE_ANY | JSON_COMPACT);
			if (text && strcmp(key, "path") != 0 && !json_is_object(v) &&
				!json_is_array(v))
				printf("  %-18s %s\n", key,
					json_is_string(v) ? json_string_value(v) : text);
			free(text);
		}
		const json_t *cert = json_object_get(sb, "cert_block");
		if (*str(cert, "rkth"))
			printf("  %-18s %s\n", "rkth", str(cert, "rkth"));
	}
}

static void print_script(const json_t *script)
{
	json_t *stage, *step;
	size_t i, k;

	printf("%sscript%s      %s\n", on(BOLD), on(PLAIN), str(script, "title"));
	json_array_foreach(json_object_get(script, "stages"), i, stage)
	{
		printf("  %sstage %s%s", on(BOLD), str(stage, "stage"), on(PLAIN));
		if (yes(stage, "irreversible"))
			printf("  %sirreversible%s", on(RED), on(PLAIN));
		if (yes(stage, "on_fail"))
			printf("  only after a failure");
		if (*str(stage, "skip_if"))
			printf("  skipped if %s", str(stage, "skip_if"));
		if (num(stage, "retry"))
			printf("  up to %lld more tries", num(stage, "retry"));
		putchar('\n');
		json_array_foreach(json_object_get(stage, "steps"), k, step)
		{
			bool red = yes(step, "irreversible");
			printf("  %s%c %3lld  %s%s\n", on(red ? RED : ""), red ? '!' : ' ',
				num(step, "step") + 1, str(step, "command"), on(red ? PLAIN : ""));
		}
	}
}

static void print_report(const json_t *report)
{
	const json_t *problems = json_object_get(report, "problems");
	json_t *p;
	size_t i;

	printf("%s%s%s, %lld bytes\n", on(BOLD), str(report, "file"), on(PLAIN),
		num(report, "size"));
	printf("  container %s\n", str(report, "container"));
	printf("  package   %s\n", str(report, "package"));
	printf("  words     %s%s%s\n", on(BOLD), str(report, "words"), on(PLAIN));
	if (json_is_object(json_object_get(report, "manifest")))
		print_manifest(json_object_get(report, "manifest"));
	print_signers(report);
	print_entries(report);
	print_sb(report);
	if (json_is_object(json_object_get(report, "script")))
		print_script(json_object_get(report, "script"));
	printf("%sprovenance%s  %s\n", on(BOLD), on(PLAIN),
		yes(report, "provenance") ? "entry of the OEM's log, with inclusion proof"
					  : "none");
	if (json_array_size(problems) > 0)
		printf("%sproblems%s\n", on(RED), on(PLAIN));
	json_array_foreach(problems, i, p)
		printf("  %-11s %s\n", str(p, "check"), str(p, "message"));
}

/* Without -P nobody is trusted, so a missing signature is no finding; anything else is. */
static bool wrong(const json_t *report, bool has_trust)
{
	json_t *p;
	size_t i;

	json_array_foreach(json_object_get(report, "problems"), i, p)
	{
		const char *check = str(p, "check");
		if (has_trust || (strcmp(check, "trust") != 0 && strcmp(check, "approvals") != 0))
			return true;
	}
	return false;
}

static int run(const struct cli *c, struct err *e)
{
	AUTO(json_freep) json_t *report = NULL;
	struct trust t;
	const struct pkg_expect x = { .now = time(NULL), .verify_sb = true };

	if (oem_trust_from_cli(&t, c, false, e) != 0 ||
		pkg_examine(&report, c->operands.v[0], t.n ? &t : NULL, &x, e) != 0)
		return -1;
	if (c->json) {
		if (json_print(report, e) != 0)
			return -1;
	} else {
		colour = cli_colour(STDOUT_FILENO);
		print_report(report);
	}
	return wrong(report, t.n > 0) ? EXIT_REJECTED : EXIT_OK;
}

const struct cli_command oem_cmd_inspect = {
	.name = "inspect",
	.operands = "PKG",
	.min_operands = 1,
	.max_operands = 1,
	.summary = "show everything in a package: files, signers, SB3.1, script, policy",
	.options = options,
	.run = run,
};

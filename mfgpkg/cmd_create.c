#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/exit_status.h"
#include "base/fsio.h"
#include "base/json.h"
#include "base/text.h"
#include "mboot/serial.h"
#include "mfgpkg/commands.h"
#include "mfgpkg/create/create.h"
#include "pkg/manifest.h"

static const struct cli_option options[] = {
	{ "config", 'c', CLI_STRING, "RELEASE.yaml", "the release", false },
	{ "port", 'p', CLI_STRING, "PORT[,BAUD]", "port of the device that serves as device HSM",
		false },
	{ "baud", 'b', CLI_NUMBER, "N", "its line rate (default 115200)", false },
	{ "output", 'o', CLI_STRING, "PKG", "the package", false },
	{ "timestamp", 0, CLI_NUMBER, "SECONDS",
		"time of the build since 1970, for a reproducible package (default: "
		"SOURCE_DATE_EPOCH, else now)",
		false },
	{ "allow-readable-keys", 0, CLI_FLAG, NULL, "build even though others can read key files",
		false },
	WORKSPACE_OPTION,
	PASSPHRASE_OPTIONS,
	{ 0 },
};

static atomic_bool cancel;

static void on_signal(int sig)
{
	(void)sig;
	atomic_store(&cancel, true);
}

struct view {
	const struct cli *c;
	bool lines; /* one per step */
	bool live; /* and what is going on, on a terminal */
};

static void show_progress(void *ctx, const struct create_progress *p)
{
	const struct view *v = ctx;

	if (!v->lines)
		return;
	if (p->result == CREATE_BEGIN) {
		if (!v->live)
			return;
		printf("\r\033[K[%u/%d] %-8s", p->number, CREATE_STEPS, p->step);
		if (p->total)
			printf(" %s %llu/%llu", p->file, (unsigned long long)p->done,
				(unsigned long long)p->total);
		else if (p->file)
			printf(" %s", p->file);
		fflush(stdout);
		return;
	}
	printf("%s[%u/%d] %-8s %8llu bytes  ", v->live ? "\r\033[K" : "", p->number, CREATE_STEPS,
		p->step, (unsigned long long)p->size);
	if (p->result == CREATE_UNCHANGED)
		printf("%9s", "unchanged");
	else
		printf("%6lld ms", (long long)p->ms);
	printf("  %s\n", p->file);
	fflush(stdout);
}

static void show_warning(void *ctx, const char *text)
{
	const struct view *v = ctx;

	if (v->live) {
		printf("\r\033[K");
		fflush(stdout);
	}
	cli_warn(v->c, "%s", text);
}

/* --- summary ---------------------------------------------------------------------------------- */

static const char *text_of(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

static void print_list(const char *what, const json_t *list)
{
	size_t i;
	const json_t *item;

	printf("%s", what);
	json_array_foreach(list, i, item)
	{
		if (json_is_integer(item))
			printf("%s%lld", i ? ", " : "", (long long)json_integer_value(item));
		else
			printf("%s%s", i ? ", " : "", json_string_value(item));
	}
}

static void print_policy(const json_t *policy)
{
	static const char *const rules[][2] = { { "requires_order", "order required" },
		{ "erase_first", "erase first" },
		{ "require_attestation", "attestation required" } };
	const char *between = "policy      ";

	for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
		if (json_is_true(json_object_get(policy, rules[i][0]))) {
			printf("%s%s", between, rules[i][1]);
			between = ", ";
		}
	if (between[0] == ',')
		printf("\n");
}

static void print_summary(const json_t *s)
{
	const json_t *m = json_object_get(s, "manifest"), *ws = json_object_get(s, "workspace"),
		     *life = json_object_get(m, "lifecycle"),
		     *policy = json_object_get(m, "policy"), *file;
	size_t i;

	printf("package     %s, %lld bytes\n", text_of(s, "package"),
		(long long)json_integer_value(json_object_get(s, "size")));
	printf("digest      %s\n", text_of(s, "digest"));
	printf("product     %s %s, sequence %lld, id %s\n", text_of(m, "product"),
		text_of(m, "release"),
		(long long)json_integer_value(json_object_get(m, "sequence")),
		text_of(m, "package_id"));
	printf("valid       %s to %s\n", text_of(m, "not_before"), text_of(m, "expires"));
	printf("devices     %s", text_of(m, "family"));
	print_list(", revisions ", json_object_get(m, "revisions"));
	print_list(", ", json_object_get(life, "before"));
	printf(" -> %s\n", text_of(life, "after"));
	printf("RKTH        %s\n", text_of(m, "rkth"));
	if (json_object_get(s, "firmware_version"))
		printf("firmware    version %lld\n",
			(long long)json_integer_value(json_object_get(s, "firmware_version")));
	printf("signed by   %s, %lld approval%s wanted\n", text_of(s, "signer"),
		(long long)json_integer_value(json_object_get(policy, "approvals")),
		json_integer_value(json_object_get(policy, "approvals")) == 1 ? "" : "s");
	print_policy(policy);
	json_array_foreach(json_object_get(m, "files"), i, file)
		printf("%-11s %-26s %8lld  %s\n", i ? "" : "files", text_of(file, "path"),
			(long long)json_integer_value(json_object_get(file, "size")),
			text_of(file, "sha256"));
	printf("recorded    %s, entry %lld\n", text_of(ws, "origin"),
		(long long)json_integer_value(json_object_get(ws, "leaf")));
}

/* --- command ---------------------------------------------------------------------------------- */

/* build_time - --timestamp, else SOURCE_DATE_EPOCH, else now. Steps that need the time read the
 * variable, so that it is set when the option was given. */
static int build_time(const struct cli *c, struct create_options *o, struct err *e)
{
	const char *epoch = getenv("SOURCE_DATE_EPOCH");
	uint64_t t;

	if (cli_given(c, "timestamp")) {
		char text[24];

		t = cli_number(c, "timestamp", 0);
		if (t > JSON_INT_MAX)
			return cli_usage(e, c, "--timestamp is beyond all time");
		snprintf(text, sizeof text, "%llu", (unsigned long long)t);
		if (setenv("SOURCE_DATE_EPOCH", text, 1) != 0)
			return err_errno(e, "SOURCE_DATE_EPOCH");
	} else if (epoch) {
		if (decimal_parse(epoch, strlen(epoch), JSON_INT_MAX, &t) != 0)
			return err_set(e, ERR_USAGE,
				"SOURCE_DATE_EPOCH is '%s': wanted seconds since 1970", ESC(epoch));
	} else {
		o->now = time(NULL);
		return 0;
	}
	o->fixed_time = true;
	o->now = (int64_t)t;
	return 0;
}

/* device_port - "PORT" or, as NXP's tools take it, "PORT,BAUD"; -b wins. *port is malloc'ed. */
static int device_port(const struct cli *c, char **port, uint32_t *baud, struct err *e)
{
	const char *text = cli_string(c, "port", NULL), *comma = text ? strrchr(text, ',') : NULL;
	uint64_t rate = SERIAL_DEFAULT_BAUD;

	if (comma && number_parse(comma + 1, &rate) != 0)
		return cli_usage(e, c, "-p %s: %s is not a line rate", ESC(text), ESC(comma + 1));
	rate = cli_number(c, "baud", rate);
	if (rate == 0 || rate > MANIFEST_BAUD_MAX)
		return cli_usage(e, c, "%llu is not a line rate", (unsigned long long)rate);
	*baud = (uint32_t)rate;
	*port = !text ? NULL : comma ? strndup(text, (size_t)(comma - text)) : strdup(text);
	return text && !*port ? err_set(e, ERR_ENV, "out of memory") : 0;
}

static int run_create(const struct cli *c, struct err *e)
{
	AUTO(keystore_freep) struct keystore *ks = NULL;
	AUTO(json_freep) json_t *summary = NULL;
	AUTO(str_freep) char *port = NULL;
	struct view view = { .c = c, .lines = !c->json && c->verbosity >= 0 };
	struct create_options o = {
		.release = cli_string(c, "config", NULL),
		.output = cli_string(c, "output", NULL),
		.cancel = &cancel,
		.allow_readable_keys = cli_flag(c, "allow-readable-keys"),
		.progress = show_progress,
		.warn = show_warning,
		.ctx = &view,
	};

	if (!o.release || !o.output)
		return cli_usage(e, c, "%s is missing", o.release ? "-o PKG" : "-c RELEASE.yaml");
	if (device_port(c, &port, &o.baud, e) != 0 || build_time(c, &o, e) != 0 ||
		keystore_new(&ks, c, e) != 0)
		return -1;
	o.port = port;
	view.live = view.lines && isatty(STDOUT_FILENO);
	struct sigaction sa = { .sa_handler = on_signal };
	sigemptyset(&sa.sa_mask);
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);

	int rc = create_package(&o, c, ks, &summary, e);
	if (rc != 0) {
		if (view.live)
			printf("\r\033[K");
		return -1;
	}
	if (c->json)
		return json_print(summary, e) != 0 ? -1 : EXIT_OK;
	if (view.lines) {
		printf("\n");
		print_summary(summary);
	}
	return EXIT_OK;
}

const struct cli_command oem_cmd_create = {
	.name = "create",
	.operands = "",
	.summary = "make a signed package from a release, in one step",
	.options = options,
	.run = run_create,
};

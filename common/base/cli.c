#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cli.h"
#include "base/exit_status.h"
#include "base/text.h"
#include "base/version.h"

struct cli_value {
	const struct cli_option *option;
	const char *text; /* NULL for a flag */
	uint64_t number;
};

enum { MAX_VALUES = 512, MAX_LISTS = 16 };

/* State of one invocation. Programs call cli_main once; lists handed out stay valid until exit. */
static struct cli_value values[MAX_VALUES];
static size_t n_values;

static const struct cli_option common_options[] = {
	{ "help", 'h', CLI_FLAG, NULL, "show this help", false },
	{ "verbose", 'v', CLI_FLAG, NULL, "say more (twice: even more)", false },
	{ "quiet", 'q', CLI_FLAG, NULL, "say only what failed", false },
	{ "json", 0, CLI_FLAG, NULL, "print data as JSON", false },
	{ 0 },
};

static size_t count_named(const char *name)
{
	size_t n = 0;

	for (size_t i = 0; i < n_values; i++)
		n += strcmp(values[i].option->name, name) == 0;
	return n;
}

static const struct cli_value *last_named(const char *name)
{
	const struct cli_value *found = NULL;

	for (size_t i = 0; i < n_values; i++)
		if (strcmp(values[i].option->name, name) == 0)
			found = &values[i];
	return found;
}

bool cli_flag(const struct cli *c, const char *name)
{
	(void)c;
	return count_named(name) > 0;
}

bool cli_given(const struct cli *c, const char *name)
{
	return cli_flag(c, name);
}

const char *cli_string(const struct cli *c, const char *name, const char *fallback)
{
	(void)c;
	const struct cli_value *v = last_named(name);
	return v ? v->text : fallback;
}

uint64_t cli_number(const struct cli *c, const char *name, uint64_t fallback)
{
	(void)c;
	const struct cli_value *v = last_named(name);
	return v ? v->number : fallback;
}

struct cli_list cli_list(const struct cli *c, const char *name)
{
	(void)c;
	static const char *store[MAX_LISTS][MAX_VALUES];
	static size_t used;
	struct cli_list list = { .v = store[used++ % MAX_LISTS], .n = 0 };

	for (size_t i = 0; i < n_values; i++)
		if (strcmp(values[i].option->name, name) == 0)
			list.v[list.n++] = values[i].text;
	return list;
}

bool cli_colour(int fd)
{
	const char *no = getenv("NO_COLOR");
	return isatty(fd) && !(no && *no);
}

void cli_warn(const struct cli *c, const char *fmt, ...)
{
	if (c->verbosity < 0)
		return;
	char msg[600];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(msg, sizeof msg, fmt, ap);
	va_end(ap);
	fprintf(stderr, "%s: warning: %s\n", c->program, msg);
}

int cli_usage(struct err *e, const struct cli *c, const char *fmt, ...)
{
	char msg[400];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(msg, sizeof msg, fmt, ap);
	va_end(ap);
	return err_set(e, ERR_USAGE, "%s (see '%s %s --help')", msg, c->program,
		c->command ? c->command->name : "");
}

static void help_options(const struct cli_option *o)
{
	for (; o && o->name; o++) {
		char left[64];
		char letter[8] = "    ";
		if (o->letter)
			snprintf(letter, sizeof letter, "-%c, ", o->letter);
		snprintf(left, sizeof left, "%s--%s%s%s%s", letter, o->name, o->arg ? " " : "",
			o->arg ? o->arg : "", o->kind == CLI_LIST ? " ..." : "");
		printf("  %-32s %s\n", left, o->help);
	}
}

static void help_command(const char *program, const struct cli_command *cmd)
{
	printf("usage: %s %s%s%s%s\n\n%s\n\noptions:\n", program, cmd->name,
		cmd->options ? " [options]" : "", *cmd->operands ? " " : "", cmd->operands,
		cmd->summary);
	help_options(cmd->options);
	help_options(common_options);
}

static void help_program(
	const char *program, const char *about, const struct cli_command *const *cmds)
{
	printf("%s %s - %s\n\nusage: %s COMMAND [options]\n\ncommands:\n", program, MFGPKG_VERSION,
		about, program);
	for (size_t i = 0; cmds[i]; i++)
		printf("  %-22s %s\n", cmds[i]->name, cmds[i]->summary);
	printf("\n'%s COMMAND --help' explains a command. Exit status: 0 good, 1 a device or entry"
	       " failed,\n2 usage or configuration, 3 rejected, 4 environment, 5 device or "
	       "protocol,"
	       " 6 audit\nverification failed, 130 interrupted.\n",
		program);
}

/* The command whose words are the first words of argv; the longest name wins. */
static const struct cli_command *find_command(
	const struct cli_command *const *cmds, int argc, char **argv, int *words)
{
	const struct cli_command *best = NULL;

	*words = 0;
	for (size_t i = 0; cmds[i]; i++) {
		char name[64];
		int count = 0;
		bool same = true;
		snprintf(name, sizeof name, "%s", cmds[i]->name);
		for (char *save, *w = strtok_r(name, " ", &save); w;
			w = strtok_r(NULL, " ", &save)) {
			same = same && count + 1 < argc && strcmp(argv[count + 1], w) == 0;
			count++;
		}
		if (same && count > *words) {
			best = cmds[i];
			*words = count;
		}
	}
	return best;
}

static const struct cli_option *find_long(const struct cli_option *o, const char *name, size_t len)
{
	for (; o && o->name; o++)
		if (strlen(o->name) == len && memcmp(o->name, name, len) == 0)
			return o;
	return NULL;
}

static const struct cli_option *find_letter(const struct cli_option *o, char letter)
{
	for (; o && o->name; o++)
		if (o->letter == letter)
			return o;
	return NULL;
}

static int add_value(struct cli *c, const struct cli_option *o, const char *text, struct err *e)
{
	if (n_values == MAX_VALUES)
		return cli_usage(e, c, "more than %d options", MAX_VALUES);
	struct cli_value *v = &values[n_values];
	*v = (struct cli_value){ .option = o, .text = text };
	if (o->kind == CLI_NUMBER && number_parse(text, &v->number) != 0)
		return cli_usage(e, c, "--%s: \"%s\" is not a number", o->name, ESC(text));
	n_values++;
	return 0;
}

static int parse(struct cli *c, int argc, char **argv, int i, struct err *e)
{
	const struct cli_option *own = c->command->options;
	bool ended = false;

	for (; i < argc; i++) {
		char *a = argv[i];
		const struct cli_option *o;
		const char *text = NULL;

		if (ended || a[0] != '-' || !a[1]) {
			if (c->operands.n == MAX_VALUES)
				return cli_usage(e, c, "too many operands");
			c->operands.v[c->operands.n++] = a;
			continue;
		}
		if (strcmp(a, "--") == 0) {
			ended = true;
			continue;
		}
		if (a[1] == '-') {
			char *eq = strchr(a + 2, '=');
			size_t len = eq ? (size_t)(eq - (a + 2)) : strlen(a + 2);
			o = find_long(own, a + 2, len);
			if (!o)
				o = find_long(common_options, a + 2, len);
			text = eq ? eq + 1 : NULL;
		} else {
			o = find_letter(own, a[1]);
			if (!o)
				o = find_letter(common_options, a[1]);
			/* -vv, -qv: only flags can be joined; -bVALUE is accepted too. */
			if (o && o->kind == CLI_FLAG)
				for (char *s = a + 2; *s; s++) {
					const struct cli_option *more = find_letter(own, *s);
					if (!more)
						more = find_letter(common_options, *s);
					if (!more || more->kind != CLI_FLAG)
						return cli_usage(
							e, c, "unknown option in %s", ESC(a));
					if (add_value(c, more, NULL, e) != 0)
						return -1;
				}
			else if (o && a[2])
				text = a + 2;
		}
		if (!o)
			return cli_usage(e, c, "unknown option %s", ESC(a));
		if (o->kind == CLI_FLAG) {
			if (text)
				return cli_usage(e, c, "--%s takes no value", o->name);
			if (add_value(c, o, NULL, e) != 0)
				return -1;
			continue;
		}
		if (!text) {
			if (i + 1 == argc)
				return cli_usage(e, c, "--%s wants %s", o->name,
					o->arg ? o->arg : "a value");
			text = argv[++i];
		}
		if (add_value(c, o, text, e) != 0)
			return -1;
		while (o->kind == CLI_LIST && o->greedy && i + 1 < argc && argv[i + 1][0] != '-')
			if (add_value(c, o, argv[++i], e) != 0)
				return -1;
	}
	if (c->operands.n < c->command->min_operands && !cli_flag(c, "help"))
		return cli_usage(e, c, "missing operand: %s", c->command->operands);
	if (c->operands.n > c->command->max_operands)
		return cli_usage(
			e, c, "unexpected operand %s", ESC(c->operands.v[c->operands.n - 1]));
	return 0;
}

int cli_main(int argc, char **argv, const char *program, const char *about,
	const struct cli_command *const *commands)
{
	static const char *operands[MAX_VALUES];
	struct cli c = { .program = program, .operands = { .v = operands } };
	struct err e = { 0 };
	int words;

	if (sodium_init() < 0) {
		fprintf(stderr, "%s: libsodium cannot start\n", program);
		return EXIT_ENVIRONMENT;
	}
	if (argc > 1 && (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0)) {
		printf("%s %s\n", program, MFGPKG_VERSION);
		return EXIT_OK;
	}
	if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
				strcmp(argv[1], "help") == 0)) {
		help_program(program, about, commands);
		return EXIT_OK;
	}
	c.command = find_command(commands, argc, argv, &words);
	if (!c.command) {
		fprintf(stderr, "%s: %s%s (see '%s --help')\n", program,
			argc > 1 ? "unknown command " : "no command", argc > 1 ? ESC(argv[1]) : "",
			program);
		return EXIT_USAGE;
	}
	int status = parse(&c, argc, argv, words + 1, &e);
	if (status == 0 && cli_flag(&c, "help")) {
		help_command(program, c.command);
		return EXIT_OK;
	}
	if (status == 0) {
		c.verbosity = cli_flag(&c, "quiet") ? -1 : (int)count_named("verbose");
		c.json = cli_flag(&c, "json");
		status = c.command->run(&c, &e);
	}
	if (status == 0 && (fflush(stdout) != 0 || ferror(stdout)))
		status = err_set(&e, ERR_ENV, "cannot write to standard output");
	if (status >= 0)
		return status;
	fprintf(stderr, "%s: %s\n", program, e.msg);
	return (int)exit_status_of(e.code);
}

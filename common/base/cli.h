/* cli - subcommand tables and options, the same for all programs.
 *
 * A program is a table of commands; a command is a row: name ("pfr export" is two words), what
 * its arguments are, one line of help, its options, and a function. Help, usage errors and
 * dispatch come from the rows. Options may stand before or after the operands; "--" ends them.
 * Every command understands -h/--help, -v, -q and --json (see struct cli).
 */
#ifndef COMMON_BASE_CLI_H
#define COMMON_BASE_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum cli_kind {
	CLI_FLAG, /* --name */
	CLI_STRING, /* --name VALUE, the last one wins */
	CLI_LIST, /* --name VALUE, may be repeated; one use may take several values
		   * ("-P A B" takes all following words that do not start with '-') when `greedy`
		   */
	CLI_NUMBER, /* --name N, number_parse syntax */
};

struct cli_option {
	const char *name; /* long name without dashes */
	char letter; /* short name or 0 */
	enum cli_kind kind;
	const char *arg; /* placeholder in help, e.g. "FILE" */
	const char *help;
	bool greedy; /* CLI_LIST only */
};

struct cli_list {
	const char **v;
	size_t n;
};

/* What a command function gets: operands and options. All strings belong to argv. */
struct cli {
	const char *program; /* "mfgpkg" */
	const struct cli_command *command;
	struct cli_list operands;
	int verbosity; /* -q: -1, default 0, -v: 1, -vv: 2 */
	bool json; /* --json */
	struct cli_value *values;
};

bool cli_flag(const struct cli *c, const char *name);
const char *cli_string(const struct cli *c, const char *name, const char *fallback);
uint64_t cli_number(const struct cli *c, const char *name, uint64_t fallback);
bool cli_given(const struct cli *c, const char *name);
struct cli_list cli_list(const struct cli *c, const char *name);

struct cli_command {
	const char *name; /* "sb31 export" */
	const char *operands; /* "FILE" as shown in the usage line, "" when none */
	size_t min_operands, max_operands; /* max SIZE_MAX: any number */
	const char *summary; /* one line */
	const struct cli_option *options; /* ended by an entry with name NULL; may be NULL */
	/* Returns the exit status on success (0 or EXIT_SOME_FAILED ...), or -1 with *e set:
	 * cli_main prints it once and maps the code. */
	int (*run)(const struct cli *c, struct err *e);
};

/* cli_main - parse argv, run one of the commands (ended by NULL), print its error, return the
 * exit status. */
int cli_main(int argc, char **argv, const char *program, const char *about,
	const struct cli_command *const *commands);

/* cli_usage - the usage fault a command reports itself: ERR_USAGE with a hint at --help. */
int cli_usage(struct err *e, const struct cli *c, const char *fmt, ...) PRINTF_LIKE(3);

/* cli_warn - one line "program: warning: ..." on stderr, unless -q. */
void cli_warn(const struct cli *c, const char *fmt, ...) PRINTF_LIKE(2);

/* cli_colour - true when fd is a terminal and NO_COLOR is not set. */
bool cli_colour(int fd);

#endif

/* script_verbs - the closed set of verbs and the arguments of each. Internal to the script parser.
 */
#ifndef COMMON_PKG_SCRIPT_VERBS_H
#define COMMON_PKG_SCRIPT_VERBS_H

#include "pkg/script_lex.h"

struct script_verb_row {
	const char *name;
	const char *usage; /* arguments, for messages */
	size_t min_args, max_args; /* without options */
	bool changes; /* memory or the device for good */
	bool idempotent; /* may stand in a stage with retry */
	bool irreversible_only; /* may stand only in an irreversible stage */
	bool on_fail; /* may stand in an on-fail stage: cannot change device or verdict */
	int timeout_ms; /* where the stage names none */
	int (*args)(struct script_step *s, const struct script_line *l, struct err *e);
};

const struct script_verb_row *script_verb_row(enum script_verb v);

/* script_verb_find - the verb a line begins with; *out on success. The message tells verbs that
 * blhost has and packages do not from unknown ones. */
int script_verb_find(enum script_verb *out, const struct script_line *l, struct err *e) CHECKED;

/* script_step_args - count and read the arguments into s (verb set, fields zero). */
int script_step_args(struct script_step *s, const struct script_line *l, struct err *e) CHECKED;

#endif

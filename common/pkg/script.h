/* script - the only thing a runner executes: blhost commands, one a line, in stages.
 *
 *   @title "text"                        optional, first
 *   @stage NAME [irreversible] [timeout=T] [retry=N] [skip-if=COND] [on-fail]
 *   @check COND                          fails the device when COND does not hold
 *   @prompt "text" [timeout=T]           the operator's answer goes into the log
 *   VERB ARGUMENTS                       blhost syntax (the forms of SPSDK's blhost)
 *   dice-attest                          attestation receipt bound to the log
 *
 * COND: `lifecycle OP NAME` or `property N OP VALUE`, OP one of == != < <= > >=; blanks may be left
 * out. T: 500ms, 60s, 5m (1 ms to 1 h). Words split as in a shell: blanks, '..', "..", \; # starts
 * a comment. No variables, loops, includes, host paths: a file is a name inside the package.
 *
 * The parser knows only the text. What depends on the package (that a file is there, its role)
 * is checked by pkg_open(). Pure functions, any thread; a script is constant once parsed.
 * Source: DESIGN section 6; format "blhost-script".
 */
#ifndef COMMON_PKG_SCRIPT_H
#define COMMON_PKG_SCRIPT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "mboot/mboot.h"

#define SCRIPT_MAX_SIZE	      ((size_t)64 << 10)
#define SCRIPT_MAX_LINE	      1024
#define SCRIPT_MAX_STEPS      500
#define SCRIPT_MAX_STAGES     64
#define SCRIPT_MAX_RETRY      10
#define SCRIPT_MAX_TIMEOUT_MS 3600000
#define SCRIPT_MAX_READ	      65536 /* bytes of one read-memory */
#define SCRIPT_TEXT_MAX	      200 /* title, prompt */
#define SCRIPT_STAGE_MAX      32

/* In comments: the fields of struct script_step that are set, [x] = optional (its default). */
enum script_verb {
	SCRIPT_GET_PROPERTY, /* property, index [0] */
	SCRIPT_SET_PROPERTY, /* property, value */
	SCRIPT_RESET,
	SCRIPT_FLASH_ERASE_ALL, /* memory_id [0] */
	SCRIPT_FLASH_ERASE_REGION, /* address, length, memory_id [0] */
	SCRIPT_READ_MEMORY, /* address, length, memory_id [0] */
	SCRIPT_WRITE_MEMORY, /* address, file or data, memory_id [0] */
	SCRIPT_FILL_MEMORY, /* address, length, value: the 32-bit pattern as sent */
	SCRIPT_RECEIVE_SB_FILE, /* file */
	SCRIPT_EXECUTE, /* address, argument, stack */
	SCRIPT_CALL, /* address, argument */
	SCRIPT_CONFIGURE_MEMORY, /* memory_id, address */
	SCRIPT_EFUSE_PROGRAM_ONCE, /* index (bit 24 set: lock), value, verify */
	SCRIPT_EFUSE_READ_ONCE, /* index */
	SCRIPT_FLASH_PROGRAM_ONCE, /* index, data: 4 or 8 bytes as sent */
	SCRIPT_FLASH_READ_ONCE, /* index, length 4 or 8 */
	SCRIPT_TRUST_PROVISIONING, /* words, n_words: operation and parameters as sent */
	SCRIPT_DICE_ATTEST,
	SCRIPT_CHECK, /* cond */
	SCRIPT_PROMPT, /* prompt */
};

enum script_op { SCRIPT_EQ, SCRIPT_NE, SCRIPT_LT, SCRIPT_LE, SCRIPT_GT, SCRIPT_GE };

enum script_cond_kind { SCRIPT_COND_NONE, SCRIPT_COND_LIFECYCLE, SCRIPT_COND_PROPERTY };

struct script_cond {
	enum script_cond_kind kind;
	enum script_op op;
	enum mboot_lifecycle lifecycle;
	uint32_t property;
	uint32_t value;
};

struct script_stage {
	char name[SCRIPT_STAGE_MAX + 1];
	unsigned line;
	bool irreversible; /* a durable log entry comes before each of its changing steps */
	bool on_fail; /* runs only after a failure; cannot change the verdict */
	unsigned retry; /* further tries of the whole stage, 0: none */
	int timeout_ms; /* of each step; 0: each verb's own */
	struct script_cond skip_if;
	size_t first, n; /* its steps */
};

struct script_step {
	unsigned line; /* from 1 */
	size_t index; /* from 0, over the whole script */
	size_t stage; /* index into stages */
	enum script_verb verb;
	char *text; /* the line without surrounding blanks and comment: for the log */
	int timeout_ms; /* always > 0 */
	uint32_t property, address, length, value, memory_id, index_arg, argument, stack;
	bool verify; /* efuse-program-once: read back and compare */
	uint32_t words[9];
	size_t n_words;
	uint8_t *data; /* {{hex}} */
	size_t data_len;
	char *file; /* name inside the package, or NULL */
	bool has_file_len; /* FILE,BYTES */
	uint32_t file_len;
	struct script_cond cond;
	char *prompt;
};

struct script {
	char title[SCRIPT_TEXT_MAX + 1];
	struct script_stage *stages;
	size_t n_stages;
	struct script_step *steps;
	size_t n;
};

/* script_parse - "scripts/program.blhost: line 7 column 3: ...". ERR_FORMAT, ERR_LIMIT; *out is
 * freed with script_clear(). */
int script_parse(
	struct script *out, const char *name, const void *text, size_t len, struct err *e) CHECKED;
void script_clear(struct script *s); /* also a zeroed one */

const char *script_verb_name(enum script_verb v); /* "receive-sb-file", "@check" */
const char *script_op_text(enum script_op op); /* ">=" */
char *script_cond_text(const struct script_cond *c, char out[80]); /* "lifecycle >= in-field" */

/* script_cond_holds - does `seen OP wanted` hold? For a life cycle `seen` is an enum
 * mboot_lifecycle. */
bool script_cond_holds(const struct script_cond *c, uint32_t seen);

/* script_step_changes - can the step change the device for good or its memory? In an irreversible
 * stage such a step needs its own intent in the log first. */
bool script_step_changes(const struct script_step *s);

/* script_step_irreversible - does it stand in an irreversible stage and change something? */
bool script_step_irreversible(const struct script *s, const struct script_step *step);

/* script_print_plan - the whole script for people: stages with their options, numbered steps with
 * timeouts; irreversible ones marked, in red when `colour`. */
void script_print_plan(FILE *f, const struct script *s, bool colour);

/* script_to_json - {"title", "stages": [{"name", ..., "steps": [...]}]}. New reference or NULL. */
json_t *script_to_json(const struct script *s);

#endif

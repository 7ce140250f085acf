#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "pkg/script_lex.h"
#include "pkg/script_verbs.h"

/* What is being parsed. Arrays are as large as they may ever get: no growing, no surprises. */
struct parser {
	const char *file;
	struct script s;
	bool has_title;
	struct script_line line;
};

void script_clear(struct script *s)
{
	for (size_t i = 0; i < s->n; i++) {
		free(s->steps[i].text);
		free(s->steps[i].data);
		free(s->steps[i].file);
		free(s->steps[i].prompt);
	}
	free(s->steps);
	free(s->stages);
	*s = (struct script){ .n = 0 };
}

static struct script_stage *current_stage(struct parser *p)
{
	return p->s.n_stages ? &p->s.stages[p->s.n_stages - 1] : NULL;
}

static int title_line(struct parser *p, struct err *e)
{
	const struct script_line *l = &p->line;

	if (p->has_title)
		return script_error(l, 0, e, "@title is there twice");
	if (p->s.n_stages > 0)
		return script_error(l, 0, e, "@title after the first step or stage");
	if (l->n != 2 || !l->words[1].text[0] || strlen(l->words[1].text) > SCRIPT_TEXT_MAX)
		return script_error(l, 1, e, "@title: one text of 1 to %d bytes wanted, in quotes",
			SCRIPT_TEXT_MAX);
	memcpy(p->s.title, l->words[1].text, strlen(l->words[1].text) + 1);
	p->has_title = true;
	return 0;
}

/* --- stages ----------------------------------------------------------------------------------- */

static int stage_option(
	struct script_stage *st, const struct script_line *l, size_t i, struct err *e)
{
	const char *w = l->words[i].text, *eq = strchr(w, '=');
	const char *value = eq ? eq + 1 : "", *wrong;
	size_t len = eq ? (size_t)(eq - w) : strlen(w);
	uint64_t v;
	bool twice;

#define IS(name) (len == strlen(name) && memcmp(w, name, len) == 0)
	if (!eq && IS("irreversible")) {
		twice = st->irreversible;
		st->irreversible = true;
	} else if (!eq && IS("on-fail")) {
		twice = st->on_fail;
		st->on_fail = true;
	} else if (eq && IS("timeout")) {
		twice = st->timeout_ms != 0;
		if (script_time(value, &st->timeout_ms) != 0)
			return script_error(l, i, e,
				"timeout \"%s\": a time from 1ms to 60m wanted, like 60s",
				ESC(value));
	} else if (eq && IS("retry")) {
		twice = st->retry != 0;
		if (script_number(value, SCRIPT_MAX_RETRY, &v) != 0 || v == 0)
			return script_error(l, i, e, "retry \"%s\": 1 to %d wanted", ESC(value),
				SCRIPT_MAX_RETRY);
		st->retry = (unsigned)v;
	} else if (eq && IS("skip-if")) {
		twice = st->skip_if.kind != SCRIPT_COND_NONE;
		if (script_cond_parse(value, &st->skip_if, &wrong) != 0)
			return script_error(l, i, e, "skip-if: %s", wrong);
	} else {
		return script_error(l, i, e,
			"unknown stage option \"%s\"; known: irreversible, timeout=, retry=, "
			"skip-if=, on-fail",
			ESC(w));
	}
#undef IS
	if (twice)
		return script_error(l, i, e, "option \"%.*s\" is there twice", (int)len, w);
	return 0;
}

static int check_stage_options(const struct parser *p, const struct script_stage *st, struct err *e)
{
	const struct script_line *l = &p->line;

	if (st->irreversible && st->retry)
		return script_error(
			l, 1, e, "stage \"%s\": an irreversible stage cannot be retried", st->name);
	if (st->on_fail && (st->irreversible || st->retry))
		return script_error(l, 1, e,
			"stage \"%s\": an on-fail stage cannot be irreversible or retried",
			st->name);
	if (!st->on_fail && p->s.n_stages > 0 && p->s.stages[p->s.n_stages - 1].on_fail)
		return script_error(l, 1, e, "stage \"%s\": on-fail stages come last", st->name);
	return 0;
}

static int add_stage(struct parser *p, const struct script_stage *st, struct err *e)
{
	if (p->s.n_stages == SCRIPT_MAX_STAGES)
		return err_set(e, ERR_LIMIT, "%s: line %u: more than %d stages", p->file,
			p->line.number, SCRIPT_MAX_STAGES);
	p->s.stages[p->s.n_stages++] = *st;
	return 0;
}

/* Every stage that ends must have steps: an empty one is a line that was lost. */
static int end_stage(struct parser *p, struct err *e)
{
	const struct script_stage *st = current_stage(p);

	if (st && st->n == 0)
		return err_set(e, ERR_FORMAT, "%s: line %u column 1: stage \"%s\" has no steps",
			p->file, st->line, st->name);
	return 0;
}

static int stage_line(struct parser *p, struct err *e)
{
	const struct script_line *l = &p->line;
	struct script_stage st = { .line = l->number, .first = p->s.n };

	if (end_stage(p, e) != 0)
		return -1;
	if (l->n < 2)
		return script_error(l, 1, e, "@stage: a name wanted");
	const char *name = l->words[1].text;
	size_t len = strlen(name);
	if (len > SCRIPT_STAGE_MAX || !strchr("abcdefghijklmnopqrstuvwxyz0123456789", name[0]) ||
		strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") != len || len == 0)
		return script_error(l, 1, e, "stage name \"%s\": 1 to %d of a-z 0-9 - wanted",
			ESC(name), SCRIPT_STAGE_MAX);
	for (size_t i = 0; i < p->s.n_stages; i++)
		if (strcmp(p->s.stages[i].name, name) == 0)
			return script_error(l, 1, e, "stage \"%s\" is there twice (line %u)", name,
				p->s.stages[i].line);
	memcpy(st.name, name, len + 1);
	for (size_t i = 2; i < l->n; i++)
		if (stage_option(&st, l, i, e) != 0)
			return -1;
	return check_stage_options(p, &st, e) != 0 ? -1 : add_stage(p, &st, e);
}

/* --- steps ------------------------------------------------------------------------------------ */

/* Page area of CFPA and CMPA (and its secure alias): what is written there rules the device's life.
 */
static bool in_pfr(uint32_t address, uint32_t length)
{
	static const struct {
		uint32_t from, to;
	} areas[] = { { 0x01000000, 0x0100FFFF }, { 0x11000000, 0x1100FFFF } };
	uint32_t last =
		length > 0 && length - 1 <= UINT32_MAX - address ? address + length - 1 : address;

	for (size_t i = 0; i < sizeof areas / sizeof *areas; i++)
		if (address <= areas[i].to && last >= areas[i].from)
			return true;
	return false;
}

/* Must the step stand in an irreversible stage, whatever file it sends? */
static bool must_be_irreversible(const struct script_step *s)
{
	if (script_verb_row(s->verb)->irreversible_only)
		return true;
	bool writes = s->verb == SCRIPT_WRITE_MEMORY || s->verb == SCRIPT_FILL_MEMORY ||
		      s->verb == SCRIPT_FLASH_ERASE_REGION;
	return writes && in_pfr(s->address, s->data_len ? (uint32_t)s->data_len : s->length);
}

static int check_step(const struct parser *p, const struct script_stage *st,
	const struct script_step *s, struct err *e)
{
	const struct script_verb_row *row = script_verb_row(s->verb);
	const struct script_line *l = &p->line;

	if (st->on_fail && !row->on_fail)
		return script_error(l, 0, e, "%s cannot stand in an on-fail stage", row->name);
	if (!st->irreversible && must_be_irreversible(s))
		return script_error(l, 0, e,
			"%s cannot be undone: stage \"%s\" must be marked irreversible", row->name,
			st->name);
	if (st->retry && !row->idempotent)
		return script_error(l, 0, e, "%s cannot be repeated: no retry for stage \"%s\"",
			row->name, st->name);
	return 0;
}

static int step_line(struct parser *p, struct err *e)
{
	const struct script_line *l = &p->line;
	enum script_verb verb;

	if (script_verb_find(&verb, l, e) != 0)
		return -1;
	/* A plain blhost batch file without stages is one stage. */
	if (p->s.n_stages == 0) {
		struct script_stage st = { .name = "main", .line = l->number };
		if (add_stage(p, &st, e) != 0)
			return -1;
	}
	if (p->s.n == SCRIPT_MAX_STEPS)
		return err_set(e, ERR_LIMIT, "%s: line %u: more than %d steps", p->file, l->number,
			SCRIPT_MAX_STEPS);

	struct script_stage *st = &p->s.stages[p->s.n_stages - 1];
	struct script_step *s = &p->s.steps[p->s.n];
	*s = (struct script_step){
		.line = l->number, .index = p->s.n, .stage = p->s.n_stages - 1, .verb = verb
	};
	p->s.n++; /* from here on script_clear() frees what the step holds */
	st->n++;
	if (script_step_args(s, l, e) != 0 || check_step(p, st, s, e) != 0)
		return -1;
	s->text = strdup(l->text);
	if (!s->text)
		return err_set(e, ERR_ENV, "%s: out of memory", p->file);
	if (s->timeout_ms == 0) /* @prompt may bring its own */
		s->timeout_ms = st->timeout_ms ? st->timeout_ms : script_verb_row(verb)->timeout_ms;
	return 0;
}

static int parse_line(struct parser *p, struct err *e)
{
	const char *first = p->line.n ? p->line.words[0].text : NULL;

	if (!first)
		return 0;
	if (strcmp(first, "@title") == 0)
		return title_line(p, e);
	if (strcmp(first, "@stage") == 0)
		return stage_line(p, e);
	return step_line(p, e);
}

static int parse_text(struct parser *p, const char *text, size_t len, struct err *e)
{
	unsigned number = 0;

	while (len > 0) {
		const char *lf = memchr(text, '\n', len);
		size_t n = lf ? (size_t)(lf - text) : len;
		if (script_lex(&p->line, p->file, ++number, text, n, e) != 0 ||
			parse_line(p, e) != 0)
			return -1;
		text += n + (lf != NULL);
		len -= n + (lf != NULL);
	}
	if (end_stage(p, e) != 0)
		return -1;
	if (p->s.n == 0 || p->s.stages[0].on_fail)
		return err_set(e, ERR_FORMAT, "%s: no steps", p->file);
	return 0;
}

int script_parse(struct script *out, const char *name, const void *text, size_t len, struct err *e)
{
	if (len > SCRIPT_MAX_SIZE)
		return err_set(e, ERR_LIMIT, "%s: %zu bytes, at most %zu wanted", name, len,
			SCRIPT_MAX_SIZE);
	struct parser *p = calloc(1, sizeof *p);
	if (!p)
		return err_set(e, ERR_ENV, "%s: out of memory", name);
	p->file = name;
	p->s.stages = calloc(SCRIPT_MAX_STAGES, sizeof *p->s.stages);
	p->s.steps = calloc(SCRIPT_MAX_STEPS, sizeof *p->s.steps);
	int r = p->s.stages && p->s.steps ? parse_text(p, text, len, e)
					  : err_set(e, ERR_ENV, "%s: out of memory", name);
	if (r == 0)
		*out = p->s;
	else
		script_clear(&p->s);
	free(p);
	return r;
}

bool script_step_changes(const struct script_step *s)
{
	return script_verb_row(s->verb)->changes;
}

bool script_step_irreversible(const struct script *s, const struct script_step *step)
{
	return s->stages[step->stage].irreversible && script_step_changes(step);
}

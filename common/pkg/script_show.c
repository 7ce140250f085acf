#include <string.h>

#include "base/text.h"
#include "pkg/script.h"

#define RED   "\033[1;31m"
#define BOLD  "\033[1m"
#define RESET "\033[0m"

static char *time_text(char out[24], int ms)
{
	if (ms % 60000 == 0)
		snprintf(out, 24, "%d min", ms / 60000);
	else if (ms % 1000 == 0)
		snprintf(out, 24, "%d s", ms / 1000);
	else
		snprintf(out, 24, "%d ms", ms);
	return out;
}

static void print_stage(FILE *f, const struct script_stage *st, bool colour)
{
	char text[80];

	fprintf(f, "%sstage %s%s", colour ? BOLD : "", st->name, colour ? RESET : "");
	if (st->irreversible)
		fprintf(f, "  %sirreversible%s", colour ? RED : "", colour ? RESET : "");
	if (st->on_fail)
		fputs("  only after a failure", f);
	if (st->skip_if.kind != SCRIPT_COND_NONE)
		fprintf(f, "  skipped if %s", script_cond_text(&st->skip_if, text));
	if (st->retry)
		fprintf(f, "  up to %u more tries", st->retry);
	fputc('\n', f);
}

void script_print_plan(FILE *f, const struct script *s, bool colour)
{
	char text[24], line[3 * SCRIPT_MAX_LINE];

	if (s->title[0])
		fprintf(f, "%s\n", text_escape(line, sizeof line, s->title, strlen(s->title)));
	for (size_t i = 0; i < s->n_stages; i++) {
		const struct script_stage *st = &s->stages[i];
		print_stage(f, st, colour);
		for (size_t k = st->first; k < st->first + st->n; k++) {
			const struct script_step *step = &s->steps[k];
			bool red = script_step_irreversible(s, step);
			/* The text may hold quotes, so it is printed as it is: the parser lets no
			 * control characters through but tabs. */
			snprintf(line, sizeof line, "%s", step->text);
			for (char *c = line; *c; c++)
				*c = *c == '\t' ? ' ' : *c;
			fprintf(f, "  %s%c %3zu  %-48s%s  at most %s\n", colour && red ? RED : "",
				red ? '!' : ' ', k + 1, line, colour && red ? RESET : "",
				time_text(text, step->timeout_ms));
		}
	}
}

json_t *script_to_json(const struct script *s)
{
	json_t *stages = json_array();

	for (size_t i = 0; i < s->n_stages; i++) {
		const struct script_stage *st = &s->stages[i];
		json_t *steps = json_array();
		char cond[80];
		for (size_t k = st->first; k < st->first + st->n; k++) {
			const struct script_step *step = &s->steps[k];
			json_array_append_new(
				steps, json_pack("{sI sI ss ss ss* sb si}", "step", (json_int_t)k,
					       "line", (json_int_t)step->line, "verb",
					       script_verb_name(step->verb), "command", step->text,
					       "file", step->file, "irreversible",
					       script_step_irreversible(s, step), "timeout_ms",
					       step->timeout_ms));
		}
		bool skips = st->skip_if.kind != SCRIPT_COND_NONE;
		json_array_append_new(stages,
			json_pack("{ss sb sb si ss? so}", "stage", st->name, "irreversible",
				st->irreversible, "on_fail", st->on_fail, "retry", (int)st->retry,
				"skip_if", skips ? script_cond_text(&st->skip_if, cond) : NULL,
				"steps", steps));
	}
	return json_pack("{ss so}", "title", s->title, "stages", stages);
}

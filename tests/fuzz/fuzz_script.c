/* A script: what is accepted obeys the rules the runner relies on, and reads the same from its own
 * lines. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pkg/container.h"
#include "pkg/script.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check(const struct script *s)
{
	size_t covered = 0;

	if (s->n == 0 || s->n > SCRIPT_MAX_STEPS || s->n_stages > SCRIPT_MAX_STAGES)
		abort();
	for (size_t i = 0; i < s->n_stages; i++) {
		const struct script_stage *st = &s->stages[i];
		if (st->first != covered || st->n == 0 || (st->irreversible && st->retry))
			abort();
		covered += st->n;
	}
	if (covered != s->n)
		abort();
	for (size_t i = 0; i < s->n; i++) {
		const struct script_step *step = &s->steps[i];
		if (step->timeout_ms <= 0 || step->timeout_ms > SCRIPT_MAX_TIMEOUT_MS ||
			step->index != i || step->stage >= s->n_stages || !step->text)
			abort();
		if (step->file && container_name_check(step->file, strlen(step->file), NULL) != 0)
			abort();
		if (s->stages[step->stage].on_fail && script_step_changes(step))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct script s;
	struct err e = { 0 };
	char *plan = NULL;
	size_t plan_len;

	if (script_parse(&s, "fuzz", data, len, &e) != 0) {
		if (e.code != ERR_FORMAT && e.code != ERR_LIMIT)
			abort();
		return 0;
	}
	check(&s);
	FILE *f = open_memstream(&plan, &plan_len);
	if (f) {
		script_print_plan(f, &s, false);
		fclose(f);
		/* Whatever stands in a script, it does not drive a terminal. */
		for (size_t i = 0; i < plan_len; i++)
			if ((unsigned char)plan[i] < 0x20 && plan[i] != '\n')
				abort();
		free(plan);
	}
	json_t *j = script_to_json(&s);
	if (!j)
		abort();
	json_decref(j);
	script_clear(&s);
	return 0;
}

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cli.h"
#include "runner/ui.h"

int ui_kind_parse(const char *name, enum ui_kind *out)
{
	static const struct {
		const char *name;
		enum ui_kind kind;
	} kinds[] = { { "auto", UI_AUTO }, { "plain", UI_PLAIN }, { "json", UI_JSON },
		{ "live", UI_LIVE }, { "full", UI_FULL } };

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (strcmp(kinds[i].name, name) == 0) {
			*out = kinds[i].kind;
			return 0;
		}
	return -1;
}

int ui_new(struct ui **out, enum ui_kind kind, struct panel *panel, bool quiet, struct err *e)
{
	switch (kind) {
	case UI_AUTO:
		if (isatty(STDOUT_FILENO) && !quiet)
			return ui_live_new(out, panel, e);
		return ui_plain_new(out, panel, quiet, e);
	case UI_PLAIN:
		return ui_plain_new(out, panel, quiet, e);
	case UI_JSON:
		return ui_json_new(out, panel, e);
	case UI_LIVE:
		return ui_live_new(out, panel, e);
	case UI_FULL:
		return ui_full_new(out, panel, e);
	}
	return err_set(e, ERR_INTERNAL, "unknown ui");
}

void ui_print_summary(const struct ui_summary *s, bool colour)
{
	const char *tone = !colour ? "" : s->failed ? "\033[1;31m" : "\033[1;32m";

	if (s->recovered)
		printf("%u device%s left open by a crash %s closed in the log as interrupted\n",
			s->recovered, s->recovered == 1 ? "" : "s",
			s->recovered == 1 ? "was" : "were");
	if (s->order && s->quantity)
		printf("order %s: %llu of %llu devices used, log %s\n", s->order,
			(unsigned long long)s->counted, (unsigned long long)s->quantity,
			s->log_closed ? "closed (complete)" : "open");
	printf("log: %s\n", s->log);
	if (s->events_lost)
		printf("%llu events were not shown (the output was too slow); the log has them\n",
			(unsigned long long)s->events_lost);
	printf("%s%u passed, %u failed%s", tone, s->passed, s->failed, colour ? "\033[0m" : "");
	if (s->interrupted)
		printf(", %u interrupted", s->interrupted);
	if (s->skipped)
		printf(", %u skipped", s->skipped);
	if (s->silent)
		printf(", %u port%s without an answer", s->silent, s->silent == 1 ? "" : "s");
	if (s->unusable)
		printf(", %u unusable", s->unusable);
	printf(" in %lld.%lld s\n", (long long)s->ms / 1000, (long long)s->ms % 1000 / 100);
	fflush(stdout);
}

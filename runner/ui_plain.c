#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cli.h"
#include "base/text.h"
#include "runner/ui.h"

/* One line an event: time, slot or port, UUID, what. For pipes, logs and small terminals. */
struct plain {
	struct ui ui;
	bool quiet, colour;
};

static void line(struct plain *p, const struct event *ev, const char *tone, const char *fmt, ...)
	PRINTF_LIKE(4);
static void line(struct plain *p, const struct event *ev, const char *tone, const char *fmt, ...)
{
	char now[TIME_MS_LEN + 1];
	const struct panel *panel = p->ui.panel;
	const char *name = ev->place < panel->n_rows ? panel->rows[ev->place].name : "-";
	va_list ap;

	time_format_ms(now, clock_wall_ms());
	printf("%.8s %-12s %s%s", now + 11, name, ev->uuid, *ev->uuid ? " " : "");
	if (p->colour)
		fputs(tone, stdout);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	puts(p->colour && *tone ? "\033[0m" : "");
}

static void show_step(struct plain *p, const struct event *ev)
{
	switch (ev->outcome) {
	case STEP_OK:
		if (ev->done)
			line(p, ev, "", "%s: %s ok, %llu bytes in %lld ms", ev->stage, ev->text,
				(unsigned long long)ev->done, (long long)ev->ms);
		else
			line(p, ev, "", "%s: %s ok, %lld ms", ev->stage, ev->text,
				(long long)ev->ms);
		break;
	case STEP_FAILED:
		line(p, ev, "", "%s: %s failed", ev->stage, ev->text);
		break;
	case STEP_SKIPPED:
		line(p, ev, "", "%s: %s skipped", ev->stage, ev->text);
		break;
	}
}

static void show_record(struct plain *p, const struct event *ev)
{
	switch (ev->record) {
	case RECORD_BEGIN:
		if (!p->quiet)
			line(p, ev, "", "begin, attempt %u", ev->attempt);
		break;
	case RECORD_STEP:
		if (!p->quiet)
			show_step(p, ev);
		break;
	case RECORD_END:
		if (ev->result == DEVICE_PASS) {
			if (!p->quiet)
				line(p, ev, "\033[32m", "PASS in %lld.%lld s",
					(long long)ev->ms / 1000, (long long)ev->ms % 1000 / 100);
		} else {
			line(p, ev, "\033[31m", "%s %s -> %s",
				ev->result == DEVICE_FAIL ? "FAIL" : "INTERRUPTED", ev->text,
				fault_instruction(ev->fault));
		}
		break;
	case RECORD_OTHER:
		break;
	}
}

static void plain_event(struct ui *ui, const struct event *ev)
{
	struct plain *p = (struct plain *)ui;

	switch (ev->kind) {
	case EVENT_RECORD:
		show_record(p, ev);
		break;
	case EVENT_PORT:
		if (ev->fault != FAULT_NONE)
			line(p, ev, "\033[33m", "%s %s: %s -> %s", fault_id(ev->fault),
				fault_sentence(ev->fault), ev->text, fault_instruction(ev->fault));
		else if (!p->quiet)
			line(p, ev, "", "%s%s%s", event_port_name(ev->port_state),
				*ev->text ? ": " : "", ev->text);
		break;
	case EVENT_SKIPPED:
		if (ev->counts_as_failed)
			line(p, ev, "\033[31m", "FAIL %s %s -> %s", fault_id(ev->fault), ev->text,
				fault_instruction(ev->fault));
		else
			line(p, ev, "\033[33m", "skipped: %s", ev->text);
		break;
	case EVENT_NOTE:
		if (!p->quiet)
			line(p, ev, "", "note: %s", ev->text);
		break;
	case EVENT_PROMPT:
		break; /* question() asks */
	case EVENT_LOG_FAILED:
		line(p, ev, "\033[31m", "the log cannot be written: %s", ev->text);
		break;
	case EVENT_STAGE:
	case EVENT_PROGRESS:
	case EVENT_WORKER_END:
		break;
	}
}

static void plain_question(struct ui *ui, size_t place, const char *text)
{
	if (text)
		printf("%s asks: %s ", ui->panel->rows[place].name, text);
	fflush(stdout);
}

static void plain_tick(struct ui *ui)
{
	(void)ui;
	fflush(stdout);
}

static void plain_summary(struct ui *ui, const struct ui_summary *s)
{
	ui_print_summary(s, ((struct plain *)ui)->colour);
}

static void plain_free(struct ui *ui)
{
	free(ui);
}

int ui_plain_new(struct ui **out, struct panel *panel, bool quiet, struct err *e)
{
	struct plain *p = calloc(1, sizeof *p);

	if (!p)
		return err_set(e, ERR_ENV, "out of memory");
	p->ui = (struct ui){ .event = plain_event,
		.tick = plain_tick,
		.question = plain_question,
		.summary = plain_summary,
		.free = plain_free,
		.panel = panel };
	p->quiet = quiet;
	p->colour = cli_colour(1);
	*out = &p->ui;
	return 0;
}

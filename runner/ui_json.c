#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/text.h"
#include "runner/ui.h"

/* JSON Lines, one event a line, for programs: what is in the log under the names of its leaf kinds,
 * and a few events that are not in the log (schemas/runner-event.schema.json). */
static void print(json_t *j)
{
	AUTO(buf_clear) struct buf out = { 0 };
	struct err e;

	if (j && json_line(j, &out, &e) == 0) {
		fwrite(out.p, 1, out.len, stdout);
		putchar('\n');
	}
	json_decref(j);
}

static json_t *start(const struct ui *ui, const struct event *ev, const char *name)
{
	char now[TIME_MS_LEN + 1];
	json_t *j =
		json_pack("{s:s,s:s}", "event", name, "time", time_format_ms(now, clock_wall_ms()));
	const struct panel *p = ui->panel;

	if (!j)
		return NULL;
	if (ev->place < p->n_rows && p->rows[ev->place].used) {
		const struct panel_row *r = &p->rows[ev->place];
		json_object_set_new(j, "port", json_string(r->port));
		json_object_set_new(j, "slot", json_string(r->name));
	}
	if (*ev->uuid)
		json_object_set_new(j, "uuid", json_string(ev->uuid));
	return j;
}

static void add_fault(json_t *j, enum fault_code fault)
{
	if (!j || fault == FAULT_NONE)
		return;
	json_object_set_new(j, "code", json_string(fault_id(fault)));
	json_object_set_new(j, "action", json_string(fault_action_name(fault_action(fault))));
	json_object_set_new(j, "instruction", json_string(fault_instruction(fault)));
}

static void with_text(struct ui *ui, const struct event *ev, const char *name, const char *member)
{
	json_t *j = start(ui, ev, name);

	if (j)
		json_object_set_new(j, member, json_string(ev->text));
	add_fault(j, ev->fault);
	print(j);
}

static void json_event(struct ui *ui, const struct event *ev)
{
	json_t *j;

	switch (ev->kind) {
	case EVENT_RECORD:
		print(json_incref(ev->json));
		break;
	case EVENT_PORT:
		j = start(ui, ev, "port");
		if (j) {
			json_object_set_new(
				j, "state", json_string(event_port_name(ev->port_state)));
			json_object_set_new(j, "text", json_string(ev->text));
		}
		add_fault(j, ev->fault);
		print(j);
		break;
	case EVENT_STAGE:
		j = start(ui, ev, "stage");
		if (j)
			json_object_set_new(j, "stage", json_string(ev->stage));
		print(j);
		break;
	case EVENT_SKIPPED:
		j = start(ui, ev, "skipped");
		if (j) {
			json_object_set_new(j, "reason", json_string(ev->text));
			json_object_set_new(j, "failed", json_boolean(ev->counts_as_failed));
		}
		add_fault(j, ev->fault);
		print(j);
		break;
	case EVENT_NOTE:
		with_text(ui, ev, "note", "text");
		break;
	case EVENT_PROMPT:
		with_text(ui, ev, "prompt", "text");
		break;
	case EVENT_LOG_FAILED:
		with_text(ui, ev, "log-failed", "text");
		break;
	case EVENT_PROGRESS:
	case EVENT_WORKER_END:
		break;
	}
}

static void json_tick(struct ui *ui)
{
	(void)ui;
	fflush(stdout);
}

static void json_question(struct ui *ui, size_t place, const char *text)
{
	(void)ui;
	(void)place;
	(void)text;
}

static void json_summary(struct ui *ui, const struct ui_summary *s)
{
	json_t *j = json_pack("{s:s,s:i,s:i,s:i,s:i,s:i,s:i,s:i,s:I,s:s,s:b,s:I,s:i}", "event",
		"summary", "passed", (int)s->passed, "failed", (int)s->failed, "interrupted",
		(int)s->interrupted, "skipped", (int)s->skipped, "no_answer", (int)s->silent,
		"unusable", (int)s->unusable, "recovered", (int)s->recovered, "ms",
		(json_int_t)s->ms, "log", s->log, "log_closed", s->log_closed, "events_lost",
		(json_int_t)s->events_lost, "exit", s->exit_status);

	(void)ui;
	if (j && s->order) {
		json_object_set_new(j, "order", json_string(s->order));
		json_object_set_new(j, "quantity", json_integer((json_int_t)s->quantity));
		json_object_set_new(j, "used", json_integer((json_int_t)s->counted));
	}
	if (j && s->message)
		json_object_set_new(j, "message", json_string(s->message));
	print(j);
	fflush(stdout);
}

static void json_free_ui(struct ui *ui)
{
	free(ui);
}

int ui_json_new(struct ui **out, struct panel *panel, struct err *e)
{
	struct ui *ui = calloc(1, sizeof *ui);

	if (!ui)
		return err_set(e, ERR_ENV, "out of memory");
	*ui = (struct ui){ .event = json_event,
		.tick = json_tick,
		.question = json_question,
		.summary = json_summary,
		.free = json_free_ui,
		.panel = panel };
	*out = ui;
	return 0;
}

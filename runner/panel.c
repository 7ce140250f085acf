#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "runner/panel.h"

#define RATE_FROM_MS 20000
#define STALLED_MS   2000 /* no progress for so long: nothing moves */
#define RATE_MS	     700 /* a rate is taken over at least this long */

int panel_new(struct panel **out, size_t places, const struct pkg *pkg, struct err *e)
{
	struct panel *p = calloc(1, sizeof *p);

	if (p)
		p->rows = calloc(places, sizeof *p->rows);
	if (!p || !p->rows) {
		panel_free(p);
		return err_set(e, ERR_ENV, "out of memory");
	}
	p->n_rows = places;
	p->pkg = pkg;
	p->title = pkg_script(pkg)->title;
	p->start_ms = clock_mono_ms();
	*out = p;
	return 0;
}

void panel_free(struct panel *p)
{
	if (!p)
		return;
	free(p->rows);
	free(p);
}

/* The part of a port's name that tells it from the others: "ttyMCX3" of a path, "0:1.2" of
 * "pci-0000:00:14.0-usb-0:1.2:1.0-port0". */
static void short_port(char out[64], const char *port)
{
	const char *slash = strrchr(port, '/'), *usb = strstr(port, "-usb-");

	snprintf(out, 64, "%s", usb ? usb + 5 : slash ? slash + 1 : port);
	char *interface = usb ? strstr(out, ":1.0") : NULL;
	if (interface)
		*interface = 0;
}

void panel_place(struct panel *p, size_t place, const char *slot, const char *port)
{
	struct panel_row *r = &p->rows[place];

	*r = (struct panel_row){ .used = true };
	short_port(r->name, port);
	if (*slot)
		snprintf(r->name, sizeof r->name, "%s", slot);
	snprintf(r->port, sizeof r->port, "%s", port);
}

const char *row_state_name(enum row_state s)
{
	switch (s) {
	case ROW_EMPTY:
		return "waiting";
	case ROW_SILENT:
		return "no answer";
	case ROW_RUNNING:
		return "running";
	case ROW_PASS:
		return "PASS";
	case ROW_FAIL:
		return "FAIL";
	case ROW_STOPPED:
		return "stopped";
	case ROW_SKIPPED:
		return "skipped";
	case ROW_UNUSABLE:
		return "unusable";
	case ROW_GONE:
		return "gone";
	}
	return "";
}

static void add_fault(
	struct panel *p, const struct panel_row *r, enum fault_code code, const char *text)
{
	memmove(&p->faults[1], &p->faults[0], (PANEL_FAULTS - 1) * sizeof p->faults[0]);
	if (p->n_faults < PANEL_FAULTS)
		p->n_faults++;
	struct panel_fault *f = &p->faults[0];
	f->wall_ms = clock_wall_ms();
	f->fault = code;
	snprintf(f->name, sizeof f->name, "%s", r->name);
	snprintf(f->uuid, sizeof f->uuid, "%s", r->uuid);
	snprintf(f->text, sizeof f->text, "%s", text);
}

static void end_row(struct panel *p, struct panel_row *r, const struct event *ev)
{
	r->end_ms = clock_mono_ms();
	r->fault = ev->fault;
	r->asks = false;
	snprintf(r->text, sizeof r->text, "%s", ev->text);
	switch (ev->result) {
	case DEVICE_PASS:
		r->state = ROW_PASS;
		r->passed++;
		p->passed++;
		return;
	case DEVICE_FAIL:
		r->state = ROW_FAIL;
		r->failed++;
		p->failed++;
		break;
	case DEVICE_INTERRUPTED:
		r->state = ROW_STOPPED;
		p->interrupted++;
		break;
	}
	add_fault(p, r, ev->fault, ev->text);
}

static void record_event_row(struct panel *p, struct panel_row *r, const struct event *ev)
{
	p->counted = ev->counted;
	if (!r)
		return;
	switch (ev->record) {
	case RECORD_BEGIN:
		r->state = ROW_RUNNING;
		r->fault = FAULT_NONE;
		r->start_ms = clock_mono_ms();
		r->end_ms = 0;
		r->done = r->total = r->bytes = 0;
		r->rate = 0;
		r->step = 0;
		r->stage[0] = r->text[0] = 0;
		r->attempt = ev->attempt;
		r->seen = false;
		memcpy(r->uuid, ev->uuid, sizeof r->uuid);
		break;
	case RECORD_STEP:
		r->bytes += ev->done;
		if (ev->outcome == STEP_FAILED)
			break; /* the bar stays where it stopped */
		r->done = r->total = 0;
		r->step = ev->step + 1;
		break;
	case RECORD_END:
		end_row(p, r, ev);
		break;
	case RECORD_OTHER:
		break;
	}
}

static void port_event(struct panel *p, struct panel_row *r, const struct event *ev)
{
	if (!r)
		return;
	switch (ev->port_state) {
	case EVENT_PORT_FOUND:
		r->state = ROW_EMPTY;
		break;
	case EVENT_PORT_ANSWERS:
		break;
	case EVENT_PORT_SILENT:
		r->state = ROW_SILENT;
		r->fault = ev->fault;
		p->silent++;
		break;
	case EVENT_PORT_UNUSABLE:
		r->state = ROW_UNUSABLE;
		r->fault = ev->fault;
		p->unusable++;
		break;
	case EVENT_PORT_WAITING:
		return; /* the last verdict stays on the screen until the next board */
	case EVENT_PORT_GONE:
		if (r->state == ROW_EMPTY || r->state == ROW_SILENT)
			r->state = ROW_GONE;
		return;
	}
	snprintf(r->text, sizeof r->text, "%s", ev->text);
}

static void measure(struct panel_row *r, const struct event *ev)
{
	int64_t now = clock_mono_ms();

	if (ev->done < r->done || ev->done == 0) { /* a new transfer */
		r->rate_ms = now;
		r->rate_done = ev->done;
	} else if (now - r->rate_ms >= RATE_MS || ev->done == ev->total) {
		if (now > r->rate_ms)
			r->rate = (double)(ev->done - r->rate_done) * 1000 /
				  (double)(now - r->rate_ms);
		r->rate_ms = now;
		r->rate_done = ev->done;
	}
	r->seen_ms = now;
	r->step = ev->step;
	r->n_steps = ev->n_steps;
	r->done = ev->done;
	r->total = ev->total;
}

void panel_event(struct panel *p, const struct event *ev)
{
	struct panel_row *r =
		ev->place < p->n_rows && p->rows[ev->place].used ? &p->rows[ev->place] : NULL;

	switch (ev->kind) {
	case EVENT_RECORD:
		record_event_row(p, r, ev);
		break;
	case EVENT_PORT:
		port_event(p, r, ev);
		break;
	case EVENT_STAGE:
		if (r) {
			memcpy(r->stage, ev->stage, sizeof r->stage);
			r->n_steps = ev->n_steps;
		}
		break;
	case EVENT_PROGRESS:
		if (r)
			measure(r, ev);
		break;
	case EVENT_SKIPPED:
		if (!r)
			break;
		memcpy(r->uuid, ev->uuid, sizeof r->uuid);
		r->fault = ev->fault;
		r->state = ev->counts_as_failed ? ROW_FAIL : ROW_SKIPPED;
		snprintf(r->text, sizeof r->text, "%s", ev->text);
		if (ev->counts_as_failed) {
			p->failed++;
			add_fault(p, r, ev->fault, ev->text);
		} else {
			p->skipped++;
		}
		break;
	case EVENT_NOTE:
		snprintf(p->message, sizeof p->message, "%s%s%s", r ? r->name : "", r ? ": " : "",
			ev->text);
		break;
	case EVENT_PROMPT:
		if (r) {
			r->asks = true;
			snprintf(r->text, sizeof r->text, "%s", ev->text);
		}
		break;
	case EVENT_WORKER_END:
		break;
	case EVENT_LOG_FAILED:
		p->log_failed = true;
		snprintf(p->message, sizeof p->message, "the log cannot be written: %s", ev->text);
		break;
	}
}

double panel_share(const struct panel *p, const struct panel_row *r)
{
	const struct script *s = pkg_script(p->pkg);
	double all = 0, done = 0;

	if (r->state == ROW_PASS)
		return 1;
	if (r->state == ROW_EMPTY || r->state == ROW_SILENT)
		return 0;
	/* A step weighs what it sends, and a little for itself. */
	for (size_t i = 0; i < s->n; i++) {
		size_t len = 0;
		(void)pkg_step_file(p->pkg, &s->steps[i], &len);
		double weight = 200 + (double)len;
		all += weight;
		if (i < r->step)
			done += weight;
		else if (i == r->step && r->total)
			done += weight * (double)r->done / (double)r->total;
	}
	return all > 0 ? done / all : 0;
}

unsigned panel_running(const struct panel *p)
{
	unsigned n = 0;

	for (size_t i = 0; i < p->n_rows; i++)
		n += p->rows[i].used && p->rows[i].state == ROW_RUNNING;
	return n;
}

double panel_rate(const struct panel_row *r)
{
	return clock_mono_ms() - r->seen_ms > STALLED_MS ? 0 : r->rate;
}

double panel_per_hour(const struct panel *p)
{
	int64_t ms = clock_mono_ms() - p->start_ms;

	/* Of the first seconds no rate can be told. */
	return ms > RATE_FROM_MS ? p->passed * 3600000.0 / (double)ms : 0;
}

int panel_yield(const struct panel *p)
{
	unsigned ended = p->passed + p->failed;

	return ended ? (int)((p->passed * 100 + ended / 2) / ended) : -1;
}

/* The operator's picture: it fits every terminal, and shows what matters. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "runner/panel.h"
#include "runner/view.h"
#include "runner_support.h"

static const char script[] = "@title \"Provision \xc3\xa4\"\n@stage a\nflash-erase-all\n"
			     "receive-sb-file sb/image.sb3\n";

/* Columns a line takes: tones take none, a UTF-8 character one. Controls would be a fault. */
static int columns(const char *line)
{
	int n = 0;

	for (const char *p = line; *p; p++) {
		if (*p > 0 && *p <= TONES)
			continue;
		assert_true((unsigned char)*p >= 0x20 && *p != 0x7f);
		n += ((unsigned char)*p & 0xC0) != 0x80;
	}
	return n;
}

static void send(struct panel *p, struct event ev, size_t place)
{
	ev.place = place;
	snprintf(ev.uuid, sizeof ev.uuid, "%032zx", place);
	panel_event(p, &ev);
}

static void populate(struct panel *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char slot[16], port[40];
		slot[0] = 0;
		if (i % 3)
			snprintf(slot, sizeof slot, "A%zu", i);
		snprintf(port, sizeof port, "pci-0000:00:14.0-usb-0:%zu.1:1.0-port0", i);
		panel_place(p, i, slot, port);
		if (i % 7 == 6) {
			send(p,
				(struct event){ .kind = EVENT_PORT,
					.port_state = EVENT_PORT_SILENT,
					.fault = FAULT_NO_ANSWER },
				i);
			continue;
		}
		send(p, (struct event){ .kind = EVENT_RECORD, .record = RECORD_BEGIN }, i);
		struct event stage = { .kind = EVENT_STAGE, .n_steps = 2 };
		strcpy(stage.stage, "a-stage-with-a-long-name");
		send(p, stage, i);
		send(p,
			(struct event){ .kind = EVENT_PROGRESS,
				.step = 1,
				.n_steps = 2,
				.done = 512 * (i + 1),
				.total = 100000 },
			i);
		struct event end = { .kind = EVENT_RECORD, .record = RECORD_END, .ms = 1234 };
		if (i % 5 == 1) {
			send(p, end, i);
		} else if (i % 5 == 2) {
			end.result = DEVICE_FAIL;
			end.fault = FAULT_SIGNATURE;
			strcpy(end.text, "S04 a very long text \x1b[2J with an escape and no end");
			send(p, end, i);
		} else if (i % 11 == 3) {
			struct event ask = { .kind = EVENT_PROMPT };
			strcpy(ask.text, "scan the serial number");
			send(p, ask, i);
		}
	}
}

static void fits_every_terminal(void **state)
{
	(void)state;
	struct pkg *pkg = rs_package(script, false);
	static struct view v;
	static const size_t counts[] = { 0, 1, 4, 16, 64, 256 };
	for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
		struct panel *p = NULL;
		assert_int_equal(panel_new(&p, 256, pkg, NULL), 0);
		p->order = "2026-0042";
		p->quantity = 1000;
		populate(p, counts[c]);
		for (int utf8 = 0; utf8 < 2; utf8++)
			for (int w = 20; w <= 240; w += 11)
				for (int h = 6; h <= 70; h += 3) {
					v = (struct view){ .width = w,
						.height = h,
						.utf8 = utf8,
						.selected = 2,
						.keys = h % 2 ? " q quit  r retry" : NULL };
					view_draw(&v, p);
					assert_true(v.n >= 2 && v.n <= (size_t)h);
					for (size_t i = 0; i < v.n; i++)
						assert_true(columns(v.line[i]) <= w);
					if (counts[c])
						view_detail(&v, p, 0);
					assert_true(v.n <= (size_t)h);
					for (size_t i = 0; i < v.n; i++)
						assert_true(columns(v.line[i]) <= w);
				}
		panel_free(p);
	}
	pkg_free(pkg);
}

static const char *plain(const char *line);

static void what_is_cut_shows_it(void **state)
{
	(void)state;
	struct pkg *pkg = rs_package(script, false);
	static struct view v;
	struct panel *p = NULL;
	struct event note = { .kind = EVENT_NOTE };
	assert_int_equal(panel_new(&p, 8, pkg, NULL), 0);
	p->title = "A title that says a lot about what the script does";
	panel_place(p, 3, "B4", "/dev/ttyACM3");
	strcpy(note.text, "try 2 of 3 after: something that does not fit into forty columns");
	send(p, note, 3);
	for (int utf8 = 0; utf8 < 2; utf8++) {
		const char *dots = utf8 ? "\u2026" : "...";
		v = (struct view){ .width = 64, .height = 24, .utf8 = utf8, .selected = -1 };
		view_draw(&v, p);
		/* the clock stays; the note names its slot */
		assert_non_null(strstr(plain(v.line[0]), dots));
		assert_string_equal(plain(v.line[0]) + strlen(plain(v.line[0])) - 4, "0:00");
		const char *last = plain(v.line[v.n - 1]);
		assert_int_equal(strncmp(last, "B4: try 2 of 3", 14), 0);
		assert_string_equal(last + strlen(last) - strlen(dots), dots);
		v.width = 160;
		view_draw(&v, p);
		assert_null(strstr(plain(v.line[0]), dots));
		assert_null(strstr(plain(v.line[v.n - 1]), dots));
	}
	panel_free(p);
	pkg_free(pkg);
}

static const char *plain(const char *line)
{
	static char out[VIEW_BYTES];
	size_t n = 0;

	for (const char *p = line; *p; p++)
		if (!(*p > 0 && *p <= TONES))
			out[n++] = *p;
	out[n] = 0;
	return out;
}

static bool shows(const struct view *v, const char *text)
{
	for (size_t i = 0; i < v->n; i++)
		if (strstr(plain(v->line[i]), text))
			return true;
	return false;
}

static void shows_what_matters(void **state)
{
	(void)state;
	struct pkg *pkg = rs_package(script, false);
	struct panel *p = NULL;
	static struct view v;
	assert_int_equal(panel_new(&p, 16, pkg, NULL), 0);
	p->order = "2026-0042";
	p->quantity = 10;
	populate(p, 4);
	v = (struct view){ .width = 80, .height = 24, .selected = -1 };
	view_draw(&v, p);
	assert_true(shows(&v, "order 2026-0042"));
	assert_true(shows(&v, " PASS 1 "));
	assert_true(shows(&v, " FAIL 1 "));
	assert_true(shows(&v, "yield 50 %"));
	assert_true(shows(&v, "order 0/10, 10 left"));
	assert_true(shows(&v, "FAIL S04"));
	assert_true(shows(&v, "-> set it aside; when all boards do it, stop and call the OEM"));
	assert_true(shows(&v, "asks: scan the serial number"));
	assert_false(shows(&v, "\x1b"));
	/* slots in the order people count them */
	assert_true(strstr(plain(v.line[3]), "0:0.1") == plain(v.line[3]) ||
		    strstr(plain(v.line[3]), "0:0.1"));
	view_detail(&v, p, 2);
	assert_true(shows(&v, "what to do"));
	assert_true(shows(&v, "S04 a very long text"));
	panel_free(p);
	pkg_free(pkg);
}

static void share_and_rates(void **state)
{
	(void)state;
	struct pkg *pkg = rs_package(script, false);
	struct panel *p = NULL;
	assert_int_equal(panel_new(&p, 1, pkg, NULL), 0);
	panel_place(p, 0, "A1", "/dev/ttyUSB0");
	struct panel_row *r = &p->rows[0];
	assert_string_equal(r->name, "A1");
	assert_int_equal(panel_yield(p), -1);
	assert_true(panel_share(p, r) == 0);
	send(p, (struct event){ .kind = EVENT_RECORD, .record = RECORD_BEGIN }, 0);
	double before = panel_share(p, r);
	send(p, (struct event){ .kind = EVENT_PROGRESS, .step = 1, .done = 10, .total = 20 }, 0);
	double half = panel_share(p, r);
	assert_true(half > before && half < 1);
	struct event step = {
		.kind = EVENT_RECORD, .record = RECORD_STEP, .step = 1, .outcome = STEP_FAILED
	};
	send(p, step, 0);
	assert_true(panel_share(p, r) <= half); /* failed: the bar stays */
	send(p, (struct event){ .kind = EVENT_RECORD, .record = RECORD_END }, 0);
	assert_true(panel_share(p, r) == 1);
	assert_int_equal(panel_yield(p), 100);
	assert_int_equal(panel_running(p), 0);
	panel_free(p);
	pkg_free(pkg);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fits_every_terminal),
		cmocka_unit_test(what_is_cut_shows_it),
		cmocka_unit_test(shows_what_matters),
		cmocka_unit_test(share_and_rates),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

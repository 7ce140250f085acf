#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "base/exit_status.h"
#include "base/text.h"
#include "runner/candidates.h"
#include "runner/hotplug.h"
#include "runner/logkeeper.h"
#include "runner/session.h"
#include "runner/worker.h"

#define RESCAN_GLOBS_MS 1000 /* --loop: pseudo-terminals have no events */
#define RESCAN_MS	5000 /* --loop: real ports have, mostly */
#define EVENTS_A_TURN	512 /* taken from the queue before keys and signals get a look */
#define LINE_MAX_LEN	256

#define FINISHING "finishing the running devices; no further ones (again: stop now)"
#define STOPPING  "stopping at the next safe point"

struct session {
	const struct session_options *o;
	struct panel *panel;
	struct ui *ui;
	struct event_sink screen;
	struct prompts *prompts;
	struct logkeeper *keeper;
	struct journal journal;
	struct device_job job;
	struct crew crew;
	struct worker *workers; /* PORTS_MAX places; used up to n_workers */
	size_t n_workers, n_running;
	struct hotplug *hotplug;
	int signals; /* signalfd */
	int stopping; /* 0, 1: finish, 2: at the next safe point */
	bool interrupted; /* by a signal or a key */
	bool log_failed;
	struct err log_error;
	bool asking; /* a question is on the screen */
	size_t asked_place;
	char line[LINE_MAX_LEN]; /* typed so far */
	size_t line_len;
	bool input_over; /* stdin has ended: nobody answers */
	uint64_t count_left; /* devices still to pass, for --count */
};

/* --- ports ------------------------------------------------------------------------------- */
static struct worker *worker_of(struct session *s, const struct port *p)
{
	const char *name = *p->by_path ? p->by_path : p->path;

	for (size_t i = 0; i < s->n_workers; i++) {
		struct worker *w = &s->workers[i];
		/* Two names of one device are one place. But what has a place of its own is known
		 * by that alone: its number may have been another board's a moment ago, whose
		 * worker has not noticed yet. */
		if (strcmp(w->port, name) == 0 ||
			(!*p->by_path && w->running && w->rdev == p->rdev && p->rdev))
			return w;
	}
	return NULL;
}

static void tell_port(
	struct session *s, size_t place, enum event_port state, enum fault_code f, const char *text)
{
	struct event ev = { .kind = EVENT_PORT, .place = place, .port_state = state, .fault = f };

	snprintf(ev.text, sizeof ev.text, "%s", text);
	panel_event(s->panel, &ev);
	s->ui->event(s->ui, &ev);
}

static int use_port(void *ctx, struct port *p, const char *slot, struct err *e)
{
	struct session *s = ctx;
	struct worker *w = worker_of(s, p);
	bool known = w != NULL;

	if (w && w->running)
		return 0;
	port_find_holder(p);
	if (!w) {
		if (s->n_workers == PORTS_MAX)
			return 0;
		w = &s->workers[s->n_workers];
	}
	size_t index = (size_t)(w - s->workers);
	if (p->state != PORT_USABLE) {
		enum fault_code f = p->state == PORT_BUSY	     ? FAULT_PORT_BUSY
				    : p->state == PORT_NO_PERMISSION ? FAULT_PORT_PERMISSION
								     : FAULT_PORT_OPEN;
		if (known)
			return 0; /* said before, or held by nobody a moment later */
		worker_set(w, &s->crew, index, slot, p);
		s->n_workers++;
		panel_place(s->panel, index, slot, w->port);
		tell_port(s, index, EVENT_PORT_UNUSABLE, f, p->reason);
		return 0;
	}
	if (!known) {
		worker_set(w, &s->crew, index, slot, p);
		s->n_workers++;
		panel_place(s->panel, index, slot, w->port);
	}
	w->rdev = p->rdev;
	if (worker_start(w, e) != 0)
		return -1;
	s->n_running++;
	tell_port(s, index, EVENT_PORT_FOUND, FAULT_NONE, *p->driver ? p->driver : "");
	return 0;
}

static int scan_ports(struct session *s, bool all, struct err *e)
{
	struct candidates c = { .slots = s->o->slots,
		.globs = s->o->globs,
		.order = s->o->order ? order_of(s->o->order) : NULL,
		.names_only = !all };

	return candidates_each(&c, use_port, s, NULL, e);
}

/* --- stopping ---------------------------------------------------------------------------- */
static void stop(struct session *s, int level, const char *why)
{
	if (level <= s->stopping)
		return;
	s->stopping = s->panel->stopping = level;
	atomic_store(&s->crew.finish, true);
	if (level >= 2)
		for (size_t i = 0; i < s->n_workers; i++)
			if (s->workers[i].running)
				brake_pull(&s->workers[i].brake);

	struct event ev = { .kind = EVENT_NOTE, .place = EVENT_NO_PLACE };
	snprintf(ev.text, sizeof ev.text, "%s", why);
	panel_event(s->panel, &ev);
	s->ui->event(s->ui, &ev);
}

static void on_signal(struct session *s)
{
	struct signalfd_siginfo info;

	while (read(s->signals, &info, sizeof info) == sizeof info) {
		if (info.ssi_signo == SIGWINCH) {
			if (s->ui->resize)
				s->ui->resize(s->ui);
			continue;
		}
		s->interrupted = true;
		if (info.ssi_signo == SIGINT && s->stopping == 0)
			stop(s, 1, FINISHING);
		else
			stop(s, 2, STOPPING);
	}
}

/* --- questions --------------------------------------------------------------------------- */
static void answer(struct session *s, size_t place, const char *text)
{
	prompts_answer(s->prompts, place, text);
	s->panel->rows[place].asks = false;
	s->asking = false;
	s->ui->question(s->ui, place, NULL);
}

/* The next whole line that was typed, scanned or piped in; false when there is none yet. What came
 * behind it stays for the next question. */
static bool take_line(struct session *s, char out[LINE_MAX_LEN])
{
	const char *end = memchr(s->line, '\n', s->line_len);
	size_t len = end ? (size_t)(end - s->line) : s->line_len;

	/* A line that is too long, or the last one of a pipe, ends where it ends. */
	if (!end && s->line_len < sizeof s->line && !(s->input_over && s->line_len))
		return false;
	memcpy(out, s->line, len < LINE_MAX_LEN ? len : LINE_MAX_LEN - 1);
	out[len < LINE_MAX_LEN ? len : LINE_MAX_LEN - 1] = 0;
	if (end)
		len++;
	s->line_len -= len;
	memmove(s->line, s->line + len, s->line_len);
	return true;
}

/* Show the oldest question; one whose answer came in already is answered at once. */
static void next_question(struct session *s)
{
	char text[SCRIPT_TEXT_MAX + 1], line[LINE_MAX_LEN];
	size_t place;

	/* Its worker may have given up meanwhile. */
	if (s->asking && !prompts_open(s->prompts, s->asked_place))
		answer(s, s->asked_place, NULL);
	for (;;) {
		if (!s->asking && !prompts_next(s->prompts, &place, text))
			return;
		if (!s->asking) {
			s->asking = true;
			s->asked_place = place;
			s->ui->question(s->ui, place, text);
		}
		if (take_line(s, line))
			answer(s, s->asked_place, line);
		else if (s->input_over)
			answer(s, s->asked_place, NULL);
		else
			return;
	}
}

/* Lines from the keyboard or a scanner, for the screens without keys. Read only while something is
 * asked. */
static void on_input(struct session *s)
{
	ssize_t n = read(STDIN_FILENO, s->line + s->line_len, sizeof s->line - s->line_len);

	if (n <= 0)
		s->input_over = true;
	else
		s->line_len += (size_t)n;
	next_question(s);
}

/* The operator wants a slot once more: its worker waits for that (--loop), or has ended. */
static void retry_slot(struct session *s, size_t place)
{
	struct err e;
	struct worker *w = place < s->n_workers ? &s->workers[place] : NULL;

	if (!w || s->stopping || logkeeper_operator(s->keeper, "retry", w->port, &e) != 0)
		return;
	if (w->running)
		atomic_store(&w->retry, true);
	else if (worker_start(w, &e) == 0)
		s->n_running++;
}

static void on_key(struct session *s)
{
	struct ui_request wish;

	while (s->ui->key(s->ui, &wish)) {
		struct err e;
		switch (wish.wish) {
		case UI_WISH_NONE:
			break;
		case UI_WISH_FINISH:
			s->interrupted = true;
			if (!s->stopping &&
				logkeeper_operator(s->keeper, "stop", "finish", &e) != 0)
				break;
			stop(s, 1, FINISHING);
			break;
		case UI_WISH_STOP:
			s->interrupted = true;
			if (s->stopping < 2 &&
				logkeeper_operator(s->keeper, "stop", "now", &e) != 0)
				break;
			stop(s, 2, STOPPING);
			break;
		case UI_WISH_RETRY:
			retry_slot(s, wish.place);
			break;
		case UI_WISH_HOLD: {
			bool hold = !atomic_load(&s->crew.hold);
			atomic_store(&s->crew.hold, hold);
			s->panel->held = hold;
			if (logkeeper_operator(s->keeper, hold ? "pause" : "start", NULL, &e) != 0)
				break;
			break;
		}
		case UI_WISH_CONFIRM:
			if (logkeeper_operator(s->keeper, "confirm", wish.text, &e) != 0)
				break;
			break;
		case UI_WISH_ANSWER:
			if (s->asking)
				answer(s, s->asked_place, wish.text);
			break;
		}
	}
}

/* --- events
 * ------------------------------------------------------------------------------------------------
 */
static void on_event(struct session *s, struct event *ev)
{
	panel_event(s->panel, ev);
	s->ui->event(s->ui, ev);
	switch (ev->kind) {
	case EVENT_WORKER_END:
		worker_join(&s->workers[ev->place]);
		s->n_running--;
		/* Its port may be back already: the event came while the worker still had it. */
		hotplug_soon(s->hotplug, RESCAN_GLOBS_MS);
		break;
	case EVENT_LOG_FAILED:
		s->log_failed = true;
		stop(s, 2, "the log cannot be written: " STOPPING);
		break;
	case EVENT_RECORD:
		if (ev->complete)
			stop(s, 1, "every device of the order is done");
		else if (s->o->count && s->panel->passed >= s->o->count)
			stop(s, 1, "as many devices have passed as --count says");
		break;
	case EVENT_SKIPPED:
		if (ev->run_over)
			stop(s, 1, "the time of the order or the package is over");
		break;
	case EVENT_PORT:
	case EVENT_STAGE:
	case EVENT_PROGRESS:
	case EVENT_NOTE:
	case EVENT_PROMPT:
		break;
	}
	json_decref(ev->json);
}

static void take_events(struct session *s)
{
	struct event ev;

	for (int i = 0; i < EVENTS_A_TURN && queue_pop(s->screen.queue, &ev, 0); i++)
		on_event(s, &ev);
	next_question(s);
}

static bool run_over(const struct session *s)
{
	if (s->n_running)
		return false;
	return !s->o->loop || s->stopping;
}

static int look_for_ports(struct session *s, struct err *e)
{
	switch (hotplug_due(s->hotplug, RESCAN_GLOBS_MS, RESCAN_MS)) {
	case HOTPLUG_NOTHING:
		return 0;
	case HOTPLUG_NAMES:
		return scan_ports(s, false, e);
	case HOTPLUG_ALL:
		return scan_ports(s, true, e);
	}
	return 0;
}

static int event_loop(struct session *s, struct err *e)
{
	int tick = s->ui->tick_ms ? s->ui->tick_ms : 500;
	int64_t drawn = 0;

	while (!run_over(s)) {
		struct pollfd fds[4] = {
			{ .fd = queue_fd(s->screen.queue), .events = POLLIN },
			{ .fd = s->signals, .events = POLLIN },
			{ .fd = s->o->loop ? hotplug_fd(s->hotplug) : -1, .events = POLLIN },
			{ .fd = s->ui->keys || (s->asking && !s->input_over) ? STDIN_FILENO : -1,
				.events = POLLIN },
		};
		if (poll(fds, 4, tick) < 0 && errno != EINTR)
			return err_errno(e, "poll");
		if (fds[1].revents)
			on_signal(s);
		if (fds[3].revents && s->ui->keys)
			on_key(s);
		else if (fds[3].revents)
			on_input(s);
		take_events(s);
		if (s->o->loop && !s->stopping && look_for_ports(s, e) != 0)
			return -1;
		int64_t now = clock_mono_ms();
		if (s->ui->tick_ms ? now - drawn >= s->ui->tick_ms : true) {
			drawn = now;
			s->ui->tick(s->ui);
		}
	}
	take_events(s);
	return 0;
}

/* --- setting up -------------------------------------------------------------------------- */
static const char *port_of_place(void *ctx, size_t place)
{
	const struct session *s = ctx;

	/* A place is filled before its worker starts, and never changes its port's name. */
	return place < PORTS_MAX ? s->workers[place].port : NULL;
}

static void set_job(struct session *s)
{
	const struct manifest *m = pkg_manifest(s->o->pkg);

	s->job = (struct device_job){ .pkg = s->o->pkg,
		.again = s->o->again,
		.lines = s->o->lines,
		.reset_ms = s->o->reset_ms };
	if (s->o->baud)
		s->job.bauds[s->job.n_bauds++] = s->o->baud;
	for (size_t i = 0; !s->o->baud && i < m->n_bauds && s->job.n_bauds < DEVICE_MAX_BAUDS; i++)
		s->job.bauds[s->job.n_bauds++] = m->bauds[i];
	if (!s->job.n_bauds)
		s->job.bauds[s->job.n_bauds++] = 115200;
}

static int start_keeper(struct session *s, struct run_log *log, size_t *recovered, struct err *e)
{
	const struct manifest *m = pkg_manifest(s->o->pkg);
	const struct order *o = s->o->order ? order_of(s->o->order) : NULL;
	struct history *history = NULL;
	struct logkeeper_options options = { .quantity = o ? (uint64_t)o->quantity : 0,
		.count = s->o->count,
		.not_after = m->expires,
		.again = s->o->again,
		.operator= s->o->operator,
		.screen = & s->screen,
		.port_name = port_of_place,
		.ctx = s };
	char hex[33];
	size_t n = 0;

	if (o && o->not_after < options.not_after)
		options.not_after = o->not_after;
	for (const char *p = m->package_id; *p && n < 32; p++)
		if (*p != '-')
			hex[n++] = *p;
	hex[n] = 0;
	if (hex_decode(options.package_id, sizeof options.package_id, hex) != 0)
		return err_set(e, ERR_INTERNAL, "package id %s", m->package_id);

	if (run_log_package(log->log, s->o->pkg, e) != 0 ||
		logkeeper_recover(log->log, &history, recovered, e) != 0)
		return -1;
	struct history_counts counts = history_counts(history);
	s->panel->counted = counts.irreversible;
	struct log *taken = log->log;
	log->log = NULL;
	if (logkeeper_start(&s->keeper, taken, history, &options, e) != 0)
		return -1;
	s->journal = logkeeper_journal(s->keeper);
	return 0;
}

static int open_signals(sigset_t *old, struct err *e)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGWINCH);
	/* Before any thread is made: all of them inherit the mask. */
	if (pthread_sigmask(SIG_BLOCK, &set, old) != 0)
		return err_set(e, ERR_ENV, "cannot block signals");
	signal(SIGPIPE, SIG_IGN); /* nobody reads the screen any more: devices go on */
	int fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	return fd >= 0 ? fd : err_errno(e, "signalfd");
}

static int set_up(struct session *s, struct run_log *log, size_t *recovered, struct err *e)
{
	s->workers = calloc(PORTS_MAX, sizeof *s->workers);
	s->hotplug = hotplug_new();
	if (!s->workers || !s->hotplug)
		return err_set(e, ERR_ENV, "out of memory");
	if (queue_new(&s->screen.queue, EVENT_QUEUE_CAPACITY, sizeof(struct event), e) != 0 ||
		prompts_new(&s->prompts, PORTS_MAX, e) != 0 ||
		panel_new(&s->panel, PORTS_MAX, s->o->pkg, e) != 0)
		return -1;
	set_job(s);
	if (s->o->order) {
		s->panel->order = order_of(s->o->order)->id;
		s->panel->quantity = (uint64_t)order_of(s->o->order)->quantity;
	}
	crew_init(&s->crew, s->o->jobs ? s->o->jobs : PORTS_MAX);
	s->crew.job = &s->job;
	s->crew.journal = &s->journal;
	s->crew.screen = &s->screen;
	s->crew.prompts = s->prompts;
	s->crew.loop = s->o->loop;
	if (start_keeper(s, log, recovered, e) != 0)
		return -1;
	s->panel->recovered = (unsigned)*recovered;
	return ui_new(&s->ui, s->o->ui, s->panel, s->o->quiet, e);
}

static void tear_down(struct session *s)
{
	struct event ev;

	for (size_t i = 0; s->workers && i < s->n_workers; i++) {
		if (s->workers[i].running)
			brake_pull(&s->workers[i].brake);
		worker_join(&s->workers[i]);
	}
	while (s->screen.queue && queue_pop(s->screen.queue, &ev, 0))
		json_decref(ev.json);
	if (s->ui)
		s->ui->free(s->ui);
	panel_free(s->panel);
	prompts_free(s->prompts);
	queue_free(s->screen.queue);
	hotplug_free(s->hotplug);
	if (s->signals >= 0)
		close(s->signals);
	free(s->workers);
}

/* --- the end
 * -----------------------------------------------------------------------------------------------
 */
int session_no_port(const struct session_options *o, struct err *e)
{
	return err_set(e, ERR_ENV, "no port to use%s",
		o->globs.n ? ": nothing matches --ports"
			   : " (name the places of the fixture with 'runner station slots', or "
			     "ports with --ports GLOB)");
}

static int verdict(const struct session *s, const struct history_counts *n, struct err *e)
{
	const struct panel *p = s->panel;

	if (s->interrupted)
		return EXIT_INTERRUPTED;
	if (p->failed || p->interrupted)
		return EXIT_SOME_FAILED;
	if (p->passed && s->o->count && p->passed < s->o->count && !s->o->loop)
		return EXIT_SOME_FAILED; /* fewer than asked for */
	if (!p->passed && p->skipped && p->quantity && n->irreversible >= p->quantity) {
		err_set(e, ERR_REJECTED,
			"order %s is exhausted: its quantity of %llu is used up, and no board here "
			"can be finished under it",
			p->order, (unsigned long long)p->quantity);
		return (int)exit_status_of(e->code);
	}
	if (p->passed || p->skipped || s->o->loop)
		return EXIT_OK;
	if (!s->n_workers)
		(void)session_no_port(s->o, e);
	else if (p->silent)
		err_set(e, ERR_TIMEOUT, "no device answers on %u port%s", p->silent,
			p->silent == 1 ? "" : "s");
	else
		err_set(e, ERR_ENV, "none of %zu ports can be used", s->n_workers);
	return (int)exit_status_of(e->code);
}

int session_run(const struct session_options *o, struct run_log *log, int *status, struct err *e)
{
	struct session s = { .o = o, .signals = -1 };
	struct err reason = { 0 };
	struct history_counts counts = { 0 };
	sigset_t old;
	size_t recovered = 0;
	bool closed = false;
	int rc = -1;

	sigemptyset(&old);
	s.signals = open_signals(&old, e);
	if (s.signals < 0 || set_up(&s, log, &recovered, e) != 0)
		goto out;
	if (logkeeper_operator(s.keeper, "start", NULL, e) != 0 || scan_ports(&s, true, e) != 0 ||
		event_loop(&s, e) != 0)
		goto out;

	/* No worker runs any more. Complete: the log is closed; else it stays open for the next
	 * run. */
	bool ordered = o->order != NULL;
	const char *close_reason = !ordered && !s.interrupted ? "complete" : NULL;
	struct logkeeper *keeper = s.keeper;
	s.keeper = NULL;
	rc = logkeeper_stop(keeper, close_reason, ordered, &counts, &closed, e);
	take_events(&s);
	if (rc != 0) {
		err_wrap(e, "%s", log->path);
		reason = *e;
		*status = (int)exit_status_of(e->code);
	} else {
		*status = verdict(&s, &counts, &reason);
	}
	struct ui_summary sum = { .passed = s.panel->passed,
		.failed = s.panel->failed,
		.interrupted = s.panel->interrupted,
		.skipped = s.panel->skipped,
		.silent = s.panel->silent,
		.unusable = s.panel->unusable,
		.recovered = (unsigned)recovered,
		.ms = clock_mono_ms() - s.panel->start_ms,
		.log_closed = closed,
		.log = log->path,
		.order = s.panel->order,
		.quantity = s.panel->quantity,
		.counted = counts.irreversible,
		.events_lost = atomic_load(&s.screen.lost),
		.exit_status = *status,
		.message = reason.code ? reason.msg : NULL };
	s.ui->summary(s.ui, &sum);
	if (reason.code) {
		*e = reason;
		rc = -1;
	}
out:
	/* Workers end before the log does: their last words must find it. */
	for (size_t i = 0; s.workers && i < s.n_workers; i++) {
		if (s.workers[i].running)
			brake_pull(&s.workers[i].brake);
	}
	if (s.keeper) {
		struct err ignored;
		queue_close(s.screen.queue);
		for (size_t i = 0; i < s.n_workers; i++)
			worker_join(&s.workers[i]);
		if (logkeeper_stop(s.keeper, NULL, false, NULL, &closed, &ignored) != 0)
			(void)ignored;
	}
	tear_down(&s);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return rc;
}

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/exit_status.h"
#include "base/fsio.h"
#include "base/json.h"
#include "base/text.h"
#include "runner/admission.h"
#include "runner/commands.h"
#include "runner/device.h"
#include "runner/dry.h"
#include "runner/record.h"

/* The script against a device that exists only in memory; the log is the screen. */
struct printer {
	bool json, quiet;
	uint64_t seq;
	uint64_t begin;
};

static void print_json(const char *kind, uint64_t seq, json_t *members, enum fault_code fault)
{
	AUTO(buf_clear) struct buf out = { 0 };
	AUTO(json_freep) json_t *m = members;
	AUTO(json_freep) json_t *j = m ? record_event(kind, seq, m, NULL, fault) : NULL;
	struct err e;

	if (j && json_line(j, &out, &e) == 0) {
		fwrite(out.p, 1, out.len, stdout);
		putchar('\n');
	}
}

static int print_begin(
	void *ctx, const struct device_facts *f, struct begin_answer *out, struct err *e)
{
	struct printer *p = ctx;

	(void)e;
	memset(out, 0, sizeof *out);
	out->verdict = BEGIN_GO;
	out->attempt = 1;
	out->begin = p->begin = p->seq++;
	if (p->json)
		print_json("device-begin", p->begin, record_begin(f, 0, 1, -1), FAULT_NONE);
	return 0;
}

static int print_intent(
	void *ctx, const struct intent_facts *f, struct intent_answer *out, struct err *e)
{
	struct printer *p = ctx;

	(void)e;
	memset(out, 0, sizeof *out);
	out->seq = p->seq++;
	if (p->json)
		print_json("intent", out->seq, record_intent(f), FAULT_NONE);
	else if (!p->quiet && !f->attestation)
		printf("  %-12s [the log entry is written first]\n", f->stage);
	return 0;
}

static int print_step(void *ctx, const struct step_facts *f, struct err *e)
{
	static const char *const words[] = {
		[STEP_OK] = "ok", [STEP_FAILED] = "FAILED", [STEP_SKIPPED] = "skipped"
	};
	struct printer *p = ctx;

	(void)e;
	if (p->json)
		print_json("step", p->seq++, record_step(f), FAULT_NONE);
	else if (!p->quiet)
		printf("  %-12s %-50s %s\n", f->stage, f->command, words[f->outcome]);
	return 0;
}

static int print_attestation(
	void *ctx, const struct attestation_facts *f, uint64_t *seq, struct err *e)
{
	struct printer *p = ctx;

	(void)e;
	*seq = p->seq++;
	if (p->json)
		print_json("attestation", *seq, record_attestation(f), FAULT_NONE);
	else if (!p->quiet)
		puts("               dice-attest: a device in memory gives no receipt");
	return 0;
}

static int print_end(void *ctx, const struct end_facts *f, struct err *e)
{
	struct printer *p = ctx;

	(void)e;
	if (p->json)
		print_json("device-end", p->seq++, record_end(f), f->fault);
	else
		printf("%s%s%s\n", f->result == DEVICE_PASS ? "the script runs through" : "FAIL ",
			f->reason ? f->reason : "", "");
	return 0;
}

static int print_operator(void *ctx, const char *action, const char *text, struct err *e)
{
	struct printer *p = ctx;

	(void)e;
	if (p->json)
		print_json(
			"operator", p->seq++, record_operator(action, "nobody", text), FAULT_NONE);
	return 0;
}

static int open_dry(void *ctx, uint32_t baud, struct mboot_io *out, struct err *e)
{
	(void)baud;
	return dry_open(ctx, out, e);
}

/* Questions are answered, so that a script with prompts can be tried. */
struct answers {
	struct prompts *prompts;
	struct event_sink *screen;
	atomic_bool stop;
};

static void *answer_thread(void *arg)
{
	struct answers *a = arg;
	struct event ev;
	char question[SCRIPT_TEXT_MAX + 1];
	size_t place;

	while (!atomic_load(&a->stop)) {
		if (queue_pop(a->screen->queue, &ev, 50))
			json_decref(ev.json);
		while (prompts_next(a->prompts, &place, question))
			prompts_answer(a->prompts, place, "simulated");
	}
	return NULL;
}

static int simulate(const struct pkg *pkg, struct printer *printer, struct err *e)
{
	struct journal journal = { print_begin, print_intent, print_step, print_attestation,
		print_end, print_operator, printer };
	struct device_job job = {
		.pkg = pkg, .bauds = { 115200 }, .n_bauds = 1, .reset_ms = 1, .dry = true
	};
	struct dry *dry = NULL;
	struct event_sink screen = { 0 };
	struct answers answers = { .screen = &screen };
	struct brake brake;
	struct fault fault = { 0 };
	enum begin_verdict verdict = BEGIN_GO;
	pthread_t thread;
	int status = -1;

	brake_init(&brake);
	struct device_place place = {
		.slot = "dry", .port = "memory", .pty = true, .open = open_dry
	};
	struct device_link link = { .job = &job,
		.place = &place,
		.journal = &journal,
		.screen = &screen,
		.brake = &brake };
	if (dry_new(&dry, pkg, e) != 0 ||
		queue_new(&screen.queue, 256, sizeof(struct event), e) != 0 ||
		prompts_new(&answers.prompts, 1, e) != 0)
		goto out;
	place.ctx = dry;
	link.prompts = answers.prompts;
	if (pthread_create(&thread, NULL, answer_thread, &answers) != 0) {
		err_set(e, ERR_ENV, "cannot start a thread");
		goto out;
	}
	if (device_connect(&link, e) == 0)
		status = device_run(&link, &fault, &verdict) == DEVICE_OUTCOME_PASS
				 ? EXIT_OK
				 : EXIT_SOME_FAILED;
	device_disconnect(&link);
	atomic_store(&answers.stop, true);
	pthread_join(thread, NULL);
out:
	prompts_free(answers.prompts);
	queue_free(screen.queue);
	dry_free(dry);
	brake_clear(&brake);
	return status;
}

static int run_simulate(const struct cli *c, struct err *e)
{
	AUTO(str_freep) char *dir = station_folder(c, e);
	AUTO(station_close) struct station s = { .lock = -1 };
	AUTO(admission_clear) struct admission a = { 0 };
	AUTO(pkg_freep) struct pkg *pkg = NULL;
	AUTO(str_freep) char *path = NULL;
	struct printer printer = { .json = c->json, .quiet = c->verbosity < 0 };

	if (!dir || station_open(&s, dir, STATION_LOOK, e) != 0 || admission_init(&a, &s, e) != 0)
		return -1;
	path = depot_package_path(&a.depot, &s, c->operands.v[0], e);
	/* No device is touched, so window and policy need not hold. */
	if (!path || pkg_open(&pkg, path, &a.trust, &(struct pkg_expect){ 0 }, NULL, e) != 0)
		return -1;
	if (!c->json && !printer.quiet)
		printf("%s %s, on a device in memory:\n", pkg_manifest(pkg)->product,
			pkg_manifest(pkg)->release);
	return simulate(pkg, &printer, e);
}

static const struct cli_option simulate_options[] = { STATE_OPTION, { 0 } };

const struct cli_command run_cmd_simulate = {
	"simulate",
	"PKG|PRODUCT",
	1,
	1,
	"run the script on a device that exists only in memory",
	simulate_options,
	run_simulate,
};

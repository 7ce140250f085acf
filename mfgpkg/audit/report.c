/* Watching the leaves go by: identity, devices, times, causes. */
#include <stdlib.h>
#include <string.h>

#include "base/fsio.h"
#include "base/json.h"
#include "base/text.h"
#include "mfgpkg/audit/report_data.h"

/* --- text ------------------------------------------------------------------------------------- */

/* A copy cut to fit at the border of a character, with dots when something is lost. */
static void cut(char *out, size_t cap, const char *text)
{
	size_t n = strlen(text);

	if (n < cap) {
		memcpy(out, text, n + 1);
		return;
	}
	n = cap - 4;
	while (n > 0 && ((unsigned char)text[n] & 0xC0) == 0x80)
		n--;
	memcpy(out, text, n);
	strcpy(out + n, "...");
}

/* A member as text, "" when it is null or absent. */
static void take(
	struct oem_report *r, const struct leaf *l, enum leaf_member m, char *out, size_t cap)
{
	out[0] = '\0';
	if (leaf_text(l, m, r->text, sizeof r->text) == 0)
		cut(out, cap, r->text);
}
#define TAKE(r, l, m, out) take(r, l, m, out, sizeof(out))

/* --- genesis ---------------------------------------------------------------------------------- */

static void order_text(const json_t *j, const char *key, char *out, size_t cap)
{
	const char *s = json_string_value(json_object_get(j, key));

	cut(out, cap, s ? s : "");
}
#define ORDER_TEXT(j, key, out) order_text(j, key, out, sizeof(out))

static void genesis(struct oem_report *r, const struct leaf *l)
{
	struct report_genesis *g = &r->genesis;

	g->sequence = -1;
	TAKE(r, l, LM_RUNNER_VERSION, g->runner_version);
	TAKE(r, l, LM_RUNNER_SHA256, g->runner_sha256);
	TAKE(r, l, LM_HOST_OS, g->os);
	TAKE(r, l, LM_HOST_KERNEL, g->kernel);
	TAKE(r, l, LM_HOST_MACHINE, g->machine);
	TAKE(r, l, LM_EPOCH0, r->epoch_keys[0]);
	r->n_epoch_keys = 1;
	if (leaf_text(l, LM_ORDER, r->text, sizeof r->text) != 0)
		return;
	struct err ignored; /* the verifier says what is wrong with an order */
	AUTO(json_freep) json_t *j = json_read("order", r->text, strlen(r->text), &ignored);
	if (!j)
		return;
	g->has_order = true;
	ORDER_TEXT(j, "customer", g->customer);
	ORDER_TEXT(j, "product", g->product);
	ORDER_TEXT(j, "package", g->package);
	ORDER_TEXT(j, "package_id", g->package_id);
	ORDER_TEXT(j, "not_before", g->not_before);
	ORDER_TEXT(j, "not_after", g->not_after);
	const json_t *sequence = json_object_get(j, "sequence");
	if (json_is_integer(sequence))
		g->sequence = json_integer_value(sequence);
	g->epoch0_ordered = json_is_string(json_object_get(j, "epoch0"));
	g->n_witnesses = json_array_size(json_object_get(j, "witnesses"));
}

static void package(struct oem_report *r, const struct leaf *l)
{
	char id[17];
	size_t pos = 0;

	if (r->n_packages == REPORT_PACKAGES_MAX) {
		r->more_packages++;
		return;
	}
	struct report_package *p = &r->packages[r->n_packages++];
	p->leaf = (int64_t)l->seq;
	p->accepted = leaf_is(l, LM_RESULT, "accepted");
	p->sequence = leaf_int(l, LM_SEQUENCE, -1);
	TAKE(r, l, LM_FILE, p->file);
	TAKE(r, l, LM_PRODUCT, p->product);
	TAKE(r, l, LM_RELEASE, p->release);
	TAKE(r, l, LM_PACKAGE, p->package);
	TAKE(r, l, LM_CONTAINER, p->container);
	TAKE(r, l, LM_PACKAGE_ID, p->package_id);
	TAKE(r, l, LM_REASON, p->reason);
	while (p->n_signers < REPORT_SIGNERS_MAX &&
		leaf_array_next(leaf_value(l, LM_SIGNERS), &pos, id, sizeof id) == 1)
		memcpy(p->signers[p->n_signers++], id, sizeof id);
}

/* --- devices ---------------------------------------------------------------------------------- */

static size_t slot_of(struct oem_report *r, const char *name)
{
	size_t i;

	for (i = 0; i < r->n_slots; i++)
		if (strcmp(r->slots[i].name, name) == 0)
			return i;
	if (i < REPORT_SLOTS_MAX) {
		cut(r->slots[i].name, sizeof r->slots[i].name, name);
		r->n_slots++;
	}
	return i;
}

static size_t stage_of(struct oem_report *r, const struct leaf *l)
{
	char name[65];
	size_t i;

	TAKE(r, l, LM_STAGE, name);
	for (i = 0; i < r->n_stages; i++)
		if (strcmp(r->stages[i].name, name) == 0)
			return i;
	if (i == REPORT_STAGES_MAX)
		return i - 1; /* the last one takes the rest in */
	if (i == REPORT_STAGES_MAX - 1)
		strcpy(name, "other stages");
	strcpy(r->stages[i].name, name);
	r->n_stages++;
	return i;
}

static struct report_open *find_open(struct oem_report *r, const struct leaf *l)
{
	int64_t begin = leaf_int(l, LM_BEGIN, -1);

	for (size_t i = 0; i < r->n_open; i++)
		if (r->open[i].a.begin == begin)
			return &r->open[i];
	return NULL;
}

/* A place in the table for an attempt that is over: those that did not pass go first. */
static void keep_row(struct oem_report *r, const struct report_attempt *a)
{
	bool pass = a->outcome == OUTCOME_PASS;

	if (pass)
		r->n_passed++;
	else
		r->n_not_passed++;
	if (pass && r->n_good < REPORT_ROWS_GOOD)
		r->good[r->n_good++] = *a;
	else if (!pass && r->n_bad < REPORT_ROWS_BAD)
		r->bad[r->n_bad++] = *a;
}

static void count_outcome(struct oem_report *r, const struct report_open *o)
{
	if (o->slot < REPORT_SLOTS_MAX)
		r->slots[o->slot].count[o->a.outcome]++;
	else
		r->other_slots++;
	keep_row(r, &o->a);
}

static void forget(struct oem_report *r, struct report_open *o)
{
	*o = r->open[--r->n_open];
}

static void device_begin(struct oem_report *r, const struct leaf *l)
{
	char slot[REPORT_TEXT_CAP];

	if (r->n_open == REPORT_OPEN_MAX) { /* the verifier reports the first one as lost */
		r->open[0].a.outcome = OUTCOME_UNKNOWN;
		count_outcome(r, &r->open[0]);
		forget(r, &r->open[0]);
	}
	struct report_open *o = &r->open[r->n_open++];
	memset(o, 0, sizeof *o);
	o->a.begin = (int64_t)l->seq;
	o->a.end = -1;
	o->a.time_ms = l->time_ms;
	o->a.device = (uint64_t)leaf_int(l, LM_DEVICE, 0);
	o->a.attempt = (uint64_t)leaf_int(l, LM_ATTEMPT, 0);
	o->a.resumed = leaf_has(l, LM_RESUMES);
	o->a.outcome = OUTCOME_UNKNOWN;
	if (leaf_hex(l, LM_UUID, o->a.uuid, 16) != 0)
		memset(o->a.uuid, 0, 16);
	TAKE(r, l, LM_LIFECYCLE, o->a.lifecycle);
	/* A station without named slots is told apart by its ports. */
	TAKE(r, l, LM_SLOT, slot);
	if (!*slot)
		TAKE(r, l, LM_PORT, slot);
	cut(o->a.slot, sizeof o->a.slot, slot);
	o->slot = slot_of(r, slot);
	r->reworked += o->a.attempt == 2;
	r->resumed += o->a.resumed;
}

static void intent(struct oem_report *r, const struct leaf *l)
{
	struct report_open *o = find_open(r, l);

	if (!o)
		return;
	TAKE(r, l, LM_STAGE, o->stage);
	o->intent_boot_ms = l->boot_ms;
	o->intent_stage = stage_of(r, l);
}

static void add_stage_time(struct report_open *o, size_t stage, int64_t ms)
{
	o->stages |= (uint32_t)1 << stage;
	o->stage_ms[stage] += ms > 0 ? (uint64_t)ms : 0;
}

static void step(struct oem_report *r, const struct leaf *l)
{
	struct report_open *o = find_open(r, l);

	if (!o || leaf_is(l, LM_RESULT, "skipped"))
		return;
	size_t stage = stage_of(r, l);
	r->steps++;
	r->retried += leaf_int(l, LM_TRIES, 1) > 1;
	r->bytes += (uint64_t)leaf_int(l, LM_BYTES, 0);
	add_stage_time(o, stage, leaf_int(l, LM_MS, 0));
	o->stage[0] = '\0';
	if (leaf_is(l, LM_RESULT, "failed")) {
		r->stages[stage].failed++;
		TAKE(r, l, LM_STAGE, o->stage);
	}
}

static void refusal(struct oem_report *r, uint32_t status)
{
	size_t i = 0;

	while (i < r->n_refusals && r->refusals[i].status != status)
		i++;
	if (i == REPORT_STATUSES_MAX)
		return;
	if (i == r->n_refusals)
		r->refusals[r->n_refusals++].status = status;
	r->refusals[i].n++;
}

static void attestation(struct oem_report *r, const struct leaf *l)
{
	struct report_open *o = find_open(r, l);

	if (leaf_is(l, LM_RESULT, "ok")) {
		r->attest_ok++;
	} else if (leaf_is(l, LM_RESULT, "refused")) {
		r->attest_refused++;
		refusal(r, (uint32_t)leaf_int(l, LM_STATUS, 0));
	} else {
		r->attest_invalid++;
	}
	if (!o)
		return;
	add_stage_time(o, o->intent_stage, l->boot_ms - o->intent_boot_ms);
	if (leaf_is(l, LM_RESULT, "ok"))
		o->stage[0] = '\0';
}

/* What went wrong, without what differs from device to device: a reason of the runner is
 * "CODE details (sentence)", and only code and sentence name the cause. */
static void cause_of(const char *reason, char *out, size_t cap)
{
	size_t n = strlen(reason);
	const char *open = strrchr(reason, '(');
	bool coded = n > 4 && reason[0] >= 'A' && reason[0] <= 'Z' && reason[3] == ' ' &&
		     strspn(reason + 1, "0123456789") == 2;
	char text[REPORT_TEXT_CAP * 2];

	if (!*reason) {
		cut(out, cap, "no reason given");
	} else if (coded && open && reason[n - 1] == ')') {
		snprintf(text, sizeof text, "%.4s%.*s", reason,
			(int)(n - 2 - (size_t)(open - reason)), open + 1);
		cut(out, cap, text);
	} else {
		cut(out, cap, reason);
	}
}

static void count_cause(struct oem_report *r, const struct report_open *o)
{
	struct report_cause c = { .outcome = o->a.outcome, .first = o->a.end, .n = 1 };

	cause_of(o->a.cause, c.text, sizeof c.text);
	strcpy(c.stage, o->stage);
	for (size_t i = 0; i < r->n_causes; i++) {
		struct report_cause *have = &r->causes[i];
		if (have->outcome == c.outcome && strcmp(have->text, c.text) == 0 &&
			strcmp(have->stage, c.stage) == 0) {
			have->n++;
			return;
		}
	}
	if (r->n_causes < REPORT_CAUSES_MAX)
		r->causes[r->n_causes++] = c;
	else
		r->other_causes++;
}

static void device_end(struct oem_report *r, const struct leaf *l)
{
	struct report_open *o = find_open(r, l);

	if (!o)
		return;
	o->a.end = (int64_t)l->seq;
	o->a.ms = (uint64_t)leaf_int(l, LM_MS, 0);
	o->a.irreversible = leaf_int(l, LM_IRREVERSIBLE, 0) != 0;
	o->a.receipt = leaf_has(l, LM_ATTESTATION);
	o->a.outcome = leaf_is(l, LM_RESULT, "pass")   ? OUTCOME_PASS
		       : leaf_is(l, LM_RESULT, "fail") ? OUTCOME_FAIL
						       : OUTCOME_INTERRUPTED;
	TAKE(r, l, LM_REASON, o->a.cause);
	if (leaf_has(l, LM_LIFECYCLE))
		TAKE(r, l, LM_LIFECYCLE, o->a.lifecycle);
	report_bins_add(&r->bins, l->time_ms, o->a.outcome);
	for (size_t i = 0; i < r->n_stages; i++)
		if (o->stages >> i & 1)
			report_durations_add(&r->stages[i].time, o->stage_ms[i]);
	if (o->a.outcome == OUTCOME_PASS) {
		report_durations_add(&r->whole, o->a.ms);
		r->first_pass += o->a.attempt == 1;
		r->rework_passed += o->a.attempt > 1;
	} else {
		count_cause(r, o);
	}
	count_outcome(r, o);
	forget(r, o);
}

/* --- the rest --------------------------------------------------------------------------------- */

static struct report_event *event(struct oem_report *r, const struct leaf *l)
{
	static struct report_event none;

	if (r->n_events == REPORT_EVENTS_MAX) {
		r->more_events++;
		memset(&none, 0, sizeof none);
		return &none;
	}
	struct report_event *e = &r->events[r->n_events++];
	e->leaf = (int64_t)l->seq;
	e->time_ms = l->time_ms;
	strcpy(e->kind, leaf_kind_name(l->kind));
	return e;
}

static void operator_did(struct oem_report *r, const struct leaf *l)
{
	struct report_event *e = event(r, l);

	TAKE(r, l, LM_ACTION, e->what);
	TAKE(r, l, LM_OPERATOR, e->who);
	TAKE(r, l, LM_TEXT, e->text);
}

static void clock_moved(struct oem_report *r, const struct leaf *l)
{
	struct report_event *e = event(r, l);
	long long s = (long long)leaf_int(l, LM_DELTA_MS, 0) / 1000;

	TAKE(r, l, LM_CAUSE, e->what);
	if (leaf_is(l, LM_CAUSE, "boot-changed")) {
		r->restarts++;
		snprintf(e->text, sizeof e->text,
			"the station was restarted; %lld s by its wall clock", s);
	} else {
		r->clock_steps++;
		snprintf(e->text, sizeof e->text, "the wall clock was moved by %+lld s", s);
	}
}

static void seal(struct oem_report *r, const struct leaf *l)
{
	r->seals++;
	if (leaf_has(l, LM_NEXT) && r->n_epoch_keys < REPORT_EPOCHS_MAX)
		TAKE(r, l, LM_NEXT, r->epoch_keys[r->n_epoch_keys++]);
}

/* Workspace: what was made, and what vouches for it. */
static void entry(struct oem_report *r, const struct leaf *l)
{
	static const enum leaf_member what[] = { LM_ACTION, LM_TYPE, LM_ORDER, LM_RELEASE };
	static const enum leaf_member digest[] = { LM_SHA256, LM_PACKAGE, LM_PUBLIC };
	char part[64];

	if (r->n_entries == REPORT_ENTRIES_MAX) {
		r->more_entries++;
		return;
	}
	struct report_event *e = &r->entries[r->n_entries++];
	e->leaf = (int64_t)l->seq;
	e->time_ms = l->time_ms;
	strcpy(e->kind, leaf_kind_name(l->kind));
	for (size_t i = 0; i < sizeof what / sizeof what[0]; i++) {
		TAKE(r, l, what[i], part);
		size_t n = strlen(e->what);
		if (*part)
			snprintf(e->what + n, sizeof e->what - n, "%s%s", n ? " " : "", part);
	}
	TAKE(r, l, LM_FILE, e->text);
	TAKE(r, l, LM_SIGNER, e->who);
	for (size_t i = 0; i < sizeof digest / sizeof digest[0] && !*e->digest; i++)
		TAKE(r, l, digest[i], e->digest);
}

int oem_report_leaf(void *report, const struct leaf *l, struct err *e)
{
	struct oem_report *r = report;

	(void)e;
	switch (l->kind) {
	case LEAF_GENESIS:
		genesis(r, l);
		break;
	case LEAF_PACKAGE:
		package(r, l);
		break;
	case LEAF_DEVICE_BEGIN:
		device_begin(r, l);
		break;
	case LEAF_INTENT:
		intent(r, l);
		break;
	case LEAF_STEP:
		step(r, l);
		break;
	case LEAF_ATTESTATION:
		attestation(r, l);
		break;
	case LEAF_DEVICE_END:
		device_end(r, l);
		break;
	case LEAF_OPERATOR:
		operator_did(r, l);
		break;
	case LEAF_CLOCK:
		clock_moved(r, l);
		break;
	case LEAF_EPOCH_SEAL:
		seal(r, l);
		break;
	case LEAF_CLOSE:
		TAKE(r, l, LM_REASON, r->close_reason);
		break;
	case LEAF_KEY:
	case LEAF_ARTIFACT:
	case LEAF_WS_PACKAGE:
	case LEAF_APPROVAL:
	case LEAF_ORDER:
		entry(r, l);
		break;
	case LEAF_KINDS:
		break;
	}
	return 0;
}

/* --- life ------------------------------------------------------------------------------------- */

int oem_report_new(struct oem_report **out, const char *name, struct err *e)
{
	struct oem_report *r = calloc(1, sizeof *r);

	if (!r)
		return err_set(e, ERR_ENV, "out of memory");
	name = path_basename(name);
	/* A file name may hold any bytes; a report holds text. */
	if (utf8_valid(name, strlen(name)))
		cut(r->name, sizeof r->name, name);
	else
		text_escape(r->name, sizeof r->name, name, strlen(name));
	r->genesis.sequence = -1;
	*out = r;
	return 0;
}

void oem_report_free(struct oem_report *r)
{
	free(r);
}

static int by_begin(const void *x, const void *y)
{
	const struct report_attempt *const *a = x, *const *b = y;

	return (*a)->begin < (*b)->begin ? -1 : (*a)->begin > (*b)->begin;
}

static int by_count(const void *x, const void *y)
{
	const struct report_cause *a = x, *b = y;

	if (a->n != b->n)
		return a->n > b->n ? -1 : 1;
	return a->first < b->first ? -1 : a->first > b->first;
}

static int by_name(const void *x, const void *y)
{
	return strverscmp(
		((const struct report_slot *)x)->name, ((const struct report_slot *)y)->name);
}

int oem_report_settle(struct oem_report *r, const struct audit_result *result,
	const struct audit_expect *x, struct err *e)
{
	if (r->settled)
		return err_set(e, ERR_INTERNAL, "a report is settled once");
	r->settled = true;
	r->result = *result;
	for (size_t i = 0; i < r->n_open; i++) {
		r->open[i].a.outcome = OUTCOME_UNKNOWN;
		count_outcome(r, &r->open[i]);
	}
	r->n_open = 0;
	for (size_t i = 0; i < r->n_good; i++)
		r->rows[r->n_rows++] = &r->good[i];
	for (size_t i = 0; i < r->n_bad; i++)
		r->rows[r->n_rows++] = &r->bad[i];
	qsort(r->rows, r->n_rows, sizeof r->rows[0], by_begin);
	qsort(r->causes, r->n_causes, sizeof r->causes[0], by_count);
	qsort(r->slots, r->n_slots, sizeof r->slots[0], by_name);

	r->n_oem = x->n_oem;
	r->n_known = x->n_known;
	r->n_witnesses = x->n_witnesses;
	r->dice_ca = x->dice_ca != NULL;
	r->rtf = x->rtf != NULL;
	r->log_key = x->log_key != NULL;
	for (size_t i = 0; i < x->n_oem && i < REPORT_SIGNERS_MAX; i++)
		minisign_id_hex(r->oem_ids[i], x->oem[i].id);
	for (size_t i = 0; i < x->n_witnesses && i < REPORT_SIGNERS_MAX; i++)
		snprintf(r->witness_names[i], sizeof r->witness_names[i], "%s",
			x->witnesses[i].name);
	return 0;
}

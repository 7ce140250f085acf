/* The report as JSON: schemas/audit-report.schema.json. */
#include "base/json.h"
#include "base/text.h"
#include "base/version.h"
#include "mboot/status.h"
#include "mfgpkg/audit/report_data.h"

#define INT(v) json_integer((json_int_t)(v))

static void put(json_t *o, const char *key, json_t *value)
{
	json_object_set_new(o, key, value);
}

static json_t *text_or_null(const char *s)
{
	return *s ? json_string(s) : json_null();
}

static json_t *int_or_null(int64_t v)
{
	return v < 0 ? json_null() : INT(v);
}

static json_t *when(int64_t ms)
{
	char text[TIME_MS_LEN + 1];

	return json_string(time_format_ms(text, ms));
}

static json_t *percent(uint64_t part, uint64_t whole)
{
	return whole ? json_real((double)(uint64_t)(report_share(part, whole) * 100 + 0.5) / 100)
		     : json_null();
}

static json_t *order(const struct oem_report *r)
{
	const struct report_genesis *g = &r->genesis;

	if (!g->has_order)
		return json_null();
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:I, s:s, s:s, s:b, s:I}", "order",
		r->result.order_id, "customer", g->customer, "product", g->product, "package",
		g->package, "package_id", g->package_id, "sequence", int_or_null(g->sequence),
		"quantity", (json_int_t)r->result.quantity, "not_before", g->not_before,
		"not_after", g->not_after, "epoch0", g->epoch0_ordered, "witnesses",
		(json_int_t)g->n_witnesses);
}

static json_t *packages(const struct oem_report *r)
{
	json_t *list = json_array();

	for (size_t i = 0; i < r->n_packages; i++) {
		const struct report_package *p = &r->packages[i];
		json_t *signers = json_array();
		for (size_t k = 0; k < p->n_signers; k++)
			json_array_append_new(signers, json_string(p->signers[k]));
		json_array_append_new(list,
			json_pack("{s:I, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "leaf",
				(json_int_t)p->leaf, "result", p->accepted ? "accepted" : "refused",
				"file", p->file, "product", text_or_null(p->product), "release",
				text_or_null(p->release), "sequence", int_or_null(p->sequence),
				"package", text_or_null(p->package), "package_id",
				text_or_null(p->package_id), "container",
				text_or_null(p->container), "signers", signers, "reason",
				text_or_null(p->reason)));
	}
	return list;
}

static json_t *quantity(const struct oem_report *r)
{
	const struct audit_result *a = &r->result;
	json_t *o = json_object();

	put(o, "planned", int_or_null(a->quantity));
	put(o, "devices", INT(a->devices));
	put(o, "irreversible", INT(a->totals.irreversible));
	put(o, "passed", INT(a->totals.passed));
	put(o, "first_pass", INT(r->first_pass));
	put(o, "not_passed", INT(report_not_passed(r)));
	put(o, "reworked", INT(r->reworked));
	put(o, "rework_passed", INT(r->rework_passed));
	put(o, "attempts", INT(a->totals.begun));
	put(o, "attempts_failed", INT(a->totals.failed));
	put(o, "attempts_interrupted", INT(a->totals.interrupted));
	put(o, "attempts_unknown", INT(a->unknown));
	put(o, "attempts_resumed", INT(r->resumed));
	put(o, "steps", INT(r->steps));
	put(o, "steps_retried", INT(r->retried));
	put(o, "bytes", INT(r->bytes));
	return o;
}

static json_t *yield(const struct oem_report *r)
{
	const struct report_bins *b = &r->bins;
	json_t *bins = json_array();
	int64_t width = report_bins_ms(b);

	for (size_t i = 0; i < b->n; i++)
		json_array_append_new(
			bins, json_pack("{s:o, s:I, s:I, s:I}", "from",
				      when((b->first + (int64_t)i) * width), "pass",
				      (json_int_t)b->count[i][OUTCOME_PASS], "fail",
				      (json_int_t)b->count[i][OUTCOME_FAIL], "interrupted",
				      (json_int_t)b->count[i][OUTCOME_INTERRUPTED]));
	return json_pack("{s:o, s:o, s:I, s:o}", "first_pass_percent",
		percent(r->first_pass, r->result.devices), "final_percent",
		percent(r->result.totals.passed, r->result.devices), "bin_seconds",
		(json_int_t)(width / 1000), "bins", bins);
}

static json_t *durations(const char *name, const struct report_durations *d, uint64_t failed)
{
	json_t *buckets = json_array();

	for (size_t i = 0; i < REPORT_BUCKETS; i++)
		if (d->bucket[i])
			json_array_append_new(buckets, json_pack("{s:I, s:I}", "from_ms",
							       (json_int_t)report_bucket_start(i),
							       "n", (json_int_t)d->bucket[i]));
	return json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "name", name, "n",
		(json_int_t)d->n, "failed", (json_int_t)failed, "shortest_ms", (json_int_t)d->min,
		"median_ms", (json_int_t)report_durations_at(d, 0.5), "p95_ms",
		(json_int_t)report_durations_at(d, 0.95), "longest_ms", (json_int_t)d->max,
		"buckets", buckets);
}

static json_t *stages(const struct oem_report *r)
{
	json_t *list = json_array();

	for (size_t i = 0; i < r->n_stages; i++)
		json_array_append_new(list,
			durations(r->stages[i].name, &r->stages[i].time, r->stages[i].failed));
	return list;
}

static json_t *causes(const struct oem_report *r)
{
	json_t *list = json_array();

	for (size_t i = 0; i < r->n_causes; i++) {
		const struct report_cause *c = &r->causes[i];
		json_array_append_new(list,
			json_pack("{s:s, s:s, s:o, s:I, s:I}", "cause", c->text, "result",
				report_outcome_name(c->outcome), "stage", text_or_null(c->stage),
				"n", (json_int_t)c->n, "first_leaf", (json_int_t)c->first));
	}
	return list;
}

static json_t *slots(const struct oem_report *r)
{
	json_t *list = json_array();

	for (size_t i = 0; i < r->n_slots; i++) {
		const struct report_slot *s = &r->slots[i];
		json_t *o = json_pack("{s:s}", "slot", s->name);
		for (enum report_outcome k = 0; k < OUTCOMES; k++)
			put(o, report_outcome_name(k), INT(s->count[k]));
		json_array_append_new(list, o);
	}
	return list;
}

static json_t *receipts(const struct oem_report *r)
{
	const struct audit_result *a = &r->result;
	json_t *refusals = json_array();

	for (size_t i = 0; i < r->n_refusals; i++) {
		const char *name = mboot_status_name(r->refusals[i].status);
		json_array_append_new(refusals,
			json_pack("{s:I, s:o, s:I}", "status", (json_int_t)r->refusals[i].status,
				"name", text_or_null(name ? name : ""), "n",
				(json_int_t)r->refusals[i].n));
	}
	return json_pack("{s:I, s:I, s:b, s:I, s:I, s:I, s:o}", "good", (json_int_t)a->receipts,
		"passed_without", (json_int_t)a->no_receipt, "ca_checked", a->receipts_by_ca,
		"answered", (json_int_t)r->attest_ok, "refused", (json_int_t)r->attest_refused,
		"invalid", (json_int_t)r->attest_invalid, "refusals", refusals);
}

static json_t *events(const struct report_event *e, size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(
			list, json_pack("{s:I, s:o, s:s, s:o, s:o, s:o, s:o}", "leaf",
				      (json_int_t)e[i].leaf, "time", when(e[i].time_ms), "kind",
				      e[i].kind, "what", text_or_null(e[i].what), "who",
				      text_or_null(e[i].who), "text", text_or_null(e[i].text),
				      "digest", text_or_null(e[i].digest)));
	return list;
}

static json_t *names(const char *list, size_t cap, size_t n)
{
	json_t *j = json_array();

	for (size_t i = 0; i < n && i < REPORT_SIGNERS_MAX; i++)
		json_array_append_new(j, json_string(list + i * cap));
	return j;
}

static json_t *keys(const struct oem_report *r)
{
	char station[VKEY_TEXT_CAP] = "";
	json_t *epochs = json_array();

	for (size_t i = 0; i < r->n_epoch_keys; i++)
		json_array_append_new(epochs, json_string(r->epoch_keys[i]));
	if (*r->result.station.name)
		vkey_text(&r->result.station, station);
	return json_pack("{s:o, s:o, s:o, s:I}", "oem", text_or_null(r->result.oem_key), "station",
		text_or_null(station), "epochs", epochs, "seals", (json_int_t)r->seals);
}

static json_t *expected(const struct oem_report *r)
{
	return json_pack("{s:o, s:I, s:o, s:b, s:b, s:b}", "oem_keys",
		names(r->oem_ids[0], sizeof r->oem_ids[0], r->n_oem), "checkpoints",
		(json_int_t)r->n_known, "witnesses",
		names(r->witness_names[0], sizeof r->witness_names[0], r->n_witnesses), "dice_ca",
		r->dice_ca, "rtf", r->rtf, "log_key", r->log_key);
}

static json_t *tools(const struct oem_report *r)
{
	const struct report_genesis *g = &r->genesis;

	return json_pack("{s:o, s:o, s:o, s:o, s:o}", "version", text_or_null(g->runner_version),
		"sha256", text_or_null(g->runner_sha256), "os", text_or_null(g->os), "kernel",
		text_or_null(g->kernel), "machine", text_or_null(g->machine));
}

static json_t *attempts(const struct oem_report *r)
{
	json_t *list = json_array();

	for (size_t i = 0; i < r->n_rows; i++) {
		const struct report_attempt *a = r->rows[i];
		char uuid[33];
		json_t *o = json_pack("{s:I, s:s, s:I, s:s, s:o, s:s, s:o}", "device",
			(json_int_t)a->device, "uuid", hex_encode(uuid, a->uuid, 16), "attempt",
			(json_int_t)a->attempt, "slot", a->slot, "time", when(a->time_ms), "result",
			report_outcome_name(a->outcome), "reason", text_or_null(a->cause));
		put(o, "lifecycle", text_or_null(a->lifecycle));
		put(o, "irreversible", json_boolean(a->irreversible));
		put(o, "receipt", json_boolean(a->receipt));
		put(o, "resumed", json_boolean(a->resumed));
		put(o, "ms", a->end < 0 ? json_null() : INT(a->ms));
		put(o, "begin", INT(a->begin));
		put(o, "end", int_or_null(a->end));
		json_array_append_new(list, o);
	}
	return list;
}

static json_t *one_log(const struct oem_report *r)
{
	json_t *o = json_pack("{s:s, s:s, s:s}", "file", r->name, "verdict",
		audit_verdict_name(r->result.verdict), "in_words", report_verdict_words(r));

	put(o, "result", audit_result_json(&r->result));
	put(o, "order", order(r));
	put(o, "packages", packages(r));
	put(o, "packages_more", INT(r->more_packages));
	put(o, "quantity", quantity(r));
	put(o, "yield", yield(r));
	put(o, "stages", stages(r));
	put(o, "passed_devices", durations("begin to end", &r->whole, 0));
	put(o, "causes", causes(r));
	put(o, "causes_more", INT(r->other_causes));
	put(o, "slots", slots(r));
	put(o, "slots_more", INT(r->other_slots));
	put(o, "receipts", receipts(r));
	put(o, "events", events(r->events, r->n_events));
	put(o, "events_more", INT(r->more_events));
	put(o, "entries", events(r->entries, r->n_entries));
	put(o, "entries_more", INT(r->more_entries));
	put(o, "keys", keys(r));
	put(o, "closed_because", text_or_null(r->close_reason));
	put(o, "station_program", tools(r));
	put(o, "examined_with", expected(r));
	put(o, "attempts", attempts(r));
	put(o, "attempts_more",
		json_pack("{s:I, s:I}", "passed", (json_int_t)(r->n_passed - r->n_good),
			"not_passed", (json_int_t)(r->n_not_passed - r->n_bad)));
	return o;
}

json_t *oem_report_json(struct oem_report *const *reports, size_t n)
{
	json_t *logs = json_array();
	char time[TIME_S_LEN + 1];

	for (size_t i = 0; i < n; i++)
		json_array_append_new(logs, one_log(reports[i]));
	return json_pack("{s:s, s:i, s:s, s:{s:s, s:s}, s:o}", "type", "mfgpkg-audit-report",
		"format", 1, "written", time_format_s(time, report_written()), "written_by",
		"program", "mfgpkg", "version", MFGPKG_VERSION, "logs", logs);
}

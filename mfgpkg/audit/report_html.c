/* The report as a page: verdict first, then what it rests on. */
#include <string.h>

#include "base/text.h"
#include "base/version.h"
#include "mboot/status.h"
#include "mfgpkg/audit/html.h"
#include "mfgpkg/audit/report_style.h"
#include "mfgpkg/audit/report_svg.h"

typedef unsigned long long ull;

/* --- small pieces ----------------------------------------------------------------------------- */

static void fact(FILE *f, const char *name, const char *text, bool mono)
{
	fprintf(f, "<tr><th>%s</th><td>%s", name, mono ? "<code>" : "");
	if (*text)
		html_text(f, text);
	else
		fputs("<span class=soft>not given</span>", f);
	fprintf(f, "%s</td></tr>\n", mono ? "</code>" : "");
}

static void fact_count(FILE *f, const char *name, uint64_t n, const char *more)
{
	fprintf(f, "<tr><th>%s</th><td>", name);
	html_count(f, n);
	fprintf(f, "%s</td></tr>\n", more);
}

static void cell_count(FILE *f, uint64_t n)
{
	fputs("<td class=num>", f);
	html_count(f, n);
	fputs("</td>", f);
}

static void cell_text(FILE *f, const char *text, bool mono)
{
	fprintf(f, "<td>%s", mono ? "<code>" : "");
	html_text(f, text);
	fprintf(f, "%s</td>", mono ? "</code>" : "");
}

static void cell_percent(FILE *f, uint64_t part, uint64_t whole)
{
	if (whole)
		fprintf(f, "<td class=num>%.1f&nbsp;%%</td>", report_share(part, whole));
	else
		fputs("<td class=num>&ndash;</td>", f);
}

static void left_off(FILE *f, uint64_t n, const char *what)
{
	if (!n)
		return;
	fputs("<p class=soft>and ", f);
	html_count(f, n);
	fprintf(f, " more %s, counted but not listed.</p>\n", what);
}

static const char *const fills[] = { "pass", "fail", "interrupted", "unknown" };

/* What each fill means; NULL: it does not occur. */
static void key_of_fills(FILE *f, const char *const words[4])
{
	for (size_t i = 0; i < 4; i++)
		if (words[i])
			fprintf(f,
				"<span class=fill><svg class=key viewBox='0 0 22 11' "
				"aria-hidden=true><rect class=%s x=0.5 "
				"y=0.5 "
				"width=21 height=10 /></svg>%s</span> ",
				fills[i], words[i]);
}

static const char *const attempts_are[] = { "passed", "failed", "interrupted", NULL };
static const char *const devices_are[] = { "passed", "not passed", NULL, "unknown" };

/* --- verdict ---------------------------------------------------------------------------------- */

static const char *symbol(enum audit_verdict v)
{
	switch (v) {
	case AUDIT_PASS:
		return "&#10003;";
	case AUDIT_INCOMPLETE:
		return "&#8230;";
	case AUDIT_UNOWNED:
		return "?";
	case AUDIT_FAIL:
		return "&#10007;";
	}
	return "";
}

static void statements(FILE *f, const struct audit_result *a, bool proven)
{
	struct audit_statement say[AUDIT_STATEMENTS];
	size_t n = audit_statements(a, say), shown = 0;

	fprintf(f, "<div><h3>%s</h3><ul class=%s>",
		proven ? "What is proven" : "What is not proven", proven ? "yes" : "no");
	for (size_t i = 0; i < n; i++) {
		if (say[i].proven != proven)
			continue;
		fputs("<li>", f);
		html_text(f, say[i].text);
		fputs("</li>", f);
		shown++;
	}
	if (!shown)
		fputs("<li>nothing</li>", f);
	fputs("</ul></div>", f);
}

static void findings(FILE *f, const struct oem_report *r)
{
	static const char *const words[] = { "note", "warning", "fault" };
	const struct audit_result *a = &r->result;

	fputs("<h2>Findings</h2>\n", f);
	if (!a->n_findings) {
		fputs("<p>None: no rule is broken and nothing is unusual.</p>\n", f);
		return;
	}
	fputs("<table><thead><tr><th>Severity</th><th class=num>Leaf</th><th>What</th><th>In detail"
	      "</th></tr></thead>\n",
		f);
	for (size_t i = 0; i < a->n_findings; i++) {
		const struct audit_finding *x = &a->findings[i];
		fprintf(f, "<tr><td class=%s>%s</td><td class=num>", words[x->severity],
			words[x->severity]);
		if (x->leaf >= 0)
			html_count(f, (uint64_t)x->leaf);
		else
			fputs("&ndash;", f);
		fputs("</td>", f);
		cell_text(f, x->attack, false);
		cell_text(f, x->text, false);
		fputs("</tr>\n", f);
	}
	fputs("</table>\n", f);
	if (a->n_faults + a->n_warnings > a->n_findings)
		left_off(f, a->n_faults + a->n_warnings - a->n_findings, "findings");
}

static void verdict(FILE *f, const struct oem_report *r)
{
	const struct audit_result *a = &r->result;
	const char *name = audit_verdict_name(a->verdict);

	fprintf(f, "<div class='verdict tone-%s'><div class=word>%s %s</div><p>%s</p>", name,
		symbol(a->verdict), name, report_verdict_words(r));
	if (a->n_faults) {
		fputs("<p><b>", f);
		html_count(f, a->n_faults);
		fprintf(f, " fault%s.</b> First: <b>", a->n_faults == 1 ? "" : "s");
		html_text(f, a->findings[0].attack);
		fputs("</b>", f);
		if (a->findings[0].leaf >= 0)
			fprintf(f, " at leaf %lld", (long long)a->findings[0].leaf);
		fputs(": ", f);
		html_text(f, a->findings[0].text);
		fputs(".</p>", f);
	}
	if (a->verdict != AUDIT_FAIL && a->role != ROLE_WORKSPACE) {
		fputs("<p>", f);
		html_count(f, a->totals.passed);
		if (a->quantity >= 0) {
			fputs(" of ", f);
			html_count(f, (uint64_t)a->quantity);
			fputs(" ordered", f);
		}
		fputs(" devices passed", f);
		if (a->totals.passed) {
			fputs(", ", f);
			html_count(f, report_with_receipt(r));
			fprintf(f, " of them with a receipt that holds%s",
				a->receipts && !a->receipts_by_ca
					? " (not checked against the OEM's "
					  "DICE CA)"
					: "");
		}
		fputs(".</p>", f);
	}
	fputs("</div>\n", f);
	if (a->verdict == AUDIT_FAIL) {
		fputs("<p><b>Nothing in this log is proven.</b></p>\n", f);
		findings(f, r);
		return;
	}
	fputs("<div class=two>", f);
	statements(f, a, true);
	statements(f, a, false);
	fputs("</div>\n", f);
}

/* --- order and package ------------------------------------------------------------------------ */

static void identity(FILE *f, const struct oem_report *r)
{
	const struct report_genesis *g = &r->genesis;
	const struct audit_result *a = &r->result;

	fputs("<h2>Order and package</h2>\n<table class=facts>", f);
	if (g->has_order) {
		fact(f, "Order", a->order_id, false);
		fact(f, "Customer reference", g->customer, false);
		fputs("<tr><th>Signed by</th><td>", f);
		if (*a->oem_key)
			fprintf(f, "OEM key <code>%s</code>, verified", a->oem_key);
		else
			fputs("<b>no OEM key that was given</b>", f);
		fputs("</td></tr>\n", f);
		fact(f, "Product", g->product, false);
		if (a->quantity >= 0)
			fact_count(f, "Quantity", (uint64_t)a->quantity, " devices");
		fputs("<tr><th>Valid</th><td>", f);
		html_text(f, g->not_before);
		fputs(" to ", f);
		html_text(f, g->not_after);
		fputs("</td></tr>\n", f);
		fact(f, "Package digest", g->package, true);
		fact(f, "Package id", g->package_id, true);
	} else {
		fputs("<tr><th>Order</th><td><b>none</b></td></tr>\n", f);
	}
	fact(f, "Log origin", a->origin, true);
	fact(f, "Station", a->station.name, false);
	if (a->leaves && *a->origin) {
		fputs("<tr><th>Time</th><td>", f);
		html_time(f, a->first_ms);
		fputs(" to ", f);
		html_time(f, a->last_ms);
		fputs(" UTC, by the station's clock</td></tr>\n", f);
	}
	fputs("<tr><th>Closed</th><td>", f);
	if (a->closed)
		html_text(f, *r->close_reason ? r->close_reason : "yes");
	else
		fputs("<b>no</b>", f);
	fputs("</td></tr>\n</table>\n", f);
}

static void packages(FILE *f, const struct oem_report *r)
{
	if (!r->n_packages)
		return;
	fputs("<h3>Packages the station opened</h3>\n<table><thead><tr><th class=num>Leaf</th>"
	      "<th>Result</th><th>File</th><th>Product, release</th><th>Signers</th><th>Package "
	      "digest</th></tr></thead>\n",
		f);
	for (size_t i = 0; i < r->n_packages; i++) {
		const struct report_package *p = &r->packages[i];
		fprintf(f, "<tr><td class=num>%lld</td><td class=%s>%s</td>", (long long)p->leaf,
			p->accepted ? "ok" : "fault", p->accepted ? "accepted" : "refused");
		cell_text(f, p->file, false);
		fputs("<td>", f);
		html_text(f, p->product);
		fputs(" ", f);
		html_text(f, p->release);
		if (p->sequence >= 0)
			fprintf(f, ", sequence %lld", (long long)p->sequence);
		fputs("</td><td>", f);
		for (size_t k = 0; k < p->n_signers; k++)
			fprintf(f, "<code class=nw>%s</code> ", p->signers[k]);
		fputs("</td><td>", f);
		if (*p->reason)
			html_text(f, p->reason);
		else
			fprintf(f, "<code>%.16s&#8230;</code>", p->package);
		fputs("</td></tr>\n", f);
	}
	fputs("</table>\n", f);
	left_off(f, r->more_packages, "packages");
}

/* --- quantities ------------------------------------------------------------------------------- */

static void tile(FILE *f, uint64_t n, const char *what)
{
	fputs("<div class=tile><b>", f);
	html_count(f, n);
	fprintf(f, "</b><span>%s</span></div>", what);
}

static void tile_percent(FILE *f, uint64_t part, uint64_t whole, const char *what)
{
	if (whole)
		fprintf(f, "<div class=tile><b>%.1f&nbsp;%%</b><span>%s</span></div>",
			report_share(part, whole), what);
}

static void quantities(FILE *f, const struct oem_report *r)
{
	const struct audit_result *a = &r->result;
	uint64_t open = a->unknown, rest = report_not_passed(r);
	uint64_t planned = a->quantity > 0 ? (uint64_t)a->quantity : 0;
	uint64_t whole = planned > a->devices ? planned : a->devices;

	fputs("<h2>Quantities</h2>\n", f);
	if (a->verdict == AUDIT_FAIL)
		fputs("<p class=fault>Numbers of a log that failed: what its entries claim, up to "
		      "where they could be read.</p>",
			f);
	fputs("<div class=tiles>", f);
	if (a->quantity >= 0)
		tile(f, planned, "ordered");
	tile(f, a->devices, "devices begun");
	tile(f, a->totals.passed, "passed");
	tile(f, rest, "not passed");
	tile(f, r->reworked, "reworked (tried again)");
	tile(f, r->rework_passed, "of these passed");
	tile(f, a->totals.irreversible, "changed for good");
	tile_percent(f, r->first_pass, a->devices, "first-pass yield");
	tile_percent(f, a->totals.passed, a->devices, "final yield");
	fputs("</div>\n<figure>", f);
	struct report_part parts[] = { { a->totals.passed, "pass" },
		{ rest > open ? rest - open : 0, "fail" },
		{ open < rest ? open : rest, "unknown" } };
	report_svg_bar(f, parts, 3, whole, "devices: passed, not passed, unknown", true);
	fprintf(f, "<figcaption>Devices, each counted once; the whole bar is %s.",
		planned >= a->devices ? "what was ordered" : "all that were begun");
	key_of_fills(f, devices_are);
	fputs("</figcaption></figure>\n<p>Attempts: ", f);
	html_count(f, a->totals.begun);
	fputs(" begun, ", f);
	html_count(f, a->totals.passed);
	fputs(" passed, ", f);
	html_count(f, a->totals.failed);
	fputs(" failed, ", f);
	html_count(f, a->totals.interrupted);
	fputs(" interrupted, ", f);
	html_count(f, a->unknown);
	fputs(" with unknown end; ", f);
	html_count(f, r->resumed);
	fputs(" continued an earlier one. Steps: ", f);
	html_count(f, r->steps);
	fputs(", ", f);
	html_count(f, r->retried);
	fputs(" of them needed more than one try.</p>\n", f);
}

static void plots(FILE *f, const struct oem_report *r)
{
	int64_t s = report_bins_ms(&r->bins) / 1000;

	if (!r->bins.n)
		return;
	fputs("<h2>Yield over time</h2>\n<figure>", f);
	report_svg_yield(f, r);
	fputs("<figcaption>By the station's wall clock (UTC), ", f);
	if (s >= 86400)
		fprintf(f, "%lld day%s", (long long)(s / 86400), s == 86400 ? "" : "s");
	else if (s >= 3600)
		fprintf(f, "%lld hour%s", (long long)(s / 3600), s == 3600 ? "" : "s");
	else if (s >= 60)
		fprintf(f, "%lld minute%s", (long long)(s / 60), s == 60 ? "" : "s");
	else
		fprintf(f, "%lld second%s", (long long)s, s == 1 ? "" : "s");
	fputs(" a bar.", f);
	key_of_fills(f, attempts_are);
	fputs("</figcaption></figure>\n<h2>Durations</h2>\n<figure>", f);
	report_svg_durations(f, r);
	fputs("<figcaption>Time per device in each stage, in the order in which stages were first "
	      "seen; the scale is logarithmic, a line marks the median. The last row is from begin "
	      "to end of devices that passed.</figcaption></figure>\n",
		f);
}

/* --- failures --------------------------------------------------------------------------------- */

static void causes(FILE *f, const struct oem_report *r)
{
	uint64_t most = r->n_causes ? r->causes[0].n : 1;

	fputs("<h2>Failures</h2>\n", f);
	if (!r->n_causes) {
		fputs("<p>No attempt failed or was interrupted.</p>\n", f);
		return;
	}
	fputs("<h3>By cause</h3>\n<table><thead><tr><th>Cause</th><th>Stage</th><th>Result</th>"
	      "<th class=num>Attempts</th><th style='width:22%'></th><th class=num>First at "
	      "leaf</th>"
	      "</tr></thead>\n",
		f);
	for (size_t i = 0; i < r->n_causes; i++) {
		const struct report_cause *c = &r->causes[i];
		fputs("<tr>", f);
		cell_text(f, c->text, false);
		cell_text(f, *c->stage ? c->stage : "-", false);
		fprintf(f, "<td>%s</td>", report_outcome_name(c->outcome));
		cell_count(f, c->n);
		fputs("<td>", f);
		struct report_part part = { c->n,
			c->outcome == OUTCOME_FAIL ? "fail" : "interrupted" };
		report_svg_bar(f, &part, 1, most, "share", false);
		fprintf(f, "</td><td class=num>%lld</td></tr>\n", (long long)c->first);
	}
	fputs("</table>\n", f);
	left_off(f, r->other_causes, "attempts with further causes");
}

static void slots(FILE *f, const struct oem_report *r)
{
	uint64_t most = 1;

	if (!r->n_slots)
		return;
	for (size_t i = 0; i < r->n_slots; i++) {
		uint64_t n = 0;
		for (unsigned o = 0; o < OUTCOMES; o++)
			n += r->slots[i].count[o];
		most = n > most ? n : most;
	}
	fputs("<h3>By slot</h3>\n<table><thead><tr><th>Slot</th><th class=num>Attempts</th><th "
	      "class=num>Passed</th><th class=num>Failed</th><th class=num>Interrupted</th><th "
	      "class=num>Unknown</th><th class=num>Passed</th><th style='width:30%'></th></tr>"
	      "</thead>\n",
		f);
	for (size_t i = 0; i < r->n_slots; i++) {
		const struct report_slot *s = &r->slots[i];
		struct report_part parts[OUTCOMES];
		uint64_t n = 0;
		for (unsigned o = 0; o < OUTCOMES; o++) {
			parts[o] = (struct report_part){ s->count[o], fills[o] };
			n += s->count[o];
		}
		fputs("<tr>", f);
		cell_text(f, *s->name ? s->name : "(no name)", false);
		cell_count(f, n);
		for (unsigned o = 0; o < OUTCOMES; o++)
			cell_count(f, s->count[o]);
		cell_percent(f, s->count[OUTCOME_PASS], n);
		fputs("<td>", f);
		report_svg_bar(
			f, parts, OUTCOMES, most, "passed, failed, interrupted, unknown", false);
		fputs("</td></tr>\n", f);
	}
	fputs("</table>\n", f);
	left_off(f, r->other_slots, "attempts in further slots");
}

/* --- receipts and witnesses ------------------------------------------------------------------- */

static void coverage(FILE *f, const struct oem_report *r)
{
	const struct audit_result *a = &r->result;

	fputs("<h2>Receipts and witnesses</h2>\n", f);
	if (a->role != ROLE_WORKSPACE) {
		fputs("<p>", f);
		html_count(f, report_with_receipt(r));
		fputs(" of ", f);
		html_count(f, a->totals.passed);
		fprintf(f,
			" passed devices gave a receipt that holds: the die itself signed its "
			"place in this log%s. ",
			a->receipts_by_ca
				? ", under the OEM's DICE CA"
				: "; the DICE CA key was not given, so that they are dies "
				  "with this OEM's keys is not shown");
		html_count(f, a->no_receipt);
		fputs(" passed without.", f);
		if (r->attest_refused || r->attest_invalid) {
			fputs(" Devices that were asked and refused: ", f);
			html_count(f, r->attest_refused);
			for (size_t i = 0; i < r->n_refusals; i++)
				fprintf(f, "%s%s: %llu", i ? "; " : " (",
					MBOOT_STATUS_TEXT(r->refusals[i].status),
					(ull)r->refusals[i].n);
			fprintf(f, "%s; whose answer was wrong: ", r->n_refusals ? ")" : "");
			html_count(f, r->attest_invalid);
			fputs(".", f);
		}
		fputs("</p>\n<figure>", f);
		struct report_part part = { report_with_receipt(r), "pass" };
		report_svg_bar(
			f, &part, 1, a->totals.passed, "passed devices with a receipt", true);
		fputs("<figcaption>Passed devices; filled: with a receipt.</figcaption></figure>\n",
			f);
	}
	fputs("<p>", f);
	if (a->witnessed) {
		fputs("A witness outside the station signed the first ", f);
		html_count(f, a->witnessed);
		fputs(" of ", f);
		html_count(f, a->leaves);
		fputs(" leaves; the longest stretch between two witness signatures is ", f);
		html_count(f, a->longest_unwitnessed);
		fputs(" leaves.", f);
	} else {
		fputs("No known witness signed this log: that the station kept no second history "
		      "is not shown.",
			f);
	}
	fputs("</p>\n<figure>", f);
	struct report_part part = { a->witnessed, "pass" };
	report_svg_bar(f, &part, 1, a->leaves, "leaves under a witness", true);
	fputs("<figcaption>Leaves from first to last; filled: seen by a "
	      "witness.</figcaption></figure>\n",
		f);
}

/* --- events ---------------------------------------------------------------------- */

static void events(FILE *f, const struct oem_report *r)
{
	if (!r->n_events)
		return;
	fputs("<h2>At the station</h2>\n<p>Clock steps: ", f);
	html_count(f, r->clock_steps);
	fputs(", restarts: ", f);
	html_count(f, r->restarts);
	fputs(". Names and texts are as the station wrote them.</p>\n<table><thead><tr><th "
	      "class=num>Leaf</th><th>Time (UTC)</th><th>Event</th><th>Who</th><th>Text</th></tr>"
	      "</thead>\n",
		f);
	for (size_t i = 0; i < r->n_events; i++) {
		const struct report_event *e = &r->events[i];
		fprintf(f, "<tr><td class=num>%lld</td><td class=nw>", (long long)e->leaf);
		html_time(f, e->time_ms);
		fprintf(f, "</td><td>%s ", e->kind);
		html_text(f, e->what);
		fputs("</td>", f);
		cell_text(f, e->who, false);
		cell_text(f, e->text, false);
		fputs("</tr>\n", f);
	}
	fputs("</table>\n", f);
	left_off(f, r->more_events, "events");
}

static void entries(FILE *f, const struct oem_report *r)
{
	fputs("<h2>Entries</h2>\n<table><thead><tr><th class=num>Leaf</th><th>Time (UTC)</th>"
	      "<th>Entry</th><th>File</th><th>Digest</th><th>Signer</th></tr></thead>\n",
		f);
	for (size_t i = 0; i < r->n_entries; i++) {
		const struct report_event *e = &r->entries[i];
		fprintf(f, "<tr><td class=num>%lld</td><td class=nw>", (long long)e->leaf);
		html_time(f, e->time_ms);
		fprintf(f, "</td><td>%s ", e->kind);
		html_text(f, e->what);
		fputs("</td>", f);
		cell_text(f, e->text, false);
		fprintf(f, "<td><code>%.16s%s</code></td>", e->digest, *e->digest ? "&#8230;" : "");
		cell_text(f, e->who, true);
		fputs("</tr>\n", f);
	}
	fputs("</table>\n", f);
	left_off(f, r->more_entries, "entries");
}

/* --- keys and programs ------------------------------------------------------------------------ */

static void brought(FILE *f, const struct oem_report *r)
{
	fputs("<tr><th>Brought by the auditor</th><td>", f);
	fprintf(f, "OEM keys: %s", r->n_oem ? "" : "<b>none</b>");
	for (size_t i = 0; i < r->n_oem && i < REPORT_SIGNERS_MAX; i++)
		fprintf(f, "<code>%s</code> ", r->oem_ids[i]);
	fprintf(f, "; checkpoints known from elsewhere: %zu; witness keys: %zu", r->n_known,
		r->n_witnesses);
	for (size_t i = 0; i < r->n_witnesses && i < REPORT_SIGNERS_MAX; i++) {
		fputs(i ? ", " : " (", f);
		html_text(f, r->witness_names[i]);
	}
	fprintf(f,
		"%s; DICE CA key: %s; expected run-time fingerprint: %s; log key: %s</td></tr>\n",
		r->n_witnesses ? ")" : "", r->dice_ca ? "yes" : "no", r->rtf ? "yes" : "no",
		r->log_key ? "yes" : "no");
}

static void keys(FILE *f, const struct oem_report *r)
{
	const struct audit_result *a = &r->result;
	const struct report_genesis *g = &r->genesis;
	char text[VKEY_TEXT_CAP] = "", root[BASE64_LEN(32) + 1];

	if (*a->station.name)
		vkey_text(&a->station, text);
	fputs("<h2>Keys, log and programs</h2>\n<table class=facts>", f);
	fact(f, "Station key", text, true);
	if (g->has_order)
		fprintf(f, "<tr><th>First epoch key</th><td>%s</td></tr>\n",
			g->epoch0_ordered ? "named by the order" : "<b>not named by the order</b>");
	fputs("<tr><th>Epoch keys</th><td>", f);
	for (size_t i = 0; i < r->n_epoch_keys; i++) {
		fputs("<code>", f);
		html_text(f, r->epoch_keys[i]);
		fputs("</code><br>", f);
	}
	if (r->seals > r->n_epoch_keys)
		html_count(f, r->seals - r->n_epoch_keys), fputs(" more. ", f);
	fputs("Epochs sealed: ", f);
	html_count(f, a->epochs);
	fputs("</td></tr>\n", f);
	brought(f, r);
	fact_count(f, "Leaves", a->leaves, "");
	fact_count(f, "Checkpoints checked", a->checkpoints, ", two signatures each");
	fact(f, "Root of all leaves", base64_encode(root, a->root, 32), true);
	fputs("<tr><th>Station program</th><td>version ", f);
	html_text(f, g->runner_version);
	fputs(", SHA-256 <code>", f);
	html_text(f, g->runner_sha256);
	fputs("</code>, on ", f);
	html_text(f, g->os);
	fputs(", kernel ", f);
	html_text(f, g->kernel);
	fputs(", ", f);
	html_text(f, g->machine);
	fputs(" (as the station says)</td></tr>\n", f);
	fprintf(f, "<tr><th>Examined with</th><td>mfgpkg %s</td></tr>\n</table>\n", MFGPKG_VERSION);
}

/* --- devices ---------------------------------------------------------------------------------- */

static void attempt(FILE *f, const struct report_attempt *a)
{
	static const char *const class[] = { "ok", "fault", "warning", "warning" };
	char uuid[33];

	fprintf(f,
		"<tr><td class=num>%llu</td><td class=nw><code>%s</code></td><td "
		"class=num>%llu%s</td>",
		(ull)a->device, hex_encode(uuid, a->uuid, 16), (ull)a->attempt,
		a->resumed ? " r" : "");
	cell_text(f, a->slot, false);
	fputs("<td class=nw>", f);
	html_time(f, a->time_ms);
	fprintf(f, "</td><td class=%s>%s</td><td class=num>", class[a->outcome],
		report_outcome_name(a->outcome));
	if (a->end >= 0)
		html_duration(f, a->ms);
	fprintf(f, "</td><td>%s</td><td>", a->receipt ? "yes" : "no");
	html_text(f, a->lifecycle);
	fprintf(f, "</td><td class=num>%lld", (long long)a->begin);
	if (a->end >= 0)
		fprintf(f, "&ndash;%lld", (long long)a->end);
	fputs("</td></tr>\n", f);
	if (*a->cause) {
		fputs("<tr><td></td><td colspan=9 class=soft>", f);
		html_text(f, a->cause);
		fputs("</td></tr>\n", f);
	}
}

static void devices(FILE *f, const struct oem_report *r)
{
	fputs("<h2>Devices</h2>\n<p class=soft>One line for each attempt; r: continues an earlier "
	      "one. Leaves: begin and end.</p>\n<div class=scroll><table class=devices><thead><tr>"
	      "<th class=num>No.</th><th>UUID</th><th class=num>Attempt</th><th>Slot</th><th>Begun "
	      "(UTC)</th><th>Result</th><th class=num>Time</th><th>Receipt</th><th>Life cycle</th>"
	      "<th class=num>Leaves</th></tr></thead>\n",
		f);
	for (size_t i = 0; i < r->n_rows; i++)
		attempt(f, r->rows[i]);
	fputs("</table></div>\n", f);
	left_off(f, r->n_not_passed - r->n_bad, "attempts that did not pass");
	left_off(f, r->n_passed - r->n_good, "attempts that passed");
	if (r->n_not_passed + r->n_passed > r->n_rows)
		fputs("<p class=soft>All of them: <code>mfgpkg audit export --csv</code>.</p>\n",
			f);
}

/* --- page ------------------------------------------------------------------------------------- */

static void one_log(FILE *f, const struct oem_report *r)
{
	const struct audit_result *a = &r->result;
	bool workspace = a->role == ROLE_WORKSPACE;

	fputs("<section class=log>\n<h1>", f);
	if (workspace)
		fputs("Workspace ", f), html_text(f, a->origin);
	else if (*a->order_id)
		fputs("Order ", f), html_text(f, a->order_id);
	else
		fputs("Production log", f);
	if (*r->genesis.product)
		fputs(": ", f), html_text(f, r->genesis.product);
	fputs("</h1>\n<p class=sub>Audit report on ", f);
	html_text(f, r->name);
	if (*a->station.name)
		fputs(", written by ", f), html_text(f, a->station.name);
	fputs("</p>\n", f);
	verdict(f, r);
	if (*a->origin && !workspace) {
		identity(f, r);
		packages(f, r);
		quantities(f, r);
		plots(f, r);
		causes(f, r);
		slots(f, r);
	}
	if (a->verdict != AUDIT_FAIL)
		findings(f, r); /* else they stand at the top */
	if (*a->origin) {
		coverage(f, r);
		events(f, r);
		if (workspace)
			entries(f, r);
		keys(f, r);
	}
	/* Before the list of devices, which may be long: an annex. */
	fputs("<div class=sign><div>Name of the auditor</div><div>Date</div><div>Signature</div>"
	      "</div>\n",
		f);
	if (*a->origin && !workspace)
		devices(f, r);
	fputs("</section>\n", f);
}

/* Several logs: one line each before the chapters. */
static void overview(FILE *f, struct oem_report *const *reports, size_t n)
{
	uint64_t passed = 0, devices = 0;

	fputs("<h1>Audit report</h1>\n<table><thead><tr><th>Verdict</th><th>Log</th><th>Order</th>"
	      "<th>Station</th><th class=num>Devices</th><th class=num>Passed</th><th "
	      "class=num>Faults</th></tr></thead>\n",
		f);
	for (size_t i = 0; i < n; i++) {
		const struct audit_result *a = &reports[i]->result;
		fprintf(f, "<tr><td class=%s>%s</td>",
			a->verdict == AUDIT_PASS   ? "ok"
			: a->verdict == AUDIT_FAIL ? "fault"
						   : "warning",
			audit_verdict_name(a->verdict));
		cell_text(f, reports[i]->name, false);
		cell_text(f, a->order_id, false);
		cell_text(f, a->station.name, false);
		cell_count(f, a->devices);
		cell_count(f, a->totals.passed);
		cell_count(f, a->n_faults);
		fputs("</tr>\n", f);
		passed += a->totals.passed;
		devices += a->devices;
	}
	fputs("<tr><td></td><td>all</td><td></td><td></td>", f);
	cell_count(f, devices);
	cell_count(f, passed);
	fputs("<td></td></tr></table>\n", f);
}

void oem_report_html(struct oem_report *const *reports, size_t n, FILE *f)
{
	char time[TIME_S_LEN + 1];

	time_format_s(time, report_written());
	fputs("<!doctype html>\n<html lang=en><head><meta charset=utf-8>\n"
	      "<meta name=viewport content='width=device-width,initial-scale=1'>\n"
	      "<meta http-equiv=Content-Security-Policy content=\"default-src 'none'; style-src "
	      "'unsafe-inline'\">\n<meta name=color-scheme content='light dark'>\n<title>Audit "
	      "report",
		f);
	fputs("</title>\n<style>\n", f);
	for (size_t i = 0; report_style[i]; i++)
		fputs(report_style[i], f);
	fputs("</style></head>\n<body>\n", f);
	report_svg_patterns(f);
	fputs("<main>\n", f);
	if (n > 1)
		overview(f, reports, n);
	for (size_t i = 0; i < n; i++)
		one_log(f, reports[i]);
	fprintf(f,
		"<p class=soft>Written %s by mfgpkg %s. Every number was recomputed from the "
		"leaves "
		"of the log; the same content for programs: mfgpkg audit report --json.</p>\n"
		"</main></body></html>\n",
		time, MFGPKG_VERSION);
}

/* The result in words, and as JSON. */
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "evidence/audit.h"

typedef unsigned long long ull;

static const char *severity_name(enum audit_severity s)
{
	switch (s) {
	case AUDIT_NOTE:
		return "note";
	case AUDIT_WARNING:
		return "warning";
	case AUDIT_FAULT:
		return "fault";
	}
	return "?";
}

static const char *plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

/* --- what is proven, and what is not ---------------------------------------------------------- */

size_t audit_statements(const struct audit_result *r, struct audit_statement out[AUDIT_STATEMENTS])
{
	size_t n = 0;

#define SAY(is_proven, ...)                                                                        \
	do {                                                                                       \
		out[n].proven = is_proven;                                                         \
		snprintf(out[n++].text, sizeof out[0].text, __VA_ARGS__);                          \
	} while (0)
	bool workspace = r->role == ROLE_WORKSPACE;

	if (r->verdict == AUDIT_FAIL) {
		SAY(false, "nothing: the findings above say where the log was changed or breaks a "
			   "rule");
		return n;
	}
	SAY(true,
		"all %llu leaves are the ones the station signed, in this order, none changed or "
		"missing in between",
		(ull)r->leaves);
	if (r->closed)
		SAY(true, "the log was closed: no key exists that could continue it");
	if (*r->oem_key)
		SAY(true,
			"the OEM (key %s) ordered this log from this station: order %s, %lld "
			"device%s",
			r->oem_key, r->order_id, (long long)r->quantity,
			plural((uint64_t)r->quantity));
	if (r->receipts)
		SAY(true, "%llu device%s existed and answered at %s place in the log (receipts%s)",
			(ull)r->receipts, plural(r->receipts), r->receipts == 1 ? "its" : "their",
			r->receipts_by_ca ? " under the OEM's DICE CA"
					  : "; the DICE CA key was not given");
	if (r->witnessed)
		SAY(true, "a witness outside the station saw the first %llu leaves",
			(ull)r->witnessed);

	if (r->quorum && r->cosigners >= r->quorum)
		SAY(true, "%zu of the witnesses the order names saw all leaves; it wants %zu",
			r->cosigners, r->quorum);
	else if (r->quorum)
		SAY(false,
			"that enough witnesses saw the log: the order wants %zu, %zu saw all of it",
			r->quorum, r->cosigners);

	if (!workspace && !*r->oem_key)
		SAY(false, "who ordered this: no order signed by an OEM key that was given");
	if (!r->closed && !workspace)
		SAY(false, "that the log is whole: it is not closed, and leaves cut from its end "
			   "would not be missed without a checkpoint known elsewhere");
	if (!r->closed && workspace)
		SAY(false, "what comes later: a workspace log stays open as long as the workspace");
	if (workspace && r->station_known)
		SAY(true, "it is the log of the workspace %s: signed with the key that was given",
			r->station.name);
	else if (workspace)
		SAY(false, "whose workspace this is, unless its key is known (--log-key): %s",
			r->station.name);
	if (r->longest_unwitnessed && r->witnessed)
		SAY(false,
			"that nothing was rewritten before a witness saw it: up to %llu leaves lie "
			"between two witness signatures",
			(ull)r->longest_unwitnessed);
	else if (r->longest_unwitnessed)
		SAY(false, "that the station kept no second history: no witness saw this log");
	if (r->no_receipt)
		SAY(false, "that %llu device%s that passed exist%s: no receipt that holds",
			(ull)r->no_receipt, plural(r->no_receipt), r->no_receipt == 1 ? "s" : "");
	if (r->receipts && !r->receipts_by_ca)
		SAY(false, "that the receipts come from dies with this OEM's key hash (--dice-ca)");
	if (r->unknown)
		SAY(false, "how %llu device%s ended", (ull)r->unknown, plural(r->unknown));
	if (!workspace)
		SAY(false,
			"that no other devices were made: the provisioning file works on any blank "
			"part, and over-production leaves no trace in a log");
#undef SAY
	return n;
}

void audit_summary(const struct audit_result *r, struct buf *out)
{
	struct audit_statement say[AUDIT_STATEMENTS];
	const struct audit_totals *t = &r->totals;
	size_t n = audit_statements(r, say);

	wr_printf(out, "%s  %s: %llu leaves", audit_verdict_name(r->verdict),
		*r->origin ? r->origin : "not a log", (ull)r->leaves);
	if (*r->origin)
		wr_printf(out, "%s", r->closed ? ", closed" : ", open");
	if (r->role != ROLE_WORKSPACE && *r->origin)
		wr_printf(out,
			"; devices: %llu begun, %llu passed, %llu failed, %llu interrupted, %llu "
			"unknown",
			(ull)t->begun, (ull)t->passed, (ull)t->failed, (ull)t->interrupted,
			(ull)r->unknown);
	wr_str(out, "\n");
	for (size_t i = 0; i < r->n_findings; i++) {
		const struct audit_finding *f = &r->findings[i];
		wr_printf(out, "  %s: %s", severity_name(f->severity), f->attack);
		if (f->leaf >= 0)
			wr_printf(out, " %lld", (long long)f->leaf);
		wr_printf(out, ": %s\n", f->text);
	}
	if (r->n_faults + r->n_warnings > r->n_findings)
		wr_printf(out, "  ... and more: %llu faults and %llu warnings in all\n",
			(ull)r->n_faults, (ull)r->n_warnings);
	for (size_t i = 0; i < n; i++)
		wr_printf(out, "  %s %s\n",
			say[i].proven ? "proven:    " : "not proven:", say[i].text);
}

/* --- JSON ------------------------------------------------------------------------------------- */

static json_t *findings(const struct audit_result *r)
{
	json_t *list = json_array();

	for (size_t i = 0; i < r->n_findings; i++) {
		const struct audit_finding *f = &r->findings[i];
		json_array_append_new(
			list, json_pack("{s:s, s:s, s:o, s:s}", "severity",
				      severity_name(f->severity), "attack", f->attack, "leaf",
				      f->leaf < 0 ? json_null() : json_integer(f->leaf), "text",
				      f->text));
	}
	return list;
}

static json_t *statements(const struct audit_result *r, bool proven)
{
	struct audit_statement say[AUDIT_STATEMENTS];
	size_t n = audit_statements(r, say);
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++)
		if (say[i].proven == proven)
			json_array_append_new(list, json_string(say[i].text));
	return list;
}

static json_t *text_or_null(const char *s)
{
	return *s ? json_string(s) : json_null();
}

#define INT(v) ((json_int_t)(v))

json_t *audit_result_json(const struct audit_result *r)
{
	char key[VKEY_TEXT_CAP] = "", root[BASE64_LEN(32) + 1];
	char first[TIME_MS_LEN + 1] = "", last[TIME_MS_LEN + 1] = "";
	const struct audit_totals *t = &r->totals;

	if (*r->station.name)
		vkey_text(&r->station, key);
	if (r->leaves && *r->origin) {
		time_format_ms(first, r->first_ms);
		time_format_ms(last, r->last_ms);
	}
	json_t *j = json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:b}", "type",
		"mfgpkg-audit-result", "verdict", audit_verdict_name(r->verdict), "origin",
		text_or_null(r->origin), "role",
		*r->origin ? json_string(leaf_role_name(r->role)) : json_null(), "order",
		text_or_null(r->order_id), "oem_key", text_or_null(r->oem_key), "station",
		text_or_null(key), "closed", r->closed);
	if (!j)
		return NULL;
	json_object_set_new(j, "leaves", json_integer(INT(r->leaves)));
	json_object_set_new(j, "bytes", json_integer(INT(r->bytes)));
	json_object_set_new(j, "checkpoints", json_integer(INT(r->checkpoints)));
	json_object_set_new(j, "epochs", json_integer(INT(r->epochs)));
	json_object_set_new(j, "root", json_string(base64_encode(root, r->root, 32)));
	json_object_set_new(j, "first", text_or_null(first));
	json_object_set_new(j, "last", text_or_null(last));
	json_object_set_new(
		j, "quantity", r->quantity < 0 ? json_null() : json_integer(r->quantity));
	json_object_set_new(j, "devices", json_integer(INT(r->devices)));
	json_object_set_new(j, "totals",
		json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "begun", INT(t->begun),
			"irreversible", INT(t->irreversible), "passed", INT(t->passed), "failed",
			INT(t->failed), "interrupted", INT(t->interrupted), "attested",
			INT(t->attested), "unknown", INT(r->unknown)));
	json_object_set_new(j, "receipts",
		json_pack("{s:I, s:I, s:b}", "good", INT(r->receipts), "passed_without",
			INT(r->no_receipt), "ca_checked", r->receipts_by_ca));
	json_object_set_new(j, "witnessed",
		json_pack("{s:I, s:I, s:I, s:I}", "size", INT(r->witnessed), "longest_unwitnessed",
			INT(r->longest_unwitnessed), "quorum", INT(r->quorum), "cosigners",
			INT(r->cosigners)));
	json_object_set_new(j, "faults", json_integer(INT(r->n_faults)));
	json_object_set_new(j, "warnings", json_integer(INT(r->n_warnings)));
	json_object_set_new(j, "findings", findings(r));
	json_object_set_new(j, "proven", statements(r, true));
	json_object_set_new(j, "not_proven", statements(r, false));
	return j;
}

#include <string.h>

#include "base/text.h"
#include "mboot/mboot.h"
#include "runner/record.h"

static json_t *seq_or_null(int64_t seq)
{
	return seq < 0 ? json_null() : json_integer(seq);
}

static json_t *text_or_null(const char *text)
{
	return text ? json_string(text) : json_null();
}

json_t *record_begin(
	const struct device_facts *f, uint64_t device, unsigned attempt, int64_t resumes)
{
	return json_pack("{s:I,s:s,s:i,s:s,s:s,s:s,s:s,s:s,s:o}", "device", (json_int_t)device,
		"uuid", f->uuid_text, "attempt", (int)attempt, "slot", f->slot, "port", f->port,
		"family", f->family, "revision", f->revision, "lifecycle", f->lifecycle, "resumes",
		seq_or_null(resumes));
}

json_t *record_intent(const struct intent_facts *f)
{
	return json_pack("{s:I,s:s,s:I,s:s,s:s,s:s}", "begin", (json_int_t)f->begin, "uuid",
		f->uuid, "step", (json_int_t)f->step, "stage", f->stage, "command", f->command,
		"why", f->attestation ? "attestation" : "irreversible");
}

static const char *outcome_name(enum step_outcome o)
{
	switch (o) {
	case STEP_OK:
		return "ok";
	case STEP_FAILED:
		return "failed";
	case STEP_SKIPPED:
		return "skipped";
	}
	return "failed";
}

json_t *record_step(const struct step_facts *f)
{
	return json_pack("{s:I,s:s,s:I,s:s,s:s,s:o,s:s,s:I,s:i,s:I,s:I}", "begin",
		(json_int_t)f->begin, "uuid", f->uuid, "step", (json_int_t)f->step, "stage",
		f->stage, "command", f->command, "intent", seq_or_null(f->intent), "result",
		outcome_name(f->outcome), "status", (json_int_t)f->status, "tries", (int)f->tries,
		"ms", (json_int_t)f->ms, "bytes", (json_int_t)f->bytes);
}

static const char *receipt_name(enum receipt_outcome o)
{
	switch (o) {
	case RECEIPT_OK:
		return "ok";
	case RECEIPT_REFUSED:
		return "refused";
	case RECEIPT_INVALID:
		return "invalid";
	}
	return "invalid";
}

json_t *record_attestation(const struct attestation_facts *f)
{
	char challenge[65], response[BASE64_LEN(MBOOT_DICE_RESPONSE_LEN) + 1];

	hex_encode(challenge, f->challenge, sizeof f->challenge);
	if (f->response)
		base64_encode(response, f->response, MBOOT_DICE_RESPONSE_LEN);
	return json_pack("{s:I,s:s,s:I,s:I,s:s,s:s,s:I,s:o}", "begin", (json_int_t)f->begin, "uuid",
		f->uuid, "intent", (json_int_t)f->intent, "size", (json_int_t)f->intent + 1,
		"challenge", challenge, "result", receipt_name(f->outcome), "status",
		(json_int_t)f->status, "response", text_or_null(f->response ? response : NULL));
}

json_t *record_end(const struct end_facts *f)
{
	return json_pack("{s:I,s:s,s:s,s:o,s:b,s:o,s:o,s:I}", "begin", (json_int_t)f->begin, "uuid",
		f->uuid, "result", device_result_name(f->result), "reason", text_or_null(f->reason),
		"irreversible", f->irreversible, "lifecycle", text_or_null(f->lifecycle),
		"attestation", seq_or_null(f->attestation), "ms", (json_int_t)f->ms);
}

json_t *record_operator(const char *action, const char *who, const char *text)
{
	return json_pack("{s:s,s:s,s:o}", "action", action, "operator", who ? who : "", "text",
		text_or_null(text));
}

json_t *record_event(const char *kind, uint64_t seq, const json_t *members, const char *port,
	enum fault_code fault)
{
	char now[TIME_MS_LEN + 1];
	json_t *out = json_pack("{s:s,s:I,s:s}", "event", kind, "seq", (json_int_t)seq, "time",
		time_format_ms(now, clock_wall_ms()));
	json_t *copy = json_deep_copy(members);

	if (out && copy)
		json_object_update(out, copy);
	json_decref(copy);
	if (out && port && !json_object_get(out, "port"))
		json_object_set_new(out, "port", json_string(port));
	if (out && fault != FAULT_NONE) {
		json_object_set_new(out, "code", json_string(fault_id(fault)));
		json_object_set_new(
			out, "action", json_string(fault_action_name(fault_action(fault))));
		json_object_set_new(out, "instruction", json_string(fault_instruction(fault)));
	}
	return out;
}

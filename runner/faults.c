#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "mboot/status.h"
#include "runner/faults.h"

struct row {
	const char *id;
	enum fault_action action;
	const char *sentence, *instruction;
};

static const struct row rows[FAULT_CODES] = {
	[FAULT_NONE] = { "", ACTION_NONE, "", "" },
	[FAULT_NO_ANSWER] = { "P01", ACTION_RESEAT, "nothing answers on this port",
		"is a board in the slot, powered and in ISP mode? reseat it" },
	[FAULT_PORT_CLOSED] = { "P02", ACTION_RESEAT, "the port vanished: unplugged or lost power",
		"plug it in again; the board will be finished" },
	[FAULT_PORT_BUSY] = { "P03", ACTION_STATION, "another program holds the port",
		"close the other program, then start again" },
	[FAULT_PORT_PERMISSION] = { "P04", ACTION_STATION, "no permission to use the port",
		"add this user to the group that owns the port (dialout)" },
	[FAULT_PORT_OPEN] = { "P05", ACTION_STATION, "the port cannot be opened",
		"check the adapter and its driver" },
	[FAULT_FAMILY] = { "D01", ACTION_SET_ASIDE, "a device of another family",
		"wrong board for this package: set it aside" },
	[FAULT_LIFECYCLE] = { "D02", ACTION_SET_ASIDE,
		"the device is not in a life cycle state this package starts from",
		"used or foreign board: set it aside" },
	[FAULT_OTHER_DEVICE] = { "D03", ACTION_RETRY, "another device answers than before",
		"do not swap boards while one is running; start it again" },
	[FAULT_NO_UUID] = { "D04", ACTION_RETRY, "the device does not tell its UUID",
		"reset the board and start again; if it persists set it aside" },
	[FAULT_MAY_BE_DONE] = { "D05", ACTION_SET_ASIDE,
		"an irreversible step may have been done before, and the script cannot tell",
		"set it aside for the OEM; it must not be repeated blindly" },
	[FAULT_STATUS] = { "S01", ACTION_RETRY, "the device reported an error",
		"start it again; if it persists set it aside" },
	[FAULT_TIMEOUT] = { "S02", ACTION_RESEAT, "the device stopped answering",
		"reseat the board and start it again" },
	[FAULT_DIALOGUE] = { "S03", ACTION_RESEAT, "the line is disturbed",
		"check cable and contacts, reseat, start it again" },
	[FAULT_SIGNATURE] = { "S04", ACTION_SET_ASIDE,
		"the device refuses the signature of the file",
		"set it aside; when all boards do it, stop and call the OEM" },
	[FAULT_ROLLBACK] = { "S05", ACTION_SET_ASIDE, "the device holds a newer version",
		"set it aside; it must not go back" },
	[FAULT_DENIED] = { "S06", ACTION_SET_ASIDE, "the device does not permit this command now",
		"wrong life cycle or locked board: set it aside" },
	[FAULT_FLASH] = { "S07", ACTION_RETRY, "the flash memory reported an error",
		"start it again once; then set it aside" },
	[FAULT_FUSE] = { "S08", ACTION_SET_ASIDE, "a fuse could not be programmed",
		"set it aside" },
	[FAULT_SB_CONTENT] = { "S09", ACTION_SET_ASIDE,
		"the device refuses the content of the file",
		"set it aside; when all boards do it, stop and call the OEM" },
	[FAULT_AFTER_RESET] = { "V01", ACTION_RESEAT, "the device did not come back after reset",
		"power-cycle the board in ISP mode; it will be finished" },
	[FAULT_END_STATE] = { "V02", ACTION_SET_ASIDE,
		"the device is not in the state the package promises", "set it aside" },
	[FAULT_CHECK] = { "V03", ACTION_SET_ASIDE, "a check of the script does not hold",
		"set it aside" },
	[FAULT_NOT_ATTESTED] = { "V04", ACTION_SET_ASIDE,
		"the device gave no receipt, and the package demands one", "set it aside" },
	[FAULT_BAD_RECEIPT] = { "V05", ACTION_SET_ASIDE, "the receipt of the device is wrong",
		"set it aside for the OEM" },
	[FAULT_PROMPT] = { "U01", ACTION_RETRY, "the operator did not answer the question",
		"start it again and answer" },
	[FAULT_STOPPED] = { "U02", ACTION_RETRY, "stopped by the operator",
		"start again; the board will be finished" },
	[FAULT_LOG] = { "L01", ACTION_STATION, "the log cannot be written",
		"free the disk or repair it; the boards are fine" },
	[FAULT_ENVIRONMENT] = { "L02", ACTION_STATION, "the station failed",
		"see the message; the boards are fine" },
};

const char *fault_id(enum fault_code code)
{
	return rows[code].id;
}

enum fault_action fault_action(enum fault_code code)
{
	return rows[code].action;
}

bool fault_permanent(enum fault_code code)
{
	return rows[code].action == ACTION_SET_ASIDE;
}

const char *fault_sentence(enum fault_code code)
{
	return rows[code].sentence;
}

const char *fault_instruction(enum fault_code code)
{
	return rows[code].instruction;
}

const char *fault_action_name(enum fault_action a)
{
	switch (a) {
	case ACTION_NONE:
		return "none";
	case ACTION_RESEAT:
		return "reseat";
	case ACTION_RETRY:
		return "retry";
	case ACTION_SET_ASIDE:
		return "scrap";
	case ACTION_STATION:
		return "station";
	}
	return "none";
}

void fault_set(struct fault *f, enum fault_code code, uint32_t status, const char *fmt, ...)
{
	va_list ap;

	f->code = code;
	f->status = status;
	va_start(ap, fmt);
	vsnprintf(f->detail, sizeof f->detail, fmt, ap);
	va_end(ap);
}

static enum fault_code code_of_status(uint32_t status)
{
	switch (status) {
	case MBOOT_STATUS_ROMLDR_SIGNATURE:
	case MBOOT_STATUS_ROMLDR_KEY_NOT_FOUND:
		return FAULT_SIGNATURE;
	case MBOOT_STATUS_ROMLDR_ROLLBACK_BLOCKED:
		return FAULT_ROLLBACK;
	case MBOOT_STATUS_SECURITY_VIOLATION:
		return FAULT_DENIED;
	}
	if (status >= 10100 && status <= 10118)
		return FAULT_SB_CONTENT;
	if (status >= 100 && status <= 199)
		return FAULT_FLASH;
	if (status >= 52000 && status <= 52899)
		return FAULT_FUSE;
	return FAULT_STATUS;
}

enum fault_code fault_code_of_err(const struct err *e)
{
	switch (e->code) {
	case ERR_DEVICE:
		if (e->device)
			return code_of_status(e->device);
		return strstr(e->msg, "port closed") ? FAULT_PORT_CLOSED : FAULT_DIALOGUE;
	case ERR_TIMEOUT:
		return FAULT_TIMEOUT;
	case ERR_CANCELLED:
		return FAULT_STOPPED;
	case ERR_NONE:
	case ERR_USAGE:
	case ERR_CONFIG:
	case ERR_FORMAT:
	case ERR_LIMIT:
	case ERR_REJECTED:
	case ERR_ENV:
	case ERR_AUDIT:
	case ERR_INTERNAL:
		break;
	}
	return FAULT_ENVIRONMENT;
}

void fault_of_err(struct fault *f, const struct err *e)
{
	uint32_t status = e->device;

	if (e->code == ERR_TIMEOUT)
		status = MBOOT_STATUS_NO_RESPONSE;
	fault_set(f, fault_code_of_err(e), status, "%s", e->msg);
}

void fault_reason(const struct fault *f, char out[FAULT_REASON_CAP])
{
	char text[FAULT_REASON_CAP];

	if (f->detail[0])
		snprintf(text, sizeof text, "%s %s (%s)", fault_id(f->code), f->detail,
			fault_sentence(f->code));
	else
		snprintf(text, sizeof text, "%s %s", fault_id(f->code), fault_sentence(f->code));
	/* Messages may quote a device or a file: nothing unprintable gets into the log. */
	size_t n = 0;
	for (const char *p = text; *p && n + 1 < FAULT_REASON_CAP; p++)
		out[n++] = *p >= 0x20 && *p < 0x7f ? *p : '?';
	out[n] = 0;
}

enum fault_code fault_code_of_reason(const char *reason)
{
	for (enum fault_code c = FAULT_NONE + 1; c < FAULT_CODES; c++)
		if (strncmp(reason, rows[c].id, 3) == 0 && (reason[3] == ' ' || !reason[3]))
			return c;
	return FAULT_NONE;
}

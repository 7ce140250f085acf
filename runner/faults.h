/* faults - everything that can go wrong with one device: a short code for the telephone, a plain
 * sentence, and what the operator should do. The code and sentence go into the log as well.
 * Codes are stable: they are printed, logged and counted; never renumber one.
 * Constant data and pure functions, any thread.
 */
#ifndef RUNNER_FAULTS_H
#define RUNNER_FAULTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum fault_code {
	FAULT_NONE,
	FAULT_NO_ANSWER, /* P01 */
	FAULT_PORT_CLOSED, /* P02 */
	FAULT_PORT_BUSY, /* P03 */
	FAULT_PORT_PERMISSION, /* P04 */
	FAULT_PORT_OPEN, /* P05 */
	FAULT_FAMILY, /* D01 */
	FAULT_LIFECYCLE, /* D02 */
	FAULT_OTHER_DEVICE, /* D03 */
	FAULT_NO_UUID, /* D04 */
	FAULT_MAY_BE_DONE, /* D05 */
	FAULT_STATUS, /* S01 */
	FAULT_TIMEOUT, /* S02 */
	FAULT_DIALOGUE, /* S03 */
	FAULT_SIGNATURE, /* S04 */
	FAULT_ROLLBACK, /* S05 */
	FAULT_DENIED, /* S06 */
	FAULT_FLASH, /* S07 */
	FAULT_FUSE, /* S08 */
	FAULT_SB_CONTENT, /* S09 */
	FAULT_AFTER_RESET, /* V01 */
	FAULT_END_STATE, /* V02 */
	FAULT_CHECK, /* V03 */
	FAULT_NOT_ATTESTED, /* V04 */
	FAULT_BAD_RECEIPT, /* V05 */
	FAULT_PROMPT, /* U01 */
	FAULT_STOPPED, /* U02 */
	FAULT_LOG, /* L01 */
	FAULT_ENVIRONMENT, /* L02 */
	FAULT_CODES
};

/* What to do with the board. */
enum fault_action {
	ACTION_NONE,
	ACTION_RESEAT, /* transient: contact, cable, fixture */
	ACTION_RETRY, /* transient: start it again */
	ACTION_SET_ASIDE, /* permanent: this board will not pass */
	ACTION_STATION, /* the station needs care; the board is fine */
};

struct fault {
	enum fault_code code;
	uint32_t status; /* mboot status of the step, 0 when there is none */
	char detail[400]; /* what happened, where: step, seen, wanted */
};

const char *fault_id(enum fault_code code); /* "S04" */
enum fault_action fault_action(enum fault_code code);
const char *fault_action_name(enum fault_action a); /* "reseat" ... for JSON */
bool fault_permanent(enum fault_code code);
const char *fault_sentence(enum fault_code code); /* plain words */
const char *fault_instruction(enum fault_code code); /* what to do */

/* fault_set - code and detail; the sentence of the code is the default detail. */
void fault_set(struct fault *f, enum fault_code code, uint32_t status, const char *fmt, ...)
	PRINTF_LIKE(4);

/* fault_of_err - which fault an error of the mboot host or of a port is. */
void fault_of_err(struct fault *f, const struct err *e);
enum fault_code fault_code_of_err(const struct err *e);

/* fault_reason - the text for the log's device-end: "S04 DETAIL (SENTENCE)", printable, cut to fit.
 * fault_code_of_reason - the code back from such a text, FAULT_NONE when it has none. */
#define FAULT_REASON_CAP 512
void fault_reason(const struct fault *f, char out[FAULT_REASON_CAP]);
enum fault_code fault_code_of_reason(const char *reason);

#endif

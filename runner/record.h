/* record - the members of the leaves a runner writes, and the same for the screen.
 * Each returns a new object in the order of the format, NULL when memory is out (or a text is not
 * UTF-8). Pure functions, any thread. Source: format "evidence", section 4.2.
 */
#ifndef RUNNER_RECORD_H
#define RUNNER_RECORD_H

#include <jansson.h>

#include "runner/faults.h"
#include "runner/journal.h"

json_t *record_begin(
	const struct device_facts *f, uint64_t device, unsigned attempt, int64_t resumes);
json_t *record_intent(const struct intent_facts *f);
json_t *record_step(const struct step_facts *f);
json_t *record_attestation(const struct attestation_facts *f);
json_t *record_end(const struct end_facts *f);
json_t *record_operator(const char *action, const char *who, const char *text);

/* record_event - what --ui json prints for a leaf: event, seq, time, its members, then `port` (when
 * the leaf has none) and for a fault `code`, `action`, `instruction`. Members are borrowed. */
json_t *record_event(const char *kind, uint64_t seq, const json_t *members, const char *port,
	enum fault_code fault);

#endif

/* report_data - what a report remembers of the leaves it saw. Internal to the report's files.
 *
 * Everything has a fixed size: what does not fit is counted. */
#ifndef MFGPKG_AUDIT_REPORT_DATA_H
#define MFGPKG_AUDIT_REPORT_DATA_H

#include <time.h>

#include "mfgpkg/audit/report.h"

#define REPORT_OPEN_MAX	    256 /* devices begun and not ended at one time, as the verifier */
#define REPORT_SLOTS_MAX    64
#define REPORT_CAUSES_MAX   48
#define REPORT_STAGES_MAX   20
#define REPORT_STATUSES_MAX 16
#define REPORT_PACKAGES_MAX 16
#define REPORT_EVENTS_MAX   100
#define REPORT_ENTRIES_MAX  500 /* of a workspace */
#define REPORT_EPOCHS_MAX   12 /* keys shown */
#define REPORT_SIGNERS_MAX  8
#define REPORT_ROWS_BAD	    500 /* attempts that did not pass */
#define REPORT_ROWS_GOOD    500 /* attempts that passed */
#define REPORT_BINS	    160
#define REPORT_TEXT_CAP	    256

enum report_outcome { OUTCOME_PASS, OUTCOME_FAIL, OUTCOME_INTERRUPTED, OUTCOME_UNKNOWN, OUTCOMES };
const char *report_outcome_name(enum report_outcome o);

/* Durations on a logarithmic scale: eight buckets an octave, so a quantile is exact to 6 %. */
#define REPORT_BUCKETS 416
struct report_durations {
	uint64_t n, min, max;
	uint64_t bucket[REPORT_BUCKETS];
};
void report_durations_add(struct report_durations *d, uint64_t ms);
uint64_t report_durations_at(const struct report_durations *d, double quantile);
uint64_t report_bucket_start(size_t bucket);

/* Outcomes over time. Bins start narrow and are joined when the log turns out longer. */
struct report_bins {
	unsigned width; /* index of the width */
	int64_t first; /* number of the first bin: its time divided by the width */
	size_t n;
	uint64_t count[REPORT_BINS][OUTCOMES];
};
void report_bins_add(struct report_bins *b, int64_t time_ms, enum report_outcome o);
int64_t report_bins_ms(const struct report_bins *b); /* width of one bin */

struct report_slot {
	char name[REPORT_TEXT_CAP];
	uint64_t count[OUTCOMES];
};
struct report_cause {
	char text[REPORT_TEXT_CAP], stage[65];
	enum report_outcome outcome;
	int64_t first; /* leaf of the first device-end with it */
	uint64_t n;
};
struct report_stage {
	char name[65];
	struct report_durations time;
	uint64_t failed;
};
struct report_status {
	uint32_t status;
	uint64_t n;
};

/* One attempt at a device. */
struct report_attempt {
	int64_t begin, end; /* leaves; end -1: unknown */
	uint64_t device, attempt, ms;
	uint8_t uuid[16];
	int64_t time_ms;
	enum report_outcome outcome;
	char slot[48], lifecycle[24];
	char cause[REPORT_TEXT_CAP];
	bool irreversible, receipt, resumed;
};

/* A device between its begin and its end. */
struct report_open {
	struct report_attempt a;
	size_t slot; /* REPORT_SLOTS_MAX: no room */
	uint64_t stage_ms[REPORT_STAGES_MAX];
	uint32_t stages; /* which of them it was in */
	char stage[65]; /* of the last step that failed, or of the open intent */
	int64_t intent_boot_ms;
	size_t intent_stage;
};

struct report_package {
	bool accepted;
	int64_t leaf, sequence;
	char file[REPORT_TEXT_CAP], product[REPORT_TEXT_CAP], release[REPORT_TEXT_CAP];
	char package[65], container[65], package_id[40], reason[REPORT_TEXT_CAP];
	char signers[REPORT_SIGNERS_MAX][17];
	size_t n_signers;
};

/* What happened to the station, or what people did; in a workspace also what was made. */
struct report_event {
	int64_t leaf, time_ms;
	char kind[24], what[64], who[96], text[REPORT_TEXT_CAP], digest[65];
};

struct report_genesis {
	char customer[REPORT_TEXT_CAP], product[REPORT_TEXT_CAP];
	char package[65], package_id[40], not_before[24], not_after[24];
	int64_t sequence; /* -1: none */
	bool has_order, epoch0_ordered;
	size_t n_witnesses;
	char runner_version[REPORT_TEXT_CAP], runner_sha256[65];
	char os[REPORT_TEXT_CAP], kernel[REPORT_TEXT_CAP], machine[REPORT_TEXT_CAP];
};

struct oem_report {
	char name[REPORT_TEXT_CAP];
	char text[LEAF_MAX + 1]; /* scratch */
	struct report_genesis genesis;
	struct report_package packages[REPORT_PACKAGES_MAX];
	size_t n_packages;
	uint64_t more_packages;

	struct report_open open[REPORT_OPEN_MAX];
	size_t n_open;
	struct report_attempt good[REPORT_ROWS_GOOD], bad[REPORT_ROWS_BAD];
	size_t n_good, n_bad;
	uint64_t n_passed, n_not_passed; /* attempts, those without a row included */
	struct report_attempt
		*rows[REPORT_ROWS_GOOD + REPORT_ROWS_BAD]; /* by begin, when settled */
	size_t n_rows;

	uint64_t reworked, rework_passed, first_pass; /* devices */
	uint64_t resumed; /* attempts */
	struct report_bins bins;
	struct report_stage stages[REPORT_STAGES_MAX];
	size_t n_stages;
	struct report_durations whole; /* passed devices */
	struct report_slot slots[REPORT_SLOTS_MAX];
	size_t n_slots;
	uint64_t other_slots; /* attempts in slots there was no room for */
	struct report_cause causes[REPORT_CAUSES_MAX];
	size_t n_causes;
	uint64_t other_causes;
	uint64_t steps, retried, bytes; /* retried: steps that took more than one try */

	uint64_t attest_ok, attest_refused, attest_invalid;
	struct report_status refusals[REPORT_STATUSES_MAX];
	size_t n_refusals;

	char epoch_keys[REPORT_EPOCHS_MAX][REPORT_TEXT_CAP];
	size_t n_epoch_keys;
	uint64_t seals, clock_steps, restarts;
	char close_reason[16];
	struct report_event events[REPORT_EVENTS_MAX], entries[REPORT_ENTRIES_MAX];
	size_t n_events, n_entries;
	uint64_t more_events, more_entries;

	bool settled;
	struct audit_result result;
	size_t n_oem, n_known, n_witnesses; /* what the auditor brought */
	bool dice_ca, rtf, log_key;
	char oem_ids[REPORT_SIGNERS_MAX][17];
	char witness_names[REPORT_SIGNERS_MAX][NOTE_NAME_MAX + 1];
};

/* Words that HTML and JSON share. */
const char *report_verdict_words(const struct oem_report *r); /* a sentence */
double report_share(uint64_t part, uint64_t whole); /* percent; 0 of 0 is 0 */
uint64_t report_not_passed(const struct oem_report *r); /* devices */
uint64_t report_with_receipt(const struct oem_report *r); /* devices that passed with one */
time_t report_written(void); /* now, or SOURCE_DATE_EPOCH when it is set */

#endif

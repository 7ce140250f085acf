#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "mfgpkg/audit/report_data.h"

const char *report_outcome_name(enum report_outcome o)
{
	switch (o) {
	case OUTCOME_PASS:
		return "pass";
	case OUTCOME_FAIL:
		return "fail";
	case OUTCOME_INTERRUPTED:
		return "interrupted";
	case OUTCOME_UNKNOWN:
		return "unknown";
	case OUTCOMES:
		break;
	}
	return "?";
}

/* --- durations -------------------------------------------------------------------------------- */

/* 0..7 have a bucket each; from 8 on each octave has eight. */
static size_t bucket_of(uint64_t ms)
{
	if (ms < 8)
		return (size_t)ms;
	unsigned octave = 63 - (unsigned)__builtin_clzll(ms);
	size_t i = (size_t)(octave - 2) * 8 + ((ms >> (octave - 3)) & 7);
	return i < REPORT_BUCKETS ? i : REPORT_BUCKETS - 1;
}

uint64_t report_bucket_start(size_t i)
{
	return i < 8 ? i : (uint64_t)(8 + i % 8) << (i / 8 - 1);
}

void report_durations_add(struct report_durations *d, uint64_t ms)
{
	if (d->n == 0 || ms < d->min)
		d->min = ms;
	if (ms > d->max)
		d->max = ms;
	d->n++;
	d->bucket[bucket_of(ms)]++;
}

uint64_t report_durations_at(const struct report_durations *d, double quantile)
{
	uint64_t want = (uint64_t)(quantile * (double)d->n), seen = 0;

	for (size_t i = 0; i < REPORT_BUCKETS; i++) {
		seen += d->bucket[i];
		if (seen <= want)
			continue;
		uint64_t from = report_bucket_start(i), to = report_bucket_start(i + 1);
		uint64_t at = from + (to - from) / 2;
		return at < d->min ? d->min : at > d->max ? d->max : at;
	}
	return d->max;
}

/* --- bins ------------------------------------------------------------------------------------- */

/* Each is a multiple of the one before, so that bins can be joined. */
static const int64_t widths_s[] = { 1, 10, 60, 300, 600, 1800, 3600, 7200, 14400, 43200, 86400,
	604800, 2419200, 31449600, 314496000, 3144960000, 314496000000, 31449600000000 };
#define WIDTHS (sizeof widths_s / sizeof widths_s[0])

int64_t report_bins_ms(const struct report_bins *b)
{
	return widths_s[b->width] * 1000;
}

static int64_t floor_div(int64_t a, int64_t b)
{
	return a >= 0 ? a / b : -((-a + b - 1) / b);
}

static void widen(struct report_bins *b)
{
	struct report_bins old = *b;
	int64_t ratio = widths_s[old.width + 1] / widths_s[old.width];

	memset(b->count, 0, sizeof b->count);
	b->width++;
	b->first = floor_div(old.first, ratio);
	b->n = 0;
	for (size_t i = 0; i < old.n; i++) {
		size_t to = (size_t)(floor_div(old.first + (int64_t)i, ratio) - b->first);
		for (unsigned o = 0; o < OUTCOMES; o++)
			b->count[to][o] += old.count[i][o];
		b->n = to + 1;
	}
}

void report_bins_add(struct report_bins *b, int64_t time_ms, enum report_outcome o)
{
	int64_t at = floor_div(time_ms, report_bins_ms(b));

	if (b->n == 0) {
		b->first = at;
		b->n = 1;
	}
	/* A clock may also go back: then room is needed in front. */
	while ((at - b->first >= REPORT_BINS ||
		       b->first + (int64_t)b->n - at > (int64_t)REPORT_BINS) &&
		b->width + 1 < WIDTHS) {
		widen(b);
		at = floor_div(time_ms, report_bins_ms(b));
	}
	if (at < b->first) {
		size_t shift = (size_t)(b->first - at);
		memmove(b->count[shift], b->count[0], b->n * sizeof b->count[0]);
		memset(b->count[0], 0, shift * sizeof b->count[0]);
		b->first = at;
		b->n += shift;
	}
	size_t i = (size_t)(at - b->first);
	if (i >= b->n)
		b->n = i + 1;
	b->count[i][o]++;
}

/* --- words ------------------------------------------------------------------------------------ */

const char *report_verdict_words(const struct oem_report *r)
{
	switch (r->result.verdict) {
	case AUDIT_PASS:
		return r->result.role == ROLE_WORKSPACE
			       ? "The log is whole and unchanged up to its last entry."
			       : "The OEM ordered this log, nothing in it was changed, and it was "
				 "closed. Every rule holds.";
	case AUDIT_INCOMPLETE:
		return "What is here is sound, but the log was not closed: more may have happened, "
		       "or may have been cut off.";
	case AUDIT_UNOWNED:
		return "What is here is sound, but no order signed by a known OEM key stands "
		       "behind it.";
	case AUDIT_FAIL:
		return "This log must not be relied on. The findings say where it was changed or "
		       "breaks a rule.";
	}
	return "";
}

double report_share(uint64_t part, uint64_t whole)
{
	return whole ? 100.0 * (double)part / (double)whole : 0;
}

uint64_t report_not_passed(const struct oem_report *r)
{
	uint64_t devices = r->result.devices, passed = r->result.totals.passed;

	return devices > passed ? devices - passed : 0;
}

uint64_t report_with_receipt(const struct oem_report *r)
{
	uint64_t passed = r->result.totals.passed, without = r->result.no_receipt;

	return passed > without ? passed - without : 0;
}

time_t report_written(void)
{
	const char *fixed = getenv("SOURCE_DATE_EPOCH");
	uint64_t s;

	if (fixed && decimal_parse(fixed, strlen(fixed), 253402300799, &s) == 0)
		return (time_t)s;
	return time(NULL);
}

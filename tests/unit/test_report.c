/* Reports of logs that a factory of the tests wrote: numbers, limits, and text that is hostile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "evidence_support.h"
#include "mfgpkg/audit/html.h"
#include "mfgpkg/audit/report_data.h"
#include "report_factory.h"

struct page {
	struct factory made;
	struct oem_report *report;
	char *html;
	size_t len;
	json_t *json; /* of the one log */
	json_t *document;
};

static void open_page(struct page *p, struct factory_plan plan, const char *name)
{
	static struct audit_result result;
	struct err e = { 0 };

	memset(p, 0, sizeof *p);
	plan.dir = ev_path("%s", name);
	if (factory_run(&plan, &p->made, &e) != 0)
		fail_msg("%s", e.msg);
	assert_int_equal(oem_report_new(&p->report, p->made.log, &e), 0);
	struct audit_expect x = { .oem = &p->made.oem,
		.n_oem = 1,
		.dice_ca = p->made.dice_ca,
		.witnesses = &p->made.witness,
		.n_witnesses = plan.witness,
		.observe = oem_report_leaf,
		.observe_ctx = p->report };
	if (audit_verify(p->made.log, &x, &result, &e) != 0 ||
		oem_report_settle(p->report, &result, &x, &e) != 0)
		fail_msg("%s", e.msg);
	FILE *f = open_memstream(&p->html, &p->len);
	assert_non_null(f);
	oem_report_html(&p->report, 1, f);
	assert_int_equal(fclose(f), 0);
	p->document = oem_report_json(&p->report, 1);
	assert_non_null(p->document);
	p->json = json_array_get(json_object_get(p->document, "logs"), 0);
}

static void close_page(struct page *p)
{
	oem_report_free(p->report);
	free(p->html);
	json_decref(p->document);
}

static json_int_t number(const json_t *j, const char *group, const char *key)
{
	const json_t *v = json_object_get(json_object_get(j, group), key);

	if (!json_is_integer(v))
		fail_msg("no number %s.%s", group, key);
	return json_integer_value(v);
}

/* What the factory did, what the verifier recounted and what the report sums up are the same. */
static void numbers_agree(void **state)
{
	(void)state;
	struct page p;
	open_page(&p,
		(struct factory_plan){ .devices = 120,
			.ports = 6,
			.fail_percent = 8,
			.interrupt_percent = 3,
			.receipts = true,
			.events = true,
			.witness = true },
		"numbers");
	const struct factory *f = &p.made;
	json_int_t sum = 0, failed = 0, bins = 0;
	size_t i;
	json_t *o;

	assert_string_equal(json_string_value(json_object_get(p.json, "verdict")), "PASS");
	assert_int_equal(number(p.json, "quantity", "planned"), 120);
	assert_int_equal(number(p.json, "quantity", "devices"), 120);
	assert_int_equal(number(p.json, "quantity", "attempts"), (json_int_t)f->begun);
	assert_int_equal(number(p.json, "quantity", "passed"), (json_int_t)f->passed);
	assert_int_equal(number(p.json, "quantity", "attempts_failed"), (json_int_t)f->failed);
	assert_int_equal(
		number(p.json, "quantity", "attempts_interrupted"), (json_int_t)f->interrupted);
	assert_int_equal(number(p.json, "quantity", "reworked"), (json_int_t)f->reworked);
	assert_int_equal(number(p.json, "quantity", "passed"),
		number(p.json, "quantity", "first_pass") +
			number(p.json, "quantity", "rework_passed"));
	assert_true(f->failed > 3 && f->interrupted > 0 && f->reworked > 3);
	assert_int_equal(number(p.json, "receipts", "passed_without"), 0);

	json_array_foreach(json_object_get(p.json, "slots"), i, o)
	{
		sum += json_integer_value(json_object_get(o, "pass")) +
		       json_integer_value(json_object_get(o, "fail")) +
		       json_integer_value(json_object_get(o, "interrupted"));
	}
	assert_int_equal(sum, (json_int_t)f->begun);
	json_array_foreach(json_object_get(p.json, "causes"), i, o) failed +=
		json_integer_value(json_object_get(o, "n"));
	assert_int_equal(failed, (json_int_t)(f->failed + f->interrupted));
	json_array_foreach(json_object_get(json_object_get(p.json, "yield"), "bins"), i, o) bins +=
		json_integer_value(json_object_get(o, "pass"));
	assert_int_equal(bins, (json_int_t)f->passed);
	assert_int_equal(json_array_size(json_object_get(p.json, "attempts")), f->begun);
	/* The two clock leaves, and what people did. */
	assert_int_equal(p.report->clock_steps, 1);
	assert_int_equal(p.report->restarts, 1);
	assert_non_null(strstr(p.html, "the wall clock was moved by -95 s"));
	assert_non_null(strstr(p.html, "sequence 6 is below the order&#39;s floor of 7"));
	close_page(&p);
}

/* A page of its own: nothing is loaded, nothing runs. */
static void nothing_from_outside(void **state)
{
	(void)state;
	static const char *const never[] = { "<script", "javascript:", "src=", "href=", "@import",
		"http://", "https://", "<iframe", "<object", "<link" };
	struct page p;
	open_page(
		&p, (struct factory_plan){ .devices = 10, .ports = 2, .receipts = true }, "alone");
	for (size_t i = 0; i < sizeof never / sizeof never[0]; i++)
		if (strstr(p.html, never[i]))
			fail_msg("the page holds %s", never[i]);
	assert_non_null(strstr(p.html, "default-src 'none'"));
	close_page(&p);
}

static size_t count(const char *in, const char *what)
{
	size_t n = 0;

	for (const char *q = in; (q = strstr(q, what)); q += strlen(what))
		n++;
	return n;
}

/* Markup and control characters in every text a station or an order can bring. */
static void hostile_text_is_text(void **state)
{
	(void)state;
	struct page p;
	open_page(&p,
		(struct factory_plan){ .devices = 40,
			.ports = 4,
			.fail_percent = 20,
			.events = true,
			.hostile = true },
		"hostile");
	assert_null(strstr(p.html, "<script"));
	assert_null(strstr(p.html, "<img"));
	assert_null(strstr(p.html, "<b>\""));
	assert_null(strstr(p.html, "onload='x'"));
	assert_true(count(p.html, "&lt;script&gt;alert(1)&lt;/script&gt;&quot; onload=&#39;x&#39; "
				  "&amp;amp; <span class=odd>U+202E</span>txt <span "
				  "class=odd>U+0085</span>") > 2); /* operator, reasons */
	assert_true(count(p.html, "&lt;img src=x onerror=alert(2)&gt;") == 1); /* customer */
	assert_true(count(p.html, "&lt;b&gt;&quot;2&#39;&amp;") > 2); /* slot */
	/* No raw control character but the line feeds of the page itself. */
	for (size_t i = 0; i < p.len; i++)
		assert_true((unsigned char)p.html[i] >= 0x20 || p.html[i] == '\n');
	assert_true(utf8_valid(p.html, p.len));
	close_page(&p);
}

/* Lists are cut, and what is cut is counted; those that did not pass go first. */
static void lists_are_bounded(void **state)
{
	(void)state;
	struct page p;
	open_page(&p, (struct factory_plan){ .devices = 900, .ports = 16, .fail_percent = 3 },
		"long");
	const struct oem_report *r = p.report;

	assert_int_equal(r->n_good, REPORT_ROWS_GOOD);
	assert_int_equal(r->n_passed, p.made.passed);
	assert_int_equal(r->n_bad, p.made.failed);
	assert_int_equal(number(p.json, "attempts_more", "passed"),
		(json_int_t)(p.made.passed - REPORT_ROWS_GOOD));
	assert_int_equal(number(p.json, "attempts_more", "not_passed"), 0);
	assert_non_null(strstr(p.html, "more attempts that passed, counted but not listed"));
	for (size_t i = 1; i < r->n_rows; i++)
		assert_true(r->rows[i - 1]->begin < r->rows[i]->begin);
	close_page(&p);
}

/* Empty and open logs make a page too. */
static void small_logs(void **state)
{
	(void)state;
	struct page p;
	open_page(&p, (struct factory_plan){ .devices = 0, .ports = 1 }, "empty");
	assert_non_null(strstr(p.html, "No attempt failed"));
	close_page(&p);
	open_page(&p, (struct factory_plan){ .devices = 3, .ports = 1, .open = true }, "open");
	assert_string_equal(json_string_value(json_object_get(p.json, "verdict")), "INCOMPLETE");
	assert_non_null(strstr(p.html, "the log was not closed"));
	close_page(&p);
}

static void durations_have_quantiles(void **state)
{
	(void)state;
	static struct report_durations d;
	uint64_t m;

	for (uint64_t ms = 1; ms <= 1000; ms++)
		report_durations_add(&d, ms);
	m = report_durations_at(&d, 0.5);
	assert_true(m >= 470 && m <= 530);
	m = report_durations_at(&d, 0.95);
	assert_true(m >= 890 && m <= 1000);
	assert_true(d.min == 1 && d.max == 1000);
	for (size_t i = 1; i < REPORT_BUCKETS; i++)
		assert_true(report_bucket_start(i) > report_bucket_start(i - 1));
	report_durations_add(&d, ((uint64_t)1 << 53) - 1); /* the longest a leaf can say */
	assert_true(d.bucket[REPORT_BUCKETS - 1] <= 1);
	assert_true(report_durations_at(&d, 1.0) == ((uint64_t)1 << 53) - 1);
}

/* Whatever the clock does, nothing is lost and the bins stay within bounds. */
static void bins_take_any_time(void **state)
{
	(void)state;
	static const int64_t times[] = { 1795248000000, 1795248001000, 1795247000000, 0,
		-62135596800000, 253402300799999, 1795248000000, 5 };
	static struct report_bins b;
	uint64_t sum = 0;

	for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
		report_bins_add(&b, times[i], OUTCOME_PASS);
		assert_true(b.n <= REPORT_BINS);
	}
	for (size_t i = 0; i < b.n; i++)
		sum += b.count[i][OUTCOME_PASS];
	assert_int_equal(sum, sizeof times / sizeof times[0]);
	memset(&b, 0, sizeof b);
	for (int64_t t = 0; t < 400; t++)
		report_bins_add(&b, 1795248000000 + t * 1000, OUTCOME_FAIL);
	assert_int_equal(report_bins_ms(&b), 10000);
	assert_int_equal(b.n, 40);
	for (size_t i = 0; i < b.n; i++)
		assert_int_equal(b.count[i][OUTCOME_FAIL], 10);
}

static void characters_that_do_not_show(void **state)
{
	(void)state;
	static const struct {
		const char *text, *html;
	} t[] = {
		{ "a<b>&\"'", "a&lt;b&gt;&amp;&quot;&#39;" },
		{ "\x01\x1b[31m",
			"<span class=odd>U+0001</span><span class=odd>U+001B</span>[31m" },
		{ "\xe2\x80\xae"
		  "abc",
			"<span class=odd>U+202E</span>abc" },
		{ "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80" },
		{ "\xff\xc0\x80", "<span class=odd>\\xFF</span><span class=odd>\\xC0</span><span "
				  "class=odd>\\x80</span>" },
		{ "\xe2\x82", "<span class=odd>\\xE2</span><span class=odd>\\x82</span>" },
	};
	for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
		char *out = NULL;
		size_t len;
		FILE *f = open_memstream(&out, &len);
		html_text(f, t[i].text);
		fclose(f);
		assert_string_equal(out, t[i].html);
		free(out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_agree),
		cmocka_unit_test(nothing_from_outside),
		cmocka_unit_test(hostile_text_is_text),
		cmocka_unit_test(lists_are_bounded),
		cmocka_unit_test(small_logs),
		cmocka_unit_test(durations_have_quantiles),
		cmocka_unit_test(bins_take_any_time),
		cmocka_unit_test(characters_that_do_not_show),
	};

	return cmocka_run_group_tests_name("report", tests, NULL, NULL);
}

#include <string.h>

#include "base/text.h"
#include "mfgpkg/audit/html.h"
#include "mfgpkg/audit/report_svg.h"

#define LEFT	  64 /* room for the labels of the axis */
#define WIDTH	  720
#define INNER	  (WIDTH - LEFT - 12)
#define YIELD_TOP 24
#define YIELD_H	  90
#define COUNT_TOP 152
#define COUNT_H	  96
#define ROW_H	  46

void report_svg_patterns(FILE *f)
{
	fputs("<svg class=defs width=0 height=0 aria-hidden=true><defs>"
	      "<pattern id=hatch width=5 height=5 patternUnits=userSpaceOnUse "
	      "patternTransform='rotate(45)'><rect width=5 height=5 class=under />"
	      "<rect width=2.6 height=5 class=overfail /></pattern>"
	      "<pattern id=dots width=4 height=4 patternUnits=userSpaceOnUse>"
	      "<rect width=4 height=4 class=under /><circle cx=2 cy=2 r=1.1 class=overint />"
	      "</pattern></defs></svg>\n",
		f);
}

/* --- one bar ---------------------------------------------------------------------------------- */

void report_svg_bar(FILE *f, const struct report_part *parts, size_t n, uint64_t whole,
	const char *label, bool wide)
{
	double width = wide ? WIDTH : 200, x = 0;
	int height = wide ? 26 : 12;

	fprintf(f, "<svg class='%s' viewBox='0 0 %.0f %d' role=img aria-label='",
		wide ? "wide" : "bar", width, height);
	html_text(f, label);
	fprintf(f, "'%s>", wide ? "" : " preserveAspectRatio=none");
	fprintf(f, "<rect class=ground x=0.5 y=0.5 width=%.0f height=%d />", width - 1, height - 1);
	for (size_t i = 0; i < n && whole; i++) {
		double w = width * (double)parts[i].n / (double)whole;
		if (w > width - x)
			w = width - x;
		if (parts[i].n && w < 1.5) /* one in a million is still seen */
			w = 1.5;
		if (parts[i].n)
			fprintf(f, "<rect class=%s x=%.2f y=1 width=%.2f height=%d />",
				parts[i].fill, x, w, height - 2);
		x += w;
	}
	fputs("</svg>", f);
}

/* --- yield over time -------------------------------------------------------------------------- */

static uint64_t ended(const struct report_bins *b, size_t i)
{
	return b->count[i][OUTCOME_PASS] + b->count[i][OUTCOME_FAIL] +
	       b->count[i][OUTCOME_INTERRUPTED];
}

/* A round number, not below v. */
static uint64_t nice(uint64_t v)
{
	static const uint64_t round[] = { 1, 2, 3, 4, 5, 6, 8, 10 };
	uint64_t power = 1;
	size_t i = 0;

	while (power * 10 < v)
		power *= 10;
	while (round[i] * power < v)
		i++;
	return round[i] * power;
}

/* Where the axis of the yield begins, in percent: as near to 100 as the values permit. */
static unsigned lowest(const struct report_bins *b)
{
	double low = 100;

	for (size_t i = 0; i < b->n; i++) {
		double share = report_share(b->count[i][OUTCOME_PASS], ended(b, i));
		low = ended(b, i) && share < low ? share : low;
	}
	return low >= 90 ? 90 : low >= 80 ? 80 : low >= 50 ? 50 : 0;
}

static void grid(FILE *f, double y, const char *label)
{
	fprintf(f,
		"<line class=grid x1=%d x2=%d y1=%.1f y2=%.1f /><text x=%d y=%.1f class=end>%s"
		"</text>",
		LEFT, WIDTH - 12, y, y, LEFT - 6, y + 4, label);
}

static void time_axis(FILE *f, const struct report_bins *b, double step, int y)
{
	int64_t width = report_bins_ms(b);
	size_t every = b->n / 6 + 1;
	char text[TIME_MS_LEN + 1], before[11] = "";

	for (size_t i = 0; i < b->n; i += every) {
		double x = LEFT + step * (double)i;
		time_format_ms(text, (b->first + (int64_t)i) * width);
		fprintf(f, "<line class=tick x1=%.1f x2=%.1f y1=%d y2=%d /><text x=%.1f y=%d>", x,
			x, y, y + 5, x, y + 17);
		if (width < 86400000)
			fprintf(f, "%.*s", width < 60000 ? 8 : 5, text + 11);
		else
			fprintf(f, "%.10s", text);
		fputs("</text>", f);
		if (width < 86400000 && strncmp(before, text, 10) != 0)
			fprintf(f, "<text x=%.1f y=%d class=soft>%.10s</text>", x, y + 30, text);
		snprintf(before, sizeof before, "%.10s", text);
	}
}

static double yield_y(const struct report_bins *b, size_t i, unsigned low)
{
	double share = report_share(b->count[i][OUTCOME_PASS], ended(b, i));

	return YIELD_TOP + YIELD_H * (100 - share) / (100 - low);
}

static void yield_line(FILE *f, const struct report_bins *b, double step, unsigned low)
{
	size_t last = 0, idle = b->n / 12 + 2; /* a longer pause breaks the line */
	bool drawing = false;

	fputs("<path class=line d='", f);
	for (size_t i = 0; i < b->n; i++) {
		if (!ended(b, i))
			continue;
		drawing &= i - last <= idle;
		last = i;
		fprintf(f, "%c%.1f %.1f", drawing ? 'L' : 'M', LEFT + step * ((double)i + 0.5),
			yield_y(b, i, low));
		drawing = true;
	}
	fputs("' />", f);
	for (size_t i = 0; i < b->n; i++)
		if (ended(b, i))
			fprintf(f, "<circle class=dot cx=%.1f cy=%.1f r=%s />",
				LEFT + step * ((double)i + 0.5), yield_y(b, i, low),
				step > 5 ? "2.2" : "1.4");
}

static void count_bars(FILE *f, const struct report_bins *b, double step, uint64_t top)
{
	static const char *const fill[] = { "pass", "fail", "interrupted" };
	double w = step > 3 ? step - (step > 8 ? 2 : 1) : step;

	for (size_t i = 0; i < b->n; i++) {
		double y = COUNT_TOP + COUNT_H;
		for (unsigned o = OUTCOME_PASS; o <= OUTCOME_INTERRUPTED; o++) {
			double h = COUNT_H * (double)b->count[i][o] / (double)top;
			if (h <= 0)
				continue;
			y -= h;
			fprintf(f, "<rect class=%s x=%.1f y=%.1f width=%.1f height=%.1f />",
				fill[o], LEFT + step * (double)i, y, w, h);
		}
	}
}

void report_svg_yield(FILE *f, const struct oem_report *r)
{
	const struct report_bins *b = &r->bins;
	uint64_t most = 1;
	char label[32];

	for (size_t i = 0; i < b->n; i++)
		most = ended(b, i) > most ? ended(b, i) : most;
	uint64_t top = nice(most);
	/* A short log has few bars, not broad ones. */
	double step = (double)INNER / (double)(b->n > 16 ? b->n : 16);
	fprintf(f,
		"<svg class=plot viewBox='0 0 %d 286' role=img aria-label='yield over time'>"
		"<text x=0 y=11 class=start>passed of those that ended</text>",
		WIDTH);
	unsigned low = lowest(b);
	for (unsigned i = 0; i <= 2; i++) {
		snprintf(label, sizeof label, "%u %%", low + (100 - low) * i / 2);
		grid(f, YIELD_TOP + YIELD_H * (2 - i) / 2.0, label);
	}
	yield_line(f, b, step, low);
	fprintf(f, "<text x=0 y=%d class=start>attempts that ended</text>", COUNT_TOP - 13);
	snprintf(label, sizeof label, "%llu", (unsigned long long)top);
	grid(f, COUNT_TOP, label);
	if (top > 1 && top % 2 == 0) {
		snprintf(label, sizeof label, "%llu", (unsigned long long)top / 2);
		grid(f, COUNT_TOP + COUNT_H / 2.0, label);
	}
	count_bars(f, b, step, top);
	grid(f, COUNT_TOP + COUNT_H, "0");
	time_axis(f, b, step, COUNT_TOP + COUNT_H);
	fputs("</svg>\n", f);
}

/* --- durations -------------------------------------------------------------------------------- */

#define NAME_W	120
#define PLOT_X	(NAME_W + 8)
#define PLOT_W	370
#define STATS_X (PLOT_X + PLOT_W + 16)

struct scale {
	double from, to; /* log2 of ms */
};

/* Logarithm to base 2, straight within an octave as the buckets are. */
static double octaves(uint64_t ms)
{
	if (ms < 1)
		return 0;
	unsigned octave = 63 - (unsigned)__builtin_clzll(ms);
	return octave + (double)ms / (double)((uint64_t)1 << octave) - 1;
}

static double at(const struct scale *s, uint64_t ms)
{
	double v = octaves(ms);

	return PLOT_X + PLOT_W * (v - s->from) / (s->to - s->from);
}

static void time_grid(FILE *f, const struct scale *s, int height)
{
	static const struct {
		uint64_t ms;
		const char *name;
	} marks[] = { { 1, "1 ms" }, { 10, "10 ms" }, { 100, "100 ms" }, { 1000, "1 s" },
		{ 10000, "10 s" }, { 60000, "1 min" }, { 600000, "10 min" }, { 3600000, "1 h" },
		{ 36000000, "10 h" }, { 864000000, "10 d" } };

	for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
		double x = at(s, marks[i].ms);
		if (x < PLOT_X - 0.5 || x > PLOT_X + PLOT_W + 0.5)
			continue;
		fprintf(f,
			"<line class=grid x1=%.1f x2=%.1f y1=4 y2=%d /><text x=%.1f y=%d>%s</text>",
			x, x, height - 18, x, height - 4, marks[i].name);
	}
}

static void duration_row(FILE *f, const struct scale *s, const char *name,
	const struct report_durations *d, double y)
{
	uint64_t most = 1;
	char cut[REPORT_TEXT_CAP];

	for (size_t i = 0; i < REPORT_BUCKETS; i++)
		most = d->bucket[i] > most ? d->bucket[i] : most;
	/* As many characters as there is room for; the whole name is in the table of JSON. */
	snprintf(cut, sizeof cut, "%.18s%s", name, strlen(name) > 18 ? "..." : "");
	fprintf(f, "<text x=0 y=%.1f class='start name'>", y + 24);
	html_text(f, cut);
	fprintf(f, "</text><line class=base x1=%d x2=%d y1=%.1f y2=%.1f />", PLOT_X,
		PLOT_X + PLOT_W, y + ROW_H - 10, y + ROW_H - 10);
	for (size_t i = 0; i < REPORT_BUCKETS; i++) {
		if (!d->bucket[i])
			continue;
		double x0 = at(s, report_bucket_start(i)), x1 = at(s, report_bucket_start(i + 1));
		double h = (ROW_H - 16) * (double)d->bucket[i] / (double)most;
		if (h < 1.5)
			h = 1.5;
		if (x1 - x0 < 1.5)
			x1 = x0 + 1.5;
		fprintf(f, "<rect class=time x=%.1f y=%.1f width=%.1f height=%.1f />", x0,
			y + ROW_H - 10 - h, x1 - x0, h);
	}
	double m = at(s, report_durations_at(d, 0.5));
	fprintf(f, "<line class=median x1=%.1f x2=%.1f y1=%.1f y2=%.1f />", m, m, y + 3,
		y + ROW_H - 6);
	fprintf(f, "<text x=%d y=%.1f class=start>median <tspan class=strong>", STATS_X, y + 18);
	html_duration(f, report_durations_at(d, 0.5));
	fputs("</tspan>, 95&nbsp;% below ", f);
	html_duration(f, report_durations_at(d, 0.95));
	fprintf(f, "</text><text x=%d y=%.1f class='start soft'>longest ", STATS_X, y + 32);
	html_duration(f, d->max);
	fprintf(f, ", n = ");
	html_count(f, d->n);
	fputs("</text>", f);
}

void report_svg_durations(FILE *f, const struct oem_report *r)
{
	uint64_t low = UINT64_MAX, high = 1;
	size_t rows = 0;

	for (size_t i = 0; i <= r->n_stages; i++) {
		const struct report_durations *d = i < r->n_stages ? &r->stages[i].time : &r->whole;
		if (!d->n)
			continue;
		rows++;
		low = d->min < low ? d->min : low;
		high = d->max > high ? d->max : high;
	}
	if (!rows)
		return;
	/* At least a decade wide, so that the axis has marks. */
	struct scale s = { octaves(low) - 0.5, octaves(high) + 0.5 };
	if (s.to - s.from < 3.6)
		s.from = s.to - 3.6;
	if (s.from < 0)
		s.from = 0;
	if (s.to < 3.6)
		s.to = 3.6;
	int height = (int)rows * ROW_H + 26;
	double y = 2;
	fprintf(f, "<svg class=plot viewBox='0 0 %d %d' role=img aria-label='durations by stage'>",
		WIDTH, height);
	time_grid(f, &s, height);
	for (size_t i = 0; i <= r->n_stages; i++) {
		const struct report_durations *d = i < r->n_stages ? &r->stages[i].time : &r->whole;
		if (!d->n)
			continue;
		duration_row(f, &s, i < r->n_stages ? r->stages[i].name : "begin to end", d, y);
		y += ROW_H;
	}
	fputs("</svg>\n", f);
}

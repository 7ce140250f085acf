#include <stdbool.h>
#include <string.h>

#include "base/text.h"
#include "mfgpkg/audit/html.h"

/* Length of the character at p, its number in *c; 0 when it is no UTF-8. */
static size_t next_character(const unsigned char *p, uint32_t *c)
{
	size_t n = *p < 0x80   ? 1
		   : *p < 0xC2 ? 0
		   : *p < 0xE0 ? 2
		   : *p < 0xF0 ? 3
		   : *p < 0xF5 ? 4
			       : 0;

	if (n == 0 || strnlen((const char *)p, n) < n || !utf8_valid(p, n))
		return 0;
	*c = n == 1 ? *p : *p & (0x7Fu >> n);
	for (size_t i = 1; i < n; i++)
		*c = *c << 6 | (p[i] & 0x3Fu);
	return n;
}

/* Characters without a look of their own, and those that change the order of others. */
static bool is_invisible(uint32_t c)
{
	return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0xAD || c == 0x61C || c == 0x180E ||
	       (c >= 0x200B && c <= 0x200F) || (c >= 0x2028 && c <= 0x202E) ||
	       (c >= 0x2060 && c <= 0x206F) || c == 0xFEFF || (c >= 0xFFF9 && c <= 0xFFFB) ||
	       (c >= 0xE0000 && c <= 0xE0FFF);
}

void html_text(FILE *f, const char *utf8)
{
	const unsigned char *p = (const unsigned char *)utf8;

	while (*p) {
		uint32_t c = *p;
		size_t n = next_character(p, &c);
		if (n == 0)
			fprintf(f, "<span class=odd>\\x%02X</span>", *p);
		else if (is_invisible(c))
			fprintf(f, "<span class=odd>U+%04X</span>", c);
		else if (c == '<')
			fputs("&lt;", f);
		else if (c == '>')
			fputs("&gt;", f);
		else if (c == '&')
			fputs("&amp;", f);
		else if (c == '"')
			fputs("&quot;", f);
		else if (c == '\'')
			fputs("&#39;", f);
		else
			fwrite(p, 1, n, f);
		p += n ? n : 1;
	}
}

void html_count(FILE *f, uint64_t n)
{
	char digits[24];
	int len = snprintf(digits, sizeof digits, "%llu", (unsigned long long)n);

	for (int i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			fputs("&#8239;", f);
		fputc(digits[i], f);
	}
}

void html_time(FILE *f, int64_t unix_ms)
{
	char text[TIME_MS_LEN + 1];

	time_format_ms(text, unix_ms);
	fprintf(f, "%.10s&nbsp;%.8s", text, text + 11);
}

void html_duration(FILE *f, uint64_t ms)
{
	unsigned long long s = ms / 1000;

	if (ms < 1000)
		fprintf(f, "%u&nbsp;ms", (unsigned)ms);
	else if (s < 60)
		fprintf(f, "%llu.%u&nbsp;s", s, (unsigned)(ms % 1000 / 100));
	else if (s < 3600)
		fprintf(f, "%llu&nbsp;min %llu&nbsp;s", s / 60, s % 60);
	else
		fprintf(f, "%llu&nbsp;h %llu&nbsp;min", s / 3600, s % 3600 / 60);
}

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "mboot/command.h"
#include "pkg/script_lex.h"

int script_error(const struct script_line *l, size_t i, struct err *e, const char *fmt, ...)
{
	char msg[300];
	va_list ap;
	unsigned column = i < l->n ? l->words[i].column : (unsigned)strlen(l->text) + 1;

	va_start(ap, fmt);
	vsnprintf(msg, sizeof msg, fmt, ap);
	va_end(ap);
	return err_set(e, ERR_FORMAT, "%s: line %u column %u: %s", l->file, l->number, column, msg);
}

static int lex_error(const struct script_line *l, size_t at, struct err *e, const char *what)
{
	return err_set(
		e, ERR_FORMAT, "%s: line %u column %zu: %s", l->file, l->number, at + 1, what);
}

static bool blank(char c)
{
	return c == ' ' || c == '\t';
}

/* One word from *at on; quotes and backslashes as in a shell. */
static int lex_word(struct script_line *l, const char *s, size_t len, size_t *at, struct err *e)
{
	size_t i = *at, n = 0;
	char quote = 0;

	if (l->n == SCRIPT_MAX_WORDS)
		return lex_error(l, i, e, "too many words");
	struct script_word *w = &l->words[l->n];
	w->column = (unsigned)i + 1;
	for (; i < len && (quote || !blank(s[i])); i++) {
		char c = s[i];
		if (quote == '\'' ? c == '\'' : quote == '"' && c == '"') {
			quote = 0;
		} else if (!quote && (c == '\'' || c == '"')) {
			quote = c;
		} else if (c == '\\' && quote != '\'') {
			if (i + 1 == len)
				return lex_error(l, i, e, "backslash at the end of the line");
			/* Within "..", a backslash quotes only what would be special there. */
			if (quote == '"' && s[i + 1] != '"' && s[i + 1] != '\\')
				w->text[n++] = c;
			else
				w->text[n++] = s[++i];
		} else if (!quote && c == '#') {
			/* SPSDK ends the word here, a shell does not: nobody should depend on it.
			 */
			return lex_error(
				l, i, e, "'#' inside a word: quote it, or put a blank before");
		} else {
			w->text[n++] = c;
		}
	}
	if (quote)
		return lex_error(l, *at, e, "quote is not closed");
	w->text[n] = 0;
	l->n++;
	*at = i;
	return 0;
}

int script_lex(struct script_line *out, const char *file, unsigned number, const char *text,
	size_t len, struct err *e)
{
	struct script_line *l = out;
	size_t i = 0, begin, end;

	l->file = file;
	l->number = number;
	l->n = 0;
	l->text[0] = 0;
	if (len > SCRIPT_MAX_LINE)
		return err_set(e, ERR_LIMIT, "%s: line %u: %zu bytes, at most %d wanted", file,
			number, len, SCRIPT_MAX_LINE);
	for (size_t k = 0; k < len; k++) {
		unsigned char c = (unsigned char)text[k];
		if (c == '\r' && k + 1 == len)
			return lex_error(
				l, k, e, "CR at the end of the line: save with LF line ends");
		/* C1 controls (C2 80 .. C2 9F in UTF-8) drive terminals too. */
		bool c1 = c == 0xC2 && k + 1 < len && (uint8_t)text[k + 1] < 0xA0;
		if ((c < 0x20 && c != '\t') || c == 0x7F || c1)
			return lex_error(l, k, e, "control character");
	}
	if (!utf8_valid(text, len))
		return lex_error(l, 0, e, "not UTF-8");

	while (i < len && blank(text[i]))
		i++;
	begin = end = i;
	while (i < len && text[i] != '#') {
		if (lex_word(l, text, len, &i, e) != 0)
			return -1;
		end = i;
		while (i < len && blank(text[i]))
			i++;
	}
	memcpy(l->text, text + begin, end - begin);
	l->text[end - begin] = 0;
	return 0;
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 99;
}

int script_number(const char *text, uint64_t max, uint64_t *out)
{
	int base = 10;
	uint64_t v = 0;

	if (text[0] == '0' && text[1]) {
		char c = (char)(text[1] | 0x20);
		base = c == 'x' ? 16 : c == 'o' ? 8 : c == 'b' ? 2 : 0;
		if (base == 0) /* 010: eight for one tool, a fault for the other */
			return -1;
		text += 2;
		if (*text == '_')
			text++;
	}
	if (!*text)
		return -1;
	for (; *text; text++) {
		if (*text == '_')
			text++; /* a digit must follow: "1_", "1__2" end in the next test */
		int d = digit(*text);
		if (d >= base || v > (max - (unsigned)d) / (unsigned)base || (unsigned)d > max)
			return -1;
		v = v * (unsigned)base + (unsigned)d;
	}
	*out = v;
	return 0;
}

int script_hex_data(const char *text, uint8_t *out, size_t cap, size_t *len)
{
	size_t n = strlen(text), got = 0;
	bool braces = n >= 2 && strncmp(text, "{{", 2) == 0;
	bool brackets = n >= 2 && strncmp(text, "[[", 2) == 0;
	int high = -1;

	if (!braces && !brackets)
		return 0;
	if (n <= 4 || strcmp(text + n - 2, braces ? "}}" : "]]") != 0)
		return -1;
	for (size_t i = 2; i < n - 2; i++) {
		if (blank(text[i]))
			continue;
		int d = digit(text[i]);
		if (d >= 16)
			return -1;
		if (high < 0) {
			high = d;
			continue;
		}
		if (got == cap)
			return -1;
		out[got++] = (uint8_t)(high << 4 | d);
		high = -1;
	}
	if (high >= 0) {
		if (got == cap)
			return -1;
		out[got++] = (uint8_t)high;
	}
	if (got == 0)
		return -1;
	*len = got;
	return 1;
}

int script_time(const char *text, int *ms)
{
	size_t digits = strspn(text, "0123456789");
	uint64_t v;
	unsigned unit = strcmp(text + digits, "ms") == 0  ? 1
			: strcmp(text + digits, "s") == 0 ? 1000
			: strcmp(text + digits, "m") == 0 ? 60000
							  : 0;

	if (unit == 0 || decimal_parse(text, digits, SCRIPT_MAX_TIMEOUT_MS, &v) != 0 || v == 0 ||
		v * unit > SCRIPT_MAX_TIMEOUT_MS)
		return -1;
	*ms = (int)(v * unit);
	return 0;
}

/* --- conditions ------------------------------------------------------------------------------- */

/* Longer operators first: "<=" begins like "<". */
static const struct {
	const char *text;
	enum script_op op;
} ops[] = {
	{ "==", SCRIPT_EQ },
	{ "!=", SCRIPT_NE },
	{ "<=", SCRIPT_LE },
	{ ">=", SCRIPT_GE },
	{ "<", SCRIPT_LT },
	{ ">", SCRIPT_GT },
};
enum { N_OPS = sizeof ops / sizeof *ops };

const char *script_op_text(enum script_op op)
{
	for (int i = 0; i < N_OPS; i++)
		if (ops[i].op == op)
			return ops[i].text;
	return "?";
}

static const char *skip_blanks(const char *s)
{
	return s + strspn(s, " \t");
}

/* The word at *s (up to a blank or an operator) into word[cap]; *s moves behind it and the blanks.
 */
static int take_word(const char **s, char *word, size_t cap)
{
	size_t n = strcspn(*s, " \t=!<>");

	if (n == 0 || n >= cap)
		return -1;
	memcpy(word, *s, n);
	word[n] = 0;
	*s = skip_blanks(*s + n);
	return 0;
}

static int take_op(const char **s, enum script_op *out)
{
	for (int i = 0; i < N_OPS; i++) {
		size_t n = strlen(ops[i].text);
		if (strncmp(*s, ops[i].text, n) == 0) {
			*out = ops[i].op;
			*s = skip_blanks(*s + n);
			return 0;
		}
	}
	return -1;
}

int script_cond_parse(const char *text, struct script_cond *out, const char **wrong)
{
	struct script_cond c = { .kind = SCRIPT_COND_NONE };
	char word[40];
	uint64_t v;

	text = skip_blanks(text);
	*wrong = "a condition wanted: `lifecycle OP NAME` or `property N OP VALUE`";
	if (take_word(&text, word, sizeof word) != 0)
		return -1;
	if (strcmp(word, "lifecycle") == 0)
		c.kind = SCRIPT_COND_LIFECYCLE;
	else if (strcmp(word, "property") == 0)
		c.kind = SCRIPT_COND_PROPERTY;
	else
		return -1;
	if (c.kind == SCRIPT_COND_PROPERTY) {
		*wrong = "a property number or name wanted";
		if (take_word(&text, word, sizeof word) != 0)
			return -1;
		if (script_number(word, UINT32_MAX, &v) == 0)
			c.property = (uint32_t)v;
		else if (mboot_property_parse(word, &c.property) != 0)
			return -1;
	}
	*wrong = "an operator wanted: == != < <= > >=";
	if (take_op(&text, &c.op) != 0)
		return -1;
	*wrong = c.kind == SCRIPT_COND_LIFECYCLE ? "a life cycle like in-field wanted"
						 : "a number of at most 32 bits wanted";
	if (take_word(&text, word, sizeof word) != 0)
		return -1;
	if (c.kind == SCRIPT_COND_LIFECYCLE) {
		if (mboot_lifecycle_parse(word, &c.lifecycle) != 0 ||
			c.lifecycle == MBOOT_LC_UNKNOWN)
			return -1;
	} else {
		if (script_number(word, UINT32_MAX, &v) != 0)
			return -1;
		c.value = (uint32_t)v;
	}
	*wrong = "nothing wanted behind the condition";
	if (*text)
		return -1;
	*out = c;
	return 0;
}

char *script_cond_text(const struct script_cond *c, char out[80])
{
	switch (c->kind) {
	case SCRIPT_COND_NONE:
		snprintf(out, 80, "always");
		break;
	case SCRIPT_COND_LIFECYCLE:
		snprintf(out, 80, "lifecycle %s %s", script_op_text(c->op),
			mboot_lifecycle_name(c->lifecycle));
		break;
	case SCRIPT_COND_PROPERTY:
		snprintf(out, 80, "property %u %s 0x%x", c->property, script_op_text(c->op),
			c->value);
		break;
	}
	return out;
}

bool script_cond_holds(const struct script_cond *c, uint32_t seen)
{
	uint32_t wanted = c->kind == SCRIPT_COND_LIFECYCLE ? (uint32_t)c->lifecycle : c->value;

	if (c->kind == SCRIPT_COND_NONE)
		return true;
	switch (c->op) {
	case SCRIPT_EQ:
		return seen == wanted;
	case SCRIPT_NE:
		return seen != wanted;
	case SCRIPT_LT:
		return seen < wanted;
	case SCRIPT_LE:
		return seen <= wanted;
	case SCRIPT_GT:
		return seen > wanted;
	case SCRIPT_GE:
		return seen >= wanted;
	}
	return false;
}

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fsio.h"
#include "base/text.h"
#include "mfgpkg/audit/rows.h"

int oem_rows_open(struct oem_rows *r, const char *path, struct err *e)
{
	*r = (struct oem_rows){ .f = stdout };
	if (!path)
		return 0;
	r->f = NULL;
	r->path = strdup(path);
	if (!r->path || asprintf(&r->tmp, "%s.%ld.tmp", path, (long)getpid()) < 0) {
		r->tmp = NULL;
		return err_set(e, ERR_ENV, "out of memory");
	}
	r->f = fopen(r->tmp, "wxe");
	return r->f ? 0 : err_errno(e, "%s: cannot create", r->tmp);
}

int oem_rows_close(struct oem_rows *r, struct err *e)
{
	if (fflush(r->f) != 0 || ferror(r->f))
		return err_errno(e, "%s: cannot write", r->path ? r->path : "standard output");
	if (!r->path)
		return 0;
	if (fsync(fileno(r->f)) != 0 || rename(r->tmp, r->path) != 0)
		return err_errno(e, "%s: cannot write", r->path);
	free(r->tmp);
	r->tmp = NULL;
	return 0;
}

void oem_rows_drop(struct oem_rows *r)
{
	if (r->f && r->f != stdout)
		fclose(r->f);
	if (r->tmp)
		unlink(r->tmp);
	free(r->tmp);
	free(r->path);
	*r = (struct oem_rows){ 0 };
}

static int written(struct oem_rows *r, struct err *e)
{
	return ferror(r->f)
		       ? err_errno(e, "%s: cannot write", r->path ? r->path : "standard output")
		       : 0;
}

int oem_rows_bytes(struct oem_rows *r, const void *line, size_t len, struct err *e)
{
	fwrite(line, 1, len, r->f);
	fputc('\n', r->f);
	return written(r, e);
}

void oem_csv_cell(FILE *f, const char *text, bool comma)
{
	bool formula =
		*text && strchr("=+-@\t\r", *text) && strspn(text, "-0123456789") != strlen(text);
	bool quote = formula || strpbrk(text, ",\"\n\r") != NULL;

	if (comma)
		fputc(',', f);
	if (!quote) {
		fputs(text, f);
		return;
	}
	fputc('"', f);
	if (formula)
		fputc('\'', f);
	for (; *text; text++) {
		if (*text == '"')
			fputc('"', f);
		fputc(*text, f);
	}
	fputc('"', f);
}

static const struct {
	const char *name;
	enum leaf_member m;
} columns[] = {
	{ "time", LM_TIME },
	{ "device", LM_DEVICE },
	{ "uuid", LM_UUID },
	{ "attempt", LM_ATTEMPT },
	{ "slot", LM_SLOT },
	{ "port", LM_PORT },
	{ "begin", LM_BEGIN },
	{ "step", LM_STEP },
	{ "stage", LM_STAGE },
	{ "command", LM_COMMAND },
	{ "result", LM_RESULT },
	{ "status", LM_STATUS },
	{ "reason", LM_REASON },
	{ "lifecycle", LM_LIFECYCLE },
	{ "irreversible", LM_IRREVERSIBLE },
	{ "ms", LM_MS },
	{ "bytes", LM_BYTES },
	{ "file", LM_FILE },
	{ "package", LM_PACKAGE },
	{ "text", LM_TEXT },
};

int oem_rows_csv_head(struct oem_rows *r, struct err *e)
{
	fputs("seq,kind", r->f);
	for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++)
		oem_csv_cell(r->f, columns[i].name, true);
	fputs("\r\n", r->f);
	return written(r, e);
}

int oem_rows_csv_leaf(struct oem_rows *r, const struct leaf *l, struct err *e)
{
	char text[8192];

	fprintf(r->f, "%llu,%s", (unsigned long long)l->seq, leaf_kind_name(l->kind));
	for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++) {
		const struct leaf_value *v = leaf_value(l, columns[i].m);
		text[0] = '\0';
		if (v && v->type == LT_INT)
			snprintf(text, sizeof text, "%lld", (long long)v->i);
		else if (v && v->type == LT_BOOL)
			strcpy(text, v->i ? "true" : "false");
		else if (v && v->type == LT_TEXT &&
			 leaf_text(l, columns[i].m, text, sizeof text) != 0)
			strcpy(text, "...");
		oem_csv_cell(r->f, text, true);
	}
	fputs("\r\n", r->f);
	return written(r, e);
}

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "pkg/sums.h"

static int by_path(const void *a, const void *b)
{
	const struct manifest_file *const *x = a, *const *y = b;

	return strcmp((*x)->path, (*y)->path);
}

void sums_write(const struct manifest *m, struct buf *out)
{
	const struct manifest_file *sorted[CONTAINER_MAX_ENTRIES];
	size_t n = 0;

	for (size_t i = 0; i < m->n_files; i++)
		if (m->files[i].role != ROLE_CHECKSUMS)
			sorted[n++] = &m->files[i];
	qsort(sorted, n, sizeof *sorted, by_path);
	for (size_t i = 0; i < n; i++) {
		char hex[65];
		wr_printf(out, "%s  %s\n",
			hex_encode(hex, sorted[i]->sha256, sizeof sorted[i]->sha256),
			sorted[i]->path);
	}
}

int sums_check(const struct manifest *m, const void *text, size_t len, struct err *e)
{
	AUTO(buf_clear) struct buf want = { 0 };
	const char *seen = text;
	unsigned line = 1;

	sums_write(m, &want);
	if (buf_check(&want, SUMS_NAME, e) != 0)
		return -1;
	for (size_t i = 0; i < len && i < want.len && seen[i] == (char)want.p[i]; i++)
		if (seen[i] == '\n')
			line++;
	if (len != want.len || (len > 0 && memcmp(text, want.p, len) != 0))
		return err_set(e, ERR_REJECTED,
			SUMS_NAME ": line %u does not agree with the manifest", line);
	return 0;
}

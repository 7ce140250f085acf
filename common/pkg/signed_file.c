#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fsio.h"
#include "pkg/signed_file.h"

#define SUFFIX ".minisig"

void signed_file_clear(struct signed_file *f)
{
	buf_clear(&f->text);
	for (size_t i = 0; i < TRUST_MAX_SIGNATURES; i++) {
		buf_clear(&f->sig_text[i]);
		free(f->sig_name[i]);
	}
	*f = (struct signed_file){ .n = 0 };
}

/* BASE.minisig, or BASE.<16 hex digits>.minisig */
static int is_signature_of(const char *name, const char *base)
{
	size_t n = strlen(base);

	if (strncmp(name, base, n) != 0)
		return 0;
	name += n;
	if (*name == '.' && strspn(name + 1, "0123456789abcdef") == 16)
		name += 17;
	return strcmp(name, SUFFIX) == 0;
}

static int add_signature(struct signed_file *f, const char *path, struct err *e)
{
	struct buf *b = &f->sig_text[f->n];

	b->max = MINISIGN_FILE_MAX + 1; /* one more: the parser then reports the limit */
	if (fsio_read(path, MINISIGN_FILE_MAX, b, e) != 0)
		return -1;
	f->sig_name[f->n] = strdup(path);
	if (!f->sig_name[f->n] || !buf_text(b))
		return err_set(e, ERR_ENV, "%s: out of memory", path);
	f->sigs[f->n] = (struct sig_file){ f->sig_name[f->n], b->p, b->len };
	f->n++;
	return 0;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int read_signatures(struct signed_file *f, const char *path, struct err *e)
{
	AUTO(str_freep) char *dir = path_dirname(path);
	const char *base = path_basename(path);
	struct dirent **list = NULL;
	int r = 0;

	if (!dir)
		return err_set(e, ERR_ENV, "%s: out of memory", path);
	int n = scandir(dir, &list, NULL, by_name);
	if (n < 0)
		return err_errno(e, "%s: cannot list folder", dir);
	for (int i = 0; i < n && r == 0; i++) {
		if (!is_signature_of(list[i]->d_name, base))
			continue;
		AUTO(str_freep) char *full = path_join(dir, list[i]->d_name);
		if (f->n == TRUST_MAX_SIGNATURES)
			r = err_set(e, ERR_LIMIT, "%s: more than %d signatures", path,
				TRUST_MAX_SIGNATURES);
		else if (!full)
			r = err_set(e, ERR_ENV, "%s: out of memory", path);
		else
			r = add_signature(f, full, e);
	}
	for (int i = 0; i < n; i++)
		free(list[i]);
	free(list);
	return r;
}

int signed_file_read(struct signed_file *out, const char *path, size_t max, struct err *e)
{
	struct signed_file f = { .n = 0 };

	if (fsio_read(path, max, &f.text, e) != 0 || read_signatures(&f, path, e) != 0) {
		signed_file_clear(&f);
		return -1;
	}
	if (!buf_text(&f.text)) {
		signed_file_clear(&f);
		return err_set(e, ERR_ENV, "%s: out of memory", path);
	}
	*out = f;
	return 0;
}

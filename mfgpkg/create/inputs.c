#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fsio.h"
#include "base/text.h"
#include "crypt/digest.h"
#include "keyed/ecc_key.h"
#include "mfgpkg/config.h"
#include "mfgpkg/create/inputs.h"

/* Keys whose files are secret whatever is in them. */
static const char *const secret_keys[] = { "signer", "containerKeyBlobEncryptionKey",
	"oemRandomShare", "oemEncMasterShare", "package_key", NULL };

static bool key_is_secret(const char *key)
{
	for (size_t i = 0; key && secret_keys[i]; i++)
		if (strcmp(key, secret_keys[i]) == 0)
			return true;
	return false;
}

static bool is_document(const char *path)
{
	static const char *const endings[] = { ".yaml", ".yml", ".json" };
	size_t len = strlen(path);

	for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
		size_t n = strlen(endings[i]);
		if (len > n && strcmp(path + len - n, endings[i]) == 0)
			return true;
	}
	return false;
}

static struct input *find(struct inputs *in, const char *path)
{
	for (size_t i = 0; i < in->n; i++)
		if (strcmp(in->v[i].path, path) == 0)
			return &in->v[i];
	return NULL;
}

/* add_file - digest and permissions of one file; *added false when it was there already. */
static int add_file(struct inputs *in, const char *path, bool secret, bool *added, struct err *e)
{
	AUTO(buf_wipe) struct buf data = { 0 };
	struct stat st;
	struct input *old = find(in, path);

	*added = false;
	if (old) {
		old->secret = old->secret || secret;
		return 0;
	}
	if (in->n == INPUTS_MAX)
		return err_set(e, ERR_LIMIT, "%s: more than %d input files", path, INPUTS_MAX);
	if (stat(path, &st) != 0)
		return err_errno(e, "%s", path);
	if (fsio_read(path, INPUTS_MAX_FILE, &data, e) != 0)
		return -1;

	struct input *i = &in->v[in->n];
	memset(i, 0, sizeof *i);
	i->path = strdup(path);
	if (!i->path)
		return err_set(e, ERR_ENV, "out of memory");
	sha256_of(data.p, data.len, i->sha256);
	i->secret = secret || memmem(data.p, data.len, "PRIVATE KEY-----",
				      strlen("PRIVATE KEY-----")) != NULL;
	i->readable = (st.st_mode & (S_IRGRP | S_IROTH)) != 0;
	in->n++;
	*added = true;
	return 0;
}

static int walk(struct inputs *in, const struct config_node *n, const char *key, unsigned depth,
	struct err *e);

static int walk_document(struct inputs *in, const char *path, const struct config *parent,
	unsigned depth, struct err *e)
{
	AUTO(config_freep) struct config *doc = NULL;

	if (depth > INPUTS_MAX_DEPTH)
		return err_set(e, ERR_LIMIT, "%s: configurations name one another %d deep", path,
			INPUTS_MAX_DEPTH);
	if (config_load(&doc, path, e) != 0)
		return -1;
	if (parent)
		config_set_parent(doc, parent);
	return walk(in, config_root(doc), NULL, depth, e);
}

/* walk_text - a text that names an existing file is an input; anything else is a plain value. */
static int walk_text(struct inputs *in, const struct config_node *n, const char *key,
	unsigned depth, struct err *e)
{
	const char *text = config_text(n);
	AUTO(str_freep) char *path = NULL;
	struct err none = { 0 };
	struct stat st;
	bool added;

	if (!text || !*text || strlen(text) > 4096)
		return 0;
	const char *inner = ecc_key_path(text); /* type=file;file_path=PATH */
	if (!inner || config_path_of_text(n, inner, &path, &none) != 0 || stat(path, &st) != 0 ||
		!S_ISREG(st.st_mode))
		return 0;
	if (add_file(in, path, key_is_secret(key), &added, e) != 0)
		return -1;
	if (added && is_document(path))
		return walk_document(in, path, config_of(n), depth + 1, e);
	return 0;
}

static int walk(struct inputs *in, const struct config_node *n, const char *key, unsigned depth,
	struct err *e)
{
	const char *name;

	switch (config_kind(n)) {
	case CONFIG_NULL:
	case CONFIG_BOOL:
	case CONFIG_INT:
		return 0;
	case CONFIG_TEXT:
		return walk_text(in, n, key, depth, e);
	case CONFIG_LIST:
		for (size_t i = 0; i < config_len(n); i++)
			if (walk(in, config_at(n, i), key, depth, e) != 0)
				return -1;
		return 0;
	case CONFIG_MAP:
		for (size_t i = 0; i < config_len(n); i++) {
			const struct config_node *v = config_pair(n, i, &name);

			/* Outputs are not inputs, though they may exist from the last run. */
			if (strcmp(name, "containerOutputFile") == 0 ||
				strcmp(name, "masterBootOutputFile") == 0 ||
				strcmp(name, "tzpOutputFile") == 0)
				continue;
			if (walk(in, v, name, depth, e) != 0)
				return -1;
		}
		return 0;
	}
	return 0;
}

int inputs_collect(struct inputs *in, const char *path, struct err *e)
{
	bool added;

	if (add_file(in, path, false, &added, e) != 0)
		return -1;
	return added && is_document(path) ? walk_document(in, path, NULL, 0, e) : 0;
}

int inputs_add_secret(struct inputs *in, const char *path, struct err *e)
{
	bool added;

	return add_file(in, path, true, &added, e);
}

int inputs_check_private(const struct inputs *in, struct err *e)
{
	for (size_t i = 0; i < in->n; i++)
		if (in->v[i].secret && in->v[i].readable)
			return err_set(e, ERR_CONFIG,
				"%s: a secret that others can read: chmod 600 %s (or give "
				"--allow-readable-keys)",
				in->v[i].path, in->v[i].path);
	return 0;
}

void inputs_clear(struct inputs *in)
{
	for (size_t i = 0; i < in->n; i++)
		free(in->v[i].path);
	memset(in, 0, sizeof *in);
}

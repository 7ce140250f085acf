#include "evidence/note.h"

int vkey_parse(struct vkey *out, const char *what, const char *text, struct err *e)
{
	(void)out;
	(void)what;
	(void)text;
	return err_set(e, ERR_INTERNAL, "vkey_parse");
}

int vkey_make(
	struct vkey *out, const char *name, uint8_t type, const uint8_t key[32], struct err *e)
{
	(void)out;
	(void)name;
	(void)type;
	(void)key;
	return err_set(e, ERR_INTERNAL, "vkey_make");
}

char *vkey_text(const struct vkey *v, char out[VKEY_TEXT_CAP])
{
	(void)v;
	(void)out;
	return NULL;
}

bool vkey_equal(const struct vkey *a, const struct vkey *b)
{
	(void)a;
	(void)b;
	return false;
}

bool note_name_valid(const char *name, size_t len)
{
	(void)name;
	(void)len;
	return false;
}

bool origin_valid(const char *origin)
{
	(void)origin;
	return false;
}

int note_parse(struct note *out, const char *name, const void *data, size_t len, struct err *e)
{
	(void)out;
	(void)name;
	(void)data;
	(void)len;
	return err_set(e, ERR_INTERNAL, "note_parse");
}

int note_open(struct note *out, const char *name, const void *data, size_t len,
	const struct vkey *keys, size_t n_keys, struct err *e)
{
	(void)out;
	(void)name;
	(void)data;
	(void)len;
	(void)keys;
	(void)n_keys;
	return err_set(e, ERR_INTERNAL, "note_open");
}

int note_check_line(const struct vkey *key, const char *text, size_t text_len,
	struct note_line *line, struct err *e)
{
	(void)key;
	(void)text;
	(void)text_len;
	(void)line;
	return err_set(e, ERR_INTERNAL, "note_check_line");
}

int note_line_parse(
	struct note_line *out, const char *name, const char *line, size_t len, struct err *e)
{
	(void)out;
	(void)name;
	(void)line;
	(void)len;
	return err_set(e, ERR_INTERNAL, "note_line_parse");
}

int checkpoint_parse(
	struct checkpoint *out, const char *name, const char *text, size_t len, struct err *e)
{
	(void)out;
	(void)name;
	(void)text;
	(void)len;
	return err_set(e, ERR_INTERNAL, "checkpoint_parse");
}

int checkpoint_open(struct checkpoint *out, struct note *note, const char *name, const void *data,
	size_t len, const char *origin, const struct vkey *keys, size_t n_log, size_t n_keys,
	struct err *e)
{
	(void)out;
	(void)note;
	(void)name;
	(void)data;
	(void)len;
	(void)origin;
	(void)keys;
	(void)n_log;
	(void)n_keys;
	return err_set(e, ERR_INTERNAL, "checkpoint_open");
}

void checkpoint_text(const struct checkpoint *c, struct buf *out)
{
	(void)c;
	(void)out;
}

int log_key_generate(struct log_key **out, struct err *e)
{
	(void)out;
	return err_set(e, ERR_INTERNAL, "log_key_generate");
}

int log_key_from_seed(struct log_key **out, const uint8_t seed[32], struct err *e)
{
	(void)out;
	(void)seed;
	return err_set(e, ERR_INTERNAL, "log_key_from_seed");
}

int log_key_load(struct log_key **out, const char *path, struct err *e)
{
	(void)out;
	(void)path;
	return err_set(e, ERR_INTERNAL, "log_key_load");
}

int log_key_save(const struct log_key *key, const char *path, struct err *e)
{
	(void)key;
	(void)path;
	return err_set(e, ERR_INTERNAL, "log_key_save");
}

const uint8_t *log_key_pub(const struct log_key *key)
{
	(void)key;
	return NULL;
}

int log_key_vkey(const struct log_key *key, const char *name, struct buf *out, struct err *e)
{
	(void)key;
	(void)name;
	(void)out;
	return err_set(e, ERR_INTERNAL, "log_key_vkey");
}

int log_key_sign(const struct log_key *key, const char *name, const char *text, size_t len,
	struct buf *out, struct err *e)
{
	(void)key;
	(void)name;
	(void)text;
	(void)len;
	(void)out;
	return err_set(e, ERR_INTERNAL, "log_key_sign");
}

int log_key_cosign(const struct log_key *key, const char *name, uint64_t time, const char *text,
	size_t len, struct buf *out, struct err *e)
{
	(void)key;
	(void)name;
	(void)time;
	(void)text;
	(void)len;
	(void)out;
	return err_set(e, ERR_INTERNAL, "log_key_cosign");
}

void log_key_free(struct log_key *key)
{
	(void)key;
}

void log_key_freep(struct log_key **key)
{
	(void)key;
}

#include "keyed/minisign_key.h"

int minisign_key_generate(struct minisign_key **out, struct err *e)
{
	(void)out;
	return err_set(e, ERR_INTERNAL, "minisign_key_generate");
}

int minisign_key_encrypted(const char *name, const void *data, size_t len, struct err *e)
{
	(void)name;
	(void)data;
	(void)len;
	return err_set(e, ERR_INTERNAL, "minisign_key_encrypted");
}

int minisign_key_parse(struct minisign_key **out, const char *name, const void *data, size_t len,
	const void *pass, size_t pass_len, struct err *e)
{
	(void)out;
	(void)name;
	(void)data;
	(void)len;
	(void)pass;
	(void)pass_len;
	return err_set(e, ERR_INTERNAL, "minisign_key_parse");
}

int minisign_key_load(struct minisign_key **out, const char *path,
	const struct passphrase_source *source, struct err *e)
{
	(void)out;
	(void)path;
	(void)source;
	return err_set(e, ERR_INTERNAL, "minisign_key_load");
}

int minisign_key_sign(const struct minisign_key *key, const void *msg, size_t len,
	const char *trusted_comment, struct buf *sig_file, struct err *e)
{
	(void)key;
	(void)msg;
	(void)len;
	(void)trusted_comment;
	(void)sig_file;
	return err_set(e, ERR_INTERNAL, "minisign_key_sign");
}

int minisign_key_write(const struct minisign_key *key, const void *pass, size_t pass_len,
	uint64_t opslimit, uint64_t memlimit, struct buf *out, struct err *e)
{
	(void)key;
	(void)pass;
	(void)pass_len;
	(void)opslimit;
	(void)memlimit;
	(void)out;
	return err_set(e, ERR_INTERNAL, "minisign_key_write");
}

int minisign_key_save(const struct minisign_key *key, const char *path, const char *pub_path,
	const void *pass, size_t pass_len, struct err *e)
{
	(void)key;
	(void)path;
	(void)pub_path;
	(void)pass;
	(void)pass_len;
	return err_set(e, ERR_INTERNAL, "minisign_key_save");
}

char *minisign_pub_path(const char *path)
{
	(void)path;
	return NULL;
}

const struct minisign_pub *minisign_key_pub(const struct minisign_key *key)
{
	(void)key;
	return NULL;
}

void minisign_key_free(struct minisign_key *key)
{
	(void)key;
}

void minisign_key_freep(struct minisign_key **key)
{
	(void)key;
}

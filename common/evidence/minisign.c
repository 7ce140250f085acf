#include "evidence/minisign.h"

int minisign_pub_parse(
	struct minisign_pub *out, const char *name, const void *data, size_t len, struct err *e)
{
	(void)out;
	(void)name;
	(void)data;
	(void)len;
	return err_set(e, ERR_INTERNAL, "minisign_pub_parse");
}

int minisign_pub_load(struct minisign_pub *out, const char *path_or_key, struct err *e)
{
	(void)out;
	(void)path_or_key;
	return err_set(e, ERR_INTERNAL, "minisign_pub_load");
}

char *minisign_id_hex(char out[17], const uint8_t id[MINISIGN_ID_LEN])
{
	(void)out;
	(void)id;
	return NULL;
}

int minisign_id_parse(uint8_t id[MINISIGN_ID_LEN], const char *text)
{
	(void)id;
	(void)text;
	return -1;
}

void minisign_pub_write(const struct minisign_pub *pub, char out[MINISIGN_PUB_FILE_CAP])
{
	(void)pub;
	(void)out;
}

int minisign_sig_parse(
	struct minisign_sig *out, const char *name, const void *data, size_t len, struct err *e)
{
	(void)out;
	(void)name;
	(void)data;
	(void)len;
	return err_set(e, ERR_INTERNAL, "minisign_sig_parse");
}

int minisign_verify(const struct minisign_pub *pub, const struct minisign_sig *sig, const void *msg,
	size_t len, struct err *e)
{
	(void)pub;
	(void)sig;
	(void)msg;
	(void)len;
	return err_set(e, ERR_INTERNAL, "minisign_verify");
}

const struct minisign_pub *minisign_find(
	const struct minisign_pub *keys, size_t n, const uint8_t id[MINISIGN_ID_LEN])
{
	(void)keys;
	(void)n;
	(void)id;
	return NULL;
}

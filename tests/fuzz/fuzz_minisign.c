/* minisign files: public keys, signatures, secret keys that are not encrypted. What is accepted has
 * one form: written again it reads the same. */
#include <stdlib.h>
#include <string.h>

#include "keyed/minisign_key.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must_be(const struct err *e)
{
	if (e->code != ERR_FORMAT && e->code != ERR_LIMIT && e->code != ERR_REJECTED)
		abort();
}

static void public_key(const uint8_t *data, size_t len)
{
	struct minisign_pub pub, again;
	char file[MINISIGN_PUB_FILE_CAP];
	struct err e = { 0 };

	if (minisign_pub_parse(&pub, "x", data, len, &e) != 0) {
		must_be(&e);
		return;
	}
	minisign_pub_write(&pub, file);
	if (minisign_pub_parse(&again, "x", file, strlen(file), &e) != 0 ||
		memcmp(&pub, &again, sizeof pub) != 0)
		abort();
}

static void secret_key(const uint8_t *data, size_t len)
{
	struct minisign_key *k = NULL, *again = NULL;
	struct buf file = { 0 };
	struct err e = { 0 };

	if (minisign_key_encrypted("x", data, len, &e) != 0 ||
		minisign_key_parse(&k, "x", data, len, NULL, 0, &e) != 0) {
		if (e.code)
			must_be(&e);
		return;
	}
	if (minisign_key_write(k, NULL, 0, 0, 0, &file, &e) != 0 ||
		minisign_key_parse(&again, "x", file.p, file.len, NULL, 0, &e) != 0 ||
		memcmp(minisign_key_pub(k), minisign_key_pub(again), sizeof(struct minisign_pub)) !=
			0)
		abort();
	minisign_key_free(k);
	minisign_key_free(again);
	buf_wipe(&file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct minisign_sig sig;
	static const struct minisign_pub pub;
	struct err e = { 0 };

	public_key(data, len);
	secret_key(data, len);
	if (minisign_sig_parse(&sig, "x", data, len, &e) != 0) {
		must_be(&e);
		return 0;
	}
	if (strlen(sig.comment) < 1 || strlen(sig.comment) > MINISIGN_COMMENT_MAX)
		abort();
	if (minisign_verify(&pub, &sig, data, len, &e) == 0)
		abort(); /* a key of zeros signs nothing */
	return 0;
}

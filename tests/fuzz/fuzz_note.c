/* Signed notes, checkpoints and verifier keys. What is accepted reads the same when written again;
 * no note verifies under keys whose secret nobody has. */
#include <stdlib.h>
#include <string.h>

#include "evidence/note.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static const char *const keys_text[] = {
	"acme.example/mfgpkg/order/2026-0042+a3dbd717+ARsXElIQY9ctPK0pgE/K8XuOGC9LwWeOo2dY4ZE8v/qB",
	"acme.example/witness/qa+f91cbe48+BO9w8UxatQg6jMviNwG4q2q2j20hTg7sWNVcIVs46igz",
};

static void verifier_key(const uint8_t *data, size_t len)
{
	char text[VKEY_TEXT_CAP + 64], again[VKEY_TEXT_CAP];
	struct vkey k;
	struct err e = { 0 };

	if (len >= sizeof text || memchr(data, 0, len))
		return;
	memcpy(text, data, len);
	text[len] = '\0';
	if (vkey_parse(&k, "key", text, &e) == 0 && strcmp(vkey_text(&k, again), text) != 0)
		abort();
}

static void checkpoint(const struct note *n)
{
	struct checkpoint c;
	struct buf text = { 0 };
	struct err e = { 0 };

	if (checkpoint_parse(&c, "note", n->text, n->text_len, &e) != 0)
		return;
	checkpoint_text(&c, &text);
	if (text.len != n->text_len || memcmp(text.p, n->text, text.len) != 0)
		abort();
	buf_clear(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct note n;
	struct vkey keys[2];
	struct err e = { 0 };

	if (len)
		verifier_key(data, len);
	for (size_t i = 0; i < 2; i++)
		if (vkey_parse(&keys[i], "key", keys_text[i], &e) != 0)
			abort();
	if (note_parse(&n, "note", data, len, &e) != 0) {
		if (e.code != ERR_FORMAT && e.code != ERR_LIMIT)
			abort();
		return 0;
	}
	if (n.n_lines < 1 || n.text_len >= len || n.text[n.text_len - 1] != '\n')
		abort();
	checkpoint(&n);
	if (note_open(&n, "note", data, len, keys, 2, &e) == 0 && n.n_verified == 0)
		abort();
	return 0;
}

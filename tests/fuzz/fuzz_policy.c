/* Policies: keys that are accepted are sound, and judging a checkpoint under them ends. */
#include <stdlib.h>
#include <string.h>

#include "evidence/proof.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const char note[] =
		"acme.example/log\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"
		"\n\xE2\x80\x94 acme.example/log AAAAAAAA\n";
	struct policy *p = NULL;
	struct checkpoint c;
	struct err e = { 0 };
	size_t n_log, n;

	if (policy_parse(&p, "x", data, len, &e) != 0) {
		if (e.code != ERR_FORMAT && e.code != ERR_LIMIT)
			abort();
		return 0;
	}
	const struct vkey *keys = policy_keys(p, &n_log, &n);
	for (size_t i = 0; i < n; i++) {
		char text[VKEY_TEXT_CAP];
		struct vkey again;
		if (keys[i].type != (i < n_log ? VKEY_ED25519 : VKEY_COSIGN) ||
			vkey_parse(&again, "key", vkey_text(&keys[i], text), &e) != 0)
			abort();
	}
	if (policy_check(p, "note", note, sizeof note - 1, NULL, &c, &e) == 0)
		abort();
	policy_free(p);
	return 0;
}

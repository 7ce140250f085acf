/* Proof files: what is accepted is, byte for byte, what would be written. */
#include <stdlib.h>
#include <string.h>

#include "evidence/proof.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct proof p;
	static struct merkle_proof path;
	struct policy *policy = NULL;
	struct checkpoint c;
	struct buf again = { 0 };
	struct err e = { 0 };
	static const char text[] = "log acme.example/mfgpkg/order/2026-0042+a3dbd717+"
				   "ARsXElIQY9ctPK0pgE/K8XuOGC9LwWeOo2dY4ZE8v/qB\nquorum none\n";

	memset(&p, 0, sizeof p);
	if (proof_parse(&p, "x", data, len, &e) != 0) {
		if (e.code != ERR_FORMAT && e.code != ERR_LIMIT)
			abort();
		return 0;
	}
	path.n = p.n_path;
	memcpy(path.hash, p.path, p.n_path * MERKLE_HASH);
	if (proof_write(p.index, p.has_extra ? (p.extra.p ? p.extra.p : (const void *)"") : NULL,
		    p.extra.len, &path, p.note, p.note_len, &again, &e) != 0 ||
		again.len != len || memcmp(again.p, data, len) != 0)
		abort();
	if (policy_parse(&policy, "policy", text, sizeof text - 1, &e) != 0)
		abort();
	(void)!proof_check(&p, "x", policy, NULL, NULL, 0, &c, &e);
	policy_free(policy);
	buf_clear(&again);
	proof_clear(&p);
	return 0;
}

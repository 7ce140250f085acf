/* A certificate block from outside: whatever parses is self-consistent and can be described. */
#include <stdlib.h>

#include "image/cert_block.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct cert_block b;
	struct err e = { 0 };

	if (cert_block_parse(&b, data, len, &e) != 0) {
		if (e.code == ERR_NONE || !*e.msg)
			abort();
		return 0;
	}
	if (b.size > len || b.size > CERT_BLOCK_MAX_SIZE || b.used_root >= b.n_roots)
		abort();
	if (b.has_isk && b.isk_signature + 2 * ecc_len(b.root_curve) != data + b.size)
		abort();
	if (cert_block_verify(&b, &e) != 0 && e.code != ERR_REJECTED)
		abort();
	json_decref(cert_block_json(&b));
	return 0;
}

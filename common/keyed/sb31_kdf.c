#include <sodium.h>
#include <stdbool.h>
#include <string.h>

#include "base/bytes.h"
#include "keyed/aes.h"
#include "keyed/sb31_kdf.h"

void sb31_kdf_input(uint8_t out[32], uint64_t constant, unsigned rights, bool block_step,
	unsigned key_bits, uint32_t counter)
{
	memset(out, 0, 32);
	put_le64(out, constant); /* label: 96-bit little-endian integer */
	out[20] = (uint8_t)(rights << 6);
	out[21] = block_step ? 0x10 : 0x01;
	out[23] = key_bits == 128 ? 0x20 : 0x21;
	put_be32(out + 24, key_bits);
	put_be32(out + 28, counter);
}

static int derive(const uint8_t *key, size_t key_len, uint64_t constant, unsigned rights,
	bool block_step, unsigned key_bits, uint8_t *out, struct err *e)
{
	uint8_t input[32], key_out[SB31_KEY_MAX];
	int rc = 0;

	if (rights > SB31_RIGHTS_MAX || (key_bits != 128 && key_bits != 256))
		return err_set(e, ERR_INTERNAL, "SB3.1 key derivation: rights %u, %u bits", rights,
			key_bits);
	for (uint32_t i = 0; i < key_bits / 128 && rc == 0; i++) {
		sb31_kdf_input(input, constant, rights, block_step, key_bits, i + 1);
		rc = aes_cmac(key, key_len, input, sizeof input, key_out + 16 * i, e);
	}
	if (rc == 0)
		memcpy(out, key_out, key_bits / 8);
	sodium_memzero(key_out, sizeof key_out);
	return rc;
}

int sb31_kdf_kdk(const uint8_t *cust_mk_sk, size_t cust_mk_sk_len, uint64_t timestamp,
	unsigned rights, unsigned key_bits, uint8_t *kdk, struct err *e)
{
	return derive(cust_mk_sk, cust_mk_sk_len, timestamp, rights, false, key_bits, kdk, e);
}

int sb31_kdf_block_key(const uint8_t *kdk, uint32_t n, unsigned rights, unsigned key_bits,
	uint8_t *block_key, struct err *e)
{
	return derive(kdk, key_bits / 8, n, rights, true, key_bits, block_key, e);
}

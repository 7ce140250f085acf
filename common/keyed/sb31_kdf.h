/* sb31_kdf - the keys of an SB3.1 container, derived by AES-CMAC.
 *
 *   KDK  = derive(CUST_MK_SK, timestamp, rights)        BK_n = derive(KDK, n, rights), n = 1..N
 *
 * key_bits is 128 when block 0 is signed on P-256 and 256 on P-384; outputs have key_bits / 8
 * bytes. CUST_MK_SK is 16 or 32 bytes whatever the curve. rights is kdkAccessRights 0..3, which no
 * field of the file tells. The caller wipes the outputs. Source: SB3.1 format, section 2.5.
 */
#ifndef COMMON_KEYED_SB31_KDF_H
#define COMMON_KEYED_SB31_KDF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define SB31_KEY_MAX	32
#define SB31_RIGHTS_MAX 3

int sb31_kdf_kdk(const uint8_t *cust_mk_sk, size_t cust_mk_sk_len, uint64_t timestamp,
	unsigned rights, unsigned key_bits, uint8_t *kdk, struct err *e) CHECKED;
int sb31_kdf_block_key(const uint8_t *kdk, uint32_t n, unsigned rights, unsigned key_bits,
	uint8_t *block_key, struct err *e) CHECKED;

/* sb31_kdf_input - the 32 bytes the CMAC of one step runs over; block_step false: KDK. */
void sb31_kdf_input(uint8_t out[32], uint64_t constant, unsigned rights, bool block_step,
	unsigned key_bits, uint32_t counter);

#endif

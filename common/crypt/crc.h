/* crc - the two checksums of MCX N. Pure functions.
 *
 * crc16_xmodem  polynomial 0x1021, not reflected, no final xor; mboot frames start at 0
 * crc32_mpeg2   polynomial 0x04C11DB7, not reflected, no final xor; images start at 0xFFFFFFFF
 *
 * Both go on from `start`, so a message in pieces is crc(crc(start, a), b).
 */
#ifndef COMMON_CRYPT_CRC_H
#define COMMON_CRYPT_CRC_H

#include <stddef.h>
#include <stdint.h>

uint16_t crc16_xmodem(uint16_t start, const void *data, size_t len);
uint32_t crc32_mpeg2(uint32_t start, const void *data, size_t len);

#endif

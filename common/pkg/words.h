/* words - six words that fingerprint a package over the telephone: the first 66 bits of its digest,
 * 11 bits a word, most significant bit first, from the fixed list of 2048 English words of BIP-39
 * (words_list.c). They help two people see that they speak of the same package; what decides is the
 * signature. */
#ifndef COMMON_PKG_WORDS_H
#define COMMON_PKG_WORDS_H

#include <stdint.h>

#define WORDS_COUNT 6
#define WORDS_CAP   64 /* six words of at most 8 letters, blanks, NUL */

char *words_of(char out[WORDS_CAP], const uint8_t digest[32]); /* "abandon ability ..." */

#endif

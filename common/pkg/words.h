/* words - six words that fingerprint a package over the telephone: the first 60 bits of its digest,
 * 10 bits a word, most significant bit first, as an index into a fixed list (words_list.c). They
 * help two people see that they speak of the same package; what decides is the signature. */
#ifndef COMMON_PKG_WORDS_H
#define COMMON_PKG_WORDS_H

#include <stdint.h>

#define WORDS_COUNT 6
#define WORDS_CAP   64 /* six words of at most 7 letters, blanks, NUL */

extern const char *const words_list[1024];

char *words_of(char out[WORDS_CAP], const uint8_t digest[32]); /* "acorn bacon ..." */

#endif

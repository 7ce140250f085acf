#include <stdio.h>

#include "base/bytes.h"
#include "pkg/words.h"

char *words_of(char out[WORDS_CAP], const uint8_t digest[32])
{
	uint64_t bits = get_be64(digest);
	size_t n = 0;

	for (int i = 0; i < WORDS_COUNT; i++, bits <<= 10)
		n += (size_t)snprintf(
			out + n, WORDS_CAP - n, "%s%s", i ? " " : "", words_list[bits >> 54]);
	return out;
}

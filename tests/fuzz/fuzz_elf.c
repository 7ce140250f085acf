/* ELF firmware: accepted segments are in order, apart, and flatten to their span (the same bytes of
 * the file may be loaded at several places). */
#include <stdlib.h>
#include <string.h>

#include "mfgpkg/firmware/firmware.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct firmware f = { 0 };
	struct err e = { 0 };
	AUTO(buf_clear) struct buf flat = { 0 };
	size_t total = 0;

	if (firmware_parse(&f, "f.elf", data, len, NULL, NULL, &e) != 0) {
		if (e.code != ERR_CONFIG && e.code != ERR_LIMIT)
			abort();
		return 0;
	}
	for (size_t i = 0; i < f.n; i++) {
		const struct firmware_segment *s = &f.segments[i];
		if (s->len == 0 || s->data < f.bytes.p ||
			s->data + s->len > f.bytes.p + f.bytes.len)
			abort();
		if (i && (uint64_t)s[-1].address + s[-1].len >= s->address)
			abort();
		total += s->len;
	}
	if (f.n == 0 || total != f.bytes.len)
		abort();
	if (firmware_flatten(&f, "f", 0xFF, 1 << 20, &flat, &e) == 0 &&
		(flat.len != firmware_span(&f) ||
			memcmp(flat.p, f.segments[0].data, f.segments[0].len) != 0))
		abort();
	firmware_clear(&f);
	return 0;
}

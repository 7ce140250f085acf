/* Inside of the firmware readers: how the formats hand their data to firmware.c. */
#ifndef MFGPKG_FIRMWARE_READER_H
#define MFGPKG_FIRMWARE_READER_H

#include "mfgpkg/firmware/firmware.h"

struct firmware_reader {
	struct firmware *out;
	const char *name;
	const uint8_t *data;
	size_t len;
	firmware_warn_fn warn;
	void *warn_ctx;
	size_t cap; /* of out->segments */
	unsigned line; /* of the record being read; ELF: number of the program header */

	/* Looking for the records behind an overlap: nothing is stored, lines are. */
	bool probing;
	uint32_t probe_address;
	unsigned probe_lines[2];
	unsigned n_probed;
};

/* Data as it comes; segments are sorted and joined afterwards. */
int firmware_add(struct firmware_reader *r, uint32_t address, const uint8_t *data, size_t len,
	struct err *e) CHECKED;
void firmware_warn(struct firmware_reader *r, const char *fmt, ...) PRINTF_LIKE(2);

/* ERR_CONFIG "name:line: ...". */
int firmware_bad(struct firmware_reader *r, struct err *e, const char *fmt, ...) PRINTF_LIKE(3);

int firmware_read_srec(struct firmware_reader *r, struct err *e) CHECKED;
int firmware_read_ihex(struct firmware_reader *r, struct err *e) CHECKED;
int firmware_read_elf(struct firmware_reader *r, struct err *e) CHECKED;

#endif

/* firmware - program files of all kinds as addressed segments.
 *
 * Raw binary, Motorola S-record (S19, S28, S37), Intel HEX and ELF, told apart by content, never
 * by name alone: a file that claims a format by its name or by its first line and then breaks its
 * rules is an error with file and line, it is never taken as raw bytes. Segments are sorted by
 * address and do not overlap; adjacent ones are joined. Source: formats "firmware-inputs".
 */
#ifndef MFGPKG_FIRMWARE_FIRMWARE_H
#define MFGPKG_FIRMWARE_FIRMWARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"

#define FIRMWARE_MAX_FILE     ((size_t)512 << 20) /* S-records of a full FlexSPI flash */
#define FIRMWARE_MAX_FLAT     ((size_t)128 << 20) /* the FlexSPI window */
#define FIRMWARE_MAX_SEGMENTS 65536
#define FIRMWARE_FILLER	      0x00 /* what NXP's tools put into gaps */

enum firmware_kind { FIRMWARE_RAW, FIRMWARE_SREC, FIRMWARE_IHEX, FIRMWARE_ELF };

struct firmware_segment {
	uint32_t address; /* raw: 0 */
	uint8_t *data; /* inside firmware.bytes */
	size_t len;
	unsigned line; /* where it began in the file; 0 for raw and ELF */
};

struct firmware {
	enum firmware_kind kind;
	struct firmware_segment *segments;
	size_t n;
	bool has_entry;
	uint32_t entry;
	struct buf bytes; /* the content of all segments */
};

/* Warnings: one sentence with the file name in front. May be NULL. */
typedef void (*firmware_warn_fn)(void *ctx, const char *text);

/* firmware_load - read a file. firmware_parse - from memory; `name` is for messages and for the
 * check of the file's suffix. ERR_CONFIG (the file breaks its format), ERR_LIMIT, ERR_ENV.
 * Free with firmware_clear(), also after failure. */
int firmware_load(struct firmware *out, const char *path, firmware_warn_fn warn, void *ctx,
	struct err *e) CHECKED;
int firmware_parse(struct firmware *out, const char *name, const uint8_t *data, size_t len,
	firmware_warn_fn warn, void *ctx, struct err *e) CHECKED;
void firmware_clear(struct firmware *f);

const char *firmware_kind_name(enum firmware_kind kind); /* "raw binary", "S-record", ... */
uint32_t firmware_address(const struct firmware *f); /* the lowest; 0 for raw */
uint64_t firmware_span(const struct firmware *f); /* from the lowest to behind the highest */
uint64_t firmware_gap(const struct firmware *f); /* bytes of the span that no segment covers */

/* firmware_flatten - append the span to *out, gaps filled with `filler`. ERR_LIMIT when it is
 * larger than max (at most FIRMWARE_MAX_FLAT), naming the stray segment. */
int firmware_flatten(const struct firmware *f, const char *name, uint8_t filler, size_t max,
	struct buf *out, struct err *e) CHECKED;

/* firmware_take_flat - the same, handing the bytes over without a copy when there are no gaps and
 * *out is empty; then only firmware_clear() may follow. */
int firmware_take_flat(struct firmware *f, const char *name, uint8_t filler, size_t max,
	struct buf *out, struct err *e) CHECKED;

/* firmware_load_flat - firmware_load() and firmware_flatten() in one. address may be NULL. */
int firmware_load_flat(const char *path, uint8_t filler, size_t max, struct buf *out,
	uint32_t *address, firmware_warn_fn warn, void *ctx, struct err *e) CHECKED;

#endif

/* bytes - reading and writing binary records without overrunning them.
 *
 * struct rd is a cursor over bytes from outside. Failure sticks (`bad`), so a parser checks once
 * per record, and before any value is used as a length, index or allocation. struct buf is its
 * inverse: a growable buffer with a hard maximum, filled by the wr_* functions; its failure
 * sticks too.
 *
 * No locks; one thread per object. buf_clear() frees; it is a no-op on a zeroed struct.
 */
#ifndef COMMON_BASE_BYTES_H
#define COMMON_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/err.h"

struct rd {
	const uint8_t *p;
	size_t left;
	bool bad;
};

static inline struct rd rd_of(const void *data, size_t len)
{
	return (struct rd){ .p = data, .left = len, .bad = false };
}

/* rd_bytes - the next n bytes (borrowed from the input), or NULL and bad. n = 0 is fine. */
static inline const uint8_t *rd_bytes(struct rd *r, size_t n)
{
	if (r->bad || n > r->left) { /* not p + n > end: that wraps */
		r->bad = true;
		return NULL;
	}
	r->p += n;
	r->left -= n;
	return r->p - n;
}

static inline void rd_copy(struct rd *r, void *dst, size_t n)
{
	const uint8_t *p = rd_bytes(r, n);
	if (p && n)
		memcpy(dst, p, n);
}

static inline void rd_skip(struct rd *r, size_t n)
{
	(void)rd_bytes(r, n);
}

static inline uint16_t get_le16(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static inline uint32_t get_le32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline uint64_t get_le64(const uint8_t *p)
{
	return (uint64_t)get_le32(p) | (uint64_t)get_le32(p + 4) << 32;
}

static inline uint32_t get_be32(const uint8_t *p)
{
	return (uint32_t)p[3] | (uint32_t)p[2] << 8 | (uint32_t)p[1] << 16 | (uint32_t)p[0] << 24;
}

static inline uint64_t get_be64(const uint8_t *p)
{
	return (uint64_t)get_be32(p + 4) | (uint64_t)get_be32(p) << 32;
}

static inline void put_le16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)v;
	p[1] = (uint8_t)(v >> 8);
}

static inline void put_le32(uint8_t *p, uint32_t v)
{
	put_le16(p, (uint16_t)v);
	put_le16(p + 2, (uint16_t)(v >> 16));
}

static inline void put_le64(uint8_t *p, uint64_t v)
{
	put_le32(p, (uint32_t)v);
	put_le32(p + 4, (uint32_t)(v >> 32));
}

static inline void put_be32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 24);
	p[1] = (uint8_t)(v >> 16);
	p[2] = (uint8_t)(v >> 8);
	p[3] = (uint8_t)v;
}

static inline void put_be64(uint8_t *p, uint64_t v)
{
	put_be32(p, (uint32_t)(v >> 32));
	put_be32(p + 4, (uint32_t)v);
}

static inline uint8_t rd_u8(struct rd *r)
{
	const uint8_t *p = rd_bytes(r, 1);
	return p ? p[0] : 0;
}

static inline uint16_t rd_le16(struct rd *r)
{
	const uint8_t *p = rd_bytes(r, 2);
	return p ? get_le16(p) : 0;
}

static inline uint32_t rd_le32(struct rd *r)
{
	const uint8_t *p = rd_bytes(r, 4);
	return p ? get_le32(p) : 0;
}

static inline uint64_t rd_le64(struct rd *r)
{
	const uint8_t *p = rd_bytes(r, 8);
	return p ? get_le64(p) : 0;
}

static inline uint32_t rd_be32(struct rd *r)
{
	const uint8_t *p = rd_bytes(r, 4);
	return p ? get_be32(p) : 0;
}

/* rd_done - true when everything was read and nothing failed: trailing bytes are an error. */
static inline bool rd_done(const struct rd *r)
{
	return !r->bad && r->left == 0;
}

/* struct buf - bytes that grow up to `max` (0: BUF_DEFAULT_MAX). Owned by the struct. */
#define BUF_DEFAULT_MAX ((size_t)256 << 20)

struct buf {
	uint8_t *p;
	size_t len, cap, max;
	bool bad; /* a write did not fit or memory ran out; all later writes are ignored */
};

void buf_clear(struct buf *b); /* frees and zeroes; keeps max */
void buf_wipe(struct buf *b); /* as buf_clear, overwriting the content first */
void buf_reserve(struct buf *b, size_t n); /* room for n more bytes, in one piece when empty */
uint8_t *buf_grow(struct buf *b, size_t n); /* n new bytes, zeroed; NULL and bad on failure */
void wr_bytes(struct buf *b, const void *data, size_t n);
void wr_zero(struct buf *b, size_t n);
void wr_u8(struct buf *b, uint8_t v);
void wr_le16(struct buf *b, uint16_t v);
void wr_le32(struct buf *b, uint32_t v);
void wr_le64(struct buf *b, uint64_t v);
void wr_be32(struct buf *b, uint32_t v);
void wr_be64(struct buf *b, uint64_t v);
void wr_pad(struct buf *b, size_t multiple, uint8_t fill); /* up to a multiple of the length */
void wr_patch32(struct buf *b, size_t off, uint32_t v); /* little-endian, inside the buffer */
void wr_str(struct buf *b, const char *s); /* text without its NUL */
void wr_printf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2);

/* buf_text - the content as NUL-terminated text (the NUL is not counted); NULL when bad. */
const char *buf_text(struct buf *b);

/* buf_check - 0, or -1 with ERR_LIMIT/ERR_ENV when a write failed. */
int buf_check(const struct buf *b, const char *what, struct err *e) CHECKED;

#endif

#include <string.h>

#include "base/bytes.h"
#include "crypt/crc.h"
#include "mboot/frame.h"

static uint16_t frame_crc(const uint8_t *frame, size_t len)
{
	uint16_t crc = crc16_xmodem(0, frame, 4);
	return crc16_xmodem(crc, frame + MBOOT_FRAME_HEADER, len);
}

size_t mboot_frame_encode(uint8_t *out, enum mboot_frame_type type, const void *payload, size_t len)
{
	uint8_t *body = out + MBOOT_FRAME_HEADER;

	out[0] = MBOOT_START;
	out[1] = (uint8_t)type;
	put_le16(out + 2, (uint16_t)len);
	if (len && payload != body)
		memmove(body, payload, len);
	put_le16(out + 4, frame_crc(out, len));
	return MBOOT_FRAME_HEADER + len;
}

size_t mboot_frame_short(uint8_t out[2], enum mboot_frame_type type)
{
	out[0] = MBOOT_START;
	out[1] = (uint8_t)type;
	return 2;
}

size_t mboot_frame_ping_response(
	uint8_t out[MBOOT_PING_RESPONSE_LEN], const struct mboot_version *v)
{
	out[0] = MBOOT_START;
	out[1] = MBOOT_FRAME_PING_RESPONSE;
	out[2] = v->bugfix;
	out[3] = v->minor;
	out[4] = v->major;
	out[5] = (uint8_t)v->name;
	put_le16(out + 6, v->options);
	put_le16(out + 8, crc16_xmodem(0, out, 8));
	return MBOOT_PING_RESPONSE_LEN;
}

void mboot_decoder_init(struct mboot_decoder *d, size_t max_payload)
{
	d->max_payload = max_payload < MBOOT_MAX_PAYLOAD ? max_payload : MBOOT_MAX_PAYLOAD;
	d->start = d->end = 0;
	d->stray = 0;
}

uint8_t *mboot_decoder_space(struct mboot_decoder *d, size_t *room)
{
	/* What is left moves to the front; the decoder never holds more than one unfinished frame
	 * when it found nothing, so at least half of the buffer becomes free. */
	if (d->start > 0) {
		memmove(d->buf, d->buf + d->start, d->end - d->start);
		d->end -= d->start;
		d->start = 0;
	}
	*room = sizeof d->buf - d->end;
	return d->buf + d->end;
}

void mboot_decoder_added(struct mboot_decoder *d, size_t n)
{
	d->end += n;
}

size_t mboot_decoder_pending(const struct mboot_decoder *d)
{
	return d->end - d->start;
}

size_t mboot_decoder_drop(struct mboot_decoder *d)
{
	size_t n = d->end - d->start;

	d->stray += n;
	d->start = d->end = 0;
	return n;
}

static void skip(struct mboot_decoder *d, size_t n)
{
	d->start += n;
	d->stray += n;
}

static enum mboot_found long_frame(struct mboot_decoder *d, struct mboot_frame *f)
{
	const uint8_t *p = d->buf + d->start;
	size_t have = d->end - d->start;

	if (have < MBOOT_FRAME_HEADER)
		return MBOOT_FOUND_NOTHING;
	size_t len = get_le16(p + 2);
	if (len > d->max_payload) {
		skip(d, 2);
		return MBOOT_FOUND_BAD_LENGTH;
	}
	if (have < MBOOT_FRAME_HEADER + len)
		return MBOOT_FOUND_NOTHING;
	d->start += MBOOT_FRAME_HEADER + len;
	*f = (struct mboot_frame){ .type = (enum mboot_frame_type)p[1] };
	if (get_le16(p + 4) != frame_crc(p, len))
		return MBOOT_FOUND_BAD_CRC;
	f->payload = p + MBOOT_FRAME_HEADER;
	f->len = len;
	return MBOOT_FOUND_FRAME;
}

static enum mboot_found ping_response(struct mboot_decoder *d, struct mboot_frame *f)
{
	const uint8_t *p = d->buf + d->start;

	if (d->end - d->start < MBOOT_PING_RESPONSE_LEN)
		return MBOOT_FOUND_NOTHING;
	d->start += MBOOT_PING_RESPONSE_LEN;
	*f = (struct mboot_frame){ .type = MBOOT_FRAME_PING_RESPONSE };
	if (get_le16(p + 8) != crc16_xmodem(0, p, 8))
		return MBOOT_FOUND_BAD_CRC;
	f->version = (struct mboot_version){ .major = p[4],
		.minor = p[3],
		.bugfix = p[2],
		.name = (char)p[5],
		.options = get_le16(p + 6) };
	return MBOOT_FOUND_FRAME;
}

enum mboot_found mboot_decoder_next(struct mboot_decoder *d, struct mboot_frame *f)
{
	for (;;) {
		const uint8_t *from = d->buf + d->start;
		size_t have = d->end - d->start;
		const uint8_t *start = have ? memchr(from, MBOOT_START, have) : NULL;
		if (!start) {
			skip(d, have);
			return MBOOT_FOUND_NOTHING;
		}
		skip(d, (size_t)(start - from));
		if (d->end - d->start < 2)
			return MBOOT_FOUND_NOTHING;

		switch ((enum mboot_frame_type)start[1]) {
		case MBOOT_FRAME_ACK:
		case MBOOT_FRAME_NAK:
		case MBOOT_FRAME_ABORT:
		case MBOOT_FRAME_PING:
			d->start += 2;
			*f = (struct mboot_frame){ .type = (enum mboot_frame_type)start[1] };
			return MBOOT_FOUND_FRAME;
		case MBOOT_FRAME_COMMAND:
		case MBOOT_FRAME_DATA:
			return long_frame(d, f);
		case MBOOT_FRAME_PING_RESPONSE:
			return ping_response(d, f);
		}
		/* No frame type: go on behind the start byte, the next one may be a start byte. */
		skip(d, 1);
	}
}

/* frame - frames of the mboot serial protocol: constants, encoder, incremental decoder.
 * Used by the host and by the device simulator. Pure functions; one thread per decoder.
 * Source: NXP MCUBOOT reference manual, "Serial protocol"; all integers little-endian.
 *
 *   5A A1 ACK | 5A A2 NAK | 5A A3 ABORT | 5A A6 ping                            2 bytes
 *   5A A4 command or response | 5A A5 data: u16 n, u16 CRC, n bytes             6 + n bytes
 *   5A A7 ping response: bugfix, minor, major, 'P', u16 options, u16 CRC        10 bytes
 * CRC-16/XMODEM over everything before the CRC field and the payload.
 */
#ifndef COMMON_MBOOT_FRAME_H
#define COMMON_MBOOT_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MBOOT_START		0x5A
#define MBOOT_FRAME_HEADER	6
#define MBOOT_PING_RESPONSE_LEN 10
#define MBOOT_MAX_PAYLOAD	8192 /* largest payload a host takes */
#define MBOOT_MAX_FRAME		(MBOOT_FRAME_HEADER + MBOOT_MAX_PAYLOAD)
#define MBOOT_FALLBACK_PACKET	32 /* payload size when property 11 is not answered */
#define MBOOT_PING_NAME		'P'

enum mboot_frame_type {
	MBOOT_FRAME_ACK = 0xA1,
	MBOOT_FRAME_NAK = 0xA2,
	MBOOT_FRAME_ABORT = 0xA3,
	MBOOT_FRAME_COMMAND = 0xA4, /* command or response packet */
	MBOOT_FRAME_DATA = 0xA5,
	MBOOT_FRAME_PING = 0xA6,
	MBOOT_FRAME_PING_RESPONSE = 0xA7,
};

/* Protocol version as carried by a ping response: P1.3.0. */
struct mboot_version {
	uint8_t major, minor, bugfix;
	char name;
	uint16_t options; /* no bit has a public meaning */
};

struct mboot_frame {
	enum mboot_frame_type type;
	const uint8_t *payload; /* COMMAND, DATA: inside the decoder, until its next call */
	size_t len;
	struct mboot_version version; /* PING_RESPONSE */
};

/* mboot_frame_encode - write a COMMAND or DATA frame: out[MBOOT_FRAME_HEADER + len], len at most
 * 0xFFFF. `payload` may already lie at out + MBOOT_FRAME_HEADER. Returns the frame's length. */
size_t mboot_frame_encode(
	uint8_t *out, enum mboot_frame_type type, const void *payload, size_t len);

/* mboot_frame_short - ACK, NAK, ABORT, PING: out[2]. Returns 2. */
size_t mboot_frame_short(uint8_t out[2], enum mboot_frame_type type);

/* mboot_frame_ping_response - out[MBOOT_PING_RESPONSE_LEN]. Returns its length. */
size_t mboot_frame_ping_response(
	uint8_t out[MBOOT_PING_RESPONSE_LEN], const struct mboot_version *v);

/* What the decoder found at the front of its bytes. */
enum mboot_found {
	MBOOT_FOUND_NOTHING, /* more bytes are needed */
	MBOOT_FOUND_FRAME,
	MBOOT_FOUND_BAD_CRC, /* a whole frame with a wrong CRC; it is dropped */
	MBOOT_FOUND_BAD_LENGTH, /* a header with n > max_payload; its two first bytes are dropped */
};

/* struct mboot_decoder - bytes in, frames out. Bytes before a start byte, and a start byte that
 * is followed by no known type, are dropped and counted in `stray`. */
struct mboot_decoder {
	size_t max_payload;
	size_t start, end; /* bytes not yet consumed: buf[start..end) */
	uint64_t stray;
	uint8_t buf[2 * MBOOT_MAX_FRAME];
};

/* max_payload: at most MBOOT_MAX_PAYLOAD, else it is cut to it. */
void mboot_decoder_init(struct mboot_decoder *d, size_t max_payload);

/* mboot_decoder_space - where to put new bytes, and how many fit (never 0 after a call of
 * mboot_decoder_next that found nothing). Frames handed out before become invalid. */
uint8_t *mboot_decoder_space(struct mboot_decoder *d, size_t *room);
void mboot_decoder_added(struct mboot_decoder *d, size_t n);

/* mboot_decoder_next - the next thing in the bytes. `f` is set for MBOOT_FOUND_FRAME; for
 * MBOOT_FOUND_BAD_CRC only its type. */
enum mboot_found mboot_decoder_next(struct mboot_decoder *d, struct mboot_frame *f);

/* mboot_decoder_pending - bytes of an unfinished frame. */
size_t mboot_decoder_pending(const struct mboot_decoder *d);

/* mboot_decoder_drop - forget all bytes held; returns how many (counted as stray). */
size_t mboot_decoder_drop(struct mboot_decoder *d);

#endif

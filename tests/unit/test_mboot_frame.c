/* Frames: known bytes, every split, and broken ones by name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "crypt/crc.h"
#include "mboot/command.h"
#include "mboot/frame.h"
#include "mboot/status.h"

static struct mboot_decoder *decoder_of(const char *hex)
{
	struct mboot_decoder *d = malloc(sizeof *d);
	size_t room, len = strlen(hex) / 2;

	mboot_decoder_init(d, MBOOT_MAX_PAYLOAD);
	uint8_t *p = mboot_decoder_space(d, &room);
	assert_true(len <= room);
	assert_int_equal(hex_decode(p, len, hex), 0);
	mboot_decoder_added(d, len);
	return d;
}

static void known_frames(void **state)
{
	(void)state;
	uint8_t out[64];
	static const uint8_t empty[] = { 0x5A, 0xA5, 0, 0, 0xFC, 0x4B };
	static const uint8_t pong[] = { 0x5A, 0xA7, 0, 3, 1, 0x50, 0, 0, 0xFB, 0x40 };
	static const uint8_t reset[] = { 0x5A, 0xA4, 4, 0, 0x6F, 0x46, 0x0B, 0, 0, 0 };
	const struct mboot_version v = { .major = 1, .minor = 3, .name = 'P' };

	assert_int_equal(crc16_xmodem(0, "123456789", 9), 0x31C3);
	assert_int_equal(mboot_frame_encode(out, MBOOT_FRAME_DATA, NULL, 0), 6);
	assert_memory_equal(out, empty, 6);
	assert_int_equal(mboot_frame_encode(out, MBOOT_FRAME_COMMAND, "\x0b\0\0\0", 4), 10);
	assert_memory_equal(out, reset, 10);
	assert_int_equal(mboot_frame_ping_response(out, &v), 10);
	assert_memory_equal(out, pong, 10);
	assert_int_equal(mboot_frame_short(out, MBOOT_FRAME_ABORT), 2);
	assert_memory_equal(out, "\x5a\xa3", 2);
	/* a payload that lies in place already */
	memcpy(out + 6, "\x0b\0\0\0", 4);
	assert_int_equal(mboot_frame_encode(out, MBOOT_FRAME_COMMAND, out + 6, 4), 10);
	assert_memory_equal(out, reset, 10);
}

/* However the bytes are cut, the same frames come out. */
static void every_split(void **state)
{
	(void)state;
	uint8_t bytes[2000];
	size_t n = 0;
	uint8_t payload[600];
	const struct mboot_version v = { .major = 1, .minor = 2, .bugfix = 3, .name = 'P' };

	for (size_t i = 0; i < sizeof payload; i++)
		payload[i] = (uint8_t)(i * 7);
	payload[3] = MBOOT_START; /* start bytes inside a payload mean nothing */
	payload[4] = MBOOT_FRAME_ACK;
	n += mboot_frame_short(bytes + n, MBOOT_FRAME_ACK);
	n += mboot_frame_encode(bytes + n, MBOOT_FRAME_COMMAND, payload, 40);
	n += mboot_frame_ping_response(bytes + n, &v);
	n += mboot_frame_encode(bytes + n, MBOOT_FRAME_DATA, payload, 600);
	n += mboot_frame_encode(bytes + n, MBOOT_FRAME_DATA, payload, 0);
	n += mboot_frame_short(bytes + n, MBOOT_FRAME_ABORT);
	static const enum mboot_frame_type types[] = { MBOOT_FRAME_ACK, MBOOT_FRAME_COMMAND,
		MBOOT_FRAME_PING_RESPONSE, MBOOT_FRAME_DATA, MBOOT_FRAME_DATA, MBOOT_FRAME_ABORT };
	static const size_t lens[] = { 0, 40, 0, 600, 0, 0 };

	for (size_t cut = 1; cut <= n; cut++) {
		struct mboot_decoder *d = malloc(sizeof *d);
		size_t seen = 0;
		mboot_decoder_init(d, MBOOT_MAX_PAYLOAD);
		for (size_t at = 0; at < n; at += cut) {
			size_t room, len = n - at < cut ? n - at : cut;
			uint8_t *p = mboot_decoder_space(d, &room);
			struct mboot_frame f;
			enum mboot_found found;
			assert_true(len <= room);
			memcpy(p, bytes + at, len);
			mboot_decoder_added(d, len);
			while ((found = mboot_decoder_next(d, &f)) == MBOOT_FOUND_FRAME) {
				assert_true(seen < 6);
				assert_int_equal(f.type, types[seen]);
				assert_int_equal(f.len, lens[seen]);
				if (f.len)
					assert_memory_equal(f.payload, payload, f.len);
				seen++;
			}
			assert_int_equal(found, MBOOT_FOUND_NOTHING);
		}
		assert_int_equal(seen, 6);
		assert_int_equal(d->stray, 0);
		assert_int_equal(mboot_decoder_pending(d), 0);
		free(d);
	}
}

/* What the decoder makes of broken bytes: findings as letters (F frame, C wrong CRC, L wrong
 * length), bytes skipped, bytes left. */
static void broken_frames(void **state)
{
	(void)state;
	static const struct {
		const char *name, *hex, *found;
		unsigned stray, pending;
	} cases[] = {
		{ "nothing", "", "", 0, 0 },
		{ "noise only", "00ff1122", "", 4, 0 },
		{ "noise before an ACK", "0000ff5aa1", "F", 3, 0 },
		{ "start byte alone", "5a", "", 0, 1 },
		{ "start byte twice", "5a5aa1", "F", 1, 0 },
		{ "unknown type", "5aa85aa1", "F", 2, 0 },
		{ "type zero", "5a005aa1", "F", 2, 0 },
		{ "swapped ACK", "a15a", "", 1, 1 },
		{ "data frame with wrong CRC", "5aa50000fd4b5aa1", "CF", 0, 0 },
		{ "CRC bytes swapped", "5aa500004bfc5aa1", "CF", 0, 0 },
		{ "ping response with wrong CRC", "5aa7000301500000fb415aa1", "CF", 0, 0 },
		{ "cut in the header", "5aa40400", "", 0, 4 },
		{ "cut in the payload", "5aa404006f460b0000", "", 0, 9 },
		{ "cut ping response", "5aa7000301500000fb", "", 0, 9 },
		{ "length above the maximum", "5aa50120000000005aa1", "LF", 8, 0 },
		{ "length 65535", "5aa4ffff00005aa1", "LF", 6, 0 },
		{ "length one too large", "5aa405006f460b0000005aa1", "C", 1, 0 },
		{ "length one too small", "5aa403006f460b000000", "C", 1, 0 },
		{ "payload bit flipped", "5aa404006f460a000000", "C", 0, 0 },
		{ "frame twice", "5aa15aa1", "FF", 0, 0 },
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct mboot_decoder *d = decoder_of(cases[i].hex);
		char found[8] = "";
		size_t n = 0;
		struct mboot_frame f;
		enum mboot_found what;
		while ((what = mboot_decoder_next(d, &f)) != MBOOT_FOUND_NOTHING)
			if (n < sizeof found - 1)
				found[n++] = what == MBOOT_FOUND_FRAME	   ? 'F'
					     : what == MBOOT_FOUND_BAD_CRC ? 'C'
									   : 'L';
		if (strcmp(found, cases[i].found) != 0 || d->stray != cases[i].stray ||
			mboot_decoder_pending(d) != cases[i].pending)
			fail_msg("%s: found %s, %u stray, %zu pending", cases[i].name, found,
				(unsigned)d->stray, mboot_decoder_pending(d));
		free(d);
	}
}

/* The decoder always has room for more after it found nothing. */
static void never_full(void **state)
{
	(void)state;
	struct mboot_decoder *d = malloc(sizeof *d);
	struct mboot_frame f;
	unsigned seed = 1;

	mboot_decoder_init(d, MBOOT_MAX_PAYLOAD);
	for (int i = 0; i < 2000; i++) {
		size_t room;
		uint8_t *p = mboot_decoder_space(d, &room);
		assert_true(room > 0);
		if (room > 1500)
			room = 1500;
		for (size_t k = 0; k < room; k++) {
			seed = seed * 1103515245 + 12345;
			p[k] = seed >> 16 & 1 ? MBOOT_START : (uint8_t)(0xA0 + (seed >> 17) % 8);
		}
		mboot_decoder_added(d, room);
		while (mboot_decoder_next(d, &f) != MBOOT_FOUND_NOTHING)
			;
	}
	mboot_decoder_drop(d);
	assert_int_equal(mboot_decoder_pending(d), 0);
	free(d);
}

static void status_texts(void **state)
{
	(void)state;
	assert_string_equal(MBOOT_STATUS_TEXT(10101),
		"10101 RomLdrSignature (signature, magic or certificate wrong)");
	assert_string_equal(MBOOT_STATUS_TEXT(10202), "10202 MemoryWriteFailed");
	assert_string_equal(MBOOT_STATUS_TEXT(0), "0 Success (done)");
	assert_string_equal(MBOOT_STATUS_TEXT(12345), "12345 (0x3039)");
	assert_string_equal(MBOOT_STATUS_TEXT(0x5A5A5AA5),
		"1515870885 SecuritySubsystemError (failure inside the secure subsystem)");
	assert_null(mboot_status_name(12345));
	for (size_t i = 0; i < mboot_status_table_len; i++) {
		const struct mboot_status_row *row = &mboot_status_table[i];
		if (i)
			assert_true(row[-1].status < row->status);
		assert_string_equal(mboot_status_name(row->status), row->name);
	}
}

static void tables(void **state)
{
	(void)state;
	uint32_t id;

	for (unsigned tag = 0; tag < 256; tag++) {
		const struct mboot_command *c = mboot_command_find(tag);
		if (c)
			assert_int_equal(c->tag, tag);
	}
	assert_null(mboot_command_find(0));
	assert_null(mboot_command_find(0x1A));
	assert_int_equal(mboot_property_parse("max-packet-size", &id), 0);
	assert_int_equal(id, 11);
	assert_int_equal(mboot_property_parse("life-cycle", &id), 0);
	assert_int_equal(id, 17);
	assert_int_equal(mboot_property_parse("max-packet", &id), -1);
	assert_string_equal(mboot_property_name(17), "security-state");
	assert_string_equal(mboot_tp_name(0x170003F4), "prove_genuinity");
	assert_null(mboot_tp_name(8));
	assert_int_equal(mboot_memory_mapped(9), 0);
	assert_int_equal(mboot_memory_mapped(0x101), 0x101);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_frames),
		cmocka_unit_test(every_split),
		cmocka_unit_test(broken_frames),
		cmocka_unit_test(never_full),
		cmocka_unit_test(status_texts),
		cmocka_unit_test(tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

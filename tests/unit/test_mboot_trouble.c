/* The host against devices that misbehave: each case says what the device sends, what the call
 * must return, its message, and what the host must have put on the wire. The clock is simulated,
 * so that timeouts cost nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "mboot/identify.h"
#include "mboot/status.h"
#include "mboot_replay.h"

/* --- frames as hex text, from a pool that lives as long as the program ---------------------------
 */

static char pool[200][2600];
static size_t pool_used;

static char *slot_of_pool(void)
{
	assert_true(pool_used < sizeof pool / sizeof pool[0]);
	return pool[pool_used++];
}

static const char *packet(uint8_t tag, uint8_t flags, size_t n, const uint32_t *words)
{
	uint8_t body[4 + 4 * MBOOT_MAX_PARAMS] = { tag, flags, 0, (uint8_t)n };
	uint8_t frame[sizeof body + MBOOT_FRAME_HEADER];

	for (size_t i = 0; i < n; i++)
		put_le32(body + 4 + 4 * i, words[i]);
	size_t len = mboot_frame_encode(frame, MBOOT_FRAME_COMMAND, body, 4 + 4 * n);
	return hex_encode(slot_of_pool(), frame, len);
}
#define PACKET(tag, flags, ...)                                                                    \
	packet(tag, flags, sizeof((uint32_t[]){ __VA_ARGS__ }) / 4, (uint32_t[]){ __VA_ARGS__ })

static const char *data(size_t len)
{
	uint8_t frame[MBOOT_FRAME_HEADER + 1200], body[1200];

	for (size_t i = 0; i < len; i++)
		body[i] = (uint8_t)i;
	return hex_encode(
		slot_of_pool(), frame, mboot_frame_encode(frame, MBOOT_FRAME_DATA, body, len));
}

/* Two pieces of hex as one. */
static const char *join(const char *a, const char *b)
{
	char *s = slot_of_pool();
	size_t n = strlen(a);

	assert_true(n + strlen(b) < sizeof pool[0]);
	memcpy(s, a, n);
	strcpy(s + n, b);
	return s;
}

static const char *damaged(const char *hex)
{
	char *s = slot_of_pool();
	strcpy(s, hex);
	char *last = s + strlen(s) - 1;
	*last = *last == '0' ? '1' : '0';
	return s;
}

#define ACK		  "5aa1"
#define NAK		  "5aa2"
#define ABORT		  "5aa3"
#define PING		  "5aa6"
#define PONG		  "5aa7000301500000fb40"
#define OK_OF(tag)	  PACKET(0xA0, 0, 0, tag)
#define STATUS_OF(s, tag) PACKET(0xA0, 0, s, tag)
#define PROPERTY(...)	  PACKET(0xA7, 0, 0, __VA_ARGS__)
#define ASK_PROPERTY(id)  PACKET(0x07, 0, id, 0)

/* --- one dialogue
 * ----------------------------------------------------------------------------------- */

struct peer {
	struct canned c;
	struct canned_chunk chunk[64];
	struct mboot *m;
	atomic_bool cancel;
	struct err e;
};

static struct peer *peer_new(void)
{
	struct peer *p = calloc(1, sizeof *p);

	p->c.chunks = p->chunk;
	p->c.n = 1; /* nothing before the first write */
	struct mboot_io io = canned_io(&p->c);
	struct mboot_options o = canned_options(&p->c);
	o.cancel = &p->cancel;
	assert_int_equal(mboot_new(&p->m, &io, &o, &p->e), 0);
	return p;
}

/* The device's answer to the host's next write. */
static void then(struct peer *p, const char *hex)
{
	assert_true(p->c.n < 64);
	p->chunk[p->c.n++] = (struct canned_chunk){ .hex = hex };
}

static void then_after(struct peer *p, int delay_ms, const char *hex)
{
	then(p, hex);
	p->chunk[p->c.n - 1].delay_ms = delay_ms;
}

static void peer_free(struct peer *p)
{
	mboot_free(p->m);
	buf_clear(&p->c.written);
	free(p);
}

static void expect_error(
	const struct peer *p, int rc, enum err_code code, uint32_t device, const char *message)
{
	assert_int_equal(rc, -1);
	assert_string_equal(p->e.msg, message);
	assert_int_equal(p->e.code, code);
	assert_int_equal(p->e.device, device);
}

static void expect_sent(struct peer *p, size_t n, const char *const *frames)
{
	char want[5200] = "", seen[5200];

	for (size_t i = 0; i < n; i++)
		strncat(want, frames[i], sizeof want - strlen(want) - 1);
	assert_true(p->c.written.len * 2 < sizeof seen);
	hex_encode(seen, p->c.written.p, p->c.written.len);
	assert_string_equal(seen, want);
}
#define EXPECT_SENT(p, ...)                                                                        \
	expect_sent(p, sizeof((const char *[]){ __VA_ARGS__ }) / sizeof(char *),                   \
		(const char *[]){ __VA_ARGS__ })

static int ask(struct peer *p, uint32_t id, uint32_t *word)
{
	size_t n;

	return mboot_get_property(p->m, id, 0, word, 1, &n, &p->e);
}

/* Property 11 = 512 and the agreement to write-memory of 700 bytes at 0x20000000. */
static void begin_write(struct peer *p)
{
	then(p, join(ACK, PROPERTY(512)));
	then(p, "");
	then(p, join(ACK, OK_OF(0x04)));
	then(p, "");
}

static int write_700(struct peer *p)
{
	uint8_t body[700];

	for (size_t i = 0; i < sizeof body; i++)
		body[i] = (uint8_t)i;
	return mboot_write_memory(p->m, 0x20000000, body, sizeof body, 0, &p->e);
}

/* --- NAK
 * ------------------------------------------------------------------------------------------- */

static void command_naked_three_times_then_taken(void **state)
{
	(void)state;
	struct peer *p = peer_new();
	uint32_t word = 0;

	for (int i = 0; i < 3; i++)
		then(p, NAK);
	then(p, join(ACK, PROPERTY(0x4B030100)));
	assert_int_equal(ask(p, 1, &word), 0);
	assert_int_equal(word, 0x4B030100);
	const char *q = ASK_PROPERTY(1);
	EXPECT_SENT(p, q, q, q, q, ACK);
	assert_int_equal(mboot_stats(p->m)->naks, 3);
	peer_free(p);
}

static void command_naked_four_times(void **state)
{
	(void)state;
	struct peer *p = peer_new();
	uint32_t word = 77;

	for (int i = 0; i < 4; i++)
		then(p, NAK);
	expect_error(p, ask(p, 1, &word), ERR_DEVICE, 0,
		"get-property: the device refused the same frame 4 times (NAK)");
	assert_int_equal(word, 77);
	const char *q = ASK_PROPERTY(1);
	EXPECT_SENT(p, q, q, q, q);
	peer_free(p);
}

static void data_naked_four_times(void **state)
{
	(void)state;
	struct peer *p = peer_new();

	begin_write(p);
	for (int i = 0; i < 4; i++)
		then(p, NAK);
	expect_error(p, write_700(p), ERR_DEVICE, 0,
		"write-memory: the device refused the same frame 4 times (NAK)");
	peer_free(p);
}

/* --- ACK
 * ------------------------------------------------------------------------------------------- */

static void silent_device(void **state)
{
	(void)state;
	struct peer *p = peer_new();
	uint32_t word;

	expect_error(p, ask(p, 1, &word), ERR_TIMEOUT, 0,
		"get-property: no ACK within 1001 ms; the device does not answer a ping either");
	EXPECT_SENT(p, ASK_PROPERTY(1), PING); /* never repeated blindly */
	peer_free(p);
}

static void command_lost_but_device_alive(void **state)
{
	(void)state;
	struct peer *p = peer_new();
	uint32_t word;

	then(p, "");
	then(p, PONG);
	expect_error(p, ask(p, 1, &word), ERR_TIMEOUT, 0,
		"get-property: no ACK within 1001 ms; the device still answers pings");
	peer_free(p);
}

static void ack_lost_response_comes(void **state)
{
	(void)state;
	struct peer *p = peer_new();
	uint32_t word = 0;

	then(p, PROPERTY(5));
	assert_int_equal(ask(p, 1, &word), 0);
	assert_int_equal(word, 5);
	EXPECT_SENT(p, ASK_PROPERTY(1), ACK);
	peer_free(p);
}

/* One flipped bit makes an ACK the start of a data frame. */
static void ack_with_flipped_bit(void **state)
{
	(void)state;
	struct peer *p = peer_new();
	uint32_t word = 0;

	then(p, join("5aa5", PROPERTY(5)));
	assert_int_equal(ask(p, 1, &word), 0);
	assert_int_equal(word, 5);
	assert_true(mboot_stats(p->m)->damaged > 0);
	peer_free(p);
}

static void data_ack_lost(void **state)
{
	(void)state;
	struct peer *p = peer_new();

	begin_write(p);
	then(p, ACK); /* of data 1; the ACK of data 2 never comes */
	then(p, "");
	then(p, PONG);
	expect_error(p, write_700(p), ERR_TIMEOUT, 0,
		"write-memory: no ACK of data after 512 of 700 bytes within 2016 ms; the device "
		"still answers pings");
	peer_free(p);
}

/* --- ABORT
 * ------------------------------------------------------------------------------------------ */

static void abort_with_reason(void **state)
{
	(void)state;
	struct peer *p = peer_new();

	begin_write(p);
	then(p, join(ABORT, STATUS_OF(10202, 0x04)));
	expect_error(p, write_700(p), ERR_DEVICE, 10202,
		"write-memory 0x20000000, 700 bytes: 10202 MemoryWriteFailed");
	assert_int_equal(mboot_last_status(p->m), 10202);
	peer_free(p);
}

/* The ABORT itself was lost: the final response stands in its place. */
static void abort_lost(void **state)
{
	(void)state;
	struct peer *p = peer_new();

	begin_write(p);
	then(p, ACK);
	then(p, STATUS_OF(10105, 0x04));
	expect_error(p, write_700(p), ERR_DEVICE, 10105,
		"write-memory 0x20000000, 700 bytes: 10105 RomLdrChecksum (hash or checksum "
		"differs) after 512 of 700 bytes");
	peer_free(p);
}

static void abort_without_reason(void **state)
{
	(void)state;
	struct peer *p = peer_new();

	begin_write(p);
	then(p, ABORT);
	then(p, PONG);
	expect_error(p, write_700(p), ERR_TIMEOUT, 0,
		"write-memory: no final response within 2000 ms; the device still answers pings");
	peer_free(p);
}

/* --- refusals
 * ----------------------------------------------------------------------------------------- */

static void refused_before_data(void **state)
{
	(void)state;
	struct peer *p = peer_new();

	then(p, join(ACK, PROPERTY(512)));
	then(p, "");
	then(p, join(ACK, STATUS_OF(10001, 0x08)));
	int rc = mboot_receive_sb_file(p->m, "0123456789", 10, &p->e);
	expect_error(p, rc, ERR_DEVICE, 10001,
		"receive-sb-file: 10001 SecurityViolation (not permitted in this life cycle or "
		"security state)");
	EXPECT_SENT(p, ASK_PROPERTY(11), ACK, PACKET(0x08, 1, 10), ACK);
	peer_free(p);
}

static void unlisted_status(void **state)
{
	(void)state;
	struct peer *p = peer_new();

	then(p, join(ACK, STATUS_OF(0xA5000001, 0x0A)));
	expect_error(p, mboot_call(p->m, 0x100, 0, &p->e), ERR_DEVICE, 0xA5000001,
		"call 0x00000100: 2768240641 (0xa5000001)");
	peer_free(p);
}

/* --- damaged and missing responses
 * ------------------------------------------------------------------------ */

static void response_damaged_three_times(void **state)
{
	(void)state;
	struct peer *p = peer_new();
	uint32_t word = 0;
	const char *bad = damaged(PROPERTY(5));

	then(p, join(ACK, bad));
	then(p, bad);
	then(p, bad);
	then(p, PROPERTY(5));
	assert_int_equal(ask(p, 1, &word), 0);
	assert_int_equal(word, 5);
	EXPECT_SENT(p, ASK_PROPERTY(1), NAK, NAK, NAK, ACK);
	assert_int_equal(mboot_stats(p->m)->damaged, 3);
	peer_free(p);
}

static void response_damaged_four_times(void **state)
{
	(void)state;
	struct peer *p = peer_new();
	uint32_t word = 0;
	const char *bad = damaged(PROPERTY(5));

	then(p, join(ACK, bad));
	for (int i = 0; i < 3; i++)
		then(p, bad);
	expect_error(p, ask(p, 1, &word), ERR_DEVICE, 0,
		"get-property: the same frame came damaged 4 times");
	EXPECT_SENT(p, ASK_PROPERTY(1), NAK, NAK, NAK);
	peer_free(p);
}

/* A byte lost inside a frame: it never gets complete, and must not cost the whole deadline. */
static void response_with_lost_byte(void **state)
{
	(void)state;
	struct peer *p = peer_new();
	uint32_t word = 0;
	char *shorter = slot_of_pool();

	strcpy(shorter, PROPERTY(5));
	shorter[strlen(shorter) - 2] = 0;
	then(p, join(ACK, shorter));
	then(p, PROPERTY(5));
	assert_int_equal(ask(p, 1, &word), 0);
	assert_int_equal(word, 5);
	EXPECT_SENT(p, ASK_PROPERTY(1), NAK, ACK);
	assert_true(p->c.now < 600);
	peer_free(p);
}

static void response_never_comes(void **state)
{
	(void)state;
	struct peer *p = peer_new();
	uint32_t word;

	then(p, ACK);
	then(p, PONG);
	expect_error(p, ask(p, 1, &word), ERR_TIMEOUT, 0,
		"get-property: no response within 2000 ms; the device still answers pings");
	peer_free(p);
}

static void late_ack(void **state)
{
	(void)state;
	struct peer *p = peer_new();

	then_after(p, 55000, join(ACK, OK_OF(0x01)));
	expect_error(p, mboot_flash_erase_all(p->m, 0, &p->e), ERR_TIMEOUT, 0,
		"flash-erase-all: no ACK within 1001 ms; the device does not answer a ping either");
	peer_free(p);
}

static void stray_bytes_everywhere(void **state)
{
	(void)state;
	struct peer *p = peer_new();
	uint32_t word = 0;

	then(p, join("00ff0d0a" ACK "000000", PROPERTY(9)));
	assert_int_equal(ask(p, 1, &word), 0);
	assert_int_equal(word, 9);
	assert_int_equal(mboot_stats(p->m)->stray, 7);
	peer_free(p);
}

/* A pong that was late, and the response to an earlier command: neither is ours. */
static void leftovers_are_passed_over(void **state)
{
	(void)state;
	struct peer *p = peer_new();
	uint32_t word = 0;

	then(p, join(PONG ACK, join(STATUS_OF(10202, 0x04), PROPERTY(9))));
	assert_int_equal(ask(p, 1, &word), 0);
	assert_int_equal(word, 9);
	EXPECT_SENT(p, ASK_PROPERTY(1), ACK, ACK);
	peer_free(p);
}

static void response_without_sense(void **state)
{
	(void)state;
	static const struct {
		const char *hex, *message;
	} cases[] = {
		{ "a7000002",
			"get-property: response packet of 4 bytes without sense (want a status)" },
		{ "a700000000000000",
			"get-property: response packet of 8 bytes without sense (want a status)" },
		{ "a700000900000000",
			"get-property: response packet of 8 bytes without sense (want a status)" },
		{ "a70000ff00000000",
			"get-property: response packet of 8 bytes without sense (want a status)" },
		{ "", "get-property: response packet of 0 bytes without sense (want a status)" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct peer *p = peer_new();
		uint8_t body[64], frame[80];
		char hex[200];
		uint32_t word;
		size_t len = strlen(cases[i].hex) / 2;
		assert_int_equal(hex_decode(body, len, cases[i].hex), 0);
		hex_encode(hex, frame, mboot_frame_encode(frame, MBOOT_FRAME_COMMAND, body, len));
		then(p, join(ACK, hex));
		expect_error(p, ask(p, 1, &word), ERR_DEVICE, 0, cases[i].message);
		peer_free(p);
	}
}

/* --- reading
 * --------------------------------------------------------------------------------------------------
 */

static int read_some(struct peer *p, uint32_t len, struct buf *out)
{
	return mboot_read_memory(p->m, 0x1000, len, 0, out, &p->e);
}

static void read_damaged_data(void **state)
{
	(void)state;
	struct peer *p = peer_new();
	AUTO(buf_clear) struct buf out = { 0 };

	then(p, join(ACK, PACKET(0xA3, 1, 0, 300)));
	then(p, damaged(data(300)));
	then(p, data(300)); /* after our NAK */
	then(p, OK_OF(0x03));
	assert_int_equal(read_some(p, 300, &out), 0);
	assert_int_equal(out.len, 300);
	EXPECT_SENT(p, PACKET(0x03, 0, 0x1000, 300, 0), ACK, NAK, ACK, ACK);
	peer_free(p);
}

static void read_more_than_announced(void **state)
{
	(void)state;
	struct peer *p = peer_new();
	AUTO(buf_clear) struct buf out = { 0 };

	then(p, join(ACK, PACKET(0xA3, 1, 0, 300)));
	then(p, data(301));
	then(p, STATUS_OF(10002, 0x03));
	expect_error(p, read_some(p, 300, &out), ERR_DEVICE, 0,
		"read-memory: the device sent more than the 300 bytes it announced");
	assert_int_equal(out.len, 0);
	EXPECT_SENT(p, PACKET(0x03, 0, 0x1000, 300, 0), ACK, ABORT, ACK);
	peer_free(p);
}

static void read_announces_too_much(void **state)
{
	(void)state;
	struct peer *p = peer_new();
	AUTO(buf_clear) struct buf out = { 0 };

	then(p, join(ACK, PACKET(0xA3, 1, 0, 0xFFFFFFFF)));
	expect_error(p, read_some(p, 300, &out), ERR_DEVICE, 0,
		"read-memory: the device announced 4294967295 bytes, 300 were asked for");
	peer_free(p);
}

static void read_gives_less(void **state)
{
	(void)state;
	struct peer *p = peer_new();
	AUTO(buf_clear) struct buf out = { 0 };

	then(p, join(ACK, PACKET(0xA3, 1, 0, 100)));
	then(p, data(100));
	then(p, OK_OF(0x03));
	expect_error(p, read_some(p, 300, &out), ERR_DEVICE, 0,
		"read-memory 0x00001000, 300 bytes: the device gave 100 bytes");
	peer_free(p);
}

static void read_agreed_without_count(void **state)
{
	(void)state;
	struct peer *p = peer_new();
	AUTO(buf_clear) struct buf out = { 0 };

	then(p, join(ACK, OK_OF(0x03)));
	expect_error(p, read_some(p, 300, &out), ERR_DEVICE, 0,
		"read-memory: the device agreed without saying how many bytes follow");
	peer_free(p);
}

static void read_limit(void **state)
{
	(void)state;
	struct peer *p = peer_new();
	AUTO(buf_clear) struct buf out = { 0 };

	expect_error(p, read_some(p, 0x4000001, &out), ERR_LIMIT, 0,
		"read-memory 0x00001000, 67108865 bytes: at most 67108864 bytes in one read");
	assert_int_equal(p->c.written.len, 0);
	peer_free(p);
}

/* --- properties
 * ---------------------------------------------------------------------------------------------------
 */

static void uuid_of_wrong_size(void **state)
{
	(void)state;
	struct peer *p = peer_new();
	uint8_t uuid[16];

	then(p, join(ACK, PROPERTY(1, 2, 3)));
	expect_error(p, mboot_uuid(p->m, uuid, &p->e), ERR_DEVICE, 0,
		"get-property 18 unique-device-id: 3 words, want 4 (a UUID of 16 bytes)");
	peer_free(p);
}

static void packet_size_rules(void **state)
{
	(void)state;
	static const struct {
		uint32_t status, value;
		size_t want;
	} cases[] = { { 0, 512, 512 }, { 0, 56, 56 }, { 0, 0, 32 }, { 10300, 0, 32 },
		{ 0, 0xFFFFFFFF, MBOOT_MAX_PAYLOAD } };

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct peer *p = peer_new();
		size_t n = 0;
		then(p, join(ACK, PACKET(0xA7, 0, cases[i].status, cases[i].value)));
		assert_int_equal(mboot_max_packet(p->m, &n, &p->e), 0);
		assert_int_equal(n, cases[i].want);
		/* asked once per session */
		size_t sent = p->c.written.len;
		assert_int_equal(mboot_max_packet(p->m, &n, &p->e), 0);
		assert_int_equal(p->c.written.len, sent);
		peer_free(p);
	}
}

static void fuse_verify_fails(void **state)
{
	(void)state;
	struct peer *p = peer_new();

	then(p, join(ACK, OK_OF(0x0E)));
	then(p, "");
	then(p, join(ACK, PACKET(0xAF, 0, 0, 4, 0x01)));
	int rc = mboot_efuse_program_once(p->m, 5, 0x03, false, true, &p->e);
	expect_error(p, rc, ERR_DEVICE, 52009,
		"efuse-program-once 5: 52009 OtpVerifyFail (fuse bits are not set after "
		"programming): read 0x00000001, want the bits of 0x00000003");
	peer_free(p);
}

/* --- DICE ----------------------------------------------------------------------------------------
 */

/* Everything up to the answer of the operation: property 11, write-memory of 32 bytes. */
static void begin_dice(struct peer *p)
{
	then(p, join(ACK, PROPERTY(512)));
	then(p, "");
	then(p, join(ACK, OK_OF(0x04)));
	then(p, "");
	then(p, join(ACK, OK_OF(0x04)));
	then(p, "");
}

static void dice_answers(void **state)
{
	(void)state;
	uint8_t challenge[32], response[324], puk[64] = { 9 }, rkth[48];
	struct peer *p = peer_new();

	for (size_t i = 0; i < sizeof challenge; i++)
		challenge[i] = (uint8_t)i;
	begin_dice(p);
	then(p, join(ACK, PACKET(0xB6, 0, 0, 324)));
	then(p, "");
	then(p, join(ACK, PACKET(0xA3, 1, 0, 324)));
	then(p, data(324));
	then(p, OK_OF(0x03));
	if (mboot_dice_response(p->m, challenge, response, &p->e) != 0)
		fail_msg("%s", p->e.msg);
	assert_int_equal(response[323], 323 & 0xFF);
	EXPECT_SENT(p, ASK_PROPERTY(11), ACK, PACKET(0x04, 1, 0x20020050, 32, 0), ACK, data(32),
		ACK, PACKET(0x16, 0, 7, 0x20020050, 32, 0x20021050, 324), ACK,
		PACKET(0x03, 0, 0x20021050, 324, 0), ACK, ACK, ACK);
	peer_free(p);

	p = peer_new(); /* a device that has no RKTH in effect */
	begin_dice(p);
	then(p, join(ACK, STATUS_OF(1, 0x16)));
	expect_error(p, mboot_dice_response(p->m, challenge, response, &p->e), ERR_DEVICE, 1,
		"trust-provisioning oem_get_cust_dice_response: 1 Fail (failed, no reason given)");
	peer_free(p);

	p = peer_new(); /* a key of another size */
	begin_dice(p);
	then(p, join(ACK, PACKET(0xB6, 0, 0, 96)));
	memset(rkth, 7, sizeof rkth);
	expect_error(p, mboot_dice_ca_puk(p->m, rkth, 48, puk, &p->e), ERR_DEVICE, 0,
		"trust-provisioning oem_get_cust_cert_dice_puk: result of 96 bytes, want 64");
	assert_int_equal(puk[0], 9);
	peer_free(p);

	p = peer_new();
	expect_error(p, mboot_dice_ca_puk(p->m, rkth, 20, puk, &p->e), ERR_USAGE, 0,
		"RKTH of 20 bytes, want 32 or 48");
	peer_free(p);
}

/* --- ping, reset, cancel
 * --------------------------------------------------------------------------------------------- */

static void ping_policy(void **state)
{
	(void)state;
	struct peer *p = peer_new();
	struct mboot_version v;

	expect_error(p, mboot_ping(p->m, &v, &p->e), ERR_TIMEOUT, 0,
		"ping: no answer to 5 pings in 1900 ms (board off, not in ISP mode, or another "
		"port)");
	EXPECT_SENT(p, PING, PING, PING, PING, PING);
	peer_free(p);

	p = peer_new(); /* measures the first, answers the second with noise before it */
	then(p, "");
	then(p, "00f0" PONG);
	assert_int_equal(mboot_ping(p->m, &v, &p->e), 0);
	assert_int_equal(v.minor, 3);
	EXPECT_SENT(p, PING, PING);
	peer_free(p);

	p = peer_new(); /* a damaged answer is none */
	then(p, "5aa7000301500000fb41");
	then(p, PONG);
	assert_int_equal(mboot_ping(p->m, &v, &p->e), 0);
	peer_free(p);
}

static void reset_without_response(void **state)
{
	(void)state;
	struct peer *p = peer_new();

	then(p, ACK);
	assert_int_equal(mboot_reset(p->m, &p->e), 0);
	EXPECT_SENT(p, packet(0x0B, 0, 0,
			       NULL)); /* and no ping that would be the first of the next boot */
	assert_true(p->c.now <= 500);
	peer_free(p);
}

static void ready_after_reset(void **state)
{
	(void)state;
	struct peer *p = peer_new();
	struct mboot_version v;

	then(p, "");
	then_after(p, 30, PONG);
	assert_int_equal(mboot_wait_ready(p->m, 500, 3000, &v, &p->e), 0);
	assert_int_equal(p->c.now, 730);
	peer_free(p);

	p = peer_new();
	expect_error(p, mboot_wait_ready(p->m, 500, 1000, &v, &p->e), ERR_TIMEOUT, 0,
		"no answer to pings within 1000 ms of a reset");
	peer_free(p);
}

static void cancelled_before(void **state)
{
	(void)state;
	struct peer *p = peer_new();

	atomic_store(&p->cancel, true);
	expect_error(p, mboot_flash_erase_all(p->m, 0, &p->e), ERR_CANCELLED, 0,
		"flash-erase-all: interrupted before it began");
	assert_int_equal(p->c.written.len, 0);
	peer_free(p);
}

/* Sets the cancel flag after the first 512 bytes. */
static void cancel_at_512(void *ctx, uint64_t done, uint64_t total)
{
	(void)total;
	if (done >= 512)
		atomic_store((atomic_bool *)ctx, true);
}

static void cancelled_while_sending(void **state)
{
	(void)state;
	struct peer *p = peer_new();

	begin_write(p);
	then(p, ACK); /* data 1 */
	then(p, join(ACK, STATUS_OF(10002, 0x04))); /* empty data frame */
	mboot_set_progress(p->m, cancel_at_512, &p->cancel);
	expect_error(p, write_700(p), ERR_CANCELLED, 0,
		"write-memory: interrupted after 512 of 700 bytes");
	/* The last frames: an empty data frame, and the ACK of its response. */
	char tail[40];
	assert_true(p->c.written.len > 8);
	hex_encode(tail, p->c.written.p + p->c.written.len - 8, 8);
	assert_string_equal(tail, "5aa50000fc4b" ACK);
	peer_free(p);
}

static void cancelled_while_sending_to_a_dead_device(void **state)
{
	(void)state;
	struct peer *p = peer_new();

	begin_write(p);
	then(p, ACK);
	mboot_set_progress(p->m, cancel_at_512, &p->cancel);
	expect_error(p, write_700(p), ERR_CANCELLED, 0,
		"write-memory: interrupted after 512 of 700 bytes; the device did not confirm");
	assert_true(p->c.now < 3000);
	peer_free(p);
}

static void cancelled_while_reading(void **state)
{
	(void)state;
	struct peer *p = peer_new();
	AUTO(buf_clear) struct buf out = { 0 };

	then(p, join(ACK, PACKET(0xA3, 1, 0, 1024)));
	then(p, data(512));
	then(p, data(512));
	then(p, STATUS_OF(10002, 0x03));
	mboot_set_progress(p->m, cancel_at_512, &p->cancel);
	expect_error(p, read_some(p, 1024, &out), ERR_CANCELLED, 0,
		"read-memory: interrupted after 512 of 1024 bytes");
	EXPECT_SENT(p, PACKET(0x03, 0, 0x1000, 1024, 0), ACK, ACK, ABORT, ACK);
	peer_free(p);
}

/* --- deadlines
 * ------------------------------------------------------------------------------------------------------
 */

/* A device that answers every frame just before its step runs out must not get for ever. */
static void whole_deadline(void **state)
{
	(void)state;
	struct peer *p = peer_new();
	uint8_t body[16 * 32] = { 0 };

	then(p, join(ACK, PROPERTY(32)));
	then(p, "");
	then(p, join(ACK, OK_OF(0x04)));
	then(p, "");
	for (int i = 0; i < 16; i++)
		then_after(p, 1900, ACK);
	int rc = mboot_write_memory(p->m, 0, body, sizeof body, 0, &p->e);
	assert_int_equal(rc, -1);
	assert_int_equal(p->e.code, ERR_TIMEOUT);
	assert_true(p->c.now < 11000);
	peer_free(p);
}

static void timeout_of_a_script(void **state)
{
	(void)state;
	struct peer *p = peer_new();

	mboot_set_timeout(p->m, 700);
	then(p, ACK);
	expect_error(p, mboot_flash_erase_all(p->m, 0, &p->e), ERR_TIMEOUT, 0,
		"flash-erase-all: no response within 700 ms; the device does not answer a ping "
		"either");
	peer_free(p);
}

/* Endless noise does not keep the host busy beyond its deadline. */
static int noise_read(void *ctx, uint8_t *buf, size_t cap, int ms, size_t *got, struct err *e)
{
	(void)ms;
	(void)e;
	struct canned *c = ctx;
	size_t n = cap < 64 ? cap : 64;

	memset(buf, MBOOT_START, n);
	c->now += 5;
	*got = n;
	return 0;
}

static void endless_noise(void **state)
{
	(void)state;
	struct canned c = { 0 };
	struct mboot_io io = canned_io(&c);
	struct mboot_options o = canned_options(&c);
	struct mboot *m;
	struct err e = { 0 };
	uint32_t word;
	size_t n;

	io.read = noise_read;
	assert_int_equal(mboot_new(&m, &io, &o, &e), 0);
	assert_int_equal(mboot_get_property(m, 1, 0, &word, 1, &n, &e), -1);
	assert_int_equal(e.code, ERR_TIMEOUT);
	assert_true(c.now < 1500);
	assert_int_equal(mboot_ping(m, NULL, &e), -1);
	mboot_free(m);
	buf_clear(&c.written);
}

/* --- life cycle
 * ------------------------------------------------------------------------------------------------------
 */

static void lifecycle_rule(void **state)
{
	(void)state;
	static const struct {
		uint32_t security, fuse;
		bool readable;
		const char *want;
	} cases[] = {
		{ 0x5AA55AA5, 0, true, "blank" },
		{ 0, 0, true, "blank" },
		{ 0x5AA55AA5, 0x03000003, true, "develop" },
		{ 0x5AA55AA5, 0x07000007, true, "develop2" },
		{ 0xC33CC33C, 0x0F00000F, true, "in-field" },
		{ 0xC33CC33C, 0xCF0012CF, true, "in-field-locked" },
		{ 0xC33CC33C, 0x1F00001F, true, "field-return-oem" },
		{ 0xC33CC33C, 0x7F00007F, true, "failure-analysis" },
		{ 0xC33CC33C, 0xFF0000FF, true, "bricked" },
		{ 1, 0x03000003, true, "in-field" }, /* raised in CFPA */
		{ 0x5AA55AA5, 0x03000007, true, "unknown" }, /* copies differ */
		{ 0x5AA55AA5, 0x05000005, true, "unknown" },
		{ 0xC33CC33C, 0, false, "in-field" },
		{ 0x5AA55AA5, 0, false, "unknown" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		enum mboot_lifecycle parsed, lc = mboot_lifecycle_of(cases[i].security,
						     cases[i].readable ? &cases[i].fuse : NULL);
		assert_string_equal(mboot_lifecycle_name(lc), cases[i].want);
		if (lc != MBOOT_LC_UNKNOWN) {
			assert_int_equal(mboot_lifecycle_parse(cases[i].want, &parsed), 0);
			assert_int_equal(parsed, lc);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(command_naked_three_times_then_taken),
		cmocka_unit_test(command_naked_four_times),
		cmocka_unit_test(data_naked_four_times),
		cmocka_unit_test(silent_device),
		cmocka_unit_test(command_lost_but_device_alive),
		cmocka_unit_test(ack_lost_response_comes),
		cmocka_unit_test(ack_with_flipped_bit),
		cmocka_unit_test(data_ack_lost),
		cmocka_unit_test(abort_with_reason),
		cmocka_unit_test(abort_lost),
		cmocka_unit_test(abort_without_reason),
		cmocka_unit_test(refused_before_data),
		cmocka_unit_test(unlisted_status),
		cmocka_unit_test(response_damaged_three_times),
		cmocka_unit_test(response_damaged_four_times),
		cmocka_unit_test(response_with_lost_byte),
		cmocka_unit_test(response_never_comes),
		cmocka_unit_test(late_ack),
		cmocka_unit_test(stray_bytes_everywhere),
		cmocka_unit_test(leftovers_are_passed_over),
		cmocka_unit_test(response_without_sense),
		cmocka_unit_test(read_damaged_data),
		cmocka_unit_test(read_more_than_announced),
		cmocka_unit_test(read_announces_too_much),
		cmocka_unit_test(read_gives_less),
		cmocka_unit_test(read_agreed_without_count),
		cmocka_unit_test(read_limit),
		cmocka_unit_test(uuid_of_wrong_size),
		cmocka_unit_test(packet_size_rules),
		cmocka_unit_test(fuse_verify_fails),
		cmocka_unit_test(dice_answers),
		cmocka_unit_test(ping_policy),
		cmocka_unit_test(reset_without_response),
		cmocka_unit_test(ready_after_reset),
		cmocka_unit_test(cancelled_before),
		cmocka_unit_test(cancelled_while_sending),
		cmocka_unit_test(cancelled_while_sending_to_a_dead_device),
		cmocka_unit_test(cancelled_while_reading),
		cmocka_unit_test(whole_deadline),
		cmocka_unit_test(timeout_of_a_script),
		cmocka_unit_test(endless_noise),
		cmocka_unit_test(lifecycle_rule),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The mboot host against a device that sends anything. Input: two bytes choose two operations run
 * one after the other in a session; then chunks (u16 length, bytes), each of which arrives after
 * the host's next write. The clock moves only while the host waits.
 *
 * Checked beside memory safety: every call ends within its deadlines, with a code of the
 * documented kind, outputs only on success, and never more data than asked for. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "mboot/identify.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

struct wire {
	struct rd input; /* chunks to come */
	const uint8_t *chunk;
	size_t left;
	int64_t now;
	unsigned long writes;
};

static int wire_read(void *ctx, uint8_t *buf, size_t cap, int ms, size_t *got, struct err *e)
{
	struct wire *w = ctx;
	(void)e;

	if (cap == 0 || ms < 0)
		abort();
	*got = w->left < cap ? w->left : cap;
	if (*got) {
		memcpy(buf, w->chunk, *got);
		w->chunk += *got;
		w->left -= *got;
	} else {
		w->now += ms > 0 ? ms : 1;
	}
	return 0;
}

static int wire_write(void *ctx, const uint8_t *data, size_t len, int ms, struct err *e)
{
	struct wire *w = ctx;
	(void)ms;
	(void)e;

	/* The host itself writes whole frames, one per call. */
	if (len < 2 || data[0] != MBOOT_START || len > MBOOT_MAX_FRAME)
		abort();
	if ((data[1] == MBOOT_FRAME_COMMAND || data[1] == MBOOT_FRAME_DATA) &&
		len != MBOOT_FRAME_HEADER + (size_t)get_le16(data + 2))
		abort();
	if (++w->writes > 20000)
		abort(); /* the device cannot keep the host talking for ever */
	size_t n = rd_le16(&w->input);
	if (n > w->input.left)
		n = w->input.left;
	w->chunk = rd_bytes(&w->input, n);
	w->left = w->chunk ? n : 0;
	return 0;
}

static int64_t wire_now(void *ctx)
{
	return ((struct wire *)ctx)->now;
}

static void checked_read(struct mboot *m, uint32_t len, struct err *e, int *rc)
{
	AUTO(buf_clear) struct buf out = { 0 };

	*rc = mboot_read_memory(m, 0x1000, len, 0, &out, e);
	if (out.len != (*rc == 0 ? len : 0))
		abort();
}

/* The operations; the longest a call may take, in simulated ms. */
static int64_t operate(struct mboot *m, unsigned op, struct err *e, int *rc)
{
	static const uint8_t payload[1500] = { 1, 2, 3 };
	static const uint32_t tp[] = { 0, 1, 16, 2, 256, 3, 256, 4, 256 }, kp[] = { 6 };
	struct mboot_identity id;
	uint8_t bytes[MBOOT_DICE_RESPONSE_LEN];
	uint32_t words[MBOOT_MAX_PARAMS] = { 0 };
	size_t n = 0;

	switch (op % 13) {
	case 0:
		*rc = mboot_identify(m, &id, e);
		return 60000;
	case 1:
		*rc = mboot_get_property(m, 18, 0, words, 4, &n, e);
		return 10000;
	case 2:
		checked_read(m, 1500, e, rc);
		return 60000;
	case 3:
		*rc = mboot_write_memory(m, 0x1000, payload, 700, 0, e);
		return 60000;
	case 4:
		*rc = mboot_receive_sb_file(m, payload, sizeof payload, e);
		if (*rc == 0 && mboot_last_status(m) != 0 && mboot_last_status(m) != 10119 &&
			mboot_last_status(m) != 10120)
			abort();
		return 60000;
	case 5:
		*rc = mboot_efuse_program_once(m, 1, 3, false, true, e);
		return 20000;
	case 6:
		*rc = mboot_trust_provisioning(m, tp, 9, words, MBOOT_MAX_PARAMS, &n, e);
		return 30000;
	case 7:
		*rc = mboot_dice_response(m, payload, bytes, e);
		return 90000;
	case 8: {
		AUTO(buf_clear) struct buf out = { 0 };
		*rc = mboot_key_provisioning(m, kp, 1, NULL, 0, &out, e);
		return 60000;
	}
	case 9:
		*rc = mboot_reset(m, e);
		if (*rc == 0)
			*rc = mboot_wait_ready(m, 20, 3000, NULL, e);
		return 10000;
	case 10:
		*rc = mboot_flash_read_once(m, 3, 8, words, e);
		return 10000;
	case 11:
		checked_read(m, 0, e, rc);
		return 60000;
	default:
		*rc = mboot_flash_erase_all(m, 0, e);
		return 90000;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct wire w = { .input = rd_of(data, len) };
	const struct mboot_io io = { .read = wire_read, .write = wire_write, .ctx = &w };
	const struct mboot_options o = { .now_ms = wire_now, .clock_ctx = &w, .baud = 115200 };
	struct mboot *m;
	struct err e = { 0 };
	unsigned ops[2] = { rd_u8(&w.input), rd_u8(&w.input) };

	if (mboot_new(&m, &io, &o, &e) != 0)
		return 0;
	for (int i = 0; i < 2; i++) {
		int rc = 0;
		int64_t since = w.now;
		err_clear(&e);
		int64_t limit = operate(m, ops[i], &e, &rc);
		if (w.now - since > limit)
			abort();
		if (rc != 0 && e.code != ERR_DEVICE && e.code != ERR_TIMEOUT)
			abort();
		if (rc != 0 && e.device != 0 && e.code != ERR_DEVICE)
			abort();
		if (rc == 0 && e.code != ERR_NONE)
			abort();
	}
	mboot_free(m);
	return 0;
}

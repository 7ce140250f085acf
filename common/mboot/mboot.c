/* The session and one function per command; the dialogue itself is in engine.c. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "mboot/engine.h"
#include "mboot/serial.h"
#include "mboot/status.h"

/* Erase time of one 8 KiB sector of internal flash. */
enum { SECTOR_BYTES = 8192, SECTOR_MS = 20, DEFAULT_PINGS = 5 };

int mboot_new(struct mboot **out, const struct mboot_io *io, const struct mboot_options *options,
	struct err *e)
{
	struct mboot *m = calloc(1, sizeof *m);

	if (!m) {
		struct mboot_io taken = *io;
		mboot_io_close(&taken);
		return err_set(e, ERR_ENV, "out of memory for a session");
	}
	m->io = *io;
	if (options)
		m->o = *options;
	mboot_decoder_init(&m->rx, MBOOT_MAX_PAYLOAD);
	m->cancel_seen = INT64_MAX;
	*out = m;
	return 0;
}

int mboot_open(struct mboot **out, const char *port, uint32_t baud,
	const struct mboot_options *options, struct err *e)
{
	struct mboot_options o = options ? *options : (struct mboot_options){ 0 };
	struct mboot_io io;

	o.baud = baud;
	if (serial_open(&io, port, baud, e) != 0)
		return -1;
	return mboot_new(out, &io, &o, e);
}

void mboot_free(struct mboot *m)
{
	if (!m)
		return;
	mboot_io_close(&m->io);
	explicit_bzero(m->tx, sizeof m->tx); /* a key on its way to the device HSM */
	free(m);
}

void mboot_freep(struct mboot **m)
{
	mboot_free(*m);
	*m = NULL;
}

void mboot_set_cancel(struct mboot *m, const atomic_bool *cancel)
{
	m->o.cancel = cancel;
}

void mboot_set_progress(
	struct mboot *m, void (*progress)(void *ctx, uint64_t done, uint64_t total), void *ctx)
{
	m->o.progress = progress;
	m->o.ctx = ctx;
}

void mboot_set_timeout(struct mboot *m, int ms)
{
	m->command_ms = ms;
}

const struct mboot_stats *mboot_stats(const struct mboot *m)
{
	return &m->stats;
}

const struct mboot_io *mboot_transport(const struct mboot *m)
{
	return &m->io;
}

int mboot_set_baud(struct mboot *m, uint32_t baud, struct err *e)
{
	if (m->io.set_baud && m->io.set_baud(m->io.ctx, baud, e) != 0)
		return -1;
	m->o.baud = baud;
	return 0;
}

uint32_t mboot_last_status(const struct mboot *m)
{
	return m->last_status;
}

/* --- finding the device ------------------------------------------------------------------- */

static void forget(struct mboot *m)
{
	m->max_packet = 0;
	mboot_decoder_drop(&m->rx);
}

static int ping_ms(const struct mboot *m, unsigned attempt)
{
	if (m->o.ping_ms)
		return m->o.ping_ms;
	return attempt < 2 ? 200 : 500;
}

int mboot_ping(struct mboot *m, struct mboot_version *out, struct err *e)
{
	unsigned attempts = m->o.pings ? m->o.pings : DEFAULT_PINGS;
	int64_t since = engine_now(m);

	forget(m);
	for (unsigned i = 0; i < attempts; i++) {
		int answered = engine_ping(m, ping_ms(m, i), out, e);
		if (answered < 0)
			return err_wrap(e, "ping");
		if (answered)
			return 0;
	}
	return err_set(e, ERR_TIMEOUT,
		"ping: no answer to %u pings in %d ms (board off, not in ISP mode, or another "
		"port)",
		attempts, (int)(engine_now(m) - since));
}

int mboot_wait_ready(
	struct mboot *m, int first_ms, int limit_ms, struct mboot_version *out, struct err *e)
{
	int64_t since = engine_now(m), end = since + limit_ms;

	forget(m);
	if (engine_pause(m, first_ms, e) != 0)
		return -1;
	forget(m);
	for (unsigned i = 0;; i++) {
		int64_t left = end - engine_now(m);
		if (left <= 0)
			return err_set(e, ERR_TIMEOUT, "no answer to pings within %d ms of a reset",
				(int)(engine_now(m) - since));
		int ms = ping_ms(m, i);
		int answered = engine_ping(m, left < ms ? (int)left : ms, out, e);
		if (answered)
			return answered < 0 ? -1 : 0;
	}
}

/* --- commands ------------------------------------------------------------------------------- */

#define JOB(t, ...)                                                                                \
	{                                                                                          \
		.cmd = mboot_command_find(t), .params = (const uint32_t[]){ __VA_ARGS__ },         \
		.n_params = sizeof((const uint32_t[]){ __VA_ARGS__ }) / sizeof(uint32_t),          \
	}

/* Runs a command that succeeds with status 0; `what` stands before a refusal's message. */
static int simple(struct mboot *m, struct mboot_job *job, struct err *e, const char *what)
{
	job->data = job->cmd->data;
	if (engine_run(m, job, e) != 0)
		return -1;
	if (job->status == MBOOT_STATUS_SUCCESS)
		return 0;
	size_t total = job->data == MBOOT_DATA_OUT ? job->out_len : job->in_len;
	if (job->moved)
		return err_device(e, job->status, "%s: %s after %zu of %zu bytes", what,
			MBOOT_STATUS_TEXT(job->status), job->moved, total);
	return err_device(e, job->status, "%s: %s", what, MBOOT_STATUS_TEXT(job->status));
}

#define WHAT(...) what_of((char[120]){ 0 }, __VA_ARGS__)
static const char *what_of(char buf[120], const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
static const char *what_of(char buf[120], const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(buf, 120, fmt, ap);
	va_end(ap);
	return buf;
}

static int need_packet_size(struct mboot *m, struct err *e)
{
	size_t n;

	return mboot_max_packet(m, &n, e);
}

int mboot_reset(struct mboot *m, struct err *e)
{
	struct mboot_job job = { .cmd = mboot_command_find(MBOOT_CMD_RESET),
		.response_optional = true };

	if (simple(m, &job, e, "reset") != 0)
		return -1;
	forget(m);
	return 0;
}

int mboot_get_property(struct mboot *m, uint32_t id, uint32_t index, uint32_t *words, size_t cap,
	size_t *n, struct err *e)
{
	struct mboot_job job = JOB(MBOOT_CMD_GET_PROPERTY, id, index);
	const char *name = mboot_property_name(id);

	if (simple(m, &job, e,
		    WHAT("get-property %u%s%s", id, name ? " " : "", name ? name : "")) != 0)
		return -1;
	for (size_t i = 0; i < job.n_words && i < cap; i++)
		words[i] = job.words[i];
	*n = job.n_words;
	return 0;
}

/* One property of exactly one word. */
static int property_word(struct mboot *m, uint32_t id, uint32_t *out, struct err *e)
{
	size_t n;
	uint32_t word;

	if (mboot_get_property(m, id, 0, &word, 1, &n, e) != 0)
		return -1;
	if (n < 1)
		return err_set(e, ERR_DEVICE, "get-property %u %s: answer without a value", id,
			mboot_property_name(id));
	*out = word;
	return 0;
}

int mboot_max_packet(struct mboot *m, size_t *out, struct err *e)
{
	if (!m->max_packet) {
		uint32_t size = 0;
		struct err refused = { 0 };
		if (property_word(m, MBOOT_PROP_MAX_PACKET_SIZE, &size, &refused) != 0 &&
			refused.device == 0) {
			*e = refused;
			return -1;
		}
		/* A device that refuses the question, or answers 0, takes what all take. */
		if (size == 0)
			size = MBOOT_FALLBACK_PACKET;
		m->max_packet = size < MBOOT_MAX_PAYLOAD ? size : MBOOT_MAX_PAYLOAD;
	}
	*out = m->max_packet;
	return 0;
}

int mboot_set_property(struct mboot *m, uint32_t id, uint32_t value, struct err *e)
{
	struct mboot_job job = JOB(MBOOT_CMD_SET_PROPERTY, id, value);

	return simple(m, &job, e, WHAT("set-property %u = 0x%x", id, value));
}

int mboot_uuid(struct mboot *m, uint8_t uuid[MBOOT_UUID_LEN], struct err *e)
{
	uint32_t words[4] = { 0 };
	size_t n;

	if (mboot_get_property(m, MBOOT_PROP_UNIQUE_DEVICE_ID, 0, words, 4, &n, e) != 0)
		return -1;
	if (n != 4)
		return err_set(e, ERR_DEVICE,
			"get-property 18 unique-device-id: %zu words, want 4 (a UUID of 16 bytes)",
			n);
	for (size_t i = 0; i < 4; i++)
		put_le32(uuid + 4 * i, words[i]);
	return 0;
}

int mboot_flash_erase_all(struct mboot *m, uint32_t memory_id, struct err *e)
{
	struct mboot_job job = JOB(MBOOT_CMD_FLASH_ERASE_ALL, memory_id);

	return simple(m, &job, e, WHAT("flash-erase-all memory %u", memory_id));
}

int mboot_flash_erase_region(
	struct mboot *m, uint32_t address, uint32_t len, uint32_t memory_id, struct err *e)
{
	struct mboot_job job =
		JOB(MBOOT_CMD_FLASH_ERASE_REGION, address, len, mboot_memory_mapped(memory_id));

	job.extra_ms = (int)(len / SECTOR_BYTES + 1) * SECTOR_MS;
	return simple(m, &job, e, WHAT("flash-erase-region 0x%08x, 0x%x bytes", address, len));
}

int mboot_read_memory(struct mboot *m, uint32_t address, uint32_t len, uint32_t memory_id,
	struct buf *out, struct err *e)
{
	struct buf in = { .max = MBOOT_MAX_READ };
	struct mboot_job job =
		JOB(MBOOT_CMD_READ_MEMORY, address, len, mboot_memory_mapped(memory_id));
	const char *what = WHAT("read-memory 0x%08x, %u bytes", address, len);

	if (len > MBOOT_MAX_READ)
		return err_set(
			e, ERR_LIMIT, "%s: at most %zu bytes in one read", what, MBOOT_MAX_READ);
	job.in = &in;
	job.in_len = len;
	int result = simple(m, &job, e, what);
	if (result == 0 && in.len != len && !in.bad)
		result = err_set(e, ERR_DEVICE, "%s: the device gave %zu bytes", what, in.len);
	if (result == 0)
		result = buf_check(&in, what, e);
	if (result == 0) {
		wr_bytes(out, in.p, in.len);
		result = buf_check(out, what, e);
	}
	buf_clear(&in);
	return result;
}

int mboot_write_memory(struct mboot *m, uint32_t address, const void *data, size_t len,
	uint32_t memory_id, struct err *e)
{
	struct mboot_job job =
		JOB(MBOOT_CMD_WRITE_MEMORY, address, (uint32_t)len, mboot_memory_mapped(memory_id));

	if (len > UINT32_MAX)
		return err_set(e, ERR_LIMIT, "write-memory: %zu bytes, at most 4 GiB - 1", len);
	if (need_packet_size(m, e) != 0)
		return -1;
	job.out = data;
	job.out_len = len;
	return simple(m, &job, e, WHAT("write-memory 0x%08x, %zu bytes", address, len));
}

int mboot_fill_memory(
	struct mboot *m, uint32_t address, uint32_t len, uint32_t pattern, struct err *e)
{
	struct mboot_job job = JOB(MBOOT_CMD_FILL_MEMORY, address, len, pattern);

	return simple(m, &job, e, WHAT("fill-memory 0x%08x, %u bytes", address, len));
}

int mboot_receive_sb_file(struct mboot *m, const void *data, size_t len, struct err *e)
{
	struct mboot_job job = JOB(MBOOT_CMD_RECEIVE_SB_FILE, (uint32_t)len);

	if (len > UINT32_MAX)
		return err_set(e, ERR_LIMIT, "receive-sb-file: %zu bytes, at most 4 GiB - 1", len);
	if (need_packet_size(m, e) != 0)
		return -1;
	job.out = data;
	job.out_len = len;
	if (simple(m, &job, e, "receive-sb-file") == 0)
		return 0;
	/* The file asked for a jump or a reset, which follows now: all of it was processed. */
	if (job.status == MBOOT_STATUS_ROMLDR_PENDING_JUMP ||
		job.status == MBOOT_STATUS_ROMLDR_PENDING_RESET) {
		err_clear(e);
		return 0;
	}
	return -1;
}

int mboot_execute(
	struct mboot *m, uint32_t address, uint32_t argument, uint32_t stack_pointer, struct err *e)
{
	struct mboot_job job = JOB(MBOOT_CMD_EXECUTE, address, argument, stack_pointer);

	return simple(m, &job, e, WHAT("execute 0x%08x", address));
}

int mboot_call(struct mboot *m, uint32_t address, uint32_t argument, struct err *e)
{
	struct mboot_job job = JOB(MBOOT_CMD_CALL, address, argument);

	return simple(m, &job, e, WHAT("call 0x%08x", address));
}

int mboot_configure_memory(struct mboot *m, uint32_t memory_id, uint32_t address, struct err *e)
{
	struct mboot_job job = JOB(MBOOT_CMD_CONFIGURE_MEMORY, memory_id, address);

	return simple(m, &job, e, WHAT("configure-memory %u", memory_id));
}

/* --- fuses ------------------------------------------------------------------------------------ */

int mboot_efuse_read_once(struct mboot *m, uint32_t index, uint32_t *value, struct err *e)
{
	struct mboot_job job = JOB(MBOOT_CMD_FLASH_READ_ONCE, index, 4);
	const char *what = WHAT("efuse-read-once %u", index);

	if (simple(m, &job, e, what) != 0)
		return -1;
	if (job.n_words < 2 || job.words[0] != 4)
		return err_set(e, ERR_DEVICE, "%s: answer without a fuse word of 4 bytes", what);
	*value = job.words[1];
	return 0;
}

int mboot_efuse_program_once(
	struct mboot *m, uint32_t index, uint32_t value, bool lock, bool verify, struct err *e)
{
	struct mboot_job job = JOB(
		MBOOT_CMD_FLASH_PROGRAM_ONCE, index | (lock ? MBOOT_FUSE_LOCK_BIT : 0), 4, value);
	uint32_t fuse = index & ~MBOOT_FUSE_LOCK_BIT, seen;

	if (simple(m, &job, e, WHAT("efuse-program-once %u = 0x%08x", fuse, value)) != 0)
		return -1;
	if (!verify)
		return 0;
	if (mboot_efuse_read_once(m, fuse, &seen, e) != 0)
		return err_wrap(e, "efuse-program-once %u: verify", fuse);
	if ((seen & value) == value)
		return 0;
	m->last_status = MBOOT_STATUS_OTP_VERIFY_FAIL;
	return err_device(e, MBOOT_STATUS_OTP_VERIFY_FAIL,
		"efuse-program-once %u: %s: read 0x%08x, want the bits of 0x%08x", fuse,
		MBOOT_STATUS_TEXT(MBOOT_STATUS_OTP_VERIFY_FAIL), seen, value);
}

static int once_len(uint32_t len, const char *what, struct err *e)
{
	if (len == 4 || len == 8)
		return 0;
	return err_set(e, ERR_USAGE, "%s: %u bytes, want 4 or 8", what, len);
}

int mboot_flash_program_once(
	struct mboot *m, uint32_t index, uint32_t len, const uint32_t words[2], struct err *e)
{
	struct mboot_job job =
		JOB(MBOOT_CMD_FLASH_PROGRAM_ONCE, index, len, words[0], len == 8 ? words[1] : 0);

	if (once_len(len, "flash-program-once", e) != 0)
		return -1;
	job.n_params = 2 + len / 4;
	return simple(m, &job, e, WHAT("flash-program-once %u", index));
}

int mboot_flash_read_once(
	struct mboot *m, uint32_t index, uint32_t len, uint32_t words[2], struct err *e)
{
	struct mboot_job job = JOB(MBOOT_CMD_FLASH_READ_ONCE, index, len);
	const char *what = WHAT("flash-read-once %u", index);

	if (once_len(len, what, e) != 0 || simple(m, &job, e, what) != 0)
		return -1;
	if (job.n_words < 1 + len / 4 || job.words[0] != len)
		return err_set(e, ERR_DEVICE, "%s: answer without %u bytes", what, len);
	memcpy(words, job.words + 1, len);
	return 0;
}

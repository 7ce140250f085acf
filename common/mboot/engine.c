/* The dialogue of one command. The rules on trouble stand in mboot.h; each function here is one
 * of them. All waiting happens in next_frame(). */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "mboot/engine.h"
#include "mboot/status.h"

/* What came in while a frame was waited for. */
enum got {
	GOT_ERROR = -1,
	GOT_NOTHING, /* the deadline passed */
	GOT_FRAME,
	GOT_DAMAGED, /* a frame with a wrong CRC or length, or one that stopped half-way */
};

/* What the device did with a frame of ours. */
enum answer {
	ANSWER_ERROR = -1,
	ANSWER_ACK,
	ANSWER_ABORT,
	ANSWER_RESPONSE, /* a response in place of the ACK: the ACK was lost */
};

int64_t engine_now(const struct mboot *m)
{
	return m->o.now_ms ? m->o.now_ms(m->o.clock_ctx) : clock_mono_ms();
}

static bool cancelled(const struct mboot *m)
{
	return m->o.cancel && atomic_load_explicit(m->o.cancel, memory_order_relaxed);
}

static int scaled(const struct mboot *m, int64_t ms)
{
	int64_t v = ms * (m->o.timeout_percent ? m->o.timeout_percent : 100) / 100;
	return v > INT32_MAX ? INT32_MAX : (int)v;
}

/* Milliseconds n bytes need on the line: 10 bits each. */
static int64_t line_ms(const struct mboot *m, uint64_t n)
{
	uint64_t baud = m->o.baud ? m->o.baud : MBOOT_SLOWEST_BAUD;
	return (int64_t)(n * 10000 / baud);
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int send_bytes(struct mboot *m, const uint8_t *data, size_t len, struct err *e)
{
	int ms = scaled(m, MBOOT_ACK_MS + line_ms(m, len));

	if (m->io.write(m->io.ctx, data, len, ms, e) != 0)
		return -1;
	m->stats.bytes_out += len;
	m->stats.frames_out++;
	return 0;
}

static int send_short(struct mboot *m, enum mboot_frame_type type, struct err *e)
{
	uint8_t frame[2];

	return send_bytes(m, frame, mboot_frame_short(frame, type), e);
}

static int read_some(struct mboot *m, int ms, size_t *got, struct err *e)
{
	size_t room;
	uint8_t *space = mboot_decoder_space(&m->rx, &room);

	*got = 0;
	if (m->io.read(m->io.ctx, space, room, ms, got, e) != 0)
		return -1;
	mboot_decoder_added(&m->rx, *got);
	m->stats.bytes_in += *got;
	return 0;
}

/* After a damaged frame: read on until the line is silent, so that the rest of it cannot be
 * taken for a frame. The device sends nothing more before it hears from us. */
static int drain(struct mboot *m, struct err *e)
{
	int64_t end = engine_now(m) + scaled(m, MBOOT_STALL_MS);
	size_t got;

	do {
		mboot_decoder_drop(&m->rx);
		if (read_some(m, scaled(m, MBOOT_QUIET_MS), &got, e) != 0)
			return -1;
	} while (got && engine_now(m) < end);
	mboot_decoder_drop(&m->rx);
	return 0;
}

/* A cancel stops waiting at once, but gives an open data phase time to end in good order. */
static int check_cancel(struct mboot *m, int64_t *until, struct err *e)
{
	if (!cancelled(m))
		return 0;
	if (!m->in_data_phase)
		return err_set(e, ERR_CANCELLED, "interrupted");
	if (m->cancel_seen == INT64_MAX)
		m->cancel_seen = engine_now(m);
	*until = earlier(*until, m->cancel_seen + scaled(m, MBOOT_GRACE_MS));
	return 0;
}

/* The next frame of the device, answers to earlier pings left out. */
static enum got next_frame(struct mboot *m, int64_t until, struct mboot_frame *f, struct err *e)
{
	bool damaged = false; /* a header without sense went by; a good frame may still follow */
	int64_t last_byte = engine_now(m);

	for (;;) {
		switch (mboot_decoder_next(&m->rx, f)) {
		case MBOOT_FOUND_FRAME:
			m->stats.stray = m->rx.stray;
			m->stats.frames_in++;
			if (f->type == MBOOT_FRAME_PING || f->type == MBOOT_FRAME_PING_RESPONSE)
				continue;
			return GOT_FRAME;
		case MBOOT_FOUND_BAD_CRC:
			m->stats.damaged++;
			if (f->type == MBOOT_FRAME_PING_RESPONSE)
				continue;
			return drain(m, e) == 0 ? GOT_DAMAGED : GOT_ERROR;
		case MBOOT_FOUND_BAD_LENGTH:
			m->stats.damaged++;
			damaged = true;
			continue;
		case MBOOT_FOUND_NOTHING:
			break;
		}
		m->stats.stray = m->rx.stray;

		if (check_cancel(m, &until, e) != 0)
			return GOT_ERROR;
		int64_t now = engine_now(m);
		bool unfinished = damaged || mboot_decoder_pending(&m->rx) > 0;
		if (unfinished && now - last_byte >= scaled(m, MBOOT_STALL_MS)) {
			if (!damaged)
				m->stats.damaged++;
			mboot_decoder_drop(&m->rx);
			return GOT_DAMAGED;
		}
		if (now >= until)
			return GOT_NOTHING;

		size_t got;
		int64_t wait = earlier(until - now, MBOOT_SLICE_MS);
		if (read_some(m, (int)wait, &got, e) != 0)
			return GOT_ERROR;
		if (got)
			last_byte = engine_now(m);
	}
}

int engine_ping(struct mboot *m, int ms, struct mboot_version *out, struct err *e)
{
	int64_t until = engine_now(m) + ms;

	if (send_short(m, MBOOT_FRAME_PING, e) != 0)
		return -1;
	m->stats.pings++;
	for (;;) {
		struct mboot_frame f;
		enum mboot_found found = mboot_decoder_next(&m->rx, &f);

		m->stats.stray = m->rx.stray;
		if (found == MBOOT_FOUND_FRAME && f.type == MBOOT_FRAME_PING_RESPONSE) {
			m->stats.frames_in++;
			if (out)
				*out = f.version;
			return 1;
		}
		if (found == MBOOT_FOUND_BAD_CRC || found == MBOOT_FOUND_BAD_LENGTH)
			m->stats.damaged++;
		if (found != MBOOT_FOUND_NOTHING)
			continue;
		if (check_cancel(m, &until, e) != 0)
			return -1;
		int64_t now = engine_now(m);
		if (now >= until)
			return 0;
		size_t got;
		if (read_some(m, (int)earlier(until - now, MBOOT_SLICE_MS), &got, e) != 0)
			return -1;
	}
}

int engine_pause(struct mboot *m, int ms, struct err *e)
{
	int64_t until = engine_now(m) + ms;

	for (;;) {
		int64_t now = engine_now(m);
		if (check_cancel(m, &until, e) != 0)
			return -1;
		if (now >= until)
			return 0;
		/* Reading is the one way to wait a transport offers; what comes in meanwhile is
		 * the device's start-up noise. */
		size_t got;
		if (read_some(m, (int)earlier(until - now, MBOOT_SLICE_MS), &got, e) != 0)
			return -1;
		mboot_decoder_drop(&m->rx);
	}
}

/* The report on a step that ran out of time: does anybody still live there? */
static int no_answer(struct mboot *m, const struct mboot_job *job, const char *what, int64_t since,
	struct err *e)
{
	int waited = (int)(engine_now(m) - since);
	struct err dropped = { 0 };

	if (cancelled(m))
		return err_set(e, ERR_CANCELLED, "%s: interrupted; no %s came within %d ms",
			job->cmd->name, what, waited);
	mboot_decoder_drop(&m->rx);
	int alive = engine_ping(m, scaled(m, MBOOT_PROBE_MS), NULL, &dropped);
	if (alive < 0) {
		*e = dropped;
		return err_wrap(e, "%s: no %s within %d ms", job->cmd->name, what, waited);
	}
	return err_set(e, ERR_TIMEOUT, "%s: no %s within %d ms; the device %s", job->cmd->name,
		what, waited, alive ? "still answers pings" : "does not answer a ping either");
}

/* A response packet, checked: header, then words. NULL when it makes no sense. */
static const uint8_t *packet_words(const struct mboot_frame *f, size_t *n)
{
	if (f->len < MBOOT_PACKET_HEADER + 4)
		return NULL;
	*n = f->payload[3];
	if (*n == 0 || *n > MBOOT_MAX_PARAMS || f->len < MBOOT_PACKET_HEADER + 4 * *n)
		return NULL;
	return f->payload + MBOOT_PACKET_HEADER;
}

/* Takes a response packet into the job: 1 it is ours, 0 it answers another command (left over from
 * before), -1 it makes no sense. `keep_words`: this is the first response. */
static int take_response(
	struct mboot_job *job, const struct mboot_frame *f, bool keep_words, struct err *e)
{
	size_t n;
	const uint8_t *w = packet_words(f, &n);

	if (!w)
		return err_set(e, ERR_DEVICE,
			"%s: response packet of %zu bytes without sense (want a status)",
			job->cmd->name, f->len);
	uint8_t tag = f->payload[0];
	if (tag == MBOOT_RSP_GENERIC) {
		/* The second word names the command; a device that leaves it out is believed. */
		if (n >= 2 && get_le32(w + 4) != (uint32_t)job->cmd->tag)
			return 0;
		n = 1;
	} else if (tag != (uint8_t)job->cmd->response) {
		return 0;
	}
	job->response = tag;
	job->status = get_le32(w);
	if (keep_words) {
		job->n_words = n - 1;
		for (size_t i = 0; i < job->n_words; i++)
			job->words[i] = get_le32(w + 4 + 4 * i);
	}
	return 1;
}

/* Sends the frame in m->tx and waits until the device took it. */
static enum answer send_frame(struct mboot *m, struct mboot_job *job, size_t len, int step_ms,
	int64_t whole, const char *what, bool first, struct err *e)
{
	int64_t since = engine_now(m);
	unsigned naks = 0;

	if (send_bytes(m, m->tx, len, e) != 0) {
		err_wrap(e, "%s", job->cmd->name);
		return ANSWER_ERROR;
	}
	int64_t until = earlier(since + scaled(m, step_ms + line_ms(m, len)), whole);
	for (;;) {
		struct mboot_frame f;
		enum got got = next_frame(m, until, &f, e);
		if (got == GOT_ERROR) {
			err_wrap(e, "%s", job->cmd->name);
			return ANSWER_ERROR;
		}
		if (got == GOT_NOTHING) {
			no_answer(m, job, what, since, e);
			return ANSWER_ERROR;
		}
		if (got == GOT_DAMAGED)
			continue; /* an ACK has no CRC: what was damaged is something else */

		switch (f.type) {
		case MBOOT_FRAME_ACK:
			return ANSWER_ACK;
		case MBOOT_FRAME_ABORT:
			return ANSWER_ABORT;
		case MBOOT_FRAME_NAK:
			m->stats.naks++;
			if (naks++ == MBOOT_RESENDS) {
				err_set(e, ERR_DEVICE,
					"%s: the device refused the same frame %u times (NAK)",
					job->cmd->name, naks);
				return ANSWER_ERROR;
			}
			since = engine_now(m);
			until = earlier(since + scaled(m, step_ms + line_ms(m, len)), whole);
			if (send_bytes(m, m->tx, len, e) != 0) {
				err_wrap(e, "%s", job->cmd->name);
				return ANSWER_ERROR;
			}
			break;
		case MBOOT_FRAME_COMMAND: {
			int ours = take_response(job, &f, first, e);
			if (send_short(m, MBOOT_FRAME_ACK, ours < 0 ? NULL : e) != 0 || ours < 0)
				return ANSWER_ERROR;
			if (ours)
				return ANSWER_RESPONSE;
			break;
		}
		case MBOOT_FRAME_DATA:
		case MBOOT_FRAME_PING:
		case MBOOT_FRAME_PING_RESPONSE:
			break; /* left over from before: not an answer to this frame */
		}
	}
}

/* Asks for a damaged frame again; -1 when it came damaged too often. */
static int ask_again(struct mboot *m, const struct mboot_job *job, unsigned *naks, struct err *e)
{
	if ((*naks)++ == MBOOT_RESENDS)
		return err_set(e, ERR_DEVICE, "%s: the same frame came damaged %u times",
			job->cmd->name, *naks);
	return send_short(m, MBOOT_FRAME_NAK, e);
}

/* Waits for a response to this command and acknowledges it. */
static int await_response(struct mboot *m, struct mboot_job *job, int step_ms, int64_t whole,
	bool first, struct err *e)
{
	int64_t since = engine_now(m);
	int64_t until = earlier(since + scaled(m, step_ms), whole);
	unsigned naks = 0;

	for (;;) {
		struct mboot_frame f;
		enum got got = next_frame(m, until, &f, e);
		if (got == GOT_ERROR)
			return err_wrap(e, "%s", job->cmd->name);
		if (got == GOT_NOTHING) {
			if (job->response_optional)
				return 0;
			return no_answer(m, job, first ? "response" : "final response", since, e);
		}
		if (got == GOT_DAMAGED) {
			if (ask_again(m, job, &naks, e) != 0)
				return -1;
			continue;
		}
		/* Only a response is of interest; an ACK, ABORT or data frame here is a
		 * leftover. */
		if (f.type != MBOOT_FRAME_COMMAND)
			continue;
		int ours = take_response(job, &f, first, e);
		if (send_short(m, MBOOT_FRAME_ACK, ours < 0 ? NULL : e) != 0 || ours < 0)
			return -1;
		if (ours)
			return 0;
	}
}

static void report(struct mboot *m, uint64_t done, uint64_t total)
{
	if (m->o.progress)
		m->o.progress(m->o.ctx, done, total);
}

/* Ends a data phase we are sending in, as the protocol provides for: an empty data frame. */
static int cancel_out(struct mboot *m, struct mboot_job *job, struct err *e)
{
	int64_t whole = engine_now(m) + scaled(m, MBOOT_GRACE_MS);
	size_t len = mboot_frame_encode(m->tx, MBOOT_FRAME_DATA, NULL, 0);
	struct err dropped = { 0 };

	enum answer a = send_frame(m, job, len, MBOOT_ACK_MS, whole, "ACK", false, &dropped);
	bool ended = a == ANSWER_RESPONSE;
	if (a == ANSWER_ACK || a == ANSWER_ABORT)
		ended = await_response(m, job, MBOOT_GRACE_MS, whole, false, &dropped) == 0;
	return err_set(e, ERR_CANCELLED, "%s: interrupted after %zu of %zu bytes%s", job->cmd->name,
		job->moved, job->out_len, ended ? "" : "; the device did not confirm");
}

static int send_data(struct mboot *m, struct mboot_job *job, int64_t whole, struct err *e)
{
	report(m, 0, job->out_len);
	while (job->moved < job->out_len) {
		if (cancelled(m))
			return cancel_out(m, job, e);
		size_t n = job->out_len - job->moved;
		if (n > m->max_packet)
			n = m->max_packet;
		size_t len = mboot_frame_encode(m->tx, MBOOT_FRAME_DATA, job->out + job->moved, n);
		char what[80];
		snprintf(what, sizeof what, "ACK of data after %zu of %zu bytes", job->moved,
			job->out_len);
		switch (send_frame(m, job, len, job->cmd->data_ms, whole, what, false, e)) {
		case ANSWER_ERROR:
			return -1;
		case ANSWER_ABORT: /* the device ends the phase and says why */
			return await_response(m, job, job->cmd->data_ms, whole, false, e);
		case ANSWER_RESPONSE: /* final response at once: the ABORT or the ACK was lost */
			return 0;
		case ANSWER_ACK:
			break;
		}
		job->moved += n;
		report(m, job->moved, job->out_len);
	}
	return await_response(m, job, job->cmd->data_ms, whole, false, e);
}

/* Ends a data phase we are receiving in: ABORT in place of the ACK that is due. */
static int stop_in(struct mboot *m, struct mboot_job *job, int64_t whole)
{
	struct err dropped = { 0 };

	if (send_short(m, MBOOT_FRAME_ABORT, &dropped) != 0)
		return -1;
	return await_response(m, job, MBOOT_GRACE_MS, whole, false, &dropped);
}

static int receive_data(
	struct mboot *m, struct mboot_job *job, size_t announced, int64_t whole, struct err *e)
{
	unsigned naks = 0;

	report(m, 0, announced);
	while (job->moved < announced) {
		int64_t since = engine_now(m);
		int64_t until = earlier(
			since + scaled(m, job->cmd->data_ms + line_ms(m, MBOOT_MAX_FRAME)), whole);
		struct mboot_frame f;
		enum got got = next_frame(m, until, &f, e);
		if (got == GOT_ERROR)
			return err_wrap(e, "%s", job->cmd->name);
		if (got == GOT_NOTHING) {
			char what[80];
			snprintf(what, sizeof what, "data after %zu of %zu bytes", job->moved,
				announced);
			return no_answer(m, job, what, since, e);
		}
		if (got == GOT_DAMAGED) {
			if (ask_again(m, job, &naks, e) != 0)
				return -1;
			continue;
		}
		if (f.type == MBOOT_FRAME_COMMAND) {
			/* The final response before all data: the device gave up. */
			int ours = take_response(job, &f, false, e);
			if (send_short(m, MBOOT_FRAME_ACK, ours < 0 ? NULL : e) != 0 || ours < 0)
				return -1;
			if (ours)
				return 0;
			continue;
		}
		if (f.type != MBOOT_FRAME_DATA)
			continue;
		if (cancelled(m)) {
			stop_in(m, job, engine_now(m) + scaled(m, MBOOT_GRACE_MS));
			return err_set(e, ERR_CANCELLED, "%s: interrupted after %zu of %zu bytes",
				job->cmd->name, job->moved, announced);
		}
		if (f.len > announced - job->moved) {
			stop_in(m, job, whole);
			return err_set(e, ERR_DEVICE,
				"%s: the device sent more than the %zu bytes it announced",
				job->cmd->name, announced);
		}
		wr_bytes(job->in, f.payload, f.len);
		job->moved += f.len;
		naks = 0;
		bool ended = f.len == 0; /* the device ends the phase early */
		if (send_short(m, MBOOT_FRAME_ACK, e) != 0)
			return -1;
		report(m, job->moved, announced);
		if (ended)
			break;
	}
	return await_response(m, job, job->cmd->data_ms, whole, false, e);
}

/* The whole command's time: what the class allows, the line needs and flash takes. */
static int64_t whole_ms(const struct mboot *m, const struct mboot_job *job)
{
	if (m->command_ms)
		return m->command_ms;
	uint64_t bytes = job->data == MBOOT_DATA_OUT ? job->out_len : job->in_len;
	uint64_t frames = bytes / (m->max_packet ? m->max_packet : MBOOT_FALLBACK_PACKET) + 1;
	int64_t ms = MBOOT_ACK_MS + job->cmd->response_ms + job->extra_ms;
	if (job->data != MBOOT_DATA_NONE)
		ms += job->cmd->data_ms + 3 * line_ms(m, bytes) + 50 * (int64_t)frames;
	/* Room for frames that have to go twice. */
	return ms + MBOOT_RESENDS * MBOOT_ACK_MS;
}

static size_t encode_command(struct mboot *m, const struct mboot_job *job)
{
	uint8_t *p = m->tx + MBOOT_FRAME_HEADER;

	p[0] = (uint8_t)job->cmd->tag;
	p[1] = job->data == MBOOT_DATA_OUT ? MBOOT_FLAG_DATA : 0;
	p[2] = 0;
	p[3] = (uint8_t)job->n_params;
	for (size_t i = 0; i < job->n_params; i++)
		put_le32(p + MBOOT_PACKET_HEADER + 4 * i, job->params[i]);
	return mboot_frame_encode(
		m->tx, MBOOT_FRAME_COMMAND, p, MBOOT_PACKET_HEADER + 4 * job->n_params);
}

static int run(struct mboot *m, struct mboot_job *job, struct err *e)
{
	int64_t whole = engine_now(m) + scaled(m, whole_ms(m, job));
	int response_ms = m->command_ms ? m->command_ms : job->cmd->response_ms + job->extra_ms;

	/* Command and first response. */
	if (job->response_optional)
		response_ms = MBOOT_RESET_MS;
	size_t len = encode_command(m, job);
	switch (send_frame(m, job, len, MBOOT_ACK_MS, whole, "ACK", true, e)) {
	case ANSWER_ERROR:
		return -1;
	case ANSWER_ABORT:
	case ANSWER_ACK:
		if (await_response(m, job, response_ms, whole, true, e) != 0)
			return -1;
		break;
	case ANSWER_RESPONSE:
		break;
	}
	if (job->status != MBOOT_STATUS_SUCCESS || job->data == MBOOT_DATA_NONE)
		return 0; /* a refused command has no data phase */

	m->in_data_phase = true;
	if (job->data == MBOOT_DATA_OUT)
		return send_data(m, job, whole, e);
	if (job->n_words < 1)
		return err_set(e, ERR_DEVICE,
			"%s: the device agreed without saying how many bytes follow",
			job->cmd->name);
	size_t announced = job->words[0];
	if (announced > job->in_len) {
		stop_in(m, job, whole);
		return err_set(e, ERR_DEVICE,
			"%s: the device announced %zu bytes, %zu were asked for", job->cmd->name,
			announced, job->in_len);
	}
	return receive_data(m, job, announced, whole, e);
}

int engine_run(struct mboot *m, struct mboot_job *job, struct err *e)
{
	if (job->n_params > MBOOT_MAX_PARAMS)
		return err_set(
			e, ERR_INTERNAL, "%s: %zu parameters", job->cmd->name, job->n_params);
	if (cancelled(m))
		return err_set(e, ERR_CANCELLED, "%s: interrupted before it began", job->cmd->name);
	job->response = 0;
	job->status = MBOOT_STATUS_SUCCESS;
	job->n_words = 0;
	job->moved = 0;
	m->cancel_seen = INT64_MAX;
	int result = run(m, job, e);
	m->in_data_phase = false;
	m->last_status = job->status;
	return result;
}

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "crypt/crc.h"
#include "tests/sim/device.h"
#include "tests/sim/status.h"

static const struct mboot_version version = { .major = 1, .minor = 3, .bugfix = 0, .name = 'P' };

void sim_link_init(struct sim_link *l, uint32_t max_packet)
{
	memset(l, 0, sizeof *l);
	l->max_packet = max_packet;
}

void sim_link_reset(struct sim_link *l)
{
	/* The payload stays: it may be the frame that stood in for the ACK of the reset. */
	l->n_head = l->want = l->have = 0;
	l->skipping = l->ack_due = l->damage_next = false;
	l->phase = SIM_PHASE_IDLE;
	l->next = SIM_NEXT_NOTHING;
	l->n_out = 0;
	l->delay_us = 0;
}

/* --- sending ---------------------------------------------------------------------------------- */

static struct sim_out *out_slot(struct sim_link *l)
{
	/* Never full: feeding stops as soon as there is output. */
	if (l->n_out == SIM_OUT_FRAMES)
		l->n_out--;
	struct sim_out *o = &l->out[l->n_out++];
	o->delay_us = l->delay_us;
	l->delay_us = 0;
	return o;
}

static void send_short(struct sim_link *l, enum mboot_frame_type type)
{
	struct sim_out *o = out_slot(l);

	o->len = (uint16_t)mboot_frame_short(o->bytes, type);
}

static void send_ping_response(struct sim_link *l)
{
	struct sim_out *o = out_slot(l);

	o->len = (uint16_t)mboot_frame_ping_response(o->bytes, &version);
}

/* Send a frame the host has to acknowledge; `next` follows then. */
static void send_frame(struct sim_device *d, enum mboot_frame_type type, const void *payload,
	size_t len, enum sim_next next)
{
	struct sim_link *l = &d->link;
	struct sim_out *o = out_slot(l);

	o->len = (uint16_t)mboot_frame_encode(o->bytes, type, payload, len);
	l->sent = *o;
	l->sent.delay_us = 0;
	l->ack_due = true;
	l->ack_since_us = d->now_us;
	l->next = next;
	if (l->damage_next) {
		/* Only on the wire: what a NAK asks for is right. */
		if (type == MBOOT_FRAME_DATA && len)
			o->bytes[o->len - 1] ^= 0x01;
		else
			o->bytes[4] ^= 0x55;
		l->damage_next = false;
	}
}

static void send_response(struct sim_device *d, uint8_t tag, uint8_t flags, const uint32_t *words,
	unsigned n, enum sim_next next)
{
	uint8_t p[MBOOT_PACKET_HEADER + 4 * (SIM_MAX_WORDS + 1)] = { tag, flags, 0, (uint8_t)n };

	for (unsigned i = 0; i < n; i++)
		put_le32(p + MBOOT_PACKET_HEADER + 4 * i, words[i]);
	send_frame(d, MBOOT_FRAME_COMMAND, p, MBOOT_PACKET_HEADER + 4 * n, next);
}

static void send_generic(struct sim_device *d, uint32_t status, uint8_t tag, enum sim_next next)
{
	d->last_error = status;
	send_response(d, MBOOT_RSP_GENERIC, 0, (uint32_t[]){ status, tag }, 2, next);
}

/* The last response of a command with a data phase. */
static void send_final(struct sim_device *d, uint32_t status)
{
	const struct sim_fault *f = sim_fault_at_command(d, d->op.tag, SIM_KIND(SIM_FAULT_FINAL));

	d->link.phase = SIM_PHASE_IDLE;
	if (f)
		status = (uint32_t)f->value;
	enum sim_next then = status == OK_STATUS || status == MBOOT_STATUS_ROMLDR_PENDING_JUMP
				     ? d->op.then
				     : SIM_NEXT_NOTHING;
	send_generic(d, status, d->op.tag, then);
}

/* --- data phases ------------------------------------------------------------------------------ */

static void end_phase(struct sim_device *d)
{
	if (d->link.phase == SIM_PHASE_IN || d->link.next == SIM_NEXT_RECEIVE)
		sim_command_cancel(d, MBOOT_STATUS_ABORT_DATA_PHASE);
	d->link.phase = SIM_PHASE_IDLE;
	d->link.ack_due = false;
	d->link.next = SIM_NEXT_NOTHING;
}

static void send_data(struct sim_device *d)
{
	struct sim_op *op = &d->op;
	uint8_t chunk[SIM_MAX_PACKET_MAX];
	uint32_t n = op->total - op->done;

	if (n == 0) {
		send_final(d, OK_STATUS);
		return;
	}
	const struct sim_fault *f =
		sim_fault_at_data(d, op->tag, op->done, SIM_KIND(SIM_FAULT_ABORT));
	if (f) {
		op->final = (uint32_t)f->value;
		send_frame(d, MBOOT_FRAME_DATA, NULL, 0, SIM_NEXT_FINAL);
		return;
	}
	if (n > d->link.max_packet)
		n = d->link.max_packet;
	sim_memory_read(&d->mem, op->memid, op->addr + op->done, chunk, n);
	op->done += n;
	if (sim_fault_at_data(d, op->tag, op->done, SIM_KIND(SIM_FAULT_BAD_CRC)))
		d->link.damage_next = true;
	send_frame(d, MBOOT_FRAME_DATA, chunk, n, SIM_NEXT_SEND);
}

static void receive_or_end(struct sim_device *d)
{
	if (d->op.total)
		d->link.phase = SIM_PHASE_IN;
	else
		send_final(d, sim_command_end(d));
}

static void on_data(struct sim_device *d, const uint8_t *data, size_t len)
{
	struct sim_link *l = &d->link;
	struct sim_op *op = &d->op;
	const struct sim_fault *f;
	uint32_t status;

	if (l->phase != SIM_PHASE_IN)
		return;
	f = sim_fault_at_data(d, op->tag, op->done + len, SIM_KIND(SIM_FAULT_NAK));
	if (f) {
		send_short(l, MBOOT_FRAME_NAK);
		return;
	}
	if (len == 0) { /* the host gives up */
		send_short(l, MBOOT_FRAME_ACK);
		sim_command_cancel(d, MBOOT_STATUS_ABORT_DATA_PHASE);
		send_final(d, MBOOT_STATUS_ABORT_DATA_PHASE);
		return;
	}
	if (len > op->total - op->done) {
		send_short(l, MBOOT_FRAME_ABORT);
		sim_command_cancel(d, MBOOT_STATUS_ABORT_DATA_PHASE);
		send_final(d, MBOOT_STATUS_ABORT_DATA_PHASE);
		return;
	}
	f = sim_fault_at_data(d, op->tag, op->done + len,
		SIM_FAULTS_AWAY | SIM_KIND(SIM_FAULT_IGNORE) | SIM_KIND(SIM_FAULT_DELAY));
	if (f && f->kind == SIM_FAULT_DELAY)
		l->delay_us += (uint32_t)f->value * 1000;
	else if (f && f->kind == SIM_FAULT_IGNORE)
		return;
	else if (f) {
		sim_fault_go_away(d, f);
		return;
	}
	status = sim_command_data(d, data, len);
	if (d->mode != SIM_MODE_ISP || d->silent_until_us > d->now_us || d->stuck ||
		l->phase != SIM_PHASE_IN)
		return; /* a fault inside the file took the device away */
	op->done += (uint32_t)len;
	f = sim_fault_at_data(d, op->tag, op->done, SIM_KIND(SIM_FAULT_ABORT));
	if (f)
		status = (uint32_t)f->value;
	l->delay_us += sim_memory_busy(&d->mem);
	if (status != OK_STATUS) {
		send_short(l, MBOOT_FRAME_ABORT);
		sim_command_cancel(d, status);
		send_final(d, status);
		return;
	}
	send_short(l, MBOOT_FRAME_ACK);
	if (op->done == op->total) {
		status = sim_command_end(d);
		l->delay_us += sim_memory_busy(&d->mem);
		send_final(d, status);
	}
}

/* --- commands --------------------------------------------------------------------------------- */

static void run_command(struct sim_device *d, const struct sim_request *q)
{
	struct sim_reply a = { 0 };
	uint32_t words[SIM_MAX_WORDS + 1];
	const struct sim_fault *f = sim_fault_at_command(d, q->tag, SIM_KIND(SIM_FAULT_REFUSE));
	uint32_t status = f ? (uint32_t)f->value : sim_command_run(d, q, &a);

	if (f)
		a.specific = sim_command_specific_failure(q->tag);
	d->link.delay_us += sim_memory_busy(&d->mem);
	if (sim_fault_at_command(d, q->tag, SIM_KIND(SIM_FAULT_BAD_CRC)))
		d->link.damage_next = true;
	f = sim_fault_at_command(
		d, q->tag, SIM_KIND(SIM_FAULT_NO_ANSWER) | SIM_KIND(SIM_FAULT_DELAY));
	if (f && f->kind == SIM_FAULT_DELAY)
		d->link.delay_us += (uint32_t)f->value * 1000;
	else if (f) {
		if (status == OK_STATUS && a.next == SIM_NEXT_RESET) { /* it still resets */
			d->link.ack_due = true;
			d->link.ack_since_us = d->now_us;
			d->link.next = SIM_NEXT_RESET;
		} else { /* nor is there a data phase */
			sim_command_cancel(d, MBOOT_STATUS_ABORT_DATA_PHASE);
		}
		return;
	}
	if (!a.specific) {
		send_generic(d, status, q->tag, status == OK_STATUS ? a.next : SIM_NEXT_NOTHING);
		return;
	}
	d->last_error = status;
	words[0] = status;
	if (status != OK_STATUS && a.n == 0)
		a.w[a.n++] = 0; /* failing specific answers carry one word */
	memcpy(words + 1, a.w, sizeof a.w);
	send_response(d, sim_command_response_tag(q->tag),
		status == OK_STATUS && a.next == SIM_NEXT_SEND ? MBOOT_FLAG_DATA : 0, words,
		a.n + 1, status == OK_STATUS ? a.next : SIM_NEXT_NOTHING);
}

static void on_command(struct sim_device *d, const uint8_t *p, size_t len)
{
	struct sim_request q = { 0 };
	const struct sim_fault *f;

	end_phase(d); /* a command while a data phase is open ends it without a word */
	if (len >= 1) {
		q.tag = p[0];
		d->faults.commands[q.tag]++;
	}
	f = sim_fault_at_command(
		d, q.tag, SIM_FAULTS_AWAY | SIM_KIND(SIM_FAULT_IGNORE) | SIM_KIND(SIM_FAULT_NAK));
	if (f && f->kind == SIM_FAULT_NAK) {
		d->faults.commands[q.tag]--; /* the repetition is the same command */
		send_short(&d->link, MBOOT_FRAME_NAK);
		return;
	}
	if (f && f->kind == SIM_FAULT_IGNORE)
		return;
	if (f) {
		sim_fault_go_away(d, f);
		if (!d->stuck)
			return;
	}
	send_short(&d->link, MBOOT_FRAME_ACK);
	if (d->stuck)
		return;
	if (len < MBOOT_PACKET_HEADER || p[3] > MBOOT_MAX_PARAMS ||
		len < MBOOT_PACKET_HEADER + 4u * p[3]) {
		send_generic(d, MBOOT_STATUS_INVALID_ARGUMENT, q.tag, SIM_NEXT_NOTHING);
		return;
	}
	q.n = p[3];
	for (unsigned i = 0; i < q.n; i++)
		q.p[i] = get_le32(p + MBOOT_PACKET_HEADER + 4 * i);
	run_command(d, &q);
}

/* --- frames ----------------------------------------------------------------------------------- */

static void on_ack(struct sim_device *d)
{
	struct sim_link *l = &d->link;
	enum sim_next next = l->next;

	if (!l->ack_due)
		return;
	l->ack_due = false;
	l->next = SIM_NEXT_NOTHING;
	switch (next) {
	case SIM_NEXT_NOTHING:
		break;
	case SIM_NEXT_RECEIVE:
		receive_or_end(d);
		break;
	case SIM_NEXT_SEND:
		l->phase = SIM_PHASE_OUT;
		send_data(d);
		break;
	case SIM_NEXT_FINAL:
		send_final(d, d->op.final);
		break;
	case SIM_NEXT_RESET:
		sim_device_reset(d);
		break;
	case SIM_NEXT_JUMP:
		d->mode = SIM_MODE_APPLICATION;
		snprintf(d->boot, sizeof d->boot, "application");
		d->changed = true;
		break;
	}
}

static void on_short(struct sim_device *d, enum mboot_frame_type type)
{
	struct sim_link *l = &d->link;

	switch (type) {
	case MBOOT_FRAME_ACK:
		on_ack(d);
		break;
	case MBOOT_FRAME_NAK:
		if (l->ack_due) {
			struct sim_out *o = out_slot(l);
			*o = l->sent;
		}
		break;
	case MBOOT_FRAME_ABORT:
		if (l->ack_due && l->phase == SIM_PHASE_OUT)
			send_final(d, MBOOT_STATUS_ABORT_DATA_PHASE);
		else
			on_ack(d);
		break;
	case MBOOT_FRAME_PING:
		/* Where an ACK is due, a ping is that ACK's replacement for a reset or a jump only:
		 * those have been promised. */
		if (l->ack_due && (l->next == SIM_NEXT_RESET || l->next == SIM_NEXT_JUMP))
			on_ack(d);
		else
			end_phase(d);
		if (d->mode == SIM_MODE_ISP)
			send_ping_response(&d->link);
		break;
	case MBOOT_FRAME_COMMAND:
	case MBOOT_FRAME_DATA:
	case MBOOT_FRAME_PING_RESPONSE:
		break;
	}
}

/* A COMMAND or DATA frame is complete. */
static void on_frame(struct sim_device *d)
{
	struct sim_link *l = &d->link;
	bool too_long = l->skipping;
	uint32_t n = l->want;
	uint8_t type = l->head[1];

	l->n_head = l->want = l->have = 0;
	l->skipping = false;
	/* An ACK that got lost (SPSDK empties the line before it writes) is taken as given. */
	if (l->ack_due) {
		on_ack(d);
		if (d->mode != SIM_MODE_ISP || d->silent_until_us > d->now_us)
			return;
		/* What that ACK sets off must not go out before the host's frame is dealt with: a
		 * host that sends a command no longer waits for it. */
		if (l->n_out && type == MBOOT_FRAME_COMMAND)
			l->n_out = 0;
	}
	if (too_long) {
		if (l->phase == SIM_PHASE_IN) {
			send_short(l, MBOOT_FRAME_ABORT);
			sim_command_cancel(d, MBOOT_STATUS_ABORT_DATA_PHASE);
			send_final(d, MBOOT_STATUS_ABORT_DATA_PHASE);
		} else
			send_short(l, MBOOT_FRAME_NAK);
		return;
	}
	uint16_t crc = crc16_xmodem(crc16_xmodem(0, l->head, 4), l->payload, n);
	if (crc != get_le16(l->head + 4)) {
		send_short(l, MBOOT_FRAME_NAK);
		return;
	}
	if (type == MBOOT_FRAME_COMMAND)
		on_command(d, l->payload, n);
	else
		on_data(d, l->payload, n);
}

/* The longest payload taken. Commands may be longer than small data packets. */
static uint32_t frame_limit(const struct sim_link *l)
{
	const uint32_t command = MBOOT_PACKET_HEADER + 4 * MBOOT_MAX_PARAMS;

	return l->head[1] == MBOOT_FRAME_COMMAND && l->max_packet < command ? command
									    : l->max_packet;
}

static void on_head_byte(struct sim_device *d, uint8_t c)
{
	struct sim_link *l = &d->link;

	if (l->n_head == 0 && c != MBOOT_START)
		return;
	l->head[l->n_head++] = c;
	if (l->n_head == 2) {
		switch ((enum mboot_frame_type)c) {
		case MBOOT_FRAME_ACK:
		case MBOOT_FRAME_NAK:
		case MBOOT_FRAME_ABORT:
		case MBOOT_FRAME_PING:
			l->n_head = 0;
			on_short(d, c);
			break;
		case MBOOT_FRAME_COMMAND:
		case MBOOT_FRAME_DATA:
			break;
		case MBOOT_FRAME_PING_RESPONSE:
		default: /* not a device's business: both bytes go, a start byte stays */
			l->n_head = c == MBOOT_START ? 1 : 0;
			break;
		}
	} else if (l->n_head == MBOOT_FRAME_HEADER) {
		l->want = get_le16(l->head + 2);
		l->have = 0;
		l->skipping = l->want > frame_limit(l);
		if (l->want == 0)
			on_frame(d);
	}
}

size_t sim_link_feed(struct sim_device *d, const uint8_t *data, size_t len)
{
	struct sim_link *l = &d->link;
	size_t used = 0;

	while (used < len && l->n_out == 0 && d->mode == SIM_MODE_ISP &&
		d->silent_until_us <= d->now_us) {
		if (l->n_head < MBOOT_FRAME_HEADER) {
			on_head_byte(d, data[used++]);
		} else {
			size_t n = l->want - l->have < len - used ? l->want - l->have : len - used;
			if (!l->skipping)
				memcpy(l->payload + l->have, data + used, n);
			l->have += (uint32_t)n;
			used += n;
			if (l->have == l->want)
				on_frame(d);
		}
	}
	l->last_byte_us = d->now_us;
	return used;
}

size_t sim_link_wants(const struct sim_link *l)
{
	if (l->n_head < 2)
		return 2 - l->n_head;
	if (l->n_head < MBOOT_FRAME_HEADER)
		return MBOOT_FRAME_HEADER - l->n_head;
	return l->want - l->have;
}

uint64_t sim_link_deadline(const struct sim_link *l)
{
	if (l->n_head)
		return l->last_byte_us + SIM_FRAME_TIMEOUT_US;
	if (l->ack_due && l->next == SIM_NEXT_RESET)
		return l->ack_since_us + SIM_ACK_TIMEOUT_US;
	return UINT64_MAX;
}

void sim_link_tick(struct sim_device *d)
{
	struct sim_link *l = &d->link;

	if (d->now_us < sim_link_deadline(l))
		return;
	if (l->n_head) {
		bool real = l->n_head >= 2;
		l->n_head = l->want = l->have = 0;
		l->skipping = false;
		if (real)
			send_short(l, MBOOT_FRAME_NAK);
	} else
		on_ack(d);
}

const struct sim_out *sim_link_front(const struct sim_link *l)
{
	return l->n_out ? &l->out[0] : NULL;
}

void sim_link_pop(struct sim_link *l)
{
	if (l->n_out == 0)
		return;
	l->n_out--;
	memmove(l->out, l->out + 1, l->n_out * sizeof l->out[0]);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/text.h"
#include "mboot/command.h"
#include "mboot/frame.h"
#include "pkg_support.h"
#include "runner_support.h"

struct pkg *rs_package(const char *script, bool attest)
{
	struct pk p = { 0 };
	struct pkg *out = NULL;
	struct err e = { 0 };
	struct trust t = pk_trust(1, "alice", NULL);

	pk_default(&p);
	pk_text(pk_file(&p, "scripts/program.blhost"), script);
	pk_list(&p);
	json_object_set_new(
		json_object_get(p.manifest, "policy"), "require_attestation", json_boolean(attest));
	json_object_set_new(json_object_get(p.manifest, "policy"), "erase_first", json_false());
	pk_seal(&p);
	pk_sign(&p, "alice");
	pk_pack(&p);
	if (pkg_open_bytes(
		    &out, "test", p.out.p, p.out.len, &t, &(struct pkg_expect){ 0 }, NULL, &e) != 0)
		fail_msg("%s", e.msg);
	pk_clear(&p);
	return out;
}

/* --- wire -------------------------------------------------------------------------------- */
static void answer(struct rs_wire *w, const uint8_t *p, size_t n)
{
	assert_true(w->own_len + n <= sizeof w->own);
	memcpy(w->own + w->own_len, p, n);
	w->own_len += n;
}

static void refuse(struct rs_wire *w, unsigned tag)
{
	uint8_t packet[12] = { MBOOT_RSP_GENERIC, 0, 0, 2 }, frame[32], ack[2];

	put_le32(packet + 4, w->refuse_status);
	put_le32(packet + 8, tag);
	answer(w, ack, mboot_frame_short(ack, MBOOT_FRAME_ACK));
	answer(w, frame, mboot_frame_encode(frame, MBOOT_FRAME_COMMAND, packet, sizeof packet));
}

static void other_uuid(struct rs_wire *w)
{
	uint8_t packet[24] = { MBOOT_RSP_GET_PROPERTY, 0, 0, 5 }, frame[40], ack[2];

	memset(packet + 8, 0x77, 16);
	answer(w, ack, mboot_frame_short(ack, MBOOT_FRAME_ACK));
	answer(w, frame, mboot_frame_encode(frame, MBOOT_FRAME_COMMAND, packet, sizeof packet));
}

static int closed(struct err *e)
{
	return err_set(e, ERR_DEVICE, "wire: port closed");
}

static int wire_write(void *ctx, const uint8_t *p, size_t len, int timeout_ms, struct err *e)
{
	struct rs_wire *w = ctx;

	w->bytes += len;
	if (w->closed)
		return closed(e);
	if (w->muted || (w->needs_isp && !w->in_isp))
		return 0;
	if (p[1] == MBOOT_FRAME_PING && w->close_after_reset && w->sent[MBOOT_CMD_RESET]) {
		w->close_after_reset = false;
		w->closed = true;
		return closed(e);
	}
	if (len >= MBOOT_FRAME_HEADER + MBOOT_PACKET_HEADER && p[1] == MBOOT_FRAME_COMMAND) {
		unsigned tag = p[MBOOT_FRAME_HEADER] & 0x3F, at = ++w->sent[tag];
		if (w->on_command)
			w->on_command(w, tag);
		if (tag == w->close_tag && at == w->close_at) {
			w->closed = true;
			return closed(e);
		}
		if (tag == w->mute_tag && at == w->mute_at) {
			w->muted = true;
			return 0;
		}
		if (tag == w->refuse_tag && at == w->refuse_at) {
			refuse(w, tag);
			return 0;
		}
		if (tag == MBOOT_CMD_RESET)
			w->in_isp = false; /* it starts its application */
		if (tag == MBOOT_CMD_GET_PROPERTY &&
			get_le32(p + MBOOT_FRAME_HEADER + 4) == MBOOT_PROP_UNIQUE_DEVICE_ID &&
			++w->uuids >= w->swap_at && w->swap_at) {
			other_uuid(w);
			return 0;
		}
	}
	return w->inner.write(w->inner.ctx, p, len, timeout_ms, e);
}

static int wire_line(void *ctx, enum mboot_line line, bool on, struct err *e)
{
	struct rs_wire *w = ctx;
	bool active = on != w->wired.invert;

	(void)e;
	assert_true(w->n_lines < 32);
	w->line_ms[w->n_lines++] = clock_mono_ms();
	snprintf(w->lines + strlen(w->lines), sizeof w->lines - strlen(w->lines), "%s %s\n",
		line == MBOOT_LINE_DTR ? "DTR" : "RTS", on ? "on" : "off");
	if (line == w->wired.isp)
		w->isp_on = active;
	if (line == w->wired.reset) {
		if (w->reset_on && !active)
			w->in_isp = w->isp_on;
		w->reset_on = active;
	}
	return 0;
}

static int wire_read(
	void *ctx, uint8_t *buf, size_t cap, int timeout_ms, size_t *got, struct err *e)
{
	struct rs_wire *w = ctx;

	if (w->closed)
		return closed(e);
	if (w->own_off < w->own_len) {
		*got = w->own_len - w->own_off < cap ? w->own_len - w->own_off : cap;
		memcpy(buf, w->own + w->own_off, *got);
		w->own_off += *got;
		if (w->own_off == w->own_len)
			w->own_off = w->own_len = 0;
		return 0;
	}
	if (w->inner.read(w->inner.ctx, buf, cap, timeout_ms, got, e) != 0)
		return -1;
	if (*got == 0 && timeout_ms > 0) { /* time passes, as on a line */
		struct timespec t = { .tv_nsec = 1000000L };
		nanosleep(&t, NULL);
	}
	return 0;
}

static void wire_close(void *ctx)
{
	(void)ctx;
}

static int wire_set_baud(void *ctx, uint32_t baud, struct err *e)
{
	struct rs_wire *w = ctx;

	if (w->refuse_above && baud > w->refuse_above)
		return err_set(e, ERR_USAGE, "wire: the adapter refuses %u baud", baud);
	w->muted = w->deaf_above && baud > w->deaf_above;
	return 0;
}

static int wire_open(void *ctx, uint32_t baud, struct mboot_io *out, struct err *e)
{
	struct rs_wire *w = ctx;

	w->opens++;
	if (w->refuse_above && baud > w->refuse_above)
		return err_set(e, ERR_USAGE, "wire: the adapter refuses %u baud", baud);
	w->muted = w->deaf_above && baud > w->deaf_above;
	if (w->closed && w->closed_opens > 0) {
		w->closed_opens--;
		return closed(e);
	}
	w->closed = false;
	w->own_len = w->own_off = 0;
	*out = (struct mboot_io){ .read = wire_read,
		.write = wire_write,
		.set_baud = wire_set_baud,
		.set_line = w->wired.reset ? wire_line : NULL,
		.close = wire_close,
		.ctx = w };
	return dry_open(w->dry, &w->inner, e);
}

/* --- journal ----------------------------------------------------------------------------- */
static void remember(struct rs_rig *r, const char *fmt, ...) PRINTF_LIKE(2);
static void remember(struct rs_rig *r, const char *fmt, ...)
{
	va_list ap;

	assert_true(r->n < RS_LINES);
	va_start(ap, fmt);
	vsnprintf(r->line[r->n++], sizeof r->line[0], fmt, ap);
	va_end(ap);
	r->seq++;
}

static int note_begin(
	void *ctx, const struct device_facts *f, struct begin_answer *out, struct err *e)
{
	struct rs_rig *r = ctx;

	(void)e;
	*out = r->begin;
	out->begin = r->seq;
	if (out->verdict == BEGIN_GO)
		remember(r, "begin %s %s", f->family, f->lifecycle);
	return 0;
}

static int note_intent(
	void *ctx, const struct intent_facts *f, struct intent_answer *out, struct err *e)
{
	struct rs_rig *r = ctx;

	if (r->fail_intent)
		return err_set(e, ERR_ENV, "disk full");
	out->seq = r->seq;
	memset(out->challenge, 0x5A, sizeof out->challenge);
	remember(r, "intent %zu %s", f->step, f->attestation ? "attestation" : "irreversible");
	return 0;
}

static int note_step(void *ctx, const struct step_facts *f, struct err *e)
{
	static const char *const words[] = { "ok", "failed", "skipped" };
	struct rs_rig *r = ctx;

	(void)e;
	remember(r, "step %zu %s%s status %u try %u", f->step, words[f->outcome],
		f->intent >= 0 ? " announced" : "", f->status, f->tries);
	return 0;
}

static int note_attestation(
	void *ctx, const struct attestation_facts *f, uint64_t *seq, struct err *e)
{
	static const char *const words[] = { "ok", "refused", "invalid" };
	struct rs_rig *r = ctx;

	(void)e;
	*seq = r->seq;
	remember(r, "attestation %s %u", words[f->outcome], f->status);
	return 0;
}

static int note_end(void *ctx, const struct end_facts *f, struct err *e)
{
	struct rs_rig *r = ctx;

	(void)e;
	remember(r, "end %s %s %s %s", device_result_name(f->result), fault_id(f->fault),
		f->irreversible ? "irreversible" : "-", f->lifecycle ? f->lifecycle : "-");
	return 0;
}

static int note_operator(void *ctx, const char *action, const char *text, struct err *e)
{
	(void)e;
	remember(ctx, "operator %s %s", action, text);
	return 0;
}

/* --- rig --------------------------------------------------------------------------------- */
void rs_open(struct rs_rig *r, const char *script, bool attest)
{
	memset(r, 0, sizeof *r);
	r->pkg = rs_package(script, attest);
	assert_int_equal(dry_new(&r->wire.dry, r->pkg, NULL), 0);
	assert_int_equal(queue_new(&r->screen.queue, 4096, sizeof(struct event), NULL), 0);
	assert_int_equal(prompts_new(&r->prompts, 1, NULL), 0);
	brake_init(&r->brake);
	r->job = (struct device_job){
		.pkg = r->pkg, .bauds = { 115200 }, .n_bauds = 1, .reset_ms = 1, .ready_ms = 400
	};
	r->place = (struct device_place){
		.slot = "A1", .port = "wire", .pty = true, .open = wire_open, .ctx = &r->wire
	};
	r->journal = (struct journal){ note_begin, note_intent, note_step, note_attestation,
		note_end, note_operator, r };
	r->link = (struct device_link){ .job = &r->job,
		.place = &r->place,
		.journal = &r->journal,
		.screen = &r->screen,
		.prompts = r->prompts,
		.brake = &r->brake };
	r->begin.attempt = 1;
}

enum device_outcome rs_run(struct rs_rig *r)
{
	struct err e = { 0 };

	if (device_connect(&r->link, &e) != 0)
		fail_msg("%s", e.msg);
	return device_run(&r->link, &r->fault, &r->verdict);
}

void rs_close(struct rs_rig *r)
{
	struct event ev;

	device_disconnect(&r->link);
	while (queue_pop(r->screen.queue, &ev, 0))
		json_decref(ev.json);
	queue_free(r->screen.queue);
	prompts_free(r->prompts);
	brake_clear(&r->brake);
	dry_free(r->wire.dry);
	pkg_free(r->pkg);
}

const char *rs_lines(struct rs_rig *r)
{
	static char text[RS_LINES * 160];

	text[0] = 0;
	for (size_t i = 0; i < r->n; i++)
		snprintf(text + strlen(text), sizeof text - strlen(text), "%s\n", r->line[i]);
	return text;
}

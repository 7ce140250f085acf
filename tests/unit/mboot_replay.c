#include "mboot_replay.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

static void die(const char *path, const char *what)
{
	fprintf(stderr, "%s: %s\n", path, what);
	abort();
}

void replay_append(struct replay *r, bool to_device, const void *bytes, size_t len)
{
	if (r->n == REPLAY_MAX_LINES)
		die("replay", "too many lines");
	uint8_t *copy = malloc(len ? len : 1);
	memcpy(copy, bytes, len);
	r->line[r->n++] = (struct replay_line){ to_device, copy, len };
}

static bool is_short(const struct replay_line *l, uint8_t type)
{
	return l->len == 2 && l->bytes[1] == type;
}

static bool asks_property_11(const uint8_t *p, size_t len)
{
	return len == 18 && p[1] == 0xA4 && p[6] == 0x07 && p[10] == 11;
}

void replay_load(struct replay *r, const char *path, bool keep_property_11)
{
	char text[20000];
	FILE *f = fopen(path, "r");

	if (!f)
		die(path, "cannot open");
	while (fgets(text, sizeof text, f)) {
		json_t *j = json_loads(text, 0, NULL);
		const char *dir = json_string_value(json_object_get(j, "dir"));
		const char *hex = json_string_value(json_object_get(j, "hex"));
		if (!dir || !hex)
			die(path, "bad line");
		size_t len = strlen(hex) / 2;
		uint8_t bytes[8192];
		if (len > sizeof bytes || hex_decode(bytes, len, hex) != 0)
			die(path, "bad hex");
		replay_append(r, strcmp(dir, "h2d") == 0, bytes, len);
		json_decref(j);
	}
	fclose(f);

	/* Leave out what is the host's own affair. */
	size_t kept = 0;
	int skip = 0; /* lines of a property 11 exchange still to come */
	for (size_t i = 0; i < r->n; i++) {
		struct replay_line *l = &r->line[i];
		bool drop = skip > 0 || is_short(l, 0xA6) ||
			    (l->len == 10 && l->bytes[1] == 0xA7) ||
			    (r->loose_acks && l->to_device && is_short(l, 0xA1));
		if (skip > 0)
			skip--;
		if (!drop && !keep_property_11 && l->to_device &&
			asks_property_11(l->bytes, l->len)) {
			drop = true;
			skip = r->loose_acks ? 2 : 3;
			/* with loose ACKs: ACK, response [, ACK dropped by the rule above] */
			if (r->loose_acks && i + 3 < r->n && is_short(&r->line[i + 3], 0xA1))
				skip = 3;
		}
		if (drop)
			free(l->bytes);
		else
			r->line[kept++] = *l;
	}
	r->n = kept;
}

void replay_clear(struct replay *r)
{
	for (size_t i = 0; i < r->n; i++)
		free(r->line[i].bytes);
	*r = (struct replay){ 0 };
}

static void differ(struct replay *r, const char *what, const uint8_t *seen, size_t len)
{
	char a[200] = "nothing", b[200];

	if (r->mismatch[0])
		return;
	if (r->at < r->n)
		hex_encode(
			a, r->line[r->at].bytes, r->line[r->at].len < 90 ? r->line[r->at].len : 90);
	hex_encode(b, seen, len < 90 ? len : 90);
	snprintf(r->mismatch, sizeof r->mismatch, "line %zu: %s: host sent %s, want %s", r->at,
		what, b, a);
}

static void answer(struct replay *r, const void *bytes, size_t len)
{
	if (r->extra_len + len <= sizeof r->extra) {
		memcpy(r->extra + r->extra_len, bytes, len);
		r->extra_len += len;
	}
}

static int replay_write(void *ctx, const uint8_t *p, size_t len, int timeout_ms, struct err *e)
{
	struct replay *r = ctx;
	(void)timeout_ms;
	(void)e;
	struct replay_line *want = r->at < r->n ? &r->line[r->at] : NULL;

	if (len == 2 && p[1] == 0xA6) {
		static const uint8_t pong[] = { 0x5a, 0xa7, 0, 3, 1, 0x50, 0, 0, 0xfb, 0x40 };
		r->pings++;
		answer(r, pong, sizeof pong);
		return 0;
	}
	if (len == 2 && p[1] == 0xA1) {
		r->acks++;
		if (r->acks_to_swallow) {
			r->acks_to_swallow--;
			return 0;
		}
		if (r->loose_acks)
			return 0;
	}
	if (len == 2 && p[1] == 0xA2)
		r->naks++;
	bool same = want && want->to_device && r->sent == 0 && want->len == len &&
		    memcmp(want->bytes, p, len) == 0;
	if (!same && asks_property_11(p, len)) {
		uint8_t frame[18], body[12] = { 0xA7, 0, 0, 2 };
		put_le32(body + 8, r->max_packet);
		answer(r, "\x5a\xa1", 2);
		answer(r, frame, mboot_frame_encode(frame, MBOOT_FRAME_COMMAND, body, sizeof body));
		r->acks_to_swallow++;
		return 0;
	}
	if (!same) {
		differ(r, want && !want->to_device ? "host did not wait" : "frame differs", p, len);
		return 0;
	}
	r->at++;
	return 0;
}

static int replay_read(
	void *ctx, uint8_t *buf, size_t cap, int timeout_ms, size_t *got, struct err *e)
{
	struct replay *r = ctx;
	(void)e;

	*got = 0;
	if (r->extra_len) {
		size_t n = r->extra_len < cap ? r->extra_len : cap;
		memcpy(buf, r->extra, n);
		memmove(r->extra, r->extra + n, r->extra_len - n);
		r->extra_len -= n;
		*got = n;
		return 0;
	}
	if (r->at == r->n || r->line[r->at].to_device || r->mismatch[0]) {
		r->now += timeout_ms > 0 ? timeout_ms : 1;
		return 0;
	}
	struct replay_line *l = &r->line[r->at];
	size_t n = l->len - r->sent < cap ? l->len - r->sent : cap;
	memcpy(buf, l->bytes + r->sent, n);
	r->sent += n;
	*got = n;
	if (r->sent == l->len) {
		r->at++;
		r->sent = 0;
	}
	return 0;
}

static int64_t replay_now(void *ctx)
{
	return ((struct replay *)ctx)->now;
}

struct mboot_io replay_io(struct replay *r)
{
	return (struct mboot_io){ .read = replay_read, .write = replay_write, .ctx = r };
}

struct mboot_options replay_options(struct replay *r)
{
	return (struct mboot_options){ .now_ms = replay_now, .clock_ctx = r, .baud = 115200 };
}

bool replay_done(const struct replay *r)
{
	return r->at == r->n && !r->mismatch[0];
}

/* --- canned bytes ------------------------------------------------------------------------- */

static int canned_write(void *ctx, const uint8_t *p, size_t len, int timeout_ms, struct err *e)
{
	struct canned *c = ctx;
	(void)timeout_ms;
	(void)e;

	wr_bytes(&c->written, p, len);
	if (c->at < c->n)
		c->at++;
	c->sent = 0;
	c->due = c->at < c->n ? c->now + c->chunks[c->at].delay_ms : INT64_MAX;
	return 0;
}

static int canned_read(
	void *ctx, uint8_t *buf, size_t cap, int timeout_ms, size_t *got, struct err *e)
{
	struct canned *c = ctx;

	*got = 0;
	const char *hex = c->at < c->n && c->chunks[c->at].hex ? c->chunks[c->at].hex : "";
	size_t len = strlen(hex) / 2;
	if (c->sent < len && c->due <= c->now + timeout_ms) {
		size_t n = len - c->sent < cap ? len - c->sent : cap;
		if (c->now < c->due)
			c->now = c->due;
		if (hex_decode_n(buf, n, hex + 2 * c->sent, 2 * n) != 0)
			die("canned", "bad hex");
		c->sent += n;
		*got = n;
		return 0;
	}
	if (c->gone && c->at + 1 >= c->n && c->sent == len)
		return err_set(e, ERR_DEVICE, "port closed");
	c->now += timeout_ms > 0 ? timeout_ms : 1;
	return 0;
}

static int64_t canned_now(void *ctx)
{
	return ((struct canned *)ctx)->now;
}

struct mboot_io canned_io(struct canned *c)
{
	return (struct mboot_io){ .read = canned_read, .write = canned_write, .ctx = c };
}

struct mboot_options canned_options(struct canned *c)
{
	return (struct mboot_options){ .now_ms = canned_now, .clock_ctx = c, .baud = 115200 };
}

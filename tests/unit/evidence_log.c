#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/fsio.h"
#include "base/text.h"
#include "evidence_forge.h"
#include "evidence_log.h"
#include "evidence_support.h"
#include "keyed/minisign_key.h"

#define ORIGIN	"acme.example/mfgpkg/order/2026-0042"
#define STATION "line3.plant4.example"

static int test_clock(void *ctx, struct leaf_clock *out, struct err *e)
{
	struct ev_log *t = ctx;

	(void)e;
	t->now.wall_ms += 10;
	t->now.boot_ms += 10;
	*out = t->now;
	return 0;
}

static void make_order(struct ev_log *t, const char *epoch0)
{
	AUTO(minisign_key_freep) struct minisign_key *k = NULL;
	AUTO(buf_clear) struct buf key = ev_file("minisign/keys/alice.key");
	AUTO(buf_clear) struct buf station = { 0 };
	AUTO(buf_clear) struct buf sig = { 0 };
	struct err e;

	assert_int_equal(minisign_key_parse(&k, "alice", key.p, key.len, NULL, 0, &e), 0);
	t->oem = *minisign_key_pub(k);
	assert_int_equal(log_key_vkey(t->station, STATION, &station, &e), 0);
	wr_printf(&t->order,
		"{\"type\":\"mfgpkg-order\",\"format\":1,\"order\":\"2026-0042\",\"customer\":\"PO "
		"4711\",\"origin\":\"" ORIGIN "\",\"package\":\"" EV_PACKAGE
		"\",\"package_id\":\"" EV_PACKAGE_ID
		"\",\"product\":\"acme-thermostat\",\"sequence\":7,\"quantity\":%d,\"not_before\":"
		"\"2026-11-20T00:00:00Z\",\"not_after\":\"2026-12-31T23:59:59Z\",\"station\":{"
		"\"name\":\"" STATION "\",\"key\":\"%s\"},\"epoch0\":\"%s\"%s}\n",
		t->quantity ? t->quantity : 100, buf_text(&station), epoch0,
		t->more ? t->more : "");
	assert_int_equal(minisign_key_sign(k, t->order.p, t->order.len, "order", &sig, &e), 0);
	t->order_sig = strdup(buf_text(&sig));
	t->sigs[0] = t->order_sig;
	t->open.order = t->order.p;
	t->open.order_len = t->order.len;
	t->open.order_sigs = t->sigs;
	t->open.n_order_sigs = 1;
}

void ev_log_prepare(struct ev_log *t, const char *name, enum leaf_role role)
{
	AUTO(log_key_freep) struct log_key *epoch = NULL;
	AUTO(buf_clear) struct buf epoch0 = { 0 };
	struct err e;
	int quantity = t->quantity;
	const char *more = t->more;

	memset(t, 0, sizeof *t);
	t->quantity = quantity;
	t->more = more;
	snprintf(t->dir, sizeof t->dir, "%s", ev_path("%s", name));
	snprintf(t->path, sizeof t->path, "%s/log.db", t->dir);
	assert_int_equal(ev_run("rm -rf %s", t->dir), 0);
	assert_int_equal(fsio_mkdirs(t->dir, 0700, &e), 0);
	t->now = (struct leaf_clock){ .wall_ms = 1795248000000, .boot_ms = 8123456 };
	strcpy(t->now.boot_id, "0f0e6d2c-5a5b-4b8f-9d7e-3c1f2a4b5c6d");
	assert_int_equal(log_key_generate(&t->station, &e), 0);
	t->open = (struct log_open){ .path = t->path,
		.epoch_dir = t->dir,
		.role = role,
		.origin = role == ROLE_ORDER	   ? ORIGIN
			  : role == ROLE_WORKSPACE ? "acme.example/mfgpkg/workspace/blinky"
						   : "unordered.invalid/" STATION
						     "/00112233445566778899aabbccddeeff",
		.station = t->station,
		.station_name = STATION,
		.version = "0.1.0",
		.clock = test_clock,
		.clock_ctx = t };
	if (role != ROLE_ORDER)
		return;
	assert_int_equal(log_key_generate(&epoch, &e), 0);
	assert_int_equal(log_key_save(epoch, ev_path("%s/epoch-0.key", name), &e), 0);
	assert_int_equal(log_key_vkey(epoch, ORIGIN, &epoch0, &e), 0);
	make_order(t, buf_text(&epoch0));
}

void ev_log_start(struct ev_log *t, const char *name, enum leaf_role role)
{
	struct err e = { 0 };

	ev_log_prepare(t, name, role);
	if (log_create(&t->log, &t->open, &e) != 0)
		fail_msg("%s", e.msg);
}

uint64_t ev_log_add(struct ev_log *t, const char *kind, json_t *members)
{
	uint64_t seq = 0;
	struct err e = { 0 };

	if (log_append(t->log, kind, members, &seq, &e) != 0)
		fail_msg("%s: %s", kind, e.msg);
	return seq;
}

static void commit(struct ev_log *t)
{
	struct err e = { 0 };

	if (log_commit(t->log, &e) != 0)
		fail_msg("%s", e.msg);
}

void ev_log_package(struct ev_log *t)
{
	char id[17];

	ev_log_add(t, "package",
		json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:[s], s:n}", "result",
			"accepted", "file", "demo.mfgpkg", "container",
			"1111111111111111111111111111111111111111111111111111111111111111",
			"package", EV_PACKAGE, "package_id", EV_PACKAGE_ID, "product",
			"acme-thermostat", "release", "1.4.2", "sequence", 7, "signers",
			minisign_id_hex(id, t->oem.id), "reason"));
	commit(t);
}

char *ev_uuid(unsigned n, char out[33])
{
	snprintf(out, 33, "%08x5566778899aabbcc%08x", n, n);
	return out;
}

uint64_t ev_log_begin(struct ev_log *t, unsigned uuid, int attempt)
{
	char text[33];

	t->begin = ev_log_add(t, "device-begin",
		json_pack("{s:i, s:s, s:i, s:s, s:s, s:s, s:s, s:s, s:n}", "device",
			(int)t->device++, "uuid", ev_uuid(uuid, text), "attempt", attempt, "slot",
			"A1", "port", "pci-0000:00:14.0-usb-0:2:1.0", "family", "mcxn947",
			"revision", "a1", "lifecycle", "blank", "resumes"));
	return t->begin;
}

static void provision(struct ev_log *t, const char *text, bool pass)
{
	uint64_t intent = ev_log_add(t, "intent",
		json_pack("{s:I, s:s, s:i, s:s, s:s, s:s}", "begin", (json_int_t)t->begin, "uuid",
			text, "step", 0, "stage", "provision", "command",
			"receive-sb-file sb/provisioning.sb3", "why", "irreversible"));
	commit(t);
	ev_log_add(t, "step",
		json_pack("{s:I, s:s, s:i, s:s, s:s, s:I, s:s, s:i, s:i, s:i, s:i}", "begin",
			(json_int_t)t->begin, "uuid", text, "step", 0, "stage", "provision",
			"command", "receive-sb-file sb/provisioning.sb3", "intent",
			(json_int_t)intent, "result", pass ? "ok" : "failed", "status",
			pass ? 0 : 10101, "tries", 1, "ms", 1311, "bytes", 6416));
}

static void end(struct ev_log *t, const char *text, bool pass, int64_t attestation)
{
	ev_log_add(t, "device-end",
		json_pack("{s:I, s:s, s:s, s:o, s:b, s:s, s:o, s:i}", "begin", (json_int_t)t->begin,
			"uuid", text, "result", pass ? "pass" : "fail", "reason",
			pass ? json_null() : json_string("10101 RomLdrSignature"), "irreversible",
			1, "lifecycle", "in-field", "attestation",
			attestation < 0 ? json_null() : json_integer(attestation), "ms", 4127));
	commit(t);
}

void ev_log_device(struct ev_log *t, unsigned uuid, bool pass)
{
	char text[33];

	ev_log_begin(t, uuid, 1);
	provision(t, ev_uuid(uuid, text), pass);
	end(t, text, pass, -1);
}

static int64_t attest(struct ev_log *t, unsigned uuid, unsigned die, unsigned ca)
{
	char text[33], response[440], hex[65];
	uint8_t id[16], package_id[16], challenge[32];
	struct err e = { 0 };

	assert_int_equal(hex_decode(id, 16, ev_uuid(uuid, text)), 0);
	assert_int_equal(hex_decode(package_id, 16, "5a0f3a526c1e4e0e9d0c2b7f5d1c9a11"), 0);
	uint64_t intent = ev_log_add(t, "intent",
		json_pack("{s:I, s:s, s:i, s:s, s:s, s:s}", "begin", (json_int_t)t->begin, "uuid",
			text, "step", 1, "stage", "attest", "command", "dice-attest", "why",
			"attestation"));
	commit(t);
	assert_int_equal(log_dice_challenge(t->log, intent + 1, package_id, challenge, &e), 0);
	forge_response(response, id, challenge, die, ca);
	return (int64_t)ev_log_add(t, "attestation",
		json_pack("{s:I, s:s, s:I, s:I, s:s, s:s, s:i, s:s}", "begin", (json_int_t)t->begin,
			"uuid", text, "intent", (json_int_t)intent, "size", (json_int_t)intent + 1,
			"challenge", hex_encode(hex, challenge, 32), "result", "ok", "status", 0,
			"response", response));
}

void ev_log_attest(struct ev_log *t, unsigned uuid, unsigned die, unsigned ca)
{
	attest(t, uuid, die, ca);
	commit(t);
}

void ev_log_attested(struct ev_log *t, unsigned uuid, unsigned die)
{
	char text[33];

	ev_log_begin(t, uuid, 1);
	provision(t, ev_uuid(uuid, text), true);
	end(t, text, true, attest(t, uuid, die, 0));
}

void ev_log_end(struct ev_log *t)
{
	log_freep(&t->log);
	log_key_freep(&t->station);
	buf_clear(&t->order);
	free(t->order_sig);
	t->order_sig = NULL;
}

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fsio.h"
#include "base/json.h"
#include "base/text.h"
#include "crypt/digest.h"
#include "evidence/dice.h"
#include "evidence/log.h"
#include "keyed/ecc_key.h"
#include "keyed/minisign_key.h"
#include "report_factory.h"

#define ORIGIN	   "acme.example/mfgpkg/order/2026-0107"
#define STATION	   "line3.plant4.example"
#define PACKAGE	   "e58f2ab8b7255fa6a1f533c7feb68a84767dc7da03c16bfda53f05c9d873f3b9"
#define PACKAGE_ID "5a0f3a52-6c1e-4e0e-9d0c-2b7f5d1c9a11"
#define PORTS_MAX  64
#define HOSTILE                                                                                    \
	"<script>alert(1)</script>\" onload='x' &amp; \xe2\x80\xae"                                \
	"txt \xc2\x85"

struct cosignature {
	uint64_t size;
	char line[400];
};

struct work {
	const struct factory_plan *plan;
	struct factory *out;
	struct log *log;
	struct log_key *station;
	struct ecc_key *ca;
	struct leaf_clock now;
	uint64_t seed;
	unsigned next_device, begun; /* UUIDs, begins */
	unsigned again[PORTS_MAX]; /* device to try again on this port + 1 */
	unsigned attempt[PORTS_MAX];
	struct cosignature cosigned[4];
	unsigned n_cosigned;
};

/* A device on a port while it is worked on. */
struct board {
	char uuid[33];
	uint64_t begin, intent;
	unsigned device, attempt;
	int64_t started;
	const char *fails; /* stage, NULL: passes */
	bool over, interrupted;
	int64_t attestation;
};

static unsigned dice(struct work *w, unsigned n)
{
	w->seed = w->seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(w->seed >> 33) % n;
}

static void wait_ms(struct work *w, unsigned ms)
{
	w->now.wall_ms += ms;
	w->now.boot_ms += ms;
}

static int clock_of(void *ctx, struct leaf_clock *out, struct err *e)
{
	struct work *w = ctx;

	(void)e;
	wait_ms(w, 1);
	*out = w->now;
	return 0;
}

/* --- order ------------------------------------------------------------------------------------ */

static int make_order(
	struct work *w, const char *epoch0, struct buf *order, struct buf *sig, struct err *e)
{
	AUTO(minisign_key_freep) struct minisign_key *k = NULL;
	AUTO(buf_clear) struct buf station = { 0 };
	char path[400], pub[MINISIGN_PUB_FILE_CAP];

	if (minisign_key_generate(&k, e) != 0 ||
		log_key_vkey(w->station, STATION, &station, e) != 0)
		return -1;
	w->out->oem = *minisign_key_pub(k);
	minisign_pub_write(&w->out->oem, pub);
	snprintf(path, sizeof path, "%s/oem.pub", w->plan->dir);
	if (fsio_write(path, pub, strlen(pub), 0644, e) != 0)
		return -1;
	wr_printf(order,
		"{\"type\":\"mfgpkg-order\",\"format\":1,\"order\":\"2026-0107\",\"customer\":\"%s"
		"\",\"origin\":\"" ORIGIN "\",\"package\":\"" PACKAGE "\",\"package_id\":"
		"\"" PACKAGE_ID "\",\"product\":\"acme-thermostat\",\"sequence\":7,"
		"\"quantity\":%u,\"not_before\":\"2026-11-20T00:00:00Z\",\"not_after\":"
		"\"2036-12-31T23:59:59Z\",\"station\":{\"name\":\"" STATION
		"\",\"key\":\"%s\"},\"epoch0\":\"%s\"}\n",
		w->plan->hostile ? "<img src=x onerror=alert(2)>" : "PO 4711 / ACME Heating",
		w->plan->devices, buf_text(&station), epoch0);
	return minisign_key_sign(k, order->p, order->len, "order 2026-0107", sig, e);
}

static int open_log(struct work *w, struct err *e)
{
	AUTO(log_key_freep) struct log_key *epoch = NULL;
	AUTO(buf_clear) struct buf epoch0 = { 0 };
	AUTO(buf_clear) struct buf order = { 0 };
	AUTO(buf_clear) struct buf sig = { 0 };
	char path[400];

	snprintf(path, sizeof path, "%s/epoch-0.key", w->plan->dir);
	if (log_key_generate(&w->station, e) != 0 || log_key_generate(&epoch, e) != 0 ||
		log_key_save(epoch, path, e) != 0 || log_key_vkey(epoch, ORIGIN, &epoch0, e) != 0 ||
		make_order(w, buf_text(&epoch0), &order, &sig, e) != 0)
		return -1;
	const char *sigs[] = { buf_text(&sig) };
	struct log_open o = { .path = w->out->log,
		.epoch_dir = w->plan->dir,
		.role = ROLE_ORDER,
		.origin = ORIGIN,
		.station = w->station,
		.station_name = STATION,
		.order = order.p,
		.order_len = order.len,
		.order_sigs = sigs,
		.n_order_sigs = 1,
		.version = "0.1.0",
		.clock = clock_of,
		.clock_ctx = w };
	return log_create(&w->log, &o, e);
}

static int open_again(struct work *w, struct err *e)
{
	struct log_open o = { .path = w->out->log,
		.epoch_dir = w->plan->dir,
		.role = ROLE_ORDER,
		.origin = ORIGIN,
		.station = w->station,
		.station_name = STATION,
		.version = "0.1.0",
		.clock = clock_of,
		.clock_ctx = w };

	log_freep(&w->log);
	return log_resume(&w->log, &o, e);
}

/* --- leaves ----------------------------------------------------------------------------------- */

static int add(struct work *w, const char *kind, json_t *members, uint64_t *seq, struct err *e)
{
	return log_append(w->log, kind, members, seq, e);
}

static int package(struct work *w, bool accepted, struct err *e)
{
	char id[17];

	minisign_id_hex(id, w->out->oem.id);
	return add(w, "package",
		json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:[s], s:o}", "result",
			accepted ? "accepted" : "refused", "file",
			accepted ? "thermostat-1.4.2.mfgpkg" : "thermostat-1.3.0.mfgpkg",
			"container",
			"1111111111111111111111111111111111111111111111111111111111111111",
			"package", PACKAGE, "package_id", PACKAGE_ID, "product", "acme-thermostat",
			"release", accepted ? "1.4.2" : "1.3.0", "sequence", accepted ? 7 : 6,
			"signers", id, "reason",
			accepted ? json_null()
				 : json_string("sequence 6 is below the order's floor of 7")),
		NULL, e);
}

static int operator_did(
	struct work *w, const char *action, const char *who, const char *text, struct err *e)
{
	return add(w, "operator",
		json_pack("{s:s, s:s, s:o}", "action", action, "operator", who, "text",
			text ? json_string(text) : json_null()),
		NULL, e);
}

static int begin(struct work *w, unsigned port, struct board *b, struct err *e)
{
	char slot[64], where[64];
	static const char *const fails[] = { "provision", "provision", "program", "program",
		"program", "attest", "verify" };

	*b = (struct board){ .attempt = 1, .attestation = -1 };
	if (w->again[port]) {
		b->device = w->again[port] - 1;
		b->attempt = ++w->attempt[port];
		w->again[port] = 0;
	} else {
		b->device = w->next_device++;
		w->attempt[port] = 1;
	}
	unsigned luck = dice(w, 100), limit = w->plan->fail_percent + (port == 2 ? 6 : 0);
	if (w->plan->fail_percent && luck < limit)
		b->fails = fails[dice(w, 7)];
	else if (luck < limit + w->plan->interrupt_percent)
		b->fails = "program", b->interrupted = true;
	snprintf(b->uuid, sizeof b->uuid, "%08x5566778899aabbcc%08x", b->device * 2654435761u,
		b->device);
	snprintf(slot, sizeof slot, w->plan->hostile && port == 1 ? "<b>\"%u'&" : "A%u", port + 1);
	snprintf(where, sizeof where, "pci-0000:00:14.0-usb-0:%u:1.0", port + 1);
	b->started = w->now.boot_ms;
	w->out->reworked += b->attempt == 2;
	w->out->begun++;
	return add(w, "device-begin",
		json_pack("{s:i, s:s, s:i, s:s, s:s, s:s, s:s, s:s, s:n}", "device",
			(int)w->begun++, "uuid", b->uuid, "attempt", (int)b->attempt, "slot", slot,
			"port", where, "family", "mcxn947", "revision", "a1", "lifecycle",
			b->attempt == 1 ? "blank" : "in-field", "resumes"),
		&b->begin, e);
}

static int intent(struct work *w, struct board *b, int step, const char *stage, const char *command,
	const char *why, struct err *e)
{
	return add(w, "intent",
		json_pack("{s:I, s:s, s:i, s:s, s:s, s:s}", "begin", (json_int_t)b->begin, "uuid",
			b->uuid, "step", step, "stage", stage, "command", command, "why", why),
		&b->intent, e);
}

static int step(struct work *w, struct board *b, int number, const char *stage, const char *command,
	bool answers, unsigned ms, int bytes, struct err *e)
{
	bool fails = b->fails && strcmp(b->fails, stage) == 0 && !b->interrupted;
	int status = strcmp(stage, "provision") == 0 ? 10101 : 10004;

	wait_ms(w, ms / (w->plan->ports ? w->plan->ports : 1));
	b->over = fails;
	return add(w, "step",
		json_pack("{s:I, s:s, s:i, s:s, s:s, s:o, s:s, s:i, s:i, s:i, s:i}", "begin",
			(json_int_t)b->begin, "uuid", b->uuid, "step", number, "stage", stage,
			"command", command, "intent",
			answers ? json_integer((json_int_t)b->intent) : json_null(), "result",
			fails ? "failed" : "ok", "status", fails ? status : 0, "tries",
			fails && dice(w, 2) ? 2 : 1, "ms", (int)ms, "bytes", bytes),
		NULL, e);
}

static int end(struct work *w, struct board *b, struct err *e)
{
	char reason[300] = "";
	bool late = b->attempt > 1;

	if (b->interrupted)
		strcpy(reason, "P02 port closed (the port vanished: unplugged or lost power)");
	else if (b->fails && w->plan->hostile)
		strcpy(reason, HOSTILE);
	else if (b->fails && strcmp(b->fails, "provision") == 0)
		strcpy(reason, "S04 10101 RomLdrSignature (the device refuses the signature)");
	else if (b->fails && strcmp(b->fails, "program") == 0)
		snprintf(reason, sizeof reason,
			"S02 no answer after %u bytes (the device stopped "
			"answering)",
			dice(w, 9000));
	else if (b->fails && strcmp(b->fails, "attest") == 0)
		strcpy(reason, "V04 status 10004 (the device gave no receipt, and the package "
			       "demands one)");
	else if (b->fails)
		strcpy(reason, "V03 word 0x01004000 is 0x00000000 (a check of the script does not "
			       "hold)");
	w->out->passed += !b->fails;
	w->out->failed += b->fails && !b->interrupted;
	w->out->interrupted += b->interrupted;
	/* Not every board that failed comes back, and none comes a fourth time. */
	unsigned port = (unsigned)(w->begun % (w->plan->ports ? w->plan->ports : 1));
	if (b->fails && b->attempt < 3 && dice(w, 4) && !w->again[port]) {
		w->again[port] = b->device + 1;
		w->attempt[port] = b->attempt;
	}
	return add(w, "device-end",
		json_pack("{s:I, s:s, s:s, s:o, s:b, s:s, s:o, s:i}", "begin", (json_int_t)b->begin,
			"uuid", b->uuid, "result",
			!b->fails	 ? "pass"
			: b->interrupted ? "interrupted"
					 : "fail",
			"reason", *reason ? json_string(reason) : json_null(), "irreversible",
			!late, "lifecycle", "in-field", "attestation",
			b->attestation < 0 ? json_null() : json_integer(b->attestation), "ms",
			(int)(w->now.boot_ms - b->started)),
		NULL, e);
}

/* --- receipts --------------------------------------------------------------------------------- */

static int receipt(struct work *w, const struct board *b, const uint8_t challenge[32],
	uint8_t out[DICE_RESPONSE_LEN], struct err *e)
{
	uint8_t scalar[32], message[69] = { 0x03, 0x00, 0x17, 0x41, 0x04 };
	struct ecc_key *die = NULL;

	/* The same die, the same key. */
	sha256_of(b->uuid, 32, scalar);
	if (ecc_key_from_scalar(&die, ECC_P256, scalar, e) != 0)
		return -1;
	memset(out, 0x5a, 80);
	memcpy(out + 80, ecc_key_pub(die)->xy, 64);
	memcpy(message + 5, out + 80, 64);
	int rc = ecc_key_sign(w->ca, message, sizeof message, out + 144, e);
	if (rc == 0)
		rc = hex_decode(out + 208, 16, b->uuid);
	put_be32(out + 224, 1);
	memcpy(out + 228, challenge, 32);
	if (rc == 0)
		rc = ecc_key_sign(die, out, 260, out + 260, e);
	ecc_key_free(die);
	return rc;
}

static int attest(struct work *w, struct board *b, struct err *e)
{
	uint8_t id[16], challenge[32], response[DICE_RESPONSE_LEN];
	char hex[65], text[BASE64_LEN(DICE_RESPONSE_LEN) + 1];
	bool fails = b->fails && strcmp(b->fails, "attest") == 0;
	bool ok = w->plan->receipts && !fails;
	uint64_t seq;

	if (hex_decode(id, 16, "5a0f3a526c1e4e0e9d0c2b7f5d1c9a11") != 0 ||
		log_dice_challenge(w->log, b->intent + 1, id, challenge, e) != 0 ||
		(ok && receipt(w, b, challenge, response, e) != 0))
		return -1;
	wait_ms(w, 310 / (w->plan->ports ? w->plan->ports : 1) + dice(w, 20));
	b->over = fails;
	if (add(w, "attestation",
		    json_pack("{s:I, s:s, s:I, s:I, s:s, s:s, s:i, s:o}", "begin",
			    (json_int_t)b->begin, "uuid", b->uuid, "intent", (json_int_t)b->intent,
			    "size", (json_int_t)b->intent + 1, "challenge",
			    hex_encode(hex, challenge, 32), "result", ok ? "ok" : "refused",
			    "status", ok ? 0 : 10004, "response",
			    ok ? json_string(base64_encode(text, response, sizeof response))
			       : json_null()),
		    &seq, e) != 0)
		return -1;
	if (ok)
		b->attestation = (int64_t)seq;
	return 0;
}

/* --- rounds: all ports at once ---------------------------------------------------------------- */

static int round_of(struct work *w, struct board *b, unsigned n, struct err *e)
{
	static const char provision[] = "receive-sb-file sb/provisioning.sb3";

	for (unsigned i = 0; i < n; i++)
		if (begin(w, i, &b[i], e) != 0 ||
			step(w, &b[i], 0, "erase", "flash-erase-all", false, 180 + dice(w, 60), 0,
				e) != 0 ||
			(b[i].attempt == 1 && intent(w, &b[i], 1, "provision", provision,
						      "irreversible", e) != 0))
			return -1;
	if (log_commit(w->log, e) != 0)
		return -1;
	for (unsigned i = 0; i < n; i++) {
		if (b[i].attempt == 1 && step(w, &b[i], 1, "provision", provision, true,
						 1100 + dice(w, 500), 6416, e) != 0)
			return -1;
		if (b[i].attempt > 1 && b[i].fails && strcmp(b[i].fails, "provision") == 0)
			b[i].fails = "verify";
		if (!b[i].over &&
			step(w, &b[i], 2, "program", "receive-sb-file sb/image.sb3", false,
				8200 + dice(w, 2400) * (1 + dice(w, 2)), 131072, e) != 0)
			return -1;
		if (!b[i].over && !b[i].interrupted &&
			intent(w, &b[i], 3, "attest", "dice-attest", "attestation", e) != 0)
			return -1;
	}
	if (log_commit(w->log, e) != 0)
		return -1;
	for (unsigned i = 0; i < n; i++) {
		if (!b[i].over && !b[i].interrupted &&
			(attest(w, &b[i], e) != 0 ||
				(!b[i].over && step(w, &b[i], 4, "verify", "check-word 0x01004000",
						       false, 20 + dice(w, 15), 4, e) != 0)))
			return -1;
		if (end(w, &b[i], e) != 0)
			return -1;
	}
	return log_commit(w->log, e);
}

/* The operator changes the boards; the station watches its epoch. */
static int pause_between(struct work *w, unsigned ms, struct err *e)
{
	while (ms) {
		unsigned part = ms > 60000 ? 60000 : ms;
		wait_ms(w, part);
		ms -= part;
		if (log_tick(w->log, e) != 0)
			return -1;
	}
	return 0;
}

static int cosign(struct work *w, struct err *e)
{
	static const uint8_t seed[32] = { 7 };
	AUTO(log_key_freep) struct log_key *key = NULL;
	AUTO(buf_clear) struct buf note = { 0 };
	AUTO(buf_clear) struct buf line = { 0 };
	const char name[] = "acme.example/witness/hq";

	if (log_key_from_seed(&key, seed, e) != 0 || log_checkpoint(w->out->log, &note, e) != 0 ||
		vkey_make(&w->out->witness, name, VKEY_COSIGN, log_key_pub(key), e) != 0)
		return -1;
	const char *text = buf_text(&note), *end_of = text ? strstr(text, "\n\n") : NULL;
	if (!end_of || log_key_cosign(key, name, (uint64_t)(w->now.wall_ms / 1000) + 1, text,
			       (size_t)(end_of - text) + 1, &line, e) != 0)
		return err_set(e, ERR_INTERNAL, "no checkpoint to cosign");
	struct cosignature *c = &w->cosigned[w->n_cosigned++];
	c->size = log_size(w->log);
	snprintf(c->line, sizeof c->line, "%.*s", (int)line.len, (const char *)line.p);
	return 0;
}

/* The writer holds its file: what witnesses sent goes in when it is done. */
static int keep_cosignatures(struct work *w, struct err *e)
{
	sqlite3 *db = NULL;
	int rc = sqlite3_open(w->out->log, &db);

	for (unsigned i = 0; rc == SQLITE_OK && i < w->n_cosigned; i++) {
		char *sql = sqlite3_mprintf("INSERT INTO cosignature VALUES(%llu,%Q)",
			(unsigned long long)w->cosigned[i].size, w->cosigned[i].line);
		rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
		sqlite3_free(sql);
	}
	sqlite3_close(db);
	return rc == SQLITE_OK ? 0 : err_set(e, ERR_ENV, "cannot keep a cosignature");
}

/* What a day brings: at a third the clock is set, at half the station is restarted. */
static int happenings(struct work *w, unsigned round, unsigned rounds, struct err *e)
{
	if (!w->plan->events)
		return 0;
	if (round == rounds / 3) {
		w->now.wall_ms -= 95000;
		if (operator_did(w, "note", "M. Muster", "clock of the station set by NTP", e) !=
				0 ||
			log_commit(w->log, e) != 0)
			return -1;
	}
	if (round == rounds / 2) {
		if (operator_did(w, "pause", "M. Muster", "shift ends", e) != 0 ||
			log_commit(w->log, e) != 0)
			return -1;
		w->now.wall_ms += 9 * 3600 * 1000 + 120000;
		w->now.boot_ms = 61000;
		strcpy(w->now.boot_id, "3c1f2a4b-5a5b-4b8f-9d7e-0f0e6d2c5c6d");
		if (open_again(w, e) != 0 || package(w, true, e) != 0 ||
			operator_did(w, "start", "S. Jensen",
				w->plan->hostile ? HOSTILE : "second shift", e) != 0)
			return -1;
		return log_commit(w->log, e);
	}
	return 0;
}

static int produce(struct work *w, struct err *e)
{
	struct board boards[PORTS_MAX];
	unsigned ports = w->plan->ports, rounds = w->plan->devices / ports + 1;

	for (unsigned round = 0; w->next_device < w->plan->devices; round++) {
		unsigned n = w->plan->devices - w->next_device;
		for (unsigned i = 0; i < ports; i++)
			n += w->again[i] != 0;
		if (round_of(w, boards, n < ports ? n : ports, e) != 0 ||
			happenings(w, round, rounds, e) != 0 ||
			pause_between(w, 9000 + dice(w, 9000), e) != 0)
			return -1;
		if (w->plan->witness && (round == rounds / 4 || round == rounds * 3 / 4) &&
			cosign(w, e) != 0)
			return -1;
	}
	return 0;
}

int factory_run(const struct factory_plan *plan, struct factory *out, struct err *e)
{
	struct work w = { .plan = plan, .out = out, .seed = 42 };
	char path[400], hex[129];

	memset(out, 0, sizeof *out);
	snprintf(out->log, sizeof out->log, "%s/log.db", plan->dir);
	w.now = (struct leaf_clock){ .wall_ms = 1795248000000, .boot_ms = 8123456 };
	strcpy(w.now.boot_id, "0f0e6d2c-5a5b-4b8f-9d7e-3c1f2a4b5c6d");
	int rc = fsio_mkdirs(plan->dir, 0700, e);
	if (rc == 0)
		rc = ecc_key_generate(&w.ca, ECC_P256, e);
	if (rc == 0) {
		memcpy(out->dice_ca, ecc_key_pub(w.ca)->xy, 64);
		hex_encode(hex, out->dice_ca, 64);
		snprintf(path, sizeof path, "%s/dice-ca.hex", plan->dir);
		rc = fsio_write(path, hex, 128, 0644, e);
	}
	if (rc == 0)
		rc = open_log(&w, e);
	if (rc == 0 && plan->events)
		rc = package(&w, false, e);
	if (rc == 0)
		rc = package(&w, true, e);
	if (rc == 0)
		rc = operator_did(&w, "start", "M. Muster", plan->hostile ? HOSTILE : NULL, e);
	if (rc == 0)
		rc = produce(&w, e);
	if (rc == 0 && !plan->open)
		rc = log_close(w.log, "complete", e);
	out->leaves = w.log ? log_size(w.log) : 0;
	if (rc == 0 && plan->witness) {
		char text[VKEY_TEXT_CAP];
		vkey_text(&out->witness, text);
		snprintf(path, sizeof path, "%s/witness.vkey", plan->dir);
		rc = fsio_write(path, text, strlen(text), 0644, e);
	}
	log_freep(&w.log);
	if (rc == 0)
		rc = keep_cosignatures(&w, e);
	log_key_freep(&w.station);
	ecc_key_free(w.ca);
	return rc;
}

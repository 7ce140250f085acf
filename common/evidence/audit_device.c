/* Rules 7 and 8: every device begins, is prepared by an intent before anything that cannot be
 * undone, ends once, and proves itself by a receipt bound to its place in the log. */
#include <sodium.h>
#include <string.h>

#include "base/text.h"
#include "evidence/audit_impl.h"

typedef long long ll;

/* --- packages --------------------------------------------------------------------------------- */

static int hex_of_uuid(const char *text, uint8_t out[16])
{
	char hex[33];
	size_t n = 0;

	for (const char *p = text; *p && n < 32; p++)
		if (*p != '-')
			hex[n++] = *p;
	hex[n] = '\0';
	return hex_decode(out, 16, hex);
}

static int package(struct audit *a, const struct leaf *l, struct err *e)
{
	const struct leaf_value *signers = leaf_value(l, LM_SIGNERS);
	uint8_t digest[32];
	char text[65];
	int64_t before;
	size_t pos = 0;

	while (leaf_array_next(signers, &pos, text, sizeof text) == 1)
		if (audit_index_see(
			    &a->index, SEEN_SIGNER, text, 16, (int64_t)l->seq, &before, e) != 0)
			return -1;
	if (leaf_hex(l, LM_PACKAGE, digest, 32) != 0)
		return 0;
	if (audit_index_see(&a->index, SEEN_MANIFEST, hex_encode(text, digest, 32), 64,
		    (int64_t)l->seq, &before, e) != 0)
		return -1;
	if (!leaf_is(l, LM_RESULT, "accepted"))
		return 0;
	if (a->order.present && memcmp(digest, a->order.package, 32) != 0)
		FAULT(a, "unordered package", l->seq,
			"the accepted package %s is not the one the order is for", text);
	a->package_accepted = true;
	a->has_package_id = leaf_text(l, LM_PACKAGE_ID, text, sizeof text) == 0 &&
			    hex_of_uuid(text, a->package_id) == 0;
	if (a->order.present && a->has_package_id &&
		memcmp(a->package_id, a->order.package_id, 16) != 0)
		FAULT(a, "unordered package", l->seq,
			"the accepted package has id %s, the order names another", text);
	return 0;
}

/* --- begin ------------------------------------------------------------------------------------ */

static struct audit_open_device *find_open(struct audit *a, int64_t begin)
{
	for (size_t i = 0; i < a->n_open; i++)
		if (a->open[i].begin == begin)
			return &a->open[i];
	return NULL;
}

static void in_window(struct audit *a, const struct leaf *l)
{
	if (!a->order.present)
		return;
	if (l->time_ms < a->order.not_before * 1000 ||
		l->time_ms >= (a->order.not_after + 1) * 1000)
		FAULT(a, "outside the order's window", l->seq,
			"a device was begun at a time at which the order was not valid");
}

static int begin(struct audit *a, const struct leaf *l, struct err *e)
{
	struct audit_device d;
	struct audit_open_device o = { .begin = (int64_t)l->seq, .intent = -1, .attested = -1 };
	char hex[33];

	if (leaf_hex(l, LM_UUID, o.uuid, 16) != 0 ||
		audit_index_device(&a->index, o.uuid, &d, e) != 0)
		return -1;
	hex_encode(hex, o.uuid, 16);
	if (!a->package_accepted)
		FAULT(a, "no package accepted", l->seq,
			"a device is begun before any package was accepted");
	in_window(a, l);
	if (leaf_int(l, LM_DEVICE, -1) != (int64_t)a->r->totals.begun)
		FAULT(a, "device numbers not dense", l->seq, "device %lld, %lld wanted",
			(ll)leaf_int(l, LM_DEVICE, -1), (ll)a->r->totals.begun);
	if (leaf_int(l, LM_ATTEMPT, -1) != d.attempts + 1)
		FAULT(a, "attempts not counted up", l->seq, "attempt %lld of %s, %lld wanted",
			(ll)leaf_int(l, LM_ATTEMPT, -1), hex, (ll)d.attempts + 1);
	if (leaf_has(l, LM_RESUMES) && (!d.known || leaf_int(l, LM_RESUMES, -1) != d.last_begin))
		FAULT(a, "resumes another device", l->seq,
			"continues leaf %lld, which is not the last begin of %s",
			(ll)leaf_int(l, LM_RESUMES, -1), hex);
	for (size_t i = 0; i < a->n_open; i++)
		if (memcmp(a->open[i].uuid, o.uuid, 16) == 0)
			FAULT(a, "UUID twice", l->seq,
				"%s is begun again, and leaf %lld has not ended", hex,
				(ll)a->open[i].begin);
	if (!d.known)
		a->r->devices++;
	d.known = true;
	d.attempts++;
	d.last_begin = (int64_t)l->seq;
	a->r->totals.begun++;
	if (audit_index_save(&a->index, o.uuid, &d, e) != 0)
		return -1;
	if (a->n_open == AUDIT_OPEN_MAX) {
		FAULT(a, "device without end", a->open[0].begin,
			"more than %d devices are begun and not ended", AUDIT_OPEN_MAX);
		a->r->unknown++;
		memmove(a->open, a->open + 1, (AUDIT_OPEN_MAX - 1) * sizeof a->open[0]);
		a->n_open--;
	}
	a->open[a->n_open++] = o;
	return 0;
}

/* The open device a leaf belongs to; reports when there is none. */
static struct audit_open_device *owner(struct audit *a, const struct leaf *l)
{
	int64_t at = leaf_int(l, LM_BEGIN, -1);
	struct audit_open_device *o = find_open(a, at);
	uint8_t uuid[16];

	if (!o) {
		FAULT(a, "leaf without device", l->seq,
			"%s names leaf %lld, which is no device that is begun and not ended",
			leaf_kind_name(l->kind), (ll)at);
		return NULL;
	}
	if (leaf_hex(l, LM_UUID, uuid, 16) != 0 || memcmp(uuid, o->uuid, 16) != 0)
		FAULT(a, "UUID changed", l->seq, "%s has another UUID than its device-begin %lld",
			leaf_kind_name(l->kind), (ll)at);
	return o;
}

/* --- intents ---------------------------------------------------------------------------------- */

static bool stage_known(const struct audit *a, const char *stage)
{
	for (size_t i = 0; i < a->n_stages; i++)
		if (strcmp(a->stages[i], stage) == 0)
			return true;
	return false;
}

/* Text of a member, cut to what we keep for comparing. */
static void short_text(const struct leaf *l, enum leaf_member m, char *out, size_t cap)
{
	const struct leaf_value *v = leaf_value(l, m);
	size_t n = v && v->type == LT_TEXT ? v->len : 0;

	if (n >= cap)
		n = cap - 1;
	if (n)
		memcpy(out, v->p, n);
	out[n] = '\0';
}

/* One more device that can never be blank again: that is what an order counts, from the intent on.
 * The totals of the log count devices whose end says so. */
static int count_irreversible(
	struct audit *a, const struct audit_open_device *o, uint64_t seq, bool ended, struct err *e)
{
	struct audit_device d;

	if (audit_index_device(&a->index, o->uuid, &d, e) != 0)
		return -1;
	if (ended && !d.ended_irreversible) {
		d.ended_irreversible = 1;
		a->r->totals.irreversible++;
	} else if (ended || d.irreversible) {
		return 0;
	}
	bool first = !d.irreversible;
	d.irreversible = 1;
	if (audit_index_save(&a->index, o->uuid, &d, e) != 0)
		return -1;
	a->irreversible += first;
	if (!first)
		return 0;
	if (a->order.present && a->irreversible == (uint64_t)a->order.quantity + 1)
		FAULT(a, "quantity exceeded", seq,
			"device number %llu is made irreversible, the order is for %lld",
			(unsigned long long)a->irreversible, (ll)a->order.quantity);
	return 0;
}

static int intent(struct audit *a, const struct leaf *l, struct err *e)
{
	struct audit_open_device *o = owner(a, l);

	if (!o)
		return 0;
	if (o->intent >= 0)
		FAULT(a, "intent without outcome", o->intent,
			"nothing says what came of it, and leaf %llu is the next intent of the "
			"device",
			(unsigned long long)l->seq);
	o->intent = (int64_t)l->seq;
	o->intent_attests = leaf_is(l, LM_WHY, "attestation");
	o->intent_step = leaf_int(l, LM_STEP, -1);
	short_text(l, LM_STAGE, o->stage, sizeof o->stage);
	short_text(l, LM_COMMAND, o->command, sizeof o->command);
	merkle_root(&a->tree, o->root); /* the intent is already in it */
	if (o->intent_attests)
		return 0;
	o->irreversible = true;
	if (!stage_known(a, o->stage) && a->n_stages < AUDIT_STAGES_MAX)
		strcpy(a->stages[a->n_stages++], o->stage);
	return count_irreversible(a, o, l->seq, false, e);
}

/* Commands that can change a device for good: in an irreversible stage each needs its intent. */
static bool changes_device(const char *command)
{
	static const char *const verbs[] = { "receive-sb-file", "write-memory", "fill-memory",
		"efuse-program-once", "flash-program-once", "flash-erase-", "execute", "call",
		"trust-provisioning", "configure-memory" };

	for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
		if (strncmp(command, verbs[i], strlen(verbs[i])) == 0)
			return true;
	return false;
}

static int step(struct audit *a, const struct leaf *l)
{
	struct audit_open_device *o = owner(a, l);
	char stage[65], command[257];

	if (!o)
		return 0;
	short_text(l, LM_STAGE, stage, sizeof stage);
	short_text(l, LM_COMMAND, command, sizeof command);
	if (!leaf_has(l, LM_INTENT)) {
		if (!leaf_is(l, LM_RESULT, "skipped") && stage_known(a, stage) &&
			changes_device(command))
			FAULT(a, "outcome without intent", l->seq,
				"\"%s\" in the irreversible stage \"%s\" has no intent before it",
				ESC(command), ESC(stage));
		return 0;
	}
	if (leaf_int(l, LM_INTENT, -1) != o->intent || o->intent_attests) {
		FAULT(a, "outcome without intent", l->seq,
			"the step answers intent %lld, which is not the open one of its device",
			(ll)leaf_int(l, LM_INTENT, -1));
		return 0;
	}
	if (strcmp(stage, o->stage) != 0 || strcmp(command, o->command) != 0 ||
		leaf_int(l, LM_STEP, -1) != o->intent_step)
		FAULT(a, "outcome of another step", l->seq,
			"the step is not the one its intent %lld announced", (ll)o->intent);
	o->intent = -1;
	return 0;
}

/* --- receipts --------------------------------------------------------------------------------- */

static int check_die_key(struct audit *a, const struct audit_open_device *o,
	const struct dice_response *d, uint64_t seq, bool *good, struct err *e)
{
	struct audit_device dev;
	uint8_t hash[32];
	char hex[33];
	int64_t before;

	if (audit_index_device(&a->index, o->uuid, &dev, e) != 0)
		return -1;
	crypto_hash_sha256(hash, d->die_puk, 64);
	if (dev.has_puk && memcmp(dev.puk, hash, 32) != 0) {
		*good = false;
		FAULT(a, "receipt of another die", seq, "%s answered with another die key before",
			hex_encode(hex, o->uuid, 16));
		return 0;
	}
	if (dev.has_puk)
		return 0;
	if (audit_index_see(&a->index, SEEN_PUK, hash, sizeof hash, (int64_t)seq, &before, e) != 0)
		return -1;
	if (before >= 0) {
		*good = false;
		FAULT(a, "receipt of another die", seq,
			"the die key is that of another UUID (leaf %lld)", (ll)before);
		return 0;
	}
	dev.has_puk = true;
	memcpy(dev.puk, hash, 32);
	return audit_index_save(&a->index, o->uuid, &dev, e);
}

static int check_receipt(struct audit *a, const struct leaf *l, const struct audit_open_device *o,
	const uint8_t challenge[32], bool *good, struct err *e)
{
	uint8_t response[DICE_RESPONSE_LEN];
	struct dice_response d;
	int64_t before;

	*good = false;
	if (leaf_base64(l, LM_RESPONSE, response, sizeof response) != 0 ||
		dice_parse(&d, response, sizeof response, e) != 0) {
		FAULT(a, "receipt not from this die", l->seq, "the receipt holds no response");
		return 0;
	}
	if (audit_index_see(&a->index, SEEN_RESPONSE, response, sizeof response, (int64_t)l->seq,
		    &before, e) != 0)
		return -1;
	if (before >= 0)
		FAULT(a, "replayed receipt", l->seq, "the same response stands at leaf %lld",
			(ll)before);
	else if (memcmp(d.uuid, o->uuid, 16) != 0)
		FAULT(a, "receipt of another device", l->seq,
			"the response is of another UUID than its device");
	else if (memcmp(d.challenge, challenge, 32) != 0)
		FAULT(a, "receipt of another position", l->seq,
			"the response answers another challenge than that of this place in the "
			"log");
	else
		*good = true;
	if (*good && check_die_key(a, o, &d, l->seq, good, e) != 0)
		return -1;
	if (*good && a->expect->rtf && memcmp(d.rtf, a->expect->rtf, 32) != 0)
		WARN(a, "other boot configuration", l->seq,
			"the run-time fingerprint (RTF) is not the one expected");
	if (*good)
		sigpool_dice(a->pool, (uint64_t)1 << 63 | l->seq, response, a->expect->dice_ca);
	return 0;
}

static int attestation(struct audit *a, const struct leaf *l, struct err *e)
{
	struct audit_open_device *o = owner(a, l);
	uint8_t want[32], have[32];
	const uint8_t *id = a->order.present ? a->order.package_id : a->package_id;
	bool good;

	if (!o)
		return 0;
	if (leaf_int(l, LM_INTENT, -1) != o->intent || !o->intent_attests) {
		FAULT(a, "outcome without intent", l->seq,
			"the attestation answers intent %lld, which is not the open one of its "
			"device",
			(ll)leaf_int(l, LM_INTENT, -1));
		return 0;
	}
	int64_t size = o->intent + 1;
	o->intent = -1;
	dice_challenge(a->r->origin, (uint64_t)size, o->root, id, want);
	if (leaf_int(l, LM_SIZE, -1) != size || leaf_hex(l, LM_CHALLENGE, have, 32) != 0 ||
		memcmp(want, have, 32) != 0) {
		FAULT(a, "receipt of another position", l->seq,
			"the challenge is not the one of size %lld of this log", (ll)size);
		return 0;
	}
	if (!leaf_is(l, LM_RESULT, "ok"))
		return 0;
	a->r->totals.attested++;
	if (check_receipt(a, l, o, want, &good, e) != 0)
		return -1;
	if (good) {
		a->r->receipts++;
		o->attested = (int64_t)l->seq;
	}
	return 0;
}

/* --- end -------------------------------------------------------------------------------------- */

static int passed(
	struct audit *a, const struct leaf *l, const struct audit_open_device *o, struct err *e)
{
	struct audit_device d;
	char hex[33];

	a->r->totals.passed++;
	if (o->attested < 0)
		a->r->no_receipt++;
	if (audit_index_device(&a->index, o->uuid, &d, e) != 0)
		return -1;
	if (d.passes++)
		FAULT(a, "UUID twice", l->seq, "%s passes for the second time",
			hex_encode(hex, o->uuid, 16));
	return audit_index_save(&a->index, o->uuid, &d, e);
}

static int end(struct audit *a, const struct leaf *l, struct err *e)
{
	struct audit_open_device *o = owner(a, l);
	bool irreversible = leaf_int(l, LM_IRREVERSIBLE, 0) != 0;
	bool interrupted = leaf_is(l, LM_RESULT, "interrupted");

	if (!o)
		return 0;
	if (o->intent >= 0 && !interrupted)
		FAULT(a, "intent without outcome", o->intent,
			"nothing says what came of it before the device ended at leaf %llu",
			(unsigned long long)l->seq);
	if (o->irreversible != irreversible)
		FAULT(a, "irreversible step hidden", l->seq,
			"the end says irreversible: %s, the intents of the device say %s",
			irreversible ? "true" : "false", o->irreversible ? "true" : "false");
	if (irreversible && count_irreversible(a, o, l->seq, true, e) != 0)
		return -1;
	if (leaf_has(l, LM_ATTESTATION) && leaf_int(l, LM_ATTESTATION, -1) != o->attested)
		FAULT(a, "receipt of another device", l->seq,
			"the end names receipt %lld, the device has %s",
			(ll)leaf_int(l, LM_ATTESTATION, -1),
			o->attested < 0 ? "none that holds" : "another one");
	if (leaf_is(l, LM_RESULT, "pass")) {
		if (passed(a, l, o, e) != 0)
			return -1;
	} else if (interrupted) {
		a->r->totals.interrupted++;
	} else {
		a->r->totals.failed++;
	}
	*o = a->open[--a->n_open];
	return 0;
}

int audit_device_leaf(struct audit *a, const struct leaf *l, struct err *e)
{
	switch (l->kind) {
	case LEAF_PACKAGE:
		return package(a, l, e);
	case LEAF_DEVICE_BEGIN:
		return begin(a, l, e);
	case LEAF_INTENT:
		return intent(a, l, e);
	case LEAF_STEP:
		return step(a, l);
	case LEAF_ATTESTATION:
		return attestation(a, l, e);
	case LEAF_DEVICE_END:
		return end(a, l, e);
	case LEAF_GENESIS:
	case LEAF_OPERATOR:
	case LEAF_CLOCK:
	case LEAF_EPOCH_SEAL:
	case LEAF_CLOSE:
	case LEAF_KEY:
	case LEAF_ARTIFACT:
	case LEAF_WS_PACKAGE:
	case LEAF_APPROVAL:
	case LEAF_ORDER:
	case LEAF_KINDS:
		return 0;
	}
	return 0;
}

void audit_device_end(struct audit *a)
{
	a->r->unknown += a->n_open;
	for (size_t i = 0; i < a->n_open; i++) {
		const struct audit_open_device *o = &a->open[i];
		char hex[33];
		hex_encode(hex, o->uuid, 16);
		if (a->final_seal)
			FAULT(a, o->intent >= 0 ? "intent without outcome" : "device without end",
				o->intent >= 0 ? o->intent : o->begin,
				"the log is closed, and nothing says how %s ended", hex);
		else
			WARN(a, "device without end", o->begin, "nothing says yet how %s ended",
				hex);
	}
}

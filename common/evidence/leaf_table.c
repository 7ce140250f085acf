#include "base/json.h"
#include "evidence/leaf_table.h"

#define U53	 0, JSON_INT_MAX
#define U32	 0, 4294967295
#define TEXT_LEN 0, 4096
#define NAME_LEN 0, 256

const struct field leaf_common_fields[] = {
	/* `kind` was read before: it chooses the table */
	{ "seq", LM_SEQ, F_INT, false, U53, 0, 0 },
	{ "prev", LM_PREV, F_HEX, false, 0, 32, 0, 0 },
	{ "time", LM_TIME, F_TIME, false, 0, 0, 0, 0 },
	{ "boot_ms", LM_BOOT_MS, F_INT, false, U53, 0, 0 },
	{ "boot_id", LM_BOOT_ID, F_UUID, false, 0, 0, 0, 0 },
	{ 0 },
};

static const struct field station[] = {
	{ "name", LM_STATION_NAME, F_TEXT, false, 1, 255, 0, 0 },
	{ "key", LM_STATION_KEY, F_VKEY, false, 0, 0, 0, 0 },
	{ 0 },
};
static const struct field runner[] = {
	{ "version", LM_RUNNER_VERSION, F_TEXT, false, NAME_LEN, 0, 0 },
	{ "sha256", LM_RUNNER_SHA256, F_HEX, false, 0, 32, 0, 0 },
	{ 0 },
};
static const struct field host[] = {
	{ "os", LM_HOST_OS, F_TEXT, false, NAME_LEN, 0, 0 },
	{ "kernel", LM_HOST_KERNEL, F_TEXT, false, NAME_LEN, 0, 0 },
	{ "machine", LM_HOST_MACHINE, F_TEXT, false, NAME_LEN, 0, 0 },
	{ 0 },
};
static const struct field genesis[] = {
	{ "format", LM_FORMAT, F_INT, false, 1, 1, 0, 0 },
	{ "role", LM_ROLE, F_CHOICE, false, 0, 0, "order/unordered/workspace", 0 },
	{ "origin", LM_ORIGIN, F_TEXT, false, 1, 128, 0, 0 },
	{ "order", LM_ORDER, F_TEXT, true, 0, LEAF_MAX, 0, 0 },
	{ "order_sigs", LM_ORDER_SIGS, F_TEXTS, false, 0, LEAF_MAX, 0, 0 },
	{ "station", LM_STATION, F_OBJECT, false, 0, 0, 0, station },
	{ "epoch0", LM_EPOCH0, F_VKEY, false, 0, 0, 0, 0 },
	{ "runner", LM_RUNNER, F_OBJECT, false, 0, 0, 0, runner },
	{ "host", LM_HOST, F_OBJECT, false, 0, 0, 0, host },
	{ 0 },
};

static const struct field package[] = {
	{ "result", LM_RESULT, F_CHOICE, false, 0, 0, "accepted/refused", 0 },
	{ "file", LM_FILE, F_TEXT, false, NAME_LEN, 0, 0 },
	{ "container", LM_CONTAINER, F_HEX, true, 0, 32, 0, 0 },
	{ "package", LM_PACKAGE, F_HEX, true, 0, 32, 0, 0 },
	{ "package_id", LM_PACKAGE_ID, F_UUID, true, 0, 0, 0, 0 },
	{ "product", LM_PRODUCT, F_TEXT, true, NAME_LEN, 0, 0 },
	{ "release", LM_RELEASE, F_TEXT, true, NAME_LEN, 0, 0 },
	{ "sequence", LM_SEQUENCE, F_INT, true, U53, 0, 0 },
	{ "signers", LM_SIGNERS, F_HEXES, false, 0, 8, 0, 0 },
	{ "reason", LM_REASON, F_TEXT, true, TEXT_LEN, 0, 0 },
	{ 0 },
};
static const struct field device_begin[] = {
	{ "device", LM_DEVICE, F_INT, false, U53, 0, 0 },
	{ "uuid", LM_UUID, F_HEX, false, 0, 16, 0, 0 },
	{ "attempt", LM_ATTEMPT, F_INT, false, 1, JSON_INT_MAX, 0, 0 },
	{ "slot", LM_SLOT, F_TEXT, true, NAME_LEN, 0, 0 },
	{ "port", LM_PORT, F_TEXT, true, TEXT_LEN, 0, 0 },
	{ "family", LM_FAMILY, F_TEXT, true, NAME_LEN, 0, 0 },
	{ "revision", LM_REVISION, F_TEXT, true, NAME_LEN, 0, 0 },
	{ "lifecycle", LM_LIFECYCLE, F_TEXT, true, NAME_LEN, 0, 0 },
	{ "resumes", LM_RESUMES, F_INT, true, U53, 0, 0 },
	{ 0 },
};
static const struct field intent[] = {
	{ "begin", LM_BEGIN, F_INT, false, U53, 0, 0 },
	{ "uuid", LM_UUID, F_HEX, false, 0, 16, 0, 0 },
	{ "step", LM_STEP, F_INT, false, U53, 0, 0 },
	{ "stage", LM_STAGE, F_TEXT, false, NAME_LEN, 0, 0 },
	{ "command", LM_COMMAND, F_TEXT, false, TEXT_LEN, 0, 0 },
	{ "why", LM_WHY, F_CHOICE, false, 0, 0, "irreversible/attestation", 0 },
	{ 0 },
};
static const struct field step[] = {
	{ "begin", LM_BEGIN, F_INT, false, U53, 0, 0 },
	{ "uuid", LM_UUID, F_HEX, false, 0, 16, 0, 0 },
	{ "step", LM_STEP, F_INT, false, U53, 0, 0 },
	{ "stage", LM_STAGE, F_TEXT, false, NAME_LEN, 0, 0 },
	{ "command", LM_COMMAND, F_TEXT, false, TEXT_LEN, 0, 0 },
	{ "intent", LM_INTENT, F_INT, true, U53, 0, 0 },
	{ "result", LM_RESULT, F_CHOICE, false, 0, 0, "ok/failed/skipped", 0 },
	{ "status", LM_STATUS, F_INT, true, U32, 0, 0 },
	{ "tries", LM_TRIES, F_INT, false, U53, 0, 0 },
	{ "ms", LM_MS, F_INT, false, U53, 0, 0 },
	{ "bytes", LM_BYTES, F_INT, false, U53, 0, 0 },
	{ 0 },
};
static const struct field attestation[] = {
	{ "begin", LM_BEGIN, F_INT, false, U53, 0, 0 },
	{ "uuid", LM_UUID, F_HEX, false, 0, 16, 0, 0 },
	{ "intent", LM_INTENT, F_INT, false, U53, 0, 0 },
	{ "size", LM_SIZE, F_INT, false, U53, 0, 0 },
	{ "challenge", LM_CHALLENGE, F_HEX, false, 0, 32, 0, 0 },
	{ "result", LM_RESULT, F_CHOICE, false, 0, 0, "ok/refused/invalid", 0 },
	{ "status", LM_STATUS, F_INT, true, U32, 0, 0 },
	{ "response", LM_RESPONSE, F_BASE64, true, 0, 324, 0, 0 },
	{ 0 },
};
static const struct field device_end[] = {
	{ "begin", LM_BEGIN, F_INT, false, U53, 0, 0 },
	{ "uuid", LM_UUID, F_HEX, false, 0, 16, 0, 0 },
	{ "result", LM_RESULT, F_CHOICE, false, 0, 0, "pass/fail/interrupted", 0 },
	{ "reason", LM_REASON, F_TEXT, true, TEXT_LEN, 0, 0 },
	{ "irreversible", LM_IRREVERSIBLE, F_BOOL, false, 0, 0, 0, 0 },
	{ "lifecycle", LM_LIFECYCLE, F_TEXT, true, NAME_LEN, 0, 0 },
	{ "attestation", LM_ATTESTATION, F_INT, true, U53, 0, 0 },
	{ "ms", LM_MS, F_INT, false, U53, 0, 0 },
	{ 0 },
};
static const struct field operator_[] = {
	{ "action", LM_ACTION, F_CHOICE, false, 0, 0, "start/pause/stop/skip/retry/confirm/note",
		0 },
	{ "operator", LM_OPERATOR, F_TEXT, true, NAME_LEN, 0, 0 },
	{ "text", LM_TEXT, F_TEXT, true, TEXT_LEN, 0, 0 },
	{ 0 },
};
static const struct field clock_[] = {
	{ "cause", LM_CAUSE, F_CHOICE, false, 0, 0, "wall-backward/wall-jump/boot-changed", 0 },
	{ "wall_before", LM_WALL_BEFORE, F_TIME, false, 0, 0, 0, 0 },
	{ "wall_after", LM_WALL_AFTER, F_TIME, false, 0, 0, 0, 0 },
	{ "boot_ms_before", LM_BOOT_MS_BEFORE, F_INT, false, U53, 0, 0 },
	{ "boot_ms_after", LM_BOOT_MS_AFTER, F_INT, false, U53, 0, 0 },
	{ "delta_ms", LM_DELTA_MS, F_INT, false, -JSON_INT_MAX, JSON_INT_MAX, 0, 0 },
	{ 0 },
};
static const struct field epoch_seal[] = {
	{ "epoch", LM_EPOCH, F_INT, false, U53, 0, 0 },
	{ "size", LM_SIZE, F_INT, false, U53, 0, 0 },
	{ "root", LM_ROOT, F_BASE64, false, 0, 32, 0, 0 },
	{ "next", LM_NEXT, F_VKEY, true, 0, 0, 0, 0 },
	{ "reason", LM_REASON, F_CHOICE, false, 0, 0, "interval/start/close", 0 },
	{ 0 },
};
static const struct field totals[] = {
	{ "leaves", LM_TOTAL_LEAVES, F_INT, false, U53, 0, 0 },
	{ "begun", LM_TOTAL_BEGUN, F_INT, false, U53, 0, 0 },
	{ "irreversible", LM_TOTAL_IRREVERSIBLE, F_INT, false, U53, 0, 0 },
	{ "passed", LM_TOTAL_PASSED, F_INT, false, U53, 0, 0 },
	{ "failed", LM_TOTAL_FAILED, F_INT, false, U53, 0, 0 },
	{ "interrupted", LM_TOTAL_INTERRUPTED, F_INT, false, U53, 0, 0 },
	{ "attested", LM_TOTAL_ATTESTED, F_INT, false, U53, 0, 0 },
	{ 0 },
};
static const struct field close_[] = {
	{ "reason", LM_REASON, F_CHOICE, false, 0, 0, "complete/operator/expired", 0 },
	{ "totals", LM_TOTALS, F_OBJECT, false, 0, 0, 0, totals },
	{ 0 },
};

/* Workspace. Digests are SHA-256; a symmetric secret has no public digest. */
static const struct field key[] = {
	{ "action", LM_ACTION, F_CHOICE, false, 0, 0, "made/imported/retired", 0 },
	{ "type", LM_TYPE, F_TOKEN, false, 1, 32, 0, 0 },
	{ "file", LM_FILE, F_TEXT, true, NAME_LEN, 0, 0 },
	{ "public", LM_PUBLIC, F_HEX, true, 0, 32, 0, 0 },
	{ 0 },
};
static const struct field input[] = {
	{ "file", LM_COUNT, F_TEXT, false, NAME_LEN, 0, 0 },
	{ "sha256", LM_COUNT, F_HEX, false, 0, 32, 0, 0 },
	{ 0 },
};
static const struct field artifact[] = {
	{ "type", LM_TYPE, F_TOKEN, false, 1, 32, 0, 0 },
	{ "file", LM_FILE, F_TEXT, true, NAME_LEN, 0, 0 },
	{ "sha256", LM_SHA256, F_HEX, false, 0, 32, 0, 0 },
	{ "size", LM_SIZE, F_INT, false, U53, 0, 0 },
	{ "inputs", LM_INPUTS, F_OBJECTS, false, 0, 0, 0, input },
	{ "keys", LM_KEYS, F_HEXES, false, 0, 32, 0, 0 },
	{ 0 },
};
static const struct field ws_package[] = {
	{ "result", LM_RESULT, F_CHOICE, false, 0, 0, "built", 0 },
	{ "file", LM_FILE, F_TEXT, true, NAME_LEN, 0, 0 },
	{ "package", LM_PACKAGE, F_HEX, false, 0, 32, 0, 0 },
	{ "package_id", LM_PACKAGE_ID, F_UUID, false, 0, 0, 0, 0 },
	{ "product", LM_PRODUCT, F_TEXT, false, NAME_LEN, 0, 0 },
	{ "release", LM_RELEASE, F_TEXT, false, NAME_LEN, 0, 0 },
	{ "sequence", LM_SEQUENCE, F_INT, false, U53, 0, 0 },
	{ "signers", LM_SIGNERS, F_HEXES, false, 0, 8, 0, 0 },
	{ 0 },
};
static const struct field approval[] = {
	{ "package", LM_PACKAGE, F_HEX, false, 0, 32, 0, 0 },
	{ "package_id", LM_PACKAGE_ID, F_UUID, false, 0, 0, 0, 0 },
	{ "signer", LM_SIGNER, F_HEX, false, 0, 8, 0, 0 },
	{ 0 },
};
static const struct field order[] = {
	{ "order", LM_ORDER, F_TEXT, false, NAME_LEN, 0, 0 },
	{ "document", LM_DOCUMENT, F_HEX, false, 0, 32, 0, 0 },
	{ "package", LM_PACKAGE, F_HEX, false, 0, 32, 0, 0 },
	{ "quantity", LM_QUANTITY, F_INT, false, U53, 0, 0 },
	{ "signer", LM_SIGNER, F_HEX, false, 0, 8, 0, 0 },
	{ 0 },
};

#define RUN (1u << ROLE_ORDER | 1u << ROLE_UNORDERED)
#define OEM (1u << ROLE_WORKSPACE)

const struct kind leaf_kinds[LEAF_KINDS] = {
	[LEAF_GENESIS] = { "genesis", genesis, RUN | OEM },
	[LEAF_PACKAGE] = { "package", package, RUN },
	[LEAF_DEVICE_BEGIN] = { "device-begin", device_begin, RUN },
	[LEAF_INTENT] = { "intent", intent, RUN },
	[LEAF_STEP] = { "step", step, RUN },
	[LEAF_ATTESTATION] = { "attestation", attestation, RUN },
	[LEAF_DEVICE_END] = { "device-end", device_end, RUN },
	[LEAF_OPERATOR] = { "operator", operator_, RUN | OEM },
	[LEAF_CLOCK] = { "clock", clock_, RUN | OEM },
	[LEAF_EPOCH_SEAL] = { "epoch-seal", epoch_seal, RUN | OEM },
	[LEAF_CLOSE] = { "close", close_, RUN | OEM },
	[LEAF_KEY] = { "key", key, OEM },
	[LEAF_ARTIFACT] = { "artifact", artifact, OEM },
	[LEAF_WS_PACKAGE] = { "package", ws_package, OEM },
	[LEAF_APPROVAL] = { "approval", approval, OEM },
	[LEAF_ORDER] = { "order", order, OEM },
};

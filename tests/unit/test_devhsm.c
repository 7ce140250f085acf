/* The device-HSM run against recorded sessions: the same frames in the same order, the same file
 * byte for byte; and a family of devices that answer wrongly. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fsio.h"
#include "base/text.h"
#include "image/sb31.h"
#include "mboot_replay.h"
#include "mfgpkg/devhsm.h"

#define MBOOT_DIR "tests/vectors/mboot/"
#define MOCK_DIR  "tests/vectors/sb31/devhsm-mock/"

static char folder[] = "/tmp/devhsm.XXXXXX"; /* for files the configurations name */

static int make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	char command[100];

	(void)state;
	snprintf(command, sizeof command, "rm -rf %s", folder);
	return system(command) == 0 ? 0 : -1;
}

static void read_file(const char *path, struct buf *out)
{
	struct err e = { 0 };

	if (fsio_read(path, 1 << 20, out, &e) != 0)
		fail_msg("%s", e.msg);
}

static const json_t *entry_of(const json_t *index, const char *file)
{
	const json_t *entry;
	size_t i;

	json_array_foreach(index, i,
		entry) if (strcmp(json_string_value(json_object_get(entry, "file")), file) ==
			   0) return entry;
	fail_msg("%s is not in the index", file);
	return NULL;
}

/* --- configurations from the plain commands of a session ---------------------------------------
 */

static void command_to_yaml(struct buf *yaml, const struct sb31_cmd *cmd, unsigned i)
{
	char path[100];
	struct err e = { 0 };

	switch ((enum sb31_tag)cmd->tag) {
	case SB31_ERASE:
		wr_printf(yaml, "  - erase: {address: %u, size: %u, memoryId: %u}\n", cmd->w1,
			cmd->w2, cmd->ext[0]);
		break;
	case SB31_LOAD:
		snprintf(path, sizeof path, "%s/load%u.bin", folder, i);
		assert_int_equal(fsio_write(path, cmd->data, cmd->data_len, 0600, &e), 0);
		wr_printf(yaml, "  - load: {address: %u, memoryId: %u, file: load%u.bin}\n",
			cmd->w1, cmd->ext[0], i);
		break;
	case SB31_PROGRAM_FUSES:
		wr_printf(yaml, "  - programFuses: {address: %u, values: '0x%08x'}\n", cmd->w1,
			get_le32(cmd->data));
		break;
	case SB31_LOAD_KEY_BLOB: /* comes from containerKeyBlobEncryptionKey */
		break;
	case SB31_EXECUTE:
	case SB31_PROGRAM_IFR:
	case SB31_LOAD_CMAC:
	case SB31_COPY:
	case SB31_LOAD_HASH_LOCKING:
	case SB31_CONFIGURE_MEMORY:
	case SB31_FILL_MEMORY:
	case SB31_CHECK_FW_VERSION:
		fail_msg("command %u is in no session", cmd->tag);
	}
}

static void config_of_session(struct buf *yaml, const json_t *entry)
{
	const char *seed = json_string_value(json_object_get(entry, "oem_seed"));
	const char *key = json_string_value(json_object_get(entry, "cust_mk_sk"));
	const char *plain = json_string_value(json_object_get(entry, "plain_commands"));
	const char *share = json_string_value(json_object_get(entry, "enc_oem_master_share"));
	char path[200];
	AUTO(buf_clear) struct buf stream = { 0 };
	struct sb31_cmd cmd;
	struct err e = { 0 };
	uint32_t length;

	wr_printf(yaml, "family: mcxn947\noemRandomShare: '%s'\n", seed);
	if (share)
		wr_printf(yaml, "oemEncMasterShare: '%s'\n", share);
	if (key)
		wr_printf(yaml, "containerKeyBlobEncryptionKey: '%s'\n", key);
	wr_printf(yaml, "timestamp: %lld\ncommands:\n",
		(long long)json_integer_value(json_object_get(entry, "timestamp")));
	snprintf(path, sizeof path, MBOOT_DIR "%s", plain);
	read_file(path, &stream);
	assert_int_equal(sb31_section(stream.p, &length, &e), 0);
	struct rd rd = rd_of(stream.p + SB31_SECTION_HEADER, length);
	for (unsigned i = 0; sb31_cmd_next(&rd, &cmd, &e) == 1; i++)
		command_to_yaml(yaml, &cmd, i);
}

/* --- one run -----------------------------------------------------------------------------------
 */

struct outcome {
	int rc;
	struct err e;
	struct devhsm_result result;
	char warnings[600];
	unsigned progress;
};

static void on_warn(void *ctx, const char *text)
{
	struct outcome *o = ctx;
	size_t used = strlen(o->warnings);

	snprintf(o->warnings + used, sizeof o->warnings - used, "%s\n", text);
}

static void on_progress(void *ctx, const char *step, uint32_t done, uint32_t total)
{
	struct outcome *o = ctx;

	assert_non_null(step);
	assert_true(done <= total);
	o->progress++;
}

static void run(struct outcome *o, struct replay *r, struct config *config, uint64_t timestamp)
{
	AUTO(keystore_freep) struct keystore *ks = NULL;
	AUTO(mboot_freep) struct mboot *m = NULL;
	struct mboot_io io = replay_io(r);
	struct mboot_options mo = replay_options(r);
	const struct devhsm_options options = {
		.timestamp = timestamp, .progress = on_progress, .warn = on_warn, .ctx = o
	};

	assert_int_equal(keystore_new(&ks, NULL, &o->e), 0);
	assert_int_equal(mboot_new(&m, &io, &mo, &o->e), 0);
	o->rc = devhsm_generate(m, config, ks, &options, &o->result, &o->e);
}

static struct config *config_in_folder(const char *text)
{
	struct config *c = NULL;
	struct err e = { 0 };
	char name[100];

	snprintf(name, sizeof name, "%s/dev_hsm.yaml", folder);
	if (config_load_bytes(&c, name, text, strlen(text), &e) != 0)
		fail_msg("%s", e.msg);
	return c;
}

/* --- good sessions ------------------------------------------------------------------------------
 */

static void check_session(const char *name, const char *more)
{
	json_t *index = json_load_file(MBOOT_DIR "index.json", 0, NULL);
	char file[100];
	AUTO(buf_clear) struct buf yaml = { 0 };
	AUTO(buf_clear) struct buf expected = { 0 };
	AUTO(config_freep) struct config *config = NULL;
	struct replay *r = calloc(1, sizeof *r);
	struct outcome *o = calloc(1, sizeof *o);

	snprintf(file, sizeof file, "%s.jsonl", name);
	const json_t *entry = entry_of(index, file);
	config_of_session(&yaml, entry);
	wr_str(&yaml, more);
	/* The session that restores a share has it in a frame of its own: see below. */
	snprintf(file, sizeof file, MBOOT_DIR "%s.jsonl", name);
	r->max_packet = 512;
	replay_load(r, file, false);
	if (strstr(name, "set_master_share") && !json_object_get(entry, "enc_oem_master_share"))
		for (size_t i = 0; i < r->n; i++)
			if (r->line[i].to_device && r->line[i].len == 70) {
				char hex[129];
				hex_encode(hex, r->line[i].bytes + 6, 64);
				wr_printf(&yaml, "oemEncMasterShare: '%s'\n", hex);
			}
	config = config_in_folder(buf_text(&yaml));
	run(o, r, config, 0);
	if (r->mismatch[0])
		fail_msg("%s: %s", name, r->mismatch);
	if (o->rc != 0)
		fail_msg("%s: %s", name, o->e.msg);
	assert_true(replay_done(r));

	snprintf(file, sizeof file, MBOOT_DIR "%s.sb", name);
	read_file(file, &expected);
	assert_int_equal(o->result.container.len, expected.len);
	assert_memory_equal(o->result.container.p, expected.p, expected.len);
	assert_memory_equal(o->result.enc_oem_share, expected.p + 172, 48);
	assert_memory_equal(o->result.cust_fw_auth_puk, expected.p + 108, 64);
	assert_int_equal(
		o->result.has_key_blob, !json_is_null(json_object_get(entry, "cust_mk_sk")));
	assert_true(o->progress > 3);
	devhsm_result_clear(&o->result);
	replay_clear(r);
	free(r);
	free(o);
	json_decref(index);
}

static void full_run(void **state)
{
	(void)state;
	check_session("devhsm_full", "");
}

static void without_key(void **state)
{
	(void)state;
	check_session("devhsm_no_key", "finalReset: no\n");
}

static void restored_share(void **state)
{
	(void)state;
	check_session("devhsm_set_master_share", "");
}

/* The workspace folder keeps what a later run needs. */
static void workspace_keeps_intermediate_files(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		size_t len;
		mode_t mode;
	} files[] = {
		{ "OEM_SEED.bin", 16, 0600 },
		{ "ENC_OEM_SHARE.bin", 48, 0644 },
		{ "ENC_OEM_MASTER_SHARE.bin", 64, 0644 },
		{ "NXP_CUST_CA_PUK.bin", 64, 0644 },
		{ "CUST_FW_AUTH_PUK.bin", 64, 0644 },
		{ "CUST_MK_SK_BLOB.bin", 48, 0600 },
	};

	mode_t mask = umask(022);
	check_session("devhsm_full", "workspace: kept\n");
	umask(mask);
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		char path[200];
		struct stat st;
		snprintf(path, sizeof path, "%s/kept/%s", folder, files[i].name);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_size, files[i].len);
		assert_int_equal(st.st_mode & 0777, files[i].mode);
	}
}

/* --- a session recorded as calls, not frames
 * ------------------------------------------------------ */

static const uint8_t ack[] = { 0x5A, 0xA1 };

static void add_command(struct replay *r, uint8_t tag, uint8_t flags, const uint32_t *p, size_t n)
{
	uint8_t body[4 + 4 * MBOOT_MAX_PARAMS] = { tag, flags, 0, (uint8_t)n };
	uint8_t frame[MBOOT_FRAME_HEADER + sizeof body];

	for (size_t i = 0; i < n; i++)
		put_le32(body + 4 + 4 * i, p[i]);
	size_t len = mboot_frame_encode(frame, MBOOT_FRAME_COMMAND, body, 4 + 4 * n);
	bool response = tag >= 0xA0;
	replay_append(r, !response, frame, len);
	replay_append(r, response, ack, 2);
}

static void add_data(struct replay *r, bool to_device, const uint8_t *data, size_t len)
{
	uint8_t frame[MBOOT_FRAME_HEADER + 512];

	replay_append(r, to_device, frame, mboot_frame_encode(frame, MBOOT_FRAME_DATA, data, len));
	replay_append(r, !to_device, ack, 2);
}

static uint32_t number_of(const json_t *j)
{
	return (uint32_t)strtoul(json_string_value(j), NULL, 0);
}

static void add_call(struct replay *r, const json_t *call)
{
	const char *op = json_string_value(json_object_get(call, "op"));
	const char *hex = json_string_value(json_object_get(call, "data"));
	uint8_t data[512];
	size_t len = hex ? strlen(hex) / 2 : 0;

	assert_true(len <= sizeof data);
	assert_int_equal(hex ? hex_decode(data, len, hex) : 0, 0);
	if (strcmp(op, "trust_provisioning") == 0) {
		static const uint32_t sizes[7][4] = { { 0, 48, 64, 64 }, { 0 }, { 0 },
			{ 0, 48, 64 }, { 0, 0x12345678, 48 }, { 0 }, { 0, 64 } };
		static const size_t n_sizes[7] = { 4, 1, 1, 3, 3, 1, 2 };
		const json_t *args = json_object_get(call, "args"), *arg;
		const char *name = json_string_value(json_object_get(call, "operation"));
		uint32_t p[MBOOT_MAX_PARAMS] = { (uint32_t)strtoul(
			strchr(name, '(') + 1, NULL, 0) };
		size_t n = 1, i;
		json_array_foreach(args, i, arg) p[n++] = number_of(arg);
		add_command(r, MBOOT_CMD_TRUST_PROVISIONING, 0, p, n);
		add_command(r, MBOOT_RSP_TRUST_PROVISIONING, 0, sizes[p[0]], n_sizes[p[0]]);
		return;
	}
	uint32_t p[] = { number_of(json_object_get(call, "address")),
		(uint32_t)json_integer_value(json_object_get(call, "length")), 0 };
	bool write = strcmp(op, "write_memory") == 0;
	uint8_t tag = write ? MBOOT_CMD_WRITE_MEMORY : MBOOT_CMD_READ_MEMORY;
	const uint32_t announced[] = { 0, p[1] }, done[] = { 0, tag };
	add_command(r, tag, write, p, 3);
	if (write)
		add_command(r, MBOOT_RSP_GENERIC, 0, done, 2);
	else
		add_command(r, MBOOT_RSP_READ_MEMORY, 1, announced, 2);
	add_data(r, write, data, len);
	add_command(r, MBOOT_RSP_GENERIC, 0, done, 2);
}

static void session_of_calls(void **state)
{
	(void)state;
	json_t *mock = json_load_file(MOCK_DIR "case.json", 0, NULL);
	const json_t *calls = json_object_get(mock, "device_calls"), *call;
	struct replay *r = calloc(1, sizeof *r);
	struct outcome *o = calloc(1, sizeof *o);
	AUTO(config_freep) struct config *config = NULL;
	AUTO(buf_clear) struct buf expected = { 0 };
	size_t i;

	r->max_packet = 512;
	json_array_foreach(calls, i, call) add_call(r, call);
	assert_int_equal(config_load(&config, MOCK_DIR "config.yaml", &o->e), 0);
	run(o, r, config, (uint64_t)json_integer_value(json_object_get(mock, "timestamp")));
	if (r->mismatch[0])
		fail_msg("%s", r->mismatch);
	if (o->rc != 0)
		fail_msg("%s", o->e.msg);
	assert_true(replay_done(r));
	read_file(MOCK_DIR "expected.sb3", &expected);
	assert_int_equal(o->result.container.len, expected.len);
	assert_memory_equal(o->result.container.p, expected.p, expected.len);
	devhsm_result_clear(&o->result);
	replay_clear(r);
	free(r);
	free(o);
	json_decref(mock);
}

/* --- devices and configurations that are wrong
 * ---------------------------------------------------- */

/* A response of the device, found by its words, gets other words. */
static void change_response(struct replay *r, unsigned nth, const uint32_t *words, size_t n)
{
	for (size_t i = 0; i < r->n; i++) {
		struct replay_line *l = &r->line[i];
		if (l->to_device || l->len < 14 || l->bytes[6] != MBOOT_RSP_TRUST_PROVISIONING ||
			nth-- > 0)
			continue;
		uint8_t body[4 + 4 * MBOOT_MAX_PARAMS] = { MBOOT_RSP_TRUST_PROVISIONING, 0, 0,
			(uint8_t)n };
		for (size_t k = 0; k < n; k++)
			put_le32(body + 4 + 4 * k, words[k]);
		free(l->bytes);
		l->bytes = malloc(sizeof body + MBOOT_FRAME_HEADER);
		l->len = mboot_frame_encode(l->bytes, MBOOT_FRAME_COMMAND, body, 4 + 4 * n);
		return;
	}
	fail_msg("no such response");
}

/* A data frame of the device, by size and number, gets other bytes. */
static void change_data(struct replay *r, size_t len, unsigned nth, const uint8_t *data)
{
	for (size_t i = 0; i < r->n; i++) {
		struct replay_line *l = &r->line[i];
		if (l->to_device || l->len != len + MBOOT_FRAME_HEADER ||
			l->bytes[1] != MBOOT_FRAME_DATA || nth-- > 0)
			continue;
		mboot_frame_encode(l->bytes, MBOOT_FRAME_DATA, data, len);
		return;
	}
	fail_msg("no such data");
}

static void failing_run(void (*spoil)(struct replay *r), const char *message)
{
	json_t *index = json_load_file(MBOOT_DIR "index.json", 0, NULL);
	AUTO(buf_clear) struct buf yaml = { 0 };
	AUTO(config_freep) struct config *config = NULL;
	struct replay *r = calloc(1, sizeof *r);
	struct outcome *o = calloc(1, sizeof *o);

	config_of_session(&yaml, entry_of(index, "devhsm_full.jsonl"));
	wr_str(&yaml, "finalReset: no\n");
	config = config_in_folder(buf_text(&yaml));
	r->max_packet = 512;
	replay_load(r, MBOOT_DIR "devhsm_full.jsonl", false);
	spoil(r);
	run(o, r, config, 0);
	assert_string_equal(r->mismatch, "");
	assert_int_equal(o->rc, -1);
	assert_string_equal(o->e.msg, message);
	assert_int_equal(o->e.code, ERR_DEVICE);
	assert_null(o->result.container.p);
	replay_clear(r);
	free(r);
	free(o);
	json_decref(index);
}

static void small_share(struct replay *r)
{
	change_response(r, 0, (const uint32_t[]){ 0, 32, 64, 64 }, 4);
}
static void small_master_share(struct replay *r)
{
	change_response(r, 0, (const uint32_t[]){ 0, 48, 48, 64 }, 4);
}
static void no_ca_key(struct replay *r)
{
	change_response(r, 0, (const uint32_t[]){ 0, 48, 64 }, 3);
}
static void refused_share(struct replay *r)
{
	change_response(r, 0, (const uint32_t[]){ 10001 }, 1);
}
static void no_auth_key(struct replay *r)
{
	change_response(r, 1, (const uint32_t[]){ 0, 48, 0 }, 3);
}
static void large_enc_blob(struct replay *r)
{
	change_response(r, 2, (const uint32_t[]){ 0, 64, 0 }, 3);
}
static void small_key_blob(struct replay *r)
{
	change_response(r, 3, (const uint32_t[]){ 0, 0x53494D03, 40 }, 3);
}
static void small_signature(struct replay *r)
{
	change_response(r, 4, (const uint32_t[]){ 0, 48 }, 2); /* blocks answer generically */
}
static void auth_key_off_curve(struct replay *r)
{
	uint8_t key[64] = { 1, 2, 3 };
	change_data(r, 64, 2, key);
}
static void wrong_signature(struct replay *r)
{
	uint8_t signature[64] = { 1, 2, 3 };
	change_data(r, 64, 4, signature);
}
/* Block 1 comes back as it went. */
static void plain_block(struct replay *r)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->line[i].to_device && r->line[i].len == 262) {
			change_data(r, 256, 0, r->line[i].bytes + 6);
			return;
		}
	fail_msg("no block in the session");
}

static void wrong_devices(void **state)
{
	(void)state;
	static const struct {
		void (*spoil)(struct replay *r);
		const char *message;
	} cases[] = {
		{ small_share, "trust-provisioning oem_gen_master_share: the device reports 32, "
			       "64, 64, want 48, 64, 64" },
		{ small_master_share, "trust-provisioning oem_gen_master_share: the device reports "
				      "48, 48, 64, want 48, 64, 64" },
		{ no_ca_key, "trust-provisioning oem_gen_master_share: the device reports 48, 64, "
			     "want 48, 64, 64" },
		{ refused_share,
			"trust-provisioning oem_gen_master_share: 10001 SecurityViolation (not "
			"permitted in this life cycle or security state)" },
		{ no_auth_key, "trust-provisioning hsm_gen_key: the device reports 48, 0, want 48, "
			       "64" },
		{ large_enc_blob, "trust-provisioning hsm_gen_key: the device reports 64, 0, want "
				  "48, any" },
		{ small_key_blob, "trust-provisioning hsm_store_key: the device reports "
				  "1397312771, 40, want any, 48" },
		{ small_signature,
			"trust-provisioning hsm_enc_sign: the device reports 48, want 64" },
		{ plain_block, "block 1 of 5: the device gave it back without encrypting it" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		failing_run(cases[i].spoil, cases[i].message);
}

static void failing_prefix(void (*spoil)(struct replay *r), const char *prefix)
{
	json_t *index = json_load_file(MBOOT_DIR "index.json", 0, NULL);
	AUTO(buf_clear) struct buf yaml = { 0 };
	AUTO(config_freep) struct config *config = NULL;
	struct replay *r = calloc(1, sizeof *r);
	struct outcome *o = calloc(1, sizeof *o);

	config_of_session(&yaml, entry_of(index, "devhsm_full.jsonl"));
	config = config_in_folder(buf_text(&yaml));
	r->max_packet = 512;
	replay_load(r, MBOOT_DIR "devhsm_full.jsonl", false);
	spoil(r);
	run(o, r, config, 0);
	assert_int_equal(o->rc, -1);
	if (strncmp(o->e.msg, prefix, strlen(prefix)) != 0)
		fail_msg("%s", o->e.msg);
	assert_null(o->result.container.p);
	replay_clear(r);
	free(r);
	free(o);
	json_decref(index);
}

static void wrong_keys_and_signatures(void **state)
{
	(void)state;
	failing_prefix(auth_key_off_curve, "CUST_FW_AUTH key of the device: ");
	failing_prefix(wrong_signature, "the container the device signed does not verify: ");
}

static void wrong_configurations(void **state)
{
	(void)state;
	static const struct {
		const char *text, *message;
	} cases[] = {
		{ "commands: []\n", "/dev_hsm.yaml:1:1: missing key `family`" },
		{ "family: lpc55s69\n",
			"/dev_hsm.yaml:1:9: key `family`: unknown family lpc55s69, want one of "
			"mcxn947, mcxn946, mcxn547, mcxn546" },
		{ "family: mcxn947\noemEncMasterShare: abc\n",
			"/dev_hsm.yaml:2:20: key `oemEncMasterShare`: restoring a share also needs "
			"the seed it was made with: give `oemRandomShare`" },
		{ "family: mcxn947\ncontainerKeyBlobEncryptionKey: "
		  "'000102030405060708090a0b0c0d0e0f'\n",
			"/dev_hsm.yaml:2:32: key `containerKeyBlobEncryptionKey`: CUST_MK_SK of 16 "
			"bytes, a device HSM wraps 32" },
		{ "family: mcxn947\ntimestamp: 0\n",
			"/dev_hsm.yaml:2:12: key `timestamp`: 0 is not a time stamp" },
		{ "family: mcxn947\nbufferAddress: 0x100000000\n",
			"/dev_hsm.yaml:2:16: key `bufferAddress`: " },
		{ "family: mcxn947\ninitialReset: perhaps\n",
			"/dev_hsm.yaml:2:15: key `initialReset`: " },
		{ "family: mcxn947\ncommands:\n  - loadKeyBlob: {offset: 0, wrappingKeyId: "
		  "NXP_CUST_KEK_INT_SK, file: key32.bin, plainInput: bin}\n",
			"/dev_hsm.yaml:3:3: key `commands`: command 1: loadKeyBlob with "
			"plainInput: "
			"the device wraps under NXP_CUST_KEK_EXT_SK, not under key 18" },
		{ "family: mcxn947\ncommands:\n  - loadKeyBlob: {offset: 0, wrappingKeyId: "
		  "NXP_CUST_KEK_EXT_SK, file: key16.bin, plainInput: bin}\n",
			"/dev_hsm.yaml:3:3: key `commands`: command 1: loadKeyBlob with plainInput "
			"has a key of 16 bytes, want 32" },
	};
	struct err e = { 0 };
	char path[100];
	static const uint8_t zeros[32];

	snprintf(path, sizeof path, "%s/key32.bin", folder);
	assert_int_equal(fsio_write(path, zeros, 32, 0600, &e), 0);
	snprintf(path, sizeof path, "%s/key16.bin", folder);
	assert_int_equal(fsio_write(path, zeros, 16, 0600, &e), 0);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		AUTO(config_freep) struct config *config = config_in_folder(cases[i].text);
		struct replay *r = calloc(1, sizeof *r);
		struct outcome *o = calloc(1, sizeof *o);
		char want[500];
		run(o, r, config, 0);
		assert_int_equal(o->rc, -1);
		snprintf(want, sizeof want, "%s%s", folder, cases[i].message);
		if (strncmp(o->e.msg, want, strlen(want)) != 0)
			fail_msg("case %zu: %s", i, o->e.msg);
		assert_int_equal(o->e.code, ERR_CONFIG);
		assert_string_equal(r->mismatch, ""); /* nothing was sent */
		free(r);
		free(o);
	}
}

/* A seed that nobody keeps is worth a word; so is a key that is misspelt. */
static void warnings_of_a_configuration(void **state)
{
	(void)state;
	AUTO(config_freep)
	struct config *config = config_in_folder("family: mcxn947\nfinalRest: no\n");
	struct replay *r = calloc(1, sizeof *r);
	struct outcome *o = calloc(1, sizeof *o);

	r->max_packet = 512;
	run(o, r, config, 0);
	assert_int_equal(o->rc, -1); /* nobody plays the device */
	assert_non_null(strstr(o->warnings, "the OEM seed is made at random and not kept"));
	assert_non_null(strstr(o->warnings, "finalRest"));
	assert_non_null(strstr(o->warnings, "finalReset"));
	free(r);
	free(o);
}

/* An already wrapped CUST_MK_SK goes into the file as it is; a second one is not injected. */
static void wrapped_key_in_the_list(void **state)
{
	(void)state;
	json_t *index = json_load_file(MBOOT_DIR "index.json", 0, NULL);
	const json_t *entry = entry_of(index, "devhsm_full.jsonl");
	AUTO(buf_clear) struct buf yaml = { 0 };
	AUTO(buf_clear) struct buf expected = { 0 };
	AUTO(config_freep) struct config *config = NULL;
	struct replay *r = calloc(1, sizeof *r);
	struct outcome *o = calloc(1, sizeof *o);
	uint8_t blob[48];
	char path[100];

	assert_int_equal(hex_decode(blob, 48,
				 json_string_value(json_object_get(entry, "wrapped_cust_mk_sk"))),
		0);
	snprintf(path, sizeof path, "%s/blob.bin", folder);
	assert_int_equal(fsio_write(path, blob, sizeof blob, 0600, &o->e), 0);
	config_of_session(&yaml, entry); /* also gives the plain key, which then is not used */
	wr_str(&yaml, "  - loadKeyBlob: {offset: 0, wrappingKeyId: NXP_CUST_KEK_EXT_SK, file: "
		      "blob.bin, plainInput: no}\n");
	config = config_in_folder(buf_text(&yaml));

	/* The recorded session without its step 5: write-memory 32 bytes (10 lines with ACKs),
	 * hsm_store_key, read-memory. */
	r->max_packet = 512;
	replay_load(r, MBOOT_DIR "devhsm_full.jsonl", false);
	size_t from = 0, to = 0;
	for (size_t i = 0; i < r->n; i++) {
		if (r->line[i].to_device && r->line[i].len == 38 &&
			r->line[i].bytes[1] == MBOOT_FRAME_DATA)
			from = i - 4; /* command, ACK, response, ACK stand before the data */
		if (!r->line[i].to_device && r->line[i].len == 54 && from && !to)
			to = i + 4; /* data, ACK, final response, ACK */
	}
	assert_true(from && to > from);
	for (size_t i = from; i < to; i++)
		free(r->line[i].bytes);
	memmove(&r->line[from], &r->line[to], (r->n - to) * sizeof r->line[0]);
	r->n -= to - from;

	run(o, r, config, 0);
	assert_string_equal(r->mismatch, "");
	if (o->rc != 0)
		fail_msg("%s", o->e.msg);
	read_file(MBOOT_DIR "devhsm_full.sb", &expected);
	assert_int_equal(o->result.container.len, expected.len);
	assert_memory_equal(o->result.container.p, expected.p, expected.len);
	assert_true(o->result.has_key_blob);
	assert_non_null(strstr(o->warnings, "key is not used: `commands` has a loadKeyBlob"));
	assert_non_null(strstr(o->warnings, "wrapped under the share of an earlier session"));
	devhsm_result_clear(&o->result);
	replay_clear(r);
	free(r);
	free(o);
	json_decref(index);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(full_run),
		cmocka_unit_test(without_key),
		cmocka_unit_test(restored_share),
		cmocka_unit_test(workspace_keeps_intermediate_files),
		cmocka_unit_test(session_of_calls),
		cmocka_unit_test(wrapped_key_in_the_list),
		cmocka_unit_test(warnings_of_a_configuration),
		cmocka_unit_test(wrong_devices),
		cmocka_unit_test(wrong_keys_and_signatures),
		cmocka_unit_test(wrong_configurations),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}

/* Every recorded session in which a host takes part, replayed against our host: the same calls
 * must put the same bytes on the wire, and what the device answered must come out of the calls.
 * Where the recorded host gives up on a NAK or a damaged frame ours has to go on instead; those
 * sessions get the device's repetition appended and are named below. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "mboot/status.h"
#include "mboot_replay.h"

#define DIR "tests/vectors/mboot/"

/* One command of a session, as its frames tell it. */
struct op {
	uint8_t tag;
	uint32_t p[MBOOT_MAX_PARAMS];
	size_t n;
	struct buf out, in; /* data frames to and from the device */
	uint32_t status; /* of its last response */
	uint32_t words[MBOOT_MAX_PARAMS]; /* of its first response, behind the status */
	size_t n_words;
	bool answered;
};

enum { MAX_OPS = 200 };

static void take_frame(struct op *ops, size_t *n, const struct mboot_frame *f, bool to_device)
{
	struct op *op = *n ? &ops[*n - 1] : NULL;

	if (f->type == MBOOT_FRAME_COMMAND && to_device) {
		assert_true(*n < MAX_OPS);
		op = &ops[(*n)++];
		*op = (struct op){ .tag = f->payload[0], .n = f->payload[3] };
		for (size_t k = 0; k < op->n; k++)
			op->p[k] = get_le32(f->payload + 4 + 4 * k);
	} else if (f->type == MBOOT_FRAME_COMMAND && op) {
		size_t words = f->payload[3];
		op->status = get_le32(f->payload + 4);
		if (!op->answered && f->payload[0] != MBOOT_RSP_GENERIC)
			for (op->n_words = 0; op->n_words + 1 < words; op->n_words++)
				op->words[op->n_words] = get_le32(f->payload + 8 + 4 * op->n_words);
		op->answered = true;
	} else if (f->type == MBOOT_FRAME_DATA && op) {
		wr_bytes(to_device ? &op->out : &op->in, f->payload, f->len);
	}
}

static size_t read_ops(const struct replay *r, struct op *ops)
{
	struct mboot_decoder *d = malloc(sizeof *d);
	size_t n = 0;

	for (size_t i = 0; i < r->n; i++) {
		const struct replay_line *l = &r->line[i];
		struct mboot_frame f;
		size_t room;

		/* After a NAK the device gets the same frame once more: not a new command. */
		if (l->to_device && i && !r->line[i - 1].to_device && r->line[i - 1].len == 2 &&
			r->line[i - 1].bytes[1] == MBOOT_FRAME_NAK)
			continue;
		mboot_decoder_init(d, MBOOT_MAX_PAYLOAD);
		memcpy(mboot_decoder_space(d, &room), l->bytes, l->len);
		mboot_decoder_added(d, l->len);
		if (mboot_decoder_next(d, &f) == MBOOT_FOUND_FRAME)
			take_frame(ops, &n, &f, l->to_device);
	}
	free(d);
	return n;
}

/* --- calls ------------------------------------------------------------------------------------ */

struct result {
	int rc;
	struct err e;
	uint32_t words[MBOOT_MAX_PARAMS];
	size_t n_words;
	struct buf in;
};

static void call(struct mboot *m, const struct op *op, struct result *r, bool verify)
{
	const uint32_t *p = op->p;
	struct err *e = &r->e;
	/* Sessions that the device ends early show only the first part of the data. */
	uint8_t *data = calloc(1, 70000);
	if (op->out.len)
		memcpy(data, op->out.p, op->out.len);

	switch ((enum mboot_tag)op->tag) {
	case MBOOT_CMD_FLASH_ERASE_ALL:
		r->rc = mboot_flash_erase_all(m, p[0], e);
		break;
	case MBOOT_CMD_FLASH_ERASE_REGION:
		r->rc = mboot_flash_erase_region(m, p[0], p[1], p[2], e);
		break;
	case MBOOT_CMD_READ_MEMORY:
		r->rc = mboot_read_memory(m, p[0], p[1], p[2], &r->in, e);
		break;
	case MBOOT_CMD_WRITE_MEMORY:
		r->rc = mboot_write_memory(m, p[0], data, p[1], p[2], e);
		break;
	case MBOOT_CMD_FILL_MEMORY:
		r->rc = mboot_fill_memory(m, p[0], p[1], p[2], e);
		break;
	case MBOOT_CMD_GET_PROPERTY:
		r->rc = mboot_get_property(
			m, p[0], p[1], r->words, MBOOT_MAX_PARAMS, &r->n_words, e);
		break;
	case MBOOT_CMD_SET_PROPERTY:
		r->rc = mboot_set_property(m, p[0], p[1], e);
		break;
	case MBOOT_CMD_RECEIVE_SB_FILE:
		r->rc = mboot_receive_sb_file(m, data, p[0], e);
		break;
	case MBOOT_CMD_EXECUTE:
		r->rc = mboot_execute(m, p[0], p[1], p[2], e);
		break;
	case MBOOT_CMD_CALL:
		r->rc = mboot_call(m, p[0], p[1], e);
		break;
	case MBOOT_CMD_RESET:
		r->rc = mboot_reset(m, e);
		break;
	case MBOOT_CMD_FLASH_PROGRAM_ONCE:
		if (p[1] == 4)
			r->rc = mboot_efuse_program_once(
				m, p[0], p[2], (p[0] & MBOOT_FUSE_LOCK_BIT) != 0, verify, e);
		else
			r->rc = mboot_flash_program_once(m, p[0], p[1], p + 2, e);
		break;
	case MBOOT_CMD_FLASH_READ_ONCE:
		r->words[0] = p[1];
		r->n_words = 1 + p[1] / 4;
		r->rc = p[1] == 4 ? mboot_efuse_read_once(m, p[0], r->words + 1, e)
				  : mboot_flash_read_once(m, p[0], p[1], r->words + 1, e);
		break;
	case MBOOT_CMD_CONFIGURE_MEMORY:
		r->rc = mboot_configure_memory(m, p[0], p[1], e);
		break;
	case MBOOT_CMD_KEY_PROVISIONING:
		r->rc = mboot_key_provisioning(m, p, op->n, NULL, 0, op->in.len ? &r->in : NULL, e);
		break;
	case MBOOT_CMD_TRUST_PROVISIONING:
		r->rc = mboot_trust_provisioning(
			m, p, op->n, r->words, MBOOT_MAX_PARAMS, &r->n_words, e);
		break;
	case MBOOT_CMD_FLASH_SECURITY_DISABLE:
	case MBOOT_CMD_FLASH_ERASE_ALL_UNSECURE:
	case MBOOT_CMD_FLASH_READ_RESOURCE:
	case MBOOT_CMD_RELIABLE_UPDATE:
	case MBOOT_CMD_GENERATE_KEY_BLOB:
	case MBOOT_CMD_FUSE_PROGRAM:
	case MBOOT_CMD_FUSE_READ:
	case MBOOT_CMD_UPDATE_LIFE_CYCLE:
	case MBOOT_CMD_ELE_MESSAGE:
	case MBOOT_CMD_EL2GO:
		fail_msg("command 0x%02x is in no session", op->tag);
	}
	free(data);
}

static bool counts_as_success(const struct op *op)
{
	return op->status == 0 || (op->tag == MBOOT_CMD_RECEIVE_SB_FILE &&
					  (op->status == MBOOT_STATUS_ROMLDR_PENDING_JUMP ||
						  op->status == MBOOT_STATUS_ROMLDR_PENDING_RESET));
}

static void check_result(const char *file, struct mboot *m, const struct op *op, struct result *r)
{
	if (counts_as_success(op)) {
		if (r->rc != 0)
			fail_msg("%s: command 0x%02x: %s", file, op->tag, r->e.msg);
		assert_int_equal(mboot_last_status(m), op->status);
		if (op->n_words && !op->in.len && op->tag != MBOOT_CMD_READ_MEMORY &&
			op->tag != MBOOT_CMD_FLASH_PROGRAM_ONCE) {
			assert_int_equal(r->n_words, op->n_words);
			assert_memory_equal(r->words, op->words, 4 * op->n_words);
		}
		assert_int_equal(r->in.len, op->in.len);
		if (op->in.len)
			assert_memory_equal(r->in.p, op->in.p, op->in.len);
		return;
	}
	assert_int_equal(r->rc, -1);
	assert_int_equal(r->e.code, ERR_DEVICE);
	assert_int_equal(r->e.device, op->status);
	if (!strstr(r->e.msg, mboot_status_name(op->status)))
		fail_msg("%s: message without the status name: %s", file, r->e.msg);
	assert_int_equal(r->in.len, 0);
}

/* The device's repetition where the recorded host has given up. */
static void append_repetition(struct replay *r, const char *file)
{
	uint8_t body[12] = { MBOOT_RSP_GET_PROPERTY, 0, 0, 2 }, frame[18];
	uint8_t ack[2], nak[2];

	put_le32(body + 8, 0x4B030100);
	size_t len = mboot_frame_encode(frame, MBOOT_FRAME_COMMAND, body, sizeof body);
	mboot_frame_short(ack, MBOOT_FRAME_ACK);
	mboot_frame_short(nak, MBOOT_FRAME_NAK);
	if (strcmp(file, "nak_command_no_retry.jsonl") == 0) {
		replay_append(r, true, r->line[0].bytes, r->line[0].len);
		replay_append(r, false, ack, 2);
	} else {
		/* the last line is the ACK of the damaged response: ours is a NAK */
		memcpy(r->line[r->n - 1].bytes, nak, 2);
	}
	replay_append(r, false, frame, len);
	replay_append(r, true, ack, 2);
}

static void replay_session(const char *file, const json_t *entry)
{
	char path[200];
	struct replay *r = calloc(1, sizeof *r);
	struct op *ops = calloc(MAX_OPS, sizeof *ops);
	const char *style = json_string_value(json_object_get(entry, "host_style"));
	bool asks_11 = strcmp(file, "get_property_11.jsonl") == 0 ||
		       strcmp(file, "cpp_nak_command_retry.jsonl") == 0;
	bool gives_up = strcmp(file, "nak_command_no_retry.jsonl") == 0 ||
			strcmp(file, "bad_crc_response_acked.jsonl") == 0;
	bool silent = strcmp(file, "missing_ack.jsonl") == 0;

	snprintf(path, sizeof path, DIR "%s", file);
	r->loose_acks = strncmp(style, "C++", 3) == 0;
	r->max_packet = (uint32_t)json_integer_value(json_object_get(entry, "max_packet_size"));
	replay_load(r, path, asks_11);
	if (gives_up)
		append_repetition(r, file);
	size_t n = read_ops(r, ops);

	struct mboot_io io = replay_io(r);
	struct mboot_options o = replay_options(r);
	struct mboot *m;
	struct err e = { 0 };
	assert_int_equal(mboot_new(&m, &io, &o, &e), 0);
	assert_int_equal(mboot_ping(m, NULL, &e), 0);
	unsigned pings = r->pings;
	uint32_t last_status = 0;
	bool verify = strcmp(file, "efuse_program_verify.jsonl") == 0;
	for (size_t i = 0; i < n; i++) {
		struct result res = { 0 };
		if (verify && ops[i].tag == MBOOT_CMD_FLASH_READ_ONCE)
			break; /* the host's own check, made by the call before */
		call(m, &ops[i], &res, verify);
		if (r->mismatch[0])
			fail_msg("%s: %s", file, r->mismatch);
		if (silent) {
			assert_int_equal(res.rc, -1);
			assert_int_equal(res.e.code, ERR_TIMEOUT);
			assert_string_equal(res.e.msg, "get-property: no ACK within 1001 ms; the "
						       "device still answers pings");
			assert_int_equal(r->pings, pings + 1);
		} else if (strcmp(file, "reset_no_response.jsonl") == 0) {
			assert_int_equal(res.rc, 0);
		} else {
			last_status = ops[i].status;
			if (verify)
				last_status = ops[i].status = 0;
			check_result(file, m, &ops[i], &res);
		}
		buf_clear(&res.in);
	}
	if (!replay_done(r))
		fail_msg("%s: stopped at line %zu of %zu", file, r->at, r->n);
	json_t *status = json_object_get(entry, "host_status");
	if (status && !silent && json_integer_value(status) != 0)
		assert_int_equal(last_status, json_integer_value(status));
	if (gives_up)
		assert_int_equal(mboot_stats(m)->naks + mboot_stats(m)->damaged, 1);

	mboot_free(m);
	for (size_t i = 0; i < n; i++) {
		buf_clear(&ops[i].out);
		buf_clear(&ops[i].in);
	}
	replay_clear(r);
	free(r);
	free(ops);
}

static void every_session(void **state)
{
	(void)state;
	json_t *index = json_load_file(DIR "index.json", 0, NULL), *entry;
	size_t i, played = 0;

	assert_non_null(index);
	json_array_foreach(index, i, entry)
	{
		replay_session(json_string_value(json_object_get(entry, "file")), entry);
		played++;
	}
	/* All of them: each is marked for hosts or for both sides. */
	assert_int_equal(played, 93);
	json_decref(index);
}

/* The peer itself must notice a wrong byte, or the test above means nothing. */
static void a_wrong_byte_is_noticed(void **state)
{
	(void)state;
	struct replay *r = calloc(1, sizeof *r);
	struct err e = { 0 };
	struct mboot *m;

	r->max_packet = 512;
	replay_load(r, DIR "fill_memory.jsonl", false);
	r->line[0].bytes[12] ^= 1;
	struct mboot_io io = replay_io(r);
	struct mboot_options o = replay_options(r);
	assert_int_equal(mboot_new(&m, &io, &o, &e), 0);
	assert_int_equal(mboot_ping(m, NULL, &e), 0);
	assert_int_equal(mboot_fill_memory(m, 0x20010000, 64, 0x11223344, &e), -1);
	assert_string_not_equal(r->mismatch, "");
	mboot_free(m);
	replay_clear(r);
	free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_session),
		cmocka_unit_test(a_wrong_byte_is_noticed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

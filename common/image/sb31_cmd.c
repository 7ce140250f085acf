/* The commands inside a decrypted SB3.1 stream. One table says what each looks like; the builder,
 * the parser and the simulator go by the same rows. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "image/sb31.h"

enum data_kind {
	DATA_NONE,
	DATA_BYTES, /* word 2 is a length in bytes */
	DATA_WORDS, /* word 2 is a count of 32-bit words */
};

struct row {
	uint32_t tag;
	const char *name;
	bool supported; /* false: known on other parts, no MCX N command */
	bool ext; /* four more words */
	enum data_kind data;
	uint8_t tail; /* zero bytes behind the padded data */
};

static const struct row rows[] = {
	{ SB31_ERASE, "erase", true, true, DATA_NONE, 0 },
	{ SB31_LOAD, "load", true, true, DATA_BYTES, 0 },
	{ SB31_EXECUTE, "execute", true, false, DATA_NONE, 0 },
	{ 0x04, "call", false, false, DATA_NONE, 0 },
	{ SB31_PROGRAM_FUSES, "programFuses", true, false, DATA_WORDS, 0 },
	{ SB31_PROGRAM_IFR, "programIFR", true, false, DATA_BYTES, 0 },
	{ SB31_LOAD_CMAC, "loadCMAC", true, true, DATA_BYTES, 0 },
	{ SB31_COPY, "copy", true, true, DATA_NONE, 0 },
	{ SB31_LOAD_HASH_LOCKING, "loadHashLocking", true, true, DATA_BYTES, 64 },
	{ SB31_LOAD_KEY_BLOB, "loadKeyBlob", true, false, DATA_BYTES, 0 },
	{ SB31_CONFIGURE_MEMORY, "configureMemory", true, false, DATA_NONE, 0 },
	{ SB31_FILL_MEMORY, "fillMemory", true, true, DATA_NONE, 0 },
	{ SB31_CHECK_FW_VERSION, "checkFwVersion", true, false, DATA_NONE, 0 },
	{ 0x0E, "reset", false, false, DATA_NONE, 0 },
	{ 0x0F, "checkLifecycle", false, false, DATA_NONE, 0 },
	{ 0x10, "writeIFR", false, false, DATA_NONE, 0 },
};

static const struct row *find(uint32_t tag)
{
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (rows[i].tag == tag)
			return &rows[i];
	return NULL;
}

const char *sb31_cmd_name(uint32_t tag)
{
	const struct row *row = find(tag);
	return row ? row->name : NULL;
}

int sb31_section(const uint8_t head[SB31_SECTION_HEADER], uint32_t *length, struct err *e)
{
	uint32_t uid = get_le32(head), type = get_le32(head + 4), zero = get_le32(head + 12);

	if (uid != 1 || type != 1 || zero != 0)
		return err_set(e, ERR_FORMAT,
			"SB3.1: section header says UID %u, type %u, reserved %u, wanted 1, 1, 0",
			uid, type, zero);
	*length = get_le32(head + 8);
	return 0;
}

int sb31_cmd_size(
	const uint8_t head[16], size_t *total, size_t *data_off, size_t *data_len, struct err *e)
{
	uint32_t magic = get_le32(head), tag = get_le32(head + 12);
	const struct row *row = find(tag);

	if (magic != SB31_CMD_MAGIC)
		return err_set(
			e, ERR_FORMAT, "SB3.1: command magic is 0x%08x, wanted 0x55aaaa55", magic);
	if (!row)
		return err_set(e, ERR_FORMAT, "SB3.1: unknown command code 0x%02x", tag);
	if (!row->supported)
		return err_set(e, ERR_FORMAT, "SB3.1: command code 0x%02x (%s) is not one of MCX N",
			tag, row->name);
	uint64_t len = 0;
	switch (row->data) {
	case DATA_NONE:
		break;
	case DATA_BYTES:
		len = get_le32(head + 8);
		break;
	case DATA_WORDS:
		len = 4 * (uint64_t)get_le32(head + 8);
		break;
	}
	if (len > SB31_MAX_DATA)
		return err_set(e, ERR_LIMIT, "SB3.1: %s with %llu bytes of data, at most %llu",
			row->name, (unsigned long long)len, (unsigned long long)SB31_MAX_DATA);
	size_t off = row->ext ? 32 : 16;
	if (total)
		*total = off + (size_t)((len + 15) / 16 * 16) + row->tail;
	if (data_off)
		*data_off = off;
	if (data_len)
		*data_len = (size_t)len;
	return 0;
}

int sb31_cmd_next(struct rd *stream, struct sb31_cmd *out, struct err *e)
{
	size_t total, off, data_len;

	if (stream->left == 0)
		return 0;
	if (stream->left < 16)
		return err_set(e, ERR_FORMAT,
			"SB3.1: %zu bytes left, too few for a command header of 16", stream->left);
	if (sb31_cmd_size(stream->p, &total, &off, &data_len, e) != 0)
		return -1;
	const uint8_t *p = rd_bytes(stream, total);
	if (!p)
		return err_set(e, ERR_FORMAT, "SB3.1: %s of %zu bytes, but %zu left in the section",
			sb31_cmd_name(get_le32(stream->p + 12)), total, stream->left);

	const struct row *row = find(get_le32(p + 12));
	struct sb31_cmd cmd = {
		.tag = get_le32(p + 12),
		.w1 = get_le32(p + 4),
		.w2 = get_le32(p + 8),
		.data = row && row->data != DATA_NONE ? p + off : NULL,
		.data_len = data_len,
		.size = total,
	};
	for (size_t i = 0; off == 32 && i < 4; i++)
		cmd.ext[i] = get_le32(p + 16 + 4 * i);
	*out = cmd;
	return 1;
}

char *sb31_cmd_text(char out[160], const struct sb31_cmd *c)
{
	const char *name = sb31_cmd_name(c->tag);

	*out = 0;
	switch ((enum sb31_tag)c->tag) {
	case SB31_ERASE:
		snprintf(out, 160, "%s 0x%08x, %u bytes, memory 0x%x", name, c->w1, c->w2,
			c->ext[0]);
		break;
	case SB31_LOAD:
	case SB31_LOAD_CMAC:
	case SB31_LOAD_HASH_LOCKING:
		snprintf(out, 160, "%s 0x%08x, %u bytes, memory 0x%x", name, c->w1, c->w2,
			c->ext[0]);
		break;
	case SB31_EXECUTE:
		snprintf(out, 160, "%s 0x%08x", name, c->w1);
		break;
	case SB31_PROGRAM_FUSES:
		snprintf(out, 160, "%s index %u, %u words", name, c->w1, c->w2);
		break;
	case SB31_PROGRAM_IFR:
		snprintf(out, 160, "%s 0x%08x, %u bytes", name, c->w1, c->w2);
		break;
	case SB31_COPY:
		snprintf(out, 160, "%s 0x%08x memory 0x%x to 0x%08x memory 0x%x, %u bytes", name,
			c->w1, c->ext[1], c->ext[0], c->ext[2], c->w2);
		break;
	case SB31_LOAD_KEY_BLOB:
		snprintf(out, 160, "%s offset %u, key wrap id %u%s, %u bytes", name, c->w1 & 0xFFFF,
			c->w1 >> 16,
			c->w1 >> 16 == SB31_KEK_INT   ? " (NXP_CUST_KEK_INT_SK)"
			: c->w1 >> 16 == SB31_KEK_EXT ? " (NXP_CUST_KEK_EXT_SK)"
						      : "",
			c->w2);
		break;
	case SB31_CONFIGURE_MEMORY:
		snprintf(out, 160, "%s memory 0x%x, configuration at 0x%08x", name, c->w1, c->w2);
		break;
	case SB31_FILL_MEMORY:
		snprintf(out, 160, "%s 0x%08x, %u bytes, pattern 0x%08x", name, c->w1, c->w2,
			c->ext[0]);
		break;
	case SB31_CHECK_FW_VERSION:
		snprintf(out, 160, "%s value %u, counter %u", name, c->w1, c->w2);
		break;
	}
	return out;
}

json_t *sb31_cmd_json(const struct sb31_cmd *c)
{
	char sha[65];
	uint8_t hash[32];
	const struct row *row = find(c->tag);
	json_t *j = row ? json_pack("{s:s, s:I, s:I}", "command", row->name, "word1",
				  (json_int_t)c->w1, "word2", (json_int_t)c->w2)
			: NULL;

	if (!j)
		return NULL;
	if (row->ext)
		json_object_set_new(j, "ext",
			json_pack("[I,I,I,I]", (json_int_t)c->ext[0], (json_int_t)c->ext[1],
				(json_int_t)c->ext[2], (json_int_t)c->ext[3]));
	if (row->data != DATA_NONE) {
		/* A digest, not the bytes: output lands in logs. */
		sha256_of(c->data, c->data_len, hash);
		json_object_set_new(j, "data_length", json_integer((json_int_t)c->data_len));
		json_object_set_new(j, "data_sha256", json_string(hex_encode(sha, hash, 32)));
	}
	return j;
}

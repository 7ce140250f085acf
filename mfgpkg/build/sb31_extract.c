#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/fsio.h"
#include "mfgpkg/build/sb31_extract.h"
#include "mfgpkg/firmware/firmware.h"

struct ctx {
	const char *dir;
	struct buf yaml;
	unsigned n; /* commands so far */
};

static int write_new(const char *dir, const char *name, const void *data, size_t len, struct err *e)
{
	AUTO(str_freep) char *path = path_join(dir, name);

	if (!path)
		return err_set(e, ERR_ENV, "%s: out of memory", name);
	return fsio_write_new(path, data, len, 0600, e);
}

/* A text in single quotes, where only the quote itself needs doubling. */
static void put_quoted(struct buf *b, const uint8_t *text, size_t len)
{
	wr_u8(b, '\'');
	for (size_t i = 0; i < len; i++) {
		wr_u8(b, text[i]);
		if (text[i] == '\'')
			wr_u8(b, '\'');
	}
	wr_u8(b, '\'');
}

static int put_header(
	struct ctx *c, const struct sb31 *sb, const struct sb31_stream *s, struct err *e)
{
	struct buf *y = &c->yaml;
	size_t n = 0;

	while (n < sizeof sb->description && sb->description[n])
		n++;
	for (size_t i = 0; i < n; i++)
		if (sb->description[i] < 0x20 || sb->description[i] > 0x7E)
			return err_set(e, ERR_CONFIG, "the description is not ASCII text");
	wr_str(y, "# What the container holds. Put the signing key and CUST_MK_SK beside this file "
		  "under the\n# names below, and sb31 export gives the same bytes but for the "
		  "signature of block 0.\n");
	wr_str(y, "family: mcxn947   # a container does not say which part of the series\n"
		  "containerOutputFile: image.sb3\n"
		  "certBlock: cert_block.bin\n"
		  "signer: signer.pem\n");
	if (s->rights >= 0)
		wr_printf(y, "containerKeyBlobEncryptionKey: cust_mk_sk.key\nkdkAccessRights: %d\n",
			s->rights);
	else
		wr_str(y, "isEncrypted: false\n");
	wr_printf(y,
		"firmwareVersion: %u\nisNxpContainer: %s\ncontainerConfigurationWord: 0x%x\n"
		"timestamp: 0x%" PRIx64 "\n",
		sb->firmware_version, sb->image_type == SB31_IMAGE_NXP ? "true" : "false",
		sb->flags, sb->timestamp);
	if (n) {
		wr_str(y, "description: ");
		put_quoted(y, sb->description, n);
		wr_str(y, "\n");
	}
	wr_str(y, s->n_cmds ? "commands:\n" : "commands: []\n");
	return 0;
}

static int cannot(const struct ctx *c, const struct sb31_cmd *cmd, const char *why, struct err *e)
{
	return err_set(e, ERR_CONFIG, "command %u (%s): %s: no configuration can express it", c->n,
		sb31_cmd_name(cmd->tag), why);
}

static void put_words(struct ctx *c, const char *key, const struct sb31_cmd *cmd)
{
	wr_printf(&c->yaml, "      %s: [", key);
	for (size_t i = 0; i + 4 <= cmd->data_len; i += 4)
		wr_printf(&c->yaml, "%s0x%x", i ? ", " : "", get_le32(cmd->data + i));
	wr_str(&c->yaml, "]\n");
}

/* The data in a file of its own. `firmware`: an export looks for program formats in this file; data
 * that would be taken for one stands as numbers instead. */
static int put_data(struct ctx *c, const struct sb31_cmd *cmd, bool firmware, struct err *e)
{
	char name[80];

	if (cmd->data_len == 0)
		return cannot(c, cmd, "no data", e);
	snprintf(name, sizeof name, "%03u-%s.bin", c->n, sb31_cmd_name(cmd->tag));
	if (firmware) {
		struct firmware f = { 0 };
		struct err drop;
		bool raw = firmware_parse(&f, name, cmd->data, cmd->data_len, NULL, NULL, &drop) ==
				   0 &&
			   f.kind == FIRMWARE_RAW;
		firmware_clear(&f);
		if (!raw && cmd->data_len % 4)
			return cannot(c, cmd, "data that looks like a program file", e);
		if (!raw) {
			put_words(c, "data", cmd);
			return 0;
		}
	}
	wr_printf(&c->yaml, "      file: %s\n", name);
	return write_new(c->dir, name, cmd->data, cmd->data_len, e);
}

static int put_key_blob(struct ctx *c, const struct sb31_cmd *cmd, struct err *e)
{
	uint32_t id = cmd->w1 >> 16;

	if (id != SB31_KEK_INT && id != SB31_KEK_EXT)
		return cannot(c, cmd, "another key wrap id than 18 and 19", e);
	wr_printf(&c->yaml, "      offset: 0x%x\n      wrappingKeyId: %s\n", cmd->w1 & 0xFFFF,
		id == SB31_KEK_INT ? "NXP_CUST_KEK_INT_SK" : "NXP_CUST_KEK_EXT_SK");
	return put_data(c, cmd, false, e);
}

static int put_counter(struct ctx *c, const struct sb31_cmd *cmd, struct err *e)
{
	static const char *const names[] = { "none", "nonsecure", "secure", "radio", "snt",
		"bootloader", NULL, "radio_lp" };

	if (cmd->w2 >= sizeof names / sizeof *names || !names[cmd->w2])
		return cannot(c, cmd, "a counter without a name", e);
	wr_printf(&c->yaml, "      value: 0x%x\n      counterId: %s\n", cmd->w1, names[cmd->w2]);
	return 0;
}

static int put_command(struct ctx *c, const struct sb31_cmd *cmd, struct err *e)
{
	struct buf *y = &c->yaml;

	c->n++;
	wr_printf(y, "  - %s:\n", sb31_cmd_name(cmd->tag));
	switch ((enum sb31_tag)cmd->tag) {
	case SB31_ERASE:
		wr_printf(y, "      address: 0x%x\n      size: 0x%x\n      memoryId: 0x%x\n",
			cmd->w1, cmd->w2, cmd->ext[0]);
		return 0;
	case SB31_LOAD:
		wr_printf(y, "      address: 0x%x\n      memoryId: 0x%x\n", cmd->w1, cmd->ext[0]);
		return put_data(c, cmd, true, e);
	case SB31_LOAD_CMAC:
	case SB31_LOAD_HASH_LOCKING:
		wr_printf(y, "      address: 0x%x\n      memoryId: 0x%x\n", cmd->w1, cmd->ext[0]);
		return put_data(c, cmd, false, e);
	case SB31_PROGRAM_IFR:
		wr_printf(y, "      address: 0x%x\n", cmd->w1);
		return put_data(c, cmd, true, e);
	case SB31_PROGRAM_FUSES:
		if (cmd->data_len == 0)
			return cannot(c, cmd, "no data", e);
		wr_printf(y, "      address: 0x%x\n", cmd->w1);
		put_words(c, "values", cmd);
		return 0;
	case SB31_EXECUTE:
		wr_printf(y, "      address: 0x%x\n", cmd->w1);
		return 0;
	case SB31_COPY:
		wr_printf(y,
			"      addressFrom: 0x%x\n      memoryIdFrom: 0x%x\n      size: 0x%x\n"
			"      addressTo: 0x%x\n      memoryIdTo: 0x%x\n",
			cmd->w1, cmd->ext[1], cmd->w2, cmd->ext[0], cmd->ext[2]);
		return 0;
	case SB31_LOAD_KEY_BLOB:
		return put_key_blob(c, cmd, e);
	case SB31_CONFIGURE_MEMORY:
		wr_printf(y, "      configAddress: 0x%x\n      memoryId: 0x%x\n", cmd->w2, cmd->w1);
		return 0;
	case SB31_FILL_MEMORY:
		wr_printf(y, "      address: 0x%x\n      size: 0x%x\n      pattern: 0x%x\n",
			cmd->w1, cmd->w2, cmd->ext[0]);
		return 0;
	case SB31_CHECK_FW_VERSION:
		return put_counter(c, cmd, e);
	}
	return err_set(e, ERR_INTERNAL, "command %u", c->n);
}

static void ctx_clear(struct ctx *c)
{
	buf_wipe(&c->yaml);
}

int sb31_extract(const char *dir, const struct sb31 *sb, const struct sb31_stream *s, struct err *e)
{
	AUTO(ctx_clear) struct ctx c = { .dir = dir };
	struct rd r = rd_of(s->plain.p + SB31_SECTION_HEADER, s->length);
	struct sb31_cmd cmd;
	int got;

	if (put_header(&c, sb, s, e) != 0 || fsio_mkdirs(dir, 0700, e) != 0)
		return -1;
	while ((got = sb31_cmd_next(&r, &cmd, e)) == 1)
		if (put_command(&c, &cmd, e) != 0)
			return -1;
	if (got < 0 || buf_check(&c.yaml, "config.yaml", e) != 0 ||
		write_new(dir, "cert_block.bin", sb->block0 + sb->cert_off, sb->cert.size, e) != 0)
		return -1;
	return write_new(dir, "config.yaml", c.yaml.p, c.yaml.len, e);
}

/* SB3.1 containers from configuration files. Keys: SB3.1 format, section 4. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/fsio.h"
#include "base/text.h"
#include "family/family.h"
#include "mfgpkg/build/cert_block_build.h"
#include "mfgpkg/build/sb31_build.h"
#include "mfgpkg/config.h"
#include "mfgpkg/firmware/firmware.h"

#define VALUES_MAX 65536 /* words in a values list */

/* --- data of a command
 * ---------------------------------------------------------------------------- */

static int need_u32(const struct config_node *map, const char *key, uint32_t *out, struct err *e)
{
	const struct config_node *n;
	uint64_t v;

	if (config_need(map, key, &n, e) != 0 || config_number(n, UINT32_MAX, &v, e) != 0)
		return -1;
	*out = (uint32_t)v;
	return 0;
}

static int opt_u32(const struct config_node *map, const char *key, uint32_t *out, struct err *e)
{
	uint64_t v;

	if (config_number_of(map, key, UINT32_MAX, 0, &v, e) != 0)
		return -1;
	*out = (uint32_t)v;
	return 0;
}

/* Comma-separated numbers. 1: a part is no number. */
static int words_of_text(
	const struct config_node *n, const char *text, struct buf *out, struct err *e)
{
	AUTO(str_freep) char *copy = strdup(text);
	char *rest = copy;

	if (!copy)
		return err_set(e, ERR_ENV, "out of memory");
	for (char *part; (part = strsep(&rest, ","));) {
		uint64_t v;
		if (number_parse(part, &v) != 0)
			return 1;
		if (v > UINT32_MAX)
			return config_error(n, e, "\"%s\" does not fit in 32 bits",
				ESC(part + strspn(part, " \t")));
		if (out->len >= 4 * VALUES_MAX)
			return config_error(n, e, "more than %d values", VALUES_MAX);
		wr_le32(out, (uint32_t)v);
	}
	return buf_check(out, "values", e);
}

static int words_of_list(const struct config_node *list, struct buf *out, struct err *e)
{
	if (config_len(list) == 0)
		return config_error(list, e, "an empty list, wanted numbers");
	if (config_len(list) > VALUES_MAX)
		return config_error(list, e, "more than %d values", VALUES_MAX);
	for (size_t i = 0; i < config_len(list); i++) {
		uint64_t v;
		if (config_number(config_at(list, i), UINT32_MAX, &v, e) != 0)
			return -1;
		wr_le32(out, (uint32_t)v);
	}
	return buf_check(out, "values", e);
}

/* The value of `values:` of programFuses: numbers only. */
static int read_words(const struct config_node *n, struct buf *out, struct err *e)
{
	const char *text;
	uint64_t v;

	if (config_kind(n) == CONFIG_LIST)
		return words_of_list(n, out, e);
	if (config_kind(n) == CONFIG_INT) {
		if (config_number(n, UINT32_MAX, &v, e) != 0)
			return -1;
		wr_le32(out, (uint32_t)v);
		return buf_check(out, "values", e);
	}
	if (config_str(n, &text, e) != 0)
		return -1;
	int rc = words_of_text(n, text, out, e);
	return rc <= 0 ? rc
		       : config_error(n, e,
				 "\"%s\" is not a list of numbers (other tools would write 0)",
				 ESC(text));
}

static int read_file(const struct config_node *n, struct buf *out, struct err *e)
{
	AUTO(str_freep) char *path = NULL;

	if (config_path(n, &path, e) != 0)
		return -1;
	if (fsio_read(path, SB31_MAX_DATA, out, e) != 0)
		return -1;
	return out->len ? 0 : config_error(n, e, "%s is empty", path);
}

/* data, value, values, file of load and programIFR, all treated alike: one number, a list of
 * numbers, else the name of a firmware file. */
static int read_source(
	struct keystore *ks, const struct config_node *map, struct buf *out, struct err *e)
{
	const struct config_node *n = config_get_any(map, "data", "value", "values", "file", NULL);
	AUTO(str_freep) char *path = NULL;
	struct err no_file;
	const char *text;
	uint64_t v;

	if (!n)
		return config_error(map, e, "one of data, value, values, file missing");
	if (config_kind(n) == CONFIG_LIST)
		return words_of_list(n, out, e);
	if (config_kind(n) == CONFIG_INT || config_is_number(n)) {
		if (config_number(n, UINT32_MAX, &v, e) != 0)
			return -1;
		wr_le32(out, (uint32_t)v);
		return buf_check(out, "value", e);
	}
	if (config_str(n, &text, e) != 0)
		return -1;
	if (strchr(text, ',')) {
		int rc = words_of_text(n, text, out, e);
		if (rc <= 0)
			return rc;
		out->len = 0;
		if (config_path_of_text(n, text, &path, &no_file) != 0)
			return config_error(n, e,
				"\"%s\" is neither a list of numbers nor the name of a file (other "
				"tools would write 0)",
				ESC(text));
	} else if (config_path(n, &path, e) != 0) {
		return -1;
	}
	if (firmware_load_flat(path, FIRMWARE_FILLER, SB31_MAX_DATA, out, NULL, keystore_warn_text,
		    ks, e) != 0)
		return -1;
	return out->len ? 0 : config_error(n, e, "%s is empty", path);
}

/* The range a command touches must end within 32 bits. */
static int check_range(
	const struct config_node *map, uint32_t address, uint64_t size, struct err *e)
{
	if (size == 0)
		return config_error(map, e, "size is 0");
	if ((uint64_t)address + size > (uint64_t)UINT32_MAX + 1)
		return config_error(map, e, "0x%08x + %llu bytes ends beyond 32 bits", address,
			(unsigned long long)size);
	return 0;
}

/* --- commands
 * --------------------------------------------------------------------------------------- */

struct ctx {
	struct keystore *ks;
	const struct config_node *map;
	struct sb31_item *item;
	struct err *e;
};

static int reject_compress(struct ctx *c)
{
	const struct config_node *n = config_get(c->map, "compress");
	bool on = false;

	if (n && config_bool(n, &on, c->e) != 0)
		return -1;
	return on ? config_error(n, c->e, "MCX N cannot load compressed data") : 0;
}

static int cmd_erase(struct ctx *c)
{
	if (need_u32(c->map, "address", &c->item->w1, c->e) != 0 ||
		need_u32(c->map, "size", &c->item->w2, c->e) != 0 ||
		opt_u32(c->map, "memoryId", &c->item->ext[0], c->e) != 0)
		return -1;
	return check_range(c->map, c->item->w1, c->item->w2, c->e);
}

static int cmd_load(struct ctx *c)
{
	if (reject_compress(c) != 0 || need_u32(c->map, "address", &c->item->w1, c->e) != 0 ||
		opt_u32(c->map, "memoryId", &c->item->ext[0], c->e) != 0 ||
		read_source(c->ks, c->map, &c->item->data, c->e) != 0)
		return -1;
	return check_range(c->map, c->item->w1, c->item->data.len, c->e);
}

static int cmd_program_ifr(struct ctx *c)
{
	if (need_u32(c->map, "address", &c->item->w1, c->e) != 0 ||
		read_source(c->ks, c->map, &c->item->data, c->e) != 0)
		return -1;
	return check_range(c->map, c->item->w1, c->item->data.len, c->e);
}

/* loadCMAC, loadHashLocking: the file as it is, no firmware format is looked for. */
static int cmd_load_raw(struct ctx *c)
{
	const struct config_node *n;

	if (need_u32(c->map, "address", &c->item->w1, c->e) != 0 ||
		opt_u32(c->map, "memoryId", &c->item->ext[0], c->e) != 0 ||
		config_need(c->map, "file", &n, c->e) != 0 ||
		read_file(n, &c->item->data, c->e) != 0)
		return -1;
	return check_range(c->map, c->item->w1, c->item->data.len, c->e);
}

static int cmd_execute(struct ctx *c)
{
	return need_u32(c->map, "address", &c->item->w1, c->e);
}

static int cmd_program_fuses(struct ctx *c)
{
	const struct config_node *n;

	if (need_u32(c->map, "address", &c->item->w1, c->e) != 0 ||
		config_need(c->map, "values", &n, c->e) != 0)
		return -1;
	return read_words(n, &c->item->data, c->e);
}

static int cmd_copy(struct ctx *c)
{
	if (need_u32(c->map, "addressFrom", &c->item->w1, c->e) != 0 ||
		need_u32(c->map, "size", &c->item->w2, c->e) != 0 ||
		need_u32(c->map, "addressTo", &c->item->ext[0], c->e) != 0 ||
		opt_u32(c->map, "memoryIdFrom", &c->item->ext[1], c->e) != 0 ||
		opt_u32(c->map, "memoryIdTo", &c->item->ext[2], c->e) != 0 ||
		check_range(c->map, c->item->w1, c->item->w2, c->e) != 0)
		return -1;
	return check_range(c->map, c->item->ext[0], c->item->w2, c->e);
}

static int cmd_configure_memory(struct ctx *c)
{
	if (opt_u32(c->map, "memoryId", &c->item->w1, c->e) != 0)
		return -1;
	return need_u32(c->map, "configAddress", &c->item->w2, c->e);
}

static int cmd_fill_memory(struct ctx *c)
{
	if (need_u32(c->map, "address", &c->item->w1, c->e) != 0 ||
		need_u32(c->map, "size", &c->item->w2, c->e) != 0 ||
		need_u32(c->map, "pattern", &c->item->ext[0], c->e) != 0)
		return -1;
	return check_range(c->map, c->item->w1, c->item->w2, c->e);
}

static int cmd_check_fw_version(struct ctx *c)
{
	static const struct {
		const char *name;
		uint32_t id;
	} counters[] = { { "none", 0 }, { "nonsecure", 1 }, { "secure", 2 }, { "radio", 3 },
		{ "snt", 4 }, { "bootloader", 5 }, { "radio_lp", 7 } };
	const struct config_node *n;
	const char *text;

	if (need_u32(c->map, "value", &c->item->w1, c->e) != 0 ||
		config_need(c->map, "counterId", &n, c->e) != 0 || config_str(n, &text, c->e) != 0)
		return -1;
	for (size_t i = 0; i < sizeof counters / sizeof *counters; i++)
		if (strcmp(counters[i].name, text) == 0) {
			c->item->w2 = counters[i].id;
			return 0;
		}
	return config_error(n, c->e,
		"\"%s\", wanted none, nonsecure, secure, radio, snt, bootloader or radio_lp",
		ESC(text));
}

/* plainInput: no, bin, hex; an unquoted `no` is a boolean in YAML. */
static int read_plain_input(struct ctx *c, bool *hex, struct err *e)
{
	const struct config_node *n = config_get(c->map, "plainInput");
	const char *text = "no";
	bool flag;

	*hex = false;
	if (!n || config_kind(n) == CONFIG_NULL)
		return 0;
	if (config_kind(n) == CONFIG_BOOL) {
		if (config_bool(n, &flag, e) != 0)
			return -1;
		text = flag ? "bin" : "no";
	} else if (config_str(n, &text, e) != 0) {
		return -1;
	}
	*hex = strcmp(text, "hex") == 0;
	if (!*hex && strcmp(text, "bin") != 0 && strcmp(text, "no") != 0)
		return config_error(n, e, "\"%s\", wanted no, bin or hex", ESC(text));
	if (strcmp(text, "no") != 0)
		c->item->plain_input = SB31_BLOB_PLAIN;
	return 0;
}

/* Hex text becomes its bytes; the text may be a key, so messages do not show it. */
static int decode_hex_data(const struct config_node *n, struct buf *data, struct err *e)
{
	AUTO(buf_wipe) struct buf text = *data;
	const char *p = (const char *)text.p;
	size_t len = text.len;

	*data = (struct buf){ .max = text.max };
	while (len && isspace((unsigned char)*p)) {
		p++;
		len--;
	}
	while (len && isspace((unsigned char)p[len - 1]))
		len--;
	if (len > 2 && p[0] == '0' && (p[1] | 0x20) == 'x') {
		p += 2;
		len -= 2;
	}
	uint8_t *out = len && len % 2 == 0 ? buf_grow(data, len / 2) : NULL;
	if (!out || hex_decode_n(out, len / 2, p, len) != 0)
		return config_error(n, e, "the file is not hex text, as plainInput says");
	return 0;
}

static int cmd_load_key_blob(struct ctx *c)
{
	const struct config_node *n;
	const char *wrap;
	uint64_t offset;
	bool hex;

	if (config_need(c->map, "offset", &n, c->e) != 0 ||
		config_number(n, UINT16_MAX, &offset, c->e) != 0 ||
		config_need(c->map, "wrappingKeyId", &n, c->e) != 0 ||
		config_str(n, &wrap, c->e) != 0)
		return -1;
	uint16_t id = strcmp(wrap, "NXP_CUST_KEK_INT_SK") == 0	 ? SB31_KEK_INT
		      : strcmp(wrap, "NXP_CUST_KEK_EXT_SK") == 0 ? SB31_KEK_EXT
								 : 0;
	if (id == 0)
		return config_error(n, c->e,
			"\"%s\", wanted NXP_CUST_KEK_INT_SK or NXP_CUST_KEK_EXT_SK", ESC(wrap));
	c->item->w1 = sb31_key_blob_word((uint16_t)offset, id);
	if (read_plain_input(c, &hex, c->e) != 0 || config_need(c->map, "file", &n, c->e) != 0 ||
		read_file(n, &c->item->data, c->e) != 0)
		return -1;
	return hex ? decode_hex_data(n, &c->item->data, c->e) : 0;
}

static const struct command {
	const char *name;
	enum sb31_tag tag;
	int (*read)(struct ctx *c);
	const char *keys[9]; /* NULL-ended: what the map may hold */
} commands[] = {
	{ "erase", SB31_ERASE, cmd_erase, { "address", "size", "memoryId" } },
	{ "load", SB31_LOAD, cmd_load,
		{ "address", "memoryId", "data", "value", "values", "file", "compress",
			"sectorSize" } },
	{ "execute", SB31_EXECUTE, cmd_execute, { "address" } },
	{ "programFuses", SB31_PROGRAM_FUSES, cmd_program_fuses, { "address", "values" } },
	{ "programIFR", SB31_PROGRAM_IFR, cmd_program_ifr,
		{ "address", "data", "value", "values", "file" } },
	{ "loadCMAC", SB31_LOAD_CMAC, cmd_load_raw, { "address", "memoryId", "file" } },
	{ "copy", SB31_COPY, cmd_copy,
		{ "addressFrom", "memoryIdFrom", "size", "addressTo", "memoryIdTo" } },
	{ "loadHashLocking", SB31_LOAD_HASH_LOCKING, cmd_load_raw,
		{ "address", "memoryId", "file" } },
	{ "loadKeyBlob", SB31_LOAD_KEY_BLOB, cmd_load_key_blob,
		{ "offset", "wrappingKeyId", "file", "plainInput" } },
	{ "configureMemory", SB31_CONFIGURE_MEMORY, cmd_configure_memory,
		{ "configAddress", "memoryId" } },
	{ "fillMemory", SB31_FILL_MEMORY, cmd_fill_memory, { "address", "size", "pattern" } },
	{ "checkFwVersion", SB31_CHECK_FW_VERSION, cmd_check_fw_version, { "value", "counterId" } },
};

static int unknown_command(const struct config_node *n, const char *name, struct err *e)
{
	const char *names[sizeof commands / sizeof *commands + 1] = { NULL };

	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
		names[i] = commands[i].name;
	const char *near = config_nearest(name, names);
	return config_error(n, e, "unknown command \"%s\"%s%s%s", ESC(name),
		near ? ", did you mean \"" : "", near ? near : "", near ? "\"?" : "");
}

static int read_command(struct sb31_items *items, struct keystore *ks,
	const struct config_node *node, struct err *e)
{
	const char *name = NULL;

	if (config_kind(node) != CONFIG_MAP || config_len(node) != 1)
		return config_error(node, e, "wanted a map with one key, the command's name");
	const struct config_node *map = config_pair(node, 0, &name);
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
		const struct command *cmd = &commands[i];
		if (strcmp(cmd->name, name) != 0)
			continue;
		if (!map || config_kind(map) != CONFIG_MAP)
			return config_error(
				map ? map : node, e, "wanted a map with the command's values");
		struct sb31_item *item = sb31_items_add(items, cmd->tag);
		if (!item)
			return err_set(e, ERR_ENV, "out of memory");
		config_warn_unused_in(map, cmd->keys, keystore_warn_text, ks);
		return cmd->read(&(struct ctx){ ks, map, item, e });
	}
	return unknown_command(node, name, e);
}

int sb31_items_from_config(struct sb31_items *items, struct keystore *ks,
	const struct config_node *list, struct err *e)
{
	if (!list || config_kind(list) == CONFIG_NULL)
		return 0;
	if (config_kind(list) != CONFIG_LIST)
		return config_error(
			list, e, "%s, wanted a list of commands", config_kind_name(list));
	for (size_t i = 0; i < config_len(list); i++)
		if (read_command(items, ks, config_at(list, i), e) != 0)
			return -1;
	return 0;
}

/* --- the container
 * ---------------------------------------------------------------------------------- */

static const char *const known_keys[] = { "family", "revision", "containerOutputFile", "certBlock",
	"signer", "containerKeyBlobEncryptionKey", "kdkAccessRights", "firmwareVersion",
	"description", "isNxpContainer", "containerConfigurationWord", "isEncrypted", "timestamp",
	"commands", NULL };

static int read_family(const struct config_node *root, struct err *e)
{
	const struct config_node *n;
	const char *name;
	enum family_revision revision;

	if (config_need(root, "family", &n, e) != 0 || config_str(n, &name, e) != 0)
		return -1;
	const struct family *family = family_find(name);
	if (!family)
		return config_error(n, e, "unknown family \"%s\", wanted one of %s", ESC(name),
			family_names_list());
	n = config_get(root, "revision");
	if (!n)
		return 0;
	if (config_str(n, &name, e) != 0)
		return -1;
	return family_revision_parse(family, name, &revision) == 0
		       ? 0
		       : config_error(n, e, "\"%s\" is no revision of this family", ESC(name));
}

/* ASCII, cut to 16 bytes. */
static int read_description(
	const struct config_node *root, struct keystore *ks, uint8_t out[16], struct err *e)
{
	const struct config_node *n = config_get(root, "description");
	const char *text;

	if (!n || config_kind(n) == CONFIG_NULL)
		return 0;
	if (config_str(n, &text, e) != 0)
		return -1;
	for (const char *p = text; *p; p++)
		if (*p < 0x20 || *p > 0x7E)
			return config_error(
				n, e, "\"%s\" has other than ASCII characters", ESC(text));
	if (strlen(text) > 16)
		config_warn(n, keystore_warn_text, ks, "description is cut to 16 characters");
	memcpy(out, text, strnlen(text, 16));
	return 0;
}

static int read_timestamp(const struct config_node *root, uint64_t *out, struct err *e)
{
	const struct config_node *n = config_get(root, "timestamp");

	if (!n || config_kind(n) == CONFIG_NULL)
		return sb31_timestamp(out, e);
	if (config_number(n, UINT64_MAX, out, e) != 0)
		return -1;
	return *out ? 0
		    : config_error(n, e,
			      "0 is refused: other tools then write the time of the build into the "
			      "header but derive the keys with 0, which no device can decrypt");
}

/* Header fields and modes: everything but keys and commands. */
static int read_fields(const struct config_node *root, struct keystore *ks, struct sb31_build *b,
	bool *encrypted, struct err *e)
{
	uint64_t rights, version, flags;

	if (read_family(root, e) != 0 ||
		config_number_of(root, "kdkAccessRights", 3, 0, &rights, e) != 0 ||
		config_number_of(root, "firmwareVersion", UINT32_MAX, 1, &version, e) != 0 ||
		config_number_of(root, "containerConfigurationWord", UINT32_MAX, 0, &flags, e) !=
			0 ||
		config_bool_of(root, "isNxpContainer", false, &b->nxp_container, e) != 0 ||
		config_bool_of(root, "isEncrypted", true, encrypted, e) != 0 ||
		read_description(root, ks, b->description, e) != 0 ||
		read_timestamp(root, &b->timestamp, e) != 0)
		return -1;
	b->kdk_access_rights = (unsigned)rights;
	b->firmware_version = (uint32_t)version;
	b->flags = (uint32_t)flags;
	return 0;
}

int sb31_export(const struct config *c, struct keystore *ks, struct buf *out, struct err *e)
{
	const struct config_node *root = config_root(c), *signer_node, *n;
	AUTO(buf_clear) struct buf cert_bytes = { 0 };
	AUTO(sb31_items_clear) struct sb31_items items = { 0 };
	struct sb31_build b = { 0 };
	struct cert_block cert;
	bool encrypted;

	if (read_fields(root, ks, &b, &encrypted, e) != 0)
		return -1;
	if (config_need(root, "certBlock", &n, e) != 0 ||
		cert_block_load(n, ks, &cert_bytes, e) != 0)
		return -1;
	if (config_need(root, "signer", &signer_node, e) != 0 ||
		keystore_key_at(ks, signer_node, &b.signer, e) != 0)
		return -1;
	if (cert_block_parse(&cert, cert_bytes.p, cert_bytes.len, e) != 0)
		return -1;
	if (!ecc_pub_equal(cert_block_signer(&cert), ecc_key_pub(b.signer)))
		return config_error(signer_node, e,
			"this key is not the %s of the certificate block",
			cert.has_isk ? "ISK" : "used root key");
	b.cert_block = cert_bytes.p;
	b.cert_block_len = cert_bytes.len;

	n = config_get(root, "containerKeyBlobEncryptionKey");
	if (encrypted && !n)
		return config_error(root, e,
			"containerKeyBlobEncryptionKey missing (isEncrypted is not false)");
	if (encrypted && keystore_symmetric_at(ks, KEYSTORE_CUST_MK_SK, n, &b.cust_mk_sk, e) != 0)
		return -1;
	if (!encrypted)
		keystore_warn(ks,
			"%s: payloads stay plain text (isEncrypted: false): for tests "
			"only, devices refuse it",
			config_name(c));
	if (config_need(root, "commands", &n, e) != 0 ||
		sb31_items_from_config(&items, ks, n, e) != 0)
		return -1;
	config_get(root, "containerOutputFile");
	config_warn_unused(c, known_keys, keystore_warn_text, ks);
	if (sb31_build(&b, &items, out, e) != 0)
		return err_wrap(e, "%s", config_name(c));
	return 0;
}

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "mboot/command.h"
#include "pkg/container.h"
#include "pkg/script_verbs.h"

/* --- single arguments; i is the word, 1 the first behind the verb ----------------------------- */

static int number_arg(
	const struct script_line *l, size_t i, const char *what, uint32_t *out, struct err *e)
{
	uint64_t v;

	if (script_number(l->words[i].text, UINT32_MAX, &v) != 0)
		return script_error(l, i, e, "%s: \"%s\", a number of at most 32 bits wanted", what,
			ESC(l->words[i].text));
	*out = (uint32_t)v;
	return 0;
}

static int memory_id_arg(
	struct script_step *s, const struct script_line *l, size_t i, struct err *e)
{
	return i < l->n ? number_arg(l, i, "memory id", &s->memory_id, e) : 0;
}

/* A range of the device's address space: length at least 1, no wrap around. */
static int range_args(struct script_step *s, const struct script_line *l, struct err *e)
{
	if (number_arg(l, 1, "address", &s->address, e) != 0 ||
		number_arg(l, 2, "byte count", &s->length, e) != 0)
		return -1;
	if (s->length == 0)
		return script_error(l, 2, e, "byte count: 0, at least 1 wanted");
	if (s->length - 1 > UINT32_MAX - s->address)
		return script_error(l, 2, e, "byte count: reaches beyond 32-bit addresses");
	return 0;
}

static int property_arg(struct script_step *s, const struct script_line *l, size_t i, struct err *e)
{
	uint64_t v;

	if (script_number(l->words[i].text, UINT32_MAX, &v) == 0)
		s->property = (uint32_t)v;
	else if (mboot_property_parse(l->words[i].text, &s->property) != 0)
		return script_error(
			l, i, e, "\"%s\": not a property number or name", ESC(l->words[i].text));
	return 0;
}

/* FILE or FILE,BYTES: a name inside the package. */
static int file_arg(struct script_step *s, const struct script_line *l, size_t i, struct err *e)
{
	const char *text = l->words[i].text;
	const char *comma = strrchr(text, ',');
	size_t len = comma ? (size_t)(comma - text) : strlen(text);
	struct err why = { 0 };
	uint64_t v;

	if (container_name_check(text, len, &why) != 0)
		return script_error(l, i, e,
			"files are names inside the package, host paths are not: %s", why.msg);
	if (comma) {
		if (script_number(comma + 1, UINT32_MAX, &v) != 0 || v == 0)
			return script_error(
				l, i, e, "\"%s\": bytes wanted behind the comma", ESC(text));
		s->has_file_len = true;
		s->file_len = (uint32_t)v;
	}
	s->file = strndup(text, len);
	return s->file ? 0 : err_set(e, ERR_ENV, "%s: out of memory", l->file);
}

/* A word as hex digits, 0x permitted: what fuse commands take. */
static int hex_word(const char *text, size_t max_digits, uint64_t *out)
{
	uint64_t v = 0;

	if (text[0] == '0' && (text[1] | 0x20) == 'x')
		text += 2;
	size_t n = strspn(text, "0123456789abcdefABCDEF");
	if (n == 0 || n > max_digits || text[n])
		return -1;
	for (size_t i = 0; i < n; i++) {
		uint8_t nibble;
		char two[3] = { '0', text[i], 0 };
		if (hex_decode(&nibble, 1, two) != 0)
			return -1;
		v = v << 4 | nibble;
	}
	*out = v;
	return 0;
}

/* --- verbs ------------------------------------------------------------------------------------ */

static int no_args(struct script_step *s, const struct script_line *l, struct err *e)
{
	(void)s, (void)l, (void)e;
	return 0;
}

static int get_property_args(struct script_step *s, const struct script_line *l, struct err *e)
{
	if (property_arg(s, l, 1, e) != 0)
		return -1;
	return l->n > 2 ? number_arg(l, 2, "index", &s->index_arg, e) : 0;
}

static int set_property_args(struct script_step *s, const struct script_line *l, struct err *e)
{
	return property_arg(s, l, 1, e) != 0 ? -1 : number_arg(l, 2, "value", &s->value, e);
}

static int erase_all_args(struct script_step *s, const struct script_line *l, struct err *e)
{
	return memory_id_arg(s, l, 1, e);
}

static int erase_region_args(struct script_step *s, const struct script_line *l, struct err *e)
{
	return range_args(s, l, e) != 0 ? -1 : memory_id_arg(s, l, 3, e);
}

static int read_memory_args(struct script_step *s, const struct script_line *l, struct err *e)
{
	if (l->n > 3)
		return script_error(
			l, 3, e, "read-memory writes no files here: host paths are not allowed");
	if (range_args(s, l, e) != 0)
		return -1;
	if (s->length > SCRIPT_MAX_READ)
		return script_error(
			l, 2, e, "byte count: %u, at most %d wanted", s->length, SCRIPT_MAX_READ);
	return 0;
}

static int write_memory_args(struct script_step *s, const struct script_line *l, struct err *e)
{
	uint8_t data[SCRIPT_MAX_LINE];

	if (number_arg(l, 1, "address", &s->address, e) != 0)
		return -1;
	int is_data = script_hex_data(l->words[2].text, data, sizeof data, &s->data_len);
	if (is_data < 0)
		return script_error(
			l, 2, e, "\"%s\": hex digits wanted inside {{ }}", ESC(l->words[2].text));
	if (is_data > 0) {
		s->data = malloc(s->data_len);
		if (!s->data)
			return err_set(e, ERR_ENV, "%s: out of memory", l->file);
		memcpy(s->data, data, s->data_len);
	} else if (file_arg(s, l, 2, e) != 0) {
		return -1;
	}
	return memory_id_arg(s, l, 3, e);
}

static int fill_memory_args(struct script_step *s, const struct script_line *l, struct err *e)
{
	if (range_args(s, l, e) != 0 || number_arg(l, 3, "pattern", &s->value, e) != 0)
		return -1;
	const char *unit = l->n > 4 ? l->words[4].text : "word";
	uint32_t repeated = strcmp(unit, "byte") == 0	 ? (s->value & 0xFF) * 0x01010101u
			    : strcmp(unit, "short") == 0 ? (s->value & 0xFFFF) * 0x00010001u
							 : s->value;
	if (strcmp(unit, "word") != 0 && strcmp(unit, "short") != 0 && strcmp(unit, "byte") != 0)
		return script_error(l, 4, e, "\"%s\": word, short or byte wanted", ESC(unit));
	/* SPSDK's blhost sends the pattern as it is, the C++ one repeats it first: only a pattern
	 * for which both do the same means one thing. */
	if (repeated != s->value)
		return script_error(l, 3, e,
			"pattern 0x%x as %s: NXP's hosts differ here, write 0x%08x word", s->value,
			unit, repeated);
	return 0;
}

static int receive_sb_args(struct script_step *s, const struct script_line *l, struct err *e)
{
	if (file_arg(s, l, 1, e) != 0)
		return -1;
	return s->has_file_len
		       ? script_error(l, 1, e, "an SB file is sent whole: no byte count wanted")
		       : 0;
}

static int execute_args(struct script_step *s, const struct script_line *l, struct err *e)
{
	if (number_arg(l, 1, "address", &s->address, e) != 0 ||
		number_arg(l, 2, "argument", &s->argument, e) != 0)
		return -1;
	return l->n > 3 ? number_arg(l, 3, "stack pointer", &s->stack, e) : 0;
}

static int configure_memory_args(struct script_step *s, const struct script_line *l, struct err *e)
{
	return number_arg(l, 1, "memory id", &s->memory_id, e) != 0
		       ? -1
		       : number_arg(l, 2, "address", &s->address, e);
}

static int efuse_program_args(struct script_step *s, const struct script_line *l, struct err *e)
{
	uint64_t v;

	if (number_arg(l, 1, "fuse index", &s->index_arg, e) != 0)
		return -1;
	if (hex_word(l->words[2].text, 8, &v) != 0)
		return script_error(
			l, 2, e, "\"%s\": 1 to 8 hex digits wanted", ESC(l->words[2].text));
	s->value = (uint32_t)v;
	if (l->n > 3 && strcmp(l->words[3].text, "lock") == 0)
		s->index_arg |= MBOOT_FUSE_LOCK_BIT;
	else if (l->n > 3 && strcmp(l->words[3].text, "nolock") != 0)
		return script_error(
			l, 3, e, "\"%s\": lock or nolock wanted", ESC(l->words[3].text));
	return 0;
}

static int efuse_read_args(struct script_step *s, const struct script_line *l, struct err *e)
{
	return number_arg(l, 1, "fuse index", &s->index_arg, e);
}

static int once_width(struct script_step *s, const struct script_line *l, struct err *e)
{
	if (number_arg(l, 1, "index", &s->index_arg, e) != 0 ||
		number_arg(l, 2, "byte count", &s->length, e) != 0)
		return -1;
	if (s->length != 4 && s->length != 8)
		return script_error(l, 2, e, "byte count: %u, 4 or 8 wanted", s->length);
	return 0;
}

static int flash_program_args(struct script_step *s, const struct script_line *l, struct err *e)
{
	uint64_t v;
	bool msb = false;

	if (once_width(s, l, e) != 0)
		return -1;
	if (hex_word(l->words[3].text, 2 * s->length, &v) != 0)
		return script_error(l, 3, e, "\"%s\": at most %u hex digits wanted",
			ESC(l->words[3].text), 2 * s->length);
	if (l->n > 4) {
		msb = strcasecmp(l->words[4].text, "MSB") == 0;
		if (!msb && strcasecmp(l->words[4].text, "LSB") != 0)
			return script_error(
				l, 4, e, "\"%s\": LSB or MSB wanted", ESC(l->words[4].text));
	}
	s->data = malloc(s->length);
	if (!s->data)
		return err_set(e, ERR_ENV, "%s: out of memory", l->file);
	s->data_len = s->length;
	for (size_t i = 0; i < s->data_len; i++)
		s->data[msb ? s->data_len - 1 - i : i] = (uint8_t)(v >> 8 * i);
	return 0;
}

static int flash_read_args(struct script_step *s, const struct script_line *l, struct err *e)
{
	return once_width(s, l, e);
}

/* --- trust-provisioning: names, then numbers as they are sent ----------------------------------
 */

struct name_value {
	const char *name;
	uint32_t value;
};

static const struct name_value gen_key_types[] = {
	{ "MFWISK", MBOOT_TP_KEY_MFWISK },
	{ "MFWENCK", MBOOT_TP_KEY_MFWENCK },
	{ "GENSIGNK", MBOOT_TP_KEY_GENSIGNK },
	{ "ENCKEY", MBOOT_TP_KEY_ENCKEY },
	{ "GETCUSTMKSK", MBOOT_TP_KEY_GETCUSTMKSK },
	{ NULL, 0 },
};
static const struct name_value store_key_types[] = {
	{ "CKDFK", MBOOT_TP_KEY_CKDFK },
	{ "HKDFK", MBOOT_TP_KEY_HKDFK },
	{ "HMACK", MBOOT_TP_KEY_HMACK },
	{ "CMACK", MBOOT_TP_KEY_CMACK },
	{ "AESK", MBOOT_TP_KEY_AESK },
	{ "KUOK", MBOOT_TP_KEY_KUOK },
	{ NULL, 0 },
};
static const struct name_value kek_ids[] = {
	{ "NXP_CUST_KEK_INT_SK", MBOOT_KEK_INT_SK },
	{ "NXP_CUST_KEK_EXT_SK", MBOOT_KEK_EXT_SK },
	{ NULL, 0 },
};

static const struct tp_row {
	const char *name;
	enum mboot_tp op;
	size_t min, max; /* numbers behind the name */
	size_t named; /* which of them (from 1) may be a name, 0: none */
	const struct name_value *names;
} tp_rows[] = {
	{ "oem_gen_master_share", MBOOT_TP_OEM_GEN_MASTER_SHARE, 8, 8, 0, NULL },
	{ "oem_set_master_share", MBOOT_TP_OEM_SET_MASTER_SHARE, 4, 4, 0, NULL },
	{ "oem_get_cust_cert_dice_puk", MBOOT_TP_OEM_GET_CUST_CERT_DICE_PUK, 4, 4, 0, NULL },
	{ "hsm_gen_key", MBOOT_TP_HSM_GEN_KEY, 6, 6, 1, gen_key_types },
	{ "hsm_store_key", MBOOT_TP_HSM_STORE_KEY, 6, 6, 1, store_key_types },
	{ "hsm_enc_blk", MBOOT_TP_HSM_ENC_BLK, 8, 8, 3, kek_ids },
	{ "hsm_enc_sign", MBOOT_TP_HSM_ENC_SIGN, 6, 6, 0, NULL },
	{ "oem_get_cust_dice_response", MBOOT_TP_OEM_GET_CUST_DICE_RESPONSE, 4, 4, 0, NULL },
	{ "prove_genuinity", MBOOT_TP_PROVE_GENUINITY, 2, 2, 0, NULL },
	{ "isp_set_wrap_data", MBOOT_TP_ISP_SET_WRAPPED_DATA, 1, 3, 0, NULL },
};

static int tp_number(const struct tp_row *row, const struct script_line *l, size_t i, uint32_t *out,
	struct err *e)
{
	const struct name_value *nv = row->named == i - 1 ? row->names : NULL;

	for (; nv && nv->name; nv++)
		if (strcmp(nv->name, l->words[i].text) == 0) {
			*out = nv->value;
			return 0;
		}
	return number_arg(l, i, row->name, out, e);
}

/* Two operations pack number of arguments and operation into the first word. */
static uint32_t tp_message(enum mboot_tp op, unsigned n)
{
	return 0x17000000u | n << 8 | (uint32_t)op;
}

static int trust_provisioning_args(
	struct script_step *s, const struct script_line *l, struct err *e)
{
	const struct tp_row *row = NULL;
	uint32_t v[8] = { 0 };

	for (size_t i = 0; i < sizeof tp_rows / sizeof *tp_rows; i++)
		if (strcmp(tp_rows[i].name, l->words[1].text) == 0)
			row = &tp_rows[i];
	if (!row)
		return script_error(l, 1, e, "\"%s\": not a trust-provisioning operation",
			ESC(l->words[1].text));
	size_t n = l->n - 2;
	if (n < row->min || n > row->max)
		return script_error(l, 1, e, "%s: %zu numbers, %zu to %zu wanted", row->name, n,
			row->min, row->max);
	for (size_t i = 0; i < n; i++)
		if (tp_number(row, l, i + 2, &v[i], e) != 0)
			return -1;

	if (row->op == MBOOT_TP_PROVE_GENUINITY) { /* address, size of the buffer */
		if (v[1] > 0xFFFF)
			return script_error(l, 3, e, "buffer size: %u, at most 65535 wanted", v[1]);
		s->words[0] = tp_message(row->op, 3);
		s->words[1] = 0; /* upper half of the address */
		s->words[2] = v[0];
		s->words[3] = v[1];
		s->n_words = 4;
	} else if (row->op == MBOOT_TP_ISP_SET_WRAPPED_DATA) { /* address [control] [stage] */
		uint32_t control = n > 1 ? v[1] : v[0] ? 1 : 2, stage = n > 2 ? v[2] : 75;
		if (control > 0xFF || stage > 0xFF)
			return script_error(l, 3, e, "control and stage are bytes");
		s->words[0] = tp_message(row->op, 3);
		s->words[1] = control << 8 | stage;
		s->words[2] = 0;
		s->words[3] = v[0];
		s->n_words = 4;
	} else {
		s->words[0] = (uint32_t)row->op;
		memcpy(s->words + 1, v, n * sizeof *v);
		s->n_words = n + 1;
	}
	return 0;
}

/* --- directives that are steps ------------------------------------------------------------------
 */

static int check_args(struct script_step *s, const struct script_line *l, struct err *e)
{
	char text[SCRIPT_MAX_LINE + SCRIPT_MAX_WORDS];
	size_t n = 0;
	const char *wrong;

	for (size_t i = 1; i < l->n; i++) {
		size_t len = strlen(l->words[i].text);
		memcpy(text + n, l->words[i].text, len);
		n += len;
		text[n++] = ' ';
	}
	text[n - 1] = 0;
	if (script_cond_parse(text, &s->cond, &wrong) != 0)
		return script_error(l, 1, e, "%s", wrong);
	return 0;
}

static int prompt_args(struct script_step *s, const struct script_line *l, struct err *e)
{
	const char *text = l->words[1].text;

	if (!*text || strlen(text) > SCRIPT_TEXT_MAX)
		return script_error(l, 1, e, "a text of 1 to %d bytes wanted", SCRIPT_TEXT_MAX);
	if (l->n > 2) {
		if (strncmp(l->words[2].text, "timeout=", 8) != 0)
			return script_error(
				l, 2, e, "\"%s\": timeout=TIME wanted", ESC(l->words[2].text));
		if (script_time(l->words[2].text + 8, &s->timeout_ms) != 0)
			return script_error(l, 2, e, "\"%s\": a time from 1ms to 60m wanted",
				ESC(l->words[2].text + 8));
	}
	s->prompt = strdup(text);
	return s->prompt ? 0 : err_set(e, ERR_ENV, "%s: out of memory", l->file);
}

/* clang-format off */
static const struct script_verb_row rows[] = {
	/*                                                                 changes idempot irrev.  on-fail */
	[SCRIPT_GET_PROPERTY] = { "get-property", "PROPERTY [INDEX]", 1, 2, false, true, false, true, 5000, get_property_args },
	[SCRIPT_SET_PROPERTY] = { "set-property", "PROPERTY VALUE", 2, 2, false, true, false, false, 5000, set_property_args },
	[SCRIPT_RESET] = { "reset", "", 0, 0, false, true, false, true, 10000, no_args },
	[SCRIPT_FLASH_ERASE_ALL] = { "flash-erase-all", "[MEMORY_ID]", 0, 1, true, true, false, false, 90000, erase_all_args },
	[SCRIPT_FLASH_ERASE_REGION] = { "flash-erase-region", "ADDRESS BYTES [MEMORY_ID]", 2, 3, true, true, false, false, 90000, erase_region_args },
	[SCRIPT_READ_MEMORY] = { "read-memory", "ADDRESS BYTES", 2, 4, false, true, false, true, 60000, read_memory_args },
	[SCRIPT_WRITE_MEMORY] = { "write-memory", "ADDRESS FILE[,BYTES]|{{HEX}} [MEMORY_ID]", 2, 3, true, true, false, false, 600000, write_memory_args },
	[SCRIPT_FILL_MEMORY] = { "fill-memory", "ADDRESS BYTES PATTERN [word|short|byte]", 3, 4, true, true, false, false, 30000, fill_memory_args },
	[SCRIPT_RECEIVE_SB_FILE] = { "receive-sb-file", "FILE", 1, 1, true, true, false, false, 900000, receive_sb_args },
	[SCRIPT_EXECUTE] = { "execute", "ADDRESS ARGUMENT STACK_POINTER", 3, 3, true, false, true, false, 10000, execute_args },
	[SCRIPT_CALL] = { "call", "ADDRESS ARGUMENT", 2, 2, true, false, true, false, 60000, execute_args },
	[SCRIPT_CONFIGURE_MEMORY] = { "configure-memory", "MEMORY_ID ADDRESS", 2, 2, false, true, false, false, 15000, configure_memory_args },
	[SCRIPT_EFUSE_PROGRAM_ONCE] = { "efuse-program-once", "INDEX HEX [nolock|lock]", 2, 3, true, false, true, false, 10000, efuse_program_args },
	[SCRIPT_EFUSE_READ_ONCE] = { "efuse-read-once", "INDEX", 1, 1, false, true, false, true, 5000, efuse_read_args },
	[SCRIPT_FLASH_PROGRAM_ONCE] = { "flash-program-once", "INDEX 4|8 HEX [LSB|MSB]", 3, 4, true, false, true, false, 10000, flash_program_args },
	[SCRIPT_FLASH_READ_ONCE] = { "flash-read-once", "INDEX 4|8", 2, 2, false, true, false, true, 5000, flash_read_args },
	[SCRIPT_TRUST_PROVISIONING] = { "trust-provisioning", "OPERATION NUMBERS...", 2, 9, true, false, false, false, 15000, trust_provisioning_args },
	[SCRIPT_DICE_ATTEST] = { "dice-attest", "", 0, 0, false, true, false, false, 30000, no_args },
	[SCRIPT_CHECK] = { "@check", "COND", 1, SCRIPT_MAX_WORDS, false, true, false, false, 5000, check_args },
	[SCRIPT_PROMPT] = { "@prompt", "\"TEXT\" [timeout=TIME]", 1, 2, false, true, false, true, 600000, prompt_args },
};
/* clang-format on */
enum { N_ROWS = sizeof rows / sizeof *rows };

/* What blhost has and a package must not: a person who knows the command deserves the reason. */
static const struct {
	const char *name, *why;
} refused[] = {
	{ "batch", "scripts do not nest" },
	{ "load-image", "only recovery loaders take it" },
	{ "flash-image", "it reads files of the host; put the firmware into an SB3.1 file" },
	{ "list-memory", "it only prints; use get-property" },
	{ "key-provisioning", "not for MCX N" },
	{ "generate-key-blob", "not for MCX N" },
	{ "program-aeskey", "not for MCX N" },
	{ "flash-read-resource", "not for MCX N" },
	{ "flash-security-disable", "not for MCX N" },
	{ "flash-erase-all-unsecure", "not for MCX N" },
	{ "reliable-update", "not for MCX N" },
	{ "update-life-cycle", "not for MCX N" },
	{ "ele-message", "not for MCX N" },
	{ "fuse-program", "not for MCX N; efuse-program-once" },
	{ "fuse-read", "not for MCX N; efuse-read-once" },
};

/* Options of single commands that SPSDK's blhost knows, and that are harmless here. */
static const struct {
	enum script_verb verb;
	const char *option;
	bool verify; /* efuse-program-once: read back */
} options[] = {
	{ SCRIPT_EFUSE_PROGRAM_ONCE, "-v", true }, { SCRIPT_EFUSE_PROGRAM_ONCE, "--verify", true },
	{ SCRIPT_EFUSE_PROGRAM_ONCE, "--no-verify", false },
	{ SCRIPT_RECEIVE_SB_FILE, "-c", false }, /* watch for an abort: always done */
};

const struct script_verb_row *script_verb_row(enum script_verb v)
{
	return &rows[v];
}

const char *script_verb_name(enum script_verb v)
{
	return rows[v].name;
}

int script_verb_find(enum script_verb *out, const struct script_line *l, struct err *e)
{
	const char *name = l->words[0].text, *nearest = NULL;
	unsigned best = 3; /* further away it is no typing error */

	for (size_t i = 0; i < N_ROWS; i++) {
		if (strcmp(rows[i].name, name) == 0) {
			*out = (enum script_verb)i;
			return 0;
		}
		unsigned d = text_distance(rows[i].name, name);
		if (d < best) {
			best = d;
			nearest = rows[i].name;
		}
	}
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
		if (strcmp(refused[i].name, name) == 0)
			return script_error(l, 0, e, "%s is not available in packages: %s", name,
				refused[i].why);
	if (nearest)
		return script_error(
			l, 0, e, "unknown verb \"%s\"; did you mean %s?", ESC(name), nearest);
	return script_error(l, 0, e, "unknown verb \"%s\"", ESC(name));
}

/* Takes options out of the line, so that the positions of the arguments are fixed. */
static int take_options(struct script_step *s, struct script_line *l, struct err *e)
{
	for (size_t i = 1; i < l->n;) {
		const char *w = l->words[i].text;
		size_t k;
		if (w[0] != '-') {
			i++;
			continue;
		}
		for (k = 0; k < sizeof options / sizeof *options; k++)
			if (options[k].verb == s->verb && strcmp(options[k].option, w) == 0)
				break;
		if (k == sizeof options / sizeof *options)
			return script_error(
				l, i, e, "%s takes no option \"%s\"", rows[s->verb].name, ESC(w));
		s->verify = options[k].verify;
		memmove(&l->words[i], &l->words[i + 1], (l->n - i - 1) * sizeof *l->words);
		l->n--;
	}
	return 0;
}

int script_step_args(struct script_step *s, const struct script_line *l, struct err *e)
{
	const struct script_verb_row *row = &rows[s->verb];
	struct script_line *own = malloc(sizeof *own);
	int r = -1;

	if (!own)
		return err_set(e, ERR_ENV, "%s: out of memory", l->file);
	*own = *l;
	bool directive = row->name[0] == '@';
	if (!directive && take_options(s, own, e) != 0)
		goto out;
	size_t n = own->n - 1;
	if (n < row->min_args || n > row->max_args) {
		size_t at = n > row->max_args ? row->max_args + 1 : own->n;
		r = script_error(own, at, e, "%s: %zu arguments; wanted: %s%s%s", row->name, n,
			row->name, *row->usage ? " " : "", row->usage);
		goto out;
	}
	r = row->args(s, own, e);
out:
	free(own);
	return r;
}

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/fsio.h"
#include "base/text.h"
#include "mfgpkg/build/trustzone.h"

#define MAX_WORDS 256

/* By name, exactly, or by id ("field134"). */
static int find_register(const struct trustzone_register *regs, size_t n, const char *key)
{
	char id[16];

	for (size_t i = 0; i < n; i++) {
		snprintf(id, sizeof id, "field%03zX", 4 * i);
		if (strcmp(key, regs[i].name) == 0 || strcmp(key, id) == 0)
			return (int)i;
	}
	return -1;
}

static int unknown_register(const struct trustzone_register *regs, size_t n,
	const struct config_node *value, const char *key, struct err *e)
{
	const char *names[MAX_WORDS + 1] = { 0 };

	for (size_t i = 0; i < n; i++) {
		names[i] = regs[i].name;
		/* The short name in parentheses alone does not count, but is what people write. */
		const char *open = strrchr(regs[i].name, '(');
		size_t len = strlen(key);
		if (open && strncmp(open + 1, key, len) == 0 && strcmp(open + 1 + len, ")") == 0)
			return config_error(value, e,
				"unknown TrustZone register, its full name is `%s`", names[i]);
	}
	const char *nearest = config_nearest(key, names);
	return config_error(value, e, "unknown TrustZone register%s%s%s",
		nearest ? ", did you mean `" : "", nearest ? nearest : "", nearest ? "`?" : "");
}

static int read_preset(const struct config *c, enum family_revision rev, config_warn_fn warn,
	void *ctx, uint32_t *words, struct err *e)
{
	static const char *const known[] = { "family", "revision", "tzpOutputFile",
		"trustZonePreset", NULL };
	const struct config_node *preset;
	size_t n;
	const struct trustzone_register *regs = trustzone_registers(rev, &n);
	bool seen[MAX_WORDS] = { false };

	if (config_need(config_root(c), "trustZonePreset", &preset, e) != 0)
		return -1;
	if (config_kind(preset) != CONFIG_MAP)
		return config_error(preset, e, "this is %s, a map of registers is wanted",
			config_kind_name(preset));
	for (size_t k = 0; k < config_len(preset); k++) {
		const char *key;
		const struct config_node *value = config_pair(preset, k, &key);
		int i = find_register(regs, n, key);
		uint64_t word;
		if (i < 0)
			return unknown_register(regs, n, value, key, e);
		if (seen[i])
			return config_error(value, e, "the same register is given twice");
		seen[i] = true;
		if (config_kind(value) == CONFIG_MAP && config_need(value, "value", &value, e) != 0)
			return -1;
		if (config_number(value, UINT32_MAX, &word, e) != 0)
			return -1;
		words[i] = (uint32_t)word;
	}
	if (warn)
		config_warn_unused(c, known, warn, ctx);
	return 0;
}

/* A preset that is text is a configuration; words are not text. */
static bool is_text(const struct buf *b)
{
	for (size_t i = 0; i < b->len; i++)
		if (b->p[i] < 0x20 && b->p[i] != '\n' && b->p[i] != '\r' && b->p[i] != '\t')
			return false;
	return b->len > 0 && utf8_valid(b->p, b->len);
}

int trustzone_load(const struct config_node *path, enum family_revision rev, config_warn_fn warn,
	void *ctx, struct buf *out, struct err *e)
{
	AUTO(str_freep) char *file = NULL;
	AUTO(buf_clear) struct buf data = { 0 };
	size_t n;
	const struct trustzone_register *regs = trustzone_registers(rev, &n);
	uint32_t words[MAX_WORDS];
	bool customised = false;

	if (config_path(path, &file, e) != 0 || fsio_read(file, CONFIG_MAX_SIZE, &data, e) != 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		words[i] = regs[i].reset;
	if (is_text(&data)) {
		AUTO(config_freep) struct config *c = NULL;
		if (config_load_bytes(&c, file, data.p, data.len, e) != 0)
			return -1;
		config_set_parent(c, config_of(path));
		if (read_preset(c, rev, warn, ctx, words, e) != 0)
			return -1;
	} else {
		for (size_t i = 0; i < n && 4 * i + 4 <= data.len; i++)
			words[i] = get_le32(data.p + 4 * i);
		if (data.len != 4 * n && warn)
			config_warn(path, warn, ctx,
				"the TrustZone preset has %zu bytes, revision %s has %zu: %s",
				data.len, family_revision_name(rev), 4 * n,
				data.len < 4 * n ? "the rest keeps its reset values"
						 : "the rest is left out");
	}
	for (size_t i = 0; i < n; i++)
		customised |= words[i] != regs[i].reset;
	for (size_t i = 0; customised && i < n; i++)
		wr_le32(out, words[i]);
	return buf_check(out, file, e);
}

json_t *trustzone_json(enum family_revision rev, const uint8_t *block, size_t len)
{
	size_t n;
	const struct trustzone_register *regs = trustzone_registers(rev, &n);
	json_t *o = json_object();

	for (size_t i = 0; i < n && 4 * i + 4 <= len; i++) {
		uint32_t word = get_le32(block + 4 * i);
		if (word != regs[i].reset)
			json_object_set_new(o, regs[i].name, json_sprintf("0x%08" PRIX32, word));
	}
	return o;
}

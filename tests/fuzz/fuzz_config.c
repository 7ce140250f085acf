/* A configuration document: whatever is accepted can be walked and asked for everything. */
#include <stdlib.h>
#include <string.h>

#include "mfgpkg/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static size_t walk(const struct config_node *n, unsigned depth)
{
	const char *text;
	uint64_t number;
	bool truth;
	struct err e = { 0 };
	size_t nodes = 1;

	if (depth > CONFIG_MAX_DEPTH + 1 || config_line(n) == 0 || config_column(n) == 0)
		abort();
	if (config_number(n, 0xFFFF, &number, &e) == 0 && number > 0xFFFF)
		abort();
	if (config_bool(n, &truth, &e) != 0 && e.code != ERR_CONFIG)
		abort();
	if (config_str(n, &text, &e) == 0 && strlen(text) > CONFIG_MAX_SIZE)
		abort();
	for (size_t i = 0; i < config_len(n); i++) {
		const char *key;
		const struct config_node *child =
			config_kind(n) == CONFIG_MAP ? config_pair(n, i, &key) : config_at(n, i);
		if (!child || (config_kind(n) == CONFIG_MAP && config_get(n, key) != child))
			abort();
		nodes += walk(child, depth + 1);
	}
	return nodes;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const char *const known[] = { "family", "commands", NULL };
	AUTO(config_freep) struct config *c = NULL;
	struct err e = { 0 };

	if (config_load_bytes(&c, "c", data, len, &e) != 0) {
		if ((e.code != ERR_CONFIG && e.code != ERR_LIMIT) || c)
			abort();
		return 0;
	}
	config_warn_unused(c, known, config_warn_none, NULL);
	if (walk(config_root(c), 0) > CONFIG_MAX_NODES)
		abort();
	return 0;
}

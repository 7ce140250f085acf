/* Inside of the configuration reader: the tree that config_read.c builds and config.c hands out.
 * Not for other files. */
#ifndef MFGPKG_CONFIG_NODE_H
#define MFGPKG_CONFIG_NODE_H

#include "mfgpkg/config.h"

struct config_pair_entry {
	char *key; /* owned by the document */
	struct config_node *value;
	unsigned line, column; /* of the key */
	bool used;
};

struct config_node {
	struct config_node *next; /* all nodes of the document, for config_free */
	struct config *doc;
	struct config_node *parent;
	const char *key; /* under which the parent map holds it; NULL in lists and for the root */
	size_t index; /* position in the parent list */
	enum config_kind kind;
	unsigned line, column;
	bool quoted;

	char *text; /* scalars: as written */
	uint64_t number; /* CONFIG_INT */
	bool negative, too_wide; /* CONFIG_INT: outside uint64_t */
	bool truth; /* CONFIG_BOOL */

	struct config_node **items; /* CONFIG_LIST */
	struct config_pair_entry *pairs; /* CONFIG_MAP */
	size_t n;
	size_t cap;
};

struct config_anchor;

struct config {
	char *name; /* path as given */
	char *dir;
	const struct config *parent;
	struct config_node *nodes;
	struct config_node *root;
	size_t n_nodes;
	bool rewritten; /* JSON that had to be written anew: positions mean nothing */
	struct config_anchor *anchors; /* while reading */
	size_t n_anchors;
};

/* config_place - ":line:column", or nothing when there is no position. Returns out. */
char *config_place(char out[32], const struct config *c, unsigned line, unsigned column);

struct config_pair_entry *config_map_find(const struct config_node *map, const char *key);

#endif

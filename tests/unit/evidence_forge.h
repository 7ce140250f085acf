/* Forging logs as someone at the station could: with the station's own key, with some or all epoch
 * keys, leaf by leaf; or with plain SQL. */
#ifndef TESTS_UNIT_EVIDENCE_FORGE_H
#define TESTS_UNIT_EVIDENCE_FORGE_H

#include <jansson.h>
#include <stdbool.h>

#include "evidence/audit.h"
#include "evidence_log.h"

#define FORGE_MAX    400
#define FORGE_EPOCHS 16

/* A log as a list of leaves that can be changed and written again with all chains, roots and
 * signatures made anew. */
struct forge {
	enum leaf_role role;
	char origin[256];
	json_t *leaf[FORGE_MAX]; /* whole leaves; seq, prev, root are made anew */
	size_t n;
	bool keep_roots; /* leave size and root of seals as they are */
	bool keep_totals; /* leave the totals of close as they are */
	const struct log_key *station;
	struct log_key *epoch[FORGE_EPOCHS]; /* kept copies; NULL: the attacker has it not */
	const struct log_key *fallback; /* used for epochs whose key is missing */
	size_t no_checkpoint; /* leave out the checkpoint of this size, 0: none */
};

/* forge_read - the leaves of a log, and the kept copies of its epoch keys (t->dir/kept). */
void forge_read(struct forge *f, const struct ev_log *t);
void forge_write(const struct forge *f, const char *path);
void forge_clear(struct forge *f);
size_t forge_find(const struct forge *f, const char *kind, size_t nth); /* index of the nth */
void forge_delete(struct forge *f, size_t i);
void forge_insert(struct forge *f, size_t i, json_t *leaf); /* taken */
void forge_set(struct forge *f, size_t i, const char *member, json_t *value); /* taken */
json_t *forge_at(struct forge *f, size_t i, const char *member);

/* forge_keep_keys - copy the epoch keys that exist now, as a dishonest station would. */
void forge_keep_keys(const struct ev_log *t);

/* forge_sql - run SQL on a copy of a log; triggers are dropped first. Returns the copy's path. */
char *forge_sql(const struct ev_log *t, const char *name, const char *sql);

/* Device receipts: dice_ca is the OEM's key in the test, die the private scalar of a die. */
void forge_dice_ca(uint8_t xy[64], unsigned ca);
void forge_response(char text[440], const uint8_t uuid[16], const uint8_t challenge[32],
	unsigned die, unsigned ca);

#endif

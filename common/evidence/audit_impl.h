/* audit_impl - what the files of the verifier share. Internal to the evidence folder. */
#ifndef COMMON_EVIDENCE_AUDIT_IMPL_H
#define COMMON_EVIDENCE_AUDIT_IMPL_H

#include "evidence/audit.h"
#include "evidence/log_file.h"
#include "evidence/merkle.h"
#include "evidence/sigpool.h"

#define AUDIT_OPEN_MAX	    256 /* devices begun and not ended at one time */
#define AUDIT_STAGES_MAX    64 /* stages known to be irreversible */
#define AUDIT_WITNESSES_MAX 64
#define AUDIT_KNOWN_MAX	    64
#define AUDIT_DAY_S	    86400

/* Facts that grow with the log are kept in a temporary SQLite database with a small cache, which
 * spills to disk: memory stays the same for any log. */
struct audit_index {
	struct db db;
	sqlite3_stmt *get_device, *put_device, *put_seen, *get_seen;
};

struct audit_device { /* one UUID */
	bool known;
	int64_t attempts, passes, last_begin;
	int64_t irreversible, ended_irreversible; /* by an intent; by a device-end */
	bool has_puk;
	uint8_t puk[32]; /* hash of its DIE_PUK */
};

enum audit_seen {
	SEEN_EPOCH_KEY,
	SEEN_BOOT_ID,
	SEEN_RESPONSE,
	SEEN_PUK,
	SEEN_MANIFEST,
	SEEN_SIGNER
};

int audit_index_open(struct audit_index *x, struct err *e) CHECKED;
void audit_index_close(struct audit_index *x);
int audit_index_device(struct audit_index *x, const uint8_t uuid[16], struct audit_device *out,
	struct err *e) CHECKED;
int audit_index_save(struct audit_index *x, const uint8_t uuid[16], const struct audit_device *d,
	struct err *e) CHECKED;
/* Remember a value with the leaf it came from. *leaf: -1 when it is new, else where it was. */
int audit_index_see(struct audit_index *x, enum audit_seen what, const void *value, size_t len,
	int64_t here, int64_t *leaf, struct err *e) CHECKED;
int audit_index_seen(struct audit_index *x, enum audit_seen what, const void *value, size_t len,
	bool *out, struct err *e) CHECKED;

/* A device between its begin and its end. */
struct audit_open_device {
	int64_t begin;
	uint8_t uuid[16];
	int64_t intent; /* not yet answered, -1: none */
	bool intent_attests;
	int64_t intent_step;
	char stage[65], command[257]; /* of the intent, cut: compared as far as they go */
	uint8_t root[32]; /* of the leaves up to and with the intent */
	bool irreversible; /* an irreversible intent was seen */
	int64_t attested; /* leaf of an attestation that is "ok", -1: none */
};

struct audit_order {
	bool present, owned; /* owned: signed by a key the auditor trusts */
	char origin[NOTE_NAME_MAX + 1];
	uint8_t package[32], package_id[16];
	int64_t quantity, not_before, not_after;
	struct vkey station, epoch0;
	bool has_epoch0;
};

struct audit_witness {
	struct vkey key;
	uint64_t last_time; /* of its newest cosignature */
	uint64_t last_size; /* largest size it signed */
};

struct audit_mark { /* a checkpoint the auditor brought, opened */
	struct checkpoint c;
	const char *name;
	uint64_t cosigned; /* newest time of a known witness on it, 0: none */
	bool by[AUDIT_WITNESSES_MAX]; /* which witnesses signed it */
};

struct audit {
	struct log_file file;
	const struct audit_expect *expect;
	struct audit_result *r;
	struct audit_index index;
	struct sigpool *pool;

	/* tree */
	struct merkle tree;
	uint8_t last_hash[32];
	bool edited; /* an edited leaf was named */
	bool tree_broken; /* a wrong root was reported: later ones differ too */
	bool chain_broken; /* rows are missing: nothing after them can be judged */
	sqlite3_stmt *checkpoints, *cosignatures, *nodes;
	bool more_checkpoints, more_cosignatures, more_nodes;
	uint64_t last_checkpoint, need_checkpoint; /* need: a seal wants one of this size, 0 none */
	bool nodes_differ;

	/* genesis */
	bool has_genesis;
	enum leaf_role role;
	struct vkey station; /* under the origin */
	struct audit_order order;
	struct audit_mark marks[AUDIT_KNOWN_MAX];
	size_t n_marks;
	struct audit_witness witnesses[AUDIT_WITNESSES_MAX];
	size_t n_witnesses;
	size_t ordered[AUDIT_WITNESSES_MAX], n_ordered; /* which of them the order names */
	uint64_t last_witnessed;
	int64_t witness_floor; /* ms: leaves after a witnessed size are not much older */
	bool backdated;

	/* epochs */
	struct vkey epoch_key, previous_key;
	bool has_epoch_key, has_previous_key;
	uint64_t epoch;
	int64_t epoch_start_ms;
	char epoch_boot[37];
	bool close_seen, final_seal;
	int64_t close_leaf;

	/* clocks of the leaf before */
	bool has_clock;
	int64_t time_ms, boot_ms;
	char boot_id[37];

	/* devices */
	struct audit_open_device open[AUDIT_OPEN_MAX];
	size_t n_open;
	char stages[AUDIT_STAGES_MAX][65];
	size_t n_stages;
	bool package_accepted;
	uint8_t package_id[16];
	bool has_package_id;
	uint64_t irreversible; /* UUIDs with an irreversible intent */
	uint64_t bad_receipts;
};

/* audit.c */
void audit_find(struct audit *a, enum audit_severity severity, const char *attack, int64_t leaf,
	const char *fmt, ...) __attribute__((format(printf, 5, 6)));
#define FAULT(a, attack, leaf, ...) audit_find(a, AUDIT_FAULT, attack, (int64_t)(leaf), __VA_ARGS__)
#define WARN(a, attack, leaf, ...)                                                                 \
	audit_find(a, AUDIT_WARNING, attack, (int64_t)(leaf), __VA_ARGS__)

/* audit_file.c: rule 1 and blobs. 0: go on, 1: the tables cannot be read as ours, -1. */
int audit_check_file(struct audit *a, struct err *e) CHECKED;
bool audit_is_damage(const struct audit *a); /* SQLite blames the file, not this machine */
int audit_check_blobs(struct audit *a, struct err *e) CHECKED;

/* audit_genesis.c: rule 3, and the keys, witnesses and checkpoints that follow from it */
int audit_genesis(struct audit *a, const struct leaf *l, struct err *e) CHECKED;

/* audit_tree.c: rules 4 and 6, after each leaf */
int audit_tree_start(struct audit *a, struct err *e) CHECKED;
int audit_tree_leaf(struct audit *a, const void *bytes, size_t len, struct err *e) CHECKED;
int audit_tree_end(struct audit *a, struct err *e) CHECKED;
void audit_tree_clear(struct audit *a);

/* audit_device.c: rules 7 and 8 */
int audit_device_leaf(struct audit *a, const struct leaf *l, struct err *e) CHECKED;
void audit_device_end(struct audit *a);

#endif

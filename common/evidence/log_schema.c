#include "evidence/log_impl.h"

/* The whole schema, statement by statement as SQLite keeps it. Only leaf, checkpoint, cosignature
 * and blob carry evidence; node, the views and the triggers are conveniences, and a guard against
 * accidents. schemas/log.sql is the same text. Source: format "evidence", section 4.5. */
const struct log_object log_schema[LOG_OBJECTS] = {
	{ "table", "leaf",
		"CREATE TABLE leaf(seq INTEGER PRIMARY KEY, data TEXT NOT NULL) STRICT" },
	{ "table", "node", "CREATE TABLE node(id INTEGER PRIMARY KEY, hash BLOB NOT NULL) STRICT" },
	{ "table", "checkpoint",
		"CREATE TABLE checkpoint(size INTEGER PRIMARY KEY, note TEXT NOT NULL) "
		"STRICT" },
	{ "table", "cosignature",
		"CREATE TABLE cosignature(size INTEGER NOT NULL, line TEXT NOT NULL, "
		"PRIMARY KEY(size, line)) STRICT, WITHOUT ROWID" },
	{ "table", "blob",
		"CREATE TABLE blob(sha256 BLOB PRIMARY KEY, data BLOB NOT NULL) STRICT, "
		"WITHOUT ROWID" },
	{ "trigger", "leaf_keep_u",
		"CREATE TRIGGER leaf_keep_u BEFORE UPDATE ON leaf BEGIN SELECT "
		"RAISE(ABORT,'leaf is append-only'); END" },
	{ "trigger", "leaf_keep_d",
		"CREATE TRIGGER leaf_keep_d BEFORE DELETE ON leaf BEGIN SELECT "
		"RAISE(ABORT,'leaf is append-only'); END" },
	{ "trigger", "checkpoint_keep_u",
		"CREATE TRIGGER checkpoint_keep_u BEFORE UPDATE ON checkpoint BEGIN "
		"SELECT RAISE(ABORT,'checkpoint is append-only'); END" },
	{ "trigger", "checkpoint_keep_d",
		"CREATE TRIGGER checkpoint_keep_d BEFORE DELETE ON checkpoint BEGIN "
		"SELECT RAISE(ABORT,'checkpoint is append-only'); END" },
	{ "view", "event",
		"CREATE VIEW event AS SELECT seq, data->>'$.kind' AS kind, "
		"data->>'$.time' AS time, data->>'$.uuid' AS uuid, data->>'$.stage' AS "
		"stage, data->>'$.command' AS command, data->>'$.result' AS result, "
		"data->>'$.reason' AS reason FROM leaf" },
	{ "view", "device",
		"CREATE VIEW device AS SELECT b.data->>'$.uuid' AS uuid, b.seq AS "
		"begin_seq, e.seq AS end_seq, b.data->>'$.slot' AS slot, "
		"b.data->>'$.port' AS port, b.data->>'$.attempt' AS attempt, "
		"coalesce(e.data->>'$.result','unknown') AS result, e.data->>'$.reason' "
		"AS reason, e.data->>'$.irreversible' AS irreversible, "
		"e.data->>'$.attestation' AS attestation_seq, b.data->>'$.time' AS "
		"begin_time, e.data->>'$.time' AS end_time FROM leaf b LEFT JOIN leaf e "
		"ON e.data->>'$.kind'='device-end' AND e.data->>'$.begin'=b.seq WHERE "
		"b.data->>'$.kind'='device-begin'" },
};

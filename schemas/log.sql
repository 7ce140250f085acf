-- Audit log of mfgpkg and runner: one file per production order, one per OEM workspace.
-- Evidence is in leaf (exact bytes), checkpoint, cosignature and blob. node, triggers and views are
-- conveniences: a verifier recomputes everything and believes none of them.
PRAGMA page_size=4096;
PRAGMA encoding='UTF-8';
PRAGMA application_id=1296451404; -- 0x4D46474C "MFGL"
PRAGMA user_version=1;

-- one-line JSON, schema leaf.schema.json; seq is dense from 0
CREATE TABLE leaf(seq INTEGER PRIMARY KEY, data TEXT NOT NULL) STRICT;
-- hashes of perfect subtrees, numbered as Go tlog StoredHashIndex
CREATE TABLE node(id INTEGER PRIMARY KEY, hash BLOB NOT NULL) STRICT;
-- C2SP signed note: origin, size, root; epoch key and station key
CREATE TABLE checkpoint(size INTEGER PRIMARY KEY, note TEXT NOT NULL) STRICT;
-- one line of a C2SP cosignature for the checkpoint of this size
CREATE TABLE cosignature(size INTEGER NOT NULL, line TEXT NOT NULL, PRIMARY KEY(size, line)) STRICT, WITHOUT ROWID;
-- manifest.json and signatures of packages that leaves name
CREATE TABLE blob(sha256 BLOB PRIMARY KEY, data BLOB NOT NULL) STRICT, WITHOUT ROWID;
-- against accidents only: an attacker drops them
CREATE TRIGGER leaf_keep_u BEFORE UPDATE ON leaf BEGIN SELECT RAISE(ABORT,'leaf is append-only'); END;
CREATE TRIGGER leaf_keep_d BEFORE DELETE ON leaf BEGIN SELECT RAISE(ABORT,'leaf is append-only'); END;
CREATE TRIGGER checkpoint_keep_u BEFORE UPDATE ON checkpoint BEGIN SELECT RAISE(ABORT,'checkpoint is append-only'); END;
CREATE TRIGGER checkpoint_keep_d BEFORE DELETE ON checkpoint BEGIN SELECT RAISE(ABORT,'checkpoint is append-only'); END;
-- for people: computed from leaf.data
CREATE VIEW event AS SELECT seq, data->>'$.kind' AS kind, data->>'$.time' AS time, data->>'$.uuid' AS uuid, data->>'$.stage' AS stage, data->>'$.command' AS command, data->>'$.result' AS result, data->>'$.reason' AS reason FROM leaf;
CREATE VIEW device AS SELECT b.data->>'$.uuid' AS uuid, b.seq AS begin_seq, e.seq AS end_seq, b.data->>'$.slot' AS slot, b.data->>'$.port' AS port, b.data->>'$.attempt' AS attempt, coalesce(e.data->>'$.result','unknown') AS result, e.data->>'$.reason' AS reason, e.data->>'$.irreversible' AS irreversible, e.data->>'$.attestation' AS attestation_seq, b.data->>'$.time' AS begin_time, e.data->>'$.time' AS end_time FROM leaf b LEFT JOIN leaf e ON e.data->>'$.kind'='device-end' AND e.data->>'$.begin'=b.seq WHERE b.data->>'$.kind'='device-begin';

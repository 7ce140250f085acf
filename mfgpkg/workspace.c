#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "base/fsio.h"
#include "base/text.h"
#include "base/version.h"
#include "evidence/log.h"
#include "evidence/merkle.h"
#include "evidence/minisign.h"
#include "evidence/proof.h"
#include "mfgpkg/config.h"
#include "mfgpkg/workspace.h"

#define WORKSPACE_FILE	    "workspace.yaml"
#define WORKSPACE_FOLDER    "workspace"
#define WORKSPACE_OEM_MAX   64
#define WORKSPACE_NAME_MAX  40
#define WORKSPACE_LOCK_MS   10000
#define WORKSPACE_LOCK_STEP 50

struct workspace {
	char *dir;
	char origin[NOTE_NAME_MAX + 1];
	char vkey[VKEY_TEXT_CAP];
	int lock; /* one writer at a time; released when closed */
	struct log_key *key;
	struct log *log;
};

/* --- where it is, what it is called ----------------------------------------------------------- */

/* nearest_workspace - malloc'ed folder at or above `path` that is a workspace, NULL when none. */
static char *nearest_workspace(const char *path)
{
	/* The file need not exist yet (it may be an output): begin with the part that does. */
	AUTO(str_freep) char *start = strdup(path);
	char *dir = NULL;

	while (start && !(dir = realpath(start, NULL))) {
		char *up = path_dirname(start);
		bool at_end = !up || strcmp(up, start) == 0;

		free(start);
		start = up;
		if (at_end)
			break;
	}
	while (dir) {
		AUTO(str_freep) char *file = path_join(dir, WORKSPACE_FILE);

		if (file && fsio_exists(file))
			return dir;
		char *up = strcmp(dir, "/") == 0 ? NULL : path_dirname(dir);
		free(dir);
		dir = up;
	}
	return NULL;
}

static bool name_ok(const char *s, const char *also, size_t max)
{
	size_t n = strlen(s);

	if (n == 0 || n > max || strchr("-._", s[0]))
		return false;
	return strspn(s, also) == n;
}

static int names_check(const char *oem, const char *name, struct err *e)
{
	if (!name_ok(oem, "abcdefghijklmnopqrstuvwxyz0123456789.-", WORKSPACE_OEM_MAX))
		return err_set(e, ERR_CONFIG,
			"`oem` is '%s': wanted 1..%d characters a-z 0-9 . -, such as acme.example",
			ESC(oem), WORKSPACE_OEM_MAX);
	if (!name_ok(name, "abcdefghijklmnopqrstuvwxyz0123456789._-", WORKSPACE_NAME_MAX))
		return err_set(e, ERR_CONFIG,
			"workspace `name` is '%s': wanted 1..%d characters a-z 0-9 . _ -",
			ESC(name), WORKSPACE_NAME_MAX);
	return 0;
}

/* read_names - oem and name of dir/workspace.yaml; borrowed from *doc, which is NULL when there is
 * no such file. */
static int read_names(
	const char *dir, struct config **doc, const char **oem, const char **name, struct err *e)
{
	static const char *const known[] = { "oem", "name", NULL };
	AUTO(str_freep) char *file = path_join(dir, WORKSPACE_FILE);
	const struct config_node *n;

	if (!file)
		return err_set(e, ERR_ENV, "out of memory");
	*doc = NULL;
	if (!fsio_exists(file))
		return 0;
	if (config_load(doc, file, e) != 0)
		return -1;
	const struct config_node *root = config_root(*doc);
	if (config_need(root, "oem", &n, e) != 0 || config_str(n, oem, e) != 0 ||
		config_need(root, "name", &n, e) != 0 || config_str(n, name, e) != 0)
		return -1;
	if (names_check(*oem, *name, e) != 0)
		return err_wrap(e, "%s", file);
	config_warn_unused(*doc, known, config_warn_none, NULL);
	return 0;
}

/* --- the log ---------------------------------------------------------------------------------- */

/* take_lock - one writer at a time: wait for the other one, but not for ever. */
static int take_lock(struct workspace *w, const char *folder, struct err *e)
{
	AUTO(str_freep) char *file = path_join(folder, "lock");
	int64_t give_up = clock_mono_ms() + WORKSPACE_LOCK_MS;

	if (!file)
		return err_set(e, ERR_ENV, "out of memory");
	w->lock = open(file, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (w->lock < 0)
		return err_errno(e, "%s", file);
	while (flock(w->lock, LOCK_EX | LOCK_NB) != 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return err_errno(e, "%s", file);
		if (clock_mono_ms() >= give_up)
			return err_set(e, ERR_ENV,
				"%s: another mfgpkg has been writing this workspace's log for %d s",
				file, WORKSPACE_LOCK_MS / 1000);
		nanosleep(&(struct timespec){ .tv_nsec = WORKSPACE_LOCK_STEP * 1000000L }, NULL);
	}
	return 0;
}

/* load_key - the log's long-lived signing key; made with the log. It signs checkpoints, nothing
 * that devices or stations believe. */
static int load_key(struct workspace *w, const char *folder, bool new_log, struct err *e)
{
	AUTO(str_freep) char *file = path_join(folder, "log.key");

	if (!file)
		return err_set(e, ERR_ENV, "out of memory");
	if (!new_log || fsio_exists(file))
		return log_key_load(&w->key, file, e);
	return log_key_generate(&w->key, e) != 0 ? -1 : log_key_save(w->key, file, e);
}

static int write_text(const char *folder, const char *name, const char *before, const char *text,
	const char *after, struct err *e)
{
	AUTO(str_freep) char *file = path_join(folder, name);
	AUTO(buf_clear) struct buf out = { 0 };

	if (!file)
		return err_set(e, ERR_ENV, "out of memory");
	wr_printf(&out, "%s%s\n%s", before, text, after);
	if (buf_check(&out, file, e) != 0)
		return -1;
	return fsio_write(file, out.p, out.len, 0644, e);
}

/* write_public - the log's verifier key for those who check it, and the same as a policy file for
 * any tool that reads such logs. */
static int write_public(const struct workspace *w, const char *folder, struct err *e)
{
	if (write_text(folder, "log.vkey", "", w->vkey, "", e) != 0)
		return -1;
	return write_text(folder, "log.policy", "log ", w->vkey, "quorum none\n", e);
}

static int open_log(struct workspace *w, const char *folder, const char *name, struct err *e)
{
	AUTO(str_freep) char *file = path_join(folder, "log.db");
	AUTO(buf_clear) struct buf vkey = { 0 };

	if (!file)
		return err_set(e, ERR_ENV, "out of memory");
	bool new_log = !fsio_exists(file);
	if (load_key(w, folder, new_log, e) != 0 || log_key_vkey(w->key, w->origin, &vkey, e) != 0)
		return -1;
	const char *text = buf_text(&vkey);
	if (!text || strlen(text) >= sizeof w->vkey)
		return err_set(e, ERR_INTERNAL, "%s: verifier key", file);
	memcpy(w->vkey, text, strlen(text) + 1);

	const struct log_open how = {
		.path = file,
		.epoch_dir = folder,
		.role = ROLE_WORKSPACE,
		.origin = w->origin,
		.station = w->key,
		.station_name = name,
		.version = MFGPKG_VERSION,
	};
	if (!new_log)
		return log_resume(&w->log, &how, e);
	return log_create(&w->log, &how, e) != 0 ? -1 : write_public(w, folder, e);
}

int workspace_open(
	struct workspace **out, const char *dir, const char *oem, const char *name, struct err *e)
{
	AUTO(workspace_freep) struct workspace *w = calloc(1, sizeof *w);
	AUTO(config_freep) struct config *doc = NULL;
	const char *file_oem = NULL, *file_name = NULL;

	if (!w || !(w->dir = strdup(dir)))
		return err_set(e, ERR_ENV, "out of memory");
	w->lock = -1;

	/* Its name: from workspace.yaml, from the caller, or from both when they agree. */
	if (read_names(dir, &doc, &file_oem, &file_name, e) != 0)
		return -1;
	if (!oem && !doc)
		return err_set(e, ERR_CONFIG,
			"%s: no %s here: write one with `oem: your.domain` and `name: ...`", dir,
			WORKSPACE_FILE);
	if (oem && doc && (strcmp(oem, file_oem) != 0 || strcmp(name, file_name) != 0))
		return err_set(e, ERR_CONFIG, "%s/%s says %s, %s but the release says %s, %s", dir,
			WORKSPACE_FILE, file_oem, file_name, ESC(oem), ESC(name));
	if (!oem) {
		oem = file_oem;
		name = file_name;
	}
	if (names_check(oem, name, e) != 0)
		return err_wrap(e, "%s", dir);
	snprintf(w->origin, sizeof w->origin, "%s/mfgpkg/workspace/%s", oem, name);

	AUTO(str_freep) char *folder = path_join(dir, WORKSPACE_FOLDER);
	if (!folder)
		return err_set(e, ERR_ENV, "out of memory");
	if (fsio_mkdirs(folder, 0700, e) != 0 || take_lock(w, folder, e) != 0 ||
		open_log(w, folder, name, e) != 0)
		return err_wrap(e, "workspace log");
	*out = w;
	w = NULL;
	return 0;
}

int workspace_open_near(
	struct workspace **out, const struct cli *c, const char *path, struct err *e)
{
	const char *given = cli_string(c, "workspace", NULL);

	if (given)
		return workspace_open(out, given, NULL, NULL, e);

	AUTO(str_freep) char *dir = nearest_workspace(path);
	if (!dir) {
		*out = NULL;
		return 0;
	}
	return workspace_open(out, dir, NULL, NULL, e);
}

void workspace_free(struct workspace *w)
{
	if (!w)
		return;
	log_free(w->log);
	log_key_free(w->key);
	if (w->lock >= 0)
		close(w->lock);
	free(w->dir);
	free(w);
}

void workspace_freep(struct workspace **w)
{
	workspace_free(*w);
	*w = NULL;
}

const char *workspace_dir(const struct workspace *w)
{
	return w->dir;
}

const char *workspace_origin(const struct workspace *w)
{
	return w->origin;
}

const char *workspace_vkey(const struct workspace *w)
{
	return w->vkey;
}

/* --- leaves ----------------------------------------------------------------------------------- */

/* append - `members` is taken; NULL: memory was out when it was made. */
static int append(
	struct workspace *w, const char *kind, json_t *members, uint64_t *seq, struct err *e)
{
	if (!members)
		return err_set(e, ERR_ENV, "out of memory");
	if (log_append(w->log, kind, members, seq, e) != 0)
		return err_wrap(e, "workspace log");
	return 0;
}

static json_t *hex_or_null(const uint8_t *digest)
{
	char hex[65];

	return digest ? json_string(hex_encode(hex, digest, 32)) : json_null();
}

int workspace_key(struct workspace *w, const struct workspace_key *k, struct err *e)
{
	if (!w)
		return 0;
	return append(w, "key",
		json_pack("{s:s, s:s, s:s, s:o}", "action", k->action, "type", k->type, "file",
			k->file, "public", hex_or_null(k->public_digest)),
		NULL, e);
}

int workspace_artifact(struct workspace *w, const struct workspace_artifact *a, struct err *e)
{
	char hex[65];

	if (!w)
		return 0;
	json_t *inputs = json_array(), *keys = json_array();
	for (size_t i = 0; i < a->n_inputs; i++)
		json_array_append_new(
			inputs, json_pack("{s:s, s:s}", "file", a->inputs[i].file, "sha256",
					hex_encode(hex, a->inputs[i].sha256, 32)));
	for (size_t i = 0; i < a->n_keys; i++)
		json_array_append_new(keys, json_string(hex_encode(hex, a->keys[i], 32)));
	return append(w, "artifact",
		json_pack("{s:s, s:s, s:s, s:I, s:o, s:o}", "type", a->type, "file", a->file,
			"sha256", hex_encode(hex, a->sha256, 32), "size", (json_int_t)a->size,
			"inputs", inputs, "keys", keys),
		NULL, e);
}

int workspace_package(
	struct workspace *w, const struct workspace_package *p, uint64_t *seq, struct err *e)
{
	char hex[65], id[17];

	if (!w)
		return 0;
	return append(w, "package",
		json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:[s]}", "result", "built", "file",
			p->file, "package", hex_encode(hex, p->package, 32), "package_id",
			p->package_id, "product", p->product, "release", p->release, "sequence",
			(json_int_t)p->sequence, "signers", minisign_id_hex(id, p->signer)),
		seq, e);
}

int workspace_approval(struct workspace *w, const uint8_t package[32], const char *package_id,
	const uint8_t signer[8], struct err *e)
{
	char hex[65], id[17];

	if (!w)
		return 0;
	return append(w, "approval",
		json_pack("{s:s, s:s, s:s}", "package", hex_encode(hex, package, 32), "package_id",
			package_id, "signer", minisign_id_hex(id, signer)),
		NULL, e);
}

int workspace_order(struct workspace *w, const struct workspace_order *o, struct err *e)
{
	char document[65], package[65], id[17];

	if (!w)
		return 0;
	return append(w, "order",
		json_pack("{s:s, s:s, s:s, s:I, s:s}", "order", o->order, "document",
			hex_encode(document, o->document, 32), "package",
			hex_encode(package, o->package, 32), "quantity", (json_int_t)o->quantity,
			"signer", minisign_id_hex(id, o->signer)),
		NULL, e);
}

int workspace_commit(struct workspace *w, struct err *e)
{
	if (!w)
		return 0;
	return log_commit(w->log, e) != 0 ? err_wrap(e, "workspace log") : 0;
}

/* --- proof of one leaf ------------------------------------------------------------------------ */

struct tree {
	struct merkle state;
	struct buf nodes; /* stored nodes by number, 32 bytes each */
	uint64_t want;
	struct buf leaf; /* bytes of the wanted leaf */
};

static int take_leaf(void *ctx, const struct leaf *leaf, struct err *e)
{
	struct tree *t = ctx;
	uint8_t stored[64][MERKLE_HASH];

	if (leaf->seq == t->want)
		wr_bytes(&t->leaf, leaf->bytes, leaf->len);
	size_t n = merkle_append(&t->state, leaf->bytes, leaf->len, stored);
	wr_bytes(&t->nodes, stored, n * MERKLE_HASH);
	return buf_check(&t->nodes, "workspace log", e);
}

static int read_node(void *ctx, uint64_t id, uint8_t out[MERKLE_HASH], struct err *e)
{
	const struct tree *t = ctx;

	if (id >= t->nodes.len / MERKLE_HASH)
		return err_set(e, ERR_INTERNAL, "tree node %llu", (unsigned long long)id);
	memcpy(out, t->nodes.p + id * MERKLE_HASH, MERKLE_HASH);
	return 0;
}

static int prove(const struct workspace *w, struct tree *t, struct buf *out, struct err *e)
{
	AUTO(str_freep) char *file = path_join(w->dir, WORKSPACE_FOLDER "/log.db");
	AUTO(buf_clear) struct buf note = { 0 };
	struct merkle_proof proof;

	if (!file)
		return err_set(e, ERR_ENV, "out of memory");
	if (log_each(w->log, take_leaf, t, e) != 0)
		return -1;
	if (t->want >= t->state.n)
		return err_set(e, ERR_INTERNAL, "leaf %llu of %llu", (unsigned long long)t->want,
			(unsigned long long)t->state.n);
	if (merkle_prove_inclusion(t->want, t->state.n, read_node, t, &proof, e) != 0 ||
		log_checkpoint(file, &note, e) != 0)
		return -1;

	return proof_write(
		t->want, t->leaf.p, t->leaf.len, &proof, (const char *)note.p, note.len, out, e);
}

int workspace_prove(struct workspace *w, uint64_t seq, struct buf *out, struct err *e)
{
	struct tree t = { .want = seq };

	if (!w)
		return 0;
	int rc = prove(w, &t, out, e);
	buf_clear(&t.nodes);
	buf_clear(&t.leaf);
	return rc != 0 ? err_wrap(e, "proof of leaf %llu", (unsigned long long)seq) : 0;
}

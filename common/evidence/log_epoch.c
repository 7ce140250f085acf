/* Epochs: each has its own key, which signs the next one's public key and the size it ends at, and
 * is then wiped, so that a later thief of the station cannot rewrite what is sealed. Order of disk
 * writes: new key synced, then the transaction with the seal, then the old key wiped. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fsio.h"
#include "base/json.h"
#include "base/text.h"
#include "evidence/log_impl.h"

char *log_epoch_path(const char *dir, uint64_t epoch)
{
	char name[48];

	snprintf(name, sizeof name, "epoch-%llu.key", (unsigned long long)epoch);
	return path_join(dir, name);
}

int log_epoch_wipe(const char *path, struct err *e)
{
	AUTO(fd_closep) int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	AUTO(str_freep) char *dir = path_dirname(path);
	uint8_t zero[128] = { 0 };
	struct stat st;

	if (fd < 0)
		return fsio_exists(path) ? err_errno(e, "%s: cannot wipe the epoch key", path) : 0;
	/* Overwriting in place is the best a file system offers; the seal does not depend on it. */
	if (fstat(fd, &st) != 0 || st.st_size > (off_t)sizeof zero ||
		pwrite(fd, zero, (size_t)st.st_size, 0) != st.st_size || fsync(fd) != 0 ||
		unlink(path) != 0)
		return err_errno(e, "%s: cannot wipe the epoch key", path);
	return dir ? fsio_sync_dir(dir, e) : err_set(e, ERR_ENV, "out of memory");
}

bool log_epoch_due(const struct log *log, const struct leaf_clock *now)
{
	return strcmp(log->epoch_start.boot_id, now->boot_id) != 0 ||
	       now->boot_ms - log->epoch_start.boot_ms >= log->epoch_ms;
}

/* The key of the next epoch, durable before a seal names it. One that is there already comes from
 * a seal whose transaction failed: it is used again, because that seal may be on the disk all the
 * same. */
static int make_next(const char *path, struct log_key **next, struct err *e)
{
	if (fsio_exists(path))
		return log_key_load(next, path, e);
	if (log_key_generate(next, e) != 0)
		return -1;
	return log_key_save(*next, path, e);
}

static int put_seal(struct log *log, const char *reason, const struct log_key *next, struct err *e)
{
	AUTO(buf_clear) struct buf vkey = { 0 };
	uint8_t root[32];
	char root_text[BASE64_LEN(32) + 1];
	struct leaf_clock clock;

	/* A clock leaf may come first: position and root are those of the seal itself. The last
	 * seal follows the close leaf at once, with its clock. */
	if (!next)
		clock = log->now.clock;
	else if (log_begin(log, e) != 0 || log_clock_leaf(log, &clock, e) != 0)
		return -1;
	if (next && log_key_vkey(next, log->origin, &vkey, e) != 0)
		return -1;
	merkle_root(&log->now.tree, root);
	const char *next_text = next ? buf_text(&vkey) : NULL;
	AUTO(json_freep)
	json_t *members = json_pack("{s:I, s:I, s:s, s:o, s:s}", "epoch", (json_int_t)log->epoch,
		"size", (json_int_t)log->now.tree.n, "root", base64_encode(root_text, root, 32),
		"next", next_text ? json_string(next_text) : json_null(), "reason", reason);
	if (!members)
		return err_set(e, ERR_ENV, "out of memory for a leaf");
	return log_put(log, "epoch-seal", members, &clock, NULL, e);
}

/* `last`: no next key; the close leaf is already in the open transaction. */
int log_epoch_seal(struct log *log, const char *reason, bool last, struct err *e)
{
	AUTO(str_freep) char *old_path = log_epoch_path(log->epoch_dir, log->epoch);
	AUTO(str_freep) char *new_path = log_epoch_path(log->epoch_dir, log->epoch + 1);
	AUTO(log_key_freep) struct log_key *next = NULL;

	if (!old_path || !new_path)
		return err_set(e, ERR_ENV, "out of memory");
	if (!last && make_next(new_path, &next, e) != 0)
		return -1;
	log->sealing = true;
	int rc = put_seal(log, reason, next, e);
	if (rc == 0)
		rc = log_finish(log, e);
	log->sealing = false;
	if (rc != 0) {
		log_rollback(log);
		return -1;
	}
	log_key_free(log->epoch_key);
	log->epoch_key = next;
	next = NULL;
	log->epoch++;
	log->epoch_start = log->now.clock;
	log->closed = last;
	return log_epoch_wipe(old_path, e);
}

int log_seal_epoch(struct log *log, struct err *e)
{
	if (log_commit(log, e) != 0)
		return -1;
	return log_epoch_seal(log, "interval", false, e);
}

int log_tick(struct log *log, struct err *e)
{
	struct leaf_clock now;

	if (log->in_tx || log->closed)
		return 0;
	if (log->clock_fn(log->clock_ctx, &now, e) != 0)
		return -1;
	return log_epoch_due(log, &now) ? log_epoch_seal(log, "interval", false, e) : 0;
}

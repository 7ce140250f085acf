#include "evidence/log.h"

int log_create(struct log **out, const struct log_open *open, struct err *e)
{
	(void)out;
	(void)open;
	return err_set(e, ERR_INTERNAL, "log_create");
}

int log_resume(struct log **out, const struct log_open *open, struct err *e)
{
	(void)out;
	(void)open;
	return err_set(e, ERR_INTERNAL, "log_resume");
}

int log_append(struct log *log, const char *kind, json_t *members, uint64_t *seq, struct err *e)
{
	(void)log;
	(void)kind;
	(void)members;
	(void)seq;
	return err_set(e, ERR_INTERNAL, "log_append");
}

int log_commit(struct log *log, struct err *e)
{
	(void)log;
	return err_set(e, ERR_INTERNAL, "log_commit");
}

void log_rollback(struct log *log)
{
	(void)log;
}

int log_tick(struct log *log, struct err *e)
{
	(void)log;
	return err_set(e, ERR_INTERNAL, "log_tick");
}

int log_seal_epoch(struct log *log, struct err *e)
{
	(void)log;
	return err_set(e, ERR_INTERNAL, "log_seal_epoch");
}

int log_blob(struct log *log, const void *data, size_t len, struct err *e)
{
	(void)log;
	(void)data;
	(void)len;
	return err_set(e, ERR_INTERNAL, "log_blob");
}

uint64_t log_size(const struct log *log)
{
	(void)log;
	return 0;
}

int log_root_at(struct log *log, uint64_t size, uint8_t root[32], struct err *e)
{
	(void)log;
	(void)size;
	(void)root;
	return err_set(e, ERR_INTERNAL, "log_root_at");
}

const char *log_origin(const struct log *log)
{
	(void)log;
	return NULL;
}

int log_dice_challenge(struct log *log, uint64_t size, const uint8_t package_id[16],
	uint8_t out[32], struct err *e)
{
	(void)log;
	(void)size;
	(void)package_id;
	(void)out;
	return err_set(e, ERR_INTERNAL, "log_dice_challenge");
}

int log_each(struct log *log, int (*fn)(void *ctx, const struct leaf *leaf, struct err *e),
	void *ctx, struct err *e)
{
	(void)log;
	(void)fn;
	(void)ctx;
	return err_set(e, ERR_INTERNAL, "log_each");
}

int log_close(struct log *log, const char *reason, struct err *e)
{
	(void)log;
	(void)reason;
	return err_set(e, ERR_INTERNAL, "log_close");
}

bool log_is_closed(const struct log *log)
{
	(void)log;
	return false;
}

void log_free(struct log *log)
{
	(void)log;
}

void log_freep(struct log **log)
{
	(void)log;
}

int log_checkpoint(const char *path, struct buf *note, struct err *e)
{
	(void)path;
	(void)note;
	return err_set(e, ERR_INTERNAL, "log_checkpoint");
}

const char log_schema_sql[] = "";

#include "evidence/leaf.h"

const char *leaf_role_name(enum leaf_role role)
{
	(void)role;
	return NULL;
}

const char *leaf_kind_name(enum leaf_kind kind)
{
	(void)kind;
	return NULL;
}

int leaf_check(struct leaf *out, const char *name, const void *bytes, size_t len,
	enum leaf_role role, struct err *e)
{
	(void)out;
	(void)name;
	(void)bytes;
	(void)len;
	(void)role;
	return err_set(e, ERR_INTERNAL, "leaf_check");
}

int leaf_genesis_role(const void *bytes, size_t len, enum leaf_role *out, struct err *e)
{
	(void)bytes;
	(void)len;
	(void)out;
	return err_set(e, ERR_INTERNAL, "leaf_genesis_role");
}

bool leaf_has(const struct leaf *l, enum leaf_member m)
{
	(void)l;
	(void)m;
	return false;
}

int64_t leaf_int(const struct leaf *l, enum leaf_member m, int64_t when_null)
{
	(void)l;
	(void)m;
	(void)when_null;
	return 0;
}

bool leaf_is(const struct leaf *l, enum leaf_member m, const char *text)
{
	(void)l;
	(void)m;
	(void)text;
	return false;
}

int leaf_text(const struct leaf *l, enum leaf_member m, char *out, size_t cap)
{
	(void)l;
	(void)m;
	(void)out;
	(void)cap;
	return -1;
}

int leaf_bytes(const struct leaf *l, enum leaf_member m, uint8_t *out, size_t len)
{
	(void)l;
	(void)m;
	(void)out;
	(void)len;
	return -1;
}

int leaf_array_next(const struct leaf_value *array, size_t *pos, char *out, size_t cap)
{
	(void)array;
	(void)pos;
	(void)out;
	(void)cap;
	return -1;
}

int leaf_clock_now(struct leaf_clock *out, struct err *e)
{
	(void)out;
	return err_set(e, ERR_INTERNAL, "leaf_clock_now");
}

int leaf_write(const char *kind, enum leaf_role role, uint64_t seq, const uint8_t prev[32],
	const struct leaf_clock *clock, const json_t *members, struct buf *out, struct err *e)
{
	(void)kind;
	(void)role;
	(void)seq;
	(void)prev;
	(void)clock;
	(void)members;
	(void)out;
	return err_set(e, ERR_INTERNAL, "leaf_write");
}

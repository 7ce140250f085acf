#include "evidence/merkle.h"

void merkle_leaf_hash(const void *data, size_t len, uint8_t out[MERKLE_HASH])
{
	(void)data;
	(void)len;
	(void)out;
}

void merkle_node_hash(
	const uint8_t left[MERKLE_HASH], const uint8_t right[MERKLE_HASH], uint8_t out[MERKLE_HASH])
{
	(void)left;
	(void)right;
	(void)out;
}

size_t merkle_append(
	struct merkle *m, const void *data, size_t len, uint8_t stored[64][MERKLE_HASH])
{
	(void)m;
	(void)data;
	(void)len;
	(void)stored;
	return 0;
}

size_t merkle_append_hash(
	struct merkle *m, const uint8_t leaf[MERKLE_HASH], uint8_t stored[64][MERKLE_HASH])
{
	(void)m;
	(void)leaf;
	(void)stored;
	return 0;
}

void merkle_root(const struct merkle *m, uint8_t out[MERKLE_HASH])
{
	(void)m;
	(void)out;
}

uint64_t merkle_node_id(unsigned level, uint64_t index)
{
	(void)level;
	(void)index;
	return 0;
}

uint64_t merkle_node_count(uint64_t n_leaves)
{
	(void)n_leaves;
	return 0;
}

int merkle_root_at(uint64_t n, merkle_read read, void *ctx, uint8_t out[MERKLE_HASH], struct err *e)
{
	(void)n;
	(void)read;
	(void)ctx;
	(void)out;
	return err_set(e, ERR_INTERNAL, "merkle_root_at");
}

int merkle_resume(struct merkle *m, uint64_t n, merkle_read read, void *ctx, struct err *e)
{
	(void)m;
	(void)n;
	(void)read;
	(void)ctx;
	return err_set(e, ERR_INTERNAL, "merkle_resume");
}

int merkle_prove_inclusion(uint64_t i, uint64_t n, merkle_read read, void *ctx,
	struct merkle_proof *out, struct err *e)
{
	(void)i;
	(void)n;
	(void)read;
	(void)ctx;
	(void)out;
	return err_set(e, ERR_INTERNAL, "merkle_prove_inclusion");
}

int merkle_prove_consistency(uint64_t m, uint64_t n, merkle_read read, void *ctx,
	struct merkle_proof *out, struct err *e)
{
	(void)m;
	(void)n;
	(void)read;
	(void)ctx;
	(void)out;
	return err_set(e, ERR_INTERNAL, "merkle_prove_consistency");
}

int merkle_check_inclusion(uint64_t i, uint64_t n, const uint8_t leaf[MERKLE_HASH],
	const uint8_t (*path)[MERKLE_HASH], size_t n_path, const uint8_t root[MERKLE_HASH],
	struct err *e)
{
	(void)i;
	(void)n;
	(void)leaf;
	(void)path;
	(void)n_path;
	(void)root;
	return err_set(e, ERR_INTERNAL, "merkle_check_inclusion");
}

int merkle_check_consistency(uint64_t m, uint64_t n, const uint8_t old_root[MERKLE_HASH],
	const uint8_t new_root[MERKLE_HASH], const uint8_t (*path)[MERKLE_HASH], size_t n_path,
	struct err *e)
{
	(void)m;
	(void)n;
	(void)old_root;
	(void)new_root;
	(void)path;
	(void)n_path;
	return err_set(e, ERR_INTERNAL, "merkle_check_consistency");
}

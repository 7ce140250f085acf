/* The tree against vectors made by Go's tlog: roots, stored nodes, every proof of small trees,
 * chosen proofs of large ones, good and bad proofs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/text.h"
#include "evidence/merkle.h"
#include "evidence_support.h"

struct store {
	uint8_t (*row)[MERKLE_HASH];
	uint64_t n;
};

static int store_read(void *ctx, uint64_t id, uint8_t out[MERKLE_HASH], struct err *e)
{
	const struct store *s = ctx;

	if (id >= s->n)
		return err_set(e, ERR_ENV, "no row %llu", (unsigned long long)id);
	memcpy(out, s->row[id], MERKLE_HASH);
	return 0;
}

static void store_add(struct store *s, struct merkle *m, const void *data, size_t len)
{
	uint8_t stored[64][MERKLE_HASH];
	uint64_t first = merkle_node_id(0, m->n);
	size_t k = merkle_append(m, data, len, stored);

	assert_int_equal(first, s->n);
	memcpy(s->row + s->n, stored, k * MERKLE_HASH);
	s->n += k;
	assert_int_equal(s->n, merkle_node_count(m->n));
}

static void assert_hash(const uint8_t *have, const json_t *want)
{
	uint8_t w[MERKLE_HASH];

	ev_b64(json_string_value(want), w, sizeof w);
	assert_memory_equal(have, w, sizeof w);
}

static void assert_proof(const struct merkle_proof *p, const json_t *want)
{
	assert_int_equal(p->n, json_array_size(want));
	for (size_t i = 0; i < p->n; i++)
		assert_hash(p->hash[i], json_array_get(want, i));
}

static void small_tree(struct store *s, struct merkle *m)
{
	AUTO(json_freep) json_t *t = ev_json("merkle/tree.json");
	json_t *leaf, *roots = json_object_get(t, "roots");
	json_t *rows = json_object_get(t, "stored_hashes");
	size_t i;

	s->row = calloc(100, sizeof *s->row);
	json_array_foreach(json_object_get(t, "leaves"), i, leaf)
	{
		const char *hex = ev_str(leaf, "data_hex");
		uint8_t data[256], h[MERKLE_HASH], root[MERKLE_HASH];
		size_t len = strlen(hex) / 2;
		assert_int_equal(hex_decode(data, len, hex), 0);
		merkle_root(m, root);
		const json_t *r = json_array_get(roots, i);
		assert_hash(root, json_is_string(r) ? r : json_object_get(r, "root"));
		merkle_leaf_hash(data, len, h);
		assert_hash(h, json_object_get(leaf, "leaf_hash"));
		store_add(s, m, data, len);
	}
	assert_int_equal(s->n, json_array_size(rows));
	for (i = 0; i < s->n; i++)
		assert_hash(s->row[i], json_array_get(rows, i));
}

static void roots_and_stored_nodes(void **state)
{
	(void)state;
	struct store s = { 0 };
	struct merkle m = { 0 };

	small_tree(&s, &m);
	/* The root of every size, and the state to go on from, come out of the stored rows. */
	struct merkle again = { 0 };
	for (uint64_t n = 0; n <= m.n; n++) {
		uint8_t a[MERKLE_HASH], b[MERKLE_HASH];
		struct merkle r;
		assert_int_equal(merkle_root_at(n, store_read, &s, a, NULL), 0);
		assert_int_equal(merkle_resume(&r, n, store_read, &s, NULL), 0);
		merkle_root(&r, b);
		assert_memory_equal(a, b, sizeof a);
		merkle_root(&again, b);
		assert_memory_equal(a, b, sizeof a);
		if (n < m.n)
			merkle_append_hash(&again, s.row[merkle_node_id(0, n)], NULL);
	}
	free(s.row);
}

static void every_small_proof(void **state)
{
	(void)state;
	struct store s = { 0 };
	struct merkle m = { 0 };
	struct merkle_proof p;
	struct err e;
	json_t *v;
	size_t i;

	small_tree(&s, &m);
	AUTO(json_freep) json_t *inc = ev_json("merkle/inclusion.json");
	json_array_foreach(inc, i, v)
	{
		uint64_t x = (uint64_t)ev_int(v, "index"), n = (uint64_t)ev_int(v, "size");
		uint8_t root[MERKLE_HASH];
		assert_int_equal(merkle_prove_inclusion(x, n, store_read, &s, &p, &e), 0);
		assert_proof(&p, json_object_get(v, "proof"));
		assert_int_equal(merkle_root_at(n, store_read, &s, root, &e), 0);
		const uint8_t *leaf = s.row[merkle_node_id(0, x)];
		assert_int_equal(merkle_check_inclusion(x, n, leaf, p.hash[0], p.n, root, &e), 0);
		root[31] ^= 1;
		assert_int_equal(merkle_check_inclusion(x, n, leaf, p.hash[0], p.n, root, &e), -1);
		assert_int_equal(e.code, ERR_REJECTED);
	}
	AUTO(json_freep) json_t *con = ev_json("merkle/consistency.json");
	json_array_foreach(con, i, v)
	{
		uint64_t o = (uint64_t)ev_int(v, "old"), n = (uint64_t)ev_int(v, "new");
		uint8_t a[MERKLE_HASH], b[MERKLE_HASH];
		assert_int_equal(merkle_prove_consistency(o, n, store_read, &s, &p, &e), 0);
		assert_proof(&p, json_object_get(v, "proof"));
		assert_int_equal(merkle_root_at(o, store_read, &s, a, &e), 0);
		assert_int_equal(merkle_root_at(n, store_read, &s, b, &e), 0);
		assert_int_equal(merkle_check_consistency(o, n, a, b, p.hash[0], p.n, &e), 0);
		a[0] ^= 1;
		assert_int_equal(merkle_check_consistency(o, n, a, b, p.hash[0], p.n, &e), -1);
	}
	assert_int_equal(merkle_prove_inclusion(40, 40, store_read, &s, &p, &e), -1);
	assert_int_equal(merkle_prove_consistency(0, 40, store_read, &s, &p, &e), -1);
	assert_int_equal(merkle_prove_consistency(41, 40, store_read, &s, &p, &e), -1);
	assert_int_equal(merkle_prove_inclusion(0, 41, store_read, &s, &p, &e), -1);
	assert_string_equal(e.msg, "tree node level 0 index 40: no row 78");
	free(s.row);
}

static void large_trees(void **state)
{
	(void)state;
	AUTO(json_freep) json_t *t = ev_json("merkle/large.json");
	struct store s = { .row = calloc(20100, MERKLE_HASH) };
	struct merkle m = { 0 };
	const char *size;
	json_t *v, *w;
	size_t i, k;

	for (int n = 0; n < 10007; n++) {
		char text[64];
		snprintf(text, sizeof text, "leaf %d of shared", n);
		store_add(&s, &m, text, strlen(text));
	}
	json_object_foreach(json_object_get(t, "roots"), size, v)
	{
		uint8_t root[MERKLE_HASH];
		assert_int_equal(
			merkle_root_at(strtoull(size, NULL, 10), store_read, &s, root, NULL), 0);
		assert_hash(root, v);
	}
	json_array_foreach(json_object_get(t, "trees"), i, v)
	{
		struct merkle_proof p;
		json_array_foreach(json_object_get(v, "inclusion"), k, w)
		{
			assert_int_equal(
				merkle_prove_inclusion((uint64_t)ev_int(w, "index"),
					(uint64_t)ev_int(w, "size"), store_read, &s, &p, NULL),
				0);
			assert_proof(&p, json_object_get(w, "proof"));
		}
		json_array_foreach(json_object_get(v, "consistency"), k, w)
		{
			assert_int_equal(
				merkle_prove_consistency((uint64_t)ev_int(w, "old"),
					(uint64_t)ev_int(w, "new"), store_read, &s, &p, NULL),
				0);
			assert_proof(&p, json_object_get(w, "proof"));
		}
	}
	free(s.row);
}

static void node_numbers(void **state)
{
	(void)state;
	AUTO(json_freep) json_t *t = ev_json("merkle/stored-index.json");
	json_t *v;
	size_t i;

	json_array_foreach(json_object_get(t, "leaves_hashes"), i, v) assert_int_equal(
		merkle_node_count((uint64_t)json_integer_value(json_array_get(v, 0))),
		json_integer_value(json_array_get(v, 1)));
	json_array_foreach(json_object_get(t, "level_index_id"), i, v)
		assert_int_equal(merkle_node_id((unsigned)json_integer_value(json_array_get(v, 0)),
					 (uint64_t)json_integer_value(json_array_get(v, 1))),
			json_integer_value(json_array_get(v, 2)));
}

static void good_and_bad_proofs(void **state)
{
	(void)state;
	AUTO(json_freep) json_t *t = ev_json("merkle/proof-checks.json");
	unsigned accepted = 0, rejected = 0;
	json_t *v;
	size_t i, k;

	json_array_foreach(t, i, v)
	{
		uint8_t path[200][MERKLE_HASH], a[MERKLE_HASH], b[MERKLE_HASH];
		json_t *proof = json_object_get(v, "proof");
		size_t n = json_array_size(proof);
		struct err e = { 0 };
		int rc;
		for (k = 0; k < n; k++)
			ev_b64(json_string_value(json_array_get(proof, k)), path[k], MERKLE_HASH);
		if (strcmp(ev_str(v, "kind"), "inclusion") == 0) {
			ev_b64(ev_str(v, "leaf_hash"), a, sizeof a);
			ev_b64(ev_str(v, "root"), b, sizeof b);
			rc = merkle_check_inclusion((uint64_t)ev_int(v, "index"),
				(uint64_t)ev_int(v, "size"), a, path[0], n, b, &e);
		} else {
			ev_b64(ev_str(v, "old_root"), a, sizeof a);
			ev_b64(ev_str(v, "root"), b, sizeof b);
			rc = merkle_check_consistency((uint64_t)ev_int(v, "old"),
				(uint64_t)ev_int(v, "size"), a, b, path[0], n, &e);
		}
		bool want = strncmp(ev_str(v, "project"), "accept", 6) == 0;
		if ((rc == 0) != want)
			fail_msg("%s: %s, %s wanted: %s", ev_str(v, "name"),
				rc ? "rejected" : "accepted", ev_str(v, "project"), e.msg);
		*(want ? &accepted : &rejected) += 1;
		if (!want) {
			assert_int_equal(e.code, ERR_REJECTED);
			assert_true(*e.msg);
		}
	}
	assert_true(accepted >= 5);
	assert_true(rejected >= 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(roots_and_stored_nodes),
		cmocka_unit_test(every_small_proof),
		cmocka_unit_test(large_trees),
		cmocka_unit_test(node_numbers),
		cmocka_unit_test(good_and_bad_proofs),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

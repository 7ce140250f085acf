/* MCXN-SIM-KEY-MODEL-1: every value of the model's vectors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/json.h"
#include "base/text.h"
#include "keyed/aes.h"
#include "keyed/sb31_kdf.h"
#include "tests/sim/key_model.h"
#include "tests/unit/sim_host.h"

static json_t *vectors;

static int load(void **state)
{
	AUTO(buf_clear) struct buf b = { 0 };
	struct err e = { 0 };

	(void)state;
	sim_host_read_file("tests/vectors/mboot/key_model.json", &b);
	vectors = json_read("key_model.json", b.p, b.len, &e);
	return vectors ? 0 : -1;
}

static int unload(void **state)
{
	(void)state;
	json_decref(vectors);
	return 0;
}

/* A member as bytes; returns its length. */
static size_t member(const json_t *v, const char *name, uint8_t *out, size_t cap)
{
	const char *hex = json_string_value(json_object_get(v, name));

	assert_non_null(hex);
	assert_true(strlen(hex) / 2 <= cap);
	assert_int_equal(hex_decode(out, strlen(hex) / 2, hex), 0);
	return strlen(hex) / 2;
}

static void same(const json_t *v, const char *name, const uint8_t *value, size_t len)
{
	uint8_t want[256];

	assert_int_equal(member(v, name, want, sizeof want), len);
	if (memcmp(want, value, len) != 0)
		fail_msg("%s differs", name);
}

static void roots_and_shares(void **state)
{
	size_t i;
	json_t *v;

	(void)state;
	assert_int_equal(json_array_size(vectors), 2);
	json_array_foreach(vectors, i, v)
	{
		struct sim_roots r;
		struct sim_session s = { 0 };
		uint8_t uuid[16], seed[16], random[32], share[32], enc[48], master[64], other[32];

		member(v, "uuid", uuid, sizeof uuid);
		member(v, "oem_seed", seed, sizeof seed);
		member(v, "device_random_32", random, sizeof random);
		sim_roots_derive(&r, json_string_value(json_object_get(v, "family")), uuid);
		same(v, "FAM", r.fam, 32);
		same(v, "DIE", r.die, 32);
		same(v, "K_SHARE", r.k_share, 32);
		same(v, "K_MSHARE", r.k_mshare, 32);
		same(v, "K_DIE", r.k_die, 32);
		assert_int_equal(sim_share_make(&r, seed, random, share, enc, master, NULL), 0);
		same(v, "OEM_SHARE", share, 32);
		same(v, "ENC_OEM_SHARE", enc, 48);
		same(v, "ENC_OEM_MASTER_SHARE", master, 64);
		sim_session_derive(&s, &r, share);
		same(v, "PRK", s.prk, 32);
		same(v, "K_INT", s.k_int, 32);
		same(v, "K_EXT", s.k_ext, 32);

		/* What was made opens again; any other seed or byte does not. */
		assert_true(sim_master_share_open(&r, seed, master, other));
		assert_memory_equal(other, share, 32);
		seed[0] ^= 1;
		assert_false(sim_master_share_open(&r, seed, master, other));
		seed[0] ^= 1;
		for (size_t k = 0; k < sizeof master; k++) {
			master[k] ^= 0x40;
			assert_false(sim_master_share_open(&r, seed, master, other));
			master[k] ^= 0x40;
		}
	}
}

static void check_pair(const json_t *v, const struct sim_session *s, const char *label,
	const char *d_name, const char *puk_name, const char *blob_name)
{
	AUTO(ecc_key_freep) struct ecc_key *key = NULL;
	uint8_t d[32], blob[48];

	assert_int_equal(sim_scalar(s->prk, label, d, NULL), 0);
	same(v, d_name, d, 32);
	assert_int_equal(sim_signing_key(&key, s->prk, label, NULL), 0);
	same(v, puk_name, ecc_key_pub(key)->xy, 64);
	if (blob_name) {
		assert_int_equal(sim_blob_wrap(s->k_int, SIM_PROPS_SIGN, d, blob, NULL), 0);
		same(v, blob_name, blob, 48);
	}
}

static void session_of(const json_t *v, struct sim_roots *r, struct sim_session *s)
{
	uint8_t uuid[16], share[32];

	member(v, "uuid", uuid, sizeof uuid);
	member(v, "OEM_SHARE", share, sizeof share);
	sim_roots_derive(r, json_string_value(json_object_get(v, "family")), uuid);
	sim_session_derive(s, r, share);
}

static void keys_and_blobs(void **state)
{
	size_t i;
	json_t *v;

	(void)state;
	json_array_foreach(vectors, i, v)
	{
		struct sim_roots r;
		struct sim_session s = { 0 };
		uint8_t key[32], blob[48], opened[32];

		session_of(v, &r, &s);
		check_pair(v, &s, "MFWISK", "MFWISK_d", "MFWISK_PUK", "MFWISK_BLOB");
		check_pair(v, &s, "GENSIGNK", "GENSIGNK_d", "GENSIGNK_PUK", "GENSIGNK_BLOB");
		check_pair(v, &s, "NXP_CUST_CA", "NXP_CUST_CA_d", "NXP_CUST_CA_PUK", NULL);

		sim_session_key(&s, "MFWENCK", key);
		same(v, "MFWENCK", key, 32);
		assert_int_equal(sim_blob_wrap(s.k_int, SIM_PROPS_ENCRYPT, key, blob, NULL), 0);
		same(v, "MFWENCK_BLOB", blob, 48);
		sim_session_key(&s, "ENCKEY", key);
		same(v, "ENCKEY", key, 32);
		assert_int_equal(sim_blob_wrap(s.k_int, SIM_PROPS_ENCRYPT, key, blob, NULL), 0);
		same(v, "ENCKEY_BLOB", blob, 48);
		sim_session_key(&s, "GETCUSTMKSK", key);
		same(v, "GETCUSTMKSK", key, 32);
		assert_int_equal(sim_blob_wrap(s.k_ext, SIM_PROPS_STORED, key, blob, NULL), 0);
		same(v, "GETCUSTMKSK_BLOB", blob, 48);

		member(v, "CUST_MK_SK_input", key, sizeof key);
		assert_int_equal(sim_blob_wrap(s.k_ext, SIM_PROPS_STORED, key, blob, NULL), 0);
		same(v, "CUST_MK_SK_BLOB_ext", blob, 48);
		assert_true(sim_blob_unwrap(s.k_ext, SIM_PROPS_STORED, blob, opened));
		assert_memory_equal(opened, key, 32);
		/* Wrong use, wrong key, any wrong byte. */
		assert_false(sim_blob_unwrap(s.k_ext, SIM_PROPS_ENCRYPT, blob, opened));
		assert_false(sim_blob_unwrap(s.k_int, SIM_PROPS_STORED, blob, opened));
		for (size_t k = 0; k < sizeof blob; k++) {
			blob[k] ^= 1;
			assert_false(sim_blob_unwrap(s.k_ext, SIM_PROPS_STORED, blob, opened));
			blob[k] ^= 1;
		}
		assert_int_equal(sim_blob_wrap(s.k_int, SIM_PROPS_STORED, key, blob, NULL), 0);
		same(v, "CUST_MK_SK_BLOB_int", blob, 48);
		assert_int_equal(sim_blob_wrap(r.k_die, SIM_PROPS_DIE, key, blob, NULL), 0);
		same(v, "CMPA_KEY_BLOB", blob, 48);
	}
}

static void block_encryption(void **state)
{
	size_t i;
	json_t *v, *bk;
	const char *n;

	(void)state;
	json_array_foreach(vectors, i, v)
	{
		uint8_t master[32], kdk[32], key[32], plain[256], out[256];
		uint64_t t = (uint64_t)json_integer_value(json_object_get(v, "timestamp"));

		member(v, "MFWENCK", master, sizeof master);
		assert_int_equal(sb31_kdf_kdk(master, 32, t, 0, 128, kdk, NULL), 0);
		same(v, "KDK", kdk, 16);
		json_object_foreach(json_object_get(v, "block_keys"), n, bk)
		{
			uint8_t want[16];
			uint64_t number;
			assert_int_equal(number_parse(n, &number), 0);
			assert_int_equal(
				sb31_kdf_block_key(kdk, (uint32_t)number, 0, 128, key, NULL), 0);
			assert_int_equal(hex_decode(want, 16, json_string_value(bk)), 0);
			assert_memory_equal(key, want, 16);
		}
		assert_int_equal(sb31_kdf_block_key(kdk, 1, 0, 128, key, NULL), 0);
		member(v, "block_1_plain", plain, sizeof plain);
		assert_int_equal(aes_cbc_encrypt(key, 16, NULL, plain, out, sizeof out, NULL), 0);
		same(v, "block_1_encrypted", out, sizeof out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(roots_and_shares),
		cmocka_unit_test(keys_and_blobs),
		cmocka_unit_test(block_encryption),
	};

	return cmocka_run_group_tests_name("sim_key_model", tests, load, unload);
}

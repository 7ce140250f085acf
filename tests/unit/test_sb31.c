/* SB3.1 against the golden containers: read them, and make them again from their configurations. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/fsio.h"
#include "base/text.h"
#include "image/sb31.h"
#include "keyed/sb31_kdf.h"
#include "mfgpkg/build/cert_block_build.h"
#include "mfgpkg/build/sb31_build.h"
#include "mfgpkg/build/sb31_decrypt.h"
#include "mfgpkg/build/sb31_extract.h"
#include "mfgpkg/config.h"
#include "tests/unit/sb31_vectors.h"

static struct vector cases[VECTORS_MAX];
static size_t n_cases;

static int setup(void **state)
{
	(void)state;
	n_cases = vectors_load(cases, SB31_VECTORS, "sb31");
	assert_int_equal(n_cases, 25);
	n_cases += vectors_load(cases + n_cases, GOLDEN, "sb31");
	assert_int_equal(n_cases, 29);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	vectors_free(cases, n_cases);
	return 0;
}

static void must(const struct vector *v, int rc, const struct err *e)
{
	if (rc != 0)
		fail_msg("%s: %s", v->dir, e->msg);
}

static bool is_encrypted(const struct vector *v)
{
	return json_is_true(json_object_get(v->facts, "encrypted"));
}

/* The plain stream of case v, as the vector gives it. */
static void assert_stream(const struct vector *v, const struct buf *plain)
{
	uint8_t hash[32];
	char hex[65];

	assert_int_equal(plain->len, vector_int(v, "plain_stream_length"));
	sha256_of(plain->p, plain->len, hash);
	assert_string_equal(hex_encode(hex, hash, 32), vector_str(v, "plain_stream_sha256"));
	if (json_object_get(v->facts, "plain_stream")) {
		AUTO(buf_clear) struct buf want = { 0 };
		vector_file(v, vector_str(v, "plain_stream"), &want);
		assert_int_equal(want.len, plain->len);
		assert_memory_equal(want.p, plain->p, want.len);
	}
}

static void test_parse_and_verify(void **state)
{
	(void)state;
	for (size_t i = 0; i < n_cases; i++) {
		const struct vector *v = &cases[i];
		struct err e = { 0 };
		struct sb31 sb;
		uint8_t want[48];
		size_t len = 0, n;

		must(v, sb31_parse(&sb, v->expected.p, v->expected.len, &e), &e);
		must(v, sb31_verify(&sb, &e), &e);
		assert_false(sb.devhsm);
		must(v, sb31_block0_len(v->expected.p, &len, &e), &e);
		assert_int_equal(len, vector_int(v, "block0_total_length"));
		assert_int_equal(sb.n_blocks, vector_int(v, "block_count"));
		assert_int_equal(sb.block_size, vector_int(v, "block_size"));
		assert_int_equal(sb.flags, vector_int(v, "container_flags"));
		assert_int_equal(sb.image_type, vector_int(v, "image_type"));
		assert_int_equal(sb.firmware_version, vector_int(v, "firmware_version"));
		assert_int_equal(sb.timestamp, strtoull(vector_str(v, "timestamp_hex"), NULL, 16));
		n = vector_hex(v, "block1_hash", want, sizeof want);
		assert_memory_equal(sb.block1_hash, want, n);
		n = vector_hex(v, "rkth", want, sizeof want);
		assert_int_equal(n, sb.cert.rkth_len);
		must(v, cert_block_check_rkth(&sb.cert, want, n, &e), &e);
		json_t *cert = json_object_get(v->facts, "cert_block");
		assert_int_equal(sb.cert.size, json_integer_value(json_object_get(cert, "size")));
		assert_int_equal(sb.cert.has_isk, json_is_true(json_object_get(cert, "has_isk")));
		assert_int_equal(sb.cert.flags,
			strtoul(json_string_value(json_object_get(cert, "root_key_record_flags")),
				NULL, 16));
	}
}

static void test_derived_keys(void **state)
{
	(void)state;
	for (size_t i = 0; i < n_cases; i++) {
		const struct vector *v = &cases[i];
		uint8_t mk[32], want[32], kdk[32], bk[32];
		const char *n;
		json_t *hex;
		struct err e = { 0 };
		struct sb31 sb;

		if (!is_encrypted(v))
			continue;
		must(v, sb31_parse(&sb, v->expected.p, v->expected.len, &e), &e);
		size_t mk_len = vector_hex(v, "cust_mk_sk", mk, sizeof mk);
		unsigned bits = (unsigned)vector_int(v, "kdf_key_bits");
		unsigned rights = (unsigned)vector_int(v, "kdk_access_rights");
		assert_int_equal(bits, sb.key_bits);
		must(v, sb31_kdf_kdk(mk, mk_len, sb.timestamp, rights, bits, kdk, &e), &e);
		assert_int_equal(vector_hex(v, "kdk", want, sizeof want), bits / 8);
		assert_memory_equal(kdk, want, bits / 8);
		json_object_foreach(json_object_get(v->facts, "block_keys"), n, hex)
		{
			must(v, sb31_kdf_block_key(kdk, (uint32_t)atoi(n), rights, bits, bk, &e),
				&e);
			assert_int_equal(hex_decode(want, bits / 8, json_string_value(hex)), 0);
			assert_memory_equal(bk, want, bits / 8);
		}
	}
}

static void test_decrypt(void **state)
{
	(void)state;
	for (size_t i = 0; i < n_cases; i++) {
		const struct vector *v = &cases[i];
		AUTO(sb31_stream_clear) struct sb31_stream s = { 0 };
		AUTO(secret_freep) struct secret *key = NULL;
		struct err e = { 0 };
		struct sb31 sb;
		uint8_t mk[32];

		must(v, sb31_parse(&sb, v->expected.p, v->expected.len, &e), &e);
		if (is_encrypted(v))
			key = secret_copy(mk, vector_hex(v, "cust_mk_sk", mk, sizeof mk));
		must(v, sb31_decrypt(&s, &sb, key, SB31_RIGHTS_FIND, &e), &e);
		assert_int_equal(s.rights, key ? (int)vector_int(v, "kdk_access_rights") : -1);
		assert_stream(v, &s.plain);

		/* The command walker reads what the writer writes: every command back again. */
		AUTO(sb31_items_clear) struct sb31_items items = { 0 };
		struct rd r = rd_of(s.plain.p + SB31_SECTION_HEADER, s.length);
		struct sb31_cmd cmd;
		int got;
		while ((got = sb31_cmd_next(&r, &cmd, &e)) == 1) {
			char text[160];
			struct sb31_item *item = sb31_items_add(&items, (enum sb31_tag)cmd.tag);
			assert_non_null(item);
			item->w1 = cmd.w1;
			item->w2 = cmd.w2;
			memcpy(item->ext, cmd.ext, sizeof cmd.ext);
			wr_bytes(&item->data, cmd.data, cmd.data_len);
			assert_non_null(strstr(sb31_cmd_text(text, &cmd), sb31_cmd_name(cmd.tag)));
		}
		assert_int_equal(got, 0);
		assert_int_equal(items.n, s.n_cmds);
		uint32_t n_blocks = 0;
		must(v, sb31_items_blocks(&items, &n_blocks, &e), &e);
		assert_int_equal(n_blocks, sb.n_blocks);
		AUTO(buf_clear) struct buf again = { 0 };
		sb31_items_write(&items, buf_grow(&again, (size_t)n_blocks * 256), 256);
		assert_memory_equal(again.p, s.plain.p, s.plain.len);
	}
}

/* export_case - build a case from its configuration; with `extra` its certificate block is taken as
 * a binary. */
static void export_case(const struct vector *v, struct buf *out)
{
	AUTO(config_freep) struct config *c = NULL;
	AUTO(keystore_freep) struct keystore *ks = NULL;
	char path[600];
	struct err e = { 0 };

	snprintf(path, sizeof path, "%s/config.yaml", v->dir);
	must(v, config_load(&c, path, &e), &e);
	must(v, keystore_new(&ks, NULL, &e), &e);
	must(v, sb31_export(c, ks, out, &e), &e);
}

static void test_export(void **state)
{
	(void)state;
	for (size_t i = 0; i < n_cases; i++) {
		const struct vector *v = &cases[i];
		AUTO(buf_clear) struct buf out = { 0 };
		struct err e = { 0 };
		struct sb31 sb;

		export_case(v, &out);
		assert_same_but_signatures(v, out.p, out.len);
		must(v, sb31_parse(&sb, out.p, out.len, &e), &e);
		must(v, sb31_verify(&sb, &e), &e);
	}
}

static void put(const char *dir, const char *name, const void *data, size_t len)
{
	char path[300];
	struct err e = { 0 };

	snprintf(path, sizeof path, "%s/%s", dir, name);
	if (fsio_write(path, data, len, 0600, &e) != 0)
		fail_msg("%s", e.msg);
}

/* export(extract(x)) is x but for the signature of block 0. */
static void test_extract(void **state)
{
	(void)state;
	char dir[] = "/tmp/test_sb31.XXXXXX", cmd[100];
	assert_non_null(mkdtemp(dir));
	for (size_t i = 0; i < n_cases; i++) {
		const struct vector *v = &cases[i];
		AUTO(config_freep) struct config *c = NULL, *own = NULL;
		AUTO(keystore_freep) struct keystore *ks = NULL;
		AUTO(sb31_stream_clear) struct sb31_stream s = { 0 };
		AUTO(secret_freep) struct secret *key = NULL;
		AUTO(str_freep) char *signer = NULL;
		AUTO(buf_clear) struct buf pem = { 0 }, out = { 0 };
		struct err e = { 0 };
		struct sb31 sb;
		uint8_t mk[32];
		char sub[200], path[600];

		must(v, sb31_parse(&sb, v->expected.p, v->expected.len, &e), &e);
		if (is_encrypted(v))
			key = secret_copy(mk, vector_hex(v, "cust_mk_sk", mk, sizeof mk));
		must(v, sb31_decrypt(&s, &sb, key, SB31_RIGHTS_FIND, &e), &e);
		snprintf(sub, sizeof sub, "%s/%zu", dir, i);
		must(v, sb31_extract(sub, &sb, &s, &e), &e);

		snprintf(path, sizeof path, "%s/config.yaml", v->dir);
		must(v, config_load(&own, path, &e), &e);
		must(v, config_path(config_get(config_root(own), "signer"), &signer, &e), &e);
		must(v, fsio_read(signer, 10000, &pem, &e), &e);
		put(sub, "signer.pem", pem.p, pem.len);
		if (key)
			put(sub, "cust_mk_sk.key", key->p, key->len);
		snprintf(path, sizeof path, "%s/config.yaml", sub);
		must(v, keystore_new(&ks, NULL, &e), &e);
		must(v, config_load(&c, path, &e), &e);
		must(v, sb31_export(c, ks, &out, &e), &e);
		assert_same_but_signatures(v, out.p, out.len);

		/* Nothing is replaced. */
		assert_int_equal(sb31_extract(sub, &sb, &s, &e), -1);
		assert_int_equal(e.code, ERR_ENV);
	}
	snprintf(cmd, sizeof cmd, "rm -r %s", dir);
	assert_int_equal(system(cmd), 0);
}

/* The device-HSM container: template and final header, layout, chain, signature. The part of this
 * vector encrypts by XOR with 0xA5 and signs with isk_p256. */
static void test_devhsm(void **state)
{
	(void)state;
	struct vector v[VECTORS_MAX];
	assert_int_equal(vectors_load(v, SB31_VECTORS, "sb31-devhsm"), 1);
	AUTO(config_freep) struct config *c = NULL;
	AUTO(keystore_freep) struct keystore *ks = NULL;
	AUTO(sb31_items_clear) struct sb31_items items = { 0 };
	AUTO(ecc_key_freep) struct ecc_key *part = NULL;
	AUTO(buf_clear) struct buf ours = { 0 }, plain = { 0 };
	struct err e = { 0 };
	uint8_t hdr[60], want[60], wrapped[48], share[48], hash1[32];
	uint32_t n_blocks = 0;
	uint64_t t = vector_int(v, "timestamp");

	must(v, config_load(&c, SB31_VECTORS "/devhsm-mock/config.yaml", &e), &e);
	must(v, keystore_new(&ks, NULL, &e), &e);
	must(v, sb31_items_from_config(&items, ks, config_get(config_root(c), "commands"), &e), &e);
	assert_int_equal(vector_hex(v, "wrapped_cust_mk_sk", wrapped, 48), 48);
	struct sb31_item *blob = sb31_items_add(&items, SB31_LOAD_KEY_BLOB);
	blob->w1 = sb31_key_blob_word(0, SB31_KEK_EXT);
	wr_bytes(&blob->data, wrapped, sizeof wrapped);
	must(v, sb31_items_blocks(&items, &n_blocks, &e), &e);
	sb31_items_write(&items, buf_grow(&plain, (size_t)n_blocks * 256), 256);
	AUTO(buf_clear) struct buf want_plain = { 0 };
	vector_file(v, "plain_stream.bin", &want_plain);
	assert_int_equal(plain.len, want_plain.len);
	assert_memory_equal(plain.p, want_plain.p, plain.len);

	sb31_devhsm_template(t, hdr);
	vector_hex(v, "header_given_to_device", want, sizeof want);
	assert_memory_equal(hdr, want, 60);

	uint8_t *blocks = buf_grow(&ours, SB31_DEVHSM_BLOCK0 + (size_t)n_blocks * 292);
	uint8_t *block0 = blocks;
	blocks += SB31_DEVHSM_BLOCK0;
	for (uint32_t n = 0; n < n_blocks; n++)
		for (size_t k = 0; k < 256; k++)
			blocks[n * 292 + 36 + k] = plain.p[n * 256 + k] ^ 0xA5;
	sb31_chain(DIGEST_SHA256, blocks, n_blocks, hash1);
	assert_int_equal(ecc_key_load(&part, "tests/vectors/keys/isk_p256.pem", NULL, &e), 0);
	vector_hex(v, "oem_enc_share", share, sizeof share);
	sb31_devhsm_block0(t, n_blocks, hash1, v->expected.p + 108, share, block0);
	must(v, ecc_key_sign(part, block0, 220, block0 + 220, &e), &e);
	assert_same_but_signatures(v, ours.p, ours.len);

	struct sb31 sb;
	must(v, sb31_parse(&sb, v->expected.p, v->expected.len, &e), &e);
	assert_true(sb.devhsm);
	assert_memory_equal(sb.enc_oem_share, share, 48);
	assert_true(ecc_pub_equal(&sb.cert.root, ecc_key_pub(part)));
	must(v, sb31_verify(&sb, &e), &e);
	vectors_free(v, 1);
}

/* RKTH of 1..4 keys of both curves. */
static void test_rkth(void **state)
{
	(void)state;
	json_t *doc = json_load_file("tests/vectors/rkth/rkth.json", 0, NULL);
	json_t *list = json_object_get(doc, "cases"), *one, *name;
	size_t i, k;

	assert_int_equal(json_array_size(list), 8);
	json_array_foreach(list, i, one)
	{
		struct ecc_pub keys[4];
		uint8_t rkth[48];
		char hex[97], path[300];
		size_t n = 0, len = 0;
		struct err e = { 0 };

		json_array_foreach(json_object_get(one, "keys"), k, name)
		{
			snprintf(path, sizeof path, "tests/vectors/rkth/%s",
				json_string_value(name));
			assert_int_equal(ecc_pub_load_any(&keys[n++], path, NULL, &e), 0);
		}
		assert_int_equal(rkth_of_keys(keys, n, rkth, &len, &e), 0);
		assert_string_equal(hex_encode(hex, rkth, len),
			json_string_value(json_object_get(one, "rkth")));
	}
	json_decref(doc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse_and_verify),
		cmocka_unit_test(test_derived_keys),
		cmocka_unit_test(test_decrypt),
		cmocka_unit_test(test_export),
		cmocka_unit_test(test_extract),
		cmocka_unit_test(test_devhsm),
		cmocka_unit_test(test_rkth),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}

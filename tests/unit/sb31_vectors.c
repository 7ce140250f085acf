#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/fsio.h"
#include "base/text.h"
#include "crypt/ecc.h"
#include "tests/unit/sb31_vectors.h"

static void read_file(const char *path, struct buf *out)
{
	struct err e = { 0 };
	if (fsio_read(path, (size_t)16 << 20, out, &e) != 0)
		fail_msg("%s", e.msg);
}

void vector_file(const struct vector *v, const char *name, struct buf *out)
{
	char path[600];
	snprintf(path, sizeof path, "%s/%s", v->dir, name);
	read_file(path, out);
}

const char *vector_str(const struct vector *v, const char *key)
{
	const char *s = json_string_value(json_object_get(v->facts, key));
	if (!s)
		fail_msg("%s/case.json: no %s", v->dir, key);
	return s;
}

uint64_t vector_int(const struct vector *v, const char *key)
{
	const json_t *j = json_object_get(v->facts, key);
	if (!json_is_integer(j))
		fail_msg("%s/case.json: no %s", v->dir, key);
	return (uint64_t)json_integer_value(j);
}

size_t vector_hex(const struct vector *v, const char *key, uint8_t *out, size_t cap)
{
	const char *s = vector_str(v, key);
	size_t n = strlen(s) / 2;

	assert_true(n <= cap);
	assert_int_equal(hex_decode(out, n, s), 0);
	return n;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct vector *)a)->dir, ((const struct vector *)b)->dir);
}

size_t vectors_load(struct vector v[VECTORS_MAX], const char *folder, const char *format)
{
	DIR *d = opendir(folder);
	size_t n = 0;

	if (!d)
		fail_msg("%s: no such folder (run the tests in the top folder)", folder);
	for (struct dirent *ent; (ent = readdir(d));) {
		struct vector one = { 0 };
		char path[400];

		snprintf(one.dir, sizeof one.dir, "%s/%.150s", folder, ent->d_name);
		snprintf(path, sizeof path, "%s/case.json", one.dir);
		if (*ent->d_name == '.' || !fsio_exists(path))
			continue;
		/* Timestamps of 64 bits do not fit in jansson's integers. */
		one.facts = json_load_file(path, 0, NULL);
		if (!one.facts) {
			AUTO(buf_clear) struct buf text = { 0 };
			read_file(path, &text);
			char *big = strstr((char *)(uintptr_t)buf_text(&text), "\"timestamp\": ");
			assert_non_null(big);
			memset(big + 13, ' ', strspn(big + 13, "0123456789"));
			big[13] = '0';
			one.facts = json_loads(buf_text(&text), 0, NULL);
		}
		if (!one.facts)
			fail_msg("%s: not readable", path);
		if (strcmp(vector_str(&one, "format"), format) != 0) {
			json_decref(one.facts);
			continue;
		}
		assert_true(n < VECTORS_MAX);
		vector_file(&one, vector_str(&one, "expected"), &one.expected);
		v[n++] = one;
	}
	closedir(d);
	qsort(v, n, sizeof *v, by_name);
	return n;
}

void vectors_free(struct vector *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		json_decref(v[i].facts);
		buf_clear(&v[i].expected);
	}
}

static void load_pub(struct ecc_pub *pub, const struct vector *v, const char *name)
{
	char path[600];
	struct err e = { 0 };
	AUTO(buf_clear) struct buf file = { 0 };

	snprintf(path, sizeof path, "%s/../../keys/%s", v->dir, name);
	if (!fsio_exists(path))
		snprintf(path, sizeof path, "%s/../files/%s", v->dir, name);
	read_file(path, &file);
	if (ecc_pub_from_bytes(pub, path, file.p, file.len, &e) != 0)
		fail_msg("%s", e.msg);
}

void assert_same_but_signatures(const struct vector *v, const uint8_t *ours, size_t len)
{
	AUTO(buf_clear) struct buf a = { 0 }, b = { 0 };
	json_t *list = json_object_get(v->facts, "ecdsa_signatures"), *sig;
	struct err e = { 0 };
	uint8_t hash[32];
	char hex[65];
	size_t i;

	assert_int_equal(len, v->expected.len);
	wr_bytes(&a, ours, len);
	wr_bytes(&b, v->expected.p, len);
	assert_true(json_array_size(list) >= 1);
	json_array_foreach(list, i, sig)
	{
		size_t off = (size_t)json_integer_value(json_object_get(sig, "offset"));
		size_t n = (size_t)json_integer_value(json_object_get(sig, "length"));
		json_t *range = json_object_get(sig, "signed_range");
		size_t from = (size_t)json_integer_value(json_array_get(range, 0));
		size_t to = (size_t)json_integer_value(json_array_get(range, 1));
		struct ecc_pub pub;

		load_pub(&pub, v, json_string_value(json_object_get(sig, "public_key")));
		if (ecc_verify(&pub, ours + from, to - from, ours + off, &e) != 0)
			fail_msg("%s: signature %zu: %s", v->dir, i, e.msg);
		assert_int_equal(n, 2 * ecc_len(pub.curve));
		memset(a.p + off, 0, n);
		memset(b.p + off, 0, n);
	}
	for (size_t k = 0; k < len; k++)
		if (a.p[k] != b.p[k])
			fail_msg("%s: byte %zu is 0x%02x, expected 0x%02x", v->dir, k, a.p[k],
				b.p[k]);
	if (json_object_get(v->facts, "sha256_signatures_zeroed")) {
		sha256_of(a.p, len, hash);
		assert_string_equal(
			hex_encode(hex, hash, 32), vector_str(v, "sha256_signatures_zeroed"));
	}
}

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/obj_mac.h>
#include <stdlib.h>
#include <string.h>

#include "image/sb31.h"
#include "mfgpkg/secret_scan_internal.h"

/* --- encodings of private keys -----------------------------------------------------------------
 */

/* Byte sequences that begin a private key, whatever the key is. Long enough not to happen in
 * ciphertext by chance (6 bytes: once in four million packages of 64 MiB). */
static const struct {
	const char *bytes;
	size_t len;
	const char *what;
} structures[] = {
#define SEQ(s) s, sizeof s - 1
	{ SEQ("PRIVATE KEY-----"), "a private key (PEM)" },
	{ SEQ("RWRTY0Iy"), "a minisign secret key" }, /* base64 of Ed Sc B2 */
	{ SEQ("RWQAAEIy"), "a minisign secret key without password" }, /* Ed 00 00 B2 */
	{ SEQ("EdScB2"), "a minisign secret key" },
	{ SEQ("Ed\0\0B2"), "a minisign secret key without password" },
	{ SEQ("mfgpkg sealed secret: "), "a sealed secret" },
	{ SEQ("PRIVATE+KEY+"), "the secret key of a log" }, /* Go's note keys */
	/* PKCS#8, version 0, id-ecPublicKey / rsaEncryption / Ed25519 */
	{ SEQ("\x02\x01\x00\x30\x13\x06\x07\x2A\x86\x48\xCE\x3D\x02\x01"), "a private key (DER)" },
	{ SEQ("\x02\x01\x00\x30\x10\x06\x07\x2A\x86\x48\xCE\x3D\x02\x01"), "a private key (DER)" },
	{ SEQ("\x02\x01\x00\x30\x0D\x06\x09\x2A\x86\x48\x86\xF7\x0D\x01\x01\x01"),
		"a private key (DER)" },
	{ SEQ("\x02\x01\x00\x30\x05\x06\x03\x2B\x65\x70\x04\x22\x04\x20"), "a private key (DER)" },
	/* PKCS#8, encrypted with PBES2 */
	{ SEQ("\x06\x09\x2A\x86\x48\x86\xF7\x0D\x01\x05\x0D"), "an encrypted private key (DER)" },
	/* PKCS#1, RSA of 2048, 3072, 4096 bits */
	{ SEQ("\x02\x01\x00\x02\x82\x01\x01\x00"), "an RSA private key (DER)" },
	{ SEQ("\x02\x01\x00\x02\x82\x01\x81\x00"), "an RSA private key (DER)" },
	{ SEQ("\x02\x01\x00\x02\x82\x02\x01\x00"), "an RSA private key (DER)" },
#undef SEQ
};

/* SEC1: SEQUENCE, one or two length bytes, INTEGER 1, OCTET STRING of 32 or 48 bytes. */
static bool sec1_at(const uint8_t *p, size_t left)
{
	size_t head = left > 2 && p[1] == 0x81 ? 3 : 2;

	if (left < head + 5 || p[0] != 0x30 || memcmp(p + head, "\x02\x01\x01\x04", 4) != 0)
		return false;
	uint8_t n = p[head + 4];
	return (n == 32 || n == 48) && p[head - 1] >= n + 5 && left >= head + 5 + n;
}

int oem_scan_structures(const struct oem_view *v, struct err *e)
{
	for (size_t i = 0; i < sizeof structures / sizeof *structures; i++) {
		const uint8_t *at = memmem(v->data, v->len, structures[i].bytes, structures[i].len);
		if (at)
			return oem_scan_found(v, (size_t)(at - v->data), structures[i].what, e);
	}
	for (const uint8_t *p = v->data, *end = v->data + v->len;
		v->len && (p = memchr(p, 0x30, (size_t)(end - p))) != NULL; p++)
		if (sec1_at(p, (size_t)(end - p)))
			return oem_scan_found(
				v, (size_t)(p - v->data), "an EC private key (DER)", e);
	return 0;
}

/* --- private numbers of the public keys inside --------------------------------------------------
 */

/* A multiplication per place is slow (P-256 10 us, P-384 300 us), so text is skipped (a key is
 * never all printable) and so is ciphertext, and there is an end to it. What `create` itself used
 * is searched for as bytes, everywhere; this is for packages of unknown making. */
enum { BUDGET_P256 = 100000, BUDGET_P384 = 8000, MAX_KEYS = 16, MIN_DISTINCT_SCALAR = 14 };

struct keys {
	struct ecc_pub list[MAX_KEYS];
	size_t n;
};

static void add_key(struct keys *k, const struct ecc_pub *pub)
{
	for (size_t i = 0; i < k->n; i++)
		if (ecc_pub_equal(&k->list[i], pub))
			return;
	if (k->n < MAX_KEYS)
		k->list[k->n++] = *pub;
}

static bool could_be_scalar(const uint8_t *p, size_t len)
{
	bool seen[256] = { false };
	int distinct = 0, printable = 0;

	for (size_t i = 0; i < len; i++) {
		distinct += !seen[p[i]];
		seen[p[i]] = true;
		printable += (p[i] >= 0x20 && p[i] < 0x7F) || p[i] == '\n' || p[i] == '\t';
	}
	return distinct >= MIN_DISTINCT_SCALAR && printable < (int)len;
}

struct search {
	const struct keys *keys;
	enum ecc_curve curve;
	EC_GROUP *group;
	EC_POINT *point;
	BIGNUM *d, *x, *y;
	BN_CTX *ctx;
	long budget;
};

static bool matches(struct search *s, const uint8_t *scalar)
{
	size_t len = ecc_len(s->curve);
	uint8_t xy[2 * ECC_MAX_LEN];

	if (!BN_bin2bn(scalar, (int)len, s->d) || BN_is_zero(s->d) ||
		!EC_POINT_mul(s->group, s->point, s->d, NULL, NULL, s->ctx) ||
		!EC_POINT_get_affine_coordinates(s->group, s->point, s->x, s->y, s->ctx) ||
		BN_bn2binpad(s->x, xy, (int)len) < 0 || BN_bn2binpad(s->y, xy + len, (int)len) < 0)
		return false;
	for (size_t i = 0; i < s->keys->n; i++)
		if (s->keys->list[i].curve == s->curve &&
			memcmp(s->keys->list[i].xy, xy, 2 * len) == 0)
			return true;
	return false;
}

static int search_view(void *ctx, const struct oem_view *v, struct err *e)
{
	struct search *s = ctx;
	size_t len = ecc_len(s->curve);

	for (size_t i = 0; i + len <= v->len && s->budget > 0; i++) {
		uint8_t turned[ECC_MAX_LEN];
		if (!could_be_scalar(v->data + i, len))
			continue;
		for (size_t k = 0; k < len; k++)
			turned[k] = v->data[i + len - 1 - k];
		s->budget -= 2;
		if (matches(s, v->data + i) || matches(s, turned))
			return oem_scan_found(
				v, i, "the private number of a public key in the package", e);
	}
	return 0;
}

/* Where plain bytes can stand: everything but the ciphertext of SB3.1 files. */
static int search_entries(struct search *s, const struct container *c, struct err *e)
{
	for (size_t i = 0; i < c->n; i++) {
		const struct container_entry *x = &c->entries[i];
		struct sb31 sb;
		size_t len = x->len;
		if (x->len >= SB31_HEADER && memcmp(x->data, "sbv3", 4) == 0 &&
			sb31_parse(&sb, x->data, x->len, NULL) == 0)
			len = sb.block0_len;
		if (oem_scan_views(x->name, x->data, len, search_view, s, e) != 0)
			return -1;
	}
	return 0;
}

static int search_curve(const struct keys *keys, enum ecc_curve curve, long budget,
	const struct container *c, struct err *e)
{
	struct search s = { .keys = keys, .curve = curve, .budget = budget };
	int r = -1;

	s.group = EC_GROUP_new_by_curve_name(
		curve == ECC_P256 ? NID_X9_62_prime256v1 : NID_secp384r1);
	s.point = s.group ? EC_POINT_new(s.group) : NULL;
	s.d = BN_secure_new();
	s.x = BN_new();
	s.y = BN_new();
	s.ctx = BN_CTX_secure_new();
	if (!s.point || !s.d || !s.x || !s.y || !s.ctx)
		err_set(e, ERR_ENV, "out of memory");
	else
		r = search_entries(&s, c, e);
	BN_clear_free(s.d);
	BN_free(s.x);
	BN_free(s.y);
	BN_CTX_free(s.ctx);
	EC_POINT_clear_free(s.point);
	EC_GROUP_free(s.group);
	return r;
}

int oem_scan_scalars(const struct container *c, struct err *e)
{
	struct keys keys = { .n = 0 };
	bool p256 = false, p384 = false;

	for (size_t i = 0; i < c->n; i++) {
		const struct container_entry *x = &c->entries[i];
		struct sb31 sb;
		if (x->len < SB31_HEADER || memcmp(x->data, "sbv3", 4) != 0 ||
			sb31_parse(&sb, x->data, x->len, NULL) != 0)
			continue;
		add_key(&keys, &sb.cert.root);
		if (!sb.devhsm && sb.cert.has_isk)
			add_key(&keys, &sb.cert.isk);
	}
	for (size_t i = 0; i < keys.n; i++) {
		p256 = p256 || keys.list[i].curve == ECC_P256;
		p384 = p384 || keys.list[i].curve == ECC_P384;
	}
	if (p256 && search_curve(&keys, ECC_P256, BUDGET_P256, c, e) != 0)
		return -1;
	return p384 ? search_curve(&keys, ECC_P384, BUDGET_P384, c, e) : 0;
}

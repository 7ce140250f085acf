#include <openssl/bn.h>
#include <sodium.h>
#include <string.h>

#include "base/bytes.h"
#include "keyed/aes.h"
#include "tests/sim/key_model.h"

#define MODEL_NAME "MCXN-SIM-KEY-MODEL-1"

/* Order of P-256, minus 1. */
static const uint8_t order_minus_1[32] = { 0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00, 0x00, 0x00, 0xFF,
	0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xBC, 0xE6, 0xFA, 0xAD, 0xA7, 0x17, 0x9E, 0x84,
	0xF3, 0xB9, 0xCA, 0xC2, 0xFC, 0x63, 0x25, 0x50 };

static void hmac(const void *key, size_t key_len, const void *a, size_t a_len, const void *b,
	size_t b_len, const void *c, size_t c_len, uint8_t out[32])
{
	crypto_auth_hmacsha256_state st;

	crypto_auth_hmacsha256_init(&st, key, key_len);
	crypto_auth_hmacsha256_update(&st, a, a_len);
	crypto_auth_hmacsha256_update(&st, b, b_len);
	crypto_auth_hmacsha256_update(&st, c, c_len);
	crypto_auth_hmacsha256_final(&st, out);
	sodium_memzero(&st, sizeof st);
}

void sim_extract(
	const void *salt, size_t salt_len, const void *ikm, size_t ikm_len, uint8_t prk[32])
{
	hmac(salt, salt_len, ikm, ikm_len, NULL, 0, NULL, 0, prk);
}

void sim_expand(const uint8_t prk[32], const char *info, uint8_t *out, size_t len)
{
	uint8_t t[32];
	size_t t_len = 0;

	for (uint8_t i = 1; len; i++) {
		hmac(prk, 32, t, t_len, info, strlen(info), &i, 1, t);
		t_len = len < sizeof t ? len : sizeof t;
		memcpy(out, t, t_len);
		out += t_len;
		len -= t_len;
		t_len = sizeof t;
	}
	sodium_memzero(t, sizeof t);
}

int sim_scalar(const uint8_t prk[32], const char *label, uint8_t d[32], struct err *e)
{
	uint8_t wide[48];
	int status = -1;
	BN_CTX *ctx = BN_CTX_secure_new();
	BIGNUM *x = BN_secure_new();
	BIGNUM *m = BN_bin2bn(order_minus_1, sizeof order_minus_1, NULL);

	sim_expand(prk, label, wide, sizeof wide);
	if (ctx && x && m && BN_bin2bn(wide, sizeof wide, x) && BN_mod(x, x, m, ctx) &&
		BN_add_word(x, 1) && BN_bn2binpad(x, d, 32) == 32)
		status = 0;
	else
		err_set(e, ERR_INTERNAL, "key model: bignum arithmetic failed");
	BN_clear_free(x);
	BN_free(m);
	BN_CTX_free(ctx);
	sodium_memzero(wide, sizeof wide);
	return status;
}

int sim_signing_key(struct ecc_key **out, const uint8_t prk[32], const char *label, struct err *e)
{
	uint8_t d[32];

	if (sim_scalar(prk, label, d, e) != 0)
		return -1;
	int status = ecc_key_from_scalar(out, ECC_P256, d, e);
	if (status == 0)
		ecc_key_set_repeatable(*out); /* --seed makes whole runs repeatable */
	sodium_memzero(d, sizeof d);
	return status;
}

void sim_roots_derive(struct sim_roots *r, const char *family, const uint8_t uuid[16])
{
	static const char die_salt[] = MODEL_NAME "/die";

	sim_extract(MODEL_NAME, strlen(MODEL_NAME), family, strlen(family), r->fam);
	sim_extract(die_salt, strlen(die_salt), uuid, 16, r->die);
	sim_expand(r->fam, "share-kek", r->k_share, sizeof r->k_share);
	sim_expand(r->fam, "master-share-mac", r->k_mshare, sizeof r->k_mshare);
	sim_expand(r->die, "cmpa-kek", r->k_die, sizeof r->k_die);
}

void sim_session_derive(
	struct sim_session *s, const struct sim_roots *r, const uint8_t share[SIM_KEY_LEN])
{
	sim_extract(r->fam, sizeof r->fam, share, SIM_KEY_LEN, s->prk);
	sim_expand(s->prk, "NXP_CUST_KEK_INT_SK", s->k_int, sizeof s->k_int);
	sim_expand(s->prk, "NXP_CUST_KEK_EXT_SK", s->k_ext, sizeof s->k_ext);
	s->open = true;
}

void sim_session_clear(struct sim_session *s)
{
	sodium_memzero(s, sizeof *s);
}

void sim_session_key(const struct sim_session *s, const char *name, uint8_t out[SIM_KEY_LEN])
{
	sim_expand(s->prk, name, out, SIM_KEY_LEN);
}

int sim_blob_wrap(const uint8_t kek[32], uint32_t props, const uint8_t key[32],
	uint8_t blob[SIM_BLOB_LEN], struct err *e)
{
	uint8_t plain[40];

	put_le32(plain, props);
	put_le32(plain + 4, 0);
	memcpy(plain + 8, key, 32);
	int status = aes_kw_wrap(kek, 32, plain, sizeof plain, blob, e);
	sodium_memzero(plain, sizeof plain);
	return status;
}

bool sim_blob_unwrap(
	const uint8_t kek[32], uint32_t props, const uint8_t blob[SIM_BLOB_LEN], uint8_t key[32])
{
	uint8_t plain[40];
	bool good = aes_kw_unwrap(kek, 32, blob, SIM_BLOB_LEN, plain, NULL) == 0 &&
		    get_le32(plain) == props && get_le32(plain + 4) == 0;

	if (good)
		memcpy(key, plain + 8, 32);
	sodium_memzero(plain, sizeof plain);
	return good;
}

static int master_share_mac(const struct sim_roots *r, const uint8_t seed[SIM_SEED_LEN],
	const uint8_t enc_share[SIM_ENC_SHARE_LEN], uint8_t mac[16], struct err *e)
{
	uint8_t msg[SIM_SEED_LEN + SIM_ENC_SHARE_LEN];

	memcpy(msg, seed, SIM_SEED_LEN);
	memcpy(msg + SIM_SEED_LEN, enc_share, SIM_ENC_SHARE_LEN);
	return aes_cmac(r->k_mshare, sizeof r->k_mshare, msg, sizeof msg, mac, e);
}

int sim_share_make(const struct sim_roots *r, const uint8_t seed[SIM_SEED_LEN],
	const uint8_t random[32], uint8_t share[32], uint8_t enc_share[SIM_ENC_SHARE_LEN],
	uint8_t master[SIM_MASTER_SHARE_LEN], struct err *e)
{
	uint8_t prk[32];

	sim_extract(seed, SIM_SEED_LEN, random, 32, prk);
	sim_expand(prk, "oem-share", share, SIM_KEY_LEN);
	sodium_memzero(prk, sizeof prk);
	if (sim_blob_wrap(r->k_share, SIM_PROPS_SHARE, share, enc_share, e) != 0)
		return -1;
	memcpy(master, enc_share, SIM_ENC_SHARE_LEN);
	return master_share_mac(r, seed, enc_share, master + SIM_ENC_SHARE_LEN, e);
}

bool sim_share_open(
	const struct sim_roots *r, const uint8_t enc_share[SIM_ENC_SHARE_LEN], uint8_t share[32])
{
	return sim_blob_unwrap(r->k_share, SIM_PROPS_SHARE, enc_share, share);
}

bool sim_master_share_open(const struct sim_roots *r, const uint8_t seed[SIM_SEED_LEN],
	const uint8_t master[SIM_MASTER_SHARE_LEN], uint8_t share[32])
{
	uint8_t mac[16];

	return master_share_mac(r, seed, master, mac, NULL) == 0 &&
	       sodium_memcmp(mac, master + SIM_ENC_SHARE_LEN, sizeof mac) == 0 &&
	       sim_share_open(r, master, share);
}

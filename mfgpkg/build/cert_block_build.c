#include <string.h>

#include "base/fsio.h"
#include "mfgpkg/build/cert_block_build.h"
#include "mfgpkg/config.h"

int cert_block_build(const struct cert_block_build *b, struct buf *out, struct err *e)
{
	uint8_t rkth[DIGEST_MAX], sig[2 * ECC_MAX_LEN];
	size_t rkth_len, start = out->len;

	if (rkth_of_keys(b->roots, b->n_roots, rkth, &rkth_len, e) != 0)
		return -1;
	if (b->used_root >= b->n_roots)
		return err_set(e, ERR_CONFIG, "root key %u is to be used, but there are only %zu",
			b->used_root, b->n_roots);
	enum ecc_curve curve = b->roots[0].curve;
	size_t n = ecc_len(curve);
	const struct ecc_pub *root = &b->roots[b->used_root];

	wr_bytes(out, "chdr", 4);
	wr_le16(out, 1);
	wr_le16(out, 2);
	wr_le32(out, 0); /* size, below */
	wr_le32(out, (b->isk_signer ? 0 : CERT_BLOCK_FLAG_CA) | b->used_root << 8 |
			     (uint32_t)b->n_roots << 4 | (uint32_t)curve);
	for (size_t i = 0; b->n_roots > 1 && i < b->n_roots; i++) {
		uint8_t rkh[DIGEST_MAX];
		digest_of(ecc_digest(curve), b->roots[i].xy, 2 * n, rkh);
		wr_bytes(out, rkh, n);
	}
	wr_bytes(out, root->xy, 2 * n);

	if (b->isk_signer) {
		size_t isk_n = ecc_len(b->isk.curve);
		if (curve == ECC_P256 && b->isk.curve == ECC_P384)
			return err_set(e, ERR_CONFIG,
				"a P-384 ISK under P-256 root keys is not supported");
		if (b->user_data_len > CERT_BLOCK_MAX_USER || b->user_data_len % 4)
			return err_set(e, ERR_CONFIG,
				"%zu bytes of user data, wanted a multiple of 4, at most %d",
				b->user_data_len, CERT_BLOCK_MAX_USER);
		if (!ecc_pub_equal(ecc_key_pub(b->isk_signer), root))
			return err_set(e, ERR_CONFIG,
				"the key that signs the ISK certificate is not root key %u",
				b->used_root);
		wr_le32(out, (uint32_t)(12 + 2 * isk_n + b->user_data_len));
		wr_le32(out, b->isk_constraint);
		wr_le32(out, (b->user_data_len ? ISK_FLAG_USER_DATA : 0) | (uint32_t)b->isk.curve);
		wr_bytes(out, b->isk.xy, 2 * isk_n);
		wr_bytes(out, b->user_data, b->user_data_len);
		if (buf_check(out, "certificate block", e) != 0)
			return -1;
		size_t from = start + CERT_BLOCK_HEADER;
		if (ecc_key_sign(b->isk_signer, out->p + from, out->len - from, sig, e) != 0)
			return err_wrap(e, "ISK certificate");
		wr_bytes(out, sig, 2 * n);
	}
	wr_patch32(out, start + 8, (uint32_t)(out->len - start));
	return buf_check(out, "certificate block", e);
}

/* --- from a configuration ----------------------------------------------------------------------
 */

static const char *const known_keys[] = { "family", "revision", "useIsk", "signer", "iskPublicKey",
	"signingCertificateFile", "iskCertificateConstraint", "signingCertificateConstraint",
	"iskCertData", "signCertData", "rootCertificate0File", "rootCertificate1File",
	"rootCertificate2File", "rootCertificate3File", "mainRootCertId", "containerOutputFile",
	/* of older versions or other parts, without effect */
	"signingCertificatePrivateKeyFile", "signProvider", "mainRootCertPrivateKeyFile", NULL };

/* An empty text counts as absent, as templates leave it. */
static const struct config_node *present(const struct config_node *n)
{
	const char *text = n ? config_text(n) : NULL;
	return !n || config_kind(n) == CONFIG_NULL || (text && !*text) ? NULL : n;
}

static int read_roots(
	const struct config *c, struct keystore *ks, struct cert_block_build *b, struct err *e)
{
	const struct config_node *root = config_root(c), *gap = NULL;

	for (unsigned i = 0; i < CERT_BLOCK_MAX_ROOTS; i++) {
		char key[32];
		snprintf(key, sizeof key, "rootCertificate%uFile", i);
		const struct config_node *n = present(config_get(root, key));
		if (!n) {
			gap = gap ? gap : root;
			continue;
		}
		if (gap)
			return config_error(
				n, e, "root key %u given, but not root key %zu", i, b->n_roots);
		if (keystore_pub_at(ks, n, &b->roots[i], e) != 0)
			return -1;
		if (b->roots[i].curve != b->roots[0].curve)
			return config_error(n, e,
				"root key %u is on %s, root key 0 on %s: all must be on one curve",
				i, ecc_curve_name(b->roots[i].curve),
				ecc_curve_name(b->roots[0].curve));
		b->n_roots = i + 1;
	}
	if (b->n_roots == 0)
		return config_error(root, e, "rootCertificate0File missing");
	return 0;
}

/* mainRootCertId, or the root key that belongs to `signer`. */
static int read_used_root(const struct config *c, const struct ecc_key *signer,
	const struct config_node *signer_node, struct cert_block_build *b, struct err *e)
{
	const struct config_node *node = present(config_get(config_root(c), "mainRootCertId"));
	uint64_t id = 0;

	if (node) {
		if (config_number(node, UINT32_MAX, &id, e) != 0)
			return -1;
		if (id >= b->n_roots)
			return config_error(node, e, "root key %llu, but there are only %zu",
				(unsigned long long)id, b->n_roots);
		b->used_root = (unsigned)id;
		if (signer && !ecc_pub_equal(ecc_key_pub(signer), &b->roots[id]))
			return config_error(signer_node, e,
				"this is not the private key of root key %llu, which "
				"mainRootCertId "
				"names; a block signed with it would not verify",
				(unsigned long long)id);
		return 0;
	}
	if (!signer)
		return config_error(config_root(c), e,
			"mainRootCertId missing (or signer, to find the root key by)");
	for (unsigned i = 0; i < b->n_roots; i++)
		if (ecc_pub_equal(ecc_key_pub(signer), &b->roots[i])) {
			b->used_root = i;
			return 0;
		}
	return config_error(
		signer_node, e, "this is the private key of none of the %zu root keys", b->n_roots);
}

static int read_isk(const struct config *c, struct keystore *ks, struct cert_block_build *b,
	struct buf *user_data, struct err *e)
{
	const struct config_node *root = config_root(c), *n;
	uint64_t constraint = 0;

	n = present(config_get_any(root, "iskPublicKey", "signingCertificateFile", NULL));
	if (!n)
		return config_error(root, e, "iskPublicKey missing (useIsk is true)");
	if (keystore_pub_at(ks, n, &b->isk, e) != 0)
		return -1;
	if (b->roots[0].curve == ECC_P256 && b->isk.curve == ECC_P384)
		return config_error(n, e, "a P-384 ISK under P-256 root keys is not supported");
	n = present(config_get_any(
		root, "iskCertificateConstraint", "signingCertificateConstraint", NULL));
	if (n && config_number(n, UINT32_MAX, &constraint, e) != 0)
		return -1;
	b->isk_constraint = (uint32_t)constraint;
	n = present(config_get_any(root, "iskCertData", "signCertData", NULL));
	if (n) {
		AUTO(str_freep) char *path = NULL;
		if (config_path(n, &path, e) != 0 || fsio_read(path, 65536, user_data, e) != 0)
			return -1;
		if (user_data->len > CERT_BLOCK_MAX_USER || user_data->len % 4)
			return config_error(n, e,
				"%s: %zu bytes of user data, wanted a multiple of 4, at most %d",
				path, user_data->len, CERT_BLOCK_MAX_USER);
		b->user_data = user_data->p;
		b->user_data_len = user_data->len;
	}
	return 0;
}

int cert_block_export(const struct config *c, struct keystore *ks, struct buf *out, struct err *e)
{
	const struct config_node *root = config_root(c), *n, *signer_node;
	AUTO(buf_clear) struct buf user_data = { 0 };
	const struct ecc_key *signer = NULL;
	struct cert_block_build b = { 0 };
	bool use_isk;

	if (config_need(root, "useIsk", &n, e) != 0 || config_bool(n, &use_isk, e) != 0 ||
		read_roots(c, ks, &b, e) != 0)
		return -1;
	signer_node = present(config_get(root, "signer"));
	if (use_isk && !signer_node)
		return config_error(root, e, "signer missing (useIsk is true)");
	/* Without ISK nothing is signed here: the key only serves to find mainRootCertId. */
	if (signer_node && (use_isk || !present(config_get(root, "mainRootCertId"))) &&
		keystore_key_at(ks, signer_node, &signer, e) != 0)
		return -1;
	if (read_used_root(c, signer, signer_node, &b, e) != 0)
		return -1;
	if (use_isk) {
		b.isk_signer = signer;
		if (read_isk(c, ks, &b, &user_data, e) != 0)
			return -1;
	}
	config_warn_unused(c, known_keys, keystore_warn_text, ks);
	if (cert_block_build(&b, out, e) != 0)
		return err_wrap(e, "%s", config_name(c));
	return 0;
}

/* A file that begins with the magic is a block, anything else a configuration. */
static int read_block(const char *path, struct buf *file, struct cert_block *b, struct err *e)
{
	if (fsio_read(path, CONFIG_MAX_SIZE, file, e) != 0)
		return -1;
	if (file->len < 4 || memcmp(file->p, "chdr", 4) != 0)
		return 1;
	if (cert_block_parse(b, file->p, file->len, e) != 0 || cert_block_verify(b, e) != 0)
		return err_wrap(e, "%s", path);
	if (b->size != file->len)
		return err_set(e, ERR_FORMAT, "%s: %zu bytes behind the certificate block", path,
			file->len - b->size);
	return 0;
}

int cert_block_load(
	const struct config_node *node, struct keystore *ks, struct buf *out, struct err *e)
{
	AUTO(str_freep) char *path = NULL;
	AUTO(buf_clear) struct buf file = { 0 };
	AUTO(config_freep) struct config *c = NULL;
	struct cert_block b;

	if (config_path(node, &path, e) != 0)
		return -1;
	int rc = read_block(path, &file, &b, e);
	if (rc < 0)
		return -1;
	if (rc == 0) {
		wr_bytes(out, file.p, file.len);
		return buf_check(out, path, e);
	}
	if (config_load_from(&c, node, e) != 0)
		return -1;
	return cert_block_export(c, ks, out, e);
}

int cert_block_rkth(
	const char *path, struct keystore *ks, uint8_t rkth[48], size_t *len, struct err *e)
{
	AUTO(buf_clear) struct buf file = { 0 };
	AUTO(config_freep) struct config *c = NULL;
	struct cert_block_build keys = { 0 };
	struct cert_block b;

	int rc = read_block(path, &file, &b, e);
	if (rc < 0)
		return -1;
	if (rc == 0) {
		memcpy(rkth, b.rkth, b.rkth_len);
		*len = b.rkth_len;
		return 0;
	}
	if (config_load(&c, path, e) != 0 || read_roots(c, ks, &keys, e) != 0)
		return -1;
	return rkth_of_keys(keys.roots, keys.n_roots, rkth, len, e);
}

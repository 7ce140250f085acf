#include <string.h>

#include "base/text.h"
#include "image/sb31.h"
#include "pkg/pkg_internal.h"
#include "pkg/sb_check.h"

/* Runs of one byte value this long do not happen by chance in ciphertext (2^-240 per block). */
enum { RUN_MAX = 32 };

int sb_check_encrypted(const char *path, const struct sb31 *sb, struct err *e)
{
	static const uint8_t section[8] = { 1, 0, 0, 0, 1, 0, 0, 0 };
	const uint8_t *first = sb31_payload(sb, 1);

	if (memcmp(first, section, sizeof section) == 0 && get_le32(first + 12) == 0)
		return err_set(e, ERR_REJECTED,
			"%s: not encrypted: block 1 is a plain section header", path);
	for (uint32_t n = 1; n <= sb->n_blocks; n++) {
		const uint8_t *p = sb31_payload(sb, n);
		size_t run = 1;
		for (size_t i = 1; i < SB31_PAYLOAD; i++) {
			run = p[i] == p[i - 1] ? run + 1 : 1;
			if (run == RUN_MAX)
				return err_set(e, ERR_REJECTED,
					"%s: not encrypted: block %u has %d equal bytes in a row",
					path, n, RUN_MAX);
		}
	}
	return 0;
}

static int check_rkth(
	const char *path, const struct sb31 *sb, const uint8_t *rkth, size_t len, struct err *e)
{
	char seen[97], wanted[97];

	if (sb->cert.rkth_len == len && memcmp(sb->cert.rkth, rkth, len) == 0)
		return 0;
	return err_set(e, ERR_REJECTED, "%s: RKTH %s, the manifest says %s", path,
		hex_encode(seen, sb->cert.rkth, sb->cert.rkth_len), hex_encode(wanted, rkth, len));
}

int pkg_check_sb(const char *path, enum manifest_role role, const uint8_t *data, size_t len,
	const uint8_t *rkth, size_t rkth_len, bool verify, struct err *e)
{
	struct sb31 sb;
	bool provisioning = role == ROLE_PROVISIONING_SB;

	if (sb31_parse(&sb, data, len, e) != 0)
		return err_wrap(e, "%s", path);
	if (sb.devhsm != provisioning)
		return err_set(e, ERR_REJECTED, "%s: %s, but its role is \"%s\"", path,
			sb.devhsm ? "a device-HSM container" : "an SB3.1 file of RoT keys",
			manifest_role_name(role));
	if (sb.image_type != SB31_IMAGE_OEM)
		return err_set(e, ERR_REJECTED, "%s: image type %u, %d (OEM) wanted", path,
			sb.image_type, SB31_IMAGE_OEM);
	if (!provisioning && check_rkth(path, &sb, rkth, rkth_len, e) != 0)
		return -1;
	if (verify && sb31_verify(&sb, e) != 0)
		return err_wrap(e, "%s", path);
	return sb_check_encrypted(path, &sb, e);
}

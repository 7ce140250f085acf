#include <string.h>

#include "keyed/sb31_cipher.h"
#include "keyed/sb31_kdf.h"
#include "mfgpkg/build/sb31_decrypt.h"

static void copy_payloads(const struct sb31 *sb, uint8_t *out)
{
	for (uint32_t n = 1; n <= sb->n_blocks; n++)
		memcpy(out + (size_t)(n - 1) * SB31_PAYLOAD, sb31_payload(sb, n), SB31_PAYLOAD);
}

static bool starts_section(const uint8_t *payload)
{
	uint32_t length;
	return sb31_section(payload, &length, NULL) == 0;
}

bool sb31_is_plain(const struct sb31 *sb)
{
	return starts_section(sb31_payload(sb, 1));
}

/* The rights under which the first payload becomes a section header; 1 when none does. */
static int find_rights(const struct sb31 *sb, const struct secret *key, int *rights, struct err *e)
{
	uint8_t first[SB31_PAYLOAD];
	int rc = 1;

	for (unsigned r = 0; r <= SB31_RIGHTS_MAX && rc == 1; r++) {
		AUTO(sb31_cipher_freep) struct sb31_cipher *c = NULL;
		if (*rights != SB31_RIGHTS_FIND && *rights != (int)r)
			continue;
		memcpy(first, sb31_payload(sb, 1), sizeof first);
		if (sb31_cipher_new(&c, key->p, key->len, sb->timestamp, r, sb->key_bits, e) != 0 ||
			sb31_cipher_decrypt(c, 1, first, SB31_PAYLOAD, 1, e) != 0)
			rc = -1;
		else if (starts_section(first)) {
			*rights = (int)r;
			rc = 0;
		}
	}
	explicit_bzero(first, sizeof first);
	return rc;
}

/* Section header, commands, and nothing but zeros behind them in the last piece. */
static int check_stream(struct sb31_stream *s, struct err *e)
{
	struct sb31_cmd cmd;
	int got;

	if (sb31_section(s->plain.p, &s->length, e) != 0)
		return -1;
	size_t room = s->plain.len - SB31_SECTION_HEADER;
	if (s->length > room || room - s->length >= SB31_PAYLOAD)
		return err_set(e, ERR_FORMAT, "SB3.1: section of %u bytes in %zu bytes of payload",
			s->length, room);
	struct rd r = rd_of(s->plain.p + SB31_SECTION_HEADER, s->length);
	while ((got = sb31_cmd_next(&r, &cmd, e)) == 1)
		s->n_cmds++;
	if (got < 0)
		return err_wrap(e, "command %zu", s->n_cmds + 1);
	for (size_t i = SB31_SECTION_HEADER + s->length; i < s->plain.len; i++)
		if (s->plain.p[i] != 0)
			return err_set(e, ERR_FORMAT,
				"SB3.1: byte %zu behind the last command is 0x%02x, wanted 0",
				i - SB31_SECTION_HEADER - s->length, s->plain.p[i]);
	return 0;
}

int sb31_decrypt(struct sb31_stream *out, const struct sb31 *sb, const struct secret *key,
	int rights, struct err *e)
{
	*out = (struct sb31_stream){ .rights = key ? rights : -1,
		.plain.max = (size_t)SB31_MAX_BLOCKS * SB31_PAYLOAD };
	if (sb->devhsm && key)
		return err_set(e, ERR_REJECTED,
			"SB3.1: made by a device HSM: encrypted under a key that only devices "
			"have");
	if (!key && !sb31_is_plain(sb))
		return err_set(
			e, ERR_REJECTED, "SB3.1: payloads are encrypted; give CUST_MK_SK (--key)");
	if (key) {
		int rc = find_rights(sb, key, &out->rights, e);
		if (rc < 0)
			return -1;
		if (rc > 0)
			return err_set(e, ERR_REJECTED, "SB3.1: this key%s does not decrypt it",
				rights == SB31_RIGHTS_FIND ? " (with any kdkAccessRights)"
							   : " with these kdkAccessRights");
	}
	uint8_t *p = buf_grow(&out->plain, (size_t)sb->n_blocks * SB31_PAYLOAD);
	if (!p)
		return buf_check(&out->plain, "plain stream", e);
	copy_payloads(sb, p);
	if (key) {
		AUTO(sb31_cipher_freep) struct sb31_cipher *c = NULL;
		if (sb31_cipher_new(&c, key->p, key->len, sb->timestamp, (unsigned)out->rights,
			    sb->key_bits, e) != 0 ||
			sb31_cipher_decrypt(c, 1, p, SB31_PAYLOAD, sb->n_blocks, e) != 0)
			return -1;
	}
	return check_stream(out, e);
}

void sb31_stream_clear(struct sb31_stream *s)
{
	buf_wipe(&s->plain);
}

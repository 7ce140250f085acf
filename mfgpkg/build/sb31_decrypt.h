/* sb31_decrypt - the plain stream of a finished SB3.1 container, for its owner who has CUST_MK_SK.
 */
#ifndef MFGPKG_BUILD_SB31_DECRYPT_H
#define MFGPKG_BUILD_SB31_DECRYPT_H

#include "base/bytes.h"
#include "base/err.h"
#include "image/sb31.h"
#include "keyed/secret.h"

#define SB31_RIGHTS_FIND (-1)

struct sb31_stream {
	struct buf plain; /* section header, commands, fill; wiped by sb31_stream_clear() */
	uint32_t length; /* bytes of commands, which begin at SB31_SECTION_HEADER */
	int rights; /* kdkAccessRights that fit; -1: the payloads were plain */
	size_t n_cmds;
};

/* sb31_decrypt - decrypt and check a container whose chain was verified: section header, every
 * command, zero fill. key NULL: the payloads must be plain. The file does not say its
 * kdkAccessRights: give 0..3, or SB31_RIGHTS_FIND to try them. ERR_REJECTED (key or rights do not
 * fit), ERR_FORMAT (what is inside is wrong). sb31_stream_clear() also after failure. */
int sb31_decrypt(struct sb31_stream *out, const struct sb31 *sb, const struct secret *key,
	int rights, struct err *e) CHECKED;
void sb31_stream_clear(struct sb31_stream *s);

/* sb31_is_plain - the payloads are not encrypted: the first one starts with a section header. */
bool sb31_is_plain(const struct sb31 *sb);

#endif

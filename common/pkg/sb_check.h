/* sb_check - does an SB3.1 file hold ciphertext? A container with plain payloads has no mark, but
 * its content gives it away: a section header in the first payload, runs of equal bytes. */
#ifndef COMMON_PKG_SB_CHECK_H
#define COMMON_PKG_SB_CHECK_H

#include "base/err.h"
#include "image/sb31.h"

/* sb_check_encrypted - sb parsed by sb31_parse(). ERR_REJECTED "PATH: not encrypted: ...". */
int sb_check_encrypted(const char *path, const struct sb31 *sb, struct err *e) CHECKED;

#endif

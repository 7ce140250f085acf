/* sb31_extract - a decrypted SB3.1 container as the workspace that makes it again. */
#ifndef MFGPKG_BUILD_SB31_EXTRACT_H
#define MFGPKG_BUILD_SB31_EXTRACT_H

#include "base/err.h"
#include "image/sb31.h"
#include "mfgpkg/build/sb31_decrypt.h"

/* sb31_extract - write config.yaml, cert_block.bin and one file per command with data into `dir`
 * (made when missing; existing files are not replaced). With signer.pem and cust_mk_sk.key put
 * beside them, sb31 export gives the same bytes but for the signature of block 0. The files hold
 * plain firmware: mode 0600. ERR_CONFIG names a command that no configuration can express. */
int sb31_extract(
	const char *dir, const struct sb31 *sb, const struct sb31_stream *s, struct err *e) CHECKED;

#endif

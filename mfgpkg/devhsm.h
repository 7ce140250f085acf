/* devhsm - make a provisioning SB3.1 with a connected MCX Nx4x that serves as a small HSM.
 *
 * The device makes (or restores) a share, derives its keys from it, wraps CUST_MK_SK, encrypts
 * every block and signs block 0. The host sees the OEM seed, wrapped blobs, public keys and
 * ciphertext; the only plain key that passes it is a CUST_MK_SK it was given to wrap. A session of
 * the device allows one such run: a second one needs a reset. Plaintext is wiped on every path.
 * One thread. Source: device-HSM format section 2, SB3.1 format section 5.
 */
#ifndef MFGPKG_DEVHSM_H
#define MFGPKG_DEVHSM_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/json.h"
#include "mboot/mboot.h"
#include "mfgpkg/config.h"
#include "mfgpkg/keystore.h"

#define DEVHSM_SEED_LEN		16
#define DEVHSM_SHARE_LEN	48
#define DEVHSM_MASTER_SHARE_LEN 64
#define DEVHSM_PUK_LEN		64
#define DEVHSM_BLOB_LEN		48
#define DEVHSM_CUST_MK_SK_LEN	32

struct devhsm_options {
	uint64_t timestamp; /* seconds since 2000; 0: the configuration's `timestamp`, else
			     * sb31_timestamp() (SOURCE_DATE_EPOCH or now) */
	int reset_wait_ms; /* wait after the initial reset before the first ping; 0: 500 */
	const atomic_bool *cancel;
	/* progress: step is a phrase ("encrypting"), done/total count blocks there, else 0/0 */
	void (*progress)(void *ctx, const char *step, uint32_t done, uint32_t total);
	config_warn_fn warn; /* unknown keys and the like; NULL: dropped */
	void *ctx; /* of progress and warn */
};

/* What came out. All of it may be shown, logged and kept but `container`, which is as good as a
 * blank device's first trust. */
struct devhsm_result {
	struct buf container; /* the SB3.1 file */
	uint64_t timestamp;
	uint32_t n_blocks;
	bool restored; /* the share came from oemEncMasterShare, not from this run */
	uint8_t enc_oem_share[DEVHSM_SHARE_LEN];
	uint8_t enc_oem_master_share[DEVHSM_MASTER_SHARE_LEN];
	bool has_cust_ca; /* a restored share brings none */
	uint8_t cust_ca_puk[DEVHSM_PUK_LEN]; /* NXP_CUST_CA_PUK, x || y */
	uint8_t cust_fw_auth_puk[DEVHSM_PUK_LEN]; /* signs block 0 */
	bool has_key_blob; /* the file sets CUST_MK_SK */
	/* devhsm_generate_on only: the device that served */
	bool has_device;
	bool has_uuid;
	uint8_t uuid[MBOOT_UUID_LEN];
	enum mboot_lifecycle lifecycle;
};
void devhsm_result_clear(struct devhsm_result *r); /* also a zeroed one */

/* devhsm_generate - the whole run over an open session (pinged already, in ISP mode).
 *   c   the configuration: family, oemRandomShare, oemEncMasterShare,
 *       containerKeyBlobEncryptionKey, initialReset, finalReset, bufferAddress, workspace,
 *       commands. containerOutputFile is the caller's affair.
 *   ks  gives the seed and CUST_MK_SK and remembers them for the secret scan.
 *   Returns 0 and fills *out (caller: devhsm_result_clear), or -1: ERR_CONFIG, ERR_DEVICE,
 *   ERR_TIMEOUT, ERR_CANCELLED. After a failure the device is reset when finalReset says so. */
int devhsm_generate(struct mboot *m, const struct config *c, struct keystore *ks,
	const struct devhsm_options *options, struct devhsm_result *out, struct err *e) CHECKED;

/* devhsm_generate_on - open a port, see who is there, run, close. */
int devhsm_generate_on(const char *port, uint32_t baud, const struct config *c, struct keystore *ks,
	const struct devhsm_options *options, struct devhsm_result *out, struct err *e) CHECKED;

/* Result facts as JSON, without the container; new reference, NULL when memory is out. */
json_t *devhsm_json(const struct devhsm_result *r);

#endif

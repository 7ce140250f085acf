/* mboot - the host side of NXP's ISP protocol: one port, one thread, straight-line calls.
 *
 * Every command runs against monotonic deadlines: one for the whole command and, inside it, one
 * for each step (ACK, first response, data frame), by class of command. Behaviour on trouble:
 *   NAK                      the identical frame again, up to 3 times, then the command fails
 *   ABORT in a data phase    stop sending, read the final response, report its status
 *   no ACK                   never repeated blindly: time out, ping once, report both
 *   damaged response         NAK up to 3 times, then the command fails
 *   bytes before a frame     skipped and counted
 *   early refusal            the first response's status is reported, no data is sent
 *   cancel                   noticed within 100 ms; an open data phase is ended as the protocol
 *                            provides for, so that the device takes commands again
 *
 * Errors: a device status is ERR_DEVICE with e->device set and the status name in the message;
 * no answer is ERR_TIMEOUT; a broken dialogue (NAKed or damaged too often, nonsense) is ERR_DEVICE
 * with device 0, as is a port that vanished ("port closed"); cancel is ERR_CANCELLED.
 * No locks; different sessions may run in different threads.
 */
#ifndef COMMON_MBOOT_MBOOT_H
#define COMMON_MBOOT_MBOOT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"
#include "mboot/command.h"
#include "mboot/frame.h"
#include "mboot/transport.h"

struct mboot;

#define MBOOT_UUID_LEN		 16
#define MBOOT_DICE_PUK_LEN	 64
#define MBOOT_DICE_RESPONSE_LEN	 324
#define MBOOT_DICE_CHALLENGE_LEN 32
#define MBOOT_MAX_READ		 ((size_t)64 << 20) /* read-memory: largest length asked for */

struct mboot_options {
	const atomic_bool *cancel; /* NULL: cannot be cancelled */
	/* progress of write-memory, receive-sb-file (bytes the device has acknowledged) and
	 * read-memory; called at start (0), after each frame and at the end */
	void (*progress)(void *ctx, uint64_t done, uint64_t total);
	void *ctx;
	uint32_t baud; /* line rate, lengthens deadlines by transfer times; 0: assume 57600 */
	unsigned pings; /* attempts of mboot_ping; 0: 5 */
	int ping_ms; /* wait per attempt; 0: 200 for the first two, then 500 */
	unsigned timeout_percent; /* scales all deadlines; 0: 100 */
	int64_t (*now_ms)(void *clock_ctx); /* NULL: CLOCK_MONOTONIC. Tests pass a fake */
	void *clock_ctx;
};

/* What the line did, for slot health. */
struct mboot_stats {
	uint64_t bytes_out, bytes_in; /* on the wire, all frames */
	uint64_t frames_out, frames_in;
	uint64_t naks; /* NAKs received: frames sent again */
	uint64_t damaged; /* frames received with a wrong CRC or length: asked for again */
	uint64_t stray; /* bytes skipped */
	uint64_t pings; /* sent */
};

/* mboot_new - a session over `io`, which is taken (also when this fails). Sends nothing.
 * mboot_open - serial_open() and mboot_new(); options->baud is set from baud. */
int mboot_new(struct mboot **out, const struct mboot_io *io, const struct mboot_options *options,
	struct err *e) CHECKED;
int mboot_open(struct mboot **out, const char *port, uint32_t baud,
	const struct mboot_options *options, struct err *e) CHECKED;
void mboot_free(struct mboot *m); /* closes the transport */
void mboot_freep(struct mboot **m);

void mboot_set_cancel(struct mboot *m, const atomic_bool *cancel); /* NULL: not now */
void mboot_set_progress(
	struct mboot *m, void (*progress)(void *ctx, uint64_t done, uint64_t total), void *ctx);
/* mboot_set_timeout - deadline of each following command as a whole, as a script's `timeout=` gives
 * it. It replaces the class's deadline for the response too; a frame of a data phase still has to
 * be acknowledged within the time of its class. 0: back to the defaults. */
void mboot_set_timeout(struct mboot *m, int ms);
const struct mboot_stats *mboot_stats(const struct mboot *m);
/* mboot_last_status - status word of the last command: 0, or after a successful receive-sb-file
 * also 10119 (jump pending) or 10120 (reset pending). */
uint32_t mboot_last_status(const struct mboot *m);

/* mboot_ping - find the device: up to options->pings attempts. Forgets cached properties.
 *   out  may be NULL.  ERR_TIMEOUT when nothing answers. */
int mboot_ping(struct mboot *m, struct mboot_version *out, struct err *e) CHECKED;

/* mboot_wait_ready - after a reset: wait first_ms without touching the line, then ping until it
 * answers, at most limit_ms in all. */
int mboot_wait_ready(struct mboot *m, int first_ms, int limit_ms, struct mboot_version *out,
	struct err *e) CHECKED;

/* mboot_set_baud - change the line rate. A device fixes its own with the first ping after a reset:
 * change before it has answered, or reset it. */
int mboot_set_baud(struct mboot *m, uint32_t baud, struct err *e) CHECKED;
/* mboot_transport - the transport of the session, for serial_reset_to_isp(). */
const struct mboot_io *mboot_transport(const struct mboot *m);

/* mboot_reset - reset the device. A missing response counts as success. Forgets properties. */
int mboot_reset(struct mboot *m, struct err *e) CHECKED;

/* mboot_get_property - *n value words (at most cap are stored, *n tells how many came). */
int mboot_get_property(struct mboot *m, uint32_t id, uint32_t index, uint32_t *words, size_t cap,
	size_t *n, struct err *e) CHECKED;
int mboot_set_property(struct mboot *m, uint32_t id, uint32_t value, struct err *e) CHECKED;
int mboot_uuid(struct mboot *m, uint8_t uuid[MBOOT_UUID_LEN], struct err *e) CHECKED;
/* mboot_max_packet - property 11, asked once per session; 32 when the device does not know it. */
int mboot_max_packet(struct mboot *m, size_t *out, struct err *e) CHECKED;

int mboot_flash_erase_all(struct mboot *m, uint32_t memory_id, struct err *e) CHECKED;
int mboot_flash_erase_region(
	struct mboot *m, uint32_t address, uint32_t len, uint32_t memory_id, struct err *e) CHECKED;
/* mboot_read_memory - append len bytes to *out; a short read is an error. */
int mboot_read_memory(struct mboot *m, uint32_t address, uint32_t len, uint32_t memory_id,
	struct buf *out, struct err *e) CHECKED;
int mboot_write_memory(struct mboot *m, uint32_t address, const void *data, size_t len,
	uint32_t memory_id, struct err *e) CHECKED;
int mboot_fill_memory(
	struct mboot *m, uint32_t address, uint32_t len, uint32_t pattern, struct err *e) CHECKED;
/* mboot_receive_sb_file - 10119 and 10120 as final status are success, see mboot_last_status. */
int mboot_receive_sb_file(struct mboot *m, const void *data, size_t len, struct err *e) CHECKED;
int mboot_execute(struct mboot *m, uint32_t address, uint32_t argument, uint32_t stack_pointer,
	struct err *e) CHECKED;
int mboot_call(struct mboot *m, uint32_t address, uint32_t argument, struct err *e) CHECKED;
int mboot_configure_memory(
	struct mboot *m, uint32_t memory_id, uint32_t address, struct err *e) CHECKED;
/* mboot_efuse_program_once - lock: also lock the fuse word; verify: read it back and compare the
 * bits (status 52009 OtpVerifyFail when they are not set). */
int mboot_efuse_program_once(struct mboot *m, uint32_t index, uint32_t value, bool lock,
	bool verify, struct err *e) CHECKED;
int mboot_efuse_read_once(struct mboot *m, uint32_t index, uint32_t *value, struct err *e) CHECKED;
/* mboot_flash_program_once, _read_once - len 4 or 8; words[0] is the first word on the wire. */
int mboot_flash_program_once(struct mboot *m, uint32_t index, uint32_t len, const uint32_t words[2],
	struct err *e) CHECKED;
int mboot_flash_read_once(
	struct mboot *m, uint32_t index, uint32_t len, uint32_t words[2], struct err *e) CHECKED;

/* mboot_trust_provisioning - params[0] is enum mboot_tp. Result words as for get-property. */
int mboot_trust_provisioning(struct mboot *m, const uint32_t *params, size_t n_params,
	uint32_t *words, size_t cap, size_t *n, struct err *e) CHECKED;
/* Key-provisioning (not determined for MCXN; for completeness of scripts): params[0] = operation.
 * data_in/data_out: for the operations that have a data phase, else NULL. */
int mboot_key_provisioning(struct mboot *m, const uint32_t *params, size_t n_params,
	const void *data_out, size_t data_len, struct buf *data_in, struct err *e) CHECKED;

/* mboot_dice_response - write the challenge, have the device answer it, read the 324 bytes.
 * The device wants a reset afterwards; the caller does it. */
int mboot_dice_response(struct mboot *m, const uint8_t challenge[MBOOT_DICE_CHALLENGE_LEN],
	uint8_t response[MBOOT_DICE_RESPONSE_LEN], struct err *e) CHECKED;
/* mboot_dice_ca_puk - the DICE CA public key (x || y) of this family for an RKTH of 32 or 48 bytes
 * (of 48 the first 32 are used). */
int mboot_dice_ca_puk(struct mboot *m, const uint8_t *rkth, size_t rkth_len,
	uint8_t puk[MBOOT_DICE_PUK_LEN], struct err *e) CHECKED;

/* Life cycle, in order; later ones are further along. */
enum mboot_lifecycle {
	MBOOT_LC_BLANK,
	MBOOT_LC_DEVELOP,
	MBOOT_LC_DEVELOP2,
	MBOOT_LC_IN_FIELD,
	MBOOT_LC_IN_FIELD_LOCKED,
	MBOOT_LC_FIELD_RETURN,
	MBOOT_LC_FAILURE_ANALYSIS,
	MBOOT_LC_BRICKED,
	MBOOT_LC_UNKNOWN,
};

/* mboot_lifecycle - property 17 and fuse 1. A fuse that may not be read is no error: a secured
 * device is then in-field, any other unknown. */
int mboot_lifecycle(struct mboot *m, enum mboot_lifecycle *out, struct err *e) CHECKED;
/* mboot_lifecycle_of - the rule itself. fuse may be NULL (not readable). */
enum mboot_lifecycle mboot_lifecycle_of(uint32_t security_state, const uint32_t *fuse);
const char *mboot_lifecycle_name(enum mboot_lifecycle lc); /* "in-field" */
int mboot_lifecycle_parse(const char *name, enum mboot_lifecycle *out); /* 0 or -1 */

#endif

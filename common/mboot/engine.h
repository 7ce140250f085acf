/* engine - one mboot command from the first frame to the final response. Private to mboot. */
#ifndef COMMON_MBOOT_ENGINE_H
#define COMMON_MBOOT_ENGINE_H

#include "mboot/mboot.h"

#define MBOOT_RESENDS	   3 /* a NAKed frame is sent again so often, a damaged one asked for */
#define MBOOT_ACK_MS	   1000 /* ACK of a command frame */
#define MBOOT_SLICE_MS	   100 /* the longest wait without a look at the cancel flag */
#define MBOOT_STALL_MS	   300 /* a frame that stops coming in for so long is damaged */
#define MBOOT_QUIET_MS	   20 /* silence that shows that a damaged frame is over */
#define MBOOT_PROBE_MS	   300 /* the ping after a missing ACK or response */
#define MBOOT_GRACE_MS	   2000 /* a cancelled data phase has so long to end in good order */
#define MBOOT_RESET_MS	   300 /* a reset device's response, which may be missing */
#define MBOOT_SLOWEST_BAUD 57600 /* assumed when the rate is not known: the hosts' default */
#define MBOOT_MAX_WORDS	   (MBOOT_MAX_PARAMS - 1)

struct mboot {
	struct mboot_io io;
	struct mboot_options o;
	struct mboot_stats stats;
	size_t max_packet; /* property 11, 0: not asked yet */
	uint32_t last_status;
	int command_ms; /* mboot_set_timeout, 0: by class */
	bool in_data_phase; /* a cancel waits for the end of the frame */
	int64_t cancel_seen; /* when, INT64_MAX: not yet */
	struct mboot_decoder rx;
	uint8_t tx[MBOOT_MAX_FRAME];
};

/* One command. Set the first part; the second part is the result. */
struct mboot_job {
	const struct mboot_command *cmd;
	enum mboot_data data; /* usually cmd->data */
	const uint32_t *params;
	size_t n_params;
	const uint8_t *out; /* DATA_OUT */
	size_t out_len;
	struct buf *in; /* DATA_IN: bytes are appended, at most in_len */
	size_t in_len;
	int extra_ms; /* beyond the class's time for the response */
	bool response_optional; /* reset: no response is success */

	uint8_t response; /* tag of the last response */
	uint32_t status;
	uint32_t words[MBOOT_MAX_WORDS]; /* of the first response, behind the status */
	size_t n_words;
	size_t moved; /* bytes of the data phase acknowledged or received */
};

/* engine_run - 0 when the dialogue came to its end: look at job->status. Device refusals are not
 * errors here. */
int engine_run(struct mboot *m, struct mboot_job *job, struct err *e) CHECKED;

/* engine_ping - send one ping, wait up to ms for its answer: 1, 0 nothing, -1. */
int engine_ping(struct mboot *m, int ms, struct mboot_version *out, struct err *e) CHECKED;

/* engine_pause - wait without touching the line, cancellable. */
int engine_pause(struct mboot *m, int ms, struct err *e) CHECKED;

int64_t engine_now(const struct mboot *m);

#endif

/* sb_command - executes the plain stream of an SB3.1 file while it is being decrypted.
 *
 * Section header, then commands. A command is started when its fixed part is there; the data of a
 * load goes to memory as it comes. Source: SB3.1, section 3; device-hsm 5.6. Status words.
 */
#ifndef TESTS_SIM_SB_COMMAND_H
#define TESTS_SIM_SB_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/sim/key_model.h"
#include "tests/sim/memory.h"

struct sim_device;

struct sim_sb_stream {
	struct sim_device *d;
	const struct sim_session *share; /* opens loadKeyBlob; NULL: a file of the OEM */
	uint64_t plain_len; /* payload bytes of the whole file */

	bool section_known;
	uint64_t left; /* bytes of commands not yet taken */

	uint8_t head[32]; /* fixed part of the current command */
	size_t n_head, head_len;
	uint32_t tag, w1, w2;
	size_t data_left, fill_left; /* bytes of data, then of padding, still to come */
	struct sim_writer writer;
	uint8_t small[64]; /* data of commands that want it whole */
	size_t n_small;
	uint32_t fuse;
	bool jump; /* an execute was seen */
};

void sim_sb_stream_init(struct sim_sb_stream *s, struct sim_device *d,
	const struct sim_session *share, uint64_t plain_len);
uint32_t sim_sb_stream_push(struct sim_sb_stream *s, const uint8_t *data, size_t len);
uint32_t sim_sb_stream_finish(struct sim_sb_stream *s); /* 0, or 10119 */
void sim_sb_stream_clear(struct sim_sb_stream *s);

#endif

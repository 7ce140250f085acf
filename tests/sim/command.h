/* command - the commands of the ROM: what they want, when they are allowed, what they answer.
 * Source: mboot sections 3, 5, 6, 8. */
#ifndef TESTS_SIM_COMMAND_H
#define TESTS_SIM_COMMAND_H

#include "tests/sim/link.h"
#include "tests/sim/memory.h"

#define SIM_MAX_WORDS 8

struct sim_request {
	uint8_t tag;
	unsigned n;
	uint32_t p[MBOOT_MAX_PARAMS]; /* missing ones are 0 */
};

struct sim_reply {
	bool specific; /* the command's own response tag, else generic */
	unsigned n; /* words behind the status (specific only) */
	uint32_t w[SIM_MAX_WORDS];
	enum sim_next next; /* after the host's ACK, when the status is 0 */
};

/* A command between its first and its last response. */
struct sim_op {
	uint8_t tag;
	uint32_t total, done; /* bytes of the data phase */
	uint32_t memid, addr; /* read-memory */
	struct sim_writer writer; /* write-memory */
	bool swallow; /* receive-sb-file whose content is not looked at */
	uint32_t final; /* status of the last response */
	enum sim_next then; /* after the last response */
};

/* sim_command_run - first response to a command packet; fills d->op when a data phase follows. */
uint32_t sim_command_run(struct sim_device *d, const struct sim_request *q, struct sim_reply *a);

/* Data phase from the host: bytes of one frame / all bytes are there / the phase was cut off. */
uint32_t sim_command_data(struct sim_device *d, const uint8_t *data, size_t len);
uint32_t sim_command_end(struct sim_device *d);
void sim_command_cancel(struct sim_device *d, uint32_t status); /* status: for the record */

/* The specific response tag of a command, for failing answers too (0xA0 when it has none). */
uint8_t sim_command_response_tag(uint8_t tag);
bool sim_command_specific_failure(uint8_t tag);

/* Trust-provisioning (trust_prov.c): words after the status go to a. */
uint32_t sim_trust_prov(struct sim_device *d, const struct sim_request *q, struct sim_reply *a);

#endif

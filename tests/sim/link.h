/* link - the device side of the serial protocol: bytes in, frames, bytes out.
 *
 * No I/O and no clock: bytes are fed, output is fetched, time is told. Rules: mboot section 4 and
 * 4.1. One frame is in flight; a command, data or ping frame that arrives where an ACK is due
 * counts as that ACK followed by the frame; a damaged frame gets NAK and changes nothing; a ping or
 * a new command ends an open data phase.
 *
 * Choices of the simulator: a frame whose rest does not come within 200 ms is dropped and NAKed
 * (ACK-sized leftovers silently); data frames outside a data phase are ignored; a ping leaves no
 * data phase open.
 */
#ifndef TESTS_SIM_LINK_H
#define TESTS_SIM_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mboot/command.h"
#include "mboot/frame.h"

#define SIM_MAX_PACKET_MIN   32u
#define SIM_MAX_PACKET_MAX   4096u
#define SIM_MAX_PACKET	     512u /* default of property 11 */
#define SIM_FRAME_TIMEOUT_US 200000u
#define SIM_ACK_TIMEOUT_US   50000u /* a reset does not wait longer for its last ACK */
#define SIM_OUT_FRAMES	     4

struct sim_device;

/* A frame on its way out. */
struct sim_out {
	uint32_t delay_us; /* the device was busy so long before it could send */
	uint16_t len;
	uint8_t bytes[MBOOT_FRAME_HEADER + SIM_MAX_PACKET_MAX];
};

enum sim_phase {
	SIM_PHASE_IDLE,
	SIM_PHASE_IN, /* data from the host */
	SIM_PHASE_OUT, /* data to the host */
};

/* What follows once the frame just sent is acknowledged. */
enum sim_next {
	SIM_NEXT_NOTHING,
	SIM_NEXT_RECEIVE,
	SIM_NEXT_SEND,
	SIM_NEXT_FINAL,
	SIM_NEXT_RESET,
	SIM_NEXT_JUMP,
};

struct sim_link {
	uint32_t max_packet; /* property 11 */

	uint8_t head[MBOOT_FRAME_HEADER];
	uint32_t n_head, want, have;
	bool skipping; /* payload too long: consumed, not kept */
	uint8_t payload[SIM_MAX_PACKET_MAX];
	uint64_t last_byte_us;

	enum sim_phase phase;
	bool ack_due;
	enum sim_next next;
	uint64_t ack_since_us;
	struct sim_out sent; /* the frame a NAK asks for again */
	struct sim_out out[SIM_OUT_FRAMES];
	unsigned n_out;
	uint32_t delay_us; /* put before the next frame */
	bool damage_next; /* fault: the next frame goes out with a wrong CRC */
};

void sim_link_init(struct sim_link *l, uint32_t max_packet);
void sim_link_reset(struct sim_link *l); /* everything but max_packet is forgotten */

/* sim_link_feed - take bytes; stops behind a frame that caused output. Returns how many were taken.
 */
size_t sim_link_feed(struct sim_device *d, const uint8_t *data, size_t len);

/* sim_link_wants - bytes missing until something can happen (at least 1). */
size_t sim_link_wants(const struct sim_link *l);

/* sim_link_deadline - when sim_link_tick() has to be called, UINT64_MAX: never. */
uint64_t sim_link_deadline(const struct sim_link *l);
void sim_link_tick(struct sim_device *d);

/* The oldest frame to send, or NULL; sim_link_pop() when it is gone. */
const struct sim_out *sim_link_front(const struct sim_link *l);
void sim_link_pop(struct sim_link *l);

#endif

/* memory - the memories of one device and the rules for writing and erasing them.
 *
 * Flash is kept sparsely (only sectors that were written cost memory), with one bit per 16-byte
 * phrase that says whether it was programmed: a programmed phrase must be erased before it can be
 * written again, whatever it holds. CMPA and CFPA are memory too, but take only whole pages and
 * have rules of their own (pfr.h). All functions return an mboot status word. Source:
 * mboot 5.1, 5.3.
 *
 * sim_writer is a write in progress: bytes go in as they arrive, flash is programmed phrase by
 * phrase, so a write that is cut off leaves what silicon would have left.
 */
#ifndef TESTS_SIM_MEMORY_H
#define TESTS_SIM_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "tests/sim/chip.h"
#include "tests/sim/pfr.h"

struct sim_store {
	uint32_t size, block_size;
	uint8_t blank; /* value of a byte that was never written or was erased */
	uint8_t **blocks; /* a sector's bytes, then its programmed bits; NULL: blank */
};

struct sim_memory {
	struct sim_store flash, ifr, ram, ramx, flexspi, spi_nor;
	bool flexspi_ready, spi_nor_ready; /* configure-memory was done since the last reset */
	bool timed; /* count how long silicon would take */
	uint32_t busy_us;
	struct sim_pfr pfr;
};

int sim_memory_init(struct sim_memory *m, const struct sim_chip *chip, struct err *e) CHECKED;
void sim_memory_clear(struct sim_memory *m);
void sim_memory_power_off(struct sim_memory *m); /* RAM forgets, external memories deconfigured */

/* Can [addr, addr+len) be read / is it plain RAM? memid 0, 9, 0x110; others of the mapped kind
 * count as 0. */
uint32_t sim_memory_readable(struct sim_memory *m, uint32_t memid, uint32_t addr, uint32_t len);
bool sim_memory_is_ram(struct sim_memory *m, uint32_t addr, uint32_t len);

/* sim_memory_read - after sim_memory_readable() said 0. */
void sim_memory_read(struct sim_memory *m, uint32_t memid, uint32_t addr, void *out, size_t len);

/* sim_memory_ram - copy to or from RAM; false when the range is not inside RAM. */
bool sim_memory_ram_get(const struct sim_memory *m, uint32_t addr, void *out, size_t len);
bool sim_memory_ram_put(struct sim_memory *m, uint32_t addr, const void *data, size_t len);

uint32_t sim_memory_erase(struct sim_memory *m, uint32_t memid, uint32_t addr, uint32_t len);
uint32_t sim_memory_erase_all(struct sim_memory *m, uint32_t memid);
uint32_t sim_memory_configure(struct sim_memory *m, uint32_t memid, uint32_t addr);

/* sim_memory_busy - how long the operations since the last call would have taken; 0 unless timed.
 * 2 ms for a sector, 32 us for a phrase (choices of the simulator). */
uint32_t sim_memory_busy(struct sim_memory *m);

struct sim_writer {
	struct sim_memory *m;
	struct sim_store *store; /* NULL: a PFR page */
	struct sim_pfr_page *page;
	uint32_t off, left; /* next offset in the store; bytes still to come */
	uint32_t unit; /* bytes programmed at once; 1 for RAM */
	uint8_t pending[SIM_PFR_SIZE];
	uint32_t n_pending;
};

/* start checks range and alignment; push takes at most the announced bytes; finish pads the last
 * phrase with 0xFF. After a status other than 0 the writer must not be used again. */
uint32_t sim_writer_start(
	struct sim_writer *w, struct sim_memory *m, uint32_t memid, uint32_t addr, uint32_t len);
uint32_t sim_writer_push(struct sim_writer *w, const uint8_t *data, size_t len);
uint32_t sim_writer_finish(struct sim_writer *w);
uint32_t sim_memory_fill(
	struct sim_memory *m, uint32_t memid, uint32_t addr, uint32_t len, uint32_t pattern);

/* For the report, the state file and the boot: the whole internal flash. */
size_t sim_store_blocks(const struct sim_store *s);
const uint8_t *sim_store_block(
	const struct sim_store *s, size_t i, const uint8_t **programmed); /* NULL: blank */
int sim_store_set_block(struct sim_store *s, size_t i, const uint8_t *data,
	const uint8_t *programmed, struct err *e) CHECKED;
size_t sim_store_programmed_len(const struct sim_store *s); /* bytes of one block's bitmap */
void sim_store_read(const struct sim_store *s, uint32_t off, void *out, size_t len);
void sim_store_sha256(const struct sim_store *s, uint8_t out[32]);

#endif

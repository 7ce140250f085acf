/* sb_receive - receive-sb-file as the ROM does it: streaming, nothing kept but the current block.
 *
 * Block 0 is judged as soon as it is complete, every data block before its content is used, and
 * every command is executed as soon as it is there; a load writes flash as its data comes in, so a
 * device that loses power in the middle is left half written. Both kinds of file: those of a
 * device HSM (header flags 1, device-hsm 5.6) and those of the OEM (RKTH and CUST_MK_SK from CMPA).
 * Status words as results.
 *
 * Choices of the simulator: the access rights of the key derivation are not in the file, so the
 * device takes those (0..3) that give a section header; loadCMAC and loadHashLocking write their
 * data like load; a file whose announced size differs from what its header says ends with 10102.
 */
#ifndef TESTS_SIM_SB_RECEIVE_H
#define TESTS_SIM_SB_RECEIVE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct sim_device;
struct sim_sb;

/* sim_sb_start - NULL when memory is out. `total` is the announced size. */
struct sim_sb *sim_sb_start(struct sim_device *d, uint32_t total);
uint32_t sim_sb_push(struct sim_sb *sb, const uint8_t *data, size_t len);
uint32_t sim_sb_finish(struct sim_sb *sb); /* all bytes are there: the final status */

/* sim_sb_free - ends it, whatever its state, and notes `status` in the device's records. */
void sim_sb_free(struct sim_sb *sb, uint32_t status);

/* sim_sb_tap - tests look at the decrypted stream: called with each piece of 256 bytes. */
void sim_sb_tap(struct sim_sb *sb, void (*tap)(void *ctx, const uint8_t piece[256]), void *ctx);

#endif

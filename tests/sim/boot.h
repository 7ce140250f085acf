/* boot - what the ROM does at power-on and reset.
 *
 * In this order: CMPA_UPD is carried out while the fuse says DEVELOP (it moves the fuse life
 * cycle), the pages are taken over, the life cycle is found, and the image in flash is checked and
 * started. A part that starts its image is silent on the ISP port; one that finds no image or
 * refuses it stays in ISP, if its life cycle has one. Source: pfr 7.1, 7.2, 7.4; mbi sections 1..4.
 */
#ifndef TESTS_SIM_BOOT_H
#define TESTS_SIM_BOOT_H

#include "tests/sim/device.h"

/* sim_boot - sets active pages, lifecycle, mode and boot of the device. */
void sim_boot(struct sim_device *d);

/* sim_boot_image_size - bytes of the image in internal flash by its own length words, 0 when there
 * is none that makes sense. */
uint32_t sim_boot_image_size(const struct sim_device *d);

/* sim_cert_allowed - may the owner of this certificate block sign `what` for this device: RKTH,
 * revoked root keys, key usage, ISK constraint. ERR_REJECTED. */
struct cert_block;
enum sim_signs { SIM_SIGNS_IMAGE, SIM_SIGNS_UPDATE };
int sim_cert_allowed(const struct sim_device *d, const struct cert_block *c, enum sim_signs what,
	struct err *e) CHECKED;

#endif

/* identify - what a device tells about itself without changing anything. */
#ifndef COMMON_MBOOT_IDENTIFY_H
#define COMMON_MBOOT_IDENTIFY_H

#include "mboot/mboot.h"

/* No property names the part: property 16 (system device id) and 24 (target version) have no
 * public values for MCX N. What differs between the parts is the size of flash and RAM, so that
 * is what a family is recognised by; parts of the same sizes (N947 and N547) cannot be told
 * apart over this protocol. */
struct mboot_identity {
	struct mboot_version protocol;
	bool has_uuid;
	uint8_t uuid[MBOOT_UUID_LEN];
	enum mboot_lifecycle lifecycle;
	bool has_sizes;
	uint32_t flash_size, ram_size; /* bytes, properties 4 and 15, index 0 */
	uint32_t device_id; /* property 16, 0 when not answered */
	uint32_t target_version; /* property 24, 0 when not answered */
};

/* mboot_identify - ping, then UUID, life cycle and sizes. Properties the device refuses stay
 * unset; only a device that does not answer (or vanishes) is an error. */
int mboot_identify(struct mboot *m, struct mboot_identity *out, struct err *e) CHECKED;

#endif

/* chip - what differs between the simulated parts. Source: family data, mboot sections 5.3, 8. */
#ifndef TESTS_SIM_CHIP_H
#define TESTS_SIM_CHIP_H

#include <stdint.h>

#define SIM_FLASH_BASE	 0x00000000u
#define SIM_RAM_BASE	 0x20000000u
#define SIM_RAMX_BASE	 0x04000000u
#define SIM_RAMX_SIZE	 0x00018000u
#define SIM_IFR_BASE	 0x01008000u
#define SIM_IFR_SIZE	 0x00008000u
#define SIM_FLEXSPI_BASE 0x80000000u
#define SIM_FLEXSPI_SIZE 0x08000000u
#define SIM_SECURE_ALIAS 0x10000000u /* flash, IFR and FlexSPI appear again at + this */
#define SIM_SPI_NOR_SIZE 0x00800000u /* memory id 0x110, offsets from 0 */
#define SIM_CMPA_ADDRESS 0x01004000u
#define SIM_CFPA_ADDRESS 0x01000000u
#define SIM_PFR_SIZE	 512u
#define SIM_SECTOR	 0x2000u
#define SIM_PHRASE	 16u
#define SIM_FLASH_PAGE	 128u
#define SIM_MEM_INTERNAL 0u
#define SIM_MEM_FLEXSPI	 9u
#define SIM_MEM_SPI_NOR	 0x110u
#define SIM_MAPPED_ID_LIMIT                                                                        \
	0x100u /* ids below name memories that are mapped into the address space */

struct sim_chip {
	const char *name; /* "mcxn947" */
	const char *family; /* family string of the key model: "mcxn9xx" */
	uint32_t flash_size, ram_size;
};

/* sim_chip_find - by name (mcxn947, mcxn946, mcxn547, mcxn546; mcxn94x, mcxn9xx, mcxn54x as in the
 * family data), or NULL. sim_chip_names() lists them for messages. */
const struct sim_chip *sim_chip_find(const char *name);
const char *sim_chip_names(void);

#endif

/* command - the commands, responses, properties and memory ids of mboot, as tables.
 * Used by the host, the script checker and the device simulator. Constant data, any thread.
 * Source: NXP MCUBOOT reference manual, "Bootloader command set"; MCX Nx4x reference manual.
 */
#ifndef COMMON_MBOOT_COMMAND_H
#define COMMON_MBOOT_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Command packet: tag, flags, 0, number of parameters; then the parameters, u32 each. */
#define MBOOT_PACKET_HEADER 4
#define MBOOT_MAX_PARAMS    16
#define MBOOT_FLAG_DATA	    0x01 /* a data phase follows */

enum mboot_tag {
	MBOOT_CMD_FLASH_ERASE_ALL = 0x01,
	MBOOT_CMD_FLASH_ERASE_REGION = 0x02,
	MBOOT_CMD_READ_MEMORY = 0x03,
	MBOOT_CMD_WRITE_MEMORY = 0x04,
	MBOOT_CMD_FILL_MEMORY = 0x05,
	MBOOT_CMD_FLASH_SECURITY_DISABLE = 0x06,
	MBOOT_CMD_GET_PROPERTY = 0x07,
	MBOOT_CMD_RECEIVE_SB_FILE = 0x08,
	MBOOT_CMD_EXECUTE = 0x09,
	MBOOT_CMD_CALL = 0x0A,
	MBOOT_CMD_RESET = 0x0B,
	MBOOT_CMD_SET_PROPERTY = 0x0C,
	MBOOT_CMD_FLASH_ERASE_ALL_UNSECURE = 0x0D,
	MBOOT_CMD_FLASH_PROGRAM_ONCE = 0x0E, /* efuse-program-once */
	MBOOT_CMD_FLASH_READ_ONCE = 0x0F, /* efuse-read-once */
	MBOOT_CMD_FLASH_READ_RESOURCE = 0x10,
	MBOOT_CMD_CONFIGURE_MEMORY = 0x11,
	MBOOT_CMD_RELIABLE_UPDATE = 0x12,
	MBOOT_CMD_GENERATE_KEY_BLOB = 0x13,
	MBOOT_CMD_FUSE_PROGRAM = 0x14,
	MBOOT_CMD_KEY_PROVISIONING = 0x15,
	MBOOT_CMD_TRUST_PROVISIONING = 0x16,
	MBOOT_CMD_FUSE_READ = 0x17,
	MBOOT_CMD_UPDATE_LIFE_CYCLE = 0x18,
	MBOOT_CMD_ELE_MESSAGE = 0x19,
	MBOOT_CMD_EL2GO = 0x20,
};

enum mboot_response_tag {
	MBOOT_RSP_GENERIC = 0xA0, /* status, tag of the command answered */
	MBOOT_RSP_READ_MEMORY = 0xA3, /* status, byte count */
	MBOOT_RSP_GET_PROPERTY = 0xA7, /* status, words */
	MBOOT_RSP_FLASH_READ_ONCE = 0xAF, /* status, byte count, words */
	MBOOT_RSP_FLASH_READ_RESOURCE = 0xB0,
	MBOOT_RSP_KEY_BLOB = 0xB3,
	MBOOT_RSP_KEY_PROVISIONING = 0xB5,
	MBOOT_RSP_TRUST_PROVISIONING = 0xB6, /* status, result words */
};

enum mboot_data {
	MBOOT_DATA_NONE,
	MBOOT_DATA_OUT, /* host to device */
	MBOOT_DATA_IN, /* device to host */
};

/* How long a command may take, beyond the time its bytes need on the line. */
struct mboot_command {
	enum mboot_tag tag;
	enum mboot_response_tag response; /* the specific one; a generic one is always allowed */
	enum mboot_data data;
	bool mcxn; /* the MCX Nx4x ROM has it */
	uint8_t min_params, max_params;
	int response_ms; /* first response */
	int data_ms; /* ACK of one data frame, or next data frame, or final response */
	const char *name;
};

/* mboot_command_find - the row of a tag, or NULL. */
const struct mboot_command *mboot_command_find(unsigned tag);

/* Properties of get-property and set-property. */
enum mboot_property {
	MBOOT_PROP_CURRENT_VERSION = 1,
	MBOOT_PROP_PERIPHERALS = 2,
	MBOOT_PROP_FLASH_START = 3,
	MBOOT_PROP_FLASH_SIZE = 4,
	MBOOT_PROP_FLASH_SECTOR_SIZE = 5,
	MBOOT_PROP_FLASH_BLOCK_COUNT = 6,
	MBOOT_PROP_COMMANDS = 7,
	MBOOT_PROP_CRC_CHECK_STATUS = 8,
	MBOOT_PROP_LAST_ERROR = 9,
	MBOOT_PROP_VERIFY_WRITES = 10,
	MBOOT_PROP_MAX_PACKET_SIZE = 11,
	MBOOT_PROP_RESERVED_REGIONS = 12,
	MBOOT_PROP_VALIDATE_REGIONS = 13,
	MBOOT_PROP_RAM_START = 14,
	MBOOT_PROP_RAM_SIZE = 15,
	MBOOT_PROP_SYSTEM_DEVICE_ID = 16,
	MBOOT_PROP_SECURITY_STATE = 17,
	MBOOT_PROP_UNIQUE_DEVICE_ID = 18,
	MBOOT_PROP_FAC_SUPPORT = 19,
	MBOOT_PROP_FAC_SEGMENT_SIZE = 20,
	MBOOT_PROP_FAC_SEGMENT_COUNT = 21,
	MBOOT_PROP_READ_MARGIN = 22,
	MBOOT_PROP_QSPI_STATUS = 23,
	MBOOT_PROP_TARGET_VERSION = 24,
	MBOOT_PROP_EXTERNAL_MEMORY = 25,
	MBOOT_PROP_RELIABLE_UPDATE_STATUS = 26,
	MBOOT_PROP_FLASH_PAGE_SIZE = 27,
	MBOOT_PROP_IRQ_PIN = 28,
	MBOOT_PROP_KEYSTORE_UPDATE = 29,
	MBOOT_PROP_BYTE_WRITE_TIMEOUT = 30,
	MBOOT_PROP_FUSE_LOCK_STATUS = 31,
	MBOOT_PROP_BOOT_STATUS = 32,
	MBOOT_PROP_LOADABLE_FW_VERSION = 33,
	MBOOT_PROP_FUSE_VOLTAGE = 34,
	MBOOT_PROP_SHE_PARTITION = 36,
	MBOOT_PROP_SHE_BOOT_MODE = 37,
};

#define MBOOT_SECURITY_OPEN    0x5AA55AA5u /* property 17; older ROMs: 0 */
#define MBOOT_SECURITY_SECURED 0xC33CC33Cu /* property 17; older ROMs: 1 */

struct mboot_property_name {
	enum mboot_property id;
	const char *name; /* as in blhost: "max-packet-size" */
};

/* The table, ended by an entry with name NULL. A property may have two names. */
extern const struct mboot_property_name mboot_properties[];
const char *mboot_property_name(unsigned id); /* NULL when unknown */
int mboot_property_parse(const char *name, uint32_t *id); /* 0, or -1 when unknown */

/* Memory ids. */
enum mboot_memory {
	MBOOT_MEM_INTERNAL = 0,
	MBOOT_MEM_QSPI = 1,
	MBOOT_MEM_IFR = 4,
	MBOOT_MEM_SEMC_NOR = 8,
	MBOOT_MEM_FLEXSPI_NOR = 9,
	MBOOT_MEM_SPIFI_NOR = 10,
	MBOOT_MEM_XSPI_NOR = 11,
	MBOOT_MEM_EXECUTE_ONLY = 16,
	MBOOT_MEM_SEMC_NAND = 0x100,
	MBOOT_MEM_SPI_NAND = 0x101,
	MBOOT_MEM_SPI_NOR = 0x110,
	MBOOT_MEM_I2C_EEPROM = 0x111,
	MBOOT_MEM_SD = 0x120,
	MBOOT_MEM_MMC = 0x121,
};

/* mboot_memory_mapped - ids 1..255 name memories that are mapped into the address space:
 * read-memory, write-memory and flash-erase-region send 0 for them, as NXP's hosts do. */
uint32_t mboot_memory_mapped(uint32_t id);

/* Trust-provisioning: parameter 0 is the operation. */
enum mboot_tp {
	MBOOT_TP_OEM_GEN_MASTER_SHARE = 0,
	MBOOT_TP_OEM_SET_MASTER_SHARE = 1,
	MBOOT_TP_OEM_GET_CUST_CERT_DICE_PUK = 2,
	MBOOT_TP_HSM_GEN_KEY = 3,
	MBOOT_TP_HSM_STORE_KEY = 4,
	MBOOT_TP_HSM_ENC_BLK = 5,
	MBOOT_TP_HSM_ENC_SIGN = 6,
	MBOOT_TP_OEM_GET_CUST_DICE_RESPONSE = 7,
	MBOOT_TP_ISP_SET_WRAPPED_DATA = 0xF0,
	MBOOT_TP_PROVE_GENUINITY = 0xF4,
	MBOOT_TP_PROVE_GENUINITY_HYBRID = 0xF5,
};

/* mboot_tp_name - "oem_gen_master_share", or NULL. */
const char *mboot_tp_name(unsigned op);

enum mboot_tp_gen_key { /* key type of HSM_GEN_KEY */
	MBOOT_TP_KEY_MFWISK = 0xC3A5,
	MBOOT_TP_KEY_MFWENCK = 0xA5C3,
	MBOOT_TP_KEY_GENSIGNK = 0x5A3C,
	MBOOT_TP_KEY_ENCKEY = 0x3CA5,
	MBOOT_TP_KEY_GETCUSTMKSK = 0x3C5A,
};

enum mboot_tp_store_key { /* key type of HSM_STORE_KEY */
	MBOOT_TP_KEY_CKDFK = 1,
	MBOOT_TP_KEY_HKDFK = 2,
	MBOOT_TP_KEY_HMACK = 3,
	MBOOT_TP_KEY_CMACK = 4,
	MBOOT_TP_KEY_AESK = 5,
	MBOOT_TP_KEY_KUOK = 6,
};

#define MBOOT_KEK_INT_SK 18 /* NXP_CUST_KEK_INT_SK */
#define MBOOT_KEK_EXT_SK 19 /* NXP_CUST_KEK_EXT_SK */

/* Fuses (efuse index) and their life-cycle states. */
#define MBOOT_FUSE_LIFE_CYCLE 1
#define MBOOT_FUSE_LOCK_BIT   0x01000000u /* in the index of efuse-program-once */

#endif

#include <stddef.h>
#include <string.h>

#include "mboot/command.h"

/* Times: 2 s for what the ROM answers from registers, more where flash or keys are at work.
 * data_ms of receive-sb-file covers an erase inside the file, which delays one ACK. The time
 * flash-erase-region needs grows with the region: the host adds it. */
enum { QUICK = 2000, FLASH = 5000, KEYS = 10000, SLOW = 10000, ERASE_ALL = 60000 };

#define ROW(tag, rsp, data, mcxn, min, max, first, each, name)                                     \
	{                                                                                          \
		MBOOT_CMD_##tag, MBOOT_RSP_##rsp, MBOOT_DATA_##data, mcxn, min, max, first, each,  \
			name                                                                       \
	}
/* clang-format off */
static const struct mboot_command commands[] = {
	ROW(FLASH_ERASE_ALL,          GENERIC,             NONE, true,  0, 1,  ERASE_ALL, 0,     "flash-erase-all"),
	ROW(FLASH_ERASE_REGION,       GENERIC,             NONE, true,  2, 3,  FLASH,     0,     "flash-erase-region"),
	ROW(READ_MEMORY,              READ_MEMORY,         IN,   true,  2, 3,  QUICK,     QUICK, "read-memory"),
	ROW(WRITE_MEMORY,             GENERIC,             OUT,  true,  2, 3,  QUICK,     QUICK, "write-memory"),
	ROW(FILL_MEMORY,              GENERIC,             NONE, true,  3, 3,  QUICK,     0,     "fill-memory"),
	ROW(FLASH_SECURITY_DISABLE,   GENERIC,             NONE, false, 2, 2,  FLASH,     0,     "flash-security-disable"),
	ROW(GET_PROPERTY,             GET_PROPERTY,        NONE, true,  1, 2,  QUICK,     0,     "get-property"),
	ROW(RECEIVE_SB_FILE,          GENERIC,             OUT,  true,  1, 1,  QUICK,     SLOW,  "receive-sb-file"),
	ROW(EXECUTE,                  GENERIC,             NONE, true,  3, 3,  QUICK,     0,     "execute"),
	ROW(CALL,                     GENERIC,             NONE, true,  2, 2,  SLOW,      0,     "call"),
	ROW(RESET,                    GENERIC,             NONE, true,  0, 0,  QUICK,     0,     "reset"),
	ROW(SET_PROPERTY,             GENERIC,             NONE, true,  2, 2,  QUICK,     0,     "set-property"),
	ROW(FLASH_ERASE_ALL_UNSECURE, GENERIC,             NONE, false, 0, 0,  ERASE_ALL, 0,     "flash-erase-all-unsecure"),
	ROW(FLASH_PROGRAM_ONCE,       GENERIC,             NONE, true,  3, 4,  QUICK,     0,     "efuse-program-once"),
	ROW(FLASH_READ_ONCE,          FLASH_READ_ONCE,     NONE, true,  2, 2,  QUICK,     0,     "efuse-read-once"),
	ROW(FLASH_READ_RESOURCE,      FLASH_READ_RESOURCE, IN,   false, 3, 3,  QUICK,     QUICK, "flash-read-resource"),
	ROW(CONFIGURE_MEMORY,         GENERIC,             NONE, true,  2, 2,  SLOW,      0,     "configure-memory"),
	ROW(RELIABLE_UPDATE,          GENERIC,             NONE, false, 1, 1,  SLOW,      0,     "reliable-update"),
	ROW(GENERATE_KEY_BLOB,        KEY_BLOB,            OUT,  false, 3, 3,  QUICK,     QUICK, "generate-key-blob"),
	ROW(FUSE_PROGRAM,             GENERIC,             OUT,  false, 3, 3,  QUICK,     QUICK, "fuse-program"),
	ROW(KEY_PROVISIONING,         KEY_PROVISIONING,    NONE, false, 1, 4,  KEYS,      KEYS,  "key-provisioning"),
	ROW(TRUST_PROVISIONING,       TRUST_PROVISIONING,  NONE, true,  1, 12, KEYS,      0,     "trust-provisioning"),
	ROW(FUSE_READ,                READ_MEMORY,         IN,   false, 3, 3,  QUICK,     QUICK, "fuse-read"),
	ROW(UPDATE_LIFE_CYCLE,        GENERIC,             NONE, false, 1, 1,  QUICK,     0,     "update-life-cycle"),
	ROW(ELE_MESSAGE,              GENERIC,             NONE, false, 5, 5,  SLOW,      0,     "ele-message"),
	ROW(EL2GO,                    TRUST_PROVISIONING,  NONE, false, 1, 12, KEYS,      0,     "el2go"),
};
/* clang-format on */

const struct mboot_command *mboot_command_find(unsigned tag)
{
	for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
		if ((unsigned)commands[i].tag == tag)
			return &commands[i];
	return NULL;
}

/* Names as blhost takes them. */
const struct mboot_property_name mboot_properties[] = {
	{ MBOOT_PROP_CURRENT_VERSION, "current-version" },
	{ MBOOT_PROP_PERIPHERALS, "available-peripherals" },
	{ MBOOT_PROP_FLASH_START, "flash-start-address" },
	{ MBOOT_PROP_FLASH_SIZE, "flash-size-in-bytes" },
	{ MBOOT_PROP_FLASH_SECTOR_SIZE, "flash-sector-size" },
	{ MBOOT_PROP_FLASH_BLOCK_COUNT, "flash-block-count" },
	{ MBOOT_PROP_COMMANDS, "available-commands" },
	{ MBOOT_PROP_CRC_CHECK_STATUS, "check-status" },
	{ MBOOT_PROP_LAST_ERROR, "last-error" },
	{ MBOOT_PROP_VERIFY_WRITES, "verify-writes" },
	{ MBOOT_PROP_MAX_PACKET_SIZE, "max-packet-size" },
	{ MBOOT_PROP_RESERVED_REGIONS, "reserved-regions" },
	{ MBOOT_PROP_VALIDATE_REGIONS, "validate-regions" },
	{ MBOOT_PROP_RAM_START, "ram-start-address" },
	{ MBOOT_PROP_RAM_SIZE, "ram-size-in-bytes" },
	{ MBOOT_PROP_SYSTEM_DEVICE_ID, "system-device-id" },
	{ MBOOT_PROP_SECURITY_STATE, "security-state" },
	{ MBOOT_PROP_SECURITY_STATE, "life-cycle" },
	{ MBOOT_PROP_UNIQUE_DEVICE_ID, "unique-device-id" },
	{ MBOOT_PROP_FAC_SUPPORT, "fac-support" },
	{ MBOOT_PROP_FAC_SEGMENT_SIZE, "fac-segment-size" },
	{ MBOOT_PROP_FAC_SEGMENT_COUNT, "fac-segment-count" },
	{ MBOOT_PROP_READ_MARGIN, "read-margin" },
	{ MBOOT_PROP_QSPI_STATUS, "qspi-init-status" },
	{ MBOOT_PROP_TARGET_VERSION, "target-version" },
	{ MBOOT_PROP_EXTERNAL_MEMORY, "external-memory-attributes" },
	{ MBOOT_PROP_RELIABLE_UPDATE_STATUS, "reliable-update-status" },
	{ MBOOT_PROP_FLASH_PAGE_SIZE, "flash-page-size" },
	{ MBOOT_PROP_IRQ_PIN, "irq-notify-pin" },
	{ MBOOT_PROP_KEYSTORE_UPDATE, "pfr-keystore-update-opt" },
	{ MBOOT_PROP_BYTE_WRITE_TIMEOUT, "byte-write-timeout-ms" },
	{ MBOOT_PROP_FUSE_LOCK_STATUS, "fuse-locked-status" },
	{ MBOOT_PROP_BOOT_STATUS, "boot-status" },
	{ MBOOT_PROP_LOADABLE_FW_VERSION, "loadable-fw-version" },
	{ MBOOT_PROP_FUSE_VOLTAGE, "fuse-program-voltage" },
	{ MBOOT_PROP_SHE_PARTITION, "she-flash-partition" },
	{ MBOOT_PROP_SHE_BOOT_MODE, "she-boot-mode" },
	{ (enum mboot_property)0, NULL },
};

const char *mboot_property_name(unsigned id)
{
	for (const struct mboot_property_name *p = mboot_properties; p->name; p++)
		if ((unsigned)p->id == id)
			return p->name;
	return NULL;
}

int mboot_property_parse(const char *name, uint32_t *id)
{
	for (const struct mboot_property_name *p = mboot_properties; p->name; p++)
		if (strcmp(p->name, name) == 0) {
			*id = (uint32_t)p->id;
			return 0;
		}
	return -1;
}

uint32_t mboot_memory_mapped(uint32_t id)
{
	return id <= 255 ? 0 : id;
}

const char *mboot_tp_name(unsigned op)
{
	static const struct {
		enum mboot_tp op;
		const char *name;
	} names[] = {
		{ MBOOT_TP_OEM_GEN_MASTER_SHARE, "oem_gen_master_share" },
		{ MBOOT_TP_OEM_SET_MASTER_SHARE, "oem_set_master_share" },
		{ MBOOT_TP_OEM_GET_CUST_CERT_DICE_PUK, "oem_get_cust_cert_dice_puk" },
		{ MBOOT_TP_HSM_GEN_KEY, "hsm_gen_key" },
		{ MBOOT_TP_HSM_STORE_KEY, "hsm_store_key" },
		{ MBOOT_TP_HSM_ENC_BLK, "hsm_enc_blk" },
		{ MBOOT_TP_HSM_ENC_SIGN, "hsm_enc_sign" },
		{ MBOOT_TP_OEM_GET_CUST_DICE_RESPONSE, "oem_get_cust_dice_response" },
		{ MBOOT_TP_ISP_SET_WRAPPED_DATA, "isp_set_wrap_data" },
		{ MBOOT_TP_PROVE_GENUINITY, "prove_genuinity" },
		{ MBOOT_TP_PROVE_GENUINITY_HYBRID, "prove_genuinity_hybrid" },
	};

	/* Operations from 0xF0 on travel in a message word: op, arguments, 0, 0x17. */
	if (op >> 24 == 0x17)
		op &= 0xFF;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if ((unsigned)names[i].op == op)
			return names[i].name;
	return NULL;
}

/* status - names and meanings of mboot status words. Constant data, any thread.
 * Source: NXP status code groups; status = group * 100 + number for the classic ones. */
#ifndef COMMON_MBOOT_STATUS_H
#define COMMON_MBOOT_STATUS_H

#include <stddef.h>
#include <stdint.h>

/* The codes this project's programs decide on or send; the table has many more. */
enum mboot_status {
	MBOOT_STATUS_SUCCESS = 0,
	MBOOT_STATUS_FAIL = 1,
	MBOOT_STATUS_READ_ONLY = 2,
	MBOOT_STATUS_OUT_OF_RANGE = 3,
	MBOOT_STATUS_INVALID_ARGUMENT = 4,
	MBOOT_STATUS_FLASH_ALIGNMENT = 101,
	MBOOT_STATUS_FLASH_ADDRESS = 102,
	MBOOT_STATUS_FLASH_PROTECTION = 104,
	MBOOT_STATUS_FLASH_SEALED_PFR = 137,
	MBOOT_STATUS_FLASH_CMPA_DIRECT_ERASE = 140,
	MBOOT_STATUS_FLASH_CFPA_ROLLBACK = 149,
	MBOOT_STATUS_UNKNOWN_COMMAND = 10000,
	MBOOT_STATUS_SECURITY_VIOLATION = 10001,
	MBOOT_STATUS_ABORT_DATA_PHASE = 10002,
	MBOOT_STATUS_NO_RESPONSE = 10004,
	MBOOT_STATUS_COMMAND_UNSUPPORTED = 10006,
	MBOOT_STATUS_ROMLDR_SIGNATURE = 10101,
	MBOOT_STATUS_ROMLDR_SECTION_LENGTH = 10102,
	MBOOT_STATUS_ROMLDR_CHECKSUM = 10105,
	MBOOT_STATUS_ROMLDR_UNKNOWN_COMMAND = 10107,
	MBOOT_STATUS_ROMLDR_DATA_UNDERRUN = 10109,
	MBOOT_STATUS_ROMLDR_KEY_NOT_FOUND = 10112,
	MBOOT_STATUS_ROMLDR_ROLLBACK_BLOCKED = 10115,
	MBOOT_STATUS_ROMLDR_UNEXPECTED_COMMAND = 10117,
	MBOOT_STATUS_ROMLDR_PENDING_JUMP = 10119,
	MBOOT_STATUS_ROMLDR_PENDING_RESET = 10120,
	MBOOT_STATUS_MEMORY_RANGE_INVALID = 10200,
	MBOOT_STATUS_MEMORY_READ_FAILED = 10201,
	MBOOT_STATUS_MEMORY_WRITE_FAILED = 10202,
	MBOOT_STATUS_MEMORY_CUMULATIVE_WRITE = 10203,
	MBOOT_STATUS_MEMORY_NOT_CONFIGURED = 10205,
	MBOOT_STATUS_UNKNOWN_PROPERTY = 10300,
	MBOOT_STATUS_READ_ONLY_PROPERTY = 10301,
	MBOOT_STATUS_INVALID_PROPERTY_VALUE = 10302,
	MBOOT_STATUS_APP_CRC_INACTIVE = 10402,
	MBOOT_STATUS_OTP_INVALID_ADDRESS = 52801,
	MBOOT_STATUS_OTP_PROGRAM_FAIL = 52802,
	MBOOT_STATUS_OTP_LOCKED = 52806,
	MBOOT_STATUS_OTP_VERIFY_FAIL = 52009, /* host only */
};

/* mboot_status_name - "RomLdrSignature", or NULL for a code that is not listed. */
const char *mboot_status_name(uint32_t status);

/* mboot_status_text - "10101 RomLdrSignature (signature, magic or certificate wrong)"; a code that
 * is not listed is shown as "12345 (0x3039)". Returns buf. */
const char *mboot_status_text(uint32_t status, char buf[96]);

/* MBOOT_STATUS_TEXT(s) - the same in a temporary of the enclosing block, for messages. */
#define MBOOT_STATUS_TEXT(s) mboot_status_text((s), (char[96]){ 0 })

/* One row of the table, for listings and tests. */
struct mboot_status_row {
	uint32_t status;
	const char *name, *meaning;
};
extern const struct mboot_status_row mboot_status_table[]; /* ascending */
extern const size_t mboot_status_table_len;

#endif

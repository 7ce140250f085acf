#include <stdio.h>
#include <stdlib.h>

#include "mboot/status.h"

/* Ascending, so that a lookup can halve. meaning NULL: the name says it. */
const struct mboot_status_row mboot_status_table[] = {
	{ 0, "Success", "done" },
	{ 1, "Fail", "failed, no reason given" },
	{ 2, "ReadOnly", "cannot be changed" },
	{ 3, "OutOfRange", "value out of range" },
	{ 4, "InvalidArgument", "wrong parameter" },
	{ 5, "Timeout", "took too long inside the device" },
	{ 6, "NoTransferInProgress", "no transfer open" },
	/* flash driver */
	{ 100, "FlashSizeError", "wrong length" },
	{ 101, "FlashAlignmentError", "address or length not aligned" },
	{ 102, "FlashAddressError", "not a flash address" },
	{ 103, "FlashAccessError", "refused by the flash controller" },
	{ 104, "FlashProtectionViolation", "write-protected region" },
	{ 105, "FlashCommandFailure", "flash controller reports an error" },
	{ 106, "FlashUnknownProperty", "unknown driver property" },
	{ 107, "FlashEraseKeyError", "wrong erase key" },
	{ 108, "FlashRegionExecuteOnly", "execute-only region" },
	{ 109, "FlashExecuteInRamFunctionNotReady", "no RAM routine" },
	{ 111, "FlashCommandNotSupported", "not possible with this flash" },
	{ 112, "FlashReadOnlyProperty", "driver property is read-only" },
	{ 113, "FlashInvalidPropertyValue", "wrong value for a driver property" },
	{ 114, "FlashInvalidSpeculationOption", "wrong prefetch option" },
	{ 116, "FlashEccError", "ECC error that cannot be corrected" },
	{ 117, "FlashCompareError", "read-back differs" },
	{ 118, "FlashRegulationLoss", "supply dropped during a read" },
	{ 119, "FlashInvalidWaitStateCycles", "wrong wait states" },
	{ 121, "FlashCommandAborted", "operation broken off" },
	{ 132, "FlashOutOfDateCfpaPage", "CFPA page is older than the one in the device" },
	{ 133, "FlashBlankIfrPageData", "blank IFR page" },
	{ 134, "FlashEncryptedRegionsEraseNotDoneAtOnce",
		"an encrypted region can only be erased in one go" },
	{ 135, "FlashProgramVerificationNotAllowed", "verification not permitted" },
	{ 136, "FlashHashCheckError", "wrong page hash" },
	{ 137, "FlashSealedPfrRegion", "sealed PFR page" },
	{ 138, "FlashPfrRegionWriteBroken", "incomplete PFR write" },
	{ 139, "FlashNmpaUpdateNotAllowed", "NXP's own area" },
	{ 140, "FlashCmpaCfgDirectEraseNotAllowed", "CMPA has no erase of its own" },
	{ 141, "FlashPfrBankIsLocked", "locked PFR bank" },
	{ 148, "FlashCfpaScratchPageInvalid", "damaged CFPA scratch page" },
	{ 149, "FlashCfpaVersionRollbackDisallowed", "CFPA version is not higher" },
	{ 150, "FlashReadHidingAreaDisallowed", "hidden area" },
	{ 151, "FlashModifyProtectedAreaDisallowed", "page locked by the firewall" },
	{ 152, "FlashCommandOperationInProgress", "flash controller busy" },
	{ 153, "FlashIfr1AccessNotAllowed", "IFR1 is closed" },
	{ 154, "FlashEraseVerifyFailed", "not erased after the erase" },
	/* FlexSPI driver, two instances */
	{ 6000, "FlexspiSequenceExecutionTimeout", "sequence took too long" },
	{ 6001, "FlexspiInvalidSequence", "wrong sequence" },
	{ 6002, "FlexspiDeviceTimeout", "external memory is silent" },
	{ 7000, "FlexspiSequenceExecutionTimeout", "sequence took too long" },
	{ 7001, "FlexspiInvalidSequence", "wrong sequence" },
	{ 7002, "FlexspiDeviceTimeout", "external memory is silent" },
	/* boot loader */
	{ 10000, "UnknownCommand", "the device does not know this command" },
	{ 10001, "SecurityViolation", "not permitted in this life cycle or security state" },
	{ 10002, "AbortDataPhase", "data phase ended early" },
	{ 10003, "Ping", "internal: a ping came in" },
	{ 10004, "NoResponse", "nothing came back" },
	{ 10005, "NoResponseExpected", "nothing is to come back" },
	{ 10006, "CommandUnsupported", "command known but not available here" },
	/* SB loader */
	{ 10100, "RomLdrSectionOverrun", "section goes beyond the data" },
	{ 10101, "RomLdrSignature", "signature, magic or certificate wrong" },
	{ 10102, "RomLdrSectionLength", "wrong section length" },
	{ 10103, "RomLdrUnencryptedOnly", "encrypted files are refused" },
	{ 10104, "RomLdrEOFReached", "end of the file" },
	{ 10105, "RomLdrChecksum", "hash or checksum differs" },
	{ 10106, "RomLdrCrc32Error", "CRC-32 of a command differs" },
	{ 10107, "RomLdrUnknownCommand", "unknown command in the SB file" },
	{ 10108, "RomLdrIdNotFound", "no such section" },
	{ 10109, "RomLdrDataUnderrun", "file is too short" },
	{ 10110, "RomLdrJumpReturned", "the jump came back" },
	{ 10111, "RomLdrCallFailed", "the called function failed" },
	{ 10112, "RomLdrKeyNotFound", "the device has no key for this file" },
	{ 10113, "RomLdrSecureOnly", "plain files are refused" },
	{ 10114, "RomLdrResetReturned", "the reset came back" },
	{ 10115, "RomLdrRollbackBlocked", "firmware version lower than the device demands" },
	{ 10116, "RomLdrInvalidSectionMacCount", "wrong number of MACs" },
	{ 10117, "RomLdrUnexpectedCommand", "SB command not permitted here" },
	{ 10118, "RomLdrBadSBKEK", "damaged SB key" },
	{ 10119, "RomLdrPendingJumpCommand", "done, a jump follows" },
	{ 10120, "RomLdrPendingResetCommand", "done, a reset follows" },
	/* memory interface */
	{ 10200, "MemoryRangeInvalid", "no such memory, or closed" },
	{ 10201, "MemoryReadFailed", NULL },
	{ 10202, "MemoryWriteFailed", NULL },
	{ 10203, "MemoryCumulativeWrite", "target is not erased" },
	{ 10204, "MemoryAppOverlapWithExecuteOnlyRegion", NULL },
	{ 10205, "MemoryNotConfigured", "configure-memory has to come first" },
	{ 10206, "MemoryAlignmentError", "address or length not aligned" },
	{ 10207, "MemoryVerifyFailed", "read-back differs" },
	{ 10208, "MemoryWriteProtected", NULL },
	{ 10209, "MemoryAddressError", "wrong address" },
	{ 10210, "MemoryBlankCheckFailed", "target is not blank" },
	{ 10211, "MemoryBlankPageReadDisallowed", "a blank page cannot be read" },
	{ 10212, "MemoryProtectedPageReadDisallowed", "a protected page cannot be read" },
	{ 10213, "MemoryPfrSpecRegionWriteBroken", "incomplete write to the PFR region" },
	{ 10214, "MemoryUnsupportedCommand", "not possible with this memory" },
	/* property store */
	{ 10300, "UnknownProperty", "the device does not know this property" },
	{ 10301, "ReadOnlyProperty", NULL },
	{ 10302, "InvalidPropertyValue", NULL },
	/* application CRC */
	{ 10400, "AppCrcCheckPassed", NULL },
	{ 10401, "AppCrcCheckFailed", NULL },
	{ 10402, "AppCrcCheckInactive", "no check is set up" },
	{ 10403, "AppCrcCheckInvalid", NULL },
	{ 10404, "AppCrcCheckOutOfRange", NULL },
	/* packetizer, host only */
	{ 10500, "NoPingResponse", "ping without an answer" },
	{ 10501, "InvalidPacketType", "wrong type of frame" },
	{ 10502, "InvalidCRC", "wrong CRC" },
	{ 10503, "NoCommandResponse", "command without an answer" },
	/* reliable update */
	{ 10600, "ReliableUpdateSuccess", NULL },
	{ 10601, "ReliableUpdateFail", NULL },
	{ 10602, "ReliableUpdateInactive", NULL },
	{ 10603, "ReliableUpdateBackupApplicationInvalid", NULL },
	{ 10604, "ReliableUpdateStillInMainApplication", NULL },
	{ 10605, "ReliableUpdateSwapSystemNotReady", NULL },
	{ 10606, "ReliableUpdateBackupBootloaderNotReady", NULL },
	{ 10607, "ReliableUpdateSwapIndicatorAddressInvalid", NULL },
	{ 10608, "ReliableUpdateSwapSystemNotAvailable", NULL },
	{ 10609, "ReliableUpdateSwapTest", NULL },
	/* serial NOR */
	{ 10700, "SerialNorEepromAddressInvalid", NULL },
	{ 10701, "SerialNorEepromTransferError", NULL },
	{ 10702, "SerialNorEepromTypeInvalid", NULL },
	{ 10703, "SerialNorEepromSizeInvalid", NULL },
	{ 10704, "SerialNorEepromCommandInvalid", NULL },
	/* ROM API */
	{ 10801, "RomApiNeedMoreData", NULL },
	{ 10802, "RomApiBufferSizeNotEnough", NULL },
	{ 10803, "RomApiInvalidBuffer", NULL },
	/* FlexSPI NOR */
	{ 20100, "FlexspinorProgramFail", NULL },
	{ 20101, "FlexspinorEraseSectorFail", NULL },
	{ 20102, "FlexspinorEraseAllFail", NULL },
	{ 20103, "FlexspinorWaitTimeout", NULL },
	{ 20104, "FlexspinorNotSupported", "page too large" },
	{ 20105, "FlexspinorWriteAlignmentError", NULL },
	{ 20106, "FlexspinorCommandFailure", NULL },
	{ 20107, "FlexspinorSfdpNotFound", "external memory has no SFDP table" },
	{ 20108, "FlexspinorUnsupportedSfdpVersion", NULL },
	{ 20109, "FlexspinorFlashNotFound", "no external memory answers" },
	{ 20110, "FlexspinorDtrReadDummyProbeFailed", NULL },
	/* OTP */
	{ 52009, "OtpVerifyFail", "fuse bits are not set after programming" },
	{ 52801, "OtpInvalidAddress", "no such fuse, or not permitted" },
	{ 52802, "OtpProgramFail", "fuse was not programmed" },
	{ 52803, "OtpCrcFail", "wrong CRC over fuses" },
	{ 52804, "OtpError", "failure of the fuse controller" },
	{ 52805, "OtpEccCrcFail", "ECC failure over fuses" },
	{ 52806, "OtpLocked", "locked fuse" },
	{ 52807, "OtpTimeout", "fuse controller took too long" },
	{ 52808, "OtpCrcCheckPass", "CRC over fuses is right" },
	/* trust-provisioning firmware */
	{ 80000, "TpGeneralError", "failed, no reason given" },
	{ 80001, "TpCryptoError", "cryptographic operation failed" },
	{ 80002, "TpNullptrError", "no buffer" },
	{ 80003, "TpAlreadyInitialized", "a session is open" },
	{ 80004, "TpBufferSmall", "buffer too small" },
	{ 80005, "TpAddressError", "address not permitted" },
	{ 80006, "TpContainerInvalid", "wrong header or size of the container" },
	{ 80007, "TpContainerEntryInvalid", "damaged entry" },
	{ 80008, "TpContainerEntryNotFound", "no such entry" },
	{ 80009, "TpInvalidStateOperation", "not permitted in this state" },
	{ 80010, "TpCommandError", "wrong arguments" },
	{ 80011, "TpPufError", "PUF failure" },
	{ 80012, "TpFlashError", "flash failure" },
	{ 80013, "TpSecretboxError", "key cannot be stored" },
	{ 80014, "TpPfrError", "PFR failure" },
	{ 80015, "TpVerificationError", "wrong signature of the container" },
	{ 80016, "TpCfpaError", "CFPA cannot be stored" },
	{ 80017, "TpCmpaError", "CMPA wrong, or cannot be stored" },
	{ 80018, "TpAddrOutOfRange", NULL },
	{ 80019, "TpContainerAddrError", "wrong address to write a container to" },
	{ 80020, "TpContainerAddrUnaligned", "container address not aligned" },
	{ 80021, "TpContainerBuffSmall", "container does not fit" },
	{ 80022, "TpContainerNoEntry", "empty container" },
	{ 80023, "TpCertAddrError", "wrong address of a certificate" },
	{ 80024, "TpCertAddrUnaligned", "certificate address not aligned" },
	{ 80025, "TpCertOverlapping", "certificates overlap" },
	{ 80026, "TpPacketError", "packet transfer failed" },
	{ 80027, "TpPacketDataError", "wrong packet content" },
	{ 80028, "TpUnknownCommand", NULL },
	{ 80029, "TpSb3FileError", "SB3 file cannot be processed" },
	{ 80101, "TpGeneralCriticalError", NULL },
	{ 80102, "TpCryptoCriticalError", NULL },
	{ 80103, "TpPufCriticalError", NULL },
	{ 80104, "TpPfrCriticalError", NULL },
	{ 80105, "TpPeripheralCriticalError", NULL },
	{ 80106, "TpPrinceCriticalError", NULL },
	{ 80107, "TpShaCheckCriticalError", NULL },
	/* in-application programming */
	{ 100001, "IapInvalidArgument", NULL },
	{ 100002, "IapOutOfMemory", "heap too small" },
	{ 100003, "IapReadDisallowed", NULL },
	{ 100004, "IapCumulativeWrite", "target is not erased" },
	{ 100005, "IapEraseFailure", NULL },
	{ 100006, "IapCommandNotSupported", NULL },
	{ 100007, "IapMemoryAccessDisabled", NULL },
	/* secure subsystem, EdgeLock 2GO */
	{ 0x5A5A5A5A, "El2goProvSuccess", "EdgeLock 2GO firmware reports success" },
	{ 0x5A5A5AA5, "SecuritySubsystemError", "failure inside the secure subsystem" },
};
const size_t mboot_status_table_len = sizeof mboot_status_table / sizeof mboot_status_table[0];

static int by_status(const void *key, const void *row)
{
	uint32_t want = *(const uint32_t *)key;
	uint32_t have = ((const struct mboot_status_row *)row)->status;
	return want < have ? -1 : want > have;
}

static const struct mboot_status_row *find(uint32_t status)
{
	return bsearch(&status, mboot_status_table, mboot_status_table_len,
		sizeof mboot_status_table[0], by_status);
}

const char *mboot_status_name(uint32_t status)
{
	const struct mboot_status_row *row = find(status);
	return row ? row->name : NULL;
}

const char *mboot_status_text(uint32_t status, char buf[96])
{
	const struct mboot_status_row *row = find(status);

	if (!row)
		snprintf(buf, 96, "%u (0x%x)", status, status);
	else if (row->meaning)
		snprintf(buf, 96, "%u %s (%s)", status, row->name, row->meaning);
	else
		snprintf(buf, 96, "%u %s", status, row->name);
	return buf;
}

/* mfgpkg - the OEM's and the auditor's program. Holds secrets, so it starts by making sure that
 * none of them can leave through a core dump, another process of the user, or a readable file. */
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "mfgpkg/commands.h"

static const struct cli_command *const commands[] = {
	&oem_cmd_approve,
	&oem_cmd_audit_check,
	&oem_cmd_audit_cosign,
	&oem_cmd_audit_diff,
	&oem_cmd_audit_export,
	&oem_cmd_audit_merge,
	&oem_cmd_audit_prove,
	&oem_cmd_audit_query,
	&oem_cmd_audit_report,
	&oem_cmd_audit_verify,
	&oem_cmd_cert_block_export,
	&oem_cmd_cert_block_parse,
	&oem_cmd_cert_block_verify,
	&oem_cmd_create,
	&oem_cmd_devhsm_generate,
	&oem_cmd_dice_ca,
	&oem_cmd_fuses_export,
	&oem_cmd_inspect,
	&oem_cmd_keys_generate,
	&oem_cmd_keys_seal,
	&oem_cmd_mbi_export,
	&oem_cmd_mbi_parse,
	&oem_cmd_mbi_verify,
	&oem_cmd_order_approve,
	&oem_cmd_order_create,
	&oem_cmd_order_inspect,
	&oem_cmd_order_verify,
	&oem_cmd_pfr_export,
	&oem_cmd_pfr_parse,
	&oem_cmd_pfr_verify,
	&oem_cmd_rkth,
	&oem_cmd_sb31_export,
	&oem_cmd_sb31_parse,
	&oem_cmd_sb31_verify,
	&oem_cmd_template,
	&oem_cmd_trust_approve,
	&oem_cmd_trust_inspect,
	&oem_cmd_trust_update,
	&oem_cmd_verify,
	NULL,
};

int main(int argc, char **argv)
{
	umask(077);
	setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	return cli_main(argc, argv, "mfgpkg",
		"device-HSM manufacturing packages for NXP MCX N: build, sign, audit", commands);
}

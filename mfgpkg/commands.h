/* commands - one row per mfgpkg command; each cmd_NAME.c defines its own. */
#ifndef MFGPKG_COMMANDS_H
#define MFGPKG_COMMANDS_H

#include "base/cli.h"

extern const struct cli_command oem_cmd_approve;
extern const struct cli_command oem_cmd_audit_check;
extern const struct cli_command oem_cmd_audit_cosign;
extern const struct cli_command oem_cmd_audit_diff;
extern const struct cli_command oem_cmd_audit_export;
extern const struct cli_command oem_cmd_audit_merge;
extern const struct cli_command oem_cmd_audit_prove;
extern const struct cli_command oem_cmd_audit_query;
extern const struct cli_command oem_cmd_audit_report;
extern const struct cli_command oem_cmd_audit_verify;
extern const struct cli_command oem_cmd_cert_block_export;
extern const struct cli_command oem_cmd_cert_block_parse;
extern const struct cli_command oem_cmd_cert_block_verify;
extern const struct cli_command oem_cmd_create;
extern const struct cli_command oem_cmd_devhsm_generate;
extern const struct cli_command oem_cmd_dice_ca;
extern const struct cli_command oem_cmd_fuses_export;
extern const struct cli_command oem_cmd_inspect;
extern const struct cli_command oem_cmd_keys_generate;
extern const struct cli_command oem_cmd_keys_seal;
extern const struct cli_command oem_cmd_mbi_export;
extern const struct cli_command oem_cmd_mbi_parse;
extern const struct cli_command oem_cmd_mbi_verify;
extern const struct cli_command oem_cmd_order_approve;
extern const struct cli_command oem_cmd_order_create;
extern const struct cli_command oem_cmd_order_inspect;
extern const struct cli_command oem_cmd_order_verify;
extern const struct cli_command oem_cmd_pfr_export;
extern const struct cli_command oem_cmd_pfr_parse;
extern const struct cli_command oem_cmd_pfr_verify;
extern const struct cli_command oem_cmd_rkth;
extern const struct cli_command oem_cmd_sb31_export;
extern const struct cli_command oem_cmd_sb31_parse;
extern const struct cli_command oem_cmd_sb31_verify;
extern const struct cli_command oem_cmd_template;
extern const struct cli_command oem_cmd_trust_approve;
extern const struct cli_command oem_cmd_trust_inspect;
extern const struct cli_command oem_cmd_trust_update;
extern const struct cli_command oem_cmd_verify;

/* oem_rkth_option - the value of --rkth; *len 0 when it is not given. */
int oem_rkth_option(const struct cli *c, uint8_t rkth[48], size_t *len, struct err *e) CHECKED;

#endif

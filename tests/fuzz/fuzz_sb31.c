/* An SB3.1 container from outside, read whole and as a receiver streams it; and its payloads taken
 * as a plain command stream, as a device does after decryption. */
#include <stdlib.h>
#include <string.h>

#include "image/sb31.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void walk(const uint8_t *stream, size_t len)
{
	struct sb31_cmd cmd;
	struct err e = { 0 };
	uint32_t length;
	char text[160];

	if (len < SB31_SECTION_HEADER || sb31_section(stream, &length, &e) != 0 ||
		length > len - SB31_SECTION_HEADER)
		return;
	struct rd r = rd_of(stream + SB31_SECTION_HEADER, length);
	while (sb31_cmd_next(&r, &cmd, &e) == 1) {
		if (cmd.data && cmd.data + cmd.data_len > stream + SB31_SECTION_HEADER + length)
			abort();
		sb31_cmd_text(text, &cmd);
		if (!strstr(text, sb31_cmd_name(cmd.tag)))
			abort();
		json_decref(sb31_cmd_json(&cmd));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct sb31 sb, first;
	struct err e = { 0 };
	size_t block0_len = 0;

	walk(data, len); /* bytes as a decrypted stream */
	if (len < SB31_HEADER || sb31_block0_len(data, &block0_len, &e) != 0)
		return 0;
	if (sb31_parse_block0(&first, data, len, &e) == 0 && sb31_verify_block0(&first, &e) != 0 &&
		e.code != ERR_REJECTED)
		abort();
	if (sb31_parse(&sb, data, len, &e) != 0)
		return 0;
	if (sb.block0_len != block0_len ||
		sb.block0_len + (size_t)sb.n_blocks * sb.block_size != len)
		abort();
	if (sb31_verify(&sb, &e) != 0 && e.code != ERR_REJECTED)
		abort();
	json_decref(sb31_json(&sb));

	/* Past the signature the chain and the commands must hold out on their own. */
	const uint8_t *hash = sb.block1_hash, *next;
	for (uint32_t n = 1; n <= sb.n_blocks; n++) {
		const uint8_t *block = sb.blocks + (size_t)(n - 1) * sb.block_size;
		if (sb31_check_block(&sb, n, block, hash, &next, &e) == 0)
			hash = next;
	}
	uint8_t *plain = malloc((size_t)sb.n_blocks * SB31_PAYLOAD);
	if (!plain)
		return 0;
	for (uint32_t n = 1; n <= sb.n_blocks; n++)
		memcpy(plain + (size_t)(n - 1) * SB31_PAYLOAD, sb31_payload(&sb, n), SB31_PAYLOAD);
	walk(plain, (size_t)sb.n_blocks * SB31_PAYLOAD);
	free(plain);
	return 0;
}

#include <stdio.h>
#include <string.h>

#include "mboot/status.h"
#include "runner/steps.h"

static int send_sb(struct mboot *m, const struct pkg *pkg, const struct script_step *s,
	struct step_effect *out, struct err *e)
{
	size_t len;
	const uint8_t *data = pkg_step_file(pkg, s, &len);

	if (!data)
		return err_set(e, ERR_INTERNAL, "%s: no such file", s->file ? s->file : "?");
	if (mboot_receive_sb_file(m, data, len, e) != 0)
		return -1;
	out->bytes = len;
	uint32_t last = mboot_last_status(m);
	out->resets = last == MBOOT_STATUS_ROMLDR_PENDING_RESET ||
		      last == MBOOT_STATUS_ROMLDR_PENDING_JUMP;
	return 0;
}

static int write_memory(struct mboot *m, const struct pkg *pkg, const struct script_step *s,
	struct step_effect *out, struct err *e)
{
	size_t len = s->data_len;
	const uint8_t *data = s->file ? pkg_step_file(pkg, s, &len) : s->data;

	if (!data && len)
		return err_set(e, ERR_INTERNAL, "%s: no such file", s->file ? s->file : "?");
	out->bytes = len;
	return mboot_write_memory(m, s->address, data, len, s->memory_id, e);
}

static int read_memory(
	struct mboot *m, const struct script_step *s, struct step_effect *out, struct err *e)
{
	/* The bytes are read to prove that they can be; nothing of a device's memory is kept. */
	AUTO(buf_wipe) struct buf data = { .max = SCRIPT_MAX_READ };

	out->bytes = s->length;
	return mboot_read_memory(m, s->address, s->length, s->memory_id, &data, e);
}

static int program_once(struct mboot *m, const struct script_step *s, struct err *e)
{
	uint32_t words[2] = { 0, 0 };

	for (size_t i = 0; i < s->data_len / 4 && i < 2; i++)
		words[i] = get_le32(s->data + 4 * i);
	return mboot_flash_program_once(m, s->index_arg, (uint32_t)s->data_len, words, e);
}

int step_perform(struct mboot *m, const struct pkg *pkg, const struct script_step *s,
	struct step_effect *out, struct err *e)
{
	uint32_t words[MBOOT_MAX_PARAMS];
	size_t n;

	*out = (struct step_effect){ 0 };
	switch (s->verb) {
	case SCRIPT_GET_PROPERTY:
		return mboot_get_property(
			m, s->property, s->index_arg, words, MBOOT_MAX_PARAMS, &n, e);
	case SCRIPT_SET_PROPERTY:
		return mboot_set_property(m, s->property, s->value, e);
	case SCRIPT_RESET:
		out->resets = true;
		return mboot_reset(m, e);
	case SCRIPT_FLASH_ERASE_ALL:
		return mboot_flash_erase_all(m, s->memory_id, e);
	case SCRIPT_FLASH_ERASE_REGION:
		return mboot_flash_erase_region(m, s->address, s->length, s->memory_id, e);
	case SCRIPT_READ_MEMORY:
		return read_memory(m, s, out, e);
	case SCRIPT_WRITE_MEMORY:
		return write_memory(m, pkg, s, out, e);
	case SCRIPT_FILL_MEMORY:
		out->bytes = s->length;
		return mboot_fill_memory(m, s->address, s->length, s->value, e);
	case SCRIPT_RECEIVE_SB_FILE:
		return send_sb(m, pkg, s, out, e);
	case SCRIPT_EXECUTE:
		return mboot_execute(m, s->address, s->argument, s->stack, e);
	case SCRIPT_CALL:
		return mboot_call(m, s->address, s->argument, e);
	case SCRIPT_CONFIGURE_MEMORY:
		return mboot_configure_memory(m, s->memory_id, s->address, e);
	case SCRIPT_EFUSE_PROGRAM_ONCE:
		return mboot_efuse_program_once(m, s->index_arg & ~MBOOT_FUSE_LOCK_BIT, s->value,
			s->index_arg & MBOOT_FUSE_LOCK_BIT, s->verify, e);
	case SCRIPT_EFUSE_READ_ONCE:
		return mboot_efuse_read_once(m, s->index_arg, words, e);
	case SCRIPT_FLASH_PROGRAM_ONCE:
		return program_once(m, s, e);
	case SCRIPT_FLASH_READ_ONCE:
		return mboot_flash_read_once(m, s->index_arg, s->length, words, e);
	case SCRIPT_TRUST_PROVISIONING:
		return mboot_trust_provisioning(
			m, s->words, s->n_words, words, MBOOT_MAX_PARAMS, &n, e);
	case SCRIPT_DICE_ATTEST:
	case SCRIPT_CHECK:
	case SCRIPT_PROMPT:
		break;
	}
	return err_set(e, ERR_INTERNAL, "%s is no device command", script_verb_name(s->verb));
}

int step_condition(struct mboot *m, const struct script_cond *c, bool *holds,
	char seen[STEP_SEEN_CAP], struct err *e)
{
	char said[STEP_SEEN_CAP] = "";
	uint32_t word = 0;
	size_t n = 0;

	switch (c->kind) {
	case SCRIPT_COND_NONE:
		*holds = false;
		break;
	case SCRIPT_COND_LIFECYCLE: {
		enum mboot_lifecycle lc;
		if (mboot_lifecycle(m, &lc, e) != 0)
			return -1;
		/* An unknown state fulfils no condition but "is not X". */
		*holds = lc == MBOOT_LC_UNKNOWN ? c->op == SCRIPT_NE
						: script_cond_holds(c, (uint32_t)lc);
		snprintf(said, sizeof said, "lifecycle is %s", mboot_lifecycle_name(lc));
		break;
	}
	case SCRIPT_COND_PROPERTY:
		if (mboot_get_property(m, c->property, 0, &word, 1, &n, e) != 0)
			return -1;
		if (n == 0)
			return err_set(
				e, ERR_DEVICE, "property %u came without a value", c->property);
		*holds = script_cond_holds(c, word);
		snprintf(said, sizeof said, "property %u is 0x%x", c->property, word);
		break;
	}
	if (seen)
		memcpy(seen, said, sizeof said);
	return 0;
}

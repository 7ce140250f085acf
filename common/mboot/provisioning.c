/* Trust-provisioning, key-provisioning, DICE: operations on keys inside the device. */
#include <stdio.h>
#include <string.h>

#include "mboot/engine.h"
#include "mboot/status.h"

/* Buffers in device RAM the DICE operations work on (host-side convention for MCX N). */
enum {
	DICE_IN = 0x20020050,
	DICE_OUT = DICE_IN + 0x1000,
	DICE_ROOM = 0x1000,
	DICE_RKTH_LEN = 32,
};

/* The words of a refusal: what sizes the device wants. */
static void wanted_sizes(const struct mboot_job *job, char *text, size_t cap)
{
	size_t used = 0;

	*text = 0;
	if (job->response != MBOOT_RSP_TRUST_PROVISIONING)
		return;
	for (size_t i = 0; i < job->n_words && used < cap; i++)
		used += (size_t)snprintf(text + used, cap - used, "%s%u",
			i ? ", " : "; the device names the sizes ", job->words[i]);
}

int mboot_trust_provisioning(struct mboot *m, const uint32_t *params, size_t n_params,
	uint32_t *words, size_t cap, size_t *n, struct err *e)
{
	struct mboot_job job = { .cmd = mboot_command_find(MBOOT_CMD_TRUST_PROVISIONING),
		.params = params,
		.n_params = n_params };

	if (n_params == 0)
		return err_set(e, ERR_INTERNAL, "trust-provisioning without an operation");
	const char *name = mboot_tp_name(params[0]);
	if (engine_run(m, &job, e) != 0)
		return err_wrap(e, "%s", name ? name : "operation without a name");
	if (job.status != MBOOT_STATUS_SUCCESS) {
		char sizes[120];
		wanted_sizes(&job, sizes, sizeof sizes);
		return err_device(e, job.status, "trust-provisioning %s: %s%s",
			name ? name : "(unknown operation)", MBOOT_STATUS_TEXT(job.status), sizes);
	}
	for (size_t i = 0; i < job.n_words && i < cap; i++)
		words[i] = job.words[i];
	*n = job.n_words;
	return 0;
}

int mboot_key_provisioning(struct mboot *m, const uint32_t *params, size_t n_params,
	const void *data_out, size_t data_len, struct buf *data_in, struct err *e)
{
	struct mboot_job job = { .cmd = mboot_command_find(MBOOT_CMD_KEY_PROVISIONING),
		.params = params,
		.n_params = n_params,
		.data = data_out  ? MBOOT_DATA_OUT
			: data_in ? MBOOT_DATA_IN
				  : MBOOT_DATA_NONE,
		.out = data_out,
		.out_len = data_len,
		.in = data_in,
		.in_len = data_in ? MBOOT_MAX_PAYLOAD : 0 };
	size_t packet;

	if (data_out && mboot_max_packet(m, &packet, e) != 0)
		return -1;
	if (engine_run(m, &job, e) != 0)
		return -1;
	if (job.status != MBOOT_STATUS_SUCCESS)
		return err_device(
			e, job.status, "key-provisioning: %s", MBOOT_STATUS_TEXT(job.status));
	return data_in ? buf_check(data_in, "key-provisioning", e) : 0;
}

/* Write an input, run the operation, read exactly out_len bytes of its result. */
static int dice_operation(struct mboot *m, uint32_t op, const uint8_t *in, uint32_t room,
	uint8_t *out, uint32_t out_len, struct err *e)
{
	const uint32_t params[] = { op, DICE_IN, DICE_RKTH_LEN, DICE_OUT, room };
	uint32_t size = 0;
	size_t n;

	if (mboot_write_memory(m, DICE_IN, in, DICE_RKTH_LEN, MBOOT_MEM_INTERNAL, e) != 0 ||
		mboot_trust_provisioning(m, params, 5, &size, 1, &n, e) != 0)
		return -1;
	if (n < 1 || size != out_len)
		return err_set(e, ERR_DEVICE, "trust-provisioning %s: result of %u bytes, want %u",
			mboot_tp_name(op), n ? size : 0, out_len);
	AUTO(buf_clear) struct buf data = { .max = DICE_ROOM };
	if (mboot_read_memory(m, DICE_OUT, out_len, MBOOT_MEM_INTERNAL, &data, e) != 0)
		return -1;
	memcpy(out, data.p, out_len);
	return 0;
}

int mboot_dice_response(struct mboot *m, const uint8_t challenge[MBOOT_DICE_CHALLENGE_LEN],
	uint8_t response[MBOOT_DICE_RESPONSE_LEN], struct err *e)
{
	return dice_operation(m, MBOOT_TP_OEM_GET_CUST_DICE_RESPONSE, challenge,
		MBOOT_DICE_RESPONSE_LEN, response, MBOOT_DICE_RESPONSE_LEN, e);
}

int mboot_dice_ca_puk(struct mboot *m, const uint8_t *rkth, size_t rkth_len,
	uint8_t puk[MBOOT_DICE_PUK_LEN], struct err *e)
{
	if (rkth_len != 32 && rkth_len != 48)
		return err_set(e, ERR_USAGE, "RKTH of %zu bytes, want 32 or 48", rkth_len);
	return dice_operation(m, MBOOT_TP_OEM_GET_CUST_CERT_DICE_PUK, rkth, DICE_ROOM, puk,
		MBOOT_DICE_PUK_LEN, e);
}

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "tests/sim/device.h"
#include "tests/sim/sb_receive.h"
#include "tests/sim/status.h"

/* --- properties ------------------------------------------------------------------------------- */

enum {
	CURRENT_VERSION = 0x4B030100, /* K3.1.0 */
	TARGET_VERSION = 0x54010000, /* T1.0.0 */
	PERIPHERALS = 0x1F, /* UART, I2C, SPI, CAN, USB-HID */
	RESERVED_RAM_END = 0x20001FFF,
	EXTERNAL_KNOWS = 0x0F, /* start, size, page, sector; no block */
};

static uint32_t words(struct sim_reply *a, unsigned n, const uint32_t *w)
{
	a->n = n;
	memcpy(a->w, w, n * sizeof *w);
	return OK_STATUS;
}

static uint32_t word(struct sim_reply *a, uint32_t w)
{
	return words(a, 1, &w);
}

/* One bit, tag - 1, for each command of the part. */
static uint32_t available_commands(void)
{
	uint32_t bits = 0;

	for (unsigned tag = 1; tag <= 32; tag++) {
		const struct mboot_command *c = mboot_command_find(tag);
		if (c && c->mcxn)
			bits |= 1u << (tag - 1);
	}
	return bits;
}

static uint32_t external_memory(const struct sim_device *d, struct sim_reply *a, uint32_t memid)
{
	const struct sim_store *s = NULL;
	uint32_t start = 0;

	if (memid == MBOOT_MEM_FLEXSPI_NOR && d->mem.flexspi_ready) {
		s = &d->mem.flexspi;
		start = SIM_FLEXSPI_BASE;
	} else if (memid == MBOOT_MEM_SPI_NOR && d->mem.spi_nor_ready)
		s = &d->mem.spi_nor;
	if (!s)
		return MBOOT_STATUS_MEMORY_NOT_CONFIGURED;
	return words(
		a, 6, (uint32_t[]){ EXTERNAL_KNOWS, start, s->size / 1024, 256, s->block_size, 0 });
}

static uint32_t get_property(struct sim_device *d, const struct sim_request *q, struct sim_reply *a)
{
	uint32_t uuid[4];

	a->specific = true;
	for (unsigned i = 0; i < 4; i++)
		uuid[i] = get_le32(d->uuid + 4 * i);
	switch ((enum mboot_property)q->p[0]) {
	case MBOOT_PROP_CURRENT_VERSION:
		return word(a, CURRENT_VERSION);
	case MBOOT_PROP_PERIPHERALS:
		return word(a, PERIPHERALS);
	case MBOOT_PROP_FLASH_START:
		return word(a, SIM_FLASH_BASE);
	case MBOOT_PROP_FLASH_SIZE:
		return word(a, d->chip->flash_size);
	case MBOOT_PROP_FLASH_SECTOR_SIZE:
		return word(a, SIM_SECTOR);
	case MBOOT_PROP_FLASH_BLOCK_COUNT:
		return word(a, 1);
	case MBOOT_PROP_COMMANDS:
		return word(a, available_commands());
	case MBOOT_PROP_CRC_CHECK_STATUS:
		return word(a, MBOOT_STATUS_APP_CRC_INACTIVE);
	case MBOOT_PROP_LAST_ERROR:
		return word(a, d->last_error);
	case MBOOT_PROP_VERIFY_WRITES:
		return word(a, d->prop_verify_writes);
	case MBOOT_PROP_MAX_PACKET_SIZE:
		return word(a, d->link.max_packet);
	case MBOOT_PROP_RESERVED_REGIONS:
		return words(a, 4, (uint32_t[]){ 0, 0, SIM_RAM_BASE, RESERVED_RAM_END });
	case MBOOT_PROP_RAM_START:
		return word(a, SIM_RAM_BASE);
	case MBOOT_PROP_RAM_SIZE:
		return word(a, d->chip->ram_size);
	case MBOOT_PROP_SYSTEM_DEVICE_ID:
		return word(a, 0);
	case MBOOT_PROP_SECURITY_STATE:
		return word(
			a, sim_device_in_field(d) ? MBOOT_SECURITY_SECURED : MBOOT_SECURITY_OPEN);
	case MBOOT_PROP_UNIQUE_DEVICE_ID:
		return words(a, 4, uuid);
	case MBOOT_PROP_TARGET_VERSION:
		return word(a, TARGET_VERSION);
	case MBOOT_PROP_EXTERNAL_MEMORY:
		return external_memory(d, a, q->p[1]);
	case MBOOT_PROP_FLASH_PAGE_SIZE:
		return word(a, SIM_FLASH_PAGE);
	case MBOOT_PROP_IRQ_PIN:
		return word(a, d->prop_irq_pin);
	case MBOOT_PROP_KEYSTORE_UPDATE:
		return word(a, d->prop_key_store);
	case MBOOT_PROP_BYTE_WRITE_TIMEOUT:
		return word(a, d->prop_byte_timeout);
	case MBOOT_PROP_FUSE_LOCK_STATUS:
	case MBOOT_PROP_BOOT_STATUS:
		return word(a, 0);
	case MBOOT_PROP_VALIDATE_REGIONS:
	case MBOOT_PROP_FAC_SUPPORT:
	case MBOOT_PROP_FAC_SEGMENT_SIZE:
	case MBOOT_PROP_FAC_SEGMENT_COUNT:
	case MBOOT_PROP_READ_MARGIN:
	case MBOOT_PROP_QSPI_STATUS:
	case MBOOT_PROP_RELIABLE_UPDATE_STATUS:
	case MBOOT_PROP_LOADABLE_FW_VERSION:
	case MBOOT_PROP_FUSE_VOLTAGE:
	case MBOOT_PROP_SHE_PARTITION:
	case MBOOT_PROP_SHE_BOOT_MODE:
		break;
	}
	return MBOOT_STATUS_UNKNOWN_PROPERTY;
}

static uint32_t set_property(struct sim_device *d, const struct sim_request *q, struct sim_reply *a)
{
	struct sim_reply known = { 0 };
	uint32_t max = UINT32_MAX, *target;

	(void)a;
	switch (q->p[0]) {
	case MBOOT_PROP_VERIFY_WRITES:
		target = &d->prop_verify_writes;
		max = 1;
		break;
	case MBOOT_PROP_IRQ_PIN:
		target = &d->prop_irq_pin;
		break;
	case MBOOT_PROP_KEYSTORE_UPDATE:
		target = &d->prop_key_store;
		max = 1;
		break;
	case MBOOT_PROP_BYTE_WRITE_TIMEOUT:
		target = &d->prop_byte_timeout;
		break;
	default:
		return get_property(d, q, &known) == MBOOT_STATUS_UNKNOWN_PROPERTY
			       ? MBOOT_STATUS_UNKNOWN_PROPERTY
			       : MBOOT_STATUS_READ_ONLY_PROPERTY;
	}
	if (q->p[1] > max)
		return MBOOT_STATUS_INVALID_PROPERTY_VALUE;
	*target = q->p[1];
	return OK_STATUS;
}

/* --- memories --------------------------------------------------------------------------------- */

static uint32_t erase_all(struct sim_device *d, const struct sim_request *q, struct sim_reply *a)
{
	(void)a;
	d->changed = true;
	return sim_memory_erase_all(&d->mem, q->p[0]);
}

static uint32_t erase_region(struct sim_device *d, const struct sim_request *q, struct sim_reply *a)
{
	(void)a;
	d->changed = true;
	return sim_memory_erase(&d->mem, q->p[2], q->p[0], q->p[1]);
}

/* In the field only RAM is open. */
static bool closed(const struct sim_device *d, struct sim_memory *m, uint32_t memid, uint32_t addr,
	uint32_t len)
{
	return sim_device_in_field(d) &&
	       (memid >= SIM_MAPPED_ID_LIMIT || !sim_memory_is_ram(m, addr, len));
}

static uint32_t read_memory(struct sim_device *d, const struct sim_request *q, struct sim_reply *a)
{
	uint32_t status = sim_memory_readable(&d->mem, q->p[2], q->p[0], q->p[1]);

	a->specific = true;
	if (status == OK_STATUS && closed(d, &d->mem, q->p[2], q->p[0], q->p[1]))
		status = MBOOT_STATUS_SECURITY_VIOLATION;
	if (status != OK_STATUS)
		return status;
	a->next = SIM_NEXT_SEND;
	d->op.addr = q->p[0];
	d->op.total = q->p[1];
	d->op.memid = q->p[2];
	return word(a, q->p[1]);
}

static uint32_t write_memory(struct sim_device *d, const struct sim_request *q, struct sim_reply *a)
{
	uint32_t status = sim_writer_start(&d->op.writer, &d->mem, q->p[2], q->p[0], q->p[1]);

	if (status == OK_STATUS && closed(d, &d->mem, q->p[2], q->p[0], q->p[1]))
		return MBOOT_STATUS_SECURITY_VIOLATION;
	a->next = SIM_NEXT_RECEIVE;
	d->op.total = q->p[1];
	return status;
}

static uint32_t fill_memory(struct sim_device *d, const struct sim_request *q, struct sim_reply *a)
{
	(void)a;
	d->changed = true;
	return sim_memory_fill(&d->mem, MBOOT_MEM_INTERNAL, q->p[0], q->p[1], q->p[2]);
}

static uint32_t configure_memory(
	struct sim_device *d, const struct sim_request *q, struct sim_reply *a)
{
	(void)a;
	return sim_memory_configure(&d->mem, q->p[0], q->p[1]);
}

static uint32_t receive_sb_file(
	struct sim_device *d, const struct sim_request *q, struct sim_reply *a)
{
	d->faults.sb_files++;
	d->op.swallow = d->faults.swallow_sb;
	d->sb = d->op.swallow ? NULL : sim_sb_start(d, q->p[0]);
	if (!d->sb && !d->op.swallow)
		return MBOOT_STATUS_FAIL;
	a->next = SIM_NEXT_RECEIVE;
	d->op.total = q->p[0];
	return OK_STATUS;
}

/* --- fuses, code, reset ----------------------------------------------------------------------- */

static uint32_t program_once(struct sim_device *d, const struct sim_request *q, struct sim_reply *a)
{
	(void)a;
	if (q->p[1] != 4 || q->n < 3)
		return MBOOT_STATUS_INVALID_ARGUMENT;
	d->changed = true;
	return sim_fuse_program(&d->fuses, q->p[0], q->p[2]);
}

static uint32_t read_once(struct sim_device *d, const struct sim_request *q, struct sim_reply *a)
{
	uint32_t n = q->p[1] / 4;

	a->specific = true;
	if (q->p[1] != 4 && q->p[1] != 8)
		return MBOOT_STATUS_INVALID_ARGUMENT;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t status = q->p[0] > UINT32_MAX - i
					  ? MBOOT_STATUS_OTP_INVALID_ADDRESS
					  : sim_fuse_read(&d->fuses, q->p[0] + i, &a->w[1 + i]);
		if (status != OK_STATUS)
			return status;
	}
	a->w[0] = q->p[1];
	a->n = 1 + n;
	return OK_STATUS;
}

static uint32_t execute(struct sim_device *d, const struct sim_request *q, struct sim_reply *a)
{
	(void)d;
	(void)q;
	a->next = SIM_NEXT_JUMP;
	return OK_STATUS;
}

static uint32_t call(struct sim_device *d, const struct sim_request *q, struct sim_reply *a)
{
	/* No code runs here: the function returns at once. */
	(void)d;
	(void)q;
	(void)a;
	return OK_STATUS;
}

static uint32_t reset(struct sim_device *d, const struct sim_request *q, struct sim_reply *a)
{
	(void)d;
	(void)q;
	a->next = SIM_NEXT_RESET;
	return OK_STATUS;
}

/* --- the table -------------------------------------------------------------------------------- */

static const struct row {
	enum mboot_tag tag;
	unsigned min_params;
	bool in_field; /* open in the field */
	bool specific_failure; /* a refusal comes in the command's own response */
	uint32_t (*run)(struct sim_device *d, const struct sim_request *q, struct sim_reply *a);
} rows[] = {
	{ MBOOT_CMD_FLASH_ERASE_ALL, 0, false, false, erase_all },
	{ MBOOT_CMD_FLASH_ERASE_REGION, 2, false, false, erase_region },
	{ MBOOT_CMD_READ_MEMORY, 2, true, true, read_memory },
	{ MBOOT_CMD_WRITE_MEMORY, 2, true, false, write_memory },
	{ MBOOT_CMD_FILL_MEMORY, 3, false, false, fill_memory },
	{ MBOOT_CMD_GET_PROPERTY, 1, true, true, get_property },
	{ MBOOT_CMD_RECEIVE_SB_FILE, 1, true, false, receive_sb_file },
	{ MBOOT_CMD_EXECUTE, 3, false, false, execute },
	{ MBOOT_CMD_CALL, 2, false, false, call },
	{ MBOOT_CMD_RESET, 0, true, false, reset },
	{ MBOOT_CMD_SET_PROPERTY, 2, true, false, set_property },
	{ MBOOT_CMD_FLASH_PROGRAM_ONCE, 2, false, false, program_once },
	{ MBOOT_CMD_FLASH_READ_ONCE, 2, true, true, read_once },
	{ MBOOT_CMD_CONFIGURE_MEMORY, 2, false, false, configure_memory },
	{ MBOOT_CMD_TRUST_PROVISIONING, 1, true, false, sim_trust_prov },
};

static const struct row *row_of(uint8_t tag)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (rows[i].tag == tag)
			return &rows[i];
	return NULL;
}

uint8_t sim_command_response_tag(uint8_t tag)
{
	const struct mboot_command *c = mboot_command_find(tag);

	return c ? (uint8_t)c->response : MBOOT_RSP_GENERIC;
}

bool sim_command_specific_failure(uint8_t tag)
{
	const struct row *r = row_of(tag);

	return r && r->specific_failure;
}

uint32_t sim_command_run(struct sim_device *d, const struct sim_request *q, struct sim_reply *a)
{
	const struct row *r = row_of(q->tag);
	uint32_t status;

	memset(&d->op, 0, sizeof d->op);
	d->op.tag = q->tag;
	if (!r)
		return mboot_command_find(q->tag) ? MBOOT_STATUS_COMMAND_UNSUPPORTED
						  : MBOOT_STATUS_UNKNOWN_COMMAND;
	if (sim_device_in_field(d) && !r->in_field)
		status = MBOOT_STATUS_SECURITY_VIOLATION;
	else if (q->n < r->min_params)
		status = MBOOT_STATUS_INVALID_ARGUMENT;
	else
		status = r->run(d, q, a);
	if (status != OK_STATUS && a->n == 0 && r->specific_failure)
		a->specific = true;
	if (status != OK_STATUS && r->specific_failure)
		a->n = 0; /* no values in a refusal */
	return status;
}

uint32_t sim_command_data(struct sim_device *d, const uint8_t *data, size_t len)
{
	d->changed = true;
	if (d->op.swallow)
		return OK_STATUS;
	if (d->sb)
		return sim_sb_push(d->sb, data, len);
	return sim_writer_push(&d->op.writer, data, len);
}

uint32_t sim_command_end(struct sim_device *d)
{
	if (!d->sb)
		return sim_writer_finish(&d->op.writer);

	uint32_t status = sim_sb_finish(d->sb);
	struct sim_sb *sb = d->sb;
	d->sb = NULL;
	sim_sb_free(sb, status);
	if (status == MBOOT_STATUS_ROMLDR_PENDING_JUMP)
		d->op.then = SIM_NEXT_JUMP;
	return status;
}

void sim_command_cancel(struct sim_device *d, uint32_t status)
{
	struct sim_sb *sb = d->sb;

	d->sb = NULL;
	if (sb)
		sim_sb_free(sb, status);
}

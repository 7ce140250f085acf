#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "family/family.h"
#include "mboot/command.h"
#include "mboot/frame.h"
#include "mboot/mboot.h"
#include "mboot/status.h"
#include "runner/dry.h"

#define DRY_PACKET 512
#define DRY_OUT	   (4 * MBOOT_MAX_FRAME)

struct dry {
	const struct pkg *pkg;
	uint32_t flash_size, ram_size, lifecycle_fuse;
	enum mboot_lifecycle lifecycle;
	bool provisioned; /* a provisioning file came: the next reset carries it out */
	struct mboot_decoder in;
	uint8_t out[DRY_OUT];
	size_t out_start, out_end;
	/* open data phase */
	uint32_t receiving, sending; /* bytes still to come, to go */
	enum mboot_tag tag;
};

/* --- sending
 * -------------------------------------------------------------------------------------------------
 */
static void queue_bytes(struct dry *d, const uint8_t *p, size_t n)
{
	if (d->out_start == d->out_end)
		d->out_start = d->out_end = 0;
	if (n > sizeof d->out - d->out_end)
		return; /* the host breaks the protocol: it does not wait for answers */
	memcpy(d->out + d->out_end, p, n);
	d->out_end += n;
}

static void send_short(struct dry *d, enum mboot_frame_type type)
{
	uint8_t frame[2];

	queue_bytes(d, frame, mboot_frame_short(frame, type));
}

static void respond(
	struct dry *d, enum mboot_response_tag tag, bool data, const uint32_t *words, size_t n)
{
	uint8_t packet[MBOOT_PACKET_HEADER + 4 * MBOOT_MAX_PARAMS] = { (uint8_t)tag,
		data ? MBOOT_FLAG_DATA : 0, 0, (uint8_t)n };
	uint8_t frame[MBOOT_FRAME_HEADER + sizeof packet];

	for (size_t i = 0; i < n; i++)
		put_le32(packet + MBOOT_PACKET_HEADER + 4 * i, words[i]);
	queue_bytes(d, frame,
		mboot_frame_encode(
			frame, MBOOT_FRAME_COMMAND, packet, MBOOT_PACKET_HEADER + 4 * n));
}

static void respond_generic(struct dry *d, uint32_t status, uint32_t tag)
{
	respond(d, MBOOT_RSP_GENERIC, false, (uint32_t[]){ status, tag }, 2);
}

/* --- commands
 * ------------------------------------------------------------------------------------------------
 */
static void get_property(struct dry *d, uint32_t id)
{
	uint32_t w[5] = { MBOOT_STATUS_SUCCESS };
	size_t n = 2;

	switch (id) {
	case MBOOT_PROP_CURRENT_VERSION:
		w[1] = 0x4B030100;
		break;
	case MBOOT_PROP_FLASH_SIZE:
		w[1] = d->flash_size;
		break;
	case MBOOT_PROP_RAM_SIZE:
		w[1] = d->ram_size;
		break;
	case MBOOT_PROP_RAM_START:
		w[1] = 0x20000000;
		break;
	case MBOOT_PROP_FLASH_START:
		break;
	case MBOOT_PROP_MAX_PACKET_SIZE:
		w[1] = DRY_PACKET;
		break;
	case MBOOT_PROP_SECURITY_STATE:
		w[1] = d->lifecycle >= MBOOT_LC_IN_FIELD ? MBOOT_SECURITY_SECURED
							 : MBOOT_SECURITY_OPEN;
		break;
	case MBOOT_PROP_UNIQUE_DEVICE_ID:
		memset(w + 1, 0, 16); /* no real device has it */
		n = 5;
		break;
	default:
		w[0] = MBOOT_STATUS_UNKNOWN_PROPERTY;
		break;
	}
	respond(d, MBOOT_RSP_GET_PROPERTY, false, w, n);
}

static uint32_t fuse_of(enum mboot_lifecycle lc)
{
	static const uint8_t states[] = { 0x00, 0x03, 0x07, 0x0F, 0xCF, 0x1F, 0x7F, 0xFF };

	return lc < sizeof states ? states[lc] * 0x01000001u : 0;
}

static void reset(struct dry *d)
{
	respond_generic(d, MBOOT_STATUS_SUCCESS, MBOOT_CMD_RESET);
	if (d->provisioned)
		d->lifecycle = pkg_manifest(d->pkg)->after;
	d->provisioned = false;
}

/* The file with this length is the provisioning file: that is all the dry device looks at. */
static void begin_file(struct dry *d, uint32_t len)
{
	const struct manifest *m = pkg_manifest(d->pkg);

	for (size_t i = 0; i < m->n_files; i++)
		if (m->files[i].role == ROLE_PROVISIONING_SB && m->files[i].size == len)
			d->provisioned = true;
}

static void command(struct dry *d, const uint8_t *p, size_t len)
{
	struct rd r = rd_of(p, len);
	uint32_t params[MBOOT_MAX_PARAMS] = { 0 };
	enum mboot_tag tag = (enum mboot_tag)rd_u8(&r);

	rd_skip(&r, 2);
	size_t n = rd_u8(&r);
	for (size_t i = 0; i < n && i < MBOOT_MAX_PARAMS; i++)
		params[i] = rd_le32(&r);
	if (r.bad || n > MBOOT_MAX_PARAMS)
		return;
	send_short(d, MBOOT_FRAME_ACK);
	d->receiving = d->sending = 0;
	d->tag = tag;
	if (tag == MBOOT_CMD_GET_PROPERTY) {
		get_property(d, params[0]);
	} else if (tag == MBOOT_CMD_RECEIVE_SB_FILE || tag == MBOOT_CMD_WRITE_MEMORY) {
		d->receiving = tag == MBOOT_CMD_WRITE_MEMORY ? params[1] : params[0];
		if (tag == MBOOT_CMD_RECEIVE_SB_FILE)
			begin_file(d, params[0]);
		respond_generic(d, MBOOT_STATUS_SUCCESS, tag);
		if (!d->receiving)
			respond_generic(d, MBOOT_STATUS_SUCCESS, tag);
	} else if (tag == MBOOT_CMD_READ_MEMORY) {
		d->sending = params[1];
		respond(d, MBOOT_RSP_READ_MEMORY, true,
			(uint32_t[]){ MBOOT_STATUS_SUCCESS, params[1] }, 2);
	} else if (tag == MBOOT_CMD_FLASH_READ_ONCE) {
		uint32_t value = params[0] == MBOOT_FUSE_LIFE_CYCLE ? fuse_of(d->lifecycle) : 0;
		uint32_t words = params[1] == 8 ? 2 : 1;
		respond(d, MBOOT_RSP_FLASH_READ_ONCE, false,
			(uint32_t[]){ MBOOT_STATUS_SUCCESS, 4 * words, value, 0 }, 2 + words);
	} else if (tag == MBOOT_CMD_TRUST_PROVISIONING) {
		/* Key operations need a real part: attestation shows as refused. */
		respond_generic(d, MBOOT_STATUS_COMMAND_UNSUPPORTED, tag);
	} else if (tag == MBOOT_CMD_RESET) {
		reset(d);
	} else {
		respond_generic(d, MBOOT_STATUS_SUCCESS, tag);
	}
}

static void send_data(struct dry *d)
{
	static const uint8_t erased[DRY_PACKET] = { 0 };
	uint8_t frame[MBOOT_FRAME_HEADER + DRY_PACKET];
	uint32_t n = d->sending < DRY_PACKET ? d->sending : DRY_PACKET;

	if (n) {
		queue_bytes(d, frame, mboot_frame_encode(frame, MBOOT_FRAME_DATA, erased, n));
		d->sending -= n;
	} else if (d->tag == MBOOT_CMD_READ_MEMORY) {
		d->tag = MBOOT_CMD_GET_PROPERTY; /* once */
		respond_generic(d, MBOOT_STATUS_SUCCESS, MBOOT_CMD_READ_MEMORY);
	}
}

static void data(struct dry *d, size_t len)
{
	send_short(d, MBOOT_FRAME_ACK);
	d->receiving -= len < d->receiving ? (uint32_t)len : d->receiving;
	if (!d->receiving)
		respond_generic(d, MBOOT_STATUS_SUCCESS, d->tag);
}

static void take_frame(struct dry *d, const struct mboot_frame *f)
{
	static const struct mboot_version version = { 1, 3, 0, MBOOT_PING_NAME, 0 };
	uint8_t frame[MBOOT_PING_RESPONSE_LEN];

	switch (f->type) {
	case MBOOT_FRAME_PING:
		queue_bytes(d, frame, mboot_frame_ping_response(frame, &version));
		break;
	case MBOOT_FRAME_COMMAND:
		command(d, f->payload, f->len);
		break;
	case MBOOT_FRAME_DATA:
		data(d, f->len);
		break;
	case MBOOT_FRAME_ACK:
		if (d->tag == MBOOT_CMD_READ_MEMORY || d->sending)
			send_data(d);
		break;
	case MBOOT_FRAME_NAK:
	case MBOOT_FRAME_ABORT:
	case MBOOT_FRAME_PING_RESPONSE:
		break;
	}
}

/* --- transport
 * -----------------------------------------------------------------------------------------------
 */
static int dry_read(void *ctx, uint8_t *buf, size_t cap, int timeout_ms, size_t *got, struct err *e)
{
	struct dry *d = ctx;
	size_t n = d->out_end - d->out_start;

	(void)timeout_ms; /* what it will ever say, it says at once */
	(void)e;
	*got = n < cap ? n : cap;
	memcpy(buf, d->out + d->out_start, *got);
	d->out_start += *got;
	return 0;
}

static int dry_write(void *ctx, const uint8_t *p, size_t len, int timeout_ms, struct err *e)
{
	struct dry *d = ctx;
	struct mboot_frame f;

	(void)timeout_ms;
	(void)e;
	while (len) {
		size_t room;
		uint8_t *space = mboot_decoder_space(&d->in, &room);
		size_t n = len < room ? len : room;
		memcpy(space, p, n);
		mboot_decoder_added(&d->in, n);
		p += n;
		len -= n;
		while (mboot_decoder_next(&d->in, &f) == MBOOT_FOUND_FRAME)
			take_frame(d, &f);
	}
	return 0;
}

static void dry_close(void *ctx)
{
	(void)ctx;
}

int dry_open(struct dry *d, struct mboot_io *out, struct err *e)
{
	(void)e;
	mboot_decoder_init(&d->in, MBOOT_MAX_PAYLOAD);
	d->out_start = d->out_end = 0;
	*out = (struct mboot_io){
		.read = dry_read, .write = dry_write, .close = dry_close, .ctx = d
	};
	return 0;
}

static int read_sizes(struct dry *d, struct err *e)
{
	const char *name = pkg_manifest(d->pkg)->family;
	const struct family *f = family_find(name);
	const struct family_memory *flash = f ? family_memory_named(f, "flash") : NULL;
	const struct family_memory *ram = f ? family_memory_named(f, "sram") : NULL;

	if (!flash || !ram)
		return err_set(e, ERR_CONFIG, "no table of the family '%s'", name);
	d->flash_size = flash->size;
	d->ram_size = ram->size;
	return 0;
}

int dry_new(struct dry **out, const struct pkg *pkg, struct err *e)
{
	struct dry *d = calloc(1, sizeof *d);

	if (!d)
		return err_set(e, ERR_ENV, "out of memory");
	d->pkg = pkg;
	d->lifecycle = pkg_manifest(pkg)->before[0];
	if (read_sizes(d, e) != 0) {
		free(d);
		return -1;
	}
	*out = d;
	return 0;
}

void dry_free(struct dry *d)
{
	free(d);
}

#include <sodium.h>
#include <string.h>

#include "base/bytes.h"
#include "image/sb31.h"
#include "tests/sim/device.h"
#include "tests/sim/sb_command.h"
#include "tests/sim/status.h"

enum { COUNTER_NONSECURE = 1, COUNTER_SECURE = 2 };

void sim_sb_stream_init(struct sim_sb_stream *s, struct sim_device *d,
	const struct sim_session *share, uint64_t plain_len)
{
	*s = (struct sim_sb_stream){ .d = d, .share = share, .plain_len = plain_len };
}

void sim_sb_stream_clear(struct sim_sb_stream *s)
{
	sodium_memzero(s, sizeof *s);
}

static uint32_t ext(const struct sim_sb_stream *s, size_t i)
{
	return get_le32(s->head + 16 + 4 * i);
}

/* --- commands --------------------------------------------------------------------------------- */

static uint32_t copy_memory(struct sim_device *d, uint32_t from, uint32_t from_id, uint32_t to,
	uint32_t to_id, uint32_t len)
{
	struct sim_writer w;
	uint32_t status = sim_memory_readable(&d->mem, from_id, from, len);

	if (status == OK_STATUS)
		status = sim_writer_start(&w, &d->mem, to_id, to, len);
	while (status == OK_STATUS && w.left) {
		uint8_t chunk[512];
		uint32_t n = w.left < sizeof chunk ? w.left : (uint32_t)sizeof chunk;
		sim_memory_read(&d->mem, from_id, from, chunk, n);
		status = sim_writer_push(&w, chunk, n);
		from += n;
	}
	return status == OK_STATUS ? sim_writer_finish(&w) : status;
}

static uint32_t check_version(struct sim_device *d, uint32_t value, uint32_t counter)
{
	const struct sim_pfr_page *cfpa = &d->mem.pfr.cfpa;

	if (counter == COUNTER_SECURE && value < sim_cfpa_secure_version(cfpa))
		return MBOOT_STATUS_ROMLDR_ROLLBACK_BLOCKED;
	if (counter == COUNTER_NONSECURE && value < sim_cfpa_ns_version(cfpa))
		return MBOOT_STATUS_ROMLDR_ROLLBACK_BLOCKED;
	return OK_STATUS;
}

/* The wrapped CUST_MK_SK: opened with the share's key, kept under the die's key in CMPA. */
static uint32_t load_key_blob(struct sim_sb_stream *s)
{
	struct sim_device *d = s->d;
	uint32_t kek = s->w1 >> 16;
	uint8_t key[SIM_KEY_LEN], blob[SIM_BLOB_LEN];

	if (!s->share || s->n_small != SIM_BLOB_LEN || (s->w1 & 0xFFFF) != 0 ||
		(kek != SIM_KEK_EXT && kek != SIM_KEK_INT) ||
		!sim_blob_unwrap(kek == SIM_KEK_EXT ? s->share->k_ext : s->share->k_int,
			SIM_PROPS_STORED, s->small, key))
		return MBOOT_STATUS_ROMLDR_KEY_NOT_FOUND;
	int made = sim_blob_wrap(d->roots.k_die, SIM_PROPS_DIE, key, blob, NULL);
	sodium_memzero(key, sizeof key);
	if (made != 0)
		return MBOOT_STATUS_FAIL;
	memcpy(d->mem.pfr.cmpa.data + SIM_CMPA_KEY_BLOB, blob, sizeof blob);
	return OK_STATUS;
}

/* The fixed part of a command is there. */
static uint32_t start_command(struct sim_sb_stream *s)
{
	struct sim_device *d = s->d;

	switch ((enum sb31_tag)s->tag) {
	case SB31_ERASE:
		return sim_memory_erase(&d->mem, ext(s, 0), s->w1, s->w2);
	case SB31_LOAD:
	case SB31_LOAD_CMAC:
	case SB31_LOAD_HASH_LOCKING:
		return sim_writer_start(&s->writer, &d->mem, ext(s, 0), s->w1, s->w2);
	case SB31_PROGRAM_IFR:
		return sim_writer_start(&s->writer, &d->mem, SIM_MEM_INTERNAL, s->w1, s->w2);
	case SB31_EXECUTE:
		s->jump = true;
		return OK_STATUS;
	case SB31_PROGRAM_FUSES:
		s->fuse = s->w1;
		return OK_STATUS;
	case SB31_COPY:
		return copy_memory(d, s->w1, ext(s, 1), ext(s, 0), ext(s, 2), s->w2);
	case SB31_LOAD_KEY_BLOB:
		return s->data_left > sizeof s->small ? MBOOT_STATUS_ROMLDR_KEY_NOT_FOUND
						      : OK_STATUS;
	case SB31_CONFIGURE_MEMORY:
		return sim_memory_configure(&d->mem, s->w1, s->w2);
	case SB31_FILL_MEMORY:
		return sim_memory_fill(&d->mem, SIM_MEM_INTERNAL, s->w1, s->w2, ext(s, 0));
	case SB31_CHECK_FW_VERSION:
		return check_version(d, s->w1, s->w2);
	}
	return MBOOT_STATUS_ROMLDR_UNKNOWN_COMMAND;
}

static uint32_t take_fuses(struct sim_sb_stream *s, const uint8_t *data, size_t len)
{
	while (len--) {
		s->small[s->n_small++] = *data++;
		if (s->n_small < 4)
			continue;
		uint32_t status = sim_fuse_program(&s->d->fuses, s->fuse++, get_le32(s->small));
		s->n_small = 0;
		if (status != OK_STATUS)
			return status;
	}
	return OK_STATUS;
}

/* Data of the current command, never more than it has. */
static uint32_t take_data(struct sim_sb_stream *s, const uint8_t *data, size_t len)
{
	switch ((enum sb31_tag)s->tag) {
	case SB31_LOAD:
	case SB31_LOAD_CMAC:
	case SB31_LOAD_HASH_LOCKING:
	case SB31_PROGRAM_IFR:
		return sim_writer_push(&s->writer, data, len);
	case SB31_PROGRAM_FUSES:
		return take_fuses(s, data, len);
	case SB31_LOAD_KEY_BLOB:
		memcpy(s->small + s->n_small, data, len);
		s->n_small += len;
		return OK_STATUS;
	case SB31_ERASE:
	case SB31_EXECUTE:
	case SB31_COPY:
	case SB31_CONFIGURE_MEMORY:
	case SB31_FILL_MEMORY:
	case SB31_CHECK_FW_VERSION:
		break;
	}
	return MBOOT_STATUS_ROMLDR_SECTION_LENGTH;
}

static uint32_t end_data(struct sim_sb_stream *s)
{
	switch ((enum sb31_tag)s->tag) {
	case SB31_LOAD:
	case SB31_LOAD_CMAC:
	case SB31_LOAD_HASH_LOCKING:
	case SB31_PROGRAM_IFR:
		return sim_writer_finish(&s->writer);
	case SB31_LOAD_KEY_BLOB:
		return load_key_blob(s);
	case SB31_PROGRAM_FUSES:
	case SB31_ERASE:
	case SB31_EXECUTE:
	case SB31_COPY:
	case SB31_CONFIGURE_MEMORY:
	case SB31_FILL_MEMORY:
	case SB31_CHECK_FW_VERSION:
		break;
	}
	return OK_STATUS;
}

/* --- the stream ------------------------------------------------------------------------------- */

static uint32_t section(struct sim_sb_stream *s)
{
	uint32_t length;

	if (sb31_section(s->head, &length, NULL) != 0 ||
		length > s->plain_len - SB31_SECTION_HEADER || length % 16)
		return MBOOT_STATUS_ROMLDR_SECTION_LENGTH;
	s->section_known = true;
	s->left = length;
	s->n_head = s->head_len = 0;
	return OK_STATUS;
}

/* 16 bytes of a command are there: what it is and how long. */
static uint32_t recognise(struct sim_sb_stream *s)
{
	size_t total, data_off, data_len;

	if (sb31_cmd_size(s->head, &total, &data_off, &data_len, NULL) != 0 ||
		data_off > sizeof s->head)
		return MBOOT_STATUS_ROMLDR_UNKNOWN_COMMAND;
	if (total > s->left)
		return SIM_STATUS_SECTION_OVERRUN;
	s->w1 = get_le32(s->head + 4);
	s->w2 = get_le32(s->head + 8);
	s->tag = get_le32(s->head + 12);
	s->head_len = data_off;
	s->data_left = data_len;
	s->fill_left = total - data_off - data_len;
	s->left -= total;
	s->n_small = 0;
	return OK_STATUS;
}

uint32_t sim_sb_stream_push(struct sim_sb_stream *s, const uint8_t *data, size_t len)
{
	uint32_t status = OK_STATUS;

	while (len && status == OK_STATUS) {
		size_t n;
		if (s->head_len && s->n_head == s->head_len) { /* inside a command */
			size_t *part = s->data_left ? &s->data_left : &s->fill_left;
			n = *part < len ? *part : len;
			if (s->data_left) {
				status = take_data(s, data, n);
				*part -= n;
				if (status == OK_STATUS && s->data_left == 0)
					status = end_data(s);
			} else
				*part -= n;
			if (s->data_left == 0 && s->fill_left == 0)
				s->n_head = s->head_len = 0;
			data += n;
			len -= n;
			continue;
		}
		if (s->section_known && s->left == 0 && s->n_head == 0)
			return OK_STATUS; /* fill behind the last command */
		size_t want = s->head_len ? s->head_len : 16;
		n = want - s->n_head < len ? want - s->n_head : len;
		memcpy(s->head + s->n_head, data, n);
		s->n_head += n;
		data += n;
		len -= n;
		if (s->n_head < want)
			break;
		if (!s->section_known) {
			status = section(s);
			continue;
		}
		if (!s->head_len) {
			status = recognise(s);
			if (status != OK_STATUS || s->n_head < s->head_len)
				continue;
		}
		status = start_command(s);
		if (status == OK_STATUS && s->data_left == 0)
			status = end_data(s);
		if (s->data_left == 0 && s->fill_left == 0)
			s->n_head = s->head_len = 0;
	}
	return status;
}

uint32_t sim_sb_stream_finish(struct sim_sb_stream *s)
{
	if (!s->section_known || s->left || s->n_head)
		return MBOOT_STATUS_ROMLDR_DATA_UNDERRUN;
	return s->jump ? MBOOT_STATUS_ROMLDR_PENDING_JUMP : OK_STATUS;
}

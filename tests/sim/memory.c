#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "tests/sim/memory.h"
#include "tests/sim/status.h"

static void store_init(struct sim_store *s, uint32_t size, uint32_t block_size, uint8_t blank)
{
	*s = (struct sim_store){ .size = size, .block_size = block_size, .blank = blank };
	s->blocks = calloc(sim_store_blocks(s), sizeof *s->blocks);
}

static void store_blank(struct sim_store *s)
{
	for (size_t i = 0; s->blocks && i < sim_store_blocks(s); i++) {
		free(s->blocks[i]);
		s->blocks[i] = NULL;
	}
}

size_t sim_store_blocks(const struct sim_store *s)
{
	return s->size / s->block_size;
}

size_t sim_store_programmed_len(const struct sim_store *s)
{
	return s->block_size / SIM_PHRASE / 8;
}

/* A block is its bytes and, behind them, the bitmap. */
static uint8_t *block_bits(const struct sim_store *s, uint8_t *b)
{
	return b + s->block_size;
}

const uint8_t *sim_store_block(const struct sim_store *s, size_t i, const uint8_t **programmed)
{
	uint8_t *b = s->blocks[i];

	if (!b)
		return NULL;
	*programmed = block_bits(s, b);
	return b;
}

static uint8_t *block_make(struct sim_store *s, size_t i)
{
	if (!s->blocks[i]) {
		uint8_t *b = malloc(s->block_size + sim_store_programmed_len(s));
		if (!b)
			return NULL;
		memset(b, s->blank, s->block_size);
		memset(block_bits(s, b), 0, sim_store_programmed_len(s));
		s->blocks[i] = b;
	}
	return s->blocks[i];
}

int sim_store_set_block(struct sim_store *s, size_t i, const uint8_t *data,
	const uint8_t *programmed, struct err *e)
{
	uint8_t *b = block_make(s, i);

	if (!b)
		return err_set(e, ERR_ENV, "out of memory");
	memcpy(b, data, s->block_size);
	memcpy(block_bits(s, b), programmed, sim_store_programmed_len(s));
	return 0;
}

void sim_store_read(const struct sim_store *s, uint32_t off, void *out, size_t len)
{
	uint8_t *p = out;

	while (len) {
		size_t i = off / s->block_size, at = off % s->block_size;
		size_t n = s->block_size - at < len ? s->block_size - at : len;
		if (s->blocks[i])
			memcpy(p, s->blocks[i] + at, n);
		else
			memset(p, s->blank, n);
		p += n;
		off += (uint32_t)n;
		len -= n;
	}
}

void sim_store_sha256(const struct sim_store *s, uint8_t out[32])
{
	crypto_hash_sha256_state h;
	uint8_t blank[SIM_SECTOR];

	memset(blank, s->blank, sizeof blank);
	crypto_hash_sha256_init(&h);
	for (size_t i = 0; i < sim_store_blocks(s); i++)
		crypto_hash_sha256_update(&h, s->blocks[i] ? s->blocks[i] : blank, s->block_size);
	crypto_hash_sha256_final(&h, out);
}

/* Write bytes as RAM does; no programmed bits. */
static uint32_t store_poke(struct sim_store *s, uint32_t off, const uint8_t *p, size_t len)
{
	while (len) {
		size_t at = off % s->block_size;
		size_t n = s->block_size - at < len ? s->block_size - at : len;
		uint8_t *b = block_make(s, off / s->block_size);
		if (!b)
			return MBOOT_STATUS_FAIL;
		memcpy(b + at, p, n);
		p += n;
		off += (uint32_t)n;
		len -= n;
	}
	return OK_STATUS;
}

enum { ERASE_SECTOR_US = 2000, PROGRAM_PHRASE_US = 32 };

static void take_time(struct sim_memory *m, size_t us)
{
	if (m->timed)
		m->busy_us += (uint32_t)us;
}

uint32_t sim_memory_busy(struct sim_memory *m)
{
	uint32_t us = m->busy_us;

	m->busy_us = 0;
	return us;
}

/* Program one phrase of flash. */
static uint32_t store_program(struct sim_store *s, uint32_t off, const uint8_t *phrase)
{
	uint8_t *b = block_make(s, off / s->block_size);
	uint32_t at = off % s->block_size, bit = at / SIM_PHRASE;

	if (!b)
		return MBOOT_STATUS_FAIL;
	if (block_bits(s, b)[bit / 8] & 1 << bit % 8)
		return MBOOT_STATUS_MEMORY_CUMULATIVE_WRITE;
	block_bits(s, b)[bit / 8] |= (uint8_t)(1 << bit % 8);
	memcpy(b + at, phrase, SIM_PHRASE);
	return OK_STATUS;
}

int sim_memory_init(struct sim_memory *m, const struct sim_chip *chip, struct err *e)
{
	memset(m, 0, sizeof *m);
	store_init(&m->flash, chip->flash_size, SIM_SECTOR, 0xFF);
	store_init(&m->ifr, SIM_IFR_SIZE, SIM_SECTOR, 0xFF);
	store_init(&m->ram, chip->ram_size, 0x1000, 0);
	store_init(&m->ramx, SIM_RAMX_SIZE, 0x1000, 0);
	store_init(&m->flexspi, SIM_FLEXSPI_SIZE, 0x1000, 0xFF);
	store_init(&m->spi_nor, SIM_SPI_NOR_SIZE, 0x1000, 0xFF);
	sim_pfr_init(&m->pfr);
	if (m->flash.blocks && m->ifr.blocks && m->ram.blocks && m->ramx.blocks &&
		m->flexspi.blocks && m->spi_nor.blocks)
		return 0;
	sim_memory_clear(m);
	return err_set(e, ERR_ENV, "out of memory for a simulated device");
}

void sim_memory_clear(struct sim_memory *m)
{
	struct sim_store *all[] = { &m->flash, &m->ifr, &m->ram, &m->ramx, &m->flexspi,
		&m->spi_nor };

	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
		if (!all[i]->blocks)
			continue;
		store_blank(all[i]);
		free(all[i]->blocks);
		all[i]->blocks = NULL;
	}
}

void sim_memory_power_off(struct sim_memory *m)
{
	store_blank(&m->ram);
	store_blank(&m->ramx);
	m->flexspi_ready = m->spi_nor_ready = false;
}

/* --- where an address leads ------------------------------------------------------------------- */

enum place_kind {
	PLACE_NONE,
	PLACE_FLASH, /* phrases, must be erased */
	PLACE_RAM,
	PLACE_READ_ONLY,
	PLACE_PFR,
	PLACE_NOT_CONFIGURED,
};

struct place {
	enum place_kind kind;
	struct sim_store *store;
	struct sim_pfr_page *page;
	uint32_t off;
};

static bool inside(uint32_t addr, uint32_t len, uint32_t base, uint32_t size, uint32_t *off)
{
	if (addr < base || addr - base >= size || len > size - (addr - base))
		return false;
	*off = addr - base;
	return true;
}

/* The place of [addr, addr+len); PLACE_NONE when no single memory holds it all. */
static struct place locate(struct sim_memory *m, uint32_t memid, uint32_t addr, uint32_t len)
{
	struct place p = { .kind = PLACE_NONE };
	const struct {
		struct sim_store *store;
		uint32_t base;
		bool alias;
		enum place_kind kind;
	} map[] = {
		{ &m->flash, SIM_FLASH_BASE, true, PLACE_FLASH },
		{ &m->ifr, SIM_IFR_BASE, true, PLACE_FLASH },
		{ &m->ram, SIM_RAM_BASE, false, PLACE_RAM },
		{ &m->ramx, SIM_RAMX_BASE, false, PLACE_READ_ONLY },
		{ &m->flexspi, SIM_FLEXSPI_BASE, true,
			m->flexspi_ready ? PLACE_FLASH : PLACE_NOT_CONFIGURED },
	};

	if (memid == SIM_MEM_SPI_NOR) {
		if (inside(addr, len, 0, m->spi_nor.size, &p.off)) {
			p.kind = m->spi_nor_ready ? PLACE_FLASH : PLACE_NOT_CONFIGURED;
			p.store = &m->spi_nor;
		}
		return p;
	}
	if (memid >= SIM_MAPPED_ID_LIMIT)
		return p;
	for (size_t i = 0; i < sizeof map / sizeof map[0]; i++)
		if (inside(addr, len, map[i].base, map[i].store->size, &p.off) ||
			(map[i].alias && inside(addr, len, map[i].base + SIM_SECURE_ALIAS,
						 map[i].store->size, &p.off))) {
			p.kind = map[i].kind;
			p.store = map[i].store;
			return p;
		}
	if (inside(addr, len, SIM_CMPA_ADDRESS, SIM_PFR_SIZE, &p.off)) {
		p.kind = PLACE_PFR;
		p.page = &m->pfr.cmpa;
	} else if (inside(addr, len, SIM_CFPA_ADDRESS, SIM_PFR_SIZE, &p.off)) {
		p.kind = PLACE_PFR;
		p.page = &m->pfr.cfpa;
	}
	return p;
}

uint32_t sim_memory_readable(struct sim_memory *m, uint32_t memid, uint32_t addr, uint32_t len)
{
	struct place p = locate(m, memid, addr, len);

	switch (p.kind) {
	case PLACE_NONE:
		return MBOOT_STATUS_MEMORY_RANGE_INVALID;
	case PLACE_NOT_CONFIGURED:
		return MBOOT_STATUS_MEMORY_NOT_CONFIGURED;
	case PLACE_FLASH:
	case PLACE_RAM:
	case PLACE_READ_ONLY:
	case PLACE_PFR:
		break;
	}
	return OK_STATUS;
}

bool sim_memory_is_ram(struct sim_memory *m, uint32_t addr, uint32_t len)
{
	return locate(m, SIM_MEM_INTERNAL, addr, len).kind == PLACE_RAM;
}

void sim_memory_read(struct sim_memory *m, uint32_t memid, uint32_t addr, void *out, size_t len)
{
	struct place p = locate(m, memid, addr, (uint32_t)len);

	if (p.store)
		sim_store_read(p.store, p.off, out, len);
	else if (p.page)
		memcpy(out, p.page->data + p.off, len);
}

bool sim_memory_ram_get(const struct sim_memory *m, uint32_t addr, void *out, size_t len)
{
	uint32_t off;

	if (len > m->ram.size || !inside(addr, (uint32_t)len, SIM_RAM_BASE, m->ram.size, &off))
		return false;
	sim_store_read(&m->ram, off, out, len);
	return true;
}

bool sim_memory_ram_put(struct sim_memory *m, uint32_t addr, const void *data, size_t len)
{
	uint32_t off;

	return len <= m->ram.size && inside(addr, (uint32_t)len, SIM_RAM_BASE, m->ram.size, &off) &&
	       store_poke(&m->ram, off, data, len) == OK_STATUS;
}

/* --- erasing and configuring ------------------------------------------------------------------ */

static void erase_blocks(struct sim_store *s, uint32_t off, uint32_t len)
{
	for (uint32_t i = off / s->block_size; i < (off + len) / s->block_size; i++) {
		free(s->blocks[i]);
		s->blocks[i] = NULL;
	}
}

uint32_t sim_memory_erase(struct sim_memory *m, uint32_t memid, uint32_t addr, uint32_t len)
{
	struct place p = locate(m, memid, addr, len);

	switch (p.kind) {
	case PLACE_NONE:
	case PLACE_READ_ONLY:
	case PLACE_RAM:
		return MBOOT_STATUS_FLASH_ADDRESS;
	case PLACE_PFR:
		return MBOOT_STATUS_FLASH_CMPA_DIRECT_ERASE;
	case PLACE_NOT_CONFIGURED:
		return MBOOT_STATUS_MEMORY_NOT_CONFIGURED;
	case PLACE_FLASH:
		break;
	}
	if (!p.store || p.off % p.store->block_size || len % p.store->block_size)
		return MBOOT_STATUS_FLASH_ALIGNMENT;
	erase_blocks(p.store, p.off, len);
	take_time(m, (size_t)(len / p.store->block_size) * ERASE_SECTOR_US);
	return OK_STATUS;
}

uint32_t sim_memory_erase_all(struct sim_memory *m, uint32_t memid)
{
	switch (memid) {
	case SIM_MEM_INTERNAL:
		store_blank(&m->flash);
		take_time(m, sim_store_blocks(&m->flash) * ERASE_SECTOR_US);
		return OK_STATUS;
	case SIM_MEM_FLEXSPI:
		if (!m->flexspi_ready)
			return MBOOT_STATUS_MEMORY_NOT_CONFIGURED;
		store_blank(&m->flexspi);
		return OK_STATUS;
	case SIM_MEM_SPI_NOR:
		if (!m->spi_nor_ready)
			return MBOOT_STATUS_MEMORY_NOT_CONFIGURED;
		store_blank(&m->spi_nor);
		return OK_STATUS;
	default:
		return MBOOT_STATUS_MEMORY_RANGE_INVALID;
	}
}

uint32_t sim_memory_configure(struct sim_memory *m, uint32_t memid, uint32_t addr)
{
	uint8_t word[4];

	if (memid != SIM_MEM_FLEXSPI && memid != SIM_MEM_SPI_NOR)
		return MBOOT_STATUS_INVALID_ARGUMENT;
	if (sim_memory_readable(m, SIM_MEM_INTERNAL, addr, sizeof word) != OK_STATUS)
		return MBOOT_STATUS_INVALID_ARGUMENT;
	/* An option word (top digit 0xC) or, for FlexSPI, a whole configuration block. */
	sim_memory_read(m, SIM_MEM_INTERNAL, addr, word, sizeof word);
	if (word[3] >> 4 != 0xC && !(memid == SIM_MEM_FLEXSPI && memcmp(word, "FCFB", 4) == 0))
		return memid == SIM_MEM_FLEXSPI ? SIM_STATUS_FLEXSPI_NOT_FOUND
						: MBOOT_STATUS_INVALID_ARGUMENT;
	if (memid == SIM_MEM_FLEXSPI)
		m->flexspi_ready = true;
	else
		m->spi_nor_ready = true;
	return OK_STATUS;
}

/* --- writing ---------------------------------------------------------------------------------- */

uint32_t sim_writer_start(
	struct sim_writer *w, struct sim_memory *m, uint32_t memid, uint32_t addr, uint32_t len)
{
	struct place p = locate(m, memid, addr, len);

	*w = (struct sim_writer){ .m = m, .off = p.off, .left = len, .unit = 1 };
	switch (p.kind) {
	case PLACE_NONE:
		/* A write that starts in a page and leaves it is a broken page write. */
		if (memid < SIM_MAPPED_ID_LIMIT && len &&
			locate(m, memid, addr, 1).kind == PLACE_PFR)
			return SIM_STATUS_PFR_WRITE_BROKEN;
		return MBOOT_STATUS_MEMORY_RANGE_INVALID;
	case PLACE_READ_ONLY:
		return MBOOT_STATUS_MEMORY_RANGE_INVALID;
	case PLACE_NOT_CONFIGURED:
		return MBOOT_STATUS_MEMORY_NOT_CONFIGURED;
	case PLACE_PFR:
		if (p.off != 0 || len != SIM_PFR_SIZE)
			return SIM_STATUS_PFR_WRITE_BROKEN;
		w->page = p.page;
		w->unit = SIM_PFR_SIZE;
		return OK_STATUS;
	case PLACE_FLASH:
		if (p.off % SIM_PHRASE)
			return MBOOT_STATUS_FLASH_ALIGNMENT;
		w->unit = SIM_PHRASE;
		break;
	case PLACE_RAM:
		break;
	}
	w->store = p.store;
	return OK_STATUS;
}

static uint32_t writer_unit(struct sim_writer *w)
{
	uint32_t status;

	if (w->page)
		status = sim_pfr_write(&w->m->pfr, w->page, w->pending);
	else
		status = store_program(w->store, w->off, w->pending);
	take_time(w->m, w->page ? 2 * ERASE_SECTOR_US : PROGRAM_PHRASE_US);
	w->off += w->unit;
	w->n_pending = 0;
	return status;
}

uint32_t sim_writer_push(struct sim_writer *w, const uint8_t *data, size_t len)
{
	if (len > w->left)
		return MBOOT_STATUS_ABORT_DATA_PHASE;
	w->left -= (uint32_t)len;
	if (w->unit == 1) {
		uint32_t status = store_poke(w->store, w->off, data, len);
		w->off += (uint32_t)len;
		return status;
	}
	while (len) {
		size_t n = w->unit - w->n_pending < len ? w->unit - w->n_pending : len;
		memcpy(w->pending + w->n_pending, data, n);
		w->n_pending += (uint32_t)n;
		data += n;
		len -= n;
		if (w->n_pending == w->unit) {
			uint32_t status = writer_unit(w);
			if (status != OK_STATUS)
				return status;
		}
	}
	return OK_STATUS;
}

uint32_t sim_writer_finish(struct sim_writer *w)
{
	if (!w->n_pending)
		return OK_STATUS;
	memset(w->pending + w->n_pending, 0xFF, w->unit - w->n_pending);
	return writer_unit(w);
}

uint32_t sim_memory_fill(
	struct sim_memory *m, uint32_t memid, uint32_t addr, uint32_t len, uint32_t pattern)
{
	struct sim_writer w;
	uint8_t chunk[512];
	uint32_t status;

	if (len % 4)
		return MBOOT_STATUS_INVALID_ARGUMENT;
	status = sim_writer_start(&w, m, memid, addr, len);
	for (size_t i = 0; i < sizeof chunk; i += 4)
		put_le32(chunk + i, pattern);
	while (status == OK_STATUS && w.left)
		status = sim_writer_push(&w, chunk, w.left < sizeof chunk ? w.left : sizeof chunk);
	return status == OK_STATUS ? sim_writer_finish(&w) : status;
}

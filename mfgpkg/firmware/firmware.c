#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/fsio.h"
#include "base/text.h"
#include "mfgpkg/firmware/reader.h"

const char *firmware_kind_name(enum firmware_kind kind)
{
	switch (kind) {
	case FIRMWARE_RAW:
		return "raw binary";
	case FIRMWARE_SREC:
		return "S-record";
	case FIRMWARE_IHEX:
		return "Intel HEX";
	case FIRMWARE_ELF:
		return "ELF";
	}
	return "?";
}

void firmware_clear(struct firmware *f)
{
	free(f->segments);
	buf_wipe(&f->bytes);
	*f = (struct firmware){ 0 };
}

/* --- for the readers ------------------------------------------------------------------------- */

void firmware_warn(struct firmware_reader *r, const char *fmt, ...)
{
	char text[400];
	va_list ap;

	if (!r->warn || r->probing)
		return;
	int n = snprintf(text, sizeof text, "%s: ", r->name);
	if (n < 0 || (size_t)n >= sizeof text)
		n = 0;
	va_start(ap, fmt);
	vsnprintf(text + n, sizeof text - (size_t)n, fmt, ap);
	va_end(ap);
	r->warn(r->warn_ctx, text);
}

int firmware_bad(struct firmware_reader *r, struct err *e, const char *fmt, ...)
{
	char text[300];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	return err_set(e, ERR_CONFIG, "%s:%u: %s", r->name, r->line, text);
}

static void probe(struct firmware_reader *r, uint32_t address, size_t len)
{
	if (r->probe_address >= address && r->probe_address - address < len && r->n_probed < 2)
		r->probe_lines[r->n_probed++] = r->line;
}

int firmware_add(
	struct firmware_reader *r, uint32_t address, const uint8_t *data, size_t len, struct err *e)
{
	struct firmware *f = r->out;
	struct firmware_segment *last = f->n ? &f->segments[f->n - 1] : NULL;

	if (len == 0)
		return 0;
	if (len - 1 > UINT32_MAX - address)
		return firmware_bad(
			r, e, "%zu bytes at 0x%08" PRIX32 " go beyond 4 GiB", len, address);
	if (r->probing) {
		probe(r, address, len);
		return 0;
	}
	if (len > FIRMWARE_MAX_FLAT - f->bytes.len)
		return err_set(e, ERR_LIMIT, "%s: more than %zu MiB of data", r->name,
			FIRMWARE_MAX_FLAT >> 20);
	wr_bytes(&f->bytes, data, len);
	if (f->bytes.bad)
		return buf_check(&f->bytes, r->name, e);
	if (last && (uint64_t)last->address + last->len == address) {
		last->len += len;
		return 0;
	}
	if (f->n == FIRMWARE_MAX_SEGMENTS)
		return err_set(e, ERR_LIMIT, "%s: more than %d separate pieces of data", r->name,
			FIRMWARE_MAX_SEGMENTS);
	if (f->n == r->cap) {
		size_t cap = r->cap ? 2 * r->cap : 16;
		struct firmware_segment *p = realloc(f->segments, cap * sizeof *p);
		if (!p)
			return err_set(e, ERR_ENV, "out of memory");
		f->segments = p;
		r->cap = cap;
	}
	f->segments[f->n++] =
		(struct firmware_segment){ .address = address, .len = len, .line = r->line };
	return 0;
}

/* --- order and overlaps ----------------------------------------------------------------------- */

static int by_address(const void *a, const void *b)
{
	const struct firmware_segment *x = a, *y = b;
	return x->address < y->address ? -1 : x->address > y->address;
}

static int read_kind(struct firmware_reader *r, struct err *e)
{
	switch (r->out->kind) {
	case FIRMWARE_RAW:
		return firmware_add(r, 0, r->data, r->len, e);
	case FIRMWARE_SREC:
		return firmware_read_srec(r, e);
	case FIRMWARE_IHEX:
		return firmware_read_ihex(r, e);
	case FIRMWARE_ELF:
		return firmware_read_elf(r, e);
	}
	return -1;
}

/* Two records cover `address`: read again to say which. */
static int overlap(struct firmware_reader *r, uint32_t address, struct err *e)
{
	r->probing = true;
	r->probe_address = address;
	if (read_kind(r, e) != 0)
		return -1;
	if (r->out->kind == FIRMWARE_ELF)
		return err_set(e, ERR_CONFIG,
			"%s: program headers %u and %u both load 0x%08" PRIX32, r->name,
			r->probe_lines[0], r->probe_lines[1], address);
	r->line = r->probe_lines[1];
	return firmware_bad(r, e, "address 0x%08" PRIX32 " was given before, in line %u", address,
		r->probe_lines[0]);
}

/* Segments get their place in memory, are sorted, joined and checked. */
static int settle(struct firmware_reader *r, struct err *e)
{
	struct firmware *f = r->out;
	uint8_t *p = f->bytes.p;
	bool sorted = true;

	for (size_t i = 0; i < f->n; i++) {
		f->segments[i].data = p;
		p += f->segments[i].len;
		sorted &= i == 0 || f->segments[i - 1].address < f->segments[i].address;
	}
	if (!sorted) {
		qsort(f->segments, f->n, sizeof *f->segments, by_address);
		struct buf ordered = { .max = f->bytes.max };
		for (size_t i = 0; i < f->n; i++)
			wr_bytes(&ordered, f->segments[i].data, f->segments[i].len);
		if (buf_check(&ordered, r->name, e) != 0) {
			buf_wipe(&ordered);
			return -1;
		}
		buf_wipe(&f->bytes);
		f->bytes = ordered;
	}

	size_t n = 0;
	p = f->bytes.p;
	for (size_t i = 0; i < f->n; i++) {
		struct firmware_segment s = f->segments[i];
		struct firmware_segment *last = n ? &f->segments[n - 1] : NULL;
		uint64_t end = last ? (uint64_t)last->address + last->len : 0;
		s.data = p;
		p += s.len;
		if (last && s.address < end)
			return overlap(r, s.address, e);
		if (last && s.address == end)
			last->len += s.len;
		else
			f->segments[n++] = s;
	}
	f->n = n;
	return 0;
}

/* --- which kind ------------------------------------------------------------------------------- */

static const struct {
	const char *suffix;
	enum firmware_kind kind;
} suffixes[] = {
	{ ".s19", FIRMWARE_SREC },
	{ ".s28", FIRMWARE_SREC },
	{ ".s37", FIRMWARE_SREC },
	{ ".srec", FIRMWARE_SREC },
	{ ".mot", FIRMWARE_SREC },
	{ ".hex", FIRMWARE_IHEX },
	{ ".ihex", FIRMWARE_IHEX },
	{ ".elf", FIRMWARE_ELF },
	{ ".axf", FIRMWARE_ELF },
};

/* Text that begins like a record claims to be one, whatever follows; bytes that no text has (a
 * vector table can begin with 'S' and '1') do not. */
static enum firmware_kind detect(const uint8_t *data, size_t len)
{
	enum { LOOK_AT = 600 }; /* longer than any record */
	size_t i = 0;

	if (len >= 4 && memcmp(data,
				"\x7f"
				"ELF",
				4) == 0)
		return FIRMWARE_ELF;
	if (len >= 3 && memcmp(data, "\xEF\xBB\xBF", 3) == 0)
		i = 3;
	while (i < len && (data[i] == ' ' || data[i] == '\t' || data[i] == '\r' || data[i] == '\n'))
		i++;
	size_t start = i;
	for (; i < len && i - start < LOOK_AT && data[i] != '\n' && data[i] != '\r'; i++)
		if ((data[i] < 0x20 && data[i] != '\t') || data[i] > 0x7E)
			return FIRMWARE_RAW;
	if (i - start >= 2 && (data[start] == 'S' || data[start] == 's') &&
		data[start + 1] >= '0' && data[start + 1] <= '9')
		return FIRMWARE_SREC;
	if (i > start && data[start] == ':')
		return FIRMWARE_IHEX;
	return FIRMWARE_RAW;
}

static int check_suffix(const char *name, enum firmware_kind kind, struct err *e)
{
	const char *dot = strrchr(path_basename(name), '.');

	for (size_t i = 0; dot && i < sizeof suffixes / sizeof *suffixes; i++)
		if (strcasecmp(dot, suffixes[i].suffix) == 0 && suffixes[i].kind != kind)
			return err_set(e, ERR_CONFIG,
				"%s: named %s but its content is no %s (it looks like %s)", name,
				suffixes[i].suffix, firmware_kind_name(suffixes[i].kind),
				firmware_kind_name(kind));
	return 0;
}

static int parse(struct firmware_reader *r, struct err *e)
{
	struct firmware *f = r->out;

	f->kind = detect(r->data, r->len);
	if (check_suffix(r->name, f->kind, e) != 0)
		return -1;
	if ((f->kind == FIRMWARE_SREC || f->kind == FIRMWARE_IHEX) && r->data[0] == 0xEF) {
		r->line = 1;
		return firmware_bad(r, e, "a byte order mark before the first record");
	}
	if (read_kind(r, e) != 0)
		return -1;
	if (f->n == 0)
		return err_set(e, ERR_CONFIG, "%s: no data at all", r->name);
	return settle(r, e);
}

int firmware_parse(struct firmware *out, const char *name, const uint8_t *data, size_t len,
	firmware_warn_fn warn, void *ctx, struct err *e)
{
	struct firmware f = { .bytes = { .max = FIRMWARE_MAX_FLAT } };
	struct firmware_reader r = {
		.out = &f, .name = name, .data = data, .len = len, .warn = warn, .warn_ctx = ctx
	};

	if (parse(&r, e) != 0) {
		firmware_clear(&f);
		return -1;
	}
	*out = f;
	return 0;
}

/* Room for the whole file at once: growing step by step would hold it twice. */
static void make_room(struct buf *b, const char *path)
{
	struct stat st;

	if (stat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0 &&
		(uintmax_t)st.st_size <= FIRMWARE_MAX_FILE && buf_grow(b, (size_t)st.st_size))
		b->len = 0;
}

int firmware_load(
	struct firmware *out, const char *path, firmware_warn_fn warn, void *ctx, struct err *e)
{
	AUTO(buf_wipe) struct buf file = { .max = FIRMWARE_MAX_FILE };

	make_room(&file, path);
	if (fsio_read(path, FIRMWARE_MAX_FILE, &file, e) != 0)
		return -1;
	if (detect(file.p, file.len) != FIRMWARE_RAW || file.len == 0)
		return firmware_parse(out, path, file.p, file.len, warn, ctx, e);

	/* Raw bytes are taken as they are, without a second copy. */
	if (check_suffix(path, FIRMWARE_RAW, e) != 0)
		return -1;
	if (file.len > FIRMWARE_MAX_FLAT)
		return err_set(e, ERR_LIMIT, "%s: more than %zu MiB of data", path,
			FIRMWARE_MAX_FLAT >> 20);
	struct firmware_segment *s = calloc(1, sizeof *s);
	if (!s)
		return err_set(e, ERR_ENV, "out of memory");
	*s = (struct firmware_segment){ .data = file.p, .len = file.len };
	*out = (struct firmware){ .kind = FIRMWARE_RAW, .segments = s, .n = 1, .bytes = file };
	file = (struct buf){ 0 };
	return 0;
}

/* --- use -------------------------------------------------------------------------------------- */

uint32_t firmware_address(const struct firmware *f)
{
	return f->n ? f->segments[0].address : 0;
}

uint64_t firmware_span(const struct firmware *f)
{
	if (!f->n)
		return 0;
	const struct firmware_segment *last = &f->segments[f->n - 1];
	return (uint64_t)last->address + last->len - f->segments[0].address;
}

uint64_t firmware_gap(const struct firmware *f)
{
	return firmware_span(f) - f->bytes.len;
}

/* The segment behind the widest gap: the stray one, when the span is absurd. */
static const struct firmware_segment *behind_widest_gap(const struct firmware *f)
{
	const struct firmware_segment *found = &f->segments[0];
	uint64_t widest = 0;

	for (size_t i = 1; i < f->n; i++) {
		const struct firmware_segment *a = &f->segments[i - 1], *b = &f->segments[i];
		uint64_t gap = b->address - ((uint64_t)a->address + a->len);
		if (gap > widest) {
			widest = gap;
			found = b;
		}
	}
	return found;
}

int firmware_flatten(const struct firmware *f, const char *name, uint8_t filler, size_t max,
	struct buf *out, struct err *e)
{
	uint64_t span = firmware_span(f);
	uint32_t start = firmware_address(f);

	if (max > FIRMWARE_MAX_FLAT)
		max = FIRMWARE_MAX_FLAT;
	if (span > max) {
		const struct firmware_segment *s = behind_widest_gap(f);
		char where[40] = "";
		if (s->line)
			snprintf(where, sizeof where, " (line %u)", s->line);
		return err_set(e, ERR_LIMIT,
			"%s: spans %" PRIu64 " bytes from 0x%08" PRIX32
			", at most %zu are possible here; the data at 0x%08" PRIX32
			"%s is far from the rest",
			name, span, start, max, s->address, where);
	}
	uint8_t *p = buf_grow(out, (size_t)span);
	if (!p)
		return buf_check(out, name, e);
	memset(p, filler, (size_t)span);
	for (size_t i = 0; i < f->n; i++)
		memcpy(p + (f->segments[i].address - start), f->segments[i].data,
			f->segments[i].len);
	return 0;
}

int firmware_take_flat(struct firmware *f, const char *name, uint8_t filler, size_t max,
	struct buf *out, struct err *e)
{
	if (f->n != 1 || out->p || f->bytes.len > max)
		return firmware_flatten(f, name, filler, max, out, e);
	f->bytes.max = out->max;
	*out = f->bytes;
	f->bytes = (struct buf){ 0 };
	return 0;
}

static void firmware_clearp(struct firmware *f)
{
	firmware_clear(f);
}

int firmware_load_flat(const char *path, uint8_t filler, size_t max, struct buf *out,
	uint32_t *address, firmware_warn_fn warn, void *ctx, struct err *e)
{
	AUTO(firmware_clearp) struct firmware f = { 0 };

	if (firmware_load(&f, path, warn, ctx, e) != 0)
		return -1;
	uint32_t start = firmware_address(&f);
	if (firmware_take_flat(&f, path, filler, max, out, e) != 0)
		return -1;
	if (address)
		*address = start;
	return 0;
}

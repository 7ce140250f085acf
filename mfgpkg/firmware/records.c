/* Motorola S-record and Intel HEX: one record a line, hex digits, a checksum.
 * Source: formats "firmware-inputs", sections 2, 3 and 5. */
#include <string.h>

#include "base/text.h"
#include "mfgpkg/firmware/reader.h"

#define MAX_RECORD_BYTES 260 /* count or length, addresses, 255 data bytes, checksum */

/* --- lines ---------------------------------------------------------------------------------- */

struct lines {
	const uint8_t *p;
	size_t left;
};

/* The next line that is not blank, without line end and blanks before it. LF, CRLF and CR. */
static bool next_line(struct firmware_reader *r, struct lines *l, const char **text, size_t *len)
{
	while (l->left) {
		size_t n = 0;
		while (n < l->left && l->p[n] != '\n' && l->p[n] != '\r')
			n++;
		size_t end = n;
		if (end < l->left)
			end += l->p[n] == '\r' && n + 1 < l->left && l->p[n + 1] == '\n' ? 2 : 1;
		const char *line = (const char *)l->p;
		l->p += end;
		l->left -= end;
		r->line++;
		while (n && (line[n - 1] == ' ' || line[n - 1] == '\t'))
			n--;
		if (n) {
			*text = line;
			*len = n;
			return true;
		}
	}
	return false;
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Hex pairs of a record into bytes[MAX_RECORD_BYTES]. `start` is where they begin in the line. */
static int hex_pairs(struct firmware_reader *r, const char *text, size_t len, size_t start,
	uint8_t *bytes, size_t *n, struct err *e)
{
	size_t digits = len - start;

	for (size_t i = start; i < len; i++)
		if (digit(text[i]) < 0)
			return firmware_bad(r, e, "'%s' in column %zu is not a hex digit",
				text_escape((char[16]){ 0 }, 16, text + i, 1), i + 1);
	if (digits % 2)
		return firmware_bad(r, e, "odd number of hex digits (%zu)", digits);
	if (digits / 2 > MAX_RECORD_BYTES)
		return firmware_bad(
			r, e, "record of %zu bytes, the longest possible has 256", digits / 2);
	for (size_t i = 0; i < digits / 2; i++)
		bytes[i] =
			(uint8_t)(digit(text[start + 2 * i]) << 4 | digit(text[start + 2 * i + 1]));
	*n = digits / 2;
	return 0;
}

static uint8_t sum_of(const uint8_t *bytes, size_t n)
{
	unsigned sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += bytes[i];
	return (uint8_t)sum;
}

static uint32_t big_endian(const uint8_t *p, size_t n)
{
	uint32_t v = 0;

	for (size_t i = 0; i < n; i++)
		v = v << 8 | p[i];
	return v;
}

/* --- Motorola S-record ---------------------------------------------------------------------- */

/* bytes[n]: count, address, data, checksum. */
static int srec_check(struct firmware_reader *r, char type, const uint8_t *bytes, size_t n,
	size_t address_len, struct err *e)
{
	if (n == 0)
		return firmware_bad(r, e, "record cut off after its type");
	if (bytes[0] != n - 1)
		return firmware_bad(r, e, "count says %u bytes, the line has %zu", bytes[0], n - 1);
	if (bytes[0] < address_len + 1)
		return firmware_bad(r, e, "count %u is too small for an S%c record (at least %zu)",
			bytes[0], type, address_len + 1);
	uint8_t want = (uint8_t)~sum_of(bytes, n - 1);
	if (bytes[n - 1] != want)
		return firmware_bad(r, e, "checksum 0x%02X, computed 0x%02X", bytes[n - 1], want);
	return 0;
}

int firmware_read_srec(struct firmware_reader *r, struct err *e)
{
	/* Length of the address by type digit; 0: reserved. */
	static const uint8_t address_len[10] = { 2, 2, 3, 4, 0, 2, 3, 4, 3, 2 };
	struct lines lines = { r->data, r->len };
	const char *text;
	size_t len, n_data = 0;
	unsigned end_line = 0;

	r->line = 0;
	while (next_line(r, &lines, &text, &len)) {
		uint8_t bytes[MAX_RECORD_BYTES];
		size_t n;
		if (end_line)
			return firmware_bad(r, e, "data after the end record in line %u", end_line);
		if ((text[0] != 'S' && text[0] != 's') || len < 2 || text[1] < '0' || text[1] > '9')
			return firmware_bad(r, e, "not an S-record: \"%s\"",
				text_escape((char[40]){ 0 }, 40, text, len));
		char type = text[1];
		size_t a = address_len[type - '0'];
		if (a == 0)
			return firmware_bad(r, e, "record type S%c is reserved", type);
		if (hex_pairs(r, text, len, 2, bytes, &n, e) != 0 ||
			srec_check(r, type, bytes, n, a, e) != 0)
			return -1;
		uint32_t address = big_endian(bytes + 1, a);
		size_t data_len = n - 2 - a;
		if (type >= '1' && type <= '3') {
			n_data++;
			if (firmware_add(r, address, bytes + 1 + a, data_len, e) != 0)
				return -1;
		} else if (type != '0' && data_len) {
			return firmware_bad(r, e, "S%c record with %zu data bytes", type, data_len);
		} else if (type == '5' || type == '6') {
			/* S5 counts modulo 2^16 in long files. */
			uint32_t mask = type == '5' ? 0xFFFF : 0xFFFFFF;
			if (address != (n_data & mask))
				return firmware_bad(r, e,
					"record count %u, but %zu data records before it", address,
					n_data);
		} else if (type >= '7') {
			end_line = r->line;
			r->out->has_entry = true;
			r->out->entry = address;
		}
	}
	if (!end_line)
		firmware_warn(r, "no end record (S7, S8 or S9): the file may be cut off");
	return 0;
}

/* --- Intel HEX -------------------------------------------------------------------------------- */

struct ihex {
	uint32_t base;
	bool segment; /* base comes from a type 02 record */
};

/* bytes[n]: length, address (2), type, data, checksum. */
static int ihex_check(struct firmware_reader *r, const uint8_t *bytes, size_t n, struct err *e)
{
	if (n < 5)
		return firmware_bad(r, e, "record of %zu bytes, the shortest possible has 5", n);
	if (bytes[0] != n - 5)
		return firmware_bad(
			r, e, "length says %u data bytes, the line has %zu", bytes[0], n - 5);
	uint8_t want = (uint8_t)-sum_of(bytes, n - 1);
	if (bytes[n - 1] != want)
		return firmware_bad(r, e, "checksum 0x%02X, computed 0x%02X", bytes[n - 1], want);
	static const uint8_t lengths[6] = { 0, 0, 2, 4, 2, 4 };
	uint8_t type = bytes[3];
	if (type > 5)
		return firmware_bad(r, e, "unknown record type %02X", type);
	if (type > 0 && bytes[0] != lengths[type])
		return firmware_bad(r, e, "record type %02X with %u data bytes, it has %u", type,
			bytes[0], lengths[type]);
	return 0;
}

static int ihex_data(
	struct firmware_reader *r, const struct ihex *h, const uint8_t *bytes, struct err *e)
{
	uint32_t offset = big_endian(bytes + 1, 2);

	/* Behind 0xFFFF the standard wraps inside a segment; nobody means that. */
	if (h->segment && offset + bytes[0] > 0x10000)
		return firmware_bad(
			r, e, "data from 0x%04X runs over the end of its 64 KiB segment", offset);
	uint64_t address = (uint64_t)h->base + offset;
	if (address > UINT32_MAX)
		return firmware_bad(r, e, "address beyond 4 GiB");
	return firmware_add(r, (uint32_t)address, bytes + 4, bytes[0], e);
}

int firmware_read_ihex(struct firmware_reader *r, struct err *e)
{
	struct lines lines = { r->data, r->len };
	struct ihex h = { 0 };
	const char *text;
	size_t len;
	unsigned end_line = 0;

	r->line = 0;
	while (next_line(r, &lines, &text, &len)) {
		uint8_t bytes[MAX_RECORD_BYTES];
		size_t n;
		if (end_line)
			return firmware_bad(r, e, "data after the end record in line %u", end_line);
		if (text[0] != ':')
			return firmware_bad(r, e, "not an Intel HEX record: \"%s\"",
				text_escape((char[40]){ 0 }, 40, text, len));
		if (hex_pairs(r, text, len, 1, bytes, &n, e) != 0 ||
			ihex_check(r, bytes, n, e) != 0)
			return -1;
		switch (bytes[3]) {
		case 0:
			if (ihex_data(r, &h, bytes, e) != 0)
				return -1;
			break;
		case 1:
			end_line = r->line;
			break;
		case 2: /* a base replaces the one before, of either kind */
			h = (struct ihex){ big_endian(bytes + 4, 2) * 16, true };
			break;
		case 4:
			h = (struct ihex){ big_endian(bytes + 4, 2) << 16, false };
			break;
		case 3:
			r->out->has_entry = true;
			r->out->entry = big_endian(bytes + 4, 2) * 16 + big_endian(bytes + 6, 2);
			break;
		default: /* 5; ihex_check() leaves no other */
			r->out->has_entry = true;
			r->out->entry = big_endian(bytes + 4, 4);
			break;
		}
	}
	if (!end_line)
		return err_set(e, ERR_CONFIG,
			"%s: no end record (:00000001FF): the file is cut off", r->name);
	return 0;
}

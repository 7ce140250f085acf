#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zip.h>
#include <zlib.h>

#include "base/text.h"
#include "pkg/container.h"

enum {
	LOCAL_LEN = 30,
	CENTRAL_LEN = 46,
	END_LEN = 22,
	VERSION_NEEDED = 10,
	MADE_BY = 0x033F, /* zip 6.3, Unix */
	DOS_DATE = 0x0021, /* 1980-01-01 */
};
#define LOCAL_MAGIC   0x04034b50u
#define CENTRAL_MAGIC 0x02014b50u
#define END_MAGIC     0x06054b50u
#define REGULAR_0644  0x81A40000u

static uint32_t crc32_of(const uint8_t *data, size_t len)
{
	/* zlib counts in uInt; CONTAINER_MAX_SIZE is far below that. */
	return (uint32_t)crc32(crc32(0, NULL, 0), data, (uInt)len);
}

int container_name_check(const char *name, size_t len, struct err *e)
{
	char shown[120];

	if (len == 0)
		return err_set(e, ERR_FORMAT, "entry with an empty name");
	text_escape(shown, sizeof shown, name, len);
	if (len > CONTAINER_NAME_MAX)
		return err_set(e, ERR_FORMAT, "name \"%s\": %zu bytes, at most %d wanted", shown,
			len, CONTAINER_NAME_MAX);
	if (len == 10 && memcmp(name, "SHA256SUMS", 10) == 0)
		return 0;

	bool start = true; /* of a component */
	for (size_t i = 0; i < len; i++) {
		char c = name[i];
		bool alnum = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
		if (start && c == '/')
			return err_set(e, ERR_FORMAT, "name \"%s\": %s", shown,
				i == 0 ? "absolute path" : "empty path component");
		if (start && c == '.')
			return err_set(e, ERR_FORMAT,
				"name \"%s\": path component begins with a dot", shown);
		if (start && !alnum && (c == '-' || c == '_'))
			return err_set(e, ERR_FORMAT,
				"name \"%s\": path component begins with '%c'", shown, c);
		if (!alnum && c != '.' && c != '_' && c != '-' && c != '/')
			return err_set(e, ERR_FORMAT,
				"name \"%s\": character 0x%02x at %zu, a-z 0-9 . _ - / wanted",
				shown, (unsigned char)c, i);
		start = c == '/';
	}
	if (start)
		return err_set(e, ERR_FORMAT, "name \"%s\": a folder, only files wanted", shown);
	return 0;
}

/* Where a name stands: manifest.json before all others, those by their bytes. */
static int name_order(const char *a, const char *b)
{
	int first_a = strcmp(a, CONTAINER_FIRST) == 0, first_b = strcmp(b, CONTAINER_FIRST) == 0;

	return first_a || first_b ? first_b - first_a : strcmp(a, b);
}

/* One name must not be another one's folder. Names are sorted, but "a", "a-b", "a/b" is sorted too,
 * so neighbours do not tell; 64 entries allow to compare all pairs. */
static int check_folders(const struct container *c, struct err *e)
{
	for (size_t i = 0; i < c->n; i++) {
		const char *a = c->entries[i].name;
		size_t len = strlen(a);
		for (size_t j = 0; j < c->n; j++) {
			const char *b = c->entries[j].name;
			if (strncmp(a, b, len) == 0 && b[len] == '/')
				return err_set(e, ERR_FORMAT,
					"\"%s\" is a file and the folder of \"%s\"", a, b);
		}
	}
	return 0;
}

/* The fields of a record that may have only one value; messages give place, seen and wanted. */
struct fixed {
	uint8_t off, size;
	uint32_t wanted;
	const char *name;
};

static int check_fixed(const uint8_t *rec, const struct fixed *f, size_t n, const char *where,
	size_t at, struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		uint32_t seen =
			f[i].size == 2 ? get_le16(rec + f[i].off) : get_le32(rec + f[i].off);
		if (seen != f[i].wanted)
			return err_set(e, ERR_FORMAT, "%s at %zu: %s 0x%x, 0x%x wanted", where, at,
				f[i].name, seen, f[i].wanted);
	}
	return 0;
}

static const struct fixed central_fixed[] = {
	{ 0, 4, CENTRAL_MAGIC, "signature" },
	{ 4, 2, MADE_BY, "made-by" },
	{ 6, 2, VERSION_NEEDED, "version needed" },
	{ 8, 2, 0, "flags" },
	{ 10, 2, 0, "compression method" },
	{ 12, 2, 0, "time" },
	{ 14, 2, DOS_DATE, "date" },
	{ 30, 2, 0, "extra field length" },
	{ 32, 2, 0, "comment length" },
	{ 34, 2, 0, "disk" },
	{ 36, 2, 0, "internal attributes" },
	{ 38, 4, REGULAR_0644, "external attributes" },
};

static const struct fixed end_fixed[] = {
	{ 4, 2, 0, "disk" },
	{ 6, 2, 0, "directory disk" },
	{ 20, 2, 0, "comment length" },
};

/* The local header must repeat its directory record: compared field by field, so that the message
 * can name the field. */
static int check_local(
	const uint8_t *local, const uint8_t *central, size_t name_len, size_t at, struct err *e)
{
	const struct fixed want[] = {
		{ 0, 4, LOCAL_MAGIC, "signature" },
		{ 4, 2, VERSION_NEEDED, "version needed" },
		{ 6, 2, 0, "flags" },
		{ 8, 2, 0, "compression method" },
		{ 10, 2, 0, "time" },
		{ 12, 2, DOS_DATE, "date" },
		{ 14, 4, get_le32(central + 16), "CRC-32" },
		{ 18, 4, get_le32(central + 20), "compressed size" },
		{ 22, 4, get_le32(central + 24), "size" },
		{ 26, 2, (uint32_t)name_len, "name length" },
		{ 28, 2, 0, "extra field length" },
	};

	if (check_fixed(local, want, sizeof want / sizeof *want, "local header", at, e) != 0)
		return -1;
	if (memcmp(local + LOCAL_LEN, central + CENTRAL_LEN, name_len) != 0) {
		char shown[120];
		return err_set(e, ERR_FORMAT, "local header at %zu: another name than \"%s\"", at,
			text_escape(shown, sizeof shown, central + CENTRAL_LEN, name_len));
	}
	return 0;
}

int container_parse(struct container *out, const uint8_t *data, size_t len, struct err *e)
{
	struct container c = { .n = 0 };

	if (len > CONTAINER_MAX_SIZE)
		return err_set(e, ERR_LIMIT, "container of %zu bytes, at most %zu wanted", len,
			CONTAINER_MAX_SIZE);
	if (len < END_LEN)
		return err_set(e, ERR_FORMAT, "%zu bytes: too short for a container", len);

	size_t end = len - END_LEN; /* offset of the end record */
	if (get_le32(data + end) != END_MAGIC)
		return err_set(e, ERR_FORMAT,
			"no end record at %zu: cut off, a comment, or data behind it", end);
	if (check_fixed(data + end, end_fixed, sizeof end_fixed / sizeof *end_fixed, "end record",
		    end, e) != 0)
		return -1;
	unsigned n = get_le16(data + end + 8), n_total = get_le16(data + end + 10);
	uint64_t dir_size = get_le32(data + end + 12), dir = get_le32(data + end + 16);
	if (n != n_total)
		return err_set(
			e, ERR_FORMAT, "end record: %u entries here and %u in all", n, n_total);
	if (n == 0)
		return err_set(e, ERR_FORMAT, "end record: no entries");
	if (n > CONTAINER_MAX_ENTRIES)
		return err_set(e, ERR_LIMIT, "end record: %u entries, at most %d wanted", n,
			CONTAINER_MAX_ENTRIES);
	if (dir + dir_size != end)
		return err_set(e, ERR_FORMAT,
			"end record: directory of %llu bytes at %llu does not end at %zu",
			(unsigned long long)dir_size, (unsigned long long)dir, end);

	uint64_t p = 0, d = dir; /* next local header, next directory record */
	for (unsigned i = 0; i < n; i++) {
		struct container_entry *x = &c.entries[i];
		if (end - d < CENTRAL_LEN)
			return err_set(e, ERR_FORMAT,
				"directory record %u of %u: cut off by the end record", i + 1, n);
		const uint8_t *rec = data + d;
		if (check_fixed(rec, central_fixed, sizeof central_fixed / sizeof *central_fixed,
			    "directory record", (size_t)d, e) != 0)
			return -1;
		size_t name_len = get_le16(rec + 28);
		if (end - d - CENTRAL_LEN < name_len)
			return err_set(e, ERR_FORMAT,
				"directory record %u of %u: name of %zu bytes is cut off", i + 1, n,
				name_len);
		if (container_name_check((const char *)rec + CENTRAL_LEN, name_len, e) != 0)
			return -1;
		memcpy(x->name, rec + CENTRAL_LEN, name_len);
		x->name[name_len] = 0;

		if (i == 0 && strcmp(x->name, CONTAINER_FIRST) != 0)
			return err_set(e, ERR_FORMAT,
				"first entry is \"%s\", " CONTAINER_FIRST " wanted", x->name);
		int order = i == 0 ? -1 : name_order(c.entries[i - 1].name, x->name);
		if (order == 0)
			return err_set(e, ERR_FORMAT, "\"%s\": there twice", x->name);
		if (order > 0)
			return err_set(e, ERR_FORMAT, "\"%s\" after \"%s\": wrong order", x->name,
				c.entries[i - 1].name);

		uint64_t size = get_le32(rec + 24), packed = get_le32(rec + 20);
		uint64_t off = get_le32(rec + 42);
		if (packed != size)
			return err_set(e, ERR_FORMAT,
				"\"%s\": compressed size %llu, size %llu: the same wanted", x->name,
				(unsigned long long)packed, (unsigned long long)size);
		if (off != p)
			return err_set(e, ERR_FORMAT,
				"\"%s\": local header at %llu, %llu wanted (gap, overlap or hidden "
				"data)",
				x->name, (unsigned long long)off, (unsigned long long)p);
		if (p + LOCAL_LEN + name_len + size > dir)
			return err_set(e, ERR_FORMAT,
				"\"%s\": %llu bytes reach into the directory at %llu", x->name,
				(unsigned long long)size, (unsigned long long)dir);
		if (check_local(data + p, rec, name_len, (size_t)p, e) != 0)
			return -1;
		x->data = data + p + LOCAL_LEN + name_len;
		x->len = (size_t)size;
		uint32_t crc = crc32_of(x->data, x->len);
		if (crc != get_le32(rec + 16))
			return err_set(e, ERR_FORMAT, "\"%s\": CRC-32 %08x, %08x wanted", x->name,
				crc, get_le32(rec + 16));
		p += LOCAL_LEN + name_len + size;
		d += CENTRAL_LEN + name_len;
	}
	if (p != dir)
		return err_set(e, ERR_FORMAT,
			"%llu bytes between the last entry and the directory at %llu",
			(unsigned long long)(dir - p), (unsigned long long)dir);
	if (d != end)
		return err_set(e, ERR_FORMAT, "%llu bytes between the directory and the end record",
			(unsigned long long)(end - d));
	c.n = n;
	if (check_folders(&c, e) != 0)
		return -1;
	*out = c;
	return 0;
}

const struct container_entry *container_find(const struct container *c, const char *name)
{
	for (size_t i = 0; i < c->n; i++)
		if (strcmp(c->entries[i].name, name) == 0)
			return &c->entries[i];
	return NULL;
}

static int by_name(const void *a, const void *b)
{
	return name_order(((const struct container_entry *)a)->name,
		((const struct container_entry *)b)->name);
}

/* Adds the sorted entries with exactly the calls that make libzip write the canonical form. The
 * sizes are known from the start, otherwise it would write zip64 fields; not zip_file_set_mtime(),
 * which goes through local time. */
static int add_entries(zip_t *z, const struct container *c)
{
	for (size_t i = 0; i < c->n; i++) {
		const struct container_entry *x = &c->entries[i];
		zip_source_t *s = zip_source_buffer(z, x->data, x->len, 0);
		if (!s)
			return -1;
		zip_int64_t at = zip_file_add(z, x->name, s, ZIP_FL_ENC_UTF_8);
		if (at < 0) {
			zip_source_free(s);
			return -1;
		}
		zip_uint64_t idx = (zip_uint64_t)at;
		if (zip_set_file_compression(z, idx, ZIP_CM_STORE, 0) != 0 ||
			zip_file_set_dostime(z, idx, 0, DOS_DATE, 0) != 0 ||
			zip_file_set_external_attributes(z, idx, 0, ZIP_OPSYS_UNIX, REGULAR_0644) !=
				0)
			return -1;
	}
	return 0;
}

static int read_source(zip_source_t *src, struct buf *out)
{
	zip_stat_t st;

	if (zip_source_stat(src, &st) != 0 || !(st.valid & ZIP_STAT_SIZE) ||
		st.size > CONTAINER_MAX_SIZE || zip_source_open(src) != 0)
		return -1;
	uint8_t *dst = buf_grow(out, (size_t)st.size);
	zip_int64_t got = dst ? zip_source_read(src, dst, st.size) : -1;
	zip_source_close(src);
	return got >= 0 && (zip_uint64_t)got == st.size ? 0 : -1;
}

static int encode(const struct container *c, struct buf *out, struct err *e)
{
	zip_error_t ze;

	zip_error_init(&ze);
	zip_source_t *src = zip_source_buffer_create(NULL, 0, 0, &ze);
	if (!src)
		return err_set(e, ERR_ENV, "libzip: %s", zip_error_strerror(&ze));
	zip_source_keep(src); /* zip_close() frees one reference, the result is read after it */
	zip_t *z = zip_open_from_source(src, ZIP_TRUNCATE, &ze);
	if (!z) {
		err_set(e, ERR_ENV, "libzip: %s", zip_error_strerror(&ze));
		zip_source_free(src);
		zip_source_free(src);
		return -1;
	}
	if (add_entries(z, c) != 0 || zip_close(z) != 0) {
		err_set(e, ERR_ENV, "libzip: %s", zip_strerror(z));
		zip_discard(z);
		zip_source_free(src);
		return -1;
	}
	int r = read_source(src, out);
	zip_source_free(src);
	if (r != 0)
		return err_set(e, ERR_ENV, "libzip: cannot read the archive it wrote");
	return 0;
}

int container_write(const struct container_entry *entries, size_t n, struct buf *out, struct err *e)
{
	struct container c = { .n = n }, again;
	AUTO(buf_clear) struct buf b = { .max = CONTAINER_MAX_SIZE };
	uint64_t total = END_LEN;

	if (n == 0 || n > CONTAINER_MAX_ENTRIES)
		return err_set(e, ERR_CONFIG, "%zu entries, 1 to %d can be in a container", n,
			CONTAINER_MAX_ENTRIES);
	memcpy(c.entries, entries, n * sizeof *entries);
	qsort(c.entries, n, sizeof *c.entries, by_name);
	for (size_t i = 0; i < n; i++) {
		const char *name = c.entries[i].name;
		if (container_name_check(name, strnlen(name, sizeof c.entries[i].name), e) != 0)
			goto bad_entry;
		if (i > 0 && strcmp(c.entries[i - 1].name, name) == 0) {
			err_set(e, ERR_CONFIG, "\"%s\": there twice", name);
			return -1;
		}
		total += LOCAL_LEN + CENTRAL_LEN + 2 * strlen(name);
		if (c.entries[i].len > CONTAINER_MAX_SIZE - END_LEN)
			total += CONTAINER_MAX_SIZE;
		else
			total += c.entries[i].len;
	}
	if (strcmp(c.entries[0].name, CONTAINER_FIRST) != 0)
		return err_set(e, ERR_CONFIG, CONTAINER_FIRST " is missing");
	if (check_folders(&c, e) != 0)
		goto bad_entry;
	if (total > CONTAINER_MAX_SIZE)
		return err_set(e, ERR_CONFIG, "container of %llu bytes, at most %zu wanted",
			(unsigned long long)total, CONTAINER_MAX_SIZE);

	if (encode(&c, &b, e) != 0)
		return -1;
	if (container_parse(&again, b.p, b.len, e) != 0) {
		if (e)
			e->code = ERR_INTERNAL;
		return err_wrap(
			e, "libzip %s wrote another form of container", zip_libzip_version());
	}
	wr_bytes(out, b.p, b.len);
	return buf_check(out, "container", e);

bad_entry: /* here the fault is the caller's, not that of a file that was read */
	if (e)
		e->code = ERR_CONFIG;
	return -1;
}

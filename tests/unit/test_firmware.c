/* Firmware inputs: detection, S-record, Intel HEX, ELF, flattening; named broken files with their
 * exact messages; srec_cat as an independent reader where it is installed. */
#include <elf.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/fsio.h"
#include "mfgpkg/firmware/firmware.h"

#define S19_VECTOR "tests/vectors/firmware/mcxn946_ext_xip_hello_world_green_led_blinky_loop.s19"
#define BIN_VECTOR "tests/vectors/firmware/mcxn9xx_int_xip_hello_world_green_led_blinky_loop.bin"

static void collect(void *ctx, const char *text)
{
	wr_str(ctx, text);
	wr_str(ctx, "\n");
}

static int parse(
	struct firmware *f, const char *name, const char *text, struct buf *warnings, struct err *e)
{
	return firmware_parse(f, name, (const uint8_t *)text, strlen(text),
		warnings ? collect : NULL, warnings, e);
}

static void assert_segment(const struct firmware *f, size_t i, uint32_t address, const char *data)
{
	assert_true(i < f->n);
	assert_int_equal(f->segments[i].address, address);
	assert_int_equal(f->segments[i].len, strlen(data));
	assert_memory_equal(f->segments[i].data, data, strlen(data));
}

/* --- good files ------------------------------------------------------------------------------- */

static void test_srec_forms(void **state)
{
	(void)state;
	struct firmware f = { 0 };
	struct err e = { 0 };

	/* "ABC" at 0x1000 (S1), "DE" at 0x1003 (S2), "X" at 0x2000 (S3): mixed types, out of order,
	 * all line ends, blanks, lower case. */
	AUTO(buf_clear) struct buf text = { 0 };
	struct {
		char type;
		uint32_t address;
		const char *data;
		const char *end;
	} recs[] = { { '0', 0, "", "\r\n" }, { '3', 0x2000, "X", " \t\n\n" },
		{ '2', 0x1003, "DE", "\r" }, { '1', 0x1000, "ABC", "\r\n" }, { '5', 3, "", "\n" },
		{ '7', 0x1001, "", "" } };
	static const unsigned lens[10] = { 2, 2, 3, 4, 0, 2, 3, 4, 3, 2 };
	for (size_t i = 0; i < 6; i++) {
		unsigned a = lens[recs[i].type - '0'], n = a + (unsigned)strlen(recs[i].data) + 1;
		unsigned sum = n;
		wr_printf(&text, "%c%c%02x", i == 2 ? 's' : 'S', recs[i].type, n);
		for (unsigned k = a; k-- > 0;) {
			unsigned b = recs[i].address >> (8 * k) & 0xFF;
			sum += b;
			wr_printf(&text, i % 2 ? "%02x" : "%02X", b);
		}
		for (const char *p = recs[i].data; *p; p++) {
			sum += (unsigned char)*p;
			wr_printf(&text, "%02X", (unsigned char)*p);
		}
		wr_printf(&text, "%02X%s", ~sum & 0xFF, recs[i].end);
	}
	if (parse(&f, "a.srec", buf_text(&text), NULL, &e) != 0)
		fail_msg("%s", e.msg);
	assert_int_equal(f.kind, FIRMWARE_SREC);
	assert_int_equal(f.n, 2);
	assert_segment(&f, 0, 0x1000, "ABCDE");
	assert_segment(&f, 1, 0x2000, "X");
	assert_true(f.has_entry);
	assert_int_equal(f.entry, 0x1001);
	assert_int_equal(firmware_gap(&f), 0x2000 - 0x1005);

	AUTO(buf_clear) struct buf flat = { 0 };
	assert_int_equal(firmware_flatten(&f, "a.srec", 0xFF, 0x2000, &flat, &e), 0);
	assert_int_equal(flat.len, 0x1001);
	assert_memory_equal(flat.p, "ABCDE\xFF", 6);
	assert_int_equal(flat.p[0x1000], 'X');
	assert_int_equal(firmware_flatten(&f, "a.srec", 0, 0x1000, &flat, &e), -1);
	assert_string_equal(e.msg,
		"a.srec: spans 4097 bytes from 0x00001000, at most 4096 are possible here; the "
		"data at 0x00002000 (line 2) is far from the rest");
	assert_int_equal(e.code, ERR_LIMIT);
	firmware_clear(&f);
}

static void test_ihex_forms(void **state)
{
	(void)state;
	struct firmware f = { 0 };
	struct err e = { 0 };

	/* 02 base 0x1000*16, then 04 base replaces it; data runs over a 64 KiB border in a linear
	 * base; entry 05. */
	if (parse(&f, "a.hex",
		    ":020000021000EC\n"
		    ":0200000041427B\n"
		    ":020000040001F9\r\n"
		    ":04FFFE0043444546ED\n"
		    ":0400000500000101F5\n"
		    ":00000001FF\n",
		    NULL, &e) != 0)
		fail_msg("%s", e.msg);
	assert_int_equal(f.kind, FIRMWARE_IHEX);
	assert_int_equal(f.n, 2);
	assert_segment(&f, 0, 0x10000, "AB");
	assert_segment(&f, 1, 0x1FFFE, "CDEF");
	assert_int_equal(f.entry, 0x101);
	firmware_clear(&f);
}

static void test_raw(void **state)
{
	(void)state;
	static const uint8_t like_srec[] = { 'S', '1', 0, 0x20, 1, 2, 3, 4 };
	struct firmware f = { 0 };
	struct err e = { 0 };

	/* A stack pointer of 0x20003153 is no S-record. */
	assert_int_equal(
		firmware_parse(&f, "a.bin", like_srec, sizeof like_srec, NULL, NULL, &e), 0);
	assert_int_equal(f.kind, FIRMWARE_RAW);
	assert_int_equal(f.n, 1);
	assert_int_equal(f.segments[0].len, 8);
	firmware_clear(&f);
	assert_int_equal(firmware_load(&f, BIN_VECTOR, NULL, NULL, &e), 0);
	assert_int_equal(f.kind, FIRMWARE_RAW);
	assert_int_equal(firmware_span(&f), 13956);
	firmware_clear(&f);
}

static void test_s19_vector(void **state)
{
	(void)state;
	struct firmware f = { 0 };
	struct err e = { 0 };
	AUTO(buf_clear) struct buf flat = { 0 };

	if (firmware_load(&f, S19_VECTOR, NULL, NULL, &e) != 0)
		fail_msg("%s", e.msg);
	assert_int_equal(f.kind, FIRMWARE_SREC);
	assert_int_equal(firmware_address(&f), 0x80001000);
	assert_int_equal(firmware_flatten(&f, S19_VECTOR, 0, 1 << 20, &flat, &e), 0);
	assert_int_equal(flat.len, 13956);
	firmware_clear(&f);

	uint32_t address = 0;
	AUTO(buf_clear) struct buf again = { 0 };
	assert_int_equal(
		firmware_load_flat(S19_VECTOR, 0, 1 << 20, &again, &address, NULL, NULL, &e), 0);
	assert_int_equal(address, 0x80001000);
	assert_int_equal(again.len, flat.len);
	assert_memory_equal(again.p, flat.p, flat.len);
}

/* srec_cat reads and writes all these formats independently of us. */
static void test_against_srec_cat(void **state)
{
	(void)state;
	static const struct {
		const char *format, *option, *file;
	} forms[] = {
		{ "-Motorola", "-address-length=3", "b.s28" },
		{ "-Motorola", "-address-length=4", "b.s37" },
		{ "-Intel", "", "b.hex" },
		{ "-Intel", "-address-length=3", "c.hex" },
	};
	char dir[] = "/tmp/mfgpkg-fw-XXXXXX", cmd[700], path[100];
	struct err e = { 0 };

	if (system("command -v srec_cat >/dev/null 2>&1") != 0)
		skip();
	assert_non_null(mkdtemp(dir));
	for (size_t i = 0; i < 4; i++) {
		AUTO(buf_clear) struct buf ours = { 0 };
		AUTO(buf_clear) struct buf theirs = { 0 };
		/* Two pieces with a hole between them, at an address every form can hold. */
		snprintf(path, sizeof path, "%s/%s", dir, forms[i].file);
		snprintf(cmd, sizeof cmd,
			"srec_cat %s -binary -crop 0 0x1235 -offset 0x2F000 %s -binary "
			"-crop 0x1300 0x3000 -offset 0x2F000 -execution-start-address=0x2F001 "
			"-o %s %s %s && srec_cat %s %s -offset -0x2F000 -fill 0 0 0x3000 "
			"-o %s/flat.bin -binary",
			BIN_VECTOR, BIN_VECTOR, path, forms[i].format, forms[i].option, path,
			forms[i].format, dir);
		if (system(cmd) != 0)
			fail_msg("%s", cmd);
		snprintf(cmd, sizeof cmd, "%s/flat.bin", dir);
		uint32_t address = 0;
		if (firmware_load_flat(path, 0, 1 << 20, &ours, &address, NULL, NULL, &e) != 0)
			fail_msg("%s", e.msg);
		assert_int_equal(address, 0x2F000);
		assert_int_equal(fsio_read(cmd, 1 << 20, &theirs, &e), 0);
		assert_int_equal(ours.len, theirs.len);
		assert_memory_equal(ours.p, theirs.p, ours.len);
		unlink(path);
		unlink(cmd);
	}
	rmdir(dir);
}

/* --- broken text files ------------------------------------------------------------------------ */

static const struct broken {
	const char *what, *name, *text, *message;
} broken_files[] = {
	{ "empty", "f.bin", "", "f.bin: no data at all" },
	{ "empty s19", "f.s19", "",
		"f.s19: named .s19 but its content is no S-record (it looks like raw binary)" },
	{ "text as s19", "f.s19", "hello\n",
		"f.s19: named .s19 but its content is no S-record (it looks like raw binary)" },
	{ "hex as s19", "f.s19", ":00000001FF\n",
		"f.s19: named .s19 but its content is no S-record (it looks like Intel HEX)" },
	{ "s19 as hex", "f.hex", "S9030000FC\n",
		"f.hex: named .hex but its content is no Intel HEX (it looks like S-record)" },
	{ "s19 as elf", "f.axf", "S9030000FC\n",
		"f.axf: named .axf but its content is no ELF (it looks like S-record)" },
	{ "header only", "f", "S0030000FC\nS9030000FC\n", "f: no data at all" },
	{ "first checksum", "f", "S10510004142FF\n", "f:1: checksum 0xFF, computed 0x67" },
	{ "later checksum", "f", "S1051000414267\nS1051002414264\n",
		"f:2: checksum 0x64, computed 0x65" },
	{ "bad digit", "f", "S105100041G267\n", "f:1: 'G' in column 11 is not a hex digit" },
	{ "odd digits", "f", "S105100041426\n", "f:1: odd number of hex digits (11)" },
	{ "count high", "f", "S1061000414266\n", "f:1: count says 6 bytes, the line has 5" },
	{ "count low", "f", "S1041000414268\n", "f:1: count says 4 bytes, the line has 5" },
	{ "no address", "f", "S10200FD\n",
		"f:1: count 2 is too small for an S1 record (at least 3)" },
	{ "type only", "f", "S1\n", "f:1: record cut off after its type" },
	{ "reserved type", "f", "S4030000FC\n", "f:1: record type S4 is reserved" },
	{ "no record", "f", "S1051000414267\nhello\n", "f:2: not an S-record: \"hello\"" },
	{ "letter type", "f", "S1051000414267\nSX\n", "f:2: not an S-record: \"SX\"" },
	{ "after end", "f", "S1051000414267\nS9030000FC\nS1051002414265\n",
		"f:3: data after the end record in line 2" },
	{ "text after end", "f", "S1051000414267\nS9030000FC\n\n-- end\n",
		"f:4: data after the end record in line 2" },
	{ "end with data", "f", "S1051000414267\nS904000041BA\n",
		"f:2: S9 record with 1 data bytes" },
	{ "record count", "f", "S1051000414267\nS5030002FA\n",
		"f:2: record count 2, but 1 data records before it" },
	{ "overlap", "f", "S1051000414267\nS1052000414257\nS1051001414266\n",
		"f:3: address 0x00001001 was given before, in line 1" },
	{ "overlap equal", "f", "S1051000414267\nS1051000414267\n",
		"f:2: address 0x00001000 was given before, in line 1" },
	{ "beyond 4 GiB", "f", "S307FFFFFFFF414279\n",
		"f:1: 2 bytes at 0xFFFFFFFF go beyond 4 GiB" },
	{ "byte order mark", "f", "\xEF\xBB\xBFS1051000414267\n",
		"f:1: a byte order mark before the first record" },

	{ "hex checksum", "f", ":02000000414200\n", "f:1: checksum 0x00, computed 0x7B" },
	{ "hex digit", "f", ":020000004142 B\n", "f:1: ' ' in column 14 is not a hex digit" },
	{ "hex odd", "f", ":0200000041427\n", "f:1: odd number of hex digits (13)" },
	{ "hex short", "f", ":00\n", "f:1: record of 1 bytes, the shortest possible has 5" },
	{ "hex length", "f", ":0300000041427A\n", "f:1: length says 3 data bytes, the line has 2" },
	{ "hex type", "f", ":00000006FA\n", "f:1: unknown record type 06" },
	{ "hex base length", "f", ":0100000400FB\n",
		"f:1: record type 04 with 1 data bytes, it has 2" },
	{ "hex end with data", "f", ":0100000100FE\n",
		"f:1: record type 01 with 1 data bytes, it has 0" },
	{ "hex no colon", "f", ":0200000041427B\nS9030000FC\n",
		"f:2: not an Intel HEX record: \"S9030000FC\"" },
	{ "hex no end", "f", ":0200000041427B\n",
		"f: no end record (:00000001FF): the file is cut off" },
	{ "hex after end", "f", ":0200000041427B\n:00000001FF\n:0200020041427D\n",
		"f:3: data after the end record in line 2" },
	{ "hex overlap", "f", ":0200000041427B\n:0200010041427A\n:00000001FF\n",
		"f:2: address 0x00000001 was given before, in line 1" },
	{ "hex segment wrap", "f", ":020000021000EC\n:02FFFF0041427D\n:00000001FF\n",
		"f:2: data from 0xFFFF runs over the end of its 64 KiB segment" },
	{ "hex beyond 4 GiB", "f", ":02000004FFFFFC\n:02FFFF0041427D\n:00000001FF\n",
		"f:2: 2 bytes at 0xFFFFFFFF go beyond 4 GiB" },
	{ "hex no data", "f", ":00000001FF\n", "f: no data at all" },
	{ "hex long line", "f", NULL, "f:1: record of 300 bytes, the longest possible has 256" },
};

static void test_broken_text(void **state)
{
	(void)state;
	char long_line[610] = ":";

	for (size_t i = 1; i <= 600; i++)
		long_line[i] = '0';
	for (size_t i = 0; i < sizeof broken_files / sizeof *broken_files; i++) {
		const struct broken *b = &broken_files[i];
		struct firmware f = { 0 };
		struct err e = { 0 };
		if (parse(&f, b->name, b->text ? b->text : long_line, NULL, &e) == 0)
			fail_msg("%s: accepted", b->what);
		if (strcmp(e.msg, b->message) != 0)
			fail_msg("%s: \"%s\", wanted \"%s\"", b->what, e.msg, b->message);
		assert_null(f.segments);
	}
}

static void test_warnings(void **state)
{
	(void)state;
	struct firmware f = { 0 };
	struct err e = { 0 };
	AUTO(buf_clear) struct buf warnings = { 0 };

	assert_int_equal(parse(&f, "f", "S1051000414267\n", &warnings, &e), 0);
	assert_string_equal(
		buf_text(&warnings), "f: no end record (S7, S8 or S9): the file may be cut off\n");
	assert_false(f.has_entry);
	firmware_clear(&f);
}

/* --- ELF ----------------------------------------------------------------------------------------
 */

struct elf_file {
	Elf32_Ehdr h;
	Elf32_Phdr p[3];
	uint8_t data[32];
	Elf32_Shdr s[2];
};

/* Two segments: 16 bytes for 0x10000400 (run) / 0x400 (load), 8 for 0x20000000 / 0x410; a third
 * without file content. */
static void elf_make(struct elf_file *f)
{
	memset(f, 0, sizeof *f);
	memcpy(f->h.e_ident, ELFMAG, SELFMAG);
	f->h.e_ident[EI_CLASS] = ELFCLASS32;
	f->h.e_ident[EI_DATA] = ELFDATA2LSB;
	f->h.e_ident[EI_VERSION] = EV_CURRENT;
	f->h.e_type = ET_EXEC;
	f->h.e_machine = EM_ARM;
	f->h.e_version = EV_CURRENT;
	f->h.e_entry = 0x401;
	f->h.e_phoff = offsetof(struct elf_file, p);
	f->h.e_ehsize = sizeof f->h;
	f->h.e_phentsize = sizeof f->p[0];
	f->h.e_phnum = 3;
	f->h.e_shentsize = sizeof f->s[0];
	for (unsigned i = 0; i < sizeof f->data; i++)
		f->data[i] = (uint8_t)('a' + i % 26);
	f->p[0] = (Elf32_Phdr){ .p_type = PT_LOAD,
		.p_offset = offsetof(struct elf_file, data),
		.p_vaddr = 0x10000400,
		.p_paddr = 0x400,
		.p_filesz = 16,
		.p_memsz = 16 };
	f->p[1] = (Elf32_Phdr){ .p_type = PT_LOAD,
		.p_offset = offsetof(struct elf_file, data) + 16,
		.p_vaddr = 0x20000000,
		.p_paddr = 0x420,
		.p_filesz = 8,
		.p_memsz = 64 };
	f->p[2] = (Elf32_Phdr){ .p_type = PT_LOAD, .p_vaddr = 0x20001000, .p_memsz = 64 };
}

static int elf_parse(struct firmware *fw, const struct elf_file *f, size_t len,
	struct buf *warnings, struct err *e)
{
	return firmware_parse(
		fw, "f.elf", (const uint8_t *)f, len, warnings ? collect : NULL, warnings, e);
}

static void test_elf(void **state)
{
	(void)state;
	struct elf_file f;
	struct firmware fw = { 0 };
	struct err e = { 0 };

	elf_make(&f);
	if (elf_parse(&fw, &f, sizeof f, NULL, &e) != 0)
		fail_msg("%s", e.msg);
	assert_int_equal(fw.kind, FIRMWARE_ELF);
	assert_int_equal(fw.n, 2);
	assert_segment(&fw, 0, 0x400, "abcdefghijklmnop");
	assert_segment(&fw, 1, 0x420, "qrstuvwx");
	assert_int_equal(fw.entry, 0x401);
	firmware_clear(&fw);
}

/* The first segment loads the ELF header: cut to the first section when there are sections. */
static void test_elf_header_in_segment(void **state)
{
	(void)state;
	struct elf_file f;
	struct firmware fw = { 0 };
	struct err e = { 0 };
	AUTO(buf_clear) struct buf warnings = { 0 };

	elf_make(&f);
	f.p[0].p_offset = 0;
	f.p[0].p_paddr = 0x1000;
	f.p[0].p_filesz = offsetof(struct elf_file, data) + 16;
	f.p[1].p_paddr = 0x3000;
	f.h.e_shoff = offsetof(struct elf_file, s);
	f.h.e_shnum = 2;
	f.s[1] = (Elf32_Shdr){ .sh_type = SHT_PROGBITS,
		.sh_flags = SHF_ALLOC,
		.sh_offset = offsetof(struct elf_file, data),
		.sh_size = 16 };
	if (elf_parse(&fw, &f, sizeof f, &warnings, &e) != 0)
		fail_msg("%s", e.msg);
	assert_segment(&fw, 0, 0x1000 + offsetof(struct elf_file, data), "abcdefghijklmnop");
	assert_string_equal(buf_text(&warnings),
		"f.elf: program header 0 loads the ELF header itself, which is left out: check "
		"the linker script\n");
	firmware_clear(&fw);

	/* Stripped: nothing can be told apart, everything is kept. */
	f.h.e_shoff = 0;
	f.h.e_shnum = 0;
	assert_int_equal(elf_parse(&fw, &f, sizeof f, NULL, &e), 0);
	assert_int_equal(fw.segments[0].address, 0x1000);
	assert_int_equal(fw.segments[0].len, offsetof(struct elf_file, data) + 16);
	firmware_clear(&fw);
}

enum elf_fault {
	ELF_64_BIT,
	ELF_BIG_ENDIAN,
	ELF_OTHER_MACHINE,
	ELF_RELOCATABLE,
	ELF_SEGMENT_OUTSIDE,
	ELF_SEGMENT_OFFSET_WRAPS,
	ELF_OVERLAP,
	ELF_BEYOND_4G,
	ELF_NOTHING_LOADED,
	ELF_MAGIC_ONLY,
	ELF_N_FAULTS
};

static void elf_break(struct elf_file *f, enum elf_fault fault)
{
	elf_make(f);
	switch (fault) {
	case ELF_64_BIT:
		f->h.e_ident[EI_CLASS] = ELFCLASS64;
		break;
	case ELF_BIG_ENDIAN:
		f->h.e_ident[EI_DATA] = ELFDATA2MSB;
		break;
	case ELF_OTHER_MACHINE:
		f->h.e_machine = EM_RISCV;
		break;
	case ELF_RELOCATABLE:
		f->h.e_type = ET_REL;
		break;
	case ELF_SEGMENT_OUTSIDE:
		f->p[1].p_filesz = 4096;
		break;
	case ELF_SEGMENT_OFFSET_WRAPS:
		f->p[1].p_offset = 0xFFFFFFF8;
		break;
	case ELF_OVERLAP:
		f->p[1].p_paddr = 0x40F;
		break;
	case ELF_BEYOND_4G:
		f->p[1].p_paddr = 0xFFFFFFFC;
		break;
	case ELF_NOTHING_LOADED:
		f->h.e_phnum = 0;
		break;
	case ELF_MAGIC_ONLY:
	case ELF_N_FAULTS:
		break;
	}
}

static void test_broken_elf(void **state)
{
	(void)state;
	static const char *const messages[ELF_N_FAULTS] = {
		[ELF_64_BIT] = "f.elf: 64-bit ELF, 32-bit is wanted",
		[ELF_BIG_ENDIAN] = "f.elf: big-endian ELF, little-endian is wanted",
		[ELF_OTHER_MACHINE] = "f.elf: ELF for machine 243, Arm (40) is wanted",
		[ELF_RELOCATABLE] =
			"f.elf: ELF of type 1, an executable (2) is wanted: is it linked?",
		[ELF_SEGMENT_OUTSIDE] =
			"f.elf: program header 1: 4096 bytes at offset 164, the file has 260",
		[ELF_SEGMENT_OFFSET_WRAPS] =
			"f.elf: program header 1: 8 bytes at offset 4294967288, the file has 260",
		[ELF_OVERLAP] = "f.elf: program headers 0 and 1 both load 0x0000040F",
		[ELF_BEYOND_4G] = "f.elf:1: 8 bytes at 0xFFFFFFFC go beyond 4 GiB",
		[ELF_NOTHING_LOADED] = "f.elf: no data at all",
		[ELF_MAGIC_ONLY] = "f.elf: broken ELF",
	};

	for (int i = 0; i < ELF_N_FAULTS; i++) {
		struct elf_file f;
		struct firmware fw = { 0 };
		struct err e = { 0 };
		elf_break(&f, (enum elf_fault)i);
		size_t len = i == ELF_MAGIC_ONLY ? 4 : sizeof f;
		if (elf_parse(&fw, &f, len, NULL, &e) == 0)
			fail_msg("fault %d: accepted", i);
		/* libelf words the last one. */
		size_t n = i == ELF_MAGIC_ONLY ? strlen(messages[i]) : sizeof e.msg;
		if (strncmp(e.msg, messages[i], n) != 0)
			fail_msg("fault %d: \"%s\", wanted \"%s\"", i, e.msg, messages[i]);
	}
	/* Cut anywhere: an error or fewer bytes, never a crash. */
	struct elf_file f;
	elf_make(&f);
	for (size_t len = 0; len < sizeof f; len++) {
		struct firmware fw = { 0 };
		struct err e = { 0 };
		uint8_t *copy = malloc(len ? len : 1);
		memcpy(copy, &f, len);
		if (firmware_parse(&fw, "f", copy, len, NULL, NULL, &e) == 0)
			firmware_clear(&fw);
		free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_srec_forms),
		cmocka_unit_test(test_ihex_forms),
		cmocka_unit_test(test_raw),
		cmocka_unit_test(test_s19_vector),
		cmocka_unit_test(test_against_srec_cat),
		cmocka_unit_test(test_broken_text),
		cmocka_unit_test(test_warnings),
		cmocka_unit_test(test_elf),
		cmocka_unit_test(test_elf_header_in_segment),
		cmocka_unit_test(test_broken_elf),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

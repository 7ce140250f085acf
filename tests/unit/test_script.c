/* The script language: every verb with its argument forms, stages and their options, conditions,
 * and for each rule a line that breaks it, with line and column. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/fsio.h"
#include "base/json.h"
#include "base/text.h"
#include "evidence_support.h"
#include "pkg/script.h"

/* Irreversible, so that every verb may stand in it. */
#define STAGE "@stage s irreversible\n"

static struct script parse(const char *text)
{
	struct script s;
	struct err e = { 0 };

	if (script_parse(&s, "s", text, strlen(text), &e) != 0)
		fail_msg("\"%s\": %s", text, e.msg);
	return s;
}

/* One verb on one line, as numbers: "address=.. length=.." of what is set. */
static void describe(const struct script_step *s, char *out, size_t cap)
{
	size_t n = 0;
	const struct {
		const char *name;
		uint32_t v;
	} fields[] = { { "property", s->property }, { "address", s->address },
		{ "length", s->length }, { "value", s->value }, { "memory", s->memory_id },
		{ "index", s->index_arg }, { "argument", s->argument }, { "stack", s->stack },
		{ "verify", s->verify }, { "file_len", s->file_len } };

	out[0] = 0;
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
		if (fields[i].v)
			n += (size_t)snprintf(
				out + n, cap - n, " %s=0x%x", fields[i].name, fields[i].v);
	if (s->file)
		n += (size_t)snprintf(out + n, cap - n, " file=%s", s->file);
	if (s->data) {
		char hex[200];
		n += (size_t)snprintf(
			out + n, cap - n, " data=%s", hex_encode(hex, s->data, s->data_len));
	}
	for (size_t i = 0; i < s->n_words; i++)
		n += (size_t)snprintf(out + n, cap - n, " %x", s->words[i]);
}

static void verbs(void **state)
{
	static const struct {
		const char *line;
		enum script_verb verb;
		const char *fields;
	} cases[] = {
		{ "get-property 1", SCRIPT_GET_PROPERTY, " property=0x1" },
		{ "get-property unique-device-id", SCRIPT_GET_PROPERTY, " property=0x12" },
		{ "get-property 0x19 9", SCRIPT_GET_PROPERTY, " property=0x19 index=0x9" },
		{ "set-property verify-writes 1", SCRIPT_SET_PROPERTY, " property=0xa value=0x1" },
		{ "reset", SCRIPT_RESET, "" },
		{ "flash-erase-all", SCRIPT_FLASH_ERASE_ALL, "" },
		{ "flash-erase-all 9", SCRIPT_FLASH_ERASE_ALL, " memory=0x9" },
		{ "flash-erase-region 0x0 0x40000", SCRIPT_FLASH_ERASE_REGION, " length=0x40000" },
		{ "flash-erase-region 0x8000 8192 0", SCRIPT_FLASH_ERASE_REGION,
			" address=0x8000 length=0x2000" },
		{ "read-memory 0x20000000 16", SCRIPT_READ_MEMORY,
			" address=0x20000000 length=0x10" },
		{ "write-memory 0x20000000 {{0102ff}}", SCRIPT_WRITE_MEMORY,
			" address=0x20000000 data=0102ff" },
		{ "write-memory 0x20000000 \"{{01 02 03}}\"", SCRIPT_WRITE_MEMORY,
			" address=0x20000000 data=010203" },
		{ "write-memory 0x20000000 '[[0102 0]]' 0", SCRIPT_WRITE_MEMORY,
			" address=0x20000000 data=010200" },
		{ "write-memory 0 data/fcb.bin", SCRIPT_WRITE_MEMORY, " file=data/fcb.bin" },
		{ "write-memory 0 data/fcb.bin,0x200 9", SCRIPT_WRITE_MEMORY,
			" memory=0x9 file_len=0x200 file=data/fcb.bin" },
		{ "fill-memory 0x20000000 4 0xC0000005 word", SCRIPT_FILL_MEMORY,
			" address=0x20000000 length=0x4 value=0xc0000005" },
		{ "fill-memory 0x20000000 4 0", SCRIPT_FILL_MEMORY,
			" address=0x20000000 length=0x4" },
		{ "fill-memory 0x20000000 8 0xABABABAB byte", SCRIPT_FILL_MEMORY,
			" address=0x20000000 length=0x8 value=0xabababab" },
		{ "receive-sb-file sb/image.sb3", SCRIPT_RECEIVE_SB_FILE, " file=sb/image.sb3" },
		{ "receive-sb-file -c sb/image.sb3", SCRIPT_RECEIVE_SB_FILE, " file=sb/image.sb3" },
		{ "execute 0x1000 2 0x20001000", SCRIPT_EXECUTE,
			" address=0x1000 argument=0x2 stack=0x20001000" },
		{ "call 0x1001 7", SCRIPT_CALL, " address=0x1001 argument=0x7" },
		{ "configure-memory 9 0x20000000", SCRIPT_CONFIGURE_MEMORY,
			" address=0x20000000 memory=0x9" },
		{ "efuse-program-once 0x2B 0300000F", SCRIPT_EFUSE_PROGRAM_ONCE,
			" value=0x300000f index=0x2b" },
		{ "efuse-program-once 1 0xF lock -v", SCRIPT_EFUSE_PROGRAM_ONCE,
			" value=0xf index=0x1000001 verify=0x1" },
		{ "efuse-program-once 1 f nolock --no-verify", SCRIPT_EFUSE_PROGRAM_ONCE,
			" value=0xf index=0x1" },
		{ "efuse-read-once 0x2B", SCRIPT_EFUSE_READ_ONCE, " index=0x2b" },
		{ "flash-program-once 1 4 01020304", SCRIPT_FLASH_PROGRAM_ONCE,
			" length=0x4 index=0x1 data=04030201" },
		{ "flash-program-once 1 8 0102030405060708 MSB", SCRIPT_FLASH_PROGRAM_ONCE,
			" length=0x8 index=0x1 data=0102030405060708" },
		{ "flash-read-once 1 8", SCRIPT_FLASH_READ_ONCE, " length=0x8 index=0x1" },
		{ "trust-provisioning oem_gen_master_share 1 2 3 4 5 6 7 8",
			SCRIPT_TRUST_PROVISIONING, " 0 1 2 3 4 5 6 7 8" },
		{ "trust-provisioning oem_set_master_share 1 2 3 4", SCRIPT_TRUST_PROVISIONING,
			" 1 1 2 3 4" },
		{ "trust-provisioning oem_get_cust_cert_dice_puk 1 2 3 4",
			SCRIPT_TRUST_PROVISIONING, " 2 1 2 3 4" },
		{ "trust-provisioning hsm_gen_key MFWISK 0 0x20007000 256 0x20007100 256",
			SCRIPT_TRUST_PROVISIONING, " 3 c3a5 0 20007000 100 20007100 100" },
		{ "trust-provisioning hsm_store_key CKDFK 1 2 32 3 48", SCRIPT_TRUST_PROVISIONING,
			" 4 1 1 2 20 3 30" },
		{ "trust-provisioning hsm_enc_blk 1 48 NXP_CUST_KEK_INT_SK 2 60 1 3 256",
			SCRIPT_TRUST_PROVISIONING, " 5 1 30 12 2 3c 1 3 100" },
		{ "trust-provisioning hsm_enc_sign 1 48 2 220 3 64", SCRIPT_TRUST_PROVISIONING,
			" 6 1 30 2 dc 3 40" },
		{ "trust-provisioning oem_get_cust_dice_response 1 32 2 324",
			SCRIPT_TRUST_PROVISIONING, " 7 1 20 2 144" },
		{ "trust-provisioning prove_genuinity 0x20007000 0x200", SCRIPT_TRUST_PROVISIONING,
			" 170003f4 0 20007000 200" },
		{ "trust-provisioning isp_set_wrap_data 0x20007000", SCRIPT_TRUST_PROVISIONING,
			" 170003f0 14b 0 20007000" },
		{ "trust-provisioning isp_set_wrap_data 0", SCRIPT_TRUST_PROVISIONING,
			" 170003f0 24b 0 0" },
		{ "dice-attest", SCRIPT_DICE_ATTEST, "" },
		{ "@check lifecycle == in-field", SCRIPT_CHECK, "" },
		{ "@prompt \"scan serial\"", SCRIPT_PROMPT, "" },
		/* numbers */
		{ "get-property 0b10001", SCRIPT_GET_PROPERTY, " property=0x11" },
		{ "get-property 0o21", SCRIPT_GET_PROPERTY, " property=0x11" },
		{ "call 1_000 0xFFFF_FFFF", SCRIPT_CALL, " address=0x3e8 argument=0xffffffff" },
		{ "\t call   1\t2  # comment", SCRIPT_CALL, " address=0x1 argument=0x2" },
	};
	(void)state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char text[300], fields[400];
		snprintf(text, sizeof text, STAGE "%s\n", cases[i].line);
		AUTO(script_clear) struct script s = parse(text);
		assert_int_equal(s.n, 1);
		assert_int_equal(s.steps[0].verb, cases[i].verb);
		assert_int_equal(s.steps[0].line, 2);
		assert_true(s.steps[0].timeout_ms > 0);
		describe(&s.steps[0], fields, sizeof fields);
		if (strcmp(fields, cases[i].fields) != 0)
			fail_msg("%s: \"%s\", wanted \"%s\"", cases[i].line, fields,
				cases[i].fields);
	}
}

static void stages(void **state)
{
	(void)state;
	AUTO(script_clear)
	struct script s = parse("# product 42\n"
				"@title \"A title\"\n"
				"\n"
				"@stage erase skip-if=lifecycle>=in-field\n"
				"flash-erase-all\n"
				"@stage burn irreversible timeout=2500ms\n"
				"receive-sb-file sb/p.sb3 # once\n"
				"reset\n"
				"@stage go retry=2 \"skip-if=property 17 == 0xC33CC33C\"\n"
				"receive-sb-file 'sb/i.sb3'\n"
				"@prompt \"scan\" timeout=5m\n"
				"@stage help on-fail\n"
				"get-property 1\n");
	char text[80];

	assert_string_equal(s.title, "A title");
	assert_int_equal(s.n_stages, 4);
	assert_int_equal(s.n, 6);
	assert_string_equal(script_cond_text(&s.stages[0].skip_if, text), "lifecycle >= in-field");
	assert_true(s.stages[1].irreversible);
	assert_int_equal(s.steps[1].timeout_ms, 2500);
	assert_int_equal(s.steps[2].timeout_ms, 2500);
	assert_string_equal(s.steps[1].text, "receive-sb-file sb/p.sb3");
	assert_true(script_step_irreversible(&s, &s.steps[1]));
	assert_false(script_step_irreversible(&s, &s.steps[2])); /* reset changes nothing */
	assert_int_equal(s.stages[2].retry, 2);
	assert_int_equal(s.stages[2].first, 3);
	assert_string_equal(
		script_cond_text(&s.stages[2].skip_if, text), "property 17 == 0xc33cc33c");
	assert_false(script_step_irreversible(&s, &s.steps[3]));
	assert_int_equal(s.steps[4].timeout_ms, 300000);
	assert_string_equal(s.steps[4].prompt, "scan");
	assert_true(s.stages[3].on_fail);

	/* A plain batch file is one stage. */
	AUTO(script_clear) struct script plain = parse("get-property 1\nreset"); /* no last LF */
	assert_int_equal(plain.n_stages, 1);
	assert_string_equal(plain.stages[0].name, "main");
	assert_int_equal(plain.n, 2);
}

static void conditions(void **state)
{
	static const struct {
		const char *cond;
		uint32_t seen;
		bool holds;
	} cases[] = {
		{ "lifecycle == in-field", MBOOT_LC_IN_FIELD, true },
		{ "lifecycle==in-field", MBOOT_LC_DEVELOP, false },
		{ "lifecycle != blank", MBOOT_LC_DEVELOP, true },
		{ "lifecycle < in-field", MBOOT_LC_DEVELOP2, true },
		{ "lifecycle >= in-field", MBOOT_LC_IN_FIELD_LOCKED, true },
		{ "lifecycle <= develop", MBOOT_LC_DEVELOP2, false },
		{ "property 17 > 5", 5, false },
		{ "property 17>5", 6, true },
		{ "property security-state == 0xC33CC33C", 0xC33CC33C, true },
		{ "property 11 <= 512", 512, true },
	};
	(void)state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char text[200];
		snprintf(text, sizeof text, "@check %s\n", cases[i].cond);
		AUTO(script_clear) struct script s = parse(text);
		if (script_cond_holds(&s.steps[0].cond, cases[i].seen) != cases[i].holds)
			fail_msg("%s with %u", cases[i].cond, cases[i].seen);
	}
}

static void refused(void **state)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{ "reboot\n", "s: line 1 column 1: unknown verb \"reboot\"" },
		{ "flash-erase-al\n", "s: line 1 column 1: unknown verb \"flash-erase-al\"; did "
				      "you mean flash-erase-all?" },
		{ "FLASH-ERASE-ALL\n", "s: line 1 column 1: unknown verb \"FLASH-ERASE-ALL\"; did "
				       "you mean flash-erase-all?" },
		{ "batch x\n", "s: line 1 column 1: batch is not available in packages: scripts do "
			       "not nest" },
		{ "flash-image image.s19\n",
			"s: line 1 column 1: flash-image is not available in packages: it reads "
			"files of the host; put the firmware into an SB3.1 file" },
		{ "list-memory\n", "s: line 1 column 1: list-memory is not available in packages: "
				   "it only prints; use get-property" },
		{ "key-provisioning enroll\n", "s: line 1 column 1: key-provisioning is not "
					       "available in packages: not for MCX N" },
		{ "-p /dev/ttyUSB0\n", "s: line 1 column 1: unknown verb \"-p\"" },
		{ "blhost reset\n", "s: line 1 column 1: unknown verb \"blhost\"" },
		{ "get-property\n", "s: line 1 column 13: get-property: 0 arguments; wanted: "
				    "get-property PROPERTY [INDEX]" },
		{ "get-property 1 2 3\n", "s: line 1 column 18: get-property: 3 arguments; wanted: "
					  "get-property PROPERTY [INDEX]" },
		{ "get-property no-such\n",
			"s: line 1 column 14: \"no-such\": not a property number or name" },
		{ "get-property -1\n", "s: line 1 column 14: get-property takes no option \"-1\"" },
		{ "get-property 010\n",
			"s: line 1 column 14: \"010\": not a property number or name" },
		{ "get-property 0x\n",
			"s: line 1 column 14: \"0x\": not a property number or name" },
		{ "get-property 1__0\n",
			"s: line 1 column 14: \"1__0\": not a property number or name" },
		{ "get-property 4294967296\n",
			"s: line 1 column 14: \"4294967296\": not a property number or name" },
		{ "set-property 1\n", "s: line 1 column 15: set-property: 1 arguments; wanted: "
				      "set-property PROPERTY VALUE" },
		{ "reset now\n", "s: line 1 column 7: reset: 1 arguments; wanted: reset" },
		{ "flash-erase-region 0x0 0\n",
			"s: line 1 column 24: byte count: 0, at least 1 wanted" },
		{ "flash-erase-region 0xFFFFFFFF 2\n",
			"s: line 1 column 31: byte count: reaches beyond 32-bit addresses" },
		{ "flash-erase-region 0x01004000 0x2000\n",
			"s: line 1 column 1: flash-erase-region cannot be undone: stage \"main\" "
			"must be marked irreversible" },
		{ "read-memory 0 70000\n",
			"s: line 1 column 15: byte count: 70000, at most 65536 wanted" },
		{ "read-memory 0 16 out.bin\n", "s: line 1 column 18: read-memory writes no files "
						"here: host paths are not allowed" },
		{ "read-memory 0 16 -h\n",
			"s: line 1 column 18: read-memory takes no option \"-h\"" },
		{ "write-memory 0\n", "s: line 1 column 15: write-memory: 1 arguments; wanted: "
				      "write-memory ADDRESS FILE[,BYTES]|{{HEX}} [MEMORY_ID]" },
		{ "write-memory 0 {{}}\n",
			"s: line 1 column 16: \"{{}}\": hex digits wanted inside {{ }}" },
		{ "write-memory 0 {{0g}}\n",
			"s: line 1 column 16: \"{{0g}}\": hex digits wanted inside {{ }}" },
		{ "write-memory 0 {{01 02}}\n",
			"s: line 1 column 16: \"{{01\": hex digits wanted inside {{ }}" },
		{ "write-memory 0x01004000 {{00}}\n",
			"s: line 1 column 1: write-memory cannot be undone: stage \"main\" must be "
			"marked irreversible" },
		{ "write-memory 0 ../x\n",
			"s: line 1 column 16: files are names inside the package, host paths are "
			"not: name \"../x\": path component begins with a dot" },
		{ "write-memory 0 'data\\x.bin'\n",
			"s: line 1 column 16: files are names inside the package, host paths are "
			"not: name \"data\\x5cx.bin\": character 0x5c at 4, a-z 0-9 . _ - / "
			"wanted" },
		{ "write-memory 0 data/x.bin,0\n",
			"s: line 1 column 16: \"data/x.bin,0\": bytes wanted behind the comma" },
		{ "write-memory 0 data/x.bin,\n",
			"s: line 1 column 16: \"data/x.bin,\": bytes wanted behind the comma" },
		{ "write-memory 0 C:/x.bin\n",
			"s: line 1 column 16: files are names inside the package, host paths are "
			"not: name \"C:/x.bin\": character 0x43 at 0, a-z 0-9 . _ - / wanted" },
		{ "write-memory 0 ~/x.bin\n",
			"s: line 1 column 16: files are names inside the package, host paths are "
			"not: name \"~/x.bin\": character 0x7e at 0, a-z 0-9 . _ - / wanted" },
		{ "write-memory 0 $HOME\n",
			"s: line 1 column 16: files are names inside the package, host paths are "
			"not: name \"$HOME\": character 0x24 at 0, a-z 0-9 . _ - / wanted" },
		{ "fill-memory 0 4 0xAB byte\n", "s: line 1 column 17: pattern 0xab as byte: NXP's "
						 "hosts differ here, write 0xabababab word" },
		{ "fill-memory 0 4 0x12345 short\n",
			"s: line 1 column 17: pattern 0x12345 as short: NXP's hosts differ here, "
			"write 0x23452345 word" },
		{ "fill-memory 0 4 1 nibble\n",
			"s: line 1 column 19: \"nibble\": word, short or byte wanted" },
		{ "fill-memory 0 4\n", "s: line 1 column 16: fill-memory: 2 arguments; wanted: "
				       "fill-memory ADDRESS BYTES PATTERN [word|short|byte]" },
		{ "receive-sb-file\n", "s: line 1 column 16: receive-sb-file: 0 arguments; wanted: "
				       "receive-sb-file FILE" },
		{ "receive-sb-file sb/image.sb3,100\n",
			"s: line 1 column 17: an SB file is sent whole: no byte count wanted" },
		{ "receive-sb-file --force sb/image.sb3\n",
			"s: line 1 column 17: receive-sb-file takes no option \"--force\"" },
		{ "receive-sb-file \"sb/image.sb3\n", "s: line 1 column 17: quote is not closed" },
		{ "receive-sb-file sb/image.sb3\\\n",
			"s: line 1 column 29: backslash at the end of the line" },
		{ "receive-sb-file sb/image.sb3#x\n",
			"s: line 1 column 29: '#' inside a word: quote it, or put a blank before" },
		{ "execute 0 0 0\n", "s: line 1 column 1: execute cannot be undone: stage \"main\" "
				     "must be marked irreversible" },
		{ "call 0 0\n", "s: line 1 column 1: call cannot be undone: stage \"main\" must be "
				"marked irreversible" },
		{ "efuse-program-once 1 0300000F\n",
			"s: line 1 column 1: efuse-program-once cannot be undone: stage \"main\" "
			"must be marked irreversible" },
		{ "@stage s irreversible\nefuse-program-once 1 0x123456789\n",
			"s: line 2 column 22: \"0x123456789\": 1 to 8 hex digits wanted" },
		{ "@stage s irreversible\nefuse-program-once 1 xyz\n",
			"s: line 2 column 22: \"xyz\": 1 to 8 hex digits wanted" },
		{ "@stage s irreversible\nefuse-program-once 1 1 locked\n",
			"s: line 2 column 24: \"locked\": lock or nolock wanted" },
		{ "@stage s irreversible\nflash-program-once 1 5 00\n",
			"s: line 2 column 22: byte count: 5, 4 or 8 wanted" },
		{ "@stage s irreversible\nflash-program-once 1 4 0102030405\n",
			"s: line 2 column 24: \"0102030405\": at most 8 hex digits wanted" },
		{ "@stage s irreversible\nflash-program-once 1 4 01 middle\n",
			"s: line 2 column 27: \"middle\": LSB or MSB wanted" },
		{ "flash-program-once 1 4 00\n",
			"s: line 1 column 1: flash-program-once cannot be undone: stage \"main\" "
			"must be marked irreversible" },
		{ "flash-read-once 1 3\n", "s: line 1 column 19: byte count: 3, 4 or 8 wanted" },
		{ "trust-provisioning\n", "s: line 1 column 19: trust-provisioning: 0 arguments; "
					  "wanted: trust-provisioning OPERATION NUMBERS..." },
		{ "trust-provisioning dance 1\n",
			"s: line 1 column 20: \"dance\": not a trust-provisioning operation" },
		{ "trust-provisioning hsm_gen_key NOKEY 0 1 2 3 4\n",
			"s: line 1 column 32: hsm_gen_key: \"NOKEY\", a number of at most 32 bits "
			"wanted" },
		{ "trust-provisioning oem_set_master_share 1 2 3\n",
			"s: line 1 column 20: oem_set_master_share: 3 numbers, 4 to 4 wanted" },
		{ "trust-provisioning prove_genuinity 0 65536\n",
			"s: line 1 column 38: buffer size: 65536, at most 65535 wanted" },
		{ "dice-attest now\n",
			"s: line 1 column 13: dice-attest: 1 arguments; wanted: dice-attest" },
		{ "@check\n", "s: line 1 column 7: @check: 0 arguments; wanted: @check COND" },
		{ "@check uptime > 5\n", "s: line 1 column 8: a condition wanted: `lifecycle OP "
					 "NAME` or `property N OP VALUE`" },
		{ "@check lifecycle in-field\n",
			"s: line 1 column 8: an operator wanted: == != < <= > >=" },
		{ "@check lifecycle == open\n",
			"s: line 1 column 8: a life cycle like in-field wanted" },
		{ "@check lifecycle = in-field\n",
			"s: line 1 column 8: an operator wanted: == != < <= > >=" },
		{ "@check property == 5\n",
			"s: line 1 column 8: a property number or name wanted" },
		{ "@check property 17 == many\n",
			"s: line 1 column 8: a number of at most 32 bits wanted" },
		{ "@check property 17 == 1 now\n",
			"s: line 1 column 8: nothing wanted behind the condition" },
		{ "@prompt\n", "s: line 1 column 8: @prompt: 0 arguments; wanted: @prompt \"TEXT\" "
			       "[timeout=TIME]" },
		{ "@prompt \"\"\n", "s: line 1 column 9: a text of 1 to 200 bytes wanted" },
		{ "@prompt \"x\" timeout=2h\n",
			"s: line 1 column 13: \"2h\": a time from 1ms to 60m wanted" },
		{ "@prompt \"x\" wait\n", "s: line 1 column 13: \"wait\": timeout=TIME wanted" },
		{ "@goto erase\n", "s: line 1 column 1: unknown verb \"@goto\"" },
		{ "@title x\n@title y\nreset\n", "s: line 2 column 1: @title is there twice" },
		{ "reset\n@title late\n",
			"s: line 2 column 1: @title after the first step or stage" },
		{ "@title\nreset\n", "s: line 1 column 7: @title: one text of 1 to 200 bytes "
				     "wanted, in quotes" },
		{ "@stage\n", "s: line 1 column 7: @stage: a name wanted" },
		{ "@stage Upper\nreset\n",
			"s: line 1 column 8: stage name \"Upper\": 1 to 32 of a-z 0-9 - wanted" },
		{ "@stage a b\nreset\n", "s: line 1 column 10: unknown stage option \"b\"; known: "
					 "irreversible, timeout=, retry=, skip-if=, on-fail" },
		{ "@stage a color=red\nreset\n",
			"s: line 1 column 10: unknown stage option \"color=red\"; known: "
			"irreversible, timeout=, retry=, skip-if=, on-fail" },
		{ "@stage a\nreset\n@stage a\nreset\n",
			"s: line 3 column 8: stage \"a\" is there twice (line 1)" },
		{ "@stage a\n@stage b\nreset\n", "s: line 1 column 1: stage \"a\" has no steps" },
		{ "@stage a\nreset\n@stage b\n", "s: line 3 column 1: stage \"b\" has no steps" },
		{ "@stage a timeout=60\nreset\n", "s: line 1 column 10: timeout \"60\": a time "
						  "from 1ms to 60m wanted, like 60s" },
		{ "@stage a timeout=0ms\nreset\n", "s: line 1 column 10: timeout \"0ms\": a time "
						   "from 1ms to 60m wanted, like 60s" },
		{ "@stage a timeout=61m\nreset\n", "s: line 1 column 10: timeout \"61m\": a time "
						   "from 1ms to 60m wanted, like 60s" },
		{ "@stage a timeout=-1s\nreset\n", "s: line 1 column 10: timeout \"-1s\": a time "
						   "from 1ms to 60m wanted, like 60s" },
		{ "@stage a timeout=\nreset\n", "s: line 1 column 10: timeout \"\": a time from "
						"1ms to 60m wanted, like 60s" },
		{ "@stage a retry=0\nreset\n", "s: line 1 column 10: retry \"0\": 1 to 10 wanted" },
		{ "@stage a retry=11\nreset\n",
			"s: line 1 column 10: retry \"11\": 1 to 10 wanted" },
		{ "@stage a retry=x\nreset\n", "s: line 1 column 10: retry \"x\": 1 to 10 wanted" },
		{ "@stage a retry=1 retry=2\nreset\n",
			"s: line 1 column 18: option \"retry\" is there twice" },
		{ "@stage a irreversible irreversible\nreset\n",
			"s: line 1 column 23: option \"irreversible\" is there twice" },
		{ "@stage a irreversible retry=1\nreset\n",
			"s: line 1 column 8: stage \"a\": an irreversible stage cannot be "
			"retried" },
		{ "@stage a skip-if=\nreset\n", "s: line 1 column 10: skip-if: a condition wanted: "
						"`lifecycle OP NAME` or `property N OP VALUE`" },
		{ "@stage a skip-if=lifecycle\nreset\n",
			"s: line 1 column 10: skip-if: an operator wanted: == != < <= > >=" },
		{ "@stage a skip-if=lifecycle>=\nreset\n",
			"s: line 1 column 10: skip-if: a life cycle like in-field wanted" },
		{ "@stage a skip-if=property\nreset\n",
			"s: line 1 column 10: skip-if: a property number or name wanted" },
		{ "@stage a retry=1\ntrust-provisioning oem_set_master_share 1 2 3 4\n",
			"s: line 2 column 1: trust-provisioning cannot be repeated: no retry for "
			"stage \"a\"" },
		{ "@stage a on-fail\nreset\n", "s: no steps" },
		{ "@stage a\nreset\n@stage b on-fail\nflash-erase-all\n",
			"s: line 4 column 1: flash-erase-all cannot stand in an on-fail stage" },
		{ "@stage a\nreset\n@stage b on-fail\n@check lifecycle == blank\n",
			"s: line 4 column 1: @check cannot stand in an on-fail stage" },
		{ "@stage a\nreset\n@stage b on-fail\ndice-attest\n",
			"s: line 4 column 1: dice-attest cannot stand in an on-fail stage" },
		{ "@stage a\nreset\n@stage b on-fail retry=1\nreset\n",
			"s: line 3 column 8: stage \"b\": an on-fail stage cannot be irreversible "
			"or retried" },
		{ "@stage a\nreset\n@stage b on-fail\nreset\n@stage c\nreset\n",
			"s: line 5 column 8: stage \"c\": on-fail stages come last" },
		{ "reset\r\n",
			"s: line 1 column 6: CR at the end of the line: save with LF line ends" },
		{ "reset\x01\n", "s: line 1 column 6: control character" },
		{ "reset \x7f\n", "s: line 1 column 7: control character" },
		{ "@prompt \"a\xc2\x9b"
		  "b\"\n",
			"s: line 1 column 11: control character" },
		{ "reset \xff\n", "s: line 1 column 1: not UTF-8" },
		{ "", "s: no steps" },
		{ " \n\t\n# only a comment\n", "s: no steps" },
		{ "a b c d e f g h i j k l m n o p q r s t u v w x y\n",
			"s: line 1 column 49: too many words" },
	};
	(void)state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct script s = { .n = 99 };
		struct err e = { 0 };
		if (script_parse(&s, "s", cases[i].text, strlen(cases[i].text), &e) == 0)
			fail_msg("\"%s\": accepted", cases[i].text);
		assert_int_equal(s.n, 99);
		if (strcmp(e.msg, cases[i].message) != 0)
			fail_msg("\"%s\":\n  \"%s\", wanted\n  \"%s\"", cases[i].text, e.msg,
				cases[i].message);
	}
}

static void limits(void **state)
{
	(void)state;
	struct script s;
	struct err e = { 0 };
	AUTO(buf_clear) struct buf b = { 0 };

	for (int i = 0; i < SCRIPT_MAX_STEPS; i++)
		wr_str(&b, "reset\n");
	assert_int_equal(script_parse(&s, "s", b.p, b.len, &e), 0);
	script_clear(&s);
	wr_str(&b, "reset\n");
	assert_int_equal(script_parse(&s, "s", b.p, b.len, &e), -1);
	assert_string_equal(e.msg, "s: line 501: more than 500 steps");
	assert_int_equal(e.code, ERR_LIMIT);

	buf_clear(&b);
	for (int i = 0; i <= SCRIPT_MAX_STAGES; i++)
		wr_printf(&b, "@stage s%d\nreset\n", i);
	assert_int_equal(script_parse(&s, "s", b.p, b.len, &e), -1);
	assert_string_equal(e.msg, "s: line 129: more than 64 stages");

	buf_clear(&b);
	wr_zero(&b, SCRIPT_MAX_SIZE + 1);
	assert_int_equal(script_parse(&s, "s", b.p, b.len, &e), -1);
	assert_string_equal(e.msg, "s: 65537 bytes, at most 65536 wanted");

	buf_clear(&b);
	wr_str(&b, "reset\n#");
	for (int i = 0; i < SCRIPT_MAX_LINE; i++)
		wr_u8(&b, 'x');
	assert_int_equal(script_parse(&s, "s", b.p, b.len, &e), -1);
	assert_string_equal(e.msg, "s: line 2: 1025 bytes, at most 1024 wanted");
}

static void plan(void **state)
{
	(void)state;
	AUTO(script_clear)
	struct script s = parse("@title \"T\"\n"
				"@stage burn irreversible skip-if=lifecycle>=in-field\n"
				"receive-sb-file sb/p.sb3\nreset\n"
				"@stage go retry=2 timeout=1500ms\nflash-erase-all\n"
				"@stage help on-fail\nreset\n");
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	assert_non_null(f);
	script_print_plan(f, &s, false);
	fclose(f);
	assert_string_equal(text,
		"T\n"
		"stage burn  irreversible  skipped if lifecycle >= in-field\n"
		"  !   1  receive-sb-file sb/p.sb3                          at most 15 min\n"
		"      2  reset                                             at most 10 s\n"
		"stage go  up to 2 more tries\n"
		"      3  flash-erase-all                                   at most 1500 ms\n"
		"stage help  only after a failure\n"
		"      4  reset                                             at most 10 s\n");
	free(text);

	f = open_memstream(&text, &len);
	assert_non_null(f);
	script_print_plan(f, &s, true);
	fclose(f);
	assert_non_null(strstr(text, "  \033[1;31m!   1  receive-sb-file"));
	free(text);

	AUTO(json_freep) json_t *j = script_to_json(&s);
	const json_t *stages_json = json_object_get(j, "stages");
	assert_int_equal(json_array_size(stages_json), 3);
	const json_t *first =
		json_array_get(json_object_get(json_array_get(stages_json, 0), "steps"), 0);
	assert_true(json_is_true(json_object_get(first, "irreversible")));
	assert_string_equal(ev_str(first, "file"), "sb/p.sb3");
}

static void sample(void **state)
{
	(void)state;
	AUTO(buf_clear) struct buf b = { 0 };
	struct script s;
	struct err e = { 0 };

	assert_int_equal(
		fsio_read("samples/mcxn947-blinky/program.blhost", SCRIPT_MAX_SIZE, &b, &e), 0);
	if (script_parse(&s, "program.blhost", b.p, b.len, &e) != 0)
		fail_msg("%s", e.msg);
	assert_true(s.n >= 7);
	script_clear(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(verbs),
		cmocka_unit_test(stages),
		cmocka_unit_test(conditions),
		cmocka_unit_test(refused),
		cmocka_unit_test(limits),
		cmocka_unit_test(plan),
		cmocka_unit_test(sample),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

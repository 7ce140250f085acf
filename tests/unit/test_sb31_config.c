/* Configurations of SB3.1 containers and certificate blocks: what is refused, and how it is said.
 * Several of these are cases where other tools write a broken file without a word. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fsio.h"
#include "base/text.h"
#include "mfgpkg/build/cert_block_build.h"
#include "mfgpkg/build/sb31_build.h"
#include "mfgpkg/build/sb31_decrypt.h"
#include "mfgpkg/config.h"

/* Paths are found relative to the current folder as a last resort: the top folder. */
#define KEYS "tests/vectors/keys/"
#define SB   "tests/vectors/sb31/"

static const char head[] =
	"family: mcxn947\ncertBlock: " SB "no-commands/cert_block.bin\nsigner: " KEYS
	"rot_p256_0.pem\ncontainerKeyBlobEncryptionKey: " SB
	"no-commands/cust_mk_sk.txt\ntimestamp: 732807390\n";

/* What an export of this text gives: "good" or the message. */
static const char *verdict(const char *text, bool cert_block, struct buf *out, struct err *e)
{
	AUTO(config_freep) struct config *c = NULL;
	AUTO(keystore_freep) struct keystore *ks = NULL;

	*e = (struct err){ 0 };
	if (keystore_new(&ks, NULL, e) != 0 ||
		config_load_bytes(&c, "t.yaml", text, strlen(text), e) != 0)
		return e->msg;
	int rc = cert_block ? cert_block_export(c, ks, out, e) : sb31_export(c, ks, out, e);
	if (rc != 0 && out->len != 0)
		fail_msg("output left after a failure");
	return rc == 0 ? "good" : e->msg;
}

static void check(const char *text, bool cert_block, const char *message)
{
	AUTO(buf_clear) struct buf out = { 0 };
	struct err e;
	const char *seen = verdict(text, cert_block, &out, &e);

	if (strcmp(seen, message) != 0)
		fail_msg("%s\n  seen   %s\n  wanted %s", text, seen, message);
	if (strcmp(message, "good") != 0 && e.code != ERR_CONFIG)
		fail_msg("%s\n  code %d", text, e.code);
}

struct row {
	const char *text, *message;
};

/* Each text stands as `commands:`; messages begin at line 7. */
static void test_commands_refused(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "- erase: {address: 0, size: 0x1000}", "good" },
		{ "- erase: {address: -1, size: 16}",
			"t.yaml:7:20: key `commands[0].erase.address`: \"-1\": negative numbers "
			"are not allowed" },
		{ "- erase: {address: 0x100000000, size: 16}",
			"t.yaml:7:20: key `commands[0].erase.address`: 0x100000000 is too large, "
			"at most 0xFFFFFFFF" },
		{ "- erase: {address: '0x100000000', size: 16}",
			"t.yaml:7:20: key `commands[0].erase.address`: 0x100000000 is too large, "
			"at most 0xFFFFFFFF" },
		{ "- erase: {address: 0, size: 0}",
			"t.yaml:7:10: key `commands[0].erase`: size is 0" },
		{ "- erase: {address: 0xFFFFFFF0, size: 17}",
			"t.yaml:7:10: key `commands[0].erase`: 0xfffffff0 + 17 bytes ends beyond "
			"32 bits" },
		{ "- erase: {address: 0xFFFFFFF0, size: 16}", "good" },
		{ "- erase: {size: 16}",
			"t.yaml:7:10: key `commands[0].erase`: missing key `address`" },
		{ "- load: {address: 0, values: '1, zwei, 3'}",
			"t.yaml:7:30: key `commands[0].load.values`: \"1, zwei, 3\" is neither a "
			"list of numbers nor the name of a file (other tools would write 0)" },
		{ "- load: {address: 0, values: '1, -2'}",
			"t.yaml:7:30: key `commands[0].load.values`: \"1, -2\" is neither a list "
			"of numbers nor the name of a file (other tools would write 0)" },
		{ "- load: {address: 0, values: '1, 0x100000000'}",
			"t.yaml:7:30: key `commands[0].load.values`: \"0x100000000\" does not fit "
			"in 32 bits" },
		{ "- load: {address: 0, data: [1, zwei]}",
			"t.yaml:7:32: key `commands[0].load.data[1]`: \"zwei\" is not a number "
			"(0x.., 0b.., 0o.. or decimal)" },
		{ "- load: {address: 0, data: [1, -2]}",
			"t.yaml:7:32: key `commands[0].load.data[1]`: \"-2\": negative numbers are "
			"not allowed" },
		{ "- load: {address: 0, data: []}",
			"t.yaml:7:28: key `commands[0].load.data`: an empty list, wanted numbers" },
		{ "- load: {address: 0, value: 0x100000000}",
			"t.yaml:7:29: key `commands[0].load.value`: 0x100000000 is too large, at "
			"most 0xFFFFFFFF" },
		{ "- load: {address: 0, file: 4294967296}",
			"t.yaml:7:28: key `commands[0].load.file`: 4294967296 is too large, at "
			"most 0xFFFFFFFF" },
		{ "- load: {address: 0, file: nothing-there.bin}",
			"t.yaml:7:28: key `commands[0].load.file`: file \"nothing-there.bin\" not "
			"found (looked in ., beside the parent configuration and in the current "
			"directory)" },
		{ "- load: {address: 0}", "t.yaml:7:9: key `commands[0].load`: one of data, value, "
					  "values, file missing" },
		{ "- load: {address: 0, value: 1, compress: true}",
			"t.yaml:7:42: key `commands[0].load.compress`: MCX N cannot load "
			"compressed data" },
		{ "- load: {address: 0, value: 1, compress: false}", "good" },
		{ "- load: {address: 0xFFFFFFFE, value: 1}",
			"t.yaml:7:9: key `commands[0].load`: 0xfffffffe + 4 bytes ends beyond 32 "
			"bits" },
		{ "- programFuses: {address: 1, values: '1,x'}",
			"t.yaml:7:38: key `commands[0].programFuses.values`: \"1,x\" is not a list "
			"of numbers (other tools would write 0)" },
		{ "- programFuses: {address: 1, values: [1, 2]}", "good" },
		{ "- loadKeyBlob: {offset: 0x10000, wrappingKeyId: NXP_CUST_KEK_INT_SK, file: x}",
			"t.yaml:7:25: key `commands[0].loadKeyBlob.offset`: 0x10000 is too large, "
			"at most 0xFFFF" },
		{ "- loadKeyBlob: {offset: 0, wrappingKeyId: NXP_CUST_KEK, file: x}",
			"t.yaml:7:43: key `commands[0].loadKeyBlob.wrappingKeyId`: "
			"\"NXP_CUST_KEK\", wanted NXP_CUST_KEK_INT_SK or NXP_CUST_KEK_EXT_SK" },
		{ "- loadKeyBlob: {offset: 0, wrappingKeyId: NXP_CUST_KEK_INT_SK, plainInput: hax, "
		  "file: x}",
			"t.yaml:7:76: key `commands[0].loadKeyBlob.plainInput`: \"hax\", wanted "
			"no, bin or hex" },
		{ "- loadKeyBlob: {offset: 0, wrappingKeyId: NXP_CUST_KEK_INT_SK, plainInput: hex, "
		  "file: " SB "p256-all-commands/odd17.bin}",
			"t.yaml:7:87: key `commands[0].loadKeyBlob.file`: the file is not hex "
			"text, as plainInput says" },
		{ "- loadKeyBlob: {offset: 0, wrappingKeyId: NXP_CUST_KEK_INT_SK, plainInput: no, "
		  "file: " SB "p256-all-commands/odd17.bin}",
			"good" },
		{ "- checkFwVersion: {value: 1, counterId: third}",
			"t.yaml:7:41: key `commands[0].checkFwVersion.counterId`: \"third\", "
			"wanted none, nonsecure, secure, radio, snt, bootloader or radio_lp" },
		{ "- reset: {}", "t.yaml:7:3: key `commands[0]`: unknown command \"reset\"" },
		{ "- programFuse: {address: 1, values: 1}",
			"t.yaml:7:3: key `commands[0]`: unknown command \"programFuse\", did you "
			"mean \"programFuses\"?" },
		{ "- {load: {address: 0, value: 1}, erase: {address: 0, size: 1}}",
			"t.yaml:7:3: key `commands[0]`: wanted a map with one key, the command's "
			"name" },
		{ "- load", "t.yaml:7:3: key `commands[0]`: wanted a map with one key, the "
			    "command's name" },
		{ "- load: 5", "t.yaml:7:9: key `commands[0].load`: wanted a map with the "
			       "command's values" },
		{ "  load: 5", "t.yaml:7:3: key `commands`: a map, wanted a list of commands" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char text[2000];
		snprintf(text, sizeof text, "%scommands:\n%s\n", head, rows[i].text);
		check(text, false, rows[i].message);
	}
}

/* Lines that replace or follow those of a good container without commands. */
static void test_fields_refused(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "timestamp: 0", "t.yaml:1:12: key `timestamp`: 0 is refused: other tools then "
				  "write the time of the build into the header but derive the keys "
				  "with 0, which no device can decrypt" },
		{ "timestamp: '0x0'", "t.yaml:1:12: key `timestamp`: 0 is refused: other tools "
				      "then write the time of the build into the header but derive "
				      "the keys with 0, which no device can decrypt" },
		{ "timestamp: -5",
			"t.yaml:1:12: key `timestamp`: \"-5\": negative numbers are not allowed" },
		{ "timestamp: 0x10000000000000000",
			"t.yaml:1:12: key `timestamp`: 0x10000000000000000 is too large, at most "
			"0xFFFFFFFFFFFFFFFF" },
		{ "timestamp: 0xFFFFFFFFFFFFFFFF", "good" },
		{ "firmwareVersion: 0x100000000", "t.yaml:1:18: key `firmwareVersion`: 0x100000000 "
						  "is too large, at most 0xFFFFFFFF" },
		{ "firmwareVersion: -1", "t.yaml:1:18: key `firmwareVersion`: \"-1\": negative "
					 "numbers are not allowed" },
		{ "kdkAccessRights: 4",
			"t.yaml:1:18: key `kdkAccessRights`: 4 is too large, at most 0x3" },
		{ "containerConfigurationWord: 0x100000000",
			"t.yaml:1:29: key `containerConfigurationWord`: 0x100000000 is too large, "
			"at most 0xFFFFFFFF" },
		{ "description: \"caf\\u00e9\"", "t.yaml:1:14: key `description`: \"caf\303\251\" "
						 "has other than ASCII characters" },
		{ "family: mcxn999", "t.yaml:1:9: key `family`: unknown family \"mcxn999\", wanted "
				     "one of mcxn947, mcxn946, mcxn547, mcxn546" },
		{ "revision: z9",
			"t.yaml:1:11: key `revision`: \"z9\" is no revision of this family" },
		{ "isEncrypted: maybe",
			"t.yaml:1:14: key `isEncrypted`: this is text, true or false is wanted" },
		{ "signer: " KEYS "rot_p256_1.pem", "t.yaml:1:9: key `signer`: this key is not the "
						    "used root key of the certificate block" },
		{ "signer: " KEYS "rot_p384_0.pem", "t.yaml:1:9: key `signer`: this key is not the "
						    "used root key of the certificate block" },
		{ "signer: type=proxy;host=localhost",
			"t.yaml:1:9: key `signer`: signature provider "
			"\"type=proxy;host=localhost\" is not supported; wanted a path, "
			"type=file;file_path=PATH or a pkcs11: URI" },
		{ "signer: type=file;file_path=" KEYS "rot_p256_0.pem", "good" },
		{ "containerKeyBlobEncryptionKey: 00112233",
			"t.yaml:1:32: key `containerKeyBlobEncryptionKey`: neither the name of an "
			"existing file nor the hex digits of 16 or 32 bytes" },
		{ "containerKeyBlobEncryptionKey: not-hex-and-secret",
			"t.yaml:1:32: key `containerKeyBlobEncryptionKey`: neither the name of an "
			"existing file nor the hex digits of 16 or 32 bytes" },
		{ "certBlock: " SB "p256-1root-kdk0/config.yaml",
			"tests/vectors/sb31/p256-1root-kdk0/config.yaml:1:1: missing key "
			"`useIsk`" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		AUTO(buf_clear) struct buf text = { 0 };
		char key[64];
		sscanf(rows[i].text, "%63[a-zA-Z]", key);
		wr_printf(&text, "%s\n", rows[i].text);
		for (const char *line = head; *line; line += strcspn(line, "\n") + 1)
			if (strncmp(line, key, strlen(key)) != 0 || line[strlen(key)] != ':')
				wr_bytes(&text, line, strcspn(line, "\n") + 1);
		wr_str(&text, "commands: []\n");
		check(buf_text(&text), false, rows[i].message);
	}
	check("family: mcxn947\ntimestamp: 1\n", false, "t.yaml:1:1: missing key `certBlock`");
}

static void test_cert_block_refused(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "useIsk: false\nrootCertificate0File: " KEYS
		  "rot_p256_0.pub.pem\nmainRootCertId: 0\n",
			"good" },
		{ "rootCertificate0File: " KEYS "rot_p256_0.pub.pem\n",
			"t.yaml:1:1: missing key `useIsk`" },
		{ "useIsk: false\nmainRootCertId: 0\n",
			"t.yaml:1:1: rootCertificate0File missing" },
		{ "useIsk: false\nrootCertificate0File: " KEYS
		  "rot_p256_0.pub.pem\nrootCertificate2File: " KEYS
		  "rot_p256_2.pub.pem\nmainRootCertId: 0\n",
			"t.yaml:3:23: key `rootCertificate2File`: root key 2 given, but not root "
			"key 1" },
		{ "useIsk: false\nrootCertificate0File: " KEYS
		  "rot_p256_0.pub.pem\nrootCertificate1File: " KEYS
		  "rot_p384_1.pub.pem\nmainRootCertId: 0\n",
			"t.yaml:3:23: key `rootCertificate1File`: root key 1 is on P-384, root key "
			"0 on P-256: all must be on one curve" },
		{ "useIsk: false\nrootCertificate0File: " KEYS
		  "rot_p256_0.pub.pem\nmainRootCertId: 1\n",
			"t.yaml:3:17: key `mainRootCertId`: root key 1, but there are only 1" },
		{ "useIsk: false\nrootCertificate0File: " KEYS "rot_p256_0.pub.pem\n",
			"t.yaml:1:1: mainRootCertId missing (or signer, to find the root key by)" },
		{ "useIsk: false\nrootCertificate0File: " KEYS "rot_p256_0.pub.pem\nsigner: " KEYS
		  "rot_p256_0.pem\n",
			"good" },
		{ "useIsk: false\nrootCertificate0File: " KEYS "rot_p256_0.pub.pem\nsigner: " KEYS
		  "rot_p256_1.pem\n",
			"t.yaml:3:9: key `signer`: this is the private key of none of the 1 root "
			"keys" },
		{ "useIsk: true\nrootCertificate0File: " KEYS
		  "rot_p256_0.pub.pem\nmainRootCertId: 0\niskPublicKey: " KEYS "isk_p256.pub.pem\n",
			"t.yaml:1:1: signer missing (useIsk is true)" },
		{ "useIsk: true\nrootCertificate0File: " KEYS
		  "rot_p256_0.pub.pem\nmainRootCertId: 0\nsigner: " KEYS "rot_p256_0.pem\n",
			"t.yaml:1:1: iskPublicKey missing (useIsk is true)" },
		{ "useIsk: true\nrootCertificate0File: " KEYS
		  "rot_p256_0.pub.pem\nrootCertificate1File: " KEYS
		  "rot_p256_1.pub.pem\nmainRootCertId: 0\nsigner: " KEYS
		  "rot_p256_1.pem\niskPublicKey: " KEYS "isk_p256.pub.pem\n",
			"t.yaml:5:9: key `signer`: this is not the private key of root key 0, "
			"which mainRootCertId names; a block signed with it would not verify" },
		{ "useIsk: true\nrootCertificate0File: " KEYS "rot_p256_0.pub.pem\nsigner: " KEYS
		  "rot_p256_0.pem\niskPublicKey: " KEYS "isk_p384.pub.pem\n",
			"t.yaml:4:15: key `iskPublicKey`: a P-384 ISK under P-256 root keys is not "
			"supported" },
		{ "useIsk: true\nrootCertificate0File: " KEYS "rot_p256_0.pub.pem\nsigner: " KEYS
		  "rot_p256_0.pem\niskPublicKey: " KEYS
		  "isk_p256.pub.pem\niskCertificateConstraint: 0x100000000\n",
			"t.yaml:5:27: key `iskCertificateConstraint`: 0x100000000 is too large, at "
			"most 0xFFFFFFFF" },
		{ "useIsk: true\nrootCertificate0File: " KEYS "rot_p256_0.pub.pem\nsigner: " KEYS
		  "rot_p256_0.pem\niskPublicKey: " KEYS "isk_p256.pub.pem\niskCertData: " SB
		  "odd-loads/f15.bin\n",
			"t.yaml:5:14: key `iskCertData`: " SB
			"odd-loads/f15.bin: 15 bytes of user data, wanted a multiple of 4, at most "
			"96" },
		{ "useIsk: true\nrootCertificate0File: " KEYS "rot_p256_0.pub.pem\nsigner: " KEYS
		  "rot_p256_0.pem\niskPublicKey: " KEYS "isk_p256.pub.pem\nsignCertData: " SB
		  "stream-272/d209.bin\n",
			"t.yaml:5:15: key `signCertData`: " SB
			"stream-272/d209.bin: 209 bytes of user data, wanted a multiple of 4, at "
			"most 96" },
		/* The new name wins, and an empty text is no file. */
		{ "useIsk: true\nrootCertificate0File: " KEYS
		  "rot_p256_0.pub.pem\nrootCertificate1File: ''\nsigner: " KEYS
		  "rot_p256_0.pem\niskPublicKey: " KEYS
		  "isk_p256.pub.pem\nsigningCertificateFile: nothing-there\niskCertData: ''\n",
			"good" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		check(rows[i].text, true, rows[i].message);
}

/* A binary certificate block is checked before it is used. */
static void test_binary_cert_block(void **state)
{
	(void)state;
	char path[] = "/tmp/test_sb31_config.XXXXXX", text[600], want[300];
	AUTO(buf_clear) struct buf b = { 0 };
	struct err e = { 0 };
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(fsio_read(SB "p256-4roots-isk-p256/cert_block.bin", 4096, &b, &e), 0);
	snprintf(text, sizeof text,
		"family: mcxn947\ncertBlock: %s\nsigner: " KEYS
		"isk_p256.pem\ntimestamp: 5\nisEncrypted: false\ncommands: []\n",
		path);
	assert_int_equal(fsio_write(path, b.p, b.len, 0600, &e), 0);
	check(text, false, "good");

	b.p[b.len - 1] ^= 1; /* the ISK signature */
	assert_int_equal(fsio_write(path, b.p, b.len, 0600, &e), 0);
	AUTO(buf_clear) struct buf out = { 0 };
	snprintf(want, sizeof want,
		"%s: cert block: ISK certificate, root key 1: signature does not verify (ECDSA "
		"P-256, SHA-256)",
		path);
	assert_string_equal(verdict(text, false, &out, &e), want);
	assert_int_equal(e.code, ERR_REJECTED);

	b.p[b.len - 1] ^= 1;
	wr_zero(&b, 2);
	assert_int_equal(fsio_write(path, b.p, b.len, 0600, &e), 0);
	snprintf(want, sizeof want, "%s: 2 bytes behind the certificate block", path);
	assert_string_equal(verdict(text, false, &out, &e), want);
	unlink(path);
}

/* SOURCE_DATE_EPOCH fixes everything but the signatures. */
static void test_reproducible(void **state)
{
	(void)state;
	AUTO(buf_clear) struct buf a = { 0 }, b = { 0 };
	struct err e;
	char text[600];

	snprintf(text, sizeof text,
		"family: mcxn947\ncertBlock: " SB "no-commands/cert_block.bin\nsigner: " KEYS
		"rot_p256_0.pem\ncontainerKeyBlobEncryptionKey: " SB
		"no-commands/cust_mk_sk.txt\ncommands: [{execute: {address: 5}}]\n");
	assert_int_equal(setenv("SOURCE_DATE_EPOCH", "946684805", 1), 0);
	assert_string_equal(verdict(text, false, &a, &e), "good");
	assert_string_equal(verdict(text, false, &b, &e), "good");
	assert_int_equal(get_le64(a.p + 20), 5);
	assert_int_equal(a.len, b.len);
	memset(a.p + 172, 0, 64);
	memset(b.p + 172, 0, 64);
	assert_memory_equal(a.p, b.p, a.len);

	a.len = 0;
	assert_int_equal(setenv("SOURCE_DATE_EPOCH", "tomorrow", 1), 0);
	assert_string_equal(verdict(text, false, &a, &e),
		"SOURCE_DATE_EPOCH is \"tomorrow\", wanted seconds since 1970");
	assert_int_equal(setenv("SOURCE_DATE_EPOCH", "946684800", 1), 0);
	assert_string_equal(verdict(text, false, &a, &e),
		"the time is before 2000-01-01, where SB3.1 timestamps begin");
	unsetenv("SOURCE_DATE_EPOCH");

	/* Without it: local time, near now. */
	assert_string_equal(verdict(text, false, &a, &e), "good");
	time_t now = time(NULL);
	struct tm tm;
	localtime_r(&now, &tm);
	int64_t want = (int64_t)now + tm.tm_gmtoff - 946684800;
	int64_t seen = (int64_t)get_le64(a.p + 20);
	assert_true(seen >= want - 5 && seen <= want);
}

/* The core without configurations: what callers could get wrong. */
static void test_build_refused(void **state)
{
	(void)state;
	AUTO(ecc_key_freep) struct ecc_key *root = NULL, *other = NULL;
	AUTO(buf_clear) struct buf cert = { 0 }, out = { 0 };
	AUTO(sb31_items_clear) struct sb31_items items = { 0 };
	struct cert_block_build cb = { .n_roots = 1 };
	struct err e = { 0 };

	assert_int_equal(ecc_key_generate(&root, ECC_P384, &e), 0);
	assert_int_equal(ecc_key_generate(&other, ECC_P384, &e), 0);
	cb.roots[0] = *ecc_key_pub(root);
	cb.isk = *ecc_key_pub(other);
	cb.isk_signer = other;
	assert_int_equal(cert_block_build(&cb, &cert, &e), -1);
	assert_string_equal(e.msg, "the key that signs the ISK certificate is not root key 0");
	cert.len = 0;
	cb.isk_signer = NULL;
	cb.used_root = 1;
	assert_int_equal(cert_block_build(&cb, &cert, &e), -1);
	assert_string_equal(e.msg, "root key 1 is to be used, but there are only 1");
	cert.len = 0;
	cb.used_root = 0;
	assert_int_equal(cert_block_build(&cb, &cert, &e), 0);

	struct sb31_build b = {
		.timestamp = 1, .cert_block = cert.p, .cert_block_len = cert.len, .signer = other
	};
	assert_int_equal(sb31_build(&b, &items, &out, &e), -1);
	assert_string_equal(e.msg,
		"the signing key (P-384) is not the root key of the certificate block (P-384)");
	b.signer = root;
	b.timestamp = 0;
	assert_int_equal(sb31_build(&b, &items, &out, &e), -1);
	assert_string_equal(
		e.msg, "timestamp 0 is refused: other tools make undecryptable files of it");
	b.timestamp = 1;
	struct sb31_item *item = sb31_items_add(&items, SB31_ERASE);
	wr_le32(&item->data, 1);
	assert_int_equal(sb31_build(&b, &items, &out, &e), -1);
	assert_string_equal(e.msg, "command 1: erase: 4 bytes of data for a command that has 0");
	assert_int_equal(out.len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_commands_refused),
		cmocka_unit_test(test_fields_refused),
		cmocka_unit_test(test_cert_block_refused),
		cmocka_unit_test(test_binary_cert_block),
		cmocka_unit_test(test_reproducible),
		cmocka_unit_test(test_build_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

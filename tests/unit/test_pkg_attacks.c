/* The attack table: what somebody at the factory can do to a package, each by name, on the path
 * that the programs take (a file on disk, pkg_open), with the exact message and exit code 3. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/exit_status.h"
#include "base/json.h"
#include "base/text.h"
#include "crypt/digest.h"
#include "evidence_support.h"
#include "pkg/pkg.h"
#include "pkg_support.h"

#define ALICE "23962033fae784cc"
#define BOB   "a923cb1ea43e7f54"
#define CAROL "49a127988b50581e"

struct attack {
	const char *name;
	void (*make)(struct pk *p); /* ends with p->out filled */
	const char *message; /* behind "PATH: " */
	unsigned threshold; /* the station's, 0: one */
	int64_t now; /* 0: PK_NOW */
	const char *family;
	int64_t floor;
};

/* --- container: edits of a canonical file -------------------------------------------------------
 */

/* base.zip: where its third entry, docs/a.txt, has its two headers. */
enum { DOC_LOCAL = 192, DOC_CENTRAL = 545, BASE_END = 740 };

static void base(struct pk *p)
{
	memset(p, 0, sizeof *p);
	p->out = ev_file("zip/canonical/base.zip");
}

static void rename_doc(struct pk *p, const char *ten_bytes)
{
	base(p);
	memcpy(p->out.p + DOC_LOCAL + 30, ten_bytes, 10);
	memcpy(p->out.p + DOC_CENTRAL + 46, ten_bytes, 10);
}

static void path_up(struct pk *p)
{
	rename_doc(p, "../../a.tx");
}

static void path_absolute(struct pk *p)
{
	rename_doc(p, "/tmp/a.txt");
}

static void path_backslash(struct pk *p)
{
	rename_doc(p, "..\\..\\a.tx");
}

static void path_backslash_inside(struct pk *p)
{
	rename_doc(p, "docs\\a.txt");
}

static void path_nul(struct pk *p)
{
	rename_doc(p, "docs/a\0txt");
}

static void path_control(struct pk *p)
{
	rename_doc(p, "docs/\x1b[2Ja");
}

static void path_case_twin(struct pk *p)
{
	rename_doc(p, "docs/A.txt");
}

static void encrypted_entry(struct pk *p)
{
	base(p);
	p->out.p[DOC_LOCAL + 6] |= 1;
	p->out.p[DOC_CENTRAL + 8] |= 1;
}

static void overlapping(struct pk *p)
{
	base(p);
	put_le32(p->out.p + DOC_CENTRAL + 42, 73); /* the data of SHA256SUMS once more */
}

static void only_in_directory(struct pk *p)
{
	base(p);
	/* The record of docs/a.txt again, behind the last one; counts and sizes follow. */
	struct buf out = { 0 };
	wr_bytes(&out, p->out.p, BASE_END);
	wr_bytes(&out, p->out.p + DOC_CENTRAL, 56);
	memcpy(out.p + BASE_END + 46, "zocs/a.txt", 10);
	wr_bytes(&out, p->out.p + BASE_END, 22);
	put_le16(out.p + BASE_END + 56 + 8, 6);
	put_le16(out.p + BASE_END + 56 + 10, 6);
	put_le32(out.p + BASE_END + 56 + 12, 310 + 56);
	buf_clear(&p->out);
	p->out = out;
}

static void zip64_lie(struct pk *p)
{
	base(p);
	for (int i = 0; i < 8; i++)
		p->out.p[DOC_LOCAL + 18 + i] = p->out.p[DOC_CENTRAL + 20 + i] = 0xFF;
}

static void huge_count(struct pk *p)
{
	base(p);
	memset(p->out.p + BASE_END + 8, 0xFF, 4);
}

static void not_a_zip(struct pk *p)
{
	memset(p, 0, sizeof *p);
	wr_str(&p->out, "this is a text, long enough to be looked at");
}

static void empty_file(struct pk *p)
{
	memset(p, 0, sizeof *p);
}

#define VARIANT(f, file)                                                                           \
	static void f(struct pk *p)                                                                \
	{                                                                                          \
		memset(p, 0, sizeof *p);                                                           \
		p->out = ev_file("zip/variants/" file);                                            \
	}
VARIANT(name_over_long, "name-101.zip")
VARIANT(duplicate_entry, "duplicate.zip")
VARIANT(only_in_local, "hidden-local.zip")
VARIANT(names_differ, "name-mismatch.zip")
VARIANT(crc_differs, "crc-local-zero.zip")
VARIANT(crc_wrong, "crc-wrong.zip")
VARIANT(data_before, "data-before.zip")
VARIANT(data_between, "gap-between-entries.zip")
VARIANT(data_after, "data-after.zip")
VARIANT(archive_comment, "archive-comment.zip")
VARIANT(entry_comment, "entry-comment.zip")
VARIANT(extra_local, "extra-local.zip")
VARIANT(extra_central, "extra-central-ut.zip")
VARIANT(data_descriptor, "data-descriptor.zip")
VARIANT(zip64_record, "zip64-unneeded.zip")
VARIANT(compressed_entry, "deflated.zip")
VARIANT(symlink_mode, "symlink.zip")
VARIANT(folder_entry, "directory-entry.zip")
VARIANT(executable_mode, "mode-0755.zip")
VARIANT(too_many_entries, "sixty-five.zip")
VARIANT(wrong_order, "order-swapped.zip")
VARIANT(no_manifest, "no-manifest.zip")

/* --- files ---------------------------------------------------------------------------------------
 */

static void unlisted_file(struct pk *p)
{
	pk_default(p);
	pk_list(p);
	pk_seal(p);
	pk_sign(p, "alice");
	pk_add_entry(p, "docs/readme.txt", "hello\n", 6);
	pk_pack(p);
}

static void missing_file(struct pk *p)
{
	pk_default(p);
	pk_list(p);
	pk_seal(p);
	pk_sign(p, "alice");
	pk_remove_entry(p, "sb/image.sb3");
	pk_pack(p);
}

static void wrong_size(struct pk *p)
{
	pk_default(p);
	pk_list(p);
	pk_seal(p);
	pk_sign(p, "alice");
	wr_u8(&pk_entry(p, "sb/image.sb3")->data, 0);
	pk_pack(p);
}

static void wrong_digest(struct pk *p)
{
	pk_default(p);
	pk_list(p);
	pk_seal(p);
	pk_sign(p, "alice");
	pk_entry(p, "scripts/program.blhost")->data.p[0] = '#';
	pk_pack(p);
}

static void wrong_role(struct pk *p)
{
	pk_default(p);
	snprintf(pk_file(p, "sb/provisioning.sb3")->role, 24, "image-sb");
	pk_build(p, "alice");
}

static void role_and_path_differ(struct pk *p)
{
	pk_default(p);
	snprintf(pk_file(p, "scripts/program.blhost")->role, 24, "document");
	pk_build(p, "alice");
}

static void file_of_another_package(struct pk *p)
{
	struct pk other;

	pk_default(&other);
	pk_text(pk_file(&other, "scripts/program.blhost"), "receive-sb-file sb/image.sb3\n");
	pk_default(p);
	pk_list(p);
	pk_seal(p);
	pk_sign(p, "alice");
	const struct buf *from = &pk_file(&other, "scripts/program.blhost")->data;
	pk_set(pk_entry(p, "scripts/program.blhost"), from->p, from->len);
	pk_pack(p);
	pk_clear(&other);
}

static void sums_disagree(struct pk *p)
{
	pk_default(p);
	pk_list(p);
	/* Listed with its right digest, but it says something else than the manifest. */
	struct pk_file *sums = pk_file(p, "SHA256SUMS");
	sums->data.p[0] ^= 1;
	json_t *files = json_incref(json_object_get(p->manifest, "files"));
	for (size_t i = 0; i < p->n_files; i++)
		if (&p->files[i] == sums) {
			uint8_t d[32];
			char hex[65];
			sha256_of(sums->data.p, sums->data.len, d);
			json_object_set_new(json_array_get(files, i), "sha256",
				json_string(hex_encode(hex, d, 32)));
		}
	json_decref(files);
	pk_seal(p);
	pk_sign(p, "alice");
	pk_pack(p);
}

/* --- manifest ------------------------------------------------------------------------------------
 */

static void with_manifest(struct pk *p, const char *text)
{
	pk_default(p);
	pk_list(p);
	pk_seal_text(p, text);
	pk_sign(p, "alice");
	pk_pack(p);
}

static void duplicate_keys(struct pk *p)
{
	with_manifest(p, "{\"type\":\"mfgpkg-manifest\",\"sequence\":1,\"sequence\":99}");
}

static void deep_nesting(struct pk *p)
{
	char text[4001];

	memset(text, '[', 4000);
	text[4000] = 0;
	with_manifest(p, text);
}

static void not_json(struct pk *p)
{
	with_manifest(p, "product: acme");
}

static void edited(struct pk *p, const char *member, json_t *value)
{
	pk_default(p);
	pk_list(p);
	json_object_set_new(p->manifest, member, value);
	pk_seal(p);
	pk_sign(p, "alice");
	pk_pack(p);
}

static void huge_number(struct pk *p)
{
	edited(p, "sequence", json_integer(9007199254740992));
}

static void number_too_large_for_any(struct pk *p)
{
	with_manifest(p, "{\"type\":\"mfgpkg-manifest\",\"sequence\":99999999999999999999}");
}

static void fraction(struct pk *p)
{
	with_manifest(p, "{\"type\":\"mfgpkg-manifest\",\"sequence\":1.5}");
}

static void unknown_member(struct pk *p)
{
	edited(p, "critical", json_true());
}

static void wrong_type(struct pk *p)
{
	edited(p, "sequence", json_string("17"));
}

static void other_format(struct pk *p)
{
	edited(p, "format", json_integer(2));
}

static void missing_member(struct pk *p)
{
	pk_default(p);
	pk_list(p);
	json_object_del(p->manifest, "policy");
	pk_seal(p);
	pk_sign(p, "alice");
	pk_pack(p);
}

static void two_scripts(struct pk *p)
{
	pk_default(p);
	pk_add_file(p, "scripts/second.blhost", "script", "reset\n");
	pk_build(p, "alice");
}

/* --- signatures ----------------------------------------------------------------------------------
 */

static void good(struct pk *p)
{
	pk_default(p);
	pk_build(p, "alice");
}

static void not_signed(struct pk *p)
{
	pk_default(p);
	pk_list(p);
	pk_seal(p);
	pk_pack(p);
}

static void unknown_key(struct pk *p)
{
	pk_default(p);
	pk_build(p, "carol");
}

static void manifest_edited_after_signing(struct pk *p)
{
	pk_default(p);
	pk_list(p);
	pk_seal(p);
	pk_sign(p, "alice");
	struct buf *m = &pk_entry(p, CONTAINER_FIRST)->data;
	char *at = strstr((char *)m->p, "\"sequence\":17");
	assert_non_null(at);
	memcpy(at, "\"sequence\":18", 13);
	pk_pack(p);
}

static void signature_of_another_file(struct pk *p)
{
	AUTO(buf_clear) struct buf sig = { 0 };
	struct minisign_key *key = pk_key("alice");

	pk_default(p);
	pk_list(p);
	pk_seal(p);
	const struct buf *image = &pk_entry(p, "sb/image.sb3")->data;
	assert_int_equal(minisign_key_sign(key, image->p, image->len, "x", &sig, NULL), 0);
	minisign_key_free(key);
	pk_add_entry(p, "signatures/" ALICE ".minisig", sig.p, sig.len);
	pk_pack(p);
}

static void altered_trusted_comment(struct pk *p)
{
	pk_default(p);
	pk_list(p);
	pk_seal(p);
	pk_sign(p, "alice");
	struct buf *sig = &pk_entry(p, "signatures/" ALICE ".minisig")->data;
	char *at = memmem(sig->p, sig->len, "approved", 8);
	assert_non_null(at);
	*at = 'A';
	pk_pack(p);
}

static void one_good_one_bad_signature(struct pk *p)
{
	pk_default(p);
	pk_list(p);
	pk_seal(p);
	pk_sign(p, "alice");
	pk_sign(p, "bob");
	struct buf *sig = &pk_entry(p, "signatures/" BOB ".minisig")->data;
	char *at = memmem(sig->p, sig->len, "approved", 8);
	assert_non_null(at);
	*at = 'A';
	pk_pack(p);
}

static void malformed_signature(struct pk *p)
{
	pk_default(p);
	pk_list(p);
	pk_seal(p);
	pk_sign(p, "alice");
	pk_add_entry(p, "signatures/" CAROL ".minisig", "x\n", 2);
	pk_pack(p);
}

static void signature_under_another_name(struct pk *p)
{
	pk_default(p);
	pk_list(p);
	pk_seal(p);
	pk_sign(p, "alice");
	struct pk_file *sig = pk_entry(p, "signatures/" ALICE ".minisig");
	snprintf(sig->path, sizeof sig->path, "signatures/" BOB ".minisig");
	pk_pack(p);
}

static void approval_counted_twice(struct pk *p)
{
	AUTO(buf_clear) struct buf sig = { 0 };
	struct minisign_key *again = pk_key_renumbered("alice", "cd84e7fa33209623");
	char name[64], id[17];

	pk_default(p);
	pk_list(p);
	pk_seal(p);
	pk_sign(p, "alice");
	const struct buf *m = &pk_entry(p, CONTAINER_FIRST)->data;
	assert_int_equal(minisign_key_sign(again, m->p, m->len, "again", &sig, NULL), 0);
	snprintf(name, sizeof name, "signatures/%s.minisig",
		minisign_id_hex(id, minisign_key_pub(again)->id));
	pk_add_entry(p, name, sig.p, sig.len);
	minisign_key_free(again);
	pk_pack(p);
}

static void needs_two(struct pk *p)
{
	pk_default(p);
	pk_list(p);
	json_object_set_new(json_object_get(p->manifest, "policy"), "approvals", json_integer(2));
	pk_seal(p);
}

static void too_few_approvals(struct pk *p)
{
	needs_two(p);
	pk_sign(p, "alice");
	pk_sign(p, "carol"); /* not trusted */
	pk_pack(p);
}

static void threshold_lowered(struct pk *p)
{
	needs_two(p);
	pk_sign(p, "alice");
	struct buf *m = &pk_entry(p, CONTAINER_FIRST)->data;
	char *at = strstr((char *)m->p, "\"approvals\":2");
	assert_non_null(at);
	at[12] = '1';
	pk_pack(p);
}

/* --- SB3.1 files
 * ---------------------------------------------------------------------------------- */

static void wrong_rkth(struct pk *p)
{
	edited(p, "rkth",
		json_string("abababababababababababababababababababababababababababababababab"));
}

static void image_of_other_keys(struct pk *p)
{
	AUTO(buf_clear) struct buf other = pk_vector("sb31/p256-1root-kdk0/expected.sb3");

	pk_default(p);
	pk_set(pk_file(p, "sb/image.sb3"), other.p, other.len);
	pk_build(p, "alice");
}

static void sb_files_swapped(struct pk *p)
{
	pk_default(p);
	struct buf *a = &pk_file(p, "sb/image.sb3")->data;
	struct buf *b = &pk_file(p, "sb/provisioning.sb3")->data;
	struct buf t = *a;
	*a = *b;
	*b = t;
	pk_build(p, "alice");
}

static void unencrypted_image(struct pk *p)
{
	AUTO(buf_clear) struct buf plain = pk_vector("sb31/p256-unencrypted-all/expected.sb3");
	AUTO(json_freep)
	json_t *facts =
		json_load_file("tests/vectors/sb31/p256-unencrypted-all/case.json", 0, NULL);

	pk_default(p);
	pk_set(pk_file(p, "sb/image.sb3"), plain.p, plain.len);
	pk_list(p);
	json_object_set(p->manifest, "rkth", json_object_get(facts, "rkth"));
	pk_seal(p);
	pk_sign(p, "alice");
	pk_pack(p);
}

static void unencrypted_provisioning(struct pk *p)
{
	AUTO(buf_clear) struct buf plain = pk_vector("sb31/devhsm-mock/expected.sb3");

	pk_default(p); /* payloads XORed with one byte: padding shows */
	pk_set(pk_file(p, "sb/provisioning.sb3"), plain.p, plain.len);
	pk_build(p, "alice");
}

static void image_with_flipped_byte(struct pk *p)
{
	pk_default(p);
	pk_file(p, "sb/image.sb3")->data.p[3000] ^= 1;
	pk_build(p, "alice");
}

static void image_with_flipped_signature(struct pk *p)
{
	pk_default(p);
	struct buf *image = &pk_file(p, "sb/image.sb3")->data;
	image->p[get_le32(image->p + 0x20) - 1] ^= 1;
	pk_build(p, "alice");
}

static void image_cut(struct pk *p)
{
	pk_default(p);
	pk_file(p, "sb/image.sb3")->data.len -= 292;
	pk_build(p, "alice");
}

static void image_is_firmware(struct pk *p)
{
	pk_default(p);
	pk_text(pk_file(p, "sb/image.sb3"),
		"plain firmware, long enough to be a header of sixty bytes....");
	pk_build(p, "alice");
}

/* --- script
 * ---------------------------------------------------------------------------------------- */

static void with_script(struct pk *p, const char *text)
{
	pk_default(p);
	pk_text(pk_file(p, "scripts/program.blhost"), text);
	pk_build(p, "alice");
}

#define SCRIPT(f, text)                                                                            \
	static void f(struct pk *p)                                                                \
	{                                                                                          \
		with_script(p, text);                                                              \
	}
SCRIPT(script_unknown_verb, "flash-erase-all\nformat-disk\n")
SCRIPT(script_shell, "flash-erase-all\nreset; rm -rf /\n")
SCRIPT(script_host_path, "flash-erase-all\nreceive-sb-file /home/oem/image.sb3\n")
SCRIPT(script_path_up, "flash-erase-all\nwrite-memory 0x20000000 ../secret.bin\n")
SCRIPT(script_no_timeout, "@stage erase timeout=0s\nflash-erase-all\n")
SCRIPT(script_endless_timeout, "@stage erase timeout=never\nflash-erase-all\n")
SCRIPT(script_no_steps, "@title \"nothing\"\n# nothing\n")
SCRIPT(script_empty, "")
SCRIPT(script_file_not_in_package, "flash-erase-all\nreceive-sb-file sb/other.sb3\n")
SCRIPT(script_wrong_file, "flash-erase-all\nreceive-sb-file scripts/program.blhost\n")
SCRIPT(script_sends_sb_plainly, "flash-erase-all\nwrite-memory 0x0 sb/image.sb3\n")
SCRIPT(script_hides_provisioning,
	"flash-erase-all\n@stage x\nreceive-sb-file sb/provisioning.sb3\n")
SCRIPT(script_hides_fuses, "flash-erase-all\nefuse-program-once 1 0300000F\n")
SCRIPT(script_without_attestation, "flash-erase-all\nreceive-sb-file sb/image.sb3\n")
SCRIPT(script_skips_attestation,
	"flash-erase-all\n@stage a skip-if=lifecycle>=in-field\ndice-attest\n")
SCRIPT(script_without_erase, "receive-sb-file sb/image.sb3\ndice-attest\n")

static void garbage_provenance(struct pk *p)
{
	pk_default(p);
	pk_list(p);
	pk_seal(p);
	pk_sign(p, "alice");
	pk_add_entry(p, PKG_PROVENANCE, "hello\n", 6);
	pk_pack(p);
}

static void foreign_provenance(struct pk *p)
{
	AUTO(buf_clear) struct buf proof = ev_file("example-log/proofs/3-device-begin.tlog-proof");

	pk_default(p);
	pk_list(p);
	pk_seal(p);
	pk_sign(p, "alice");
	pk_add_entry(p, PKG_PROVENANCE, proof.p, proof.len);
	pk_pack(p);
}

/* --- the table
 * ------------------------------------------------------------------------------------- */

static const struct attack attacks[] = {
	{ .name = "path up",
		.make = path_up,
		.message = "name \"../../a.tx\": path component begins with a dot" },
	{ .name = "path absolute",
		.make = path_absolute,
		.message = "name \"/tmp/a.txt\": absolute path" },
	{ .name = "path backslash",
		.make = path_backslash,
		.message = "name \"..\\x5c..\\x5ca.tx\": path component begins with a dot" },
	{ .name = "path backslash inside",
		.make = path_backslash_inside,
		.message = "name \"docs\\x5ca.txt\": character 0x5c at 4, a-z 0-9 . _ - / wanted" },
	{ .name = "path nul",
		.make = path_nul,
		.message = "name \"docs/a\\x00txt\": character 0x00 at 6, a-z 0-9 . _ - / wanted" },
	{ .name = "path control",
		.make = path_control,
		.message = "name \"docs/\\x1b[2Ja\": character 0x1b at 5, a-z 0-9 . _ - / wanted" },
	{ .name = "path case twin",
		.make = path_case_twin,
		.message = "name \"docs/A.txt\": character 0x41 at 5, a-z 0-9 . _ - / wanted" },
	{ .name = "encrypted entry",
		.make = encrypted_entry,
		.message = "directory record at 545: flags 0x1, 0x0 wanted" },
	{ .name = "overlapping",
		.make = overlapping,
		.message = "\"docs/a.txt\": local header at 73, 192 wanted (gap, overlap or hidden "
			   "data)" },
	{ .name = "only in directory",
		.make = only_in_directory,
		.message = "\"zocs/a.txt\": local header at 192, 430 wanted (gap, overlap or "
			   "hidden data)" },
	{ .name = "zip64 lie",
		.make = zip64_lie,
		.message = "\"docs/a.txt\": 4294967295 bytes reach into the directory at 430" },
	{ .name = "huge count",
		.make = huge_count,
		.message = "end record: 65535 entries, at most 64 wanted" },
	{ .name = "not a zip",
		.make = not_a_zip,
		.message = "no end record at 21: cut off, a comment, or data behind it" },
	{ .name = "empty file", .make = empty_file, .message = "empty file" },
	{ .name = "name over long",
		.make = name_over_long,
		.message = "name "
			   "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
			   "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\": 101 bytes, at most 100 wanted" },
	{ .name = "duplicate entry",
		.make = duplicate_entry,
		.message = "\"docs/a.txt\": there twice" },
	{ .name = "only in local",
		.make = only_in_local,
		.message = "\"sb/image.sb3\": local header at 284, 238 wanted (gap, overlap or "
			   "hidden data)" },
	{ .name = "names differ",
		.make = names_differ,
		.message = "local header at 192: another name than \"docs/a.txt\"" },
	{ .name = "crc differs",
		.make = crc_differs,
		.message = "local header at 192: CRC-32 0x0, 0x363a3020 wanted" },
	{ .name = "crc wrong",
		.make = crc_wrong,
		.message = "\"docs/a.txt\": CRC-32 363a3020, 00000001 wanted" },
	{ .name = "data before",
		.make = data_before,
		.message = "\"manifest.json\": local header at 10, 0 wanted (gap, overlap or "
			   "hidden data)" },
	{ .name = "data between",
		.make = data_between,
		.message = "\"docs/a.txt\": local header at 193, 192 wanted (gap, overlap or "
			   "hidden data)" },
	{ .name = "data after",
		.make = data_after,
		.message = "no end record at 741: cut off, a comment, or data behind it" },
	{ .name = "archive comment",
		.make = archive_comment,
		.message = "no end record at 749: cut off, a comment, or data behind it" },
	{ .name = "entry comment",
		.make = entry_comment,
		.message = "directory record at 545: comment length 0x1, 0x0 wanted" },
	{ .name = "extra local",
		.make = extra_local,
		.message = "local header at 192: extra field length 0x4, 0x0 wanted" },
	{ .name = "extra central",
		.make = extra_central,
		.message = "directory record at 545: extra field length 0x9, 0x0 wanted" },
	{ .name = "data descriptor",
		.make = data_descriptor,
		.message = "directory record at 561: flags 0x8, 0x0 wanted" },
	{ .name = "zip64 record",
		.make = zip64_record,
		.message = "end record: directory of 310 bytes at 430 does not end at 816" },
	{ .name = "compressed entry",
		.make = compressed_entry,
		.message = "directory record at 547: version needed 0x14, 0xa wanted" },
	{ .name = "symlink mode",
		.make = symlink_mode,
		.message = "directory record at 545: external attributes 0xa1ff0000, 0x81a40000 "
			   "wanted" },
	{ .name = "folder entry",
		.make = folder_entry,
		.message = "directory record at 580: external attributes 0x41ed0010, 0x81a40000 "
			   "wanted" },
	{ .name = "executable mode",
		.make = executable_mode,
		.message = "directory record at 545: external attributes 0x81ed0000, 0x81a40000 "
			   "wanted" },
	{ .name = "too many entries",
		.make = too_many_entries,
		.message = "end record: 65 entries, at most 64 wanted" },
	{ .name = "wrong order",
		.make = wrong_order,
		.message = "\"SHA256SUMS\" after \"docs/a.txt\": wrong order" },
	{ .name = "no manifest",
		.make = no_manifest,
		.message = "first entry is \"SHA256SUMS\", manifest.json wanted" },
	{ .name = "unlisted file",
		.make = unlisted_file,
		.message = "docs/readme.txt: not listed in manifest.json" },
	{ .name = "missing file",
		.make = missing_file,
		.message = "sb/image.sb3: listed in manifest.json, but not in the package" },
	{ .name = "wrong size",
		.make = wrong_size,
		.message = "sb/image.sb3: 5473 bytes, manifest.json says 5472" },
	{ .name = "wrong digest",
		.make = wrong_digest,
		.message = "scripts/program.blhost: SHA-256 "
			   "efb1852c566223ab0f5f95f3dc057e9ce65d48e6d340b28bcb5e7fe960037053, "
			   "manifest.json says "
			   "84cbb9f041477e533f0225815af3ecd6b4382dc6582a67386cf8f2d48fa59cad" },
	{ .name = "wrong role",
		.make = wrong_role,
		.message = "sb/provisioning.sb3: a device-HSM container, but its role is "
			   "\"image-sb\"" },
	{ .name = "role and path differ",
		.make = role_and_path_differ,
		.message = "manifest.json: files[2].role: role \"document\" does not fit the path "
			   "\"scripts/program.blhost\"" },
	{ .name = "file of another package",
		.make = file_of_another_package,
		.message = "scripts/program.blhost: 29 bytes, manifest.json says 329" },
	{ .name = "sums disagree",
		.make = sums_disagree,
		.message = "SHA256SUMS: line 1 does not agree with the manifest" },
	{ .name = "duplicate keys",
		.make = duplicate_keys,
		.message = "manifest.json: line 1 column 49: duplicate object key near "
			   "'\\x22sequence\\x22'" },
	{ .name = "deep nesting",
		.make = deep_nesting,
		.message = "manifest.json: nested deeper than 16" },
	{ .name = "not json",
		.make = not_json,
		.message = "manifest.json: line 1 column 7: '[' or '{' expected near 'product'" },
	{ .name = "huge number",
		.make = huge_number,
		.message = "manifest.json: number 9007199254740992 is beyond 2^53-1" },
	{ .name = "number too large for any",
		.make = number_too_large_for_any,
		.message = "manifest.json: line 1 column 57: too big integer near "
			   "'99999999999999999999'" },
	{ .name = "fraction",
		.make = fraction,
		.message =
			"manifest.json: a number with fraction or exponent, whole numbers wanted" },
	{ .name = "unknown member",
		.make = unknown_member,
		.message = "manifest.json: unknown member \"critical\"" },
	{ .name = "wrong type",
		.make = wrong_type,
		.message = "manifest.json: sequence: text, a whole number wanted" },
	{ .name = "other format",
		.make = other_format,
		.message = "manifest.json: format: 2, this program knows format 1" },
	{ .name = "missing member",
		.make = missing_member,
		.message = "manifest.json: policy: missing, an object wanted" },
	{ .name = "two scripts",
		.make = two_scripts,
		.message =
			"manifest.json: files: 2 files with role \"script\", exactly one wanted" },
	{ .name = "not signed", .make = not_signed, .message = "manifest.json: not signed" },
	{ .name = "unknown key",
		.make = unknown_key,
		.message = "manifest.json: signed by the unknown key 49a127988b50581e only" },
	{ .name = "manifest edited after signing",
		.make = manifest_edited_after_signing,
		.message = "signatures/23962033fae784cc.minisig: signature by key 23962033fae784cc "
			   "does not verify" },
	{ .name = "signature of another file",
		.make = signature_of_another_file,
		.message = "signatures/23962033fae784cc.minisig: signature by key 23962033fae784cc "
			   "does not verify" },
	{ .name = "altered trusted comment",
		.make = altered_trusted_comment,
		.message = "signatures/23962033fae784cc.minisig: trusted comment of the signature "
			   "by key 23962033fae784cc does not verify" },
	{ .name = "one good one bad signature",
		.make = one_good_one_bad_signature,
		.message = "signatures/a923cb1ea43e7f54.minisig: trusted comment of the signature "
			   "by key a923cb1ea43e7f54 does not verify" },
	{ .name = "malformed signature",
		.make = malformed_signature,
		.message =
			"signatures/49a127988b50581e.minisig: 1 lines that end in LF, 4 wanted" },
	{ .name = "signature under another name",
		.make = signature_under_another_name,
		.message = "signatures/a923cb1ea43e7f54.minisig: holds a signature by key "
			   "23962033fae784cc" },
	{ .name = "too few approvals",
		.make = too_few_approvals,
		.message = "manifest.json: 1 of 2 approvals (the manifest's threshold)" },
	{ .name = "threshold lowered",
		.make = threshold_lowered,
		.message = "signatures/23962033fae784cc.minisig: signature by key 23962033fae784cc "
			   "does not verify" },
	{ .name = "wrong rkth",
		.make = wrong_rkth,
		.message = "sb/image.sb3: RKTH "
			   "db06c72b7260998cef233d26a1560d41f9437b583bca315ff6d905153cafb33f, the "
			   "manifest says "
			   "abababababababababababababababababababababababababababababababab" },
	{ .name = "image of other keys",
		.make = image_of_other_keys,
		.message = "sb/image.sb3: RKTH "
			   "118fab9b2dd4f99dcd16596a2336c422ea91ff54c62ed192b39df5e6b33f58f7, the "
			   "manifest says "
			   "db06c72b7260998cef233d26a1560d41f9437b583bca315ff6d905153cafb33f" },
	{ .name = "sb files swapped",
		.make = sb_files_swapped,
		.message = "sb/image.sb3: a device-HSM container, but its role is \"image-sb\"" },
	{ .name = "unencrypted image",
		.make = unencrypted_image,
		.message = "sb/image.sb3: not encrypted: block 1 is a plain section header" },
	{ .name = "unencrypted provisioning",
		.make = unencrypted_provisioning,
		.message =
			"sb/provisioning.sb3: not encrypted: block 8 has 32 equal bytes in a row" },
	{ .name = "image with flipped byte",
		.make = image_with_flipped_byte,
		.message = "sb/image.sb3: SB3.1: block 9 of 17: SHA-256 differs from the one "
			   "before it says" },
	{ .name = "image with flipped signature",
		.make = image_with_flipped_signature,
		.message = "sb/image.sb3: SB3.1: block 0: signature does not verify (ECDSA P-256, "
			   "SHA-256)" },
	{ .name = "image cut",
		.make = image_cut,
		.message = "sb/image.sb3: SB3.1: 5180 bytes, wanted 5472 (block 0 of 508, 17 "
			   "blocks of 292)" },
	{ .name = "image is firmware",
		.make = image_is_firmware,
		.message = "sb/image.sb3: SB3.1: magic is 706c6169, wanted \"sbv3\"" },
	{ .name = "script unknown verb",
		.make = script_unknown_verb,
		.message =
			"scripts/program.blhost: line 2 column 1: unknown verb \"format-disk\"" },
	{ .name = "script shell",
		.make = script_shell,
		.message = "scripts/program.blhost: line 2 column 1: unknown verb \"reset;\"; did "
			   "you mean reset?" },
	{ .name = "script host path",
		.make = script_host_path,
		.message = "scripts/program.blhost: line 2 column 17: files are names inside the "
			   "package, host paths are not: name \"/home/oem/image.sb3\": absolute "
			   "path" },
	{ .name = "script path up",
		.make = script_path_up,
		.message = "scripts/program.blhost: line 2 column 25: files are names inside the "
			   "package, host paths are not: name \"../secret.bin\": path component "
			   "begins with a dot" },
	{ .name = "script no timeout",
		.make = script_no_timeout,
		.message = "scripts/program.blhost: line 1 column 14: timeout \"0s\": a time from "
			   "1ms to 60m wanted, like 60s" },
	{ .name = "script endless timeout",
		.make = script_endless_timeout,
		.message = "scripts/program.blhost: line 1 column 14: timeout \"never\": a time "
			   "from 1ms to 60m wanted, like 60s" },
	{ .name = "script no steps",
		.make = script_no_steps,
		.message = "scripts/program.blhost: no steps" },
	{ .name = "script empty",
		.make = script_empty,
		.message = "scripts/program.blhost: no steps" },
	{ .name = "script file not in package",
		.make = script_file_not_in_package,
		.message =
			"scripts/program.blhost: line 2: \"sb/other.sb3\" is not in the package" },
	{ .name = "script wrong file",
		.make = script_wrong_file,
		.message = "scripts/program.blhost: line 2: receive-sb-file of "
			   "\"scripts/program.blhost\", which has role \"script\"" },
	{ .name = "script sends sb plainly",
		.make = script_sends_sb_plainly,
		.message = "scripts/program.blhost: line 2: write-memory of \"sb/image.sb3\", "
			   "which has role \"image-sb\"" },
	{ .name = "script hides provisioning",
		.make = script_hides_provisioning,
		.message = "scripts/program.blhost: line 3: \"sb/provisioning.sb3\" cannot be "
			   "undone: stage \"x\" must be marked irreversible" },
	{ .name = "script hides fuses",
		.make = script_hides_fuses,
		.message = "scripts/program.blhost: line 2 column 1: efuse-program-once cannot be "
			   "undone: stage \"main\" must be marked irreversible" },
	{ .name = "script without attestation",
		.make = script_without_attestation,
		.message = "scripts/program.blhost: the policy requires attestation, but no stage "
			   "that always runs has dice-attest" },
	{ .name = "script skips attestation",
		.make = script_skips_attestation,
		.message = "scripts/program.blhost: the policy requires attestation, but no stage "
			   "that always runs has dice-attest" },
	{ .name = "script without erase",
		.make = script_without_erase,
		.message = "scripts/program.blhost: the policy says erase first, but the first "
			   "step that changes the device is not flash-erase-all" },
	{ .name = "garbage provenance",
		.make = garbage_provenance,
		.message = "provenance/workspace.tlog-proof: first line is not "
			   "\"c2sp.org/tlog-proof@v1\"" },
	{ .name = "foreign provenance",
		.make = foreign_provenance,
		.message = "provenance/workspace.tlog-proof: a leaf of kind \"device-begin\", "
			   "\"package\" wanted" },
	{ .name = "expired",
		.make = good,
		.message = "expired at 2030-01-01T00:00:00Z, now is 2030-01-01T00:00:00Z",
		.now = 1893456000 },
	{ .name = "not yet valid",
		.make = good,
		.message = "not valid before 2026-11-20T00:00:00Z, now is 2026-11-19T23:59:59Z",
		.now = 1795132799 },
	{ .name = "older sequence",
		.make = good,
		.message = "sequence 17 of product \"acme-thermostat\": 18 or higher wanted "
			   "(rolled back)",
		.floor = 18 },
	{ .name = "wrong family",
		.make = good,
		.message = "made for family mcxn947, not for mcxn946",
		.family = "mcxn946" },
	{ .name = "station wants two approvals",
		.make = good,
		.message = "manifest.json: 1 of 2 approvals (the trusted keys' threshold)",
		.threshold = 2 },
	{ .name = "one approval counted twice",
		.make = approval_counted_twice,
		.message = "manifest.json: 1 of 2 approvals (the trusted keys' threshold)",
		.threshold = 2 },
};
enum { N_ATTACKS = sizeof attacks / sizeof *attacks };

static void attack(void **state)
{
	const struct attack *a = *state;
	static unsigned number;
	const char *path = ev_path("%u.mfgpkg", number++);
	struct trust t = pk_trust(a->threshold ? a->threshold : 1, "alice", "bob", NULL);
	struct pkg_expect x = { .verify_sb = true,
		.now = a->now ? a->now : PK_NOW,
		.family = a->family ? a->family : "mcxn947",
		.sequence_floor = a->floor ? a->floor : 17,
		.runner_version = "1.0.0" };
	AUTO(pkg_freep) struct pkg *opened = NULL;
	struct pkg_facts facts;
	struct err e = { 0 };
	char want[700];
	struct pk p;

	a->make(&p);
	ev_write(path, p.out.len ? (void *)p.out.p : "", p.out.len);
	pk_clear(&p);
	if (pkg_open(&opened, path, &t, &x, &facts, &e) == 0)
		fail_msg("%s: accepted", a->name);
	assert_null(opened);
	snprintf(want, sizeof want, "%s: %s", path, a->message);
	if (strcmp(e.msg, want) != 0)
		fail_msg("%s:\n  \"%s\", wanted\n  \"%s\"", a->name, e.msg, want);
	assert_int_equal(exit_status_of(e.code), EXIT_REJECTED);
	/* What an attacker wrote gets into no log. */
	if (facts.signers.approvals == 0)
		assert_false(facts.have_manifest);
}

int main(void)
{
	static struct CMUnitTest tests[N_ATTACKS];

	for (size_t i = 0; i < N_ATTACKS; i++)
		tests[i] = (struct CMUnitTest){ .name = attacks[i].name,
			.test_func = attack,
			.initial_state = (void *)(uintptr_t)&attacks[i] };
	return _cmocka_run_group_tests("attacks", tests, N_ATTACKS, NULL, NULL);
}

/* Recorded sessions, device side: every transcript that is marked for devices, byte for byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/json.h"
#include "base/text.h"
#include "crypt/ecc.h"
#include "tests/unit/sim_host.h"

#define DIR "tests/vectors/mboot/"

struct frame {
	bool from_host;
	uint8_t bytes[1024];
	size_t len;
};

static struct frame frames[512];
static size_t n_frames;

static void load_frames(const char *file)
{
	AUTO(buf_clear) struct buf b = { 0 };
	char path[256], *save = NULL;
	struct err e = { 0 };

	snprintf(path, sizeof path, DIR "%s", file);
	sim_host_read_file(path, &b);
	wr_u8(&b, 0);
	n_frames = 0;
	for (char *line = strtok_r((char *)b.p, "\n", &save); line;
		line = strtok_r(NULL, "\n", &save)) {
		AUTO(json_freep) json_t *j = json_read(file, line, strlen(line), &e);
		assert_non_null(j);
		assert_true(n_frames < sizeof frames / sizeof frames[0]);
		struct frame *f = &frames[n_frames++];
		const char *hex = json_string_value(json_object_get(j, "hex"));
		f->from_host = strcmp(json_string_value(json_object_get(j, "dir")), "h2d") == 0;
		f->len = strlen(hex) / 2;
		assert_true(f->len <= sizeof f->bytes);
		assert_int_equal(hex_decode(f->bytes, f->len, hex), 0);
	}
}

/* The first command of the transcript: what "the first command" in a behaviour means. */
static unsigned first_tag(void)
{
	for (size_t i = 0; i < n_frames; i++)
		if (frames[i].from_host && frames[i].bytes[1] == MBOOT_FRAME_COMMAND)
			return frames[i].bytes[6];
	return 0;
}

static size_t add_faults(const json_t *behaviour, char text[8][96])
{
	static const struct {
		const char *key, *format;
	} pairs[] = { { "write_abort", "*:abort=%lld@write-memory+%lld" },
		{ "sb_abort", "*:abort=%lld@receive-sb-file+%lld" },
		{ "read_abort", "*:abort=%lld@read-memory+%lld" } };
	size_t n = 0, known = 0;
	const char *tag;
	json_t *code;

	json_object_foreach(json_object_get(behaviour, "status"), tag, code) snprintf(
		text[n++], 96, "*:refuse=%lld@%sx*", (long long)json_integer_value(code), tag);
	known += json_object_get(behaviour, "status") != NULL;
	known += json_object_get(behaviour, "read_generic") != NULL;
	for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
		json_t *p = json_object_get(behaviour, pairs[i].key);
		if (!p)
			continue;
		char *t = text[n++];
		const char *percent = strstr(pairs[i].format, "%lld@");
		snprintf(t, 96, "%.*s%lld@", (int)(percent - pairs[i].format), pairs[i].format,
			(long long)json_integer_value(json_array_get(p, 1)));
		const char *name = strchr(pairs[i].format, '@') + 1;
		snprintf(t + strlen(t), 96 - strlen(t), "%.*s+%lld",
			(int)(strchr(name, '+') - name), name,
			(long long)json_integer_value(json_array_get(p, 0)));
		known++;
	}
	for (size_t i = 0; i < 6; i++) {
		static const struct {
			const char *key, *before, *after;
		} counts[] = { { "write_final", "*:final=", "@write-memory" },
			{ "sb_final", "*:final=", "@receive-sb-file" },
			{ "nak_data", "*:nak=", "@write-memory+1" },
			{ "bad_crc_data", "*:bad-crc", "@read-memory+1" },
			{ "reset_silent", "*:no-answer", "@reset" }, { "", "", "" } };
		json_t *v = json_object_get(behaviour, counts[i].key);
		if (!v)
			continue;
		known++;
		if (counts[i].before[strlen(counts[i].before) - 1] == '=')
			snprintf(text[n++], 96, "%s%lld%s", counts[i].before,
				(long long)json_integer_value(v), counts[i].after);
		else
			snprintf(text[n++], 96, "%s%s", counts[i].before, counts[i].after);
	}
	json_t *nak = json_object_get(behaviour, "nak_cmd");
	if (nak) {
		known++;
		snprintf(text[n++], 96, "*:nak=%lld@%u", (long long)json_integer_value(nak),
			first_tag());
	}
	if (json_object_get(behaviour, "bad_crc_rsp")) {
		known++;
		snprintf(text[n++], 96, "*:bad-crc@%u", first_tag());
	}
	assert_int_equal(known, json_object_size(behaviour)); /* nothing was overlooked */
	return n;
}

static void prepare(struct sim_host *h, const json_t *c)
{
	struct sim_options o = sim_host_options(1);
	char text[8][96];
	const char *faults[9] = { 0 };
	uint8_t bytes[2048];
	const char *hex, *index;
	json_t *v;
	size_t i;

	size_t n = add_faults(json_object_get(c, "device_behaviour"), text);
	for (i = 0; i < n; i++)
		faults[i] = text[i];
	o.max_packet = (uint32_t)json_integer_value(json_object_get(c, "max_packet_size"));
	sim_host_start(h, &o, faults);
	hex = json_string_value(json_object_get(c, "device_uuid"));
	assert_int_equal(hex_decode(bytes, SIM_UUID_LEN, hex), 0);
	sim_device_set_uuid(h->d, bytes);
	/* The made-up SB files of these sessions are no SB files. */
	h->d->faults.swallow_sb = strstr(json_string_value(json_object_get(c, "file")), "sb");
	json_array_foreach(json_object_get(c, "device_random"), i, v)
	{
		assert_int_equal(hex_decode(bytes, 32, json_string_value(v)), 0);
		sim_rng_feed(&h->d->rng, bytes);
	}
	json_array_foreach(json_object_get(c, "initial_memory"), i, v)
	{
		uint64_t addr;
		hex = json_string_value(json_object_get(v, "hex"));
		assert_int_equal(hex_decode(bytes, strlen(hex) / 2, hex), 0);
		assert_int_equal(
			number_parse(json_string_value(json_object_get(v, "address")), &addr), 0);
		assert_true(sim_memory_ram_put(&h->d->mem, (uint32_t)addr, bytes, strlen(hex) / 2));
	}
	json_object_foreach(json_object_get(c, "initial_fuses"), index, v)
	{
		uint64_t k, word;
		assert_int_equal(number_parse(index, &k), 0);
		assert_int_equal(number_parse(json_string_value(v), &word), 0);
		assert_int_equal(sim_fuse_program(&h->d->fuses, (uint32_t)k, (uint32_t)word), 0);
	}
}

/* The one data frame that is random: a signature. Check it instead of comparing it. */
static bool signature_frame(const json_t *c, size_t at)
{
	/* hsm_enc_sign (0x16, operation 6) was the last command but one. */
	size_t commands = 0;

	if (!json_is_true(json_object_get(c, "random_signature")))
		return false;
	for (size_t i = at; i-- > 0 && commands < 2;) {
		const struct frame *f = &frames[i];
		if (!f->from_host || f->bytes[1] != MBOOT_FRAME_COMMAND)
			continue;
		commands++;
		if (commands == 2)
			return f->bytes[6] == MBOOT_CMD_TRUST_PROVISIONING &&
			       get_le32(f->bytes + 10) == MBOOT_TP_HSM_ENC_SIGN;
	}
	return false;
}

static void check_signature(const json_t *c, size_t at, const uint8_t *sig)
{
	uint8_t message[512], puk[64];
	size_t len = 0;
	struct ecc_pub pub;
	struct err e = { 0 };
	const char *hex = json_string_value(json_object_get(c, "message"));

	if (hex) {
		len = strlen(hex) / 2;
		assert_int_equal(hex_decode(message, len, hex), 0);
		assert_int_equal(
			hex_decode(puk, 64, json_string_value(json_object_get(c, "puk"))), 0);
	} else { /* the manifest, which carries the key */
		for (size_t i = at; i-- > 0 && !len;)
			if (frames[i].from_host && frames[i].bytes[1] == MBOOT_FRAME_DATA &&
				frames[i].len == 6 + 220) {
				len = 220;
				memcpy(message, frames[i].bytes + 6, len);
			}
		assert_int_equal(len, 220);
		memcpy(puk, message + 108, 64);
	}
	assert_int_equal(ecc_pub_from_xy(&pub, ECC_P256, puk, &e), 0);
	assert_int_equal(ecc_verify(&pub, message, len, sig, &e), 0);
}

static void replay(const json_t *c)
{
	const char *file = json_string_value(json_object_get(c, "file"));
	AUTO(buf_clear) struct buf got = { 0 };
	struct sim_host h;

	load_frames(file);
	prepare(&h, c);
	for (size_t i = 0; i < n_frames;) {
		assert_true(frames[i].from_host);
		got.len = 0;
		sim_host_bytes(&h, frames[i].bytes, frames[i].len, &got);
		size_t line = i++, at = 0;
		for (; i < n_frames && !frames[i].from_host; i++) {
			struct frame *f = &frames[i];
			if (at + f->len > got.len)
				fail_msg(
					"%s: after line %zu the device sent %zu bytes, more wanted",
					file, line + 1, got.len);
			if (f->len == 6 + 64 && f->bytes[1] == MBOOT_FRAME_DATA &&
				signature_frame(c, i)) {
				check_signature(c, i, got.p + at + 6);
				f->len = 6 + 64;
			} else if (memcmp(got.p + at, f->bytes, f->len) != 0) {
				char seen[101], want[101];
				size_t n = f->len < 50 ? f->len : 50;
				fail_msg("%s: line %zu: seen %s, wanted %s", file, i + 1,
					hex_encode(seen, got.p + at, n),
					hex_encode(want, f->bytes, n));
			}
			at += f->len;
		}
		if (at != got.len)
			fail_msg("%s: after line %zu the device sent %zu bytes too many", file,
				line + 1, got.len - at);
	}
	sim_host_stop(&h);
}

static void every_transcript_for_devices(void **state)
{
	AUTO(buf_clear) struct buf b = { 0 };
	struct err e = { 0 };
	size_t i, played = 0;
	json_t *c;

	(void)state;
	sim_host_read_file(DIR "index.json", &b);
	AUTO(json_freep) json_t *index = json_read("index.json", b.p, b.len, &e);
	assert_non_null(index);
	json_array_foreach(index, i, c)
	{
		if (strncmp(json_string_value(json_object_get(c, "use")), "host", 4) == 0)
			continue;
		replay(c);
		played++;
	}
	print_message("%zu transcripts\n", played);
	assert_int_equal(played, 79);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_transcript_for_devices),
	};

	return cmocka_run_group_tests_name("sim_replay", tests, NULL, NULL);
}

/* Log files: whatever the bytes are, the verifier ends with a verdict or says that it cannot read
 * the file; and it never calls a log good whose leaves are not the ones that were signed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "evidence/audit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static const char *const good_roots[] = { "AsETI4ZJ6BcUxJg+HaCW7p/tfuraEIhZoM+/rT8Y4EI=" };

static bool is_good_root(const uint8_t root[32])
{
	char text[BASE64_LEN(32) + 1];

	base64_encode(text, root, 32);
	return strcmp(text, good_roots[0]) == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct audit_result r;
	static struct minisign_pub oem;
	static char path[64];
	struct audit_expect x = { .oem = &oem, .n_oem = 1 };
	struct buf text = { 0 };
	struct err e = { 0 };

	if (!*path) {
		snprintf(path, sizeof path, "%s/fuzz-log.%ld",
			access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm", (long)getpid());
		if (minisign_pub_load(&oem,
			    "RWTMhOf6MyCWI5/yFT2NqWwy1/zQJgJ81g5Hcglt9fQkvPzYW1yaC59G", &e) != 0)
			abort();
	}
	FILE *f = fopen(path, "wb");
	if (!f || (len && fwrite(data, 1, len, f) != len) || fclose(f) != 0)
		abort();
	if (audit_verify(path, &x, &r, &e) != 0) {
		if (e.code != ERR_ENV || !*e.msg)
			abort();
	} else {
		/* Only one log in the world is signed by this OEM key for this order and closed. */
		if (r.verdict == AUDIT_PASS && !is_good_root(r.root))
			abort();
		audit_summary(&r, &text);
		json_decref(audit_result_json(&r));
		buf_clear(&text);
	}
	unlink(path);
	return 0;
}

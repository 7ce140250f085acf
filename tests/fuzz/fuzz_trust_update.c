/* Trust updates and trust.json; and signature files against a fixed trust. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "pkg/trust.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const char alice[] = "untrusted comment: minisign public key 23962033FAE784CC\n"
				    "RWTMhOf6MyCWI5/yFT2NqWwy1/zQJgJ81g5Hcglt9fQkvPzYW1yaC59G\n";
	struct trust now = { .threshold = 1 }, next, again;
	struct minisign_pub key;
	struct signers s;
	struct err e = { 0 };
	int64_t created;

	if (minisign_pub_parse(&key, "alice", alice, sizeof alice - 1, &e) == 0 &&
		trust_add(&now, &key, &e) != 0)
		abort();
	if (trust_parse(&next, "fuzz", data, len, &e) != 0 && e.code != ERR_FORMAT &&
		e.code != ERR_LIMIT)
		abort();
	/* Nobody has the key, so nothing may ever be taken. */
	const struct sig_file sig = { "sig", data, len };
	if (trust_update_apply(&now, "fuzz", data, len, &sig, 1, &next, &e) == 0)
		abort();
	if (trust_signers(&now, "fuzz", "m", 1, &sig, 1, &s, &e) == 0 && s.approvals != 0)
		abort();
	if (trust_update_parse(&next, &created, "fuzz", data, len, &e) != 0)
		return 0;
	struct buf text = { 0 };
	json_t *j = trust_update_to_json(&next, created);
	if (!j || json_line(j, &text, &e) != 0 ||
		trust_update_parse(&again, &created, "again", text.p, text.len, &e) != 0 ||
		again.n != next.n || again.threshold != next.threshold)
		abort();
	json_decref(j);
	buf_clear(&text);
	return 0;
}

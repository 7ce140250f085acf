/* trust_store - the OEM keys this station accepts, kept in DIR/trust/trust.json.
 * The rules (who counts, threshold, updates) are pkg/trust.h; here is only the file.
 */
#ifndef RUNNER_TRUST_STORE_H
#define RUNNER_TRUST_STORE_H

#include "base/err.h"
#include "pkg/trust.h"
#include "runner/station.h"

/* trust_store_load - no file: an empty trust. */
int trust_store_load(struct trust *out, const struct station *s, struct err *e) CHECKED;
int trust_store_save(const struct trust *t, const struct station *s, struct err *e) CHECKED;

/* trust_store_need - as load; ERR_REJECTED with a hint when no key is trusted yet. */
int trust_store_need(struct trust *out, const struct station *s, struct err *e) CHECKED;

#endif

/* What the tests of the evidence area share: reading vector files, running programs, folders. */
#ifndef TESTS_UNIT_EVIDENCE_SUPPORT_H
#define TESTS_UNIT_EVIDENCE_SUPPORT_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"

/* ev_file - content of tests/vectors/evidence/NAME; fails the test when it cannot be read. The
 * buffer is NUL-terminated behind its length. */
struct buf ev_file(const char *name);
json_t *ev_json(const char *name);
const char *ev_str(const json_t *j, const char *key);
int64_t ev_int(const json_t *j, const char *key);
void ev_b64(const char *text, uint8_t *out, size_t len);

/* ev_tmp - a fresh folder for this test program; removed with all content at exit. */
const char *ev_tmp(void);
char *ev_path(const char *fmt, ...) PRINTF_LIKE(1); /* inside ev_tmp(); valid until exit */
void ev_write(const char *path, const void *data, size_t len);
int ev_run(const char *fmt, ...) PRINTF_LIKE(1); /* shell; exit status */

#endif

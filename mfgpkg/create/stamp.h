/* stamp - what was built from what, so that a step whose inputs did not change is not run again.
 *
 * One JSON file in the build folder (create.json). A stamp is a keyed hash over the contents of
 * all inputs of a step; the key is made for the folder and stays there, so that a stamp of a file
 * with little entropy cannot be looked up elsewhere. A missing or damaged file means: build all.
 * One thread.
 */
#ifndef MFGPKG_CREATE_STAMP_H
#define MFGPKG_CREATE_STAMP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "mfgpkg/create/inputs.h"

struct stamps;

/* stamps_open - the stamps kept in `folder` (which exists). */
int stamps_open(struct stamps **out, const char *folder, struct err *e) CHECKED;
void stamps_free(struct stamps *s);
void stamps_freep(struct stamps **s);

/* stamps_current - true when `step` was run with exactly these inputs and the file it made is
 * still there, unchanged. `also` is anything else the result depends on, such as the time. */
bool stamps_current(const struct stamps *s, const char *step, const struct inputs *in,
	const char *also, const char *output);

/* stamps_set - `step` has made `output` with this content; stamps_save - keep it. */
int stamps_set(struct stamps *s, const char *step, const struct inputs *in, const char *also,
	const char *output, const uint8_t sha256[32], struct err *e) CHECKED;
int stamps_save(const struct stamps *s, struct err *e) CHECKED;

#endif

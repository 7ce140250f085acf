/* cross - what only shows when several logs are looked at together: a device in two of them, and
 * two histories of one log. Memory does not grow with the logs. One thread. */
#ifndef MFGPKG_AUDIT_CROSS_H
#define MFGPKG_AUDIT_CROSS_H

#include "evidence/audit.h"

struct oem_cross;
int oem_cross_new(struct oem_cross **out, struct err *e) CHECKED;
void oem_cross_free(struct oem_cross *x);
void oem_cross_freep(struct oem_cross **x);

/* oem_cross_log - from now on leaves are of this log (name borrowed). oem_cross_leaf - as
 * audit_expect.observe. */
void oem_cross_log(struct oem_cross *x, const char *name);
int oem_cross_leaf(void *cross, const struct leaf *leaf, struct err *e) CHECKED;

/* oem_cross_settle - devices of the current log that others have too become findings of *r. */
int oem_cross_settle(struct oem_cross *x, struct audit_result *r, struct err *e) CHECKED;

#endif

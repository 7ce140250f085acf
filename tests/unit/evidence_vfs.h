/* A SQLite VFS that fails: the n-th call that touches the disk, and if wanted all after it. */
#ifndef TESTS_UNIT_EVIDENCE_VFS_H
#define TESTS_UNIT_EVIDENCE_VFS_H

#include <stdbool.h>

#define EV_VFS "failing"

/* ev_vfs_arm - fail call number n (from 1; 0: none) with the SQLite code `rc`, and all later ones
 * when `for_good`. Registers the VFS at first use. */
void ev_vfs_arm(unsigned n, int rc, bool for_good);
unsigned ev_vfs_calls(void); /* calls since it was armed */
bool ev_vfs_failed(void); /* a call was made to fail */

#endif

/* dry - a device that exists only in memory, for `runner simulate`: it answers the whole protocol,
 * accepts every command, and changes its life cycle as the package promises. It checks no signature
 * and holds no key: it shows what a script does, not whether a ROM would take it.
 * One thread.
 */
#ifndef RUNNER_DRY_H
#define RUNNER_DRY_H

#include <stdint.h>

#include "base/err.h"
#include "mboot/transport.h"
#include "pkg/pkg.h"

struct dry;

/* dry_new - a blank device of the package's family. */
int dry_new(struct dry **out, const struct pkg *pkg, struct err *e) CHECKED;
void dry_free(struct dry *d);

/* dry_open - a connection to it; closing the transport leaves the device as it is. */
int dry_open(struct dry *d, struct mboot_io *out, struct err *e) CHECKED;

#endif

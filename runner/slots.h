/* slots - which ports this station may touch, and what the operator calls them.
 *
 * A slot is a name ("A1") for a place: a glob over what a port is called (device path, by-path link
 * or topology). As soon as one slot is mapped, only ports that a slot names are used. --ports
 * overrides the map for one run; a port that a deny entry names is never touched, not even then.
 *
 *   DIR/slots.json   {"type":"mfgpkg-slots","format":1,"slots":[{"slot":"A1","port":GLOB}],
 *                     "deny":[GLOB]}      schema slots.schema.json
 *
 * Read once per run; struct slots is constant afterwards and may be read by any thread.
 */
#ifndef RUNNER_SLOTS_H
#define RUNNER_SLOTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cli.h"
#include "base/err.h"
#include "runner/station.h"

#define SLOTS_MAX     256
#define SLOT_NAME_MAX 15
#define SLOT_GLOB_MAX 255

struct slot_rule {
	char name[SLOT_NAME_MAX + 1]; /* "" in a deny rule */
	char port[SLOT_GLOB_MAX + 1];
};

struct slots {
	struct slot_rule map[SLOTS_MAX], deny[SLOTS_MAX];
	size_t n_map, n_deny;
};

/* slots_load - no file: an empty map. slots_save - written as a whole. */
int slots_load(struct slots *out, const struct station *s, struct err *e) CHECKED;
int slots_save(const struct slots *slots, const struct station *s, struct err *e) CHECKED;

/* slots_map - give GLOB the name (a name used before moves), slots_unmap - forget a name,
 * slots_deny/_allow - add and remove a deny rule. ERR_USAGE. */
int slots_map(struct slots *slots, const char *name, const char *glob, struct err *e) CHECKED;
int slots_unmap(struct slots *slots, const char *name, struct err *e) CHECKED;
int slots_deny(struct slots *slots, const char *glob, struct err *e) CHECKED;
int slots_allow(struct slots *slots, const char *glob, struct err *e) CHECKED;

/* What a port may be recognised by; NULL or "" where it has none. */
struct slot_port {
	const char *path; /* /dev/ttyUSB3 */
	const char *by_path; /* /dev/serial/by-path/... */
	const char *topology; /* pci-0000:00:14.0-usb-0:2:1.0 */
};

/* slots_permit - may this run touch the port? `globs` are those of --ports (n 0: the map decides).
 * True: *name is the slot's name, or "" for a port without one. */
bool slots_permit(const struct slots *slots, const struct slot_port *port,
	const struct cli_list *globs, char name[SLOT_NAME_MAX + 1]);

#endif

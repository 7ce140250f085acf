/* hotplug - when to look for ports again: at udev events of serial ports, and now and then for
 * those that have none (pseudo-terminals, some drivers).
 * One thread. */
#ifndef RUNNER_HOTPLUG_H
#define RUNNER_HOTPLUG_H

struct hotplug;

/* hotplug_new - never fails for good: without udev it only counts time. NULL: out of memory. */
struct hotplug *hotplug_new(void);
void hotplug_free(struct hotplug *h);
int hotplug_fd(const struct hotplug *h); /* -1: none */

/* hotplug_due - what to look at now. Names of paths every `names_ms`, which is cheap; all ports of
 * the machine after an event, and every `all_ms`. Call when the fd is readable and at ticks. */
enum hotplug_look {
	HOTPLUG_NOTHING,
	HOTPLUG_NAMES,
	HOTPLUG_ALL,
};
enum hotplug_look hotplug_due(struct hotplug *h, int names_ms, int all_ms);

/* hotplug_soon - all ports are due in `ms`, or earlier. */
void hotplug_soon(struct hotplug *h, int ms);

#endif

/* hotplug - when to look for ports again: at udev events of serial ports, and now and then for
 * those that have none (pseudo-terminals, some drivers).
 * One thread. */
#ifndef RUNNER_HOTPLUG_H
#define RUNNER_HOTPLUG_H

#include <stdbool.h>

struct hotplug;

/* hotplug_new - never fails for good: without udev it only counts time. NULL: out of memory. */
struct hotplug *hotplug_new(void);
void hotplug_free(struct hotplug *h);
int hotplug_fd(const struct hotplug *h); /* -1: none */

/* hotplug_due - look now? `poll_ms`: at least that often. Call when the fd is readable and at
 * ticks. */
bool hotplug_due(struct hotplug *h, int poll_ms);

#endif

#include <libudev.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/text.h"
#include "runner/hotplug.h"

#define SETTLE_MS 100 /* after an event: udev makes the by-path link a moment later */

struct hotplug {
	struct udev *udev;
	struct udev_monitor *monitor;
	int64_t last_ms, last_all_ms; /* looks taken */
	int64_t all_ms; /* all are due then; 0: not before their time */
};

struct hotplug *hotplug_new(void)
{
	struct hotplug *h = calloc(1, sizeof *h);

	if (!h)
		return NULL;
	h->last_ms = h->last_all_ms = clock_mono_ms();
	h->udev = udev_new();
	h->monitor = h->udev ? udev_monitor_new_from_netlink(h->udev, "udev") : NULL;
	if (h->monitor &&
		(udev_monitor_filter_add_match_subsystem_devtype(h->monitor, "tty", NULL) < 0 ||
			udev_monitor_enable_receiving(h->monitor) < 0)) {
		udev_monitor_unref(h->monitor);
		h->monitor = NULL;
	}
	return h;
}

void hotplug_free(struct hotplug *h)
{
	if (!h)
		return;
	if (h->monitor)
		udev_monitor_unref(h->monitor);
	if (h->udev)
		udev_unref(h->udev);
	free(h);
}

int hotplug_fd(const struct hotplug *h)
{
	return h->monitor ? udev_monitor_get_fd(h->monitor) : -1;
}

void hotplug_soon(struct hotplug *h, int ms)
{
	int64_t at = clock_mono_ms() + ms;

	if (!h->all_ms || at < h->all_ms)
		h->all_ms = at;
}

enum hotplug_look hotplug_due(struct hotplug *h, int names_ms, int all_ms)
{
	bool event = false;

	/* Which port it was does not matter, and in a `remove` event its parents are gone already:
	 * the list is read anew, by names that stay. */
	for (struct udev_device *d; h->monitor && (d = udev_monitor_receive_device(h->monitor));) {
		udev_device_unref(d);
		event = true;
	}
	if (event)
		hotplug_soon(h, SETTLE_MS);
	int64_t now = clock_mono_ms();
	bool all = now >= h->last_all_ms + all_ms || (h->all_ms && now >= h->all_ms);
	if (!all && now < h->last_ms + names_ms)
		return HOTPLUG_NOTHING;
	h->last_ms = now;
	if (!all)
		return HOTPLUG_NAMES;
	h->last_all_ms = now;
	h->all_ms = 0;
	return HOTPLUG_ALL;
}

#include <libudev.h>
#include <stdlib.h>

#include "base/text.h"
#include "runner/hotplug.h"

#define SETTLE_MS 100 /* after an event: udev makes the by-path link a moment later */

struct hotplug {
	struct udev *udev;
	struct udev_monitor *monitor;
	int64_t last_ms, event_ms; /* event_ms 0: none is waiting */
};

struct hotplug *hotplug_new(void)
{
	struct hotplug *h = calloc(1, sizeof *h);

	if (!h)
		return NULL;
	h->last_ms = clock_mono_ms();
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

bool hotplug_due(struct hotplug *h, int poll_ms)
{
	int64_t now = clock_mono_ms();

	/* Which port it was does not matter: the list is read anew, by names that stay. */
	for (struct udev_device *d; h->monitor && (d = udev_monitor_receive_device(h->monitor));) {
		udev_device_unref(d);
		h->event_ms = now;
	}
	bool due = (h->event_ms && now - h->event_ms >= SETTLE_MS) || now - h->last_ms >= poll_ms;
	if (due) {
		h->last_ms = now;
		h->event_ms = 0;
	}
	return due;
}

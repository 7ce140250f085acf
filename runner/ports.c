#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <grp.h>
#include <libserialport.h>
#include <libudev.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fsio.h"
#include "base/text.h"
#include "family/family.h"
#include "mboot/serial.h"
#include "runner/ports.h"

#define BY_PATH_DIR  "/dev/serial/by-path"
#define UDEV_CONTROL "/run/udev/control" /* there while udevd runs */

const char *port_state_name(enum port_state s)
{
	switch (s) {
	case PORT_USABLE:
		return "usable";
	case PORT_BUSY:
		return "busy";
	case PORT_NO_PERMISSION:
		return "no-permission";
	case PORT_GONE:
		return "gone";
	}
	return "?";
}

const char *port_probe_name(enum port_probe p)
{
	switch (p) {
	case PORT_NOT_PROBED:
		return "not-probed";
	case PORT_ANSWERED:
		return "answered";
	case PORT_NO_ANSWER:
		return "no-answer";
	case PORT_PROBE_FAILED:
		return "failed";
	}
	return "?";
}

/* --- one port ------------------------------------------------------------------------------- */

/* Text from an adapter's descriptors is anybody's: it is escaped before it is kept. */
static void keep_text(char *out, size_t cap, const char *text)
{
	if (text)
		text_escape(out, cap, text, strlen(text));
}

/* What libserialport reads from sysfs. */
static void describe_usb(struct port *p)
{
	struct sp_port *sp;

	if (sp_get_port_by_name(p->device, &sp) != SP_OK)
		return;
	p->usb = sp_get_port_transport(sp) == SP_TRANSPORT_USB;
	if (p->usb) {
		int vid = 0, pid = 0;
		if (sp_get_port_usb_vid_pid(sp, &vid, &pid) == SP_OK) {
			p->vid = (uint16_t)vid;
			p->pid = (uint16_t)pid;
		}
		keep_text(p->serial, sizeof p->serial, sp_get_port_usb_serial(sp));
	}
	keep_text(p->description, sizeof p->description, sp_get_port_description(sp));
	sp_free_port(sp);
}

/* The name udev made for the place the adapter is plugged in. */
static void take_by_path(struct port *p, const char *link)
{
	size_t dir = strlen(BY_PATH_DIR "/");

	if (strncmp(link, BY_PATH_DIR "/", dir) == 0 && !p->by_path[0])
		snprintf(p->by_path, sizeof p->by_path, "%s", link + dir);
}

/* The same from udev's database. What libserialport reads in sysfs takes the device's lock in the
 * kernel, which is held as long as an adapter that is being pulled out or is broken makes its
 * driver wait: seconds, for whoever only wanted a list. The database can always be read. */
static void describe_usb_quick(struct port *p, struct udev_device *dev)
{
	const char *bus = udev_device_get_property_value(dev, "ID_BUS");
	const char *vid = udev_device_get_property_value(dev, "ID_VENDOR_ID");
	const char *pid = udev_device_get_property_value(dev, "ID_MODEL_ID");

	p->usb = bus && strcmp(bus, "usb") == 0;
	if (!p->usb)
		return;
	p->vid = vid ? (uint16_t)strtoul(vid, NULL, 16) : 0;
	p->pid = pid ? (uint16_t)strtoul(pid, NULL, 16) : 0;
	keep_text(p->serial, sizeof p->serial,
		udev_device_get_property_value(dev, "ID_SERIAL_SHORT"));
	keep_text(p->description, sizeof p->description,
		udev_device_get_property_value(dev, "ID_MODEL"));
}

static bool udev_runs(void)
{
	return access(UDEV_CONTROL, F_OK) == 0;
}

/* False while udev has not finished with a new port: its group, mode and links come last, and
 * until then it looks like another port that nobody may use. Without udev there is no waiting. */
static bool describe_udev(struct port *p, bool quick)
{
	struct udev *udev = udev_new();
	struct udev_device *dev = udev ? udev_device_new_from_devnum(udev, 'c', p->rdev) : NULL;
	struct udev_list_entry *link;
	bool ready = true;

	if (dev) {
		ready = udev_device_get_is_initialized(dev) != 0 || !udev_runs();
		if (quick)
			describe_usb_quick(p, dev);
		udev_list_entry_foreach(link, udev_device_get_devlinks_list_entry(dev))
			take_by_path(p, udev_list_entry_get_name(link));
		/* Parents belong to the device and need no unref. */
		for (struct udev_device *d = dev; d && !p->driver[0]; d = udev_device_get_parent(d))
			keep_text(p->driver, sizeof p->driver, udev_device_get_driver(d));
		udev_device_unref(dev);
	}
	udev_unref(udev);
	return ready;
}

/* Without udev's database (a container) the links may still be there. */
static void describe_links(struct port *p)
{
	DIR *d = p->by_path[0] ? NULL : opendir(BY_PATH_DIR);

	for (struct dirent *entry; d && (entry = readdir(d));) {
		char link[sizeof BY_PATH_DIR + sizeof entry->d_name];
		struct stat st;
		snprintf(link, sizeof link, BY_PATH_DIR "/%s", entry->d_name);
		if (stat(link, &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == p->rdev)
			take_by_path(p, link);
	}
	if (d)
		closedir(d);
}

static void no_permission(struct port *p, const struct stat *st)
{
	char buf[1024];
	struct group g, *group = NULL;
	getgrgid_r(st->st_gid, &g, buf, sizeof buf, &group);
	const char *name = group ? group->gr_name : "?";

	p->state = PORT_NO_PERMISSION;
	snprintf(p->reason, sizeof p->reason,
		"no permission to open (group %s, mode %03o): add this user to group %s and log in "
		"again",
		name, st->st_mode & 0777, name);
}

void port_find_holder(struct port *p)
{
	char program[64];

	if (p->state != PORT_USABLE)
		return;
	p->busy_pid = serial_holder(p->device, program, sizeof program);
	if (!p->busy_pid)
		return;
	keep_text(p->busy_program, sizeof p->busy_program, program);
	p->state = PORT_BUSY;
	snprintf(p->reason, sizeof p->reason, "in use by %s (process %d)", p->busy_program,
		p->busy_pid);
}

static void describe(struct port *out, const char *path, bool quick)
{
	struct port p = { 0 };
	struct stat st;

	snprintf(p.path, sizeof p.path, "%s", path);
	AUTO(str_freep) char *device = realpath(path, NULL);
	if (!device || strlen(device) >= sizeof p.device || stat(device, &st) != 0) {
		p.state = PORT_GONE;
		snprintf(p.reason, sizeof p.reason, "%s",
			device ? strerror(ENAMETOOLONG) : strerror(errno));
		*out = p;
		return;
	}
	snprintf(p.device, sizeof p.device, "%s", device);
	if (!S_ISCHR(st.st_mode)) {
		p.state = PORT_GONE;
		snprintf(p.reason, sizeof p.reason, "not a serial port");
		*out = p;
		return;
	}
	p.rdev = st.st_rdev;
	p.pty = serial_is_pty(device);
	if (p.pty) {
		snprintf(p.description, sizeof p.description, "pseudo-terminal");
	} else {
		if (!quick)
			describe_usb(&p);
		if (!describe_udev(&p, quick)) {
			p.state = PORT_GONE;
			snprintf(p.reason, sizeof p.reason, "just plugged in: udev is not done");
			*out = p;
			return;
		}
		describe_links(&p);
	}
	if (faccessat(AT_FDCWD, device, R_OK | W_OK, AT_EACCESS) != 0)
		no_permission(&p, &st);
	*out = p;
}

void port_describe(struct port *out, const char *path)
{
	describe(out, path, false);
}

/* --- the list ------------------------------------------------------------------------------- */

void ports_clear(struct port_list *l)
{
	free(l->v);
	*l = (struct port_list){ 0 };
}

static int add(struct port_list *l, const struct port *p, struct err *e)
{
	/* Two names of one device are one port. */
	for (size_t i = 0; p->rdev && i < l->n; i++)
		if (l->v[i].rdev == p->rdev)
			return 0;
	if (l->n == PORTS_MAX)
		return err_set(
			e, ERR_LIMIT, "more than %d ports match: narrow --ports down", PORTS_MAX);
	struct port *v = realloc(l->v, (l->n + 1) * sizeof *v);
	if (!v)
		return err_set(e, ERR_ENV, "out of memory for the list of ports");
	l->v = v;
	l->v[l->n++] = *p;
	return 0;
}

static int add_udev_ports(struct port_list *l, struct err *e)
{
	struct udev *udev = udev_new();
	struct udev_enumerate *en = udev ? udev_enumerate_new(udev) : NULL;
	struct udev_list_entry *entry;
	int result = 0;

	if (!en || udev_enumerate_add_match_subsystem(en, "tty") < 0 ||
		udev_enumerate_add_match_property(en, "ID_BUS", "usb") < 0 ||
		udev_enumerate_scan_devices(en) < 0)
		result = err_set(e, ERR_ENV, "cannot list the serial ports of this machine");
	else
		udev_list_entry_foreach(entry, udev_enumerate_get_list_entry(en))
		{
			struct udev_device *dev =
				udev_device_new_from_syspath(udev, udev_list_entry_get_name(entry));
			const char *node = dev ? udev_device_get_devnode(dev) : NULL;
			struct port p = { .state = PORT_GONE };
			if (node)
				describe(&p, node, true);
			if (dev)
				udev_device_unref(dev);
			if (p.state != PORT_GONE && result == 0)
				result = add(l, &p, e);
		}
	if (en)
		udev_enumerate_unref(en);
	if (udev)
		udev_unref(udev);
	return result;
}

static int add_usb_ports(struct port_list *l, struct err *e)
{
	struct sp_port **list;
	int result = 0;

	enum sp_return r = sp_list_ports(&list);
	/* Without sysfs (some containers) no port has a USB identity; they can be named by path. */
	if (r != SP_OK && !fsio_exists("/sys/class/tty"))
		return 0;
	if (r != SP_OK)
		return err_set(e, ERR_ENV, "cannot list the serial ports of this machine");
	for (size_t i = 0; list[i] && result == 0; i++) {
		struct port p;
		if (sp_get_port_transport(list[i]) != SP_TRANSPORT_USB)
			continue;
		port_describe(&p, sp_get_port_name(list[i]));
		if (p.state != PORT_GONE) /* unplugged since */
			result = add(l, &p, e);
	}
	sp_free_port_list(list);
	return result;
}

static int add_matches(struct port_list *l, const char *pattern, bool quick, struct err *e)
{
	bool plain = strpbrk(pattern, "*?[") == NULL;
	glob_t g = { 0 };
	int result = 0;

	int r = glob(pattern, GLOB_NOCHECK, NULL, &g);
	if (r != 0 && r != GLOB_NOMATCH)
		return err_set(e, ERR_ENV, "--ports %s: cannot be matched", ESC(pattern));
	for (size_t i = 0; i < g.gl_pathc && result == 0; i++) {
		struct port p;
		describe(&p, g.gl_pathv[i], quick);
		/* A name given in full is reported whatever it is; what a pattern catches besides
		 * ports is not meant. */
		if (plain || p.state != PORT_GONE)
			result = add(l, &p, e);
	}
	globfree(&g);
	return result;
}

static int in_order(const void *a, const void *b)
{
	const struct port *x = a, *y = b;
	int by_path = strverscmp(x->by_path, y->by_path);

	/* Ports with a place first, the others by name: ttyMCX2 before ttyMCX10. */
	if (!x->by_path[0] != !y->by_path[0])
		return x->by_path[0] ? -1 : 1;
	return by_path ? by_path : strverscmp(x->path, y->path);
}

static int find(
	struct port_list *out, const char *const *globs, size_t n, bool quick, struct err *e)
{
	struct port_list l = { 0 };
	int result = n ? 0 : quick ? add_udev_ports(&l, e) : add_usb_ports(&l, e);

	for (size_t i = 0; i < n && result == 0; i++)
		result = add_matches(&l, globs[i], quick, e);
	if (result != 0) {
		ports_clear(&l);
		return -1;
	}
	if (l.n)
		qsort(l.v, l.n, sizeof l.v[0], in_order);
	*out = l;
	return 0;
}

int ports_find(struct port_list *out, const char *const *globs, size_t n, struct err *e)
{
	return find(out, globs, n, udev_runs(), e);
}

int ports_list(struct port_list *out, const char *const *globs, size_t n, struct err *e)
{
	if (find(out, globs, n, false, e) != 0)
		return -1;
	for (size_t i = 0; i < out->n; i++)
		port_find_holder(&out->v[i]);
	return 0;
}

/* --- what kind of device ------------------------------------------------------------------------
 */

static bool sizes_fit(const struct family *f, const struct mboot_identity *id)
{
	const struct family_memory *flash = family_memory_named(f, "flash");
	const struct family_memory *ram = family_memory_named(f, "sram");

	return flash && ram && flash->size == id->flash_size && ram->size == id->ram_size;
}

bool port_may_be(const struct port *p, const char *name)
{
	const struct family *f = family_find(name);

	return f && (!p->identity.has_sizes || sizes_fit(f, &p->identity));
}

void port_families(struct port *p)
{
	p->n_families = 0;
	if (p->probe != PORT_ANSWERED || !p->identity.has_sizes)
		return;
	for (size_t i = 0; family_at(i) && p->n_families < PORTS_MAX_FAMILIES; i++)
		if (sizes_fit(family_at(i), &p->identity))
			p->families[p->n_families++] = family_at(i)->name;
}

/* --- as JSON
 * --------------------------------------------------------------------------------------- */

static void add_identity(json_t *j, const struct port *p)
{
	const struct mboot_identity *id = &p->identity;
	char text[2 * MBOOT_UUID_LEN + 1];
	json_t *families = json_array();

	snprintf(text, sizeof text, "%c%u.%u.%u", id->protocol.name, id->protocol.major,
		id->protocol.minor, id->protocol.bugfix);
	for (size_t i = 0; i < p->n_families; i++)
		json_array_append_new(families, json_string(p->families[i]));
	json_object_set_new(
		j, "protocol", json_string(text[0] > ' ' && text[0] < 0x7F ? text : text + 1));
	json_object_set_new(j, "families", families);
	json_object_set_new(j, "uuid",
		id->has_uuid ? json_string(hex_encode(text, id->uuid, sizeof id->uuid))
			     : json_null());
	json_object_set_new(j, "lifecycle", json_string(mboot_lifecycle_name(id->lifecycle)));
	if (id->has_sizes) {
		json_object_set_new(j, "flash_size", json_integer(id->flash_size));
		json_object_set_new(j, "ram_size", json_integer(id->ram_size));
	}
}

static json_t *text_or_null(const char *text)
{
	if (!*text)
		return json_null();
	json_t *j = json_string(text);
	return j ? j : json_null();
}

static json_t *port_json(const struct port *p)
{
	json_t *j = json_object();
	char id[8];

	json_object_set_new(j, "path", json_string(p->path));
	json_object_set_new(j, "device", text_or_null(p->device));
	json_object_set_new(j, "by_path", text_or_null(p->by_path));
	if (p->usb) {
		json_t *usb = json_object();
		snprintf(id, sizeof id, "%04x", p->vid);
		json_object_set_new(usb, "vid", json_string(id));
		snprintf(id, sizeof id, "%04x", p->pid);
		json_object_set_new(usb, "pid", json_string(id));
		json_object_set_new(usb, "serial", text_or_null(p->serial));
		json_object_set_new(j, "usb", usb);
	}
	json_object_set_new(j, "description", text_or_null(p->description));
	json_object_set_new(j, "driver", text_or_null(p->driver));
	json_object_set_new(j, "state", json_string(port_state_name(p->state)));
	if (p->state == PORT_BUSY) {
		json_object_set_new(j, "busy_pid", json_integer(p->busy_pid));
		json_object_set_new(j, "busy_program", text_or_null(p->busy_program));
	}
	json_object_set_new(j, "probe", json_string(port_probe_name(p->probe)));
	if (p->reason[0])
		json_object_set_new(j, "reason", text_or_null(p->reason));
	if (p->probe == PORT_ANSWERED)
		add_identity(j, p);
	return j;
}

json_t *ports_json(const struct port_list *l)
{
	json_t *j = json_object(), *list = json_array();

	for (size_t i = 0; i < l->n; i++)
		if (json_array_append_new(list, port_json(&l->v[i])) != 0) {
			json_decref(list);
			json_decref(j);
			return NULL;
		}
	json_object_set_new(j, "type", json_string("runner-ports"));
	json_object_set_new(j, "format", json_integer(1));
	json_object_set_new(j, "ports", list);
	return j;
}

#include <string.h>

#include "runner/candidates.h"

static bool slot_in_order(const struct order *o, const char *slot)
{
	if (!o || !o->n_slots)
		return true;
	for (size_t i = 0; i < o->n_slots; i++)
		if (strcmp(o->slots[i], slot) == 0)
			return true;
	return false;
}

/* What names paths: of --ports, or without it of the slot map. Other patterns choose among the USB
 * ports by their by-path names. */
static size_t path_patterns(const struct candidates *c, const char *out[SLOTS_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < c->globs.n && n < SLOTS_MAX; i++)
		if (strchr(c->globs.v[i], '/'))
			out[n++] = c->globs.v[i];
	for (size_t i = 0; !c->globs.n && i < c->slots->n_map && n < SLOTS_MAX; i++)
		if (c->slots->map[i].port[0] == '/')
			out[n++] = c->slots->map[i].port;
	return n;
}

int candidates_each(const struct candidates *c,
	int (*fn)(void *ctx, struct port *p, const char *slot, struct err *e), void *ctx, size_t *n,
	struct err *e)
{
	const char *patterns[SLOTS_MAX];
	struct port_list usb = { 0 }, named = { 0 };
	size_t n_patterns = path_patterns(c, patterns), found = 0;
	int rc = -1;

	if ((!c->names_only && ports_find(&usb, NULL, 0, e) != 0) ||
		(n_patterns && ports_find(&named, patterns, n_patterns, e) != 0))
		goto out;
	for (size_t i = 0; i < usb.n + named.n; i++) {
		struct port *p = i < usb.n ? &usb.v[i] : &named.v[i - usb.n];
		struct slot_port names = { .path = p->path, .by_path = p->by_path };
		char slot[SLOT_NAME_MAX + 1];
		if (p->state == PORT_GONE || !slots_permit(c->slots, &names, &c->globs, slot) ||
			!slot_in_order(c->order, slot))
			continue;
		found++;
		if (fn && fn(ctx, p, slot, e) != 0)
			goto out;
	}
	if (n)
		*n = found;
	rc = 0;
out:
	ports_clear(&usb);
	ports_clear(&named);
	return rc;
}

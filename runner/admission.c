#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/fsio.h"
#include "base/version.h"
#include "runner/admission.h"

int admission_init(struct admission *a, const struct station *s, struct err *e)
{
	*a = (struct admission){ .station = s };
	if (trust_store_need(&a->trust, s, e) != 0)
		return -1;
	return depot_load(&a->depot, s, e);
}

void admission_clear(struct admission *a)
{
	pkg_free(a->pkg);
	order_free(a->order);
	depot_clear(&a->depot);
	*a = (struct admission){ 0 };
}

static int check_order(const struct admission *a, const struct pkg *pkg, bool now, struct err *e)
{
	char key[VKEY_TEXT_CAP];
	struct order_expect x = { .now = now ? (int64_t)time(NULL) : 0,
		.station_key = vkey_text(&a->station->key, key),
		.pkg = pkg };

	return order_check(a->order, &x, e);
}

int admission_order(struct admission *a, const char *name, bool now, struct err *e)
{
	AUTO(str_freep) char *path = depot_order_path(a->station, name, e);

	if (!path || order_open(&a->order, path, &a->trust, NULL, e) != 0)
		return -1;
	return check_order(a, NULL, now, e);
}

int admission_package(struct admission *a, const char *name, struct err *e)
{
	AUTO(str_freep) char *path = NULL;
	struct pkg_expect x = { .now = (int64_t)time(NULL),
		.product_floor = depot_floor,
		.ctx = &a->depot,
		.runner_version = MFGPKG_VERSION };

	if (name) {
		path = depot_package_path(&a->depot, a->station, name, e);
		if (!path)
			return -1;
	} else {
		const struct order *o = order_of(a->order);
		path = depot_package_of(&a->depot, a->station, o->package);
		if (!path)
			return err_set(e, ERR_USAGE,
				"the package of order %s (%s) is not kept here: give its file, or "
				"'runner import' it",
				o->id, o->product);
	}
	if (pkg_open(&a->pkg, path, &a->trust, &x, &a->facts, e) != 0)
		return -1;
	return a->order ? check_order(a, a->pkg, true, e) : 0;
}

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fsio.h"
#include "base/text.h"
#include "runner/depot.h"
#include "runner/marks.h"

#define INDEX_MAX ((size_t)1 << 20)

static int no_memory(struct err *e)
{
	return err_set(e, ERR_ENV, "out of memory");
}

/* --- index ------------------------------------------------------------------------------- */
static int read_package(struct depot_package *out, const struct json_at *at, struct err *e)
{
	struct json_at digest = json_member(at, "digest"), product = json_member(at, "product");
	struct json_at release = json_member(at, "release"), seq = json_member(at, "sequence");
	const char *d, *p, *r;
	uint8_t bytes[32];

	if (json_want_hex(&digest, bytes, sizeof bytes, e) != 0 ||
		json_want_string(&digest, 64, &d, e) != 0 ||
		json_want_string(&product, MANIFEST_TEXT_MAX, &p, e) != 0 ||
		json_want_string(&release, MANIFEST_TEXT_MAX, &r, e) != 0 ||
		json_want_int(&seq, 0, JSON_INT_MAX, &out->sequence, e) != 0)
		return -1;
	snprintf(out->digest, sizeof out->digest, "%s", d);
	snprintf(out->product, sizeof out->product, "%s", p);
	snprintf(out->release, sizeof out->release, "%s", r);
	return 0;
}

static int read_floor(struct depot_floor *out, const struct json_at *at, struct err *e)
{
	struct json_at product = json_member(at, "product"), seq = json_member(at, "sequence");
	const char *p;

	if (json_want_string(&product, MANIFEST_TEXT_MAX, &p, e) != 0 ||
		json_want_int(&seq, 0, JSON_INT_MAX, &out->sequence, e) != 0)
		return -1;
	snprintf(out->product, sizeof out->product, "%s", p);
	return 0;
}

static int read_index(struct depot *d, const char *path, const json_t *doc, struct err *e)
{
	struct json_at root = json_root(path, doc);
	struct json_at packages = json_member(&root, "packages");
	struct json_at floors = json_member(&root, "floors");
	size_t n_packages, n_floors;

	if (json_want_array(&packages, 0, DEPOT_PACKAGES_MAX, &n_packages, e) != 0 ||
		json_want_array(&floors, 0, DEPOT_PACKAGES_MAX, &n_floors, e) != 0)
		return -1;
	d->packages = calloc(n_packages + 1, sizeof *d->packages);
	d->floors = calloc(n_floors + 1, sizeof *d->floors);
	if (!d->packages || !d->floors)
		return no_memory(e);
	for (; d->n_packages < n_packages; d->n_packages++) {
		struct json_at at = json_item(&packages, d->n_packages);
		if (read_package(&d->packages[d->n_packages], &at, e) != 0)
			return -1;
	}
	for (; d->n_floors < n_floors; d->n_floors++) {
		struct json_at at = json_item(&floors, d->n_floors);
		if (read_floor(&d->floors[d->n_floors], &at, e) != 0)
			return -1;
	}
	return 0;
}

void depot_clear(struct depot *d)
{
	free(d->packages);
	free(d->floors);
	*d = (struct depot){ 0 };
}

int depot_load(struct depot *out, const struct station *s, struct err *e)
{
	AUTO(str_freep) char *path = station_path(s, "packages/index.json");
	AUTO(buf_clear) struct buf text = { 0 };
	AUTO(json_freep) json_t *doc = NULL;
	AUTO(depot_clear) struct depot d = { 0 };

	if (!path)
		return no_memory(e);
	if (fsio_exists(path)) {
		if (fsio_read(path, INDEX_MAX, &text, e) != 0)
			return -1;
		doc = json_read(path, text.p, text.len, e);
		if (!doc || read_index(&d, path, doc, e) != 0) {
			e->code = ERR_ENV; /* our own file is damaged */
			return -1;
		}
	} else if (errno != ENOENT) {
		return err_errno(e, "%s: cannot read", path);
	}
	if (marks_check_floors(s, depot_floor, &d, e) != 0)
		return -1;
	*out = d;
	d = (struct depot){ 0 };
	return 0;
}

static int save_index(const struct depot *d, const struct station *s, struct err *e)
{
	AUTO(str_freep) char *path = station_path(s, "packages/index.json");
	AUTO(buf_clear) struct buf text = { 0 };
	json_t *packages = json_array(), *floors = json_array();
	AUTO(json_freep)
	json_t *doc = json_pack("{s:s,s:i,s:o,s:o}", "type", "mfgpkg-packages", "format", 1,
		"packages", packages, "floors", floors);

	if (!path || !doc)
		return no_memory(e);
	for (size_t i = 0; i < d->n_packages; i++) {
		const struct depot_package *p = &d->packages[i];
		json_array_append_new(packages,
			json_pack("{s:s,s:s,s:I,s:s}", "product", p->product, "release", p->release,
				"sequence", (json_int_t)p->sequence, "digest", p->digest));
	}
	for (size_t i = 0; i < d->n_floors; i++)
		json_array_append_new(
			floors, json_pack("{s:s,s:I}", "product", d->floors[i].product, "sequence",
					(json_int_t)d->floors[i].sequence));
	if (json_array_size(packages) != d->n_packages || json_array_size(floors) != d->n_floors)
		return no_memory(e);
	if (json_line(doc, &text, e) != 0)
		return -1;
	wr_u8(&text, '\n');
	return fsio_write(path, text.p, text.len, 0600, e);
}

int depot_floor(void *depot, const char *product, int64_t *floor, struct err *e)
{
	const struct depot *d = depot;

	(void)e;
	for (size_t i = 0; i < d->n_floors; i++)
		if (strcmp(d->floors[i].product, product) == 0)
			*floor = d->floors[i].sequence;
	return 0;
}

static int raise_floor(struct depot *d, const struct manifest *m, bool *changed, struct err *e)
{
	struct depot_floor *f = NULL;

	for (size_t i = 0; i < d->n_floors && !f; i++)
		if (strcmp(d->floors[i].product, m->product) == 0)
			f = &d->floors[i];
	if (!f) {
		if (d->n_floors == DEPOT_PACKAGES_MAX)
			return err_set(e, ERR_LIMIT, "at most %d products at one station",
				DEPOT_PACKAGES_MAX);
		struct depot_floor *grown = realloc(d->floors, (d->n_floors + 1) * sizeof *grown);
		if (!grown)
			return no_memory(e);
		d->floors = grown;
		f = &d->floors[d->n_floors++];
		*f = (struct depot_floor){ 0 };
		snprintf(f->product, sizeof f->product, "%s", m->product);
	}
	if (f->sequence < m->sequence) {
		f->sequence = m->sequence;
		*changed = true;
	}
	return 0;
}

static int keep_package(
	struct depot *d, const struct station *s, const struct pkg *p, bool *changed, struct err *e)
{
	const struct manifest *m = pkg_manifest(p);
	char digest[65];
	size_t len;
	const uint8_t *raw = pkg_raw(p, &len);

	hex_encode(digest, pkg_digest(p), 32);
	AUTO(str_freep) char *path = station_path(s, "packages/%s.mfgpkg", digest);
	if (!path)
		return no_memory(e);
	if (fsio_write(path, raw, len, 0600, e) != 0) /* again: with more approvals, perhaps */
		return -1;
	for (size_t i = 0; i < d->n_packages; i++)
		if (strcmp(d->packages[i].digest, digest) == 0)
			return 0;
	if (d->n_packages == DEPOT_PACKAGES_MAX)
		return err_set(
			e, ERR_LIMIT, "at most %d packages at one station", DEPOT_PACKAGES_MAX);
	struct depot_package *grown = realloc(d->packages, (d->n_packages + 1) * sizeof *grown);
	if (!grown)
		return no_memory(e);
	d->packages = grown;
	struct depot_package *new = &grown[d->n_packages++];
	*new = (struct depot_package){ .sequence = m->sequence };
	snprintf(new->digest, sizeof new->digest, "%s", digest);
	snprintf(new->product, sizeof new->product, "%s", m->product);
	snprintf(new->release, sizeof new->release, "%s", m->release);
	*changed = true;
	return 0;
}

int depot_accept(
	struct depot *d, const struct station *s, const struct pkg *p, bool keep, struct err *e)
{
	bool changed = false;

	if (raise_floor(d, pkg_manifest(p), &changed, e) != 0 ||
		(keep && keep_package(d, s, p, &changed, e) != 0))
		return -1;
	if (changed && save_index(d, s, e) != 0)
		return -1;
	/* After the index: a crash in between leaves the mark behind it, never before. */
	return marks_raise_floor(s, pkg_manifest(p)->product, pkg_manifest(p)->sequence, e);
}

/* --- names ------------------------------------------------------------------------------- */
static bool is_path(const char *name)
{
	return strchr(name, '/') || fsio_exists(name);
}

char *depot_package_path(
	const struct depot *d, const struct station *s, const char *name, struct err *e)
{
	const struct depot_package *found = NULL;
	size_t len = strlen(name);
	char *path;

	if (is_path(name)) {
		path = strdup(name);
	} else {
		for (size_t i = 0; i < d->n_packages; i++) {
			const struct depot_package *p = &d->packages[i];
			bool by_digest = len >= 8 && strncmp(p->digest, name, len) == 0;
			if ((by_digest || strcmp(p->product, name) == 0) &&
				(!found || p->sequence > found->sequence))
				found = p;
		}
		if (!found) {
			err_set(e, ERR_USAGE,
				"%s: neither a package file nor a product kept here ('runner "
				"list')",
				ESC(name));
			return NULL;
		}
		path = station_path(s, "packages/%s.mfgpkg", found->digest);
	}
	if (!path)
		no_memory(e);
	return path;
}

char *depot_package_of(const struct depot *d, const struct station *s, const uint8_t digest[32])
{
	char hex[65];

	hex_encode(hex, digest, 32);
	for (size_t i = 0; i < d->n_packages; i++)
		if (strcmp(d->packages[i].digest, hex) == 0)
			return station_path(s, "packages/%s.mfgpkg", hex);
	return NULL;
}

static bool order_id_valid(const char *id)
{
	size_t len = strlen(id);

	return len >= 1 && len <= 64 && id[0] != '.' && id[0] != '-' && id[0] != '_' &&
	       strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") ==
		       len;
}

char *depot_order_path(const struct station *s, const char *name, struct err *e)
{
	AUTO(str_freep)
	char *kept = order_id_valid(name) ? station_path(s, "orders/%s/order.json", name) : NULL;

	/* A kept order wins over a file of the same name: its folder is the truth about it. */
	if (kept && fsio_exists(kept)) {
		char *out = kept;
		kept = NULL;
		return out;
	}
	if (!is_path(name)) {
		err_set(e, ERR_USAGE,
			"%s: neither an order file nor an order kept here ('runner list')",
			ESC(name));
		return NULL;
	}
	char *path = strdup(name);
	if (!path)
		no_memory(e);
	return path;
}

/* --- orders ------------------------------------------------------------------------------ */
static int write_order(const char *dir, const struct signed_order *o, struct err *e)
{
	const struct signers *signers = order_signers(o);
	size_t len;
	const char *text = order_text(o, &len);

	for (size_t i = 0; i < order_n_sigs(o); i++) {
		AUTO(str_freep) char *path = NULL;
		const char *sig = order_sig_text(o, i);
		int n = i == 0 ? asprintf(&path, "%s/order.json.minisig", dir)
			       : asprintf(&path, "%s/order.json.%s.minisig", dir,
					 i < signers->n ? signers->list[i].id : "0000000000000000");
		if (n < 0) {
			path = NULL;
			return no_memory(e);
		}
		if (fsio_write(path, sig, strlen(sig), 0600, e) != 0)
			return -1;
	}
	AUTO(str_freep) char *path = path_join(dir, "order.json");
	if (!path)
		return no_memory(e);
	return fsio_write(path, text, len, 0600, e); /* last: it makes the folder an order */
}

/* The first epoch key: ours already (an interrupted import), or taken from the unused ones. */
static int take_epoch_key(
	const struct station *s, const char *dir, const char *epoch0, struct err *e)
{
	AUTO(str_freep) char *path = path_join(dir, "keys/epoch-0.key");
	AUTO(str_freep) char *keys = path_join(dir, "keys");
	struct vkey key;

	if (!path || !keys)
		return no_memory(e);
	if (fsio_mkdirs(keys, 0700, e) != 0)
		return -1;
	if (!*epoch0)
		return 0; /* the order names none: the log makes its own */
	if (vkey_parse(&key, "the order's epoch0", epoch0, e) != 0)
		return -1;
	if (!fsio_exists(path)) {
		if (station_order_key_take(s, key.key, path, e) != 0)
			return -1;
	} else {
		AUTO(log_key_freep) struct log_key *kept = NULL;
		if (log_key_load(&kept, path, e) != 0)
			return -1;
		if (memcmp(log_key_pub(kept), key.key, 32) != 0)
			return err_set(e, ERR_REJECTED,
				"%s holds another epoch key than the order names", path);
	}
	return station_order_key_used(s, key.key, e);
}

int depot_keep_order(const struct station *s, const struct signed_order *o, struct err *e)
{
	const struct order *order = order_of(o);
	AUTO(str_freep) char *dir = station_path(s, "orders/%s", order->id);
	AUTO(str_freep) char *path = station_path(s, "orders/%s/order.json", order->id);
	AUTO(buf_clear) struct buf kept = { 0 };
	size_t len;
	const char *text = order_text(o, &len);

	if (!dir || !path)
		return no_memory(e);
	if (!order_id_valid(
		    order->id)) /* it becomes a folder name: trust nobody's check but ours */
		return err_set(
			e, ERR_REJECTED, "order id '%s' cannot name a folder", ESC(order->id));
	if (fsio_exists(path)) {
		if (fsio_read(path, ORDER_MAX_SIZE, &kept, e) != 0)
			return -1;
		if (kept.len != len || memcmp(kept.p, text, len) != 0)
			return err_set(e, ERR_REJECTED,
				"order %s is here already with another content; an order never "
				"changes",
				order->id);
		return 0;
	}
	if (strcmp(order->station_key, "") == 0)
		return err_set(e, ERR_REJECTED, "order %s names no station", order->id);
	if (fsio_mkdirs(dir, 0700, e) != 0 || take_epoch_key(s, dir, order->epoch0, e) != 0)
		return -1;
	return write_order(dir, o, e);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int depot_orders(const struct station *s, char ***ids, size_t *n, struct err *e)
{
	AUTO(str_freep) char *path = station_path(s, "orders");
	char **list = NULL;
	size_t count = 0;

	if (!path)
		return no_memory(e);
	DIR *d = opendir(path);
	if (!d)
		return err_errno(e, "%s: cannot open", path);
	for (struct dirent *x; (x = readdir(d));) {
		AUTO(str_freep) char *file = station_path(s, "orders/%s/order.json", x->d_name);
		if (!order_id_valid(x->d_name) || !file || !fsio_exists(file))
			continue;
		char **grown = realloc(list, (count + 1) * sizeof *grown);
		if (grown)
			list = grown;
		if (!grown || !(list[count] = strdup(x->d_name)))
			break;
		count++;
	}
	closedir(d);
	if (count)
		qsort(list, count, sizeof *list, by_name);
	*ids = list;
	*n = count;
	return 0;
}

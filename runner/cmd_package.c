#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/exit_status.h"
#include "base/fsio.h"
#include "base/json.h"
#include "base/text.h"
#include "pkg/words.h"
#include "runner/admission.h"
#include "runner/commands.h"
#include "runner/run_log.h"

static const struct cli_option state_options[] = { STATE_OPTION, { 0 } };

/* --- verify
 * -------------------------------------------------------------------------------------------------
 */
static json_t *verify_json(const struct admission *a)
{
	const struct manifest *m = pkg_manifest(a->pkg);
	const struct signers *signers = pkg_signers(a->pkg);
	char digest[65];
	json_t *ids = json_array();
	json_t *j = json_pack("{s:b,s:s,s:s,s:s,s:I,s:s,s:s,s:o,s:o}", "ok", 1, "package",
		hex_encode(digest, pkg_digest(a->pkg), 32), "product", m->product, "release",
		m->release, "sequence", (json_int_t)m->sequence, "package_id", m->package_id,
		"family", m->family, "signers", ids, "plan", script_to_json(pkg_script(a->pkg)));

	for (size_t i = 0; i < signers->n; i++)
		if (signers->list[i].counts)
			json_array_append_new(ids, json_string(signers->list[i].id));
	if (j && a->order) {
		const struct order *o = order_of(a->order);
		json_object_set_new(j, "order", json_string(o->id));
		json_object_set_new(j, "quantity", json_integer((json_int_t)o->quantity));
	}
	return j;
}

static void verify_text(const struct admission *a, const struct cli *c)
{
	const struct manifest *m = pkg_manifest(a->pkg);
	const struct signers *signers = pkg_signers(a->pkg);
	char digest[65], words[WORDS_CAP], until[TIME_S_LEN + 1];

	printf("package    %s %s, sequence %lld, for %s\n", m->product, m->release,
		(long long)m->sequence, m->family);
	printf("digest     %s\n", hex_encode(digest, pkg_digest(a->pkg), 32));
	printf("words      %s\n", words_of(words, pkg_digest(a->pkg)));
	for (size_t i = 0; i < signers->n; i++)
		printf("signature  %s %s\n", signers->list[i].id,
			signers->list[i].counts	   ? "trusted"
			: signers->list[i].trusted ? "trusted, same key again"
						   : "by an unknown key");
	printf("valid      until %s\n", time_format_s(until, (time_t)m->expires));
	printf("devices    life cycle %s", mboot_lifecycle_name(m->before[0]));
	for (size_t i = 1; i < m->n_before; i++)
		printf(" or %s", mboot_lifecycle_name(m->before[i]));
	printf(" -> %s\n", mboot_lifecycle_name(m->after));
	if (a->order) {
		const struct order *o = order_of(a->order);
		printf("order      %s for %s, %lld devices, until %s\n", o->id, ESC(o->customer),
			(long long)o->quantity, time_format_s(until, (time_t)o->not_after));
	} else if (m->requires_order) {
		puts("order      needed to start");
	}
	putchar('\n');
	if (cli_flag(c, "plan") || c->verbosity >= 0)
		script_print_plan(stdout, pkg_script(a->pkg), cli_colour(STDOUT_FILENO));
	puts("\nverified: everything that can be checked without a device is right");
}

static int run_verify(const struct cli *c, struct err *e)
{
	AUTO(str_freep) char *dir = station_folder(c, e);
	AUTO(station_close) struct station s = { .lock = -1 };
	AUTO(admission_clear) struct admission a = { 0 };
	const char *order = cli_string(c, "order", NULL);

	if (!dir || station_open(&s, dir, STATION_LOOK, e) != 0 || admission_init(&a, &s, e) != 0)
		return -1;
	if (order && admission_order(&a, order, true, e) != 0)
		return -1;
	if (!order && !c->operands.n)
		return cli_usage(e, c, "which package?");
	if (admission_package(&a, c->operands.n ? c->operands.v[0] : NULL, e) != 0)
		return -1;
	if (c->json) {
		AUTO(json_freep) json_t *j = verify_json(&a);
		return json_print(j, e);
	}
	verify_text(&a, c);
	return 0;
}

static const struct cli_option verify_options[] = {
	STATE_OPTION,
	{ "order", 'o', CLI_STRING, "ORDER", "check this order with it (file or id)", false },
	{ "plan", 0, CLI_FLAG, NULL, "print every step (also with -q)", false },
	{ 0 },
};

const struct cli_command run_cmd_verify = {
	"verify",
	"PKG|PRODUCT",
	0,
	1,
	"check a package (and order) as far as possible without a device",
	verify_options,
	run_verify,
};

/* --- import
 * --------------------------------------------------------------------------------------------------
 */
/* A package is a zip file; anything else is taken for an order, whose reader says what is wrong. */
static bool is_package(const char *path)
{
	char magic[2] = "";
	AUTO(fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	return fd >= 0 && read(fd, magic, 2) == 2 && memcmp(magic, "PK", 2) == 0;
}

static int import_package(const struct station *s, const char *path, int verbosity, struct err *e)
{
	AUTO(admission_clear) struct admission a = { 0 };
	struct pkg_expect x = { .now = 0 };

	if (admission_init(&a, s, e) != 0)
		return -1;
	/* Window and policy count when it is used; an order may come later. */
	x.product_floor = depot_floor;
	x.ctx = &a.depot;
	if (pkg_open(&a.pkg, path, &a.trust, &x, NULL, e) != 0 ||
		depot_accept(&a.depot, s, a.pkg, true, e) != 0)
		return -1;
	if (verbosity >= 0)
		printf("package %s %s, sequence %lld\n", pkg_manifest(a.pkg)->product,
			pkg_manifest(a.pkg)->release, (long long)pkg_manifest(a.pkg)->sequence);
	return 0;
}

static int import_order(const struct station *s, const char *path, int verbosity, struct err *e)
{
	AUTO(admission_clear) struct admission a = { 0 };

	if (admission_init(&a, s, e) != 0 || admission_order(&a, path, false, e) != 0 ||
		depot_keep_order(s, a.order, e) != 0)
		return -1;
	if (verbosity >= 0)
		printf("order %s, %lld devices of %s\n", order_of(a.order)->id,
			(long long)order_of(a.order)->quantity, order_of(a.order)->product);
	return 0;
}

static int run_import(const struct cli *c, struct err *e)
{
	AUTO(str_freep) char *dir = station_folder(c, e);
	AUTO(station_close) struct station s = { .lock = -1 };

	if (!dir || station_open(&s, dir, STATION_WORK, e) != 0)
		return -1;
	for (size_t i = 0; i < c->operands.n; i++) {
		const char *path = c->operands.v[i];
		if ((is_package(path) ? import_package(&s, path, c->verbosity, e)
				      : import_order(&s, path, c->verbosity, e)) != 0)
			return -1;
	}
	return 0;
}

const struct cli_command run_cmd_import = {
	"import",
	"PKG|ORDER...",
	1,
	SIZE_MAX,
	"verify packages and orders and keep them",
	state_options,
	run_import,
};

/* --- list
 * -----------------------------------------------------------------------------------------------------
 */
static const char *log_state(const struct station *s, const char *id)
{
	struct err e;
	AUTO(str_freep) char *path = station_path(s, "orders/%s/log.db", id);

	if (!path || !fsio_exists(path))
		return "new";
	switch (run_log_closed(path, &e)) {
	case 0:
		return "open";
	case 1:
		return "closed";
	default:
		return "damaged";
	}
}

static json_t *order_json(const struct station *s, const char *id)
{
	AUTO(str_freep) char *path = station_path(s, "orders/%s/order.json", id);
	AUTO(buf_clear) struct buf text = { 0 };
	AUTO(order_clear) struct order o = { 0 };
	struct err e;

	if (!path || fsio_read(path, ORDER_MAX_SIZE, &text, &e) != 0 ||
		order_parse(&o, path, text.p, text.len, &e) != 0)
		return json_pack("{s:s,s:s}", "order", id, "state", "damaged");
	return json_pack("{s:s,s:s,s:s,s:I,s:s}", "order", id, "customer", o.customer, "product",
		o.product, "quantity", (json_int_t)o.quantity, "state", log_state(s, id));
}

static int print_list(const struct depot *d, const json_t *orders)
{
	for (size_t i = 0; i < d->n_packages; i++)
		printf("package  %-24s %-12s sequence %-6lld %.16s\n", d->packages[i].product,
			d->packages[i].release, (long long)d->packages[i].sequence,
			d->packages[i].digest);
	for (size_t i = 0; i < json_array_size(orders); i++) {
		const json_t *o = json_array_get(orders, i);
		const char *product = json_string_value(json_object_get(o, "product"));
		printf("order    %-24s %-12s quantity %-6lld %s\n",
			json_string_value(json_object_get(o, "order")), product ? product : "",
			(long long)json_integer_value(json_object_get(o, "quantity")),
			json_string_value(json_object_get(o, "state")));
	}
	if (!d->n_packages && !json_array_size(orders))
		puts("nothing kept here ('runner import PKG ORDER')");
	return 0;
}

static int run_list(const struct cli *c, struct err *e)
{
	AUTO(str_freep) char *dir = station_folder(c, e);
	AUTO(station_close) struct station s = { .lock = -1 };
	AUTO(depot_clear) struct depot d = { 0 };
	AUTO(json_freep) json_t *orders = json_array();
	char **ids = NULL;
	size_t n = 0;

	if (!dir || station_open(&s, dir, STATION_LOOK, e) != 0 || depot_load(&d, &s, e) != 0 ||
		depot_orders(&s, &ids, &n, e) != 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		json_array_append_new(orders, order_json(&s, ids[i]));
		free(ids[i]);
	}
	free(ids);
	if (!c->json)
		return print_list(&d, orders);
	json_t *packages = json_array();
	for (size_t i = 0; i < d.n_packages; i++)
		json_array_append_new(
			packages, json_pack("{s:s,s:s,s:I,s:s}", "product", d.packages[i].product,
					  "release", d.packages[i].release, "sequence",
					  (json_int_t)d.packages[i].sequence, "package",
					  d.packages[i].digest));
	AUTO(json_freep) json_t *j = json_pack("{s:o,s:O}", "packages", packages, "orders", orders);
	return json_print(j, e);
}

const struct cli_command run_cmd_list = {
	"list",
	"",
	0,
	0,
	"packages and orders kept here, and the state of their logs",
	state_options,
	run_list,
};

#include <stdio.h>

#include "base/json.h"
#include "base/text.h"
#include "crypt/digest.h"
#include "tests/sim/boot.h"
#include "tests/sim/report.h"
#include "tests/sim/status.h"

/* Add a member; a NULL value (no memory) is remembered in *bad. */
static void put(json_t *o, const char *name, json_t *value, bool *bad)
{
	*bad |= json_object_set_new(o, name, value) != 0;
}

static json_t *hex_json(const void *data, size_t len)
{
	char text[2 * 64 + 1];

	return len <= 64 ? json_string(hex_encode(text, data, len)) : NULL;
}

static json_t *digest_json(const void *data, size_t len)
{
	uint8_t d[32];

	sha256_of(data, len, d);
	return hex_json(d, sizeof d);
}

static json_t *fuses_json(const struct sim_fuses *f, bool *bad)
{
	json_t *o = json_object();

	for (unsigned i = 0; o && i < SIM_FUSE_WORDS; i++) {
		char name[8], value[16];
		if (!f->word[i])
			continue;
		snprintf(name, sizeof name, "%u", i);
		snprintf(value, sizeof value, "0x%08x", f->word[i]);
		put(o, name, json_string(value), bad);
	}
	return o;
}

/* The files with, or without, status 0; 10119 counts as accepted, as hosts count it. */
static json_t *sb_json(const struct sim_device *d, bool accepted, bool *bad)
{
	json_t *list = json_array();

	for (size_t i = 0; list && i < d->n_sb_records; i++) {
		const struct sim_sb_record *r = &d->sb_records[i];
		const char *name = mboot_status_name(r->status);
		if (accepted !=
			(r->status == OK_STATUS || r->status == MBOOT_STATUS_ROMLDR_PENDING_JUMP))
			continue;
		json_t *o = json_object();
		put(o, "status", json_integer(r->status), bad);
		put(o, "status_name", name ? json_string(name) : json_null(), bad);
		put(o, "kind", json_string(r->devhsm ? "provisioning" : "oem"), bad);
		put(o, "bytes", json_integer(r->size), bad);
		put(o, "blocks", json_integer(r->blocks), bad);
		put(o, "sha256", hex_json(r->sha256, sizeof r->sha256), bad);
		*bad |= json_array_append_new(list, o) != 0;
	}
	return list;
}

static json_t *image_digest(const struct sim_device *d, uint32_t size)
{
	AUTO(buf_clear) struct buf b = { 0 };
	uint8_t *p = size ? buf_grow(&b, size) : NULL;

	if (!p)
		return json_null();
	sim_store_read(&d->mem.flash, 0, p, size);
	return digest_json(p, size);
}

json_t *sim_report_device(const struct sim_device *d, const char *port, struct err *e)
{
	json_t *o = json_object();
	uint8_t flash[32];
	const uint8_t *rotkh, *blob;
	size_t rotkh_len;
	uint32_t image = sim_boot_image_size(d);
	bool bad = false;

	sim_store_sha256(&d->mem.flash, flash);
	put(o, "device", json_integer(d->index), &bad);
	put(o, "uuid", hex_json(d->uuid, sizeof d->uuid), &bad);
	put(o, "port", json_string(port), &bad);
	put(o, "family", json_string(d->chip->name), &bad);
	put(o, "lifecycle", json_string(sim_lc_name(d->lifecycle)), &bad);
	put(o, "cmpa_sha256", digest_json(d->mem.pfr.cmpa.data, SIM_PFR_SIZE), &bad);
	put(o, "cfpa_sha256", digest_json(d->mem.pfr.cfpa.data, SIM_PFR_SIZE), &bad);
	put(o, "flash_sha256", hex_json(flash, sizeof flash), &bad);
	put(o, "fuses", fuses_json(&d->fuses, &bad), &bad);
	put(o, "resets", json_integer(d->resets), &bad);
	put(o, "power_losses", json_integer(d->power_losses), &bad);
	put(o, "sb_accepted", sb_json(d, true, &bad), &bad);
	put(o, "sb_refused", sb_json(d, false, &bad), &bad);
	put(o, "boot", json_string(d->boot), &bad);
	put(o, "rkth",
		sim_cmpa_rotkh(&d->mem.pfr.cmpa, &rotkh, &rotkh_len) ? hex_json(rotkh, rotkh_len)
								     : json_null(),
		&bad);
	put(o, "key_blob_present", json_boolean(sim_cmpa_key_blob(&d->mem.pfr.cmpa, &blob)), &bad);
	put(o, "image_size", json_integer(image), &bad);
	put(o, "image_sha256", image_digest(d, image), &bad);
	if (bad) {
		json_decref(o);
		err_set(e, ERR_ENV, "out of memory for the report");
		return NULL;
	}
	return o;
}

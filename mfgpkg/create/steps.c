#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fsio.h"
#include "base/text.h"
#include "crypt/digest.h"
#include "image/mbi.h"
#include "image/sb31.h"
#include "mboot/mboot.h"
#include "mfgpkg/build/mbi_build.h"
#include "mfgpkg/build/pfr_build.h"
#include "mfgpkg/build/sb31_build.h"
#include "mfgpkg/create/build.h"
#include "mfgpkg/devhsm.h"

/* A step: its configuration, where its output goes, what makes it. */
struct step_row {
	const char *name; /* for people */
	const char *leaf; /* type of the artifact in the workspace log */
	const char *output_key; /* key of the configuration that names the output; NULL: `output` */
	const char *output; /* in the build folder */
	int (*make)(struct build *b, const struct config *doc, struct buf *out, struct err *e);
};

static int make_mbi(struct build *b, const struct config *doc, struct buf *out, struct err *e);
static int make_cmpa(struct build *b, const struct config *doc, struct buf *out, struct err *e);
static int make_cfpa(struct build *b, const struct config *doc, struct buf *out, struct err *e);
static int make_sb31(struct build *b, const struct config *doc, struct buf *out, struct err *e);
static int make_provision(
	struct build *b, const struct config *doc, struct buf *out, struct err *e);

static const struct step_row rows[STEP_COUNT] = {
	[STEP_MBI] = { "mbi", "mbi", "masterBootOutputFile", NULL, make_mbi },
	[STEP_CMPA] = { "cmpa", "cmpa", NULL, "cmpa.bin", make_cmpa },
	[STEP_CFPA] = { "cfpa", "cfpa", NULL, "cfpa.bin", make_cfpa },
	[STEP_SB31] = { "sb31", "sb31", "containerOutputFile", NULL, make_sb31 },
	[STEP_PROVISION] = { "devhsm", "provisioning-sb", "containerOutputFile", NULL,
		make_provision },
};

const char *step_name(enum step s)
{
	return rows[s].name;
}

void build_key_digest(const struct ecc_pub *pub, uint8_t out[32])
{
	sha256_of(pub->xy, 2 * ecc_len(pub->curve), out);
}

void build_progress(
	const struct build *b, unsigned number, enum create_result result, const struct artifact *a)
{
	struct create_progress p = { .step = number <= STEP_COUNT ? rows[number - 1].name
								  : "package",
		.number = number,
		.result = result };

	if (!b->o->progress)
		return;
	if (a) {
		p.file = a->path;
		p.size = a->data.len;
		p.ms = a->ms;
	}
	b->o->progress(b->o->ctx, &p);
}

bool build_cancelled(const struct build *b, struct err *e)
{
	if (!b->o->cancel || !atomic_load(b->o->cancel))
		return false;
	err_set(e, ERR_CANCELLED, "interrupted; what was built is kept, no package was written");
	return true;
}

/* --- making ----------------------------------------------------------------------------------- */

static int make_mbi(struct build *b, const struct config *doc, struct buf *out, struct err *e)
{
	return mbi_export(doc, b->ks, b->o->warn, b->o->ctx, out, e);
}

static bool all_zero(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i])
			return false;
	return true;
}

/* make_cmpa - with the RKTH of the certificate block that signs the SB3.1, unless the configuration
 * brings one: that is then compared with it in build_check(). */
static int make_cmpa(struct build *b, const struct config *doc, struct buf *out, struct err *e)
{
	struct pfr_build how = { .warn = config_warn_none };
	struct pfr_page page;
	uint8_t rkth[48];

	if (pfr_build(doc, &how, &page, e) != 0)
		return -1;
	if (page.id != FAMILY_CMPA)
		return err_set(e, ERR_CONFIG, "%s: is a CFPA: wanted a CMPA", config_name(doc));
	if (all_zero(page.data + CMPA_ROTKH_OFF, CMPA_ROTKH_LEN)) {
		if (pfr_rkth_of_config(b->ks, b->release.sb31, rkth, &how.rkth_len, e) != 0)
			return -1;
		how.rkth = rkth;
	}
	how.warn = b->o->warn;
	how.warn_ctx = b->o->ctx;
	if (pfr_build(doc, &how, &page, e) != 0)
		return -1;
	wr_bytes(out, page.data, sizeof page.data);
	return buf_check(out, "CMPA", e);
}

static int make_cfpa(struct build *b, const struct config *doc, struct buf *out, struct err *e)
{
	const struct pfr_build how = { .warn = b->o->warn, .warn_ctx = b->o->ctx };
	struct pfr_page page;

	if (pfr_build(doc, &how, &page, e) != 0)
		return -1;
	if (page.id != FAMILY_CFPA)
		return err_set(e, ERR_CONFIG, "%s: is a CMPA: wanted a CFPA", config_name(doc));
	wr_bytes(out, page.data, sizeof page.data);
	return buf_check(out, "CFPA", e);
}

static int make_sb31(struct build *b, const struct config *doc, struct buf *out, struct err *e)
{
	return sb31_export(doc, b->ks, out, e);
}

static void devhsm_progress(void *ctx, const char *step, uint32_t done, uint32_t total)
{
	const struct build *b = ctx;
	const struct create_progress p = { .step = rows[STEP_PROVISION].name,
		.number = STEP_PROVISION + 1,
		.result = CREATE_BEGIN,
		.file = step,
		.done = done,
		.total = total };

	if (b->o->progress)
		b->o->progress(b->o->ctx, &p);
}

static void devhsm_warn(void *ctx, const char *text)
{
	const struct build *b = ctx;

	b->o->warn(b->o->ctx, text);
}

static int make_provision(struct build *b, const struct config *doc, struct buf *out, struct err *e)
{
	const struct devhsm_options how = {
		.progress = devhsm_progress, .warn = devhsm_warn, .ctx = b, .cancel = b->o->cancel
	};
	AUTO(devhsm_result_clear) struct devhsm_result made = { 0 };

	if (!b->o->port)
		return err_set(e, ERR_USAGE,
			"the provisioning SB3.1 has to be made on a connected device, which serves "
			"as "
			"device HSM: give its port with -p");
	if (devhsm_generate_on(b->o->port, b->o->baud, doc, b->ks, &how, &made, e) != 0)
		return -1;
	wr_bytes(out, made.container.p, made.container.len);
	b->has_device = made.has_uuid;
	memcpy(b->device, made.uuid, sizeof b->device);
	return buf_check(out, "provisioning SB3.1", e);
}

/* --- running ---------------------------------------------------------------------------------- */

/* output_path - where the step's file goes: as its configuration says, else into the build folder.
 */
static int output_path(const struct build *b, const struct step_row *row, const struct config *doc,
	char **out, struct err *e)
{
	const struct config_node *n;

	if (row->output_key)
		return config_need(config_root(doc), row->output_key, &n, e) != 0
			       ? -1
			       : config_out_path(n, out, e);
	*out = path_join(b->folder, row->output);
	return *out ? 0 : err_set(e, ERR_ENV, "out of memory");
}

/* collect - everything the step reads; for CMPA also the certificate block its RKTH comes from. */
static int collect(const struct build *b, enum step s, struct artifact *a, struct err *e)
{
	AUTO(config_freep) struct config *doc = NULL;
	AUTO(str_freep) char *path = NULL;
	const struct config_node *n;

	if (inputs_collect(&a->inputs, a->config, e) != 0)
		return -1;
	if (s != STEP_CMPA)
		return 0;
	if (config_load(&doc, b->release.sb31, e) != 0 ||
		config_need(config_root(doc), "certBlock", &n, e) != 0 ||
		config_path(n, &path, e) != 0)
		return -1;
	return inputs_collect(&a->inputs, path, e);
}

/* signer_of - digest of the key that signed the artifact; false when nothing signs it. */
static bool signer_of(enum step s, const struct artifact *a, uint8_t out[32])
{
	struct err none = { 0 };
	struct mbi mbi;
	struct sb31 sb;

	switch (s) {
	case STEP_MBI:
		if (mbi_parse(&mbi, a->data.p, a->data.len, &none) != 0 ||
			mbi.type != MBI_SIGNED_XIP)
			return false;
		build_key_digest(cert_block_signer(&mbi.cert), out);
		return true;
	case STEP_SB31:
	case STEP_PROVISION:
		if (sb31_parse(&sb, a->data.p, a->data.len, &none) != 0)
			return false;
		build_key_digest(sb31_signer(&sb), out);
		return true;
	case STEP_CMPA:
	case STEP_CFPA:
	case STEP_COUNT:
		return false;
	}
	return false;
}

/* record - the artifact's entry in the workspace log. */
static int record(struct build *b, enum step s, const struct artifact *a, struct err *e)
{
	struct workspace_input inputs[INPUTS_MAX];
	uint8_t keys[1][32];
	size_t n = 0;

	for (size_t i = 0; i < a->inputs.n; i++) {
		if (a->inputs.v[i].secret)
			continue;
		inputs[n].file = path_basename(a->inputs.v[i].path);
		memcpy(inputs[n].sha256, a->inputs.v[i].sha256, 32);
		n++;
	}
	struct workspace_artifact leaf = {
		.type = rows[s].leaf,
		.file = path_basename(a->path),
		.size = a->data.len,
		.inputs = inputs,
		.n_inputs = n,
		.keys = (const uint8_t(*)[32])keys,
		.n_keys = signer_of(s, a, keys[0]) ? 1 : 0,
	};
	memcpy(leaf.sha256, a->sha256, 32);
	return workspace_artifact(b->ws, &leaf, e) != 0 ? -1 : workspace_commit(b->ws, e);
}

/* run - one step: take over what the last run made, or make it, keep it and record it. */
static int run(struct build *b, enum step s, struct err *e)
{
	const struct step_row *row = &rows[s];
	struct artifact *a = &b->a[s];
	AUTO(config_freep) struct config *doc = NULL;
	int64_t begin = clock_mono_ms();

	if (build_cancelled(b, e))
		return -1;
	build_progress(b, (unsigned)s + 1, CREATE_BEGIN, NULL);
	if (config_load(&doc, a->config, e) != 0 || output_path(b, row, doc, &a->path, e) != 0 ||
		collect(b, s, a, e) != 0)
		return -1;

	a->unchanged = stamps_current(b->stamps, row->name, &a->inputs, b->also, a->path);
	if (a->unchanged) {
		if (fsio_read(a->path, INPUTS_MAX_FILE, &a->data, e) != 0)
			return -1;
		sha256_of(a->data.p, a->data.len, a->sha256);
	} else {
		AUTO(str_freep) char *dir = path_dirname(a->path);

		if (!dir)
			return err_set(e, ERR_ENV, "out of memory");
		if (row->make(b, doc, &a->data, e) != 0 || fsio_mkdirs(dir, 0700, e) != 0 ||
			fsio_write(a->path, a->data.p, a->data.len, 0600, e) != 0)
			return -1;
		sha256_of(a->data.p, a->data.len, a->sha256);
		if (stamps_set(b->stamps, row->name, &a->inputs, b->also, a->path, a->sha256, e) !=
				0 ||
			stamps_save(b->stamps, e) != 0 || record(b, s, a, e) != 0)
			return -1;
	}
	a->ms = clock_mono_ms() - begin;
	build_progress(b, (unsigned)s + 1, a->unchanged ? CREATE_UNCHANGED : CREATE_BUILT, a);
	return 0;
}

/* take_ready - a provisioning SB3.1 that was made earlier. */
static int take_ready(struct build *b, struct err *e)
{
	struct artifact *a = &b->a[STEP_PROVISION];

	a->path = strdup(b->release.provisioning_sb);
	if (!a->path)
		return err_set(e, ERR_ENV, "out of memory");
	if (fsio_read(a->path, INPUTS_MAX_FILE, &a->data, e) != 0)
		return -1;
	sha256_of(a->data.p, a->data.len, a->sha256);
	a->present = true;
	a->unchanged = true;
	build_progress(b, STEP_PROVISION + 1, CREATE_UNCHANGED, a);
	return 0;
}

/* check_private - no key file of the whole release may be readable by others. */
static int check_private(const struct build *b, struct err *e)
{
	struct inputs *all = calloc(1, sizeof *all);
	int rc = 0;

	if (!all)
		return err_set(e, ERR_ENV, "out of memory");
	for (size_t s = 0; rc == 0 && s < STEP_COUNT; s++)
		if (b->a[s].config)
			rc = inputs_collect(all, b->a[s].config, e);
	if (rc == 0)
		rc = inputs_add_secret(all, b->release.package_key, e);
	if (rc == 0 && !b->o->allow_readable_keys)
		rc = inputs_check_private(all, e);
	inputs_clear(all);
	free(all);
	return rc;
}

int build_begin(struct build *b, struct err *e)
{
	const struct release *r = &b->release;
	const char *const configs[STEP_COUNT] = {
		[STEP_MBI] = r->mbi,
		[STEP_CMPA] = r->cmpa,
		[STEP_CFPA] = r->cfpa,
		[STEP_SB31] = r->sb31,
		[STEP_PROVISION] = r->devhsm,
	};

	for (size_t s = 0; s < STEP_COUNT; s++) {
		b->a[s].config = configs[s];
		b->a[s].present = configs[s] != NULL;
	}
	return check_private(b, e);
}

int build_steps(struct build *b, enum step from, enum step to, struct err *e)
{
	for (enum step s = from; s <= to; s++)
		if (b->a[s].present && run(b, s, e) != 0)
			return err_wrap(e, "%s", rows[s].name);
	if (to == STEP_PROVISION && b->release.provisioning_sb && take_ready(b, e) != 0)
		return err_wrap(e, "provisioning_sb");
	return 0;
}

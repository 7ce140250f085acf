#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/text.h"
#include "image/cert_block.h"
#include "image/mbi.h"
#include "tests/sim/boot.h"

enum {
	CMPA_BOOT_CFG = 0x000,
	BOOT_SRC_FLEXSPI = 1,
	FLEXSPI_IMAGE_OFF = 0x1000,
	VECTOR_SP = 0,
	VECTOR_PC = 4,
	SEC_BOOT_ANY = 0,
	SEC_BOOT_CRC = 1,
	SEC_BOOT_SIGNED = 2, /* and 3 */
	KEY_USAGE_DEBUG = 1,
	KEY_USAGE_IMAGE = 5,
	KEY_USAGE_UPDATE = 6,
	KEY_USAGE_NONE = 7,
};

/* --- life cycle ------------------------------------------------------------------------------- */

/* CMPA_UPD, looked at only while the fuse says DEVELOP. */
static void carry_out_update(struct sim_device *d)
{
	if (sim_fuse_lifecycle(&d->fuses) != SIM_LC_DEVELOP || !sim_cmpa_valid(&d->mem.pfr.cmpa))
		return;
	switch (sim_cfpa_update(&d->mem.pfr.cfpa)) {
	case SIM_CMPA_UPD_TO_SECURE:
		sim_fuse_set_lifecycle(&d->fuses, SIM_LC_DEVELOP2);
		break;
	case SIM_CMPA_UPD_TO_CLOSED:
		sim_fuse_set_lifecycle(&d->fuses, SIM_LC_IN_FIELD);
		break;
	case SIM_CMPA_UPD_TO_LOCKED:
		sim_fuse_set_lifecycle(&d->fuses, SIM_LC_IN_FIELD_LOCKED);
		break;
	default: /* 2 refreshes the CMAC, which the simulator does not compute; others: nothing */
		break;
	}
}

/* The fuse decides; while it says DEVELOP the CFPA may stand in for it. */
static int find_lifecycle(const struct sim_device *d)
{
	int lc = sim_fuse_lifecycle(&d->fuses);

	if (lc == SIM_LC_DEVELOP) {
		uint8_t cfpa = sim_cfpa_lifecycle(&d->active.cfpa);
		if (cfpa == SIM_LC_DEVELOP2 || cfpa == SIM_LC_IN_FIELD ||
			cfpa == SIM_LC_IN_FIELD_LOCKED)
			return cfpa;
	}
	return lc;
}

/* --- who may sign ----------------------------------------------------------------------------- */

int sim_cert_allowed(
	const struct sim_device *d, const struct cert_block *c, enum sim_signs what, struct err *e)
{
	const uint8_t *rotkh;
	size_t len;
	unsigned usage = sim_cmpa_key_usage(&d->active.cmpa, c->used_root);

	if (!sim_cmpa_rotkh(&d->active.cmpa, &rotkh, &len))
		return err_set(e, ERR_REJECTED, "CMPA holds no RKTH");
	if (cert_block_check_rkth(c, rotkh, len, e) != 0)
		return -1;
	if (sim_cfpa_key_revoked(&d->active.cfpa, c->used_root) ||
		sim_fuse_key_revoked(&d->fuses, c->used_root))
		return err_set(e, ERR_REJECTED, "root key %u is revoked", c->used_root);
	if (usage == KEY_USAGE_DEBUG || usage == KEY_USAGE_NONE ||
		usage == (what == SIM_SIGNS_IMAGE ? KEY_USAGE_UPDATE : KEY_USAGE_IMAGE))
		return err_set(e, ERR_REJECTED, "root key %u may not sign %s (usage %u)",
			c->used_root, what == SIM_SIGNS_IMAGE ? "images" : "updates", usage);
	if (c->has_isk && c->isk_constraint < sim_cfpa_image_key_revoke(&d->active.cfpa))
		return err_set(e, ERR_REJECTED, "ISK certificate constraint %u is revoked",
			c->isk_constraint);
	return 0;
}

/* --- the image -------------------------------------------------------------------------------- */

struct source {
	const struct sim_store *store;
	uint32_t off;
};

static struct source image_source(const struct sim_device *d)
{
	if (sim_cmpa_valid(&d->active.cmpa) &&
		(sim_page_word(&d->active.cmpa, CMPA_BOOT_CFG) & 3) == BOOT_SRC_FLEXSPI)
		return (struct source){ &d->mem.flexspi, FLEXSPI_IMAGE_OFF };
	return (struct source){ &d->mem.flash, 0 };
}

static uint32_t word_at(const struct source *s, uint32_t off)
{
	uint8_t w[4];

	sim_store_read(s->store, s->off + off, w, sizeof w);
	return get_le32(w);
}

/* The size by the length word; for plain images, which have none, up to the last written sector. */
static uint32_t image_size(const struct source *s)
{
	uint32_t room = s->store->size - s->off, len = word_at(s, MBI_LENGTH_OFF);
	const uint8_t *bits;

	if (word_at(s, 0) == 0xFFFFFFFF && word_at(s, 4) == 0xFFFFFFFF)
		return 0;
	if (len == 0 && (word_at(s, MBI_TYPE_OFF) & MBI_TYPE_MASK) == MBI_PLAIN) {
		uint32_t i = s->off / s->store->block_size;
		while (i < sim_store_blocks(s->store) && sim_store_block(s->store, i, &bits))
			i++;
		return i * s->store->block_size - s->off;
	}
	return len >= MBI_MIN_APP && len <= room ? len : 0;
}

uint32_t sim_boot_image_size(const struct sim_device *d)
{
	return image_size(&(struct source){ &d->mem.flash, 0 });
}

/* Stack pointer in RAM and an odd entry point: enough to tell code from garbage. */
static int check_vectors(const struct sim_device *d, const struct source *s, struct err *e)
{
	uint32_t sp = word_at(s, VECTOR_SP), pc = word_at(s, VECTOR_PC);

	if (sp < SIM_RAM_BASE || sp > SIM_RAM_BASE + d->opt.chip->ram_size || sp % 4)
		return err_set(e, ERR_REJECTED, "initial stack pointer 0x%08x is not in RAM", sp);
	if (!(pc & 1))
		return err_set(e, ERR_REJECTED, "entry point 0x%08x is not Thumb code", pc);
	return 0;
}

static int check_image(struct sim_device *d, const struct source *s, struct err *e)
{
	unsigned level = sim_cmpa_secure_boot(&d->active.cmpa);
	const uint8_t *rotkh = NULL;
	size_t rotkh_len = 0;
	struct mbi m;
	uint32_t size = image_size(s);

	if (size == 0)
		return err_set(e, ERR_REJECTED, "the image length 0x%08x makes no sense",
			word_at(s, MBI_LENGTH_OFF));
	if (check_vectors(d, s, e) != 0)
		return -1;
	if (level == SEC_BOOT_ANY)
		return 0;
	AUTO(buf_clear) struct buf image = { 0 };
	uint8_t *p = buf_grow(&image, size);
	if (!p)
		return buf_check(&image, "image", e);
	sim_store_read(s->store, s->off, p, size);
	if (mbi_parse_at(&m, p, size, e) != 0)
		return -1;
	if (m.type != MBI_SIGNED_XIP) {
		if (level >= SEC_BOOT_SIGNED || m.type != MBI_CRC_XIP)
			return err_set(e, ERR_REJECTED, "a %s image, secure boot wants a %s one",
				mbi_type_name(m.type),
				level >= SEC_BOOT_SIGNED ? "signed" : "CRC or signed");
		return mbi_verify(&m, NULL, 0, e);
	}
	if (sim_cert_allowed(d, &m.cert, SIM_SIGNS_IMAGE, e) != 0)
		return -1;
	(void)sim_cmpa_rotkh(&d->active.cmpa, &rotkh, &rotkh_len);
	if (mbi_verify(&m, rotkh, rotkh_len, e) != 0)
		return -1;
	if (m.firmware_version < sim_cfpa_secure_version(&d->active.cfpa))
		return err_set(e, ERR_REJECTED, "firmware version %u is below %u in CFPA",
			m.firmware_version, sim_cfpa_secure_version(&d->active.cfpa));
	return 0;
}

static void refuse(struct sim_device *d, const char *reason)
{
	char clean[SIM_BOOT_REASON_MAX - 16];

	text_escape(clean, sizeof clean, reason, strlen(reason));
	snprintf(d->boot, sizeof d->boot, "refused: %s", clean);
}

void sim_boot(struct sim_device *d)
{
	struct err e = { 0 };

	carry_out_update(d);
	d->active = d->mem.pfr;
	d->lifecycle = find_lifecycle(d);
	d->mem.pfr.cmpa_closed = sim_device_in_field(d);
	d->mode = SIM_MODE_ISP;
	snprintf(d->boot, sizeof d->boot, "isp");
	if (d->lifecycle < 0 || d->lifecycle == SIM_LC_FAILURE_ANALYSIS ||
		d->lifecycle == SIM_LC_BRICKED ||
		strcmp(sim_lc_name(d->lifecycle), "unknown") == 0) {
		d->mode = SIM_MODE_DEAD;
		refuse(d, d->lifecycle < 0 ? "the life-cycle copies in fuse 1 differ"
					   : "no boot in this life cycle");
		return;
	}
	const struct source s = image_source(d);
	if (word_at(&s, 0) == 0xFFFFFFFF && word_at(&s, 4) == 0xFFFFFFFF)
		return; /* blank */
	if (check_image(d, &s, &e) != 0) {
		refuse(d, e.msg);
		return;
	}
	if (d->opt.isp_pin)
		return;
	d->mode = SIM_MODE_APPLICATION;
	snprintf(d->boot, sizeof d->boot, "application");
}

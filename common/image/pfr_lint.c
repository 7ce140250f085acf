/* What a page may hold by its format but should not: inverse halves, debug rights that contradict
 * each other, secure boot without keys, steps without return. Source: formats "pfr", section 7. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/bytes.h"
#include "image/pfr.h"

struct lint {
	const struct family *f;
	enum family_revision rev;
	const uint8_t *cmpa, *cfpa; /* NULL: not known */
	pfr_report_fn report;
	void *ctx;
	unsigned n;
};

static void finding(struct lint *l, bool dangerous, const char *fmt, ...) PRINTF_LIKE(3);

static void finding(struct lint *l, bool dangerous, const char *fmt, ...)
{
	char text[300];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	l->n += !dangerous;
	if (l->report)
		l->report(l->ctx, dangerous, text);
}

static void lint_marker(struct lint *l, enum family_page_id id, const uint8_t *data)
{
	const struct family_page *page = &l->f->tables->pages[id];
	uint32_t marker = get_le32(data) >> 16;

	if (marker != page->marker)
		finding(l, false,
			"the marker in the first word is 0x%04" PRIX32
			" instead of 0x%04X: no device takes this page",
			marker, (unsigned)page->marker);
}

static void lint_inverses(struct lint *l, enum family_page_id id, const uint8_t *data)
{
	const struct family_page *page = &l->f->tables->pages[id];

	for (unsigned i = 0; i < FAMILY_PAGE_WORDS; i++) {
		const struct family_register *reg = &page->rev[l->rev].registers[i];
		uint32_t word = get_le32(data + reg->offset);
		if (word != reg->reset && !pfr_inverse_ok(reg, word))
			finding(l, false,
				"%s (0x%03" PRIX32 ") is 0x%08" PRIX32
				": its inverse half is wrong, 0x%08" PRIX32 " would be right",
				reg->name, reg->offset, word, pfr_compute_inverse(reg, word));
	}
}

/* Names of the rights in a SOCU word, by bit. */
static const char *right_name(unsigned bit)
{
	static const char *const names[16] = { "NIDEN", "DBGEN", "SPNIDEN", "SPIDEN", NULL,
		"DSP_DBGEN", "ISP_CMD_EN", "FA_CMD_EN", "ME_CMD_EN", "CPU1_NIDEN", "CPU1_DBGEN",
		NULL, NULL, NULL, NULL, "UUID_CHECK" };
	return names[bit] ? names[bit] : "a reserved bit";
}

static void lint_socu(
	struct lint *l, const char *pin_name, uint32_t pin, const char *dflt_name, uint32_t dflt)
{
	for (unsigned bit = 0; bit < 15; bit++)
		if (dflt >> bit & ~(pin >> bit) & 1)
			finding(l, false,
				"%s is enabled in %s but not fixed in %s: enabled by default and "
				"decided by authentication do not go together",
				right_name(bit), dflt_name, pin_name);
	if ((pin == 0) != (dflt == 0))
		finding(l, false,
			"%s is 0x%08" PRIX32 " and %s is 0x%08" PRIX32
			": either both are set or none",
			pin_name, pin, dflt_name, dflt);
}

static void lint_cmpa(struct lint *l)
{
	const uint8_t *p = l->cmpa;
	uint32_t boot = get_le32(p + CMPA_SECURE_BOOT_CFG_OFF);
	bool rotkh = false, rotkh_p384 = false, key_blob = false;

	lint_marker(l, FAMILY_CMPA, p);
	lint_inverses(l, FAMILY_CMPA, p);
	lint_socu(l, "CC_SOCU_PIN", get_le32(p + CMPA_CC_SOCU_PIN_OFF), "CC_SOCU_DFLT",
		get_le32(p + CMPA_CC_SOCU_DFLT_OFF));
	for (unsigned i = 0; i < CMPA_ROTKH_LEN; i++) {
		rotkh |= p[CMPA_ROTKH_OFF + i] != 0;
		rotkh_p384 |= i >= 32 && p[CMPA_ROTKH_OFF + i] != 0;
		key_blob |= p[CMPA_KEY_BLOB_OFF + i] != 0;
	}
	if (cmpa_sec_boot_en(boot) >= SEC_BOOT_SIGNED && !rotkh)
		finding(l, false,
			"SEC_BOOT_EN asks for signed images but ROTKH is empty: no image can boot");
	if (boot >> CMPA_ENF_CNSA_SHIFT & 3 && rotkh && !rotkh_p384)
		finding(l, false, "ENF_CNSA asks for P-384 but ROTKH has 32 bytes (P-256)");
	if (key_blob)
		finding(l, false,
			"CUST_MK_SK_KEY_BLOB is not empty: the wrapped key normally gets there by "
			"the loadKeyBlob command");
}

static void lint_life_cycle(struct lint *l)
{
	const uint32_t state = get_le32(l->cfpa + CFPA_LC_STATE_OFF) & 0xFF;
	const struct family_enum *states = &l->f->tables->lifecycle;
	const char *name = family_enum_name(states, state);

	if (state != 0 && state != 0x03 && state != 0x07 && state != 0x0F && state != 0xCF)
		finding(l, false,
			"CFPA_LC_STATE 0x%02" PRIX32 "%s%s%s is not a state for CFPA and can make "
			"the part unusable",
			state, name ? " (" : "", name ? name : "", name ? ")" : "");
}

static void lint_cfpa(struct lint *l)
{
	const uint8_t *p = l->cfpa;
	uint32_t version = get_le32(p + CFPA_VERSION_OFF);
	uint32_t flags = get_le32(p + CFPA_SECBOOT_FLAGS_OFF);
	uint32_t revoke = get_le32(p + CFPA_IMAGE_KEY_REVOKE_OFF) & 0xFFFFFF;

	lint_marker(l, FAMILY_CFPA, p);
	lint_inverses(l, FAMILY_CFPA, p);
	lint_socu(l, "DCFG_CC_SOCU_NS_PIN", get_le32(p + CFPA_SOCU_NS_PIN_OFF),
		"DCFG_CC_SOCU_NS_DFLT", get_le32(p + CFPA_SOCU_NS_DFLT_OFF));
	lint_life_cycle(l);
	switch (cfpa_cmpa_upd(version)) {
	case CMPA_UPD_NONE:
	case CMPA_UPD_UPDATE:
		break;
	case CMPA_UPD_TO_OEM_SECURE:
		finding(l, true,
			"CMPA_UPD moves the fuse life cycle to DEVELOP2: it cannot be undone");
		break;
	case CMPA_UPD_TO_OEM_CLOSED:
		finding(l, true,
			"CMPA_UPD moves the fuse life cycle to IN_FIELD: it cannot be undone");
		break;
	case CMPA_UPD_TO_OEM_LOCKED:
		finding(l, true,
			"CMPA_UPD moves the fuse life cycle to IN_FIELD_LOCKED: it cannot be "
			"undone");
		break;
	default:
		finding(l, false, "CMPA_UPD %u has no meaning (0, 2, 3, 5 or 6)",
			cfpa_cmpa_upd(version));
		break;
	}
	if (revoke & (revoke + 1))
		finding(l, false,
			"Image_key_revocation_ID 0x%06" PRIX32
			" is not unary (0, 1, 3, 7, 0xF, ...)",
			revoke);
	if ((flags & 0x02) && (flags & 0x08) && (flags & 0x20) && (flags & 0x80))
		finding(l, false, "SECBOOT_FLAGS revokes all four root keys: no image can boot");
}

static void lint_both(struct lint *l)
{
	static const struct {
		uint32_t cmpa, cfpa;
		const char *cmpa_name, *cfpa_name;
	} pairs[] = {
		{ CMPA_CC_SOCU_PIN_OFF, CFPA_SOCU_NS_PIN_OFF, "CC_SOCU_PIN",
			"DCFG_CC_SOCU_NS_PIN" },
		{ CMPA_CC_SOCU_DFLT_OFF, CFPA_SOCU_NS_DFLT_OFF, "CC_SOCU_DFLT",
			"DCFG_CC_SOCU_NS_DFLT" },
	};

	for (size_t i = 0; i < 2; i++) {
		uint32_t lost = get_le32(l->cfpa + pairs[i].cfpa) &
				~get_le32(l->cmpa + pairs[i].cmpa) & 0x7FFF;
		for (unsigned bit = 0; bit < 15; bit++)
			if (lost >> bit & 1)
				finding(l, false,
					"%s is set in CFPA %s but not in CMPA %s, so it has no "
					"effect",
					right_name(bit), pairs[i].cfpa_name, pairs[i].cmpa_name);
	}
	bool flexspi = (get_le32(l->cmpa) & 3) == 1;
	if (flexspi && (get_le32(l->cfpa + CFPA_VERSION_OFF) >> CFPA_IMG_UPD_SHIFT & 3))
		finding(l, false,
			"IMG_UPD must stay 0 when images run from FlexSPI flash (CMPA BOOT_SRC)");
}

unsigned pfr_lint(const struct family *f, enum family_revision rev, const uint8_t *cmpa,
	const uint8_t *cfpa, pfr_report_fn report, void *ctx)
{
	struct lint l = { f, rev, cmpa, cfpa, report, ctx, 0 };

	if (cmpa)
		lint_cmpa(&l);
	if (cfpa)
		lint_cfpa(&l);
	if (cmpa && cfpa)
		lint_both(&l);
	return l.n;
}

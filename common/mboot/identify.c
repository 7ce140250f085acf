#include <string.h>

#include "mboot/identify.h"

static const struct {
	enum mboot_lifecycle lc;
	uint8_t fuse;
	const char *name;
} states[] = {
	{ MBOOT_LC_BLANK, 0x00, "blank" },
	{ MBOOT_LC_DEVELOP, 0x03, "develop" },
	{ MBOOT_LC_DEVELOP2, 0x07, "develop2" },
	{ MBOOT_LC_IN_FIELD, 0x0F, "in-field" },
	{ MBOOT_LC_IN_FIELD_LOCKED, 0xCF, "in-field-locked" },
	{ MBOOT_LC_FIELD_RETURN, 0x1F, "field-return-oem" },
	{ MBOOT_LC_FAILURE_ANALYSIS, 0x7F, "failure-analysis" },
	{ MBOOT_LC_BRICKED, 0xFF, "bricked" },
};
enum { N_STATES = sizeof states / sizeof states[0] };

const char *mboot_lifecycle_name(enum mboot_lifecycle lc)
{
	for (size_t i = 0; i < N_STATES; i++)
		if (states[i].lc == lc)
			return states[i].name;
	return "unknown";
}

int mboot_lifecycle_parse(const char *name, enum mboot_lifecycle *out)
{
	for (size_t i = 0; i < N_STATES; i++)
		if (strcmp(states[i].name, name) == 0) {
			*out = states[i].lc;
			return 0;
		}
	return -1;
}

static bool is_secured(uint32_t security_state)
{
	return security_state == MBOOT_SECURITY_SECURED || security_state == 1;
}

enum mboot_lifecycle mboot_lifecycle_of(uint32_t security_state, const uint32_t *fuse)
{
	enum mboot_lifecycle lc = MBOOT_LC_UNKNOWN;

	if (!fuse)
		return is_secured(security_state) ? MBOOT_LC_IN_FIELD : MBOOT_LC_UNKNOWN;
	/* The state stands in the fuse twice: bits 7:0 and bits 31:24. */
	if ((*fuse & 0xFF) == *fuse >> 24)
		for (size_t i = 0; i < N_STATES; i++)
			if (states[i].fuse == (*fuse & 0xFF))
				lc = states[i].lc;
	/* CFPA can raise the state beyond the fuse; property 17 then says so. */
	if (is_secured(security_state) && lc < MBOOT_LC_IN_FIELD)
		lc = MBOOT_LC_IN_FIELD;
	return lc;
}

/* A refusal is an answer; only silence and a vanished port are failures. */
static bool refused(const struct err *e)
{
	return e->code == ERR_DEVICE && e->device != 0;
}

/* A property of one word: 1 answered, 0 refused or empty, -1 no answer. */
static int word(struct mboot *m, uint32_t id, uint32_t *out, struct err *e)
{
	size_t n;
	uint32_t value;
	struct err local = { 0 };

	if (mboot_get_property(m, id, 0, &value, 1, &n, &local) == 0) {
		if (n)
			*out = value;
		return n > 0;
	}
	if (refused(&local))
		return 0;
	*e = local;
	return -1;
}

int mboot_lifecycle(struct mboot *m, enum mboot_lifecycle *out, struct err *e)
{
	uint32_t security = 0, fuse = 0;
	struct err local = { 0 };

	int known = word(m, MBOOT_PROP_SECURITY_STATE, &security, e);
	if (known < 0)
		return -1;
	bool readable = mboot_efuse_read_once(m, MBOOT_FUSE_LIFE_CYCLE, &fuse, &local) == 0;
	if (!readable && !refused(&local)) {
		*e = local;
		return -1;
	}
	*out = known || readable ? mboot_lifecycle_of(security, readable ? &fuse : NULL)
				 : MBOOT_LC_UNKNOWN;
	return 0;
}

int mboot_identify(struct mboot *m, struct mboot_identity *out, struct err *e)
{
	struct mboot_identity id = { .lifecycle = MBOOT_LC_UNKNOWN };
	struct err local = { 0 };

	if (mboot_ping(m, &id.protocol, e) != 0)
		return -1;
	id.has_uuid = mboot_uuid(m, id.uuid, &local) == 0;
	if (!id.has_uuid && !refused(&local)) {
		*e = local;
		return -1;
	}
	if (mboot_lifecycle(m, &id.lifecycle, e) != 0)
		return -1;
	int flash = word(m, MBOOT_PROP_FLASH_SIZE, &id.flash_size, e);
	int ram = flash < 0 ? -1 : word(m, MBOOT_PROP_RAM_SIZE, &id.ram_size, e);
	if (ram < 0 || word(m, MBOOT_PROP_SYSTEM_DEVICE_ID, &id.device_id, e) < 0 ||
		word(m, MBOOT_PROP_TARGET_VERSION, &id.target_version, e) < 0)
		return -1;
	id.has_sizes = flash > 0 && ram > 0;
	*out = id;
	return 0;
}

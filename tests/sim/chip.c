#include <stddef.h>
#include <string.h>

#include "tests/sim/chip.h"

static const struct sim_chip chips[] = {
	{ "mcxn947", "mcxn9xx", 0x200000, 0x68000 },
	{ "mcxn946", "mcxn9xx", 0x100000, 0x40000 },
	{ "mcxn547", "mcxn5xx", 0x200000, 0x68000 },
	{ "mcxn546", "mcxn5xx", 0x100000, 0x40000 },
};

static const struct {
	const char *old, *name;
} old_names[] = { { "mcxn94x", "mcxn947" }, { "mcxn9xx", "mcxn946" }, { "mcxn54x", "mcxn547" } };

const struct sim_chip *sim_chip_find(const char *name)
{
	for (size_t i = 0; i < sizeof old_names / sizeof old_names[0]; i++)
		if (strcmp(name, old_names[i].old) == 0)
			name = old_names[i].name;
	for (size_t i = 0; i < sizeof chips / sizeof chips[0]; i++)
		if (strcmp(name, chips[i].name) == 0)
			return &chips[i];
	return NULL;
}

const char *sim_chip_names(void)
{
	return "mcxn947, mcxn946, mcxn547, mcxn546";
}

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "tests/sim/boot.h"
#include "tests/sim/device.h"

/* --- the kinds -------------------------------------------------------------------------------- */

enum value_kind {
	VALUE_NONE,
	VALUE_NUMBER, /* optional */
	VALUE_STATUS, /* required */
	VALUE_CHIP,
	VALUE_LIFECYCLE,
};

#define PLACE(p) (1u << (p))
enum {
	LINE_PLACES =
		PLACE(SIM_AT_RX) | PLACE(SIM_AT_TX) | PLACE(SIM_AT_RX_RATE) | PLACE(SIM_AT_TX_RATE),
	STEP_PLACES = PLACE(SIM_AT_COMMAND) | PLACE(SIM_AT_DATA) | PLACE(SIM_AT_SB_BLOCK),
};

static const struct kind {
	const char *name;
	enum sim_fault_kind kind;
	enum value_kind value;
	uint64_t fallback;
	unsigned places;
} kinds[] = {
	{ "lose", SIM_FAULT_LOSE, VALUE_NUMBER, 1, LINE_PLACES },
	{ "corrupt", SIM_FAULT_CORRUPT, VALUE_NUMBER, 0xFF, LINE_PLACES },
	{ "duplicate", SIM_FAULT_DUPLICATE, VALUE_NONE, 0, LINE_PLACES },
	{ "delay", SIM_FAULT_DELAY, VALUE_NUMBER, 100,
		LINE_PLACES | PLACE(SIM_AT_COMMAND) | PLACE(SIM_AT_DATA) },
	{ "nak", SIM_FAULT_NAK, VALUE_NUMBER, 1, PLACE(SIM_AT_COMMAND) | PLACE(SIM_AT_DATA) },
	{ "refuse", SIM_FAULT_REFUSE, VALUE_STATUS, 0, PLACE(SIM_AT_COMMAND) },
	{ "abort", SIM_FAULT_ABORT, VALUE_STATUS, 0, PLACE(SIM_AT_DATA) | PLACE(SIM_AT_SB_BLOCK) },
	{ "final", SIM_FAULT_FINAL, VALUE_STATUS, 0, PLACE(SIM_AT_COMMAND) },
	{ "bad-crc", SIM_FAULT_BAD_CRC, VALUE_NONE, 0, PLACE(SIM_AT_COMMAND) | PLACE(SIM_AT_DATA) },
	{ "no-answer", SIM_FAULT_NO_ANSWER, VALUE_NONE, 0, PLACE(SIM_AT_COMMAND) },
	{ "ignore", SIM_FAULT_IGNORE, VALUE_NONE, 0, PLACE(SIM_AT_COMMAND) | PLACE(SIM_AT_DATA) },
	{ "reset", SIM_FAULT_RESET, VALUE_NONE, 0, LINE_PLACES | STEP_PLACES },
	{ "power-loss", SIM_FAULT_POWER_LOSS, VALUE_NUMBER, SIM_OFF_MS, LINE_PLACES | STEP_PLACES },
	{ "silence", SIM_FAULT_SILENCE, VALUE_NUMBER, 0,
		LINE_PLACES | STEP_PLACES | PLACE(SIM_AT_START) | PLACE(SIM_AT_RESET) },
	{ "stuck", SIM_FAULT_STUCK, VALUE_NONE, 0,
		LINE_PLACES | STEP_PLACES | PLACE(SIM_AT_START) | PLACE(SIM_AT_RESET) },
	{ "wrong-family", SIM_FAULT_WRONG_FAMILY, VALUE_CHIP, 0,
		PLACE(SIM_AT_START) | PLACE(SIM_AT_RESET) },
	{ "wrong-lifecycle", SIM_FAULT_WRONG_LIFECYCLE, VALUE_LIFECYCLE, 0,
		PLACE(SIM_AT_START) | PLACE(SIM_AT_RESET) },
	{ "rename", SIM_FAULT_RENAME, VALUE_NONE, 0, PLACE(SIM_AT_RESET) },
};

/* --- parsing ---------------------------------------------------------------------------------- */

static int bad(struct err *e, const char *text, const char *what, const char *seen)
{
	return err_set(e, ERR_USAGE, "--fault \"%s\": %s, seen \"%s\"", ESC(text), what, ESC(seen));
}

/* A number that ends where the text ends. */
static bool whole_number(const char *s, uint64_t *out)
{
	return *s && number_parse(s, out) == 0;
}

static bool share_of_devices(const char *s, size_t len, double *share)
{
	char *end;

	if (len < 2 || s[len - 1] != '%')
		return false;
	*share = strtod(s, &end) / 100;
	return end == s + len - 1 && *share >= 0 && *share <= 1;
}

/* "3", "0-4", "1,3,8-9": 1 names it, 0 does not, -1 syntax. */
static int device_named(const char *s, size_t len, unsigned index)
{
	int found = 0;

	while (len) {
		char *end;
		unsigned long a, b;
		if (!isdigit((unsigned char)*s))
			return -1;
		a = b = strtoul(s, &end, 10);
		if (end < s + len && *end == '-') {
			if (!isdigit((unsigned char)end[1]))
				return -1;
			b = strtoul(end + 1, &end, 10);
		}
		if (b < a)
			return -1;
		found |= index >= a && index <= b;
		len -= (size_t)(end - s);
		s = end;
		if (len && *s++ != ',')
			return -1;
		if (len && --len == 0)
			return -1;
	}
	return found;
}

static int parse_command_name(const char *name, uint8_t *tag)
{
	uint64_t n;

	if (number_parse(name, &n) == 0 && n <= 0xFF) {
		*tag = (uint8_t)n;
		return 0;
	}
	for (unsigned i = 0; i <= 0xFF; i++) {
		const struct mboot_command *c = mboot_command_find(i);
		if (c && strcmp(c->name, name) == 0) {
			*tag = (uint8_t)i;
			return 0;
		}
	}
	return -1;
}

static int parse_rate(struct sim_fault *f, const char *s, enum sim_fault_place place)
{
	char *end;

	f->place = place;
	f->rate = strtod(s, &end);
	return *s && !*end && isfinite(f->rate) && f->rate >= 0 && f->rate <= 1 ? 0 : -1;
}

/* NUMBER [ "/" K ] */
static int parse_counted(struct sim_fault *f, char *s)
{
	char *slash = strchr(s, '/');
	uint64_t k = 0;

	if (slash) {
		*slash = 0;
		if (!whole_number(slash + 1, &k) || k == 0 || k > UINT32_MAX)
			return -1;
	}
	f->occurrence = (uint32_t)k;
	return whole_number(s, &f->n) ? 0 : -1;
}

static int parse_place(struct sim_fault *f, char *s)
{
	if (strncmp(s, "rx=", 3) == 0) {
		f->place = SIM_AT_RX;
		return whole_number(s + 3, &f->n) ? 0 : -1;
	}
	if (strncmp(s, "tx=", 3) == 0) {
		f->place = SIM_AT_TX;
		return whole_number(s + 3, &f->n) ? 0 : -1;
	}
	if (strncmp(s, "rx~", 3) == 0)
		return parse_rate(f, s + 3, SIM_AT_RX_RATE);
	if (strncmp(s, "tx~", 3) == 0)
		return parse_rate(f, s + 3, SIM_AT_TX_RATE);
	if (strncmp(s, "sb=", 3) == 0) {
		f->place = SIM_AT_SB_BLOCK;
		return parse_counted(f, s + 3);
	}
	if (strncmp(s, "reset=", 6) == 0) {
		f->place = SIM_AT_RESET;
		return whole_number(s + 6, &f->n) ? 0 : -1;
	}
	/* COMMAND [ "/" K ] [ "+" BYTES ] */
	char *plus = strchr(s, '+'), *slash;
	f->place = SIM_AT_COMMAND;
	if (plus) {
		*plus = 0;
		f->place = SIM_AT_DATA;
		if (!whole_number(plus + 1, &f->n))
			return -1;
	}
	slash = strchr(s, '/');
	if (slash) {
		uint64_t k;
		*slash = 0;
		if (!whole_number(slash + 1, &k) || k == 0 || k > UINT32_MAX)
			return -1;
		f->occurrence = (uint32_t)k;
	}
	return parse_command_name(s, &f->tag);
}

static int parse_value(struct sim_fault *f, const struct kind *k, const char *value,
	const char *text, struct err *e)
{
	f->value = k->fallback;
	switch (k->value) {
	case VALUE_NONE:
		return value ? bad(e, text, "this kind takes no value", value) : 0;
	case VALUE_STATUS:
	case VALUE_NUMBER:
		if (!value && k->value == VALUE_NUMBER)
			return 0;
		if (!value || !whole_number(value, &f->value) || f->value > UINT32_MAX)
			return bad(e, text, "the value must be a number", value ? value : "");
		return 0;
	case VALUE_CHIP:
		f->what = sim_chip_find(value ? value : "");
		return f->what ? 0 : bad(e, text, "the value must be a family", value ? value : "");
	case VALUE_LIFECYCLE: {
		int lc = sim_lc_parse(value ? value : "");
		if (lc < 0)
			return bad(e, text, "the value must be a life cycle", value ? value : "");
		f->value = (uint64_t)lc;
		return 0;
	}
	}
	return 0;
}

int sim_fault_parse(struct sim_fault_spec *out, const char *text, struct err *e)
{
	char work[256];
	const struct kind *k = NULL;
	const char *colon = strchr(text, ':');
	struct sim_fault_spec spec = { .devices = text, .fault = { .times = 1 } };
	double share;

	if (!colon || strlen(colon + 1) >= sizeof work)
		return bad(e, text, "wanted DEVICES:KIND[=VALUE][@PLACE][xTIMES]", text);
	spec.devices_len = (size_t)(colon - text);
	if (!(spec.devices_len == 1 && *text == '*') &&
		!share_of_devices(text, spec.devices_len, &share) &&
		(spec.devices_len == 0 || device_named(text, spec.devices_len, 0) < 0))
		return bad(
			e, text, "devices must be *, a list of numbers, or a share like 10%", text);
	snprintf(work, sizeof work, "%s", colon + 1);

	/* From the right: xTIMES, @PLACE, =VALUE. "power-loss@0x02x3": only a count of digits (or
	 * *) behind the last x, and no 0 before it, which would make it a hex number. */
	char *x = strrchr(work, 'x');
	bool all = x && strcmp(x + 1, "*") == 0;
	if (x && x - work >= 2 && (all || (x[1] && strspn(x + 1, "0123456789") == strlen(x + 1))) &&
		(all || x[-1] != '0' || isdigit((unsigned char)x[-2]))) {
		uint64_t times = SIM_FAULT_ALWAYS;
		if (!all &&
			(!whole_number(x + 1, &times) || times == 0 || times >= SIM_FAULT_ALWAYS))
			return bad(e, text, "TIMES must be a count from 1", x + 1);
		spec.fault.times = (uint32_t)times;
		*x = 0;
	}
	char *at = strchr(work, '@');
	if (at) {
		*at = 0;
		if (parse_place(&spec.fault, at + 1) != 0)
			return bad(e, text, "the place is not one that is known",
				strchr(text, '@') + 1);
	}
	char *value = strchr(work, '=');
	if (value)
		*value++ = 0;
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (strcmp(kinds[i].name, work) == 0)
			k = &kinds[i];
	if (!k)
		return bad(e, text, "unknown kind of fault", work);
	spec.fault.kind = k->kind;
	if (parse_value(&spec.fault, k, value, text, e) != 0)
		return -1;
	if (!(k->places & PLACE(spec.fault.place)))
		return bad(
			e, text, "this kind cannot happen at this place", at ? at + 1 : "(start)");
	if (k->kind == SIM_FAULT_NAK && spec.fault.times == 1) /* nak=3: three in a row */
		spec.fault.times = (uint32_t)spec.fault.value;
	*out = spec;
	return 0;
}

int sim_fault_assign(struct sim_faults *fs, const struct sim_fault_spec *specs, size_t n_specs,
	unsigned index, const uint8_t master_seed[32], struct err *e)
{
	struct sim_rng pick;

	memset(fs, 0, sizeof *fs);
	sim_rng_init(&fs->rng, master_seed, "faults", index);
	sim_rng_init(&pick, master_seed, "fault-shares", index);
	for (size_t i = 0; i < n_specs; i++) {
		const struct sim_fault_spec *s = &specs[i];
		double share;
		bool mine;
		if (s->devices_len == 1 && *s->devices == '*')
			mine = true;
		else if (share_of_devices(s->devices, s->devices_len, &share))
			mine = sim_rng_unit(&pick) < share;
		else
			mine = device_named(s->devices, s->devices_len, index) == 1;
		if (!mine)
			continue;
		if (fs->n == SIM_FAULTS_MAX)
			return err_set(e, ERR_USAGE, "more than %d faults for device %u",
				SIM_FAULTS_MAX, index);
		fs->f[fs->n++] = s->fault;
		fs->line |= (PLACE(s->fault.place) & LINE_PLACES) != 0;
	}
	return 0;
}

/* --- striking --------------------------------------------------------------------------------- */

static struct sim_fault *use(struct sim_fault *f)
{
	if (f->times != SIM_FAULT_ALWAYS)
		f->times--;
	return f;
}

struct sim_fault *sim_fault_at_command(struct sim_device *d, uint8_t tag, unsigned wanted)
{
	struct sim_faults *fs = &d->faults;

	for (size_t i = 0; i < fs->n; i++) {
		struct sim_fault *f = &fs->f[i];
		if (f->place == SIM_AT_COMMAND && f->times && f->tag == tag &&
			wanted & SIM_KIND(f->kind) &&
			(f->occurrence == 0 || f->occurrence == fs->commands[tag]))
			return use(f);
	}
	return NULL;
}

struct sim_fault *sim_fault_at_data(
	struct sim_device *d, uint8_t tag, uint64_t bytes, unsigned wanted)
{
	struct sim_faults *fs = &d->faults;

	for (size_t i = 0; i < fs->n; i++) {
		struct sim_fault *f = &fs->f[i];
		if (f->place == SIM_AT_DATA && f->times && f->tag == tag &&
			wanted & SIM_KIND(f->kind) && bytes >= f->n &&
			(f->occurrence == 0 || f->occurrence == fs->commands[tag]))
			return use(f);
	}
	return NULL;
}

struct sim_fault *sim_fault_at_sb_block(struct sim_device *d, uint32_t block, unsigned wanted)
{
	struct sim_faults *fs = &d->faults;

	for (size_t i = 0; i < fs->n; i++) {
		struct sim_fault *f = &fs->f[i];
		if (f->place == SIM_AT_SB_BLOCK && f->times && f->n == block &&
			wanted & SIM_KIND(f->kind) &&
			(f->occurrence == 0 || f->occurrence == fs->sb_files))
			return use(f);
	}
	return NULL;
}

/* The fault that concerns byte number `at` of one direction. */
static struct sim_fault *at_byte(struct sim_device *d, bool rx, uint64_t at)
{
	struct sim_faults *fs = &d->faults;

	for (size_t i = 0; i < fs->n; i++) {
		struct sim_fault *f = &fs->f[i];
		if (!f->times)
			continue;
		if (f->place == (rx ? SIM_AT_RX_RATE : SIM_AT_TX_RATE)) {
			if (sim_rng_unit(&fs->rng) < f->rate)
				return use(f);
		} else if (f->place == (rx ? SIM_AT_RX : SIM_AT_TX)) {
			uint64_t n = f->kind == SIM_FAULT_LOSE ? f->value : 1;
			if (f->times == SIM_FAULT_ALWAYS ? at >= f->n
							 : at >= f->n && at - f->n < n * f->times)
				return f; /* placed by position: nothing to use up */
		}
	}
	return NULL;
}

size_t sim_fault_line(struct sim_device *d, bool rx, const uint8_t *in, size_t len, size_t *taken,
	uint8_t *out, size_t cap, uint32_t *delay_us)
{
	size_t n = 0, i = 0;
	uint64_t *count = rx ? &d->faults.rx : &d->faults.tx;

	while (i < len && n + 2 <= cap) {
		uint8_t c = in[i++];
		const struct sim_fault *f = at_byte(d, rx, (*count)++);
		out[n++] = c;
		if (!f)
			continue;
		if (f->kind == SIM_FAULT_LOSE)
			n--;
		else if (f->kind == SIM_FAULT_CORRUPT)
			out[n - 1] = (uint8_t)(c ^ f->value);
		else if (f->kind == SIM_FAULT_DUPLICATE)
			out[n++] = c;
		else if (f->kind == SIM_FAULT_DELAY)
			*delay_us += (uint32_t)f->value * 1000;
		else {
			n--;
			sim_fault_go_away(d, f);
			break;
		}
	}
	*taken = i;
	return n;
}

void sim_fault_go_away(struct sim_device *d, const struct sim_fault *f)
{
	if (f->kind == SIM_FAULT_RESET)
		sim_device_reset(d);
	else if (f->kind == SIM_FAULT_POWER_LOSS)
		sim_device_lose_power(d, (uint32_t)f->value);
	else if (f->kind == SIM_FAULT_SILENCE)
		d->silent_until_us = f->value ? d->now_us + f->value * 1000 : UINT64_MAX;
	else if (f->kind == SIM_FAULT_STUCK)
		d->stuck = true;
}

static void strike(struct sim_device *d, const struct sim_fault *f)
{
	if (f->kind == SIM_FAULT_WRONG_FAMILY) {
		d->chip = f->what;
		sim_device_set_uuid(d, d->uuid); /* the keys of that family */
	} else if (f->kind == SIM_FAULT_WRONG_LIFECYCLE) {
		sim_fuse_set_lifecycle(&d->fuses, (uint8_t)f->value);
		d->changed = true;
	} else if (f->kind == SIM_FAULT_RENAME)
		d->renamed = true;
	else
		sim_fault_go_away(d, f);
}

void sim_fault_start(struct sim_device *d)
{
	uint32_t fuse = d->fuses.word[SIM_FUSE_LIFE_CYCLE];

	for (size_t i = 0; i < d->faults.n; i++)
		if (d->faults.f[i].place == SIM_AT_START && d->faults.f[i].times)
			strike(d, use(&d->faults.f[i]));
	if (d->fuses.word[SIM_FUSE_LIFE_CYCLE] != fuse)
		sim_boot(d); /* as if it had always been so */
}

void sim_fault_reset(struct sim_device *d)
{
	d->faults.resets++;
	for (size_t i = 0; i < d->faults.n; i++) {
		struct sim_fault *f = &d->faults.f[i];
		if (f->place == SIM_AT_RESET && f->times && f->n == d->faults.resets)
			strike(d, use(f));
	}
}

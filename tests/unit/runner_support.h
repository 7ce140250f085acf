/* What the tests of the runner share: a package with any script, a device in memory behind a wire
 * that can be cut, and a journal that remembers what it was told. */
#ifndef TESTS_UNIT_RUNNER_SUPPORT_H
#define TESTS_UNIT_RUNNER_SUPPORT_H

#include "pkg/pkg.h"
#include "runner/device.h"
#include "runner/dry.h"

/* rs_package - pk_default() with this script and policy.require_attestation = attest. */
struct pkg *rs_package(const char *script, bool attest);

#define RS_LINES 64

/* The wire to a dry device. What goes wrong on it, by the command that is sent. */
struct rs_wire {
	struct dry *dry;
	struct mboot_io inner;
	unsigned sent[0x40]; /* commands seen, by tag */
	uint64_t bytes; /* written by the host */
	/* refuse the n-th (from 1) command with this tag with a status, without telling the device
	 */
	unsigned refuse_tag, refuse_at;
	uint32_t refuse_status;
	/* swallow it: no answer at all */
	unsigned mute_tag, mute_at;
	bool muted;
	/* the port vanishes at it; opens fail `closed_opens` times after that */
	unsigned close_tag, close_at;
	bool closed;
	int closed_opens;
	bool close_after_reset; /* ... and comes back, under another name */
	/* another UUID from the n-th get-property 18 on, 0: never */
	unsigned swap_at, uuids;
	void (*on_command)(struct rs_wire *w, unsigned tag);
	void *ctx;
	/* own answers, before those of the device */
	uint8_t own[64];
	size_t own_len, own_off;
	unsigned opens;
	/* a fixture's lines: it hears something only after a pulse of RESET with ISP held, and
	 * after each reset of the script it needs that again */
	bool needs_isp, in_isp, isp_on, reset_on;
	char lines[400]; /* "RTS on, DTR on, ..." */
	int64_t line_ms[32];
	size_t n_lines;
	struct serial_lines wired;
	uint32_t refuse_above; /* baud: the port refuses faster ones */
	uint32_t deaf_above; /* baud: on a faster line it hears nothing */
};

struct rs_rig {
	struct pkg *pkg;
	struct rs_wire wire;
	struct device_job job;
	struct device_place place;
	struct journal journal;
	struct event_sink screen;
	struct prompts *prompts;
	struct brake brake;
	struct device_link link;
	/* what the journal answers and was told */
	struct begin_answer begin;
	bool fail_intent;
	uint64_t seq;
	char line[RS_LINES][160]; /* "intent 1 receive-sb-file ... irreversible" */
	size_t n;
	struct fault fault;
	enum begin_verdict verdict;
};

void rs_open(struct rs_rig *r, const char *script, bool attest);
enum device_outcome rs_run(struct rs_rig *r); /* connect and run */
void rs_close(struct rs_rig *r);

/* rs_lines - the journal as one text, a line each; valid until the next call. */
const char *rs_lines(struct rs_rig *r);

#endif

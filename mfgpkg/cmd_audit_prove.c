/* mfgpkg audit prove, audit check: evidence about one leaf or one device, made and checked. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/exit_status.h"
#include "base/fsio.h"
#include "base/json.h"
#include "base/text.h"
#include "evidence/proof.h"
#include "mfgpkg/audit/expect.h"
#include "mfgpkg/audit/prove.h"
#include "mfgpkg/commands.h"
#include "mfgpkg/output.h"
#include "pkg/container.h"

/* --- audit prove ------------------------------------------------------------------------------ */

static const struct cli_option prove_options[] = {
	AUDIT_EXPECT_OPTIONS,
	{ "output", 'o', CLI_STRING, "FILE",
		"where the proof goes (default: standard output, UUID.proof.zip for a device)",
		false },
	{ 0 },
};

static int run_prove(const struct cli *c, struct err *e)
{
	AUTO(oem_audit_expect_clear) struct oem_audit_expect x = { 0 };
	AUTO(buf_clear) struct buf out = { 0 };
	const char *what = c->operands.v[1], *to = cli_string(c, "output", NULL);
	char name[64];
	uint8_t uuid[16];
	uint64_t seq;

	if (oem_audit_expect_read(&x, c, e) != 0)
		return -1;
	if (strlen(what) == 32 && hex_decode(uuid, sizeof uuid, what) == 0) {
		if (oem_prove_device(c->operands.v[0], &x.x, uuid, &out, e) != 0)
			return -1;
		snprintf(name, sizeof name, "%s.proof.zip", hex_encode((char[33]){ 0 }, uuid, 16));
		to = to ? to : name;
	} else if (decimal_parse(what, strlen(what), INT64_MAX, &seq) == 0) {
		if (oem_prove_leaf(c->operands.v[0], &x.x, seq, &out, e) != 0)
			return -1;
	} else {
		return cli_usage(
			e, c, "\"%s\": a leaf number or a UUID of 32 hex digits wanted", ESC(what));
	}
	if (!to)
		return fwrite(out.p, 1, out.len, stdout) == out.len
			       ? EXIT_OK
			       : err_set(e, ERR_ENV, "cannot write to standard output");
	if (output_write(to, out.p, out.len, 0644, e) != 0)
		return -1;
	if (c->verbosity >= 0)
		printf("%s: written\n", to);
	return EXIT_OK;
}

const struct cli_command oem_cmd_audit_prove = {
	.name = "audit prove",
	.operands = "LOG UUID|LEAF",
	.min_operands = 2,
	.max_operands = 2,
	.summary = "evidence about one device or one leaf that stands without the log",
	.options = prove_options,
	.run = run_prove,
};

/* --- audit check ------------------------------------------------------------------------------ */

static const struct cli_option check_options[] = {
	AUDIT_EXPECT_OPTIONS,
	{ "policy", 0, CLI_STRING, "FILE",
		"policy of a single tlog-proof: log key, witnesses, quorum", false },
	{ "leaf", 0, CLI_STRING, "FILE", "leaf of a tlog-proof that does not carry it", false },
	{ 0 },
};

static int check_proof(const struct cli *c, const char *name, const struct buf *file, struct err *e)
{
	const char *policy_path = cli_string(c, "policy", NULL);
	const char *leaf_path = cli_string(c, "leaf", NULL);
	AUTO(policy_freep) struct policy *policy = NULL;
	AUTO(proof_clear) struct proof p = { 0 };
	AUTO(buf_clear) struct buf text = { 0 };
	AUTO(buf_clear) struct buf leaf = { 0 };
	struct checkpoint cp;

	if (!policy_path)
		return cli_usage(e, c, "--policy FILE: whose signature makes the checkpoint good?");
	if (fsio_read(policy_path, POLICY_MAX, &text, e) != 0 ||
		policy_parse(&policy, policy_path, text.p, text.len, e) != 0)
		return -1;
	if (leaf_path && fsio_read(leaf_path, LEAF_MAX, &leaf, e) != 0)
		return -1;
	if (proof_parse(&p, name, file->p, file->len, e) != 0 ||
		proof_check(&p, name, policy, NULL, leaf_path ? (const void *)leaf.p : NULL,
			leaf.len, &cp, e) != 0)
		return -1;
	const struct buf *shown = leaf_path ? &leaf : &p.extra;
	printf("PASS  %s\n      leaf %llu of %s, in the tree of %llu leaves\n%.*s\n", name,
		(unsigned long long)p.index, cp.origin, (unsigned long long)cp.size,
		(int)shown->len, (const char *)shown->p);
	return EXIT_OK;
}

static int print_device(
	const struct cli *c, const char *name, const struct oem_device_proof *d, struct err *e)
{
	char time[TIME_MS_LEN + 1] = "";

	if (d->ended_ms)
		time_format_ms(time, d->ended_ms);
	if (c->json) {
		AUTO(json_freep)
		json_t *j = json_pack(
			"{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:o, s:i, s:i, s:I, s:b, s:b, s:i}",
			"type", "mfgpkg-device-proof-result", "uuid", d->uuid, "result", d->result,
			"origin", d->origin, "order", d->order, "oem_key", d->oem_key, "station",
			d->station, "ended", *time ? json_string(time) : json_null(), "leaves",
			(int)d->leaves, "attempts", (int)d->attempts, "size", (json_int_t)d->size,
			"receipt", d->receipt, "receipt_ca_checked", d->receipt_by_ca, "witnesses",
			(int)d->witnesses);
		return json_print(j, e);
	}
	printf("PASS  %s\n      device %s: %s%s%s\n", name, d->uuid, d->result, *time ? " at " : "",
		time);
	printf("  proven:     station %s recorded this under order %s, signed by OEM key %s\n",
		d->station, d->order, d->oem_key);
	printf("  proven:     %u leaves, %u attempt%s, in the log %s of %llu leaves\n", d->leaves,
		d->attempts, d->attempts == 1 ? "" : "s", d->origin, (unsigned long long)d->size);
	if (d->receipt)
		printf("  proven:     the device answered at its place in the log%s\n",
			d->receipt_by_ca ? ", under the OEM's DICE CA" : "");
	else
		printf("  not proven: that the device exists: no receipt\n");
	if (d->receipt && !d->receipt_by_ca)
		printf("  not proven: that it holds this OEM's key hash (--dice-ca)\n");
	if (d->witnesses)
		printf("  proven:     %u witness%s saw this state of the log\n", d->witnesses,
			d->witnesses == 1 ? "" : "es");
	else
		printf("  not proven: that the station keeps no second history (no witness)\n");
	printf("  not proven: that the log holds no later leaf about the device\n");
	return EXIT_OK;
}

static int run_check(const struct cli *c, struct err *e)
{
	AUTO(oem_audit_expect_clear) struct oem_audit_expect x = { 0 };
	AUTO(buf_clear) struct buf file = { 0 };
	const char *name = c->operands.v[0];
	struct oem_device_proof d;

	if (oem_audit_expect_read(&x, c, e) != 0 ||
		fsio_read(name, CONTAINER_MAX_SIZE, &file, e) != 0)
		return -1;
	if (file.len < 2 || memcmp(file.p, "PK", 2) != 0) {
		if (check_proof(c, name, &file, e) == EXIT_OK)
			return EXIT_OK;
	} else {
		if (x.x.n_oem == 0)
			return cli_usage(e, c, "-P OEM_PUB: whose order is to be believed?");
		if (oem_check_device(name, file.p, file.len, &x.x, &d, e) == 0)
			return print_device(c, name, &d, e);
	}
	/* What is wrong with evidence is a result of the audit, not of the program. */
	if (e->code == ERR_FORMAT || e->code == ERR_REJECTED || e->code == ERR_LIMIT)
		e->code = ERR_AUDIT;
	return -1;
}

const struct cli_command oem_cmd_audit_check = {
	.name = "audit check",
	.operands = "PROOF",
	.min_operands = 1,
	.max_operands = 1,
	.summary = "check the evidence that audit prove made",
	.options = check_options,
	.run = run_check,
};

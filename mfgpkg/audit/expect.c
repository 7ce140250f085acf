#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fsio.h"
#include "base/text.h"
#include "crypt/ecc.h"
#include "mfgpkg/audit/expect.h"

#define KEY_FILE_MAX ((size_t)64 << 10)

static bool is_database(const char *path)
{
	AUTO(fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char head[16];

	return fd >= 0 && read(fd, head, sizeof head) == sizeof head &&
	       memcmp(head, "SQLite format 3", sizeof head) == 0;
}

void oem_audit_expect_clear(struct oem_audit_expect *x)
{
	for (size_t i = 0; x->notes && i < x->n_notes; i++)
		buf_clear(&x->notes[i]);
	free(x->notes);
	free(x->known);
	free(x->witnesses);
	free(x->log_v);
}

/* Logs are the operands; "-P" is greedy and may have swallowed some of them. */
static int take_logs_and_keys(struct oem_audit_expect *x, const struct cli *c, struct err *e)
{
	struct cli_list pubs = cli_list(c, "pub");

	x->log_v = calloc(c->operands.n + pubs.n + 1, sizeof *x->log_v);
	if (!x->log_v)
		return err_set(e, ERR_ENV, "out of memory");
	for (size_t i = 0; i < c->operands.n; i++)
		x->log_v[x->logs.n++] = c->operands.v[i];
	for (size_t i = 0; i < pubs.n; i++) {
		if (is_database(pubs.v[i])) {
			x->log_v[x->logs.n++] = pubs.v[i];
			continue;
		}
		if (x->x.n_oem == AUDIT_OEM_MAX)
			return cli_usage(e, c, "more than %d OEM keys", AUDIT_OEM_MAX);
		if (minisign_pub_load(&x->oem[x->x.n_oem], pubs.v[i], e) != 0)
			return -1;
		x->x.n_oem++;
	}
	x->logs.v = x->log_v;
	x->x.oem = x->oem;
	return x->logs.n ? 0 : cli_usage(e, c, "which log?");
}

static int take_checkpoints(struct oem_audit_expect *x, const struct cli *c, struct err *e)
{
	struct cli_list list = cli_list(c, "checkpoint");

	if (!list.n)
		return 0;
	x->notes = calloc(list.n, sizeof *x->notes);
	x->known = calloc(list.n, sizeof *x->known);
	if (!x->notes || !x->known)
		return err_set(e, ERR_ENV, "out of memory");
	x->x.known = x->known;
	for (size_t i = 0; i < list.n; i++) {
		x->x.n_known = x->n_notes = i + 1;
		if (fsio_read(list.v[i], NOTE_MAX, &x->notes[i], e) != 0)
			return -1;
		x->known[i] = (struct audit_known){ list.v[i], (const char *)x->notes[i].p,
			x->notes[i].len };
	}
	return 0;
}

/* A verifier key as an option: the text itself, or a file whose only line it is. */
static int read_vkey(struct vkey *out, const char *option, const char *value, struct err *e)
{
	AUTO(buf_clear) struct buf b = { 0 };

	if (strchr(value, '+') && !fsio_exists(value))
		return vkey_parse(out, option, value, e);
	if (fsio_read(value, VKEY_TEXT_CAP, &b, e) != 0)
		return -1;
	const char *text = buf_text(&b);
	if (!text)
		return err_set(e, ERR_ENV, "out of memory");
	if (b.len && b.p[b.len - 1] == '\n')
		b.p[b.len - 1] = '\0';
	return vkey_parse(out, value, text, e);
}

static int take_witnesses(struct oem_audit_expect *x, const struct cli *c, struct err *e)
{
	struct cli_list list = cli_list(c, "witness");

	if (!list.n)
		return 0;
	if (!(x->witnesses = calloc(list.n, sizeof *x->witnesses)))
		return err_set(e, ERR_ENV, "out of memory");
	for (size_t i = 0; i < list.n; i++) {
		if (read_vkey(&x->witnesses[i], "--witness", list.v[i], e) != 0)
			return -1;
		if (x->witnesses[i].type != VKEY_COSIGN)
			return err_set(e, ERR_CONFIG,
				"--witness %s: not the key of a witness "
				"(type 04)",
				x->witnesses[i].name);
	}
	x->x.witnesses = x->witnesses;
	x->x.n_witnesses = list.n;
	return 0;
}

static int take_dice(struct oem_audit_expect *x, const struct cli *c, struct err *e)
{
	const char *ca = cli_string(c, "dice-ca", NULL), *rtf = cli_string(c, "rtf", NULL);
	AUTO(buf_clear) struct buf b = { 0 };
	struct ecc_pub key;

	if (rtf) {
		if (hex_decode(x->rtf, sizeof x->rtf, rtf) != 0)
			return cli_usage(e, c, "--rtf: 64 hex digits wanted");
		x->x.rtf = x->rtf;
	}
	if (!ca)
		return 0;
	if (strlen(ca) == 128 && hex_decode(x->dice_ca, sizeof x->dice_ca, ca) == 0) {
		if (ecc_pub_from_xy(&key, ECC_P256, x->dice_ca, e) != 0)
			return err_wrap(e, "--dice-ca");
	} else {
		if (fsio_read(ca, KEY_FILE_MAX, &b, e) != 0 ||
			ecc_pub_from_bytes(&key, ca, b.p, b.len, e) != 0)
			return -1;
	}
	if (key.curve != ECC_P256)
		return err_set(e, ERR_CONFIG, "--dice-ca: %s key, P-256 wanted",
			ecc_curve_name(key.curve));
	memcpy(x->dice_ca, key.xy, sizeof x->dice_ca);
	x->x.dice_ca = x->dice_ca;
	return 0;
}

int oem_audit_expect_read(struct oem_audit_expect *x, const struct cli *c, struct err *e)
{
	const char *log_key = cli_string(c, "log-key", NULL);

	memset(x, 0, sizeof *x);
	if (take_logs_and_keys(x, c, e) != 0 || take_checkpoints(x, c, e) != 0 ||
		take_witnesses(x, c, e) != 0 || take_dice(x, c, e) != 0)
		return -1;
	if (log_key) {
		if (read_vkey(&x->log_key, "--log-key", log_key, e) != 0)
			return -1;
		x->x.log_key = &x->log_key;
	}
	return 0;
}

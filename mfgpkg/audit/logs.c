#include <stdlib.h>
#include <string.h>

#include "evidence/log.h"
#include "mfgpkg/audit/cross.h"
#include "mfgpkg/audit/logs.h"

/* The newest checkpoints of the other logs given: two copies of one log must not contradict each
 * other. Checkpoints of other origins are left out. */
struct others {
	struct buf *notes; /* one per log */
	struct audit_known *known;
	size_t n;
};

static void others_clear(struct others *o)
{
	for (size_t i = 0; i < o->n; i++)
		buf_clear(&o->notes[i]);
	free(o->notes);
	free(o->known);
}

static int others_read(struct others *o, const struct cli_list *logs, struct err *e)
{
	o->notes = calloc(logs->n, sizeof *o->notes);
	if (!o->notes)
		return err_set(e, ERR_ENV, "out of memory");
	o->n = logs->n;
	for (size_t i = 0; logs->n > 1 && i < logs->n; i++) {
		struct err ignored; /* verification will say what is wrong with this one */
		if (log_checkpoint(logs->v[i], &o->notes[i], &ignored) != 0)
			buf_clear(&o->notes[i]);
	}
	return 0;
}

/* Both begin with the same origin. */
static bool same_origin(const struct buf *a, const void *note, size_t len)
{
	const uint8_t *lf = a->len ? memchr(a->p, '\n', a->len) : NULL;
	size_t n = lf ? (size_t)(lf - a->p) + 1 : 0;

	return n && len >= n && memcmp(a->p, note, n) == 0;
}

/* Of several logs a checkpoint concerns the one it is of. One of none of them is a fault of all:
 * a log that was given a new name must not escape. */
static bool concerns(const struct others *o, size_t i, const struct audit_known *k)
{
	if (o->n == 1 || same_origin(&o->notes[i], k->note, k->len))
		return true;
	for (size_t n = 0; n < o->n; n++)
		if (same_origin(&o->notes[n], k->note, k->len))
			return false;
	return true;
}

/* What the auditor brought, and the other copies of log i. */
static int known_for(struct others *o, const struct cli_list *logs, size_t i,
	struct audit_expect *x, struct err *e)
{
	size_t n = 0;

	free(o->known);
	o->known = calloc(x->n_known + o->n, sizeof *o->known);
	if (!o->known)
		return err_set(e, ERR_ENV, "out of memory");
	for (size_t k = 0; k < x->n_known; k++)
		if (concerns(o, i, &x->known[k]))
			o->known[n++] = x->known[k];
	for (size_t k = 0; k < o->n; k++)
		if (k != i && same_origin(&o->notes[i], o->notes[k].p, o->notes[k].len))
			o->known[n++] = (struct audit_known){ logs->v[k],
				(const char *)o->notes[k].p, o->notes[k].len };
	x->known = o->known;
	x->n_known = n;
	return 0;
}

/* Each leaf goes to the visitor and to the comparison of logs. */
struct both {
	const struct oem_audit_visitor *v;
	struct oem_cross *cross;
};

static int leaf_to_both(void *ctx, const struct leaf *l, struct err *e)
{
	const struct both *b = ctx;

	if (b->v->leaf && b->v->leaf(b->v->ctx, l, e) != 0)
		return -1;
	return oem_cross_leaf(b->cross, l, e);
}

static int one_log(const struct oem_audit_expect *x, size_t i, struct both *b, struct others *o,
	struct audit_result *r, struct err *e)
{
	const char *path = x->logs.v[i];
	struct audit_expect one = x->x;

	/* A single log cannot contradict another one: nothing to remember. */
	one.observe = x->logs.n > 1 ? leaf_to_both : b->v->leaf;
	one.observe_ctx = x->logs.n > 1 ? b : b->v->ctx;
	oem_cross_log(b->cross, path);
	if ((b->v->start && b->v->start(b->v->ctx, i, path, e) != 0) ||
		known_for(o, &x->logs, i, &one, e) != 0 || audit_verify(path, &one, r, e) != 0)
		return -1;
	if (x->logs.n > 1 && oem_cross_settle(b->cross, r, e) != 0)
		return -1;
	return b->v->done(b->v->ctx, path, r, &one, e);
}

int oem_audit_logs(const struct oem_audit_expect *x, const struct oem_audit_visitor *v,
	bool allow_open, bool *all_good, struct err *e)
{
	AUTO(others_clear) struct others o = { 0 };
	AUTO(oem_cross_freep) struct oem_cross *cross = NULL;

	if (others_read(&o, &x->logs, e) != 0 || oem_cross_new(&cross, e) != 0)
		return -1;
	struct audit_result *r = calloc(1, sizeof *r);
	if (!r)
		return err_set(e, ERR_ENV, "out of memory");
	struct both b = { v, cross };
	int rc = 0;
	*all_good = true;
	for (size_t i = 0; rc == 0 && i < x->logs.n; i++) {
		rc = one_log(x, i, &b, &o, r, e);
		*all_good &= r->verdict == AUDIT_PASS ||
			     (r->verdict == AUDIT_INCOMPLETE && !r->closed && allow_open);
	}
	free(r);
	return rc;
}

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fsio.h"
#include "base/text.h"
#include "crypt/digest.h"
#include "pkg/pkg_internal.h"
#include "pkg/provenance.h"
#include "pkg/sums.h"

/* --- loading: one sealed copy ------------------------------------------------------------------
 */

void pkg_free(struct pkg *p)
{
	if (!p)
		return;
	script_clear(&p->script);
	if (p->map)
		munmap(p->map, p->len);
	free(p);
}

void pkg_freep(struct pkg **p)
{
	pkg_free(*p);
	*p = NULL;
}

static int map_sealed(struct pkg *p, int fd, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return err_errno(e, "cannot look at the memory file");
	if (st.st_size == 0)
		return err_set(e, ERR_FORMAT, "empty file");
	p->len = (size_t)st.st_size;
	void *m = mmap(NULL, p->len, PROT_READ, MAP_PRIVATE, fd, 0);
	if (m == MAP_FAILED)
		return err_errno(e, "cannot map the memory file");
	p->map = m;
	return 0;
}

static int sealed_copy(const void *data, size_t len, struct err *e)
{
	int fd = memfd_create("package", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return err_errno(e, "cannot create a memory file");
	for (size_t done = 0; done < len;) {
		ssize_t n = write(fd, (const uint8_t *)data + done, len - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			err_errno(e, "cannot fill a memory file");
			close(fd);
			return -1;
		}
		done += (size_t)n;
	}
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) != 0) {
		err_errno(e, "cannot seal a memory file");
		close(fd);
		return -1;
	}
	return fd;
}

/* Takes over fd (-1: making it failed and *e says why). */
static int load(
	struct pkg **out, const char *name, int fd_taken, struct pkg_facts *facts, struct err *e)
{
	AUTO(fd_closep) int fd = fd_taken;
	AUTO(pkg_freep) struct pkg *p = calloc(1, sizeof *p);

	if (!p)
		return err_set(e, ERR_ENV, "%s: out of memory", name);
	text_escape(p->name, sizeof p->name, name, strlen(name));
	const char *base = path_basename(name);
	text_escape(p->facts.file, sizeof p->facts.file, base, strlen(base));
	*facts = p->facts;
	if (fd < 0)
		return -1;
	if (map_sealed(p, fd, e) != 0)
		return err_wrap(e, "%s", p->name);
	sha256_of(p->map, p->len, p->facts.container);
	p->facts.have_container = true;
	*facts = p->facts;
	if (container_parse(&p->c, p->map, p->len, e) != 0)
		return err_wrap(e, "%s", p->name);
	/* A canonical container begins with manifest.json. */
	sha256_of(p->c.entries[0].data, p->c.entries[0].len, p->facts.digest);
	p->facts.have_digest = true;
	*facts = p->facts;
	*out = p;
	p = NULL;
	return 0;
}

int pkg_load_file(struct pkg **out, const char *path, struct pkg_facts *facts, struct err *e)
{
	return load(out, path, fsio_copy_memfd(path, CONTAINER_MAX_SIZE, e), facts, e);
}

int pkg_load_bytes(struct pkg **out, const char *name, const void *data, size_t len,
	struct pkg_facts *facts, struct err *e)
{
	int fd = -1;

	if (len > CONTAINER_MAX_SIZE)
		err_set(e, ERR_LIMIT, "%s: %zu bytes, at most %zu wanted", name, len,
			CONTAINER_MAX_SIZE);
	else
		fd = sealed_copy(data, len, e);
	return load(out, name, fd, facts, e);
}

/* --- the checks, in order ----------------------------------------------------------------------
 */

static bool is_signature(const char *name)
{
	return strncmp(name, PKG_SIGNATURES, strlen(PKG_SIGNATURES)) == 0;
}

/* Signature entries are named by the key number inside, so that no key hides behind another's name.
 */
static int check_signature_name(const struct container_entry *x, struct err *e)
{
	struct minisign_sig sig;
	char want[64], id[17];

	if (minisign_sig_parse(&sig, x->name, x->data, x->len, e) != 0)
		return -1;
	snprintf(want, sizeof want, PKG_SIGNATURES "%s.minisig", minisign_id_hex(id, sig.id));
	if (strcmp(x->name, want) != 0)
		return err_set(e, ERR_REJECTED, "%s: holds a signature by key %s", x->name, id);
	return 0;
}

static int check_signatures(
	struct pkg *p, const struct trust *t, const struct pkg_expect *x, struct err *e)
{
	struct sig_file sigs[CONTAINER_MAX_ENTRIES];
	size_t n = 0;

	(void)x;
	for (size_t i = 0; i < p->c.n; i++) {
		const struct container_entry *entry = &p->c.entries[i];
		if (!is_signature(entry->name))
			continue;
		if (check_signature_name(entry, e) != 0)
			return -1;
		sigs[n++] = (struct sig_file){ entry->name, entry->data, entry->len };
	}
	return trust_signers(t, CONTAINER_FIRST, p->c.entries[0].data, p->c.entries[0].len, sigs, n,
		&p->facts.signers, e);
}

static int check_trust(
	struct pkg *p, const struct trust *t, const struct pkg_expect *x, struct err *e)
{
	(void)x;
	return trust_need(t, CONTAINER_FIRST, 0, &p->facts.signers, e);
}

static int check_manifest(
	struct pkg *p, const struct trust *t, const struct pkg_expect *x, struct err *e)
{
	(void)t, (void)x;
	if (manifest_parse(&p->m, p->c.entries[0].data, p->c.entries[0].len, e) != 0)
		return -1;
	p->facts.have_manifest = true;
	memcpy(p->facts.package_id, p->m.package_id, sizeof p->facts.package_id);
	memcpy(p->facts.product, p->m.product, sizeof p->facts.product);
	memcpy(p->facts.release, p->m.release, sizeof p->facts.release);
	p->facts.sequence = p->m.sequence;
	return 0;
}

static int check_approvals(
	struct pkg *p, const struct trust *t, const struct pkg_expect *x, struct err *e)
{
	(void)x;
	return trust_need(t, CONTAINER_FIRST, p->m.approvals, &p->facts.signers, e);
}

/* Exactly the listed files, the manifest, signatures and the provenance. */
static int check_files(
	struct pkg *p, const struct trust *t, const struct pkg_expect *x, struct err *e)
{
	(void)t, (void)x;
	for (size_t i = 1; i < p->c.n; i++) {
		const char *name = p->c.entries[i].name;
		bool outside = is_signature(name) || strcmp(name, PKG_PROVENANCE) == 0;
		if (!outside && !manifest_file(&p->m, name))
			return err_set(e, ERR_REJECTED, "%s: not listed in " CONTAINER_FIRST, name);
	}
	for (size_t i = 0; i < p->m.n_files; i++)
		if (!container_find(&p->c, p->m.files[i].path))
			return err_set(e, ERR_REJECTED,
				"%s: listed in " CONTAINER_FIRST ", but not in the package",
				p->m.files[i].path);
	return 0;
}

static int check_digests(
	struct pkg *p, const struct trust *t, const struct pkg_expect *x, struct err *e)
{
	(void)t, (void)x;
	for (size_t i = 0; i < p->m.n_files; i++) {
		const struct manifest_file *f = &p->m.files[i];
		const struct container_entry *entry = container_find(&p->c, f->path);
		uint8_t digest[32];
		char seen[65], wanted[65];
		if (!entry)
			return err_set(e, ERR_REJECTED, "%s: not in the package", f->path);
		if (entry->len != f->size)
			return err_set(e, ERR_REJECTED,
				"%s: %zu bytes, " CONTAINER_FIRST " says %llu", f->path, entry->len,
				(unsigned long long)f->size);
		sha256_of(entry->data, entry->len, digest);
		if (memcmp(digest, f->sha256, sizeof digest) != 0)
			return err_set(e, ERR_REJECTED,
				"%s: SHA-256 %s, " CONTAINER_FIRST " says %s", f->path,
				hex_encode(seen, digest, sizeof digest),
				hex_encode(wanted, f->sha256, sizeof f->sha256));
	}
	const struct container_entry *sums = container_find(&p->c, SUMS_NAME);
	if (!sums)
		return err_set(e, ERR_REJECTED, SUMS_NAME ": not in the package");
	return sums_check(&p->m, sums->data, sums->len, e);
}

/* Not signed by anybody, so it must at least be what it says, about this package. */
static int check_provenance(
	struct pkg *p, const struct trust *t, const struct pkg_expect *x, struct err *e)
{
	const struct container_entry *entry = container_find(&p->c, PKG_PROVENANCE);
	const char *vkey = x ? x->log_vkey : NULL;

	(void)t;
	if (!entry && vkey)
		return err_set(e, ERR_REJECTED, PKG_PROVENANCE ": missing");
	return entry ? provenance_check(
			       entry->name, entry->data, entry->len, p->facts.digest, vkey, e)
		     : 0;
}

static int check_window(
	struct pkg *p, const struct trust *t, const struct pkg_expect *x, struct err *e)
{
	char limit[TIME_S_LEN + 1], now[TIME_S_LEN + 1];

	(void)t;
	if (!x || x->now == 0)
		return 0;
	time_format_s(now, (time_t)x->now);
	if (x->now < p->m.not_before)
		return err_set(e, ERR_REJECTED, "not valid before %s, now is %s",
			time_format_s(limit, (time_t)p->m.not_before), now);
	if (x->now >= p->m.expires)
		return err_set(e, ERR_REJECTED, "expired at %s, now is %s",
			time_format_s(limit, (time_t)p->m.expires), now);
	return 0;
}

static int check_sequence(
	struct pkg *p, const struct trust *t, const struct pkg_expect *x, struct err *e)
{
	int64_t floor = x ? x->sequence_floor : 0, of_product = 0;

	(void)t;
	if (x && x->product_floor && x->product_floor(x->ctx, p->m.product, &of_product, e) != 0)
		return -1;
	if (of_product > floor)
		floor = of_product;
	if (p->m.sequence < floor)
		return err_set(e, ERR_REJECTED,
			"sequence %lld of product \"%s\": %lld or higher wanted (rolled back)",
			(long long)p->m.sequence, p->m.product, (long long)floor);
	return 0;
}

static int check_family(
	struct pkg *p, const struct trust *t, const struct pkg_expect *x, struct err *e)
{
	(void)t;
	if (x && x->family && strcmp(x->family, p->m.family) != 0)
		return err_set(
			e, ERR_REJECTED, "made for family %s, not for %s", p->m.family, x->family);
	return 0;
}

static int check_runner(
	struct pkg *p, const struct trust *t, const struct pkg_expect *x, struct err *e)
{
	(void)t;
	if (x && x->runner_version && version_compare(x->runner_version, p->m.min_runner) < 0)
		return err_set(e, ERR_REJECTED, "needs runner %s or newer, this is %s",
			p->m.min_runner, x->runner_version);
	return 0;
}

static int check_sb_files(
	struct pkg *p, const struct trust *t, const struct pkg_expect *x, struct err *e)
{
	(void)t;
	for (size_t i = 0; i < p->m.n_files; i++) {
		const struct manifest_file *f = &p->m.files[i];
		const struct container_entry *entry = container_find(&p->c, f->path);
		bool is_sb = f->role == ROLE_PROVISIONING_SB || f->role == ROLE_IMAGE_SB;
		if (is_sb && entry &&
			pkg_check_sb(f->path, f->role, entry->data, entry->len, p->m.rkth,
				p->m.rkth_len, x && x->verify_sb, e) != 0)
			return -1;
	}
	return 0;
}

/* A step uses its file as what the manifest says it is. */
static int check_step_file(const struct pkg *p, const struct script_step *s, struct err *e)
{
	const struct manifest_file *f = manifest_file(&p->m, s->file);

	if (!f)
		return err_set(e, ERR_REJECTED, "%s: line %u: \"%s\" is not in the package",
			p->m.script, s->line, s->file);
	bool sb = s->verb == SCRIPT_RECEIVE_SB_FILE;
	bool fits = sb ? f->role == ROLE_PROVISIONING_SB || f->role == ROLE_IMAGE_SB
		       : f->role == ROLE_DATA;
	if (!fits)
		return err_set(e, ERR_REJECTED, "%s: line %u: %s of \"%s\", which has role \"%s\"",
			p->m.script, s->line, script_verb_name(s->verb), s->file,
			manifest_role_name(f->role));
	if (f->role == ROLE_PROVISIONING_SB && !p->script.stages[s->stage].irreversible)
		return err_set(e, ERR_REJECTED,
			"%s: line %u: \"%s\" cannot be undone: stage \"%s\" must be marked "
			"irreversible",
			p->m.script, s->line, s->file, p->script.stages[s->stage].name);
	if (s->has_file_len && s->file_len > f->size)
		return err_set(e, ERR_REJECTED, "%s: line %u: %u bytes of \"%s\", which has %llu",
			p->m.script, s->line, s->file_len, s->file, (unsigned long long)f->size);
	return 0;
}

static int check_script(
	struct pkg *p, const struct trust *t, const struct pkg_expect *x, struct err *e)
{
	const struct container_entry *entry = container_find(&p->c, p->m.script);

	(void)t, (void)x;
	if (!entry)
		return err_set(e, ERR_REJECTED, "%s: not in the package", p->m.script);
	if (script_parse(&p->script, p->m.script, entry->data, entry->len, e) != 0)
		return -1;
	for (size_t i = 0; i < p->script.n; i++)
		if (p->script.steps[i].file && check_step_file(p, &p->script.steps[i], e) != 0)
			return -1;
	return 0;
}

/* What the manifest promises about the script. */
static int check_policy(
	struct pkg *p, const struct trust *t, const struct pkg_expect *x, struct err *e)
{
	const struct script *s = &p->script;
	bool attests = false;
	const struct script_step *first = NULL;

	(void)t, (void)x;
	for (size_t i = 0; i < s->n; i++) {
		const struct script_step *step = &s->steps[i];
		const struct script_stage *st = &s->stages[step->stage];
		if (!first && script_step_changes(step))
			first = step;
		if (step->verb == SCRIPT_DICE_ATTEST && st->skip_if.kind == SCRIPT_COND_NONE)
			attests = true;
	}
	if (p->m.require_attestation && !attests)
		return err_set(e, ERR_REJECTED,
			"%s: the policy requires attestation, but no stage that always runs has "
			"dice-attest",
			p->m.script);
	if (p->m.erase_first && (!first || first->verb != SCRIPT_FLASH_ERASE_ALL))
		return err_set(e, ERR_REJECTED,
			"%s: the policy says erase first, but the first step that changes the "
			"device is not flash-erase-all",
			p->m.script);
	return 0;
}

const struct pkg_check pkg_checks[] = {
	{ "signatures", 0, 0, check_signatures },
	{ "trust", 0, 0, check_trust },
	{ "manifest", 0, PKG_HAS_MANIFEST, check_manifest },
	{ "approvals", PKG_HAS_MANIFEST, 0, check_approvals },
	{ "files", PKG_HAS_MANIFEST, 0, check_files },
	{ "digests", PKG_HAS_MANIFEST, PKG_HAS_FILES, check_digests },
	{ "provenance", PKG_HAS_MANIFEST, 0, check_provenance },
	{ "window", PKG_HAS_MANIFEST, 0, check_window },
	{ "sequence", PKG_HAS_MANIFEST, 0, check_sequence },
	{ "family", PKG_HAS_MANIFEST, 0, check_family },
	{ "runner", PKG_HAS_MANIFEST, 0, check_runner },
	{ "sb31", PKG_HAS_MANIFEST | PKG_HAS_FILES, 0, check_sb_files },
	{ "script", PKG_HAS_MANIFEST | PKG_HAS_FILES, PKG_HAS_SCRIPT, check_script },
	{ "policy", PKG_HAS_SCRIPT, 0, check_policy },
	{ NULL, 0, 0, NULL },
};

/* --- opening -----------------------------------------------------------------------------------
 */

/* Takes over p. */
static int verify(struct pkg **out, struct pkg *p_taken, const struct trust *t,
	const struct pkg_expect *x, struct pkg_facts *facts, struct err *e)
{
	AUTO(pkg_freep) struct pkg *p = p_taken;

	for (const struct pkg_check *c = pkg_checks; c->name; c++) {
		int r = c->run(p, t, x, e);
		*facts = p->facts;
		if (r != 0)
			return err_wrap(e, "%s", p->name);
	}
	*out = p;
	p = NULL;
	return 0;
}

int pkg_open(struct pkg **out, const char *path, const struct trust *t, const struct pkg_expect *x,
	struct pkg_facts *facts, struct err *e)
{
	struct pkg_facts own, *f = facts ? facts : &own;
	struct pkg *p;

	memset(f, 0, sizeof *f);
	return pkg_load_file(&p, path, f, e) != 0 ? -1 : verify(out, p, t, x, f, e);
}

int pkg_open_bytes(struct pkg **out, const char *name, const void *data, size_t len,
	const struct trust *t, const struct pkg_expect *x, struct pkg_facts *facts, struct err *e)
{
	struct pkg_facts own, *f = facts ? facts : &own;
	struct pkg *p;

	memset(f, 0, sizeof *f);
	return pkg_load_bytes(&p, name, data, len, f, e) != 0 ? -1 : verify(out, p, t, x, f, e);
}

/* --- reading -----------------------------------------------------------------------------------
 */

const struct manifest *pkg_manifest(const struct pkg *p)
{
	return &p->m;
}

const struct script *pkg_script(const struct pkg *p)
{
	return &p->script;
}

const struct pkg_facts *pkg_facts(const struct pkg *p)
{
	return &p->facts;
}

const uint8_t *pkg_digest(const struct pkg *p)
{
	return p->facts.digest;
}

const uint8_t *pkg_container_digest(const struct pkg *p)
{
	return p->facts.container;
}

const struct signers *pkg_signers(const struct pkg *p)
{
	return &p->facts.signers;
}

const struct container *pkg_container(const struct pkg *p)
{
	return &p->c;
}

int pkg_file(
	const struct pkg *p, const char *path, const uint8_t **data, size_t *len, struct err *e)
{
	const struct container_entry *x = container_find(&p->c, path);

	if (!x)
		return err_set(
			e, ERR_REJECTED, "%s: \"%s\" is not in the package", p->name, ESC(path));
	*data = x->data;
	*len = x->len;
	return 0;
}

const uint8_t *pkg_raw(const struct pkg *p, size_t *len)
{
	*len = p->len;
	return p->map;
}

const uint8_t *pkg_step_file(const struct pkg *p, const struct script_step *s, size_t *len)
{
	const struct container_entry *x = s->file ? container_find(&p->c, s->file) : NULL;

	if (!x)
		return NULL;
	*len = s->has_file_len && s->file_len < x->len ? s->file_len : x->len;
	return x->data;
}

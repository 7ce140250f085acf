#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/fsio.h"
#include "base/json.h"
#include "base/text.h"
#include "base/version.h"
#include "crypt/digest.h"
#include "mfgpkg/create/stamp.h"

#define STAMPS_FILE	"create.json"
#define STAMPS_TYPE	"mfgpkg-create-state"
#define STAMPS_FILE_MAX ((size_t)256 << 10)
#define STAMP_LEN	32

struct stamps {
	char *path;
	uint8_t salt[crypto_generichash_KEYBYTES];
	json_t *steps; /* name -> {"inputs", "output", "sha256"} */
};

/* read_old - take over the stamps of an earlier run; anything unexpected leaves *s as it is. */
static void read_old(struct stamps *s)
{
	AUTO(buf_clear) struct buf text = { 0 };
	AUTO(json_freep) json_t *doc = NULL;
	struct err none = { 0 };
	const char *type;
	uint8_t salt[sizeof s->salt];

	if (fsio_read(s->path, STAMPS_FILE_MAX, &text, &none) != 0 ||
		!(doc = json_read(s->path, text.p, text.len, &none)))
		return;
	struct json_at root = json_root(s->path, doc), at;
	at = json_member(&root, "type");
	if (json_want_string(&at, 64, &type, &none) != 0 || strcmp(type, STAMPS_TYPE) != 0)
		return;
	at = json_member(&root, "salt");
	if (json_want_hex(&at, salt, sizeof salt, &none) != 0)
		return;
	at = json_member(&root, "steps");
	if (json_want_object(&at, &none) != 0)
		return;
	memcpy(s->salt, salt, sizeof salt);
	json_decref(s->steps);
	s->steps = json_incref(json_object_get(doc, "steps"));
}

int stamps_open(struct stamps **out, const char *folder, struct err *e)
{
	AUTO(stamps_freep) struct stamps *s = calloc(1, sizeof *s);

	if (!s || !(s->path = path_join(folder, STAMPS_FILE)) || !(s->steps = json_object()))
		return err_set(e, ERR_ENV, "out of memory");
	randombytes_buf(s->salt, sizeof s->salt);
	read_old(s);
	*out = s;
	s = NULL;
	return 0;
}

void stamps_free(struct stamps *s)
{
	if (!s)
		return;
	json_decref(s->steps);
	free(s->path);
	free(s);
}

void stamps_freep(struct stamps **s)
{
	stamps_free(*s);
	*s = NULL;
}

static int by_path(const void *a, const void *b)
{
	const struct input *const *x = a, *const *y = b;

	return strcmp((*x)->path, (*y)->path);
}

/* stamp_of - keyed hash over program version, step, `also`, and all inputs. Of paths only the last
 * component counts, so that it does not matter from where the program is run. Every part is
 * preceded by its length, so no two lists of parts give the same bytes. */
static void stamp_of(const struct stamps *s, const char *step, const struct inputs *in,
	const char *also, char hex[2 * STAMP_LEN + 1])
{
	crypto_generichash_state h;
	const struct input *sorted[INPUTS_MAX];
	const char *const texts[] = { MFGPKG_VERSION, step, also ? also : "" };
	uint8_t len[8], out[STAMP_LEN];

	crypto_generichash_init(&h, s->salt, sizeof s->salt, sizeof out);
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		put_le64(len, strlen(texts[i]));
		crypto_generichash_update(&h, len, sizeof len);
		crypto_generichash_update(&h, (const uint8_t *)texts[i], strlen(texts[i]));
	}
	for (size_t i = 0; i < in->n; i++)
		sorted[i] = &in->v[i];
	qsort(sorted, in->n, sizeof sorted[0], by_path);
	for (size_t i = 0; i < in->n; i++) {
		const char *name = path_basename(sorted[i]->path);

		put_le64(len, strlen(name));
		crypto_generichash_update(&h, len, sizeof len);
		crypto_generichash_update(&h, (const uint8_t *)name, strlen(name));
		crypto_generichash_update(&h, sorted[i]->sha256, sizeof sorted[i]->sha256);
	}
	crypto_generichash_final(&h, out, sizeof out);
	hex_encode(hex, out, sizeof out);
}

static bool member_is(const json_t *o, const char *key, const char *wanted)
{
	const char *v = json_string_value(json_object_get(o, key));

	return v && strcmp(v, wanted) == 0;
}

bool stamps_current(const struct stamps *s, const char *step, const struct inputs *in,
	const char *also, const char *output)
{
	AUTO(buf_wipe) struct buf data = { 0 };
	char stamp[2 * STAMP_LEN + 1], hex[65];
	uint8_t sha256[32];
	struct err none = { 0 };
	const json_t *old = json_object_get(s->steps, step);

	stamp_of(s, step, in, also, stamp);
	if (!member_is(old, "inputs", stamp) || !member_is(old, "output", path_basename(output)) ||
		fsio_read(output, INPUTS_MAX_FILE, &data, &none) != 0)
		return false;
	sha256_of(data.p, data.len, sha256);
	return member_is(old, "sha256", hex_encode(hex, sha256, sizeof sha256));
}

int stamps_set(struct stamps *s, const char *step, const struct inputs *in, const char *also,
	const char *output, const uint8_t sha256[32], struct err *e)
{
	char stamp[2 * STAMP_LEN + 1], hex[65];

	stamp_of(s, step, in, also, stamp);
	json_t *entry = json_pack("{s:s, s:s, s:s}", "inputs", stamp, "output",
		path_basename(output), "sha256", hex_encode(hex, sha256, 32));
	if (!entry || json_object_set_new(s->steps, step, entry) != 0)
		return err_set(e, ERR_ENV, "out of memory");
	return 0;
}

int stamps_save(const struct stamps *s, struct err *e)
{
	AUTO(buf_clear) struct buf line = { 0 };
	AUTO(json_freep) json_t *doc = NULL;
	char hex[2 * sizeof s->salt + 1];

	doc = json_pack("{s:s, s:i, s:s, s:O}", "type", STAMPS_TYPE, "format", 1, "salt",
		hex_encode(hex, s->salt, sizeof s->salt), "steps", s->steps);
	if (!doc || json_line(doc, &line, e) != 0)
		return doc ? -1 : err_set(e, ERR_ENV, "out of memory");
	wr_u8(&line, '\n');
	if (buf_check(&line, s->path, e) != 0)
		return -1;
	return fsio_write(s->path, line.p, line.len, 0600, e);
}

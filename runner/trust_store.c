#include "base/fsio.h"
#include "base/json.h"
#include "runner/marks.h"
#include "runner/trust_store.h"

int trust_store_load(struct trust *out, const struct station *s, struct err *e)
{
	AUTO(str_freep) char *path = station_path(s, "trust/trust.json");
	AUTO(buf_clear) struct buf text = { 0 };
	struct trust t = { .threshold = 1 };

	if (!path)
		return err_set(e, ERR_ENV, "out of memory");
	if (fsio_exists(path)) {
		if (fsio_read(path, TRUST_MAX_SIZE, &text, e) != 0)
			return -1;
		if (trust_parse(&t, path, text.p, text.len, e) != 0) {
			e->code = ERR_ENV; /* our own file is damaged */
			return -1;
		}
	}
	if (marks_check_trust(s, t.version, e) != 0)
		return -1;
	*out = t;
	return 0;
}

int trust_store_save(const struct trust *t, const struct station *s, struct err *e)
{
	AUTO(str_freep) char *path = station_path(s, "trust/trust.json");
	AUTO(buf_clear) struct buf text = { 0 };
	AUTO(json_freep) json_t *doc = trust_to_json(t);

	if (!path || !doc)
		return err_set(e, ERR_ENV, "out of memory");
	if (json_line(doc, &text, e) != 0)
		return -1;
	wr_u8(&text, '\n');
	if (fsio_write(path, text.p, text.len, 0600, e) != 0)
		return -1;
	return marks_raise_trust(s, t->version, e);
}

int trust_store_need(struct trust *out, const struct station *s, struct err *e)
{
	if (trust_store_load(out, s, e) != 0)
		return -1;
	if (out->n == 0)
		return err_set(e, ERR_REJECTED,
			"this station trusts no OEM key yet ('runner trust add PUB')");
	return 0;
}

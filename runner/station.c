#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fsio.h"
#include "base/json.h"
#include "base/text.h"
#include "runner/marks.h"
#include "runner/station.h"

#define STATION_FILE_MAX 4096
#define STATION_KEYS_MAX 64 /* unused order keys */
#define STATION_ROOM	 ((size_t)1 << 20) /* a few transactions of the log and its WAL */
#define ORDER_KEY_ID_LEN 16 /* hex digits of the public key in the file name */
#define ORDER_KEY_NAME	 64

char *station_folder(const struct cli *c, struct err *e)
{
	const char *given = cli_string(c, "state", NULL);
	const char *xdg = getenv("XDG_STATE_HOME");
	const char *home = getenv("HOME");
	char *dir = NULL;

	if (given && !*given)
		err_set(e, ERR_USAGE, "--state: empty folder name");
	else if (given)
		dir = strdup(given);
	else if (xdg && xdg[0] == '/') /* the specification ignores relative values */
		dir = path_join(xdg, "mfgpkg-runner");
	else if (home && *home)
		dir = path_join(home, ".local/state/mfgpkg-runner");
	else
		err_set(e, ERR_USAGE, "no state folder: give --state DIR (HOME is not set)");
	return dir;
}

char *station_path(const struct station *s, const char *fmt, ...)
{
	AUTO(str_freep) char *name = NULL;
	va_list ap;

	va_start(ap, fmt);
	int n = vasprintf(&name, fmt, ap);
	va_end(ap);
	if (n < 0) {
		name = NULL;
		return NULL;
	}
	return path_join(s->dir, name);
}

static int no_memory(struct err *e)
{
	return err_set(e, ERR_ENV, "out of memory");
}

/* --- lock -------------------------------------------------------------------------------- */
/* Whoever works with the station writes files that are nobody else's business, the log's too. */
static int take_lock(struct station *s, struct err *e)
{
	umask(077);
	AUTO(str_freep) char *path = station_path(s, "lock");
	if (!path)
		return no_memory(e);
	AUTO(fd_closep) int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_errno(e, "%s: cannot open", path);
	if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		char pid[16] = "";
		ssize_t n = pread(fd, pid, sizeof pid - 1, 0);
		pid[n > 0 ? strcspn(pid, "\n") : 0] = 0;
		if (errno != EWOULDBLOCK)
			return err_errno(e, "%s: cannot lock", path);
		return err_set(e, ERR_ENV, "%s: the station is in use by process %s; one at a time",
			s->dir, *pid ? ESC(pid) : "(unknown)");
	}
	/* Only for the message above; the lock is what counts. */
	char pid[16];
	int len = snprintf(pid, sizeof pid, "%ld\n", (long)getpid());
	if (ftruncate(fd, 0) != 0 || pwrite(fd, pid, (size_t)len, 0) != len)
		return err_errno(e, "%s: cannot write", path);
	s->lock = fd;
	fd = -1;
	return 0;
}

/* --- station.json ------------------------------------------------------------------------ */
static int read_description(struct station *s, struct err *e)
{
	AUTO(str_freep) char *path = station_path(s, "station.json");
	AUTO(buf_clear) struct buf text = { 0 };
	AUTO(json_freep) json_t *doc = NULL;
	const char *type, *name, *key;
	int64_t format;

	if (!path)
		return no_memory(e);
	if (!fsio_exists(path) && errno == ENOENT)
		return err_set(e, ERR_USAGE,
			"%s: no station here yet; 'runner station init --name NAME' makes one",
			s->dir);
	if (fsio_read(path, STATION_FILE_MAX, &text, e) != 0)
		return -1;
	doc = json_read(path, text.p, text.len, e);
	if (!doc)
		goto damaged;

	struct json_at root = json_root(path, doc);
	struct json_at m;
	if ((m = json_member(&root, "type"), json_want_string(&m, 32, &type, e)) != 0 ||
		(m = json_member(&root, "format"), json_want_int(&m, 1, 1, &format, e)) != 0 ||
		(m = json_member(&root, "name"),
			json_want_string(&m, STATION_NAME_MAX, &name, e)) != 0 ||
		(m = json_member(&root, "key"), json_want_string(&m, VKEY_TEXT_CAP, &key, e)) !=
			0 ||
		vkey_parse(&s->key, path, key, e) != 0)
		goto damaged;
	if (strcmp(type, "mfgpkg-station") != 0 || !origin_valid(name) ||
		strcmp(s->key.name, name) != 0) {
		err_set(e, ERR_ENV, "%s: not the description of a station", path);
		goto damaged;
	}
	snprintf(s->name, sizeof s->name, "%s", name);
	return 0;
damaged:
	/* Our own file: what is wrong with it is the disk's fault, not an input's. */
	e->code = ERR_ENV;
	return -1;
}

/* --- order keys -------------------------------------------------------------------------- */
struct order_keys {
	char name[STATION_KEYS_MAX][ORDER_KEY_NAME];
	struct timespec made[STATION_KEYS_MAX];
	size_t n;
};

static void order_key_file(char out[ORDER_KEY_NAME], const uint8_t key[32])
{
	char hex[ORDER_KEY_ID_LEN + 1];
	snprintf(out, ORDER_KEY_NAME, "order-key/%s.key",
		hex_encode(hex, key, ORDER_KEY_ID_LEN / 2));
}

static int list_order_keys(const struct station *s, struct order_keys *out, struct err *e)
{
	AUTO(str_freep) char *path = station_path(s, "order-key");
	if (!path)
		return no_memory(e);
	DIR *d = opendir(path);
	if (!d)
		return err_errno(e, "%s: cannot open", path);
	out->n = 0;
	for (struct dirent *x; (x = readdir(d)) && out->n < STATION_KEYS_MAX;) {
		struct stat st;
		uint8_t id[ORDER_KEY_ID_LEN / 2];
		if (strlen(x->d_name) != ORDER_KEY_ID_LEN + 4 ||
			hex_decode_n(id, sizeof id, x->d_name, ORDER_KEY_ID_LEN) != 0 ||
			strcmp(x->d_name + ORDER_KEY_ID_LEN, ".key") != 0 ||
			fstatat(dirfd(d), x->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
			continue;
		snprintf(out->name[out->n], ORDER_KEY_NAME, "order-key/%s", x->d_name);
		out->made[out->n++] = st.st_mtim;
	}
	closedir(d);
	return 0;
}

static bool later(struct timespec a, struct timespec b)
{
	return a.tv_sec != b.tv_sec ? a.tv_sec > b.tv_sec : a.tv_nsec > b.tv_nsec;
}

int station_order_key(const struct station *s, struct vkey *out, struct err *e)
{
	struct order_keys keys;
	size_t newest = 0;

	if (list_order_keys(s, &keys, e) != 0)
		return -1;
	if (!keys.n)
		return err_set(e, ERR_ENV, "%s: no unused order key", s->dir);
	for (size_t i = 1; i < keys.n; i++)
		if (later(keys.made[i], keys.made[newest]))
			newest = i;

	AUTO(str_freep) char *path = station_path(s, "%s", keys.name[newest]);
	AUTO(log_key_freep) struct log_key *key = NULL;
	if (!path)
		return no_memory(e);
	if (log_key_load(&key, path, e) != 0)
		return -1;
	return vkey_make(out, s->name, VKEY_ED25519, log_key_pub(key), e);
}

int station_order_key_new(const struct station *s, struct err *e)
{
	struct order_keys keys;
	AUTO(log_key_freep) struct log_key *key = NULL;
	char name[ORDER_KEY_NAME];

	if (list_order_keys(s, &keys, e) != 0)
		return -1;
	if (keys.n == STATION_KEYS_MAX)
		return err_set(e, ERR_USAGE, "%s: %d order keys wait for their orders already",
			s->dir, STATION_KEYS_MAX);
	if (log_key_generate(&key, e) != 0)
		return -1;
	order_key_file(name, log_key_pub(key));
	AUTO(str_freep) char *path = station_path(s, "%s", name);
	return path ? log_key_save(key, path, e) : no_memory(e);
}

int station_order_key_take(
	const struct station *s, const uint8_t key[32], const char *to, struct err *e)
{
	char name[ORDER_KEY_NAME];
	AUTO(log_key_freep) struct log_key *secret = NULL;

	order_key_file(name, key);
	AUTO(str_freep) char *path = station_path(s, "%s", name);
	if (!path)
		return no_memory(e);
	if (!fsio_exists(path) && errno == ENOENT)
		return err_set(e, ERR_REJECTED,
			"the order's first epoch key is not an unused order key of this station "
			"(see "
			"'runner station show')");
	if (log_key_load(&secret, path, e) != 0)
		return -1;
	if (memcmp(log_key_pub(secret), key, 32) != 0)
		return err_set(e, ERR_ENV, "%s: holds another key than its name says", path);
	return log_key_save(secret, to, e);
}

int station_order_key_used(const struct station *s, const uint8_t key[32], struct err *e)
{
	char name[ORDER_KEY_NAME];
	struct order_keys keys;

	order_key_file(name, key);
	AUTO(str_freep) char *path = station_path(s, "%s", name);
	AUTO(str_freep) char *dir = station_path(s, "order-key");
	if (!path || !dir)
		return no_memory(e);
	if (unlink(path) != 0 && errno != ENOENT)
		return err_errno(e, "%s: cannot remove", path);
	if (fsio_sync_dir(dir, e) != 0 || list_order_keys(s, &keys, e) != 0)
		return -1;
	return keys.n ? 0 : station_order_key_new(s, e);
}

/* --- life -------------------------------------------------------------------------------- */
static int write_description(const struct station *s, struct err *e)
{
	char key[VKEY_TEXT_CAP];
	AUTO(str_freep) char *path = station_path(s, "station.json");
	AUTO(buf_clear) struct buf text = { 0 };
	AUTO(json_freep)
	json_t *doc = json_pack("{s:s,s:i,s:s,s:s}", "type", "mfgpkg-station", "format", 1, "name",
		s->name, "key", vkey_text(&s->key, key));

	if (!path || !doc)
		return no_memory(e);
	if (json_line(doc, &text, e) != 0)
		return -1;
	wr_u8(&text, '\n');
	return fsio_write_new(path, text.p, text.len, 0600, e);
}

int station_init(const char *dir, const char *name, struct err *e)
{
	AUTO(station_close) struct station s = { .lock = -1 };

	if (!origin_valid(name) || strlen(name) > STATION_NAME_MAX)
		return err_set(e, ERR_USAGE,
			"--name %s: a station name is 1 to %d letters, digits, '.', '_', '-' or "
			"'/', "
			"the first a letter or digit",
			ESC(name), STATION_NAME_MAX);
	s.dir = strdup(dir);
	if (!s.dir)
		return no_memory(e);
	snprintf(s.name, sizeof s.name, "%s", name);

	static const char *const folders[] = { "", "/order-key", "/trust", "/packages", "/orders",
		"/unordered" };
	for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
		AUTO(str_freep) char *path = NULL;
		if (asprintf(&path, "%s%s", dir, folders[i]) < 0) {
			path = NULL;
			return no_memory(e);
		}
		if (fsio_mkdirs(path, 0700, e) != 0)
			return -1;
	}
	if (take_lock(&s, e) != 0)
		return -1;
	AUTO(str_freep) char *json = station_path(&s, "station.json");
	AUTO(str_freep) char *secret = station_path(&s, "station.key");
	if (!json || !secret)
		return no_memory(e);
	if (fsio_exists(json))
		return err_set(
			e, ERR_USAGE, "%s: holds a station already ('runner station show')", dir);

	/* station.json comes last: it makes the folder a station. A key left by an interrupted
	 * init was never shown to anybody and may be used. */
	if (!fsio_exists(secret)) {
		if (log_key_generate(&s.secret, e) != 0 || log_key_save(s.secret, secret, e) != 0)
			return -1;
	} else if (log_key_load(&s.secret, secret, e) != 0) {
		return -1;
	}
	if (vkey_make(&s.key, name, VKEY_ED25519, log_key_pub(s.secret), e) != 0)
		return -1;
	struct order_keys keys;
	if (list_order_keys(&s, &keys, e) != 0 ||
		(keys.n == 0 && station_order_key_new(&s, e) != 0))
		return -1;
	return marks_init(&s, e) == 0 ? write_description(&s, e) : -1;
}

int station_open(struct station *out, const char *dir, enum station_use use, struct err *e)
{
	AUTO(station_close) struct station s = { .lock = -1 };

	s.dir = strdup(dir);
	if (!s.dir)
		return no_memory(e);
	if (read_description(&s, e) != 0)
		return -1;
	if (use == STATION_WORK) {
		AUTO(str_freep) char *path = station_path(&s, "station.key");
		if (!path)
			return no_memory(e);
		if (take_lock(&s, e) != 0 || log_key_load(&s.secret, path, e) != 0)
			return -1;
		if (memcmp(log_key_pub(s.secret), s.key.key, 32) != 0)
			return err_set(
				e, ERR_ENV, "%s: is not the key named in station.json", path);
	}
	*out = s;
	s = (struct station){ .lock = -1 };
	return 0;
}

void station_close(struct station *s)
{
	log_key_free(s->secret);
	free(s->dir);
	if (s->dir && s->lock >= 0)
		close(s->lock);
	*s = (struct station){ .lock = -1 };
}

int station_check_writable(const struct station *s, struct err *e)
{
	AUTO(str_freep) char *path = station_path(s, ".room");
	AUTO(buf_clear) struct buf room = { 0 };

	if (!path)
		return no_memory(e);
	wr_zero(&room, STATION_ROOM);
	if (buf_check(&room, path, e) != 0)
		return -1;
	int rc = fsio_write(path, room.p, room.len, 0600, e);
	unlink(path);
	return rc == 0 ? 0 : err_wrap(e, "the state folder cannot be written");
}

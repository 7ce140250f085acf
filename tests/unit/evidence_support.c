#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fsio.h"
#include "base/json.h"
#include "base/text.h"
#include "evidence_support.h"

struct buf ev_file(const char *name)
{
	struct buf b = { 0 };
	struct err e = { 0 };
	char path[512];

	snprintf(path, sizeof path, "%s%s", name[0] == '/' ? "" : "tests/vectors/evidence/", name);
	if (fsio_read(path, (size_t)64 << 20, &b, &e) != 0)
		fail_msg("%s", e.msg);
	assert_non_null(buf_text(&b));
	return b;
}

json_t *ev_json(const char *name)
{
	struct buf b = ev_file(name);
	struct err e = { 0 };
	json_t *j = json_read(name, b.p, b.len, &e);

	buf_clear(&b);
	if (!j)
		fail_msg("%s", e.msg);
	return j;
}

const char *ev_str(const json_t *j, const char *key)
{
	return json_string_value(json_object_get(j, key));
}

int64_t ev_int(const json_t *j, const char *key)
{
	const json_t *v = json_object_get(j, key);

	assert_true(json_is_integer(v));
	return json_integer_value(v);
}

void ev_b64(const char *text, uint8_t *out, size_t len)
{
	size_t n;

	assert_int_equal(base64_decode(out, len, &n, text, strlen(text)), 0);
	assert_int_equal(n, len);
}

static char tmp[64];

static void remove_tmp(void)
{
	if (ev_run("rm -rf %s", tmp) != 0)
		fprintf(stderr, "%s is left behind\n", tmp);
}

const char *ev_tmp(void)
{
	if (!*tmp) {
		/* Memory where there is one: these tests sync thousands of times. */
		snprintf(tmp, sizeof tmp, "%s/evidence-test.XXXXXX",
			access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
		if (!mkdtemp(tmp))
			abort();
		atexit(remove_tmp);
	}
	return tmp;
}

char *ev_path(const char *fmt, ...)
{
	static char *kept[4096];
	static size_t n;
	char name[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(name, sizeof name, fmt, ap);
	va_end(ap);
	char *p = path_join(ev_tmp(), name);
	if (!p)
		abort();
	/* Kept so that leak checkers see them; the program ends soon. */
	if (n < sizeof kept / sizeof kept[0])
		kept[n++] = p;
	return p;
}

void ev_write(const char *path, const void *data, size_t len)
{
	FILE *f = fopen(path, "wb");

	if (!f || (len && fwrite(data, 1, len, f) != len) || fclose(f) != 0)
		fail_msg("%s: cannot write", path);
}

int ev_run(const char *fmt, ...)
{
	char cmd[4096];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(cmd, sizeof cmd, fmt, ap);
	va_end(ap);
	int rc = system(cmd);
	return WIFEXITED(rc) ? WEXITSTATUS(rc) : -1;
}

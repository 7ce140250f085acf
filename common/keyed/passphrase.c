#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/fsio.h"
#include "keyed/passphrase.h"

/* The first line of the content, without its line end. */
static int first_line(struct secret **out, const char *name, const struct buf *b, struct err *e)
{
	size_t n = 0;

	while (n < b->len && b->p[n] != '\n' && b->p[n] != '\r')
		n++;
	if (n == 0)
		return err_set(e, ERR_CONFIG, "%s: first line is empty, wanted a passphrase", name);
	if (n > PASSPHRASE_MAX || memchr(b->p, 0, n))
		return err_set(e, ERR_CONFIG, "%s: first line is no passphrase (at most %d bytes)",
			name, PASSPHRASE_MAX);
	*out = secret_copy(b->p, n);
	return *out ? 0 : err_set(e, ERR_ENV, "%s: out of memory", name);
}

int passphrase_source_from_cli(struct passphrase_source *out, const struct cli *c, struct err *e)
{
	const char *file = cli_string(c, "passphrase-file", NULL);
	struct passphrase_source s = { .none = cli_flag(c, "no-passphrase") };
	AUTO(buf_wipe) struct buf b = { 0 };

	if ((file != NULL) + cli_given(c, "passphrase-fd") + s.none > 1)
		return cli_usage(
			e, c, "at most one of --passphrase-file, --passphrase-fd, --no-passphrase");
	if (file) {
		if (fsio_read(file, 65536, &b, e) != 0 || first_line(&s.fixed, file, &b, e) != 0)
			return -1;
	} else if (cli_given(c, "passphrase-fd")) {
		uint64_t fd = cli_number(c, "passphrase-fd", 0);
		char name[48];

		if (fd > 1000000)
			return cli_usage(e, c, "--passphrase-fd %llu: no such descriptor",
				(unsigned long long)fd);
		snprintf(name, sizeof name, "--passphrase-fd %u", (unsigned)fd);
		if (fsio_read_fd((int)fd, name, 65536, &b, e) != 0 ||
			first_line(&s.fixed, name, &b, e) != 0)
			return -1;
	}
	*out = s;
	return 0;
}

void passphrase_source_clear(struct passphrase_source *s)
{
	secret_freep(&s->fixed);
}

/* One line from the terminal, not echoed, into buf; length, or -1 when the operator gave up. The
 * terminal makes no signals meanwhile, so it is always put back as it was. */
static int read_hidden(int tty, const char *prompt, char *buf, size_t cap)
{
	struct termios old, quiet;
	size_t n = 0;
	int rc = 0;

	if (tcgetattr(tty, &old) != 0)
		return -1;
	quiet = old;
	quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ISIG);
	quiet.c_lflag |= ICANON;
	if (tcsetattr(tty, TCSAFLUSH, &quiet) != 0)
		return -1;
	dprintf(tty, "%s", prompt);
	for (;;) {
		char ch;
		ssize_t got = read(tty, &ch, 1);
		if (got != 1 || ch == 3 /* Ctrl-C */) {
			rc = -1;
			break;
		}
		if (ch == '\n' || ch == '\r')
			break;
		if (n < cap)
			buf[n++] = ch;
		else
			rc = -1; /* too long: read it off, then refuse */
	}
	dprintf(tty, "\n");
	tcsetattr(tty, TCSAFLUSH, &old);
	return rc == 0 ? (int)n : -1;
}

static int ask(int tty, const char *what, bool confirm, struct secret **out, struct err *e)
{
	char prompt[300];
	AUTO(secret_freep) struct secret *a = secret_new(PASSPHRASE_MAX);
	AUTO(secret_freep) struct secret *b = secret_new(PASSPHRASE_MAX);

	if (!a || !b)
		return err_set(e, ERR_ENV, "%s: out of memory", what);
	for (int tries = 0; tries < 3; tries++) {
		snprintf(prompt, sizeof prompt,
			confirm ? "New passphrase for %s: " : "Passphrase for %s: ", what);
		int n = read_hidden(tty, prompt, (char *)a->p, a->len);
		if (n < 0)
			return err_set(e, ERR_CANCELLED, "%s: no passphrase given", what);
		if (n == 0) {
			dprintf(tty, "The passphrase must not be empty.\n");
			continue;
		}
		if (confirm) {
			int m = read_hidden(tty, "The same again: ", (char *)b->p, b->len);
			if (m < 0)
				return err_set(e, ERR_CANCELLED, "%s: no passphrase given", what);
			if (m != n || sodium_memcmp(a->p, b->p, (size_t)n) != 0) {
				dprintf(tty, "The two differ.\n");
				continue;
			}
		}
		*out = secret_copy(a->p, (size_t)n);
		return *out ? 0 : err_set(e, ERR_ENV, "%s: out of memory", what);
	}
	return err_set(e, ERR_CANCELLED, "%s: no passphrase given", what);
}

int passphrase_get(const struct passphrase_source *s, const char *what, bool confirm,
	struct secret **out, struct err *e)
{
	if (s && s->fixed) {
		struct secret *copy = secret_copy(s->fixed->p, s->fixed->len);
		if (!copy)
			return err_set(e, ERR_ENV, "%s: out of memory", what);
		*out = copy;
		return 0;
	}
	if ((s && s->none) || !isatty(STDIN_FILENO)) {
		*out = NULL;
		return 0;
	}
	AUTO(fd_closep) int tty = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (tty < 0) {
		*out = NULL;
		return 0;
	}
	return ask(tty, what, confirm, out, e);
}

/* The ENGINE interface is deprecated in OpenSSL 3, but the pkcs11 module Debian 12 ships is an
 * engine, and there is no provider for it yet. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include <openssl/engine.h>
#include <openssl/err.h>
#include <openssl/ui.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fsio.h"
#include "base/text.h"
#include "crypt/ecc_pkey.h"
#include "keyed/pkcs11_key.h"

struct pkcs11_token {
	ENGINE *engine;
	bool ready; /* ENGINE_init() done */
};

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The value of a query attribute of the URI, percent-decoded; *out NULL when absent. */
static int query_value(char **out, const char *uri, const char *name, struct err *e)
{
	const char *p = strchr(uri, '?');
	size_t name_len = strlen(name);

	*out = NULL;
	while (p) {
		p++;
		if (strncmp(p, name, name_len) == 0 && p[name_len] == '=')
			break;
		p = strchr(p, '&');
	}
	if (!p)
		return 0;
	p += name_len + 1;
	size_t n = strcspn(p, "&");
	char *v = malloc(n + 1), *w = v;
	if (!v)
		return err_set(e, ERR_ENV, "pkcs11: out of memory");
	for (const char *end = p + n; p < end; p++) {
		if (*p == '%') {
			int hi = end - p > 2 ? hex_digit(p[1]) : -1;
			int lo = hi >= 0 ? hex_digit(p[2]) : -1;
			if (lo < 0 || (hi | lo) == 0) {
				free(v);
				return err_set(e, ERR_CONFIG,
					"pkcs11: bad percent code in attribute %s", name);
			}
			*w++ = (char)(hi << 4 | lo);
			p += 2;
		} else {
			*w++ = *p;
		}
	}
	*w = 0;
	*out = v;
	return 0;
}

static int get_pin(struct secret **pin, const char *uri, const char *where,
	const struct passphrase_source *pw, struct err *e)
{
	AUTO(str_freep) char *source = NULL;

	if (query_value(&source, uri, "pin-source", e) != 0)
		return -1;
	if (!source)
		return passphrase_get(pw, where, false, pin, e);
	AUTO(buf_wipe) struct buf b = { 0 };
	const char *path = strncmp(source, "file:", 5) == 0 ? source + 5 : source;
	if (strncmp(path, "//", 2) == 0)
		path += 2;
	if (fsio_read(path, 65536, &b, e) != 0)
		return err_wrap(e, "%s: pin-source", where);
	while (b.len && (b.p[b.len - 1] == '\n' || b.p[b.len - 1] == '\r'))
		b.len--;
	*pin = secret_copy(b.p, b.len);
	return *pin ? 0 : err_set(e, ERR_ENV, "%s: out of memory", where);
}

static int set_pin(ENGINE *engine, const struct secret *pin, const char *where, struct err *e)
{
	AUTO(secret_freep) struct secret *text = secret_new(pin->len + 1);

	if (!text)
		return err_set(e, ERR_ENV, "%s: out of memory", where);
	memcpy(text->p, pin->p, pin->len);
	if (ENGINE_ctrl_cmd_string(engine, "PIN", (const char *)text->p, 0) != 1)
		return err_set(e, ERR_ENV, "%s: the pkcs11 engine does not take a PIN", where);
	return 0;
}

static int open_engine(struct pkcs11_token *t, const char *where, const char *module, struct err *e)
{
	char reason[120];

	ENGINE_load_dynamic();
	t->engine = ENGINE_by_id("pkcs11");
	if (!t->engine) {
		ERR_clear_error();
		return err_set(e, ERR_ENV,
			"%s: OpenSSL has no pkcs11 engine here; install libengine-pkcs11-openssl",
			where);
	}
	/* The engine prints what goes wrong; our message says it. It opens the library late and
	 * then only says that there is no key. */
	ENGINE_ctrl_cmd_string(t->engine, "QUIET", NULL, 0);
	if (module && strchr(module, '/') && access(module, R_OK) != 0)
		return err_errno(e, "%s: cannot open the token library %s", where, ESC(module));
	if (module && ENGINE_ctrl_cmd_string(t->engine, "MODULE_PATH", module, 0) != 1)
		return err_set(e, ERR_ENV, "%s: module-path %s: %s", where, ESC(module),
			ecc_openssl_error(reason));
	if (ENGINE_init(t->engine) != 1)
		return err_set(e, ERR_ENV, "%s: cannot start the token library%s%s: %s", where,
			module ? " " : "", module ? ESC(module) : "", ecc_openssl_error(reason));
	t->ready = true;
	return 0;
}

int pkcs11_key_open(struct pkcs11_token **token, EVP_PKEY **key, const char *uri,
	const struct passphrase_source *pw, struct err *e)
{
	AUTO(str_freep) char *path = strndup(uri, strcspn(uri, "?"));
	AUTO(str_freep) char *module = NULL;
	AUTO(secret_freep) struct secret *pin = NULL;
	char where[220], reason[120];

	if (!path)
		return err_set(e, ERR_ENV, "pkcs11: out of memory");
	text_escape(where, sizeof where, path, strlen(path));
	if (strstr(uri, "pin-value="))
		return err_set(e, ERR_CONFIG,
			"%s: pin-value is refused; use pin-source=file:PATH or --passphrase-file",
			where);
	if (query_value(&module, uri, "module-path", e) != 0)
		return -1;
	struct pkcs11_token *t = calloc(1, sizeof *t);
	if (!t)
		return err_set(e, ERR_ENV, "pkcs11: out of memory");
	if (open_engine(t, where, module, e) != 0 || get_pin(&pin, uri, where, pw, e) != 0 ||
		(pin && set_pin(t->engine, pin, where, e) != 0)) {
		pkcs11_token_free(t);
		return -1;
	}
	/* A user interface that does nothing: the engine must not ask by itself. It keeps the
	 * pointer, so this is OpenSSL's static one. */
	EVP_PKEY *k =
		ENGINE_load_private_key(t->engine, path, (UI_METHOD *)(uintptr_t)UI_null(), NULL);
	if (!k) {
		err_set(e, ERR_ENV, "%s: %s: %s", where,
			pin ? "no such private key, or PIN wrong"
			    : "no such private key, or a PIN is needed (--passphrase-file)",
			ecc_openssl_error(reason));
		pkcs11_token_free(t);
		return -1;
	}
	*key = k;
	*token = t;
	return 0;
}

void pkcs11_token_free(struct pkcs11_token *t)
{
	if (!t)
		return;
	if (t->ready)
		ENGINE_finish(t->engine);
	ENGINE_free(t->engine);
	free(t);
}

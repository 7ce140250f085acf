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
#include "keyed/pkcs11_tokens.h"

/* Return values of PKCS#11 (pkcs11t.h) that the engine hands on as OpenSSL reasons. */
#define CKR_DEVICE_REMOVED    0x32
#define CKR_PIN_INCORRECT     0xA0
#define CKR_PIN_INVALID	      0xA1
#define CKR_PIN_LEN_RANGE     0xA2
#define CKR_PIN_LOCKED	      0xA4
#define CKR_TOKEN_NOT_PRESENT 0xE0

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

/* Take the error queue: the first reason in it, which is the token's when the token refused. */
static int first_reason(char text[120])
{
	unsigned long code = ERR_peek_error();
	const char *t = ERR_reason_error_string(code);
	int reason = ERR_GET_REASON(code);

	snprintf(text, 120, "%s", t ? t : "no reason given");
	ERR_clear_error();
	return reason;
}

/* Three faults that a person mends in three ways: the token is not there, the PIN is not its PIN,
 * it has no such key. */
static int explain(
	const char *where, const char *uri, const char *module, bool pin_given, struct err *e)
{
	struct pkcs11_tokens tokens;
	char text[120];
	int reason = first_reason(text);
	bool asked = pkcs11_tokens_find(&tokens, module, uri);

	if (asked && tokens.n == 0)
		return err_set(e, ERR_ENV, "%s: no token is there (removed?)", where);
	if (asked && tokens.n_match == 0)
		return err_set(e, ERR_ENV, "%s: this token is not there (removed?); there is %s",
			where, tokens.labels);
	switch (reason) {
	case CKR_PIN_LOCKED:
		return err_set(e, ERR_ENV, "%s: the token has locked its PIN", where);
	case CKR_PIN_INCORRECT:
	case CKR_PIN_INVALID:
	case CKR_PIN_LEN_RANGE:
		return err_set(e, ERR_CONFIG, "%s: wrong PIN%s", where,
			tokens.pin_locked     ? "; the token has locked it now"
			: tokens.pin_last_try ? "; one more wrong PIN locks the token"
					      : "");
	case CKR_DEVICE_REMOVED:
	case CKR_TOKEN_NOT_PRESENT:
		return err_set(e, ERR_ENV, "%s: the token was removed", where);
	}
	if (!pin_given && (!asked || tokens.login_required))
		return err_set(e, ERR_CONFIG,
			"%s: the token wants a PIN; give --passphrase-file or --passphrase-fd, or "
			"run on a terminal",
			where);
	return err_set(e, ERR_CONFIG, "%s: the token has no such private key: %s", where, text);
}

int pkcs11_key_open(struct pkcs11_token **token, EVP_PKEY **key, const char *uri,
	const struct passphrase_source *pw, struct err *e)
{
	AUTO(str_freep) char *path = strndup(uri, strcspn(uri, "?"));
	AUTO(str_freep) char *module = NULL;
	AUTO(secret_freep) struct secret *pin = NULL;
	char where[220];

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
	ERR_clear_error();
	EVP_PKEY *k =
		ENGINE_load_private_key(t->engine, path, (UI_METHOD *)(uintptr_t)UI_null(), NULL);
	if (!k) {
		(void)explain(where, path, module, pin != NULL, e);
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

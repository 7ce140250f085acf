#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "keyed/pkcs11_tokens.h"

/* The little of PKCS#11 v2.40 (OASIS, pkcs11t.h, pkcs11f.h) that names tokens. A header of it would
 * be one more package to install. */
#define CKR_OK				 0ul
#define CKR_CRYPTOKI_ALREADY_INITIALIZED 0x191ul
#define CKF_LOGIN_REQUIRED		 0x00000004ul
#define CKF_TOKEN_INITIALIZED		 0x00000400ul
#define CKF_USER_PIN_FINAL_TRY		 0x00020000ul
#define CKF_USER_PIN_LOCKED		 0x00040000ul

struct ck_version {
	unsigned char major, minor;
};

/* Text members are padded with blanks and not terminated. */
struct ck_token_info {
	unsigned char label[32], manufacturer[32], model[16], serial[16];
	unsigned long flags, counts[10];
	struct ck_version hardware, firmware;
	unsigned char utc_time[16];
};

struct ck_functions {
	struct ck_version version;
	unsigned long (*initialize)(void *args);
	unsigned long (*finalize)(void *reserved);
	unsigned long (*get_info)(void *info);
	unsigned long (*get_function_list)(struct ck_functions **list);
	unsigned long (*get_slot_list)(
		unsigned char token_present, unsigned long *slots, unsigned long *count);
	unsigned long (*get_slot_info)(unsigned long slot, void *info);
	unsigned long (*get_token_info)(unsigned long slot, struct ck_token_info *info);
};

/* Does the URI ask for another value than this padded text? Attributes it does not have match. */
static bool differs(const char *uri, const char *name, const unsigned char *padded, size_t size)
{
	size_t name_len = strlen(name), n = 0;
	const char *p = strchr(uri, ':');

	while (size && padded[size - 1] == ' ')
		size--;
	for (; p; p = strchr(p, ';')) {
		p++;
		if (strncmp(p, name, name_len) == 0 && p[name_len] == '=')
			break;
	}
	if (!p)
		return false;
	for (p += name_len + 1; *p && *p != ';'; n++) {
		uint8_t c = (uint8_t)*p++;
		if (c == '%' && hex_decode_n(&c, 1, p, strnlen(p, 2)) == 0)
			p += 2;
		if (n >= size || padded[n] != c)
			return true;
	}
	return n != size;
}

static void note(struct pkcs11_tokens *out, const char *uri, const struct ck_token_info *info)
{
	size_t at = strlen(out->labels), len = sizeof info->label;
	char label[140];

	if (!(info->flags & CKF_TOKEN_INITIALIZED))
		return;
	while (len && info->label[len - 1] == ' ')
		len--;
	text_escape(label, sizeof label, info->label, len);
	snprintf(out->labels + at, sizeof out->labels - at, "%s\"%s\"", at ? ", " : "", label);
	out->n++;
	if (differs(uri, "token", info->label, sizeof info->label) ||
		differs(uri, "manufacturer", info->manufacturer, sizeof info->manufacturer) ||
		differs(uri, "model", info->model, sizeof info->model) ||
		differs(uri, "serial", info->serial, sizeof info->serial))
		return;
	if (out->n_match++ == 0) {
		out->login_required = info->flags & CKF_LOGIN_REQUIRED;
		out->pin_locked = info->flags & CKF_USER_PIN_LOCKED;
		out->pin_last_try = info->flags & CKF_USER_PIN_FINAL_TRY;
	}
}

bool pkcs11_tokens_find(struct pkcs11_tokens *out, const char *module, const char *uri)
{
	unsigned long slots[PKCS11_SLOTS_MAX], n = PKCS11_SLOTS_MAX;
	unsigned long (*get_list)(struct ck_functions **) = NULL;
	struct ck_functions *f = NULL;
	void *lib = dlopen(module ? module : "p11-kit-proxy.so", RTLD_NOW | RTLD_LOCAL);

	*out = (struct pkcs11_tokens){ 0 };
	if (!lib)
		return false;
	/* POSIX says that the address dlsym() gives may be one of a function; C has no cast for it.
	 */
	void *symbol = dlsym(lib, "C_GetFunctionList");
	memcpy(&get_list, &symbol, sizeof get_list);
	bool ok = symbol && get_list(&f) == CKR_OK && f;
	if (ok) {
		unsigned long rv = f->initialize(NULL);
		ok = (rv == CKR_OK || rv == CKR_CRYPTOKI_ALREADY_INITIALIZED) &&
		     f->get_slot_list(1, slots, &n) == CKR_OK;
	}
	for (unsigned long i = 0; ok && i < n && i < PKCS11_SLOTS_MAX; i++) {
		struct ck_token_info info = { 0 };
		if (f->get_token_info(slots[i], &info) == CKR_OK)
			note(out, uri, &info);
	}
	/* Not finalized: the engine uses the same library, and it was initialised once for both. */
	dlclose(lib);
	return ok;
}

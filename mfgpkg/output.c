#include <string.h>

#include "base/fsio.h"
#include "crypt/digest.h"
#include "mfgpkg/create/inputs.h"
#include "mfgpkg/output.h"

int output_write(const char *path, const void *data, size_t len, mode_t mode, struct err *e)
{
	AUTO(str_freep) char *dir = path_dirname(path);

	if (!dir)
		return err_set(e, ERR_ENV, "out of memory");
	if (fsio_mkdirs(dir, 0777, e) != 0)
		return -1;
	return fsio_write(path, data, len, mode, e);
}

int output_record(struct workspace *ws, const char *type, const char *config, const char *path,
	const void *data, size_t len, const struct ecc_pub *signer, struct err *e)
{
	AUTO(inputs_clear) struct inputs in = { 0 };
	struct workspace_input inputs[INPUTS_MAX];
	uint8_t keys[1][32];
	size_t n = 0;

	if (!ws)
		return 0;
	if (inputs_collect(&in, config, e) != 0)
		return -1;
	for (size_t i = 0; i < in.n; i++) {
		if (in.v[i].secret)
			continue;
		inputs[n].file = path_basename(in.v[i].path);
		memcpy(inputs[n++].sha256, in.v[i].sha256, sizeof inputs[0].sha256);
	}
	struct workspace_artifact a = { .type = type,
		.file = path_basename(path),
		.size = len,
		.inputs = inputs,
		.n_inputs = n,
		.keys = (const uint8_t(*)[32])keys,
		.n_keys = signer ? 1 : 0 };
	sha256_of(data, len, a.sha256);
	if (signer)
		sha256_of(signer->xy, 2 * ecc_len(signer->curve), keys[0]);
	return workspace_artifact(ws, &a, e) != 0 ? -1 : workspace_commit(ws, e);
}

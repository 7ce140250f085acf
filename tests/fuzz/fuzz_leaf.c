/* Leaves: what the scanner accepts is JSON for a general parser too, with the same values. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "evidence/leaf_table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* Each value once more, by name, from the tree that jansson made of the same bytes. */
static void same_values(const struct leaf *l, const struct field *f, const json_t *j)
{
	char *text = malloc(LEAF_MAX + 1);

	for (; text && f->name; f++) {
		const json_t *v = json_object_get(j, f->name);
		const struct leaf_value *mine = f->m < LM_COUNT ? leaf_value(l, f->m) : NULL;
		if (!v)
			abort();
		if (f->type == F_OBJECT)
			same_values(l, f->sub, v);
		if (!mine)
			continue;
		if ((mine->type == LT_NULL) != json_is_null(v) ||
			(mine->type == LT_INT && mine->i != json_integer_value(v)) ||
			(mine->type == LT_BOOL && (mine->i != 0) != json_is_true(v)))
			abort();
		if (mine->type == LT_TEXT && (leaf_text(l, f->m, text, LEAF_MAX + 1) != 0 ||
						     strcmp(text, json_string_value(v)) != 0))
			abort();
		if (mine->type == LT_ARRAY && f->type != F_OBJECTS) {
			size_t pos = 0, i = 0;
			while (leaf_array_next(mine, &pos, text, LEAF_MAX + 1) == 1)
				if (strcmp(text, json_string_value(json_array_get(v, i++))) != 0)
					abort();
			if (i != json_array_size(v))
				abort();
		}
	}
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct leaf l;

	for (unsigned role = ROLE_ORDER; role <= ROLE_WORKSPACE; role++) {
		struct err e = { 0 };
		if (leaf_check(&l, "leaf", data, len, (enum leaf_role)role, &e) != 0) {
			if (e.code != ERR_FORMAT && e.code != ERR_LIMIT)
				abort();
			continue;
		}
		json_t *j = json_read("leaf", data, len, &e);
		if (!j || strcmp(json_string_value(json_object_get(j, "kind")),
				  leaf_kind_name(l.kind)) != 0)
			abort();
		same_values(&l, leaf_common_fields, j);
		same_values(&l, leaf_kinds[l.kind].fields, j);
		json_decref(j);
	}
	return 0;
}

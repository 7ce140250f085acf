/* sb31_vectors - golden cases in tests/vectors: their facts, inputs and comparison rules. */
#ifndef TESTS_UNIT_SB31_VECTORS_H
#define TESTS_UNIT_SB31_VECTORS_H

#include <jansson.h>
#include <stdint.h>

#include "base/bytes.h"

#define SB31_VECTORS "tests/vectors/sb31"
#define GOLDEN	     "tests/vectors/spsdk-golden"
#define VECTORS_MAX  64

struct vector {
	char dir[256];
	json_t *facts; /* case.json */
	struct buf expected; /* expected.sb3 */
};

/* All cases below a folder whose case.json has this "format"; number of cases. */
size_t vectors_load(struct vector v[VECTORS_MAX], const char *folder, const char *format);
void vectors_free(struct vector *v, size_t n);

/* Facts; a missing one fails the test. */
uint64_t vector_int(const struct vector *v, const char *key);
const char *vector_str(const struct vector *v, const char *key);
size_t vector_hex(const struct vector *v, const char *key, uint8_t *out, size_t cap);

/* The file named `name` in the case's folder; fails the test when it cannot be read. */
void vector_file(const struct vector *v, const char *name, struct buf *out);

/* assert_same_but_signatures - our bytes equal expected.sb3 outside the signature ranges, whose
 * hash is that of case.json, and every signature in ours verifies with the named public key. */
void assert_same_but_signatures(const struct vector *v, const uint8_t *ours, size_t len);

#endif

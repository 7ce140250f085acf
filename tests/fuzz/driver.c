/* Feeds every file of a corpus folder to a fuzz target: fuzzing's memory as an ordinary test, and a
 * way to look at one crash without libFuzzer.
 *   test_corpus_NAME            all of tests/corpus/NAME
 *   test_corpus_NAME FILE...    these files */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fsio.h"

#define INPUT_MAX ((size_t)16 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerInitialize(int *argc, char ***argv) __attribute__((weak));

static int feed(const char *path)
{
	AUTO(buf_clear) struct buf b = { 0 };
	struct err e = { 0 };

	if (fsio_read(path, INPUT_MAX, &b, &e) != 0) {
		fprintf(stderr, "%s\n", e.msg);
		return -1;
	}
	/* A copy of exactly this size, so that a sanitizer sees the first byte beyond. */
	uint8_t *exact = malloc(b.len ? b.len : 1);
	if (!exact)
		return -1;
	if (b.len)
		memcpy(exact, b.p, b.len);
	LLVMFuzzerTestOneInput(exact, b.len);
	free(exact);
	return 0;
}

int main(int argc, char **argv)
{
	const char *name = strstr(argv[0], "test_corpus_");
	char folder[300], path[600];
	unsigned n = 0;

	if (LLVMFuzzerInitialize)
		LLVMFuzzerInitialize(&argc, &argv);
	for (int i = 1; i < argc; i++)
		if (feed(argv[i]) != 0)
			return 1;
	if (argc > 1)
		return 0;
	if (!name)
		return 2;
	snprintf(folder, sizeof folder, "tests/corpus/%s", name + strlen("test_corpus_"));
	/* The lines of cmocka, which the test runner counts. */
	printf("[ RUN      ] %s\n", folder);
	fflush(stdout);
	DIR *d = opendir(folder);
	for (struct dirent *ent; d && (ent = readdir(d));) {
		if (*ent->d_name == '.')
			continue;
		snprintf(path, sizeof path, "%s/%s", folder, ent->d_name);
		if (feed(path) != 0)
			return 1;
		n++;
	}
	if (d)
		closedir(d);
	if (n == 0) {
		printf("[  FAILED  ] %s: no inputs there\n", folder);
		return 1;
	}
	printf("[       OK ] %s\n%u inputs\n", folder, n);
	return 0;
}

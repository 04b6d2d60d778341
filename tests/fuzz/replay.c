/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs a fuzz target over every file of a corpus directory, without libFuzzer: the inputs that
 * once mattered are part of the unit tests, under any compiler and sanitizer.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"

#define INPUT_MAX (1024 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay(const char *path)
{
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	_cleanup_free_ uint8_t *buf = malloc(INPUT_MAX), *data = NULL;
	size_t n;

	if (!f || !buf)
		return -1;
	n = fread(buf, 1, INPUT_MAX, f);
	data = malloc(n ? n : 1); /* exactly as long, so that a sanitizer sees one byte too far */
	if (!data)
		return -1;
	for (size_t i = 0; i < n; i++)
		data[i] = buf[i];
	printf("%s\n", path);
	fflush(stdout);
	return LLVMFuzzerTestOneInput(data, n);
}

int main(int argc, char **argv)
{
	struct dirent **list = NULL;
	int n = argc == 2 ? scandir(argv[1], &list, NULL, alphasort) : -1, done = 0, r = 0;

	for (int i = 0; i < n; i++) {
		_cleanup_free_ char *path = NULL;

		if (list[i]->d_name[0] != '.') {
			if (asprintf(&path, "%s/%s", argv[1], list[i]->d_name) < 0 ||
			    replay(path) != 0)
				r = 1;
			done++;
		}
		free(list[i]);
	}
	free(list);
	if (done == 0) {
		fprintf(stderr, "replay: no inputs\n");
		return 1;
	}
	return r;
}

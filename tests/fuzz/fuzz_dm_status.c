/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Status and table lines of the multipath target: no crash, no leak, and what was accepted is
 * within its bounds. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "observe/dm.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dm_map map = { 0 };
	bool queueing;
	char *text = strndup((const char *)data, size);

	if (!text)
		return 0;
	if (dm_status_parse(text, &map) == 0) {
		if (map.n_paths > OBSERVE_MAP_PATHS_MAX)
			abort();
		for (unsigned i = 0; i < map.n_paths; i++)
			if (!strchr(map.paths[i].devno, ':'))
				abort();
	} else if (map.paths || map.n_paths) {
		abort();
	}
	(void)dm_table_parse(text, &queueing);
	free(map.paths);
	free(text);
	return 0;
}

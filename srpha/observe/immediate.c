/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/immediate.h"

#include <limits.h>

#include "base/parse.h"
#include "base/root.h"

#define PARAMETERS "sys/module/ib_srp/parameters/"

uint32_t srp_max_imm_data(int root_fd)
{
	uint64_t bytes;
	char buf[16];

	if (root_read(root_fd, PARAMETERS "use_imm_data", buf, sizeof(buf)) < 1 || buf[0] != 'Y')
		return 0;
	if (root_read(root_fd, PARAMETERS "max_imm_data", buf, sizeof(buf)) < 1 ||
	    parse_u64(buf, 0, INT_MAX, &bytes) < 0)
		return 0;
	return (uint32_t)bytes;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/multipathd.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

/* Not self-contained: it needs the types above. */
#include <mpath_cmd.h>

#include "base/cleanup.h"
#include "base/parse.h"

static void disconnectp(int *fd)
{
	if (*fd >= 0)
		mpath_disconnect(*fd);
}

int multipathd_reinstate(const char *disk, uint64_t timeout_usec)
{
	uint64_t msec = (timeout_usec + USEC_PER_MSEC - 1) / USEC_PER_MSEC;
	_cleanup_(disconnectp) int fd = -EBADF;
	_cleanup_free_ char *reply = NULL;
	char command[64];

	if (snprintf(command, sizeof(command), "reinstate path %s", disk) >= (int)sizeof(command))
		return -EINVAL;
	/* Non-blocking: a multipathd that does not accept must not hold us. */
	fd = __mpath_connect(1);
	if (fd < 0)
		return errno == EAGAIN ? -ETIMEDOUT : -ECONNREFUSED;
	if (mpath_process_cmd(fd, command, &reply, msec > INT_MAX ? INT_MAX : (unsigned)msec) != 0)
		return errno ? -errno : -EIO;
	/* "ok" or "fail", "timeout", "permission deny", ended by a newline. */
	if (!reply || strncmp(reply, "ok", 2) != 0 || strspn(reply + 2, "\n") != strlen(reply + 2))
		return -EREMOTEIO;
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Removes a session. The kernel only queues the removal, which first drains the I/O of the host:
 * that it is gone is for the supervisor to see.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "actor/request.h"
#include "wire/messages.h"

static int logout_run(struct actor *a, struct json_object *request, struct json_object *reply)
{
	const char *rport;
	char path[128];
	int r = request_name(request, "rport", &rport);

	if (r < 0)
		return r;
	snprintf(path, sizeof(path), "sys/class/srp_remote_ports/%s/delete", rport);
	r = a->ops->attr_write(a->root_fd, path, "1");
	if (r < 0)
		reply_error(reply, "%s could not be removed (%s)", rport, strerror(-r));
	return r;
}

const struct actor_verb verb_logout = { .msg = MSG_LOGOUT, .run = logout_run };

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sets the timeouts of a session: they count from the next fault on, a running timer stays. */
#include "actor/request.h"
#include "actor/tmo.h"
#include "wire/messages.h"

static int timeouts_run(struct actor *a, struct json_object *request, struct json_object *reply)
{
	struct timeouts wanted;
	const char *rport;
	int r = request_name(request, "rport", &rport);

	if (r == 0)
		r = timeouts_parse(request, &wanted);
	return r < 0 ? r : timeouts_apply(a, rport, &wanted, reply);
}

const struct actor_verb verb_timeouts = { .msg = MSG_TIMEOUTS, .run = timeouts_run };

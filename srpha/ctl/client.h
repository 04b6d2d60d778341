/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One varlink call to the daemon: connect, ask, take the first answer, hang up; all of it before a
 * deadline. Prints nothing.
 */
#pragma once

#include <stdint.h>

#include "wire/channel.h"

/* Longest wait for the daemon, from connecting to the whole answer: it never blocks itself. */
#define CLIENT_TIMEOUT_USEC (5 * UINT64_C(1000000))

struct client_reply {
	char *error;			/* a varlink error's full name, or NULL */
	struct json_object *parameters; /* never NULL after a call that returned 0 */
};
void client_reply_clear(struct client_reply *r);

/*
 * Takes `parameters` (may be NULL). 0 with *ret set, an error reply included; -ENOENT or
 * -ECONNREFUSED where nobody listens, -ENAMETOOLONG, -EACCES, -ETIMEDOUT, -EPIPE when the daemon
 * hung up, -EBADMSG when the answer is not varlink, -E2BIG when it is too long, -ENOMEM.
 */
int client_call(const char *socket_path, const char *method, struct json_object *parameters,
		uint64_t timeout_usec, struct client_reply *ret);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Typed reading of a request beyond wire/channel.h's getters, and writing of words into a reply.
 * Strings live as long as the request. Names of devices are checked here, once: they become parts
 * of paths.
 */
#pragma once

#include "actor/actor.h"

#define REQUEST_SG_MAX 4096

/* Longest deadline a supervisor may ask for. */
#define REQUEST_DEADLINE_MAX (UINT64_C(600) * 1000000)

/* A kernel device name such as "host3", "port-3:1", "sg2": 0, -ENOENT, -EBADMSG. */
int request_name(struct json_object *o, const char *key, const char **ret);

/* deadline_usec as a point in time: 0, -ENOENT, -EBADMSG. */
int request_deadline(const struct actor *a, struct json_object *o, uint64_t *ret);

/* One path in one map, flattened from "maps". */
struct map_path {
	const char *map, *uuid, *devno;
};
int request_map_paths(struct json_object *o, struct map_path **ret, unsigned *ret_n);

/* A session by "host" and "rport", that belong together and, where the request has "instance" (the
 * inode of struct srp_session), are still the ones meant. "dest" and "gid" (both or none) are its
 * portal and the GID behind it. 0, -ENOENT, -EBADMSG, or -ESTALE. */
struct request_session {
	const char *host, *rport;
	const char *dest, *gid; /* NULL: unknown */
	unsigned host_no;
};
int request_session(const struct actor *a, struct json_object *o, struct json_object *reply,
		    struct request_session *ret);

/* Words for the administrator; the first ones stay. */
__attribute__((format(printf, 2, 3))) void reply_error(struct json_object *reply, const char *fmt,
						       ...);
/* An array of strings in the reply, made at need. */
void reply_list_add(struct json_object *reply, const char *key, const char *value);
bool reply_list_has(struct json_object *reply, const char *key, const char *value);

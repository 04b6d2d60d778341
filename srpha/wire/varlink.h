/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Varlink framing over a byte stream: JSON objects, each ended by a NUL byte. One stream a
 * connection, for server and client alike. Bounded in both directions; a peer that sends too much
 * or garbage gets an error and is dropped by the caller. Knows no method names.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "wire/channel.h"

#define VARLINK_REQUEST_MAX (64 * 1024)	     /* one message a client may send to the daemon */
#define VARLINK_REPLY_MAX (16 * 1024 * 1024) /* one message the daemon may answer with */

struct varlink_stream {
	int fd; /* not owned */
	size_t in_max, out_max;
	char *in;
	size_t in_len, in_size;
	char *out;
	size_t out_pos, out_len, out_size;
};

void varlink_stream_init(struct varlink_stream *s, int fd, size_t in_max, size_t out_max);
void varlink_stream_clear(struct varlink_stream *s);

/* Reads what is there, without blocking: 1 read something, 0 end of file, -EAGAIN, -E2BIG (a message
 * longer than in_max), another negative errno. */
int varlink_stream_read(struct varlink_stream *s);

/* The next whole message: 1 with *ret (caller puts it), 0 none yet, -EBADMSG. */
int varlink_stream_next(struct varlink_stream *s, struct json_object **ret);

/* Queues a message: 0, -ENOBUFS when out_max would be exceeded, -ENOMEM. */
int varlink_stream_queue(struct varlink_stream *s, struct json_object *message);

/* Writes what can be written: 1 all gone, 0 more remains (wait for EPOLLOUT), negative errno. */
int varlink_stream_flush(struct varlink_stream *s);

/* {"parameters": p} (p is taken; may be NULL), and {"error": name, "parameters": p}. */
struct json_object *varlink_reply(struct json_object *parameters, bool continues);
struct json_object *varlink_error(const char *name, struct json_object *parameters);

/* {"method": m, "parameters": p}. */
struct json_object *varlink_call(const char *method, struct json_object *parameters);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages between the supervisor and its children: one JSON object a datagram on a
 * SOCK_SEQPACKET pair. Neither side trusts the other: size is bounded, fields are read through
 * the typed getters below, an unknown message or field is an error of the peer. The vocabulary
 * is in wire/messages.h.
 */
#pragma once

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"

/*
 * Largest message in bytes: a request about some 4000 LUNs and their maps fits. More than the
 * net.core.wmem_max of a system needs CAP_NET_ADMIN, which the daemon has; the kernel's own limit for
 * one message is somewhat above (17 fragments of 32 KiB).
 */
#define CHANNEL_MESSAGE_MAX (512 * 1024)

static inline void json_object_putp(struct json_object **o)
{
	if (*o)
		json_object_put(*o);
}
#define _cleanup_json_ _cleanup_(json_object_putp)

/* A connected pair; both ends close-on-exec, ours non-blocking. 0 or negative errno. */
int channel_pair(int *ret_ours, int *ret_theirs);

/*
 * Sends without blocking. 0, or -EAGAIN (peer does not read), -EPIPE, -E2BIG, -ENOMEM.
 * The object stays the caller's.
 */
int channel_send(int fd, struct json_object *message);

/*
 * Receives one message. 1 with *ret set (an object, to be put by the caller), 0 at end of file,
 * -EAGAIN when nothing is there, -EBADMSG when what came is not a JSON object or too long.
 */
int channel_recv(int fd, struct json_object **ret);

/* Parses a text of known length as one whole JSON object: 0, -EBADMSG or -E2BIG. */
int json_parse_object(const char *text, size_t len, struct json_object **ret);

/*
 * Typed getters: 0, -ENOENT when absent, -EBADMSG when of another type or out of range.
 * A returned string or array lives as long as the object.
 */
int json_get_string(struct json_object *o, const char *key, const char **ret);
int json_get_u64(struct json_object *o, const char *key, uint64_t max, uint64_t *ret);
int json_get_bool(struct json_object *o, const char *key, bool *ret);
int json_get_array(struct json_object *o, const char *key, size_t max, struct json_object **ret);
int json_get_object(struct json_object *o, const char *key, struct json_object **ret);

/* Setters that swallow NULL (absent) and format for us; GUIDs as 16 hexadecimal digits. */
void json_put_string(struct json_object *o, const char *key, const char *value);
void json_put_u64(struct json_object *o, const char *key, uint64_t value);
void json_put_bool(struct json_object *o, const char *key, bool value);
void json_put_guid(struct json_object *o, const char *key, uint64_t guid);
int json_get_guid(struct json_object *o, const char *key, uint64_t *ret);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What fail and rejoin share: opening an sg node that surely belongs to the session, resetting its
 * host under an alarm, and dm messages that outlast a map's reload.
 */
#pragma once

#include "actor/request.h"

/* How often the alarm repeats, and how long to wait where the kernel says "not now". */
#define RETRY_USEC UINT64_C(10000)

/* A descriptor; -ESTALE where the node belongs to another host, -ENXIO, -ENODEV, -ENOENT. */
int session_sg_open(const struct actor *a, const struct request_session *s, const char *sg);

/* The errors of session_sg_open() after which another node of the host may do. */
bool session_sg_gone(int error);

/* Resets through the first of the nodes (an array of strings) that opens, with an alarm after
 * `alarm_usec`, or later where that is not safe: as actor_ops.sg_reset, or session_sg_open's error when none opens. */
int session_reset(const struct actor *a, const struct request_session *s, struct json_object *nodes,
		  uint64_t alarm_usec);

/* Repeats a message while the map is suspended, until `until_usec`. */
int session_dm_message(const struct actor *a, int (*send)(const char *uuid, const char *devno),
		       const struct map_path *p, uint64_t until_usec);

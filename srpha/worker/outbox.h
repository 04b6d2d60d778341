/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The worker's words to its supervisor. Sends at once; when the supervisor does not read, keeps
 * the latest message of each kind and item and sends it when it may. So it is bounded by the number
 * of portals and pages of offers, and whoever reads late learns the present, not a history, except that an urgent
 * message (the port went down, a portal died) is never lost: it is sent before what followed it.
 */
#pragma once

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "base/cleanup.h"

/* In the order in which waiting messages are sent. */
enum outbox_kind {
	OUTBOX_HELLO,
	OUTBOX_PORT,
	OUTBOX_NOTICE, /* item: what it is about */
	OUTBOX_PORTAL, /* item: portal id */
	OUTBOX_PROBE,  /* item: portal id */
	OUTBOX_OFFERS, /* item: page */
	OUTBOX_SCAN,
	OUTBOX_PROBLEM, /* item: kind of problem */
	OUTBOX_STATS,
};

struct outbox;

/* `fd` stays the caller's. on_broken: the supervisor is gone, or a message could not be made. */
int outbox_new(struct sd_event *loop, int fd, void (*on_broken)(int error, void *userdata),
	       void *userdata, struct outbox **ret);
void outbox_free(struct outbox *o);
DEFINE_CLEANUP(struct outbox *, outbox_free);

/* Takes the message over (NULL counts as out of memory). */
void outbox_put(struct outbox *o, enum outbox_kind kind, uint64_t item,
		struct json_object *message);

/* The same, never to be lost: supersedes what waits of this kind and item, and stays. */
void outbox_put_urgent(struct outbox *o, enum outbox_kind kind, uint64_t item,
		       struct json_object *message);

/* Drops what waits for an item that is gone. */
void outbox_forget(struct outbox *o, enum outbox_kind kind, uint64_t item);

/* Sends what waits, as far as the socket takes it; true when nothing waits any more. */
bool outbox_flush(struct outbox *o);

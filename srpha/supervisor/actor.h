/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The pool of actors: processes started ahead of need, each of which takes one request, does one
 * kernel action and exits. A failover must not pay for a fork and an exec: some idle ones are
 * always ready. An actor past its deadline is killed; one that even then does not end sits in the
 * kernel and is abandoned: nobody waits for it, but it counts until it is gone. So many of a path
 * stop that path's further actions, not everybody's.
 */
#pragma once

#include "supervisor/manager.h"

struct actor {
	LIST_ENTRY(actor) link;
	struct manager *manager;
	struct child *child;
	bool busy, abandoned;
	char action[16];
	char path[PATH_NAME_MAX]; /* empty: none */
	uint64_t busy_since_usec;
	struct json_object *result; /* its `done`, or NULL */
	sd_event_source *interrupt; /* interrupt.c */
	uint64_t blocked_usec;
};

/* Fills the pool up to what the number of paths asks for. */
void actors_fill(struct manager *m);
void actors_free(struct manager *m);

/*
 * Hands `request` to a ready actor for this path. 0, or negative errno; the path's `actor` is set
 * until it ended, and then drive_actor_done() is called with its result or NULL.
 */
int actor_run(struct manager *m, struct path *p, const char *action, struct json_object *request,
	      uint64_t deadline_usec);

/* Whether so many of a path's actors are stuck in the kernel that one more would help nobody. */
bool actors_stuck(struct manager *m, const struct path *p);

/* Kills the actor at work on a path, which interrupts its kernel call. */
void actor_cancel(struct path *p);

/* In interrupt.c: watches the reset of a fail action and cuts it short when it is time. */
void interrupt_start(struct manager *m, struct actor *a);

/* In drive.c. `result` is NULL where the actor died, was killed or was abandoned. */
void drive_actor_done(struct manager *m, struct path *p, const char *action,
		      struct json_object *result);

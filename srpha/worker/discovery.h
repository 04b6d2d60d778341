/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Discovery on an InfiniBand port: drives the scan (fabric/scan.h) and the subscriptions
 * (fabric/subscribe.h) over the worker's transactions, follows the port, and tells the supervisor
 * `offers`, `scan` and `notice`. On an Ethernet port, and while the port cannot be used, it sleeps.
 *
 *   port usable (ACTIVE, LID, manager) ──► subscribe, scan ──► offers, scan ──► asleep
 *     ▲                 │ LID, manager, P_Keys, GID changed; clients reregister: the same again
 *     │ and not         ▼
 *   asleep, what is known is kept        notice 64, 144: that port;   65: told at once, that port
 *                                        rescan timer, the supervisor's wish: all
 *
 * A scan that the administrator did not answer is repeated after a second, two, ... up to the rescan
 * interval. Where another agent has the Reports of this port there are no notices: it is told
 * once, and what the timer finds has to do.
 */
#pragma once

#include <json-c/json.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "fabric/umad.h"
#include "worker/discovery_messages.h"

struct worker;
struct discovery;

int discovery_new(struct worker *w, struct discovery **ret);
void discovery_free(struct discovery *d);
DEFINE_CLEANUP(struct discovery *, discovery_free);

/* The supervisor's configuration. */
void discovery_configure(struct worker *w, const struct discovery_settings *settings, uint64_t now);

/* The supervisor's wish: scan all. */
void discovery_request(struct worker *w, uint64_t now);

/*
 * The port may have changed: reads it anew. `again`: the manager wants its clients to register
 * again, or is another one, so that even what looks the same is not.
 */
void discovery_look(struct worker *w, bool again, uint64_t now);

/* An event said so; sysfs may be late: the same now, and once more in a while. */
void discovery_look_soon(struct worker *w, bool again, uint64_t now);

/* Replies and Reports. `handle` is what is below the kind of the cookie. */
void discovery_scan_reply(struct worker *w, uint64_t handle, const struct mad_reply *reply,
			  uint64_t now);
void discovery_subscribe_reply(struct worker *w, uint64_t handle, const struct mad_reply *reply,
			       uint64_t now);
void discovery_report(struct worker *w, const struct mad_reply *report, uint64_t now);

/* What is due; then sends and tells all that can be. Both after every burst of events. */
uint64_t discovery_due(const struct worker *w);
void discovery_run(struct worker *w, uint64_t now);

/*
 * How to reach a target port over a P_Key: 0; -ENONET while the port is not usable, -ENOKEY where the
 * P_Key is not in its table; -ENOENT where the target port is not known: *ret then has the P_Key
 * alone.
 */
int discovery_route(const struct worker *w, const uint8_t gid[static 16], uint16_t pkey,
		    struct mad_dest *ret);

/* Something about this target port may have changed: ask it, and the administrator about it. */
void discovery_inquire(struct worker *w, const uint8_t gid[static 16], uint64_t now);

/* The LIDs of the port and its manager, 0 while there are none. */
void discovery_lids(const struct worker *w, uint16_t *ret_lid, uint16_t *ret_sm_lid);

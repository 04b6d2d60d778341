/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finds out where a portal is and what it offers: the route, the neighbour, its GID, the SRP
 * service of its Device Management agent. Works on the `struct target_portal` it is given, one
 * step at a time, never waits; what it found is told to the supervisor and to the prober.
 */
#pragma once

#include "fabric/neigh.h"
#include "fabric/umad.h"
#include "worker/worker.h"

/* Begins anew, now, without waiting for the backoff. */
void resolve_kick(struct worker *w, struct target_portal *tp, uint64_t now);

/* The ids may have changed: asks the agent again (no effect where they are configured). */
void resolve_requery(struct worker *w, struct target_portal *tp, uint64_t now);

/* When resolve_tick() is wanted, and what is due. */
uint64_t resolve_due(const struct target_portal *tp);
void resolve_tick(struct worker *w, struct target_portal *tp, uint64_t now);

/* An event of the netlink socket, for whichever portal it concerns. */
void resolve_event(struct worker *w, const struct neigh_event *e, uint64_t now);

/* An answer to one of its queries. */
void resolve_reply(struct worker *w, struct target_portal *tp, const struct mad_reply *reply,
		   uint64_t now);

/* The port became active, or is not any more. */
void resolve_port_changed(struct worker *w, bool active, uint64_t now);

/* The port's GIDs were read anew: choose those to send from again. */
void resolve_table_changed(struct worker *w, uint64_t now);

/* For query.c: the ends of an attempt. resolve_failed(): `why` says what is missing. */
void resolve_done(struct worker *w, struct target_portal *tp, uint64_t now);
void resolve_failed(struct worker *w, struct target_portal *tp, uint64_t now);

/* The address of the portal without its port. */
const char *resolve_address(const struct target_portal *tp, char buf[static INET6_ADDRSTRLEN]);

/* Makes the kernel look for the target's addresses, paced by the caller. */
void resolve_solicit(struct worker *w, struct target_portal *tp, uint64_t now);

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "worker/ibportal.h"

#include <errno.h>
#include <string.h>

#include "base/parse.h"
#include "worker/discovery.h"
#include "worker/prober.h"

/* A target port that the scan does not know is asked for so often. */
#define BACKOFF_MIN_USEC USEC_PER_SEC
#define BACKOFF_MAX_USEC (60 * USEC_PER_SEC)

static void set_way(struct target_portal *tp, const struct mad_dest *to)
{
	tp->can_send = true;
	tp->dest = *to;
	portal_clear_why(tp);
}

/* The scan knows the port's P_Key, but not the target port: ask for it, and probe meanwhile. */
static void look_for(struct worker *w, struct target_portal *tp, struct mad_dest *to, uint64_t now)
{
	uint64_t wait = tp->backoff_usec ? tp->backoff_usec : BACKOFF_MIN_USEC;

	/* Where it was is better than nowhere. */
	if (tp->can_send) {
		tp->dest.pkey_index = to->pkey_index;
	} else if (tp->settings.lid) {
		to->lid = tp->settings.lid;
		set_way(tp, to);
	} else {
		portal_set_why(tp, "the subnet manager does not tell the way to it");
	}
	if (now < tp->next_usec && tp->backoff_usec)
		return;
	discovery_inquire(w, tp->settings.gid, now);
	tp->next_usec = now + wait;
	tp->backoff_usec = 2 * wait < BACKOFF_MAX_USEC ? 2 * wait : BACKOFF_MAX_USEC;
}

static void find_way(struct worker *w, struct target_portal *tp, uint64_t now)
{
	struct mad_dest to;
	int r = discovery_route(w, tp->settings.gid, tp->settings.pkey, &to);

	if (r == -ENOENT) {
		look_for(w, tp, &to, now);
		return;
	}
	tp->next_usec = USEC_INFINITY;
	tp->backoff_usec = 0;
	if (r == 0) {
		set_way(tp, &to);
	} else if (r == -ENOKEY) {
		tp->can_send = false;
		portal_set_why(tp, "%s is not a member of partition 0x%04x", w->name,
			       tp->settings.pkey);
	} else if (!tp->can_send) { /* once found, it stays while the port is down */
		portal_set_why(tp, "%s is not ready", w->name);
	}
}

void ibportal_resolve(struct worker *w, struct target_portal *tp, uint64_t now)
{
	tp->step = RESOLVE_IDLE;
	tp->route_known = true;
	tp->routed = port_status(w->port)->infiniband;
	tp->needs_neighbour = false;
	tp->has_gid = true;
	memcpy(tp->gid, tp->settings.gid, sizeof(tp->gid));
	if (!tp->routed || !w->mad) {
		tp->can_send = false;
		tp->next_usec = USEC_INFINITY;
		if (!tp->routed)
			portal_set_why(tp, "%s is an Ethernet port", w->name);
		else
			portal_set_why(tp, "%s has no ib_umad device (%s): targets are not asked",
				       w->name, strerror(-w->mad_error));
	} else {
		find_way(w, tp, now);
	}
	prober_update(w, tp, now);
	worker_tell_portal(w, tp);
}

void ibportal_refresh(struct worker *w, uint64_t now)
{
	struct target_portal *tp;
	unsigned i = 0;

	while ((tp = portal_next(&w->portals, &i)))
		if (tp->settings.infiniband)
			ibportal_resolve(w, tp, now);
}

void ibportal_changed(struct worker *w, struct target_portal *tp, uint64_t now)
{
	discovery_inquire(w, tp->settings.gid, now);
}

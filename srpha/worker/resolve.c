/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 *            due, kick                not ours, none
 *   IDLE ───────────────► ROUTE ─────────────────────────► IDLE (why; again after the backoff)
 *    ▲                      │ ours, on the link
 *    │                      ▼
 *    │  no answer      NEIGHBOUR ── its MAC: the GID ──┐
 *    ├──────────────────────┘                          │ ids are configured: done
 *    │                                                 ├───────────────────────────► IDLE
 *    │                    QUERY ◄──────────────────────┘ ids to be learned
 *    └── found, or why ─────┘
 *
 * The backoff runs from 0.5 s to 30 s; a port that becomes active, a neighbour that appears, a
 * route that changes and the supervisor's wish begin anew at once. A neighbour that changes its
 * MAC later is followed in every step. A known GID is kept until another one is found.
 */
#include "worker/resolve.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "worker/ibportal.h"
#include "worker/prober.h"
#include "worker/query.h"

#define BACKOFF_MIN_USEC (500 * USEC_PER_MSEC)
#define BACKOFF_MAX_USEC (30 * USEC_PER_SEC)
#define RECHECK_USEC (30 * USEC_PER_SEC)    /* of what is known */
#define RECHECK_NEW_USEC (5 * USEC_PER_SEC) /* of what never answered */
#define ROUTE_WAIT_USEC USEC_PER_SEC

/* The kernel asks three times, a second apart; a target that is there answers the first. */
#define NEIGHBOUR_WAIT_USEC (1500 * USEC_PER_MSEC)
#define PROVOKE_USEC (250 * USEC_PER_MSEC)

/* A route that leads elsewhere is believed after so many answers, when it was ours before. */
#define STRIKES_MAX 3

/* Marks the netlink requests about the GID's neighbour, not the address's. */
#define SEQ_GID UINT32_C(0x80000000)

const char *resolve_address(const struct target_portal *tp, char buf[static INET6_ADDRSTRLEN])
{
	const struct portal *d = &tp->settings.dest;

	if (d->sa.sa_family == AF_INET)
		inet_ntop(AF_INET, &d->in.sin_addr, buf, INET6_ADDRSTRLEN);
	else
		inet_ntop(AF_INET6, &d->in6.sin6_addr, buf, INET6_ADDRSTRLEN);
	return buf;
}

/* Outcomes. */

static void resolve_rest(struct worker *w, struct target_portal *tp, uint64_t now, uint64_t wait)
{
	query_drop(tp);
	tp->step = RESOLVE_IDLE;
	tp->next_usec = now + wait;
	prober_update(w, tp, now);
	worker_tell_portal(w, tp);
}

void resolve_done(struct worker *w, struct target_portal *tp, uint64_t now)
{
	if (!tp->silent)
		portal_clear_why(tp);
	tp->backoff_usec = BACKOFF_MIN_USEC;
	resolve_rest(w, tp, now, tp->probe.state == PROBE_NEW ? RECHECK_NEW_USEC : RECHECK_USEC);
}

/* `why` has been set. */
void resolve_failed(struct worker *w, struct target_portal *tp, uint64_t now)
{
	uint64_t wait = tp->backoff_usec ? tp->backoff_usec : BACKOFF_MIN_USEC;

	tp->backoff_usec = 2 * wait < BACKOFF_MAX_USEC ? 2 * wait : BACKOFF_MAX_USEC;
	resolve_rest(w, tp, now, wait);
}

/* The neighbour behind an address: ask what the kernel knows, and have it look. */

static void provoke(struct worker *w, struct target_portal *tp)
{
	(void)solicit_provoke(&w->solicit, &tp->ip_key);
	if (tp->can_send && tp->needs_neighbour)
		(void)solicit_provoke(&w->solicit, &tp->gid_key);
}

void resolve_solicit(struct worker *w, struct target_portal *tp, uint64_t now)
{
	if (!tp->routed || tp->gateway)
		return;
	if (now >= tp->provoke_usec) {
		tp->provoke_usec = now + PROVOKE_USEC;
		provoke(w, tp);
	}
	if (!tp->can_send)
		return;
	(void)solicit_ask(&w->solicit, &tp->ip_key, tp->mac, tp->source);
	if (tp->needs_neighbour)
		(void)solicit_ask(&w->solicit, &tp->gid_key, tp->mac, tp->source);
}

static void ask_gid_neighbour(struct worker *w, struct target_portal *tp)
{
	if (!tp->can_send || !tp->needs_neighbour)
		return;
	(void)neigh_ask_neighbour(w->netlink, tp->handle | SEQ_GID, &tp->gid_key);
}

/* The way to the target port. */

static void choose_way(struct worker *w, struct target_portal *tp)
{
	const struct gid_entry *own[8];
	unsigned n = gid_table_link_locals(port_gids(w->port), tp->netdev, ARRAY_SIZE(own), own);
	const struct gid_entry *global = gid_table_global(port_gids(w->port), tp->netdev), *from;
	bool by_address = tp->settings.dest.sa.sa_family == AF_INET6 && global;
	unsigned choices = n + by_address;

	tp->can_send = w->mad && tp->has_gid && choices > 0;
	if (!tp->can_send)
		return;
	tp->choice %= choices;
	from = tp->choice < n ? own[tp->choice] : global;
	tp->dest = (struct mad_dest){ .grh = true, .gid_index = from->index };
	if (from == global && tp->choice >= n)
		memcpy(tp->dest.gid, &tp->settings.dest.in6.sin6_addr, GID_SIZE);
	else
		memcpy(tp->dest.gid, tp->gid, GID_SIZE);
	/* A RoCE v1 link-local GID holds the MAC, and the kernel takes it from there. */
	tp->needs_neighbour = from->type == GID_ROCE_V2;
	tp->gid_key = neigh_key_of_gid(tp->ifindex, tp->dest.gid);
	if (!gid_to_mac(from->gid, tp->mac) && n > 0)
		(void)gid_to_mac(own[0]->gid, tp->mac);
}

static bool same_way(const struct mad_dest *a, const struct mad_dest *b)
{
	return a->grh == b->grh && a->gid_index == b->gid_index &&
	       memcmp(a->gid, b->gid, GID_SIZE) == 0;
}

/* After choose_way(): is the neighbour known? Nobody waits for the answer. */
static void open_way(struct worker *w, struct target_portal *tp, uint64_t now)
{
	tp->neighbour_valid = false;
	tp->provoke_usec = 0;
	ask_gid_neighbour(w, tp);
	prober_update(w, tp, now);
}

static void explain_no_way(struct worker *w, struct target_portal *tp)
{
	if (!w->mad)
		portal_set_why(tp, "%s has no ib_umad device (%s): targets are not asked", w->name,
			       strerror(-w->mad_error));
	else
		portal_set_why(tp, "%s has no link-local GID on %s: targets are not asked", w->name,
			       tp->netdev);
}

/* The GID is known: what else is to be found out? */
static void resolve_go_on(struct worker *w, struct target_portal *tp, uint64_t now)
{
	if (!tp->can_send) {
		explain_no_way(w, tp);
		resolve_failed(w, tp, now);
	} else if (portal_ids_configured(tp) || (portal_ids_known(tp) && !tp->ask_again)) {
		if (tp->probe.state == PROBE_NEW && tp->silent)
			tp->choice++;
		resolve_done(w, tp, now);
	} else {
		worker_tell_portal(w, tp);
		query_begin(w, tp, now);
	}
}

static void adopt_gid(struct worker *w, struct target_portal *tp, const uint8_t *gid, uint64_t now)
{
	bool same = tp->has_gid && memcmp(tp->gid, gid, GID_SIZE) == 0;
	struct mad_dest before = tp->dest;
	bool could = tp->can_send;

	tp->has_gid = true;
	memcpy(tp->gid, gid, GID_SIZE);
	choose_way(w, tp);
	if (!same || !could || !same_way(&before, &tp->dest))
		open_way(w, tp, now);
	if (same)
		return;
	tp->ask_again = true; /* another port answers for the address: is it the same target? */
	if (tp->step != RESOLVE_NEIGHBOUR)
		resolve_go_on(w, tp, now);
}

/* Neighbours. */

static void resolve_neighbour(struct worker *w, struct target_portal *tp, uint64_t now)
{
	tp->step = RESOLVE_NEIGHBOUR;
	tp->next_usec = now + NEIGHBOUR_WAIT_USEC;
	(void)neigh_ask_neighbour(w->netlink, tp->handle, &tp->ip_key);
}

static void neighbour_silent(struct worker *w, struct target_portal *tp, uint64_t now)
{
	char address[INET6_ADDRSTRLEN];

	if (tp->has_gid) { /* keep what was known: the probe tells whether it lives */
		resolve_go_on(w, tp, now);
		return;
	}
	if (worker_port_active(w))
		portal_set_why(tp, "no answer to %s for %s on %s",
			       tp->settings.dest.sa.sa_family == AF_INET ? "ARP"
									 : "neighbour discovery",
			       resolve_address(tp, address), tp->netdev);
	else
		portal_set_why(tp, "%s is %s", w->name,
			       port_state_name(port_status(w->port)->state));
	resolve_failed(w, tp, now);
}

/* What the kernel says of the neighbour behind the portal's own address. */
static void address_event(struct worker *w, struct target_portal *tp, const struct neigh_event *e,
			  uint64_t now)
{
	uint8_t gid[GID_SIZE];

	if (e->kind == NEIGH_NEIGHBOUR && e->valid && e->lladdr_len == MAC_SIZE) {
		gid_from_mac(e->lladdr, gid);
		adopt_gid(w, tp, gid, now);
		if (tp->step == RESOLVE_NEIGHBOUR)
			resolve_go_on(w, tp, now);
	} else if (tp->step == RESOLVE_NEIGHBOUR && e->seq == tp->handle) {
		(void)solicit_provoke(&w->solicit, &tp->ip_key);
	}
}

/* What it says of the neighbour that datagrams are sent to. */
static void way_event(struct worker *w, struct target_portal *tp, const struct neigh_event *e,
		      uint64_t now)
{
	bool was = tp->neighbour_valid;

	tp->neighbour_valid = e->kind == NEIGH_NEIGHBOUR && e->valid;
	if (!tp->neighbour_valid) {
		if (e->seq & SEQ_GID)
			resolve_solicit(w, tp, now);
		return;
	}
	if (was)
		return;
	prober_neighbour(w, tp, now);
	if (tp->step == RESOLVE_QUERY)
		query_neighbour(w, tp, now);
}

/* Routes. */

/* The route leads elsewhere, and `why` says where, unless this is not yet believed. */
static void route_not_ours(struct worker *w, struct target_portal *tp, uint64_t now)
{
	/* A carrier that is away takes routes with it: that alone says nothing. */
	if (tp->routed && (!worker_port_active(w) || ++tp->strikes < STRIKES_MAX)) {
		tp->step = RESOLVE_IDLE;
		tp->next_usec = now + USEC_PER_SEC;
		return;
	}
	tp->route_known = true;
	tp->routed = false;
	tp->can_send = false;
	tp->neighbour_valid = false;
	resolve_failed(w, tp, now);
}

/* NULL, or why the route in `e` is not one of this port. */
static const char *route_refusal(struct worker *w, const struct target_portal *tp,
				 const struct neigh_event *e, char *buf, size_t size)
{
	const struct port_status *s = port_status(w->port);
	char address[INET6_ADDRSTRLEN], netdev[IF_NAMESIZE];

	resolve_address(tp, address);
	if (e->kind == NEIGH_ERROR)
		snprintf(buf, size, "no route to %s: %s", address, strerror(-e->error));
	else if (e->local)
		snprintf(buf, size, "%s is an address of this host", address);
	else if (e->unreachable || e->oif == 0 || !if_indextoname(e->oif, netdev))
		snprintf(buf, size, "no route to %s", address);
	else if (s->infiniband)
		snprintf(buf, size, "%s is an InfiniBand port: portals belong to Ethernet ports",
			 w->name);
	else if (!gid_table_has_netdev(port_gids(w->port), netdev))
		snprintf(buf, size, "the route to %s is through %s, not through %s of %s", address,
			 netdev, s->netdev[0] ? s->netdev : "an interface", w->name);
	else
		return NULL;
	return buf;
}

static void route_ours(struct worker *w, struct target_portal *tp, const struct neigh_event *e,
		       uint64_t now)
{
	tp->route_known = true;
	tp->routed = true;
	tp->strikes = 0;
	tp->gateway = e->gateway;
	if (tp->ifindex != e->oif)
		tp->neighbour_valid = false;
	tp->ifindex = e->oif;
	(void)if_indextoname(e->oif, tp->netdev);
	memcpy(tp->source, e->source, sizeof(tp->source));
	tp->ip_key = neigh_key_of(e->oif, &tp->settings.dest);
	if (tp->gateway) {
		char address[INET6_ADDRSTRLEN];

		tp->can_send = false;
		tp->has_gid = false;
		resolve_address(tp, address);
		portal_set_why(
			tp, "%s is behind a router: not probed%s", address,
			portal_ids_configured(tp) ? "" : ", and id_ext and ioc_guid must be given");
		tp->backoff_usec = BACKOFF_MAX_USEC;
		resolve_failed(w, tp, now);
		return;
	}
	if (!tp->has_gid && tp->settings.has_gid) {
		tp->step = RESOLVE_NEIGHBOUR;
		adopt_gid(w, tp, tp->settings.gid, now);
	} else if (tp->has_gid) {
		adopt_gid(w, tp, tp->gid, now);
	}
	worker_tell_portal(w, tp);
	resolve_neighbour(w, tp, now);
}

static void route_event(struct worker *w, struct target_portal *tp, const struct neigh_event *e,
			uint64_t now)
{
	char why[PORTAL_WHY_MAX];

	if (tp->step != RESOLVE_ROUTE)
		return;
	if (!route_refusal(w, tp, e, why, sizeof(why))) {
		route_ours(w, tp, e, now);
		return;
	}
	if (!tp->routed || (worker_port_active(w) && tp->strikes + 1 >= STRIKES_MAX))
		portal_set_why(tp, "%s", why);
	route_not_ours(w, tp, now);
}

static void ask_route(struct worker *w, struct target_portal *tp, uint64_t now)
{
	int r = w->netlink < 0 ? w->netlink
			       : neigh_ask_route(w->netlink, tp->handle, &tp->settings.dest);

	if (r < 0 && r != -EAGAIN && r != -ENOBUFS) {
		tp->route_known = true;
		portal_set_why(tp, "cannot look up routes: %s", strerror(-r));
		resolve_failed(w, tp, now);
		return;
	}
	tp->step = RESOLVE_ROUTE;
	tp->next_usec = now + ROUTE_WAIT_USEC;
}

/* The worker's calls. */

void resolve_requery(struct worker *w, struct target_portal *tp, uint64_t now)
{
	if (tp->settings.infiniband || portal_ids_configured(tp) || tp->step != RESOLVE_IDLE ||
	    !tp->can_send)
		return;
	query_begin(w, tp, now);
}

void resolve_reply(struct worker *w, struct target_portal *tp, const struct mad_reply *reply,
		   uint64_t now)
{
	query_reply(w, tp, reply, now);
}

void resolve_kick(struct worker *w, struct target_portal *tp, uint64_t now)
{
	tp->backoff_usec = BACKOFF_MIN_USEC;
	if (tp->step == RESOLVE_IDLE)
		tp->next_usec = now;
}

uint64_t resolve_due(const struct target_portal *tp)
{
	return tp->next_usec;
}

void resolve_tick(struct worker *w, struct target_portal *tp, uint64_t now)
{
	if (now < tp->next_usec)
		return;
	if (tp->settings.infiniband) {
		ibportal_resolve(w, tp, now);
		return;
	}
	switch (tp->step) {
	case RESOLVE_IDLE:
	case RESOLVE_ROUTE: /* no answer came: again */
		ask_route(w, tp, now);
		break;
	case RESOLVE_NEIGHBOUR:
		neighbour_silent(w, tp, now);
		break;
	case RESOLVE_QUERY:
		query_tick(w, tp, now);
		break;
	}
}

static struct target_portal *by_seq(struct worker *w, uint32_t seq)
{
	return seq ? portal_by_handle(&w->portals, seq & ~SEQ_GID) : NULL;
}

/* A request was refused: of a route, or of a neighbour that the kernel has no entry for. */
static void error_event(struct worker *w, const struct neigh_event *e, uint64_t now)
{
	struct target_portal *tp = by_seq(w, e->seq);

	if (!tp)
		return;
	if (e->seq & SEQ_GID)
		way_event(w, tp, e, now);
	else if (tp->step == RESOLVE_ROUTE)
		route_event(w, tp, e, now);
	else
		address_event(w, tp, e, now);
}

void resolve_event(struct worker *w, const struct neigh_event *e, uint64_t now)
{
	struct target_portal *tp;
	unsigned i = 0;

	switch (e->kind) {
	case NEIGH_ROUTE:
		tp = by_seq(w, e->seq);
		if (tp)
			route_event(w, tp, e, now);
		break;
	case NEIGH_ERROR:
		error_event(w, e, now);
		break;
	case NEIGH_NEIGHBOUR:
	case NEIGH_NEIGHBOUR_GONE:
		while ((tp = portal_next(&w->portals, &i))) {
			if (!tp->routed || tp->gateway || tp->settings.infiniband)
				continue;
			if (neigh_key_equal(&tp->ip_key, &e->key))
				address_event(w, tp, e, now);
			if (tp->can_send && tp->needs_neighbour &&
			    neigh_key_equal(&tp->gid_key, &e->key))
				way_event(w, tp, e, now);
		}
		break;
	case NEIGH_LINK:
	case NEIGH_OVERRUN: /* the worker's */
		break;
	}
}

void resolve_port_changed(struct worker *w, bool active, uint64_t now)
{
	struct target_portal *tp;
	unsigned i = 0;

	while ((tp = portal_next(&w->portals, &i))) {
		if (tp->settings.infiniband) {
			ibportal_resolve(w, tp, now);
			continue;
		}
		if (active && tp->has_gid && tp->routed && !tp->gateway) {
			choose_way(w, tp);
			open_way(w, tp, now);
			resolve_solicit(w, tp, now);
		} else {
			tp->neighbour_valid = false;
			prober_update(w, tp, now);
		}
		if (active)
			resolve_kick(w, tp, now);
	}
}

void resolve_table_changed(struct worker *w, uint64_t now)
{
	struct target_portal *tp;
	unsigned i = 0;

	while ((tp = portal_next(&w->portals, &i))) {
		if (tp->settings.infiniband) {
			ibportal_resolve(w, tp, now);
			continue;
		}
		if (tp->has_gid && tp->routed && !tp->gateway) {
			struct mad_dest before = tp->dest;

			choose_way(w, tp);
			if (!same_way(&before, &tp->dest))
				open_way(w, tp, now);
			else
				prober_update(w, tp, now);
		}
		resolve_kick(w, tp, now);
	}
}

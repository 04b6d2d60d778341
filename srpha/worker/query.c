/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "worker/query.h"

#include <errno.h>
#include <string.h>

#include "fabric/iou.h"
#include "worker/prober.h"
#include "worker/resolve.h"

/* An answer takes a round trip; a busy agent's may take many. */
#define QUERY_WAIT_USEC (400 * USEC_PER_MSEC)
#define QUERY_BUSY_USEC (100 * USEC_PER_MSEC)
#define QUERY_TRIES 4
#define QUERY_KERNEL_TIMEOUT_MS 3000

/* For the target's link-local address to be found. */
#define QUERY_NEIGHBOUR_USEC (1500 * USEC_PER_MSEC)

void query_drop(struct target_portal *tp)
{
	iou_free(tp->walk);
	tp->walk = NULL;
	memset(tp->requests, 0, sizeof(tp->requests));
}

static void explain_query(struct worker *w, struct target_portal *tp)
{
	const struct iou_counts *c = iou_counts(tp->walk);
	char address[INET6_ADDRSTRLEN];

	resolve_address(tp, address);
	if (!iou_known(tp->walk, NULL) && c->refused > 0)
		portal_set_why(tp,
			       "%s answers, but not for Device Management (%s): is its SRP target "
			       "running?",
			       address, mad_status_text(c->last_status));
	else if (!iou_known(tp->walk, NULL))
		portal_set_why(tp, "no answer from the Device Management agent of %s", address);
	else if (c->controllers == 0)
		portal_set_why(tp, "%s has no I/O controller", address);
	else if (c->silent > 0)
		portal_set_why(tp, "the Device Management agent of %s stopped answering", address);
	else if (tp->settings.has_id_ext || tp->settings.has_ioc_guid)
		portal_set_why(tp, "none of the %u I/O controllers of %s is the one configured",
			       c->controllers, address);
	else
		portal_set_why(tp, "none of the %u I/O controllers of %s offers SRP",
			       c->controllers, address);
}

static void query_finish(struct worker *w, struct target_portal *tp, uint64_t now)
{
	unsigned n;
	const struct iou_service *services = iou_services(tp->walk, &n);

	if (portal_learn(tp, services, n)) {
		(void)iou_known(tp->walk, &tp->change_id);
		tp->silent = false;
		tp->ask_again = false;
		resolve_done(w, tp, now);
		return;
	}
	if (!portal_ids_known(tp))
		explain_query(w, tp);
	/* No answer at all: perhaps from another of our GIDs. */
	if (tp->probe.state == PROBE_NEW && !iou_known(tp->walk, NULL))
		tp->choice++;
	resolve_failed(w, tp, now);
}

static void query_send(struct worker *w, struct target_portal *tp, struct portal_request *rq,
		       uint64_t now)
{
	int r = -EHOSTUNREACH;

	/* Sending to an unknown neighbour would block in the kernel: as if it were lost. */
	if (!tp->needs_neighbour || tp->neighbour_valid)
		r = mad_port_get(w->mad, &tp->dest, MAD_CLASS_DM, rq->what.attr_id,
				 rq->what.attr_mod, COOKIE_QUERY | tp->handle, now,
				 QUERY_KERNEL_TIMEOUT_MS);
	if (r == -ENODEV || r == -EIO)
		worker_device_gone(w);
	rq->tries++;
	rq->deadline_usec = now + QUERY_WAIT_USEC;
}

/* Sends, repeats and gives up what is due; ends the step when nothing is left. */
static void query_pump(struct worker *w, struct target_portal *tp, uint64_t now)
{
	tp->next_usec = USEC_INFINITY;
	for (unsigned i = 0; i < PORTAL_WINDOW; i++) {
		struct portal_request *rq = &tp->requests[i];

		if (rq->used && now >= rq->deadline_usec) {
			if (rq->tries < QUERY_TRIES) {
				query_send(w, tp, rq, now);
			} else {
				iou_give_up(tp->walk, &rq->what);
				rq->used = false;
			}
		}
		if (!rq->used && iou_next(tp->walk, &rq->what)) {
			rq->used = true;
			rq->tries = 0;
			query_send(w, tp, rq, now);
		}
		if (rq->used && rq->deadline_usec < tp->next_usec)
			tp->next_usec = rq->deadline_usec;
	}
	if (iou_done(tp->walk))
		query_finish(w, tp, now);
}

void query_begin(struct worker *w, struct target_portal *tp, uint64_t now)
{
	query_drop(tp);
	tp->step = RESOLVE_QUERY;
	if (tp->needs_neighbour && !tp->neighbour_valid) {
		tp->next_usec = now + QUERY_NEIGHBOUR_USEC;
		return; /* query_neighbour() goes on */
	}
	tp->walk = iou_new();
	if (!tp->walk) {
		resolve_failed(w, tp, now);
		return;
	}
	query_pump(w, tp, now);
}

void query_tick(struct worker *w, struct target_portal *tp, uint64_t now)
{
	char address[INET6_ADDRSTRLEN];

	if (tp->walk) {
		query_pump(w, tp, now);
		return;
	}
	if (!portal_ids_known(tp))
		portal_set_why(tp,
			       "the link-local address of %s does not answer on %s: its "
			       "Device Management agent cannot be asked",
			       resolve_address(tp, address), tp->netdev);
	if (tp->probe.state == PROBE_NEW)
		tp->choice++;
	resolve_failed(w, tp, now);
}

void query_neighbour(struct worker *w, struct target_portal *tp, uint64_t now)
{
	if (!tp->walk)
		query_begin(w, tp, now);
}

void query_reply(struct worker *w, struct target_portal *tp, const struct mad_reply *reply,
		 uint64_t now)
{
	if (reply->error || !tp->walk || tp->step != RESOLVE_QUERY ||
	    (reply->grh && memcmp(reply->from_gid, tp->dest.gid, GID_SIZE) != 0))
		return;
	for (unsigned i = 0; i < PORTAL_WINDOW; i++) {
		struct portal_request *rq = &tp->requests[i];

		if (!rq->used || rq->what.attr_id != reply->header.attr_id ||
		    rq->what.attr_mod != reply->header.attr_mod)
			continue;
		if (reply->header.status & MAD_STATUS_BUSY) {
			rq->deadline_usec = now + QUERY_BUSY_USEC;
		} else {
			rq->used = false;
			(void)iou_reply(tp->walk, reply->mad, reply->len);
		}
		query_pump(w, tp, now);
		return;
	}
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/parse.h"
#include "fabric/sa.h"
#include "wire/offer.h"
#include "worker/discovery_state.h"
#include "worker/worker.h"

_Static_assert(SCAN_OFFERS_MAX == OFFERS_MAX, "what is found can be told");

/* Offers that change while a scan lasts are told no more often than this, and the longer the list
 * the less often. */
#define TELL_GAP_USEC (100 * USEC_PER_MSEC)
#define TELL_GAP_PER_OFFER_USEC 250

static bool same_offers(const struct discovery *d, const struct offer *offers, unsigned n,
			bool complete)
{
	if (!d->any_told || d->n_told != n || d->complete_told != complete)
		return false;
	for (unsigned i = 0; i < n; i++)
		if (!offer_equal(&d->told[i], &offers[i]))
			return false;
	return true;
}

void discovery_tell_offers(struct worker *w, uint64_t now)
{
	struct discovery *d = w->discovery;
	_cleanup_free_ struct offer *offers = NULL;
	bool complete;
	int n;

	d->revision = scan_revision(d->scan);
	d->tell_usec = now + TELL_GAP_USEC;
	if (!d->settings.enabled)
		return; /* what is known serves the probes alone */
	n = scan_offers(d->scan, now, &offers, &complete);
	if (n < 0) {
		log_error("%s: no memory for the offers; the next scan tells them", w->name);
		return;
	}
	d->tell_usec += (uint64_t)n * TELL_GAP_PER_OFFER_USEC;
	if (same_offers(d, offers, (unsigned)n, complete))
		return;
	for (unsigned i = 0; i < offers_parts(d->n_told); i++)
		outbox_forget(w->out, OUTBOX_OFFERS, i);
	free(d->told);
	d->told = TAKE_PTR(offers);
	d->n_told = (unsigned)n;
	d->complete_told = complete;
	d->any_told = true;
	d->generation++;
	for (unsigned i = 0; i < offers_parts(d->n_told); i++)
		outbox_put(w->out, OUTBOX_OFFERS, i,
			   offers_page(d->told, d->n_told, i, d->generation, complete));
}

bool discovery_has_notices(const struct discovery *d)
{
	return d->report_error == 0 && d->subscribe.running &&
	       subscribe_mask(&d->subscribe) == (1u << SUBSCRIBE_TRAPS) - 1;
}

uint64_t discovery_count_strange(const struct worker *w)
{
	const struct mad_stats *s = mad_port_stats(w->mad);

	return s->unmatched + s->malformed + s->oversized + w->discovery->foreign_reports;
}

void discovery_tell_scan(struct worker *w, struct scan_result *r)
{
	struct discovery *d = w->discovery;

	r->counts.malformed += discovery_count_strange(w) - d->strange;

	if (r->counts.malformed > 0)
		worker_problem(w, PROBLEM_MALFORMED,
			       "%s: replies on the fabric that cannot be read were dropped",
			       w->name);
	else
		worker_problem_over(w, PROBLEM_MALFORMED);
	outbox_put(w->out, OUTBOX_SCAN, 0,
		   scan_message(r, d->reason, d->generation, d->n_told, discovery_has_notices(d)));
	if (w->once)
		worker_end(w);
}

void discovery_tell_no_scan(struct worker *w)
{
	const struct port_status *s = port_status(w->port);
	struct scan_result r = { 0 };

	if (!w->mad)
		snprintf(r.why, sizeof(r.why), "%s has no ib_umad device: %s", w->name,
			 strerror(-w->mad_error));
	else if (!s->infiniband)
		snprintf(r.why, sizeof(r.why), "%s is an Ethernet port", w->name);
	else if (s->state != PORT_STATE_ACTIVE)
		snprintf(r.why, sizeof(r.why), "%s is %s", w->name, port_state_name(s->state));
	else if (w->discovery->class_error < 0)
		snprintf(r.why, sizeof(r.why), "%s cannot talk to the subnet administrator: %s",
			 w->name, strerror(-w->discovery->class_error));
	else
		snprintf(r.why, sizeof(r.why), "%s has no LID or no subnet manager", w->name);
	outbox_put(w->out, OUTBOX_SCAN, 0, scan_message(&r, REASON_START, 0, 0, false));
	worker_end(w);
}

void discovery_tell_subscription(struct worker *w)
{
	struct discovery *d = w->discovery;
	struct subscribe_trap trap;

	switch (subscribe_news(&d->subscribe, &trap)) {
	case SUBSCRIBE_NO_NEWS:
		break;
	case SUBSCRIBE_SUBSCRIBED:
		worker_problem_over(w, PROBLEM_SUBSCRIBE);
		break;
	case SUBSCRIBE_SILENT:
		worker_problem(w, PROBLEM_SUBSCRIBE,
			       "%s: the subnet administrator does not answer a subscription to "
			       "trap %u; it is asked again",
			       w->name, trap.trap);
		break;
	case SUBSCRIBE_REFUSED:
		worker_problem(w, PROBLEM_SUBSCRIBE,
			       "%s: the subnet administrator refuses a subscription to trap %u "
			       "(%s); it is asked again",
			       w->name, trap.trap, sa_status_text(trap.status));
		break;
	}
}

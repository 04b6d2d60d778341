/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fabric/scan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "fabric/bytes.h"
#include "fabric/sa.h"
#include "fabric/scan_state.h"

/* Targets. */

void scan_queue_target(struct scan *s, struct target *t)
{
	targets_enqueue(&s->targets, QUEUE_RECORDS, t);
	targets_enqueue(&s->targets, QUEUE_PEERS, t);
}

void scan_ask_target(struct scan *s, struct target *t, enum target_effort effort, uint64_t now)
{
	if (!t->asked)
		s->asking++;
	target_begin(t, effort, now);
	scan_queue_target(s, t);
}

void scan_settle_target(struct scan *s, struct target *t, uint64_t now)
{
	bool again = t->again;

	if (!t->asked || !target_over(t))
		return;
	s->asking--;
	target_end(t, now);
	s->revision++;
	t->again = false;
	if (!target_age(t, now, s->config.ageing_usec)) {
		targets_remove(&s->targets, t);
		return;
	}
	if (again)
		scan_ask_target(s, t, t->listed ? TARGET_READ : TARGET_VERIFY, now);
	else if (t->retry_usec < s->retry_usec)
		s->retry_usec = t->retry_usec;
}

/* The scan itself. */

struct scan *scan_new(const struct scan_config *config)
{
	_cleanup_(scan_freep) struct scan *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->census = census_new();
	if (!s->census)
		return NULL;
	s->retry_usec = USEC_INFINITY;
	scan_configure(s, config);
	return TAKE_PTR(s);
}

void scan_free(struct scan *s)
{
	if (!s)
		return;
	targets_clear(&s->targets);
	census_free(s->census);
	free(s);
}

void scan_configure(struct scan *s, const struct scan_config *config)
{
	s->config = *config;
	if (s->config.per_peer == 0)
		s->config.per_peer = 1;
	flights_configure(&s->flights, &config->flight);
}

static void stop_all(struct scan *s)
{
	flights_clear(&s->flights);
	census_reset(s->census);
	targets_dequeue_all(&s->targets);
	s->asking = 0;
	s->running = false;
	s->sa_silent = false;
	s->retry_usec = USEC_INFINITY;
	for (unsigned i = 0; i < s->targets.n; i++) {
		target_stop(s->targets.list[i]);
		target_doubt_paths(s->targets.list[i]);
		s->targets.list[i]->out = 0;
	}
}

int scan_set_port(struct scan *s, const struct ibport *port, bool again)
{
	struct mad_dest sa;

	if (!port || ibport_sm(port, &sa) < 0) {
		if (s->has_port)
			stop_all(s);
		s->has_port = false;
		return 0;
	}
	if (s->has_port && !again && (ibport_changes(&s->port, port) & ~IBPORT_STATE) == 0)
		return 0;
	stop_all(s);
	s->port = *port;
	s->sa = sa;
	for (unsigned i = 0; i < s->targets.n; i++) {
		int r = target_set_pkeys(s->targets.list[i], s->port.pkeys, s->port.n_pkeys);

		if (r < 0)
			return r;
	}
	s->has_port = true;
	s->revision++;
	return 0;
}

static struct scan_counts counts_of(const struct scan *s)
{
	return (struct scan_counts){
		.sent = s->flights.sent,
		.timeouts = s->flights.given_up,
		.malformed = s->malformed + census_counts(s->census)->malformed,
		.late = s->late,
	};
}

bool scan_start(struct scan *s, bool fresh, uint64_t now)
{
	if (!s->has_port || s->running)
		return false;
	s->running = true;
	s->fresh = fresh;
	s->verified = false;
	s->sa_silent = false;
	s->number++;
	s->started_usec = now;
	s->dropped = 0;
	s->before = counts_of(s);
	s->ended = false;
	census_begin(s->census);
	return true;
}

bool scan_running(const struct scan *s)
{
	return s->running;
}

int scan_inquire(struct scan *s, uint16_t lid, const uint8_t gid[static 16])
{
	if (!s->has_port)
		return -ENOTCONN;
	s->sa_silent = false;
	return census_inquire(s->census, lid, gid, s->port.gid, false);
}

int scan_inquire_capable(struct scan *s, uint16_t lid, uint32_t cap_mask, uint64_t now)
{
	static const uint8_t no_gid[16];
	struct target *t;

	if (!s->has_port)
		return -ENOTCONN;
	s->sa_silent = false;
	if (cap_mask & PORT_CAP_DEVICE_MANAGEMENT)
		return census_inquire(s->census, lid, no_gid, s->port.gid, true);
	t = targets_find_lid(&s->targets, lid);
	if (!t)
		return 0;
	target_gone(t);
	if (!t->asked)
		scan_ask_target(s, t, TARGET_VERIFY, now); /* nothing: that settles it */
	scan_settle_target(s, t, now);
	return 0;
}

/* What the census found. */

static void found_present(struct scan *s, const struct census_port *port, uint64_t now)
{
	uint64_t guid = get64(port->gid + 8);
	struct target *t = targets_find(&s->targets, guid);
	bool moved;

	if (!t)
		t = targets_add(&s->targets, guid, s->port.pkeys, s->port.n_pkeys);
	if (!t) {
		s->dropped++;
		return;
	}
	moved = t->lid != port->lid;
	memcpy(t->gid, port->gid, sizeof(t->gid));
	memcpy(t->description, port->description, sizeof(t->description));
	t->lid = port->lid;
	t->listed = true;
	t->gone = false;
	t->unlisted_usec = 0;
	t->census = s->number;
	/* One that is being asked already need not be asked for the scan. */
	if (!t->asked || moved || port->inquired)
		scan_ask_target(s, t, port->inquired || s->fresh ? TARGET_READ : TARGET_RENEW, now);
}

static void found_absent(struct scan *s, const struct census_port *port, uint64_t now)
{
	struct target *t = port->has_gid ? targets_find(&s->targets, get64(port->gid + 8))
					 : targets_find_lid(&s->targets, port->lid);

	if (!t)
		return;
	t->listed = false;
	scan_ask_target(s, t, TARGET_VERIFY, now);
	scan_settle_target(s, t, now); /* there may be nothing to ask */
}

void scan_take_findings(struct scan *s, uint64_t now)
{
	struct census_port port;

	while (census_found(s->census, &port))
		switch (port.finding) {
		case CENSUS_PRESENT:
			found_present(s, &port, now);
			break;
		case CENSUS_ABSENT:
			found_absent(s, &port, now);
			break;
		case CENSUS_UNKNOWN:
			break;
		}
}

/* Those the census does not list any more: do they answer? */
static void verify_unlisted(struct scan *s, uint64_t now)
{
	for (unsigned i = 0; i < s->targets.n;) {
		struct target *t = s->targets.list[i];
		uint64_t guid = t->guid;

		if (t->census != s->number && (!t->asked || t->listed)) {
			t->listed = false;
			scan_ask_target(s, t, TARGET_VERIFY, now);
			scan_settle_target(s, t, now);
		}
		if (i < s->targets.n && s->targets.list[i]->guid == guid)
			i++;
	}
}

/* The end of a scan. */

static void explain_result(const struct scan *s, struct scan_result *r, unsigned doubtful)
{
	switch (census_state(s->census)) {
	case CENSUS_FAILED:
		snprintf(r->why, sizeof(r->why), "%s", census_why(s->census));
		return;
	case CENSUS_IDLE:
	case CENSUS_RUNNING:
	case CENSUS_COMPLETE:
		break;
	}
	if (r->dropped > 0)
		snprintf(r->why, sizeof(r->why), "%u end ports or offers more than can be kept",
			 r->dropped);
	else if (doubtful > 0)
		snprintf(r->why, sizeof(r->why), "%u of %u target ports did not answer", doubtful,
			 r->targets);
}

static unsigned count_doubtful(const struct scan *s, uint64_t now)
{
	unsigned n = 0;

	for (unsigned i = 0; i < s->targets.n; i++)
		n += target_doubtful(s->targets.list[i], now, s->config.ageing_usec);
	return n;
}

static unsigned count_offers(const struct scan *s)
{
	unsigned n = 0, all = 0;

	for (unsigned i = 0; i < s->targets.n; i++)
		all += target_offers(s->targets.list[i], NULL, 0, &n);
	return all;
}

static void end_scan(struct scan *s, uint64_t now)
{
	const struct census_counts *c = census_counts(s->census);
	struct scan_counts all = counts_of(s);
	struct scan_result *r = &s->result;
	unsigned offers = count_offers(s), doubtful = count_doubtful(s, now);

	*r = (struct scan_result){
		.elapsed_usec = now - s->started_usec,
		.nodes = c->nodes,
		.targets = c->ports,
		.dropped = c->dropped + s->dropped,
		.counts = { all.sent - s->before.sent, all.timeouts - s->before.timeouts,
			    all.malformed - s->before.malformed, all.late - s->before.late },
	};
	for (unsigned i = 0; i < s->targets.n; i++)
		r->silent += s->targets.list[i]->listed && !s->targets.list[i]->answered;
	s->listed = census_state(s->census) == CENSUS_COMPLETE && r->dropped == 0;
	if (offers > SCAN_OFFERS_MAX)
		r->dropped += offers - SCAN_OFFERS_MAX;
	r->listed = census_state(s->census) == CENSUS_COMPLETE;
	r->complete = s->listed && r->dropped == 0 && doubtful == 0;
	explain_result(s, r, doubtful);
	s->running = false;
	s->ended = true;
	s->revision++;
}

void scan_check_end(struct scan *s, uint64_t now)
{
	if (!s->running || census_state(s->census) == CENSUS_RUNNING)
		return;
	scan_take_findings(s, now);
	if (s->asking > 0)
		return;
	if (census_state(s->census) == CENSUS_COMPLETE && !s->verified && s->dropped == 0 &&
	    census_counts(s->census)->dropped == 0) {
		s->verified = true;
		verify_unlisted(s, now);
		if (s->asking > 0)
			return;
	}
	end_scan(s, now);
}

bool scan_ended(struct scan *s, struct scan_result *ret)
{
	if (!s->ended)
		return false;
	s->ended = false;
	*ret = s->result;
	return true;
}

uint64_t scan_revision(const struct scan *s)
{
	return s->revision;
}

bool scan_settled(const struct scan *s)
{
	return !s->running && s->asking == 0 && census_idle(s->census);
}

static int compare_offers(const void *a, const void *b)
{
	return offer_compare(a, b);
}

int scan_offers(const struct scan *s, uint64_t now, struct offer **ret, bool *ret_complete)
{
	unsigned all = count_offers(s), n = 0, dropped = 0;
	unsigned max = all < SCAN_OFFERS_MAX ? all : SCAN_OFFERS_MAX;
	struct offer *list = calloc(max + 1, sizeof(*list));

	if (!list)
		return -ENOMEM;
	for (unsigned i = 0; i < s->targets.n; i++)
		dropped += target_offers(s->targets.list[i], list, max, &n);
	qsort(list, n, sizeof(*list), compare_offers);
	*ret = list;
	*ret_complete = s->listed && dropped == 0 && count_doubtful(s, now) == 0;
	return (int)n;
}

bool scan_route(const struct scan *s, const uint8_t gid[static 16], uint16_t pkey,
		struct mad_dest *ret)
{
	const struct target *t = targets_find(&s->targets, get64(gid + 8));

	return t && memcmp(t->gid, gid, sizeof(t->gid)) == 0 && target_route(t, pkey, ret);
}

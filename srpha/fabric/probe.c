/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fabric/probe.h"

#include <string.h>

#include "base/parse.h"

static uint64_t clamp_u64(uint64_t v, uint64_t lo, uint64_t hi)
{
	return v < lo ? lo : v > hi ? hi : v;
}

static uint64_t max_u64(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* From the sending of one probe to the next, when nothing decides it earlier. */
static uint64_t probe_cadence(const struct probe *p, uint64_t now)
{
	uint64_t silence = p->silent_usec && now > p->silent_usec ? now - p->silent_usec : 0;
	uint64_t interval = p->config.interval_usec;

	switch (p->state) {
	case PROBE_NEW:
		if (!p->fast)
			return clamp_u64(silence / 8, interval,
					 max_u64(interval, PROBE_NEW_SLOW_USEC));
		return clamp_u64(silence / PROBE_CLOSE_DIVISOR, PROBE_FAST_USEC, PROBE_SLOW_USEC);
	case PROBE_DEAD:
		return clamp_u64(silence / (p->fast ? PROBE_CLOSE_DIVISOR : PROBE_DEAD_DIVISOR),
				 PROBE_FAST_USEC, PROBE_SLOW_USEC);
	case PROBE_ALIVE:
	case PROBE_SUSPECT:
		break;
	}
	return p->fast ? min_u64(interval, PROBE_FAST_USEC) : interval;
}

/* In these states the next probe does not wait for the decision about the last one. */
static bool probe_overlaps(const struct probe *p)
{
	return p->state == PROBE_NEW || p->state == PROBE_DEAD;
}

void probe_init(struct probe *p, const struct probe_config *config)
{
	*p = (struct probe){
		.state = PROBE_NEW,
		.paused = true,
		.announce = true,
		.next_usec = USEC_INFINITY,
	};
	probe_configure(p, config);
}

void probe_configure(struct probe *p, const struct probe_config *config)
{
	p->config = *config;
	if (p->config.misses == 0)
		p->config.misses = 1;
	if (p->config.interval_usec == 0)
		p->config.interval_usec = 1;
	/* A shorter interval counts from now, not after the old one. */
	if (!p->paused && p->n_pending == 0)
		p->next_usec = min_u64(p->next_usec, p->sent_usec + p->config.interval_usec);
}

void probe_expect(struct probe *p)
{
	if (p->state == PROBE_NEW)
		p->state = PROBE_ALIVE;
}

void probe_pause(struct probe *p)
{
	p->paused = true;
	p->n_pending = 0;
	p->next_usec = USEC_INFINITY;
	p->misses = 0;
	p->extensions = 0;
	p->silent_usec = 0;
	if (p->state != PROBE_NEW)
		p->state = PROBE_DEAD;
}

void probe_resume(struct probe *p, uint64_t now)
{
	if (!p->paused)
		return;
	p->paused = false;
	p->next_usec = now;
}

void probe_set_fast(struct probe *p, bool fast, uint64_t now)
{
	p->fast = fast;
	if (!fast)
		return;
	p->announce = true;
	p->announce_usec = now;
	if (p->paused)
		return;
	if (p->n_pending == 0 || probe_overlaps(p))
		p->next_usec = min_u64(p->next_usec, max_u64(now, p->sent_usec + PROBE_FAST_USEC));
}

void probe_hint(struct probe *p, uint64_t now)
{
	if (!p->paused && probe_overlaps(p))
		p->next_usec = min_u64(p->next_usec, now);
}

uint64_t probe_due(const struct probe *p)
{
	if (p->n_pending > 0)
		return min_u64(p->pending[0].deadline_usec, p->next_usec);
	return p->next_usec;
}

uint64_t probe_timeout(const struct probe *p)
{
	return p->config.timeout_usec ? p->config.timeout_usec : rtt_timeout(&p->rtt);
}

static void drop_oldest(struct probe *p)
{
	p->n_pending--;
	memmove(&p->pending[0], &p->pending[1], p->n_pending * sizeof(p->pending[0]));
}

/* Whether the verdict needs another probe than those that are pending. */
static bool verdict_needs_more(const struct probe *p)
{
	return p->misses % p->config.misses + p->n_pending < p->config.misses;
}

/* The oldest pending probe counts as missed. */
static void probe_miss(struct probe *p, uint64_t now, struct probe_report *report)
{
	drop_oldest(p);
	if (p->state == PROBE_NEW)
		return;
	p->n_missed++;
	p->misses++;
	if (p->misses % p->config.misses == 0) {
		report->result = PROBE_DIED;
		if (p->state != PROBE_DEAD) {
			p->state = PROBE_DEAD;
			p->next_usec = max_u64(now, p->sent_usec + probe_cadence(p, now));
		}
	} else if (p->state != PROBE_DEAD) {
		report->result = report->result == PROBE_DIED ? PROBE_DIED : PROBE_MISSED;
		if (p->state == PROBE_ALIVE)
			p->next_usec = verdict_needs_more(p) ? now : USEC_INFINITY;
		p->state = PROBE_SUSPECT;
	}
	report->misses = p->misses;
	report->elapsed_usec = now - p->silent_usec;
}

/* Whether a deadline that we come to late deserves another wait rather than a miss. */
static bool probe_was_stalled(struct probe *p, uint64_t now)
{
	uint64_t late = now - p->pending[0].deadline_usec, timeout = probe_timeout(p);

	if (late <= PROBE_LATE_USEC || p->extensions >= (late > timeout ? 3 : 1))
		return false;
	p->extensions++;
	for (unsigned i = 0; i < p->n_pending; i++)
		p->pending[i].deadline_usec = max_u64(p->pending[i].deadline_usec, now + timeout);
	return true;
}

static void probe_send(struct probe *p, uint64_t now)
{
	uint64_t timeout = probe_timeout(p), deadline = now + timeout;

	if (p->silent_usec == 0)
		p->silent_usec = now;
	/* In the order of sending, also when the timeout has just become shorter. */
	if (p->n_pending > 0)
		deadline = max_u64(deadline, p->pending[p->n_pending - 1].deadline_usec);
	p->pending[p->n_pending].sent_usec = now;
	p->pending[p->n_pending].deadline_usec = deadline;
	p->n_pending++;
	p->sent_usec = now;
	p->n_sent++;
	if (probe_overlaps(p))
		p->next_usec = now + probe_cadence(p, now);
	else if (p->state == PROBE_SUSPECT && verdict_needs_more(p))
		p->next_usec = now + timeout / 2;
	else
		p->next_usec = USEC_INFINITY;
}

bool probe_tick(struct probe *p, uint64_t now, struct probe_report *report)
{
	*report = (struct probe_report){ .result = PROBE_NOTHING };
	if (p->paused)
		return false;
	while (p->n_pending > 0 && now >= p->pending[0].deadline_usec)
		if (!probe_was_stalled(p, now))
			probe_miss(p, now, report);
	if (now < p->next_usec)
		return false;
	if (p->n_pending == PROBE_PENDING_MAX)
		probe_miss(p, now, report);
	probe_send(p, now);
	return true;
}

void probe_delayed(struct probe *p, uint64_t now)
{
	if (p->n_pending == 0)
		return;
	p->sent_usec = now;
	p->pending[p->n_pending - 1].sent_usec = now;
	p->pending[p->n_pending - 1].deadline_usec = now + probe_timeout(p);
}

void probe_answer(struct probe *p, uint64_t sent_usec, uint64_t now, bool good,
		  struct probe_report *report)
{
	uint64_t trip = now > sent_usec ? now - sent_usec : 0;
	bool was_silent = p->misses > 0 || p->state == PROBE_DEAD || p->state == PROBE_NEW;

	*report = (struct probe_report){ .result = PROBE_NOTHING };
	if (p->paused || (!good && probe_overlaps(p)))
		return;
	/* What ends an outage also waited for neighbours to be found again: no sample. */
	if (p->state != PROBE_DEAD || trip <= probe_timeout(p))
		rtt_sample(&p->rtt, trip);
	p->n_answered++;
	p->misses = 0;
	p->extensions = 0;
	p->state = PROBE_ALIVE;
	/* It lived when this one was sent: nothing older is worth waiting for. */
	while (p->n_pending > 0 && p->pending[0].sent_usec <= sent_usec)
		drop_oldest(p);
	if (p->n_pending > 0) {
		p->silent_usec = p->pending[0].sent_usec;
		p->next_usec = USEC_INFINITY;
	} else {
		p->silent_usec = 0;
		p->next_usec = max_u64(now, p->sent_usec + probe_cadence(p, now));
	}
	if (was_silent || (p->announce && sent_usec >= p->announce_usec)) {
		report->result = PROBE_ANSWERED;
		report->elapsed_usec = trip;
		p->announce = p->announce && sent_usec < p->announce_usec;
	}
}

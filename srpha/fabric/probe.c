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
		return clamp_u64(silence / 64, PROBE_FAST_USEC, PROBE_SLOW_USEC);
	case PROBE_DEAD:
		return clamp_u64(silence / 64, PROBE_FAST_USEC, PROBE_SLOW_USEC);
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
	if (!p->paused && !p->waiting && p->next_usec != USEC_INFINITY)
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
	p->waiting = false;
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
	if (!fast || p->paused)
		return;
	if (!p->waiting || probe_overlaps(p))
		p->next_usec = min_u64(p->next_usec, max_u64(now, p->sent_usec + PROBE_FAST_USEC));
}

void probe_hint(struct probe *p, uint64_t now)
{
	if (!p->paused && probe_overlaps(p))
		p->next_usec = min_u64(p->next_usec, now);
}

uint64_t probe_due(const struct probe *p)
{
	if (p->paused)
		return USEC_INFINITY;
	return p->waiting ? min_u64(p->deadline_usec, p->next_usec) : p->next_usec;
}

uint64_t probe_timeout(const struct probe *p)
{
	return p->config.timeout_usec ? p->config.timeout_usec : rtt_timeout(&p->rtt);
}

static void probe_miss(struct probe *p, uint64_t now, struct probe_report *report)
{
	p->waiting = false;
	if (p->state == PROBE_NEW)
		return;
	p->n_missed++;
	p->misses++;
	report->misses = p->misses;
	report->elapsed_usec = now - p->silent_usec;
	if (p->misses % p->config.misses == 0) {
		p->state = PROBE_DEAD;
		report->result = PROBE_DIED;
	} else if (p->state != PROBE_DEAD) {
		p->state = PROBE_SUSPECT;
		report->result = PROBE_MISSED;
	}
	p->next_usec =
		p->state == PROBE_DEAD ? max_u64(now, p->sent_usec + probe_cadence(p, now)) : now;
}

/* Whether a deadline that we come to late deserves another wait rather than a miss. */
static bool probe_was_stalled(struct probe *p, uint64_t now)
{
	uint64_t late = now - p->deadline_usec, timeout = probe_timeout(p);

	if (late <= PROBE_LATE_USEC || p->extensions >= (late > timeout ? 3 : 1))
		return false;
	p->extensions++;
	p->deadline_usec = now + timeout;
	return true;
}

bool probe_tick(struct probe *p, uint64_t now, struct probe_report *report)
{
	*report = (struct probe_report){ .result = PROBE_NOTHING };
	if (p->paused)
		return false;
	if (p->waiting && now >= p->deadline_usec) {
		if (probe_was_stalled(p, now))
			return false;
		probe_miss(p, now, report);
	}
	if (now < p->next_usec)
		return false;
	if (p->waiting) /* overlapping: the next one is due before the deadline of the last */
		probe_miss(p, now, report);

	if (p->silent_usec == 0)
		p->silent_usec = now;
	p->sent_usec = now;
	p->deadline_usec = now + probe_timeout(p);
	p->waiting = true;
	p->n_sent++;
	p->next_usec = probe_overlaps(p) ? now + probe_cadence(p, now) : USEC_INFINITY;
	return true;
}

void probe_delayed(struct probe *p, uint64_t now)
{
	if (!p->waiting)
		return;
	p->sent_usec = now;
	p->deadline_usec = now + probe_timeout(p);
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
	if (p->waiting && sent_usec < p->sent_usec) {
		/* A late one: the newest is still to be decided, its silence begins with itself. */
		p->silent_usec = p->sent_usec;
		p->next_usec = USEC_INFINITY;
	} else {
		p->waiting = false;
		p->silent_usec = 0;
		p->next_usec = max_u64(now, p->sent_usec + probe_cadence(p, now));
	}
	if (was_silent || p->announce) {
		report->result = PROBE_ANSWERED;
		report->elapsed_usec = trip;
	}
	p->announce = false;
}

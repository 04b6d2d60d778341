/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fabric/flight.h"

#include "base/parse.h"

/* Handles: slot and generation; 22 bits of generation are hours at any rate there is. */
#define GENERATION_MAX (UINT32_MAX / FLIGHTS_MAX - 1)

static uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t max_u64(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

void flights_configure(struct flights *f, const struct flight_config *config)
{
	struct flight_config c = *config;

	c.window = (unsigned)min_u64(max_u64(c.window, 1), FLIGHT_WINDOW_MAX);
	c.retries = (unsigned)min_u64(c.retries, FLIGHT_RETRIES_MAX);
	c.timeout_usec = max_u64(c.timeout_usec, USEC_PER_MSEC);
	f->config = c;
}

void flights_clear(struct flights *f)
{
	for (unsigned i = 0; i < f->top; i++)
		f->slots[i].handle = 0;
	f->used = 0;
	f->top = 0;
}

/* Half of the window, so that target ports are asked while paths are; but some, in any case. */
static unsigned sa_window(const struct flights *f)
{
	unsigned half = f->config.window / 2;

	return half < 4 ? (f->config.window < 4 ? f->config.window : 4) : half;
}

bool flights_room(const struct flights *f, enum flight_lane lane)
{
	unsigned all = 0, sa = 0;

	if (f->used == FLIGHTS_MAX)
		return false;
	for (unsigned i = 0; i < f->top; i++) {
		const struct flight *fl = &f->slots[i];

		if (fl->handle == 0)
			continue;
		sa += fl->lane != FLIGHT_PEER;
		/* Neither sent again nor waiting for a busy peer. */
		all += fl->lane != FLIGHT_PEER || fl->tries == 1;
	}
	return all < f->config.window && (lane == FLIGHT_PEER || sa < sa_window(f));
}

/* Until the first repeat. */
static uint64_t base_of(const struct flights *f, enum flight_lane lane)
{
	const struct rtt *rtt = lane == FLIGHT_PEER ? &f->peers : &f->sa;
	uint64_t timeout = f->config.timeout_usec;
	uint64_t even = timeout / ((UINT64_C(2) << f->config.retries) - 1);

	if (lane == FLIGHT_TABLE)
		return max_u64(timeout / 4, 1);
	if (rtt->samples > 0)
		even = rtt->srtt_usec + 4 * rtt->rttvar_usec;
	return min_u64(max_u64(even, FLIGHT_BASE_MIN_USEC), timeout);
}

static void wait_for_answer(const struct flights *f, struct flight *fl, uint64_t now)
{
	if (fl->tries > f->config.retries)
		fl->next_usec = fl->expire_usec;
	else
		fl->next_usec = min_u64(now + fl->step_usec, fl->expire_usec);
	fl->step_usec *= 2;
}

struct flight *flight_begin(struct flights *f, enum flight_lane lane, uint64_t now)
{
	uint64_t patience = lane == FLIGHT_TABLE ? FLIGHT_PATIENCE : 1;
	unsigned slot = 0;
	struct flight *fl;

	while (f->slots[slot].handle != 0) /* flights_room() has seen to it that there is one */
		slot++;
	fl = &f->slots[slot];
	f->generation = f->generation % GENERATION_MAX + 1;
	f->used++;
	if (slot >= f->top)
		f->top = slot + 1;
	*fl = (struct flight){
		.handle = f->generation * FLIGHTS_MAX + slot,
		.lane = lane,
		.tries = 1,
		.begun_usec = now,
		.expire_usec = now + patience * f->config.timeout_usec,
		.step_usec = base_of(f, lane),
	};
	wait_for_answer(f, fl, now);
	f->sent++;
	return fl;
}

struct flight *flight_find(struct flights *f, uint32_t handle)
{
	struct flight *fl = &f->slots[handle % FLIGHTS_MAX];

	return handle != 0 && fl->handle == handle ? fl : NULL;
}

void flight_end(struct flights *f, struct flight *fl)
{
	if (fl->handle == 0)
		return;
	fl->handle = 0;
	f->used--;
	while (f->top > 0 && f->slots[f->top - 1].handle == 0)
		f->top--;
}

void flight_sample(struct flights *f, const struct flight *fl, uint64_t trip_usec)
{
	if (fl->lane != FLIGHT_TABLE)
		rtt_sample(fl->lane == FLIGHT_PEER ? &f->peers : &f->sa, trip_usec);
}

bool flight_busy(struct flights *f, struct flight *fl, uint64_t now)
{
	uint64_t end = fl->begun_usec + FLIGHT_PATIENCE * f->config.timeout_usec;
	uint64_t wait = FLIGHT_BUSY_USEC << fl->busies;

	if (now + wait >= end)
		return false;
	if (fl->busies < 5)
		fl->busies++;
	/* It is there: its silence counts from the next try, with all repeats. */
	fl->tries = 0;
	fl->step_usec = base_of(f, fl->lane);
	fl->next_usec = now + wait;
	fl->expire_usec = min_u64(fl->next_usec + f->config.timeout_usec, end);
	return true;
}

bool flight_redirect(struct flights *f, struct flight *fl, uint64_t now)
{
	if (fl->redirects == FLIGHT_REDIRECTS_MAX)
		return false;
	fl->redirects++;
	fl->tries = 0;
	fl->step_usec = base_of(f, fl->lane);
	fl->next_usec = now;
	return true;
}

struct flight *flights_repeat(struct flights *f, uint64_t now)
{
	for (unsigned i = 0; i < f->top; i++) {
		struct flight *fl = &f->slots[i];

		if (fl->handle == 0 || now < fl->next_usec || now >= fl->expire_usec)
			continue;
		fl->tries++;
		wait_for_answer(f, fl, now);
		f->sent++;
		f->repeated++;
		return fl;
	}
	return NULL;
}

struct flight *flights_expired(struct flights *f, uint64_t now)
{
	for (unsigned i = 0; i < f->top; i++) {
		struct flight *fl = &f->slots[i];

		if (fl->handle == 0 || now < fl->expire_usec)
			continue;
		f->given_up++;
		return fl;
	}
	return NULL;
}

uint64_t flights_due(const struct flights *f)
{
	uint64_t due = USEC_INFINITY;

	for (unsigned i = 0; i < f->top; i++)
		if (f->slots[i].handle != 0)
			due = min_u64(due, f->slots[i].next_usec);
	return due;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "reconcile/plan.h"

#include "base/parse.h"

/*
 * A connection that survived its outage resumes by itself, at its next retransmission; only one
 * whose I/O is stuck for so long after the return is reset.
 */
#define RESUME_USEC USEC_PER_SEC

bool path_returnable(const struct path_facts *f)
{
	return f->port_up && f->probe != PROBE_SILENT;
}

static struct plan_step nothing(uint64_t wake_at)
{
	return (struct plan_step){ .action = PLAN_NOTHING, .wake_at_usec = wake_at };
}

static struct plan_step act(enum plan_action action)
{
	return (struct plan_step){ .action = action, .wake_at_usec = USEC_INFINITY };
}

static struct plan_step plan_wanted(const struct path_facts *f, uint64_t now)
{
	if (!f->desired || !f->managed || f->session)
		return nothing(USEC_INFINITY);
	if (!path_returnable(f) || !f->identity)
		return nothing(USEC_INFINITY);
	if (now < f->retry_at_usec)
		return nothing(f->retry_at_usec);
	if (f->login_slot)
		return act(PLAN_LOGIN);
	if (f->probe != PROBE_ANSWERING || f->login_yields_at_usec == USEC_INFINITY)
		return nothing(USEC_INFINITY);
	return now < f->login_yields_at_usec ? nothing(f->login_yields_at_usec)
					     : act(PLAN_INTERRUPT_LOGIN);
}

static struct plan_step plan_rejoin(const struct path_facts *f, bool reconnect, uint64_t now)
{
	struct plan_step step = act(PLAN_REJOIN);

	if (now < f->retry_at_usec)
		return nothing(f->retry_at_usec);
	step.reconnect = reconnect;
	return step;
}

static struct plan_step plan_return(const struct path_facts *f, uint64_t now)
{
	bool running = f->rport == RPORT_RUNNING;
	struct plan_step step;

	if (running && f->io_stuck && now < f->returnable_since_usec + RESUME_USEC)
		return nothing(f->returnable_since_usec + RESUME_USEC);
	step = plan_rejoin(f, !running || f->io_stuck, now);
	step.force = step.action == PLAN_REJOIN && running && f->io_stuck;
	return step;
}

static struct plan_step plan_failing(const struct path_facts *f, uint64_t now)
{
	bool transport_off = f->rport == RPORT_FAIL_FAST || f->rport == RPORT_LOST;
	struct plan_step step;

	/* Off, one way or the other: the transport failed its I/O, or the reset gave it back. */
	if (!f->dm_active && (transport_off || (f->off && f->rport != RPORT_BLOCKED)))
		return act(PLAN_CONFIRM_FAILED);
	/* Kept as the last path, or blocked until fast_io_fail_tmo: its return ends that sooner. */
	if ((f->guarded || f->off) && path_returnable(f))
		return plan_return(f, now);
	if (f->guarded && !f->dm_active)
		return nothing(USEC_INFINITY);
	/* The reset met a blocked transport: only fast_io_fail_tmo can move it on. */
	if (f->off && !f->dm_active && !f->guarded)
		return nothing(USEC_INFINITY);
	if (now < f->retry_at_usec)
		return nothing(f->retry_at_usec);
	step = act(PLAN_FAIL);
	step.reset = !f->guarded && !transport_off;
	return step;
}

static struct plan_step plan_down(const struct path_facts *f, uint64_t now)
{
	if (!f->session)
		return act(PLAN_RELOGIN);
	/* Better a flapping path than none. */
	if (f->hold_failures > 0 && f->recent_failures >= f->hold_failures && !f->guarded)
		return act(PLAN_HOLD);
	if (f->rport == RPORT_LOST || !f->port_up)
		return nothing(USEC_INFINITY);
	/* A transport that the kernel reconnected is better evidence than a management agent. */
	if (f->probe == PROBE_SILENT && f->rport != RPORT_RUNNING)
		return nothing(USEC_INFINITY);
	return plan_rejoin(f, f->rport != RPORT_RUNNING, now);
}

static struct plan_step plan_held(const struct path_facts *f, uint64_t now)
{
	uint64_t stable_at;

	if (f->guarded && path_returnable(f))
		return act(PLAN_RELEASE);
	/* The kernel reconnected it and multipathd took it in: held is held. */
	if (f->dm_active && !f->guarded)
		return now < f->retry_at_usec ? nothing(f->retry_at_usec) : act(PLAN_FAIL);
	if (f->returnable_since_usec == USEC_INFINITY)
		return nothing(USEC_INFINITY);
	stable_at = f->returnable_since_usec + f->hold_time_usec;
	return now < stable_at ? nothing(stable_at) : act(PLAN_RELEASE);
}

static struct plan_step plan_up(const struct path_facts *f, uint64_t now)
{
	if (!f->timeouts_differ)
		return nothing(USEC_INFINITY);
	return now < f->retry_at_usec ? nothing(f->retry_at_usec) : act(PLAN_SET_TIMEOUTS);
}

static struct plan_step plan_drained(const struct path_facts *f, uint64_t now)
{
	if (!f->session || !f->dm_active || f->guarded)
		return nothing(USEC_INFINITY);
	return now < f->retry_at_usec ? nothing(f->retry_at_usec) : act(PLAN_FAIL);
}

struct plan_step plan_path(const struct path_facts *f, uint64_t now_usec)
{
	if (f->actor_busy || !f->managed)
		return nothing(USEC_INFINITY);
	switch (f->state) {
	case PATH_WANTED:
		return plan_wanted(f, now_usec);
	case PATH_UP:
	case PATH_SUSPECT:
		return plan_up(f, now_usec);
	case PATH_FAILING:
		return plan_failing(f, now_usec);
	case PATH_DOWN:
		return plan_down(f, now_usec);
	case PATH_HELD:
		return plan_held(f, now_usec);
	case PATH_DRAINED:
		return plan_drained(f, now_usec);
	case PATH_ABSENT:
	case PATH_CONNECTING:
	case PATH_REJOINING:
	case PATH_LEAVING:
	case PATH_STATE_COUNT:
		break;
	}
	return nothing(USEC_INFINITY);
}

uint64_t backoff_usec(unsigned attempts, uint64_t base, uint64_t cap, unsigned spread)
{
	uint64_t delay = base;

	while (attempts-- > 0 && delay < cap)
		delay *= 2;
	if (delay > cap)
		delay = cap;
	return delay + delay / 10 * (spread % 1000) / 1000;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When to interrupt a host reset. The reset first blocks every SCSI device of the host, which takes
 * a grace period of the kernel each; then it resolves the portal's address and makes a new queue
 * pair, both local and quick (actor/reap.h says why they should not fail); then it waits for a login
 * that nobody answers, and that is to be cut short:
 *
 *   fail action --> blocking ... all blocked --> address, queue pair --> login ............
 *                                     |<------ RESOLVE_USEC ------>| SIGALRM, again every 10 ms
 *
 * How long the blocking takes cannot be known (SCSI devices, kernel version, load), but the devices'
 * state can be seen. The actor's own alarm is the fallback.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/root.h"
#include "supervisor/actor.h"
#include "supervisor/child.h"
#include "supervisor/path.h"

#define LOOK_USEC (4 * USEC_PER_MSEC)
#define RESOLVE_USEC (30 * USEC_PER_MSEC)
#define AGAIN_USEC (10 * USEC_PER_MSEC)

/* Of many devices some are looked at, the last one among them: they are blocked in turn. */
#define SAMPLES_MAX 8

static bool device_blocked(int root_fd, const char *hctl)
{
	char state[32];

	/* One that is gone has nothing to be waited for. */
	return root_readf(root_fd, state, sizeof(state), "sys/class/scsi_device/%s/device/state",
			  hctl) < 0 ||
	       strcmp(state, "running") != 0;
}

static bool all_blocked(struct manager *m, const struct srp_session *s)
{
	unsigned step = s->n_luns / SAMPLES_MAX + 1;

	for (unsigned i = 0; i < s->n_luns; i += step)
		if (!device_blocked(m->root_fd, s->luns[s->n_luns - 1 - i].hctl))
			return false;
	return true;
}

static int on_look(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct actor *a = userdata;
	struct manager *m = a->manager;
	struct path *p = path_find(m, a->path);
	const struct srp_session *s = p ? path_session(m, p) : NULL;
	uint64_t now = 0, next = LOOK_USEC;

	(void)sd_event_now(m->event, CLOCK_MONOTONIC, &now);
	if (a->blocked_usec == 0 && (!s || all_blocked(m, s)))
		a->blocked_usec = now;
	if (a->blocked_usec != 0 && now >= a->blocked_usec + RESOLVE_USEC) {
		child_signal(a->child, SIGALRM);
		next = AGAIN_USEC;
	}
	(void)sd_event_source_set_time(source, now + next);
	return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

void interrupt_start(struct manager *m, struct actor *a)
{
	if (sd_event_add_time_relative(m->event, &a->interrupt, CLOCK_MONOTONIC, LOOK_USEC,
				       USEC_PER_MSEC, on_look, a) >= 0)
		(void)sd_event_source_set_priority(a->interrupt, PRIORITY_ACTOR);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What to do next for one path: a pure function of its state and of the facts seen about it. The
 * supervisor gathers the facts, calls plan_path() after each burst of events and carries out the
 * step through an actor. Nothing here looks at the system or at a clock.
 *
 *   failing   last path?  --yes-->  nothing; until another path is usable or this one returns:
 *                                   then REJOIN, a reset only where its I/O stays stuck
 *                         --no--->  FAIL: dm fail_path everywhere, host reset interrupted
 *                                   seen off (maps failed, transport not running) -> CONFIRM_FAILED
 *   down      port up and (probe answers or cannot be asked) -> REJOIN
 *   held      the same, unbroken for hold_time -> RELEASE
 *   wanted    port up, identity known, login slot of the port free -> LOGIN
 *             slot taken by a login that nobody answers, while this target does -> INTERRUPT_LOGIN
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "model/path_state.h"
#include "observe/srp.h"

enum probe_view {
	PROBE_UNKNOWN, /* never answered, or cannot be asked: says nothing either way */
	PROBE_ANSWERING,
	PROBE_SILENT, /* answered once and does not now; or the port went down since */
};

struct path_facts {
	enum path_state state;
	bool managed; /* ours or configured; a foreign one is only watched */
	bool desired;
	bool port_up;
	enum probe_view probe;
	bool identity;	 /* id_ext, ioc_guid and initiator_ext are known */
	bool login_slot; /* no other login runs on this HCA port: the kernel takes one at a time */
	/* When the one that runs may be cut short for a target that answers, as its own does not;
	 * USEC_INFINITY: not at all. */
	uint64_t login_yields_at_usec;
	bool actor_busy; /* an actor works on this path */
	bool session;
	enum rport_state rport;
	bool io_stuck; /* commands are in flight and none completed since it is returnable */
	bool guarded; /* failing it would take the last usable path of a map, and policy keeps it */
	bool off;     /* the fail action reported success since the path began failing */
	bool dm_active;		  /* some map that has another path still sends I/O here */
	bool timeouts_differ;	  /* from the configuration */
	unsigned recent_failures; /* within hold_window */
	unsigned hold_failures;	  /* limit; 0 = never hold */
	uint64_t hold_time_usec;
	uint64_t returnable_since_usec; /* USEC_INFINITY while it is not */
	uint64_t retry_at_usec;		/* not before, after a failed attempt */
};

enum plan_action {
	PLAN_NOTHING,
	PLAN_LOGIN,
	PLAN_INTERRUPT_LOGIN, /* of the other path on its port */
	PLAN_FAIL,
	PLAN_CONFIRM_FAILED, /* it is off: EVENT_FAILED */
	PLAN_REJOIN,
	PLAN_HOLD,    /* EVENT_HOLD */
	PLAN_RELEASE, /* EVENT_STABLE */
	PLAN_SET_TIMEOUTS,
	PLAN_RELOGIN, /* a session is gone from a path that was given back: EVENT_SESSION_GONE */
};

struct plan_step {
	enum plan_action action;
	bool reset;	       /* PLAN_FAIL: reset the host too, nothing else would lose by it */
	bool reconnect;	       /* PLAN_REJOIN: the transport needs a new connection */
	bool force;	       /* even though it says it runs: its I/O is stuck */
	uint64_t wake_at_usec; /* look again then, USEC_INFINITY: only when something happens */
};

struct plan_step plan_path(const struct path_facts *f, uint64_t now_usec);

/* Whether a path may be expected to work again. */
bool path_returnable(const struct path_facts *f);

/*
 * Delay before attempt number `attempts` + 1: base doubled each time, at most cap, all in
 * microseconds. `spread` (0..999) moves it by up to a tenth so that many paths do not beat in step.
 */
uint64_t backoff_usec(unsigned attempts, uint64_t base, uint64_t cap, unsigned spread);

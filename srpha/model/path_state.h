/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The life of a path, as one pure table: path_step(state, event) says what follows. It reads no
 * clock, does no I/O and keeps nothing; deciding which event happened, and acting on the state, is
 * the work of others (reconcile/plan.h, supervisor/paths.h). Every cell is filled: a move, "stay",
 * or "impossible", which the caller reports as a fault of srpha.
 *
 *                    login          miss           dead, port down, transport lost
 *   absent -> wanted -----> connecting -> up <---> suspect -----> failing -> down <-> held
 *                ^                         ^                                   |
 *                |  session gone           +-------- rejoining <---------------+
 *                +--- from anywhere                   (port up, probe answers)
 */
#pragma once

#include <stdbool.h>

enum path_state {
	PATH_ABSENT,	 /* nobody asks for it and no session exists */
	PATH_WANTED,	 /* asked for, not logged in */
	PATH_CONNECTING, /* a login is under way */
	PATH_UP,	 /* logged in and answering */
	PATH_SUSPECT,	 /* a probe went unanswered; nothing is touched yet */
	PATH_FAILING, /* I/O is being taken off it, or would be were it not the last usable path */
	PATH_DOWN,    /* out of use; waiting for its return */
	PATH_REJOINING, /* it answers again: reconnect, check, reinstate */
	PATH_HELD,	/* failed too often: out until it was stable for a while */
	PATH_DRAINED,	/* out on the administrator's word */
	PATH_LEAVING,	/* being logged out */
	PATH_STATE_COUNT,
};

enum path_event {
	EVENT_DESIRED,	 /* configuration or discovery asks for the path */
	EVENT_UNDESIRED, /* and no longer does */
	EVENT_LOGIN_STARTED,
	EVENT_LOGIN_FAILED,
	EVENT_SESSION_RUNNING, /* a session was found, its transport running */
	EVENT_SESSION_BROKEN,  /* a session was found, its transport not running */
	EVENT_SESSION_GONE,    /* the scsi_host disappeared */
	EVENT_TRANSPORT_LOST,  /* the kernel noticed: rport blocked, fail-fast or lost */
	EVENT_PORT_DOWN,       /* the HCA port lost its link */
	EVENT_PROBE_MISSED,
	EVENT_PROBE_DEAD,     /* enough misses, and no I/O completed since they began */
	EVENT_OUT_OF_SERVICE, /* the subnet manager reports the target port's GID gone (trap 65) */
	EVENT_PROBE_ANSWERED,
	EVENT_FAILED, /* seen: I/O is off the path */
	EVENT_REJOIN_STARTED,
	EVENT_REJOIN_FAILED,
	EVENT_REJOINED, /* seen: transport running, LUN paths reinstated */
	EVENT_HOLD,	/* it failed too often */
	EVENT_STABLE,	/* a held path answered long enough */
	EVENT_DRAIN,	/* the administrator takes it out */
	EVENT_UNDRAIN,	/* and gives it back */
	EVENT_FAILOVER, /* the administrator asks for a failover drill */
	EVENT_LEAVE,	/* the administrator asks for a logout */
	PATH_EVENT_COUNT,
};

enum path_step_kind {
	STEP_MOVE,	 /* go to `next` */
	STEP_STAY,	 /* expected here, changes nothing */
	STEP_IMPOSSIBLE, /* cannot happen here: stay, and report it */
};

struct path_step {
	enum path_step_kind kind;
	enum path_state next; /* the state itself unless kind is STEP_MOVE */
};

struct path_step path_step(enum path_state state, enum path_event event);

/* Lower-case words for logs, status and the man page: "up", "probe dead". Never NULL. */
const char *path_state_name(enum path_state state);
const char *path_event_name(enum path_event event);

/* Whether I/O may be expected to succeed on a path in this state. */
bool path_state_usable(enum path_state state);

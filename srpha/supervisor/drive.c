/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From facts to actions: gathers what is known of each path, asks reconcile/plan.h for the next
 * step, and carries it out through an actor. What an actor reports is looked up again in the kernel
 * before it counts.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/message_ids.h"
#include "config/initiator-ext.h"
#include "config/login.h"
#include "supervisor/actor.h"
#include "supervisor/child.h"
#include "supervisor/path.h"
#include "supervisor/registry.h"
#include "wire/channel.h"
#include "wire/messages.h"

/*
 * The actor's own alarm, where interrupt.c does not come first; and in a drill, where there is
 * somebody to talk to and the reconnect may as well succeed.
 */
#define INTERRUPT_USEC (400 * USEC_PER_MSEC)
/* With the port down the portal's address cannot be resolved: there is nothing to wait for. */
#define INTERRUPT_DOWN_USEC (20 * USEC_PER_MSEC)
#define INTERRUPT_DRILL_USEC USEC_PER_SEC

#define FAIL_DEADLINE_USEC (3 * USEC_PER_SEC)
#define REJOIN_DEADLINE_USEC (3 * USEC_PER_SEC)
#define SYSFS_DEADLINE_USEC (2 * USEC_PER_SEC)
/* What an actor gets beyond the deadline it was told, before it is killed. */
#define GRACE_USEC (2 * USEC_PER_SEC)

#define RETRY_BASE_USEC (100 * USEC_PER_MSEC)
#define RETRY_CAP_USEC (5 * USEC_PER_SEC)
#define LOGIN_RETRY_BASE_USEC USEC_PER_SEC
#define LOGIN_RETRY_CAP_USEC (60 * USEC_PER_SEC)

/*
 * The kernel takes one login at a time for an HCA port (add_target_mutex of ib_srp.c), and one that
 * nobody answers sits there until it is interrupted. So long it may, while another waits.
 */
#define LOGIN_YIELD_USEC USEC_PER_SEC

/* Steps one path may take in one go, so that a fault in the plan cannot spin. */
#define STEPS_MAX 4

static bool timeouts_differ(const struct manager *m, const struct path *p,
			    const struct srp_session *s)
{
	const struct config_timeouts *t = path_timeouts(m, p);

	return s->fast_io_fail_tmo != t->fast_io_fail_tmo ||
	       s->reconnect_delay != t->reconnect_delay || s->dev_loss_tmo != t->dev_loss_tmo;
}

/* The path whose login runs on that HCA port, or NULL. */
static struct path *login_running(struct manager *m, const char *port)
{
	struct path *p;

	LIST_FOREACH (p, &m->paths, link)
		if (p->actor && strcmp(p->port, port) == 0 &&
		    strcmp(p->actor->action, MSG_LOGIN) == 0)
			return p;
	return NULL;
}

/* One whose target answers probes is about to get through; one that talks to nobody is not. */
static void gather_login(struct manager *m, const struct path *p, struct path_facts *f)
{
	const struct path *other = login_running(m, p->port);

	f->login_slot = !other;
	f->login_yields_at_usec = other && other->probe.view != PROBE_ANSWERING
					  ? other->actor->busy_since_usec + LOGIN_YIELD_USEC
					  : USEC_INFINITY;
}

/* Whether some map with another usable path still sends I/O to this session. */
static bool dm_sends(struct manager *m, const struct srp_session *s, bool keep_last)
{
	for (unsigned i = 0; i < m->dm.n_maps; i++) {
		const struct dm_map *map = &m->dm.maps[i];
		bool active = false;

		for (unsigned k = 0; k < map->n_paths; k++)
			active |= map->paths[k].active && session_has_devno(s, map->paths[k].devno);
		if (active && (!keep_last || guard_map_has_other(map, s, devno_usable, m)))
			return true;
	}
	return false;
}

static void gather_session(struct manager *m, struct path *p, struct path_facts *f)
{
	const struct config_failover *c = path_failover(m, p);
	struct srp_session *s = path_session(m, p);
	bool keep = c->last_path == LAST_PATH_KEEP;
	struct guard_verdict v;
	uint64_t completed, in_flight;

	f->session = s != NULL;
	f->rport = s ? s->rport_state : RPORT_UNKNOWN;
	if (!s)
		return;
	f->timeouts_differ = timeouts_differ(m, p, s);
	if (p->state != PATH_FAILING && p->state != PATH_DRAINED && p->state != PATH_DOWN &&
	    p->state != PATH_HELD)
		return;
	guard_judge(&m->dm, s, devno_usable, lun_in_use, m, &v);
	f->guarded = keep && (v.last > 0 || v.bare > 0);
	f->dm_active = dm_sends(m, s, keep);
	if (s->n_luns == 0)
		f->off = true; /* no disk, no I/O to be taken off */
	if (srp_session_io(m->root_fd, s, &completed, &in_flight) == 0) {
		if (p->returnable_since_usec == USEC_INFINITY)
			p->return_mark = completed;
		f->io_stuck = in_flight > 0 && completed == p->return_mark;
	}
	if (f->guarded && p->state == PATH_FAILING && !p->guard_told) {
		p->guard_told = true;
		path_tell(m, p, LOG_WARNING, MESSAGE_LAST_PATH_KEPT,
			  "kept although it failed: %s has no other usable path", v.name);
		snprintf(p->reason + strlen(p->reason), sizeof(p->reason) - strlen(p->reason),
			 "; last usable path of %s, kept", v.name);
	}
}

static void gather(struct manager *m, struct path *p, uint64_t now, struct path_facts *f)
{
	const struct config_failover *c = path_failover(m, p);
	const struct worker *w = worker_find(m, p->port);

	*f = (struct path_facts){
		.state = p->state,
		.managed = path_managed(m, p),
		.desired = p->desired,
		.port_up = w && w->up,
		.probe = p->probe.view,
		/* Without its GID a target port that can be asked is not reachable yet either. */
		.identity = p->has_identity &&
			    (p->has_initiator_ext || p->has_gid || !p->probe.possible),
		.actor_busy = p->actor || actors_stuck(m, p),
		.off = p->off,
		.recent_failures = path_recent_failures(p, now, c->hold_window_usec),
		.hold_failures = (unsigned)c->hold_failures,
		.hold_time_usec = c->hold_time_usec,
		.retry_at_usec = p->retry_at_usec,
	};
	gather_login(m, p, f);
	gather_session(m, p, f);
	if (!path_returnable(f))
		p->returnable_since_usec = USEC_INFINITY;
	else if (p->returnable_since_usec == USEC_INFINITY)
		p->returnable_since_usec = now;
	f->returnable_since_usec = p->returnable_since_usec;
}

/*
 * The identity of a path for life: the target port's GUID as its GID shows it; without a GID what
 * the IPv4-mapped (or IPv6) address of the portal shows in the same place.
 */
static uint64_t derive_initiator_ext(const struct manager *m, const struct path *p)
{
	struct portal portal;
	uint64_t guid = 0;

	if (p->has_gid)
		guid = gid_interface_id(p->gid);
	else if (parse_portal(p->dest, &portal) == 0)
		guid = portal.sa.sa_family == AF_INET
			       ? UINT64_C(0xffff00000000) | ntohl(portal.in.sin_addr.s_addr)
			       : gid_interface_id(portal.in6.sin6_addr.s6_addr);
	return initiator_ext_of(path_login(m, p), guid);
}

static void put_timeouts(struct json_object *o, const struct config_timeouts *t)
{
	char buf[16];

	json_put_string(o, "fast_io_fail_tmo", config_format_tmo(t->fast_io_fail_tmo, buf));
	json_put_string(o, "reconnect_delay", config_format_tmo(t->reconnect_delay, buf));
	json_put_string(o, "dev_loss_tmo", config_format_tmo(t->dev_loss_tmo, buf));
}

static struct json_object *request_new(const char *msg, uint64_t deadline_usec)
{
	struct json_object *o = json_object_new_object();

	json_put_string(o, "msg", msg);
	json_put_u64(o, "deadline_usec", deadline_usec);
	return o;
}

/* Maps that hold LUN paths of the session; with `spare_last` only those that have another path. */
static struct json_object *maps_of(struct manager *m, const struct srp_session *s, bool spare_last)
{
	struct json_object *list = json_object_new_array();

	for (unsigned i = 0; i < m->dm.n_maps; i++) {
		const struct dm_map *map = &m->dm.maps[i];
		struct json_object *paths = json_object_new_array(), *o;

		for (unsigned k = 0; k < map->n_paths; k++)
			if (session_has_devno(s, map->paths[k].devno))
				json_object_array_add(paths,
						      json_object_new_string(map->paths[k].devno));
		if (json_object_array_length(paths) == 0 ||
		    (spare_last && !guard_map_has_other(map, s, devno_usable, m))) {
			json_object_put(paths);
			continue;
		}
		o = json_object_new_object();
		json_put_string(o, "name", map->name);
		json_put_string(o, "uuid", map->uuid);
		json_object_object_add(o, "paths", paths);
		json_object_array_add(list, o);
	}
	return list;
}

/* Which session an actor is to work on, and who is behind its portal. */
static void put_session(struct json_object *o, const struct path *p, const struct srp_session *s)
{
	char gid[GID_STR_MAX];

	json_put_string(o, "host", s->host);
	json_put_string(o, "rport", s->rport);
	json_put_u64(o, "instance", s->instance);
	if (p->fabric || !p->dest[0] || !p->has_gid)
		return; /* no neighbour entry to be written on InfiniBand */
	json_put_string(o, "dest", p->dest);
	json_put_string(o, "gid", format_gid(p->gid, gid));
}

static void retry_later(struct manager *m, struct path *p, uint64_t base, uint64_t cap)
{
	uint64_t now = manager_now(m);

	p->retry_at_usec = now + backoff_usec(p->attempts++, base, cap, (unsigned)(now % 1000));
}

static void run(struct manager *m, struct path *p, const char *action, struct json_object *request,
		uint64_t deadline_usec)
{
	int r = actor_run(m, p, action, request, deadline_usec + GRACE_USEC);

	if (r >= 0)
		return;
	retry_later(m, p, RETRY_BASE_USEC, RETRY_CAP_USEC);
	path_tell(m, p, LOG_ERR, NULL, "no actor for %s: %s; trying again", action, strerror(-r));
	if (p->state == PATH_CONNECTING)
		path_event(m, p, EVENT_LOGIN_FAILED, "no actor");
	if (p->state == PATH_REJOINING)
		path_event(m, p, EVENT_REJOIN_FAILED, "no actor");
}

static void do_login(struct manager *m, struct path *p)
{
	const struct config_login *l = path_login(m, p);
	_cleanup_json_ struct json_object *request = NULL;
	char options[LOGIN_STR_MAX];
	struct record *r;
	int k;

	if (!p->has_initiator_ext) {
		p->initiator_ext = derive_initiator_ext(m, p);
		p->has_initiator_ext = true;
	}
	k = login_format(l, p->id_ext, p->ioc_guid, p->initiator_ext, p->fabric ? NULL : p->dest,
			 p->fabric ? p->gid : NULL, p->service_id, options, sizeof(options));
	if (k < 0) {
		retry_later(m, p, LOGIN_RETRY_CAP_USEC, LOGIN_RETRY_CAP_USEC);
		path_tell(m, p, LOG_ERR, MESSAGE_LOGIN_FAILED, "cannot build the login: %s",
			  strerror(-k));
		return;
	}
	/* The intent first: a supervisor that dies in the middle must know its own session. */
	r = record_get(m, p);
	if (r) {
		r->host[0] = '\0';
		r->pending = true;
		k = registry_save(m);
	} else
		k = -ENOMEM;
	if (k < 0) {
		retry_later(m, p, LOGIN_RETRY_BASE_USEC, LOGIN_RETRY_CAP_USEC);
		path_tell(m, p, LOG_ERR, MESSAGE_LOGIN_FAILED,
			  "cannot write the registry below %s: %s; not logging in without it",
			  m->runtime_dir, strerror(-k));
		return;
	}
	request = request_new(MSG_LOGIN, l->login_timeout_usec);
	json_put_string(request, "port", p->port);
	json_put_string(request, "options", options);
	put_timeouts(request, path_timeouts(m, p));
	path_event(m, p, EVENT_LOGIN_STARTED, NULL);
	run(m, p, MSG_LOGIN, request, l->login_timeout_usec);
}

static void do_fail(struct manager *m, struct path *p, bool reset)
{
	bool keep = path_failover(m, p)->last_path == LAST_PATH_KEEP;
	_cleanup_json_ struct json_object *request = request_new(MSG_FAIL, FAIL_DEADLINE_USEC);
	struct json_object *sg = json_object_new_array();
	struct srp_session *s = path_session(m, p);
	const struct worker *w = worker_find(m, p->port);
	bool port_up = w && w->up;

	for (unsigned i = 0; i < s->n_luns && i < 4; i++)
		if (s->luns[i].sg[0])
			json_object_array_add(sg, json_object_new_string(s->luns[i].sg));
	put_session(request, p, s);
	json_object_object_add(request, "maps", maps_of(m, s, keep));
	json_put_bool(request, "reset", reset && json_object_array_length(sg) > 0);
	json_object_object_add(request, "sg", sg);
	json_put_u64(request, "interrupt_usec",
		     p->drill  ? INTERRUPT_DRILL_USEC
		     : port_up ? INTERRUPT_USEC
			       : INTERRUPT_DOWN_USEC);
	if (p->probe.view != PROBE_UNKNOWN)
		json_put_string(request, "reconnect_hold", RECONNECT_HOLD);
	run(m, p, MSG_FAIL, request, FAIL_DEADLINE_USEC);
	if (p->actor && reset && port_up && !p->drill)
		interrupt_start(m, p->actor);
}

static void do_rejoin(struct manager *m, struct path *p, const struct plan_step *step)
{
	_cleanup_json_ struct json_object *request = request_new(MSG_REJOIN, REJOIN_DEADLINE_USEC);
	struct json_object *luns = json_object_new_array();
	struct srp_session *s = path_session(m, p);
	char buf[16];

	for (unsigned i = 0; i < s->n_luns; i++) {
		struct json_object *o;

		if (!s->luns[i].sg[0])
			continue;
		o = json_object_new_object();
		json_put_string(o, "sg", s->luns[i].sg);
		json_put_string(o, "devno", s->luns[i].devno);
		json_put_string(o, "disk", s->luns[i].disk);
		json_object_array_add(luns, o);
	}
	put_session(request, p, s);
	json_put_bool(request, "reconnect", step->reconnect);
	json_put_bool(request, "force", step->force);
	json_object_object_add(request, "luns", luns);
	json_object_object_add(request, "maps", maps_of(m, s, false));
	json_put_string(request, "reconnect_delay",
			config_format_tmo(path_timeouts(m, p)->reconnect_delay, buf));
	json_put_bool(request, "multipathd", true);
	path_event(m, p, EVENT_REJOIN_STARTED, NULL);
	run(m, p, MSG_REJOIN, request, REJOIN_DEADLINE_USEC);
}

static void do_timeouts(struct manager *m, struct path *p)
{
	_cleanup_json_ struct json_object *request = request_new(MSG_TIMEOUTS, SYSFS_DEADLINE_USEC);

	json_put_string(request, "rport", path_session(m, p)->rport);
	put_timeouts(request, path_timeouts(m, p));
	/* Whoever changes them back again does not get an endless duel. */
	retry_later(m, p, RETRY_CAP_USEC, 60 * USEC_PER_SEC);
	run(m, p, MSG_TIMEOUTS, request, SYSFS_DEADLINE_USEC);
}

/* One step; true when it changed the state without an actor, so that another may follow. */
static bool take_step(struct manager *m, struct path *p, const struct plan_step *step)
{
	switch (step->action) {
	case PLAN_NOTHING:
		return false;
	case PLAN_LOGIN:
		do_login(m, p);
		return false;
	case PLAN_INTERRUPT_LOGIN:
		child_signal(login_running(m, p->port)->actor->child, SIGALRM);
		return false;
	case PLAN_FAIL:
		do_fail(m, p, step->reset);
		return false;
	case PLAN_CONFIRM_FAILED:
		path_event(m, p, EVENT_FAILED, NULL);
		return true;
	case PLAN_REJOIN:
		do_rejoin(m, p, step);
		return false;
	case PLAN_HOLD:
		path_event(m, p, EVENT_HOLD, "failed too often");
		return true;
	case PLAN_RELEASE:
		/* It starts anew: old failures must not hold it again at once. */
		p->n_failures = 0;
		path_event(m, p, EVENT_STABLE, NULL);
		return true;
	case PLAN_SET_TIMEOUTS:
		do_timeouts(m, p);
		return false;
	case PLAN_RELOGIN:
		path_event(m, p, EVENT_SESSION_GONE, "no session");
		return true;
	}
	return false;
}

static uint64_t drive_path(struct manager *m, struct path *p, uint64_t now)
{
	struct plan_step step = { .wake_at_usec = USEC_INFINITY };
	const struct worker *w = worker_find(m, p->port);

	/* A level, not an edge: the path may have come up after its port went down. */
	if (path_state_usable(p->state) && path_managed(m, p) && w && w->state[0] && !w->up)
		path_event(m, p, EVENT_PORT_DOWN, w->state);
	path_tempo(m, p);
	for (unsigned i = 0; i < STEPS_MAX; i++) {
		struct path_facts facts;

		gather(m, p, now, &facts);
		step = plan_path(&facts, now);
		if (!take_step(m, p, &step))
			break;
	}
	return step.wake_at_usec;
}

void drive_all(struct manager *m)
{
	uint64_t now = manager_now(m), wake = USEC_INFINITY;
	struct path *p, *next;

	for (p = LIST_FIRST(&m->paths); p; p = next) {
		uint64_t at;

		next = LIST_NEXT(p, link);
		/* Found on a port that is gone, its session with it. */
		if (p->fabric && !p->host[0] && !worker_find(m, p->port))
			p->desired = false;
		if (p->portal_id && !p->actor && !p->desired) {
			path_remove(m, p);
			m->srp_stale = true;
			continue;
		}
		at = drive_path(m, p, now);
		if (at < wake)
			wake = at;
	}
	actors_fill(m);
	if (wake != USEC_INFINITY) {
		(void)sd_event_source_set_time(m->wake, wake);
		(void)sd_event_source_set_enabled(m->wake, SD_EVENT_ONESHOT);
	}
}

void drive_probe_mark(struct manager *m, struct path *p)
{
	struct srp_session *s = path_session(m, p);
	uint64_t in_flight;

	if (p->probe.marked || !s)
		return;
	p->probe.marked = srp_session_io(m->root_fd, s, &p->probe.completed_mark, &in_flight) == 0;
}

void drive_probe_dead(struct manager *m, struct path *p)
{
	struct srp_session *s = path_session(m, p);
	uint64_t completed, in_flight = 1;

	/* I/O that completed since the misses began outweighs them: only the agent is silent. */
	if (s && p->probe.marked && path_state_usable(p->state) &&
	    srp_session_io(m->root_fd, s, &completed, &in_flight) == 0 &&
	    completed != p->probe.completed_mark) {
		p->probe.completed_mark = completed;
		path_tell(m, p, LOG_NOTICE, NULL,
			  "its management agent is silent but I/O completes: left alone");
		return;
	}
	/* No I/O waits on an idle path: its agent may as well have a second round to answer. */
	if (s && path_state_usable(p->state) && in_flight == 0 &&
	    p->probe.misses < 2 * path_failover(m, p)->probe_misses)
		return;
	p->probe.view = PROBE_SILENT;
	path_event(m, p, EVENT_PROBE_DEAD, NULL);
}

/* The words an actor gave for its failure. */
static const char *failure_text(struct json_object *result)
{
	const char *s;

	if (!result)
		return "the actor ended without a word";
	return json_get_string(result, "error", &s) == 0 ? s : "no reason given";
}

static void login_done(struct manager *m, struct path *p, bool ok, struct json_object *result)
{
	struct record *r = record_find(m, p->name);
	const char *host;
	uint64_t err = 0;

	if (result)
		(void)json_get_u64(result, "errno", UINT32_MAX, &err);
	if (ok && json_get_string(result, "host", &host) == 0) {
		p->logins++;
		if (r)
			snprintf(r->host, sizeof(r->host), "%s", host);
	}
	/* Whatever the actor says, the kernel shows: the record is pending until it was looked at. */
	sessions_refresh(m);
	if (r && r->pending && !p->host[0] && result) {
		r->pending = false;
		r->host[0] = '\0';
		m->registry_stale = true;
	}
	if (p->host[0]) {
		p->last_problem[0] = '\0';
		return;
	}
	/* An old host on its way out is soon gone; a target that refuses will not change its mind. */
	retry_later(m, p, err == EEXIST ? RETRY_BASE_USEC : LOGIN_RETRY_BASE_USEC,
		    err == EEXIST ? RETRY_CAP_USEC : LOGIN_RETRY_CAP_USEC);
	path_tell(m, p, LOG_WARNING, MESSAGE_LOGIN_FAILED, "login failed: %s; srpha keeps trying",
		  failure_text(result));
	path_event(m, p, EVENT_LOGIN_FAILED, failure_text(result));
}

static void fail_done(struct manager *m, struct path *p, bool ok, struct json_object *result)
{
	uint64_t dm_usec = 0, reset_usec = 0;

	if (!ok) {
		retry_later(m, p, RETRY_BASE_USEC, RETRY_CAP_USEC);
		path_tell(m, p, LOG_WARNING, NULL, "taking I/O off it failed: %s; trying again",
			  failure_text(result));
		return;
	}
	/* Not seen to be off yet: not again at once. */
	retry_later(m, p, RETRY_BASE_USEC, RETRY_CAP_USEC);
	(void)json_get_u64(result, "dm_usec", UINT64_MAX, &dm_usec);
	(void)json_get_u64(result, "reset_usec", UINT64_MAX, &reset_usec);
	log_debug("path %s: fail action took %llu us in dm, %llu us in the reset", p->name,
		  (unsigned long long)dm_usec, (unsigned long long)reset_usec);
}

static void rejoin_done(struct manager *m, struct path *p, bool ok, struct json_object *result)
{
	struct srp_session *s = path_session(m, p);

	if (ok && s && s->rport_state == RPORT_RUNNING) {
		path_event(m, p, EVENT_REJOINED, NULL);
		return;
	}
	retry_later(m, p, RETRY_BASE_USEC, RETRY_CAP_USEC);
	path_tell(m, p, LOG_NOTICE, NULL, "rejoin failed: %s; trying again",
		  ok ? "the transport is not running" : failure_text(result));
	path_event(m, p, EVENT_REJOIN_FAILED, failure_text(result));
}

void drive_actor_done(struct manager *m, struct path *p, const char *action,
		      struct json_object *result)
{
	uint64_t reset_usec;
	bool ok = false;

	if (result)
		(void)json_get_bool(result, "ok", &ok);
	m->dm_stale = true;
	session_refresh(m, p);
	if (strcmp(action, MSG_LOGIN) == 0)
		login_done(m, p, ok, result);
	else if (strcmp(action, MSG_FAIL) == 0) {
		/* It tells how long the reset took where it made one. */
		if (ok && p->state == PATH_FAILING)
			p->off = json_get_u64(result, "reset_usec", UINT64_MAX, &reset_usec) == 0;
		fail_done(m, p, ok, result);
	} else if (strcmp(action, MSG_REJOIN) == 0) {
		if (p->state == PATH_REJOINING)
			rejoin_done(m, p, ok, result);
		/* Its first step was to turn reconnect_delay off: see that it was put back. */
		m->srp_stale = true;
	} else
		m->srp_stale = true;
	manager_dirty(m);
}

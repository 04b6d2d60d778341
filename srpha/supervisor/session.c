/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kernel shows, matched to paths. A session is attributed, in this order, by the registry
 * (host number and sysfs instance), by a login the registry says was under way on that port, or by
 * being the only one that fits a path of the configuration; what is left is foreign: shown, and
 * not touched.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "observe/usage.h"
#include "supervisor/path.h"
#include "supervisor/registry.h"

struct srp_session *path_session(struct manager *m, const struct path *p)
{
	if (!p->host[0])
		return NULL;
	for (unsigned i = 0; i < m->srp.n_sessions; i++) {
		struct srp_session *s = &m->srp.sessions[i];

		if (s->instance == p->instance && strcmp(s->host, p->host) == 0)
			return s;
	}
	return NULL;
}

static struct path *session_path(struct manager *m, const struct srp_session *s)
{
	struct path *p;

	LIST_FOREACH (p, &m->paths, link)
		if (p->host[0] && p->instance == s->instance && strcmp(p->host, s->host) == 0)
			return p;
	return NULL;
}

bool devno_usable(const char *devno, void *userdata)
{
	struct manager *m = userdata;

	const struct srp_session *s = srp_view_find_devno(&m->srp, devno);
	const struct path *p = s ? session_path(m, s) : NULL;

	if (!s)
		return true; /* not an SRP disk: device-mapper's word is all there is */
	if (p && p->owner != OWNER_FOREIGN && !path_state_usable(p->state))
		return false;
	return s->rport_state == RPORT_RUNNING;
}

bool lun_in_use(const struct srp_lun *lun, void *userdata)
{
	struct manager *m = userdata;

	return disk_in_use(m->root_fd, lun->disk, lun->devno);
}

static struct path *restore_portal(struct manager *m, const struct record *r)
{
	struct portal_ref *ref;

	LIST_FOREACH (ref, &m->portals, link)
		if (ref->configured && strcmp(ref->target, r->target) == 0 &&
		    strcmp(ref->dest, r->dest) == 0)
			return path_get(m, r->target, r->dest, r->port, ref->id);
	return NULL;
}

/* The first scan says whether it is still offered. */
static struct path *restore_fabric(struct manager *m, const struct record *r)
{
	struct path *p;

	if (!m->config->discovery.infiniband || (!r->host[0] && !r->pending && !r->drained))
		return NULL;
	p = path_get(m, r->target, r->dest, r->port, ++m->next_portal_id);
	if (!p)
		return NULL;
	p->fabric = true;
	p->has_gid = parse_gid(r->dest, p->gid) == 0;
	p->pkey = r->pkey;
	p->service_id = r->service_id;
	p->login = m->config->login;
	if (p->login.pkey == LOGIN_UNSET)
		p->login.pkey = r->pkey;
	return p;
}

void sessions_restore(struct manager *m)
{
	struct record *r;

	LIST_FOREACH (r, &m->records, link) {
		struct path *p = r->fabric ? restore_fabric(m, r) : restore_portal(m, r);

		if (!p)
			continue;
		p->desired = true;
		p->id_ext = r->id_ext;
		p->ioc_guid = r->ioc_guid;
		p->initiator_ext = r->initiator_ext;
		p->has_identity = r->has_identity;
		p->has_initiator_ext = r->has_initiator_ext;
		/* It answered before the restart: its silence from now on means something. */
		if (r->answered)
			p->probe.view = PROBE_ANSWERING;
		path_event(m, p, EVENT_DESIRED, "restored");
		if (r->drained)
			path_event(m, p, EVENT_DRAIN, "restored");
	}
}

static bool record_fits(const struct record *r, const struct srp_session *s)
{
	return strcmp(r->port, s->port) == 0 && r->id_ext == s->id_ext &&
	       r->ioc_guid == s->ioc_guid;
}

static struct record *record_of_session(struct manager *m, const struct srp_session *s)
{
	struct record *r;

	LIST_FOREACH (r, &m->records, link)
		if (r->host[0] && r->instance == s->instance && strcmp(r->host, s->host) == 0)
			return r;
	/* A login that told its host, then one that did not: the kernel takes one at a time on a
	 * port, so that a pending one there can only be this. */
	LIST_FOREACH (r, &m->records, link)
		if (r->pending && strcmp(r->host, s->host) == 0 && record_fits(r, s))
			return r;
	LIST_FOREACH (r, &m->records, link)
		if (r->pending && !r->host[0] && record_fits(r, s))
			return r;
	return NULL;
}

static bool path_fits(const struct path *p, const struct srp_session *s)
{
	if (p->fabric && (s->rdma_cm || memcmp(p->gid, s->dgid, sizeof(p->gid)) != 0))
		return false;
	return (p->fabric || s->rdma_cm) && p->owner != OWNER_FOREIGN && p->desired &&
	       !p->host[0] && p->has_identity && strcmp(p->port, s->port) == 0 &&
	       p->id_ext == s->id_ext && p->ioc_guid == s->ioc_guid;
}

static struct path *only_fit(struct manager *m, const struct srp_session *s)
{
	struct path *p, *found = NULL;

	LIST_FOREACH (p, &m->paths, link) {
		if (!path_fits(p, s))
			continue;
		if (found)
			return NULL;
		found = p;
	}
	if (found && found->fabric)
		return found;
	/* A portal that has not been heard of yet may fit as well. */
	return found && worker_reported_all(m, found->port, found->target) ? found : NULL;
}

static bool any_failed(struct manager *m, const struct srp_session *s)
{
	for (unsigned i = 0; i < s->n_luns; i++) {
		const struct dm_path *path;

		if (dm_view_find_path(&m->dm, s->luns[i].devno, &path) && !path->active)
			return true;
	}
	return false;
}

static void adopt(struct manager *m, struct path *p, const struct srp_session *s,
		  enum path_owner owner)
{
	snprintf(p->host, sizeof(p->host), "%s", s->host);
	p->instance = s->instance;
	p->owner = owner;
	if (owner != OWNER_FOREIGN) {
		struct record *r = record_get(m, p);

		if (r) {
			snprintf(r->host, sizeof(r->host), "%s", s->host);
			r->instance = s->instance;
			r->pending = false;
		}
	}
	/* One that runs but is failed in its maps was left half-way through a rejoin: finish it. */
	path_event(m, p,
		   s->rport_state == RPORT_RUNNING && !any_failed(m, s) ? EVENT_SESSION_RUNNING
									: EVENT_SESSION_BROKEN,
		   s->host);
}

/* A foreign path that turned out to be one of ours makes room. */
static void drop_foreign(struct manager *m, const struct srp_session *s)
{
	struct path *p = session_path(m, s);

	if (p && p->owner == OWNER_FOREIGN)
		path_remove(m, p);
}

static void attribute(struct manager *m, const struct srp_session *s)
{
	struct path *p = session_path(m, s), *ours = NULL;
	enum path_owner owner = OWNER_SRPHA;
	struct record *r;

	if (p && p->owner != OWNER_FOREIGN)
		return;
	r = record_of_session(m, s);
	if (r)
		ours = path_find(m, r->path);
	if (ours && ours->host[0])
		ours = NULL;
	if (!ours) {
		ours = only_fit(m, s);
		owner = OWNER_CONFIGURED;
	}
	/* The login whose child this is has not reported yet: it will. */
	if (ours && ours->state == PATH_CONNECTING && ours->actor)
		return;
	if (ours) {
		drop_foreign(m, s);
		adopt(m, ours, s, owner);
	} else if (!p) {
		p = path_get_foreign(m, s);
		if (p)
			adopt(m, p, s, OWNER_FOREIGN);
	}
}

static void session_gone(struct manager *m, struct path *p)
{
	struct record *r = record_find(m, p->name);
	char host[sizeof(p->host)];

	memcpy(host, p->host, sizeof(host));
	p->host[0] = '\0';
	p->instance = 0;
	if (r && r->host[0]) {
		r->host[0] = '\0';
		m->registry_stale = true;
	}
	if (p->owner == OWNER_FOREIGN) {
		path_remove(m, p);
		return;
	}
	p->owner = OWNER_SRPHA;
	path_event(m, p, EVENT_SESSION_GONE, host);
}

static void transport_seen(struct manager *m, struct path *p, enum rport_state state)
{
	if (state != RPORT_RUNNING)
		path_event(m, p, EVENT_TRANSPORT_LOST, rport_state_name(state));
	else if (p->owner == OWNER_FOREIGN && p->state != PATH_UP) {
		/* Nobody rejoins a foreign path but its owner: follow what is seen. */
		path_event(m, p, EVENT_REJOIN_STARTED, NULL);
		path_event(m, p, EVENT_REJOINED, "by its owner");
	}
	if (p->owner == OWNER_FOREIGN && p->state == PATH_FAILING)
		path_event(m, p, EVENT_FAILED, NULL);
}

void sessions_refresh(struct manager *m)
{
	struct srp_view fresh = {};
	struct path *p, *next;
	int r = srp_view_read(m->root_fd, &fresh);

	m->srp_stale = false;
	if (r < 0) {
		log_error("cannot read the SRP sessions: %s; trying again", strerror(-r));
		m->srp_stale = true;
		return;
	}
	srp_view_clear(&m->srp);
	m->srp = fresh;
	for (p = LIST_FIRST(&m->paths); p; p = next) {
		struct srp_session *s = path_session(m, p);

		next = LIST_NEXT(p, link);
		if (p->host[0] && !s)
			session_gone(m, p);
	}
	for (unsigned i = 0; i < m->srp.n_sessions; i++)
		attribute(m, &m->srp.sessions[i]);
	for (p = LIST_FIRST(&m->paths); p; p = next) {
		struct srp_session *s = path_session(m, p);

		next = LIST_NEXT(p, link);
		if (s)
			transport_seen(m, p, s->rport_state);
	}
}

void session_refresh(struct manager *m, struct path *p)
{
	struct srp_session *s = path_session(m, p);
	enum rport_state state;

	if (!s)
		return;
	state = srp_rport_state(m->root_fd, s->rport);
	if (state == RPORT_UNKNOWN) {
		m->srp_stale = true;
		manager_dirty(m);
		return;
	}
	if (state == s->rport_state)
		return;
	s->rport_state = state;
	transport_seen(m, p, state);
	manager_dirty(m);
}

void sessions_poll(struct manager *m)
{
	struct path *p, *next;

	for (p = LIST_FIRST(&m->paths); p; p = next) {
		next = LIST_NEXT(p, link);
		session_refresh(m, p);
	}
}
